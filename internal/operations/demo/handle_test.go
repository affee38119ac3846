package demo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

// The contact history and the measured conversations say the same by handling time, else a forecast that goes on from
// one to the other would jump: the time that an agent has a conversation open. Its own work is the share of it that the
// plans assume, 18 %: 260 s x 0.18 = 47 s.
func TestHandlingTimeIsTheSameInHistoryAndConversations(t *testing.T) {
	w := worldOf(t)
	w.days = 3
	var open, work time.Duration
	n := 0
	_, err := w.simulate(func(c *simulate.Conversation) {
		head := w.conversation(c, w.month.First().In(w.zone))
		if head.AnsweredAt.IsZero() {
			assert.Zero(t, head.HandleTime)
			return
		}
		n++
		open += head.HandleTime
		for _, r := range c.Rounds {
			if r.Answered != simulate.Never {
				work += r.Answered - r.Started
			}
		}
	})
	require.NoError(t, err)
	require.Greater(t, n, 1000)
	assert.InEpsilon(t, handleTime.Seconds(), open.Seconds()/float64(n), 0.2)
	assert.InDelta(t, 0.18, work.Seconds()/open.Seconds(), 0.03)
}
