package warehouse

import (
	"context"
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

func orders(t require.TestingT, w *Warehouse, scope Scope, f Filter) []chatlog.OrderEvent {
	list, err := w.In(scope).OrderEvents(context.Background(), f)
	require.NoError(t, explain(err))
	return list
}

func tickets(t require.TestingT, w *Warehouse, scope Scope, f Filter) []chatlog.Ticket {
	list, err := w.In(scope).Tickets(context.Background(), f)
	require.NoError(t, explain(err))
	return list
}

func platformFigures(t require.TestingT, w *Warehouse, scope Scope, f FigureFilter) []chatlog.DailyFigure {
	list, err := w.In(scope).PlatformFigures(context.Background(), f)
	require.NoError(t, explain(err))
	return list
}

// The last import of a step counts, also when it moves the step to another day; a replay of the first
// changes nothing.
func TestTheLastImportOfAnOrderStepCounts(t *testing.T) {
	w := openNew(t)
	at := base.Add(30 * time.Hour).UTC()
	inquiry := chatlog.OrderEvent{Merchant: "m", Shop: "s", Buyer: "b", Order: "c1", Kind: chatlog.Inquiry, At: at, Queue: "q", Agent: "a"}
	paid := chatlog.OrderEvent{Merchant: "m", Shop: "s", Buyer: "b", Order: "o1", Kind: chatlog.Paid, At: at.Add(time.Hour), Amount: 19_900}
	first := Batch{ID: "b1", Orders: []chatlog.OrderEvent{inquiry, paid}}
	assert.Equal(t, 2, ingest(t, w, first).Orders)
	assert.Equal(t, []chatlog.OrderEvent{inquiry, paid}, orders(t, w, everything, Filter{Range: month}))

	moved := paid
	moved.At, moved.Amount = at.Add(50*time.Hour), 9_900
	ingest(t, w, Batch{ID: "b2", Orders: []chatlog.OrderEvent{moved}})
	assert.True(t, ingest(t, w, first).Duplicate)
	assert.Equal(t, []chatlog.OrderEvent{inquiry, moved}, orders(t, w, everything, Filter{Range: month}))
	assert.Equal(t, []chatlog.OrderEvent{inquiry}, orders(t, w, everything, Filter{Range: calendar.Range{Start: at, End: at.Add(2 * time.Hour)}}),
		"the old version of the payment must not show in its old hour")
	assert.Equal(t, []chatlog.OrderEvent{inquiry}, orders(t, w, Scope{Agent: "a"}, Filter{Range: month}), "an agent sees who asked, not what was paid")
}

func TestTicketsAreClosedByALaterImport(t *testing.T) {
	w := openNew(t)
	ticket := chatlog.Ticket{
		Merchant: "m", Shop: "s", Queue: "q", ID: "T1", Tag: "催发货", Agent: "a", Buyer: "b",
		OpenedAt: base.UTC(), DueAt: base.Add(time.Hour).UTC(),
	}
	ingest(t, w, Batch{ID: "b1", Tickets: []chatlog.Ticket{ticket}})
	assert.Equal(t, []chatlog.Ticket{ticket}, tickets(t, w, everything, Filter{Range: month}))
	ticket.ClosedAt = base.Add(50 * time.Minute).UTC()
	assert.Equal(t, 1, ingest(t, w, Batch{ID: "b2", Tickets: []chatlog.Ticket{ticket}}).Tickets)
	assert.Equal(t, []chatlog.Ticket{ticket}, tickets(t, w, everything, Filter{Range: month, Agents: []ids.Agent{"a"}}))
	assert.Empty(t, tickets(t, w, everything, Filter{Range: month, Queues: []ids.Queue{"other"}}))
}

// Rolling files of 30 days bring each day thirty times; the last value counts.
func TestAFigureIsWhatThePlatformSaidLast(t *testing.T) {
	w := openNew(t)
	figure := chatlog.DailyFigure{
		Platform: "tmall", Merchant: "m", Shop: "s", Date: "2026-11-01", Item: "inquiry_conversion_final", Header: "询单最终付款转化率",
		Unit: "share", Base: "buyer-day", Value: 0.31,
	}
	account := figure
	account.Account, account.Value = "店铺:小美", 0.5
	next := figure
	next.Date, next.Value, next.Closed = "2026-11-02", 0.4, true
	ingest(t, w, Batch{ID: "file of the 2nd", Figures: []chatlog.DailyFigure{figure, account}})
	figure.Value, figure.Closed = 0.34, true
	assert.Equal(t, 2, ingest(t, w, Batch{ID: "file of the 5th", Figures: []chatlog.DailyFigure{figure, next}}).Figures)
	of := func(f FigureFilter) []chatlog.DailyFigure { return platformFigures(t, w, everything, f) }
	all := calendar.Dates{From: calendar.MakeDate(2026, 11, 1)}
	assert.Equal(t, []chatlog.DailyFigure{figure, account, next}, of(FigureFilter{Dates: all}))
	assert.Equal(t, []chatlog.DailyFigure{figure, next}, of(FigureFilter{Dates: all, Accounts: []string{""}}))
	assert.Equal(t, []chatlog.DailyFigure{account}, of(FigureFilter{Dates: all, Accounts: []string{"店铺:小美"}, Platform: "tmall"}))
	all.Until = calendar.MakeDate(2026, 11, 2)
	assert.Equal(t, []chatlog.DailyFigure{figure, account}, of(FigureFilter{Dates: all, Items: []string{figure.Item}}))
	assert.Empty(t, of(FigureFilter{Dates: all, Platform: "jd"}))
}

// TestOrdersAndTicketsComeBackOnce imports random orders and tickets in pieces and pieces again.
func TestOrdersAndTicketsComeBackOnce(t *testing.T) {
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		clear(t, w)
		steps, work := tallytest.DrawOrders(t), tallytest.DrawTickets(t)
		ingest(t, w, Batch{ID: "all", Orders: steps, Tickets: work})
		i, j := rapid.IntRange(0, len(steps)).Draw(t, "from"), rapid.IntRange(0, len(work)).Draw(t, "from ticket")
		ingest(t, w, Batch{ID: "part", Orders: steps[i:], Tickets: work[j:]})
		f := Filter{Range: calendar.Range{Start: tallytest.Range.Start.AddDate(0, 0, -30), End: tallytest.Range.End.AddDate(0, 0, 60)}}
		for k := range steps {
			steps[k].At = steps[k].At.UTC()
		}
		for k := range work {
			for _, at := range []*time.Time{&work[k].OpenedAt, &work[k].DueAt, &work[k].ClosedAt} {
				if !at.IsZero() {
					*at = at.UTC()
				}
			}
		}
		require.ElementsMatch(t, steps, orders(t, w, everything, f))
		read := tickets(t, w, everything, f)
		require.ElementsMatch(t, work, read)
		require.True(t, slices.IsSortedFunc(read, func(a, b chatlog.Ticket) int { return a.OpenedAt.Compare(b.OpenedAt) }))
	})
}
