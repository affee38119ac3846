package planning

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
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

// AdjustInput asks for an adjustment on top of those of a forecast.
type AdjustInput struct {
	Forecast ids.Forecast
	Kind     forecast.LayerKind
	Amount   float64
	Per      forecast.LayerPer
	Target   forecast.Target
	Reason   string
}

// Adjustment is what an adjustment, or its withdrawal, made of a forecast.
type Adjustment struct {
	Layer    store.Layer   `json:"layer"`
	Step     forecast.Step `json:"step"`     // what it did to the slots it covers
	Model    float64       `json:"model"`    // contacts of the whole forecast as computed
	Contacts float64       `json:"contacts"` // and with every adjustment in force

	Levels []float64                `json:"levels"` // of the quantiles of
	Events []forecast.EventForecast `json:"events"` // the totals of coming events, as adjusted
}

// AdjustedForecast is a forecast with its adjustments on.
type AdjustedForecast struct {
	Forecast store.Forecast     `json:"forecast"` // as computed, without its curve
	Layers   []store.Layer      `json:"layers"`   // in their order, withdrawn ones included
	Steps    []forecast.Step    `json:"steps"`    // what each of them does
	Curve    scheduling.Curve   `json:"curve"`
	Days     []scheduling.Point `json:"days"`

	Events []forecast.EventForecast `json:"events"` // totals of coming events and their phases

	model scheduling.Curve // the curve as computed
}

// Adjust puts an adjustment on a forecast, whose version stays as it is. Errors: forecast.layer
// (every bad field; an event that the forecast does not know; a target without an open slot; an
// amount for a whole target of which the forecast covers a part only), store.not_found.
func (p *Planning) Adjust(ctx context.Context, who access.Principal, in AdjustInput) (Adjustment, error) {
	view, scope, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return Adjustment{}, err
	}
	f, err := view.Forecast(ctx, in.Forecast)
	if err != nil {
		return Adjustment{}, err
	}
	events, err := p.knownEvents(ctx, view, f)
	if err != nil {
		return Adjustment{}, err
	}
	now := p.gate.Now()
	layer := forecast.Layer{ID: ids.New[ids.Layer](now), Kind: in.Kind, Amount: in.Amount, Per: in.Per, Target: in.Target, Reason: in.Reason}
	if err := layer.Validate(); err != nil {
		return Adjustment{}, err
	}
	if layer.Spans, err = in.Target.Place(p.gate.Zone, events); err != nil {
		return Adjustment{}, err
	}
	beyond := gate.Without(layer.Spans, gate.ForecastCover(f))
	if err := p.uncovered(layer, beyond, f); err != nil {
		return Adjustment{}, err
	}
	var done Adjustment
	err = p.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		added, err := tx.AddLayer(f.ID, layer)
		if err != nil {
			return err
		}
		done, err = p.adjustment(ctx, tx.In(scope), f, added)
		if err == nil && done.Step.Slots == 0 {
			err = fault.Bad("forecast.layer", "adjustment", []fault.Field{{Path: "target", Problem: "no open slot of the forecast lies in it"}})
		}
		return err
	})
	if err == nil && len(beyond) > 0 && done.Step.Note == "" {
		done.Step.Note = "the forecast does not cover " + p.spansText(beyond) + ": nothing changes there until a version that covers it takes the adjustment over"
	}
	return done, err
}

// uncovered refuses an amount for a whole target of which a part lies beyond the forecast: all of it would land
// on the slots that are there. Percentages and amounts per day or slot mean the same on each of them.
func (p *Planning) uncovered(l forecast.Layer, beyond []calendar.Range, f store.Forecast) error {
	if len(beyond) == 0 || len(gate.Without(l.Spans, beyond)) == 0 || l.Kind == forecast.LayerPercent || l.Per == forecast.PerDay || l.Per == forecast.PerSlot {
		return nil
	}
	path := "target.days"
	switch {
	case l.Target.Family != "":
		path = "target.family"
	case l.Target.Range != (calendar.Range{}):
		path = "target.range"
	}
	return fault.Bad("forecast.layer", "adjustment", []fault.Field{{Path: path, Problem: fmt.Sprintf(
		"is not covered by the forecast, which speaks of %s: %s is missing, and the whole amount would land on the rest; name covered times, or an amount per day",
		p.spansText(gate.ForecastCover(f)), p.spansText(beyond))}})
}

// minuteLayout is how messages write an instant.
const minuteLayout = "2006-01-02 15:04"

// spansText names spans by their days where they are whole, else by their instants; last days are included.
func (p *Planning) spansText(spans []calendar.Range) string {
	var out []string
	for _, r := range spans {
		first, until := calendar.DateOf(r.Start, p.gate.Zone), calendar.DateOf(r.End, p.gate.Zone)
		switch {
		case !first.In(p.gate.Zone).Equal(r.Start) || !until.In(p.gate.Zone).Equal(r.End):
			out = append(out, r.Start.In(p.gate.Zone).Format(minuteLayout)+" to "+r.End.In(p.gate.Zone).Format(minuteLayout))
		case until == first.Add(1):
			out = append(out, first.String())
		default:
			out = append(out, first.String()+" to "+until.Add(-1).String())
		}
	}
	return strings.Join(out, ", ")
}

// Withdraw takes an adjustment back; it stays on record. Errors: store.not_found, store.conflict
// when it is withdrawn already, store.invalid without a reason.
func (p *Planning) Withdraw(ctx context.Context, who access.Principal, id ids.Layer, reason string) (Adjustment, error) {
	view, scope, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return Adjustment{}, err
	}
	layer, err := view.Layer(ctx, id)
	if err != nil {
		return Adjustment{}, err
	}
	f, err := view.Forecast(ctx, layer.Forecast)
	if err != nil {
		return Adjustment{}, err
	}
	var done Adjustment
	err = p.gate.Store.Change(ctx, who, p.gate.Now(), func(tx *store.Tx) error {
		taken, err := tx.WithdrawLayer(id, reason)
		if err != nil {
			return err
		}
		done, err = p.adjustment(ctx, tx.In(scope), f, taken)
		return err
	})
	return done, err
}

// adjustment tells what a layer does among the others of its forecast.
func (p *Planning) adjustment(ctx context.Context, view *store.View, f store.Forecast, layer store.Layer) (Adjustment, error) {
	on, err := p.adjust(ctx, view, f)
	if err != nil {
		return Adjustment{}, err
	}
	done := Adjustment{Layer: layer, Model: contactsOf(f.Curve.Points), Contacts: contactsOf(on.Curve.Points), Levels: on.Curve.Levels, Events: on.Events}
	for i, l := range on.Layers {
		if l.ID == layer.ID {
			done.Step = on.Steps[i]
		}
	}
	return done, nil
}

// Layers lists adjustments in scope by forecast, in their order, withdrawn ones included. Errors: as gate.Named.
func (p *Planning) Layers(ctx context.Context, who access.Principal, f store.LayerFilter, page store.Page) ([]store.Layer, string, error) {
	view, scope, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	if err := p.gate.Named(ctx, scope, gate.Names{Merchants: gate.One(f.Merchant), Queues: gate.One(f.Queue)}); err != nil {
		return nil, "", err
	}
	return view.Layers(ctx, f, page)
}

// Adjusted returns a forecast with its adjustments on.
func (p *Planning) Adjusted(ctx context.Context, who access.Principal, id ids.Forecast) (AdjustedForecast, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return AdjustedForecast{}, err
	}
	return p.adjusted(ctx, view, id)
}

// adjusted reads a forecast and puts its adjustments on.
func (p *Planning) adjusted(ctx context.Context, view *store.View, id ids.Forecast) (AdjustedForecast, error) {
	f, err := view.Forecast(ctx, id)
	if err != nil {
		return AdjustedForecast{}, err
	}
	return p.adjust(ctx, view, f)
}

// adjust puts the adjustments on a forecast that was read with its curve.
func (p *Planning) adjust(ctx context.Context, view *store.View, f store.Forecast) (AdjustedForecast, error) {
	layers, err := gate.Layers(ctx, view, f.ID)
	if err != nil {
		return AdjustedForecast{}, err
	}
	on, err := p.gate.On(f, layers)
	if err != nil {
		return AdjustedForecast{}, err
	}
	figures, _ := gate.ForecastFigures(f)
	model := f.Curve
	f.Curve = scheduling.Curve{}
	return AdjustedForecast{
		Forecast: f, Layers: layers, Steps: on.Steps, Curve: on.Curve, Days: on.Days, Events: on.Events(figures.Events), model: model,
	}, nil
}

// inForce are the adjustments that are not withdrawn.
func (f AdjustedForecast) inForce() []ids.Layer {
	return gate.InForce(f.Layers)
}

// storedFigures is what a stored forecast says about itself: its result without the curve, and the
// events it knew ahead, so that an adjustment of a phase means what the forecast meant by it.
type storedFigures struct {
	forecast.Result
	Known []forecast.Event `json:"known_events,omitempty"`
}

// knownEvents are the events around the span of a forecast: those it was made with, or the present ones
// for a forecast that does not say.
func (p *Planning) knownEvents(ctx context.Context, view *store.View, f store.Forecast) ([]forecast.Event, error) {
	var figures struct {
		Known []forecast.Event `json:"known_events"`
	}
	if err := json.Unmarshal(f.Figures, &figures); err == nil && figures.Known != nil {
		return figures.Known, nil
	}
	all, err := p.eventsOf(ctx, view, f.Queue)
	return around(all, f.Range), err
}

// eventsOf are the events that a queue feels, past and planned.
func (p *Planning) eventsOf(ctx context.Context, view *store.View, queue ids.Queue) ([]forecast.Event, error) {
	q, platforms, err := p.queues(ctx, view, ForecastInput{Queues: []ids.Queue{queue}})
	if err != nil {
		return nil, err
	}
	entered, err := p.entered(ctx, p.gate.Everything())
	if err != nil {
		return nil, err
	}
	return eventsFor(entered, p.policy.Promotions, platforms[q[0].Shop]), nil
}

// around are the events that touch a span.
func around(events []forecast.Event, span calendar.Range) []forecast.Event {
	out := []forecast.Event{}
	for _, e := range events {
		if e.Start.Before(span.End) && span.Start.Before(e.End) {
			out = append(out, e)
		}
	}
	return out
}

func contactsOf(points []scheduling.Point) (sum float64) {
	for _, x := range points {
		sum += x.Mean
	}
	return sum
}

// originOf is the instant a forecast was made from.
func originOf(f store.Forecast) time.Time {
	if r, ok := gate.ForecastFigures(f); ok && !r.Origin.IsZero() {
		return r.Origin
	}
	return f.CreatedAt
}
