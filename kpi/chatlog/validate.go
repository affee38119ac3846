package chatlog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Plausibility limits: beyond them a value is a mistake of unit or column, not a fact.
const (
	MaxHandle   = 24 * time.Hour      // talk or active handling time of one conversation
	MaxSpan     = 31 * 24 * time.Hour // wait, length of a conversation, length of a state
	MaxRounds   = 10_000
	MaxMessages = 1_000_000
	MaxOffered  = 1e7 // contacts in one slot
	maxID       = 128 // bytes of a conversation id or buyer hash
)

// The channels.
const (
	Chat = "chat"
	Call = "call"
)

// first and last instants a log may name.
var (
	earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

type problems []fault.Field

func (p *problems) add(path, value, format string, args ...any) {
	*p = append(*p, fault.Field{Path: path, Value: value, Problem: fmt.Sprintf(format, args...)})
}

func (p *problems) id(path, s string, optional bool) {
	if optional && s == "" {
		return
	}
	if problem := ids.Check(s); problem != "" {
		p.add(path, s, "%s", problem)
	}
}

func (p *problems) instant(path string, t time.Time) bool {
	if t.IsZero() {
		p.add(path, "", "is missing")
		return false
	}
	if t.Before(earliest) || !t.Before(latest) {
		p.add(path, t.Format(time.RFC3339), "must lie between 2000 and 2100")
		return false
	}
	return true
}

func (p *problems) length(path string, d, limit time.Duration) {
	switch {
	case d < 0:
		p.add(path, d.String(), "is negative")
	case d > limit:
		p.add(path, d.String(), "is longer than %s", plain(limit))
	}
}

func plain(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return fmt.Sprintf("%d hours", d/time.Hour)
}

// Validate reports every bad field. Errors: conversation.invalid.
func (c Conversation) Validate() error {
	return fault.Bad("conversation.invalid", "conversation", c.problems())
}

func (c *Conversation) problems() []fault.Field {
	var p problems
	p.id("merchant", string(c.Merchant), false)
	p.id("shop", string(c.Shop), true)
	p.id("queue", string(c.Queue), false)
	p.id("agent", string(c.Agent), true)
	p.plain("id", c.ID, maxID, false)
	p.plain("buyer", c.Buyer, maxID, true)
	if c.Channel != Chat && c.Channel != Call {
		p.add("channel", c.Channel, "must be chat or call")
	}
	if c.Rating != nil && (*c.Rating < 1 || *c.Rating > 5) {
		p.add("rating", fmt.Sprint(*c.Rating), "must be from 1 to 5")
	}
	if c.AgentMessages < 0 || c.AgentMessages > MaxMessages {
		p.add("agent_messages", fmt.Sprint(c.AgentMessages), "must be from 0 to %d", MaxMessages)
	}
	if c.BuyerMessages < 0 || c.BuyerMessages > MaxMessages {
		p.add("buyer_messages", fmt.Sprint(c.BuyerMessages), "must be from 0 to %d", MaxMessages)
	}
	p.length("handle_time", c.HandleTime, MaxHandle)
	c.checkTimes(&p)
	return p
}

func (c *Conversation) checkTimes(p *problems) {
	if !p.instant("started_at", c.StartedAt) {
		return
	}
	if !c.AnsweredAt.IsZero() && p.instant("answered_at", c.AnsweredAt) {
		p.span("answered_at", "started_at", c.StartedAt, c.AnsweredAt)
		if c.Abandoned {
			p.add("abandoned", "true", "contradicts answered_at: an answered conversation is not abandoned")
		}
	}
	if !c.EndedAt.IsZero() && p.instant("ended_at", c.EndedAt) {
		p.span("ended_at", "started_at", c.StartedAt, c.EndedAt)
		if c.EndedAt.Before(c.AnsweredAt) {
			p.add("ended_at", c.EndedAt.Format(time.RFC3339), "is before answered_at")
		}
	}
	if !c.BotAnsweredAt.IsZero() && p.instant("bot_answered_at", c.BotAnsweredAt) {
		if d := c.BotAnsweredAt.Sub(c.StartedAt); d > MaxSpan || d < -MaxSpan {
			p.add("bot_answered_at", c.BotAnsweredAt.Format(time.RFC3339), "is more than %s from started_at", plain(MaxSpan))
		}
	}
	if len(c.Rounds) > MaxRounds {
		p.add("rounds", fmt.Sprint(len(c.Rounds)), "has more than %d rounds", MaxRounds)
		return
	}
	last := c.StartedAt
	for i, r := range c.Rounds {
		c.checkRound(p, i, r, last)
		last = r.OpenedAt
	}
}

func (c *Conversation) checkRound(p *problems, i int, r Round, last time.Time) {
	// The path is only built for a bad round: good rounds are the hot path of an import.
	at := func(name string) string { return fmt.Sprintf("rounds[%d].%s", i, name) }
	if r.OpenedAt.Before(last) {
		p.add(at("opened_at"), r.OpenedAt.Format(time.RFC3339), "is before started_at or the round before it")
	}
	if d := r.OpenedAt.Sub(c.StartedAt); d > MaxSpan {
		p.add(at("opened_at"), r.OpenedAt.Format(time.RFC3339), "is more than %s after started_at", plain(MaxSpan))
	}
	if !r.AnsweredAt.IsZero() && (r.AnsweredAt.Before(r.OpenedAt) || r.AnsweredAt.Sub(r.OpenedAt) > MaxSpan) {
		p.add(at("answered_at"), r.AnsweredAt.Format(time.RFC3339), "is before opened_at or more than %s after it", plain(MaxSpan))
	}
	if r.Agent != "" && ids.Check(string(r.Agent)) != "" {
		p.id(at("agent"), string(r.Agent), true)
	}
}

// span checks start <= end <= start + MaxSpan and blames the end.
func (p *problems) span(path, start string, from, to time.Time) {
	switch {
	case to.Before(from):
		p.add(path, to.Format(time.RFC3339), "is before %s", start)
	case to.Sub(from) > MaxSpan:
		p.add(path, to.Format(time.RFC3339), "is more than %s after %s", plain(MaxSpan), start)
	}
}

// Validate reports every bad field. Errors: state.invalid.
func (s AgentState) Validate() error {
	return fault.Bad("state.invalid", "agent state", s.problems())
}

// States in the order they are listed to people.
var States = []State{Ready, Busy, OnBreak, Training, Offline}

func (s *AgentState) problems() []fault.Field {
	var p problems
	p.id("agent", string(s.Agent), false)
	switch s.State {
	case Ready, Busy, OnBreak, Training, Offline:
	default:
		p.add("state", string(s.State), "must be one of %s", fault.Names(States))
	}
	okStart, okEnd := p.instant("start", s.Start), p.instant("end", s.End)
	if okStart && okEnd {
		p.span("end", "start", s.Start, s.End)
		if s.End.Equal(s.Start) {
			p.add("end", s.End.Format(time.RFC3339), "is the same instant as start")
		}
	}
	return p
}

// Validate reports every bad field. Errors: contacts.invalid.
func (c Contacts) Validate() error {
	return fault.Bad("contacts.invalid", "contact history", c.problems())
}

func (c *Contacts) problems() []fault.Field {
	var p problems
	p.id("merchant", string(c.Merchant), false)
	p.id("queue", string(c.Queue), false)
	p.instant("start", c.Start)
	if !validSlot(c.Slot) {
		p.add("slot", c.Slot.String(), "must be 5 to 60 minutes and divide the hour, or 24 hours")
	}
	if math.IsNaN(c.Offered) || c.Offered < 0 || c.Offered > MaxOffered {
		p.add("offered", fmt.Sprint(c.Offered), "must be from 0 to %.0f", MaxOffered)
	}
	p.length("handle_time", c.HandleTime, MaxHandle)
	return p
}

func validSlot(d time.Duration) bool {
	return d == 24*time.Hour || d >= 5*time.Minute && d <= time.Hour && time.Hour%d == 0
}

// ContentID is the id of a conversation whose file gives none: "h:" and 128 bits of the
// SHA-256 of its canonical JSON without id. Importing the same row again gives the same id;
// two rows of a file that are equal in every field are one conversation.
func (c Conversation) ContentID() string {
	c.ID = ""
	b, err := json.Marshal(c)
	if err != nil {
		// Only a time outside years 0..9999 cannot be written; Validate refuses it.
		b = fmt.Appendf(nil, "%+v", c)
	}
	sum := sha256.Sum256(b)
	return "h:" + hex.EncodeToString(sum[:16])
}
