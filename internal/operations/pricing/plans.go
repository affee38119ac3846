package pricing

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// PlanInput asks for a staffing requirement per queue.
type PlanInput struct {
	Forecasts []ids.Forecast // empty: for each queue and time what was agreed with the client, else the newest forecast
	Merchant  ids.Merchant   // narrows an empty Forecasts
	Newest    bool           // the newest forecast even on days that were agreed with the client
	From      calendar.Date
	Days      int // 1 to 62
	Options       // zero fields take the defaults
}

// Options are what a plan assumes beside demand, contracts and people.
type Options struct {
	Method       Method   `json:"method"`                 // "" = each
	Level        float64  `json:"level"`                  // quantile to staff at; 0 = 0.9
	Shrinkage    float64  `json:"shrinkage"`              // share of paid time away from the queue; 0 = by cause
	MinHeads     int      `json:"min_heads"`              // in every open slot; 1 to 1000, 0 = 1
	MaxHeads     int      `json:"max_heads"`              // seats per queue and slot; 0 = no ceiling
	Seats        SeatRule `json:"seats,omitempty"`        // of contracts that are a floor: dedicated, all or none; "" = dedicated
	VolumeFactor float64  `json:"volume_factor"`          // contacts are multiplied by it, 0.01 to 100; 0 = 1
	HandleFactor float64  `json:"aht_factor"`             // and handle times; 0 = 1
	TargetShare  float64  `json:"target_share,omitempty"` // instead of the contracts' share within the limit; with method margin no slot may expect less; 0 = the contracts'
	Sales                 // what conversations sell and what a lost one is worth, which no contract says

	People  *People        `json:"people,omitempty"`  // shrinkage by cause; nil = what is known, and the defaults
	Tickets *TicketOptions `json:"tickets,omitempty"` // after-sales tickets beside live contacts, method each only
}

// withDefaults fills the zero values.
func (o Options) withDefaults() Options {
	o.Method, o.Level = cmp.Or(o.Method, Each), cmp.Or(o.Level, defaultLevel)
	o.MinHeads, o.VolumeFactor, o.HandleFactor = cmp.Or(o.MinHeads, 1), cmp.Or(o.VolumeFactor, 1), cmp.Or(o.HandleFactor, 1)
	return o
}

// maxDays is the longest plan.
const maxDays = 62

// Validate reports every bad field.
func (in PlanInput) Validate() error {
	return fault.Bad("plan.input", "plan", in.problems())
}

func (in PlanInput) problems() (bad []fault.Field) {
	if in.From.IsZero() {
		bad = append(bad, fault.Field{Path: "from", Problem: "is needed"})
	}
	if in.Days < 1 || in.Days > maxDays {
		bad = append(bad, fault.Field{Path: "days", Value: fmt.Sprint(in.Days), Problem: "must be between 1 and 62"})
	}
	bad = append(bad, in.Options.problems()...)
	return append(bad, gate.Repeats("forecasts", in.Forecasts)...)
}

func (o Options) problems() (bad []fault.Field) {
	share := func(path string, v float64) {
		if !(v >= 0 && v < 1) {
			bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(v), Problem: "must lie between 0 and 1"})
		}
	}
	share("level", o.Level)
	share("shrinkage", o.Shrinkage)
	share("target_share", o.TargetShare)
	if o.MinHeads < 0 || o.MinHeads > 1000 {
		bad = append(bad, fault.Field{Path: "min_heads", Value: fmt.Sprint(o.MinHeads), Problem: "must be between 0 and 1000"})
	}
	if o.MaxHeads < 0 {
		bad = append(bad, fault.Field{Path: "max_heads", Value: fmt.Sprint(o.MaxHeads), Problem: "must not be negative"})
	} else if o.MaxHeads > 0 && o.MaxHeads < cmp.Or(o.MinHeads, 1) {
		bad = append(bad, fault.Field{Path: "max_heads", Value: fmt.Sprint(o.MaxHeads), Problem: "must not be below min_heads"})
	}
	factor := func(path string, v float64) {
		if v != 0 && !(v >= 0.01 && v <= 100) {
			bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(v), Problem: "must be between 0.01 and 100"})
		}
	}
	bad = append(bad, o.Sales.problems()...)
	factor("volume_factor", o.VolumeFactor)
	factor("aht_factor", o.HandleFactor)
	if _, known := methods[cmp.Or(o.Method, Each)]; !known {
		bad = append(bad, fault.Field{Path: "method", Value: fault.Shorten(string(o.Method)), Problem: "must be one of " + methodNames()})
	}
	if o.Seats != "" && o.Seats != DedicatedSeats && o.Seats != AllSeats && o.Seats != NoSeats {
		bad = append(bad, fault.Field{Path: "seats", Value: fault.Shorten(string(o.Seats)), Problem: "must be dedicated, all or none"})
	}
	bad = append(append(bad, o.People.problems()...), o.Tickets.problems()...)
	return append(bad, o.misfits()...)
}

// misfits are options that the method has no use for.
func (o Options) misfits() (bad []fault.Field) {
	if o.Method == PooledMethod && o.MaxHeads > 0 {
		bad = append(bad, fault.Field{Path: "max_heads", Value: fmt.Sprint(o.MaxHeads), Problem: "does not go with method pooled: queues share their agents"})
	}
	if o.Shrinkage > 0 && o.People != nil {
		bad = append(bad, fault.Field{Path: "shrinkage", Value: fmt.Sprint(o.Shrinkage), Problem: "does not go with people: one share for all, or shares by cause"})
	}
	return bad
}

// PlanFigures is what a stored plan says about itself.
type PlanFigures struct {
	Hours    float64            `json:"hours"` // head-hours required
	Peak     int                `json:"peak"`  // most heads in a slot
	PeakAt   time.Time          `json:"peak_at,omitzero"`
	Contacts float64            `json:"contacts"`           // planned for: every slot at Level, added up, which a whole day does not bring
	Expected float64            `json:"expected,omitempty"` // contacts that are expected in these slots
	Unmet    int                `json:"unmet"`              // slots in which MaxHeads cut the need
	Reached  []staffing.Reached `json:"reached,omitempty"`
	// Alone is, where agents are pooled, the heads that would serve the queue as well by themselves, and where heads were
	// added for tickets, those for live contacts; one per need.
	// Service and deductions are priced with them, hours and wages with the heads of the plan.
	Alone []int `json:"alone,omitempty"`

	Shrinkage *Shrinkage   `json:"shrinkage,omitempty"` // on the way to Need.Paid; nil in plans of releases that had one share only
	Seats     *SeatFigures `json:"seats,omitempty"`     // that contracts promise; nil = none
	Deferred  *Deferred    `json:"deferred,omitempty"`  // after-sales tickets; nil = not planned

	Options   Options         `json:"options"`             // zero in plans of releases that did not keep them
	Scenario  ids.Scenario    `json:"scenario,omitempty"`  // that was promoted to this plan
	Parts     []PlanPart      `json:"parts,omitempty"`     // what the plan is made of, ascending
	Uncovered []calendar.Date `json:"uncovered,omitempty"` // open days asked for that no forecast covers
}

// PlanPart is a stretch of a plan that one demand and one target decide.
type PlanPart struct {
	Range    calendar.Range  `json:"range"`
	Forecast ids.Forecast    `json:"forecast"`
	Lock     ids.Lock        `json:"lock,omitempty"`   // the agreement with the client that chose forecast and layers
	Layers   []ids.Layer     `json:"layers,omitempty"` // adjustments in force
	Target   staffing.Target `json:"target"`
	Pace     *Pace           `json:"pace,omitempty"`   // chats: behind Target.Slow and Target.Overhead
	Rushes   []Rush          `json:"rushes,omitempty"` // chats: at the openings in the range
	Agreed   *AgreedTerm     `json:"agreed,omitempty"` // the contract term behind the target; none = assumed
}

// AgreedTerm names the term of a contract that a target comes from.
type AgreedTerm struct {
	Contract ids.Contract `json:"contract"`
	Version  int          `json:"version"`
	Term     string       `json:"term"`
}

// MakePlans turns forecasts into heads per slot, one plan per queue, held against the contract in
// force on the day: its first-response term is the target, its ladder prices a contact that misses
// it. What was agreed with the client for a day is planned; else the newest forecast with its adjustments.
// The range of a plan is what is covered, and its figures name the open days that are not.
//
// Errors: plan.input (every bad field), plan.no_forecast, store.not_found, those of staffing.Plan.
func (p *Pricing) MakePlans(ctx context.Context, who access.Principal, in PlanInput) ([]store.Plan, error) {
	view, scope, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return nil, err
	}
	if err := in.Validate(); err != nil {
		return nil, err
	}
	made, err := p.draft(ctx, asker{who, view, scope}, in)
	if err != nil {
		return nil, err
	}
	err = p.gate.Store.Change(ctx, who, p.gate.Now(), func(tx *store.Tx) error { return p.keep(tx, made.plans) })
	return made.plans, err
}

// keep stores plans under new ids.
func (p *Pricing) keep(tx *store.Tx, plans []store.Plan) error {
	for i := range plans {
		plans[i].ID = ids.New[ids.Plan](tx.Now())
		plans[i].CreatedAt, plans[i].Author = tx.Now(), tx.Actor().User
		if err := tx.AddPlan(plans[i]); err != nil {
			return err
		}
	}
	return nil
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

// FiguresOf reads what a plan says about itself; empty for one that was not made here.
func FiguresOf(plan store.Plan) PlanFigures {
	var f PlanFigures
	if err := json.Unmarshal(plan.Figures, &f); err != nil {
		return PlanFigures{}
	}
	return f
}

// Plans lists plans in scope, newest first, without their requirements.
func (p *Pricing) Plans(ctx context.Context, who access.Principal, f store.ForecastFilter, page store.Page) ([]store.Plan, string, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	return view.Plans(ctx, f, page)
}

// Plan returns one plan with its requirement.
func (p *Pricing) Plan(ctx context.Context, who access.Principal, id ids.Plan) (store.Plan, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return store.Plan{}, err
	}
	return view.Plan(ctx, id)
}
