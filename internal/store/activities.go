package store

import (
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// activitiesOf reads the activities of a shift as encode wrote them. A roster of a thousand people has
// eighty thousand, over which encoding/json is most of the time that reading them takes.
func activitiesOf(text string) ([]scheduling.Activity, error) {
	if list, ok := plainActivities(text); ok {
		return list, nil
	}
	return decode[[]scheduling.Activity](text)
}

// plainActivities reads a list whose fields stand in the order of scheduling.Activity, without spaces or
// escapes and with instants in UTC; ok is false for any other text.
func plainActivities(text string) (out []scheduling.Activity, ok bool) {
	if text, ok = strings.CutPrefix(text, "["); !ok {
		return nil, false
	}
	out = make([]scheduling.Activity, 0, strings.Count(text, "{"))
	for {
		kind, rest, ok1 := plainMember(text, `{"kind":"`)
		start, rest, ok2 := plainMember(rest, `,"start":"`)
		end, rest, ok3 := plainMember(rest, `,"end":"`)
		queue, after, named := plainMember(rest, `,"queue":"`)
		if named {
			rest = after
		}
		from, err1 := time.Parse(time.RFC3339Nano, start)
		until, err2 := time.Parse(time.RFC3339Nano, end)
		if !ok1 || !ok2 || !ok3 || err1 != nil || err2 != nil || !strings.HasSuffix(start, "Z") || !strings.HasSuffix(end, "Z") {
			return nil, false
		}
		out = append(out, scheduling.Activity{Kind: scheduling.ActivityKind(kind), Start: from, End: until, Queue: ids.Queue(queue)})
		if rest == "}]" {
			return out, true
		}
		if text, ok = strings.CutPrefix(rest, "},"); !ok {
			return nil, false
		}
	}
}

// plainMember is the text that follows before, up to the next quote. A text with an escape is none.
func plainMember(text, before string) (value, rest string, ok bool) {
	if text, ok = strings.CutPrefix(text, before); !ok {
		return "", text, false
	}
	value, rest, ok = strings.Cut(text, `"`)
	return value, rest, ok && !strings.Contains(value, `\`)
}
