package simulate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

// Queue 0 has agent 0, queue 1 has agent 1, who also helps queue 0. All work is constant, so every
// step can be followed by hand.
func TestOverflowAgentsHelpOnlyWhenTheQueuesOwnAreFull(t *testing.T) {
	minute := simulate.Span{Mean: time.Minute, Shape: simulate.Constant}
	at := func(seconds ...int) (out []time.Duration) {
		for _, s := range seconds {
			out = append(out, time.Duration(s)*time.Second)
		}
		return out
	}
	first := map[[2]int]int{} // (queue, number) -> agent
	config := simulate.Config{
		Seed: 1, Horizon: time.Hour,
		Queues: []simulate.Queue{
			{Work: minute, Instants: at(0, 10, 20, 100, 600)},
			{Work: minute, Instants: at(30)},
		},
		Agents: []simulate.Agent{{Queues: []int{0}}, {Queues: []int{1}, Overflow: []int{0}}},
	}
	_, err := simulate.Run(config, func(c *simulate.Conversation) { first[[2]int{c.Queue, c.Number}] = c.FirstAgent })
	require.NoError(t, err)
	assert.Equal(t, map[[2]int]int{
		{0, 0}: 0, // its own agent is free
		{0, 1}: 1, // own agent busy until 60 s
		{0, 2}: 0, // waits from 20 s to 60 s for whoever is free first
		{1, 0}: 1, // waits from 30 s until the helper ends at 70 s; it goes before overflow
		{0, 3}: 0, // at 100 s the own agent works until 120 s, the helper until 130 s
		{0, 4}: 0, // the own agent, although the helper has been idle too
	}, first)

	config.Agents[1].Overflow = []int{1}
	require.ErrorContains(t, config.Validate(), "agents[1].overflow")
}
