// Package settling is the use cases that hold what was measured against what was promised, and keep
// the outcome: monthly SLA reports for merchants and finance, scores of agents by the terms of the
// contracts they work for, daily scorecards, and the freeze that closes a month.
//
// It owns the question that a contract term asks of the warehouse, what is kept when, and that a
// closed month never changes. It does not own the terms (contracts), the figures (kpi/warehouse) or
// the form of a report (exports). A month is a calendar month in the business time zone.
package settling

import "github.com/chaoban/chaoban/internal/operations/gate"

// Settling compares what was promised with what was measured.
type Settling struct {
	gate   gate.Gate
	policy Policy
}

// Policy is when the house closes its books.
type Policy struct {
	FreezeDay int // of the next month, on which a month's scorecards are frozen, 1 to 28
}

// New connects the use cases; it does no I/O.
func New(g gate.Gate, policy Policy) *Settling { return &Settling{gate: g, policy: policy} }
