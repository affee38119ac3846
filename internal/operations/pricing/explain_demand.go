package pricing

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// explainDemand reads forecast, agreement and adjustments, and the source of the handling time.
func (p *Pricing) explainDemand(ctx context.Context, view *store.View, e *Explanation, part PlanPart, reached staffing.Reached) error {
	d, f, err := p.demandBehind(ctx, view, part)
	if err != nil {
		return err
	}
	e.Demand = ExplainedDemand{Forecast: f.ID, Model: f.Model, MadeAt: f.CreatedAt, Layers: []ExplainedStep{}, Rushes: []Rush{}, Slot: d.curve.Slot, Level: e.Options.Level, Contacts: reached.Contacts}
	if part.Lock != "" {
		lock, err := view.Lock(ctx, part.Lock)
		if err != nil {
			return err
		}
		lock.Curve, lock.Days = scheduling.Curve{}, nil
		e.Demand.Lock = &lock
	}
	curve := d.in(part.Range, e.Options)
	x, found := neediest(curve, calendar.Range{Start: e.Start, End: e.Start.Add(e.Slot)})
	if !found {
		return fault.New(fault.Internal, "plan.demand", "the forecast of the plan %s has no slot at %s", e.Plan, e.Start.Format(time.RFC3339))
	}
	e.Demand.Mean, e.Demand.Computed = x.Mean, meanAt(f.Curve.Points, x.Start, x.Mean/e.Options.VolumeFactor)
	for j, q := range x.Quantiles {
		e.Demand.Quantiles = append(e.Demand.Quantiles, Quantile{Level: curve.Levels[j], Contacts: q})
	}
	for _, r := range part.Rushes {
		if (calendar.Range{Start: x.Start, End: x.Start.Add(curve.Slot)}).Contains(r.At) {
			e.Demand.Rushes = append(e.Demand.Rushes, r)
		}
	}
	e.explainHandling(x, d.work, part.Pace, reached.HandleTime)
	return p.explainLayers(ctx, view, e, f, d.layers, x.Start)
}

// explainLayers puts the adjustments on one by one and tells those that move the slot.
func (p *Pricing) explainLayers(ctx context.Context, view *store.View, e *Explanation, f store.Forecast, inForce []ids.Layer, at time.Time) error {
	if len(inForce) == 0 {
		return nil
	}
	layers, err := gate.Layers(ctx, view, f.ID)
	if err != nil {
		return err
	}
	layers = slices.DeleteFunc(layers, func(l store.Layer) bool { return !slices.Contains(inForce, l.ID) })
	for i := range layers {
		layers[i].Withdrawn = nil // as it was when the plan was made
	}
	mean := meanAt(f.Curve.Points, at, 0)
	for i, l := range layers {
		on, err := p.gate.On(f, layers[:i+1])
		if err != nil {
			return err
		}
		after := meanAt(on.Curve.Points, at, mean)
		if math.Abs(after-mean) > 1e-9*max(1, mean) {
			e.Demand.Layers = append(e.Demand.Layers, ExplainedStep{Layer: l.ID, Author: l.AuthorName, Reason: l.Reason, Before: mean, After: after})
		} else {
			e.Demand.Others++
		}
		mean = after
	}
	return nil
}

// neediest is the point of a curve that decides a slot of a plan: the one around it, or of several in it
// the one with most work.
func neediest(c scheduling.Curve, slot calendar.Range) (most scheduling.Point, found bool) {
	for _, x := range c.Points {
		around := calendar.Range{Start: x.Start, End: x.Start.Add(c.Slot)}
		if around.Overlaps(slot) && (!found || x.Mean*x.HandleTime.Seconds() > most.Mean*most.HandleTime.Seconds()) {
			most, found = x, true
		}
	}
	return most, found
}

// meanAt is the mean of the point that starts at an instant.
func meanAt(points []scheduling.Point, at time.Time, otherwise float64) float64 {
	for _, x := range points {
		if x.Start.Equal(at) {
			return x.Mean
		}
	}
	return otherwise
}
