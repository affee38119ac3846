package forecast

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Outcome is the result of one series of a batch, or why there is none.
type Outcome struct {
	Result Result
	Err    error // *fault.Error
}

// RunAll forecasts many series with the same options on all processors; outcome i belongs to
// series i and does not depend on how many processors there are. When the origin is not given it is the
// latest end of data of all series, so that every forecast covers the same time. The data
// count as complete up to that end, so a queue that fell silent long before it is taken as asleep. done, when not
// nil, is called after each series, from several goroutines. It stops early with ctx.Err().
func RunAll(ctx context.Context, series []Series, o Options, done func()) ([]Outcome, error) {
	var last time.Time
	for _, s := range series {
		if end := s.End(); end.After(last) {
			last = end
		}
	}
	if o.Origin.IsZero() {
		o.Origin = last
	}
	if o.Complete.IsZero() && len(series) > 1 {
		o.Complete = last
	}
	out := make([]Outcome, len(series))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(series)) {
		wait.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(series) || ctx.Err() != nil {
					return
				}
				out[i].Result, out[i].Err = Run(series[i], o)
				if done != nil {
					done()
				}
			}
		})
	}
	wait.Wait()
	return out, ctx.Err()
}
