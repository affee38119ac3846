package workrules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

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

	t.Run("three kinds of day: holiday, bridge, make-up", func(t *testing.T) {
		calendarDays := func(p *Params) { p.RestDays = RestDaysCalendar }
		assert.Equal(t, map[string]float64{key("2026-10-01", 300): 8}, pay(days(9, 8, 31), calendarDays))
		assert.Equal(t, map[string]float64{key("2026-10-04", 200): 8}, pay(days(9, 8, 34), calendarDays))
		assert.Equal(t, map[string]float64{key("2026-09-26", 200): 8}, pay(days(9, 8, 26), calendarDays), "an ordinary Saturday")
		// A rest day over midnight into a workday is split too.
		assert.Equal(t, map[string]float64{key("2026-09-27", 200): 2, key("2026-09-28", 100): 6}, pay(days(22, 8, 27), calendarDays))
	})
	t.Run("the holiday week has three workdays, the bridge Sunday is the fourth", func(t *testing.T) {
		got := pay(days(9, 8, 28, 29, 30, 34), nil)
		assert.Equal(t, 8.0, got[key("2026-10-04", 200)])
		assert.Equal(t, 8.0, got[key("2026-09-30", 100)])
	})
	t.Run("whoever rests on a workday of it works the bridge Sunday at 100", func(t *testing.T) {
		assert.Equal(t, 8.0, pay(days(9, 8, 29, 30, 34), nil)[key("2026-10-04", 100)])
	})
	t.Run("part-time hours have no 150 or 200", func(t *testing.T) {
		c := caseOf(Person{Regime: PartTime}, days(9, 5, 21, 22, 23, 24, 25, 26, 31)...)
		for _, part := range PayHours(c) {
			want := PayNormal
			if part.Date == calendar.MakeDate(2026, 10, 1) {
				want = PayStatutory
			}
			assert.Equal(t, want, part.Kind, part.Date)
		}
	})
	t.Run("comprehensive hours: 150 beyond the period, 300 on holidays, never 200", func(t *testing.T) {
		// 160 h carried, 165 h 20 min are normal: 5 h 20 min of the first day's 8 h, then the weekend.
		c := caseOf(comprehensive(ByMonth, september, 160), days(9, 8, 21, 26, 31)...)
		minutes := map[string]float64{}
		for _, part := range PayHours(c) {
			minutes[key(part.Date.String(), part.Kind)] += part.Time.Minutes()
		}
		assert.Equal(t, map[string]float64{
			key("2026-09-21", 100): 320, key("2026-09-21", 150): 160, key("2026-09-26", 150): 480, key("2026-10-01", 300): 480,
		}, minutes)
	})
	t.Run("training outside the shift is paid", func(t *testing.T) {
		c := caseOf(Person{Sessions: session(21, 7, 2)}, shift(21, 9, 8))
		parts := PayHours(c)
		assert.Len(t, parts, 2)
		assert.Equal(t, 8*time.Hour, parts[0].Time)
		assert.Equal(t, PayPart{Date: calendar.MakeDate(2026, 9, 21), Kind: PayExtended, Time: 2 * time.Hour}, parts[1])
	})
	t.Run("night minutes of the allowance", func(t *testing.T) {
		parts := PayHours(caseOf(Person{}, shift(21, 20, 4)))
		assert.Equal(t, []PayPart{{Date: calendar.MakeDate(2026, 9, 21), Kind: PayNormal, Time: 4 * time.Hour, Night: 2 * time.Hour}}, parts)
	})
}
