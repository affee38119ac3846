package planning

import (
	"context"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// lookBack is how much of the past the rules need: a month of overtime and the rest before.
const lookBack = 42 * 24 * time.Hour

// lookAhead is how much of the published future a new roster must fit: a week of runs and rests.
const lookAhead = 7 * 24 * time.Hour

// PublishRoster makes a draft binding after judging every shift by the rules once more; published
// rosters that lie inside the same days are archived in the same transaction. One that also covers
// other days is refused (roster.overlap), for its shifts there would be lost. Changes run one after
// the other and the judgement is a part of the change, so two planners who publish neighbouring days
// at once see each other's shifts.
func (p *Planning) PublishRoster(ctx context.Context, who access.Principal, id ids.Roster, expect int) (store.Roster, error) {
	if _, err := access.Decide(who, access.WritePlans); err != nil {
		return store.Roster{}, err
	}
	err := p.gate.Store.Change(ctx, who, p.gate.Now(), func(tx *store.Tx) error {
		view := tx.In(access.Scope{Everything: true})
		draft, err := view.Roster(ctx, id)
		if err != nil {
			return err
		}
		if err := p.lawful(ctx, view, draft); err != nil {
			return err
		}
		if err := archiveReplaced(ctx, tx, view, draft); err != nil {
			return err
		}
		_, err = tx.SetRosterState(id, store.Published, expect)
		return err
	})
	if err != nil {
		return store.Roster{}, err
	}
	return p.gate.Everything().Roster(ctx, id)
}

// archiveReplaced archives the published rosters whose days a draft takes over.
func archiveReplaced(ctx context.Context, tx *store.Tx, view *store.View, draft store.Roster) error {
	older, err := store.All(func(page store.Page) ([]store.Roster, string, error) {
		return view.Rosters(ctx, store.RosterFilter{State: store.Published, Range: draft.Range}, page)
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
	return nil
}

// lawful judges a roster by the same rules that made it, together with what is published before and
// after it; agents may have changed since.
func (p *Planning) lawful(ctx context.Context, view *store.View, r store.Roster) error {
	people, err := gate.Agents(ctx, view)
	if err != nil {
		return err
	}
	history, err := p.publishedBefore(ctx, view, r.Range.Start)
	if err != nil {
		return err
	}
	known, err := rosterAgents(people, history, r.Range, p.gate.Zone)
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
	frame := workrules.NewFrame(reach, p.policy.Holidays, p.gate.Zone, p.policy.Rules)
	alone := workrules.CheckAll(persons, slices.Concat(history, later), frame)
	bad := strangers(r.Shifts, persons)
	for _, v := range workrules.CheckAll(persons, slices.Concat(history, r.Shifts, later), frame) {
		if v.Hard && !slices.Contains(alone, v) { // the later days may break a rule by themselves
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
