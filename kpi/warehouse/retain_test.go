package warehouse

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// today and cutoff of the retention tests: three years, the default.
var (
	retainToday  = calendar.MakeDate(2026, 11, 20)
	retainCutoff = calendar.MakeDate(2023, 11, 20)
)

// everyKind is one row of each table for a merchant at an instant.
func everyKind(merchant ids.Merchant, name string, at time.Time) Batch {
	header := conversation(merchant, "header "+name, at)
	event := chatlog.Event{
		Merchant: merchant, Shop: "s", Queue: "q", Conversation: "events " + name, ID: "1", At: at, Kind: chatlog.BuyerMessage, Text: "在吗",
	}
	return Batch{
		ID: ids.Batch(string(merchant) + " " + name), Conversations: []chatlog.Conversation{header}, Events: []chatlog.Event{event},
		States:   []chatlog.AgentState{{Agent: ids.Agent("a-" + string(merchant)), State: chatlog.Busy, Start: at, End: at.Add(time.Minute)}},
		Contacts: []chatlog.Contacts{{Merchant: merchant, Queue: "q", Start: at, Slot: calendar.Slot, Offered: 1}},
		Orders:   []chatlog.OrderEvent{{Merchant: merchant, Shop: "s", Buyer: "b", Order: name, Kind: chatlog.Inquiry, At: at}},
		Tickets:  []chatlog.Ticket{{Merchant: merchant, Shop: "s", Queue: "q", ID: name, OpenedAt: at}},
		Figures:  []chatlog.DailyFigure{{Merchant: merchant, Platform: "jd", Shop: "s", Date: calendar.DateOf(at, shanghai).String(), Item: "x"}},
	}
}

// rawTables are all tables with measurements but roll-ups.
var rawTables = []string{"conversations", "events", "texts", "agent_states", "contacts", "orders", "tickets", "platform_figures"}

// stored counts rows by table, leaving out empty ones.
func storedRows(t *testing.T, w *Warehouse, tables ...string) map[string]uint64 {
	t.Helper()
	counts := map[string]uint64{}
	for _, table := range tables {
		var n uint64
		require.NoError(t, w.conn.QueryRow(t.Context(), "SELECT count() FROM "+table).Scan(&n))
		if n > 0 {
			counts[table] = n
		}
	}
	return counts
}

func each(n uint64) map[string]uint64 {
	counts := map[string]uint64{}
	for _, table := range rawTables {
		counts[table] = n
	}
	return counts
}

func retain(t *testing.T, w *Warehouse, r Retention) Deleted {
	t.Helper()
	deleted, err := w.Retain(t.Context(), r)
	require.NoError(t, explain(err))
	return deleted
}

func TestRetentionDeletesWhatIsOlderFromEveryTable(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	border := retainCutoff.In(shanghai)
	ingest(t, w, everyKind("m", "old", border.Add(-time.Millisecond)))
	ingest(t, w, everyKind("m", "young", border))
	refresh(t, w)
	// The roll-ups of rules, whatever there is of them.
	for _, day := range []string{"2023-11-19", "2023-11-20"} {
		require.NoError(t, w.conn.Exec(t.Context(), "INSERT INTO metric_slots (metric, merchant, slot, day) VALUES ('x@1', 'm', ?, ?)", day+" 04:00:00", day))
		require.NoError(t, w.conn.Exec(t.Context(), "INSERT INTO buyer_days (metric, merchant, date, day) VALUES ('x@1', 'm', ?, ?)", day, day))
	}
	require.Equal(t, each(2), storedRows(t, w, rawTables...))
	rollups := []string{"slots", "state_slots", "metric_slots", "buyer_days"}
	before := storedRows(t, w, rollups...)

	r := Retention{Cutoff: retainCutoff, Today: retainToday, DryRun: true, Author: "lin"}
	dry := retain(t, w, r)
	assert.Equal(t, uint64(8), dry.Raw())
	assert.Equal(t, each(2), storedRows(t, w, rawTables...), "a dry run deletes nothing")
	assert.Equal(t, before, storedRows(t, w, rollups...))

	r.DryRun = false
	gone := retain(t, w, r)
	dry.DryRun = false
	assert.Equal(t, dry, gone, "what the dry run announced")
	assert.Equal(t, each(1), storedRows(t, w, rawTables...))
	for table, n := range storedRows(t, w, rollups...) {
		assert.Less(t, n, before[table], table)
		var old uint64
		require.NoError(t, w.conn.QueryRow(t.Context(), "SELECT count() FROM "+table+" WHERE day < '2023-11-20'").Scan(&old))
		assert.Zero(t, old, table)
	}
	assert.Zero(t, retain(t, w, r).Raw(), "nothing is left to delete")
	handled := kpi.Query{Metrics: []kpi.Metric{"handled"}, Grain: kpi.Whole, Range: calendar.Range{Start: border.AddDate(0, -1, 0), End: border.AddDate(0, 1, 0)}}
	assert.Equal(t, 1.0, ask(t, w, everything, handled)[0].Numerator, "a question over both sees what is left")

	log, err := w.Deletions(t.Context())
	require.NoError(t, explain(err))
	tables := map[bool]map[string]uint64{true: {}, false: {}}
	for _, d := range log {
		assert.Equal(t, retainCutoff, d.Cutoff)
		assert.Equal(t, "lin", d.Author)
		assert.WithinDuration(t, time.Now(), d.At, time.Minute)
		tables[d.DryRun][d.Table] = d.Rows
	}
	assert.Equal(t, tables[true], tables[false])
	assert.Len(t, tables[false], len(rawTables)+len(rollups))
	assert.False(t, log[0].DryRun, "newest first")

	check, err := w.Verify(t.Context(), Sample{Days: 100})
	require.NoError(t, explain(err))
	for _, d := range check.Differences {
		assert.NotEqual(t, kindConversations+" 2023-11-19", d.Kind+" "+d.Day.String())
	}
}

func TestRetentionRefusesTwoYears(t *testing.T) {
	w := openNew(t)
	ingest(t, w, everyKind("m", "old", calendar.MakeDate(2024, 11, 20).In(shanghai).Add(time.Hour)))
	for _, cutoff := range []calendar.Date{calendar.MakeDate(2024, 11, 21), retainToday, calendar.MakeDate(2027, 1, 1), {}} {
		_, err := w.Retain(t.Context(), Retention{Cutoff: cutoff, Today: retainToday})
		assert.Equal(t, "warehouse.retention", fault.CodeOf(err), cutoff)
	}
	_, err := w.Retain(t.Context(), Retention{Cutoff: retainCutoff})
	assert.Equal(t, "warehouse.retention", fault.CodeOf(err), "without a date of today nothing can be said")
	// Exactly two years is allowed and takes only what is older.
	assert.Zero(t, retain(t, w, Retention{Cutoff: calendar.MakeDate(2024, 11, 20), Today: retainToday}).Raw())
	assert.Equal(t, each(1), storedRows(t, w, rawTables...))
}

func TestHoldKeepsAMerchantOrEverything(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	old := retainCutoff.In(shanghai).AddDate(0, -1, 0)
	for _, m := range []ids.Merchant{"quarrel", "peace"} {
		ingest(t, w, everyKind(m, "old", old))
	}
	refresh(t, w)
	rules := Retention{Cutoff: retainCutoff, Today: retainToday, Author: "job"}
	require.NoError(t, explain(w.Hold(t.Context(), Hold{Reason: "audit of the year", Author: "lin"})))
	all := retain(t, w, rules)
	assert.Zero(t, all.Raw()+all.Rollups)
	assert.Equal(t, []ids.Merchant{""}, all.Held)

	require.NoError(t, explain(w.Hold(t.Context(), Hold{Merchant: "quarrel", Reason: "arbitration 2026-17", Author: "lin"})))
	holds, err := w.Holds(t.Context())
	require.NoError(t, explain(err))
	require.Len(t, holds, 2)
	assert.Equal(t, "arbitration 2026-17", holds[1].Reason)
	assert.WithinDuration(t, time.Now(), holds[1].At, time.Minute)

	require.NoError(t, explain(w.Release(t.Context(), Hold{Author: "wang", Reason: "audit is over"})))
	one := retain(t, w, rules)
	assert.Equal(t, []ids.Merchant{"quarrel"}, one.Held)
	want := each(1) // of two
	want["agent_states"] = 2
	assert.Equal(t, want, storedRows(t, w, rawTables...), "time of agents belongs to no merchant: any hold keeps it")
	page := timelines(t, w, everything, Filter{Range: calendar.Range{Start: old.AddDate(0, 0, -1), End: old.AddDate(0, 0, 1)}}, 10)
	require.Len(t, page, 2)
	for _, x := range page {
		assert.Equal(t, ids.Merchant("quarrel"), x.Merchant)
	}
	log, err := w.Deletions(t.Context())
	require.NoError(t, explain(err))
	assert.Equal(t, []ids.Merchant{"quarrel"}, log[0].Held)

	// A second case of the same merchant: the end of one leaves the other.
	settled := Hold{Merchant: "quarrel", Author: "wang", Reason: "settled"}
	require.NoError(t, explain(w.Hold(t.Context(), Hold{Merchant: "quarrel", Case: "案件2", Reason: "a second dispute", Author: "lin"})))
	require.NoError(t, explain(w.Release(t.Context(), settled)))
	assert.Equal(t, "warehouse.hold.unknown", fault.CodeOf(w.Release(t.Context(), settled)))
	assert.Zero(t, retain(t, w, rules).Raw(), "one case is open still")
	assert.Equal(t, want, storedRows(t, w, rawTables...))
	holds, err = w.Holds(t.Context())
	require.NoError(t, explain(err))
	require.Len(t, holds, 1)
	assert.Equal(t, []string{"案件2", "a second dispute"}, []string{holds[0].Case, holds[0].Reason}, "with its own reason")
	settled.Case = "案件2"
	require.NoError(t, explain(w.Release(t.Context(), settled)))
	retain(t, w, rules)
	assert.Empty(t, storedRows(t, w, rawTables...))

	err = w.Release(t.Context(), settled)
	assert.Equal(t, "warehouse.hold.unknown", fault.CodeOf(err))
	err = w.Hold(t.Context(), Hold{Merchant: "x"})
	require.Equal(t, "warehouse.hold", fault.CodeOf(err))
	assert.Len(t, fault.Of(err).Fields, 2, "a hold has a reason and an author")
}

// A conversation goes or stays as a whole: torn apart, its rest would count as a conversation of its own.
func TestRetentionNeverTearsAConversation(t *testing.T) {
	t.Parallel()
	for name, years := range map[string]int{"three years": 3, "at the floor": 2} {
		t.Run(name, func(t *testing.T) {
			w := openNew(t)
			cutoff := calendar.MakeDate(2026-years, 11, 20)
			midnight := cutoff.In(shanghai)
			say := func(conversation, id string, at time.Duration, kind chatlog.EventKind) chatlog.Event {
				e := message(id, midnight.Add(at), kind, "a")
				e.Conversation = conversation
				return e
			}
			moved := conversation("m", "moved back", midnight.Add(time.Hour))
			ingest(t, w, Batch{ID: "b1", Conversations: []chatlog.Conversation{
				conversation("m", "header before", midnight.Add(-time.Minute)), moved,
				conversation("m", "bot before", midnight.Add(time.Second)),
			}, Events: []chatlog.Event{
				say("started before", "1", -time.Minute, chatlog.BuyerMessage), say("started before", "2", time.Minute, chatlog.AgentMessage),
				say("header before", "1", 5*time.Minute, chatlog.AgentMessage),
				say("bot before", "1", -time.Second, chatlog.BotMessage), say("bot before", "2", time.Second, chatlog.BuyerMessage),
				say("old", "1", -time.Hour, chatlog.BuyerMessage), say("young", "1", time.Hour, chatlog.BuyerMessage),
			}, Orders: []chatlog.OrderEvent{
				{Merchant: "m", Shop: "s", Buyer: "b", Order: "1", Kind: chatlog.Paid, At: midnight.Add(time.Hour), Amount: 100},
			}, Tickets: []chatlog.Ticket{{Merchant: "m", Shop: "s", Queue: "q", ID: "1", OpenedAt: midnight.Add(time.Hour)}}})
			moved.StartedAt, moved.AnsweredAt = midnight.Add(-2*time.Hour), midnight.Add(-time.Hour)
			ingest(t, w, Batch{ID: "b2", Conversations: []chatlog.Conversation{moved}, Orders: []chatlog.OrderEvent{
				{Merchant: "m", Shop: "s", Buyer: "b", Order: "1", Kind: chatlog.Paid, At: midnight.Add(-time.Hour), Amount: 200},
			}, Tickets: []chatlog.Ticket{{Merchant: "m", Shop: "s", Queue: "q", ID: "1", OpenedAt: midnight.Add(-time.Hour)}}})
			refresh(t, w)
			around := Filter{Range: calendar.Range{Start: midnight.AddDate(0, 0, -5), End: midnight.AddDate(0, 0, 5)}}
			all := timelines(t, w, everything, around, 100)
			require.Len(t, all, 6)

			retain(t, w, Retention{Cutoff: cutoff, Today: retainToday})
			want := map[string]int{"bot before": 2, "young": 1} // events
			if years == 2 {                                     // what reaches over the floor stays
				want["started before"], want["header before"], want["moved back"] = 2, 1, 2
			}
			got := map[string]int{}
			for _, x := range timelines(t, w, everything, around, 100) {
				got[x.ID] = len(x.Events)
			}
			assert.Equal(t, want, got)
			assert.Empty(t, orders(t, w, everything, around), "the payment was moved to before the cutoff; its old version must not come back")
			assert.Empty(t, tickets(t, w, everything, around))
			refresh(t, w)
			check, err := w.Verify(t.Context(), Sample{Days: 100})
			require.NoError(t, explain(err))
			assert.Empty(t, check.Differences, "the roll-ups agree with what is left")
		})
	}
}
