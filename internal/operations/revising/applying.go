package revising

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// Change asks for the next revision of a roster.
type Change struct {
	Roster   ids.Roster
	Expect   int             // store.AnyVersion, or the version of the roster that the caller read
	Edits    []revise.Edit   // or
	Changes  []revise.Change // what they come to, when something else than a hand made them
	Why      string          // kind of change for the trail: edit, repair, swap, give_away, leave, offer, bid
	Reason   string          // needed
	Overrule bool            // soft rules may break; hard ones never do
	Publish  bool            // a published roster changes at once; otherwise a copy of it becomes a draft
	Figures  any             // kept with the revision beside the verdict; may be nil
}

// Applied is the revision that was made.
type Applied struct {
	Roster   store.Roster   `json:"roster"` // without its shifts
	Revision store.Revision `json:"revision"`
	Verdict  Verdict        `json:"verdict"`
}

// maxReason is the longest reason, in bytes.
const maxReason = 2000

// Apply judges a change and makes it, in the transaction of the caller. A draft changes in place; so does
// a published roster with Publish, and what was published stays readable as its earlier revision. Without
// Publish a draft is made of it, which is published in its place later.
//
// Errors: those of Judge; store.invalid without a reason; store.conflict when the roster is archived or
// has another version than expected; roster.unlawful (a field for each hard rule that would break);
// roster.soft_rules (a field for each soft one, unless overruled); those of store.Tx.ReviseShifts.
func (d *Desk) Apply(ctx context.Context, tx *store.Tx, in Change) (Applied, error) {
	if problem := ReasonProblem(in.Reason); problem != "" {
		return Applied{}, fault.Bad("roster.edit", "edit", []fault.Field{{Path: "reason", Value: fault.Shorten(in.Reason), Problem: problem}})
	}
	view := tx.In(access.Scope{Everything: true})
	head, err := view.RosterHead(ctx, in.Roster)
	if err != nil {
		return Applied{}, err
	}
	if in.Expect != store.AnyVersion && in.Expect != head.Version {
		return Applied{}, fault.New(fault.Conflict, store.ErrConflict.Code,
			"the roster %q is at version %d, the change was made from version %d", in.Roster, head.Version, in.Expect)
	}
	var verdict Verdict
	if len(in.Edits) > 0 || len(in.Changes) == 0 {
		verdict, err = d.Judge(ctx, view, in.Roster, in.Edits)
	} else {
		verdict, err = d.Weigh(ctx, view, head, in.Changes)
	}
	if err != nil {
		return Applied{}, err
	}
	if err := verdict.refuse(in.Overrule); err != nil {
		return Applied{}, err
	}
	if len(verdict.Changes) == 0 {
		return Applied{}, fault.New(fault.Invalid, "roster.edit", "these edits change nothing")
	}
	id, expect := in.Roster, in.Expect
	if head.State == store.Published && !in.Publish {
		copied, err := tx.CopyRoster(in.Roster, ids.New[ids.Roster](tx.Now()), "", expect)
		if err != nil {
			return Applied{}, err
		}
		id, expect = copied.ID, store.AnyVersion
	}
	figures, err := json.Marshal(revisionFigures{verdict.Cost, verdict.rules(), in.Figures})
	if err != nil {
		return Applied{}, fault.Wrap(err, fault.Internal, "roster.figures", "the revision cannot be stored")
	}
	revision, _, err := tx.ReviseShifts(id, store.Revision{Why: in.Why, Reason: in.Reason, Figures: figures, Changes: verdict.Changes}, expect)
	if err != nil {
		return Applied{}, err
	}
	made, err := view.RosterHead(ctx, id)
	return Applied{Roster: made, Revision: revision, Verdict: verdict}, err
}

// revisionFigures are kept with a revision.
type revisionFigures struct {
	Cost      *CostChange `json:"cost,omitempty"`
	Overruled []string    `json:"overruled,omitempty"` // soft rules that were broken knowingly, as rule:agent
	More      any         `json:"more,omitempty"`
}

// ReasonProblem says what is wrong with a reason that a later reader of the trail needs; "" = nothing.
func ReasonProblem(reason string) string {
	switch {
	case strings.TrimSpace(reason) == "":
		return "is needed: a later reader must know why"
	case len(reason) > maxReason:
		return "is longer than 2000 bytes"
	}
	return ""
}

func (v Verdict) rules() (out []string) {
	for _, b := range v.Broken {
		out = append(out, b.Rule+":"+string(b.Agent))
	}
	return out
}

// refuse is the error of a change that may not be made.
func (v Verdict) refuse(overrule bool) error {
	var hard, soft []fault.Field
	for _, b := range v.Broken {
		f := fault.Field{Path: string(b.Agent), Value: b.Rule, Problem: b.Sentence.ZH + " / " + b.Sentence.EN}
		if len(b.Remedies) > 0 && b.Remedies[0].Legal {
			f.Problem += "; 可行: " + b.Remedies[0].Says.ZH + " / " + b.Remedies[0].Says.EN
		}
		if b.Hard {
			hard = append(hard, f)
		} else {
			soft = append(soft, f)
		}
	}
	if len(hard) > 0 {
		return conflict("roster.unlawful", "the change breaks rules that may not be broken", hard)
	}
	if len(soft) > 0 && !overrule {
		return conflict("roster.soft_rules", "the change breaks rules that may be overruled for a reason", soft)
	}
	return nil
}

func conflict(code, message string, fields []fault.Field) error {
	e := fault.New(fault.Conflict, code, "%s", message)
	e.Fields = fields
	return e
}
