package casefile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// block is a conversation that is being read.
type block struct {
	conversation chatlog.Conversation
	header       bool // it has one
	events       []chatlog.Event
	repeat       int
	step         time.Duration
}

// conversation reads "NAME buyer=b1 started=... repeat=100 step=1m".
func (p *parser) conversation(rest string) {
	c := &p.cases[len(p.cases)-1]
	words := strings.Fields(rest)
	if len(words) == 0 {
		p.problem("", "a conversation needs a name")
		return
	}
	o := p.options(words[1:], "merchant", "shop", "queue", "agent", "buyer", "started", "answered", "bot_answered", "ended",
		"rating", "abandoned", "channel", "repeat", "step")
	b := &block{repeat: 1, conversation: chatlog.Conversation{
		Merchant: ids.Merchant(defaults(o["merchant"], someMerchant)), Shop: ids.Shop(defaults(o["shop"], someShop)),
		Queue: ids.Queue(defaults(o["queue"], someQueue)), Agent: ids.Agent(o["agent"]), Buyer: o["buyer"], ID: words[0], Channel: defaults(o["channel"], chatlog.Chat),
		StartedAt: p.instant(o["started"], c.Zone), AnsweredAt: p.instant(o["answered"], c.Zone),
		BotAnsweredAt: p.instant(o["bot_answered"], c.Zone), EndedAt: p.instant(o["ended"], c.Zone), Abandoned: o["abandoned"] == "true",
	}}
	b.header = !b.conversation.StartedAt.IsZero()
	if rating, ok := o["rating"]; ok {
		score := p.number(rating)
		b.conversation.Rating = &score
	}
	for _, name := range []string{"answered", "bot_answered", "ended", "rating", "abandoned", "agent", "channel"} {
		if _, said := o[name]; said && !b.header {
			p.problem(name+"=", "belongs to a header, which needs started=")
		}
	}
	p.repetition(b, o)
	p.open = b
}

func (p *parser) repetition(b *block, o map[string]string) {
	if _, ok := o["repeat"]; !ok {
		if step, ok := o["step"]; ok {
			p.problem(step, "needs repeat=")
		}
		return
	}
	var err error
	b.repeat = p.number(o["repeat"])
	b.step, err = time.ParseDuration(defaults(o["step"], "0s"))
	if b.repeat < 1 || b.repeat > maxRepeat || err != nil || b.step < 0 || b.step > 366*24*time.Hour {
		p.problem(o["repeat"], "must be from 1 to %d, with a step like 1m or 24h", maxRepeat)
		b.repeat = 1
	}
	if b.repeat > 1 && !strings.Contains(b.conversation.ID, "#") {
		p.problem(b.conversation.ID, "a repeated conversation needs a # in its name")
	}
}

// flush ends the conversation that is being read: it and its repetitions join the case.
func (p *parser) flush() {
	b := p.open
	p.open = nil
	if b == nil {
		return
	}
	c := &p.cases[len(p.cases)-1]
	for n := range b.repeat {
		h, events := b.copy(n)
		if b.header {
			p.check(h.Validate())
			c.Conversations = append(c.Conversations, h)
		} else if len(events) == 0 {
			p.problem(h.ID, "has neither a header nor messages")
		}
		c.Events = append(c.Events, events...)
	}
}

// copy is the n-th repetition of a block.
func (b *block) copy(n int) (chatlog.Conversation, []chatlog.Event) {
	number := strconv.Itoa(n + 1)
	shift := time.Duration(n) * b.step
	move := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.Add(shift)
	}
	h := b.conversation
	h.ID, h.Buyer = strings.ReplaceAll(h.ID, "#", number), strings.ReplaceAll(h.Buyer, "#", number)
	h.StartedAt, h.AnsweredAt, h.BotAnsweredAt, h.EndedAt = move(h.StartedAt), move(h.AnsweredAt), move(h.BotAnsweredAt), move(h.EndedAt)
	h.Rounds = slices.Clone(h.Rounds)
	for i, r := range h.Rounds {
		h.Rounds[i].OpenedAt, h.Rounds[i].AnsweredAt = move(r.OpenedAt), move(r.AnsweredAt)
	}
	events := slices.Clone(b.events)
	for i := range events {
		e := &events[i]
		e.Conversation, e.At = h.ID, move(e.At)
		if e.Kind == chatlog.BuyerMessage {
			e.Buyer = h.Buyer
		}
	}
	return h, events
}

// round reads "2021-11-01T10:10:15 2021-11-01T10:12:00 agent:NAME" of a header.
func (p *parser) round(c *Case, rest string) {
	words := strings.Fields(rest)
	if p.open == nil || !p.open.header || len(words) < 2 || len(words) > 3 {
		p.problem(rest, "must be: round OPENED ANSWERED [agent:NAME], in a conversation with started=")
		return
	}
	r := chatlog.Round{OpenedAt: p.instant(words[0], c.Zone), AnsweredAt: p.instant(words[1], c.Zone)}
	if len(words) == 3 {
		agent, ok := strings.CutPrefix(words[2], "agent:")
		if !ok {
			p.problem(words[2], "must be agent:NAME")
		}
		r.Agent = ids.Agent(agent)
	}
	p.open.conversation.Rounds = append(p.open.conversation.Rounds, r)
}

// orderKinds are the senders that are steps of an order.
var orderKinds = []chatlog.OrderKind{chatlog.Inquiry, chatlog.Ordered, chatlog.Paid, chatlog.Shipped, chatlog.Refunded}

// event reads "2021-11-01 10:10:15 SENDER text" of a conversation, or a step of an order.
func (p *parser) event(c *Case, line string) {
	words := strings.Fields(line)
	if len(words) < 3 {
		p.problem(line, "is no statement; a message is like: 2021-11-01 10:10:15 buyer 在吗")
		return
	}
	at := p.instant(words[0]+"T"+words[1], c.Zone)
	if at.IsZero() {
		return
	}
	if kind := chatlog.OrderKind(words[2]); slices.Contains(orderKinds, kind) {
		p.order(c, at, kind, words[3:])
		return
	}
	if p.open == nil {
		p.problem(line, "is a message, but no conversation is open")
		return
	}
	b := p.open
	e := chatlog.Event{
		Merchant: b.conversation.Merchant, Shop: b.conversation.Shop, Queue: b.conversation.Queue,
		Conversation: b.conversation.ID, ID: fmt.Sprintf("%04d", len(b.events)+1), At: at, Text: strings.Join(words[3:], " "),
	}
	if p.sender(&e, words[2]) {
		p.check(e.Validate())
		b.events = append(b.events, e)
	}
}

// sender reads who sent a message, and reports whether it could.
func (p *parser) sender(e *chatlog.Event, word string) bool {
	name, value, hasValue := strings.Cut(word, ":")
	e.Kind = chatlog.EventKind(name)
	switch {
	case word == "buyer", word == "buyer(closing)":
		e.Kind = chatlog.BuyerMessage
		e.Closing = word == "buyer(closing)" || p.closing.Closes(e.Text)
	case name == "agent" || name == "transfer":
		e.Agent = ids.Agent(value)
		if ids.Check(value) != "" {
			p.problem(word, "must name a person, like agent:xiaomei")
			return false
		}
	case name == "rating" && hasValue:
		if e.Score = p.number(value); e.Score < 1 || e.Score > 5 {
			p.problem(word, "must be a rating from 1 to 5")
			return false
		}
	case hasValue || !slices.Contains([]string{"bot", "welcome", "handover", "end"}, name):
		p.problem(word, "must be buyer, buyer(closing), agent:NAME, bot, welcome, transfer:NAME, handover, rating:5 or end")
		return false
	}
	return true
}
