package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// botWorld is eight weeks of half hours with arrivals of which a bot ends a share: the history either counts
// all of them or those of people.
func botWorld(t require.TestingT, mean, share float64, people bool) (Series, DeflectionHistory, Result) {
	rng := rand.New(rand.NewPCG(5, 6))
	past := flatCurve(monday, 56, mean)
	h := deflected(rng, past, func(time.Time) float64 { return share })
	b, err := NewBuilder(past.Slot, nil)
	require.NoError(t, err)
	for _, r := range h.Records {
		n := r.Arrivals
		if people {
			n -= r.Deflected
		}
		require.NoError(t, b.Add(r.Start, n))
	}
	s := b.Series("q")
	r, err := Run(s, Options{Horizon: 7 * 24 * time.Hour, Missing: MissingZero})
	require.NoError(t, err)
	return s, h, r
}

// What the bot ends alone is taken off once: from a history that counts it, not from one that does not.
func TestTheBotIsTakenOffOnce(t *testing.T) {
	for _, people := range []bool{false, true} {
		s, h, r := botWorld(t, 20, 0.3, people)
		want := CountsArrivals
		if people {
			want = CountsPeople
		}
		assert.Equal(t, want, WhatCounts(s, h))
		f, err := ForecastHuman(s, r, h, "", DeflectionOptions{})
		require.NoError(t, err)
		assert.Equal(t, want, f.Counts)
		slots := float64(len(r.Curve.Points))
		assert.InEpsilon(t, 20*0.7*slots, f.Human, 0.04, "14 of 20 in a slot reach a person")
		assert.InEpsilon(t, 20*slots, f.Arrivals, 0.04)
		assert.InDelta(t, 0.3, f.Share, 0.03)
		var days float64
		for _, d := range f.Days {
			days += d.Mean
		}
		assert.InEpsilon(t, f.Human, days, 1e-9, "days are the sums of their slots")
		if people {
			assert.Equal(t, r.Curve, f.Curve, "nothing is planned: nothing moves")
			assert.Equal(t, r.Days, f.Days)
		}
	}
}

// A planned change takes its points of the arrivals from its day on, whatever the history counts.
func TestAPlannedBotTakesItsPoints(t *testing.T) {
	for name, c := range map[string]struct {
		people, bot bool
		share       float64
	}{"arrivals": {false, true, 0.3}, "people": {true, true, 0.3}, "no bot yet": {false, false, 0}} {
		s, h, r := botWorld(t, 40, c.share, c.people)
		if !c.bot {
			h.Records = nil
		}
		from := r.Origin.Add(3 * 24 * time.Hour)
		plain, err := ForecastHuman(s, r, h, "", DeflectionOptions{})
		require.NoError(t, err, name)
		f, err := ForecastHuman(s, r, h, "", DeflectionOptions{Changes: []DeflectionChange{{From: from, Points: 0.1, Doubt: 0.02, Reason: "new bot"}}})
		require.NoError(t, err, name)
		for i, p := range f.Curve.Points {
			if p.Start.Before(from) {
				require.Equal(t, plain.Curve.Points[i], p, "%s: before the change", name)
				continue
			}
			require.InEpsilon(t, 40*(1-c.share-0.1), p.Mean, 0.1, "%s at %s", name, p.Start)
		}
		for i, d := range f.Days {
			if d.Start.Before(from) {
				assert.Equal(t, plain.Days[i], d, name)
			} else {
				assert.InEpsilon(t, 30*40*(1-c.share-0.1), d.Mean, 0.06, name)
				assert.Less(t, d.Quantiles[0], d.Mean)
				assert.Greater(t, d.Quantiles[2], d.Mean)
			}
		}
	}
}

// The total of an event is net of the bot as its slots are, a planned change from its instant on.
func TestEventTotalsAreNetOfTheBot(t *testing.T) {
	s, h, r := botWorld(t, 40, 0.3, false)
	span := r.Origin.Add(2 * 24 * time.Hour)
	r, err := Run(s, Options{Horizon: 7 * 24 * time.Hour, Missing: MissingZero, Events: []Event{{
		Family: "live", Start: span.Add(12 * time.Hour), End: span.Add(36 * time.Hour), Phases: []Phase{{"spot", span.Add(12 * time.Hour), span.Add(24 * time.Hour)}},
	}}})
	require.NoError(t, err)
	f, err := ForecastHuman(s, r, h, "", DeflectionOptions{Changes: []DeflectionChange{{From: span.Add(24 * time.Hour), Points: 0.1, Doubt: 0.02, Reason: "new bot"}}})
	require.NoError(t, err)
	require.Len(t, f.Events, 1)
	e := f.Events[0]
	sum := func(from, until time.Time) (total float64) {
		for _, p := range f.Curve.Points {
			if !p.Start.Before(from) && p.Start.Before(until) {
				total += p.Mean
			}
		}
		return total
	}
	assert.InEpsilon(t, sum(e.From, e.Until), e.Total.Mean, 1e-9)
	assert.InEpsilon(t, sum(e.Phases[0].From, e.Phases[0].Until), e.Phases[0].Total.Mean, 1e-9)
	assert.InEpsilon(t, 0.7*r.Events[0].Phases[0].Total.Mean, e.Phases[0].Total.Mean, 0.03, "before the change the bot takes three of ten")
	assert.Less(t, e.Total.Mean, 0.68*r.Events[0].Total.Mean)
	assert.Less(t, e.Total.Quantiles[0], e.Total.Mean)
	assert.Less(t, e.Total.Mean, e.Total.Quantiles[2])
}

func TestWhatAHistoryCountsIsNotGuessed(t *testing.T) {
	s, h, _ := botWorld(t, 20, 0.3, false)
	short := h
	short.Records = h.Records[:4*30]
	assert.Empty(t, WhatCounts(s, short), "four days")
	elsewhere := h
	elsewhere.Records = nil
	for _, r := range h.Records {
		r.Start = r.Start.AddDate(1, 0, 0)
		elsewhere.Records = append(elsewhere.Records, r)
	}
	assert.Empty(t, WhatCounts(s, elsewhere), "no common day")
	half := h
	half.Records = nil
	for _, r := range h.Records { // half of the deflected are in the history: neither reading is right
		r.Arrivals += r.Deflected / 2
		r.Deflected = r.Deflected / 2 * 2
		half.Records = append(half.Records, r)
	}
	assert.Empty(t, WhatCounts(s, half))
	f, err := ForecastHuman(s, Result{Origin: s.End(), Curve: flatCurve(s.End(), 1, 5, 0.5)}, short, "", DeflectionOptions{})
	require.NoError(t, err)
	assert.InDelta(t, 30*5, f.Human, 1e-9)
	assert.Contains(t, f.Doubts[len(f.Doubts)-1], "cannot be told")
	_, err = ForecastHuman(s, Result{}, h, "robots", DeflectionOptions{})
	require.Error(t, err)
}

func TestHumanVolumeIsSound(t *testing.T) {
	s, h, r := botWorld(t, 12, 0.25, false)
	rapid.Check(t, func(t *rapid.T) {
		o := DeflectionOptions{}
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			o.Changes = append(o.Changes, DeflectionChange{
				From:   s.End().Add(time.Duration(rapid.IntRange(-900, 200).Draw(t, "hours")) * time.Hour),
				Points: rapid.Float64Range(-0.99, 0.99).Draw(t, "points"), Doubt: rapid.Float64Range(0, 1).Draw(t, "doubt"),
			})
		}
		some := h
		some.Records = h.Records[:rapid.IntRange(0, len(h.Records)).Draw(t, "records")]
		f, err := ForecastHuman(s, r, some, rapid.SampledFrom([]Counted{"", CountsArrivals, CountsPeople}).Draw(t, "counts"), o)
		require.NoError(t, err)
		require.NoError(t, f.Curve.Validate())
		for _, d := range f.Days {
			last := 0.0
			for _, q := range d.Quantiles {
				require.False(t, math.IsNaN(q))
				require.GreaterOrEqual(t, q, last)
				last = q
			}
		}
		require.False(t, math.IsNaN(f.Share) || f.Share < -1e-9 && f.Counts == CountsArrivals)
	})
}
