package margin_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

func plan(heads ...int) margin.Plan {
	return margin.Plan{Queues: []margin.QueuePlan{{Queue: "lumi/pre", Heads: heads}}}
}

func evaluate(t require.TestingT, in margin.Input, p margin.Plan) margin.Outcome {
	m, err := margin.New(ctx, in)
	require.NoError(t, err)
	o, err := m.Evaluate(ctx, p)
	require.NoError(t, err)
	return o
}

// Staffed far below demand, K contacts are answered whatever comes and the average is K over a normal total, so a step
// of the ladder is reached when the total is above K/(target - miss): normal tails give the probability of each
// step, and straight lines between steps their integral (the period-based contract of Baron & Milner, Oper.
// Res. 57 (2009), with a normal period total).
func TestMonthlyLadderAgainstNormalTotals(t *testing.T) {
	const slots, mean, deviation, heads = 12, 100.0, 10.0, 60
	one, none := 1.0, 0.0
	for name, together := range map[string]*float64{"slots move together": &one, "slots are independent": &none} {
		in := hourly([]float64{mean, mean, mean, mean, mean, mean, mean, mean, mean, mean, mean, mean}, deviation)
		in.Scenarios, in.Uncertainty = 4000, margin.Uncertainty{Slots: together, Carry: &none}
		in.Queues[0].Prices.FeeYuan = 10_000
		in.Queues[0].Terms = []margin.Term{{
			ID: "first", Metric: margin.FirstWithin, Target: 0.61, Period: margin.Average,
			Ladder: []margin.Step{{Miss: 0, DeductRate: 0.05}, {Miss: 0.01, DeductRate: 0.1}, {Miss: 0.03, DeductRate: 0.3}},
		}}
		total, spread := slots*mean, slots*deviation
		if together == &none {
			spread = math.Sqrt(slots) * deviation
		}
		above := func(share float64) float64 { return 1 - unit.CDF((slots*heads/share-total)/spread) }
		steps := []float64{above(0.61) - above(0.60), above(0.60) - above(0.58), above(0.58)}
		want := 10_000 * (0.05*steps[0] + 0.1*steps[1] + 0.3*steps[2])
		staffed := make([]int, slots)
		for i := range staffed {
			staffed[i] = heads
		}
		o := evaluate(t, in, plan(staffed...))
		assert.InDeltaSlice(t, steps, o.Queues[0].Terms[0].Steps, 0.015, name)
		assert.InDelta(t, 1-above(0.61), o.Queues[0].Terms[0].Kept, 0.015, name)
		assert.InEpsilon(t, total, o.Queues[0].Terms[0].Contacts, 1e-3, name)
		assert.InDelta(t, want, o.Penalty.Mean, 0.02*want, name)

		in.Queues[0].Terms[0].Linear = true
		want = 0
		yuan := func(share float64) float64 {
			switch miss := 0.61 - share; {
			case miss <= 0:
				return 0
			case miss < 0.01:
				return 500 + (1000-500)*miss/0.01
			case miss < 0.03:
				return 1000 + 2000*(miss-0.01)/0.02
			default:
				return 3000
			}
		}
		for z := -6.0; z < 6; z += 1e-3 {
			want += 1e-3 * unit.Prob(z) * yuan(slots*heads/(total+z*spread))
		}
		o = evaluate(t, in, plan(staffed...))
		assert.InDelta(t, want, o.Penalty.Mean, 0.02*want, name)
	}
}

// The example by hand. 09:00 and 10:00 of two days, a head answers 10 contacts an hour, demand is certain: 20, 40, 20,
// 40 contacts. With 2, 2, 1, 4 heads the first day answers 20 + 20 of 60 and the second 10 + 40 of 60.
//
//	hours      9 heads x 1 h / 0.75 = 12 paid, at 20 yuan; Sunday double: 8 heads... see the assertions
func TestExampleByHand(t *testing.T) {
	in := example(t)
	o := evaluate(t, in, plan(2, 2, 1, 4))
	// Saturday 4 head hours / 0.8 = 5 paid hours x 2 x 20 yuan = 200; Monday... the file's second day is Sunday Nov 1
	// paid as a holiday: 5 / 0.8 = 6.25 hours x 3 x 20 = 375.
	assert.InDelta(t, 200+375, o.WageYuan, 1e-3)
	// 90 of 120 answered at 2 yuan, and the fee.
	assert.InDelta(t, 90*2+1000, o.Revenue.Mean, 1e-3)
	// Average 0.75 is 0.15 short of 0.9: step 2, 10 % of the fee. Saturday 0.6667 is 0.1333 short of 0.8: 30 yuan; Sunday
	// 0.8333 is not short. The event triples Sunday only.
	assert.InDelta(t, 100+30, o.Penalty.Mean, 1e-3)
	assert.Equal(t, []float64{0, 1}, o.Queues[0].Terms[0].Steps)
	assert.Equal(t, []float64{1}, o.Queues[0].Terms[1].Steps)
	assert.InDelta(t, 1180-130-575, o.Margin.Mean, 1e-3)

	// One head fewer on Sunday at 10:00: 80 answered, Sunday 40 of 60 is short too and tripled.
	o = evaluate(t, in, plan(2, 2, 1, 3))
	assert.InDelta(t, 100+30+90, o.Penalty.Mean, 1e-3)
	// Everybody answered: no penalty, the bonus of 1 % for an average of at least 0.05 above target.
	o = evaluate(t, in, plan(2, 4, 2, 4))
	assert.InDelta(t, 0, o.Penalty.Mean, 1e-3)
	assert.InDelta(t, 10, o.Bonus.Mean, 1e-3)
}

// A run of three bad days deducts once for every three, at the multiple of the day that completes it.
func TestRunOfBadDays(t *testing.T) {
	in := hourly(make([]float64, 1), 0)
	in.Until, in.Scenarios = nov10.Add(7), 1
	q := &in.Queues[0]
	q.Demand = margin.Demand{}
	for d := range 7 {
		q.Demand.Slots = append(q.Demand.Slots, margin.Slot{Start: nov10.Add(d).In(shanghai).Add(9 * time.Hour), Mean: 10})
	}
	q.Terms = []margin.Term{{
		ID: "bad-days", Metric: margin.FirstWithin, Target: 0.9, Period: margin.Run, RunDays: 3,
		Ladder: []margin.Step{{Miss: 0.1, DeductYuan: 500}}, Event: &margin.Event{From: nov10.Add(5), Until: nov10.Add(6), Multiplier: 4},
	}}
	for _, c := range []struct {
		heads   [7]int
		penalty float64
	}{
		{[7]int{5, 5, 10, 5, 5, 10, 5}, 0},
		{[7]int{5, 5, 5, 10, 10, 10, 10}, 500},
		{[7]int{9, 9, 9, 9, 9, 9, 9}, 0}, // short by nothing
		{[7]int{8, 8, 8, 9, 8, 8, 9}, 500},
		{[7]int{5, 5, 5, 5, 5, 5, 5}, 500 + 4*500},
	} {
		assert.InDelta(t, c.penalty, evaluate(t, in, plan(c.heads[:]...)).Penalty.Mean, 1e-6, "%v", c.heads)
	}
}

// A cap per term and one per queue.
func TestCaps(t *testing.T) {
	in := hourly([]float64{10, 10}, 0)
	in.Queues[0].Terms = []margin.Term{
		{ID: "a", Metric: margin.FirstWithin, Target: 0.9, Period: margin.Daily, Ladder: []margin.Step{{DeductYuan: 300}}, CapYuan: 200},
		{ID: "b", Metric: margin.FirstWithin, Period: margin.Daily, PerMissedYuan: 7},
	}
	assert.InDelta(t, 200+70, evaluate(t, in, plan(5, 5)).Penalty.Mean, 1e-4)
	in.Queues[0].PenaltyCapYuan = 250
	assert.InDelta(t, 250, evaluate(t, in, plan(5, 5)).Penalty.Mean, 1e-4)
}

// Overtime is the premium of the hours of a workday beyond the regular ones, night an allowance.
func TestWages(t *testing.T) {
	in := hourly(make([]float64, 14), 0) // 09:00 to 23:00
	in.Wage = margin.Wage{HourYuan: 20, RegularHours: 10, NightWindow: "22:00-06:00", NightYuan: 8}
	ones := make([]int, 14)
	for i := range ones {
		ones[i] = 1
	}
	o := evaluate(t, in, plan(ones...))
	assert.InDelta(t, 14*20+4*10+8, o.WageYuan, 1e-9)
	assert.InDelta(t, 40, o.OvertimeYuan, 1e-9)
	for kind, factor := range map[margin.DayKind]float64{margin.RestDay: 2, margin.Holiday: 3} {
		in.Days = []margin.Day{{Date: nov10, Kind: kind}}
		assert.InDelta(t, 14*20*factor+8, evaluate(t, in, plan(ones...)).WageYuan, 1e-9)
	}
}

// More heads never cost more penalty and never less wage; a statement about a block is the difference of two outcomes.
func TestMoreHeads(t *testing.T) {
	in := days(fortnight(1), 2)
	in.Scenarios, in.MaxHeads = 100, 0
	in.Wage.RegularHours = 300
	m, err := margin.New(ctx, in)
	require.NoError(t, err)
	slots := in.Queues[0].Demand.Slots
	rapid.Check(t, func(t *rapid.T) {
		p := margin.Plan{Queues: []margin.QueuePlan{{Queue: in.Queues[0].Queue}}}
		base := rapid.IntRange(1, 40).Draw(t, "base")
		for range slots {
			p.Queues[0].Heads = append(p.Queues[0].Heads, base)
		}
		before, err := m.Evaluate(ctx, p)
		require.NoError(t, err)
		from := rapid.IntRange(0, len(slots)-17).Draw(t, "from")
		n := rapid.IntRange(1, 3).Draw(t, "n")
		x, err := m.Block(t.Context(), p, in.Queues[0].Queue, slots[from].Start, slots[from+15].Start.Add(15*time.Minute), n)
		require.NoError(t, err)
		for i := from; i <= from+15; i++ {
			p.Queues[0].Heads[i] += n
		}
		after, err := m.Evaluate(ctx, p)
		require.NoError(t, err)
		if after.Penalty.Mean > before.Penalty.Mean+1e-3 || after.WageYuan <= before.WageYuan || after.Revenue.Mean < before.Revenue.Mean-1e-3 {
			t.Fatalf("more heads: penalty %.3f to %.3f, wage %.3f to %.3f", before.Penalty.Mean, after.Penalty.Mean, before.WageYuan, after.WageYuan)
		}
		assert.InDelta(t, after.Margin.Mean-before.Margin.Mean, x.NetYuan, 0.05)
		assert.InDelta(t, after.WageYuan-before.WageYuan, x.CostYuan, 1e-6)
		assert.InDelta(t, before.Penalty.Mean-after.Penalty.Mean, x.AvoidedYuan, 0.05)
	})
}

// With demand known, a slot of a hundred and ten at most in nine of ten days brings 100 + 10 z contacts, of which sixty heads answer
// sixty; nobody comes outside the window of a term, so nothing is kept there.
func TestDemandThatIsKnown(t *testing.T) {
	in := hourly([]float64{100, 100}, 10)
	in.Queues[0].Terms = []margin.Term{
		{ID: "first", Metric: margin.FirstWithin, Target: 0.55, Period: margin.Average, Ladder: []margin.Step{{DeductYuan: 1}}},
		{ID: "night", Metric: margin.FirstWithin, Target: 0.55, Period: margin.Average, Window: "03:00-04:00", Ladder: []margin.Step{{DeductYuan: 1}}},
	}
	m, err := margin.New(ctx, in)
	require.NoError(t, err)
	for level, z := range map[float64]float64{0.5: 0, 0.9: unit.Quantile(0.9)} {
		known, err := m.Certain(ctx, level)
		require.NoError(t, err)
		o, err := known.Evaluate(ctx, plan(60, 60))
		require.NoError(t, err)
		first, night := o.Queues[0].Terms[0], o.Queues[0].Terms[1]
		assert.InEpsilon(t, 60/(100+10*z), first.Share.P50, 1e-4)
		assert.InEpsilon(t, 120, first.Met, 1e-4)
		assert.InDelta(t, map[bool]float64{true: 1, false: 0}[60/(100+10*z) >= 0.55], first.Kept, 0)
		assert.InEpsilon(t, 200+20*z, first.Contacts, 1e-6)
		assert.InDelta(t, 0, night.Contacts, 0)
		assert.InDelta(t, 0, night.Kept, 0)
	}
	before, err := m.Evaluate(ctx, plan(60, 60))
	require.NoError(t, err)
	assert.InEpsilon(t, 200, before.Queues[0].Terms[0].Contacts, 1e-3, "the model itself keeps its scenarios")
}

// Heads that are promised in one slot stand there, whatever the money says; the usual staffings have them too.
func TestPromisedHeadsOfASlot(t *testing.T) {
	in := hourly([]float64{20, 20, 20}, 1)
	in.Queues[0].Demand.Slots[1].MinHeads = 7
	m, r := optimum(t, in)
	assert.Equal(t, 7, r.Plan.Queues[0].Heads[1])
	assert.Less(t, r.Plan.Queues[0].Heads[0], 7)
	usual, err := m.AtQuantile(ctx, 0.5)
	require.NoError(t, err)
	assert.Equal(t, 7, usual.Queues[0].Heads[1])
}
