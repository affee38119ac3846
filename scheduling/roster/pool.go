package roster

import "math/bits"

// seat is one agent at work in a slot.
type seat struct {
	agent int32
	day   int16
	at    int16 // index into the placement's queue slice
}

// pool assigns the agents of every slot to queues. Within a slot people may change places: "B takes
// over C's queue, C goes to the short one". The pool keeps every slot at its best assignment: a head
// that comes or goes is passed on along the chain that saves most (successive shortest paths of a
// minimum-cost flow, Ahuja, Magnanti & Orlin 1993, section 9.7), and worth is what one more head on
// a queue saves when it is passed on.
type pool struct {
	m     *model
	words int      // of a set of queues
	cover []int16  // heads per slot and queue, locked ones included
	seats [][]seat // per slot and queue
	reach []uint64 // per slot and queue: queues that one of its people could serve
	worth []float64
	fresh []bool // per slot: worth is up to date
	via   []int16
	done  []uint64
	still bool // nobody is passed on any more

	order, givers []int16 // scratch: queues by saving, queues with people
}

func newPool(m *model) *pool {
	n := m.slots * len(m.queues)
	words := (len(m.queues) + 63) / 64
	p := &pool{
		m: m, words: words, cover: make([]int16, n), seats: make([][]seat, n), reach: make([]uint64, n*words),
		worth: make([]float64, n), fresh: make([]bool, m.slots), via: make([]int16, len(m.queues)), done: make([]uint64, words),
	}
	copy(p.cover, m.covered)
	return p
}

// worths are the savings of one more head on each queue of a slot.
func (p *pool) worths(t int) []float64 {
	width := len(p.m.queues)
	row := p.worth[t*width : (t+1)*width]
	if !p.fresh[t] {
		p.fresh[t] = true
		p.refresh(t, row)
	}
	return row
}

// refresh spreads the largest saving to every queue that can pass a head on to it, then the next.
func (p *pool) refresh(t int, row []float64) {
	base := t * len(row)
	order, givers := p.order[:0], p.givers[:0]
	for q := range row {
		v := p.m.saving(base+q, p.cover[base+q])
		row[q] = v
		k := len(order)
		order = append(order, int16(q))
		for ; k > 0 && row[order[k-1]] < v; k-- {
			order[k] = order[k-1]
		}
		order[k] = int16(q)
		if len(p.seats[base+q]) > 0 {
			givers = append(givers, int16(q))
		}
	}
	p.order, p.givers = order, givers
	clear(p.done)
	for _, top := range order {
		if len(givers) == 0 {
			return
		}
		if p.done[top>>6]>>(top&63)&1 != 0 {
			continue
		}
		value := row[top]
		p.done[top>>6] |= 1 << (top & 63)
		for grown := true; grown; {
			grown = false
			kept := givers[:0]
			for _, q := range givers {
				switch {
				case p.done[q>>6]>>(q&63)&1 != 0:
				case p.meets(base+int(q), p.done):
					p.done[q>>6] |= 1 << (q & 63)
					row[q] = value
					grown = true
				default:
					kept = append(kept, q)
				}
			}
			givers = kept
		}
	}
}

// meets reports whether somebody on a queue could serve one of a set.
func (p *pool) meets(cell int, set []uint64) bool {
	for w, x := range set {
		if p.reach[cell*p.words+w]&x != 0 {
			return true
		}
	}
	return false
}

// add seats an agent on its best queue of the slot and passes a head on; it returns the yuan saved.
func (p *pool) add(s *state, x seat, t int, last int16) float64 {
	m := p.m
	width := len(m.queues)
	row := p.worths(t)
	skills := m.agents[x.agent].skills[x.day]
	best := skills[0]
	for _, q := range skills[1:] {
		if row[q] > row[best] || row[q] == row[best] && q == last {
			best = q
		}
	}
	if last >= 0 && row[last] == row[best] {
		best = last
	}
	value, base := row[best], t*width
	p.sit(s, x, t, best)
	if m.saving(base+int(best), p.cover[base+int(best)]) < value-1e-9 {
		p.passOn(s, t, best, value)
	} else {
		p.cover[base+int(best)]++
	}
	p.fresh[t] = false
	return value
}

func (p *pool) sit(s *state, x seat, t int, q int16) {
	cell := t*len(p.m.queues) + int(q)
	p.seats[cell] = append(p.seats[cell], x)
	s.place[x.agent][x.day].queue[x.at] = q
	if p.still {
		return
	}
	for w, set := range p.m.agents[x.agent].sets[x.day] {
		p.reach[cell*p.words+w] |= set
	}
}

// leave takes seat i of a cell away and recomputes whom the rest could serve.
func (p *pool) leave(cell, i int) {
	list := p.seats[cell]
	list[i] = list[len(list)-1]
	list = list[:len(list)-1]
	p.seats[cell] = list
	if p.still {
		return
	}
	reach := p.reach[cell*p.words : (cell+1)*p.words]
	clear(reach)
	for _, x := range list {
		for w, set := range p.m.agents[x.agent].sets[x.day] {
			reach[w] |= set
		}
	}
}

// passOn moves one head from a queue along a shortest chain to a queue where it saves value.
func (p *pool) passOn(s *state, t int, from int16, value float64) {
	width := len(p.m.queues)
	base := t * width
	var order [256]int16
	queue := order[:1]
	queue[0] = from
	clear(p.done)
	p.done[from>>6] |= 1 << (from & 63)
	for head := 0; head < len(queue); head++ {
		q := queue[head]
		if q != from && p.m.saving(base+int(q), p.cover[base+int(q)]) >= value-1e-9 {
			p.cover[base+int(q)]++
			p.shift(s, t, from, q)
			return
		}
		for w := range p.done {
			for set := p.reach[(base+int(q))*p.words+w] &^ p.done[w]; set != 0; set &= set - 1 {
				n := int16(w<<6 + bits.TrailingZeros64(set))
				p.done[n>>6] |= 1 << (n & 63)
				p.via[n] = q
				queue = append(queue, n)
			}
		}
	}
	p.cover[base+int(from)]++ // not reached: worth was of a chain that exists
}

// shift moves one person over each step of the chain from -> ... -> to that via holds backwards.
func (p *pool) shift(s *state, t int, from, to int16) {
	width := len(p.m.queues)
	for q := to; q != from; q = p.via[q] {
		before := p.via[q]
		cell := t*width + int(before)
		for i, x := range p.seats[cell] {
			if p.m.agents[x.agent].sets[x.day][q>>6]>>(q&63)&1 != 0 {
				p.leave(cell, i)
				p.sit(s, x, t, q)
				break
			}
		}
	}
}

// remove takes an agent's seat in a slot away, fills the hole from where a head is missed least, and
// returns the yuan lost.
func (p *pool) remove(s *state, x seat, t int) float64 {
	m := p.m
	q := s.place[x.agent][x.day].queue[x.at]
	width := len(m.queues)
	base := t * width
	cell := base + int(q)
	for i, y := range p.seats[cell] {
		if y.agent == x.agent && y.day == x.day {
			p.leave(cell, i)
			break
		}
	}
	p.fresh[t] = false
	p.cover[cell]--
	loss := m.saving(cell, p.cover[cell])
	source, least := p.cheapest(t, q, loss)
	if source != q {
		p.cover[cell]++
		p.cover[base+int(source)]--
		// via leads from the source towards the hole.
		for n := source; n != q; {
			next := p.via[n]
			from := base + int(n)
			for i, y := range p.seats[from] {
				if m.agents[y.agent].sets[y.day][next>>6]>>(next&63)&1 != 0 {
					p.leave(from, i)
					p.sit(s, y, t, next)
					break
				}
			}
			n = next
		}
	}
	return least
}

// cheapest is the queue that can pass a head on to q and misses it least.
func (p *pool) cheapest(t int, q int16, loss float64) (source int16, least float64) {
	width := len(p.m.queues)
	base := t * width
	source, least = q, loss
	if least <= -p.m.p.Weights.Over/p.m.perHour+1e-9 {
		return source, least
	}
	clear(p.done)
	p.done[q>>6] |= 1 << (q & 63)
	for grown := true; grown; {
		grown = false
		for n := range width {
			if p.done[n>>6]>>(n&63)&1 != 0 || !p.meets(base+n, p.done) {
				continue
			}
			p.done[n>>6] |= 1 << (n & 63)
			grown = true
			p.via[n] = p.towards(base + n)
			if v := p.m.saving(base+n, p.cover[base+n]-1); v < least-1e-9 {
				source, least = int16(n), v
			}
		}
	}
	return source, least
}

// towards is a done queue, other than the cell's own, that somebody on the cell could serve.
func (p *pool) towards(cell int) int16 {
	own := cell % len(p.m.queues)
	for w, x := range p.done {
		set := p.reach[cell*p.words+w] & x
		if own>>6 == w {
			set &^= 1 << (own & 63)
		}
		if set != 0 {
			return int16(w<<6 + bits.TrailingZeros64(set))
		}
	}
	return int16(own)
}
