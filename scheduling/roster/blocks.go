package roster

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// stays reports that people are to stay on a queue: by the least block, or because a change has a price.
func (m *model) stays() bool { return m.block > 1 || m.p.Weights.Switch > 0 }

// stay gives every shift the queues that cost least with the changes of queue counted and no block
// shorter than the model's. It starts from the settled roster. One shift given all others is solved exactly
// (queuePlan). The first pass makes every shift keep the blocks and more take each shift's best until
// none gains. Then at falling temperatures the queues of shifts are drawn by their Boltzmann weight (Gibbs
// sampling of whole paths, Geman & Geman 1984), and where blocks bind the shift of every agent-day as well: the
// search chose it as if people changed queue in every slot. Rounds without heat follow, in which pairs of
// shifts change queues together too, while they gain. The best roster after each of these phases is what
// stays, so nothing after the first pass raises the cost. spent tells the share of the time that some work has
// used; 1 ends it. Afterwards the pool passes nobody on any more.
func (s *state) stay(seed uint64, spent func(work int) float64, tell func(cost float64)) {
	y := &staying{s: s, rng: rand.New(rand.NewPCG(seed, 0x5bd1e995)), plan: queuePlan{block: max(1, s.m.block), price: s.m.p.Weights.Switch}, slack: s.m.slackOf()}
	y.list()
	y.sweep(0, true)
	y.descend()
	y.remember()
	tell(s.account().Total())
	work := 0
	for ; spent(work) < drawnUntil; work++ {
		y.sweep(y.heat(spent(work)/drawnUntil), false)
	}
	y.descend()
	y.better()
	tell(s.account().Total())
	s.pool.hold(s)
	more := func() bool { return spent(work) < 1 }
	for s.m.block > 1 && spent(work) < heatedUntil {
		heat := y.heat((spent(work) - drawnUntil) / (heatedUntil - drawnUntil))
		y.reshift(heat, more)
		y.list()
		y.sweep(heat, false)
		s.pool.hold(s)
		work += heatedWork
	}
	for gained := true; gained && more(); work += roundWork {
		for range exchanges {
			y.exchange()
		}
		y.descend()
		s.pool.hold(s)
		gained = y.reshift(0, more)
		y.list()
	}
	y.better()
	s.pool.hold(s)
	s.cost = s.account().Total()
	tell(s.cost)
}

// The temperature falls from a share of what a missing head costs in a slot to a share of that share. Without
// blocks the settled roster covers as well as can be, and more heat only spoils it.
const (
	hotQueues  = 0.15
	hotPrices  = 0.05
	coldQueues = 0.07
)

// The phases as shares of the time. An iteration budget has a number of passes that grows with it; a pass in
// which shifts are drawn, and a round without heat, count as several.
const (
	drawnUntil  = 0.2
	heatedUntil = 0.85
	exchanges   = 10 // of each shift in a round
	heatedWork  = 2
	roundWork   = 6
	stepsAPass  = 1000
	leastSweeps = 12
	mostSweeps  = 80
)

// heat is the temperature in yuan after a share of a phase.
func (y *staying) heat(share float64) float64 {
	m := y.s.m
	hot := hotPrices
	if m.block > 1 {
		hot = hotQueues
	}
	return hot * m.meanValue() / m.perHour * math.Pow(coldQueues, share)
}

// meanValue is what a missing head-hour costs on average, in yuan.
func (m *model) meanValue() float64 {
	sum, n := 0.0, 0
	for i, v := range m.value {
		if m.target[i] > 0 {
			sum, n = sum+v*m.perHour, n+1
		}
	}
	return sum / float64(max(1, n))
}

// staying is the assignment of queues under way.
type staying struct {
	s       *state
	rng     *rand.Rand
	shifts  [][2]int // agent and day
	days    [][]int  // the agents of shifts by day
	plan    queuePlan
	before  []int16
	chances []float64
	best    plan    // the best roster so far
	kept    []int16 // its queues, one shift after the other
	least   float64 // and its cost
	slack   float64 // yuan that sums of prices may be off by rounding: no gain
}

// slackOf grows with the dearest price, since sums over a shift are rounded to its size. Without it two ways that
// cost the same could gain on each other for ever.
func (m *model) slackOf() float64 {
	top := max(m.p.Weights.Over/m.perHour, m.p.Weights.Switch)
	for _, v := range m.prices.saves {
		top = max(top, v)
	}
	return 1e-9 * max(1, top/1000)
}

// list names the shifts whose agents have a choice of queues.
func (y *staying) list() {
	y.shifts = y.shifts[:0]
	y.days = make([][]int, len(y.s.m.days))
	for a := range y.s.place {
		for d := range y.s.place[a] {
			if y.s.place[a][d].occ >= 0 && len(y.s.m.agents[a].skills[d]) > 1 {
				y.shifts = append(y.shifts, [2]int{a, d})
				y.days[d] = append(y.days[d], a)
			}
		}
	}
}

// sweep gives every shift its best queues, or with heat draws them; it reports whether anything was
// gained. With must the old queues do not count: they may break the blocks.
func (y *staying) sweep(heat float64, must bool) (gained bool) {
	y.rng.Shuffle(len(y.shifts), func(i, j int) { y.shifts[i], y.shifts[j] = y.shifts[j], y.shifts[i] })
	for _, x := range y.shifts {
		gained = y.again(x[0], x[1], heat, must) || gained
	}
	return gained
}

// again solves the queues of one shift given all others.
func (y *staying) again(a, d int, heat float64, must bool) bool {
	q := &y.plan
	old := y.price(a, d)
	if heat > 0 {
		q.draw(heat, y.rng)
	} else if cost := q.solve(); !must && cost > old-y.slack {
		return false
	}
	y.take(a, d)
	return true
}

// price fills the plan with what each queue loses in each slot of a shift given all others, and returns
// what the shift costs as it is.
func (y *staying) price(a, d int) (old float64) {
	s, m, q := y.s, y.s.m, &y.plan
	p := &s.place[a][d]
	start, width, skills := m.occ[d][p.occ].start, len(m.queues), m.agents[a].skills[d]
	q.begin(len(p.queue), len(skills))
	last := int16(-1)
	for i, at := range p.queue {
		if q.pause[i] = at < 0; at < 0 {
			continue
		}
		if last >= 0 && last != at {
			old += q.price
		}
		last = at
		t := start + i
		for k, to := range skills {
			if t >= m.inside {
				q.loss[i*q.width+k] = 0
				continue
			}
			cell := t*width + int(to)
			n := s.cover[cell]
			if to == at {
				n--
			}
			q.loss[i*q.width+k] = -m.saving(cell, n)
			if to == at {
				old += q.loss[i*q.width+k]
			}
		}
	}
	return old
}

// take puts a shift on the path of the plan.
func (y *staying) take(a, d int) {
	s, m := y.s, y.s.m
	p := &s.place[a][d]
	start, width, skills := m.occ[d][p.occ].start, len(m.queues), m.agents[a].skills[d]
	for i, k := range y.plan.path {
		if k < 0 || skills[k] == p.queue[i] {
			continue
		}
		if t := start + i; t < m.inside {
			s.cover[t*width+int(p.queue[i])]--
			s.cover[t*width+int(skills[k])]++
		}
		p.queue[i] = skills[k]
	}
}

// exchange lets pairs of shifts of a day change queues together: each shift is solved as if a partner
// drawn for it were away, then the partner; the first goes back unless both together gain.
func (y *staying) exchange() {
	for _, x := range y.shifts {
		near := y.days[x[1]]
		if b := near[y.rng.IntN(len(near))]; b != x[0] {
			y.pair(x[0], b, x[1])
		}
	}
}

func (y *staying) pair(a, b, d int) {
	first := &y.s.place[a][d]
	y.before = append(y.before[:0], first.queue...)
	old := y.price(b, d)
	y.lift(b, d, -1)
	old += y.price(a, d)
	cost := y.plan.solve()
	y.take(a, d)
	y.lift(b, d, 1)
	if slices.Equal(first.queue, y.before) {
		return
	}
	y.price(b, d)
	if cost += y.plan.solve(); cost < old-y.slack {
		y.take(b, d)
		return
	}
	y.s.retake(a, d, y.before)
}

// lift counts the heads of a shift in (by 1) or out (by -1).
func (y *staying) lift(a, d int, by int16) {
	m := y.s.m
	p := &y.s.place[a][d]
	start := m.occ[d][p.occ].start
	for i, q := range p.queue {
		if t := start + i; q >= 0 && t < m.inside {
			y.s.cover[t*len(m.queues)+int(q)] += by
		}
	}
}

// descend sweeps until no shift gains by itself.
func (y *staying) descend() {
	for y.sweep(0, false) {
	}
}

// changes counts the changes of queue inside shifts, over pauses as well.
func (s *state) changes() (n int) {
	for a := range s.place {
		for d := range s.place[a] {
			n += changesOf(s.place[a][d].queue)
		}
	}
	return n
}

// changesOf counts them in one shift; -1 is a pause.
func changesOf(queues []int16) (n int) {
	last := int16(-1)
	for _, q := range queues {
		if q < 0 {
			continue
		}
		if last >= 0 && last != q {
			n++
		}
		last = q
	}
	return n
}

// total is what the roster costs as it is, changes of queue included.
func (y *staying) total() float64 {
	return y.s.account().Total() + y.s.m.p.Weights.Switch*float64(y.s.changes())
}

// remember keeps the roster as the best so far.
func (y *staying) remember() {
	y.best, y.kept, y.least = y.s.plan(), y.kept[:0], y.total()
	for a := range y.s.place {
		for d := range y.s.place[a] {
			y.kept = append(y.kept, y.s.place[a][d].queue...)
		}
	}
}

// better keeps the roster when it is the best so far, and otherwise goes back to the best.
func (y *staying) better() {
	if y.total() <= y.least {
		y.remember()
		return
	}
	s, kept := y.s, y.kept
	s.pool.hold(s) // so that shifts can come and go
	for a := range y.best {
		for d, op := range y.best[a] {
			if s.option(a, d) != op {
				s.set(a, op)
			}
		}
	}
	for a := range s.place {
		for d := range s.place[a] {
			n := len(s.place[a][d].queue)
			s.retake(a, d, kept[:n])
			kept = kept[n:]
		}
	}
	y.list()
}

// retake puts an agent on given queues; only the cover follows.
func (s *state) retake(a, d int, queues []int16) {
	m := s.m
	p := &s.place[a][d]
	if p.occ < 0 {
		return
	}
	start, width := m.occ[d][p.occ].start, len(m.queues)
	for i, q := range queues {
		if t := start + i; q >= 0 && q != p.queue[i] && t < m.inside {
			s.cover[t*width+int(p.queue[i])]--
			s.cover[t*width+int(q)]++
		}
	}
	copy(p.queue, queues)
}

// hold seats everybody where the placements say and passes nobody on from now on: a head is then worth
// what it saves on its own queue.
func (p *pool) hold(s *state) {
	p.still = true
	p.reseat(s)
}

// reseat seats everybody where the placements say, after somebody changed them without telling the pool.
func (p *pool) reseat(s *state) {
	clear(p.serve)
	clear(p.reach)
	clear(p.fresh)
	for i := range p.seats {
		p.seats[i] = p.seats[i][:0]
	}
	for t, seats := range s.seats() {
		for _, x := range seats {
			p.sit(s, x, t, *s.queueAt(x))
		}
	}
}

// putBack makes an agent do what it did before an experiment, on the same queues once the pool holds.
func (s *state) putBack(a int, old option, queues []int16) {
	s.set(a, old)
	if !s.pool.still || old.at < 0 {
		return
	}
	m := s.m
	p := &s.place[a][old.day]
	start := m.occ[old.day][p.occ].start
	for i, q := range queues {
		t := start + i
		if q < 0 || q == p.queue[i] {
			continue
		}
		if t >= m.inside {
			p.queue[i] = q
			continue
		}
		cell := t*len(m.queues) + int(p.queue[i])
		for k, x := range s.pool.seats[cell] {
			if x.agent == int32(a) && x.day == int16(old.day) {
				s.pool.leave(t, p.queue[i], k)
				break
			}
		}
		s.cover[cell]--
		s.cover[t*len(m.queues)+int(q)]++
		s.pool.sit(s, seat{int32(a), int16(old.day), int16(i)}, t, q)
		s.pool.fresh[t] = false
	}
}

// wouldHelp reports that a change of queue in this slot alone would pay: only the block or the price of
// changing keeps the agent where it is.
func (s *state) wouldHelp(from, slot, to int) bool {
	m := s.m
	if !m.stays() || slot >= m.inside {
		return false
	}
	x, y := slot*len(m.queues)+from, slot*len(m.queues)+to
	return m.saving(y, s.cover[y]) > m.saving(x, s.cover[x]-1)+1e-9
}

// queuesSpent is the share of a budget that some work on the queues has used up.
func queuesSpent(ctx context.Context, o Options) func(work int) float64 {
	begin, passes := -1.0, min(max(o.Iterations/stepsAPass, leastSweeps), mostSweeps)
	return func(work int) float64 {
		switch {
		case ctx.Err() != nil:
			return 1
		case o.Time > 0 && o.Iterations == 0:
			now := float64(o.Elapsed()) / float64(o.Time)
			if begin < 0 {
				begin = now
			}
			return min(1, (now-begin)/max(1e-9, queuesUntil-begin))
		}
		return float64(work) / float64(passes)
	}
}
