package planning

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// PlanInput asks for a staffing requirement per queue.
type PlanInput struct {
	Forecasts []ids.Forecast // empty: for each queue and time the newest forecast that covers it
	Merchant  ids.Merchant   // narrows an empty Forecasts
	From      calendar.Date
	Days      int     // 1 to 62
	Level     float64 // quantile to staff at; 0 = 0.9
	Shrinkage float64 // 0 = 0.12
	MaxHeads  int     // seats; 0 = no ceiling
}

// Validate reports every bad field.
func (in PlanInput) Validate() error {
	var bad []fault.Field
	if in.From.IsZero() {
		bad = append(bad, fault.Field{Path: "from", Problem: "is needed"})
	}
	if in.Days < 1 || in.Days > 62 {
		bad = append(bad, fault.Field{Path: "days", Value: fmt.Sprint(in.Days), Problem: "must be between 1 and 62"})
	}
	if in.Level < 0 || in.Level >= 1 || in.Level != in.Level {
		bad = append(bad, fault.Field{Path: "level", Value: fmt.Sprint(in.Level), Problem: "must lie between 0 and 1"})
	}
	if in.Shrinkage < 0 || in.Shrinkage >= 1 || in.Shrinkage != in.Shrinkage {
		bad = append(bad, fault.Field{Path: "shrinkage", Value: fmt.Sprint(in.Shrinkage), Problem: "must lie between 0 and 1"})
	}
	if in.MaxHeads < 0 {
		bad = append(bad, fault.Field{Path: "max_heads", Problem: "must not be negative"})
	}
	bad = append(bad, repeats("forecasts", in.Forecasts)...)
	return fault.Bad("plan.input", "plan", bad)
}

// PlanFigures is what a stored plan says about itself.
type PlanFigures struct {
	Hours    float64            `json:"hours"` // head-hours required
	Peak     int                `json:"peak"`  // most heads in a slot
	PeakAt   time.Time          `json:"peak_at,omitzero"`
	Contacts float64            `json:"contacts"` // planned for, at Level
	Unmet    int                `json:"unmet"`    // slots in which MaxHeads cut the need
	Reached  []staffing.Reached `json:"reached,omitempty"`

	Parts     []PlanPart      `json:"parts,omitempty"`     // what the plan is made of, ascending
	Uncovered []calendar.Date `json:"uncovered,omitempty"` // open days asked for that no forecast covers
}

// PlanPart is a stretch of a plan that one forecast and one target decide.
type PlanPart struct {
	Range    calendar.Range  `json:"range"`
	Forecast ids.Forecast    `json:"forecast"`
	Layers   []ids.Layer     `json:"layers,omitempty"` // adjustments in force
	Target   staffing.Target `json:"target"`
}

// MakePlans turns forecasts into heads per slot, one plan per queue, held against the contract in
// force on the day: its first-response term is the target, its ladder prices a contact that misses
// it. Where several forecasts cover a queue the newest one decides, with its adjustments; the range of a plan is what is
// covered, and its figures name the open days that are not.
func (p *Planning) MakePlans(ctx context.Context, who access.Principal, in PlanInput) ([]store.Plan, error) {
	view, _, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return nil, err
	}
	if err := in.Validate(); err != nil {
		return nil, err
	}
	span := calendar.Range{Start: in.From.In(p.gate.Zone), End: in.From.Add(in.Days).In(p.gate.Zone)}
	forecasts, err := p.forecastsFor(ctx, view, in, span)
	if err != nil {
		return nil, err
	}
	people, err := gate.Agents(ctx, view)
	if err != nil {
		return nil, err
	}
	var made []store.Plan
	for _, f := range forecasts {
		plan, err := p.planQueue(ctx, view, f, people, in)
		if err != nil {
			return nil, err
		}
		if len(plan.Requirement.Needs) > 0 {
			made = append(made, plan)
		}
	}
	if len(made) == 0 {
		return nil, fault.New(fault.NotFound, "plan.no_forecast",
			"no forecast in slots of an hour or less covers %s to %s; make one first", in.From, in.From.Add(in.Days-1))
	}
	now := p.gate.Now()
	err = p.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		for i := range made {
			made[i].CreatedAt, made[i].Author = now, who.User
			if err := tx.AddPlan(made[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return made, err
}

// forecastsFor shares the span out among the named forecasts, or among all forecasts in slots that
// can be staffed. The curves are read only of those that decide something.
func (p *Planning) forecastsFor(ctx context.Context, view *store.View, in PlanInput, span calendar.Range) ([]covered[store.Forecast], error) {
	queue := func(f store.Forecast) ids.Queue { return f.Queue }
	var all []store.Forecast
	for _, id := range in.Forecasts {
		f, err := view.Forecast(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	if err := fault.Bad("plan.input", "plan", clashes("forecasts", all, queue, forecastCover, span)); err != nil {
		return nil, err
	}
	if len(in.Forecasts) > 0 {
		return divide(all, queue, forecastCover, span), nil
	}
	all, err := store.All(func(page store.Page) ([]store.Forecast, string, error) {
		return view.Forecasts(ctx, store.ForecastFilter{Merchant: in.Merchant, Range: span}, page)
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(f store.Forecast) bool {
		figures, known := forecastFigures(f)
		return known && figures.Curve.Slot > time.Hour
	})
	chosen := divide(all, queue, forecastCover, span)
	for _, c := range chosen {
		for i := range c.docs {
			if c.docs[i], err = view.Forecast(ctx, c.docs[i].ID); err != nil {
				return nil, err
			}
		}
	}
	return chosen, nil
}

// planQueue staffs each stretch with its own forecast and target and joins them to one plan.
func (p *Planning) planQueue(ctx context.Context, view *store.View, c covered[store.Forecast], people []workforce.Agent, in PlanInput) (store.Plan, error) {
	t, err := p.terms(ctx, view, c.queue, people, in)
	if err != nil {
		return store.Plan{}, err
	}
	var out staffing.Output
	var figures PlanFigures
	for i, f := range c.docs {
		on, err := p.adjust(ctx, view, f)
		if err != nil {
			return store.Plan{}, err
		}
		for _, part := range t.split(c.shares[i], p.gate.Zone) {
			part.Forecast, part.Layers, part.Target = f.ID, on.inForce(), worked(part.Target, f)
			figures.Parts = append(figures.Parts, part)
			curve := on.Curve
			curve.Points = slices.DeleteFunc(slices.Clone(curve.Points), func(x scheduling.Point) bool { return !part.Range.Contains(x.Start) })
			staffed, err := staffing.Plan(staffing.Input{
				Curve: curve, Target: part.Target, Shrinkage: cmp.Or(in.Shrinkage, defaultShrinkage), MinHeads: 1, MaxHeads: in.MaxHeads, Slot: defaultSlot,
			})
			if err != nil {
				return store.Plan{}, named(err, "queue "+string(c.queue))
			}
			out = join(out, staffed)
		}
	}
	slices.SortFunc(figures.Parts, func(a, b PlanPart) int { return a.Range.Start.Compare(b.Range.Start) })
	if figures.Uncovered, err = gapDays(c.left, t.queue.Hours, p.gate.Zone); err != nil {
		return store.Plan{}, err
	}
	figures.count(out)
	return p.storedPlan(t.queue, out.Requirement, figures)
}

// storedPlan carries the forecast and the target of its first part; the figures have them all.
func (p *Planning) storedPlan(q store.Queue, need scheduling.Requirement, figures PlanFigures) (store.Plan, error) {
	first, last := figures.Parts[0], figures.Parts[len(figures.Parts)-1]
	text, err := json.Marshal(figures)
	if err != nil {
		return store.Plan{}, fault.Wrap(err, fault.Internal, "plan.figures", "the plan of %s cannot be stored", q.ID)
	}
	target, err := json.Marshal(first.Target)
	if err != nil {
		return store.Plan{}, fault.Wrap(err, fault.Internal, "plan.target", "the plan of %s cannot be stored", q.ID)
	}
	return store.Plan{
		ID: ids.New[ids.Plan](p.gate.Now()), Queue: q.ID, Merchant: q.Merchant, Forecast: first.Forecast,
		Range:  calendar.Range{Start: first.Range.Start, End: last.Range.End},
		Target: target, Figures: text, Requirement: need,
	}, nil
}

// join puts two staffed stretches together. Where a border cuts a slot, the greater need holds.
func join(a, b staffing.Output) staffing.Output {
	type slot struct {
		need    scheduling.Need
		reached staffing.Reached
	}
	var all []slot
	for _, part := range []staffing.Output{a, b} {
		for i, n := range part.Requirement.Needs {
			all = append(all, slot{n, part.Reached[i]})
		}
	}
	slices.SortStableFunc(all, func(x, y slot) int {
		return cmp.Or(x.need.Start.Compare(y.need.Start), cmp.Compare(y.need.Heads, x.need.Heads))
	})
	out := staffing.Output{Requirement: scheduling.Requirement{Queue: b.Requirement.Queue, Slot: b.Requirement.Slot}}
	for i, s := range all {
		if i == 0 || !all[i-1].need.Start.Equal(s.need.Start) {
			out.Requirement.Needs, out.Reached = append(out.Requirement.Needs, s.need), append(out.Reached, s.reached)
		}
	}
	return out
}

// named puts the place before the message of a fault from an engine that does not know it.
func named(err error, place string) error {
	e := *fault.Of(err)
	e.Message = place + ": " + e.Message
	return &e
}

// count adds up what the staffed slots need and reach.
func (f *PlanFigures) count(out staffing.Output) {
	f.Reached = out.Reached
	hours := out.Requirement.Slot.Hours()
	for _, n := range out.Requirement.Needs {
		f.Hours += float64(n.Heads) * hours
		if n.Heads > f.Peak {
			f.Peak, f.PeakAt = n.Heads, n.Start
		}
	}
	for _, r := range out.Reached {
		f.Contacts += r.Contacts
		if !r.Met {
			f.Unmet++
		}
	}
}

// Plans lists plans in scope, newest first, without their requirements.
func (p *Planning) Plans(ctx context.Context, who access.Principal, f store.ForecastFilter, page store.Page) ([]store.Plan, string, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	return view.Plans(ctx, f, page)
}

// Plan returns one plan with its requirement.
func (p *Planning) Plan(ctx context.Context, who access.Principal, id ids.Plan) (store.Plan, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return store.Plan{}, err
	}
	return view.Plan(ctx, id)
}
