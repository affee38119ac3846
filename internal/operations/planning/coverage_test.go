package planning_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

const pre = ids.Queue("lumi-tmall/pre")

// addForecast stores hourly contacts of the open hours of some days; each is newer than the last.
func (s *stack) addForecast(t *testing.T, id ids.Forecast, from calendar.Date, days int, contacts float64) {
	t.Helper()
	s.Clock = s.Clock.Add(time.Minute)
	curve := scheduling.Curve{Queue: pre, Slot: time.Hour, Levels: []float64{0.9}}
	for day := range days {
		for hour := 9; hour < 18; hour++ {
			curve.Points = append(curve.Points, scheduling.Point{
				Start: from.Add(day).In(shanghai).Add(time.Duration(hour) * time.Hour), Mean: contacts, Quantiles: []float64{contacts}, HandleTime: 150 * time.Second,
			})
		}
	}
	span := calendar.Range{Start: from.In(shanghai), End: from.Add(days).In(shanghai)}
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		return tx.AddForecast(store.Forecast{ID: id, Queue: pre, Range: span, Curve: curve})
	}))
}

func figuresOf(t *testing.T, p store.Plan) (f pricing.PlanFigures) {
	t.Helper()
	require.NoError(t, json.Unmarshal(p.Figures, &f))
	return f
}

// headsAt is the need of a business day at an hour; 0 when there is none.
func headsAt(r scheduling.Requirement, day calendar.Date, hour int) int {
	at := day.In(shanghai).Add(time.Duration(hour) * time.Hour)
	for _, n := range r.Needs {
		if n.Start.Equal(at) {
			return n.Heads
		}
	}
	return 0
}

// A newer forecast of the second week must not take the first week away.
func TestPlansJoinForecasts(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 4, string(pre))
	s.addForecast(t, "old", today, 7, 40)
	s.addForecast(t, "new", today.Add(5), 5, 160)
	plans, err := s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today, Days: 14})
	ok(t, err)
	require.Len(t, plans, 1)
	plan, figures := plans[0], figuresOf(t, plans[0])
	assert.Len(t, plan.Requirement.Needs, 10*9*4, "ten covered days of nine hours")
	assert.True(t, slices.IsSortedFunc(plan.Requirement.Needs, func(a, b scheduling.Need) int { return a.Start.Compare(b.Start) }))
	assert.Equal(t, calendar.Range{Start: today.In(shanghai), End: today.Add(10).In(shanghai)}, plan.Range, "what is covered")
	require.Len(t, figures.Parts, 2)
	assert.Equal(t, ids.Forecast("old"), figures.Parts[0].Forecast)
	assert.Equal(t, calendar.Day(today.Add(5), shanghai).Start.UTC(), figures.Parts[1].Range.Start.UTC())
	assert.Equal(t, []calendar.Date{today.Add(10), today.Add(11), today.Add(12), today.Add(13)}, figures.Uncovered)
	assert.Less(t, headsAt(plan.Requirement, today.Add(4), 12), headsAt(plan.Requirement, today.Add(5), 12), "the newer forecast holds where both speak")
	assert.InDelta(t, 5*9*40+5*9*160, figures.Contacts, 1e-6)

	_, err = s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today, Days: 14, Forecasts: []ids.Forecast{"old", "new"}})
	assert.Equal(t, "forecasts[1]", refused(t, err, "plan.input").Fields[0].Path)
	_, err = s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today, Days: 14, Forecasts: []ids.Forecast{"old", "old"}})
	assert.Equal(t, "forecasts[1]", refused(t, err, "plan.input").Fields[0].Path)
	named, err := s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today, Days: 5, Forecasts: []ids.Forecast{"old", "new"}})
	ok(t, err)
	assert.Len(t, named[0].Requirement.Needs, 5*9*4, "within these days only one of them speaks")
}

// A forecast that begins in the afternoon leaves the morning to the one before it, and nothing
// counts twice in the slot that both touch.
func TestForecastsMeetInsideADay(t *testing.T) {
	t.Parallel()
	s := planningStack(t)
	in := planning.ForecastInput{Queues: []ids.Queue{pre}, Origin: today.Add(-1).In(shanghai), Horizon: 72 * time.Hour}
	_, err := s.Planning.MakeForecasts(t.Context(), planner, in)
	ok(t, err)
	s.Clock = s.Clock.Add(time.Minute)
	in.Origin = today.Add(-1).In(shanghai).Add(14 * time.Hour)
	_, err = s.Planning.MakeForecasts(t.Context(), planner, in)
	ok(t, err)
	plans, err := s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today.Add(-1), Days: 3})
	ok(t, err)
	require.Len(t, plans, 1)
	assert.Len(t, plans[0].Requirement.Needs, 3*9*4)
	figures := figuresOf(t, plans[0])
	require.Len(t, figures.Parts, 2)
	assert.Equal(t, in.Origin.UTC(), figures.Parts[1].Range.Start.UTC())
	assert.Empty(t, figures.Uncovered)
}

func TestRostersJoinPlans(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 6, string(pre))
	s.addForecast(t, "f", today, 7, 20)
	first, err := s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today, Days: 5})
	ok(t, err)
	s.Clock = s.Clock.Add(time.Minute)
	second, err := s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today.Add(4), Days: 2})
	ok(t, err)
	in := rostering.RosterInput{From: today, Days: 7, Iterations: 200, Threads: 1}
	made, err := s.Rostering.MakeRoster(t.Context(), planner, in)
	ok(t, err)
	assert.ElementsMatch(t, []ids.Plan{first[0].ID, second[0].ID}, made.Roster.Plans)
	covered := 0.0
	for _, n := range slices.Concat(first[0].Requirement.Needs, second[0].Requirement.Needs) {
		covered += float64(n.Heads) / 4
	}
	for _, n := range first[0].Requirement.Needs {
		if calendar.DateOf(n.Start, shanghai) == today.Add(4) {
			covered -= float64(n.Heads) / 4 // both plans have this day
		}
	}
	assert.InDelta(t, covered, made.Solution.Needed, 1e-6)
	assert.Equal(t, []gate.GapDays{{Queue: pre, Days: []calendar.Date{today.Add(6)}}}, made.Unplanned)
	stored, err := s.Rostering.Roster(t.Context(), planner, made.Roster.ID)
	ok(t, err)
	assert.Contains(t, string(stored.Figures), today.Add(6).String(), "the stored roster says so too")

	in.Plans = []ids.Plan{first[0].ID, second[0].ID}
	_, err = s.Rostering.MakeRoster(t.Context(), planner, in)
	assert.Equal(t, "plans[1]", refused(t, err, "roster.input").Fields[0].Path)
	in = rostering.RosterInput{From: today, Days: 7, Iterations: -1, Time: -time.Second, Plans: []ids.Plan{"p", "p"}}
	_, err = s.Rostering.MakeRoster(t.Context(), planner, in)
	assert.Len(t, refused(t, err, "roster.input").Fields, 3)
}

// The contract in force on the day: a plan over a change of version is held against both.
func TestPlansFollowTheContractOfTheDay(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	border := today.Add(2)
	s.ApplyContracts(t, strings.Replace(operationstest.MerchantsYAML, "until: 2027-01-01", "until: "+border.String(), 1))
	_, err := s.Administration.ApplyContracts(t.Context(), admin, "v2.yaml", strings.NewReader(`
contracts:
  - id: lumi-2026b
    merchant: lumi
    title: 鹿米客服外包二期
    versions:
      - number: 1
        from: `+border.String()+`
        shops: [lumi-tmall]
        terms: [{id: first-20s, metric: answered_within, within: 20s, direction: at_least, target: 0.85}]
        prices: [{id: contact, title: 按接待量, base: contact, amount: 2.5}]
        tax_rate: 6%
`))
	ok(t, err)
	s.AddPeople(t, 1001, 1, string(pre))
	one, err := s.Administration.Agent(t.Context(), planner, "1001")
	ok(t, err)
	one.Value.Skills[0].Until = today.Add(3) // from then on nobody knows the queue
	_, err = s.Administration.PutAgents(t.Context(), planner, []workforce.Agent{one.Value})
	ok(t, err)
	s.addForecast(t, "f", today, 4, 40)
	plans, err := s.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{From: today, Days: 4})
	ok(t, err)
	var got []staffing.Target
	var starts []calendar.Date
	for _, part := range figuresOf(t, plans[0]).Parts {
		got = append(got, part.Target)
		starts = append(starts, calendar.DateOf(part.Range.Start, shanghai))
	}
	assert.Equal(t, []calendar.Date{today, border, today.Add(3)}, starts)
	assert.Equal(t, []time.Duration{30 * time.Second, 20 * time.Second, 20 * time.Second}, []time.Duration{got[0].Within, got[1].Within, got[2].Within})
	assert.InDeltaSlice(t, []float64{0.6, 0.85, 0.85}, []float64{got[0].Share, got[1].Share, got[2].Share}, 0)
	assert.Equal(t, []int{4, 4, 1}, []int{got[0].Concurrency, got[1].Concurrency, got[2].Concurrency})
	assert.Less(t, headsAt(plans[0].Requirement, today, 12), headsAt(plans[0].Requirement, border, 12))
}
