//go:build unix

package staffing_test

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chaoban/chaoban/scheduling/staffing"
)

// BenchmarkStaffingRequirement is the requirement of a house: every queue has its own parameters, every slot
// its own volume. A smaller house has every fourth queue of the larger one, with all its concurrencies: the first 250
// have the shortest handle times and the fewest slots to follow, so they tell nothing of how the work grows. CPU
// seconds are those of the whole process; on two free cores the work takes half as long.
func BenchmarkStaffingRequirement(b *testing.B) {
	const house = 1000
	for _, queues := range []int{250, house} {
		stride := house / queues
		b.Run(fmt.Sprint(queues), func(b *testing.B) {
			for b.Loop() {
				started, used := time.Now(), cpuSeconds()
				heads := make([]int, queues)
				var wait sync.WaitGroup
				const workers = 2
				for w := range workers {
					wait.Add(1)
					go func() {
						defer wait.Done()
						for q := w; q < queues; q += workers {
							out, err := staffing.Plan(week(q*stride + q%stride))
							if err != nil {
								panic(err)
							}
							for _, n := range out.Requirement.Needs {
								heads[q] += n.Heads
							}
						}
					}()
				}
				wait.Wait()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				took, work := time.Since(started).Seconds(), cpuSeconds()-used
				b.ReportMetric(took, "s")
				b.ReportMetric(work, "cpu-s")
				b.ReportMetric(1000*work/float64(queues), "cpu-ms/queue")
				b.ReportMetric(1000*took/float64(queues), "ms/queue")
				b.ReportMetric(float64(m.Sys)/1e6, "MB")
				b.Logf("%d queues x 96 x 7 on %d cores: %.1f s (bar for 1,000: 10 s), %.1f CPU seconds, %.0f MB from the system (bar: 1,000)", queues, workers, took, work, float64(m.Sys)/1e6)
			}
		})
	}
}

// cpuSeconds is the user time of the process so far: on a busy machine it tells more than the clock.
func cpuSeconds() float64 {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return math.NaN()
	}
	return time.Duration(used.Utime.Nano()).Seconds()
}
