//go:build unix

package margin_test

import (
	"context"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/staffing/margin"
)

// processorTime that this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkStaffingMarginFortnight is the bar of the margin-optimal plan: 20 merchants, 500 agents, 14 days of
// quarter hours within 60 s on 2 cores and below 1 GB. On a busy machine the processor time tells more: half of it is
// what two free cores need where nothing waits.
func BenchmarkStaffingMarginFortnight(b *testing.B) {
	runtime.GOMAXPROCS(2)
	in := fortnight(20)
	for b.Loop() {
		var peak uint64
		ctx, stop := context.WithCancel(context.Background())
		watched := make(chan struct{})
		go func() {
			defer close(watched)
			var s runtime.MemStats
			for ctx.Err() == nil {
				runtime.ReadMemStats(&s)
				peak = max(peak, s.Sys)
				time.Sleep(50 * time.Millisecond)
			}
		}()
		start, busy := time.Now(), processorTime(b)
		m, err := margin.New(ctx, in)
		require.NoError(b, err)
		ready := time.Since(start)
		r, err := m.Optimise(ctx)
		require.NoError(b, err)
		whole, busy := time.Since(start), processorTime(b)-busy
		stop()
		<-watched
		most := 0
		total := map[time.Time]int{}
		for i, q := range r.Plan.Queues {
			for j, h := range q.Heads {
				at := in.Queues[i].Demand.Slots[j].Start
				total[at] += h
				most = max(most, total[at])
			}
		}
		o := r.Outcome
		b.ReportMetric(whole.Seconds(), "s/plan")
		b.ReportMetric(float64(peak)/1e6, "MB")
		b.ReportMetric(busy.Seconds(), "cpu-s/plan")
		b.Logf("plan in %.1f s with %.1f s of processor time (bar 60 s on 2 cores), %.1f s of it scenarios; %.0f MB (bar 1000 MB)",
			whole.Seconds(), busy.Seconds(), ready.Seconds(), float64(peak)/1e6)
		b.Logf("margin %.0f yuan (revenue %.0f, penalty %.0f, wage %.0f of it overtime %.0f); bound %.0f, gap %.2f %% of revenue; %.0f head hours, at most %d heads",
			o.Margin.Mean, o.Revenue.Mean, o.Penalty.Mean, o.WageYuan, o.OvertimeYuan, r.BoundYuan, 100*r.GapYuan/o.Revenue.Mean, o.HeadHours, most)
	}
}
