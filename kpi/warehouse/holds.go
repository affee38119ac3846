package warehouse

import (
	"context"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Hold keeps what is measured for a merchant from being deleted, whatever its age: a dispute or a
// court needs it. It stands until it is released. A merchant may have several, one per case, and
// nothing of it goes before the last is released.
type Hold struct {
	Merchant ids.Merchant `json:"merchant"` // "" holds everything
	Case     string       `json:"case"`     // what it is released by; unique per merchant
	Reason   string       `json:"reason"`
	Author   string       `json:"author"`
	At       time.Time    `json:"at,omitzero"` // when it was put on; set by Hold
}

// Hold puts a hold on; the same case of the same merchant again only renews its reason. A deletion that
// is under way may finish the table it is at. Errors: warehouse.hold, warehouse.down and the like.
func (w *Warehouse) Hold(ctx context.Context, h Hold) error { return w.setHold(ctx, h, true) }

// Release ends the hold of one case on a merchant ("" = on everything); Reason and Author of release are
// those of the end. Errors: warehouse.hold, warehouse.hold.unknown, warehouse.down and the like.
func (w *Warehouse) Release(ctx context.Context, release Hold) error {
	holds, err := w.Holds(ctx)
	if err != nil {
		return err
	}
	for _, h := range holds {
		if h.Merchant == release.Merchant && h.Case == release.Case {
			return w.setHold(ctx, release, false)
		}
	}
	return fault.New(fault.NotFound, "warehouse.hold.unknown", "there is no hold on %q for the case %q", release.Merchant, fault.Shorten(release.Case))
}

func (w *Warehouse) setHold(ctx context.Context, h Hold, held bool) error {
	var bad []fault.Field
	if strings.TrimSpace(h.Reason) == "" {
		bad = append(bad, fault.Field{Path: "reason", Problem: "is missing"})
	}
	if strings.TrimSpace(h.Author) == "" {
		bad = append(bad, fault.Field{Path: "author", Problem: "is missing"})
	}
	if err := fault.Bad("warehouse.hold", "hold", bad); err != nil {
		return err
	}
	conn, err := w.connection(ctx)
	if err != nil {
		return err
	}
	return w.classify(ctx, conn.Exec(ctx, "INSERT INTO holds (merchant, reference, held, reason, author) VALUES (?, ?, ?, ?, ?)",
		string(h.Merchant), h.Case, held, h.Reason, h.Author))
}

// Holds lists the holds that stand, by merchant and case. Errors: warehouse.down and the like.
func (w *Warehouse) Holds(ctx context.Context) ([]Hold, error) {
	conn, err := w.connection(ctx)
	if err != nil {
		return nil, err
	}
	holds, err := readHolds(ctx, conn)
	return holds, w.classify(ctx, err)
}

func readHolds(ctx context.Context, conn clickhouse.Conn) ([]Hold, error) {
	// A hold and a release in the same millisecond: the hold counts.
	rows, err := conn.Query(ctx, `SELECT merchant, reference, newest.3, newest.4, newest.1 FROM (
SELECT merchant, reference, argMax((at, held, reason, author), (at, held)) AS newest FROM holds GROUP BY merchant, reference
) WHERE newest.2 ORDER BY merchant, reference`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var holds []Hold
	for rows.Next() {
		var h Hold
		var merchant string
		if err := rows.Scan(&merchant, &h.Case, &h.Reason, &h.Author, &h.At); err != nil {
			return nil, err
		}
		h.Merchant, h.At = ids.Merchant(merchant), h.At.UTC()
		holds = append(holds, h)
	}
	return holds, rows.Err()
}

// Deletion is one entry of the log of retention: what was deleted from one table, or would have been.
type Deletion struct {
	At     time.Time      `json:"at"`
	Table  string         `json:"table"`
	Cutoff calendar.Date  `json:"cutoff"`
	Rows   uint64         `json:"rows"` // stored rows that were to go when it began
	Author string         `json:"author"`
	DryRun bool           `json:"dry_run"`
	Held   []ids.Merchant `json:"held"` // whose rows were left; "" = everything
}

// Deletions is the log of retention, newest first, at most 1000 entries.
// Errors: warehouse.down and the like.
func (w *Warehouse) Deletions(ctx context.Context) ([]Deletion, error) {
	conn, err := w.connection(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(ctx, "SELECT at, name, cutoff, rows, author, dry_run, held FROM deletions ORDER BY at DESC, name LIMIT 1000")
	if err != nil {
		return nil, w.classify(ctx, err)
	}
	defer rows.Close()
	var log []Deletion
	for rows.Next() {
		var d Deletion
		var cutoff time.Time
		var held []string
		if err := rows.Scan(&d.At, &d.Table, &cutoff, &d.Rows, &d.Author, &d.DryRun, &held); err != nil {
			return nil, w.classify(ctx, err)
		}
		d.At, d.Cutoff, d.Held = d.At.UTC(), calendar.DateOf(cutoff, time.UTC), make([]ids.Merchant, 0, len(held))
		for _, m := range held {
			d.Held = append(d.Held, ids.Merchant(m))
		}
		log = append(log, d)
	}
	return log, w.classify(ctx, rows.Err())
}
