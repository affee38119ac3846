package revise

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// A shift that goes from 12:00 to 11:30 and then to 09:30, 10 yuan each, goes to 09:30 once, for 20; a step of somebody
// else between the two stays as it is. What the first step broke and the second mended is not told.
func TestStepsOfOneShiftAreOne(t *testing.T) {
	t.Parallel()
	shift := func(agent ids.Agent, hour, minute int) *scheduling.Shift {
		start := time.Date(2026, 11, 24, hour, minute, 0, 0, time.UTC)
		return &scheduling.Shift{Agent: agent, Code: "D", Start: start, End: start.Add(8 * time.Hour)}
	}
	mended, stays := workrules.Violation{Rule: "a", Agent: "A0044"}, workrules.Violation{Rule: "b", Agent: "A0044"}
	step := func(kind MoveKind, before, after *scheduling.Shift, saves, costs float64, soft ...workrules.Violation) RepairMove {
		return RepairMove{Kind: kind, Changes: []Change{{Before: before, After: after}}, Saves: saves, Costs: costs, Soft: soft}
	}
	got := fold([]RepairMove{
		step(Retask, shift("A0044", 12, 0), shift("A0044", 11, 30), 30, 10, mended),
		step(Extend, shift("B", 9, 0), shift("B", 8, 0), 5, 1),
		step(Exchange, shift("A0044", 11, 30), shift("A0044", 9, 30), 40, 10, stays),
	}, []workrules.Violation{stays}, time.UTC)
	require.Len(t, got, 2)
	assert.Equal(t, Exchange, got[0].Kind)
	require.Len(t, got[0].Changes, 1)
	assert.Equal(t, shift("A0044", 12, 0).Start, got[0].Changes[0].Before.Start)
	assert.Equal(t, shift("A0044", 9, 30).Start, got[0].Changes[0].After.Start)
	assert.InDelta(t, 70, got[0].Saves, 1e-9)
	assert.InDelta(t, 20, got[0].Costs, 1e-9)
	assert.Equal(t, []workrules.Violation{stays}, got[0].Soft)
	assert.Equal(t, ids.Agent("B"), got[1].Changes[0].Agent())
}
