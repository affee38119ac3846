package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// change is two sessions of a JD shop around the change of jd.first_30s: at 08:56 on the first day of
// the new window, answered after 5 minutes, and at 10:00, answered after 20 s.
const change = `merchant,shop,queue,id,channel,agent,started_at,answered_at,ended_at
orca,orca-jd,orca-jd/pre,J1,chat,2001,2021-12-01 08:56:00,2021-12-01 09:01:00,2021-12-01 09:05:00
orca,orca-jd,orca-jd/pre,J2,chat,2001,2021-12-01 10:00:00,2021-12-01 10:00:20,2021-12-01 10:05:00
`

type fraction struct {
	Version     string  `json:"version"`
	Numerator   float64 `json:"numerator"`
	Denominator float64 `json:"denominator"`
}

func TestADefinitionBehindAFigureOverHTTP(t *testing.T) {
	h := open(t, func(s *settings) { s.engine = true })
	imported := h.ask(t, "planner", "POST", "/v1/imports/conversations?name=change.csv", []byte(change))
	require.Equal(t, http.StatusOK, imported.status, string(imported.body))
	const span = "from=2021-11-30T16:00:00Z&to=2021-12-01T16:00:00Z" // 1 December in Shanghai

	var compared struct {
		Figures []struct {
			A       fraction `json:"version_from"`
			B       fraction `json:"version_to"`
			InForce fraction `json:"in_force"`
			Delta   float64  `json:"delta"`
			Points  float64  `json:"points"`
		} `json:"figures"`
	}
	h.ask(t, "planner", "GET", "/v1/kpi/compare?metric=jd.first_30s&version_from=v2021-11&version_to=v2021-12&"+span, nil).into(t, &compared)
	require.Len(t, compared.Figures, 1)
	f := compared.Figures[0]
	assert.Equal(t, fraction{"v2021-11", 1, 2}, f.A)
	assert.Equal(t, fraction{"v2021-12", 1, 1}, f.B)
	assert.Equal(t, f.B, f.InForce)
	assert.InDelta(t, 0.5, f.Delta, 1e-12)
	assert.InDelta(t, 50, f.Points, 1e-9)

	var pinned struct {
		Items []fraction `json:"items"`
	}
	h.ask(t, "planner", "GET", "/v1/kpi/query?metrics=jd.first_30s&version=v2021-11&"+span, nil).into(t, &pinned)
	assert.Equal(t, []fraction{{"v2021-11", 1, 2}}, pinned.Items)

	var items struct {
		Items []struct {
			Conversation string  `json:"conversation"`
			Agent        string  `json:"agent"`
			Left         string  `json:"left_out"`
			Seconds      float64 `json:"seconds"`
		} `json:"items"`
	}
	h.ask(t, "client-orca", "GET", "/v1/kpi/items?metric=jd.first_30s&"+span, nil).into(t, &items)
	require.Len(t, items.Items, 2)
	assert.Equal(t, "window", items.Items[0].Left, "started at 08:56, before the new window")
	assert.InDelta(t, 20, items.Items[1].Seconds, 1e-9)
	assert.Empty(t, items.Items[1].Agent, "a client is not told who answered")
	h.ask(t, "client-lumi", "GET", "/v1/kpi/items?metric=jd.first_30s&"+span, nil).into(t, &items)
	assert.Empty(t, items.Items)

	var metric struct {
		Items []struct {
			Version string `json:"version"`
			Source  string `json:"source"`
			Plain   struct {
				Chinese string `json:"zh"`
			} `json:"plain"`
		} `json:"items"`
	}
	h.ask(t, "client-lumi", "GET", "/v1/metrics/jd.first_30s", nil).into(t, &metric)
	require.Len(t, metric.Items, 2)
	assert.Contains(t, metric.Items[1].Plain.Chinese, "09:00 至 23:00")
	h.ask(t, "client-lumi", "GET", "/v1/metrics/jd.first_30s?version=v2021-11", nil).into(t, &metric)
	require.Len(t, metric.Items, 1)

	unknown := h.ask(t, "planner", "GET", "/v1/metrics/jd.first_30s?version=v1", nil).problem(t)
	assert.Equal(t, []any{http.StatusNotFound, "kpi.version.unknown"}, []any{unknown.Status, unknown.Code})
	assert.Contains(t, unknown.Detail, "v2021-11, v2021-12")
	assert.Equal(t, "kpi.metric.unknown", h.ask(t, "planner", "GET", "/v1/metrics/nothing", nil).problem(t).Code)
}
