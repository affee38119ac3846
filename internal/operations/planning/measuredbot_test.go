package planning_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// An imported history ends a week ago and counts people or all arrivals; what was measured after it is made to count
// the same, and seven of ten an open quarter hour reach people either way.
func TestMeasuredConversationsContinueWhatTheHistoryCounts(t *testing.T) {
	t.Parallel()
	for counts, offered := range map[forecast.Counted]float64{forecast.CountsPeople: 7, forecast.CountsArrivals: 10} {
		s := newStack(t)
		s.ApplyContracts(t, operationstest.MerchantsYAML)
		s.importHistory(t, today.Add(-28), today.Add(-7), func(at time.Time) (float64, int) {
			if demandAt(at) == 0 {
				return 0, 0
			}
			return offered, 200
		})
		s.Ingest(t, warehouse.Batch{Conversations: chats(today.Add(-14), today, 10, 3)})
		made, result, said := s.botForecast(t, planning.ForecastInput{})
		assert.Equal(t, counts, said.Bot.HistoryCounts)
		for _, p := range made.Curve.Points {
			assert.InEpsilon(t, 7, p.Mean, 0.08, "%s %s", counts, p.Start.In(shanghai))
		}
		for _, f := range result.Findings {
			assert.NotEqual(t, forecast.LevelShift, f.Kind, "no step where measuring begins")
		}
	}
}
