package warehouse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// killBatch makes batch n: new conversations and corrections of earlier ones, some of which move
// to another day; messages of conversations of its own, and late messages of earlier ones, some again
// and some changed. The same n always makes the same batch.
func killBatch(n int) Batch {
	const size, talks = 500, 150
	random := rand.New(rand.NewPCG(7, uint64(n)))
	b := Batch{ID: ids.Batch(fmt.Sprint("batch-", n))}
	instant := func() time.Time { return base.Add(time.Duration(random.Int64N(72*3600*1000)) * time.Millisecond) }
	for i := range size {
		id := n*size + i
		if n > 0 && random.IntN(10) == 0 {
			id = random.IntN(n * size)
		}
		start := instant()
		c := chatlog.Conversation{
			Merchant: ids.Merchant(fmt.Sprint("m", id%3)), Shop: "s", Queue: "q", ID: fmt.Sprint(id),
			Channel: chatlog.Chat, Agent: ids.Agent(fmt.Sprint("a", random.IntN(20))),
			StartedAt: start, AnsweredAt: start.Add(time.Duration(random.IntN(100)) * time.Second),
		}
		for range random.IntN(4) {
			c.Rounds = append(c.Rounds, chatlog.Round{OpenedAt: start, AnsweredAt: c.AnsweredAt})
		}
		b.Conversations = append(b.Conversations, c)
	}
	for i := range talks {
		talk := n*talks + i
		if n > 0 && random.IntN(5) == 0 {
			talk = random.IntN(n * talks) // late: the earlier batch is long acknowledged
		}
		at := base.Add(time.Duration(uint64(talk)*7919%(72*3600)) * time.Second)
		for m := range 2 + random.IntN(6) {
			e := chatlog.Event{
				Merchant: ids.Merchant(fmt.Sprint("m", talk%3)), Shop: "talk", Queue: "q", Conversation: fmt.Sprint("talk-", talk),
				ID: fmt.Sprint(random.IntN(8)), At: at.Add(time.Duration(random.IntN(600)*(m+1)) * time.Second).UTC(),
				Kind: chatlog.Kinds[1+random.IntN(5)], Agent: ids.Agent(fmt.Sprint("a", random.IntN(20))), Closing: random.IntN(9) == 0,
			}
			if random.IntN(10) == 0 {
				e.Text = "亲，在的"
			}
			b.Events = append(b.Events, e)
		}
	}
	for i := range 50 {
		b.Orders = append(b.Orders, chatlog.OrderEvent{
			Merchant: "m0", Shop: "s", Buyer: fmt.Sprint(random.IntN(100)), Order: fmt.Sprint(n, "-", i), Kind: chatlog.Paid, At: instant().UTC(), Amount: 100,
		})
	}
	return b
}

// killer tells how many times the engine was killed.
type killer struct {
	kills atomic.Int32
	acked atomic.Int32  // batches acknowledged so far
	done  chan struct{} // the server knows of the last kill: it no longer says that it is up
}

// killing kills the engine again and again: every other time a moment after it can be asked, else a moment
// after it has taken a batch since its start, which is at some step of the next one.
func killing(ctx context.Context, w *Warehouse, server *enginetest.Server, seed uint64, kills int32) *killer {
	k := &killer{done: make(chan struct{})}
	go func() {
		defer close(k.done)
		random := rand.New(rand.NewPCG(1, seed))
		for k.kills.Load() < kills && ctx.Err() == nil {
			endpoint, err := server.WaitUp(ctx)
			if err != nil {
				return
			}
			before, early := k.acked.Load(), k.kills.Load()%2 == 0
			for ctx.Err() == nil && server.Endpoint().PID == endpoint.PID &&
				(early && w.Ready(ctx) != nil || !early && k.acked.Load() == before) {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(time.Duration(random.IntN(150)) * time.Millisecond)
			if syscall.Kill(endpoint.PID, syscall.SIGKILL) == nil {
				k.kills.Add(1)
			}
			for ctx.Err() == nil && server.Endpoint().PID == endpoint.PID {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	return k
}

// TestFiftyKillsLoseAndDoubleNothing kills two engines 25 times each, beside each other to save time.
func TestFiftyKillsLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("engine ", seed+1), func(t *testing.T) {
			t.Parallel()
			surviveKills(t, seed, 25)
		})
	}
}

// surviveKills imports conversations, messages and orders in a retry loop, sends some acknowledged
// batches again out of their order, and computes roll-ups beside it, while the engine is killed.
func surviveKills(t *testing.T, seed uint64, kills int32) {
	config := enginetest.Config(t.TempDir())
	config.BackOff = 20 * time.Millisecond
	server := enginetest.Own(t, config)
	ctx := t.Context()
	w, err := Open(ctx, DefaultConfig(), func() (string, bool) { e := server.Endpoint(); return e.DSN, e.Up }, neutral)
	require.NoError(t, explain(err))
	defer w.Close()

	killer := killing(ctx, w, server, seed, kills)
	refreshed := make(chan struct{})
	importing, imported := context.WithCancel(ctx)
	go func() {
		defer close(refreshed)
		for importing.Err() == nil {
			_, _ = w.Refresh(importing) // it fails with every kill; the last one below must not
			time.Sleep(20 * time.Millisecond)
		}
	}()

	truth, raw, paid := newReference(), newWorld(), map[string]bool{}
	retries, batches := 0, 0
	send := func(b Batch) Receipt {
		for {
			receipt, err := w.Ingest(ctx, b)
			if err == nil {
				killer.acked.Add(1)
				return receipt
			}
			require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", explain(err))
			retries++
			time.Sleep(10 * time.Millisecond)
		}
	}
	random := rand.New(rand.NewPCG(3, seed))
	for ; killer.kills.Load() < kills; batches++ {
		b := killBatch(batches)
		send(b)
		truth.ingest(b)
		raw.ingest(b)
		for _, o := range b.Orders {
			paid[o.Order] = true
		}
		if random.IntN(3) == 0 { // a sender that never heard our answer repeats itself, late
			require.True(t, send(killBatch(random.IntN(batches+1))).Duplicate)
		}
	}
	imported()
	<-refreshed
	<-killer.done
	enginetest.WaitUp(t, server)
	t.Logf("%d batches acknowledged, %d failed calls, %d starts of the engine", batches, retries, server.Endpoint().Starts)

	figuresAreExact(t, w, truth, raw, len(paid))
	assert.Greater(t, retries, 5, "the kills must have hit something")
}

// figuresAreExact compares raw rows and figures with what was acknowledged.
func figuresAreExact(t *testing.T, w *Warehouse, truth *reference, raw world, orderSteps int) {
	t.Helper()
	refresh(t, w)
	span := calendar.Range{Start: base, End: base.Add(75 * time.Hour)}
	rawIsExact(t, w, raw, span, orderSteps)
	q := kpi.Query{
		Metrics: sessionMetrics, Within: 30 * time.Second, Grain: kpi.Hour, By: []kpi.Dimension{kpi.ByMerchant, kpi.ByAgent},
		Range: calendar.Range{Start: base, End: base.Add(72 * time.Hour)}, Shops: []ids.Shop{"s"},
	}
	same(t, truth.query(everything, q, shanghai), ask(t, w, everything, q), "after the kills")
	q.Shops, q.Metrics = []ids.Shop{"talk"}, []kpi.Metric{"offered", "handled", "first_response", "answered_within", "answer_question_ratio"}
	q.Range.End = span.End
	talks := newReference()
	for _, x := range raw.timelines(q.Range) {
		if x.Shop == "talk" {
			talks.ingest(Batch{Conversations: []chatlog.Conversation{x.Conversation}})
			talks.unasked[string(x.Merchant)+"\x00"+x.ID] = !x.Asked()
		}
	}
	same(t, talks.query(everything, q, shanghai), ask(t, w, everything, q), "conversations known from messages")
	verification, err := w.Verify(t.Context(), Sample{Days: 1000})
	require.NoError(t, explain(err))
	assert.Empty(t, verification.Differences)
}

// rawIsExact compares what is stored with what was acknowledged: counts, and every timeline.
func rawIsExact(t *testing.T, w *Warehouse, raw world, span calendar.Range, orderSteps int) {
	t.Helper()
	events, withText := 0, 0
	for _, of := range raw.events {
		events += len(of)
		for _, e := range of {
			if e.Text != "" {
				withText++
			}
		}
	}
	count := func(sql string) (n uint64) {
		require.NoError(t, w.conn.QueryRow(t.Context(), sql).Scan(&n))
		return n
	}
	assert.Equal(t, uint64(len(raw.headers)), count("SELECT count() FROM (SELECT merchant, id FROM conversations GROUP BY merchant, id)"))
	assert.Equal(t, uint64(events), count("SELECT count() FROM (SELECT merchant, conversation, id FROM events GROUP BY merchant, conversation, id)"))
	assert.Equal(t, uint64(withText), count(`SELECT count() FROM (
SELECT merchant, conversation, id, max(version) AS v FROM events GROUP BY merchant, conversation, id
) WHERE (merchant, conversation, id, v) IN (SELECT merchant, conversation, id, version FROM texts)`), "the text of each current event")
	assert.Len(t, orders(t, w, everything, Filter{Range: span}), orderSteps)

	want, got := simple(raw.timelines(span)), simple(timelines(t, w, everything, Filter{Range: span}, maxPage))
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i], got[i])
	}
}
