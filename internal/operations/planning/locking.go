package planning

import (
	"context"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
)

// LockInput says what was agreed with a client: a forecast with its adjustments, for some days.
type LockInput struct {
	Forecast   ids.Forecast
	Dates      calendar.Dates
	AgreedOn   calendar.Date // zero = today
	AgreedWith string        // who agreed for the client
	Note       string
	Reason     string // needed when some of the days are locked already
}

// maxLockText is the longest text of a lock, in bytes.
const maxLockText = 2000

// Validate reports every bad field.
func (in LockInput) Validate() error {
	var bad []fault.Field
	d := in.Dates
	if d.From.IsZero() || d.Until.IsZero() || !d.From.Before(d.Until) {
		bad = append(bad, fault.Field{Path: "dates", Problem: "must have a first day and a later day before which they end"})
	}
	if !in.AgreedOn.IsZero() && !in.AgreedOn.Before(d.Until) {
		bad = append(bad, fault.Field{Path: "agreed_on", Value: in.AgreedOn.String(), Problem: "must come before the end of the days that were agreed"})
	}
	if strings.TrimSpace(in.AgreedWith) == "" {
		bad = append(bad, fault.Field{Path: "agreed_with", Problem: "is needed: who agreed for the client"})
	}
	for path, text := range map[string]string{"agreed_with": in.AgreedWith, "note": in.Note, "reason": in.Reason} {
		if len(text) > maxLockText {
			bad = append(bad, fault.Field{Path: path, Value: fault.Shorten(text), Problem: "is longer than 2000 bytes"})
		}
	}
	return fault.Bad("forecast.lock", "lock", bad)
}

// LockForecast keeps a forecast with the adjustments in force as agreed with the client for some
// days. Neither a later version nor a later adjustment changes what was agreed; a later lock of
// the same days counts instead and says why. Errors: forecast.lock (every bad field; an agreement made after the days; days that the forecast
// does not cover as a whole), store.invalid (days that are locked, without a reason), store.not_found.
func (p *Planning) LockForecast(ctx context.Context, who access.Principal, in LockInput) (store.Lock, error) {
	_, scope, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return store.Lock{}, err
	}
	if err := in.Validate(); err != nil {
		return store.Lock{}, err
	}
	now := p.gate.Now()
	if in.AgreedOn.IsZero() {
		in.AgreedOn = calendar.DateOf(now, p.gate.Zone)
	}
	var kept store.Lock
	// Read inside the change: an adjustment that comes at the same time is in the lock or it is not.
	err = p.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		on, err := p.adjusted(ctx, tx.In(scope), in.Forecast)
		if err != nil {
			return err
		}
		lock, err := p.lockOf(on, in)
		if err != nil {
			return err
		}
		lock.ID = ids.New[ids.Lock](now)
		kept, err = tx.AddLock(lock)
		return err
	})
	return kept, err
}

// lockOf cuts a forecast to the days of a lock.
func (p *Planning) lockOf(on AdjustedForecast, in LockInput) (store.Lock, error) {
	f, span := on.Forecast, calendar.Range{Start: in.Dates.From.In(p.gate.Zone), End: in.Dates.Until.In(p.gate.Zone)}
	if open := gate.Without([]calendar.Range{span}, gate.ForecastCover(f)); len(open) > 0 {
		return store.Lock{}, fault.Bad("forecast.lock", "lock", []fault.Field{{
			Path: "dates", Value: in.Dates.From.String(), Problem: "are not covered by the forecast from " + open[0].Start.In(p.gate.Zone).Format(time.DateTime) + " on",
		}})
	}
	lock := store.Lock{
		Queue: f.Queue, Merchant: f.Merchant, Forecast: f.ID, Layers: on.inForce(), Dates: in.Dates, AgreedOn: in.AgreedOn, AgreedWith: in.AgreedWith,
		Note: in.Note, Reason: in.Reason, Curve: on.Curve,
	}
	lock.Curve.Points, lock.Days = within(on.Curve.Points, span), within(on.Days, span)
	return lock, nil
}

// within are the points that start in a span.
func within(points []scheduling.Point, span calendar.Range) []scheduling.Point {
	out := []scheduling.Point{}
	for _, x := range points {
		if span.Contains(x.Start) {
			out = append(out, x)
		}
	}
	return out
}

// Locks lists what was agreed with clients, newest first, without the figures. Errors: as gate.Named.
func (p *Planning) Locks(ctx context.Context, who access.Principal, f store.LockFilter, page store.Page) ([]store.Lock, string, error) {
	view, scope, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	if err := p.gate.Named(ctx, scope, gate.Names{Merchants: gate.One(f.Merchant), Queues: gate.One(f.Queue)}); err != nil {
		return nil, "", err
	}
	return view.Locks(ctx, f, page)
}

// Lock returns what was agreed, with its figures.
func (p *Planning) Lock(ctx context.Context, who access.Principal, id ids.Lock) (store.Lock, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return store.Lock{}, err
	}
	return view.Lock(ctx, id)
}
