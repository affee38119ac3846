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
	for i := range c.Rounds {
		c.Rounds[i].OpenedAt, c.Rounds[i].AnsweredAt = utc(c.Rounds[i].OpenedAt), utc(c.Rounds[i].AnsweredAt)
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

func decodeLine(line []byte, into any) []fault.Field {
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
		return []fault.Field{{Path: strings.Trim(key, `"`), Problem: "is not a known key"}}
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && len(e.Fields) > 0 {
		return e.Fields
	}
	if e, ok := errors.AsType[*time.ParseError](err); ok {
		return []fault.Field{{Value: fault.Shorten(e.Value), Problem: "is not an RFC 3339 time like 2026-11-11T09:00:00+08:00"}}
	}
	return []fault.Field{{Value: fault.Shorten(string(line)), Problem: "is not one JSON object: " + strings.TrimPrefix(err.Error(), "json: ")}}
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
