package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Sample says which days Verify compares.
type Sample struct {
	Days int    // how many (merchant, day) units, of each kind; at least 1
	Seed uint64 // chooses which; the same seed chooses the same units
}

// Difference is a day whose roll-up was not what its raw rows add up to.
type Difference struct {
	Kind     string        `json:"kind"` // conversations or states
	Merchant ids.Merchant  `json:"merchant,omitempty"`
	Day      calendar.Date `json:"day"`
	Rows     int           `json:"rows"` // roll-up rows that differ, are missing or are too many
}

// Verification is what Verify found.
type Verification struct {
	Checked     int          `json:"checked"`     // units compared
	Differences []Difference `json:"differences"` // found and marked; the next Refresh repairs them
}

// Verify recomputes a sample of days from raw rows and compares them with the roll-ups. Days that
// wait for a Refresh are not compared, nor those recomputed since the sample was drawn: a Refresh waits
// for one day at most. A day that differs is marked for recomputation.
// Errors: warehouse.sample, warehouse.down and the like.
func (w *Warehouse) Verify(ctx context.Context, sample Sample) (Verification, error) {
	var v Verification
	if sample.Days < 1 {
		return v, fault.New(fault.Invalid, "warehouse.sample", "a sample has at least 1 day")
	}
	conn, err := w.connection(ctx)
	if err != nil {
		return v, err
	}
	v, err = w.verify(ctx, conn, sample)
	return v, w.classify(ctx, err)
}

func (w *Warehouse) verify(ctx context.Context, conn clickhouse.Conn, sample Sample) (Verification, error) {
	var v Verification
	rules := w.rules.Load()
	units, err := settled(ctx, conn, rules, sample)
	if err != nil || len(units) == 0 {
		return v, err
	}
	session, err := w.session(ctx)
	if err != nil {
		return v, err
	}
	defer session.close()
	r := &refresher{conn: conn, session: session, rules: rules}
	for _, u := range units {
		rows, checked, err := w.compareNow(ctx, r, u)
		if err != nil {
			return v, err
		}
		if !checked {
			continue
		}
		v.Checked++
		if rows == 0 {
			continue
		}
		v.Differences = append(v.Differences, Difference{
			Kind: u.kind, Merchant: ids.Merchant(u.merchant),
			Day: civil(u.day), Rows: rows,
		})
		if err := markAgain(ctx, conn, u); err != nil {
			return v, err
		}
	}
	return v, nil
}

// compareNow compares a unit unless something happened to it since the sample was drawn.
func (w *Warehouse) compareNow(ctx context.Context, r *refresher, u unit) (rows int, checked bool, err error) {
	w.refreshing.Lock() // a day must not change under the comparison
	defer w.refreshing.Unlock()
	var same uint64
	err = r.conn.QueryRow(ctx, fmt.Sprintf("SELECT count() FROM (%s) WHERE kind_name = ? AND merchant = ? AND day_number = ? AND NOT is_pending AND top.3 = ?",
		fmt.Sprintf(journalSQL, openFor.Milliseconds())), u.kind, u.merchant, u.day, u.generation).Scan(&same)
	if err != nil || same == 0 {
		return 0, false, err
	}
	rows, err = r.compare(forRollup(ctx), u)
	return rows, true, err
}

// unit is a day with its current generation.
type unit struct {
	touched
	generation uint64
}

// settled chooses units of each kind whose roll-up should be what the raw rows add up to.
func settled(ctx context.Context, conn clickhouse.Conn, rules *ruleset, sample Sample) ([]unit, error) {
	rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT kind_name, merchant, day_number, top.3, top.4, top.5 FROM (%s)
WHERE NOT is_pending AND top.3 != 0 ORDER BY cityHash64(kind_name, merchant, day_number, toUInt64(%d))`,
		fmt.Sprintf(journalSQL, openFor.Milliseconds()), sample.Seed))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var units []unit
	chosen := map[string]int{}
	for rows.Next() {
		var u unit
		var pack uint64
		var shops []string
		if err := rows.Scan(&u.kind, &u.merchant, &u.day, &u.generation, &pack, &shops); err != nil {
			return nil, err
		}
		if chosen[u.kind] < sample.Days && pack == rules.packOfUnit(u.touched, shops) {
			chosen[u.kind]++
			units = append(units, u)
		}
	}
	slices.SortFunc(units, func(a, b unit) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.merchant, b.merchant), cmp.Compare(a.day, b.day))
	})
	return units, rows.Err()
}

// compare counts the keys on which the raw rows and the roll-ups of one day disagree.
func (r *refresher) compare(ctx context.Context, u unit) (int, error) {
	where := fmt.Sprintf("generation = %d", u.generation)
	if u.kind == kindStates {
		where = fmt.Sprintf("day IN (%s) AND %s", dateList([]int32{u.day}), where)
		return r.differing(ctx, computed{"state_slots", stateKeys, stateSumNames(), stateSums([]int32{u.day})}, where)
	}
	if err := r.assemble(ctx, assemblyOf([]touched{u.touched}, r.rules.zone)); err != nil {
		return 0, err
	}
	where = fmt.Sprintf("merchant = %s AND day IN (%s) AND %s", quote(u.merchant), dateList([]int32{u.day}), where)
	tables := map[string]computed{} // of one table all definitions together, since any may be too many
	for _, name := range []string{"metric_slots", "buyer_days", "buyer_totals"} {
		tables[name] = emptyOf(name)
	}
	for _, t := range r.rollups(u.day, u.day) {
		if all, ok := tables[t.name]; ok {
			t.sql = fmt.Sprintf("SELECT %[1]s, %[2]s FROM (%[3]s) UNION ALL SELECT %[1]s, %[2]s FROM (%[4]s)", t.keys, t.sums, all.sql, t.sql)
		}
		tables[t.name] = t
	}
	sum := 0
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		rows, err := r.differing(ctx, tables[name], where)
		if err != nil {
			return 0, err
		}
		sum += rows
	}
	return sum, nil
}

// emptyOf is a roll-up table without rows.
func emptyOf(name string) computed {
	keys, sums := metricSlotKeys, metricSlotSums
	switch name {
	case "buyer_days":
		keys, sums = buyerDayKeys, buyerDaySums
	case "buyer_totals":
		keys, sums = buyerTotalKeys, buyerTotalSums
	}
	return computed{name, keys, sums, fmt.Sprintf("SELECT %s, %s FROM %s WHERE 0", keys, sums, name)}
}

func (r *refresher) differing(ctx context.Context, t computed, where string) (int, error) {
	var differing uint64
	err := r.session.conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT count() FROM (
SELECT %[1]s FROM (
  SELECT %[1]s, 1 AS side, cityHash64(%[2]s) AS sums FROM (%[3]s)
  UNION ALL SELECT %[1]s, 2 AS side, cityHash64(%[2]s) AS sums FROM %[4]s WHERE %[5]s
) GROUP BY %[1]s HAVING countIf(side = 1) != 1 OR countIf(side = 2) != 1 OR min(sums) != max(sums))`,
		t.keys, t.sums, t.sql, t.name, where)).Scan(&differing)
	return int(differing), err
}

// markAgain makes a day pending: its mark gets a higher rank, so the sum of ranks grows.
func markAgain(ctx context.Context, conn clickhouse.Conn, u unit) error {
	name := "verify"
	var rank uint64
	err := conn.QueryRow(ctx, "SELECT max(rank) FROM marks WHERE kind = ? AND merchant = ? AND day = ? AND batch = ?",
		u.kind, u.merchant, dateOf(u.day), name).Scan(&rank)
	if err != nil {
		return err
	}
	again := entry{batch: name, rank: (rank + 2) | 1, touched: map[touched]struct{}{u.touched: {}}}
	return again.writeMarks(ctx, conn)
}

// String is one line for a log or a person.
func (d Difference) String() string {
	return strings.TrimSpace(d.Kind + " " + string(d.Merchant) + " " + d.Day.String() + ": " + strconv.Itoa(d.Rows) + " rows differ")
}
