package roster

import (
	"math"
	"math/rand/v2"
	"slices"
)

// queuePlan finds the queues of one shift given what a head loses on each queue in each slot: a path
// through slots and queues in which every change costs a price and no block between two pauses or
// changes is shorter than the least. A stretch between two pauses that is shorter than that is one block.
// Exact, by dynamic programming over the slots: node (i, k) is a block on queue k that may end before
// slot i, since it is long enough. It is scratch memory for many shifts.
type queuePlan struct {
	block int     // slots
	price float64 // yuan

	width int
	loss  []float64 // [slot*width+queue] yuan of a head there
	pause []bool    // per slot
	path  []int     // per slot: the queue chosen, -1 in a pause

	sum     []float64 // [slot*width+queue] prefix sums of loss
	node    []float64 // [slot*width+queue] least cost up to the slot
	entries []float64 // [slot*width+queue] least cost before a block of that queue that begins here
	from    []int16   // of a node: keeps (the block goes on) or the queue before its block
	weights []float64
}

const keeps = -1 // in from: the block was long enough one slot before

// begin makes room for a shift of n slots and a number of queues.
func (p *queuePlan) begin(n, width int) {
	p.width = width
	grow := func(x []float64, n int) []float64 { return slices.Grow(x[:0], n)[:n] }
	p.loss, p.sum = grow(p.loss, n*width), grow(p.sum, (n+1)*width)
	p.node, p.entries = grow(p.node, (n+1)*width), grow(p.entries, (n+1)*width)
	p.pause = slices.Grow(p.pause[:0], n)[:n]
	p.path = slices.Grow(p.path[:0], n)[:n]
	p.from = slices.Grow(p.from[:0], (n+1)*width)[:(n+1)*width]
}

// stretch is the work from a slot to the next pause or the end.
func (p *queuePlan) stretch(i int) (until int) {
	for until = i; until < len(p.pause) && !p.pause[until]; until++ {
	}
	return until
}

// solve finds the least cost; path holds the queues.
func (p *queuePlan) solve() float64 {
	return p.run(0, nil)
}

// draw picks a path with the probability of its Boltzmann weight at a temperature in yuan.
func (p *queuePlan) draw(heat float64, rng *rand.Rand) { p.run(heat, rng) }

// run goes forward over the slots and back along the path. Without heat a node holds the least cost,
// with heat the free energy -heat*log(sum exp(-cost/heat)) of all paths to it.
func (p *queuePlan) run(heat float64, rng *rand.Rand) float64 {
	w := p.width
	last := -1 // end of the stretch before
	clear(p.sum[:w])
	for i := range p.pause {
		for k := range w {
			p.sum[(i+1)*w+k] = p.sum[i*w+k]
			if !p.pause[i] {
				p.sum[(i+1)*w+k] += p.loss[i*w+k]
			}
		}
	}
	for i := 0; i < len(p.pause); {
		if p.pause[i] {
			p.path[i] = -1
			i++
			continue
		}
		until := p.stretch(i)
		p.forward(i, until, last, heat)
		last, i = until, until
	}
	if last < 0 {
		return 0
	}
	return p.back(last, heat, rng)
}

// forward fills the nodes of one stretch; before is where the stretch before it ended, -1 none.
func (p *queuePlan) forward(first, until, before int, heat float64) {
	w := p.width
	block := min(p.block, until-first)
	for k := range w {
		p.entries[first*w+k] = 0
		if before >= 0 {
			p.entries[first*w+k] = p.enter(before, k, heat, true)
		}
	}
	for i := (first + 1) * w; i < (first+block)*w; i++ {
		p.entries[i] = math.Inf(1) // no block before is long enough
	}
	for i := first + block; i <= until; i++ {
		for k := range w {
			begin := i - block
			cost, from := p.entries[begin*w+k]+p.sum[i*w+k]-p.sum[begin*w+k], int16(0)
			if i > first+block {
				on := p.node[(i-1)*w+k] + p.loss[(i-1)*w+k]
				if heat > 0 {
					cost = either(cost, on, heat)
				} else if on <= cost {
					cost, from = on, keeps
				}
			}
			p.node[i*w+k], p.from[i*w+k] = cost, from
		}
		if i+block <= until {
			for k := range w {
				p.entries[i*w+k] = p.enter(i, k, heat, false)
			}
		}
	}
}

// enter is the cost before a block of queue k that follows the nodes of a slot; over a pause the queue may be
// the same.
func (p *queuePlan) enter(at, k int, heat float64, same bool) float64 {
	best := math.Inf(1)
	for q := range p.width {
		cost, ok := p.step(at, q, k, same)
		switch {
		case !ok:
		case heat > 0:
			best = either(best, cost, heat)
		default:
			best = min(best, cost)
		}
	}
	return best
}

// step is the cost of going from queue q at a slot to a block of queue k.
func (p *queuePlan) step(at, q, k int, same bool) (float64, bool) {
	cost := p.node[at*p.width+q]
	if q == k {
		return cost, same
	}
	return cost + p.price, true
}

// either is -heat*log(exp(-a/heat)+exp(-b/heat)).
func either(a, b, heat float64) float64 {
	if a > b {
		a, b = b, a
	}
	if math.IsInf(b, 1) {
		return a
	}
	return a - heat*math.Log1p(math.Exp((a-b)/heat))
}

// back writes the path that ends at a slot and returns its cost.
func (p *queuePlan) back(end int, heat float64, rng *rand.Rand) float64 {
	w := p.width
	k := p.choose(w, heat, rng, func(q int) (float64, bool) { return p.node[end*w+q], true })
	total := p.node[end*w+k]
	for i := end; ; {
		first := i
		for first > 0 && !p.pause[first-1] {
			first--
		}
		block := min(p.block, p.stretch(first)-first)
		begin := p.blockBegin(i, k, first, block, heat, rng)
		for t := begin; t < i; t++ {
			p.path[t] = k
		}
		at, same := begin, false
		if begin == first { // over a pause, or the beginning of the shift
			for at > 0 && p.pause[at-1] {
				at--
			}
			if at == 0 {
				return total
			}
			same = true
		}
		to := k
		k = p.choose(w, heat, rng, func(q int) (float64, bool) { return p.step(at, q, to, same) })
		i = at
	}
}

// blockBegin is where the block of queue k that ends at slot i began.
func (p *queuePlan) blockBegin(i, k, first, block int, heat float64, rng *rand.Rand) int {
	w := p.width
	for ; i > first+block; i-- {
		if heat == 0 {
			if p.from[i*w+k] != keeps {
				break
			}
			continue
		}
		on := p.node[(i-1)*w+k] + p.loss[(i-1)*w+k]
		if rng.Float64() >= math.Exp((p.node[i*w+k]-on)/heat) {
			break
		}
	}
	return i - block
}

// choose takes the cheapest of several, the first of equals, or with heat draws one.
func (p *queuePlan) choose(n int, heat float64, rng *rand.Rand, cost func(int) (float64, bool)) int {
	best, least := -1, math.Inf(1)
	p.weights = p.weights[:0]
	for q := range n {
		c, ok := cost(q)
		if !ok {
			c = math.Inf(1)
		}
		p.weights = append(p.weights, c)
		if best < 0 || c < least {
			best, least = q, c
		}
	}
	if heat == 0 {
		return best
	}
	sum := 0.0
	for q, c := range p.weights {
		p.weights[q] = math.Exp((least - c) / heat)
		sum += p.weights[q]
	}
	x := rng.Float64() * sum
	for q, v := range p.weights {
		if x -= v; x < 0 {
			return q
		}
	}
	return best
}
