package pricing

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// coarsest is the longest slot of a curve that can be staffed.
const coarsest = time.Hour

// source is what some days of a queue are planned from: what was agreed with the client, or a forecast
// with the adjustments in force.
type source struct {
	queue    ids.Queue
	forecast ids.Forecast
	lock     *store.Lock // with its figures; nil = the forecast itself
	cover    []calendar.Range
}

func ofSource(s source) ids.Queue       { return s.queue }
func coverOf(s source) []calendar.Range { return s.cover }
func fromForecast(f store.Forecast) source {
	return source{queue: f.Queue, forecast: f.ID, cover: gate.ForecastCover(f)}
}
func hourly(slot time.Duration) (fits bool) { return slot > 0 && slot <= coarsest }
func spanOf(in PlanInput, zone *time.Location) calendar.Range {
	return calendar.Range{Start: in.From.In(zone), End: in.From.Add(in.Days).In(zone)}
}

// sourcesFor shares the span out. Named forecasts decide alone. Otherwise what was agreed with a client
// decides its days, the newest lock first, and the newest forecast the rest; Newest leaves locks out. What is
// in slots too long to staff decides nothing.
func (p *Pricing) sourcesFor(ctx context.Context, by asker, in PlanInput) ([]gate.Covered[source], error) {
	view := by.view
	if err := p.gate.Named(ctx, by.scope, gate.Names{Merchants: gate.One(in.Merchant)}); err != nil {
		return nil, err
	}
	span := spanOf(in, p.gate.Zone)
	var all []source
	if len(in.Forecasts) > 0 {
		for _, id := range in.Forecasts {
			f, err := view.Forecast(ctx, id)
			if err != nil {
				return nil, err
			}
			all = append(all, fromForecast(f))
		}
		if err := fault.Bad("plan.input", "plan", gate.Clashes("forecasts", all, ofSource, coverOf, span)); err != nil {
			return nil, err
		}
		return gate.Divide(all, ofSource, coverOf, span), nil
	}
	if !in.Newest {
		agreed, err := p.locked(ctx, view, in)
		if err != nil {
			return nil, err
		}
		all = append(all, agreed...)
	}
	forecasts, err := store.All(func(page store.Page) ([]store.Forecast, string, error) {
		return view.Forecasts(ctx, store.ForecastFilter{Merchant: in.Merchant, Range: span}, page)
	})
	if err != nil {
		return nil, err
	}
	for _, f := range forecasts {
		if figures, known := gate.ForecastFigures(f); !known || figures.Curve.Slot == 0 || hourly(figures.Curve.Slot) {
			all = append(all, fromForecast(f))
		}
	}
	return gate.Divide(all, ofSource, coverOf, span), nil
}

// locked are the locks of some days, newest first, with their figures.
func (p *Pricing) locked(ctx context.Context, view *store.View, in PlanInput) ([]source, error) {
	locks, err := store.All(func(page store.Page) ([]store.Lock, string, error) {
		return view.Locks(ctx, store.LockFilter{Merchant: in.Merchant, Dates: calendar.Dates{From: in.From, Until: in.From.Add(in.Days)}}, page)
	})
	if err != nil {
		return nil, err
	}
	var out []source
	for _, l := range locks {
		if l, err = view.Lock(ctx, l.ID); err != nil {
			return nil, err
		}
		if hourly(l.Curve.Slot) {
			days := calendar.Range{Start: l.Dates.From.In(p.gate.Zone), End: l.Dates.Until.In(p.gate.Zone)}
			out = append(out, source{queue: l.Queue, forecast: l.Forecast, lock: &l, cover: []calendar.Range{days}})
		}
	}
	return out, nil
}

// demand is the curve of a source and what its forecast says of the work in a contact.
type demand struct {
	curve  scheduling.Curve
	days   []scheduling.Point // totals of whole days, where there are any
	layers []ids.Layer
	work   contactWork
	events []forecast.Event // that it was made with
}

func (p *Pricing) demandOf(ctx context.Context, view *store.View, s source) (demand, error) {
	f, err := view.Forecast(ctx, s.forecast)
	if err != nil {
		return demand{}, err
	}
	events := eventsKnown(f)
	if events == nil && p.policy.Events != nil {
		if events, err = p.policy.Events(ctx, view, s.queue); err != nil {
			return demand{}, err
		}
	}
	if s.lock != nil {
		return demand{curve: s.lock.Curve, days: s.lock.Days, layers: s.lock.Layers, work: workOf(f), events: events}, nil
	}
	layers, err := gate.Layers(ctx, view, f.ID)
	if err != nil {
		return demand{}, err
	}
	on, err := p.gate.On(f, layers)
	return demand{curve: on.Curve, days: on.Days, layers: gate.InForce(layers), work: workOf(f), events: events}, err
}

// demandBehind is the demand that a part of a stored plan was made from: the very adjustments that were in
// force then, whatever became of them since.
func (p *Pricing) demandBehind(ctx context.Context, view *store.View, part PlanPart) (demand, store.Forecast, error) {
	f, err := view.Forecast(ctx, part.Forecast)
	if err != nil {
		return demand{}, f, err
	}
	if part.Lock != "" {
		lock, err := view.Lock(ctx, part.Lock)
		return demand{curve: lock.Curve, days: lock.Days, layers: lock.Layers, work: workOf(f)}, f, err
	}
	layers, err := gate.Layers(ctx, view, f.ID)
	if err != nil {
		return demand{}, f, err
	}
	used := slices.DeleteFunc(layers, func(l store.Layer) bool { return !slices.Contains(part.Layers, l.ID) })
	for i := range used {
		used[i].Withdrawn = nil
	}
	on, err := p.gate.On(f, used)
	return demand{curve: on.Curve, days: on.Days, layers: part.Layers, work: workOf(f)}, f, err
}

// in are the points of a curve that start in a range, as the options scale them.
func (d demand) in(r calendar.Range, o Options) scheduling.Curve {
	out := d.curve
	out.Points = nil
	for _, x := range d.curve.Points {
		if !r.Contains(x.Start) {
			continue
		}
		x.Quantiles = slices.Clone(x.Quantiles)
		x.Mean *= o.VolumeFactor
		for i := range x.Quantiles {
			x.Quantiles[i] *= o.VolumeFactor
		}
		x.HandleTime = scaled(x.HandleTime, o.HandleFactor)
		out.Points = append(out.Points, x)
	}
	return out
}

// wholeDays are the totals of the days that lie in a range as a whole, as the options scale them.
func (d demand) wholeDays(r calendar.Range, zone *time.Location, o Options) (out []scheduling.Point) {
	for _, x := range d.days {
		day := calendar.Day(calendar.DateOf(x.Start, zone), zone)
		if len(x.Quantiles) != len(d.curve.Levels) || day.Start.Before(r.Start) || day.End.After(r.End) {
			continue
		}
		x.Quantiles = slices.Clone(x.Quantiles)
		x.Mean *= o.VolumeFactor
		for i := range x.Quantiles {
			x.Quantiles[i] *= o.VolumeFactor
		}
		out = append(out, x)
	}
	return out
}

func scaled(d time.Duration, factor float64) time.Duration {
	return time.Duration(math.Round(float64(d) * factor))
}

// contactWork is what a plan needs of what a stored forecast says about the work in its contacts.
type contactWork struct {
	HandleTime *contactFigure `json:"handle_time"`
	Rounds     *contactFigure `json:"rounds"`
}

type contactFigure struct {
	Source string  `json:"source"`
	Mean   float64 `json:"mean"`
	Model  struct {
		Contacts float64 `json:"contacts"`
	} `json:"model"`
}

// handle is the mean length of a contact in seconds, 0 when nobody knows.
func (w contactWork) handle() float64 {
	if w.HandleTime == nil {
		return 0
	}
	return w.HandleTime.Mean
}

// workOf is empty for a forecast that says nothing of it.
func workOf(f store.Forecast) contactWork {
	var figures struct {
		Work contactWork `json:"work"`
	}
	_ = json.Unmarshal(f.Figures, &figures) // one that was not made here says nothing
	return figures.Work
}

// leastRounds is how many conversations tell how many rounds one has.
const leastRounds = 200

// worked is a target for chats with the rounds that the forecast's conversations have, where enough are
// known; otherwise it keeps the assumed ones.
func worked(t staffing.Target, w contactWork) staffing.Target {
	if r := w.Rounds; t.Concurrency > 0 && r != nil && r.Model.Contacts >= leastRounds {
		t.Rounds = max(1, math.Round(r.Mean*100)/100)
	}
	return t
}
