package rostering

import (
	"context"
	"encoding/json"
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
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// RosterExplained is what a roster costs and what is short in it, why nobody fills it, and what would, all of one
// revision. Of a roster that was changed since it was made, or whose rest-day work is given back as time off, everything
// is worked out anew from its shifts as they are, by the people and rules of now: cost, parts, hours, stretches with
// reasons and fixes, soft rules; only what a day is paid by is what held on it. Nobody knows how cheap
// another roster for them would be, so it has no bound; Made holds what the first revision was made with.
type RosterExplained struct {
	roster.Solution

	// In the place of the solution's: nil for a roster that was changed.
	Bound   *float64 `json:"bound,omitempty"`   // yuan; no roster can cost less
	Gap     *float64 `json:"gap,omitempty"`     // share of the cost
	Savable *float64 `json:"savable,omitempty"` // yuan; cost less bound

	Soft []workrules.Breaches `json:"soft_rules"` // Violations by rule
	// Recorded are hard rules that the shifts of a changed roster break: hours that were worked and entered although
	// they were not lawful.
	Recorded []workrules.Breaches `json:"recorded_breaches,omitempty"`
	// Since are hard rules that its shifts break although they were lawful when they were rostered: what they are
	// judged by changed since. A shift counts once for each rule.
	Since     []workrules.Breaches `json:"broken_since,omitempty"`
	Unplanned []gate.GapDays       `json:"unplanned,omitempty"`
	Revision  int                  `json:"revision"`         // that is explained
	Changed   bool                 `json:"changed"`          // since it was made, or rest-day work of its days was given back as time off
	Totals    *revise.Totals       `json:"totals,omitempty"` // of a changed roster, priced as a diff prices them
	Made      *MadeFigures         `json:"made,omitempty"`   // of a changed roster
	Head      store.Roster         `json:"-"`                // with its shifts

	madeMissing float64
	asItStands  bool // the newest revision: what is on file by now speaks against older ones
}

// MadeFigures are what a roster was made with.
type MadeFigures struct {
	Cost    float64      `json:"cost"`
	Parts   roster.Parts `json:"parts"`
	Bound   float64      `json:"bound"`
	Gap     float64      `json:"gap"`
	Savable float64      `json:"savable"`
	Missing float64      `json:"missing_hours"`
}

// ExplainRoster says what a roster, or one of its revisions, costs and what is short in it. ask narrows it to some
// stretches, or wants fixes for all.
//
// Errors: access.forbidden, store.not_found, queue.unknown, roster.figures for one that keeps none, roster.no_stretch when nothing
// is short where it was asked about.
func (r *Rostering) ExplainRoster(ctx context.Context, who access.Principal, ref Ref, ask roster.Question) (RosterExplained, error) {
	_, scope, err := r.gate.Read(who, access.ReadPlans)
	if err != nil {
		return RosterExplained{}, err
	}
	var out RosterExplained
	var problem *roster.Problem
	var rules workrules.Params
	var knew revising.Overruled
	err = r.gate.Store.Read(ctx, scope, func(view *store.View) error {
		head, err := view.RosterAt(ctx, ref.Roster, ref.Revision)
		if err != nil {
			return err
		}
		if ask.Queue != "" {
			if err := gate.KnownQueue(ctx, view, ask.Queue); err != nil {
				return err
			}
		}
		if err := out.keep(head.Figures); err != nil {
			return fault.Wrap(err, fault.NotFound, "roster.figures", "the roster %s keeps no figures", head.ID)
		}
		newest, err := view.RosterHead(ctx, ref.Roster)
		if err != nil {
			return err
		}
		if rules, err = r.desk.Rules(ctx, view); err != nil {
			return err
		}
		out.asItStands = head.Revision == newest.Revision
		out.Head, out.Revision, out.Changed = head, head.Revision, head.Revision > 1
		if ref.Revision > 0 {
			out.Revision, out.Changed = ref.Revision, ref.Revision > 1
		}
		if len(head.Plans) > 0 && !out.Changed {
			if out.Changed, err = r.desk.LieuIn(ctx, view, head.Range); err != nil {
				return err
			}
		}
		if len(head.Plans) == 0 || !out.Changed && ask == (roster.Question{}) && out.told() {
			return nil
		}
		if problem, err = r.problemOf(ctx, view, head); err == nil {
			err = r.desk.Burdens(ctx, view, problem.Agents, head.Range.Start)
		}
		if err == nil && out.Changed {
			err = r.recount(ctx, view, &out)
		}
		if err == nil && out.Changed && out.asItStands {
			knew, err = revising.OverruledIn(ctx, view, head)
		}
		return err
	})
	if err == nil && problem != nil { // outside of the transaction: it takes its time
		err = out.ask(*problem, ask)
	}
	if out.Soft, out.Recorded, out.Since = brokenRules(out.Violations, out.Head.Shifts, rules, knew); !out.asItStands {
		out.Recorded, out.Since = nil, nil
	}
	return out, err
}

// keep reads what a roster was made with.
func (e *RosterExplained) keep(figures []byte) error {
	if err := json.Unmarshal(figures, e); err != nil {
		return err
	}
	if err := json.Unmarshal(figures, &e.Solution); err != nil {
		return err
	}
	made := &e.Solution
	made.Savable = max(0, made.Cost-made.Bound) // rosters of before it was kept
	e.Bound, e.Gap, e.Savable = new(made.Bound), new(made.Gap), new(made.Savable)
	return nil
}

// brokenRules sums violations up by rule: the soft ones, the hard ones that somebody entered knowingly, and the hard
// ones that were none when the shifts were rostered. Of those a shift counts once for each rule.
func brokenRules(all []workrules.Violation, shifts []scheduling.Shift, rules workrules.Params, knew revising.Overruled) (soft, recorded, since []workrules.Breaches) {
	var weak, entered, later []workrules.Violation
	type place struct {
		rule  string
		agent ids.Agent
		at    int64
	}
	told := map[place]bool{}
	for _, v := range all {
		switch {
		case !v.Hard:
			weak = append(weak, v)
		case knew.Knew(v):
			entered = append(entered, v)
		default:
			p := place{v.Rule, v.Agent, v.Range.Start.UnixNano()}
			if i := slices.IndexFunc(shifts, func(s scheduling.Shift) bool { return s.Agent == v.Agent && s.Range().Overlaps(v.Range) }); i >= 0 {
				p.at = shifts[i].Start.UnixNano()
			}
			if !told[p] {
				told[p], later = true, append(later, v)
			}
		}
	}
	group := func(found []workrules.Violation) []workrules.Breaches {
		return workrules.ByRule(found, rules, softExamples)
	}
	return group(weak), group(entered), group(later)
}

// told reports whether the reasons of every stretch were kept.
func (e *RosterExplained) told() bool {
	return !slices.ContainsFunc(e.Uncovered, func(u roster.Uncovered) bool { return len(u.Reasons) == 0 })
}

// ask works the stretches out from the shifts as they are.
func (e *RosterExplained) ask(p roster.Problem, ask roster.Question) error {
	said, err := roster.Explain(p, e.Head.Shifts, ask)
	if err != nil {
		return err
	}
	e.Uncovered, e.FixesFor = said.Uncovered, said.FixesFor
	if len(e.Uncovered) == 0 && (ask.Queue != "" || !ask.At.IsZero()) {
		return fault.New(fault.NotFound, "roster.no_stretch", "nothing is short there in the roster %s", e.Head.ID)
	}
	if e.Changed {
		e.Violations, e.Idle, e.Salaries = roster.Judge(p, e.Head.Shifts), said.Idle, p.Salaries()
		e.Made = &MadeFigures{e.Cost, e.Parts, e.Solution.Bound, e.Solution.Gap, e.Solution.Savable, e.madeMissing}
		e.Bound, e.Gap, e.Savable = nil, nil, nil
		e.Parts = revise.Account(p, e.Head.Shifts, e.Violations)
		e.Weigh(0)
	}
	return nil
}

// problemOf is the problem that a stored roster answers, by the people and rules of now.
func (r *Rostering) problemOf(ctx context.Context, view *store.View, head store.Roster) (*roster.Problem, error) {
	terms, err := revising.TermsOf(head)
	if err != nil {
		return nil, err
	}
	p := roster.Problem{
		Range: calendar.Range{Start: head.Range.Start.In(r.gate.Zone), End: head.Range.End.In(r.gate.Zone)}, Location: r.gate.Zone, Holidays: r.policy.Holidays, Weights: terms.Weights, MinBlock: time.Duration(terms.MinBlock),
	}
	if p.Rules, err = r.desk.Rules(ctx, view); err != nil {
		return nil, err
	}
	if p.PastRules, err = r.desk.PastRules(ctx, view); err != nil {
		return nil, err
	}
	if p.Demand, err = r.desk.Requirement(ctx, view, head.Plans, head.Range); err != nil {
		return nil, err
	}
	if p.Agents, err = r.desk.PeopleOf(ctx, view, head, nil); err != nil {
		return nil, err
	}
	p.Templates = revising.Templates(p.Agents)
	return &p, r.desk.Seat(ctx, view, &p)
}

// recount replaces the hours by those of the shifts as they are, and prices them.
func (r *Rostering) recount(ctx context.Context, view *store.View, out *RosterExplained) error {
	head := out.Head
	demand, err := r.demandOf(ctx, view, head, head.Range)
	if err != nil {
		return err
	}
	board := demand.Board(head.Range, head.Shifts)
	now := revise.TotalsOf(head.Shifts).Priced(board)
	now.Wages = demand.Wages(head.Shifts)
	out.madeMissing = out.Missing
	out.Totals, out.Needed, out.Missing = &now, now.Needed, now.Missing
	return nil
}
