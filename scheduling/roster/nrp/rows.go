package nrp

import (
	"cmp"
	"slices"
	"sort"
)

// problem is an Instance with lookup tables for the search.
type problem struct {
	in      *Instance
	days    int
	shifts  int
	workers int
	wish    [][]int32 // [employee][day*(shifts+1)+shift+1]: cost of that entry by requests
	cover   [][]int32 // [day*shifts+shift][heads]
	forbid  [][]bool  // [shift][next]
	minutes []int32   // by shift
	usable  [][]int8  // [employee]: shifts with MaxShifts above 0
	off     [][]bool  // [employee][day]

	windowWeeks int  // at most
	long        bool // windows are far quicker than the whole horizon
	atOnce      bool // one master can hold it all the same
	covers      []coverCell
	cell        []int32 // [day*shifts+shift]: index into covers, or -1
	grid        float64 // parts per cost unit in the integers of the pricing
}

// fine is how many parts one unit of a broken hard rule has, so that minutes can count in parts.
const fine = 8

func prepare(in *Instance) *problem {
	p := &problem{in: in, days: in.Days, shifts: len(in.Shifts), workers: len(in.Staff)}
	for i := range in.Shifts {
		p.minutes = append(p.minutes, int32(in.Shifts[i].Minutes))
		p.forbid = append(p.forbid, in.Shifts[i].NotNext)
	}
	width := p.shifts + 1
	for i := range in.Staff {
		e := &in.Staff[i]
		table := make([]int32, p.days*width)
		for d := range p.days {
			wanted := 0
			for _, w := range e.Wants[d] {
				wanted += w
			}
			table[d*width] = int32(wanted)
			for s := range p.shifts {
				table[d*width+s+1] = int32(wanted - e.Wants[d][s] + e.Avoids[d][s])
			}
		}
		p.wish = append(p.wish, table)
		p.off = append(p.off, e.DayOff)
		var usable []int8
		for s, n := range e.MaxShifts {
			if n > 0 {
				usable = append(usable, int8(s))
			}
		}
		p.usable = append(p.usable, usable)
	}
	p.cover = make([][]int32, p.days*p.shifts)
	for i := range p.cover {
		p.cover[i] = make([]int32, p.workers+1)
	}
	for _, c := range in.Cover {
		for n := range p.cover[c.Day*p.shifts+c.Shift] {
			if n < c.Need {
				p.cover[c.Day*p.shifts+c.Shift][n] = int32(c.Under * (c.Need - n))
			} else {
				p.cover[c.Day*p.shifts+c.Shift][n] = int32(c.Over * (n - c.Need))
			}
		}
	}
	p.coverCells()
	p.planWindows()
	return p
}

// coverCells lists the cells by day and picks the finest grid whose sums stay far from overflow.
func (p *problem) coverCells() {
	p.covers = make([]coverCell, 0, len(p.in.Cover))
	heaviest := 1
	for _, c := range p.in.Cover {
		p.covers = append(p.covers, coverCell{c.Day, c.Shift, c.Need, c.Under, c.Over})
		heaviest = max(heaviest, c.Under, c.Over)
	}
	slices.SortFunc(p.covers, func(a, b coverCell) int {
		return cmp.Or(a.day-b.day, a.shift-b.shift)
	})
	p.cell = make([]int32, p.days*p.shifts)
	for i := range p.cell {
		p.cell[i] = -1
	}
	for i, c := range p.covers {
		p.cell[c.day*p.shifts+c.shift] = int32(i)
	}
	wish := 0
	for _, table := range p.wish {
		for _, w := range table {
			wish = max(wish, int(w))
		}
	}
	p.grid = 1024
	for p.grid > 1 && p.grid*float64((heaviest+wish)*p.days) > 1<<28 {
		p.grid /= 2
	}
}

// everybody lists the employees.
func (p *problem) everybody() []int {
	all := make([]int, p.workers)
	for e := range all {
		all[e] = e
	}
	return all
}

// idle is a row without a shift.
func (p *problem) idle() []int8 { return slices.Repeat([]int8{Off}, p.days) }

// beginsWeekend tells whether a worked day is the first of its weekend.
func beginsWeekend(row []int8, d int) bool { return d%7 == 5 || d%7 == 6 && row[d-1] < 0 }

// cellsOf is the range of cover cells inside a window.
func (p *problem) cellsOf(win window) (first, last int) {
	first = sort.Search(len(p.covers), func(i int) bool { return p.covers[i].day >= win.from })
	last = sort.Search(len(p.covers), func(i int) bool { return p.covers[i].day >= win.to })
	return first, last
}

// row returns the request cost of one employee's row and its broken hard rules in units of 1/fine;
// 0 means the row is legal.
func (p *problem) row(e int, row []int8) (wishes, broken int32) {
	emp := &p.in.Staff[e]
	table, width := p.wish[e], p.shifts+1
	var count [64]int16
	minutes, weekends, units := int32(0), 0, int32(0)
	run, off := 0, 0
	first := true // the running stretch began at the edge, where the minimums count as met
	for d, s := range row {
		wishes += table[d*width+int(s)+1]
		if s < 0 {
			if run > 0 {
				units += runUnits(run, emp.MaxRun, emp.MinRun, first)
				run, first = 0, false
			}
			off++
			continue
		}
		if off > 0 {
			if !first && off < emp.MinOff {
				units += int32(emp.MinOff - off)
			}
			off, first = 0, false
		}
		minutes += p.minutes[s]
		count[s]++
		if p.off[e][d] {
			units += 3
		}
		if run > 0 && p.forbid[row[d-1]][s] {
			units++
		}
		run++
		switch d % 7 {
		case 5:
			weekends++
		case 6:
			if row[d-1] < 0 {
				weekends++
			}
		}
	}
	if run > emp.MaxRun {
		units += int32(run - emp.MaxRun)
	}
	if weekends > emp.MaxWeekends {
		units += int32(weekends - emp.MaxWeekends)
	}
	for s, most := range emp.MaxShifts {
		units += max(0, int32(count[s])-int32(most))
	}
	broken = units * fine
	if over := max(minutes-int32(emp.MaxMinutes), int32(emp.MinMinutes)-minutes); over > 0 {
		broken += fine/2 + (over*fine+479)/480
	}
	return wishes, broken
}

// runUnits judges a finished run of work; the one at the left edge may be short.
func runUnits(run, most, least int, edge bool) int32 {
	if run > most {
		return int32(run - most)
	}
	if run < least && !edge {
		return int32(least - run)
	}
	return 0
}
