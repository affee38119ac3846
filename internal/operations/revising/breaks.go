package revising

import (
	"context"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// breakDays is how far before the end of what is published shifts are judged anew: a quarter.
const breakDays = 92 * 24 * time.Hour

// Breaks makes a change and compares what the rules say of people's published shifts before and after it; of
// everybody when nobody is named. The change is made in the transaction of the view. Nothing is compared where the
// span is not valid.
func (d *Desk) Breaks(ctx context.Context, view *store.View, span calendar.Range, people []ids.Agent, change func() error) ([]gate.Break, error) {
	out := []gate.Break{}
	if !span.Valid() {
		return out, change()
	}
	before, err := d.standing(ctx, view, span, people)
	if err != nil {
		return nil, err
	}
	if err := change(); err != nil {
		return nil, err
	}
	after, err := d.standing(ctx, view, span, people)
	if err != nil {
		return nil, err
	}
	if err := after.addGone(ctx, view, before); err != nil {
		return nil, err
	}
	for _, a := range after.order {
		for _, v := range workrules.Worse(after.broken[a], before.broken[a]) {
			out = append(out, gate.Break{Violation: v, Shifts: after.about(a, v.Range, span.Start)})
		}
	}
	return out, nil
}

// about are an agent's shifts that a violation is about, of those that end after an instant: the ones in its stretch of
// time, and where that is a rest the ones on either side.
func (s *standing) about(a ids.Agent, at calendar.Range, after time.Time) []calendar.Range {
	inside, beside := []calendar.Range{}, []calendar.Range{}
	for _, shift := range s.shifts[a] {
		switch {
		case !shift.End.After(after):
		case shift.Range().Overlaps(at):
			inside = append(inside, shift.Range())
		case shift.End.Equal(at.Start) || shift.Start.Equal(at.End):
			beside = append(beside, shift.Range())
		}
	}
	if len(inside) == 0 {
		return beside
	}
	return inside
}

// FromToday is the days from today to the end of what is published; not valid when nothing is.
func (d *Desk) FromToday(ctx context.Context, view *store.View, now time.Time) (calendar.Range, error) {
	return d.UntilPublished(ctx, view, calendar.Range{Start: calendar.DateOf(now, d.policy.Zone).In(d.policy.Zone)})
}

// UntilPublished ends a span where what is published ends, and begins it a quarter before that at the earliest.
// It is not valid when nothing is published from its start on.
func (d *Desk) UntilPublished(ctx context.Context, view *store.View, span calendar.Range) (calendar.Range, error) {
	rosters, err := store.All(func(p store.Page) ([]store.Roster, string, error) {
		return view.Rosters(ctx, store.RosterFilter{State: store.Published}, p)
	})
	for _, r := range rosters {
		if r.Range.End.After(span.End) {
			span.End = r.Range.End
		}
	}
	if span.Start.IsZero() || len(rosters) == 0 {
		return calendar.Range{}, err
	}
	if first := span.End.Add(-breakDays); span.Start.Before(first) {
		span.Start = first
	}
	return span, err
}

// standing is what the rules have against the published shifts of people.
type standing struct {
	frame  *workrules.Frame
	order  []ids.Agent
	people map[ids.Agent]workrules.Person
	shifts map[ids.Agent][]scheduling.Shift
	broken map[ids.Agent][]workrules.Violation
}

// standing judges the published shifts of people that start in a span, with what is published around it.
func (d *Desk) standing(ctx context.Context, view *store.View, span calendar.Range, only []ids.Agent) (standing, error) {
	out := standing{people: map[ids.Agent]workrules.Person{}, shifts: map[ids.Agent][]scheduling.Shift{}, broken: map[ids.Agent][]workrules.Violation{}}
	people, err := d.People(ctx, view, span, only)
	if err != nil {
		return out, err
	}
	shifts, err := d.Published(ctx, view, calendar.Range{Start: span.Start.Add(-LookBack), End: span.End.Add(LookAhead)}, only)
	if err != nil {
		return out, err
	}
	for _, s := range shifts {
		out.shifts[s.Agent] = append(out.shifts[s.Agent], s)
	}
	rules, err := d.Rules(ctx, view)
	if err != nil {
		return out, err
	}
	out.frame = workrules.NewFrame(span, d.policy.Holidays, d.policy.Zone, rules)
	for _, p := range people {
		out.judge(p.Person)
	}
	return out, nil
}

func (s *standing) judge(p workrules.Person) {
	s.order, s.people[p.ID] = append(s.order, p.ID), p
	s.broken[p.ID] = workrules.CheckAll([]workrules.Person{p}, s.shifts[p.ID], s.frame)
}

// addGone judges who was employed before a change and is not employed in the span any more.
func (s *standing) addGone(ctx context.Context, view *store.View, before standing) error {
	for _, id := range before.order {
		if _, here := s.people[id]; here {
			continue
		}
		agent, err := view.Agent(ctx, id)
		if err != nil {
			return err
		}
		p := before.people[id]
		p.Employed = agent.Value.Employed
		s.judge(p)
	}
	return nil
}

// fewPeople is up to how many people are judged one by one; of more, everybody is.
const fewPeople = 100

// few are the ids of agents, or none when there are so many that everybody is read.
func few(agents []workforce.Agent) (people []ids.Agent) {
	if len(agents) > fewPeople {
		return nil
	}
	for _, a := range agents {
		people = append(people, a.ID)
	}
	return people
}

// PutAgents is gate.PutAgents.
func (d *Desk) PutAgents(ctx context.Context, tx *store.Tx, agents []workforce.Agent, payFrom calendar.Date) (done gate.AgentsPut, err error) {
	view := tx.In(access.Scope{Everything: true})
	if problem := PayFromProblem(payFrom, calendar.DateOf(tx.Now(), d.policy.Zone)); problem != "" {
		return done, fault.Bad("agent.pay_from", "agents", []fault.Field{{Path: "pay_from", Value: payFrom.String(), Problem: problem}})
	}
	span, err := d.FromToday(ctx, view, tx.Now())
	if err != nil {
		return done, err
	}
	done.PayMoved, err = d.PayMoves(ctx, view, payFrom, tx.Now(), few(agents), func() error {
		done.Broken, err = d.Breaks(ctx, view, span, few(agents), func() error {
			if err := d.keepPay(ctx, tx, agents, payFrom); err != nil {
				return err
			}
			done.PutResult, err = tx.PutAgents(agents)
			return err
		})
		return err
	})
	return done, err
}
