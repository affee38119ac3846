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

// Plan is one immutable staffing requirement of one queue.
type Plan struct {
	ID          ids.Plan               `json:"id"`
	Queue       ids.Queue              `json:"queue"`
	Merchant    ids.Merchant           `json:"merchant"`           // of the queue; filled in when empty
	Forecast    ids.Forecast           `json:"forecast,omitempty"` // what it was computed from
	Range       calendar.Range         `json:"range"`
	CreatedAt   time.Time              `json:"created_at"`
	Author      ids.User               `json:"author"`
	Target      json.RawMessage        `json:"target,omitempty"` // staffing target and options
	Figures     json.RawMessage        `json:"figures,omitempty"`
	SHA256      string                 `json:"sha256"`               // of the requirement's document
	Requirement scheduling.Requirement `json:"requirement,omitzero"` // empty in lists
}

type planRow struct {
	bun.BaseModel `bun:"table:plans,alias:t"`
	ID            string `bun:",pk"`
	Queue         string
	Merchant      string
	Forecast      string `bun:",nullzero"`
	StartAt       int64
	EndAt         int64
	CreatedAt     int64
	Author        string
	Target        string
	Figures       string
	SHA256        string `bun:"sha256"`
	Body          []byte
}

func (r planRow) value() (Plan, error) {
	p := Plan{
		ID: ids.Plan(r.ID), Queue: ids.Queue(r.Queue), Merchant: ids.Merchant(r.Merchant), Forecast: ids.Forecast(r.Forecast),
		Range: calendar.Range{Start: instant(r.StartAt), End: instant(r.EndAt)}, CreatedAt: instant(r.CreatedAt),
		Author: ids.User(r.Author), Target: json.RawMessage(r.Target), Figures: json.RawMessage(r.Figures), SHA256: r.SHA256,
	}
	var err error
	if r.Body != nil {
		p.Requirement, err = unpack[scheduling.Requirement](r.Body)
	}
	return p, err
}

// Plans lists plans, newest first, without their requirements.
func (v *View) Plans(ctx context.Context, f ForecastFilter, p Page) ([]Plan, string, error) {
	var rows []planRow
	q := whereText(v.ofMerchants(&rows, "merchant").ExcludeColumn("body"), "merchant", string(f.Merchant))
	q = whereOverlaps(whereText(q, "queue", string(f.Queue)), f.Range)
	next, err := listPage(ctx, q, p, order{"plans", []string{"created_at", "id"}, true}, &rows,
		func(r planRow) []any { return []any{r.CreatedAt, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, planRow.value)
	return list, next, err
}

// Plan reads one plan with its requirement.
func (v *View) Plan(ctx context.Context, id ids.Plan) (Plan, error) {
	var row planRow
	if err := v.ofMerchants(&row, "merchant").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Plan{}, found(err, "plan", string(id))
	}
	return row.value()
}

// AddPlan adds a plan; CreatedAt and Author are those of the change. A plan is never changed.
// ErrReference when the queue or the forecast is unknown.
func (tx *Tx) AddPlan(p Plan) error {
	merchant, err := tx.merchantOf(p.Queue, p.Merchant)
	if err != nil {
		return err
	}
	body, sum, err := packDocument(p.Requirement)
	if err != nil {
		return err
	}
	target, err := rawOrNull(p.Target, "target")
	if err != nil {
		return err
	}
	figures, err := rawOrNull(p.Figures, "figures")
	if err != nil {
		return err
	}
	row := planRow{
		ID: string(p.ID), Queue: string(p.Queue), Merchant: string(merchant), Forecast: string(p.Forecast),
		StartAt: micros(p.Range.Start), EndAt: micros(p.Range.End), CreatedAt: micros(tx.now), Author: string(tx.actor.User),
		Target: target, Figures: figures, SHA256: sum, Body: body,
	}
	if err := tx.insertNamed(&row, "plan", row.ID); err != nil {
		return err
	}
	return tx.note("plan.add", "plan", row.ID, merchant, struct {
		Queue    ids.Queue       `json:"queue"`
		Forecast ids.Forecast    `json:"forecast,omitempty"`
		Target   json.RawMessage `json:"target"`
		SHA256   string          `json:"sha256"`
	}{p.Queue, p.Forecast, json.RawMessage(target), sum})
}
