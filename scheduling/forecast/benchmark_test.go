package forecast_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// TestBenchmarkByHand: 1000 contacts on day 0 and one more each day. Ten days ahead of day 70 the
// naive knows 14 days back, the four weeks are 14, 21, 28 and 35 days back.
func TestBenchmarkByHand(t *testing.T) {
	s := steady(t, day, 100, func(d, _ int) float64 { return float64(1000 + d) })
	v := forecast.Version{Origin: monday.AddDate(0, 0, 70), Curve: scheduling.Curve{Slot: day, Levels: []float64{0.1, 0.9}}}
	for _, d := range []int{73, 80} {
		v.Curve.Points = append(v.Curve.Points, scheduling.Point{Start: monday.AddDate(0, 0, d), Mean: float64(1000 + d), Quantiles: []float64{1000, 1100}})
	}
	b := forecast.NewBenchmark([]float64{0.1, 0.9})
	b.Add(s, forecast.MissingClosed, []forecast.Version{v})
	got := b.Scores()
	assert.Equal(t, 1, got.Origins)
	assert.InDelta(t, 7, got.Scale, 1e-12, "a week is seven contacts")
	assert.InDelta(t, 0, *got.Ours.WAPE, 0)
	naive, four := got.Rivals[0], got.Rivals[1]
	assert.InDelta(t, 7+14, naive.Its.AbsError, 1e-9)
	assert.InDelta(t, 17.5+24.5, four.Its.AbsError, 1e-9)
	assert.InDelta(t, (7.0+14)/2/7, *naive.Its.MASE, 1e-9)
	// Every past error one week ahead was 7: its quantiles are 7 above the naive, and right at lead 3.
	assert.InDelta(t, (0.1*0+0.9*0+0.1*7+0.9*7)/4, *naive.Its.Pinball, 1e-9)
	assert.Equal(t, naive.Its.Points, naive.Ours.Points)
	assert.False(t, got.NaiveWins)
}

func TestBenchmarkYoung(t *testing.T) {
	s := steady(t, time.Hour, 9, func(_, k int) float64 {
		if k < 9 || k > 17 {
			return math.NaN()
		}
		return 10
	})
	r, err := forecast.Run(s, forecast.Options{Origin: monday.AddDate(0, 0, 5), Horizon: 4 * day, Levels: []float64{0.5}})
	require.NoError(t, err)
	b := forecast.NewBenchmark(r.Curve.Levels)
	b.Add(s, forecast.MissingClosed, []forecast.Version{{Origin: r.Origin, Curve: r.Curve}})
	b.Add(s, forecast.MissingClosed, nil)
	got := b.Scores()
	assert.Equal(t, 4*9, got.Ours.Points)
	assert.Equal(t, 2*9, got.Rivals[0].Its.Points, "the first two days have no week before them")
	assert.Nil(t, got.Rivals[0].Its.Pinball, "of whose errors nothing is known")
	assert.Zero(t, got.Scale)
	assert.Nil(t, got.Ours.MASE)
	empty := forecast.NewBenchmark(nil).Scores()
	assert.Nil(t, empty.Ours.WAPE)
	assert.False(t, empty.NaiveWins)
}

// TestBenchmarkSeesNothingAhead: what comes after the origin changes no simple forecast.
func TestBenchmarkSeesNothingAhead(t *testing.T) {
	quiet := steady(t, day, 60, func(d, _ int) float64 { return 100 })
	loud := quiet
	loud.Values = append([]float64{}, quiet.Values...)
	for d := 45; d < 52; d++ {
		loud.Values[d] = 1e6
	}
	v := forecast.Version{Origin: calendar.MakeDate(2026, 3, 2).Add(45).In(time.UTC), Curve: scheduling.Curve{Slot: day, Levels: []float64{0.5}}}
	for d := 52; d < 59; d++ {
		v.Curve.Points = append(v.Curve.Points, scheduling.Point{Start: monday.AddDate(0, 0, d), Mean: 100, Quantiles: []float64{100}})
	}
	for _, s := range []forecast.Series{quiet, loud} {
		b := forecast.NewBenchmark([]float64{0.5})
		b.Add(s, forecast.MissingZero, []forecast.Version{v})
		assert.InDelta(t, 0, b.Scores().Rivals[0].Its.AbsError, 0)
	}
}
