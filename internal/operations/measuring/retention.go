package measuring

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// Retained is what a run of retention deleted, or would delete.
type Retained struct {
	Cutoff   calendar.Date     `json:"cutoff"` // business days before it go
	Measured warehouse.Deleted `json:"measured"`
	Copies   store.Expired     `json:"copies"` // scorecards, conversion figures and comparisons in the operational store
}

// Retain deletes measurements older than the configured years, and the scorecards, conversion
// figures and comparisons that were made of them. rows leaves out roll-ups.
func (m *Measuring) Retain(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return 0, err
	}
	done, err := m.retain(ctx, who, due, false)
	return int64(done.Measured.Raw()) + done.Copies.Sum(), err
}

// PreviewRetention counts what Retain would delete now, and deletes nothing.
func (m *Measuring) PreviewRetention(ctx context.Context, who access.Principal) (Retained, error) {
	if _, err := access.Decide(who, access.ManageRetention); err != nil {
		return Retained{}, err
	}
	return m.retain(ctx, who, m.gate.Now(), true)
}

func (m *Measuring) retain(ctx context.Context, who access.Principal, due time.Time, dry bool) (done Retained, err error) {
	today := calendar.DateOf(due, m.gate.Zone)
	done.Cutoff = calendar.MakeDate(today.Year-m.policy.RetentionYears, today.Month, today.Day)
	done.Measured, err = m.gate.Warehouse.Retain(ctx, warehouse.Retention{Cutoff: done.Cutoff, Today: today, DryRun: dry, Author: author(who)})
	if err != nil {
		return done, err
	}
	// Holds are asked for again: one that was put on while the warehouse deleted counts here.
	holds, err := m.gate.Warehouse.Holds(ctx)
	if err != nil {
		return done, err
	}
	held := make([]ids.Merchant, len(holds))
	for i, h := range holds {
		held[i] = h.Merchant // several cases of one merchant name it several times
	}
	done.Copies, err = m.gate.Store.Expire(ctx, done.Cutoff, held, dry)
	return done, err
}

// author names a principal in logs that are not the audit trail.
func author(who access.Principal) string {
	if who.Name != "" {
		return who.Name
	}
	return string(who.User)
}

// HoldInput says whose measurements must be kept, or may go again, and why.
type HoldInput struct {
	Merchant ids.Merchant `json:"merchant"`       // empty = everybody's
	Case     string       `json:"case,omitempty"` // what the hold is released by. Empty: of a new hold its reason, of a release the only hold there is
	Reason   string       `json:"reason"`
}

func (m *Measuring) checkHold(ctx context.Context, in HoldInput) error {
	if in.Reason == "" {
		return fault.Bad("retention.hold", "hold", []fault.Field{{Path: "reason", Problem: "is missing: say why"}})
	}
	if in.Merchant == "" {
		return nil
	}
	_, err := m.gate.Everything().Merchant(ctx, in.Merchant)
	return err
}

// HoldRetention keeps the measurements of a merchant, or of all, from being deleted, however old
// they get: a dispute or an inquiry needs them. A merchant may be held for several cases. The hold comes before
// its audit row, so that what fails between them errs on the side of keeping.
func (m *Measuring) HoldRetention(ctx context.Context, who access.Principal, in HoldInput) (HoldInput, error) {
	if _, err := access.Decide(who, access.ManageRetention); err != nil {
		return in, err
	}
	if err := m.checkHold(ctx, in); err != nil {
		return in, err
	}
	in.Case = cmp.Or(in.Case, in.Reason)
	if err := m.gate.Warehouse.Hold(ctx, warehouse.Hold{Merchant: in.Merchant, Case: in.Case, Reason: in.Reason, Author: author(who)}); err != nil {
		return in, err
	}
	return in, m.noteHold(ctx, who, "retention.hold", in)
}

// ReleaseRetention ends the hold of one case; what is old enough may go with the next run of retention
// when no other case holds it. The audit row comes first: no hold ends without one. It returns what was
// released. Errors: warehouse.hold.unknown, retention.case when there are several holds and none is named.
func (m *Measuring) ReleaseRetention(ctx context.Context, who access.Principal, in HoldInput) (HoldInput, error) {
	if _, err := access.Decide(who, access.ManageRetention); err != nil {
		return in, err
	}
	if err := m.checkHold(ctx, in); err != nil {
		return in, err
	}
	holds, err := m.gate.Warehouse.Holds(ctx)
	if err != nil {
		return in, err
	}
	h, err := caseOf(holds, in)
	if err != nil {
		return in, err
	}
	in.Case = h.Case
	if err := m.noteHold(ctx, who, "retention.release", in); err != nil {
		return in, err
	}
	return in, m.gate.Warehouse.Release(ctx, warehouse.Hold{Merchant: in.Merchant, Case: in.Case, Reason: in.Reason, Author: author(who)})
}

// caseOf finds the hold that a release means.
func caseOf(holds []warehouse.Hold, in HoldInput) (warehouse.Hold, error) {
	holds = slices.DeleteFunc(slices.Clone(holds), func(h warehouse.Hold) bool { return h.Merchant != in.Merchant })
	var cases []string
	for _, h := range holds {
		if in.Case != "" && cmp.Or(h.Case, h.Reason) == in.Case { // holds of before had no case
			return h, nil
		}
		cases = append(cases, fault.Shorten(cmp.Or(h.Case, h.Reason)))
	}
	on := "everything"
	if in.Merchant != "" {
		on = string(in.Merchant)
	}
	switch {
	case len(holds) == 0:
		return warehouse.Hold{}, fault.New(fault.NotFound, "warehouse.hold.unknown", "there is no hold on %s", on)
	case in.Case != "":
		return warehouse.Hold{}, fault.New(fault.NotFound, "warehouse.hold.unknown", "there is no hold on %s for the case %s; its cases are: %s", on, fault.Shorten(in.Case), strings.Join(cases, ", "))
	case len(holds) > 1:
		return warehouse.Hold{}, fault.New(fault.Conflict, "retention.case", "%s is held for %d cases, say which is over: %s", on, len(holds), strings.Join(cases, ", "))
	}
	return holds[0], nil
}

func (m *Measuring) noteHold(ctx context.Context, who access.Principal, action string, in HoldInput) error {
	return m.gate.Store.Change(ctx, who, m.gate.Now(), func(tx *store.Tx) error {
		return tx.Note(action, "retention", string(in.Merchant), in.Merchant, struct {
			Case   string `json:"case"`
			Reason string `json:"reason"`
		}{in.Case, in.Reason})
	})
}

// Holds lists whose measurements are held, by merchant and case.
func (m *Measuring) Holds(ctx context.Context, who access.Principal) ([]warehouse.Hold, error) {
	if _, err := access.Decide(who, access.ManageRetention); err != nil {
		return nil, err
	}
	return m.gate.Warehouse.Holds(ctx)
}

// Deletions is the log of what was deleted from the warehouse, newest first.
func (m *Measuring) Deletions(ctx context.Context, who access.Principal) ([]warehouse.Deletion, error) {
	if _, err := access.Decide(who, access.ManageRetention); err != nil {
		return nil, err
	}
	return m.gate.Warehouse.Deletions(ctx)
}
