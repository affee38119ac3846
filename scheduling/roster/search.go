package roster

import (
	"math"
	"math/rand/v2"
	"sync"
)

// hunt improves one roster with several chains at once. In every round each chain has agents and
// days of its own, so what the chains do adds up: no two of them touch a slot or a person.
type hunt struct {
	m      *model
	rng    *rand.Rand
	now    *state // the roster that all chains change
	chains []*chain
	best   plan
	cost   float64      // of best
	stale  map[int]bool // agents whose row in best is out of date
	hot    float64      // yuan
	steps  int
}

// chain searches at a temperature with two kinds of step. The one takes one shift of one agent
// and draws a new place for it from all legal ones, the better the likelier (heat bath: Geman & Geman
// 1984). The others ruin and recreate several agents' shifts and keep the result by the rule of
// simulated annealing (Schrimpf et al. 2000; related shifts after Shaw 1998). While it is hot single
// shifts win most, in the end three or four of one day.
type chain struct {
	now      *state  // a view of the roster
	heat     float64 // yuan
	done     float64 // share of the search that is over
	undo     []undo
	agents   []int // of the step
	own      []int // agents of the round
	from, to int   // days of the round
	touched  []int // agents with a changed row
	mark     []bool
}

type undo struct {
	agent int
	old   option
}

// hotShare of a head-hour's value is the first temperature, coolest the last one's share of it. More heat
// forgets what the mixtures knew of everybody's weeks, and there is no time to learn it anew.
const (
	hotShare = 0.1
	coolest  = 0.1
)

// newHunt starts from a roster.
func newHunt(m *model, first *state, o Options) *hunt {
	h := &hunt{m: m, rng: o.Random(0), now: first, best: first.plan(), cost: first.cost, stale: map[int]bool{}}
	threads := o.Threads
	if len(m.days) < 4*threads || len(m.agents) < 4*threads {
		threads = 1
	}
	for i := range threads {
		h.chains = append(h.chains, &chain{now: first.view(o.Random(i + 1)), mark: make([]bool, len(m.agents))})
	}
	sum, n := 0.0, 0
	for i, v := range m.value {
		if m.target[i] > 0 {
			sum, n = sum+v*m.perHour, n+1
		}
	}
	h.hot = hotShare * sum / float64(max(1, n))
	return h
}

// round lets every chain make steps at the temperature of done and brings the results together.
func (h *hunt) round(steps int, done float64) {
	h.share()
	heat := h.hot * math.Pow(coolest, done)
	var wg sync.WaitGroup
	for _, c := range h.chains {
		wg.Go(func() {
			c.heat, c.now.cost, c.done = heat, 0, done
			for range steps {
				c.step()
			}
		})
	}
	wg.Wait()
	for _, c := range h.chains {
		h.now.cost += c.now.cost
		for _, a := range c.touched {
			c.mark[a], h.stale[a] = false, true
		}
		c.touched = c.touched[:0]
	}
	h.steps += steps
	h.keep()
}

// keep remembers the roster when it is the best so far.
func (h *hunt) keep() {
	if h.now.cost >= h.cost-1e-6 {
		return
	}
	for a := range h.stale {
		h.now.planAgent(a, h.best[a])
	}
	clear(h.stale)
	h.cost = h.now.cost
}

// share deals agents at random and cuts the days into one stretch per chain. The day between two
// stretches rests, since the shifts of the one before reach into it.
func (h *hunt) share() {
	n, days := len(h.chains), len(h.m.days)
	order := h.rng.Perm(len(h.m.agents))
	from := 0
	for i, c := range h.chains {
		c.own = c.own[:0]
		for k := i; k < len(order); k += n {
			c.own = append(c.own, order[k])
		}
		c.from, c.to = from, days-1
		if i < n-1 {
			mean := float64(days-from) / float64(n-i)
			c.to = from + max(1, int(mean*(0.6+0.8*h.rng.Float64()))) - 1
			c.to = min(c.to, days-1-2*(n-1-i)) // the others need a day each, and one to rest
		}
		from = c.to + 2
	}
	h.rng.Shuffle(n, func(i, j int) {
		a, b := h.chains[i], h.chains[j]
		a.from, a.to, b.from, b.to = b.from, b.to, a.from, a.to
	})
}

func (c *chain) step() {
	c.undo, c.agents = c.undo[:0], c.agents[:0]
	x := c.now.rng.Float64()
	warm := 1 - c.done
	switch {
	case x < 0.3+0.2*warm:
		c.redraw(0)
	case x < 0.45+0.4*warm:
		c.redraw(6)
	case x < 0.9-0.05*warm:
		c.rebuild(c.ruinOneDay)
	default:
		c.rebuild(c.ruin)
	}
	for _, a := range c.agents {
		if !c.mark[a] {
			c.mark[a] = true
			c.touched = append(c.touched, a)
		}
	}
}

// redraw takes the shift of an agent on a day, if there is one, and draws what to do instead on that
// day or on one of the empty days around it.
func (c *chain) redraw(around int) {
	s := c.now
	a, day := c.anybody(), c.from+s.rng.IntN(c.to-c.from+1)
	if s.m.agents[a].locked[day] {
		return
	}
	c.involve(a)
	old := s.option(a, day)
	before := s.cost
	if old.at >= 0 {
		s.clear(a, day)
	}
	s.heat = c.heat
	op, ok := s.bestLegal(a, max(c.from, day-around), min(c.to, day+around))
	s.heat = 0
	if ok {
		s.put(a, op)
	}
	if !ok && old.at < 0 || ok && old.at >= 0 && op.day == old.day && op.at == old.at && op.pause == old.pause {
		s.cost = before // sheds the rounding of adding and taking away
	}
}

// polish gives every shift its best place on its day and drops those that save nothing.
func (s *state) polish() {
	for a := range s.place {
		for d := range s.place[a] {
			if s.place[a][d].occ < 0 {
				continue
			}
			old, before := s.option(a, d), s.cost
			s.clear(a, d)
			if op, ok := s.bestLegal(a, d, d); ok {
				s.put(a, op)
			}
			if s.cost > before+1e-9 { // rounding only: the old place was among the options
				s.set(a, old)
			}
		}
	}
	s.cost = s.account().Total()
}

// rebuild ruins the shifts of several agents and recreates them greedily.
func (c *chain) rebuild(ruin func() (from, to int)) {
	s := c.now
	before := s.cost
	from, to := ruin()
	if len(c.agents) == 0 {
		return
	}
	s.rng.Shuffle(len(c.agents), func(i, j int) { c.agents[i], c.agents[j] = c.agents[j], c.agents[i] })
	active := append([]int(nil), c.agents...)
	for len(active) > 0 {
		kept := active[:0]
		for _, a := range active {
			if op, ok := s.bestLegal(a, from, to); ok {
				c.remember(a, op.day)
				s.put(a, op)
				kept = append(kept, a)
			}
		}
		active = kept
	}
	if s.cost <= before-c.heat*math.Log(1-s.rng.Float64()) {
		return
	}
	c.restore()
	s.cost = before
	c.agents = c.agents[:0]
}

// restore brings back what the step changed. It clears everything first: a half-restored agent would
// count soft rules against both versions. Who came back to the old place stays there.
func (c *chain) restore() {
	s := c.now
	for _, u := range c.undo {
		if now := s.option(u.agent, u.old.day); now.at >= 0 && now != u.old {
			s.clear(u.agent, u.old.day)
		}
	}
	for _, u := range c.undo {
		if s.option(u.agent, u.old.day) != u.old {
			s.set(u.agent, u.old)
		}
	}
}

// remember keeps the first version of a day, so that the state before the step can come back.
func (c *chain) remember(a, day int) {
	for i := range c.undo {
		if c.undo[i].agent == a && c.undo[i].old.day == day {
			return
		}
	}
	c.undo = append(c.undo, undo{a, c.now.option(a, day)})
}

// ruin removes shifts and names the agents and days to refill.
func (c *chain) ruin() (from, to int) {
	s := c.now
	switch x, days := s.rng.IntN(10), c.to-c.from+1; {
	case x < 3: // some agents, some days in a row
		return c.ruinAgents(1+s.rng.IntN(3), 1+s.rng.IntN(min(7, days)))
	case x < 6: // one day, several agents; they may work another day of the week around it
		return c.ruinDay(2+s.rng.IntN(4), 3)
	default: // where it is short
		return c.takeNearShort()
	}
}

// ruinOneDay takes three or four agents' shifts of a day for a new try, every other time on the same day.
func (c *chain) ruinOneDay() (from, to int) {
	return c.ruinDay(3+c.now.rng.IntN(2), 6*c.now.rng.IntN(2))
}

func (c *chain) ruinAgents(agents, n int) (from, to int) {
	from = c.from + c.now.rng.IntN(c.to-c.from+2-n)
	c.takeAgents(agents, from, from+n-1)
	return from, from + n - 1
}

func (c *chain) ruinDay(agents, around int) (from, to int) {
	day := c.from + c.now.rng.IntN(c.to-c.from+1)
	c.takeDay(day, agents)
	return max(c.from, day-around), min(c.to, day+around)
}
func (c *chain) anybody() int { return c.own[c.now.rng.IntN(len(c.own))] }
func (c *chain) takeAgents(n, from, to int) {
	for range n {
		a := c.anybody()
		c.involve(a)
		for d := from; d <= to; d++ {
			c.take(a, d)
		}
	}
}

func (c *chain) takeDay(day, n int) {
	for range 4 * n {
		a := c.anybody()
		if c.now.place[a][day].occ >= 0 || c.now.rng.IntN(3) == 0 { // somebody idle may take a shift over
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
	first := m.firstSlot(c.from)
	slots := m.firstSlot(c.to+1) - first
	if width == 0 || slots <= 0 {
		return 0, 0
	}
	slot, queue := 0, 0
	for range 64 {
		slot, queue = first+s.rng.IntN(slots), s.rng.IntN(width)
		if i := slot*width + queue; s.cover[i] < m.target[i] {
			break
		}
	}
	day := m.dayOf(slot)
	from, to = max(c.from, day-4), min(c.to, day+4)
	n := 2 + s.rng.IntN(3)
	for range 8 * n {
		a := c.anybody()
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

// firstSlot is the first slot of a day, or the end of the range.
func (m *model) firstSlot(day int) int {
	if day >= len(m.days) {
		return m.inside
	}
	return max(0, int(m.days[day].In(m.p.Location).Sub(m.p.Range.Start)/m.grid))
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
