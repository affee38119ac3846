package roster_test

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/check"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// twoQueues is one agent with both skills at work from 09:00 to 13:00 on Monday without a pause, and one
// head needed per half hour: on q where the pattern says q, on r where it says r.
func twoQueues(pattern string) roster.Problem {
	p := small(1)
	p.Templates = []roster.Template{{Code: "D", Start: 9 * time.Hour, Length: 4 * time.Hour}}
	p.Agents[0].Person.Skills = []workrules.Skill{{Queue: "q"}, {Queue: "r"}}
	for _, queue := range []ids.Queue{"q", "r"} {
		d := scheduling.Requirement{Queue: queue, Slot: 30 * time.Minute}
		for i, c := range pattern {
			if string(c) == string(queue) {
				d.Needs = append(d.Needs, scheduling.Need{Start: p.Range.Start.Add(9*time.Hour + time.Duration(i)*30*time.Minute), Heads: 1})
			}
		}
		p.Demand = append(p.Demand, d)
	}
	return p
}

// queuesOf spells the queues of a shift by half hours.
func queuesOf(s scheduling.Shift) string {
	var out strings.Builder
	for t := s.Start; t.Before(s.End); t = t.Add(30 * time.Minute) {
		for _, a := range s.Activities {
			if !t.Before(a.Start) && t.Before(a.End) {
				if a.Kind == scheduling.Work {
					out.WriteString(string(a.Queue))
				} else {
					out.WriteByte('-')
				}
			}
		}
	}
	return out.String()
}

// A missing head-hour costs 100 yuan, so a half hour on the wrong queue costs 50. By hand:
//
//	qqrrqqqq  every block of an hour fits: two changes, nothing is short
//	qqqrqqqq  half an hour of r is too short for a block of an hour: r stays short, 50 yuan, and a longer block of
//	          r would cost as much for each half hour of q and a change more
//	qqrrqqqq  at 60 yuan a change the hour of r is not worth two changes (120): 100 yuan of shortage instead
//	qqqqrrrr  at 60 yuan one change is worth two hours of r
func TestQueuesStayInBlocks(t *testing.T) {
	for _, c := range []struct {
		pattern string
		block   time.Duration
		price   float64
		want    string
		cost    float64
	}{
		{"qqrrqqqq", 0, 0, "qqrrqqqq", 0},
		{"qqrrqqqq", time.Hour, 0, "qqrrqqqq", 0},
		{"qqrrqqqq", time.Hour, 10, "qqrrqqqq", 20},
		{"qqqrqqqq", time.Hour, 1, "qqqqqqqq", 50},
		{"qqrrqqqq", time.Hour, 60, "qqqqqqqq", 100},
		{"qqqqrrrr", time.Hour, 60, "qqqqrrrr", 60},
		{"qrqrqrqr", 4 * time.Hour, 0, "", 200}, // one queue all the time: half of the needs stay short
	} {
		p := twoQueues(c.pattern)
		p.MinBlock, p.Weights.Switch = c.block, c.price
		s := solve(t, p, 30)
		require.Len(t, s.Roster.Shifts, 1, c.pattern)
		if c.want != "" {
			assert.Equal(t, c.want, queuesOf(s.Roster.Shifts[0]))
		}
		assert.InDelta(t, c.cost, s.Cost, 1e-6, "%s %s %v", c.pattern, c.block, c.price)
		assert.InDelta(t, c.price*float64(changesIn(s.Roster.Shifts)), s.Parts.Switches, 1e-9)
		report := check.Roster(p, s.Roster.Shifts)
		assert.Empty(t, report.Violations)
		assert.InDelta(t, s.Cost, report.Cost, 1e-6)
	}
}

func changesIn(shifts []scheduling.Shift) (n int) {
	for _, s := range shifts {
		last := ids.Queue("")
		for _, a := range s.Activities {
			if a.Queue == "" {
				continue
			}
			if last != "" && last != a.Queue {
				n++
			}
			last = a.Queue
		}
	}
	return n
}

// With a meal from 11:00 to 12:00 the morning has two hours and the afternoon three. A block of three hours
// keeps the morning, which is shorter, on one queue.
func TestShortStretchesAreOneQueue(t *testing.T) {
	p := twoQueues("qqrr--rrrrqq")
	p.Templates[0].Length = 6 * time.Hour
	p.Templates[0].Pauses = []roster.Pause{{Kind: scheduling.Meal, Length: time.Hour, Earliest: 2 * time.Hour, Latest: 2 * time.Hour}}
	p.MinBlock = 3 * time.Hour
	s := solve(t, p, 30)
	require.Len(t, s.Roster.Shifts, 1)
	// The morning on q or r loses an hour (100 yuan), the afternoon on r another hour.
	assert.InDelta(t, 200, s.Cost, 1e-6)
	assert.Equal(t, "rrrrrr", queuesOf(s.Roster.Shifts[0])[6:])
	assert.Empty(t, check.Roster(p, s.Roster.Shifts).Violations)
	reasons := map[string]int{}
	for _, u := range s.Uncovered {
		for _, r := range u.Reasons {
			reasons[r.Code]++
		}
	}
	assert.Equal(t, map[string]int{"block": 2}, reasons)
}

// Where changes cost money but no block binds, the roster is never dearer than the one that was settled without
// their price, its changes counted at the same price.
func TestPriceOfChangesNeverCostsMore(t *testing.T) {
	p := makeHouse(24, 0.9, 5)
	p.Range.End = p.Range.Start.AddDate(0, 0, 7)
	settled := solve(t, p, 500)
	p.Weights.Switch = 2
	priced := solve(t, p, 500)
	assert.LessOrEqual(t, priced.Cost, settled.Cost+2*float64(changesIn(settled.Roster.Shifts))+1e-6)
	assert.Less(t, changesIn(priced.Roster.Shifts), changesIn(settled.Roster.Shifts))
	assert.LessOrEqual(t, priced.Bound, priced.Cost)
}

// Two people are wanted all day and four could come, but the site has one seat until 12:00 and two later.
func TestSeatsBindAndAreExplained(t *testing.T) {
	p := small(4)
	p.Templates = append(p.Templates, roster.Template{Code: "L", Start: 12 * time.Hour, Length: 6 * time.Hour})
	p.Sites = []roster.Site{{ID: "hefei", Seats: 2, Windows: []roster.SeatWindow{{From: 0, Until: 12 * time.Hour, Seats: 1}}}}
	for i := range p.Agents {
		p.Agents[i].Site = "hefei"
	}
	need(&p, "q", 2, 9, 18, 0)
	s := solve(t, p, 50)
	report := check.Roster(p, s.Roster.Shifts)
	require.Empty(t, report.Violations)
	// One works 09-18 with a meal, one 12-18: short are three hours of the second and the meal of the first.
	require.Len(t, s.Roster.Shifts, 2)
	assert.InDelta(t, 400, s.Cost, 1e-6)
	first := s.Uncovered[0]
	codes := map[string]int{}
	for _, r := range first.Reasons {
		codes[r.Code] = r.Count
	}
	// One works then, one works later that day, two would have no seat.
	assert.Equal(t, map[string]int{"serving": 1, "other_shift": 1, "site_full": 2}, codes)
	// One more seat lets somebody work 09-18: 40 yuan for the seat, and it saves the three hours that are short, 100
	// each, and the hour of the meal of the other; from 12:00 on it would be too many, which costs nothing here.
	require.NotEmpty(t, first.Fixes)
	assert.Equal(t, "seat", first.Fixes[0].Kind)
	assert.InDelta(t, 40, first.Fixes[0].Price, 1e-6)
	assert.InDelta(t, 300+100, first.Fixes[0].Saves, 1e-6)
	assert.Contains(t, first.Fixes[0].Says.EN, "one more seat at hefei")

	p.Agents[3].Site = "" // home office needs no seat
	s = solve(t, p, 50)
	assert.Empty(t, check.Roster(p, s.Roster.Shifts).Violations)
	assert.InDelta(t, 0, s.Cost, 1e-6)
}

// Meals keep the seat: two shifts of nine hours do not share one although nobody works at noon.
func TestPausesKeepTheSeat(t *testing.T) {
	p := small(2)
	p.Sites = []roster.Site{{ID: "x", Seats: 1}}
	p.Agents[0].Site, p.Agents[1].Site = "x", "x"
	p.Agents[1].Templates = []string{"N"}
	p.Templates = append(p.Templates, roster.Template{Code: "N", Start: 12 * time.Hour, Length: time.Hour})
	need(&p, "q", 1, 9, 18, 0)
	s := solve(t, p, 50)
	assert.Len(t, s.Roster.Shifts, 1)
	assert.InDelta(t, 100, s.Cost, 1e-6)
}

// Chains that search days of their own must not fill a seat twice over midnight.
func TestSeatsHoldOverMidnightWithSeveralChains(t *testing.T) {
	p := small(10)
	p.Range.End = p.Range.Start.AddDate(0, 0, 12)
	p.Templates = []roster.Template{{Code: "N", Start: 20 * time.Hour, Length: 8 * time.Hour}, {Code: "M", Start: 2 * time.Hour, Length: 6 * time.Hour}}
	p.Sites = []roster.Site{{ID: "x", Seats: 2}}
	for i := range p.Agents {
		p.Agents[i].Site = "x"
	}
	for d := range 12 {
		need(&p, "q", 4, 0, 24, d)
	}
	for i := 1; i < len(p.Demand); i++ {
		p.Demand[0].Needs = append(p.Demand[0].Needs, p.Demand[i].Needs...)
	}
	p.Demand = p.Demand[:1]
	for seed := range uint64(5) {
		s, err := roster.Solve(context.Background(), p, roster.Options{Seed: seed, Iterations: 1200, Threads: 2})
		require.NoError(t, err)
		require.Empty(t, check.Roster(p, s.Roster.Shifts).Violations)
		require.NotEmpty(t, s.Roster.Shifts)
	}
}

func TestBadPlaces(t *testing.T) {
	good := func() roster.Problem {
		p := small(2)
		p.Sites = []roster.Site{{ID: "x", Seats: 1}}
		return p
	}
	window := func(from, until time.Duration, seats int) func(*roster.Problem) {
		return func(p *roster.Problem) {
			p.Sites[0].Windows = []roster.SeatWindow{{From: from, Until: until, Seats: seats}}
		}
	}
	locked := func(p *roster.Problem) {
		at := p.Range.Start.Add(9 * time.Hour)
		for i := range p.Agents {
			p.Agents[i].Site = "x"
			p.Locked = append(p.Locked, scheduling.Shift{Agent: p.Agents[i].Person.ID, Start: at, End: at.Add(4 * time.Hour)})
		}
	}
	for name, c := range map[string]struct {
		change func(*roster.Problem)
		field  string
	}{
		"site twice":            {func(p *roster.Problem) { p.Sites = append(p.Sites, p.Sites[0]) }, "sites[1].id"},
		"bad id":                {func(p *roster.Problem) { p.Sites[0].ID = " " }, "sites[0].id"},
		"no seats":              {func(p *roster.Problem) { p.Sites[0].Seats = 0 }, "sites[0].seats"},
		"negative seats":        {func(p *roster.Problem) { p.Sites[0].Seats = -3 }, "sites[0].seats"},
		"unknown site":          {func(p *roster.Problem) { p.Agents[1].Site = "y" }, "agents[1].site"},
		"window of no length":   {window(8*time.Hour, 8*time.Hour, 1), "sites[0].windows[0].until"},
		"window off the grid":   {window(8*time.Hour+time.Minute, 9*time.Hour, 1), "sites[0].windows[0].from"},
		"window after midnight": {window(8*time.Hour, 25*time.Hour, 1), "sites[0].windows[0].until"},
		"window of minus one":   {window(8*time.Hour, 9*time.Hour, -1), "sites[0].windows[0].seats"},
		"block below 0":         {func(p *roster.Problem) { p.MinBlock = -time.Hour }, "min_block"},
		"block off the grid":    {func(p *roster.Problem) { p.MinBlock = 7 * time.Minute }, "min_block"},
		"block beyond a shift":  {func(p *roster.Problem) { p.MinBlock = 10 * time.Hour }, "min_block"},
		"price below 0":         {func(p *roster.Problem) { p.Weights.Switch = -1 }, "weights.switch"},
		"seat price":            {func(p *roster.Problem) { p.Relief = roster.Relief{Seat: -1} }, "relief.seat"},
		"locked beyond seats":   {locked, "is one of 2 people on the 1 seats of x at 2026-11-09 09:00"},
	} {
		p := good()
		c.change(&p)
		_, err := roster.Solve(context.Background(), p, roster.Options{Iterations: 1, Threads: 1})
		assert.ErrorContains(t, err, c.field, name)
	}
	p := good()
	locked(&p)
	p.LeastViolating = true
	_, err := roster.Solve(context.Background(), p, roster.Options{Iterations: 1, Threads: 1})
	assert.NoError(t, err)
}

// Locked shifts that need more seats than there are stay where they may break rules, and solver and checker name the
// stretch once, with who came last. By hand: A1 comes at 10 to the one seat that A0 has since 9, and goes at 12; from
// 15 to 16 the site is closed around A0; A1's night before the range ends at 2, when A0's shift of 1 has begun.
func TestTooFewSeatsForLockedShiftsAreTold(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 9, hour, 0, 0, 0, zone) }
	shift := func(who ids.Agent, from, until int) scheduling.Shift {
		return scheduling.Shift{Agent: who, Start: at(from), End: at(until)}
	}
	for name, c := range map[string]struct {
		locked, history []scheduling.Shift
		windows         []roster.SeatWindow
		who             ids.Agent
		from, until     int
		says            string
	}{
		"two on one seat": {[]scheduling.Shift{shift("A0", 9, 17), shift("A1", 10, 12)}, nil, nil, "A1", 10, 12, "x 2026-11-09 10:00 to 2026-11-09 12:00: 2 people on 1 seats"},
		"a closed site": {
			[]scheduling.Shift{shift("A0", 9, 17)},
			nil,
			[]roster.SeatWindow{{From: 15 * time.Hour, Until: 16 * time.Hour}},
			"A0", 15, 16,
			"x 2026-11-09 15:00 to 2026-11-09 16:00: 1 people on 0 seats",
		},
		"the night before": {[]scheduling.Shift{shift("A0", 1, 9)}, []scheduling.Shift{shift("A1", -6, 2)}, nil, "A0", 1, 2, "x 2026-11-09 01:00 to 2026-11-09 02:00: 2 people on 1 seats"},
	} {
		t.Run(name, func(t *testing.T) {
			p := small(2)
			p.Sites = []roster.Site{{ID: "x", Seats: 1, Windows: c.windows}}
			p.Agents[0].Site, p.Agents[1].Site = "x", "x"
			p.Locked, p.Agents[1].History = c.locked, c.history
			need(&p, "q", 1, 9, 18, 0, 1)
			_, err := roster.Solve(t.Context(), p, roster.Options{Iterations: 1, Threads: 1})
			require.ErrorContains(t, err, "seats of x")
			p.LeastViolating = true
			s, err := roster.Solve(t.Context(), p, roster.Options{Seed: 1, Iterations: 20, Threads: 1})
			require.NoError(t, err)
			soft := slices.DeleteFunc(slices.Clone(s.Violations), func(v workrules.Violation) bool { return v.Hard })
			hard := slices.DeleteFunc(slices.Clone(s.Violations), func(v workrules.Violation) bool { return !v.Hard })
			require.Len(t, hard, 1, "%v", hard)
			v := hard[0]
			assert.Equal(t, []any{roster.SeatsRule, c.who, true, 1.0}, []any{v.Rule, v.Agent, v.Hard, v.Amount})
			assert.True(t, v.Range.Start.Equal(at(c.from)) && v.Range.End.Equal(at(c.until)), "%v", v.Range)
			assert.Equal(t, []string{c.says}, check.Roster(p, s.Roster.Shifts).Violations)
			requireHonest(t, p, s)
			report := check.Roster(p, s.Roster.Shifts)
			report.Compare(p, check.Claims{Roster: s.Roster, Violations: &soft}, roster.Judge(p, s.Roster.Shifts))
			assert.Len(t, report.False, 1, "a file that hides it is false")
		})
	}
}

// Three shifts of a site with two seats, one of them until 20:00 only.
func TestOverSeated(t *testing.T) {
	at := func(hour float64) time.Time {
		return time.Date(2026, 11, 9, 0, 0, 0, 0, zone).Add(time.Duration(hour * float64(time.Hour)))
	}
	shifts := []scheduling.Shift{{Agent: "a", Start: at(9), End: at(18)}, {Agent: "b", Start: at(10), End: at(22)}, {Agent: "c", Start: at(17), End: at(23)}, {Agent: "d", Start: at(9), End: at(18)}}
	siteOf := func(a ids.Agent) ids.Site {
		if a == "d" {
			return ""
		}
		return "x"
	}
	got := roster.OverSeated([]roster.Site{{ID: "x", Seats: 2, Windows: []roster.SeatWindow{{From: 20 * time.Hour, Until: 6 * time.Hour, Seats: 1}}}}, siteOf, shifts, zone)
	require.Len(t, got, 2)
	for i, want := range []struct {
		from, until   float64
		seats, seated int
	}{{17, 18, 2, 3}, {20, 22, 1, 2}} {
		assert.True(t, got[i].Range.Start.Equal(at(want.from)) && got[i].Range.End.Equal(at(want.until)), "%v", got[i])
		assert.Equal(t, []int{want.seats, want.seated}, []int{got[i].Seats, got[i].Seated})
	}
}

// By hand: K001 and K002 share one seat, K003 works at home. K001 serves an hour of a and, after one change of
// queue (2 yuan), the hour of b for which K003 alone is not enough. Two hours of K001 between them and three of K003
// before noon are more than is needed: five head-hours at 1 yuan.
func TestPlacesInAFile(t *testing.T) {
	raw, err := os.ReadFile("testdata/places.json")
	require.NoError(t, err)
	p, err := roster.ReadProblem("places.json", bytes.NewReader(raw), false)
	require.NoError(t, err)
	assert.Equal(t, time.Hour, p.MinBlock)
	assert.Equal(t, []roster.Site{{ID: "hefei", Seats: 1, Windows: []roster.SeatWindow{{From: 20 * time.Hour, Until: 8 * time.Hour}}}}, p.Sites)
	assert.Equal(t, []ids.Site{"hefei", "hefei", ""}, []ids.Site{p.Agents[0].Site, p.Agents[1].Site, p.Agents[2].Site})
	assert.InDelta(t, 35, p.Relief.Seat, 1e-9)
	s := solve(t, p, 50)
	assert.InDelta(t, 2+5, s.Cost, 1e-6)
	assert.InDelta(t, 2, s.Parts.Switches, 1e-9)
	report := check.Roster(p, s.Roster.Shifts)
	assert.Empty(t, report.Violations)
	assert.InDelta(t, s.Cost, report.Cost, 1e-6)

	for bad, want := range map[string]string{
		`"seats": 1,`:         `"seats": "many",`,
		`"site": "hefei"`:     `"site": "xian"`,
		`"min_block": "1h"`:   `"min_block": "5h"`,
		`"switch": 2`:         `"switch": -2`,
		`"until": "08:00"`:    `"until": "20:00"`,
		`"from": "20:00"`:     `"from": "8 pm"`,
		`"relief": {"seat": `: `"relief": {"seat": -`,
	} {
		_, err := roster.ReadProblem("places.json", strings.NewReader(strings.Replace(string(raw), bad, want, 1)), false)
		assert.Error(t, err, want)
	}
}
