package warehouse

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// TestMain lowers rapid's number of checks, since each one talks to a real engine; each check
// asks many questions instead. -rapid.checks on the command line still wins.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "4"); err != nil {
		panic(err)
	}
	os.Exit(enginetest.Main(m))
}

// openNew opens a warehouse in a fresh database.
func openNew(t testing.TB) *Warehouse {
	t.Helper()
	w, err := Open(context.Background(), DefaultConfig(), Fixed(enginetest.Start(t)), neutral)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Close() })
	require.NoError(t, w.Ready(context.Background()))
	return w
}

// clear empties every table but the schema's, which is quicker than a new database.
func clear(t require.TestingT, w *Warehouse) {
	for _, table := range []string{
		"marks", "conversations", "events", "texts", "orders", "tickets", "platform_figures", "agent_states", "contacts",
		"slots", "metric_slots", "buyer_days", "state_slots", "generations", "rollups", "holds", "deletions",
	} {
		require.NoError(t, w.conn.Exec(context.Background(), "TRUNCATE TABLE "+table))
	}
}

func ingest(t require.TestingT, w *Warehouse, b Batch) Receipt {
	receipt, err := w.Ingest(context.Background(), b)
	require.NoError(t, explain(err))
	return receipt
}

func refresh(t require.TestingT, w *Warehouse) int {
	days, err := w.Refresh(context.Background())
	require.NoError(t, explain(err))
	return days
}

func ask(t require.TestingT, w *Warehouse, scope Scope, q kpi.Query) []kpi.Reading {
	readings, err := w.In(scope).Query(context.Background(), q)
	require.NoError(t, explain(err))
	return readings
}

// explain shows a test the cause that users do not see.
func explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", err, fault.InternalText(err))
}

var everything = Scope{Everything: true}

// month is a range around everything that the random conversations touch.
var month = calendar.Range{Start: base.AddDate(0, 0, -2), End: base.AddDate(0, 0, 8)}

// same compares readings; sums of fractions may differ in the last bits.
func same(t require.TestingT, want, got []kpi.Reading, label string) {
	// A group in which nothing of a kind happened is a reading without data, or a count of zero, on
	// one side and absent on the other.
	hasData := func(all []kpi.Reading) (kept []kpi.Reading) {
		for _, r := range all {
			count := r.Metric == "offered" || r.Metric == "handled" || r.Metric == "abandoned"
			if r.Value != nil && (!count || r.Numerator != 0) {
				kept = append(kept, r)
			}
		}
		return kept
	}
	want, got = hasData(want), hasData(got)
	require.Equal(t, len(want), len(got), "%s\nwant %v\ngot  %v", label, want, got)
	for i := range want {
		w, g := want[i], got[i]
		require.InDelta(t, w.Numerator, g.Numerator, 1e-6, label)
		require.InDelta(t, w.Denominator, g.Denominator, 1e-6, label)
		require.InDelta(t, *w.Value, *g.Value, 1e-9*math.Max(1, math.Abs(*w.Value)), label)
		w.Value, g.Value, w.Numerator, g.Numerator, w.Denominator, g.Denominator = nil, nil, 0, 0, 0, 0
		require.Equal(t, w, g, label)
	}
}

func TestOneConversationByHand(t *testing.T) {
	w := openNew(t)
	start := time.Date(2026, 11, 1, 9, 7, 0, 0, shanghai)
	four, yes := 4, true
	ingest(t, w, Batch{ID: "b1", Conversations: []chatlog.Conversation{{
		Merchant: "m", Shop: "s", Queue: "q", ID: "1", Channel: chatlog.Chat, Agent: "a", StartedAt: start,
		AnsweredAt: start.Add(20 * time.Second), EndedAt: start.Add(10 * time.Minute), Resolved: &yes, Rating: &four,
		AgentMessages: 3, BuyerMessages: 2, HandleTime: 90 * time.Second,
		Rounds: []chatlog.Round{
			{OpenedAt: start, AnsweredAt: start.Add(20 * time.Second), Agent: "a"},
			{OpenedAt: start.Add(time.Minute), AnsweredAt: start.Add(160 * time.Second), Agent: "b"},
			{OpenedAt: start.Add(5 * time.Minute)},
		},
	}, {
		Merchant: "m", Shop: "s", Queue: "q", ID: "2", Channel: chatlog.Chat, StartedAt: start.Add(time.Minute), Abandoned: true,
	}}})
	assert.Equal(t, 1, refresh(t, w))
	assert.Equal(t, 0, refresh(t, w), "nothing is left to do")

	q := kpi.Query{
		Metrics: sessionMetrics, Within: 20 * time.Second, Grain: kpi.Day,
		Range: calendar.Day(calendar.MakeDate(2026, 11, 1), shanghai),
	}
	got := map[kpi.Metric][2]float64{}
	for _, r := range ask(t, w, everything, q) {
		got[r.Metric] = [2]float64{r.Numerator, r.Denominator}
		assert.Equal(t, time.Date(2026, 10, 31, 16, 0, 0, 0, time.UTC), r.Start)
	}
	assert.Equal(t, map[kpi.Metric][2]float64{
		"offered": {2, 1}, "handled": {1, 1}, "abandoned": {1, 1}, "abandonment": {1, 2},
		"first_response": {20, 1}, "answered_within": {1, 2},
		"avg_response":    {120, 2}, // 20 s and 100 s; the open round has no response
		"round_within_60": {1, 3}, "round_within_180": {2, 3},
		"resolution": {1, 1}, "satisfaction": {4, 1}, "satisfaction_share": {1, 1},
		"answer_question_ratio": {3, 2}, "handle_time": {90, 1},
	}, got)

	q.Metrics, q.By, q.Grain = []kpi.Metric{"avg_response"}, []kpi.Dimension{kpi.ByAgent}, kpi.Slot
	readings := ask(t, w, everything, q)
	require.Len(t, readings, 3) // "" (the unanswered), a and b
	assert.Nil(t, readings[0].Value)
	assert.Equal(t, 20.0, *readings[1].Value)
	assert.Equal(t, 100.0, *readings[2].Value)
	assert.Equal(t, time.Date(2026, 11, 1, 1, 0, 0, 0, time.UTC), readings[1].Start)
}

func TestStateTimeIsCutAtSlotBorders(t *testing.T) {
	w := openNew(t)
	start := time.Date(2026, 11, 1, 23, 50, 0, 0, shanghai)
	ingest(t, w, Batch{ID: "b", States: []chatlog.AgentState{
		{Agent: "a", State: chatlog.Busy, Start: start, End: start.Add(20 * time.Minute)}, // 10 min before, 10 after midnight
		{Agent: "a", State: chatlog.Ready, Start: start.Add(20 * time.Minute), End: start.Add(30 * time.Minute)},
		{Agent: "b", State: chatlog.OnBreak, Start: start, End: start.Add(time.Hour)},
	}})
	assert.Equal(t, 2, refresh(t, w))
	q := kpi.Query{Metrics: []kpi.Metric{"occupancy"}, By: []kpi.Dimension{kpi.ByAgent}, Grain: kpi.Slot, Range: month}
	got := map[string][2]float64{}
	for _, r := range ask(t, w, everything, q) {
		if r.Agent == "a" {
			got[r.Start.In(shanghai).Format("02 15:04")] = [2]float64{r.Numerator, r.Denominator}
		}
	}
	assert.Equal(t, map[string][2]float64{"01 23:45": {600, 600}, "02 00:00": {600, 900}, "02 00:15": {0, 300}}, got)

	q.Grain, q.By = kpi.Whole, nil
	assert.InDelta(t, 1200.0/1800, *ask(t, w, Scope{Agent: "a"}, q)[0].Value, 1e-12)
	assert.Nil(t, ask(t, w, Scope{Agent: "b"}, q)[0].Value, "a break is no time on duty")
	_, err := w.In(Scope{Merchants: []ids.Merchant{"m"}}).Query(t.Context(), q)
	assert.Equal(t, "kpi.query.state_time", fault.CodeOf(err))
}

func conversation(merchant ids.Merchant, id string, start time.Time) chatlog.Conversation {
	return chatlog.Conversation{
		Merchant: merchant, Shop: "s", Queue: "q", ID: id, Channel: chatlog.Chat, Agent: "a",
		StartedAt: start, AnsweredAt: start.Add(10 * time.Second),
	}
}

func offeredPerDay(t *testing.T, w *Warehouse) map[string]float64 {
	out := map[string]float64{}
	for _, r := range ask(t, w, everything, kpi.Query{Metrics: []kpi.Metric{"offered"}, Grain: kpi.Day, Range: month}) {
		out[r.Start.In(shanghai).Format(time.DateOnly)] = r.Numerator
	}
	return out
}

func TestCorrectionMovesAConversationToAnotherDayAndMonth(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	day1 := time.Date(2026, 10, 31, 23, 59, 0, 0, shanghai)
	day2 := day1.Add(2 * time.Minute)
	ingest(t, w, Batch{ID: "b1", Conversations: []chatlog.Conversation{conversation("m", "1", day1), conversation("m", "2", day1)}})
	refresh(t, w)
	assert.Equal(t, map[string]float64{"2026-10-31": 2}, offeredPerDay(t, w))

	ingest(t, w, Batch{ID: "b2", Conversations: []chatlog.Conversation{conversation("m", "1", day2)}})
	page, _, err := w.In(everything).Conversations(t.Context(), Filter{Range: month}, "", 10)
	require.NoError(t, explain(err))
	require.Len(t, page, 2, "the list shows it once even before the roll-up")
	refresh(t, w)
	assert.Equal(t, map[string]float64{"2026-10-31": 1, "2026-11-01": 1}, offeredPerDay(t, w))

	ingest(t, w, Batch{ID: "b3", Conversations: []chatlog.Conversation{conversation("m", "1", day1)}})
	refresh(t, w)
	assert.Equal(t, map[string]float64{"2026-10-31": 2}, offeredPerDay(t, w), "and back again")

	assert.True(t, ingest(t, w, Batch{ID: "b2", Conversations: []chatlog.Conversation{conversation("m", "1", day2)}}).Duplicate,
		"a replay of an old batch does not undo a newer one")
	refresh(t, w)
	assert.Equal(t, map[string]float64{"2026-10-31": 2}, offeredPerDay(t, w))
}

func TestCorrectionWithFewerRoundsLeavesNoneBehind(t *testing.T) {
	w := openNew(t)
	start := base.Add(time.Hour)
	c := conversation("m", "1", start)
	for i := range 3 {
		c.Rounds = append(c.Rounds, chatlog.Round{OpenedAt: start.Add(time.Duration(i) * time.Minute)})
	}
	ingest(t, w, Batch{ID: "b1", Conversations: []chatlog.Conversation{c}})
	c.Rounds = c.Rounds[:1]
	ingest(t, w, Batch{ID: "b2", Conversations: []chatlog.Conversation{c}})
	refresh(t, w)
	q := kpi.Query{Metrics: []kpi.Metric{"round_within_60"}, Grain: kpi.Whole, Range: month}
	assert.Equal(t, 1.0, ask(t, w, everything, q)[0].Denominator)
}

// TestNobodySeesAnotherMerchant calls every scoped question with two merchants' data.
func TestNobodySeesAnotherMerchant(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	start := base.Add(30 * time.Hour)
	b := Batch{ID: "b"}
	for _, m := range []ids.Merchant{"mine", "theirs"} {
		for i := range 3 {
			c := conversation(m, fmt.Sprint(i), start)
			c.Agent = ids.Agent(fmt.Sprint("a-", m))
			b.Conversations = append(b.Conversations, c)
		}
		b.Contacts = append(b.Contacts, chatlog.Contacts{Merchant: m, Queue: "q", Start: start, Slot: calendar.Slot, Offered: 5})
		// One conversation of both merchants has the same id, and so have their orders and tickets.
		agent := ids.Agent(fmt.Sprint("a-", m))
		b.Events = append(b.Events,
			chatlog.Event{Merchant: m, Shop: "s", Queue: "q", Conversation: "only events", ID: "1", At: start, Kind: chatlog.BuyerMessage},
			chatlog.Event{Merchant: m, Shop: "s", Queue: "q", Conversation: "only events", ID: "2", At: start, Kind: chatlog.AgentMessage, Agent: agent})
		b.Orders = append(b.Orders, chatlog.OrderEvent{Merchant: m, Shop: "s", Buyer: "b", Order: "o", Kind: chatlog.Inquiry, At: start, Agent: agent})
		b.Tickets = append(b.Tickets, chatlog.Ticket{Merchant: m, Shop: "s", Queue: "q", ID: "t", OpenedAt: start, Agent: agent})
		b.Figures = append(b.Figures, chatlog.DailyFigure{Merchant: m, Platform: "jd", Shop: "s", Date: "2026-11-01", Item: "x"})
		b.States = append(b.States, chatlog.AgentState{Agent: ids.Agent(fmt.Sprint("a-", m)), State: chatlog.Busy, Start: start, End: start.Add(time.Hour)})
	}
	ingest(t, w, b)
	refresh(t, w)
	sees := func(scope Scope, merchants []ids.Merchant) (seen []string) {
		r := w.In(scope)
		readings, err := r.Query(t.Context(), kpi.Query{
			Metrics: sessionMetrics, Within: time.Minute, Grain: kpi.Whole, Range: month,
			By: []kpi.Dimension{kpi.ByMerchant}, Merchants: merchants,
		})
		require.NoError(t, explain(err))
		for _, x := range readings {
			seen = append(seen, string(x.Merchant))
		}
		page, _, err := r.Conversations(t.Context(), Filter{Range: month, Merchants: merchants}, "", 100)
		require.NoError(t, explain(err))
		for _, c := range page {
			seen = append(seen, string(c.Merchant))
		}
		f := Filter{Range: month, Merchants: merchants}
		for _, x := range timelines(t, w, scope, f, 2) {
			seen = append(seen, string(x.Merchant))
			for _, e := range x.Events {
				seen = append(seen, string(e.Merchant))
			}
		}
		for _, o := range orders(t, w, scope, f) {
			seen = append(seen, string(o.Merchant))
		}
		for _, x := range tickets(t, w, scope, f) {
			seen = append(seen, string(x.Merchant))
		}
		for _, x := range platformFigures(t, w, scope, FigureFilter{Dates: calendar.Dates{From: calendar.MakeDate(2026, 1, 1)}, Merchants: merchants}) {
			seen = append(seen, string(x.Merchant))
		}
		if merchants == nil {
			series, err := r.Series(t.Context(), "q", month, time.Hour)
			require.NoError(t, explain(err))
			for _, c := range series {
				seen = append(seen, string(c.Merchant))
			}
		}
		slices.Sort(seen)
		return slices.Compact(seen)
	}
	mine := Scope{Merchants: []ids.Merchant{"mine"}}
	assert.Equal(t, []string{"mine", "theirs"}, sees(everything, nil))
	assert.Equal(t, []string{"mine"}, sees(mine, nil))
	assert.Empty(t, sees(mine, []ids.Merchant{"theirs"}), "a filter never widens a scope")
	assert.Empty(t, sees(Scope{}, nil))
	assert.Equal(t, []string{"theirs"}, sees(Scope{Agent: "a-theirs"}, nil))
	assert.Empty(t, sees(Scope{Agent: "a-theirs", Merchants: []ids.Merchant{"mine"}}, nil))
	assert.Empty(t, sees(Scope{Merchants: []ids.Merchant{"x') OR ('1'='1"}}, nil))

	counts := func(s Scope) Counts {
		c, err := w.In(s).Counts(t.Context())
		require.NoError(t, explain(err))
		return c
	}
	assert.Equal(t, Counts{Conversations: 6, States: 2, Contacts: 2, Events: 4, Orders: 2, Tickets: 2, Figures: 2}, counts(everything))
	assert.Equal(t, Counts{Conversations: 3, Contacts: 1, Events: 2, Orders: 1, Tickets: 1, Figures: 1}, counts(mine))
	assert.Equal(t, Counts{Conversations: 3, States: 1}, counts(Scope{Agent: "a-mine"}))
	assert.Equal(t, Counts{}, counts(Scope{}))

	ingest(t, w, Batch{ID: "later", Conversations: []chatlog.Conversation{conversation("theirs", "9", start.Add(24*time.Hour))}})
	fresh := func(s Scope) Freshness {
		f, err := w.In(s).Freshness(t.Context())
		require.NoError(t, explain(err))
		return f
	}
	assert.Equal(t, 0, fresh(mine).PendingDays)
	assert.Equal(t, start.UTC(), fresh(mine).NewestStart)
	assert.Equal(t, 1, fresh(everything).PendingDays)
	assert.Equal(t, start.Add(24*time.Hour).UTC(), fresh(everything).NewestStart)
	assert.Equal(t, Freshness{}, fresh(Scope{}))
}

func TestListPagesEveryConversationOnce(t *testing.T) {
	w := openNew(t)
	b := Batch{ID: "b"}
	for i := range 23 {
		c := conversation("m", fmt.Sprintf("%02d", i), base.Add(time.Duration(i/4)*time.Hour))
		c.Rounds = []chatlog.Round{{OpenedAt: c.StartedAt, AnsweredAt: c.AnsweredAt, Agent: "other"}}
		b.Conversations = append(b.Conversations, c)
	}
	ingest(t, w, b)
	var all []chatlog.Conversation
	for cursor := ""; ; {
		page, next, err := w.In(everything).Conversations(t.Context(), Filter{Range: month}, cursor, 5)
		require.NoError(t, explain(err))
		all = append(all, page...)
		if cursor = next; cursor == "" {
			break
		}
	}
	for i := range b.Conversations { // what is read is what was written, in UTC
		c := &b.Conversations[i]
		c.StartedAt, c.AnsweredAt = c.StartedAt.UTC(), c.AnsweredAt.UTC()
		c.Rounds[0].OpenedAt, c.Rounds[0].AnsweredAt = c.Rounds[0].OpenedAt.UTC(), c.Rounds[0].AnsweredAt.UTC()
	}
	assert.Equal(t, b.Conversations, all)
	_, _, err := w.In(everything).Conversations(t.Context(), Filter{Range: month}, "nonsense!", 5)
	assert.Equal(t, "kpi.cursor", fault.CodeOf(err))
}

func TestSeriesAddsUpAndPrefersTheFinestFile(t *testing.T) {
	w := openNew(t)
	day := calendar.Day(calendar.MakeDate(2026, 11, 1), shanghai)
	row := func(offset, slot time.Duration, offered float64, handle time.Duration) chatlog.Contacts {
		return chatlog.Contacts{Merchant: "m", Queue: "q", Start: day.Start.Add(offset), Slot: slot, Offered: offered, HandleTime: handle}
	}
	ingest(t, w, Batch{ID: "fine", Contacts: []chatlog.Contacts{
		row(9*time.Hour, calendar.Slot, 10, 60*time.Second), row(9*time.Hour+calendar.Slot, calendar.Slot, 30, 120*time.Second),
		row(10*time.Hour, calendar.Slot, 4, 0),
	}})
	ingest(t, w, Batch{ID: "coarse", Contacts: []chatlog.Contacts{
		row(0, 24*time.Hour, 44, 0), row(24*time.Hour, 24*time.Hour, 99, 0), row(9*time.Hour, time.Hour, 40, 0),
	}})
	span := calendar.Range{Start: day.Start, End: day.End.Add(24 * time.Hour)}
	hourly, err := w.In(everything).Series(t.Context(), "q", span, time.Hour)
	require.NoError(t, explain(err))
	assert.Equal(t, []chatlog.Contacts{
		{Merchant: "m", Queue: "q", Start: day.Start.Add(9 * time.Hour).UTC(), Slot: time.Hour, Offered: 40, HandleTime: 105 * time.Second}, // (10*60+30*120)/40
		{Merchant: "m", Queue: "q", Start: day.Start.Add(10 * time.Hour).UTC(), Slot: time.Hour, Offered: 4},
	}, hourly)
	daily, err := w.In(everything).Series(t.Context(), "q", span, 24*time.Hour)
	require.NoError(t, explain(err))
	require.Len(t, daily, 2)
	assert.Equal(t, 44.0, daily[0].Offered)
	assert.Equal(t, day.Start.UTC(), daily[0].Start)
	assert.Equal(t, 99.0, daily[1].Offered)
}

func TestVerifyFindsAndRepairsADamagedRollUp(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	ingest(t, w, Batch{
		ID: "b", Conversations: []chatlog.Conversation{conversation("m", "1", base), conversation("m", "2", base.Add(time.Hour))},
		States: []chatlog.AgentState{{Agent: "a", State: chatlog.Busy, Start: base, End: base.Add(time.Hour)}},
	})
	refresh(t, w)
	clean, err := w.Verify(t.Context(), Sample{Days: 10})
	require.NoError(t, explain(err))
	assert.Equal(t, Verification{Checked: 2}, clean)

	require.NoError(t, w.conn.Exec(t.Context(), "ALTER TABLE slots UPDATE offered = 7 WHERE slot = toDateTime(?, 'UTC') SETTINGS mutations_sync = 2", base.Unix()))
	require.NoError(t, w.conn.Exec(t.Context(), "ALTER TABLE state_slots DELETE WHERE 1 SETTINGS mutations_sync = 2"))
	damaged, err := w.Verify(t.Context(), Sample{Days: 10})
	require.NoError(t, explain(err))
	assert.Equal(t, []Difference{
		{Kind: "conversations", Merchant: "m", Day: calendar.DateOf(base, shanghai), Rows: 1},
		{Kind: "states", Day: calendar.DateOf(base, shanghai), Rows: 4},
	}, damaged.Differences)
	assert.Equal(t, 2, refresh(t, w))
	clean, err = w.Verify(t.Context(), Sample{Days: 10})
	require.NoError(t, explain(err))
	assert.Empty(t, clean.Differences)
	assert.Equal(t, map[string]float64{"2026-10-30": 2}, offeredPerDay(t, w))
}
