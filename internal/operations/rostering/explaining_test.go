package rostering_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// Three are wanted from 9 to 18, 27 head-hours, and three work. A shift that is taken away by hand is short
// in the explanation of the new revision; that of the first one stays as it was.
func TestExplainIsOfTheRevision(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	span := calendar.Day(monday.Add(7), shanghai)
	need := scheduling.Requirement{Queue: "lumi-tmall/pre", Slot: time.Hour}
	for hour := 9; hour < 18; hour++ {
		need.Needs = append(need.Needs, scheduling.Need{Start: span.Start.Add(time.Duration(hour) * time.Hour), Heads: 3, Value: 100})
	}
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		return tx.AddPlan(store.Plan{ID: "wide", Queue: "lumi-tmall/pre", Range: span, Requirement: need})
	}))
	made, err := s.Rostering.MakeRoster(t.Context(), planner, rostering.RosterInput{From: monday.Add(7), Days: 1, Iterations: 100, Threads: 1})
	ok(t, err)
	id := made.Roster.ID
	first, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: id})
	ok(t, err)
	assert.False(t, first.Changed)
	assert.InDelta(t, 27, first.Needed, 1e-9)
	assert.InDelta(t, made.Solution.Missing, first.Missing, 1e-9)

	gone := made.Roster.Shifts[0]
	work := 0.0
	for _, a := range gone.Activities {
		if a.Kind == scheduling.Work {
			work += a.End.Sub(a.Start).Hours()
		}
	}
	_, err = s.Rostering.EditRoster(t.Context(), planner, rostering.EditInput{
		Roster: id, Edits: []revise.Edit{{Kind: revise.Remove, Agent: gone.Agent, Start: gone.Start}}, Reason: "x", Overrule: true, Expect: store.AnyVersion,
	})
	ok(t, err)
	now, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: id})
	ok(t, err)
	assert.True(t, now.Changed)
	assert.Equal(t, 2, now.Revision)
	require.NotNil(t, now.Totals)
	assert.InDelta(t, first.Missing+work, now.Missing, 1e-9)
	sum := 0.0
	for _, u := range now.Uncovered {
		sum += float64(u.Missing) * u.Range.Duration().Hours()
	}
	assert.InDelta(t, now.Missing, sum, 1e-9)
	again, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: id, Revision: 1})
	ok(t, err)
	assert.Equal(t, first.Missing, again.Missing)
}
