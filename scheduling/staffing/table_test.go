package staffing_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/staffing"
)

// A slot sized among many others must get the heads it gets alone, and the interpolated figures must be those of
// the model.
func TestPlanOfManySlotsIsThatOfEach(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := staffing.DefaultTarget()
		target.Within = time.Minute
		target.Concurrency = rapid.IntRange(1, 5).Draw(t, "k")
		target.OccupancyCap = rapid.SampledFrom([]float64{0, 0.8}).Draw(t, "cap")
		target.PenaltyPerMissedContact = rapid.SampledFrom([]float64{0, 2}).Draw(t, "penalty")
		means := rapid.SliceOfN(rapid.Float64Range(0, 120), 1, 60).Draw(t, "means")
		all, err := staffing.Plan(staffing.Input{Curve: curve(15*time.Minute, means...), Target: target, Settled: true})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			i := rapid.IntRange(0, len(means)-1).Draw(t, "slot")
			alone, err := staffing.Plan(staffing.Input{Curve: curve(15*time.Minute, means[i]), Target: target, Settled: true})
			if err != nil {
				t.Fatal(err)
			}
			a, b := all.Reached[i], alone.Reached[0]
			if a.Heads != b.Heads {
				t.Fatalf("%v contacts: %d heads among others, %d alone", means[i], a.Heads, b.Heads)
			}
			for name, pair := range map[string][2]float64{
				"share": {a.Share, b.Share}, "abandon": {a.Abandon, b.Abandon}, "occupancy": {a.Occupancy, b.Occupancy},
				"round": {a.RoundWithin, b.RoundWithin}, "wait": {a.WaitSeconds / 60, b.WaitSeconds / 60},
				"half of the heads": {0.01 * all.Requirement.Needs[i].Saved(float64(a.Heads/2)) / 240, 0.01 * alone.Requirement.Needs[0].Saved(float64(a.Heads/2)) / 240},
				"value":             {all.Requirement.Needs[i].Value / 240, alone.Requirement.Needs[0].Value / 240},
			} {
				if math.Abs(pair[0]-pair[1]) > 1e-4 {
					t.Fatalf("%v contacts, %s: %v among others, %v alone", means[i], name, pair[0], pair[1])
				}
			}
		}
	})
}

// week is a queue of quarter hours with two peaks a day and a parameter set of its own.
func week(queue int) staffing.Input {
	means := make([]float64, 7*96)
	size := 4 + 40*math.Mod(float64(queue)*0.618, 1)
	for i := range means {
		hour := float64(i%96) / 4
		shape := 0.15 + math.Exp(-square((hour-11)/3)) + 1.4*math.Exp(-square((hour-20.5)/2.2))
		means[i] = size * shape * (1 + 0.1*math.Sin(float64(i)*1.7)/10 + 0.08*math.Sin(float64(i/96)))
	}
	in := staffing.Input{Curve: curve(15*time.Minute, means...), Target: staffing.DefaultTarget(), Shrinkage: 0.12, MinHeads: 1}
	in.Target.Concurrency = 3 + queue%4
	in.Target.Within = time.Minute
	in.Target.HandleTime = 4*time.Minute + time.Duration(queue)*100*time.Millisecond
	in.Target.PenaltyPerMissedContact = 2
	return in
}

func TestWeekBenchmarkIsStaffed(t *testing.T) {
	out, err := staffing.Plan(week(3))
	require.NoError(t, err)
	require.Len(t, out.Reached, 7*96)
	for _, r := range out.Reached {
		require.True(t, r.Met)
	}
}
