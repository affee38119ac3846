package nrp

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/roster/search"
)

// Solution of an instance.
type Solution struct {
	Roster  [][]int // [employee][day]: shift index or Off
	Cost    int     // requests plus cover
	Bound   int     // no roster can cost less
	Stopped bool    // the context ended the search early
}

// Shares of the budget: annealing finds the first rosters, the root of the column generation its
// bound and columns, and the neighbourhoods get the rest.
const (
	annealShare    = 0.08
	rootShare      = 0.5
	largeRootShare = 0.3 // after the windows, where neighbourhoods in windows are far quicker than the root
)

// Neighbourhoods and pricing rounds are counted as this many iterations of an iteration budget.
const iterationsPerStep = 2000

// Solve finds first rosters by simulated annealing, prices columns until the linear relaxation is
// solved, and then improves groups of rows by column generation and diving until the budget ends.
// It returns a Conflict error when no legal roster was found within the budget, at once where it is
// proven that none exists.
func Solve(ctx context.Context, in *Instance, b search.Budget) (Solution, error) {
	if b.Threads == 0 {
		b.Threads = 1
	}
	if err := b.Validate(); err != nil {
		return Solution{}, err
	}
	if len(in.Shifts) > 64 {
		return Solution{}, fault.New(fault.Invalid, "nrp.too_many_shifts", "the instance has %d shift types, at most 64 are supported", len(in.Shifts))
	}
	p := prepare(in)
	if !p.long {
		if err := impossible(p); err != nil {
			return Solution{}, err
		}
	}
	first, err := anneal(ctx, p, b)
	if err != nil {
		return Solution{Stopped: ctx.Err() != nil}, err
	}
	known := p.relax(ctx, b, first.best)
	x := newStager(ctx, p, b, first.best, known)
	if !x.run() && !known.whole {
		if longer := annealFor(ctx, p, b, annealLongest); int(longer.bestCost) < p.total(x.rows) {
			x.rows = longer.best
		}
	}
	r := newRoot(ctx, p, b, x.rows, known)
	r.solve(b)
	rows := improve(ctx, r, b)
	out := Solution{Cost: p.total(rows), Stopped: ctx.Err() != nil}
	out.Bound = max(0, min(out.Cost, r.bound))
	for _, row := range rows {
		days := make([]int, len(row))
		for d, s := range row {
			days[d] = int(s)
		}
		out.Roster = append(out.Roster, days)
	}
	return out, nil
}

// andMore counts those who are not named.
func andMore(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// namedApart is how many people without a row are named, each with what collides.
const namedApart = 5

// impossible says whose rules leave no row at all, and which of them, as far as the pricing can prove it: in a moment
// unless the problem is long.
func impossible(p *problem) error {
	x := newPricer(p)
	var who []string
	for e := range p.workers {
		copy(x.entry, p.wish[e])
		if _, floor := x.cheapest(e, window{0, p.days}, nil, 1); floor == unreachable {
			says := p.in.Staff[e].ID
			if len(who) < namedApart {
				says += p.in.collision(&p.in.Staff[e])
			}
			who = append(who, says)
		}
	}
	if len(who) == 0 {
		return nil
	}
	return fault.New(fault.Conflict, "nrp.infeasible", "the hard rules leave no row of shifts for %s%s", strings.Join(who[:min(namedApart, len(who))], ", "), andMore(len(who)-namedApart))
}

// anneal runs the first phase, and goes on for the whole budget while no roster is legal and none is known to be
// impossible.
func anneal(ctx context.Context, p *problem, b search.Budget) (*chain, error) {
	share := annealShare
	if p.long {
		share = annealLong
	}
	c := annealFor(ctx, p, b, share)
	if c.bestCost < math.MaxInt32 {
		return c, nil
	}
	if p.long {
		if err := impossible(p); err != nil {
			return nil, err
		}
	}
	if b.Time > 0 {
		c = annealFor(ctx, p, b, 0.9)
	}
	if c.bestCost == math.MaxInt32 {
		return nil, fault.New(fault.Conflict, "nrp.infeasible", "no roster that keeps every hard rule was found; search longer or relax the rules")
	}
	return c, nil
}

func annealFor(ctx context.Context, p *problem, b search.Budget, share float64) *chain {
	part := b
	part.Time = time.Duration(float64(b.Time) * share)
	part.Iterations = (b.Iterations + 1) / 2
	if b.Progress != nil {
		part.Progress = func(r search.Progress) {
			r.Done *= share
			b.Progress(r)
		}
	}
	chains := make([]*chain, b.Threads)
	for i := range chains {
		chains[i] = newChain(p, b.Random(i))
	}
	best, _ := search.Run(ctx, part, chains, chunk, (*chain).adopt)
	return chains[best]
}

// improve runs the last phase and returns the best rows.
func improve(ctx context.Context, r *root, b search.Budget) [][]int8 {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if b.Iterations > 0 {
		cancel = func() {} // what a chain does must not depend on how fast another one is
	}
	if show := b.Progress; show != nil {
		b.Progress = func(p search.Progress) {
			p.Bound = float64(r.bound)
			show(p)
		}
	}
	halt := halting(ctx, b, 1)
	climbers := make([]*climber, b.Threads)
	for i := range climbers {
		climbers[i] = newClimber(r, b.Random(b.Threads+i), halt, cancel)
	}
	b.Iterations = (b.Iterations + iterationsPerStep - 1) / iterationsPerStep
	best, _ := search.Run(ctx, b, climbers, 1, (*climber).adopt)
	return climbers[best].best
}

// halting tells when a phase must end: the context is done, or the share of the time is used.
func halting(ctx context.Context, b search.Budget, share float64) func() bool {
	until := time.Duration(float64(b.Time) * share)
	return func() bool {
		return ctx.Err() != nil || b.Time > 0 && b.Elapsed() >= until
	}
}
