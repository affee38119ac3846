package operations_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/reconcile"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// withPlatforms are the neutral definitions and those of Tmall, as they ship.
func withPlatforms(t *testing.T) kpi.Definitions {
	t.Helper()
	all := packDefinitions(t)
	text, err := os.ReadFile(filepath.Join("..", "..", "configs", "metrics", "tmall.yaml"))
	require.NoError(t, err)
	var pack struct {
		Metrics kpi.Definitions `yaml:"metrics"`
	}
	require.NoError(t, yaml.Unmarshal(text, &pack))
	return append(all, pack.Metrics...)
}

func (s *stack) monthCards(t *testing.T, who principal, contract ids.Contract) map[ids.Agent]operations.MonthCard {
	t.Helper()
	all, err := s.Measuring.MonthlyScorecards(t.Context(), who, operations.MonthCardInput{Month: may, Contract: contract})
	ok(t, err)
	require.Empty(t, all.Stale)
	out := map[ids.Agent]operations.MonthCard{}
	for _, c := range all.Cards {
		out[c.Agent] = c
	}
	return out
}

// The score of an agent is made of the figures that the query layer gives, term by term.
func TestMonthlyScores(t *testing.T) {
	s := newStack(t)
	s.applyContracts(t, merchantsYAML)
	s.ingest(t, warehouse.Batch{Conversations: monthOfChats()})
	cards := s.monthCards(t, supervisor, "lumi-2026")
	require.Len(t, cards, 2)
	figure := func(agent ids.Agent, metric kpi.Metric, within time.Duration, queues []ids.Queue, window string) float64 {
		r, err := s.Measuring.Figures(t.Context(), admin, kpi.Query{
			Metrics: []kpi.Metric{metric}, Within: within, Grain: kpi.Whole, Range: may.Range(shanghai), By: []kpi.Dimension{kpi.ByAgent},
			Merchants: []ids.Merchant{"lumi"}, Agents: []ids.Agent{agent}, Queues: queues, Window: window,
		})
		ok(t, err)
		require.Len(t, r, 1)
		return *r[0].Value
	}
	for agent, c := range cards {
		assert.False(t, c.Frozen)
		first := figure(agent, "answered_within", 30*time.Second, nil, "")
		mean := figure(agent, "first_response", 0, nil, "")
		pre := figure(agent, "answered_within", time.Minute, []ids.Queue{"lumi-tmall/pre"}, "09:00-12:00")
		want := 100.0 / 3 * (math.Min(1, first/0.6) + math.Min(1, 20/mean) + math.Min(1, pre/0.99))
		require.NotNil(t, c.Score)
		assert.InDelta(t, want, *c.Score, 1e-9, string(agent))
		sum := 0.0
		for _, p := range c.Parts {
			sum += p.Points
		}
		assert.InDelta(t, *c.Score, sum, 1e-9, "the parts sum to the score")
	}
	own := s.monthCards(t, agentLumi, "")
	require.Len(t, own, 1, "an agent gets its own")
	assert.Contains(t, own, ids.Agent("1001"))
	_, err := s.Measuring.MonthlyScorecards(t.Context(), clientLumi, operations.MonthCardInput{Month: may})
	_ = refused(t, err, "access.forbidden")
	_, err = s.Measuring.MonthlyScorecards(t.Context(), admin, operations.MonthCardInput{Month: may, Contract: "none"})
	_ = refused(t, err, "store.not_found")
}

func TestAFrozenMonthDoesNotChange(t *testing.T) {
	s := newStack(t)
	s.applyContracts(t, merchantsYAML)
	s.ingest(t, warehouse.Batch{Conversations: monthOfChats()})
	ctx := t.Context()
	_, err := s.Measuring.DailyScorecards(ctx, admin, at("2026-05-21", "06:30:00"))
	ok(t, err)
	daily := s.cards(t, admin, operations.ScorecardFilter{})
	_, err = s.Measuring.FreezeScorecards(ctx, planner, calendar.Month{Year: 2026, Month: time.June})
	_ = refused(t, err, "scorecard.month_open")
	before := s.monthCards(t, admin, "")
	done, err := s.Measuring.FreezeScorecards(ctx, planner, may)
	ok(t, err)
	assert.Equal(t, 4, done.Cards, "1001 and 1002 for lumi, 2001 and 1002 for orca")
	assert.EqualValues(t, planner.User, done.Author)
	_, err = s.Measuring.FreezeScorecards(ctx, planner, may)
	_ = refused(t, err, "store.conflict")

	// A chat of the frozen month comes late, and was answered badly.
	s.ingest(t, warehouse.Batch{ID: "late", Conversations: []chatlog.Conversation{
		conversation("lumi-tmall/pre", "late", "1001", at("2026-05-20", "10:00:00"), 20*time.Minute),
	}})
	cards := s.monthCards(t, admin, "lumi-2026")
	frozen := cards["1001"]
	assert.True(t, frozen.Frozen)
	assert.InDelta(t, *before["1001"].Score, *frozen.Score, 0)
	require.NotNil(t, frozen.Now, "the difference stands beside")
	assert.Less(t, *frozen.Now.Score, *frozen.Score)
	assert.Nil(t, cards["1002"].Now, "nothing changed for the other")
	_, err = s.Measuring.DailyScorecards(ctx, admin, at("2026-05-21", "06:30:00"))
	ok(t, err)
	assert.Equal(t, daily, s.cards(t, admin, operations.ScorecardFilter{}), "nor do the daily cards of the month change")

	amend := operations.AmendInput{Month: may, Contract: "lumi-2026", Agent: "1001"}
	_, err = s.Measuring.AmendScorecard(ctx, planner, amend)
	assert.Equal(t, "reason", refused(t, err, "scorecard.input").Fields[0].Path)
	amend.Reason = "平台补发 5 月 20 日会话"
	amended, err := s.Measuring.AmendScorecard(ctx, planner, amend)
	ok(t, err)
	assert.Equal(t, 1, amended.Revision)
	card := s.monthCards(t, agentLumi, "")["1001"]
	assert.InDelta(t, *frozen.Now.Score, *card.Score, 0)
	assert.Nil(t, card.Now)
	assert.Equal(t, amend.Reason, card.Reason)
	require.Len(t, card.Revisions, 1, "what was frozen can still be seen")
	assert.InDelta(t, *frozen.Score, *card.Revisions[0].Score, 0)
	_, err = s.Measuring.AmendScorecard(ctx, planner, amend)
	_ = refused(t, err, "scorecard.same")

	s.engine.Store(false)
	stale, err := s.Measuring.MonthlyScorecards(ctx, admin, operations.MonthCardInput{Month: may})
	ok(t, err)
	assert.Len(t, stale.Cards, 4, "frozen cards do not need the engine")
	assert.NotEmpty(t, stale.Stale)
}

// The job freezes a month on day 5 of the next, not before, and once.
func TestFreezeDue(t *testing.T) {
	s := newStack(t)
	s.applyContracts(t, merchantsYAML)
	run := func(day string) int64 {
		t.Helper()
		rows, err := s.Measuring.FreezeDue(t.Context(), admin, at(day, "08:00:00"))
		ok(t, err)
		return rows
	}
	assert.Zero(t, run("2026-06-05"))
	none, _, err := s.Measuring.Freezes(t.Context(), admin, operations.Page{})
	ok(t, err)
	assert.Empty(t, none, "a new installation does not close a month whose logs it has not seen")
	s.ingest(t, warehouse.Batch{Conversations: monthOfChats()})
	assert.Zero(t, run("2026-06-04"))
	assert.EqualValues(t, 4, run("2026-06-05"))
	assert.Zero(t, run("2026-06-06"))
	s.now = at("2026-09-06", "08:00:00")
	run("2026-09-06")
	months, _, err := s.Measuring.Freezes(t.Context(), admin, operations.Page{})
	ok(t, err)
	var names []string
	for _, m := range months {
		names = append(names, m.Month.String())
	}
	assert.Equal(t, []string{"2026-08", "2026-07", "2026-06", "2026-05"}, names, "missed months are made up for")
}

func order(kind chatlog.OrderKind, buyer, id, day, clock string) chatlog.OrderEvent {
	return chatlog.OrderEvent{
		Merchant: "lumi", Shop: "lumi-tmall", Queue: "lumi-tmall/pre", Agent: "1001", Buyer: buyer, Order: id, Kind: kind, At: at(day, clock), Amount: 10000,
	}
}

// Buyer b1 asks on 1 June and pays on 3 June: on 2 June 0 of 1, on 4 June 1 of 1, final on 5 June
// (closing days 1+3 are over). A second inquiry of 1 June that comes on 8 June makes it 1 of 2, which
// is an amendment.
func TestConversionGoesFromProvisionalToFinal(t *testing.T) {
	s := stackOn(t, enginetest.Start(t), withPlatforms(t))
	s.applyContracts(t, merchantsYAML)
	run := func(day string) {
		t.Helper()
		s.now = at(day, "06:45:00")
		_, err := s.Measuring.CloseConversions(t.Context(), admin, s.now)
		ok(t, err)
	}
	states := func(metric kpi.Metric) (out []string) {
		t.Helper()
		all, _, err := s.Measuring.Conversions(t.Context(), clientLumi, operations.ConversionFilter{
			Metric: metric, Dates: calendar.Dates{From: date("2026-06-01"), Until: date("2026-06-02")},
		}, operations.Page{})
		ok(t, err)
		for _, c := range all {
			out = append(out, string(c.State)+" "+c.AsOf.String()[8:]+" "+rate(c))
		}
		return out
	}
	_, _, err := s.Measuring.Conversions(t.Context(), clientLumi, operations.ConversionFilter{Metric: "misspelt"}, operations.Page{})
	assert.Equal(t, "kpi.metric.unknown", fault.CodeOf(err), "an empty list would read as: nothing happened")
	s.ingest(t, warehouse.Batch{ID: "o1", Orders: []chatlog.OrderEvent{order(chatlog.Inquiry, "b1", "c1", "2026-06-01", "10:00:00")}})
	run("2026-06-02")
	assert.Equal(t, []string{"provisional 02 0/1"}, states("tmall.inquiry_conversion_final"))
	assert.Equal(t, []string{"final 02 0/1"}, states("tmall.inquiry_conversion_same_day"), "the same day is over")
	s.ingest(t, warehouse.Batch{ID: "o2", Orders: []chatlog.OrderEvent{order(chatlog.Paid, "b1", "p1", "2026-06-03", "10:00:00")}})
	run("2026-06-04")
	run("2026-06-04") // again: nothing new
	run("2026-06-05")
	run("2026-06-06")
	assert.Equal(t, []string{"final 05 1/1", "provisional 04 1/1", "provisional 02 0/1"}, states("tmall.inquiry_conversion_final"))
	s.ingest(t, warehouse.Batch{ID: "o3", Orders: []chatlog.OrderEvent{order(chatlog.Inquiry, "b2", "c2", "2026-06-01", "11:00:00")}})
	run("2026-06-09")
	assert.Equal(t, "amended 09 1/2", states("tmall.inquiry_conversion_final")[0])
	assert.Len(t, states("tmall.inquiry_conversion_final"), 4, "nothing is replaced")
	others, _, err := s.Measuring.Conversions(t.Context(), clientOrca, operations.ConversionFilter{}, operations.Page{})
	ok(t, err)
	assert.Empty(t, others)
}

func rate(c store.Conversion) string {
	return string(rune('0'+int(c.Numerator))) + "/" + string(rune('0'+int(c.Denominator)))
}

// What Tmall's file would say about our own chats: answered rounds over rounds, with two decimals.
func TestReconciliation(t *testing.T) {
	s := stackOn(t, enginetest.Start(t), withPlatforms(t))
	s.applyContracts(t, merchantsYAML)
	all := monthOfChats()
	s.ingest(t, warehouse.Batch{Conversations: all})
	truth := func(day string) float64 {
		rounds, hits := 0, 0
		for _, c := range all {
			if c.Shop == "lumi-tmall" && calendar.DateOf(c.StartedAt, shanghai).String() == day {
				rounds++
				if !c.AnsweredAt.IsZero() { // nobody waits longer than 50 s
					hits++
				}
			}
		}
		require.Positive(t, rounds)
		return math.Round(float64(hits)/float64(rounds)*1e4) / 1e4
	}
	figure := func(day string, value float64) chatlog.DailyFigure {
		return chatlog.DailyFigure{
			Platform: "tmall", Merchant: "lumi", Shop: "lumi-tmall", Date: day, Item: "human_3min_rate", Header: "3分钟人工响应率", Unit: "share", Base: "round",
			Value: value, Closed: true,
		}
	}
	wrong := truth("2026-05-21") - 0.05
	s.ingest(t, warehouse.Batch{ID: "f1", Figures: []chatlog.DailyFigure{figure("2026-05-20", truth("2026-05-20")), figure("2026-05-21", wrong)}})
	in := operations.ReconcileInput{Shops: []ids.Shop{"lumi-tmall"}, Dates: calendar.Dates{From: date("2026-05-20"), Until: date("2026-05-23")}}
	r, err := s.Measuring.Reconcile(t.Context(), clientLumi, in)
	ok(t, err)
	verdicts := map[string]reconcile.Verdict{}
	for _, l := range r.Lines {
		if l.Item == "human_3min_rate" {
			verdicts[l.Date.String()] = l.Verdict
			assert.Equal(t, "v2023", l.Version)
		}
	}
	assert.Equal(t, map[string]reconcile.Verdict{"2026-05-20": reconcile.Equal, "2026-05-21": reconcile.Different, "2026-05-22": reconcile.OnlyOurs}, verdicts)

	book, err := s.Measuring.ReconciliationWorkbook(r)
	ok(t, err)
	var again bytes.Buffer
	ok(t, workbook.Reconciliation(&again, r))
	assert.Equal(t, book, again.Bytes(), "the same model, the same bytes")

	rows, err := s.Measuring.ReconcileAll(t.Context(), admin, at("2026-06-01", "07:30:00"))
	ok(t, err)
	assert.EqualValues(t, 2, rows)
	alerts := func() operations.Alert {
		t.Helper()
		list, _, err := s.Alerts(t.Context(), supervisor, "", operations.Page{})
		ok(t, err)
		require.Len(t, list, 1)
		return list[0]
	}
	assert.Equal(t, store.Firing, alerts().State)
	assert.Contains(t, alerts().Text, "human_3min_rate of lumi-tmall on 2026-05-21")
	kept, _, err := s.Measuring.Reconciliations(t.Context(), clientLumi, operations.ReconciliationFilter{}, operations.Page{})
	ok(t, err)
	require.Len(t, kept, 2)
	assert.Equal(t, []int{1, 0}, []int{kept[0].Beyond, kept[1].Beyond})

	s.ingest(t, warehouse.Batch{ID: "f2", Figures: []chatlog.DailyFigure{figure("2026-05-21", truth("2026-05-21"))}})
	_, err = s.Measuring.ReconcileAll(t.Context(), admin, at("2026-06-02", "07:30:00"))
	ok(t, err)
	assert.Equal(t, store.Resolved, alerts().State)

	_, err = s.Measuring.Reconcile(t.Context(), clientOrca, in)
	_ = refused(t, err, "store.not_found")
	in.Dates.Until = date("2026-09-01")
	_, err = s.Measuring.Reconcile(t.Context(), admin, in)
	_ = refused(t, err, "reconcile.input")
}

func TestRetentionAndHolds(t *testing.T) {
	s := newStack(t)
	s.applyContracts(t, merchantsYAML)
	s.ingest(t, warehouse.Batch{Conversations: monthOfChats()})
	ctx := t.Context()
	_, err := s.Measuring.DailyScorecards(ctx, admin, at("2026-05-21", "06:30:00"))
	ok(t, err)
	s.now = at("2029-06-02", "03:15:00") // three years and a day after the last chat
	preview, err := s.Measuring.PreviewRetention(ctx, admin)
	ok(t, err)
	assert.Equal(t, "2026-06-02", preview.Cutoff.String())
	assert.EqualValues(t, len(monthOfChats()), preview.Measured.Conversations)
	assert.EqualValues(t, 3, preview.Copies.Scorecards)

	_ = refused(t, s.Measuring.HoldRetention(ctx, admin, operations.HoldInput{Merchant: "lumi"}), "retention.hold")
	_ = refused(t, s.Measuring.HoldRetention(ctx, admin, operations.HoldInput{Merchant: "none", Reason: "x"}), "store.not_found")
	ok(t, s.Measuring.HoldRetention(ctx, admin, operations.HoldInput{Merchant: "lumi", Reason: "结算争议"}))
	holds, err := s.Measuring.Holds(ctx, admin)
	ok(t, err)
	require.Len(t, holds, 1)
	assert.Equal(t, admin.Name, holds[0].Author)
	gone, err := s.Measuring.Retain(ctx, admin, s.now)
	ok(t, err)
	orca := len(of(monthOfChats(), func(c chatlog.Conversation) bool { return c.Merchant == "orca" }))
	assert.EqualValues(t, orca, gone, "orca's chats, and no daily card while anybody is held")

	ok(t, s.Measuring.ReleaseRetention(ctx, admin, operations.HoldInput{Merchant: "lumi", Reason: "和解"}))
	_ = refused(t, s.Measuring.ReleaseRetention(ctx, admin, operations.HoldInput{Merchant: "lumi", Reason: "x"}), "warehouse.hold.unknown")
	gone, err = s.Measuring.Retain(ctx, admin, s.now)
	ok(t, err)
	assert.EqualValues(t, len(monthOfChats())-orca+3, gone)
	log, err := s.Measuring.Deletions(ctx, admin)
	ok(t, err)
	assert.NotEmpty(t, log)
	rows, _, err := s.Administration.Audit(ctx, admin, operations.AuditFilter{Kind: "retention"}, operations.Page{})
	ok(t, err)
	assert.Len(t, rows, 2)
}

// Days that are as their raw events say raise nothing.
func TestVerifyRollups(t *testing.T) {
	s := newStack(t)
	s.ingest(t, warehouse.Batch{Conversations: monthOfChats()})
	rows, err := s.Measuring.VerifyRollups(t.Context(), admin, s.now)
	ok(t, err)
	assert.GreaterOrEqual(t, rows, int64(25), "of the 62 merchant-days")
	list, _, err := s.Alerts(t.Context(), admin, "", operations.Page{})
	ok(t, err)
	assert.Empty(t, list)
}
