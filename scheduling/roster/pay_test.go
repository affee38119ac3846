package roster_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/check"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// nationalDay is one agent at 30 yuan, who agreed to overtime, and eight hours wanted on 1 October.
func nationalDay(value float64) roster.Problem {
	p := small(1)
	p.Range = calendar.Range{Start: time.Date(2026, 9, 28, 0, 0, 0, 0, zone), End: time.Date(2026, 10, 5, 0, 0, 0, 0, zone)}
	p.Holidays = calendar.NewHolidays("test", []calendar.Holiday{{Date: calendar.MakeDate(2026, 10, 1), Kind: calendar.Statutory}})
	p.Agents[0].Wage, p.Agents[0].Person.OvertimeAgreed = 30, true
	need(&p, "q", 1, 9, 18, 3)
	for i := range p.Demand[0].Needs {
		p.Demand[0].Needs[i].Value = value
	}
	p.Weights.Over = 0
	return p
}

// Eight hours of 30 yuan at 300 % are 720 yuan; a shift covers eight of the nine slots wanted.
func TestHolidayWorkIsBoughtAtItsPrice(t *testing.T) {
	dear := solve(t, nationalDay(89), 50) // 8 x 89 = 712
	assert.Empty(t, dear.Roster.Shifts)
	cheap := solve(t, nationalDay(91), 50) // 8 x 91 = 728
	require.Len(t, cheap.Roster.Shifts, 1)
	assert.InDelta(t, 240, cheap.Parts.Wages, 1e-9)
	assert.InDelta(t, 480, cheap.Parts.Premiums, 1e-9)

	p := nationalDay(89)
	p.Agents[0].Salaried = true // the salary does not pay the holiday: 300 % on top of it
	assert.Empty(t, solve(t, p, 50).Roster.Shifts)
	p = nationalDay(91)
	p.Agents[0].Salaried = true
	s := solve(t, p, 50)
	assert.Zero(t, s.Parts.Wages)
	assert.InDelta(t, 720, s.Parts.Premiums, 1e-9)
	assert.InDelta(t, s.Cost, s.Bound, 0.01, "the bound knows what a holiday costs")
}

// Six days wanted at 25 yuan an hour, a wage of 30: who is paid by the hour stays at home, who has a salary
// works five days for nothing; the sixth would be 200 %, 8 x 60 = 480 yuan for 200.
func TestASalaryPaysTheNormalHours(t *testing.T) {
	week := func(salaried bool) roster.Problem {
		p := small(1)
		p.Agents[0].Wage, p.Agents[0].Salaried, p.Agents[0].Person.OvertimeAgreed = 30, salaried, true
		need(&p, "q", 1, 9, 18, 0, 1, 2, 3, 4, 5)
		for i := range p.Demand[0].Needs {
			p.Demand[0].Needs[i].Value = 25
		}
		return p
	}
	assert.Empty(t, solve(t, week(false), 100).Roster.Shifts)
	s := solve(t, week(true), 100)
	assert.Len(t, s.Roster.Shifts, 5)
	assert.Zero(t, s.Parts.Wages+s.Parts.Premiums)
	dear := week(true)
	for i := range dear.Demand[0].Needs {
		dear.Demand[0].Needs[i].Value = 61
	}
	s = solve(t, dear, 100)
	assert.Len(t, s.Roster.Shifts, 6, "8 x 61 = 488 yuan for 480")
	assert.InDelta(t, 480, s.Parts.Premiums, 1e-9)
}

// The sixth day of a week is a rest day even when six hours a day leave the week below 40: 6 x 60 = 360 yuan. The
// bound knows it, so it meets the cost on both sides of that price; so it does after five days of a week that
// began before the range.
func TestTheBoundKnowsThatASixthShortDayIsARestDay(t *testing.T) {
	week := func(value float64) roster.Problem {
		p := small(1)
		p.Agents[0].Wage, p.Agents[0].Salaried, p.Agents[0].Person.OvertimeAgreed = 30, true, true
		p.Templates = []roster.Template{{Code: "K", Start: 9 * time.Hour, Length: 6 * time.Hour}}
		need(&p, "q", 1, 9, 15, 0, 1, 2, 3, 4, 5)
		for i := range p.Demand[0].Needs {
			p.Demand[0].Needs[i].Value = value
		}
		return p
	}
	for value, shifts := range map[float64]int{59: 5, 61: 6} {
		s := solve(t, week(value), 100)
		assert.Len(t, s.Roster.Shifts, shifts)
		assert.InDelta(t, float64(360*(shifts-5)), s.Parts.Premiums, 1e-9)
		assert.InDelta(t, s.Cost, s.Bound, 0.01)

		p := week(value) // from Friday on, after four days
		for d := range 4 {
			at := p.Range.Start.AddDate(0, 0, d).Add(9 * time.Hour)
			p.Agents[0].History = append(p.Agents[0].History, scheduling.Shift{Agent: p.Agents[0].Person.ID, Start: at, End: at.Add(6 * time.Hour)})
		}
		p.Range.Start = p.Range.Start.AddDate(0, 0, 4)
		p.Demand[0].Needs = p.Demand[0].Needs[24:]
		s = solve(t, p, 100)
		assert.Len(t, s.Roster.Shifts, shifts-4)
		assert.InDelta(t, s.Cost, s.Bound, 0.01)
	}
}

// tuesdayBefore is a Tuesday to be made for one agent at 30 yuan who works eight hours a day from Wednesday to Sunday
// of that week.
func tuesdayBefore(salaried bool) roster.Problem {
	p := small(1)
	p.Agents[0].Wage, p.Agents[0].Salaried, p.Agents[0].Person.OvertimeAgreed = 30, salaried, true
	for d := 2; d < 7; d++ {
		at := p.Range.Start.AddDate(0, 0, d).Add(9 * time.Hour)
		p.Agents[0].Later = append(p.Agents[0].Later, scheduling.Shift{Agent: "A0", Start: at, End: at.Add(8 * time.Hour)})
	}
	p.Range = calendar.Range{Start: p.Range.Start.AddDate(0, 0, 1), End: p.Range.Start.AddDate(0, 0, 2)}
	p.Relief.Hour = 30
	need(&p, "q", 1, 9, 17, 0)
	return p
}

// The shift of Tuesday makes Sunday the sixth day of its week: by hand, eight hours of 30 yuan at 100 % on Tuesday
// and eight more on Sunday, which is 200 % now. The meal leaves seven of the eight hours wanted, which are worth
// 7 x 68 = 476 or 7 x 69 = 483 yuan for 480.
func TestAShiftPaysForTheRestDayItMovesBeyondTheRange(t *testing.T) {
	for _, salaried := range []bool{false, true} {
		for value, shifts := range map[float64]int{68: 0, 69: 1} {
			p := tuesdayBefore(salaried)
			for i := range p.Demand[0].Needs {
				p.Demand[0].Needs[i].Value = value
			}
			s := solve(t, p, 50)
			require.Len(t, s.Roster.Shifts, shifts)
			assert.InDelta(t, float64(shifts)*480, s.Parts.Wages+s.Parts.Premiums, 1e-9)
			if !salaried {
				assert.InDelta(t, float64(shifts)*240, s.Parts.Premiums, 1e-9)
			}
			assert.LessOrEqual(t, s.Bound, s.Cost+1e-6)
			assert.InDelta(t, s.Cost, check.Roster(p, s.Roster.Shifts).Cost, 1e-9)
		}
	}
}

// The fix of the Tuesday has that price too, and its hours are those that pay for it.
func TestAFixPaysForTheRestDayItMovesBeyondTheRange(t *testing.T) {
	p := tuesdayBefore(true)
	p.Demand[0].Needs = p.Demand[0].Needs[:3]
	for i := range p.Demand[0].Needs {
		p.Demand[0].Needs[i].Value = 50
	}
	s := solve(t, p, 50)
	require.Len(t, s.Uncovered, 1)
	f := fixesBy(s.Uncovered[0])["shift"]
	assert.InDelta(t, 480, f.Price, 1e-6)
	assert.InDelta(t, 8, f.Hours, 1e-9)
	assert.Equal(t, []workrules.PayShare{{Percent: workrules.PayRestDay, Minutes: 480}}, f.Pay, "Tuesday is paid 100 % in the place of Sunday")
}

// From 22:00 to 06:00 into National Day with a meal of half an hour, at 20 yuan: placed before midnight it
// leaves 1.5 h at 100 % and 6 h at 300 %, 390 yuan; after it 2 h and 5.5 h, 370 yuan.
func TestAMealAfterMidnightIsCheaperOnAHoliday(t *testing.T) {
	p := nationalDay(100)
	p.Templates = []roster.Template{{
		Code: "N", Start: 22 * time.Hour, Length: 8 * time.Hour,
		Pauses: []roster.Pause{{Kind: scheduling.Meal, Length: 30 * time.Minute, Earliest: time.Hour, Latest: 4 * time.Hour}},
	}}
	p.Agents[0].Wage = 20
	p.Demand[0].Needs = nil
	night := p.Range.Start.Add((2*24 + 22) * time.Hour)
	for h := range 8 {
		value := 100.0
		if h == 3 { // the meal goes here, an hour after midnight
			value = 10
		}
		p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: night.Add(time.Duration(h) * time.Hour), Heads: 1, Value: value})
	}
	s := solve(t, p, 50)
	require.Len(t, s.Roster.Shifts, 1)
	assert.InDelta(t, 370, s.Parts.Wages+s.Parts.Premiums, 1e-9)
	assert.InDelta(t, s.Cost, check.Roster(p, s.Roster.Shifts).Cost, 1e-9)
	p.Demand[0].Needs[1].Value, p.Demand[0].Needs[3].Value = 10, 100 // now before midnight
	s = solve(t, p, 50)
	assert.InDelta(t, 390, s.Parts.Wages+s.Parts.Premiums, 1e-9)
}

// The fix says what each hour is paid: the sixth day of Saturday's agent is eight hours at 200 %.
func TestFixesTellThePercentageOfTheirHours(t *testing.T) {
	p := saturday()
	p.Agents[0].Wage, p.Agents[0].Salaried = 30, true
	f := fixesBy(solve(t, p, 20).Uncovered[0])["overtime"]
	assert.InDelta(t, 480, f.Price, 1e-6)
	require.Len(t, f.Pay, 1)
	assert.Equal(t, 200, int(f.Pay[0].Percent))
	assert.Equal(t, 480, f.Pay[0].Minutes)
	assert.Contains(t, f.Says.EN, "8 h at 200 %")
	assert.Contains(t, f.Says.ZH, "8小时按200%")
}

func TestADateIsOneKindOfDay(t *testing.T) {
	raw, err := os.ReadFile("testdata/example.json")
	require.NoError(t, err)
	text := strings.Replace(string(raw), `"version": 1,`, `"version": 1, "holidays": [{"date": "2027-01-01", "kind": "statutory"}, {"date": "2027-01-01", "kind": "makeup"}],`, 1)
	_, err = roster.ReadProblem("x.json", strings.NewReader(text), false)
	assert.ErrorContains(t, err, "holidays[1].date")
	assert.ErrorContains(t, err, "is also holidays[0]")
}
