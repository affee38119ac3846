package store

import (
	"context"
	"errors"
	"strings"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Layer is one adjustment over a stored forecast. Nothing of it ever changes; it can be withdrawn
// once.
type Layer struct {
	forecast.Layer
	Forecast   ids.Forecast `json:"forecast"`
	Queue      ids.Queue    `json:"queue"`
	Merchant   ids.Merchant `json:"merchant"`
	Position   int          `json:"position"` // 1, 2, 3 ... in the order of application
	AuthorName string       `json:"author_name"`
}

// maxLayers bounds the adjustments of one forecast: somebody with more wants another forecast.
const maxLayers = 500

type layerRow struct {
	bun.BaseModel `bun:"table:forecast_layers,alias:t"`
	ID            string `bun:",pk"`
	Forecast      string
	Position      int
	Queue         string
	Merchant      string
	At            int64
	Author        string
	AuthorName    string
	Doc           string
}

type withdrawalRow struct {
	bun.BaseModel `bun:"table:forecast_withdrawals,alias:t"`
	Layer         string `bun:",pk"`
	At            int64
	Author        string
	AuthorName    string
	Reason        string
}

func (r layerRow) value() (Layer, error) {
	l := Layer{Forecast: ids.Forecast(r.Forecast), Queue: ids.Queue(r.Queue), Merchant: ids.Merchant(r.Merchant), Position: r.Position, AuthorName: r.AuthorName}
	var err error
	l.Layer, err = decode[forecast.Layer](r.Doc)
	l.ID, l.Author, l.At = ids.Layer(r.ID), ids.User(r.Author), instant(r.At)
	return l, err
}

func (r withdrawalRow) value() *forecast.Withdrawal {
	return &forecast.Withdrawal{Author: ids.User(r.Author), Reason: r.Reason, At: instant(r.At)}
}

// LayerFilter narrows a list of adjustments; empty fields do not.
type LayerFilter struct {
	Merchant ids.Merchant
	Queue    ids.Queue
	Forecast ids.Forecast
}

// Layers lists adjustments by forecast, in the order of application, withdrawn ones included.
func (v *View) Layers(ctx context.Context, f LayerFilter, p Page) (list []Layer, next string, err error) {
	err = v.moment(ctx, func(v *View) error {
		var rows []layerRow
		q := whereText(whereText(v.ofMerchants(&rows, "merchant"), "merchant", string(f.Merchant)), "queue", string(f.Queue))
		var err error
		next, err = listPage(ctx, whereText(q, "forecast", string(f.Forecast)), p, order{"forecast_layers", []string{"forecast", "position"}, false}, &rows,
			func(r layerRow) []any { return []any{r.Forecast, int64(r.Position)} })
		if err != nil {
			return err
		}
		list, err = v.withWithdrawals(ctx, rows)
		return err
	})
	return list, next, err
}

// Layer reads one adjustment.
func (v *View) Layer(ctx context.Context, id ids.Layer) (l Layer, err error) {
	err = v.moment(ctx, func(v *View) error {
		var row layerRow
		if err := v.ofMerchants(&row, "merchant").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
			return found(err, "adjustment", string(id))
		}
		all, err := v.withWithdrawals(ctx, []layerRow{row})
		if err == nil {
			l = all[0]
		}
		return err
	})
	return l, err
}

// withWithdrawals turns rows that the scope may see into layers.
func (v *View) withWithdrawals(ctx context.Context, rows []layerRow) ([]Layer, error) {
	list, err := mappedOr(rows, layerRow.value)
	if err != nil || len(rows) == 0 {
		return list, err
	}
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.ID
	}
	var taken []withdrawalRow
	if err := v.q.NewSelect().Model(&taken).Where("layer IN (?)", bun.List(keys)).Scan(ctx); err != nil {
		return nil, translate(err)
	}
	by := map[ids.Layer]withdrawalRow{}
	for _, w := range taken {
		by[ids.Layer(w.Layer)] = w
	}
	for i, l := range list {
		if w, ok := by[l.ID]; ok {
			list[i].Withdrawn = w.value()
		}
	}
	return list, nil
}

// AddLayer puts an adjustment on top of those of a forecast and returns it; Author and At are
// those of the change. ErrNotFound when there is no such forecast, ErrConflict when it has 500
// adjustments or the id is taken; "forecast.layer" when it is not sound.
func (tx *Tx) AddLayer(of ids.Forecast, l forecast.Layer) (Layer, error) {
	l.Withdrawn, l.Author, l.At = nil, tx.actor.User, tx.now
	l.Reason = clean(strings.TrimSpace(l.Reason))
	if err := l.Validate(); err != nil {
		return Layer{}, err
	}
	var base forecastRow
	if err := tx.q.NewSelect().Model(&base).ExcludeColumn("body").Where("id = ?", clean(string(of))).Scan(tx.ctx); err != nil {
		return Layer{}, found(err, "forecast", string(of))
	}
	below, err := tx.q.NewSelect().Model((*layerRow)(nil)).Where("forecast = ?", base.ID).Count(tx.ctx)
	if err != nil {
		return Layer{}, translate(err)
	}
	if below >= maxLayers {
		return Layer{}, fault.New(fault.Conflict, ErrConflict.Code, "the forecast %q has %d adjustments: make a new forecast", of, below)
	}
	doc, err := encode(l)
	if err != nil {
		return Layer{}, err
	}
	row := layerRow{
		ID: clean(string(l.ID)), Forecast: base.ID, Position: int(below) + 1, Queue: base.Queue, Merchant: base.Merchant,
		At: micros(tx.now), Author: string(tx.actor.User), AuthorName: clean(tx.actor.Name), Doc: doc,
	}
	if err := tx.insertNamed(&row, "adjustment", row.ID); err != nil {
		return Layer{}, err
	}
	added, err := row.value()
	if err != nil {
		return Layer{}, err
	}
	return added, tx.note("forecast.adjust", "forecast", base.ID, added.Merchant, struct {
		Queue  ids.Queue          `json:"queue"`
		Layer  ids.Layer          `json:"layer"`
		Kind   forecast.LayerKind `json:"kind"`
		Amount float64            `json:"amount"`
		Target forecast.Target    `json:"target"`
		Reason string             `json:"reason"`
	}{added.Queue, added.ID, added.Kind, added.Amount, added.Target, added.Reason})
}

// WithdrawLayer takes an adjustment back, which stays on record. ErrNotFound when there is none,
// ErrConflict when it is withdrawn already; a reason is required.
func (tx *Tx) WithdrawLayer(id ids.Layer, reason string) (Layer, error) {
	reason = clean(strings.TrimSpace(reason))
	if reason == "" {
		return Layer{}, fault.Bad("store.invalid", "withdrawal", []fault.Field{{Path: "reason", Problem: "is empty: say why the adjustment is taken back"}})
	}
	var row layerRow
	if err := tx.q.NewSelect().Model(&row).Where("id = ?", clean(string(id))).Scan(tx.ctx); err != nil {
		return Layer{}, found(err, "adjustment", string(id))
	}
	l, err := row.value()
	if err != nil {
		return Layer{}, err
	}
	taken := withdrawalRow{Layer: row.ID, At: micros(tx.now), Author: string(tx.actor.User), AuthorName: clean(tx.actor.Name), Reason: reason}
	if err := tx.insert(&taken); err != nil {
		if errors.Is(err, ErrConflict) {
			return Layer{}, fault.Wrap(err, fault.Conflict, ErrConflict.Code, "the adjustment %q is withdrawn already", fault.Shorten(string(id)))
		}
		return Layer{}, err
	}
	l.Withdrawn = taken.value()
	return l, tx.note("forecast.withdraw", "forecast", string(l.Forecast), l.Merchant, struct {
		Queue  ids.Queue `json:"queue"`
		Layer  ids.Layer `json:"layer"`
		Reason string    `json:"reason"`
	}{l.Queue, l.ID, reason})
}
