package roster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
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

var zone = time.FixedZone("CST", 8*3600)

// small is one week from Monday 2026-11-09 with one queue and an 09:00-18:00 shift with a meal.
func small(agents int) roster.Problem {
	start := time.Date(2026, 11, 9, 0, 0, 0, 0, zone)
	p := roster.Problem{
		Range: calendar.Range{Start: start, End: start.AddDate(0, 0, 7)}, Location: zone,
		Rules: workrules.DefaultParams(), Weights: roster.DefaultWeights(),
		Templates: []roster.Template{{
			Code: "D", Start: 9 * time.Hour, Length: 9 * time.Hour,
			Pauses: []roster.Pause{{Kind: scheduling.Meal, Length: time.Hour, Earliest: 3 * time.Hour, Latest: 5 * time.Hour}},
		}},
	}
	p.Weights.Fairness, p.Weights.Over, p.Weights.SoftRule = 0, 0, 0
	for i := range agents {
		p.Agents = append(p.Agents, roster.Agent{Person: workrules.Person{ID: ids.Agent(fmt.Sprintf("A%d", i)), Skills: []workrules.Skill{{Queue: "q"}}}})
	}
	return p
}

// need asks for heads on a queue from one hour to another on some days of the week.
func need(p *roster.Problem, queue ids.Queue, heads int, from, until int, days ...int) {
	r := scheduling.Requirement{Queue: queue, Slot: time.Hour}
	for _, d := range days {
		for h := from; h < until; h++ {
			r.Needs = append(r.Needs, scheduling.Need{Start: p.Range.Start.Add(time.Duration(d*24+h) * time.Hour), Heads: heads})
		}
	}
	p.Demand = append(p.Demand, r)
}

func solve(t require.TestingT, p roster.Problem, iterations int) roster.Solution {
	s, err := roster.Solve(context.Background(), p, roster.Options{Seed: 1, Iterations: iterations, Threads: 1})
	require.NoError(t, err)
	return s
}

func TestOneAgentCoversWhatTheWeekAllows(t *testing.T) {
	p := small(1)
	need(&p, "q", 1, 9, 12, 0, 1, 2, 3, 4, 5, 6)
	s := solve(t, p, 50)
	// 40 h a week allow five 8 h shifts; two of seven mornings of 3 h at 100 yuan stay short.
	assert.Len(t, s.Roster.Shifts, 5)
	assert.InDelta(t, 600, s.Cost, 1e-6)
	assert.InDelta(t, 6, s.Missing, 1e-9)
	// The relaxation knows the weekly hours, so it proves that nothing better exists.
	assert.InDelta(t, 600, s.Bound, 30)
	require.Len(t, s.Uncovered, 2)
	require.NotEmpty(t, s.Uncovered[0].Reasons)
	assert.Equal(t, "hours.weekly", s.Uncovered[0].Reasons[0].Code)
	for _, shift := range s.Roster.Shifts {
		assert.Equal(t, 8*time.Hour, shift.WorkTime())
	}
}

func TestNobodyWorksWithoutDemand(t *testing.T) {
	p := small(3)
	s := solve(t, p, 20)
	assert.Empty(t, s.Roster.Shifts)
	assert.Zero(t, s.Cost)
}

func TestMealsArePlacedAgainstDemand(t *testing.T) {
	p := small(2)
	p.Templates[0].Start = 9 * time.Hour
	// Two heads except from 13 to 14, where one is enough: somebody eats there; two meals cannot
	// both be free, so exactly one head-hour stays short.
	need(&p, "q", 2, 9, 13, 0)
	p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: p.Range.Start.Add(13 * time.Hour), Heads: 1})
	for h := 14; h < 18; h++ {
		p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: p.Range.Start.Add(time.Duration(h) * time.Hour), Heads: 2})
	}
	s := solve(t, p, 50)
	assert.InDelta(t, 100, s.Cost, 1e-6)
}

func TestExplainNamesTheCause(t *testing.T) {
	p := small(4)
	p.Agents[0].Person.Skills = nil
	p.Agents[1].Person.Unavailable = []calendar.Range{p.Range}
	p.Agents[2].Templates = []string{"N"}
	p.Templates = append(p.Templates, roster.Template{Code: "N", Start: 23 * time.Hour, Length: 8 * time.Hour})
	need(&p, "q", 3, 10, 12, 0)
	s := solve(t, p, 20)
	require.Len(t, s.Uncovered, 1)
	u := s.Uncovered[0]
	assert.Equal(t, 2, u.Missing)
	got := map[string]int{}
	for _, r := range u.Reasons {
		got[r.Code] = r.Count
	}
	assert.Equal(t, map[string]int{"no_skill": 1, "fit.available": 1, "no_template": 1, "serving": 1}, got)
	assert.Contains(t, u.Says.EN, "2 of 3 heads missing")
	assert.Contains(t, u.Says.ZH, "缺2人")
}

// A part-timer with six days of four hours has its 24 hours (劳动合同法 §68). A template of five hours, which it
// may never work, is not what stands in the way of the seventh day; where there is no other it is.
func TestTheRuleThatBindsIsNamed(t *testing.T) {
	p := small(1)
	p.Agents[0].Person.Regime = workrules.PartTime
	p.Templates = []roster.Template{{Code: "P4", Start: 9 * time.Hour, Length: 4 * time.Hour}, {Code: "P5", Start: 9 * time.Hour, Length: 5 * time.Hour}}
	need(&p, "q", 1, 9, 13, 0, 1, 2, 3, 4, 5, 6)
	s := solve(t, p, 50)
	require.Len(t, s.Uncovered, 1)
	require.Len(t, s.Uncovered[0].Reasons, 1)
	assert.Equal(t, "hours.part_time_weekly", s.Uncovered[0].Reasons[0].Code)
	p.Templates = p.Templates[1:]
	s = solve(t, p, 50)
	require.Len(t, s.Uncovered, 7)
	assert.Equal(t, "hours.part_time_daily", s.Uncovered[0].Reasons[0].Code)
}

func TestSpecialistsAreFreedByGeneralists(t *testing.T) {
	p := small(2)
	p.Agents[1].Person.Skills = []workrules.Skill{{Queue: "q"}, {Queue: "r"}}
	need(&p, "q", 1, 9, 12, 0)
	need(&p, "r", 1, 9, 12, 0)
	assert.Zero(t, solve(t, p, 20).Missing)
}

func TestLockedShiftsStayAndCount(t *testing.T) {
	p := small(1)
	at := p.Range.Start.Add(9 * time.Hour)
	p.Locked = []scheduling.Shift{{
		Agent: "A0", Code: "X", Start: at, End: at.Add(8 * time.Hour),
		Activities: []scheduling.Activity{{Kind: scheduling.Work, Queue: "q", Start: at, End: at.Add(8 * time.Hour)}},
	}}
	need(&p, "q", 1, 9, 12, 0)
	s := solve(t, p, 20)
	require.Len(t, s.Roster.Shifts, 1)
	assert.Equal(t, "X", s.Roster.Shifts[0].Code)
	assert.Zero(t, s.Missing)
}

func TestIllegalLockedShiftIsRefused(t *testing.T) {
	p := small(1)
	at := p.Range.Start
	p.Locked = []scheduling.Shift{{Agent: "A0", Start: at, End: at.Add(8 * time.Hour)}, {Agent: "A0", Start: at.Add(12 * time.Hour), End: at.Add(20 * time.Hour)}}
	_, err := roster.Solve(context.Background(), p, roster.Options{Iterations: 1, Threads: 1})
	require.Error(t, err)
	assert.Equal(t, fault.Invalid, fault.KindOf(err))
	assert.ErrorContains(t, err, "rest.between_block")
	assert.ErrorContains(t, err, "hours.daily")
}

func TestWishesAndStability(t *testing.T) {
	p := small(2)
	need(&p, "q", 1, 9, 12, 0)
	p.Agents[0].Preferences = []roster.Preference{{Date: calendar.MakeDate(2026, 11, 9), Weight: -50}}
	s := solve(t, p, 200)
	require.Len(t, s.Roster.Shifts, 1)
	assert.Equal(t, ids.Agent("A1"), s.Roster.Shifts[0].Agent)
	assert.Zero(t, s.Cost)
	p.Agents[0].Preferences = nil
	p.Previous = s.Roster.Shifts
	assert.Equal(t, s.Roster.Shifts, solve(t, p, 200).Roster.Shifts)
}

func TestBadProblemListsEverything(t *testing.T) {
	p := small(2)
	p.Agents[1].Person.ID = "A0"
	p.Agents[0].MinWork = -time.Hour
	p.Templates[0].Length = 20 * time.Hour
	p.Weights.Short = -1
	need(&p, "q", -1, 9, 10, 0)
	need(&p, "q", 1, 9, 10, 0)
	_, err := roster.Solve(context.Background(), p, roster.Options{Iterations: 1, Threads: 1})
	require.Error(t, err)
	for _, field := range []string{"agents[1].id", "agents[0].min_work", "templates[0].length", "weights.short", "demand[0].needs[0]", "demand[1].queue"} {
		assert.ErrorContains(t, err, field)
	}
	_, err = roster.Solve(context.Background(), small(1), roster.Options{})
	assert.Equal(t, "roster.budget", fault.CodeOf(err))
}

func TestCancelKeepsTheBest(t *testing.T) {
	p := small(3)
	need(&p, "q", 2, 9, 18, 0, 1, 2, 3, 4)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s, err := roster.Solve(ctx, p, roster.Options{Iterations: 1 << 30, Threads: 2})
	require.NoError(t, err)
	assert.True(t, s.Stopped)
	assert.NotEmpty(t, s.Roster.Shifts)
}

// randomProblem draws a small problem with everything in it that the rules look at.
func randomProblem(t *rapid.T) roster.Problem {
	loc := zone
	start := time.Date(2026, 9, rapid.IntRange(20, 30).Draw(t, "first day"), 0, 0, 0, 0, loc)
	if rapid.Bool().Draw(t, "summer time") {
		if ny, err := time.LoadLocation("America/New_York"); err == nil {
			loc = ny
			start = time.Date(2026, 10, 27, 0, 0, 0, 0, loc) // clocks go back on 1 November
		}
	}
	p := roster.Problem{
		Range: calendar.Range{Start: start, End: start.AddDate(0, 0, rapid.IntRange(1, 10).Draw(t, "days"))}, Location: loc,
		Rules: workrules.DefaultParams(), Weights: roster.DefaultWeights(),
	}
	p.Holidays = calendar.NewHolidays("test", []calendar.Holiday{{Date: calendar.MakeDate(2026, 10, 1), Kind: calendar.Statutory}, {Date: calendar.MakeDate(2026, 10, 2), Kind: calendar.Statutory}})
	for i := range rapid.IntRange(1, 5).Draw(t, "templates") {
		length := rapid.IntRange(6, 22).Draw(t, "half hours")
		tpl := roster.Template{Code: fmt.Sprintf("T%d", i), Start: time.Duration(rapid.IntRange(0, 47).Draw(t, "start")) * 30 * time.Minute, Length: time.Duration(length) * 30 * time.Minute}
		if length > 12 {
			tpl.Pauses = []roster.Pause{
				{Kind: scheduling.Meal, Length: 30 * time.Minute, Earliest: 2 * time.Hour, Latest: 4 * time.Hour},
				{Kind: scheduling.Break, Length: 15 * time.Minute, Earliest: 5 * time.Hour, Latest: 5*time.Hour + 30*time.Minute},
			}
		}
		p.Templates = append(p.Templates, tpl)
	}
	for i := range rapid.IntRange(1, 6).Draw(t, "agents") {
		p.Agents = append(p.Agents, randomAgent(t, p, ids.Agent(fmt.Sprintf("A%d", i))))
	}
	p.Rules.SplitAtMidnight = rapid.Bool().Draw(t, "split")
	p.Rules.RestDays = rapid.SampledFrom([]workrules.RestDayReading{workrules.RestDaysPlaced, workrules.RestDaysCalendar}).Draw(t, "rest days")
	for i := range p.Agents {
		person := &p.Agents[i].Person // training on a Saturday is overtime there
		person.OvertimeAgreed = person.OvertimeAgreed || p.Rules.RestDays == workrules.RestDaysCalendar && len(person.Sessions) > 0
	}
	p.Rules.HardMeals = rapid.Bool().Draw(t, "hard meals")
	randomPlaces(t, &p)
	p.Rules.Queues = []workrules.QueueTerms{{Queue: "q1", Shops: rapid.IntRange(1, 2).Draw(t, "shops")}}
	p.Rules.ShopsAtOnce = 1
	for q := range 2 {
		r := scheduling.Requirement{Queue: ids.Queue(fmt.Sprintf("q%d", q)), Slot: 30 * time.Minute}
		for at := start; at.Before(p.Range.End); at = at.Add(r.Slot) {
			if heads := rapid.IntRange(0, 3).Draw(t, "heads"); heads > 0 {
				n := scheduling.Need{Start: at, Heads: heads, Paid: float64(heads) * 1.2, Value: float64(heads % 2 * 40)}
				if top := rapid.IntRange(0, 90).Draw(t, "worth"); top > 30 {
					n = n.Priced([]scheduling.Step{{Heads: 1, Value: float64(top)}, {Heads: heads + 1, Value: float64(top) / 3}}[:min(heads, 2)])
					n.Worth[len(n.Worth)-1].Heads = heads
				}
				r.Needs = append(r.Needs, n)
			}
		}
		p.Demand = append(p.Demand, r)
	}
	return p
}

// randomPlaces draws seats and how long people stay on a queue.
func randomPlaces(t *rapid.T, p *roster.Problem) {
	p.MinBlock = time.Duration(rapid.SampledFrom([]int{0, 0, 30, 45, 60}).Draw(t, "block")) * time.Minute
	for _, tpl := range p.Templates {
		p.MinBlock = min(p.MinBlock, tpl.Length)
	}
	p.Weights.Switch = float64(rapid.IntRange(0, 3).Draw(t, "switch"))
	if rapid.Bool().Draw(t, "sites") {
		return
	}
	p.Sites = []roster.Site{
		{ID: "hefei", Seats: rapid.IntRange(1, 3).Draw(t, "seats"), Windows: []roster.SeatWindow{{From: 22 * time.Hour, Until: 7 * time.Hour, Seats: rapid.IntRange(0, 3).Draw(t, "night seats")}}},
		{ID: "xian", Seats: 1},
	}
	for i := range p.Agents {
		p.Agents[i].Site = rapid.SampledFrom([]ids.Site{"", "hefei", "hefei", "xian"}).Draw(t, "site")
	}
}

func randomAgent(t *rapid.T, p roster.Problem, id ids.Agent) roster.Agent {
	a := roster.Agent{Person: workrules.Person{ID: id, OvertimeAgreed: rapid.Bool().Draw(t, "agreed")}}
	if rapid.IntRange(0, 3).Draw(t, "part time") == 0 {
		a.Person.Regime = workrules.PartTime
	}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		a.Person.Conditions = []workrules.Condition{{Kind: workrules.Nursing, Dates: calendar.Dates{From: calendar.DateOf(p.Range.Start, p.Location).Add(2)}}}
	case 1:
		a.Person.Born = calendar.MakeDate(2009, 1, 1)
	case 2:
		a.Person.Unavailable = []calendar.Range{{Start: p.Range.Start.Add(20 * time.Hour), End: p.Range.Start.Add(50 * time.Hour)}}
	case 3:
		a.Wage, a.MinWork, a.MaxWork = 20, 16*time.Hour, 30*time.Hour
	case 4:
		a.Wage, a.Salaried, a.MinWork = 30, true, 32*time.Hour
	}
	randomBond(t, &a.Person, p)
	for q := range 2 {
		if rapid.Bool().Draw(t, "skill") {
			a.Person.Skills = append(a.Person.Skills, workrules.Skill{Queue: ids.Queue(fmt.Sprintf("q%d", q))})
		}
	}
	length, most := 8*time.Hour, 5-len(a.Person.Sessions) // a session may share the week with them
	if a.Person.Regime == workrules.PartTime {
		length = 4 * time.Hour
	}
	for d := rapid.IntRange(0, most).Draw(t, "history"); d > 0; d-- {
		at := p.Range.Start.Add(-time.Duration(24*d-14) * time.Hour)
		a.History = append(a.History, scheduling.Shift{Agent: id, Start: at, End: at.Add(length)})
	}
	a.Ledger.Weekends = rapid.IntRange(0, 2).Draw(t, "weekends")
	a.Preferences = []roster.Preference{{Date: calendar.DateOf(p.Range.Start, p.Location), Weight: float64(rapid.IntRange(-30, 30).Draw(t, "wish"))}}
	return a
}

// randomBond draws what else binds a person: engagement, comprehensive hours, agreements, sessions.
func randomBond(t *rapid.T, a *workrules.Person, p roster.Problem) {
	first := calendar.DateOf(p.Range.Start, p.Location)
	switch rapid.IntRange(0, 9).Draw(t, "bond") {
	case 0:
		a.Engagement = workrules.Intern
	case 1:
		a.Engagement = workrules.Cloud
	case 2:
		a.Engagement, a.Assigned = workrules.Agency, calendar.Dates{From: first.Add(-180)}
	case 3:
		a.Regime = workrules.Comprehensive
		a.Period = rapid.SampledFrom([]workrules.Period{"", workrules.ByWeek, workrules.ByMonth, workrules.ByQuarter}).Draw(t, "period")
		a.Carried = []workrules.Carried{{Dates: calendar.Dates{From: first.MonthOf().First(), Until: first.MonthOf().First().Add(2)}, Hours: 140}}
	case 4:
		a.Agreements = []workrules.Agreement{{Dates: calendar.Dates{From: first}, DayHours: 6, WeekHours: 20, NotBefore: 6, NotAfter: 21, NoNights: true, DaysOff: []string{"wednesday"}}}
	case 5:
		at := p.Range.Start.Add(34 * time.Hour)
		a.Sessions = []workrules.Session{{Kind: workrules.TrainingSession, Range: calendar.Range{Start: at, End: at.Add(2 * time.Hour)}}}
	case 6:
		a.Conditions = []workrules.Condition{{Kind: workrules.PregnantLate, Dates: calendar.Dates{From: first.Add(1)}}}
	}
}

// The separate checker shares no code with the optimiser or with workrules: it must find no broken
// rule, the same cost, and no cost below the bound.
func TestWhateverComesOutPassesTheSeparateChecker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomProblem(t)
		s := solve(t, p, 30)
		require.NoError(t, s.Roster.Validate())
		report := check.Roster(p, s.Roster.Shifts)
		require.Empty(t, report.Violations)
		require.InDelta(t, report.Cost, s.Cost, 1e-6*(1+s.Cost), "checker %v, optimiser %+v", report.Parts, s.Parts)
		require.LessOrEqual(t, s.Bound, s.Cost+1e-9)
		requireSameShortages(t, p, s)
		requireHonest(t, p, s)
	})
}

// requireHonest holds every figure of a solution file, written and read again, against the checker.
func requireHonest(t require.TestingT, p roster.Problem, s roster.Solution) {
	raw, err := json.Marshal(s)
	require.NoError(t, err)
	var claims check.Claims
	back, err := roster.ReadRoster("r.json", bytes.NewReader(raw), &claims)
	require.NoError(t, err)
	report := check.Roster(p, back.Shifts)
	report.Compare(p, claims, roster.Judge(p, back.Shifts))
	require.Empty(t, report.False)
}

// requireSameShortages counts the heads of the shifts every quarter of an hour and holds what is missing
// against the stretches that the solution names.
func requireSameShortages(t require.TestingT, p roster.Problem, s roster.Solution) {
	told := map[ids.Queue]map[time.Time]int{}
	for _, u := range s.Uncovered {
		if told[u.Queue] == nil {
			told[u.Queue] = map[time.Time]int{}
		}
		for at := u.Range.Start; at.Before(u.Range.End); at = at.Add(15 * time.Minute) {
			told[u.Queue][at.UTC()] += u.Missing
		}
	}
	for _, r := range p.Demand {
		heads := map[time.Time]int{}
		for _, shift := range s.Roster.Shifts {
			for _, a := range shift.Activities {
				for at := a.Start; a.Kind == scheduling.Work && a.Queue == r.Queue && at.Before(a.End); at = at.Add(15 * time.Minute) {
					heads[at.UTC()]++
				}
			}
		}
		for _, n := range r.Needs {
			for at := n.Start.UTC(); at.Before(n.Start.Add(r.Slot)); at = at.Add(15 * time.Minute) {
				require.Equal(t, max(0, roster.TargetOf(n)-heads[at]), told[r.Queue][at], "%s at %s", r.Queue, at)
			}
		}
	}
}

// A roster made for fewer agents stays legal when more join, so more agents never cost more than
// it; the bound of the larger problem must respect that.
func TestBoundNeverExceedsARosterOfFewerAgents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomProblem(t)
		for i := range p.Agents {
			// What an agent costs by being there would be missing from the smaller roster.
			p.Agents[i].MinWork, p.Agents[i].Preferences, p.Agents[i].Person.Sessions = 0, nil, nil
		}
		all := solve(t, p, 5)
		fewer := p
		fewer.Agents = p.Agents[:len(p.Agents)-1]
		require.LessOrEqual(t, all.Bound, solve(t, fewer, 30).Cost+1e-6)
	})
}

func TestSameSeedSameRoster(t *testing.T) {
	p := small(6)
	need(&p, "q", 3, 8, 20, 0, 1, 2, 3, 4, 5, 6)
	run := func() []byte {
		s, err := roster.Solve(context.Background(), p, roster.Options{Seed: 9, Iterations: 300, Threads: 2})
		require.NoError(t, err)
		raw, err := json.Marshal(s)
		require.NoError(t, err)
		return raw
	}
	assert.Equal(t, string(run()), string(run()))
}

func TestExampleFile(t *testing.T) {
	raw, err := os.ReadFile("testdata/example.json")
	require.NoError(t, err)
	p, err := roster.ReadProblem("example.json", bytes.NewReader(raw), false)
	require.NoError(t, err)
	s := solve(t, p, 300)
	assert.Empty(t, check.Roster(p, s.Roster.Shifts).Violations)
	requireSameShortages(t, p, s)
	out, err := json.Marshal(s)
	require.NoError(t, err)
	back, err := roster.ReadRoster("r.json", bytes.NewReader(out), nil)
	require.NoError(t, err)
	assert.InDelta(t, s.Cost, check.Roster(p, back.Shifts).Cost, 1e-6)
}

// The example of the documents is the example of the tests.
func TestDocumentedExample(t *testing.T) {
	doc, err := os.ReadFile("../../docs/roster-format.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(doc), "```json\n")
	require.True(t, ok)
	example, _, ok := strings.Cut(rest, "```")
	require.True(t, ok)
	raw, err := os.ReadFile("testdata/example.json")
	require.NoError(t, err)
	assert.Equal(t, strings.TrimSpace(string(raw)), strings.TrimSpace(example))
	// Every field of the schema has its line.
	for _, field := range []string{"relief", "hours", "gap", "least-violating", "fixes", "previous", "locked", "carried", "agreements", "min_block", "sites", "switch", "switches", "seat"} {
		assert.Contains(t, string(doc), field)
	}
}

func TestBadFilesSayWhere(t *testing.T) {
	raw, err := os.ReadFile("testdata/example.json")
	require.NoError(t, err)
	good := string(raw)
	for name, c := range map[string]struct{ from, to, says string }{
		"unknown field":   {`"length": "9h"`, `"lasts": "9h"`, `templates[0].lasts: is no field here`},
		"broken syntax":   {`"version": 1,`, `"version": 1`, "bad.json:3"},
		"wrong type":      {`"version": 1`, `"version": "one"`, "version: must be a whole number"},
		"bad duration":    {`"length": "9h"`, `"length": "nine"`, "with its unit"},
		"unknown zone":    {`"Asia/Shanghai"`, `"Mars/Base"`, "time zone"},
		"unknown weekday": {`"weekdays": ["mon"`, `"weekdays": ["mo"`, "weekdays"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, good, c.from)
			_, err := roster.ReadProblem("bad.json", strings.NewReader(strings.Replace(good, c.from, c.to, 1)), false)
			require.Error(t, err)
			assert.Equal(t, fault.Invalid, fault.KindOf(err))
			assert.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, "bad.json")
		})
	}
	_, err = roster.ReadProblem("empty.json", strings.NewReader(""), false)
	assert.Error(t, err)
}

// A split shift works two blocks with an unpaid gap between them.
func splitWeek(first, gap, second int) roster.Problem {
	p := small(1)
	p.Templates[0] = roster.Template{
		Code: "S", Start: 9 * time.Hour, Length: time.Duration(first+gap+second) * time.Hour,
		Pauses: []roster.Pause{{Kind: scheduling.Gap, Length: time.Duration(gap) * time.Hour, Earliest: time.Duration(first) * time.Hour, Latest: time.Duration(first) * time.Hour}},
	}
	need(&p, "q", 1, 9, 9+first, 0, 1)
	for d := range 2 {
		for h := range second {
			at := p.Range.Start.Add(time.Duration(24*d+9+first+gap+h) * time.Hour)
			p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: at, Heads: 1})
		}
	}
	slices.SortFunc(p.Demand[0].Needs, func(a, b scheduling.Need) int { return a.Start.Compare(b.Start) })
	return p
}

func TestSplitShiftsCoverBothPeaks(t *testing.T) {
	s := solve(t, splitWeek(3, 6, 3), 20)
	require.Len(t, s.Roster.Shifts, 2)
	assert.Zero(t, s.Cost, "6 h of work on two days with no paid hour between the peaks")
	assert.Equal(t, 6*time.Hour, s.Roster.Shifts[0].WorkTime())
	assert.Equal(t, []scheduling.ActivityKind{scheduling.Work, scheduling.Gap, scheduling.Work}, kinds(s.Roster.Shifts[0]))
	// Both blocks count: 5 h and 4 h are above the normal day, so without agreement nobody may work it.
	p := splitWeek(5, 3, 4)
	assert.Empty(t, solve(t, p, 20).Roster.Shifts)
	p.Agents[0].Person.OvertimeAgreed = true
	assert.Len(t, solve(t, p, 20).Roster.Shifts, 2)
	// The night between them is counted from the end of the second block: 23:00 to 09:00 is 10 h.
	p = splitWeek(4, 6, 4)
	p.Weights.SoftRule = 20
	assert.InDelta(t, 20, solve(t, p, 20).Parts.SoftRules, 1e-9)
}

func kinds(s scheduling.Shift) (out []scheduling.ActivityKind) {
	for _, a := range s.Activities {
		out = append(out, a.Kind)
	}
	return out
}

// Two people with both skills need no switch, whoever the search seats where: each of them can keep
// one queue for the whole shift.
func TestPeopleStayOnTheirQueue(t *testing.T) {
	p := small(2)
	for i := range p.Agents {
		p.Agents[i].Person.Skills = []workrules.Skill{{Queue: "q"}, {Queue: "r"}}
	}
	need(&p, "q", 1, 9, 18, 0)
	need(&p, "r", 1, 9, 18, 0)
	for seed := range uint64(5) {
		s, err := roster.Solve(context.Background(), p, roster.Options{Seed: seed, Iterations: 100, Threads: 1})
		require.NoError(t, err)
		for _, shift := range s.Roster.Shifts {
			queues := map[ids.Queue]bool{}
			for _, a := range shift.Activities {
				if a.Kind == scheduling.Work {
					queues[a.Queue] = true
				}
			}
			assert.Len(t, queues, 1)
		}
	}
}
