package workrules

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// dutiesOf compiles shifts in order of time.
func dutiesOf(f *Frame, shifts []scheduling.Shift) (out []Duty) {
	for _, s := range shifts {
		if d, ok := f.Duty(s); ok {
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b Duty) int { return int(a.Start - b.Start) })
	return out
}

// The quick sum and the ledger are two programmes for one law: they agree on every person and roster.
func TestPaySumsWhatPayHoursLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frame := randomFrame(t)
		p := frame.params
		p.SplitAtMidnight = rapid.Bool().Draw(t, "split")
		p.RestDays = rapid.SampledFrom([]RestDayReading{RestDaysPlaced, RestDaysCalendar}).Draw(t, "rest days")
		frame = NewFrame(testRange, testDays, shanghai, p)
		person, shifts := randomPerson(t), randomShifts(t)
		want := map[PayKind]int{}
		for _, part := range PayHours(Case{Person: person, Shifts: shifts, Range: testRange, Holidays: testDays, Location: shanghai, Params: p}) {
			want[part.Kind] += int(part.Time / time.Minute)
		}
		got := map[PayKind]int{}
		for _, s := range NewJudge(frame, person).Pay(dutiesOf(frame, shifts)).Shares() {
			got[s.Percent] = s.Minutes
		}
		assert.Equal(t, want, got)
	})
}

// A further shift never makes the others cheaper, which is what lets an optimiser look at the dearest last.
func TestAFurtherShiftNeverLowersThePremium(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frame := randomFrame(t)
		judge := NewJudge(frame, randomPerson(t))
		all := dutiesOf(frame, randomShifts(t))
		if len(all) == 0 {
			return
		}
		i := rapid.IntRange(0, len(all)-1).Draw(t, "without")
		fewer := slices.Delete(slices.Clone(all), i, i+1)
		for _, salaried := range []bool{false, true} {
			assert.GreaterOrEqual(t, judge.Pay(all).Premium(salaried), judge.Pay(fewer).Premium(salaried)-1e-9)
		}
	})
}

// By hand, at 20 yuan: a night from 22:00 on 09-30 to 06:00 on 10-01 has 2 h at 100 % and 6 h at 300 %,
// 400 yuan; with a meal of half an hour at 02:00 it is 2 h and 5.5 h, 370 yuan; of that a salary pays
// the two hours.
func TestPremiumByHand(t *testing.T) {
	night := shift(30, 22, 8)
	fed := doing(shift(30, 22, 8), activity(scheduling.Meal, night, 4, 0.5, ""))[0]
	frame := NewFrame(testRange, testDays, shanghai, DefaultParams())
	judge := NewJudge(frame, Person{ID: "a"})
	pay := func(shifts ...scheduling.Shift) PayMinutes { return judge.Pay(dutiesOf(frame, shifts)) }
	assert.Equal(t, PayMinutes{Normal: 120, Statutory: 360}, pay(night))
	assert.InDelta(t, 400, 20*pay(night).Dues(false), 1e-9)
	assert.InDelta(t, 370, 20*pay(fed).Dues(false), 1e-9)
	assert.InDelta(t, 330, 20*pay(fed).Dues(true), 1e-9)
	assert.InDelta(t, 220, 20*pay(fed).Premium(false), 1e-9, "370 less 7.5 h at 20")

	// The plan of a template says where its pauses go before any shift exists.
	d, ok := frame.DutyOf(night.Start, night.End, 7*time.Hour+30*time.Minute)
	assert.True(t, ok)
	assert.True(t, frame.Mixed(d))
	frame.Unpaid(&d, [2]int32{d.Start + 240, d.Start + 270})
	assert.Equal(t, pay(fed), judge.Pay([]Duty{d}))
	frame.Unpaid(&d, [2]int32{d.Start + 60, d.Start + 90})
	assert.Equal(t, PayMinutes{Normal: 90, Statutory: 360}, judge.Pay([]Duty{d}))

	// Monday to Friday eight hours, on Wednesday ten, and Saturday: 40 h, 2 h at 150 %, 8 h at 200 %.
	week := append(days(9, 8, 21, 22, 24, 25, 26), shift(23, 9, 10))
	assert.Equal(t, PayMinutes{Normal: 2400, Extended: 120, RestDay: 480}, pay(week...))
	assert.InDelta(t, 40+3+16, pay(week...).Dues(false), 1e-9)
	assert.InDelta(t, 3+16, pay(week...).Dues(true), 1e-9)
	// The holiday week has workdays from Monday to Wednesday; a fourth day, the bridge Sunday, is 200 %.
	assert.Equal(t, PayMinutes{Normal: 1440, RestDay: 480, Statutory: 480}, pay(days(9, 8, 28, 29, 30, 31, 34)...))
}

// A shift from 14:00 to 23:00 with an unpaid meal of an hour is eight hours of work on the holiday.
func TestHolidayHoursLeaveOutTheMeal(t *testing.T) {
	s := shift(31, 14, 9)
	c := caseOf(Person{}, doing(s, activity(scheduling.Meal, s, 4, 1, ""))...)
	found := Check(c)
	i := slices.IndexFunc(found, func(v Violation) bool { return v.Rule == "holidays.agreed" })
	assert.GreaterOrEqual(t, i, 0)
	assert.Equal(t, 8.0, found[i].Amount)
	assert.Equal(t, "法定节假日上班8小时，尚未同意加班", found[i].Sentence.ZH)
	assert.Equal(t, calendar.Range{Start: s.Start, End: s.End}, found[i].Range)
}
