package pool

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

// count is what repetitions saw of one queue, in one slot or over the horizon. The sums of squares are
// over repetitions: contacts of one repetition share their fate, so they are not independent draws.
type count struct {
	arrived, within, abandoned int
	aa, aw, ww                 float64 // sums over repetitions of arrived^2, arrived*within, within^2
}

func (c *count) add(o count) {
	c.arrived += o.arrived
	c.within += o.within
	c.abandoned += o.abandoned
	a, w := float64(o.arrived), float64(o.within)
	c.aa += a * a
	c.aw += a * w
	c.ww += w * w
}

// share within the limit; 1 when nothing arrived.
func (c count) share() float64 {
	if c.arrived == 0 {
		return 1
	}
	return float64(c.within) / float64(c.arrived)
}

func (c count) abandon() float64 {
	if c.arrived == 0 {
		return 0
	}
	return float64(c.abandoned) / float64(c.arrived)
}

// deviation is the standard error of share as a ratio of sums over n repetitions (Cochran, Sampling
// Techniques, 3rd ed. 1977).
func (c count) deviation(n int) float64 {
	if c.arrived == 0 || n < 2 {
		return 0
	}
	p := c.share()
	residual := max(0, c.ww-2*p*c.aw+p*p*c.aa)
	return math.Sqrt(residual*float64(n)/float64(n-1)) / float64(c.arrived)
}

// tally is what a number of repetitions of the horizon saw.
type tally struct {
	n      int
	cells  [][]count   // per queue and slot of arrival
	queues []count     // per queue
	busy   [][]float64 // per crew and slot: agent-seconds spent reading and writing, all repetitions
}

func (m *model) tally() tally {
	r := tally{cells: make([][]count, len(m.queues)), queues: make([]count, len(m.queues)), busy: make([][]float64, len(m.crews))}
	for q := range r.cells {
		r.cells[q] = make([]count, m.slots)
	}
	for k := range r.busy {
		r.busy[k] = make([]float64, m.slots)
	}
	return r
}

// add joins one repetition.
func (r *tally) add(o tally) {
	r.n++
	for q := range r.cells {
		for t := range r.cells[q] {
			r.cells[q][t].add(o.cells[q][t])
		}
		r.queues[q].add(o.queues[q])
	}
	for k := range r.busy {
		for t := range r.busy[k] {
			r.busy[k][t] += o.busy[k][t]
		}
	}
}

// staffed is heads per crew and slot.
type staffed [][]int

func (m *model) nobody() staffed {
	h := make(staffed, len(m.crews))
	for k := range h {
		h[k] = make([]int, m.slots)
		copy(h[k], m.crews[k].fixed)
	}
	return h
}

func (h staffed) clone() staffed {
	out := make(staffed, len(h))
	for k := range h {
		out[k] = append([]int(nil), h[k]...)
	}
	return out
}

// trial simulates n repetitions of the horizon. Repetition i of a block always has the same buyers,
// whatever the heads, so that two trials differ by the heads only (common random numbers). The repetitions
// run in parallel and are added in order: the result does not depend on the number of processors.
func (m *model) trial(ctx context.Context, h staffed, seed uint64, n int) (tally, error) {
	config := m.config(h)
	owner := m.owners(h)
	seen := make([]tally, n)
	errs := make([]error, n)
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if errs[i] = ctx.Err(); errs[i] == nil {
					seen[i], errs[i] = m.once(config, owner, seed+uint64(i))
				}
			}
		})
	}
	wait.Wait()
	out := m.tally()
	for i := range seen {
		if errs[i] != nil {
			return tally{}, errs[i]
		}
		out.add(seen[i])
	}
	return out, nil
}

func (m *model) once(c simulate.Config, owner []int, seed uint64) (tally, error) {
	c.Seed = seed
	r := m.tally()
	_, err := simulate.Run(c, func(talk *simulate.Conversation) {
		q, t := talk.Queue, min(int(talk.Arrived/m.slot), m.slots-1)
		cell := &r.cells[q][t]
		cell.arrived++
		reply := talk.FirstResponse()
		if m.queues[q].call && reply != simulate.Never {
			reply = talk.Assigned - talk.Arrived // a call is answered when it is taken up
		}
		switch {
		case reply == simulate.Never:
			cell.abandoned++
		case reply <= m.queues[q].target.Within:
			cell.within++
		}
		for _, round := range talk.Rounds {
			if round.Agent >= 0 && round.Answered != simulate.Never {
				m.book(r.busy[owner[round.Agent]], round.Started, round.Answered)
			}
		}
	})
	for q := range r.cells {
		for _, c := range r.cells[q] {
			r.queues[q].arrived += c.arrived
			r.queues[q].within += c.within
			r.queues[q].abandoned += c.abandoned
		}
	}
	return r, err
}

// book spreads work over the slots it touches; work after the horizon is in no slot.
func (m *model) book(busy []float64, from, to time.Duration) {
	for t := int(from / m.slot); t < m.slots && from < to; t++ {
		end := min(to, time.Duration(t+1)*m.slot)
		busy[t] += (end - from).Seconds()
		from = end
	}
}

// config is the simulation of a plan. Head i of a crew is on duty in the slots that have more than i heads,
// so that as few people as possible come and go.
func (m *model) config(h staffed) simulate.Config {
	c := simulate.Config{Horizon: time.Duration(m.slots) * m.slot, Slot: m.slot}
	for _, q := range m.queues {
		c.Queues = append(c.Queues, q.conduct)
	}
	for k, crew := range m.crews {
		for i := range most(h[k]) {
			c.Agents = append(c.Agents, simulate.Agent{
				Queues: crew.queues, Overflow: crew.overflow, Limit: crew.limit, MaxShops: crew.maxShops, Slowdown: crew.slowdown, Duty: m.duty(h[k], i),
			})
		}
	}
	return c
}

// owners is the crew of each agent of config.
func (m *model) owners(h staffed) (out []int) {
	for k := range m.crews {
		for range most(h[k]) {
			out = append(out, k)
		}
	}
	return out
}

func most(heads []int) int {
	n := 0
	for _, h := range heads {
		n = max(n, h)
	}
	return n
}

func (m *model) duty(heads []int, i int) []simulate.Interval {
	out := []simulate.Interval{} // never nil: that would be always
	for t, n := range heads {
		if n <= i {
			continue
		}
		from, to := time.Duration(t)*m.slot, time.Duration(t+1)*m.slot
		if last := len(out) - 1; last >= 0 && out[last].End == from {
			out[last].End = to
			continue
		}
		out = append(out, simulate.Interval{Start: from, End: to})
	}
	return out
}
