package operations

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/search"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// lookBack is how much of the past the rules need: a month of overtime and the rest before.
const lookBack = 42 * 24 * time.Hour

// lookAhead is how much of the published future a new roster must fit: a week of runs and rests.
const lookAhead = 7 * 24 * time.Hour

// rosterIterations is the search budget when the caller names neither iterations nor a time.
const rosterIterations = 100_000

// RosterInput asks for one roster.
type RosterInput struct {
	Title      string
	From       calendar.Date // first day
	Days       int           // 1 to 62
	Plans      []ids.Plan    // the requirements to cover; empty: the newest plan of every queue for the days
	Seed       uint64
	Iterations int           // 0 with no Time = the default budget
	Time       time.Duration // stop after this; 0 = no limit
	Threads    int           // 0 = 2
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
	return fault.Bad("roster.input", "roster", bad)
}

// RosterMade is a new draft with its account.
type RosterMade struct {
	Roster   store.Roster    `json:"roster"`
	Solution roster.Solution `json:"solution"`
}

// MakeRoster solves the days and stores the result as a draft.
func (p *Planning) MakeRoster(ctx context.Context, who access.Principal, in RosterInput) (RosterMade, error) {
	if _, err := access.Decide(who, access.WritePlans); err != nil {
		return RosterMade{}, err
	}
	if err := in.Validate(); err != nil {
		return RosterMade{}, err
	}
	problem, plans, err := p.rosterProblem(ctx, in)
	if err != nil {
		return RosterMade{}, err
	}
	solution, err := roster.Solve(ctx, problem, in.budget())
	if err != nil {
		return RosterMade{}, err
	}
	return p.keepDraft(ctx, who, in, plans, problem, solution)
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
func (p *Planning) rosterProblem(ctx context.Context, in RosterInput) (roster.Problem, []ids.Plan, error) {
	span := calendar.Range{Start: in.From.In(p.deps.Zone), End: in.From.Add(in.Days).In(p.deps.Zone)}
	problem := roster.Problem{
		Range: span, Location: p.deps.Zone, Holidays: p.deps.Holidays, Rules: p.deps.Rules, Templates: houseTemplates(), Weights: roster.DefaultWeights(),
	}
	var used []ids.Plan
	err := p.deps.Store.Read(ctx, access.Scope{Everything: true}, func(view *store.View) error {
		plans, err := p.plansFor(ctx, view, in.Plans, span)
		if err != nil {
			return err
		}
		for _, plan := range plans {
			used = append(used, plan.ID)
			problem.Demand = append(problem.Demand, clip(plan.Requirement, span))
		}
		people, err := store.All(func(page store.Page) ([]store.Stored[workforce.Agent], string, error) {
			return view.Agents(ctx, store.AgentFilter{}, page)
		})
		if err != nil {
			return err
		}
		history, err := p.publishedBefore(ctx, view, span.Start)
		if err != nil {
			return err
		}
		agents := make([]workforce.Agent, len(people))
		for i, a := range people {
			agents[i] = a.Value
		}
		problem.Agents, err = rosterAgents(agents, history, span, p.deps.Zone)
		return err
	})
	if err == nil && len(problem.Demand) == 0 {
		err = fault.New(fault.NotFound, "roster.no_plan", "no staffing plan covers %s; make one first", in.From)
	}
	return problem, used, err
}

// plansFor are the named plans, or the newest plan of every queue that covers a part of the span.
func (p *Planning) plansFor(ctx context.Context, view *store.View, named []ids.Plan, span calendar.Range) ([]store.Plan, error) {
	if len(named) == 0 {
		all, err := store.All(func(page store.Page) ([]store.Plan, string, error) {
			return view.Plans(ctx, store.ForecastFilter{Range: span}, page)
		})
		if err != nil {
			return nil, err
		}
		seen := map[ids.Queue]bool{}
		for _, plan := range all { // newest first
			if !seen[plan.Queue] {
				seen[plan.Queue] = true
				named = append(named, plan.ID)
			}
		}
	}
	var plans []store.Plan
	for _, id := range named {
		plan, err := view.Plan(ctx, id)
		if err != nil {
			return nil, err
		}
		plans = append(plans, plan)
	}
	slices.SortFunc(plans, func(a, b store.Plan) int { return cmp.Compare(a.Queue, b.Queue) })
	return plans, nil
}

func clip(r scheduling.Requirement, span calendar.Range) scheduling.Requirement {
	r.Needs = slices.DeleteFunc(slices.Clone(r.Needs), func(n scheduling.Need) bool { return !span.Contains(n.Start) })
	return r
}

func (p *Planning) publishedBefore(ctx context.Context, view *store.View, start time.Time) ([]scheduling.Shift, error) {
	return p.published(ctx, view, calendar.Range{Start: start.Add(-lookBack), End: start})
}

// published are the binding shifts that share an instant with a range.
func (p *Planning) published(ctx context.Context, view *store.View, r calendar.Range) ([]scheduling.Shift, error) {
	found, err := store.All(func(page store.Page) ([]store.Shift, string, error) {
		return view.Shifts(ctx, store.ShiftFilter{State: store.Published, Range: r}, page)
	})
	if err != nil {
		return nil, err
	}
	out := make([]scheduling.Shift, len(found))
	for i, s := range found {
		out[i] = s.Shift
	}
	return out, nil
}

func (p *Planning) keepDraft(ctx context.Context, who access.Principal, in RosterInput, plans []ids.Plan, problem roster.Problem, s roster.Solution) (RosterMade, error) {
	now := p.deps.Now()
	figures := s
	figures.Roster.Shifts = nil
	text, err := json.Marshal(figures)
	if err != nil {
		return RosterMade{}, fault.Wrap(err, fault.Internal, "roster.figures", "the roster cannot be stored")
	}
	input, err := json.Marshal(problem.Demand)
	if err != nil {
		return RosterMade{}, fault.Wrap(err, fault.Internal, "roster.input", "the roster cannot be stored")
	}
	sum := sha256.Sum256(input)
	draft := store.Roster{
		ID: ids.New[ids.Roster](now), Title: cmp.Or(in.Title, "排班 "+in.From.String()), Range: problem.Range, State: store.Draft,
		CreatedAt: now, Author: who.User, Plans: plans, Seed: in.Seed, InputHash: hex.EncodeToString(sum[:]), Figures: text, Shifts: s.Roster.Shifts,
	}
	err = p.deps.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		meta, err := tx.AddRoster(draft)
		draft.Meta = meta
		return err
	})
	return RosterMade{Roster: draft, Solution: s}, err
}

// PublishRoster makes a draft binding after judging every shift by the rules once more; published
// rosters that lie inside the same days are archived in the same transaction. One that also covers
// other days is refused (roster.overlap), for its shifts there would be lost.
func (p *Planning) PublishRoster(ctx context.Context, who access.Principal, id ids.Roster, expect int) (store.Roster, error) {
	if _, err := access.Decide(who, access.WritePlans); err != nil {
		return store.Roster{}, err
	}
	draft, err := p.deps.Store.In(access.Scope{Everything: true}).Roster(ctx, id)
	if err != nil {
		return store.Roster{}, err
	}
	if err := p.lawful(ctx, draft); err != nil {
		return store.Roster{}, err
	}
	err = p.deps.Store.Change(ctx, who, p.deps.Now(), func(tx *store.Tx) error {
		older, err := store.All(func(page store.Page) ([]store.Roster, string, error) {
			return tx.In(access.Scope{Everything: true}).Rosters(ctx, store.RosterFilter{State: store.Published, Range: draft.Range}, page)
		})
		if err != nil {
			return err
		}
		for _, old := range older {
			if old.Range.Start.Before(draft.Range.Start) || old.Range.End.After(draft.Range.End) {
				return fault.New(fault.Conflict, "roster.overlap",
					"the published roster %q also covers other days; make a roster for all of its days", old.Title)
			}
			if _, err := tx.SetRosterState(old.ID, store.Archived, store.AnyVersion); err != nil {
				return err
			}
		}
		_, err = tx.SetRosterState(id, store.Published, expect)
		return err
	})
	if err != nil {
		return store.Roster{}, err
	}
	return p.deps.Store.In(access.Scope{Everything: true}).Roster(ctx, id)
}

// lawful judges a roster by the same rules that made it, together with what is published before and
// after it; agents may have changed since.
func (p *Planning) lawful(ctx context.Context, r store.Roster) error {
	view := p.deps.Store.In(access.Scope{Everything: true})
	people, err := store.All(func(page store.Page) ([]store.Stored[workforce.Agent], string, error) {
		return view.Agents(ctx, store.AgentFilter{}, page)
	})
	if err != nil {
		return err
	}
	history, err := p.publishedBefore(ctx, view, r.Range.Start)
	if err != nil {
		return err
	}
	agents := make([]workforce.Agent, len(people))
	for i, a := range people {
		agents[i] = a.Value
	}
	known, err := rosterAgents(agents, history, r.Range, p.deps.Zone)
	if err != nil {
		return err
	}
	persons := make([]workrules.Person, len(known))
	for i, a := range known {
		persons[i] = a.Person
	}
	reach := calendar.Range{Start: r.Range.Start, End: r.Range.End.Add(lookAhead)}
	later, err := p.published(ctx, view, calendar.Range{Start: r.Range.End, End: reach.End})
	if err != nil {
		return err
	}
	// What begins earlier belongs to a roster that this one replaces.
	later = slices.DeleteFunc(later, func(s scheduling.Shift) bool { return s.Start.Before(r.Range.End) })
	frame := workrules.NewFrame(reach, p.deps.Holidays, p.deps.Zone, p.deps.Rules)
	without := workrules.CheckAll(persons, slices.Concat(history, later), frame)
	bad := strangers(r.Shifts, persons)
	for _, v := range workrules.CheckAll(persons, slices.Concat(history, r.Shifts, later), frame) {
		if v.Hard && !slices.Contains(without, v) { // the later days may break a rule by themselves
			bad = append(bad, fault.Field{Path: string(v.Agent), Value: v.Rule, Problem: v.Sentence.ZH + " / " + v.Sentence.EN})
		}
	}
	if err := fault.Bad("roster.unlawful", "the roster breaks rules that may not be broken", bad); err != nil {
		e := fault.Of(err)
		e.Kind = fault.Conflict
		return e
	}
	return nil
}

// strangers names the agents of shifts whom the rules do not judge, because they do not work in these days.
func strangers(shifts []scheduling.Shift, known []workrules.Person) (bad []fault.Field) {
	seen := map[ids.Agent]bool{}
	for _, p := range known {
		seen[p.ID] = true
	}
	for _, s := range shifts {
		if !seen[s.Agent] {
			seen[s.Agent] = true
			bad = append(bad, fault.Field{Path: string(s.Agent), Value: "fit.employed", Problem: "不在合同期内 / is not employed in these days"})
		}
	}
	return bad
}

// Rosters lists rosters, newest first, without their shifts.
func (p *Planning) Rosters(ctx context.Context, who access.Principal, f store.RosterFilter, page store.Page) ([]store.Roster, string, error) {
	view, _, err := p.read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	return view.Rosters(ctx, f, page)
}

// Roster returns one roster with its shifts.
func (p *Planning) Roster(ctx context.Context, who access.Principal, id ids.Roster) (store.Roster, error) {
	view, _, err := p.read(who, access.ReadPlans)
	if err != nil {
		return store.Roster{}, err
	}
	return view.Roster(ctx, id)
}

// Shifts lists shifts by start; an agent sees its own published ones.
func (p *Planning) Shifts(ctx context.Context, who access.Principal, f store.ShiftFilter, page store.Page) ([]store.Shift, string, error) {
	view, _, err := p.read(who, access.ReadShifts)
	if err != nil {
		return nil, "", err
	}
	return view.Shifts(ctx, f, page)
}

// RosterWorkbook renders one roster for printing.
func (p *Planning) RosterWorkbook(ctx context.Context, who access.Principal, id ids.Roster) ([]byte, error) {
	r, err := p.Roster(ctx, who, id)
	if err != nil {
		return nil, err
	}
	view := p.deps.Store.In(access.Scope{Everything: true})
	people, err := store.All(func(page store.Page) ([]store.Stored[workforce.Agent], string, error) {
		return view.Agents(ctx, store.AgentFilter{}, page)
	})
	if err != nil {
		return nil, err
	}
	persons := make([]exports.RosterPerson, len(people))
	for i, a := range people {
		persons[i] = exports.RosterPerson{Agent: a.Value.ID, Name: a.Value.Name, Team: string(a.Value.Team)}
	}
	model := exports.RosterOf(r.Title, scheduling.Roster{Range: r.Range, Shifts: r.Shifts}, persons, p.deps.Holidays, p.deps.Zone)
	var out bytes.Buffer
	if err := workbook.Roster(&out, model); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
