package revising

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// Who was reported absent, and whom somebody took off a day by hand, is not called in again for that time. Where a
// roster binds that is on file (workforce.AbsenceFact), so everything that judges people knows it. What was done to a
// draft is known to that draft, and goes on file when it is published.

// PeopleOf are the people of a roster as People has them, with the absences that only this draft knows.
func (d *Desk) PeopleOf(ctx context.Context, view *store.View, head store.Roster, only []ids.Agent) ([]roster.Agent, error) {
	people, err := d.People(ctx, view, head.Range, only)
	if err != nil {
		return nil, err
	}
	absent, err := drafted(ctx, view, head)
	if err != nil || len(absent) == 0 {
		return people, err
	}
	rules, err := d.Rules(ctx, view)
	for i := range people {
		p := &people[i]
		for _, a := range absent {
			if a.Agent == p.Person.ID {
				p.Person.Unavailable = append(p.Person.Unavailable, a.Range)
			}
		}
		if p.Salaried {
			p.MinWork = d.contractHours(&p.Person, head.Range, rules.NormalDay) // what is not worked is not owed
		}
	}
	return people, err
}

// drafted are the absences that the revisions of a draft name; none of a roster that binds or bound.
func drafted(ctx context.Context, view *store.View, head store.Roster) (out []revise.Absence, err error) {
	if head.State != store.Draft {
		return nil, nil
	}
	all, err := store.All(func(p store.Page) ([]store.Revision, string, error) { return view.RosterRevisions(ctx, head.ID, p) })
	for _, r := range all {
		var kept revisionFigures
		if len(r.Figures) > 0 && json.Unmarshal(r.Figures, &kept) != nil {
			continue // figures of another form name no absences
		}
		out = append(out, kept.Absences...)
	}
	return out, err
}

// RecordDrafted puts on file who does not come by the revisions of a draft that is being published.
func RecordDrafted(ctx context.Context, tx *store.Tx, head store.Roster) error {
	absent, err := drafted(ctx, tx.In(access.Scope{Everything: true}), head)
	if err != nil {
		return err
	}
	return RecordAbsences(ctx, tx, head, absent, head.Title)
}

// RecordAbsences puts on file who does not come in the days of a roster. What is on file already for the whole of
// the time stays as it is.
func RecordAbsences(ctx context.Context, tx *store.Tx, head store.Roster, absent []revise.Absence, note string) error {
	view := tx.In(access.Scope{Everything: true})
	for _, a := range absent {
		span := calendar.Range{Start: calendar.Later(a.Range.Start, head.Range.Start).UTC(), End: calendar.Earlier(a.Range.End, head.Range.End).UTC()}
		if !span.Valid() {
			continue
		}
		there, err := store.All(func(p store.Page) ([]store.Stored[workforce.Fact], string, error) {
			return view.Facts(ctx, store.FactFilter{Agent: a.Agent, Kind: workforce.AbsenceFact}, p)
		})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(there, func(f store.Stored[workforce.Fact]) bool {
			return !f.Value.Range.Start.After(span.Start) && !f.Value.Range.End.Before(span.End)
		}) {
			continue
		}
		fact := workforce.Fact{Agent: a.Agent, Kind: workforce.AbsenceFact, Range: span, Note: fault.Shorten(note)}
		if _, err := tx.PutFacts([]workforce.Fact{fact}); err != nil {
			return err
		}
	}
	return nil
}

// takenOff are the times for which edits take people off by hand: the day of a shift that goes, or only its hours
// where its agent works another one on that day.
func (d *Desk) takenOff(ctx context.Context, view *store.View, head store.Roster, edits []revise.Edit, changes []revise.Change) ([]revise.Absence, error) {
	var out []revise.Absence
	for _, c := range changes {
		if c.After != nil || !slices.ContainsFunc(edits, func(e revise.Edit) bool {
			return e.Kind == revise.Remove && e.Agent == c.Before.Agent && e.Start.Equal(c.Before.Start)
		}) {
			continue
		}
		own, err := shiftsOf(ctx, view, store.ShiftFilter{Roster: head.ID, Agents: []ids.Agent{c.Before.Agent}})
		if err != nil {
			return nil, err
		}
		around, err := d.Published(ctx, view, calendar.Range{Start: head.Range.Start.Add(-LookAhead), End: head.Range.End.Add(LookAhead)}, []ids.Agent{c.Before.Agent})
		if err != nil {
			return nil, err
		}
		around = slices.DeleteFunc(around, func(s scheduling.Shift) bool { return head.Range.Contains(s.Start) }) // what the roster replaces
		others := slices.Concat(around, applied(own, changes))
		out = append(out, revise.Absence{Agent: c.Before.Agent, Range: d.dayOff(*c.Before, others)})
	}
	return out, nil
}

// dayOff is the day of a shift, to its end where that comes later, cut at what else its agent works.
func (d *Desk) dayOff(gone scheduling.Shift, others []scheduling.Shift) calendar.Range {
	date := calendar.DateOf(gone.Start, d.policy.Zone)
	day := calendar.Day(date, d.policy.Zone)
	day.End = calendar.Later(day.End, gone.End)
	for _, s := range others {
		switch {
		case s.Agent != gone.Agent || !s.Range().Overlaps(day):
		case calendar.DateOf(s.Start, d.policy.Zone) == date:
			return gone.Range()
		case s.Start.Before(gone.Start):
			day.Start = calendar.Later(day.Start, s.End)
		default:
			day.End = calendar.Earlier(day.End, s.Start)
		}
	}
	return day
}
