package staffing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/staffing"
)

// loner is one agent by brute force: states (open, at the desk, in the queue), the weights by sweeps of the balance
// equations until they stand still.
type loner struct {
	k                         int
	rate, leave, done, end, b float64
	longest                   int
	p                         []float64
}

func (l *loner) at(open, desk, queue int) *float64 {
	return &l.p[(open*(l.k+1)+desk)*(l.longest+1)+queue]
}

// flows calls f with every transition.
func (l *loner) flows(f func(from, to *float64, rate float64)) {
	for open := range l.k + 1 {
		for desk := range open + 1 {
			for queue := range l.longest + 1 {
				if queue > 0 && open < l.k {
					continue
				}
				here := l.at(open, desk, queue)
				switch {
				case open < l.k:
					f(here, l.at(open+1, desk+1, 0), l.rate)
				case queue < l.longest:
					f(here, l.at(open, desk, queue+1), l.rate)
				}
				if queue > 0 {
					f(here, l.at(open, desk, queue-1), l.leave*float64(queue))
				}
				if open > desk {
					f(here, l.at(open, desk+1, queue), l.b*float64(open-desk))
				}
				if desk > 0 {
					f(here, l.at(open, desk-1, queue), l.done*(1-l.end))
					if queue > 0 {
						f(here, l.at(open, desk, queue-1), l.done*l.end)
					} else {
						f(here, l.at(open-1, desk-1, 0), l.done*l.end)
					}
				}
			}
		}
	}
}

// solve is power iteration of the uniformised chain.
func (l *loner) solve() {
	l.p = make([]float64, (l.k+1)*(l.k+1)*(l.longest+1))
	*l.at(0, 0, 0) = 1
	fastest := l.rate + l.leave*float64(l.longest) + l.b*float64(l.k) + l.done
	index := map[*float64]int{}
	for i := range l.p {
		index[&l.p[i]] = i
	}
	type flow struct {
		from, to int
		part     float64
	}
	var flows []flow
	l.flows(func(from, to *float64, rate float64) {
		flows = append(flows, flow{index[from], index[to], rate / fastest})
	})
	next := make([]float64, len(l.p))
	for range 100_000 {
		copy(next, l.p)
		change := 0.0
		for _, x := range flows {
			next[x.from] -= l.p[x.from] * x.part
			next[x.to] += l.p[x.from] * x.part
		}
		for i := range next {
			change += max(next[i]-l.p[i], l.p[i]-next[i])
		}
		copy(l.p, next)
		if change < 1e-12 {
			return
		}
	}
}

// With one agent nothing is approximated: the pauses of conversations of hardly more than one round are all its own.
func TestOneAgentRemembersExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := staffing.Chats{
			Interval: time.Hour, Concurrency: rapid.IntRange(1, 4).Draw(t, "concurrency"), HandleTime: seconds(rapid.Float64Range(60, 400).Draw(t, "handle")),
			Overhead: rapid.Float64Range(0.1, 0.5).Draw(t, "own"), Rounds: rapid.Float64Range(1.15, 1.3).Draw(t, "rounds"), Patience: seconds(rapid.Float64Range(20, 60).Draw(t, "patience")),
		}
		c.Contacts = rapid.Float64Range(0.3, 1.2).Draw(t, "load") * 3600 * c.Capacity()
		l := loner{
			k: c.Concurrency, rate: c.Contacts / 3600, leave: 1 / c.Patience.Seconds(), end: 1 / c.Rounds, longest: 20,
			done: c.Rounds / (c.Overhead * c.HandleTime.Seconds()), b: (c.Rounds - 1) / ((1 - c.Overhead) * c.HandleTime.Seconds()),
		}
		l.solve()
		var wait, queue, busy, open float64
		for o := range l.k + 1 {
			for d := range o + 1 {
				for q := range l.longest + 1 {
					p := *l.at(o, d, q)
					queue += p * float64(q)
					open += p * float64(o)
					if o == l.k {
						wait += p
					}
					if d > 0 {
						busy += p
					}
				}
			}
		}
		got := c.At(1, 30*time.Second, time.Minute)
		assert.InDelta(t, wait, got.Wait, 1e-3)
		assert.InDelta(t, busy, got.Occupancy, 1e-3)
		assert.InDelta(t, open, got.Open, 4e-3)
		assert.InDelta(t, queue, got.AverageQueue, 1e-3*(1+queue))
	})
}

// Shares stay shares, more agents serve better, and at the border to more rounds the two ways agree.
func TestFewRounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		agents := rapid.IntRange(1, 40).Draw(t, "agents")
		c := staffing.Chats{
			Interval: time.Hour, Concurrency: rapid.IntRange(2, 6).Draw(t, "concurrency"), HandleTime: seconds(rapid.Float64Range(100, 600).Draw(t, "handle")),
			Overhead: rapid.Float64Range(0.15, 0.7).Draw(t, "own"), Rounds: rapid.Float64Range(1.05, 1.95).Draw(t, "rounds"), Patience: seconds(rapid.Float64Range(30, 300).Draw(t, "patience")),
			Slowdown: rapid.SampledFrom([]float64{0, 0.05}).Draw(t, "slowdown"),
		}
		c.Contacts = rapid.Float64Range(0.3, 1.1).Draw(t, "load") * float64(agents) * 3600 * c.Capacity()
		p, more := c.At(agents, 30*time.Second, time.Minute), c.At(agents+1, 30*time.Second, time.Minute)
		for _, v := range []float64{p.Wait, p.Abandon, p.FirstWithin, p.RoundWithin, p.PlatformWithin, p.Occupancy} {
			assert.GreaterOrEqual(t, v, 0.0)
			assert.LessOrEqual(t, v, 1.0)
		}
		assert.GreaterOrEqual(t, more.FirstWithin, p.FirstWithin-0.004)
		assert.LessOrEqual(t, more.Abandon, p.Abandon+0.004)
		if agents > 3 {
			c.Rounds = 1.999
			below := c.At(agents, 30*time.Second, time.Minute)
			c.Rounds = 2.001
			above := c.At(agents, 30*time.Second, time.Minute)
			assert.InDelta(t, above.FirstWithin, below.FirstWithin, 0.01)
			assert.InDelta(t, above.RoundWithin, below.RoundWithin, 0.01)
		}
	})
}

// Who finds a free place does not leave: few rounds on a desk with room are followed on a coarse lattice, and
// the simulator knows the share that leaves.
func TestFewRoundsWithRoomLoseFew(t *testing.T) {
	for _, rounds := range []float64{1.2, 1.5, 1.9} {
		for _, agents := range []int{6, 7, 8} {
			c := staffing.Chats{
				Contacts: 1000, Interval: time.Hour, HandleTime: 30 * time.Second, Patience: 22500 * time.Millisecond,
				Concurrency: 2, Overhead: 0.125, Rounds: rounds, Slowdown: 0.1,
			}
			seen := simulated(t, c, agents, 100_000, 30*time.Second, time.Minute).Queues[0]
			assert.InDelta(t, float64(seen.Abandoned)/float64(seen.Arrived), c.At(agents, 30*time.Second, time.Minute).Abandon, 0.005, "%g rounds, %d agents", rounds, agents)
		}
	}
}

// What comes in goes out: who arrives is answered or leaves, and work that is done is work that was brought, whatever the
// rounds. Where replies slow down, one takes no less than alone and no more than at a full desk.
func TestWorkDoneIsWorkBrought(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		agents := rapid.IntRange(1, 60).Draw(t, "agents")
		c := staffing.Chats{
			Interval: time.Hour, Concurrency: rapid.IntRange(1, 6).Draw(t, "concurrency"), HandleTime: seconds(rapid.Float64Range(60, 900).Draw(t, "handle")),
			Overhead: rapid.Float64Range(0.1, 0.9).Draw(t, "own"), Rounds: rapid.Float64Range(1.05, 4).Draw(t, "rounds"), Patience: seconds(rapid.Float64Range(20, 600).Draw(t, "patience")),
			Slowdown: rapid.SampledFrom([]float64{0, 0.05}).Draw(t, "slowdown"),
		}
		c.Contacts = rapid.Float64Range(0.2, 1.3).Draw(t, "load") * float64(agents) * 3600 * c.Capacity()
		p := c.At(agents, 30*time.Second, time.Minute)
		replies := c.Contacts / 3600 * (1 - p.Abandon) * c.Rounds
		alone := c.Overhead * c.HandleTime.Seconds() / c.Rounds
		each := p.Occupancy * float64(agents) / replies
		assert.GreaterOrEqual(t, each, alone*(1-1e-6))
		assert.LessOrEqual(t, each, alone*(1+c.Slowdown*float64(c.Concurrency-1))*(1+1e-6))
		assert.InDelta(t, p.ASASeconds/c.Patience.Seconds(), p.Abandon, 1e-9, "who waits leaves at the rate of patience")
		assert.InDelta(t, c.Contacts/3600*p.ASASeconds, p.AverageQueue, 1e-9*(1+p.AverageQueue), "Little")
	})
}
