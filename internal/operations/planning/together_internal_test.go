package planning

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Whoever gives up waiting for a forecast is told so; the text of the context stays inside.
func TestAnInterruptedForecastSaysSo(t *testing.T) {
	one := asked{
		series:  forecast.Series{Slot: 24 * time.Hour, First: calendar.MakeDate(2026, 11, 2), Values: make([]float64, 30)},
		options: forecast.Options{Horizon: 24 * time.Hour},
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	late, done := context.WithTimeout(t.Context(), 0)
	defer done()
	for ctx, kind := range map[context.Context]fault.Kind{gone: fault.Canceled, late: fault.Timeout} {
		err := forecastTogether(ctx, []asked{one})
		var f *fault.Error
		require.ErrorAs(t, err, &f)
		assert.Equal(t, kind, f.Kind)
		assert.NotContains(t, f.Error(), "context")
	}
}
