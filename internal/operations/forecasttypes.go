package operations

import "github.com/chaoban/chaoban/internal/store"

// What is kept about forecasts, as the doors pass it through.
type (
	ForecastLayer    = store.Layer
	LayerFilter      = store.LayerFilter
	ForecastLock     = store.Lock
	LockFilter       = store.LockFilter
	ClientForecast   = store.ClientForecast
	ForecastAccuracy = store.ForecastAccuracy
	AccuracyFilter   = store.AccuracyFilter
	ForecastBacktest = store.Backtest
)
