package gate

import (
	"cmp"
	"math"

	"github.com/chaoban/chaoban/internal/ids"
)

// PayMove is somebody whose pay of days that are over a change moves.
type PayMove struct {
	Agent  ids.Agent `json:"agent"`
	Before float64   `json:"before_yuan"` // for the published days from the one on which the change holds until today, a salary included
	After  float64   `json:"after_yuan"`
}

// Moved reports that the pay differs by a fen at least.
func (m PayMove) Moved() bool { return math.Abs(m.After-m.Before) >= 0.005 }

// Compare orders by agent.
func (m PayMove) Compare(o PayMove) int { return cmp.Compare(m.Agent, o.Agent) }
