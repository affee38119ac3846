package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// ConversionState is how settled a conversion figure is.
type ConversionState string

// The states, in the order in which a figure goes through them.
const (
	Provisional ConversionState = "provisional" // buyers can still order
	Final       ConversionState = "final"       // the closing days are over
	Amended     ConversionState = "amended"     // data came late, after it was final
)

// Conversion is a conversion figure of one shop and business day as it was at a moment. Every
// figure is kept: revision 0 is the first one, and the one with the highest revision counts now.
type Conversion struct {
	Merchant    ids.Merchant    `json:"merchant"`
	Shop        ids.Shop        `json:"shop"`
	Date        calendar.Date   `json:"date"` // of the inquiries
	Metric      kpi.Metric      `json:"metric"`
	Version     string          `json:"version"`
	Revision    int             `json:"revision"`
	State       ConversionState `json:"state"`
	AsOf        calendar.Date   `json:"as_of"` // the business day before which everything was over when it was computed
	At          time.Time       `json:"at"`
	Numerator   float64         `json:"numerator"`
	Denominator float64         `json:"denominator"`
	Value       *float64        `json:"value"`
}

type conversionRow struct {
	bun.BaseModel `bun:"table:conversions,alias:t"`
	Merchant      string `bun:",pk"`
	Shop          string `bun:",pk"`
	Day           string `bun:",pk"`
	Metric        string `bun:",pk"`
	Revision      int    `bun:",pk"`
	Version       string
	State         string
	AsOf          string
	At            int64
	Numerator     float64
	Denominator   float64
}

func (r conversionRow) value() (Conversion, error) {
	c := Conversion{
		Merchant: ids.Merchant(r.Merchant), Shop: ids.Shop(r.Shop), Metric: kpi.Metric(r.Metric), Version: r.Version, Revision: r.Revision,
		State: ConversionState(r.State), At: instant(r.At), Numerator: r.Numerator, Denominator: r.Denominator,
	}
	if r.Denominator > 0 {
		v := r.Numerator / r.Denominator
		c.Value = &v
	}
	var err error
	if c.Date, err = calendar.ParseDate(r.Day); err != nil {
		return c, err
	}
	c.AsOf, err = calendar.ParseDate(r.AsOf)
	return c, err
}

// ConversionFilter narrows a list of conversion figures; empty fields do not.
type ConversionFilter struct {
	Merchant ids.Merchant
	Shop     ids.Shop
	Metric   kpi.Metric
	State    ConversionState
	Dates    calendar.Dates // of the inquiries; a zero From or Until is open
}

// Conversions lists conversion figures with all their revisions, newest day first, the newest
// revision of a figure before the older ones.
func (v *View) Conversions(ctx context.Context, f ConversionFilter, p Page) ([]Conversion, string, error) {
	var rows []conversionRow
	q := whereText(whereText(v.ofMerchants(&rows, "merchant"), "merchant", string(f.Merchant)), "shop", string(f.Shop))
	q = whereDays(whereText(whereText(q, "metric", string(f.Metric)), "state", string(f.State)), f.Dates)
	next, err := listPage(ctx, q, p, order{"conversions", []string{"day", "merchant", "shop", "metric", "revision"}, true}, &rows,
		func(r conversionRow) []any { return []any{r.Day, r.Merchant, r.Shop, r.Metric, int64(r.Revision)} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, conversionRow.value)
	return list, next, err
}

// whereDays narrows to rows whose day lies in a period; a zero From or Until is open.
func whereDays(q *bun.SelectQuery, d calendar.Dates) *bun.SelectQuery {
	if !d.From.IsZero() {
		q = q.Where("day >= ?", d.From.String())
	}
	if !d.Until.IsZero() {
		q = q.Where("day < ?", d.Until.String())
	}
	return q
}

// AddConversions appends figures, whose revisions the caller has numbered on from those it read in
// the same change; At is that of the change. ErrConflict when a revision is there.
func (tx *Tx) AddConversions(figures []Conversion) error {
	if len(figures) == 0 {
		return nil
	}
	rows := make([]conversionRow, len(figures))
	states := map[ConversionState]int{}
	for i, c := range figures {
		states[c.State]++
		rows[i] = conversionRow{
			Merchant: clean(string(c.Merchant)), Shop: clean(string(c.Shop)), Day: c.Date.String(), Metric: clean(string(c.Metric)), Revision: c.Revision,
			Version: clean(c.Version), State: string(c.State), AsOf: c.AsOf.String(), At: micros(tx.now), Numerator: c.Numerator, Denominator: c.Denominator,
		}
	}
	if err := insertMany(tx, rows); err != nil {
		return err
	}
	for _, c := range figures {
		if c.State != Amended {
			continue
		}
		if err := tx.note("conversion.amend", "conversion", string(c.Shop)+"/"+c.Date.String()+"/"+string(c.Metric), c.Merchant, c); err != nil {
			return err
		}
	}
	return tx.note("conversions.add", "conversions", figures[0].AsOf.String(), "", states)
}
