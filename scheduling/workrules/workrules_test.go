package workrules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

var shanghai = time.FixedZone("CST", 8*3600)

// The fortnight of the tables is Monday 2026-09-21 to Monday 2026-10-05; 10/1 to 10/3 are
// statutory, 10/4 and 10/5 to 10/7 bridge days, 9/20 and 10/10 make-up workdays.
var (
	testRange = calendar.Range{Start: time.Date(2026, 9, 21, 0, 0, 0, 0, shanghai), End: time.Date(2026, 10, 5, 0, 0, 0, 0, shanghai)}
	testDays  = func() calendar.Holidays {
		var days []calendar.Holiday
		for d := 1; d <= 7; d++ {
			kind := calendar.Statutory
			if d > 3 {
				kind = calendar.Bridge
			}
			days = append(days, calendar.Holiday{Date: calendar.MakeDate(2026, 10, d), Kind: kind, Name: "国庆节"})
		}
		return calendar.NewHolidays("test", days)
	}()
)

// shift is written day-of-September, start hour, hours; day 31 is 1 October. Half hours are fine.
func shift(day int, start, length float64) scheduling.Shift {
	at := time.Date(2026, 9, day, 0, 0, 0, 0, shanghai).Add(time.Duration(start * float64(time.Hour)))
	return scheduling.Shift{Agent: "a", Start: at, End: at.Add(time.Duration(length * float64(time.Hour)))}
}

// days gives the same shift on several days.
func days(start, length float64, list ...int) (out []scheduling.Shift) {
	for _, d := range list {
		out = append(out, shift(d, start, length))
	}
	return out
}

func doing(s scheduling.Shift, acts ...scheduling.Activity) []scheduling.Shift {
	s.Activities = acts
	return []scheduling.Shift{s}
}

func activity(kind scheduling.ActivityKind, s scheduling.Shift, from, length float64, queue string) scheduling.Activity {
	at := s.Start.Add(time.Duration(from * float64(time.Hour)))
	a := scheduling.Activity{Kind: kind, Start: at, End: at.Add(time.Duration(length * float64(time.Hour)))}
	if queue != "" {
		a.Queue = "q1"
		if queue != "q1" {
			a.Queue = "q2"
		}
	}
	return a
}

type ruleCase struct {
	name   string
	person Person
	params func(*Params)
	shifts []scheduling.Shift
	want   []float64 // the amount of every violation of this rule, in order of time; empty = legal
}

var agreed = Person{OvertimeAgreed: true}

// Every amount is counted by hand from the hours written in the row.
var tables = map[string][]ruleCase{
	"shift.overlap": {
		{name: "two shifts share 2 h", shifts: []scheduling.Shift{shift(21, 8, 8), shift(21, 14, 4)}, want: []float64{2}},
		{name: "back to back is one at a time", shifts: []scheduling.Shift{shift(21, 8, 4), shift(21, 12, 4)}},
	},
	"fit.employed": {
		{
			name: "leaves on the 23rd", person: Person{Employed: calendar.Dates{From: calendar.MakeDate(2026, 1, 1), Until: calendar.MakeDate(2026, 9, 23)}},
			shifts: days(9, 8, 22, 23), want: []float64{1},
		},
		{name: "open-ended contract", person: Person{Employed: calendar.Dates{From: calendar.MakeDate(2026, 9, 22)}}, shifts: days(9, 8, 22, 23)},
	},
	"fit.available": {
		{
			name: "leave from noon", person: Person{Unavailable: []calendar.Range{{Start: shift(22, 12, 1).Start, End: shift(23, 0, 1).Start}}},
			shifts: days(9, 8, 22), want: []float64{5},
		},
		{
			name: "leave begins when the shift ends", person: Person{Unavailable: []calendar.Range{{Start: shift(22, 17, 1).Start, End: shift(23, 0, 1).Start}}},
			shifts: days(9, 8, 22),
		},
	},
	"minors.age": {
		{name: "an adult", person: Person{Born: calendar.MakeDate(1990, 9, 22)}, shifts: days(9, 8, 21, 22)},
		{name: "16 on the 22nd", person: Person{Born: calendar.MakeDate(2010, 9, 22)}, shifts: days(9, 8, 21, 22), want: []float64{1}},
	},
	"protected.night": {
		{
			name: "nursing until 22:30", person: Person{Conditions: []Condition{{Kind: Nursing, Dates: calendar.Dates{From: calendar.MakeDate(2026, 9, 1)}}}},
			shifts: days(14.5, 8, 21), want: []float64{1},
		},
		{name: "nursing until 22:00", person: Person{Conditions: []Condition{{Kind: Nursing, Dates: calendar.Dates{From: calendar.MakeDate(2026, 9, 1)}}}}, shifts: days(14, 8, 21)},
		{name: "minor at 05:00", person: Person{Born: calendar.MakeDate(2009, 9, 21)}, shifts: days(5, 8, 21), want: []float64{1}},
		{name: "18 that day", person: Person{Born: calendar.MakeDate(2008, 9, 21)}, shifts: days(5, 8, 21)},
		{name: "condition over", person: Person{Conditions: []Condition{{Kind: PregnantLate, Dates: calendar.Dates{From: calendar.MakeDate(2026, 9, 1), Until: calendar.MakeDate(2026, 9, 21)}}}}, shifts: days(23, 8, 21)},
	},
	"protected.overtime": {
		{
			name: "pregnant, 9 h, although agreed", person: Person{OvertimeAgreed: true, Conditions: []Condition{{Kind: PregnantLate, Dates: calendar.Dates{From: calendar.MakeDate(2026, 9, 1)}}}},
			shifts: days(9, 9, 21), want: []float64{1},
		},
		{name: "minor on a sixth day", person: Person{OvertimeAgreed: true, Born: calendar.MakeDate(2009, 9, 1)}, shifts: days(9, 8, 21, 22, 23, 24, 25, 26), want: []float64{8}},
		{name: "8 h", person: Person{Conditions: []Condition{{Kind: PregnantLate, Dates: calendar.Dates{From: calendar.MakeDate(2026, 9, 1)}}}}, shifts: days(9, 8, 21)},
	},
	"rest.between_block": {
		{name: "7.5 h", shifts: []scheduling.Shift{shift(21, 15, 8), shift(22, 6.5, 8)}, want: []float64{0.5}},
		{name: "exactly 8 h", shifts: []scheduling.Shift{shift(21, 15, 8), shift(22, 7, 8)}},
		{name: "history counts", shifts: []scheduling.Shift{shift(20, 16, 8), shift(21, 6, 8)}, want: []float64{2}},
	},
	"rest.between_warn": {
		{name: "10 h", shifts: []scheduling.Shift{shift(21, 15, 8), shift(22, 9, 8)}, want: []float64{1}},
		{name: "exactly 11 h", shifts: []scheduling.Shift{shift(21, 15, 8), shift(22, 10, 8)}},
		{name: "under 8 h is the hard rule's", shifts: []scheduling.Shift{shift(21, 15, 8), shift(22, 6, 8)}},
	},
	"hours.daily": {
		{name: "9 h without agreement", shifts: days(9, 9, 21), want: []float64{1}},
		{name: "9 h agreed", person: agreed, shifts: days(9, 9, 21)},
		{name: "9 h with 1 h meal", shifts: doing(shift(21, 9, 9), activity(scheduling.Meal, shift(21, 9, 9), 4, 1, ""))},
		{name: "two shifts of one day add up", shifts: []scheduling.Shift{shift(21, 0, 5), shift(21, 14, 4)}, want: []float64{1}},
	},
	"hours.weekly": {
		{name: "48 h", shifts: days(9, 8, 21, 22, 23, 24, 25, 26), want: []float64{8}},
		{name: "40 h", shifts: days(9, 8, 21, 22, 23, 24, 25)},
		{name: "history of the week counts", shifts: days(9, 8, 14, 15, 16, 17, 18, 19)}, // all before the range: not judged
		{name: "a statutory holiday does not use up the week", shifts: days(9, 8, 28, 29, 30, 31, 34, 35)},
		{name: "bridge days do", shifts: days(9, 8, 28, 29, 30, 31, 32, 34)},
	},
	"hours.overtime_daily": {
		{name: "10 h", person: agreed, shifts: days(9, 10, 21), want: []float64{1}},
		{name: "9 h", person: agreed, shifts: days(9, 9, 21)},
		{
			name: "11 h on an agreed special date", person: agreed, shifts: days(9, 11, 21),
			params: func(p *Params) { p.SpecialDates = []calendar.Dates{{From: calendar.MakeDate(2026, 9, 21)}} },
		},
	},
	"hours.overtime_monthly": {
		{name: "four six-day weeks and long days", person: agreed, shifts: sixDayWeeks(), want: []float64{4}},
		{name: "27 h on a holiday", person: agreed, shifts: days(9, 9, 31, 32, 33)},
		{
			name: "a lower ceiling and holiday work", person: agreed, shifts: days(9, 9, 31, 32, 33), want: []float64{3},
			params: func(p *Params) { p.OvertimeMonth = 24 * time.Hour },
		},
		{
			name: "a house that does not count it", person: agreed, shifts: days(9, 9, 31, 32, 33),
			params: func(p *Params) { p.OvertimeMonth, p.HolidayIsOvertime = 24*time.Hour, false },
		},
	},
	"hours.part_time_daily": {
		{name: "5 h", person: Person{Regime: PartTime}, shifts: days(9, 5, 21), want: []float64{1}},
		{name: "4 h", person: Person{Regime: PartTime}, shifts: days(9, 4, 21)},
	},
	"hours.part_time_weekly": {
		{name: "7 times 4 h", person: Person{Regime: PartTime}, shifts: days(9, 4, 21, 22, 23, 24, 25, 26, 27), want: []float64{4}},
		{name: "6 times 4 h", person: Person{Regime: PartTime}, shifts: days(9, 4, 21, 22, 23, 24, 25, 26)},
	},
	"rest.weekly_day": {
		{name: "seven days", person: agreed, shifts: days(9, 4, 21, 22, 23, 24, 25, 26, 27), want: []float64{1}},
		{name: "six nights reach into the seventh day", person: agreed, shifts: days(23, 7, 21, 22, 23, 24, 25, 26), want: []float64{1}},
		{name: "the night before Monday", person: agreed, shifts: append(days(23, 7, 20), days(14, 4, 22, 23, 24, 25, 26, 27)...), want: []float64{1}},
		{name: "six days", person: agreed, shifts: days(9, 4, 21, 22, 23, 24, 25, 26)},
	},
	"days.consecutive": {
		{name: "eight over two weeks", person: agreed, shifts: days(9, 4, 23, 24, 25, 26, 27, 28, 29, 30), want: []float64{2}},
		{name: "history counts", person: agreed, shifts: days(9, 4, 16, 17, 18, 19, 20, 21, 22), want: []float64{1}},
		{name: "six", person: agreed, shifts: days(9, 4, 23, 24, 25, 26, 27, 28)},
	},
	"fit.skill": {
		{
			name: "2 h on a strange queue", person: Person{Skills: []Skill{{Queue: "q1"}}},
			shifts: doing(shift(21, 9, 6), activity(scheduling.Work, shift(21, 9, 6), 0, 4, "q1"), activity(scheduling.Work, shift(21, 9, 6), 4, 2, "q2")), want: []float64{2},
		},
		{
			name: "skill from a later date", person: Person{Skills: []Skill{{Queue: "q1", Dates: calendar.Dates{From: calendar.MakeDate(2026, 9, 22)}}}},
			shifts: doing(shift(21, 9, 4), activity(scheduling.Work, shift(21, 9, 4), 0, 4, "q1")), want: []float64{4},
		},
		{
			name: "trained", person: Person{Skills: []Skill{{Queue: "q1"}}},
			shifts: doing(shift(21, 9, 4), activity(scheduling.Work, shift(21, 9, 4), 0, 4, "q1")),
		},
	},
	"meal.required": {
		{name: "8 h without a meal", shifts: doing(shift(21, 9, 8), activity(scheduling.Work, shift(21, 9, 8), 0, 8, "q1")), want: []float64{0.5}},
		{name: "15 minutes are not a meal", shifts: doing(shift(21, 9, 8), activity(scheduling.Meal, shift(21, 9, 8), 4, 0.25, "")), want: []float64{0.25}},
		{name: "6 h need none", shifts: doing(shift(21, 9, 6), activity(scheduling.Work, shift(21, 9, 6), 0, 6, "q1"))},
		{name: "half an hour", shifts: doing(shift(21, 9, 8), activity(scheduling.Meal, shift(21, 9, 8), 4, 0.5, ""))},
	},
}

// weeks gives five 8 h days in the weeks that start on the given September days.
func weeks(starts ...int) (out []scheduling.Shift) {
	for _, s := range starts {
		out = append(out, days(9, 8, s, s+1, s+2, s+3, s+4)...)
	}
	return out
}

// sixDayWeeks: the weeks of 31 August (day 0), 7, 14 and 21 September with six days of 8 h: each
// sixth day is 8 h beyond the week, 32 h in September. The five normal days of the last week and
// three days after it have 9 h: 8 h more, 40 h in all, 4 h beyond the ceiling.
func sixDayWeeks() (out []scheduling.Shift) {
	for _, s := range []int{0, 7, 14, 21} {
		out = append(out, days(9, 8, s, s+1, s+2, s+3, s+4, s+5)...)
	}
	for i := range out[18:23] {
		out[18+i].End = out[18+i].End.Add(time.Hour)
	}
	return append(out, days(9, 9, 28, 29, 30)...)
}

func TestEveryRule(t *testing.T) {
	for code, cases := range tables {
		for _, c := range cases {
			t.Run(code+"/"+c.name, func(t *testing.T) {
				params := DefaultParams()
				if c.params != nil {
					c.params(&params)
				}
				require.NoError(t, params.Validate())
				c.person.ID = "a"
				got := []float64{}
				for _, v := range Check(Case{Person: c.person, Shifts: c.shifts, Range: testRange, Holidays: testDays, Location: shanghai, Params: params}) {
					if v.Rule == code {
						got = append(got, v.Amount)
						assert.NotEmpty(t, v.Sentence.ZH)
						assert.NotEmpty(t, v.Sentence.EN)
						assert.NotEmpty(t, v.Fix.ZH)
						assert.NotContains(t, v.Sentence.EN+v.Fix.EN+v.Sentence.ZH+v.Fix.ZH, "%!")
						assert.True(t, v.Range.Valid())
					}
				}
				if len(c.want) == 0 {
					assert.Empty(t, got)
				} else {
					assert.InDeltaSlice(t, c.want, got, 1e-9)
				}
			})
		}
	}
}

func TestEveryRuleHasTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		assert.False(t, seen[r.Code], "code %s is used twice", r.Code)
		seen[r.Code] = true
		broken, legal := 0, 0
		for _, c := range tables[r.Code] {
			if len(c.want) > 0 {
				broken++
			} else {
				legal++
			}
		}
		assert.Positive(t, broken, "rule %s needs a case that breaks it", r.Code)
		assert.Positive(t, legal, "rule %s needs a legal case", r.Code)
		assert.NotEmpty(t, r.Says.ZH)
		assert.NotEmpty(t, r.Says.EN)
		assert.NotEmpty(t, r.Article)
		assert.NotEmpty(t, r.Unit)
	}
	for code := range tables {
		assert.True(t, seen[code], "table %s has no rule", code)
	}
}

func TestParamsMayNotRelaxTheLaw(t *testing.T) {
	require.NoError(t, DefaultParams().Validate())
	p := DefaultParams()
	p.NormalDay, p.OvertimeMonth, p.RestWarn, p.WeekStart = 9*time.Hour, 40*time.Hour, time.Hour, "someday"
	err := p.Validate()
	require.Error(t, err)
	for _, field := range []string{"normal_day", "overtime_month", "rest_warn", "week_start"} {
		assert.ErrorContains(t, err, field)
	}
}

func TestPayHours(t *testing.T) {
	pay := func(shifts []scheduling.Shift, change func(*Params)) map[string]float64 {
		params := DefaultParams()
		if change != nil {
			change(&params)
		}
		out := map[string]float64{}
		for _, p := range PayHours(Case{Person: Person{ID: "a", OvertimeAgreed: true}, Shifts: shifts, Range: testRange, Holidays: testDays, Location: shanghai, Params: params}) {
			out[p.Date.String()+" "+time.Duration(p.Kind).String()] += p.Time.Hours()
		}
		return out
	}
	key := func(date string, kind PayKind) string { return date + " " + time.Duration(kind).String() }

	t.Run("the eve is not holiday work, the hours after midnight are", func(t *testing.T) {
		assert.Equal(t, map[string]float64{key("2026-09-30", 100): 8}, pay(days(16, 8, 30), nil))
		assert.Equal(t, map[string]float64{key("2026-09-30", 100): 2, key("2026-10-01", 300): 6}, pay(days(22, 8, 30), nil))
		assert.Equal(t, map[string]float64{key("2026-10-01", 300): 8}, pay(days(0, 8, 31), nil))
	})
	t.Run("house counts by the day a shift starts", func(t *testing.T) {
		assert.Equal(t, map[string]float64{key("2026-09-30", 100): 8}, pay(days(22, 8, 30), func(p *Params) { p.SplitAtMidnight = false }))
	})
	t.Run("a bridge day is not statutory", func(t *testing.T) {
		assert.Equal(t, map[string]float64{key("2026-10-04", 100): 8}, pay(days(9, 8, 34), nil))
	})
	t.Run("ninth hour 150, sixth day 200", func(t *testing.T) {
		got := pay(append(days(9, 8, 21, 22, 23, 24), shift(25, 9, 9), shift(26, 9, 8)), nil)
		assert.Equal(t, 8.0, got[key("2026-09-25", 100)])
		assert.Equal(t, 1.0, got[key("2026-09-25", 150)])
		assert.Equal(t, 8.0, got[key("2026-09-26", 200)])
	})
	t.Run("the unpaid meal is taken off", func(t *testing.T) {
		s := shift(21, 9, 9)
		assert.Equal(t, map[string]float64{key("2026-09-21", 100): 8}, pay(doing(s, activity(scheduling.Meal, s, 4, 1, "")), nil))
	})
}

// randomShifts draws shifts in order of time, sometimes too close or too long.
func randomShifts(t *rapid.T) (out []scheduling.Shift) {
	at := -20.0 * 24
	for at < 13*24 {
		at += float64(rapid.IntRange(4, 60).Draw(t, "gap")) / 2
		length := float64(rapid.IntRange(4, 20).Draw(t, "half hours")) / 2
		out = append(out, shift(21, at, length))
		at += length
	}
	return out
}

func TestPayHoursAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shifts := randomShifts(t)
		want := time.Duration(0)
		for _, s := range shifts {
			if testRange.Contains(s.Start) {
				want += s.WorkTime()
			}
		}
		got := time.Duration(0)
		for _, p := range PayHours(Case{Person: Person{ID: "a"}, Shifts: shifts, Range: testRange, Holidays: testDays, Location: shanghai, Params: DefaultParams()}) {
			got += p.Time
		}
		assert.Equal(t, want, got)
	})
}

func TestTakingAShiftAwayNeverBreaksAHardRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frame := NewFrame(testRange, testDays, shanghai, DefaultParams())
		person := Person{ID: "a", OvertimeAgreed: rapid.Bool().Draw(t, "agreed")}
		judge := NewJudge(frame, person)
		var duties []Duty
		for _, s := range randomShifts(t) {
			if d, ok := frame.Duty(s); ok {
				if try := append(append([]Duty{}, duties...), d); judge.Broken(try) == nil {
					duties = try
				}
			}
		}
		if len(duties) == 0 {
			return
		}
		i := rapid.IntRange(0, len(duties)-1).Draw(t, "without")
		rest := append(append([]Duty{}, duties[:i]...), duties[i+1:]...)
		assert.Nil(t, judge.Broken(rest))
	})
}

func TestQuickAndExplainedJudgementsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frame := NewFrame(testRange, testDays, shanghai, DefaultParams())
		person := Person{ID: "a", OvertimeAgreed: rapid.Bool().Draw(t, "agreed"), Born: calendar.MakeDate(rapid.IntRange(2007, 2011).Draw(t, "born"), 3, 1)}
		if rapid.Bool().Draw(t, "part time") {
			person.Regime = PartTime
		}
		judge := NewJudge(frame, person)
		shifts := randomShifts(t)
		var duties []Duty
		for _, s := range shifts {
			if d, ok := frame.Duty(s); ok {
				duties = append(duties, d)
			}
		}
		assert.Equal(t, judge.Broken(duties) != nil, HasHard(judge.Explain(shifts)))
	})
}

func BenchmarkCheckOneMonth(b *testing.B) {
	shifts := weeks(-7, 0, 7, 14, 21)
	c := Case{Person: Person{ID: "a"}, Shifts: shifts, Range: testRange, Holidays: testDays, Location: shanghai, Params: DefaultParams()}
	for b.Loop() {
		Check(c)
	}
}

func BenchmarkBroken(b *testing.B) {
	frame := NewFrame(testRange, testDays, shanghai, DefaultParams())
	judge := NewJudge(frame, Person{ID: "a"})
	var duties []Duty
	for _, s := range weeks(-7, 0, 7, 14, 21) {
		if d, ok := frame.Duty(s); ok {
			duties = append(duties, d)
		}
	}
	for b.Loop() {
		judge.Broken(duties)
	}
}
