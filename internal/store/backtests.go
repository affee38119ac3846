package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Backtest is one stored back-test of a queue: what we would have said at each origin.
type Backtest struct {
	ID        ids.Backtest     `json:"id"`
	Queue     ids.Queue        `json:"queue"`
	Merchant  ids.Merchant     `json:"merchant"` // of the queue; filled in when empty
	Range     calendar.Range   `json:"range"`    // from the first origin to the end of the last horizon
	CreatedAt time.Time        `json:"created_at"`
	Author    ids.User         `json:"author"`
	InputHash string           `json:"input_hash"`
	Model     string           `json:"model"`
	Protocol  json.RawMessage  `json:"protocol,omitempty"`
	Figures   json.RawMessage  `json:"figures,omitempty"` // scores, ours and the naives'
	SHA256    string           `json:"sha256"`            // of the origins' document
	Origins   []BacktestOrigin `json:"origins,omitempty"` // empty in lists
}

// BacktestOrigin is the forecast of one origin.
type BacktestOrigin struct {
	Origin time.Time          `json:"origin"`
	Points []scheduling.Point `json:"points"`
}

type backtestRow struct {
	bun.BaseModel `bun:"table:backtests,alias:t"`
	ID            string `bun:",pk"`
	Queue         string
	Merchant      string
	StartAt       int64
	EndAt         int64
	CreatedAt     int64
	Author        string
	InputHash     string
	Model         string
	Protocol      string
	Figures       string
	SHA256        string `bun:"sha256"`
	Body          []byte
}

func (r backtestRow) value() (Backtest, error) {
	b := Backtest{
		ID: ids.Backtest(r.ID), Queue: ids.Queue(r.Queue), Merchant: ids.Merchant(r.Merchant),
		Range: calendar.Range{Start: instant(r.StartAt), End: instant(r.EndAt)}, CreatedAt: instant(r.CreatedAt), Author: ids.User(r.Author),
		InputHash: r.InputHash, Model: r.Model, Protocol: json.RawMessage(r.Protocol), Figures: json.RawMessage(r.Figures), SHA256: r.SHA256,
	}
	var err error
	if r.Body != nil {
		b.Origins, err = unpack[[]BacktestOrigin](r.Body)
	}
	return b, err
}

// Backtests lists back-tests, newest first, without their forecasts.
func (v *View) Backtests(ctx context.Context, f ForecastFilter, p Page) ([]Backtest, string, error) {
	var rows []backtestRow
	q := whereText(v.ofMerchants(&rows, "merchant").ExcludeColumn("body"), "merchant", string(f.Merchant))
	q = whereOverlaps(whereText(q, "queue", string(f.Queue)), f.Range)
	next, err := listPage(ctx, q, p, order{"backtests", []string{"created_at", "id"}, true}, &rows,
		func(r backtestRow) []any { return []any{r.CreatedAt, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, backtestRow.value)
	return list, next, err
}

// Backtest reads one back-test with its forecasts.
func (v *View) Backtest(ctx context.Context, id ids.Backtest) (Backtest, error) {
	var row backtestRow
	if err := v.ofMerchants(&row, "merchant").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Backtest{}, found(err, "back-test", string(id))
	}
	return row.value()
}

// AddBacktest adds a back-test and returns it; CreatedAt, Author and SHA256 are filled in. It is
// never changed. ErrReference when the queue is unknown.
func (tx *Tx) AddBacktest(b Backtest) (Backtest, error) {
	merchant, err := tx.merchantOf(b.Queue, b.Merchant)
	if err != nil {
		return Backtest{}, err
	}
	body, sum, err := packDocument(b.Origins)
	if err != nil {
		return Backtest{}, err
	}
	protocol, err := rawOrNull(b.Protocol, "protocol")
	if err != nil {
		return Backtest{}, err
	}
	figures, err := rawOrNull(b.Figures, "figures")
	if err != nil {
		return Backtest{}, err
	}
	row := backtestRow{
		ID: clean(string(b.ID)), Queue: string(b.Queue), Merchant: string(merchant), StartAt: micros(b.Range.Start), EndAt: micros(b.Range.End),
		CreatedAt: micros(tx.now), Author: string(tx.actor.User), InputHash: clean(b.InputHash), Model: clean(b.Model),
		Protocol: protocol, Figures: figures, SHA256: sum, Body: body,
	}
	if err := tx.insertNamed(&row, "back-test", row.ID); err != nil {
		return Backtest{}, err
	}
	added, err := row.value()
	if err != nil {
		return Backtest{}, err
	}
	return added, tx.note("backtest.add", "backtest", row.ID, merchant, struct {
		Queue    ids.Queue       `json:"queue"`
		Protocol json.RawMessage `json:"protocol"`
		SHA256   string          `json:"sha256"`
	}{b.Queue, json.RawMessage(protocol), sum})
}
