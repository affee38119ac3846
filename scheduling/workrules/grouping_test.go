package workrules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// Four short rests of two people and a missing agreement are two groups; the examples are the first in time.
func TestBreachesAreGroupedByRule(t *testing.T) {
	at := func(day int) calendar.Range {
		start := time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC)
		return calendar.Range{Start: start, End: start.Add(time.Hour)}
	}
	groups := ByRule([]Violation{
		{Rule: "holidays.agreed", Agent: "b", Range: at(9)},
		{Rule: "rest.between_warn", Agent: "b", Range: at(4)},
		{Rule: "rest.between_warn", Agent: "a", Range: at(3)},
		{Rule: "rest.between_warn", Agent: "b", Range: at(2)},
		{Rule: "rest.between_warn", Agent: "a", Range: at(5)},
	}, DefaultParams(), 2)
	require.Len(t, groups, 2)
	assert.Equal(t, "rest.between_warn", groups[0].Rule, "in the order of the pack")
	assert.Equal(t, 4, groups[0].Count)
	assert.Equal(t, []ids.Agent{"a", "b"}, groups[0].Agents)
	require.Len(t, groups[0].Examples, 2)
	assert.Equal(t, 2, groups[0].Examples[0].Range.Start.Day())
	assert.Equal(t, 3, groups[0].Examples[1].Range.Start.Day())
	assert.Equal(t, 1, groups[1].Count)
}
