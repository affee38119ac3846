package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// 354,741 less 290,000 is 64,741, which is 18.25 % of 354,741.
func TestTheGapIsToldInYuan(t *testing.T) {
	var s roster.Solution
	s.Parts = roster.Parts{Short: 100_000, Wages: 254_741}
	s.Weigh(290_000)
	s.Salaries = 412_000
	var out bytes.Buffer
	printCost(&out, "cost", s)
	printParts(&out, s.Parts)
	assert.Equal(t, "cost 354,741 yuan; at least 290,000 whatever one does; at most 64,741 yuan (18.3 %) could be saved\n"+
		"fixed salaries of 412,000 yuan are paid besides, whatever the roster is\n"+
		"the cost is made of: understaffing 100,000, wages by the hour 254,741 yuan\n", out.String())
	for v, text := range map[float64]string{0: "0", 999.6: "1,000", -0.2: "0", -1234567: "-1,234,567", 12: "12"} {
		assert.Equal(t, text, yuanText(v))
	}
}

// What solve tells as text stands in its JSON: what could be saved, the parts, and the soft rules by rule.
func TestSolveTellsPartsAndSoftRules(t *testing.T) {
	const problem = "../../scheduling/roster/testdata/example.json"
	made := filepath.Join(t.TempDir(), "r.json")
	args := []string{"--in", problem, "--iterations", "2000", "--threads", "1", "--out", made}
	out, err := runRoster(t.Context(), newRosterSolveCommand(), args...)
	require.NoError(t, err)
	assert.Contains(t, out, "could be saved")
	assert.Contains(t, out, "the cost is made of: understaffing")
	out, err = runRoster(t.Context(), newRosterSolveCommand(), append(args, "--json")...)
	require.NoError(t, err)
	var sum rosterSummary
	require.NoError(t, json.Unmarshal([]byte(out), &sum))
	require.NotNil(t, sum.Parts)
	assert.InDelta(t, sum.Cost, sum.Parts.Total(), 1e-6)
	assert.InDelta(t, sum.Cost-sum.Bound, sum.Savable, 1e-6)
	soft := 0
	for _, g := range sum.Soft {
		soft += g.Count
		assert.LessOrEqual(t, len(g.Examples), softExamples)
		assert.NotEmpty(t, g.Agents)
	}
	assert.Equal(t, sum.SoftBroken, soft)
	var text bytes.Buffer
	printSoft(&text, sum.Soft, time.UTC)
	for _, g := range sum.Soft {
		assert.Contains(t, text.String(), g.Rule)
	}
}

// Where there is nothing to do, one sentence says so.
func TestNothingToDoIsSaid(t *testing.T) {
	told := func(print func(w io.Writer)) string {
		var out bytes.Buffer
		print(&out)
		return out.String()
	}
	assert.Equal(t, "these edits change nothing: the shifts are so already\n", told(func(w io.Writer) { printVerdict(w, revising.Verdict{}, time.UTC) }))
	assert.Equal(t, "whoever is absent has no shift of this roster then, so there is nothing to repair\n"+
		"nothing was kept; --publish on a published roster notes the absence, so that nobody is called in then\n",
		told(func(w io.Writer) { printRepair(w, rostering.RepairMade{}, 5, time.UTC) }))
	gone := scheduling.Shift{Agent: "a"}
	text := told(func(w io.Writer) {
		printRepair(w, rostering.RepairMade{Repaired: revise.Repaired{Absent: []revise.Change{{Before: &gone}}}}, 5, time.UTC)
	})
	assert.Contains(t, text, "no step is lawful and pays")
	assert.Contains(t, text, "nothing that the absences took away stays short")
}
