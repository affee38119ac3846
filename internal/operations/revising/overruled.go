package revising

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// maxCopies is how far back a chain of copies is followed.
const maxCopies = 30

// Overruled are the revisions of a roster, and of those that it is a copy of, that broke rules knowingly.
type Overruled []overruling

// overruling is one such revision.
type overruling struct {
	rules   []string // rule:agent
	changes []revise.Change
}

// OverruledIn reads what was entered in a roster against rules.
func OverruledIn(ctx context.Context, view *store.View, head store.Roster) (out Overruled, err error) {
	at, until := head, 0 // 0: all of its revisions
	for range maxCopies {
		all, err := store.All(func(p store.Page) ([]store.Revision, string, error) { return view.RosterRevisions(ctx, at.ID, p) })
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			var kept revisionFigures
			if until > 0 && r.Revision > until || len(r.Figures) == 0 || json.Unmarshal(r.Figures, &kept) != nil || len(kept.Overruled) == 0 {
				continue // figures of another form overrule nothing
			}
			out = append(out, overruling{kept.Overruled, r.Changes})
		}
		if at.Parent == "" {
			return out, nil
		}
		until = at.ParentAt
		if at, err = view.RosterHead(ctx, at.Parent); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Knew reports whether a breach was entered: a revision broke this rule for this agent and left a shift there.
func (o Overruled) Knew(v workrules.Violation) bool {
	return slices.ContainsFunc(o, func(x overruling) bool {
		return slices.Contains(x.rules, v.Rule+":"+string(v.Agent)) && slices.ContainsFunc(x.changes, func(c revise.Change) bool {
			return c.After != nil && c.After.Agent == v.Agent && c.After.Range().Overlaps(v.Range)
		})
	})
}
