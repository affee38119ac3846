package rostering

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// RepairInput asks for the repair of a roster after absences.
type RepairInput struct {
	Roster   ids.Roster
	Expect   int // store.AnyVersion, or the version that the caller read
	Absences []revise.Absence
	Dry      bool   // propose only
	Past     bool   // absences and hours that have passed are repaired too, as if they were still to come: to enter what was done
	Publish  bool   // a published roster changes at once; otherwise a draft is made of it
	Reason   string // empty: names the absences
	// RecordLeave enters the absences as granted leave of this kind in the same change; it needs Publish,
	// since leave is of a roster that binds. Empty: the absences are noted in the revision only.
	RecordLeave leave.LeaveKind
}

// maxAbsences is how many absences one repair takes.
const maxAbsences = 500

// problems lists every bad field that can be seen without the roster; now is when it is asked.
func (in RepairInput) problems(now time.Time) (bad []fault.Field) {
	if n := len(in.Absences); n == 0 || n > maxAbsences {
		bad = append(bad, fault.Field{Path: "absent", Value: fmt.Sprint(n), Problem: fmt.Sprintf("must name 1 to %d absences", maxAbsences)})
	}
	for i, a := range in.Absences {
		if a.Agent == "" {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("absent[%d].agent", i), Problem: "is needed"})
		}
		if !in.Past && a.Range.Valid() && !a.Range.End.After(now) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("absent[%d].to", i), Value: a.Range.End.Format(time.RFC3339), Problem: "is over: nobody can step in any more; past (--past) with a reason enters what was done"})
		}
		if !a.Range.Valid() {
			bad = append(bad, a.Backwards(i))
		}
	}
	if in.RecordLeave != "" && !slices.Contains(leave.LeaveKinds, in.RecordLeave) {
		bad = append(bad, fault.Field{Path: "record_leave", Value: fault.Shorten(string(in.RecordLeave)), Problem: "must be one of " + fault.Names(leave.LeaveKinds)})
	}
	if in.RecordLeave != "" && !in.Publish && !in.Dry {
		bad = append(bad, fault.Field{Path: "record_leave", Value: string(in.RecordLeave), Problem: "needs publish: leave is of a roster that binds"})
	}
	if in.Past && !in.Dry && strings.TrimSpace(in.Reason) == "" {
		bad = append(bad, fault.Field{Path: "reason", Problem: "is needed to change hours that have passed"})
	}
	return bad
}

// refuse adds to what is wrong with an input what the roster says of it, so that all of it is told at once.
func (in RepairInput) refuse(bad []fault.Field, p roster.Problem) error {
	if len(bad) == 0 {
		return nil // the repair itself tells what is wrong with the absences
	}
	for _, f := range revise.AbsenceProblems(p, in.Absences) {
		if !slices.ContainsFunc(bad, func(x fault.Field) bool { return x.Path == f.Path }) {
			bad = append(bad, f)
		}
	}
	return fault.Bad("repair.input", "repair", bad)
}

// RepairMade is a repair and, unless it was dry, the revision that it made.
type RepairMade struct {
	revise.Repaired
	Applied *revising.Applied `json:"applied,omitempty"`
	Leave   []ids.Request     `json:"leave,omitempty"` // the absences as granted leave, in the order given
	Noted   []revise.Absence  `json:"noted,omitempty"` // absences that went on file although they change no shift
}

// RepairRoster fills the gaps that absences leave with as little change as pays. Each change is lawful;
// what stays short is told with its reasons and its price.
//
// Errors: repair.input, repair.absences (who does not work in these days), roster.no_plan for a roster
// that rests on no plan, leave.rejected for leave that cannot be recorded, those of revising.Desk.Apply; store.conflict when the roster changed meanwhile.
func (r *Rostering) RepairRoster(ctx context.Context, who access.Principal, in RepairInput) (RepairMade, error) {
	_, scope, err := r.gate.Read(who, access.WritePlans)
	if err != nil {
		return RepairMade{}, err
	}
	now := r.gate.Now()
	bad := in.problems(now)
	if len(in.Absences) > maxAbsences {
		return RepairMade{}, fault.Bad("repair.input", "repair", bad)
	}
	var problem roster.Problem
	var version int
	err = r.gate.Store.Read(ctx, scope, func(view *store.View) error {
		problem, version, err = r.standing(ctx, view, in.Roster)
		return err
	})
	if err != nil {
		return RepairMade{}, cmp.Or(fault.Bad("repair.input", "repair", bad), err)
	}
	if err := in.refuse(bad, problem); err != nil {
		return RepairMade{}, err
	}
	if in.Expect != store.AnyVersion && in.Expect != version {
		return RepairMade{}, fault.New(fault.Conflict, store.ErrConflict.Code, "the roster %q is at version %d, the repair was asked for version %d", in.Roster, version, in.Expect)
	}
	if in.Past {
		now = time.Time{}
	}
	fixed, err := revise.Repair(problem, in.Absences, now)
	if err != nil {
		return RepairMade{}, err
	}
	made := RepairMade{Repaired: fixed}
	if in.Dry {
		return made, nil
	}
	if err := r.keepRepair(ctx, who, in, version, &made); err != nil {
		return RepairMade{}, err
	}
	return made, nil
}

// keepRepair makes the revision of a repair, and the leave beside it, in one change.
func (r *Rostering) keepRepair(ctx context.Context, who access.Principal, in RepairInput, version int, made *RepairMade) error {
	reason := in.Reason
	if reason == "" {
		reason = fmt.Sprintf("缺勤 %d 人次 / absences: %[1]d", len(in.Absences))
	}
	return r.gate.Store.Change(ctx, who, r.gate.Now(), func(tx *store.Tx) error {
		made.Leave, made.Applied, made.Noted = nil, nil, nil
		if in.RecordLeave != "" {
			var err error
			if made.Leave, err = r.recordLeave(ctx, tx, who, in, made.Absent, reason); err != nil {
				return err
			}
		}
		absent := in.Absences
		if in.RecordLeave != "" {
			absent = nil // the leave keeps them off, and gives them back when it is cancelled
		}
		if len(made.Changes) == 0 {
			return r.onlyAbsent(ctx, tx, in, absent, reason, made)
		}
		done, err := r.desk.Apply(ctx, tx, revising.Change{
			Roster: in.Roster, Expect: version, Changes: made.Changes, Why: "repair", Reason: reason, Overrule: true, Past: true, Publish: in.Publish,
			Absences: absent,
			Figures: struct {
				Leave []ids.Request `json:"leave,omitempty"`
				Left  int           `json:"left"`
			}{made.Leave, len(made.Left)},
		})
		made.Applied = &done
		return err
	})
}

// onlyAbsent puts absences on file that take no shift away, where the roster binds.
func (r *Rostering) onlyAbsent(ctx context.Context, tx *store.Tx, in RepairInput, absent []revise.Absence, reason string, made *RepairMade) error {
	head, err := tx.In(access.Scope{Everything: true}).RosterHead(ctx, in.Roster)
	if err != nil || head.State != store.Published || !in.Publish {
		return err
	}
	made.Noted = absent
	return revising.RecordAbsences(ctx, tx, head, absent, reason)
}

// recordLeave enters the absences as leave while their shifts are still in the roster. Errors:
// repair.input for a roster that is not published, leave.rejected.
func (r *Rostering) recordLeave(ctx context.Context, tx *store.Tx, who access.Principal, in RepairInput, absent []revise.Change, reason string) ([]ids.Request, error) {
	head, err := tx.In(access.Scope{Everything: true}).RosterHead(ctx, in.Roster)
	if err != nil {
		return nil, err
	}
	if head.State != store.Published {
		return nil, fault.Bad("repair.input", "repair", []fault.Field{{Path: "record_leave", Value: string(in.RecordLeave), Problem: "needs a published roster: leave is of a roster that binds"}})
	}
	notes := make([]AbsentShifts, len(in.Absences))
	for i, a := range in.Absences {
		notes[i] = AbsentShifts{Absence: a, Effect: leave.Effect{Roster: in.Roster}}
		for _, c := range absent {
			if c.Agent() != a.Agent || c.Before == nil || !c.Before.Range().Overlaps(a.Range) {
				continue
			}
			notes[i].Effect.Drop = append(notes[i].Effect.Drop, *c.Before)
			if c.After != nil {
				notes[i].Effect.Add = append(notes[i].Effect.Add, *c.After)
			}
		}
	}
	return r.policy.RecordLeave(ctx, tx, who, in.RecordLeave, notes, reason)
}

// standing is a roster as a problem: what it should cover, with who, and as it is.
func (r *Rostering) standing(ctx context.Context, view *store.View, id ids.Roster) (roster.Problem, int, error) {
	head, err := view.Roster(ctx, id)
	if err != nil {
		return roster.Problem{}, 0, err
	}
	if len(head.Plans) == 0 {
		return roster.Problem{}, 0, fault.New(fault.Conflict, "roster.no_plan", "the roster %q rests on no staffing plan, so nobody knows what a gap in it costs", head.Title)
	}
	p, err := r.problemOf(ctx, view, head)
	if err != nil {
		return roster.Problem{}, 0, err
	}
	p.Previous = head.Shifts
	return *p, head.Version, nil
}

// inside are the shifts that start in a range, and those before and after it.
func inside(shifts []scheduling.Shift, r calendar.Range) (before, within, after []scheduling.Shift) {
	for _, s := range shifts {
		switch {
		case s.Start.Before(r.Start):
			before = append(before, s)
		case s.Start.Before(r.End):
			within = append(within, s)
		default:
			after = append(after, s)
		}
	}
	return before, within, after
}
