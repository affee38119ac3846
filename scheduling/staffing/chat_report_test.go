package staffing_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
)

// judged is a grid beside the published one.
type judged struct {
	cases   string
	results []accuracyResult
}

// report is the published table, worst cases first, with the other grids and their worst cases.
func report(results []accuracyResult, grids []judged) string {
	var b strings.Builder
	within, worst := verdict(results)
	over, conversations := 0, 0
	noise := []float64{}
	for _, r := range results {
		conversations += r.sim.conversations
		noise = append(noise, 100*slices.Max(r.sim.noise[:]))
		if r.worst() > mostBar {
			over++
		}
	}
	slices.Sort(noise)
	loud := len(noise) - sort.SearchFloat64s(noise, 100*oracleNoise+0.005)
	fmt.Fprintf(&b, accuracyHead, len(results), steadyCases, movingCases, oracleMost/1_000_000, float64(conversations)/1e6,
		noise[len(noise)/2], loud, noise[len(noise)-1],
		100*within, usualBar, 100*usualPart, worst, mostBar, over)
	b.WriteString(accuracyGrids)
	for _, g := range grids {
		within, worst := verdict(g.results)
		over := 0
		for _, r := range g.results {
			if r.worst() > mostBar {
				over++
			}
		}
		fmt.Fprintf(&b, "| %s | %.1f %% | %.2f | %d |\n", g.cases, 100*within, worst, over)
	}
	b.WriteString("\n| figure | mean difference | mean absolute | 95 % of cases within | worst |\n| --- | --- | --- | --- | --- |\n")
	for f, name := range figureNames {
		var sum, absolute float64
		var all []float64
		for _, r := range results {
			sum += r.off(f)
			absolute += math.Abs(r.off(f))
			all = append(all, math.Abs(r.off(f)))
		}
		slices.Sort(all)
		n := float64(len(results))
		fmt.Fprintf(&b, "| %s | %+.2f | %.2f | %.2f | %.2f |\n", name, sum/n, absolute/n, all[int(math.Ceil(0.95*n))-1], all[len(all)-1])
	}
	b.WriteString(accuracyColumns)
	worstFirst(results)
	rows(&b, results)
	for _, g := range grids {
		worstFirst(g.results)
		fmt.Fprintf(&b, "\nThe worst of cases %s:\n%s", g.cases, accuracyHeader)
		rows(&b, g.results[:worstShown])
	}
	return b.String()
}

// worstShown is how many of the other grids' cases are published.
const worstShown = 8

func worstFirst(results []accuracyResult) {
	slices.SortStableFunc(results, func(x, y accuracyResult) int { return cmp.Compare(y.worst(), x.worst()) })
}

// rows writes cases as lines of a table.
func rows(b *strings.Builder, results []accuracyResult) {
	for _, r := range results {
		shape := "steady"
		if r.shape != nil {
			shape = shapeNames[(r.number-1)%len(dayShapes)]
		}
		fmt.Fprintf(b, "| %d | %d | %s | %d | %d | %.2f | %s | %.2f | %.1f | %s | %.2f | %.0fk | %.2f |", r.number, r.seed, shape,
			r.chats.Concurrency, r.agents, r.load, r.chats.HandleTime, r.chats.Overhead, r.chats.Rounds, r.chats.Patience, r.chats.Slowdown,
			float64(r.sim.conversations)/1000, 100*slices.Max(r.sim.noise[:]))
		for f := range figureNames {
			fmt.Fprintf(b, " %.1f %+.1f |", 100*r.sim.mean[f], r.off(f))
		}
		fmt.Fprintf(b, " %.0f %+.0f | %.2f %+.2f | %.2f %+.2f |\n", r.sim.response, r.model.response-r.sim.response,
			r.sim.occupancy, r.model.occupancy-r.sim.occupancy, r.sim.open, r.model.open-r.sim.open)
	}
}

var shapeNames = []string{"hump", "opening burst", "burst with more heads", "shift end"}

const accuracyHead = `# How near the fast chat model is to the simulator

Written by ` + "`CHAOBAN_UPDATE=1 go test -run '^$' -bench StaffingChatAccuracy -benchtime 1x ./scheduling/staffing`" + `; the numbers change only with
the model, the simulator or the grid.

%d cases: %d steady, %d that move (a hump of load under constant heads, an opening burst into an empty system, a burst of three minutes
under heads that rise for it, and a shift that ends with a late burst). Concurrency 1-8, 1-200 agents, load 0.5-1.2 of what the agents
finish when they are full, handle time 2-15 min, own work 10-80 %% of it, 1-12 rounds, patience 0.5-10 min, slowdown 0, 3 or 8 %% per
further conversation. The grid is a low-discrepancy sequence, fixed before the first comparison: cases are not chosen by what passes.
The simulator repeats a case with new seeds (from the seed in the table on) until the standard error of every rate is at most 0.3
percentage points, or %d million conversations are used; a steady case is measured for 16 hours or more after 8 hours from
empty. One that needs more than 600,000 conversations moves between regimes that last for hours, so that a day from empty shows too much of
the first; it is begun anew with 48 hours and 128. All together %.0f million
conversations; standard error of the noisiest rate: median %.2f, in %d cases above 0.3,
largest %.2f points.

**Result: %.1f %% of the cases have every rate (first reply within 20 and 30 s, rounds within 60 and 180 s) within %.1f percentage
points (bar: %.0f %%); the worst rate is off by %.2f (bar: %.0f for all; missed by %d).**

Differences are model minus simulator, in percentage points. Abandonment is shown but under no bar; in the moving cases the
simulator also counts those who leave after the last slot.
`

const accuracyGrids = `
Other grids of 240 cases, made alike. The model was made while looking at the cases above and at 1001 to 1240. Cases 2001 to 2240 were
then compared unseen: 98.7 % within 1.5 points, but one was off by 38.7: a desk of 173 agents with two regimes, where the simulator
stayed in the good one and the model gave the other. The model was mended for such desks (DESIGN.md, "Two regimes"), so that grid is no longer
unseen. Cases 9001 to 9240 are drawn at random, not from the sequence, and were compared once, when that was finished.

| cases | within 1.5 points (bar: 95 %) | worst | above 3 |
| --- | --- | --- | --- |
`

const accuracyColumns = `
Where it is worst: bursts into an empty desk and shifts that end, where conversations have hardly more than one round (the day model has no
memory of pauses, see DESIGN.md), and large full desks of the same kind, which are followed in steps. The cause of the rest was not isolated.

All cases, worst first. In each pair: simulated, difference. Response in seconds.
` + accuracyHeader

const accuracyHeader = `
| case | seed | shape | k | agents | load | AHT | own | rounds | patience | slow | conv. | noise | first 20 s | first 30 s | round 60 s | round 180 s | abandoned | response | occupancy | open |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
`
