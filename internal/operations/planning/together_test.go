package planning_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/planning"
)

// A queue that has been silent for more than a year, a former client's, is forecast only when it is named.
func TestAFormerClientIsNotForecast(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	later := today.Add(400).In(shanghai)
	_, err := s.Planning.MakeForecasts(t.Context(), planner, planning.ForecastInput{Origin: later})
	require.Error(t, err)
	assert.Equal(t, "forecast.no_history", fault.CodeOf(err))
	made, err := s.Planning.MakeForecasts(t.Context(), planner, planning.ForecastInput{Queues: []ids.Queue{pre}, Origin: later})
	ok(t, err)
	assert.Len(t, made, 1)
}
