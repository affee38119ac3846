package planning_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// demandAt is how many contacts the made-up merchant gets in a quarter hour: open from 9 to 18,
// twice as many around noon, half at the weekend.
func demandAt(t time.Time) float64 {
	local := t.In(shanghai)
	switch hour := local.Hour(); {
	case hour < 9 || hour >= 18:
		return 0
	case local.Weekday() == time.Saturday || local.Weekday() == time.Sunday:
		return 6
	case hour >= 11 && hour < 14:
		return 24
	default:
		return 12
	}
}

// planningStack has four weeks of history that end with today, and twelve agents.
func planningStack(t *testing.T) *stack {
	t.Helper()
	s := newStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 12, "lumi-tmall/pre")
	var text strings.Builder
	text.WriteString("merchant,queue,start,slot,offered,handle_time\n")
	for slot := range (calendar.Range{Start: today.Add(-28).In(shanghai), End: today.In(shanghai)}).Slots(calendar.Slot) {
		if n := demandAt(slot.Start); n > 0 {
			fmt.Fprintf(&text, "lumi,lumi-tmall/pre,%s,15m,%g,150\n", slot.Start.In(shanghai).Format("2006-01-02 15:04"), n)
		}
	}
	_, err := s.Measuring.Import(t.Context(), planner, measuring.ImportInput{
		Source: operationstest.FileOf("history.csv", text.String()), Mapping: operations.DefaultMapping(operations.ImportHistory),
	})
	ok(t, err)
	return s
}

func TestFromHistoryToPublishedShifts(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	ctx, p := t.Context(), s.Planning
	forecasts, err := p.MakeForecasts(ctx, planner, planning.ForecastInput{Merchant: "lumi", Origin: today.In(shanghai), Horizon: 7 * 24 * time.Hour})
	ok(t, err)
	require.Len(t, forecasts, 1, "the queue without history is left out")
	forecastIsRight(t, forecasts[0])

	plans, err := s.Pricing.MakePlans(ctx, planner, pricing.PlanInput{From: today, Days: 7})
	ok(t, err)
	require.Len(t, plans, 1)
	planIsRight(t, plans[0])

	made, err := s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{From: today, Days: 7, Seed: 1, Iterations: 3000, Threads: 1})
	ok(t, err)
	assert.Equal(t, store.Draft, made.Roster.State)
	assert.Equal(t, []ids.Plan{plans[0].ID}, made.Roster.Plans)
	require.NotEmpty(t, made.Roster.Shifts)
	rosterIsRight(t, plans[0].Requirement, made)

	mine := func() []store.Shift {
		t.Helper()
		list, _, err := s.Rostering.Shifts(ctx, agentLumi, operations.ShiftFilter{}, operations.Page{})
		ok(t, err)
		return list
	}
	assert.Empty(t, mine(), "a draft is nobody's business yet")
	done, err := s.Rostering.PublishRoster(ctx, planner, rostering.PublishInput{Roster: made.Roster.ID, Expect: made.Roster.Version})
	ok(t, err)
	assert.Equal(t, store.Published, done.State)
	var want []time.Time
	for _, shift := range made.Roster.Shifts {
		if shift.Agent == "1001" {
			want = append(want, shift.Start.UTC())
		}
	}
	var got []time.Time
	for _, shift := range mine() {
		got = append(got, shift.Start)
	}
	assert.Equal(t, want, got)
	assert.NotEmpty(t, got)

	book, err := s.Rostering.RosterWorkbook(ctx, supervisor, made.Roster.ID)
	ok(t, err)
	assert.NotEmpty(t, operationstest.Sheets(t, book))
}

// The history repeats itself every week without noise, so the forecast must repeat it too.
func forecastIsRight(t *testing.T, f store.Forecast) {
	t.Helper()
	assert.Equal(t, ids.Queue("lumi-tmall/pre"), f.Queue)
	require.Len(t, f.Curve.Points, 7*9*4, "the open slots of a week and no others")
	total, wrong := 0.0, 0.0
	for _, point := range f.Curve.Points {
		want := demandAt(point.Start)
		total += want
		wrong += max(point.Mean-want, want-point.Mean)
		assert.Equal(t, 150*time.Second, point.HandleTime)
	}
	assert.Less(t, wrong/total, 0.1, "weighted error of a history without noise")
}

// The contract's 60 % within 30 s is the target, and the price of its first step is in the plan.
func planIsRight(t *testing.T, plan store.Plan) {
	t.Helper()
	var target staffing.Target
	require.NoError(t, json.Unmarshal(plan.Target, &target))
	assert.Equal(t, 30*time.Second, target.Within)
	assert.InDelta(t, 0.6, target.Share, 0)
	assert.Equal(t, 4, target.Concurrency)
	// Ten seats at 6,500 yuan, of which the first step deducts 5 %, spread over 100 contacts.
	assert.InDelta(t, 10*6500*0.05/100, target.PenaltyPerMissedContact, 1e-9)
	noon, morning := 0, 0
	for _, n := range plan.Requirement.Needs {
		assert.Positive(t, n.Heads)
		local := n.Start.In(shanghai)
		if calendar.DateOf(n.Start, shanghai) == today && local.Minute() == 0 {
			switch local.Hour() {
			case 12:
				noon = n.Heads
			case 10:
				morning = n.Heads
			}
		}
		// Four chats at once are the most that an agent holds: fewer heads than that could never do.
		assert.GreaterOrEqual(t, float64(n.Heads)*4, demandAt(n.Start)*150/900*0.6)
	}
	assert.Greater(t, noon, morning)
}

func rosterIsRight(t *testing.T, need scheduling.Requirement, made rostering.RosterMade) {
	t.Helper()
	working := map[time.Time]int{}
	for _, shift := range made.Roster.Shifts {
		for _, a := range shift.Activities {
			if a.Kind != scheduling.Work {
				continue
			}
			for slot := range (calendar.Range{Start: a.Start, End: a.End}).Slots(calendar.Slot) {
				working[slot.Start.UTC()]++
			}
		}
	}
	missing := 0.0
	for _, n := range need.Needs {
		missing += max(0, float64(n.Heads)-float64(working[n.Start.UTC()])) * need.Slot.Hours()
	}
	assert.LessOrEqual(t, missing, made.Solution.Missing+0.25, "what the solution says is short, counted again by hand")
	assert.Less(t, missing, made.Solution.Needed, "the roster covers something")
}

func TestPlansNeedAForecastOfTheirDays(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	ctx, p := t.Context(), s.Planning
	_, err := s.Pricing.MakePlans(ctx, planner, pricing.PlanInput{From: today, Days: 7})
	_ = refused(t, err, "plan.no_forecast")
	_, err = s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{From: today, Days: 7})
	_ = refused(t, err, "roster.no_plan")
	_, err = p.MakeForecasts(ctx, planner, planning.ForecastInput{Queues: []ids.Queue{"lumi-tmall/after"}})
	_ = refused(t, err, "forecast.no_history")
	_, err = p.MakeForecasts(ctx, planner, planning.ForecastInput{Merchant: "orca"})
	_ = refused(t, err, "forecast.no_history")
	_, err = s.Pricing.MakePlans(ctx, planner, pricing.PlanInput{Days: 63, Options: pricing.Options{Level: 1, Shrinkage: -1, MaxHeads: -1}})
	assert.Len(t, refused(t, err, "plan.input").Fields, 5)
	_, err = s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{Threads: 65})
	assert.Len(t, refused(t, err, "roster.input").Fields, 3)
}

func TestForecastIsRepeatable(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	in := planning.ForecastInput{Queues: []ids.Queue{"lumi-tmall/pre"}, Origin: today.In(shanghai), Horizon: 24 * time.Hour}
	one, err := s.Planning.MakeForecasts(t.Context(), planner, in)
	ok(t, err)
	s.Clock = s.Clock.Add(time.Hour)
	two, err := s.Planning.MakeForecasts(t.Context(), planner, in)
	ok(t, err)
	assert.Equal(t, one[0].InputHash, two[0].InputHash)
	assert.Equal(t, one[0].Curve, two[0].Curve)
	in.Horizon = 48 * time.Hour
	three, err := s.Planning.MakeForecasts(t.Context(), planner, in)
	ok(t, err)
	assert.NotEqual(t, one[0].InputHash, three[0].InputHash)
	stored, err := s.Planning.Forecast(t.Context(), planner, one[0].ID)
	ok(t, err)
	assert.Len(t, stored.Curve.Points, 36)
}

// What people enter replaces what ships where they overlap, on the same platform only.
func TestPromotions(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	event := func(family, from, until string) forecast.Event {
		return forecast.Event{Family: family, Start: date(from).In(shanghai).UTC(), End: date(until).In(shanghai).UTC()}
	}
	deps := s.Deps
	deps.Promotions = []planning.Promotion{
		{Platform: contracts.Tmall, Event: event("618", "2026-06-13", "2026-06-21")},
		{Platform: contracts.JD, Event: event("618", "2026-06-13", "2026-06-21")},
	}
	p := operations.New(operations.DefaultConfig(), deps).Planning
	entered := []planning.Promotion{{Platform: contracts.Tmall, Event: event("618", "2026-06-10", "2026-06-19")}}
	ok(t, second(p.PutPromotions(t.Context(), planner, entered)))
	all, err := p.Promotions(t.Context(), planner)
	ok(t, err)
	assert.Equal(t, []planning.Promotion{entered[0], deps.Promotions[1]}, all)
	entered[0].End = entered[0].Start
	require.Error(t, second(p.PutPromotions(t.Context(), planner, entered)))
	_ = refused(t, second(p.PutPromotions(t.Context(), access.Principal{User: "q", Role: access.Quality}, nil)), "access.forbidden")
}
