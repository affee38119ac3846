package staffing_test

import (
	"testing"
	"time"

	"github.com/chaoban/chaoban/scheduling/staffing"
)

// evaluations per b.Loop, so that -benchtime 1x measures a steady state and not a cold start.
const evaluations = 20_000

// perCall reports the mean of one evaluation beside its bar, both in nanoseconds.
func perCall(b *testing.B, bar float64, name string, call func(i int)) {
	b.Helper()
	for b.Loop() {
		for i := range evaluations {
			call(i)
		}
	}
	each := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / evaluations
	b.ReportMetric(each, "ns/evaluation")
	b.ReportMetric(bar, "ns/evaluation(bar)")
	b.Logf("%s: %.1f us each (bar %.0f us)", name, each/1000, bar/1000)
}

// The load changes from call to call, so that no evaluation is the last one again.
func BenchmarkStaffingErlangA100(b *testing.B) {
	q := calls(1000, 180, 300)
	perCall(b, 10_000, "Erlang A at 100 agents", func(i int) {
		q.Contacts = 900 + float64(i%200)
		staffing.ErlangA(q, 100, 20*time.Second)
	})
}

func BenchmarkStaffingLeastErlangA(b *testing.B) {
	q := calls(1000, 180, 300)
	goal := staffing.Goal{ServiceLevel: 0.8, Within: 20 * time.Second}
	perCall(b, 100_000, "least agents for 80/20, about 100", func(i int) {
		q.Contacts = 900 + float64(i%200)
		if _, err := staffing.Least(staffing.ModelA, q, goal); err != nil {
			b.Fatal(err)
		}
	})
}
