package margin

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// staff is a staffing of one queue made of blocks. Without block lengths every block is one slot long.
type staff struct {
	q       *queue
	lengths []int   // slots, ascending
	count   [][]int // blocks by length and first slot
	heads   []int
}

func (m *Model) newStaff(q *queue) *staff {
	s := &staff{q: q, lengths: m.lengths(), heads: make([]int, len(q.at))}
	for range s.lengths {
		s.count = append(s.count, make([]int, len(q.at)))
	}
	return s
}

// lengths of the blocks in slots.
func (m *Model) lengths() []int {
	out := []int{}
	for _, h := range m.in.BlockHours {
		out = append(out, int(math.Round(h/m.hours)))
	}
	if len(out) == 0 {
		return []int{1}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// piece is one block: a length and a first slot. The zero length index is the shortest.
type piece struct{ length, start int }

// fit is the piece of a length that covers a slot and starts there if the run of open slots allows it; a
// run shorter than the length gets a piece as long as itself.
func (s *staff) fit(length, slot int) piece {
	return piece{length, max(s.q.begin[slot], min(slot, s.q.end[slot]-s.lengths[length]))}
}

// span is the half-open range of slots of a piece.
func (s *staff) span(p piece) span {
	return span{p.start, min(p.start+s.lengths[p.length], s.q.end[p.start])}
}

type span struct{ from, until int }

func (a span) len() int { return a.until - a.from }

// spans are at most two, without an allocation: they are made for every move that is looked at.
type spans struct {
	at [2]span
	n  int
}

func (a spans) each() []span { return a.at[:a.n] }

// less is a without b.
func (a span) less(b span) (out spans) {
	put := func(from, until int) {
		if from < until {
			out.at[out.n] = span{from, until}
			out.n++
		}
	}
	if b.from >= a.until || b.until <= a.from {
		put(a.from, a.until)
		return out
	}
	put(a.from, b.from)
	put(b.until, a.until)
	return out
}

// move takes a piece away, puts one in, or both.
type move struct {
	out, in   piece
	take, put bool
}

// back undoes a move.
func (mv move) back() move { return move{out: mv.in, in: mv.out, take: mv.put, put: mv.take} }

// effect of a move: the spans that lose a head and those that gain one.
func (s *staff) effect(mv move) (lose, gain spans) {
	a, b := span{}, span{}
	if mv.take {
		a = s.span(mv.out)
	}
	if mv.put {
		b = s.span(mv.in)
	}
	return a.less(b), b.less(a)
}

// apply a move.
func (s *staff) apply(mv move) {
	lose, gain := s.effect(mv)
	for _, r := range lose.each() {
		for i := r.from; i < r.until; i++ {
			s.heads[i]--
		}
	}
	for _, r := range gain.each() {
		for i := r.from; i < r.until; i++ {
			s.heads[i]++
		}
	}
	if mv.take {
		s.count[mv.out.length][mv.out.start]--
	}
	if mv.put {
		s.count[mv.in.length][mv.in.start]++
	}
}

// shifts in slots that a block may be moved by in one step.
var shiftBy = []int{-8, -4, -2, -1, 1, 2, 4, 8}

// moves calls f with every move whose block starts, or would start, in [from, until).
func (s *staff) moves(from, until int, f func(move)) {
	for l := range s.lengths {
		for i := from; i < until; i++ {
			if p := s.fit(l, i); p.start == i && !s.doubled(p) {
				f(move{in: p, put: true})
			}
			if s.count[l][i] == 0 {
				continue
			}
			have := piece{l, i}
			f(move{out: have, take: true})
			for _, by := range shiftBy {
				if to := i + by; to >= s.q.begin[i] && to < s.q.end[i] && s.fit(l, to).start == to {
					f(move{out: have, take: true, in: piece{l, to}, put: true})
				}
			}
			for other := range s.lengths {
				if other == l {
					continue
				}
				p := s.fit(other, i)
				f(move{out: have, take: true, in: p, put: true})
				if late := s.fit(other, max(s.q.begin[i], s.span(have).until-s.lengths[other])); late != p {
					f(move{out: have, take: true, in: late, put: true})
				}
			}
		}
	}
}

// doubled reports a piece that a shorter length makes as well, in a run too short for both.
func (s *staff) doubled(p piece) bool {
	return p.length > 0 && s.span(piece{p.length - 1, p.start}) == s.span(p)
}

// marginals are the value of one head more and one head less by slot, and running sums of them, so that a span is
// a difference.
type marginals struct{ more, less, moreSum, lessSum []float64 }

// marginals of the present heads.
func (s *staff) marginals(l *linear) *marginals {
	n := len(s.heads)
	m := &marginals{make([]float64, n), make([]float64, n), make([]float64, n+1), make([]float64, n+1)}
	m.refresh(s, l, spans{at: [2]span{{0, n}}, n: 1}, spans{})
	return m
}

// refresh after a move.
func (m *marginals) refresh(s *staff, l *linear, lose, gain spans) {
	first := len(m.more)
	for _, list := range []spans{lose, gain} {
		for _, r := range list.each() {
			for i := r.from; i < r.until; i++ {
				h := s.heads[i]
				now := l.at(i, h)
				m.more[i], m.less[i] = clip(l.at(i, h+1)-now), clip(l.at(i, h-1)-now)
			}
			first = min(first, r.from)
		}
	}
	for i := first; i < len(m.more); i++ {
		m.moreSum[i+1] = m.moreSum[i] + m.more[i]
		m.lessSum[i+1] = m.lessSum[i] + m.less[i]
	}
}

// clip keeps a forbidden head from wiping out the digits of the running sum.
func clip(v float64) float64 { return max(-1e9, min(1e9, v)) }

// score of a move in the linear problem: what both pieces cover stays as it is.
func (m *marginals) score(s *staff, mv move) (sum float64) {
	a, b := span{}, span{}
	if mv.take {
		a = s.span(mv.out)
		sum += m.lessSum[a.until] - m.lessSum[a.from]
	}
	if mv.put {
		b = s.span(mv.in)
		sum += m.moreSum[b.until] - m.moreSum[b.from]
	}
	if from, until := max(a.from, b.from), min(a.until, b.until); from < until {
		sum -= m.lessSum[until] - m.lessSum[from] + m.moreSum[until] - m.moreSum[from]
	}
	return sum
}

// cover solves a linear problem. With single slots that is the best number of heads of each slot on its own; with blocks it is the
// cheapest covering where a further head is never worth more than the one before, and then the best move of each day until
// none helps, for slots where it is. s must be empty.
func (s *staff) cover(l *linear) {
	for from := 0; from < len(s.heads); from = s.q.end[from] {
		if s.lengths[len(s.lengths)-1] == 1 || s.q.end[from] == from+1 {
			for i := from; i < s.q.end[from]; i++ {
				s.heads[i], _ = l.best(i)
				s.count[0][i] = s.heads[i]
			}
			continue
		}
		s.coverRun(l, from, s.q.end[from])
	}
	if s.lengths[len(s.lengths)-1] > 1 {
		s.improve(l)
	}
}

// coverRun covers the slots of a run with blocks.
func (s *staff) coverRun(l *linear, from, until int) {
	slots := make([]worth, 0, until-from)
	for i := from; i < until; i++ {
		w := worth{least: min(l.floor[i], l.most[i]), beyond: l.price[i]}
		last := max(w.least, min(l.most[i], len(l.value[i])-1))
		for h := w.least; h <= last; h++ {
			w.net = append(w.net, l.at(i, h))
		}
		if last == l.most[i] {
			w.beyond = math.Inf(1)
		}
		slots = append(slots, w)
	}
	c := newCovering(s.lengths, slots)
	c.settle()
	for k, starts := range c.blocks {
		for start, n := range starts {
			s.count[k][from+start] += n
			r := s.span(piece{k, from + start})
			for i := r.from; i < r.until; i++ {
				s.heads[i] += n
			}
		}
	}
}

// improve takes the best move of each day until none helps, at most as often as there are slots.
func (s *staff) improve(l *linear) {
	m := s.marginals(l)
	for range 10 {
		moved := false
		for _, day := range s.q.dayRanges() {
			for range 200 {
				best, gain := move{}, 1e-6
				s.moves(day.from, day.until, func(mv move) {
					if v := m.score(s, mv); v > gain {
						best, gain = mv, v
					}
				})
				if gain <= 1e-6 {
					break
				}
				lose, gone := s.effect(best)
				s.apply(best)
				m.refresh(s, l, lose, gone)
				moved = true
			}
		}
		if !moved {
			return
		}
	}
}

// dayRanges are the slots of each day that is open.
func (q *queue) dayRanges() []span {
	var out []span
	for i, d := range q.day {
		if i == 0 || d != q.day[i-1] {
			out = append(out, span{i, i})
		}
		out[len(out)-1].until = i + 1
	}
	return out
}

// blocks lists what the staffing is made of.
func (s *staff) blocks(m *Model) []Block {
	out := []Block{}
	for l := range s.lengths {
		for i, n := range s.count[l] {
			if n > 0 {
				r := s.span(piece{l, i})
				out = append(out, Block{m.start(s.q, r.from), m.start(s.q, r.until-1).Add(m.step), n})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Block) int { return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End)) })
	return out
}

// start of a slot of a queue, in the location of the input.
func (m *Model) start(q *queue, slot int) time.Time {
	return m.origin.Add(time.Duration(q.at[slot]) * m.step).In(m.loc)
}
