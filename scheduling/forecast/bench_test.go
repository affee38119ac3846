package forecast_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// The speed bars: figures are reported, never asserted, because they are the machine's.

// BenchmarkForecastQuarterHours: one 15-minute series with two years of history, 60 days ahead.
func BenchmarkForecastQuarterHours(b *testing.B) {
	s := weekly(b, 15*time.Minute, 730, 5000)
	b.ReportAllocs()
	for b.Loop() {
		_, err := forecast.Run(s, forecast.Options{Horizon: 60 * day, Levels: coverageLevels})
		require.NoError(b, err)
	}
}

// BenchmarkForecastDailyBatch: 1,049 daily series of 17 months, 84 days ahead, with quantiles.
func BenchmarkForecastDailyBatch(b *testing.B) {
	series := dailyBatch(b, 1049)
	var top uint64
	for b.Loop() {
		runBatch(b, series)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		top = max(top, m.Sys)
	}
	b.ReportMetric(float64(top)/(1<<20), "MB-of-process")
	b.ReportMetric(float64(runtime.GOMAXPROCS(0)), "processors")
}

// BenchmarkForecastGrowth reports how many times longer ten times the series take: on the clock, and in
// processor time, which other work on the machine disturbs less.
func BenchmarkForecastGrowth(b *testing.B) {
	few := dailyBatch(b, 105)
	many := slices.Repeat(few, 10) // the same mix of sizes
	runBatch(b, few)
	least := func(s []forecast.Series) (clock, processor time.Duration) {
		clock, processor = math.MaxInt64, math.MaxInt64
		for range 3 {
			started, used := time.Now(), processorTime(b)
			runBatch(b, s)
			clock, processor = min(clock, time.Since(started)), min(processor, processorTime(b)-used)
		}
		return clock, processor
	}
	for b.Loop() {
		manyClock, manyProcessor := least(many)
		fewClock, fewProcessor := least(few)
		b.ReportMetric(float64(manyClock)/float64(fewClock), "times-as-long-for-10-times")
		b.ReportMetric(float64(manyProcessor)/float64(fewProcessor), "times-the-processor-time")
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkForecastReplay: 727 origins over a year of an hourly series with three years before.
func BenchmarkForecastReplay(b *testing.B) {
	s := weekly(b, time.Hour, 4*365, 2500)
	p := forecast.Protocol{Horizon: 48 * time.Hour, Step: 12 * time.Hour, From: monday.AddDate(0, 0, 3*365)}
	p.To = p.From.Add(726*p.Step + p.Horizon)
	for b.Loop() {
		out, err := forecast.Replay(b.Context(), s, forecast.Options{Hours: forecast.AlwaysOpen(), Levels: emergencyLevels()}, p)
		require.NoError(b, err)
		require.Len(b, out, 727)
	}
	b.ReportMetric(float64(runtime.GOMAXPROCS(0)), "processors")
}

func runBatch(b *testing.B, series []forecast.Series) {
	out, err := forecast.RunAll(b.Context(), series, forecast.Options{Horizon: 84 * day, Levels: coverageLevels}, nil)
	require.NoError(b, err)
	for _, o := range out {
		require.NoError(b, o.Err)
	}
}

// dailyBatch makes daily series of very different sizes, 516 days each.
func dailyBatch(b *testing.B, n int) []forecast.Series {
	rng := rand.New(rand.NewPCG(3, 4))
	series := make([]forecast.Series, n)
	for i := range series {
		level := math.Exp(1 + 7*rng.Float64())
		series[i] = steady(b, day, 516, func(d, _ int) float64 {
			return math.Round(level * (1 + 0.2*math.Sin(float64(d%7)) + 0.2*rng.NormFloat64()*rng.Float64()))
		})
		series[i].Queue = ids.Queue(rune('a'+i%26)) + ids.Queue(time.Duration(i).String())
	}
	return series
}

// emergencyLevels are .05, .10 ... .95.
func emergencyLevels() []float64 {
	var levels []float64
	for q := 1; q < 20; q++ {
		levels = append(levels, float64(q)/20)
	}
	return levels
}
