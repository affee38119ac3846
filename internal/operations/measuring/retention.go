package measuring

import (
	"context"
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
		held[i] = h.Merchant
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
	Merchant ids.Merchant // empty = everybody's
	Reason   string
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
// they get: a dispute or an inquiry needs them. The hold comes before its audit row, so that what
// fails between them errs on the side of keeping.
func (m *Measuring) HoldRetention(ctx context.Context, who access.Principal, in HoldInput) error {
	if _, err := access.Decide(who, access.ManageRetention); err != nil {
		return err
	}
	if err := m.checkHold(ctx, in); err != nil {
		return err
	}
	if err := m.gate.Warehouse.Hold(ctx, warehouse.Hold{Merchant: in.Merchant, Reason: in.Reason, Author: author(who)}); err != nil {
		return err
	}
	return m.noteHold(ctx, who, "retention.hold", in)
}

// ReleaseRetention ends a hold; the next run of retention may delete what is old enough. The audit
// row comes first: no hold ends without one.
func (m *Measuring) ReleaseRetention(ctx context.Context, who access.Principal, in HoldInput) error {
	if _, err := access.Decide(who, access.ManageRetention); err != nil {
		return err
	}
	if err := m.checkHold(ctx, in); err != nil {
		return err
	}
	holds, err := m.gate.Warehouse.Holds(ctx)
	if err != nil {
		return err
	}
	held := false
	for _, h := range holds {
		held = held || h.Merchant == in.Merchant
	}
	if !held {
		return fault.New(fault.NotFound, "warehouse.hold.unknown", "there is no hold on %q", in.Merchant)
	}
	if err := m.noteHold(ctx, who, "retention.release", in); err != nil {
		return err
	}
	return m.gate.Warehouse.Release(ctx, in.Merchant, author(who), in.Reason)
}

func (m *Measuring) noteHold(ctx context.Context, who access.Principal, action string, in HoldInput) error {
	return m.gate.Store.Change(ctx, who, m.gate.Now(), func(tx *store.Tx) error {
		return tx.Note(action, "retention", string(in.Merchant), in.Merchant, struct {
			Reason string `json:"reason"`
		}{in.Reason})
	})
}

// Holds lists whose measurements are held, by merchant.
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
