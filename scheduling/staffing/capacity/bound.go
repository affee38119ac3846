package capacity

import "math"

// The lower bound is the Lagrangian dual in which the hours of each week are bought at a price: the weeks and
// the columns then decide alone (Lagrangian relaxation; Fisher, Manag. Sci. 50 (2004), 1861-1871). Columns keep their whole heads,
// sizes and fixed costs. Three things are relaxed, each of which can only make the plan cheaper: cloud and
// overtime hours may be fractions, the month's ceiling of overtime is that of each week alone, and the
// room limit of trainees is gone. Any prices give a valid bound; Polyak's subgradient steps improve them.

// boundRounds is the number of price changes.
const boundRounds = 400

// bound is a cost in yuan, beside today's staff, that no order can undercut; upper is the cost of some order.
func (m *model) bound(upper float64, near supply) float64 {
	weeks := len(m.demand)
	prices, most := make([]float64, weeks), make([]float64, weeks)
	for t := range prices {
		most[t] = m.staff[t]
		for _, c := range m.columns {
			if !m.lost(c) {
				most[t] += float64(c.max) * c.hours[t]
			}
		}
		at, step := near.staff[t]+near.temps[t], 1e-3*(1+m.demand[t].median)
		prices[t] = max(0, (m.relaxed(t, max(0, at-step))-m.relaxed(t, at+step))/(2*step))
	}
	best, scale, since := math.Inf(-1), 1.0, 0
	slope := make([]float64, weeks)
	for range boundRounds {
		value := m.dual(prices, most, slope)
		if value-best > 1e-9*math.Abs(value) {
			best, since = value, 0
		} else if since++; since == 10 {
			scale, since = scale/2, 0
		}
		norm := 0.0
		for _, g := range slope {
			norm += g * g
		}
		if norm == 0 || upper-value <= 0 {
			break
		}
		for t, g := range slope {
			prices[t] = max(0, prices[t]+scale*(upper-value)/norm*g)
		}
	}
	return min(best, upper)
}

// dual is the bound at given prices; slope gets its supergradient: hours wanted less hours made.
func (m *model) dual(prices, most, slope []float64) float64 {
	value := 0.0
	for t, p := range prices {
		hours, cost := m.wanted(t, p, most[t])
		value += cost - p*m.staff[t]
		slope[t] = hours - m.staff[t]
	}
	for _, c := range m.columns {
		if m.lost(c) {
			continue
		}
		perHead := c.perHead
		for t := max(0, c.first); t < len(prices); t++ {
			perHead -= prices[t] * c.hours[t]
		}
		heads := c.min
		if perHead < 0 {
			heads = c.max
		}
		if cost := c.fixed + float64(heads)*perHead; cost < 0 {
			value += cost
			for t := max(0, c.first); t < len(prices); t++ {
				slope[t] -= float64(heads) * c.hours[t]
			}
		}
	}
	return value
}

// wanted minimises relaxed(t, hours) + price × hours, a convex function, by golden sections.
func (m *model) wanted(t int, price, most float64) (hours, cost float64) {
	at := func(x float64) float64 { return m.relaxed(t, x) + price*x }
	low, high := 0.0, most
	const golden = 0.6180339887498949
	a, b := high-golden*(high-low), low+golden*(high-low)
	fa, fb := at(a), at(b)
	for high-low > 1e-7*(1+most) {
		if fa <= fb {
			high, b, fb = b, a, fa
			a = high - golden*(high-low)
			fa = at(a)
		} else {
			low, a, fa = a, b, fb
			b = low + golden*(high-low)
			fb = at(b)
		}
	}
	hours, cost = a, fa
	for _, x := range []float64{0, most, min(most, m.demand[t].median)} {
		if v := at(x); v < cost {
			hours, cost = x, v
		}
	}
	// The least value lies in the last section, below what was seen there by at most its width times the slope.
	return hours, cost - (high-low)*(2*yuan(m.skill.Weeks[t].Shortage)+price)
}

// relaxed is the least cost of a week with so many hours of staff and temporary people, if overtime and
// cloud hours are fractions and overtime is as good as the fastest agent's.
func (m *model) relaxed(t int, hours float64) float64 {
	price := yuan(m.skill.Weeks[t].Shortage)
	type source struct{ most, cost float64 } // hours, and yuan for each
	var sources []source
	if m.overtime[t] > 0 {
		worked := float64(m.overtime[t]) * m.skill.Overtime.AgreedShare
		sources = append(sources, source{worked * hours / m.skill.HoursPerWeek, m.overtimeCost() / ((1 - m.skill.Weeks[t].Shrinkage) * m.fastest)})
	}
	if most := m.cloudMost[t]; most > 0 {
		c := m.skill.Cloud
		sources = append(sources, source{float64(most) * c.Speed, yuan(c.CostPerHour) / c.Speed})
	}
	if len(sources) == 2 && sources[1].cost < sources[0].cost {
		sources[0], sources[1] = sources[1], sources[0]
	}
	cost := 0.0
	for _, s := range sources {
		if s.cost >= price || s.most == 0 {
			continue
		}
		use := s.most
		if s.cost > 0 {
			use = min(s.most, max(0, m.demand[t].worth(s.cost/price)-hours))
		}
		cost += s.cost * use
		hours += use
	}
	return cost + price*m.demand[t].short(hours)
}
