package operations_test

import (
	"context"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// forecastCases are the use cases about what happens to a forecast after it was made.
func forecastCases() map[string]useCase {
	const read, write, jobs = "APS", "APS", "AP"
	type who = access.Principal
	of := func(m ids.Merchant) owner { return owner{merchant: m} }
	ofAdjusted := func(f planning.AdjustedForecast) owner { return of(f.Forecast.Merchant) }
	ofLayer := func(l store.Layer) owner { return of(l.Merchant) }
	ofLock := func(l store.Lock) owner { return of(l.Merchant) }
	ofClient := func(f store.ClientForecast) owner { return of(f.Merchant) }
	ofTest := func(b store.Backtest) owner { return of(b.Merchant) }
	week := calendar.Dates{From: today, Until: today.Add(7)}
	return map[string]useCase{
		"Planning.Adjust": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.Adjust(ctx, p, planning.AdjustInput{Forecast: "nothing"}))
		}},
		"Planning.Withdraw": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.Withdraw(ctx, p, "nothing", "reason"))
		}},
		"Planning.Layers": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Planning.Layers(ctx, p, store.LayerFilter{}, operations.Page{})
			return list(rows, next, err, ofLayer)
		}},
		"Planning.Adjusted": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return each(func(id ids.Forecast) (planning.AdjustedForecast, error) { return w.Planning.Adjusted(ctx, p, id) }, ofAdjusted, "f-lumi", "f-orca")
		}},
		"Planning.LockForecast": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.LockForecast(ctx, p, planning.LockInput{}))
		}},
		"Planning.Locks": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Planning.Locks(ctx, p, store.LockFilter{}, operations.Page{})
			return list(rows, next, err, ofLock)
		}},
		"Planning.Lock": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return each(func(id ids.Lock) (store.Lock, error) { return w.Planning.Lock(ctx, p, id) }, ofLock, "k-lumi", "k-orca")
		}},
		"Planning.ImportClientForecast": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.ImportClientForecast(ctx, p, planning.ClientForecastInput{Source: operationstest.FileOf("empty.csv", "")}))
		}},
		"Planning.ClientForecasts": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Planning.ClientForecasts(ctx, p, operations.ForecastFilter{}, operations.Page{})
			return list(rows, next, err, ofClient)
		}},
		"Planning.ClientForecast": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return each(func(id ids.ClientForecast) (store.ClientForecast, error) {
				return w.Planning.ClientForecast(ctx, p, id)
			}, ofClient, "c-lumi", "c-orca")
		}},
		"Planning.CompareForecasts": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.CompareForecasts(ctx, p, planning.CompareInput{Queue: "lumi-tmall/pre", Dates: week}))
		}},
		"Planning.DrawForecast": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.DrawForecast(ctx, p, "f-lumi"))
		}},
		"Planning.MeasureAccuracy": {read, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.MeasureAccuracy(ctx, p, planning.AccuracyInput{Queue: "lumi-tmall/pre", Dates: week}))
		}},
		"Planning.ForecastAccuracies": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Planning.ForecastAccuracies(ctx, p, store.AccuracyFilter{}, operations.Page{})
			return list(rows, next, err, func(a store.ForecastAccuracy) owner { return of(a.Merchant) })
		}},
		"Planning.Backtest": {write, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.Backtest(ctx, p, planning.BacktestInput{}))
		}},
		"Planning.Backtests": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			rows, next, err := w.Planning.Backtests(ctx, p, operations.ForecastFilter{}, operations.Page{})
			return list(rows, next, err, ofTest)
		}},
		"Planning.KeptBacktest": {read, "merchants", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return each(func(id ids.Backtest) (store.Backtest, error) { return w.Planning.KeptBacktest(ctx, p, id) }, ofTest, "b-lumi", "b-orca")
		}},
		"Planning.RefreshForecasts": {jobs, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.RefreshForecasts(ctx, p, w.Clock))
		}},
		"Planning.MeasureForecasts": {jobs, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.MeasureForecasts(ctx, p, w.Clock))
		}},
		"Planning.TellDrift": {jobs, "", func(ctx context.Context, w *world, p who) ([]owner, error) {
			return only(w.Planning.TellDrift(ctx, p, w.Clock))
		}},
	}
}

// plantForecasting gives a merchant with a planted forecast one of everything around it.
func plantForecasting(tx *store.Tx, m ids.Merchant) error {
	queue := map[ids.Merchant]ids.Queue{"lumi": "lumi-tmall/pre", "orca": "orca-jd/pre"}[m]
	day := calendar.Day(today, shanghai)
	curve := scheduling.Curve{Queue: queue, Slot: 24 * time.Hour, Points: []scheduling.Point{{Start: day.Start, Mean: 1}}}
	layer := forecast.Layer{ID: ids.Layer("l-" + m), Kind: forecast.LayerPercent, Amount: 1, Target: forecast.Target{Range: day}, Spans: []calendar.Range{day}, Reason: "test"}
	if _, err := tx.AddLayer(ids.Forecast("f-"+m), layer); err != nil {
		return err
	}
	lock := store.Lock{ID: ids.Lock("k-" + m), Queue: queue, Forecast: ids.Forecast("f-" + m), Dates: calendar.Dates{From: today, Until: today.Add(1)}, AgreedOn: today, Curve: curve}
	if _, err := tx.AddLock(lock); err != nil {
		return err
	}
	if _, err := tx.AddClientForecast(store.ClientForecast{ID: ids.ClientForecast("c-" + m), Queue: queue, Curve: curve}); err != nil {
		return err
	}
	if _, err := tx.PutForecastAccuracy([]store.ForecastAccuracy{{Queue: queue, Date: today}}); err != nil {
		return err
	}
	_, err := tx.AddBacktest(store.Backtest{ID: ids.Backtest("b-" + m), Queue: queue, Range: day})
	return err
}
