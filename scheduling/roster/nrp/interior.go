package nrp

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// interior is the working space of the interior point method: Mehrotra's predictor-corrector
// (1992) on the normal equations. The members' rows are eliminated first, so one dense Cholesky
// factor of cells x cells remains.
type interior struct {
	normal       [][]float64 // lower triangle, then its factor
	diagonal     []float64   // of the normal matrix before the elimination
	load         [][]float64 // by member and cell: sum of theta over columns that work the cell
	mass         []float64   // by member: sum of theta
	rp, rhs      []float64   // by cell: primal residual; right side and then step of lambda
	rq, gap, dmu []float64   // by member: primal residual; right side; step of mu
	theta, rd    []float64   // by column
	dx, dz       []float64
	cx, cu, co   []float64 // complementarity targets of columns and slacks
	du, do       []float64
	point        float64 // mean complementarity
}

const (
	interiorSteps = 60
	feasible      = 2e-3 // largest residual of a solution
	inside        = 0.995
)

// solve moves the point until its cost is within target of the optimum, and tells whether it got
// there before halt.
func (m *master) solve(target float64, halt func() bool) bool {
	w := &m.scratch
	w.resize(len(m.need), m.members, len(m.cols))
	m.begin()
	for range interiorSteps {
		if halt() {
			return false
		}
		infeasible, gap := m.residuals()
		if infeasible < feasible && gap < target {
			m.warm = true
			return true
		}
		m.assemble()
		if !w.factor() {
			break
		}
		// Predictor: straight to the boundary.
		for j := range m.cols {
			c := &m.cols[j]
			w.cx[j] = -c.x * c.z
		}
		for i := range m.need {
			w.cu[i] = -m.u[i] * m.zu[i]
			w.co[i] = -m.o[i] * m.zo[i]
		}
		m.direction()
		p, d := m.stepLengths()
		after := m.complementarity(p, d)
		ratio := after / w.point
		centre := ratio * ratio * ratio * w.point
		// Corrector: towards the centre, with the second-order term.
		for j := range m.cols {
			w.cx[j] += centre - w.dx[j]*w.dz[j]
		}
		for i := range m.need {
			w.cu[i] += centre + w.du[i]*w.rhs[i] // the multiplier of u falls as lambda grows
			w.co[i] += centre - w.do[i]*w.rhs[i]
		}
		m.direction()
		p, d = m.stepLengths()
		m.move(min(1, inside*p), min(1, inside*d))
	}
	m.warm = false
	return false
}

func resized(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n, n+n/2)
	}
	return s[:n]
}

func (w *interior) resize(cells, members, cols int) {
	if len(w.normal) != cells || len(w.load) != members {
		flat := make([]float64, cells*cells)
		w.normal = make([][]float64, cells)
		for i := range w.normal {
			w.normal[i] = flat[i*cells : (i+1)*cells]
		}
		flat = make([]float64, members*cells)
		w.load = make([][]float64, members)
		for k := range w.load {
			w.load[k] = flat[k*cells : (k+1)*cells]
		}
	}
	for _, s := range []*[]float64{&w.diagonal, &w.rp, &w.rhs, &w.cu, &w.co, &w.du, &w.do} {
		*s = resized(*s, cells)
	}
	for _, s := range []*[]float64{&w.mass, &w.rq, &w.gap, &w.dmu} {
		*s = resized(*s, members)
	}
	for _, s := range []*[]float64{&w.theta, &w.rd, &w.dx, &w.dz, &w.cx} {
		*s = resized(*s, cols)
	}
}

// begin chooses the first point: inside, with every product of a value and its reduced cost near one
// size, and near the last solution when there is one.
func (m *master) begin() {
	product := 1.0
	if m.warm {
		product = max(leastProduct, min(1, 10*m.scratch.point))
	}
	heads := make([]float64, len(m.need))
	for i := range m.need {
		room := 0.01 * (m.under[i] + m.over[i])
		m.lambda[i] = max(-m.over[i]+room, min(m.under[i]-room, m.lambda[i]))
		m.zu[i], m.zo[i] = m.under[i]-m.lambda[i], m.over[i]+m.lambda[i]
	}
	m.beginMembers()
	side := math.Sqrt(product) / 10
	for j := range m.cols {
		c := &m.cols[j]
		c.z = max(c.cost-m.linked(c, m.lambda)-m.mu[c.who], product/max(c.x, side))
		c.x = max(c.x, product/c.z)
		for _, i := range c.cells {
			heads[i] += c.x
		}
	}
	for i := range m.need {
		m.u[i] = max(m.need[i]-heads[i], 0) + product/m.zu[i]
		m.o[i] = max(heads[i]-m.need[i], 0) + product/m.zo[i]
	}
}

const leastProduct = 1e-3

// beginMembers gives the members without a useful last solution even weights and a multiplier that
// fits them.
func (m *master) beginMembers() {
	count, total := make([]int, m.members), make([]float64, m.members)
	for j := range m.cols {
		count[m.cols[j].who]++
		total[m.cols[j].who] += m.cols[j].x
	}
	fresh := func(k int) bool { return !m.warm || total[k] < 0.5 }
	for k := range m.mu {
		if fresh(k) {
			m.mu[k] = math.Inf(1)
		}
	}
	for j := range m.cols {
		if c := &m.cols[j]; fresh(c.who) {
			c.x = 1 / float64(count[c.who])
			m.mu[c.who] = min(m.mu[c.who], c.cost-m.linked(c, m.lambda))
		}
	}
}

// linked is the sum of a vector over a column's cells.
func (m *master) linked(c *masterColumn, v []float64) float64 {
	sum := 0.0
	for _, i := range c.cells {
		sum += v[i]
	}
	return sum
}

// residuals measures the point: the largest violation, and cost less bound when that is small.
func (m *master) residuals() (worst, gap float64) {
	w := &m.scratch
	m.primal = 0
	dual, n := 0.0, 0
	w.point = 0
	for i := range m.need {
		w.rp[i] = m.need[i] - m.u[i] + m.o[i]
		dual += m.need[i] * m.lambda[i]
		w.point += m.u[i]*m.zu[i] + m.o[i]*m.zo[i]
		n += 2
	}
	for k, v := range m.mu {
		w.rq[k] = 1
		dual += v
	}
	for j := range m.cols {
		c := &m.cols[j]
		for _, i := range c.cells {
			w.rp[i] -= c.x
		}
		w.rq[c.who] -= c.x
		w.rd[j] = c.cost - m.linked(c, m.lambda) - m.mu[c.who] - c.z
		worst = max(worst, math.Abs(w.rd[j]))
		m.primal += c.cost * c.x
		w.point += c.x * c.z
		n++
	}
	w.point /= float64(n)
	for i, r := range w.rp {
		worst = max(worst, math.Abs(r))
		short := m.u[i] - m.o[i] + r // what the weights really leave open
		m.primal += max(m.under[i]*short, -m.over[i]*short)
	}
	for k, r := range w.rq {
		worst = max(worst, math.Abs(r))
		m.primal += r * m.mu[k]
	}
	return worst, m.primal - dual
}

// assemble builds the normal matrix with the members eliminated.
func (m *master) assemble() {
	w := &m.scratch
	for i := range m.need {
		clear(w.normal[i][:i])
		w.normal[i][i] = m.u[i]/m.zu[i] + m.o[i]/m.zo[i]
	}
	clear(w.mass)
	for k := range w.load {
		clear(w.load[k])
	}
	for j := range m.cols {
		c := &m.cols[j]
		t := c.x / c.z
		w.theta[j] = t
		w.mass[c.who] += t
		load := w.load[c.who]
		for n, i := range c.cells {
			load[i] += t
			row := w.normal[i]
			for _, l := range c.cells[:n+1] {
				row[l] += t
			}
		}
	}
	for i, row := range w.normal {
		w.diagonal[i] = row[i]
	}
	for k, load := range w.load {
		for i, a := range load {
			if a != 0 {
				floats.AddScaled(w.normal[i][:i+1], -a/w.mass[k], load[:i+1])
			}
		}
	}
}

// factor replaces the normal matrix by its Cholesky factor.
func (w *interior) factor() bool {
	for i, row := range w.normal {
		for j := range i {
			row[j] = (row[j] - floats.Dot(row[:j], w.normal[j][:j])) / w.normal[j][j]
		}
		d := row[i] - floats.Dot(row[:i], row[:i])
		if math.IsNaN(d) {
			return false
		}
		if d <= 1e-14*w.diagonal[i] {
			d = 1e60 // a cell that the others determine: its multiplier stays
		}
		row[i] = math.Sqrt(d)
	}
	return true
}

// direction solves the Newton system for the complementarity targets; the step of lambda is in rhs.
func (m *master) direction() {
	w := &m.scratch
	for i := range m.need {
		w.rhs[i] = w.rp[i] - w.cu[i]/m.zu[i] + w.co[i]/m.zo[i]
	}
	copy(w.gap, w.rq)
	for j := range m.cols {
		c := &m.cols[j]
		part := (w.cx[j] - c.x*w.rd[j]) / c.z
		w.gap[c.who] -= part
		for _, i := range c.cells {
			w.rhs[i] -= part
		}
	}
	for k, load := range w.load {
		floats.AddScaled(w.rhs, -w.gap[k]/w.mass[k], load)
	}
	for i, row := range w.normal {
		w.rhs[i] = (w.rhs[i] - floats.Dot(row[:i], w.rhs[:i])) / row[i]
	}
	for i := len(w.rhs) - 1; i >= 0; i-- {
		w.rhs[i] /= w.normal[i][i]
		floats.AddScaled(w.rhs[:i], -w.rhs[i], w.normal[i][:i])
	}
	for k, load := range w.load {
		w.dmu[k] = (w.gap[k] - floats.Dot(load, w.rhs)) / w.mass[k]
	}
	for i, dl := range w.rhs {
		w.du[i] = (w.cu[i] + m.u[i]*dl) / m.zu[i]
		w.do[i] = (w.co[i] - m.o[i]*dl) / m.zo[i]
	}
	for j := range m.cols {
		c := &m.cols[j]
		w.dz[j] = w.rd[j] - m.linked(c, w.rhs) - w.dmu[c.who]
		w.dx[j] = (w.cx[j] - c.x*w.dz[j]) / c.z
	}
}

// stepLengths are the longest primal and dual steps that keep the point inside.
func (m *master) stepLengths() (p, d float64) {
	w := &m.scratch
	p, d = 1/inside, 1/inside
	limit := func(step *float64, v, dv float64) {
		if dv < 0 && v < -dv*(*step) {
			*step = -v / dv
		}
	}
	for j := range m.cols {
		limit(&p, m.cols[j].x, w.dx[j])
		limit(&d, m.cols[j].z, w.dz[j])
	}
	for i, dl := range w.rhs {
		limit(&p, m.u[i], w.du[i])
		limit(&p, m.o[i], w.do[i])
		limit(&d, m.zu[i], -dl)
		limit(&d, m.zo[i], dl)
	}
	return p, d
}

// complementarity is the mean product after a step.
func (m *master) complementarity(p, d float64) float64 {
	w := &m.scratch
	p, d = min(1, p), min(1, d)
	sum := 0.0
	for j := range m.cols {
		sum += (m.cols[j].x + p*w.dx[j]) * (m.cols[j].z + d*w.dz[j])
	}
	for i, dl := range w.rhs {
		sum += (m.u[i]+p*w.du[i])*(m.zu[i]-d*dl) + (m.o[i]+p*w.do[i])*(m.zo[i]+d*dl)
	}
	return sum / float64(len(m.cols)+2*len(m.need))
}

func (m *master) move(p, d float64) {
	w := &m.scratch
	for j := range m.cols {
		m.cols[j].x += p * w.dx[j]
		m.cols[j].z += d * w.dz[j]
	}
	for i, dl := range w.rhs {
		m.u[i] += p * w.du[i]
		m.o[i] += p * w.do[i]
		m.lambda[i] += d * dl
		m.zu[i] -= d * dl
		m.zo[i] += d * dl
	}
	for k, dm := range w.dmu {
		m.mu[k] += d * dm
	}
}
