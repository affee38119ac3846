package store_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

func testReports(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	r, err := view.Report(ctx, "r-a")
	require.NoError(t, err)
	const text = `{"contract":{"id":"c-a","title":"<客服> & Co"},"month":"2026-10","share":0.10}`
	assert.Equal(t, text, string(r.Model), "keys sorted, spaces gone, numbers as they were")
	sha := sha256.Sum256([]byte(text))
	assert.Equal(t, hex.EncodeToString(sha[:]), r.SHA256)
	month := calendar.Month{Year: 2026, Month: 10}
	list, _, err := view.Reports(ctx, store.ReportFilter{Contract: "c-a", Month: month}, store.Page{})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Nil(t, list[0].Model, "lists leave the models out")
	var sum string
	other := json.RawMessage(`{"share":0.10, "month":"2026-10", "contract":{"id":"c-a","title":"\u003c客服\u003e \u0026 Co"}}`)
	require.NoError(t, db.Change(ctx, system, now.Add(time.Hour), func(tx *store.Tx) (err error) {
		sum, err = tx.AddReport(store.Report{ID: "r-a2", Contract: "c-a", Month: month, Model: other})
		return err
	}))
	assert.Equal(t, r.SHA256, sum, "equal figures, equal digest")
	r, err = view.LatestReport(ctx, "c-a", month)
	require.NoError(t, err)
	assert.Equal(t, ids.Report("r-a2"), r.ID)
	err = db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.AddReport(store.Report{ID: "x", Contract: "c-a", Merchant: "b", Month: month})
		return err
	})
	codeIs(t, err, store.ErrConflict)
	for _, broken := range []string{"", "{", "{} {}", `{"a":NaN}`} {
		err = db.Change(ctx, system, now, func(tx *store.Tx) error {
			_, err := tx.AddReport(store.Report{ID: "x", Contract: "c-a", Month: month, Model: json.RawMessage(broken)})
			return err
		})
		assert.Equal(t, "store.document", fault.CodeOf(err), broken)
	}
}
