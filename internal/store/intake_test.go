package store_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// testAccounts: the fixture's account belongs to 1001 from 9 to 12 and to 1002 from then on.
func testAccounts(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	list := func(f store.AccountFilter) (agents []string) {
		rows, _, err := view.Accounts(ctx, f, store.Page{})
		require.NoError(t, err)
		for _, r := range rows {
			assert.Equal(t, store.AccountID(r.Assignment), r.ID)
			agents = append(agents, string(r.Agent))
		}
		return agents
	}
	for h, want := range map[int][]string{8: nil, 9: {"1001"}, 11: {"1001"}, 12: {"1002"}, 23: {"1002"}} {
		assert.Equal(t, want, list(store.AccountFilter{At: hour(h)}), "at %d o'clock; periods are half-open", h)
	}
	assert.Equal(t, []string{"1001", "1002"}, list(store.AccountFilter{Platform: "tmall", Shop: "a-tmall"}))
	assert.Empty(t, list(store.AccountFilter{Platform: "jd"}))
	assert.Equal(t, []string{"1002"}, list(store.AccountFilter{Agent: "1002"}))

	put := func(list ...chatlog.Assignment) (r store.PutResult, err error) {
		err = db.Change(ctx, system, now.Add(time.Second), func(tx *store.Tx) error {
			r, err = tx.PutAccounts(list)
			return err
		})
		return r, err
	}
	r, err := put(assignment("1001", 9, 12), assignment("1002", 12, 18), assignment("1001", 18, 0))
	require.NoError(t, err)
	assert.Equal(t, store.PutResult{Added: 1, Changed: 1, Unchanged: 1}, r)
	assert.Equal(t, []string{"1001"}, list(store.AccountFilter{At: hour(18)}))
	rows, _, err := view.Accounts(ctx, store.AccountFilter{At: hour(13)}, store.Page{})
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Equal(t, 2, rows[0].Version)
	want := assignment("1002", 12, 18)
	want.From, want.Until = want.From.UTC(), want.Until.UTC()
	assert.Equal(t, want, rows[0].Assignment)

	unknown := assignment("9999", 1, 2)
	unknown.Shop = "nowhere"
	_, err = put(unknown)
	codeIs(t, err, store.ErrReference)
	assert.Len(t, fault.Of(err).Fields, 2, "shop and agent at once")
	_, err = put(assignment("1001", 1, 2), assignment("1001", 1, 3))
	assert.Equal(t, "store.invalid", fault.CodeOf(err))

	remove := func(id string) error {
		return db.Change(ctx, system, now, func(tx *store.Tx) error { return tx.DeleteAccount(id) })
	}
	require.NoError(t, remove(rows[0].ID))
	assert.Empty(t, list(store.AccountFilter{At: hour(13)}))
	codeIs(t, remove(rows[0].ID), store.ErrNotFound)

	// A shop that an account refers to stays.
	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		m := merchant("a")
		m.Shops = nil
		_, err := tx.PutMerchant(m, store.AnyVersion)
		return err
	})
	codeIs(t, err, store.ErrInUse)
}

// testQuarantine walks a line through its states; bodies are bytes that no text column would take.
func testQuarantine(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	q, err := view.Quarantined(ctx, "qa")
	require.NoError(t, err)
	assert.Equal(t, quarantined("qa", "a").Text, q.Text)
	assert.Equal(t, store.Waiting, q.State)
	assert.False(t, q.Cut())

	add := func(lines ...store.Quarantined) (n int) {
		change(t, db, func(tx *store.Tx) (err error) {
			n, err = tx.AddQuarantined(lines)
			return err
		})
		return n
	}
	settle := func(id string, state store.QuarantineState, note string) error {
		return db.Change(ctx, system, now, func(tx *store.Tx) error { return tx.SettleQuarantined(id, state, note) })
	}
	state := func(id string) store.QuarantineState {
		q, err := view.Quarantined(ctx, id)
		require.NoError(t, err)
		return q.State
	}
	proof, err := db.VerifyAudit(ctx)
	require.NoError(t, err)
	assert.Zero(t, add(quarantined("qa", "a")), "the same line is there once")
	again, err := db.VerifyAudit(ctx)
	require.NoError(t, err)
	assert.Equal(t, proof, again, "nothing changed, so nothing is audited")
	assert.Equal(t, 1, add(quarantined("qc", ""), quarantined("qc", "")), "also within one batch")

	require.NoError(t, settle("qa", store.Landed, ""))
	codeIs(t, settle("qa", store.Dropped, "x"), store.ErrConflict)
	codeIs(t, settle("none", store.Dropped, "x"), store.ErrNotFound)
	assert.Zero(t, add(quarantined("qa", "a")))
	assert.Equal(t, store.Waiting, state("qa"), "refused once more, it waits again")
	require.NoError(t, settle("qb", store.Dropped, "测试数据"))
	assert.Zero(t, add(quarantined("qb", "b")))
	assert.Equal(t, store.Dropped, state("qb"), "somebody decided about it")
	q, err = view.Quarantined(ctx, "qb")
	require.NoError(t, err)
	assert.Empty(t, q.Text, "what was dropped is not kept")
	assert.Equal(t, "测试数据", q.Note)

	waiting, _, err := view.Quarantine(ctx, store.QuarantineFilter{State: store.Waiting, Batch: "b1", Merchant: "a"}, store.Page{})
	require.NoError(t, err)
	assert.Len(t, waiting, 1)

	long := quarantined("long", "a")
	long.Text, long.Bytes = bytes.Repeat([]byte("x"), store.MaxQuarantined), 100<<20
	assert.Equal(t, 1, add(long))
	q, err = view.Quarantined(ctx, "long")
	require.NoError(t, err)
	assert.True(t, q.Cut())
	long.Text = append(long.Text, 'x')
	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.AddQuarantined([]store.Quarantined{long})
		return err
	})
	assert.Equal(t, "store.invalid", fault.CodeOf(err))

	// Lines that were settled long enough ago go, those that wait stay however old they are.
	const settled = 90 * 24 * time.Hour
	keep := store.Kept{Attempts: settled, Runs: settled, Settled: settled}
	p, err := db.Prune(ctx, now.Add(settled), keep)
	require.NoError(t, err)
	assert.Zero(t, p.Quarantined, "not a moment too early")
	require.NoError(t, settle("qc", store.Landed, ""))
	p, err = db.Prune(ctx, now.Add(settled+time.Second), keep)
	require.NoError(t, err)
	assert.Equal(t, int64(2), p.Quarantined, "a dropped and a landed one")
	left, _, err := view.Quarantine(ctx, store.QuarantineFilter{}, store.Page{})
	require.NoError(t, err)
	require.Len(t, left, 2)
	for _, q := range left {
		assert.Equal(t, store.Waiting, q.State)
	}
}
