package revise

import (
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// Past picks the changes of hours that have passed at an instant: what an agent did, or was to do, before
// it is another thing afterwards. Who stays longer than planned from now on changes nothing of the past.
// With a zero instant nothing has passed.
func Past(changes []Change, now time.Time) (out []Change) {
	if now.IsZero() {
		return nil
	}
	for _, c := range changes {
		if !slices.Equal(workedBefore(c.Before, now), workedBefore(c.After, now)) {
			out = append(out, c)
		}
	}
	return out
}

// stretch is one activity by its instants, so that zones do not matter.
type stretch struct {
	kind         scheduling.ActivityKind
	queue        string
	start, until int64
}

// workedBefore is what a shift holds before an instant, neighbours of the same kind joined.
func workedBefore(s *scheduling.Shift, now time.Time) (out []stretch) {
	if s == nil || !s.Start.Before(now) {
		return nil
	}
	for _, a := range joined(s.Within(s.Start, calendar.Earlier(s.End, now)).Activities) {
		out = append(out, stretch{a.Kind, string(a.Queue), a.Start.Unix(), a.End.Unix()})
	}
	return out
}
