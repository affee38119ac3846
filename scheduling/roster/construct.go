package roster

import (
	"cmp"
	"slices"
	"time"
)

// findOptions lists the shifts worth giving an agent on an empty day, best first, into s.options.
func (s *state) findOptions(a, day int) {
	m := s.m
	am := &m.agents[a]
	if am.locked[day] || s.place[a][day].occ >= 0 || len(am.skills[day]) == 0 {
		return
	}
	lo, hi := m.slots, 0
	for _, k := range am.allowed[day] {
		o := &m.occ[day][k]
		lo, hi = min(lo, o.start), max(hi, o.start+o.len)
	}
	if lo >= hi {
		return
	}
	s.fillGain(a, day, lo, hi)
	limit := int32(m.p.Agents[a].MaxWork / time.Minute)
	for _, k := range am.allowed[day] {
		o := &m.occ[day][k]
		if limit > 0 && s.work[a]+o.duty.Work > limit {
			continue
		}
		op := option{day: day, occ: k}
		op.score = s.gain[o.start+o.len-lo] - s.gain[o.start-lo]
		if op.score <= 0 && len(am.wishes[day]) == 0 && len(m.p.Previous) == 0 && m.p.Agents[a].MinWork == 0 {
			continue
		}
		op.score -= s.placePauses(o, lo, &op.pause) + s.personal(a, day, k)
		if op.score > 1e-9 {
			s.options = append(s.options, op)
		}
	}
}

// fillGain writes the prefix sums of the best saving per slot in [lo, hi).
func (s *state) fillGain(a, day, lo, hi int) {
	m := s.m
	s.gain = append(s.gain[:0], 0)
	sum, width := 0.0, len(m.queues)
	over := -m.p.Weights.Over / m.perHour
	for t := lo; t < hi; t++ {
		if t < m.inside {
			best := over
			base := t * width
			for _, q := range m.agents[a].skills[day] {
				i := base + int(q)
				if n := s.cover[i]; n < m.target[i] {
					best = max(best, m.saving(i, n))
				}
			}
			sum += best
		}
		s.gain = append(s.gain, sum)
	}
}

// placePauses puts each pause where it loses least and returns the loss.
func (s *state) placePauses(o *occurrence, lo int, at *[maxPauses]int16) (lost float64) {
	after := 0
	for i, p := range o.pauses {
		best, where := 0.0, -1
		for k := max(p.early, after); k <= p.late; k++ {
			from := o.start + k - lo
			if loss := s.gain[from+p.len] - s.gain[from]; where < 0 || loss < best {
				best, where = loss, k
			}
		}
		at[i] = int16(where)
		lost += best
		after = where + p.len
	}
	return lost
}

// bestLegal returns the best option of an agent on its empty days in [from, to] that breaks no
// hard rule; ok is false when none saves anything.
func (s *state) bestLegal(a, from, to int) (best option, ok bool) {
	s.options = s.options[:0]
	for d := from; d <= to; d++ {
		s.findOptions(a, d)
	}
	slices.SortFunc(s.options, func(x, y option) int {
		return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(x.day, y.day), cmp.Compare(x.occ, y.occ))
	})
	for _, op := range s.options {
		if ok && op.score <= best.score {
			return best, ok
		}
		duties := s.dutiesOf(a, op.day, op.occ)
		if s.judges[a].Broken(duties) != nil {
			continue
		}
		op.score -= s.m.p.Weights.SoftRule * float64(int32(s.judges[a].SoftCount(duties))-s.soft[a])
		if op.score > 1e-9 && (!ok || op.score > best.score) {
			best, ok = op, true
		}
	}
	return best, ok
}

// fill gives the agents one shift each in turn until nobody's next shift saves anything.
func (s *state) fill(agents []int, from, to int) {
	for active := slices.Clone(agents); len(active) > 0; {
		kept := active[:0]
		for _, a := range active {
			if op, ok := s.bestLegal(a, from, to); ok {
				s.put(a, op)
				kept = append(kept, a)
			}
		}
		active = kept
	}
}
