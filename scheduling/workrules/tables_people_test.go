package workrules

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

func from(day int) calendar.Dates { return calendar.Dates{From: calendar.MakeDate(2026, 9, day)} }

func in(kind ConditionKind) Person {
	return Person{Conditions: []Condition{{Kind: kind, Dates: from(1)}}}
}

func session(day int, start, length float64) []Session {
	return []Session{{Kind: TrainingSession, Range: shift(day, start, length).Range()}}
}

// pausing is an 8 h shift from 09:00 with a paid break of some hours in the middle.
func pausing(length float64) []scheduling.Shift {
	s := shift(21, 9, 8)
	return doing(s, activity(scheduling.Work, s, 0, 3, "q1"), activity(scheduling.Break, s, 3, length, ""), activity(scheduling.Work, s, 3+length, 5-length, "q1"))
}

var shiftTables = map[string][]ruleCase{
	"shift.overlap": {
		{name: "two shifts share 2 h", shifts: []scheduling.Shift{shift(21, 8, 8), shift(21, 14, 4)}, want: []hit{{2, 21, 14, 21, 16}}},
		{name: "back to back is one at a time", shifts: []scheduling.Shift{shift(21, 8, 4), shift(21, 12, 4)}},
	},
	"fit.employed": {
		{
			name: "the last day is the 22nd", person: Person{Employed: calendar.Dates{From: calendar.MakeDate(2026, 1, 1), Until: calendar.MakeDate(2026, 9, 23)}},
			shifts: days(9, 8, 22, 23), want: []hit{{1, 23, 9, 23, 17}},
		},
		{name: "open-ended contract", person: Person{Employed: from(22)}, shifts: days(9, 8, 22, 23)},
	},
	"fit.available": {
		{
			name: "leave from noon", person: Person{Unavailable: []calendar.Range{{Start: shift(22, 12, 1).Start, End: shift(23, 0, 1).Start}}},
			shifts: days(9, 8, 22), want: []hit{{5, 22, 12, 22, 17}},
		},
		{
			name: "leave begins when the shift ends", person: Person{Unavailable: []calendar.Range{{Start: shift(22, 17, 1).Start, End: shift(23, 0, 1).Start}}},
			shifts: days(9, 8, 22),
		},
	},
	"training.work_time": {
		{name: "the shift begins an hour before training ends", person: Person{Sessions: session(21, 9, 2)}, shifts: days(10, 6, 21), want: []hit{{1, 21, 10, 21, 11}}},
		{name: "the shift follows training", person: Person{Sessions: session(21, 9, 2)}, shifts: days(11, 6, 21)},
		{
			name: "a prenatal check inside the shift", person: Person{Sessions: []Session{{Kind: PrenatalCheck, Range: shift(21, 10, 2).Range()}}},
			shifts: days(9, 8, 21), want: []hit{{2, 21, 10, 21, 12}},
		},
	},
}

var protectedTables = map[string][]ruleCase{
	"minors.age": {
		{name: "an adult", person: Person{Born: calendar.MakeDate(1990, 9, 22)}, shifts: days(9, 8, 21, 22)},
		{name: "16 on the 22nd", person: Person{Born: calendar.MakeDate(2010, 9, 22)}, shifts: days(9, 8, 21, 22), want: []hit{{1, 21, 9, 21, 17}}},
	},
	"protected.night": {
		{name: "nursing until 22:30", person: in(Nursing), shifts: days(14.5, 8, 21), want: []hit{{1, 21, 14.5, 21, 22.5}}},
		{name: "nursing until 22:00", person: in(Nursing), shifts: days(14, 8, 21)},
		{name: "minor at 05:00", person: Person{Born: calendar.MakeDate(2009, 9, 21)}, shifts: days(5, 8, 21), want: []hit{{1, 21, 5, 21, 13}}},
		{name: "minor at 06:00", person: Person{Born: calendar.MakeDate(2009, 9, 21)}, shifts: days(6, 8, 21)},
		{name: "18 that day", person: Person{Born: calendar.MakeDate(2008, 9, 21)}, shifts: days(5, 8, 21)},
		{name: "the condition begins at midnight", person: Person{Conditions: []Condition{{Kind: Nursing, Dates: from(22)}}}, shifts: days(20, 6, 21), want: []hit{{1, 21, 20, 22, 2}}},
		{name: "condition over", person: Person{Conditions: []Condition{{Kind: PregnantLate, Dates: calendar.Dates{From: calendar.MakeDate(2026, 9, 1), Until: calendar.MakeDate(2026, 9, 21)}}}}, shifts: days(23, 8, 21)},
	},
	"protected.overtime": {
		{name: "pregnant, 9 h, although agreed", person: consenting(in(PregnantLate)), shifts: days(9, 9, 21), want: []hit{{1, 21, 0, 22, 0}}},
		{
			name: "minor on a sixth day", person: Person{OvertimeAgreed: true, Born: calendar.MakeDate(2009, 9, 1)},
			shifts: days(9, 8, 21, 22, 23, 24, 25, 26), want: []hit{{8, 26, 0, 27, 0}},
		},
		{name: "8 h", person: in(PregnantLate), shifts: days(9, 8, 21)},
	},
	"protected.rest": {
		{name: "15 minutes of break", person: in(PregnantLate), shifts: pausing(0.25), want: []hit{{0.25, 21, 9, 21, 17}}},
		{name: "30 minutes of break", person: in(PregnantLate), shifts: pausing(0.5)},
		{name: "not planned yet", person: in(PregnantLate), shifts: days(9, 8, 21)},
		{name: "nursing has its own rule", person: in(Nursing), shifts: pausing(0.25)},
	},
	"protected.nursing_hour": {
		{name: "half an hour of 8 h", person: in(Nursing), shifts: pausing(0.5), want: []hit{{0.5, 21, 0, 22, 0}}},
		{name: "an hour of 8 h", person: in(Nursing), shifts: pausing(1)},
		{name: "a quarter of an hour is an ordinary break", person: in(Nursing), shifts: pausing(0.25), want: []hit{{1, 21, 0, 22, 0}}},
		{name: "no more than the hour is missing", person: in(Nursing), shifts: doing(shift(21, 9, 9), activity(scheduling.Work, shift(21, 9, 9), 0, 9, "q1")), want: []hit{{1, 21, 0, 22, 0}}},
		{name: "a quarter beyond the shorter day", person: in(Nursing), shifts: doing(shift(21, 9, 7.25), activity(scheduling.Work, shift(21, 9, 7.25), 0, 7.25, "q1")), want: []hit{{0.25, 21, 0, 22, 0}}},
		{name: "a day of 7 h", person: in(Nursing), shifts: doing(shift(21, 9, 7), activity(scheduling.Work, shift(21, 9, 7), 0, 7, "q1"))},
		{
			name: "twins need two hours", person: Person{Conditions: []Condition{{Kind: Nursing, Dates: from(1), Children: 2}}},
			shifts: pausing(1), want: []hit{{1, 21, 0, 22, 0}},
		},
	},
}

var restTables = map[string][]ruleCase{
	"rest.between_block": {
		{name: "7.5 h", shifts: []scheduling.Shift{shift(21, 15, 8), shift(22, 6.5, 8)}, want: []hit{{0.5, 21, 23, 22, 6.5}}},
		{name: "exactly 8 h", shifts: []scheduling.Shift{shift(21, 15, 8), shift(22, 7, 8)}},
		{name: "history counts", shifts: []scheduling.Shift{shift(20, 16, 8), shift(21, 6, 8)}, want: []hit{{2, 21, 0, 21, 6}}},
		{name: "training before the shift of its day", person: Person{Sessions: session(21, 8, 1)}, shifts: days(10, 6, 21)},
		{name: "training early after a late shift", person: Person{Sessions: session(22, 7, 1)}, shifts: days(16, 8, 21), want: []hit{{1, 22, 0, 22, 7}}},
	},
	"rest.between_warn": {
		{name: "10 h", shifts: []scheduling.Shift{shift(21, 15, 8), shift(22, 9, 8)}, want: []hit{{1, 21, 23, 22, 9}}},
		{name: "exactly 11 h", shifts: []scheduling.Shift{shift(21, 15, 8), shift(22, 10, 8)}},
		{name: "under 8 h is the hard rule's", shifts: []scheduling.Shift{shift(21, 15, 8), shift(22, 6, 8)}},
	},
	"rest.weekly_day": {
		{name: "seven days", person: agreed, shifts: days(9, 4, 21, 22, 23, 24, 25, 26, 27), want: []hit{{1, 21, 0, 28, 0}}},
		{name: "six nights reach into the seventh day", person: agreed, shifts: days(23, 7, 21, 22, 23, 24, 25, 26), want: []hit{{1, 21, 0, 28, 0}}},
		{name: "the night before Monday", person: agreed, shifts: append(days(23, 7, 20), days(14, 4, 22, 23, 24, 25, 26, 27)...), want: []hit{{1, 21, 0, 28, 0}}},
		{name: "six days", person: agreed, shifts: days(9, 4, 21, 22, 23, 24, 25, 26)},
		{name: "training on the seventh day", person: Person{Sessions: session(27, 9, 1)}, shifts: days(9, 4, 21, 22, 23, 24, 25, 26), want: []hit{{1, 21, 0, 28, 0}}},
		{
			name: "weeks from Wednesday", person: agreed, shifts: days(9, 4, 21, 22, 24, 25, 26, 27, 28, 29),
			params: func(p *Params) { p.WeekStart = "wednesday" },
		},
	},
	"days.consecutive": {
		{name: "eight over two weeks", person: agreed, shifts: days(9, 4, 23, 24, 25, 26, 27, 28, 29, 30), want: []hit{{2, 23, 9, 30, 13}}},
		{name: "history counts", person: agreed, shifts: days(9, 4, 16, 17, 18, 19, 20, 21, 22), want: []hit{{1, 16, 9, 22, 13}}},
		{name: "six", person: agreed, shifts: days(9, 4, 23, 24, 25, 26, 27, 28)},
	},
	"night.run": {
		{name: "six nights", shifts: days(22, 8, 21, 22, 23, 24, 25, 26), want: []hit{{1, 21, 22, 27, 6}}},
		{name: "five nights", shifts: days(22, 8, 21, 22, 23, 24, 25)},
		{name: "a free night between", shifts: days(22, 8, 21, 22, 23, 25, 26, 27)},
		{name: "training on a morning between", person: Person{Sessions: session(24, 10, 2)}, shifts: days(22, 4, 21, 22, 23, 24, 25, 26), want: []hit{{1, 21, 22, 27, 2}}},
		{name: "a late shift between", shifts: append(append(days(22, 4, 21, 22, 23), shift(24, 14, 4)), days(22, 4, 25, 26, 27)...)},
	},
	"holidays.agreed": {
		{name: "six hours after midnight", shifts: days(22, 8, 30), want: []hit{{6, 31, 0, 31, 6}}},
		{name: "agreed", person: agreed, shifts: days(22, 8, 30)},
		{name: "the eve until midnight", shifts: days(16, 8, 30)},
		{name: "a bridge day", shifts: days(9, 8, 34)},
	},
}

var engagementTables = map[string][]ruleCase{
	"interns.night": {
		{name: "until 22:30", person: Person{Engagement: Intern}, shifts: days(14.5, 8, 21), want: []hit{{1, 21, 14.5, 21, 22.5}}},
		{name: "until 22:00", person: Person{Engagement: Intern}, shifts: days(14, 8, 21)},
	},
	"interns.overtime": {
		{name: "9 h, although agreed", person: Person{Engagement: Intern, OvertimeAgreed: true}, shifts: days(9, 9, 21), want: []hit{{1, 21, 0, 22, 0}}},
		{name: "8 h", person: Person{Engagement: Intern}, shifts: days(9, 8, 21)},
	},
	"interns.holiday": {
		{name: "an hour into the holiday", person: Person{Engagement: Intern}, shifts: days(17, 8, 30), want: []hit{{1, 31, 0, 31, 1}}},
		{name: "the eve", person: Person{Engagement: Intern}, shifts: days(16, 8, 30)},
	},
	"interns.rest_days": {
		{name: "six days", person: Person{Engagement: Intern}, shifts: days(9, 4, 21, 22, 23, 24, 25, 26), want: []hit{{1, 21, 0, 28, 0}}},
		{name: "five days, rest on Tuesday and Wednesday", person: Person{Engagement: Intern}, shifts: days(9, 4, 21, 24, 25, 26, 27)},
		{name: "the holiday week has three workdays", person: Person{Engagement: Intern}, shifts: days(9, 4, 28, 29, 30, 34), want: []hit{{1, 28, 0, 35, 0}}},
		{name: "a make-up Sunday is a workday", person: Person{Engagement: Intern}, span: makeupSpan, shifts: days(9, 4, 14, 15, 16, 17, 18, 20)},
	},
	"agency.term": {
		{
			name: "six months are over on the 23rd", person: Person{Engagement: Agency, Assigned: calendar.Dates{From: calendar.MakeDate(2026, 3, 23)}},
			shifts: days(9, 8, 22, 23), want: []hit{{1, 23, 9, 23, 17}},
		},
		{
			name: "the post ends earlier", person: Person{Engagement: Agency, Assigned: calendar.Dates{From: calendar.MakeDate(2026, 8, 1), Until: calendar.MakeDate(2026, 9, 22)}},
			shifts: days(9, 8, 21, 22), want: []hit{{1, 22, 9, 22, 17}},
		},
		{name: "within the post", person: Person{Engagement: Agency, Assigned: from(21)}, shifts: days(9, 8, 21, 22)},
	},
	"cloud.slots": {
		{name: "from half past nine", person: Person{Engagement: Cloud}, shifts: days(9.5, 2, 21), want: []hit{{0.5, 21, 9.5, 21, 11.5}}},
		{name: "one and a half slots", person: Person{Engagement: Cloud}, shifts: days(9, 1.5, 21), want: []hit{{0.5, 21, 9, 21, 10.5}}},
		{name: "two slots", person: Person{Engagement: Cloud}, shifts: days(9, 2, 21)},
		{name: "half-hour slots", person: Person{Engagement: Cloud}, shifts: days(9.5, 1.5, 21), params: func(p *Params) { p.CloudSlot = 30 * time.Minute }},
	},
	"cloud.day": {
		{name: "seven slots", person: Person{Engagement: Cloud}, shifts: days(9, 7, 21), want: []hit{{1, 21, 0, 22, 0}}},
		{name: "six slots", person: Person{Engagement: Cloud}, shifts: days(9, 6, 21)},
	},
	"cloud.pauses": {
		{
			name: "after 15 minutes", person: Person{Engagement: Cloud}, want: []hit{{0.25, 21, 9.25, 21, 9.5}},
			shifts: doing(shift(21, 9, 4), activity(scheduling.Break, shift(21, 9, 4), 0.25, 0.25, "")),
		},
		{
			name: "to the end", person: Person{Engagement: Cloud}, want: []hit{{0.25, 21, 12.75, 21, 13}},
			shifts: doing(shift(21, 9, 4), activity(scheduling.Break, shift(21, 9, 4), 3.75, 0.25, "")),
		},
		{name: "after 30 minutes", person: Person{Engagement: Cloud}, shifts: doing(shift(21, 9, 4), activity(scheduling.Break, shift(21, 9, 4), 0.5, 0.25, ""))},
		{name: "others may", shifts: doing(shift(21, 9, 4), activity(scheduling.Break, shift(21, 9, 4), 0, 0.25, ""))},
	},
}

func agreeing(a Agreement) Person {
	a.Dates = from(22)
	return Person{Agreements: []Agreement{a}}
}

var agreementTables = map[string][]ruleCase{
	"agreement.day": {
		{name: "7 h of 6 h, from the 22nd", person: agreeing(Agreement{DayHours: 6}), shifts: days(9, 7, 21, 22), want: []hit{{1, 22, 0, 23, 0}}},
		{name: "exactly 6 h", person: agreeing(Agreement{DayHours: 6}), shifts: days(9, 6, 22)},
	},
	"agreement.week": {
		{name: "32 h of 30 h", person: agreeing(Agreement{WeekHours: 30}), shifts: days(9, 8, 21, 22, 23, 24), want: []hit{{2, 21, 0, 28, 0}}},
		{name: "exactly 30 h", person: agreeing(Agreement{WeekHours: 30}), shifts: days(9, 7.5, 22, 23, 24, 25)},
		{name: "only days without agreement", person: agreeing(Agreement{WeekHours: 6}), shifts: days(9, 8, 21)},
	},
	"agreement.clock": {
		{name: "half an hour early and one late", person: agreeing(Agreement{NotBefore: 9, NotAfter: 17}), shifts: days(8.5, 9.5, 22), want: []hit{{1.5, 22, 8.5, 22, 18}}},
		{name: "exactly inside", person: agreeing(Agreement{NotBefore: 9, NotAfter: 17}), shifts: days(9, 8, 22)},
		{name: "over midnight until one", person: agreeing(Agreement{NotAfter: 25}), shifts: days(18, 7, 22)},
	},
	"agreement.nights": {
		{name: "until 22:30", person: agreeing(Agreement{NoNights: true}), shifts: days(14.5, 8, 21, 22), want: []hit{{1, 22, 14.5, 22, 22.5}}},
		{name: "until 22:00", person: agreeing(Agreement{NoNights: true}), shifts: days(14, 8, 22)},
	},
	"agreement.days_off": {
		{name: "no Wednesdays", person: agreeing(Agreement{DaysOff: []string{"wednesday"}}), shifts: days(9, 8, 22, 23, 24), want: []hit{{1, 23, 9, 23, 17}}},
		{name: "other days", person: agreeing(Agreement{DaysOff: []string{"wednesday"}}), shifts: days(9, 8, 22, 24)},
		{name: "a night shift may end in it", person: agreeing(Agreement{DaysOff: []string{"wednesday"}}), shifts: days(22, 8, 22)},
	},
}
