package httpapi_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// june stores a forecast of three June days of lumi, 9:00 to 18:00, ten contacts an hour.
func (h *house) june(t *testing.T) string {
	t.Helper()
	zone := time.FixedZone("CST", 8*3600)
	start := time.Date(2026, 6, 1, 0, 0, 0, 0, zone)
	c := scheduling.Curve{Queue: "lumi-tmall/pre", Slot: time.Hour, Levels: []float64{0.1, 0.9}}
	figures := forecast.Result{Origin: start, Horizon: calendar.Length(72 * time.Hour), Curve: scheduling.Curve{Slot: time.Hour}}
	for d := range 3 {
		for hour := 9; hour < 18; hour++ {
			c.Points = append(c.Points, scheduling.Point{Start: start.Add(time.Duration(24*d+hour) * time.Hour), Mean: 10, Quantiles: []float64{6, 14}})
		}
		figures.Days = append(figures.Days, scheduling.Point{Start: start.AddDate(0, 0, d), Mean: 90, Quantiles: []float64{80, 100}})
	}
	c.Points[0].HandleTime = 210500 * time.Millisecond
	text, err := json.Marshal(figures)
	require.NoError(t, err)
	f := operations.Forecast{
		ID: "f1", Queue: c.Queue, Range: calendar.Range{Start: c.Points[0].Start, End: c.Points[26].Start.Add(time.Hour)}, Curve: c, Figures: text, Model: "test",
	}
	h.AddForecast(t, f)
	return string(f.ID)
}

// What people do to a forecast, over HTTP: a repeated request adjusts once, what was withdrawn stays
// on record, locked days are locked anew with a reason only, and the client's file is taken in once.
func TestForecastsOverHTTP(t *testing.T) {
	h := open(t, nil)
	id := h.june(t)
	var done struct {
		Layer           struct{ ID string }
		Model, Contacts float64
	}
	adjust := func(body, key string) answer {
		return h.ask(t, "supervisor", "POST", "/v1/forecasts/"+id+"/layers", body, "Idempotency-Key", key)
	}
	const more = `{"kind":"percent","amount":50,"target":{"day":"2026-06-02","until":"2026-06-03"},"reason":"直播"}`
	first := adjust(more, "adjust-0001")
	require.Equal(t, 201, first.status, string(first.body))
	first.into(t, &done)
	assert.InDelta(t, 270, done.Model, 1e-9)
	assert.InDelta(t, 315, done.Contacts, 1e-9)
	again := adjust(more, "adjust-0001")
	assert.Equal(t, string(first.body), string(again.body), "the same request again changes nothing")
	for body, path := range map[string]string{
		`{"kind":"percent","amount":-200,"target":{"day":"2026-06-02","until":"2026-06-03"},"reason":"x"}`: "amount",
		`{"kind":"set","amount":1,"target":{"day":"2026-06-02"},"reason":"x"}`:                             "target.days",
		`{"kind":"set","amount":1,"target":{},"reason":"x"}`:                                               "target",
		`{"kind":"set","amount":1,"target":{"family":"618"},"reason":"x"}`:                                 "target.family",
		`{"kind":"set","amount":1,"target":{"day":"2026-07-02","until":"2026-07-03"},"reason":"x"}`:        "target",
	} {
		a := h.ask(t, "supervisor", "POST", "/v1/forecasts/"+id+"/layers", body)
		require.Equal(t, 422, a.status, "%s: %s", body, a.body)
		assert.Equal(t, "forecast.layer", a.problem(t).Code)
		assert.Equal(t, path, a.problem(t).Errors[0].Path, body)
	}
	assert.Equal(t, 400, adjust(`{"kind":"double","amount":1,"target":{},"reason":""}`, "adjust-0002").status, "shape")

	var on struct {
		Layers []struct {
			ID, Reason, AuthorName string
			Withdrawn              *struct{ Reason string }
		}
		Days []struct {
			Mean      float64
			Quantiles []float64
		}
	}
	h.ask(t, "supervisor", "GET", "/v1/forecasts/"+id+"/adjusted", nil).into(t, &on)
	require.Len(t, on.Layers, 1)
	assert.InDelta(t, 135, on.Days[1].Mean, 1e-9)
	assert.InDeltaSlice(t, []float64{120, 150}, on.Days[1].Quantiles, 1e-9)

	lock := func(body string) answer {
		return h.ask(t, "planner", "POST", "/v1/forecasts/"+id+"/locks", body)
	}
	var kept struct {
		ID         string
		Contacts   float64
		Supersedes []string
	}
	lock(`{"from":"2026-06-02","until":"2026-06-04","agreed_on":"2026-05-28","agreed_with":"陈经理"}`).into(t, &kept)
	assert.InDelta(t, 225, kept.Contacts, 1e-9)
	old := kept.ID
	assert.Equal(t, "reason", lock(`{"from":"2026-06-03","until":"2026-06-04","agreed_with":"陈经理"}`).problem(t).Errors[0].Path)
	lock(`{"from":"2026-06-03","until":"2026-06-04","agreed_with":"陈经理","reason":"客户取消直播"}`).into(t, &kept)
	assert.Equal(t, []string{old}, kept.Supersedes)
	assert.Equal(t, "forecast.lock", lock(`{"from":"2026-06-03","until":"2026-06-05","agreed_with":"陈经理"}`).problem(t).Code, "not covered")

	assert.Equal(t, "agreed_with", lock(`{"from":"2026-06-03","until":"2026-06-04"}`).problem(t).Errors[0].Path)

	withdraw := func() answer {
		return h.ask(t, "supervisor", "POST", "/v1/forecast-layers/"+on.Layers[0].ID+"/withdrawal", `{"reason":"取消"}`)
	}
	withdraw().into(t, &done)
	assert.InDelta(t, 270, done.Contacts, 1e-9)
	assert.Equal(t, 409, withdraw().status)
	h.ask(t, "supervisor", "GET", "/v1/forecasts/"+id+"/adjusted", nil).into(t, &on)
	assert.Equal(t, "取消", on.Layers[0].Withdrawn.Reason)
	var page struct{ Items []struct{ Contacts float64 } }
	h.ask(t, "supervisor", "GET", "/v1/forecast-locks?queue=lumi-tmall/pre&from=2026-06-02&until=2026-06-03", nil).into(t, &page)
	require.Len(t, page.Items, 1)
	assert.InDelta(t, 225, page.Items[0].Contacts, 1e-9, "what was agreed does not follow")

	clientsFile(t, h)
	for _, path := range []string{"/v1/forecasts/" + id + "/picture", "/v1/forecast-comparison?queue=lumi-tmall/pre&from=2026-06-01&until=2026-06-04"} {
		a := h.ask(t, "supervisor", "GET", path, nil)
		assert.Equal(t, 503, a.status, "what came is not known without the engine: %s", path)
	}
	proof, err := h.Administration.VerifyAudit(t.Context(), access.System("test"))
	require.NoError(t, err)
	assert.Positive(t, proof.Rows)
}

// clientsFile imports a client's forecast, as a body and as a form with a mapping.
func clientsFile(t *testing.T, h *house) {
	t.Helper()
	var done struct {
		Made, Already []struct {
			ID       string
			Version  int
			Contacts float64
		}
	}
	const path = "/v1/client-forecasts?queue=lumi-tmall/pre&slot=24h&stated_at=2026-05-20T00:00:00Z"
	body := []byte("start,offered\n2026-06-01,70\n2026-06-02,80\n")
	h.ask(t, "planner", "POST", path+"&name=c.csv", body).into(t, &done)
	require.Len(t, done.Made, 1)
	assert.InDelta(t, 150, done.Made[0].Contacts, 1e-9)
	h.ask(t, "planner", "POST", path, body).into(t, &done)
	assert.Len(t, done.Already, 1)
	file, kind := form(t, "mapping", "kind: contacts\ncolumns:\n  start: {from: [日期]}\n  offered: {from: [预测]}\n", "c.csv", "日期,预测\n2026-06-01,75\n")
	h.ask(t, "planner", "POST", path, file, "Content-Type", kind).into(t, &done)
	require.Len(t, done.Made, 1)
	assert.Equal(t, 2, done.Made[0].Version)
	var got struct {
		Curve struct{ Points []struct{ Mean float64 } }
	}
	h.ask(t, "planner", "GET", "/v1/client-forecasts/"+done.Made[0].ID, nil).into(t, &got)
	assert.InDelta(t, 75, got.Curve.Points[0].Mean, 0)
	for name, bad := range map[string]string{"two rows of a day": "start,offered\n2026-06-01,70\n2026-06-01,80\n", "no number": "start,offered\n2026-06-01,many\n", "negative": "start,offered\n2026-06-01,-1\n"} {
		a := h.ask(t, "planner", "POST", path, []byte(bad))
		assert.Equal(t, 422, a.status, "%s: %s", name, a.body)
	}
	assert.Equal(t, 404, h.ask(t, "planner", "POST", "/v1/client-forecasts?queue=nowhere&slot=24h", body).status)
}

// A length of time is text in the form that the command line takes too, and a wrong one is refused by its name.
func TestLengthsOfTimeOverHTTP(t *testing.T) {
	h := open(t, nil)
	for horizon, want := range map[string]int{"14d": 503, "2w": 503, "336h": 503, "fortnight": 400, "-3h": 400, "": 400} {
		a := h.ask(t, "planner", "POST", "/v1/forecasts", `{"merchant":"lumi","horizon":"`+horizon+`"}`)
		assert.Equal(t, want, a.status, "%q: %s", horizon, a.body)
		if want == 400 {
			require.Len(t, a.problem(t).Errors, 1, horizon)
			assert.Equal(t, "horizon", a.problem(t).Errors[0].Path, horizon)
		}
	}
	a := h.ask(t, "planner", "GET", "/v1/history-findings?queue=lumi-tmall/pre&slot=soon", nil)
	assert.Equal(t, "query.slot", a.problem(t).Errors[0].Path)

	// A forecast says its slot and its handling times with their unit.
	id := h.june(t)
	var f struct {
		Curve struct {
			Slot   string
			Points []map[string]any
		}
		Figures struct{ Horizon string }
	}
	h.ask(t, "planner", "GET", "/v1/forecasts/"+id, nil).into(t, &f)
	assert.Equal(t, "1h", f.Curve.Slot)
	assert.Equal(t, "72h", f.Figures.Horizon)
	assert.InDelta(t, 210.5, f.Curve.Points[0]["handle_time_s"], 1e-9)
	assert.NotContains(t, f.Curve.Points[1], "handle_time_s", "not known")
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct{ Type any }
			}
		}
	}
	h.send(t, "GET", "/openapi.json", nil).into(t, &doc)
	schemas := doc.Components.Schemas
	assert.Equal(t, "string", schemas["SchedulingCurve"].Properties["slot"].Type)
	assert.Equal(t, "number", schemas["SchedulingPoint"].Properties["handle_time_s"].Type)
	assert.Equal(t, "string", schemas["OperationsForecastComparison"].Properties["slot"].Type)
}
