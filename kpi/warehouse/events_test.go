package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/tally/tallytest"
)

// message is an event of conversation c of merchant m.
func message(id string, at time.Time, kind chatlog.EventKind, agent ids.Agent) chatlog.Event {
	return chatlog.Event{Merchant: "m", Shop: "s", Queue: "q", Conversation: "c", ID: id, At: at.UTC(), Kind: kind, Agent: agent}
}

// timelines reads all pages of a range.
func timelines(t require.TestingT, w *Warehouse, scope Scope, f Filter, size int) (all []chatlog.Timeline) {
	for cursor := ""; ; {
		page, next, err := w.In(scope).Timelines(context.Background(), f, cursor, size)
		require.NoError(t, explain(err))
		all = append(all, page...)
		if cursor = next; cursor == "" {
			return all
		}
	}
}

// world is the slow, obvious raw side: the latest import of every header and event.
type world struct {
	headers map[key]chatlog.Conversation
	events  map[key]map[uint64]chatlog.Event
}

func newWorld() world {
	return world{map[key]chatlog.Conversation{}, map[key]map[uint64]chatlog.Event{}}
}

func (w world) ingest(b Batch) {
	for _, c := range b.Conversations {
		w.headers[key{string(c.Merchant), c.ID}] = c
	}
	for _, e := range b.Events {
		k := key{string(e.Merchant), e.Conversation}
		if w.events[k] == nil {
			w.events[k] = map[uint64]chatlog.Event{}
		}
		w.events[k][e.Key()] = e
	}
}

// timelines are all conversations that start in a range, as a list shows them.
func (w world) timelines(span calendar.Range) (all []chatlog.Timeline) {
	keys := map[key]bool{}
	for k := range w.headers {
		keys[k] = true
	}
	for k := range w.events {
		keys[k] = true
	}
	for k := range keys {
		var header *chatlog.Conversation
		if c, ok := w.headers[k]; ok {
			header = &c
		}
		var events []chatlog.Event
		for id, e := range w.events[k] {
			e.ID, e.Text = chatlog.KeyID(id), ""
			events = append(events, e)
		}
		if t := chatlog.Assemble(header, events); span.Contains(t.StartedAt) {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b chatlog.Timeline) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), strings.Compare(string(a.Merchant), string(b.Merchant)), strings.Compare(a.ID, b.ID))
	})
	return all
}

func TestEventsAreReadBackAsOneTimeline(t *testing.T) {
	w := openNew(t)
	start := time.Date(2026, 11, 1, 23, 59, 30, 0, shanghai)
	buyer := message("2", start, chatlog.BuyerMessage, "")
	buyer.Buyer, buyer.Text, buyer.Account = "b-hash", "在吗", "子账号1"
	rating := message("5", start.Add(3*time.Minute), chatlog.RatingGiven, "")
	rating.Score, rating.Invited = 4, true
	receipt := ingest(t, w, Batch{ID: "b1", Events: []chatlog.Event{
		message("3", start.Add(5*time.Second), chatlog.AgentMessage, "wrong"),
		message("4", start.Add(2*time.Minute), chatlog.AgentMessage, "b"), rating,
		message("3", start.Add(41*time.Second), chatlog.AgentMessage, "a"), // the later row of the same id wins
		message("1", start.Add(-time.Minute), chatlog.BotMessage, ""), buyer,
	}})
	assert.Equal(t, 6, receipt.Events)
	all := timelines(t, w, everything, Filter{Range: month}, 10)
	require.Len(t, all, 1)
	got := all[0]
	assert.Equal(t, start.UTC(), got.StartedAt, "the first buyer message, not the bot's before it")
	assert.Equal(t, start.Add(41*time.Second).UTC(), got.AnsweredAt)
	assert.Equal(t, ids.Agent("a"), got.Agent)
	assert.Equal(t, "b-hash", got.Buyer)
	assert.Equal(t, 4, *got.Rating)
	var kinds []chatlog.EventKind
	for _, e := range got.Events {
		kinds = append(kinds, e.Kind)
	}
	assert.Equal(t, []chatlog.EventKind{chatlog.BotMessage, chatlog.BuyerMessage, chatlog.AgentMessage, chatlog.AgentMessage}, kinds)
	assert.Equal(t, "子账号1", got.Events[1].Account)
	assert.Equal(t, buyer.Key(), got.Events[1].Key(), "an event that was read back keeps its key")

	list, _, err := w.In(everything).Conversations(t.Context(), Filter{Range: month}, "", 10)
	require.NoError(t, explain(err))
	require.Len(t, list, 1, "a conversation that only events tell of is in the list")
	assert.Equal(t, []chatlog.Round{{OpenedAt: start.UTC(), AnsweredAt: start.Add(41 * time.Second).UTC(), Agent: "a"}}, list[0].Rounds)
	assert.Equal(t, chatlog.Chat, list[0].Channel)

	var texts []string
	rows, err := w.conn.Query(t.Context(), "SELECT t.text FROM texts AS t FINAL JOIN events AS e FINAL USING (merchant, day, conversation, id)")
	require.NoError(t, err)
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		texts = append(texts, text)
	}
	require.NoError(t, rows.Err())
	assert.Equal(t, []string{"在吗"}, texts, "a text has the key of its event")
}

// A late event may come before all that was known, on another day: then the whole conversation moves.
func TestLateEventReopensItsConversation(t *testing.T) {
	w := openNew(t)
	midnight := time.Date(2026, 11, 1, 0, 0, 0, 0, shanghai) // a month ends here
	ingest(t, w, Batch{ID: "b1", Events: []chatlog.Event{
		message("2", midnight.Add(time.Second), chatlog.AgentMessage, "a"),
		message("3", midnight.Add(time.Minute), chatlog.BuyerMessage, ""),
	}})
	days := func() (days []int32) {
		rows, err := w.conn.Query(t.Context(), "SELECT DISTINCT toInt32(day) AS d FROM marks WHERE kind = 'conversations' ORDER BY d")
		require.NoError(t, err)
		for rows.Next() {
			var d int32
			require.NoError(t, rows.Scan(&d))
			days = append(days, d)
		}
		return days
	}
	first := w.day(midnight)
	assert.Equal(t, []int32{first}, days())
	before := calendar.Range{Start: midnight.AddDate(0, 0, -1), End: midnight}
	after := calendar.Range{Start: midnight, End: midnight.AddDate(0, 0, 1)}
	assert.Empty(t, timelines(t, w, everything, Filter{Range: before}, 10))
	require.Len(t, timelines(t, w, everything, Filter{Range: after}, 10), 1)

	ingest(t, w, Batch{ID: "b2", Events: []chatlog.Event{message("1", midnight.Add(-30*time.Second), chatlog.BuyerMessage, "")}})
	assert.Equal(t, []int32{first - 1, first}, days(), "the day of the late event is pending")
	assert.Empty(t, timelines(t, w, everything, Filter{Range: after}, 10))
	moved := timelines(t, w, everything, Filter{Range: before}, 10)
	require.Len(t, moved, 1)
	assert.Equal(t, midnight.Add(time.Second).UTC(), moved[0].AnsweredAt)
	assert.Len(t, moved[0].Events, 3)
}

// blocksOf are events as blocks of some size, each of which reads back what it was given.
func blocksOf(t require.TestingT, all []chatlog.Event, size int) (blocks []*EventBlock) {
	for part := range slices.Chunk(all, size) {
		block := &EventBlock{}
		for range 2 { // the second time in memory that was used before
			block.Reset()
			for i := range part {
				require.Empty(t, block.Append(&part[i]))
			}
		}
		require.Equal(t, len(part), block.Len())
		for i, want := range part {
			want.ID, want.Text = chatlog.KeyID(want.Key()), ""
			require.Equal(t, want, block.Event(i))
		}
		blocks = append(blocks, block)
	}
	return blocks
}

// A block does not take what the tables cannot hold, and no more than it has numbers for.
func TestEventBlockRefuses(t *testing.T) {
	var block EventBlock
	e := message("1", base, chatlog.BuyerMessage, "")
	for range MaxEventBlock {
		require.Empty(t, block.Append(&e))
	}
	assert.Contains(t, block.Append(&e), "full")
	block.Reset()
	assert.Empty(t, block.Append(&e))
	e.Kind = "fax"
	assert.Equal(t, "has an unknown kind", block.Append(&e))
	assert.Equal(t, Problem(&e), block.Append(&e))
	assert.Equal(t, 1, block.Len())
}

// Texts come along in blocks too, under the versions of their events.
func TestTextsOfBlocks(t *testing.T) {
	w := openNew(t)
	var all []chatlog.Event
	for i := range 7 {
		e := message(fmt.Sprint(i), base.Add(time.Duration(i)*time.Second), chatlog.BuyerMessage, "")
		if i%3 == 1 {
			e.Text = fmt.Sprint("text ", i)
		}
		all = append(all, e)
	}
	ingest(t, w, Batch{ID: "b", Events: all[:2], EventBlocks: blocksOf(t, all[2:], 2)})
	rows, err := w.conn.Query(t.Context(), "SELECT id, text, version = (SELECT max(version) FROM events AS e WHERE e.id = t.id) FROM texts AS t ORDER BY version")
	require.NoError(t, err)
	got := map[string]string{}
	for rows.Next() {
		var id uint64
		var text string
		var same bool
		require.NoError(t, rows.Scan(&id, &text, &same))
		assert.True(t, same, text)
		got[chatlog.KeyID(id)] = text
	}
	require.NoError(t, rows.Err())
	assert.Equal(t, map[string]string{chatlog.KeyID(all[1].Key()): "text 1", chatlog.KeyID(all[4].Key()): "text 4"}, got)
}

// TestListsAgreeWithAssemble draws worlds, imports them in random batches, some of them again, and reads
// them page by page, with every filter.
func TestListsAgreeWithAssemble(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		clear(t, w)
		headers, events := tallytest.DrawConversations(t)
		truth := newWorld()
		var sent []Batch
		for n := 0; len(headers)+len(events) > 0; n++ {
			b := Batch{ID: ids.Batch(fmt.Sprint("b", n))}
			i := rapid.IntRange(min(1, len(headers)), len(headers)).Draw(t, "headers")
			j := rapid.IntRange(min(1, len(events)), len(events)).Draw(t, "events")
			b.Conversations, headers = headers[:i], headers[i:]
			b.Events, events = events[:j], events[j:]
			truth.ingest(b)
			cut := rapid.IntRange(0, len(b.Events)).Draw(t, "rows before the blocks")
			b.EventBlocks = blocksOf(t, b.Events[cut:], rapid.IntRange(1, 20).Draw(t, "block"))
			b.Events = b.Events[:cut]
			assert.Equal(t, j, ingest(t, w, b).Events)
			sent = append(sent, b)
			assert.True(t, ingest(t, w, rapid.SampledFrom(sent).Draw(t, "again")).Duplicate)
		}
		for range 4 {
			day := func(label string) time.Time {
				return tallytest.Range.Start.AddDate(0, 0, rapid.IntRange(-1, 3).Draw(t, label))
			}
			f := Filter{Range: calendar.Range{Start: day("from"), End: day("to")}}
			if !f.Range.Valid() {
				f.Range = calendar.Range{Start: f.Range.End, End: f.Range.Start.Add(time.Hour)}
			}
			if rapid.Bool().Draw(t, "by agent") {
				f.Agents = []ids.Agent{rapid.SampledFrom([]ids.Agent{"a1", "a2", ""}).Draw(t, "agent")}
			}
			if rapid.Bool().Draw(t, "by shop") {
				f.Shops = []ids.Shop{rapid.SampledFrom([]ids.Shop{"s1", "s2"}).Draw(t, "shop")}
			}
			if rapid.Bool().Draw(t, "by queue") {
				f.Queues = []ids.Queue{"pre"}
			}
			want := slices.DeleteFunc(truth.timelines(f.Range), func(x chatlog.Timeline) bool {
				return f.Agents != nil && x.Agent != f.Agents[0] || f.Shops != nil && x.Shop != f.Shops[0] || f.Queues != nil && x.Queue != f.Queues[0]
			})
			got := timelines(t, w, everything, f, rapid.IntRange(1, 4).Draw(t, "page"))
			require.Equal(t, simple(want), simple(got))
		}
	})
}

// simple puts instants in UTC and makes no difference between nil and empty lists.
func simple(all []chatlog.Timeline) []chatlog.Timeline {
	out := make([]chatlog.Timeline, len(all))
	for i, x := range all {
		for _, at := range []*time.Time{&x.StartedAt, &x.AnsweredAt, &x.EndedAt, &x.BotAnsweredAt} {
			if !at.IsZero() {
				*at = at.UTC()
			}
		}
		events := make([]chatlog.Event, len(x.Events))
		for j, e := range x.Events {
			e.At = e.At.UTC()
			events[j] = e
		}
		x.Events = events
		out[i] = x
	}
	return out
}

// TestAnyOrderOfBatchesGivesTheSame sends the same batches in random orders with repeats. Their headers
// are disjoint; their events overlap, as those of files that overlap do, with the same content.
func TestAnyOrderOfBatchesGivesTheSame(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		headers, events := tallytest.DrawConversations(t)
		truth := newWorld()
		truth.ingest(Batch{Conversations: headers, Events: events})
		headers, events = nil, nil
		for _, c := range truth.headers {
			headers = append(headers, c)
		}
		for _, of := range truth.events {
			for _, e := range of {
				events = append(events, e)
			}
		}
		slices.SortFunc(headers, func(a, b chatlog.Conversation) int {
			return strings.Compare(string(a.Merchant)+a.ID, string(b.Merchant)+b.ID)
		})
		slices.SortFunc(events, func(a, b chatlog.Event) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		const n = 5
		batches := make([]Batch, n)
		for i := range batches {
			batches[i].ID = ids.Batch(fmt.Sprint("b", i))
		}
		for _, c := range headers {
			to := &batches[rapid.IntRange(0, n-1).Draw(t, "batch")]
			to.Conversations = append(to.Conversations, c)
		}
		for _, e := range events {
			for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 1, 3, rapid.ID).Draw(t, "batches") {
				batches[i].Events = append(batches[i].Events, e)
			}
		}
		want := simple(truth.timelines(tallytest.Range))
		clear(t, w)
		fresh := 0
		for _, i := range rapid.Permutation([]int{0, 1, 2, 3, 4, 0, 1, 2, 3, 4}).Draw(t, "order") {
			if !ingest(t, w, batches[i]).Duplicate {
				fresh++
			}
		}
		require.Equal(t, n, fresh)
		require.Equal(t, want, simple(timelines(t, w, everything, Filter{Range: tallytest.Range}, 100)))
	})
}

func TestListRefusesBadQuestions(t *testing.T) {
	w := &Warehouse{zone: shanghai}
	r := w.In(everything)
	_, _, err := r.Timelines(t.Context(), Filter{Range: calendar.Range{Start: base, End: base.AddDate(1, 0, 0)}}, "", 5000)
	assert.Equal(t, "kpi.list.invalid", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 2)
	_, err = r.OrderEvents(t.Context(), Filter{})
	assert.Equal(t, "kpi.list.invalid", fault.CodeOf(err))
	_, err = r.Tickets(t.Context(), Filter{})
	assert.Equal(t, "kpi.list.invalid", fault.CodeOf(err))
	_, err = r.PlatformFigures(t.Context(), FigureFilter{})
	assert.Equal(t, "kpi.list.invalid", fault.CodeOf(err))
}
