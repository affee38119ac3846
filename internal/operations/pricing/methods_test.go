package pricing_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/store"
)

const orca = ids.Queue("orca-jd/pre")

// needs is the heads of all plans by slot.
func needs(plans []store.Plan) map[time.Time]int {
	out := map[time.Time]int{}
	for _, p := range plans {
		for _, n := range p.Requirement.Needs {
			out[n.Start.UTC()] += n.Heads
		}
	}
	return out
}

// Two small queues of two merchants and people who know both: the pool needs fewer than the queues alone, every
// head of it stands on one of the queues, and wages follow it while the service is that of the queues alone.
func TestAPooledScenario(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.AddPeople(t, 3001, 12, string(pre), string(orca))
	h.forecast(t, "f", pre, today, 1, 20)
	h.forecast(t, "g", orca, today, 1, 20)
	each := h.scenario(t, asked("each", 1, pricing.Options{Level: 0.5}))
	s := h.scenario(t, asked("pooled", 1, pricing.Options{Level: 0.5, Method: pricing.PooledMethod}))
	p := s.Price.Pooled
	require.NotNil(t, p)
	assert.Nil(t, s.Price.Money)
	assert.Nil(t, each.Price.Pooled)
	assert.True(t, p.Verified)
	assert.Less(t, p.PoolHours, p.PartsHours)
	assert.InDelta(t, p.PartsHours-p.PoolHours, p.SavedHours, 1e-9)
	assert.InDelta(t, p.PoolHours, s.Price.Total.HeadHours, 1e-9, "the plans have the heads of the pool, no more and no fewer")
	assert.InDelta(t, each.Price.Total.HeadHours, p.EachHours, 1e-9, "what the usual method staffs for the same day")
	assert.Positive(t, p.SeatHours)
	assert.LessOrEqual(t, p.SeatHours, 90.0, "ten seats for nine hours")
	assert.Less(t, p.PartsHours-p.SeatHours, p.EachHours+9*2, "half hours round up, beside the seats the queues alone need what each staffs")
	assert.InDelta(t, 0, p.FurtherHours, 1e-9, "eighteen people for two small queues")
	assert.GreaterOrEqual(t, p.PoolHours, 90.0, "the contract promises ten seats from 9 to 18")
	require.Len(t, p.Queues, 2)
	for i, goal := range []float64{0.6, 0.9} {
		assert.InDelta(t, goal, p.Queues[i].Goal, 1e-9)
		assert.GreaterOrEqual(t, p.Queues[i].Pool.Low, goal, "the contract's share, with 95 %% certainty")
		assert.InEpsilon(t, 180, p.Queues[i].Pool.Contacts, 0.1, "nine hours of twenty")
	}
	alone := 0.0
	for _, plan := range s.Plans {
		figures := pricing.FiguresOf(plan)
		require.Len(t, figures.Alone, len(plan.Requirement.Needs))
		for i, n := range plan.Requirement.Needs {
			alone += float64(figures.Alone[i]) / 4
			assert.InDelta(t, float64(n.Heads)/(0.96*0.95*0.965), n.Paid, 0.0005)
			assert.Contains(t, n.Reason, "of the pool's")
			r, price := figures.Reached[i], figures.Parts[0].Target.PenaltyPerMissedContact
			assert.InDelta(t, price*r.Contacts*r.Share, n.Saved(float64(n.Heads)), 1e-3*(1+price), "fewer heads save what those alone would")
		}
	}
	assert.InDelta(t, p.PartsHours, alone, 1e-9)
	assert.Greater(t, s.Price.Total.ExpectedShare, 0.6, "two half heads would answer nobody: what serves is priced")

	again := h.scenario(t, asked("again", 1, pricing.Options{Level: 0.5, Method: pricing.PooledMethod}))
	assert.Equal(t, s.SHA256, again.SHA256)
	assert.Equal(t, s.Price, again.Price)
	promoteAndDraw(t, h, s, each)
}

// promoteAndDraw takes a scenario through what every one can do.
func promoteAndDraw(t *testing.T, h *house, s, each pricing.Scenario) {
	t.Helper()
	d, err := h.Pricing.DiffScenarios(t.Context(), supervisor, each.Name, s.Name)
	ok(t, err)
	assert.Contains(t, d.Options, pricing.OptionChange{Option: "method", A: "each", B: string(s.Asked.Method)})
	assert.InDelta(t, s.Price.Total.HeadHours-each.Price.Total.HeadHours, d.Total.Change.HeadHours, 1e-9)
	svg, err := h.Pricing.DrawScenario(t.Context(), supervisor, s.Name)
	ok(t, err)
	assert.Contains(t, string(svg), "cost and risk")
	kept, err := h.Pricing.Scenario(t.Context(), supervisor, s.Name)
	ok(t, err)
	assert.Equal(t, s.Price, kept.Price)
	h.Clock = h.Clock.Add(time.Minute)
	done, err := h.Pricing.PromoteScenario(t.Context(), supervisor, s.Name, "")
	ok(t, err)
	assert.Equal(t, needs(s.Plans), needs(done.Plans))
	e, err := h.Pricing.Explain(t.Context(), supervisor, pricing.ExplainInput{Queue: pre, At: at(today, 12)})
	ok(t, err)
	assert.Equal(t, s.ID, e.Scenario)
	assert.Equal(t, string(s.Asked.Method), e.Rounding.Bound, "what decided the heads is no backlog")
}

// Nobody knows the queue and nobody shares: the pool is its parts, made of people whom there are not.
func TestAPoolOfPeopleWhoAreNotThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "f", "lumi-tmall/after", today, 1, 20)
	s := h.scenario(t, asked("pooled", 1, pricing.Options{Level: 0.5, Method: pricing.PooledMethod}))
	p := s.Price.Pooled
	assert.InDelta(t, p.PoolHours, p.FurtherHours, 1e-9)
	assert.InDelta(t, p.PartsHours, p.PoolHours, 1e-9)
	assert.Positive(t, p.PoolHours)
}

// A fee of ten seats and a ladder of one step: the day's fee is earned whatever happens, at most 5 % of it can be
// lost, and so nobody beyond the floor can be worth more than that in all. No usual staffing earns more.
func TestAMarginScenario(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "f", pre, today, 1, 40)
	each := h.scenario(t, asked("each", 1, pricing.Options{Level: 0.5}))
	s := h.scenario(t, asked("margin", 1, pricing.Options{Level: 0.5, Method: pricing.MarginMethod}))
	m := s.Price.Money
	require.NotNil(t, m)
	// Ten seats at 6,500 yuan, one day of June's thirty.
	const fee = 65000.0 / 30
	assert.InDelta(t, fee, m.RevenueYuan, 1e-6)
	assert.InDelta(t, fee-m.WageYuan-m.Penalty.Mean, m.MarginYuan, 1e-6)
	require.Len(t, m.Levels, 3)
	assert.Equal(t, []string{"the plan", "each at P50", "each at P90"}, []string{m.Levels[0].Name, m.Levels[1].Name, m.Levels[2].Name}, "the forecast has no P95")
	assert.InDelta(t, each.Price.Total.HeadHours, m.Levels[1].HeadHours, 1e-9, "what the usual method staffs")
	assert.InDelta(t, each.Price.Total.WagesYuan, m.Levels[1].WageYuan, 0.05*each.Price.Total.WagesYuan/100)
	for _, l := range m.Levels[1:] {
		assert.LessOrEqual(t, l.MarginYuan, m.Levels[0].MarginYuan+1e-6, l.Name)
	}
	assert.LessOrEqual(t, m.Levels[1].HeadHours, m.Levels[2].HeadHours)
	assert.InDelta(t, s.Price.Total.HeadHours, m.Levels[0].HeadHours, 1e-9, "the plans are the staffing that was priced")
	// At most one step of 5 % of the fee can be lost, and a head is 25 yuan an hour.
	assert.LessOrEqual(t, m.Penalty.P95, 0.05*fee+1e-6)
	require.NotEmpty(t, s.Price.More)
	assert.Contains(t, s.Price.More[0], "one more agent from")
	assert.Contains(t, s.Price.More[0], "of expected penalty")
	assert.Empty(t, m.LeftOut, "terms without a ladder have no money in them")
	// The floor costs nine hours of one head; the whole ladder is 108 yuan. Wages above the floor must not exceed it.
	floor := 9 * 25 / 0.88
	assert.LessOrEqual(t, s.Price.Total.WagesYuan, floor+0.05*fee+1e-6)
	worth := 0.0
	for _, n := range s.Plans[0].Requirement.Needs {
		worth += n.Saved(float64(n.Heads))
	}
	assert.InDelta(t, 0.05*fee-m.Penalty.Mean, worth, 0.01*fee, "with nobody the ladder is lost; what the plan risks of it cannot be saved")
	again := h.scenario(t, asked("again", 1, pricing.Options{Level: 0.5, Method: pricing.MarginMethod}))
	assert.Equal(t, s.SHA256, again.SHA256)
	assert.Equal(t, s.Price, again.Price)
	promoteAndDraw(t, h, s, each)
}

// A merchant who pays 2.50 yuan for each contact: what is taken up earns that, so heads beyond the floor pay as long
// as they keep more than ten contacts an hour from leaving. There is no ladder to lose anything by.
func TestAMarginOfContacts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "g", orca, today, 1, 40)
	s := h.scenario(t, asked("margin", 1, pricing.Options{Level: 0.5, Method: pricing.MarginMethod}))
	m := s.Price.Money
	assert.InDelta(t, 0, m.Penalty.P95, 0)
	assert.LessOrEqual(t, m.RevenueYuan, 2.5*9*40*1.05)
	assert.Greater(t, m.RevenueYuan, 2.5*9*40*0.8, "most are taken up")
	assert.False(t, math.IsNaN(m.MarginYuan))
}

// Options that a method cannot heed are refused by name.
func TestMethodsRefuseWhatTheyCannotHeed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, c := range []struct {
		o     pricing.Options
		field string
	}{
		{pricing.Options{Method: pricing.PooledMethod, MaxHeads: 3}, "max_heads"},
		{pricing.Options{Method: "guess"}, "method"},
	} {
		_, err := h.Pricing.MakeScenario(t.Context(), operationstest.Planner, asked("x", 1, c.o))
		fields := refused(t, err, "scenario.input").Fields
		require.Len(t, fields, 1)
		assert.Equal(t, c.field, fields[0].Path)
	}
}

// Money alone would staff the floor of one head; a least share of contacts in time is kept in every slot, and the same engine
// prices the plan, whatever found its heads.
func TestAMarginScenarioKeepsItsFloor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "f", pre, today, 1, 100)
	bare := h.scenario(t, asked("bare", 1, pricing.Options{Level: 0.5, Method: pricing.MarginMethod}))
	floored := h.scenario(t, asked("floored", 1, pricing.Options{Level: 0.5, Method: pricing.MarginMethod, TargetShare: 0.8}))
	assert.Less(t, bare.Price.Total.ExpectedShare, 0.8)
	assert.GreaterOrEqual(t, floored.Price.Total.ExpectedShare, 0.8)
	assert.Greater(t, floored.Price.Total.HeadHours, bare.Price.Total.HeadHours)
	for _, s := range []pricing.Scenario{bare, floored} {
		assert.InDelta(t, s.Price.Money.Penalty.Mean, s.Price.Total.PenaltyYuan, 1e-6, "search and price are one engine")
		assert.InDelta(t, s.Price.Money.WageYuan, s.Price.Total.WagesYuan, 96*0.0005*25/4, "a plan rounds paid heads to thousandths: 96 slots at 25 yuan an hour")
		assert.InDelta(t, s.Price.Money.Penalty.P90, s.Price.Risk.P90Yuan, 1e-6)
	}
	each := h.scenario(t, asked("each", 1, pricing.Options{Level: 0.5}))
	require.NotEmpty(t, each.Price.More)
	assert.Contains(t, each.Price.More[0], "one more agent from")
	assert.Contains(t, each.Price.Fewer[0], "one agent fewer from")
}

// What a lost buyer is worth is declared, not assumed; it staffs more heads than the contract alone, and is part of what is at stake.
func TestALostContactHasADeclaredValue(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "f", pre, today, 1, 100)
	bare := h.scenario(t, asked("bare", 1, pricing.Options{Level: 0.5, Method: pricing.MarginMethod}))
	dear := h.scenario(t, asked("dear", 1, pricing.Options{Level: 0.5, Method: pricing.MarginMethod, Sales: pricing.Sales{LostContactYuan: 20}}))
	assert.Greater(t, dear.Price.Total.HeadHours, bare.Price.Total.HeadHours)
	_, err := h.Pricing.MakeScenario(t.Context(), planner, asked("bad", 1, pricing.Options{Sales: pricing.Sales{BasketYuan: 100, Elasticity: 0.2, LostContactYuan: -1}}))
	var paths []string
	for _, f := range refused(t, err, "scenario.input").Fields {
		paths = append(paths, f.Path)
	}
	assert.ElementsMatch(t, []string{"conversion", "reference_s", "lost_contact_yuan"}, paths)
}
