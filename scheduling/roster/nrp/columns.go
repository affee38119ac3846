package nrp

import (
	"cmp"
	"slices"
)

// coverCell is a day and shift with a wanted head count that costs something to miss.
type coverCell struct {
	day, shift        int
	need, under, over int
}

// column is a legal row (or the part of one inside a window) of one employee.
type column struct {
	row   []int8
	cost  int32   // requests
	cells []int32 // cover cells worked, counted from the first cell of the window
}

// newColumn prices a row part that starts on day from; first is the window's first cover cell.
func (p *problem) newColumn(e, from, first int, row []int8) *column {
	c := &column{row: row}
	width := p.shifts + 1
	for i, s := range row {
		d := from + i
		c.cost += p.wish[e][d*width+int(s)+1]
		if s >= 0 {
			if cell := p.cell[d*p.shifts+int(s)]; cell >= 0 {
				c.cells = append(c.cells, cell-int32(first))
			}
		}
	}
	return c
}

// pool keeps the whole-horizon columns found so far, by employee.
type pool struct {
	columns [][]*column
	seen    []map[string]*column
}

func newPool(workers int) *pool {
	l := &pool{columns: make([][]*column, workers), seen: make([]map[string]*column, workers)}
	for e := range l.seen {
		l.seen[e] = map[string]*column{}
	}
	return l
}

// add returns the column of a row, which is kept by the pool.
func (l *pool) add(p *problem, e int, row []int8) (c *column, fresh bool) {
	key := rowKey(row)
	if c := l.seen[e][key]; c != nil {
		return c, false
	}
	c = p.newColumn(e, 0, 0, slices.Clone(row))
	l.seen[e][key] = c
	l.columns[e] = append(l.columns[e], c)
	return c, true
}

func rowKey(row []int8) string {
	b := make([]byte, len(row))
	for i, s := range row {
		b[i] = byte(s + 1)
	}
	return string(b)
}

// poolLimit is how many columns per employee survive a trim.
const poolLimit = 1500

// trim drops the columns with the largest reduced cost at the multipliers.
func (l *pool) trim(lambda []float64) {
	for e := range l.columns {
		if len(l.columns[e]) < 2*poolLimit {
			continue
		}
		l.columns[e] = cheapestColumns(l.columns[e], lambda, poolLimit)
		clear(l.seen[e])
		for _, c := range l.columns[e] {
			l.seen[e][rowKey(c.row)] = c
		}
	}
}

// clone lets another goroutine add columns of its own; the columns themselves never change.
func (l *pool) clone() *pool {
	out := newPool(len(l.columns))
	for e := range l.columns {
		out.columns[e] = slices.Clone(l.columns[e])
		for k, c := range l.seen[e] {
			out.seen[e][k] = c
		}
	}
	return out
}

// reducedAt is a column's cost less the multipliers of its cells.
func (c *column) reducedAt(lambda []float64) float64 {
	d := float64(c.cost)
	for _, i := range c.cells {
		d -= lambda[i]
	}
	return d
}

// cheapestColumns returns up to n columns with the least reduced cost, cheapest first.
func cheapestColumns(all []*column, lambda []float64, n int) []*column {
	type item struct {
		c *column
		d float64
	}
	items := make([]item, len(all))
	for i, c := range all {
		items[i] = item{c, c.reducedAt(lambda)}
	}
	slices.SortStableFunc(items, func(a, b item) int { return cmp.Compare(a.d, b.d) })
	out := make([]*column, min(n, len(items)))
	for i := range out {
		out[i] = items[i].c
	}
	return out
}
