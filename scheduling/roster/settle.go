package roster

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
	for i := int(x.at) - 1; i >= 0; i-- {
		if queue[i] >= 0 {
			return queue[i], true
		}
	}
	return 0, false
}
