package requesting

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// LeaveInput asks for leave: whole days, or a range of hours.
type LeaveInput struct {
	Agent  ids.Agent
	Kind   leave.LeaveKind
	Dates  calendar.Dates // whole days; Until is the first day back
	Range  calendar.Range // instead of days
	Reason string
	Proof  string
	Dry    bool // only say what would come of it
}

// maxLeaveDays bounds one request: maternity leave with its extensions fits.
const maxLeaveDays = 366

// span checks the input and gives the instants. Errors: leave.input with every bad field.
func (q *Requesting) span(in LeaveInput) (calendar.Range, error) {
	var bad []fault.Field
	r := in.Range
	hasDates := in.Dates != calendar.Dates{}
	switch {
	case hasDates == r.Valid():
		bad = append(bad, fault.Field{Path: "dates", Problem: "give either first and last day, or the hours of a part of a day"})
	case hasDates && (in.Dates.From.IsZero() || in.Dates.Until.IsZero() || !in.Dates.From.Before(in.Dates.Until)):
		bad = append(bad, fault.Field{Path: "dates", Value: in.Dates.From.String(), Problem: "need a first and a last day, in this order"})
	case hasDates:
		r = calendar.Range{Start: in.Dates.From.In(q.gate.Zone), End: in.Dates.Until.In(q.gate.Zone)}
	}
	if len(bad) == 0 && calendar.DateOf(r.End, q.gate.Zone).Sub(calendar.DateOf(r.Start, q.gate.Zone)) > maxLeaveDays {
		bad = append(bad, fault.Field{Path: "dates", Problem: fmt.Sprintf("must be at most %d days", maxLeaveDays)})
	}
	if in.Kind == "" {
		bad = append(bad, fault.Field{Path: "kind", Problem: "is missing"})
	}
	return r, fault.Bad("leave.input", "leave", bad)
}

// LeaveAnswer is what became of an ask for leave.
type LeaveAnswer struct {
	Request  *store.Request `json:"request,omitempty"` // nil when it was only asked what would come of it
	Decision leave.Decision `json:"decision"`
	Charge   []leave.Charge `json:"charge"`
}

// AskLeave asks for leave. It is granted by itself when quota, closed days, balance and coverage
// allow, waits for a supervisor when something needs one, and is not taken when it cannot be. What it
// takes from a balance is held from now on.
//
// Errors: leave.input; leave.rejected with every reason; access.forbidden for another's leave.
func (q *Requesting) AskLeave(ctx context.Context, who access.Principal, in LeaveInput) (LeaveAnswer, error) {
	if _, err := access.Decide(who, access.MakeRequests); err != nil {
		return LeaveAnswer{}, err
	}
	agent, err := forWhom(who, in.Agent)
	if err != nil {
		return LeaveAnswer{}, err
	}
	span, err := q.span(in)
	if err != nil {
		return LeaveAnswer{}, err
	}
	r := leave.Request{Kind: leave.Absence, State: leave.Waiting, Agent: agent, Range: span, Reason: in.Reason, Leave: &leave.LeaveAsk{Kind: in.Kind, Proof: in.Proof}}
	if in.Dry {
		var out LeaveAnswer
		err := q.gate.Store.Read(ctx, everything, func(view *store.View) error {
			c, _, err := q.leaveCase(ctx, view, r)
			if err == nil {
				out = LeaveAnswer{Decision: leave.Decide(c), Charge: c.Charges()}
			}
			return err
		})
		r.Leave.Decision = out.Decision
		out.Decision = shown(r, who).Leave.Decision
		return out, err
	}
	var out LeaveAnswer
	err = q.gate.Store.Change(ctx, who, q.gate.Now(), func(tx *store.Tx) error {
		kept, err := q.keepLeave(ctx, tx, who, r)
		if err != nil {
			return err
		}
		kept.Value = shown(kept.Value, who)
		out = LeaveAnswer{Request: &kept, Decision: kept.Value.Leave.Decision, Charge: kept.Value.Leave.Charge}
		return nil
	})
	return out, err
}

// keepLeave decides a new request, holds its minutes and keeps it; what is granted by itself is at
// once.
func (q *Requesting) keepLeave(ctx context.Context, tx *store.Tx, who access.Principal, r leave.Request) (store.Request, error) {
	view := tx.In(everything)
	c, house, err := q.leaveCase(ctx, view, r)
	if err != nil {
		return store.Request{}, err
	}
	d := leave.Decide(c)
	if err := rejected(d); err != nil {
		return store.Request{}, err
	}
	r.ID = ids.New[ids.Request](tx.Now())
	r.Leave.Decision, r.Leave.Charge = d, c.Charges()
	if rule, _ := house.RuleOf(r.Leave.Kind); rule.Balance {
		if err := hold(tx, c.Entries, r, 0); err != nil {
			return store.Request{}, err
		}
	}
	kept, err := tx.AddRequest(r, store.RequestStep{Agent: r.Agent, Action: "ask", Reason: r.Reason})
	if err != nil || d.Outcome != leave.Grant {
		return kept, err
	}
	s := &step{q: q, ctx: ctx, tx: tx, view: view, who: who, me: r.Agent, before: kept, r: kept.Value, action: leave.Approve, house: house, now: tx.Now()}
	return s.take(leave.System)
}

// rejected words what stops leave. Errors: leave.rejected.
func rejected(d leave.Decision) error {
	var bad []fault.Field
	for _, f := range d.Findings {
		if f.Stops {
			bad = append(bad, fault.Field{Path: f.Code, Problem: f.Says.ZH + " / " + f.Says.EN})
		}
	}
	return fault.Bad("leave.rejected", "this leave cannot be granted", bad)
}

// hold books what a request takes from its balance.
func hold(tx *store.Tx, entries []leave.Entry, r leave.Request, version int) error {
	rows, err := leave.TakeFrom(entries, r.Agent, r.Leave.Kind, r.Leave.Charge)
	if err != nil {
		return err
	}
	return book(tx, rows, r.ID, version)
}

// giveBack returns what a request holds.
func giveBack(tx *store.Tx, entries []leave.Entry, id ids.Request, version int) error {
	return book(tx, leave.GiveBack(entries, id), id, version)
}

func book(tx *store.Tx, rows []leave.Entry, id ids.Request, version int) error {
	for i := range rows {
		rows[i].Request = id
		rows[i].Source = fmt.Sprintf("%s:%s:%d:%d", rows[i].Cause, id, version, i)
	}
	_, err := tx.BookLeave(rows)
	return err
}

// leaveCase collects what a leave request is decided on.
func (q *Requesting) leaveCase(ctx context.Context, view *store.View, r leave.Request) (leave.Case, leave.Policy, error) {
	house, err := q.house(ctx, view)
	if err != nil {
		return leave.Case{}, house.Policy, err
	}
	stored, err := view.Agent(ctx, r.Agent)
	if err != nil {
		return leave.Case{}, house.Policy, err
	}
	known, err := q.promotions(ctx)
	if err != nil {
		return leave.Case{}, house.Policy, err
	}
	a := stored.Value
	c := leave.Case{
		Agent: a.ID, Site: a.Site, Team: a.Team, Kind: r.Leave.Kind, Range: r.Range, Proof: r.Leave.Proof, Employed: a.Employed,
		Policy: house.Policy, Closures: house.Policy.Resolve(known), Holidays: q.policy.Holidays, Zone: q.gate.Zone, Now: q.gate.Now(),
	}
	if err := q.leaveShifts(ctx, view, &c); err != nil {
		return c, house.Policy, err
	}
	if err := q.absent(ctx, view, r, &c); err != nil {
		return c, house.Policy, err
	}
	if err := q.taken(ctx, view, r, &c); err != nil {
		return c, house.Policy, err
	}
	c.Entries, err = q.entries(ctx, view, store.LeaveFilter{Agent: a.ID})
	return c, house.Policy, err
}

func (q *Requesting) entries(ctx context.Context, view *store.View, f store.LeaveFilter) ([]leave.Entry, error) {
	return store.All(func(p store.Page) ([]leave.Entry, string, error) { return view.LeaveEntries(ctx, f, p) })
}

// leaveShifts adds the agent's shifts, the published rosters and what the day needs.
func (q *Requesting) leaveShifts(ctx context.Context, view *store.View, c *leave.Case) error {
	var err error
	if c.Shifts, err = q.desk.Published(ctx, view, c.Range, []ids.Agent{c.Agent}); err != nil {
		return err
	}
	rosters, err := store.All(func(p store.Page) ([]store.Roster, string, error) {
		return view.Rosters(ctx, store.RosterFilter{State: store.Published, Range: c.Range}, p)
	})
	if err != nil {
		return err
	}
	for _, r := range rosters {
		c.Published = append(c.Published, r.Range)
	}
	if len(c.Shifts) == 0 {
		return nil // nothing is lost: the roster will be made around it
	}
	span := c.Shifts[0].Range()
	for _, s := range c.Shifts {
		if s.End.After(span.End) {
			span.End = s.End
		}
	}
	all, err := q.desk.Published(ctx, view, span, nil)
	if err != nil {
		return err
	}
	c.Coverage, err = q.coverage(ctx, view, span, all, c.Policy.ShortYuan)
	return err
}

// absent adds who is on leave, and what the agent has or waits for itself.
func (q *Requesting) absent(ctx context.Context, view *store.View, r leave.Request, c *leave.Case) error {
	people, err := gate.Agents(ctx, view)
	if err != nil {
		return err
	}
	places := map[ids.Agent]leave.Absent{}
	for _, a := range people {
		places[a.ID] = leave.Absent{Agent: a.ID, Site: a.Site, Team: a.Team}
	}
	for _, state := range []leave.State{leave.Approved, leave.Waiting} {
		list, err := store.All(func(p store.Page) ([]store.Request, string, error) {
			return view.Requests(ctx, store.RequestFilter{Kind: leave.Absence, State: state, Range: c.Range}, p)
		})
		if err != nil {
			return err
		}
		for _, o := range list {
			if o.Value.ID == r.ID {
				continue
			}
			if o.Value.Agent == c.Agent {
				c.Own = append(c.Own, o.Value.Range)
			}
			if state == leave.Approved {
				away := places[o.Value.Agent]
				away.Range = o.Value.Range
				c.Others = append(c.Others, away)
			}
		}
	}
	return nil
}

// taken counts the days of the same kind that the agent has or waits for in the calendar years of a request.
func (q *Requesting) taken(ctx context.Context, view *store.View, r leave.Request, c *leave.Case) error {
	zone := q.gate.Zone
	first, last := calendar.DateOf(r.Range.Start, zone).Year, calendar.DateOf(r.Range.End.Add(-1), zone).Year
	years := calendar.Range{Start: calendar.MakeDate(first, 1, 1).In(zone), End: calendar.MakeDate(last+1, 1, 1).In(zone)}
	c.Taken = map[int]int{}
	for _, state := range []leave.State{leave.Approved, leave.Waiting} {
		list, err := store.All(func(p store.Page) ([]store.Request, string, error) {
			return view.Requests(ctx, store.RequestFilter{Kind: leave.Absence, State: state, Agent: c.Agent, Range: years}, p)
		})
		if err != nil {
			return err
		}
		for _, o := range list {
			if o.Value.ID == r.ID || o.Value.Agent != c.Agent || o.Value.Leave.Kind != c.Kind {
				continue
			}
			for _, x := range o.Value.Leave.Charge {
				c.Taken[x.Date.Year]++
			}
		}
	}
	return nil
}

// grantLeave looks at the request once more as things are now, and takes the shifts out.
func (s *step) grantLeave() error {
	c, house, err := s.q.leaveCase(s.ctx, s.view, s.r)
	if err != nil {
		return err
	}
	ask := *s.r.Leave
	s.r.Leave = &ask
	held := c.Entries
	back := leave.GiveBack(held, s.r.ID)
	c.Entries = slices.Concat(held, back)
	ask.Decision = leave.Decide(c)
	if err := rejected(ask.Decision); err != nil {
		return err
	}
	if charge := c.Charges(); !slices.Equal(charge, ask.Charge) { // the roster is another one by now
		ask.Charge = charge
		if rule, _ := house.RuleOf(ask.Kind); rule.Balance {
			if err := giveBack(s.tx, held, s.r.ID, s.before.Version); err != nil {
				return err
			}
			if err := hold(s.tx, c.Entries, s.r, s.before.Version); err != nil {
				return err
			}
		}
	}
	shifts, err := s.shiftsOf(s.r.Agent, s.r.Range)
	if err != nil {
		return err
	}
	s.r.Effects = nil
	for _, group := range byRoster(shifts) {
		part := c
		part.Shifts = group.shifts
		e := part.Effect()
		e.Roster = group.roster
		s.r.Effects = append(s.r.Effects, e)
	}
	return s.q.apply(s.ctx, s.tx, s.r, s.r.Effects)
}

// shiftsOf are the published shifts of an agent that share an instant with a range, with their rosters.
func (s *step) shiftsOf(a ids.Agent, r calendar.Range) ([]store.Shift, error) {
	return store.All(func(p store.Page) ([]store.Shift, string, error) {
		return s.view.Shifts(s.ctx, store.ShiftFilter{State: store.Published, Agent: a, Range: r}, p)
	})
}

// refuseLeave turns leave down, where the law lets the house do so. Errors: leave.owed, leave.reason.
func (s *step) refuseLeave() error {
	c, _, err := s.q.leaveCase(s.ctx, s.view, s.r)
	if err != nil {
		return err
	}
	c.Entries = slices.Concat(c.Entries, leave.GiveBack(c.Entries, s.r.ID))
	if err := c.MayRefuse(leave.Decide(c), strings.TrimSpace(s.in.Reason), s.in.Unproven); err != nil {
		return err
	}
	if s.in.Unproven {
		s.in.Reason += " [材料不能证明 / the document does not prove it: " + c.Proof + "]"
	}
	return s.returnLeave()
}

// withdrawLeave takes back what was not decided yet. By a supervisor it is a refusal by another name, with the errors of
// one.
func (s *step) withdrawLeave() error {
	if s.who.Role != access.AgentRole {
		return s.refuseLeave()
	}
	return s.returnLeave()
}

// returnLeave gives back what a request that comes to nothing holds.
func (s *step) returnLeave() error {
	entries, err := s.q.entries(s.ctx, s.view, store.LeaveFilter{Request: s.r.ID})
	if err != nil {
		return err
	}
	return giveBack(s.tx, entries, s.r.ID, s.before.Version)
}

// cancelLeave gives granted leave back. The shifts come back where the agent may still work them;
// otherwise Effects keeps what did not, and the trail says so. Errors: leave.begun for an agent whose
// leave has begun, leave.reason for a supervisor who takes back what the law gives without a word.
func (s *step) cancelLeave() error {
	if s.who.Role != access.AgentRole {
		if err := s.r.Leave.Kind.NeedsReason(strings.TrimSpace(s.in.Reason)); err != nil {
			return err
		}
	} else if !s.now.Before(s.r.Range.Start) {
		return fault.New(fault.Conflict, "leave.begun", "the leave has begun; a supervisor can still cancel it")
	}
	if err := s.returnLeave(); err != nil {
		return err
	}
	back := make([]leave.Effect, 0, len(s.r.Effects))
	for _, e := range s.r.Effects {
		back = append(back, leave.Effect{Roster: e.Roster, Drop: e.Add, Add: e.Drop})
	}
	if len(back) == 0 {
		return nil
	}
	ok, err := s.mayReturn(back)
	if err != nil {
		return err
	}
	if !ok {
		s.in.Reason += " [the shifts did not come back: the roster has changed]"
		return nil
	}
	s.r.Effects = nil
	return s.q.apply(s.ctx, s.tx, s.r, back)
}

// mayReturn reports that shifts can be put back as they were, without breaking a rule.
func (s *step) mayReturn(back []leave.Effect) (bool, error) {
	now, err := s.q.situation(s.ctx, s.view, s.r.Range, s.r.Agent)
	if err != nil {
		return false, err
	}
	if _, ok := leave.Apply(now.shifts, back...); !ok {
		return false, nil
	}
	for _, e := range back {
		if !slices.ContainsFunc(now.rosters, func(r store.Roster) bool { return r.ID == e.Roster }) {
			return false, nil
		}
	}
	c, err := now.caseOf(s.r.Agent)
	if err != nil {
		return false, err
	}
	// The leave that is being cancelled is still on file inside this change.
	c.Person.Unavailable = slices.DeleteFunc(c.Person.Unavailable, func(r calendar.Range) bool { return r.Start.Equal(s.r.Range.Start) && r.End.Equal(s.r.Range.End) })
	var change workrules.Change
	for _, e := range back {
		change.Drop, change.Add = append(change.Drop, e.Drop...), append(change.Add, e.Add...)
	}
	o, err := c.Try(change)
	return err == nil && o.Allowed(), nil
}
