package forecast_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/forecast"
)

// sharedFile finds a real data file that is not part of the repository, or skips the test.
func sharedFile(t testing.TB, name string) string {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Skip("real data never run in CI")
	}
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("real data absent: " + name)
	}
	return path
}

func readObservations(t testing.TB, path, layout string) []observation {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var obs []observation
	for _, row := range rows[1:] {
		at, err := time.Parse(layout, row[0])
		require.NoError(t, err)
		v, err := strconv.ParseFloat(row[1], 64)
		require.NoError(t, err)
		obs = append(obs, observation{Start: at, Value: v})
	}
	return obs
}

// TestBankCalls follows the protocol of the data's source note: 30-minute sums 07:00-21:00,
// weeks of five working days as they come, the last twelve weeks, one week ahead.
func TestBankCalls(t *testing.T) {
	wape, p90 := bankWAPE(t)
	t.Logf("bank_calls WAPE %.2f %%, P90 coverage %.1f %%", 100*wape, 100*p90)
	require.LessOrEqual(t, wape, 0.06)
	require.InDelta(t, 0.9, p90, 0.03)
}

func bankWAPE(t testing.TB) (wape, p90 float64) {
	obs := readObservations(t, sharedFile(t, "bank_calls/bank_calls.csv"), time.DateTime)
	hours, err := forecast.ParseHours("Mon-Fri 07:00-21:00")
	require.NoError(t, err)
	var days []time.Time
	actual := map[time.Time]float64{}
	for _, o := range obs {
		if o.Start.Hour() == 21 {
			continue
		}
		actual[o.Start.Truncate(30*time.Minute)] += o.Value
		if day := o.Start.Truncate(24 * time.Hour); len(days) == 0 || !days[len(days)-1].Equal(day) {
			days = append(days, day)
		}
	}
	series, err := newSeries("bank", 30*time.Minute, time.UTC, obs)
	require.NoError(t, err)
	var e, sum, covered, points float64
	for week := 12; week >= 1; week-- {
		target := days[len(days)-5*week : len(days)-5*(week-1)]
		r, err := forecast.Run(series, forecast.Options{
			Origin: target[0], Horizon: target[4].AddDate(0, 0, 1).Sub(target[0]), Hours: hours,
		})
		require.NoError(t, err)
		for _, p := range r.Curve.Points {
			if v, ok := actual[p.Start]; ok {
				e += math.Abs(v - p.Mean)
				sum += v
				points++
				if v <= p.Quantiles[2] {
					covered++
				}
			}
		}
	}
	require.EqualValues(t, 1680, points)
	return e / sum, covered / points
}

// TestParcelsNetwork forecasts 618 2022 of a logistics network from data up to 2022-05-31; the
// bar is the "same date 2021" of the source note, 13.2 %.
func TestParcelsNetwork(t *testing.T) {
	obs := readObservations(t, sharedFile(t, "parcels_jd/network_daily.csv"), time.DateOnly)
	series, err := newSeries("network", 24*time.Hour, time.UTC, obs)
	require.NoError(t, err)
	at := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	event := func(f, a, b string) forecast.Event { return forecast.Event{Family: f, Start: at(a), End: at(b)} }
	r, err := forecast.Run(series, forecast.Options{
		Origin: at("2022-06-01"), Horizon: 20 * 24 * time.Hour, Holidays: chineseHolidays(t),
		Events: []forecast.Event{
			event("618", "2021-05-24", "2021-06-21"), event("double11", "2021-10-20", "2021-11-14"),
			event("double12", "2021-12-10", "2021-12-14"), event("618", "2022-05-23", "2022-06-21"),
		},
	})
	require.NoError(t, err)
	require.Len(t, r.Curve.Points, 20)
	actual := map[time.Time]float64{}
	for _, o := range obs {
		actual[o.Start] = o.Value
	}
	var e, sum float64
	for _, p := range r.Curve.Points {
		e += math.Abs(actual[p.Start] - p.Mean)
		sum += actual[p.Start]
		t.Logf("%s actual %.0f forecast %.0f  %.0f", p.Start.Format(time.DateOnly), actual[p.Start], p.Mean, p.Quantiles)
	}
	t.Logf("parcels 618 2022 WAPE %.2f %%; %+v; %+v; %v", 100*e/sum, r.Model, r.Backtest, r.Doubts)
	require.LessOrEqual(t, e/sum, 0.09)
}

// TestHourlyEmergency runs the source note's protocol on the last year of the file, every third
// origin: 48 hours ahead, nineteen quantiles, mean pinball loss. BenchmarkForecastBars runs all.
// Benchmark-2 of the paper, the strongest simple method, reaches 1.173 on this year and 1.217 on
// the year after, where the best of all reaches 1.188; 1.17 there is 3.9 % below Benchmark-2.
func TestHourlyEmergency(t *testing.T) {
	_, scores := replayEmergency(t, 36*time.Hour)
	t.Logf("hourly_emergency: %d origins, pinball %.4f, WAPE %.3f, MASE %.3f, naive %.3f, mean of four %.3f, coverage %.3f",
		scores.Origins, *scores.Ours.Pinball, *scores.Ours.WAPE, *scores.Ours.MASE, *scores.Rivals[0].Its.WAPE, *scores.Rivals[1].Its.WAPE, scores.Ours.Coverage)
	require.Less(t, *scores.Ours.Pinball, 1.14)
	require.InDelta(t, 0.9, scores.Ours.Coverage[17], 0.03)
}

func replayEmergency(t testing.TB, step time.Duration) (forecast.Series, forecast.Benchmarks) {
	obs := readObservations(t, sharedFile(t, "hourly_emergency/hourly_to_2018-02.csv"), time.RFC3339)
	s, err := newSeries("emergency", time.Hour, time.UTC, obs)
	require.NoError(t, err)
	o := forecast.Options{Hours: forecast.AlwaysOpen(), Levels: emergencyLevels()}
	replayed, err := forecast.Replay(t.Context(), s, o,
		forecast.Protocol{Horizon: 48 * time.Hour, Step: step, From: time.Date(2017, 3, 1, 0, 0, 0, 0, time.UTC)})
	require.NoError(t, err)
	require.Len(t, replayed, len(emergencyOrigins(s, step)))
	return s, scored(s, o, replayed)
}

func emergencyOrigins(s forecast.Series, step time.Duration) (origins []time.Time) {
	for at := time.Date(2017, 3, 1, 0, 0, 0, 0, time.UTC); !at.Add(48 * time.Hour).After(s.End()); at = at.Add(step) {
		origins = append(origins, at)
	}
	return origins
}
