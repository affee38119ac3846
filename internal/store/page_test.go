package store_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

type (
	merchantStored = store.Stored[contracts.Merchant]
	contractStored = store.Stored[contracts.Contract]
	agentStored    = store.Stored[workforce.Agent]
)

func merchantOf(m merchantStored) string { return string(m.Value.ID) }
func contractOf(c contractStored) string { return string(c.Value.Merchant) }
func agentOf(a agentStored) string       { return string(a.Value.ID) }

// testPages walks lists in pages of every size: each row comes once, in one order on both engines.
func testPages(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	names := []string{"B", "C", "_", "aa", "a-", "a_", "Z", "中", "啊"}
	change(t, db, func(tx *store.Tx) error {
		for i, n := range names {
			if _, err := tx.PutMerchant(contracts.Merchant{ID: ids.Merchant(n)}, store.AnyVersion); err != nil {
				return err
			}
			// All forecasts have one created_at: only the id tells them apart.
			err := tx.AddForecast(store.Forecast{
				ID: ids.Forecast(fmt.Sprint("x", i)), Queue: "a/pre", Range: calendar.Range{Start: hour(9), End: hour(10)}, Curve: curve("a/pre"),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	// Bytes decide, whatever the collation of the database is.
	want := []string{"B", "C", "Z", "_", "a", "a-", "a_", "aa", "b", "中", "啊"}
	for limit := 1; limit <= 12; limit++ {
		var got []string
		page := store.Page{Limit: limit}
		for range 20 {
			rows, next, err := view.Merchants(ctx, page)
			require.NoError(t, err)
			require.LessOrEqual(t, len(rows), limit)
			for _, r := range rows {
				got = append(got, merchantOf(r))
			}
			if page.Cursor = next; next == "" {
				break
			}
			require.Len(t, rows, limit, "a page before the last is full")
		}
		require.Equal(t, want, got, "limit %d", limit)

		seen := map[ids.Forecast]bool{}
		var last string
		page = store.Page{Limit: limit}
		for range 20 {
			rows, next, err := view.Forecasts(ctx, store.ForecastFilter{Queue: "a/pre"}, page)
			require.NoError(t, err)
			for _, r := range rows {
				require.False(t, seen[r.ID])
				require.True(t, last == "" || string(r.ID) < last, "newest first, then by id")
				seen[r.ID], last = true, string(r.ID)
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
		require.Len(t, seen, 11)
	}
}

func testBadPages(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	for _, limit := range []int{-1, 501} {
		_, _, err := view.Merchants(ctx, store.Page{Limit: limit})
		codeIs(t, err, store.ErrBadPage)
	}
	_, next, err := view.Merchants(ctx, store.Page{Limit: 1})
	require.NoError(t, err)
	require.NotEmpty(t, next)
	_, _, err = view.Forecasts(ctx, store.ForecastFilter{}, store.Page{Cursor: next})
	codeIs(t, err, store.ErrBadPage)
	for _, text := range []string{
		"!", next[:len(next)-3], `{"l":"forecasts","k":["x","y"]}`, `{"l":"forecasts","k":[1]}`, `{"l":"forecasts","k":[1.5,"y"]}`,
		`{"l":"forecasts","k":[1,"\u0000"]}`, `{"l":"forecasts","k":[99999999999999999999,"y"]}`, `{"l":"forecasts","k":[{},"y"]}`, `null`,
	} {
		cursor := text
		if strings.HasPrefix(text, "{") || text == "null" {
			cursor = base64.RawURLEncoding.EncodeToString([]byte(text))
		}
		_, _, err := view.Forecasts(ctx, store.ForecastFilter{}, store.Page{Cursor: cursor})
		codeIs(t, err, store.ErrBadPage)
	}
	good := base64.RawURLEncoding.EncodeToString([]byte(`{"l":"forecasts","k":[1,"' OR 1=1 --"]}`))
	rows, _, err := view.Forecasts(ctx, store.ForecastFilter{}, store.Page{Cursor: good})
	require.NoError(t, err)
	assert.Empty(t, rows)
}
