package forecast

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTiesAreShared: of a right forecast of counts the non-randomised PIT at a level is the level
// (Czado, Gneiting and Held 2009), whatever the mean; the plain coverage of a P90 of counts of 0 to 3
// is not. The sum runs over all counts with their exact probabilities.
func TestTiesAreShared(t *testing.T) {
	s := spread{counts: true}
	for _, mean := range []float64{0.05, 0.3, 0.8, 1.7, 6, 40} {
		for _, variance := range []float64{mean, 1.5 * mean, mean + 0.3*mean*mean} {
			for _, level := range []float64{0.05, 0.5, 0.9, 0.99} {
				var reached float64
				countPMF(mean, variance, func(k int, p float64) bool {
					reached += p * s.reached(mean, variance, float64(k), level)
					return k < 2000
				})
				require.InDelta(t, level, reached, 1e-9, "mean %g, variance %g, P%g", mean, variance, 100*level)
			}
		}
	}
	// By hand: Poisson 0.3 has P(0) = 0.741 and P(0 or 1) = 0.963, so its P90 is 1 and covers 96.3 %.
	out := make([]float64, 1)
	countQuantiles(0.3, 0.3, []float64{0.9}, out)
	require.InDelta(t, 1, out[0], 0)
	assert.InDelta(t, (0.9-math.Exp(-0.3))/(0.3*math.Exp(-0.3)), s.reached(0.3, 0.3, 1, 0.9), 1e-9)
	assert.InDelta(t, 1, s.reached(0.3, 0.3, 0, 0.9), 0)
	assert.InDelta(t, 0, s.reached(0.3, 0.3, 2, 0.9), 0)
}

// TestBacktestTellsTies rehearses a queue of one contact in three slots: its P90 covers more than
// 93 %, and with ties shared nine of ten.
func TestBacktestTellsTies(t *testing.T) {
	b, err := NewBuilder(halfHour, nil)
	require.NoError(t, err)
	state := uint64(9)
	for i := range 200 * 48 {
		state = state*6364136223846793005 + 1442695040888963407
		u, n := float64(state>>11)/(1<<53), 0.0
		for p, sum := math.Exp(-0.3), math.Exp(-0.3); u > sum && n < 20; sum += p {
			n++
			p *= 0.3 / n
		}
		require.NoError(t, b.Add(monday.Add(time.Duration(i)*halfHour), n))
	}
	r, err := Run(b.Series("q"), Options{Horizon: 7 * 24 * 2 * halfHour, Missing: MissingZero})
	require.NoError(t, err)
	assert.Greater(t, r.Backtest.Coverage[2], 0.93)
	assert.InDelta(t, 0.9, r.Backtest.Reached[2], 0.02)
	assert.InDelta(t, 0.5, r.Backtest.Reached[1], 0.03)
	assert.Len(t, r.Backtest.DayReached, 3)
}

// TestLevelsReached compares the sweep with the definition: the mean over the witnesses of how much
// of each lies below the level found is the level wanted.
func TestLevelsReached(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pit []witness
		for range rapid.IntRange(1, 40).Draw(t, "n") {
			a, b := rapid.Float64Range(0, 1).Draw(t, "a"), rapid.Float64Range(0, 1).Draw(t, "b")
			if rapid.Bool().Draw(t, "continuous") {
				b = a
			}
			pit = append(pit, witness{min(a, b), max(a, b)})
		}
		mean := func(u float64, atMost bool) (sum float64) {
			for _, w := range pit {
				switch {
				case w.upTo < u || atMost && w.upTo <= u:
					sum++
				case w.upTo-w.below > 1e-9 && w.below < u:
					sum += (u - w.below) / (w.upTo - w.below)
				}
			}
			return sum / float64(len(pit))
		}
		levels := []float64{0.05, 0.5, 0.9, 0.99}
		for i, u := range levelsReached(pit, levels) {
			require.LessOrEqual(t, mean(u-1e-7, false), levels[i]+1e-6, "not earlier")
			require.GreaterOrEqual(t, mean(u+1e-7, true), levels[i]-1e-6, "and not later")
		}
	})
}
