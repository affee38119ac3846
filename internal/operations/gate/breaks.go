package gate

import (
	"context"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Break is a rule that published shifts break since something changed that they are judged by: what is on file
// about people, what queues ask for, the rules of the house. The shifts stay as they are: a supervisor moves,
// swaps or repairs them.
type Break struct {
	workrules.Violation
	Shifts []calendar.Range `json:"shifts"` // the published shifts it is about
}

// PutAgents adds or replaces agents and tells the published shifts from today on that break rules by it.
type PutAgents func(ctx context.Context, tx *store.Tx, agents []workforce.Agent) (store.PutResult, []Break, error)
