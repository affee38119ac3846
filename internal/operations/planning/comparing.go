package planning

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// CompareInput asks what the client expected, what we expected and what came.
type CompareInput struct {
	Queue    ids.Queue
	Dates    calendar.Dates     // at most 100 days
	BySlot   bool               // by slot instead of by day
	Forecast ids.Forecast       // empty: for each time the newest forecast that covers it
	Client   ids.ClientForecast // empty: for each time the newest that covers it
}

// maxCompared bounds one comparison.
const maxCompared = 100

// validDates reports what is wrong with a period of days.
func validDates(code, what string, d calendar.Dates, most int) error {
	var bad []fault.Field
	switch {
	case d.From.IsZero() || d.Until.IsZero() || !d.From.Before(d.Until):
		bad = append(bad, fault.Field{Path: "dates", Problem: "must have a first day and a later day before which they end"})
	case d.Until.Sub(d.From) > most:
		bad = append(bad, fault.Field{Path: "dates", Value: d.From.String() + " to " + d.Until.String(), Problem: "is longer than one question may ask for"})
	}
	return fault.Bad(code, what, bad)
}

// ComparedRow is one day or slot of a comparison; what nobody said or recorded is nil.
type ComparedRow struct {
	Start  time.Time `json:"start"`
	Client *float64  `json:"client"` // what the client expected
	Agreed *float64  `json:"agreed"` // what was locked with the client
	Ours   *float64  `json:"ours"`   // our forecast with its adjustments
	Model  *float64  `json:"model"`  // our forecast as computed
	Low    *float64  `json:"low"`    // lowest quantile of ours
	High   *float64  `json:"high"`   // highest
	Actual *float64  `json:"actual"` // contacts that came
}

// ComparedScore is how far one of the series was from what came.
type ComparedScore struct {
	Name  string         `json:"name"` // client, agreed, ours or model
	Score forecast.Score `json:"score"`
}

// ForecastComparison is the three series of a queue side by side.
type ForecastComparison struct {
	Queue     ids.Queue            `json:"queue"`
	Slot      calendar.Length      `json:"slot"`
	Levels    []float64            `json:"levels"` // of Low and High
	Forecasts []ids.Forecast       `json:"forecasts"`
	Clients   []ids.ClientForecast `json:"clients"`
	Locks     []ids.Lock           `json:"locks"`
	Rows      []ComparedRow        `json:"rows"`
	Scores    []ComparedScore      `json:"scores"` // each on its own rows that have an actual
	Notes     []string             `json:"notes"`  // what was split or left out, and why
}

// CompareForecasts puts what the client expected, what was agreed, what we expected and what came
// side by side. A series that does not exist is missing from every row. Errors: forecast.compare,
// store.not_found, warehouse.down.
func (p *Planning) CompareForecasts(ctx context.Context, who access.Principal, in CompareInput) (ForecastComparison, error) {
	view, scope, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return ForecastComparison{}, err
	}
	if err := validDates("forecast.compare", "comparison", in.Dates, maxCompared); err != nil {
		return ForecastComparison{}, err
	}
	q, err := view.Queue(ctx, in.Queue)
	if err != nil {
		return ForecastComparison{}, err
	}
	c := &comparison{
		Planning: p, view: view, in: in, rows: map[int64]*ComparedRow{}, grain: 24 * time.Hour,
		span: calendar.Range{Start: in.Dates.From.In(p.gate.Zone), End: in.Dates.Until.In(p.gate.Zone)},
		out:  ForecastComparison{Queue: q.ID, Levels: []float64{}, Forecasts: []ids.Forecast{}, Clients: []ids.ClientForecast{}, Locks: []ids.Lock{}, Notes: []string{}},
	}
	for _, step := range []func(context.Context) error{c.ours, c.agreed, c.clients} {
		if err := step(ctx); err != nil {
			return ForecastComparison{}, err
		}
	}
	if err := c.actual(ctx, scope, q); err != nil {
		return ForecastComparison{}, err
	}
	return c.finish(), nil
}

// comparison is one in the making.
type comparison struct {
	*Planning
	view *store.View
	in   CompareInput
	span calendar.Range
	rows map[int64]*ComparedRow
	out  ForecastComparison
	slot time.Duration // of the forecasts; 0 = none found

	grain time.Duration // of the rows

	covered []calendar.Range // what our forecasts speak about, closed hours included
}

// note tells what was split or left out.
func (c *comparison) note(format string, args ...any) {
	c.out.Notes = append(c.out.Notes, fmt.Sprintf(format, args...))
}

func (c *comparison) row(at time.Time) *ComparedRow {
	r, ok := c.rows[at.UnixNano()]
	if !ok {
		r = &ComparedRow{Start: at.UTC()}
		c.rows[at.UnixNano()] = r
	}
	return r
}

// ours fills in our forecasts, with and without adjustments.
func (c *comparison) ours(ctx context.Context) error {
	docs, shares, err := c.forecasts(ctx)
	if err != nil {
		return err
	}
	for i, f := range docs {
		on, err := c.adjusted(ctx, c.view, f.ID)
		if err != nil {
			return err
		}
		if c.slot == 0 {
			c.slot = on.Curve.Slot
		}
		if on.Curve.Slot != c.slot && c.in.BySlot {
			c.note("our forecast %s is in slots of %s, not of %s: it is left out", f.ID, calendar.SlotName(on.Curve.Slot), calendar.SlotName(c.slot))
			continue
		}
		for _, told := range gate.ForecastCover(on.Forecast) {
			c.covered = append(c.covered, inside(shares[i], told)...)
		}
		figures, _ := gate.ForecastFigures(on.Forecast)
		model, points := figures.Days, on.Days
		if c.in.BySlot {
			c.grain = on.Curve.Slot
			model, points = on.model.Points, on.Curve.Points
		}
		used := false
		for j, x := range points {
			row := c.row(x.Start)
			if !c.span.Contains(x.Start) || !gate.Inside(shares[i], x.Start) || row.Ours != nil {
				c.forget(row)
				continue
			}
			used = true
			row.Ours, row.Model = &points[j].Mean, &model[j].Mean
			if n := len(x.Quantiles); n > 1 {
				row.Low, row.High = &points[j].Quantiles[0], &points[j].Quantiles[n-1]
				c.out.Levels = []float64{on.Curve.Levels[0], on.Curve.Levels[n-1]}
			}
		}
		if used {
			c.out.Forecasts = append(c.out.Forecasts, f.ID)
		}
	}
	return nil
}

// forget drops a row that nothing was said about.
func (c *comparison) forget(r *ComparedRow) {
	if *r == (ComparedRow{Start: r.Start}) {
		delete(c.rows, r.Start.UnixNano())
	}
}

// forecasts are those that are asked for, each with the part of the span that it decides.
func (c *comparison) forecasts(ctx context.Context) ([]store.Forecast, [][]calendar.Range, error) {
	if c.in.Forecast != "" {
		f, err := c.view.Forecast(ctx, c.in.Forecast)
		if err == nil && f.Queue != c.in.Queue {
			err = fault.Bad("forecast.compare", "comparison", []fault.Field{{Path: "forecast", Value: string(f.ID), Problem: "is of the queue " + string(f.Queue)}})
		}
		return []store.Forecast{f}, [][]calendar.Range{{c.span}}, err
	}
	all, err := store.All(func(page store.Page) ([]store.Forecast, string, error) {
		return c.view.Forecasts(ctx, store.ForecastFilter{Queue: c.in.Queue, Range: c.span}, page)
	})
	if err != nil {
		return nil, nil, err
	}
	chosen := gate.Divide(all, func(f store.Forecast) ids.Queue { return f.Queue }, gate.ForecastCover, c.span)
	if len(chosen) == 0 {
		return nil, nil, nil
	}
	return chosen[0].Docs, chosen[0].Shares, nil
}

// agreed fills in what was locked: for a day the newest lock counts.
func (c *comparison) agreed(ctx context.Context) error {
	locks, err := store.All(func(page store.Page) ([]store.Lock, string, error) {
		return c.view.Locks(ctx, store.LockFilter{Queue: c.in.Queue, Dates: c.in.Dates}, page)
	})
	if err != nil {
		return err
	}
	var taken []calendar.Range
	for _, l := range locks {
		days := calendar.Range{Start: l.Dates.From.In(c.gate.Zone), End: l.Dates.Until.In(c.gate.Zone)}
		free := gate.Without([]calendar.Range{days}, taken)
		taken = append(taken, days)
		if len(free) == 0 {
			continue
		}
		if l, err = c.view.Lock(ctx, l.ID); err != nil {
			return err
		}
		points := l.Days
		if c.in.BySlot {
			if c.slot == 0 {
				c.slot, c.grain = l.Curve.Slot, l.Curve.Slot
			}
			if points = l.Curve.Points; l.Curve.Slot != c.grain {
				c.note("what was agreed in %s is in slots of %s, not of %s: it is left out", l.ID, calendar.SlotName(l.Curve.Slot), calendar.SlotName(c.grain))
				continue
			}
		}
		for i, x := range points {
			if c.span.Contains(x.Start) && gate.Inside(free, x.Start) {
				c.row(x.Start).Agreed = &points[i].Mean
			}
		}
		c.out.Locks = append(c.out.Locks, l.ID)
	}
	return nil
}

// actual fills in what came, where the history knows it.
func (c *comparison) actual(ctx context.Context, scope access.Scope, q store.Queue) error {
	came, err := c.came(ctx, scope, q, c.span, c.grain)
	if err != nil {
		return err
	}
	for at, r := range c.rows {
		if v, ok := came(time.Unix(0, at)); ok {
			r.Actual = &v
		}
	}
	return nil
}

// came reads what came to a queue in a span, in slots; a slot that is not over, or on a day without
// any record, is not known. A queue without a history, or with a coarser one, knows nothing.
func (p *Planning) came(ctx context.Context, scope access.Scope, q store.Queue, span calendar.Range, slot time.Duration) (func(time.Time) (float64, bool), error) {
	series, err := p.recorded(ctx, scope, q, span, slot)
	if err != nil || len(series.Values) == 0 {
		return func(time.Time) (float64, bool) { return 0, false }, err
	}
	return series.Known(forecast.MissingZero), nil
}

// recorded is the history of a span as a series, empty where there is none in such slots.
func (p *Planning) recorded(ctx context.Context, scope access.Scope, q store.Queue, span calendar.Range, slot time.Duration) (forecast.Series, error) {
	rows, err := p.cameRows(ctx, scope, q, span, slot)
	if err != nil || len(rows) == 0 {
		return forecast.Series{}, err
	}
	builder, err := forecast.NewBuilder(slot, p.gate.Zone)
	if err != nil {
		return forecast.Series{}, err
	}
	now := p.gate.Now()
	for _, r := range rows {
		if r.Start.Add(slot).After(now) {
			break // not over
		}
		if err := builder.Add(r.Start, r.Offered); err != nil {
			return forecast.Series{}, err
		}
	}
	return builder.Series(q.ID), nil
}

// finish sorts the rows and scores the series.
func (c *comparison) finish() ForecastComparison {
	c.out.Slot, c.out.Rows = calendar.Length(c.grain), []ComparedRow{}
	for _, at := range slices.Sorted(maps.Keys(c.rows)) {
		c.out.Rows = append(c.out.Rows, *c.rows[at])
	}
	for _, s := range []struct {
		name string
		of   func(ComparedRow) *float64
	}{
		{"client", func(r ComparedRow) *float64 { return r.Client }},
		{"agreed", func(r ComparedRow) *float64 { return r.Agreed }},
		{"ours", func(r ComparedRow) *float64 { return r.Ours }},
		{"model", func(r ComparedRow) *float64 { return r.Model }},
	} {
		ours := s.name == "ours" && len(c.out.Levels) == 2
		var levels []float64
		if ours {
			levels = c.out.Levels
		}
		tally := forecast.NewTally(levels)
		for _, r := range c.out.Rows {
			v := s.of(r)
			if v == nil || r.Actual == nil {
				continue
			}
			var quantiles []float64
			if ours && r.Low != nil {
				quantiles = []float64{*r.Low, *r.High}
			}
			tally.Add(*r.Actual, *v, quantiles)
		}
		c.out.Scores = append(c.out.Scores, ComparedScore{s.name, tally.Score(0)})
	}
	return c.out
}

// daysOf is the day totals of a curve as a curve.
func daysOf(c scheduling.Curve, days []scheduling.Point) scheduling.Curve {
	return scheduling.Curve{Queue: c.Queue, Slot: 24 * time.Hour, Levels: c.Levels, Points: days}
}
