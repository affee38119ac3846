package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/scheduling"
)

// A supervisor gets from a forecast to a priced, explained and promoted requirement by the API alone.
func TestFromForecastToPromotedScenario(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	day := calendar.MakeDate(2026, time.June, 1)
	curve := scheduling.Curve{Queue: "lumi-tmall/pre", Slot: time.Hour, Levels: []float64{0.5, 0.9}}
	for hour := 9; hour < 18; hour++ {
		curve.Points = append(curve.Points, scheduling.Point{
			Start: day.In(h.Zone()).Add(time.Duration(hour) * time.Hour), Mean: 100, Quantiles: []float64{100, 160}, HandleTime: 3 * time.Minute,
		})
	}
	h.AddForecast(t, operations.Forecast{ID: "f", Queue: curve.Queue, Range: calendar.Day(day, h.Zone()), Curve: curve, Model: "by hand"})

	var plans struct{ Items []struct{ ID string } }
	h.ask(t, "supervisor", "POST", "/v1/plans", `{"from":"2026-06-01","days":1,"level":0.5}`).into(t, &plans)
	require.Len(t, plans.Items, 1)
	opened := "/v1/plans/" + plans.Items[0].ID
	var e struct {
		Need     struct{ Heads int }
		Demand   struct{ Contacts float64 }
		Agreed   struct{ Contract, Term string }
		Around   []struct{ Heads int }
		Marginal struct {
			Cost float64 `json:"cost_yuan"`
		}
	}
	h.ask(t, "supervisor", "GET", opened+"/explain?at=2026-06-01T12:07:00%2B08:00", nil).into(t, &e)
	assert.InDelta(t, 25, e.Demand.Contacts, 1e-9)
	assert.Equal(t, "lumi-2026", e.Agreed.Contract)
	require.Len(t, e.Around, 3)
	assert.Equal(t, e.Need.Heads, e.Around[1].Heads)
	assert.Equal(t, "plan.no_slot", h.ask(t, "supervisor", "GET", opened+"/explain?at=2026-06-01T20:00:00%2B08:00", nil).problem(t).Code)
	assert.Equal(t, 400, h.ask(t, "supervisor", "GET", opened+"/explain", nil).status, "a time is needed")

	type scenario struct {
		ID, Name string
		Price    struct {
			Total struct {
				Hours float64 `json:"head_hours"`
				Wages float64 `json:"wages_yuan"`
			}
		}
		Promoted *struct{ Plans []string }
	}
	var base, more scenario
	ask := func(name, extra string) answer {
		return h.ask(t, "supervisor", "POST", "/v1/scenarios", fmt.Sprintf(`{"name":%q,"from":"2026-06-01","days":1,"level":0.5%s}`, name, extra))
	}
	ask("base", "").into(t, &base)
	ask("618/more", `,"volume_factor":2`).into(t, &more)
	assert.Greater(t, more.Price.Total.Hours, base.Price.Total.Hours)
	assert.Equal(t, 409, ask("base", "").status)
	bad := ask("two words", `,"method":"magic","target_share":2`).problem(t)
	assert.Equal(t, "scenario.input", bad.Code)
	assert.Len(t, bad.Errors, 3)

	var d struct {
		Total struct {
			Change struct {
				Wages float64 `json:"wages_yuan"`
			}
		}
	}
	h.ask(t, "supervisor", "GET", "/v1/scenarios/base/diff?other=618%2Fmore", nil).into(t, &d)
	assert.InDelta(t, more.Price.Total.Wages-base.Price.Total.Wages, d.Total.Change.Wages, 1e-6)
	for _, path := range []string{opened + "/picture", opened + "/explain/picture?at=2026-06-01T12:00:00%2B08:00", "/v1/scenarios/base/picture"} {
		a := h.ask(t, "supervisor", "GET", path, nil)
		require.Equal(t, 200, a.status, path)
		assert.Equal(t, "image/svg+xml", a.header.Get("Content-Type"))
		assert.True(t, strings.HasPrefix(string(a.body), "<svg "), path)
	}

	var done struct{ Plans []struct{ ID string } }
	h.ask(t, "supervisor", "POST", "/v1/scenarios/618%2Fmore/promote", `{}`).into(t, &done)
	require.Len(t, done.Plans, 1)
	assert.Equal(t, 409, h.ask(t, "supervisor", "POST", "/v1/scenarios/618%2Fmore/promote", `{"reason":"x"}`).status, "once")
	overtaken := h.ask(t, "supervisor", "POST", "/v1/scenarios/base/promote", `{}`).problem(t)
	assert.Equal(t, "scenario.overtaken", overtaken.Code)
	h.ask(t, "supervisor", "GET", "/v1/plans?queue=lumi-tmall%2Fpre", nil).into(t, &plans)
	assert.Equal(t, done.Plans[0].ID, plans.Items[0].ID, "the newest plan is the one in force")
	assert.Equal(t, 204, h.ask(t, "supervisor", "DELETE", "/v1/scenarios/base", nil).status)
	var rows struct{ Items []scenario }
	h.ask(t, "supervisor", "GET", "/v1/scenarios", nil).into(t, &rows)
	require.Len(t, rows.Items, 1)
	assert.Equal(t, []string{done.Plans[0].ID}, rows.Items[0].Promoted.Plans)
	assert.Equal(t, 403, h.ask(t, "client-lumi", "GET", "/v1/scenarios/"+more.ID, nil).status)
}
