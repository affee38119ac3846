package staffing_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

// One conversation at a time, all of it agent work: the chat chain must be Erlang A.
func TestChatsOfOneAreErlangA(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := load(t)
		q.Contacts = min(q.Contacts, 300)
		n := rapid.IntRange(1, 60).Draw(t, "agents")
		c := staffing.Chats{Contacts: q.Contacts, Interval: q.Interval, HandleTime: q.HandleTime, Patience: q.Patience, Concurrency: 1, Overhead: 1, Rounds: 1}
		got, want := c.At(n, time.Minute, time.Minute), staffing.ErlangA(q, float64(n), time.Minute)
		for name, pair := range map[string][2]float64{
			"wait": {want.Wait, got.Wait}, "abandon": {want.Abandon, got.Abandon},
			"occupancy": {want.Occupancy, got.Occupancy}, "open": {want.Occupancy, got.Open}, "queue": {want.AverageQueue, got.AverageQueue},
		} {
			if math.Abs(pair[0]-pair[1]) > 1e-9*(1+pair[0]) {
				t.Fatalf("%s: Erlang A %v, chats %v", name, pair[0], pair[1])
			}
		}
	})
}

// Little's law inside the model: conversations open = accepted rate x mean time open; with no switching
// loss and a limit that is never reached, a lone agent's conversation lasts at least its handle time.
func TestChatsWithRoomLastTheirHandleTime(t *testing.T) {
	c := staffing.Chats{Contacts: 30, Interval: time.Hour, HandleTime: 5 * time.Minute, Patience: time.Hour, Concurrency: 20, Overhead: 0.2, Rounds: 4}
	p := c.At(200, time.Minute, time.Minute)
	assert.InDelta(t, 2.5, p.Open*200, 0.02, "30 per hour x 1/12 hour, with hardly any contention")
	assert.InDelta(t, 15, p.FirstResponseSeconds, 0.01, "one minute of attention over four rounds")
	assert.InDelta(t, 1-math.Exp(-4), p.FirstWithin, 1e-3, "exponential reply of mean 15 s within 60 s")
}

func TestMoreChatAgentsAreNeverWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := staffing.Chats{
			Contacts: rapid.Float64Range(1, 500).Draw(t, "contacts"), Interval: 30 * time.Minute,
			HandleTime: seconds(rapid.Float64Range(30, 900).Draw(t, "aht")), Patience: seconds(rapid.Float64Range(5, 900).Draw(t, "patience")),
			Concurrency: rapid.IntRange(1, 10).Draw(t, "k"), Overhead: rapid.Float64Range(0.05, 1).Draw(t, "overhead"),
			Rounds: rapid.Float64Range(1, 10).Draw(t, "rounds"), Slowdown: rapid.Float64Range(0, 0.1).Draw(t, "slowdown"),
		}
		n := rapid.IntRange(0, 80).Draw(t, "agents")
		few, more := c.At(n, 30*time.Second, time.Minute), c.At(n+1, 30*time.Second, time.Minute)
		const eps = 1e-4 // loads and desks are found by passes and on a lattice, both anew for each number of agents
		if more.FirstWithin < few.FirstWithin-eps || more.Wait > few.Wait+eps || more.Abandon > few.Abandon+eps {
			t.Fatalf("%+v then %+v", few, more)
		}
		for _, share := range []float64{more.FirstWithin, more.RoundWithin, more.Wait, more.Abandon, more.Occupancy} {
			if !(share >= 0 && share <= 1) {
				t.Fatalf("share out of range: %+v", more)
			}
		}
	})
}

// simulated runs the same load through the oracle.
func simulated(t *testing.T, c staffing.Chats, agents, contacts int, first, each time.Duration) simulate.Summary {
	t.Helper()
	hours := max(40, int(float64(contacts)/c.Contacts))
	rates := make([]float64, hours)
	for i := range rates {
		rates[i] = c.Contacts
	}
	seats := make([]simulate.Agent, agents)
	for i := range seats {
		seats[i] = simulate.Agent{Queues: []int{0}, Limit: c.Concurrency, Slowdown: c.Slowdown}
	}
	spread := func(share, count float64) simulate.Span {
		if count <= 0 {
			return simulate.Span{}
		}
		return simulate.Span{Mean: seconds(c.HandleTime.Seconds() * share / count)}
	}
	s, err := simulate.Run(simulate.Config{
		Seed: 1, Horizon: time.Duration(hours) * c.Interval, Slot: c.Interval, WarmUp: 3 * c.Interval,
		Queues: []simulate.Queue{{
			Rates: rates, Rounds: c.Rounds, Work: spread(c.Overhead, c.Rounds), Think: spread(1-c.Overhead, c.Rounds-1),
			Patience: simulate.Span{Mean: c.Patience}, FirstWithin: first, ResponseWithin: each,
		}},
		Agents: seats,
	}, nil)
	require.NoError(t, err)
	return s
}

// The fast model against the simulator on a small grid of loads, limits and team sizes.
func TestChatModelAgreesWithTheSimulator(t *testing.T) {
	const first, each = 30 * time.Second, time.Minute
	var worstFirst, worstRound float64
	for _, k := range []int{1, 2, 3, 5, 8} {
		for _, agents := range []int{1, 3, 10, 40} {
			for _, load := range []float64{0.5, 0.8, 1, 1.2} {
				c := staffing.Chats{Interval: time.Hour, HandleTime: 6 * time.Minute, Patience: 2 * time.Minute, Concurrency: k, Overhead: 0.3, Rounds: 6}
				c.Contacts = load * float64(agents) * 3600 * c.Capacity()
				got := c.At(agents, first, each)
				sum := simulated(t, c, agents, 25_000, first, each)
				want := sum.Total()
				f := got.FirstWithin - want.Share(want.FirstWithin)
				r := got.RoundWithin - float64(want.RoundsWithin)/float64(want.RoundsAnswered)
				a := got.Abandon - want.Share(want.Abandoned)
				worstFirst, worstRound = max(worstFirst, math.Abs(f)), max(worstRound, math.Abs(r))
				name := fmt.Sprintf("k=%d agents=%d load=%.1f", k, agents, load)
				t.Logf("%-24s first %.3f %+.3f  round %.3f %+.3f  abandon %.3f %+.3f  occ %+.3f", name, got.FirstWithin, f, got.RoundWithin, r, got.Abandon, a, got.Occupancy-sum.Occupancy())
				assert.InDelta(t, 0, f, 0.02, name)
				assert.InDelta(t, 0, r, 0.02, name)
				assert.InDelta(t, 0, a, 0.02, name)
			}
		}
	}
	t.Logf("worst: first response %.3f, rounds %.3f", worstFirst, worstRound)
}

func BenchmarkChats40x5(b *testing.B) {
	c := staffing.Chats{Contacts: 600, Interval: time.Hour, HandleTime: 6 * time.Minute, Patience: 2 * time.Minute, Concurrency: 5, Overhead: 0.3, Rounds: 6}
	for b.Loop() {
		c.At(40, 30*time.Second, time.Minute)
	}
}
