package warehouse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// What forecasts ask besides the contact history: the work in contacts by slot, the contacts that a
// bot ended alone, and orders and tickets by day. They are totals of a queue or a shop; in an agent's
// scope they are empty.

// SlotWork is the work in the conversations of a queue that started in one quarter hour.
type SlotWork struct {
	Start   time.Time
	Offered float64       // conversations, those that a bot ended alone included
	Handled float64       // of them, those that a person answered
	Handle  time.Duration // in all of them together
	Rounds  float64       // that a person answered
}

// BotSlot is the conversations of a queue that started in one quarter hour.
type BotSlot struct {
	Start    time.Time
	Arrivals float64 // all
	BotOnly  float64 // of them, those that chatlog.BotOnly holds for
}

// DayCount is how many order steps or tickets one business day has.
type DayCount struct {
	Date  calendar.Date
	Shop  ids.Shop
	Tag   string // of tickets
	Count int
}

// readable checks a filter of totals and connects; conn is nil when the scope sees nothing.
func (r Reader) readable(ctx context.Context, f Filter) (clickhouse.Conn, error) {
	if r.scope.Agent != "" {
		return nil, nil
	}
	return r.selected(ctx, f)
}

// rowsOf runs a statement and calls read for each row.
func (r Reader) rowsOf(ctx context.Context, conn clickhouse.Conn, sql string, read func(driver.Rows) error) error {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return r.w.classify(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := read(rows); err != nil {
			return r.w.classify(ctx, err)
		}
	}
	return r.w.classify(ctx, rows.Err())
}

// Work adds up the roll-ups of the conversations that a filter selects by quarter hour; the range is on
// borders of quarter hours. Errors: kpi.list.invalid, warehouse.down and the like.
func (r Reader) Work(ctx context.Context, f Filter) ([]SlotWork, error) {
	conn, err := r.readable(ctx, f)
	if err != nil || conn == nil {
		return nil, err
	}
	q := question{
		query: kpi.Query{Range: f.Range, Merchants: f.Merchants, Shops: f.Shops, Queues: f.Queues},
		scope: r.scope, zone: r.w.zone, rules: r.w.rules.Load(), source: fromSlots,
	}
	now, err := q.current(ctx, conn)
	if err != nil {
		return nil, r.w.classify(ctx, err)
	}
	table, err := now.table()
	if err != nil {
		return nil, r.w.classify(ctx, err)
	}
	first, last := q.days()
	where := append(conditions{between(first, last), q.inRange(), "generation IN (SELECT generation FROM current)"}, q.where()...)
	var list []SlotWork
	err = r.rowsOf(forReading(ctx, clickhouse.WithExternalTable(table)), conn, fmt.Sprintf(
		"SELECT slot, sum(offered), sum(answered), sum(handle_ms), sum(rounds_answered) FROM slots WHERE %s GROUP BY slot ORDER BY slot", where),
		func(rows driver.Rows) error {
			var one SlotWork
			var offered, handled, ms, rounds uint64
			if err := rows.Scan(&one.Start, &offered, &handled, &ms, &rounds); err != nil {
				return err
			}
			one.Start, one.Offered, one.Handled, one.Rounds = one.Start.UTC(), float64(offered), float64(handled), float64(rounds)
			one.Handle = time.Duration(ms) * time.Millisecond
			list = append(list, one)
			return nil
		})
	return list, err
}

// Bots counts the conversations of one queue by quarter hour, from the roll-ups, and those that a bot ended
// alone, from raw events. It is empty for a queue in which a bot ended none within the range, which
// is on borders of quarter hours. Errors: kpi.list.invalid, warehouse.down and the like.
func (r Reader) Bots(ctx context.Context, queue ids.Queue, span calendar.Range) ([]BotSlot, error) {
	f := Filter{Range: span, Queues: []ids.Queue{queue}}
	conn, err := r.readable(ctx, f)
	if err != nil || conn == nil {
		return nil, err
	}
	b := botQuestion{queue: queue, span: span, merchants: r.scope.merchants(nil), zone: r.w.zone}
	days, bots := map[int32]uint64{}, uint64(0)
	err = r.rowsOf(forReading(ctx), conn, b.weights(), func(rows driver.Rows) error {
		var day int32
		var n, replies uint64
		err := rows.Scan(&day, &n, &replies)
		days[day] = n
		bots += replies
		return err
	})
	if err != nil || bots == 0 {
		return nil, err
	}
	alone := map[int64]float64{}
	for _, part := range b.parts(days) {
		var some bool
		if err := conn.QueryRow(forReading(ctx), "SELECT count() > 0 FROM ("+b.candidates(part[0], part[1])+")").Scan(&some); err != nil {
			return nil, r.w.classify(ctx, err)
		}
		if !some {
			continue
		}
		err := r.rowsOf(forRollup(ctx), conn, b.toSQL(part[0], part[1]), func(rows driver.Rows) error {
			var at int64
			var n uint64
			err := rows.Scan(&at, &n)
			alone[at] += float64(n)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(alone) == 0 {
		return nil, nil
	}
	work, err := r.Work(ctx, f)
	if err != nil {
		return nil, err
	}
	var list []BotSlot
	for _, w := range work {
		n := alone[w.Start.Unix()] // roll-ups may lag behind raw events by minutes
		list = append(list, BotSlot{Start: w.Start, Arrivals: max(w.Offered, n), BotOnly: n})
	}
	return list, nil
}

// botQuestion asks what a bot ended alone in one queue.
type botQuestion struct {
	queue     ids.Queue
	span      calendar.Range
	merchants conditions
	zone      *time.Location
}

// weights selects by day how many rows the queue has and how many of them are replies of a bot, which may
// come on a later day than the conversation starts on.
func (b botQuestion) weights() string {
	where := append(conditions{in("queue", []ids.Queue{b.queue}), between(dayIn(b.span.Start, b.zone), dayIn(b.span.End.Add(-1), b.zone))}, b.merchants...)
	return fmt.Sprintf(`SELECT toInt32(day), count(), sum(reply) FROM (
SELECT day, bot_response_ms != 4294967295 AS reply FROM conversations WHERE %[1]s UNION ALL SELECT day, kind = 4 AS reply FROM events WHERE %[1]s) GROUP BY day`, where)
}

// parts cuts the days that have rows into runs with a bounded number of them.
func (b botQuestion) parts(days map[int32]uint64) (parts [][2]int32) {
	var order []int32
	for d := range days {
		order = append(order, d)
	}
	slices.Sort(order)
	rows := uint64(0)
	for _, d := range order {
		rows += days[d]
		if n := len(parts); n > 0 && rows <= chunkRows && d-parts[n-1][0] < rawDays {
			parts[n-1][1] = d
			continue
		}
		parts = append(parts, [2]int32{d, d})
		rows = days[d]
	}
	return parts
}

// candidates selects the few conversations that can be a bot's alone: those whose header has no reply but the
// bot's, and those with a bot's message and none that speaks against it. The assembly decides.
func (b botQuestion) candidates(first, last int32) string {
	where := append(b.merchants[:len(b.merchants):len(b.merchants)], in("queue", []ids.Queue{b.queue}))
	return fmt.Sprintf(`SELECT merchant, id FROM conversations WHERE %[1]s AND %[2]s AND bot_response_ms != 4294967295 AND first_response_ms = 4294967295
UNION ALL SELECT merchant, conversation FROM (SELECT merchant, conversation, argMax(kind, version) AS said FROM events WHERE %[1]s AND %[3]s GROUP BY merchant, conversation, id)
GROUP BY merchant, conversation HAVING countIf(said = 4) > 0 AND countIf(said IN (1, 5, 6)) = 0`,
		where, between(first, last), between(first-reach, last+reach))
}

// toSQL counts the conversations that a bot ended alone and that started from one day to another. Of one id
// that is used again within a month the other use speaks against it too.
func (b botQuestion) toSQL(first, last int32) string {
	merchants := b.merchants[:len(b.merchants):len(b.merchants)]
	queue := in("queue", []ids.Queue{b.queue})
	a := assembly{
		where: append(merchants, between(first, last)), merchants: merchants, first: first, last: last, zone: b.zone,
		exact: append(merchants, fmt.Sprintf("day IN (%s)", dateList(daysFrom(first, last)))).String(),
	}
	a.only = b.candidates(first, last)
	started := fmt.Sprintf("started >= %d AND started < %d", b.span.Start.UnixMilli(), b.span.End.UnixMilli())
	return fmt.Sprintf("SELECT intDiv(started, %[1]d) * %[2]d AS at, count() FROM (%[3]s) WHERE alone AND %[4]s AND (NOT far OR day = anchor) AND %[5]s AND %[6]s GROUP BY at ORDER BY at",
		calendar.Slot.Milliseconds(), int64(calendar.Slot/time.Second), layered(a.settled(),
			fmt.Sprintf("if(header, h_day, %s) AS day, if(messages, told.2, arrayMap(e -> e.2, %s)) AS told_kinds", a.date("started"), synthetic),
			"asked AND has(told_kinds, 4) AND NOT hasAny(told_kinds, [1, 5, 6]) AND first_response_ms = 4294967295 AND NOT (header AND h_abandoned) AS alone"),
		a.exact, queue, started)
}

// OrderDays counts the steps of one kind by shop and business day; days without one are absent. Queues
// and Agents of the filter select nothing but inquiries. Errors: kpi.list.invalid, warehouse.down and
// the like.
func (r Reader) OrderDays(ctx context.Context, f Filter, kind chatlog.OrderKind) ([]DayCount, error) {
	if orderKind(kind) == 0 {
		return nil, fault.Bad("kpi.list.invalid", "list", []fault.Field{{Path: "kind", Value: string(kind), Problem: fmt.Sprintf("must be one of %s", fault.Names(chatlog.OrderKinds))}})
	}
	return r.dayCounts(ctx, f, "orders", "at", "''", fmt.Sprintf("kind = %d", orderKind(kind)))
}

// TicketDays counts the tickets by shop, tag and the business day they were opened on; days without one
// are absent. Errors: kpi.list.invalid, warehouse.down and the like.
func (r Reader) TicketDays(ctx context.Context, f Filter) ([]DayCount, error) {
	return r.dayCounts(ctx, f, "tickets", "opened", "tag", "1")
}

func (r Reader) dayCounts(ctx context.Context, f Filter, table, dated, tag, which string) ([]DayCount, error) {
	conn, err := r.readable(ctx, f)
	if err != nil || conn == nil {
		return nil, err
	}
	var list []DayCount
	err = r.rowsOf(forReading(ctx), conn, fmt.Sprintf(
		"SELECT toInt32(day) AS d, toString(shop) AS s, toString(%s) AS g, count() FROM %s FINAL WHERE %s GROUP BY d, s, g ORDER BY d, s, g",
		tag, table, append(rowsWhere(r.scope, f, dated), which)),
		func(rows driver.Rows) error {
			var day int32
			var one DayCount
			var shop string
			var n uint64
			if err := rows.Scan(&day, &shop, &one.Tag, &n); err != nil {
				return err
			}
			one.Date, one.Shop, one.Count = calendar.DateOf(dateOf(day), time.UTC), ids.Shop(shop), int(n)
			list = append(list, one)
			return nil
		})
	return list, err
}
