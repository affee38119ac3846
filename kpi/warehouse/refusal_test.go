package warehouse

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

func TestDownIsUnavailableWithRetryAfter(t *testing.T) {
	up := false
	w, err := Open(t.Context(), DefaultConfig(), func() (string, bool) { return "clickhouse://u:p@127.0.0.1:1/x", up }, neutral)
	require.NoError(t, err, "a program starts while its engine is down")
	for range 2 { // first the source says so, then the connection is refused
		for name, call := range map[string]func() error{
			"ready":   func() error { return w.Ready(t.Context()) },
			"ingest":  func() error { _, err := w.Ingest(t.Context(), Batch{ID: "b"}); return err },
			"refresh": func() error { _, err := w.Refresh(t.Context()); return err },
			"verify":  func() error { _, err := w.Verify(t.Context(), Sample{Days: 1}); return err },
			"query": func() error {
				_, err := w.In(everything).Query(t.Context(), kpi.Query{Metrics: []kpi.Metric{"offered"}, Grain: kpi.Whole, Range: month})
				return err
			},
			"series": func() error { _, err := w.In(everything).Series(t.Context(), "q", month, time.Hour); return err },
			"list": func() error {
				_, _, err := w.In(everything).Conversations(t.Context(), Filter{Range: month}, "", 1)
				return err
			},
			"timelines": func() error {
				_, _, err := w.In(everything).Timelines(t.Context(), Filter{Range: month}, "", 1)
				return err
			},
			"orders":    func() error { _, err := w.In(everything).OrderEvents(t.Context(), Filter{Range: month}); return err },
			"tickets":   func() error { _, err := w.In(everything).Tickets(t.Context(), Filter{Range: month}); return err },
			"hold":      func() error { return w.Hold(t.Context(), Hold{Reason: "r", Author: "a"}) },
			"deletions": func() error { _, err := w.Deletions(t.Context()); return err },
			"counts":    func() error { _, err := w.In(everything).Counts(t.Context()); return err },
		} {
			err := call()
			assert.Equal(t, "warehouse.down", fault.CodeOf(err), name)
			assert.Equal(t, fault.Unavailable, fault.KindOf(err), name)
			assert.Equal(t, 2*time.Second, fault.Of(err).RetryAfter, name)
			assert.NotContains(t, err.Error(), "127.0.0.1", name)
		}
		up = true
	}
}

func TestRefusesANewerSchemaAndAnotherTimeZone(t *testing.T) {
	dsn := enginetest.Start(t)
	w, err := Open(t.Context(), DefaultConfig(), Fixed(dsn), neutral)
	require.NoError(t, explain(err))
	require.NoError(t, w.Close())

	other := DefaultConfig()
	other.TimeZone = "Asia/Tokyo"
	_, err = Open(t.Context(), other, Fixed(dsn), neutral)
	assert.Equal(t, "warehouse.time_zone", fault.CodeOf(err))

	w, err = Open(t.Context(), DefaultConfig(), Fixed(dsn), neutral)
	require.NoError(t, explain(err))
	require.NoError(t, w.conn.Exec(t.Context(), "INSERT INTO schema_versions (version_id, is_applied) VALUES (999, 1)"))
	require.NoError(t, w.Close())
	_, err = Open(t.Context(), DefaultConfig(), Fixed(dsn), neutral)
	assert.Equal(t, "warehouse.schema_newer", fault.CodeOf(err))
}

func TestRefusesWhatTheTablesCannotHold(t *testing.T) {
	w := &Warehouse{zone: shanghai}
	start := base
	bad := Batch{
		ID: "b",
		Conversations: []chatlog.Conversation{
			{Merchant: "m", StartedAt: start},
			{Merchant: "m", ID: "1", StartedAt: start, AnsweredAt: start.Add(-1)},
			{Merchant: "m", ID: "1", StartedAt: time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)},
			{Merchant: "m", ID: "1", StartedAt: start, Rounds: []chatlog.Round{{OpenedAt: start.Add(-time.Second)}}},
			conversation("m", "1", start),
		},
		States:   []chatlog.AgentState{{Agent: "a", State: chatlog.Busy, Start: start, End: start.Add(-1)}},
		Contacts: []chatlog.Contacts{{Merchant: "m", Queue: "q", Start: start, Slot: time.Hour, Offered: math.NaN()}},
		Events: []chatlog.Event{
			{Merchant: "m", Conversation: "c", At: start, Kind: chatlog.BuyerMessage}, // without an id two would be one
			{Merchant: "m", Conversation: "c", ID: "1", At: start, Kind: "shout"},
			{Merchant: "m", Conversation: "c", ID: "1", At: start, Kind: chatlog.RatingGiven},
			{Merchant: "m", Conversation: "c", ID: "1", Kind: chatlog.BuyerMessage},
			message("1", start, chatlog.BuyerMessage, ""),
		},
		Orders:  []chatlog.OrderEvent{{Merchant: "m", Buyer: "b", At: start}, {Merchant: "m", At: start, Kind: chatlog.Paid}},
		Tickets: []chatlog.Ticket{{Merchant: "m", OpenedAt: start}, {Merchant: "m", ID: "1", OpenedAt: start, ClosedAt: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}},
		Figures: []chatlog.DailyFigure{
			{Merchant: "m", Platform: "jd", Item: "x", Date: "2026-02-30"},
			{Merchant: "m", Platform: "jd", Item: "x", Date: "2026-02-28", Value: math.Inf(1)},
		},
	}
	_, err := w.Ingest(t.Context(), bad)
	require.Equal(t, "warehouse.batch", fault.CodeOf(err))
	var places []string
	for _, f := range fault.Of(err).Fields {
		places = append(places, f.Path)
	}
	assert.Equal(t, []string{
		"conversations[0]", "conversations[1]", "conversations[2]", "conversations[3]", "states[0]", "contacts[0]",
		"events[0]", "events[1]", "events[2]", "events[3]", "orders[0]", "orders[1]", "tickets[0]", "tickets[1]", "figures[0]", "figures[1]",
	}, places)
	_, err = w.Ingest(t.Context(), Batch{})
	assert.Equal(t, "warehouse.batch", fault.CodeOf(err))
}

func TestConfigReportsEveryBadField(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	err := Config{TimeZone: "Mars/Olympus", Threads: -1}.Validate()
	assert.Len(t, fault.Of(err).Fields, 5)
}
