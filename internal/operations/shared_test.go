package operations_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/scheduling"
)

// sharedFile reads a real file that is measured with but not shipped.
func sharedFile(t *testing.T, name string) []byte {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Skip("real files are never used in CI")
	}
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Skipf("%s is not there", name)
	}
	return text
}

func mappingFile(t *testing.T, name string) operations.Mapping {
	t.Helper()
	f, err := os.Open(filepath.Join("intake", "testdata", name))
	require.NoError(t, err)
	defer f.Close()
	m, err := operations.ParseMapping(name, f)
	require.NoError(t, err)
	return m
}

const hotlineYAML = `
merchants:
  - id: demo
    name: 示例热线
    shops:
      - id: demo-hotline
        name: 热线
        platform: other
        queues: [{id: demo-hotline/after, skill: after, channel: call, hours: "Mon-Fri 07:00-21:15"}]
contracts:
  - id: demo-calls
    merchant: demo
    title: 热线外包
    versions:
      - number: 1
        from: 2021-01-01
        shops: [demo-hotline]
        terms: [{id: speed, metric: first_response, direction: at_most, target: 60}, {id: rating, metric: satisfaction, direction: at_least, target: 3.4}]
        prices: [{id: call, title: 按通, base: contact, amount: 3}]
        tax_rate: 6%
`

// calls is what a dumb loop over the sheet counts for one agent, or for all of them.
type calls struct{ offered, answered, resolved, wait, ratings, rated int }

// callsOf reads the sheet's XML; the columns are found by their heads. month is 0 for all months.
func callsOf(t *testing.T, book []byte, month time.Month) map[string]calls {
	t.Helper()
	var rows [][]string
	for _, r := range readSheets(t, book) {
		if len(r) > len(rows) {
			rows = r
		}
	}
	column := map[string]int{}
	for i, head := range rows[0] {
		column[head] = i
	}
	out := map[string]calls{}
	for _, row := range rows[1:] {
		cell := func(head string) string {
			i, found := column[head]
			require.True(t, found, head)
			if i >= len(row) {
				return ""
			}
			return row[i]
		}
		number := func(head string) int {
			if s := cell(head); s != "" && s != "NA" {
				f, err := strconv.ParseFloat(s, 64)
				require.NoError(t, err)
				return int(math.Round(f))
			}
			return 0
		}
		day, err := time.Parse(time.DateOnly, cell("Date")) // the sheet holds dates as texts
		require.NoError(t, err)
		if month != 0 && day.Month() != month {
			continue
		}
		for _, name := range []string{"", cell("Agent")} {
			c := out[name]
			c.offered++
			if strings.HasPrefix(cell("Answered (Y/N)"), "Y") {
				c.answered++
			}
			if strings.HasPrefix(cell("Resolved"), "Y") {
				c.resolved++
			}
			c.wait += number("Speed of answer in seconds")
			if r := number("Satisfaction rating"); r > 0 {
				c.ratings += r
				c.rated++
			}
			out[name] = c
		}
	}
	return out
}

func sameCalls(t *testing.T, want calls, readings []kpi.Reading, who string) {
	t.Helper()
	got := map[kpi.Metric]parts{}
	for _, r := range readings {
		got[r.Metric] = parts{r.Numerator, r.Denominator}
	}
	assert.Equal(t, map[kpi.Metric]parts{
		"offered": {float64(want.offered), 1}, "handled": {float64(want.answered), 1}, "first_response": {float64(want.wait), float64(want.answered)},
		"resolution": {float64(want.resolved), float64(want.offered)}, "satisfaction": {float64(want.ratings), float64(want.rated)},
	}, got, who)
}

// The published totals of a real call log come back from the engine exactly, for every agent too,
// and the workbook of a contract over it shows the same figures.
func TestCallLogHasItsKnownTotals(t *testing.T) {
	book := sharedFile(t, "call_log/call_center_dataset.xlsx")
	s := newStack(t)
	ctx := t.Context()
	s.applyContracts(t, hotlineYAML)
	in := operations.ImportInput{Source: intake.FromBytes("call_center_dataset.xlsx", book), Mapping: mappingFile(t, "call_log.yaml")}
	done, err := s.Measuring.Import(ctx, planner, in)
	ok(t, err)
	assert.Equal(t, int64(5000), done.Import.Rows)
	again, err := s.Measuring.Import(ctx, planner, in)
	ok(t, err)
	assert.True(t, again.Already)

	counted := callsOf(t, book, 0)
	require.Len(t, counted, 1+8, "eight agents")
	// The totals that the publisher gives: 4,054 answered, 3,646 resolved, 67.52 s, 3.403.
	all := counted[""]
	assert.Equal(t, [3]int{5000, 4054, 3646}, [3]int{all.offered, all.answered, all.resolved})
	assert.InDelta(t, 67.52, float64(all.wait)/float64(all.answered), 0.005)
	assert.InDelta(t, 3.403, float64(all.ratings)/float64(all.rated), 0.001)

	quarter := calendar.Range{Start: date("2021-01-01").In(shanghai), End: date("2021-04-01").In(shanghai)}
	q := kpi.Query{Metrics: []kpi.Metric{"offered", "handled", "first_response", "resolution", "satisfaction"}, Grain: kpi.Whole, Range: quarter}
	readings, err := s.Measuring.Figures(ctx, planner, q)
	ok(t, err)
	sameCalls(t, all, readings, "all agents")
	q.By = []kpi.Dimension{kpi.ByAgent}
	readings, err = s.Measuring.Figures(ctx, planner, q)
	ok(t, err)
	byAgent := map[string][]kpi.Reading{}
	for _, r := range readings {
		byAgent[string(r.Agent)] = append(byAgent[string(r.Agent)], r)
	}
	assert.Len(t, byAgent, 8)
	for agent, own := range byAgent {
		sameCalls(t, counted[agent], own, agent)
	}

	for month := time.January; month <= time.March; month++ {
		inMonth := callsOf(t, book, month)
		model, err := s.Settling.SLAReport(ctx, planner, "demo-calls", calendar.Month{Year: 2021, Month: month})
		ok(t, err)
		sameCalls(t, inMonth[""], asked(model.Totals, q.Metrics), month.String())
		require.Len(t, model.Agents, len(inMonth)-1)
		for _, a := range model.Agents {
			sameCalls(t, inMonth[string(a.Agent)], asked(a.Readings, q.Metrics), month.String()+" "+string(a.Agent))
		}
		workbookHas(t, s, model)
	}
}

// asked keeps the readings of some metrics.
func asked(readings []kpi.Reading, metrics []kpi.Metric) (out []kpi.Reading) {
	for _, m := range metrics {
		for _, r := range readings {
			if r.Metric == m {
				out = append(out, r)
			}
		}
	}
	return out
}

// Half a year of a bank's calls: imported, forecast for a week, staffed and rostered.
func TestBankCallsBecomeARoster(t *testing.T) {
	text := sharedFile(t, "bank_calls/bank_calls.csv")
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	s := stackIn(t, zone)
	ctx := t.Context()
	s.applyContracts(t, hotlineYAML)
	done, err := s.Measuring.Import(ctx, planner, operations.ImportInput{
		Source: intake.FromBytes("bank_calls.csv", text), Mapping: mappingFile(t, "bank_calls.yaml"),
	})
	ok(t, err)
	assert.Equal(t, int64(27716), done.Import.Rows, "as its SOURCE.txt says")

	// The last week, 2003-10-20 to 24, is held back and then compared.
	monday := date("2003-10-20")
	week := calendar.Range{Start: monday.In(zone), End: monday.Add(5).In(zone)}
	made, err := s.Planning.MakeForecasts(ctx, planner, operations.ForecastInput{
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

	plans, err := s.Planning.MakePlans(ctx, planner, operations.PlanInput{From: monday, Days: 5, Level: 0.5})
	ok(t, err)
	require.Len(t, plans, 1)
	peak := 0
	for _, n := range plans[0].Requirement.Needs {
		// Erlang: fewer heads than the offered load would never answer 80 %.
		assert.GreaterOrEqual(t, float64(n.Heads), 0.5*load(made[0].Curve, n.Start))
		peak = max(peak, n.Heads)
	}
	s.addPeople(t, 1, peak*2, "demo-hotline/after")
	roster, err := s.Planning.MakeRoster(ctx, planner, operations.RosterInput{From: monday, Days: 5, Iterations: 500, Threads: 1, Seed: 1})
	ok(t, err)
	assert.NotEmpty(t, roster.Roster.Shifts)
	_, err = s.Planning.PublishRoster(ctx, planner, roster.Roster.ID, roster.Roster.Version)
	ok(t, err)
	var figures operations.PlanFigures
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
