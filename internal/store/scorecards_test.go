package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/store"
)

func testScorecards(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	put := func(at time.Time, on string, cards []store.Scorecard) (result store.PutResult) {
		t.Helper()
		require.NoError(t, db.Change(ctx, system, at, func(tx *store.Tx) (err error) {
			result, err = tx.PutScorecards(date(on), cards)
			return err
		}))
		return result
	}
	list := func(f store.ScorecardFilter) (keys []string) {
		t.Helper()
		cards, err := store.All(func(p store.Page) ([]store.Scorecard, string, error) {
			p.Limit = 1 // every page border is walked
			return view.Scorecards(ctx, f, p)
		})
		require.NoError(t, err)
		for _, c := range cards {
			keys = append(keys, c.Date.String()+" "+string(c.Agent))
		}
		return keys
	}
	before, err := db.VerifyAudit(ctx)
	require.NoError(t, err)
	assert.Equal(t, store.PutResult{Unchanged: 2}, put(now.Add(time.Hour), "2026-10-31", scorecards("1002", "1001")))
	same, err := db.VerifyAudit(ctx)
	require.NoError(t, err)
	assert.Equal(t, before, same, "the same cards leave no trace")

	cards, _, err := view.Scorecards(ctx, store.ScorecardFilter{Agent: "1001"}, store.Page{})
	require.NoError(t, err)
	want := scorecards("1001")[0]
	want.Date, want.CreatedAt = date("2026-10-31"), nowStored
	assert.Equal(t, []store.Scorecard{want}, cards)

	assert.Equal(t, store.PutResult{Added: 2}, put(now, "2026-11-01", scorecards("1001", "1003")))
	corrected := scorecards("1001", "1003", "1004")
	corrected[0].Readings[0].Numerator = 8
	assert.Equal(t, store.PutResult{Added: 1, Changed: 1, Unchanged: 1}, put(now.Add(time.Hour), "2026-11-01", corrected))
	cards, _, err = view.Scorecards(ctx, store.ScorecardFilter{Agent: "1001", Dates: calendar.Dates{From: date("2026-11-01")}}, store.Page{})
	require.NoError(t, err)
	require.Len(t, cards, 1)
	assert.InDelta(t, 8, cards[0].Readings[0].Numerator, 0)
	assert.Equal(t, nowStored.Add(time.Hour), cards[0].CreatedAt)

	assert.Equal(t, []string{
		"2026-11-01 1004", "2026-11-01 1003", "2026-11-01 1001", "2026-10-31 1002", "2026-10-31 1001",
	}, list(store.ScorecardFilter{}))
	assert.Equal(t, []string{"2026-10-31 1002", "2026-10-31 1001"}, list(store.ScorecardFilter{Dates: calendar.Dates{Until: date("2026-11-01")}}))

	put(now, "2026-11-01", scorecards("1003"))
	assert.Equal(t, []string{"2026-11-01 1003", "2026-10-31 1002", "2026-10-31 1001"}, list(store.ScorecardFilter{}), "the day has these cards and no others")
	put(now, "2026-11-01", nil)
	assert.Len(t, list(store.ScorecardFilter{}), 2)

	wrong := scorecards("1001", "1001", "")
	wrong[0].Date = date("2026-01-01")
	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.PutScorecards(date("2026-11-02"), wrong)
		return err
	})
	require.Error(t, err)
	assert.Equal(t, "store.invalid", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 3)
}
