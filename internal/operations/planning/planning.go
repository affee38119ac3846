// Package planning is the use cases of supervisors: a contact history becomes forecasts, plans become
// rosters, and a roster is published.
//
// It owns what forecaster and optimiser are given, as values: series from history, problems from plans
// and people; and the limits of one question. It does not own the engines, the stores, nor how a
// forecast becomes a plan (pricing). A date is a business day in the business time zone.
package planning

import (
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Planning answers who works when.
type Planning struct {
	gate    gate.Gate
	policy  Policy
	solving chan struct{} // holds one entry per roster being made
}

// Policy is what all planning of the house rests on.
type Policy struct {
	Holidays   calendar.Holidays
	Promotions []Promotion // that ship with the binary, past and planned
	Rules      workrules.Params
}

// maxSolving is how many rosters one process makes at a time.
const maxSolving = 2

// New connects the use cases; it does no I/O.
func New(g gate.Gate, policy Policy) *Planning {
	return &Planning{gate: g, policy: policy, solving: make(chan struct{}, maxSolving)}
}
