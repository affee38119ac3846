package warehouse

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/tally"
	"github.com/chaoban/chaoban/kpi/tally/tallytest"
)

// A narrowed list leaves out only conversations that have nothing for who asks: every item of the agents, and every
// item dated at a cut or later, is in a conversation that the list still holds.
func TestNarrowedListsLoseNoItem(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		clear(t, w)
		truth := &measured{}
		for _, b := range batches(t) {
			ingest(t, w, b)
			truth.ingest(b)
		}
		d := tallytest.DrawRule(t, kpi.BaseRound)
		cut := tallytest.First.Add(rapid.IntRange(0, 3).Draw(t, "cut")).In(shanghai).Add(rapid.SampledFrom([]time.Duration{0, 9 * time.Hour}).Draw(t, "hour"))
		agents := rapid.SampledFrom([][]ids.Agent{nil, {"a1"}, {"a2", "a3"}}).Draw(t, "agents")
		before := Filter{Range: calendar.Range{Start: cut.Add(-chatlog.MaxSpan), End: cut}, Naming: agents, Beyond: cut}
		within := Filter{Range: calendar.Range{Start: cut, End: tallytest.Range.End}, Naming: agents}
		lists := append(timelines(t, w, everything, before, 100), timelines(t, w, everything, within, 3)...)
		asked := func(all []tally.Item) (found []tally.Item) {
			for _, i := range all {
				if (len(agents) == 0 || slices.Contains(agents, i.Agent)) && !i.At.Before(cut) {
					i.Merchant, i.Shop = "", ""
					found = append(found, i)
				}
			}
			return found
		}
		require.ElementsMatch(t, asked(tally.Items(d, shanghai, tallytest.Timelines(truth.headers, truth.events))), asked(tally.Items(d, shanghai, lists)))
	})
}

// A narrowed list is narrow: who is named nowhere is in no list, and who was done before the cut neither.
func TestNarrowedListsAreNarrow(t *testing.T) {
	w := openNew(t)
	day := month.Start.Add(48 * time.Hour)
	said := func(id string, agent ids.Agent, at ...time.Duration) (events []chatlog.Event) {
		for n, after := range at {
			e := chatlog.Event{Merchant: "m", Shop: "s", Queue: "q", Conversation: id, ID: string(rune('a' + n)), At: day.Add(after), Kind: chatlog.BuyerMessage}
			if n%2 == 1 {
				e.Kind, e.Agent = chatlog.AgentMessage, agent
			}
			events = append(events, e)
		}
		return events
	}
	ingest(t, w, Batch{ID: "b", Events: slices.Concat(
		said("short", "a1", -time.Hour, -time.Hour+time.Second), said("long", "a1", -time.Hour, time.Hour), said("other", "a2", -time.Hour, time.Hour), said("next", "a1", time.Hour, 2*time.Hour),
	)})
	listed := func(f Filter) (found []string) {
		for _, x := range timelines(t, w, everything, f, 10) {
			found = append(found, x.ID)
		}
		slices.Sort(found)
		return found
	}
	before := calendar.Range{Start: day.AddDate(0, 0, -5), End: day}
	assert.Equal(t, []string{"long", "other", "short"}, listed(Filter{Range: before}))
	assert.Equal(t, []string{"long", "short"}, listed(Filter{Range: before, Naming: []ids.Agent{"a1"}}))
	assert.Equal(t, []string{"long", "other"}, listed(Filter{Range: before, Beyond: day}))
	assert.Equal(t, []string{"long"}, listed(Filter{Range: before, Naming: []ids.Agent{"a1"}, Beyond: day}))
	assert.Empty(t, listed(Filter{Range: before, Naming: []ids.Agent{"a9"}}))
}

// A deadline is a timeout whoever notices it first: the connection has it too, and may be earlier than the context.
func TestADeadlineIsATimeout(t *testing.T) {
	w := openNew(t)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	broken := &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}
	assert.Equal(t, "warehouse.timeout", fault.CodeOf(w.classify(ctx, broken)), "the context is not done")
	assert.Equal(t, "warehouse.down", fault.CodeOf(w.classify(t.Context(), broken)), "there was no deadline")
	assert.Equal(t, "warehouse.down", fault.CodeOf(w.classify(ctx, &net.OpError{Op: "read", Err: errors.New("reset")})))
	for range 10 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := w.classify(ctx, w.conn.Exec(ctx, "SELECT sleep(2)"))
		cancel()
		require.Equal(t, "warehouse.timeout", fault.CodeOf(err), fault.InternalText(err))
	}
}

// Questions over raw events read only merchants with rows of a shop that counts.
func TestRawQuestionsReadTheMerchantsThatCount(t *testing.T) {
	w := openNew(t)
	d := kpi.Definition{
		Metric: "test.rounds", Version: "v1", Unit: kpi.Count, Base: kpi.BaseRound, Effective: calendar.Dates{From: calendar.MakeDate(2020, 1, 1), Until: calendar.MakeDate(2021, 1, 1)},
		Rule: &kpi.Rule{Measure: kpi.Items}, Platforms: []string{"jd"},
	}
	use(t, w, kpi.Definitions{d}, map[ids.Shop]string{"s-jd": "jd", "s-tmall": "tmall"})
	one, two := conversation("m1", "1", month.Start.Add(time.Hour)), conversation("m2", "1", month.Start.Add(time.Hour))
	one.Shop, two.Shop = "s-jd", "s-tmall"
	for _, c := range []*chatlog.Conversation{&one, &two} {
		c.Rounds = []chatlog.Round{{OpenedAt: c.StartedAt, AnsweredAt: c.AnsweredAt}}
	}
	ingest(t, w, Batch{ID: "b", Conversations: []chatlog.Conversation{one, two}})
	q := kpi.Query{Metrics: []kpi.Metric{"test.rounds"}, Version: "v1", Grain: kpi.Whole, By: []kpi.Dimension{kpi.ByMerchant}, Range: month}
	readings := ask(t, w, everything, q)
	require.Len(t, readings, 1)
	assert.Equal(t, ids.Merchant("m1"), readings[0].Merchant)

	pieces := []piece{{figure: figure{definition: d}}}
	asked := question{query: q, scope: everything, zone: shanghai, rules: w.rules.Load(), source: fromMetricSlots, turns: w.turns}
	narrow, found, err := asked.narrowed(t.Context(), w.conn, pieces)
	require.NoError(t, explain(err))
	assert.True(t, found)
	assert.Equal(t, []ids.Merchant{"m1"}, narrow.query.Merchants)
	asked.query.Shops = []ids.Shop{"s-tmall"}
	_, found, err = asked.narrowed(t.Context(), w.conn, pieces)
	require.NoError(t, explain(err))
	assert.False(t, found)
}
