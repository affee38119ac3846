package capacity

import "slices"

// order is a set of decisions: heads by column, and what it costs in yuan beside today's staff.
type order struct {
	heads []int
	cost  float64
}

// searcher looks for the cheapest order by moves that a planner would make. It is exact on the small cases
// of the tests; on any case bound says how far it can be from the best.
type searcher struct {
	m     *model
	r     *recourse
	left  int // evaluations that may still be made
	at    order
	moved bool
}

// maxEvaluations bounds the work of a search; a plan of 64 weeks takes about a tenth of it.
const maxEvaluations = 150_000

// search resizes from three different starts, moves people about in the best of them, and then closes each
// order in turn to see whether others can take its place.
func (m *model) search() order {
	s := &searcher{m: m, r: newRecourse(m), left: maxEvaluations}
	best := s.descend(make([]int, len(m.columns)), -1, false)
	for _, full := range []bool{true, false} {
		start := make([]int, len(m.columns))
		for j, c := range m.columns {
			heads := c.min
			if full {
				heads = c.max
			}
			if m.allowed(start, j, heads) {
				start[j] = heads
			}
		}
		best = cheaper(best, s.descend(start, -1, false))
	}
	best = cheaper(best, s.descend(best.heads, -1, true))
	for j := 0; j < len(m.columns) && s.left > 0; j++ {
		if best.heads[j] == 0 {
			continue
		}
		without := slices.Clone(best.heads)
		without[j] = 0
		if got := s.descend(without, j, true); got.cost < best.cost-saving {
			best, j = got, -1
		}
	}
	return best
}

// saving is the least improvement, in yuan, that counts: half a fen.
const saving = 0.005

func cheaper(a, b order) order {
	if b.cost < a.cost-saving {
		return b
	}
	return a
}

// total is the cost of an order.
func (s *searcher) total(heads []int) float64 {
	s.left--
	cost := s.r.best(s.m.supply(heads))
	for j, n := range heads {
		if n > 0 {
			cost += s.m.columns[j].fixed + float64(n)*s.m.columns[j].perHead
		}
	}
	return cost
}

// descend improves an order until no move does. One column can be kept closed during the first round, so that
// others take its place; shifts between columns can be left out.
func (s *searcher) descend(heads []int, closed int, shifts bool) order {
	s.at = order{slices.Clone(heads), s.total(heads)}
	for s.moved = true; s.moved && s.left > 0; closed = -1 {
		s.moved = false
		for j := range s.m.columns {
			if j != closed {
				s.resize(j)
			}
		}
		for j := 0; shifts && j < len(s.m.columns); j++ {
			for i := range s.m.columns {
				if i != j && s.at.heads[j] > 0 && s.near(j, i) {
					s.shift(j, i)
				}
			}
		}
	}
	return s.at
}

// shiftWeeks is how far a class may be moved at once.
const shiftWeeks = 6

// near reports columns between which people are worth moving: classes of about the same time, and cohorts with
// everything.
func (s *searcher) near(j, i int) bool {
	a, b := s.m.columns[j], s.m.columns[i]
	return a.kind != ClassKind || b.kind != ClassKind || max(a.first-b.first, b.first-a.first) <= shiftWeeks
}

// try takes a change of one or two columns if it is allowed and cheaper.
func (s *searcher) try(j, nj, i, ni int) bool {
	oldJ, oldI := s.at.heads[j], s.at.heads[i]
	if nj == oldJ && ni == oldI || s.left <= 0 {
		return false
	}
	s.at.heads[j] = 0
	s.at.heads[i] = 0
	ok := s.m.allowed(s.at.heads, j, nj)
	s.at.heads[j] = nj
	if i != j {
		ok = ok && s.m.allowed(s.at.heads, i, ni)
		s.at.heads[i] = ni
	}
	if ok {
		if cost := s.total(s.at.heads); cost < s.at.cost-saving {
			s.at.cost, s.moved = cost, true
			return true
		}
	}
	s.at.heads[j], s.at.heads[i] = oldJ, oldI
	return false
}

// resize opens, closes, grows or shrinks one column.
func (s *searcher) resize(j int) {
	c := s.m.columns[j]
	if s.m.lost(c) {
		return
	}
	for _, n := range []int{0, c.min, (c.min + c.max) / 2, c.max} {
		s.try(j, n, j, n)
	}
	for step := max(1, (c.max-c.min)/4); step > 0; step /= 2 {
		for s.at.heads[j] > 0 && (s.within(j, s.at.heads[j]+step) || s.within(j, s.at.heads[j]-step)) {
			continue
		}
	}
}

func (s *searcher) within(j, n int) bool {
	c := s.m.columns[j]
	return n >= c.min && n <= c.max && s.try(j, n, j, n)
}

// shift moves heads of one column to another: all, as many as fit, or one.
func (s *searcher) shift(j, i int) {
	from, to := s.m.columns[j], s.m.columns[i]
	if s.m.lost(to) {
		return
	}
	have, there := s.at.heads[j], s.at.heads[i]
	for _, move := range []int{have, to.max - there, have - from.min, max(to.min, 1), 1} {
		if move <= 0 || move > have || have-move > 0 && have-move < from.min {
			continue
		}
		if there+move < to.min || there+move > to.max {
			continue
		}
		if s.try(j, have-move, i, there+move) {
			return
		}
	}
	// People of two kinds are not worth the same: fewer of one for some of the other.
	for _, fewer := range []int{have - 1, from.min, 0} {
		if fewer >= have || fewer > 0 && fewer < from.min {
			continue
		}
		for _, more := range []int{there + 1, to.min, (to.min + to.max) / 2, to.max} {
			if more > there && s.try(j, fewer, i, more) {
				return
			}
		}
	}
}
