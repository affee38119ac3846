package staffing_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/staffing"
)

// drawnRush counts n contacts by minute of a quarter hour: a share of them fades with the time constant, by
// inversion of the truncated exponential, the others come at any time.
func drawnRush(n int, share, decay float64) []float64 {
	dice, counts := rand.New(rand.NewPCG(3, uint64(n))), make([]float64, 15)
	for range n {
		at := 15 * dice.Float64()
		if dice.Float64() < share {
			at = -decay * math.Log(1-dice.Float64()*(1-math.Exp(-15/decay)))
		}
		counts[min(14, int(at))]++
	}
	return counts
}

// What was drawn is found again; few contacts leave the belief, and none leave it untouched.
func TestFitRushFindsTheTruth(t *testing.T) {
	for _, truth := range []staffing.RushShape{{Share: 0.7, Decay: 3 * time.Minute}, {Share: 0.25, Decay: 90 * time.Second}, {Share: 0, Decay: time.Minute}} {
		fit, err := staffing.FitRush(drawnRush(100_000, truth.Share, truth.Decay.Minutes()), time.Minute, staffing.DefaultRush())
		require.NoError(t, err)
		assert.InDelta(t, truth.Share, fit.Share, 0.03)
		if truth.Share > 0 {
			assert.InDelta(t, truth.Decay.Seconds(), fit.Decay.Seconds(), 20)
		}
		assert.InDelta(t, 100_000.0/100_200, fit.Own, 1e-12)
	}
	few, err := staffing.FitRush(drawnRush(20, 0, 1), time.Minute, staffing.DefaultRush())
	require.NoError(t, err)
	assert.InDelta(t, 0.5, few.Share, 0.2, "20 contacts say little against a belief that counts for 200")
	none, err := staffing.FitRush(make([]float64, 15), time.Minute, staffing.DefaultRush())
	require.NoError(t, err)
	assert.Equal(t, staffing.RushFit{RushShape: staffing.DefaultRush()}, none)
}

// Counts that have the believed shape exactly do not move it, however many they are.
func TestFitRushKeepsWhatIsConfirmed(t *testing.T) {
	counts := make([]float64, 15)
	for i := range counts {
		x := float64(i)
		counts[i] = 1000 * (0.5/15 + 0.5*(math.Exp(-x/5)-math.Exp(-(x+1)/5))/(1-math.Exp(-3)))
	}
	fit, err := staffing.FitRush(counts, time.Minute, staffing.DefaultRush())
	require.NoError(t, err)
	assert.InDelta(t, 0.5, fit.Share, 1e-6)
	assert.Equal(t, 5*time.Minute, fit.Decay)
}

// The default lies between what the published marks of sales after an opening ask for.
func TestDefaultRushAgainstPublishedSales(t *testing.T) {
	d := staffing.DefaultRush()
	part := func(minutes float64) float64 {
		tau := d.Decay.Minutes()
		return (1-d.Share)*minutes/15 + d.Share*(1-math.Exp(-minutes/tau))/(1-math.Exp(-15/tau))
	}
	total := 50 + (15-12.82)*50/(64-12.82)*1.5 // billion yuan within 15 minutes: the flow after 12m49s still falls
	assert.InDelta(t, 10/total, part(1.6), 0.03)
	assert.InDelta(t, 50/total, part(12.82), 0.04)
}

func TestFitRushStaysInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		counts := rapid.SliceOfN(rapid.Float64Range(0, 1e4), 3, 30).Draw(t, "counts")
		belief := staffing.RushShape{Share: rapid.Float64Range(0, 1).Draw(t, "share"), Decay: time.Duration(rapid.IntRange(1, 3600).Draw(t, "decay")) * time.Second}
		fit, err := staffing.FitRush(counts, time.Minute, belief)
		if err != nil {
			t.Fatal(err)
		}
		if !(fit.Share >= 0 && fit.Share <= 1) || fit.Decay < time.Second || !(fit.Own >= 0 && fit.Own < 1) {
			t.Fatalf("%+v", fit)
		}
	})
}

func TestFitRushRefusesWhatCannotBe(t *testing.T) {
	_, err := staffing.FitRush([]float64{1, math.NaN()}, 0, staffing.RushShape{Share: 2})
	require.Error(t, err)
	for _, part := range []string{"counts", "counts[1]", "step", "belief"} {
		assert.ErrorContains(t, err, part)
	}
}
