package chatlog

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/money"
)

// More plausibility limits.
const (
	MaxText   = 64 << 10             // bytes of one message
	MaxTicket = 366 * 24 * time.Hour // from the opening of a ticket to its deadline or its closing
	MaxAmount = money.Fen(1e12)      // of one step of an order: 10 billion yuan
	maxTag    = 64                   // bytes
)

// plain checks a text that people or platforms gave: valid UTF-8 of at most limit bytes, without the
// control characters that no name has.
func (p *problems) plain(path, s string, limit int, optional bool) {
	printable := 0
	for printable < len(s) && s[printable] >= 0x20 && s[printable] < 0x7f {
		printable++
	}
	switch {
	case s == "" && !optional:
		p.add(path, "", "is missing")
	case printable == len(s) && len(s) <= limit: // nearly all
	case len(s) > limit:
		p.add(path, start(s), "is longer than %d bytes", limit)
	case !utf8.ValidString(s):
		p.add(path, start(s), "is not UTF-8 text")
	default:
		for i := range len(s) {
			if s[i] < 0x20 || s[i] == 0x7f {
				p.add(path, s, "has the control character %q at byte %d", s[i], i+1)
				return
			}
		}
	}
}

// start is enough of a text to recognise it in a message.
func start(s string) string { return strings.ToValidUTF8(s[:min(len(s), 160)], "\ufffd") }

// ahead refuses what the clocks of others date later than we can know; latest zero refuses nothing.
func (p *problems) ahead(path string, t, latest time.Time) {
	if !latest.IsZero() && t.After(latest) {
		p.add(path, t.Format(time.RFC3339), "lies in the future (after %s): a clock is ahead or the time zone is wrong", latest.UTC().Format(time.RFC3339))
	}
}

// Validate reports every bad field. Errors: event.invalid.
func (e Event) Validate() error {
	var p problems
	e.check(&p, false)
	return fault.Bad("event.invalid", "event", p)
}

// check adds what is wrong; checked leaves out ids that are known to be good.
func (e *Event) check(p *problems, checked bool) {
	if !checked || e.Merchant == "" || e.Queue == "" {
		p.id("merchant", string(e.Merchant), false)
		p.id("shop", string(e.Shop), true)
		p.id("queue", string(e.Queue), false)
		p.id("agent", string(e.Agent), true)
	}
	if e.Conversation == "" {
		p.add("conversation", "", "is missing; without it buyer must be given")
	} else {
		p.plain("conversation", e.Conversation, maxID, false)
	}
	p.plain("id", e.ID, maxID, false)
	p.instant("at", e.At)
	p.plain("account", e.Account, maxID, true)
	p.plain("buyer", e.Buyer, maxID, true)
	if !slices.Contains(Kinds, e.Kind) {
		p.add("kind", string(e.Kind), "must be one of %s", fault.Names(Kinds))
	}
	if e.Closing && e.Kind != BuyerMessage {
		p.add("closing", "true", "is only for messages of buyers")
	}
	switch {
	case e.Kind == RatingGiven && (e.Score < 1 || e.Score > 5):
		p.add("score", fmt.Sprint(e.Score), "must be from 1 to 5")
	case e.Kind != RatingGiven && e.Score != 0:
		p.add("score", fmt.Sprint(e.Score), "is only for ratings")
	}
	if e.Invited && e.Kind != RatingGiven {
		p.add("invited", "true", "is only for ratings")
	}
	p.message("text", e.Text)
}

// message checks the text of a message, which may have several lines.
func (p *problems) message(path, s string) {
	switch {
	case len(s) > MaxText:
		p.add(path, start(s), "is longer than %d bytes", MaxText)
	case !utf8.ValidString(s):
		p.add(path, start(s), "is not UTF-8 text")
	case strings.IndexByte(s, 0) >= 0:
		p.add(path, start(s), "has a NUL byte at byte %d", strings.IndexByte(s, 0)+1)
	}
}

// Validate reports every bad field. Errors: order.invalid.
func (o OrderEvent) Validate() error {
	return fault.Bad("order.invalid", "step of an order", o.problems())
}

func (o *OrderEvent) problems() []fault.Field {
	var p problems
	p.id("merchant", string(o.Merchant), false)
	p.id("shop", string(o.Shop), false)
	p.id("queue", string(o.Queue), true)
	p.id("agent", string(o.Agent), true)
	p.plain("buyer", o.Buyer, maxID, false)
	p.plain("order", o.Order, maxID, false)
	if !slices.Contains(OrderKinds, o.Kind) {
		p.add("kind", string(o.Kind), "must be one of %s", fault.Names(OrderKinds))
	}
	p.instant("at", o.At)
	switch {
	case o.Amount < 0 || o.Amount > MaxAmount:
		p.add("amount", o.Amount.String(), "must be from 0 to %s yuan; a refund is its kind, not a sign", MaxAmount)
	case o.Amount != 0 && o.Kind == Inquiry:
		p.add("amount", o.Amount.String(), "is not for inquiries")
	}
	return p
}

// Validate reports every bad field. Errors: ticket.invalid.
func (t Ticket) Validate() error {
	return fault.Bad("ticket.invalid", "ticket", t.problems())
}

func (t *Ticket) problems() []fault.Field {
	var p problems
	p.id("merchant", string(t.Merchant), false)
	p.id("shop", string(t.Shop), true)
	p.id("queue", string(t.Queue), false)
	p.id("agent", string(t.Agent), true)
	p.plain("id", t.ID, maxID, false)
	p.plain("tag", t.Tag, maxTag, true)
	p.plain("buyer", t.Buyer, maxID, true)
	if !p.instant("opened_at", t.OpenedAt) {
		return p
	}
	for _, end := range []struct {
		path string
		at   time.Time
	}{{"due_at", t.DueAt}, {"closed_at", t.ClosedAt}} {
		switch {
		case end.at.IsZero() || !p.instant(end.path, end.at):
		case end.at.Before(t.OpenedAt):
			p.add(end.path, end.at.Format(time.RFC3339), "is before opened_at")
		case end.at.Sub(t.OpenedAt) > MaxTicket:
			p.add(end.path, end.at.Format(time.RFC3339), "is more than %s after opened_at", plain(MaxTicket))
		}
	}
	return p
}

// Validate reports every bad field. Errors: assignment.invalid.
func (a Assignment) Validate() error {
	return fault.Bad("assignment.invalid", "assignment of an account", a.problems())
}

func (a *Assignment) problems() []fault.Field {
	var p problems
	p.id("platform", a.Platform, false)
	p.id("shop", string(a.Shop), false)
	p.plain("account", a.Account, maxID, false)
	p.id("agent", string(a.Agent), false)
	if p.instant("from", a.From) && !a.Until.IsZero() && p.instant("until", a.Until) && !a.Until.After(a.From) {
		p.add("until", a.Until.Format(time.RFC3339), "must be after from; it is the first instant that no longer counts")
	}
	return p
}

// Units of a DailyFigure.
var figureUnits = []string{"count", "share", "seconds", "yuan", "ratio"}

// Validate reports every bad field. Errors: figure.invalid.
func (f DailyFigure) Validate() error {
	var p problems
	p.id("platform", f.Platform, false)
	p.id("merchant", string(f.Merchant), false)
	p.id("shop", string(f.Shop), false)
	p.plain("account", f.Account, maxID, true)
	p.id("item", f.Item, false)
	p.plain("header", f.Header, 2*maxID, true)
	if !slices.Contains(figureUnits, f.Unit) {
		p.add("unit", f.Unit, "must be one of %s", fault.Names(figureUnits))
	}
	p.plain("base", f.Base, maxTag, true)
	if d, err := calendar.ParseDate(f.Date); err != nil {
		p.add("date", f.Date, "is not a date like 2026-11-11")
	} else {
		p.instant("date", d.In(time.UTC))
	}
	if math.IsNaN(f.Value) || math.IsInf(f.Value, 0) {
		p.add("value", fmt.Sprint(f.Value), "is not a number")
	}
	return fault.Bad("figure.invalid", "figure of a platform", p)
}

// Ahead says which instants of a conversation lie after latest.
func (c Conversation) Ahead(latest time.Time) []fault.Field {
	var p problems
	p.ahead("started_at", c.StartedAt, latest)
	p.ahead("answered_at", c.AnsweredAt, latest)
	p.ahead("bot_answered_at", c.BotAnsweredAt, latest)
	p.ahead("ended_at", c.EndedAt, latest)
	for i, r := range c.Rounds {
		if r.OpenedAt.After(latest) || r.AnsweredAt.After(latest) {
			p.ahead(fmt.Sprintf("rounds[%d].opened_at", i), r.OpenedAt, latest)
			p.ahead(fmt.Sprintf("rounds[%d].answered_at", i), r.AnsweredAt, latest)
			break // those after it are later still
		}
	}
	return p
}

// Ahead says which instants of a state lie after latest.
func (s AgentState) Ahead(latest time.Time) []fault.Field {
	var p problems
	p.ahead("start", s.Start, latest)
	p.ahead("end", s.End, latest)
	return p
}
