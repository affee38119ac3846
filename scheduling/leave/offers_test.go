package leave_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// The block is Wednesday 18 November, 18 to 19 o'clock; a head is worth 80 yuan an hour there and one
// is missing. Wages are 30 yuan.
func overtimeOffer() (leave.Offer, *leave.Coverage) {
	o := leave.Offer{Queue: queue, Block: hours("2026-11-18", 18, 19), Heads: 1}
	return o, leave.NewCoverage([]scheduling.Requirement{needs("2026-11-18", 18, 20, 1, 80)}, nil, 100)
}

func find(t *testing.T, all []leave.Candidate, a ids.Agent) leave.Candidate {
	t.Helper()
	for _, c := range all {
		if c.Agent == a {
			return c
		}
	}
	require.Fail(t, "no candidate", a)
	return leave.Candidate{}
}

func TestRankOvertime(t *testing.T) {
	o, cover := overtimeOffer()
	week := func(a ids.Agent, from, to int, days ...string) (out []scheduling.Shift) {
		for _, d := range days {
			out = append(out, shift(a, d, from, to))
		}
		return out
	}
	unskilled := caseOf("e", shift("e", "2026-11-18", 10, 18))
	unskilled.Person.Skills = nil
	nursing := caseOf("f", shift("f", "2026-11-18", 10, 18))
	nursing.Person.Conditions = []workrules.Condition{{Kind: workrules.Nursing, Dates: dates("2026-01-01", "2027-01-01")}}
	people := []leave.Offered{
		{Case: caseOf("a", shift("a", "2026-11-18", 10, 18)), Wage: 30}, // one hour longer: 150 %
		{Case: caseOf("b", shift("b", "2026-11-18", 15, 23)), Wage: 30}, // works then
		{Case: caseOf("c"), Wage: 30},                                   // a shift of its own, in normal time
		{Case: caseOf("s"), Wage: 30, Salaried: true},                   // the same, which the salary pays
		// Five days before it in the week, 8 h each: a sixth day is rest-day work at 200 %.
		{Case: caseOf("d", week("d", 9, 17, "2026-11-16", "2026-11-17", "2026-11-19", "2026-11-20", "2026-11-21")...), Wage: 30},
		{Case: unskilled, Wage: 30},
		{Case: nursing, Wage: 30},
		{Case: caseOf("g", shift("g", "2026-11-18", 10, 18), shift("g", "2026-11-10", 9, 18)), Wage: 30}, // has an hour already
		{Case: caseOf("h", shift("h", "2026-11-18", 10, 18)), Wage: 60},                                  // 90 yuan for 80
	}
	all := leave.RankOvertime(o, people, cover)
	require.Len(t, all, len(people))
	a, c, d := find(t, all, "a"), find(t, all, "c"), find(t, all, "d")
	assert.Equal(t, []workrules.PayShare{{Percent: workrules.PayExtended, Minutes: 60}}, a.Pay)
	assert.InDelta(t, 45, a.WageYuan, 1e-9)
	assert.InDelta(t, 80, a.ValueYuan, 1e-9)
	assert.InDelta(t, 35, a.NetYuan, 1e-9)
	assert.Equal(t, hours("2026-11-18", 10, 19), a.Effect.Add[0].Range(), "one shift, longer")
	assert.InDelta(t, 30, c.WageYuan, 1e-9)
	assert.Zero(t, find(t, all, "s").WageYuan)
	assert.Equal(t, "OT", c.Effect.Add[0].Code)
	// The Wednesday becomes the third of six days: the sixth, Saturday, is now the one beyond five
	// official working days, so its 8 h are paid 200 % instead of 100 %, and the block 100 %.
	assert.InDelta(t, 30+8*30, d.WageYuan, 1e-9)
	assert.False(t, d.Worth)
	assert.Equal(t, "offer.works", find(t, all, "b").Rule)
	assert.Equal(t, "fit.skill", find(t, all, "e").Rule)
	assert.Equal(t, "protected.overtime", find(t, all, "f").Rule)
	assert.InDelta(t, 1, find(t, all, "g").Had, 1e-9)
	assert.False(t, find(t, all, "h").Worth)
	var ranks []ids.Agent
	for _, x := range all {
		if x.Rank > 0 {
			ranks = append(ranks, x.Agent)
		}
	}
	assert.Equal(t, []ids.Agent{"s", "c", "a", "g"}, ranks, "cheapest of those without overtime, then who has had an hour")
}

// 36 hours a month (劳动法 §41): somebody who has had 35.5 h of overtime may not take one more.
func TestOvertimeCeiling(t *testing.T) {
	o, cover := overtimeOffer()
	for _, x := range []struct {
		cap   float64
		legal bool
	}{{1, true}, {0.5, false}} {
		c := caseOf("a", shift("a", "2026-11-18", 10, 18))
		c.Params.OvertimeMonth = 0
		if x.cap == 1 {
			c.Params.OvertimeMonth = 3600e9
		}
		got := leave.RankOvertime(o, []leave.Offered{{Case: c, Wage: 30}}, cover)[0]
		assert.Equal(t, x.legal, got.Legal)
		if !x.legal {
			assert.Equal(t, "hours.overtime_monthly", got.Rule)
		}
	}
	// A month in which 36 h are used: 18 working days with two hours... of special dates, then one more.
	c := caseOf("a")
	c.Params.SpecialDates = append(c.Params.SpecialDates, dates("2026-11-01", "2026-12-01"))
	for _, day := range []string{"02", "03", "04", "05", "06", "09", "10", "11", "12", "13", "16", "17"} { // 12 days of 11 h: 36 h
		c.Shifts = append(c.Shifts, shift("a", "2026-11-"+day, 8, 19))
	}
	c.Shifts = append(c.Shifts, shift("a", "2026-11-18", 10, 18))
	got := leave.RankOvertime(o, []leave.Offered{{Case: c, Wage: 30}}, cover)[0]
	assert.False(t, got.Legal)
	assert.Equal(t, "hours.overtime_monthly", got.Rule)
	assert.InDelta(t, 36, got.Had, 1e-9)
}

// Two are there and one is needed from 16 to 18: one may go home, and that saves its wage.
func TestRankTimeOff(t *testing.T) {
	all := []scheduling.Shift{shift("a", "2026-11-18", 9, 18), shift("b", "2026-11-18", 9, 18), shift("c", "2026-11-18", 9, 20), shift("d", "2026-11-18", 16, 18)}
	o := leave.Offer{Queue: queue, Block: hours("2026-11-18", 16, 18), Heads: 1}
	people := make([]leave.Offered, len(all))
	for i, s := range all {
		people[i] = leave.Offered{Case: caseOf(s.Agent, s), Wage: 30}
	}
	people[0].Had = 2
	got := leave.RankTimeOff(o, people, leave.NewCoverage([]scheduling.Requirement{needs("2026-11-18", 9, 18, 3, 80)}, all, 100))
	a, b := find(t, got, "a"), find(t, got, "b")
	// Nine hours of work, of which one is overtime: without the last two it is 1 h at 150 % and 1 h at 100 %.
	assert.InDelta(t, -(45 + 30), b.WageYuan, 1e-9)
	assert.InDelta(t, 0, b.ValueYuan, 1e-9, "four are there, three are needed")
	assert.InDelta(t, 75, b.NetYuan, 1e-9)
	assert.Equal(t, hours("2026-11-18", 9, 16), b.Effect.Add[0].Range())
	assert.Equal(t, 3, a.Rank, "who had time off before comes later")
	assert.Equal(t, 1, b.Rank)
	assert.Equal(t, "offer.idle", find(t, got, "c").Rule, "the block lies in the middle")
	d := find(t, got, "d")
	assert.Empty(t, d.Effect.Add, "the whole shift")
	assert.InDelta(t, 60, d.NetYuan, 1e-9)

	short := leave.RankTimeOff(o, people[1:2], leave.NewCoverage([]scheduling.Requirement{needs("2026-11-18", 9, 18, 4, 80)}, all, 100))[0]
	assert.InDelta(t, -160, short.ValueYuan, 1e-9)
	assert.False(t, short.Worth, "an hour is worth more than it costs")
	assert.Zero(t, short.Rank)
}

func TestOfferValidate(t *testing.T) {
	require.NoError(t, leave.Offer{Queue: queue, Block: hours("2026-11-18", 18, 20), Heads: 1}.Validate())
	err := leave.Offer{Block: hours("2026-11-18", 18, 18)}.Validate()
	codeIs(t, err, "offer.invalid")
	assert.Len(t, fault.Of(err).Fields, 3)
}
