package chatlog

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Timeline is one conversation as a metric sees it: what its header and its events say together.
// Events are in order of instant (to the millisecond), kind and key, ratings and ends left out.
type Timeline struct {
	Conversation         // without Rounds; StartedAt, Agent, Buyer, Shop and Queue are settled here
	Events       []Event // Handover to AgentMessage
	Detailed     bool    // every round is known; false when a log only tells the first response
}

// Assemble puts a header and events of one conversation together. header may be nil, events may be
// empty, not both. The rules, which the warehouse's SQL repeats:
//
//   - Messages win over the rounds of a header. A header without messages becomes events: each
//     round a buyer message and its reply; without rounds one buyer message at the start and the
//     first reply. BotAnsweredAt becomes a bot message.
//   - Without a header the conversation starts at the first handover, else the first buyer message,
//     else the first event; shop and queue are those of the first event, the buyer the first one
//     that an event names, the agent who wrote first, else the first receiver of a transfer.
//   - The latest rating event wins over the header's rating.
//   - The channel is the header's; a conversation known from events alone is a chat.
//   - It ended at the header's end, else at the last end event. Without a header it is abandoned
//     when it ended and no person replied.
func Assemble(header *Conversation, events []Event) Timeline {
	var t Timeline
	sorted := slices.Clone(events)
	slices.SortFunc(sorted, compareEvents)
	if header != nil {
		t.Conversation = *header
	} else {
		t.Conversation = headerOf(sorted)
	}
	for _, e := range sorted {
		switch e.Kind {
		case RatingGiven:
			score := e.Score
			t.Rating = &score
		case Ended:
			if header == nil || header.EndedAt.IsZero() {
				t.EndedAt = e.At
			}
		default:
			t.Events = append(t.Events, e)
		}
	}
	t.Detailed = len(t.Events) > 0 || len(t.Rounds) > 0
	if len(t.Events) == 0 {
		t.Events = eventsOf(&t.Conversation)
	} else if header != nil {
		settle(&t, header)
	}
	if header == nil {
		t.Abandoned = !t.EndedAt.IsZero() && t.AnsweredAt.IsZero()
	}
	t.Rounds = nil
	return t
}

// Asked reports whether somebody wanted something: a buyer wrote or entered the human stage, or it is a call. A chat
// that an agent or a robot began and no buyer took up is nobody's demand: it is not offered. Of a conversation whose
// messages nobody knows its header is believed.
func (t Timeline) Asked() bool {
	return t.Channel == Call || slices.ContainsFunc(t.Events, func(e Event) bool { return e.Kind == BuyerMessage || e.Kind == Handover })
}

// compareEvents orders by instant, kind and key: the key and not the id, since the key is what is stored.
func compareEvents(a, b Event) int {
	if c := cmp.Compare(a.At.UnixMilli(), b.At.UnixMilli()); c != 0 {
		return c
	}
	if c := cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind)); c != 0 {
		return c
	}
	return cmp.Compare(a.Key(), b.Key())
}

// KeyID is the id of an event of which only the key is known: "#" and 16 hex digits.
func KeyID(key uint64) string { return fmt.Sprintf("#%016x", key) }

// settle takes from the messages what they know better than the header: the first reply and how
// many messages there were.
func settle(t *Timeline, header *Conversation) {
	from := headerOf(t.Events)
	t.AnsweredAt = firstReply(t.Events, header.StartedAt)
	t.AgentMessages, t.BuyerMessages = from.AgentMessages, from.BuyerMessages
	t.Agent, t.Buyer = cmp.Or(header.Agent, from.Agent), cmp.Or(header.Buyer, from.Buyer)
}

// headerOf is what events alone say about their conversation. They are in order.
func headerOf(events []Event) Conversation {
	c := Conversation{Channel: Chat}
	if len(events) == 0 {
		return c
	}
	first := events[0]
	c.Merchant, c.Shop, c.Queue, c.ID, c.Simulated = first.Merchant, first.Shop, first.Queue, first.Conversation, first.Simulated
	c.StartedAt = cmp.Or(firstOf(events, Handover), firstOf(events, BuyerMessage), first.At)
	var receiver Event // of the first transfer
	for _, e := range events {
		c.Buyer = cmp.Or(c.Buyer, e.Buyer)
		switch e.Kind {
		case BuyerMessage:
			c.BuyerMessages++
		case Transfer:
			if receiver.Agent == "" {
				receiver = e
			}
		case AgentMessage:
			c.AgentMessages++
			c.Agent = cmp.Or(c.Agent, e.Agent)
		}
	}
	c.Agent = cmp.Or(c.Agent, receiver.Agent)
	c.AnsweredAt = firstReply(events, c.StartedAt)
	return c
}

// firstReply is the first message of a person at or after the start; what a person wrote before the
// buyer entered the human stage is no reply.
func firstReply(events []Event, start time.Time) time.Time {
	for _, e := range events {
		if e.Kind == AgentMessage && !e.At.Before(start) {
			return e.At
		}
	}
	return time.Time{}
}

func firstOf(events []Event, kind EventKind) time.Time {
	for _, e := range events {
		if e.Kind == kind {
			return e.At
		}
	}
	return time.Time{}
}

// eventsOf makes events of a header that came without messages.
func eventsOf(c *Conversation) []Event {
	var out []Event
	add := func(at time.Time, kind EventKind, e Event) {
		e.Merchant, e.Shop, e.Queue, e.Conversation, e.At, e.Kind = c.Merchant, c.Shop, c.Queue, c.ID, at, kind
		out = append(out, e)
	}
	if !c.BotAnsweredAt.IsZero() {
		add(c.BotAnsweredAt, BotMessage, Event{})
	}
	for _, r := range c.Rounds {
		add(r.OpenedAt, BuyerMessage, Event{})
		if !r.AnsweredAt.IsZero() {
			add(r.AnsweredAt, AgentMessage, Event{Agent: cmp.Or(r.Agent, c.Agent)})
		}
	}
	if len(c.Rounds) == 0 {
		add(c.StartedAt, BuyerMessage, Event{})
		if !c.AnsweredAt.IsZero() {
			add(c.AnsweredAt, AgentMessage, Event{Agent: c.Agent})
		}
	}
	slices.SortStableFunc(out, compareEvents)
	return out
}
