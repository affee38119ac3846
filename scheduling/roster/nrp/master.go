package nrp

import (
	"math"
	"slices"
)

// master is the linear relaxation of "one row per employee, cover with slack":
//
//	min  sum cost x + sum under u + over o
//	s.t. per covered day and shift: sum x + u - o = need,  per employee: sum x = 1
//
// solved by the primal revised simplex method with an explicit inverse of the basis (Dantzig 1963),
// so that a column can be added at any time. The right sides are perturbed a little against
// degenerate steps, which leaves the duals exact.
type master struct {
	cells, size int // cover rows; cover rows + employees
	under, over []float64
	rhs         []float64
	cols        []masterColumn
	inv         [][]float64 // inverse of the basis, by basic position
	basis       []int       // by position: variable; 2i, 2i+1 = slack of row i, 2*cells+j = column j
	basic       []bool      // by variable
	x           []float64   // by position
	dual        []float64   // by row
	alpha       []float64
	nonzero     []int32
	queue       []int // candidates of the last full pass
	candidates  []candidate
	draws       int     // of jitter
	offset      float64 // cost of the fixed columns
	since       int     // pivots since the values were last computed afresh
}

// masterColumn is one row of one employee; a banned column must stay at zero.
type masterColumn struct {
	who    int // index into the master's employees
	cells  []int32
	cost   float64
	banned bool
	col    *column
}

// candidate is a variable with its reduced cost and its entry in the leaving row.
type candidate struct {
	v    int
	d, a float64
}

const (
	reducedEps  = 1e-3 // above the jitter, far below a unit of cost
	pivotEps    = 1e-6
	dualSlack   = 1e-7 // tolerances of the ratio tests (Harris 1973): they buy larger pivots
	primalSlack = 1e-10
	perturbance = 1e-5
)

// newMaster starts from one column per employee, which with the slacks is a basis.
func newMaster(covers []coverCell, need []int, start []*column) *master {
	cells := len(covers)
	m := &master{cells: cells, size: cells + len(start)}
	heads := make([]int, cells)
	for who, c := range start {
		m.add(who, c)
		for _, i := range c.cells {
			heads[i]++
		}
	}
	m.rhs, m.x, m.dual, m.alpha = make([]float64, m.size), make([]float64, m.size), make([]float64, m.size), make([]float64, m.size)
	m.basis = make([]int, m.size)
	for i := range cells {
		m.under, m.over = append(m.under, float64(covers[i].under)+m.jitter()), append(m.over, float64(covers[i].over)+m.jitter())
		// A fixed, irregular pattern: equal perturbations would not break ties.
		m.rhs[i] = float64(need[i]) + perturbance*(1+math.Mod(float64(i)*0.7548776662, 1))
		m.basis[i] = 2 * i
		if m.rhs[i] < float64(heads[i]) {
			m.basis[i]++
		}
	}
	for who := range start {
		m.rhs[cells+who] = 1
		m.basis[cells+who] = 2*cells + who
	}
	for _, v := range m.basis {
		m.basic[v] = true
	}
	m.identity()
	return m
}

// jitter is an irregular small cost: equal costs would let the dual method run in circles.
func (m *master) jitter() float64 {
	m.draws++
	return 10 * perturbance * math.Mod(float64(m.draws)*0.6180339887, 1)
}

// identity inverts the first basis: slacks of sign s and one column per employee.
func (m *master) identity() {
	flat := make([]float64, m.size*m.size)
	for r := range m.size {
		m.inv = append(m.inv, flat[r*m.size:(r+1)*m.size])
		m.inv[r][r] = 1
		if r < m.cells && m.basis[r]&1 == 1 {
			m.inv[r][r] = -1
		}
	}
	for who := m.cells; who < m.size; who++ {
		for _, i := range m.cols[who-m.cells].cells {
			m.inv[i][who] = -m.inv[i][i]
		}
	}
	m.refresh()
}

// add appends a column; it is not basic.
func (m *master) add(who int, c *column) {
	m.cols = append(m.cols, masterColumn{who: who, cells: c.cells, cost: float64(c.cost) + m.jitter(), col: c})
	for len(m.basic) < 2*m.cells+len(m.cols) {
		m.basic = append(m.basic, false)
	}
}

// clone copies what a dive changes.
func (m *master) clone() *master {
	c := *m
	flat := make([]float64, m.size*m.size)
	c.inv = make([][]float64, m.size)
	for r := range c.inv {
		c.inv[r] = flat[r*m.size : (r+1)*m.size]
		copy(c.inv[r], m.inv[r])
	}
	c.cols, c.basis, c.basic, c.rhs = slices.Clone(m.cols), slices.Clone(m.basis), slices.Clone(m.basic), slices.Clone(m.rhs)
	c.under, c.over = slices.Clone(m.under), slices.Clone(m.over)
	c.x, c.dual, c.alpha = slices.Clone(m.x), slices.Clone(m.dual), slices.Clone(m.alpha)
	c.nonzero, c.queue, c.candidates = nil, nil, nil
	return &c
}

func (m *master) cost(v int) float64 {
	switch {
	case v >= 2*m.cells:
		return m.cols[v-2*m.cells].cost
	case v&1 == 0:
		return m.under[v/2]
	default:
		return m.over[v/2]
	}
}

// refresh computes values and duals from the inverse.
func (m *master) refresh() {
	m.since = 0
	clear(m.dual)
	for r, row := range m.inv {
		sum, cost := 0.0, m.cost(m.basis[r])
		for k, v := range row {
			sum += v * m.rhs[k]
		}
		m.x[r] = sum
		if cost != 0 {
			for k, v := range row {
				m.dual[k] += cost * v
			}
		}
	}
}

// value of the current solution.
func (m *master) value() float64 {
	sum := m.offset
	for r, v := range m.basis {
		sum += m.cost(v) * m.x[r]
	}
	return sum
}

// reduced is the reduced cost of column j at the current duals.
func (m *master) reduced(j int) float64 {
	c := &m.cols[j]
	d := c.cost - m.dual[m.cells+c.who]
	for _, i := range c.cells {
		d -= m.dual[i]
	}
	return d
}

func (m *master) reducedOf(v int) float64 {
	switch {
	case m.basic[v]:
		return 0
	case v >= 2*m.cells:
		if m.cols[v-2*m.cells].banned {
			return 0
		}
		return m.reduced(v - 2*m.cells)
	case v&1 == 0:
		return m.under[v/2] - m.dual[v/2]
	default:
		return m.over[v/2] + m.dual[v/2]
	}
}

// optimise runs the simplex method until the optimum, the given pivots or halt, and tells whether it
// reached the optimum.
func (m *master) optimise(halt func() bool, pivots int) bool {
	for n := range pivots {
		if n%64 == 63 && halt() {
			return false
		}
		v := m.entering()
		if v < 0 {
			if m.since == 0 {
				return true
			}
			m.repair()
			if v = m.entering(); v < 0 {
				return true
			}
		}
		m.pivot(v)
		if m.since >= 400 {
			m.repair()
		}
	}
	return false
}

// pivotLimit per row of a master ends a simplex run that makes no headway.
const pivotLimit = 100

// queueSize is how many candidates of a full pass are kept for the next pivots.
const queueSize = 60

// entering returns the variable with the most negative reduced cost among the candidates, or -1.
func (m *master) entering() int {
	if v := m.fromQueue(); v >= 0 {
		return v
	}
	m.queue = m.queue[:0]
	worst := -reducedEps
	found := m.candidates[:0]
	for v := range 2*m.cells + len(m.cols) {
		if d := m.reducedOf(v); d < worst {
			found = append(found, candidate{v: v, d: d})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		if a.d != b.d {
			if a.d < b.d {
				return -1
			}
			return 1
		}
		return a.v - b.v
	})
	m.candidates = found
	for _, c := range found[:min(queueSize, len(found))] {
		m.queue = append(m.queue, c.v)
	}
	return m.fromQueue()
}

func (m *master) fromQueue() int {
	best, worst, kept := -1, -reducedEps, m.queue[:0]
	for _, v := range m.queue {
		d := m.reducedOf(v)
		if d >= -reducedEps {
			continue
		}
		kept = append(kept, v)
		if d < worst {
			best, worst = v, d
		}
	}
	m.queue = kept
	return best
}

// direction computes alpha = inverse * column of v.
func (m *master) direction(v int) {
	if v < 2*m.cells {
		sign := 1 - 2*float64(v&1)
		for r, row := range m.inv {
			m.alpha[r] = sign * row[v/2]
		}
		return
	}
	c := &m.cols[v-2*m.cells]
	for r, row := range m.inv {
		sum := row[m.cells+c.who]
		for _, i := range c.cells {
			sum += row[i]
		}
		m.alpha[r] = sum
	}
}

// pivot brings variable v into the basis.
func (m *master) pivot(v int) {
	m.direction(v)
	out := m.leaving()
	if out < 0 { // costs are not negative, so only rounding can lead here
		m.queue = m.queue[:0]
		m.repair()
		return
	}
	m.x[out] = max(0, m.x[out])
	m.exchange(v, out)
	for r := range m.x {
		m.x[r] = max(0, m.x[r]) // a step never goes backwards, however small
	}
}

// leaving is the ratio test: the position that reaches zero first as the entering variable grows.
// A banned variable leaves at once, since it may move neither way.
func (m *master) leaving() int {
	least, out := math.Inf(1), -1
	for r, a := range m.alpha {
		if math.Abs(a) > pivotEps && m.bannedAt(r) {
			return r
		}
		if a > pivotEps {
			least = min(least, (max(0, m.x[r])+primalSlack)/a)
		}
	}
	for r, a := range m.alpha {
		if a > pivotEps && max(0, m.x[r])/a <= least && (out < 0 || a > m.alpha[out]) {
			out = r
		}
	}
	return out
}

func (m *master) bannedAt(r int) bool {
	v := m.basis[r]
	return v >= 2*m.cells && m.cols[v-2*m.cells].banned
}

// exchange replaces the variable at position out by v, whose direction is in alpha.
func (m *master) exchange(v, out int) {
	d := m.reducedOf(v)
	length := m.x[out] / m.alpha[out]
	row := m.inv[out]
	m.nonzero = m.nonzero[:0]
	scale := 1 / m.alpha[out]
	for k, a := range row {
		if math.Abs(a) < 1e-13 {
			row[k] = 0
			continue
		}
		row[k] = a * scale
		m.nonzero = append(m.nonzero, int32(k))
		m.dual[k] += d * row[k]
	}
	for r, a := range m.alpha {
		if r == out || math.Abs(a) < 1e-13 {
			continue
		}
		m.x[r] -= a * length
		subtract(m.inv[r], row, a, m.nonzero)
	}
	m.x[out] = length
	m.basic[m.basis[out]], m.basic[v] = false, true
	m.basis[out] = v
	m.since++
}

// subtract takes a times row from to, at the given positions when they are few.
func subtract(to, row []float64, a float64, nonzero []int32) {
	if 3*len(nonzero) < len(row) {
		for _, k := range nonzero {
			to[k] -= a * row[k]
		}
		return
	}
	to = to[:len(row)]
	for k, v := range row {
		to[k] -= a * v
	}
}

// repair recomputes values and duals, and the inverse too when it has drifted.
func (m *master) repair() {
	m.refresh()
	residual := slices.Clone(m.rhs)
	for r, v := range m.basis {
		m.times(v, func(i int, a float64) { residual[i] -= a * m.x[r] })
	}
	for _, d := range residual {
		if math.Abs(d) > 1e-6 {
			m.invert()
			m.refresh()
			return
		}
	}
}

// times visits the nonzero entries of a variable's column.
func (m *master) times(v int, visit func(row int, a float64)) {
	if v < 2*m.cells {
		visit(v/2, 1-2*float64(v&1))
		return
	}
	c := &m.cols[v-2*m.cells]
	for _, i := range c.cells {
		visit(int(i), 1)
	}
	visit(m.cells+c.who, 1)
}

// invert rebuilds the inverse by pivoting every basic variable into the identity, slacks first.
func (m *master) invert() {
	vars := slices.Clone(m.basis)
	slices.Sort(vars)
	for r := range m.inv {
		clear(m.inv[r])
		m.inv[r][r] = 1
	}
	taken := make([]bool, m.size)
	for _, v := range vars {
		m.direction(v)
		out := -1
		for r, a := range m.alpha {
			if !taken[r] && (out < 0 || math.Abs(a) > math.Abs(m.alpha[out])) {
				out = r
			}
		}
		taken[out] = true
		m.basis[out] = v
		m.eliminate(out)
	}
}

// eliminate makes alpha the unit vector of position out.
func (m *master) eliminate(out int) {
	row, scale := m.inv[out], 1/m.alpha[out]
	m.nonzero = m.nonzero[:0]
	for k, a := range row {
		if a != 0 {
			row[k] = a * scale
			m.nonzero = append(m.nonzero, int32(k))
		}
	}
	for r, a := range m.alpha {
		if r != out && a != 0 {
			subtract(m.inv[r], row, a, m.nonzero)
		}
	}
}

// weights returns x by column, rounding noise removed.
func (m *master) weights() []float64 {
	w := make([]float64, len(m.cols))
	for r, v := range m.basis {
		if v >= 2*m.cells && m.x[r] > 1e-6 {
			w[v-2*m.cells] = min(1, m.x[r])
		}
	}
	return w
}
