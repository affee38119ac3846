package margin

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// A contract counts the contacts of two queues together: the second makes up for the first, and what one step deducts is shared
// out by who misses it. By hand: rate 4 an hour, quarter hours, certain demand. Two contacts in a queue with one head (one met
// in each slot) and two in one with two heads (two met): 3 of 4 are met together.
func TestJointTermsAreJudgedTogether(t *testing.T) {
	in := Input{
		From: calendar.Date{Year: 2026, Month: 11, Day: 10}, Until: calendar.Date{Year: 2026, Month: 11, Day: 11}, Scenarios: 4, Wage: Wage{HourYuan: 20},
	}
	term := Term{
		ID: "first", Joint: "lumi/first", Metric: FirstWithin, Target: 0.8, Period: Average, FeeBaseYuan: 1000,
		Ladder: []Step{{Miss: 0, DeductRate: 0.1}, {Miss: 0.1, DeductRate: 0.5}},
	}
	loc := time.FixedZone("", 8*3600)
	for _, id := range []ids.Queue{"lumi/pre", "lumi/after"} {
		q := Queue{Queue: id, Handling: Handling{Model: Rate, ContactsPerHour: 4}, Terms: []Term{term}}
		q.Demand.Slots = []Slot{{Start: time.Date(2026, 11, 10, 10, 0, 0, 0, loc), Mean: 2}}
		in.Queues = append(in.Queues, q)
	}
	m, err := New(t.Context(), in)
	require.NoError(t, err)
	o, err := m.Evaluate(t.Context(), Plan{Queues: []QueuePlan{{Queue: "lumi/pre", Heads: []int{1}}, {Queue: "lumi/after", Heads: []int{2}}}})
	require.NoError(t, err)
	require.Len(t, o.Joint, 1)
	assert.InDelta(t, 0.75, o.Joint[0].Share.Mean, 1e-9)
	assert.InDelta(t, 100, o.Joint[0].Penalty.Mean, 1e-9, "five points short: the first step of 10 %% of 1,000")
	assert.InDelta(t, 100, o.Penalty.Mean, 1e-9)
	assert.InDelta(t, 100, o.Queues[0].Penalty.Mean, 1e-9, "the first queue misses all that is missed")
	assert.InDelta(t, 0, o.Queues[1].Penalty.Mean, 1e-9)
	// One more head where all is met gains nothing; in the other queue it avoids the whole deduction.
	plan := Plan{Queues: []QueuePlan{{Queue: "lumi/pre", Heads: []int{1}}, {Queue: "lumi/after", Heads: []int{2}}}}
	at := in.Queues[0].Demand.Slots[0].Start
	x, err := m.Block(t.Context(), plan, "lumi/pre", at, at.Add(15*time.Minute), 1)
	require.NoError(t, err)
	assert.InDelta(t, 100, x.AvoidedYuan, 1e-9)
	assert.InDelta(t, 5, x.CostYuan, 1e-9, "a quarter of an hour at 20")
	// The best of all staffings: three heads miss a quarter (cost 15 + 100), four miss nothing (20), none costs 500.
	best, err := m.Optimise(t.Context())
	require.NoError(t, err)
	assert.InDelta(t, -20, best.Outcome.Margin.Mean, 1e-9)
	assert.GreaterOrEqual(t, best.BoundYuan, -20-1e-9)
	in.Queues[1].Terms[0].Target = 0.9
	_, err = New(t.Context(), in)
	require.Error(t, err)
}

// Every staffing of two queues under joint ladders: none earns more than the search by more than a little, and none more than the bound.
func TestJointSearchAgainstBruteForce(t *testing.T) {
	short, cases, worst := 0, 0, 0.0
	rapid.Check(t, func(t *rapid.T) {
		in := Input{
			From: calendar.Date{Year: 2026, Month: 11, Day: 10}, Until: calendar.Date{Year: 2026, Month: 11, Day: 11}, Scenarios: 8, Wage: Wage{HourYuan: rapid.Float64Range(5, 40).Draw(t, "wage")},
		}
		term := Term{
			ID: "first", Joint: "both", Metric: FirstWithin, Target: 0.9, Period: Average, FeeBaseYuan: rapid.Float64Range(50, 400).Draw(t, "fee"),
			Ladder: []Step{{Miss: 0, DeductRate: 0.2}, {Miss: 0.1, DeductRate: 0.5}, {Miss: 0.3, DeductRate: 1}},
		}
		loc := time.FixedZone("", 8*3600)
		for _, id := range []ids.Queue{"a", "b"} {
			q := Queue{Queue: id, MaxHeads: 4, Handling: Handling{Model: Rate, ContactsPerHour: 4}, Terms: []Term{term}}
			q.Demand.Levels = []float64{0.1, 0.5, 0.9}
			for h := range 2 {
				mid := rapid.Float64Range(0.5, 3).Draw(t, "contacts")
				q.Demand.Slots = append(q.Demand.Slots, Slot{Start: time.Date(2026, 11, 10, 10+h, 0, 0, 0, loc), Mean: mid, Quantiles: []float64{0.6 * mid, mid, 1.5 * mid}})
			}
			in.Queues = append(in.Queues, q)
		}
		m, err := New(context.Background(), in)
		require.NoError(t, err)
		best, err := m.Optimise(context.Background())
		require.NoError(t, err)
		top := math.Inf(-1)
		for n := range 5 * 5 * 5 * 5 {
			p := Plan{Queues: []QueuePlan{{Queue: "a", Heads: []int{n % 5, n / 5 % 5}}, {Queue: "b", Heads: []int{n / 25 % 5, n / 125}}}}
			o, err := m.Evaluate(context.Background(), p)
			require.NoError(t, err)
			top = max(top, o.Margin.Mean)
		}
		assert.GreaterOrEqual(t, best.BoundYuan, top-1e-6)
		cases++
		if miss := (top - best.Outcome.Margin.Mean) / (best.Outcome.WageYuan + best.Outcome.Penalty.Mean + 1); miss > 1e-5 {
			short++
			worst = max(worst, miss)
		}
	})
	t.Logf("%d of %d searches end below the best staffing, the worst by %.2f %%", short, cases, 100*worst)
	// Cases are drawn anew each time: 4 of 1,200 ended below the best, by 2.8 % of the turnover at most.
	assert.LessOrEqual(t, float64(short), 0.03*float64(cases))
	assert.LessOrEqual(t, worst, 0.08)
}

// The floor of service: without a contract nobody would be paid, with it every slot has the least heads that reach the share.
func TestTheFloorOfServiceHolds(t *testing.T) {
	in := Input{From: calendar.Date{Year: 2026, Month: 11, Day: 10}, Until: calendar.Date{Year: 2026, Month: 11, Day: 11}, Scenarios: 50, Wage: Wage{HourYuan: 20}}
	q := Queue{
		Queue: "lumi/pre", Handling: Handling{Model: Calls, HandleTimeS: 180, PatienceS: 120},
		Service: &Service{Metric: FirstWithin, WithinS: 20, Least: 0.8},
	}
	loc := time.FixedZone("", 8*3600)
	for h := range 6 {
		q.Demand.Slots = append(q.Demand.Slots, Slot{Start: time.Date(2026, 11, 10, 9+h, 0, 0, 0, loc), Mean: float64(10 * h)})
	}
	in.Queues = []Queue{q}
	m, err := New(t.Context(), in)
	require.NoError(t, err)
	best, err := m.Optimise(t.Context())
	require.NoError(t, err)
	for h, heads := range best.Plan.Queues[0].Heads {
		want := 0
		if h > 0 {
			p, err := staffing.Least(staffing.ModelA, staffing.Queue{Contacts: float64(10 * h), Interval: 15 * time.Minute, HandleTime: 3 * time.Minute, Patience: 2 * time.Minute}, staffing.Goal{ServiceLevel: 0.8, Within: 20 * time.Second})
			require.NoError(t, err)
			want = int(p.Agents)
		}
		assert.InDelta(t, want, heads, 1, "slot %d: a head may lie between table and formula", h)
	}
	assert.Zero(t, best.Outcome.Queues[0].Short)
	assert.Greater(t, best.Outcome.Queues[0].Service, 0.8)
	none := Plan{Queues: []QueuePlan{{Queue: "lumi/pre", Heads: make([]int, 6)}}}
	o, err := m.Evaluate(t.Context(), none)
	require.NoError(t, err)
	assert.Equal(t, 5, o.Queues[0].Short)
	day := o.Queues[0].Days[0]
	assert.InDelta(t, 150, day.Contacts, 1e-6)
	assert.Zero(t, day.Met)
}

// A mean answer of Erlang A at certain demand, against the formula: half a second above the target deducts, below it does not.
func TestAMeanTimeIsPriced(t *testing.T) {
	work := Handling{Model: Calls, HandleTimeS: 180, PatienceS: 120}
	want := staffing.ErlangA(staffing.Queue{Contacts: 40, Interval: 15 * time.Minute, HandleTime: 3 * time.Minute, Patience: 2 * time.Minute}, 8, time.Second).AnsweredWait
	for over, due := range map[float64]float64{-0.5: 30, 0.5: 0} {
		in := Input{From: calendar.Date{Year: 2026, Month: 11, Day: 10}, Until: calendar.Date{Year: 2026, Month: 11, Day: 11}, Scenarios: 4, Wage: Wage{HourYuan: 20}}
		q := Queue{Queue: "lumi/pre", Handling: work, Terms: []Term{{ID: "mean", Metric: FirstMean, Target: want + over, Period: Average, Ladder: []Step{{Miss: 0, DeductYuan: 30}}}}}
		q.Demand.Slots = []Slot{{Start: time.Date(2026, 11, 10, 10, 0, 0, 0, time.FixedZone("", 8*3600)), Mean: 40}}
		in.Queues = []Queue{q}
		m, err := New(t.Context(), in)
		require.NoError(t, err)
		o, err := m.Evaluate(t.Context(), Plan{Queues: []QueuePlan{{Queue: "lumi/pre", Heads: []int{8}}}})
		require.NoError(t, err)
		assert.InDelta(t, want, o.Queues[0].Terms[0].Share.Mean, 0.4)
		assert.InDelta(t, due, o.Penalty.Mean, 1e-9)
	}
}
