// Package measuring is the use cases of what happened: events come in by file or stream, figures go
// out, and jobs hold them to the raw events and to the platforms' own.
//
// It owns admission: which rows may come in, whose they are, which texts are kept and how buyers are
// hashed; the quarantine of refused lines; how long measurements are kept. It does not own file
// formats (intake, stream), definitions, or how a figure is computed (kpi/warehouse). An instant in a
// row is when something happened; a date is a business day in the business time zone.
package measuring

import (
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Measuring takes events in and gives figures out.
type Measuring struct {
	gate   gate.Gate
	policy Policy
}

// Policy is what the house decided about its measurements.
type Policy struct {
	PutAgents      gate.PutAgents
	Closing        chatlog.ClosingRule // marks buyers' messages that only close; the zero rule marks none
	RetentionYears int                 // how long measurements are kept
	Tolerance      float64             // relative difference from a platform's closed figure that is told, 0 to 1
}

// New connects the use cases; it does no I/O.
func New(g gate.Gate, policy Policy) *Measuring { return &Measuring{gate: g, policy: policy} }
