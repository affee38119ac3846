package rostering

import (
	"context"
	"fmt"
	"slices"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// aroundDays makes the other days of a roster a part of what binds: the days to be made anew have to fit
// what comes before and after them, inside the roster and beyond it.
func (r *Rostering) aroundDays(ctx context.Context, view *store.View, id ids.Roster, out *rosterSnapshot) error {
	whole, err := view.Roster(ctx, id)
	if err != nil {
		return err
	}
	span := out.problem.Range
	if span.Start.Before(whole.Range.Start) || span.End.After(whole.Range.End) {
		return fault.Bad("roster.input", "roster", []fault.Field{{Path: "from", Value: span.Start.In(r.gate.Zone).Format("2006-01-02"), Problem: "these days do not lie inside the roster " + whole.Title}})
	}
	people, err := r.desk.PeopleOf(ctx, view, whole, nil)
	if err != nil {
		return err
	}
	before, within, after := inside(whole.Shifts, span)
	for i := range people {
		p := &people[i]
		if p.MinWork > 0 { // what the other days leave of the contract
			work := revise.WorkOf(slices.Concat(of(before, p.Person.ID), of(after, p.Person.ID)))
			p.MinWork = max(0, p.MinWork-work[p.Person.ID])
		}
		p.History = slices.Concat(p.History, of(before, p.Person.ID))
		p.Later = slices.Concat(of(after, p.Person.ID), p.Later)
	}
	// What somebody works on the other days of this roster counts for fairness like what was before it.
	if err := r.desk.Burdens(ctx, view, people, whole.Range.Start); err != nil {
		return err
	}
	r.desk.AddBurdens(people, slices.Concat(before, after), whole.Range, out.problem.Rules)
	out.problem.Agents, out.problem.Previous, out.version = people, within, whole.Version
	out.terms, err = revising.TermsOf(whole)
	return err
}

// salariesOn are the salaries of days made anew.
func (r *Rostering) salariesOn(p *roster.Problem) (sum float64) {
	for i := range p.Agents {
		yuan, _ := r.desk.SalaryOf(p, &p.Agents[i], p.Range)
		sum += yuan
	}
	return sum
}

func of(shifts []scheduling.Shift, agent ids.Agent) (out []scheduling.Shift) {
	for _, s := range shifts {
		if s.Agent == agent {
			out = append(out, s)
		}
	}
	return out
}

// keepDays puts the days that were made anew into their roster.
func (r *Rostering) keepDays(ctx context.Context, who access.Principal, in RosterInput, from rosterSnapshot, s roster.Solution) (RosterMade, error) {
	if shifts := steady(from.problem, s.Roster.Shifts); len(revise.Between(shifts, s.Roster.Shifts, r.gate.Zone)) > 0 {
		var err error
		if s, err = recounted(from.problem, s, shifts); err != nil {
			return RosterMade{}, err
		}
	}
	s.Salaries = r.salariesOn(&from.problem)
	s.Idle = nil // who is off on a day is no news
	changes := revise.Between(from.problem.Previous, s.Roster.Shifts, r.gate.Zone)
	made := RosterMade{Solution: s, Soft: workrules.ByRule(s.Violations, from.problem.Rules, softExamples), Day: in.From, Changes: changes, Unplanned: from.unplanned, Notes: r.calendarNotes(from.problem.Range)}
	id := in.Of
	if len(changes) > 0 {
		done, err := r.apply(ctx, who, revising.Change{
			Roster: in.Of, Expect: from.version, Changes: changes, Why: "remake", Overrule: true, Past: in.Past,
			Reason:  fmt.Sprintf("重排 %s 起 %d 天 / made anew from %[1]s, days: %[2]d", in.From, in.Days),
			Figures: struct{ Cost, Bound float64 }{s.Cost, s.Bound},
		})
		if err != nil {
			return made, err
		}
		id = done.Roster.ID
	}
	var err error
	made.Roster, err = r.gate.Everything().Roster(ctx, id)
	return made, err
}
