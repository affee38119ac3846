package margin

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// The bound by rungs. A price of service sees the convex hull of a stair only: half the contacts as good as nobody's and half
// perfect count like a service that stands just above the step. Two things bring the stairs back:
//
//   - the expected contacts X of an average are cut into ranges (branch and bound), and in a range the contacts of each scenario
//     cannot be far from X (reach.go), so the hull spans the steps within reach only;
//   - scenarios have prices of their own, by class of how they fare.
//
// Blocks are in the wages (relief.go). DESIGN.md of staffing, "Money", derives them.

// part is queues that are bounded together, because joint terms link them.
type part struct {
	*shared
	queues []int
	cuts   []*cut
	slots  []slotValue
	rest   float64 // fees less what the other terms take at least
	heads  []int   // of the staffing that was found, by slot
	earned float64 // its margin before wages
	known  float64 // its margin at the prices of what is shared
	root   *node   // all staffings
	top    *node   // of the largest bound
	base   *node   // whose prices the priced lines count with; nil before there are any
}

// slotValue is what heads of a slot of a queue are worth to a bound, by heads from the least on.
type slotValue struct {
	queue, slot, first int
	earned             []float64   // yuan before wages, without the cuts
	price              float64     // of a head
	base               []float64   // earned, less wages and what blocks ask for
	met                [][]float32 // by cut: contacts that meet it on average, at heads*classes+class; nil where the slot does not count
	rising             bool        // met grows with heads in every class
	below, above       []float64   // the largest base up to a number of heads, and from it on
	last               int         // heads of the last solution
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
	rungEffort = 30_000_000_000
	rungNodes  = 32
	rungTurns  = 2
)

// rungs bounds all parts, with the prices of service that gave the plain bound to begin with. found is the margin of the staffing
// that was found.
func (s *shared) rungs(ctx context.Context, linked [][]int, prices []slopes, found float64) (float64, error) {
	all, err := s.openAll(ctx, func(i int) []int { return s.found[i].staff.heads })
	if err != nil {
		return 0, err
	}
	parts, work := make([]*part, len(linked)), make([]int, len(linked))
	err = parallel(ctx, len(parts), func(i int) {
		parts[i] = s.part(linked[i], all, prices)
		parts[i].begin(prices)
		for _, v := range parts[i].slots {
			work[i] += len(v.base) * len(parts[i].cuts)
		}
	})
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, w := range work {
		sum += w
	}
	nodes := min(rungNodes, max(4, rungEffort/(4*rungSteps*classes*max(1, sum))))
	bound := math.Inf(1)
	for range rungTurns {
		if err := s.haggle(ctx, parts, found); err != nil {
			return 0, err
		}
		err := parallel(ctx, len(parts), func(i int) { parts[i].climb(ctx, nodes) })
		if err != nil {
			return 0, err
		}
		sum := s.rent()
		for _, p := range parts {
			sum += max(p.known, p.top.bound)
		}
		bound = min(bound, sum)
	}
	return bound, nil
}

// rent is what all seats and regular hours cost at their prices.
func (s *shared) rent() (sum float64) {
	for _, price := range s.seat {
		sum += price * float64(s.in.MaxHeads)
	}
	for d, price := range s.hour {
		if s.regular(d) {
			sum += price * s.in.Wage.RegularHours
		}
	}
	return sum
}

// part of some queues.
func (s *shared) part(queues []int, all []*books, prices []slopes) *part {
	p := &part{shared: s, queues: queues, cuts: s.cutsOf(queues, all)}
	for _, i := range queues {
		q := s.queues[i]
		p.slots = append(p.slots, p.slotValues(i, prices[i])...)
		p.earned += all[i].expected()
		p.heads = append(p.heads, all[i].heads...)
		p.rest += q.spec.Prices.FeeYuan - q.others(p.cuts, i, prices[i])
	}
	for k := range p.cuts {
		p.survey(k, plainLines(), nil)
	}
	return p
}

// charge takes the wages and the prices of what is shared off the slots, and relief.
func (p *part) charge(relief []float64) {
	p.blunt()
	p.known = p.earned
	var price []float64
	for _, i := range p.queues {
		price = append(price, p.full(p.Model.queues[i])...)
	}
	for j := range p.slots {
		v := &p.slots[j]
		v.price = price[j]
		p.known -= price[j] * float64(p.heads[j])
		for h, y := range v.earned {
			v.base[h] = y - (price[j]+relief[j])*float64(v.first+h)
		}
		v.bases()
	}
}

// begin with all staffings.
func (p *part) begin(prices []slopes) {
	p.root = p.whole(prices)
	p.top = p.root
	p.charge(make([]float64, len(p.slots)))
	p.judge(p.root, 4*rungSteps)
	p.relieve(p.root)
	p.judge(p.root, 2*rungSteps)
}

// haggle moves the prices of seats and regular hours by subgradient steps on the bound of the nodes at the top.
func (s *shared) haggle(ctx context.Context, parts []*part, found float64) error {
	if s.in.MaxHeads == 0 && s.in.Wage.RegularHours == 0 {
		return nil
	}
	const rounds, steps = 10, 6
	best, seat, hour := math.Inf(1), slices.Clone(s.seat), slices.Clone(s.hour)
	factor := 0.5
	for range rounds {
		err := parallel(ctx, len(parts), func(i int) {
			p := parts[i]
			p.relieve(p.top)
			p.judge(p.top, steps)
		})
		if err != nil {
			return err
		}
		sum := s.rent()
		for _, p := range parts {
			sum += p.top.bound
		}
		if sum < best {
			best, seat, hour = sum, slices.Clone(s.seat), slices.Clone(s.hour)
		} else {
			factor *= 0.8
		}
		s.reprice(parts, factor*(sum-found))
	}
	s.seat, s.hour = seat, hour
	return parallel(ctx, len(parts), func(i int) {
		p := parts[i]
		p.relieve(p.top)
		p.judge(p.top, 2*rungSteps)
	})
}

// reprice takes one step against what is over.
func (s *shared) reprice(parts []*part, gap float64) {
	over, hours := make([]float64, len(s.seat)), make([]float64, len(s.hour))
	for _, p := range parts {
		for i := range p.slots {
			v := &p.slots[i]
			q, heads := s.queues[v.queue], float64(v.first+v.last)
			over[q.at[v.slot]] += heads
			hours[q.day[v.slot]] += heads * s.paid()
		}
	}
	norm := 0.0
	for t := range over {
		if over[t] -= float64(s.in.MaxHeads); s.in.MaxHeads == 0 || over[t] < 0 && s.seat[t] == 0 {
			over[t] = 0
		}
		norm += over[t] * over[t]
	}
	for d := range hours {
		if hours[d] -= s.in.Wage.RegularHours; !s.regular(d) || hours[d] < 0 && s.hour[d] == 0 || hours[d] > 0 && s.hour[d] >= s.premium() {
			hours[d] = 0
		}
		norm += hours[d] * hours[d]
	}
	if norm == 0 {
		return
	}
	for t := range over {
		s.seat[t] = max(0, s.seat[t]+gap/norm*over[t])
	}
	for d := range hours {
		s.hour[d] = min(s.premium(), max(0, s.hour[d]+gap/norm*hours[d]))
	}
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
	l := q.linear(others, make([]float64, len(q.at)), most)
	n := len(q.loads[0])
	out, x := make([]slotValue, len(q.at)), make([]float32, n)
	for i := range q.loads {
		v := slotValue{queue: queue, slot: i, first: min(q.least[i], most[i]), met: make([][]float32, len(p.cuts))}
		for h := v.first; h == v.first || h <= min(most[i], len(l.value[i])-1); h++ {
			v.earned = append(v.earned, l.at(i, h))
		}
		v.base = make([]float64, len(v.earned))
		for k, c := range p.cuts {
			t := c.of(queue)
			if t < 0 || !q.terms[t].within[i] {
				continue
			}
			v.met[k] = make([]float32, len(v.base)*classes)
			for r := range v.base {
				clear(x)
				q.add(x, i, q.terms[t].figure, v.first+r, 1)
				for s, y := range x {
					v.met[k][r*classes+c.class[s]] += y / float32(n)
				}
			}
		}
		v.rising = v.rises()
		out[i] = v
	}
	return out
}

// rises reports that the contacts of every class grow with heads.
func (v *slotValue) rises() bool {
	for _, m := range v.met {
		for i := classes; i < len(m); i++ {
			if m[i] < m[i-classes] {
				return false
			}
		}
	}
	return true
}

// bases fills below and above.
func (v *slotValue) bases() {
	v.below, v.above = append(v.below[:0], v.base...), append(v.above[:0], v.base...)
	for h := 1; h < len(v.base); h++ {
		v.below[h] = max(v.below[h], v.below[h-1])
		back := len(v.base) - 1 - h
		v.above[back] = max(v.above[back], v.above[back+1])
	}
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

// climb bounds a part by ranges; from the second time on with lines that know what the staffing that was found is worth.
func (p *part) climb(ctx context.Context, nodes int) {
	if len(p.cuts) == 0 {
		return
	}
	if p.top != p.root && p.top.bound > p.known {
		p.sharpen()
	}
	p.root.price, p.root.level = p.top.price, make([]float64, len(p.cuts))
	p.top = p.branch(ctx, p.root, nodes)
}

// sharpen adds the priced lines at the prices of the node at the top, in place of those of other prices.
func (p *part) sharpen() {
	p.blunt()
	p.base = &node{price: make([][]float64, len(p.cuts)), level: make([]float64, len(p.cuts))}
	for k := range p.cuts {
		for _, x := range p.top.price[k] {
			p.base.price[k] = append(p.base.price[k], x+p.top.level[k])
		}
	}
	var values [][]float64
	for i := range p.slots {
		values = append(values, p.slots[i].net(p.base))
	}
	for k, c := range p.cuts {
		const wide = 0.05 // of the contacts: about what a scenario is uncertain by
		p.survey(k, pricedLines(wide*max(1, total(c.all)/float64(len(c.all)))/(p.top.bound-p.known)), values)
	}
}

// blunt forgets the priced lines: they hold at the charges that they were made with.
func (p *part) blunt() {
	p.base = nil
	for _, c := range p.cuts {
		c.lines = slices.DeleteFunc(c.lines, func(l line) bool { return l.yuan > 0 })
	}
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

// whole is the node of all staffings.
func (p *part) whole(prices []slopes) *node {
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

// relieve charges what blocks let the slots pay one another at the prices of a node.
func (p *part) relieve(n *node) {
	p.charge(make([]float64, len(p.slots)))
	if lengths := p.lengths(); lengths[len(lengths)-1] == 1 {
		return
	}
	var relief []float64
	for _, i := range p.queues {
		q := p.Model.queues[i]
		most, slots := p.uniform(q), make([]worth, len(q.at))
		for j, v := range p.slots[len(relief):][:len(q.at)] {
			slots[j] = worth{v.first, v.net(n), v.price}
			if v.first+len(v.base)-1 >= most[j] {
				slots[j].beyond = math.Inf(1)
			}
		}
		relief = append(relief, q.relief(p.lengths(), slots)...)
	}
	p.charge(relief)
}
