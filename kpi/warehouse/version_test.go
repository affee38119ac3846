package warehouse

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// TestTwoProcessesNeverShareAVersion: two handles share nothing but the engine, as a command and
// the service do. In each round both correct the same conversation in the same instant.
func TestTwoProcessesNeverShareAVersion(t *testing.T) {
	t.Parallel()
	dsn := enginetest.Start(t)
	var handles [2]*Warehouse
	for i := range handles {
		w, err := Open(t.Context(), DefaultConfig(), Fixed(dsn), neutral)
		require.NoError(t, explain(err))
		t.Cleanup(func() { _ = w.Close() })
		handles[i] = w
	}
	taken := map[uint64]ids.Batch{}
	var newest uint64
	for round := range 20 {
		batches, receipts := correctAtOnce(t, handles, round)
		winner := 0
		for i, r := range receipts {
			require.NotContains(t, taken, r.Version, "%s shares its version", r.Batch)
			assert.Greater(t, r.Version, newest, "%s began after every batch of the rounds before", r.Batch)
			taken[r.Version] = r.Batch
			if r.Version > receipts[winner].Version {
				winner = i
			}
		}
		newest = receipts[winner].Version

		stored, _, err := handles[0].In(everything).Conversations(t.Context(), Filter{Range: month}, "", 10)
		require.NoError(t, explain(err))
		require.Len(t, stored, 1)
		assert.Equal(t, batches[winner].Conversations[0].Agent, stored[0].Agent, "the higher version is the conversation")
	}
}

func correctAtOnce(t *testing.T, handles [2]*Warehouse, round int) (batches [2]Batch, receipts [2]Receipt) {
	var errs [2]error
	var ready, done sync.WaitGroup
	ready.Add(len(handles))
	for i, w := range handles {
		c := conversation("m", "1", base)
		c.Agent = ids.Agent(fmt.Sprintf("a%d-%d", round, i))
		batches[i] = Batch{ID: ids.Batch("of " + string(c.Agent)), Conversations: []chatlog.Conversation{c}}
		done.Go(func() {
			ready.Done()
			ready.Wait()
			receipts[i], errs[i] = w.Ingest(context.WithoutCancel(t.Context()), batches[i])
		})
	}
	done.Wait()
	for _, err := range errs {
		require.NoError(t, explain(err))
	}
	return batches, receipts
}

func TestVersionsRiseWithTheTurn(t *testing.T) {
	for name, newest := range map[string]uint64{
		"an empty warehouse": 0, "plain numbers of earlier releases": 41, "many of them": 1<<hashBits + 41,
		"the highest hash": 9<<hashBits | 0xffff, "the last turn but one": (1<<turnBits-2)<<hashBits | 0xffff,
	} {
		for _, batch := range []string{"", "b", "c"} {
			next, err := nextVersion(newest, batch)
			require.NoError(t, err, name)
			assert.Greater(t, next, newest, name)
			row := versions(next, maxRows-1, maxRows)[0]
			assert.Equal(t, next, row>>rowBits, "%s: nothing is lost beside the row", name)
		}
	}
	b, _ := nextVersion(7, "b")
	again, _ := nextVersion(7, "b")
	c, _ := nextVersion(7, "c")
	assert.Equal(t, b, again, "one batch in two processes")
	assert.NotEqual(t, b, c, "two batches on one turn")

	_, err := nextVersion((1<<turnBits-1)<<hashBits, "b")
	assert.Equal(t, "warehouse.batch_turns", fault.CodeOf(err))
}
