package roster

import (
	"math"

	"github.com/chaoban/chaoban/internal/calendar"
)

// planner finds the relaxed roster of one agent that earns most at given prices: a dynamic programme
// over the days with the run of days worked so far, the class of the last end, and the days and hours
// of the week. Meters are priced (agentDual.meters). It is scratch memory for one goroutine.
type planner struct {
	m           *model
	weeks       []weekSpan
	weekOf      []int
	rest        []dayRest
	block, warn int32     // minutes of rest: least, and least that costs nothing
	holiday     []bool    // per day: a statutory holiday
	runs        int       // longest run of days
	heads       []float64 // supply, added up over the agents
	gain        []float64
	pauses      pausePlan
	items       [][]planItem // per day

	value, next []float64 // by run, class and cell of the week
	top         []float64 // best value of a run up to a class, by class and cell
	topOf       []uint16  // its class
	steps       [][]step  // per day, by state after it: how it was reached
	folds       [][]int16 // per week but the last, by run and class: the cell at its end

	picks    []pick
	work     int32 // minutes of the last roster
	nights   int
	weekends int
	used     []int32 // per meter: minutes of the last roster
}

// pick is a shift of a relaxed roster.
type pick struct {
	day   int
	at    int16
	pause [maxPauses]int16
}

// step is what a day adds to a roster: an item, or -1 for a day off, and the state before it.
type step struct {
	item  int16
	class uint16
	cell  int16
	run   uint8
}

func newPlanner(m *model, weeks []weekSpan, rest []dayRest) *planner {
	w := &planner{
		m: m, weeks: weeks, rest: rest, runs: m.p.Rules.ConsecutiveDays, heads: make([]float64, m.inside*len(m.queues)),
		items: make([][]planItem, len(m.days)), steps: make([][]step, len(m.days)), folds: make([][]int16, len(weeks)),
	}
	w.block, w.warn = m.restMinutes()
	for _, d := range m.days {
		w.holiday = append(w.holiday, m.p.Holidays.Kind(d) == calendar.Statutory)
	}
	for i, span := range weeks {
		for range span.to - span.from {
			w.weekOf = append(w.weekOf, i)
		}
	}
	return w
}

// plan returns the most that a relaxed roster earns, at the least the reward of every legal one; picks
// holds the shifts of the best one, last day first.
func (w *planner) plan(a int, price []float64, t *workTerms, u *agentDual) (total float64) {
	w.work, w.nights, w.weekends, w.picks = 0, 0, 0, w.picks[:0]
	w.used = append(w.used[:0], make([]int32, len(t.meters))...)
	if w.m.agents[a].conflict || len(w.weeks) == 0 {
		return 0
	}
	for d := range w.m.days {
		w.dayItems(a, d, price, t, u)
	}
	w.value = clearTo(w.value, (w.runs+1)*t.width)
	w.value[min(t.run, w.runs)*t.width] = 0
	classes := 1
	for d := range w.m.days {
		if d > 0 && w.weekOf[d] != w.weekOf[d-1] {
			w.fold(w.weekOf[d-1], classes, t, u)
		}
		w.day(a, d, classes, t)
		w.value, w.next = w.next, w.value
		classes = w.rest[d].classes
	}
	w.fold(len(w.weeks)-1, classes, t, u)
	best := 0
	for i := 0; i < len(w.value); i += t.width {
		if w.value[i] > w.value[best] {
			best = i
		}
	}
	total = w.value[best]
	w.walk(a, best/t.width/classes, best/t.width%classes, t)
	for k := range t.meters {
		total += t.meters[k].credit(u.meters[k])
	}
	return total
}

// planWithin plans a roster whose meters stay within their ceilings: their prices are bracketed in a few
// tries, from the last ones in steps that double. Without such a roster the picks are of the last try.
func (w *planner) planWithin(a int, price []float64, t *workTerms, u *agentDual, step float64) {
	const tries = 5
	if len(t.meters) == 0 {
		w.plan(a, price, t, u)
		return
	}
	best := math.Inf(-1)
	low, high := make([]float64, len(t.meters)), make([]float64, len(t.meters))
	for k := range t.meters {
		low[k], high[k] = -1, math.Inf(1)
	}
	var picks []pick
	for n := range tries {
		value, within, done := w.plan(a, price, t, u), true, true
		for k, limit := range t.meters {
			over := w.used[k] - limit.most
			value += u.meters[k]*float64(w.used[k]) - t.meters[k].credit(u.meters[k]) - t.meters[k].cost(w.used[k])
			within = within && over <= 0
			done = done && over <= 0 && (u.meters[k] <= limit.extra || over > -60)
		}
		if within && value > best {
			best, picks = value, append(picks[:0], w.picks...)
		}
		if done || n == tries-1 {
			break
		}
		for k, limit := range t.meters {
			now := u.meters[k]
			if w.used[k] > limit.most {
				low[k] = now
				u.meters[k] = min(now+step, (now+high[k])/2)
			} else {
				high[k] = now
				u.meters[k] = max(now-step, (now+max(0, low[k]))/2, 0)
			}
		}
		step *= 2
	}
	if !math.IsInf(best, -1) {
		w.picks = append(w.picks[:0], picks...)
	}
}

func clearTo(s []float64, n int) []float64 {
	if cap(s) < n {
		s = make([]float64, n)
	}
	s = s[:n]
	for i := range s {
		s[i] = math.Inf(-1)
	}
	return s
}

// meterPrice is the yuan per minute that the meters of a day's week take.
func (w *planner) meterPrice(day int, t *workTerms, u *agentDual) (price float64) {
	week := &t.weeks[w.weekOf[day]]
	if week.month >= 0 {
		price += u.meters[week.month]
	}
	if week.week >= 0 {
		price += u.meters[week.week]
	}
	return price
}

// fold ends a week: its overtime is paid, a week without a free day is struck out, and the days and
// units begin anew.
func (w *planner) fold(week, classes int, t *workTerms, u *agentDual) {
	span, terms := w.weeks[week], &t.weeks[week]
	price := 0.0
	if t.over {
		price = w.meterPrice(span.from, t, u)
	}
	n := (w.runs + 1) * classes
	if cap(w.folds[week]) < n {
		w.folds[week] = make([]int16, n)
	}
	fold := w.folds[week][:n]
	for s := range fold {
		cells := w.value[s*t.width : (s+1)*t.width]
		best, cell := math.Inf(-1), 0
		for h, v := range cells {
			if price > 0 && v > best {
				v -= price * float64(max(0, int32(terms.units(h))*t.unit-terms.normal))
			}
			if v > best {
				best, cell = v, h
			}
			cells[h] = math.Inf(-1)
		}
		if span.to-span.from == 7 && s/classes >= 7 {
			best = math.Inf(-1)
		}
		cells[0], fold[s] = best, int16(cell)
	}
}

// day fills next, the values after a day, from value, those before it.
func (w *planner) day(a, d, classes int, t *workTerms) {
	after := w.rest[d].classes
	n := (w.runs + 1) * after * t.width
	w.next = clearTo(w.next, n)
	if cap(w.steps[d]) < n {
		w.steps[d] = make([]step, n)
	}
	w.steps[d] = w.steps[d][:n]
	fixed := t.days[d].busy || w.m.agents[a].locked[d]
	cells := t.weeks[w.weekOf[d]].cells()
	for run := 0; run <= w.runs; run++ {
		if !w.tops(run, classes, t.width, cells) {
			continue
		}
		w.dayOff(d, run, classes, after, fixed, t)
		if run < w.runs {
			w.dayOn(d, run, classes, after, t)
		}
	}
}

// tops fills top and topOf for a run; ok is false when nothing has such a run.
func (w *planner) tops(run, classes, width, used int) (ok bool) {
	n := classes * width
	if cap(w.top) < n {
		w.top, w.topOf = make([]float64, n), make([]uint16, n)
	}
	w.top, w.topOf = w.top[:n], w.topOf[:n]
	from := w.value[run*n : (run+1)*n]
	for c := range classes {
		cells := from[c*width : c*width+used]
		top, of := w.top[c*width:c*width+used], w.topOf[c*width:c*width+used]
		if c == 0 {
			copy(top, cells)
			clear(of)
			for _, v := range cells {
				ok = ok || v > math.Inf(-1)
			}
			continue
		}
		lower, lowerOf := w.top[(c-1)*width:(c-1)*width+used], w.topOf[(c-1)*width:(c-1)*width+used]
		for h, v := range cells {
			if v > lower[h] {
				top[h], of[h], ok = v, uint16(c), true
			} else {
				top[h], of[h] = lower[h], lowerOf[h]
			}
		}
	}
	return ok
}

// dayOff is a day without a new shift. It ends the run, unless work is fixed on it.
func (w *planner) dayOff(d, run, classes, after int, fixed bool, t *workTerms) {
	week := &t.weeks[w.weekOf[d]]
	to := 0
	if fixed {
		to = min(run+1, w.runs) * after * t.width
	}
	for days := range week.low {
		then := days
		if fixed && !w.holiday[d] {
			if t.rests && week.strict && days == week.workdays {
				continue // fixed work alone never lies on a rest day here, so a new shift put it there
			}
			then = week.after(days)
		}
		from, until, shift := week.reach(days, then, 0)
		if from == until {
			continue // and the place may lie behind the last cell
		}
		next, steps := w.next[to+from+shift:to+until+shift], w.steps[d][to+from+shift:to+until+shift]
		last := (classes - 1) * t.width
		for h, v := range w.top[last+from : last+until] {
			if v > next[h] {
				next[h], steps[h] = v, step{-1, w.topOf[last+from+h], int16(from + h), uint8(run)}
			}
		}
	}
}

// dayOn adds the shifts of a day to rosters with a run of days.
func (w *planner) dayOn(d, run, classes, after int, t *workTerms) {
	week := &t.weeks[w.weekOf[d]]
	soft := w.m.p.Weights.SoftRule
	for n := range w.items[d] {
		x := &w.items[d][n]
		latest, calm := min(int(x.hard), classes-1)*t.width, min(int(x.soft), classes-1)*t.width
		to := ((run+1)*after + int(x.end)) * t.width
		for days := range week.low {
			then, reward, units := days, x.reward, x.units
			if !w.apart(d, t) {
				if then = week.after(days); t.rests && days == week.workdays {
					if week.strict {
						continue
					}
					reward, units = reward-x.rest, 0
				}
			}
			from, until, shift := week.reach(days, then, units)
			if from == until {
				continue
			}
			w.extend(d, to+from+shift, calm+from, until-from, reward, step{int16(n), 0, int16(from), uint8(run)})
			if latest > calm {
				w.extend(d, to+from+shift, latest+from, until-from, reward-soft, step{int16(n), 0, int16(from), uint8(run)})
			}
		}
	}
}

// extend takes the values from a place in top to one in next, with a reward; s is the step of the first.
func (w *planner) extend(d, to, from, n int, reward float64, s step) {
	next, steps := w.next[to:to+n], w.steps[d][to:to+n]
	base, of := w.top[from:from+n], w.topOf[from:from+n]
	for h, v := range base {
		if v += reward; v > next[h] {
			next[h], steps[h] = v, step{s.item, of[h], s.cell + int16(h), s.run}
		}
	}
}

// apart reports whether the work of a day counts in no week: that of statutory holidays, except for
// part-time hours.
func (w *planner) apart(day int, t *workTerms) bool { return w.holiday[day] && !t.pay }

// walk follows the steps backwards from the state after the last day and counts the shifts.
func (w *planner) walk(a, run, class int, t *workTerms) {
	h, hours := 0, 0
	for d := len(w.m.days) - 1; d >= 0; d-- {
		week := w.weekOf[d]
		state := run*w.rest[d].classes + class
		if d+1 == w.weeks[week].to {
			h = int(w.folds[week][state])
			hours = t.weeks[week].units(h)
		}
		s := w.steps[d][state*t.width+h]
		run, class, h = int(s.run), int(s.class), int(s.cell)
		if s.item >= 0 {
			terms := &t.weeks[week]
			w.count(a, d, &w.items[d][s.item], t, t.rests && terms.daysOf(h) == terms.workdays)
		}
		if t.over && d == w.weeks[week].from {
			w.meter(week, max(0, int32(hours)*t.unit-t.weeks[week].normal), t)
		}
	}
}

// count takes a shift into the roster; rest says that its day is a rest day.
func (w *planner) count(a, d int, x *planItem, t *workTerms, rest bool) {
	m := w.m
	w.picks = append(w.picks, pick{d, x.at, x.pause})
	o := &m.occ[d][m.agents[a].choices[d][x.at].occ]
	w.work += o.duty.Work
	if o.duty.Night {
		w.nights++
	}
	if m.weekend[d] {
		w.weekends++
	}
	switch {
	case w.apart(d, t):
	case t.over && rest:
		w.meter(w.weekOf[d], o.duty.Work, t)
	case t.over:
		w.meter(w.weekOf[d], m.beyond(&o.duty), t)
	default:
		w.meter(w.weekOf[d], o.duty.Work, t)
	}
}

// meter adds minutes to what the meters of a week read.
func (w *planner) meter(week int, minutes int32, t *workTerms) {
	if k := t.weeks[week].month; k >= 0 {
		w.used[k] += minutes
	}
	if k := t.weeks[week].week; k >= 0 {
		w.used[k] += minutes
	}
}

// eachSlot visits the slots of the range in which an agent works a pick.
func (m *model) eachSlot(a int, p *pick, visit func(slot int)) {
	o := &m.occ[p.day][m.agents[a].choices[p.day][p.at].occ]
	next := 0
	for i := 0; i < min(o.len, m.inside-o.start); i++ {
		for next < len(o.pauses) && i >= int(p.pause[next])+o.pauses[next].len {
			next++
		}
		if next < len(o.pauses) && i >= int(p.pause[next]) {
			continue
		}
		visit(o.start + i)
	}
}
