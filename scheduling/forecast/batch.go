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
// series i and depends neither on their order nor on how many processors there are. When the origin is not given it is the
// latest end of data of all series, so that every forecast covers the same time. The data
// count as complete up to that end, so a queue that fell silent long before it is taken as asleep.
//
// Without Options.Prior the series first teach each other what past events did (LearnEvents),
// and each uses its own experience shrunk to that pool by its own noise. done, when not
// nil, is called after each series, from several goroutines. It stops early with ctx.Err().
func RunAll(ctx context.Context, series []Series, o Options, done func()) ([]Outcome, error) {
	o = withOrigin(series, o)
	engines, out, err := learnAll(ctx, series, o)
	if err != nil {
		return out, err
	}
	err = each(ctx, len(series), func(i int) {
		if e := engines[i]; e != nil {
			engines[i] = nil
			e.wake()
			e.backtest()
			out[i].Result, out[i].Err = e.result(series[i])
		}
		if done != nil {
			done()
		}
	})
	return out, err
}

// withOrigin settles what all series of a batch share.
func withOrigin(series []Series, o Options) Options {
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
	return o
}

// learnAll learns every series and, where no prior is given, lets them teach each other.
func learnAll(ctx context.Context, series []Series, o Options) ([]*engine, []Outcome, error) {
	engines, out := make([]*engine, len(series)), make([]Outcome, len(series))
	heard := make([][]heardOccurrence, len(series))
	pooling := o.Prior == nil && len(series) >= leastPool
	err := each(ctx, len(series), func(i int) {
		if engines[i], out[i].Err = prepare(series[i], o); out[i].Err != nil {
			engines[i] = nil
			return
		}
		if pooling {
			heard[i] = engines[i].testify()
		}
		engines[i].rest()
	})
	if err != nil || !pooling {
		return engines, out, err
	}
	if prior := poolEvents(series, heard); len(prior.Curves) > 0 {
		for _, e := range engines {
			if e != nil {
				e.taught = e.g.teachers(e.occ, &prior)
			}
		}
	}
	return engines, out, nil
}

// rest gives up what wake can make again, so that a batch of many series stays small.
func (e *engine) rest() {
	e.terms, e.fit = nil, nil
}

func (e *engine) wake() {
	e.design()
	e.fit = e.filter(e.hyper)
}

// each calls work for 0 to n-1 on all processors.
func each(ctx context.Context, n int, work func(i int)) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	wait.Wait()
	return ctx.Err()
}
