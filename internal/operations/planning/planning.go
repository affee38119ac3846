// Package planning is the use cases of supervisors about what will come: a contact history becomes
// forecasts, which are adjusted, agreed on and compared with what came.
//
// It owns what the forecaster is given, as values: series from history; and the limits of one question.
// It does not own the engine, the stores, how a forecast becomes a plan (pricing), nor rosters
// (rostering). A date is a business day in the business time zone.
package planning

import (
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/gate"
)

// Planning answers what will come.
type Planning struct {
	gate   gate.Gate
	policy Policy
}

// Policy is what all planning of the house rests on.
type Policy struct {
	Holidays   calendar.Holidays
	Promotions []Promotion // that ship with the binary, past and planned
}

// New connects the use cases; it does no I/O.
func New(g gate.Gate, policy Policy) *Planning {
	return &Planning{gate: g, policy: policy}
}
