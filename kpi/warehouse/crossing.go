package warehouse

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// crossing are the conversations with rows on both sides of a cutoff. A cutoff by rows would tear
// them apart: what is left would count as a conversation of its own, or an old version would count
// again. Such a conversation goes as a whole when it started before the cutoff; it stays as a whole when it
// started later, or has a row on a day that nothing may be deleted of.
type crossing struct {
	gone []uint64  // hashes of those that go, with their later rows
	kept []uint64  // hashes of those that stay, with their earlier rows
	torn []touched // days before the cutoff that a kept conversation started on
}

// where selects the rows that go: those before the cutoff and those of conversations that began there.
func (c crossing) where(columns, day string) string {
	where := day
	if len(c.kept) > 0 {
		where = fmt.Sprintf("%s AND cityHash64(%s) NOT IN (%s)", day, columns, numberList(c.kept))
	}
	if len(c.gone) > 0 {
		where = fmt.Sprintf("(%s) OR cityHash64(%s) IN (%s)", where, columns, numberList(c.gone))
	}
	return where
}

func numberList(values []uint64) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprint(v)
	}
	return strings.Join(parts, ", ")
}

// crossingSQL lists them with the last day that they have a row on. The set is that of the old side, which is
// small when retention runs every night.
const crossingSQL = `WITH old AS (
SELECT cityHash64(merchant, id) AS h FROM conversations WHERE day < %[1]s
UNION DISTINCT SELECT cityHash64(merchant, conversation) AS h FROM events WHERE day >= %[2]s AND day < %[1]s)
SELECT cityHash64(m, c) AS h, toString(any(m)), any(c), toInt32(max(d)) FROM (
SELECT merchant AS m, id AS c, day AS d FROM conversations WHERE day >= %[1]s AND cityHash64(merchant, id) IN (SELECT h FROM old)
UNION ALL
SELECT merchant AS m, conversation AS c, day AS d FROM events
WHERE day >= %[1]s AND day <= %[3]s AND cityHash64(merchant, conversation) IN (SELECT h FROM old)
) GROUP BY h ORDER BY h`

// crosser is one of them.
type crosser struct {
	hash  uint64
	place position
	last  int32 // day of its last row
}

func (w *Warehouse) crossing(ctx context.Context, conn clickhouse.Conn, r Retention) (c crossing, err error) {
	cutoff, floor := dayOf(r.Cutoff), dayOf(r.floor())
	rows, err := conn.Query(forRollup(ctx), fmt.Sprintf(crossingSQL, dateLiteral(cutoff), dateLiteral(cutoff-reach), dateLiteral(cutoff+reach)))
	if err != nil {
		return c, err
	}
	defer rows.Close()
	var all []crosser
	for rows.Next() {
		var x crosser
		if err := rows.Scan(&x.hash, &x.place.Merchant, &x.place.ID, &x.last); err != nil {
			return c, err
		}
		all = append(all, x)
	}
	if err := rows.Err(); err != nil {
		return c, err
	}
	torn := map[touched]bool{}
	for len(all) > 0 {
		n := min(len(all), maxPage)
		days, err := w.ownerDays(ctx, conn, all[:n], cutoff)
		if err != nil {
			return c, err
		}
		for i, x := range all[:n] {
			if days[i] < cutoff && x.last < floor {
				c.gone = append(c.gone, x.hash)
				continue
			}
			c.kept = append(c.kept, x.hash)
			if unit := (touched{kindConversations, x.place.Merchant, days[i]}); days[i] < cutoff && !torn[unit] {
				torn[unit] = true
				c.torn = append(c.torn, unit)
			}
		}
		all = all[n:]
	}
	return c, nil
}

// ownerDays are the business days on which conversations around a cutoff started.
func (w *Warehouse) ownerDays(ctx context.Context, conn clickhouse.Conn, all []crosser, cutoff int32) ([]int32, error) {
	places := make([]position, len(all))
	for i, x := range all {
		places[i] = x.place
	}
	headers, err := readHeaders(ctx, conn, headersSQL(places, 0, maxDay)) // a corrected start may lie anywhere
	if err != nil {
		return nil, err
	}
	events, err := readEvents(ctx, conn, places, cutoff, cutoff)
	if err != nil {
		return nil, err
	}
	days := make([]int32, len(all))
	for i, p := range places {
		days[i] = cutoff // its rows went in this moment
		if k := (key{p.Merchant, p.ID}); headers[k] != nil || len(events[k]) > 0 {
			days[i] = w.day(chatlog.Assemble(headers[k], events[k]).StartedAt)
		}
	}
	return days, nil
}

// dayOf is a date as days since 1970-01-01.
func dayOf(d calendar.Date) int32 { return int32(d.Sub(calendar.MakeDate(1970, time.January, 1))) }

// movedBack is a condition on a table whose key has no day: the newest version of a row may lie before
// the cutoff and an older one after it. If only the newest went, the older would count again.
func movedBack(ctx context.Context, conn clickhouse.Conn, table, keys, day string) (string, error) {
	rows, err := conn.Query(forRollup(ctx), fmt.Sprintf(`SELECT cityHash64(%[1]s) AS h FROM %[2]s
WHERE h IN (SELECT cityHash64(%[1]s) FROM %[2]s WHERE %[3]s) GROUP BY h HAVING argMax(%[3]s, version) AND NOT min(%[3]s) ORDER BY h`,
		keys, table, day))
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var moved []uint64
	for rows.Next() {
		var h uint64
		if err := rows.Scan(&h); err != nil {
			return "", err
		}
		moved = append(moved, h)
	}
	if err := rows.Err(); err != nil || len(moved) == 0 {
		return "", err
	}
	return fmt.Sprintf(" OR cityHash64(%s) IN (%s)", keys, numberList(moved)), nil
}
