package demo

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

// What the simulator leaves open is drawn per conversation from its own number, so that the demo
// does not depend on the order in which conversations end.
const (
	botShare     = 0.3  // of conversations greeted by a bot that tries to help
	closingShare = 0.8  // of last turns with a line to spare that end with 谢谢
	returning    = 5    // every fifth conversation is a buyer of a moment ago
	payShare     = 0.42 // of answered pre-sale buyers that pay
	lateShare    = 0.15 // of payments one to three days after the inquiry
	refundShare  = 0.08 // of payments
	ticketShare  = 0.12 // of after-sale conversations
)

// draw is the private source of chance of one conversation.
func draw(c *simulate.Conversation) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(c.Queue)<<32|uint64(c.Number)))
}

// buyer is the (already hashed) buyer of a conversation; some come back.
func buyer(c *simulate.Conversation) string {
	number := c.Number
	if number%returning == returning-1 {
		number -= returning - 2
	}
	return fmt.Sprintf("sim-%x", number*7919+c.Queue)
}

// events appends the messages of a conversation: a welcome at once, at times a bot, the turns of buyer
// and agent, the transfer, and a thank-you that asks for nothing.
func (w *world) events(out []chatlog.Event, c *simulate.Conversation, head chatlog.Conversation, start time.Time) []chatlog.Event {
	chance, first, swapped := draw(c), len(out), w.swapped()
	add := func(at time.Duration, e chatlog.Event) {
		e.Merchant, e.Shop, e.Queue, e.Conversation = head.Merchant, head.Shop, head.Queue, head.ID
		e.ID, e.At, e.Simulated = head.ID+"-"+strconv.Itoa(len(out)-first), start.Add(at), true
		if e.Agent != "" {
			e.Account = w.account[head.Shop][half(e.At, swapped)][e.Agent]
		}
		if w.texts[head.Merchant] {
			e.Text = text(e, c.Number+len(out))
		}
		out = append(out, e)
	}
	add(c.Arrived, chatlog.Event{Kind: chatlog.Handover, Buyer: head.Buyer})
	add(c.Arrived+300*time.Millisecond, chatlog.Event{Kind: chatlog.Welcome})
	if chance.Float64() < botShare {
		add(c.Arrived+1500*time.Millisecond, chatlog.Event{Kind: chatlog.BotMessage})
	}
	if c.Transferred != simulate.Never && c.Agent >= 0 {
		add(c.Transferred, chatlog.Event{Kind: chatlog.Transfer, Agent: w.agents[c.Agent].ID})
	}
	w.turns(c, chance, add, head.Buyer)
	return out
}

// turns adds what buyer and agents write: a turn's lines come a millisecond apart, and the
// conversation ends with the last of them at the latest.
func (w *world) turns(c *simulate.Conversation, chance *rand.Rand, add func(time.Duration, chatlog.Event), buyer string) {
	for i, r := range c.Rounds {
		answered := r.Answered != simulate.Never
		closing := i == len(c.Rounds)-1 && answered && r.BuyerMessages > 1 && chance.Float64() < closingShare
		asked := r.BuyerMessages
		if closing {
			asked-- // a line of the turn comes after the reply
		}
		for n := range asked {
			add(r.Opened+time.Duration(n)*time.Millisecond, chatlog.Event{Kind: chatlog.BuyerMessage, Buyer: buyer})
		}
		if !answered {
			continue
		}
		for n := range r.AgentMessages {
			add(min(r.Answered+time.Duration(n)*time.Millisecond, c.Ended), chatlog.Event{Kind: chatlog.AgentMessage, Agent: w.agents[r.Agent].ID})
		}
		if closing {
			after := r.Answered + time.Duration(2+chance.IntN(20))*time.Second
			add(min(after, c.Ended), chatlog.Event{Kind: chatlog.BuyerMessage, Buyer: buyer, Closing: true})
		}
	}
}

// half is 0 before an instant and 1 from it on.
func half(at, of time.Time) int {
	if at.Before(of) {
		return 0
	}
	return 1
}

// lines are what the texts of the demo are made of.
var lines = map[chatlog.EventKind][]string{
	chatlog.BuyerMessage: {"在吗", "这款灯多大尺寸适合卧室", "什么时候发货呀", "可以调色温吗", "收到有点划痕怎么办", "能便宜点吗", "支持七天无理由吗", "安装要另外收费吗"},
	chatlog.AgentMessage: {"亲，在的，请问有什么可以帮您", "您说的这款十五平米以内都合适的", "今天下单，明天就能发出", "这边帮您登记，四小时内给您答复", "支持的，配件都在包装里"},
	chatlog.Welcome:      {"您好，欢迎光临，请问有什么可以帮您？"},
	chatlog.BotMessage:   {"您可以回复数字：1 发货时间 2 安装 3 售后，或者输入“人工”。"},
}

// text is what somebody wrote, "" for events without words.
func text(e chatlog.Event, number int) string {
	if e.Closing {
		return "好的谢谢"
	}
	if some := lines[e.Kind]; len(some) > 0 {
		return some[number%len(some)]
	}
	return ""
}

// orders are the inquiry of a pre-sale conversation and what its buyer bought.
func (w *world) orders(c *simulate.Conversation, head chatlog.Conversation) []chatlog.OrderEvent {
	if w.demands[c.Queue].kind == scheduling.AfterSale || head.AnsweredAt.IsZero() {
		return nil
	}
	chance := draw(c)
	step := chatlog.OrderEvent{Merchant: head.Merchant, Shop: head.Shop, Buyer: head.Buyer, Simulated: true}
	inquiry := step
	inquiry.Kind, inquiry.At, inquiry.Order, inquiry.Queue, inquiry.Agent = chatlog.Inquiry, head.StartedAt, head.ID, head.Queue, head.Agent
	out := []chatlog.OrderEvent{inquiry}
	if chance.Float64() >= payShare {
		return out
	}
	step.Order = "order-" + strings.TrimPrefix(head.ID, "sim-")
	wait := time.Duration(chance.ExpFloat64() * float64(25*time.Minute))
	if chance.Float64() < lateShare {
		wait += time.Duration(1+chance.IntN(3)) * 24 * time.Hour
	}
	paid := head.AnsweredAt.Add(wait).Truncate(time.Second)
	for _, s := range []struct {
		kind chatlog.OrderKind
		at   time.Time
	}{{chatlog.Ordered, paid.Add(-20 * time.Second)}, {chatlog.Paid, paid}, {chatlog.Shipped, paid.Add(26 * time.Hour)}} {
		step.Kind, step.At, step.Amount = s.kind, s.at, 0
		if s.kind == chatlog.Paid {
			step.Amount = money.Fen(2900 + 100*chance.IntN(400))
		}
		out = append(out, step)
	}
	if chance.Float64() < refundShare {
		refund := out[2]
		refund.Kind, refund.At = chatlog.Refunded, paid.Add(time.Duration(20+chance.IntN(80))*time.Hour)
		out = append(out, refund)
	}
	return out
}

// tickets are what an after-sale conversation leaves to be done.
func (w *world) tickets(c *simulate.Conversation, head chatlog.Conversation) []chatlog.Ticket {
	chance := draw(c)
	if w.demands[c.Queue].kind != scheduling.AfterSale || head.AnsweredAt.IsZero() || chance.Float64() >= ticketShare {
		return nil
	}
	opened := head.AnsweredAt.Add(time.Minute).Truncate(time.Second)
	t := chatlog.Ticket{
		Merchant: head.Merchant, Shop: head.Shop, Queue: head.Queue, ID: "ticket-" + strings.TrimPrefix(head.ID, "sim-"), Agent: head.Agent, Buyer: head.Buyer,
		Tag: []string{"催发货", "退换货", "价保", "物流异常"}[chance.IntN(4)], OpenedAt: opened, DueAt: opened.Add(4 * time.Hour), Simulated: true,
	}
	if chance.Float64() < 0.98 {
		t.ClosedAt = opened.Add(time.Duration(chance.ExpFloat64() * float64(80*time.Minute))).Truncate(time.Second)
	}
	return []chatlog.Ticket{t}
}
