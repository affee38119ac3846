package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// ForecastAccuracy is how good the forecasts of a queue were, as measured on a day.
type ForecastAccuracy struct {
	Queue    ids.Queue               `json:"queue"`
	Merchant ids.Merchant            `json:"merchant"` // of the queue; filled in when empty
	Date     calendar.Date           `json:"date"`     // on whose beginning it was measured
	At       time.Time               `json:"at"`
	Judged   calendar.Dates          `json:"judged"` // days whose actuals were compared
	Slots    []forecast.LeadAccuracy `json:"slots"`  // by slot
	Days     []forecast.LeadAccuracy `json:"days"`   // by day
	Drift    *forecast.Drift         `json:"drift,omitempty"`
	SHA256   string                  `json:"sha256"`
}

// accuracyBody is the part that is kept as a document.
type accuracyBody struct {
	Judged calendar.Dates          `json:"judged"`
	Slots  []forecast.LeadAccuracy `json:"slots"`
	Days   []forecast.LeadAccuracy `json:"days"`
	Drift  *forecast.Drift         `json:"drift,omitempty"`
}

type accuracyRow struct {
	bun.BaseModel `bun:"table:forecast_accuracy,alias:t"`
	Queue         string `bun:",pk"`
	Day           string `bun:",pk"`
	Merchant      string
	At            int64
	Drifting      bool
	SHA256        string `bun:"sha256"`
	Body          []byte
}

func (r accuracyRow) value() (ForecastAccuracy, error) {
	date, err := calendar.ParseDate(r.Day)
	if err != nil {
		return ForecastAccuracy{}, err
	}
	body, err := unpack[accuracyBody](r.Body)
	return ForecastAccuracy{
		Queue: ids.Queue(r.Queue), Merchant: ids.Merchant(r.Merchant), Date: date, At: instant(r.At),
		Judged: body.Judged, Slots: body.Slots, Days: body.Days, Drift: body.Drift, SHA256: r.SHA256,
	}, err
}

// AccuracyFilter narrows a list of accuracy records; empty fields do not.
type AccuracyFilter struct {
	Merchant ids.Merchant
	Queue    ids.Queue
	Dates    calendar.Dates // a zero From or Until is open
	Drifting bool           // only those that found drift
}

// ForecastAccuracies lists accuracy records, newest day first.
func (v *View) ForecastAccuracies(ctx context.Context, f AccuracyFilter, p Page) ([]ForecastAccuracy, string, error) {
	var rows []accuracyRow
	q := whereText(whereText(v.ofMerchants(&rows, "merchant"), "merchant", string(f.Merchant)), "queue", string(f.Queue))
	if f.Drifting {
		q = q.Where("drifting = ?", true)
	}
	next, err := listPage(ctx, whereDays(q, f.Dates), p, order{"forecast_accuracy", []string{"day", "queue"}, true}, &rows,
		func(r accuracyRow) []any { return []any{r.Day, r.Queue} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, accuracyRow.value)
	return list, next, err
}

// PutForecastAccuracy replaces the records of the days they name; At is that of the change. A
// record that came out as before changes nothing. ErrReference when a queue is unknown.
func (tx *Tx) PutForecastAccuracy(all []ForecastAccuracy) (PutResult, error) {
	var result PutResult
	for _, a := range all {
		merchant, err := tx.merchantOf(a.Queue, a.Merchant)
		if err != nil {
			return result, err
		}
		body, sum, err := packDocument(accuracyBody{a.Judged, a.Slots, a.Days, a.Drift})
		if err != nil {
			return result, err
		}
		row := accuracyRow{
			Queue: string(a.Queue), Day: a.Date.String(), Merchant: string(merchant), At: micros(tx.now),
			Drifting: a.Drift != nil && len(a.Drift.Findings) > 0, SHA256: sum, Body: body,
		}
		var old []accuracyRow
		if err := tx.q.NewSelect().Model(&old).ExcludeColumn("body").Where("queue = ? AND day = ?", row.Queue, row.Day).Scan(tx.ctx); err != nil {
			return result, translate(err)
		}
		switch {
		case len(old) == 0:
			result.Added++
		case old[0].SHA256 == sum:
			result.Unchanged++
			continue
		default:
			result.Changed++
		}
		if err := tx.write(&row, len(old) == 1); err != nil {
			return result, err
		}
	}
	if result.Added+result.Changed == 0 {
		return result, nil
	}
	return result, tx.note("forecast.accuracy", "forecast_accuracy", all[0].Date.String(), "", result)
}
