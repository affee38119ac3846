package forecast_test

import (
	"encoding/csv"
	"errors"
	"io"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// parcelRoutes are the daily volumes of every route; a day without a row is absent.
type parcelRoutes struct {
	order  []string
	values map[string]map[time.Time]float64
}

func readRoutes(t testing.TB) parcelRoutes {
	t.Helper()
	f, err := os.Open(sharedFile(t, "parcels_jd/routes_daily.csv"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	rows := csv.NewReader(f)
	_, err = rows.Read()
	require.NoError(t, err)
	r := parcelRoutes{values: map[string]map[time.Time]float64{}}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return r
		}
		require.NoError(t, err)
		key := row[0] + "/" + row[1]
		if r.values[key] == nil {
			r.values[key] = map[time.Time]float64{}
			r.order = append(r.order, key)
		}
		at, err := time.Parse(time.DateOnly, row[2])
		require.NoError(t, err)
		r.values[key][at], err = strconv.ParseFloat(row[3], 64)
		require.NoError(t, err)
	}
}

// until are the histories before an origin, of routes that have one.
func (r parcelRoutes) until(t testing.TB, origin time.Time) (series []forecast.Series) {
	for _, key := range r.order {
		b, err := forecast.NewBuilder(24*time.Hour, time.UTC)
		require.NoError(t, err)
		seen := false
		for at, v := range r.values[key] {
			if at.Before(origin) {
				require.NoError(t, b.Add(at, v))
				seen = true
			}
		}
		if seen {
			series = append(series, b.Series(ids.Queue(key)))
		}
	}
	return series
}

// mean of the days [from, from+n), a day without a row being zero.
func (r parcelRoutes) mean(key string, from time.Time, n int) (sum float64) {
	for d := range n {
		sum += r.values[key][from.AddDate(0, 0, d)]
	}
	return sum / float64(n)
}

// TestParcelsRoutes forecasts 618 2022 of every route from data up to 2022-05-31. Peers, a route
// and date without a row being zero: the same date 2021; 2021's uplift over the four weeks before
// the presale times the same weeks of 2022, per route (the base itself where 2021 had none) and
// with the uplift of the whole network; the mean of the last four weeks.
func TestParcelsRoutes(t *testing.T) {
	if testing.Short() {
		t.Skip("860 series")
	}
	routes := readRoutes(t)
	at := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	event := func(f, a, b string) forecast.Event { return forecast.Event{Family: f, Start: at(a), End: at(b)} }
	origin, before := at("2022-06-01"), at("2021-06-01")
	series := routes.until(t, origin)
	var network, networkBase [20]float64
	for _, key := range routes.order {
		for d := range 20 {
			network[d] += routes.values[key][before.AddDate(0, 0, d)]
			networkBase[d] += routes.mean(key, before.AddDate(0, 0, -37), 28)
		}
	}
	for _, missing := range []forecast.Missing{forecast.MissingClosed, forecast.MissingZero} {
		b, err := forecast.RunBatch(t.Context(), series, forecast.Options{
			Origin: origin, Horizon: 20 * 24 * time.Hour, Holidays: chineseHolidays(t), Missing: missing,
			Events: []forecast.Event{
				event("618", "2021-05-24", "2021-06-21"), event("double11", "2021-10-20", "2021-11-14"),
				event("double12", "2021-12-10", "2021-12-14"), event("618", "2022-05-23", "2022-06-21"),
			},
		}, nil)
		require.NoError(t, err)
		results := map[string]forecast.Result{}
		for i, o := range b.Outcomes {
			require.NoError(t, o.Err, series[i].Queue)
			results[string(series[i].Queue)] = o.Result
		}
		var sum, ours, sameDate, uplift, pooled, flat, days, covered float64
		for _, key := range routes.order {
			predicted := map[time.Time]float64{}
			for _, p := range results[key].Curve.Points {
				predicted[p.Start] = p.Mean
				if v, ok := routes.values[key][p.Start]; ok || p.Mean > 0 {
					days++
					if v <= p.Quantiles[2] {
						covered++
					}
				}
			}
			base, pastBase := routes.mean(key, origin.AddDate(0, 0, -37), 28), routes.mean(key, before.AddDate(0, 0, -37), 28)
			last := routes.mean(key, origin.AddDate(0, 0, -28), 28)
			for d := range 20 {
				day := origin.AddDate(0, 0, d)
				actual, past := routes.values[key][day], routes.values[key][day.AddDate(-1, 0, 0)]
				peer := base
				if pastBase > 0 {
					peer = past / pastBase * base
				}
				sum += actual
				ours += math.Abs(actual - predicted[day])
				sameDate += math.Abs(actual - past)
				uplift += math.Abs(actual - peer)
				pooled += math.Abs(actual - network[d]/networkBase[d]*base)
				flat += math.Abs(actual - last)
			}
		}
		t.Logf("missing %s: %d of %d routes have a history; pooled WAPE %.2f %%; same date 2021 %.1f %%, 2021 uplift x 2022 base %.1f %% (network's uplift: %.1f %%), last four weeks %.1f %%; P90 covers %.1f %% of days",
			missing, len(series), len(routes.order), 100*ours/sum, 100*sameDate/sum, 100*uplift/sum, 100*pooled/sum, 100*flat/sum, 100*covered/days)
		require.Less(t, ours, 0.8*min(sameDate, uplift))
		require.Less(t, ours, flat)
		routes.logEvents(t, results)
	}
}

// logEvents measures the P90 of the rest of 618, 2022-06-01 to 06-20.
func (r parcelRoutes) logEvents(t *testing.T, results map[string]forecast.Result) {
	var all, alive, awake, coveredAll, coveredAlive, coveredAwake float64
	for key, result := range results {
		for _, e := range result.Events {
			if e.Family != "618" {
				continue
			}
			actual := r.mean(key, e.From, 20) * 20
			in := 0.0
			if actual <= e.Total.Quantiles[2] {
				in = 1
			}
			all++
			coveredAll += in
			if actual > 0 || e.Total.Mean > 0 {
				alive++
				coveredAlive += in
			}
			if e.Total.Mean > 0 {
				awake++
				coveredAwake += in
			}
		}
	}
	t.Logf("P90 of the event covers %.1f %% of all %.0f routes, %.1f %% of the %.0f with any volume or forecast, %.1f %% of the %.0f with a forecast",
		100*coveredAll/all, all, 100*coveredAlive/alive, alive, 100*coveredAwake/awake, awake)
	require.InDelta(t, 0.9, coveredAwake/awake, 0.08)
}
