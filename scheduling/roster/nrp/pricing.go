package nrp

import "math"

// pricing finds the cheapest legal row of one employee for given entry costs, by dynamic
// programming over days with the state (off-run or shift and work-run, minutes so far, weekends so
// far): a resource-constrained shortest path as in branch-and-price rostering (Burke & Curtois
// 2014, section 4). Since every hard rule concerns one employee, a cheapest row per employee is
// always a legal roster.
type pricing struct {
	p       *problem
	unit    int // minutes per step of the minutes dimension
	now     []int32
	next    []int32
	parent  []int32 // [day*size+state] -> state of the day before
	entry   []int32 // [day*(shifts+1)+shift+1]
	row     []int8
	extra   []int32 // per shift: price of using a scarce shift type once more
	size    int
	minutes int // extent of the minutes dimension
	weeks   int // extent of the weekend dimension
	maxRun  int
	offs    int
}

const unreachable = math.MaxInt32 / 2

// entryLimit bounds the tables: beyond it pricing is skipped and annealing works alone.
const entryLimit = 40 << 20

func newPricing(p *problem) *pricing {
	unit := 0
	for _, m := range p.minutes {
		unit = gcd(unit, int(m))
	}
	return &pricing{p: p, unit: unit, entry: make([]int32, p.days*(p.shifts+1)), row: make([]int8, p.days), extra: make([]int32, p.shifts)}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// shape sets the extents for an employee; ok is false when the tables would be too large.
func (x *pricing) shape(e int) bool {
	emp := &x.p.in.Staff[e]
	x.maxRun, x.offs = max(1, min(emp.MaxRun, x.p.days)), max(1, min(emp.MinOff, x.p.days))
	x.minutes = emp.MaxMinutes/x.unit + 1
	x.weeks = min(emp.MaxWeekends, x.p.days/7+1) + 1
	x.size = (x.offs + x.p.shifts*x.maxRun) * x.minutes * x.weeks
	if x.size*x.p.days > entryLimit {
		return false
	}
	if len(x.now) < x.size {
		x.now, x.next = make([]int32, x.size), make([]int32, x.size)
	}
	if len(x.parent) < x.size*x.p.days {
		x.parent = make([]int32, x.size*x.p.days)
	}
	return true
}

// best returns the cheapest legal row for x.entry, or nil when there is none. Limits on shift
// types are met by pricing the exceeded types until they hold.
func (x *pricing) best(e int) []int8 {
	if !x.shape(e) {
		return nil
	}
	emp := &x.p.in.Staff[e]
	clear(x.extra)
	for range 12 {
		if !x.run(e) {
			return nil
		}
		over := false
		var count [64]int
		for _, s := range x.row {
			if s >= 0 {
				count[s]++
			}
		}
		for s, most := range emp.MaxShifts {
			if count[s] > most {
				over = true
				x.extra[s] += 20 + x.extra[s]/2
			}
		}
		if !over {
			return x.row
		}
	}
	return nil
}

// state packs a position: kind is off-run-1 below offs, else offs + shift*maxRun + run-1.
func (x *pricing) state(kind, minutes, weeks int) int {
	return (kind*x.minutes+minutes)*x.weeks + weeks
}

func (x *pricing) run(e int) bool {
	p, emp := x.p, &x.p.in.Staff[e]
	kinds := x.offs + p.shifts*x.maxRun
	fill(x.now[:x.size])
	for d := range p.days {
		fill(x.next[:x.size])
		if d == 0 {
			x.firstDay(e)
		}
		for kind := 0; d > 0 && kind < kinds; kind++ {
			base := x.state(kind, 0, 0)
			for i := base; i < base+x.minutes*x.weeks; i++ {
				if x.now[i] < unreachable {
					x.extend(e, d, kind, i)
				}
			}
		}
		x.now, x.next = x.next, x.now
	}
	best, where := int32(unreachable), -1
	for kind := range kinds {
		for m := (emp.MinMinutes + x.unit - 1) / x.unit; m < x.minutes; m++ {
			for w := range x.weeks {
				if i := x.state(kind, m, w); x.now[i] < best {
					best, where = x.now[i], i
				}
			}
		}
	}
	if where < 0 {
		return false
	}
	for d := p.days - 1; d >= 0; d-- {
		kind := where / (x.minutes * x.weeks)
		x.row[d] = Off
		if kind >= x.offs {
			x.row[d] = int8((kind - x.offs) / x.maxRun)
		}
		where = int(x.parent[d*x.size+where])
	}
	return true
}

func fill(table []int32) {
	for i := range table {
		table[i] = unreachable
	}
}

// firstDay seeds the table; a run of days off at the edge counts as long enough, so it starts full.
func (x *pricing) firstDay(e int) {
	p := x.p
	x.relax(0, x.state(x.offs-1, 0, 0), 0, x.entry[0])
	if p.off[e][0] {
		return
	}
	for _, s := range p.usable[e] {
		m := int(p.minutes[s]) / x.unit
		if m < x.minutes && x.maxRun >= 1 {
			x.relax(0, x.state(x.offs+int(s)*x.maxRun, m, 0), 0, x.entry[int(s)+1]+x.extra[s])
		}
	}
}

func (x *pricing) relax(d, to, from int, cost int32) {
	if cost < x.next[to] {
		x.next[to] = cost
		x.parent[d*x.size+to] = int32(from)
	}
}

// extend tries a day off and every shift after one state.
func (x *pricing) extend(e, d, kind, from int) {
	p, emp := x.p, &x.p.in.Staff[e]
	at := from - x.state(kind, 0, 0)
	minutes, weeks := at/x.weeks, at%x.weeks
	cost := x.now[from]
	entries := x.entry[d*(p.shifts+1):]
	last, run := -1, 0
	if kind >= x.offs {
		last, run = (kind-x.offs)/x.maxRun, (kind-x.offs)%x.maxRun+1
		if run >= emp.MinRun || run == d { // a run since day 0 may be short
			x.relax(d, x.state(0, minutes, weeks), from, cost+entries[0])
		}
		if run == x.maxRun {
			return
		}
	} else {
		x.relax(d, x.state(min(kind+1, x.offs-1), minutes, weeks), from, cost+entries[0])
		if kind < x.offs-1 {
			return
		}
	}
	if p.off[e][d] {
		return
	}
	if d%7 == 5 || d%7 == 6 && last < 0 {
		if weeks++; weeks >= x.weeks {
			return
		}
	}
	for _, s := range p.usable[e] {
		if last >= 0 && p.forbid[last][s] {
			continue
		}
		m := minutes + int(p.minutes[s])/x.unit
		if m >= x.minutes {
			continue
		}
		x.relax(d, x.state(x.offs+int(s)*x.maxRun+run, m, weeks), from, cost+entries[int(s)+1]+x.extra[s])
	}
}

// optimiseRow replaces an employee's row by the cheapest legal one beside the others, when
// there is one.
func (c *chain) optimiseRow(e int) {
	p, x := c.p, c.pricing
	width := p.shifts + 1
	copy(x.entry, p.wish[e])
	for d, now := range c.rows[e] {
		for s := range p.shifts {
			i := d*p.shifts + s
			n := c.heads[i]
			if int(now) == s {
				n--
			}
			x.entry[d*width+s+1] += p.cover[i][n+1] - p.cover[i][n]
		}
	}
	row := x.best(e)
	if row != nil {
		c.tryRow(e, row, 0, p.days, math.MaxInt32/4)
	}
}
