package forecast_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Spring Festival leave of 2021 and 2022 teaches that of 2023, which lies ten days earlier on the solar
// calendar than the year before.
func TestALunarHolidayMovesWithTheYear(t *testing.T) {
	first := time.Date(2020, 6, 1, 0, 0, 0, 0, time.UTC)
	begins := []time.Time{
		time.Date(2021, 2, 11, 0, 0, 0, 0, time.UTC), time.Date(2022, 1, 31, 0, 0, 0, 0, time.UTC), time.Date(2023, 1, 21, 0, 0, 0, 0, time.UTC),
	}
	shape := []float64{60, 30, 30, 40, 50, 60, 80}
	var table []calendar.Holiday
	for _, b := range begins {
		for i := range shape {
			table = append(table, calendar.Holiday{Date: calendar.DateOf(b.AddDate(0, 0, i), time.UTC), Kind: calendar.Statutory, Name: "春节"})
		}
	}
	history, err := forecast.NewBuilder(day, time.UTC)
	require.NoError(t, err)
	for at := first; at.Before(time.Date(2023, 1, 9, 0, 0, 0, 0, time.UTC)); at = at.Add(day) {
		value := 200.0
		for _, b := range begins {
			if i := int(at.Sub(b) / day); !at.Before(b) && i < len(shape) {
				value = shape[i]
			}
		}
		require.NoError(t, history.Add(at, value))
	}
	r, err := forecast.Run(history.Series("q"), forecast.Options{Horizon: 35 * day, Holidays: calendar.NewHolidays("test", table)})
	require.NoError(t, err)
	require.Len(t, r.Days, 35)
	for _, p := range r.Days {
		want := 200.0
		if i := int(p.Start.Sub(begins[2]) / day); !p.Start.Before(begins[2]) && i < len(shape) {
			want = shape[i]
		}
		assert.InDelta(t, want, p.Mean, 0.15*want+5, p.Start.Format(time.DateOnly))
	}
}
