package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// seriesSQL adds up a queue's contact history. Where files of several slot lengths cover the same
// day, only the finest rows of that day count, so that nothing counts twice; rows coarser than the
// slot asked for cannot be split and do not count.
func seriesSQL(scope Scope, queue ids.Queue, span calendar.Range, slot time.Duration, zone string) string {
	where := append(conditions{
		in("queue", []ids.Queue{queue}),
		fmt.Sprintf("start >= toDateTime(%d, 'UTC') AND start < toDateTime(%d, 'UTC')", span.Start.Unix(), span.End.Unix()),
		fmt.Sprintf("slot_s <= %d", slot/time.Second),
	}, scope.merchants(nil)...)
	return fmt.Sprintf(`SELECT toString(merchant), step, sum(offered), sum(offered * handle_ms), sumIf(offered, handle_ms > 0), max(simulated) FROM (
SELECT merchant, offered, handle_ms, simulated, slot_s,
toInt64(toUnixTimestamp(toDateTime(start, %[1]s)) + timezoneOffset(toDateTime(start, %[1]s))) AS wall,
toInt64(toUnixTimestamp(start)) - positiveModulo(wall, %[2]d) AS step,
min(slot_s) OVER (PARTITION BY merchant, intDiv(wall, 86400)) AS finest
FROM contacts FINAL WHERE %[3]s
) WHERE slot_s = finest GROUP BY merchant, step ORDER BY merchant, step`, quote(zone), slot/time.Second, where)
}

// Series is the contact history of a queue in slots of the given length (5 to 60 minutes dividing
// the hour, or 24 hours), aligned to the business day. Slots without a stored row are absent: no
// row is not zero contacts. HandleTime is weighted by contacts. In an agent's scope it is empty.
// Errors: kpi.series.invalid, warehouse.down and the like.
func (r Reader) Series(ctx context.Context, queue ids.Queue, span calendar.Range, slot time.Duration) ([]chatlog.Contacts, error) {
	var bad []fault.Field
	if slot != 24*time.Hour && (slot < 5*time.Minute || slot > time.Hour || time.Hour%slot != 0) {
		bad = append(bad, fault.Field{Path: "slot", Value: slot.String(), Problem: "must be 5 to 60 minutes and divide the hour, or 24 hours"})
	}
	if !span.Valid() {
		bad = append(bad, fault.Field{Path: "range", Problem: "must end after it starts"})
	}
	if err := fault.Bad("kpi.series.invalid", "series", bad); err != nil {
		return nil, err
	}
	if r.scope.empty() || r.scope.Agent != "" {
		return nil, nil
	}
	conn, err := r.w.connection(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(forReading(ctx), seriesSQL(r.scope, queue, span, slot, r.w.zone.String()))
	if err != nil {
		return nil, r.w.classify(ctx, err)
	}
	defer rows.Close()
	var series []chatlog.Contacts
	for rows.Next() {
		c := chatlog.Contacts{Queue: queue, Slot: slot}
		var merchant string
		var step int64
		var handled, known float64
		if err := rows.Scan(&merchant, &step, &c.Offered, &handled, &known, &c.Simulated); err != nil {
			return nil, r.w.classify(ctx, err)
		}
		c.Merchant, c.Start = ids.Merchant(merchant), time.Unix(step, 0).UTC()
		if known > 0 {
			c.HandleTime = time.Duration(handled / known * float64(time.Millisecond))
		}
		series = append(series, c)
	}
	return series, r.w.classify(ctx, rows.Err())
}
