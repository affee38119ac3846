package measuring_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// A client sees its chats and not who answered them; an agent sees its own and not its colleagues'
// part in them.
func TestConversationsNameNoOtherAgent(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	shared := conversation("lumi-tmall/pre", "1", "1001", at("2026-05-20", "10:00:00"), time.Second)
	shared.Rounds = append(shared.Rounds, chatlog.Round{OpenedAt: shared.StartedAt.Add(time.Minute), AnsweredAt: shared.StartedAt.Add(2 * time.Minute), Agent: "1002"})
	s.Ingest(t, warehouse.Batch{Conversations: []chatlog.Conversation{shared}})
	f := operations.ConversationFilter{Range: may.Range(shanghai)}
	for name, c := range map[string]struct {
		who  access.Principal
		want [3]string // of the conversation and its two rounds
	}{
		"planner": {planner, [3]string{"1001", "1001", "1002"}},
		"agent":   {agentLumi, [3]string{"1001", "1001", ""}},
		"client":  {clientLumi, [3]string{}},
		"token":   {machine, [3]string{}},
	} {
		list, _, err := s.Measuring.Conversations(t.Context(), c.who, f, operations.Page{})
		ok(t, err)
		require.Len(t, list, 1, name)
		require.Len(t, list[0].Rounds, 2, name)
		assert.Equal(t, c.want, [3]string{string(list[0].Agent), string(list[0].Rounds[0].Agent), string(list[0].Rounds[1].Agent)}, name)
	}
	f.Agents = []ids.Agent{"1001"}
	for _, who := range []access.Principal{clientLumi, machine} {
		_, _, err := s.Measuring.Conversations(t.Context(), who, f, operations.Page{})
		_ = refused(t, err, "access.forbidden")
	}
}
