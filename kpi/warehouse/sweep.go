package warehouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// staleSQL selects roll-up rows that nobody can need: not of the current generation, while the
// current one is older than any question that may still read its predecessor, and too old to
// belong to a recomputation that is still under way.
const staleSQL = `computed < now() - 3600 AND (%[1]s, day, generation) NOT IN (
SELECT %[2]s, day, max(newest).3 FROM rollups WHERE kind = '%[3]s' GROUP BY merchant, day
) AND (%[1]s, day) NOT IN (
SELECT %[2]s, day FROM rollups WHERE kind = '%[3]s' GROUP BY merchant, day
HAVING max(newest).2 > toUnixTimestamp64Milli(now64(3)) - 600000)`

// sweepSometimes sweeps once so many days were recomputed that old rows may be worth it: only a
// recomputation leaves any, and looking for them reads all roll-ups.
func (w *Warehouse) sweepSometimes(ctx context.Context, conn clickhouse.Conn, recomputed int) error {
	const worthLooking = 1000
	w.unswept += recomputed
	if w.unswept < worthLooking {
		return nil
	}
	w.unswept = 0
	return sweep(ctx, conn)
}

// sweep deletes roll-up rows of old generations once they outnumber what is worth a rewrite.
func sweep(ctx context.Context, conn clickhouse.Conn) error {
	const worthIt = 200_000
	ofConversations := fmt.Sprintf(staleSQL, "merchant", "merchant", kindConversations)
	for table, stale := range map[string]string{
		"slots": ofConversations, "metric_slots": ofConversations, "buyer_days": ofConversations, "buyer_totals": ofConversations,
		"state_slots": fmt.Sprintf(staleSQL, "''", "''", kindStates),
	} {
		var rows uint64
		if err := conn.QueryRow(ctx, "SELECT count() FROM "+table+" WHERE "+stale).Scan(&rows); err != nil {
			return err
		}
		if rows < worthIt {
			continue
		}
		if err := conn.Exec(ctx, "DELETE FROM "+table+" WHERE "+stale); err != nil {
			return err
		}
	}
	return nil
}
