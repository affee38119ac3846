package scheduling

import (
	"encoding/json"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// Lengths of time carry their unit outside of Go: a slot is text ("30m", "24h") and a handling time
// seconds (handle_time_s). Documents that were stored before have whole nanoseconds in slot and
// handle_time; they are read as well.

// curveJSON is a Curve as it is written.
type curveJSON struct {
	Queue  ids.Queue       `json:"queue"`
	Slot   calendar.Length `json:"slot"`
	Levels []float64       `json:"levels"`
	Points []Point         `json:"points"`
}

// MarshalJSON writes the slot as text.
func (c Curve) MarshalJSON() ([]byte, error) {
	return json.Marshal(curveJSON{c.Queue, calendar.Length(c.Slot), c.Levels, c.Points})
}

// UnmarshalJSON reads the slot as text or as nanoseconds.
func (c *Curve) UnmarshalJSON(raw []byte) error {
	var read curveJSON
	if err := json.Unmarshal(raw, &read); err != nil {
		return err
	}
	*c = Curve{Queue: read.Queue, Slot: time.Duration(read.Slot), Levels: read.Levels, Points: read.Points}
	return nil
}

// pointJSON is a Point as it is written.
type pointJSON struct {
	Start     time.Time `json:"start"`
	Mean      float64   `json:"mean"`
	Quantiles []float64 `json:"quantiles"`
	HandleS   float64   `json:"handle_time_s,omitempty"`
}

// MarshalJSON writes the handling time in seconds.
func (p Point) MarshalJSON() ([]byte, error) {
	return json.Marshal(pointJSON{p.Start, p.Mean, p.Quantiles, p.HandleTime.Seconds()})
}

// UnmarshalJSON reads the handling time in seconds, or as nanoseconds.
func (p *Point) UnmarshalJSON(raw []byte) error {
	var read struct {
		pointJSON
		Old time.Duration `json:"handle_time"`
	}
	if err := json.Unmarshal(raw, &read); err != nil {
		return err
	}
	*p = Point{Start: read.Start, Mean: read.Mean, Quantiles: read.Quantiles, HandleTime: read.Old}
	if read.HandleS != 0 {
		p.HandleTime = time.Duration(math.Round(read.HandleS * float64(time.Second)))
	}
	return nil
}
