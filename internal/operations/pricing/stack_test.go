package pricing_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
)

// The harness in short.
var (
	planner    = operationstest.Planner
	supervisor = operationstest.Supervisor
	shanghai   = operationstest.Shanghai
	today      = operationstest.Today
	ok         = operationstest.OK
	refused    = operationstest.Refused
)

const pre = ids.Queue("lumi-tmall/pre")

// house is two merchants, people who know their queues, and no engine.
type house struct{ *operationstest.Stack }

func newHouse(t *testing.T) *house { return houseWith(t, operationstest.MerchantsYAML) }

// houseWith is a house with contracts.
func houseWith(t *testing.T, contracts string) *house {
	t.Helper()
	h := &house{operationstest.New(t, "", operationstest.Definitions(t))}
	h.ApplyContracts(t, contracts)
	h.AddPeople(t, 1001, 4, string(pre))
	h.AddPeople(t, 2001, 2, "orca-jd/pre")
	return h
}

// forecast stores hourly contacts of nine hours of some days, half as many at P10 and half as many again at
// P90; each is newer than the last.
func (h *house) forecast(t *testing.T, id ids.Forecast, queue ids.Queue, from calendar.Date, days int, contacts float64) {
	t.Helper()
	h.Clock = h.Clock.Add(time.Minute)
	curve := scheduling.Curve{Queue: queue, Slot: time.Hour, Levels: []float64{0.1, 0.5, 0.9}}
	for day := range days {
		for hour := 9; hour < 18; hour++ {
			curve.Points = append(curve.Points, scheduling.Point{
				Start: at(from.Add(day), hour), Mean: contacts, Quantiles: []float64{contacts / 2, contacts, contacts * 1.5}, HandleTime: 150 * time.Second,
			})
		}
	}
	h.AddForecast(t, store.Forecast{
		ID: id, Queue: queue, Range: calendar.Range{Start: from.In(shanghai), End: from.Add(days).In(shanghai)}, Curve: curve, Model: "by hand",
		Figures: json.RawMessage(`{"work":{"handle_time":{"source":"contact history","mean":150}}}`),
	})
}

func at(day calendar.Date, hour int) time.Time {
	return day.In(shanghai).Add(time.Duration(hour) * time.Hour)
}

func (h *house) plans(t *testing.T, in pricing.PlanInput) []store.Plan {
	t.Helper()
	made, err := h.Pricing.MakePlans(t.Context(), planner, in)
	ok(t, err)
	return made
}

func (h *house) scenario(t *testing.T, in pricing.ScenarioInput) pricing.Scenario {
	t.Helper()
	made, err := h.Pricing.MakeScenario(t.Context(), planner, in)
	ok(t, err)
	return made
}

// headsAt is the need of a slot.
func headsAt(t *testing.T, plan store.Plan, when time.Time) int {
	t.Helper()
	for _, n := range plan.Requirement.Needs {
		if n.Start.Equal(when) {
			return n.Heads
		}
	}
	require.Fail(t, "no such slot", "%s", when)
	return 0
}
