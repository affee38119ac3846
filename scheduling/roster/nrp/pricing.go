package nrp

import (
	"math"
	"slices"
)

// pricer finds the cheapest legal rows of one employee for given entry costs: a resource-constrained
// shortest path over the days (Burke & Curtois 2014, section 4) by dynamic programming on a
// rowSpace. Since every hard rule concerns one employee, a cheapest row per employee is always a
// legal roster. A pricer is used by one goroutine at a time.
type pricer struct {
	p      *problem
	spaces map[spaceKey]*rowSpace // of the whole horizon
	counts [][]bool               // by employee and shift: always counted
	entry  []int32                // [day*(shifts+1)+shift+1]: the prices, set by the caller
	extra  []int32                // per shift: price of a limit too large to count
	values []int32                // [layer][kind][slice][minutes]
	lo, hi []int32                // [layer][kind][slice]: reachable minutes, hi exclusive
	cost   []int32                // [day][class], and whose member it is
	member []int8
	limits func(employee int) limits // inside a window
	forced []int8                    // by day of the window: the only entry allowed, or free; nil = all free
}

// newPricers makes one for each goroutine.
func newPricers(p *problem, threads int) []*pricer {
	all := make([]*pricer, threads)
	for i := range all {
		all[i] = newPricer(p)
	}
	return all
}

// spaceKey names a row space: an employee and the set of counted shifts.
type spaceKey struct {
	employee int
	counted  uint64
}

const unreachable = math.MaxInt32 / 2

// Limits of the tables in entries: a count dimension is only added below the first; beyond the
// second an employee is not priced at all.
const (
	countLimit = 8 << 20
	tableLimit = 48 << 20
)

func newPricer(p *problem) *pricer {
	x := &pricer{
		p: p, limits: unlimited, spaces: map[spaceKey]*rowSpace{}, counts: make([][]bool, p.workers),
		entry: make([]int32, p.days*(p.shifts+1)), extra: make([]int32, p.shifts),
	}
	for e := range x.counts {
		x.counts[e] = x.worthCounting(e)
	}
	return x
}

// worthCounting picks the shifts whose odd length would make the minutes dimension fine-grained:
// counting such a rare shift makes the tables smaller.
func (x *pricer) worthCounting(e int) []bool {
	p := x.p
	counts := make([]bool, p.shifts)
	for _, t := range p.usable[e] {
		with, without := 0, 0
		for _, o := range p.usable[e] {
			with = gcd(with, int(p.minutes[o]))
			if o != t {
				without = gcd(without, int(p.minutes[o]))
			}
		}
		if len(p.usable[e]) > 1 && without/with > p.in.Staff[e].MaxShifts[t]/2 {
			counts[t] = true
			return counts
		}
	}
	return counts
}

// space returns the state space of employee e, cached for the whole horizon.
func (x *pricer) space(e int, win window, row []int8, counts []bool) *rowSpace {
	if win.from > 0 || win.to < x.p.days {
		return newRowSpace(x.p, e, win, row, counts, x.limits(e))
	}
	key := spaceKey{employee: e}
	for t, c := range counts {
		if c {
			key.counted |= 1 << t
		}
	}
	s := x.spaces[key]
	if s == nil {
		s = newRowSpace(x.p, e, win, nil, counts, wholeLimits)
		x.spaces[key] = s
	}
	return s
}

// priced is a row inside the window and what its entries cost.
type priced struct {
	row  []int8 // only the days of the window
	cost int32
}

// cheapest returns up to most legal rows with different last days, the cheapest first, and a floor
// that no legal row of the employee can undercut. Days outside the window stay as in row. It
// returns no rows when there is none (the floor is then unreachable, if that is proven) or the tables
// would be too large.
func (x *pricer) cheapest(e int, win window, row []int8, most int) (rows []priced, floor int32) {
	clear(x.extra)
	floor = math.MinInt32
	penalties := 0
	counts := slices.Clone(x.counts[e])
	for {
		s := x.space(e, win, row, counts)
		if s.size*(win.to-win.from+1) > tableLimit {
			return nil, floor
		}
		var ends []ending
		if s.feasible {
			ends = x.run(s, e)
		}
		if len(ends) == 0 {
			if penalties == 0 {
				floor = unreachable
			}
			return nil, floor
		}
		if penalties == 0 {
			floor = ends[0].value
		}
		first := x.trace(s, ends[0])
		over := x.exceeded(s, e, first.row)
		if len(over) == 0 {
			rows = append(rows, first)
			for _, end := range ends[1:min(len(ends), most)] {
				if r := x.trace(s, end); len(x.exceeded(s, e, r.row)) == 0 {
					rows = append(rows, r)
				}
			}
			return rows, floor
		}
		if t := x.countable(s, e, over); t >= 0 && penalties == 0 {
			counts[t] = true // relaxed states first, then only the limits that bind (Righini & Salani 2008)
			continue
		}
		if penalties++; penalties > 14 {
			return nil, floor
		}
		for _, t := range over {
			x.extra[t] += x.spread()/8 + x.extra[t]/2
		}
	}
}

// stageDays is how much of a row that is too long to price at once is made at a time.
const stageDays = 28

// eagerness is what a shift earns while a row is made eagerly: more than any cover can cost.
const eagerness = 1 << 16

// staged makes a whole row stage by stage, each with its share of the hours, weekends and shifts: a
// legal row as a rule, a good one with luck. An eager row works all it may at first, for those whose
// least hours leave little room. It returns nil when a stage has no row.
func (x *pricer) staged(e int, eager bool) []int8 {
	row := x.p.idle()
	if eager {
		for i := range x.entry {
			if i%(x.p.shifts+1) > 0 {
				x.entry[i] -= eagerness
			}
		}
	}
	defer func() { x.limits = unlimited }()
	for from := 0; from < x.p.days; from += stageDays {
		win := window{from, min(x.p.days, from+stageDays)}
		share := float64(win.to) / float64(x.p.days)
		lim := limits{least: share, most: share, coarse: true}
		if eager && win.to < x.p.days {
			lim.least = 0
		}
		x.limits = func(int) limits { return lim }
		rows, _ := x.cheapest(e, win, row, 1)
		if len(rows) == 0 {
			return nil
		}
		copy(row[from:], rows[0].row)
	}
	return row
}

// countable is the exceeded shift with the smallest limit, or -1 when its tables would be too large.
func (x *pricer) countable(s *rowSpace, e int, over []int) int {
	limits := x.p.in.Staff[e].MaxShifts
	best := slices.MinFunc(over, func(a, b int) int { return limits[a] - limits[b] })
	if s.size*(s.win.to-s.win.from)*(limits[best]+1) > countLimit {
		return -1
	}
	return best
}

// spread is the size of the largest price.
func (x *pricer) spread() int32 {
	most := int32(8)
	for _, v := range x.entry {
		most = max(most, v, -v)
	}
	return most
}

// exceeded lists the shifts worked more often than allowed.
func (x *pricer) exceeded(s *rowSpace, e int, row []int8) (over []int) {
	var count [64]int
	for _, t := range row {
		if t >= 0 {
			count[t]++
		}
	}
	for t := range count[:x.p.shifts] {
		if count[t] > 0 && count[t] > s.left(x.p, e, t) {
			over = append(over, t)
		}
	}
	return over
}

// ending is a state after the last day.
type ending struct {
	kind, slice, step int
	value             int32
}

// run fills the tables and returns the best ending of each kind, cheapest first.
func (x *pricer) run(s *rowSpace, e int) []ending {
	days := s.win.to - s.win.from
	width := s.kinds * s.slices
	x.values = grown(x.values, s.size*(days+1))
	x.lo, x.hi = grown(x.lo, width*(days+1)), grown(x.hi, width*(days+1))
	x.entries(s, e)
	clear(x.hi[:width])
	clear(x.lo[:width])
	at := s.start * s.slices
	x.hi[at], x.values[at*s.steps] = 1, 0
	for d := range days {
		for k := range s.kinds {
			x.fill(s, d, k)
		}
	}
	var ends []ending
	for k := range s.kinds {
		if !s.ends[k] {
			continue
		}
		best := ending{value: unreachable}
		for q := range s.slices {
			at := (days*s.kinds+k)*s.slices + q
			for m := x.lo[at]; m < x.hi[at]; m++ {
				total := int(m)*s.unit + s.heavy[q]
				if v := x.values[at*s.steps+int(m)]; v < best.value && total >= s.least && total <= s.most {
					best = ending{k, q, int(m), v}
				}
			}
		}
		if best.value < unreachable {
			ends = append(ends, best)
		}
	}
	slices.SortStableFunc(ends, func(a, b ending) int { return int(a.value) - int(b.value) })
	return ends
}

func grown(table []int32, n int) []int32 {
	if cap(table) < n {
		return make([]int32, n)
	}
	return table[:n]
}

// entries finds the cheapest member of every class on every day.
func (x *pricer) entries(s *rowSpace, e int) {
	n := len(s.classes)
	days := s.win.to - s.win.from
	x.cost = grown(x.cost, days*n)
	if len(x.member) < days*n {
		x.member = make([]int8, days*n)
	}
	for d := range days {
		day := s.win.from + d
		entry := x.entry[day*(x.p.shifts+1)+1:]
		for c := range s.classes {
			best, who := int32(unreachable), int8(Off)
			if !x.p.off[e][day] {
				for _, t := range s.classes[c].members {
					if v := entry[t] + x.extra[t]; v < best && x.allowed(d, t) && s.left(x.p, e, int(t)) > 0 {
						best, who = v, t
					}
				}
			}
			x.cost[d*n+c], x.member[d*n+c] = best, who
		}
	}
}

// free is a day that a dive has not decided.
const free = -2

func (x *pricer) allowed(d int, t int8) bool {
	return x.forced == nil || x.forced[d] == free || x.forced[d] == t
}

// step says what moving to a kind on a day costs and uses.
type step struct {
	cost          int32
	slice, minute int // offsets from the state before
	weekend       int
	counted       int
}

func (x *pricer) step(s *rowSpace, d, kind int) (st step, ok bool) {
	day := s.win.from + d
	class, run := s.split(kind)
	st.counted = -1
	if class < 0 {
		st.cost = x.entry[day*(x.p.shifts+1)]
		return st, x.allowed(d, Off)
	}
	st.cost = x.cost[d*len(s.classes)+class]
	if st.cost >= unreachable {
		return st, false
	}
	if day%7 == 5 || day%7 == 6 && run == 1 {
		st.weekend, st.slice = 1, 1
	}
	c := &s.classes[class]
	if c.counted >= 0 {
		st.counted = c.counted
		st.slice += s.strides[c.counted]
	} else {
		st.minute = s.stepsOf(c.minutes)
	}
	return st, true
}

// from tells whether a kind may be left for a day off: a run must be long enough, except one that
// began on day 0.
func (s *rowSpace) leaves(source, to, day int) bool {
	if to != 0 || source < s.offs {
		return true
	}
	_, run := s.split(source)
	return run >= s.minRun || run == day
}

// fill computes one kind after day d of the window from the layer before.
func (x *pricer) fill(s *rowSpace, d, kind int) {
	width := s.kinds * s.slices
	base := (d+1)*width + kind*s.slices
	st, ok := x.step(s, d, kind)
	if !ok {
		clear(x.lo[base : base+s.slices])
		clear(x.hi[base : base+s.slices])
		return
	}
	days := s.win.to - s.win.from
	need := s.least - s.workable(days-1-d)*s.longest
	for q := range s.slices {
		x.lo[base+q], x.hi[base+q] = 0, 0
		if s.week[q] < st.weekend || st.counted >= 0 && s.counts[q][st.counted] < 1 {
			continue
		}
		floor := max(0, (need-s.heavy[q]+s.unit-1)/s.unit)
		ceil := min(s.steps, (s.most-s.heavy[q])/s.unit+1)
		x.gather(s, d, kind, q, st, int32(floor), int32(ceil))
	}
}

// gather takes the minimum over the sources of one kind and slice, for minutes in [floor, ceil).
func (x *pricer) gather(s *rowSpace, d, kind, q int, st step, floor, ceil int32) {
	width := s.kinds * s.slices
	before := d*width + q - st.slice
	shift := int32(st.minute)
	if floor >= ceil {
		return
	}
	lo, hi := ceil, floor
	for _, k := range s.sources[kind] {
		at := before + int(k)*s.slices
		if x.hi[at] > x.lo[at] && s.leaves(int(k), kind, s.win.from+d) {
			lo, hi = min(lo, max(floor, x.lo[at]+shift)), max(hi, min(ceil, x.hi[at]+shift))
		}
	}
	if lo >= hi {
		return
	}
	to := (d+1)*width + kind*s.slices + q
	x.lo[to], x.hi[to] = lo, hi
	dst := x.values[to*s.steps+int(lo) : to*s.steps+int(hi)]
	for i := range dst {
		dst[i] = unreachable
	}
	for _, k := range s.sources[kind] {
		at := before + int(k)*s.slices
		if x.hi[at] <= x.lo[at] || !s.leaves(int(k), kind, s.win.from+d) {
			continue
		}
		a, b := max(lo, x.lo[at]+shift), min(hi, x.hi[at]+shift)
		if a >= b {
			continue
		}
		src := x.values[at*s.steps+int(a-shift) : at*s.steps+int(b-shift)]
		out := dst[a-lo:][:len(src)]
		for i, v := range src {
			out[i] = min(out[i], v)
		}
	}
	for i, v := range dst {
		if v < unreachable {
			dst[i] = v + st.cost
		}
	}
}

// trace walks back from an ending and returns its row.
func (x *pricer) trace(s *rowSpace, end ending) priced {
	days := s.win.to - s.win.from
	out := priced{row: make([]int8, days)}
	kind, q, m, value := end.kind, end.slice, int32(end.step), end.value
	for d := days - 1; d >= 0; d-- {
		st, _ := x.step(s, d, kind)
		out.row[d] = Off
		if class, _ := s.split(kind); class >= 0 {
			out.row[d] = x.member[d*len(s.classes)+class]
		}
		out.cost += x.entry[(s.win.from+d)*(x.p.shifts+1)+int(out.row[d])+1]
		q, m, value = q-st.slice, m-int32(st.minute), value-st.cost
		for _, k := range s.sources[kind] {
			at := (d*s.kinds+int(k))*s.slices + q
			if m >= x.lo[at] && m < x.hi[at] && x.values[at*s.steps+int(m)] == value && s.leaves(int(k), kind, s.win.from+d) {
				kind = int(k)
				break
			}
		}
	}
	return out
}
