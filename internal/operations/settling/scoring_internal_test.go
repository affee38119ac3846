package settling

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
)

func TestAttained(t *testing.T) {
	for _, c := range []struct {
		direction     contracts.Direction
		target, value float64
		want          float64
	}{
		{contracts.AtLeast, 0.9, 0.9, 1},
		{contracts.AtLeast, 0.9, 0.45, 0.5},
		{contracts.AtLeast, 0.9, 1, 1}, // more than agreed earns nothing
		{contracts.AtLeast, 0.9, 0, 0},
		{contracts.AtLeast, 0, 0, 1},
		{contracts.AtMost, 30, 30, 1},
		{contracts.AtMost, 30, 12, 1},
		{contracts.AtMost, 30, 60, 0.5},
		{contracts.AtMost, 0, 0, 1},
		{contracts.AtMost, 0, 5, 0},
	} {
		assert.InDelta(t, c.want, attained(c.direction, c.target, c.value), 1e-15, "%+v", c)
	}
}

func share(numerator, denominator float64) *kpi.Reading {
	v := numerator / denominator
	return &kpi.Reading{Version: "1", Numerator: numerator, Denominator: denominator, Value: &v}
}

// The month has 30 days. Terms weigh 60, 30 and 10; the second is under its minimum sample, so that
// 60 and 10 of 70 count: 100 x (6/7 x 0.8/0.9 + 1/7 x 20/25) = 76.1905 + 11.4286 = 87.6190.
func TestScoreByHand(t *testing.T) {
	days := calendar.Dates{From: calendar.MakeDate(2026, 11, 1), Until: calendar.MakeDate(2026, 12, 1)}
	v := contracts.Version{Number: 1, Terms: []contracts.Term{
		{ID: "first", Direction: contracts.AtLeast, Target: 0.9, Weight: 60},
		{ID: "rating", Direction: contracts.AtLeast, Target: 4.8, Weight: 30, MinSample: 10},
		{ID: "mean", Direction: contracts.AtMost, Target: 20, Weight: 10},
	}}
	readings := []*kpi.Reading{share(80, 100), share(36, 9), share(250, 10)}
	var parts []store.ScorePart
	for i, w := range termWeights(v) {
		parts = append(parts, scorePart(v, v.Terms[i], w, days, kpi.Definition{Unit: kpi.Share}, readings[i]))
	}
	score := scored(parts)
	require.NotNil(t, score)
	assert.InDelta(t, 87.6190476, *score, 1e-6)
	assert.InDelta(t, 76.1904762, parts[0].Points, 1e-6)
	assert.Zero(t, parts[1].Points)
	assert.Contains(t, parts[1].Left, "9 samples, the minimum is 10")
	assert.InDelta(t, 11.4285714, parts[2].Points, 1e-6)
	assert.InDelta(t, 1, parts[0].Share+parts[2].Share, 1e-12)

	none := []store.ScorePart{scorePart(v, v.Terms[0], 1, days, kpi.Definition{}, nil)}
	assert.Nil(t, scored(none), "nothing to judge is no score, not 0")
}

func TestWeightsOfATermlessAgreement(t *testing.T) {
	assert.Equal(t, []float64{1, 1}, termWeights(contracts.Version{Terms: make([]contracts.Term, 2)}), "nobody agreed on weights: all alike")
	assert.Equal(t, []float64{3, 0}, termWeights(contracts.Version{Terms: []contracts.Term{{Weight: 3}, {}}}))
}

// Whatever the terms: the points sum to the score, the score lies in 0..100, the shares sum to 1, and
// weights only matter relative to each other.
func TestScoreInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := calendar.Dates{From: calendar.MakeDate(2026, 11, 1), Until: calendar.MakeDate(2026, 11, 2+rapid.IntRange(0, 28).Draw(t, "days"))}
		n := rapid.IntRange(1, 6).Draw(t, "terms")
		scale := rapid.Float64Range(0.1, 50).Draw(t, "scale")
		var parts, scaled []store.ScorePart
		for range n {
			term := contracts.Term{
				Direction: rapid.SampledFrom([]contracts.Direction{contracts.AtLeast, contracts.AtMost}).Draw(t, "direction"),
				Target:    rapid.Float64Range(0, 100).Draw(t, "target"), MinSample: rapid.IntRange(0, 3).Draw(t, "minimum"),
			}
			var r *kpi.Reading
			if rapid.Bool().Draw(t, "measured") {
				r = share(rapid.Float64Range(0, 500).Draw(t, "numerator"), float64(rapid.IntRange(1, 5).Draw(t, "denominator")))
			}
			w := rapid.Float64Range(0, 10).Draw(t, "weight")
			parts = append(parts, scorePart(contracts.Version{}, term, w, days, kpi.Definition{Unit: kpi.Share}, r))
			scaled = append(scaled, scorePart(contracts.Version{}, term, w*scale, days, kpi.Definition{Unit: kpi.Share}, r))
		}
		score, other := scored(parts), scored(scaled)
		points, shares := 0.0, 0.0
		for _, p := range parts {
			points, shares = points+p.Points, shares+p.Share
			require.Equal(t, p.Left == "", p.Attained != nil)
		}
		if score == nil {
			require.Zero(t, points)
			return
		}
		require.InDelta(t, *score, points, 1e-9)
		require.InDelta(t, 1, shares, 1e-9)
		require.GreaterOrEqual(t, *score, 0.0)
		require.LessOrEqual(t, *score, 100+1e-9)
		require.InDelta(t, *score, *other, 1e-9)
		require.False(t, math.IsNaN(*score))
	})
}

func TestJudgedDays(t *testing.T) {
	november := calendar.Month{Year: 2026, Month: time.November}
	day := func(m time.Month, d int) calendar.Date { return calendar.MakeDate(2026, m, d) }
	for name, c := range map[string]struct {
		version contracts.Version
		want    calendar.Dates
	}{
		"whole":          {contracts.Version{Dates: calendar.Dates{From: day(1, 1)}}, calendar.Dates{From: day(11, 1), Until: day(12, 1)}},
		"begins":         {contracts.Version{Dates: calendar.Dates{From: day(11, 11)}}, calendar.Dates{From: day(11, 11), Until: day(12, 1)}},
		"ends":           {contracts.Version{Dates: calendar.Dates{From: day(1, 1), Until: day(11, 11)}}, calendar.Dates{From: day(11, 1), Until: day(11, 11)}},
		"other month":    {contracts.Version{Dates: calendar.Dates{From: day(12, 1)}}, calendar.Dates{}},
		"no kpi in part": {contracts.Version{Dates: calendar.Dates{From: day(11, 1)}, NoKPIUntil: day(11, 20)}, calendar.Dates{From: day(11, 20), Until: day(12, 1)}},
		"no kpi at all":  {contracts.Version{Dates: calendar.Dates{From: day(11, 1)}, NoKPIUntil: day(12, 20)}, calendar.Dates{From: day(12, 1), Until: day(12, 1)}},
	} {
		assert.Equal(t, c.want, judgedDays(c.version, november), name)
	}
}
