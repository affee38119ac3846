package planning

import (
	"context"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// AccuracyInput asks how good the forecasts of a queue were by how long before they were known.
type AccuracyInput struct {
	Queue ids.Queue
	Dates calendar.Dates // whose actuals are compared, at most 100 days
}

// longestLead is how far before a day a forecast may have been made to count.
const longestLead = 64 * 7 * 24 * time.Hour

// MeasureAccuracy compares what was forecast with what came, by slot and by day, for each lead time
// beside the client's forecast, the adjusted one, what was agreed, and the seasonal naive. Nothing is
// kept. Errors: forecast.accuracy, store.not_found, warehouse.down.
func (p *Planning) MeasureAccuracy(ctx context.Context, who access.Principal, in AccuracyInput) (store.ForecastAccuracy, error) {
	view, scope, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return store.ForecastAccuracy{}, err
	}
	if err := validDates("forecast.accuracy", "accuracy", in.Dates, maxCompared); err != nil {
		return store.ForecastAccuracy{}, err
	}
	q, err := view.Queue(ctx, in.Queue)
	if err != nil {
		return store.ForecastAccuracy{}, err
	}
	return p.accuracy(ctx, scope, view, q, in.Dates)
}

// ForecastAccuracies lists what the nightly job measured, newest day first.
func (p *Planning) ForecastAccuracies(ctx context.Context, who access.Principal, f store.AccuracyFilter, page store.Page) ([]store.ForecastAccuracy, string, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	return view.ForecastAccuracies(ctx, f, page)
}

// accuracy measures a queue.
func (p *Planning) accuracy(ctx context.Context, scope access.Scope, view *store.View, q store.Queue, dates calendar.Dates) (store.ForecastAccuracy, error) {
	now := p.gate.Now()
	out := store.ForecastAccuracy{
		Queue: q.ID, Merchant: q.Merchant, Date: calendar.DateOf(now, p.gate.Zone), At: now, Judged: dates, Slots: []forecast.LeadAccuracy{}, Days: []forecast.LeadAccuracy{},
	}
	span := calendar.Range{Start: dates.From.In(p.gate.Zone), End: dates.Until.In(p.gate.Zone)}
	t := &tracks{Planning: p, view: view, queue: q.ID, span: span}
	for _, read := range []func(context.Context) error{t.ours, t.agreed, t.client} {
		if err := read(ctx); err != nil {
			return out, err
		}
	}
	for _, by := range []struct {
		slot  time.Duration
		ours  []forecast.Version
		other []forecast.Track
		into  *[]forecast.LeadAccuracy
	}{{t.slot, t.slots, t.slotRivals, &out.Slots}, {24 * time.Hour, t.days, t.dayRivals, &out.Days}} {
		if by.slot == 0 || by.slot == 24*time.Hour && by.into == &out.Slots {
			continue
		}
		// The naive looks back twelve weeks at most: eight of lead and four to find a record.
		reach := calendar.Range{Start: span.Start.AddDate(0, 0, -12*7), End: span.End}
		series, err := p.recorded(ctx, scope, q, reach, by.slot)
		if err != nil {
			return out, err
		}
		if len(series.Values) == 0 {
			continue
		}
		*by.into = forecast.Accuracy(forecast.AccuracyInput{
			Actual: series, Missing: forecast.MissingZero, Range: span, Ours: by.ours, Rivals: slices.DeleteFunc(by.other, func(r forecast.Track) bool { return len(r.Versions) == 0 }),
		})
	}
	return out, nil
}

// tracks are the ways in which a queue was forecast for a span, through time.
type tracks struct {
	*Planning
	view  *store.View
	queue ids.Queue
	span  calendar.Range

	slot       time.Duration // of the newest forecast; others are compared by day only
	slots      []forecast.Version
	days       []forecast.Version
	slotRivals []forecast.Track
	dayRivals  []forecast.Track
}

// ours reads our forecasts as computed, and as adjusted where anybody adjusted one. A version was there from
// its origin on: that is how much history it knew. With adjustments it was there when the last came.
func (t *tracks) ours(ctx context.Context) error {
	all, err := store.All(func(page store.Page) ([]store.Forecast, string, error) {
		return t.view.Forecasts(ctx, store.ForecastFilter{Queue: t.queue, Range: t.span}, page)
	})
	if err != nil {
		return err
	}
	slots, days, touched := forecast.Track{Name: "adjusted"}, forecast.Track{Name: "adjusted"}, false
	for _, f := range all {
		if t.span.Start.Sub(originOf(f)) > longestLead {
			continue
		}
		on, err := t.adjusted(ctx, t.view, f.ID)
		if err != nil {
			return err
		}
		if t.slot == 0 {
			t.slot = on.Curve.Slot
		}
		figures, _ := gate.ForecastFigures(on.Forecast)
		origin, known := originOf(on.Forecast), originOf(on.Forecast)
		for _, l := range on.Layers {
			if l.Withdrawn == nil && l.At.After(known) {
				known, touched = l.At, true
			}
		}
		if on.Curve.Slot == t.slot {
			t.slots = append(t.slots, forecast.Version{Origin: origin, Curve: on.model})
			slots.Versions = append(slots.Versions, forecast.Version{Origin: known, Curve: on.Curve})
		}
		t.days = append(t.days, forecast.Version{Origin: origin, Curve: daysOf(on.model, figures.Days)})
		days.Versions = append(days.Versions, forecast.Version{Origin: known, Curve: daysOf(on.Curve, on.Days)})
	}
	if touched {
		t.slotRivals, t.dayRivals = append(t.slotRivals, slots), append(t.dayRivals, days)
	}
	return nil
}

// agreed reads what was locked, as of the day it was agreed on.
func (t *tracks) agreed(ctx context.Context) error {
	locks, err := store.All(func(page store.Page) ([]store.Lock, string, error) {
		dates := calendar.Dates{From: calendar.DateOf(t.span.Start, t.gate.Zone), Until: calendar.DateOf(t.span.End, t.gate.Zone)}
		return t.view.Locks(ctx, store.LockFilter{Queue: t.queue, Dates: dates}, page)
	})
	if err != nil {
		return err
	}
	slots, days := forecast.Track{Name: "agreed"}, forecast.Track{Name: "agreed"}
	for _, l := range locks {
		if l, err = t.view.Lock(ctx, l.ID); err != nil {
			return err
		}
		known := l.AgreedOn.In(t.gate.Zone)
		if l.Curve.Slot == t.slot {
			slots.Versions = append(slots.Versions, forecast.Version{Origin: known, Curve: l.Curve})
		}
		days.Versions = append(days.Versions, forecast.Version{Origin: known, Curve: daysOf(l.Curve, l.Days)})
	}
	t.slotRivals, t.dayRivals = append(t.slotRivals, slots), append(t.dayRivals, days)
	return nil
}

// client reads what the client said.
func (t *tracks) client(ctx context.Context) error {
	all, err := store.All(func(page store.Page) ([]store.ClientForecast, string, error) {
		return t.view.ClientForecasts(ctx, store.ForecastFilter{Queue: t.queue, Range: t.span}, page)
	})
	if err != nil {
		return err
	}
	slots, days := forecast.Track{Name: "client"}, forecast.Track{Name: "client"}
	for _, f := range all {
		if f, err = t.view.ClientForecast(ctx, f.ID); err != nil {
			return err
		}
		if c, fits := forecast.InSlots(f.Curve, t.slot, t.gate.Zone); fits && t.slot != 0 {
			slots.Versions = append(slots.Versions, forecast.Version{Origin: f.StatedAt, Curve: c})
		}
		c, _ := forecast.InSlots(f.Curve, 24*time.Hour, t.gate.Zone)
		days.Versions = append(days.Versions, forecast.Version{Origin: f.StatedAt, Curve: c})
	}
	t.slotRivals, t.dayRivals = append(t.slotRivals, slots), append(t.dayRivals, days)
	return nil
}
