package workrules

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones must be known on every machine

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// berlin judges October 2026 in a zone whose clocks go back on the 25th at 03:00 and went forward
// on 29 March at 02:00.
func berlin(t *testing.T, first calendar.Date, p Person, shifts ...scheduling.Shift) Case {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	p.ID = "a"
	return Case{
		Person: p, Shifts: shifts, Location: loc, Params: DefaultParams(),
		Range: calendar.Range{Start: first.In(loc), End: first.Add(14).In(loc)},
	}
}

// wall is a shift between two clock times of a zone.
func wall(t *testing.T, zone, from, until string) scheduling.Shift {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	require.NoError(t, err)
	parse := func(s string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15:04", s, loc)
		require.NoError(t, err)
		return at
	}
	return scheduling.Shift{Agent: "a", Start: parse(from), End: parse(until)}
}

func amounts(c Case, rule string) (out []float64) {
	for _, v := range Check(c) {
		if v.Rule == rule {
			out = append(out, v.Amount)
		}
	}
	return out
}

func TestClocksThatChange(t *testing.T) {
	const zone = "Europe/Berlin"
	autumn, spring := calendar.MakeDate(2026, 10, 19), calendar.MakeDate(2026, 3, 23)
	t.Run("22:00 to 06:00 lasts nine hours when clocks go back", func(t *testing.T) {
		c := berlin(t, autumn, Person{}, wall(t, zone, "2026-10-24 22:00", "2026-10-25 06:00"))
		assert.Equal(t, []float64{1}, amounts(c, "hours.daily"))
	})
	t.Run("and seven when they go forward", func(t *testing.T) {
		c := berlin(t, spring, Person{}, wall(t, zone, "2026-03-28 22:00", "2026-03-29 07:00"))
		assert.Empty(t, amounts(c, "hours.daily"))
	})
	t.Run("rest is elapsed time", func(t *testing.T) {
		c := berlin(t, spring, Person{}, wall(t, zone, "2026-03-28 15:00", "2026-03-28 23:00"), wall(t, zone, "2026-03-29 07:00", "2026-03-29 12:00"))
		assert.Equal(t, []float64{1}, amounts(c, "rest.between_block"), "23:00 to 07:00 is seven hours")
		c = berlin(t, autumn, Person{}, wall(t, zone, "2026-10-24 15:00", "2026-10-24 23:00"), wall(t, zone, "2026-10-25 06:00", "2026-10-25 12:00"))
		assert.Empty(t, amounts(c, "rest.between_block"), "23:00 to 06:00 is eight hours")
	})
	t.Run("the night and agreed hours go by the clock", func(t *testing.T) {
		p := Person{Conditions: []Condition{{Kind: Nursing, Dates: calendar.Dates{From: spring}}}, Agreements: []Agreement{{Dates: calendar.Dates{From: spring}, NotBefore: 6, NotAfter: 22}}}
		for _, day := range []string{"2026-03-29", "2026-10-25"} {
			first := spring
			if day > "2026-06" {
				first = autumn
			}
			legal := berlin(t, first, p, wall(t, zone, day+" 06:00", day+" 13:00"))
			assert.Empty(t, amounts(legal, "protected.night"), day)
			assert.Empty(t, amounts(legal, "agreement.clock"), day)
			early := berlin(t, first, p, wall(t, zone, day+" 05:30", day+" 13:00"))
			assert.Equal(t, []float64{1}, amounts(early, "protected.night"), day)
			assert.Equal(t, []float64{0.5}, amounts(early, "agreement.clock"), day)
			late := berlin(t, first, p, wall(t, zone, day+" 15:00", day+" 22:30"))
			assert.Equal(t, []float64{1}, amounts(late, "protected.night"), day)
			assert.Equal(t, []float64{0.5}, amounts(late, "agreement.clock"), day)
		}
	})
	t.Run("a shift that moves to another day keeps its clock time", func(t *testing.T) {
		p := Person{Agreements: []Agreement{{Dates: calendar.Dates{From: autumn}, DaysOff: []string{"saturday"}}}}
		c := berlin(t, autumn, p, wall(t, zone, "2026-10-24 09:00", "2026-10-24 17:00"))
		for _, r := range c.Remedies(only(t, c, "agreement.days_off")) {
			if r.Kind == MoveDay {
				assert.Equal(t, wall(t, zone, "2026-10-25 09:00", "2026-10-25 17:00").Start.Unix(), r.Changes[0].After.Start.Unix())
				return
			}
		}
		assert.Fail(t, "no other day was found")
	})
	t.Run("every minute of a long day is paid once", func(t *testing.T) {
		c := berlin(t, autumn, agreed, wall(t, zone, "2026-10-24 22:00", "2026-10-25 06:00"))
		sum, night := time.Duration(0), time.Duration(0)
		for _, part := range PayHours(c) {
			sum, night = sum+part.Time, night+part.Night
		}
		assert.Equal(t, 9*time.Hour, sum)
		assert.Equal(t, 9*time.Hour, night)
	})
}

// yearEnd judges the fortnight around 1 January 2027, a Friday, with the first as a statutory day.
func yearEnd(p Person, shifts ...scheduling.Shift) Case {
	c := caseOf(p, shifts...)
	c.Range = calendar.Range{Start: shift(119, 0, 1).Start, End: shift(133, 0, 1).Start} // Monday 28 December
	c.Holidays = calendar.NewHolidays("test", []calendar.Holiday{{Date: calendar.MakeDate(2027, 1, 1), Kind: calendar.Statutory, Name: "元旦"}})
	return c
}

// Day 123 of September is 1 January 2027.
func TestTheYearEnds(t *testing.T) {
	require.Equal(t, "2027-01-01", calendar.DateOf(shift(123, 0, 1).Start, shanghai).String())
	t.Run("the week goes on", func(t *testing.T) {
		c := yearEnd(Person{}, days(9, 8, 119, 120, 121, 122, 124, 125)...)
		assert.Equal(t, []float64{16}, amounts(c, "hours.weekly"), "six days in a week of four workdays, 32 h")
	})
	t.Run("the eve is not holiday work, the hours after midnight are", func(t *testing.T) {
		assert.Empty(t, amounts(yearEnd(Person{}, shift(122, 16, 8)), "holidays.agreed"))
		assert.Equal(t, []float64{6}, amounts(yearEnd(Person{}, shift(122, 22, 8)), "holidays.agreed"))
		parts := PayHours(yearEnd(agreed, shift(122, 22, 8)))
		require.Len(t, parts, 2)
		assert.Equal(t, PayPart{Date: calendar.MakeDate(2026, 12, 31), Kind: PayNormal, Time: 2 * time.Hour, Night: 2 * time.Hour}, parts[0])
		assert.Equal(t, PayPart{Date: calendar.MakeDate(2027, 1, 1), Kind: PayStatutory, Time: 6 * time.Hour, Night: 6 * time.Hour}, parts[1])
	})
	t.Run("months, quarters and years begin anew", func(t *testing.T) {
		for _, period := range []Period{ByMonth, ByQuarter, ByYear} {
			p := Person{Regime: Comprehensive, Period: period, Carried: []Carried{{
				Dates: calendar.Dates{From: calendar.MakeDate(2026, 12, 1), Until: calendar.MakeDate(2026, 12, 28)}, Hours: 1976,
			}}}
			assert.Empty(t, amounts(yearEnd(p, days(9, 8, 124, 125)...), "hours.comprehensive_period"), period)
			assert.NotEmpty(t, amounts(yearEnd(p, days(9, 8, 119, 120)...), "hours.comprehensive_period"), period)
		}
	})
	t.Run("overtime of December is not January's", func(t *testing.T) {
		// 26 December is a sixth day; 2 and 3 January are beyond the four workdays of their week, which has the holiday
		// on its Friday; 9 January is a sixth day again.
		c := yearEnd(agreed, append(days(9, 8, 112, 113, 114, 115, 116, 117, 119, 120, 121, 122, 124, 125), days(9, 8, 126, 127, 128, 129, 130, 131)...)...)
		c.Params.OvertimeMonth = 12 * time.Hour
		assert.Equal(t, []float64{12}, amounts(c, "hours.overtime_monthly"), "2, 3 and 9 January, 24 h of 12 h")
		c.Params.OvertimeMonth = 24 * time.Hour
		assert.Empty(t, amounts(c, "hours.overtime_monthly"))
	})
	t.Run("somebody born on 29 February", func(t *testing.T) {
		p := Person{Born: calendar.MakeDate(2012, 2, 29)} // 16 on 29 February 2028
		c := caseOf(p, shift(21, 9, 8))
		assert.Len(t, amounts(c, "minors.age"), 1)
		assert.Equal(t, "2027-03-01", p.birthday(15).String())
	})
}
