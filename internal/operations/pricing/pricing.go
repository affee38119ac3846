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
	"context"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Pricing answers how many are needed, why, and what it costs.
type Pricing struct {
	gate   gate.Gate
	policy Policy
}

// Policy is what all pricing of the house rests on.
type Policy struct {
	Holidays calendar.Holidays
	// Events are the sales events that a queue feels, past and planned; nil = none are known.
	Events func(ctx context.Context, view *store.View, queue ids.Queue) ([]forecast.Event, error)
	// Tickets forecasts the after-sales tickets of a queue by day, at a level (0 = the mean); nil = none are known. Errors
	// of kind NotFound, Invalid and Forbidden say why nothing is known.
	Tickets func(ctx context.Context, who access.Principal, queue ids.Queue, dates calendar.Dates, level float64) (TicketDemand, error)
}

// New connects the use cases; it does no I/O.
func New(g gate.Gate, policy Policy) *Pricing { return &Pricing{gate: g, policy: policy} }
