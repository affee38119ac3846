package operations

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// What a plan assumes where neither contract, history nor caller says otherwise. Each is a
// parameter of PlanInput; none is measured.
const (
	defaultLevel     = 0.9
	defaultWithin    = 30 * time.Second
	defaultShare     = 0.8
	defaultHandle    = 240 * time.Second
	defaultPatience  = 180 * time.Second
	defaultShrinkage = 0.12 // absence and training; breaks are placed in the shifts themselves
	defaultOverhead  = 0.18 // share of a conversation's time that keeps its agent busy
	defaultRounds    = 4
	defaultSlowdown  = 0.05
)

// PlanInput asks for a staffing requirement per queue.
type PlanInput struct {
	Forecasts []ids.Forecast // empty: the newest forecast of each queue that covers a part of the days
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
}

// MakePlans turns forecasts into heads per slot, held against the contract in force on the day:
// its first-response term is the target, its ladder prices a contact that misses it.
func (p *Planning) MakePlans(ctx context.Context, who access.Principal, in PlanInput) ([]store.Plan, error) {
	view, _, err := p.read(who, access.WritePlans)
	if err != nil {
		return nil, err
	}
	if err := in.Validate(); err != nil {
		return nil, err
	}
	span := calendar.Range{Start: in.From.In(p.deps.Zone), End: in.From.Add(in.Days).In(p.deps.Zone)}
	forecasts, err := p.forecastsFor(ctx, view, in, span)
	if err != nil {
		return nil, err
	}
	var made []store.Plan
	for _, f := range forecasts {
		plan, err := p.planQueue(ctx, view, f, in, span)
		if err != nil {
			return nil, err
		}
		if len(plan.Requirement.Needs) > 0 {
			made = append(made, plan)
		}
	}
	if len(made) == 0 {
		return nil, fault.New(fault.NotFound, "plan.no_forecast", "no forecast covers %s to %s; make one first", in.From, in.From.Add(in.Days-1))
	}
	now := p.deps.Now()
	err = p.deps.Store.Change(ctx, who, now, func(tx *store.Tx) error {
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

// forecastsFor are the named forecasts, or the newest of each queue that covers a part of the span.
func (p *Planning) forecastsFor(ctx context.Context, view *store.View, in PlanInput, span calendar.Range) ([]store.Forecast, error) {
	named := in.Forecasts
	if len(named) == 0 {
		all, err := store.All(func(page store.Page) ([]store.Forecast, string, error) {
			return view.Forecasts(ctx, store.ForecastFilter{Merchant: in.Merchant, Range: span}, page)
		})
		if err != nil {
			return nil, err
		}
		seen := map[ids.Queue]bool{}
		for _, f := range all { // newest first
			if !seen[f.Queue] {
				seen[f.Queue] = true
				named = append(named, f.ID)
			}
		}
	}
	var out []store.Forecast
	for _, id := range named {
		f, err := view.Forecast(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b store.Forecast) int { return cmp.Compare(a.Queue, b.Queue) })
	return out, nil
}

func (p *Planning) planQueue(ctx context.Context, view *store.View, f store.Forecast, in PlanInput, span calendar.Range) (store.Plan, error) {
	target, err := p.target(ctx, view, f, in)
	if err != nil {
		return store.Plan{}, err
	}
	curve := f.Curve
	curve.Points = slices.DeleteFunc(slices.Clone(curve.Points), func(x scheduling.Point) bool { return !span.Contains(x.Start) })
	out, err := staffing.Plan(staffing.Input{
		Curve: curve, Target: target, Shrinkage: cmp.Or(in.Shrinkage, defaultShrinkage), MinHeads: 1, MaxHeads: in.MaxHeads, Slot: defaultSlot,
	})
	if err != nil {
		return store.Plan{}, named(err, "queue "+string(f.Queue))
	}
	figures, err := json.Marshal(planFigures(out))
	if err != nil {
		return store.Plan{}, fault.Wrap(err, fault.Internal, "plan.figures", "the plan of %s cannot be stored", f.Queue)
	}
	targetText, err := json.Marshal(target)
	if err != nil {
		return store.Plan{}, fault.Wrap(err, fault.Internal, "plan.target", "the plan of %s cannot be stored", f.Queue)
	}
	return store.Plan{
		ID: ids.New[ids.Plan](p.deps.Now()), Queue: f.Queue, Merchant: f.Merchant, Forecast: f.ID, Range: span,
		Target: targetText, Figures: figures, Requirement: out.Requirement,
	}, nil
}

// named puts the place before the message of a fault from an engine that does not know it.
func named(err error, place string) error {
	e := *fault.Of(err)
	e.Message = place + ": " + e.Message
	return &e
}

func planFigures(out staffing.Output) PlanFigures {
	f := PlanFigures{Reached: out.Reached}
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
	return f
}

// target translates contract and people into what staffing understands.
func (p *Planning) target(ctx context.Context, view *store.View, f store.Forecast, in PlanInput) (staffing.Target, error) {
	queue, err := view.Queue(ctx, f.Queue)
	if err != nil {
		return staffing.Target{}, err
	}
	t := staffing.Target{
		Level: cmp.Or(in.Level, defaultLevel), Within: defaultWithin, Share: defaultShare, HandleTime: defaultHandle, Patience: defaultPatience,
	}
	if queue.Channel != "call" {
		t.Overhead, t.Rounds, t.Slowdown = defaultOverhead, defaultRounds, defaultSlowdown
		if t.Concurrency, err = p.concurrency(ctx, view, f.Queue, in.From); err != nil {
			return t, err
		}
	}
	agreed, err := store.All(func(page store.Page) ([]store.Stored[contracts.Contract], string, error) {
		return view.Contracts(ctx, store.ContractFilter{Shop: queue.Shop, On: in.From}, page)
	})
	if err != nil {
		return t, err
	}
	for _, c := range agreed {
		if v, ok := c.Value.VersionAt(in.From); ok {
			hold(&t, v, queue)
		}
	}
	return t, nil
}

// hold takes the first-response term of a version as the target and prices a missed contact: the
// deduction of the ladder's first step, spread over the contacts that may just be missed.
func hold(t *staffing.Target, v contracts.Version, q store.Queue) {
	for _, term := range v.Terms {
		if term.Metric != "answered_within" || term.Skill != "" && term.Skill != q.Skill {
			continue
		}
		if within, err := time.ParseDuration(term.Within); err == nil {
			t.Within = within
		}
		t.Share = min(term.Target, 0.99)
		if len(term.Ladder) > 0 {
			t.PenaltyPerMissedContact = float64(monthlyFee(v).Times(term.Ladder[0].Deduct)) / 100 / missesOfFirstStep
		}
		return
	}
}

// missesOfFirstStep spreads the first deduction of a ladder over about one hundred contacts: a
// first, stated price that keeps merchants with dear contracts ahead when heads are short.
const missesOfFirstStep = 100

// monthlyFee is the fixed fee of a version: seats times the seat price, or the minimum charge.
func monthlyFee(v contracts.Version) (fee money.Fen) {
	seats := int64(0)
	for _, s := range v.Seats {
		seats += int64(s.Count)
	}
	for _, price := range v.Prices {
		switch price.Base {
		case contracts.PerSeatMonth:
			fee += price.Amount * money.Fen(seats)
		case contracts.FlatMonth:
			fee += price.Amount
		default:
			fee += price.Minimum
		}
	}
	return fee
}

// concurrency is the mean limit of the agents who know the queue, rounded down.
func (p *Planning) concurrency(ctx context.Context, view *store.View, queue ids.Queue, on calendar.Date) (int, error) {
	people, err := store.All(func(page store.Page) ([]store.Stored[workforce.Agent], string, error) {
		return view.Agents(ctx, store.AgentFilter{Queue: queue, On: on}, page)
	})
	if err != nil || len(people) == 0 {
		return 1, err
	}
	sum := 0
	for _, a := range people {
		sum += a.Value.Concurrency
	}
	return max(1, sum/len(people)), nil
}

// Plans lists plans in scope, newest first, without their requirements.
func (p *Planning) Plans(ctx context.Context, who access.Principal, f store.ForecastFilter, page store.Page) ([]store.Plan, string, error) {
	view, _, err := p.read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	return view.Plans(ctx, f, page)
}

// Plan returns one plan with its requirement.
func (p *Planning) Plan(ctx context.Context, who access.Principal, id ids.Plan) (store.Plan, error) {
	view, _, err := p.read(who, access.ReadPlans)
	if err != nil {
		return store.Plan{}, err
	}
	return view.Plan(ctx, id)
}
