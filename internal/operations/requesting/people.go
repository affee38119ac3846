package requesting

import (
	"context"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// situation is everything that a change of some shifts is judged on.
type situation struct {
	agents   map[ids.Agent]roster.Agent
	order    []ids.Agent // by id
	shifts   []scheduling.Shift
	owners   map[ids.Agent][]scheduling.Shift
	rosters  []store.Roster // published ones that share an instant with the range
	rules    workrules.Params
	judged   calendar.Range
	zone     *time.Location
	holidays calendar.Holidays
}

// situation reads the people and the published shifts around a range; only of these agents, or of all
// when none is named.
func (q *Requesting) situation(ctx context.Context, view *store.View, r calendar.Range, only ...ids.Agent) (*situation, error) {
	rules, err := q.desk.Rules(ctx, view)
	if err != nil {
		return nil, err
	}
	s := &situation{
		agents: map[ids.Agent]roster.Agent{}, owners: map[ids.Agent][]scheduling.Shift{}, rules: rules, judged: q.around(r, rules),
		zone: q.gate.Zone, holidays: q.policy.Holidays,
	}
	people, err := q.desk.People(ctx, view, s.judged, only)
	if err != nil {
		return nil, err
	}
	for _, a := range people {
		s.agents[a.Person.ID] = a
		s.order = append(s.order, a.Person.ID)
	}
	span := calendar.Range{Start: s.judged.Start.Add(-revising.LookBack), End: s.judged.End.Add(revising.LookAhead)}
	if s.shifts, err = q.desk.Published(ctx, view, span, only); err != nil {
		return nil, err
	}
	for _, x := range s.shifts {
		s.owners[x.Agent] = append(s.owners[x.Agent], x)
	}
	s.rosters, err = store.All(func(p store.Page) ([]store.Roster, string, error) {
		return view.Rosters(ctx, store.RosterFilter{State: store.Published, Range: r}, p)
	})
	return s, err
}

// caseOf is one person with its shifts, as the rules judge it. Errors: store.not_found.
func (s *situation) caseOf(id ids.Agent) (workrules.Case, error) {
	a, known := s.agents[id]
	if !known {
		return workrules.Case{}, fault.New(fault.NotFound, store.ErrNotFound.Code, "there is no agent %q who is employed then", fault.Shorten(string(id)))
	}
	return workrules.Case{Person: a.Person, Shifts: s.owners[id], Range: s.judged, Holidays: s.holidays, Location: s.zone, Params: s.rules}, nil
}

// shiftAt is the published shift of an agent that starts at an instant, with its roster. Errors:
// request.no_shift.
func (q *Requesting) shiftAt(ctx context.Context, view *store.View, a ids.Agent, at time.Time) (store.Shift, error) {
	found, _, err := view.Shifts(ctx, store.ShiftFilter{State: store.Published, Agent: a, Range: calendar.Range{Start: at, End: at.Add(time.Minute)}}, store.Page{})
	if err != nil {
		return store.Shift{}, err
	}
	for _, s := range found {
		if s.Start.Equal(at) {
			return s, nil
		}
	}
	return store.Shift{}, fault.New(fault.NotFound, "request.no_shift", "%s has no published shift that starts at %s", a, at.UTC().Format(time.RFC3339))
}

// rosterFor is the published roster that a new shift belongs to. Errors: request.no_roster.
func (s *situation) rosterFor(r calendar.Range) (ids.Roster, error) {
	for _, x := range s.rosters {
		if x.Range.Contains(r.Start) {
			return x.ID, nil
		}
	}
	return "", fault.New(fault.Conflict, "request.no_roster", "no published roster covers %s", r.Start.UTC().Format(time.RFC3339))
}

// coverage is what is needed and who is there around a range, by the plans that decide its days.
func (q *Requesting) coverage(ctx context.Context, view *store.View, r calendar.Range, shifts []scheduling.Shift, shortYuan float64) (*leave.Coverage, error) {
	zone := q.gate.Zone
	days := calendar.Range{Start: calendar.DateOf(r.Start, zone).In(zone), End: calendar.DateOf(r.End, zone).Add(1).In(zone)}
	plans, err := store.All(func(p store.Page) ([]store.Plan, string, error) {
		return view.Plans(ctx, store.ForecastFilter{Range: days}, p)
	})
	if err != nil {
		return nil, err
	}
	var demand []scheduling.Requirement
	for _, c := range gate.Divide(plans, func(p store.Plan) ids.Queue { return p.Queue }, gate.PlanCover, days) {
		for i, doc := range c.Docs {
			plan, err := view.Plan(ctx, doc.ID)
			if err != nil {
				return nil, err
			}
			part := plan.Requirement
			part.Needs = slices.DeleteFunc(slices.Clone(part.Needs), func(n scheduling.Need) bool { return !gate.Inside(c.Shares[i], n.Start) })
			demand = append(demand, part)
		}
	}
	if shortYuan, err = q.shortYuan(ctx, view, days, shortYuan); err != nil {
		return nil, err
	}
	near := slices.DeleteFunc(slices.Clone(shifts), func(s scheduling.Shift) bool { return !s.Range().Overlaps(days) })
	return leave.NewCoverage(demand, near, shortYuan), nil
}

// shortYuan is what a missing head-hour without a value of its own costs: by the roster that binds in a
// range, or by the house's policy when that roster kept no prices.
func (q *Requesting) shortYuan(ctx context.Context, view *store.View, r calendar.Range, house float64) (float64, error) {
	binding, err := store.All(func(p store.Page) ([]store.Roster, string, error) {
		return view.Rosters(ctx, store.RosterFilter{State: store.Published, Range: r}, p)
	})
	if err != nil {
		return 0, err
	}
	for _, b := range binding {
		if kept, err := revising.KeptTerms(b); err != nil || kept != nil {
			if err != nil {
				return 0, err
			}
			return kept.Weights.Short, nil
		}
	}
	return house, nil
}
