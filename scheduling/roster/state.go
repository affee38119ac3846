package roster

import (
	"math"
	"math/rand/v2"

	"github.com/chaoban/chaoban/scheduling/workrules"
)

const maxPauses = 6

// placement is what an agent does on a day; occ -1 is a day off.
type placement struct {
	occ   int16
	at    int16            // index of the choice
	tired int16            // soft rules that the pauses break
	pause [maxPauses]int16 // start of each pause, slots after the start of the shift
	queue []int16          // per slot of the shift: queue, or -1 in a pause
}

// state is a roster under construction with its cost, updated by place and clear.
type state struct {
	m        *model
	rng      *rand.Rand
	judges   []*workrules.Judge
	pool     *pool
	cover    []int16       // heads per slot and queue, of the pool
	place    [][]placement // [agent][day]
	work     []int32       // minutes in the range, locked included
	nights   []int32       // ledger and locked included
	weekends []int32
	soft     []int32   // broken soft rules between the shifts
	seated   [][]int16 // per site and slot: people with a shift
	paid     []float64 // yuan of premiums, of what is fixed too
	cost     float64
	gain     []float64 // scratch: prefix sums of the best gain per slot of a window
	full     []int16   // scratch: prefix sums of full slots of a site
	pauses   pausePlan
	lightest [][]int16 // [agent][day]: the choice with the least work, -1 none
	duties   []workrules.Duty
	options  []option
	heat     float64 // yuan of chance in a choice
	flow     *fluid  // while a first roster is made
}

// option is a possible shift for an agent.
type option struct {
	day   int
	at    int16 // index of the choice
	tired int16
	pause [maxPauses]int16
	score float64 // yuan saved
}

func newState(m *model, rng *rand.Rand) *state {
	s := &state{m: m, rng: rng, pool: newPool(m)}
	s.cover = s.pool.cover
	n := len(m.agents)
	s.work, s.nights, s.weekends, s.soft = make([]int32, n), make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range m.agents {
		s.judges = append(s.judges, workrules.NewJudge(m.frame, m.p.Agents[i].Person))
		s.work[i] = m.agents[i].lockWork
		s.nights[i], s.weekends[i] = int32(m.agents[i].nights), int32(m.agents[i].weekends)
		days := make([]placement, len(m.days))
		buffer := make([]int16, m.longest*len(m.days))
		for d := range days {
			days[d] = placement{occ: -1, queue: buffer[d*m.longest : d*m.longest : (d+1)*m.longest]}
		}
		s.place = append(s.place, days)
		s.soft[i] = int32(s.judges[i].SoftBetween(m.agents[i].fixed))
		s.lightest = append(s.lightest, m.lightest(i))
		s.paid = append(s.paid, m.agents[i].basePaid)
	}
	for range m.free {
		s.seated = append(s.seated, make([]int16, m.slots))
	}
	s.cost = s.account().Total()
	return s
}

// view is the same roster for another goroutine: what it changes is shared, its cost and its working
// memory are its own. Two views may work at the same time when no agent and no slot is common to both.
func (s *state) view(rng *rand.Rand) *state {
	v, p := *s, *s.pool
	p.scratch = newScratch(s.m)
	v.rng, v.pool = rng, &p
	v.gain, v.full, v.pauses, v.duties, v.options = nil, nil, pausePlan{}, nil, nil
	return &v
}

// plan is a roster without its queues: per agent and day the shift, at -1 for a day off.
type plan [][]option

func (s *state) plan() plan {
	out := make(plan, len(s.place))
	for a := range s.place {
		out[a] = make([]option, len(s.m.days))
		s.planAgent(a, out[a])
	}
	return out
}

// planAgent writes one agent's row.
func (s *state) planAgent(a int, row []option) {
	for d := range row {
		row[d] = s.option(a, d)
	}
}

// option is what an agent does on a day.
func (s *state) option(a, d int) option {
	p := &s.place[a][d]
	if p.occ < 0 {
		return option{day: d, at: -1}
	}
	return option{day: d, at: p.at, tired: p.tired, pause: p.pause}
}

// follow makes s the roster of a plan. People may sit on other queues; coverage costs the same.
func (s *state) follow(p plan) {
	for a := range p {
		for _, op := range p[a] {
			s.set(a, op)
		}
	}
	s.cost = s.account().Total()
}

// set makes an agent do exactly this on its day.
func (s *state) set(a int, op option) {
	if s.place[a][op.day].occ >= 0 {
		s.clear(a, op.day)
	}
	if op.at >= 0 {
		s.put(a, op)
	}
}

// put places a shift and updates the cost.
func (s *state) put(a int, op option) {
	m := s.m
	p := &s.place[a][op.day]
	c := &m.agents[a].choices[op.day][op.at]
	o := &m.occ[op.day][c.occ]
	s.cost += s.personal(a, op.day, c) + m.p.Weights.SoftRule*float64(op.tired)
	p.occ, p.at, p.tired, p.pause, p.queue = c.occ, op.at, op.tired, op.pause, p.queue[:o.len]
	last := m.agents[a].skills[op.day][0]
	next := 0
	for i := 0; i < o.len; i++ {
		for next < len(o.pauses) && i >= int(p.pause[next])+o.pauses[next].len {
			next++
		}
		switch t := o.start + i; {
		case next < len(o.pauses) && i >= int(p.pause[next]):
			p.queue[i] = -1
		case t >= m.inside:
			p.queue[i] = last
		default:
			s.cost -= s.pool.add(s, seat{int32(a), int16(op.day), int16(i)}, t, last)
			last = p.queue[i]
		}
	}
	s.count(a, op.day, c, 1)
}

// clear takes a shift away and updates the cost.
func (s *state) clear(a, day int) {
	m := s.m
	p := &s.place[a][day]
	o := &m.occ[day][p.occ]
	for i, q := range p.queue {
		if t := o.start + i; q >= 0 && t < m.inside {
			s.cost += s.pool.remove(s, seat{int32(a), int16(day), int16(i)}, t)
		}
	}
	p.occ, p.queue = -1, p.queue[:0]
	c := &m.agents[a].choices[day][p.at]
	s.count(a, day, c, -1)
	s.cost -= s.personal(a, day, c) + m.p.Weights.SoftRule*float64(p.tired)
}

func (s *state) count(a, day int, c *choice, by int32) {
	o := &s.m.occ[day][c.occ]
	s.sit(a, o, int16(by))
	s.work[a] += by * o.duty.Work
	if o.duty.Night {
		s.nights[a] += by
	}
	if s.m.weekend[day] {
		s.weekends[a] += by
	}
	duties := s.dutiesOf(a, -1, 0)
	now, paid := int32(s.judges[a].SoftBetween(duties)), s.m.paid(a, s.judges[a], duties)
	s.cost += s.m.p.Weights.SoftRule*float64(now-s.soft[a]) + paid - s.paid[a] - float64(by)*c.premium
	s.soft[a], s.paid[a] = now, paid
}

// personal is the cost that a shift adds for its agent on an empty day, apart from coverage, its
// pauses, and the soft rules and premiums that come from other shifts.
func (s *state) personal(a, day int, c *choice) float64 {
	m := s.m
	w := &m.p.Weights
	o := &m.occ[day][c.occ]
	cost := c.own
	if least := float64(m.p.Agents[a].MinWork.Minutes()); least > 0 {
		before, after := float64(s.work[a]), float64(s.work[a]+o.duty.Work)
		cost -= w.MinWork / 60 * (min(least, after) - min(least, before))
	}
	if o.duty.Night {
		cost += w.Fairness * float64(2*s.nights[a]+1)
	}
	if m.weekend[day] {
		cost += w.Fairness * float64(2*s.weekends[a]+1)
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
		if d != day {
			duty = m.dutyOf(&m.occ[d][k], &s.place[a][d].pause)
		}
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

// lightest is the choice with the least work of each day of an agent, -1 for none.
func (m *model) lightest(a int) []int16 {
	out := make([]int16, len(m.days))
	for d := range out {
		out[d] = -1
		least := int32(math.MaxInt32)
		for i := range m.agents[a].choices[d] {
			if work := m.occ[d][m.agents[a].choices[d][i].occ].duty.Work; work < least {
				out[d], least = int16(i), work
			}
		}
	}
	return out
}

// byWork are the hard rules that look at nothing but the days worked and the work done on them: a day
// on which they refuse some work takes no more of it either.
var byWork = map[string]bool{
	"hours.weekly": true, "hours.overtime_weekly": true, "hours.overtime_monthly": true, "hours.part_time_weekly": true,
	"hours.comprehensive_period": true, "hours.comprehensive_overtime": true, "agreement.week": true,
	"days.consecutive": true, "interns.rest_days": true, "rest.weekly_day": true,
}

// barred reports that an empty day of an agent takes no shift, which most days off show at their
// lightest one. A night shift is no witness, since it takes the next day's rest too.
func (s *state) barred(a, day int) bool {
	if s.lightest[a][day] < 0 {
		return true
	}
	occ := s.m.agents[a].choices[day][s.lightest[a][day]].occ
	if s.m.occ[day][occ].duty.Night {
		return false
	}
	r := s.judges[a].Broken(s.dutiesOf(a, day, occ))
	return r != nil && byWork[r.Code]
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
		p.SoftRules += w.SoftRule * float64(s.softRules(a))
		p.Premiums += m.paid(a, s.judges[a], s.dutiesOf(a, -1, 0)) - am.basePaid
		for d := range m.days {
			template := int16(-1)
			if k := s.place[a][d].occ; k >= 0 {
				o := &m.occ[d][k]
				template = int16(o.template)
				p.Wages += am.wage * float64(o.duty.Work) / 60
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

// softRules counts every soft rule that an agent's shifts break.
func (s *state) softRules(a int) int {
	n := s.judges[a].SoftCount(s.dutiesOf(a, -1, 0)) + int(s.m.agents[a].softBase)
	for d := range s.place[a] {
		if p := &s.place[a][d]; p.occ >= 0 {
			n += int(s.m.tired(&s.m.occ[d][p.occ], &p.pause, s.m.agents[a].cloud))
		}
	}
	return n
}

func square(n int32) float64 { return float64(n) * float64(n) }
