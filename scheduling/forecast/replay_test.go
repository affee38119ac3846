package forecast_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// weekly is a queue with a weekly and a daily shape and noise that is the same on every run.
func weekly(t testing.TB, slot time.Duration, days int, perWeek float64) forecast.Series {
	rng := rand.New(rand.NewPCG(7, uint64(days)))
	slots := float64(day / slot)
	return steady(t, slot, days, func(d, k int) float64 {
		shape := 1 + 0.8*math.Sin(2*math.Pi*(float64(k)+0.5)/slots)
		if d%7 >= 5 {
			shape *= 0.6
		}
		return distuv.Poisson{Lambda: perWeek / (7 * slots) * shape, Src: rng}.Rand()
	})
}

// scored is what Benchmark says of replays.
func scored(s forecast.Series, o forecast.Options, replayed []forecast.Replayed) forecast.Benchmarks {
	if o.Levels == nil {
		o.Levels = forecast.DefaultLevels()
	}
	versions := make([]forecast.Version, len(replayed))
	for i, r := range replayed {
		versions[i] = forecast.Version{Origin: r.Origin, Curve: scheduling.Curve{Slot: s.Slot, Levels: o.Levels, Points: r.Points}, Days: r.Days}
	}
	b := forecast.NewBenchmark(o.Levels)
	b.Add(s, o.Missing, versions)
	return b.Scores()
}

// TestReplaySeesNothingAfterTheOrigin rewrites everything after an origin: no forecast made at
// that origin or before may move.
func TestReplaySeesNothingAfterTheOrigin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slot := rapid.SampledFrom([]time.Duration{30 * time.Minute, time.Hour, day}).Draw(t, "slot")
		days := rapid.IntRange(30, 120).Draw(t, "days")
		values := rapid.SliceOfN(rapid.IntRange(0, 60), 50, 90).Draw(t, "values")
		from := monday.Add(time.Duration(rapid.IntRange(24*15, 24*25).Draw(t, "from")) * time.Hour)
		p := forecast.Protocol{Horizon: 2 * day, Step: time.Duration(rapid.IntRange(6, 200).Draw(t, "step")) * time.Hour, From: from}
		if rapid.Bool().Draw(t, "frozen") {
			p.TrainUntil = from.Add(-day)
		}
		build := func(after time.Time, change float64) forecast.Series {
			b, err := forecast.NewBuilder(slot, time.UTC)
			require.NoError(t, err)
			for i := range days * int(day/slot) {
				at, v := monday.Add(time.Duration(i)*slot), float64(values[i%len(values)])
				if at.Add(slot).After(after) {
					v = v*change + 5
				}
				require.NoError(t, b.Add(at, v))
			}
			return b.Series("q")
		}
		whole := build(monday.AddDate(1, 0, 0), 1)
		before, err := forecast.Replay(t.Context(), whole, forecast.Options{}, p)
		require.NoError(t, err)
		cut := rapid.IntRange(0, len(before)-1).Draw(t, "cut")
		after, err := forecast.Replay(t.Context(), build(before[cut].Origin, 9), forecast.Options{}, p)
		require.NoError(t, err)
		require.Equal(t, before[:cut+1], after[:cut+1])
	})
}

// TestReplayIsRun: where the choices are made at the origin itself, a replay is what Run says.
func TestReplayIsRun(t *testing.T) {
	s := weekly(t, time.Hour, 120, 900)
	from := monday.AddDate(0, 0, 90)
	out, err := forecast.Replay(t.Context(), s, forecast.Options{}, forecast.Protocol{Horizon: 5 * day, Step: 4 * 7 * day, From: from})
	require.NoError(t, err)
	require.Len(t, out, 1)
	run, err := forecast.Run(s, forecast.Options{Origin: from, Horizon: 5 * day})
	require.NoError(t, err)
	assert.Equal(t, run.Curve.Points, out[0].Points)
	assert.Equal(t, run.Days, out[0].Days)
	scores := scored(s, forecast.Options{}, out)
	assert.Equal(t, 5*24, scores.Ours.Points)
	assert.Equal(t, 5, scores.Days.Points)
}

// TestReplayScores by hand: a queue that has 10 in even weeks and 20 in odd ones. The weekly
// naive is always wrong by 10 on a mean of 15; the mean of four weeks is 15, wrong by 5. Six of
// the eleven past errors of the naive are +10, so its median adds 10: right in odd weeks, 20 too
// high in even ones, which costs half of that.
func TestReplayScores(t *testing.T) {
	s := steady(t, day, 20*7, func(d, _ int) float64 { return 10 + 10*float64(d/7%2) })
	o := forecast.Options{Levels: []float64{0.5}}
	replayed, err := forecast.Replay(t.Context(), s, o, forecast.Protocol{Horizon: 7 * day, Step: 7 * day, From: monday.AddDate(0, 0, 12*7)})
	require.NoError(t, err)
	scores := scored(s, o, replayed)
	assert.Equal(t, 8, scores.Origins)
	assert.Equal(t, 56, scores.Ours.Points)
	assert.Equal(t, scores.Ours.AbsError, scores.Days.AbsError, "a slot is a day")
	naive, four := scores.Rivals[0].Its, scores.Rivals[1].Its
	assert.InDelta(t, 10.0/15, *naive.WAPE, 1e-9)
	assert.InDelta(t, 1, *naive.MASE, 1e-9)
	assert.InDelta(t, 5, *naive.Pinball, 1e-9)
	assert.InDelta(t, 5.0/15, *four.WAPE, 1e-9)
	assert.InDelta(t, 0.5, *four.MASE, 1e-9)
	assert.InDelta(t, 0, *four.Bias, 1e-9)
	assert.False(t, scores.NaiveWins)
}

// TestReplayScoresWholeDays: a day with a slot that has no record is not scored as a day.
func TestReplayScoresWholeDays(t *testing.T) {
	s := steady(t, time.Hour, 60, func(d, k int) float64 {
		if d == 52 && k == 3 {
			return math.NaN()
		}
		return 10
	})
	o := forecast.Options{Hours: forecast.AlwaysOpen()}
	replayed, err := forecast.Replay(t.Context(), s, o, forecast.Protocol{Horizon: 7 * day, Step: 7 * day, From: monday.AddDate(0, 0, 49)})
	require.NoError(t, err)
	scores := scored(s, o, replayed)
	assert.Equal(t, 7*24-1, scores.Ours.Points)
	assert.Equal(t, 6, scores.Days.Points)
	assert.InDelta(t, 6*240, scores.Days.Actual, 1e-9)
	o.Missing = forecast.MissingZero
	assert.Equal(t, 7, scored(s, o, replayed).Days.Points)
}

// TestInterrupted: whoever ends a forecast gets a fault that tells so, and nothing of the inside.
func TestInterrupted(t *testing.T) {
	s := weekly(t, day, 60, 100)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late, done := context.WithTimeout(t.Context(), 0)
	defer done()
	for ctx, kind := range map[context.Context]fault.Kind{gone: fault.Canceled, late: fault.Timeout} {
		_, all := forecast.RunAll(ctx, []forecast.Series{s, s}, forecast.Options{Horizon: day}, nil)
		_, learnt := forecast.LearnEvents(ctx, []forecast.Series{s, s}, forecast.Options{Horizon: day})
		_, replayed := forecast.Replay(ctx, s, forecast.Options{}, forecast.Protocol{Horizon: day, Step: day, From: monday.AddDate(0, 0, 30)})
		for _, err := range []error{all, learnt, replayed} {
			var f *fault.Error
			require.ErrorAs(t, err, &f)
			assert.Equal(t, "forecast.canceled", f.Code)
			assert.Equal(t, kind, f.Kind)
			require.ErrorIs(t, err, ctx.Err())
			assert.NotContains(t, err.Error(), "context")
		}
	}
}

func TestReplayReportsAllProblems(t *testing.T) {
	s := weekly(t, day, 60, 100)
	_, err := forecast.Replay(t.Context(), s, forecast.Options{}, forecast.Protocol{})
	f := fault.Of(err)
	assert.Equal(t, "forecast.protocol", f.Code)
	assert.Len(t, f.Fields, 3) // horizon, step, from
	at := monday.AddDate(0, 0, 30)
	_, err = forecast.Replay(t.Context(), s, forecast.Options{}, forecast.Protocol{Horizon: day, Step: day, From: at, TrainUntil: at.Add(day)})
	assert.Equal(t, "train_until", fault.Of(err).Fields[0].Path)
	_, err = forecast.Replay(t.Context(), s, forecast.Options{}, forecast.Protocol{Horizon: 40 * day, Step: day, From: at})
	assert.Equal(t, "from", fault.Of(err).Fields[0].Path)
}

// TestFiftyContactsAWeek: a queue this small still has a forecast no worse than repeating last
// week, and quantiles that hold. Its counts are so small that P90 is a step: at least 90 % lie
// at or below it, and no more than 90 % below it.
func TestFiftyContactsAWeek(t *testing.T) {
	hours, err := forecast.ParseHours("Daily 10:00-22:00")
	require.NoError(t, err)
	for _, slot := range []time.Duration{30 * time.Minute, time.Hour, day} {
		s := weekly(t, slot, 26*7, 50*24/12)
		o := forecast.Options{Hours: hours}
		if slot == day {
			s, o.Hours = weekly(t, slot, 26*7, 50), forecast.Hours{}
		}
		out, err := forecast.Replay(t.Context(), s, o, forecast.Protocol{Horizon: 14 * day, Step: 7 * day, From: monday.AddDate(0, 0, 8*7)})
		require.NoError(t, err)
		scores := scored(s, o, out)
		naive := scores.Rivals[0].Its
		t.Logf("%s: WAPE %.3f naive %.3f four %.3f, coverage %.3f, days %.3f", slot, *scores.Ours.WAPE, *naive.WAPE, *scores.Rivals[1].Its.WAPE, scores.Ours.Coverage, scores.Days.Coverage)
		if slot == day {
			assert.LessOrEqual(t, *scores.Ours.WAPE, *naive.WAPE)
		}
		assert.LessOrEqual(t, *scores.Ours.Pinball, *naive.Pinball)
		assert.LessOrEqual(t, *scores.Days.WAPE, 0.483) // the weekly naive by day
		assert.GreaterOrEqual(t, scores.Ours.Coverage[2], 0.87)
		assert.InDelta(t, 0.92, scores.Days.Coverage[2], 0.05)
		assert.LessOrEqual(t, shareBelow(s, out), 0.93)
	}
}

// shareBelow is the share of actuals strictly below the highest quantile.
func shareBelow(s forecast.Series, out []forecast.Replayed) float64 {
	var below, n float64
	for _, r := range out {
		for _, p := range r.Points {
			n++
			if s.Values[int(p.Start.Sub(s.First.In(time.UTC))/s.Slot)] < p.Quantiles[2] {
				below++
			}
		}
	}
	return below / n
}

// TestHorizonsAndSlots: 64 weeks by day, 12 weeks by every slot length, P1 to P99 in order.
func TestHorizonsAndSlots(t *testing.T) {
	levels := []float64{0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99}
	for _, c := range []struct {
		slot  time.Duration
		weeks int
	}{{5 * time.Minute, 12}, {15 * time.Minute, 12}, {30 * time.Minute, 12}, {time.Hour, 12}, {day, 64}} {
		t.Run(fmt.Sprint(c.slot), func(t *testing.T) {
			r, err := forecast.Run(weekly(t, c.slot, 70, 3000), forecast.Options{Horizon: time.Duration(c.weeks) * 7 * day, Levels: levels})
			require.NoError(t, err)
			requireSane(t, r)
			assert.Len(t, r.Curve.Points, c.weeks*7*int(day/c.slot))
			assert.Len(t, r.Days, c.weeks*7)
			var sum float64
			for _, p := range r.Days[len(r.Days)-7:] {
				sum += p.Mean
				assert.Less(t, p.Quantiles[0], p.Mean)
				assert.Greater(t, p.Quantiles[8], p.Mean)
			}
			assert.InDelta(t, 3000*6.2/7, sum, 350) // the level of the plant
		})
	}
}

// TestSeasonOfTheDay: a queue whose evenings grow in summer and shrink in winter. The forecast
// of a winter day from autumn must take the evening down although the year so far was summer.
func TestSeasonOfTheDay(t *testing.T) {
	plant := func(d, k int) float64 {
		season := math.Cos(2 * math.Pi * (float64(d) + 61 - 183) / 365.2425) // highest in early July
		evening := math.Exp(-math.Pow((float64(k)-20)/3, 2))
		return math.Round(100 * (1 + 0.3*season*evening))
	}
	s := steady(t, time.Hour, 3*365, plant)
	origin := monday.AddDate(0, 0, 3*365-120)
	r, err := forecast.Run(s, forecast.Options{Origin: origin, Horizon: 84 * day, Hours: forecast.AlwaysOpen()})
	require.NoError(t, err)
	last := r.Curve.Points[len(r.Curve.Points)-24:]
	d := int(last[0].Start.Sub(monday) / day)
	assert.InDelta(t, plant(d, 20), last[20].Mean, 6)
	assert.Less(t, last[20].Mean, 0.9*last[5].Mean)
}

// TestAnniversary: a queue that halves on every 5 May and has no holiday table.
func TestAnniversary(t *testing.T) {
	s := steady(t, day, 4*365, func(d, _ int) float64 {
		v := 1000 + 20*math.Sin(float64(d*d))
		if at := monday.AddDate(0, 0, d); at.Month() == 5 && at.Day() == 5 {
			v /= 2
		}
		return v
	})
	at := time.Date(2029, 5, 1, 0, 0, 0, 0, time.UTC)
	r, err := forecast.Run(s, forecast.Options{Origin: at, Horizon: 10 * day, Hours: forecast.AlwaysOpen()})
	require.NoError(t, err)
	assert.InDelta(t, 1000, r.Days[3].Mean, 50)
	assert.InDelta(t, 550, r.Days[4].Mean, 120) // shrunk a little
	assert.True(t, slices.ContainsFunc(r.Model.Effects, func(e forecast.Effect) bool { return e.Name == "every year on 05-05" }))
}
