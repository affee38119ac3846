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
		r := &out[d]
		r.end = make([]int16, len(m.occ[d]))
		r.hard, r.soft = make([]int16, len(m.occ[d])), make([]int16, len(m.occ[d]))
		if r.classes = 1; d+1 == len(m.days) {
			break
		}
		var ends, starts []int32
		for i := range m.occ[d] {
			ends = append(ends, m.occ[d][i].duty.End)
		}
		for i := range m.occ[d+1] {
			starts = append(starts, m.occ[d+1][i].duty.Start)
		}
		slices.Sort(ends)
		ends = slices.Compact(ends)
		last, class := [2]int{}, make(map[int32]int16, len(ends))
		for _, e := range ends {
			now := [2]int{}
			for _, s := range starts {
				if s-e < block {
					now[0]++
				}
				if s-e < warn {
					now[1]++
				}
			}
			if now != last {
				last = now
				r.classes++
			}
			class[e] = int16(r.classes - 1)
		}
		for i := range r.end {
			r.end[i] = class[m.occ[d][i].duty.End]
		}
	}
	for d := 1; d < len(out); d++ {
		before := &out[d-1]
		for i := range m.occ[d] {
			start := m.occ[d][i].duty.Start
			for k, c := range before.end {
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

// restMinutes are the rests that bind and that cost nothing.
func (m *model) restMinutes() (block, warn int32) {
	return int32(m.p.Rules.RestBlock / time.Minute), int32(m.p.Rules.RestWarn / time.Minute)
}
