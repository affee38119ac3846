package httpapi

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A question over raw events has longer than its route's deadline, and still ends with what ends the request.
func TestLongerOutlivesTheDeadlineOfItsRoute(t *testing.T) {
	s := &Server{cfg: Config{Deadline: 10 * time.Second}}
	outer, end := context.WithCancel(t.Context())
	bounded, cancel := context.WithTimeout(withExchange(outer, &exchange{unbounded: outer}), s.cfg.Deadline)
	defer cancel()
	long, done := s.longer(bounded)
	defer done()
	deadline, _ := long.Deadline()
	assert.Greater(t, time.Until(deadline), 3*time.Minute)
	require.NoError(t, long.Err())
	end()
	<-long.Done()
	assert.ErrorIs(t, long.Err(), context.Canceled)
}
