package staffing_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

var monday = time.Date(2026, 11, 9, 1, 0, 0, 0, time.UTC)

func curve(slot time.Duration, means ...float64) scheduling.Curve {
	c := scheduling.Curve{Queue: "lumi/pre", Slot: slot, Levels: []float64{0.5, 0.9}}
	for i, m := range means {
		c.Points = append(c.Points, scheduling.Point{
			Start: monday.Add(time.Duration(i) * slot), Mean: m, Quantiles: []float64{m, 1.3 * m},
		})
	}
	return c
}

func phoneTarget() staffing.Target {
	return staffing.Target{Within: 20 * time.Second, Share: 0.8, HandleTime: 4 * time.Minute}
}

// 100 calls of 240 s in half an hour at 80/20 is 17 agents (published); 30 % shrinkage pays 17/0.7.
func TestPlanOfThePublishedExample(t *testing.T) {
	out, err := staffing.Plan(staffing.Input{Curve: curve(30*time.Minute, 100, 0), Target: phoneTarget(), Shrinkage: 0.3, MinHeads: 2})
	require.NoError(t, err)
	needs := out.Requirement.Needs
	require.Len(t, needs, 2)
	assert.Equal(t, 17, needs[0].Heads)
	assert.InDelta(t, 17/0.7, needs[0].Paid, 1e-12)
	assert.InDelta(t, 0.8104, out.Reached[0].Share, 5e-5)
	for _, part := range []string{"mean 100.0", "30m", "AHT 4m,", "Erlang C", "17", "81.0%", "target 80%", "shrinkage 30%", "24.3 paid"} {
		assert.Contains(t, needs[0].Reason, part)
	}
	assert.Equal(t, 2, needs[1].Heads, "the floor holds in a slot without contacts")
	assert.Contains(t, needs[1].Reason, "floor raises to 2")
}

// What a chat's AHT is, and how much of it is work, stands beside it: 18 % of 260 s are 46.8 s.
func TestReasonTellsOpenTimeFromOwnWork(t *testing.T) {
	target := staffing.DefaultTarget()
	target.HandleTime, target.Overhead = 260*time.Second, 0.18
	out, err := staffing.Plan(staffing.Input{Curve: curve(30*time.Minute, 100), Target: target})
	require.NoError(t, err)
	assert.Contains(t, out.Requirement.Needs[0].Reason, "AHT 4m20s, chats open that long, up to 3 at once (18% = 47s own work, 6 rounds")
}

// The published service level of 17 agents is 0.8104; below 14 nobody is answered in time and from there to 17 it climbs by more than
// 0.8104/17 a head (0.2402, 0.5078, 0.6900). So the desk is worth all or nothing: 100 x 0.8104 x 5 yuan, each of the 17 the same.
func TestPlanPricesAMissingHead(t *testing.T) {
	target := phoneTarget()
	target.PenaltyPerMissedContact = 5
	out, err := staffing.Plan(staffing.Input{Curve: curve(30*time.Minute, 100), Target: target})
	require.NoError(t, err)
	need := out.Requirement.Needs[0]
	require.Len(t, need.Worth, 1)
	assert.Equal(t, 17, need.Worth[0].Heads)
	assert.InDelta(t, 500*0.8104/17, need.Worth[0].Value, 0.002)
	assert.InDelta(t, need.Worth[0].Value, need.Value, 0)
	assert.Contains(t, need.Reason, "the last head is worth 60.", "500 x (0.8104 - 0.6900)")
}

func TestPlanStaffsAtTheQuantile(t *testing.T) {
	target := phoneTarget()
	target.Level = 0.9
	high, err := staffing.Plan(staffing.Input{Curve: curve(30*time.Minute, 100), Target: target})
	require.NoError(t, err)
	direct, err := staffing.Least(staffing.ModelC, calls(130, 240, 0), staffing.Goal{ServiceLevel: 0.8, Within: 20 * time.Second})
	require.NoError(t, err)
	assert.Equal(t, int(direct.Agents), high.Requirement.Needs[0].Heads)
	assert.Contains(t, high.Requirement.Needs[0].Reason, "P90 130.0")
}

func TestPlanCeilingSaysTheTargetIsMissed(t *testing.T) {
	out, err := staffing.Plan(staffing.Input{Curve: curve(30*time.Minute, 100), Target: phoneTarget(), MaxHeads: 12})
	require.NoError(t, err)
	assert.Equal(t, 12, out.Requirement.Needs[0].Heads)
	assert.False(t, out.Reached[0].Met)
	assert.Equal(t, -1.0, out.Reached[0].WaitSeconds, "13.3 erlangs on 12 agents grow without end")
	assert.Contains(t, out.Requirement.Needs[0].Reason, "ceiling cuts to 12")
}

// An hourly curve into half hours keeps the rate, so the heads are those of the hour; a quarter-hour curve
// into half hours takes the neediest quarter.
func TestPlanChangesSlots(t *testing.T) {
	hourly, err := staffing.Plan(staffing.Input{Curve: curve(time.Hour, 200), Target: phoneTarget(), Slot: 30 * time.Minute})
	require.NoError(t, err)
	require.Len(t, hourly.Requirement.Needs, 2)
	assert.Equal(t, []int{17, 17}, []int{hourly.Requirement.Needs[0].Heads, hourly.Requirement.Needs[1].Heads})
	assert.Equal(t, monday.Add(30*time.Minute), hourly.Requirement.Needs[1].Start)

	fine, err := staffing.Plan(staffing.Input{Curve: curve(15*time.Minute, 50, 10), Target: phoneTarget(), Slot: 30 * time.Minute})
	require.NoError(t, err)
	require.Len(t, fine.Requirement.Needs, 1)
	assert.Equal(t, 17, fine.Requirement.Needs[0].Heads)
}

func TestChatPlanReachesItsTarget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := staffing.DefaultTarget()
		target.Within = time.Minute
		target.Concurrency = rapid.IntRange(1, 8).Draw(t, "k")
		target.OccupancyCap = rapid.SampledFrom([]float64{0, 0.7, 0.85}).Draw(t, "cap")
		volume := rapid.Float64Range(0, 400).Draw(t, "volume")
		out, err := staffing.Plan(staffing.Input{Curve: curve(30*time.Minute, volume), Target: target})
		if err != nil {
			t.Fatal(err)
		}
		r := out.Reached[0]
		if !r.Met || r.Share < target.Share || target.OccupancyCap > 0 && r.Occupancy > target.OccupancyCap {
			t.Fatalf("%+v misses %+v", r, target)
		}
	})
}

func TestPlanRefusesWhatCannotBe(t *testing.T) {
	bad := staffing.Input{Curve: curve(24*time.Hour, 100), Target: staffing.Target{
		Share: 1.2, OccupancyCap: math.NaN(), Level: 0.8, Concurrency: 3, Patience: -1,
	}, Shrinkage: 1, MinHeads: 3, MaxHeads: 2}
	_, err := staffing.Plan(bad)
	require.Error(t, err)
	assert.Equal(t, "staffing.input", fault.CodeOf(err))
	for _, field := range []string{"curve.slot", "share", "occupancy_cap", "level", "patience", "overhead", "rounds", "shrinkage", "max_heads", "handle_time"} {
		assert.ErrorContains(t, err, field)
	}
	for _, mean := range []float64{-1, math.NaN()} {
		_, err = staffing.Plan(staffing.Input{Curve: curve(time.Hour, mean), Target: phoneTarget()})
		assert.ErrorContains(t, err, "points[0].mean")
	}
	impossible := staffing.DefaultTarget()
	impossible.Within = time.Second
	_, err = staffing.Plan(staffing.Input{Curve: curve(time.Hour, 50), Target: impossible})
	assert.ErrorContains(t, err, "points[0]")
	assert.ErrorContains(t, err, "even a free agent reaches")
}

// BenchmarkPlanWeek is one queue for a week of quarter hours, every slot different.
func BenchmarkPlanWeek(b *testing.B) {
	means := make([]float64, 7*96)
	for i := range means {
		means[i] = 40 + 35*math.Sin(float64(i)/15.3) + float64(i)/1000
	}
	for name, concurrency := range map[string]int{"calls": 1, "chats": 5} {
		b.Run(name, func(b *testing.B) {
			in := staffing.Input{Curve: curve(15*time.Minute, means...), Target: staffing.DefaultTarget()}
			in.Target.Concurrency, in.Target.Within = concurrency, time.Minute
			for b.Loop() {
				if _, err := staffing.Plan(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Promised heads stand in their time whatever comes, a ceiling comes first, and the target is told apart from the promise.
func TestPromisedHeads(t *testing.T) {
	for _, target := range []staffing.Target{staffing.DefaultTarget(), {Within: 20 * time.Second, Share: 0.8, HandleTime: 3 * time.Minute, Patience: time.Minute}} {
		in := staffing.Input{Curve: curve(15*time.Minute, 10, 10, 10, 0, 200), Target: target, MinHeads: 1}
		plain, err := staffing.Plan(in)
		require.NoError(t, err)
		in.Promised = []staffing.Promise{
			{Range: calendar.Range{Start: monday.Add(20 * time.Minute), End: monday.Add(75 * time.Minute)}, Heads: 12},
			{Range: calendar.Range{Start: monday.Add(30 * time.Minute), End: monday.Add(45 * time.Minute)}, Heads: 14},
		}
		out, err := staffing.Plan(in)
		require.NoError(t, err)
		for i, want := range []int{plain.Requirement.Needs[0].Heads, 12, 14, 12, max(12, plain.Requirement.Needs[4].Heads)} {
			assert.Equal(t, want, out.Requirement.Needs[i].Heads, "slot %d", i)
			assert.Equal(t, want, out.Reached[i].Heads)
		}
		assert.Equal(t, plain.Requirement.Needs[1].Heads, out.Reached[1].Wanted)
		assert.Zero(t, out.Reached[0].Wanted)
		assert.Contains(t, out.Requirement.Needs[1].Reason, "promised seats raise it to 12")
		assert.Greater(t, out.Reached[1].Share, plain.Reached[1].Share)
		in.MaxHeads = 11
		out, err = staffing.Plan(in)
		require.NoError(t, err)
		assert.Equal(t, 11, out.Requirement.Needs[1].Heads)
		assert.True(t, out.Reached[1].Met)
	}
	_, err := staffing.Plan(staffing.Input{Curve: curve(15*time.Minute, 1), Target: staffing.DefaultTarget(), Promised: []staffing.Promise{{Heads: -1}}})
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path)
	}
	assert.Equal(t, []string{"promised[0].heads", "promised[0].range"}, paths)
}
