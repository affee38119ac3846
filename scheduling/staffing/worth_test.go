package staffing_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// By hand: 1, 8, 9 and 9.5 yuan with one to four heads. The first alone brings less than its part of what two bring, so both
// count 4 each; then 1, then a half.
func TestWorthIsTheConcaveEnvelope(t *testing.T) {
	saved := []float64{0, 1, 8, 9, 9.5}
	got := staffing.Worth(4, func(n int) float64 { return saved[n] })
	assert.Equal(t, []scheduling.Step{{Heads: 2, Value: 4}, {Heads: 3, Value: 1}, {Heads: 4, Value: 0.5}}, got)
	assert.Empty(t, staffing.Worth(3, func(int) float64 { return 0 }), "nothing to lose")
	assert.Empty(t, staffing.Worth(0, func(int) float64 { return 1 }))
	falls := []float64{0, 5, 4}
	assert.Equal(t, []scheduling.Step{{Heads: 1, Value: 5}, {Heads: 2, Value: 0}}, staffing.Worth(2, func(n int) float64 { return falls[n] }))
}

// Whatever the queue, its curve falls, ends at all heads and adds up to the money that is lost with nobody: the price of every contact
// that the planned heads answer in time.
func TestWorthAddsUpToWhatNobodyLoses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := staffing.DefaultTarget()
		target.Concurrency = rapid.IntRange(1, 5).Draw(t, "k")
		target.PenaltyPerMissedContact = rapid.Float64Range(0.01, 50).Draw(t, "price")
		target.OccupancyCap = rapid.SampledFrom([]float64{0, 0.8}).Draw(t, "cap")
		in := staffing.Input{Curve: curve(15*time.Minute, rapid.SliceOfN(rapid.Float64Range(0.01, 200), 1, 12).Draw(t, "means")...), Target: target}
		in.MinHeads = rapid.IntRange(0, 3).Draw(t, "floor")
		out, err := staffing.Plan(in)
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range out.Requirement.Needs {
			require.Empty(t, n.WorthFields("need"))
			require.NotEmpty(t, n.Worth)
			require.Equal(t, n.Heads, n.Worth[len(n.Worth)-1].Heads)
			lost := target.PenaltyPerMissedContact * out.Reached[i].Contacts * out.Reached[i].Share
			require.InEpsilon(t, lost, n.Saved(float64(n.Heads)), 1e-5, "%v", n.Worth)
		}
	})
}

// The curve is looked at in a few points. Against the envelope through every number of heads, each evaluated by itself, it is nowhere
// above and at most a twentieth of the whole below.
func TestWorthIsCloseToThatOfEveryHead(t *testing.T) {
	for _, k := range []int{1, 3, 5} {
		for _, contacts := range []float64{2, 10, 40, 150, 600} {
			target := staffing.DefaultTarget()
			target.Concurrency, target.PenaltyPerMissedContact = k, 1
			out, err := staffing.Plan(staffing.Input{Curve: curve(15*time.Minute, contacts), Target: target})
			require.NoError(t, err)
			need := out.Requirement.Needs[0]
			saved := make([]float64, need.Heads+1)
			for n := range saved {
				saved[n] = contacts * staffing.Serve(target, contacts, 15*time.Minute, target.HandleTime, n).Share
			}
			whole := saved[need.Heads]
			for n := range saved {
				envelope := 0.0 // the highest chord over n
				for a := range n + 1 {
					for b := n; b < len(saved); b++ {
						x := saved[a]
						if b > a {
							x += (saved[b] - saved[a]) * float64(n-a) / float64(b-a)
						}
						envelope = max(envelope, x)
					}
				}
				got := need.Saved(float64(n))
				assert.LessOrEqual(t, got, envelope+1e-5*whole, "k %d, %g contacts, %d of %d heads", k, contacts, n, need.Heads)
				assert.GreaterOrEqual(t, got, envelope-0.05*whole, "k %d, %g contacts, %d of %d heads", k, contacts, n, need.Heads)
			}
		}
	}
}

// Slots of another length keep the money: a longer one adds up the curves of its parts, shorter ones share theirs.
func TestWorthOfOtherSlots(t *testing.T) {
	target := staffing.DefaultTarget()
	target.PenaltyPerMissedContact = 3
	in := staffing.Input{Curve: curve(15*time.Minute, 4, 30, 12, 60), Target: target, Settled: true}
	fine, err := staffing.Plan(in)
	require.NoError(t, err)
	in.Slot = time.Hour
	coarse, err := staffing.Plan(in)
	require.NoError(t, err)
	require.Len(t, coarse.Requirement.Needs, 1)
	hour := coarse.Requirement.Needs[0]
	require.Empty(t, hour.WorthFields("need"))
	for heads := range hour.Heads + 1 {
		sum := 0.0
		for _, n := range fine.Requirement.Needs {
			sum += n.Saved(float64(heads))
		}
		assert.InEpsilon(t, math.Max(sum, 1), math.Max(hour.Saved(float64(heads)), 1), 1e-4, "%d heads all hour", heads)
	}
	in.Slot = 5 * time.Minute
	finest, err := staffing.Plan(in)
	require.NoError(t, err)
	for i, n := range finest.Requirement.Needs {
		assert.InEpsilon(t, fine.Requirement.Needs[i/3].Saved(2)/3, n.Saved(2), 1e-4)
	}
}

// No contract prices a late ticket: a head for tickets counts as the mean of the others.
func TestWorthOfHeadsForTickets(t *testing.T) {
	start := time.Date(2026, 11, 9, 9, 0, 0, 0, time.UTC)
	r := scheduling.Requirement{Slot: time.Hour, Needs: []scheduling.Need{
		{Start: start, Heads: 3, Paid: 3, Value: 2, Worth: []scheduling.Step{{Heads: 1, Value: 8}, {Heads: 3, Value: 2}}}, // 12 in all
		{Start: start.Add(time.Hour), Heads: 2, Paid: 2, Value: 5, Worth: []scheduling.Step{{Heads: 2, Value: 5}}},
		{Start: start.Add(2 * time.Hour), Heads: 2, Paid: 2},
	}}
	plan := staffing.DeferredPlan{Slots: []staffing.DeferredReached{
		{Start: start, Extra: 2}, {Start: start.Add(time.Hour), Extra: 1}, {Start: start.Add(2 * time.Hour), Extra: 1},
	}}
	needs := plan.Onto(r).Needs
	assert.Equal(t, []scheduling.Step{{Heads: 1, Value: 8}, {Heads: 3, Value: 4}, {Heads: 5, Value: 2}}, needs[0].Worth)
	assert.Equal(t, []scheduling.Step{{Heads: 3, Value: 5}}, needs[1].Worth)
	assert.Empty(t, needs[2].Worth)
	assert.Equal(t, 3, needs[2].Heads)
}
