package warehouse

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// One made-up conversation is found wherever it stands in the range, and only where it is asked for.
func TestSimulatedFindsOneAmongMany(t *testing.T) {
	w := openNew(t)
	var all []chatlog.Conversation
	for i := range 50 {
		all = append(all, conversation("m", string(rune('A'+i)), base.Add(time.Duration(i)*time.Hour)))
	}
	made := conversation("m", "made-up", base.Add(49*time.Hour+time.Minute))
	made.Simulated, made.Agent = true, "a9"
	ingest(t, w, Batch{ID: "b", Conversations: append(all, made, conversation("other", "1", base))})
	day := func(n int) calendar.Range {
		return calendar.Range{Start: made.StartedAt.Truncate(time.Minute).AddDate(0, 0, n-1), End: made.StartedAt.AddDate(0, 0, n)}
	}
	until := calendar.Range{Start: month.Start, End: made.StartedAt} // half-open: without it
	for name, c := range map[string]struct {
		scope  Scope
		filter Filter
		want   bool
	}{
		"the month":         {everything, Filter{Range: month}, true},
		"up to its start":   {everything, Filter{Range: until}, false},
		"from its start":    {everything, Filter{Range: calendar.Range{Start: made.StartedAt, End: month.End}}, true},
		"other days":        {everything, Filter{Range: day(-1)}, false},
		"its shop":          {everything, Filter{Range: month, Shops: []ids.Shop{made.Shop}, Queues: []ids.Queue{made.Queue}}, true},
		"another shop":      {everything, Filter{Range: month, Shops: []ids.Shop{"none"}}, false},
		"another queue":     {everything, Filter{Range: month, Queues: []ids.Queue{"none"}}, false},
		"its merchant":      {Scope{Merchants: []ids.Merchant{"m"}}, Filter{Range: month}, true},
		"another merchant":  {Scope{Merchants: []ids.Merchant{"other"}}, Filter{Range: month}, false},
		"asked for another": {everything, Filter{Range: month, Merchants: []ids.Merchant{"other"}}, false},
		"its agent":         {Scope{Agent: "a9"}, Filter{Range: month}, true},
		"another agent":     {everything, Filter{Range: month, Agents: []ids.Agent{"none"}}, false},
		"nobody":            {Scope{}, Filter{Range: month}, false},
	} {
		got, err := w.In(c.scope).Simulated(t.Context(), c.filter)
		require.NoError(t, explain(err), name)
		assert.Equal(t, c.want, got, name)
	}
	made.Simulated = false
	ingest(t, w, Batch{ID: "corrected", Conversations: []chatlog.Conversation{made}})
	got, err := w.In(everything).Simulated(t.Context(), Filter{Range: month})
	require.NoError(t, explain(err))
	assert.False(t, got, "the newest row of a conversation counts")
	_, err = w.In(everything).Simulated(t.Context(), Filter{})
	assert.Equal(t, "kpi.list.invalid", fault.CodeOf(err))
}

// What is made up shows, whatever kind of row it came in.
func TestSimulatedLooksAtEveryKind(t *testing.T) {
	w := openNew(t)
	b := everyKind("real", "1", base)
	events, orders, tickets := everyKind("events", "1", base), everyKind("orders", "1", base), everyKind("tickets", "1", base)
	events.Events[0].Simulated, orders.Orders[0].Simulated, tickets.Tickets[0].Simulated = true, true, true
	for _, x := range []Batch{events, orders, tickets} {
		b.Events, b.Orders, b.Tickets = append(b.Events, x.Events...), append(b.Orders, x.Orders...), append(b.Tickets, x.Tickets...)
	}
	ingest(t, w, b)
	for merchant, want := range map[ids.Merchant]bool{"real": false, "events": true, "orders": true, "tickets": true} {
		got, err := w.In(Scope{Merchants: []ids.Merchant{merchant}}).Simulated(t.Context(), Filter{Range: month})
		require.NoError(t, explain(err))
		assert.Equal(t, want, got, merchant)
	}
}
