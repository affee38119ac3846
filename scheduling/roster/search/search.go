// Package search owns how long an optimiser may look and how several search chains share that
// budget. It does not own any problem: roster, nrp and matsp bring their own chains.
//
// It has no clock. A time budget needs Budget.Elapsed, which the caller supplies; with an
// iteration budget a run depends on Seed, Iterations and Threads only.
package search

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Budget says how much to search and from which seed.
type Budget struct {
	Seed       uint64
	Iterations int                  // steps per chain; 0 = limited by Time
	Time       time.Duration        // wall time; needs Elapsed; 0 = limited by Iterations
	Threads    int                  // parallel chains, at least 1
	Elapsed    func() time.Duration // time since the run began, safe for concurrent use
	Progress   func(Progress)       // may be nil; calls never overlap
}

// Progress is one report.
type Progress struct {
	Done float64 // 0 to 1
	Cost float64 // best so far of the reporting chain
	// Bound that no solution can beat, as far as it is known by now; 0 = none yet.
	Bound float64
	// Loose says that no roster costs this yet: people still change queues as they like, and what staying costs comes later.
	Loose bool
}

// Validate checks that the budget ends.
func (b Budget) Validate() error {
	var bad []fault.Field
	if b.Iterations < 0 {
		bad = append(bad, fault.Field{Path: "iterations", Value: fmt.Sprint(b.Iterations), Problem: "must not be negative"})
	}
	if b.Time < 0 {
		bad = append(bad, fault.Field{Path: "time", Value: b.Time.String(), Problem: "must not be negative"})
	}
	if b.Iterations == 0 && b.Time == 0 {
		bad = append(bad, fault.Field{Path: "iterations", Problem: "give iterations or a time"})
	}
	if b.Time > 0 && b.Elapsed == nil {
		bad = append(bad, fault.Field{Path: "time", Problem: "a time budget needs a clock from the caller"})
	}
	if b.Threads < 1 || b.Threads > 256 {
		bad = append(bad, fault.Field{Path: "threads", Problem: "must be 1 to 256"})
	}
	return fault.Bad("roster.budget", "search budget", bad)
}

// Random returns the source of one chain.
func (b Budget) Random(chain int) *rand.Rand {
	return rand.New(rand.NewPCG(b.Seed, 0x9e3779b97f4a7c15*uint64(chain+1)))
}

// Chain is one search with its own state.
type Chain interface {
	Run(steps int, done float64) // done (0 to 1) sets the temperature
	Cost() float64               // of the best solution so far
}

// meetings is how often the chains compare notes during a run.
const meetings = 10

// Run lets the chains search until the budget is used up or the context ends. At each meeting
// adopt(to, from) hands the best chain's solution to the others; ties go to the first chain.
// chunk is the number of steps between two looks at the clock. It returns the index of the best
// chain and whether the context stopped it early.
func Run[C Chain](ctx context.Context, b Budget, chains []C, chunk int, adopt func(to, from C)) (best int, stopped bool) {
	steps := make([]int, len(chains))
	var report sync.Mutex
	for meeting := 1; meeting <= meetings; meeting++ {
		until := float64(meeting) / meetings
		var wg sync.WaitGroup
		for i := range chains {
			wg.Go(func() {
				for ctx.Err() == nil {
					done, n := b.done(steps[i], chunk, until)
					if n == 0 {
						return
					}
					chains[i].Run(n, done)
					steps[i] += n
					if b.Progress != nil && i == 0 {
						report.Lock()
						b.Progress(Progress{Done: done, Cost: chains[i].Cost()})
						report.Unlock()
					}
				}
			})
		}
		wg.Wait()
		best = 0
		for i := range chains {
			if chains[i].Cost() < chains[best].Cost() {
				best = i
			}
		}
		if ctx.Err() != nil {
			return best, true
		}
		for i := range chains {
			if i != best && meeting < meetings {
				adopt(chains[i], chains[best])
			}
		}
	}
	return best, false
}

// Spent is the share of the budget, 0 to 1, that some steps and the time so far have used.
func (b Budget) Spent(steps int) float64 {
	done, _ := b.done(steps, 1, 1)
	return done
}

// done returns the share of the budget used and how many steps may follow before `until`.
func (b Budget) done(steps, chunk int, until float64) (float64, int) {
	done, n := 0.0, chunk
	if b.Iterations > 0 {
		limit := int(float64(b.Iterations)*until + 0.5)
		done, n = float64(steps)/float64(b.Iterations), max(0, min(chunk, limit-steps))
	}
	if b.Time > 0 {
		used := float64(b.Elapsed()) / float64(b.Time)
		if used >= until {
			n = 0
		}
		done = max(done, used)
	}
	return min(1, done), n
}
