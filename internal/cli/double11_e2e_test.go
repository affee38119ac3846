package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/operations/demo"
)

// The demo's Double 11 is forecast, adjusted, agreed on, drawn and compared with what came (simulated),
// from the command line and over HTTP, with the same figures.
func TestDouble11FromForecastToActual(t *testing.T) {
	t.Parallel()
	data := demoData(t)
	s := serve(t, data, "CHAOBAN__JOBS__ENABLED=false")
	s.login("planner", demo.Password)
	run := func(args ...string) string { t.Helper(); return must(t, data, args...) }

	run("forecast", "make", "--queue", demoQueue, "--origin", "2026-11-01", "--horizon", "14d")
	type contacts struct {
		Step            struct{ Before, After float64 }
		Model, Contacts float64
		Layer           struct{ ID, Forecast string }
	}
	first := mustJSON[contacts](t, data, "forecast", "adjust", "--queue", demoQueue, "--percent", "10", "--event", "double11", "--phase", "spot", "--nth", "3", "--reason", "直播加场")
	assert.InEpsilon(t, 1.1*first.Step.Before, first.Step.After, 1e-9)
	id := first.Layer.Forecast
	answer := s.ask(http.MethodPost, "/v1/forecasts/"+id+"/layers",
		`{"kind":"absolute","amount":500,"target":{"from":"2026-11-10T20:00:00+08:00","to":"2026-11-11T02:00:00+08:00"},"reason":"满减"}`)
	require.Equal(t, http.StatusCreated, answer.status, answer.body)
	var second contacts
	decode(t, answer.body, &second)
	assert.InDelta(t, first.Contacts+500, second.Contacts, 1e-6)
	answer = s.ask(http.MethodPost, "/v1/forecast-layers/"+second.Layer.ID+"/withdrawal", `{"reason":"取消"}`)
	require.Equal(t, http.StatusOK, answer.status, answer.body)
	layers := run("forecast", "layers", "--forecast", id)
	assert.Contains(t, layers, "withdrawn: 取消")
	assert.Contains(t, layers, "直播加场")

	answer = s.ask(http.MethodPost, "/v1/forecasts/"+id+"/locks", `{"from":"2026-11-09","until":"2026-11-13","agreed_on":"2026-11-02","agreed_with":"陈经理"}`)
	require.Equal(t, http.StatusCreated, answer.status, answer.body)
	assert.Contains(t, run("forecast", "locks", "--queue", demoQueue), "陈经理")
	twice := chaoban(t, data, "forecast", "lock", "--forecast", id, "--from", "2026-11-10", "--to", "2026-11-10", "--with", "陈经理")
	assert.NotZero(t, twice.code)
	assert.Contains(t, twice.errors, "these days are locked already")

	file := write(t, "client.csv", []byte("day,n\n2026-11-09,700\n2026-11-10,2500\n2026-11-11,2500\n2026-11-12,900\n"))
	mapping := write(t, "client.yaml", []byte("kind: contacts\ncolumns:\n  start: {from: [day]}\n  offered: {from: [n]}\n"))
	imported := run("forecast", "client", file, "--mapping", mapping, "--queue", demoQueue, "--slot", "24h", "--stated", "2026-10-25")
	assert.Contains(t, imported, "version 1 of the client, 4 slots, 6600 contacts")

	type comparison struct {
		Rows []struct{ Client, Agreed, Ours, Model, Actual *float64 }
	}
	over := mustJSON[comparison](t, data, "forecast", "compare", "--queue", demoQueue, "--from", "2026-11-09", "--to", "2026-11-12")
	answer = s.get("/v1/forecast-comparison?queue=" + demoQueue + "&from=2026-11-09&until=2026-11-13")
	require.Equal(t, http.StatusOK, answer.status, answer.body)
	var http11 comparison
	decode(t, answer.body, &http11)
	assert.Equal(t, over, http11, "the same through both doors")
	require.Len(t, over.Rows, 4)
	for i, r := range over.Rows {
		came := raw(t, data, fmt.Sprintf(`SELECT count() FROM conversations FINAL
WHERE queue = '%s' AND toDate(toTimeZone(started, 'Asia/Shanghai')) = '2026-11-%02d'`, demoQueue, 9+i))
		assert.Equal(t, number(t, came[0]), *r.Actual, "the raw conversations of day %d", i)
		assert.InDelta(t, *r.Ours, *r.Agreed, 1e-9)
	}
	assert.Equal(t, 2500.0, *over.Rows[2].Client)
	assert.InEpsilon(t, 1.1, *over.Rows[2].Ours / *over.Rows[2].Model, 1e-9, "the whole of 11 November lies in the third wave")

	accuracy := run("forecast", "accuracy", "--queue", demoQueue, "--from", "2026-11-01", "--to", "2026-11-13")
	assert.Equal(t, "13", row(t, accuracy, "1", "ours")[2])
	assert.Equal(t, "4", row(t, accuracy, "7", "client")[2])
	assert.Contains(t, run("forecast", "replay", "--queue", demoQueue, "--horizon", "2d", "--step", "7d", "--from", "2026-10-01", "--slot", "60m"), "mean_of_4_weeks")

	picture := filepath.Join(t.TempDir(), "f.svg")
	run("forecast", "draw", "--forecast", id, "--out", picture)
	svg, err := os.ReadFile(picture)
	require.NoError(t, err)
	for _, want := range []string{"double11", ">adjusted<", ">agreed<", ">actual<", "20:00"} {
		assert.Contains(t, string(svg), want)
	}
	answer = s.get("/v1/forecasts/" + id + "/picture")
	require.Equal(t, http.StatusOK, answer.status)
	assert.Equal(t, string(svg), answer.body)
	fromLockToPromotion(t, data, s)
}

// fromLockToPromotion staffs what was agreed, opens a slot, and prices, compares and promotes a what-if, by
// command and over HTTP with the same figures.
func fromLockToPromotion(t *testing.T, data string, s *service) {
	t.Helper()
	folder := t.TempDir()
	plan := must(t, data, "staff", "plan", "--merchant", "lumi", "--from", "2026-11-08", "--days", "3", "--level", "0.5", "--plot", filepath.Join(folder, "plan.svg"))
	assert.Contains(t, plan, "as agreed: "+demoQueue+", 2026-11-09 to 2026-11-10, lock ")
	for _, want := range []string{"pace of replies by queue: measured", "opening 11-10 20:00 (double11): 50%", "away from the queue: training 2% (assumed)"} {
		assert.Contains(t, plan, want)
	}
	opened := must(t, data, "staff", "explain", "--queue", demoQueue, "--at", "2026-11-10T20:05")
	for _, want := range []string{"2026-11-10 20:00", "agreed with 陈经理", "直播加场", "of own work", "least whole number for 80% within 30s", "opening     2026-11-10 20:00 of double11: 50%", "in the rush", "pace        measured: ", "absence: 5.0 %", "term first-30s", "one more head brings", "6 shared of contract lumi-2026", "yuan are lost in this slot with nobody; each of heads 1-"} {
		assert.Contains(t, opened, want)
	}
	type explanation struct {
		Plan   string
		Need   struct{ Heads int }
		Around []struct{ Share float64 }

		Rounding struct {
			Needed int
			Bound  string
		}
	}
	typed := mustJSON[explanation](t, data, "staff", "explain", "--queue", demoQueue, "--at", "2026-11-10T20:05", "--plot", filepath.Join(folder, "slot.svg"))
	assert.GreaterOrEqual(t, typed.Need.Heads, typed.Rounding.Needed, "the opening never needs fewer than the same contacts would if they came evenly")
	assert.Equal(t, map[bool]string{true: "rush"}[typed.Need.Heads > typed.Rounding.Needed], typed.Rounding.Bound, "who adds heads is named, and nobody else")
	answer := s.get("/v1/plans/" + typed.Plan + "/explain?at=2026-11-10T20:05:00%2B08:00")
	require.Equal(t, http.StatusOK, answer.status, answer.body)
	var asked explanation
	decode(t, answer.body, &asked)
	assert.Equal(t, typed, asked, "the same through both doors")

	must(t, data, "staff", "scenario", "make", "--name", "d11", "--merchant", "lumi", "--from", "2026-11-09", "--days", "2", "--level", "0.5")
	answer = s.ask(http.MethodPost, "/v1/scenarios", `{"name":"d11-more","merchant":"lumi","from":"2026-11-09","days":2,"level":0.5,"volume_factor":1.2}`)
	require.Equal(t, http.StatusCreated, answer.status, answer.body)
	diff := must(t, data, "staff", "scenario", "diff", "d11", "d11-more")
	assert.Contains(t, diff, "volume_factor: 1 -> 1.2")
	assert.Contains(t, must(t, data, "staff", "scenario", "show", "d11-more", "--plot", filepath.Join(folder, "d11.svg")), "lumi-2026/first-30s")
	svg, err := os.ReadFile(filepath.Join(folder, "d11.svg"))
	require.NoError(t, err)
	assert.Contains(t, string(svg), "cost and risk")
	assert.Equal(t, string(svg), s.get("/v1/scenarios/d11-more/picture").body)
	assert.Contains(t, must(t, data, "staff", "scenario", "promote", "d11-more"), "d11-more promoted: ")
	late := chaoban(t, data, "staff", "scenario", "promote", "d11")
	assert.NotZero(t, late.code)
	assert.Contains(t, late.errors, "have newer plans")
	assert.Contains(t, must(t, data, "staff", "explain", "--queue", demoQueue, "--at", "2026-11-10T20:00"), "promoted from scenario")
	byMethod(t, data, s)
	must(t, data, "staff", "scenario", "delete", "d11")
	assert.NotContains(t, must(t, data, "staff", "scenario", "list"), "d11  ")
}

// byMethod makes a day of one merchant by the methods that need more than one queue's target, through both doors.
func byMethod(t *testing.T, data string, s *service) {
	t.Helper()
	type scenario struct {
		Price struct {
			Pooled *struct {
				Pool  float64 `json:"pool_hours"`
				Parts float64 `json:"parts_hours"`
			}
			Money *struct {
				Margin float64 `json:"margin_yuan"`
			}
			More  []string
			Total struct {
				HeadHours float64 `json:"head_hours"`
			}
		}
	}
	pooled := mustJSON[scenario](t, data, "staff", "scenario", "make", "--name", "d-pool", "--merchant", "lumi", "--from", "2026-11-09", "--days", "1", "--level", "0.5", "--method", "pooled")
	require.NotNil(t, pooled.Price.Pooled)
	assert.LessOrEqual(t, pooled.Price.Pooled.Pool, pooled.Price.Pooled.Parts)
	assert.InDelta(t, pooled.Price.Pooled.Pool, pooled.Price.Total.HeadHours, 0.51, "half hours that are open by half")
	answer := s.ask(http.MethodPost, "/v1/scenarios", `{"name":"d-money","merchant":"lumi","from":"2026-11-09","days":1,"level":0.5,"method":"margin"}`)
	require.Equal(t, http.StatusCreated, answer.status, answer.body)
	var earned scenario
	decode(t, answer.body, &earned)
	require.NotNil(t, earned.Price.Money)
	assert.NotEmpty(t, earned.Price.More)
	assert.Contains(t, must(t, data, "staff", "scenario", "show", "d-money"), "one more agent from")
	assert.Contains(t, must(t, data, "staff", "scenario", "show", "d-pool"), "the queues alone")
	assert.Contains(t, must(t, data, "staff", "scenario", "diff", "d-pool", "d-money"), "method: pooled -> margin")
}
