package nrp

import (
	"cmp"
	"math"
	"slices"
)

// lane is one employee's part: its rows and where its prices stand.
type lane struct {
	e, first int // of its limits in the prices
	space    *rowSpace
	types    []int8 // shifts whose limit can bind
	row      []int8 // the cheapest
	least    float64
	values   []float64 // [day][kind]
	entry    []float64 // [class], of one day
	member   []int8    // [day][class]
	order    []int16   // of the classes; scratch
}

// Limits of an employee, in this order, before those of types. Hours are counted in longest shifts.
const (
	mostHours = iota
	leastHours
	weekendsOff
	ownLimits
)

// price finds the cheapest row without limits over the horizon, less what the limits allow at their prices.
func (l *lane) price(p *problem, prices []float64) {
	own := prices[l.first:]
	hour, weekend := (own[mostHours]-own[leastHours])/float64(max(1, l.space.longest)), own[weekendsOff]
	s, n := l.space, l.space.kinds
	for k := range n {
		l.values[k] = math.Inf(1)
	}
	l.values[s.start] = 0
	for d := range p.days {
		l.entries(p, d, prices, hour)
		from, to := l.values[d*n:(d+1)*n], l.values[(d+1)*n:(d+2)*n]
		l.rest(d, float64(p.wish[l.e][d*(p.shifts+1)]), from, to)
		l.work(p, d, weekend, from, to)
	}
	l.least = math.Inf(1)
	last, end := l.values[p.days*n:], 0
	for k, v := range last {
		if s.ends[k] && v < l.least {
			l.least, end = v, k
		}
	}
	l.trace(p, end)
	emp := &p.in.Staff[l.e]
	scale := float64(max(1, s.longest))
	l.least += own[leastHours]*float64(emp.MinMinutes)/scale - own[mostHours]*float64(emp.MaxMinutes)/scale - weekend*float64(emp.MaxWeekends)
	for i, t := range l.types {
		l.least -= own[ownLimits+i] * float64(emp.MaxShifts[t])
	}
}

// entries finds the cheapest shift of every class on a day.
func (l *lane) entries(p *problem, d int, prices []float64, hour float64) {
	width := p.shifts + 1
	var limit [64]float64
	for i, t := range l.types {
		limit[t] = prices[l.first+ownLimits+i]
	}
	for c := range l.space.classes {
		best, who := math.Inf(1), int8(Off)
		for _, t := range l.space.classes[c].members {
			v := float64(p.wish[l.e][d*width+int(t)+1]) + hour*float64(p.minutes[t]) + limit[t]
			if i := p.cell[d*p.shifts+int(t)]; i >= 0 {
				v -= prices[i]
			}
			if v < best && !p.off[l.e][d] {
				best, who = v, t
			}
		}
		l.entry[c], l.member[d*len(l.entry)+c] = best, who
	}
}

// rest finds the values of the days off after a day, which costs something when it is off.
func (l *lane) rest(d int, cost float64, from, to []float64) {
	s, ended := l.space, math.Inf(1)
	for k := s.offs; k < s.kinds; k++ {
		if s.leaves(k, 0, d) {
			ended = min(ended, from[k])
		}
	}
	rested := from[s.offs-1]
	for k := s.offs - 1; k > 0; k-- {
		to[k] = from[k-1] + cost
	}
	to[0] = ended + cost
	to[s.offs-1] = min(to[s.offs-1], rested+cost)
}

// work finds the values of the shifts after a day. The classes of the day before are tried from the cheapest on, so
// that the first that a class may follow is the right one.
func (l *lane) work(p *problem, d int, weekend float64, from, to []float64) {
	s, begins, goes := l.space, 0.0, 0.0
	switch d % 7 {
	case 5:
		begins, goes = weekend, weekend
	case 6:
		begins = weekend
	}
	for c := range s.classes {
		to[s.kind(c, 1)] = from[s.offs-1] + l.entry[c] + begins
	}
	for run := 2; run <= s.maxRun; run++ {
		slices.SortFunc(l.order, func(a, b int16) int {
			return cmp.Compare(from[s.kind(int(a), run-1)], from[s.kind(int(b), run-1)])
		})
		for c := range s.classes {
			least := math.Inf(1)
			for _, b := range l.order {
				if !p.forbid[s.classes[b].members[0]][s.classes[c].members[0]] {
					least = from[s.kind(int(b), run-1)]
					break
				}
			}
			to[s.kind(c, run)] = least + l.entry[c] + goes
		}
	}
}

// trace writes the row that ends in a kind.
func (l *lane) trace(p *problem, k int) {
	s := l.space
	for d := p.days - 1; d >= 0; d-- {
		l.row[d] = Off
		if class, _ := s.split(k); class >= 0 {
			l.row[d] = l.member[d*len(l.entry)+class]
		}
		from, least, best := l.values[d*s.kinds:(d+1)*s.kinds], math.Inf(1), k
		for _, b := range s.sources[k] {
			if from[b] < least && s.leaves(int(b), k, d) {
				least, best = from[b], int(b)
			}
		}
		k = best
	}
}

// slopes takes the row's heads off the cells and writes the slopes of its limits.
func (l *lane) slopes(p *problem, slope []float64) {
	var count [64]int
	minutes, weekends := 0, 0
	for d, t := range l.row {
		if t < 0 {
			continue
		}
		if i := p.cell[d*p.shifts+int(t)]; i >= 0 {
			slope[i]--
		}
		count[t]++
		minutes += int(p.minutes[t])
		if beginsWeekend(l.row, d) {
			weekends++
		}
	}
	emp, own, scale := &p.in.Staff[l.e], slope[l.first:], float64(max(1, l.space.longest))
	own[mostHours] = float64(minutes-emp.MaxMinutes) / scale
	own[leastHours] = float64(emp.MinMinutes-minutes) / scale
	own[weekendsOff] = float64(weekends - emp.MaxWeekends)
	for i, t := range l.types {
		own[ownLimits+i] = float64(count[t] - emp.MaxShifts[t])
	}
}
