package forecast_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// eveningSale is a sale from 20:00 to 20:00 whose second phase opens at 14:00.
func eveningSale(day int) forecast.Event {
	start, end := dayOf(day).Add(20*time.Hour), dayOf(day+4).Add(20*time.Hour)
	turn := dayOf(day + 2).Add(14 * time.Hour)
	return forecast.Event{Family: "live", Start: start, End: end, Phases: []forecast.Phase{
		{Kind: "presale", Start: start, End: turn}, {Kind: "spot", Start: turn, End: end},
	}}
}

func startingIn(points []scheduling.Point, span calendar.Range) (sum float64) {
	for _, p := range points {
		if span.Contains(p.Start) {
			sum += p.Mean
		}
	}
	return sum
}

// TestEventTotalsFollowInstants: a sale from 20:00 is counted from 20:00, phases meet where they
// meet, and together they are the event.
func TestEventTotalsFollowInstants(t *testing.T) {
	s := steady(t, time.Hour, 140, func(d, k int) float64 {
		v := 100 + float64((d*7919+k*104729)%13)
		if at := d*24 + k; at >= 60*24+20 && at < 64*24+20 {
			v *= 3
		}
		return v
	})
	past, next := eveningSale(60), eveningSale(140)
	r, err := forecast.Run(s, forecast.Options{Horizon: 7 * day, Events: []forecast.Event{past, next}})
	require.NoError(t, err)
	require.Len(t, r.Events, 1)
	e := r.Events[0]
	assert.True(t, e.From.Equal(next.Start) && e.Until.Equal(next.End), "%s to %s", e.From, e.Until)
	assert.False(t, e.WholeDays)
	span := calendar.Range{Start: next.Start, End: next.End}
	assert.InEpsilon(t, startingIn(r.Curve.Points, span), e.Total.Mean, 1e-9)
	assert.True(t, e.Total.Start.Equal(next.Start))
	require.Len(t, e.Phases, 2)
	for i, p := range e.Phases {
		phase := next.Phases[i]
		assert.True(t, p.From.Equal(phase.Start) && p.Until.Equal(phase.End))
		assert.InEpsilon(t, startingIn(r.Curve.Points, calendar.Range{Start: phase.Start, End: phase.End}), p.Total.Mean, 1e-9)
	}
	assert.InEpsilon(t, e.Total.Mean, e.Phases[0].Total.Mean+e.Phases[1].Total.Mean, 1e-9)

	// An adjustment of the phase moves just that total, by just as much.
	spans, err := forecast.Target{Family: "live", Phase: "spot"}.Place(time.UTC, []forecast.Event{next})
	require.NoError(t, err)
	a, err := forecast.Adjust(forecast.Base{Curve: r.Curve, Days: r.Days}, []forecast.Layer{
		{ID: "l", Kind: forecast.LayerPercent, Amount: 10, Target: forecast.Target{Family: "live", Phase: "spot"}, Spans: spans, Reason: "r"},
	})
	require.NoError(t, err)
	moved := a.Events(r.Events)[0]
	assert.InEpsilon(t, 1.1*e.Phases[1].Total.Mean, moved.Phases[1].Total.Mean, 1e-9)
	assert.Equal(t, e.Phases[0].Total.Mean, moved.Phases[0].Total.Mean)
	assert.InEpsilon(t, e.Total.Mean+0.1*e.Phases[1].Total.Mean, moved.Total.Mean, 1e-9)
}

// TestEventTotalsByDay: without hours the days count whose noon lies in the span, as a whole; a
// live stream of an evening counts for its day. Adjustments touch the same days.
func TestEventTotalsByDay(t *testing.T) {
	s := steady(t, day, 140, func(d, _ int) float64 {
		v := 1000 + float64(d*7919%13)
		if d > 60 && d <= 64 {
			v *= 3
		}
		return v
	})
	past, next := eveningSale(60), eveningSale(140)
	stream := forecast.Event{Family: "stream", Start: dayOf(146).Add(19 * time.Hour), End: dayOf(146).Add(23 * time.Hour)}
	r, err := forecast.Run(s, forecast.Options{Horizon: 8 * day, Events: []forecast.Event{past, next, stream}})
	require.NoError(t, err)
	require.Len(t, r.Events, 2)
	e := r.Events[0]
	// 20:00 of day 140 to 20:00 of day 144: noons of days 141 to 144. The presale ends at 14:00 of
	// day 142, which is after its noon.
	assert.True(t, e.WholeDays)
	assert.True(t, e.From.Equal(dayOf(141)) && e.Until.Equal(dayOf(145)), "%s to %s", e.From, e.Until)
	assert.InEpsilon(t, startingIn(r.Curve.Points, calendar.Range{Start: dayOf(141), End: dayOf(145)}), e.Total.Mean, 1e-9)
	require.Len(t, e.Phases, 2)
	assert.True(t, e.Phases[0].From.Equal(dayOf(141)) && e.Phases[0].Until.Equal(dayOf(143)))
	assert.True(t, e.Phases[1].From.Equal(dayOf(143)) && e.Phases[1].Until.Equal(dayOf(145)))
	assert.InEpsilon(t, e.Total.Mean, e.Phases[0].Total.Mean+e.Phases[1].Total.Mean, 1e-9)
	assert.True(t, r.Events[1].From.Equal(dayOf(146)) && r.Events[1].Until.Equal(dayOf(147)))

	layer := func(f forecast.Target, per forecast.LayerKind, amount float64) forecast.Layer {
		spans, err := f.Place(time.UTC, []forecast.Event{next, stream})
		require.NoError(t, err)
		return forecast.Layer{ID: "l", Kind: per, Amount: amount, Target: f, Spans: spans, Reason: "r"}
	}
	a, err := forecast.Adjust(forecast.Base{Curve: r.Curve, Days: r.Days}, []forecast.Layer{
		layer(forecast.Target{Family: "live", Phase: "presale"}, forecast.LayerPercent, 10), layer(forecast.Target{Family: "stream"}, forecast.LayerAbsolute, 500),
	})
	require.NoError(t, err)
	moved := a.Events(r.Events)
	assert.InEpsilon(t, 1.1*e.Phases[0].Total.Mean, moved[0].Phases[0].Total.Mean, 1e-9)
	assert.InEpsilon(t, e.Total.Mean+0.1*e.Phases[0].Total.Mean, moved[0].Total.Mean, 1e-9)
	assert.InEpsilon(t, r.Events[1].Total.Mean+500, moved[1].Total.Mean, 1e-9)
}

// TestPartOfADayIsLessSure: of a day whose total is known the first half still is not, so a part
// has the wider relative spread; its P90 covers nine of ten fresh halves.
func TestPartOfADayIsLessSure(t *testing.T) {
	covered, n := 0, 0
	for seed := range 60 {
		random := newLCG(uint64(seed + 7))
		values := make([]float64, 100*24)
		for i := range values {
			values[i] = count(random, 40*math.Exp(0.3*(random.float()+random.float()-1)))
		}
		s := steady(t, time.Hour, 100, func(d, k int) float64 { return values[d*24+k] })
		half := forecast.Event{Family: "live", Start: dayOf(98), End: dayOf(98).Add(12 * time.Hour)}
		whole := forecast.Event{Family: "other", Start: dayOf(98), End: dayOf(99)}
		r, err := forecast.Run(s, forecast.Options{Origin: dayOf(98), Horizon: 2 * day, Events: []forecast.Event{half, whole}})
		require.NoError(t, err)
		var actual float64
		for k := range 12 {
			actual += values[98*24+k]
		}
		part, all := r.Events[0].Total, r.Events[1].Total
		require.Greater(t, part.Quantiles[2]/part.Mean, all.Quantiles[2]/all.Mean)
		if n++; actual <= part.Quantiles[2] {
			covered++
		}
	}
	assert.GreaterOrEqual(t, float64(covered)/float64(n), 0.8)
}
