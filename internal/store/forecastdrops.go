package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// ForecastRef names a forecast without its figures and curve.
type ForecastRef struct {
	ID        ids.Forecast
	Queue     ids.Queue
	Merchant  ids.Merchant
	Range     calendar.Range
	CreatedAt time.Time
}

// unused holds for a forecast that nothing else in the store refers to by a key of its own.
const unused = `NOT EXISTS (SELECT 1 FROM forecast_layers AS l WHERE l.forecast = t.id)
 AND NOT EXISTS (SELECT 1 FROM forecast_locks AS k WHERE k.forecast = t.id)
 AND NOT EXISTS (SELECT 1 FROM plans AS p WHERE p.forecast = t.id)`

// UnusedForecasts lists the forecasts that an author made before an instant and that were never adjusted,
// locked or made the first of a plan, by queue, oldest first. A plan may use further ones: its
// figures say which.
func (v *View) UnusedForecasts(ctx context.Context, author ids.User, before time.Time) ([]ForecastRef, error) {
	var rows []forecastRow
	err := v.ofMerchants(&rows, "merchant").Column("id", "queue", "merchant", "start_at", "end_at", "created_at").
		Where("author = ? AND created_at < ?", string(author), micros(before)).Where(unused).
		OrderExpr("queue, created_at, id").Scan(ctx)
	if err != nil {
		return nil, translate(err)
	}
	list := make([]ForecastRef, len(rows))
	for i, r := range rows {
		list[i] = ForecastRef{
			ID: ids.Forecast(r.ID), Queue: ids.Queue(r.Queue), Merchant: ids.Merchant(r.Merchant),
			Range: calendar.Range{Start: instant(r.StartAt), End: instant(r.EndAt)}, CreatedAt: instant(r.CreatedAt),
		}
	}
	return list, nil
}

// DropForecasts deletes forecasts of one queue and returns how many; one that was adjusted, locked or planned
// with meanwhile stays. The audit row keeps their names.
func (tx *Tx) DropForecasts(queue ids.Queue, list []ids.Forecast) (int64, error) {
	merchant, err := tx.merchantOf(queue, "")
	if err != nil || len(list) == 0 {
		return 0, err
	}
	result, err := tx.q.NewDelete().Model((*forecastRow)(nil)).
		Where("queue = ? AND id IN (?)", string(queue), bun.List(list)).Where(unused).Exec(tx.ctx)
	if err != nil {
		return 0, translate(err)
	}
	n, err := result.RowsAffected()
	if err != nil || n == 0 {
		return 0, translate(err)
	}
	return n, tx.note("forecast.drop", "queue", string(queue), merchant, struct {
		Dropped   int64          `json:"dropped"`
		Forecasts []ids.Forecast `json:"forecasts"`
	}{n, list})
}
