package forecast

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Outcome is the result of one series of a batch, or why there is none.
type Outcome struct {
	Result Result
	Err    error // *fault.Error
}

// Batch is what RunBatch gives: outcome i belongs to series i. Totals are the forecasts of the
// sum of all series and of every Path label, parents first; it is empty when the series do not
// share a slot and clock. Means of children add up to those of their parent.
type Batch struct {
	Outcomes []Outcome
	Totals   []Total
}

// RunAll is RunBatch without the totals.
func RunAll(ctx context.Context, series []Series, o Options, done func()) ([]Outcome, error) {
	b, err := RunBatch(ctx, series, o, done)
	return b.Outcomes, err
}

// RunBatch forecasts many series with the same options on all processors; outcome i belongs to
// series i and depends neither on their order nor on how many processors there are. When the
// origin is not given it is the latest end of data of all series, so that every forecast covers
// the same time. The data count as complete up to that end, so a queue that fell silent long
// before it is taken as asleep.
//
// Without Options.Prior the series first teach each other what past events did (LearnEvents),
// and each uses its own experience shrunk to that pool by its own noise. Then the sums are
// forecast too, and all are reconciled (hierarchy.go). done, when not nil, is called after each
// series, from several goroutines. It stops early with "forecast.canceled" when ctx ends.
func RunBatch(ctx context.Context, series []Series, o Options, done func()) (Batch, error) {
	o = withOrigin(series, o)
	engines, out, err := learnAll(ctx, series, &o)
	b := Batch{Outcomes: out}
	if err != nil {
		return b, err
	}
	root := plant(series, engines)
	var st stage
	if root != nil {
		if st, err = root.sums(ctx, o); err != nil {
			if ctx.Err() != nil {
				return b, err
			}
			root = nil // a sum that cannot be forecast reconciles nothing
		}
	}
	leaves := make([]*node, len(series))
	if root != nil {
		root.leaves(leaves)
	}
	err = each(ctx, len(series), func(i int) {
		if done != nil {
			defer done()
		}
		if engines[i] == nil {
			return
		}
		if leaves[i] == nil {
			leaves[i] = &node{series: series[i], engine: engines[i]}
		}
		engines[i].wake()
		if out[i].Err = leaves[i].sketch(); out[i].Err == nil && root != nil {
			leaves[i].rehearse(st)
		}
		engines[i].rest()
	})
	if err != nil {
		return b, err
	}
	if root != nil {
		root.reconcile(st)
		root.walk(func(n *node) {
			if n.draft != nil {
				if r, err := n.draft.finish(); err == nil {
					b.Totals = append(b.Totals, Total{Path: n.path, Result: r})
				}
			}
		})
	}
	err = each(ctx, len(series), func(i int) {
		if leaves[i] != nil && leaves[i].draft != nil {
			out[i].Result, out[i].Err = leaves[i].draft.finish()
		}
	})
	return b, err
}

// leaves puts each series' node at its index.
func (n *node) leaves(out []*node) {
	for _, k := range n.all {
		if k.leaf >= 0 {
			out[k.leaf] = k
		} else {
			k.leaves(out)
		}
	}
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

// learnAll learns every series and, where no prior is given, lets them teach each other; the
// prior they make is put into the options.
func learnAll(ctx context.Context, series []Series, o *Options) ([]*engine, []Outcome, error) {
	engines, out := make([]*engine, len(series)), make([]Outcome, len(series))
	heard := make([][]heardOccurrence, len(series))
	pooling := o.Prior == nil && len(series) >= leastPool
	err := each(ctx, len(series), func(i int) {
		if engines[i], out[i].Err = prepare(series[i], *o); out[i].Err != nil {
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
		o.Prior = &prior
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

// each calls work for 0 to n-1 on all processors. Its error is a *fault.Error "forecast.canceled" of
// kind Timeout when the time of ctx ran out, of kind Canceled when somebody ended it.
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
	switch err := ctx.Err(); {
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(err, fault.Timeout, "forecast.canceled", "the forecast took too long and was stopped")
	case err != nil:
		return fault.Wrap(err, fault.Canceled, "forecast.canceled", "the forecast was interrupted")
	}
	return nil
}
