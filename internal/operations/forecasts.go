package operations

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// defaultSlot is the grain of plans.
const defaultSlot = calendar.Slot

// historyReach is how far back a forecast looks.
const historyReach = 5 * 366 * 24 * time.Hour

// Promotion is a sales event on one platform; Platform "all" or "" is every platform.
type Promotion struct {
	Platform contracts.Platform `json:"platform" yaml:"platform"`
	forecast.Event
}

// eventsKey is the setting that holds the promotions people entered.
const eventsKey = "promotions"

// ForecastInput asks for one forecast per queue.
type ForecastInput struct {
	Queues   []ids.Queue   // empty: every queue of Merchant, or of everybody
	Merchant ids.Merchant  // narrows an empty Queues
	Slot     time.Duration // 0 = 15 minutes
	Origin   time.Time     // zero = the end of the history
	Horizon  time.Duration // 0 = two weeks
	Levels   []float64     // nil = 0.1 0.5 0.9
}

// MakeForecasts forecasts each queue from its contact history and stores an immutable version per
// queue. A queue without history is an error only when it was named.
func (p *Planning) MakeForecasts(ctx context.Context, who access.Principal, in ForecastInput) ([]store.Forecast, error) {
	view, scope, err := p.read(who, access.WritePlans)
	if err != nil {
		return nil, err
	}
	queues, platforms, err := p.queues(ctx, view, in)
	if err != nil {
		return nil, err
	}
	events, err := p.promotions(ctx)
	if err != nil {
		return nil, err
	}
	var made []store.Forecast
	for _, q := range queues {
		one, err := p.forecastQueue(ctx, scope, q, eventsFor(events, platforms[q.Shop]), in)
		if err != nil {
			if fault.CodeOf(err) == "forecast.no_history" && len(in.Queues) == 0 {
				continue
			}
			return nil, err
		}
		made = append(made, one)
	}
	if len(made) == 0 {
		return nil, fault.New(fault.NotFound, "forecast.no_history", "none of the queues has a contact history; import one first")
	}
	now := p.deps.Now()
	err = p.deps.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		for i := range made {
			made[i].CreatedAt, made[i].Author = now, who.User
			if err := tx.AddForecast(made[i]); err != nil {
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

func (p *Planning) forecastQueue(ctx context.Context, scope access.Scope, q store.Queue, events []forecast.Event, in ForecastInput) (store.Forecast, error) {
	slot := in.Slot
	if slot == 0 {
		slot = defaultSlot
	}
	series, handle, err := p.history(ctx, scope, q, slot, in.Origin)
	if err != nil {
		return store.Forecast{}, err
	}
	options := forecast.Options{
		Origin: in.Origin, Horizon: in.Horizon, Missing: forecast.MissingZero, Events: events, Holidays: p.deps.Holidays, Levels: in.Levels,
	}
	if options.Horizon == 0 {
		options.Horizon = 14 * 24 * time.Hour
	}
	if q.Hours != "" {
		if options.Hours, err = forecast.ParseHours(q.Hours); err != nil {
			return store.Forecast{}, err
		}
	}
	result, err := forecast.Run(series, options)
	if err != nil {
		return store.Forecast{}, err
	}
	for i := range result.Curve.Points {
		result.Curve.Points[i].HandleTime = handle
	}
	return stored(result, q, inputHash(series, options), p.deps.Now())
}

func stored(r forecast.Result, q store.Queue, hash string, now time.Time) (store.Forecast, error) {
	points := r.Curve.Points
	figures := r
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

// inputHash names everything a forecast depends on; equal hashes give equal forecasts.
func inputHash(s forecast.Series, o forecast.Options) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s|%s|%s|%v|%s|%v|%s|%v|%v|", s.Queue, s.Slot, s.First, s.Until.Unix(), o.Hours, o.Origin.Unix(), o.Horizon, o.Levels, o.Missing)
	for _, v := range s.Values {
		fmt.Fprintf(h, "%g,", v)
	}
	for _, e := range o.Events {
		fmt.Fprintf(h, "%+v;", e)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// history reads a queue's contact history up to an origin as a series, with the mean handle time
// of its last four weeks (zero when unknown).
func (p *Planning) history(ctx context.Context, scope access.Scope, q store.Queue, slot time.Duration, origin time.Time) (forecast.Series, time.Duration, error) {
	end := origin
	if end.IsZero() {
		end = p.deps.Now().Add(366 * 24 * time.Hour) // the end of the data, wherever it lies
	}
	rows, err := p.deps.Warehouse.In(warehouseScope(scope)).Series(ctx, q.ID, calendar.Range{Start: end.Add(-historyReach), End: end}, slot)
	if err != nil {
		return forecast.Series{}, 0, err
	}
	if len(rows) == 0 {
		return forecast.Series{}, 0, fault.New(fault.NotFound, "forecast.no_history", "queue %s has no contact history; import one first", q.ID)
	}
	builder, err := forecast.NewBuilder(slot, p.deps.Zone)
	if err != nil {
		return forecast.Series{}, 0, err
	}
	recent := rows[len(rows)-1].Start.Add(-28 * 24 * time.Hour)
	var work, contacts float64
	for _, r := range rows {
		if err := builder.Add(r.Start, r.Offered); err != nil {
			return forecast.Series{}, 0, err
		}
		if r.HandleTime > 0 && r.Start.After(recent) {
			work += r.Offered * r.HandleTime.Seconds()
			contacts += r.Offered
		}
	}
	handle := time.Duration(0)
	if contacts > 0 {
		handle = time.Duration(work / contacts * float64(time.Second)).Round(time.Second)
	}
	return builder.Series(q.ID), handle, nil
}

// promotions are those that ship with the binary and those that people entered; an entered one
// replaces shipped ones of its family and platform that it overlaps.
func (p *Planning) promotions(ctx context.Context) ([]Promotion, error) {
	entered, err := p.entered(ctx, p.deps.Store.In(access.Scope{Everything: true}))
	if err != nil {
		return nil, err
	}
	all := entered
	for _, s := range p.deps.Promotions {
		replaced := false
		for _, e := range entered {
			same := e.Family == s.Family && (e.Platform == s.Platform || e.Platform == "" || e.Platform == "all")
			replaced = replaced || same && e.Start.Before(s.End) && s.Start.Before(e.End)
		}
		if !replaced {
			all = append(all, s)
		}
	}
	return all, nil
}

func (p *Planning) entered(ctx context.Context, view *store.View) ([]Promotion, error) {
	setting, err := view.Setting(ctx, eventsKey)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return nil, nil
		}
		return nil, err
	}
	var out []Promotion
	if err := json.Unmarshal(setting.Value, &out); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "promotions.stored", "the stored promotions cannot be read")
	}
	return out, nil
}

// Promotions lists every promotion a forecast would know.
func (p *Planning) Promotions(ctx context.Context, who access.Principal) ([]Promotion, error) {
	if _, err := access.Decide(who, access.ReadPlans); err != nil {
		return nil, err
	}
	return p.promotions(ctx)
}

// EnteredPromotions lists the promotions that people entered.
func (p *Planning) EnteredPromotions(ctx context.Context, who access.Principal) ([]Promotion, error) {
	if _, err := access.Decide(who, access.ReadPlans); err != nil {
		return nil, err
	}
	return p.entered(ctx, p.deps.Store.In(access.Scope{Everything: true}))
}

// PutPromotions replaces the promotions that people entered.
func (p *Planning) PutPromotions(ctx context.Context, who access.Principal, promotions []Promotion) error {
	if _, err := access.Decide(who, access.WritePlans); err != nil {
		return err
	}
	perPlatform := map[contracts.Platform][]forecast.Event{}
	for _, e := range promotions {
		perPlatform[e.Platform] = append(perPlatform[e.Platform], e.Event)
	}
	for _, events := range perPlatform {
		if err := forecast.ValidateEvents(events); err != nil {
			return err
		}
	}
	text, err := json.Marshal(promotions)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "promotions.stored", "the promotions cannot be stored")
	}
	return p.deps.Store.Change(ctx, who, p.deps.Now(), func(tx *store.Tx) error {
		_, err := tx.PutSetting(eventsKey, text, store.AnyVersion)
		return err
	})
}

func eventsFor(all []Promotion, platform contracts.Platform) []forecast.Event {
	var out []forecast.Event
	for _, e := range all {
		if e.Platform == platform || e.Platform == "" || e.Platform == "all" || platform == contracts.Taobao && e.Platform == contracts.Tmall {
			out = append(out, e.Event)
		}
	}
	return out
}

// Forecasts lists forecasts in scope, newest first, without their curves.
func (p *Planning) Forecasts(ctx context.Context, who access.Principal, f store.ForecastFilter, page store.Page) ([]store.Forecast, string, error) {
	view, _, err := p.read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	return view.Forecasts(ctx, f, page)
}

// Forecast returns one forecast with its curve.
func (p *Planning) Forecast(ctx context.Context, who access.Principal, id ids.Forecast) (store.Forecast, error) {
	view, _, err := p.read(who, access.ReadPlans)
	if err != nil {
		return store.Forecast{}, err
	}
	return view.Forecast(ctx, id)
}
