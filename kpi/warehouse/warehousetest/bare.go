// Package warehousetest gives benchmarks of other packages the thing they are measured against: a
// bare columnar insert by the client into a table of the same form, without anything of ours.
//
// It owns no data and no time: instants are those of the rows.
package warehousetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/kpi/chatlog"
)

// blockRows is how many rows are sent at a time, as the warehouse does.
const blockRows = 32768

// Bare is a table like events and the columns of rows that were made beforehand.
type Bare struct {
	conn   clickhouse.Conn
	blocks [][]any
}

// Open connects to the database of a warehouse that has made its tables.
func Open(t testing.TB, dsn string) *Bare {
	t.Helper()
	options, err := clickhouse.ParseDSN(dsn)
	require.NoError(t, err)
	conn, err := clickhouse.Open(options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return &Bare{conn: conn}
}

// Prepare makes the columns of n events.
func (b *Bare) Prepare(n int, event func(i int) chatlog.Event) {
	b.blocks = nil
	rows := make([]chatlog.Event, 0, blockRows)
	for i := range n {
		rows = append(rows, event(i))
		if len(rows) == blockRows || i == n-1 {
			b.blocks = append(b.blocks, columns(rows, i+1-len(rows)))
			rows = rows[:0]
		}
	}
}

// Insert writes the rows into an empty table and returns how long that took.
func (b *Bare) Insert(t testing.TB) time.Duration {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, b.conn.Exec(ctx, "DROP TABLE IF EXISTS bare_events SYNC"))
	require.NoError(t, b.conn.Exec(ctx, "CREATE TABLE bare_events AS events"))
	start := time.Now()
	batch, err := b.conn.PrepareBatch(ctx, "INSERT INTO bare_events")
	require.NoError(t, err)
	for i, block := range b.blocks {
		for n, column := range block {
			require.NoError(t, batch.Column(n).Append(column))
		}
		if i+1 < len(b.blocks) {
			require.NoError(t, batch.Flush())
		}
	}
	require.NoError(t, batch.Send())
	return time.Since(start)
}

// Count asks how many rows a query finds.
func (b *Bare) Count(t testing.TB, query string) (n uint64) {
	t.Helper()
	require.NoError(t, b.conn.QueryRow(context.Background(), fmt.Sprintf("SELECT count() FROM (%s)", query)).Scan(&n))
	return n
}

// columns are those of the table events, in its order.
func columns(rows []chatlog.Event, from int) []any {
	text := func(get func(*chatlog.Event) string) []string { return values(rows, get) }
	return []any{
		text(func(e *chatlog.Event) string { return string(e.Merchant) }),
		values(rows, func(e *chatlog.Event) time.Time { return e.At.Truncate(24 * time.Hour) }),
		text(func(e *chatlog.Event) string { return e.Conversation }),
		values(rows, func(e *chatlog.Event) uint64 { return e.Key() }),
		values(rows, func(*chatlog.Event) uint64 { from++; return 1<<24 | uint64(from) }),
		values(rows, func(e *chatlog.Event) int64 { return e.At.UnixMilli() }),
		values(rows, func(e *chatlog.Event) uint8 { return uint8(slices.Index(chatlog.Kinds, e.Kind) + 1) }),
		text(func(e *chatlog.Event) string { return string(e.Shop) }),
		text(func(e *chatlog.Event) string { return string(e.Queue) }),
		text(func(e *chatlog.Event) string { return string(e.Agent) }),
		text(func(e *chatlog.Event) string { return e.Account }),
		text(func(e *chatlog.Event) string { return e.Buyer }),
		values(rows, func(e *chatlog.Event) bool { return e.Closing }),
		values(rows, func(e *chatlog.Event) uint8 { return uint8(e.Score) }),
		values(rows, func(e *chatlog.Event) bool { return e.Invited }),
		values(rows, func(e *chatlog.Event) bool { return e.Simulated }),
	}
}

func values[V any](rows []chatlog.Event, value func(*chatlog.Event) V) []V {
	out := make([]V, len(rows))
	for i := range rows {
		out[i] = value(&rows[i])
	}
	return out
}
