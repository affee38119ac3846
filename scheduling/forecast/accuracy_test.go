package forecast_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

func TestTallyByHand(t *testing.T) {
	tally := forecast.NewTally([]float64{0.1, 0.9})
	tally.Add(10, 12, []float64{8, 15})
	tally.Add(20, 15, []float64{12, 18})
	s := tally.Score(5)
	assert.InDelta(t, 7.0/30, *s.WAPE, 1e-12)
	assert.InDelta(t, -3.0/30, *s.Bias, 1e-12)
	assert.InDelta(t, 3.5/5, *s.MASE, 1e-12)
	// 0.1*2 + 0.1*5 for the first point, 0.1*8 + 0.9*2 for the second, over four.
	assert.InDelta(t, (0.2+0.5+0.8+1.8)/4, *s.Pinball, 1e-12)
	assert.Equal(t, []float64{0, 0.5}, s.Coverage)

	assert.Equal(t, []float64{0, 0.5}, s.Below)
	ties := forecast.NewTally([]float64{0.9})
	for _, y := range []float64{0, 0, 1, 1} {
		ties.Add(y, 0.5, []float64{1})
	}
	assert.Equal(t, []float64{1}, ties.Score(0).Coverage, "all at or below")
	assert.Equal(t, []float64{0.5}, ties.Score(0).Below, "half of them below")

	none := forecast.NewTally(nil).Score(1)
	assert.Nil(t, none.WAPE)
	assert.Nil(t, none.MASE)
	assert.Nil(t, none.Pinball)
	nobody := forecast.NewTally(nil)
	nobody.Add(0, 1, nil)
	assert.Nil(t, nobody.Score(0).WAPE, "nothing to divide by")
	assert.InDelta(t, 1, nobody.Score(0).AbsError, 0)
}

// said makes a version that says one figure for each of some days.
func said(origin int, from, until int, value float64) forecast.Version {
	v := forecast.Version{Origin: monday.AddDate(0, 0, origin), Curve: scheduling.Curve{Slot: day, Levels: []float64{0.9}}}
	for d := from; d < until; d++ {
		v.Curve.Points = append(v.Curve.Points, scheduling.Point{Start: monday.AddDate(0, 0, d), Mean: value, Quantiles: []float64{value * 1.1}})
	}
	return v
}

// TestAccuracyByHand: 100 contacts every day. We said 150 four weeks before, 120 a week before and
// 110 on the evening before day 28; the client said 90 two weeks before.
func TestAccuracyByHand(t *testing.T) {
	actual := steady(t, day, 35, func(int, int) float64 { return 100 })
	got := forecast.Accuracy(forecast.AccuracyInput{
		Actual: actual, Range: calendar.Range{Start: monday.AddDate(0, 0, 28), End: monday.AddDate(0, 0, 29)},
		Ours:   []forecast.Version{said(28, 28, 35, 110), said(0, 0, 60, 150), said(21, 21, 49, 120)},
		Rivals: []forecast.Track{{Name: "client", Versions: []forecast.Version{said(14, 14, 60, 90)}}},
		Leads:  []int{1, 2, 7, 8, 14, 15, 28, 29, 30},
	})
	wape := map[int]float64{}
	client := map[int]int{}
	for _, a := range got {
		if a.Ours.WAPE != nil {
			wape[a.Lead] = math.Round(100 * *a.Ours.WAPE)
			assert.Equal(t, 1, a.Ours.Points)
			assert.InDelta(t, 1, a.Ours.Coverage[0], 0)
		}
		require.Len(t, a.Rivals, 2)
		client[a.Lead] = a.Rivals[0].Its.Points
	}
	// Made at the midnight at which the day begins: one day ahead. The version of day 21 was there
	// by the midnight of day 21, that is lead 8.
	assert.Equal(t, map[int]float64{1: 10, 2: 20, 7: 20, 8: 20, 14: 50, 15: 50, 28: 50, 29: 50}, wape)
	assert.Equal(t, map[int]int{1: 1, 2: 1, 7: 1, 8: 1, 14: 1, 15: 1, 28: 0, 29: 0, 30: 0}, client)
	naive := got[0].Rivals[1]
	assert.Equal(t, forecast.NaiveName, naive.Name)
	assert.InDelta(t, 0, *naive.Its.WAPE, 0)
	assert.InDelta(t, 0.1, *naive.Ours.WAPE, 1e-12)
	assert.Nil(t, naive.Its.Coverage, "the naive has no quantiles")
	assert.InDelta(t, 0.1, *got[0].Rivals[0].Its.WAPE, 1e-12)
}

// TestAccuracyNaiveLead: contacts grow by 7 a week, so the naive is off by 7 for every week back.
func TestAccuracyNaiveLead(t *testing.T) {
	actual := steady(t, day, 100, func(d, _ int) float64 { return float64(1000 + d) })
	got := forecast.Accuracy(forecast.AccuracyInput{
		Actual: actual, Range: calendar.Range{Start: monday.AddDate(0, 0, 80), End: monday.AddDate(0, 0, 81)},
		Ours: []forecast.Version{said(0, 0, 100, 1000)},
	})
	var off []float64
	for _, a := range got {
		off = append(off, a.Rivals[0].Its.AbsError)
	}
	assert.Equal(t, []float64{7, 7, 7, 7, 14, 28, 56}, off, "leads of 1, 2, 3, 7, 14, 28 and 56 days")
}

// TestAccuracyMissing: a slot without a record is nothing or zero, but on a day without any
// record it is never zero: that is an import gap.
func TestAccuracyMissing(t *testing.T) {
	hourly := steady(t, time.Hour, 4, func(d, k int) float64 {
		if d == 2 || k < 9 || k == 12 {
			return math.NaN()
		}
		return 5
	})
	v := forecast.Version{Origin: monday, Curve: scheduling.Curve{Slot: time.Hour}}
	for h := 9; h < 96; h++ {
		if h%24 >= 9 {
			v.Curve.Points = append(v.Curve.Points, scheduling.Point{Start: monday.Add(time.Duration(h) * time.Hour), Mean: 5})
		}
	}
	for missing, points := range map[forecast.Missing]int{forecast.MissingClosed: 3 * 14, forecast.MissingZero: 3 * 15} {
		got := forecast.Accuracy(forecast.AccuracyInput{
			Actual: hourly, Missing: missing, Range: calendar.Range{Start: monday, End: monday.Add(4 * day)}, Ours: []forecast.Version{v}, Leads: []int{0},
		})
		assert.Equal(t, points, got[0].Ours.Points, missing.String())
	}
}

func TestByDay(t *testing.T) {
	shanghai := time.FixedZone("CST", 8*3600)
	c := scheduling.Curve{Slot: time.Hour, Levels: []float64{0.5}, Points: []scheduling.Point{
		{Start: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC), Mean: 1}, {Start: time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC), Mean: 2}, {Start: time.Date(2026, 3, 2, 17, 0, 0, 0, time.UTC), Mean: 4},
	}}
	days := forecast.ByDay(c, shanghai)
	assert.Equal(t, []float64{1, 6}, means(days.Points), "midnight in Shanghai is 16:00 UTC")
	require.NoError(t, days.Validate())
}

// noisy makes windows of 14 day totals around 1000 whose log errors are an AR(1) with the given
// day standard deviation, level error and persistence; the quantiles are those of the honest
// standard deviation sd.
func noisy(r *rand.Rand, windows int, sd, actualSD, shift, rho float64) []forecast.Window {
	const z90 = 1.2816
	var out []forecast.Window
	e := actualSD * r.NormFloat64()
	for range windows {
		actual := forecast.Series{Slot: day, First: calendar.DateOf(monday, time.UTC), Until: monday.AddDate(0, 0, forecast.DriftDays)}
		var days []scheduling.Point
		for d := range forecast.DriftDays {
			e = rho*e + math.Sqrt(1-rho*rho)*actualSD*r.NormFloat64()
			actual.Values = append(actual.Values, 1000*math.Exp(shift+e))
			days = append(days, scheduling.Point{Start: monday.AddDate(0, 0, d), Mean: 1000, Quantiles: []float64{1000 * math.Exp(-z90*sd), 1000 * math.Exp(z90*sd)}})
		}
		w, ok := forecast.NewWindow([]float64{0.1, 0.9}, days, actual)
		if !ok {
			panic("a whole window")
		}
		out = append(out, w)
	}
	return out
}

// TestDriftFalseAlarms: without drift at most one window in a hundred is an alarm, also when the
// errors of days hang together and when there is no reference.
func TestDriftFalseAlarms(t *testing.T) {
	for name, c := range map[string]struct {
		sd, rho   float64
		reference int
	}{
		"independent days":  {0.10, 0, 25},
		"persistent errors": {0.10, 0.6, 25},
		"half a year":       {0.10, 0.6, 12},
		"very noisy":        {0.40, 0.4, 25},
		"very quiet":        {0.01, 0.4, 25},
		"no reference":      {0.10, 0.3, 0},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		const trials = 1500
		alarms := map[string]int{}
		total := 0
		for range trials {
			w := noisy(r, c.reference+1, c.sd, c.sd, 0, c.rho)
			d := forecast.FindDrift(w[:c.reference], w[c.reference])
			for _, f := range d.Findings {
				alarms[f.Measure]++
			}
			if len(d.Findings) > 0 {
				total++
			}
		}
		t.Log(name, total, "of", trials, alarms)
		assert.LessOrEqual(t, float64(total)/trials, 0.01, name)
	}
}

// TestDriftIsFound plants drift after a year without any.
func TestDriftIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		sd, shift float64 // of the recent window
		measure   string
		least     float64
	}{
		"30 % more contacts":    {0.08, math.Log(1.30), "bias", 0.95},
		"25 % fewer contacts":   {0.08, math.Log(0.75), "bias", 0.95},
		"three times the noise": {0.24, 0, "wape", 0.80},
		"outside the band":      {0.24, 0, "coverage", 0.50},
	} {
		r := rand.New(rand.NewPCG(3, 4))
		const trials = 300
		found := 0
		for range trials {
			w := append(noisy(r, 25, 0.08, 0.08, 0, 0.4), noisy(r, 1, 0.08, c.sd, c.shift, 0.4)...)
			d := forecast.FindDrift(w[:25], w[25])
			for _, f := range d.Findings {
				if f.Measure == c.measure {
					found++
					require.NotEmpty(t, f.Says)
				}
			}
		}
		t.Log(name, found, "of", trials)
		assert.GreaterOrEqual(t, float64(found)/trials, c.least, name)
	}
}

// TestDriftWithoutReference: twelve of fourteen days outside an 80 % band are too many for chance
// even if they come in pairs, five are not.
func TestDriftWithoutReference(t *testing.T) {
	w := forecast.Window{Days: 14, Banded: 14, Nominal: 0.2}
	w.Outside = 5
	assert.Empty(t, forecast.FindDrift(nil, w).Findings)
	w.Outside = 12
	d := forecast.FindDrift(nil, w)
	require.Len(t, d.Findings, 1)
	assert.Equal(t, "coverage", d.Findings[0].Measure)
	assert.Contains(t, d.Findings[0].Says, "12 of 14 days lay outside the outer quantiles; 20 % of days were expected to")
}

// TestDriftNeverNonsense: any windows give finite figures.
func TestDriftNeverNonsense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.Custom(func(t *rapid.T) forecast.Window {
			tally := forecast.NewTally(nil)
			tally.Add(rapid.SampledFrom([]float64{0, 1e-9, 5, 1e9}).Draw(t, "actual"), rapid.SampledFrom([]float64{0, 1e-9, 5, 1e9}).Draw(t, "mean"), nil)
			n := rapid.IntRange(0, 14).Draw(t, "banded")
			return forecast.Window{Days: 14, Banded: n, Outside: rapid.IntRange(0, n).Draw(t, "outside"), Nominal: rapid.SampledFrom([]float64{0, 0.02, 0.2, 0.9}).Draw(t, "nominal"), Score: tally.Score(0)}
		})
		d := forecast.FindDrift(rapid.SliceOfN(draw, 0, 30).Draw(t, "reference"), draw.Draw(t, "recent"))
		for _, m := range d.Measures {
			for _, v := range []float64{m.Value, m.Expected, m.Low, m.High} {
				require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "%+v", m)
			}
		}
	})
}

func TestDailyActuals(t *testing.T) {
	s := steady(t, time.Hour, 3, func(d, k int) float64 {
		if d == 1 || k < 9 || k > 18 || d == 2 && k > 12 {
			return math.NaN()
		}
		return 2
	})
	days := forecast.DailyActuals(s)
	assert.InDelta(t, 20, days.Values[0], 0)
	assert.True(t, math.IsNaN(days.Values[1]))
	assert.Equal(t, monday.AddDate(0, 0, 2), days.End(), "the third day is not over")
}
