package httpapi_test

import (
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

const exclusionLumi = `{"queue":"lumi-tmall/pre","from":"2026-05-03T01:00:00Z","to":"2026-05-03T04:00:00Z","reason":"故障"}`

func init() {
	maps.Copy(whoMay, map[string]row{
		"list-history-findings": {path: "/v1/history-findings?queue=lumi-tmall/pre", want: statuses{503, 503, 503, 403, 403, 403, 403, 403}},
		"list-exclusions":       {path: "/v1/exclusions?queue=lumi-tmall/pre&withdrawn=true", want: statuses{200, 200, 200, 403, 403, 403, 403, 403}},
		"exclude-history":       {path: "/v1/exclusions", body: exclusionLumi, want: statuses{201, 409, 409, 403, 403, 403, 403, 403}}, // the same stretch once
		"withdraw-exclusion":    {path: "/v1/exclusions/none/withdrawal", body: `{"reason":"x"}`, want: statuses{404, 404, 404, 403, 403, 403, 403, 403}},
		"forecast-after-sales":  {path: "/v1/after-sales-forecasts", body: `{"merchant":"lumi"}`, want: statuses{503, 503, 503, 403, 403, 403, 403, 403}},
	})
}

// What was entered is listed, taken back with a reason, and stays on record.
func TestExclusionsOverHTTP(t *testing.T) {
	h := open(t, nil)
	type exclusion struct {
		ID        string `json:"id"`
		By        string `json:"author_name"`
		Queue     string `json:"queue"`
		From      string `json:"from"`
		Reason    string `json:"reason"`
		Withdrawn *struct {
			Reason string `json:"reason"`
		} `json:"withdrawn"`
	}
	listed := func(query string) []exclusion {
		t.Helper()
		var page struct{ Items []exclusion }
		h.ask(t, "planner", "GET", "/v1/exclusions"+query, nil).into(t, &page)
		return page.Items
	}
	assert.Empty(t, listed(""))
	var made exclusion
	h.ask(t, "planner", "POST", "/v1/exclusions", exclusionLumi).into(t, &made)
	assert.Equal(t, []exclusion{made}, listed("?queue=lumi-tmall/pre"))
	assert.Equal(t, "2026-05-03T01:00:00Z", made.From)
	assert.NotEmpty(t, made.By)
	overlap := h.ask(t, "planner", "POST", "/v1/exclusions", `{"queue":"lumi-tmall/pre","from":"2026-05-03T03:00:00Z","to":"2026-05-03T05:00:00Z","reason":"x"}`)
	assert.Equal(t, http.StatusConflict, overlap.status)
	assert.Equal(t, "exclusion.overlaps", overlap.problem(t).Code)
	bad := h.ask(t, "planner", "POST", "/v1/exclusions", `{"queue":"lumi-tmall/pre","from":"2026-05-03T04:00:00Z","to":"2026-05-03T01:00:00Z","reason":"x"}`)
	assert.Equal(t, http.StatusUnprocessableEntity, bad.status)
	assert.Equal(t, "exclusion.input", bad.problem(t).Code)
	var gone exclusion
	h.ask(t, "supervisor", "POST", "/v1/exclusions/"+made.ID+"/withdrawal", `{"reason":"是真实流量"}`).into(t, &gone)
	assert.Equal(t, "是真实流量", gone.Withdrawn.Reason)
	assert.Empty(t, listed(""))
	assert.Equal(t, []exclusion{gone}, listed("?withdrawn=true"))
	again := h.ask(t, "planner", "POST", "/v1/exclusions/"+made.ID+"/withdrawal", `{"reason":"x"}`)
	assert.Equal(t, http.StatusConflict, again.status)
}

// A planned change of a bot is checked before anything is read.
func TestBotChangesOverHTTP(t *testing.T) {
	h := open(t, nil)
	a := h.ask(t, "planner", "POST", "/v1/forecasts", `{"merchant":"lumi","bot_changes":[{"from":"2026-11-05T00:00:00Z","points":1.5,"reason":"新机器人"}]}`)
	assert.Equal(t, http.StatusUnprocessableEntity, a.status)
	assert.Equal(t, "forecast.bot", a.problem(t).Code)
	a = h.ask(t, "planner", "POST", "/v1/forecasts", `{"merchant":"lumi","history_counts":"robots"}`)
	assert.Equal(t, http.StatusBadRequest, a.status, "a word that is none of the two")
}
