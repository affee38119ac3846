package forecast_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// TestAForeignHolidayTableIsLeftOut: when the long holidays of the table passed like ordinary weeks, the
// forecast is that without a table and says so; when they moved the contacts, or the queue was closed, or
// only one has passed, the table stays.
func TestAForeignHolidayTableIsLeftOut(t *testing.T) {
	var days []calendar.Holiday
	golden := func(d int) bool { return d%180 >= 100 && d%180 < 107 } // a week off every half year
	for d := range 800 {
		if golden(d) {
			days = append(days, calendar.Holiday{Date: calendar.DateOf(dayOf(d), time.UTC), Kind: calendar.Statutory, Name: "国庆节"})
		}
	}
	table := calendar.NewHolidays("test", days)
	queue := func(length int, factor float64) forecast.Series {
		random := newLCG(11)
		return steady(t, day, length, func(d, _ int) float64 {
			mean := 400.0 + 100*float64(d%7/5)
			if golden(d) {
				mean *= factor
			}
			return count(random, mean)
		})
	}
	leftOut := func(s forecast.Series) (forecast.Result, bool) {
		r, err := forecast.Run(s, forecast.Options{Horizon: 28 * day, Holidays: table})
		require.NoError(t, err)
		return r, strings.Contains(strings.Join(r.Doubts, "\n"), "the holiday table was left out")
	}
	r, out := leftOut(queue(630, 1))
	assert.True(t, out)
	none, err := forecast.Run(queue(630, 1), forecast.Options{Horizon: 28 * day})
	require.NoError(t, err)
	assert.Equal(t, none.Curve, r.Curve)
	for name, s := range map[string]forecast.Series{"a fall by a third": queue(630, 0.67), "half as much again": queue(630, 1.5), "a fall of eight per cent, far beyond chance": queue(630, 0.92), "one holiday so far": queue(200, 1)} {
		_, out := leftOut(s)
		assert.False(t, out, name)
	}
	closed := queue(630, 1)
	for d := range closed.Values {
		if golden(d) {
			closed.Values[d] = math.NaN()
		}
	}
	_, out = leftOut(closed)
	assert.False(t, out, "closed")
}
