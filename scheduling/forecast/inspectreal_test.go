package forecast_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// realHistory is one real series and what is known about its calendar.
type realHistory struct {
	name   string
	series forecast.Series
	opt    forecast.Options
}

// realHistories are all real data: call centre, hospital, web shop, parcels of a network and a
// tenth of its routes.
func realHistories(t testing.TB) []realHistory {
	t.Helper()
	var out []realHistory
	add := func(name, file, layout string, slots []time.Duration, o forecast.Options) {
		obs := readObservations(t, sharedFile(t, file), layout)
		for _, slot := range slots {
			s, err := newSeries(ids.Queue(name), slot, time.UTC, obs)
			require.NoError(t, err)
			out = append(out, realHistory{fmt.Sprintf("%s %s", name, slot), s, o})
		}
	}
	hours, err := forecast.ParseHours("Mon-Fri 07:00-21:00")
	require.NoError(t, err)
	add("bank_calls", "bank_calls/bank_calls.csv", time.DateTime, []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, day}, forecast.Options{Hours: hours})
	add("hourly_emergency", "hourly_emergency/hourly_to_2018-02.csv", time.RFC3339, []time.Duration{time.Hour, day}, forecast.Options{})
	add("online_retail", "online_retail/invoices_by_hour.csv", "2006-01-02 15:04", []time.Duration{time.Hour, day}, forecast.Options{})
	add("online_retail zero", "online_retail/invoices_by_hour.csv", "2006-01-02 15:04", []time.Duration{time.Hour}, forecast.Options{Missing: forecast.MissingZero})
	at := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	event := func(f, a, b string) forecast.Event { return forecast.Event{Family: f, Start: at(a), End: at(b)} }
	china := forecast.Options{Holidays: chineseHolidays(t), Events: []forecast.Event{
		event("618", "2021-05-24", "2021-06-21"), event("double11", "2021-10-20", "2021-11-14"),
		event("double12", "2021-12-10", "2021-12-14"), event("618", "2022-05-23", "2022-06-21"),
	}}
	add("parcels network", "parcels_jd/network_daily.csv", time.DateOnly, []time.Duration{day}, china)
	for i, s := range realRoutes(t) {
		if i%10 == 0 {
			out = append(out, realHistory{"parcels routes", s, china})
		}
	}
	return out
}

func realRoutes(t testing.TB) []forecast.Series {
	t.Helper()
	f, err := os.Open(sharedFile(t, "parcels_jd/routes_daily.csv"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	builders := map[string]*forecast.Builder{}
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
		if builders[key] == nil {
			order = append(order, key)
			builders[key], err = forecast.NewBuilder(day, time.UTC)
			require.NoError(t, err)
		}
		v, err := strconv.ParseFloat(row[3], 64)
		require.NoError(t, err)
		at, err := time.Parse(time.DateOnly, row[2])
		require.NoError(t, err)
		require.NoError(t, builders[key].Add(at, v))
	}
	slices.Sort(order)
	var out []forecast.Series
	for _, key := range order {
		out = append(out, builders[key].Series(ids.Queue(key)))
	}
	return out
}

func years(s forecast.Series) float64 { return s.End().Sub(s.First.In(time.UTC)).Hours() / 24 / 365.25 }

// TestFindingsOnRealData prints every kind of finding per year on real data as they are. Nobody
// knows what really happened, so this is an upper bound of false alarms.
func TestFindingsOnRealData(t *testing.T) {
	type tally struct {
		years  float64
		series int
		byKind map[forecast.FindingKind]int
	}
	all, order := map[string]*tally{}, []string{}
	for _, h := range realHistories(t) {
		a := all[h.name]
		if a == nil {
			a = &tally{byKind: map[forecast.FindingKind]int{}}
			all[h.name], order = a, append(order, h.name)
		}
		a.series++
		a.years += years(h.series)
		for _, f := range forecast.Inspect(h.series, h.opt) {
			a.byKind[f.Kind]++
			if a.series <= 30 {
				t.Logf("%s %s %s %.3f %s", h.name, h.series.Queue, f.Kind, f.Confidence, f.Text)
			}
		}
	}
	for _, name := range order {
		a := all[name]
		var b strings.Builder
		n := 0
		for k, c := range a.byKind {
			fmt.Fprintf(&b, " %s %d", k, c)
			n += c
		}
		t.Logf("%-28s %3d series %6.1f years: %.2f findings a year:%s", name, a.series, a.years, float64(n)/a.years, b.String())
	}
}
