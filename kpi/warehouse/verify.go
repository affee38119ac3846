package warehouse

import (
	"context"
	"fmt"
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
// wait for a Refresh are not compared. A day that differs is marked for recomputation.
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
	w.refreshing.Lock() // a day must not change under the comparison
	defer w.refreshing.Unlock()
	v, err = verify(ctx, conn, sample)
	return v, w.classify(ctx, err)
}

func verify(ctx context.Context, conn clickhouse.Conn, sample Sample) (Verification, error) {
	var v Verification
	units, err := settled(ctx, conn, sample)
	if err != nil {
		return v, err
	}
	for _, u := range units {
		rows, err := compare(ctx, conn, u)
		if err != nil {
			return v, err
		}
		v.Checked++
		if rows == 0 {
			continue
		}
		v.Differences = append(v.Differences, Difference{
			Kind: u.kind, Merchant: ids.Merchant(u.merchant),
			Day: calendar.MakeDate(1970, 1, 1+int(u.day)), Rows: rows,
		})
		if err := markAgain(ctx, conn, u); err != nil {
			return v, err
		}
	}
	return v, nil
}

// unit is a day with its current generation.
type unit struct {
	touched
	generation uint64
}

func settled(ctx context.Context, conn clickhouse.Conn, sample Sample) ([]unit, error) {
	rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT toString(kind), merchant, toInt32(day), max(newest).3 FROM generations
WHERE (toString(kind), merchant, toInt32(day)) NOT IN (SELECT kind_name, merchant, day_number FROM (%s))
GROUP BY kind, merchant, day ORDER BY cityHash64(kind, merchant, day, toUInt64(%d)) LIMIT %d BY kind`,
		fmt.Sprintf(pendingSQL, openFor.Milliseconds()), sample.Seed, sample.Days))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var units []unit
	for rows.Next() {
		var u unit
		if err := rows.Scan(&u.kind, &u.merchant, &u.day, &u.generation); err != nil {
			return nil, err
		}
		units = append(units, u)
	}
	return units, rows.Err()
}

// compare counts the keys on which the raw rows and the roll-up of one day disagree.
func compare(ctx context.Context, conn clickhouse.Conn, u unit) (int, error) {
	table, keys, names, raw := "slots", slotKeys, sumNames(), ""
	where := fmt.Sprintf("merchant = %s AND day IN (%s) AND generation = %d", quote(u.merchant), dateList([]int32{u.day}), u.generation)
	if u.kind == kindStates {
		table, keys, names, raw = "state_slots", stateKeys, stateSumNames(), stateSums([]int32{u.day})
		where = fmt.Sprintf("day IN (%s) AND generation = %d", dateList([]int32{u.day}), u.generation)
	} else {
		raw = conversationSums(u.merchant, []int32{u.day}, exceptMoved(u.merchant, []int32{u.day}))
	}
	var differing uint64
	err := conn.QueryRow(forRollup(ctx), fmt.Sprintf(`SELECT count() FROM (
SELECT %[1]s FROM (
  SELECT %[1]s, 1 AS side, cityHash64(%[2]s) AS sums FROM (%[3]s)
  UNION ALL SELECT %[1]s, 2 AS side, cityHash64(%[2]s) AS sums FROM %[4]s WHERE %[5]s
) GROUP BY %[1]s HAVING countIf(side = 1) != 1 OR countIf(side = 2) != 1 OR min(sums) != max(sums))`,
		keys, names, raw, table, where)).Scan(&differing)
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
