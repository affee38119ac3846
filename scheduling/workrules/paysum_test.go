package workrules

import (
	"fmt"
	"slices"
	"strings"
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

// slowPay is the pay of a case counted minute by minute in order of time, from the calendar and the parameters
// alone. Minutes of each date and kind, and those of them at night.
func slowPay(c Case) (minutes, nights map[payKey]int) {
	p, person := c.Params, c.Person
	type stretch struct {
		scheduling.Shift
		unpaid []calendar.Range
	}
	var all []stretch
	for _, s := range c.Shifts {
		x := stretch{Shift: s}
		for _, a := range s.Activities {
			if a.Kind == scheduling.Meal || a.Kind == scheduling.Gap {
				x.unpaid = append(x.unpaid, calendar.Range{Start: a.Start, End: a.End})
			}
		}
		all = append(all, x)
	}
	for _, s := range person.Sessions {
		all = append(all, stretch{Shift: scheduling.Shift{Start: s.Range.Start, End: s.Range.End}})
	}
	slices.SortStableFunc(all, func(a, b stretch) int { return a.Start.Compare(b.Start) })

	minutes, nights = map[payKey]int{}, map[payKey]int{}
	type weekDay struct{ week, day calendar.Date } // a day counts in the week that the shift starts in
	ofDay, ofWeek, ofPeriod := map[weekDay]int{}, map[calendar.Date]int{}, map[string]int{}
	worked := map[calendar.Date]map[calendar.Date]bool{} // by first day of the week
	for _, x := range all {
		day := calendar.DateOf(x.Start, c.Location)
		week, workdays, normalWeek := slowWeek(c, day)
		if worked[week] == nil {
			worked[week] = map[calendar.Date]bool{}
		}
		counted := day // after the statutory holidays that it starts on, a shift works on the first day after them
		for c.Holidays.Kind(counted) == calendar.Statutory {
			counted = counted.Add(1)
		}
		if counted == day {
			worked[week][counted] = true
		}
		for at := x.Start; at.Before(x.End); at = at.Add(time.Minute) {
			if slices.ContainsFunc(x.unpaid, func(r calendar.Range) bool { return r.Contains(at) }) {
				continue
			}
			date := day
			if p.SplitAtMidnight {
				date = calendar.DateOf(at, c.Location)
			}
			if c.Holidays.Kind(date) != calendar.Statutory {
				worked[week][counted] = true
			}
			rests := len(worked[week]) > workdays
			if p.RestDays == RestDaysCalendar {
				rests = c.Holidays.Kind(date) == calendar.RestDay || c.Holidays.Kind(date) == calendar.Bridge
			}
			kind := PayNormal
			switch {
			case c.Holidays.Kind(date) == calendar.Statutory:
				kind = PayStatutory
			case person.Regime == PartTime:
			case person.Regime == Comprehensive:
				name, limit, carried := slowPeriod(c, day)
				if carried {
					break
				}
				if ofPeriod[name]++; ofPeriod[name] > limit {
					kind = PayExtended
				}
			case rests:
				kind = PayRestDay
			default:
				if ofDay[weekDay{week, counted}]++; ofDay[weekDay{week, counted}] > int(p.NormalDay/time.Minute) || ofWeek[week] >= normalWeek {
					kind = PayExtended
				} else {
					ofWeek[week]++
				}
			}
			if !c.Range.Contains(x.Start) {
				continue
			}
			minutes[payKey{date, kind}]++
			clock := at.In(c.Location)
			if m := time.Duration(clock.Hour()*60+clock.Minute()) * time.Minute; m < p.NightUntil || m >= p.NightFrom {
				nights[payKey{date, kind}]++
			}
		}
	}
	return minutes, nights
}

// slowWeek is the first day of the week of a day, its official workdays and its normal minutes: 40 hours, a
// make-up day adds one day's, a bridge day from Monday to Friday takes one away.
func slowWeek(c Case, day calendar.Date) (first calendar.Date, workdays, normal int) {
	for first = day; strings.ToLower(first.Weekday().String()) != c.Params.WeekStart; first = first.Add(-1) {
	}
	normal = int(c.Params.NormalWeek / time.Minute)
	for k := range 7 {
		d := first.Add(k)
		switch weekday := d.Weekday() != time.Saturday && d.Weekday() != time.Sunday; {
		case c.Holidays.Kind(d) == calendar.Makeup:
			workdays, normal = workdays+1, normal+int(c.Params.NormalDay/time.Minute)
		case (c.Holidays.Kind(d) == calendar.Bridge || c.Holidays.Kind(d) == calendar.Statutory) && weekday:
			normal -= int(c.Params.NormalDay / time.Minute)
		case c.Holidays.Kind(d) == calendar.Workday:
			workdays++
		}
	}
	return first, workdays, normal
}

// slowPeriod names the period of comprehensive hours that a day lies in, with its normal minutes less the hours
// brought from before it; carried is true for the days that these answer for.
func slowPeriod(c Case, day calendar.Date) (name string, limit int, carried bool) {
	of := func(d calendar.Date) (string, time.Duration) {
		period := c.Person.Period
		if period == "" {
			period = c.Params.ComprehensivePeriod
		}
		switch period {
		case ByWeek:
			first, _, _ := slowWeek(c, d)
			return first.String(), c.Params.ComprehensiveWeek
		case ByQuarter:
			return fmt.Sprint(d.Year, (d.Month-1)/3), c.Params.ComprehensiveQuarter
		case ByYear:
			return fmt.Sprint(d.Year), c.Params.ComprehensiveYear
		}
		return fmt.Sprint(d.Year, d.Month), c.Params.ComprehensiveMonth
	}
	name, normal := of(day)
	limit = int(normal / time.Minute)
	for _, x := range c.Person.Carried {
		if at, _ := of(x.Dates.From); at == name {
			limit -= int(x.Hours * 60)
		}
		carried = carried || x.Dates.Contains(day)
	}
	return name, limit, carried
}

// randomDays are some days of testRange, so that shifts lie behind them too.
func randomDays(t *rapid.T) calendar.Range {
	from := rapid.IntRange(0, 13).Draw(t, "from")
	until := rapid.IntRange(max(from+1, 6), 14).Draw(t, "until")
	return calendar.Range{Start: testRange.Start.AddDate(0, 0, from), End: testRange.Start.AddDate(0, 0, until)}
}

// What is listed, and its sum for an optimiser, is what counting every minute finds, for every person, roster and
// reading of the law.
func TestPayIsWhatCountingMinutesFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomFrame(t).params
		p.SplitAtMidnight = rapid.Bool().Draw(t, "split")
		p.RestDays = rapid.SampledFrom([]RestDayReading{RestDaysPlaced, RestDaysCalendar}).Draw(t, "rest days")
		c := Case{Person: randomPerson(t), Shifts: randomShifts(t), Range: randomDays(t), Holidays: testDays, Location: shanghai, Params: p}
		minutes, nights := slowPay(c)
		listed, atNight, sums := map[payKey]int{}, map[payKey]int{}, map[PayKind]int{}
		for _, part := range PayHours(c) {
			k := payKey{part.Date, part.Kind}
			listed[k] += int(part.Time / time.Minute)
			if part.Night > 0 {
				atNight[k] += int(part.Night / time.Minute)
			}
		}
		assert.Equal(t, minutes, listed)
		assert.Equal(t, nights, atNight)
		// The sum goes on after the range, as if it ended with the last shift.
		on := c
		on.Range.End = testRange.End.AddDate(0, 0, 30)
		minutes, _ = slowPay(on)
		for k, n := range minutes {
			sums[k.kind] += n
		}
		got := map[PayKind]int{}
		frame := NewFrame(c.Range, testDays, shanghai, p)
		for _, s := range NewJudge(frame, c.Person).Pay(dutiesOf(frame, c.Shifts)).Shares() {
			got[s.Percent] = s.Minutes
		}
		assert.Equal(t, sums, got)
	})
}

// A further shift never makes the others cheaper, which is what lets an optimiser look at the dearest last.
func TestAFurtherShiftNeverLowersThePremium(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		frame := NewFrame(randomDays(t), testDays, shanghai, randomFrame(t).params)
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

// Monday and Wednesday, the night of 3 to 4 October and the day of the 4th, in the week whose Thursday to Saturday are
// statutory: three worked days and 24 normal hours. The four hours after midnight and the eight of the day are twelve
// on the 4th, so four of them are 150 %. Whoever has worked the three workdays works these four on a rest day.
func TestHoursAfterAHolidayNightAreThoseOfTheirDay(t *testing.T) {
	frame := NewFrame(testRange, testDays, shanghai, DefaultParams())
	pay := func(shifts ...scheduling.Shift) PayMinutes { return NewJudge(frame, Person{ID: "a"}).PayShifts(shifts) }
	night := shift(33, 20, 8)
	assert.Equal(t, PayMinutes{Normal: 24 * 60, Extended: (2 + 4) * 60, Statutory: (2 + 4) * 60},
		pay(shift(28, 9, 8), shift(30, 14, 12), night, shift(34, 9, 8)))
	assert.Equal(t, PayMinutes{Normal: 24 * 60, RestDay: 4 * 60, Statutory: 4 * 60}, pay(append(days(9, 8, 28, 29, 30), night)...))
	assert.Equal(t, PayMinutes{Normal: 12 * 60, Statutory: 4 * 60}, pay(shift(28, 9, 8), night))
	whole := DefaultParams()
	whole.SplitAtMidnight = false // then all eight are those of the holiday
	judge := NewJudge(NewFrame(testRange, testDays, shanghai, whole), Person{ID: "a"})
	assert.Equal(t, PayMinutes{Normal: 24 * 60, RestDay: 8 * 60, Statutory: 8 * 60},
		judge.PayShifts(append(days(9, 8, 28, 29, 30, 34), night)))
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

// Five days of eight hours with Monday free, and three hours added there: the last of six days is the rest day, so the
// eight hours of the sixth leave the 100 % and the three of Monday come to it. Added on the last day, they are the
// rest-day work themselves and nothing needs to be explained. Counted by hand.
func TestAShortDayAddedEarlyMovesTheRestDay(t *testing.T) {
	person := Person{ID: "a", OvertimeAgreed: true}
	frame := NewFrame(calendar.Range{Start: shift(21, 0, 1).Start, End: shift(28, 0, 1).Start}, calendar.Holidays{}, shanghai, DefaultParams())
	judge := NewJudge(frame, person)
	change := func(worked []scheduling.Shift, added scheduling.Shift) PayMinutes {
		return judge.PayShifts(append(slices.Clone(worked), added)).Minus(judge.PayShifts(worked))
	}
	early := change(days(9, 8, 22, 23, 24, 25, 26), shift(21, 9, 3))
	assert.Equal(t, PayMinutes{Normal: (3 - 8) * 60, RestDay: 8 * 60}, early)
	says, ok := early.RestDayMoved()
	assert.True(t, ok)
	assert.Contains(t, says.EN, "200 %")
	assert.Contains(t, says.ZH, "200%")
	late := change(days(9, 8, 21, 22, 23, 24, 25), shift(26, 9, 3))
	assert.Equal(t, PayMinutes{RestDay: 3 * 60}, late)
	_, ok = late.RestDayMoved()
	assert.False(t, ok)
}
