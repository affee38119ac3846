package revising

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// Change asks for the next revision of a roster.
type Change struct {
	Roster   ids.Roster
	Expect   int              // store.AnyVersion, or the version of the roster that the caller read
	Edits    []revise.Edit    // or
	Changes  []revise.Change  // what they come to, when something else than a hand made them
	Why      string           // kind of change for the trail: edit, repair, swap, give_away, leave, offer, bid
	Reason   string           // needed
	Overrule bool             // soft rules may break; hard ones never do
	Past     bool             // hours that have passed may change: a correction of what was done. With Overrule it may break hard rules too
	Publish  bool             // a published roster changes at once; otherwise a copy of it becomes a draft
	Absences []revise.Absence // who does not come, and is not to be called in for that time
	Figures  any              // kept with the revision beside the verdict; may be nil
}

// Applied is the revision that was made.
type Applied struct {
	Roster   store.Roster   `json:"roster"` // without its shifts
	Revision store.Revision `json:"revision"`
	Verdict  Verdict        `json:"verdict"`
	// Absent is who is not called in any more for a time: reported absent, or taken off the day by hand.
	Absent []revise.Absence `json:"absent,omitempty"`
}

// maxReason is the longest reason, in bytes.
const maxReason = 2000

// Apply judges a change and makes it, in the transaction of the caller. A draft changes in place; so does
// a published roster with Publish, and what was published stays readable as its earlier revision. Without
// Publish a draft is made of it, which is published in its place later.
//
// A hard rule never breaks, but in a record of what was worked (Past, all of it over, with Overrule).
//
// Errors: those of Judge; store.invalid without a reason; store.conflict when the roster is archived or
// has another version than expected; roster.unlawful (a field for each hard rule that would break);
// roster.soft_rules (a field for each soft one, unless overruled); roster.past (a field for each change of
// hours that have passed, unless Past); those of store.Tx.ReviseShifts.
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
		verdict, err = d.Weigh(ctx, view, head, in.Changes, in.Absences)
	}
	if err != nil {
		return Applied{}, err
	}
	verdict.Past = revise.Past(verdict.Changes, tx.Now())
	if err := verdict.refuse(in.Overrule, in.Past && over(verdict.Changes, tx.Now())); err != nil {
		return Applied{}, err
	}
	note := in.Reason
	if in.Reason, err = d.corrected(verdict.Past, in); err != nil {
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
	absent, err := d.takenOff(ctx, view, head, in.Edits, verdict.Changes)
	if err != nil {
		return Applied{}, err
	}
	absent = append(slices.Clone(in.Absences), absent...)
	figures, err := json.Marshal(revisionFigures{verdict.Cost, verdict.rules(), absent, in.Figures})
	if err != nil {
		return Applied{}, fault.Wrap(err, fault.Internal, "roster.figures", "the revision cannot be stored")
	}
	revision, _, err := tx.ReviseShifts(id, store.Revision{Why: in.Why, Reason: in.Reason, Figures: figures, Changes: verdict.Changes}, expect)
	if err != nil {
		return Applied{}, err
	}
	made, err := view.RosterHead(ctx, id)
	if err == nil && made.State == store.Published {
		err = RecordAbsences(ctx, tx, made, absent, note)
	}
	return Applied{Roster: made, Revision: revision, Verdict: verdict, Absent: absent}, err
}

// corrected is the reason of a change as the trail keeps it: of hours that have passed it says so. Somebody
// who stayed longer is a correction that pay and figures need; a slip of the mouse is not, so it is asked
// for. Errors: roster.past.
func (d *Desk) corrected(past []revise.Change, in Change) (string, error) {
	if len(past) == 0 {
		return in.Reason, nil
	}
	if in.Past {
		return in.Reason + " [更正已过去的班次 / corrects hours that had passed]", nil
	}
	e := fault.New(fault.Invalid, "roster.past", "hours that have passed change only as a correction: past (--past), with its reason")
	for _, c := range past {
		e.Fields = append(e.Fields, fault.Field{Path: string(c.Agent()), Value: c.At().In(d.policy.Zone).Format("2006-01-02 15:04"), Problem: "has begun"})
	}
	return "", e
}

// revisionFigures are kept with a revision.
type revisionFigures struct {
	Cost      *CostChange      `json:"cost,omitempty"`
	Overruled []string         `json:"overruled,omitempty"` // soft rules that were broken knowingly, as rule:agent
	Absences  []revise.Absence `json:"absences,omitempty"`
	More      any              `json:"more,omitempty"`
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

// over reports that all of a change lies before an instant.
func over(changes []revise.Change, now time.Time) bool {
	return !slices.ContainsFunc(changes, func(c revise.Change) bool {
		return c.Before != nil && c.Before.End.After(now) || c.After != nil && c.After.End.After(now)
	})
}

// refuse is the error of a change that may not be made. What was worked was worked, lawful or not: a record
// of it is refused only until somebody answers for it, because hours that are not on file are not paid.
func (v Verdict) refuse(overrule, record bool) error {
	var hard, soft []fault.Field
	for _, b := range v.Broken {
		f := fault.Field{Path: string(b.Agent), Value: b.Rule, Problem: b.Sentence.ZH + " / " + b.Sentence.EN}
		if len(b.Remedies) > 0 && b.Remedies[0].Legal {
			f.Problem += "; 可行: " + b.Remedies[0].Says.ZH + " / " + b.Remedies[0].Says.EN
		}
		switch { // a rule may break in several parts of a shift alike
		case b.Hard && !slices.Contains(hard, f):
			hard = append(hard, f)
		case !b.Hard && !slices.Contains(soft, f):
			soft = append(soft, f)
		}
	}
	if record && !overrule {
		soft, hard = append(hard, soft...), nil
	}
	if len(hard) > 0 && !record {
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
