package forecast_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// livesFor is a daily series of a constant size that lives in the days [from, to).
func livesFor(t *testing.T, name string, size float64, from, to int, path ...string) forecast.Series {
	t.Helper()
	b, err := forecast.NewBuilder(24*time.Hour, time.UTC)
	require.NoError(t, err)
	for d := from; d < to; d++ {
		require.NoError(t, b.Add(dayOf(d), size+float64(d%5)-2))
	}
	s := b.Series(ids.Queue(name))
	s.Path = path
	return s
}

func weekOf(t *testing.T, series ...forecast.Series) forecast.Batch {
	t.Helper()
	b, err := forecast.RunBatch(t.Context(), series, forecast.Options{Horizon: 7 * 24 * time.Hour, Holidays: calendar.Holidays{}}, nil)
	require.NoError(t, err)
	for _, o := range b.Outcomes {
		require.NoError(t, o.Err)
	}
	return b
}

func meanOf(r forecast.Result) (sum float64) {
	for _, p := range r.Curve.Points {
		sum += p.Mean
	}
	return sum / 7
}

// TestBatchNewborn: a neighbour that came lately adds its own size and takes nothing from others.
func TestBatchNewborn(t *testing.T) {
	for _, history := range []int{50, 120} {
		for _, age := range []int{2, 5, 10, 20, 30} {
			b := weekOf(t, livesFor(t, "old", 1000, 0, history), livesFor(t, "new", 500, history-age, history))
			assert.InEpsilon(t, 1000, meanOf(b.Outcomes[0].Result), 0.02, "%d of %d days", age, history)
			assert.InEpsilon(t, 500, meanOf(b.Outcomes[1].Result), 0.04, "%d of %d days", age, history)
			require.Len(t, b.Totals, 1)
			for i, p := range b.Totals[0].Result.Curve.Points {
				sum := b.Outcomes[0].Result.Curve.Points[i].Mean + b.Outcomes[1].Result.Curve.Points[i].Mean
				assert.InEpsilon(t, sum, p.Mean, 1e-9)
			}
			assert.Contains(t, strings.Join(b.Outcomes[1].Result.Doubts, "\n"), "forecast from its own records and added to the sum")
			assert.NotContains(t, strings.Join(b.Outcomes[0].Result.Doubts, "\n"), "added to the sum")
		}
	}
}

// TestBatchNewbornBelow: a new shop of an old merchant, and a new merchant of two shops, reach the
// sums above them, with a spread no narrower than that of the new shop alone.
func TestBatchNewbornBelow(t *testing.T) {
	b := weekOf(t,
		livesFor(t, "a1", 1000, 0, 80, "a"), livesFor(t, "a2", 300, 75, 80, "a"),
		livesFor(t, "b1", 200, 73, 80, "b"), livesFor(t, "b2", 100, 73, 80, "b"), livesFor(t, "c1", 400, 0, 80, "c"))
	want := map[string]float64{"": 2000, "a": 1300, "b": 300, "c": 400}
	require.Len(t, b.Totals, 4)
	for _, total := range b.Totals {
		label := strings.Join(total.Path, "/")
		assert.InEpsilon(t, want[label], meanOf(total.Result), 0.03, label)
		for i, p := range total.Result.Days {
			var sum float64
			for k, s := range b.Outcomes {
				if label == "" || [...]string{"a", "a", "b", "b", "c"}[k] == label {
					sum += s.Result.Days[i].Mean
				}
			}
			assert.InEpsilon(t, sum, p.Mean, 1e-9, label)
		}
	}
	width := func(r forecast.Result) float64 { q := r.Days[0].Quantiles; return q[len(q)-1] - q[0] }
	assert.GreaterOrEqual(t, width(b.Totals[0].Result), 0.95*width(b.Outcomes[1].Result))
}

// TestBatchEnded: a neighbour without contacts for two weeks has ended, unless it has been silent
// as long before, and its end is no fall of the others.
func TestBatchEnded(t *testing.T) {
	for _, silent := range []int{14, 20, 27, 30, 40} {
		b := weekOf(t, livesFor(t, "stays", 1000, 0, 120), livesFor(t, "ends", 500, 0, 120-silent))
		assert.InEpsilon(t, 1000, meanOf(b.Outcomes[0].Result), 0.02, "%d days", silent)
		assert.Zero(t, meanOf(b.Outcomes[1].Result), "%d days", silent)
		assert.Contains(t, strings.Join(b.Outcomes[1].Result.Doubts, "\n"), "taken as ended")
	}
	pauses := livesFor(t, "pauses", 500, 0, 105)
	for d := 30; d < 50; d++ {
		pauses.Values[d] = math.NaN()
	}
	b := weekOf(t, livesFor(t, "stays", 1000, 0, 120), pauses)
	assert.NotContains(t, strings.Join(b.Outcomes[1].Result.Doubts, "\n"), "taken as ended")
}

// TestBatchStopped: a neighbour that fell silent a week to a fortnight ago may have ended or not. What it
// leaves behind is no fall of the sum and no growth of the others; its own forecast stands, with a doubt. A
// queue that pauses that long now and then has not stopped.
func TestBatchStopped(t *testing.T) {
	for _, silent := range []int{7, 8, 10, 13} {
		b := weekOf(t, livesFor(t, "stays", 1000, 0, 120), livesFor(t, "also", 300, 0, 120), livesFor(t, "stops", 500, 0, 120-silent))
		assert.InEpsilon(t, 1000, meanOf(b.Outcomes[0].Result), 0.02, "%d days", silent)
		assert.InEpsilon(t, 300, meanOf(b.Outcomes[1].Result), 0.02, "%d days", silent)
		assert.InEpsilon(t, 500, meanOf(b.Outcomes[2].Result), 0.02, "%d days", silent)
		assert.InEpsilon(t, 1800, meanOf(b.Totals[0].Result), 0.02, "%d days", silent)
		assert.Contains(t, strings.Join(b.Outcomes[2].Result.Doubts, "\n"), "after two weeks it is taken as ended")
	}
	pauses := livesFor(t, "pauses", 500, 0, 111)
	for d := 30; d < 34; d++ {
		pauses.Values[d] = math.NaN()
	}
	b := weekOf(t, livesFor(t, "stays", 1000, 0, 120), pauses)
	assert.NotContains(t, strings.Join(b.Outcomes[1].Result.Doubts, "\n"), "taken as ended", "9 days after 4 are no end")
}

// TestBatchNewbornOpensTheSum: the sum is open on the days only the newborn works.
func TestBatchNewbornOpensTheSum(t *testing.T) {
	old := livesFor(t, "old", 1000, 0, 70)
	for d := range 70 {
		if dayOf(d).Weekday() == time.Sunday {
			old.Values[d] = math.NaN()
		}
	}
	b := weekOf(t, old, livesFor(t, "new", 500, 60, 70))
	require.Len(t, b.Outcomes[0].Result.Curve.Points, 6)
	require.Len(t, b.Totals[0].Result.Curve.Points, 7)
	assert.InEpsilon(t, meanOf(b.Outcomes[0].Result)+meanOf(b.Outcomes[1].Result), meanOf(b.Totals[0].Result), 1e-9)
}
