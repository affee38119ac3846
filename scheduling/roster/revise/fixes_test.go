package revise_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Half an hour at 100 yuan stays short. A temp is paid for four hours at 45 yuan: 180. b would have to be
// called in for eight hours at 20 yuan, a change at 10 and a soft rule at 20: 190.
func TestWhatStaysShortHasFixesWithTheirPrice(t *testing.T) {
	p := week(2, 0)
	p.Previous = []scheduling.Shift{duty("a", 0)}
	out := repair(t, p, revise.Absence{Agent: "a", Range: calendar.Range{Start: at(0, 17.5), End: at(1, 0)}})
	require.Len(t, out.Left, 1)
	fixes := out.Left[0].Fixes
	require.Len(t, fixes, 2)
	assert.Equal(t, "temp", fixes[0].Kind)
	assert.InDelta(t, 180, fixes[0].Price, 1e-6)
	assert.InDelta(t, 50, fixes[0].Saves, 1e-6)
	assert.Equal(t, "shift", fixes[1].Kind)
	assert.EqualValues(t, "b", fixes[1].Agent)
	assert.InDelta(t, 190, fixes[1].Price, 1e-6)
	assert.InDelta(t, 50-7.5*p.Weights.Over, fixes[1].Saves, 1e-6, "the other seven and a half hours there is one too many")
	assert.Contains(t, fixes[1].Says.ZH, "加上 09:00-18:00")
}

// From 18 to 19 nobody is left. b, who works until 18, may stay only with its consent: an hour at 150 % of
// 20 yuan, a change and a soft rule (six hours after the meal). A nursing colleague may not even then.
func TestOvertimeIsAFixAndNoMove(t *testing.T) {
	p := week(3, 0)
	p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: at(0, 18), Heads: 1})
	late := duty("a", 0)
	late.Start, late.End = at(0, 11), at(0, 20)
	late.Activities = []scheduling.Activity{{Kind: scheduling.Work, Queue: "q", Start: at(0, 18), End: at(0, 19)}}
	p.Previous = []scheduling.Shift{late, duty("b", 0), duty("c", 0)}
	p.Agents[2].Person.Conditions = []workrules.Condition{{Kind: workrules.Nursing}}
	out := repair(t, p, whole(0, "a"))
	assert.Empty(t, out.Moves)
	require.Len(t, out.Left, 1)
	for _, f := range out.Left[0].Fixes {
		assert.NotEqualValues(t, "c", f.Agent, "劳动法 §63: not even with consent")
	}
	best := out.Left[0].Fixes[0]
	assert.Equal(t, "overtime", best.Kind)
	assert.EqualValues(t, "b", best.Agent)
	assert.InDelta(t, 1.5*20+10+20, best.Price, 1e-6)
	assert.InDelta(t, 100, best.Saves, 1e-6)
	assert.Equal(t, []workrules.PayShare{{Percent: 150, Minutes: 60}}, best.Pay)
	assert.Contains(t, best.Says.ZH, "征得同意后")
	assert.Contains(t, best.Says.ZH, "延到 19:00 下班")

	over, err := revise.Repair(p, []revise.Absence{whole(0, "a")}, at(1, 0).Add(time.Hour))
	require.NoError(t, err)
	require.Len(t, over.Left, 1)
	assert.Empty(t, over.Left[0].Fixes, "what is over needs no temp")
}

// From 18 to 21 nobody is left; b may stay an hour with its consent, the ceiling of a day, and that is what the fix says.
func TestAPartOfAStretchIsSaid(t *testing.T) {
	p := week(2, 0)
	for hour := 18; hour < 21; hour++ {
		p.Demand[0].Needs = append(p.Demand[0].Needs, scheduling.Need{Start: at(0, float64(hour)), Heads: 1})
	}
	late := scheduling.Shift{Agent: "a", Start: at(0, 14), End: at(0, 21), Activities: []scheduling.Activity{{Kind: scheduling.Work, Queue: "q", Start: at(0, 18), End: at(0, 21)}}}
	p.Previous = []scheduling.Shift{late, duty("b", 0)}
	out := repair(t, p, whole(0, "a"))
	require.Len(t, out.Left, 1)
	for _, f := range out.Left[0].Fixes {
		switch f.Kind {
		case "overtime":
			assert.Equal(t, calendar.Range{Start: at(0, 18), End: at(0, 19)}, f.Range)
			assert.Contains(t, f.Says.EN, "covers 18:00-19:00 only")
			assert.Contains(t, f.Says.ZH, "只顶 18:00-19:00")
			assert.True(t, f.Pays)
		case "temp":
			assert.Equal(t, out.Left[0].Range, f.Range)
			assert.InDelta(t, 300, f.Saves, 1e-6)
		}
	}
	require.Len(t, out.Left[0].Fixes, 2)
}

// b has had its 24 hours of the week. The five-hour shift over the gap, which a part-timer may never work, is
// not why it does not come.
func TestTheRuleThatBindsIsNamed(t *testing.T) {
	p := week(2, 3, 4, 5, 6)
	p.Agents[1].Person.Regime = workrules.PartTime
	p.Templates = append(p.Templates, roster.Template{Code: "P5", Start: 9 * time.Hour, Length: 5 * time.Hour}, roster.Template{Code: "P4", Start: 9 * time.Hour, Length: 4 * time.Hour})
	p.Previous = []scheduling.Shift{duty("a", 6)}
	for day := range 6 {
		p.Previous = append(p.Previous, scheduling.Shift{Agent: "b", Start: at(day, 9), End: at(day, 13), Activities: []scheduling.Activity{{Kind: scheduling.Work, Queue: "q", Start: at(day, 9), End: at(day, 13)}}})
	}
	out := repair(t, p, whole(6, "a"))
	require.NotEmpty(t, out.Left)
	codes := map[string]int{}
	for _, r := range out.Left[0].Reasons {
		codes[r.Code] = r.Count
	}
	assert.Equal(t, map[string]int{"absent": 1, "hours.part_time_weekly": 1}, codes)
}

// a is absent from nine to six. b, on duty from one to ten with an hour's meal at five, comes at nine instead:
// the afternoon, which both shifts hold, is no reason against it. It saves three hours of the morning, the
// hour of the meal and four hours of one head too many.
func TestAnEarlierShiftOfTheSameDayIsSeenToPay(t *testing.T) {
	p := week(2, 0)
	late := scheduling.Shift{Agent: "b", Code: "L", Start: at(0, 13), End: at(0, 22), Activities: []scheduling.Activity{
		{Kind: scheduling.Work, Queue: "q", Start: at(0, 13), End: at(0, 17)},
		{Kind: scheduling.Meal, Start: at(0, 17), End: at(0, 18)},
		{Kind: scheduling.Work, Queue: "q", Start: at(0, 18), End: at(0, 22)},
	}}
	p.Previous = []scheduling.Shift{duty("a", 0), late}
	out := repair(t, p, whole(0, "a"))
	require.Len(t, out.Moves, 1)
	assert.Equal(t, revise.Exchange, out.Moves[0].Kind)
	assert.InDelta(t, 400+4*p.Weights.Over, out.Moves[0].Saves, 1e-6)
	assert.InDelta(t, 0, out.After.Missing, 1e-9)
	assert.Empty(t, out.Left)
}

// What is lawful without anybody's consent and pays is a step of the repair, never a piece of advice after it.
func TestWhatPaysIsDoneNotAdvised(t *testing.T) {
	p := house(60, 7)
	advised := 0
	for day := range 6 {
		var absences []revise.Absence
		for i := range 4 {
			absences = append(absences, whole(day, p.Agents[(day*17+i*13)%60].Person.ID))
		}
		for _, left := range repair(t, p, absences...).Left {
			for _, f := range left.Fixes {
				advised++
				if f.Kind != "overtime" && f.Kind != "temp" {
					assert.LessOrEqual(t, f.Saves, f.Price+1e-9, f.Says.EN)
				}
			}
		}
	}
	assert.Positive(t, advised)
}
