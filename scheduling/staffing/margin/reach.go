package margin

import (
	"math"
	"slices"
)

// cut is an average that is judged as one, in a queue of its own or over a group, as the bound by rungs sees it.
type cut struct {
	*term             // of the first member
	members []member  // queues that count, in order
	all     []float64 // contacts that count, by scenario
	class   []int     // of a scenario: scenarios that fare alike have one price
	lines   []line
}

// classes of scenarios.
const classes = 12

// line bounds the contacts of every scenario that meet the metric by a line in the average and in the worth of a staffing: for
// all staffings with E[met] = X that are worth V or more in a linear problem,
//
//	low + contacts X + yuan V  <=  met  <=  high + contacts X - yuan V,
//
// low being the sum over slots of the least that met - contacts E[met] - yuan worth can be, high of the most that
// met - contacts E[met] + yuan worth can be.
type line struct {
	contacts, yuan float64
	low, high      []float64 // by scenario
}

// plainLines and pricedLines are the slopes that are tried. A priced one is in units that make V as wide as its slack.
func plainLines() (out []line) {
	for _, u := range []float64{0, 0.4, 0.7, 0.85, 1, 1.15, 1.3, 1.6, 2.2} {
		out = append(out, line{contacts: u})
	}
	return out
}

func pricedLines(unit float64) (out []line) {
	for _, v := range []float64{0.25, 1, 3} {
		for _, u := range []float64{-0.5, 0, 0.5, 1} {
			out = append(out, line{contacts: u, yuan: v * unit})
		}
	}
	return out
}

// reach of every scenario in a range of the average, for staffings that are worth at least some value.
func (c *cut) reach(a, b, worth float64) (low, high []float64) {
	low, high = slices.Repeat([]float64{math.Inf(-1)}, len(c.all)), slices.Repeat([]float64{math.Inf(1)}, len(c.all))
	for _, l := range c.lines {
		if l.yuan > 0 && math.IsInf(worth, -1) {
			continue
		}
		under, over := l.contacts*a, l.contacts*b
		if l.contacts < 0 {
			under, over = over, under
		}
		if l.yuan > 0 {
			under, over = under+l.yuan*worth, over-l.yuan*worth
		}
		for s := range low {
			low[s] = max(low[s], l.low[s]+under)
			high[s] = min(high[s], l.high[s]+over)
		}
	}
	for s := range low { // no such staffing: any reach is right
		high[s] = max(low[s], high[s])
	}
	return low, high
}

// survey adds lines to a cut. worth is that of a linear problem, by slot of the part and heads.
func (p *part) survey(k int, lines []line, worth [][]float64) {
	c := p.cuts[k]
	n := len(c.all)
	for i := range lines {
		lines[i].low, lines[i].high = make([]float64, n), make([]float64, n)
	}
	least, most := make([]float32, n), make([]float32, n)
	var x []float32
	var mean []float64
	for i := range p.slots {
		v := &p.slots[i]
		rows := len(v.base)
		x, mean = slices.Grow(x[:0], rows*n)[:rows*n], append(mean[:0], make([]float64, rows)...)
		clear(x)
		if v.met[k] != nil {
			p.contacts(c, v, x, mean)
		}
		for _, l := range lines {
			if v.met[k] == nil && l.yuan == 0 {
				continue
			}
			for r := range rows {
				under := l.contacts * mean[r]
				over := under
				if l.yuan != 0 {
					under, over = under+l.yuan*worth[i][r], over-l.yuan*worth[i][r]
				}
				narrow(least, most, x[r*n:][:n], float32(under), float32(over), r == 0)
			}
			for s := range least {
				l.low[s] += float64(least[s])
				l.high[s] += float64(most[s])
			}
		}
	}
	c.lines = append(c.lines, lines...)
}

// narrow takes x less two amounts into a running least and most.
func narrow(least, most, x []float32, under, over float32, first bool) {
	if first {
		for s, y := range x {
			least[s], most[s] = y-under, y-over
		}
		return
	}
	for s, y := range x {
		if a := y - under; a < least[s] {
			least[s] = a
		}
		if b := y - over; b > most[s] {
			most[s] = b
		}
	}
}

// contacts of a slot that meet a cut, by heads and scenario, and their means by heads.
func (p *part) contacts(c *cut, v *slotValue, x []float32, mean []float64) {
	q := p.Model.queues[v.queue]
	n, figure := len(c.all), q.terms[c.of(v.queue)].figure
	for r := range mean {
		row := x[r*n:][:n]
		q.add(row, v.slot, figure, v.first+r, 1)
		for _, y := range row {
			mean[r] += float64(y) / float64(n)
		}
	}
}

// of a queue the number of its term, -1 for none.
func (c *cut) of(queue int) int {
	for _, m := range c.members {
		if m.queue == queue {
			return m.term
		}
	}
	return -1
}

// floor is the expected minimum of due - won + p x over the services x of each scenario that are in reach, and the expected
// place of the minimum, by class.
func (c *cut) floor(price, low, high []float64) (least float64, at []float64) {
	at = make([]float64, classes)
	n := float64(len(low))
	for s := range low {
		p := price[c.class[s]]
		best, where := math.Inf(1), 0.0
		c.corners(c.all[s], c.spec.OutsideContacts, c.spec.OutsideMet, low[s], high[s], func(met float64) {
			due, won := c.average(met, c.all[s], 1)
			if c.spec.CapYuan > 0 {
				due = min(due, c.spec.CapYuan)
			}
			if v := due - won + p*met; v < best {
				best, where = v, met
			}
		})
		least += best / n
		at[c.class[s]] += where / n
	}
	return least, at
}
