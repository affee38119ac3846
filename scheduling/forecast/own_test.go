package forecast_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/forecast"
)

// TestSeriesOfABatchKeepItsOwnHours has two queues with different open hours and histories to exclude
// in one batch: each is forecast in its own hours, and a series' own options are those of Run.
func TestSeriesOfABatchKeepItsOwnHours(t *testing.T) {
	early, err := forecast.ParseHours("Mon-Sun 08:00-12:00")
	require.NoError(t, err)
	late, err := forecast.ParseHours("Mon-Sun 18:00-24:00")
	require.NoError(t, err)
	shape := func(from, until int) forecast.Series {
		return steady(t, time.Hour, 60, func(_, k int) float64 {
			if k >= from && k < until {
				return 20
			}
			return 0
		})
	}
	bad := []forecast.Exclusion{{From: monday.AddDate(0, 0, 50), To: monday.AddDate(0, 0, 52), Reason: "导入错误"}}
	a, b := shape(8, 12), shape(18, 24)
	a.Hours, b.Hours, b.Exclude = early, late, bad
	out, err := forecast.RunAll(t.Context(), []forecast.Series{a, b}, forecast.Options{Horizon: 3 * day}, nil)
	require.NoError(t, err)
	for i, hours := range []forecast.Hours{early, late} {
		require.NoError(t, out[i].Err)
		assert.Equal(t, hours.String(), out[i].Result.Hours)
		for _, p := range out[i].Result.Curve.Points {
			assert.True(t, hours.Open(p.Start.Weekday(), p.Start.Hour()*60), p.Start)
			assert.InEpsilon(t, 20, p.Mean, 0.05, p.Start)
		}
	}
	assert.Empty(t, out[0].Result.Excluded)
	require.Len(t, out[1].Result.Excluded, 1)

	alone, err := forecast.Run(b, forecast.Options{Horizon: 3 * day})
	require.NoError(t, err)
	b.Hours, b.Exclude = forecast.Hours{}, nil
	same, err := forecast.Run(b, forecast.Options{Horizon: 3 * day, Hours: late, Exclude: bad})
	require.NoError(t, err)
	assert.Equal(t, same, alone)
}
