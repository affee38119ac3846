package matsp_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/roster/check"
	"github.com/chaoban/chaoban/scheduling/roster/matsp"
	"github.com/chaoban/chaoban/scheduling/roster/search"
)

// tiny is one day, two tasks, covered from 08:00 to 14:00 by one head on each.
func tiny(minMinutes int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SECTION_HORIZON\n1\nSECTION_TASKS\n2\nSECTION_STAFF\n1,%d,600\n2,%d,600\nSECTION_COVER\n", minMinutes, minMinutes)
	for task := 1; task <= 2; task++ {
		for q := range 24 {
			m := 8*60 + q*15
			fmt.Fprintf(&b, "1,%02d:%02d-%02d:%02d,%d,1,1\n", m/60, m%60, (m+15)/60, (m+15)%60, task)
		}
	}
	return b.String()
}

func parse(t require.TestingT, text string) *matsp.Instance {
	in, err := matsp.Parse("tiny.txt", strings.NewReader(text))
	require.NoError(t, err)
	return in
}

func TestTinyOptimum(t *testing.T) {
	for _, c := range []struct{ minutes, cost int }{
		{360, 0}, // two 6 h shifts fit exactly
		{420, 8}, // each must work one hour more: 4 quarter-hours each above the cover
		{0, 0},
	} {
		in := parse(t, tiny(c.minutes))
		s, err := matsp.Solve(context.Background(), in, search.Budget{Seed: 1, Iterations: 300, Threads: 1})
		require.NoError(t, err)
		assert.Equal(t, c.cost, s.Cost)
		assert.Equal(t, c.cost, s.Bound)
		report := check.MATSP(in, in.Named(s.Roster))
		assert.Empty(t, report.Violations)
		assert.InDelta(t, c.cost, report.Cost, 1e-9)
	}
}

func TestClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.IntRange(0, 7*96).Draw(t, "period")
		day, minutes := matsp.Clock(p)
		assert.Equal(t, p, matsp.PeriodAt(day, minutes))
	})
	day, minutes := matsp.Clock(0)
	assert.Equal(t, [2]int{1, 360}, [2]int{day, minutes})
	day, minutes = matsp.Clock(72)
	assert.Equal(t, [2]int{2, 0}, [2]int{day, minutes})
}

func TestCheckerSeesEveryRule(t *testing.T) {
	in := parse(t, tiny(0))
	legal := matsp.Shift{Day: 1, Start: "08:00", Tasks: []matsp.Task{{1, 360}}}
	other := matsp.Shift{Day: 1, Start: "08:00", Tasks: []matsp.Task{{2, 360}}}
	assert.Empty(t, check.MATSP(in, map[string][]matsp.Shift{"1": {legal}, "2": {other}}).Violations)
	for says, list := range map[string][]matsp.Shift{
		"not a start time":        {{Day: 1, Start: "11:00", Tasks: []matsp.Task{{1, 360}}}},
		"a shift of 300 minutes":  {{Day: 1, Start: "08:00", Tasks: []matsp.Task{{1, 300}}}},
		"lasts under 1 h":         {{Day: 1, Start: "08:00", Tasks: []matsp.Task{{1, 330}, {2, 30}}}},
		"starts twice":            {legal, {Day: 1, Start: "22:00", Tasks: []matsp.Task{{1, 360}}}},
		"less than 14 h":          {legal, {Day: 1, Start: "22:00", Tasks: []matsp.Task{{1, 360}}}},
		"after the horizon":       {{Day: 2, Start: "00:00", Tasks: []matsp.Task{{1, 375}}}},
		"of 1 heads":              {},
		"works 1080 minutes, not": {legal, legal, legal},
	} {
		report := check.MATSP(in, map[string][]matsp.Shift{"1": list, "2": {other}})
		assert.Contains(t, strings.Join(report.Violations, "; "), says)
	}
}

// A roster with a fault of every kind is told all of them, and blocks beyond a day are not walked.
func TestCheckerTellsEveryFault(t *testing.T) {
	in := parse(t, tiny(0))
	report := check.MATSP(in, map[string][]matsp.Shift{
		"1": {{Day: 1, Start: "11:00", Tasks: []matsp.Task{{1, 300}, {7, 60}, {2, 1 << 60}}}, {Day: 1 << 60, Start: "08:00"}},
		"9": nil, "8": nil,
	})
	said := strings.Join(report.Violations, "\n")
	for _, says := range []string{
		"11:00 is not a start time", "of task 7", "of task 2", "a shift of 300 minutes", "starts on day 1152921504606846976",
		"8 is not an employee", "9 is not an employee", "0 of 1 heads",
	} {
		assert.Contains(t, said, says)
	}
}

// A horizon or a number of tasks that is none is told once.
func TestABadSizeIsOneFault(t *testing.T) {
	for from, says := range map[string]string{"HORIZON\n1": "number of days", "TASKS\n2": "number of tasks"} {
		section, _, _ := strings.Cut(from, "\n")
		_, err := matsp.Parse("x.txt", strings.NewReader(strings.Replace(tiny(0), from, section+"\nmany", 1)))
		require.Error(t, err)
		require.Len(t, fault.Of(err).Fields, 1, "%v", err)
		assert.ErrorContains(t, err, says)
	}
}

// Whatever is read is an instance or an Invalid error that says where.
func FuzzParse(f *testing.F) {
	for _, text := range []string{tiny(0), "", "SECTION_HORIZON\nx\nSECTION_COVER\n0,E,1,1,1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in, err := matsp.Parse("f.txt", strings.NewReader(text))
		if err != nil {
			assert.Equal(t, fault.Invalid, fault.KindOf(err))
			assert.NotEmpty(t, fault.Of(err).Fields)
			return
		}
		check.MATSP(in, map[string][]matsp.Shift{})
	})
}

func TestBadInstancesSayWhere(t *testing.T) {
	good := tiny(360)
	for name, c := range map[string]struct{ from, to, says string }{
		"clock":   {"1,08:15-08:30,1,1,1", "1,08:20-08:30,1,1,1", "x.txt:10"},
		"hours":   {"1,08:15-08:30,1,1,1", "1,08:15-23:00,1,1,1", "x.txt:10"},
		"back":    {"1,08:15-08:30,1,1,1", "1,08:15-08:00,1,1,1", "must be a quarter hour"},
		"no end":  {"1,08:15-08:30,1,1,1", "1,08:15,1,1,1", "must be a quarter hour"},
		"task":    {"1,08:15-08:30,1,1,1", "1,08:15-08:30,7,1,1", "from 1 to 2"},
		"horizon": {"1,08:15-08:30,1,1,1", "1,04:15-04:30,1,1,1", "outside the horizon"},
		"twice":   {"1,08:15-08:30,1,1,1", "1,08:00-08:15,1,1,1", "already has"},
		"staff":   {"2,360,600", "1,360,600", "defined twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := matsp.Parse("x.txt", strings.NewReader(strings.Replace(good, c.from, c.to, 1)))
			require.Error(t, err)
			assert.Equal(t, fault.Invalid, fault.KindOf(err))
			assert.ErrorContains(t, err, c.says)
		})
	}
	_, err := matsp.Parse("x.txt", strings.NewReader(""))
	assert.Error(t, err)
}

// The smallest published instances become legal at once. CHAOBAN_ROSTER_SECONDS searches all of
// them for that long each and prints the penalties.
func TestPublishedInstances(t *testing.T) {
	if os.Getenv("CI") == "true" {
		t.Skip("real files are not used in CI")
	}
	dir := os.Getenv("CHAOBAN_SHARED_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	pattern := "[1-5]_*.txt"
	begin := time.Now()
	budget := search.Budget{Seed: 1, Threads: 2, Iterations: 150}
	if d, err := time.ParseDuration(os.Getenv("CHAOBAN_ROSTER_SECONDS") + "s"); err == nil {
		pattern = "*_*.txt"
		budget = search.Budget{Seed: 1, Threads: 2, Time: d, Elapsed: func() time.Duration { return time.Since(begin) }}
	}
	files, err := filepath.Glob(filepath.Join(dir, "matsp", pattern))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("no shared data")
	}
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		in, err := matsp.Parse(filepath.Base(name), f)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		begin = time.Now()
		s, err := matsp.Solve(context.Background(), in, budget)
		if !assert.NoError(t, err, name) {
			continue
		}
		report := check.MATSP(in, in.Named(s.Roster))
		assert.Empty(t, report.Violations, name)
		assert.InDelta(t, report.Cost, s.Cost, 1e-9, name)
		t.Logf("%-20s penalty %5d bound %5d", filepath.Base(name), s.Cost, s.Bound)
	}
}
