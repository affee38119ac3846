package roster

import (
	"math"
)

// reshift gives every agent on every day the shift that costs least when its queues keep the blocks,
// given all others: the search chose shifts as if people changed queue in every slot. Legal as in the
// search; a day off stays possible. With heat every choice has a share of chance, as in the search. The
// pool holds. It reports whether anything was gained. The running cost of the state is not kept up.
func (y *staying) reshift(heat float64, more func() bool) (gained bool) {
	s := y.s
	s.heat = heat
	defer func() { s.heat = 0 }()
	for _, a := range y.rng.Perm(len(s.place)) {
		if !more() {
			return gained
		}
		for d := range s.place[a] {
			if !s.m.agents[a].locked[d] && len(s.m.agents[a].skills[d]) > 0 {
				gained = y.bestShift(a, d) || gained
			}
		}
	}
	return gained
}

// bestShift replaces what an agent does on a day when something else costs less, or is drawn.
func (y *staying) bestShift(a, d int) bool {
	s := y.s
	old, before := s.option(a, d), s.cost
	y.before = append(y.before[:0], s.place[a][d].queue...)
	now := 0.0
	if old.at >= 0 {
		now = -y.plan.price * float64(changesOf(y.before))
		s.clear(a, d)
		now += s.cost - before
	}
	best := y.bestOption(a, d, max(0, now))
	switch {
	case best.at < 0 && (now <= 1e-9 || s.heat > 0): // the shift saves nothing
		return old.at >= 0
	case best.at < 0:
		s.putBack(a, old, y.before)
		s.cost = before
		return false
	default:
		y.priceOption(a, best)
		y.plan.solve()
		queues := y.before[:0]
		for _, k := range y.plan.path {
			q := int16(-1)
			if k >= 0 {
				q = s.m.agents[a].skills[d][k]
			}
			queues = append(queues, q)
		}
		s.putBack(a, best, queues)
	}
	return true
}

// bestOption is the legal shift of an empty day that saves more than some yuan and the most, or with heat
// the one that is drawn; at -1 when a day off is better.
func (y *staying) bestOption(a, d int, most float64) (best option) {
	s := y.s
	s.options = s.options[:0]
	s.findOptions(a, d)
	y.chances = y.chances[:0]
	if s.heat > 0 {
		most = y.chance()
		for i := range s.options {
			y.chances = append(y.chances, y.chance())
			s.options[i].score += y.chances[i]
		}
	}
	best = option{day: d, at: -1}
	for {
		top := -1
		for i := range s.options {
			if x := s.options[i].score; x > most+1e-9 && (top < 0 || x > s.options[top].score) {
				top = i
			}
		}
		if top < 0 {
			return best
		}
		op := s.options[top]
		s.options[top].score = math.Inf(-1)
		value, ok := y.value(a, op)
		if s.heat > 0 {
			value += y.chances[top]
		}
		if ok && value > most+1e-9 {
			best, most = op, value
		}
	}
}

// chance is a Gumbel share of the heat.
func (y *staying) chance() float64 { return -y.s.heat * math.Log(-math.Log(1-y.rng.Float64())) }

// value is the yuan that an option saves with its best queues; ok is false when it is not legal. The
// score of the option, which lets its agent change in every slot, is never below.
func (y *staying) value(a int, op option) (value float64, ok bool) {
	s, m := y.s, y.s.m
	c := &m.agents[a].choices[op.day][op.at]
	o := &m.occ[op.day][c.occ]
	if s.overMost(a, o) {
		return 0, false
	}
	duties := s.dutiesOf(a, op.day, c.occ)
	if s.judges[a].Broken(duties) != nil {
		return 0, false
	}
	soft := int32(s.judges[a].SoftBetween(duties)) - s.soft[a] + int32(op.tired)
	y.priceOption(a, op)
	return -y.plan.solve() - s.personal(a, op.day, c) - m.p.Weights.SoftRule*float64(soft), true
}

// priceOption fills the plan with what each queue loses in each slot of a shift that nobody works yet.
func (y *staying) priceOption(a int, op option) {
	s, m, q := y.s, y.s.m, &y.plan
	o := &m.occ[op.day][m.agents[a].choices[op.day][op.at].occ]
	skills := m.agents[a].skills[op.day]
	q.begin(o.len, len(skills))
	for i := range q.pause {
		q.pause[i] = false
	}
	for k, p := range o.pauses {
		for i := range p.len {
			q.pause[int(op.pause[k])+i] = true
		}
	}
	for i := range q.pause {
		for k, to := range skills {
			q.loss[i*q.width+k] = 0
			if t := o.start + i; t < m.inside && !q.pause[i] {
				cell := t*len(m.queues) + int(to)
				q.loss[i*q.width+k] = -m.saving(cell, s.cover[cell])
			}
		}
	}
}
