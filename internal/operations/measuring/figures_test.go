package measuring_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/kpi"
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

// A name that does not exist is an error, not an answer of zero; what is outside a client's scope does not
// exist for it, and an agent may not ask for another.
func TestFiltersNameWhatExists(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.Ingest(t, warehouse.Batch{Conversations: monthOfChats()[:20]}) // of lumi
	ask := func(who access.Principal, q kpi.Query) []error {
		q.Metrics, q.Within, q.Grain, q.Range = []kpi.Metric{"tmall.human_3min"}, 30*time.Second, kpi.Whole, may.Range(shanghai)
		_, _, items := s.Measuring.Items(t.Context(), who, measuring.ItemQuery{
			Metric: "tmall.human_3min", Range: q.Range, Merchants: q.Merchants, Shops: q.Shops, Queues: q.Queues, Agents: q.Agents,
		}, operations.Page{})
		q.Metrics = []kpi.Metric{"offered"}
		_, figures := s.Measuring.Figures(t.Context(), who, q)
		_, _, list := s.Measuring.Conversations(t.Context(), who, operations.ConversationFilter{
			Range: q.Range, Merchants: q.Merchants, Shops: q.Shops, Queues: q.Queues, Agents: q.Agents,
		}, operations.Page{})
		return []error{figures, list, items}
	}
	for name, c := range map[string]struct {
		who  access.Principal
		q    kpi.Query
		code string
	}{
		"merchant":                  {admin, kpi.Query{Merchants: []ids.Merchant{"nosuch"}}, "store.not_found"},
		"shop":                      {admin, kpi.Query{Shops: []ids.Shop{"lumi-tmall", "nosuch"}}, "store.not_found"},
		"queue":                     {admin, kpi.Query{Queues: []ids.Queue{"nosuch"}}, "store.not_found"},
		"agent":                     {admin, kpi.Query{Agents: []ids.Agent{"nosuch"}}, "store.not_found"},
		"another client's merchant": {clientLumi, kpi.Query{Merchants: []ids.Merchant{"orca"}}, "store.not_found"},
		"another client's shop":     {clientLumi, kpi.Query{Shops: []ids.Shop{"orca-jd"}}, "store.not_found"},
		"another agent":             {agentLumi, kpi.Query{Agents: []ids.Agent{"1002"}}, "access.forbidden"},
		"an agent's merchant":       {agentLumi, kpi.Query{Merchants: []ids.Merchant{"lumi"}}, ""},
		"measured, not entered":     {admin, kpi.Query{Agents: []ids.Agent{"1001"}, Shops: []ids.Shop{"lumi-tmall"}}, ""},
	} {
		for i, err := range ask(c.who, c.q) {
			if c.code == "" {
				if i < 2 { // the metric of the items is not among this stack's
					ok(t, err)
				}
				continue
			}
			if i == 2 && name == "agent" {
				continue
			}
			_ = refused(t, err, c.code)
		}
	}
	conversions := func(f operations.ConversionFilter) error {
		_, _, err := s.Measuring.Conversions(t.Context(), clientLumi, f, operations.Page{})
		return err
	}
	_ = refused(t, conversions(operations.ConversionFilter{Shop: "nosuch"}), "store.not_found")
	_ = refused(t, conversions(operations.ConversionFilter{Merchant: "orca"}), "store.not_found")
	ok(t, conversions(operations.ConversionFilter{Merchant: "lumi"}))
}
