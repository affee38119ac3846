package rostering

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Explained is what a roster costs and what is short in it. Reasons, fixes, bound and soft rules are worked
// out when a roster is made. Of one that was changed since, what is short is counted from its shifts as
// they are now, without reasons, and Totals hold its cost; the cost and its parts are those it was made with.
type Explained struct {
	roster.Solution
	Unplanned []gate.GapDays `json:"unplanned,omitempty"`
	Revision  int            `json:"revision"`         // that is explained
	Changed   bool           `json:"changed"`          // since it was made
	Totals    *revise.Totals `json:"totals,omitempty"` // of a changed roster, priced as a diff prices them
	Head      store.Roster   `json:"-"`                // with its shifts
}

// ExplainRoster says what a roster, or one of its revisions, costs and what is short in it.
//
// Errors: access.forbidden, store.not_found, roster.figures for one that keeps none.
func (r *Rostering) ExplainRoster(ctx context.Context, who access.Principal, ref Ref) (Explained, error) {
	_, scope, err := r.gate.Read(who, access.ReadPlans)
	if err != nil {
		return Explained{}, err
	}
	var out Explained
	err = r.gate.Store.Read(ctx, scope, func(view *store.View) error {
		head, err := view.RosterAt(ctx, ref.Roster, ref.Revision)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(head.Figures, &out); err != nil {
			return fault.Wrap(err, fault.NotFound, "roster.figures", "the roster %s keeps no figures", head.ID)
		}
		out.Head, out.Revision, out.Changed = head, head.Revision, head.Revision > 1
		if ref.Revision > 0 {
			out.Revision, out.Changed = ref.Revision, ref.Revision > 1
		}
		if !out.Changed || len(head.Plans) == 0 {
			return nil
		}
		return r.recount(ctx, view, &out)
	})
	return out, err
}

// recount replaces what is short by what is short in the shifts as they are.
func (r *Rostering) recount(ctx context.Context, view *store.View, out *Explained) error {
	head := out.Head
	diff := RosterDiff{Range: head.Range, Diff: revise.Compare(head.Shifts, head.Shifts, r.gate.Zone)}
	if err := r.priceDiff(ctx, view, &diff, head, head); err != nil {
		return err
	}
	needs, err := r.desk.Requirement(ctx, view, head.Plans, head.Range)
	if err != nil {
		return err
	}
	terms, err := revising.TermsOf(head)
	if err != nil {
		return err
	}
	board := revise.NewBoard(head.Range, needs, terms.Weights)
	for _, s := range head.Shifts {
		board.Count(s, 1)
	}
	out.Totals, out.Needed, out.Missing, out.Uncovered = &diff.After, diff.After.Needed, diff.After.Missing, uncovered(board, nil)
	return nil
}

// uncovered words what is short on a board, with the reasons that are known of the very same stretch.
func uncovered(board *revise.Board, known []roster.Uncovered) (out []roster.Uncovered) {
	for _, x := range board.Shortages() {
		u := roster.Uncovered{
			Queue: x.Queue, Range: x.Range, Target: x.Target, Missing: x.Missing, Worth: x.Worth,
			Says: workrules.Text{ZH: fmt.Sprintf("缺%d人（需%d人）", x.Missing, x.Target), EN: fmt.Sprintf("%d of %d heads missing", x.Missing, x.Target)},
		}
		for _, k := range known {
			if k.Queue == u.Queue && k.Range.Start.Equal(u.Range.Start) && k.Range.End.Equal(u.Range.End) && k.Missing == u.Missing {
				u = k
			}
		}
		out = append(out, u)
	}
	return out
}
