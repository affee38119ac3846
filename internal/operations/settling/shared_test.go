package settling_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/kpi"
)

// calls is what a dumb loop over the sheet counts for one agent, or for all of them.
type calls struct{ offered, answered, resolved, wait, ratings, rated int }

// callsOf reads the sheet's XML; the columns are found by their heads. month is 0 for all months.
func callsOf(t *testing.T, book []byte, month time.Month) map[string]calls {
	t.Helper()
	var rows [][]string
	for _, r := range operationstest.Sheets(t, book) {
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
	t.Parallel()
	book := operationstest.SharedFile(t, "call_log/call_center_dataset.xlsx")
	s := newStack(t)
	ctx := t.Context()
	s.ApplyContracts(t, operationstest.HotlineYAML)
	in := measuring.ImportInput{Source: intake.FromBytes("call_center_dataset.xlsx", book), Mapping: operationstest.MappingFile(t, "call_log.yaml")}
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
