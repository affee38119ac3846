package warehouse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// benchEvents are messages of conversations of 8 on average, over 30 days, in order of time as a
// platform sends them; ids are as long as those of platforms.
func benchEvents(n int) []chatlog.Event {
	random := rand.New(rand.NewPCG(11, 12))
	kinds := []chatlog.EventKind{chatlog.BuyerMessage, chatlog.AgentMessage, chatlog.BuyerMessage, chatlog.BotMessage, chatlog.AgentMessage}
	all := make([]chatlog.Event, n)
	step := 30 * 24 * time.Hour / time.Duration(n)
	for i := range all {
		talk := i/1600*200 + random.IntN(200) // 200 conversations are open at a time
		merchant := talk % 20
		all[i] = chatlog.Event{
			Merchant: ids.Merchant(fmt.Sprint("merchant-", merchant)), Shop: ids.Shop(fmt.Sprint("shop-", merchant)), Queue: "pre-sale",
			Conversation: fmt.Sprintf("2026%010d", talk), ID: fmt.Sprintf("%019d", 1_700_000_000_000_000_000+int64(i)), At: base.Add(time.Duration(i) * step).Truncate(time.Millisecond),
			Kind: kinds[random.IntN(len(kinds))], Buyer: fmt.Sprintf("%016x", uint64(talk)*0x9e3779b97f4a7c15),
		}
		if all[i].Kind == chatlog.AgentMessage {
			all[i].Agent, all[i].Account = ids.Agent(fmt.Sprint("agent-", talk%400)), fmt.Sprint("店铺:客服", talk%400)
		}
	}
	return all
}

// bareEvents makes the columns of the table events beforehand.
func bareEvents(w *Warehouse, all []chatlog.Event) []recorded {
	var blocks []recorded
	for from := 0; from < len(all); from += blockRows {
		rows := all[from:min(from+blockRows, len(all))]
		text := func(value func(*chatlog.Event) string) []string { return values(rows, value) }
		blocks = append(blocks, recorded{columns: []any{
			text(func(e *chatlog.Event) string { return string(e.Merchant) }),
			values(rows, func(e *chatlog.Event) time.Time { return dateOf(w.day(e.At)) }),
			text(func(e *chatlog.Event) string { return e.Conversation }),
			values(rows, func(e *chatlog.Event) uint64 { return e.Key() }),
			versions(1, from, from+len(rows)),
			values(rows, func(e *chatlog.Event) int64 { return e.At.UnixMilli() }),
			values(rows, func(e *chatlog.Event) uint8 { return eventKind(e.Kind) }),
			text(func(e *chatlog.Event) string { return string(e.Shop) }),
			text(func(e *chatlog.Event) string { return string(e.Queue) }),
			text(func(e *chatlog.Event) string { return string(e.Agent) }),
			text(func(e *chatlog.Event) string { return e.Account }),
			text(func(e *chatlog.Event) string { return e.Buyer }),
			make([]bool, len(rows)), make([]uint8, len(rows)), make([]bool, len(rows)), make([]bool, len(rows)),
		}})
	}
	return blocks
}

// BenchmarkIngestEvents compares Ingest of a million messages with a bare columnar insert of the same
// rows, whose columns were made beforehand, into a table of the same form. The ratio is bare time over
// our time; bytes/event is what one takes on disk when all parts are merged.
func BenchmarkIngestEvents(b *testing.B) {
	const n = 1_000_000
	w := openNew(b)
	ctx := context.Background()
	rows := benchEvents(n)
	blocks := bareEvents(w, rows)
	var ours, bare time.Duration
	rounds := 0
	for b.Loop() {
		require.NoError(b, w.conn.Exec(ctx, "DROP TABLE IF EXISTS bare SYNC"))
		require.NoError(b, w.conn.Exec(ctx, "CREATE TABLE bare AS events"))
		clear(b, w)
		start := time.Now()
		insertBare(b, w, blocks)
		bare += time.Since(start)
		start = time.Now()
		ingest(b, w, Batch{ID: ids.Batch(fmt.Sprint("bench", rounds)), Events: rows})
		ours += time.Since(start)
		rounds++
	}
	require.NoError(b, w.conn.Exec(ctx, "OPTIMIZE TABLE events FINAL"))
	var bytes uint64
	require.NoError(b, w.conn.QueryRow(ctx, `SELECT sum(bytes_on_disk) FROM system.parts
WHERE database = currentDatabase() AND table = 'events' AND active`).Scan(&bytes))
	b.ReportMetric(float64(bare)/float64(ours), "ratio")
	b.ReportMetric(float64(rounds*n)/ours.Seconds(), "events/s")
	b.ReportMetric(float64(bytes)/n, "bytes/event")
}
