package workrules

import (
	"cmp"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Change is what somebody asks to do to one person's shifts: a manual edit (drop one, add one), one
// side of a swap, or a leave request.
type Change struct {
	Drop  []scheduling.Shift // found by start and end
	Add   []scheduling.Shift
	Leave []calendar.Range
}

// Outcome is the judgement of a Change.
type Outcome struct {
	Agent ids.Agent   `json:"agent"`
	New   []Violation `json:"new"`   // what the change would break or make worse
	Cured []Violation `json:"cured"` // what it would put right
	After Case        `json:"-"`     // the person as the change would leave it; ask it for Remedies
}

// Allowed reports that the change breaks no hard rule.
func (o Outcome) Allowed() bool { return !HasHard(o.New) }

// Try judges a change without making it. What was broken before and is not made worse is not held
// against it.
//
// Errors: workrules.change with every bad field: a shift to drop that the person does not have, a
// shift to add that does not start in the judged range, is empty or longer than 24 h, or has
// activities outside it; a leave that ends before it begins.
func (c Case) Try(change Change) (Outcome, error) {
	after, err := c.apply(change)
	if err != nil {
		return Outcome{}, err
	}
	frame := NewFrame(c.Range, c.Holidays, c.Location, c.Params)
	before, now := c.explain(frame), after.explain(frame)
	return Outcome{Agent: c.Person.ID, New: Worse(now, before), Cured: Worse(before, now), After: after}, nil
}

// Swap judges two people exchanging a shift: a gives one to b and takes one. An empty taken is a
// shift given away, an empty given one that b gives.
//
// Errors: as Try.
func Swap(a, b Case, given, taken scheduling.Shift) (ofA, ofB Outcome, err error) {
	var changeA, changeB Change
	if !given.Start.IsZero() {
		changeA.Drop, changeB.Add = []scheduling.Shift{given}, []scheduling.Shift{given}
	}
	if !taken.Start.IsZero() {
		changeA.Add, changeB.Drop = []scheduling.Shift{taken}, []scheduling.Shift{taken}
	}
	if ofA, err = a.Try(changeA); err != nil {
		return ofA, ofB, err
	}
	ofB, err = b.Try(changeB)
	return ofA, ofB, err
}

// apply makes the change on a copy.
func (c Case) apply(change Change) (Case, error) {
	var bad []fault.Field
	report := func(path string, at time.Time, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: at.Format(time.RFC3339), Problem: problem})
	}
	out := c
	out.Shifts = slices.Clone(c.Shifts)
	for _, d := range change.Drop {
		i := slices.IndexFunc(out.Shifts, func(s scheduling.Shift) bool {
			return s.Start.Equal(d.Start) && s.End.Equal(d.End) && (s.Agent == c.Person.ID || s.Agent == "")
		})
		if i < 0 {
			report("drop", d.Start, "is not a shift of this agent")
			continue
		}
		out.Shifts = slices.Delete(out.Shifts, i, i+1)
	}
	for _, s := range change.Add {
		s.Agent = c.Person.ID
		if err := (scheduling.Roster{Shifts: []scheduling.Shift{s}}).Validate(); err != nil {
			report("add", s.Start, "must last more than nothing and at most 24 h, with its activities inside and in order")
		} else if !c.Range.Contains(s.Start) {
			report("add", s.Start, "must start in the days that are judged")
		}
		out.Shifts = append(out.Shifts, s)
	}
	out.Person.Unavailable = slices.Clone(c.Person.Unavailable)
	for _, r := range change.Leave {
		if !r.Valid() {
			report("leave", r.Start, "must end after it begins")
		}
		out.Person.Unavailable = append(out.Person.Unavailable, r)
	}
	return out, fault.Bad("workrules.change", "change of shifts", bad)
}

// explain judges the case in a compiled frame.
func (c Case) explain(frame *Frame) []Violation {
	return NewJudge(frame, c.Person).Explain(c.own())
}

// own is the person's shifts in order of start.
func (c Case) own() []scheduling.Shift {
	shifts := make([]scheduling.Shift, 0, len(c.Shifts))
	for _, s := range c.Shifts {
		if s.Agent == c.Person.ID || s.Agent == "" {
			shifts = append(shifts, s)
		}
	}
	slices.SortStableFunc(shifts, func(a, b scheduling.Shift) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End))
	})
	return shifts
}

// Worse is the violations of a that b does not have at least as badly at the same place. A rest that is warned of is
// no worse than the same rest, or a shorter one, that was forbidden.
func Worse(a, b []Violation) []Violation {
	var out []Violation
	for _, v := range a {
		known := slices.ContainsFunc(b, func(w Violation) bool {
			if v.Rule == "rest.between_warn" && w.Rule == "rest.between_block" {
				return v.Range.Overlaps(w.Range) && v.Range.Duration() >= w.Range.Duration()
			}
			return v.Rule == w.Rule && v.Range.Overlaps(w.Range) && v.Amount <= w.Amount+1e-9
		})
		if !known {
			out = append(out, v)
		}
	}
	return out
}
