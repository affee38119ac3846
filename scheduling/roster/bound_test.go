package roster

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The bound against brute force: whatever the prices, no roster of one hour is cheaper, and at the best prices it comes as near as
// the whole numbers of heads let it.
func TestTheBoundIsBelowEveryRoster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := oneHour(t)
		require.NoError(t, p.Validate())
		m := compile(&p)
		cheapest := math.Inf(1)
		for set := range 1 << len(p.Agents) {
			s := newState(m, nil)
			for a := range p.Agents {
				if set>>a&1 == 1 {
					s.put(a, option{})
				}
			}
			cheapest = min(cheapest, s.account().Total())
		}
		r := newRelaxation(m, 1)
		slot := m.occ[0][0].start
		for range 5 {
			for q := range m.queues {
				r.price[slot*len(m.queues)+q] = rapid.Float64Range(-0.5, 25).Draw(t, "price")
			}
			require.LessOrEqual(t, r.evaluate(), cheapest+1e-9)
		}
		rounds := 0
		r = newRelaxation(m, 1)
		r.improve(cheapest, func() bool { rounds++; return rounds < 60 })
		require.LessOrEqual(t, r.bound(), cheapest+1e-9)
	})
}

// The heads that a slot takes at a price, and the price of a fractional supply, against every number of heads and many prices.
func TestSlotsAnswerPricesExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := oneHour(t)
		m := compile(&p)
		f := newFluid(newRelaxation(m, 1))
		i := m.occ[0][0].start*len(m.queues) + rapid.IntRange(0, len(m.queues)-1).Draw(t, "queue")
		least := func(price float64) float64 {
			best := math.Inf(1)
			for n := range m.target[i] + 1 {
				short, over := m.slotCost(i, n)
				best = min(best, short+over+price*float64(n))
			}
			return best
		}
		price := rapid.Float64Range(-2, 30).Draw(t, "price")
		_, value := m.cheapestHeads(i, price)
		require.InDelta(t, least(price), value, 1e-9)

		low := -m.p.Weights.Over / m.perHour
		if m.target[i] == 0 {
			require.InDelta(t, low, f.priceOf(i), 0)
			return
		}
		f.heads[i] = rapid.Float64Range(0, 7).Draw(t, "supply")
		f.centre[i], f.stiff = rapid.Float64Range(low, m.dearest(i)).Draw(t, "centre"), rapid.Float64Range(0.1, 9).Draw(t, "stiff")
		dual := func(price float64) float64 {
			return least(price) - price*f.heads[i] - (price-f.centre[i])*(price-f.centre[i])/2/f.stiff
		}
		got := f.priceOf(i)
		for k := range 501 {
			other := low + (m.dearest(i)-low)*float64(k)/500
			require.GreaterOrEqual(t, dual(got), dual(other)-1e-9, "%g against %g", got, other)
		}
	})
}

// At one more head every slot saves what its cost falls by.
func TestSavingsAreDifferencesOfCosts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := oneHour(t)
		m := compile(&p)
		for i := range m.inside * len(m.queues) {
			for n := range m.target[i] + 2 {
				short, over := m.slotCost(i, n)
				then, more := m.slotCost(i, n+1)
				assert.InDelta(t, short+over-then-more, m.saving(i, n), 1e-9)
				if n > 0 {
					assert.LessOrEqual(t, m.saving(i, n), m.saving(i, n-1))
				}
			}
		}
	})
}
