package roster

import "math"

// Mixtures lets a roster in fractions pass and returns how far its books are from what its mixtures say:
// weights from 1, heads from the slots at work, and heads from the shares of the agents; and how far its
// cost, which no bound may exceed, lies above the bound at its centres, as a share of the cost.
func Mixtures(p Problem, passes int) (weights, slots, heads, gap float64) {
	m := compile(&p)
	r := newRelaxation(m, 2)
	f := newFluid(r)
	n := 0
	f.run(func() bool { n++; return n <= passes })
	width := len(m.queues)
	held := make([]float64, len(f.heads))
	cost := r.least
	for a := range f.mixes {
		x := &f.mixes[a]
		sum := 0.0
		works := make([]float64, m.inside)
		for i := range x.rows {
			row := &x.rows[i]
			sum += row.weight
			cost += row.weight * row.cost
			for _, s := range row.spans {
				for t := s.from; t < s.to; t++ {
					works[t] += row.weight
				}
			}
		}
		weights = max(weights, math.Abs(sum-1))
		for t := range works {
			share := 0.0
			for k, q := range f.skills[a] {
				held[t*width+int(q)] += float64(f.share[a][t*len(f.skills[a])+k])
				share += float64(f.share[a][t*len(f.skills[a])+k])
			}
			slots = max(slots, math.Abs(share-works[t]))
		}
		x.count(len(r.terms[a].meters))
		cost += m.personalCost(a, &x.mean)
	}
	for i, h := range f.heads {
		heads = max(heads, math.Abs(h-held[i]))
		n := int16(max(0, h))
		part := max(0, h) - float64(n)
		short, over := m.slotCost(i, m.covered[i]+n)
		nextShort, nextOver := m.slotCost(i, m.covered[i]+n+1)
		cost += (1-part)*(short+over) + part*(nextShort+nextOver)
	}
	copy(r.price, f.centre)
	return weights, slots, heads, 1 - r.evaluate()/cost
}

// personalCost is what fairness and missing work cost at a mean.
func (m *model) personalCost(a int, mean *rowCount) float64 {
	agent, w := &m.p.Agents[a], m.p.Weights.Fairness
	least := agent.MinWork.Minutes() - float64(m.agents[a].lockWork)
	return w*mean.weekends*(2*float64(agent.Ledger.Weekends)+mean.weekends) + w*mean.nights*(2*float64(agent.Ledger.Nights)+mean.nights) +
		m.p.Weights.MinWork/60*max(0, least-mean.work)
}
