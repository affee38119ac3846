package nrp

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/chaoban/chaoban/scheduling/roster/search"
)

// relaxation bounds a problem that is too long for one master. Beside the link between heads and
// rows, every limit that counts over the whole horizon has a price (Geoffrion 1974): hours at most
// and at least, weekends, shifts of a type. A row is then priced by its days and runs alone, in
// milliseconds however long it is. Any prices give a bound; the volume algorithm (Barahona & Anbil
// 2000) makes them better.
type relaxation struct {
	p      *problem
	lanes  []*lane
	prices []float64 // by cell, then by employee its limits
	bound  float64   // at the prices
	best   float64
	slope  []float64 // of the bound in each price, at the prices
}

func newRelaxation(p *problem) *relaxation {
	r := &relaxation{p: p, prices: make([]float64, len(p.covers)), best: math.Inf(-1)}
	idle := p.idle()
	for e := range p.workers {
		l := &lane{e: e, first: len(r.prices), space: newRowSpace(p, e, window{0, p.days}, idle, make([]bool, p.shifts), wholeLimits), row: make([]int8, p.days)}
		for _, t := range p.usable[e] {
			if p.in.Staff[e].MaxShifts[t] < l.space.workable(p.days) {
				l.types = append(l.types, t)
			}
		}
		l.values = make([]float64, (p.days+1)*l.space.kinds)
		l.entry, l.member = make([]float64, len(l.space.classes)), make([]int8, p.days*len(l.space.classes))
		for c := range l.space.classes {
			l.order = append(l.order, int16(c))
		}
		r.prices = append(r.prices, make([]float64, ownLimits+len(l.types))...)
		r.lanes = append(r.lanes, l)
	}
	r.slope = make([]float64, len(r.prices))
	r.begin()
	return r
}

// begin sets prices at which a head earns some of what it saves, and an hour costs as much: neither nobody nor
// everybody works there, which is far better ground than no prices.
func (r *relaxation) begin() {
	sum := 0.0
	for i, c := range r.p.covers {
		r.prices[i] = firstPrice * float64(c.under)
		sum += r.prices[i]
	}
	for _, l := range r.lanes {
		r.prices[l.first+mostHours] = sum / float64(max(1, len(r.p.covers)))
	}
}

// The share of the time that the relaxation may take, and its steps under a budget of iterations.
const (
	relaxShare = 0.05
	relaxSteps = 300
)

// guide is what is known of a problem before its rows are made with care.
type guide struct {
	bound  int       // no roster costs less
	lambda []float64 // multipliers of the cells
	whole  bool      // there is time for column generation over everybody and all days
}

// rootRounds is how many pricings such a column generation takes, about.
const rootRounds = 60

// relax guides the solving of a long problem by prices; others have their root for that. One exact pricing
// at the end makes the bound better and shows how long the root would take.
func (p *problem) relax(ctx context.Context, b search.Budget, rows [][]int8) guide {
	out := guide{lambda: make([]float64, len(p.covers)), whole: p.atOnce}
	if !p.long {
		return out
	}
	r := newRelaxation(p)
	steps := math.MaxInt
	if b.Iterations > 0 {
		steps = relaxSteps
	}
	r.improve(b.Threads, steps, float64(p.total(rows)), halting(ctx, b, b.Spent(0)+relaxShare))
	copy(out.lambda, r.prices)
	best := r.best
	if p.atOnce && ctx.Err() == nil {
		begin := b.Spent(0)
		best = max(best, p.exactly(out.lambda, rows, b.Threads))
		out.whole = b.Time == 0 || (b.Spent(0)-begin)*rootRounds < largeRootShare
	}
	out.bound = max(0, int(math.Ceil(best-1e-6)))
	return out
}

// exactly is the bound at multipliers with every limit kept; it rounds them to the grid of the pricing.
func (p *problem) exactly(lambda []float64, rows [][]int8, threads int) float64 {
	g := newGroup(p, newPricers(p, threads), nil, rows, p.count(rows), p.everybody(), window{0, p.days}, func() bool { return false })
	copy(g.lambda, lambda)
	return g.price(1)
}

// The volume algorithm: the weight of the newest slope in the direction, the first step as a share of
// the distance to the cost of a known roster, and how the steps change.
const (
	volumeShare  = 0.1
	volumeStep   = 0.2
	volumeLonger = 1.1
	volumeShrink = 0.66
	volumeTries  = 20 // steps without a better bound before they shrink
	volumeLeast  = 1e-4
	firstPrice   = 0.1  // share of what a missing head costs
	volumeRound  = 100  // steps that must gain
	volumeGain   = 2e-4 // of the target
)

// improve makes the prices better until halt or some steps are done; the bound never gets worse. Cost is of a known roster.
func (r *relaxation) improve(threads, steps int, cost float64, halt func() bool) {
	r.price(threads)
	r.best = r.bound
	start := r.best
	center, direction := slices.Clone(r.prices), slices.Clone(r.slope)
	length, tries, before := volumeStep, 0, math.Inf(-1)
	defer func() { copy(r.prices, center) }()
	for i := range steps {
		if i%volumeRound == volumeRound-1 {
			if r.best-before < volumeGain*r.target(cost) && length < volumeStep && r.best > start {
				return
			}
			before = r.best
		}
		norm := 0.0
		for _, v := range direction {
			norm += v * v
		}
		if halt() || norm < 1e-9 || length < volumeLeast || math.Ceil(r.best-1e-6) >= cost {
			return
		}
		for i, v := range direction {
			r.prices[i] = r.within(i, center[i]+length*(r.target(cost)-r.best)/norm*v)
		}
		r.price(threads)
		along := r.turn(direction)
		if r.bound > r.best {
			r.best, tries = r.bound, 0
			copy(center, r.prices)
			if along > 0 {
				length = min(2, length*volumeLonger)
			}
			continue
		}
		if tries++; tries == volumeTries {
			length, tries = length*volumeShrink, 0
		}
	}
}

// target is where the bound is thought to end: near the cost of the known roster, unless that is a poor one.
func (r *relaxation) target(cost float64) float64 {
	return min(1.05*cost, max(0.3*cost, 1.5*r.best))
}

// within keeps a price where it can be of use: a head is worth no more than it saves, and limits have no negative prices.
func (r *relaxation) within(i int, price float64) float64 {
	if i >= len(r.p.covers) {
		return max(0, price)
	}
	return min(max(price, -float64(r.p.covers[i].over)), float64(r.p.covers[i].under))
}

// turn moves the direction towards the newest slope, as far as makes it shortest, and returns how far both point the same way.
func (r *relaxation) turn(direction []float64) (along float64) {
	apart, back := 0.0, 0.0
	for i, v := range r.slope {
		off := v - direction[i]
		along += v * direction[i]
		apart += off * off
		back -= off * direction[i]
	}
	share := min(volumeShare, max(volumeShare/10, back/max(1e-9, apart)))
	for i, v := range r.slope {
		direction[i] += share * (v - direction[i])
	}
	return along
}

// price finds the bound at the prices and its slopes.
func (r *relaxation) price(threads int) {
	var wg sync.WaitGroup
	for t := range threads {
		wg.Go(func() {
			for k := t; k < len(r.lanes); k += threads {
				r.lanes[k].price(r.p, r.prices)
			}
		})
	}
	wg.Wait()
	r.bound = 0
	for i := range r.p.covers {
		r.bound += r.heads(i)
	}
	for _, l := range r.lanes {
		r.bound += l.least
		l.slopes(r.p, r.slope)
	}
}

// heads is the least of cover cost and price over the heads that everybody can supply to a cell, and sets its slope.
func (r *relaxation) heads(i int) float64 {
	c, least := &r.p.covers[i], math.Inf(1)
	for _, n := range [3]int{min(c.need, r.p.workers), 0, r.p.workers} {
		if v := float64(c.miss(n)) + r.prices[i]*float64(n); v < least-1e-9 {
			least, r.slope[i] = v, float64(n)
		}
	}
	return least
}
