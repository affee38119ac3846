package warehouse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// benchRows makes conversations like a busy outsourcer's: 6 merchants, 120 agents, about 3 rounds
// each, spread over the given days.
func benchRows(n, days int) []chatlog.Conversation {
	random := rand.New(rand.NewPCG(3, 4))
	rows := make([]chatlog.Conversation, n)
	for i := range rows {
		start := base.Add(time.Duration(random.Int64N(int64(days)*86400_000)) * time.Millisecond)
		merchant := random.IntN(6)
		agent := ids.Agent(fmt.Sprintf("A%04d", random.IntN(120)))
		c := chatlog.Conversation{
			Merchant: ids.Merchant(fmt.Sprint("merchant-", merchant)), Shop: ids.Shop(fmt.Sprint("shop-", merchant)),
			Queue: ids.Queue(fmt.Sprintf("merchant-%d/%d", merchant, random.IntN(2))), ID: fmt.Sprintf("20261030%012d", i),
			Channel: chatlog.Chat, Agent: agent, Buyer: fmt.Sprintf("%016x", random.Uint64()),
			StartedAt: start, AnsweredAt: start.Add(time.Duration(random.IntN(90_000)) * time.Millisecond), EndedAt: start.Add(10 * time.Minute),
			AgentMessages: random.IntN(12), BuyerMessages: random.IntN(12), HandleTime: time.Duration(random.IntN(600)) * time.Second,
		}
		opened := start
		for range 1 + random.IntN(5) {
			c.Rounds = append(c.Rounds, chatlog.Round{OpenedAt: opened, Agent: agent, AnsweredAt: opened.Add(time.Duration(random.IntN(60_000)) * time.Millisecond)})
			opened = opened.Add(time.Minute)
		}
		rows[i] = c
	}
	return rows
}

// recorded keeps columns that were already made, so that the bare insert pays for the client and
// the engine only, not for turning conversations into columns.
type recorded struct {
	columns []any
	arrays  map[int]func(append func(any) error) error
}

// bareBlocks makes the columns of every block in advance.
func bareBlocks(w *Warehouse, all []chatlog.Conversation) []recorded {
	var blocks []recorded
	for from := 0; from < len(all); from += blockRows {
		rows := all[from:min(from+blockRows, len(all))]
		r := recorded{arrays: map[int]func(func(any) error) error{}}
		text := func(get func(*chatlog.Conversation) string) {
			r.columns = append(r.columns, values(rows, get))
		}
		text(func(c *chatlog.Conversation) string { return string(c.Merchant) })
		r.columns = append(r.columns, values(rows, func(c *chatlog.Conversation) time.Time { return dateOf(w.day(c.StartedAt)) }))
		text(func(c *chatlog.Conversation) string { return c.ID })
		r.columns = append(r.columns, versions(1, from, from+len(rows)))
		text(func(c *chatlog.Conversation) string { return string(c.Shop) })
		text(func(c *chatlog.Conversation) string { return string(c.Queue) })
		text(func(c *chatlog.Conversation) string { return c.Channel })
		text(func(c *chatlog.Conversation) string { return string(c.Agent) })
		text(func(c *chatlog.Conversation) string { return c.Buyer })
		r.columns = append(r.columns,
			values(rows, func(c *chatlog.Conversation) int64 { return c.StartedAt.UnixMilli() }),
			values(rows, func(c *chatlog.Conversation) uint32 { return since(c.StartedAt, c.AnsweredAt) }),
			values(rows, func(*chatlog.Conversation) int64 { return unknown }),
			values(rows, func(c *chatlog.Conversation) uint32 { return since(c.StartedAt, c.EndedAt) }),
			make([]bool, len(rows)), values(rows, func(*chatlog.Conversation) int8 { return -1 }), make([]uint8, len(rows)),
			values(rows, func(c *chatlog.Conversation) uint32 { return uint32(c.AgentMessages) }),
			values(rows, func(c *chatlog.Conversation) uint32 { return uint32(c.BuyerMessages) }),
			values(rows, func(c *chatlog.Conversation) uint32 { return uint32(c.HandleTime.Milliseconds()) }),
			nil, nil, nil, make([]bool, len(rows)))
		opened := values(rows, func(c *chatlog.Conversation) []uint32 {
			return values(c.Rounds, func(x *chatlog.Round) uint32 { return since(c.StartedAt, x.OpenedAt) })
		})
		answers := values(rows, func(c *chatlog.Conversation) []uint32 {
			return values(c.Rounds, func(x *chatlog.Round) uint32 { return since(x.OpenedAt, x.AnsweredAt) })
		})
		eachOf := func(lists [][]uint32) func(func(any) error) error {
			return func(add func(any) error) error {
				for _, l := range lists {
					if err := add(l); err != nil {
						return err
					}
				}
				return nil
			}
		}
		r.arrays[19], r.arrays[20] = eachOf(opened), eachOf(answers)
		r.arrays[21] = func(add func(any) error) error {
			for range rows {
				if err := add([]string{}); err != nil {
					return err
				}
			}
			return nil
		}
		blocks = append(blocks, r)
	}
	return blocks
}

func values[R, V any](rows []R, value func(*R) V) []V {
	out := make([]V, len(rows))
	for i := range rows {
		out[i] = value(&rows[i])
	}
	return out
}

func insertBare(b *testing.B, w *Warehouse, blocks []recorded) {
	batch, err := w.conn.PrepareBatch(context.Background(), "INSERT INTO bare")
	require.NoError(b, err)
	for i, block := range blocks {
		for n, column := range block.columns {
			if fill := block.arrays[n]; fill != nil {
				require.NoError(b, fill(batch.Column(n).AppendRow))
				continue
			}
			require.NoError(b, batch.Column(n).Append(column))
		}
		if i+1 < len(blocks) {
			require.NoError(b, batch.Flush())
		}
	}
	require.NoError(b, batch.Send())
}

// BenchmarkIngest compares Ingest with a bare columnar insert of the same rows, whose columns were
// made beforehand, into a table of the same form. The ratio is bare time over our time.
func BenchmarkIngest(b *testing.B) {
	w := openNew(b)
	rows := benchRows(200_000, 30)
	blocks := bareBlocks(w, rows)
	var ours, bare time.Duration
	n := 0
	for b.Loop() {
		require.NoError(b, w.conn.Exec(context.Background(), "DROP TABLE IF EXISTS bare SYNC"))
		require.NoError(b, w.conn.Exec(context.Background(), "CREATE TABLE bare AS conversations"))
		clear(b, w)
		start := time.Now()
		insertBare(b, w, blocks)
		bare += time.Since(start)
		start = time.Now()
		ingest(b, w, Batch{ID: ids.Batch(fmt.Sprint("bench", n)), Conversations: rows})
		ours += time.Since(start)
		n++
	}
	b.ReportMetric(float64(bare)/float64(ours), "ratio")
	b.ReportMetric(float64(n*len(rows))/ours.Seconds(), "conversations/s")
}

// BenchmarkRefresh recomputes 30 days of 6 merchants.
func BenchmarkRefresh(b *testing.B) {
	w := openNew(b)
	rows := benchRows(200_000, 30)
	n := 0
	for b.Loop() {
		b.StopTimer()
		ingest(b, w, Batch{ID: ids.Batch(fmt.Sprint("bench", n)), Conversations: rows})
		n++
		b.StartTimer()
		require.Equal(b, 180, refresh(b, w))
	}
}

// BenchmarkQuery asks for a merchant's month by agent and for a heat map.
func BenchmarkQuery(b *testing.B) {
	w := openNew(b)
	ingest(b, w, Batch{ID: "bench", Conversations: benchRows(400_000, 30)})
	refresh(b, w)
	span := calendar.Range{Start: base, End: base.AddDate(0, 0, 30)}
	for name, q := range map[string]kpi.Query{
		"merchant-month-by-agent": {
			Metrics: sessionMetrics, Within: 30 * time.Second, By: []kpi.Dimension{kpi.ByAgent}, Grain: kpi.Whole,
			Range: span, Merchants: []ids.Merchant{"merchant-1"},
		},
		"heat-map": {Metrics: []kpi.Metric{"offered", "answered_within"}, Within: 30 * time.Second, Grain: kpi.Slot, Range: span},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ask(b, w, everything, q)
			}
		})
	}
}
