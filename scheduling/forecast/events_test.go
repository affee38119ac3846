package forecast_test

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

func dayOf(n int) time.Time { return monday.AddDate(0, 0, n) }

// happening is an event over the days [from, to).
func happening(family string, from, to int) forecast.Event {
	return forecast.Event{Family: family, Start: dayOf(from), End: dayOf(to)}
}

// TestHoursFollowTheOpening plants a rush of four hours at five times the base after an opening
// at midnight. The next opening is at 20:00, so the rush belongs to that evening and the night
// after it is quiet again.
func TestHoursFollowTheOpening(t *testing.T) {
	s := steady(t, time.Hour, 110, func(d, k int) float64 {
		v := 1000 + float64((d*7919+k*104729)%11)
		if d == 62 && k < 4 {
			v *= 5
		}
		return v
	})
	past, next := happening("live", 60, 65), happening("live", 110, 115)
	past.Openings = []time.Time{dayOf(62)}
	next.Openings = []time.Time{dayOf(111).Add(20 * time.Hour)}
	r, err := forecast.Run(s, forecast.Options{Horizon: 6 * day, Events: []forecast.Event{past, next}})
	require.NoError(t, err)
	requireSane(t, r)
	for _, p := range r.Curve.Points {
		since := p.Start.Sub(next.Openings[0])
		want := 1005.0
		if since >= 0 && since < 4*time.Hour {
			want *= 5
		}
		assert.InEpsilon(t, want, p.Mean, 0.12, p.Start)
	}
}

// TestOpeningsAlignDays moves the opening inside a longer event: the peak follows it.
func TestOpeningsAlignDays(t *testing.T) {
	s := steady(t, day, 150, func(d, _ int) float64 {
		if d == 63 {
			return 5000
		}
		return 1000 + float64(d*7919%11)
	})
	past, next := happening("live", 60, 70), happening("live", 150, 172)
	past.Openings = []time.Time{dayOf(62).Add(20 * time.Hour)}
	next.Openings = []time.Time{dayOf(159)}
	r, err := forecast.Run(s, forecast.Options{Horizon: 22 * day, Events: []forecast.Event{past, next}})
	require.NoError(t, err)
	for i, p := range r.Days {
		if i == 9 {
			assert.InEpsilon(t, 5000, p.Mean, 0.12)
		} else {
			assert.InEpsilon(t, 1000, p.Mean, 0.05, "day %d", i)
		}
	}
}

// TestPlannedScale: 2^0.9 - 1 is the planned growth of the contacts above the base when nothing
// has taught the elasticity of orders; a past occurrence that was planned at twice and came out
// the same teaches 0, which against the prior leaves 0.45/(0.5+ln(2)^2).
func TestPlannedScale(t *testing.T) {
	inside := func(d int) bool { return d%60 >= 40 && d%60 < 44 }
	s := steady(t, day, 158, func(d, _ int) float64 {
		v := 1000 + float64(d*7919%11)
		if inside(d) {
			v *= 3
		}
		return v
	})
	events := []forecast.Event{happening("live", 40, 44), happening("live", 100, 104), happening("live", 160, 164)}
	total := func() (float64, forecast.EventUplift) {
		r, err := forecast.Run(s, forecast.Options{Horizon: 6 * day, Events: events})
		require.NoError(t, err)
		require.Len(t, r.Events, 1)
		return r.Events[0].Total.Mean - 4*1005, r.Model.Events[0]
	}
	plain, _ := total()
	events[2].Scale, events[2].ScaleOf = 2, forecast.ScaleOrders
	scaled, u := total()
	assert.InEpsilon(t, math.Pow(2, 0.9), scaled/plain, 0.01)
	assert.False(t, u.Learned)
	events[1].Scale, events[1].ScaleOf = 2, forecast.ScaleOrders
	_, u = total()
	assert.True(t, u.Learned)
	assert.InEpsilon(t, 0.45/(0.5+math.Ln2*math.Ln2), u.Elasticity, 0.02)

	events[2].Scale, events[2].ScaleOf = -1, "luck"
	err := forecast.ValidateEvents(events)
	require.Equal(t, "forecast.events", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 2)
}

// merchants are series of one promotion (days 60-64) at three times the base, each with its own
// answer to it, of very different size; the last one was not there yet.
func merchants(t *testing.T, n int) (series []forecast.Series, factors []float64) {
	t.Helper()
	for i := range n {
		random := newLCG(uint64(i + 1))
		base := []float64{4, 40, 4000}[i%3]
		factor := 3 * math.Exp(0.3*(2*random.float()-1))
		from := 0
		if i == n-1 {
			from = 70
		}
		s := steady(t, day, 120, func(d, _ int) float64 {
			switch {
			case d < from:
				return math.NaN()
			case d >= 60 && d < 65:
				return count(random, base*factor)
			}
			return count(random, base)
		})
		series, factors = append(series, s), append(factors, factor)
	}
	return series, factors
}

// count is Poisson, by its normal limit when large.
func count(random *lcg, mean float64) float64 {
	if mean < 200 {
		return random.poisson(mean)
	}
	var z float64
	for range 12 {
		z += random.float()
	}
	return math.Round(mean + (z-6)*math.Sqrt(mean))
}

func TestPoolTeachesTheSmallAndTheNew(t *testing.T) {
	series, factors := merchants(t, 60)
	o := forecast.Options{Horizon: 7 * day, Events: []forecast.Event{happening("live", 60, 65), happening("live", 120, 125)}}
	b, err := forecast.RunBatch(t.Context(), series, o, nil)
	require.NoError(t, err)
	var alone, pooled float64
	for i, out := range b.Outcomes {
		require.NoError(t, out.Err)
		requireSane(t, out.Result)
		u := out.Result.Model.Events[0]
		switch {
		case i == len(series)-1:
			assert.Equal(t, "pool", u.Source)
			assert.InDelta(t, math.Log(3), math.Log(u.Peak), 0.15)
			assert.Contains(t, strings.Join(out.Result.Doubts, "\n"), "no past occurrence of its own")
		case i%3 == 2:
			assert.InDelta(t, math.Log(factors[i]), math.Log(u.Peak), 0.12, "a large series believes itself")
		case i%3 == 0:
			r, err := forecast.Run(series[i], o)
			require.NoError(t, err)
			alone += math.Abs(math.Log(r.Events[0].Total.Mean / (5 * 4 * factors[i])))
			pooled += math.Abs(math.Log(out.Result.Events[0].Total.Mean / (5 * 4 * factors[i])))
		}
	}
	assert.Less(t, pooled, alone, "a small series gains from the pool")
}

// TestPriorIsData learns a prior, stores it as JSON, and forecasts a queue that was never there.
func TestPriorIsData(t *testing.T) {
	series, _ := merchants(t, 12)
	for i := range series {
		series[i].Category = []string{"shoes", "tea"}[i%2]
	}
	o := forecast.Options{Horizon: 7 * day, Events: []forecast.Event{happening("live", 60, 65), happening("live", 120, 125)}}
	prior, err := forecast.LearnEvents(t.Context(), series, o)
	require.NoError(t, err)
	require.Len(t, prior.Curves, 3, "all, shoes and tea")
	text, err := json.Marshal(prior)
	require.NoError(t, err)
	var back forecast.EventPrior
	require.NoError(t, json.Unmarshal(text, &back))
	young := steady(t, day, 40, func(d, _ int) float64 { return 500 + float64(d*7919%7) })
	for i := range young.Values { // the queue starts after the past event
		young.Values[i] = 500 + float64(i%7)
	}
	young.First, young.Until = series[0].First, time.Time{}
	young.Values = append(nansOf(80), young.Values...)
	young.Category = "tea"
	o.Prior = &back
	r, err := forecast.Run(young, o)
	require.NoError(t, err)
	assert.Equal(t, "pool", r.Model.Events[0].Source)
	assert.InDelta(t, math.Log(3), math.Log(r.Model.Events[0].Peak), 0.25)
	back.Curves[0].Days[3].Log = math.Inf(1)
	_, err = forecast.Run(young, o)
	require.Equal(t, "forecast.options", fault.CodeOf(err))
}

func nansOf(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = math.NaN()
	}
	return v
}

// TestUnseenFamilies walks down what an event without a past takes its uplift from.
func TestUnseenFamilies(t *testing.T) {
	s := steady(t, day, 150, func(d, _ int) float64 {
		v := 1000 + float64(d*7919%11)
		if d >= 60 && d < 65 {
			v *= 4
		}
		return v
	})
	run := func(events ...forecast.Event) forecast.Result {
		r, err := forecast.Run(s, forecast.Options{Horizon: 14 * day, Events: events})
		require.NoError(t, err)
		requireSane(t, r)
		return r
	}
	r := run(happening("99", 60, 65), happening("new", 152, 157))
	assert.Equal(t, "other families", r.Model.Events[0].Source)
	assert.Contains(t, strings.Join(r.Doubts, "\n"), "borrowed from 1 occurrences of other families")
	assert.Greater(t, r.Model.Events[0].Peak, 2.0)
	assert.Less(t, r.Model.Events[0].Peak, 4.0, "another family is believed less")

	r = run(happening("new", 152, 157))
	assert.Equal(t, "belief", r.Model.Events[0].Source)
	assert.Contains(t, strings.Join(r.Doubts, "\n"), "not of this data")
	wide := r.Days[4].Quantiles[2] / r.Days[4].Mean
	r = run(happening("new", 60, 65), happening("new", 152, 157))
	assert.Less(t, r.Days[4].Quantiles[2]/r.Days[4].Mean, wide, "what was seen is surer than what is believed")

	r = run(happening("a", 60, 65), happening("a", 152, 157), happening("b", 154, 159))
	assert.Contains(t, strings.Join(r.Doubts, "\n"), "events a and b overlap")
	for _, p := range r.Days {
		assert.Less(t, p.Mean, 4500.0, "overlapping events are not multiplied")
	}
}

// TestRunningEventIsCorrected starts an event inside the history that goes half as well as its
// past: the days to come follow.
func TestRunningEventIsCorrected(t *testing.T) {
	s := steady(t, day, 156, func(d, _ int) float64 {
		v := 1000 + float64(d*7919%11)
		switch {
		case d >= 60 && d < 72:
			v *= 4
		case d >= 150:
			v *= 2
		}
		return v
	})
	r, err := forecast.Run(s, forecast.Options{Horizon: 6 * day, Events: []forecast.Event{happening("live", 60, 72), happening("live", 150, 162)}})
	require.NoError(t, err)
	for _, p := range r.Days {
		assert.InEpsilon(t, 2000, p.Mean, 0.25)
	}
	require.Len(t, r.Events, 1)
	assert.Equal(t, dayOf(156), r.Events[0].From)
	assert.Equal(t, dayOf(162), r.Events[0].Until)
}

// TestEventTotals: means add up, quantiles do not: the total is relatively surer than a day and
// less sure than independent days would be; its P90 covers about nine of ten fresh totals.
func TestEventTotals(t *testing.T) {
	past, next := happening("live", 60, 67), happening("live", 140, 147)
	for _, e := range []*forecast.Event{&past, &next} {
		e.Phases = []forecast.Phase{{Kind: "presale", Start: e.Start, End: e.Start.AddDate(0, 0, 4)}, {Kind: "spot", Start: e.Start.AddDate(0, 0, 4), End: e.End}}
	}
	covered, n := 0, 0
	for seed := range 60 {
		random := newLCG(uint64(seed + 100))
		level := 0.0
		values := make([]float64, 147)
		for d := range values {
			level = 0.9*level + 0.1*(random.float()+random.float()+random.float()-1.5)
			mean := 300 * math.Exp(level)
			if d >= 60 && d < 67 || d >= 140 {
				mean *= 3
			}
			values[d] = count(random, mean)
		}
		s := steady(t, day, 147, func(d, _ int) float64 { return values[d] })
		r, err := forecast.Run(s, forecast.Options{Origin: dayOf(140), Horizon: 7 * day, Events: []forecast.Event{past, next}})
		require.NoError(t, err)
		require.Len(t, r.Events, 1)
		e := r.Events[0]
		var mean, actual, sum float64
		for i, p := range r.Days {
			mean += p.Mean
			actual += values[140+i]
			sum += p.Quantiles[2]
		}
		require.InEpsilon(t, mean, e.Total.Mean, 1e-9)
		require.Len(t, e.Phases, 2)
		require.InEpsilon(t, mean, e.Phases[0].Total.Mean+e.Phases[1].Total.Mean, 1e-9)
		require.Less(t, e.Total.Quantiles[2], 1.1*sum)
		n++
		if actual <= e.Total.Quantiles[2] {
			covered++
		}
	}
	assert.InDelta(t, 0.9, float64(covered)/float64(n), 0.08)
}

// TestBatchAddsUp: slots, days and every level of the tree add up, and neither the order of the
// series nor the number of processors changes a byte.
func TestBatchAddsUp(t *testing.T) {
	series, _ := merchants(t, 18)
	for i := range series {
		series[i].Queue = ids.Queue(fmt.Sprintf("q%02d", i))
		series[i].Path = []string{[]string{"north", "south"}[i%2], []string{"shop1", "shop2", "shop3"}[i%3]}
	}
	o := forecast.Options{Horizon: 9 * day, Events: []forecast.Event{happening("live", 60, 65), happening("live", 122, 127)}}
	b, err := forecast.RunBatch(t.Context(), series, o, nil)
	require.NoError(t, err)
	require.Len(t, b.Totals, 1+2+6)
	for _, total := range b.Totals {
		want := map[time.Time]float64{}
		for i, out := range b.Outcomes {
			if len(total.Path) > len(series[i].Path) || !slices.Equal(total.Path, series[i].Path[:len(total.Path)]) {
				continue
			}
			for _, p := range out.Result.Curve.Points {
				want[p.Start] += p.Mean
			}
		}
		require.Len(t, total.Result.Curve.Points, 9)
		for _, p := range total.Result.Curve.Points {
			require.InEpsilon(t, want[p.Start], p.Mean, 1e-7, "%v %v", total.Path, p.Start)
		}
	}

	old := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(old)
	turned := slices.Clone(series)
	slices.Reverse(turned)
	other, err := forecast.RunBatch(t.Context(), turned, o, nil)
	require.NoError(t, err)
	for i, out := range b.Outcomes {
		require.Equal(t, fmt.Sprintf("%v", out), fmt.Sprintf("%v", other.Outcomes[len(series)-1-i]))
	}
	require.Equal(t, fmt.Sprintf("%v", b.Totals), fmt.Sprintf("%v", other.Totals))
}

// TestBatchDoesNotLookAhead changes everything after the origin.
func TestBatchDoesNotLookAhead(t *testing.T) {
	series, _ := merchants(t, 9)
	o := forecast.Options{Origin: dayOf(100), Horizon: 9 * day, Complete: dayOf(100), Events: []forecast.Event{happening("live", 60, 65), happening("live", 102, 107)}}
	before, err := forecast.RunBatch(t.Context(), series, o, nil)
	require.NoError(t, err)
	for i := range series {
		series[i].Values = slices.Clone(series[i].Values)
		for d := 100 - int(series[i].First.In(time.UTC).Sub(monday)/day); d < len(series[i].Values); d++ {
			series[i].Values[d] = 7 * series[i].Values[d]
		}
	}
	after, err := forecast.RunBatch(t.Context(), series, o, nil)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%v", before), fmt.Sprintf("%v", after))
}

func TestEventsNeverBreak(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kinds := []string{"warmup", "presale", "spot", "wave", "tail"}
		var events []forecast.Event
		for at := rapid.IntRange(5, 30).Draw(rt, "first"); at < 110 && len(events) < 4; at += rapid.IntRange(22, 40).Draw(rt, "gap") {
			length := rapid.IntRange(1, 20).Draw(rt, "length")
			e := happening(rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "family"), at, at+length)
			for from := 0; from < length && rapid.Bool().Draw(rt, "phase"); {
				to := rapid.IntRange(from+1, length).Draw(rt, "to")
				e.Phases = append(e.Phases, forecast.Phase{Kind: rapid.SampledFrom(kinds).Draw(rt, "kind"), Start: dayOf(at + from), End: dayOf(at + to)})
				from = to
			}
			for range rapid.IntRange(0, 3).Draw(rt, "openings") {
				e.Openings = append(e.Openings, e.Start.Add(time.Duration(rapid.IntRange(0, length*24-1).Draw(rt, "opening"))*time.Hour))
			}
			e.Scale = rapid.SampledFrom([]float64{0, 0.5, 1, 3}).Draw(rt, "scale")
			events = append(events, e)
		}
		slot := rapid.SampledFrom([]time.Duration{day, day, day, time.Hour}).Draw(rt, "slot")
		seed := rapid.Uint64().Draw(rt, "seed")
		var series []forecast.Series
		for i := range 3 {
			random := newLCG(seed + uint64(i))
			series = append(series, steady(t, slot, 90, func(d, k int) float64 {
				switch {
				case random.float() < 0.1:
					return math.NaN()
				case random.float() < 0.05:
					return 1e6
				}
				return random.poisson(3)
			}))
		}
		b, err := forecast.RunBatch(t.Context(), series, forecast.Options{Origin: dayOf(90), Horizon: 30 * day, Events: events, Levels: []float64{0.05, 0.5, 0.95}}, nil)
		require.NoError(rt, err)
		for _, out := range b.Outcomes {
			require.NoError(rt, out.Err)
			for _, e := range out.Result.Events {
				requirePoint(rt, e.Total.Mean, e.Total.Quantiles)
				for _, p := range e.Phases {
					requirePoint(rt, p.Total.Mean, p.Total.Quantiles)
				}
			}
			for _, p := range out.Result.Curve.Points {
				requirePoint(rt, p.Mean, p.Quantiles)
			}
		}
	})
}

func requirePoint(t require.TestingT, mean float64, quantiles []float64) {
	require.False(t, math.IsNaN(mean) || math.IsInf(mean, 0) || mean < 0, "mean %v", mean)
	last := 0.0
	for _, q := range quantiles {
		require.False(t, math.IsNaN(q) || math.IsInf(q, 0) || q < last, "quantiles %v", quantiles)
		last = q
	}
}
