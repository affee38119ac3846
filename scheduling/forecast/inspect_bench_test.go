package forecast_test

import (
	"testing"
	"time"

	"github.com/chaoban/chaoban/scheduling/forecast"
)

// BenchmarkInspectTwoYearsOfQuarterHours is what findings add to one large forecast.
func BenchmarkInspectTwoYearsOfQuarterHours(b *testing.B) {
	s := steady(b, 15*time.Minute, 730, func(d, k int) float64 { return float64((d*31 + k*17) % 23) })
	for b.Loop() {
		forecast.Inspect(s, forecast.Options{})
	}
}

// BenchmarkInspectDaily is what findings add to one of many daily series.
func BenchmarkInspectDaily(b *testing.B) {
	s := steady(b, day, 515, func(d, _ int) float64 { return float64((d*31 + 17) % 23) })
	for b.Loop() {
		forecast.Inspect(s, forecast.Options{})
	}
}
