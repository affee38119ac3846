package nrp

import (
	"math"
	"sync"
)

// group is a part of the problem: some employees, its members, whose days inside a window may change
// while all else stays. Costs are local: the requests of these days and the cover of the window. A
// group is made for one use: open and generate find a bound and columns, dive a roster.
type group struct {
	p       *problem
	pricers []*pricer // one per goroutine
	pool    *pool     // nil when the window is not the whole horizon
	who     []int
	win     window
	rows    [][]int8 // the roster the group was cut from, by employee
	first   int      // first cover cell of the window
	covers  []coverCell
	need    []int // by cell: what the others leave open; negative when they exceed it
	start   []*column
	cost    int // local cost of the start
	halt    func() bool
	grid    float64 // parts per cost unit in prices
	steps   int     // of a dive, about
	loose   float64 // share of its value within which the master is solved

	m      *master
	forced [][]int8  // by member and day of the window, set by a dive: the shift, Off or free
	center []float64 // multipliers with the best bound
	bound  float64
	lambda []float64 // multipliers of the current pricing
	found  [][]priced
	floors []int32
	failed bool                // an employee could not be priced
	report func(bound float64) // called after each round of pricing; may be nil
}

// newGroup cuts a group out of a roster; heads counts it by day and shift.
func newGroup(p *problem, pricers []*pricer, l *pool, rows [][]int8, heads []int16, who []int, win window, halt func() bool) *group {
	g := &group{
		p: p, pricers: pricers, who: who, win: win, rows: rows, halt: halt, grid: p.grid, steps: groupSteps,
		forced: make([][]int8, len(who)), found: make([][]priced, len(who)), floors: make([]int32, len(who)),
	}
	last := 0
	g.first, last = p.cellsOf(win)
	g.covers = p.covers[g.first:last]
	if win.from == 0 && win.to == p.days {
		g.pool = l
	}
	g.need = make([]int, len(g.covers))
	for i, c := range g.covers {
		n := int(heads[c.day*p.shifts+c.shift])
		g.need[i] = c.need - n
		g.cost += c.miss(n)
	}
	for _, e := range who {
		c := g.column(e, rows[e][win.from:win.to])
		g.start = append(g.start, c)
		g.cost += int(c.cost)
		for _, i := range c.cells {
			g.need[i]++
		}
	}
	g.center, g.lambda = make([]float64, len(g.covers)), make([]float64, len(g.covers))
	g.bound = math.Inf(-1)
	return g
}

// miss is what n heads cost.
func (c *coverCell) miss(n int) int {
	if n < c.need {
		return c.under * (c.need - n)
	}
	return c.over * (n - c.need)
}

// column is a row inside the window; columns over the whole horizon are kept by the pool.
func (g *group) column(e int, row []int8) *column {
	if g.pool != nil {
		c, _ := g.pool.add(g.p, e, row)
		return c
	}
	return g.p.newColumn(e, g.win.from, g.first, append([]int8(nil), row...))
}

// open builds the master from the start and, for every member, the known columns that look best at
// the multipliers.
func (g *group) open(lambda []float64, known int) {
	copy(g.center, lambda[g.first:g.first+len(g.covers)])
	g.m = newMaster(g.covers, g.need, g.start)
	if g.pool == nil {
		return
	}
	for k, e := range g.who {
		for _, c := range cheapestColumns(g.pool.columns[e], g.center, known) {
			if c != g.start[k] {
				g.m.add(k, c)
			}
		}
	}
}

// price finds the cheapest rows of all members at g.lambda and returns the Lagrangian bound
// (Geoffrion 1974): with the link "heads = rows that work" priced, each cell and each employee is
// solved alone. The multipliers lie on the grid of the prices, so the bound is exact.
func (g *group) price(most int) float64 {
	bound := 0.0
	for i := range g.covers {
		g.lambda[i] = math.Round(g.lambda[i]*g.grid) / g.grid
		bound += g.cheapestHeads(i)
	}
	var wg sync.WaitGroup
	for t, x := range g.pricers {
		wg.Go(func() {
			for k := t; k < len(g.who); k += len(g.pricers) {
				g.priceOne(x, k, most)
			}
		})
	}
	wg.Wait()
	for k := range g.who {
		if g.floors[k] == math.MinInt32 {
			g.failed = true
			return math.Inf(-1)
		}
		bound += float64(g.floors[k]) / g.grid
	}
	return bound
}

// cheapestHeads is the least of cover cost + lambda * heads over the heads that the members can
// supply to cell i; the function is convex with one corner at the need.
func (g *group) cheapestHeads(i int) float64 {
	c, least := &g.covers[i], math.Inf(1)
	for _, n := range [3]int{0, max(0, min(g.need[i], len(g.who))), len(g.who)} {
		least = min(least, float64(c.miss(n+c.need-g.need[i]))+g.lambda[i]*float64(n))
	}
	return least
}

func (g *group) priceOne(x *pricer, k, most int) {
	e, p := g.who[k], g.p
	width := p.shifts + 1
	for i := g.win.from * width; i < g.win.to*width; i++ {
		x.entry[i] = p.wish[e][i] * int32(g.grid)
	}
	for i := range g.covers {
		c := &g.covers[i]
		x.entry[c.day*width+c.shift+1] -= int32(math.Round(g.lambda[i] * g.grid))
	}
	x.forced = g.forced[k]
	g.found[k], g.floors[k] = x.cheapest(e, g.win, g.rows[e], most)
	x.forced = nil
}

// How exactly the master is solved before pricing: a share of the distance to the bound, but never
// more exactly than settled (Gondzio, González-Brevis & Munari 2013).
const (
	looseness = 0.1
	settled   = 0.02
)

// generate adds up to each rows per member and round until the master is solved, the next whole
// number above the bound is settled, the rounds are used up, or the bound shows that no whole
// solution costs less than the cutoff, which it tells. A new group prices at the centre it was opened
// with first: where the root's multipliers are good, they prove at once that nothing can be won.
func (g *group) generate(rounds, each int, cutoff float64) (hopeless bool) {
	target := 1.0
	first := g.bound == math.Inf(-1)
	for range rounds {
		if !g.m.solve(target, g.halt) && g.halt() {
			return false
		}
		copy(g.lambda, g.m.lambda)
		if first {
			copy(g.lambda, g.center)
			first = false
		}
		bound := g.price(each)
		if g.failed {
			return false
		}
		if bound > g.bound {
			g.bound = bound
			copy(g.center, g.lambda)
		}
		if g.report != nil {
			g.report(g.bound)
		}
		if math.Ceil(g.bound-1e-6) >= cutoff {
			return true
		}
		gap := g.m.primal - g.bound
		if gap < max(2*settled, g.loose*g.m.primal) || math.Ceil(g.bound-1e-6) > g.m.primal-jitterSize*float64(g.m.members) {
			return false
		}
		if !g.enter() {
			if target <= settled {
				return false
			}
			target /= 4
		}
		target = max(settled, min(target, looseness*gap))
		g.m.purge()
	}
	return false
}

// enter adds the rows just found that improve the master.
func (g *group) enter() bool {
	any := false
	for k, e := range g.who {
		for _, f := range g.found[k] {
			c := g.column(e, f.row)
			if g.m.reduced(k, c) < -1e-6 {
				g.m.add(k, c)
				any = true
			}
		}
	}
	return any
}

// apply writes new rows of the members into a roster and its heads.
func (g *group) apply(columns []*column, rows [][]int8, heads []int16) {
	for k, col := range columns {
		row := rows[g.who[k]]
		for i, s := range col.row {
			d := g.win.from + i
			if row[d] >= 0 {
				heads[d*g.p.shifts+int(row[d])]--
			}
			if s >= 0 {
				heads[d*g.p.shifts+int(s)]++
			}
			row[d] = s
		}
	}
}
