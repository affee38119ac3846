package roster

import (
	"context"

	"github.com/chaoban/chaoban/scheduling/roster/search"
)

// The phases of a run as shares of its time. Prices come first, because they start the bound and a
// first roster that knows them is better; the bound has the last word, because it is steered by the
// cost of the roster found.
const (
	priceUntil  = 0.2
	diveUntil   = 0.4
	searchUntil = 0.88
	boundUntil  = 0.98 // the rest is for reasons, fixes and the last judgement
)

// When people are to stay on a queue, that has a part of its own at the end, taken from the search.
const (
	searchUntilStays = 0.7
	boundUntilStays  = 0.88
	queuesUntil      = 0.98
)

// Rounds of prices and bound: the most under a time budget, and what an iteration budget gets, where
// no clock may decide.
const (
	firstPasses = 3 // before the first roster
	mostPasses  = 300
	fixedPasses = 15
	mostRounds  = 2000
	fixedRounds = 120
)

// roundSteps is the number of steps of a chain between two meetings.
const roundSteps = 200

// search runs the phases and returns the best roster with the relaxation that bounds it.
func (m *model) search(ctx context.Context, o Options) (best *state, relaxed *relaxation, stopped bool) {
	timed := o.Time > 0 && o.Iterations == 0
	searchEnd, boundEnd := searchUntil, boundUntil
	if m.stays() {
		searchEnd, boundEnd = searchUntilStays, boundUntilStays
	}
	// rounds lets a phase do its rounds, in time or fixed ones, and the least it needs in any case.
	rounds := func(share float64, least, fixed, most int) func() bool {
		n := 0
		return func() bool {
			n++
			switch {
			case n <= least:
				return true
			case ctx.Err() != nil:
				return false
			case timed:
				return n <= most && float64(o.Elapsed()) < share*float64(o.Time)
			}
			return n <= fixed
		}
	}
	relaxed = newRelaxation(m, o.Threads)
	flow := newFluid(relaxed)
	flow.run(rounds(priceUntil, 1, firstPasses, firstPasses))
	first := newState(m, o.Random(0))
	first.construct(flow, false)
	report(o, 0, first.cost, relaxed)
	flow.run(rounds(priceUntil, 0, fixedPasses, mostPasses))
	relaxed.take(flow)
	first = first.dived(flow, o.Random(0), func() bool { return ctx.Err() == nil && (!timed || o.Spent(0) < diveUntil) })
	report(o, 0, first.cost, relaxed)
	h := newHunt(m, first, o)
	begin := min(o.Spent(0), priceUntil)
	for ctx.Err() == nil && len(m.agents) > 0 && len(m.days) > 0 {
		spent := o.Spent(h.steps)
		if timed {
			spent = max(0, spent-begin) / (searchEnd - begin)
		}
		if spent >= 1 {
			break
		}
		n := roundSteps
		if o.Iterations > 0 {
			n = min(n, o.Iterations-h.steps)
		}
		h.round(n, spent)
		report(o, h.steps, h.cost, relaxed)
	}
	best = newState(m, o.Random(0))
	best.follow(h.best)
	best.polish()
	best.replanAll(relaxed, func() bool { return ctx.Err() == nil && (!timed || o.Spent(0) < (searchEnd+boundEnd)/2) })
	passes := rounds(boundEnd, 0, fixedPasses, mostPasses-flow.passes)
	relaxed.settle(flow, func() bool {
		report(o, h.steps, best.cost, relaxed)
		return passes()
	})
	left := rounds(boundEnd, 5, fixedRounds, mostRounds)
	relaxed.improve(best.cost, func() bool {
		report(o, h.steps, best.cost, relaxed)
		return left()
	})
	return best, relaxed, ctx.Err() != nil
}

func report(o Options, steps int, cost float64, relaxed *relaxation) {
	if o.Progress != nil {
		o.Progress(search.Progress{Done: o.Spent(steps), Cost: cost, Bound: relaxed.bound(), Loose: relaxed.m.stays()})
	}
}
