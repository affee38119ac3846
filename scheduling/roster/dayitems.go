package roster

import (
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// planItem is a shift of a day as the planner sees it: what it earns, the hours that it takes of its
// week, and how it lies to the shifts around it.
type planItem struct {
	reward     float64
	rest       float64 // what it costs more on a rest day, as overtime of its meters too
	units      int
	hard, soft int16 // latest classes of the day before that it may follow, and follow for nothing
	end        int16 // its own class
	at         int16
	pause      [maxPauses]int16
}

// dayItems lists the shifts of a day that are worth something and that no other one outdoes.
func (w *planner) dayItems(a, day int, price []float64, t *workTerms, u *agentDual) {
	m := w.m
	am := &m.agents[a]
	items := w.items[day][:0]
	defer func() { w.items[day] = items }()
	if am.locked[day] || len(am.skills[day]) == 0 || len(am.choices[day]) == 0 {
		return
	}
	lo, hi := m.window(a, day)
	w.prefix(am.skills[day], price, lo, hi)
	holiday := w.apart(day, t)
	rest := &w.rest[day]
	hour := u.hour
	meter := w.meterPrice(day, t, u)
	if !t.over && !holiday {
		hour -= meter
	}
	for i := range am.choices[day] {
		c := &am.choices[day][i]
		o := &m.occ[day][c.occ]
		x := planItem{at: int16(i), end: rest.end[c.occ], hard: rest.hard[c.occ], soft: rest.soft[c.occ]}
		x.reward = w.gain[o.start+o.len-lo] - w.gain[o.start-lo] - c.own + hour*float64(o.duty.Work)
		if m.weekend[day] {
			x.reward -= u.weekend
		}
		if o.duty.Night {
			x.reward -= u.night
		}
		if !holiday {
			x.units = int(m.weekMinutes(t, &o.duty) / t.unit)
			if t.over {
				x.reward -= meter * float64(m.beyond(&o.duty))
			}
			if t.rests {
				x.rest = c.rest
			}
			if t.rests && t.over {
				x.rest += meter * float64(o.duty.Work-m.beyond(&o.duty))
			}
		}
		fixed, ok := w.besideFixed(&t.days[day], &o.duty)
		if !ok {
			continue
		}
		lost, tired := w.pauses.place(m, o, w.gain, lo, am.cloud, &x.pause)
		x.reward -= lost + m.p.Weights.SoftRule*float64(tired+fixed)
		if t.days[day].open {
			x.hard, x.soft = noClass, noClass
		}
		if x.reward > 0 {
			items = keepBest(items, &x)
		}
	}
}

// noClass lets an item follow everything.
const noClass = 1 << 14

// besideFixed counts the short rests between a shift and fixed ones of the days around it; ok is false
// when one of them is too short.
func (w *planner) besideFixed(t *dayTerms, d *workrules.Duty) (short int16, ok bool) {
	for i, rest := range [2]int32{d.Start - t.after, t.before - d.End} {
		switch {
		case i == 0 && t.after == 0 || i == 1 && t.before == 0:
		case rest < w.block:
			return 0, false
		case rest < w.warn:
			short++
		}
	}
	return short, true
}

// keepBest adds an item unless another one earns no less, takes no more hours and leaves as much rest
// on both sides; those that it outdoes itself go.
func keepBest(items []planItem, x *planItem) []planItem {
	kept := 0
	for i := range items {
		if items[i].outdoes(x) {
			return items
		}
	}
	for i := range items {
		if x.outdoes(&items[i]) {
			continue
		}
		if kept != i {
			items[kept] = items[i]
		}
		kept++
	}
	return append(items[:kept], *x)
}

// outdoes reports whether an item is at least as good as another one wherever that one fits.
func (x *planItem) outdoes(y *planItem) bool {
	return x.reward >= y.reward && x.reward-x.rest >= y.reward-y.rest && x.units <= y.units &&
		x.end <= y.end && x.hard >= y.hard && x.soft >= y.soft
}

// prefix fills the prefix sums of the best price per slot in [lo, hi).
func (w *planner) prefix(skills []int16, price []float64, lo, hi int) {
	w.gain = append(w.gain[:0], 0)
	sum, width := 0.0, len(w.m.queues)
	for t := lo; t < hi; t++ {
		if t < w.m.inside {
			row := price[t*width : t*width+width]
			best := row[skills[0]]
			for _, q := range skills[1:] {
				if row[q] > best {
					best = row[q]
				}
			}
			sum += best
		}
		w.gain = append(w.gain, sum)
	}
}
