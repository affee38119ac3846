package roster

import (
	"math/bits"
)

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
	skill []uint64 // per agent and day: the queues that the agent may serve, as a set
	cover []int16  // heads per slot and queue, locked ones included
	seats [][]seat // per slot and queue
	serve []uint64 // per slot and queue: queues that one of its people could serve
	reach []uint64 // the same backwards: queues with somebody who could serve it
	worth []float64
	fresh []bool // per slot: worth is up to date
	still bool   // nobody is passed on any more
	scratch
}

// scratch is the working memory of one goroutine on a pool.
type scratch struct {
	via   []int16  // per queue: its neighbour on the chain
	done  []uint64 // queues that a chain has reached
	chain []int16  // the same in order
	order []int16  // queues by worth
}

func newScratch(m *model) scratch {
	n := len(m.queues)
	return scratch{via: make([]int16, n), done: make([]uint64, (n+63)/64), chain: make([]int16, 0, n), order: make([]int16, 0, n)}
}

func newPool(m *model) *pool {
	n := m.slots * len(m.queues)
	words := (len(m.queues) + 63) / 64
	p := &pool{
		m: m, words: words, cover: make([]int16, n), seats: make([][]seat, n), serve: make([]uint64, n*words), reach: make([]uint64, n*words),
		worth: make([]float64, n), fresh: make([]bool, m.slots), scratch: newScratch(m),
	}
	for i := range m.agents {
		for _, set := range m.agents[i].sets {
			p.skill = append(p.skill, set...)
		}
	}
	copy(p.cover, m.covered)
	return p
}

// skillsOf is the set of queues that whoever holds a seat may serve.
func (p *pool) skillsOf(x seat) []uint64 {
	at := (int(x.agent)*len(p.m.days) + int(x.day)) * p.words
	return p.skill[at : at+p.words]
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
	low := p.m.surplus()
	order := p.order[:0]
	for q := range row {
		i := base + q
		v := p.m.saving(i, p.cover[i])
		if row[q] = v; v <= low {
			continue
		}
		k := len(order)
		order = append(order, int16(q))
		for ; k > 0 && row[order[k-1]] < v; k-- {
			order[k] = order[k-1]
		}
		order[k] = int16(q)
	}
	p.order = order
	clear(p.done)
	for _, top := range order {
		if p.done[top>>6]>>(top&63)&1 == 0 {
			p.spread(base, row, top)
		}
	}
}

// spread gives every queue that can pass a head on to top, and is not done, the worth of top.
func (p *pool) spread(base int, row []float64, top int16) {
	value := row[top]
	queue := append(p.chain[:0], top)
	p.done[top>>6] |= 1 << (top & 63)
	for head := 0; head < len(queue); head++ {
		cell := (base + int(queue[head])) * p.words
		for w := range p.done {
			set := p.reach[cell+w] &^ p.done[w]
			p.done[w] |= set
			for ; set != 0; set &= set - 1 {
				q := int16(w<<6 + bits.TrailingZeros64(set))
				row[q] = value
				queue = append(queue, q)
			}
		}
	}
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
	base := t * len(p.m.queues)
	cell := base + int(q)
	p.seats[cell] = append(p.seats[cell], x)
	s.place[x.agent][x.day].queue[x.at] = q
	if p.still {
		return
	}
	serve := p.serve[cell*p.words : (cell+1)*p.words]
	for w, set := range p.skillsOf(x) {
		set &^= serve[w]
		serve[w] |= set
		for ; set != 0; set &= set - 1 {
			k := base + w<<6 + bits.TrailingZeros64(set)
			p.reach[k*p.words+int(q>>6)] |= 1 << (q & 63)
		}
	}
}

// leave takes seat i of a queue away; what nobody else there could serve is out of reach from it.
func (p *pool) leave(t int, q int16, i int) {
	base := t * len(p.m.queues)
	cell := base + int(q)
	list := p.seats[cell]
	gone := p.skillsOf(list[i])
	list[i] = list[len(list)-1]
	list = list[:len(list)-1]
	p.seats[cell] = list
	if p.still {
		return
	}
	for w, set := range gone {
		for k := 0; k < len(list) && set != 0; k++ {
			set &^= p.skillsOf(list[k])[w]
		}
		p.serve[cell*p.words+w] &^= set
		for ; set != 0; set &= set - 1 {
			k := base + w<<6 + bits.TrailingZeros64(set)
			p.reach[k*p.words+int(q>>6)] &^= 1 << (q & 63)
		}
	}
}

// stand moves a seat to another queue and counts nothing.
func (p *pool) stand(s *state, x seat, t int, q int16) {
	from := *s.queueAt(x)
	for i, y := range p.seats[t*len(p.m.queues)+int(from)] {
		if y.agent == x.agent && y.day == x.day {
			p.leave(t, from, i)
			break
		}
	}
	p.sit(s, x, t, q)
	p.fresh[t] = false
}

// surplus is what a head above the target saves in a slot, which is never positive.
func (m *model) surplus() float64 { return -m.p.Weights.Over / m.perHour }

// passOn moves one head from a queue along a shortest chain to a queue where it saves value.
func (p *pool) passOn(s *state, t int, from int16, value float64) {
	width := len(p.m.queues)
	base := t * width
	queue := append(p.chain[:0], from)
	clear(p.done)
	p.done[from>>6] |= 1 << (from & 63)
	for head := 0; head < len(queue); head++ {
		q := queue[head]
		if q != from && p.m.saving(base+int(q), p.cover[base+int(q)]) >= value-1e-9 {
			p.cover[base+int(q)]++
			for q != from {
				p.shift(s, t, p.via[q], q)
				q = p.via[q]
			}
			return
		}
		for w := range p.done {
			set := p.serve[(base+int(q))*p.words+w] &^ p.done[w]
			p.done[w] |= set
			for ; set != 0; set &= set - 1 {
				n := int16(w<<6 + bits.TrailingZeros64(set))
				p.via[n] = q
				queue = append(queue, n)
			}
		}
	}
	p.cover[base+int(from)]++ // not reached: worth was of a chain that exists
}

// shift moves one person from a queue to another.
func (p *pool) shift(s *state, t int, from, to int16) {
	for i, x := range p.seats[t*len(p.m.queues)+int(from)] {
		if p.skillsOf(x)[to>>6]>>(to&63)&1 != 0 {
			p.leave(t, from, i)
			p.sit(s, x, t, to)
			return
		}
	}
}

// remove takes an agent's seat in a slot away, fills the hole from where a head is missed least, and
// returns the yuan lost.
func (p *pool) remove(s *state, x seat, t int) float64 {
	q := s.place[x.agent][x.day].queue[x.at]
	base := t * len(p.m.queues)
	cell := base + int(q)
	for i, y := range p.seats[cell] {
		if y.agent == x.agent && y.day == x.day {
			p.leave(t, q, i)
			break
		}
	}
	p.fresh[t] = false
	p.cover[cell]--
	source, least := p.cheapest(t, q, p.m.saving(cell, p.cover[cell]))
	if source != q {
		p.cover[cell]++
		p.cover[base+int(source)]--
		// via leads from the source towards the hole.
		for n := source; n != q; n = p.via[n] {
			p.shift(s, t, n, p.via[n])
		}
	}
	return least
}

// cheapest is the queue that can pass a head on to q and misses it least; via leads from it to q.
func (p *pool) cheapest(t int, q int16, loss float64) (source int16, least float64) {
	base := t * len(p.m.queues)
	low := p.m.surplus() + 1e-9
	source, least = q, loss
	if least <= low {
		return source, least
	}
	queue := append(p.chain[:0], q)
	clear(p.done)
	p.done[q>>6] |= 1 << (q & 63)
	for head := 0; head < len(queue); head++ {
		to := queue[head]
		cell := (base + int(to)) * p.words
		for w := range p.done {
			set := p.reach[cell+w] &^ p.done[w]
			p.done[w] |= set
			for ; set != 0; set &= set - 1 {
				n := int16(w<<6 + bits.TrailingZeros64(set))
				p.via[n] = to
				queue = append(queue, n)
				if v := p.m.saving(base+int(n), p.cover[base+int(n)]-1); v < least-1e-9 {
					if source, least = n, v; v <= low {
						return source, least
					}
				}
			}
		}
	}
	return source, least
}
