package forecast_test

import (
	"encoding/csv"
	"hash/fnv"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// coverageLevels are the levels a planner may ask for.
var coverageLevels = []float64{0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99}

// coverage adds up replays of several series.
type coverage struct {
	slots, days       float64
	slotHits, dayHits [8]float64
}

func (c *coverage) add(s forecast.Benchmarks) {
	c.slots += float64(s.Ours.Points)
	c.days += float64(s.Days.Points)
	for i := range coverageLevels {
		if s.Ours.Points > 0 {
			c.slotHits[i] += s.Ours.Coverage[i] * float64(s.Ours.Points)
		}
		if s.Days.Points > 0 {
			c.dayHits[i] += s.Days.Coverage[i] * float64(s.Days.Points)
		}
	}
}

func (c *coverage) log(t testing.TB, name string) {
	t.Helper()
	row := func(hits [8]float64, n float64) (text string) {
		for i, l := range coverageLevels {
			text += " P" + strconv.Itoa(int(100*l)) + " " + strconv.FormatFloat(100*hits[i]/n, 'f', 1, 64)
		}
		return text
	}
	t.Logf("%s: %.0f slots%s", name, c.slots, row(c.slotHits, c.slots))
	t.Logf("%s: %.0f days%s", name, c.days, row(c.dayHits, c.days))
}

func replayed(t testing.TB, s forecast.Series, o forecast.Options, p forecast.Protocol) forecast.Benchmarks {
	t.Helper()
	o.Levels = coverageLevels
	out, err := forecast.Replay(t.Context(), s, o, p)
	require.NoError(t, err)
	return scored(s, o, out)
}

// TestCoverageOfRealData replays every real series and asks how often the quantiles held. The
// levels are those of the half-open statement P(Y <= q) >= level, so small counts lie above.
func TestCoverageOfRealData(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of replays")
	}
	for _, c := range []struct {
		name string
		run  func(t testing.TB, c *coverage)
	}{
		{"bank_calls", coverBank},
		{"hourly_emergency", coverEmergency},
		{"online_retail invoices", coverRetail},
		{"parcels network", coverNetwork},
		{"parcels routes, every eighth", coverRoutes},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sum coverage
			c.run(t, &sum)
			sum.log(t, c.name)
			require.InDelta(t, 0.9, sum.slotHits[5]/sum.slots, 0.04)
			require.InDelta(t, 0.9, sum.dayHits[5]/sum.days, 0.06)
		})
	}
}

func coverBank(t testing.TB, c *coverage) {
	obs := readObservations(t, sharedFile(t, "bank_calls/bank_calls.csv"), time.DateTime)
	s, err := newSeries("bank", 30*time.Minute, time.UTC, obs)
	require.NoError(t, err)
	hours, err := forecast.ParseHours("Mon-Fri 07:00-21:00")
	require.NoError(t, err)
	c.add(replayed(t, s, forecast.Options{Hours: hours}, forecast.Protocol{Horizon: 7 * day, Step: day, From: time.Date(2003, 6, 2, 0, 0, 0, 0, time.UTC)}))
}

func coverEmergency(t testing.TB, c *coverage) {
	obs := readObservations(t, sharedFile(t, "hourly_emergency/hourly_to_2018-02.csv"), time.RFC3339)
	s, err := newSeries("emergency", time.Hour, time.UTC, obs)
	require.NoError(t, err)
	c.add(replayed(t, s, forecast.Options{Hours: forecast.AlwaysOpen()}, forecast.Protocol{Horizon: 28 * day, Step: 7 * day, From: time.Date(2016, 3, 1, 0, 0, 0, 0, time.UTC)}))
}

func coverRetail(t testing.TB, c *coverage) {
	obs := readObservations(t, sharedFile(t, "online_retail/invoices_by_hour.csv"), "2006-01-02 15:04")
	s, err := newSeries("retail", time.Hour, time.UTC, obs)
	require.NoError(t, err)
	hours, err := forecast.ParseHours("Mon-Fri 07:00-20:00; Sun 09:00-18:00")
	require.NoError(t, err)
	c.add(replayed(t, s, forecast.Options{Hours: hours, Missing: forecast.MissingZero},
		forecast.Protocol{Horizon: 14 * day, Step: 3 * day, From: time.Date(2011, 3, 1, 0, 0, 0, 0, time.UTC)}))
}

func coverNetwork(t testing.TB, c *coverage) {
	obs := readObservations(t, sharedFile(t, "parcels_jd/network_daily.csv"), time.DateOnly)
	s, err := newSeries("network", day, time.UTC, obs)
	require.NoError(t, err)
	c.add(replayed(t, s, parcelOptions(t), forecast.Protocol{Horizon: 14 * day, Step: 3 * day, From: time.Date(2021, 8, 1, 0, 0, 0, 0, time.UTC)}))
}

func coverRoutes(t testing.TB, c *coverage) {
	for _, s := range sampledRoutes(t, 8) {
		p := forecast.Protocol{Horizon: 14 * day, Step: 21 * day, From: time.Date(2021, 10, 1, 0, 0, 0, 0, time.UTC)}
		if !s.First.In(time.UTC).Before(p.From.AddDate(0, 0, -56)) || s.End().Before(p.From.Add(28*day)) {
			continue // fewer than eight weeks of history or two horizons of test
		}
		c.add(replayed(t, s, parcelOptions(t), p))
	}
}

func parcelOptions(t testing.TB) forecast.Options {
	at := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	event := func(f, a, b string) forecast.Event { return forecast.Event{Family: f, Start: at(a), End: at(b)} }
	return forecast.Options{Holidays: chineseHolidays(t), Events: []forecast.Event{
		event("618", "2021-05-24", "2021-06-21"), event("double11", "2021-10-20", "2021-11-14"),
		event("double12", "2021-12-10", "2021-12-14"), event("618", "2022-05-23", "2022-06-21"),
	}}
}

// sampledRoutes are the routes whose name hashes to 0 modulo n: a sample nobody chose.
func sampledRoutes(t testing.TB, n uint32) []forecast.Series {
	f, err := os.Open(sharedFile(t, "parcels_jd/routes_daily.csv"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	builders := map[string]*forecast.Builder{}
	var order []string
	for _, row := range rows[1:] {
		key := row[0] + "/" + row[1]
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(key))
		if hash.Sum32()%n != 0 {
			continue
		}
		if builders[key] == nil {
			builders[key], err = forecast.NewBuilder(day, time.UTC)
			require.NoError(t, err)
			order = append(order, key)
		}
		at, err := time.Parse(time.DateOnly, row[2])
		require.NoError(t, err)
		v, err := strconv.ParseFloat(row[3], 64)
		require.NoError(t, err)
		require.NoError(t, builders[key].Add(at, v))
	}
	var out []forecast.Series
	for _, key := range order {
		out = append(out, builders[key].Series(ids.Queue(key)))
	}
	return out
}
