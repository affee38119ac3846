package margin

import "math"

// Prices of service find the staffings on the convex hull of cost against service. Few slots have gaps between them, and a step of
// a ladder may lie in one. There the cheapest staffing for every level of service is found outright, by dynamic
// programming over the slots, as for a knapsack.

const (
	frontierSlots = 96  // of a queue; with more the hull is dense
	frontierCells = 512 // levels of service
)

// reachEvery tries, for each term with a ladder, the cheapest staffing for every level of its service: of the horizon for an average,
// of each day for the others.
func (s *seeker) reachEvery() {
	if len(s.q.at) > frontierSlots || s.best.staff.lengths[len(s.best.staff.lengths)-1] > 1 {
		return
	}
	for k := range s.q.terms {
		if s.q.terms[k].severity(len(s.days)) == 0 {
			continue
		}
		ranges := []span{{0, len(s.q.at)}}
		if s.q.terms[k].spec.Period != Average {
			ranges = s.q.dayRanges()
		}
		p := s.best.slopes.times(1)
		clear(p[k])
		l := s.q.linear(p, s.price, s.most)
		for _, r := range ranges {
			unit := s.q.stretch(k, r) / frontierCells
			for _, heads := range frontier(s.q.options(k, r, l, unit)) {
				st := s.newStaff(s.q)
				copy(st.heads, s.best.staff.heads)
				copy(st.heads[r.from:r.until], heads)
				copy(st.count[0], st.heads)
				s.offer(st, s.best.slopes)
			}
		}
	}
}

// reachJoint are the staffings of the queues of a group that cost least for each level of their service together, the other terms at the
// prices that were found; by queue of the group. None where the slots are too many or come in blocks.
func (s *shared) reachJoint(g group) (out [][]*staff) {
	slots, stretch := 0, 0.0
	for _, x := range g.members {
		q := s.queues[x.queue]
		slots += len(q.at)
		stretch += q.stretch(x.term, span{0, len(q.at)})
	}
	if lengths := s.lengths(); slots > frontierSlots || lengths[len(lengths)-1] > 1 {
		return nil
	}
	var cells [][]option
	for _, x := range g.members {
		q := s.queues[x.queue]
		p := s.found[x.queue].slopes.times(1)
		clear(p[x.term])
		cells = append(cells, q.options(x.term, span{0, len(q.at)}, q.linear(p, s.full(q), s.uniform(q)), stretch/frontierCells)...)
	}
	for _, heads := range frontier(cells) {
		var all []*staff
		for _, x := range g.members {
			st := s.newStaff(s.queues[x.queue])
			heads = heads[copy(st.heads, heads):]
			copy(st.count[0], st.heads)
			all = append(all, st)
		}
		out = append(out, all)
	}
	return out
}

// frontier is the heads of some slots that are worth most for each level of service; only those where less service is worth more.
func frontier(cells [][]option) (out [][]int) {
	worth := []float64{0}
	choice := make([][]int, len(cells))
	for i, options := range cells {
		top := len(worth) - 1 + options[len(options)-1].cell
		next, pick := make([]float64, top+1), make([]int, top+1)
		for x := range next {
			next[x] = math.Inf(-1)
		}
		for x, v := range worth {
			for n, o := range options {
				if y := v + o.worth; y > next[x+o.cell] {
					next[x+o.cell], pick[x+o.cell] = y, n
				}
			}
		}
		worth, choice[i] = next, pick
	}
	most := math.Inf(-1)
	for x := len(worth) - 1; x >= 0; x-- {
		if worth[x] <= most {
			continue
		}
		most = worth[x]
		heads := make([]int, len(cells))
		for i, at := len(cells)-1, x; i >= 0; i-- {
			o := cells[i][choice[i][at]]
			heads[i] = o.heads
			at -= o.cell
		}
		out = append(out, heads)
	}
	return out
}

// option is one number of heads of a slot: how many cells of service more than the least, and what it is worth without the term.
type option struct {
	heads, cell int
	worth       float64
}

// stretch is how far the expected contacts of some slots that meet a term can lie apart.
func (q *queue) stretch(term int, r span) (sum float64) {
	for i := r.from; i < r.until; i++ {
		if met := q.values[i].met[term]; met != nil {
			sum += float64(met[len(met)-1] - met[0])
		}
	}
	return sum
}

// options of slots, by heads and so by service, in cells of some contacts.
func (q *queue) options(term int, r span, l *linear, unit float64) (out [][]option) {
	for i := r.from; i < r.until; i++ {
		met := q.values[i].met[term]
		low := min(l.floor[i], l.most[i])
		var options []option
		for h := low; h <= max(low, min(l.most[i], len(l.value[i])-1)); h++ {
			o := option{heads: h, worth: l.at(i, h)}
			if n := len(options); n > 0 {
				o.cell = options[n-1].cell
			}
			if met != nil && unit > 0 {
				at := float64(met[min(h, len(met)-1)] - met[min(low, len(met)-1)])
				o.cell = max(o.cell, int(math.Round(at/unit)))
			}
			options = append(options, o)
		}
		out = append(out, options)
	}
	return out
}
