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
	"github.com/chaoban/chaoban/scheduling/staffing/people"
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
	Tickets   *ExplainedTickets  `json:"tickets,omitempty"` // after-sales tickets in the plan; none = not planned
	Marginal  Marginal           `json:"marginal"`
}

// ExplainedDemand is where the volume comes from.
type ExplainedDemand struct {
	Forecast  ids.Forecast    `json:"forecast"`
	Model     string          `json:"model"`
	MadeAt    time.Time       `json:"made_at"`
	Lock      *store.Lock     `json:"lock,omitempty"` // the agreement with the client that decides the day, without figures
	Layers    []ExplainedStep `json:"layers"`         // adjustments in force that touch the slot, in their order
	Others    int             `json:"other_layers"`   // adjustments in force that do not
	Slot      time.Duration   `json:"slot"`           // of the figures below: the forecast's
	Computed  float64         `json:"computed"`       // mean before adjustments; with a lock the agreed mean
	Mean      float64         `json:"mean"`           // after them and the volume factor
	Quantiles []Quantile      `json:"quantiles"`
	Rushes    []Rush          `json:"rushes"`   // openings in the slot: its contacts do not come evenly
	Level     float64         `json:"level"`    // the quantile that was staffed; 0 = the mean
	Contacts  float64         `json:"contacts"` // that were staffed, in a slot of the plan
}

// ExplainedStep is one adjustment and what it did to the slot.
type ExplainedStep struct {
	Layer  ids.Layer `json:"layer"`
	Author string    `json:"author"`
	Reason string    `json:"reason"`
	Before float64   `json:"before"` // mean contacts of the slot of the forecast, without the volume factor
	After  float64   `json:"after"`
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
	Pace       *Pace         `json:"pace,omitempty"` // chats: the measured replies behind it; none in plans of releases that did not measure
}

// OpenWork is a conversation while its agent has Open of them: the agent's own work, and the whole
// conversation if nobody has to wait for the agent.
type OpenWork struct {
	Open       int           `json:"open"`
	Work       time.Duration `json:"work"`
	HandleTime time.Duration `json:"handle_time"`
	Lag        time.Duration `json:"lag,omitempty"` // from a question to its reply, measured; 0 = not known
	Source     string        `json:"source"`
	Replies    int           `json:"replies"`
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
	Model      string          `json:"model"`                // erlang_a, erlang_c or chats
	Erlangs    float64         `json:"erlangs"`              // contacts times handle time over the slot
	Fractional float64         `json:"fractional,omitempty"` // heads that would just do, for calls
	Needed     int             `json:"needed"`               // the least whole number that reaches the target
	Floor      int             `json:"floor"`
	Ceiling    int             `json:"ceiling"` // 0 = none
	Heads      int             `json:"heads"`
	Wanted     int             `json:"wanted"`          // with what the slots before and openings bring, before floor, seats and ceiling
	Seats      []PromisedSeats `json:"seats,omitempty"` // that contracts promise in this slot
	Bound      string          `json:"bound,omitempty"` // what decided instead: "floor", "seats" of a contract, "ceiling", "backlog" of the slots before, "rush" of an opening, or the method "pooled" or "margin"
}

// ExplainedShrinkage is the way from heads on the queue to paid heads.
type ExplainedShrinkage struct {
	Share   float64        `json:"share"` // of paid time away from the queue, in this slot
	Paid    float64        `json:"paid"`
	Flat    bool           `json:"flat,omitempty"`  // one share was asked for
	Lines   []people.Line  `json:"lines,omitempty"` // by cause, from the heads outwards; they add up to Paid
	Sources []ShrinkSource `json:"sources,omitempty"`
	Mix     *people.Mix    `json:"mix,omitempty"` // of the team by weeks on the queue, where a ramp was asked for
}

// ExplainedTickets is what after-sales tickets add to the slot.
type ExplainedTickets struct {
	Heads int                      `json:"heads"` // on top of those for live contacts
	Slot  staffing.DeferredReached `json:"slot"`
	Until time.Time                `json:"until,omitzero"` // last slot of the interval that asks for the heads
	Plan  Deferred                 `json:"plan"`           // of all slots, which are left out
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
		Start: need.Start, Slot: slot, Need: need, Reached: reached, Options: o, Target: of.Target,
	}
	e.explainTickets(figures.Deferred, i, p.gate.Zone)
	if err := e.explainShrinkage(figures.Shrinkage, p.gate.Zone); err != nil {
		return e, err
	}
	if err := p.explainDemand(ctx, view, &e, of, reached); err != nil {
		return e, err
	}
	if err := p.explainTerm(ctx, view, &e, of); err != nil {
		return e, err
	}
	t, err := p.terms(ctx, view, plan.Queue, nil, o)
	if err != nil {
		return e, err
	}
	e.count(reached, stretch{queue: t.queue, agreed: t.agreed}.seatsAt(need.Start, p.gate.Zone))
	return e, p.explainMoney(ctx, view, &e, plan)
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
