package leave_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// request is an agent of team t1 who asks for annual leave on Monday 16 November 2026, a week ahead,
// with 40 h in the balance and nothing published.
func request() leave.Case {
	return leave.Case{
		Agent: "a", Site: "hz", Team: "t1", Kind: leave.Annual, Range: calendar.Day(date("2026-11-16"), zone),
		Employed: calendar.Dates{From: date("2020-01-01")}, Entries: []leave.Entry{grant("2026", "2026-01-01", "2027-12-31", 2400)},
		Policy: leave.DefaultPolicy(), Holidays: calendar.NewHolidays("test", []calendar.Holiday{{Date: date("2026-11-18"), Kind: calendar.Statutory}}),
		Zone: zone, Now: at("2026-11-09 10:00"),
	}
}

func TestDecide(t *testing.T) {
	away := func(team ids.Team, agents ...ids.Agent) (out []leave.Absent) {
		for _, a := range agents {
			out = append(out, leave.Absent{Agent: a, Site: "hz", Team: team, Range: calendar.Day(date("2026-11-16"), zone)})
		}
		return out
	}
	quota := func(heads int) func(*leave.Case) {
		return func(c *leave.Case) {
			c.Policy.Quotas = []leave.Quota{{Name: "team", Team: "t1", Heads: heads}, {Name: "house", Heads: 100}, {Name: "others", Team: "t2", Heads: 0}}
		}
	}
	both := func(changes ...func(*leave.Case)) func(*leave.Case) {
		return func(c *leave.Case) {
			for _, f := range changes {
				f(c)
			}
		}
	}
	for _, x := range []struct {
		name   string
		change func(*leave.Case)
		want   leave.Outcome
		codes  []string
	}{
		{"plain", nil, leave.Grant, nil},
		{"quota with room", both(quota(2), func(c *leave.Case) { c.Others = away("t1", "b", "a") }), leave.Grant, nil},
		{"quota full", both(quota(2), func(c *leave.Case) { c.Others = away("t1", "b", "c") }), leave.Ask, []string{"leave.quota"}},
		{"others are of another team", both(quota(2), func(c *leave.Case) { c.Others = away("t2", "b", "c") }), leave.Grant, nil},
		{"one person twice", both(quota(2), func(c *leave.Case) { c.Others = append(away("t1", "b"), away("t1", "b")...) }), leave.Grant, nil},
		{"closed day", func(c *leave.Case) {
			c.Closures = []leave.Closure{{Name: "双11", Dates: dates("2026-11-10", "2026-11-17")}}
		}, leave.Ask, []string{"leave.closed"}},
		{"closed until the day", func(c *leave.Case) {
			c.Closures = []leave.Closure{{Name: "双11", Dates: dates("2026-11-10", "2026-11-16")}}
		}, leave.Grant, nil},
		{"closed elsewhere", func(c *leave.Case) {
			c.Closures = []leave.Closure{{Name: "x", Site: "sh", Dates: dates("2026-11-10", "2026-11-17")}}
		}, leave.Grant, nil},
		{"balance short", func(c *leave.Case) { c.Entries = []leave.Entry{grant("2026", "2026-01-01", "2027-12-31", 479)} }, leave.Reject, []string{"leave.balance"}},
		{"late", func(c *leave.Case) { c.Now = at("2026-11-14 00:00") }, leave.Ask, []string{"leave.notice"}},
		{"three days ahead", func(c *leave.Case) { c.Now = at("2026-11-13 23:59") }, leave.Grant, nil},
		{"overlap", func(c *leave.Case) { c.Own = []calendar.Range{calendar.Day(date("2026-11-16"), zone)} }, leave.Reject, []string{"leave.overlap"}},
		{"left by then", func(c *leave.Case) { c.Employed.Until = date("2026-11-16") }, leave.Reject, []string{"leave.employed"}},
		{"only a Sunday", func(c *leave.Case) { c.Range = calendar.Day(date("2026-11-15"), zone) }, leave.Reject, []string{"leave.nothing"}},
		{"sick without a note", func(c *leave.Case) { c.Kind = leave.Sick }, leave.Ask, []string{"leave.proof"}},
		{"sick in a full team", both(quota(0), func(c *leave.Case) { c.Kind, c.Proof = leave.Sick, "0042" }), leave.Ask, []string{"leave.quota"}},
		{"four days off", func(c *leave.Case) {
			c.Kind, c.Range.End = leave.Personal, date("2026-11-21").In(zone)
		}, leave.Ask, []string{"leave.length"}},
		{"no such kind", func(c *leave.Case) { c.Kind = "moon" }, leave.Reject, []string{"leave.kind"}},
	} {
		c := request()
		if x.change != nil {
			x.change(&c)
		}
		d := leave.Decide(c)
		assert.Equal(t, x.want, d.Outcome, "%s: %v", x.name, d.Findings)
		var codes []string
		for _, f := range d.Findings {
			codes = append(codes, f.Code)
			assert.NotEmpty(t, f.Says.ZH)
			assert.NotContains(t, f.Says.ZH+f.Says.EN, "%!", "%s", x.name)
		}
		assert.Equal(t, x.codes, codes, x.name)
	}
}

// A week from Monday to Sunday with a holiday on Wednesday: four days of leave; by a published roster
// its working time; every day for a kind that counts them.
func TestCharges(t *testing.T) {
	c := request()
	c.Range = calendar.Range{Start: date("2026-11-16").In(zone), End: date("2026-11-23").In(zone)}
	sum := func(c leave.Case) (days, minutes int) {
		for _, x := range c.Charges() {
			days, minutes = days+1, minutes+x.Minutes
		}
		return days, minutes
	}
	check := func(name string, c leave.Case, days, minutes int) {
		t.Helper()
		d, m := sum(c)
		assert.Equal(t, []int{days, minutes}, []int{d, m}, name)
	}
	check("official working days", c, 4, 4*480)
	c.Kind = leave.Maternity
	check("calendar days", c, 7, 7*480)
	c.Kind = leave.Annual
	c.Published = []calendar.Range{c.Range}
	c.Shifts = []scheduling.Shift{shift("a", "2026-11-21", 9, 13), shift("a", "2026-11-22", 9, 19), shift("b", "2026-11-16", 9, 18)}
	check("a shift of 4 h and one of 10 h on the weekend", c, 2, 240+480)
	c.Range = hours("2026-11-22", 13, 24)
	check("half of the shift", c, 1, 360)
	c.Shifts, c.Published, c.Range = nil, nil, hours("2026-11-17", 14, 17)
	check("an afternoon that is not rostered", c, 1, 180)
}

// Two heads are needed and two are there from 9 to 13 (one from 13 to 17): leave in the afternoon
// loses nothing beyond the head, which is already one short.
func TestCoverageLost(t *testing.T) {
	demand := []scheduling.Requirement{needs("2026-11-16", 9, 17, 2, 50)}
	all := []scheduling.Shift{shift("a", "2026-11-16", 9, 17), shift("b", "2026-11-16", 9, 13), shift("c", "2026-11-16", 15, 17), shift("d", "2026-11-16", 15, 17)}
	c := leave.NewCoverage(demand, all, 100)
	lost := func(e leave.Effect) float64 { return c.LostYuan(e, zone) }
	assert.InDelta(t, 4*50+2*50, lost(leave.Effect{Drop: all[:1]}), 1e-9, "a is missed from 9 to 13 and from 13 to 15; from 15 on there are three")
	assert.InDelta(t, 4*50, lost(leave.Effect{Drop: all[1:2]}), 1e-9)
	assert.InDelta(t, 0, lost(leave.Effect{Drop: all[2:3]}), 1e-9)
	assert.InDelta(t, 100, lost(leave.Effect{Drop: all[2:4]}), 1e-9, "one of two may go, not both")
	assert.InDelta(t, -100, lost(leave.Effect{Add: []scheduling.Shift{shift("e", "2026-11-16", 13, 15)}}), 1e-9)
	assert.InDelta(t, 0, lost(leave.Effect{Drop: all[1:2], Add: []scheduling.Shift{shift("e", "2026-11-16", 9, 13)}}), 1e-9)
	half := shift("e", "2026-11-16", 13, 15)
	half.Activities[0].Start = half.Start.Add(90 * time.Minute)
	assert.InDelta(t, -25, lost(leave.Effect{Add: []scheduling.Shift{half}}), 1e-9, "half an hour of a slot")
	assert.True(t, c.Known(date("2026-11-16"), zone))
	assert.False(t, c.Known(date("2026-11-17"), zone))
	assert.InDelta(t, 100, leave.NewCoverage([]scheduling.Requirement{needs("2026-11-16", 9, 10, 1, 0)}, all[:1], 100).LostYuan(leave.Effect{Drop: all[:1]}, zone), 1e-9, "no value: the house's")

	ask := request()
	ask.Shifts, ask.Coverage, ask.Published = all[:1], c, []calendar.Range{calendar.Day(date("2026-11-16"), zone)}
	d := leave.Decide(ask)
	assert.Equal(t, leave.Ask, d.Outcome)
	assert.InDelta(t, 300, d.LostYuan, 1e-9)
	require.Len(t, d.Days, 1)
	assert.InDelta(t, 300, d.Days[0].LostYuan, 1e-9)
	assert.True(t, d.Days[0].Known)
	ask.Policy.AutoYuan = 300
	assert.Equal(t, leave.Grant, leave.Decide(ask).Outcome)
}

// Leave in the afternoon keeps the morning; what is left under an hour goes too.
func TestLeaveCutsShifts(t *testing.T) {
	c := request()
	c.Shifts = []scheduling.Shift{shift("a", "2026-11-16", 9, 18)}
	c.Range = hours("2026-11-16", 14, 24)
	e := c.Effect()
	require.Len(t, e.Add, 1)
	assert.Equal(t, hours("2026-11-16", 9, 14), e.Add[0].Range())
	assert.Equal(t, at("2026-11-16 14:00"), e.Add[0].Activities[0].End)
	assert.Equal(t, -4*time.Hour, e.WorkTime())
	c.Range = calendar.Range{Start: at("2026-11-16 09:30"), End: at("2026-11-16 17:00")}
	e = c.Effect()
	require.Len(t, e.Add, 1, "half an hour in the morning goes, the last hour stays")
	assert.Equal(t, hours("2026-11-16", 17, 18), e.Add[0].Range())
	c.Range = hours("2026-11-17", 0, 24)
	assert.True(t, c.Effect().Empty())
}
