package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

func adjustment(id string, percent float64) forecast.Layer {
	span := calendar.Range{Start: hour(9), End: hour(10)}
	return forecast.Layer{
		ID: ids.Layer(id), Kind: forecast.LayerPercent, Amount: percent, Target: forecast.Target{Range: span}, Spans: []calendar.Range{span}, Reason: " 直播\x00 ",
	}
}

func lock(id, of, from, until string) store.Lock {
	queue := of + "/pre"
	return store.Lock{
		ID: ids.Lock(id), Queue: ids.Queue(queue), Forecast: ids.Forecast("f-" + of), Layers: []ids.Layer{ids.Layer("l-" + of)},
		Dates: calendar.Dates{From: date(from), Until: date(until)}, AgreedOn: date("2026-10-25"), AgreedWith: "陈经理", Curve: curve(queue),
		Days: []scheduling.Point{{Start: hour(0), Mean: 12.35, Quantiles: []float64{8, 12, 17}}},
	}
}

func clientForecast(id, of string) store.ClientForecast {
	c := curve(of + "/pre")
	c.Levels = nil
	for i := range c.Points {
		c.Points[i].Quantiles = nil
	}
	return store.ClientForecast{ID: ids.ClientForecast(id), Queue: c.Queue, StatedAt: hour(0), Source: "双11预测.csv", Curve: c}
}

func accuracy(of, day string, drifting bool) store.ForecastAccuracy {
	wape := 0.25
	a := store.ForecastAccuracy{
		Queue: ids.Queue(of + "/pre"), Date: date(day), Judged: calendar.Dates{From: date(day).Add(-28), Until: date(day)},
		Slots: []forecast.LeadAccuracy{{Lead: 7, Ours: forecast.Score{Points: 4, Actual: 40, AbsError: 10, WAPE: &wape}}},
		Drift: &forecast.Drift{Reference: 12},
	}
	if drifting {
		a.Drift.Findings = []forecast.DriftMeasure{{Measure: "bias", Value: 0.4, Says: "too much"}}
	}
	return a
}

func backtest(id, of string) store.Backtest {
	return store.Backtest{
		ID: ids.Backtest(id), Queue: ids.Queue(of + "/pre"), Range: calendar.Range{Start: hour(9), End: hour(12)}, InputHash: "abc", Model: "m",
		Protocol: json.RawMessage(`{"step": "12h"}`), Figures: json.RawMessage(`{"wape": 0.1}`),
		Origins: []store.BacktestOrigin{{Origin: hour(9), Points: curve(of + "/pre").Points}},
	}
}

// seedForecasting gives each merchant one of everything.
func seedForecasting(tx *store.Tx) error {
	for _, of := range []string{"a", "b"} {
		queue := of + "/pre"
		if err := tx.AddForecast(store.Forecast{ID: ids.Forecast("unused-" + of), Queue: ids.Queue(queue), Curve: curve(queue)}); err != nil {
			return err
		}
		if _, err := tx.AddLayer(ids.Forecast("f-"+of), adjustment("l-"+of, 20)); err != nil {
			return err
		}
		if _, err := tx.AddLock(lock("k-"+of, of, "2026-11-02", "2026-11-04")); err != nil {
			return err
		}
		if _, err := tx.AddClientForecast(clientForecast("c-"+of, of)); err != nil {
			return err
		}
		if _, err := tx.PutForecastAccuracy([]store.ForecastAccuracy{accuracy(of, "2026-11-01", true)}); err != nil {
			return err
		}
		if _, err := tx.AddBacktest(backtest("t-"+of, of)); err != nil {
			return err
		}
	}
	return nil
}

// forecastingCases are the scope cases of what is kept about forecasts.
func forecastingCases() map[string]scopeCase {
	type view = store.View
	ofLayer := func(l store.Layer) string { return string(l.Merchant) }
	ofLock := func(l store.Lock) string { return string(l.Merchant) }
	ofClient := func(f store.ClientForecast) string { return string(f.Merchant) }
	ofTest := func(b store.Backtest) string { return string(b.Merchant) }
	return map[string]scopeCase{
		"UnusedForecasts": {func(t *testing.T, v *view) ([]string, error) {
			rows, err := v.UnusedForecasts(t.Context(), system.User, now.Add(time.Hour))
			return listed(rows, "", err, func(f store.ForecastRef) string { return string(f.Merchant) })
		}, bothMerchants},
		"Layers": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Layers(t.Context(), store.LayerFilter{}, store.Page{})
			return listed(rows, next, err, ofLayer)
		}, bothMerchants},
		"Layer": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Layer) (store.Layer, error) { return v.Layer(t.Context(), id) }, ofLayer, "l-a", "l-b")
		}, bothMerchants},
		"Locks": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Locks(t.Context(), store.LockFilter{}, store.Page{})
			return listed(rows, next, err, ofLock)
		}, bothMerchants},
		"Lock": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Lock) (store.Lock, error) { return v.Lock(t.Context(), id) }, ofLock, "k-a", "k-b")
		}, bothMerchants},
		"ClientForecasts": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.ClientForecasts(t.Context(), store.ForecastFilter{}, store.Page{})
			return listed(rows, next, err, ofClient)
		}, bothMerchants},
		"ClientForecast": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.ClientForecast) (store.ClientForecast, error) { return v.ClientForecast(t.Context(), id) }, ofClient, "c-a", "c-b")
		}, bothMerchants},
		"ForecastAccuracies": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.ForecastAccuracies(t.Context(), store.AccuracyFilter{Drifting: true}, store.Page{})
			return listed(rows, next, err, func(a store.ForecastAccuracy) string { return string(a.Merchant) })
		}, bothMerchants},
		"Backtests": {func(t *testing.T, v *view) ([]string, error) {
			rows, next, err := v.Backtests(t.Context(), store.ForecastFilter{}, store.Page{})
			return listed(rows, next, err, ofTest)
		}, bothMerchants},
		"Backtest": {func(t *testing.T, v *view) ([]string, error) {
			return one(func(id ids.Backtest) (store.Backtest, error) { return v.Backtest(t.Context(), id) }, ofTest, "t-a", "t-b")
		}, bothMerchants},
	}
}

func testLayers(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	var second store.Layer
	require.NoError(t, db.Change(ctx, system, now.Add(time.Hour), func(tx *store.Tx) (err error) {
		second, err = tx.AddLayer("f-a", adjustment("first-by-name", -10))
		return err
	}))
	assert.Equal(t, 2, second.Position)
	require.NoError(t, db.Change(ctx, system, now.Add(2*time.Hour), func(tx *store.Tx) error {
		_, err := tx.WithdrawLayer("l-a", "直播取消")
		return err
	}))
	all, err := store.All(func(p store.Page) ([]store.Layer, string, error) {
		p.Limit = 1
		return view.Layers(ctx, store.LayerFilter{Forecast: "f-a"}, p)
	})
	require.NoError(t, err)
	require.Len(t, all, 2, "what is withdrawn stays on record")
	span := calendar.Range{Start: hour(9).UTC(), End: hour(10).UTC()}
	assert.Equal(t, store.Layer{
		Layer: forecast.Layer{
			ID: "l-a", Kind: forecast.LayerPercent, Amount: 20, Target: forecast.Target{Range: span}, Spans: []calendar.Range{span}, Author: "system",
			Reason: "直播", At: nowStored, Withdrawn: &forecast.Withdrawal{Author: "system", Reason: "直播取消", At: nowStored.Add(2 * time.Hour)},
		},
		Forecast: "f-a", Queue: "a/pre", Merchant: "a", Position: 1, AuthorName: "test",
	}, all[0])
	assert.Equal(t, second, all[1])
	got, err := view.Layer(ctx, "first-by-name")
	require.NoError(t, err)
	assert.Equal(t, second, got)

	do := func(fn func(tx *store.Tx) (store.Layer, error)) error {
		return db.Change(ctx, system, now, func(tx *store.Tx) error { _, err := fn(tx); return err })
	}
	codeIs(t, do(func(tx *store.Tx) (store.Layer, error) { return tx.WithdrawLayer("l-a", "again") }), store.ErrConflict)
	codeIs(t, do(func(tx *store.Tx) (store.Layer, error) { return tx.WithdrawLayer("nowhere", "x") }), store.ErrNotFound)
	codeIs(t, do(func(tx *store.Tx) (store.Layer, error) { return tx.AddLayer("nowhere", adjustment("x", 1)) }), store.ErrNotFound)
	codeIs(t, do(func(tx *store.Tx) (store.Layer, error) { return tx.AddLayer("f-a", adjustment("l-b", 1)) }), store.ErrConflict)
	assert.Equal(t, "store.invalid", fault.CodeOf(do(func(tx *store.Tx) (store.Layer, error) { return tx.WithdrawLayer("l-b", " ") })))
	assert.Equal(t, "forecast.layer", fault.CodeOf(do(func(tx *store.Tx) (store.Layer, error) { return tx.AddLayer("f-a", adjustment("x", -200)) })))
	f, err := view.Forecast(ctx, "f-a")
	require.NoError(t, err)
	assert.InDelta(t, 12.25, f.Curve.Points[0].Mean, 0, "the forecast itself is as it was")
}

// What was adjusted, locked or planned with is no candidate, and stays when it is named.
func testDroppedForecasts(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	add := func(id string, at time.Time) {
		require.NoError(t, db.Change(ctx, system, at, func(tx *store.Tx) error {
			return tx.AddForecast(store.Forecast{ID: ids.Forecast(id), Queue: "a/pre", Curve: curve("a/pre")})
		}))
	}
	add("free", now.Add(time.Minute))
	add("layered", now.Add(2*time.Minute))
	add("locked", now.Add(3*time.Minute))
	add("planned", now.Add(4*time.Minute))
	add("late", now.Add(time.Hour))
	kept := lock("kept", "a", "2026-12-01", "2026-12-02")
	kept.Forecast, kept.Layers = "locked", nil
	require.NoError(t, db.Change(ctx, system, now.Add(time.Hour), func(tx *store.Tx) error {
		if _, err := tx.AddLayer("layered", adjustment("l-free", 5)); err != nil {
			return err
		}
		if _, err := tx.AddLock(kept); err != nil {
			return err
		}
		return tx.AddPlan(store.Plan{ID: "p-free", Queue: "a/pre", Forecast: "planned", Range: calendar.Range{Start: hour(9), End: hour(11)}})
	}))
	names := func(author ids.User) (out []ids.Forecast) {
		list, err := view.UnusedForecasts(ctx, author, now.Add(time.Hour))
		require.NoError(t, err)
		for _, f := range list {
			out = append(out, f.ID)
		}
		return out
	}
	assert.Equal(t, []ids.Forecast{"unused-a", "free", "unused-b"}, names(system.User))
	assert.Empty(t, names("somebody"))
	drop := func(queue ids.Queue, list ...ids.Forecast) (n int64) {
		require.NoError(t, db.Change(ctx, system, now.Add(2*time.Hour), func(tx *store.Tx) (err error) {
			n, err = tx.DropForecasts(queue, list)
			return err
		}))
		return n
	}
	assert.EqualValues(t, 1, drop("a/pre", "free", "layered", "locked", "planned", "unused-b"))
	assert.Zero(t, drop("a/pre"))
	assert.Equal(t, []ids.Forecast{"unused-a", "unused-b"}, names(system.User))
	for id, there := range map[ids.Forecast]bool{"free": false, "layered": true, "locked": true, "planned": true, "late": true} {
		_, err := view.Forecast(ctx, id)
		assert.Equal(t, there, err == nil, id)
	}
}

func testLocks(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	first, err := view.Lock(ctx, "k-a")
	require.NoError(t, err)
	assert.Equal(t, nowStored, first.At)
	assert.InDelta(t, 12.35, first.Contacts, 1e-12)
	assert.Len(t, first.SHA256, 64)
	assert.Equal(t, []ids.Layer{"l-a"}, first.Layers)
	assert.Equal(t, []ids.Lock{}, first.Supersedes)
	assert.Equal(t, calendar.Dates{From: date("2026-11-02"), Until: date("2026-11-04")}, first.Dates)
	assert.Equal(t, date("2026-10-25"), first.AgreedOn)
	assert.Len(t, first.Curve.Points, 2)
	assert.Len(t, first.Days, 1)

	add := func(l store.Lock) (kept store.Lock, err error) {
		err = db.Change(ctx, system, now.Add(time.Hour), func(tx *store.Tx) (err error) {
			kept, err = tx.AddLock(l)
			return err
		})
		return kept, err
	}
	next := lock("k2", "a", "2026-11-03", "2026-11-10")
	_, err = add(next)
	require.Equal(t, "store.invalid", fault.CodeOf(err), "locked days are locked anew only with a reason")
	next.Reason = "客户加了一场直播"
	kept, err := add(next)
	require.NoError(t, err)
	assert.Equal(t, []ids.Lock{"k-a"}, kept.Supersedes)
	beside := lock("k3", "a", "2026-11-10", "2026-11-11")
	beside.AgreedOn = beside.Dates.From
	kept, err = add(beside)
	require.NoError(t, err, "half-open: the days before it end there")
	assert.Equal(t, beside.Dates.From, kept.AgreedOn)

	list, _, err := view.Locks(ctx, store.LockFilter{Queue: "a/pre", Dates: calendar.Dates{From: date("2026-11-03"), Until: date("2026-11-04")}}, store.Page{})
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.EqualValues(t, "k2", list[0].ID, "newest first")
	assert.Empty(t, list[0].Curve.Points)
	again, err := view.Lock(ctx, "k-a")
	require.NoError(t, err)
	assert.Equal(t, first, again, "what was agreed does not change")

	_, err = add(store.Lock{ID: "x", Queue: "a/pre", Curve: curve("a/pre")})
	assert.Len(t, fault.Of(err).Fields, 2, "dates, agreed_on")
	bad := lock("x", "a", "2026-12-01", "2026-12-02")
	bad.Forecast = "nowhere"
	_, err = add(bad)
	codeIs(t, err, store.ErrReference)
	bad.Queue = "nowhere"
	_, err = add(bad)
	codeIs(t, err, store.ErrReference)
}

func testClientForecasts(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	var second store.ClientForecast
	require.NoError(t, db.Change(ctx, system, now.Add(time.Hour), func(tx *store.Tx) (err error) {
		second, err = tx.AddClientForecast(clientForecast("c2", "a"))
		return err
	}))
	assert.Equal(t, 2, second.Version)
	assert.Equal(t, calendar.Range{Start: hour(9).UTC(), End: hour(11).UTC()}, second.Range)
	assert.Equal(t, 2, second.Points)
	assert.InDelta(t, 12.35, second.Contacts, 1e-12)
	assert.Equal(t, hour(0).UTC(), second.StatedAt)
	got, err := view.ClientForecast(ctx, "c2")
	require.NoError(t, err)
	assert.Equal(t, second, got)
	list, _, err := view.ClientForecasts(ctx, store.ForecastFilter{Queue: "a/pre"}, store.Page{})
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, []int{2, 1}, []int{list[0].Version, list[1].Version})
	assert.Empty(t, list[0].Curve.Points)
	bad := clientForecast("x", "a")
	bad.Merchant = "b"
	codeIs(t, db.Change(ctx, system, now, func(tx *store.Tx) error { _, err := tx.AddClientForecast(bad); return err }), store.ErrConflict)
}

func testAccuracy(t *testing.T, db *store.DB) {
	ctx := t.Context()
	put := func(all ...store.ForecastAccuracy) (result store.PutResult) {
		t.Helper()
		require.NoError(t, db.Change(ctx, system, now.Add(time.Hour), func(tx *store.Tx) (err error) {
			result, err = tx.PutForecastAccuracy(all)
			return err
		}))
		return result
	}
	assert.Equal(t, store.PutResult{Unchanged: 1}, put(accuracy("a", "2026-11-01", true)))
	assert.Equal(t, store.PutResult{Added: 1, Changed: 1}, put(accuracy("a", "2026-11-02", true), accuracy("a", "2026-11-01", false)))
	rows, _, err := db.In(everything).ForecastAccuracies(ctx, store.AccuracyFilter{Queue: "a/pre"}, store.Page{})
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.Equal(t, date("2026-11-02"), rows[0].Date)
	want := accuracy("a", "2026-11-01", false)
	want.Merchant, want.At, want.SHA256 = "a", nowStored.Add(time.Hour), rows[1].SHA256
	assert.Equal(t, want, rows[1])
	rows, _, err = db.In(everything).ForecastAccuracies(ctx, store.AccuracyFilter{Drifting: true, Merchant: "a"}, store.Page{})
	require.NoError(t, err)
	assert.Len(t, rows, 1)
}

func testBacktests(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	got, err := view.Backtest(ctx, "t-a")
	require.NoError(t, err)
	assert.Equal(t, hour(9).UTC(), got.Origins[0].Origin)
	assert.Len(t, got.Origins[0].Points, 2)
	assert.JSONEq(t, `{"step": "12h"}`, string(got.Protocol))
	assert.Equal(t, nowStored, got.CreatedAt)
	list, _, err := view.Backtests(ctx, store.ForecastFilter{Merchant: "a"}, store.Page{})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Empty(t, list[0].Origins)
	codeIs(t, db.Change(ctx, system, now, func(tx *store.Tx) error { _, err := tx.AddBacktest(backtest("t-a", "a")); return err }), store.ErrConflict)
}
