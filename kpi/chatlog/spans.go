package chatlog

import (
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Spans watches that no conversation of a log is longer than MaxSpan: a log whose session id comes
// again after months, or is really the buyer, would make one endless conversation. It remembers the
// first event it saw of the last conversations, at least 65,536 of them, so its memory is bounded and
// its answer depends on the order of events. The zero value is ready; not for concurrent use.
type Spans struct {
	young, old map[spanKey]int64 // Unix milliseconds
}

type spanKey struct {
	merchant     ids.Merchant
	conversation string
}

const spansKept = 1 << 16

// Check says what is wrong with an event that lies too far from the first one of its conversation.
func (s *Spans) Check(e *Event) []fault.Field {
	return far(s, e.Merchant, e.Conversation, e.At.UnixMilli())
}

// CheckAt is Check of an event of which only this is known: its merchant, its conversation and its Unix
// milliseconds.
func (s *Spans) CheckAt(merchant ids.Merchant, conversation []byte, at int64) []fault.Field {
	return far(s, merchant, conversation, at)
}

func far[T string | []byte](s *Spans, merchant ids.Merchant, conversation T, at int64) []fault.Field {
	first, ok := s.young[spanKey{merchant, string(conversation)}] // a key that is only looked up is not copied
	if !ok {
		if first, ok = s.old[spanKey{merchant, string(conversation)}]; !ok {
			first = at
		}
		if s.young == nil || len(s.young) >= spansKept {
			s.young, s.old = make(map[spanKey]int64, 256), s.young
		}
		s.young[spanKey{merchant, string(conversation)}] = first
	}
	if d := at - first; d > MaxSpan.Milliseconds() || d < -MaxSpan.Milliseconds() {
		var p problems
		p.add("at", instantText(at), "is more than %s from %s, another event of the conversation %s: the session id seems to be used again",
			plain(MaxSpan), instantText(first), start(string(conversation)))
		return p
	}
	return nil
}

func instantText(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
