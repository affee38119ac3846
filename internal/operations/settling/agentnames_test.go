package settling_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/kpi"
)

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
	t.Parallel()
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

	for name, who := range map[string]access.Principal{"client": clientLumi, "token": machine} {
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
			for sheet, rows := range operationstest.Sheets(t, book) {
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
