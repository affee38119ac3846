package planning_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/workforce"
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

	made, err := p.MakeRoster(ctx, planner, planning.RosterInput{From: today, Days: 7, Seed: 1, Iterations: 3000, Threads: 1})
	ok(t, err)
	assert.Equal(t, store.Draft, made.Roster.State)
	assert.Equal(t, []ids.Plan{plans[0].ID}, made.Roster.Plans)
	require.NotEmpty(t, made.Roster.Shifts)
	rosterIsRight(t, plans[0].Requirement, made)

	mine := func() []store.Shift {
		t.Helper()
		list, _, err := p.Shifts(ctx, agentLumi, operations.ShiftFilter{}, operations.Page{})
		ok(t, err)
		return list
	}
	assert.Empty(t, mine(), "a draft is nobody's business yet")
	done, err := p.PublishRoster(ctx, planner, made.Roster.ID, made.Roster.Version)
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

	book, err := p.RosterWorkbook(ctx, supervisor, made.Roster.ID)
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

func rosterIsRight(t *testing.T, need scheduling.Requirement, made planning.RosterMade) {
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
	_, err = p.MakeRoster(ctx, planner, planning.RosterInput{From: today, Days: 7})
	_ = refused(t, err, "roster.no_plan")
	_, err = p.MakeForecasts(ctx, planner, planning.ForecastInput{Queues: []ids.Queue{"lumi-tmall/after"}})
	_ = refused(t, err, "forecast.no_history")
	_, err = p.MakeForecasts(ctx, planner, planning.ForecastInput{Merchant: "orca"})
	_ = refused(t, err, "forecast.no_history")
	_, err = s.Pricing.MakePlans(ctx, planner, pricing.PlanInput{Days: 63, Options: pricing.Options{Level: 1, Shrinkage: -1, MaxHeads: -1}})
	assert.Len(t, refused(t, err, "plan.input").Fields, 5)
	_, err = p.MakeRoster(ctx, planner, planning.RosterInput{Threads: 65})
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

// addDraft stores a draft as a careless hand would have made it.
func (s *stack) addDraft(t *testing.T, id ids.Roster, from calendar.Date, days int, shifts ...scheduling.Shift) {
	t.Helper()
	span := calendar.Range{Start: from.In(shanghai), End: from.Add(days).In(shanghai)}
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		_, err := tx.AddRoster(store.Roster{ID: id, Title: string(id), Range: span, Shifts: shifts})
		return err
	}))
}

func TestUnlawfulRostersAreNotPublished(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 2, "lumi-tmall/pre")
	monday := date("2026-06-15")
	week := func(n int) (shifts []scheduling.Shift) {
		for day := range n {
			shifts = append(shifts, operationstest.ShiftOf("1001", monday.Add(day), 9))
		}
		return shifts
	}
	short := operationstest.ShiftOf("1001", monday, 14) // until 23:00, and again from 05:00: 6 h of rest
	for name, c := range map[string]struct {
		shifts []scheduling.Shift
		rule   string
	}{
		"seven days in a row": {week(7), "days.consecutive"}, // house rule: at most six
		"no rest day":         {week(7), "rest.weekly_day"},  // 劳动法 §38
		"six hours of rest":   {[]scheduling.Shift{short, operationstest.ShiftOf("1001", monday.Add(1), 5)}, "rest.between_block"},
	} {
		id := ids.Roster(name)
		s.addDraft(t, id, monday, 7, c.shifts...)
		_, err := s.Planning.PublishRoster(t.Context(), planner, id, operations.AnyVersion)
		e := refused(t, err, "roster.unlawful")
		assert.True(t, slices.ContainsFunc(e.Fields, func(f fault.Field) bool { return f.Path == "1001" && f.Value == c.rule }), "%s: %v", name, e.Fields)
		r, err := s.Planning.Roster(t.Context(), planner, id)
		ok(t, err)
		assert.Equal(t, store.Draft, r.State)
	}
	s.addDraft(t, "five days", monday, 7, week(5)...)
	_, err := s.Planning.PublishRoster(t.Context(), planner, "five days", operations.AnyVersion)
	ok(t, err)
}

// The past counts: a week that is lawful by itself may not follow another without a rest.
func TestPublishingLooksBack(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 1, "lumi-tmall/pre")
	monday := date("2026-06-15")
	var first, second []scheduling.Shift
	for _, day := range []int{2, 3, 4, 5, 6} { // Wednesday to Sunday
		first = append(first, operationstest.ShiftOf("1001", monday.Add(day), 9))
	}
	for _, day := range []int{7, 8} { // Monday and Tuesday: seven in a row
		second = append(second, operationstest.ShiftOf("1001", monday.Add(day), 9))
	}
	s.addDraft(t, "first", monday, 7, first...)
	_, err := s.Planning.PublishRoster(t.Context(), planner, "first", operations.AnyVersion)
	ok(t, err)
	s.addDraft(t, "second", monday.Add(7), 7, second...)
	_, err = s.Planning.PublishRoster(t.Context(), planner, "second", operations.AnyVersion)
	_ = refused(t, err, "roster.unlawful")
	s.addDraft(t, "third", monday.Add(7), 7, second[:1]...)
	_, err = s.Planning.PublishRoster(t.Context(), planner, "third", operations.AnyVersion)
	ok(t, err)
}

// So does a future that is published already: rosters need not be published in order.
func TestPublishingLooksAhead(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 1, "lumi-tmall/pre")
	monday, sunday := date("2026-06-15"), date("2026-06-14")
	s.addDraft(t, "next", monday, 7, operationstest.ShiftOf("1001", monday, 5))
	_, err := s.Planning.PublishRoster(t.Context(), planner, "next", operations.AnyVersion)
	ok(t, err)
	s.addDraft(t, "late", monday.Add(-7), 7, operationstest.ShiftOf("1001", sunday, 14)) // until 23:00, six hours before
	_, err = s.Planning.PublishRoster(t.Context(), planner, "late", operations.AnyVersion)
	e := refused(t, err, "roster.unlawful")
	require.Len(t, e.Fields, 1)
	assert.Equal(t, "rest.between_block", e.Fields[0].Value)
	s.addDraft(t, "early", monday.Add(-7), 7, operationstest.ShiftOf("1001", sunday, 9))
	_, err = s.Planning.PublishRoster(t.Context(), planner, "early", operations.AnyVersion)
	ok(t, err)
}

// People change between the draft and its publication.
func TestWhoLeftIsNotPublished(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 2, "lumi-tmall/pre")
	monday := date("2026-06-15")
	s.addDraft(t, "d", monday, 7, operationstest.ShiftOf("1001", monday, 9), operationstest.ShiftOf("1002", monday, 9))
	leave := func(id ids.Agent, change func(*workforce.Agent)) {
		one, err := s.Administration.Agent(t.Context(), planner, id)
		ok(t, err)
		change(&one.Value)
		_, err = s.Administration.PutAgents(t.Context(), planner, []workforce.Agent{one.Value})
		ok(t, err)
	}
	leave("1001", func(a *workforce.Agent) {
		a.Employed.Until = monday.Add(-3)
		a.Skills[0].Until = a.Employed.Until
	})
	leave("1002", func(a *workforce.Agent) {
		a.Unavailable = []calendar.Range{calendar.Day(monday, shanghai)}
	})
	_, err := s.Planning.PublishRoster(t.Context(), planner, "d", operations.AnyVersion)
	rules := map[string]string{}
	for _, f := range refused(t, err, "roster.unlawful").Fields {
		rules[f.Path] = f.Value
	}
	assert.Equal(t, map[string]string{"1001": "fit.employed", "1002": "fit.available"}, rules)
}

func TestPublishingReplacesTheSameDaysOnly(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 1, "lumi-tmall/pre")
	monday := date("2026-06-15")
	publish := func(id ids.Roster) error {
		_, err := s.Planning.PublishRoster(t.Context(), planner, id, operations.AnyVersion)
		return err
	}
	s.addDraft(t, "week", monday, 7, operationstest.ShiftOf("1001", monday, 9), operationstest.ShiftOf("1001", monday.Add(2), 9))
	ok(t, publish("week"))
	s.addDraft(t, "again", monday, 7, operationstest.ShiftOf("1001", monday, 10))
	ok(t, publish("again"))
	old, err := s.Planning.Roster(t.Context(), planner, "week")
	ok(t, err)
	assert.Equal(t, store.Archived, old.State)
	shifts, _, err := s.Planning.Shifts(t.Context(), agentLumi, operations.ShiftFilter{}, operations.Page{})
	ok(t, err)
	require.Len(t, shifts, 1)
	assert.Equal(t, ids.Roster("again"), shifts[0].Roster)

	s.addDraft(t, "two days", monday.Add(2), 2, operationstest.ShiftOf("1001", monday.Add(2), 9))
	_ = refused(t, publish("two days"), "roster.overlap")
	shifts, _, err = s.Planning.Shifts(t.Context(), agentLumi, operations.ShiftFilter{}, operations.Page{})
	ok(t, err)
	assert.Len(t, shifts, 1, "the shifts of the other days are still there")
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
