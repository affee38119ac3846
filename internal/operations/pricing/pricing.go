// Package pricing is the use cases of supervisors between a forecast and a roster: a demand curve
// becomes heads per slot under the contract in force, each number opens into what it rests on, it
// costs money, and what-if scenarios are made, compared and promoted.
//
// It owns what scheduling/staffing is given, as values: the curve that counts (what was agreed with
// the client, else the newest forecast with its adjustments), targets from contract terms, and what
// hours cost. It does not own the models, forecasts (planning) or statements (settling).
//
// A date is a business day in the business time zone; a slot is named by its first instant.
package pricing

import (
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/gate"
)

// Pricing answers how many are needed, why, and what it costs.
type Pricing struct {
	gate   gate.Gate
	policy Policy
}

// Policy is what all pricing of the house rests on.
type Policy struct {
	Holidays calendar.Holidays
}

// New connects the use cases; it does no I/O.
func New(g gate.Gate, policy Policy) *Pricing { return &Pricing{gate: g, policy: policy} }
