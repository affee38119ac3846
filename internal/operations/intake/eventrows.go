package intake

import (
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// decoder settles events, orders and tickets the same way for tables and for canonical lines.
func (o Options) decoder(hash func(merchant, buyer string) string) *chatlog.Decoder {
	return &chatlog.Decoder{Zone: o.Zone, HashBuyer: hash, AgentOf: o.AgentOf, Closes: o.Closes, Latest: o.Latest}
}

// tableHash is for tables, in which a buyer is a name: without a key it is left out.
func (o Options) tableHash() func(merchant, buyer string) string {
	if o.HashBuyer == nil {
		return func(string, string) string { return "" }
	}
	return o.HashBuyer
}

// lineHash is for canonical lines; nil keeps the buyers.
func (o Options) lineHash() func(merchant, buyer string) string {
	if !o.HashLines {
		return nil
	}
	keyed := o.tableHash()
	return func(merchant, buyer string) string {
		if len(buyer) == 32 && strings.Trim(buyer, "0123456789abcdef") == "" {
			return buyer
		}
		return keyed(merchant, buyer)
	}
}

func conversationLines(_ *time.Location, o Options) func([]byte) (chatlog.Conversation, []fault.Field) {
	hash := o.lineHash()
	return func(line []byte) (chatlog.Conversation, []fault.Field) {
		c, bad := chatlog.DecodeConversation(line)
		if hash != nil && c.Buyer != "" {
			c.Buyer = hash(string(c.Merchant), c.Buyer)
		}
		return c, bad
	}
}

func eventLines(_ *time.Location, o Options) func([]byte) (chatlog.Event, []fault.Field) {
	d, spans := o.decoder(o.lineHash()), &chatlog.Spans{}
	return func(line []byte) (chatlog.Event, []fault.Field) {
		e, bad := d.Event(line)
		if len(bad) == 0 {
			bad = spans.Check(&e)
		}
		return e, bad
	}
}

// eventRow is one row of a chat log.
type eventRow struct {
	chatlog.Event
	closing, invited *bool
}

var eventFields = []field[eventRow]{
	idField("merchant", func(r *eventRow) *ids.Merchant { return &r.Merchant }),
	idField("shop", func(r *eventRow) *ids.Shop { return &r.Shop }),
	idField("queue", func(r *eventRow) *ids.Queue { return &r.Queue }),
	textField("conversation", func(r *eventRow) *string { return &r.Conversation }),
	textField("id", func(r *eventRow) *string { return &r.ID }),
	timeField("at", func(r *eventRow) *time.Time { return &r.At }),
	{"kind", func(r *eventRow, _ *column, s string) string { r.Kind = senderKind(s); return "" }},
	idField("agent", func(r *eventRow) *ids.Agent { return &r.Agent }),
	textField("account", func(r *eventRow) *string { return &r.Account }),
	textField("buyer", func(r *eventRow) *string { return &r.Buyer }),
	truthField("closing", func(r *eventRow) **bool { return &r.closing }),
	wholeField("score", func(r *eventRow, n int) { r.Score = n }),
	truthField("invited", func(r *eventRow) **bool { return &r.invited }),
	textField("text", func(r *eventRow) *string { return &r.Text }),
	simulatedField(func(r *eventRow) *bool { return &r.Simulated }),
}

func eventTable(bound []*column, o Options) func(*record) (chatlog.Event, []fault.Field) {
	fill, d, spans := filler(eventFields, bound), o.decoder(o.tableHash()), &chatlog.Spans{}
	return func(r *record) (chatlog.Event, []fault.Field) {
		var row eventRow
		if bad := fill(&row, r); bad != nil {
			return chatlog.Event{}, bad
		}
		row.Closing, row.Invited = row.closing != nil && *row.closing, row.invited != nil && *row.invited
		bad := append(d.Settle(&row.Event), complaints(row.Validate())...)
		if len(bad) == 0 {
			bad = spans.Check(&row.Event)
		}
		return row.Event, bad
	}
}

// orderRow is one step of an order, by a person or by an account.
type orderRow struct {
	chatlog.OrderEvent
	account string
}

var orderFields = []field[orderRow]{
	idField("merchant", func(r *orderRow) *ids.Merchant { return &r.Merchant }),
	idField("shop", func(r *orderRow) *ids.Shop { return &r.Shop }),
	textField("buyer", func(r *orderRow) *string { return &r.Buyer }),
	textField("order", func(r *orderRow) *string { return &r.Order }),
	{"kind", func(r *orderRow, _ *column, s string) string { r.Kind = stepKind(s); return "" }},
	timeField("at", func(r *orderRow) *time.Time { return &r.At }),
	idField("queue", func(r *orderRow) *ids.Queue { return &r.Queue }),
	idField("agent", func(r *orderRow) *ids.Agent { return &r.Agent }),
	textField("account", func(r *orderRow) *string { return &r.account }),
	{"amount", func(r *orderRow, _ *column, s string) string {
		fen, err := money.Parse(strings.Trim(s, "￥ "))
		if err != nil {
			return "is not an amount in yuan like 1,234.50"
		}
		r.Amount = fen
		return ""
	}},
	simulatedField(func(r *orderRow) *bool { return &r.Simulated }),
}

func orderTable(bound []*column, o Options) func(*record) (chatlog.OrderEvent, []fault.Field) {
	fill, d := filler(orderFields, bound), o.decoder(o.tableHash())
	return func(r *record) (chatlog.OrderEvent, []fault.Field) {
		var row orderRow
		if bad := fill(&row, r); bad != nil {
			return chatlog.OrderEvent{}, bad
		}
		bad := d.SettleOrder(&row.OrderEvent, row.account)
		return row.OrderEvent, append(bad, complaints(row.Validate())...)
	}
}

// ticketRow is one ticket, worked on by a person or by an account.
type ticketRow struct {
	chatlog.Ticket
	account string
}

var ticketFields = []field[ticketRow]{
	idField("merchant", func(r *ticketRow) *ids.Merchant { return &r.Merchant }),
	idField("shop", func(r *ticketRow) *ids.Shop { return &r.Shop }),
	idField("queue", func(r *ticketRow) *ids.Queue { return &r.Queue }),
	textField("id", func(r *ticketRow) *string { return &r.ID }),
	textField("tag", func(r *ticketRow) *string { return &r.Tag }),
	idField("agent", func(r *ticketRow) *ids.Agent { return &r.Agent }),
	textField("account", func(r *ticketRow) *string { return &r.account }),
	textField("buyer", func(r *ticketRow) *string { return &r.Buyer }),
	timeField("opened_at", func(r *ticketRow) *time.Time { return &r.OpenedAt }),
	timeField("due_at", func(r *ticketRow) *time.Time { return &r.DueAt }),
	timeField("closed_at", func(r *ticketRow) *time.Time { return &r.ClosedAt }),
	simulatedField(func(r *ticketRow) *bool { return &r.Simulated }),
}

func ticketTable(bound []*column, o Options) func(*record) (chatlog.Ticket, []fault.Field) {
	fill, d := filler(ticketFields, bound), o.decoder(o.tableHash())
	return func(r *record) (chatlog.Ticket, []fault.Field) {
		var row ticketRow
		if bad := fill(&row, r); bad != nil {
			return chatlog.Ticket{}, bad
		}
		bad := d.SettleTicket(&row.Ticket, row.account)
		return row.Ticket, append(bad, complaints(row.Validate())...)
	}
}

// accountRow is one assignment. Last is the last day it holds, Until the first instant it no longer
// does: lists of people mostly say the former.
type accountRow struct {
	chatlog.Assignment
	last time.Time
}

var accountFields = []field[accountRow]{
	{"platform", func(r *accountRow, _ *column, s string) string { r.Platform = platformName(s); return "" }},
	idField("shop", func(r *accountRow) *ids.Shop { return &r.Shop }),
	textField("account", func(r *accountRow) *string { return &r.Account }),
	idField("agent", func(r *accountRow) *ids.Agent { return &r.Agent }),
	timeField("from", func(r *accountRow) *time.Time { return &r.From }),
	timeField("until", func(r *accountRow) *time.Time { return &r.Until }),
	{"last", func(r *accountRow, c *column, s string) (problem string) {
		if r.last, problem = c.moment(s); problem == "" && r.last.Hour()+r.last.Minute()+r.last.Second()+r.last.Nanosecond() > 0 {
			problem = "is the last day, without a time of day; until is the first instant after it"
		}
		return problem
	}},
}

func accountTable(bound []*column, _ Options) func(*record) (chatlog.Assignment, []fault.Field) {
	fill := filler(accountFields, bound)
	return func(r *record) (chatlog.Assignment, []fault.Field) {
		var row accountRow
		if bad := fill(&row, r); bad != nil {
			return chatlog.Assignment{}, bad
		}
		if !row.last.IsZero() {
			if !row.Until.IsZero() {
				return row.Assignment, []fault.Field{{Path: "last", Problem: "is given together with until: last is the last day, until the instant after it"}}
			}
			row.Until = row.last.AddDate(0, 0, 1)
		}
		row.From, row.Until = utc(row.From), utc(row.Until)
		return row.Assignment, complaints(row.Validate())
	}
}

func idField[R any, ID ~string](name string, at func(*R) *ID) field[R] {
	return field[R]{name, func(row *R, _ *column, s string) string { *at(row) = ID(s); return "" }}
}

func simulatedField[R any](at func(*R) *bool) field[R] {
	return field[R]{"simulated", func(row *R, _ *column, s string) (problem string) {
		*at(row), problem = truth(s)
		return problem
	}}
}

func complaints(err error) []fault.Field {
	if err == nil {
		return nil
	}
	return fault.Of(err).Fields
}

// words are what exports call values: word -> value.
type words[T ~string] map[string]T

func wordsFor[T ~string](named map[T][]string) words[T] {
	w := words[T]{}
	for value, names := range named {
		for _, name := range names {
			w[name] = value
		}
	}
	return w
}

// find takes the value that a word stands for; another word stays, in lower case, for Validate to judge
// or the mapping to map.
func (w words[T]) find(s string) T {
	if value, ok := w[s]; ok {
		return value
	}
	return T(strings.ToLower(s))
}

var senders = wordsFor(map[chatlog.EventKind][]string{
	chatlog.BuyerMessage: {"买家", "客户", "顾客", "用户", "访客", "消费者", "买家消息", "客户消息"},
	chatlog.AgentMessage: {"客服", "人工", "人工客服", "卖家", "商家", "客服消息"},
	chatlog.BotMessage:   {"机器人", "智能客服", "机器人客服", "店小蜜", "机器人消息"},
	chatlog.Welcome:      {"系统", "系统消息", "欢迎语", "自动欢迎", "自动回复", "快捷欢迎"},
	chatlog.Handover:     {"转人工", "进入人工", "接入人工", "人工接入"},
	chatlog.Transfer:     {"转接", "转交", "会话转接"},
	chatlog.RatingGiven:  {"评价", "满意度评价"},
	chatlog.Ended:        {"结束", "会话结束", "关闭会话"},
})

func senderKind(s string) chatlog.EventKind { return senders.find(s) }

var steps = wordsFor(map[chatlog.OrderKind][]string{
	chatlog.Inquiry:  {"询单", "咨询", "售前咨询"},
	chatlog.Ordered:  {"下单", "拍下", "提交订单"},
	chatlog.Paid:     {"付款", "支付", "成团"},
	chatlog.Shipped:  {"发货", "出库"},
	chatlog.Refunded: {"退款", "退货退款"},
})

func stepKind(s string) chatlog.OrderKind { return steps.find(s) }

var platforms = wordsFor(map[string][]string{
	"tmall": {"天猫"}, "taobao": {"淘宝"}, "jd": {"京东"}, "pdd": {"拼多多"}, "douyin": {"抖音", "抖店"}, "kuaishou": {"快手"}, "other": {"其他"},
})

func platformName(s string) string { return platforms.find(s) }
