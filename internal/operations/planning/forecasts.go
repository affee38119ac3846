package planning

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// defaultSlot is the grain of plans.
const defaultSlot = calendar.Slot

// historyReach is how far back a forecast looks.
const historyReach = 5 * 366 * 24 * time.Hour

// ForecastInput asks for one forecast per queue.
type ForecastInput struct {
	Queues   []ids.Queue   // empty: every queue of Merchant, or of everybody
	Merchant ids.Merchant  // narrows an empty Queues
	Slot     time.Duration // 0 = 15 minutes, or the grain of the history where that is coarser
	Origin   time.Time     // zero = the end of the history
	Horizon  time.Duration // 0 = two weeks
	Levels   []float64     // nil = 0.1 0.5 0.9
	Carry    bool          // put the adjustments in force on the version before on the new one; see previous

	BotChanges    []forecast.DeflectionChange // planned changes of the share that a bot ends alone, in every queue asked for
	HistoryCounts forecast.Counted            // what the contact history counts; empty = found out where it can be

	pool *pool // what other queues taught; nil = nothing
}

// MakeForecasts forecasts each queue from its contact history and stores an immutable version per
// queue. A queue without history is an error only when it was named.
func (p *Planning) MakeForecasts(ctx context.Context, who access.Principal, in ForecastInput) ([]store.Forecast, error) {
	made, err := p.makeForecasts(ctx, who, in, false)
	switch {
	case err != nil || len(made) > 0:
	case !in.Origin.IsZero():
		return nil, fault.New(fault.NotFound, "forecast.no_history", "none of the queues has a contact history before %s", in.Origin.In(p.gate.Zone).Format(minuteLayout))
	default:
		return nil, fault.New(fault.NotFound, "forecast.no_history", "none of the queues has a contact history; import one first")
	}
	return made, err
}

// makeForecasts is MakeForecasts; with onlyNew a queue of which nothing new is known is left as it
// is, and one that cannot be forecast does not keep the others from it.
func (p *Planning) makeForecasts(ctx context.Context, who access.Principal, in ForecastInput, onlyNew bool) ([]store.Forecast, error) {
	view, scope, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return nil, err
	}
	if err := in.checkBot(); err != nil {
		return nil, err
	}
	queues, platforms, err := p.queues(ctx, view, in)
	if err != nil {
		return nil, err
	}
	entered, err := p.entered(ctx, p.gate.Everything())
	if err != nil {
		return nil, err
	}
	if in.pool, err = p.pool(ctx, platforms); err != nil {
		return nil, err
	}
	asked, err := p.asked(ctx, scope, queues, in, func(q store.Queue) []forecast.Event {
		return eventsFor(entered, p.policy.Promotions, platforms[q.Shop])
	})
	if err != nil {
		return nil, err
	}
	if err := forecastTogether(ctx, asked); err != nil {
		return nil, err
	}
	var made []store.Forecast
	var before []previous
	for _, a := range asked {
		q := a.queue
		if a.err == nil {
			ahead := calendar.Range{Start: a.result.Origin, End: a.result.Origin.Add(time.Duration(a.result.Horizon))}
			a.result.Doubts = append(a.result.Doubts, promotionDoubts(entered, p.policy.Promotions, platforms[q.Shop], ahead, p.gate.Zone)...)
		}
		one, err := p.finishForecast(ctx, scope, a, in)
		switch {
		case err == nil:
		case fault.CodeOf(err) == "forecast.no_history" && len(in.Queues) == 0:
			continue
		case onlyNew && fault.KindOf(err) == fault.Invalid:
			p.gate.Log.WarnContext(ctx, "a queue cannot be forecast", "queue", q.ID, "error", fault.InternalText(err))
			continue
		default:
			return nil, err
		}
		older, err := p.previous(ctx, view, one, onlyNew)
		if err != nil {
			return nil, err
		}
		if onlyNew && older.newest != nil && older.newest.InputHash == one.InputHash {
			continue
		}
		made, before = append(made, one), append(before, older)
	}
	now := p.gate.Now()
	err = p.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		for i := range made {
			made[i].CreatedAt, made[i].Author = now, who.User
			if err := p.addVersion(ctx, tx, before[i], &made[i], in.Carry); err != nil {
				return err
			}
		}
		return nil
	})
	return made, err
}

// queues resolves the input to queues and the platform of each of their shops.
func (p *Planning) queues(ctx context.Context, view *store.View, in ForecastInput) ([]store.Queue, map[ids.Shop]contracts.Platform, error) {
	platforms := map[ids.Shop]contracts.Platform{}
	shops, err := store.All(func(page store.Page) ([]store.Shop, string, error) { return view.Shops(ctx, in.Merchant, page) })
	if err != nil {
		return nil, nil, err
	}
	for _, s := range shops {
		platforms[s.ID] = s.Platform
	}
	if len(in.Queues) == 0 {
		all, err := store.All(func(page store.Page) ([]store.Queue, string, error) {
			return view.Queues(ctx, store.QueueFilter{Merchant: in.Merchant}, page)
		})
		return all, platforms, err
	}
	var named []store.Queue
	for _, id := range in.Queues {
		q, err := view.Queue(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		named = append(named, q)
	}
	return named, platforms, nil
}

// options are what is known about a queue beside its history.
func (p *Planning) options(q store.Queue, series forecast.Series, events []forecast.Event, in ForecastInput) (o forecast.Options, err error) {
	o = forecast.Options{
		Origin: in.Origin, Horizon: in.Horizon, Missing: forecast.MissingZero, Events: events, Holidays: p.policy.Holidays, Levels: in.Levels,
		Prior: in.pool.prior(q, in.Origin),
	}
	if o.Horizon == 0 {
		o.Horizon = 14 * 24 * time.Hour
	}
	if o.Levels == nil {
		o.Levels = forecast.DefaultLevels()
	}
	if q.Hours != "" && series.Slot < 24*time.Hour { // a day as a whole has no hours
		o.Hours, err = forecast.ParseHours(q.Hours)
	}
	return o, err
}

func stored(r forecast.Result, q store.Queue, events []forecast.Event, hash string, now time.Time) (store.Forecast, error) {
	points := r.Curve.Points
	figures := storedFigures{Result: r, Known: around(events, calendar.Range{Start: r.Origin, End: r.Origin.Add(time.Duration(r.Horizon))})}
	figures.Curve.Points = nil
	text, err := json.Marshal(figures)
	if err != nil {
		return store.Forecast{}, fault.Wrap(err, fault.Internal, "forecast.figures", "the forecast of %s cannot be stored", q.ID)
	}
	return store.Forecast{
		ID: ids.New[ids.Forecast](now), Queue: q.ID, Merchant: q.Merchant, InputHash: hash, Model: r.Model.Version, Figures: text, Curve: r.Curve,
		Range: calendar.Range{Start: points[0].Start, End: points[len(points)-1].Start.Add(r.Curve.Slot)},
	}, nil
}

// history reads a queue's contact history up to an origin as a series, with the handling times that it
// carries. A slot of 0 is the grain of the newest day.
func (p *Planning) history(ctx context.Context, scope access.Scope, q store.Queue, slot time.Duration, origin time.Time) (forecast.Series, work, error) {
	end := origin
	if end.IsZero() {
		end = p.gate.Now().Add(366 * 24 * time.Hour) // the end of the data, wherever it lies
	}
	slot, rows, err := p.continued(ctx, scope, q, slot, calendar.Range{Start: end.Add(-historyReach), End: end})
	if err != nil && fault.CodeOf(err) == "forecast.no_history" && !origin.IsZero() {
		err = p.beginsLater(ctx, scope, q, origin, err)
	}
	if err != nil {
		return forecast.Series{}, work{}, err
	}
	builder, err := forecast.NewBuilder(slot, p.gate.Zone)
	if err != nil {
		return forecast.Series{}, work{}, err
	}
	known := work{Slot: slot, Source: fromHistory}
	for _, r := range rows {
		if err := builder.Add(r.Start, r.Offered); err != nil {
			return forecast.Series{}, work{}, err
		}
		if r.HandleTime > 0 && r.Offered > 0 {
			known.Handle = append(known.Handle, forecast.FigureRecord{Start: r.Start, Contacts: r.Offered, Mean: r.HandleTime.Seconds()})
		}
	}
	return builder.Series(q.ID), known, nil
}

// beginsLater is the error of a queue without a history before an origin: where it begins, when it does later.
func (p *Planning) beginsLater(ctx context.Context, scope access.Scope, q store.Queue, origin time.Time, none error) error {
	later := calendar.Range{Start: origin, End: p.gate.Now().Add(366 * 24 * time.Hour)}
	if !later.Valid() {
		return none
	}
	_, rows, err := p.continued(ctx, scope, q, 0, later)
	if err != nil {
		if fault.CodeOf(err) == "forecast.no_history" {
			return none
		}
		return err
	}
	return fault.New(fault.NotFound, "forecast.no_history", "queue %s has no contact history before %s; it begins %s",
		q.ID, origin.In(p.gate.Zone).Format(minuteLayout), rows[0].Start.In(p.gate.Zone).Format(time.DateOnly))
}

// grains are the slots a history is looked for in when none was asked for, finest first.
var grains = []time.Duration{defaultSlot, 30 * time.Minute, time.Hour, 24 * time.Hour}

// contacts reads a history in the slot asked for, or else in the finest of the grains that still
// records the newest day: a history may have changed its grain. Rows of a slot include all finer
// ones. Errors: forecast.no_history; forecast.grain when the history is coarser than asked for.
func (p *Planning) contacts(ctx context.Context, scope access.Scope, queue ids.Queue, slot time.Duration, span calendar.Range) (time.Duration, []chatlog.Contacts, error) {
	reader := p.gate.Measured(scope)
	if slot != 0 {
		rows, err := reader.Series(ctx, queue, span, slot)
		if err != nil || len(rows) > 0 {
			return slot, rows, err
		}
	}
	whole, err := reader.Series(ctx, queue, span, 24*time.Hour)
	if err != nil {
		return 0, nil, err
	}
	if len(whole) == 0 {
		return 0, nil, fault.New(fault.NotFound, "forecast.no_history", "queue %s has no contact history; import one first", queue)
	}
	newest := whole[len(whole)-1].Start
	for _, grain := range grains {
		rows := whole
		if grain < 24*time.Hour {
			if rows, err = reader.Series(ctx, queue, span, grain); err != nil {
				return 0, nil, err
			}
		}
		if len(rows) == 0 || rows[len(rows)-1].Start.Before(newest) {
			continue
		}
		if slot != 0 {
			return 0, nil, fault.New(fault.Invalid, "forecast.grain",
				"the contact history of queue %s comes in slots of %s, which cannot be split into %s; ask for %s or leave the slot open", queue, grain, slot, grain)
		}
		return grain, rows, nil
	}
	return 24 * time.Hour, whole, nil
}

// Forecasts lists forecasts in scope, newest first, without their curves. Errors: as gate.Named.
func (p *Planning) Forecasts(ctx context.Context, who access.Principal, f store.ForecastFilter, page store.Page) ([]store.Forecast, string, error) {
	view, scope, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	if err := p.gate.Named(ctx, scope, gate.Names{Merchants: gate.One(f.Merchant), Queues: gate.One(f.Queue)}); err != nil {
		return nil, "", err
	}
	return view.Forecasts(ctx, f, page)
}

// Forecast returns one forecast with its curve.
func (p *Planning) Forecast(ctx context.Context, who access.Principal, id ids.Forecast) (store.Forecast, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return store.Forecast{}, err
	}
	return view.Forecast(ctx, id)
}
