package httpapi_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
)

// What a job did shows at the door of the metrics, on the job list and on the list of alerts.
func TestJobsShowTheirState(t *testing.T) {
	h := open(t, nil)
	fails := true
	run := func(due time.Time) error {
		_, err := h.RunScheduled(t.Context(), operations.JobSpec{
			Name: "count", Due: due, Trigger: operations.Scheduled, Timeout: time.Minute,
			Run: func(context.Context, access.Principal, time.Time) (int64, error) {
				if fails {
					return 0, fault.New(fault.Invalid, "x.y", "the file is torn")
				}
				return 41, nil
			},
		})
		return err
	}
	due := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	require.Error(t, run(due))
	require.Error(t, run(due.AddDate(0, 0, 1)))
	text := string(h.send(t, "GET", "/metrics", nil).body)
	assert.Contains(t, text, `chaoban_job_runs_total{job="count",outcome="failed"} 2`)
	assert.Contains(t, text, `chaoban_alert_firing{alert="job:count"} 1`)
	assert.NotContains(t, text, `chaoban_job_last_success_timestamp_seconds{job="count"}`, "there was none")
	var alerts struct {
		Items []operations.Alert `json:"items"`
	}
	h.ask(t, "supervisor", "GET", "/v1/alerts?state=firing", nil).into(t, &alerts)
	require.Len(t, alerts.Items, 1)
	assert.Equal(t, 2, alerts.Items[0].Failures)

	fails = false
	require.NoError(t, run(due.AddDate(0, 0, 2)))
	text = string(h.send(t, "GET", "/metrics", nil).body)
	assert.Contains(t, text, `chaoban_job_runs_total{job="count",outcome="succeeded"} 1`)
	assert.Contains(t, text, `chaoban_job_rows_total{job="count"} 41`)
	assert.Contains(t, text, `chaoban_job_duration_seconds_count{job="count"} 3`)
	assert.Contains(t, text, `chaoban_alert_firing{alert="job:count"} 0`)
	assert.Contains(t, text, `chaoban_job_last_success_timestamp_seconds{job="count"}`)
	var jobs struct {
		Items []struct {
			Name    string             `json:"name"`
			Success *operations.JobRun `json:"last_success"`
			Alert   *operations.Alert  `json:"alert"`
		} `json:"items"`
	}
	h.ask(t, "planner", "GET", "/v1/jobs", nil).into(t, &jobs)
	require.NotEmpty(t, jobs.Items)
	for _, j := range jobs.Items {
		if j.Name == "count" {
			require.NotNil(t, j.Alert)
			assert.EqualValues(t, "resolved", j.Alert.State)
			assert.EqualValues(t, 41, j.Success.Rows)
		}
	}
}
