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

// AgentsPut is what became of agents, and which published shifts from today on break rules by it.
type AgentsPut struct {
	store.PutResult
	Broken   []Break   `json:"broken,omitempty"`    // by agent and time
	PayMoved []PayMove `json:"pay_moved,omitempty"` // whose pay of days that are over is another by it
}

// PutAgents adds or replaces agents and tells what that breaks. A wage or an employment that changes is paid by from
// payFrom on, up to 366 days ago, or from today when that is zero; days before it keep their pay. Errors: agent.pay_from.
type PutAgents func(ctx context.Context, tx *store.Tx, agents []workforce.Agent, payFrom calendar.Date) (AgentsPut, error)
