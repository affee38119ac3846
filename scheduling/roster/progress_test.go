package roster_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/search"
)

// Who watches a run must not read a cost that no roster has: what staying on a queue costs is found last, and until then
// the cost is said to be without it.
func TestProgressSaysWhatItLeavesOut(t *testing.T) {
	p := makeHouse(40, 0.9, 3)
	p.MinBlock = time.Hour
	var seen []search.Progress
	s, err := roster.Solve(context.Background(), p, roster.Options{Seed: 1, Iterations: 2000, Threads: 1, Progress: func(x search.Progress) { seen = append(seen, x) }})
	require.NoError(t, err)
	firm := 0
	for _, x := range seen {
		if !x.Loose {
			firm++
			assert.GreaterOrEqual(t, x.Cost, s.Cost-1e-6)
		}
	}
	require.Positive(t, firm)
	assert.InDelta(t, s.Cost, seen[len(seen)-1].Cost, 1e-6)

	p.MinBlock, p.Weights.Switch = 0, 0
	_, err = roster.Solve(context.Background(), p, roster.Options{Seed: 1, Iterations: 500, Threads: 1, Progress: func(x search.Progress) { assert.False(t, x.Loose) }})
	require.NoError(t, err)
}
