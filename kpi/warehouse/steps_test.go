package warehouse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
)

// stepsSpan is around everything that the batches of killBatch touch.
var stepsSpan = calendar.Range{Start: base, End: base.Add(75 * time.Hour)}

// TestStoppedAfterAnyStep stops an import after each of its numbered steps (see DESIGN.md), as a killed
// process does: the mark, each table, half of a table, the last mark. A correction comes in between, from
// another process; then the first process is started again and repeats its batch.
func TestStoppedAfterAnyStep(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	ctx := t.Context()
	const tables = 8
	other := &Warehouse{config: w.config, zone: w.zone, source: w.source, definitions: w.definitions}
	require.NoError(t, other.Ready(ctx))
	defer other.Close()
	truth, next := newWorld(), 0
	for _, stop := range []int{0, 1, 2, 3, tables, tables + 1, tables + 2} { // the tables after texts are alike
		b, correction := killBatch(next), killBatch(next+1)
		next += 2
		entry, done, err := w.begin(ctx, w.conn, b)
		require.NoError(t, explain(err))
		require.False(t, done)
		writes := w.writes(w.conn, b, entry.version)
		require.Len(t, writes, tables)
		for i, write := range writes {
			if i < stop {
				require.NoError(t, explain(write(ctx)))
			}
		}
		switch stop {
		case tables + 1: // only the answer was lost
			entry.rank++
			require.NoError(t, explain(entry.write(ctx, w.conn)))
		case tables + 2: // some blocks of a table arrived
			half := b
			half.Conversations, half.Events = b.Conversations[:len(b.Conversations)/2], b.Events[:len(b.Events)/3]
			for _, write := range w.writes(w.conn, half, entry.version) {
				require.NoError(t, explain(write(ctx)))
			}
		}
		if stop == 2 || stop == tables+2 {
			refresh(t, w) // sees whatever is there
		}
		ingest(t, other, correction)
		assert.Equal(t, stop == tables+1, ingest(t, other, b).Duplicate, "stop %d", stop)
		truth.ingest(b)
		truth.ingest(correction) // it began later, so it wins although b was completed after it
	}
	refresh(t, w)
	rawIsExact(t, w, truth, stepsSpan, 50*2*7)
	check, err := w.Verify(ctx, Sample{Days: 100})
	require.NoError(t, explain(err))
	assert.Empty(t, check.Differences)
}

// TestCanceledAtAnyMoment cancels calls after random times until each batch is acknowledged.
func TestCanceledAtAnyMoment(t *testing.T) {
	t.Parallel()
	// An engine of its own, because this build at times dies of a connection that is broken off in the
	// middle of an insert. It is started again then, and nothing may be lost by it.
	config := enginetest.Config(t.TempDir())
	config.BackOff = 20 * time.Millisecond
	server := enginetest.Own(t, config)
	w, err := Open(t.Context(), DefaultConfig(), func() (string, bool) { e := server.Endpoint(); return e.DSN, e.Up }, neutral)
	require.NoError(t, explain(err))
	defer w.Close()
	truth, random, canceled := newWorld(), rand.New(rand.NewPCG(5, 6)), 0
	for n := range 3 {
		b := killBatch(n)
		for wait := 10 * time.Millisecond; ; wait += wait / 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.Int64N(int64(wait))))
			_, err := w.Ingest(ctx, b)
			cancel()
			if err == nil {
				break
			}
			if canceled++; fault.KindOf(err) == fault.Unavailable {
				wait = min(wait, time.Second) // the engine is coming back; that says nothing about how long an import takes
				time.Sleep(50 * time.Millisecond)
			}
			require.Contains(t, []fault.Kind{fault.Timeout, fault.Canceled, fault.Unavailable}, fault.KindOf(err), fmt.Sprint(explain(err)))
		}
		truth.ingest(b)
	}
	assert.Positive(t, canceled)
	refresh(t, w)
	rawIsExact(t, w, truth, stepsSpan, 150)
	check, err := w.Verify(t.Context(), Sample{Days: 100})
	require.NoError(t, explain(err))
	assert.Empty(t, check.Differences)
}
