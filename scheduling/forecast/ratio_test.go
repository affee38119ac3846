package forecast

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// halfHour is the slot of these tests; monday is where their histories start.
const halfHour = 30 * time.Minute

var monday = time.Date(2025, time.January, 6, 0, 0, 0, 0, time.UTC)

// flatCurve is a demand curve from 9 to 24 o'clock with one mean.
func flatCurve(from time.Time, days int, mean float64, levels ...float64) scheduling.Curve {
	c := scheduling.Curve{Slot: halfHour, Levels: levels}
	for d := range days {
		for k := 18; k < 48; k++ {
			p := scheduling.Point{Start: from.AddDate(0, 0, d).Add(time.Duration(k) * halfHour), Mean: mean}
			for range levels {
				p.Quantiles = append(p.Quantiles, mean)
			}
			c.Points = append(c.Points, p)
		}
	}
	return c
}

// simulate draws handling times: a gamma of coefficient of variation 0.8 per contact around truth.
func simulate(rng *rand.Rand, c scheduling.Curve, truth func(time.Time) float64) []FigureRecord {
	const shape = 1 / (0.8 * 0.8)
	var out []FigureRecord
	for _, p := range c.Points {
		n := poisson(rng, p.Mean)
		if n == 0 {
			continue
		}
		// The sum of n gammas of one scale is a gamma of n times the shape.
		mean := gammaQuantile(float64(n)*shape, rng.Float64()) / (float64(n) * shape)
		out = append(out, FigureRecord{p.Start, float64(n), truth(p.Start) * mean})
	}
	return out
}

func poisson(rng *rand.Rand, mean float64) int {
	limit, p, k := math.Exp(-mean), 1.0, -1
	for p > limit {
		p *= rng.Float64()
		k++
	}
	return k
}

// plantedTruth is 260 s, 12 % longer on Saturdays, 25 % longer from 20:00, a fifth shorter in a spot
// sale, and it grows by 20 % over the first 100 days.
func plantedTruth(events []Event) func(time.Time) float64 {
	return func(t time.Time) float64 {
		v := 260 * (1 + 0.2*math.Min(1, t.Sub(monday).Hours()/24/100))
		if t.Weekday() == time.Saturday {
			v *= 1.12
		}
		if t.Hour() >= 20 {
			v *= 1.25
		}
		for _, e := range events {
			if !t.Before(e.Start) && t.Before(e.End) {
				v *= 0.8
			}
		}
		return v
	}
}

func spotSale(family string, day, days int) Event {
	start := monday.AddDate(0, 0, day).Add(20 * time.Hour)
	e := Event{Family: family, Start: start, End: start.AddDate(0, 0, days)}
	e.Phases = []Phase{{"spot", e.Start, e.End}}
	return e
}

func TestRatioRecoversWhatWasPlanted(t *testing.T) {
	events := []Event{spotSale("a", 40, 7), spotSale("a", 110, 5), spotSale("b", 150, 5)}
	truth := plantedTruth(events)
	rng := rand.New(rand.NewPCG(1, 2))
	h := RatioHistory{Slot: halfHour, Records: simulate(rng, flatCurve(monday, 140, 8), truth)}
	c := flatCurve(monday.AddDate(0, 0, 140), 28, 8, 0.05, 0.5, 0.95)
	r, err := ForecastRatio(h, c, RatioOptions{Events: events})
	require.NoError(t, err)
	var wrong, inside, work, contacts, plain float64
	for _, h := range h.Records {
		if h.Start.After(monday.AddDate(0, 0, 112)) {
			work += h.Contacts * h.Mean
			contacts += h.Contacts
		}
	}
	future := simulate(rng, c, truth)
	at := 0
	for _, p := range r.Points {
		wrong += math.Abs(p.Mean/truth(p.Start)-1) / float64(len(r.Points))
		plain += math.Abs(work/contacts/truth(p.Start)-1) / float64(len(r.Points))
		if at < len(future) && future[at].Start.Equal(p.Start) {
			if future[at].Mean >= p.Quantiles[0] && future[at].Mean <= p.Quantiles[2] {
				inside++
			}
			at++
		}
	}
	assert.Less(t, wrong, 0.5*plain, "against the mean of four weeks")
	assert.Less(t, wrong, 0.05, "mean relative error against the truth, with a family never seen")
	assert.InDelta(t, 0.9, inside/float64(len(future)), 0.05, "P5 to P95 of what a slot averages")
	assert.InDelta(t, 0.64, r.Model.PerContact, 0.15, "0.8 squared between contacts")
	t.Logf("error %.3f (mean of four weeks %.3f), coverage %.3f, model level %.1f per contact %.2f per slot %.4f", wrong, plain, inside/float64(len(future)), r.Model.Level, r.Model.PerContact, r.Model.PerSlot)
	for _, e := range r.Model.Effects {
		switch e.Name {
		case "day Sat":
			assert.InDelta(t, math.Log(1.12), e.Shift, 0.06)
		case "phase spot":
			assert.InDelta(t, math.Log(0.8), e.Shift, 0.1, "shrunk: two occurrences of one family")
		}
	}
}

func TestRatioOfAConstantIsTheConstant(t *testing.T) {
	var h RatioHistory
	h.Slot = halfHour
	for _, p := range flatCurve(monday, 40, 5).Points {
		h.Records = append(h.Records, FigureRecord{p.Start, 5, 300})
	}
	r, err := ForecastRatio(h, flatCurve(monday.AddDate(0, 0, 40), 7, 5, 0.1, 0.9), RatioOptions{})
	require.NoError(t, err)
	for _, p := range r.Points {
		assert.InDelta(t, 300, p.Mean, 1e-6)
	}
}

// One contact of 1000 s in a slot and 99 of 100 s in the next average 109 s, not 550.
func TestRatioIsWeighedByContacts(t *testing.T) {
	h := RatioHistory{Slot: halfHour}
	for d := range 60 {
		at := monday.AddDate(0, 0, d).Add(10 * time.Hour)
		h.Records = append(h.Records, FigureRecord{at, 99, 100}, FigureRecord{at.Add(10 * time.Minute), 1, 1000})
	}
	c := scheduling.Curve{Slot: halfHour, Points: []scheduling.Point{{Start: monday.AddDate(0, 0, 60).Add(10 * time.Hour), Mean: 100}}}
	r, err := ForecastRatio(h, c, RatioOptions{})
	require.NoError(t, err)
	assert.InDelta(t, 109, r.Points[0].Mean, 1)
}

func TestRatioFollowsARecentChangeOfLevel(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	step := monday.AddDate(0, 0, 90)
	truth := func(at time.Time) float64 {
		if at.Before(step) {
			return 200
		}
		return 260
	}
	h := RatioHistory{Slot: halfHour, Records: simulate(rng, flatCurve(monday, 104, 10), truth)}
	r, err := ForecastRatio(h, flatCurve(monday.AddDate(0, 0, 104), 14, 10), RatioOptions{})
	require.NoError(t, err)
	assert.InDelta(t, 260, r.Model.Level, 20, "a fortnight after a new script the level is the new one")
	var mean float64
	for _, p := range r.Points {
		mean += p.Mean / float64(len(r.Points))
	}
	assert.InDelta(t, 250, mean, 20)
}

// A queue of twelve contacts a day for four days takes the evening and the level of its siblings.
func TestRatioSmallQueueBorrows(t *testing.T) {
	truth := func(at time.Time) float64 {
		if at.Hour() >= 20 {
			return 390
		}
		return 260
	}
	rng := rand.New(rand.NewPCG(5, 6))
	many, err := ForecastRatio(RatioHistory{Slot: halfHour, Records: simulate(rng, flatCurve(monday, 120, 20), truth)}, flatCurve(monday.AddDate(0, 0, 120), 1, 1), RatioOptions{})
	require.NoError(t, err)
	text, err := json.Marshal(many.Model)
	require.NoError(t, err)
	var prior FigureModel
	require.NoError(t, json.Unmarshal(text, &prior), "a prior is plain data")

	h := RatioHistory{Slot: halfHour, Records: simulate(rng, flatCurve(monday.AddDate(0, 0, 116), 4, 0.4), truth)}
	c := flatCurve(monday.AddDate(0, 0, 120), 7, 0.4, 0.1, 0.9)
	alone, err := ForecastRatio(h, c, RatioOptions{})
	require.NoError(t, err)
	helped, err := ForecastRatio(h, c, RatioOptions{Prior: &prior})
	require.NoError(t, err)
	var without, with float64
	for i, p := range c.Points {
		without += math.Abs(alone.Points[i].Mean - truth(p.Start))
		with += math.Abs(helped.Points[i].Mean - truth(p.Start))
	}
	assert.Less(t, with, 0.5*without)
	assert.NotEmpty(t, alone.Doubts)

	only, err := ForecastRatio(RatioHistory{Slot: halfHour}, c, RatioOptions{Prior: &prior})
	require.NoError(t, err)
	assert.InDelta(t, 390, only.Points[28].Mean, 12, "23:00 from the prior alone")
	assert.Contains(t, only.Doubts[0], "prior")
	_, err = ForecastRatio(RatioHistory{Slot: halfHour}, c, RatioOptions{})
	assert.Equal(t, "forecast.no_history", fault.CodeOf(err))
}

// One day at fifty times the level (a broken export) must not move the forecast by a tenth.
func TestRatioSurvivesABrokenDay(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	h := RatioHistory{Slot: halfHour, Records: simulate(rng, flatCurve(monday, 60, 10), func(at time.Time) float64 {
		if at.Sub(monday) > 56*24*time.Hour && at.Sub(monday) < 57*24*time.Hour {
			return 260 * 50
		}
		return 260
	})}
	r, err := ForecastRatio(h, flatCurve(monday.AddDate(0, 0, 60), 7, 10), RatioOptions{})
	require.NoError(t, err)
	for _, p := range r.Points {
		assert.InDelta(t, 260, p.Mean, 60)
	}
	assert.InDelta(t, 260, r.Model.Level, 26)
}

// At m = 1: (Ei(1) - gamma)/(e - 1) = 1.3179021514544/1.7182818284590.
func TestMeanInverse(t *testing.T) {
	assert.InDelta(t, 1.3179021514544/1.718281828459045, meanInverse(1), 1e-9)
	assert.InDelta(t, 1, meanInverse(0), 1e-9)
	assert.InDelta(t, meanInverse(60), meanInverse(60.0001), 1e-6)
	assert.InDelta(t, 0.001, meanInverse(1000), 2e-6)
}

func TestRatioSaysEveryBadField(t *testing.T) {
	h := RatioHistory{Slot: 7 * time.Minute, Records: []FigureRecord{{monday, -1, 1}, {monday, 2, math.NaN()}, {monday, math.Inf(1), 5}}}
	_, err := ForecastRatio(h, flatCurve(monday, 1, 1), RatioOptions{Floor: math.NaN(), Prior: &FigureModel{Level: math.Inf(1)}})
	assert.Equal(t, "forecast.ratio", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 6)
	h = RatioHistory{Slot: halfHour, Records: []FigureRecord{{monday, 1, 1}, {monday.AddDate(50, 0, 0), 1, 1}}}
	_, err = ForecastRatio(h, flatCurve(monday, 1, 1), RatioOptions{})
	assert.ErrorContains(t, err, "20 years")
}

func TestWithHandleTime(t *testing.T) {
	c := flatCurve(monday, 1, 4, 0.5)
	f := RatioForecast{}
	for _, p := range c.Points {
		f.Points = append(f.Points, RatioPoint{Start: p.Start, Mean: 250.5})
	}
	with, err := WithHandleTime(c, f)
	require.NoError(t, err)
	assert.Equal(t, 250500*time.Millisecond, with.Points[3].HandleTime)
	assert.Zero(t, c.Points[3].HandleTime, "the curve that was given stays as it is")
	f.Points[2].Start = monday
	_, err = WithHandleTime(c, f)
	assert.Equal(t, "forecast.ratio", fault.CodeOf(err))
	_, err = WithHandleTime(c, RatioForecast{})
	assert.Error(t, err)
}

// uglyFigures draws histories that no model expects.
func uglyFigures(t *rapid.T, high float64) (time.Duration, []FigureRecord, []Event) {
	slot := rapid.SampledFrom([]time.Duration{5 * time.Minute, 15 * time.Minute, halfHour, time.Hour, 24 * time.Hour}).Draw(t, "slot")
	n := rapid.IntRange(1, 60).Draw(t, "records")
	value := rapid.OneOf(rapid.Just(0.0), rapid.Just(high), rapid.Float64Range(0, high))
	contacts := rapid.OneOf(rapid.Just(0.0), rapid.Just(1.0), rapid.Float64Range(1e-9, 1e9))
	var out []FigureRecord
	for range n {
		at := monday.Add(time.Duration(rapid.IntRange(0, 100*24*60).Draw(t, "minute")) * time.Minute)
		out = append(out, FigureRecord{at, contacts.Draw(t, "contacts"), value.Draw(t, "value")})
	}
	out = append(out, FigureRecord{monday, 1, value.Draw(t, "value")})
	var events []Event
	for i := range rapid.IntRange(0, 3).Draw(t, "events") {
		events = append(events, spotSale("a", i*45, rapid.IntRange(1, 40).Draw(t, "days")))
	}
	return slot, out, events
}

func curveFrom(t *rapid.T, slot time.Duration) scheduling.Curve {
	c := scheduling.Curve{Slot: slot, Levels: []float64{0.05, 0.1, 0.5, 0.9, 0.99}}
	at := monday.AddDate(0, 0, 100)
	for range rapid.IntRange(1, 30).Draw(t, "points") {
		p := scheduling.Point{Start: at, Mean: rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 1e6)).Draw(t, "mean")}
		for _, f := range []float64{0.3, 0.4, 0.9, 1.7, 3} {
			p.Quantiles = append(p.Quantiles, f*p.Mean)
		}
		c.Points = append(c.Points, p)
		at = at.Add(slot * time.Duration(rapid.IntRange(1, 9).Draw(t, "gap")))
	}
	return c
}

func sane(t require.TestingT, quantiles []float64, high float64, mean float64) {
	require.False(t, math.IsNaN(mean) || math.IsInf(mean, 0) || mean < 0, "mean %v", mean)
	for i, q := range quantiles {
		require.False(t, math.IsNaN(q) || math.IsInf(q, 0) || q < 0 || q > high, "quantile %v", q)
		require.True(t, i == 0 || q >= quantiles[i-1], "crossing %v", quantiles)
	}
}

func TestRatioIsAlwaysSane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slot, records, events := uglyFigures(t, maxFigure)
		c := curveFrom(t, slot)
		o := RatioOptions{Events: events, Floor: rapid.SampledFrom([]float64{0, 1}).Draw(t, "floor")}
		r, err := ForecastRatio(RatioHistory{Slot: slot, Records: records}, c, o)
		require.NoError(t, err)
		require.Len(t, r.Points, len(c.Points))
		for _, p := range r.Points {
			sane(t, p.Quantiles, math.MaxFloat64, p.Mean)
			require.GreaterOrEqual(t, p.Mean, o.Floor)
		}
		text, err := json.Marshal(r)
		require.NoError(t, err)
		shuffled := rapid.Permutation(records).Draw(t, "order")
		again, err := ForecastRatio(RatioHistory{Slot: slot, Records: shuffled}, c, o)
		require.NoError(t, err)
		other, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(text), string(other), "the order of records is nothing")
		_, err = ForecastRatio(RatioHistory{Slot: slot}, c, RatioOptions{Prior: &r.Model})
		require.NoError(t, err, "every model can be a prior")
	})
}
