package planning_test

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/scheduling"
)

// Half a year of a bank's calls: imported, forecast for a week, staffed and rostered.
func TestBankCallsBecomeARoster(t *testing.T) {
	text := operationstest.SharedFile(t, "bank_calls/bank_calls.csv")
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	s := &stack{operationstest.In(t, enginetest.Start(t), operationstest.Definitions(t), zone)}
	ctx := t.Context()
	s.ApplyContracts(t, operationstest.HotlineYAML)
	done, err := s.Measuring.Import(ctx, planner, measuring.ImportInput{
		Source: intake.FromBytes("bank_calls.csv", text), Mapping: operationstest.MappingFile(t, "bank_calls.yaml"),
	})
	ok(t, err)
	assert.Equal(t, int64(27716), done.Import.Rows, "as its SOURCE.txt says")

	// The last week, 2003-10-20 to 24, is held back and then compared.
	monday := date("2003-10-20")
	week := calendar.Range{Start: monday.In(zone), End: monday.Add(5).In(zone)}
	made, err := s.Planning.MakeForecasts(ctx, planner, planning.ForecastInput{
		Queues: []ids.Queue{"demo-hotline/after"}, Origin: week.Start, Horizon: week.Duration(), Slot: 30 * time.Minute,
	})
	ok(t, err)
	actual := map[time.Time]float64{}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		clock, count, _ := strings.Cut(strings.TrimSpace(line), ",")
		start, err := time.ParseInLocation(time.DateTime, clock, zone)
		require.NoError(t, err)
		n, err := strconv.ParseFloat(count, 64)
		require.NoError(t, err)
		actual[start.Truncate(30*time.Minute).UTC()] += n
	}
	wrong, total := 0.0, 0.0
	for _, p := range made[0].Curve.Points {
		if p.Start.In(zone).Hour() < 21 {
			wrong += math.Abs(p.Mean - actual[p.Start.UTC()])
			total += actual[p.Start.UTC()]
		}
	}
	t.Logf("weighted error of the week: %.2f %%", 100*wrong/total)
	assert.Less(t, wrong/total, 0.12, "the publisher's seasonal naive has 8.85 % over twelve weeks, one week may be worse")

	plans, err := s.Pricing.MakePlans(ctx, planner, pricing.PlanInput{From: monday, Days: 5, Options: pricing.Options{Level: 0.5}})
	ok(t, err)
	require.Len(t, plans, 1)
	peak := 0
	for _, n := range plans[0].Requirement.Needs {
		// Erlang: fewer heads than the offered load would never answer 80 %.
		assert.GreaterOrEqual(t, float64(n.Heads), 0.5*load(made[0].Curve, n.Start))
		peak = max(peak, n.Heads)
	}
	s.AddPeople(t, 1, peak*2, "demo-hotline/after")
	roster, err := s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{From: monday, Days: 5, Iterations: 500, Threads: 1, Seed: 1})
	ok(t, err)
	assert.NotEmpty(t, roster.Roster.Shifts)
	_, err = s.Rostering.PublishRoster(ctx, planner, rostering.PublishInput{Roster: roster.Roster.ID, Expect: roster.Roster.Version})
	ok(t, err)
	var figures pricing.PlanFigures
	ok(t, json.Unmarshal(plans[0].Figures, &figures))
	t.Logf("needed %.0f h, peak %d heads, %.1f h missing of %.0f", figures.Hours, figures.Peak, roster.Solution.Missing, roster.Solution.Needed)
}

// load is the offered load in Erlang of the forecast slot around an instant, at 240 s a call.
func load(c scheduling.Curve, at time.Time) float64 {
	for _, p := range c.Points {
		if !at.Before(p.Start) && at.Before(p.Start.Add(c.Slot)) {
			return p.Mean * 240 / c.Slot.Seconds()
		}
	}
	return 0
}
