package margin

import (
	"context"
	"math"
	"slices"
)

// branch cuts the ranges of nodes until the worst of them is hardly above what was found, and returns the worst.
func (p *part) branch(ctx context.Context, root *node, nodes int) *node {
	const close = 1e-4
	p.judge(root, 2*rungSteps)
	open := []*node{root}
	for range nodes {
		worst := 0
		for i, n := range open {
			if n.bound > open[worst].bound {
				worst = i
			}
		}
		n := open[worst]
		if n.bound <= p.known+close*math.Abs(p.known) || ctx.Err() != nil {
			break
		}
		open = slices.Delete(open, worst, worst+1)
		k, at := p.split(n)
		for _, r := range [][2]float64{{n.ranges[k][0], at}, {at, n.ranges[k][1]}} {
			half := &node{ranges: slices.Clone(n.ranges), price: n.price, level: n.level}
			half.ranges[k] = r
			p.judge(half, rungSteps)
			half.bound = min(half.bound, n.bound)
			open = append(open, half)
		}
	}
	return slices.MaxFunc(open, func(a, b *node) int {
		switch {
		case a.bound < b.bound:
			return -1
		case a.bound > b.bound:
			return 1
		default:
			return 0
		}
	})
}

// split the widest cut of a node where its linear problem lies, or in the middle.
func (p *part) split(n *node) (k int, at float64) {
	width := func(k int) float64 { return (n.ranges[k][1] - n.ranges[k][0]) / max(1, total(p.cuts[k].all)) }
	for j := range p.cuts {
		if width(j) > width(k) {
			k = j
		}
	}
	const edge = 0.2 // of the range: nearer to an end a cut would leave almost all of it
	r := n.ranges[k]
	if w := r[1] - r[0]; n.met[k] > r[0]+edge*w && n.met[k] < r[1]-edge*w {
		return k, n.met[k]
	}
	return k, (r[0] + r[1]) / 2
}

// judge bounds a node by subgradient steps on its prices (Polyak's length with the margin of the staffing that was found as the
// aim). Every step gives a valid bound; the smallest counts.
func (p *part) judge(n *node, steps int) {
	low, high := make([][]float64, len(p.cuts)), make([][]float64, len(p.cuts))
	for k, c := range p.cuts {
		low[k], high[k] = c.reach(n.ranges[k][0], n.ranges[k][1], math.Inf(-1))
	}
	if p.base != nil {
		for range 2 {
			worth := p.known - p.rest
			for k, c := range p.cuts {
				least, _ := c.floor(p.base.price[k], low[k], high[k])
				worth += least
			}
			for k, c := range p.cuts {
				low[k], high[k] = c.reach(n.ranges[k][0], n.ranges[k][1], worth)
			}
		}
	}
	now := &node{ranges: n.ranges, price: n.price, level: n.level}
	n.bound = math.Inf(1)
	factor, stuck := 1.0, 0
	for range steps {
		value, met := p.solve(now)
		slope := p.slope(now, value, met, low, high)
		if stuck++; now.bound < n.bound {
			if now.bound < n.bound-1e-4*math.Abs(n.bound-p.known) {
				stuck = 0
			}
			n.bound, n.met, n.price, n.level = now.bound, now.met, now.price, now.level
		}
		if stuck > 3 {
			factor, stuck = factor/2, 0
		}
		if slope.norm == 0 || n.bound <= p.known {
			return
		}
		now = slope.step(now, factor*(now.bound-p.known)/slope.norm)
	}
}

// solve the linear problem of a node: its value, and the contacts by cut and class.
func (p *part) solve(n *node) (value float64, met [][]float64) {
	weights, rising := make([][classes]float64, len(p.cuts)), true
	for k := range p.cuts {
		met = append(met, make([]float64, classes))
		for c := range classes {
			weights[k][c] = n.price[k][c] + n.level[k]
			rising = rising && weights[k][c] >= 0
		}
	}
	for i := range p.slots {
		v := &p.slots[i]
		value += v.solve(weights, rising && v.rising)
		for k, m := range v.met {
			if m == nil {
				continue
			}
			for c, e := range m[v.last*classes:][:classes] {
				met[k][c] += float64(e)
			}
		}
	}
	return value, met
}

// served is what the contacts of a slot are worth at some heads.
func (v *slotValue) served(weights [][classes]float64, h int) (sum float64) {
	for k, m := range v.met {
		if m == nil {
			continue
		}
		w := &weights[k]
		for c, e := range m[h*classes:][:classes] {
			sum += w[c] * float64(e)
		}
	}
	return sum
}

// solve a slot. Where contacts are worth no less with more heads, numbers from the last solution outwards are looked at until
// none can be better.
func (v *slotValue) solve(weights [][classes]float64, rising bool) (best float64) {
	if !rising {
		best = math.Inf(-1)
		for h, y := range v.base {
			if y += v.served(weights, h); y > best {
				best, v.last = y, h
			}
		}
		return best
	}
	from, top := v.last, v.served(weights, len(v.base)-1)
	best = v.base[from] + v.served(weights, from)
	for h := from + 1; h < len(v.base) && v.above[h]+top > best; h++ {
		if y := v.base[h] + v.served(weights, h); y > best {
			best, v.last = y, h
		}
	}
	for h := from - 1; h >= 0; h-- {
		served := v.served(weights, h)
		if y := v.base[h] + served; y > best {
			best, v.last = y, h
		}
		if v.below[h]+served <= best {
			break
		}
	}
	return best
}

// gradient of the bound of a node.
type gradient struct {
	price [][]float64
	level []float64
	norm  float64
}

// slope fills in the bound of a node, and how it moves with the prices.
func (p *part) slope(n *node, value float64, met, low, high [][]float64) gradient {
	g := gradient{price: make([][]float64, len(p.cuts)), level: make([]float64, len(p.cuts))}
	n.bound, n.met = p.rest+value, make([]float64, len(p.cuts))
	for k, c := range p.cuts {
		for _, x := range met[k] {
			n.met[k] += x
		}
		edge, r := n.met[k], n.ranges[k]
		switch {
		case n.level[k] > 0 || n.level[k] == 0 && n.met[k] < r[0]:
			edge = r[0]
		case n.level[k] < 0 || n.met[k] > r[1]:
			edge = r[1]
		}
		g.level[k] = n.met[k] - edge
		g.norm += g.level[k] * g.level[k]
		least, at := c.floor(n.price[k], low[k], high[k])
		n.bound -= n.level[k]*edge + least
		for i := range classes {
			g.price[k] = append(g.price[k], met[k][i]-at[i])
			g.norm += classes * g.price[k][i] * g.price[k][i]
		}
	}
	return g
}

// step against the gradient. A level that would change its sign stops at 0, where its other end takes over.
func (g gradient) step(n *node, length float64) *node {
	next := &node{ranges: n.ranges}
	for k := range n.level {
		l := n.level[k] - length*g.level[k]
		if l*n.level[k] < 0 {
			l = 0
		}
		next.level = append(next.level, l)
		row := make([]float64, classes)
		for c := range row {
			row[c] = n.price[k][c] - classes*length*g.price[k][c]
		}
		next.price = append(next.price, row)
	}
	return next
}
