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

// deflected draws which arrivals the bot ends.
func deflected(rng *rand.Rand, c scheduling.Curve, share func(time.Time) float64) DeflectionHistory {
	h := DeflectionHistory{Slot: c.Slot}
	for _, p := range c.Points {
		r := DeflectionRecord{Start: p.Start, Arrivals: float64(poisson(rng, p.Mean))}
		for range int(r.Arrivals) {
			if rng.Float64() < share(p.Start) {
				r.Deflected++
			}
		}
		h.Records = append(h.Records, r)
	}
	return h
}

// poissonQuantiles gives a curve the quantiles of Poisson counts.
func poissonQuantiles(c scheduling.Curve) scheduling.Curve {
	for i := range c.Points {
		countQuantiles(c.Points[i].Mean, c.Points[i].Mean, c.Levels, c.Points[i].Quantiles)
	}
	return c
}

// 35 % on most slots, more at night, less in a sale: people then ask what no bot knows.
func plantedShare(events []Event) func(time.Time) float64 {
	return func(t time.Time) float64 {
		s := 0.35
		if t.Hour() >= 22 {
			s = 0.5
		}
		for _, e := range events {
			if !t.Before(e.Start) && t.Before(e.End) {
				s -= 0.12
			}
		}
		return s
	}
}

func TestDeflectionRecoversWhatWasPlanted(t *testing.T) {
	events := []Event{spotSale("a", 40, 7), spotSale("a", 110, 6), spotSale("a", 150, 5)}
	share := plantedShare(events)
	rng := rand.New(rand.NewPCG(11, 12))
	c := poissonQuantiles(flatCurve(monday.AddDate(0, 0, 140), 28, 20, 0.05, 0.5, 0.95))
	r, err := ForecastDeflection(deflected(rng, flatCurve(monday, 140, 20), share), c, DeflectionOptions{Events: events})
	require.NoError(t, err)
	future := deflected(rng, c, share)
	var wrong, inside float64
	for i, p := range r.Share {
		wrong += math.Abs(p.Mean-share(p.Start)) / float64(len(r.Share))
		human := future.Records[i].Arrivals - future.Records[i].Deflected
		if q := r.Human.Points[i].Quantiles; human >= q[0] && human <= q[2] {
			inside++
		}
	}
	inside /= float64(len(r.Share))
	t.Logf("error %.3f, coverage %.3f", wrong, inside)
	assert.Less(t, wrong, 0.02)
	assert.InDelta(t, 0.9, inside, 0.05, "P5 to P95 of human contacts, counts are whole")
}

// Poisson arrivals of which a known share is taken leave Poisson contacts: variance = mean.
func TestThinnedPoissonIsPoisson(t *testing.T) {
	const mean = 400.0
	p := scheduling.Point{Mean: mean}
	levels := []float64{0.1, 0.9}
	z := 1.2815515655446004
	p.Quantiles = []float64{mean - z*20, mean + z*20}
	human := shareBelief{eta: 0, variance: 0}.human(p, levels)
	assert.InDelta(t, 200, human.Mean, 1e-9)
	assert.InDelta(t, 200-z*math.Sqrt(200), human.Quantiles[0], 1e-6)
	assert.InDelta(t, 200+z*math.Sqrt(200), human.Quantiles[1], 1e-6)
}

func TestDeflectionPlannedChange(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	h := deflected(rng, flatCurve(monday, 60, 20), func(time.Time) float64 { return 0.3 })
	c := poissonQuantiles(flatCurve(monday.AddDate(0, 0, 60), 10, 20, 0.1, 0.5, 0.9))
	from := monday.AddDate(0, 0, 65)
	plain, err := ForecastDeflection(h, c, DeflectionOptions{})
	require.NoError(t, err)
	r, err := ForecastDeflection(h, c, DeflectionOptions{Changes: []DeflectionChange{{From: from, Points: 0.15, Doubt: 0.05, Reason: "new bot"}}})
	require.NoError(t, err)
	assert.Contains(t, r.Doubts[len(r.Doubts)-1], "+15.0 points")
	for i, p := range r.Share {
		if p.Start.Before(from) {
			assert.Equal(t, plain.Share[i], p)
			continue
		}
		assert.InDelta(t, plain.Share[i].Mean+0.15, p.Mean, 0.01)
		assert.Greater(t, p.Quantiles[2]-p.Quantiles[0], 2*1.28*0.045, "the doubt is in the quantiles")
		assert.Greater(t, r.Human.Points[i].Mean, 0.0)
		assert.InDelta(t, 20*(1-p.Mean), r.Human.Points[i].Mean, 1e-9)
	}
}

// A change is told on the clock of the queue: 16:00 UTC is midnight in Shanghai.
func TestDeflectionChangeIsOnTheLocalClock(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	h := deflected(rng, flatCurve(monday, 60, 20), func(time.Time) float64 { return 0.3 })
	h.Location = time.FixedZone("+08:00", 8*3600)
	c := poissonQuantiles(flatCurve(monday.AddDate(0, 0, 60), 10, 20, 0.1, 0.5, 0.9))
	from := time.Date(2030, 1, 1, 16, 0, 0, 0, time.UTC)
	r, err := ForecastDeflection(h, c, DeflectionOptions{Changes: []DeflectionChange{{From: from, Points: 0.15, Doubt: 0.05}}})
	require.NoError(t, err)
	assert.Contains(t, r.Doubts[len(r.Doubts)-1], "from 2030-01-02 00:00 the bot")
}

// A plan that has become history is corrected by what happened: +15 points were planned a fortnight
// ago, none came.
func TestDeflectionPastChangeIsCorrectedByData(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	h := deflected(rng, flatCurve(monday, 60, 20), func(time.Time) float64 { return 0.3 })
	c := poissonQuantiles(flatCurve(monday.AddDate(0, 0, 60), 7, 20, 0.5))
	r, err := ForecastDeflection(h, c, DeflectionOptions{Changes: []DeflectionChange{{From: monday.AddDate(0, 0, 46), Points: 0.15, Doubt: 0.05}}})
	require.NoError(t, err)
	assert.InDelta(t, 0.3, r.Share[0].Mean, 0.03)
}

func TestDeflectionNoBotAndAllBot(t *testing.T) {
	c := poissonQuantiles(flatCurve(monday.AddDate(0, 0, 60), 7, 20, 0.1, 0.9))
	rng := rand.New(rand.NewPCG(17, 18))
	for _, share := range []float64{0, 1} {
		r, err := ForecastDeflection(deflected(rng, flatCurve(monday, 60, 20), func(time.Time) float64 { return share }), c, DeflectionOptions{})
		require.NoError(t, err)
		assert.InDelta(t, share, r.Share[0].Mean, 0.01)
		assert.InDelta(t, 20*(1-share), r.Human.Points[0].Mean, 0.2)
	}
}

func TestDeflectionSaysEveryBadField(t *testing.T) {
	h := DeflectionHistory{Slot: halfHour, Records: []DeflectionRecord{{monday, 3, 4}, {monday, math.NaN(), 0}}}
	_, err := ForecastDeflection(h, flatCurve(monday, 1, 1), DeflectionOptions{Changes: []DeflectionChange{{Points: 1.5, Doubt: -1}}})
	assert.Equal(t, "forecast.deflection", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 6)
	_, err = ForecastDeflection(DeflectionHistory{Slot: halfHour}, flatCurve(monday, 1, 1), DeflectionOptions{})
	assert.Equal(t, "forecast.no_history", fault.CodeOf(err))
}

func TestDeflectionIsAlwaysSane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slot, figures, events := uglyFigures(t, 1)
		h := DeflectionHistory{Slot: slot}
		for _, f := range figures {
			h.Records = append(h.Records, DeflectionRecord{f.Start, f.Contacts, math.Min(f.Contacts, f.Contacts*f.Mean)})
		}
		c := curveFrom(t, slot)
		o := DeflectionOptions{Events: events}
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			o.Changes = append(o.Changes, DeflectionChange{
				From:   monday.AddDate(0, 0, rapid.IntRange(-5, 120).Draw(t, "from")),
				Points: rapid.Float64Range(-0.99, 0.99).Draw(t, "points"), Doubt: rapid.Float64Range(0, 1).Draw(t, "doubt"),
			})
		}
		r, err := ForecastDeflection(h, c, o)
		require.NoError(t, err)
		for i, p := range r.Share {
			sane(t, p.Quantiles, 1, p.Mean)
			require.LessOrEqual(t, p.Mean, 1.0)
			human := r.Human.Points[i]
			sane(t, human.Quantiles, math.MaxFloat64, human.Mean)
			require.LessOrEqual(t, human.Mean, c.Points[i].Mean)
			for k, q := range human.Quantiles {
				require.LessOrEqual(t, q, c.Points[i].Quantiles[k], "the bot adds nobody")
			}
		}
		text, err := json.Marshal(r)
		require.NoError(t, err)
		again, err := ForecastDeflection(h, c, o)
		require.NoError(t, err)
		other, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(text), string(other))
	})
}
