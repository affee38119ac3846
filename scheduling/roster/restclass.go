package roster

import (
	"slices"
	"time"
)

// dayRest says which shifts of a day may follow which of the day before, as far as the rest between
// shifts goes (rules rest.between_block and rest.between_warn). Ends that every shift of the next day
// treats alike are one class; classes rise with the end, and class 0 is far enough from everything,
// like a day off.
type dayRest struct {
	classes int     // of the ends of the day
	end     []int16 // per occurrence: class of its end
	// hard and soft are the latest classes of the day before that leave an occurrence the rest that
	// binds, and the rest that costs nothing.
	hard, soft []int16
}

// restClasses compiles the days. Rest between a shift and the next but one day is left out.
func (m *model) restClasses() []dayRest {
	block, warn := m.restMinutes()
	if m.p.Weights.SoftRule == 0 {
		warn = block
	}
	out := make([]dayRest, len(m.days))
	for d := range out {
		n := len(m.occ[d])
		out[d] = dayRest{classes: 1, end: make([]int16, n), hard: make([]int16, n), soft: make([]int16, n)}
	}
	for d := 1; d < len(out); d++ {
		m.classEnds(&out[d-1], d-1, block, warn)
		for i := range m.occ[d] {
			start := m.occ[d][i].duty.Start
			for k, c := range out[d-1].end {
				rest := start - m.occ[d-1][k].duty.End
				if rest >= block {
					out[d].hard[i] = max(out[d].hard[i], c)
				}
				if rest >= warn {
					out[d].soft[i] = max(out[d].soft[i], c)
				}
			}
		}
	}
	return out
}

// classEnds finds the classes of the ends of a day: a later end is too close to no fewer of the next
// day's starts.
func (m *model) classEnds(r *dayRest, d int, block, warn int32) {
	order := make([]int, len(m.occ[d]))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return int(m.occ[d][x].duty.End - m.occ[d][y].duty.End) })
	last := [2]int{}
	for _, i := range order {
		now, end := [2]int{}, m.occ[d][i].duty.End
		for k := range m.occ[d+1] {
			rest := m.occ[d+1][k].duty.Start - end
			if rest < block {
				now[0]++
			}
			if rest < warn {
				now[1]++
			}
		}
		if now != last {
			last = now
			r.classes++
		}
		r.end[i] = int16(r.classes - 1)
	}
}

// restMinutes are the rests that bind and that cost nothing.
func (m *model) restMinutes() (block, warn int32) {
	return int32(m.p.Rules.RestBlock / time.Minute), int32(m.p.Rules.RestWarn / time.Minute)
}
