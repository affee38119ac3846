package measuring_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/reconcile"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// What Tmall's file would say about our own chats: answered rounds over rounds, with two decimals.
func TestReconciliation(t *testing.T) {
	t.Parallel()
	s := stackOn(t, enginetest.Start(t), operationstest.Definitions(t, "tmall"))
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	all := operationstest.Of(monthOfChats(), func(c chatlog.Conversation) bool {
		return !c.StartedAt.Before(at("2026-05-20", "00:00:00")) && c.StartedAt.Before(at("2026-05-23", "00:00:00"))
	})
	s.Ingest(t, warehouse.Batch{Conversations: all})
	truth := func(day string) float64 {
		rounds, hits := 0, 0
		for _, c := range all {
			if c.Shop == "lumi-tmall" && calendar.DateOf(c.StartedAt, shanghai).String() == day {
				rounds++
				if !c.AnsweredAt.IsZero() { // nobody waits longer than 50 s
					hits++
				}
			}
		}
		require.Positive(t, rounds)
		return math.Round(float64(hits)/float64(rounds)*1e4) / 1e4
	}
	figure := func(day string, value float64) chatlog.DailyFigure {
		return chatlog.DailyFigure{
			Platform: "tmall", Merchant: "lumi", Shop: "lumi-tmall", Date: day, Item: "human_3min_rate", Header: "3分钟人工响应率", Unit: "share", Base: "round",
			Value: value, Closed: true,
		}
	}
	wrong := truth("2026-05-21") - 0.05
	s.Ingest(t, warehouse.Batch{ID: "f1", Figures: []chatlog.DailyFigure{figure("2026-05-20", truth("2026-05-20")), figure("2026-05-21", wrong)}})
	in := measuring.ReconcileInput{Shops: []ids.Shop{"lumi-tmall"}, Dates: calendar.Dates{From: date("2026-05-20"), Until: date("2026-05-23")}}
	r, err := s.Measuring.Reconcile(t.Context(), clientLumi, in)
	ok(t, err)
	verdicts := map[string]reconcile.Verdict{}
	for _, l := range r.Lines {
		if l.Item == "human_3min_rate" {
			verdicts[l.Date.String()] = l.Verdict
			assert.Equal(t, "v2023", l.Version)
		}
	}
	assert.Equal(t, map[string]reconcile.Verdict{"2026-05-20": reconcile.Equal, "2026-05-21": reconcile.Different, "2026-05-22": reconcile.OnlyOurs}, verdicts)

	book, err := s.Measuring.ReconciliationWorkbook(r)
	ok(t, err)
	var again bytes.Buffer
	ok(t, workbook.Reconciliation(&again, r))
	assert.Equal(t, book, again.Bytes(), "the same model, the same bytes")

	rows, err := s.Measuring.ReconcileAll(t.Context(), admin, at("2026-06-01", "07:30:00"))
	ok(t, err)
	assert.EqualValues(t, 2, rows)
	alerts := func() operations.Alert {
		t.Helper()
		list, _, err := s.Alerts(t.Context(), supervisor, "", operations.Page{})
		ok(t, err)
		require.Len(t, list, 1)
		return list[0]
	}
	assert.Equal(t, store.Firing, alerts().State)
	assert.Contains(t, alerts().Text, "human_3min_rate of lumi-tmall on 2026-05-21")
	kept, _, err := s.Measuring.Reconciliations(t.Context(), clientLumi, operations.ReconciliationFilter{}, operations.Page{})
	ok(t, err)
	require.Len(t, kept, 2)
	assert.Equal(t, []int{1, 0}, []int{kept[0].Beyond, kept[1].Beyond})

	s.Ingest(t, warehouse.Batch{ID: "f2", Figures: []chatlog.DailyFigure{figure("2026-05-21", truth("2026-05-21"))}})
	_, err = s.Measuring.ReconcileAll(t.Context(), admin, at("2026-06-02", "07:30:00"))
	ok(t, err)
	assert.Equal(t, store.Resolved, alerts().State)

	_, err = s.Measuring.Reconcile(t.Context(), clientOrca, in)
	_ = refused(t, err, "store.not_found")
	in.Dates.Until = date("2026-09-01")
	_, err = s.Measuring.Reconcile(t.Context(), admin, in)
	_ = refused(t, err, "reconcile.input")
}
