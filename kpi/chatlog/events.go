package chatlog

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// ClockSkew is how far ahead of us the clock of a platform may be before what it dates is refused.
const ClockSkew = 10 * time.Minute

// Decoder reads canonical lines of events, orders, tickets and assignments, and makes of an event as
// it is written the event that is kept. The zero value reads them in UTC and knows nobody. A Decoder
// remembers names it has seen to save memory, so each goroutine needs its own.
type Decoder struct {
	Zone *time.Location // business time zone, for the day of a conversation without id; nil = UTC

	// HashBuyer is the keyed hash of a buyer's name. nil: the lines carry the hash already.
	HashBuyer func(merchant, buyer string) string

	// AgentOf says who used a sub-account at an instant, or why that is not clear. It is asked when an
	// account is named and no agent. nil = nobody.
	AgentOf func(shop ids.Shop, account string, at time.Time) (agent ids.Agent, problem string)

	// Closes marks a buyer's message that only closes, see ClosingRule. nil marks none.
	Closes func(text string) bool

	// Latest is the last instant that anything may have happened, usually now + ClockSkew. zero = 2100.
	Latest time.Time

	names *nameCache
}

// DecodeAssignment reads one line.
func DecodeAssignment(line []byte) (Assignment, []fault.Field) { return (&Decoder{}).Assignment(line) }

// Event reads one line. The fields say everything that is wrong with it.
func (d *Decoder) Event(line []byte) (Event, []fault.Field) {
	var e Event
	bad := d.EventInto(line, &e)
	return e, bad
}

// EventInto is Event into memory of the caller, who reads millions: whatever was in it is gone.
func (d *Decoder) EventInto(line []byte, e *Event) []fault.Field {
	*e = Event{}
	checked, ok := d.quickEvent(line, e)
	if !ok {
		*e, checked = Event{}, false
		if bad := decodeLine(line, e); bad != nil {
			*e = Event{}
			return bad
		}
		e.At = milli(e.At)
	}
	p := problems(d.Settle(e))
	e.check(&p, checked)
	return p
}

// Settle makes the event that is kept of one as it is written: the buyer hashed, the agent of the
// account, the mark of a closing message, the conversation and id where the log has none, the instant
// cut to the millisecond in UTC. The fields say what stands against it; Validate says the rest.
func (d *Decoder) Settle(e *Event) []fault.Field {
	var p problems
	e.At = milli(e.At)
	if d.HashBuyer != nil && e.Buyer != "" {
		e.Buyer = d.HashBuyer(string(e.Merchant), e.Buyer)
	}
	if e.ID == "" {
		e.ID = e.ContentID()
	}
	if e.Conversation == "" && e.Buyer != "" && !e.At.IsZero() {
		e.Conversation = DailyConversation(e.Shop, e.Buyer, e.At, d.Zone)
	}
	if d.Closes != nil && e.Kind == BuyerMessage && !e.Closing && e.Text != "" {
		e.Closing = d.Closes(e.Text)
	}
	e.Agent = d.agent(&p, e.Agent, e.Shop, e.Account, e.At)
	p.ahead("at", e.At, d.Latest)
	return p
}

// agent is who is named, or else who used the account.
func (d *Decoder) agent(p *problems, named ids.Agent, shop ids.Shop, account string, at time.Time) ids.Agent {
	if named != "" || account == "" || d.AgentOf == nil || at.IsZero() {
		return named
	}
	found, problem := d.AgentOf(shop, account, at)
	if problem != "" {
		p.add("account", account, "%s", problem)
	}
	return found
}

// Order reads one line. The fields say everything that is wrong with it.
func (d *Decoder) Order(line []byte) (OrderEvent, []fault.Field) {
	var o OrderEvent
	if bad := decodeLine(line, &o); bad != nil {
		return OrderEvent{}, bad
	}
	bad := d.SettleOrder(&o, "")
	return o, append(bad, o.problems()...)
}

// SettleOrder is Settle of a step of an order. An inquiry without conversation is one per buyer, shop
// and business day. account is the sub-account that served it, when the log names one.
func (d *Decoder) SettleOrder(o *OrderEvent, account string) []fault.Field {
	var p problems
	o.At = milli(o.At)
	if d.HashBuyer != nil && o.Buyer != "" {
		o.Buyer = d.HashBuyer(string(o.Merchant), o.Buyer)
	}
	if o.Kind == Inquiry && o.Order == "" && o.Buyer != "" && !o.At.IsZero() {
		o.Order = DailyConversation(o.Shop, o.Buyer, o.At, d.Zone)
	}
	o.Agent = d.agent(&p, o.Agent, o.Shop, account, o.At)
	p.ahead("at", o.At, d.Latest)
	return p
}

// Ticket reads one line. The fields say everything that is wrong with it.
func (d *Decoder) Ticket(line []byte) (Ticket, []fault.Field) {
	var t Ticket
	if bad := decodeLine(line, &t); bad != nil {
		return Ticket{}, bad
	}
	bad := d.SettleTicket(&t, "")
	return t, append(bad, t.problems()...)
}

// SettleTicket is Settle of a ticket; account is who works on it, by the person at its opening.
func (d *Decoder) SettleTicket(t *Ticket, account string) []fault.Field {
	var p problems
	t.OpenedAt, t.DueAt, t.ClosedAt = milli(t.OpenedAt), milli(t.DueAt), milli(t.ClosedAt)
	if d.HashBuyer != nil && t.Buyer != "" {
		t.Buyer = d.HashBuyer(string(t.Merchant), t.Buyer)
	}
	t.Agent = d.agent(&p, t.Agent, t.Shop, account, t.OpenedAt)
	p.ahead("opened_at", t.OpenedAt, d.Latest)
	p.ahead("closed_at", t.ClosedAt, d.Latest) // a deadline may lie ahead
	return p
}

// Assignment reads one line. The fields say everything that is wrong with it.
func (d *Decoder) Assignment(line []byte) (Assignment, []fault.Field) {
	var a Assignment
	if bad := decodeLine(line, &a); bad != nil {
		return Assignment{}, bad
	}
	a.From, a.Until = utc(a.From), utc(a.Until)
	return a, a.problems()
}

// milli is the instant in UTC, cut to the millisecond: what the warehouse keeps.
func milli(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

// DailyConversation names the conversation of a log that has no session ids: one per buyer, shop and
// business day. It is "d:", the day, and 96 bits of a SHA-256 of shop and buyer; the buyer must be the
// keyed hash. Like Event.Key it is stored, so it must never change.
func DailyConversation(shop ids.Shop, buyer string, at time.Time, zone *time.Location) string {
	if zone == nil {
		zone = time.UTC
	}
	sum := sha256.Sum256([]byte(string(shop) + "\x00" + buyer))
	return "d:" + calendar.DateOf(at, zone).String() + ":" + hex.EncodeToString(sum[:12])
}

// ContentID is the id of an event whose log gives none: 64 bits, in hex, of the SHA-256 of when (to the
// millisecond), what, by which account (else which agent) and the text. So the same line again is the
// same event, also after its account was assigned to another person, its queue was corrected, or its
// text may no longer be kept. Two equal messages by the same sender in one conversation in the same
// millisecond are one event; of a log that only has seconds, in the same second.
func (e *Event) ContentID() string {
	var buffer [512]byte
	b := binary.BigEndian.AppendUint64(buffer[:0], uint64(e.At.UnixMilli()))
	b = append(append(b, e.Kind...), 0)
	if e.Account != "" {
		b = append(b, e.Account...)
	} else {
		b = append(b, e.Agent...)
	}
	b = append(b, 0, byte(e.Score))
	b = strconv.AppendBool(b, e.Invited)
	sum := sha256.Sum256(append(b, e.Text...))
	var out [16]byte
	hex.Encode(out[:], sum[:8])
	return string(out[:])
}

// Key is the 64 bits by which the warehouse knows an event within its conversation: FNV-1a of the ID
// (offset 14695981039346656037, prime 1099511628211; Fowler, Noll, Vo). It is stored, so it must never
// change. Two different ids of one conversation of n events meet with a chance of n²/2^65. An ID
// as KeyID makes it is its key: an event that was read back keeps its key.
func (e Event) Key() uint64 {
	if len(e.ID) == 17 && e.ID[0] == '#' {
		if key, err := strconv.ParseUint(e.ID[1:], 16, 64); err == nil {
			return key
		}
	}
	h := uint64(14695981039346656037)
	for i := range len(e.ID) {
		h = (h ^ uint64(e.ID[i])) * 1099511628211
	}
	return h
}

// OrderKinds in the order of steps.
var OrderKinds = []OrderKind{Inquiry, Ordered, Paid, Shipped, Refunded}
