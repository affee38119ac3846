package rostering

import (
	"context"
	"strconv"
	"strings"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// Ref names a roster, or one of its revisions, as ID or ID@revision.
type Ref struct {
	Roster   ids.Roster `json:"roster"`
	Revision int        `json:"revision"` // 0: the newest
}

// ParseRef reads ID or ID@revision. Errors: roster.ref.
func ParseRef(text string) (Ref, error) {
	id, number, found := strings.Cut(text, "@")
	n := 0
	if found {
		var err error
		if n, err = strconv.Atoi(number); err != nil || n < 1 {
			return Ref{}, fault.New(fault.Invalid, "roster.ref", "%q is no roster and no revision such as ID@2", fault.Shorten(text))
		}
	}
	return Ref{ids.Roster(id), n}, nil
}

// RosterDiff is what one roster, or revision, has that another one has not.
type RosterDiff struct {
	From  Ref            `json:"from"`
	To    Ref            `json:"to"`
	Range calendar.Range `json:"range"` // from the first to the last instant of both
	revise.Diff
	Priced bool          `json:"priced"` // the yuan and head-hours are against the plans of To
	Cover  []QueueChange `json:"coverage,omitempty"`
}

// QueueChange is how many head-hours of a queue's need are missing in either.
type QueueChange struct {
	Queue  ids.Queue `json:"queue"`
	Needed float64   `json:"needed_hours"`
	Before float64   `json:"missing_hours_before"`
	After  float64   `json:"missing_hours_after"`
}

// DiffRosters compares two rosters, or two revisions of one: shifts added, removed and moved, hours by
// agent, and, where the second rests on plans, coverage and cost against them.
func (r *Rostering) DiffRosters(ctx context.Context, who access.Principal, from, to Ref) (RosterDiff, error) {
	_, scope, err := r.gate.Read(who, access.ReadPlans)
	if err != nil {
		return RosterDiff{}, err
	}
	var out RosterDiff
	err = r.gate.Store.Read(ctx, scope, func(view *store.View) error {
		a, err := view.RosterAt(ctx, from.Roster, from.Revision)
		if err != nil {
			return err
		}
		b, err := view.RosterAt(ctx, to.Roster, to.Revision)
		if err != nil {
			return err
		}
		out = RosterDiff{
			From: Ref{a.ID, a.Revision}, To: Ref{b.ID, b.Revision}, Range: union(a.Range, b.Range), Diff: revise.Compare(a.Shifts, b.Shifts, r.gate.Zone),
		}
		if len(b.Plans) == 0 {
			return nil
		}
		return r.priceDiff(ctx, view, &out, a, b)
	})
	return out, err
}

// priceDiff holds both against the requirement of the second.
func (r *Rostering) priceDiff(ctx context.Context, view *store.View, out *RosterDiff, a, b store.Roster) error {
	demand, err := r.demandOf(ctx, view, b, out.Range)
	if err != nil {
		return err
	}
	out.Priced = true
	before, after := demand.Board(b.Range, a.Shifts), demand.Board(b.Range, b.Shifts)
	out.Before, out.After = out.Before.Priced(before), out.After.Priced(after)
	out.Before.Wages, out.After.Wages = demand.Wages(a.Shifts), demand.Wages(b.Shifts)
	for _, need := range demand.Needs {
		c := QueueChange{Queue: need.Queue}
		_, c.Before = before.HoursOf(need.Queue)
		c.Needed, c.After = after.HoursOf(need.Queue)
		out.Cover = append(out.Cover, c)
	}
	return nil
}

// demandOf is what the shifts of a roster are for, and what those in a span are paid.
func (r *Rostering) demandOf(ctx context.Context, view *store.View, head store.Roster, paid calendar.Range) (revise.Demand, error) {
	terms, err := revising.TermsOf(head)
	if err != nil {
		return revise.Demand{}, err
	}
	demand := revise.Demand{Weights: terms.Weights}
	if demand.Needs, err = r.desk.Requirement(ctx, view, head.Plans, head.Range); err != nil {
		return demand, err
	}
	people, err := r.desk.People(ctx, view, paid, nil)
	if err != nil {
		return demand, err
	}
	demand.Payroll, err = r.desk.Payroll(ctx, view, paid, people)
	return demand, err
}

func union(a, b calendar.Range) calendar.Range {
	if b.Start.Before(a.Start) {
		a.Start = b.Start
	}
	if a.End.Before(b.End) {
		a.End = b.End
	}
	return a
}
