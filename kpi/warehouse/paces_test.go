package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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

// told is one answered round of a chat, and how long its agent has the chat.
type told struct {
	queue           ids.Queue
	agent           ids.Agent
	asked, replied  time.Time
	opened, outOf   time.Time // of the agent
	conversationKey key
}

// toldRounds lays out what agents did, conversation by conversation.
func toldRounds(all map[key]assembled) (out []told) {
	for k, c := range all {
		if c.t.Channel != chatlog.Chat || !c.t.Detailed {
			continue
		}
		rounds := roundsOf(c.t)
		finished := c.t.EndedAt
		if finished.IsZero() {
			finished = c.t.Events[len(c.t.Events)-1].At
		}
		var own []told
		for _, r := range rounds {
			if agent := cmp.Or(r.Agent, c.t.Agent); !r.AnsweredAt.IsZero() && agent != "" {
				own = append(own, told{queue: c.t.Queue, agent: agent, asked: r.OpenedAt, replied: r.AnsweredAt, conversationKey: k})
			}
		}
		for i := range own {
			own[i].opened, own[i].outOf = own[i].asked, own[i].replied
			for _, o := range own {
				if o.agent == own[i].agent {
					if o.asked.Before(own[i].opened) {
						own[i].opened = o.asked
					}
					if o.replied.After(own[i].outOf) {
						own[i].outOf = o.replied
					}
				}
			}
			if own[len(own)-1].agent == own[i].agent && finished.After(own[i].outOf) {
				own[i].outOf = finished
			}
		}
		out = append(out, own...)
	}
	return out
}

// pacesOnPaper counts the same with loops.
func pacesOnPaper(rounds []told) map[string][3]float64 {
	out := map[string][3]float64{}
	for i, r := range rounds {
		begun := r.asked
		for j, o := range rounds {
			earlier := o.replied.Before(r.replied) || o.replied.Equal(r.replied) && (o.asked.Before(r.asked) || o.asked.Equal(r.asked) && j < i)
			if o.agent == r.agent && i != j && earlier && o.replied.After(begun) {
				begun = o.replied
			}
		}
		seen := map[key]bool{}
		for _, o := range rounds {
			if o.agent == r.agent && !o.opened.After(begun) && !o.outOf.Before(begun) {
				seen[o.conversationKey] = true
			}
		}
		work, lag := r.replied.Sub(begun), r.replied.Sub(r.asked)
		if work > longestWork || lag > longestLag {
			continue
		}
		name := fmt.Sprint(r.queue, " ", min(len(seen), MostOpen))
		sum := out[name]
		out[name] = [3]float64{sum[0] + 1, sum[1] + work.Seconds(), sum[2] + lag.Seconds()}
	}
	return out
}

// Paces by SQL are those on paper, for drawn conversations from headers, messages or both.
func TestPacesAgreeWithPaper(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		clear(t, w)
		paper := newWorld()
		headers, events := tallytest.DrawConversations(t)
		batch := Batch{ID: "b", Conversations: headers, Events: events}
		paper.ingest(batch)
		ingest(t, w, batch)
		want := pacesOnPaper(toldRounds(paper.assembled())) // of header rounds too: a header without messages becomes events
		list, _, err := w.In(everything).Paces(context.Background(), Filter{Range: tallytest.Range})
		require.NoError(t, explain(err))
		got := map[string][3]float64{}
		for _, p := range list {
			n := float64(p.Replies)
			got[fmt.Sprint(p.Queue, " ", p.Open)] = [3]float64{n, n * p.WorkSeconds, n * p.LagSeconds}
		}
		require.Len(t, got, len(want))
		for name, sums := range want {
			require.InDeltaSlice(t, sums[:], append([]float64{}, got[name][0], got[name][1], got[name][2]), 1e-6, name)
		}
	})
}

// Two chats of one agent by hand. A asks at 0 s and is answered at 20 s; B asks at 10 s and is answered at 50 s: begun at 20 s with two open, 30 s of
// work, 40 s of lag. A asks again at 100 s, answered at 112 s with both open.
func TestPacesByHand(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	start := base.Add(34 * time.Hour)
	b := Batch{ID: "b"}
	say := func(m ids.Merchant, chat string, seconds int, kind chatlog.EventKind) {
		e := chatlog.Event{Merchant: m, Shop: "s", Queue: "q", Conversation: chat, ID: fmt.Sprint(chat, seconds, kind), At: start.Add(time.Duration(seconds) * time.Second), Kind: kind}
		if kind == chatlog.AgentMessage {
			e.Agent = "a1"
		}
		b.Events = append(b.Events, e)
	}
	for _, m := range []ids.Merchant{"mine", "theirs"} {
		say(m, "A", 0, chatlog.BuyerMessage)
		say(m, "A", 20, chatlog.AgentMessage)
		say(m, "A", 100, chatlog.BuyerMessage)
		say(m, "A", 112, chatlog.AgentMessage)
		say(m, "A", 112, chatlog.Ended)
		say(m, "B", 10, chatlog.BuyerMessage)
		say(m, "B", 50, chatlog.AgentMessage)
		say(m, "B", 300, chatlog.Ended)
	}
	ingest(t, w, b)
	span := calendar.Range{Start: month.Start.AddDate(0, 0, -30), End: month.End}
	got, days, err := w.In(Scope{Merchants: []ids.Merchant{"mine"}}).Paces(t.Context(), Filter{Range: span})
	require.NoError(t, explain(err))
	assert.Equal(t, []Pace{
		{Queue: "q", Open: 1, Replies: 1, WorkSeconds: 20, LagSeconds: 20},
		{Queue: "q", Open: 2, Replies: 2, WorkSeconds: 21, WorkSquares: 162, LagSeconds: 26, LagSquares: 2 * 14 * 14},
	}, got, "30 and 12 s of work, 40 and 12 s of lag")
	assert.Equal(t, calendar.DateOf(start, w.zone), days.From)
	assert.Equal(t, days.From.Add(1), days.Until)

	all, _, err := w.In(everything).Paces(t.Context(), Filter{Range: span})
	require.NoError(t, explain(err))
	replies := 0
	for _, p := range all {
		replies += p.Replies
	}
	assert.Equal(t, 6, replies)
	assert.Equal(t, 4, slices.MaxFunc(all, func(a, b Pace) int { return a.Open - b.Open }).Open, "who sees all knows that the agent has four open")
	for name, scope := range map[string]Scope{"nobody": {}, "an agent": {Agent: "a1"}, "a third": {Merchants: []ids.Merchant{"other"}}} {
		none, _, err := w.In(scope).Paces(t.Context(), Filter{Range: span})
		require.NoError(t, explain(err), name)
		assert.Empty(t, none, name)
	}
	none, _, err := w.In(everything).Paces(t.Context(), Filter{Range: span, Queues: []ids.Queue{"another"}})
	require.NoError(t, explain(err))
	assert.Empty(t, none)
}

// The newest days that hold the bounded number of rows are looked at, at least one.
func TestPacesLookAtTheNewestDays(t *testing.T) {
	for _, c := range []struct {
		rows []uint64 // of days 9, 8, ...
		want []int32
	}{
		{nil, nil},
		{[]uint64{3 * paceRows, 1}, []int32{9}},
		{[]uint64{paceRows / 2, paceRows / 2, 1}, []int32{8, 9}},
		{[]uint64{1, 2, 3}, []int32{7, 8, 9}},
	} {
		days, err := paceQuestion{}.newest(func(read func(day int32, rows uint64)) error {
			for i, n := range c.rows {
				read(int32(9-i), n)
			}
			return nil
		})
		require.NoError(t, err)
		assert.Equal(t, c.want, days)
	}
}
