package roster

// seat is one agent on duty in a slot.
type seat struct {
	agent, day int
	at         int // index into the placement's queue slice
}

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
					out[t] = append(out[t], seat{a, d, i})
				}
			}
		}
	}
	return out
}

// reassign moves people between queues within each slot, without touching a shift: along a chain
// "B takes over C's queue, C goes to the short one" whenever the chain saves money (augmenting
// paths of a bipartite flow, so no single chain can improve the slot afterwards).
func (s *state) reassign() {
	if len(s.m.queues) < 2 {
		return
	}
	for t, seats := range s.seats() {
		for s.improveSlot(t, seats) {
		}
	}
}

func (s *state) improveSlot(t int, seats []seat) bool {
	m := s.m
	base := t * len(m.queues)
	for dest := range m.queues {
		if s.cover[base+dest] >= m.target[base+dest] {
			continue
		}
		if s.augment(base, int16(dest), seats) {
			return true
		}
	}
	return false
}

// augment searches the queues that can pass a head on to dest and takes it from the one that
// loses least, if that is less than dest saves.
func (s *state) augment(base int, dest int16, seats []seat) bool {
	m := s.m
	gain := m.saving(base+int(dest), s.cover[base+int(dest)])
	if !s.anyCheaper(base, gain) {
		return false
	}
	via := make([]int, len(m.queues)) // seat that would leave this queue, plus 1
	order := []int16{dest}
	reached := make([]bool, len(m.queues))
	reached[dest] = true
	towards := make([]int16, len(m.queues))
	for head := 0; head < len(order); head++ {
		to := order[head]
		for i, seat := range seats {
			q := s.place[seat.agent][seat.day].queue[seat.at]
			if reached[q] || !contains(m.agents[seat.agent].skills[seat.day], to) {
				continue
			}
			reached[q], via[q], towards[q] = true, i+1, to
			order = append(order, q)
		}
	}
	source, least := int16(-1), gain-1e-9
	for _, q := range order[1:] {
		if loss := m.saving(base+int(q), s.cover[base+int(q)]-1); loss < least {
			source, least = q, loss
		}
	}
	if source < 0 {
		return false
	}
	s.cost += least - gain
	s.cover[base+int(dest)]++
	s.cover[base+int(source)]--
	for q := source; q != dest; q = towards[q] {
		seat := seats[via[q]-1]
		s.place[seat.agent][seat.day].queue[seat.at] = towards[q]
	}
	return true
}

// anyCheaper reports whether some queue of the slot would lose less than gain by giving up a head:
// without one no chain can pay, and the search for it is spared.
func (s *state) anyCheaper(base int, gain float64) bool {
	for q := range s.m.queues {
		if n := s.cover[base+q]; n > 0 && s.m.saving(base+q, n-1) < gain-1e-9 {
			return true
		}
	}
	return false
}

// settle exchanges queues between two agents of a slot where that spares one of them a switch.
// Coverage stays as it is.
func (s *state) settle() {
	for _, seats := range s.seats() {
		for i := range seats {
			before, ok := s.queueBefore(seats[i])
			mine := s.queueAt(seats[i])
			if !ok || *mine == before {
				continue
			}
			for k := range seats {
				theirs := s.queueAt(seats[k])
				if *theirs != before || !contains(s.m.agents[seats[k].agent].skills[seats[k].day], *mine) ||
					!contains(s.m.agents[seats[i].agent].skills[seats[i].day], before) {
					continue
				}
				if b, ok := s.queueBefore(seats[k]); ok && b == before {
					continue // the other one would switch instead
				}
				*mine, *theirs = *theirs, *mine
				break
			}
		}
	}
}

func (s *state) queueAt(x seat) *int16 { return &s.place[x.agent][x.day].queue[x.at] }

// queueBefore is the queue that the agent worked last in this shift, over a pause.
func (s *state) queueBefore(x seat) (int16, bool) {
	queue := s.place[x.agent][x.day].queue
	for i := x.at - 1; i >= 0; i-- {
		if queue[i] >= 0 {
			return queue[i], true
		}
	}
	return 0, false
}
