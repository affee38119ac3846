package nrp

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/roster/search"
)

// planted is an instance of some weeks whose cover is met exactly by a legal roster, so its best cost is 0: everybody
// works five days and has two off, in turns, each run on a shift of its own. The hours leave room for two shifts.
func planted(t *testing.T, weeks, staff, types int) *problem {
	var b strings.Builder
	days := 7 * weeks
	fmt.Fprintf(&b, "SECTION_HORIZON\n%d\nSECTION_SHIFTS\n", days)
	for s := range types {
		fmt.Fprintf(&b, "s%d,480,\n", s)
	}
	b.WriteString("SECTION_STAFF\n")
	cover := map[[2]int]int{}
	for i := range staff {
		shifts, most := 0, make([]string, types)
		for d := range days {
			if turn := d + i; turn%7 < 5 {
				cover[[2]int{d, (turn/7 + i) % types}]++
				shifts++
			}
		}
		for s := range types {
			most[s] = fmt.Sprintf("s%d=%d", s, days)
		}
		fmt.Fprintf(&b, "P%d,%s,%d,%d,5,1,2,%d\n", i, strings.Join(most, "|"), 480*shifts, 480*(shifts-2), weeks)
	}
	b.WriteString("SECTION_COVER\n")
	for d := range days {
		for s := range types {
			fmt.Fprintf(&b, "%d,s%d,%d,100,1\n", d, s, cover[[2]int{d, s}])
		}
	}
	in, err := Parse("planted", strings.NewReader(b.String()))
	require.NoError(t, err)
	return prepare(in)
}

// The stages keep every row legal and win most of what a short annealing leaves, although no window sees the others.
func TestStages(t *testing.T) {
	p := planted(t, 20, 6, 4)
	p.windowWeeks = 5
	require.Greater(t, len(p.covers), windowCells)
	budget := search.Budget{Seed: 1, Iterations: 4000, Threads: 2}
	first, err := anneal(context.Background(), p, budget)
	require.NoError(t, err)
	x := newStager(context.Background(), p, budget, first.best, guide{lambda: make([]float64, len(p.covers))})
	x.run()
	for e, row := range x.rows {
		_, broken := p.row(e, row)
		assert.Zero(t, broken)
	}
	assert.Equal(t, p.count(x.rows), x.heads)
	before, after := p.total(first.best), p.total(x.rows)
	t.Logf("%d weeks at a time: %d, then %d; the best is 0", p.windowWeeks, before, after)
	assert.Less(t, after, before/2)
}

// Hours saved for later windows: until the end of a window nobody works more than its share of the most and a shift,
// unless the row did before, and every row stays as long as the hours demand.
func TestWindowsSaveHours(t *testing.T) {
	p := planted(t, 20, 3, 4)
	x := newPricer(p)
	short, err := anneal(context.Background(), p, search.Budget{Seed: 2, Iterations: 2000, Threads: 1})
	require.NoError(t, err)
	rows := short.best
	win := window{0, 28}
	x.limits = func(int) limits { return limits{least: 1, most: 0.1, thrifty: true, slack: 480} }
	for e, row := range rows {
		before := 0
		for _, s := range row[:win.to] {
			if s >= 0 {
				before += 480
			}
		}
		for i := range x.entry { // every shift earns
			x.entry[i] = -100
		}
		for d := range p.days {
			x.entry[d*(p.shifts+1)] = 0
		}
		found, _ := x.cheapest(e, win, row, 1)
		require.NotEmpty(t, found)
		after := 0
		for _, s := range found[0].row {
			if s >= 0 {
				after += 480
			}
		}
		assert.LessOrEqual(t, after, max(before, p.in.Staff[e].MaxMinutes/10+480))
	}
}

// What two climbers won apart is kept when they meet; a move that the other roster makes illegal is not.
func TestClimbersKeepTheirMoves(t *testing.T) {
	p := planted(t, 4, 3, 2)
	short, err := anneal(context.Background(), p, search.Budget{Seed: 3, Iterations: 100, Threads: 1})
	require.NoError(t, err)
	rows := short.best
	r := newRoot(context.Background(), p, search.Budget{Seed: 3, Iterations: 100, Threads: 1}, rows, guide{lambda: make([]float64, len(p.covers)), whole: true})
	budget := search.Budget{Seed: 3}
	a, b := newClimber(r, budget.Random(1), never, func() {}), newClimber(r, budget.Random(2), never, func() {})
	for _, c := range []*climber{a, b} {
		for len(c.moves) == 0 && c.stale < 500 {
			c.neighbourhood()
		}
	}
	worse, better := a, b
	if a.cost < b.cost {
		worse, better = b, a
	}
	before := better.cost
	worse.adopt(better)
	assert.LessOrEqual(t, worse.cost, before)
	assert.Equal(t, p.total(worse.rows), worse.cost)
	assert.Equal(t, p.count(worse.rows), worse.heads)
	for e, row := range worse.rows {
		_, broken := p.row(e, row)
		assert.Zero(t, broken)
	}
}
