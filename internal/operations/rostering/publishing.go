package rostering

import (
	"context"
	"fmt"
	"slices"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// PublishInput asks for a draft to become binding.
type PublishInput struct {
	Roster   ids.Roster
	Expect   int    // store.AnyVersion, or the version that the caller read
	Overrule bool   // publish although soft rules that rest on law break; hard ones never do
	Replace  bool   // archive a published roster of these days although what was done to it since is lost
	Reason   string // needed with Overrule and Replace, kept in the audit trail
}

// Published is a roster that became binding, with what it breaks softly.
type Published struct {
	store.Roster
	Soft  []SoftBreach `json:"soft_rules"`      // by rule, in the order of the pack; empty when nothing breaks
	Notes []string     `json:"notes,omitempty"` // of its calendar, as in RosterMade
	// Replaced are the rosters that were archived for it.
	Replaced []Replaced `json:"replaced,omitempty"`
}

// SoftBreach is how often one soft rule breaks.
type SoftBreach struct {
	Rule     string         `json:"rule"`
	Says     workrules.Text `json:"says"`
	Count    int            `json:"count"`
	New      int            `json:"new"` // of Count, what the published roster of these days did not break already
	Agents   []ids.Agent    `json:"agents"`
	Overrule bool           `json:"overrule"` // rests on law, so that new breaches need overruling and a reason
}

// PublishRoster makes a draft binding (one that is published or archived is refused: roster.published,
// roster.archived) after judging every shift by the rules once more; published
// rosters that lie inside the same days are archived in the same transaction. One that also covers
// other days is refused (roster.overlap), for its shifts there would be lost. Changes run one after
// the other and the judgement is a part of the change, so two planners who publish neighbouring days
// at once see each other's shifts. A draft that is a copy is refused when the original went on living or was replaced
// (roster.stale_draft). One that takes the place of a roster that it was not made of is refused (roster.replaces) until
// it is meant, when something was done to that one: swaps, edits, repairs, acknowledgements would be lost. One that newly breaks a soft rule which rests on law, work on a statutory holiday
// without agreement say, is refused (roster.soft_rules) until it is overruled with a reason.
func (r *Rostering) PublishRoster(ctx context.Context, who access.Principal, in PublishInput) (Published, error) {
	if _, err := access.Decide(who, access.WritePlans); err != nil {
		return Published{}, err
	}
	if err := in.check(); err != nil {
		return Published{}, err
	}
	id, expect, soft, replaced := in.Roster, in.Expect, []SoftBreach(nil), []Replaced(nil)
	err := r.gate.Store.Change(ctx, who, r.gate.Now(), func(tx *store.Tx) error {
		view := tx.In(access.Scope{Everything: true})
		draft, err := view.Roster(ctx, id)
		if err != nil {
			return err
		}
		if err := stillDraft(draft); err != nil {
			return err
		}
		if err := current(ctx, view, draft); err != nil {
			return err
		}
		if soft, err = r.lawful(ctx, view, draft); err != nil {
			return err
		}
		if err := overrule(tx, in, soft); err != nil {
			return err
		}
		if replaced, err = r.archiveReplaced(ctx, tx, view, draft, in); err != nil {
			return err
		}
		if _, err = tx.SetRosterState(id, store.Published, expect); err != nil {
			return err
		}
		return revising.RecordDrafted(ctx, tx, draft)
	})
	if err != nil {
		return Published{}, err
	}
	made, err := r.gate.Everything().Roster(ctx, id)
	return Published{made, soft, r.calendarNotes(made.Range), replaced}, err
}

// overrule refuses soft breaches of the law, or notes why they stay.
func overrule(tx *store.Tx, in PublishInput, soft []SoftBreach) error {
	var fields []fault.Field
	for _, b := range soft {
		if b.Overrule && b.New > 0 {
			fields = append(fields, fault.Field{Path: b.Rule, Value: fmt.Sprint(b.New), Problem: fmt.Sprintf("%s（%d次） / %s (%d times)", b.Says.ZH, b.New, b.Says.EN, b.New)})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	if !in.Overrule {
		e := fault.New(fault.Conflict, "roster.soft_rules", "the roster breaks rules that rest on law and may be overruled for a reason")
		e.Fields = fields
		return e
	}
	return tx.Note("roster.overruled", "roster", string(in.Roster), "", struct {
		Reason string       `json:"reason"`
		Soft   []SoftBreach `json:"soft_rules"`
	}{in.Reason, soft})
}

// stillDraft refuses what is no draft any more, before anything is said of the rosters whose place it would take: of a
// published one that is itself.
func stillDraft(draft store.Roster) error {
	switch draft.State {
	case store.Published:
		return fault.New(fault.Conflict, "roster.published", "the roster %q is published already; there is nothing to publish", draft.ID)
	case store.Archived:
		return fault.New(fault.Conflict, "roster.archived", "the roster %q is archived: another one took its place, and it never binds again; begin from the one that is published", draft.ID)
	}
	return nil
}

// current refuses a copy of a published roster that was changed or replaced since: what was agreed or made meanwhile
// would be lost without anybody saying so.
func current(ctx context.Context, view *store.View, draft store.Roster) error {
	if draft.Parent == "" {
		return nil
	}
	parent, err := view.RosterHead(ctx, draft.Parent)
	if err != nil {
		return err
	}
	if parent.State == store.Published {
		if n := parent.Revision - draft.ParentAt; n > 0 {
			return fault.New(fault.Conflict, "roster.stale_draft",
				"the published roster has changed since this draft was made of it (changes: %d); make these changes in the published one, or begin again from it", n)
		}
		return nil
	}
	binding, _, err := view.Rosters(ctx, store.RosterFilter{State: store.Published, Range: draft.Range}, store.Page{Limit: 1})
	if err != nil || len(binding) == 0 {
		return err
	}
	return fault.New(fault.Conflict, "roster.stale_draft",
		"the roster that this draft was made of was replaced by %s (%s); make these changes in that one, or begin again from it", binding[0].ID, binding[0].Title)
}

// lawful judges a roster by the same rules that made it, together with what is published before and
// after it; agents may have changed since. It tells the soft rules that break.
func (r *Rostering) lawful(ctx context.Context, view *store.View, draft store.Roster) ([]SoftBreach, error) {
	reach := calendar.Range{Start: draft.Range.Start, End: draft.Range.End.Add(revising.LookAhead)}
	people, err := r.desk.PeopleOf(ctx, view, draft, nil)
	if err != nil {
		return nil, err
	}
	rules, err := r.desk.Rules(ctx, view)
	if err != nil {
		return nil, err
	}
	standing, err := r.desk.Published(ctx, view, draft.Range, nil)
	if err != nil {
		return nil, err
	}
	_, standing, _ = inside(standing, draft.Range)
	persons := make([]workrules.Person, len(people))
	var around []scheduling.Shift
	for i, a := range people {
		persons[i] = a.Person
		around = append(append(around, a.History...), a.Later...)
	}
	frame := workrules.NewFrame(reach, r.policy.Holidays, r.gate.Zone, rules)
	alone := workrules.CheckAll(persons, around, frame)
	before := workrules.CheckAll(persons, slices.Concat(around, standing), frame)
	bad := strangers(draft.Shifts, persons)
	if bad, err = r.seatless(ctx, view, draft, people, around, bad); err != nil {
		return nil, err
	}
	var soft []workrules.Violation
	for _, v := range workrules.CheckAll(persons, slices.Concat(around, draft.Shifts), frame) {
		switch {
		case slices.Contains(alone, v): // the later days may break a rule by themselves
		case v.Hard && r.onRecord(draft, v, before):
		case v.Hard:
			bad = append(bad, fault.Field{Path: string(v.Agent), Value: v.Rule, Problem: v.Sentence.ZH + " / " + v.Sentence.EN})
		default:
			soft = append(soft, v)
		}
	}
	if err := fault.Bad("roster.unlawful", "the roster breaks rules that may not be broken", bad); err != nil {
		e := fault.Of(err)
		e.Kind = fault.Conflict
		return nil, e
	}
	return softBreaches(rules, soft, before), nil
}

// onRecord reports that a hard breach of a copy is of hours that have passed: a correction of what was worked, made in
// the copy or binding already.
func (r *Rostering) onRecord(draft store.Roster, v workrules.Violation, before []workrules.Violation) bool {
	now := r.gate.Now()
	return draft.Parent != "" && (!v.Range.End.After(now) || v.Range.Start.Before(now) && slices.Contains(before, v))
}

// softBreaches sums violations of soft rules up by rule.
func softBreaches(rules workrules.Params, soft, before []workrules.Violation) []SoftBreach {
	out := []SoftBreach{}
	for _, rule := range workrules.RulesUnder(rules) {
		b := SoftBreach{Rule: rule.Code, Says: rule.Says, Overrule: rule.ByLaw()}
		for _, v := range soft {
			if v.Rule != rule.Code {
				continue
			}
			b.Count++
			if !slices.Contains(before, v) {
				b.New++
			}
			b.Agents = append(b.Agents, v.Agent)
		}
		if b.Count > 0 {
			slices.Sort(b.Agents)
			b.Agents = slices.Compact(b.Agents)
			out = append(out, b)
		}
	}
	return out
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

// seatless adds where a draft needs more seats than its sites have, together with what is published around it.
func (r *Rostering) seatless(ctx context.Context, view *store.View, draft store.Roster, people []roster.Agent, around []scheduling.Shift, bad []fault.Field) ([]fault.Field, error) {
	p := roster.Problem{Agents: slices.Clone(people)}
	if err := r.desk.Seat(ctx, view, &p); err != nil {
		return nil, err
	}
	for _, x := range roster.OverSeated(p.Sites, p.SiteOf(), slices.Concat(around, draft.Shifts), r.gate.Zone) {
		if slices.ContainsFunc(draft.Shifts, func(s scheduling.Shift) bool { return s.Range().Overlaps(x.Range) }) {
			bad = append(bad, fault.Field{Path: string(x.Site), Value: "site.seats", Problem: fmt.Sprintf("%s 有 %d 人，只有 %d 个座位 / %d people on %d seats at %s",
				x.Range.Start.Format(minuteLayout), x.Seated, x.Seats, x.Seated, x.Seats, x.Range.Start.Format(minuteLayout))})
		}
	}
	return bad, nil
}
