package roster_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// fixesBy are the fixes of a stretch by kind.
func fixesBy(u roster.Uncovered) map[string]roster.Fix {
	out := map[string]roster.Fix{}
	for _, f := range u.Fixes {
		if _, ok := out[f.Kind]; !ok {
			out[f.Kind] = f
		}
	}
	return out
}

// One agent with five locked days of 8 h, and three hours wanted on Saturday at 100 yuan an hour.
func saturday() roster.Problem {
	p := small(1)
	p.Relief = roster.Relief{Hour: 30, Temp: 45, TempHours: 4}
	need(&p, "q", 1, 9, 12, 0, 1, 2, 3, 4, 5)
	for d := range 5 {
		at := p.Range.Start.Add(time.Duration(24*d+9) * time.Hour)
		p.Locked = append(p.Locked, scheduling.Shift{Agent: "A0", Code: "D", Start: at, End: at.Add(9 * time.Hour), Activities: []scheduling.Activity{
			{Kind: scheduling.Work, Start: at, End: at.Add(3 * time.Hour), Queue: "q"},
			{Kind: scheduling.Meal, Start: at.Add(3 * time.Hour), End: at.Add(4 * time.Hour)},
			{Kind: scheduling.Work, Start: at.Add(4 * time.Hour), End: at.Add(9 * time.Hour), Queue: "q"},
		}})
	}
	return p
}

func TestFixesOfAShortSaturday(t *testing.T) {
	s := solve(t, saturday(), 20)
	require.Len(t, s.Uncovered, 1)
	fixes := fixesBy(s.Uncovered[0])
	// A temp is paid four hours at 45; overtime on a rest day is 8 h at 200 % of 30 yuan. Locked days
	// cannot move, so there is no swap.
	assert.InDelta(t, 4*45, fixes["temp"].Price, 1e-6)
	assert.InDelta(t, 8*30*2, fixes["overtime"].Price, 1e-6)
	assert.NotContains(t, fixes, "swap")
	assert.Equal(t, "temp", s.Uncovered[0].Fixes[0].Kind)
	for _, f := range s.Uncovered[0].Fixes {
		assert.InDelta(t, 3*100, f.Saves, 1e-6)
	}
	assert.Contains(t, s.Uncovered[0].Says.EN, "180.00 yuan")
	assert.Contains(t, s.Uncovered[0].Says.ZH, "临时工")
}

func TestASwappedRestDayIsTheCheapestFix(t *testing.T) {
	p := saturday()
	p.Locked = nil
	p.Agents[0].Preferences = []roster.Preference{{Date: calendar.MakeDate(2026, 11, 14), Weight: -40}}
	for i := range 3 { // Friday loses less than Saturday's wish costs: 3 x 12 = 36 yuan
		p.Demand[0].Needs[12+i].Value = 12
	}
	for i := range 3 {
		p.Demand[0].Needs[15+i].Value = 20
	}
	s := solve(t, p, 100)
	// The best roster leaves Friday (36) or Saturday (60 less the wish of 40, so 20) short: Saturday.
	assert.InDelta(t, 60, s.Cost, 1e-6)
	require.Len(t, s.Uncovered, 1)
	f := fixesBy(s.Uncovered[0])["swap"]
	// Working Saturday instead of Friday covers 60 and uncovers 36; the wish of 40 is the price.
	assert.Equal(t, calendar.MakeDate(2026, 11, 13), f.Off)
	assert.InDelta(t, 40, f.Price, 1e-6)
	assert.InDelta(t, 60-36, f.Saves, 1e-6)
	assert.Equal(t, roster.FixParts{Stretch: 60, Elsewhere: -36, Other: 40}, f.Parts)
	assert.Equal(t, "swap", s.Uncovered[0].Fixes[0].Kind)
}

func TestALongerShiftIsPaidByTheHour(t *testing.T) {
	p := small(1)
	p.Relief = roster.Relief{Hour: 30, Temp: 1000, TempHours: 4}
	p.Templates = append(p.Templates, roster.Template{
		Code: "L", Start: 9 * time.Hour, Length: 10 * time.Hour,
		Pauses: []roster.Pause{{Kind: scheduling.Meal, Length: time.Hour, Earliest: 3 * time.Hour, Latest: 5 * time.Hour}},
	})
	need(&p, "q", 1, 9, 12, 0)
	for h := 17; h < 19; h++ {
		p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: p.Range.Start.Add(time.Duration(h) * time.Hour), Heads: 1})
	}
	s := solve(t, p, 50)
	// Eight hours reach to 18:00; the ninth needs consent and is paid 150 % of 30 yuan.
	require.Len(t, s.Uncovered, 1)
	require.Equal(t, "overtime", s.Uncovered[0].Fixes[0].Kind)
	assert.InDelta(t, 45, s.Uncovered[0].Fixes[0].Price, 1e-6)
	assert.InDelta(t, 1, s.Uncovered[0].Fixes[0].Hours, 1e-9)
	assert.InDelta(t, 100, s.Uncovered[0].Fixes[0].Saves, 1e-6)
}

func TestLeastViolatingKeepsWhatIsFixedAndAddsNothingToIt(t *testing.T) {
	p := small(2)
	need(&p, "q", 2, 9, 12, 0, 1)
	at := p.Range.Start.Add(9 * time.Hour)
	p.Locked = []scheduling.Shift{{Agent: "A0", Code: "D", Start: at, End: at.Add(10 * time.Hour)}} // 10 h without consent
	require.Error(t, p.Validate())
	p.LeastViolating = true
	s := solve(t, p, 50)
	hard := map[string]int{}
	for _, v := range s.Violations {
		if v.Hard {
			hard[string(v.Agent)+" "+v.Rule]++
		}
	}
	assert.Equal(t, map[string]int{"A0 hours.daily": 1, "A0 hours.overtime_daily": 1}, hard)
	mine := 0
	for _, x := range s.Roster.Shifts {
		if x.Agent == "A0" {
			mine++
		}
	}
	assert.Equal(t, 1, mine)
	assert.Len(t, s.Roster.Shifts, 3, "the other agent works both days")
}

// Twelve and a half hours are more than one person may work on end: three temps share them, since none of
// them works more than the six hours after which a meal is due. Each is paid 12.5/3 h at 45 yuan.
func TestALongStretchTakesSeveralTemps(t *testing.T) {
	p := small(1)
	p.Relief = roster.Relief{Hour: 3000, Temp: 45, TempHours: 4}
	p.Demand = []scheduling.Requirement{{Queue: "q", Slot: 30 * time.Minute}}
	for i := range 25 {
		at := p.Range.Start.Add(8*time.Hour + time.Duration(i)*30*time.Minute)
		p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: at, Heads: 2, Value: 100})
	}
	p.Agents[0].Person.Unavailable = []calendar.Range{p.Range}
	s := solve(t, p, 5)
	require.Len(t, s.Uncovered, 1)
	temp := fixesBy(s.Uncovered[0])["temp"]
	assert.InDelta(t, 12.5, temp.Hours, 1e-9)
	assert.InDelta(t, 12.5*45, temp.Price, 1e-6)
	assert.Equal(t, "3 temps one after another, 12.5 h together, paid 562.50 yuan (12.5 h at 45.00); on the whole the house gains 2187.50 yuan (here +2750.00, pay -562.50)", temp.Says.EN,
		"the first of two heads saves 100 x (1 + 0.2/2) in each of 25 half hours")
	assert.Contains(t, temp.Says.ZH, "3名临时工")
}

// Nobody is there from ten to eleven (two are missing at 50 yuan), from eleven to twelve (one) and from one to two (one
// at 100). A temp for the first hour is paid four, and its work on the others counts: 50 + 50 + 0 + 100.
func TestATempIsWorthAllItCovers(t *testing.T) {
	p := small(1)
	p.Weights.Depth = 0
	p.Relief = roster.Relief{Hour: 30, Temp: 45, TempHours: 4}
	p.Agents[0].Person.Unavailable = []calendar.Range{p.Range}
	p.Demand = []scheduling.Requirement{{Queue: "q", Slot: time.Hour}}
	for _, n := range []struct {
		hour, heads int
		value       float64
	}{{10, 2, 50}, {11, 1, 50}, {13, 1, 100}} {
		p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: p.Range.Start.Add(time.Duration(n.hour) * time.Hour), Heads: n.heads, Value: n.value})
	}
	first := solve(t, p, 5).Uncovered[0]
	temp := fixesBy(first)["temp"]
	assert.InDelta(t, 200, temp.Saves, 1e-6)
	assert.InDelta(t, 180, temp.Price, 1e-6)
	assert.True(t, temp.Pays)
	assert.Equal(t, "10:00-14:00", temp.Range.Start.In(zone).Format("15:04")+"-"+temp.Range.End.In(zone).Format("15:04"))
	assert.Contains(t, first.Says.EN, "Best fix: a temp for 4 h (at work 10:00-14:00), paid 180.00 yuan (4 h at 45.00); on the whole the house gains 20.00 yuan (here +50.00, elsewhere +150.00, pay -180.00)")
}

// An hour at 77.03 yuan is not worth a temp for four hours, and the sentence does not say that it is.
func TestNoFixPays(t *testing.T) {
	p := small(1)
	p.Relief = roster.Relief{Hour: 30, Temp: 45, TempHours: 4}
	p.Agents[0].Person.Unavailable = []calendar.Range{p.Range}
	need(&p, "q", 1, 9, 10, 0)
	p.Demand[0].Needs[0].Value = 77.03
	u := solve(t, p, 5).Uncovered[0]
	assert.False(t, u.Fixes[0].Pays)
	assert.Contains(t, u.Says.EN, ". No fix pays; the best: a temp for 4 h (at work 09:00-10:00), paid 180.00 yuan (4 h at 45.00); on the whole the house loses 102.97 yuan (here +77.03, pay -180.00)")
	assert.Contains(t, u.Says.ZH, "没有划算的补救")
	assert.NotContains(t, u.Says.EN, "Best fix")
}

// Four more hours at 30 yuan are not worth the one at 50 that stays short. The longer shift is no overtime and asks
// for nobody's consent.
func TestALongerDayIsNoOvertime(t *testing.T) {
	p := small(1)
	p.Agents[0].Wage = 30
	p.Relief = roster.Relief{Hour: 30, Temp: 1000, TempHours: 4}
	p.Templates = append(p.Templates, roster.Template{Code: "S", Start: 9 * time.Hour, Length: 4 * time.Hour})
	need(&p, "q", 1, 9, 13, 0)
	p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: p.Range.Start.Add(17 * time.Hour), Heads: 1, Value: 50})
	u := solve(t, p, 50).Uncovered
	require.Len(t, u, 1)
	f := u[0].Fixes[0]
	assert.Equal(t, "shift", f.Kind)
	assert.Zero(t, f.Hours)
	assert.NotContains(t, f.Says.EN, "overtime")
	assert.NotContains(t, f.Says.ZH, "加班")
	assert.Contains(t, f.Says.EN, "works shift D on 2026-11-09 instead, paid 120.00 yuan (4 h at 100 % of 30.00)")
}

// Somebody at 24 yuan has worked five days of 8 h and would come on Saturday, a rest day: 8 h at 200 % are 384 yuan.
// Three hours at 10 yuan are short at nine, and 70 at eleven on another queue, which the same shift covers: saved are
// 30 here and 140 elsewhere, the house loses 214. With a salary the 100 % hours are paid by it, and nothing else changes.
func TestWhatIsPaidIsToldApartFromWhatTheHouseGains(t *testing.T) {
	p := saturday()
	p.Agents[0].Wage = 24
	p.Agents[0].Person.Skills = append(p.Agents[0].Person.Skills, workrules.Skill{Queue: "r"})
	last := p.Demand[0].Needs[15:]
	for i := range last {
		last[i].Value = 10
	}
	need(&p, "r", 1, 13, 15, 5)
	p.Demand[1].Needs[0].Value, p.Demand[1].Needs[1].Value = 70, 70
	p.Relief.Temp = 1000
	for _, salaried := range []bool{false, true} {
		p.Agents[0].Salaried = salaried
		s := solve(t, p, 20)
		var at roster.Uncovered
		for _, u := range s.Uncovered {
			if u.Queue == "q" {
				at = u
			}
		}
		f := fixesBy(at)["overtime"]
		assert.InDelta(t, 384, f.Paid, 1e-6)
		assert.InDelta(t, 384, f.Price, 1e-6)
		assert.InDelta(t, 30+140, f.Saves, 1e-6)
		assert.Equal(t, roster.FixParts{Stretch: 30, Elsewhere: 140, Pay: 384}, f.Parts)
		assert.False(t, f.Pays)
		assert.Equal(t, "A0 agrees to overtime: shift D on 2026-11-14, paid 384.00 yuan (8 h at 200 % of 24.00); "+
			"on the whole the house loses 214.00 yuan (here +30.00, elsewhere +140.00, pay -384.00)", f.Says.EN)
		assert.Contains(t, f.Says.ZH, "付384.00元（时薪24.00元，8小时按200%）；总账亏214.00元（本时段+30.00，其他时段+140.00，工资-384.00）")
		assert.Empty(t, falseFigures(p, s))
	}
}

// A longer day of somebody with a salary: three more hours at 100 % are paid by it, an hour beyond the day is not.
func TestHoursOfTheSalaryAreNotPaidAgain(t *testing.T) {
	p := small(1)
	p.Agents[0].Wage, p.Agents[0].Salaried = 20, true
	p.Relief = roster.Relief{Hour: 30, Temp: 1000, TempHours: 4}
	meal := []roster.Pause{{Kind: scheduling.Meal, Length: time.Hour, Earliest: 3 * time.Hour, Latest: 5 * time.Hour}}
	p.Templates = []roster.Template{{Code: "S", Start: 9 * time.Hour, Length: 6 * time.Hour, Pauses: meal}, {Code: "L", Start: 9 * time.Hour, Length: 10 * time.Hour, Pauses: meal}}
	need(&p, "q", 1, 9, 12, 0)
	p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: p.Range.Start.Add(18 * time.Hour), Heads: 1})
	s := solve(t, p, 50)
	require.Len(t, s.Uncovered, 1)
	f := fixesBy(s.Uncovered[0])["overtime"]
	assert.InDelta(t, 1.5*20, f.Paid, 1e-6)
	assert.Contains(t, f.Says.EN, "paid 30.00 yuan (1 h at 150 % of 20.00; 3 h at 100 % by the salary); on the whole the house gains 70.00 yuan")
	assert.Empty(t, falseFigures(p, s))
}
