package httpapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/operations/administration"
)

// Quality sees who agents are and what they can do, and not what they earn, in which protected state they are or when
// they are away: it may read neither rosters nor requests nor facts. Nor does a token that may only read agents.
func TestWhatPeopleEarnIsWithheld(t *testing.T) {
	h := open(t, nil)
	body := `{"agents":[{"id":"1001","name":"客服1001","team":"t1","site":"hz","employment":"standard","employed":{"from":"2026-01-01"},"concurrency":3,"wage":"30.00",` +
		`"conditions":[{"condition":"nursing","from":"2026-01-01","until":"2027-01-01"}],"unavailable":[{"start":"2026-06-01T00:00:00Z","end":"2026-06-02T00:00:00Z"}],` +
		`"skills":[{"queue":"lumi-tmall/pre","from":"2026-01-01","level":1}]}]}`
	require.Equal(t, 200, h.ask(t, "planner", "PUT", "/v1/agents", body).status)
	admin := access.Principal{User: h.user(t, "admin"), Role: access.Administrator}
	secret, _, err := h.Administration.IssueToken(t.Context(), admin, administration.TokenInput{Name: "t", Grants: []access.Permission{access.ReadAgents}})
	require.NoError(t, err)
	h.tokens["narrow"] = secret

	for login, sees := range map[string]bool{"admin": true, "planner": true, "supervisor": true, "quality": false, "narrow": false} {
		one := h.ask(t, login, "GET", "/v1/agents/1001", nil)
		require.Equal(t, 200, one.status, login)
		var all struct {
			Items []map[string]json.RawMessage `json:"items"`
		}
		h.ask(t, login, "GET", "/v1/agents", nil).into(t, &all)
		var doc map[string]json.RawMessage
		one.into(t, &doc)
		for _, d := range append(all.Items, doc) {
			var agent map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(d["value"], &agent))
			if string(agent["id"]) != `"1001"` {
				continue
			}
			assert.Contains(t, agent, "skills", login)
			for _, field := range []string{"wage", "conditions", "unavailable"} {
				assert.Equal(t, sees, agent[field] != nil, "%s as %s", field, login)
			}
			assert.Equal(t, !sees, agent["withheld"] != nil, login)
		}
		for _, private := range []string{"nursing", "30.00"} {
			assert.Equal(t, sees, strings.Contains(string(one.body), private), "%s as %s", private, login)
		}
	}
}
