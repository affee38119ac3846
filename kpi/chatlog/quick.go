package chatlog

import (
	"bytes"
	"time"
	"unicode/utf8"

	"github.com/chaoban/chaoban/internal/ids"
)

// quickConversation reads the plain form of a canonical line, the one that encoding/json itself
// writes: known keys once each, no escapes, no nulls, whole numbers. Anything else returns
// false and is left to encoding/json, which also words the complaints. Import time is mostly
// spent here; a test holds the two readers to the same answers.
func quickConversation(line []byte) (c Conversation, ok bool) {
	q := quick{b: line}
	var seen uint32
	once := func(bit uint) bool {
		fresh := seen&(1<<bit) == 0
		seen |= 1 << bit
		return fresh
	}
	good := q.object(func(key []byte) bool { return q.field(&c, key, once) })
	q.space()
	return c, good && q.i == len(q.b)
}

type quick struct {
	b []byte
	i int
}

func (q *quick) field(c *Conversation, key []byte, once func(uint) bool) bool {
	switch string(key) {
	case "merchant":
		return once(0) && text(q, &c.Merchant)
	case "shop":
		return once(1) && text(q, &c.Shop)
	case "queue":
		return once(2) && text(q, &c.Queue)
	case "id":
		return once(3) && text(q, &c.ID)
	case "channel":
		return once(4) && text(q, &c.Channel)
	case "agent":
		return once(5) && text(q, &c.Agent)
	case "buyer":
		return once(6) && text(q, &c.Buyer)
	case "started_at":
		return once(7) && q.instant(&c.StartedAt)
	case "answered_at":
		return once(8) && q.instant(&c.AnsweredAt)
	case "ended_at":
		return once(9) && q.instant(&c.EndedAt)
	case "abandoned":
		return once(10) && q.truth(&c.Abandoned)
	case "simulated":
		return once(11) && q.truth(&c.Simulated)
	case "resolved":
		c.Resolved = new(bool)
		return once(12) && q.truth(c.Resolved)
	case "rating":
		c.Rating = new(int)
		return once(13) && q.whole(c.Rating)
	case "agent_messages":
		return once(14) && q.whole(&c.AgentMessages)
	case "buyer_messages":
		return once(15) && q.whole(&c.BuyerMessages)
	case "handle_time":
		return once(16) && q.nanoseconds(&c.HandleTime)
	case "rounds":
		return once(17) && q.rounds(c)
	case "bot_answered_at":
		return once(18) && q.instant(&c.BotAnsweredAt)
	}
	return false
}

func (q *quick) rounds(c *Conversation) bool {
	if !q.take('[') {
		return false
	}
	c.Rounds = make([]Round, 0, 4)
	if q.take(']') {
		return true
	}
	for {
		var r Round
		var opened, answered, agent bool
		good := q.object(func(key []byte) bool {
			fresh := false
			switch string(key) {
			case "opened_at":
				fresh, opened = !opened, true
				return fresh && q.instant(&r.OpenedAt)
			case "answered_at":
				fresh, answered = !answered, true
				return fresh && q.instant(&r.AnsweredAt)
			case "agent":
				fresh, agent = !agent, true
				return fresh && q.roundAgent(&r.Agent, c.Agent)
			}
			return false
		})
		if !good {
			return false
		}
		c.Rounds = append(c.Rounds, r)
		if q.take(']') {
			return true
		}
		if !q.take(',') {
			return false
		}
	}
}

// roundAgent shares the text with the conversation's agent, who mostly answered.
func (q *quick) roundAgent(into *ids.Agent, main ids.Agent) bool {
	b, ok := q.quoted()
	if ok && string(b) == string(main) {
		*into = main
		return true
	}
	*into = ids.Agent(b)
	return ok
}

func (q *quick) object(field func(key []byte) bool) bool {
	if !q.take('{') {
		return false
	}
	if q.take('}') {
		return true
	}
	for {
		key, ok := q.quoted()
		if !ok || !q.take(':') || !field(key) {
			return false
		}
		if q.take('}') {
			return true
		}
		if !q.take(',') {
			return false
		}
	}
}

func (q *quick) space() {
	for q.i < len(q.b) && (q.b[q.i] == ' ' || q.b[q.i] == '\t' || q.b[q.i] == '\n' || q.b[q.i] == '\r') {
		q.i++
	}
}

func (q *quick) take(c byte) bool {
	q.space()
	if q.i < len(q.b) && q.b[q.i] == c {
		q.i++
		return true
	}
	return false
}

// plainASCII are the bytes of a string that need no second look.
var plainASCII = func() (plain [256]bool) {
	for b := 0x20; b < utf8.RuneSelf; b++ {
		plain[b] = b != '"' && b != '\\'
	}
	return plain
}()

// quoted returns the inside of a string without escapes.
func (q *quick) quoted() ([]byte, bool) {
	if !q.take('"') {
		return nil, false
	}
	start, ascii := q.i, true
	for ; q.i < len(q.b); q.i++ {
		b := q.b[q.i]
		if plainASCII[b] {
			continue
		}
		switch {
		case b == '"':
			inside := q.b[start:q.i]
			q.i++
			return inside, ascii || utf8.Valid(inside)
		case b < utf8.RuneSelf:
			return nil, false
		}
		ascii = false
	}
	return nil, false
}

func text[T ~string](q *quick, into *T) bool {
	b, ok := q.quoted()
	*into = T(b)
	return ok
}

func (q *quick) instant(into *time.Time) bool {
	b, ok := q.quoted()
	return ok && into.UnmarshalText(b) == nil
}

func (q *quick) truth(into *bool) bool {
	q.space()
	switch rest := q.b[q.i:]; {
	case bytes.HasPrefix(rest, []byte("true")):
		q.i, *into = q.i+len("true"), true
	case bytes.HasPrefix(rest, []byte("false")):
		q.i, *into = q.i+len("false"), false
	default:
		return false
	}
	return true
}

// whole reads up to 15 digits: fewer than overflow, and a longer one is not plain.
func (q *quick) whole(into *int) bool {
	q.space()
	start, n := q.i, 0
	for q.i < len(q.b) && q.b[q.i] >= '0' && q.b[q.i] <= '9' {
		n = n*10 + int(q.b[q.i]-'0')
		if q.i++; q.i-start > 15 {
			return false
		}
	}
	*into = n
	if q.i == start || q.b[start] == '0' && q.i > start+1 {
		return false
	}
	return q.i == len(q.b) || q.b[q.i] == ',' || q.b[q.i] == '}' || q.b[q.i] == ' '
}

// nanoseconds leaves small numbers to the slow reader, which refuses them.
func (q *quick) nanoseconds(into *time.Duration) bool {
	var n int
	if !q.whole(&n) || n != 0 && n < int(time.Millisecond) {
		return false
	}
	*into = time.Duration(n)
	return true
}
