// Package access decides who may do what to whose data. It decides, it never stores.
//
// A Principal is a person in a session or a machine with a token. A Permission is one verb of
// operations. A Scope is whose data: every store and warehouse query hangs off a Scope.
package access

import (
	"slices"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Role of a user. One user has one role.
type Role string

// The roles.
const (
	Administrator Role = "administrator"
	Planner       Role = "planner"
	Supervisor    Role = "supervisor"
	Quality       Role = "quality"
	AgentRole     Role = "agent"  // sees only itself
	Client        Role = "client" // sees only its own merchant
)

// Roles in the order they are listed to people.
var Roles = []Role{Administrator, Planner, Supervisor, Quality, AgentRole, Client}

// PermissionsOf lists what a role may do; nothing for an unknown role.
func PermissionsOf(r Role) []Permission { return slices.Clone(table[r]) }

// Principal is who asks.
type Principal struct {
	User     ids.User
	Name     string
	Role     Role
	Merchant ids.Merchant // set for Client
	Agent    ids.Agent    // set for AgentRole
	Token    ids.Token    // set when a machine asks
	Grants   []Permission // for tokens: the subset of the role's permissions it carries; nil for sessions
}

// System is the principal of scheduled jobs and of commands run by the operator on the host.
func System(name string) Principal {
	return Principal{User: "system", Name: name, Role: Administrator}
}

// Permission is one verb.
type Permission string

// The permissions, one per family of operations.
const (
	ReadContracts  Permission = "contracts:read"
	WriteContracts Permission = "contracts:write"
	ReadAgents     Permission = "agents:read"
	WriteAgents    Permission = "agents:write"
	ReadPlans      Permission = "plans:read" // forecasts, requirements, rosters
	WritePlans     Permission = "plans:write"
	ReadShifts     Permission = "shifts:read" // published shifts; an agent its own
	ReadKPI        Permission = "kpi:read"
	ReadAgentKPI   Permission = "kpi:agents" // figures by agent
	Ingest         Permission = "ingest:write"
	Quarantine     Permission = "quarantine:manage" // lines that were refused: they may name people
	ReadReports    Permission = "reports:read"
	RunJobs        Permission = "jobs:run"
	ReadJobs       Permission = "jobs:read"
	ManageUsers    Permission = "users:manage"
	ReadAudit      Permission = "audit:read"

	AcknowledgeShifts Permission = "shifts:acknowledge" // say that a roster was seen, and have it in a calendar; an agent its own

	FreezeScorecards Permission = "scorecards:freeze" // close a month's scores, and amend them with a reason
	ManageRetention  Permission = "retention:manage"  // holds, what would be deleted, what was

	ReadRequests   Permission = "requests:read"   // leave, swaps, offers, bidding; an agent its own
	MakeRequests   Permission = "requests:make"   // an agent for itself, a supervisor for anybody
	DecideRequests Permission = "requests:decide" // approve, refuse, offer, draw, book leave
)

// Permissions lists every permission; tests walk it.
var Permissions = []Permission{
	ReadContracts, WriteContracts, ReadAgents, WriteAgents, ReadPlans, WritePlans, ReadShifts,
	ReadKPI, ReadAgentKPI, Ingest, Quarantine, ReadReports, RunJobs, ReadJobs, ManageUsers, ReadAudit,
	FreezeScorecards, ManageRetention, AcknowledgeShifts, ReadRequests, MakeRequests, DecideRequests,
}

var table = map[Role][]Permission{
	Administrator: Permissions,
	Planner: {
		ReadContracts, WriteContracts, ReadAgents, WriteAgents, ReadPlans, WritePlans, ReadShifts,
		ReadKPI, ReadAgentKPI, Ingest, Quarantine, ReadReports, ReadJobs, RunJobs, FreezeScorecards,
		AcknowledgeShifts, ReadRequests, MakeRequests, DecideRequests,
	},
	Supervisor: {
		ReadContracts, ReadAgents, ReadPlans, WritePlans, ReadShifts, ReadKPI, ReadAgentKPI, ReadReports, ReadJobs,
		AcknowledgeShifts, ReadRequests, MakeRequests, DecideRequests,
	},
	Quality:   {ReadContracts, ReadAgents, ReadKPI, ReadAgentKPI, ReadReports},
	AgentRole: {ReadShifts, ReadAgentKPI, AcknowledgeShifts, ReadRequests, MakeRequests},
	Client:    {ReadContracts, ReadKPI, ReadReports},
}

// Scope is whose data a query may touch. The zero Scope sees nothing.
type Scope struct {
	Everything bool
	Merchants  []ids.Merchant
	Agent      ids.Agent // non-empty: only this agent's rows
}

// Allows reports whether a merchant's data may be seen.
func (s Scope) Allows(m ids.Merchant) bool { return s.Everything || slices.Contains(s.Merchants, m) }

// MayName refuses an agent that asks about another by name: an empty list would say that the other has nothing. Nobody
// named is everybody in the scope. Errors: access.forbidden.
func (s Scope) MayName(a ids.Agent) error {
	if s.Agent != "" && a != "" && a != s.Agent {
		return fault.New(fault.Forbidden, "access.forbidden", "an agent speaks for itself only")
	}
	return nil
}

// Can reports whether the principal holds the permission.
func (p Principal) Can(perm Permission) bool {
	if !slices.Contains(table[p.Role], perm) {
		return false
	}
	return p.Token == "" || slices.Contains(p.Grants, perm)
}

// SeesTerms reports that the principal may see what people earn, which protected states they are in and when they are
// away: whoever keeps people on file, plans with them or decides their requests. Others see who they are and what they
// can do.
func (p Principal) SeesTerms() bool {
	return p.Can(WriteAgents) || p.Can(ReadPlans) || p.Can(ReadRequests)
}

// DecideAny is Decide by the first of several permissions that the principal holds; without any of them it is refused
// as by the first.
func DecideAny(p Principal, first Permission, others ...Permission) (Scope, error) {
	for _, perm := range others {
		if !p.Can(first) && p.Can(perm) {
			return Decide(p, perm)
		}
	}
	return Decide(p, first)
}

// Decide returns the scope in which the principal may use the permission, or a Forbidden fault.
func Decide(p Principal, perm Permission) (Scope, error) {
	if p.User == "" {
		return Scope{}, fault.New(fault.Unauthenticated, "access.unauthenticated", "log in first")
	}
	if !p.Can(perm) {
		if p.Token != "" {
			return Scope{}, fault.New(fault.Forbidden, "access.forbidden", "this token may not use %s", perm)
		}
		return Scope{}, fault.New(fault.Forbidden, "access.forbidden", "the role %s may not use %s", p.Role, perm)
	}
	switch p.Role {
	case Client:
		if p.Merchant == "" {
			return Scope{}, fault.New(fault.Forbidden, "access.no_merchant", "this client login belongs to no merchant")
		}
		return Scope{Merchants: []ids.Merchant{p.Merchant}}, nil
	case AgentRole:
		if p.Agent == "" {
			return Scope{}, fault.New(fault.Forbidden, "access.no_agent", "this login belongs to no agent")
		}
		return Scope{Agent: p.Agent}, nil
	case Administrator, Planner, Supervisor, Quality:
		return Scope{Everything: true}, nil
	default: // a new role sees nothing until somebody says here what it sees
		return Scope{}, fault.New(fault.Forbidden, "access.forbidden", "the role %s may not use %s", p.Role, perm)
	}
}
