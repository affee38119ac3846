package measuring_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

func TestRetentionAndHolds(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.Ingest(t, warehouse.Batch{Conversations: monthOfChats()})
	ctx := t.Context()
	_, err := s.Settling.DailyScorecards(ctx, admin, at("2026-05-21", "06:30:00"))
	ok(t, err)
	s.Clock = at("2029-06-02", "03:15:00") // three years and a day after the last chat
	preview, err := s.Measuring.PreviewRetention(ctx, admin)
	ok(t, err)
	assert.Equal(t, "2026-06-02", preview.Cutoff.String())
	assert.EqualValues(t, len(monthOfChats()), preview.Measured.Conversations)
	assert.EqualValues(t, 3, preview.Copies.Scorecards)

	_, err = s.Measuring.HoldRetention(ctx, admin, measuring.HoldInput{Merchant: "lumi"})
	_ = refused(t, err, "retention.hold")
	_, err = s.Measuring.HoldRetention(ctx, admin, measuring.HoldInput{Merchant: "none", Reason: "x"})
	_ = refused(t, err, "store.not_found")
	_, err = s.Measuring.HoldRetention(ctx, admin, measuring.HoldInput{Merchant: "lumi", Reason: "结算争议"})
	ok(t, err)
	holds, err := s.Measuring.Holds(ctx, admin)
	ok(t, err)
	require.Len(t, holds, 1)
	assert.Equal(t, admin.Name, holds[0].Author)

	// Two cases of one merchant: each is released on its own.
	lumi := func(reference, reason string) measuring.HoldInput {
		return measuring.HoldInput{Merchant: "lumi", Case: reference, Reason: reason}
	}
	_, err = s.Measuring.HoldRetention(ctx, admin, lumi("案件2", "another dispute"))
	ok(t, err)
	_, err = s.Measuring.ReleaseRetention(ctx, admin, lumi("", "which?"))
	assert.Contains(t, refused(t, err, "retention.case").Message, "案件2, 结算争议")
	_, err = s.Measuring.ReleaseRetention(ctx, admin, lumi("案件3", "no such case"))
	_ = refused(t, err, "warehouse.hold.unknown")
	done, err := s.Measuring.ReleaseRetention(ctx, admin, lumi("案件2", "over"))
	ok(t, err)
	assert.Equal(t, "案件2", done.Case)
	holds, err = s.Measuring.Holds(ctx, admin)
	ok(t, err)
	require.Len(t, holds, 1)
	assert.Equal(t, []string{"结算争议", "结算争议"}, []string{holds[0].Case, holds[0].Reason}, "the first case is open still, with its own reason")
	gone, err := s.Measuring.Retain(ctx, admin, s.Clock)
	ok(t, err)
	orca := len(operationstest.Of(monthOfChats(), func(c chatlog.Conversation) bool { return c.Merchant == "orca" }))
	assert.EqualValues(t, orca, gone, "orca's chats, and no daily card while anybody is held")

	_, err = s.Measuring.ReleaseRetention(ctx, admin, measuring.HoldInput{Merchant: "lumi", Reason: "和解"})
	ok(t, err)
	_, err = s.Measuring.ReleaseRetention(ctx, admin, measuring.HoldInput{Merchant: "lumi", Reason: "x"})
	_ = refused(t, err, "warehouse.hold.unknown")
	gone, err = s.Measuring.Retain(ctx, admin, s.Clock)
	ok(t, err)
	assert.EqualValues(t, len(monthOfChats())-orca+3, gone)
	log, err := s.Measuring.Deletions(ctx, admin)
	ok(t, err)
	assert.NotEmpty(t, log)
	rows, _, err := s.Administration.Audit(ctx, admin, operations.AuditFilter{Kind: "retention"}, operations.Page{})
	ok(t, err)
	assert.Len(t, rows, 4)
}
