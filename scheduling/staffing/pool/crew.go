package pool

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

// crew is agents who are alike for the search: a group, or what a promise makes of a part of one.
type crew struct {
	group     int
	queues    []int // served as their own
	overflow  []int // helped while their own agents are full
	stock     int   // index into model.stocks: whose availability it uses
	fixed     []int // heads per slot that are promised to one queue; nil = the search decides
	limit     int
	cost      float64
	slowdown  float64
	occupancy float64 // cap; 0 = none
	maxShops  int     // with open conversations at once; 0 = no limit
}

// model is a problem on its grid, as the search and the simulator see it.
type model struct {
	slot    time.Duration
	origin  time.Time
	slots   int
	queues  []stream
	crews   []crew
	members [][]int // per stock: the crews that the search draws from it
	stocks  [][]int // most heads per slot that the crews of a stock may have together
	serving [][]int // per queue: crews that serve it as their own
	parts   [][]int // queues that crews link, directly or through others
	partOf  []int   // per queue: index into parts
	floor   [][]int // per queue and slot: agents on duty that a contract promises
}

// stream is one queue on the grid.
type stream struct {
	contacts []float64       // per slot
	handle   []time.Duration // per slot, mean
	target   staffing.Target
	conduct  simulate.Queue
	exact    bool // conduct comes from target: the analytic verdict on reachability holds
	call     bool
}

// endless stands for a stock without a limit: more heads than any model here is verified for.
const endless = staffing.MaxAgents

// compile lays the problem on its grid. The problem is valid.
func compile(p Problem) (*model, error) {
	first, last := p.span()
	m := &model{slot: p.Queues[0].Curve.Slot, origin: first}
	m.slots = int(last.Sub(first)/m.slot) + 1
	index, shops := map[ids.Queue]int{}, map[ids.Shop]int{}
	var bad faults
	for i, q := range p.Queues {
		index[q.Curve.Queue] = i
		m.queues = append(m.queues, q.stream(first, m.slots))
		if _, known := shops[q.Shop]; !known {
			shops[q.Shop] = len(shops)
		}
		m.queues[i].conduct.Shop = shops[q.Shop]
		m.floor = append(m.floor, m.promised(q, false))
		if err := m.queues[i].reachable(); err != nil {
			bad.add(q.Target.Share, fault.Of(err).Message, "queues[%d].target", i)
		}
	}
	if err := fault.Bad("staffing.unreachable", "pool", bad); err != nil {
		return nil, err
	}
	for g := range p.Groups {
		m.stocks = append(m.stocks, m.availability(p.Groups[g]))
		m.muster(p, g, index)
	}
	m.dedicate(p, &bad)
	if len(bad) == 0 {
		m.checkFloors(p, &bad)
	}
	if err := fault.Bad("staffing.pool", "pool", bad); err != nil {
		return nil, err
	}
	m.link()
	return m, nil
}

// stream puts the curve on the grid and makes the simulator's queue.
func (q Queue) stream(origin time.Time, slots int) stream {
	s := stream{contacts: make([]float64, slots), handle: make([]time.Duration, slots), target: q.Target, call: q.Target.Concurrency <= 1}
	if s.call {
		s.target.Concurrency, s.target.Overhead, s.target.Rounds, s.target.Slowdown = 1, 1, 1, 0
	}
	load, total := 0.0, 0.0
	for _, p := range q.Curve.Points {
		t := int(p.Start.Sub(origin) / q.Curve.Slot)
		s.contacts[t], _ = q.Curve.At(p, q.Target.Level)
		s.handle[t] = p.HandleTime
		if p.HandleTime == 0 {
			s.handle[t] = q.Target.HandleTime
		}
		load += s.contacts[t] * s.handle[t].Seconds()
		total += s.contacts[t]
	}
	if total > 0 {
		// One handle time per simulated queue: the mean by contacts. The curve's own slots differ little.
		s.target.HandleTime = time.Duration(load / total * float64(time.Second))
	}
	if q.Conduct != nil {
		s.conduct = *q.Conduct
		s.measure()
	} else {
		s.exact = true
		s.conduct = exponential(s.target)
	}
	s.conduct.Instants = nil
	s.conduct.Rates, s.conduct.Spikes = q.crowds(origin, s.contacts)
	s.conduct.Priority, s.conduct.FirstWithin = q.Priority, q.Target.Within
	return s
}

// crowds takes the rushes out of the even flow.
func (q Queue) crowds(origin time.Time, contacts []float64) (rates []float64, spikes []simulate.Spike) {
	rates = slices.Clone(contacts)
	for _, r := range q.Rushes {
		t := int(r.At.Sub(origin) / q.Curve.Slot)
		come := r.Share * contacts[t]
		rates[t] = max(0, rates[t]-come)
		spikes = append(spikes, simulate.Spike{At: r.At.Sub(origin), Contacts: come, Decay: r.Decay})
	}
	return rates, spikes
}

// exponential is the conduct that the chat model of package staffing assumes.
func exponential(t staffing.Target) simulate.Queue {
	alone := t.HandleTime.Seconds()
	q := simulate.Queue{
		Rounds:   t.Rounds,
		Work:     simulate.Span{Mean: seconds(alone * t.Overhead / t.Rounds)},
		Patience: simulate.Span{Mean: t.Patience},
	}
	if t.Rounds > 1 {
		q.Think.Mean = seconds(alone * (1 - t.Overhead) / (t.Rounds - 1))
	}
	return q
}

// measure sets the target's figures to those of a given conduct, for the start of the search only.
func (s *stream) measure() {
	c := s.conduct
	rounds := max(1, c.Rounds)
	stays := 1 - c.Silent // a silent buyer ends the conversation: geometric with both causes
	rounds = 1 / (1 - (1-1/rounds)*stays)
	work := rounds * c.Work.Mean.Seconds()
	pause := (rounds - 1) * (c.Think.Mean.Seconds() + c.LongPause*c.LongPauseTime.Mean.Seconds())
	silent := (rounds - 1) * c.Silent / max(stays, 1e-9)
	hold := min(1, silent)*c.SilentTimeout.Seconds() + (1-min(1, silent))*c.Linger.Mean.Seconds()
	alone := work + pause + hold
	s.target.HandleTime, s.target.Overhead, s.target.Rounds = seconds(alone), work/alone, rounds
	s.target.Patience = c.Patience.Mean
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// reachable says why a goal cannot be met by any number of agents, in the words of package staffing.
func (s stream) reachable() error {
	if !s.exact || s.call {
		return nil
	}
	few := s.chats(1, time.Hour, 1)
	_, err := staffing.LeastChats(few, s.target.Share, s.target.Within, 0, 0)
	return err
}

// chats is the load for the analytic model, with agents who hold limit conversations.
func (s stream) chats(contacts float64, slot time.Duration, limit int) staffing.Chats {
	patience := s.target.Patience
	if patience <= 0 {
		patience = 24 * time.Hour // nobody leaves: far longer than any wait that a plan accepts
	}
	return staffing.Chats{
		Contacts: contacts, Interval: slot, HandleTime: s.target.HandleTime, Patience: patience,
		Concurrency: limit, Overhead: s.target.Overhead, Rounds: s.target.Rounds, Slowdown: s.target.Slowdown,
	}
}

// availability is the most heads of a group in each slot.
func (m *model) availability(g Group) []int {
	out := make([]int, m.slots)
	top := g.Max
	if top == 0 {
		top = endless
	}
	for t := range out {
		start := m.at(t)
		if g.Available == nil {
			out[t] = top
		}
		for _, w := range g.Available {
			if w.Range.Contains(start) {
				out[t] = min(top, max(out[t], w.Max))
			}
		}
	}
	return out
}

// typical is the mean contacts of a queue in a slot in which it has any.
func (m *model) typical() float64 {
	sum, cells := 0.0, 0
	for _, q := range m.queues {
		for _, n := range q.contacts {
			if n > 0 {
				sum += n
				cells++
			}
		}
	}
	return sum / float64(max(1, cells))
}

func (m *model) at(t int) time.Time { return m.origin.Add(time.Duration(t) * m.slot) }

// promised is the heads per slot that the queue's seats name, dedicated ones or all.
func (m *model) promised(q Queue, dedicatedOnly bool) []int {
	out := make([]int, m.slots)
	for t := range out {
		for _, s := range q.Seats {
			if s.Range.Contains(m.at(t)) && (s.Dedicated || !dedicatedOnly) {
				out[t] += s.Count
			}
		}
	}
	return out
}

// muster makes the crew of a group.
func (m *model) muster(p Problem, g int, index map[ids.Queue]int) {
	group := p.Groups[g]
	var own, overflow []int
	for _, s := range group.Skills {
		own = append(own, index[s])
	}
	for i, q := range p.Queues {
		if slices.Contains(q.Overflow, group.ID) {
			overflow = append(overflow, i)
		}
	}
	m.crews = append(m.crews, m.crewOf(g, group, own, overflow))
}

func keep(xs []int, ok func(int) bool) (out []int) {
	for _, x := range xs {
		if ok(x) {
			out = append(out, x)
		}
	}
	return out
}

func (m *model) crewOf(g int, group Group, own, overflow []int) crew {
	c := crew{group: g, stock: g, queues: own, overflow: overflow, limit: group.Limit, cost: group.Cost, occupancy: group.OccupancyCap, maxShops: group.MaxShops}
	for _, q := range slices.Concat(own, overflow) {
		c.slowdown = max(c.slowdown, m.queues[q].target.Slowdown)
	}
	return c
}

// dedicate sets agents aside: of the groups with the skill those with the fewest skills, then the cheapest,
// slot by slot as far as they are available.
func (m *model) dedicate(p Problem, bad *faults) {
	for i, q := range p.Queues {
		need := m.promised(q, true)
		order := keep(upTo(len(p.Groups)), func(g int) bool { return slices.Contains(p.Groups[g].Skills, q.Curve.Queue) })
		slices.SortStableFunc(order, func(a, b int) int {
			if d := len(p.Groups[a].Skills) - len(p.Groups[b].Skills); d != 0 {
				return d
			}
			return cmp.Compare(p.Groups[a].Cost, p.Groups[b].Cost)
		})
		for _, g := range order {
			fixed, any := make([]int, m.slots), false
			for t := range fixed {
				fixed[t] = min(need[t], m.stocks[g][t])
				need[t] -= fixed[t]
				m.stocks[g][t] -= fixed[t]
				any = any || fixed[t] > 0
			}
			if any {
				c := m.crewOf(g, p.Groups[g], []int{i}, nil)
				c.fixed = fixed
				m.crews = append(m.crews, c)
			}
		}
		if t := slices.IndexFunc(need, func(n int) bool { return n > 0 }); t >= 0 {
			bad.add(need[t], fmt.Sprintf("dedicated seats more than the groups with the skill have heads at %s", m.at(t).Format(time.RFC3339)), "queues[%d].seats", i)
		}
	}
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// checkFloors reports promised seats that no use of the groups can fill.
func (m *model) checkFloors(p Problem, bad *faults) {
	for i := range p.Queues {
		for t := range m.slots {
			have, seen := 0, map[int]bool{}
			for _, c := range m.crews {
				if !slices.Contains(c.queues, i) {
					continue
				}
				if c.fixed != nil {
					have += c.fixed[t]
				} else if !seen[c.stock] {
					have += m.stocks[c.stock][t]
					seen[c.stock] = true
				}
			}
			if have < m.floor[i][t] {
				bad.add(m.floor[i][t], fmt.Sprintf("seats promised at %s, but the groups with the skill have %d heads", m.at(t).Format(time.RFC3339), have), "queues[%d].seats", i)
				break
			}
		}
	}
}

// link finds who serves what and which queues depend on each other.
func (m *model) link() {
	m.serving, m.members = make([][]int, len(m.queues)), make([][]int, len(m.stocks))
	for k, c := range m.crews {
		if c.fixed == nil {
			m.members[c.stock] = append(m.members[c.stock], k)
		}
		for _, q := range c.queues {
			m.serving[q] = append(m.serving[q], k)
		}
	}
	linked := make([][]int, len(m.queues)) // crews of a queue, helpers included
	for k, c := range m.crews {
		for _, q := range slices.Concat(c.queues, c.overflow) {
			linked[q] = append(linked[q], k)
		}
	}
	m.partOf = make([]int, len(m.queues))
	for i := range m.partOf {
		m.partOf[i] = -1
	}
	for i := range m.queues {
		if m.partOf[i] >= 0 {
			continue
		}
		part := []int{i}
		m.partOf[i] = len(m.parts)
		for at := 0; at < len(part); at++ {
			for _, k := range linked[part[at]] {
				for _, q := range slices.Concat(m.crews[k].queues, m.crews[k].overflow) {
					if m.partOf[q] < 0 {
						m.partOf[q] = len(m.parts)
						part = append(part, q)
					}
				}
			}
		}
		m.parts = append(m.parts, part)
	}
}

// separate is the same problem with agents of its own for every queue: each group is offered to each of
// its queues in full, as if the others did not need it. Crews that are alike become one.
func (m *model) separate() *model {
	s := &model{slot: m.slot, origin: m.origin, slots: m.slots, queues: m.queues, floor: m.floor}
	for q := range m.queues {
		for _, k := range m.serving[q] {
			c := m.crews[k]
			c.queues, c.overflow, c.fixed, c.maxShops = []int{q}, nil, nil, 0
			room := slices.Clone(m.stocks[m.crews[k].stock])
			if m.crews[k].fixed != nil {
				room = m.crews[k].fixed
			}
			same := slices.IndexFunc(s.crews, func(o crew) bool {
				return o.queues[0] == q && o.limit == c.limit && o.cost == c.cost && o.slowdown == c.slowdown && o.occupancy == c.occupancy
			})
			if same >= 0 {
				for t, n := range room {
					s.stocks[s.crews[same].stock][t] = min(endless, s.stocks[s.crews[same].stock][t]+n)
				}
				continue
			}
			c.stock = len(s.stocks)
			s.stocks = append(s.stocks, slices.Clone(room))
			s.crews = append(s.crews, c)
		}
	}
	s.link()
	return s
}
