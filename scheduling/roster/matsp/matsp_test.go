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

// horizon is some days of one task with the staff and the cover given.
func horizon(days int, staff, cover string) string {
	return fmt.Sprintf("SECTION_HORIZON\n%d\nSECTION_TASKS\n1\nSECTION_STAFF\n%sSECTION_COVER\n%s", days, staff, cover)
}

// What nobody could keep is told before any search, with who, when, what is asked and what there is. By hand: one day
// holds one shift of at most 10 h; in seven days somebody starts on seven of the eight civil days only with the last at
// 00:00 of the eighth, which lasts 6 h: 66 h. 610 to 700 minutes lie between one shift (600) and two (720).
func TestWhatCannotBeIsTold(t *testing.T) {
	const some = "1,08:00-08:15,1,0,1\n"
	long := ""
	for m := 8 * 60; m < 20*60; m += 15 {
		long += fmt.Sprintf("1,%02d:%02d-%02d:%02d,1,1,1\n", m/60, m%60, (m+15)/60, (m+15)%60)
	}
	for name, c := range map[string]struct {
		text string
		says []string
	}{
		"too few people":   {strings.Replace(tiny(0), "1,08:15-08:30,2,1,1", "1,08:15-08:30,2,50,60", 1), []string{"no roster can keep this: day 1 08:15-08:30 asks for 51 heads (task 1: 1, task 2: 50) of a staff of 2"}},
		"one day":          {horizon(1, "7,900,1200\n", some), []string{"employee 7 must work 900 minutes", "the horizon holds at most 600 of one person"}},
		"seven days":       {horizon(7, "7,3961,9999\n", some), []string{"employee 7 must work 3961 minutes", "at most 3960"}},
		"between quarters": {horizon(7, "7,2041,2044\n", some), []string{"employee 7 must work 2041 to 2044 minutes", "quarter hours"}},
		"between shifts":   {horizon(7, "7,610,700\n", some), []string{"employee 7 must work 610 to 700 minutes, and 2 shifts of 6 to 10 h are at least 720"}},
		"a long day":       {horizon(1, "7,0,5000\n", long), []string{"asks for 720 head-minutes, and a staff of 1 gives at most 600", "all contracts together hold at most 600"}},
		"short contracts":  {horizon(7, "7,0,300\n8,0,600\n", "1,08:00-08:15,1,2,2\n"), []string{"asks for 2 heads (task 1: 2) of a staff of 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := matsp.Solve(t.Context(), parse(t, c.text), search.Budget{Seed: 1, Iterations: 50, Threads: 1})
			require.Equal(t, "matsp.infeasible", fault.CodeOf(err))
			for _, says := range c.says {
				assert.ErrorContains(t, err, says)
			}
			assert.NotContains(t, strings.ToLower(err.Error()), "search longer")
		})
	}
	// The 66 h: two days from 06:00, a day off, and five from 00:00, of which the last ends with the horizon.
	in := parse(t, horizon(7, "7,3960,3960\n", some))
	var week []matsp.Shift
	for _, day := range []int{1, 2, 4, 5, 6, 7, 8} {
		s := matsp.Shift{Day: day, Start: "00:00", Tasks: []matsp.Task{{1, 600}}}
		if day < 3 {
			s.Start = "06:00"
		}
		if day == 8 {
			s.Tasks[0][1] = 360
		}
		week = append(week, s)
	}
	assert.Empty(t, check.MATSP(in, map[string][]matsp.Shift{"7": week}).Violations)
}

// One person cannot be there at 06:00 and at 05:30 of the next day, but no sum shows it: what the nearest roster leaves
// short is told, and that a longer search may find more.
func TestWhatWasNotFoundIsTold(t *testing.T) {
	in := parse(t, horizon(1, "7,0,600\n", "1,06:00-06:15,1,1,1\n2,05:30-05:45,1,1,1\n"))
	_, err := matsp.Solve(t.Context(), in, search.Budget{Seed: 1, Iterations: 50, Threads: 1})
	require.Equal(t, "matsp.infeasible", fault.CodeOf(err))
	assert.Regexp(t, `the nearest leaves short: day \d 0[56]:\d\d-0[56]:\d\d task 1 with 0 of 1 heads. Search longer`, err.Error())
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
		"crossed": {"1,08:15-08:30,1,1,1", "1,08:15-08:30,1,5,1", "the fewest heads, 5, are above the most, 1"},
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
