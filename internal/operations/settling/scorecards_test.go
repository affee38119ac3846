package settling_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

func TestScorecardsCatchUp(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.Ingest(t, warehouse.Batch{Conversations: monthOfChats()})
	run := func(due string) int64 {
		t.Helper()
		rows, err := s.Settling.DailyScorecards(t.Context(), admin, at(due, "06:30:00"))
		ok(t, err)
		return rows
	}
	assert.Equal(t, int64(3), run("2026-05-02"), "the first run has nothing to catch up with")
	assert.Equal(t, int64(3*3), run("2026-05-05"), "nothing ran for two days: the 2nd, the 3rd and the 4th")
	assert.Equal(t, int64(3), run("2026-05-05"))
	assert.Equal(t, int64(3), run("2026-05-02"), "an old day again is that day only")

	// The newest card is of 4 May. 35 days up to 9 June begin on 6 May.
	assert.Equal(t, int64(3*26), run("2026-06-10"))
	have := map[calendar.Date]int{}
	list, err := store.All(func(p store.Page) ([]store.Scorecard, string, error) {
		return s.Settling.Scorecards(t.Context(), admin, operations.ScorecardFilter{}, p)
	})
	ok(t, err)
	for _, c := range list {
		have[c.Date]++
	}
	for day := may.First(); day.MonthOf() == may; day = day.Add(1) {
		want := 3
		if day == date("2026-05-05") {
			want = 0
		}
		assert.Equal(t, want, have[day], day.String())
	}
}

func (s *stack) cards(t *testing.T, who access.Principal, f operations.ScorecardFilter) []store.Scorecard {
	t.Helper()
	list, _, err := s.Settling.Scorecards(t.Context(), who, f, operations.Page{})
	ok(t, err)
	return list
}

func TestDailyScorecards(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	all := monthOfChats()
	// 1001 is ready for 3 h and busy for 1 h on the 20th: an occupancy of a quarter. 3001 is only
	// there, without a chat.
	s.Ingest(t, warehouse.Batch{Conversations: all, States: []chatlog.AgentState{
		{Agent: "1001", State: chatlog.Ready, Start: at("2026-05-20", "09:00:00"), End: at("2026-05-20", "12:00:00")},
		{Agent: "1001", State: chatlog.Busy, Start: at("2026-05-20", "12:00:00"), End: at("2026-05-20", "13:00:00")},
		{Agent: "3001", State: chatlog.Ready, Start: at("2026-05-20", "09:00:00"), End: at("2026-05-20", "10:00:00")},
	}})
	run := func() int64 {
		t.Helper()
		rows, err := s.Settling.DailyScorecards(t.Context(), admin, at("2026-05-21", "02:00:00"))
		ok(t, err)
		return rows
	}
	assert.Equal(t, int64(4), run())
	cards := s.cards(t, planner, operations.ScorecardFilter{})
	require.Len(t, cards, 4)
	for _, c := range cards {
		assert.Equal(t, date("2026-05-20"), c.Date)
		own := operationstest.Of(all, onDates("2026-05-20", "2026-05-21"), func(x chatlog.Conversation) bool { return x.Agent == c.Agent })
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
	s.Clock = s.Clock.Add(time.Hour)
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
	_, _, err = s.Settling.Scorecards(t.Context(), agentLumi, operations.ScorecardFilter{Agent: "1002"}, operations.Page{})
	_ = refused(t, err, "access.forbidden")
	assert.Empty(t, s.cards(t, planner, operations.ScorecardFilter{Dates: calendar.Dates{From: date("2026-05-21")}}))
	_, _, err = s.Settling.Scorecards(t.Context(), clientLumi, operations.ScorecardFilter{}, operations.Page{})
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
	t.Parallel()
	s := newStack(t)
	rows, err := s.Settling.DailyScorecards(t.Context(), admin, s.Clock)
	ok(t, err)
	assert.Zero(t, rows)
	s.SetEngine(false)
	_, err = s.Settling.DailyScorecards(t.Context(), admin, s.Clock)
	_ = refused(t, err, "warehouse.down")
}

// A metric that begins later does not keep the others from the card.
func TestScorecardsBeforeAMetricBegins(t *testing.T) {
	t.Parallel()
	definitions := operationstest.Definitions(t)
	for i := range definitions {
		if definitions[i].Metric == "resolution" {
			definitions[i].Effective.From = date("2026-06-01")
		}
	}
	late := stackOn(t, enginetest.Start(t), definitions)
	late.Ingest(t, warehouse.Batch{Conversations: monthOfChats()})
	rows, err := late.Settling.DailyScorecards(t.Context(), admin, at("2026-05-21", "02:00:00"))
	ok(t, err)
	assert.Equal(t, int64(3), rows)
	assert.InDelta(t, -1, numeratorOf(late.cards(t, admin, operations.ScorecardFilter{}), "1001", "resolution"), 0)
}
