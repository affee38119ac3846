//go:build unix

package roster_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/check"
	"github.com/chaoban/chaoban/scheduling/roster/search"
)

// houseSeconds is the time of the long benchmark: CHAOBAN_ROSTER_SECONDS, 20 by default.
func houseSeconds(b *testing.B) time.Duration {
	text := os.Getenv("CHAOBAN_ROSTER_SECONDS")
	if text == "" {
		return 20 * time.Second
	}
	n, err := strconv.Atoi(text)
	require.NoError(b, err)
	return time.Duration(n) * time.Second
}

// heap watches the memory in use while a function runs and returns the most it saw, in bytes.
func heap(run func()) uint64 {
	var most atomic.Uint64
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		var s runtime.MemStats
		for {
			runtime.ReadMemStats(&s)
			most.Store(max(most.Load(), s.HeapInuse+s.StackInuse))
			select {
			case <-done:
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
	}()
	run()
	close(done)
	<-finished
	return most.Load()
}

// BenchmarkHouse rosters 1,000 agents for four weeks with two threads and holds the figures against
// the bars: a legal roster within 60 s, a gap of at most 3 % after 600 s, less than 2 GB.
func BenchmarkHouse(b *testing.B) {
	for _, load := range []float64{0.85, 1} {
		b.Run(fmt.Sprintf("load=%.2f", load), func(b *testing.B) {
			p := makeHouse(1000, load, 1)
			for b.Loop() {
				var s roster.Solution
				first, begin := time.Duration(0), time.Now()
				o := roster.Options{Seed: 1, Threads: 2, Time: houseSeconds(b), Elapsed: func() time.Duration { return time.Since(begin) }}
				o.Progress = func(x search.Progress) {
					if first == 0 {
						first = time.Since(begin)
						b.Logf("first roster after %.1f s: cost %.0f", first.Seconds(), x.Cost)
					}
				}
				used := heap(func() {
					var err error
					s, err = roster.Solve(context.Background(), p, o)
					require.NoError(b, err)
				})
				report := check.Roster(p, s.Roster.Shifts)
				require.Empty(b, report.Violations)
				require.InEpsilon(b, report.Cost, s.Cost, 1e-9)
				b.ReportMetric(first.Seconds(), "s-to-feasible(bar60)")
				b.ReportMetric(s.Gap*100, "%gap(bar3-after-600s)")
				b.ReportMetric(float64(used)/1e9, "GB(bar2)")
				b.ReportMetric(s.Cost, "yuan")
				b.ReportMetric(s.Bound, "yuan-bound")
				salaries := 0.0 // that no roster changes: four weeks of 40 h
				for _, a := range p.Agents {
					if a.Salaried {
						salaries += 160 * a.Wage
					}
				}
				b.Logf("with fixed salaries of %.0f yuan in cost and bound the gap would read %.2f %%", salaries, (s.Cost-s.Bound)/(s.Cost+salaries)*100)
				b.Logf("after %s: cost %.0f, bound %.0f, gap %.2f %% (bar 3 %% after 600 s), missing %.0f of %.0f head-hours, parts %+v, memory %.2f GB (bar 2)",
					o.Time, s.Cost, s.Bound, s.Gap*100, s.Missing, s.Needed, s.Parts, float64(used)/1e9)
			}
		})
	}
}

// processor is the processor time that this process has used, which a busy machine does not stretch.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkHouseGrowth shows how the processor time to a first legal roster grows from 100 to 3,000
// agents. The exponent is the slope of a least-squares line through the logarithms.
func BenchmarkHouseGrowth(b *testing.B) {
	for b.Loop() {
		var xs, ys []float64
		for _, n := range []int{100, 300, 1000, 3000} {
			p := makeHouse(n, 0.9, 1)
			first, used, begin, before := time.Duration(0), time.Duration(0), time.Now(), processor(b)
			o := roster.Options{Seed: 1, Threads: 2, Iterations: 1}
			ctx, cancel := context.WithCancel(context.Background())
			o.Progress = func(search.Progress) {
				if first == 0 {
					first, used = time.Since(begin), processor(b)-before
					cancel()
				}
			}
			_, err := roster.Solve(ctx, p, o)
			require.NoError(b, err)
			b.Logf("%d agents: first legal roster after %.2f s, %.2f s of processor time (bar 60 s for 1,000)", n, first.Seconds(), used.Seconds())
			xs, ys = append(xs, math.Log(float64(n))), append(ys, math.Log(used.Seconds()))
		}
		slope := slopeOf(xs, ys)
		b.Logf("time to feasibility grows as n^%.2f (bar n^1.2)", slope)
		b.ReportMetric(slope, "exponent(bar1.2)")
	}
}

func slopeOf(xs, ys []float64) float64 {
	mx, my := 0.0, 0.0
	for i := range xs {
		mx, my = mx+xs[i]/float64(len(xs)), my+ys[i]/float64(len(xs))
	}
	up, down := 0.0, 0.0
	for i := range xs {
		up, down = up+(xs[i]-mx)*(ys[i]-my), down+(xs[i]-mx)*(xs[i]-mx)
	}
	return up / down
}

// BenchmarkFortnight is the demo's size: 120 agents for the fortnight around Double 11.
func BenchmarkFortnight(b *testing.B) {
	p := makeHouse(120, 0.9, 2)
	p.Range.End = p.Range.Start.AddDate(0, 0, 14)
	for b.Loop() {
		s, err := roster.Solve(context.Background(), p, roster.Options{Seed: 1, Iterations: 20000, Threads: 2})
		require.NoError(b, err)
		b.ReportMetric(s.Cost, "yuan")
		b.ReportMetric(s.Gap*100, "%gap")
		b.ReportMetric(s.Missing/s.Needed*100, "%missing")
	}
}

// BenchmarkHouseSteps is the speed of the search: steps per second of processor time, 200 agents for
// four weeks, prices and bound included.
func BenchmarkHouseSteps(b *testing.B) {
	p := makeHouse(200, 0.9, 1)
	const steps = 40000
	for b.Loop() {
		before := processor(b)
		s, err := roster.Solve(context.Background(), p, roster.Options{Seed: 1, Iterations: steps, Threads: 1})
		require.NoError(b, err)
		b.ReportMetric(steps/(processor(b)-before).Seconds(), "steps/s")
		b.ReportMetric(s.Cost, "yuan")
		b.ReportMetric(s.Gap*100, "%gap")
	}
}
