package workrules

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

var partTimer = Person{Regime: PartTime}

func specialWeek(p *Params) {
	p.SpecialDates = []calendar.Dates{{From: calendar.MakeDate(2026, 9, 21), Until: calendar.MakeDate(2026, 9, 28)}}
}

func restCalendar(p *Params) { p.RestDays = RestDaysCalendar }

// octoberSpan judges the week of 5 October: bridge days Monday to Wednesday, make-up Saturday.
var (
	octoberSpan = calendar.Range{Start: shift(35, 0, 1).Start, End: shift(42, 0, 1).Start}
	makeupSpan  = calendar.Range{Start: shift(14, 0, 1).Start, End: shift(21, 0, 1).Start}
)

var hourTables = map[string][]ruleCase{
	"hours.daily": {
		{name: "9 h without agreement", shifts: days(9, 9, 21), want: []hit{{1, 21, 0, 22, 0}}},
		{name: "exactly 8 h", shifts: days(9, 8, 21)},
		{name: "9 h agreed", person: agreed, shifts: days(9, 9, 21)},
		{name: "9 h with 1 h meal", shifts: doing(shift(21, 9, 9), activity(scheduling.Meal, shift(21, 9, 9), 4, 1, ""))},
		{name: "two shifts of one day add up", shifts: []scheduling.Shift{shift(21, 0, 5), shift(21, 14, 4)}, want: []hit{{1, 21, 0, 22, 0}}},
		{
			name: "training inside the shift is work", want: []hit{{1, 21, 0, 22, 0}},
			shifts: doing(shift(21, 9, 9), activity(scheduling.Training, shift(21, 9, 9), 8, 1, "")),
		},
		{name: "training outside the shift is work", person: Person{Sessions: session(21, 7, 2)}, shifts: days(9, 7, 21), want: []hit{{1, 21, 0, 22, 0}}},
		{name: "training that fills the day up", person: Person{Sessions: session(21, 8, 1)}, shifts: days(9, 7, 21)},
	},
	"hours.weekly": {
		{name: "48 h", shifts: days(9, 8, 21, 22, 23, 24, 25, 26), want: []hit{{8, 21, 0, 28, 0}}},
		{name: "40 h", shifts: days(9, 8, 21, 22, 23, 24, 25)},
		{name: "history of the week counts", shifts: days(9, 8, 14, 15, 16, 17, 18, 19)}, // all before the range: not judged
		{name: "a statutory holiday does not use up the week", shifts: days(9, 8, 28, 29, 30, 31)},
		{name: "two statutory weekdays leave 24 h, which a bridge Sunday exceeds", shifts: days(9, 8, 28, 29, 30, 31, 34), want: []hit{{8, 28, 0, 35, 0}}},
		{name: "the bridge Sunday instead of a workday", shifts: days(9, 8, 28, 30, 34)},
		{name: "a make-up Sunday is a sixth normal day", span: makeupSpan, shifts: days(9, 8, 14, 15, 16, 17, 18, 20)},
		{name: "a seventh day is not", span: makeupSpan, shifts: days(9, 8, 14, 15, 16, 17, 18, 19, 20), want: []hit{{8, 14, 0, 21, 0}}},
		{name: "three bridge weekdays and a make-up Saturday leave 24 h", span: octoberSpan, shifts: days(9, 8, 38, 39, 40)},
		{name: "a sixth short day is a rest day, 32 h or not", shifts: append(days(9, 6, 21, 22, 23, 24), days(9, 4, 25, 26)...), want: []hit{{4, 21, 0, 28, 0}}},
		{name: "the sixth day in order of time", shifts: append(days(9, 4, 21, 22), days(9, 6, 23, 24, 25, 26)...), want: []hit{{6, 21, 0, 28, 0}}},
		{name: "agreed", person: agreed, shifts: days(9, 6, 21, 22, 23, 24, 25, 26)},
		{name: "part-time hours have no rest days", person: partTimer, shifts: days(9, 4, 21, 22, 23, 24, 25, 26)},
		{name: "training on the sixth day", person: Person{Sessions: session(26, 9, 2)}, shifts: days(9, 6, 21, 22, 23, 24, 25), want: []hit{{2, 21, 0, 28, 0}}},
		{name: "Saturday and Sunday by the calendar", params: restCalendar, shifts: days(9, 6, 21, 26, 27), want: []hit{{12, 21, 0, 28, 0}}},
		{name: "the calendar's workdays", params: restCalendar, shifts: days(9, 8, 21, 22, 23, 24, 25)},
		{name: "the calendar's Friday night ends on Saturday", params: restCalendar, shifts: days(20, 8, 25), want: []hit{{4, 21, 0, 28, 0}}},
		{name: "the calendar's make-up Sunday", span: makeupSpan, params: restCalendar, shifts: days(9, 8, 20)},
		{name: "after a holiday night the workdays are a day further", shifts: append(days(9, 4, 28, 29, 30), shift(33, 20, 8)), want: []hit{{4, 28, 0, 35, 0}}},
		{name: "a bridge day worked on top", span: octoberSpan, shifts: days(9, 8, 37, 38, 39, 40), want: []hit{{8, 35, 0, 42, 0}}},
	},
	"hours.overtime_daily": {
		{name: "10 h", person: agreed, shifts: days(9, 10, 21), want: []hit{{1, 21, 0, 22, 0}}},
		{name: "9 h", person: agreed, shifts: days(9, 9, 21)},
		{name: "11 h on an agreed special date", person: agreed, shifts: days(9, 11, 21), params: specialWeek},
		{name: "11.5 h on an agreed special date", person: agreed, shifts: days(9, 11.5, 21), params: specialWeek, want: []hit{{0.5, 21, 0, 22, 0}}},
	},
	"hours.overtime_weekly": {
		{name: "five days of 11 h and 3 h are 18 h", person: agreed, params: specialWeek, shifts: append(days(9, 11, 21, 22, 23, 24, 25), shift(26, 9, 3))},
		{
			name: "half an hour more", person: agreed, params: specialWeek,
			shifts: append(days(9, 11, 21, 22, 23, 24, 25), shift(26, 9, 3.5)), want: []hit{{0.5, 21, 0, 28, 0}},
		},
		{name: "holiday work is apart", person: agreed, shifts: days(9, 9, 28, 29, 30, 31, 32, 33)},
	},
	"hours.overtime_monthly": {
		{
			name: "six-day weeks and long days, 32 h with 28 h allowed", person: agreed, shifts: sixDayWeeks(), want: []hit{{4, 1, 0, 31, 0}},
			params: func(p *Params) { p.OvertimeMonth = 28 * time.Hour },
		},
		{name: "exactly 32 h", person: agreed, shifts: sixDayWeeks(), params: func(p *Params) { p.OvertimeMonth = 32 * time.Hour }},
		{
			name: "six-day weeks of 4 x 6 h and 2 x 8 h have 8 h on their rest day, but for the week with a make-up day", person: agreed,
			shifts: shortSixDayWeeks(), want: []hit{{4, 1, 0, 31, 0}}, params: func(p *Params) { p.OvertimeMonth = 20 * time.Hour },
		},
		{name: "exactly those", person: agreed, shifts: shortSixDayWeeks(), params: func(p *Params) { p.OvertimeMonth = 24 * time.Hour }},
		{
			name: "an eve's six hours on the holiday, the ninth of the day among them", person: agreed, want: []hit{{2, 1, 0, 31, 0}},
			shifts: []scheduling.Shift{shift(30, 21, 9)}, params: func(p *Params) { p.OvertimeMonth, p.OvertimeWeek = 4*time.Hour, 4*time.Hour },
		},
		{
			name: "by the calendar 16 h of each weekend", person: agreed, shifts: days(9, 8, 5, 6, 12, 13, 26, 27), want: []hit{{12, 1, 0, 31, 0}},
			params: restCalendar,
		},
		{
			name: "work at the end of a month makes the last day of the week a rest day of the next month", person: agreed, want: []hit{{4, 31, 0, 62, 0}},
			span: calendar.Range{Start: shift(30, 0, 1).Start, End: shift(31, 0, 1).Start}, params: func(p *Params) { p.OvertimeMonth, p.OvertimeWeek = 4*time.Hour, 4*time.Hour },
			shifts: days(9, 8, 28, 29, 30, 34),
		},
		{name: "27 h on a holiday", person: agreed, shifts: days(9, 9, 31, 32, 33)},
		{
			name: "a lower ceiling and holiday work", person: agreed, shifts: days(9, 9, 31, 32, 33), want: []hit{{3, 31, 0, 62, 0}},
			params: func(p *Params) { p.OvertimeMonth, p.OvertimeWeek = 24*time.Hour, 18*time.Hour },
		},
		{name: "exactly the ceiling", person: agreed, shifts: days(9, 9, 31, 32, 33), params: func(p *Params) { p.OvertimeMonth = 27 * time.Hour }},
	},
	"hours.part_time_daily": {
		{name: "5 h", person: partTimer, shifts: days(9, 5, 21), want: []hit{{1, 21, 0, 22, 0}}},
		{name: "4 h", person: partTimer, shifts: days(9, 4, 21)},
	},
	"hours.part_time_weekly": {
		{name: "7 times 4 h", person: partTimer, shifts: days(9, 4, 21, 22, 23, 24, 25, 26, 27), want: []hit{{4, 21, 0, 28, 0}}},
		{name: "6 times 4 h", person: partTimer, shifts: days(9, 4, 21, 22, 23, 24, 25, 26)},
	},
}

// comprehensive is a person with a period and with hours carried from a date to 20 September.
func comprehensive(p Period, from calendar.Date, carried float64) Person {
	out := Person{Regime: Comprehensive, Period: p}
	if carried > 0 {
		out.Carried = []Carried{{Dates: calendar.Dates{From: from, Until: calendar.MakeDate(2026, 9, 21)}, Hours: carried}}
	}
	return out
}

func consenting(p Person) Person {
	p.OvertimeAgreed = true
	return p
}

var (
	january   = calendar.MakeDate(2026, 1, 1)
	july      = calendar.MakeDate(2026, 7, 1)
	september = calendar.MakeDate(2026, 9, 1)
)

var comprehensiveTables = map[string][]ruleCase{
	"hours.comprehensive_daily": {
		{name: "11.5 h", person: consenting(comprehensive(ByMonth, september, 0)), shifts: days(9, 11.5, 21), want: []hit{{0.5, 21, 0, 22, 0}}},
		{name: "11 h", person: comprehensive(ByMonth, september, 0), shifts: days(9, 11, 21)},
		{name: "standard hours have their own rule", person: agreed, shifts: days(9, 12, 21)},
	},
	"hours.comprehensive_period": {
		{name: "week: 4 x 11 h", person: comprehensive(ByWeek, september, 0), shifts: days(9, 11, 21, 22, 23, 24), want: []hit{{4, 21, 0, 28, 0}}},
		{name: "week: 4 x 10 h", person: comprehensive(ByWeek, september, 0), shifts: days(9, 10, 21, 22, 23, 24)},
		{name: "week: holiday work is apart", person: comprehensive(ByWeek, september, 0), shifts: days(9, 10, 28, 29, 30, 31, 34)},
		// 130 h + 36 h = 166 h; 165 h 20 min are normal.
		{name: "month: 40 minutes over", person: comprehensive(ByMonth, september, 130), shifts: days(9, 9, 21, 22, 23, 24), want: []hit{{0.666667, 1, 0, 31, 0}}},
		{name: "month: exactly", person: comprehensive(ByMonth, september, 130), shifts: append(days(9, 9, 21, 22, 23), shift(24, 9, 8+1.0/3))},
		{name: "the house period is the month", person: comprehensive("", september, 130), shifts: days(9, 9, 21, 22, 23, 24), want: []hit{{0.666667, 1, 0, 31, 0}}},
		{name: "month: shifts on carried dates count once", person: comprehensive(ByMonth, september, 130), shifts: append(days(9, 8, 16, 17, 18), days(9, 8, 21, 22, 23, 24)...)},
		{name: "quarter: 480 + 16 h", person: comprehensive(ByQuarter, july, 480), shifts: days(9, 8, 21, 22)},
		{name: "quarter: 480 + 17 h", person: comprehensive(ByQuarter, july, 480), shifts: days(9, 8.5, 21, 22), want: []hit{{1, -61, 0, 31, 0}}},
		{name: "a new quarter begins in October", person: comprehensive(ByQuarter, july, 496), shifts: days(9, 8, 34)},
		{name: "year: 1970 + 14 h", person: comprehensive(ByYear, january, 1970), shifts: days(9, 7, 21, 22)},
		{name: "year: 1970 + 16 h", person: comprehensive(ByYear, january, 1970), shifts: days(9, 8, 21, 22), want: []hit{{2, -242, 0, 123, 0}}},
		{name: "agreed overtime has its own rule", person: consenting(comprehensive(ByYear, january, 1970)), shifts: days(9, 8, 21, 22)},
	},
	"hours.comprehensive_overtime": {
		// 190 h + 12 h = 202 h, 36 h 40 min beyond 165 h 20 min.
		{name: "month: 40 minutes over", person: consenting(comprehensive(ByMonth, september, 190)), shifts: days(9, 6, 21, 22), want: []hit{{0.666667, 1, 0, 31, 0}}},
		{name: "month: exactly 36 h", person: consenting(comprehensive(ByMonth, september, 190)), shifts: []scheduling.Shift{shift(21, 9, 6), shift(22, 9, 5+1.0/3)}},
		{name: "quarter: 108 h", person: consenting(comprehensive(ByQuarter, july, 588)), shifts: days(9, 8, 21, 22)},
		{name: "quarter: 109 h", person: consenting(comprehensive(ByQuarter, july, 588)), shifts: days(9, 8.5, 21, 22), want: []hit{{1, -61, 0, 31, 0}}},
		{name: "year: 433 h", person: consenting(comprehensive(ByYear, january, 2400)), shifts: days(9, 8.5, 21, 22), want: []hit{{1, -242, 0, 123, 0}}},
		{
			name: "week: 49 h with 8 h a month allowed", person: consenting(comprehensive(ByWeek, september, 0)), params: func(p *Params) { p.OvertimeMonth, p.OvertimeWeek = 8*time.Hour, 8*time.Hour },
			shifts: append(days(9, 11, 21, 22, 23, 24), shift(25, 9, 5)), want: []hit{{1, 1, 0, 31, 0}},
		},
		{
			name: "week: 48 h with 8 h a month allowed", person: consenting(comprehensive(ByWeek, september, 0)), params: func(p *Params) { p.OvertimeMonth = 8 * time.Hour },
			shifts: append(days(9, 11, 21, 22, 23, 24), shift(25, 9, 4)),
		},
		{
			name: "holiday work counts", person: consenting(comprehensive(ByMonth, september, 0)), params: func(p *Params) { p.OvertimeMonth = 24 * time.Hour },
			shifts: days(9, 9, 31, 32, 33), want: []hit{{3, 31, 0, 62, 0}},
		},
	},
}
