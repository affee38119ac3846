package roster

import (
	"math"
	"math/rand/v2"
)

// chain is one ruin-and-recreate search: take some shifts away, give the agents the best legal
// ones again, keep the result by the rule of simulated annealing (Schrimpf et al. 2000; the
// choice of related shifts follows Shaw 1998).
type chain struct {
	now    *state
	best   *state
	hot    float64 // yuan
	undo   []undo
	agents []int
}

type undo struct {
	agent, day int
	old        placement
}

// newChain constructs a first roster: agents in random order, each taking its best shift in turn.
func newChain(m *model, rng *rand.Rand) *chain {
	c := &chain{now: newState(m, rng), best: newState(m, rng)}
	c.now.fill(rng.Perm(len(m.agents)), 0, len(m.days)-1)
	c.now.reassign()
	c.best.copyFrom(c.now)
	// A typical step changes some head-hours; start by accepting the loss of about half of one.
	sum, n := 0.0, 0
	for i, v := range m.value {
		if m.target[i] > 0 {
			sum, n = sum+v*m.perHour, n+1
		}
	}
	c.hot = 0.5 * sum / float64(max(1, n))
	return c
}

// Cost of the best roster so far.
func (c *chain) Cost() float64 { return c.best.cost }

func (c *chain) adopt(from *chain) {
	c.best.copyFrom(from.best)
	c.now.copyFrom(from.best)
}

// Run makes steps at the temperature of done.
func (c *chain) Run(steps int, done float64) {
	if len(c.now.place) == 0 || len(c.now.m.days) == 0 {
		return // nobody to give a shift to
	}
	temperature := c.hot * math.Pow(0.01, done)
	for range steps {
		c.step(temperature)
	}
}

func (c *chain) step(temperature float64) {
	s := c.now
	before := s.cost
	c.undo, c.agents = c.undo[:0], c.agents[:0]
	from, to := c.ruin()
	if len(c.agents) == 0 {
		return
	}
	s.rng.Shuffle(len(c.agents), func(i, j int) { c.agents[i], c.agents[j] = c.agents[j], c.agents[i] })
	c.recreate(from, to)
	if s.cost <= before-temperature*math.Log(1-s.rng.Float64()) {
		if s.cost < c.best.cost-1e-6 {
			c.best.copyFrom(s)
		}
		return
	}
	c.rollback()
	s.cost = before // sheds the rounding of adding and taking away
}

// recreate fills the ruined days and remembers what it put there.
func (c *chain) recreate(from, to int) {
	s := c.now
	active := c.agents
	for len(active) > 0 {
		kept := active[:0]
		for _, a := range active {
			op, ok := s.bestLegal(a, from, to)
			if !ok {
				continue
			}
			c.remember(a, op.day)
			s.put(a, op)
			kept = append(kept, a)
		}
		active = kept
	}
}

// remember keeps the first placement of a day, so that rollback restores the state before the step.
func (c *chain) remember(a, day int) {
	for i := range c.undo {
		if c.undo[i].agent == a && c.undo[i].day == day {
			return
		}
	}
	if len(c.undo) == cap(c.undo) {
		c.undo = append(c.undo, undo{})
	} else {
		c.undo = c.undo[:len(c.undo)+1]
	}
	u := &c.undo[len(c.undo)-1]
	u.agent, u.day = a, day
	u.old.set(&c.now.place[a][day])
}

func (c *chain) rollback() {
	// Clear everything first: a half-restored agent would count soft rules against both versions.
	for i := range c.undo {
		if u := &c.undo[i]; c.now.place[u.agent][u.day].occ >= 0 {
			c.now.clear(u.agent, u.day)
		}
	}
	for i := range c.undo {
		c.now.restore(c.undo[i].agent, c.undo[i].day, &c.undo[i].old)
	}
}

// ruin removes shifts and names the agents and days to refill.
func (c *chain) ruin() (from, to int) {
	s := c.now
	days := len(s.m.days)
	switch x := s.rng.IntN(10); {
	case x < 3: // some agents, some days in a row
		n := 1 + s.rng.IntN(min(7, days))
		from = s.rng.IntN(days - n + 1)
		c.takeAgents(2+s.rng.IntN(3), from, from+n-1)
		return from, from + n - 1
	case x < 6: // one day, several agents; they may work another day of the week around it
		day := s.rng.IntN(days)
		c.takeDay(day, 3+s.rng.IntN(6))
		return max(0, day-3), min(days-1, day+3)
	default: // where it is short
		return c.takeNearShort()
	}
}

func (c *chain) takeAgents(n, from, to int) {
	for range n {
		a := c.now.rng.IntN(len(c.now.place))
		c.involve(a)
		for d := from; d <= to; d++ {
			c.take(a, d)
		}
	}
}

func (c *chain) takeDay(day, n int) {
	for range 4 * n {
		a := c.now.rng.IntN(len(c.now.place))
		if c.now.place[a][day].occ >= 0 {
			c.involve(a)
			c.take(a, day)
			if len(c.agents) == n {
				return
			}
		}
	}
}

// takeNearShort looks for a slot below target and frees skilled agents on that day and on one
// other day each, so that a day off can change places with a shift.
func (c *chain) takeNearShort() (from, to int) {
	s, m := c.now, c.now.m
	width := len(m.queues)
	days := len(m.days)
	if width == 0 || m.inside == 0 {
		return 0, 0
	}
	slot, queue := s.rng.IntN(m.inside), s.rng.IntN(width)
	for range 64 {
		if i := slot*width + queue; s.cover[i] < m.target[i] {
			break
		}
		slot, queue = s.rng.IntN(m.inside), s.rng.IntN(width)
	}
	day := min(days-1, slot*days/m.inside)
	from, to = max(0, day-4), min(days-1, day+4)
	n := 2 + s.rng.IntN(3)
	for range 8 * n {
		a := s.rng.IntN(len(s.place))
		if !contains(m.agents[a].skills[day], int16(queue)) {
			continue
		}
		c.involve(a)
		c.take(a, day)
		c.take(a, from+s.rng.IntN(to-from+1))
		if len(c.agents) >= n {
			break
		}
	}
	return from, to
}

func contains(list []int16, x int16) bool {
	for _, v := range list {
		if v == x {
			return true
		}
	}
	return false
}

func (c *chain) involve(a int) {
	for _, b := range c.agents {
		if a == b {
			return
		}
	}
	c.agents = append(c.agents, a)
}

func (c *chain) take(a, day int) {
	if c.now.place[a][day].occ < 0 {
		return
	}
	c.remember(a, day)
	c.now.clear(a, day)
}
