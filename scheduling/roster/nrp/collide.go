package nrp

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// limit is what the file says against working more, by the name of its column, with how to do without.
type limit struct {
	name string
	lift func(in *Instance, e *Employee)
}

// limits lists those of an employee. Staying at home keeps every one of them, so whoever has no legal row has them
// against MinTotalMinutes.
func (in *Instance) limits(e *Employee) []limit {
	off := 0
	for _, is := range e.DayOff {
		if is {
			off++
		}
	}
	var most []string
	longest := 0
	for s, n := range e.MaxShifts {
		most = append(most, fmt.Sprintf("%s=%d", in.Shifts[s].ID, n))
		longest = max(longest, in.Shifts[s].Minutes)
	}
	return []limit{
		{"the shifts that cannot follow each other", func(in *Instance, _ *Employee) {
			in.Shifts = slices.Clone(in.Shifts)
			for s := range in.Shifts {
				in.Shifts[s].NotNext = make([]bool, len(in.Shifts))
			}
		}},
		{fmt.Sprintf("MinConsecutiveDaysOff %d", e.MinOff), func(_ *Instance, e *Employee) { e.MinOff = 1 }},
		{fmt.Sprintf("MinConsecutiveShifts %d", e.MinRun), func(_ *Instance, e *Employee) { e.MinRun = 1 }},
		{fmt.Sprintf("MaxWeekends %d", e.MaxWeekends), func(in *Instance, e *Employee) { e.MaxWeekends = in.Days }},
		{fmt.Sprintf("%d days of SECTION_DAYS_OFF", off), func(in *Instance, e *Employee) { e.DayOff = make([]bool, in.Days) }},
		{fmt.Sprintf("MaxConsecutiveShifts %d", e.MaxRun), func(in *Instance, e *Employee) { e.MaxRun = in.Days }},
		{"MaxShifts " + strings.Join(most, "|"), func(in *Instance, e *Employee) {
			e.MaxShifts = slices.Repeat([]int{in.Days}, len(in.Shifts))
		}},
		{fmt.Sprintf("MaxTotalMinutes %d", e.MaxMinutes), func(in *Instance, e *Employee) { e.MaxMinutes = in.Days * longest }},
	}
}

// collision says, in brackets, which of an employee's own limits leave no room for MinTotalMinutes, and the most that
// they allow: a set of which none can be left out, as far as that is proved. It is "" where nothing is.
func (in *Instance) collision(e *Employee) string {
	all := in.limits(e)
	lifted := make([]bool, len(all))
	most, ok := in.mostMinutes(e, all, lifted)
	if !ok || most >= e.MinMinutes {
		return ""
	}
	for i := range all {
		lifted[i] = true
		if without, ok := in.mostMinutes(e, all, lifted); ok && without < e.MinMinutes {
			most = without // it stands in nobody's way
		} else {
			lifted[i] = false
		}
	}
	var kept []string
	for i, l := range all {
		if !lifted[i] {
			kept = append(kept, l.name)
		}
	}
	over := fmt.Sprintf("the %d days", in.Days)
	if len(kept) > 0 {
		over = strings.Join(kept, " and ") + " in " + over
	}
	return fmt.Sprintf(" (MinTotalMinutes is %d, and %s allow at most %d)", e.MinMinutes, over, most)
}

// mostMinutes is what an employee could work at most without the lifted limits, and whether that is proved.
func (in *Instance) mostMinutes(e *Employee, all []limit, lifted []bool) (int, bool) {
	alone, one := *in, *e
	one.MinMinutes = 0
	for i, l := range all {
		if lifted[i] {
			l.lift(&alone, &one)
		}
	}
	alone.Staff, alone.Cover = []Employee{one}, nil
	p := prepare(&alone)
	x := newPricer(p)
	for d := range p.days {
		for s, minutes := range p.minutes {
			x.entry[d*(p.shifts+1)+s+1] = -minutes
		}
	}
	_, floor := x.cheapest(0, window{0, p.days}, nil, 1)
	return int(-floor), floor > math.MinInt32 && floor <= 0
}
