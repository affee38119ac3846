package operations_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// machine is a planner's token that was not granted figures by agent.
var machine = access.Principal{User: "u-planner", Role: access.Planner, Token: "k", Grants: []access.Permission{access.ReadReports, access.ReadKPI, access.RunJobs}}

// nobodyNamed asserts that the agents of a report are numbered, with the figures that they have.
func nobodyNamed(t *testing.T, full, shown exports.SLAReport) {
	t.Helper()
	require.Len(t, shown.Agents, len(full.Agents))
	text, err := json.Marshal(shown)
	ok(t, err)
	rest := shown.Agents
	for _, a := range full.Agents {
		assert.NotContains(t, string(text), `"`+string(a.Agent)+`"`)
		assert.NotContains(t, string(text), a.Name)
		require.NotEmpty(t, a.Team)
		assert.NotContains(t, string(text), a.Team)
	}
	assert.Equal(t, "客服 01", rest[0].Name)
	assert.Equal(t, "客服 02", rest[1].Name)
	for _, metric := range []kpi.Metric{"offered", "handled", "first_response"} {
		var want, got []float64
		for i := range full.Agents {
			want = append(want, asked(full.Agents[i].Readings, []kpi.Metric{metric})[0].Numerator)
			got = append(got, asked(rest[i].Readings, []kpi.Metric{metric})[0].Numerator)
		}
		assert.ElementsMatch(t, want, got, metric)
	}
	shown.Agents = full.Agents
	assert.Equal(t, full, shown, "everything else is the same report")
}

func TestReportsNameNobodyToAClient(t *testing.T) {
	s, _ := reportStack(t)
	ctx := t.Context()
	full, err := s.Settling.SLAReport(ctx, planner, "lumi-2026", may)
	ok(t, err)
	require.Equal(t, "1001", string(full.Agents[0].Agent))
	kept, err := s.Settling.KeepReport(ctx, machine, "lumi-2026", may)
	ok(t, err)
	assert.NotContains(t, string(kept.Model), "客服1001", "the answer to who had it made")
	again, err := s.Settling.Report(ctx, planner, kept.ID)
	ok(t, err)
	stored, err := s.Settling.ReportModel(again)
	ok(t, err)
	assert.Equal(t, full.Agents, stored.Agents, "what is kept has the names")
	assert.Equal(t, kept.SHA256, again.SHA256)

	for name, who := range map[string]principal{"client": clientLumi, "token": machine} {
		live, err := s.Settling.SLAReport(ctx, who, "lumi-2026", may)
		ok(t, err)
		nobodyNamed(t, full, live)
		report, err := s.Settling.Report(ctx, who, kept.ID)
		ok(t, err)
		assert.NotContains(t, string(report.Model), "客服1001")
		old, err := s.Settling.ReportModel(report)
		ok(t, err)
		nobodyNamed(t, stored, old)
		for _, model := range []exports.SLAReport{live, old} {
			book, err := s.Settling.SLAWorkbook(model)
			ok(t, err)
			for sheet, rows := range readSheets(t, book) {
				for _, row := range rows {
					for _, cell := range row {
						assert.NotContains(t, []string{"1001", "1002"}, cell, "%s of the %s", sheet, name)
						assert.False(t, strings.Contains(cell, "客服100") || strings.Contains(cell, full.Agents[0].Team), "%s of the %s: %s", sheet, name, cell)
					}
				}
			}
		}
	}
}

// A client sees its chats and not who answered them; an agent sees its own and not its colleagues'
// part in them.
func TestConversationsNameNoOtherAgent(t *testing.T) {
	s := newStack(t)
	shared := conversation("lumi-tmall/pre", "1", "1001", at("2026-05-20", "10:00:00"), time.Second)
	shared.Rounds = append(shared.Rounds, chatlog.Round{OpenedAt: shared.StartedAt.Add(time.Minute), AnsweredAt: shared.StartedAt.Add(2 * time.Minute), Agent: "1002"})
	s.ingest(t, warehouse.Batch{Conversations: []chatlog.Conversation{shared}})
	f := operations.ConversationFilter{Range: may.Range(shanghai)}
	for name, c := range map[string]struct {
		who  principal
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
	for _, who := range []principal{clientLumi, machine} {
		_, _, err := s.Measuring.Conversations(t.Context(), who, f, operations.Page{})
		_ = refused(t, err, "access.forbidden")
	}
}
