package roster

import (
	"math"
	"time"
)

// calm notes where the pauses of an occurrence can break no soft rule, so that most shifts never
// need the count.
func (m *model) calm(o *occurrence) {
	limit := m.stretch()
	worked, longest := 0, 0
	o.calmCloud = true
	for _, p := range o.pauses {
		longest = max(longest, p.late-worked)
		worked = p.early + p.len
		if p.early < m.cloudFirst() || p.late+p.len > o.len-m.cloudLast() {
			o.calmCloud = false
		}
	}
	o.calm = max(longest, o.len-worked) <= limit
	o.calmCloud = o.calmCloud && o.calm
}

// stretch is the longest work without a pause, in slots (rule breaks.stretch).
func (m *model) stretch() int { return int(m.p.Rules.WorkStretch / m.grid) }

// cloudFirst and cloudLast are the slots at the ends of a cloud agent's shift that hold no pause
// (rule cloud.pauses).
func (m *model) cloudFirst() int { return roundUp(m.p.Rules.CloudNoBreakFirst, m.grid) }
func (m *model) cloudLast() int  { return roundUp(m.p.Rules.CloudNoBreakLast, m.grid) }

func roundUp(d, step time.Duration) int { return int((d + step - 1) / step) }

// tired counts the soft rules that the pauses of a shift break: stretches that are too long, and
// pauses where cloud agents take none.
func (m *model) tired(o *occurrence, at *[maxPauses]int16, cloud bool) (n int16) {
	if o.calmCloud || o.calm && !cloud {
		return 0
	}
	worked, limit := 0, m.stretch()
	for i, p := range o.pauses {
		from := int(at[i])
		if from-worked > limit {
			n++
		}
		worked = from + p.len
		if cloud && (from < m.cloudFirst() || worked > o.len-m.cloudLast()) {
			n++
		}
	}
	if o.len-worked > limit {
		n++
	}
	return n
}

// pausePlan places pauses in a shift against the gain per slot; it is scratch memory.
type pausePlan struct {
	cost [maxPauses][]float64
	from [maxPauses][]int16
}

// place puts each pause where it loses least, soft rules included, and returns the loss of gain and
// the soft rules broken. gain are prefix sums from slot lo on.
func (w *pausePlan) place(m *model, o *occurrence, gain []float64, lo int, cloud bool, at *[maxPauses]int16) (lost float64, tired int16) {
	if len(o.pauses) == 0 {
		return 0, m.tired(o, at, cloud)
	}
	if o.calmCloud || o.calm && !cloud {
		if lost := placeEach(o, gain, lo, at); spread(o, at) {
			return lost, 0
		}
	}
	return w.placeAll(m, o, gain, lo, cloud, at)
}

// placeEach is for pauses that no soft rule looks at: their windows do not overlap, so each is on its own.
func placeEach(o *occurrence, gain []float64, lo int, at *[maxPauses]int16) (lost float64) {
	for i, p := range o.pauses {
		best, where := 0.0, -1
		from := o.start + p.early - lo
		for k := p.early; k <= p.late; k++ {
			if loss := gain[from+p.len] - gain[from]; where < 0 || loss < best {
				best, where = loss, k
			}
			from++
		}
		at[i] = int16(where)
		lost += best
	}
	return lost
}

// spread reports pauses that are as far apart as they have to be.
func spread(o *occurrence, at *[maxPauses]int16) bool {
	for i := 1; i < len(o.pauses); i++ {
		if p := o.pauses[i-1]; int(at[i])-int(at[i-1])-p.len < o.pauses[i].apart {
			return false
		}
	}
	return true
}

// placeAll is a dynamic programme over the pauses: the stretch between two of them is priced, and one that is shorter
// than they have to be apart is none. Problem.Validate sees to it that some placing is left.
func (w *pausePlan) placeAll(m *model, o *occurrence, gain []float64, lo int, cloud bool, at *[maxPauses]int16) (lost float64, tired int16) {
	price, limit, last := m.p.Weights.SoftRule, m.stretch(), len(o.pauses)-1
	over := func(stretch int) float64 {
		if stretch > limit {
			return price
		}
		return 0
	}
	for i, p := range o.pauses {
		w.cost[i], w.from[i] = w.cost[i][:0], w.from[i][:0]
		for k := p.early; k <= p.late; k++ {
			best, where := over(k), int16(-1)
			if i > 0 {
				q := o.pauses[i-1]
				best = math.Inf(1)
				for x, c := range w.cost[i-1] {
					stretch := k - (q.early + x + q.len)
					if c += over(stretch); stretch >= p.apart && c < best {
						best, where = c, int16(x)
					}
				}
			}
			from := o.start + k - lo
			best += gain[from+p.len] - gain[from]
			if cloud && (k < m.cloudFirst() || k+p.len > o.len-m.cloudLast()) {
				best += price
			}
			if i == last {
				best += over(o.len - (k + p.len))
			}
			w.cost[i], w.from[i] = append(w.cost[i], best), append(w.from[i], where)
		}
	}
	x := 0
	for k, c := range w.cost[last] {
		if c < w.cost[last][x] {
			x = k
		}
	}
	lost = w.cost[last][x]
	for i := last; i >= 0; i-- {
		at[i] = int16(o.pauses[i].early + x)
		x = int(w.from[i][x])
	}
	tired = m.tired(o, at, cloud)
	return lost - price*float64(tired), tired
}
