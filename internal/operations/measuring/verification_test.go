package measuring_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// Days that are as their raw events say raise nothing.
func TestVerifyRollups(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.Ingest(t, warehouse.Batch{Conversations: operationstest.Of(monthOfChats(), func(c chatlog.Conversation) bool {
		return c.StartedAt.Before(at("2026-05-15", "00:00:00"))
	})})
	rows, err := s.Measuring.VerifyRollups(t.Context(), admin, s.Clock)
	ok(t, err)
	assert.GreaterOrEqual(t, rows, int64(25), "of the 28 merchant-days")
	list, _, err := s.Alerts(t.Context(), admin, "", operations.Page{})
	ok(t, err)
	assert.Empty(t, list)
}

// A roll-up row that somebody doubled in the engine shows as a wrong figure. The job finds the day,
// tells of it and computes it again; its next run takes the alert back.
func TestASpoiledRollupIsFoundToldAndRepaired(t *testing.T) {
	t.Parallel()
	dsn := enginetest.Start(t)
	s := stackOn(t, dsn, slices.DeleteFunc(operationstest.Definitions(t, "tmall"), func(d kpi.Definition) bool {
		return strings.HasPrefix(string(d.Metric), "tmall.") && d.Metric != "tmall.human_3min" // a day is compared under every definition
	}))
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.Ingest(t, warehouse.Batch{Conversations: operationstest.Of(monthOfChats(), func(c chatlog.Conversation) bool {
		return c.StartedAt.Before(at("2026-05-03", "00:00:00")) // 2 days of 2 merchants: the sample has them all
	})})
	s.Clock = at("2026-06-11", "04:10:00")
	nextDay := func() store.JobRun {
		t.Helper()
		s.Clock = s.Clock.AddDate(0, 0, 1)
		run, err := s.RunJob(t.Context(), admin, operations.JobSpec{
			Name: "rollup-verification", Due: s.Clock, Trigger: operations.Scheduled, Timeout: time.Minute, Run: s.Measuring.VerifyRollups,
		})
		ok(t, err)
		return run
	}
	alerts := func() []operations.Alert {
		t.Helper()
		all, _, err := s.Alerts(t.Context(), supervisor, "", operations.Page{})
		ok(t, err)
		return all
	}
	assert.EqualValues(t, 4, nextDay().Rows)
	assert.Empty(t, alerts())

	for _, spoiled := range []struct {
		table, where string
		metric       kpi.Metric
	}{
		{"slots", "merchant = 'orca'", "offered"},
		{"metric_slots", "merchant = 'lumi' AND metric LIKE 'tmall.human_3min@%'", "tmall.human_3min"},
	} {
		truth := s.figure(t, spoiled.metric)
		enginetest.In(t, dsn, "INSERT INTO "+spoiled.table+" SELECT * FROM "+spoiled.table+" WHERE "+spoiled.where+" ORDER BY slot LIMIT 1")
		wrong := s.figure(t, spoiled.metric)
		require.NotEqual(t, truth, wrong, "the spoiled row shows in the figure")

		run := nextDay()
		assert.Equal(t, store.Succeeded, run.State, "finding something is no failure of the job")
		require.Len(t, alerts(), 1)
		assert.Equal(t, store.Firing, alerts()[0].State)
		assert.Contains(t, alerts()[0].Text, "1 of 4 days differed")
		assert.Contains(t, alerts()[0].Text, "2026-05-01")
		assert.Equal(t, truth, s.figure(t, spoiled.metric), "computed again")

		nextDay()
		assert.Equal(t, store.Resolved, alerts()[0].State)
	}
}
