package rostering

import (
	"context"
	"fmt"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Replaced is a published roster that another one takes the place of, and what goes with it.
type Replaced struct {
	Roster ids.Roster `json:"roster"`
	Title  string     `json:"title"`
	Lost   []Lost     `json:"lost,omitempty"` // nothing when the new one was made of it, or nothing was done to it
}

// Lost is what was done to a roster and its successor knows nothing of. Leave and absences are on file and hold on.
type Lost struct {
	Kind  string         `json:"kind"` // kind of change as revisions have it, or "acknowledgement"
	Count int            `json:"count"`
	Says  workrules.Text `json:"says"`
}

// lostTexts word what is lost, in the order in which it is told; what is not among them is not lost.
var lostTexts = []Lost{
	{Kind: "repair", Says: workrules.Text{ZH: "缺勤后的补班（缺勤本身仍在案）", EN: "repairs after absences (the absences stay on file)"}},
	{Kind: "swap", Says: workrules.Text{ZH: "已批准的换班", EN: "agreed swaps"}},
	{Kind: "give_away", Says: workrules.Text{ZH: "已批准的让班", EN: "shifts that were given away"}},
	{Kind: "offer", Says: workrules.Text{ZH: "已接受的加班或自愿休", EN: "accepted offers of overtime or time off"}},
	{Kind: "bid", Says: workrules.Text{ZH: "竞班结果", EN: "draws of bids"}},
	{Kind: "edit", Says: workrules.Text{ZH: "手工调整", EN: "edits by hand"}},
	{Kind: "remake", Says: workrules.Text{ZH: "单日重排", EN: "days made anew"}},
	{Kind: "acknowledgement", Says: workrules.Text{ZH: "坐席的确认", EN: "agents who have seen it"}},
}

// archiveReplaced archives the published rosters whose days a draft takes over, and tells what goes with them.
// Errors: roster.overlap; roster.replaces with a field for each kind of thing that would be lost, unless it is
// meant.
func (r *Rostering) archiveReplaced(ctx context.Context, tx *store.Tx, view *store.View, draft store.Roster, in PublishInput) ([]Replaced, error) {
	older, err := store.All(func(page store.Page) ([]store.Roster, string, error) {
		return view.Rosters(ctx, store.RosterFilter{State: store.Published, Range: draft.Range}, page)
	})
	if err != nil {
		return nil, err
	}
	var out []Replaced
	var fields []fault.Field
	for _, old := range older {
		if old.Range.Start.Before(draft.Range.Start) || old.Range.End.After(draft.Range.End) {
			return nil, fault.New(fault.Conflict, "roster.overlap",
				"the published roster %q also covers other days; make a roster for all of its days", old.Title)
		}
		x := Replaced{Roster: old.ID, Title: old.Title}
		if old.ID != draft.Parent {
			if x.Lost, err = r.lostWith(ctx, view, old); err != nil {
				return nil, err
			}
		}
		for _, l := range x.Lost {
			fields = append(fields, fault.Field{Path: string(old.ID), Value: l.Kind, Problem: fmt.Sprintf("%s：%d / %s: %d", l.Says.ZH, l.Count, l.Says.EN, l.Count)})
		}
		out = append(out, x)
	}
	if len(fields) > 0 {
		if !in.Replace {
			e := fault.New(fault.Conflict, "roster.replaces",
				"this takes the place of a published roster in which more was done since it was made; change that one instead (roster make --day, edit, repair), or replace it (--replace) with a reason")
			e.Fields = fields
			return nil, e
		}
		if err := tx.Note("roster.replaced", "roster", string(in.Roster), "", struct {
			Reason   string     `json:"reason"`
			Replaced []Replaced `json:"replaced"`
		}{in.Reason, out}); err != nil {
			return nil, err
		}
	}
	for _, x := range out {
		if _, err := tx.SetRosterState(x.Roster, store.Archived, store.AnyVersion); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// lostWith counts what was done to a roster and to those of which it is a copy, by kind.
func (r *Rostering) lostWith(ctx context.Context, view *store.View, old store.Roster) ([]Lost, error) {
	counts := map[string]int{}
	at, until := old, 0 // 0: all of its revisions
	for range maxCopies {
		all, err := store.All(func(p store.Page) ([]store.Revision, string, error) { return view.RosterRevisions(ctx, at.ID, p) })
		if err != nil {
			return nil, err
		}
		for _, v := range all {
			if until == 0 || v.Revision <= until {
				counts[v.Why]++
			}
		}
		if at.Parent == "" {
			break
		}
		until = at.ParentAt
		if at, err = view.RosterHead(ctx, at.Parent); err != nil {
			return nil, err
		}
	}
	seen, err := r.seen(ctx, view, old.ID, 0, maxCopies)
	if err != nil {
		return nil, err
	}
	for _, a := range seen {
		if a.Seen == SeenNow {
			counts["acknowledgement"]++
		}
	}
	var out []Lost
	for _, l := range lostTexts {
		if l.Count = counts[l.Kind]; l.Count > 0 {
			out = append(out, l)
		}
	}
	return out, nil
}

// check asks for a reason where somebody has to answer. Errors: roster.publish.
func (in PublishInput) check() error {
	if !in.Overrule && !in.Replace {
		return nil
	}
	if problem := revising.ReasonProblem(in.Reason); problem != "" {
		return fault.Bad("roster.publish", "publish", []fault.Field{{Path: "reason", Value: fault.Shorten(in.Reason), Problem: problem}})
	}
	return nil
}
