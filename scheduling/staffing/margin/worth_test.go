package margin_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

// One contact per head and hour, normal demand, a fixed amount per contact: n heads save (p + r) E min(D, n), which is the mean less
// the normal loss at n (Porteus, Foundations of Stochastic Inventory Theory, ch. 1).
func TestWorthOfOneSlotIsTheNewsvendors(t *testing.T) {
	const mean, deviation = 100.0, 20.0
	in := hourly([]float64{mean}, deviation)
	in.Queues[0].Prices.PerContactYuan = 5
	in.Queues[0].Terms = []margin.Term{{ID: "missed", Metric: margin.FirstWithin, Period: margin.Daily, PerMissedYuan: 30}}
	_, r := optimum(t, in)
	heads := r.Plan.Queues[0].Heads[0]
	need := scheduling.Need{Heads: heads}.Priced(r.Worth[0][0])
	require.Empty(t, need.WorthFields(""))
	for _, s := range need.Worth {
		z := (float64(s.Heads) - mean) / deviation
		loss := deviation * (unit.Prob(z) - z*(1-unit.CDF(z)))
		assert.InEpsilon(t, 35*(mean-loss), need.Saved(float64(s.Heads)), 5e-3, "%d heads", s.Heads)
	}
	assert.Equal(t, heads, need.Worth[len(need.Worth)-1].Heads)
}

// Whatever the contract, the curves of all slots add up to what it takes and what is not earned when nobody is there.
func TestWorthAddsUpToWhatAnEmptyPlanLoses(t *testing.T) {
	staffed := 0
	rapid.Check(t, func(t *rapid.T) {
		in := hourly(rapid.SliceOfN(rapid.Float64Range(4, 30), 1, 5).Draw(t, "means"), 2)
		in.Scenarios = 60
		in.Until = nov10.Add(2)
		q := &in.Queues[0]
		for _, s := range q.Demand.Slots {
			s.Start = s.Start.Add(24 * time.Hour)
			q.Demand.Slots = append(q.Demand.Slots, s)
		}
		q.Prices.FeeYuan = rapid.Float64Range(500, 5000).Draw(t, "fee")
		q.Prices.PerContactYuan = rapid.Float64Range(0, 10).Draw(t, "contact")
		term := margin.Term{
			ID: "sla", Metric: margin.FirstWithin, Target: 0.9, Period: rapid.SampledFrom([]string{margin.Average, margin.Daily, margin.Run}).Draw(t, "period"),
			Ladder: []margin.Step{{Miss: 0, DeductRate: 0.05}, {Miss: 0.1, DeductRate: 0.2}, {Miss: 0.4, DeductRate: 0.5}},
		}
		if term.Period == margin.Run {
			term.RunDays, term.Ladder = 2, term.Ladder[:1]
		}
		if rapid.Bool().Draw(t, "cap") {
			term.CapYuan = 0.4 * q.Prices.FeeYuan
		}
		q.Terms = []margin.Term{term}
		m, r := optimum(t, in)
		empty := margin.Plan{Queues: []margin.QueuePlan{{Queue: "lumi/pre", Heads: make([]int, len(q.Demand.Slots))}}}
		nobody, err := m.Evaluate(ctx, empty)
		require.NoError(t, err)
		sum := 0.0
		for i, heads := range r.Plan.Queues[0].Heads {
			need := scheduling.Need{Heads: heads}.Priced(r.Worth[0][i])
			require.Empty(t, need.WorthFields(""))
			sum += need.Saved(float64(heads))
		}
		lost := r.Outcome.Margin.Mean + r.Outcome.WageYuan - nobody.Margin.Mean
		require.InDelta(t, lost, sum, 1e-3*(1+q.Prices.FeeYuan))
		if lost > 100 {
			staffed++
		}
	})
	assert.Greater(t, staffed, 20, "plans that have something to lose")
}
