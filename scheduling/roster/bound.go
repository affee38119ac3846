package roster

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// relaxation computes a lower bound by Lagrangian relaxation (Geoffrion 1974; Fisher 1981): the link
// "heads on a queue in a slot = agents assigned to it" is priced with one multiplier per slot and
// queue. What remains falls apart into one convex function per slot and one choice of shifts per
// agent. The latter is relaxed further to what binds most (workterms.go): at most one shift a day, the
// hours and the rest day of each week, rest between shifts and runs of days. It is solved exactly by
// dynamic programming (rowplan.go), so the value is a true bound for any multipliers. Ceilings of a
// month and convex costs per agent (fairness, hours below MinWork) get multipliers of their own.
type relaxation struct {
	m         *model
	price     []float64 // yuan per slot and queue
	heads     []float64 // what the relaxed agents supply less what the slots take
	direction []float64 // smoothed heads
	smooth    []float64
	groups    [][]int32
	terms     []workTerms // per agent
	duals     []agentDual
	values    []float64 // per agent, of the last evaluation
	workers   []*planner
	least     float64 // cost that every roster pays
	minute    float64 // mean yuan per missing head-minute
	best      float64
}

// agentDual are the multipliers of one agent's convex costs, with what they are steered by.
type agentDual struct {
	weekend, night float64 // yuan per shift
	hour           float64 // yuan per minute of work, the credit for MinWork
	weekends       float64 // smoothed counts of the relaxed rosters
	nights         float64
	meters         []float64 // yuan per minute beyond a ceiling of workTerms
	steer          []rudder  // per meter
	hourSteer      rudder
	hourCentre     float64 // of the proximal terms of fluid
	meterCentres   []float64
}

// rudder is the size of the steps of a multiplier: it grows while they go one way and shrinks when they
// turn (Riedmiller & Braun 1993, resilient propagation).
type rudder struct {
	step float64
	up   bool
}

// towards is the next step upwards along a supergradient, at most a twentieth of scale.
func (s *rudder) towards(gradient, scale float64) float64 {
	switch {
	case gradient == 0:
		return 0
	case s.step == 0:
		s.step = 0.01 * scale
	case s.up == (gradient > 0):
		s.step = min(1.2*s.step, 0.05*scale)
	default:
		s.step = max(0.5*s.step, 1e-3*scale)
	}
	if s.up = gradient > 0; s.up {
		return s.step
	}
	return -s.step
}

// newRelaxation starts with prices that a roster suggests: a missing head is worth its value, an
// exactly met slot half of it, a surplus nothing.
func newRelaxation(m *model, threads int) *relaxation {
	n := m.inside * len(m.queues)
	r := &relaxation{
		m: m, price: make([]float64, n), heads: make([]float64, n), direction: make([]float64, n), smooth: make([]float64, n),
		duals: make([]agentDual, len(m.agents)), values: make([]float64, len(m.agents)), best: math.Inf(-1),
	}
	for i := range r.price {
		if m.target[i] > m.covered[i] {
			r.price[i] = m.value[i] / 2
		}
	}
	sum, cells := 0.0, 0
	for i, target := range m.target[:n] {
		if target > 0 {
			sum, cells = sum+m.value[i]*m.perHour/60, cells+1
		}
	}
	r.minute = sum / float64(max(1, cells))
	weeks := weekSpans(m)
	rest := m.restClasses()
	empty := newState(m, nil)
	for a := range m.agents {
		r.terms = append(r.terms, m.workTerms(a, weeks))
		r.least += float64(m.p.Weights.SoftRule) * float64(empty.softRules(a)-int(empty.soft[a]))
		for d := range m.days {
			if !m.agents[a].locked[d] {
				r.least += m.agents[a].dayCost(m, d, -1)
			}
		}
		am, ledger, w := &m.agents[a], m.p.Agents[a].Ledger, m.p.Weights.Fairness
		r.least += w * float64(am.weekends*am.weekends-ledger.Weekends*ledger.Weekends+am.nights*am.nights-ledger.Nights*ledger.Nights)
		r.duals[a] = agentDual{weekend: 2 * w * float64(am.weekends), night: 2 * w * float64(am.nights), meters: make([]float64, len(r.terms[a].meters)), steer: make([]rudder, len(r.terms[a].meters)), meterCentres: make([]float64, len(r.terms[a].meters))}
	}
	for range max(1, threads) {
		r.workers = append(r.workers, newPlanner(m, weeks, rest))
	}
	return r
}

// settle lets the fractions go on while more says so, and takes the bound at their centres.
func (r *relaxation) settle(f *fluid, more func() bool) {
	left := more()
	if left {
		f.restore()
	}
	for left {
		for n := 0; left && n < 4; n++ {
			f.run(once())
			left = more()
		}
		r.take(f)
		f.reprice()
	}
	copy(r.price, f.centre)
}

// take takes the bound at the centres of the fractions.
func (r *relaxation) take(f *fluid) {
	copy(r.price, f.centre)
	r.best = max(r.best, r.evaluate())
}

// once says yes once.
func once() func() bool {
	n := 0
	return func() bool {
		n++
		return n == 1
	}
}

// improve takes deflected subgradient steps (Camerini, Fratta & Maffioli 1975) towards a level above
// the best value, which comes nearer when it proves too high (Goffin & Kiwiel 1999), while more says
// so; any number of rounds gives a valid bound.
func (r *relaxation) improve(known float64, more func() bool) {
	top := slices.Clone(r.price)
	ahead, stale := 0.01, 0
	for more() {
		value := r.evaluate()
		switch {
		case value > r.best:
			if value > r.best+0.3*ahead*math.Abs(r.best) {
				ahead = min(ahead*1.2, 0.2)
			}
			r.best, stale = value, 0
			copy(top, r.price)
		default:
			if stale++; stale >= 10 {
				ahead, stale = ahead*0.7, 0
				copy(r.price, top)
				clear(r.direction)
				continue
			}
		}
		if known-r.best <= 1e-6*math.Abs(r.best) {
			return
		}
		target := min(known, r.best+ahead*math.Abs(r.best)+1)
		r.spread()
		norm := 0.0
		for i, g := range r.smooth {
			norm += g * r.heads[i]
			r.direction[i] = 0.7*r.direction[i] + 0.3*g
		}
		r.move((target - value) / max(norm, 1e-9))
	}
	copy(r.price, top)
}

// bound is the best value so far; costs are never negative.
func (r *relaxation) bound() float64 { return max(0, r.best*(1-1e-9)) }

// evaluate returns the bound at the current prices and fills heads. The agents are shared out among
// the workers; heads are whole numbers, so their sum does not depend on the order.
func (r *relaxation) evaluate() float64 {
	m := r.m
	var next atomic.Int64
	var wg sync.WaitGroup
	const block = 16
	for _, w := range r.workers {
		wg.Go(func() {
			clear(w.heads)
			for {
				from := int(next.Add(block)) - block
				if from >= len(m.agents) {
					return
				}
				for a := from; a < min(from+block, len(m.agents)); a++ {
					r.values[a] = r.agent(w, a)
				}
			}
		})
	}
	wg.Wait()
	value := r.least
	for _, v := range r.values {
		value += v
	}
	for i, price := range r.price {
		supply := 0.0
		for _, w := range r.workers {
			supply += w.heads[i]
		}
		n, v := m.cheapestHeads(i, price)
		value += v
		r.heads[i] = supply - float64(n)
	}
	return value
}

// agent is the least that one agent's relaxed roster costs at the prices, and steers its duals.
func (r *relaxation) agent(w *planner, a int) float64 {
	m := r.m
	reward := w.plan(a, r.price, &r.terms[a], &r.duals[a])
	for i := range w.picks {
		p := &w.picks[i]
		skills := m.agents[a].skills[p.day]
		m.eachSlot(a, p, func(t int) {
			w.heads[t*len(m.queues)+int(bestOf(r.price[t*len(m.queues):], skills))]++
		})
	}
	return r.personal(w, a) - reward
}

// personal is what the convex costs of an agent add to the bound at its duals, which are then
// steered towards what the planned roster works.
func (r *relaxation) personal(w *planner, a int) (value float64) {
	m, u, agent := r.m, &r.duals[a], &r.m.p.Agents[a]
	days := len(m.days)
	value += leastSquare(m.p.Weights.Fairness, m.agents[a].weekends, days, u.weekend)
	value += leastSquare(m.p.Weights.Fairness, m.agents[a].nights, days, u.night)
	u.weekends += 0.1 * (float64(w.weekends) - u.weekends)
	u.nights += 0.1 * (float64(w.nights) - u.nights)
	u.weekend = 2 * m.p.Weights.Fairness * (float64(m.agents[a].weekends) + u.weekends)
	u.night = 2 * m.p.Weights.Fairness * (float64(m.agents[a].nights) + u.nights)
	if least := agent.MinWork.Minutes() - float64(m.agents[a].lockWork); least > 0 {
		value += u.hour * least
		most := m.p.Weights.MinWork / 60
		u.hour = min(most, max(0, u.hour+u.hourSteer.towards(least-float64(w.work), most)))
	}
	for k := range r.terms[a].meters {
		u.meters[k] = max(0, u.meters[k]+u.steer[k].towards(float64(w.used[k]-r.terms[a].meters[k].aim(u.meters[k])), r.minute))
	}
	return value
}

// bestOf is the skill with the highest price.
func bestOf(row []float64, skills []int16) int16 {
	best := skills[0]
	for _, q := range skills[1:] {
		if row[q] > row[best] {
			best = q
		}
	}
	return best
}

// leastSquare minimises weight * ((before+n)² - before²) - price * n over whole n from 0 to most.
func leastSquare(weight float64, before, most int, price float64) float64 {
	least := 0.0
	for n := 1; n <= most; n++ {
		least = min(least, weight*float64(n*(2*before+n))-price*float64(n))
	}
	return least
}

// cheapestHeads minimises slot cost + price * heads over the heads that unlocked shifts may give.
func (m *model) cheapestHeads(i int, price float64) (n int16, value float64) {
	n = m.wanted(i, m.covered[i], price) - m.covered[i]
	short, over := m.slotCost(i, m.covered[i]+n)
	return n, short + over + price*float64(n)
}
