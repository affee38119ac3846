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
	young, old map[spanKey]time.Time
}

type spanKey struct {
	merchant     ids.Merchant
	conversation string
}

const spansKept = 1 << 16

// Check says what is wrong with an event that lies too far from the first one of its conversation.
func (s *Spans) Check(e *Event) []fault.Field {
	k := spanKey{e.Merchant, e.Conversation}
	first, ok := s.young[k]
	if !ok {
		if first, ok = s.old[k]; !ok {
			first = e.At
		}
		if s.young == nil || len(s.young) >= spansKept {
			s.young, s.old = make(map[spanKey]time.Time, 256), s.young
		}
		s.young[k] = first
	}
	if d := e.At.Sub(first); d > MaxSpan || d < -MaxSpan {
		var p problems
		p.add("at", e.At.Format(time.RFC3339), "is more than %s from %s, another event of the conversation %s: the session id seems to be used again",
			plain(MaxSpan), first.Format(time.RFC3339), start(e.Conversation))
		return p
	}
	return nil
}
