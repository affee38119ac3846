package warehouse

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/tally/tallytest"
)

// Counts by SQL are those of the assembled conversations, and nobody sees another's.
func TestOpeningsAgreeWithAssemble(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		clear(t, w)
		paper := newWorld()
		headers, events := tallytest.DrawConversations(t)
		batch := Batch{ID: "b", Conversations: headers, Events: events}
		paper.ingest(batch)
		ingest(t, w, batch)
		var at []time.Time
		for _, c := range paper.assembled() {
			if len(at) < 3 {
				at = append(at, c.t.StartedAt.Truncate(time.Hour))
			}
		}
		type cell struct {
			queue  ids.Queue
			at     time.Time
			minute int
		}
		want := map[cell]float64{}
		for i, opening := range at {
			for _, c := range paper.assembled() {
				since := c.t.StartedAt.Sub(opening)
				if repeated(at[:i], opening) || !c.t.Asked() || c.t.Channel != chatlog.Chat || since < 0 || since >= time.Hour {
					continue
				}
				want[cell{c.t.Queue, opening.UTC(), int(since / time.Minute)}]++
			}
		}
		list, err := w.In(everything).Openings(context.Background(), at, 60)
		require.NoError(t, explain(err))
		got := map[cell]float64{}
		for _, o := range list {
			for m, n := range o.Counts {
				if n > 0 {
					got[cell{o.Queue, o.At, m}] = n
				}
			}
		}
		require.Equal(t, want, got)
		for _, scope := range []Scope{{}, {Agent: "a1"}, {Merchants: []ids.Merchant{"somebody else"}}} {
			none, err := w.In(scope).Openings(context.Background(), at, 60)
			require.NoError(t, explain(err))
			require.Empty(t, none)
		}
	})
	_, err := w.In(everything).Openings(t.Context(), []time.Time{base}, 0)
	require.Error(t, err)
}

func repeated(before []time.Time, at time.Time) bool {
	for _, b := range before {
		if b.Equal(at) {
			return true
		}
	}
	return false
}

// Two merchants have chats after one instant; each sees its own minutes.
func TestOpeningsAreScoped(t *testing.T) {
	w := openNew(t)
	at := base.Add(30 * time.Hour)
	b := Batch{ID: "b"}
	for i, m := range []ids.Merchant{"mine", "theirs", "theirs"} {
		c := conversation(m, string(rune('a'+i)), at.Add(time.Duration(i)*90*time.Second))
		b.Conversations = append(b.Conversations, c)
	}
	ingest(t, w, b)
	seen := func(s Scope) (sum []float64) {
		list, err := w.In(s).Openings(t.Context(), []time.Time{at}, 4)
		require.NoError(t, explain(err))
		sum = make([]float64, 4)
		for _, o := range list {
			for i, n := range o.Counts {
				sum[i] += n
			}
		}
		return sum
	}
	assert.Equal(t, []float64{1, 1, 0, 1}, seen(everything), "0 s, 90 s and 180 s after it")
	assert.Equal(t, []float64{1, 0, 0, 0}, seen(Scope{Merchants: []ids.Merchant{"mine"}}))
	assert.Equal(t, []float64{0, 1, 0, 1}, seen(Scope{Merchants: []ids.Merchant{"theirs"}}))
}
