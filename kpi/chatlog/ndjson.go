package chatlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/chaoban/chaoban/internal/fault"
)

// The canonical file form of every event is one JSON object per line: the JSON of the structs
// of this package, times in RFC 3339, unknown keys refused. A duration is a Go duration text
// ("1m30s") or a whole number of nanoseconds, which is how encoding/json writes it.

// DecodeConversation reads one line. The fields say everything that is wrong with it.
func DecodeConversation(line []byte) (Conversation, []fault.Field) {
	c, ok := quickConversation(line)
	if !ok {
		var bad []fault.Field
		if c, bad = slowConversation(line); bad != nil {
			return Conversation{}, bad
		}
	}
	c.StartedAt, c.AnsweredAt, c.EndedAt = utc(c.StartedAt), utc(c.AnsweredAt), utc(c.EndedAt)
	c.BotAnsweredAt = utc(c.BotAnsweredAt)
	for i := range c.Rounds {
		c.Rounds[i].OpenedAt, c.Rounds[i].AnsweredAt = utc(c.Rounds[i].OpenedAt), utc(c.Rounds[i].AnsweredAt)
	}
	if len(c.Rounds) == 0 {
		c.Rounds = nil
	}
	if c.ID == "" {
		c.ID = c.ContentID()
	}
	return c, c.problems()
}

func slowConversation(line []byte) (Conversation, []fault.Field) {
	type plainConversation Conversation
	var in struct {
		plainConversation
		HandleTime jsonDuration `json:"handle_time"`
	}
	if bad := decodeLine(line, &in); bad != nil {
		return Conversation{}, bad
	}
	c := Conversation(in.plainConversation)
	c.HandleTime = time.Duration(in.HandleTime)
	return c, nil
}

// DecodeAgentState reads one line. The fields say everything that is wrong with it.
func DecodeAgentState(line []byte) (AgentState, []fault.Field) {
	var s AgentState
	if bad := decodeLine(line, &s); bad != nil {
		return AgentState{}, bad
	}
	s.Start, s.End = utc(s.Start), utc(s.End)
	return s, s.problems()
}

// DecodeContacts reads one line; the zone is where its slots are laid out on the clock.
// The fields say everything that is wrong with it.
func DecodeContacts(line []byte, zone *time.Location) (Contacts, []fault.Field) {
	type plainContacts Contacts
	var in struct {
		plainContacts
		Slot       jsonDuration `json:"slot"`
		Offered    *float64     `json:"offered"`
		HandleTime jsonDuration `json:"handle_time"`
	}
	if bad := decodeLine(line, &in); bad != nil {
		return Contacts{}, bad
	}
	row := ContactsRow{
		Merchant: string(in.Merchant), Queue: string(in.Queue), Start: in.Start, Slot: time.Duration(in.Slot),
		Offered: in.Offered, HandleTime: time.Duration(in.HandleTime), Simulated: in.Simulated,
	}
	if !row.Start.IsZero() {
		row.Start = row.Start.In(zone)
	}
	return row.Contacts()
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// maxDepth is how deep a line may be nested: a conversation with rounds is 3 deep. More is refused
// before anything recurses into it.
const maxDepth = 8

func decodeLine(line []byte, into any) []fault.Field {
	if bad := poisoned(line); bad != nil {
		return bad
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			return []fault.Field{{Problem: "has text after the JSON object"}}
		}
		return nil
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return []fault.Field{{Path: e.Field, Value: e.Value, Problem: "has the wrong JSON type"}}
	}
	if key, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return []fault.Field{{Path: fault.Shorten(strings.Trim(key, `"`)), Problem: "is not a known key"}}
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && len(e.Fields) > 0 {
		return e.Fields
	}
	if e, ok := errors.AsType[*time.ParseError](err); ok {
		return []fault.Field{{Value: fault.Shorten(e.Value), Problem: "is not an RFC 3339 time like 2026-11-11T09:00:00+08:00"}}
	}
	return []fault.Field{{Value: fault.Shorten(string(line)), Problem: "is not one JSON object: " + strings.TrimPrefix(err.Error(), "json: ")}}
}

// poisoned looks for what encoding/json would accept and change, or read at great length: bytes that
// are not UTF-8 and halves of surrogate pairs, which it replaces, and deep nesting.
func poisoned(line []byte) []fault.Field {
	if at := badUTF8(line); at >= 0 {
		return []fault.Field{{Problem: fmt.Sprintf("is not UTF-8 text at byte %d (0x%02x)", at+1, line[at])}}
	}
	depth, quoted := 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			n := escape(line[i:])
			if n == 0 {
				return []fault.Field{{Problem: fmt.Sprintf("has half of a surrogate pair at byte %d", i+1)}}
			}
			i += n - 1
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return []fault.Field{{Problem: fmt.Sprintf("is nested deeper than %d levels at byte %d", maxDepth, i+1)}}
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// escape is the length of the escape that b starts with; 0 is a surrogate without its other half.
// What is no escape at all is left for encoding/json to refuse.
func escape(b []byte) int {
	high, ok := unit(b)
	if !ok {
		return min(2, len(b))
	}
	if !utf16.IsSurrogate(high) {
		return 6
	}
	low, ok := unit(b[6:])
	if !ok || utf16.DecodeRune(high, low) == utf8.RuneError {
		return 0
	}
	return 12
}

// unit reads a UTF-16 code unit written as \uXXXX.
func unit(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil
}

// badUTF8 is where the first byte lies that is not UTF-8, or -1.
func badUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// jsonDuration reads "1m30s" or whole nanoseconds.
type jsonDuration time.Duration

// UnmarshalJSON refuses numbers too small to be meant as nanoseconds: somebody wrote seconds.
func (d *jsonDuration) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if len(b) > 1 && b[0] == '"' {
		v, err := time.ParseDuration(string(b[1 : len(b)-1]))
		if err != nil {
			return durationFault(b, "is not a duration like \"1m30s\"")
		}
		*d = jsonDuration(v)
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return durationFault(b, "is not a duration: write \"1m30s\" or whole nanoseconds")
	}
	if n != 0 && -int64(time.Millisecond) < n && n < int64(time.Millisecond) {
		return durationFault(b, fmt.Sprintf("a number means nanoseconds; write \"%ds\" for seconds", n))
	}
	*d = jsonDuration(n)
	return nil
}

func durationFault(b []byte, problem string) error {
	return fault.Bad("chatlog.duration", "", []fault.Field{{Value: fault.Shorten(string(b)), Problem: problem}})
}
