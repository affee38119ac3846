package forecast

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// Protocol says from which past instants a series is forecast again.
type Protocol struct {
	Horizon    time.Duration
	Step       time.Duration
	From       time.Time // first origin
	To         time.Time // no forecast reaches beyond it; zero = the end of the data
	TrainUntil time.Time // zero = the model may be chosen anew at each origin
}

// Replayed is the forecast of one origin.
type Replayed struct {
	Origin time.Time
	Points []scheduling.Point
}

// Scores of all replayed forecasts together.
type Scores = Benchmarks

// Replay forecasts a series from every origin from Protocol.From on in steps while origin + horizon
// lies inside the data and not after Protocol.To. Nothing after an origin is seen by its forecast.
// An origin at which nothing opens within the horizon is left out. Errors: those of Run at the first
// origin, "forecast.protocol".
func Replay(ctx context.Context, s Series, o Options, p Protocol) ([]Replayed, Scores, error) {
	if p.Step <= 0 || p.From.IsZero() {
		return nil, Scores{}, fault.New(fault.Invalid, "forecast.protocol", "a back-test needs a first origin and a step")
	}
	o.Horizon = p.Horizon
	if err := o.Validate(); err != nil {
		return nil, Scores{}, err
	}
	end := s.End()
	if !p.To.IsZero() && p.To.Before(end) {
		end = p.To
	}
	var origins []time.Time
	for at := p.From; !at.Add(p.Horizon).After(end); at = at.Add(p.Step) {
		origins = append(origins, at)
	}
	if len(origins) == 0 {
		return nil, Scores{}, fault.New(fault.Invalid, "forecast.protocol", "no forecast from %s over %s ends by %s", stamp(p.From), p.Horizon, stamp(end))
	}
	results, failures := make([]Replayed, len(origins)), make([]error, len(origins))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(origins)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(origins) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				own := o
				own.Origin = origins[i]
				r, err := Run(s, own)
				results[i], failures[i] = Replayed{origins[i], r.Curve.Points}, err
			}
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return nil, Scores{}, ctx.Err()
	}
	for _, err := range failures {
		if err != nil && fault.CodeOf(err) != "forecast.nothing_open" {
			return nil, Scores{}, err
		}
	}
	results = slices.DeleteFunc(results, func(r Replayed) bool { return len(r.Points) == 0 })
	b := NewBenchmark(o.Levels)
	versions := make([]Version, len(results))
	for i, r := range results {
		versions[i] = Version{r.Origin, scheduling.Curve{Queue: s.Queue, Slot: s.Slot, Levels: o.Levels, Points: r.Points}}
	}
	b.Add(s, o.Missing, versions)
	return results, b.Scores(), nil
}
