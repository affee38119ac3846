package nrp

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/roster/search"
)

func never() bool { return false }

// legalRows are all legal rows of a one-employee problem.
func legalRows(p *problem) (legal [][]int8) {
	for code := range 1 << (2 * p.days) {
		row := make([]int8, p.days)
		for d := range row {
			row[d] = int8(code>>(2*d)&3) - 1
		}
		if _, broken := p.row(0, row); broken == 0 {
			legal = append(legal, row)
		}
	}
	return legal
}

// Whatever the prices are, no legal roster costs less than the bound, and the slopes are those of a concave function: the
// bound at other prices lies below the line through this one.
func TestRelaxationBoundsEveryRoster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		legal := legalRows(p)
		if len(legal) == 0 {
			return
		}
		for d := range p.days {
			p.in.Cover = append(p.in.Cover, Cover{Day: d, Shift: d % 3, Need: rapid.IntRange(0, 2).Draw(t, "need"), Under: 10, Over: 1})
			p.in.Staff[0].Wants[d][d%2] = rapid.IntRange(0, 9).Draw(t, "want")
		}
		p = prepare(p.in)
		r := newRelaxation(p)
		at := func() (prices, slope []float64, bound float64) {
			for i := range r.prices {
				low := 0.0
				if i < len(p.covers) {
					low = -2
				}
				r.prices[i] = rapid.Float64Range(low, 12).Draw(t, "price")
			}
			r.price(2)
			for _, row := range legal {
				require.LessOrEqual(t, r.bound, float64(p.total([][]int8{row}))+1e-6)
			}
			return append([]float64(nil), r.prices...), append([]float64(nil), r.slope...), r.bound
		}
		x, slope, here := at()
		y, _, there := at()
		line := here
		for i := range x {
			line += slope[i] * (y[i] - x[i])
		}
		require.LessOrEqual(t, there, line+1e-6)

		r.improve(1, 50, 30, never)
		require.GreaterOrEqual(t, r.best, there)
		for _, row := range legal {
			require.LessOrEqual(t, r.best, float64(p.total([][]int8{row}))+1e-6)
		}
	})
}

// The cover wants twice the hours that everybody has, so half of it is missing at 100 each: the prices of the hours find
// that, and the solver tells it.
func TestRelaxationSeesTheHours(t *testing.T) {
	p := planted(t, 20, 6, 4)
	missing := 0
	for e := range p.in.Staff {
		emp := &p.in.Staff[e]
		emp.MinMinutes, emp.MaxMinutes = 0, 480*(emp.MaxMinutes/480/2)
		missing -= emp.MaxMinutes / 480
	}
	for _, c := range p.covers {
		missing += c.need
	}
	p = prepare(p.in)
	require.True(t, p.long)
	r := newRelaxation(p)
	r.improve(2, 1000, 100*float64(missing), never)
	assert.LessOrEqual(t, r.best, 100*float64(missing))
	assert.Greater(t, r.best, 98*float64(missing))

	s, err := Solve(context.Background(), p.in, search.Budget{Seed: 1, Iterations: 4000, Threads: 2})
	require.NoError(t, err)
	assert.LessOrEqual(t, s.Bound, 100*missing)
	assert.Greater(t, s.Bound, 90*missing)
	assert.GreaterOrEqual(t, s.Cost, 100*missing)
}
