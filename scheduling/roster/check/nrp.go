package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/chaoban/chaoban/scheduling/roster/nrp"
)

// NRP checks a roster {employee: [shift or "" per day]} of a shift benchmark instance. The minimum
// run rules count as met at both edges of the horizon. Every fault is told.
func NRP(in *nrp.Instance, roster map[string][]string) Report {
	var r Report
	index := map[string]int{}
	for i, s := range in.Shifts {
		index[s.ID] = i
	}
	known := map[string]bool{}
	for i := range in.Staff {
		e := &in.Staff[i]
		known[e.ID] = true
		row, ok := roster[e.ID]
		if !ok || len(row) != in.Days {
			r.broken("%s: needs %d days, has %d", e.ID, in.Days, len(row))
			continue
		}
		employee(&r, in, e, row, index)
	}
	for _, id := range slices.Sorted(maps.Keys(roster)) {
		if !known[id] {
			r.broken("%s is not an employee of the instance", id)
		}
	}
	for _, c := range in.Cover {
		heads := 0
		for _, row := range roster {
			if c.Day < len(row) && row[c.Day] == in.Shifts[c.Shift].ID {
				heads++
			}
		}
		if heads < c.Need {
			r.add("under_cover", float64(c.Under*(c.Need-heads)))
		} else {
			r.add("over_cover", float64(c.Over*(heads-c.Need)))
		}
	}
	return r
}

func employee(r *Report, in *nrp.Instance, e *nrp.Employee, row []string, index map[string]int) {
	minutes, weekends, strange := 0, 0, false // strange: has shifts whose minutes nobody knows
	count := map[string]int{}
	for d, s := range row {
		k, known := index[s]
		if s != "" {
			if known {
				minutes += in.Shifts[k].Minutes
			} else {
				strange = true
				r.broken("%s day %d: %q is not a shift", e.ID, d, s)
			}
			count[s]++
			if e.DayOff[d] {
				r.broken("%s works on day off %d", e.ID, d)
			}
		}
		if d%7 == 5 && d+1 < len(row) && (s != "" || row[d+1] != "") {
			weekends++
		}
		if d > 0 && known {
			if before, ok := index[row[d-1]]; ok && in.Shifts[before].NotNext[k] {
				r.broken("%s day %d: %s may not follow %s", e.ID, d, s, row[d-1])
			}
		}
		for k := range in.Shifts {
			if w := e.Wants[d][k]; w > 0 && s != in.Shifts[k].ID {
				r.add("requests", float64(w))
			}
			if w := e.Avoids[d][k]; w > 0 && s == in.Shifts[k].ID {
				r.add("requests", float64(w))
			}
		}
	}
	if !strange && minutes < e.MinMinutes || minutes > e.MaxMinutes {
		r.broken("%s works %d minutes, not %d to %d", e.ID, minutes, e.MinMinutes, e.MaxMinutes)
	}
	for k, s := range in.Shifts {
		if count[s.ID] > e.MaxShifts[k] {
			r.broken("%s has %d shifts %s, at most %d", e.ID, count[s.ID], s.ID, e.MaxShifts[k])
		}
	}
	if weekends > e.MaxWeekends {
		r.broken("%s works %d weekends, at most %d", e.ID, weekends, e.MaxWeekends)
	}
	stretches(r, e, row)
}

func stretches(r *Report, e *nrp.Employee, row []string) {
	for d := 0; d < len(row); {
		k := d
		for k < len(row) && (row[k] != "") == (row[d] != "") {
			k++
		}
		n, inner := k-d, d > 0 && k < len(row)
		kind, least, most := "days off", e.MinOff, len(row)
		if row[d] != "" {
			kind, least, most = "working days", e.MinRun, e.MaxRun
		}
		if n > most || inner && n < least {
			r.broken("%s has %d %s in a row from day %d, allowed %s", e.ID, n, kind, d, fmt.Sprintf("%d to %d", least, most))
		}
		d = k
	}
}
