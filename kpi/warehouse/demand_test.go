package warehouse

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/tally/tallytest"
)

// TestBotsAgreeWithAssemble draws conversations and counts them on paper and by SQL.
func TestBotsAgreeWithAssemble(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		clear(t, w)
		paper := newWorld()
		headers, events := tallytest.DrawConversations(t)
		for i := range events { // half of the messages are a bot's, else few conversations are its alone
			if events[i].Kind == chatlog.AgentMessage && i%2 == 0 {
				events[i].Kind, events[i].Agent = chatlog.BotMessage, ""
			}
		}
		for i := range headers {
			headers[i].Abandoned = headers[i].AnsweredAt.IsZero() && i%2 == 0
		}
		batch := Batch{ID: "b", Conversations: headers, Events: events}
		paper.ingest(batch)
		ingest(t, w, batch)
		refresh(t, w)
		for _, queue := range []ids.Queue{"pre", "after"} {
			want := map[int64][2]float64{}
			bots := false
			for _, c := range paper.assembled() {
				if c.t.Queue != queue {
					continue
				}
				at := c.t.StartedAt.Truncate(calendar.Slot).Unix()
				both := want[at]
				if c.t.Asked() { // what nobody asked for is not offered
					both[0]++
				}
				if chatlog.BotOnly(c.header, c.t) {
					both[1]++
					bots = true
				}
				want[at] = both
			}
			got := map[int64][2]float64{}
			list, err := w.In(everything).Bots(context.Background(), queue, tallytest.Range)
			require.NoError(t, explain(err))
			for _, s := range list {
				both := got[s.Start.Unix()]
				got[s.Start.Unix()] = [2]float64{both[0] + s.Arrivals, both[1] + s.BotOnly}
			}
			if !bots {
				want = map[int64][2]float64{}
			}
			require.Equal(t, want, got)
			none, err := w.In(Scope{Merchants: []ids.Merchant{"somebody else"}}).Bots(context.Background(), queue, tallytest.Range)
			require.NoError(t, explain(err))
			require.Empty(t, none)
		}
	})
}

// assembled is one conversation with its header.
type assembled struct {
	header *chatlog.Conversation
	t      chatlog.Timeline
}

func (w world) assembled() map[key]assembled {
	out := map[key]assembled{}
	put := func(k key) {
		var one assembled
		if c, ok := w.headers[k]; ok {
			one.header = &c
		}
		var events []chatlog.Event
		for _, e := range w.events[k] {
			events = append(events, e)
		}
		one.t = chatlog.Assemble(one.header, events)
		out[k] = one
	}
	for k := range w.headers {
		put(k)
	}
	for k := range w.events {
		put(k)
	}
	return out
}

// The work of a queue by slot: handling time over answered conversations, rounds over the same.
func TestWorkAddsUpSlots(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	at := time.Date(2026, 11, 3, 10, 0, 0, 0, shanghai)
	chat := func(id string, start time.Time, queue ids.Queue, rounds int, handle time.Duration) chatlog.Conversation {
		c := chatlog.Conversation{
			Merchant: "m", Shop: "s", Queue: queue, ID: id, Channel: chatlog.Chat, Agent: "a", StartedAt: start.UTC(),
			AnsweredAt: start.Add(10 * time.Second).UTC(), HandleTime: handle,
		}
		for i := range rounds {
			opened := start.Add(time.Duration(i) * time.Minute).UTC()
			c.Rounds = append(c.Rounds, chatlog.Round{OpenedAt: opened, AnsweredAt: opened.Add(10 * time.Second), Agent: "a"})
		}
		return c
	}
	lost := chatlog.Conversation{Merchant: "m", Shop: "s", Queue: "q", ID: "lost", Channel: chatlog.Chat, StartedAt: at.UTC(), Abandoned: true}
	ingest(t, w, Batch{ID: "b", Conversations: []chatlog.Conversation{
		chat("1", at, "q", 2, time.Minute), chat("2", at.Add(14*time.Minute), "q", 5, 3*time.Minute), chat("3", at.Add(15*time.Minute), "q", 1, time.Second),
		chat("4", at, "other", 9, time.Hour), lost,
	}})
	refresh(t, w)
	span := calendar.Range{Start: at.Truncate(24 * time.Hour).Add(-24 * time.Hour), End: at.Truncate(24 * time.Hour).Add(48 * time.Hour)}
	got, err := w.In(everything).Work(t.Context(), Filter{Range: span, Queues: []ids.Queue{"q"}})
	require.NoError(t, explain(err))
	assert.Equal(t, []SlotWork{
		{Start: at.UTC(), Offered: 3, Handled: 2, Handle: 4 * time.Minute, Rounds: 7},
		{Start: at.Add(15 * time.Minute).UTC(), Offered: 1, Handled: 1, Handle: time.Second, Rounds: 1},
	}, got)
	for _, narrow := range []Scope{{}, {Agent: "a"}, {Merchants: []ids.Merchant{"n"}}} {
		none, err := w.In(narrow).Work(t.Context(), Filter{Range: span, Queues: []ids.Queue{"q"}})
		require.NoError(t, explain(err))
		assert.Empty(t, none)
	}
}

// Counts per day equal the lists, counted.
func TestDayCountsAgreeWithLists(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		clear(t, w)
		ingest(t, w, Batch{ID: "all", Orders: tallytest.DrawOrders(t), Tickets: tallytest.DrawTickets(t)})
		f := Filter{Range: calendar.Range{Start: tallytest.Range.Start.AddDate(0, 0, -30), End: tallytest.Range.End.AddDate(0, 0, 60)}}
		if rapid.Bool().Draw(t, "one merchant") {
			f.Merchants = []ids.Merchant{"lumi"}
		}
		type cell struct {
			date calendar.Date
			shop ids.Shop
			tag  string
		}
		counted := func(list []DayCount, err error) map[cell]int {
			require.NoError(t, explain(err))
			out := map[cell]int{}
			for _, c := range list {
				out[cell{c.Date, c.Shop, c.Tag}] += c.Count
			}
			return out
		}
		for _, kind := range chatlog.OrderKinds {
			want := map[cell]int{}
			for _, o := range orders(t, w, everything, f) {
				if o.Kind == kind {
					want[cell{date: calendar.DateOf(o.At, w.zone), shop: o.Shop}]++
				}
			}
			require.Equal(t, want, counted(w.In(everything).OrderDays(context.Background(), f, kind)))
		}
		want := map[cell]int{}
		for _, x := range tickets(t, w, everything, f) {
			want[cell{calendar.DateOf(x.OpenedAt, w.zone), x.Shop, x.Tag}]++
		}
		require.Equal(t, want, counted(w.In(everything).TicketDays(context.Background(), f)))
		none, err := w.In(Scope{Agent: "a1"}).TicketDays(context.Background(), f)
		require.NoError(t, err)
		require.Empty(t, none, "a day's total is no agent's")
	})
	_, err := w.In(everything).OrderDays(t.Context(), Filter{Range: month}, "gift")
	require.Error(t, err)
}
