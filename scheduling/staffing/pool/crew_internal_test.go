package pool

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

func fourShops(maxShops int) Problem {
	var p Problem
	g := Group{ID: "g", Limit: 3, Cost: 1, MaxShops: maxShops, Max: 9}
	for _, shop := range []ids.Shop{"w", "x", "y", "z"} {
		for _, kind := range []ids.Queue{"/pre", "/after"} {
			name := ids.Queue(shop) + kind
			target := staffing.DefaultTarget()
			target.OccupancyCap, target.Overhead = 0, 0.2
			p.Queues = append(p.Queues, Queue{Shop: shop, Target: target, Curve: scheduling.Curve{
				Queue: name, Slot: time.Hour, Points: []scheduling.Point{{Start: time.Unix(0, 0), Mean: 8}, {Start: time.Unix(3600, 0), Mean: 8}},
			}})
			g.Skills = append(g.Skills, name)
		}
	}
	p.Groups = []Group{g}
	return p
}

// Every simulated agent of a group that may serve n shops at once has the queues of at most n shops, whatever
// the plan, and the crews made for that share the group's people.
func TestAnAgentServesAtMostNShopsAtOnce(t *testing.T) {
	before := math.Inf(1)
	for _, n := range []int{1, 2, 3, 4, 0} {
		p := fourShops(n)
		require.NoError(t, p.Validate())
		m, err := compile(p)
		require.NoError(t, err)
		s := m.search(Options{Seed: 1, Replications: 40, Steps: 60})
		h, err := s.run(t.Context(), m.start())
		require.NoError(t, err)
		for _, a := range m.config(h).Agents {
			shops := map[ids.Shop]bool{}
			for _, q := range a.Queues {
				shops[p.Queues[q].Shop] = true
			}
			if n > 0 {
				assert.LessOrEqual(t, len(shops), n)
			}
		}
		for slot := range m.slots {
			heads := 0
			for k := range m.crews {
				heads += h[k][slot]
			}
			assert.LessOrEqual(t, heads, 9, "the crews draw on one group of nine")
		}
		assert.LessOrEqual(t, m.cost(h), before+1, "more shops at once never cost more, but for one head of noise")
		before = m.cost(h)
	}
}

func TestPartsAreQueuesLinkedByAgents(t *testing.T) {
	p := fourShops(1)
	m, err := compile(p)
	require.NoError(t, err)
	assert.Len(t, m.parts, 4, "agents who keep to one shop link its two queues")
	assert.Len(t, m.separate().parts, 8)
	p.Groups[0].MaxShops = 2
	m, err = compile(p)
	require.NoError(t, err)
	assert.Len(t, m.parts, 1, "neighbouring shops make a ring")
}

// Two repetitions with 3 of 4 and 1 of 2 in time: p = 4/6; residuals 3 - 4p = 1/3 and 1 - 2p = -1/3;
// standard error sqrt(2/(2-1) * (1/9 + 1/9)) / 6 = 1/9.
func TestDeviationOfARatio(t *testing.T) {
	var c count
	c.add(count{arrived: 4, within: 3})
	c.add(count{arrived: 2, within: 1})
	assert.InDelta(t, 4.0/6, c.share(), 1e-12)
	assert.InDelta(t, 1.0/9, c.deviation(2), 1e-12)
	assert.InDelta(t, 1, count{}.share(), 0)
	assert.Zero(t, count{}.deviation(2))
}

// A queue whose own crew is exhausted is helped by its neighbour's neighbour.
func TestHelpReachesOverSharedAgents(t *testing.T) {
	q := func(i int) crew { return crew{queues: []int{i}, cost: 1, stock: i} }
	m := &model{slots: 1, queues: make([]stream, 3), stocks: [][]int{{1}, {1}, {5}}}
	m.crews = []crew{q(0), q(1), q(2)}
	m.crews[0].queues, m.crews[1].queues = []int{0, 1}, []int{1, 2}
	m.link()
	h := staffed{{1}, {1}, {1}}
	require.True(t, m.relieve(h, 0, 0), "0 shares agents with 1, 1 with 2, and 2 has room")
	assert.Equal(t, staffed{{1}, {1}, {2}}, h)
	m.stocks[2][0] = 2
	assert.False(t, m.relieve(h, 0, 0))
}

// A queue measured from its conduct: the silent buyer ends the conversation early.
func TestMeasuredConduct(t *testing.T) {
	s := stream{conduct: exponential(staffing.Target{HandleTime: 6 * time.Minute, Overhead: 0.25, Rounds: 4, Patience: time.Minute})}
	s.measure()
	assert.Equal(t, 6*time.Minute, s.target.HandleTime.Round(time.Millisecond), "what went in comes out")
	assert.InDelta(t, 0.25, s.target.Overhead, 1e-9)
	assert.InDelta(t, 4, s.target.Rounds, 1e-9)

	s.conduct.Silent, s.conduct.SilentTimeout = 0.5, 2*time.Minute
	s.measure()
	// A round is followed by another with chance 3/4 x 1/2: 1.6 rounds on average; 3/4 x 1/2 of them end silent.
	assert.InDelta(t, 1.6, s.target.Rounds, 1e-9)
	work, think := 1.6*22.5, 0.6*90.0
	assert.InDelta(t, work+think+0.6*120, s.target.HandleTime.Seconds(), 1e-6)
}
