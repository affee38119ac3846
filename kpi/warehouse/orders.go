package warehouse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// orderKind is the number of a step in the table orders: its place in chatlog.OrderKinds, from 1; 0 is
// no step.
func orderKind(kind chatlog.OrderKind) uint8 {
	return uint8(slices.Index(chatlog.OrderKinds, kind) + 1)
}

// maxOrders bounds one answer of OrderEvents and of Tickets.
const maxOrders = 2_000_000

func (w *Warehouse) writeOrders(ctx context.Context, conn clickhouse.Conn, all []chatlog.OrderEvent, version uint64) error {
	return insert(ctx, conn, "INSERT INTO orders (merchant, shop, buyer, order_id, kind, version, day, at, queue, agent, amount, simulated)", len(all),
		func(to *appender, from, until int) {
			rows := all[from:until]
			column(to, rows, func(o *chatlog.OrderEvent) string { return string(o.Merchant) })
			column(to, rows, func(o *chatlog.OrderEvent) string { return string(o.Shop) })
			column(to, rows, func(o *chatlog.OrderEvent) string { return o.Buyer })
			column(to, rows, func(o *chatlog.OrderEvent) string { return o.Order })
			column(to, rows, func(o *chatlog.OrderEvent) uint8 { return orderKind(o.Kind) })
			to.next(versions(version, from, until))
			column(to, rows, func(o *chatlog.OrderEvent) time.Time { return dateOf(w.day(o.At)) })
			column(to, rows, func(o *chatlog.OrderEvent) int64 { return o.At.UnixMilli() })
			column(to, rows, func(o *chatlog.OrderEvent) string { return string(o.Queue) })
			column(to, rows, func(o *chatlog.OrderEvent) string { return string(o.Agent) })
			column(to, rows, func(o *chatlog.OrderEvent) int64 { return int64(o.Amount) })
			column(to, rows, func(o *chatlog.OrderEvent) bool { return o.Simulated })
		})
}

func (w *Warehouse) writeTickets(ctx context.Context, conn clickhouse.Conn, all []chatlog.Ticket, version uint64) error {
	return insert(ctx, conn, "INSERT INTO tickets (merchant, id, version, day, shop, queue, tag, agent, buyer, opened, due, closed, simulated)", len(all),
		func(to *appender, from, until int) {
			rows := all[from:until]
			column(to, rows, func(t *chatlog.Ticket) string { return string(t.Merchant) })
			column(to, rows, func(t *chatlog.Ticket) string { return t.ID })
			to.next(versions(version, from, until))
			column(to, rows, func(t *chatlog.Ticket) time.Time { return dateOf(w.day(t.OpenedAt)) })
			column(to, rows, func(t *chatlog.Ticket) string { return string(t.Shop) })
			column(to, rows, func(t *chatlog.Ticket) string { return string(t.Queue) })
			column(to, rows, func(t *chatlog.Ticket) string { return t.Tag })
			column(to, rows, func(t *chatlog.Ticket) string { return string(t.Agent) })
			column(to, rows, func(t *chatlog.Ticket) string { return t.Buyer })
			column(to, rows, func(t *chatlog.Ticket) int64 { return t.OpenedAt.UnixMilli() })
			column(to, rows, func(t *chatlog.Ticket) int64 { return milliOrNone(t.DueAt) })
			column(to, rows, func(t *chatlog.Ticket) int64 { return milliOrNone(t.ClosedAt) })
			column(to, rows, func(t *chatlog.Ticket) bool { return t.Simulated })
		})
}

// milliOrNone is an instant as ms since 1970, which itself stands for none.
func milliOrNone(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// instant is the inverse of milliOrNone.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// rowsSQL renders the current rows of the small tables orders and tickets that a filter selects, dated
// by a column.
func rowsSQL(scope Scope, f Filter, columns, table, dated, order string) string {
	return fmt.Sprintf("SELECT %s FROM %s FINAL WHERE %s ORDER BY %s LIMIT %d", columns, table, rowsWhere(scope, f, dated), order, maxOrders+1)
}

// rowsWhere is the condition of a filter on orders and tickets.
func rowsWhere(scope Scope, f Filter, dated string) conditions {
	where := append(conditions{
		// day would be quicker, but it is no part of the key: an old version could be on another day.
		fmt.Sprintf("%[1]s >= fromUnixTimestamp64Milli(%[2]d, 'UTC') AND %[1]s < fromUnixTimestamp64Milli(%[3]d, 'UTC')",
			dated, f.Range.Start.UnixMilli(), f.Range.End.UnixMilli()),
	}, scope.merchants(f.Merchants)...)
	where = append(where, scope.agents(f.Agents)...)
	if len(f.Shops) > 0 {
		where = append(where, in("shop", f.Shops))
	}
	if len(f.Queues) > 0 {
		where = append(where, in("queue", f.Queues))
	}
	return where
}

// selected checks a filter and connects; conn is nil when the scope sees nothing.
func (r Reader) selected(ctx context.Context, f Filter) (conn clickhouse.Conn, err error) {
	if !f.Range.Valid() {
		return nil, fault.Bad("kpi.list.invalid", "list", []fault.Field{{Path: "range", Problem: "must end after it starts"}})
	}
	if err := checkFilter(len(f.Merchants), len(f.Shops), len(f.Queues), len(f.Agents)); err != nil {
		return nil, err
	}
	if r.scope.empty() {
		return nil, nil
	}
	return r.w.connection(ctx)
}

// OrderEvents lists the inquiries and order steps that happened in the range, by instant and key. Queues
// and Agents select inquiries only, since a step belongs to nobody until it is attributed; so does an
// agent's scope. Errors: kpi.list.invalid, kpi.list.too_many above two million rows, warehouse.down
// and the like.
func (r Reader) OrderEvents(ctx context.Context, f Filter) ([]chatlog.OrderEvent, error) {
	conn, err := r.selected(ctx, f)
	if err != nil || conn == nil {
		return nil, err
	}
	rows, err := conn.Query(forReading(ctx), rowsSQL(r.scope, f, `toString(merchant), toString(shop), buyer, order_id, kind,
toUnixTimestamp64Milli(at), toString(queue), toString(agent), amount, simulated`, "orders", "at", "at, merchant, shop, buyer, order_id, kind"))
	if err != nil {
		return nil, r.w.classify(ctx, err)
	}
	defer rows.Close()
	var list []chatlog.OrderEvent
	for rows.Next() {
		var o chatlog.OrderEvent
		var merchant, shop, queue, agent string
		var kind uint8
		var at, amount int64
		if err := rows.Scan(&merchant, &shop, &o.Buyer, &o.Order, &kind, &at, &queue, &agent, &amount, &o.Simulated); err != nil {
			return nil, r.w.classify(ctx, err)
		}
		o.Merchant, o.Shop, o.Queue, o.Agent = ids.Merchant(merchant), ids.Shop(shop), ids.Queue(queue), ids.Agent(agent)
		o.At, o.Amount = time.UnixMilli(at).UTC(), money.Fen(amount)
		if int(kind) >= 1 && int(kind) <= len(chatlog.OrderKinds) {
			o.Kind = chatlog.OrderKinds[kind-1]
		}
		list = append(list, o)
	}
	return list, r.whole(ctx, rows.Err(), len(list))
}

// Tickets lists the tickets that were opened in the range, by instant and id. Errors: as OrderEvents.
func (r Reader) Tickets(ctx context.Context, f Filter) ([]chatlog.Ticket, error) {
	conn, err := r.selected(ctx, f)
	if err != nil || conn == nil {
		return nil, err
	}
	rows, err := conn.Query(forReading(ctx), rowsSQL(r.scope, f, `toString(merchant), toString(shop), toString(queue), id, toString(tag),
toString(agent), buyer, toUnixTimestamp64Milli(opened), toUnixTimestamp64Milli(due), toUnixTimestamp64Milli(closed), simulated`,
		"tickets", "opened", "opened, merchant, id"))
	if err != nil {
		return nil, r.w.classify(ctx, err)
	}
	defer rows.Close()
	var list []chatlog.Ticket
	for rows.Next() {
		var t chatlog.Ticket
		var merchant, shop, queue, agent string
		var opened, due, closed int64
		if err := rows.Scan(&merchant, &shop, &queue, &t.ID, &t.Tag, &agent, &t.Buyer, &opened, &due, &closed, &t.Simulated); err != nil {
			return nil, r.w.classify(ctx, err)
		}
		t.Merchant, t.Shop, t.Queue, t.Agent = ids.Merchant(merchant), ids.Shop(shop), ids.Queue(queue), ids.Agent(agent)
		t.OpenedAt, t.DueAt, t.ClosedAt = time.UnixMilli(opened).UTC(), instant(due), instant(closed)
		list = append(list, t)
	}
	return list, r.whole(ctx, rows.Err(), len(list))
}

// whole refuses a list that was cut off: a part of it would be counted as the whole.
func (r Reader) whole(ctx context.Context, err error, n int) error {
	if err == nil && n > maxOrders {
		return fault.New(fault.TooLarge, "kpi.list.too_many", "the selection has more than %d rows; choose a shorter range or one merchant", maxOrders)
	}
	return r.w.classify(ctx, err)
}
