package store

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Forecast is one immutable forecast of one queue.
type Forecast struct {
	ID        ids.Forecast     `json:"id"`
	Queue     ids.Queue        `json:"queue"`
	Merchant  ids.Merchant     `json:"merchant"` // of the queue; filled in when empty
	Range     calendar.Range   `json:"range"`    // of the slots it covers
	CreatedAt time.Time        `json:"created_at"`
	Author    ids.User         `json:"author"`
	InputHash string           `json:"input_hash"` // digest of history, calendar and options
	Model     string           `json:"model"`      // name and version of the model
	Seed      uint64           `json:"seed"`
	Figures   json.RawMessage  `json:"figures,omitempty"` // accuracy and whatever explains it
	SHA256    string           `json:"sha256"`            // of the curve's document
	Curve     scheduling.Curve `json:"curve,omitzero"`    // empty in lists
}

type forecastRow struct {
	bun.BaseModel `bun:"table:forecasts,alias:t"`
	ID            string `bun:",pk"`
	Queue         string
	Merchant      string
	StartAt       int64
	EndAt         int64
	CreatedAt     int64
	Author        string
	InputHash     string
	Model         string
	Seed          string
	Figures       string
	SHA256        string `bun:"sha256"`
	Body          []byte
}

func (r forecastRow) value() (Forecast, error) {
	f := Forecast{
		ID: ids.Forecast(r.ID), Queue: ids.Queue(r.Queue), Merchant: ids.Merchant(r.Merchant),
		Range: calendar.Range{Start: instant(r.StartAt), End: instant(r.EndAt)}, CreatedAt: instant(r.CreatedAt),
		Author: ids.User(r.Author), InputHash: r.InputHash, Model: r.Model, Figures: json.RawMessage(r.Figures), SHA256: r.SHA256,
	}
	seed, err := strconv.ParseUint(r.Seed, 10, 64)
	if err != nil {
		return f, translate(err)
	}
	f.Seed = seed
	if r.Body != nil {
		f.Curve, err = unpack[scheduling.Curve](r.Body)
	}
	return f, err
}

// ForecastFilter narrows a list of forecasts or plans; empty fields do not.
type ForecastFilter struct {
	Merchant ids.Merchant
	Queue    ids.Queue
	Range    calendar.Range // covers a part of the range
}

// Forecasts lists forecasts, newest first, without their curves.
func (v *View) Forecasts(ctx context.Context, f ForecastFilter, p Page) ([]Forecast, string, error) {
	var rows []forecastRow
	q := whereText(v.ofMerchants(&rows, "merchant").ExcludeColumn("body"), "merchant", string(f.Merchant))
	q = whereOverlaps(whereText(q, "queue", string(f.Queue)), f.Range)
	next, err := listPage(ctx, q, p, order{"forecasts", []string{"created_at", "id"}, true}, &rows,
		func(r forecastRow) []any { return []any{r.CreatedAt, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, forecastRow.value)
	return list, next, err
}

// Forecast reads one forecast with its curve.
func (v *View) Forecast(ctx context.Context, id ids.Forecast) (Forecast, error) {
	var row forecastRow
	if err := v.ofMerchants(&row, "merchant").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Forecast{}, found(err, "forecast", string(id))
	}
	return row.value()
}

// LatestForecast reads the newest forecast of a queue that covers the whole range, with its curve.
func (v *View) LatestForecast(ctx context.Context, queue ids.Queue, r calendar.Range) (Forecast, error) {
	var row forecastRow
	err := v.ofMerchants(&row, "merchant").
		Where("queue = ? AND start_at <= ? AND end_at >= ?", clean(string(queue)), micros(r.Start), micros(r.End)).
		OrderExpr("created_at DESC, id DESC").Limit(1).Scan(ctx)
	if err != nil {
		return Forecast{}, found(err, "forecast of the queue", string(queue))
	}
	return row.value()
}

// AddForecast adds a forecast; CreatedAt and Author are those of the change. A forecast is never
// changed. ErrReference when the queue is unknown, ErrConflict when it belongs to another merchant.
func (tx *Tx) AddForecast(f Forecast) error {
	merchant, err := tx.merchantOf(f.Queue, f.Merchant)
	if err != nil {
		return err
	}
	if err := f.Curve.Validate(); err != nil {
		return err
	}
	body, sum, err := packDocument(f.Curve)
	if err != nil {
		return err
	}
	figures, err := rawOrNull(f.Figures, "figures")
	if err != nil {
		return err
	}
	row := forecastRow{
		ID: string(f.ID), Queue: string(f.Queue), Merchant: string(merchant), StartAt: micros(f.Range.Start), EndAt: micros(f.Range.End),
		CreatedAt: micros(tx.now), Author: string(tx.actor.User), InputHash: clean(f.InputHash), Model: clean(f.Model),
		Seed: strconv.FormatUint(f.Seed, 10), Figures: figures, SHA256: sum, Body: body,
	}
	if err := tx.insertNamed(&row, "forecast", row.ID); err != nil {
		return err
	}
	return tx.note("forecast.add", "forecast", row.ID, merchant, struct {
		Queue  ids.Queue `json:"queue"`
		Model  string    `json:"model"`
		Seed   uint64    `json:"seed"`
		Input  string    `json:"input"`
		SHA256 string    `json:"sha256"`
	}{f.Queue, f.Model, f.Seed, f.InputHash, sum})
}

// merchantOf returns the merchant of a queue and refuses another claim.
func (tx *Tx) merchantOf(queue ids.Queue, claimed ids.Merchant) (ids.Merchant, error) {
	var row queueRow
	had, err := tx.load(&row, clean(string(queue)))
	switch {
	case err != nil:
		return "", err
	case !had:
		return "", fault.New(ErrReference.Kind, ErrReference.Code, "there is no queue %q", queue)
	case claimed != "" && string(claimed) != row.Merchant:
		return "", fault.New(fault.Conflict, ErrConflict.Code, "the queue %q belongs to the merchant %q", queue, row.Merchant)
	}
	return ids.Merchant(row.Merchant), nil
}

// insertNamed inserts a row and names it when its id is taken or empty.
func (tx *Tx) insertNamed(row any, kind, id string) error {
	if id == "" {
		return fault.Bad("store.invalid", kind, []fault.Field{{Path: "id", Problem: "is empty"}})
	}
	err := tx.insert(row)
	if errors.Is(err, ErrConflict) {
		return fault.Wrap(err, fault.Conflict, ErrConflict.Code, "the %s %q exists already", kind, id)
	}
	return err
}
