package httpapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Seats are put by API and judged in edits; prices, blocks and kinds of leave that do not exist are told by field.
func TestPlacesAndTermsOverHTTP(t *testing.T) {
	h := open(t, nil)
	day := h.published(t, "r").In(h.Zone())
	sites := func(seats int, windows ...map[string]any) map[string]any {
		return map[string]any{"sites": []map[string]any{{"id": "hz", "name": "杭州", "seats": seats, "windows": windows}}}
	}
	require.Equal(t, http.StatusNoContent, h.ask(t, "admin", "PUT", "/v1/places", sites(2, map[string]any{"from": "20:00", "until": "08:00", "seats": 1})).status)
	late := map[string]any{"edits": []map[string]any{
		{"kind": "move", "agent": "1001", "start": day.Add(9 * time.Hour), "new_start": day.Add(12 * time.Hour)},
		{"kind": "move", "agent": "2001", "start": day.Add(9 * time.Hour), "new_start": day.Add(12 * time.Hour)},
	}}
	var answer struct {
		Verdict struct {
			Allowed bool
			Broken  []struct {
				Rule string
				Hard bool
			}
		}
	}
	judge := func() {
		t.Helper()
		dry := h.ask(t, "supervisor", "PATCH", "/v1/rosters/r/shifts?dry=1", late)
		require.Equal(t, http.StatusOK, dry.status, string(dry.body))
		dry.into(t, &answer)
	}
	judge()
	require.Len(t, answer.Verdict.Broken, 1, "two people from 20:00 to 21:00")
	assert.Equal(t, "site.seats", answer.Verdict.Broken[0].Rule)
	assert.True(t, answer.Verdict.Broken[0].Hard)
	assert.False(t, answer.Verdict.Allowed)
	require.Equal(t, http.StatusNoContent, h.ask(t, "admin", "PUT", "/v1/places", sites(2)).status)
	judge()
	assert.True(t, answer.Verdict.Allowed)

	for _, c := range []struct {
		method, path string
		body         map[string]any
		field        string
	}{
		{"PUT", "/v1/places", sites(-1), "seats"},
		{"PUT", "/v1/places", sites(3, map[string]any{"from": "8", "until": "09:00", "seats": 1}), "windows"},
		{"POST", "/v1/rosters", map[string]any{"from": "2026-11-02", "days": 7, "weights": map[string]any{"shorts": 1}}, "weights.shorts"},
		{"POST", "/v1/rosters", map[string]any{"from": "2026-11-02", "days": 7, "min_block": "7m"}, "min_block"},
		{"POST", "/v1/rosters/r/repair", map[string]any{"record_leave": "sick", "absent": []map[string]any{{"agent": "1001", "from": day, "to": day.Add(24 * time.Hour)}}}, "record_leave"},
	} {
		got := h.ask(t, "admin", c.method, c.path, c.body)
		assert.GreaterOrEqual(t, got.status, 400, c.field)
		assert.Less(t, got.status, 500, string(got.body))
		assert.Contains(t, string(got.body), c.field)
	}
}
