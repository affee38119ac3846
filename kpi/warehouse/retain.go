package warehouse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// floorYears is the shortest retention: evidence of service is kept at least two years by
// contract practice, so nothing younger is ever deleted, whatever is configured.
const floorYears = 2

// Retention says what may go: everything of business days before Cutoff. A conversation is of the day
// it started on and goes or stays as a whole.
type Retention struct {
	Cutoff calendar.Date
	Today  calendar.Date // the caller's date; the floor is two years before it
	DryRun bool          // only count
	Author string        // for the log: who asked for it
}

// floor is the first business day that nothing may be deleted of.
func (r Retention) floor() calendar.Date {
	return calendar.MakeDate(r.Today.Year-floorYears, r.Today.Month, r.Today.Day)
}

// Deleted counts stored rows, which may include superseded versions not merged away yet.
type Deleted struct {
	Conversations uint64         `json:"conversations"`
	Events        uint64         `json:"events"`
	Texts         uint64         `json:"texts"`
	States        uint64         `json:"states"`
	Contacts      uint64         `json:"contacts"`
	Orders        uint64         `json:"orders"`
	Tickets       uint64         `json:"tickets"`
	Figures       uint64         `json:"figures"` // of platforms
	Rollups       uint64         `json:"rollups"` // of all kinds
	Held          []ids.Merchant `json:"held"`    // whose rows were left by a hold; "" = everything
	DryRun        bool           `json:"dry_run"`
}

// Raw is the sum of all but the roll-ups.
func (d Deleted) Raw() uint64 {
	return d.Conversations + d.Events + d.Texts + d.States + d.Contacts + d.Orders + d.Tickets + d.Figures
}

// Retain deletes what is older than the cutoff, raw rows and roll-ups, except what a Hold keeps, and
// logs it. It returns when the rows are gone from disk. Agent states belong to no merchant, so any
// hold keeps them. Errors: warehouse.retention, warehouse.down and the like.
func (w *Warehouse) Retain(ctx context.Context, r Retention) (Deleted, error) {
	if r.Cutoff.IsZero() || r.Today.IsZero() || r.Cutoff.After(r.floor()) {
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

// doomed is what goes from one table.
type doomed struct {
	table    string
	where    string // selects the rows, but for holds
	merchant string // the column that a hold looks at; "" = the rows belong to no merchant
	rows     *uint64
}

func (w *Warehouse) retain(ctx context.Context, conn clickhouse.Conn, r Retention) (Deleted, error) {
	deleted := Deleted{DryRun: r.DryRun}
	tables, torn, err := w.doomed(ctx, conn, r, &deleted)
	if err != nil {
		return deleted, err
	}
	for _, t := range tables {
		// A hold counts from when it is put on, so it is looked for again and again.
		holds, err := readHolds(ctx, conn)
		if err != nil {
			return deleted, err
		}
		held := merchantsOf(holds)
		deleted.Held = held
		where := "(" + t.where + ")" + unlessHeld(t.merchant, held)
		var rows uint64
		if err := conn.QueryRow(forRollup(ctx), "SELECT count() FROM "+t.table+" WHERE "+where).Scan(&rows); err != nil {
			return deleted, err
		}
		*t.rows += rows
		if rows == 0 {
			continue
		}
		// Logged first: a deletion that the log does not know must not happen.
		names := make([]string, len(held))
		for i, m := range held {
			names[i] = string(m)
		}
		if err := conn.Exec(ctx, "INSERT INTO deletions (name, cutoff, rows, author, dry_run, held) VALUES (?, ?, ?, ?, ?, ?)",
			t.table, r.Cutoff.In(time.UTC), rows, r.Author, r.DryRun, names); err != nil {
			return deleted, err
		}
		if r.DryRun {
			continue
		}
		if err := erase(ctx, conn, t.table, where); err != nil {
			return deleted, err
		}
	}
	if r.DryRun {
		return deleted, nil
	}
	for _, day := range torn { // a few conversations stay on a day whose roll-up went
		if err := markAgain(ctx, conn, unit{touched: day}); err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// merchantsOf are the merchants with holds, each once; holds are sorted by merchant.
func merchantsOf(holds []Hold) []ids.Merchant {
	held := []ids.Merchant{}
	for _, h := range holds {
		held = append(held, h.Merchant)
	}
	return slices.Compact(held)
}

// unlessHeld is the condition that no hold keeps a row.
func unlessHeld(column string, held []ids.Merchant) string {
	switch {
	case len(held) == 0:
		return ""
	case slices.Contains(held, "") || column == "":
		return " AND 0"
	}
	return " AND NOT " + in(column, held)
}

// doomed lists what goes from each table. Raw rows of conversations go before the roll-ups, and events
// before headers, so that a retention that was killed finds the same conversations again.
//
// torn are the days before the cutoff on which a conversation stays, since it reaches over the floor.
func (w *Warehouse) doomed(ctx context.Context, conn clickhouse.Conn, r Retention, d *Deleted) (tables []doomed, torn []touched, err error) {
	day := fmt.Sprintf("day < '%s'", r.Cutoff)
	start := fmt.Sprintf("start < toDateTime(%d, 'UTC')", r.Cutoff.In(w.zone).Unix())
	over, err := w.crossing(ctx, conn, r)
	if err != nil {
		return nil, nil, err
	}
	orders, err := movedBack(ctx, conn, "orders", "merchant, shop, buyer, order_id, kind", day)
	if err != nil {
		return nil, nil, err
	}
	tickets, err := movedBack(ctx, conn, "tickets", "merchant, id", day)
	if err != nil {
		return nil, nil, err
	}
	return []doomed{
		{"texts", over.where("merchant, conversation", day), "merchant", &d.Texts},
		{"events", over.where("merchant, conversation", day), "merchant", &d.Events},
		{"conversations", over.where("merchant, id", day), "merchant", &d.Conversations},
		{"agent_states", day, "", &d.States},
		{"contacts", start, "merchant", &d.Contacts},
		{"orders", day + orders, "merchant", &d.Orders},
		{"tickets", day + tickets, "merchant", &d.Tickets},
		{"platform_figures", day, "merchant", &d.Figures},
		// Marks and current generations stay: forgetting what a day has seen would let an older
		// roll-up win over a newer one.
		{"slots", day, "merchant", &d.Rollups},
		{"metric_slots", day, "merchant", &d.Rollups},
		{"buyer_days", day, "merchant", &d.Rollups},
		{"buyer_totals", day, "merchant", &d.Rollups},
		{"state_slots", day, "", &d.Rollups},
	}, over.torn, nil
}

// erase rewrites the affected parts and waits for it; a mask over rows would leave them on disk.
func erase(ctx context.Context, conn clickhouse.Conn, table, where string) error {
	return conn.Exec(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"mutations_sync": 2, "max_query_size": 16 << 20})),
		"ALTER TABLE "+table+" DELETE WHERE "+where)
}
