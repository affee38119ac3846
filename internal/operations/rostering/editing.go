package rostering

import (
	"context"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// EditInput asks for edits of a roster by hand.
type EditInput struct {
	Roster   ids.Roster
	Expect   int // store.AnyVersion, or the version that the edits were made from
	Edits    []revise.Edit
	Reason   string
	Overrule bool // soft rules may break
	Past     bool // hours that have passed may change, as a correction
	Publish  bool // a published roster changes at once; otherwise a draft is made of it
}

// JudgeEdit says what edits would do: which rules they would break and what would make them legal, and
// what they change in yuan. It changes nothing. Errors: those of revising.Desk.Judge.
func (r *Rostering) JudgeEdit(ctx context.Context, who access.Principal, id ids.Roster, edits []revise.Edit) (revising.Verdict, error) {
	_, scope, err := r.gate.Read(who, access.WritePlans)
	if err != nil {
		return revising.Verdict{}, err
	}
	var v revising.Verdict
	err = r.gate.Store.Read(ctx, scope, func(view *store.View) error {
		v, err = r.desk.Judge(ctx, view, id, edits)
		v.Past = revise.Past(v.Changes, r.gate.Now())
		return err
	})
	return v, err
}

// EditRoster judges edits and makes the next revision. Errors: those of revising.Desk.Apply.
func (r *Rostering) EditRoster(ctx context.Context, who access.Principal, in EditInput) (revising.Applied, error) {
	if _, err := access.Decide(who, access.WritePlans); err != nil {
		return revising.Applied{}, err
	}
	return r.apply(ctx, who, revising.Change{
		Roster: in.Roster, Expect: in.Expect, Edits: in.Edits, Why: "edit", Reason: in.Reason, Overrule: in.Overrule, Past: in.Past, Publish: in.Publish,
	})
}

func (r *Rostering) apply(ctx context.Context, who access.Principal, in revising.Change) (done revising.Applied, err error) {
	err = r.gate.Store.Change(ctx, who, r.gate.Now(), func(tx *store.Tx) error {
		done, err = r.desk.Apply(ctx, tx, in)
		return err
	})
	return done, err
}

// Revisions lists the changes of a roster, newest first.
func (r *Rostering) Revisions(ctx context.Context, who access.Principal, id ids.Roster, page store.Page) ([]store.Revision, string, error) {
	view, _, err := r.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	if _, err := view.RosterHead(ctx, id); err != nil {
		return nil, "", err
	}
	return view.RosterRevisions(ctx, id, page)
}

// RosterAt returns a roster as it was at a revision; 0 is the newest.
func (r *Rostering) RosterAt(ctx context.Context, who access.Principal, id ids.Roster, revision int) (store.Roster, error) {
	view, _, err := r.gate.Read(who, access.ReadPlans)
	if err != nil {
		return store.Roster{}, err
	}
	return view.RosterAt(ctx, id, revision)
}
