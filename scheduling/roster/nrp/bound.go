package nrp

import (
	"math"

	"github.com/chaoban/chaoban/scheduling/roster/search"
)

// lagrange computes a lower bound by pricing the link "heads on a shift = rows that work it" with
// one multiplier per day and shift (Geoffrion 1974). What remains is one convex function per day
// and shift and one cheapest legal row per employee, which the dynamic programme of pricing finds;
// the limits per shift type are left out, so the value is a bound for any multipliers and reaches
// at best the linear relaxation of the set-partitioning model that branch and price solves.
type lagrange struct {
	p      *problem
	x      *pricing
	lambda []float64 // [day*shifts+shift]
	supply []float64
}

// scale turns prices into the integers of the dynamic programme.
const scale = 64

// rounds of subgradient steps under an iteration budget.
const rounds = 10

// boundShare of a time budget goes to the bound, after the search.
const boundShare = 0.15

// lowerBound improves multipliers that start from a known roster until the budget's share is used.
func lowerBound(p *problem, known *chain, b search.Budget, stopped bool) int {
	l := &lagrange{p: p, x: newPricing(p), lambda: make([]float64, p.days*p.shifts), supply: make([]float64, p.days*p.shifts)}
	heads := make([]int, len(l.lambda))
	for _, row := range known.best {
		for d, s := range row {
			if s >= 0 {
				heads[d*p.shifts+int(s)]++
			}
		}
	}
	for i, n := range heads {
		if n < p.workers {
			l.lambda[i] = float64(p.cover[i][n] - p.cover[i][n+1]) // what the next head would save
		}
	}
	direction := make([]float64, len(l.lambda))
	best, step, stale, upper := 0.0, 1.0, 0, float64(known.bestCost)
	most := rounds
	if stopped {
		most = 5 // somebody waits at the terminal
	}
	for round := 0; ; round++ {
		timed := b.Time > 0 && b.Iterations == 0 && !stopped
		if timed && b.Elapsed() >= b.Time || !timed && round >= most {
			break
		}
		value, ok := l.evaluate()
		if !ok {
			return 0
		}
		if value > best {
			best, stale = value, 0
		} else if stale++; stale >= 6 {
			step, stale = step*0.7, 0
		}
		norm := 0.0
		for i, g := range l.supply {
			direction[i] = 0.6*direction[i] + 0.4*g
			norm += direction[i] * direction[i]
		}
		if norm == 0 || upper-best < 1 {
			break
		}
		length := 0.6 * step * (upper - value) / norm
		for i, g := range direction {
			l.lambda[i] += length * g
		}
	}
	return int(math.Ceil(best - 1e-6)) // costs are whole numbers
}

// evaluate returns the bound at the current multipliers and leaves wanted minus supplied heads in
// supply; ok is false when an employee has no legal row at all or the tables would be too large.
func (l *lagrange) evaluate() (value float64, ok bool) {
	p, x := l.p, l.x
	clear(l.supply)
	width := p.shifts + 1
	for i := range l.lambda {
		n, v := l.cheapest(i)
		value += v
		l.supply[i] += float64(n)
	}
	for e := range p.workers {
		if !x.shape(e) {
			return 0, false
		}
		clear(x.extra)
		for i := range x.entry {
			x.entry[i] = p.wish[e][i] * scale
		}
		for d := range p.days {
			for s := range p.shifts {
				// Rounding the reward up keeps the bound a bound.
				x.entry[d*width+s+1] -= int32(math.Ceil(l.lambda[d*p.shifts+s] * scale))
			}
		}
		if !x.run(e) {
			return 0, false
		}
		sum := int32(0)
		for d, s := range x.row {
			sum += x.entry[d*width+int(s)+1]
			if s >= 0 {
				l.supply[d*p.shifts+int(s)]--
			}
		}
		value += float64(sum) / scale
	}
	return value, true
}

// cheapest minimises cover cost + lambda * heads for one day and shift.
func (l *lagrange) cheapest(i int) (heads int, value float64) {
	value = math.Inf(1)
	for n, c := range l.p.cover[i] {
		if v := float64(c) + l.lambda[i]*float64(n); v < value {
			heads, value = n, v
		}
	}
	return heads, value
}
