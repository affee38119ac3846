package check

import (
	"maps"
	"slices"

	"github.com/chaoban/chaoban/scheduling/roster/matsp"
)

// MATSP checks a roster of a multi-activity instance in file form. Where the published rules say
// "day", a roster must hold for the civil day; the cost is the heads above the maximum cover. Every fault is told.
func MATSP(in *matsp.Instance, roster map[string][]matsp.Shift) Report {
	var r Report
	heads := make([][]int, in.Days*96)
	for i := range heads {
		heads[i] = make([]int, in.Tasks)
	}
	known := map[string]bool{}
	for _, e := range in.Staff {
		known[e.ID] = true
		matspEmployee(&r, in, e, roster[e.ID], heads)
	}
	for _, id := range slices.Sorted(maps.Keys(roster)) {
		if !known[id] {
			r.broken("%s is not an employee of the instance", id)
		}
	}
	for t, row := range heads {
		day, minutes := matsp.Clock(t)
		for k, n := range row {
			if n < int(in.Min[t][k]) {
				r.broken("day %d %02d:%02d task %d: %d of %d heads", day, minutes/60, minutes%60, k+1, n, in.Min[t][k])
			}
			r.add("surplus", float64(max(0, n-int(in.Max[t][k]))))
		}
	}
	return r
}

func matspEmployee(r *Report, in *matsp.Instance, e matsp.Employee, shifts []matsp.Shift, heads [][]int) {
	total, before, days := 0, -1<<30, map[int]bool{}
	for _, s := range shifts {
		clock, ok := matsp.ParseClock(s.Start)
		ok = ok && s.Day >= 1 && s.Day <= in.Days+1
		start := (s.Day-1)*1440 + clock - 360 // minutes after the horizon begins
		if !ok || start < 0 || start >= in.Days*1440 {
			r.broken("%s: a shift starts on day %d at %q", e.ID, s.Day, s.Start)
			continue
		}
		allowed := clock == 0 || clock >= 6*60 && clock <= 10*60 || clock >= 14*60 && clock <= 18*60 || clock >= 20*60
		if !allowed {
			r.broken("%s day %d: %s is not a start time", e.ID, s.Day, s.Start)
		}
		if days[s.Day] {
			r.broken("%s starts twice on day %d", e.ID, s.Day)
		}
		days[s.Day] = true
		if start-before < 14*60 {
			r.broken("%s day %d: less than 14 h after the shift before it", e.ID, s.Day)
		}
		length := matspTasks(r, in, e, s, start, heads)
		if length < 360 || length > 600 {
			r.broken("%s day %d: a shift of %d minutes", e.ID, s.Day, length)
		}
		if start+length > in.Days*1440 {
			r.broken("%s day %d: the shift ends after the horizon", e.ID, s.Day)
		}
		total, before = total+length, start+length
	}
	for d := 1; d <= in.Days; d++ {
		if days[d] && days[d+1] && days[d+2] && days[d+3] && days[d+4] && days[d+5] {
			r.broken("%s works six days in a row from day %d", e.ID, d)
		}
	}
	if total < e.MinMinutes || total > e.MaxMinutes {
		r.broken("%s works %d minutes, not %d to %d", e.ID, total, e.MinMinutes, e.MaxMinutes)
	}
}

// matspTasks counts the heads of one shift and returns its minutes.
func matspTasks(r *Report, in *matsp.Instance, e matsp.Employee, s matsp.Shift, start int, heads [][]int) (length int) {
	running, task := 0, 0
	for _, b := range s.Tasks {
		if b[0] < 1 || b[0] > in.Tasks || b[1] <= 0 || b[1]%15 != 0 || b[1] > 1440 {
			r.broken("%s day %d: a block of %d minutes of task %d; blocks are whole quarter hours up to a day, of tasks 1 to %d", e.ID, s.Day, b[1], b[0], in.Tasks)
			continue
		}
		if b[0] != task && task != 0 && running < 60 {
			r.broken("%s day %d: a block of task %d lasts under 1 h", e.ID, s.Day, task)
		}
		if b[0] != task {
			running, task = 0, b[0]
		}
		running += b[1]
		for t := start + length; t < start+length+b[1]; t += 15 {
			if t/15 < len(heads) {
				heads[t/15][b[0]-1]++
			}
		}
		length += b[1]
	}
	if running < 60 {
		r.broken("%s day %d: a block of task %d lasts under 1 h", e.ID, s.Day, task)
	}
	return length
}
