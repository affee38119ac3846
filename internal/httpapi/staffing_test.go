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

// Impossible input has one clear error with the field, by the API as by command; people and tickets are options of both.
func TestPlansRefuseImpossibleInput(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	day := calendar.MakeDate(2026, time.June, 1)
	curve := scheduling.Curve{Queue: "lumi-tmall/pre", Slot: time.Hour, Levels: []float64{0.5, 0.9}}
	none := scheduling.Curve{Queue: "orca-jd/pre", Slot: time.Hour, Levels: []float64{0.5, 0.9}}
	for hour := 9; hour < 18; hour++ {
		start := day.In(h.Zone()).Add(time.Duration(hour) * time.Hour)
		curve.Points = append(curve.Points, scheduling.Point{Start: start, Mean: 100, Quantiles: []float64{100, 160}, HandleTime: 3 * time.Minute})
		none.Points = append(none.Points, scheduling.Point{Start: start, Quantiles: []float64{0, 0}})
	}
	h.AddForecast(t, operations.Forecast{ID: "f", Queue: curve.Queue, Range: calendar.Day(day, h.Zone()), Curve: curve, Model: "by hand"})
	h.AddForecast(t, operations.Forecast{ID: "g", Queue: none.Queue, Range: calendar.Day(day, h.Zone()), Curve: none, Model: "by hand"})

	for name, c := range map[string]struct {
		path, extra, code string
		want              []string
	}{
		"no days":         {"plans", `,"days":0`, "plan.input", []string{"days: must be between 1 and 62"}},
		"above 100 %":     {"plans", `,"level":1.2`, "plan.input", []string{"level: must lie between 0 and 1"}},
		"no such level":   {"plans", `,"level":0.75`, "plan.input", []string{"level: is not in the forecast", "0.5, 0.9"}},
		"all away":        {"plans", `,"shrinkage":1`, "plan.input", []string{"shrinkage: must lie between 0 and 1"}},
		"two shrinkages":  {"plans", `,"shrinkage":0.1,"people":{}`, "plan.input", []string{"shrinkage: does not go with people"}},
		"cause above all": {"plans", `,"people":{"causes":[{"name":"training","stage":"in_shift","share":1.2}]}`, "plan.input", []string{"people.causes[0].share"}},
		"presence":        {"plans", `,"people":{"presence":1.5}`, "plan.input", []string{"people.presence"}},
		"idle time":       {"plans", `,"tickets":{"usable_idle":1.5}`, "plan.input", []string{"tickets.usable_idle"}},
		"no merchant":     {"plans", `,"merchant":"nosuch"`, "store.not_found", []string{`"nosuch"`}},
		"volume":          {"scenarios", `,"name":"a","volume_factor":-1`, "scenario.input", []string{"volume_factor: must be between 0.01 and 100"}},
		"handle time":     {"scenarios", `,"name":"a","aht_factor":1000`, "scenario.input", []string{"aht_factor: must be between 0.01 and 100"}},
		"target":          {"scenarios", `,"name":"a","target_share":1.2`, "scenario.input", []string{"target_share: must lie between 0 and 1"}},
		"out of reach":    {"scenarios", `,"name":"a","aht_factor":30,"merchant":"lumi"`, "staffing.unreachable", []string{"queue lumi-tmall/pre", "cannot be reached", "even a free agent reaches"}},
	} {
		problem := h.ask(t, "supervisor", "POST", "/v1/"+c.path, `{"from":"2026-06-01","days":1`+c.extra+`}`).problem(t)
		assert.Equal(t, c.code, problem.Code, name)
		text := problem.Detail
		for _, f := range problem.Errors {
			text += "\n" + fmt.Sprint(f)
		}
		for _, want := range c.want {
			for _, part := range strings.SplitN(want, ": ", 2) {
				assert.Contains(t, text, part, name)
			}
		}
	}
	for name, body := range map[string]string{"NaN": `{"from":"2026-06-01","days":1,"level":NaN}`, "a misspelt field": `{"from":"2026-06-01","days":1,"lever":0.5}`} {
		assert.Equal(t, 400, h.ask(t, "supervisor", "POST", "/v1/plans", body).status, name)
	}

	var plans struct {
		Items []struct {
			ID, Queue   string
			Requirement struct {
				Needs []struct {
					Heads int
					Paid  float64
				}
			}
		}
	}
	h.ask(t, "supervisor", "POST", "/v1/plans", `{"from":"2026-06-01","days":1,"level":0.5,
		"people":{"causes":[{"name":"training","stage":"in_shift","share":0.1}],"absence":{"share":0.2},"adherence":0.9},"tickets":{"aht":"8m","due":"4h"}}`).into(t, &plans)
	require.Len(t, plans.Items, 2)
	assert.Equal(t, 1, plans.Items[1].Requirement.Needs[0].Heads, "no contacts: the floor")
	n := plans.Items[0].Requirement.Needs[0]
	assert.InDelta(t, float64(n.Heads)/0.9/0.9/0.8, n.Paid, 0.001, "adherence, training, absence")
	var e struct {
		Shrinkage struct {
			Lines []struct{ Cause string }
		}
	}
	h.ask(t, "supervisor", "GET", "/v1/plans/"+plans.Items[0].ID+"/explain?at=2026-06-01T12:07:00%2B08:00", nil).into(t, &e)
	var causes []string
	for _, l := range e.Shrinkage.Lines {
		causes = append(causes, l.Cause)
	}
	assert.Equal(t, []string{"required", "adherence", "training", "absence"}, causes)
}
