package planning_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// importHistory imports contact counts of the pre-sale queue.
func (s *stack) importHistory(t *testing.T, from, until calendar.Date, row func(time.Time) (offered float64, handle int)) {
	t.Helper()
	var text strings.Builder
	text.WriteString("merchant,queue,start,slot,offered,handle_time\n")
	for slot := range (calendar.Range{Start: from.In(shanghai), End: until.In(shanghai)}).Slots(calendar.Slot) {
		if n, handle := row(slot.Start); n > 0 || handle != 0 {
			fmt.Fprintf(&text, "lumi,lumi-tmall/pre,%s,15m,%g,%d\n", slot.Start.In(shanghai).Format("2006-01-02 15:04"), n, max(handle, 0))
		}
	}
	_, err := s.Measuring.Import(t.Context(), planner, measuring.ImportInput{
		Source: operationstest.FileOf("history.csv", text.String()), Mapping: operations.DefaultMapping(operations.ImportHistory),
	})
	ok(t, err)
}

// A contact takes 120 s until 14:00 and 360 s after it: so do forecast and plan, which has more heads
// for the same contacts after it. One mean over the day would be 214 s for all.
func TestEachSlotHasItsHandlingTime(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 12, "lumi-tmall/pre")
	long := func(at time.Time) bool { return at.In(shanghai).Hour() >= 14 }
	near := func(at time.Time) bool { h := at.In(shanghai).Hour(); return h == 13 || h == 14 } // slots teach their neighbours of an hour
	s.importHistory(t, today.Add(-28), today, func(at time.Time) (float64, int) {
		switch {
		case demandAt(at) == 0:
			return 0, 0
		case long(at):
			return 20, 360
		}
		return 20, 120
	})
	in := planning.ForecastInput{Queues: []ids.Queue{pre}, Origin: today.In(shanghai), Horizon: 48 * time.Hour}
	made, err := s.Planning.MakeForecasts(t.Context(), planner, in)
	ok(t, err)
	for _, p := range made[0].Curve.Points {
		want := 120.0
		if long(p.Start) {
			want = 360
		}
		if !near(p.Start) {
			assert.InEpsilon(t, want, p.HandleTime.Seconds(), 0.1, "%s", p.Start.In(shanghai))
		}
	}
	said := planning.WorkOf(made[0])
	require.NotNil(t, said.HandleTime)
	assert.InEpsilon(t, (5*120.0+4*360)/9, said.HandleTime.Mean, 0.05)
	assert.Equal(t, "contact history", said.HandleTime.Source)
	assert.InDelta(t, 28*9*4*20, said.HandleTime.Model.Contacts, 0)
	assert.Nil(t, said.Rounds)
	assert.Nil(t, said.Bot)

	plans, err := s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today, Days: 1})
	ok(t, err)
	var figures pricing.PlanFigures
	require.NoError(t, json.Unmarshal(plans[0].Figures, &figures))
	heads := map[bool]int{}
	for i, r := range figures.Reached {
		if near(r.Start) {
			continue
		}
		assert.InEpsilon(t, map[bool]float64{false: 120, true: 360}[long(r.Start)], r.HandleTime.Seconds(), 0.1)
		heads[long(r.Start)] = max(heads[long(r.Start)], plans[0].Requirement.Needs[i].Heads)
	}
	assert.Greater(t, heads[true], heads[false])

	hash := made[0].InputHash
	s.importHistory(t, today.Add(-1), today, func(at time.Time) (float64, int) { // the same contacts, another handling time
		if demandAt(at) == 0 {
			return 0, 0
		}
		return 20, 240
	})
	again, err := s.Planning.MakeForecasts(t.Context(), planner, in)
	ok(t, err)
	assert.NotEqual(t, hash, again[0].InputHash, "handling times are part of the input")
}

// chats are conversations of the pre-sale queue, n in each open quarter hour of some days: of ten, bots are
// ended by the bot alone and the others have a handling time of 200 s and three rounds.
func chats(from, until calendar.Date, n, bots int) (out []chatlog.Conversation) {
	number := 0
	for slot := range (calendar.Range{Start: from.In(shanghai), End: until.In(shanghai)}).Slots(calendar.Slot) {
		if demandAt(slot.Start) == 0 {
			continue
		}
		for range n {
			number++
			c := chatlog.Conversation{
				Merchant: "lumi", Shop: "lumi-tmall", Queue: pre, ID: fmt.Sprintf("%s-%d", from, number), Channel: "chat",
				StartedAt: slot.Start.Add(time.Minute).UTC(), EndedAt: slot.Start.Add(10 * time.Minute).UTC(),
			}
			if number%10 < bots {
				c.BotAnsweredAt = c.StartedAt.Add(time.Second)
			} else {
				c.AnsweredAt, c.Agent, c.HandleTime = c.StartedAt.Add(5*time.Second), "1001", 200*time.Second
				for k := range 3 {
					opened := c.StartedAt.Add(time.Duration(k) * time.Minute)
					c.Rounds = append(c.Rounds, chatlog.Round{OpenedAt: opened, AnsweredAt: opened.Add(5 * time.Second), Agent: "1001"})
				}
			}
			out = append(out, c)
		}
	}
	return out
}

// botStack has three weeks of history, ten an open quarter hour, of which the bot ends three alone.
// The history counts either all of them or those that people get, and has no handling time.
func botStack(t *testing.T, counted float64) *stack {
	t.Helper()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 4, "lumi-tmall/pre")
	s.importHistory(t, today.Add(-21), today, func(at time.Time) (float64, int) {
		if demandAt(at) == 0 {
			return 0, 0
		}
		return counted, -1
	})
	s.Ingest(t, warehouse.Batch{Conversations: chats(today.Add(-14), today, 10, 3)})
	return s
}

func (s *stack) botForecast(t *testing.T, in planning.ForecastInput) (store.Forecast, forecast.Result, planning.ContactWork) {
	t.Helper()
	in.Queues, in.Origin, in.Horizon = []ids.Queue{pre}, today.In(shanghai), 4*24*time.Hour
	s.Clock = s.Clock.Add(time.Minute)
	made, err := s.Planning.MakeForecasts(t.Context(), planner, in)
	ok(t, err)
	var result forecast.Result
	require.NoError(t, json.Unmarshal(made[0].Figures, &result))
	return made[0], result, planning.WorkOf(made[0])
}

// What a bot ends alone is not staffed, whether the history counts it or not.
func TestForecastsAreNetOfTheBot(t *testing.T) {
	t.Parallel()
	for counts, offered := range map[forecast.Counted]float64{forecast.CountsArrivals: 10, forecast.CountsPeople: 7} {
		s := botStack(t, offered)
		made, result, said := s.botForecast(t, planning.ForecastInput{})
		require.NotNil(t, said.Bot)
		assert.Equal(t, counts, said.Bot.HistoryCounts)
		assert.InDelta(t, 0.3, said.Bot.Share, 0.02, counts)
		assert.InEpsilon(t, 4*36*10, said.Bot.Arrivals, 0.05, counts)
		total := 0.0
		for _, p := range made.Curve.Points {
			total += p.Mean
		}
		assert.InEpsilon(t, 4*36*7, total, 0.05, counts)
		assert.InEpsilon(t, said.Bot.Human, total, 1e-9)
		for _, d := range result.Days {
			assert.InEpsilon(t, 36*7, d.Mean, 0.06, counts)
		}
		doubts := strings.Join(result.Doubts, "\n")
		assert.Equal(t, counts == forecast.CountsArrivals, strings.Contains(doubts, "counts conversations that the bot ends alone; 30 %"), doubts)

		// No handling time in the history: the measured one. Rounds go into the plan.
		assert.Equal(t, "measured conversations", said.HandleTime.Source)
		assert.InEpsilon(t, 200, said.HandleTime.Mean, 0.02, counts)
		assert.InEpsilon(t, 3, said.Rounds.Mean, 0.02, counts)
		plans, err := s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today, Days: 1})
		ok(t, err)
		var target staffing.Target
		require.NoError(t, json.Unmarshal(plans[0].Target, &target))
		assert.InDelta(t, 3, target.Rounds, 0.05)

		// From the third day on the bot takes ten points more: six of ten reach people.
		change := forecast.DeflectionChange{From: today.Add(2).In(shanghai), Points: 0.1, Reason: "新机器人"}
		changed, _, said := s.botForecast(t, planning.ForecastInput{BotChanges: []forecast.DeflectionChange{change}})
		assert.NotEqual(t, made.InputHash, changed.InputHash)
		assert.InDelta(t, 0.05, said.Bot.Changes[0].Doubt, 1e-9, "half of it, when nobody says")
		for _, p := range changed.Curve.Points {
			want := 7.0
			if !p.Start.Before(change.From) {
				want = 6
			}
			assert.InEpsilon(t, want, p.Mean, 0.07, "%s %s", counts, p.Start.In(shanghai))
		}
		// A change before the origin does nothing to a history of people; one of all arrivals learns from it.
		change.From = today.Add(-3).In(shanghai)
		_, err = s.Planning.MakeForecasts(t.Context(), planner, planning.ForecastInput{
			Queues: []ids.Queue{pre}, Origin: today.In(shanghai), BotChanges: []forecast.DeflectionChange{change},
		})
		if counts == forecast.CountsPeople {
			e := refused(t, err, "forecast.bot")
			assert.Equal(t, "bot_changes[0].from", e.Fields[0].Path)
			assert.Contains(t, e.Fields[0].Problem, "lies before the origin")
		} else {
			ok(t, err)
		}
		if counts == forecast.CountsPeople { // whoever knows better says so
			stated, _, said := s.botForecast(t, planning.ForecastInput{HistoryCounts: forecast.CountsArrivals})
			assert.Equal(t, forecast.CountsArrivals, said.Bot.HistoryCounts)
			assert.InEpsilon(t, 7*0.7, stated.Curve.Points[5].Mean, 0.07)
		}
	}
}

func TestBadBotChangesAreRefused(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	_, err := s.Planning.MakeForecasts(t.Context(), planner, planning.ForecastInput{
		HistoryCounts: "robots", BotChanges: []forecast.DeflectionChange{{Points: 2, Doubt: -1}},
	})
	assert.Len(t, refused(t, err, "forecast.bot").Fields, 5)
}

// A day of ten times the contacts is found; taken out, it teaches neither volume nor handling time, and
// put back it teaches again.
func TestExclusions(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	bad := calendar.Range{Start: today.Add(-2).In(shanghai).Add(10 * time.Hour), End: today.Add(-2).In(shanghai).Add(13 * time.Hour)}
	s.importHistory(t, today.Add(-42), today, func(at time.Time) (float64, int) {
		switch {
		case demandAt(at) == 0:
			return 0, 0
		case bad.Contains(at):
			return 10 * demandAt(at), 900
		}
		return demandAt(at), 150
	})
	ctx := t.Context()
	in := planning.ForecastInput{Queues: []ids.Queue{pre}, Origin: today.In(shanghai), Horizon: 7 * 24 * time.Hour}
	handle := func() (store.Forecast, float64) {
		t.Helper()
		s.Clock = s.Clock.Add(time.Minute)
		made, err := s.Planning.MakeForecasts(ctx, planner, in)
		ok(t, err)
		return made[0], planning.WorkOf(made[0]).HandleTime.Mean
	}
	polluted, slow := handle()
	assert.Greater(t, slow, 151.0)

	found, err := s.Planning.Findings(ctx, planner, planning.FindingsInput{Queue: pre, Origin: today.In(shanghai)})
	ok(t, err)
	var incident *planning.QueueFinding
	for i, f := range found {
		if f.From.Before(bad.End) && bad.Start.Before(f.To) {
			incident = &found[i]
		}
	}
	require.NotNil(t, incident, "%v", found)
	assert.Empty(t, incident.Excluded)
	assert.NotEmpty(t, incident.Exclusion.Reason)

	x := forecast.Exclusion{From: bad.Start.UTC(), To: bad.End.UTC(), Reason: "平台故障，重复推送"}
	done, err := s.Planning.Exclude(ctx, planner, pre, x)
	ok(t, err)
	entered := done.Exclusion
	assert.Equal(t, planner.User, entered.Author)
	assert.Equal(t, planner.Name, entered.AuthorName)
	assert.Equal(t, 12, done.Records, "three hours")
	assert.Empty(t, done.Notes)
	refusedExclusions(t, s, x)
	e := refused(t, func() error { _, err := s.Planning.Exclude(ctx, planner, pre, x); return err }(), "exclusion.exists")
	assert.Contains(t, e.Message, "平台故障")
	clean, usual := handle()
	assert.InDelta(t, 150, usual, 0.1)
	assert.NotEqual(t, polluted.InputHash, clean.InputHash)
	var result forecast.Result
	require.NoError(t, json.Unmarshal(clean.Figures, &result))
	require.Len(t, result.Excluded, 1, "shown with the forecast")
	assert.Equal(t, 12, result.Excluded[0].Slots)
	found, err = s.Planning.Findings(ctx, planner, planning.FindingsInput{Queue: pre, Origin: today.In(shanghai)})
	ok(t, err)
	for _, f := range found {
		if !f.From.Before(x.From) && !f.To.After(x.To) {
			assert.Equal(t, entered.ID, f.Excluded)
		}
	}

	list, err := s.Planning.Exclusions(ctx, supervisor, "", false)
	ok(t, err)
	assert.Equal(t, []planning.Exclusion{entered}, list)
	_, err = s.Planning.WithdrawExclusion(ctx, planner, entered.ID, " ")
	_ = refused(t, err, "exclusion.input")
	s.Clock = s.Clock.Add(time.Hour)
	gone, err := s.Planning.WithdrawExclusion(ctx, supervisor, entered.ID, "是真实流量")
	ok(t, err)
	assert.Equal(t, supervisor.User, gone.Withdrawn.Author)
	_, err = s.Planning.WithdrawExclusion(ctx, planner, entered.ID, "x")
	_ = refused(t, err, "exclusion.withdrawn")
	_, err = s.Planning.WithdrawExclusion(ctx, planner, "none", "x")
	_ = refused(t, err, "exclusion.unknown")
	list, err = s.Planning.Exclusions(ctx, planner, pre, false)
	ok(t, err)
	assert.Empty(t, list)
	list, err = s.Planning.Exclusions(ctx, planner, pre, true)
	ok(t, err)
	assert.Equal(t, []planning.Exclusion{gone}, list, "it stays on record")
	back, _ := handle()
	assert.Equal(t, polluted.Curve, back.Curve, "as if it had never been taken out")
	assert.Equal(t, polluted.InputHash, back.InputHash)

	audit, _, err := s.Administration.Audit(ctx, admin, operations.AuditFilter{}, operations.Page{})
	ok(t, err)
	noted := 0
	for _, row := range audit {
		if strings.Contains(fmt.Sprintf("%+v", row), "exclusions/"+string(pre)) {
			noted++
		}
	}
	assert.Equal(t, 2, noted, "entered and withdrawn")
	_, err = s.Planning.Exclude(ctx, planner, pre, forecast.Exclusion{From: x.To, To: x.From})
	assert.Len(t, refused(t, err, "exclusion.input").Fields, 2)
}

// refusedExclusions enters stretches that cannot be meant beside one that is in force.
func refusedExclusions(t *testing.T, s *stack, x forecast.Exclusion) {
	t.Helper()
	with := func(from, to time.Time) error {
		_, err := s.Planning.Exclude(t.Context(), planner, pre, forecast.Exclusion{From: from, To: to, Reason: "x"})
		return err
	}
	for name, span := range map[string][2]time.Time{
		"inside": {x.From.Add(time.Hour), x.To.Add(-time.Hour)}, "around": {x.From.Add(-time.Hour), x.To.Add(time.Hour)},
		"first part": {x.From.Add(-time.Hour), x.From.Add(time.Minute)}, "last part": {x.To.Add(-time.Minute), x.To.Add(time.Hour)},
	} {
		e := refused(t, with(span[0], span[1]), "exclusion.overlaps")
		assert.Contains(t, e.Message, x.From.In(shanghai).Format("2006-01-02 15:04"), name)
	}
	for field, span := range map[string][2]time.Time{
		"from": {x.From.AddDate(-30, 0, 0), x.To.AddDate(-30, 0, 0)}, "to": {x.To, x.To.AddDate(30, 0, 0)},
	} {
		e := refused(t, with(span[0], span[1]), "exclusion.input")
		require.Len(t, e.Fields, 1)
		assert.Equal(t, field, e.Fields[0].Path)
		assert.Contains(t, e.Fields[0].Problem, "the history of "+string(pre)+" goes from ")
	}
	assert.Equal(t, "from", refused(t, with(x.From.AddDate(30, 0, 0), x.To.AddDate(30, 0, 0)), "exclusion.input").Fields[0].Path)
}
