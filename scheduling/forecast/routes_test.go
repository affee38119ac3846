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

// TestParcelsRoutes forecasts 618 2022 of every route from data up to 2022-05-31 and compares
// the summed absolute error with "same date 2021", a route and date without a row being zero.
func TestParcelsRoutes(t *testing.T) {
	if testing.Short() {
		t.Skip("860 series")
	}
	f, err := os.Open(sharedFile(t, "parcels_jd/routes_daily.csv"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	builders := map[string]*forecast.Builder{}
	values := map[string]map[string]float64{}
	var order []string
	rows := csv.NewReader(f)
	_, err = rows.Read()
	require.NoError(t, err)
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		key := row[0] + "/" + row[1]
		v, err := strconv.ParseFloat(row[3], 64)
		require.NoError(t, err)
		if values[key] == nil {
			values[key] = map[string]float64{}
			order = append(order, key)
		}
		values[key][row[2]] = v
		if row[2] >= "2022-06-01" {
			continue
		}
		if builders[key] == nil {
			builders[key], err = forecast.NewBuilder(24*time.Hour, time.UTC)
			require.NoError(t, err)
		}
		at, _ := time.Parse(time.DateOnly, row[2])
		require.NoError(t, builders[key].Add(at, v))
	}
	var series []forecast.Series
	for _, key := range order {
		if b := builders[key]; b != nil {
			series = append(series, b.Series(ids.Queue(key)))
		}
	}
	at := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	event := func(f, a, b string) forecast.Event { return forecast.Event{Family: f, Start: at(a), End: at(b)} }
	for _, missing := range []forecast.Missing{forecast.MissingClosed, forecast.MissingZero} {
		out, err := forecast.RunAll(t.Context(), series, forecast.Options{
			Origin: at("2022-06-01"), Horizon: 20 * 24 * time.Hour, Holidays: chineseHolidays(t), Missing: missing,
			Events: []forecast.Event{
				event("618", "2021-05-24", "2021-06-21"), event("double11", "2021-10-20", "2021-11-14"),
				event("double12", "2021-12-10", "2021-12-14"), event("618", "2022-05-23", "2022-06-21"),
			},
		}, nil)
		require.NoError(t, err)
		predicted := map[string]map[string]float64{}
		for i, o := range out {
			require.NoError(t, o.Err, series[i].Queue)
			m := map[string]float64{}
			for _, p := range o.Result.Curve.Points {
				m[p.Start.Format(time.DateOnly)] = p.Mean
			}
			predicted[string(series[i].Queue)] = m
		}
		var ours, naive, sum float64
		for _, key := range order {
			for d := range 20 {
				day := at("2022-06-01").AddDate(0, 0, d)
				actual := values[key][day.Format(time.DateOnly)]
				sum += actual
				ours += math.Abs(actual - predicted[key][day.Format(time.DateOnly)])
				naive += math.Abs(actual - values[key][day.AddDate(-1, 0, 0).Format(time.DateOnly)])
			}
		}
		t.Logf("missing %s: %d routes, pooled WAPE %.2f %%, same date 2021 %.2f %%", missing, len(series), 100*ours/sum, 100*naive/sum)
		require.Less(t, ours, naive)
	}
}
