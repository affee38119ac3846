package roster

import "slices"

// seats lists who works in each slot of the range, agents in ascending order.
func (s *state) seats() [][]seat {
	m := s.m
	out := make([][]seat, m.inside)
	for a := range s.place {
		for d := range s.place[a] {
			p := &s.place[a][d]
			if p.occ < 0 {
				continue
			}
			start := m.occ[d][p.occ].start
			for i, q := range p.queue {
				if t := start + i; q >= 0 && t < m.inside {
					out[t] = append(out[t], seat{int32(a), int16(d), int16(i)})
				}
			}
		}
	}
	return out
}

// settle lets people stay on a queue: slot by slot, whoever would switch takes the old queue back along a
// chain of people who switch anyway. Every queue keeps its heads. The pool is not told, so this comes last.
func (s *state) settle() {
	for t, seats := range s.seats() {
		x := settling{s: s, seats: seats, base: t * len(s.m.queues), by: make([][]int, len(s.m.queues))}
		for i := range seats {
			q := *s.queueAt(seats[i])
			x.by[q] = append(x.by[q], i)
			before, ok := s.queueBefore(seats[i])
			if !ok {
				before = -1
			}
			x.before = append(x.before, before)
		}
		for i := range seats {
			if want := x.before[i]; want >= 0 && !x.stays(i) && contains(s.m.agents[seats[i].agent].skills[seats[i].day], want) {
				x.bringBack(i, want)
			}
		}
	}
}

// settling is one slot: its seats, by queue too, and the queue that each seat had before (-1: none).
type settling struct {
	s      *state
	seats  []seat
	base   int
	by     [][]int
	before []int16
}

func (x *settling) stays(i int) bool { return *x.s.queueAt(x.seats[i]) == x.before[i] }

func (x *settling) move(i int, to int16) {
	at := x.s.queueAt(x.seats[i])
	list := x.by[*at]
	k := slices.Index(list, i)
	x.by[*at] = append(list[:k], list[k+1:]...)
	x.by[to] = append(x.by[to], i)
	*at = to
}

// bringBack gives a seat its old queue if no other stays less for it.
func (x *settling) bringBack(i int, want int16) {
	m, mine := x.s.m, *x.s.queueAt(x.seats[i])
	// Breadth first over the queues: who may leave this one, and where to?
	via := make([]int, len(m.queues))
	for q := range via {
		via[q] = -1
	}
	via[want] = i
	order := []int16{want}
	for head := 0; head < len(order) && via[mine] < 0; head++ {
		for _, k := range x.by[order[head]] {
			if k == i || x.stays(k) {
				continue
			}
			for _, q := range m.agents[x.seats[k].agent].skills[x.seats[k].day] {
				if via[q] < 0 {
					via[q] = k
					order = append(order, q)
				}
			}
		}
	}
	if via[mine] < 0 {
		return
	}
	for q := mine; ; {
		k := via[q]
		from := *x.s.queueAt(x.seats[k])
		x.move(k, q)
		if k == i {
			return
		}
		q = from
	}
}

func (s *state) queueAt(x seat) *int16 { return &s.place[x.agent][x.day].queue[x.at] }

// queueBefore is the queue that the agent worked last in this shift, over a pause.
func (s *state) queueBefore(x seat) (int16, bool) {
	queue := s.place[x.agent][x.day].queue
	for i := int(x.at) - 1; i >= 0; i-- {
		if queue[i] >= 0 {
			return queue[i], true
		}
	}
	return 0, false
}
