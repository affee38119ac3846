package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// openFor is how long a batch that was begun and not completed keeps its days pending: until then
// its writer may still be writing. One recomputation after it settles the days.
const openFor = 2 * time.Hour

// chunkDays bounds the rows that one recomputation holds.
const chunkDays = 31

// pending is a unit whose roll-up has not seen all its marks.
type pending struct {
	touched
	seen uint64 // sum of the ranks of its marks, read before the rows
}

// pendingSQL lists the units to recompute, with what their next roll-up will have seen. A unit is
// pending when marks were added since its current roll-up, or a batch on it is still open.
const pendingSQL = `SELECT toString(kind) AS kind_name, merchant, toInt32(day) AS day_number, seen FROM (
SELECT kind, merchant, day, sum(top) AS seen, maxIf(since, top %% 2 = 0) AS open_since FROM (
  SELECT kind, merchant, day, batch, max(rank) AS top, argMax(at, rank) AS since
  FROM marks WHERE kind != 'batch' GROUP BY kind, merchant, day, batch
) GROUP BY kind, merchant, day
) AS m LEFT JOIN (
SELECT kind, merchant, day, max(newest) AS top FROM generations GROUP BY kind, merchant, day
) AS g USING (kind, merchant, day)
WHERE seen > g.top.1 OR toUnixTimestamp64Milli(open_since) + %d > g.top.2
ORDER BY kind, merchant, day`

// Refresh recomputes the roll-ups of every day that was touched since its last recomputation and
// returns how many it recomputed. Calling it often, at the same time from several processes, or
// killing it at any moment does no harm. Errors: warehouse.down and the like.
func (w *Warehouse) Refresh(ctx context.Context) (days int, err error) {
	conn, err := w.connection(ctx)
	if err != nil {
		return 0, err
	}
	w.refreshing.Lock()
	defer w.refreshing.Unlock()
	days, err = w.refresh(ctx, conn)
	return days, w.classify(ctx, err)
}

func (w *Warehouse) refresh(ctx context.Context, conn clickhouse.Conn) (int, error) {
	if err := sweep(ctx, conn); err != nil {
		return 0, err
	}
	units, err := readPending(ctx, conn)
	if err != nil {
		return 0, err
	}
	recomputed := 0
	for len(units) > 0 {
		n := chunkOf(units)
		done, err := recompute(ctx, conn, units[:n])
		if err != nil {
			return recomputed, err
		}
		recomputed += done
		units = units[n:]
	}
	return recomputed, nil
}

// chunkOf is how many leading units share kind and merchant, at most chunkDays.
func chunkOf(units []pending) int {
	n := 1
	for n < len(units) && n < chunkDays && units[n].kind == units[0].kind && units[n].merchant == units[0].merchant {
		n++
	}
	return n
}

func readPending(ctx context.Context, conn clickhouse.Conn) ([]pending, error) {
	rows, err := conn.Query(ctx, fmt.Sprintf(pendingSQL, openFor.Milliseconds()))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var units []pending
	for rows.Next() {
		var p pending
		if err := rows.Scan(&p.kind, &p.merchant, &p.day, &p.seen); err != nil {
			return nil, err
		}
		units = append(units, p)
	}
	return units, rows.Err()
}

// recompute writes new generations of units that share kind and merchant, and publishes them all
// in one insert, so that a conversation that moved between two days is never on both or neither.
func recompute(ctx context.Context, conn clickhouse.Conn, units []pending) (int, error) {
	base := rand.Uint64()>>1<<17 | 1<<16 // unique with a day number below; never 0
	var insert string
	switch kind, merchant := units[0].kind, units[0].merchant; kind {
	case kindConversations:
		more, err := movedDays(ctx, conn, merchant, daysOf(units))
		if err != nil {
			return 0, err
		}
		units = append(slices.Clone(units), more...)
		except := ""
		if len(more) > 0 || anyMoved(ctx, conn, merchant, daysOf(units)) {
			except = exceptMoved(merchant, daysOf(units))
		}
		insert = fmt.Sprintf("INSERT INTO slots (%[1]s, %[2]s, generation) SELECT %[1]s, %[2]s, toUInt64(%[3]d) + toUInt16(day) FROM (%[4]s)",
			slotKeys, sumNames(), base, conversationSums(merchant, daysOf(units), except))
	default:
		insert = fmt.Sprintf("INSERT INTO state_slots (%[1]s, %[2]s, generation) SELECT %[1]s, %[2]s, toUInt64(%[3]d) + toUInt16(day) FROM (%[4]s)",
			stateKeys, stateSumNames(), base, stateSums(daysOf(units)))
	}
	if err := conn.Exec(forRollup(ctx), insert); err != nil {
		return 0, err
	}
	return len(units), publish(ctx, conn, units, base)
}

// forRollup lets the recomputation skip merging across months: a key contains its day.
func forRollup(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"do_not_merge_across_partitions_select_final": 1, "max_partitions_per_insert_block": 0,
		"max_query_size": 16 << 20,
	}))
}

func daysOf(units []pending) []int32 {
	days := make([]int32, len(units))
	for i, u := range units {
		days[i] = u.day
	}
	slices.Sort(days)
	return days
}

// publish makes the new rows current: one block of an unpartitioned table appears at once.
func publish(ctx context.Context, conn clickhouse.Conn, units []pending, base uint64) error {
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO generations (kind, merchant, day, newest)")
	if err != nil {
		return err
	}
	defer func() { _ = batch.Abort() }() // does nothing after Send
	var now time.Time
	if err := conn.QueryRow(ctx, "SELECT now64(3)").Scan(&now); err != nil {
		return err
	}
	for _, u := range units {
		newest := []any{u.seen, uint64(now.UnixMilli()), base + uint64(uint16(u.day))}
		if err := batch.Append(u.kind, u.merchant, dateOf(u.day), newest); err != nil {
			return err
		}
	}
	return batch.Send()
}

// A correction may move a conversation to another day. Its old row then has another key and stays;
// the row with the highest version is the conversation, the others are left out. candidates are
// the conversations of some days that have rows on several days (or share a hash with one).
const candidatesSQL = `SELECT cityHash64(id) AS h FROM conversations WHERE merchant = %[1]s
AND cityHash64(id) IN (SELECT cityHash64(id) FROM conversations WHERE merchant = %[1]s AND day IN (%[2]s))
GROUP BY h HAVING min(day) != max(day)`

func exceptMoved(merchant string, days []int32) string {
	return fmt.Sprintf(`(id, day) NOT IN (SELECT id, arrayJoin(arrayFilter(d -> d != current, days)) FROM (
SELECT id, argMax(day, version) AS current, groupUniqArray(day) AS days FROM conversations
WHERE merchant = %s AND cityHash64(id) IN (%s) GROUP BY id))`,
		quote(merchant), fmt.Sprintf(candidatesSQL, quote(merchant), dateList(days)))
}

func anyMoved(ctx context.Context, conn clickhouse.Conn, merchant string, days []int32) bool {
	var n uint64
	err := conn.QueryRow(ctx, "SELECT count() FROM ("+fmt.Sprintf(candidatesSQL, quote(merchant), dateList(days))+")").Scan(&n)
	return err != nil || n > 0 // leaving out is right either way, only slower
}

// movedDays are the other days on which conversations of the given days have rows, with what
// their marks add up to.
func movedDays(ctx context.Context, conn clickhouse.Conn, merchant string, days []int32) ([]pending, error) {
	rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT toInt32(day), sum(top) FROM (
SELECT day, batch, max(rank) AS top FROM marks WHERE kind = 'conversations' AND merchant = %[1]s AND day IN (
  SELECT DISTINCT day FROM conversations WHERE merchant = %[1]s AND cityHash64(id) IN (%[2]s) AND day NOT IN (%[3]s)
) GROUP BY day, batch) GROUP BY day ORDER BY day`,
		quote(merchant), fmt.Sprintf(candidatesSQL, quote(merchant), dateList(days)), dateList(days)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var more []pending
	for rows.Next() {
		p := pending{touched: touched{kind: kindConversations, merchant: merchant}}
		if err := rows.Scan(&p.day, &p.seen); err != nil {
			return nil, err
		}
		more = append(more, p)
	}
	slices.SortFunc(more, func(a, b pending) int { return cmp.Compare(a.day, b.day) })
	return more, rows.Err()
}

// staleSQL selects roll-up rows that nobody can need: not of the current generation, while the
// current one is older than any question that may still read its predecessor, and too old to
// belong to a recomputation that is still under way.
const staleSQL = `computed < now() - 3600 AND (%[1]s, day, generation) NOT IN (
SELECT %[2]s, day, max(newest).3 FROM generations WHERE kind = '%[3]s' GROUP BY merchant, day
) AND (%[1]s, day) NOT IN (
SELECT %[2]s, day FROM generations WHERE kind = '%[3]s' GROUP BY merchant, day
HAVING max(newest).2 > toUnixTimestamp64Milli(now64(3)) - 600000)`

// sweep deletes roll-up rows of old generations once they outnumber what is worth a rewrite.
func sweep(ctx context.Context, conn clickhouse.Conn) error {
	const worthIt = 200_000
	for table, stale := range map[string]string{
		"slots":       fmt.Sprintf(staleSQL, "merchant", "merchant", kindConversations),
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
