package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

// september is the frozen month of the fixture.
var september = calendar.Month{Year: 2026, Month: time.September}

func monthCard(of string, agent ids.Agent, score float64) store.MonthCard {
	return store.MonthCard{
		Month: september, Contract: ids.Contract("c-" + of), Merchant: ids.Merchant(of), Agent: agent, Score: &score,
		Parts: []store.ScorePart{{Term: "first-30s", Metric: "answered_within", Direction: contracts.AtLeast, Target: 0.9, Weight: 1, Share: 1, Points: score, Attained: &score}},
	}
}

func conversion(of, day string, revision int, state store.ConversionState, paid float64) store.Conversion {
	return store.Conversion{
		Merchant: ids.Merchant(of), Shop: ids.Shop(of + "-tmall"), Date: date(day), Metric: "tmall.inquiry_conversion_final", Version: "v1",
		Revision: revision, State: state, AsOf: date(day).Add(4), Numerator: paid, Denominator: 100,
	}
}

func reconciliation(of, day string, different int) store.Reconciliation {
	return store.Reconciliation{
		Merchant: ids.Merchant(of), Shop: ids.Shop(of + "-tmall"), Platform: "tmall", Date: date(day), Closed: true, Compared: 5, Equal: 5 - different,
		Different: different, Worst: 0.1, WorstItem: "human_3min_rate",
	}
}

// seedKept gives each agent a frozen score and each merchant a final conversion and a comparison.
func seedKept(tx *store.Tx) error {
	if _, err := tx.FreezeMonth(september, []store.MonthCard{monthCard("a", "1001", 81.5), monthCard("a", "1002", 90)}); err != nil {
		return err
	}
	if err := tx.AddConversions([]store.Conversion{conversion("a", "2026-09-01", 0, store.Final, 20), conversion("b", "2026-09-01", 0, store.Final, 30)}); err != nil {
		return err
	}
	_, err := tx.PutReconciliations([]store.Reconciliation{reconciliation("a", "2026-09-01", 1), reconciliation("b", "2026-09-01", 0)})
	return err
}

func testMonthCards(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	freeze, err := view.Freeze(ctx, september)
	require.NoError(t, err)
	assert.Equal(t, 2, freeze.Cards)
	assert.Equal(t, nowStored, freeze.At)
	assert.EqualValues(t, "system", freeze.Author)
	assert.Len(t, freeze.SHA256, 64)

	again := func(cards ...store.MonthCard) error {
		return db.Change(ctx, system, now, func(tx *store.Tx) error {
			_, err := tx.FreezeMonth(september, cards)
			return err
		})
	}
	codeIs(t, again(), store.ErrConflict)
	october := monthCard("a", "1001", 1)
	october.Month.Month++
	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.FreezeMonth(october.Month, []store.MonthCard{october, october, monthCard("a", "1001", 1), {Month: october.Month}})
		return err
	})
	assert.Equal(t, "store.invalid", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 3, "twice, another month, nobody")

	later := now.Add(time.Hour)
	var amended store.MonthCard
	require.NoError(t, db.Change(ctx, system, later, func(tx *store.Tx) (err error) {
		amended, err = tx.AmendMonthCard(monthCard("a", "1001", 84), "平台补发会话")
		return err
	}))
	assert.Equal(t, 1, amended.Revision)
	cards, _, err := view.MonthCards(ctx, store.MonthCardFilter{Month: september, Agent: "1001"}, store.Page{})
	require.NoError(t, err)
	require.Len(t, cards, 2, "the frozen card stays")
	assert.Equal(t, []int{1, 0}, []int{cards[0].Revision, cards[1].Revision})
	assert.InDelta(t, 84, *cards[0].Score, 0)
	assert.Equal(t, "平台补发会话", cards[0].Reason)
	want := monthCard("a", "1001", 81.5)
	want.At, want.Author, want.AuthorName = nowStored, "system", "test"
	assert.Equal(t, want, cards[1])

	// Somebody who had no card at the freeze gets one by amendment only: it is no revision 0.
	require.NoError(t, db.Change(ctx, system, later, func(tx *store.Tx) (err error) {
		amended, err = tx.AmendMonthCard(monthCard("b", "1002", 50), "补录")
		return err
	}))
	assert.Equal(t, 1, amended.Revision)
	for reason, card := range map[string]store.MonthCard{" ": monthCard("a", "1001", 1), "x": october} {
		err := db.Change(ctx, system, later, func(tx *store.Tx) error {
			_, err := tx.AmendMonthCard(card, reason)
			return err
		})
		require.Error(t, err)
	}

	// Daily cards of a frozen month do not change; the same ones again are no change.
	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.PutScorecards(date("2026-09-30"), scorecards("1001"))
		return err
	})
	codeIs(t, err, store.ErrConflict)
	_, err = db.VerifyAudit(ctx)
	require.NoError(t, err)
}

func testConversions(t *testing.T, db *store.DB) {
	ctx := t.Context()
	add := func(figures ...store.Conversion) error {
		return db.Change(ctx, system, now.Add(time.Hour), func(tx *store.Tx) error { return tx.AddConversions(figures) })
	}
	require.NoError(t, add())
	require.NoError(t, add(conversion("a", "2026-09-01", 1, store.Amended, 21), conversion("a", "2026-09-02", 0, store.Provisional, 5)))
	codeIs(t, add(conversion("a", "2026-09-01", 1, store.Amended, 22)), store.ErrConflict)
	all, err := store.All(func(p store.Page) ([]store.Conversion, string, error) {
		p.Limit = 1
		return db.In(everything).Conversions(ctx, store.ConversionFilter{Shop: "a-tmall", Dates: calendar.Dates{From: date("2026-09-01")}}, p)
	})
	require.NoError(t, err)
	require.Len(t, all, 3)
	assert.Equal(t, []float64{5, 21, 20}, []float64{all[0].Numerator, all[1].Numerator, all[2].Numerator}, "newest day first, newest revision first")
	assert.InDelta(t, 0.21, *all[1].Value, 1e-15)
	rows, _, err := db.In(everything).Audit(ctx, store.AuditFilter{Kind: "conversion"}, store.Page{})
	require.NoError(t, err)
	require.Len(t, rows, 1, "an amendment is audited by itself")
	assert.Equal(t, "conversion.amend", rows[0].Action)
	assert.EqualValues(t, "a", rows[0].Merchant)
}

func testReconciliations(t *testing.T, db *store.DB) {
	ctx := t.Context()
	put := func(at time.Time, all ...store.Reconciliation) (result store.PutResult) {
		t.Helper()
		require.NoError(t, db.Change(ctx, system, at, func(tx *store.Tx) (err error) {
			result, err = tx.PutReconciliations(all)
			return err
		}))
		return result
	}
	later := now.Add(time.Hour)
	assert.Equal(t, store.PutResult{Unchanged: 1}, put(later, reconciliation("a", "2026-09-01", 1)))
	assert.Equal(t, store.PutResult{Added: 1, Changed: 1}, put(later, reconciliation("a", "2026-09-01", 2), reconciliation("a", "2026-09-02", 0)))
	rows, _, err := db.In(access.Scope{Merchants: []ids.Merchant{"a"}}).Reconciliations(ctx, store.ReconciliationFilter{}, store.Page{})
	require.NoError(t, err)
	require.Len(t, rows, 2)
	want := reconciliation("a", "2026-09-01", 2)
	want.At = nowStored.Add(time.Hour)
	assert.Equal(t, want, rows[1])
}

func testExpiry(t *testing.T, db *store.DB) {
	ctx, after := t.Context(), date("2026-11-02")
	whole := store.Expired{Scorecards: 2, MonthCards: 2, Conversions: 2, Reconciliations: 2}
	expire := func(before calendar.Date, dry bool, held ...ids.Merchant) store.Expired {
		t.Helper()
		e, err := db.Expire(ctx, before, held, dry)
		require.NoError(t, err)
		return e
	}
	assert.Zero(t, expire(date("2026-09-01"), false), "nothing is that old")
	assert.Equal(t, whole, expire(after, true))
	assert.Zero(t, expire(after, false, ""), "everything is held")
	assert.Equal(t, store.Expired{Conversions: 1, Reconciliations: 1}, expire(after, false, "a"), "what is a's, and the daily cards of all, stay")
	assert.EqualValues(t, 6, expire(after, true).Sum())
	assert.EqualValues(t, 6, expire(after, false).Sum())
	assert.Zero(t, expire(after, false))
	freezes, _, err := db.In(everything).Freezes(ctx, store.Page{})
	require.NoError(t, err)
	assert.Len(t, freezes, 1, "that a month was closed is known for ever")
}

func testAlerts(t *testing.T, db *store.DB) {
	ctx := t.Context()
	at := func(h int) time.Time { return nowStored.Add(time.Duration(h) * time.Hour) }
	raise := func(h int) (store.Alert, bool) {
		t.Helper()
		a, fired, err := db.RaiseAlert(ctx, "job:x", store.AlertJob, "no disk\x00", 2, at(h))
		require.NoError(t, err)
		return a, fired
	}
	settle := func(h int) (store.Alert, bool) {
		t.Helper()
		a, resolved, err := db.SettleAlert(ctx, "job:x", at(h))
		require.NoError(t, err)
		return a, resolved
	}
	_, resolved := settle(0)
	assert.False(t, resolved)
	_, err := db.In(everything).Alert(ctx, "job:x")
	codeIs(t, err, store.ErrNotFound)

	a, fired := raise(1)
	assert.False(t, fired)
	assert.Equal(t, store.Quiet, a.State)
	_, resolved = settle(2)
	assert.False(t, resolved, "one failure was never told")
	_, fired = raise(3)
	assert.False(t, fired, "the success in between counts")
	a, fired = raise(4)
	assert.True(t, fired)
	assert.Equal(t, store.Alert{
		Name: "job:x", Kind: store.AlertJob, State: store.Firing, Failures: 2, Text: "no disk", Since: at(3), FiredAt: at(4), UpdatedAt: at(4),
	}, a)
	_, fired = raise(5)
	assert.False(t, fired, "it is told once")
	a, resolved = settle(6)
	assert.True(t, resolved)
	assert.Equal(t, store.Resolved, a.State)
	assert.Equal(t, at(6), a.ResolvedAt)
	_, resolved = settle(7)
	assert.False(t, resolved)
	kept, err := db.In(everything).Alert(ctx, "job:x")
	require.NoError(t, err)
	assert.Equal(t, a, kept)
	raise(8)
	a, fired = raise(9)
	assert.True(t, fired, "and again")
	assert.Equal(t, at(8), a.Since)
	assert.True(t, a.ResolvedAt.IsZero())
}
