package roster_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/roster"
)

// BenchmarkExplain explains every short stretch of 300 agents for four weeks, with fixes for the dearest 20: what
// an explanation of an edited roster takes.
func BenchmarkExplain(b *testing.B) {
	p := makeHouse(300, 1, 1)
	made, err := roster.Solve(context.Background(), p, roster.Options{Seed: 1, Threads: 2, Iterations: 1})
	require.NoError(b, err)
	for b.Loop() {
		begin := time.Now()
		said, err := roster.Explain(p, made.Roster.Shifts, roster.Question{})
		require.NoError(b, err)
		for _, u := range said.Uncovered {
			require.NotEmpty(b, u.Reasons)
		}
		b.Logf("%d stretches explained in %.1f s", len(said.Uncovered), time.Since(begin).Seconds())
		b.ReportMetric(float64(len(said.Uncovered)), "stretches")
	}
}
