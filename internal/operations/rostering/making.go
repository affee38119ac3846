package rostering

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
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/roster/search"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// rosterIterations is the search budget when the caller names neither iterations nor a time.
const rosterIterations = 100_000

// RosterInput asks for one roster.
type RosterInput struct {
	Title      string
	From       calendar.Date // first day
	Days       int           // 1 to 62
	Of         ids.Roster    // make only these days of this roster anew; its other days stay as they are
	Past       bool          // with Of: hours that have passed may change, as a correction
	Plans      []ids.Plan    // the requirements to cover; empty: for each queue and time the newest plan that covers it
	Seed       uint64
	Iterations int                // 0 with no Time = the default budget
	Time       time.Duration      // stop after this; 0 = no limit
	Threads    int                // 0 = 2
	Weights    map[string]float64 // by name; others are those of the house, or of the roster whose days are made anew
	MinBlock   *time.Duration     // least time on one queue, 0 = none; nil as with Weights
	Progress   func(done float64, cost float64)
}

// Validate reports every bad field.
func (in RosterInput) Validate() error {
	var bad []fault.Field
	if in.From.IsZero() {
		bad = append(bad, fault.Field{Path: "from", Problem: "is needed"})
	}
	if in.Days < 1 || in.Days > 62 {
		bad = append(bad, fault.Field{Path: "days", Value: fmt.Sprint(in.Days), Problem: "must be between 1 and 62"})
	}
	if in.Threads < 0 || in.Threads > 64 {
		bad = append(bad, fault.Field{Path: "threads", Value: fmt.Sprint(in.Threads), Problem: "must be between 1 and 64"})
	}
	if in.Iterations < 0 || in.Iterations > maxIterations {
		bad = append(bad, fault.Field{Path: "iterations", Value: fmt.Sprint(in.Iterations), Problem: fmt.Sprintf("must be between 0 and %d", maxIterations)})
	}
	if in.Time < 0 || in.Time > time.Hour {
		bad = append(bad, fault.Field{Path: "time", Value: in.Time.String(), Problem: "must be between 0 and 1h"})
	}
	_, wrong := revising.HouseTerms().With(in.Weights, in.MinBlock)
	bad = append(append(bad, wrong...), gate.Repeats("plans", in.Plans)...)
	return fault.Bad("roster.input", "roster", bad)
}

// maxIterations bounds one search: about an hour on the largest rosters.
const maxIterations = 5_000_000

// softExamples is how many breaches of one rule are told one by one.
const softExamples = 3

// RosterMade is a new draft with its account.
type RosterMade struct {
	Roster    store.Roster         `json:"roster"`
	Solution  roster.Solution      `json:"solution"`
	Soft      []workrules.Breaches `json:"soft_rules"`          // Solution.Violations by rule
	Day       calendar.Date        `json:"day,omitzero"`        // first day made anew, with RosterInput.Of: Solution is of the days made anew only
	Changes   []revise.Change      `json:"changes,omitempty"`   // of the days made anew; none: they stay as they were
	Unplanned []gate.GapDays       `json:"unplanned,omitempty"` // open days of the rostered queues without a plan: nobody was rostered for them
	Notes     []string             `json:"notes,omitempty"`     // of its calendar: years whose bridge and make-up days are not known
}

// rosterSnapshot is what a roster is made from.
type rosterSnapshot struct {
	problem   roster.Problem
	plans     []ids.Plan
	unplanned []gate.GapDays
	terms     revising.Terms
	version   int // of the roster whose days are made anew
}

// MakeRoster solves the days and stores the result as a draft. What is published before and after the
// days binds as what lies inside them does. With Of the result is the next revision of that roster, or of
// a draft that is made of it when it is published.
//
// Errors: roster.input, roster.no_plan, roster.busy, roster.past (a day that has begun, without Past).
func (r *Rostering) MakeRoster(ctx context.Context, who access.Principal, in RosterInput) (RosterMade, error) {
	if _, err := access.Decide(who, access.WritePlans); err != nil {
		return RosterMade{}, err
	}
	if err := in.Validate(); err != nil {
		return RosterMade{}, err
	}
	if in.Of != "" && !in.Past && in.From.In(r.gate.Zone).Before(r.gate.Now()) {
		return RosterMade{}, fault.Bad("roster.past", "roster", []fault.Field{{
			Path: "from", Value: in.From.String(), Problem: "has begun: edit or repair what is left of the day; past (--past) makes it anew all the same, as a correction",
		}})
	}
	snapshot, err := r.rosterProblem(ctx, in)
	if err != nil {
		return RosterMade{}, err
	}
	select { // a search takes whole cores: a third one at a time would only slow down the others
	case r.solving <- struct{}{}:
		defer func() { <-r.solving }()
	default:
		e := fault.New(fault.RateLimited, "roster.busy", "%d rosters are being made already; try again when one is done", cap(r.solving))
		e.RetryAfter = time.Minute
		return RosterMade{}, e
	}
	solution, err := roster.Solve(ctx, snapshot.problem, in.budget())
	if err != nil {
		return RosterMade{}, err
	}
	if in.Of != "" {
		return r.keepDays(ctx, who, in, snapshot, solution)
	}
	return r.keepDraft(ctx, who, in, snapshot, solution)
}

func (in RosterInput) budget() roster.Options {
	started := time.Now()
	o := roster.Options{
		Seed: in.Seed, Iterations: in.Iterations, Time: in.Time, Threads: cmp.Or(in.Threads, 2),
		Elapsed: func() time.Duration { return time.Since(started) },
	}
	if in.Progress != nil {
		o.Progress = func(p search.Progress) { in.Progress(p.Done, p.Cost) }
	}
	if o.Iterations == 0 && o.Time == 0 {
		o.Iterations = rosterIterations
	}
	return o
}

// rosterProblem takes the snapshot the optimiser works on.
func (r *Rostering) rosterProblem(ctx context.Context, in RosterInput) (rosterSnapshot, error) {
	span := calendar.Range{Start: in.From.In(r.gate.Zone), End: in.From.Add(in.Days).In(r.gate.Zone)}
	var out rosterSnapshot
	err := r.gate.Store.Read(ctx, access.Scope{Everything: true}, func(view *store.View) error {
		rules, err := r.desk.Rules(ctx, view)
		if err != nil {
			return err
		}
		out = rosterSnapshot{problem: roster.Problem{
			Range: span, Location: r.gate.Zone, Holidays: r.policy.Holidays, Rules: rules,
		}, terms: revising.HouseTerms()}
		if err := r.demand(ctx, view, in.Plans, &out); err != nil {
			return err
		}
		if in.Of != "" {
			err = r.aroundDays(ctx, view, in.Of, &out)
		} else {
			err = r.freshPeople(ctx, view, &out)
		}
		if err != nil {
			return err
		}
		out.problem.Templates = revising.Templates(out.problem.Agents)
		out.terms, _ = out.terms.With(in.Weights, in.MinBlock) // Validate has seen them
		out.problem.Weights, out.problem.MinBlock = out.terms.Weights, time.Duration(out.terms.MinBlock)
		return r.desk.Seat(ctx, view, &out.problem)
	})
	if err == nil && len(out.problem.Demand) == 0 {
		err = fault.New(fault.NotFound, "roster.no_plan", "no staffing plan covers %s to %s; make one first", in.From, in.From.Add(in.Days-1))
	}
	return out, err
}

// freshPeople are those of a new roster with what they have worked before it.
func (r *Rostering) freshPeople(ctx context.Context, view *store.View, out *rosterSnapshot) (err error) {
	if out.problem.Agents, err = r.desk.People(ctx, view, out.problem.Range, nil); err != nil {
		return err
	}
	return r.desk.Burdens(ctx, view, out.problem.Agents, out.problem.Range.Start)
}

// demand fills in one requirement per queue, joined from the plans that decide its days.
func (r *Rostering) demand(ctx context.Context, view *store.View, named []ids.Plan, out *rosterSnapshot) error {
	chosen, err := r.plansFor(ctx, view, named, out.problem.Range)
	if err != nil {
		return err
	}
	for _, c := range chosen {
		need := scheduling.Requirement{Queue: c.Queue}
		for i := range c.Docs {
			plan, err := view.Plan(ctx, c.Docs[i].ID)
			if err != nil {
				return err
			}
			if i > 0 && plan.Requirement.Slot != need.Slot {
				return fault.New(fault.Conflict, "roster.plan_slots", "the plans of queue %s have different slots; make a new plan of all the days", c.Queue)
			}
			need.Slot = plan.Requirement.Slot
			need.Needs = append(need.Needs, revising.Clip(plan.Requirement.Needs, c.Shares[i])...)
			out.plans = append(out.plans, plan.ID)
		}
		slices.SortFunc(need.Needs, func(a, b scheduling.Need) int { return a.Start.Compare(b.Start) })
		if len(need.Needs) > 0 {
			out.problem.Demand = append(out.problem.Demand, need)
		}
		queue, err := view.Queue(ctx, c.Queue)
		if err != nil {
			return err
		}
		days, err := gate.OpenDays(c.Left, queue.Hours, r.gate.Zone)
		if err != nil {
			return err
		}
		if len(days) > 0 {
			out.unplanned = append(out.unplanned, gate.GapDays{Queue: c.Queue, Days: days})
		}
	}
	return nil
}

// plansFor shares the span out among the named plans, or among all plans, without their requirements.
func (r *Rostering) plansFor(ctx context.Context, view *store.View, named []ids.Plan, span calendar.Range) ([]gate.Covered[store.Plan], error) {
	queue := func(plan store.Plan) ids.Queue { return plan.Queue }
	if len(named) == 0 {
		all, err := store.All(func(page store.Page) ([]store.Plan, string, error) {
			return view.Plans(ctx, store.ForecastFilter{Range: span}, page)
		})
		if err != nil {
			return nil, err
		}
		return gate.Divide(all, queue, gate.PlanCover, span), nil
	}
	var plans []store.Plan
	for _, id := range named {
		plan, err := view.Plan(ctx, id)
		if err != nil {
			return nil, err
		}
		plans = append(plans, plan)
	}
	if err := fault.Bad("roster.input", "roster", gate.Clashes("plans", plans, queue, gate.PlanCover, span)); err != nil {
		return nil, err
	}
	return gate.Divide(plans, queue, gate.PlanCover, span), nil
}

// keptReasons is how many stretches keep their reasons and fixes with a roster, the dearest ones: all of a
// fortnight are megabytes. The others are worked out when somebody asks.
const keptReasons = 400

// dearest takes reasons and fixes from all but the dearest stretches.
func dearest(all []roster.Uncovered) []roster.Uncovered {
	if len(all) <= keptReasons {
		return all
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(all[y].Worth, all[x].Worth) })
	out := slices.Clone(all)
	for _, i := range order[keptReasons:] {
		out[i].Reasons, out[i].Fixes = nil, nil
	}
	return out
}

func (r *Rostering) keepDraft(ctx context.Context, who access.Principal, in RosterInput, from rosterSnapshot, s roster.Solution) (RosterMade, error) {
	now := r.gate.Now()
	figures := struct {
		roster.Solution
		Terms     revising.Terms `json:"terms"`
		Unplanned []gate.GapDays `json:"unplanned,omitempty"`
	}{s, from.terms, from.unplanned}
	figures.Roster.Shifts, figures.Uncovered = nil, dearest(s.Uncovered)
	text, err := json.Marshal(figures)
	if err != nil {
		return RosterMade{}, fault.Wrap(err, fault.Internal, "roster.figures", "the roster cannot be stored")
	}
	sum, err := rosterHash(from.problem, in.budget())
	if err != nil {
		return RosterMade{}, err
	}
	draft := store.Roster{
		ID: ids.New[ids.Roster](now), Title: cmp.Or(in.Title, "排班 "+in.From.String()), Range: from.problem.Range, State: store.Draft,
		CreatedAt: now, Author: who.User, Plans: from.plans, Seed: in.Seed, InputHash: sum, Figures: text, Shifts: s.Roster.Shifts,
	}
	err = r.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		meta, err := tx.AddRoster(draft)
		draft.Meta = meta
		return err
	})
	return RosterMade{Roster: draft, Solution: s, Soft: workrules.ByRule(s.Violations, from.problem.Rules, softExamples), Unplanned: from.unplanned, Notes: r.calendarNotes(draft.Range)}, err
}
