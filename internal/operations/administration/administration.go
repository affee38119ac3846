// Package administration is the use cases of operators: master data (merchants, contracts, sites,
// teams, agents, accounts), users with their sessions and tokens, and the audit trail.
//
// It owns that a contract version in force is not edited, that a term can be measured, how a login is
// throttled and how passwords and secrets are kept. It does not own what a role may do
// (internal/access). A date of a contract is a business day in the business time zone; a session
// expires at an instant.
package administration

import (
	"time"

	"github.com/chaoban/chaoban/internal/operations/gate"
)

// Administration keeps master data, users and the audit trail.
type Administration struct {
	gate   gate.Gate
	policy Policy
}

// Policy is how long a session lasts, how often a login may fail, and how agents are put.
type Policy struct {
	PutAgents       gate.PutAgents
	SessionLifetime time.Duration
	LoginAttempts   int // failures per login and address before it waits
	LoginWindow     time.Duration
}

// New connects the use cases; it does no I/O.
func New(g gate.Gate, policy Policy) *Administration {
	return &Administration{gate: g, policy: policy}
}
