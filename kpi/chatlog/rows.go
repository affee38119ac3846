package chatlog

import (
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// ConversationRow is one row of a call log or session export after its cells were read: typed
// values under the canonical field names, pointers for "the file may not say". Field names in
// problems are the JSON names of Conversation, and "wait" and "answered" for the two that only
// rows have.
type ConversationRow struct {
	Merchant, Shop, Queue, ID, Channel, Agent, Buyer string

	StartedAt, AnsweredAt, EndedAt time.Time
	BotAnsweredAt                  time.Time // first reply by a bot; may come before StartedAt

	Wait       *time.Duration // from StartedAt to the first human answer, instead of AnsweredAt
	HandleTime *time.Duration
	Answered   *bool
	Abandoned  *bool
	Resolved   *bool
	Rating     *int

	AgentMessages, BuyerMessages int
	Simulated                    bool
}

// Conversation builds the event, or says what is wrong with the row.
//
//   - Answered = false wins over a wait of 0 that exports print for lost calls; a wait or
//     answered_at counts as answered when Answered is not given.
//   - A call that nobody answered is abandoned unless the row says otherwise. An unanswered
//     chat is abandoned only when the row says so.
//   - EndedAt defaults to the answer plus the handling time.
//   - A call gets its one round. A chat row gets none: a session export does not tell the
//     rounds, and taking the first response for all of them would flatter the average.
//   - Without id, the id is the ContentID.
func (r *ConversationRow) Conversation() (Conversation, []fault.Field) {
	var p problems
	c := Conversation{
		Merchant: ids.Merchant(r.Merchant), Shop: ids.Shop(r.Shop), Queue: ids.Queue(r.Queue),
		ID: r.ID, Channel: r.Channel, Agent: ids.Agent(r.Agent), Buyer: r.Buyer,
		StartedAt: r.StartedAt, AnsweredAt: r.AnsweredAt, EndedAt: r.EndedAt, BotAnsweredAt: r.BotAnsweredAt,
		Resolved: r.Resolved, Rating: r.Rating,
		AgentMessages: r.AgentMessages, BuyerMessages: r.BuyerMessages, Simulated: r.Simulated,
	}
	if c.Channel == "" {
		c.Channel = Chat
	}
	r.answer(&c, &p)
	if c.EndedAt.IsZero() && !c.AnsweredAt.IsZero() && c.HandleTime > 0 {
		c.EndedAt = c.AnsweredAt.Add(c.HandleTime)
	}
	if c.Channel == Call && !c.StartedAt.IsZero() {
		c.Rounds = []Round{{OpenedAt: c.StartedAt, AnsweredAt: c.AnsweredAt}}
		if !c.AnsweredAt.IsZero() {
			c.Rounds[0].Agent = c.Agent
		}
	}
	if c.ID == "" {
		c.ID = c.ContentID()
	}
	return c, append(p, c.rowProblems()...)
}

// answer decides whether, and when, the row was answered.
func (r *ConversationRow) answer(c *Conversation, p *problems) {
	if r.HandleTime != nil {
		p.length("handle_time", *r.HandleTime, MaxHandle)
	}
	if r.Wait != nil {
		p.length("wait", *r.Wait, MaxSpan)
	}
	if r.Answered != nil && !*r.Answered {
		c.AnsweredAt = time.Time{}
		c.Abandoned = c.Channel == Call
		if r.Abandoned != nil {
			c.Abandoned = *r.Abandoned
		}
		return
	}
	if r.HandleTime != nil {
		c.HandleTime = *r.HandleTime
	}
	if c.AnsweredAt.IsZero() && r.Wait != nil && !c.StartedAt.IsZero() {
		c.AnsweredAt = c.StartedAt.Add(*r.Wait)
	}
	switch {
	case r.Answered != nil && c.AnsweredAt.IsZero() && !c.StartedAt.IsZero():
		p.add("answered", "", "says yes, but neither wait nor answered_at is given")
	case r.Abandoned != nil:
		c.Abandoned = *r.Abandoned
	default:
		c.Abandoned = c.Channel == Call && c.AnsweredAt.IsZero()
	}
}

// rowProblems leaves out what the row already reported under the name the file knows.
func (c *Conversation) rowProblems() []fault.Field {
	all := c.problems()
	kept := all[:0]
	for _, f := range all {
		if f.Path == "handle_time" || f.Path == "rounds[0].answered_at" {
			continue
		}
		kept = append(kept, f)
	}
	return kept
}

// StateRow is one row of an agent-state log. End or Length is given.
type StateRow struct {
	Agent, State string
	Start, End   time.Time
	Length       *time.Duration
	Simulated    bool
}

// AgentState builds the event, or says what is wrong with the row.
func (r *StateRow) AgentState() (AgentState, []fault.Field) {
	s := AgentState{Agent: ids.Agent(r.Agent), State: State(r.State), Start: r.Start, End: r.End, Simulated: r.Simulated}
	if s.End.IsZero() && r.Length != nil && !s.Start.IsZero() {
		if *r.Length <= 0 || *r.Length > MaxSpan {
			return s, []fault.Field{{Path: "length", Value: r.Length.String(), Problem: "must be above 0 and at most " + plain(MaxSpan)}}
		}
		s.End = s.Start.Add(*r.Length)
	}
	return s, s.problems()
}

// ContactsRow is one row of a contact history.
type ContactsRow struct {
	Merchant, Queue string
	Start           time.Time // on the local clock of its location
	Slot            time.Duration
	Offered         *float64
	HandleTime      time.Duration
	Simulated       bool
}

// Contacts builds the event, or says what is wrong with the row. The start must lie on the
// grid of the slot on the local clock, because a shifted grid counts contacts in the wrong slot.
func (r *ContactsRow) Contacts() (Contacts, []fault.Field) {
	c := Contacts{
		Merchant: ids.Merchant(r.Merchant), Queue: ids.Queue(r.Queue), Start: r.Start, Slot: r.Slot,
		HandleTime: r.HandleTime, Simulated: r.Simulated,
	}
	var p problems
	if r.Offered == nil {
		p.add("offered", "", "is missing: write 0 for an open slot without contacts and leave closed slots out")
	} else {
		c.Offered = *r.Offered
	}
	if validSlot(c.Slot) && !c.Start.IsZero() && !aligned(c.Start, c.Slot) {
		p.add("start", c.Start.Format(time.DateTime), "is not on the grid of %s slots", c.Slot)
	}
	c.Start = c.Start.UTC()
	if r.Start.IsZero() {
		c.Start = time.Time{}
	}
	return c, append(p, c.problems()...)
}

func aligned(t time.Time, slot time.Duration) bool {
	h, m, s := t.Clock()
	wall := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(t.Nanosecond())
	return wall%slot == 0
}
