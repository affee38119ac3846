package staffing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// What Plan says of the heads it finds is what Serve says of them.
func TestServeAgreesWithPlan(t *testing.T) {
	calls := staffing.Target{Share: 0.8, Within: 20 * time.Second, Patience: 3 * time.Minute, HandleTime: 3 * time.Minute}
	chats := staffing.Target{
		Share: 0.8, Within: 30 * time.Second, Patience: 3 * time.Minute, HandleTime: 4 * time.Minute, Concurrency: 4, Overhead: 0.2, Rounds: 4, Slowdown: 0.05,
	}
	for name, target := range map[string]staffing.Target{"calls": calls, "chats": chats} {
		for _, contacts := range []float64{0, 1, 20, 130} {
			out, err := staffing.Plan(staffing.Input{Target: target, Curve: scheduling.Curve{
				Slot: 15 * time.Minute, Points: []scheduling.Point{{Start: time.Unix(0, 0), Mean: contacts}},
			}})
			assert.NoError(t, err)
			want := out.Reached[0]
			got := staffing.Serve(target, contacts, 15*time.Minute, target.HandleTime, want.Heads)
			assert.Equal(t, []float64{want.Share, want.Abandon, want.Occupancy, want.WaitSeconds}, []float64{got.Share, got.Abandon, got.Occupancy, got.WaitSeconds}, "%s %g", name, contacts)
			assert.True(t, got.Met, "%s %g", name, contacts)
			if want.Heads > 0 {
				assert.False(t, staffing.Serve(target, contacts, 15*time.Minute, target.HandleTime, want.Heads-1).Met, "one head less misses the target: %s %g", name, contacts)
			}
		}
	}
	assert.Equal(t, staffing.Reached{Contacts: 5, HandleTime: time.Minute, Abandon: 1, WaitSeconds: 180}, staffing.Serve(calls, 5, 15*time.Minute, time.Minute, 0), "nobody there")
	patient := calls
	patient.Patience = 0
	assert.Equal(t, -1.0, staffing.Serve(patient, 100, 15*time.Minute, 3*time.Minute, 2).WaitSeconds, "20 erlangs for two: the queue grows without end")
}
