package staffing_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/staffing"
)

func replies(agent string, open int, work ...float64) (out []staffing.Observation) {
	for _, w := range work {
		out = append(out, staffing.Observation{Agent: agent, Open: open, WorkSeconds: w, LagSeconds: 2 * w})
	}
	return out
}

// By hand. Level 1: a has 10, 14 (mean 12), b has 20, 24 (mean 22). Within: (8+8)/2 = 8. Team mean 17; between: (2*25+2*25
// - 8)/(4 - 8/4) = 46. Weight of two replies: 46/(46+4) = 0.92. So a is at 0.92*12+0.08*17 = 12.4, b at 21.6.
func TestLearnByHand(t *testing.T) {
	got, err := staffing.Learn(slices.Concat(replies("b", 1, 20, 24), replies("a", 1, 10, 14)), 2)
	require.NoError(t, err)
	assert.InDelta(t, 17, got.Team.Levels[0].WorkSeconds, 1e-12)
	require.Len(t, got.Agents, 2)
	assert.Equal(t, "a", got.Agents[0].Agent)
	assert.InDelta(t, 12.4, got.Agents[0].Levels[0].WorkSeconds, 1e-9)
	assert.InDelta(t, 24.8, got.Agents[0].Levels[0].LagSeconds, 1e-9)
	assert.InDelta(t, 0.92, got.Agents[0].Levels[0].Own, 1e-12)
	assert.InDelta(t, 21.6, got.Agents[1].Levels[0].WorkSeconds, 1e-9)
	assert.InDelta(t, 17, got.Team.Levels[1].WorkSeconds, 1e-12, "nobody was seen with two open: as with one")
	assert.Equal(t, 0, got.Agents[0].Levels[1].Replies)
	assert.Equal(t, []float64{1, 1}, got.Team.Slow())
}

// Pool adjacent violators by hand: means 10 (2 replies), 16 (1), 12 (3) become 10, 13, 13; beyond the end the top level
// takes what was seen with more open.
func TestLearnIsMonotone(t *testing.T) {
	got, err := staffing.Learn(slices.Concat(replies("a", 1, 9, 11), replies("a", 2, 16), replies("a", 3, 12, 12), replies("a", 7, 12)), 3)
	require.NoError(t, err)
	for i, want := range []float64{10, 13, 13} {
		assert.InDelta(t, want, got.Team.Levels[i].WorkSeconds, 1e-12)
	}
	assert.InDeltaSlice(t, []float64{1, 1.3, 1.3}, got.Team.Slow(), 1e-12)
	assert.InDelta(t, 4*13+100, got.Team.HandleTime(2, 4, 100), 1e-12)
}

func square(x float64) float64 { return x * x }

// Shrinkage must beat both the raw means and the team's mean on agents who truly differ (Efron & Morris 1977).
func TestLearnShrinksToTheTruth(t *testing.T) {
	dice := rand.New(rand.NewPCG(7, 7))
	var rows []staffing.Observation
	truth := map[string]float64{}
	raw := map[string]float64{}
	for i := range 200 {
		name := string(rune('A'+i/26)) + string(rune('a'+i%26))
		truth[name] = 20 + 3*dice.NormFloat64()
		n := 2 + i%9
		for range n {
			w := max(0, truth[name]+10*dice.NormFloat64())
			raw[name] += w / float64(n)
			rows = append(rows, staffing.Observation{Agent: name, Open: 1, WorkSeconds: w})
		}
	}
	got, err := staffing.Learn(rows, 1)
	require.NoError(t, err)
	var shrunk, own, team float64
	for _, a := range got.Agents {
		shrunk += square(a.Levels[0].WorkSeconds - truth[a.Agent])
		own += square(raw[a.Agent] - truth[a.Agent])
		team += square(got.Team.Levels[0].WorkSeconds - truth[a.Agent])
	}
	assert.Less(t, shrunk, 0.6*own)
	assert.Less(t, shrunk, 0.95*team)
}

func TestLearnNeverFallsAndStaysInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) staffing.Observation {
			return staffing.Observation{
				Agent: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "agent"), Open: rapid.IntRange(1, 9).Draw(t, "open"),
				WorkSeconds: rapid.Float64Range(0, 100).Draw(t, "work"), LagSeconds: rapid.Float64Range(0, 1000).Draw(t, "lag"),
			}
		}), 1, 60).Draw(t, "rows")
		got, err := staffing.Learn(rows, 6)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range append(got.Agents, got.Team) {
			for i, l := range p.Levels {
				if l.WorkSeconds < -1e-9 || l.WorkSeconds > 100+1e-9 || l.Own < 0 || l.Own > 1 {
					t.Fatalf("%+v", l)
				}
				if i > 0 && (l.WorkSeconds < p.Levels[i-1].WorkSeconds || l.LagSeconds < p.Levels[i-1].LagSeconds) {
					t.Fatalf("falls: %+v", p)
				}
			}
			c := lunch()
			c.Slowdown, c.Slow = 0, p.Slow()
			if err := c.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Replies added up teach what the single ones do.
func TestLearnFromSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) staffing.Observation {
			return staffing.Observation{
				Agent: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "agent"), Open: rapid.IntRange(1, 3).Draw(t, "open"),
				WorkSeconds: rapid.Float64Range(0, 100).Draw(t, "work"), LagSeconds: rapid.Float64Range(0, 1000).Draw(t, "lag"),
			}
		}), 1, 40).Draw(t, "rows")
		var sums []staffing.Observation
		for _, agent := range []string{"a", "b"} {
			for open := 1; open <= 3; open++ {
				one := staffing.Observation{Agent: agent, Open: open}
				var work, lag []float64
				for _, r := range rows {
					if r.Agent == agent && r.Open == open {
						work, lag = append(work, r.WorkSeconds), append(lag, r.LagSeconds)
					}
				}
				if one.Replies = len(work); one.Replies > 0 {
					one.WorkSeconds, one.WorkSquares = meanAndSquares(work)
					one.LagSeconds, one.LagSquares = meanAndSquares(lag)
					sums = append(sums, one)
				}
			}
		}
		want, err := staffing.Learn(rows, 3)
		require.NoError(t, err)
		got, err := staffing.Learn(sums, 3)
		require.NoError(t, err)
		for i, p := range append(want.Agents, want.Team) {
			for j, l := range p.Levels {
				other := append(got.Agents, got.Team)[i].Levels[j]
				require.InDelta(t, l.WorkSeconds, other.WorkSeconds, 1e-7)
				require.InDelta(t, l.LagSeconds, other.LagSeconds, 1e-7)
				require.Equal(t, l.Replies, other.Replies)
			}
		}
	})
}

func meanAndSquares(values []float64) (mean, squares float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		squares += square(v - mean)
	}
	return mean, squares
}

func TestLearnRefusesWhatCannotBe(t *testing.T) {
	_, err := staffing.Learn([]staffing.Observation{{Open: 0, WorkSeconds: math.NaN(), LagSeconds: -1}}, 0)
	require.Error(t, err)
	for _, part := range []string{"most", "observations[0].open", "observations[0].work_s", "observations[0].lag_s"} {
		assert.ErrorContains(t, err, part)
	}
}

// A table that grows by 3 % per conversation is Slowdown 0.03.
func TestMeasuredWorkIsSlowdownWhenItIsLinear(t *testing.T) {
	linear, table := lunch(), lunch()
	table.Slowdown, table.Slow = 0, []float64{1, 1.03, 1.06, 1.09}
	a, b := linear.At(12, 30e9, 60e9), table.At(12, 30e9, 60e9)
	assert.InDelta(t, a.FirstWithin, b.FirstWithin, 1e-9)
	assert.InDelta(t, a.RoundWithin, b.RoundWithin, 1e-9)
}

// A first reply that took no time at all gives no ratio to multiply work by.
func TestLearnFromRepliesWithoutWork(t *testing.T) {
	got, err := staffing.Learn([]staffing.Observation{{Agent: "a", Open: 1, WorkSeconds: 1e-308, LagSeconds: 1}, {Agent: "a", Open: 2, WorkSeconds: 50, LagSeconds: 1}}, 3)
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 1, 1}, got.Team.Slow())
}
