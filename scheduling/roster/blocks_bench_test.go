//go:build unix

package roster_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/check"
)

// BenchmarkBlocks shows what staying on a queue costs: the same problem with people who may change in
// every slot, with a price on changes, and with blocks of an hour as well. The bound is that of free
// changes in all cases, so it holds for all of them.
func BenchmarkBlocks(b *testing.B) {
	fortnight := makeHouse(120, 0.9, 2)
	fortnight.Range.End = fortnight.Range.Start.AddDate(0, 0, 14)
	for _, size := range []struct {
		name string
		p    roster.Problem
	}{{"fortnight", fortnight}, {"house", makeHouse(1000, 0.85, 1)}} {
		for _, c := range []struct {
			name  string
			block time.Duration
			price float64
		}{{"free", 0, 0}, {"priced", 0, roster.HouseSwitch}, {"block", roster.HouseBlock, roster.HouseSwitch}} {
			b.Run(size.name+"/"+c.name, func(b *testing.B) {
				p := size.p
				p.MinBlock, p.Weights.Switch = c.block, c.price
				for b.Loop() {
					begin := time.Now()
					s, err := roster.Solve(context.Background(), p, roster.Options{
						Seed: 1, Threads: 2, Time: houseSeconds(b), Elapsed: func() time.Duration { return time.Since(begin) },
					})
					require.NoError(b, err)
					require.Empty(b, check.Roster(p, s.Roster.Shifts).Violations)
					each := float64(changesIn(s.Roster.Shifts)) / float64(len(s.Roster.Shifts))
					b.ReportMetric(each, "changes/shift")
					b.ReportMetric(s.Parts.Short, "yuan-short")
					b.ReportMetric(s.Cost, "yuan")
					b.Logf("%d shifts, %.2f changes of queue each; short %.0f of %.0f yuan, switches %.0f, bound %.0f, gap %.2f %%",
						len(s.Roster.Shifts), each, s.Parts.Short, s.Cost, s.Parts.Switches, s.Bound, s.Gap*100)
				}
			})
		}
	}
}
