// Package scheduling owns the vocabulary that forecast, staffing, work rules, rosters, intraday
// and leave share: Curve, Requirement, Shift, Activity, Roster, and their invariants. It owns no
// other logic.
//
// Every time in it is an instant (UTC at rest). A slot is half-open and named by its start.
package scheduling

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// SkillKind splits a merchant's queue into the kinds of work an agent is trained for.
type SkillKind string

// The kinds of skill.
const (
	PreSale   SkillKind = "pre"   // 售前
	AfterSale SkillKind = "after" // 售后
)

// Curve is the demand of one queue: contacts per slot with quantiles.
type Curve struct {
	Queue  ids.Queue     `json:"queue"`
	Slot   time.Duration `json:"slot"`   // 5 to 60 minutes, or 24 h; text in JSON
	Levels []float64     `json:"levels"` // ascending, in (0,1), e.g. 0.1 0.5 0.9
	Points []Point       `json:"points"` // ascending by Start; closed slots are left out
}

// Point is one slot of a Curve. Contacts are per slot, never negative.
type Point struct {
	Start      time.Time     `json:"start"`
	Mean       float64       `json:"mean"`
	Quantiles  []float64     `json:"quantiles"`               // one per level, ascending
	HandleTime time.Duration `json:"handle_time_s,omitempty"` // mean per contact, 0 when unknown; seconds in JSON
}

// At returns the contacts at a level by exact match, or the mean for level 0.
func (c Curve) At(p Point, level float64) (float64, bool) {
	if level == 0 {
		return p.Mean, true
	}
	if i, ok := slices.BinarySearch(c.Levels, level); ok {
		return p.Quantiles[i], true
	}
	return 0, false
}

// Validate checks slot, levels, order, signs and that quantiles do not cross.
func (c Curve) Validate() error {
	var bad []fault.Field
	report := func(path, value, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: value, Problem: problem})
	}
	if !slotFits(c.Slot) {
		report("slot", c.Slot.String(), "must be 24 h, or 5 to 60 minutes and divide 24 h")
	}
	for i, level := range c.Levels {
		if !(level > 0 && level < 1) || i > 0 && c.Levels[i-1] >= level {
			report(fmt.Sprintf("levels[%d]", i), fmt.Sprint(level), "must lie between 0 and 1 and be above the level before it")
		}
	}
	for i, p := range c.Points {
		path := fmt.Sprintf("points[%d]", i)
		if i > 0 && !c.Points[i-1].Start.Before(p.Start) {
			report(path+".start", p.Start.Format(time.RFC3339), "is not after the point before it")
		}
		if !countable(p.Mean) {
			report(path+".mean", fmt.Sprint(p.Mean), "must be 0 or more")
		}
		if len(p.Quantiles) != len(c.Levels) || !slices.IsSorted(p.Quantiles) || !all(p.Quantiles, countable) {
			report(path+".quantiles", fmt.Sprint(p.Quantiles), "must be one per level, 0 or more, ascending")
		}
		if p.HandleTime < 0 {
			report(path+".handle_time", p.HandleTime.String(), "must be 0 (not known) or more")
		}
	}
	return fault.Bad("curve.invalid", "demand curve", bad)
}

// slotFits reports a slot length that a curve may have.
func slotFits(d time.Duration) bool {
	return d == 24*time.Hour || d >= 5*time.Minute && d <= time.Hour && (24*time.Hour)%d == 0
}

// countable reports a finite number of contacts.
func countable(x float64) bool { return x >= 0 && !math.IsInf(x, 1) }

func all(xs []float64, ok func(float64) bool) bool {
	return !slices.ContainsFunc(xs, func(x float64) bool { return !ok(x) })
}

// Requirement is how many heads one queue (or pool of queues) needs in each slot.
type Requirement struct {
	Queue ids.Queue     `json:"queue"`
	Slot  time.Duration `json:"slot"`
	Needs []Need        `json:"needs"` // ascending by Start; slots that need nobody may be left out
}

// Need is one slot of a Requirement.
type Need struct {
	Start  time.Time `json:"start"`
	Heads  int       `json:"heads"`  // people ready to work this queue, after shrinkage is paid on top
	Paid   float64   `json:"paid"`   // heads divided by (1 - shrinkage): what must be rostered on average
	Value  float64   `json:"value"`  // yuan that the first missing head costs in the slot; without Worth every one. 0 and no Worth = count only
	Reason string    `json:"reason"` // one line: quantile, handle time, model, target, rounding, shrinkage

	// Worth is what each of the heads saves, from the first, falling: the more are missing, the dearer the next. A roster of more
	// people than Heads, because some are away, spreads it over them. Heads beyond the last step save nothing.
	Worth []Step `json:"worth,omitempty"`
}

// ActivityKind says what an agent does in a part of a shift.
type ActivityKind string

// The kinds of activity.
const (
	Work     ActivityKind = "work"
	Break    ActivityKind = "break" // paid short break
	Meal     ActivityKind = "meal"  // unpaid meal
	Gap      ActivityKind = "gap"   // unpaid time between the two blocks of a split shift 两头班
	Training ActivityKind = "training"
	Meeting  ActivityKind = "meeting"
)

// Activity is a part of a shift. Work names the queue it covers.
type Activity struct {
	Kind  ActivityKind `json:"kind"`
	Start time.Time    `json:"start"`
	End   time.Time    `json:"end"`
	Queue ids.Queue    `json:"queue,omitempty"`
}

// Shift is one agent's duty from Start to End, at most 24 hours, filled by activities in order.
type Shift struct {
	Agent      ids.Agent  `json:"agent"`
	Code       string     `json:"code,omitempty"` // template code such as "早A"
	Start      time.Time  `json:"start"`
	End        time.Time  `json:"end"`
	Activities []Activity `json:"activities,omitempty"`
}

// Moved is the shift with everything in it moved by the clock; s itself is left as it is.
func (s Shift) Moved(by time.Duration) Shift {
	s.Start, s.End, s.Activities = s.Start.Add(by), s.End.Add(by), slices.Clone(s.Activities)
	for i := range s.Activities {
		a := &s.Activities[i]
		a.Start, a.End = a.Start.Add(by), a.End.Add(by)
	}
	return s
}

// Within is the shift with other ends: activities outside them go, those across an end are cut. Where the ends are
// wider, nothing fills what is new.
func (s Shift) Within(start, end time.Time) Shift {
	out := s
	out.Start, out.End, out.Activities = start, end, nil
	for _, a := range s.Activities {
		if a.Start.Before(start) {
			a.Start = start
		}
		if a.End.After(end) {
			a.End = end
		}
		if a.Start.Before(a.End) {
			out.Activities = append(out.Activities, a)
		}
	}
	return out
}

// Range of the shift.
func (s Shift) Range() calendar.Range { return calendar.Range{Start: s.Start, End: s.End} }

// Unpaid reports a part of a shift that is no working time: a meal, or the gap of a split shift.
func (k ActivityKind) Unpaid() bool { return k == Meal || k == Gap }

// WorkTime is the shift without its unpaid parts: what labour law counts.
func (s Shift) WorkTime() time.Duration {
	d := s.End.Sub(s.Start)
	for _, a := range s.Activities {
		if a.Kind.Unpaid() {
			d -= a.End.Sub(a.Start)
		}
	}
	return d
}

// Roster is who works when in a range. Shifts are sorted by agent, then start.
type Roster struct {
	Range  calendar.Range `json:"range"`
	Shifts []Shift        `json:"shifts"`
}

// Sort brings the shifts into their canonical order: by agent, start and end.
func (r *Roster) Sort() { slices.SortStableFunc(r.Shifts, compareShifts) }

func compareShifts(a, b Shift) int {
	return cmp.Or(cmp.Compare(a.Agent, b.Agent), a.Start.Compare(b.Start), a.End.Compare(b.End))
}

// Validate checks the invariants that no rule can relax: nobody is in two places, every shift
// has a positive length of at most 24 hours, activities lie inside their shift in order. A path
// shifts[i] counts in the order given.
func (r Roster) Validate() error {
	order := make([]int, len(r.Shifts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return compareShifts(r.Shifts[i], r.Shifts[j]) })
	var bad []fault.Field
	for n, i := range order {
		s := r.Shifts[i]
		report := func(format string, args ...any) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("shifts[%d]", i), Value: string(s.Agent), Problem: fmt.Sprintf(format, args...)})
		}
		if !s.Range().Valid() || s.End.Sub(s.Start) > 24*time.Hour {
			report("must last more than nothing and at most 24 h")
		}
		if n > 0 {
			if before := r.Shifts[order[n-1]]; before.Agent == s.Agent && s.Range().Overlaps(before.Range()) {
				report("overlaps another shift of the same agent at %s", s.Start.Format(time.RFC3339))
			}
		}
		at := s.Start
		for _, a := range s.Activities {
			if a.Start.Before(at) || !a.End.After(a.Start) || a.End.After(s.End) {
				report("has an activity outside the shift or out of order at %s", a.Start.Format(time.RFC3339))
			}
			at = a.End
		}
	}
	return fault.Bad("roster.invalid", "roster", bad)
}
