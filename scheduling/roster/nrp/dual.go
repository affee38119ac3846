package nrp

import "math"

// fix sets column j to 1 and the other columns of its employee to 0; restore must follow.
func (m *master) fix(j int) {
	c := &m.cols[j]
	m.offset += c.cost
	for _, i := range c.cells {
		m.rhs[i]--
	}
	m.rhs[m.cells+c.who]--
	for i := range m.cols {
		if m.cols[i].who == c.who {
			m.cols[i].banned = true
		}
	}
}

const feasibleEps = 1e-8

// restore returns to the optimum after fix by the dual simplex method (Lemke 1954): the duals stay
// valid when rows are taken away. It returns false when it was halted or rounding got in the way.
func (m *master) restore(halt func() bool) bool {
	m.refresh()
	m.queue = m.queue[:0]
	m.shift()
	for n := range 15*m.size + 200 {
		if n%64 == 63 && halt() {
			return false
		}
		if m.since >= 200 {
			m.repair()
		}
		out := m.infeasible()
		if out < 0 {
			return true
		}
		v := m.dualEntering(out)
		if v < 0 {
			if math.Abs(m.x[out]) > 1e-4 {
				return false
			}
			m.x[out] = 0 // noise in a row that only fixed columns are left in
			continue
		}
		m.direction(v)
		if math.Abs(m.alpha[out]) < pivotEps {
			m.invert()
			m.refresh()
			continue
		}
		m.exchange(v, out)
	}
	return false
}

// shift raises the costs whose reduced cost the primal method left just below zero, so that the duals
// are feasible for the dual method.
func (m *master) shift() {
	for v := range 2*m.cells + len(m.cols) {
		d := m.reducedOf(v)
		if d >= 0 {
			continue
		}
		switch {
		case v >= 2*m.cells:
			m.cols[v-2*m.cells].cost -= d
		case v&1 == 0:
			m.under[v/2] -= d
		default:
			m.over[v/2] -= d
		}
	}
}

// infeasible is the position furthest outside its bounds in the metric of dual steepest edge (Forrest
// & Goldfarb 1992), or -1. The norms are computed afresh, but only for the positions in question.
func (m *master) infeasible() int {
	out, worst := -1, 0.0
	for r, x := range m.x {
		if math.Abs(x) <= feasibleEps || x > 0 && !m.bannedAt(r) {
			continue
		}
		norm := 0.0
		for _, v := range m.inv[r] {
			norm += v * v
		}
		if x*x > worst*norm {
			out, worst = r, x*x/norm
		}
	}
	return out
}

// dualEntering is the dual ratio test for the position that leaves.
func (m *master) dualEntering(out int) int {
	row := m.inv[out]
	sign := 1.0
	if m.x[out] < 0 {
		sign = -1
	}
	limit := math.Inf(1)
	m.candidates = m.candidates[:0]
	for v := range 2*m.cells + len(m.cols) {
		if m.basic[v] || v >= 2*m.cells && m.cols[v-2*m.cells].banned {
			continue
		}
		if a := sign * m.inRow(row, v); a > pivotEps {
			d := max(0, m.reducedOf(v))
			m.candidates = append(m.candidates, candidate{v, d, a})
			limit = min(limit, (d+dualSlack)/a)
		}
	}
	best, size := -1, 0.0
	for _, c := range m.candidates {
		if c.d <= limit*c.a && c.a > size {
			best, size = c.v, c.a
		}
	}
	return best
}

// inRow is the entry of variable v in a row of the tableau.
func (m *master) inRow(row []float64, v int) float64 {
	if v < 2*m.cells {
		return (1 - 2*float64(v&1)) * row[v/2]
	}
	c := &m.cols[v-2*m.cells]
	sum := row[m.cells+c.who]
	for _, i := range c.cells {
		sum += row[i]
	}
	return sum
}
