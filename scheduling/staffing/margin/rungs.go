package margin

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// The bound by rungs. A price of service sees the convex hull of a stair only: half the contacts as good as nobody's and half
// perfect count like a service that stands just above the step. Two things make the stair as exact as it is in truth:
//
//   - the expected contacts X of an average are cut into ranges (branch and bound), and in a range the contacts of each scenario
//     cannot be far from X (reach.go), so the hull spans the steps within reach only;
//   - scenarios have prices of their own, by class of how they fare.
//
// Blocks are in the wages (relief.go). DESIGN.md, "Bound", derives both.

// part is queues that are bounded together, because joint terms link them.
type part struct {
	*shared
	queues []int
	cuts   []*cut
	slots  []slotValue
	rest   float64 // fees less what the other terms take at least
	known  float64 // margin of the staffing that was found, at the prices of what is shared
	base   *node   // whose prices the priced lines count with; nil before there are any
}

// slotValue is what heads of a slot of a queue are worth to a bound, by heads from the least on.
type slotValue struct {
	queue, slot, first int
	base               []float64   // yuan, without the cuts
	met                [][]float32 // by cut: contacts that meet it on average, at heads*classes+class; nil where the slot does not count
}

// node is the staffings whose expected contacts of each cut lie in a range.
type node struct {
	ranges [][2]float64
	price  [][]float64 // of a contact, by cut and class
	level  []float64   // of the range, by cut: above 0 at its lower end, below 0 at its upper end
	bound  float64
	met    []float64 // E[met] of the linear problem, by cut
}

// Effort of the bound: steps of the prices in a node, and multiplications in all.
const (
	rungSteps  = 15
	rungEffort = 1.2e10
	rungNodes  = 32
)

// rungs bounds every part, at best by the plain bound of its queues at the prices of service that gave it.
func (s *shared) rungs(ctx context.Context, parts [][]int, prices []slopes) ([]float64, error) {
	out := make([]float64, len(parts))
	work := 0.0
	for _, q := range s.queues {
		for j := range q.at {
			work += float64(len(q.values[j].earned) - q.least[j])
		}
	}
	all, err := s.openAll(ctx, func(i int) []int { return s.found[i].staff.heads })
	if err != nil {
		return nil, err
	}
	nodes := min(rungNodes, max(4, int(rungEffort/(4*rungSteps*classes*max(1, work)))))
	err = parallel(ctx, len(parts), func(i int) {
		p := s.part(parts[i], all, prices)
		if out[i] = math.Inf(1); p != nil {
			out[i] = p.climb(ctx, prices, nodes)
		}
	})
	return out, err
}

// part of some queues; nil where no average has a ladder of its own.
func (s *shared) part(queues []int, all []*books, prices []slopes) *part {
	p := &part{shared: s, queues: queues, cuts: s.cutsOf(queues, all)}
	if len(p.cuts) == 0 {
		return nil
	}
	for _, i := range queues {
		q := s.queues[i]
		p.slots = append(p.slots, p.slotValues(i, prices[i])...)
		p.known += all[i].expected() - cost(all[i].heads, p.full(q))
		p.rest += q.spec.Prices.FeeYuan - q.others(p.cuts, i, prices[i])
	}
	for k := range p.cuts {
		p.survey(k, plainLines(), nil)
	}
	return p
}

// cutsOf some queues are their averages with a ladder or bonus. A penalty cap of a queue spans terms that are not cut.
func (s *shared) cutsOf(queues []int, all []*books) (out []*cut) {
	for _, g := range s.groups {
		if slices.Contains(queues, g.members[0].queue) {
			out = append(out, &cut{members: g.members})
		}
	}
	for _, i := range queues {
		for k := range s.queues[i].terms {
			t := &s.queues[i].terms[k]
			if t.spec.Period == Average && t.spec.Joint == "" && len(t.steps)+len(t.rewards) > 0 && s.queues[i].spec.PenaltyCapYuan == 0 && k != s.queues[i].watch {
				out = append(out, &cut{members: []member{{i, k}}})
			}
		}
	}
	for _, c := range out {
		c.term = &s.queues[c.members[0].queue].terms[c.members[0].term]
		c.all = make([]float64, s.in.Scenarios)
		met := make([]float64, s.in.Scenarios)
		for _, x := range c.members {
			q := s.queues[x.queue]
			for n, v := range q.terms[x.term].sum {
				c.all[n] += v
			}
			for n, v := range all[x.queue].ledgers[x.term].total {
				met[n] += v
			}
		}
		c.class = classesOf(met, c.all)
	}
	return out
}

// classesOf are scenarios in equal parts by their share.
func classesOf(met, all []float64) []int {
	order := make([]int, len(met))
	for s := range order {
		order[s] = s
	}
	share := func(s int) float64 { return met[s] / max(all[s], touch) }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(share(a), share(b)) })
	out := make([]int, len(met))
	for rank, s := range order {
		out[s] = rank * classes / len(order)
	}
	return out
}

// slotValues of a queue, with the terms that are not cut at their prices.
func (p *part) slotValues(queue int, prices slopes) []slotValue {
	q := p.Model.queues[queue]
	others := prices.times(1)
	for _, c := range p.cuts {
		if k := c.of(queue); k >= 0 {
			clear(others[k])
		}
	}
	most := p.uniform(q)
	l := q.linear(others, p.full(q), most)
	n := len(q.loads[0])
	out, x := make([]slotValue, len(q.at)), make([]float32, n)
	for i, load := range q.loads {
		v := slotValue{queue: queue, slot: i, first: min(q.least[i], most[i]), met: make([][]float32, len(p.cuts))}
		for h := v.first; h == v.first || h <= min(most[i], len(l.value[i])-1); h++ {
			v.base = append(v.base, l.at(i, h))
		}
		for k, c := range p.cuts {
			t := c.of(queue)
			if t < 0 || !q.terms[t].within[i] {
				continue
			}
			v.met[k] = make([]float32, len(v.base)*classes)
			for r := range v.base {
				clear(x)
				q.tables[i].add(x, q.terms[t].figure, v.first+r, load, 1)
				for s, y := range x {
					v.met[k][r*classes+c.class[s]] += y / float32(n)
				}
			}
		}
		out[i] = v
	}
	return out
}

// others is what the terms of a queue that are not cut take at least, at their prices.
func (q *queue) others(cuts []*cut, queue int, prices slopes) float64 {
	average := q.only(prices, Average)
	days := q.dayRanges()
	f := q.floors([]slopes{average}, []slopes{q.only(prices, Daily)}, days)
	for s := range f.average[0] {
		for _, c := range cuts {
			if k := c.of(queue); k >= 0 && c.spec.Joint == "" {
				f.average[0][s] -= q.leastOf(k, average[k][0], s)
			}
		}
	}
	return q.floor(f, 0, make([]int, len(days)), days, prices)
}

// climb bounds a part: the whole range first, then the wages of blocks, then ranges, and once more with lines that know what the
// staffing that was found is worth.
func (p *part) climb(ctx context.Context, prices []slopes, nodes int) float64 {
	root := p.root(prices)
	p.judge(root, 4*rungSteps)
	p.relieve(root)
	p.judge(root, 2*rungSteps)
	worst := p.branch(ctx, root, nodes)
	if worst.bound <= p.known || ctx.Err() != nil {
		return max(worst.bound, p.known)
	}
	base := &node{price: make([][]float64, len(p.cuts)), level: make([]float64, len(p.cuts))}
	for k := range p.cuts {
		for _, x := range worst.price[k] {
			base.price[k] = append(base.price[k], x+worst.level[k])
		}
	}
	var values [][]float64
	for i := range p.slots {
		values = append(values, p.slots[i].net(base))
	}
	for k, c := range p.cuts {
		const wide = 0.05 // of the contacts: about what a scenario is uncertain by
		p.survey(k, pricedLines(wide*max(1, total(c.all)/float64(len(c.all)))/(worst.bound-p.known)), values)
	}
	p.base = base
	root.price, root.level = worst.price, make([]float64, len(p.cuts))
	return max(p.known, min(worst.bound, p.branch(ctx, root, nodes).bound))
}

// expected is earned with the queue's own part of what groups owe together.
func (b *books) expected() float64 {
	sum := 0.0
	for s, r := range b.revenue {
		due, won := b.owed(s)
		sum += float64(r) - due + won
	}
	return b.spec.Prices.FeeYuan + sum/float64(len(b.revenue))
}

// root is all staffings.
func (p *part) root(prices []slopes) *node {
	n := &node{level: make([]float64, len(p.cuts))}
	for k, c := range p.cuts {
		low, high := 0.0, 0.0
		for i := range p.slots {
			m := p.slots[i].met[k]
			if m == nil {
				continue
			}
			least, most := math.Inf(1), math.Inf(-1)
			for ; len(m) > 0; m = m[classes:] {
				sum := 0.0
				for _, x := range m[:classes] {
					sum += float64(x)
				}
				least, most = min(least, sum), max(most, sum)
			}
			low, high = low+least, high+most
		}
		n.ranges = append(n.ranges, [2]float64{low, high})
		n.price = append(n.price, slices.Repeat([]float64{prices[c.members[0].queue][c.members[0].term][0]}, classes))
	}
	return n
}

// net is the worth of a slot's heads in the linear problem of a node.
func (v *slotValue) net(n *node) []float64 {
	row := slices.Clone(v.base)
	for k, m := range v.met {
		if m == nil {
			continue
		}
		for h := range row {
			for c, e := range m[h*classes:][:classes] {
				row[h] += (n.price[k][c] + n.level[k]) * float64(e)
			}
		}
	}
	return row
}

// relieve puts what blocks let the slots pay one another at the prices of a node into the wages.
func (p *part) relieve(n *node) {
	at := 0
	for _, i := range p.queues {
		q := p.Model.queues[i]
		price, most := p.full(q), p.uniform(q)
		net, beyond := make([][]float64, len(q.at)), make([]float64, len(q.at))
		mine := p.slots[at:][:len(q.at)]
		at += len(q.at)
		for j := range mine {
			net[j], beyond[j] = mine[j].net(n), price[j]
			if mine[j].first+len(net[j])-1 >= most[j] {
				beyond[j] = math.Inf(1)
			}
		}
		for j, x := range q.relief(p.lengths(), net, beyond) {
			for h := range mine[j].base {
				mine[j].base[h] -= x * float64(mine[j].first+h)
			}
		}
	}
}
