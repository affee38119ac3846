package roster

import (
	"math"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// planner finds the relaxed roster of one agent that earns most at given prices: for each week a
// dynamic programme over days and hours, then one over the weeks for the ceiling of their period.
// It is scratch memory for one goroutine.
type planner struct {
	m        *model
	weeks    []weekSpan
	unit     int32
	heads    []float64 // supply, added up over the agents
	gain     []float64
	pauses   pausePlan
	items    [][]planItem // per day
	plans    []weekPlan   // per week
	joins    []join       // per week
	picks    []pick
	work     int32 // minutes of the last roster
	nights   int
	weekends int
}

// pick is a shift of a relaxed roster.
type pick struct {
	day   int
	at    int16
	pause [maxPauses]int16
}

// planItem is the best shift of a day with a number of units of work.
type planItem struct {
	units  int
	reward float64
	at     int16
	pause  [maxPauses]int16
}

// weekPlan is the value of a week per units of work, with the way to it.
type weekPlan struct {
	value  []float64    // by units; -Inf = impossible
	table  [2][]float64 // value grows here, day by day
	choice [7][]int8    // per day, by free day taken and units: item, -1 = off
	taken  int          // units chosen
	layers int          // 2 when a free day is due
}

// join is a period after one of its weeks: the value per sum of the measure, and the measure that
// the week takes of it.
type join struct {
	value []float64
	took  []int16
	best  []int16 // per measure: the units of the week that earn most
}

func newPlanner(m *model, weeks []weekSpan, unit int32) *planner {
	return &planner{
		m: m, weeks: weeks, unit: unit, heads: make([]float64, m.inside*len(m.queues)),
		items: make([][]planItem, len(m.days)), plans: make([]weekPlan, len(weeks)), joins: make([]join, len(weeks)),
	}
}

// plan returns the reward of the best relaxed roster; picks holds its shifts, last day of each week first.
func (w *planner) plan(a int, price []float64, terms *workTerms, u *agentDual) (total float64) {
	for d := range w.m.days {
		w.dayItems(a, d, price, terms, u)
	}
	for i, span := range w.weeks {
		w.week(&w.plans[i], span, &terms.weeks[i])
		if terms.weeks[i].period < 0 {
			p := &w.plans[i]
			p.taken = argmax(p.value)
			total += p.value[p.taken]
		}
	}
	for period, limit := range terms.caps {
		total += w.period(period, limit, terms)
	}
	w.work, w.nights, w.weekends, w.picks = 0, 0, 0, w.picks[:0]
	for i, span := range w.weeks {
		w.walk(a, &w.plans[i], span)
	}
	return total
}

// dayItems keeps, per working time, the shift of a day that earns most.
func (w *planner) dayItems(a, day int, price []float64, terms *workTerms, u *agentDual) {
	m := w.m
	am := &m.agents[a]
	items := w.items[day][:0]
	defer func() { w.items[day] = items }()
	if am.locked[day] || len(am.skills[day]) == 0 || len(am.choices[day]) == 0 {
		return
	}
	lo, hi := m.window(a, day)
	w.prefix(am.skills[day], price, lo, hi)
	holiday := m.p.Agents[a].Person.Regime != workrules.PartTime && m.p.Holidays.Kind(m.days[day]) == calendar.Statutory
	for i := range am.choices[day] {
		c := &am.choices[day][i]
		o := &m.occ[day][c.occ]
		item := planItem{units: int(o.duty.Work / w.unit), at: int16(i)}
		if holiday {
			item.units = 0
		}
		item.reward = w.gain[o.start+o.len-lo] - w.gain[o.start-lo] - c.own + u.hour*float64(o.duty.Work)
		if terms.dues && item.units > 0 {
			item.reward += c.premium // the sum of the week or month pays it
		}
		if m.weekend[day] {
			item.reward -= u.weekend
		}
		if o.duty.Night {
			item.reward -= u.night
		}
		lost, tired := w.pauses.place(m, o, w.gain, lo, am.cloud, &item.pause)
		item.reward -= lost + m.p.Weights.SoftRule*float64(tired)
		if item.reward <= 0 {
			continue
		}
		k := 0
		for k < len(items) && items[k].units != item.units {
			k++
		}
		switch {
		case k == len(items):
			items = append(items, item)
		case items[k].reward < item.reward:
			items[k] = item
		}
	}
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

func argmax(values []float64) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}

// week fills the value of each number of units. With a free day due, the second half of the tables
// belongs to weeks that have had one.
func (w *planner) week(p *weekPlan, span weekSpan, t *weekTerms) {
	width := t.most + 1
	p.layers = 1
	if t.off {
		p.layers = 2
	}
	size := p.layers * width
	p.table[0], p.table[1] = resize(p.table[0], size), resize(p.table[1], size)
	value, next := p.table[0], p.table[1]
	for i := range value {
		value[i] = math.Inf(-1)
	}
	value[0] = 0
	for d := span.from; d < span.to; d++ {
		choice := p.choice[d-span.from]
		if cap(choice) < size {
			choice = make([]int8, size)
		}
		choice = choice[:size]
		p.choice[d-span.from] = choice
		top := size - width // first index of the layer that a free day leads to
		for i := range next {
			next[i], choice[i] = math.Inf(-1), -1
		}
		for i, v := range value {
			if k := top + i%width; v > next[k] {
				next[k], choice[k] = v, -1
				if i < top {
					choice[k] = -2 // the free day was taken here
				}
			}
		}
		for n := range w.items[d] {
			item := &w.items[d][n]
			for layer := 0; layer < size; layer += width {
				for h := item.units; h < width; h++ {
					if v := value[layer+h-item.units] + item.reward; v > next[layer+h] {
						next[layer+h], choice[layer+h] = v, int8(n)
					}
				}
			}
		}
		value, next = next, value
	}
	p.value = value[size-width:]
	payBeyond(p.value, t.plain, t.extra)
}

func resize(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}

// period joins the weeks of a period under its ceiling and chooses the units of each.
func (w *planner) period(period, limit int, terms *workTerms) float64 {
	var before []float64
	for i := range w.weeks {
		t := &terms.weeks[i]
		if t.period != period {
			continue
		}
		p, j := &w.plans[i], &w.joins[i]
		j.best = j.best[:0]
		for h := range p.value {
			q := max(0, h-t.free)
			if q == len(j.best) {
				j.best = append(j.best, int16(h))
			} else if p.value[h] > p.value[j.best[q]] {
				j.best[q] = int16(h)
			}
		}
		j.value = resize(j.value, limit+1)
		if cap(j.took) < limit+1 {
			j.took = make([]int16, limit+1)
		}
		j.took = j.took[:limit+1]
		for sum := range j.value {
			j.value[sum] = math.Inf(-1)
			for q := 0; q <= sum && q < len(j.best); q++ {
				v := p.value[j.best[q]]
				if before != nil {
					v += before[sum-q]
				} else if q != sum {
					continue
				}
				if v > j.value[sum] {
					j.value[sum], j.took[sum] = v, int16(q)
				}
			}
		}
		before = j.value
	}
	if before == nil {
		return 0
	}
	payBeyond(before, terms.plain, terms.extra)
	sum := argmax(before)
	total := before[sum]
	for i := len(w.weeks) - 1; i >= 0; i-- {
		if terms.weeks[i].period == period {
			q := int(w.joins[i].took[sum])
			w.plans[i].taken = int(w.joins[i].best[q])
			sum -= q
		}
	}
	return total
}

// walk follows the choices of a week backwards and counts its shifts.
func (w *planner) walk(a int, p *weekPlan, span weekSpan) {
	m := w.m
	h, width := p.taken, len(p.value)
	layer := (p.layers - 1) * width
	for d := span.to - 1; d >= span.from; d-- {
		n := p.choice[d-span.from][layer+h]
		if n == -2 {
			layer = 0
		}
		if n < 0 {
			continue
		}
		item := &w.items[d][n]
		h -= item.units
		w.picks = append(w.picks, pick{d, item.at, item.pause})
		o := &m.occ[d][m.agents[a].choices[d][item.at].occ]
		w.work += o.duty.Work
		if o.duty.Night {
			w.nights++
		}
		if m.weekend[d] {
			w.weekends++
		}
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
