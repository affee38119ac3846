package nrp

import "math"

// window is a stretch of days [from, to) that may change; from and to lie on Mondays or at the
// edges of the horizon, so that no weekend is cut.
type window struct{ from, to int }

// rowSpace is the state space of one employee's rows inside a window, beside the fixed days outside
// it. A state after a day is a kind (how many days off so far, or which class of shift and how long
// the run), and what is used up: weekends, minutes, and how often each counted shift was worked.
//
// Shifts that no rule tells apart form one class, of which only the cheapest matters on a day. A
// shift whose limit binds is counted in a dimension of its own; its minutes follow from the count,
// so the minutes dimension holds the other shifts only.
type rowSpace struct {
	win                        window
	limits                     limits
	classes                    []shiftClass
	offs, maxRun               int // days off until a new run may start; longest run
	minRun                     int
	kinds                      int
	sources                    [][]int16 // by kind: kinds of the day before
	weeks                      int       // extent of the weekend dimension
	slices                     int       // weekends x counts
	week                       []int     // by slice
	counts                     [][]int   // by slice: one count per counted shift
	strides                    []int     // by counted shift
	counted                    []int     // shifts with their own dimension
	heavy                      []int     // by slice: minutes of the counted shifts
	unit, steps                int       // minutes per step and extent of the minutes dimension
	least, most                int       // minutes left to work inside the window
	longest                    int       // minutes of the longest usable shift
	start                      int       // kind before the window
	ends                       []bool    // by kind: may stand before the days after the window
	size                       int       // states per day
	classOf                    []int     // by shift; -1 = not usable
	usedCount                  []int     // by shift: outside the window
	feasible                   bool      // the fixed days leave something to work with
	weekendsUsed, used         int       // outside the window
	weekendsBefore, usedBefore int       // of these, before it
}

// limits are the shares (0 to 1) of the limits over the horizon that hold up to the end of a window,
// so that a row can be made in stages. Coarse limits count hours in steps of at least coarseUnit and
// keep clear of the limits by what that may hide: some legal rows are missed.
type limits struct {
	least, most float64
	coarse      bool
	// thrifty keeps the hours and weekends up to the end of a window below the share of the most, give or take slack
	// minutes, unless the row has more of them already.
	thrifty bool
	slack   int
}

var wholeLimits = limits{least: 1, most: 1}

// unlimited holds everybody to the limits over the horizon.
func unlimited(int) limits { return wholeLimits }

const coarseUnit = 30 // minutes

// shiftClass is a set of shifts with equal minutes and equal neighbours.
type shiftClass struct {
	members []int8
	minutes int
	counted int // index of its count dimension, or -1
}

// newRowSpace describes employee e's rows with the days outside the window as in row. counts says
// which shifts get a dimension of their own.
func newRowSpace(p *problem, e int, win window, row []int8, counts []bool, lim limits) *rowSpace {
	emp := &p.in.Staff[e]
	s := &rowSpace{
		win: win, offs: max(1, min(emp.MinOff, p.days)), maxRun: min(emp.MaxRun, p.days), minRun: emp.MinRun,
		limits: lim, usedCount: make([]int, p.shifts), classOf: make([]int, p.shifts),
	}
	s.outside(p, row)
	s.least, s.most = int(lim.least*float64(emp.MinMinutes))-s.used, int(lim.share()*float64(emp.MaxMinutes))-s.used
	left := int(lim.share()*float64(min(emp.MaxWeekends, p.days/7+1))) - s.weekendsUsed
	if lim.thrifty {
		left = min(left, s.save(p, emp, row))
	}
	s.feasible = s.most >= 0 && left >= 0
	s.weeks = min(max(0, left), (win.to-win.from+6)/7) + 1
	s.classify(p, e, counts)
	s.dimensions(p, e)
	s.kinds = s.offs + len(s.classes)*s.maxRun
	s.size = s.kinds * s.slices * s.steps
	s.link(p)
	s.start = s.before(row)
	s.ends = make([]bool, s.kinds)
	for k := range s.ends {
		s.ends[k] = s.mayEnd(p, k, row)
	}
	return s
}

// outside adds up what the fixed days use.
func (s *rowSpace) outside(p *problem, row []int8) {
	for d, t := range row {
		if t < 0 || d >= s.win.from && d < s.win.to {
			continue
		}
		s.used += int(p.minutes[t])
		s.usedCount[t]++
		if d < s.win.from {
			s.usedBefore += int(p.minutes[t])
		}
		if beginsWeekend(row, d) {
			s.weekendsUsed++
			if d < s.win.from {
				s.weekendsBefore++
			}
		}
	}
}

// save keeps hours for the windows to come, and returns the weekends that may be used.
func (s *rowSpace) save(p *problem, emp *Employee, row []int8) (weekends int) {
	minutes := 0
	for d := s.win.from; d < s.win.to; d++ {
		if row[d] >= 0 {
			minutes += int(p.minutes[row[d]])
			if beginsWeekend(row, d) {
				weekends++
			}
		}
	}
	s.most = min(s.most, max(minutes, int(s.limits.most*float64(emp.MaxMinutes))+s.limits.slack-s.usedBefore))
	all := float64(min(emp.MaxWeekends, p.days/7+1))
	return max(weekends, int(math.Ceil(s.limits.most*all))-s.weekendsBefore)
}

// share of the limits that no row may pass.
func (l limits) share() float64 {
	if l.thrifty {
		return 1
	}
	return l.most
}

// classify groups the usable shifts.
func (s *rowSpace) classify(p *problem, e int, counts []bool) {
	usable := p.usable[e]
	for t := range s.classOf {
		s.classOf[t] = -1
	}
	alike := func(a, b int8) bool {
		if p.minutes[a] != p.minutes[b] || counts[a] || counts[b] {
			return false
		}
		for _, o := range usable {
			if p.forbid[a][o] != p.forbid[b][o] || p.forbid[o][a] != p.forbid[o][b] {
				return false
			}
		}
		return true
	}
next:
	for _, t := range usable {
		s.longest = max(s.longest, int(p.minutes[t]))
		for c := range s.classes {
			if alike(s.classes[c].members[0], t) {
				s.classes[c].members = append(s.classes[c].members, t)
				s.classOf[t] = c
				continue next
			}
		}
		s.classOf[t] = len(s.classes)
		class := shiftClass{members: []int8{t}, minutes: int(p.minutes[t]), counted: -1}
		if counts[t] {
			class.counted = len(s.counted)
			s.counted = append(s.counted, int(t))
		}
		s.classes = append(s.classes, class)
	}
}

// dimensions lays out the slices and the minutes.
func (s *rowSpace) dimensions(p *problem, e int) {
	for _, c := range s.classes {
		if c.counted < 0 {
			s.unit = gcd(s.unit, c.minutes)
		}
	}
	s.unit = max(1, s.unit)
	if s.limits.coarse && s.unit < coarseUnit {
		s.unit = coarseUnit
		hidden := 0
		for _, c := range s.classes {
			if c.counted < 0 {
				hidden = max(hidden, abs(c.minutes-s.stepsOf(c.minutes)*s.unit))
			}
		}
		hidden *= s.workable(s.win.to - s.win.from)
		s.least, s.most = s.least+hidden, s.most-hidden
	}
	s.steps = 1
	if len(s.classes) > len(s.counted) {
		s.steps = min(max(0, s.most), s.longest*(s.win.to-s.win.from))/s.unit + 1
	}
	extents := []int{s.weeks}
	s.slices = s.weeks
	for _, t := range s.counted {
		s.strides = append(s.strides, s.slices)
		n := min(s.win.to-s.win.from, s.left(p, e, t)) + 1
		s.feasible = s.feasible && n > 0
		extents = append(extents, max(1, n))
		s.slices *= max(1, n)
	}
	for q := range s.slices {
		s.week = append(s.week, q%s.weeks)
		count, heavy := make([]int, len(s.counted)), 0
		for i, t := range s.counted {
			count[i] = q / s.strides[i] % extents[i+1]
			heavy += count[i] * int(p.minutes[t])
		}
		s.counts, s.heavy = append(s.counts, count), append(s.heavy, heavy)
	}
}

// left is how often a shift may still be worked inside the window.
func (s *rowSpace) left(p *problem, e, shift int) int {
	return int(s.limits.share()*float64(p.in.Staff[e].MaxShifts[shift])) - s.usedCount[shift]
}

// stepsOf is how many steps of the minutes dimension a shift takes.
func (s *rowSpace) stepsOf(minutes int) int { return (minutes + s.unit/2) / s.unit }

func abs(n int) int { return max(n, -n) }

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// kind numbers: days off - 1 below offs (the last means "enough"), then class and length of run.
func (s *rowSpace) kind(class, run int) int { return s.offs + class*s.maxRun + run - 1 }

// link lists for every kind the kinds it may follow; the least length of a run is checked by day.
func (s *rowSpace) link(p *problem) {
	s.sources = make([][]int16, s.kinds)
	add := func(to, from int) { s.sources[to] = append(s.sources[to], int16(from)) }
	for k := range s.offs {
		if k > 0 {
			add(k, k-1)
		}
		if k == s.offs-1 {
			add(k, k)
		}
	}
	for c := range s.classes {
		for run := 1; run <= s.maxRun; run++ {
			add(0, s.kind(c, run))
			if run == 1 {
				add(s.kind(c, 1), s.offs-1)
				continue
			}
			for b := range s.classes {
				if !p.forbid[s.classes[b].members[0]][s.classes[c].members[0]] {
					add(s.kind(c, run), s.kind(b, run-1))
				}
			}
		}
	}
}

// before is the kind of the day before the window; the edge of the horizon counts as enough off.
func (s *rowSpace) before(row []int8) int {
	d := s.win.from - 1
	if d < 0 {
		return s.offs - 1
	}
	n := 1
	for n <= d && (row[d-n] < 0) == (row[d] < 0) {
		n++
	}
	if row[d] >= 0 {
		return s.kind(s.classOf[row[d]], min(n, s.maxRun))
	}
	if n == d+1 {
		n = s.offs
	}
	return min(n, s.offs) - 1
}

// mayEnd tells whether the days after the window may follow kind k.
func (s *rowSpace) mayEnd(p *problem, k int, row []int8) bool {
	at := s.win.to
	if at >= p.days {
		return true
	}
	n := 1
	for at+n < p.days && (row[at+n] < 0) == (row[at] < 0) {
		n++
	}
	edge := at+n == p.days // the minimums are met at the edge
	class, run := s.split(k)
	switch {
	case row[at] < 0 && class < 0:
		return k == s.offs-1 || k+1+n >= s.offs || edge
	case row[at] < 0:
		return (run >= s.minRun || run == at) && (n >= s.offs || edge)
	case class < 0:
		return k == s.offs-1 && (n >= s.minRun || edge)
	default:
		last := s.classes[class].members[0]
		return !p.forbid[last][row[at]] && run+n <= s.maxRun && (run+n >= s.minRun || edge || run == at)
	}
}

// split is the inverse of kind; class -1 means days off.
func (s *rowSpace) split(kind int) (class, run int) {
	if kind < s.offs {
		return -1, 0
	}
	return (kind - s.offs) / s.maxRun, (kind-s.offs)%s.maxRun + 1
}

// workable is the most days that can be worked in n days in a row.
func (s *rowSpace) workable(n int) int {
	cycle := s.maxRun + s.offs
	return n/cycle*s.maxRun + min(n%cycle, s.maxRun)
}
