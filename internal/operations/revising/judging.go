package revising

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Verdict is what edits of a roster would do.
type Verdict struct {
	Roster   ids.Roster            `json:"roster"`
	State    store.RosterState     `json:"state"`
	Version  int                   `json:"version"` // of the roster that was judged
	Revision int                   `json:"revision"`
	Allowed  bool                  `json:"allowed"` // no hard rule is broken that was not broken before
	Broken   []Broken              `json:"broken"`  // what the edits would break or make worse
	Cured    []workrules.Violation `json:"cured"`   // what they would put right
	Changes  []revise.Change       `json:"changes"`
	Past     []revise.Change       `json:"past,omitempty"` // those that change hours that have passed: they are made as a correction only
	Cost     *CostChange           `json:"cost,omitempty"` // missing when no plan says what the shifts are for
}

// Broken is a rule that would be broken, with what would make it legal.
type Broken struct {
	workrules.Violation
	Remedies []workrules.Remedy `json:"remedies,omitempty"` // the least change first, each judged
}

// CostChange is what the edits change in yuan: above 0 is dearer.
type CostChange struct {
	Short float64 `json:"short"` // of understaffing, by what a head is worth under contract
	Over  float64 `json:"over"`
	Wages float64 `json:"wages"` // as the law pays the hours; of a salary only what comes on top of it
	// Switches are changes of queue inside shifts, at the price of the roster.
	Switches float64 `json:"switches"`
	// SoftRules are the soft rules that break more or less often than before, at the price of the roster.
	SoftRules float64 `json:"soft_rules"`
	// MinWork are hours of the contract that are not worked any more (below 0: that are), at the price of the roster.
	MinWork float64              `json:"min_work"`
	Total   float64              `json:"total"`
	Pay     []workrules.PayShare `json:"pay,omitempty"` // working time that comes (below 0: goes), by percentage of the wage
	// PayWhy says why hours of another day are paid otherwise.
	PayWhy workrules.Text `json:"pay_why,omitzero"`
}

// mostRemedied is how many broken hard rules get their remedies worked out; a planner reads no more.
const mostRemedied = 3

// Judge says what edits of a roster would do; it changes nothing. Errors: roster.edit (edits that make
// no roster, agents that nobody knows), store.not_found.
func (d *Desk) Judge(ctx context.Context, view *store.View, id ids.Roster, edits []revise.Edit) (Verdict, error) {
	head, err := view.RosterHead(ctx, id)
	if err != nil {
		return Verdict{}, err
	}
	if err := knownQueues(ctx, view, edits); err != nil {
		return Verdict{}, err
	}
	touched := revise.Touches(edits)
	if len(touched) == 0 {
		_, err := revise.Apply(nil, edits)
		return Verdict{}, err
	}
	own, err := shiftsOf(ctx, view, store.ShiftFilter{Roster: id, Agents: touched})
	if err != nil {
		return Verdict{}, err
	}
	after, err := revise.Apply(own, edits)
	if err != nil {
		return Verdict{}, err
	}
	changes := revise.Between(own, after, d.policy.Zone)
	absent, err := d.takenOff(ctx, view, head, edits, changes)
	if err != nil {
		return Verdict{}, err
	}
	return d.Weigh(ctx, view, head, changes, absent)
}

// knownQueues refuses edits that put somebody on a queue that is not there.
func knownQueues(ctx context.Context, view *store.View, edits []revise.Edit) error {
	var bad []fault.Field
	told := map[ids.Queue]string{"": ""}
	for i, e := range edits {
		if e.Shift == nil {
			continue
		}
		for k, a := range e.Shift.Activities {
			if _, known := told[a.Queue]; !known {
				problem, err := gate.QueueProblem(ctx, view, a.Queue)
				if err != nil {
					return err
				}
				told[a.Queue] = problem
			}
			if problem := told[a.Queue]; problem != "" {
				bad = append(bad, fault.Field{Path: fmt.Sprintf("edits[%d].shift.activities[%d].queue", i, k), Value: fault.Shorten(string(a.Queue)), Problem: problem})
			}
		}
	}
	return fault.Bad("roster.edit", "edit", bad)
}

// Weigh says what changes of a roster would do, however they came about, and with them who is absent by them.
func (d *Desk) Weigh(ctx context.Context, view *store.View, head store.Roster, changes []revise.Change, absent []revise.Absence) (Verdict, error) {
	v := Verdict{
		Roster: head.ID, State: head.State, Version: head.Version, Revision: head.Revision, Changes: changes,
		Broken: []Broken{}, Cured: []workrules.Violation{}, Allowed: true,
	}
	touched := revise.Agents(changes)
	if len(touched) == 0 {
		return v, nil
	}
	people, err := d.PeopleOf(ctx, view, head, touched)
	if err != nil {
		return v, err
	}
	if err := unknown(changes, people); err != nil {
		return v, err
	}
	own, err := shiftsOf(ctx, view, store.ShiftFilter{Roster: head.ID, Agents: touched})
	if err != nil {
		return v, err
	}
	paid, err := d.Paid(ctx, view, head.Range, people)
	if err != nil {
		return v, err
	}
	if err := d.judge(&v, head, paid.Rules, people, own); err != nil {
		return v, err
	}
	terms, err := TermsOf(head)
	if err != nil {
		return v, err
	}
	sites, err := d.Sites(ctx, view)
	if err != nil {
		return v, err
	}
	var around []stretch
	if priced := len(head.Plans) > 0; priced || len(sites) > 0 {
		if around, err = stretches(ctx, view, head, changes, !priced); err != nil {
			return v, err
		}
	}
	if err := d.judgePlaces(ctx, view, &v, head, time.Duration(terms.MinBlock), sites, around); err != nil {
		return v, err
	}
	v.Cost, err = d.price(ctx, view, head, terms.Weights, revise.NewPayroll(paid), own, around, changes)
	if v.Cost != nil {
		v.Cost.SoftRules = terms.Weights.SoftRule * float64(v.softer())
		v.Cost.MinWork = terms.Weights.MinWork * d.owed(head, paid.Rules, people, own, changes, absent).Hours()
		v.Cost.Total += v.Cost.SoftRules + v.Cost.MinWork
	}
	return v, err
}

// owed is by how much more changes leave people below the hours of their contracts. A day on which somebody is absent
// is not owed.
func (d *Desk) owed(head store.Roster, rules workrules.Params, people []roster.Agent, own []scheduling.Shift, changes []revise.Change, absent []revise.Absence) (more time.Duration) {
	before, after := revise.WorkOf(own), revise.WorkOf(applied(own, changes))
	for _, p := range people {
		if !p.Salaried {
			continue
		}
		more -= max(0, p.MinWork-before[p.Person.ID])
		person := p.Person
		person.Unavailable = slices.Clone(person.Unavailable)
		for _, a := range absent {
			if a.Agent == person.ID {
				person.Unavailable = append(person.Unavailable, a.Range)
			}
		}
		more += max(0, d.contractHours(&person, head.Range, rules.NormalDay)-after[person.ID])
	}
	return more
}

// softer is how many soft rules more break than before.
func (v Verdict) softer() (n int) {
	for _, b := range v.Broken {
		if !b.Hard {
			n++
		}
	}
	for _, c := range v.Cured {
		if !c.Hard {
			n--
		}
	}
	return n
}

// unknown refuses changes for people who do not work in the days of the roster.
func unknown(changes []revise.Change, people []roster.Agent) error {
	var bad []fault.Field
	for i, c := range changes {
		if c.After != nil && !slices.ContainsFunc(people, func(a roster.Agent) bool { return a.Person.ID == c.After.Agent }) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("changes[%d].agent", i), Value: string(c.After.Agent), Problem: "is nobody who is employed in these days"})
		}
	}
	return fault.Bad("roster.edit", "edit", bad)
}

// judge asks the rules about each person that is touched.
func (d *Desk) judge(v *Verdict, head store.Roster, rules workrules.Params, people []roster.Agent, own []scheduling.Shift) error {
	remedied := 0
	for _, p := range people {
		c := workrules.Case{
			Person: p.Person, Range: head.Range, Holidays: d.policy.Holidays, Location: d.policy.Zone, Params: rules,
			Shifts: slices.Concat(p.History, shiftsBy(own, p.Person.ID), p.Later),
		}
		var change workrules.Change
		for _, x := range v.Changes {
			if x.Before != nil && x.Before.Agent == p.Person.ID {
				change.Drop = append(change.Drop, *x.Before)
			}
			if x.After != nil && x.After.Agent == p.Person.ID {
				change.Add = append(change.Add, *x.After)
			}
		}
		outcome, err := c.Try(change)
		if err != nil {
			return err
		}
		v.Allowed = v.Allowed && outcome.Allowed()
		v.Cured = append(v.Cured, outcome.Cured...)
		for _, broken := range outcome.New {
			b := Broken{Violation: broken}
			if broken.Hard && remedied < mostRemedied {
				remedied++
				b.Remedies = outcome.After.Remedies(broken)
			}
			v.Broken = append(v.Broken, b)
		}
	}
	return nil
}

func shiftsBy(shifts []scheduling.Shift, agent ids.Agent) []scheduling.Shift {
	return slices.DeleteFunc(slices.Clone(shifts), func(s scheduling.Shift) bool { return s.Agent != agent })
}

// price is what changes cost against the requirement of the roster's plans, by the weights under which the roster was made, and in
// wages: all shifts of the people they touch, because one shift more can make another one overtime. Of the
// heads only the times that change are looked at.
func (d *Desk) price(ctx context.Context, view *store.View, head store.Roster, weights roster.Weights, pay *revise.Payroll, own []scheduling.Shift, around []stretch, changes []revise.Change) (*CostChange, error) {
	if len(head.Plans) == 0 {
		return nil, nil //nolint:nilnil // a roster that rests on no plan has no price
	}
	var cost CostChange
	was, before := pay.Of(own)
	becomes, after := pay.Of(applied(own, changes))
	more := becomes.Minus(was)
	cost.Wages, cost.Pay = weights.Wage*(after-before), more.Shares()
	cost.PayWhy, _ = more.RestDayMoved()
	for _, stretch := range around {
		// A slot of a day may begin long before the change that lies in it.
		demand, err := d.Requirement(ctx, view, head.Plans, calendar.Range{Start: stretch.span.Start.Add(-longestSlot), End: stretch.span.End})
		if err != nil {
			return nil, err
		}
		board := revise.NewBoard(stretch.span, demand, weights)
		for _, s := range stretch.shifts {
			board.Count(s, 1)
		}
		shortBefore, overBefore := board.Price()
		for _, c := range changes {
			if c.Before != nil {
				board.Count(*c.Before, -1)
			}
			if c.After != nil {
				board.Count(*c.After, 1)
			}
		}
		short, over := board.Price()
		cost.Short, cost.Over = cost.Short+short-shortBefore, cost.Over+over-overBefore
	}
	for _, c := range changes {
		cost.Switches += weights.Switch * float64(switches(c.After)-switches(c.Before))
	}
	cost.Total = cost.Short + cost.Over + cost.Wages + cost.Switches
	return &cost, nil
}

// applied are shifts after changes.
func applied(shifts []scheduling.Shift, changes []revise.Change) []scheduling.Shift {
	out := slices.Clone(shifts)
	for _, c := range changes {
		if c.Before != nil {
			out = slices.DeleteFunc(out, func(s scheduling.Shift) bool { return revise.Same(s, *c.Before) })
		}
		if c.After != nil {
			out = append(out, *c.After)
		}
	}
	return out
}

// longestSlot is the longest slot that a requirement may have.
const longestSlot = 24 * time.Hour

// stretch is a stretch of time in which a roster changes, with the roster's shifts in it.
type stretch struct {
	span   calendar.Range
	shifts []scheduling.Shift
}

// stretches reads what a roster has around changes, bare without the activities.
func stretches(ctx context.Context, view *store.View, head store.Roster, changes []revise.Change, bare bool) (out []stretch, err error) {
	for _, span := range spansOf(changes) {
		there, err := shiftsOf(ctx, view, store.ShiftFilter{Roster: head.ID, Range: span, Bare: bare})
		if err != nil {
			return nil, err
		}
		out = append(out, stretch{span, there})
	}
	return out, nil
}

// meets says whether a change takes something out of the stretch or puts something into it.
func (s stretch) meets(c revise.Change) bool {
	return c.Before != nil && c.Before.Range().Overlaps(s.span) || c.After != nil && c.After.Range().Overlaps(s.span)
}

// spansOf are the stretches of time in which changes lie, apart and ascending, on whole hours.
func spansOf(changes []revise.Change) (out []calendar.Range) {
	var all []calendar.Range
	for _, c := range changes {
		for _, s := range []*scheduling.Shift{c.Before, c.After} {
			if s != nil {
				all = append(all, calendar.Range{Start: s.Start.Truncate(time.Hour), End: s.End.Add(time.Hour - 1).Truncate(time.Hour)})
			}
		}
	}
	slices.SortFunc(all, func(a, b calendar.Range) int { return a.Start.Compare(b.Start) })
	for _, r := range all {
		if n := len(out); n > 0 && !out[n-1].End.Before(r.Start) {
			if out[n-1].End.Before(r.End) {
				out[n-1].End = r.End
			}
			continue
		}
		out = append(out, r)
	}
	return out
}

// switches counts the changes of queue inside a shift; nil has none.
func switches(s *scheduling.Shift) int {
	if s == nil {
		return 0
	}
	return revise.Switches(*s)
}
