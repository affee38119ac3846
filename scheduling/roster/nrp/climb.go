package nrp

import (
	"math"
	"math/rand/v2"
	"slices"
)

// climber improves a roster by neighbourhoods: the rows of a group of employees are dropped and
// made anew by column generation and a dive, the others stay (large neighbourhood search, Shaw
// 1998, with the exact method of the root inside, as in Rahimian et al. 2017). Where the bound of
// the group shows that nothing can be won, no dive is made. When nothing was won for a while the
// climber starts again from another dive over everybody.
type climber struct {
	p        *problem
	rng      *rand.Rand
	rows     [][]int8 // the roster that is being improved, always legal
	heads    []int16
	cost     int
	best     [][]int8
	bestCost int
	bound    int
	pool     *pool
	lambda   []float64
	pricer   *pricer
	root     *root
	begun    bool   // the first dive was made
	stale    int    // neighbourhoods since the roster became cheaper
	moves    []move // that gained since the climbers met or the climber began anew
	halt     func() bool
	finish   func() // called when the cost meets the bound
}

// move is what a neighbourhood changed: the rows of some employees inside a window.
type move struct {
	win  window
	who  []int
	rows [][]int8
}

func newClimber(r *root, rng *rand.Rand, halt func() bool, finish func()) *climber {
	c := &climber{
		p: r.p, rng: rng, rows: cloneRows(r.rows), heads: slices.Clone(r.heads), cost: r.cost, best: cloneRows(r.rows), bestCost: r.cost,
		bound: r.bound, pool: r.pool.clone(), lambda: r.lambda, pricer: newPricer(r.p), root: r, halt: halt, finish: finish,
	}
	return c
}

func cloneRows(rows [][]int8) [][]int8 {
	out := make([][]int8, len(rows))
	for e, row := range rows {
		out[e] = slices.Clone(row)
	}
	return out
}

// Cost of the best roster.
func (c *climber) Cost() float64 { return float64(c.bestCost) }

// adopt takes over a better roster, and in it makes those of the climber's own moves again that are still legal
// and still gain: in a large problem most of what two climbers win lies apart.
func (c *climber) adopt(from *climber) {
	moves := c.moves
	c.moves = nil
	if from.bestCost >= c.cost {
		return
	}
	c.cost, c.stale = from.bestCost, 0
	for e := range c.rows {
		copy(c.rows[e], from.best[e])
	}
	for _, v := range moves {
		if c.again(v) {
			c.moves = append(c.moves, v)
		}
	}
	c.heads = c.p.count(c.rows)
	c.keep()
}

// again makes a move in a roster that has changed since, and takes it back when that gains nothing.
func (c *climber) again(v move) bool {
	old, legal := make([][]int8, len(v.who)), true
	for k, e := range v.who {
		days := c.rows[e][v.win.from:v.win.to]
		old[k] = slices.Clone(days)
		copy(days, v.rows[k])
		_, broken := c.p.row(e, c.rows[e])
		legal = legal && broken == 0
	}
	if legal {
		if cost := c.p.total(c.rows); cost < c.cost {
			c.cost = cost
			return true
		}
	}
	for k, e := range v.who {
		copy(c.rows[e][v.win.from:v.win.to], old[k])
	}
	return false
}

// keep remembers the roster when it is the best.
func (c *climber) keep() {
	if c.cost >= c.bestCost {
		return
	}
	c.bestCost = c.cost
	for e := range c.rows {
		copy(c.best[e], c.rows[e])
	}
}

// patience is how many neighbourhoods per employee may win nothing before the next start.
const patience = 4

// Run makes steps neighbourhoods; the first is a dive over everybody.
func (c *climber) Run(steps int, _ float64) {
	for range steps {
		switch {
		case c.bestCost <= c.bound:
			c.finish()
			return
		case !c.begun:
			c.begun = true
			c.plunge(c.cost)
		case c.stale > patience*c.p.workers:
			c.stale, c.moves = 0, nil
			c.plunge(math.MaxInt32)
		default:
			c.neighbourhood()
		}
	}
}

// diveNoise is added to the shares by which a dive decides, so that no two dives are alike.
const diveNoise = 0.2

// plunge dives from the root's master; a roster below the cutoff becomes the current one.
func (c *climber) plunge(cutoff int) {
	r := c.root
	if !r.settled() {
		return
	}
	g := newGroup(c.p, []*pricer{c.pricer}, c.pool, c.rows, c.heads, r.group.who, r.group.win, c.halt)
	g.m = r.group.m.clone()
	c.apply(g, g.dive(cutoff, c.rng, diveNoise))
}

// neighbourhood frees some employees. Now and then a roster of the same cost will do: it leads on
// where cheaper ones are not next to this one.
func (c *climber) neighbourhood() {
	c.stale++
	g := newGroup(c.p, []*pricer{c.pricer}, c.pool, c.rows, c.heads, c.choose(c.size()), c.window(), c.halt)
	cutoff := g.cost
	if c.rng.IntN(4) == 0 {
		cutoff++
	}
	g.open(c.lambda, knownColumns)
	if g.generate(neighbourRounds, rowsPerPricing(len(g.who)), float64(cutoff)) || g.failed {
		return
	}
	if g.m.solve(settled, c.halt) && g.m.primal > float64(cutoff)-0.9 {
		return
	}
	c.apply(g, g.dive(cutoff, c.rng, diveNoise))
	c.pool.trim(c.lambda)
}

const (
	knownColumns    = 60 // per member, from the pool
	neighbourRounds = 40
)

// rowsPerPricing is how many rows per member a round of pricing may add: small groups price fast and
// need many to find their way, large ones would drown in columns.
func rowsPerPricing(members int) int { return max(2, min(10, 120/members)) }

// size draws a group's size between 3 and everybody, mostly small: small groups are quick, large ones
// leave a valley that small ones cannot.
func (c *climber) size() int {
	u := c.rng.Float64()
	return min(c.p.workers, int(3*math.Pow(max(1, float64(c.p.workers)/3), u*u)))
}

// window draws the days that a group may change: all of them when the problem is small, and now and
// then when the root was solved.
func (c *climber) window() window {
	whole := window{0, c.p.days}
	priced := c.root.whole && !c.root.group.failed
	if priced && (!c.p.long || c.root.settled() && c.rng.IntN(8) == 0) {
		return whole
	}
	weeks, most := c.p.weeks(), c.p.windowWeeks
	if most >= weeks {
		return whole
	}
	if least := min(leastWeeks, most); most > least {
		most = least + c.rng.IntN(most-least+1)
	}
	first := c.rng.IntN(weeks - most + 1)
	return window{7 * first, min(c.p.days, 7*(first+most))}
}

// apply takes over a group's new rows.
func (c *climber) apply(g *group, columns []*column) {
	if columns == nil {
		return
	}
	g.apply(columns, c.rows, c.heads)
	before := c.cost
	if c.cost = c.p.total(c.rows); c.cost < before {
		c.stale = 0
		v := move{win: g.win, who: g.who}
		for _, col := range columns {
			v.rows = append(v.rows, col.row)
		}
		c.moves = append(c.moves, v)
	}
	c.keep()
}

// choose draws members; half of the time those whose rows cost much at the root's multipliers are
// drawn more often.
func (c *climber) choose(n int) []int {
	weight := make([]float64, c.p.workers)
	sum := 0.0
	focus := c.rng.IntN(2) == 0
	for e := range weight {
		weight[e] = 1
		if focus {
			weight[e] = 0.2 + c.excess(e)
		}
		sum += weight[e]
	}
	who := make([]int, 0, n)
	for len(who) < n {
		x := c.rng.Float64() * sum
		pick := -1
		for e, w := range weight {
			if w > 0 {
				pick = e
				if x -= w; x < 0 {
					break
				}
			}
		}
		sum -= weight[pick]
		weight[pick] = 0
		who = append(who, pick)
	}
	slices.Sort(who)
	return who
}

// excess is how much more an employee's row costs than the best known one at the multipliers.
func (c *climber) excess(e int) float64 {
	now := c.p.newColumn(e, 0, 0, c.rows[e]).reducedAt(c.lambda)
	best := now
	for _, col := range c.pool.columns[e] {
		best = min(best, col.reducedAt(c.lambda))
	}
	return now - best
}
