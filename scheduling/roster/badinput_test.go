package roster_test

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/check"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Each file differs from the good example in one place, and the error names that place.
func TestBadInputIsNamed(t *testing.T) {
	raw, err := os.ReadFile("testdata/example.json")
	require.NoError(t, err)
	good := string(raw)
	lock := func(shifts string) string { return `"locked": [` + shifts + `], "demand": [` }
	for name, c := range map[string]struct {
		from, to string
		says     []string
	}{
		"an agent without skills": {
			`"id": "K003", "regime": "part_time", "wage": 25, "skills": [{"queue": "lumi-tmall/after"}]`, `"id": "K003", "regime": "part_time"`,
			[]string{"agents[2].skills", "without a skill"},
		},
		"demand outside open hours": {
			`{"queue": "lumi-tmall/after", "slot": "1h",`, `{"queue": "lumi-tmall/after", "slot": "1h", "hours": "Daily 11:00-20:00",`,
			[]string{"demand[1].needs[0].start", "outside the open hours Daily 11:00-20:00"},
		},
		"hours that are none": {
			`{"queue": "lumi-tmall/after", "slot": "1h",`, `{"queue": "lumi-tmall/after", "slot": "1h", "hours": "always",`,
			[]string{"demand[1].hours", "Mon-Fri 09:00-24:00"},
		},
		"demand after the last date": {
			`"2026-11-11T10:00:00+08:00", "heads": 2}`, `"2026-11-12T10:00:00+08:00", "heads": 2}`,
			[]string{"needs[3].start", "outside the dates"},
		},
		"a shift longer than the law allows": {
			`"length": "9h", "weekdays"`, `"length": "13h", "weekdays"`,
			[]string{"templates[0].length", "12h of work", "11h a day", "劳动法"},
		},
		"fixed shifts at the same time": {
			`"demand": [`, lock(`{"agent": "K001", "start": "2026-11-09T09:00:00+08:00", "end": "2026-11-09T15:00:00+08:00"},
				{"agent": "K001", "start": "2026-11-09T14:00:00+08:00", "end": "2026-11-09T18:00:00+08:00"}`),
			[]string{"locked", "K001", "shift.overlap", "overlap by 1 h"},
		},
		"fixed shifts against the rest between shifts": {
			`"demand": [`, lock(`{"agent": "K001", "start": "2026-11-09T14:00:00+08:00", "end": "2026-11-09T22:00:00+08:00"},
				{"agent": "K001", "start": "2026-11-10T05:00:00+08:00", "end": "2026-11-10T12:00:00+08:00"}`),
			[]string{"K001", "rest.between_block", "only 7 h of rest"},
		},
		"a fixed shift on leave": {
			`"demand": [`, lock(`{"agent": "K002", "start": "2026-11-10T09:00:00+08:00", "end": "2026-11-10T15:00:00+08:00"}`),
			[]string{"K002", "fit.available"},
		},
		"a fixed shift of a stranger": {
			`"demand": [`, lock(`{"agent": "K999", "start": "2026-11-10T09:00:00+08:00", "end": "2026-11-10T15:00:00+08:00"}`),
			[]string{"locked[0].agent", "K999", "not an agent"},
		},
		"training on top of a full week": {
			`"id": "K003", "regime": "part_time",`, `"id": "K003", "regime": "part_time", "sessions": [{"kind": "training", "range": {"start": "2026-11-09T09:00:00+08:00", "end": "2026-11-09T18:00:00+08:00"}}],`,
			[]string{"agents[2].sessions", "K003", "hours.part_time_daily"},
		},
		"the same agent twice": {`"id": "K002"`, `"id": "K001"`, []string{"agents[1].id", "used twice"}},
		"the same queue twice": {`"queue": "lumi-tmall/after", "slot"`, `"queue": "lumi-tmall/pre", "slot"`, []string{"demand[1].queue", "given twice"}},
		"the same template twice": {
			`"windows": [`, `"windows": [{"prefix": "L", "from": "14:00", "until": "14:00", "step": "30m", "lengths": ["8h30m"]},`,
			[]string{"windows[2].prefix", "used twice"},
		},
		"a horizon that ends before it begins": {`"until": "2026-11-12"`, `"until": "2026-11-01"`, []string{"until", "after it begins"}},
		"a horizon of a year":                  {`"until": "2026-11-12"`, `"until": "2027-11-12"`, []string{"until", "13 weeks"}},
		"a relaxed law":                        {`"rest_block": "8h"`, `"overtime_month": "80h"`, []string{"overtime_month"}},
		"a negative price":                     {`"version": 1,`, `"version": 1, "relief": {"temp": -1},`, []string{"relief.temp"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, good, c.from)
			_, err := roster.ReadProblem("bad.json", strings.NewReader(strings.Replace(good, c.from, c.to, 1)), false)
			require.Error(t, err)
			assert.Equal(t, fault.Invalid, fault.KindOf(err))
			for _, part := range c.says {
				assert.ErrorContains(t, err, part)
			}
		})
	}
}

// A rule week that begins in one year and ends in the next is one week: 40 h, five shifts.
func TestAHorizonAcrossAYearEnd(t *testing.T) {
	p := small(1)
	start := time.Date(2026, 12, 28, 0, 0, 0, 0, zone)
	p.Range = calendar.Range{Start: start, End: start.AddDate(0, 0, 7)}
	need(&p, "q", 1, 9, 12, 0, 1, 2, 3, 4, 5, 6)
	s := solve(t, p, 50)
	assert.Len(t, s.Roster.Shifts, 5)
	assert.Empty(t, check.Roster(p, s.Roster.Shifts).Violations)
}

// Clocks in New York spring forward on 8 March 2026 at 02:00 and fall back on 1 November at 02:00.
// Lengths are elapsed time: a shift from 22:00 for 8 h ends at 07:00 or at 05:00.
func TestZonesWhereClocksChange(t *testing.T) {
	ny, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	for _, c := range []struct {
		first time.Time
		ends  string
	}{
		{time.Date(2026, 3, 7, 0, 0, 0, 0, ny), "07:00"},
		{time.Date(2026, 10, 31, 0, 0, 0, 0, ny), "05:00"},
	} {
		p := roster.Problem{
			Range: calendar.Range{Start: c.first, End: c.first.AddDate(0, 0, 3)}, Location: ny,
			Rules: workrules.DefaultParams(), Weights: roster.DefaultWeights(),
			Templates: []roster.Template{{Code: "N", Start: 22 * time.Hour, Length: 8 * time.Hour}},
			Agents:    []roster.Agent{{Person: workrules.Person{ID: "A", Skills: []workrules.Skill{{Queue: "q"}}}}},
		}
		p.Weights.SoftRule, p.Weights.Fairness = 0, 0
		at := time.Date(c.first.Year(), c.first.Month(), c.first.Day(), 23, 0, 0, 0, ny)
		p.Demand = []scheduling.Requirement{{Queue: ids.Queue("q"), Slot: time.Hour, Needs: []scheduling.Need{{Start: at, Heads: 1}}}}
		s := solve(t, p, 30)
		require.Len(t, s.Roster.Shifts, 1)
		assert.Equal(t, c.ends, s.Roster.Shifts[0].End.In(ny).Format("15:04"))
		assert.Empty(t, check.Roster(p, s.Roster.Shifts).Violations)
		assert.Zero(t, s.Missing)
	}
}

// Whatever passes Validate has a finite cost and a bound not above it, and its file is written, read again and found
// honest: prices at both ends of their ranges side by side, and as small as they get.
func TestPricesAtTheEndsOfTheirRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomProblem(t)
		yuan := rapid.SampledFrom([]float64{0, 1e-9, 0.01, 60, 99_999.99, 100_000})
		factor := rapid.SampledFrom([]float64{0, 1e-9, 1, 10})
		p.Weights = roster.Weights{
			Short: yuan.Draw(t, "short"), Depth: factor.Draw(t, "depth"), Over: yuan.Draw(t, "over"), Wage: factor.Draw(t, "wage factor"),
			MinWork: yuan.Draw(t, "hour wanted"), Fairness: yuan.Draw(t, "fairness"), Preference: factor.Draw(t, "preference"),
			Stability: yuan.Draw(t, "stability"), SoftRule: yuan.Draw(t, "soft rule"), Switch: yuan.Draw(t, "switch price"),
		}
		p.Relief = roster.Relief{Hour: yuan.Draw(t, "hour"), Temp: yuan.Draw(t, "temp"), TempHours: 4, Seat: yuan.Draw(t, "seat")}
		for i := range p.Demand {
			for k := range p.Demand[i].Needs {
				p.Demand[i].Needs[k].Value, p.Demand[i].Needs[k].Worth = yuan.Draw(t, "value"), nil
			}
		}
		for i := range p.Agents {
			p.Agents[i].Wage = yuan.Draw(t, "wage")
			p.Agents[i].Preferences[0].Weight = yuan.Draw(t, "wish") * float64(rapid.SampledFrom([]int{-1, 1}).Draw(t, "sign"))
			p.Agents[i].Ledger.Nights = rapid.SampledFrom([]int{0, 10_000}).Draw(t, "nights")
		}
		s, err := roster.Solve(t.Context(), p, roster.Options{Seed: 1, Iterations: 5, Threads: 1})
		require.NoError(t, err)
		require.False(t, math.IsInf(s.Cost, 0) || math.IsNaN(s.Cost), "%+v", s.Parts)
		require.False(t, math.IsInf(s.Bound, 0) || math.IsNaN(s.Bound))
		require.LessOrEqual(t, s.Bound, s.Cost)
		requireHonest(t, p, s)
	})
}
