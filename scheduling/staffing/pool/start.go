package pool

import (
	"cmp"
	"math"
	"slices"

	"github.com/chaoban/chaoban/scheduling/staffing"
)

// start is where the search begins: the heads that the chat model asks for when all linked queues are one,
// shared out by load and covered by crews greedily. It is too few where skills are narrow.
func (m *model) start() staffed {
	h := m.nobody()
	need := make([]float64, len(m.queues))
	for t := range m.slots {
		for _, part := range m.parts {
			m.share(part, t, need)
		}
		m.cover(h, t, need)
		m.fillFloors(h, t)
	}
	return h
}

// share writes the heads that each queue of a part gets of the part's requirement, by load.
func (m *model) share(part []int, t int, need []float64) {
	var joint staffing.Chats
	var load, goal, within, patience, rounds, attention float64
	limit := 0
	for _, q := range part {
		need[q] = 0
		s := m.queues[q]
		n := s.contacts[t]
		for _, k := range m.serving[q] {
			if limit == 0 || m.crews[k].limit < limit {
				limit = m.crews[k].limit
			}
		}
		c := s.chats(n, m.slot, 1)
		work := n * c.HandleTime.Seconds()
		need[q] = work
		joint.Contacts += n
		load += work
		goal += n * s.target.Share
		within += n * s.target.Within.Seconds()
		patience += n * c.Patience.Seconds()
		rounds += n * c.Rounds
		attention += work * c.Overhead
		joint.Slowdown += n * c.Slowdown
	}
	n := joint.Contacts
	if n == 0 {
		return
	}
	joint.Interval, joint.HandleTime, joint.Patience = m.slot, seconds(load/n), seconds(patience/n)
	joint.Concurrency, joint.Rounds, joint.Overhead, joint.Slowdown = limit, rounds/n, attention/load, joint.Slowdown/n
	least, err := staffing.LeastChats(joint, goal/n, seconds(within/n), 0, 0)
	heads := float64(least.Agents)
	if err != nil || heads == 0 {
		// Conduct may be steadier than the model's exponential replies; begin at a full load.
		heads = math.Ceil(n / m.slot.Seconds() / joint.Capacity())
	}
	for _, q := range part {
		need[q] *= heads / load
	}
}

// cover gives heads to crews until no further head would be used by half: each head goes to the crew whose
// queues have most left for it per yuan, of equal ones to the broadest, then the first.
func (m *model) cover(h staffed, t int, need []float64) {
	left := slices.Clone(need)
	for k, c := range m.crews {
		for range h[k][t] {
			c.take(left)
		}
	}
	for {
		best, worth := -1, 0.0
		for k, c := range m.crews {
			if m.room(h, k, t) <= 0 {
				continue
			}
			sum := 0.0
			for _, q := range c.queues {
				sum += left[q]
			}
			if v := min(1, sum) / c.cost; sum >= 0.5 && (v > worth*(1+tie) || v > worth*(1-tie) && m.broader(k, best)) {
				best, worth = k, v
			}
		}
		if best < 0 {
			return
		}
		h[best][t]++
		m.crews[best].take(left)
	}
}

// take uses one head on the needs of the crew's queues, the largest first.
func (c crew) take(left []float64) {
	one := 1.0
	order := slices.Clone(c.queues)
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(left[b], left[a])
	})
	for _, q := range order {
		used := min(one, left[q])
		left[q] -= used
		one -= used
	}
}

// room is how many more heads a crew may have in a slot.
func (m *model) room(h staffed, k, t int) int {
	c := m.crews[k]
	if c.fixed != nil {
		return 0
	}
	free := m.stocks[c.stock][t]
	for _, o := range m.members[c.stock] {
		free -= h[o][t]
	}
	return free
}

// present is the agents on duty who serve the queue as their own.
func (m *model) present(h staffed, q, t int) int {
	n := 0
	for _, k := range m.serving[q] {
		n += h[k][t]
	}
	return n
}

// fillFloors adds the crews that fill most promised seats per yuan until all are filled or nobody is left.
func (m *model) fillFloors(h staffed, t int) {
	for {
		best, worth := -1, 0.0
		for k, c := range m.crews {
			seats := 0
			for _, q := range c.queues {
				if m.present(h, q, t) < m.floor[q][t] {
					seats++
				}
			}
			if v := float64(seats) / c.cost; seats > 0 && v > worth && m.room(h, k, t) > 0 {
				best, worth = k, v
			}
		}
		if best < 0 {
			return
		}
		h[best][t]++
	}
}
