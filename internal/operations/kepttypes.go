package operations

import (
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// What is kept about figures, as types.go passes the rest through.
type (
	ScorePart  = store.ScorePart
	KeptCard   = store.MonthCard
	Freeze     = store.Freeze
	Alert      = store.Alert
	AlertState = store.AlertState

	Conversion           = store.Conversion
	ConversionFilter     = store.ConversionFilter
	ConversionState      = store.ConversionState
	Reconciliation       = store.Reconciliation
	ReconciliationFilter = store.ReconciliationFilter

	Hold     = warehouse.Hold
	Deletion = warehouse.Deletion
)

// What is kept about forecasts.
type (
	ForecastLayer = store.Layer
	LayerFilter   = store.LayerFilter

	ForecastLock = store.Lock
	LockFilter   = store.LockFilter

	ClientForecast = store.ClientForecast

	ForecastAccuracy = store.ForecastAccuracy
	AccuracyFilter   = store.AccuracyFilter

	ForecastBacktest = store.Backtest
)
