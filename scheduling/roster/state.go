package roster

import (
	"math/rand/v2"
	"slices"

	"github.com/chaoban/chaoban/scheduling/workrules"
)

const maxPauses = 6

// placement is what an agent does on a day; occ -1 is a day off.
type placement struct {
	occ   int16
	pause [maxPauses]int16 // start of each pause, slots after the start of the shift
	queue []int16          // per slot of the shift: queue, or -1 in a pause
}

// state is a roster under construction with its cost, updated by place and clear.
type state struct {
	m        *model
	rng      *rand.Rand
	judges   []*workrules.Judge
	cover    []int16
	place    [][]placement // [agent][day]
	work     []int32       // minutes in the range, locked included
	nights   []int32       // ledger included
	weekends []int32
	soft     []int32 // broken soft duty rules
	cost     float64
	gain     []float64 // scratch: prefix sums of the best gain per slot of a window
	duties   []workrules.Duty
	options  []option
}

// option is a possible shift for an agent.
type option struct {
	day   int
	occ   int16
	pause [maxPauses]int16
	score float64 // yuan saved
}

func newState(m *model, rng *rand.Rand) *state {
	s := &state{m: m, rng: rng, cover: slices.Clone(m.covered)}
	n := len(m.agents)
	s.work, s.nights, s.weekends, s.soft = make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range m.agents {
		a := &m.p.Agents[i]
		s.judges = append(s.judges, workrules.NewJudge(m.frame, a.Person))
		s.work[i] = m.agents[i].lockWork
		s.nights[i], s.weekends[i] = int32(a.Ledger.Nights), int32(a.Ledger.Weekends)
		days := make([]placement, len(m.days))
		buffer := make([]int16, m.longest*len(m.days))
		for d := range days {
			days[d] = placement{occ: -1, queue: buffer[d*m.longest : d*m.longest : (d+1)*m.longest]}
		}
		s.place = append(s.place, days)
		s.soft[i] = int32(s.judges[i].SoftCount(m.agents[i].fixed))
	}
	s.cost = s.account().Total()
	return s
}

// copyFrom makes s equal to another state of the same model, except for its random source.
func (s *state) copyFrom(o *state) {
	copy(s.cover, o.cover)
	copy(s.work, o.work)
	copy(s.nights, o.nights)
	copy(s.weekends, o.weekends)
	copy(s.soft, o.soft)
	for a := range s.place {
		for d := range s.place[a] {
			s.place[a][d].set(&o.place[a][d])
		}
	}
	s.cost = o.cost
}

func (p *placement) set(o *placement) {
	p.occ, p.pause = o.occ, o.pause
	p.queue = append(p.queue[:0], o.queue...)
}

// saving is the yuan saved by one more head on a queue in a slot that now has n heads.
func (m *model) saving(i int, n int16) float64 {
	target := m.target[i]
	if n >= target {
		return -m.p.Weights.Over / m.perHour
	}
	short := float64(target - n)
	return m.value[i] * (1 + m.p.Weights.Depth*(short-1)/float64(target))
}

// slotCost is the yuan lost in a slot of a queue with n heads.
func (m *model) slotCost(i int, n int16) (short, over float64) {
	target := m.target[i]
	if n >= target {
		return 0, m.p.Weights.Over / m.perHour * float64(n-target)
	}
	k := float64(target - n)
	return m.value[i] * (k + m.p.Weights.Depth*k*(k-1)/2/float64(target)), 0
}

// put places a shift and updates the cost.
func (s *state) put(a int, op option) {
	m := s.m
	p := &s.place[a][op.day]
	o := &m.occ[op.day][op.occ]
	s.cost += s.personal(a, op.day, op.occ)
	p.occ, p.pause, p.queue = op.occ, op.pause, p.queue[:o.len]
	last := int16(-1)
	next := 0
	for i := 0; i < o.len; i++ {
		for next < len(o.pauses) && i >= int(p.pause[next])+o.pauses[next].len {
			next++
		}
		if next < len(o.pauses) && i >= int(p.pause[next]) {
			p.queue[i] = -1
			continue
		}
		q := s.bestQueue(a, op.day, o.start+i, last)
		p.queue[i], last = q, q
		if t := o.start + i; t < m.inside {
			k := t*len(m.queues) + int(q)
			s.cost -= m.saving(k, s.cover[k])
			s.cover[k]++
		}
	}
	s.count(a, op.day, o, 1)
}

// bestQueue picks the queue with the largest saving, staying on the last one when it is as good.
func (s *state) bestQueue(a, day, t int, last int16) int16 {
	m := s.m
	skills := m.agents[a].skills[day]
	if t >= m.inside {
		if last >= 0 {
			return last
		}
		return skills[0]
	}
	base := t * len(m.queues)
	best, most := skills[0], -1e300
	for _, q := range skills {
		v := m.saving(base+int(q), s.cover[base+int(q)])
		if v > most || v == most && q == last {
			best, most = q, v
		}
	}
	return best
}

// restore puts an earlier placement back exactly as it was.
func (s *state) restore(a, day int, old *placement) {
	if s.place[a][day].occ >= 0 {
		s.clear(a, day)
	}
	if old.occ < 0 {
		return
	}
	m := s.m
	o := &m.occ[day][old.occ]
	s.cost += s.personal(a, day, old.occ)
	s.place[a][day].set(old)
	for i, q := range old.queue {
		if t := o.start + i; q >= 0 && t < m.inside {
			k := t*len(m.queues) + int(q)
			s.cost -= m.saving(k, s.cover[k])
			s.cover[k]++
		}
	}
	s.count(a, day, o, 1)
}

// clear takes a shift away and updates the cost.
func (s *state) clear(a, day int) {
	m := s.m
	p := &s.place[a][day]
	o := &m.occ[day][p.occ]
	for i, q := range p.queue {
		if t := o.start + i; q >= 0 && t < m.inside {
			k := t*len(m.queues) + int(q)
			s.cover[k]--
			s.cost += m.saving(k, s.cover[k])
		}
	}
	occ := p.occ
	p.occ, p.queue = -1, p.queue[:0]
	s.count(a, day, o, -1)
	s.cost -= s.personal(a, day, occ)
}

func (s *state) count(a, day int, o *occurrence, by int32) {
	s.work[a] += by * o.duty.Work
	if o.duty.Night {
		s.nights[a] += by
	}
	if s.m.weekend[day] {
		s.weekends[a] += by
	}
	now := int32(s.judges[a].SoftCount(s.dutiesOf(a, -1, 0)))
	s.cost += s.m.p.Weights.SoftRule * float64(now-s.soft[a])
	s.soft[a] = now
}

// personal is the cost that a shift adds for its agent, apart from coverage and soft rules, when
// the day is still empty.
func (s *state) personal(a, day int, occ int16) float64 {
	m := s.m
	w := &m.p.Weights
	agent := &m.p.Agents[a]
	o := &m.occ[day][occ]
	cost := w.Wage * agent.Wage * float64(o.duty.Work) / 60
	if least := float64(agent.MinWork.Minutes()); least > 0 {
		before, after := float64(s.work[a]), float64(s.work[a]+o.duty.Work)
		cost -= w.MinWork / 60 * (min(least, after) - min(least, before))
	}
	if o.duty.Night {
		cost += w.Fairness * float64(2*s.nights[a]+1)
	}
	if m.weekend[day] {
		cost += w.Fairness * float64(2*s.weekends[a]+1)
	}
	am := &m.agents[a]
	if len(am.wishes[day]) > 0 {
		cost += am.wishCost(day, int16(o.template)) - am.wishCost(day, -1)
	}
	if len(m.p.Previous) > 0 {
		cost += w.Stability * (differs(am.previous[day], int16(o.template)) - differs(am.previous[day], -1))
	}
	return cost
}

func differs(a, b int16) float64 {
	if a == b {
		return 0
	}
	return 1
}

// dutiesOf lists an agent's duties in order, with the occurrence put on a day (-1: as it is).
func (s *state) dutiesOf(a, day int, occ int16) []workrules.Duty {
	m := s.m
	out := s.duties[:0]
	fixed := m.agents[a].fixed
	for d := range s.place[a] {
		k := s.place[a][d].occ
		if d == day {
			k = occ
		}
		if k < 0 {
			continue
		}
		duty := m.occ[d][k].duty
		for len(fixed) > 0 && fixed[0].Start <= duty.Start {
			out = append(out, fixed[0])
			fixed = fixed[1:]
		}
		out = append(out, duty)
	}
	out = append(out, fixed...)
	s.duties = out
	return out
}

// account adds the cost up from nothing; tests hold the running cost against it.
func (s *state) account() (p Parts) {
	m := s.m
	for i := range m.target[:m.inside*len(m.queues)] {
		short, over := m.slotCost(i, s.cover[i])
		p.Short += short
		p.Over += over
	}
	w := &m.p.Weights
	for a := range m.agents {
		agent, am := &m.p.Agents[a], &m.agents[a]
		p.MinWork += w.MinWork * max(0, agent.MinWork.Hours()-float64(s.work[a])/60)
		p.Fairness += w.Fairness * (square(s.nights[a]) - square(int32(agent.Ledger.Nights)))
		p.Fairness += w.Fairness * (square(s.weekends[a]) - square(int32(agent.Ledger.Weekends)))
		p.SoftRules += w.SoftRule * float64(s.soft[a])
		for d := range m.days {
			template := int16(-1)
			if k := s.place[a][d].occ; k >= 0 {
				o := &m.occ[d][k]
				template = int16(o.template)
				p.Wages += w.Wage * agent.Wage * float64(o.duty.Work) / 60
			}
			if am.locked[d] {
				continue // neither wish nor stability can change what is locked
			}
			p.Preference += am.wishCost(d, template)
			if len(m.p.Previous) > 0 {
				p.Stability += w.Stability * differs(am.previous[d], template)
			}
		}
	}
	return p
}

func square(n int32) float64 { return float64(n) * float64(n) }
