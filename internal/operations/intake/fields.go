package intake

import (
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/kpi/chatlog"
)

// field is one canonical field of a row type: how its text becomes a value.
type field[R any] struct {
	name string
	set  func(row *R, c *column, text string) (problem string)
}

func textField[R any](name string, at func(*R) *string) field[R] {
	return field[R]{name, func(row *R, _ *column, s string) string { *at(row) = s; return "" }}
}

func timeField[R any](name string, at func(*R) *time.Time) field[R] {
	return field[R]{name, func(row *R, c *column, s string) (problem string) { *at(row), problem = c.moment(s); return problem }}
}

func durationField[R any](name string, at func(*R) **time.Duration) field[R] {
	return field[R]{name, func(row *R, c *column, s string) string {
		d, problem := c.duration(s)
		*at(row) = &d
		return problem
	}}
}

func truthField[R any](name string, at func(*R) **bool) field[R] {
	return field[R]{name, func(row *R, _ *column, s string) string {
		b, problem := truth(s)
		*at(row) = &b
		return problem
	}}
}

func wholeField[R any](name string, set func(*R, int)) field[R] {
	return field[R]{name, func(row *R, _ *column, s string) string {
		n, problem := whole(s)
		set(row, n)
		return problem
	}}
}

type callRow = chatlog.ConversationRow

var conversationFields = []field[callRow]{
	textField("merchant", func(r *callRow) *string { return &r.Merchant }),
	textField("shop", func(r *callRow) *string { return &r.Shop }),
	textField("queue", func(r *callRow) *string { return &r.Queue }),
	textField("id", func(r *callRow) *string { return &r.ID }),
	textField("channel", func(r *callRow) *string { return &r.Channel }),
	textField("agent", func(r *callRow) *string { return &r.Agent }),
	textField("buyer", func(r *callRow) *string { return &r.Buyer }),
	timeField("started_at", func(r *callRow) *time.Time { return &r.StartedAt }),
	timeField("answered_at", func(r *callRow) *time.Time { return &r.AnsweredAt }),
	timeField("bot_answered_at", func(r *callRow) *time.Time { return &r.BotAnsweredAt }),
	timeField("ended_at", func(r *callRow) *time.Time { return &r.EndedAt }),
	durationField("wait", func(r *callRow) **time.Duration { return &r.Wait }),
	durationField("handle_time", func(r *callRow) **time.Duration { return &r.HandleTime }),
	truthField("answered", func(r *callRow) **bool { return &r.Answered }),
	truthField("abandoned", func(r *callRow) **bool { return &r.Abandoned }),
	truthField("resolved", func(r *callRow) **bool { return &r.Resolved }),
	wholeField("rating", func(r *callRow, n int) { r.Rating = &n }),
	wholeField("agent_messages", func(r *callRow, n int) { r.AgentMessages = n }),
	wholeField("buyer_messages", func(r *callRow, n int) { r.BuyerMessages = n }),
	{"simulated", func(r *callRow, _ *column, s string) (problem string) {
		r.Simulated, problem = truth(s)
		return problem
	}},
}

type stateRow = chatlog.StateRow

var stateFields = []field[stateRow]{
	textField("agent", func(r *stateRow) *string { return &r.Agent }),
	{"state", func(r *stateRow, _ *column, s string) string { r.State = stateName(s); return "" }},
	timeField("start", func(r *stateRow) *time.Time { return &r.Start }),
	timeField("end", func(r *stateRow) *time.Time { return &r.End }),
	durationField("length", func(r *stateRow) **time.Duration { return &r.Length }),
	{"simulated", func(r *stateRow, _ *column, s string) (problem string) {
		r.Simulated, problem = truth(s)
		return problem
	}},
}

// stateName knows the words that exports use; another word is the mapping's to map.
func stateName(s string) string {
	switch s {
	case "就绪", "空闲", "在线", "示闲":
		return string(chatlog.Ready)
	case "忙碌", "通话", "通话中", "接待中":
		return string(chatlog.Busy)
	case "小休", "休息", "用餐", "示忙":
		return string(chatlog.OnBreak)
	case "培训":
		return string(chatlog.Training)
	case "离线", "签出":
		return string(chatlog.Offline)
	}
	return strings.ToLower(s)
}

type contactsRow = chatlog.ContactsRow

var contactsFields = []field[contactsRow]{
	textField("merchant", func(r *contactsRow) *string { return &r.Merchant }),
	textField("queue", func(r *contactsRow) *string { return &r.Queue }),
	timeField("start", func(r *contactsRow) *time.Time { return &r.Start }),
	{"slot", func(r *contactsRow, c *column, s string) (problem string) {
		r.Slot, problem = c.duration(s)
		return problem
	}},
	{"offered", func(r *contactsRow, _ *column, s string) string {
		f, problem := decimal(s)
		r.Offered = &f
		return problem
	}},
	{"handle_time", func(r *contactsRow, c *column, s string) (problem string) {
		r.HandleTime, problem = c.duration(s)
		return problem
	}},
	{"simulated", func(r *contactsRow, _ *column, s string) (problem string) {
		r.Simulated, problem = truth(s)
		return problem
	}},
}

// agentFields are read as text; scheduling/workforce knows what they mean.
var agentFields = []string{
	"id", "name", "site", "team", "employment", "hired", "left", "until", "concurrency", "wage", "skills", "queue", "level",
	"skill_from", "skill_until", "availability", "conditions",
}

func fieldNames(kind Kind) []string {
	switch kind {
	case Conversations:
		return namesOf(conversationFields)
	case States:
		return namesOf(stateFields)
	case History:
		return namesOf(contactsFields)
	case Events:
		return namesOf(eventFields)
	case Orders:
		return namesOf(orderFields)
	case Tickets:
		return namesOf(ticketFields)
	case Accounts:
		return namesOf(accountFields)
	default:
		return agentFields
	}
}

func namesOf[R any](fields []field[R]) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.name
	}
	return out
}

// usual are the headers a file may have when its mapping names no columns: the canonical name
// itself, and what Chinese exports call it (domain facts, section 7). Units in brackets are
// read from the header.
var usual = map[Kind]map[string][]string{
	Conversations: {
		"merchant": {"商家"}, "shop": {"店铺"}, "queue": {"队列", "技能组"}, "id": {"会话ID", "会话编号", "通话ID"},
		"channel": {"渠道"}, "agent": {"客服", "客服工号"}, "buyer": {"客户", "买家"},
		"started_at": {"会话开始时间", "开始时间", "来电时间"}, "answered_at": {"首次响应时间", "接通时间"}, "ended_at": {"会话结束时间", "结束时间"},
		"bot_answered_at": {"机器人首次响应时间", "机器人首次回复时间"},
		"wait":            {"首次响应时长", "排队时长"}, "handle_time": {"会话时长", "通话时长"}, "answered": {"是否接通"},
		"abandoned": {"是否放弃"}, "resolved": {"是否已解决"}, "rating": {"满意度评分"},
		"agent_messages": {"客服消息数", "客服消息条数"}, "buyer_messages": {"客户消息数", "买家消息条数"},
	},
	States: {
		"agent": {"客服", "工号", "客服工号"}, "state": {"状态"}, "start": {"开始时间"}, "end": {"结束时间"}, "length": {"时长"},
	},
	History: {
		"merchant": {"商家"}, "queue": {"队列"}, "start": {"时间", "开始时间"}, "slot": {"时段长度"}, "offered": {"咨询量", "来电量"}, "handle_time": {"平均处理时长"},
	},
	Agents: {
		"id": {"工号"}, "name": {"姓名"}, "site": {"职场"}, "team": {"班组"}, "employment": {"用工形式"},
		"hired": {"入职日期"}, "left": {"离职日期"}, "concurrency": {"并发数"}, "wage": {"时薪"}, "skills": {"技能"},
		"queue": {"队列"}, "level": {"熟练度"}, "availability": {"可用时段"}, "conditions": {"保护情形"},
	},
	Events: {
		"merchant": {"商家"}, "shop": {"店铺"}, "queue": {"队列", "技能组"}, "conversation": {"会话ID", "会话编号"}, "id": {"消息ID", "消息编号"},
		"at": {"时间", "消息时间", "发送时间", "聊天时间"}, "kind": {"发送方", "发送者", "发送方类型", "发送人类型", "角色", "事件"},
		"agent": {"工号", "客服工号"}, "account": {"客服账号", "子账号", "旺旺昵称", "客服昵称", "客服旺旺", "客服"},
		"buyer": {"买家", "买家昵称", "买家账号", "买家旺旺", "客户", "客户昵称", "顾客"}, "text": {"消息内容", "内容", "聊天内容", "消息"},
		"score": {"评分", "满意度评分"}, "invited": {"是否邀评"}, "closing": {"是否结束语"},
	},
	Orders: {
		"merchant": {"商家"}, "shop": {"店铺"}, "queue": {"队列", "技能组"}, "order": {"订单号", "订单编号", "订单ID"}, "kind": {"步骤", "事件", "类型"},
		"at": {"时间", "发生时间"}, "agent": {"工号", "客服工号"}, "account": {"客服账号", "子账号", "旺旺昵称", "客服"},
		"buyer": {"买家", "买家昵称", "买家账号", "客户"}, "amount": {"金额", "金额(元)"},
	},
	Tickets: {
		"merchant": {"商家"}, "shop": {"店铺"}, "queue": {"队列", "技能组"}, "id": {"工单号", "工单编号", "工单ID"}, "tag": {"标签", "工单类型", "问题类型"},
		"agent": {"工号", "处理人工号", "客服工号"}, "account": {"客服账号", "子账号", "处理人"}, "buyer": {"买家", "买家昵称", "客户"},
		"opened_at": {"创建时间", "提交时间"}, "due_at": {"截止时间", "要求完成时间"}, "closed_at": {"完成时间", "关闭时间", "完结时间"},
	},
	Accounts: {
		"platform": {"平台"}, "shop": {"店铺"}, "account": {"子账号", "客服账号", "旺旺昵称", "账号"}, "agent": {"工号", "客服工号"},
		"from": {"开始时间", "开始日期", "启用时间", "启用日期"}, "until": {"截止时间", "停用时间", "失效时间"}, "last": {"结束日期", "最后日期", "截止日期"},
	},
}

// needed are the fields without which no row can be read, used to recognise a header.
var needed = map[Kind][]string{
	Conversations: {"merchant", "queue", "started_at"},
	States:        {"agent", "state", "start"},
	History:       {"merchant", "queue", "start", "slot", "offered"},
	Agents:        {"id"},
	Events:        {"merchant", "queue", "at", "kind"},
	Orders:        {"merchant", "shop", "buyer", "kind", "at"},
	Tickets:       {"merchant", "queue", "id", "opened_at"},
	Accounts:      {"platform", "shop", "account", "agent", "from"},
}

// bind finds the columns of a header. missing lists, for messages, the headers that the
// mapping names and the file does not have, or the needed fields that no header gives.
func bind(m Mapping, header []string) (bound []*column, missing []string) {
	at := make(map[string]int, len(header))
	for i, h := range header {
		if name := normal(h); name != "" {
			if _, taken := at[name]; !taken {
				at[name] = i
			}
		}
	}
	given := map[string]bool{}
	for _, name := range fieldNames(m.Kind) {
		c := &column{field: name, header: name, noData: m.NoData}
		if text, ok := m.Constants[name]; ok {
			c.text = text
			bound, given[name] = append(bound, c), true
			continue
		}
		spec, mapped := m.Columns[name]
		if !mapped && len(m.Columns) == 0 {
			spec, mapped = usualColumn(m.Kind, name, header, at)
		}
		if !mapped {
			continue
		}
		c.spec, c.header = spec, strings.Join(spec.From, " + ")
		for _, h := range spec.From {
			i, ok := at[normal(h)]
			if !ok {
				missing = append(missing, `"`+h+`"`)
				continue
			}
			c.at = append(c.at, i)
		}
		bound, given[name] = append(bound, c), true
	}
	for _, name := range needed[m.Kind] {
		if !given[name] {
			missing = append(missing, name)
		}
	}
	return bound, missing
}

// usualColumn looks for the canonical or the usual name of a field in a header.
func usualColumn(kind Kind, name string, header []string, at map[string]int) (Column, bool) {
	for _, candidate := range append([]string{name}, usual[kind][name]...) {
		if i, ok := at[normal(candidate)]; ok {
			return Column{From: []string{header[i]}}, true
		}
		for _, u := range unitMarks {
			if i, ok := at[normal(candidate+"("+u.mark+")")]; ok {
				return Column{From: []string{header[i]}, Unit: u.unit}, true
			}
		}
	}
	return Column{}, false
}

var unitMarks = []struct{ mark, unit string }{
	{"s", "s"},
	{"秒", "s"},
	{"seconds", "s"},
	{"min", "min"},
	{"分", "min"},
	{"分钟", "min"},
	{"minutes", "min"},
	{"h", "h"},
	{"小时", "h"},
	{"hours", "h"},
	{"ms", "ms"},
	{"毫秒", "ms"},
}

var headerMarks = strings.NewReplacer("（", "(", "）", ")", " ", "", "_", "")

// normal makes headers comparable: case, spaces, underscores and full-width brackets aside.
func normal(h string) string {
	return headerMarks.Replace(strings.ToLower(cleanHeader(h)))
}

// columnOf finds the bound column of a field.
func columnOf(bound []*column, name string) *column {
	i := slices.IndexFunc(bound, func(c *column) bool { return c.field == name })
	if i < 0 {
		return nil
	}
	return bound[i]
}
