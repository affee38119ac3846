package operations

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPausesDoubleUpToTheLongest(t *testing.T) {
	r := Retry{First: 15 * time.Second, Longest: time.Minute}
	for attempt, want := range map[int]time.Duration{1: 15 * time.Second, 2: 30 * time.Second, 3: time.Minute, 4: time.Minute, 60: time.Minute} {
		assert.Equal(t, want, r.pause(attempt), attempt)
	}
	assert.Equal(t, 40*time.Millisecond, Retry{First: 10 * time.Millisecond}.pause(3))
}
