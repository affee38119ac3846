package rostering_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
)

// A day made anew of the same plan by another seed changes nobody; one that has a new plan does.
func TestADayMadeAnewChangesOnlyWhatIsWorthIt(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	span := calendar.Day(monday.Add(7), shanghai)
	plan := func(id string, from, until int) {
		t.Helper()
		need := scheduling.Requirement{Queue: "lumi-tmall/pre", Slot: time.Hour}
		for hour := from; hour < until; hour++ {
			need.Needs = append(need.Needs, scheduling.Need{Start: span.Start.Add(time.Duration(hour) * time.Hour), Heads: 2, Value: 100})
		}
		ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
			return tx.AddPlan(store.Plan{ID: ids.Plan(id), Queue: "lumi-tmall/pre", Range: span, Requirement: need})
		}))
	}
	plan("late", 14, 23)
	in := rostering.RosterInput{From: monday.Add(7), Days: 1, Iterations: 100, Threads: 1, Seed: 1}
	made, err := s.Rostering.MakeRoster(t.Context(), planner, in)
	ok(t, err)
	in.Of = made.Roster.ID
	for seed := range uint64(4) {
		in.Seed = seed
		again, err := s.Rostering.MakeRoster(t.Context(), planner, in)
		ok(t, err)
		assert.Equal(t, 1, again.Roster.Revision, "seed %d", seed)
		assert.Empty(t, again.Changes, "seed %d", seed)
	}
	s.Clock = s.Clock.Add(time.Hour)
	plan("early", 8, 17)
	in.Plans = []ids.Plan{"early"}
	anew, err := s.Rostering.MakeRoster(t.Context(), planner, in)
	ok(t, err)
	assert.Equal(t, 2, anew.Roster.Revision)
	assert.NotEmpty(t, anew.Changes)
	assert.Less(t, anew.Roster.Shifts[0].Start.In(shanghai).Hour(), 10, "the work is in the morning now")
}
