package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// floorYears is the shortest retention: evidence of service is kept at least two years by
// contract practice, so nothing younger is ever deleted, whatever is configured.
const floorYears = 2

// Retention says what may go: everything of business days before Cutoff.
type Retention struct {
	Cutoff calendar.Date
	Today  calendar.Date // the caller's date; the floor is two years before it
	DryRun bool          // only count
}

// Deleted counts stored rows, which may include superseded versions not merged away yet.
type Deleted struct {
	Conversations uint64 `json:"conversations"`
	States        uint64 `json:"states"`
	Contacts      uint64 `json:"contacts"`
	DryRun        bool   `json:"dry_run"`
}

// Retain deletes what is older than the cutoff, raw rows and roll-ups, and logs it. It returns
// when the rows are gone from disk. Errors: warehouse.retention, warehouse.down and the like.
func (w *Warehouse) Retain(ctx context.Context, r Retention) (Deleted, error) {
	if r.Cutoff.IsZero() || r.Today.IsZero() || r.Cutoff.After(calendar.MakeDate(r.Today.Year-floorYears, r.Today.Month, r.Today.Day)) {
		return Deleted{}, fault.Bad("warehouse.retention", "retention", []fault.Field{{
			Path: "cutoff", Value: r.Cutoff.String(), Problem: fmt.Sprintf("must be at least %d years before today", floorYears),
		}})
	}
	conn, err := w.connection(ctx)
	if err != nil {
		return Deleted{}, err
	}
	w.refreshing.Lock()
	defer w.refreshing.Unlock()
	deleted, err := w.retain(ctx, conn, r)
	return deleted, w.classify(ctx, err)
}

func (w *Warehouse) retain(ctx context.Context, conn clickhouse.Conn, r Retention) (Deleted, error) {
	deleted := Deleted{DryRun: r.DryRun}
	day := fmt.Sprintf("day < '%s'", r.Cutoff)
	start := fmt.Sprintf("start < toDateTime(%d, 'UTC')", r.Cutoff.In(w.zone).Unix())
	var rollups uint64
	for _, t := range []struct {
		table, where string
		rows         *uint64
	}{
		{"conversations", day, &deleted.Conversations},
		{"agent_states", day, &deleted.States},
		{"contacts", start, &deleted.Contacts},
		// Marks and generations stay: forgetting what a day has seen would let an older roll-up
		// win over a newer one.
		{"slots", day, &rollups},
		{"state_slots", day, &rollups},
	} {
		if err := conn.QueryRow(ctx, "SELECT count() FROM "+t.table+" WHERE "+t.where).Scan(t.rows); err != nil {
			return deleted, err
		}
		if r.DryRun || *t.rows == 0 {
			continue
		}
		if err := erase(ctx, conn, t.table, t.where); err != nil {
			return deleted, err
		}
		err := conn.Exec(ctx, "INSERT INTO deletions (name, cutoff, rows) VALUES (?, ?, ?)", t.table, r.Cutoff.In(time.UTC), *t.rows)
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// erase rewrites the affected parts and waits for it; a mask over rows would leave them on disk.
func erase(ctx context.Context, conn clickhouse.Conn, table, where string) error {
	return conn.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"mutations_sync": 2})),
		"ALTER TABLE "+table+" DELETE WHERE "+where)
}
