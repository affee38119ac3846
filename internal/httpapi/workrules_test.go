package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The parameters of the rules are read with where they come from, set with a reason, and not overwritten by who
// read an older version; what the law does not allow is told by field.
func TestWorkRulesOverHTTP(t *testing.T) {
	h := open(t, nil)
	var rules struct {
		Version  int
		Settings []struct {
			Name, Value, Source string
			Version             int
		}
		Changes []struct{ Reason, Author string }
	}
	value := func(name string) string {
		for _, s := range rules.Settings {
			if s.Name == name {
				return s.Value
			}
		}
		return "there is none"
	}
	h.ask(t, "supervisor", "GET", "/v1/work-rules", nil).into(t, &rules)
	assert.Equal(t, 0, rules.Version)
	assert.Equal(t, "8h", value("rest_block"))
	set := func(name, text string) map[string]any {
		return map[string]any{"set": map[string]string{name: text}, "reason": "双11大促"}
	}
	first := h.ask(t, "planner", "PATCH", "/v1/work-rules", set("special_dates", "2026-11-10:2026-11-12"))
	require.Equal(t, http.StatusOK, first.status, string(first.body))
	first.into(t, &rules)
	assert.Equal(t, 1, rules.Version)
	assert.Equal(t, "2026-11-10:2026-11-12", value("special_dates"))
	require.Len(t, rules.Changes, 1)
	assert.Equal(t, "双11大促", rules.Changes[0].Reason)
	assert.NotEmpty(t, rules.Changes[0].Author)
	require.Equal(t, http.StatusOK, h.ask(t, "planner", "PATCH", "/v1/work-rules", set("rest_block", "9h")).status)
	late := h.ask(t, "planner", "PATCH", "/v1/work-rules", set("rest_block", "10h"), "If-Match", first.header.Get("ETag"))
	assert.Equal(t, http.StatusPreconditionFailed, late.status, string(late.body))
	for field, body := range map[string]map[string]any{
		"rules.overtime_month": set("overtime_month", "80h"),
		"rules.naps":           set("naps", "1"),
		"女职工劳动保护特别规定":          set("night_until", "5h"),
		"reason":               {"set": map[string]string{"rest_block": "10h"}},
		"pay_from":             {"set": map[string]string{"rest_block": "10h"}, "reason": "x", "pay_from": "2099-01-01"},
	} {
		got := h.ask(t, "planner", "PATCH", "/v1/work-rules", body)
		assert.Contains(t, []int{http.StatusBadRequest, http.StatusUnprocessableEntity}, got.status, string(got.body))
		assert.Contains(t, string(got.body), field)
	}
	assert.Equal(t, http.StatusForbidden, h.ask(t, "supervisor", "PATCH", "/v1/work-rules", set("rest_block", "10h")).status)

	var agents struct {
		Items []struct{ Value map[string]any }
	}
	h.ask(t, "planner", "GET", "/v1/agents", nil).into(t, &agents)
	put := map[string]any{"agents": []any{agents.Items[0].Value}, "pay_from": "2099-01-01"}
	got := h.ask(t, "planner", "PUT", "/v1/agents", put)
	assert.Contains(t, []int{http.StatusBadRequest, http.StatusUnprocessableEntity}, got.status)
	assert.Contains(t, string(got.body), `"path":"pay_from"`)
	delete(put, "pay_from")
	assert.Equal(t, http.StatusOK, h.ask(t, "planner", "PUT", "/v1/agents", put).status)
}
