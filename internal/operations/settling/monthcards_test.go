package settling_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/settling"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

func (s *stack) monthCards(t *testing.T, who access.Principal, contract ids.Contract) map[ids.Agent]settling.MonthCard {
	t.Helper()
	all, err := s.Settling.MonthlyScorecards(t.Context(), who, settling.MonthCardInput{Month: may, Contract: contract})
	ok(t, err)
	require.Empty(t, all.Stale)
	out := map[ids.Agent]settling.MonthCard{}
	for _, c := range all.Cards {
		out[c.Agent] = c
	}
	return out
}

// The score of an agent is made of the figures that the query layer gives, term by term.
func TestMonthlyScores(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.Ingest(t, warehouse.Batch{Conversations: monthOfChats()})
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
	_, err := s.Settling.MonthlyScorecards(t.Context(), clientLumi, settling.MonthCardInput{Month: may})
	_ = refused(t, err, "access.forbidden")
	_, err = s.Settling.MonthlyScorecards(t.Context(), admin, settling.MonthCardInput{Month: may, Contract: "none"})
	_ = refused(t, err, "store.not_found")
}

// Abandonment by agent is only a figure when the log says whom the abandoned ones were offered to. Where it does not,
// everybody would have 0 of what was answered and full points.
func TestAbandonmentThatNobodyIsNamedForDoesNotScore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*chatlog.Conversation) // of an abandoned one
		left   bool
	}{
		"the log names nobody":    {func(c *chatlog.Conversation) { c.Agent = "" }, true},
		"the log names the agent": {func(*chatlog.Conversation) {}, false},
		"nothing was abandoned":   {func(c *chatlog.Conversation) { c.Abandoned, c.AnsweredAt = false, c.StartedAt.Add(time.Minute) }, false},
	} {
		s := newStack(t)
		const term = "metric: first_response, direction: at_most, target: 20}"
		text := strings.Replace(operationstest.MerchantsYAML, term, "metric: abandonment, direction: at_most, target: 0.05}", 1)
		require.NotEqual(t, operationstest.MerchantsYAML, text)
		s.ApplyContracts(t, text)
		list := monthOfChats()
		for i := range list {
			if list[i].Abandoned {
				c.change(&list[i])
			}
		}
		s.Ingest(t, warehouse.Batch{Conversations: list})
		all := s.monthCards(t, supervisor, "lumi-2026")
		require.Len(t, all, 2, name)
		for agent, card := range all {
			seen, sum := false, 0.0
			for _, p := range card.Parts {
				sum += p.Share
				if p.Metric != "abandonment" {
					continue
				}
				seen = true
				assert.Equal(t, c.left, p.Attained == nil, "%s: %s", name, agent)
				assert.Equal(t, c.left, strings.Contains(p.Left, "no data"), "%s: %s", name, p.Left)
				if c.left {
					assert.Zero(t, p.Points, name)
					assert.Nil(t, p.Value, name)
				}
			}
			assert.True(t, seen, name)
			assert.InDelta(t, 1, sum, 1e-9, "%s: the other terms take its weight", name)
		}
		own := s.monthCards(t, agentLumi, "lumi-2026")
		require.Len(t, own, 1, name)
		assert.Equal(t, all["1001"], own["1001"], "%s: who looks at one card sees the same", name)
	}
}

func TestAFrozenMonthDoesNotChange(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.Ingest(t, warehouse.Batch{Conversations: monthOfChats()})
	ctx := t.Context()
	_, err := s.Settling.DailyScorecards(ctx, admin, at("2026-05-21", "06:30:00"))
	ok(t, err)
	daily := s.cards(t, admin, operations.ScorecardFilter{})
	_, err = s.Settling.FreezeScorecards(ctx, planner, settling.FreezeInput{Month: calendar.Month{Year: 2026, Month: time.June}})
	_ = refused(t, err, "scorecard.month_open")
	empty := settling.FreezeInput{Month: calendar.Month{Year: 2020, Month: time.January}}
	_, err = s.Settling.FreezeScorecards(ctx, planner, empty)
	_ = refused(t, err, "scorecard.empty")
	empty.Empty = true
	_, err = s.Settling.FreezeScorecards(ctx, planner, empty)
	ok(t, err)
	_, err = s.Settling.MonthlyScorecards(ctx, agentLumi, settling.MonthCardInput{Month: may, Agent: "1002"})
	_ = refused(t, err, "access.forbidden")
	_, err = s.Settling.MonthlyScorecards(ctx, admin, settling.MonthCardInput{Month: may, Agent: "nosuch"})
	_ = refused(t, err, "store.not_found")
	before := s.monthCards(t, admin, "")
	done, err := s.Settling.FreezeScorecards(ctx, planner, settling.FreezeInput{Month: may})
	ok(t, err)
	assert.Equal(t, 4, done.Cards, "1001 and 1002 for lumi, 2001 and 1002 for orca")
	assert.EqualValues(t, planner.User, done.Author)
	_, err = s.Settling.FreezeScorecards(ctx, planner, settling.FreezeInput{Month: may})
	_ = refused(t, err, "store.conflict")

	// A chat of the frozen month comes late, and was answered badly.
	s.Ingest(t, warehouse.Batch{ID: "late", Conversations: []chatlog.Conversation{
		conversation("lumi-tmall/pre", "late", "1001", at("2026-05-20", "10:00:00"), 20*time.Minute),
	}})
	cards := s.monthCards(t, admin, "lumi-2026")
	frozen := cards["1001"]
	assert.True(t, frozen.Frozen)
	assert.InDelta(t, *before["1001"].Score, *frozen.Score, 0)
	require.NotNil(t, frozen.Now, "the difference stands beside")
	assert.Less(t, *frozen.Now.Score, *frozen.Score)
	assert.Nil(t, cards["1002"].Now, "nothing changed for the other")
	_, err = s.Settling.DailyScorecards(ctx, admin, at("2026-05-21", "06:30:00"))
	ok(t, err)
	assert.Equal(t, daily, s.cards(t, admin, operations.ScorecardFilter{}), "nor do the daily cards of the month change")

	amend := settling.AmendInput{Month: may, Contract: "lumi-2026", Agent: "1001"}
	_, err = s.Settling.AmendScorecard(ctx, planner, amend)
	assert.Equal(t, "reason", refused(t, err, "scorecard.input").Fields[0].Path)
	amend.Reason = "平台补发 5 月 20 日会话"
	amended, err := s.Settling.AmendScorecard(ctx, planner, amend)
	ok(t, err)
	assert.Equal(t, 1, amended.Revision)
	card := s.monthCards(t, agentLumi, "")["1001"]
	assert.InDelta(t, *frozen.Now.Score, *card.Score, 0)
	assert.Nil(t, card.Now)
	assert.Equal(t, amend.Reason, card.Reason)
	require.Len(t, card.Revisions, 1, "what was frozen can still be seen")
	assert.InDelta(t, *frozen.Score, *card.Revisions[0].Score, 0)
	_, err = s.Settling.AmendScorecard(ctx, planner, amend)
	_ = refused(t, err, "scorecard.same")

	s.SetEngine(false)
	stale, err := s.Settling.MonthlyScorecards(ctx, admin, settling.MonthCardInput{Month: may})
	ok(t, err)
	assert.Len(t, stale.Cards, 4, "frozen cards do not need the engine")
	assert.NotEmpty(t, stale.Stale)
}

// The job freezes a month on day 5 of the next, not before, and once.
func TestFreezeDue(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	run := func(day string) int64 {
		t.Helper()
		rows, err := s.Settling.FreezeDue(t.Context(), admin, at(day, "08:00:00"))
		ok(t, err)
		return rows
	}
	assert.Zero(t, run("2026-06-05"))
	none, _, err := s.Settling.Freezes(t.Context(), admin, operations.Page{})
	ok(t, err)
	assert.Empty(t, none, "a new installation does not close a month whose logs it has not seen")
	s.Ingest(t, warehouse.Batch{Conversations: monthOfChats()})
	assert.Zero(t, run("2026-06-04"))
	assert.EqualValues(t, 4, run("2026-06-05"))
	assert.Zero(t, run("2026-06-06"))
	s.Clock = at("2026-09-06", "08:00:00")
	run("2026-09-06")
	months, _, err := s.Settling.Freezes(t.Context(), admin, operations.Page{})
	ok(t, err)
	var names []string
	for _, m := range months {
		names = append(names, m.Month.String())
	}
	assert.Equal(t, []string{"2026-08", "2026-07", "2026-06", "2026-05"}, names, "missed months are made up for")
}
