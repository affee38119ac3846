// Package revising is what every use case that changes a roster stands on: what an edit would do, and
// the revision that it makes. Edits by hand, repairs, swaps, leave and accepted offers come through here,
// so all of them are judged by the same rules and leave the same trail.
//
// It owns how people and their published shifts become persons of the rules, and the price of a change.
// It does not own permissions (the groups of use cases ask first), nor the rules and the arithmetic
// (workrules, roster/revise). Times are instants; a day is a business day in Policy.Zone.
package revising

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Policy is what every judgement of the house rests on.
type Policy struct {
	Zone     *time.Location
	Holidays calendar.Holidays
	Rules    workrules.Params
}

// Desk judges and makes changes of rosters. It is safe for concurrent use.
type Desk struct {
	policy Policy
	mu     sync.Mutex
	plans  map[ids.Plan]store.Plan // immutable once made, and slow to unpack
}

// New makes a desk; it does no I/O.
func New(p Policy) *Desk { return &Desk{policy: p, plans: map[ids.Plan]store.Plan{}} }

// mostPlans bounds the memory: a plan of two weeks is about a megabyte.
const mostPlans = 200

// plan reads a plan, once. What it needs is kept without the reasons, which only an explanation shows.
func (d *Desk) plan(ctx context.Context, view *store.View, id ids.Plan) (store.Plan, error) {
	d.mu.Lock()
	known, ok := d.plans[id]
	d.mu.Unlock()
	if ok {
		return known, nil
	}
	p, err := view.Plan(ctx, id)
	if err != nil {
		return p, err
	}
	for i := range p.Requirement.Needs {
		p.Requirement.Needs[i].Reason = ""
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.plans) >= mostPlans {
		clear(d.plans)
	}
	d.plans[id] = p
	return p, nil
}

// Requirement is what the plans of a roster ask for in a span: for each queue the newest plan that speaks
// about an instant decides it, as when the roster was made.
func (d *Desk) Requirement(ctx context.Context, view *store.View, plans []ids.Plan, span calendar.Range) ([]scheduling.Requirement, error) {
	var docs []store.Plan
	for _, id := range plans {
		p, err := d.plan(ctx, view, id)
		if err != nil {
			return nil, err
		}
		docs = append(docs, p)
	}
	slices.SortStableFunc(docs, func(a, b store.Plan) int { return b.CreatedAt.Compare(a.CreatedAt) })
	var out []scheduling.Requirement
	for _, c := range gate.Divide(docs, func(p store.Plan) ids.Queue { return p.Queue }, gate.PlanCover, span) {
		need := scheduling.Requirement{Queue: c.Queue}
		for i, doc := range c.Docs {
			need.Slot = doc.Requirement.Slot
			need.Needs = append(need.Needs, Clip(doc.Requirement.Needs, c.Shares[i])...)
		}
		slices.SortFunc(need.Needs, func(a, b scheduling.Need) int { return a.Start.Compare(b.Start) })
		if len(need.Needs) > 0 {
			out = append(out, need)
		}
	}
	return out, nil
}

// Clip keeps the needs that start in some ranges.
func Clip(needs []scheduling.Need, ranges []calendar.Range) []scheduling.Need {
	var out []scheduling.Need
	for _, n := range needs {
		if gate.Inside(ranges, n.Start) {
			out = append(out, n)
		}
	}
	return out
}
