package pricing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
)

func asked(name string, days int, o pricing.Options) pricing.ScenarioInput {
	return pricing.ScenarioInput{Name: name, PlanInput: pricing.PlanInput{From: today, Days: days, Options: o}}
}

// Hours and wages by hand: four people at 25 yuan, one of the two days a statutory holiday.
func TestAScenarioIsPriced(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Deps.Holidays = calendar.NewHolidays("test", []calendar.Holiday{{Date: today.Add(1), Kind: calendar.Statutory, Name: "端午节"}})
	h.Operations = operations.New(operations.DefaultConfig(), h.Deps)
	h.forecast(t, "f", pre, today, 2, 100)
	s := h.scenario(t, asked("base", 2, pricing.Options{Level: 0.5, MinHeads: 30, MaxHeads: 30, Shrinkage: 0.12}))
	total := s.Price.Total
	heads := 2 * 9 * 30.0 // two days of nine hours
	assert.InDelta(t, heads, total.HeadHours, 1e-9)
	assert.InDelta(t, heads/0.88, total.PaidHours, 1e-6)
	assert.InDelta(t, heads/0.88/2, total.HolidayHours, 1e-6)
	ordinary := 4 * 2 * 40.0 / 7
	assert.InDelta(t, ordinary, s.Price.OrdinaryHours, 1e-9, "four people, two days of a 40-hour week")
	over := heads/0.88/2 - ordinary
	assert.InDelta(t, over, total.OvertimeHours, 1e-6)
	assert.InDelta(t, 25*(heads/0.88/2*3+heads/0.88/2+over*0.5), total.WagesYuan, 1e-6, "300 % on the holiday, 150 % beyond the ordinary hours")
	assert.Equal(t, 30, total.Peak)
	assert.InDelta(t, 0, total.PenaltyYuan, 1e-9, "thirty heads for six erlangs")
	require.Len(t, s.Price.Days, 2)
	assert.InDelta(t, total.WagesYuan, s.Price.Days[0].WagesYuan+s.Price.Days[1].WagesYuan, 1e-6)
	assert.InDelta(t, 3*heads/0.88/2*25, s.Price.Days[1].WagesYuan, 1e-6)
	assert.InDelta(t, 2*9*100, total.Contacts, 1e-6)
	require.Len(t, s.Price.Terms, 1)
	term := s.Price.Terms[0]
	assert.Equal(t, 2, term.Days)
	assert.InDelta(t, 65000*2.0/30, term.FeeYuan, 1e-6, "two days of June")
}

// The heads are far too few at any volume, so the one step of the ladder is certain; it is shared out among
// the days by what they miss.
func TestACertainPenalty(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "f", pre, today, 3, 400)
	h.forecast(t, "g", "orca-jd/pre", today, 3, 400)
	s := h.scenario(t, asked("few", 3, pricing.Options{Level: 0.5, MaxHeads: 1}))
	want := 0.05 * 65000 * 3 / 30
	assert.InDelta(t, want, s.Price.Risk.MeanYuan, 1e-6)
	assert.InDelta(t, want, s.Price.Risk.P50Yuan, 1e-6)
	assert.InDelta(t, want, s.Price.Risk.P95Yuan, 1e-6)
	assert.InDelta(t, want, s.Price.Total.PenaltyYuan, 1e-6)
	require.Len(t, s.Price.Terms, 2, "orca's term has no ladder and deducts nothing")
	assert.InDelta(t, 0, s.Price.Terms[1].MeanYuan, 0)
	require.Len(t, s.Price.Queues, 2)
	assert.InDelta(t, want, s.Price.Queues[0].PenaltyYuan, 1e-6)
	assert.InDelta(t, 0, s.Price.Queues[1].PenaltyYuan, 1e-9)
	for _, d := range s.Price.Days {
		assert.InDelta(t, want/3, d.PenaltyYuan, 1e-6, "three equal days")
	}
	assert.Equal(t, 3*9*4*2, s.Price.Total.Unmet)
	assert.Less(t, s.Price.Total.ExpectedShare, 0.1)

	enough := h.scenario(t, asked("enough", 3, pricing.Options{Level: 0.9}))
	d, err := h.Pricing.DiffScenarios(t.Context(), supervisor, "few", string(enough.ID))
	ok(t, err)
	assert.True(t, d.SameDays)
	assert.Equal(t, []pricing.OptionChange{{Option: "level", A: "0.5", B: "0.9"}, {Option: "max_heads", A: "1", B: "0"}}, d.Options)
	assert.InDelta(t, enough.Price.Total.HeadHours-s.Price.Total.HeadHours, d.Total.Change.HeadHours, 1e-9)
	assert.InDelta(t, d.Total.Change.WagesYuan, d.Queues[0].Change.WagesYuan+d.Queues[1].Change.WagesYuan, 1e-6)
	assert.Negative(t, d.Risk.Change.P95Yuan)
	back, err := h.Pricing.DiffScenarios(t.Context(), supervisor, "enough", "few")
	ok(t, err)
	assert.InDelta(t, -d.Total.Change.WagesYuan, back.Total.Change.WagesYuan, 1e-9)

	for _, draw := range []func() ([]byte, error){
		func() ([]byte, error) { return h.Pricing.DrawScenario(t.Context(), supervisor, "enough") },
		func() ([]byte, error) {
			return h.Pricing.DrawPlan(t.Context(), supervisor, h.plans(t, pricing.PlanInput{From: today, Days: 3})[0].ID)
		},
	} {
		svg, err := draw()
		ok(t, err)
		for _, want := range []string{"cost and risk", ">P90<", ">P95<", ">heads<", ">P10–P90<", "(×1.00)"} {
			assert.Contains(t, string(svg), want)
		}
	}
}

// What-ifs change what they say and nothing else, and the same question has the same answer.
func TestWhatIfs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "f", pre, today, 2, 600)
	base := h.scenario(t, asked("base", 2, pricing.Options{Level: 0.5}))
	again := h.scenario(t, asked("again", 2, pricing.Options{Level: 0.5}))
	assert.Equal(t, base.SHA256, again.SHA256)
	assert.Equal(t, base.Price, again.Price)
	more := h.scenario(t, asked("more", 2, pricing.Options{Level: 0.5, VolumeFactor: 1.2}))
	assert.InEpsilon(t, 1.2, more.Price.Total.Contacts/base.Price.Total.Contacts, 1e-9)
	assert.Greater(t, more.Price.Total.HeadHours, base.Price.Total.HeadHours)
	slower := h.scenario(t, asked("slower", 2, pricing.Options{Level: 0.5, HandleFactor: 1.2}))
	assert.InDelta(t, base.Price.Total.Contacts, slower.Price.Total.Contacts, 1e-6)
	assert.Greater(t, slower.Price.Total.HeadHours, base.Price.Total.HeadHours)
	strict := h.scenario(t, asked("strict", 2, pricing.Options{Level: 0.5, TargetShare: 0.85}))
	assert.Greater(t, strict.Price.Total.HeadHours, base.Price.Total.HeadHours)
	assert.InDelta(t, 0.6, strict.Price.Terms[0].Target, 0, "the contract is what it is")
	leaner := h.scenario(t, asked("leaner", 2, pricing.Options{Level: 0.5, Shrinkage: 0.2}))
	assert.InEpsilon(t, 0.96*0.95*0.965/0.8, leaner.Price.Total.PaidHours/base.Price.Total.PaidHours, 1e-3, "one share for all instead of the causes")

	rows, _, err := h.Pricing.Scenarios(t.Context(), supervisor, store.Page{})
	ok(t, err)
	require.Len(t, rows, 6)
	for _, r := range rows {
		assert.Empty(t, r.Plans)
		assert.Positive(t, r.Price.Total.HeadHours)
	}
	_, err = h.Pricing.MakeScenario(t.Context(), planner, asked("base", 2, pricing.Options{}))
	_ = refused(t, err, "store.conflict")
	_, err = h.Pricing.MakeScenario(t.Context(), planner, pricing.ScenarioInput{Name: "two words"})
	assert.Len(t, refused(t, err, "scenario.input").Fields, 3, "name, from, days")
}

// Promoting makes the plans in force, once; a newer plan of the same days stands in the way until somebody
// says why.
func TestPromotion(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.forecast(t, "f", pre, today, 4, 100)
	h.Clock = h.Clock.Add(time.Minute)
	h.plans(t, pricing.PlanInput{From: today, Days: 4, Options: pricing.Options{Level: 0.5}})
	h.Clock = h.Clock.Add(time.Minute)
	s := h.scenario(t, asked("p90", 2, pricing.Options{Level: 0.9}))
	before, err := h.Pricing.Explain(ctx, planner, pricing.ExplainInput{Queue: pre, At: at(today, 12)})
	ok(t, err)
	assert.InDelta(t, 0.5, before.Options.Level, 0, "a scenario is nobody's plan")

	h.Clock = h.Clock.Add(time.Minute)
	done, err := h.Pricing.PromoteScenario(ctx, supervisor, "p90", "")
	ok(t, err)
	require.Len(t, done.Plans, 1)
	assert.Equal(t, []ids.Plan{done.Plans[0].ID}, done.Promoted.Plans)
	after, err := h.Pricing.Explain(ctx, planner, pricing.ExplainInput{Queue: pre, At: at(today, 12)})
	ok(t, err)
	assert.Equal(t, done.Plans[0].ID, after.Plan)
	assert.Equal(t, s.ID, after.Scenario)
	assert.InDelta(t, 0.9, after.Options.Level, 0)
	third, err := h.Pricing.Explain(ctx, planner, pricing.ExplainInput{Queue: pre, At: at(today.Add(2), 12)})
	ok(t, err)
	assert.Equal(t, before.Plan, third.Plan, "days that the scenario is not about keep their plan")
	roster, err := h.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{From: today, Days: 2, Iterations: 50, Threads: 1})
	ok(t, err)
	assert.Equal(t, []ids.Plan{done.Plans[0].ID}, roster.Roster.Plans, "and it is what a roster is made from")

	_, err = h.Pricing.PromoteScenario(ctx, supervisor, "p90", "again")
	assert.Contains(t, refused(t, err, "store.conflict").Message, "was promoted at")
	_ = refused(t, h.Pricing.DeleteScenario(ctx, supervisor, "p90"), "store.conflict")

	late := h.scenario(t, asked("late", 1, pricing.Options{Level: 0.5}))
	h.Clock = h.Clock.Add(time.Minute)
	h.plans(t, pricing.PlanInput{From: today.Add(1), Days: 1})
	h.Clock = h.Clock.Add(time.Minute)
	beside := h.scenario(t, asked("beside", 1, pricing.Options{Level: 0.5}))
	assert.Equal(t, late.SHA256, beside.SHA256)
	h.Clock = h.Clock.Add(time.Minute)
	_, err = h.Pricing.PromoteScenario(ctx, supervisor, "late", "")
	ok(t, err)
	h.Clock = h.Clock.Add(time.Minute)
	_, err = h.Pricing.PromoteScenario(ctx, supervisor, "beside", "")
	said := refused(t, err, "scenario.overtaken")
	assert.Contains(t, said.Message, string(pre))
	_, err = h.Pricing.PromoteScenario(ctx, supervisor, "beside", "客户改主意")
	ok(t, err)
	kept, err := h.Pricing.Scenario(ctx, supervisor, "beside")
	ok(t, err)
	require.NotNil(t, kept.Promoted)
	assert.Equal(t, "客户改主意", kept.Promoted.Reason)

	ok(t, h.Pricing.DeleteScenario(ctx, supervisor, string(h.scenario(t, asked("gone", 1, pricing.Options{})).ID)))
	_, err = h.Pricing.Scenario(ctx, supervisor, "gone")
	_ = refused(t, err, "store.not_found")
	_, err = h.Administration.VerifyAudit(ctx, operationstest.Admin)
	ok(t, err)
}

// A shop that is closed has no service level. With thirty heads for six erlangs the target is kept in every scenario.
func TestTermsSayWhatIsExpected(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "f", pre, today, 1, 100)
	h.forecast(t, "g", orca, today, 1, 0)
	s := h.scenario(t, asked("s", 1, pricing.Options{Level: 0.5, MinHeads: 30}))
	require.Len(t, s.Price.Terms, 2)
	open, closed := s.Price.Terms[0], s.Price.Terms[1]
	assert.InEpsilon(t, 900, open.Contacts, 0.01, "nine hours of a hundred")
	assert.Equal(t, pricing.InShares, open.Unit)
	require.NotNil(t, open.Share)
	assert.Greater(t, *open.Share, 0.98, "but for replies that take longer than half a minute to write")
	assert.InDelta(t, *open.Share, *open.AtP50, 1e-3)
	assert.InDelta(t, 1, *open.Kept, 0)
	assert.Zero(t, closed.Contacts)
	assert.Nil(t, closed.Share)
	assert.Nil(t, closed.AtP50)
	assert.Nil(t, closed.Kept)

	// Every slot at its P50 reaches its target, so all of them together do; over the scenarios busy slots count for more.
	tight := h.scenario(t, asked("tight", 1, pricing.Options{Level: 0.5}))
	term := tight.Price.Terms[0]
	assert.GreaterOrEqual(t, *term.AtP50, term.Target)
	assert.Less(t, *term.Share, *term.AtP50)
	assert.Less(t, *term.Kept, 1.0)
}

// The merchant pays 2.50 yuan for each contact that is taken up, so revenue counts who leaves; what a lost buyer is declared to cost
// stands beside the deductions of the contract, which has no ladder; and a comparison has all of it. Another day is no comparison.
func TestRevenueAndLostBuyersAreCompared(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "f", orca, today, 2, 200)
	few := h.scenario(t, asked("few", 1, pricing.Options{Level: 0.5, MaxHeads: 1}))
	enough := h.scenario(t, asked("enough", 1, pricing.Options{Level: 0.5, Sales: pricing.Sales{LostContactYuan: 20}}))
	for _, s := range []pricing.Scenario{few, enough} {
		x := s.Price.Earned
		require.NotNil(t, x)
		assert.InEpsilon(t, 2.5*(s.Price.Total.ExpectedContacts-x.LostContacts), x.RevenueYuan, 1e-3, s.Name)
		assert.InDelta(t, 0, s.Price.Total.PenaltyYuan, 1e-9, "no ladder, nothing deducted")
	}
	assert.Greater(t, few.Price.Earned.LostContacts, 500.0, "one head for eight erlangs")
	assert.Zero(t, few.Price.Earned.LostYuan)
	assert.InDelta(t, 20*enough.Price.Earned.LostContacts, enough.Price.Earned.LostYuan, 1e-9)
	d, err := h.Pricing.DiffScenarios(t.Context(), supervisor, "few", "enough")
	ok(t, err)
	assert.True(t, d.SameDays)
	require.NotNil(t, d.Earned)
	assert.InDelta(t, d.Earned.Change.RevenueYuan-d.Total.Change.WagesYuan-enough.Price.Earned.LostYuan, d.NetYuan, 1e-6)
	assert.Greater(t, d.NetYuan, 0.0, "the contacts pay the heads")
	h.scenario(t, asked("two", 2, pricing.Options{Level: 0.5}))
	other, err := h.Pricing.DiffScenarios(t.Context(), supervisor, "few", "two")
	ok(t, err)
	assert.False(t, other.SameDays)
}
