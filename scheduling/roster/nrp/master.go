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
// solved by an interior point method (file interior.go). Rosters are so degenerate that a simplex
// method spends tens of thousands of pivots without moving; an interior point needs some twenty
// steps whatever the degeneracy, and its multipliers lie in the middle of the optimal ones, which is
// what column generation wants (Gondzio, González-Brevis & Munari 2013).
type master struct {
	need        []float64 // by cell
	under, over []float64
	cols        []masterColumn
	members     int
	draws       int // of jitter

	lambda  []float64 // multipliers of the cells, strictly inside [-over, under]
	mu      []float64 // multipliers of the members
	u, o    []float64 // shortage and surplus by cell
	zu, zo  []float64 // their reduced costs: under - lambda and over + lambda
	primal  float64   // cost of the point
	warm    bool      // the point is a solution of this master before the last change
	scratch interior
}

// masterColumn is one row of one employee.
type masterColumn struct {
	who   int // index into the master's members
	cells []int32
	cost  float64
	x, z  float64 // weight and reduced cost at the point, both positive
	col   *column
}

// newMaster has the members' start columns, so that it is never infeasible.
func newMaster(covers []coverCell, need []int, start []*column) *master {
	cells := len(covers)
	m := &master{
		need: make([]float64, cells), under: make([]float64, cells), over: make([]float64, cells),
		lambda: make([]float64, cells), u: make([]float64, cells), o: make([]float64, cells), zu: make([]float64, cells), zo: make([]float64, cells),
		members: len(start), mu: make([]float64, len(start)),
	}
	for i := range covers {
		m.need[i] = float64(need[i])
		// A cell that costs nothing to miss still needs some room for its multiplier.
		m.under[i], m.over[i] = float64(covers[i].under)+leastWeight, float64(covers[i].over)+leastWeight
	}
	for k, c := range start {
		m.add(k, c)
	}
	return m
}

const (
	leastWeight = 1e-3
	jitterSize  = 4e-3 // far below a unit of cost even when summed over a hundred employees
)

// jitter is an irregular small cost that gives the relaxation one best solution out of many equal
// ones, so that few columns share the weight.
func (m *master) jitter() float64 {
	m.draws++
	return jitterSize * math.Mod(float64(m.draws)*0.6180339887, 1)
}

// add appends a column of a member.
func (m *master) add(who int, c *column) {
	m.cols = append(m.cols, masterColumn{who: who, cells: c.cells, cost: float64(c.cost) + m.jitter(), col: c})
}

// keep drops the columns that are not wanted; every member must keep one.
func (m *master) keep(wanted func(who int, row []int8) bool) {
	kept := m.cols[:0]
	for _, c := range m.cols {
		if wanted(c.who, c.col.row) {
			kept = append(kept, c)
		}
	}
	clear(m.cols[len(kept):])
	m.cols = kept
}

// columnsPerRow is how many columns a master may have per row before those that weigh nothing and
// cost most are dropped; the pool still has them.
const columnsPerRow = 8

// purge drops columns when there are many; everybody keeps the heaviest.
func (m *master) purge() {
	limit := columnsPerRow * (len(m.need) + m.members)
	if len(m.cols) <= limit || !m.warm {
		return
	}
	costs := make([]float64, 0, len(m.cols))
	heaviest := make([]float64, m.members)
	for j := range m.cols {
		c := &m.cols[j]
		heaviest[c.who] = max(heaviest[c.who], c.x)
		if c.x > 0 {
			costs = append(costs, c.z)
		}
	}
	slices.Sort(costs)
	most := costs[min(limit/2, len(costs)-1)]
	kept := m.cols[:0]
	for _, c := range m.cols {
		if c.x == 0 || c.z <= most || c.x >= min(weighty, heaviest[c.who]) { // no weight yet: just added
			kept = append(kept, c)
		}
	}
	clear(m.cols[len(kept):])
	m.cols = kept
}

// weighty is the least weight that makes a column worth keeping whatever it costs.
const weighty = 1e-3

// reduced is the reduced cost of a member's column at the current multipliers.
func (m *master) reduced(who int, c *column) float64 {
	return c.reducedAt(m.lambda) - m.mu[who]
}

// clone copies what a dive changes.
func (m *master) clone() *master {
	c := *m
	c.cols = append([]masterColumn(nil), m.cols...)
	c.lambda, c.mu = append([]float64(nil), m.lambda...), append([]float64(nil), m.mu...)
	c.u, c.o = append([]float64(nil), m.u...), append([]float64(nil), m.o...)
	c.zu, c.zo = append([]float64(nil), m.zu...), append([]float64(nil), m.zo...)
	c.scratch = interior{}
	return &c
}
