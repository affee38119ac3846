package measuring

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// conversionDays is how many days before due CloseConversions computes again: a final figure that
// late data change after that stays as it is.
const conversionDays = 45

// CloseConversions keeps the conversion figures of the days before due, of every shop and every
// metric that counts inquiries (询单) under the version in force on the day. While buyers can still
// order, a figure that moved is kept as provisional, one row each time: how it moved is part of the
// answer. On the first run after its closing days it is kept as final. It does not change after
// that; late data add a row that says it was amended. rows is how many figures were kept.
func (m *Measuring) CloseConversions(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	figures, err := m.gate.Figures(who, access.RunJobs)
	if err != nil {
		return 0, err
	}
	if _, err := m.gate.Warehouse.Refresh(ctx); err != nil {
		return 0, err
	}
	today := calendar.DateOf(due, m.gate.Zone)
	days := calendar.Dates{From: today.Add(-conversionDays), Until: today}
	measured, err := m.conversionsNow(ctx, figures, days, today)
	if err != nil {
		return 0, err
	}
	err = m.gate.Store.Change(ctx, who, m.gate.Now(), func(tx *store.Tx) error {
		kept, err := store.All(func(p store.Page) ([]store.Conversion, string, error) {
			return tx.In(access.Scope{Everything: true}).Conversions(ctx, store.ConversionFilter{Dates: days}, p)
		})
		if err != nil {
			return err
		}
		fresh := conversionsToKeep(kept, measured)
		rows = int64(len(fresh))
		return tx.AddConversions(fresh)
	})
	return rows, err
}

// conversionsNow measures the figures of the days, with the state they have today.
func (m *Measuring) conversionsNow(ctx context.Context, figures warehouse.Reader, days calendar.Dates, today calendar.Date) ([]store.Conversion, error) {
	var out []store.Conversion
	for _, d := range m.gate.Definitions {
		if d.Base != kpi.BaseInquiry || d.Rule == nil {
			continue
		}
		span, some := inForce(d, days)
		if !some {
			continue
		}
		readings, err := figures.Query(ctx, kpi.Query{
			Metrics: []kpi.Metric{d.Metric}, Version: d.Version, By: []kpi.Dimension{kpi.ByMerchant, kpi.ByShop}, Grain: kpi.Day,
			Range: calendar.Range{Start: span.From.In(m.gate.Zone), End: span.Until.In(m.gate.Zone)},
		})
		if err != nil {
			return nil, err
		}
		for _, r := range readings {
			if r.Value == nil || r.Shop == "" {
				continue
			}
			date := calendar.DateOf(r.Start, m.gate.Zone)
			state := store.Provisional
			if date.Add(d.Rule.CloseDays).Before(today) {
				state = store.Final
			}
			out = append(out, store.Conversion{
				Merchant: r.Merchant, Shop: r.Shop, Date: date, Metric: r.Metric, Version: r.Version, State: state, AsOf: today,
				Numerator: r.Numerator, Denominator: r.Denominator,
			})
		}
	}
	slices.SortFunc(out, func(a, b store.Conversion) int {
		return cmp.Or(a.Date.Sub(b.Date), cmp.Compare(a.Merchant, b.Merchant), cmp.Compare(a.Shop, b.Shop), cmp.Compare(a.Metric, b.Metric))
	})
	return out, nil
}

// inForce is the part of a period in which a definition is effective; false when there is none.
func inForce(d kpi.Definition, days calendar.Dates) (calendar.Dates, bool) {
	if d.Effective.From.After(days.From) {
		days.From = d.Effective.From
	}
	if until := d.Effective.Until; !until.IsZero() && until.Before(days.Until) {
		days.Until = until
	}
	return days, days.From.Before(days.Until)
}

// conversionsToKeep are the figures that say something new beside those that are kept.
func conversionsToKeep(kept, measured []store.Conversion) []store.Conversion {
	type key struct {
		merchant ids.Merchant
		shop     ids.Shop
		date     calendar.Date
		metric   kpi.Metric
	}
	newest := map[key]store.Conversion{}
	for _, c := range kept {
		at := key{c.Merchant, c.Shop, c.Date, c.Metric}
		if was, had := newest[at]; !had || c.Revision > was.Revision {
			newest[at] = c
		}
	}
	var fresh []store.Conversion
	for _, c := range measured {
		was, had := newest[key{c.Merchant, c.Shop, c.Date, c.Metric}]
		closed := was.State == store.Final || was.State == store.Amended
		same := was.Numerator == c.Numerator && was.Denominator == c.Denominator && was.Version == c.Version
		switch {
		case !had:
		case closed && same, !closed && c.State == store.Provisional && same:
			continue
		case closed:
			c.State, c.Revision = store.Amended, was.Revision+1
		default:
			c.Revision = was.Revision + 1
		}
		fresh = append(fresh, c)
	}
	return fresh
}

// Conversions lists conversion figures with how they moved, newest day first and of a figure the
// newest state first.
func (m *Measuring) Conversions(ctx context.Context, who access.Principal, f store.ConversionFilter, p store.Page) ([]store.Conversion, string, error) {
	view, scope, err := m.gate.Read(who, access.ReadKPI)
	if err != nil {
		return nil, "", err
	}
	if err := m.gate.Named(ctx, scope, gate.Names{Merchants: gate.One(f.Merchant), Shops: gate.One(f.Shop)}); err != nil {
		return nil, "", err
	}
	if f.Metric != "" {
		if _, err := m.Metric(ctx, who, f.Metric, ""); err != nil {
			return nil, "", err
		}
	}
	return view.Conversions(ctx, f, p)
}
