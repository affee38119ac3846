package operations_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// A roll-up row that somebody doubled in the engine shows as a wrong figure. The job finds the day,
// tells of it and computes it again; its next run takes the alert back.
func TestASpoiledRollupIsFoundToldAndRepaired(t *testing.T) {
	dsn := enginetest.Start(t)
	s := stackOn(t, dsn, withPlatforms(t))
	s.applyContracts(t, merchantsYAML)
	s.ingest(t, warehouse.Batch{Conversations: of(monthOfChats(), func(c chatlog.Conversation) bool {
		return c.StartedAt.Before(at("2026-05-04", "00:00:00")) // 3 days of 2 merchants: the sample has them all
	})})
	s.now = at("2026-06-11", "04:10:00")
	nextDay := func() store.JobRun {
		t.Helper()
		s.now = s.now.AddDate(0, 0, 1)
		run, err := s.RunJob(t.Context(), admin, operations.JobSpec{
			Name: "rollup-verification", Due: s.now, Trigger: operations.Scheduled, Timeout: time.Minute, Run: s.Measuring.VerifyRollups,
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
	assert.EqualValues(t, 6, nextDay().Rows)
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
		assert.Contains(t, alerts()[0].Text, "1 of 6 days differed")
		assert.Contains(t, alerts()[0].Text, "2026-05-01")
		assert.Equal(t, truth, s.figure(t, spoiled.metric), "computed again")

		nextDay()
		assert.Equal(t, store.Resolved, alerts()[0].State)
	}
}
