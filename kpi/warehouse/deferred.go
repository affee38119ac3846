package warehouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/kpi"
)

// askDeferred answers about inquiries and tickets, which are few and change long after their day: they
// have no roll-up.
func (q question) askDeferred(ctx context.Context, conn clickhouse.Conn, totals []total) error {
	for _, p := range q.pieces {
		one := q
		one.pieces = []piece{p}
		d := newRuled(p.figure.definition, q.zone, true)
		from := one.tickets(d)
		if q.source == fromOrders {
			from = one.inquiries(d)
		}
		if err := one.add(forReading(ctx), conn, one.ruleSQL(from), totals); err != nil {
			return err
		}
	}
	return nil
}

// rawWhere selects the rows of a table by scope, platform and business day.
func (q question) rawWhere(extraDays int) conditions {
	first, last := dayIn(q.query.Range.Start, q.zone), dayIn(q.query.Range.End.Add(-1), q.zone)
	where := append(q.scope.merchants(q.query.Merchants), q.rules.onShops(q.pieces[0].figure.definition)...)
	if len(q.query.Shops) > 0 {
		where = append(where, in("shop", q.query.Shops))
	}
	return append(where, between(first, last+int32(extraDays)))
}

// inquiries is the SELECT of what each inquiry day (a buyer of a shop and business day with an inquiry)
// adds, in the columns of metric_slots; see tally.Inquiries for the rules. An amount is in fen.
func (q question) inquiries(d ruled) string {
	zone := quote(q.zone.String())
	step := map[string]int{"order": 2, "payment": 3, "shipment": 4}[d.rule.Order] // kinds as in the table orders
	value, rises := "toInt64(1)", "0"
	inTime := "s.1 >= opened AND s.1 < closes"
	switch d.rule.Measure {
	case kpi.Converted:
		rises = "1"
		value = fmt.Sprintf("toInt64(arrayExists(s -> s.2 = %d AND %s, steps))", step, inTime)
	case kpi.Amount:
		rises = "1"
		minus := "0"
		if d.rule.Net {
			minus = "if(s.2 = 5, -s.3, 0)"
		}
		value = fmt.Sprintf("arraySum(s -> if(%s AND s.1 < next, if(s.2 = %d, s.3, %s), 0), steps)", inTime, step, minus)
	}
	orders := fmt.Sprintf("(SELECT merchant, shop, buyer, order_id, kind, day, toUnixTimestamp64Milli(at) AS ms, queue, agent, amount FROM orders FINAL WHERE %s)",
		q.rawWhere(d.rule.CloseDays))
	return fmt.Sprintf(`SELECT %[1]s AS metric, merchant, shop, queue, agent, toDateTime(intDiv(opened, 900000) * 900, 'UTC') AS slot,
%[2]s AS numerator, 1 AS denominator, toUInt8(%[3]s AND day + %[4]d >= toDate(now(), %[5]s)) AS open FROM (
SELECT *, leadInFrame(opened, 1, 9223372036854775807) OVER (PARTITION BY merchant, shop, buyer ORDER BY opened ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next,
toInt64(toUnixTimestamp(toDateTime(day + %[6]d, %[5]s))) * 1000 AS closes FROM (
  SELECT merchant, shop, buyer, day, min(ms) AS opened, argMax(o.queue, (ms, order_id)) AS queue, argMax(o.agent, (ms, order_id)) AS agent
  FROM %[7]s AS o WHERE kind = 1 GROUP BY merchant, shop, buyer, day)
) AS i LEFT JOIN (
  SELECT merchant, shop, buyer, groupArray((ms, kind, amount)) AS steps FROM %[7]s WHERE kind != 1 GROUP BY merchant, shop, buyer
) AS s USING (merchant, shop, buyer)
WHERE %[8]s`, quote(d.definition.Key()), value, rises, d.rule.CloseDays, zone, d.rule.CloseDays+1, orders, d.assessed("opened"))
}

// tickets is the SELECT of what each ticket adds, in the columns of metric_slots; see tally.Tickets for
// the rules. A mean is in ms.
func (q question) tickets(d ruled) string {
	kept, value := "1", "toUInt64(1)"
	switch {
	case d.rule.Measure == kpi.Mean:
		kept, value = "shut > 0", d.capped(d.elapsed("begun", "shut"))
	case d.rule.Measure == kpi.Within && d.rule.Limit == 0:
		kept, value = "until > 0", "toUInt64(shut > 0 AND shut <= until)"
	case d.rule.Measure == kpi.Within:
		value = fmt.Sprintf("toUInt64(shut > 0 AND %s <= %d)", d.elapsed("begun", "shut"), d.rule.Limit*1000)
	}
	return fmt.Sprintf(`SELECT %s AS metric, merchant, shop, queue, agent, toDateTime(intDiv(begun, 900000) * 900, 'UTC') AS slot, %s AS numerator, 1 AS denominator
FROM (SELECT *, toUnixTimestamp64Milli(opened) AS begun, toUnixTimestamp64Milli(due) AS until, toUnixTimestamp64Milli(closed) AS shut FROM tickets FINAL WHERE %s)
WHERE %s AND %s`, quote(d.definition.Key()), value, q.rawWhere(0), kept, d.assessed("begun"))
}
