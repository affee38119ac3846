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
// to another day. The same n always makes the same batch.
func killBatch(n int) Batch {
	const size = 4000
	random := rand.New(rand.NewPCG(7, uint64(n)))
	b := Batch{ID: ids.Batch(fmt.Sprint("batch-", n))}
	for i := range size {
		id := n*size + i
		if n > 0 && random.IntN(10) == 0 {
			id = random.IntN(n * size)
		}
		start := base.Add(time.Duration(random.Int64N(72*3600*1000)) * time.Millisecond)
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
	return b
}

// TestTwentyKillsLoseAndDoubleNothing imports in a retry loop, with roll-ups running beside it,
// while the engine is killed twenty times.
func TestTwentyKillsLoseAndDoubleNothing(t *testing.T) {
	const kills = 20
	server := enginetest.Own(t)
	ctx := t.Context()
	w, err := Open(ctx, DefaultConfig(), func() (string, bool) { e := server.Endpoint(); return e.DSN, e.Up }, neutral)
	require.NoError(t, explain(err))
	defer w.Close()

	var killed atomic.Int32
	lastNoticed := make(chan struct{}) // the server knows of the last kill: it no longer says that it is up
	go func() {
		defer close(lastNoticed)
		random := rand.New(rand.NewPCG(1, 2))
		for killed.Load() < kills && ctx.Err() == nil {
			endpoint, err := server.WaitUp(ctx)
			if err != nil {
				return
			}
			time.Sleep(time.Duration(20+random.IntN(350)) * time.Millisecond)
			if syscall.Kill(endpoint.PID, syscall.SIGKILL) == nil {
				killed.Add(1)
			}
			for ctx.Err() == nil && server.Endpoint().PID == endpoint.PID {
				time.Sleep(time.Millisecond)
			}
		}
	}()
	refreshed := make(chan struct{})
	importing, imported := context.WithCancel(ctx)
	go func() {
		defer close(refreshed)
		for importing.Err() == nil {
			_, _ = w.Refresh(importing) // it fails with every kill; the last one below must not
			time.Sleep(20 * time.Millisecond)
		}
	}()

	truth := newReference()
	retries, batches := 0, 0
	for ; killed.Load() < kills; batches++ {
		b := killBatch(batches)
		for {
			_, err := w.Ingest(ctx, b)
			if err == nil {
				break
			}
			require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", explain(err))
			retries++
			time.Sleep(10 * time.Millisecond)
		}
		truth.ingest(b)
	}
	imported()
	<-refreshed
	<-lastNoticed
	enginetest.WaitUp(t, server)
	t.Logf("%d batches acknowledged, %d failed calls, %d starts of the engine", batches, retries, server.Endpoint().Starts)

	refresh(t, w)
	counts, err := w.In(everything).Counts(ctx)
	require.NoError(t, explain(err))
	assert.Equal(t, uint64(len(truth.conversations)), counts.Conversations)
	q := kpi.Query{
		Metrics: sessionMetrics, Within: 30 * time.Second, Grain: kpi.Hour, By: []kpi.Dimension{kpi.ByMerchant, kpi.ByAgent},
		Range: calendar.Range{Start: base, End: base.Add(72 * time.Hour)},
	}
	same(t, truth.query(everything, q, shanghai), ask(t, w, everything, q), "after the kills")
	verification, err := w.Verify(ctx, Sample{Days: 1000})
	require.NoError(t, explain(err))
	assert.Empty(t, verification.Differences)
	assert.Greater(t, retries, 5, "the kills must have hit something")
}
