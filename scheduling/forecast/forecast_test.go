package forecast_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// steady makes a history of whole days: value(day, slot) contacts.
func steady(t testing.TB, slot time.Duration, days int, value func(d, k int) float64) forecast.Series {
	t.Helper()
	b, err := forecast.NewBuilder(slot, time.UTC)
	require.NoError(t, err)
	for d := range days {
		for k := range int(day / slot) {
			if v := value(d, k); !math.IsNaN(v) {
				require.NoError(t, b.Add(monday.AddDate(0, 0, d).Add(time.Duration(k)*slot), v))
			}
		}
	}
	return b.Series("q")
}

func requireSane(t require.TestingT, r forecast.Result) {
	require.NoError(t, r.Curve.Validate())
	for _, p := range slices.Concat(r.Curve.Points, r.Days) {
		require.False(t, math.IsNaN(p.Mean) || math.IsInf(p.Mean, 0) || p.Mean < 0)
		for i, q := range p.Quantiles {
			require.False(t, math.IsNaN(q) || math.IsInf(q, 0) || q < 0, "quantile %v of %v", q, p)
			require.True(t, i == 0 || q >= p.Quantiles[i-1], "crossing %v", p)
		}
	}
}

// TestNeverNonsense throws arbitrary short histories, gaps, spikes, events and origins at Run.
func TestNeverNonsense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slot := rapid.SampledFrom([]time.Duration{15 * time.Minute, time.Hour, day}).Draw(t, "slot")
		days := rapid.IntRange(1, 60).Draw(t, "days")
		level := rapid.SampledFrom([]float64{0, 0.01, 1, 40, 1e6}).Draw(t, "level")
		gap := rapid.IntRange(0, 10).Draw(t, "gap")
		spike := rapid.IntRange(0, days*2).Draw(t, "spike")
		pattern := rapid.SliceOfN(rapid.Float64Range(0, 3), 7, 31).Draw(t, "pattern")
		b, err := forecast.NewBuilder(slot, time.UTC)
		require.NoError(t, err)
		i := 0
		for d := range days {
			for k := range int(day / slot) {
				i++
				if gap > 0 && i%(gap+1) == 0 && i > 1 {
					continue
				}
				v := level * pattern[i%len(pattern)]
				if d == spike {
					v *= 1000
				}
				require.NoError(t, b.Add(monday.AddDate(0, 0, d).Add(time.Duration(k)*slot), v))
			}
		}
		start := rapid.IntRange(-5, 70).Draw(t, "event")
		o := forecast.Options{
			Horizon: time.Duration(rapid.IntRange(1, 400).Draw(t, "hours")) * time.Hour,
			Origin:  monday.Add(time.Duration(rapid.IntRange(1, 24*90).Draw(t, "origin"))*time.Hour + 7*time.Minute),
			Missing: rapid.SampledFrom([]forecast.Missing{forecast.MissingClosed, forecast.MissingZero}).Draw(t, "missing"),
			Levels:  []float64{0.01, 0.25, 0.5, 0.9, 0.99},
			Events: []forecast.Event{
				{Family: "e", Start: monday.AddDate(0, 0, start), End: monday.AddDate(0, 0, start+4)},
				{Family: "e", Start: monday.AddDate(0, 0, start+21), End: monday.AddDate(0, 0, start+26)},
			},
		}
		r, err := forecast.Run(b.Series("q"), o)
		if err != nil {
			require.Contains(t, []string{"forecast.no_history", "forecast.nothing_open"}, fault.CodeOf(err), err)
			return
		}
		requireSane(t, r)
		for _, p := range r.Curve.Points {
			require.False(t, p.Start.Before(o.Origin) || !p.Start.Before(o.Origin.Add(o.Horizon)))
		}
	})
}

func TestThreeDays(t *testing.T) {
	s := steady(t, time.Hour, 3, func(_, k int) float64 { return float64(10 + k) })
	r, err := forecast.Run(s, forecast.Options{Horizon: 7 * day})
	require.NoError(t, err)
	requireSane(t, r)
	require.Len(t, r.Curve.Points, 7*24, "weekdays never seen must not be closed")
	// Three equal days: the best guess for any day is that day again.
	for _, p := range r.Curve.Points {
		assert.InEpsilon(t, float64(10+p.Start.Hour()), p.Mean, 0.1)
	}
	assert.Contains(t, strings.Join(r.Doubts, "\n"), "only 3 days")
}

func TestAllZeros(t *testing.T) {
	r, err := forecast.Run(steady(t, time.Hour, 40, func(int, int) float64 { return 0 }), forecast.Options{Horizon: day})
	require.NoError(t, err)
	requireSane(t, r)
	for _, p := range r.Curve.Points {
		assert.Zero(t, p.Mean)
	}
	assert.Contains(t, strings.Join(r.Doubts, "\n"), "every record of the history is zero")
}

// TestConstant has a closed form: a history without any change is its own forecast.
func TestConstant(t *testing.T) {
	s := steady(t, 30*time.Minute, 70, func(d, k int) float64 { return float64((d%7 + 1) * (k%12 + 1) * 5) })
	r, err := forecast.Run(s, forecast.Options{Horizon: 7 * day})
	require.NoError(t, err)
	for i, p := range r.Curve.Points {
		d, k := i/48, i%48
		assert.InEpsilon(t, float64((d%7+1)*(k%12+1)*5), p.Mean, 0.01)
	}
	assert.Less(t, r.Backtest.WAPE, 0.01)
}

func TestOneSpikeIsClippedAndNamed(t *testing.T) {
	s := steady(t, day, 90, func(d, _ int) float64 {
		if d == 80 {
			return 50_000
		}
		return 1000 + float64(d*7919%61)
	})
	r, err := forecast.Run(s, forecast.Options{Horizon: 7 * day})
	require.NoError(t, err)
	for _, p := range r.Curve.Points {
		assert.InEpsilon(t, 1030, p.Mean, 0.1, "one day of fifty times the volume must not move the level")
	}
	assert.Contains(t, strings.Join(r.Doubts, "\n"), "2026-05-21")
}

func TestClosedAtTheTarget(t *testing.T) {
	hours, err := forecast.ParseHours("Mon-Fri 09:00-18:00")
	require.NoError(t, err)
	s := steady(t, time.Hour, 54, func(d, k int) float64 { // ends on a Friday
		if d%7 > 4 || k < 9 || k >= 18 {
			return math.NaN()
		}
		return 20
	})
	_, err = forecast.Run(s, forecast.Options{Horizon: 48 * time.Hour, Hours: hours, Origin: monday.AddDate(0, 0, 54).Add(20 * time.Hour)})
	require.NoError(t, err)
	sunday := monday.AddDate(0, 0, 55) // 2026-04-26
	_, err = forecast.Run(s, forecast.Options{Horizon: 12 * time.Hour, Hours: hours, Origin: sunday})
	require.Equal(t, "forecast.nothing_open", fault.CodeOf(err))
	inferred, err := forecast.Run(s, forecast.Options{Horizon: 7 * day})
	require.NoError(t, err)
	assert.Equal(t, "Mon-Fri 09:00-18:00", inferred.Hours)
	assert.Len(t, inferred.Curve.Points, 5*9)
}

// TestEventIsLearned doubles two past events of a family and asks for a third; without noise the
// right answer is twice the base.
func TestEventIsLearned(t *testing.T) {
	inside := func(d int) bool { return d%60 >= 40 && d%60 < 44 }
	s := steady(t, time.Hour, 155, func(d, k int) float64 {
		v := 100 + float64((d*7919+k*104729)%11)
		if inside(d) {
			v *= 2
		}
		return v
	})
	var events []forecast.Event
	for _, first := range []int{40, 100, 160} {
		events = append(events, forecast.Event{Family: "live", Start: monday.AddDate(0, 0, first), End: monday.AddDate(0, 0, first+4)})
	}
	r, err := forecast.Run(s, forecast.Options{Horizon: 12 * day, Events: events})
	require.NoError(t, err)
	requireSane(t, r)
	for _, p := range r.Days {
		d := int(p.Start.Sub(monday) / day)
		want := 105.0 * 24
		if inside(d) {
			want *= 2
		}
		assert.InEpsilon(t, want, p.Mean, 0.06, "day %d", d)
	}
	require.Len(t, r.Model.Events, 1)
	assert.Equal(t, 2, r.Model.Events[0].Past)

	events[2].Family = "new"
	r, err = forecast.Run(s, forecast.Options{Horizon: 12 * day, Events: events})
	require.NoError(t, err)
	assert.Contains(t, strings.Join(r.Doubts, "\n"), "event new from 2026-08-09 00:00 has no past occurrence")
}

// TestClosedOnHolidays closes the queue on holidays and expects it closed on the next one.
func TestClosedOnHolidays(t *testing.T) {
	date := func(d int) calendar.Date { return calendar.DateOf(monday.AddDate(0, 0, d), time.UTC) }
	var table []calendar.Holiday
	for _, d := range []int{16, 30, 72} {
		table = append(table, calendar.Holiday{Date: date(d), Kind: calendar.Statutory, Name: "节"})
	}
	s := steady(t, time.Hour, 70, func(d, _ int) float64 {
		if d == 16 || d == 30 {
			return math.NaN()
		}
		return 30
	})
	r, err := forecast.Run(s, forecast.Options{Horizon: 5 * day, Holidays: calendar.NewHolidays("test", table)})
	require.NoError(t, err)
	assert.Len(t, r.Days, 4)
	for _, p := range r.Days {
		assert.NotEqual(t, monday.AddDate(0, 0, 72), p.Start)
	}
}

// TestLaterRowsAreNotLookedAt gives two histories that agree up to the origin.
func TestLaterRowsAreNotLookedAt(t *testing.T) {
	origin := monday.AddDate(0, 0, 50).Add(13*time.Hour + 20*time.Minute)
	value := func(late float64) func(d, k int) float64 {
		return func(d, k int) float64 {
			if monday.AddDate(0, 0, d).Add(time.Duration(k+1) * time.Hour).After(origin) {
				return late
			}
			return float64(50 + (d*31+k*17)%13)
		}
	}
	o := forecast.Options{Horizon: 3 * day, Origin: origin}
	a, err := forecast.Run(steady(t, time.Hour, 60, value(0)), o)
	require.NoError(t, err)
	b, err := forecast.Run(steady(t, time.Hour, 60, value(9999)), o)
	require.NoError(t, err)
	assert.Equal(t, a, b)
	assert.Equal(t, monday.AddDate(0, 0, 50).Add(14*time.Hour), a.Curve.Points[0].Start)
}

func TestMissingZeroOrClosed(t *testing.T) {
	// Every second hour has a record of 10: as closed the level is 10, as zero it is 5.
	s := steady(t, time.Hour, 42, func(d, k int) float64 {
		if (d+k)%2 == 0 {
			return math.NaN()
		}
		return 10
	})
	for missing, want := range map[forecast.Missing]float64{forecast.MissingClosed: 240, forecast.MissingZero: 120} {
		r, err := forecast.Run(s, forecast.Options{Horizon: 2 * day, Missing: missing, Hours: forecast.AlwaysOpen(), Origin: monday.AddDate(0, 0, 42)})
		require.NoError(t, err)
		for _, p := range r.Days {
			assert.InEpsilon(t, want, p.Mean, 0.03, missing)
		}
	}
}

func TestOptionsReportAllProblems(t *testing.T) {
	_, err := forecast.Run(forecast.Series{}, forecast.Options{
		Levels: []float64{0.5, 0.5, 1.5},
		Events: []forecast.Event{
			{Family: "a", Start: monday, End: monday.Add(day)},
			{Family: "a", Start: monday, End: monday.Add(2 * day)},
			{Start: monday, End: monday},
		},
	})
	f := fault.Of(err)
	require.Equal(t, "forecast.options", f.Code)
	require.Len(t, f.Fields, 6, f.Error())
}

func TestDeterministicBatch(t *testing.T) {
	var series []forecast.Series
	for i := range 6 {
		series = append(series, steady(t, time.Hour, 60, func(d, k int) float64 { return float64((d*31 + k*17*(i+1)) % 23) }))
	}
	o := forecast.Options{Horizon: 3 * day}
	batch, err := forecast.RunAll(t.Context(), series, o, nil)
	require.NoError(t, err)
	again, err := forecast.RunAll(t.Context(), series, o, nil)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%v", batch), fmt.Sprintf("%v", again))
	for i, out := range batch {
		require.NoError(t, out.Err)
		one, err := forecast.RunAll(t.Context(), series[i:i+1], o, nil)
		require.NoError(t, err)
		alone, err := forecast.Run(series[i], o)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("%v", alone), fmt.Sprintf("%v", one[0].Result))
	}
}

// TestCoverage draws Poisson counts, for which the model's assumptions hold, and checks that
// P90 covers about 90 % of fresh data.
func TestCoverage(t *testing.T) {
	random := newLCG(7)
	truth := func(d, k int) float64 { return (8 + 6*math.Sin(float64(k)/24*2*math.Pi)) * (1 + 0.2*float64(d%7)) }
	s := steady(t, time.Hour, 140, func(d, k int) float64 { return random.poisson(truth(d, k)) })
	r, err := forecast.Run(s, forecast.Options{Horizon: 14 * day, Origin: monday.AddDate(0, 0, 126)})
	require.NoError(t, err)
	covered := 0
	for i, p := range r.Curve.Points {
		if s.Values[126*24+i] <= p.Quantiles[2] {
			covered++
		}
	}
	share := float64(covered) / float64(len(r.Curve.Points))
	assert.InDelta(t, 0.92, share, 0.05, "P90 of counts covers 90 %% or a little more")
}

// lcg is a tiny fixed random source for test data (Numerical Recipes, ranqd1 constants).
type lcg uint64

func newLCG(seed uint64) *lcg { l := lcg(seed); return &l }

func (l *lcg) float() float64 {
	*l = *l*6364136223846793005 + 1442695040888963407
	return float64(*l>>11) / (1 << 53)
}

func (l *lcg) poisson(mean float64) float64 {
	limit, p, k := math.Exp(-mean), 1.0, 0
	for {
		if p *= l.float(); p <= limit {
			return float64(k)
		}
		k++
	}
}

func BenchmarkTwoYearsOfQuarterHours(b *testing.B) {
	s := steady(b, 15*time.Minute, 730, func(d, k int) float64 { return float64((d*31 + k*17) % 23) })
	for b.Loop() {
		if _, err := forecast.Run(s, forecast.Options{Horizon: 60 * day}); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkDaily(b *testing.B, n int) {
	series := make([]forecast.Series, n)
	for i := range series {
		series[i] = steady(b, day, 515, func(d, _ int) float64 { return float64((d*31 + i*17) % 23) })
	}
	for b.Loop() {
		if _, err := forecast.RunAll(b.Context(), series, forecast.Options{Horizon: 84 * day}, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDailySeries100(b *testing.B)  { benchmarkDaily(b, 100) }
func BenchmarkDailySeries1000(b *testing.B) { benchmarkDaily(b, 1000) }
