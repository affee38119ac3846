package access_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// decisions is who may do what, as a supervisor would review it: a planner, s supervisor,
// q quality, g agent (only itself), c client (only its merchant). The administrator may do all.
const decisions = `
contracts:read   p s q - c
contracts:write  p - - - -
agents:read      p s q - -
agents:write     p - - - -
plans:read       p s - - -
plans:write      p s - - -
shifts:read      p s - g -
kpi:read         p s q - c
kpi:agents       p s q g -
ingest:write     p - - - -
reports:read     p s q - c
jobs:run         p - - - -
jobs:read        p s - - -
users:manage     - - - - -
audit:read       - - - - -
quarantine:manage p - - - -
scorecards:freeze p - - - -
retention:manage - - - - -
shifts:acknowledge p s - g -
requests:read    p s - g -
requests:make    p s - g -
requests:decide  p s - - -
`

func principal(role access.Role) access.Principal {
	p := access.Principal{User: "u", Name: "n", Role: role}
	switch role {
	case access.Client:
		p.Merchant = "m1"
	case access.AgentRole:
		p.Agent = "a1"
	}
	return p
}

// TestDecide walks every permission and role and compares with the table above.
func TestDecide(t *testing.T) {
	columns := []access.Role{access.Planner, access.Supervisor, access.Quality, access.AgentRole, access.Client}
	listed := map[access.Permission]bool{}
	for line := range strings.Lines(strings.TrimSpace(decisions)) {
		cells := strings.Fields(line)
		require.Len(t, cells, 6, line)
		permission := access.Permission(cells[0])
		listed[permission] = true
		check(t, permission, access.Administrator, true)
		for i, role := range columns {
			check(t, permission, role, cells[i+1] != "-")
		}
	}
	for _, p := range access.Permissions {
		assert.True(t, listed[p], "%s is not in the table", p)
	}
	assert.Len(t, listed, len(access.Permissions), "the table names permissions that exist, once")
	assert.Len(t, access.Roles, len(columns)+1)
}

// One of several permissions is enough, in the scope that it gives; without any the first is what is missing.
func TestDecideAny(t *testing.T) {
	scope, err := access.DecideAny(principal(access.Supervisor), access.WriteAgents, access.DecideRequests)
	require.NoError(t, err)
	assert.Equal(t, access.Scope{Everything: true}, scope)
	_, err = access.DecideAny(principal(access.Planner), access.WriteAgents, access.ManageUsers)
	require.NoError(t, err)
	_, err = access.DecideAny(principal(access.AgentRole), access.WriteAgents, access.DecideRequests)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "agents:write")
	_, err = access.DecideAny(access.Principal{}, access.WriteAgents, access.DecideRequests)
	assert.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	narrow := principal(access.Administrator)
	narrow.Token, narrow.Grants = "k", []access.Permission{access.DecideRequests}
	_, err = access.DecideAny(narrow, access.WriteAgents, access.DecideRequests)
	require.NoError(t, err)
}

func check(t *testing.T, permission access.Permission, role access.Role, allowed bool) {
	t.Helper()
	scope, err := access.Decide(principal(role), permission)
	if !allowed {
		assert.Equal(t, access.Scope{}, scope, "%s as %s", permission, role)
		if assert.Error(t, err, "%s as %s", permission, role) {
			assert.Equal(t, fault.Forbidden, fault.KindOf(err))
		}
		return
	}
	require.NoError(t, err, "%s as %s", permission, role)
	want := access.Scope{Everything: true}
	switch role {
	case access.Client:
		want = access.Scope{Merchants: []ids.Merchant{"m1"}}
	case access.AgentRole:
		want = access.Scope{Agent: "a1"}
	}
	assert.Equal(t, want, scope, "%s as %s", permission, role)
}

func TestDecideRefusesTheUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		principal access.Principal
		code      string
	}{
		"nobody":               {access.Principal{}, "access.unauthenticated"},
		"no user":              {access.Principal{Role: access.Administrator}, "access.unauthenticated"},
		"no role":              {access.Principal{User: "u"}, "access.forbidden"},
		"made-up role":         {access.Principal{User: "u", Role: "root"}, "access.forbidden"},
		"client of nobody":     {access.Principal{User: "u", Role: access.Client}, "access.no_merchant"},
		"client with an agent": {access.Principal{User: "u", Role: access.Client, Agent: "a1"}, "access.no_merchant"},
	} {
		scope, err := access.Decide(c.principal, access.ReadKPI)
		assert.Equal(t, c.code, fault.CodeOf(err), name)
		assert.Equal(t, access.Scope{}, scope, name)
	}
	_, err := access.Decide(access.Principal{User: "u", Role: access.AgentRole, Merchant: "m1"}, access.ReadShifts)
	assert.Equal(t, "access.no_agent", fault.CodeOf(err))
	_, err = access.Decide(principal(access.Administrator), "everything:*")
	assert.Equal(t, "access.forbidden", fault.CodeOf(err), "a permission that does not exist")
}

// TestTokens proves that a token never carries more than its role, and nothing that it was not
// granted.
func TestTokens(t *testing.T) {
	for _, role := range access.Roles {
		for _, granted := range access.Permissions {
			p := principal(role)
			session := p
			p.Token, p.Grants = "k", []access.Permission{granted}
			for _, asked := range access.Permissions {
				want := asked == granted && session.Can(asked)
				assert.Equal(t, want, p.Can(asked), "%s with %s asks %s", role, granted, asked)
			}
			p.Grants = nil
			assert.False(t, p.Can(granted), "a token without grants may do nothing")
		}
	}
}

func TestScope(t *testing.T) {
	assert.False(t, access.Scope{}.Allows("m1"))
	assert.False(t, access.Scope{}.Allows(""))
	assert.True(t, access.Scope{Everything: true}.Allows("m1"))
	assert.True(t, access.Scope{Merchants: []ids.Merchant{"m1"}}.Allows("m1"))
	assert.False(t, access.Scope{Merchants: []ids.Merchant{"m1"}}.Allows("m2"))
	assert.False(t, access.Scope{Agent: "a1"}.Allows("m1"))
	assert.NoError(t, access.Scope{Agent: "a1"}.MayName(""))
	assert.NoError(t, access.Scope{Agent: "a1"}.MayName("a1"))
	assert.Equal(t, "access.forbidden", fault.CodeOf(access.Scope{Agent: "a1"}.MayName("a2")))
	assert.NoError(t, access.Scope{Everything: true}.MayName("a2"))
	scope, err := access.Decide(access.System("job"), access.ManageUsers)
	require.NoError(t, err)
	assert.True(t, scope.Everything)
}
