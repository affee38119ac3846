package workrules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

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
}
