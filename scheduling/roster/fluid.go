package roster

import (
	"slices"
	"sync"
	"sync/atomic"
)

// fluid is a roster in fractions: every agent holds a mixture of relaxed rosters (mixture.go). It is
// balanced agent by agent: the roster that earns most at the prices joins the mixture, then weight
// moves from rosters that earn less to those that earn more (pairwise block-coordinate Frank-Wolfe:
// Lacoste-Julien & Jaggi 2015; Osokin et al., ICML 2016). A price is the dual of its slot's cost with a
// proximal term around a centre that follows (method of multipliers), so that a small change of heads
// is a small change of prices. The centres start the bound, and the heads tell the first roster what
// to count on.
type fluid struct {
	r      *relaxation
	heads  []float64   // per slot and queue
	share  [][]float32 // per agent: heads by slot and own skill
	skills [][]int16   // per agent: queues of share, ascending
	rank   [][]int16   // per agent: queue to index in skills, -1 = none
	mixes  []mixture   // per agent
	centre []float64   // yuan per slot and queue
	stiff  float64     // yuan that a price rises per missing head
	passes int

	dayOf   []int16 // per slot
	mixers  []*mixer
	changes [fluidBlock][]cellPart
	done    []bool // per agent: its roster is whole
}

// How a pass goes. The values were measured on houses of 200 and 1,000 agents.
const (
	fluidBlock  = 16  // agents that act at the same prices
	fluidSweeps = 2   // turns of everybody between two responses
	fluidFollow = 0.6 // step of the centres towards the prices
	fluidStiff  = 0.3 // yuan that a price rises per missing head, of the mean value of a head
	fluidEarly  = 10  // passes in which a roster is mixed in at once: the first ones are worth little
)

func newFluid(r *relaxation) *fluid {
	m := r.m
	f := &fluid{
		r: r, heads: make([]float64, len(r.price)), centre: slices.Clone(r.price), mixes: make([]mixture, len(m.agents)), done: make([]bool, len(m.agents)),
	}
	cells := 0
	for i, target := range m.target[:len(r.price)] {
		if target > 0 {
			f.stiff, cells = f.stiff+m.value[i], cells+1
		}
	}
	f.stiff *= fluidStiff / float64(max(1, cells))
	for t := range m.inside {
		f.dayOf = append(f.dayOf, int16(m.dayOf(t)))
	}
	for a := range m.agents {
		rank := make([]int16, len(m.queues))
		var skills []int16
		for q := range rank {
			rank[q] = -1
			if slices.ContainsFunc(m.agents[a].skills, func(s []int16) bool { return contains(s, int16(q)) }) {
				rank[q] = int16(len(skills))
				skills = append(skills, int16(q))
			}
		}
		f.skills, f.rank = append(f.skills, skills), append(f.rank, rank)
		f.share = append(f.share, make([]float32, m.inside*len(skills)))
	}
	for _, w := range r.workers {
		f.mixers = append(f.mixers, newMixer(f, w))
	}
	f.reprice()
	return f
}

// reprice sets all prices from the heads.
func (f *fluid) reprice() {
	for i := range f.r.price {
		f.r.price[i] = f.priceOf(i)
	}
}

// priceOf maximises the dual of a slot's cost at a fractional supply less the proximal term. At a price p the slot wants the heads
// that save more than p, so the dual bends where p is what the next head saves. Between two bends with n heads wanted the maximum is
// where the centre moves to at n; the more heads, the higher, and the less the next one saves: the first n whose price is not below
// the saving of the next decides, and the one before it bounds the price.
func (f *fluid) priceOf(i int) float64 {
	m := f.r.m
	low := -m.p.Weights.Over / m.perHour
	target := m.target[i]
	if target == 0 {
		return low
	}
	supply := f.heads[i] + float64(m.covered[i])
	moved := func(n int16) float64 { return f.centre[i] + f.stiff*(float64(n)-supply) }
	if moved(target) < low {
		return low
	}
	few, many := int16(0), target
	for few < many {
		if n := few + (many-few)/2; moved(n) >= m.saving(i, n) {
			many = n
		} else {
			few = n + 1
		}
	}
	if few == 0 {
		return m.dearest(i)
	}
	return min(moved(few), m.saving(i, few-1))
}

// run lets everybody respond once per pass while more says so.
func (f *fluid) run(more func() bool) {
	r := f.r
	for len(r.m.agents) > 0 && more() {
		f.sweep(func(x *mixer, a int) {
			x.respond(a)
			x.balance(a)
		})
		for range fluidSweeps {
			f.sweep((*mixer).balance)
		}
		if f.passes++; f.passes > 3 { // before, the heads say little
			for i, p := range r.price {
				f.centre[i] += fluidFollow * (p - f.centre[i])
			}
			f.reprice()
		}
		for a := range r.duals {
			r.duals[a].follow()
		}
	}
}

// restore makes the fractions again that a dive has spent, from the mixtures.
func (f *fluid) restore() {
	clear(f.heads)
	clear(f.done)
	for a := range f.share {
		clear(f.share[a])
	}
	f.reprice()
	f.sweep(func(x *mixer, a int) {
		for i := range f.mixes[a].rows {
			if row := &f.mixes[a].rows[i]; row.weight > 0 {
				x.move(a, row, row.weight)
			}
		}
	})
}

// rebalance brings the agents that are not whole yet into balance with those that are.
func (f *fluid) rebalance() {
	f.reprice()
	for range fluidSweeps {
		f.sweep((*mixer).balance)
	}
}

// sweep lets each agent act once, block by block: those of a block act at the same prices, so they can
// act at a time, and what they change is added up in their order.
func (f *fluid) sweep(act func(x *mixer, a int)) {
	n := len(f.r.m.agents)
	for from := 0; from < n; from += fluidBlock {
		until := min(n, from+fluidBlock)
		var wg sync.WaitGroup
		var next atomic.Int64
		next.Store(int64(from))
		for _, x := range f.mixers {
			wg.Go(func() {
				for {
					a := int(next.Add(1)) - 1
					if a >= until {
						return
					}
					if !f.done[a] {
						act(x, a)
					}
					f.changes[a-from], x.changes = x.changes, f.changes[a-from][:0]
				}
			})
		}
		wg.Wait()
		for i := range until - from {
			for _, c := range f.changes[i] {
				f.heads[c.cell] += float64(c.heads)
			}
		}
		for i := range until - from {
			for _, c := range f.changes[i] {
				f.r.price[c.cell] = f.priceOf(int(c.cell))
			}
		}
	}
}

// poorest is the queue with the lowest price among those that hold a share of a slot, as an index into
// the agent's skills, or -1.
func (f *fluid) poorest(a, t int) int {
	skills, width := f.skills[a], len(f.r.m.queues)
	share, price := f.share[a][t*len(skills):(t+1)*len(skills)], f.r.price[t*width:(t+1)*width]
	low := -1
	for k, part := range share {
		if part > 0 && (low < 0 || price[skills[k]] < price[skills[low]]) {
			low = k
		}
	}
	return low
}

// steer sets the multipliers of an agent from the mean of its mixture, with a proximal term where they
// are not the slope of a smooth cost.
func (f *fluid) steer(a int) {
	m, r, mean := f.r.m, f.r, &f.mixes[a].mean
	u, agent := &r.duals[a], &m.p.Agents[a]
	u.weekends, u.nights = mean.weekends, mean.nights
	u.weekend = 2 * m.p.Weights.Fairness * (float64(m.agents[a].weekends) + mean.weekends)
	u.night = 2 * m.p.Weights.Fairness * (float64(m.agents[a].nights) + mean.nights)
	firm := f.firm()
	if least := agent.MinWork.Minutes() - float64(m.agents[a].lockWork); least > 0 {
		u.hour = min(m.p.Weights.MinWork/60, max(0, u.hourCentre+firm*(least-mean.work)))
	}
	for k, limit := range r.terms[a].meters {
		if u.meters[k] = max(0, u.meterCentres[k]+firm*(mean.used[k]-float64(limit.plain))); u.meters[k] > limit.extra {
			u.meters[k] = max(limit.extra, u.meterCentres[k]+firm*(mean.used[k]-float64(limit.most)))
		}
	}
}

// firm is the yuan per minute that a multiplier of hours rises per minute: the price of a head in ten
// hours.
func (f *fluid) firm() float64 { return f.r.minute / 600 }

// follow lets the centres of an agent's multipliers follow.
func (u *agentDual) follow() {
	u.hourCentre = u.hour
	copy(u.meterCentres, u.meters)
}
