package pricing

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
)

// ScenarioInput asks for plans that nobody works by, with their price.
type ScenarioInput struct {
	Name string // unique; letters, digits and . _ - / : @
	Note string
	PlanInput
}

// maxScenarioNote is the longest note or reason, in bytes.
const maxScenarioNote = 2000

// Validate reports every bad field.
func (in ScenarioInput) Validate() error {
	var bad []fault.Field
	if problem := ids.Check(in.Name); problem != "" {
		bad = append(bad, fault.Field{Path: "name", Value: fault.Shorten(in.Name), Problem: problem})
	}
	bad = append(bad, tooLong("note", in.Note)...)
	return fault.Bad("scenario.input", "scenario", append(bad, in.problems()...))
}

func tooLong(path, text string) []fault.Field {
	if len(text) > maxScenarioNote {
		return []fault.Field{{Path: path, Value: fault.Shorten(text), Problem: "is longer than 2000 bytes"}}
	}
	return nil
}

// ScenarioAsked is what a scenario was made with, as it is kept.
type ScenarioAsked struct {
	Merchant  ids.Merchant   `json:"merchant,omitempty"`
	Forecasts []ids.Forecast `json:"forecasts,omitempty"`
	Newest    bool           `json:"newest,omitempty"`
	Options
}

// Scenario is a stored scenario with its figures read.
type Scenario struct {
	ID         ids.Scenario     `json:"id"`
	Name       string           `json:"name"`
	Dates      calendar.Dates   `json:"dates"`
	At         time.Time        `json:"at"`
	AuthorName string           `json:"author_name"`
	Note       string           `json:"note,omitempty"`
	Asked      ScenarioAsked    `json:"asked"`
	Price      Price            `json:"price"`
	SHA256     string           `json:"sha256"` // of its plans
	Promoted   *store.Promotion `json:"promoted,omitempty"`
	Plans      []store.Plan     `json:"plans,omitempty"` // without ids of their own; empty in lists
}

func scenarioOf(s store.Scenario) (Scenario, error) {
	out := Scenario{
		ID: s.ID, Name: s.Name, Dates: s.Dates, At: s.At, AuthorName: s.AuthorName, Note: s.Note, SHA256: s.SHA256, Promoted: s.Promoted, Plans: s.Plans,
	}
	if err := json.Unmarshal(s.Asked, &out.Asked); err != nil {
		return out, fault.Wrap(err, fault.Internal, "scenario.asked", "the scenario %s cannot be read", s.ID)
	}
	if err := json.Unmarshal(s.Figures, &out.Price); err != nil {
		return out, fault.Wrap(err, fault.Internal, "scenario.figures", "the scenario %s cannot be read", s.ID)
	}
	return out, nil
}

// MakeScenario computes plans, prices them and keeps both under a name. Nothing changes a scenario
// afterwards. Errors: scenario.input (every bad field), plan.no_forecast, store.conflict when the name is
// taken, those of staffing.Plan.
func (p *Pricing) MakeScenario(ctx context.Context, who access.Principal, in ScenarioInput) (Scenario, error) {
	view, scope, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return Scenario{}, err
	}
	if err := in.Validate(); err != nil {
		return Scenario{}, err
	}
	made, err := p.draft(ctx, asker{who, view, scope}, in.PlanInput)
	if err != nil {
		return Scenario{}, err
	}
	dates := calendar.Dates{From: in.From, Until: in.From.Add(in.Days)}
	price, err := p.priced(ctx, view, made.plans, dates)
	if err != nil {
		return Scenario{}, err
	}
	price.Pooled, price.Money = made.pooled, made.money
	asked, err := json.Marshal(ScenarioAsked{Merchant: in.Merchant, Forecasts: in.Forecasts, Newest: in.Newest, Options: in.withDefaults()})
	if err != nil {
		return Scenario{}, fault.Wrap(err, fault.Internal, "scenario.asked", "the scenario cannot be stored")
	}
	figures, err := json.Marshal(price)
	if err != nil {
		return Scenario{}, fault.Wrap(err, fault.Internal, "scenario.figures", "the scenario cannot be stored")
	}
	now := p.gate.Now()
	var kept store.Scenario
	err = p.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		kept, err = tx.AddScenario(store.Scenario{ID: ids.New[ids.Scenario](now), Name: in.Name, Dates: dates, Note: in.Note, Asked: asked, Figures: figures, Plans: made.plans})
		return err
	})
	if err != nil {
		return Scenario{}, err
	}
	return scenarioOf(kept)
}

// Scenarios lists scenarios, newest first, without their plans.
func (p *Pricing) Scenarios(ctx context.Context, who access.Principal, page store.Page) ([]Scenario, string, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	rows, next, err := view.Scenarios(ctx, page)
	if err != nil {
		return nil, "", err
	}
	out := make([]Scenario, len(rows))
	for i, s := range rows {
		if out[i], err = scenarioOf(s); err != nil {
			return nil, "", err
		}
	}
	return out, next, nil
}

// Scenario returns one scenario with its plans, by its id or name. Errors: store.not_found.
func (p *Pricing) Scenario(ctx context.Context, who access.Principal, key string) (Scenario, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return Scenario{}, err
	}
	return p.scenario(ctx, view, key)
}

func (p *Pricing) scenario(ctx context.Context, view *store.View, key string) (Scenario, error) {
	s, err := view.Scenario(ctx, key)
	if err != nil {
		return Scenario{}, err
	}
	return scenarioOf(s)
}

// DeleteScenario takes a scenario away; the audit trail keeps that it was there. Errors: store.not_found,
// store.conflict for one that was promoted.
func (p *Pricing) DeleteScenario(ctx context.Context, who access.Principal, key string) error {
	view, _, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return err
	}
	s, err := view.Scenario(ctx, key)
	if err != nil {
		return err
	}
	return p.gate.Store.Change(ctx, who, p.gate.Now(), func(tx *store.Tx) error { return tx.DeleteScenario(s.ID) })
}

// Promoted is a scenario that became plans.
type Promoted struct {
	Scenario ids.Scenario    `json:"scenario"`
	Name     string          `json:"name"`
	Promoted store.Promotion `json:"promoted"`
	Plans    []store.Plan    `json:"plans"`
}

// PromoteScenario makes the plans of a scenario the newest ones of its days, which is the plan in force.
// Plans that were made after the scenario and cover days of it would be put out of force by something older:
// that needs a reason, which the audit trail keeps. Errors: store.not_found, store.conflict when it was
// promoted before, scenario.overtaken (newer plans, without a reason), scenario.input.
func (p *Pricing) PromoteScenario(ctx context.Context, who access.Principal, key, reason string) (Promoted, error) {
	_, scope, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return Promoted{}, err
	}
	reason = strings.TrimSpace(reason)
	if err := fault.Bad("scenario.input", "scenario", tooLong("reason", reason)); err != nil {
		return Promoted{}, err
	}
	var done Promoted
	// Read inside the change: of a plan that is made at the same time it is known which is newer.
	err = p.gate.Store.Change(ctx, who, p.gate.Now(), func(tx *store.Tx) error {
		view := tx.In(scope)
		s, err := view.Scenario(ctx, key)
		if err != nil {
			return err
		}
		if s.Promoted == nil && reason == "" {
			if err := p.overtaken(ctx, view, s); err != nil {
				return err
			}
		}
		plans := slices.Clone(s.Plans)
		if s.Promoted != nil {
			plans = nil // the store says that it was promoted before
		}
		for i := range plans {
			if plans[i].Figures, err = promotedFigures(plans[i], s.ID); err != nil {
				return err
			}
		}
		if err := p.keep(tx, plans); err != nil {
			return err
		}
		made := make([]ids.Plan, len(plans))
		for i, plan := range plans {
			made[i] = plan.ID
		}
		done = Promoted{Scenario: s.ID, Name: s.Name, Plans: plans}
		done.Promoted, err = tx.PromoteScenario(s.ID, reason, made)
		return err
	})
	return done, err
}

// promotedFigures name the scenario that a plan comes from.
func promotedFigures(plan store.Plan, id ids.Scenario) (json.RawMessage, error) {
	figures := FiguresOf(plan)
	figures.Scenario = id
	text, err := json.Marshal(figures)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "plan.figures", "the plan of %s cannot be stored", plan.Queue)
	}
	return text, nil
}

// overtaken names the plans that are newer than a scenario and cover some of its days.
func (p *Pricing) overtaken(ctx context.Context, view *store.View, s store.Scenario) error {
	var newer []string
	for _, own := range s.Plans {
		all, err := store.All(func(page store.Page) ([]store.Plan, string, error) {
			return view.Plans(ctx, store.ForecastFilter{Queue: own.Queue, Range: own.Range}, page)
		})
		if err != nil {
			return err
		}
		for _, other := range all {
			if other.CreatedAt.After(s.At) && touch(gate.PlanCover(own), gate.PlanCover(other)) {
				newer = append(newer, fmt.Sprintf("%s (plan %s of %s)", own.Queue, other.ID, other.CreatedAt.In(p.gate.Zone).Format(time.DateTime)))
				break
			}
		}
	}
	if len(newer) == 0 {
		return nil
	}
	const shown = 3
	text := strings.Join(newer[:min(shown, len(newer))], ", ")
	if more := len(newer) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fault.New(fault.Conflict, "scenario.overtaken",
		"days of the scenario %q have newer plans: %s; make the scenario anew, or give a reason why the older figures shall hold", s.Name, text)
}

// touch reports an instant that is in ranges of both.
func touch(a, b []calendar.Range) bool {
	return slices.ContainsFunc(a, func(r calendar.Range) bool { return slices.ContainsFunc(b, r.Overlaps) })
}
