package forecast_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zone of the clock change tests, wherever they run

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

var manyLevels = []float64{0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99}

// TestThinOrStrangeHistories is one row per bad history: a forecast that can be used, and the
// doubt that says why it should not be believed too much.
func TestThinOrStrangeHistories(t *testing.T) {
	weekly := func(d, k int) float64 { return float64(20 + k + 5*(d%7)) }
	for name, c := range map[string]struct {
		series   forecast.Series
		o        forecast.Options
		low, top float64 // bounds of every daily mean
		doubt    string
	}{
		"three days": {
			series: steady(t, time.Hour, 3, func(_, k int) float64 { return float64(10 + k) }),
			low:    400, top: 640, doubt: "only 3 days of history", // 3 x 516
		},
		"one value": {
			series: steady(t, time.Hour, 1, func(_, k int) float64 {
				if k == 12 {
					return 7
				}
				return math.NaN()
			}),
			low: 3, top: 14, doubt: "only 0 days of history",
		},
		"one day of one daily value": {
			series: steady(t, day, 1, func(int, int) float64 { return 300 }),
			low:    150, top: 600, doubt: "only 1 day of history",
		},
		"all zeros": {
			series: steady(t, time.Hour, 40, func(int, int) float64 { return 0 }), doubt: "every record of the history is zero",
		},
		"one spike in zeros": {
			series: steady(t, time.Hour, 60, func(d, k int) float64 {
				if d == 30 && k == 10 {
					return 50_000
				}
				return 0
			}),
			top: 10, doubt: "unexplained",
		},
		"every second day is missing": {
			series: steady(t, time.Hour, 60, func(d, k int) float64 {
				if d%2 == 1 {
					return math.NaN()
				}
				return float64(10 + k)
			}),
			low: 400, top: 640, doubt: "have no record and were taken as closed",
		},
		"huge numbers": {
			series: steady(t, time.Hour, 60, func(d, k int) float64 { return 1e10 * weekly(d, k) }),
			low:    1e10 * 24 * 20, top: 1e10 * 24 * 80, doubt: "open hours were not given",
		},
		"tiny numbers": {
			series: steady(t, time.Hour, 60, func(d, k int) float64 { return 1e-9 * weekly(d, k) }),
			top:    2e-6, doubt: "open hours were not given",
		},
		"64 weeks from two weeks": {
			series: steady(t, day, 14, func(d, _ int) float64 { return weekly(d, 0) }),
			o:      forecast.Options{Horizon: forecast.MaxHorizon},
			low:    15, top: 60, doubt: "only 14 days of history",
		},
		"64 weeks from two steep weeks": {
			series: steady(t, day, 14, func(d, _ int) float64 { return math.Round(10 * math.Exp(float64(d)/3)) }),
			o:      forecast.Options{Horizon: forecast.MaxHorizon},
			low:    10, top: 2000, doubt: "only 14 days of history", // the last day has 762
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := c.o
			if o.Horizon == 0 {
				o.Horizon = 14 * day
			}
			o.Levels = manyLevels
			r, err := forecast.Run(c.series, o)
			require.NoError(t, err)
			requireSane(t, r)
			requireMeanInside(t, c.series, r)
			require.NotEmpty(t, r.Curve.Points)
			for _, p := range r.Days {
				require.True(t, p.Mean >= c.low && p.Mean <= c.top, "%s: mean %g", p.Start, p.Mean)
			}
			assert.Contains(t, strings.Join(r.Doubts, "\n"), c.doubt)
		})
	}
}

// TestOneClearFault is one row per history that cannot be forecast.
func TestOneClearFault(t *testing.T) {
	add := func(values ...float64) func() error {
		return func() error {
			var obs []observation
			for i, v := range values {
				obs = append(obs, observation{Start: monday.Add(time.Duration(i/2) * time.Hour), Value: v})
			}
			_, err := newSeries("q", time.Hour, nil, obs)
			return err
		}
	}
	run := func(s forecast.Series) func() error {
		return func() error { _, err := forecast.Run(s, forecast.Options{Horizon: day}); return err }
	}
	first := calendar.DateOf(monday, time.UTC)
	for name, c := range map[string]struct {
		do         func() error
		code, want string
	}{
		"negative":      {add(1, -3), "forecast.series", "value -3"},
		"not a number":  {add(math.NaN()), "forecast.series", "value NaN"},
		"infinite":      {add(math.Inf(1)), "forecast.series", "value +Inf"},
		"huge sum":      {add(9e11, 9e11), "forecast.series", "absurdly large"},
		"largest float": {add(math.MaxFloat64), "forecast.series", "absurdly large"},
		"far apart": {func() error {
			_, err := newSeries("q", time.Hour, nil, []observation{{Start: monday}, {Start: monday.AddDate(-30, 0, 0)}})
			return err
		}, "forecast.series", "more than 20 years away"},
		"empty":            {run(forecast.Series{Slot: time.Hour}), "forecast.series", "the history is empty"},
		"bad slot":         {run(forecast.Series{Slot: 7 * time.Hour, First: first, Values: []float64{1}}), "forecast.series", "must divide 24 hours"},
		"negative in grid": {run(forecast.Series{Slot: time.Hour, First: first, Values: []float64{1, -1}}), "forecast.series", "values[1]"},
		"infinite in grid": {run(forecast.Series{Slot: time.Hour, First: first, Values: []float64{math.Inf(1)}}), "forecast.series", "values[0]"},
		"nothing recorded": {run(forecast.Series{Slot: time.Hour, First: first, Values: []float64{math.NaN()}}), "forecast.no_history", "no record lies before"},
	} {
		err := c.do()
		require.Error(t, err, name)
		assert.Equal(t, c.code, fault.CodeOf(err), name)
		assert.ErrorContains(t, err, c.want, name)
		assert.Equal(t, fault.Invalid, fault.KindOf(err), name)
	}
}

// TestOverlappingEvents has two families on the same days, one without a past occurrence.
func TestOverlappingEvents(t *testing.T) {
	inside := func(d int) bool { return d%60 >= 40 && d%60 < 44 }
	s := steady(t, time.Hour, 155, func(d, k int) float64 {
		if v := 100 + float64((d*7919+k*104729)%11); inside(d) {
			return 2 * v
		} else {
			return v
		}
	})
	at := func(d int) time.Time { return monday.AddDate(0, 0, d) }
	r, err := forecast.Run(s, forecast.Options{Horizon: 12 * day, Levels: manyLevels, Events: []forecast.Event{
		{Family: "live", Start: at(40), End: at(44)},
		{Family: "live", Start: at(100), End: at(104)},
		{Family: "live", Start: at(160), End: at(164)},
		{Family: "new", Start: at(158), End: at(166)},
		{Family: "over the origin", Start: at(150), End: at(157)},
	}})
	require.NoError(t, err)
	requireSane(t, r)
	requireMeanInside(t, s, r)
	for _, p := range r.Days {
		want := 105.0 * 24
		d := int(p.Start.Sub(monday) / day)
		switch {
		case inside(d):
			want *= 2
		case d >= 158 && d < 166: // nobody has seen this family: other events lend it more than nothing, less than theirs
			assert.Greater(t, p.Mean, want, p.Start)
			assert.Less(t, p.Mean, 2*want, p.Start)
			continue
		}
		assert.InEpsilon(t, want, p.Mean, 0.1, p.Start)
	}
	doubts := strings.Join(r.Doubts, "\n")
	assert.Contains(t, doubts, "event new")
	assert.Contains(t, doubts, "event over the origin")
	assert.NotContains(t, doubts, "event live")
}

// zoned makes an hourly history of real hours on a clock that changes: `rate` contacts an hour.
func zoned(t testing.TB, zone string, from time.Time, days int, rate float64) forecast.Series {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	require.NoError(t, err)
	b, err := forecast.NewBuilder(time.Hour, loc)
	require.NoError(t, err)
	start := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, loc)
	random := newLCG(77)
	for at := start; at.Before(start.AddDate(0, 0, days)); at = at.Add(time.Hour) {
		require.NoError(t, b.Add(at, random.poisson(rate)))
	}
	return b.Series("q")
}

func TestClocksGoBack(t *testing.T) {
	for zone, night := range map[string]time.Time{
		"Europe/London":    time.Date(2025, 10, 26, 0, 0, 0, 0, time.UTC),
		"America/New_York": time.Date(2025, 11, 2, 0, 0, 0, 0, time.UTC),
	} {
		s := zoned(t, zone, night.AddDate(0, 0, -50), 70, 40)
		found := forecast.Inspect(s, forecast.Options{})
		require.Len(t, found, 1, zone)
		assert.Equal(t, forecast.Doubled, found[0].Kind)
		assert.Contains(t, found[0].Text, "the hour happens twice")
		assert.Equal(t, time.Date(night.Year(), night.Month(), night.Day(), 1, 0, 0, 0, s.Location), found[0].From)

		// A forecast over the change: one point per wall slot, in order, the whole night included.
		before := zoned(t, zone, night.AddDate(0, 0, -50), 48, 40)
		r, err := forecast.Run(before, forecast.Options{Horizon: 5 * day})
		require.NoError(t, err)
		requireSane(t, r)
		for _, p := range r.Curve.Points {
			assert.InEpsilon(t, 40, p.Mean, 0.2)
		}
		// The same as bare local times, which know no zone.
		bare := zoned(t, zone, night.AddDate(0, 0, -50), 70, 40)
		bare.Location = time.UTC
		bare.Until = time.Time{}
		found = forecast.Inspect(bare, forecast.Options{})
		require.Len(t, found, 1, zone)
		assert.Equal(t, forecast.Doubled, found[0].Kind)
	}
}

func TestClocksGoForward(t *testing.T) {
	for zone, night := range map[string]time.Time{
		"Europe/London":    time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC),
		"America/New_York": time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC),
	} {
		s := zoned(t, zone, night.AddDate(0, 0, -50), 70, 40)
		assert.Empty(t, forecast.Inspect(s, forecast.Options{}), "an hour that does not exist is not missing")
		r, err := forecast.Run(zoned(t, zone, night.AddDate(0, 0, -50), 48, 40), forecast.Options{Horizon: 4 * day})
		require.NoError(t, err)
		requireSane(t, r)
		require.Len(t, r.Curve.Points, 4*24, "four days of 24 hours from the origin on, the day of 23 wall hours included")

		bare := s
		bare.Location, bare.Until = time.UTC, time.Time{}
		found := forecast.Inspect(bare, forecast.Options{})
		require.Len(t, found, 1, zone)
		assert.Equal(t, forecast.ImportGap, found[0].Kind)
		assert.Contains(t, found[0].Text, "clocks go forward")
	}
}

// requireMeanInside asks for a mean near or between P1 and P99. Counts are whole, so one contact of
// room is left; levels bent by a back-test of a history that collapsed to nothing leave the mean of
// the assumed distribution a little outside, so half is left too, and what smoothing still
// remembers of the collapsed volume: a hundredth of the history's mean.
func requireMeanInside(t require.TestingT, s forecast.Series, r forecast.Result) {
	room := 1 + 1e-2*historyMean(s)
	for _, p := range append(append(r.Curve.Points[:0:0], r.Curve.Points...), r.Days...) {
		low, top := p.Quantiles[0], p.Quantiles[len(p.Quantiles)-1]
		require.True(t, p.Mean >= low/1.5-room && p.Mean <= 1.5*top+room, "mean %g outside %g", p.Mean, p.Quantiles)
	}
}

func historyMean(s forecast.Series) float64 {
	var sum, n float64
	for _, v := range s.Values {
		if !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / max(1, n)
}

// ugly draws a history that no queue should have, and options to go with it.
func ugly(t *rapid.T) ([]observation, time.Duration, forecast.Options) {
	slot := rapid.SampledFrom([]time.Duration{15 * time.Minute, time.Hour, day}).Draw(t, "slot")
	days := rapid.IntRange(1, 45).Draw(t, "days")
	level := rapid.SampledFrom([]float64{0, 0.2, 3, 60, 1e5, 1e9}).Draw(t, "level")
	seed := rapid.Uint64().Draw(t, "seed")
	mood := rapid.SliceOfN(rapid.SampledFrom([]string{"usual", "gap", "zero", "spike", "double", "frozen", "part"}), 1, 12).Draw(t, "moods")
	random := newLCG(seed)
	var obs []observation
	for d := range days {
		for k := range int(day / slot) {
			v := math.Round(level * (0.3 + random.float() + random.float()))
			switch mood[d*len(mood)/days] {
			case "gap":
				continue
			case "zero":
				v = 0
			case "spike":
				if random.float() < 0.02 {
					v = min(900*v, forecast.MaxValue)
				}
			case "double":
				v = 2 * v
			case "frozen":
				v = level
			case "part":
				if random.float() < 0.6 {
					continue
				}
			}
			obs = append(obs, observation{Start: monday.AddDate(0, 0, d).Add(time.Duration(k) * slot), Value: v})
		}
	}
	start := rapid.IntRange(-5, 60).Draw(t, "event")
	taken := rapid.IntRange(-3, 50).Draw(t, "taken")
	o := forecast.Options{
		Horizon: time.Duration(rapid.IntRange(1, 900).Draw(t, "hours")) * time.Hour,
		Missing: rapid.SampledFrom([]forecast.Missing{forecast.MissingClosed, forecast.MissingZero}).Draw(t, "missing"),
		Levels:  manyLevels,
		Events: []forecast.Event{
			{Family: "a", Start: monday.AddDate(0, 0, start), End: monday.AddDate(0, 0, start+6)},
			{Family: "b", Start: monday.AddDate(0, 0, start+3), End: monday.AddDate(0, 0, start+9)},
			{Family: "a", Start: monday.AddDate(0, 0, start+30), End: monday.AddDate(0, 0, start+33)},
		},
		Exclude: []forecast.Exclusion{{From: monday.AddDate(0, 0, taken), To: monday.AddDate(0, 0, taken+2).Add(7 * time.Hour), Reason: "drawn"}},
	}
	return obs, slot, o
}

func bytesOf(t require.TestingT, r forecast.Result) string {
	b, err := json.Marshal(r)
	require.NoError(t, err, "NaN and infinity have no JSON")
	return string(b)
}

// TestUglyHistories draws histories that no queue should have: no nonsense comes out, the same
// input gives the same bytes and the order of records does not matter.
func TestUglyHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		obs, slot, o := ugly(t)
		if len(obs) == 0 {
			return
		}
		s, err := newSeries("q", slot, nil, obs)
		require.NoError(t, err)
		r, err := forecast.Run(s, o)
		order, random := slices.Clone(obs), newLCG(rapid.Uint64().Draw(t, "order"))
		for i := range order {
			j := i + int(random.float()*float64(len(order)-i))
			order[i], order[j] = order[j], order[i]
		}
		shuffled, orderErr := newSeries("q", slot, nil, order)
		require.NoError(t, orderErr)
		again, againErr := forecast.Run(shuffled, o)
		if err != nil {
			require.Contains(t, []string{"forecast.no_history", "forecast.nothing_open"}, fault.CodeOf(err), err)
			require.Equal(t, err.Error(), againErr.Error())
			return
		}
		require.NoError(t, againErr)
		requireSane(t, r)
		requireMeanInside(t, s, r)
		require.Equal(t, bytesOf(t, r), bytesOf(t, again))
		for _, f := range r.Findings {
			require.True(t, f.From.Before(f.To) && f.Actual >= 0 && f.Expected >= 0 && f.Confidence >= 0.5 && f.Confidence <= 1, "%+v", f)
			require.False(t, f.From.After(s.End()) && f.Kind != forecast.EndsEarly, "a finding after the data: %+v", f)
		}
	})
}

// A burst in hours that never have a contact has nothing to be compared with; what is told of it are numbers.
func TestABurstWhereNobodyEverWrites(t *testing.T) {
	var obs []observation
	for i := range 35 * 24 {
		v := 0.0
		if hour := i % 24; hour >= 9 && hour < 23 {
			v = 100 + float64(i*37%11)
		}
		if i == 30*24+3 {
			v = 5000
		}
		obs = append(obs, observation{Start: monday.Add(time.Duration(i) * time.Hour), Value: v})
	}
	s, err := newSeries("q", time.Hour, nil, obs)
	require.NoError(t, err)
	r, err := forecast.Run(s, forecast.Options{Horizon: 24 * time.Hour, Levels: manyLevels})
	require.NoError(t, err)
	require.NotEmpty(t, r.Findings)
	require.NotContains(t, bytesOf(t, r), "NaN")
}
