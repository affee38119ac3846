package nrp

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"
	"pgregory.net/rapid"
)

// drawn is a one-employee problem small enough to try every row.
func drawn(t *rapid.T) *problem {
	days := rapid.IntRange(4, 8).Draw(t, "days")
	in := &Instance{Days: days, Shifts: []Shift{
		{ID: "E", Minutes: 480, NotNext: []bool{false, false, false}},
		{ID: "L", Minutes: 480, NotNext: []bool{true, false, false}},
		{ID: "N", Minutes: 600, NotNext: []bool{true, rapid.Bool().Draw(t, "NL"), false}},
	}}
	count := func(name string) int { return rapid.IntRange(0, days).Draw(t, name) }
	e := Employee{
		ID: "A", MaxShifts: []int{count("E"), count("L"), count("N")},
		MinMinutes: 240 * rapid.IntRange(0, days).Draw(t, "least"), MaxMinutes: 480 * days,
		MaxRun: rapid.IntRange(1, 5).Draw(t, "run"), MinRun: rapid.IntRange(1, 3).Draw(t, "short"),
		MinOff: rapid.IntRange(1, 3).Draw(t, "rest"), MaxWeekends: rapid.IntRange(0, 1).Draw(t, "weekends"),
		DayOff: make([]bool, days), Wants: make([][]int, days), Avoids: make([][]int, days),
	}
	e.DayOff[rapid.IntRange(0, days-1).Draw(t, "off")] = true
	for d := range days {
		e.Wants[d], e.Avoids[d] = make([]int, 3), make([]int, 3)
	}
	in.Staff = []Employee{e}
	return prepare(in)
}

// TestPricingIsExact compares the dynamic programme with every one of the 4^days rows, judged by
// the annealing's own count of broken rules.
func TestPricingIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		x := newPricer(p)
		for i := range x.entry {
			x.entry[i] = int32(rapid.IntRange(-50, 50).Draw(t, "price"))
		}
		cost := func(row []int8) (sum int32) {
			for d, s := range row {
				sum += x.entry[d*4+int(s)+1]
			}
			return sum
		}
		best := int32(math.MaxInt32)
		row := make([]int8, p.days)
		for code := range 1 << (2 * p.days) {
			for d := range row {
				row[d] = int8(code>>(2*d)&3) - 1
			}
			if c := cost(row); c < best {
				if _, broken := p.row(0, row); broken == 0 {
					best = c
				}
			}
		}
		rows, floor := x.cheapest(0, window{0, p.days}, nil, 3)
		if best == math.MaxInt32 {
			require.Empty(t, rows)
			return
		}
		require.NotEmpty(t, rows)
		require.Equal(t, best, rows[0].cost)
		require.Equal(t, best, floor)
		for _, r := range rows {
			_, broken := p.row(0, r.row)
			require.Zero(t, broken, r.row)
			require.Equal(t, cost(r.row), r.cost)
		}
	})
}

// TestWindowPricingIsExact fixes the days outside a window of two weeks as in a legal row and tries
// every row of the window.
func TestWindowPricingIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		if p.days < 8 {
			return
		}
		x := newPricer(p)
		for i := range x.entry {
			x.entry[i] = int32(rapid.IntRange(-50, 50).Draw(t, "price"))
		}
		whole, _ := x.cheapest(0, window{0, p.days}, nil, 1)
		if len(whole) == 0 {
			return
		}
		row := append([]int8(nil), whole[0].row...)
		for i := range x.entry {
			x.entry[i] = int32(rapid.IntRange(-50, 50).Draw(t, "other price"))
		}
		for _, win := range []window{{0, 7}, {7, p.days}} {
			best := int32(math.MaxInt32)
			try := append([]int8(nil), row...)
			for code := range 1 << (2 * (win.to - win.from)) {
				sum := int32(0)
				for d := win.from; d < win.to; d++ {
					try[d] = int8(code>>(2*(d-win.from))&3) - 1
					sum += x.entry[d*4+int(try[d])+1]
				}
				if sum < best {
					if _, broken := p.row(0, try); broken == 0 {
						best = sum
					}
				}
			}
			rows, _ := x.cheapest(0, win, row, 1)
			require.NotEmpty(t, rows)
			require.Equal(t, best, rows[0].cost, win)
		}
	})
}

// TestMasterMatchesAnotherSimplex holds the master, before and after a fixed column, against
// gonum's dense simplex on the same programme.
func TestMasterMatchesAnotherSimplex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells, staff := rapid.IntRange(1, 5).Draw(t, "cells"), rapid.IntRange(1, 4).Draw(t, "staff")
		covers, need := make([]coverCell, cells), make([]int, cells)
		for i := range covers {
			covers[i] = coverCell{under: rapid.IntRange(1, 100).Draw(t, "under"), over: rapid.IntRange(0, 9).Draw(t, "over")}
			need[i] = rapid.IntRange(0, staff).Draw(t, "need")
		}
		all := make([][]*column, staff)
		start := make([]*column, staff)
		for k := range all {
			for range rapid.IntRange(1, 5).Draw(t, "columns") {
				c := &column{row: []int8{0}, cost: int32(rapid.IntRange(0, 9).Draw(t, "cost"))}
				for i := range cells {
					if rapid.Bool().Draw(t, "works") {
						c.cells = append(c.cells, int32(i))
					}
				}
				all[k] = append(all[k], c)
			}
			start[k] = all[k][0]
		}
		m := newMaster(covers, need, start)
		for k := range all {
			for _, c := range all[k][1:] {
				m.add(k, c)
			}
		}
		require.True(t, m.solve(0.001, never))
		require.InDelta(t, reference(t, covers, need, all), m.primal, 0.05)

		j := rapid.IntRange(0, len(m.cols)-1).Draw(t, "fixed")
		k, c := m.cols[j].who, m.cols[j].col
		m.keep(func(who int, row []int8) bool { return who != k || &row[0] == &c.row[0] })
		require.True(t, m.solve(0.001, never))
		all[k] = []*column{c}
		require.InDelta(t, reference(t, covers, need, all), m.primal, 0.05)
	})
}

func reference(t *rapid.T, covers []coverCell, need []int, all [][]*column) float64 {
	vars := 2 * len(covers)
	for _, cs := range all {
		vars += len(cs)
	}
	rows := len(covers) + len(all)
	a, b, c := mat.NewDense(rows, vars, nil), make([]float64, rows), make([]float64, vars)
	for i := range covers {
		b[i] = float64(need[i])
		a.Set(i, 2*i, 1)
		a.Set(i, 2*i+1, -1)
		c[2*i], c[2*i+1] = float64(covers[i].under), float64(covers[i].over)
	}
	v := 2 * len(covers)
	for k, cs := range all {
		b[len(covers)+k] = 1
		for _, col := range cs {
			a.Set(len(covers)+k, v, 1)
			for _, i := range col.cells {
				a.Set(int(i), v, 1)
			}
			c[v] = float64(col.cost)
			v++
		}
	}
	value, _, err := lp.Simplex(c, a, b, 1e-10, nil)
	require.NoError(t, err)
	return value
}

// TestGroupBoundsEveryRoster: no roster, brute-forced for one employee, costs less than the bound.
func TestGroupBoundsEveryRoster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		legal := [][]int8{}
		for code := range 1 << (2 * min(p.days, 6)) {
			row := make([]int8, p.days)
			for d := range row {
				row[d] = int8(code>>(2*d)&3) - 1
				if d >= 6 {
					row[d] = Off
				}
			}
			if _, broken := p.row(0, row); broken == 0 {
				legal = append(legal, row)
			}
		}
		if len(legal) == 0 {
			return
		}
		for d := range p.days {
			p.in.Cover = append(p.in.Cover, Cover{Day: d, Shift: d % 3, Need: rapid.IntRange(0, 2).Draw(t, "need"), Under: 10, Over: 1})
		}
		p = prepare(p.in)
		rows := [][]int8{append([]int8(nil), legal[0]...)}
		g := newGroup(p, []*pricer{newPricer(p)}, newPool(1), rows, p.count(rows), []int{0}, window{0, p.days}, func() bool { return false })
		require.Equal(t, p.total(rows), g.cost)
		g.open(make([]float64, len(p.covers)), 0)
		g.generate(200, 3, math.Inf(1))
		for _, row := range legal {
			require.GreaterOrEqual(t, float64(p.total([][]int8{row}))+1e-6, g.bound)
		}
	})
}

// TestPurgeLeavesEverybodyAColumn: after a purge the weights still make up one row per member, and
// the value stays within what the weights too small to keep can be worth.
func TestPurgeLeavesEverybodyAColumn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		covers := []coverCell{{under: 20, over: 1}, {under: 10, over: 2}}
		draw := func() *column {
			c := &column{row: []int8{0}, cost: int32(rapid.IntRange(0, 30).Draw(t, "cost"))}
			for i := range covers {
				if rapid.Bool().Draw(t, "works") {
					c.cells = append(c.cells, int32(i))
				}
			}
			return c
		}
		m := newMaster(covers, []int{1, 2}, []*column{draw(), draw(), draw()})
		for j := range 60 {
			m.add(j%3, draw())
		}
		require.True(t, m.solve(0.001, never))
		before, columns := m.primal, len(m.cols)
		m.purge()
		require.Less(t, len(m.cols), columns)
		var weight [3]float64
		for _, c := range m.cols {
			weight[c.who] += c.x
		}
		for _, w := range weight {
			require.InDelta(t, 1, w, 0.1)
		}
		require.True(t, m.solve(0.001, never))
		require.InDelta(t, before, m.primal, 0.05)
	})
}
