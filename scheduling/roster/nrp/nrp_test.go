package nrp_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/roster/check"
	"github.com/chaoban/chaoban/scheduling/roster/nrp"
	"github.com/chaoban/chaoban/scheduling/roster/search"
)

const tiny = `# two people, one week
SECTION_HORIZON
7

SECTION_SHIFTS
E,480,
L,480,E

SECTION_STAFF
A,E=7|L=0,2400,960,5,2,2,1
B,E=7|L=7,2400,960,5,2,2,1

SECTION_DAYS_OFF
A,0

SECTION_SHIFT_ON_REQUESTS
B,0,E,3

SECTION_SHIFT_OFF_REQUESTS
A,1,E,2

SECTION_COVER
0,E,1,100,1
1,E,1,100,1
1,L,1,100,1
`

func parse(t require.TestingT, text string) *nrp.Instance {
	in, err := nrp.Parse("tiny.txt", strings.NewReader(text))
	require.NoError(t, err)
	return in
}

func TestTinyOptimum(t *testing.T) {
	// Day 1 needs E and L. A may not work L, so B takes L and A takes E against a wish of weight 2;
	// every other wish and cover can be met: 2 is optimal (leaving E open costs 100).
	in := parse(t, tiny)
	s, err := nrp.Solve(context.Background(), in, search.Budget{Seed: 1, Iterations: 60000, Threads: 1})
	require.NoError(t, err)
	assert.Equal(t, 2, s.Cost)
	assert.LessOrEqual(t, s.Bound, 2)
	report := check.NRP(in, in.Named(s.Roster))
	assert.Empty(t, report.Violations)
	assert.InDelta(t, 2, report.Cost, 1e-9)
}

func TestCheckerSeesEveryRule(t *testing.T) {
	in := parse(t, tiny)
	for row, says := range map[string]string{
		"E,E,,,,,":     "works on day off 0",
		",L,L,,,,":     "at most 0",
		",E,E,E,E,E,E": "6 working days in a row",
		",E,,,E,E,":    "1 working days in a row",
		",E,E,,E,E,":   "1 days off in a row",
		",E,,,,,":      "works 480 minutes",
	} {
		roster := map[string][]string{"A": strings.Split(row, ","), "B": {"", "", "E", "E", "", "", ""}}
		assert.Contains(t, strings.Join(check.NRP(in, roster).Violations, "; "), says, row)
	}
	roster := map[string][]string{"A": {"", "E", "E", "", "", "", ""}, "B": {"", "", "L", "E", "", "", ""}}
	assert.Contains(t, strings.Join(check.NRP(in, roster).Violations, "; "), "may not follow")
}

// A roster with one fault of every kind is told all of them, a shift that nobody knows among them.
func TestCheckerTellsEveryFault(t *testing.T) {
	in := parse(t, tiny)
	report := check.NRP(in, map[string][]string{"A": {"E", "X", "L", "E", "", "", ""}, "B": {"E"}, "C": {}, "D": {}})
	for _, says := range []string{
		"A works on day off 0", `A day 1: "X" is not a shift`, "A has 1 shifts L, at most 0", "A day 3: E may not follow L",
		"B: needs 7 days, has 1", "C is not an employee", "D is not an employee",
	} {
		assert.Contains(t, report.Violations, firstWith(report.Violations, says), says)
	}
	assert.Len(t, report.Violations, 7, "%v", report.Violations)
}

func firstWith(list []string, part string) string {
	for _, s := range list {
		if strings.Contains(s, part) {
			return s
		}
	}
	return part
}

// A horizon that is none is told once, and the days of the file are not held against it.
func TestABadHorizonIsOneFault(t *testing.T) {
	for _, days := range []string{"seven", "0", "-3", "99999"} {
		_, err := nrp.Parse("x.txt", strings.NewReader(strings.Replace(tiny, "\n7\n", "\n"+days+"\n", 1)))
		require.Error(t, err)
		require.Len(t, fault.Of(err).Fields, 1, "%v", err)
		assert.Equal(t, days, fault.Of(err).Fields[0].Value)
		assert.ErrorContains(t, err, "number of days of SECTION_HORIZON")
	}
}

// Whatever is read is an instance or an Invalid error that says where.
func FuzzParse(f *testing.F) {
	for _, text := range []string{tiny, "", "SECTION_HORIZON\nx\nSECTION_COVER\n0,E,1,1,1", strings.ReplaceAll(tiny, ",", "|")} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in, err := nrp.Parse("f.txt", strings.NewReader(text))
		if err != nil {
			assert.Equal(t, fault.Invalid, fault.KindOf(err))
			assert.NotEmpty(t, fault.Of(err).Fields)
			return
		}
		check.NRP(in, map[string][]string{})
	})
}

func TestBadInstancesSayWhere(t *testing.T) {
	for name, c := range map[string]struct{ from, to, says string }{
		"number":        {"L,480,E", "L,eight,E", "x.txt:7"},
		"unknown shift": {"B,0,E,3", "B,0,X,3", "is not a shift"},
		"unknown staff": {"A,1,E,2", "Z,1,E,2", "is not an employee"},
		"day outside":   {"0,E,1,100,1", "9,E,1,100,1", "from 0 to 6"},
		"columns":       {"0,E,1,100,1", "0,E,1,100", "day,shift,requirement"},
		"twice":         {"1,L,1,100,1", "1,E,1,100,1", "already has"},
		"section":       {"SECTION_COVER", "SECTION_COVERS", "not a section"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := nrp.Parse("x.txt", strings.NewReader(strings.Replace(tiny, c.from, c.to, 1)))
			require.Error(t, err)
			assert.Equal(t, fault.Invalid, fault.KindOf(err))
			assert.ErrorContains(t, err, c.says)
		})
	}
	_, err := nrp.Parse("empty.txt", strings.NewReader(""))
	assert.ErrorContains(t, err, "SECTION_HORIZON")
}

func TestOverConstrainedIsSaid(t *testing.T) {
	in := parse(t, strings.Replace(tiny, "A,E=7|L=0,2400,960", "A,E=1|L=0,2400,960", 1)) // 16 h with one shift
	_, err := nrp.Solve(context.Background(), in, search.Budget{Seed: 1, Iterations: 4000, Threads: 1})
	assert.Equal(t, fault.Conflict, fault.KindOf(err))
	assert.ErrorContains(t, err, "no row of shifts for A")

	searched := func() time.Duration {
		assert.Fail(t, "nothing is searched for where it is proven that no roster exists")
		return time.Hour
	}
	_, err = nrp.Solve(context.Background(), in, search.Budget{Seed: 1, Time: time.Hour, Elapsed: searched, Threads: 1})
	assert.ErrorContains(t, err, "no row of shifts for A")
}

// Each person's own limits that collide are named by the columns of the file, and no others. By hand, of the seven
// days of tiny with shifts of eight hours: no run leaves nothing; without a weekend five days are left; all days are
// 3360 minutes; three shifts are 1440; runs of two are five days (2, 2 and 1), and with two days off between them four
// (2 and 2), so that both stand in the way of five; 14 hours lie between one shift and two.
func TestWhatCollidesIsNamed(t *testing.T) {
	const tinyB = "B,E=7|L=7,2400,960,5,2,2,1"
	for name, c := range map[string]struct{ row, says string }{
		"no days":        {"B,E=7|L=7,4000,480,0,1,1,1", "B (MinTotalMinutes is 480, and MaxConsecutiveShifts 0 in the 7 days allow at most 0)"},
		"no weekends":    {"B,E=7|L=7,4000,2880,7,1,1,0", "B (MinTotalMinutes is 2880, and MaxWeekends 0 in the 7 days allow at most 2400)"},
		"beyond the day": {"B,E=7|L=7,40000,20000,7,1,1,1", "B (MinTotalMinutes is 20000, and the 7 days allow at most 3360)"},
		"few shifts":     {"B,E=2|L=1,4000,1920,7,1,1,1", "B (MinTotalMinutes is 1920, and MaxShifts E=2|L=1 in the 7 days allow at most 1440)"},
		"short runs":     {"B,E=7|L=7,4000,2400,2,1,2,1", "B (MinTotalMinutes is 2400, and MinConsecutiveDaysOff 2 and MaxConsecutiveShifts 2 in the 7 days allow at most 1920)"},
		"between shifts": {"B,E=7|L=7,900,840,7,1,1,1", "B (MinTotalMinutes is 840, and MaxTotalMinutes 900 in the 7 days allow at most 480)"},
	} {
		t.Run(name, func(t *testing.T) {
			in := parse(t, strings.Replace(tiny, tinyB, c.row, 1))
			_, err := nrp.Solve(context.Background(), in, search.Budget{Seed: 1, Iterations: 2000, Threads: 1})
			require.Equal(t, fault.Conflict, fault.KindOf(err))
			assert.ErrorContains(t, err, "no row of shifts for "+c.says)
			assert.NotContains(t, err.Error(), "search longer")
		})
	}
	off := "SECTION_DAYS_OFF\nB,0,1,2,3,4,5,6\n"
	in := parse(t, strings.Replace(tiny, "SECTION_DAYS_OFF\n", off, 1))
	_, err := nrp.Solve(context.Background(), in, search.Budget{Seed: 1, Iterations: 2000, Threads: 1})
	assert.ErrorContains(t, err, "7 days of SECTION_DAYS_OFF in the 7 days allow at most 0")
	_, err = nrp.Parse("x.txt", strings.NewReader(strings.Replace(tiny, tinyB, "B,E=7|L=7,960,2400,5,1,1,1", 1)))
	assert.ErrorContains(t, err, "MinTotalMinutes 2400 is above MaxTotalMinutes 960")
}

func TestSolutionsPassTheChecker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := randomInstance(rapid.Uint64().Draw(t, "seed"))
		s, err := nrp.Solve(context.Background(), in, search.Budget{Seed: 3, Iterations: 4000, Threads: 1})
		if err != nil {
			require.Equal(t, "nrp.infeasible", fault.CodeOf(err))
			return
		}
		report := check.NRP(in, in.Named(s.Roster))
		require.Empty(t, report.Violations)
		require.InDelta(t, report.Cost, s.Cost, 1e-9)
		require.LessOrEqual(t, s.Bound, s.Cost)
	})
}

func randomInstance(seed uint64) *nrp.Instance {
	rng := rand.New(rand.NewPCG(seed, 1))
	days := 7 * (1 + rng.IntN(3))
	return instanceText(rng, shape{days: days, staff: 1 + rng.IntN(6), types: 3, minutes: []int{480, 600, 480}, least: rng.IntN(240)})
}

// shape of a random instance; least is the minutes per day that everybody must work on average.
type shape struct {
	days, staff, types int
	minutes            []int
	least              int
}

// instanceText writes an instance in the file format and reads it back. Later shifts must not be
// followed by those of an earlier third.
func instanceText(rng *rand.Rand, c shape) *nrp.Instance {
	var b bytes.Buffer
	fmt.Fprintf(&b, "SECTION_HORIZON\n%d\nSECTION_SHIFTS\n", c.days)
	for s := range c.types {
		fmt.Fprintf(&b, "s%d,%d,", s, c.minutes[s%len(c.minutes)])
		for o := range 3 * s / c.types * c.types / 3 {
			fmt.Fprintf(&b, "s%d|", o)
		}
		b.WriteString("\n")
	}
	b.WriteString("SECTION_STAFF\n")
	weeks := (c.days + 6) / 7
	for i := range c.staff {
		fmt.Fprintf(&b, "P%d,", i)
		for s := range c.types {
			most := c.days
			if rng.IntN(4) == 0 {
				most = rng.IntN(5)
			}
			fmt.Fprintf(&b, "s%d=%d|", s, most)
		}
		b.Truncate(b.Len() - 1)
		fmt.Fprintf(&b, ",%d,%d,%d,%d,%d,%d\n", c.days*320, c.days*c.least, 4+rng.IntN(3), 1+rng.IntN(2), 1+rng.IntN(3), (weeks+1)/2+rng.IntN(2))
	}
	for _, section := range []string{"ON", "OFF"} {
		fmt.Fprintf(&b, "SECTION_SHIFT_%s_REQUESTS\n", section)
		for i := range c.staff {
			fmt.Fprintf(&b, "P%d,%d,s%d,%d\n", i, rng.IntN(c.days), rng.IntN(c.types), 1+rng.IntN(3))
		}
	}
	b.WriteString("SECTION_DAYS_OFF\n")
	for i := range c.staff {
		fmt.Fprintf(&b, "P%d,%d\n", i, rng.IntN(c.days))
	}
	b.WriteString("SECTION_COVER\n")
	for d := range c.days {
		for s := range c.types {
			fmt.Fprintf(&b, "%d,s%d,%d,100,1\n", d, s, rng.IntN(2*max(1, c.staff*5/(8*c.types))+1))
		}
	}
	in, err := nrp.Parse("random", &b)
	if err != nil {
		panic(err)
	}
	return in
}

// Unusual sizes: one day, no whole week, one person, nobody who may work, no cover, odd lengths.
func TestUnusualInstances(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for name, in := range map[string]*nrp.Instance{
		"one day":     instanceText(rng, shape{days: 1, staff: 3, types: 2, minutes: []int{480}}),
		"ten days":    instanceText(rng, shape{days: 10, staff: 4, types: 4, minutes: []int{435, 610, 725}}),
		"one person":  instanceText(rng, shape{days: 14, staff: 1, types: 1, minutes: []int{1440}}),
		"many shifts": instanceText(rng, shape{days: 14, staff: 12, types: 40, minutes: []int{480, 540}, least: 100}),
		"idle":        parse(t, strings.Replace(strings.Replace(tiny, "A,E=7|L=0,2400,960,5", "A,E=0|L=0,2400,0,0", 1), "B,E=7|L=7,2400,960,5", "B,E=7|L=7,2400,0,0", 1)),
		"no cover":    parse(t, tiny[:strings.Index(tiny, "0,E,1,100,1")]),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := nrp.Solve(context.Background(), in, search.Budget{Seed: 3, Iterations: 8000, Threads: 2})
			require.NoError(t, err)
			report := check.NRP(in, in.Named(s.Roster))
			assert.Empty(t, report.Violations)
			assert.InDelta(t, report.Cost, s.Cost, 1e-9)
			assert.LessOrEqual(t, s.Bound, s.Cost)
		})
	}
}

// A year of many shift types has rows too large to price at once; the stages still make a legal
// roster. So does a year of two types with an odd length, whose cells fit into one master. A quarter
// with more cells than one master takes is improved in windows.
func TestLongHorizons(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	year := shape{days: 364, staff: 1, types: 16, minutes: []int{435, 480, 540, 605}, least: 230}
	quarter := shape{days: 91, staff: 4, types: 14, minutes: []int{480, 600}, least: 230}
	odd := shape{days: 364, staff: 1, types: 2, minutes: []int{435, 604}, least: 230}
	for _, c := range []shape{year, odd, quarter} {
		in := instanceText(rng, c)
		s, err := nrp.Solve(context.Background(), in, search.Budget{Seed: 1, Iterations: 4000, Threads: 1})
		require.NoError(t, err)
		report := check.NRP(in, in.Named(s.Roster))
		assert.Empty(t, report.Violations)
		assert.InDelta(t, report.Cost, s.Cost, 1e-9)
	}
}

// shared finds the data directory beside the repository, and skips in CI or when it is absent.
func shared(t testing.TB, name string) string {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Skip("real files are not used in CI")
	}
	dirs := []string{os.Getenv("CHAOBAN_SHARED_DATA"), "../../../../shared/data"}
	for _, dir := range dirs {
		if path := filepath.Join(dir, name); dir != "" {
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
	}
	t.Skip("no shared data")
	return ""
}

// published is a row of best_known.csv.
type published struct {
	name        string
	lower, best int
	tenMinutes  int // the best of the three published results after 10 minutes
}

func publishedResults(t testing.TB, dir string) (out []published) {
	file, err := os.Open(filepath.Join(dir, "best_known.csv"))
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		p := published{name: "Instance" + row[0]}
		p.lower, _ = strconv.Atoi(row[4])
		p.best, _ = strconv.Atoi(row[5])
		for _, cell := range row[6:9] {
			if n, err := strconv.Atoi(cell); err == nil && (p.tenMinutes == 0 || n < p.tenMinutes) {
				p.tenMinutes = n
			}
		}
		out = append(out, p)
	}
	return out
}

// solved runs one instance and holds the result against the separate checker and the proven bounds.
func solved(t testing.TB, dir string, p published, budget search.Budget) nrp.Solution {
	f, err := os.Open(filepath.Join(dir, "instances", p.name+".txt"))
	require.NoError(t, err)
	defer f.Close()
	in, err := nrp.Parse(p.name, f)
	require.NoError(t, err)
	s, err := nrp.Solve(context.Background(), in, budget)
	require.NoError(t, err, p.name)
	report := check.NRP(in, in.Named(s.Roster))
	require.Empty(t, report.Violations, p.name)
	require.InDelta(t, report.Cost, s.Cost, 1e-9, p.name)
	require.GreaterOrEqual(t, s.Cost, p.lower, "%s: below the proven bound", p.name)
	require.LessOrEqual(t, s.Bound, p.best, "%s: our bound is above a known roster", p.name)
	return s
}

// The smallest published instances come within 2 % of the best known cost with a tiny budget.
func TestPublishedInstances(t *testing.T) {
	dir := shared(t, "shift_benchmark")
	for _, p := range publishedResults(t, dir)[:4] {
		s := solved(t, dir, p, search.Budget{Seed: 1, Threads: 2, Iterations: 30_000})
		assert.LessOrEqual(t, float64(s.Cost), 1.02*float64(p.best), p.name)
	}
}

func TestSameSeedSameRoster(t *testing.T) {
	in := randomInstance(11)
	budget := search.Budget{Seed: 5, Threads: 2, Iterations: 20_000}
	first, err := nrp.Solve(context.Background(), in, budget)
	require.NoError(t, err)
	again, err := nrp.Solve(context.Background(), in, budget)
	require.NoError(t, err)
	assert.Equal(t, first, again)
}

// BenchmarkPublished runs every published instance for CHAOBAN_ROSTER_SECONDS (default 5) on two
// threads and prints the cost beside the published ones and the bars.
func BenchmarkPublished(b *testing.B) {
	dir := shared(b, "shift_benchmark")
	seconds, _ := strconv.Atoi(os.Getenv("CHAOBAN_ROSTER_SECONDS"))
	seconds = max(5, seconds)
	for b.Loop() {
		gaps, equal, late := 0.0, 0, 0
		results := publishedResults(b, dir)
		for _, p := range results {
			begin := time.Now()
			elapsed := func() time.Duration { return time.Since(begin) }
			s := solved(b, dir, p, search.Budget{Seed: 1, Threads: 2, Time: time.Duration(seconds) * time.Second, Elapsed: elapsed})
			gap := 100 * float64(s.Cost-p.best) / float64(p.best)
			gaps += gap
			if s.Cost == p.best {
				equal++
			}
			if s.Cost > p.tenMinutes {
				late++
			}
			b.Logf("%-10s cost %5d bound %5d best known %5d gap %5.2f %% published in 10 min %5d, %.0f s", p.name, s.Cost, s.Bound, p.best, gap, p.tenMinutes, elapsed().Seconds())
		}
		mean := gaps / float64(len(results))
		b.ReportMetric(mean, "%mean-gap")
		b.ReportMetric(float64(equal), "equal-best")
		b.Logf("%d s: mean gap %.2f %% (bar: 5 after 60 s, 1 after 600 s), equal to best known %d (bar: 9 after 600 s), worse than the published 10 minutes %d (bar: 0 after 600 s)", seconds, mean, equal, late)
	}
}
