package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// templates asks of every shift that is not locked that it is one of the problem: of the template that its code
// names, or of any where it has no code.
func templates(r *Report, p roster.Problem, shifts []scheduling.Shift) {
	may := map[ids.Agent][]string{}
	for _, a := range p.Agents {
		may[a.Person.ID] = a.Templates
	}
	for _, s := range shifts {
		if locked(p, s) {
			continue
		}
		why := "no template of the problem has its times and pauses"
		if s.Code != "" {
			why = fmt.Sprintf("%q is not a template of the problem", s.Code)
		}
		for _, t := range p.Templates {
			if s.Code != "" && s.Code != t.Code {
				continue
			}
			other := otherThan(p, t, s)
			if list := may[s.Agent]; other == "" && len(list) > 0 && !slices.Contains(list, t.Code) {
				other = fmt.Sprintf("shift %s is not among the templates of this agent", t.Code)
			}
			if other == "" || s.Code != "" {
				why = other
			}
			if why == "" {
				break
			}
		}
		if why != "" {
			r.broken("%s %s: %s", s.Agent, clock(p, s.Start), why)
		}
	}
}

// otherThan says what of a shift is not as its template has it; "" when all is.
func otherThan(p roster.Problem, t roster.Template, s scheduling.Shift) string {
	date := calendar.DateOf(s.Start, p.Location)
	switch {
	case !s.Start.Equal(startOf(p, t, date)):
		return fmt.Sprintf("shift %s begins at %s", t.Code, time.Time{}.Add(t.Start).Format("15:04"))
	case s.End.Sub(s.Start) != t.Length:
		return fmt.Sprintf("shift %s lasts %s, not %s", t.Code, hours(t.Length), hours(s.End.Sub(s.Start)))
	case len(t.Weekdays) > 0 && !slices.Contains(t.Weekdays, date.Weekday()):
		return fmt.Sprintf("shift %s is not for a %s", t.Code, date.Weekday())
	}
	n := 0
	for _, a := range s.Activities {
		if a.Kind != scheduling.Break && !a.Kind.Unpaid() {
			continue
		}
		if n == len(t.Pauses) {
			return fmt.Sprintf("shift %s has %d pauses, not more", t.Code, n)
		}
		q, at := t.Pauses[n], a.Start.Sub(s.Start)
		if n++; a.Kind != q.Kind || a.End.Sub(a.Start) != q.Length || at < q.Earliest || at > q.Latest {
			return fmt.Sprintf("pause %d of shift %s is a %s of %s, from %s to %s after its start", n, t.Code, q.Kind, hours(q.Length), hours(q.Earliest), hours(q.Latest))
		}
	}
	if n < len(t.Pauses) {
		return fmt.Sprintf("shift %s has %d pauses, not %d", t.Code, len(t.Pauses), n)
	}
	return ""
}

// filled asks of every shift that is not locked that what it is made of fills it from start to end: work on a queue,
// meals, breaks and gaps, and nothing else.
func filled(r *Report, p roster.Problem, shifts []scheduling.Shift) {
	for _, s := range shifts {
		if locked(p, s) {
			continue
		}
		at := s.Start
		hole := func(until time.Time) {
			if at.Before(until) {
				r.broken("%s %s: nothing is planned until %s", s.Agent, clock(p, at), clock(p, until))
			}
		}
		for _, a := range s.Activities {
			hole(a.Start)
			at = a.End
			switch {
			case a.Kind == scheduling.Break || a.Kind.Unpaid():
			case a.Kind != scheduling.Work:
				r.broken("%s %s: %q is no kind of activity, which are work, meal, break and gap", s.Agent, clock(p, a.Start), a.Kind)
			case a.Queue == "":
				r.broken("%s %s: work on no queue", s.Agent, clock(p, a.Start))
			}
		}
		hole(s.End)
	}
}

// startOf is when a template begins on a date, by the clock on the wall.
func startOf(p roster.Problem, t roster.Template, d calendar.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, int(t.Start/time.Second), 0, p.Location)
}

func sameParts(a, b []scheduling.Activity) bool {
	return slices.EqualFunc(a, b, func(x, y scheduling.Activity) bool {
		return x.Kind == y.Kind && x.Queue == y.Queue && x.Start.Equal(y.Start) && x.End.Equal(y.End)
	})
}
