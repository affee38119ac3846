package roster

import (
	"slices"
	"sync"
)

// fluid is a roster in fractions: every agent holds a mixture of relaxed rosters. It is balanced by
// the block-coordinate method of Frank & Wolfe (Lacoste-Julien et al., ICML 2013): agents in turn
// mix in the roster that earns most at the prices. A price is the dual of its slot's cost with a
// proximal term around a centre that follows slowly (method of multipliers), so that a small
// change of heads is a small change of prices. The centres start the bound, and the heads tell the
// first roster what to count on.
type fluid struct {
	r      *relaxation
	heads  []float64   // per slot and queue
	share  [][]float32 // per agent: heads by slot and own skill
	skills [][]int16   // per agent: queues of share, ascending
	rank   [][]int16   // per agent: queue to index in skills, -1 = none
	centre []float64   // yuan per slot and queue
	stiff  float64     // yuan that a price rises per missing head
	passes int
}

// fluidBlock is the number of agents that respond to the same prices.
const fluidBlock = 16

func newFluid(r *relaxation) *fluid {
	m := r.m
	f := &fluid{r: r, heads: make([]float64, len(r.price)), centre: slices.Clone(r.price)}
	cells := 0
	for i, target := range m.target[:len(r.price)] {
		if target > 0 {
			f.stiff, cells = f.stiff+m.value[i], cells+1
		}
	}
	f.stiff /= float64(max(1, cells))
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
	r, n := f.r, len(f.r.m.agents)
	picks := make([][]pick, fluidBlock)
	for n > 0 && more() {
		step := 2 / float64(f.passes+2)
		for from := 0; from < n; from += fluidBlock {
			until := min(n, from+fluidBlock)
			var wg sync.WaitGroup
			for i, w := range r.workers {
				wg.Go(func() {
					for a := from + i; a < until; a += len(r.workers) {
						w.plan(a, r.price, &r.terms[a], &r.duals[a])
						r.personal(w, a)
						picks[a-from] = append(picks[a-from][:0], w.picks...)
					}
				})
			}
			wg.Wait()
			for a := from; a < until; a++ {
				f.mix(a, picks[a-from], step)
			}
		}
		if f.passes++; f.passes > 8 { // before, the heads say little
			for i, p := range r.price {
				f.centre[i] += 0.1 * (p - f.centre[i])
			}
			f.reprice()
		}
	}
}

// mix moves an agent's share towards a relaxed roster.
func (f *fluid) mix(a int, picks []pick, step float64) {
	m, share, skills := f.r.m, f.share[a], f.skills[a]
	width := len(m.queues)
	for i, x := range share {
		if x != 0 {
			f.heads[i/len(skills)*width+int(skills[i%len(skills)])] -= step * float64(x)
			share[i] -= float32(step) * x
		}
	}
	for i := range picks {
		p := &picks[i]
		can := m.agents[a].skills[p.day]
		m.eachSlot(a, p, func(t int) {
			q := bestOf(f.r.price[t*width:], can)
			f.heads[t*width+int(q)] += step
			share[t*len(skills)+int(f.rank[a][q])] += float32(step)
		})
	}
	for t := range m.inside {
		for _, q := range skills {
			i := t*width + int(q)
			f.r.price[i] = f.priceOf(i)
		}
	}
}
