package roster

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// findOptions lists the shifts worth giving an agent on an empty day into s.options.
func (s *state) findOptions(a, day int) {
	m := s.m
	am := &m.agents[a]
	if am.locked[day] || s.place[a][day].occ >= 0 || len(am.skills[day]) == 0 || len(am.choices[day]) == 0 {
		return
	}
	lo, hi := m.window(a, day)
	s.fillGain(a, day, lo, hi)
	full := s.fillFull(a, lo, hi)
	for i := range am.choices[day] {
		c := &am.choices[day][i]
		o := &m.occ[day][c.occ]
		if full != nil && full[o.start+o.len-lo] > full[o.start-lo] {
			continue
		}
		op := option{day: day, at: int16(i)}
		op.score = s.gain[o.start+o.len-lo] - s.gain[o.start-lo] - s.personal(a, day, c)
		lost, tired := s.pauses.place(m, o, s.gain, lo, am.cloud, &op.pause)
		op.tired = tired
		op.score -= lost + m.p.Weights.SoftRule*float64(tired)
		if op.score > -12*s.heat {
			s.options = append(s.options, op)
		}
	}
}

// window is the span of slots that the choices of an agent-day reach.
func (m *model) window(a, day int) (lo, hi int) {
	lo = m.slots
	for i := range m.agents[a].choices[day] {
		o := &m.occ[day][m.agents[a].choices[day][i].occ]
		lo, hi = min(lo, o.start), max(hi, o.start+o.len)
	}
	return lo, hi
}

// fillGain writes the prefix sums of the best saving per slot in [lo, hi).
func (s *state) fillGain(a, day, lo, hi int) {
	m := s.m
	s.gain = append(s.gain[:0], 0)
	sum, width := 0.0, len(m.queues)
	skills := m.agents[a].skills[day]
	over := -m.p.Weights.Over / m.perHour
	for t := lo; t < hi; t++ {
		if t < m.inside {
			best := over
			if s.flow != nil {
				for _, q := range skills {
					best = max(best, s.hopes(t*width+int(q)))
				}
			} else {
				row := s.pool.worths(t)
				for _, q := range skills {
					if row[q] > best {
						best = row[q]
					}
				}
			}
			sum += best
		}
		s.gain = append(s.gain, sum)
	}
}

// hopes is the yuan saved by one more head beside those that a roster in fractions holds.
func (s *state) hopes(i int) float64 {
	x := s.flow.heads[i] + float64(s.m.covered[i])
	n := int16(max(0, x))
	part := max(0, x) - float64(n)
	return (1-part)*s.m.saving(i, n) + part*s.m.saving(i, n+1)
}

// bestLegal returns the best option of an agent on its empty days in [from, to] that breaks no
// hard rule; ok is false when none saves anything.
func (s *state) bestLegal(a, from, to int) (best option, ok bool) {
	s.options = s.options[:0]
	for d := from; d <= to; d++ {
		if s.place[a][d].occ < 0 && !s.barred(a, d) {
			s.findOptions(a, d)
		}
	}
	return s.takeBest(a)
}

// takeBest returns the best legal one of s.options and strikes out what it looked at in vain. With
// heat every score, and that of a day off, gets a Gumbel share of chance, which draws each option
// with the probability of its Boltzmann weight.
func (s *state) takeBest(a int) (best option, ok bool) {
	off := 1e-9
	if s.heat > 0 {
		off = s.chance()
		for i := range s.options {
			s.options[i].score += s.chance()
		}
	}
	for {
		top := -1
		for i := range s.options {
			if x := s.options[i].score; x > off && (top < 0 || x > s.options[top].score) {
				top = i
			}
		}
		if top < 0 || ok && s.options[top].score <= best.score {
			return best, ok
		}
		op := s.options[top]
		s.options[top].score = math.Inf(-1)
		if !s.fits(a, op.day, op.at) {
			continue
		}
		c := &s.m.agents[a].choices[op.day][op.at]
		duties := s.duties // those that fits has judged
		op.score -= s.m.p.Weights.SoftRule * float64(int32(s.judges[a].SoftBetween(duties))-s.soft[a])
		op.score -= s.paidWith(a, duties, &s.m.occ[op.day][c.occ], &op.pause) - s.paid[a] - c.premium
		if op.score > off && (!ok || op.score > best.score) {
			best, ok = op, true
		}
	}
}

func (s *state) chance() float64 { return s.heat * gumbel[s.rng.Uint32()>>(32-gumbelBits)] }

// gumbel are the quantiles of the standard Gumbel distribution: an even draw of one of them does for a
// draw of the distribution.
var gumbel = func() (q [1 << gumbelBits]float64) {
	for i := range q {
		q[i] = -math.Log(-math.Log((float64(i) + 0.5) / float64(len(q))))
	}
	return q
}()

const gumbelBits = 14

// respond gives an agent the shifts that save most against everybody else's, best first.
func (s *state) respond(a int) {
	s.options = s.options[:0]
	for d := range s.m.days {
		s.findOptions(a, d)
	}
	for {
		op, ok := s.takeBest(a)
		if !ok {
			return
		}
		s.put(a, op)
		kept := s.options[:0]
		for _, x := range s.options {
			if x.day != op.day && x.score > 1e-9 {
				kept = append(kept, x)
			}
		}
		s.options = kept
	}
}

// construct makes a roster out of one in fractions: agents in random order take their fractions out and
// respond with the whole shifts that save most beside those of everybody else. With a dive the fractions
// of those to come are balanced again from time to time, so that they make up for what whole shifts spoil;
// afterwards nothing is left of the fractions.
func (s *state) construct(f *fluid, dive bool) {
	s.flow = f
	heads := slices.Clone(f.heads)
	hope := make([]float64, len(f.heads))
	all := func() {
		for i := range hope {
			hope[i] = s.hopes(i)
		}
	}
	changed := func(i int) { hope[i] = s.hopes(i) }
	w, block := f.r.workers[0], len(s.place)/diveBlocks+1
	for n, a := range s.rng.Perm(len(s.place)) {
		switch {
		case n == 0:
			all()
		case dive && n%block == 0:
			f.rebalance()
			all()
		}
		f.takeOut(a, changed)
		f.done[a] = dive
		s.adopt(a, w, hope, f.r)
		s.respond(a)
		f.putIn(a, s, changed)
	}
	if !dive {
		f.heads = heads
	}
	s.flow = nil
	s.cost = s.account().Total()
}

// diveBlocks is how often the fractions are balanced again in a dive.
const diveBlocks = 20

// adopt gives an agent with empty days the roster that earns most at the prices, as far as it is legal.
func (s *state) adopt(a int, w *planner, price []float64, r *relaxation) {
	w.planWithin(a, price, &r.terms[a], &r.duals[a], 0.15*r.minute)
	for i := len(w.picks) - 1; i >= 0; i-- {
		p := &w.picks[i]
		if s.fits(a, p.day, p.at) {
			c := &s.m.agents[a].choices[p.day][p.at]
			s.put(a, option{day: p.day, at: p.at, pause: p.pause, tired: s.m.tired(&s.m.occ[p.day][c.occ], &p.pause, s.m.agents[a].cloud)})
		}
	}
}

// fits reports whether a choice breaks no hard rule beside what the agent works already, and the site has a
// seat for it.
func (s *state) fits(a, day int, at int16) bool {
	occ := s.m.agents[a].choices[day][at].occ
	if !s.room(a, &s.m.occ[day][occ]) {
		return false
	}
	return !s.overMost(a, &s.m.occ[day][occ]) && s.judges[a].Broken(s.dutiesOf(a, day, occ)) == nil
}

// overMost reports that a shift would take an agent beyond the most that it may work.
func (s *state) overMost(a int, o *occurrence) bool {
	limit := int32(s.m.p.Agents[a].MaxWork / time.Minute)
	return limit > 0 && s.work[a]+o.duty.Work > limit
}

// dived is the cheaper of a roster and one that a dive makes, while more says so. Nothing is left of the
// fractions then but their mixtures.
func (s *state) dived(f *fluid, rng *rand.Rand, more func() bool) *state {
	if !more() {
		return s
	}
	next := newState(s.m, rng)
	next.construct(f, true)
	next.replanAll(f.r, more)
	if next.cost < s.cost {
		return next
	}
	return s
}

// replanAll lets everybody replan, in random order, until that saves less than a thousandth or more
// says no.
func (s *state) replanAll(r *relaxation, more func() bool) {
	for before := math.Inf(1); s.cost < 0.999*before && more(); {
		before = s.cost
		for _, a := range s.rng.Perm(len(s.place)) {
			if more() {
				s.replan(a, r.workers[0], r)
			}
		}
		s.cost = s.account().Total()
	}
}

// replan gives an agent the roster that saves most beside everybody else's, when that is cheaper.
func (s *state) replan(a int, w *planner, r *relaxation) bool {
	before, old := s.cost, make([]option, len(s.m.days))
	s.planAgent(a, old)
	for d := range old {
		if old[d].at >= 0 {
			s.clear(a, d)
		}
	}
	for t := range s.m.inside {
		s.pool.worths(t)
	}
	s.adopt(a, w, s.pool.worth[:s.m.inside*len(s.m.queues)], r)
	s.respond(a)
	if s.cost < before-1e-6 {
		return true
	}
	for d := range old {
		if s.place[a][d].occ >= 0 {
			s.clear(a, d)
		}
	}
	for d := range old {
		s.set(a, old[d])
	}
	s.cost = before
	return false
}

// takeOut removes an agent's fractions and tells the cells that changed.
func (f *fluid) takeOut(a int, changed func(cell int)) {
	width, skills := len(f.r.m.queues), f.skills[a]
	for i, x := range f.share[a] {
		if x != 0 {
			cell := i/len(skills)*width + int(skills[i%len(skills)])
			f.heads[cell] -= float64(x)
			changed(cell)
		}
	}
}

// putIn adds an agent's whole shifts, slot by slot on the queue where they save most, and tells the cells
// that changed.
func (f *fluid) putIn(a int, s *state, changed func(cell int)) {
	m := f.r.m
	for d := range m.days {
		op := s.option(a, d)
		if op.at < 0 {
			continue
		}
		p := pick{d, op.at, op.pause}
		m.eachSlot(a, &p, func(t int) {
			best, most := -1, math.Inf(-1)
			for _, q := range m.agents[a].skills[d] {
				if v := s.hopes(t*len(m.queues) + int(q)); v > most {
					best, most = t*len(m.queues)+int(q), v
				}
			}
			f.heads[best]++
			changed(best)
		})
	}
}
