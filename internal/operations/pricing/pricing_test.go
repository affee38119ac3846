package pricing_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// What was agreed with the client is planned on its days, whatever was forecast or adjusted since; the rest
// takes the newest forecast.
func TestALockDecidesItsDays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "agreed", pre, today, 5, 40)
	up, err := h.Planning.Adjust(t.Context(), planner, planning.AdjustInput{
		Forecast: "agreed", Kind: forecast.LayerPercent, Amount: 100, Target: forecast.Target{Days: calendar.Dates{From: today, Until: today.Add(5)}}, Reason: "直播",
	})
	ok(t, err)
	lock, err := h.Planning.LockForecast(t.Context(), planner, planning.LockInput{
		Forecast: "agreed", Dates: calendar.Dates{From: today.Add(1), Until: today.Add(3)}, AgreedWith: "陈经理",
	})
	ok(t, err)
	_, err = h.Planning.Withdraw(t.Context(), planner, up.Layer.ID, "取消")
	ok(t, err)
	h.forecast(t, "newest", pre, today, 5, 400)

	plan := h.plans(t, pricing.PlanInput{From: today, Days: 5, Options: pricing.Options{Level: 0.5}})[0]
	parts := pricing.FiguresOf(plan).Parts
	require.Len(t, parts, 3)
	assert.Equal(t, []ids.Lock{"", lock.ID, ""}, []ids.Lock{parts[0].Lock, parts[1].Lock, parts[2].Lock})
	assert.Equal(t, []ids.Forecast{"newest", "agreed", "newest"}, []ids.Forecast{parts[0].Forecast, parts[1].Forecast, parts[2].Forecast})
	assert.Equal(t, []ids.Layer{up.Layer.ID}, parts[1].Layers, "the adjustment that was agreed, although it was withdrawn since")
	contacts := map[calendar.Date]float64{}
	for _, r := range pricing.FiguresOf(plan).Reached {
		contacts[calendar.DateOf(r.Start, shanghai)] += r.Contacts
	}
	assert.InDelta(t, 9*400, contacts[today], 1e-6)
	assert.InDelta(t, 9*80, contacts[today.Add(2)], 1e-6, "40, doubled")
	assert.InDelta(t, 9*400, contacts[today.Add(3)], 1e-6)

	e, err := h.Pricing.Explain(t.Context(), supervisor, pricing.ExplainInput{Queue: pre, At: at(today.Add(1), 10)})
	ok(t, err)
	require.NotNil(t, e.Demand.Lock)
	assert.Equal(t, "陈经理", e.Demand.Lock.AgreedWith)
	require.Len(t, e.Demand.Layers, 1)
	assert.Equal(t, "直播", e.Demand.Layers[0].Reason)
	assert.InDelta(t, 40, e.Demand.Computed, 1e-9)
	assert.InDelta(t, 80, e.Demand.Mean, 1e-9)

	newest := h.plans(t, pricing.PlanInput{From: today, Days: 5, Newest: true, Options: pricing.Options{Level: 0.5}})[0]
	assert.Len(t, pricing.FiguresOf(newest).Parts, 1)
	named := h.plans(t, pricing.PlanInput{From: today, Days: 5, Forecasts: []ids.Forecast{"newest"}})[0]
	assert.Empty(t, pricing.FiguresOf(named).Parts[0].Lock, "who names a forecast gets it")
}

// What explain says of a head is what the scenario says: four hours at 25 yuan and 150 %, paid with what is away by cause.
func TestAHeadHasOnePrice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "f", pre, today, 1, 800)
	s := h.scenario(t, asked("s", 1, pricing.Options{Level: 0.1}))
	cost := 1.5 * 4 * 25 / (0.96 * 0.95 * 0.965)
	require.NotEmpty(t, s.Price.More)
	assert.Contains(t, s.Price.More[0], fmt.Sprintf(" costs %.0f,", cost))
	assert.Contains(t, s.Price.Fewer[0], fmt.Sprintf(" saves %.0f,", cost))
	h.Clock = h.Clock.Add(time.Minute)
	_, err := h.Pricing.PromoteScenario(t.Context(), supervisor, "s", "")
	ok(t, err)
	e, err := h.Pricing.Explain(t.Context(), supervisor, pricing.ExplainInput{Queue: pre, At: at(today, 12)})
	ok(t, err)
	m := e.Marginal
	assert.Equal(t, calendar.Dates{From: today, Until: today.Add(1)}, m.Dates)
	assert.InDelta(t, cost/16, m.CostYuan, 0.005)
	require.NotNil(t, m.Block)
	assert.InDelta(t, cost, m.Block.CostYuan, 0.05)
	assert.InDelta(t, m.Block.AvoidedYuan+m.Block.EarnedYuan-m.Block.CostYuan, m.Block.NetYuan, 1e-9)
	assert.LessOrEqual(t, m.OneMoreYuan, m.Block.AvoidedYuan+m.Block.EarnedYuan+1e-9, "a quarter hour of the four hours")
}

// A slot opens into everything behind its number, and the parts add up.
func TestExplain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "f", pre, today, 2, 80)
	plan := h.plans(t, pricing.PlanInput{From: today, Days: 2})[0]
	when := at(today, 12).Add(20 * time.Minute)
	e, err := h.Pricing.Explain(t.Context(), supervisor, pricing.ExplainInput{Plan: plan.ID, At: when})
	ok(t, err)
	assert.Equal(t, at(today, 12).Add(15*time.Minute).UTC(), e.Start.UTC(), "the slot around the instant")
	heads := headsAt(t, plan, e.Start)
	assert.Equal(t, heads, e.Need.Heads)
	assert.InDelta(t, 30, e.Demand.Contacts, 1e-9, "P90 of 80 is 120 an hour, a quarter of it")
	assert.Equal(t, []pricing.Quantile{{Level: 0.1, Contacts: 40}, {Level: 0.5, Contacts: 80}, {Level: 0.9, Contacts: 120}}, e.Demand.Quantiles)
	assert.Equal(t, "contact history", e.Handling.Source)
	assert.Equal(t, 150*time.Second, e.Handling.HandleTime)
	require.Len(t, e.Handling.Open, 4, "four chats at once")
	assert.Equal(t, 27*time.Second, e.Handling.Open[0].Work, "18 % of 150 s")
	assert.Equal(t, 150*time.Second, e.Handling.Open[0].HandleTime)
	assert.Greater(t, e.Handling.Open[3].Work, e.Handling.Open[0].Work)

	require.Len(t, e.Around, 3)
	assert.Equal(t, []int{heads - 1, heads, heads + 1}, []int{e.Around[0].Heads, e.Around[1].Heads, e.Around[2].Heads})
	assert.Less(t, e.Around[0].Share, e.Target.Share, "one head less misses the target")
	assert.GreaterOrEqual(t, e.Around[1].Share, e.Target.Share)
	assert.Equal(t, heads, e.Rounding.Needed)
	assert.InDelta(t, 30*150.0/900, e.Rounding.Erlangs, 1e-9)
	assert.InDelta(t, float64(heads)/(0.96*0.95*0.965), e.Shrinkage.Paid, 0.0005, "training and meetings 4 %, absence 5 %, leave 3.5 %, in whole thousandths of a head")

	require.NotNil(t, e.Agreed)
	assert.Equal(t, pricing.AgreedTerm{Contract: "lumi-2026", Version: 1, Term: "first-30s"}, e.Agreed.AgreedTerm)
	assert.InDelta(t, 10*6500, e.Agreed.FeeYuan, 0, "ten seats")
	assert.InDelta(t, 0.05*65000/100, e.Agreed.PerMissedYuan, 1e-9)
	gained := e.Around[1].Share - e.Around[0].Share
	assert.InEpsilon(t, 32.5*30*e.Reached.Share, e.Need.Saved(float64(heads)), 1e-5, "what nobody there would cost")
	assert.LessOrEqual(t, e.Need.Value, 32.5*30*gained+1e-3, "the curve may only be flatter than the last head")
	assert.InDelta(t, 25*0.25/(0.96*0.95*0.965), e.Marginal.CostYuan, 0.005, "a quarter hour at 25 yuan, paid with shrinkage")

	again, err := h.Pricing.Explain(t.Context(), supervisor, pricing.ExplainInput{Queue: pre, At: when})
	ok(t, err)
	assert.Equal(t, e, again, "the newest plan of the queue is this one")
	svg, err := h.Pricing.DrawSlot(t.Context(), supervisor, pricing.ExplainInput{Plan: plan.ID, At: when})
	ok(t, err)
	for _, want := range []string{"service against heads", ">within 30s<", ">abandoned<", ">occupancy<", ">P10–P90<", ">12:15<"} {
		assert.Contains(t, string(svg), want)
	}
}

func TestExplainBounds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.forecast(t, "f", pre, today, 1, 400)
	h.forecast(t, "g", "orca-jd/pre", today, 1, 1)
	h.plans(t, pricing.PlanInput{From: today, Days: 1, Options: pricing.Options{MaxHeads: 3, MinHeads: 2}})
	ask := func(q ids.Queue) pricing.Explanation {
		t.Helper()
		e, err := h.Pricing.Explain(t.Context(), planner, pricing.ExplainInput{Queue: q, At: at(today, 10)})
		ok(t, err)
		return e
	}
	cut := ask(pre)
	assert.Equal(t, "ceiling", cut.Rounding.Bound)
	assert.Equal(t, 3, cut.Rounding.Heads)
	assert.Greater(t, cut.Rounding.Needed, 3)
	raised := ask("orca-jd/pre")
	assert.Equal(t, "floor", raised.Rounding.Bound)
	assert.Equal(t, 2, raised.Need.Heads)
	assert.Equal(t, 1, raised.Rounding.Needed)
	assert.InDelta(t, 0, raised.Agreed.PerMissedYuan, 0, "a term without a ladder has no price")

	for name, c := range map[string]struct {
		in   pricing.ExplainInput
		code string
	}{
		"nothing":          {pricing.ExplainInput{}, "plan.explain"},
		"no such plan":     {pricing.ExplainInput{Plan: "x", At: at(today, 10)}, "store.not_found"},
		"no such queue":    {pricing.ExplainInput{Queue: "x", At: at(today, 10)}, "store.not_found"},
		"closed":           {pricing.ExplainInput{Queue: pre, At: at(today, 20)}, "plan.no_slot"},
		"another day":      {pricing.ExplainInput{Queue: pre, At: at(today.Add(9), 10)}, "plan.no_slot"},
		"another's queue":  {pricing.ExplainInput{Queue: pre, Plan: raised.Plan, At: at(today, 10)}, "plan.explain"},
		"nobody may ask a": {pricing.ExplainInput{Queue: "lumi-tmall/after", At: at(today, 10)}, "plan.no_slot"},
	} {
		_, err := h.Pricing.Explain(t.Context(), planner, c.in)
		require.Error(t, err, name)
		_ = refused(t, err, c.code)
	}
}

// Calls are opened with Erlang A: the fractional number of heads lies below the whole one.
func TestExplainCalls(t *testing.T) {
	t.Parallel()
	h := &house{operationstest.New(t, "", operationstest.Definitions(t))}
	h.ApplyContracts(t, operationstest.HotlineYAML)
	h.forecast(t, "f", "demo-hotline/after", today, 1, 60)
	h.plans(t, pricing.PlanInput{From: today, Days: 1})
	e, err := h.Pricing.Explain(t.Context(), planner, pricing.ExplainInput{Queue: "demo-hotline/after", At: at(today, 9)})
	ok(t, err)
	assert.Equal(t, "erlang_a", e.Rounding.Model)
	assert.Empty(t, e.Handling.Open)
	assert.Greater(t, e.Rounding.Fractional, float64(e.Rounding.Needed-1))
	assert.LessOrEqual(t, e.Rounding.Fractional, float64(e.Rounding.Needed))
	want := staffing.ErlangA(staffing.Queue{Contacts: 22.5, Interval: 15 * time.Minute, HandleTime: 150 * time.Second, Patience: e.Target.Patience}, float64(e.Need.Heads), e.Target.Within)
	assert.InDelta(t, want.ServiceLevel, e.Around[1].Share, 1e-12)
	assert.InDelta(t, 0, e.Marginal.CostYuan, 0, "nobody is employed, so an hour has no price")
}

func TestPlanInputIsChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.Pricing.MakePlans(t.Context(), planner, pricing.PlanInput{Days: 1, Options: pricing.Options{
		Method: "magic", Level: 1, Shrinkage: 1, MinHeads: 5, MaxHeads: 4, VolumeFactor: -1, HandleFactor: 1000, TargetShare: 1,
	}})
	var paths []string
	for _, f := range refused(t, err, "plan.input").Fields {
		paths = append(paths, f.Path)
	}
	assert.ElementsMatch(t, []string{"from", "level", "shrinkage", "target_share", "max_heads", "volume_factor", "aht_factor", "method"}, paths)
}
