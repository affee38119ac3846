package forecast_test

import (
	"time"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// observation is one record of a history: contacts at or from Start.
type observation struct {
	Start time.Time
	Value float64
}

// newSeries puts observations on a grid.
func newSeries(queue ids.Queue, slot time.Duration, loc *time.Location, obs []observation) (forecast.Series, error) {
	b, err := forecast.NewBuilder(slot, loc)
	if err != nil {
		return forecast.Series{}, err
	}
	for _, o := range obs {
		if err := b.Add(o.Start, o.Value); err != nil {
			return forecast.Series{}, err
		}
	}
	return b.Series(queue), nil
}
