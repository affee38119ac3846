package roster

import (
	"math"
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
	for i := range am.choices[day] {
		c := &am.choices[day][i]
		o := &m.occ[day][c.occ]
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
		s.findOptions(a, d)
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
		c := &s.m.agents[a].choices[op.day][op.at]
		occ := c.occ
		if limit := int32(s.m.p.Agents[a].MaxWork / time.Minute); limit > 0 && s.work[a]+s.m.occ[op.day][occ].duty.Work > limit {
			continue
		}
		duties := s.dutiesOf(a, op.day, occ)
		if s.judges[a].Broken(duties) != nil {
			continue
		}
		op.score -= s.m.p.Weights.SoftRule * float64(int32(s.judges[a].SoftBetween(duties))-s.soft[a])
		op.score -= s.paidWith(a, duties, &s.m.occ[op.day][occ], &op.pause) - s.paid[a] - c.premium
		if op.score > off && (!ok || op.score > best.score) {
			best, ok = op, true
		}
	}
}

func (s *state) chance() float64 { return -s.heat * math.Log(-math.Log(1-s.rng.Float64())) }

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

// construct makes a first roster out of one in fractions: agents in random order take their fractions
// out and respond with whole shifts to those of everybody else.
func (s *state) construct(f *fluid) {
	s.flow = f
	for _, a := range s.rng.Perm(len(s.place)) {
		f.takeOut(a)
		s.respond(a)
		f.putIn(a, s)
	}
	s.flow = nil
	s.cost = s.account().Total()
}

// takeOut removes an agent's fractions.
func (f *fluid) takeOut(a int) {
	width, skills := len(f.r.m.queues), f.skills[a]
	for i, x := range f.share[a] {
		if x != 0 {
			f.heads[i/len(skills)*width+int(skills[i%len(skills)])] -= float64(x)
		}
	}
}

// putIn adds an agent's whole shifts, slot by slot on the queue where they save most.
func (f *fluid) putIn(a int, s *state) {
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
		})
	}
}
