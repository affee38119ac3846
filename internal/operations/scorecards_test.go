package operations_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

func (s *stack) cards(t *testing.T, who principal, f operations.ScorecardFilter) []store.Scorecard {
	t.Helper()
	list, _, err := s.Measuring.Scorecards(t.Context(), who, f, operations.Page{})
	ok(t, err)
	return list
}

func TestDailyScorecards(t *testing.T) {
	s := newStack(t)
	all := monthOfChats()
	// 1001 is ready for 3 h and busy for 1 h on the 20th: an occupancy of a quarter. 3001 is only
	// there, without a chat.
	s.ingest(t, warehouse.Batch{Conversations: all, States: []chatlog.AgentState{
		{Agent: "1001", State: chatlog.Ready, Start: at("2026-05-20", "09:00:00"), End: at("2026-05-20", "12:00:00")},
		{Agent: "1001", State: chatlog.Busy, Start: at("2026-05-20", "12:00:00"), End: at("2026-05-20", "13:00:00")},
		{Agent: "3001", State: chatlog.Ready, Start: at("2026-05-20", "09:00:00"), End: at("2026-05-20", "10:00:00")},
	}})
	run := func() int64 {
		t.Helper()
		rows, err := s.Measuring.DailyScorecards(t.Context(), admin, at("2026-05-21", "02:00:00"))
		ok(t, err)
		return rows
	}
	assert.Equal(t, int64(4), run())
	cards := s.cards(t, planner, operations.ScorecardFilter{})
	require.Len(t, cards, 4)
	for _, c := range cards {
		assert.Equal(t, date("2026-05-20"), c.Date)
		own := of(all, onDates("2026-05-20", "2026-05-21"), func(x chatlog.Conversation) bool { return x.Agent == c.Agent })
		sessions, occupancy := splitOccupancy(c.Readings)
		if c.Agent == "3001" {
			assert.Empty(t, sessions)
		} else {
			sameFigures(t, tally(own, 30*time.Second), sessions, string(c.Agent))
		}
		switch c.Agent {
		case "1001":
			require.NotNil(t, occupancy)
			assert.InDelta(t, 3600, occupancy.Numerator, 0)
			assert.InDelta(t, 4*3600, occupancy.Denominator, 0)
		case "3001":
			require.NotNil(t, occupancy)
			assert.InDelta(t, 0, *occupancy.Value, 0)
		default:
			assert.Nil(t, occupancy)
		}
		for _, r := range c.Readings {
			assert.Equal(t, "neutral-1", r.Version)
		}
	}

	before, err := s.Administration.VerifyAudit(t.Context(), admin)
	ok(t, err)
	s.now = s.now.Add(time.Hour)
	assert.Equal(t, int64(4), run())
	after, err := s.Administration.VerifyAudit(t.Context(), admin)
	ok(t, err)
	assert.Equal(t, before, after, "computed again, the same")
	assert.Equal(t, cards, s.cards(t, planner, operations.ScorecardFilter{}))

	// A chat that came late is on the card of its day when the day is computed again, also when no
	// check of the roll-ups ran in between.
	ok(t, s.Measuring.Ingest(t.Context(), admin, warehouse.Batch{ID: "late", Conversations: []chatlog.Conversation{
		conversation("lumi-tmall/pre", "late", "1002", at("2026-05-20", "23:59:59"), time.Second),
		conversation("lumi-tmall/pre", "next", "1003", at("2026-05-21", "00:00:00"), time.Second),
	}}))
	assert.Equal(t, int64(4), run(), "the next day's agent has no card")
	fresh := s.cards(t, planner, operations.ScorecardFilter{Agent: "1002"})
	require.Len(t, fresh, 1)
	assert.InDelta(t, numeratorOf(cards, "1002", "offered")+1, numeratorOf(fresh, "1002", "offered"), 0)

	assert.Len(t, s.cards(t, agentLumi, operations.ScorecardFilter{}), 1)
	assert.Empty(t, s.cards(t, agentLumi, operations.ScorecardFilter{Agent: "1002"}))
	assert.Empty(t, s.cards(t, planner, operations.ScorecardFilter{Dates: calendar.Dates{From: date("2026-05-21")}}))
	_, _, err = s.Measuring.Scorecards(t.Context(), clientLumi, operations.ScorecardFilter{}, operations.Page{})
	_ = refused(t, err, "access.forbidden")
}

func splitOccupancy(readings []kpi.Reading) (sessions []kpi.Reading, occupancy *kpi.Reading) {
	for _, r := range readings {
		if r.Metric == "occupancy" {
			occupancy = &r
		} else {
			sessions = append(sessions, r)
		}
	}
	return sessions, occupancy
}

func numeratorOf(cards []store.Scorecard, agent ids.Agent, metric kpi.Metric) float64 {
	for _, c := range cards {
		for _, r := range c.Readings {
			if c.Agent == agent && r.Metric == metric {
				return r.Numerator
			}
		}
	}
	return -1
}

func TestScorecardsOfADayWithoutWork(t *testing.T) {
	s := newStack(t)
	rows, err := s.Measuring.DailyScorecards(t.Context(), admin, s.now)
	ok(t, err)
	assert.Zero(t, rows)
	s.engine.Store(false)
	_, err = s.Measuring.DailyScorecards(t.Context(), admin, s.now)
	_ = refused(t, err, "warehouse.down")
}

// A metric that begins later does not keep the others from the card.
func TestScorecardsBeforeAMetricBegins(t *testing.T) {
	definitions := packDefinitions(t)
	for i := range definitions {
		if definitions[i].Metric == "resolution" {
			definitions[i].Effective.From = date("2026-06-01")
		}
	}
	late := stackOn(t, enginetest.Start(t), definitions)
	late.ingest(t, warehouse.Batch{Conversations: monthOfChats()})
	rows, err := late.Measuring.DailyScorecards(t.Context(), admin, at("2026-05-21", "02:00:00"))
	ok(t, err)
	assert.Equal(t, int64(3), rows)
	assert.InDelta(t, -1, numeratorOf(late.cards(t, admin, operations.ScorecardFilter{}), "1001", "resolution"), 0)
}
