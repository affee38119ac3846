package roster

import (
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// boundRounds is the most subgradient steps; each costs about one look at every agent-day.
const boundRounds = 120

// boundShare of a time budget is kept for the bound.
const boundShare = 0.15

// boundLimit decides how many rounds the bound gets: all of them under an iteration budget, what
// time is left under a time budget, and few when the caller is waiting after an interrupt.
func boundLimit(o Options, stopped bool) func(round int) bool {
	return func(round int) bool {
		switch {
		case stopped:
			return round < boundRounds/10
		case o.Time > 0 && o.Iterations == 0:
			return round < boundRounds && (round == 0 || o.Elapsed() < o.Time)
		}
		return round < boundRounds
	}
}

// lagrange computes a lower bound by Lagrangian relaxation (Geoffrion 1974; Fisher 1981): the link
// "heads on a queue in a slot = agents assigned to it" is priced with one multiplier per slot and
// queue. What remains falls apart into one convex function per slot and one choice of shifts per
// agent; the latter is relaxed further to "per day at most one shift, per week at most the legal
// hours" (its own dual, one price per hour), so the value is a true bound for any multipliers.
type lagrange struct {
	m      *model
	s      *state // an empty roster: personal costs and scratch
	price  []float64
	heads  []float64 // per slot and queue, what the relaxed agents supply
	weeks  []int     // per day
	least  float64   // cost that every roster pays
	reward []dayReward
}

// dayReward is what the shifts of one agent-day are worth at the current prices.
type dayReward struct {
	day   int
	items []option // score = reward, work from the occurrence
}

// lowerBound improves the multipliers with deflected subgradient steps (Camerini, Fratta & Maffioli
// 1975) towards the cost of a known roster. They start from what that roster suggests: a missing
// head is worth its value, an exactly met slot half of it, a surplus nothing. more says
// whether another round may follow; any number of rounds gives a valid bound.
func (m *model) lowerBound(known *state, more func(round int) bool) float64 {
	l := &lagrange{m: m, s: newState(m, nil), weeks: weekIndexes(m)}
	l.price = make([]float64, m.inside*len(m.queues))
	l.heads = make([]float64, len(l.price))
	direction := make([]float64, len(l.price))
	for i := range l.price {
		switch n := known.cover[i]; {
		case n < m.target[i]:
			l.price[i] = m.value[i]
		case n == m.target[i] && n > m.covered[i]:
			l.price[i] = m.value[i] / 2
		}
	}
	parts := l.s.account()
	l.least = parts.MinWork + parts.Preference + parts.Stability + parts.SoftRules
	best, step, stale := 0.0, 1.0, 0
	for round := 0; more(round); round++ {
		value := l.evaluate()
		if value > best {
			best, stale = value, 0
		} else if stale++; stale >= 10 {
			step, stale = step*0.7, 0
		}
		if known.cost-best <= 1e-6*known.cost {
			break
		}
		for i, g := range l.heads {
			direction[i] = 0.7*direction[i] + 0.3*g
		}
		l.improve(direction, 0.4*step*(known.cost-value))
	}
	return max(0, best*(1-1e-9))
}

// evaluate returns the bound at the current prices and fills heads.
func (l *lagrange) evaluate() float64 {
	m := l.m
	clear(l.heads)
	value := l.least
	for a := range m.agents {
		value -= l.agent(a)
	}
	for i, price := range l.price {
		n, v := m.cheapestHeads(i, price)
		value += v
		l.heads[i] -= float64(n)
	}
	return value
}

// cheapestHeads minimises slot cost + price * heads over the heads that unlocked shifts may give.
func (m *model) cheapestHeads(i int, price float64) (n int16, value float64) {
	n = max(0, m.target[i]-m.covered[i])
	for n > 0 && m.saving(i, m.covered[i]+n-1) < price {
		n--
	}
	short, over := m.slotCost(i, m.covered[i]+n)
	return n, short + over + price*float64(n)
}

// improve moves the prices along the supgradient (demand minus supply, smoothed) with a given gain in mind.
func (l *lagrange) improve(direction []float64, gain float64) {
	norm := 0.0
	for _, g := range direction {
		norm += g * g
	}
	if norm == 0 {
		return
	}
	step := gain / norm
	low := -l.m.p.Weights.Over / l.m.perHour
	for i, g := range direction {
		high := 0.0
		if l.m.target[i] > 0 {
			high = l.m.value[i] * (1 + l.m.p.Weights.Depth)
		}
		l.price[i] = min(high, max(low, l.price[i]-step*g))
	}
}

// agent returns an upper limit of the reward that one agent's legal shifts can earn, and adds the
// heads of a roster near it.
func (l *lagrange) agent(a int) (total float64) {
	m := l.m
	for d := 0; d < len(m.days); {
		k := d
		l.reward = l.reward[:0]
		for ; k < len(m.days) && l.weeks[k] == l.weeks[d]; k++ {
			if items := l.rewards(a, k); len(items) > 0 {
				l.reward = append(l.reward, dayReward{k, items})
			}
		}
		total += l.week(a, l.weekLimit(a, d, k))
		d = k
	}
	return total
}

// rewards lists the shifts of a day that earn something at the current prices.
func (l *lagrange) rewards(a, day int) []option {
	m, s := l.m, l.s
	am := &m.agents[a]
	if am.locked[day] || len(am.skills[day]) == 0 || len(am.allowed[day]) == 0 {
		return nil
	}
	lo, hi := m.slots, 0
	for _, k := range am.allowed[day] {
		o := &m.occ[day][k]
		lo, hi = min(lo, o.start), max(hi, o.start+o.len)
	}
	s.gain = append(s.gain[:0], 0)
	sum := 0.0
	for t := lo; t < hi; t++ {
		if t < m.inside {
			best := math.Inf(-1)
			for _, q := range am.skills[day] {
				best = max(best, l.price[t*len(m.queues)+int(q)])
			}
			sum += best
		}
		s.gain = append(s.gain, sum)
	}
	var out []option
	for _, k := range am.allowed[day] {
		o := &m.occ[day][k]
		op := option{day: day, occ: k}
		op.score = s.gain[o.start+o.len-lo] - s.gain[o.start-lo] - s.placePauses(o, lo, &op.pause) - l.fewest(a, day, k)
		if op.score > 0 {
			out = append(out, op)
		}
	}
	return out
}

// fewest is the least that a shift can cost its agent whatever else the agent works: the credit
// for hours below MinWork is given in full.
func (l *lagrange) fewest(a, day int, k int16) float64 {
	cost := l.s.personal(a, day, k)
	if agent := &l.m.p.Agents[a]; agent.MinWork > 0 {
		o := &l.m.occ[day][k]
		least, work := agent.MinWork.Minutes(), float64(l.s.work[a])
		given := min(least, work+float64(o.duty.Work)) - min(least, work)
		cost -= l.m.p.Weights.MinWork / 60 * (float64(o.duty.Work) - given)
	}
	return cost
}

// week solves the multiple-choice knapsack of one week by its dual: the least over mu of
// mu * limit + sum over days of max(0, reward - mu * work). The function is convex in mu, so a
// ternary search comes close, and every mu gives a valid limit.
func (l *lagrange) week(a int, limit int32) float64 {
	if len(l.reward) == 0 {
		return 0
	}
	mu := 0.0
	value := l.weekAt(0)
	if limit > 0 {
		// The optimum lies at a breakpoint; the rewards per minute bound it.
		lo, hi := 0.0, 0.0
		for _, d := range l.reward {
			for _, op := range d.items {
				hi = max(hi, op.score/float64(max(1, l.m.occ[d.day][op.occ].duty.Work)))
			}
		}
		for range 16 {
			x, y := lo+(hi-lo)/3, hi-(hi-lo)/3
			if l.weekAt(x)+x*float64(limit) <= l.weekAt(y)+y*float64(limit) {
				hi = y
			} else {
				lo = x
			}
		}
		if v := l.weekAt(hi) + hi*float64(limit); v < value {
			value, mu = v, hi
		}
	}
	l.supply(a, mu, limit)
	return value
}

func (l *lagrange) weekAt(mu float64) (sum float64) {
	for _, d := range l.reward {
		best := 0.0
		for _, op := range d.items {
			best = max(best, op.score-mu*float64(l.m.occ[d.day][op.occ].duty.Work))
		}
		sum += best
	}
	return sum
}

// supply adds the heads of the best shift of each day, best days first, while hours last.
func (l *lagrange) supply(a int, mu float64, limit int32) {
	m := l.m
	var chosen []option
	for _, d := range l.reward {
		best, most := d.items[0], -1.0
		for _, op := range d.items {
			if v := op.score - mu*float64(m.occ[d.day][op.occ].duty.Work); v > most {
				best, most = op, v
			}
		}
		chosen = append(chosen, best)
	}
	slices.SortStableFunc(chosen, func(x, y option) int {
		if x.score > y.score {
			return -1
		}
		return 1
	})
	for _, op := range chosen {
		o := &m.occ[op.day][op.occ]
		if o.duty.Work > limit {
			continue
		}
		limit -= o.duty.Work
		l.supplyShift(a, op, o)
	}
}

func (l *lagrange) supplyShift(a int, op option, o *occurrence) {
	m := l.m
	for i := range o.len {
		t := o.start + i
		if t >= m.inside || o.pausedAt(&op.pause, i) {
			continue
		}
		best, most := int16(0), math.Inf(-1)
		for _, q := range m.agents[a].skills[op.day] {
			if v := l.price[t*len(m.queues)+int(q)]; v > most {
				best, most = q, v
			}
		}
		l.heads[t*len(m.queues)+int(best)]++
	}
}

func (o *occurrence) pausedAt(at *[maxPauses]int16, i int) bool {
	for k, p := range o.pauses {
		if i >= int(at[k]) && i < int(at[k])+p.len {
			return true
		}
	}
	return false
}

// weekLimit is the most working minutes an agent may add in the week of days [from, to): six
// working days (劳动法 §38), and without agreed overtime the normal week. Statutory-holiday work
// comes on top of the normal week.
func (l *lagrange) weekLimit(a, from, to int) int32 {
	m := l.m
	longest, statutory := int32(0), false
	for d := from; d < to; d++ {
		statutory = statutory || m.p.Holidays.Kind(m.days[d]) == calendar.Statutory
		for _, k := range m.agents[a].allowed[d] {
			longest = max(longest, m.occ[d][k].duty.Work)
		}
	}
	limit := 6 * longest
	person, rules := &m.p.Agents[a].Person, &m.p.Rules
	switch {
	case person.Regime == workrules.PartTime:
		limit = min(limit, int32(rules.PartTimeWeek/time.Minute))
	case person.Regime != workrules.Comprehensive && !person.OvertimeAgreed && !statutory:
		limit = min(limit, int32(m.frame.NormalWeek(m.days[from])/time.Minute))
	}
	return limit
}

// weekIndexes numbers the rule weeks of the days.
func weekIndexes(m *model) []int {
	start := m.p.Rules.WeekStartDay()
	out, n := make([]int, len(m.days)), 0
	for d, date := range m.days {
		if d > 0 && date.Weekday() == start {
			n++
		}
		out[d] = n
	}
	return out
}
