package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/roster/search"
)

func runRoster(ctx context.Context, cmd *cobra.Command, args ...string) (string, error) {
	var out bytes.Buffer
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(ctx)
	return out.String(), err
}

const weekInstance = `SECTION_HORIZON
7
SECTION_SHIFTS
E,480,
SECTION_STAFF
A,E=7,2400,960,5,2,2,1
B,E=7,2400,960,5,2,2,1
SECTION_COVER
0,E,1,100,1
1,E,1,100,1
2,E,3,100,1
`

const dayInstance = `SECTION_HORIZON
1
SECTION_TASKS
1
SECTION_STAFF
1,360,600
SECTION_COVER
1,08:00-08:15,1,1,1
1,08:15-08:30,1,1,1
`

func TestRosterSolveAndCheckEveryFormat(t *testing.T) {
	dir := t.TempDir()
	week, day := filepath.Join(dir, "week.txt"), filepath.Join(dir, "day.txt")
	require.NoError(t, os.WriteFile(week, []byte(weekInstance), 0o600))
	require.NoError(t, os.WriteFile(day, []byte(dayInstance), 0o600))
	for format, c := range map[string]struct {
		in, iterations string
		cost           float64 // -1: whatever the checker says
	}{
		"nrp":   {week, "20000", 100}, // three heads are wanted on day 2, two people exist
		"matsp": {day, "100", 22},     // 24 quarter-hours of contract, 2 of them wanted
		"json":  {"../../scheduling/roster/testdata/example.json", "100", -1},
	} {
		t.Run(format, func(t *testing.T) {
			roster := filepath.Join(dir, format+".json")
			out, err := runRoster(t.Context(), newRosterSolveCommand(), "--format", format, "--in", c.in, "--iterations", c.iterations, "--threads", "1", "--out", roster, "--json")
			require.NoError(t, err)
			var sum map[string]any
			require.NoError(t, json.Unmarshal([]byte(out), &sum), out)
			if c.cost >= 0 {
				assert.InDelta(t, c.cost, sum["cost"], 1e-9)
			}
			assert.LessOrEqual(t, sum["bound"], sum["cost"])
			out, err = runRoster(t.Context(), newRosterCheckCommand(), "--format", format, "--in", c.in, "--roster", roster, "--json")
			require.NoError(t, err, out)
			var report map[string]any
			require.NoError(t, json.Unmarshal([]byte(out), &report))
			assert.InDelta(t, sum["cost"], report["cost"], 1e-6)
		})
	}
}

func TestRosterSolveInterruptedKeepsTheBest(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	roster := filepath.Join(t.TempDir(), "r.json")
	out, err := runRoster(ctx, newRosterSolveCommand(), "--in", "../../scheduling/roster/testdata/example.json", "--time", "1h", "--out", roster)
	require.NoError(t, err)
	assert.Contains(t, out, "stopped early")
	assert.FileExists(t, roster)
}

func TestRosterCheckFindsBrokenRules(t *testing.T) {
	dir := t.TempDir()
	week, roster := filepath.Join(dir, "week.txt"), filepath.Join(dir, "r.json")
	require.NoError(t, os.WriteFile(week, []byte(weekInstance), 0o600))
	require.NoError(t, os.WriteFile(roster, []byte(`{"A":["E","E","E","E","E","E",""],"B":["E","E","","","","",""]}`), 0o600))
	out, err := runRoster(t.Context(), newRosterCheckCommand(), "--format", "nrp", "--in", week, "--roster", roster)
	assert.Equal(t, "roster.illegal", fault.CodeOf(err))
	assert.Contains(t, out, "working days in a row")
}

// A file whose own cost was changed by hand is told so, and fails.
func TestRosterCheckTellsFalseFigures(t *testing.T) {
	const problem = "../../scheduling/roster/testdata/example.json"
	made := filepath.Join(t.TempDir(), "r.json")
	_, err := runRoster(t.Context(), newRosterSolveCommand(), "--in", problem, "--iterations", "50", "--threads", "1", "--out", made)
	require.NoError(t, err)
	raw, err := os.ReadFile(made)
	require.NoError(t, err)
	file := map[string]any{}
	require.NoError(t, json.Unmarshal(raw, &file))
	file["cost"], file["missing_hours"] = 1, 99
	raw, err = json.Marshal(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(made, raw, 0o600))
	out, err := runRoster(t.Context(), newRosterCheckCommand(), "--in", problem, "--roster", made)
	assert.Equal(t, "roster.false_figures", fault.CodeOf(err))
	assert.Contains(t, out, "false: cost: the file says 1, it is ")
	assert.Contains(t, out, "false: missing_hours: the file says 99, it is ")
	assert.Contains(t, out, "every hard rule holds")
}

func TestRosterCommandsRefuseBadInput(t *testing.T) {
	dir := t.TempDir()
	empty, bad := filepath.Join(dir, "empty"), filepath.Join(dir, "bad.txt")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	require.NoError(t, os.WriteFile(bad, []byte(strings.Replace(weekInstance, "0,E,1,100,1", "0,X,1,100,1", 1)), 0o600))
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no input":   {[]string{"--out", "x"}, "--in"},
		"no output":  {[]string{"--in", bad}, "--out"},
		"no file":    {[]string{"--in", filepath.Join(dir, "none"), "--out", "x"}, "cannot be read"},
		"empty":      {[]string{"--in", empty, "--out", "x"}, "is empty"},
		"format":     {[]string{"--in", bad, "--out", "x", "--format", "xml"}, "nrp, matsp or json"},
		"bad line":   {[]string{"--in", bad, "--out", "x", "--format", "nrp"}, "bad.txt:9"},
		"threads":    {[]string{"--in", bad, "--out", "x", "--format", "json", "--threads", "0"}, "bad.txt"},
		"not a JSON": {[]string{"--in", bad, "--out", "x"}, "bad.txt:1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runRoster(t.Context(), newRosterSolveCommand(), c.args...)
			require.Error(t, err)
			assert.ErrorContains(t, err, c.says)
			assert.NotEqual(t, fault.Internal, fault.KindOf(err))
		})
	}
}

func TestProgressLineNamesCostBoundAndGap(t *testing.T) {
	assert.Equal(t, " 25 %  cost 200  bound 150  gap 25.00 %", progressLine(search.Progress{Done: 0.25, Cost: 200, Bound: 150}))
	assert.Equal(t, "  0 %  cost 200", progressLine(search.Progress{Cost: 200}))
	assert.Equal(t, " 25 %  cost 200 before people stay on their queues", progressLine(search.Progress{Done: 0.25, Cost: 200, Bound: 150, Loose: true}))
	assert.Equal(t, "  0 %  no legal roster yet", progressLine(search.Progress{Cost: math.Inf(1)}))
	now := time.Duration(0)
	b := search.Budget{Elapsed: func() time.Duration { return now }}
	var out bytes.Buffer
	clear := showProgress(&out, &b)
	for now = 0; now < 25*time.Second; now += time.Second {
		b.Progress(search.Progress{Cost: now.Seconds()})
	}
	clear()
	assert.Equal(t, "  0 %  cost 10\n  0 %  cost 20\n", out.String(), "a pipe gets a line every ten seconds")
}

func TestRosterSolveLeastViolating(t *testing.T) {
	dir := t.TempDir()
	raw, err := os.ReadFile("../../scheduling/roster/testdata/example.json")
	require.NoError(t, err)
	// K003 is part-time, at most 4 h a day.
	locked := `"locked": [{"agent": "K003", "start": "2026-11-09T09:00:00+08:00", "end": "2026-11-09T15:00:00+08:00"}], "demand": [`
	problem, made := filepath.Join(dir, "p.json"), filepath.Join(dir, "r.json")
	require.NoError(t, os.WriteFile(problem, []byte(strings.Replace(string(raw), `"demand": [`, locked, 1)), 0o600))
	_, err = runRoster(t.Context(), newRosterSolveCommand(), "--in", problem, "--iterations", "50", "--out", made)
	require.Error(t, err)
	assert.ErrorContains(t, err, "hours.part_time_daily")
	assert.ErrorContains(t, err, "K003")
	out, err := runRoster(t.Context(), newRosterSolveCommand(), "--in", problem, "--iterations", "50", "--out", made, "--least-violating")
	require.NoError(t, err)
	assert.Contains(t, out, "broken: K003 hours.part_time_daily")
}
