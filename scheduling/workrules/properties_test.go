package workrules

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// randomShifts draws shifts in order of time, sometimes too close or too long, some of them planned.
func randomShifts(t *rapid.T) (out []scheduling.Shift) {
	at := -20.0 * 24
	for at < 13*24 {
		at += float64(rapid.IntRange(4, 60).Draw(t, "gap")) / 2
		length := float64(rapid.IntRange(4, 20).Draw(t, "half hours")) / 2
		s := shift(21, at, length)
		if rapid.Bool().Draw(t, "planned") {
			kind := rapid.SampledFrom([]scheduling.ActivityKind{scheduling.Break, scheduling.Meal}).Draw(t, "pause")
			s.Activities = []scheduling.Activity{
				activity(scheduling.Work, s, 0, 1, "q1"), activity(kind, s, 1, 0.5, ""), activity(scheduling.Work, s, 1.5, length-1.5, "q1"),
			}
		}
		out = append(out, s)
		at += length
	}
	return out
}

// randomPerson draws somebody of any regime, engagement, condition, agreement and sessions.
func randomPerson(t *rapid.T) Person {
	p := Person{
		ID: "a", OvertimeAgreed: rapid.Bool().Draw(t, "agreed"), Skills: []Skill{{Queue: "q1"}},
		Regime:     rapid.SampledFrom([]Regime{"", Standard, Comprehensive, PartTime}).Draw(t, "regime"),
		Engagement: rapid.SampledFrom([]Engagement{"", Employee, Agency, Intern, Cloud}).Draw(t, "engagement"),
	}
	if p.Regime == Comprehensive {
		p.Period = rapid.SampledFrom([]Period{"", ByWeek, ByMonth, ByQuarter, ByYear}).Draw(t, "period")
		p.Carried = []Carried{{Dates: calendar.Dates{From: calendar.MakeDate(2026, 9, 1), Until: calendar.MakeDate(2026, 9, 10)}, Hours: 60}}
	}
	switch rapid.IntRange(0, 8).Draw(t, "kind") {
	case 0:
		p.Born = calendar.MakeDate(rapid.IntRange(2007, 2011).Draw(t, "born"), 9, 25)
	case 1:
		p.Conditions = []Condition{{Kind: Nursing, Dates: from(rapid.IntRange(1, 28).Draw(t, "since"))}}
	case 2:
		p.Conditions = []Condition{{Kind: PregnantLate, Dates: from(rapid.IntRange(1, 28).Draw(t, "since"))}}
	case 3:
		p.Agreements = []Agreement{{
			Dates: from(20), DayHours: 7, WeekHours: 30, NotBefore: 7, NotAfter: 23, NoNights: rapid.Bool().Draw(t, "no nights"), DaysOff: []string{"sunday"},
		}}
	case 4:
		p.Sessions = append(session(rapid.IntRange(15, 34).Draw(t, "training"), 9, 2), session(rapid.IntRange(15, 34).Draw(t, "meeting"), 14, 2)...)
	case 5:
		p.Unavailable = []calendar.Range{shift(25, 3, 40).Range()}
	case 6:
		p.Assigned = calendar.Dates{From: calendar.MakeDate(2026, 3, 28)}
	}
	if p.Regime == Comprehensive && p.Engagement == Intern {
		p.Engagement = Employee
	}
	require.Empty(t, p.Validate("person"))
	return p
}

func randomFrame(t *rapid.T) *Frame {
	p := DefaultParams()
	p.HardMeals = rapid.Bool().Draw(t, "hard meals")
	p.WeekStart = rapid.SampledFrom([]string{"monday", "sunday", "wednesday"}).Draw(t, "week")
	p.RestDays = rapid.SampledFrom([]RestDayReading{RestDaysPlaced, RestDaysCalendar}).Draw(t, "rest days")
	p.SplitAtMidnight = rapid.Bool().Draw(t, "split")
	return NewFrame(testRange, testDays, shanghai, p)
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
		frame := randomFrame(t)
		judge := NewJudge(frame, randomPerson(t))
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
		frame := randomFrame(t)
		judge := NewJudge(frame, randomPerson(t))
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

// The counts of an optimiser are the findings of the planner, and what lies not between duties adds
// up over the days.
func TestSoftCountsAgreeWithExplain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frame := randomFrame(t)
		judge := NewJudge(frame, randomPerson(t))
		shifts := randomShifts(t)
		var duties []Duty
		for _, s := range shifts {
			if d, ok := frame.Duty(s); ok {
				duties = append(duties, d)
			}
		}
		all, between := 0, 0
		for _, v := range judge.Explain(shifts) {
			if v.Rule == "rest.between_warn" || v.Rule == "night.run" {
				between++
			}
			if !v.Hard && v.Rule != "breaks.stretch" && v.Rule != "cloud.pauses" { // these read activities
				all++
			}
		}
		assert.Equal(t, all, judge.SoftCount(duties))
		assert.Equal(t, between, judge.SoftBetween(duties))
		days, empty := 0, judge.SoftCount(nil)-judge.SoftBetween(nil)
		for i := 0; i < len(duties); {
			k := i
			for ; k < len(duties) && duties[k].Day == duties[i].Day; k++ {
			}
			days += judge.SoftCount(duties[i:k]) - judge.SoftBetween(duties[i:k]) - empty
			i = k
		}
		assert.Equal(t, all-between, days+empty)
	})
}

// Whoever makes one day anew asks the rules about that day only, with all other days as they are. What is
// legal there must be legal in the whole roster: a shift more early in the week makes overtime of a later day, and one
// that ends after midnight takes the rest day of the next week.
func TestADayThatIsLegalAloneIsLegalInTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		params := DefaultParams()
		params.WeekStart = rapid.SampledFrom([]string{"monday", "sunday", "wednesday"}).Draw(t, "week")
		params.RestDays = rapid.SampledFrom([]RestDayReading{RestDaysPlaced, RestDaysCalendar}).Draw(t, "rest days")
		params.OvertimeMonth = time.Duration(rapid.SampledFrom([]int{18, 36}).Draw(t, "overtime of a month")) * time.Hour
		person := randomPerson(t)
		whole := NewFrame(testRange, testDays, shanghai, params)
		judge := NewJudge(whole, person)
		day := calendar.Day(calendar.MakeDate(2026, 9, 21+rapid.IntRange(0, 12).Draw(t, "day")), shanghai)
		alone := NewJudge(NewFrame(day, testDays, shanghai, params), person)
		var kept, anew []scheduling.Shift
		for _, s := range rapid.SampledFrom([]func(*rapid.T) []scheduling.Shift{randomShifts, workWeeks}).Draw(t, "kind of shifts")(t) {
			if day.Contains(s.Start) {
				anew = append(anew, s)
			} else if try := append(append([]scheduling.Shift{}, kept...), s); judge.Broken(dutiesOf(whole, try)) == nil {
				kept = try
			}
		}
		all := append(append([]scheduling.Shift{}, kept...), anew...)
		slices.SortFunc(all, func(a, b scheduling.Shift) int { return a.Start.Compare(b.Start) })
		if judge.Broken(dutiesOf(whole, kept)) != nil || alone.Broken(dutiesOf(alone.frame, all)) != nil {
			return // sessions alone break a rule, or the day does
		}
		if rule := judge.Broken(dutiesOf(whole, all)); rule != nil {
			assert.Fail(t, "legal alone, not in the whole", rule.Code)
		}
	})
}

// The overtime that the rules count, each hour once, is what pay does not pay as ordinary hours, and the rules ask for
// consent where pay pays 150 or 200 %. Of nights from an eve into a holiday they count no less: those hours are the eve's too.
func TestTheRulesCountAsOvertimeWhatPayPaysAbove100(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		person := Person{ID: "a"}
		if rapid.Bool().Draw(t, "training") {
			person.Sessions = session(rapid.IntRange(15, 34).Draw(t, "day"), 5, 2)
		}
		frame := randomFrame(t)
		judge := NewJudge(frame, person)
		var duties []Duty
		eves := false
		for _, s := range rapid.SampledFrom([]func(*rapid.T) []scheduling.Shift{randomShifts, workWeeks}).Draw(t, "kind of shifts")(t) {
			s.Activities = nil // a pause on midnight is counted against the rest day
			d, ok := frame.Duty(s)
			eves = eves || frame.kind[d.Day] != calendar.Statutory && d.Holiday > 0
			if ok && (len(duties) == 0 || d.Start >= duties[len(duties)-1].End) {
				duties = append(duties, d)
			}
		}
		all := slices.Clone(judge.withSessions(duties))
		walk, paid := judge.payWalk(), PayMinutes{}
		for i := range all {
			paid = paid.Plus(walk.duty(&all[i]))
		}
		judge.prepare(all)
		counted, consent := int32(0), int32(0)
		for _, l := range judge.days {
			if counted += l.overtime; l.holiday == 0 {
				consent += l.overDay
			}
			consent += l.overWeek
		}
		if eves {
			assert.GreaterOrEqual(t, counted, paid.Extended+paid.RestDay+paid.Statutory)
			assert.GreaterOrEqual(t, consent, paid.Extended+paid.RestDay)
			return
		}
		if holidays := paid.Statutory; holidays == 0 { // the normal day of a holiday is its own
			assert.Equal(t, paid.Extended+paid.RestDay, consent)
		}
		assert.Equal(t, paid.Extended+paid.RestDay+paid.Statutory, counted)
	})
}

// workWeeks draws a shift a day, the usual eight hours or somewhat more or less, now and then a day off.
func workWeeks(t *rapid.T) (out []scheduling.Shift) {
	length := rapid.SampledFrom([]float64{4, 6, 8, 8, 8, 9})
	for day := 1; day < 35; day++ {
		if rapid.IntRange(0, 5).Draw(t, "off") > 0 {
			out = append(out, shift(day, rapid.SampledFrom([]float64{8, 9, 14, 20}).Draw(t, "start"), length.Draw(t, "hours")))
		}
	}
	return out
}
