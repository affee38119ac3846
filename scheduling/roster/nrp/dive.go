package nrp

import (
	"math"
	"math/rand/v2"
	"slices"
)

// dive fixes rows one after the other where the master is least in doubt, prices again after each
// step, and ends with whole rows (Strandmark, Qu & Curtois 2020; Sadykov et al. 2019). It returns
// nil when nothing below the cutoff was found. The master is used up.
func (g *group) dive(cutoff int, rng *rand.Rand, noise float64) []*column {
	settled := g.m.value()
	for !g.halt() {
		weights := g.m.weights()
		best := g.leading(weights)
		if whole := g.whole(best, weights); whole != nil {
			if g.total(whole) < cutoff {
				return whole
			}
			return nil
		}
		g.fixSome(best, weights, rng, noise)
		g.bound = math.Inf(-1)
		if !g.m.restore(g.halt) {
			g.rebuild(best)
		}
		g.m.optimise(g.halt, pivotLimit*g.m.size)
		if g.m.value() < settled+settledRise {
			continue // the other rows give way for free, so new columns are not needed yet
		}
		if g.generate(diveRounds, 1, float64(cutoff)) || g.failed {
			return nil
		}
		g.m.optimise(g.halt, pivotLimit*g.m.size)
		settled = g.m.value()
	}
	return nil
}

// rebuild starts a new master from the fixed and the heaviest columns, for when the dual simplex
// method runs in circles.
func (g *group) rebuild(best []int) {
	old := g.m
	start := slices.Clone(g.fixed)
	for k, c := range start {
		if c == nil && best[k] >= 0 {
			start[k] = old.cols[best[k]].col
		} else if c == nil {
			start[k] = g.start[k]
		}
	}
	g.m = newMaster(g.covers, g.need, start)
	for i := range old.cols {
		if c := &old.cols[i]; g.fixed[c.who] == nil && c.col != start[c.who] {
			g.m.add(c.who, c.col)
		}
	}
}

// Rows are priced diveRounds times after a step of a dive that raised the value by settledRise.
const (
	diveRounds  = 6
	settledRise = 0.3
)

// leading returns the heaviest column of each member that is not fixed, else -1.
func (g *group) leading(weights []float64) (best []int) {
	best = make([]int, len(g.who))
	for k := range best {
		best[k] = -1
	}
	for j, w := range weights {
		if k := g.m.cols[j].who; w > 0 && g.fixed[k] == nil && (best[k] < 0 || w > weights[best[k]]) {
			best[k] = j
		}
	}
	return best
}

// whole returns the members' columns when none is split, else nil.
func (g *group) whole(best []int, weights []float64) []*column {
	out := make([]*column, len(best))
	for k, j := range best {
		switch {
		case g.fixed[k] != nil:
			out[k] = g.fixed[k]
		case j >= 0 && weights[j] > 0.999:
			out[k] = g.m.cols[j].col
		default:
			return nil
		}
	}
	return out
}

// fixSome fixes the heaviest column that is not whole, and others that are nearly whole.
func (g *group) fixSome(best []int, weights []float64, rng *rand.Rand, noise float64) {
	type item struct {
		k     int
		score float64
	}
	var open []item
	for k, j := range best {
		if j >= 0 && weights[j] <= 0.999 {
			open = append(open, item{k, weights[j] + noise*rng.Float64()})
		}
	}
	slices.SortStableFunc(open, func(a, b item) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	most := 1 + len(open)/8
	for i, o := range open {
		if i == 0 || i < most && weights[best[o.k]] > 0.6 {
			g.fixed[o.k] = g.m.cols[best[o.k]].col
			g.m.fix(best[o.k])
		}
	}
}

// total is the local cost of one column per member.
func (g *group) total(columns []*column) int {
	heads := make([]int, len(g.covers))
	sum := 0
	for _, c := range columns {
		sum += int(c.cost)
		for _, i := range c.cells {
			heads[i]++
		}
	}
	for i := range g.covers {
		sum += g.covers[i].miss(heads[i] + g.covers[i].need - g.need[i])
	}
	return sum
}
