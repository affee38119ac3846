// Package rostering is the use cases of supervisors about who works when: rosters are made, published,
// compared, edited, repaired after absences, acknowledged by agents and read in their calendars.
//
// It owns what the optimiser is given, and when one roster takes the place of another. It does not own the
// optimiser, the rules, what an edit does (revising), nor the stores. A date is a business day in the
// business time zone.
package rostering

import (
	"context"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// Rostering answers who works when.
type Rostering struct {
	gate    gate.Gate
	desk    *revising.Desk
	policy  Policy
	solving chan struct{} // holds one entry per roster being made
}

// Policy is what all rosters of the house rest on.
type Policy struct {
	Holidays calendar.Holidays
	// RecordLeave enters absences as granted leave, in the transaction of the caller.
	RecordLeave func(ctx context.Context, tx *store.Tx, who access.Principal, kind leave.LeaveKind, absent []AbsentShifts, reason string) ([]ids.Request, error)
}

// AbsentShifts is an absence with what it takes out of a roster.
type AbsentShifts struct {
	revise.Absence
	Effect leave.Effect
}

// maxSolving is how many rosters one process makes or repairs at a time.
const maxSolving = 2

// New connects the use cases; it does no I/O.
func New(g gate.Gate, desk *revising.Desk, policy Policy) *Rostering {
	return &Rostering{gate: g, desk: desk, policy: policy, solving: make(chan struct{}, maxSolving)}
}
