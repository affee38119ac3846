package pricing

import (
	"context"
	"slices"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// ExplainInput names one slot of a plan.
type ExplainInput struct {
	Plan  ids.Plan  // empty: the plan in force of Queue, which is the newest that covers At
	Queue ids.Queue // needed without Plan
	At    time.Time // any instant of the slot
}

// Explanation opens the number of one slot into everything that it rests on.
type Explanation struct {
	Plan      ids.Plan        `json:"plan"`
	CreatedAt time.Time       `json:"created_at"`
	Scenario  ids.Scenario    `json:"scenario,omitempty"` // that was promoted to the plan
	Queue     ids.Queue       `json:"queue"`
	Merchant  ids.Merchant    `json:"merchant"`
	Start     time.Time       `json:"start"`
	Slot      time.Duration   `json:"slot"`
	Need      scheduling.Need `json:"need"`
	Options   Options         `json:"options"`

	Demand    ExplainedDemand    `json:"demand"`
	Handling  ExplainedHandling  `json:"handling"`
	Target    staffing.Target    `json:"target"`
	Agreed    *ExplainedTerm     `json:"agreed,omitempty"` // none: target and penalty are assumed
	Rounding  Rounding           `json:"rounding"`
	Reached   staffing.Reached   `json:"reached"` // as the plan has it: what the slots before leave behind counts, where it was followed
	Around    []staffing.Reached `json:"around"`  // with one head less, as planned, one more; in steady state
	Shrinkage ExplainedShrinkage `json:"shrinkage"`
	Marginal  Marginal           `json:"marginal"`
}

// ExplainedDemand is where the volume comes from.
type ExplainedDemand struct {
	Forecast  ids.Forecast    `json:"forecast"`
	Model     string          `json:"model"`
	MadeAt    time.Time       `json:"made_at"`
	Lock      *store.Lock     `json:"lock,omitempty"` // the agreement with the client that decides the day, without figures
	Layers    []ExplainedStep `json:"layers"`         // adjustments in force, in their order
	Slot      time.Duration   `json:"slot"`           // of the figures below: the forecast's
	Computed  float64         `json:"computed"`       // mean before adjustments; with a lock the agreed mean
	Mean      float64         `json:"mean"`           // after them and the volume factor
	Quantiles []Quantile      `json:"quantiles"`
	Level     float64         `json:"level"`    // the quantile that was staffed; 0 = the mean
	Contacts  float64         `json:"contacts"` // that were staffed, in a slot of the plan
}

// ExplainedStep is one adjustment and what it did to the slot.
type ExplainedStep struct {
	Layer  ids.Layer `json:"layer"`
	Author string    `json:"author"`
	Reason string    `json:"reason"`
}

// Quantile is the contacts that are not exceeded with the probability Level.
type Quantile struct {
	Level    float64 `json:"level"`
	Contacts float64 `json:"contacts"`
}

// ExplainedHandling is where the time per contact comes from.
type ExplainedHandling struct {
	HandleTime time.Duration `json:"handle_time"` // used
	Source     string        `json:"source"`      // contact history, measured conversations, or assumed
	Rounds     string        `json:"rounds_source,omitempty"`
	Open       []OpenWork    `json:"open,omitempty"` // chats: AHT(c)
}

// OpenWork is a conversation while its agent has Open of them: the agent's own work, and the whole
// conversation if nobody has to wait for the agent.
type OpenWork struct {
	Open       int           `json:"open"`
	Work       time.Duration `json:"work"`
	HandleTime time.Duration `json:"handle_time"`
}

// ExplainedTerm is the contract term behind target and penalty.
type ExplainedTerm struct {
	AgreedTerm
	Title         string         `json:"title"`
	Says          contracts.Term `json:"says"`
	FeeYuan       float64        `json:"fee_yuan"`        // of a month, that deductions are shares of
	PerMissedYuan float64        `json:"per_missed_yuan"` // the first step spread over the contacts that may just be missed
}

// Rounding is the way from load to heads.
type Rounding struct {
	Model      string  `json:"model"`                // erlang_a, erlang_c or chats
	Erlangs    float64 `json:"erlangs"`              // contacts times handle time over the slot
	Fractional float64 `json:"fractional,omitempty"` // heads that would just do, for calls
	Needed     int     `json:"needed"`               // the least whole number that reaches the target
	Floor      int     `json:"floor"`
	Ceiling    int     `json:"ceiling"` // 0 = none
	Heads      int     `json:"heads"`
	Bound      string  `json:"bound,omitempty"` // what decided instead: "floor", "ceiling", "backlog" of the slots before, or the method "pooled" or "margin"
}

// ExplainedShrinkage is the way from heads on the queue to paid heads.
type ExplainedShrinkage struct {
	Share float64 `json:"share"`
	Paid  float64 `json:"paid"`
}

// Marginal is what heads are worth in this slot, in yuan.
type Marginal struct {
	OneMoreYuan float64 `json:"one_more_yuan"` // expected penalty that one more head avoids
	LastYuan    float64 `json:"last_yuan"`     // that the last one avoids
	CostYuan    float64 `json:"cost_yuan"`     // of a head on the queue: paid time with shrinkage, at the rate of the day
}

// Explain opens one slot of a plan. Errors: plan.explain (bad fields), store.not_found, plan.no_slot.
func (p *Pricing) Explain(ctx context.Context, who access.Principal, in ExplainInput) (Explanation, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return Explanation{}, err
	}
	var bad []fault.Field
	if in.Plan == "" && in.Queue == "" {
		bad = append(bad, fault.Field{Path: "queue", Problem: "is needed when no plan is named"})
	}
	if in.At.IsZero() {
		bad = append(bad, fault.Field{Path: "at", Problem: "is needed"})
	}
	if err := fault.Bad("plan.explain", "question", bad); err != nil {
		return Explanation{}, err
	}
	plan, err := p.planAt(ctx, view, in)
	if err != nil {
		return Explanation{}, err
	}
	return p.explain(ctx, view, plan, in.At)
}

// planAt is the named plan, or the newest plan of a queue that covers an instant.
func (p *Pricing) planAt(ctx context.Context, view *store.View, in ExplainInput) (store.Plan, error) {
	if in.Plan != "" {
		plan, err := view.Plan(ctx, in.Plan)
		if err == nil && in.Queue != "" && plan.Queue != in.Queue {
			err = fault.Bad("plan.explain", "question", []fault.Field{{Path: "queue", Value: string(in.Queue), Problem: "is not the queue of the plan, which is " + string(plan.Queue)}})
		}
		return plan, err
	}
	if _, err := view.Queue(ctx, in.Queue); err != nil {
		return store.Plan{}, err
	}
	all, err := store.All(func(page store.Page) ([]store.Plan, string, error) {
		return view.Plans(ctx, store.ForecastFilter{Queue: in.Queue, Range: calendar.Range{Start: in.At, End: in.At.Add(time.Microsecond)}}, page)
	})
	if err != nil {
		return store.Plan{}, err
	}
	for _, plan := range all {
		if gate.Inside(gate.PlanCover(plan), in.At) {
			return view.Plan(ctx, plan.ID)
		}
	}
	return store.Plan{}, fault.New(fault.NotFound, "plan.no_slot", "no plan of %s covers %s", in.Queue, in.At.In(p.gate.Zone).Format(time.DateTime))
}

func (p *Pricing) explain(ctx context.Context, view *store.View, plan store.Plan, at time.Time) (Explanation, error) {
	figures, slot := FiguresOf(plan), plan.Requirement.Slot
	i := slices.IndexFunc(plan.Requirement.Needs, func(n scheduling.Need) bool {
		return calendar.Range{Start: n.Start, End: n.Start.Add(slot)}.Contains(at)
	})
	part := slices.IndexFunc(figures.Parts, func(x PlanPart) bool { return x.Range.Contains(at) })
	if i < 0 || part < 0 || i >= len(figures.Reached) {
		return Explanation{}, fault.New(fault.NotFound, "plan.no_slot", "the plan %s of %s has no slot at %s: the queue is closed then, or the plan does not cover it",
			plan.ID, plan.Queue, at.In(p.gate.Zone).Format(time.DateTime))
	}
	need, reached, of := plan.Requirement.Needs[i], figures.Reached[i], figures.Parts[part]
	o := figures.Options.withDefaults()
	if figures.Options == (Options{}) && need.Paid > 0 { // a plan of a release that did not keep its options
		o.Shrinkage, o.Level = 1-float64(need.Heads)/need.Paid, of.Target.Level
	}
	e := Explanation{
		Plan: plan.ID, CreatedAt: plan.CreatedAt, Scenario: figures.Scenario, Queue: plan.Queue, Merchant: plan.Merchant,
		Start: need.Start, Slot: slot, Need: need, Reached: reached, Options: o, Target: of.Target, Shrinkage: ExplainedShrinkage{Share: o.Shrinkage, Paid: need.Paid},
	}
	if err := p.explainDemand(ctx, view, &e, of, reached); err != nil {
		return e, err
	}
	if err := p.explainTerm(ctx, view, &e, of); err != nil {
		return e, err
	}
	e.count(reached)
	wage, err := p.wageOn(ctx, view, plan.Queue, calendar.DateOf(need.Start, p.gate.Zone))
	if err != nil {
		return e, err
	}
	e.Marginal.CostYuan = wage * slot.Hours() / (1 - o.Shrinkage)
	return e, nil
}

// explainDemand reads forecast, agreement and adjustments, and the source of the handling time.
func (p *Pricing) explainDemand(ctx context.Context, view *store.View, e *Explanation, part PlanPart, reached staffing.Reached) error {
	d, f, err := p.demandBehind(ctx, view, part)
	if err != nil {
		return err
	}
	e.Demand = ExplainedDemand{Forecast: f.ID, Model: f.Model, MadeAt: f.CreatedAt, Layers: []ExplainedStep{}, Slot: d.curve.Slot, Level: e.Options.Level, Contacts: reached.Contacts}
	if part.Lock != "" {
		lock, err := view.Lock(ctx, part.Lock)
		if err != nil {
			return err
		}
		lock.Curve, lock.Days = scheduling.Curve{}, nil
		e.Demand.Lock = &lock
	}
	layers, err := gate.Layers(ctx, view, f.ID)
	if err != nil {
		return err
	}
	for _, l := range layers {
		if slices.Contains(d.layers, l.ID) {
			e.Demand.Layers = append(e.Demand.Layers, ExplainedStep{Layer: l.ID, Author: l.AuthorName, Reason: l.Reason})
		}
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
	e.explainHandling(x, d.work, reached.HandleTime)
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

// assumed is the source of a figure that nobody measured.
const assumed = "assumed"

func (e *Explanation) explainHandling(x scheduling.Point, w contactWork, used time.Duration) {
	h := ExplainedHandling{HandleTime: used, Source: assumed}
	if x.HandleTime > 0 {
		h.Source = "forecast"
		if w.HandleTime != nil {
			h.Source = w.HandleTime.Source
		}
	}
	if t := e.Target; t.Concurrency > 1 {
		h.Rounds = assumed
		if w.Rounds != nil && w.Rounds.Model.Contacts >= leastRounds {
			h.Rounds = w.Rounds.Source
		}
		for c := 1; c <= t.Concurrency; c++ {
			own := time.Duration(float64(used) * t.Overhead * (1 + t.Slowdown*float64(c-1)))
			h.Open = append(h.Open, OpenWork{Open: c, Work: own, HandleTime: own + time.Duration(float64(used)*(1-t.Overhead))})
		}
	}
	e.Handling = h
}

// explainTerm reads the contract term that gave the target.
func (p *Pricing) explainTerm(ctx context.Context, view *store.View, e *Explanation, part PlanPart) error {
	if part.Agreed == nil {
		return nil
	}
	c, err := view.Contract(ctx, part.Agreed.Contract)
	if err != nil {
		return err
	}
	v, term, found := termOf(c.Value, *part.Agreed)
	if !found {
		return nil
	}
	e.Agreed = &ExplainedTerm{
		AgreedTerm: *part.Agreed, Title: c.Value.Title, Says: term, FeeYuan: float64(monthlyFee(v)) / 100, PerMissedYuan: part.Target.PenaltyPerMissedContact,
	}
	return nil
}

// count evaluates the neighbours and what a head is worth.
func (e *Explanation) count(reached staffing.Reached) {
	t, slot := e.Target, min(e.Slot, e.Demand.Slot)
	heads, contacts, handle := e.Need.Heads, reached.Contacts, reached.HandleTime
	for n := max(0, heads-1); n <= heads+1; n++ {
		r := staffing.Serve(t, contacts, slot, handle, n)
		r.Start = e.Start
		e.Around = append(e.Around, r)
	}
	at := func(n int) float64 { return staffing.Serve(t, contacts, slot, handle, n).Share }
	worth := t.PenaltyPerMissedContact * contacts
	e.Marginal.OneMoreYuan = worth * max(0, at(heads+1)-at(heads))
	if heads > 0 {
		e.Marginal.LastYuan = worth * max(0, at(heads)-at(heads-1))
	}
	r := Rounding{Model: "chats", Erlangs: contacts * handle.Seconds() / slot.Seconds(), Needed: heads, Floor: e.Options.MinHeads, Ceiling: e.Options.MaxHeads, Heads: heads}
	q := staffing.Queue{Contacts: contacts, Interval: slot, HandleTime: handle, Patience: t.Patience}
	if t.Concurrency <= 1 {
		r.Model = "erlang_c"
		goal := staffing.Goal{ServiceLevel: t.Share, Within: t.Within, Abandon: t.AbandonCap, Occupancy: t.OccupancyCap}
		model := staffing.ModelC
		if t.Patience > 0 {
			r.Model, model = "erlang_a", staffing.ModelA
		}
		if p, err := staffing.LeastFractional(model, q, goal); err == nil {
			r.Fractional = p.Agents
		}
	}
	r.Needed = needed(t, contacts, slot, handle, heads)
	switch {
	case e.Options.Method == PooledMethod || e.Options.Method == MarginMethod:
		r.Bound = string(e.Options.Method)
	case heads > r.Needed && heads == r.Floor:
		r.Bound = "floor"
	case heads < r.Needed && heads == r.Ceiling:
		r.Bound = "ceiling"
	case heads != r.Needed:
		r.Bound = "backlog"
	}
	e.Rounding = r
}

// needed is the least number of heads that reaches the target, near the planned number.
func needed(t staffing.Target, contacts float64, slot, handle time.Duration, near int) int {
	if contacts <= 0 {
		return 0
	}
	met := func(n int) bool { return staffing.Serve(t, contacts, slot, handle, n).Met }
	n := near
	for n > 1 && met(n-1) {
		n--
	}
	for n < staffing.MaxAgents && !met(n) {
		n++
	}
	return n
}
