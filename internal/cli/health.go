package cli

import (
	"context"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/httpapi"
)

// health asks every dependency whether it is usable now. The warehouse is not critical: without it
// figures answer 503 and everything else works.
func (a *app) health(ctx context.Context) []httpapi.Check {
	checks := []httpapi.Check{{Name: "operational store", Critical: true, OK: true, Detail: string(a.store.Dialect())}}
	if err := a.store.Ping(ctx); err != nil {
		checks[0].OK, checks[0].Detail = false, fault.Of(err).Message
	}
	warehouse := httpapi.Check{Name: "warehouse", OK: true}
	if err := a.wh.Ready(ctx); err != nil {
		warehouse.OK, warehouse.Detail = false, fault.Of(err).Message
	}
	return append(checks, warehouse)
}

// jobTable hands the job table to the HTTP door, which may not know the scheduler.
func (a *app) jobTable() []httpapi.Job {
	var rows []httpapi.Job
	for _, j := range a.jobs.Jobs() {
		rows = append(rows, httpapi.Job{Name: j.Name, Schedule: j.Schedule, Timeout: j.Timeout})
	}
	return rows
}
