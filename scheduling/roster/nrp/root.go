package nrp

import (
	"context"
	"math"

	"github.com/chaoban/chaoban/scheduling/roster/search"
)

// root is the column generation over all employees: it gives the bound, the multipliers that guide
// the neighbourhoods, and the first columns.
type root struct {
	p       *problem
	rows    [][]int8
	heads   []int16
	cost    int
	pool    *pool
	guide   // bound and multipliers become better here
	group   *group
	pricers []*pricer
}

// masterLimit is the most rows of a master; the inverse of its basis has the square of it.
const masterLimit = 1200

func newRoot(ctx context.Context, p *problem, b search.Budget, rows [][]int8, known guide) *root {
	r := &root{p: p, guide: known, rows: rows, heads: p.count(rows), cost: p.total(rows), pool: newPool(p.workers)}
	r.pricers = newPricers(p, b.Threads)
	share := rootShare
	if p.long {
		share = b.Spent(0) + largeRootShare
	}
	r.group = newGroup(p, r.pricers, r.pool, rows, r.heads, p.everybody(), window{0, p.days}, halting(ctx, b, share))
	return r
}

// solve generates columns until the relaxation is solved or the root's share of the budget ends.
func (r *root) solve(b search.Budget) {
	rounds := math.MaxInt
	if b.Iterations > 0 {
		rounds = 10 + b.Iterations/iterationsPerStep
	}
	g := r.group
	if !r.whole {
		return
	}
	if b.Progress != nil {
		g.report = func(bound float64) {
			p := search.Progress{Cost: float64(r.cost), Bound: max(0, bound)}
			if b.Time > 0 {
				p.Done = float64(b.Elapsed()) / float64(b.Time)
			}
			b.Progress(p)
		}
	}
	g.open(r.lambda, 0)
	g.generate(rounds, rowsPerPricing(r.p.workers), float64(r.cost))
	if g.bound > 0 {
		r.bound = max(r.bound, int(math.Ceil(g.bound-1e-6))) // costs are whole numbers
	}
	copy(r.lambda, g.center)
}

// rootSettled is how near the bound must be to the root's value for a dive from it to make sense.
const rootSettled = 0.95

// settled tells whether the relaxation was solved, or nearly.
func (r *root) settled() bool {
	g := r.group
	return g.m != nil && !g.failed && g.bound >= rootSettled*g.m.primal
}

// count returns the heads by day and shift.
func (p *problem) count(rows [][]int8) []int16 {
	heads := make([]int16, p.days*p.shifts)
	for _, row := range rows {
		for d, s := range row {
			if s >= 0 {
				heads[d*p.shifts+int(s)]++
			}
		}
	}
	return heads
}

// total is the cost of a roster.
func (p *problem) total(rows [][]int8) int {
	sum := 0
	for e, row := range rows {
		w, _ := p.row(e, row)
		sum += int(w)
	}
	for i, n := range p.count(rows) {
		sum += int(p.cover[i][n])
	}
	return sum
}
