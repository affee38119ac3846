package requesting_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// One head is missing from 17 to 18, worth 80 yuan an hour: an hour at 150 % of 30 yuan nets 35.
func TestOvertimeOffer(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(t, "w1", monday, 7, shift("a1", monday, 8, 17), shift("a2", monday, 8, 17), shift("a3", monday, 9, 18))
		h.plan(t, monday, 2, 80)
		h.policy(t, func(p *leave.Policy) { p.OfferTo = 2 })
		in := requesting.OfferInput{Kind: leave.Overtime, Queue: pre, Block: calendar.Range{Start: at(monday, 17), End: at(monday, 18)}, Heads: 1, Dry: true}
		dry, err := h.OfferHours(ctx, supervisor, in)
		ok(t, err)
		require.Len(t, dry.Candidates, len(agents))
		// Those without a shift would work the hour in normal time, which their salary pays; a1 and a2 for 45.
		var order []ids.Agent
		for _, c := range dry.Candidates {
			order = append(order, c.Agent)
		}
		assert.Equal(t, []ids.Agent{"a4", "a5", "a6", "b1", "a1", "a2", "a3"}, order)
		assert.InDelta(t, 80, dry.Candidates[0].NetYuan, 1e-9)
		assert.InDelta(t, 35, dry.Candidates[4].NetYuan, 1e-9)
		assert.Equal(t, "offer.works", dry.Candidates[6].Rule)
		_, err = h.OfferHours(ctx, as("a1"), in)
		fails(t, err, "access.forbidden")

		in.Dry, in.To = false, []ids.Agent{"a3"}
		_, err = h.OfferHours(ctx, supervisor, in)
		fails(t, err, "offer.input")
		in.To = []ids.Agent{"a1", "a2"}
		got, err := h.OfferHours(ctx, supervisor, in)
		ok(t, err)
		id := got.Request.Value.ID
		mine, err := h.Request(ctx, as("a1"), id)
		ok(t, err)
		assert.Len(t, mine.Value.Parties, 1)
		assert.Empty(t, mine.Value.Offer.Candidates, "nobody's price or rank")
		_, err = h.Request(ctx, as("a4"), id)
		fails(t, err, "store.not_found")
		var won atomic.Int64
		var wg sync.WaitGroup
		for _, a := range []ids.Agent{"a1", "a2"} {
			wg.Go(func() {
				if _, err := h.Act(ctx, as(a), id, requesting.ActInput{Action: leave.Accept}); err == nil {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, won.Load(), "one head, one of two who accept at once")
		assert.Equal(t, 1, strings.Count(strings.Join(h.shifts(t), ","), "06-15 08-18"))
		view, err := h.Request(ctx, supervisor, id)
		ok(t, err)
		assert.Equal(t, leave.Filled, view.Value.State)
		assert.Equal(t, []leave.Action{"offer", leave.Accept, leave.Fill}, []leave.Action{view.Steps[0].Action, view.Steps[1].Action, view.Steps[2].Action})
	})
}

// Three are there and two are needed: one may go two hours early. Who declines makes room for the next.
func TestTimeOffOffer(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18), shift("a2", monday, 9, 18), shift("a3", monday, 9, 18))
	h.plan(t, monday, 2, 80)
	h.policy(t, func(p *leave.Policy) { p.OfferTo = 1 })
	in := requesting.OfferInput{Kind: leave.TimeOff, Queue: pre, Block: calendar.Range{Start: at(monday, 16), End: at(monday, 18)}, Heads: 1}
	got, err := h.OfferHours(ctx, supervisor, in)
	ok(t, err)
	assert.InDelta(t, 60, got.Candidates[0].NetYuan, 1e-9, "two hours of 30 yuan are saved, nothing is lost")
	id := got.Request.Value.ID
	first := got.Request.Value.Parties[0].Agent
	assert.Equal(t, ids.Agent("a1"), first)
	h.act(t, as("a1"), id, leave.Decline)
	_, err = h.Act(ctx, as("a1"), id, requesting.ActInput{Action: leave.Accept})
	fails(t, err, "request.answered")
	h.act(t, as("a2"), id, leave.Accept)
	assert.Contains(t, h.shifts(t), "a2 06-15 09-16")

	// Now nobody can be spared: an hour is worth 80 yuan and costs 30.
	_, err = h.OfferHours(ctx, supervisor, in)
	fails(t, err, "offer.nobody")
	more := in
	more.To = []ids.Agent{"a1"} // the supervisor may all the same
	got, err = h.OfferHours(ctx, supervisor, more)
	ok(t, err)
	done := h.act(t, supervisor, got.Request.Value.ID, leave.Withdraw)
	assert.Equal(t, leave.Withdrawn, done.Value.State)
	in.Kind = leave.Swap
	_, err = h.OfferHours(ctx, supervisor, in)
	fails(t, err, "offer.input")
}

// A lottery over three open shifts: its order is that of the hashes of seed and agent, told with the
// result; a bid can be changed and taken back until it closes.
func TestBidding(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(t, "w1", monday, 7, shift("a3", monday, 9, 18))
		in := requesting.BiddingInput{
			Method: leave.Lottery, Seed: "2026-06", Most: 1, ClosesAt: at("2026-06-14", 0),
			Shifts: []requesting.OpenShift{{Start: at(monday, 9), End: at(monday, 18), Queue: pre, Code: "D", Meal: 60}, {Start: at(tuesday, 9), End: at(tuesday, 18), Queue: pre, Heads: 2, Meal: 60}},
		}
		r, err := h.OpenBidding(ctx, supervisor, in)
		ok(t, err)
		id := r.Value.ID
		require.Len(t, r.Value.Round.Shifts, 3)
		bid := func(a ids.Agent, wishes ...int) error {
			_, err := h.Act(ctx, as(a), id, requesting.ActInput{Action: leave.PutBid, Wishes: wishes})
			return err
		}
		ok(t, bid("a1", 0, 1))
		ok(t, bid("a2", 1))
		ok(t, bid("a2", 0, 2))
		ok(t, bid("a3", 0, 1))
		ok(t, bid("a4", 2))
		h.act(t, as("a4"), id, leave.TakeBack)
		fails(t, bid("a5", 0, 0, 3), "bidding.wishes")
		fails(t, bid("a5"), "bidding.wishes")
		_, err = h.Act(ctx, as("a1"), id, requesting.ActInput{Action: leave.Draw})
		fails(t, err, "access.forbidden")
		_, err = h.Act(ctx, supervisor, id, requesting.ActInput{Action: leave.Draw})
		fails(t, err, "bidding.open") // a bid that is still to come would be cut off
		_, err = h.Act(ctx, supervisor, id, requesting.ActInput{Action: leave.Draw, Early: true, Reason: " "})
		fails(t, err, "bidding.open")
		h.clock = at("2026-06-14", 1)
		fails(t, bid("a5", 0), "bidding.closed")
		done := h.act(t, supervisor, id, leave.Draw)
		assert.Equal(t, leave.Drawn, done.Value.State)
		// a3 works on Monday; of a1 and a2 the smaller hash has it.
		first, second := ids.Agent("a1"), ids.Agent("a2")
		if leave.LotteryKey("2026-06", "a2") < leave.LotteryKey("2026-06", "a1") {
			first, second = second, first
		}
		assert.ElementsMatch(t, []string{"a3 06-15 09-18", string(first) + " 06-15 09-18", string(second) + " 06-16 09-18", "a3 06-16 09-18"}, h.shifts(t))
		seen, err := h.Request(ctx, as("a1"), id)
		ok(t, err)
		assert.Equal(t, "2026-06", seen.Value.Round.Seed)
		assert.Len(t, seen.Value.Round.Order, 3)
		for _, p := range seen.Value.Parties {
			assert.Equal(t, leave.Won, p.State)
		}
		_, err = h.OpenBidding(ctx, supervisor, requesting.BiddingInput{Method: "beauty", Shifts: []requesting.OpenShift{{}}})
		fails(t, err, "bidding.round")
		long := in
		long.Shifts = []requesting.OpenShift{{Start: at(monday, 6), End: at(monday, 23), Queue: pre}}
		_, err = h.OpenBidding(ctx, supervisor, long)
		fails(t, err, "bidding.round")
		assert.ErrorContains(t, err, "is 17h of work; nobody may work more than")
		nine := in
		nine.ClosesAt = at(monday, 9)
		nine.Shifts = []requesting.OpenShift{{Start: at(monday, 9), End: at(monday, 18), Queue: pre}} // nine hours, and nobody has agreed to overtime
		_, err = h.OpenBidding(ctx, supervisor, nine)
		assert.Contains(t, refused(t, err, "bidding.round").Fields[0].Problem, "nobody may work it")
		scored := in
		scored.Method, scored.Seed = leave.ByScore, ""
		_, err = h.OpenBidding(ctx, supervisor, scored)
		assert.Equal(t, "scores", refused(t, err, "bidding.round").Fields[0].Path)
		in.Shifts[0].Start, in.Shifts[0].End = at("2026-07-06", 9), at("2026-07-06", 18)
		_, err = h.OpenBidding(ctx, supervisor, in)
		fails(t, err, "request.no_roster")
	})
}

// A draw before the end of the bids is a supervisor's with a reason, and the trail tells both.
func TestEarlyDraw(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "w1", monday, 7)
	r, err := h.OpenBidding(ctx, supervisor, requesting.BiddingInput{
		Method: leave.BySeniority, ClosesAt: at("2026-06-14", 18), Shifts: []requesting.OpenShift{{Start: at(monday, 9), End: at(monday, 18), Queue: pre, Meal: 60}},
	})
	ok(t, err)
	_, err = h.Act(ctx, as("a1"), r.Value.ID, requesting.ActInput{Action: leave.PutBid, Wishes: []int{0}})
	ok(t, err)
	done, err := h.Act(ctx, supervisor, r.Value.ID, requesting.ActInput{Action: leave.Draw, Early: true, Reason: "全员已投"})
	ok(t, err)
	assert.Equal(t, leave.Drawn, done.Value.State)
	assert.Equal(t, []string{"a1 06-15 09-18"}, h.shifts(t))
	view, err := h.Request(ctx, supervisor, r.Value.ID)
	ok(t, err)
	last := view.Steps[len(view.Steps)-1]
	assert.Contains(t, last.Reason, "全员已投")
	assert.Contains(t, last.Reason, "2026-06-14 18:00")
}

// A certificate that a queue demands stops a swap until it is on file; a pack until it is read.
func TestFactsBite(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18))
	_, err := h.PutQueueTerms(ctx, planner, []workrules.QueueTerms{{Queue: pre, Certificate: "lumi-2026", Packs: []workrules.Pack{{Code: "618", Dates: calendar.Dates{From: date("2026-06-01"), Until: date("2026-06-21")}}}}}, 0)
	ok(t, err)
	give, err := h.GiveShift(ctx, as("a1"), requesting.GiveInput{Start: at(monday, 9)})
	ok(t, err)
	take := func() error {
		_, err := h.Act(ctx, as("a2"), give.Value.ID, requesting.ActInput{Action: leave.Take})
		return err
	}
	e := refused(t, take(), "request.unlawful")
	assert.Contains(t, e.Error(), "lumi-2026")
	put, err := h.ImportFacts(ctx, planner, "certs.csv", strings.NewReader("\ufeff工号,类型,代码,开始日期,结束日期\na2,认证,lumi-2026,2026-01-01,2026-12-31\n"), false)
	ok(t, err)
	assert.Equal(t, store.PutResult{Added: 1}, put.PutResult)
	assert.Empty(t, put.Broken, "a certificate breaks nothing")
	e = refused(t, take(), "request.unlawful")
	assert.Contains(t, e.Error(), "618")
	_, err = h.AcknowledgePack(ctx, as("a2"), "", "double12")
	fails(t, err, "pack.unknown")
	_, err = h.AcknowledgePack(ctx, as("a2"), "a1", "618")
	fails(t, err, "access.forbidden")
	_, err = h.AcknowledgePack(ctx, as("a2"), "", "618")
	ok(t, err)
	again, err := h.AcknowledgePack(ctx, as("a2"), "", "618")
	ok(t, err)
	assert.Equal(t, 1, again.Unchanged)
	ok(t, take())

	mine, _, err := h.Facts(ctx, as("a2"), store.FactFilter{}, store.Page{})
	ok(t, err)
	require.Len(t, mine, 2)
	others, _, err := h.Facts(ctx, as("a1"), store.FactFilter{}, store.Page{})
	ok(t, err)
	assert.Empty(t, others)
	fails(t, h.DeleteFact(ctx, supervisor, mine[0].Value.ID), "access.forbidden")
	ok(t, h.DeleteFact(ctx, planner, mine[0].Value.ID))
	fails(t, h.DeleteFact(ctx, planner, mine[0].Value.ID), "store.not_found")
	fails(t, h.DeleteFact(ctx, as("a2"), "x"), "access.forbidden")
	_, err = h.PutFacts(ctx, planner, []workforce.Fact{{Agent: "nobody", Kind: workforce.CareerFact, Dates: day(monday)}}, false)
	fails(t, err, "facts.invalid")
	_, err = h.PutQueueTerms(ctx, planner, []workrules.QueueTerms{{Queue: "none", Shops: -1}, {Queue: "none", Packs: []workrules.Pack{{}}}}, 0)
	assert.Len(t, refused(t, err, "queue_terms.invalid").Fields, 6)
}

// Carried hours, agreements and sessions reach the rules: an agreed day of six hours stops overtime.
func TestAgreementsReachTheRules(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "w1", monday, 7, shift("a1", monday, 8, 17))
	_, err := h.ImportFacts(ctx, planner, "f.csv", strings.NewReader("agent,kind,code,from,to,start,end,day_hours,hours\n"+
		"a2,agreement,,2026-01-01,,,,6,\na3,session,training,,,2026-06-15 10:00,2026-06-15 12:00,,\na4,carried,,2026-01-01,2026-05-31,,,,880\n"), false)
	ok(t, err)
	give, err := h.GiveShift(ctx, as("a1"), requesting.GiveInput{Start: at(monday, 8)})
	ok(t, err)
	for agent, rule := range map[ids.Agent]string{"a2": "agreement.day", "a3": "training.work_time"} {
		_, err = h.Act(ctx, as(agent), give.Value.ID, requesting.ActInput{Action: leave.Take})
		e := refused(t, err, "request.unlawful")
		var rules []string
		for _, f := range e.Fields {
			rules = append(rules, f.Value)
		}
		assert.Contains(t, rules, rule)
	}
	_, err = h.PutFacts(ctx, planner, []workforce.Fact{{Agent: "a4", Kind: workforce.CarriedFact, Dates: calendar.Dates{From: date("2026-05-01"), Until: date("2026-06-01")}, Hours: 10}}, false)
	fails(t, err, "facts.invalid")
}

// A file with an unknown agent, a cell that cannot be read and hours that overlap those on file is told of
// all three at once, by row and column, and nothing of it is kept.
func TestImportTellsEveryFault(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		may := workforce.Fact{Agent: "a1", Kind: workforce.CarriedFact, Dates: calendar.Dates{From: date("2026-05-01"), Until: date("2026-06-01")}, Hours: 100}
		_, err := h.PutFacts(ctx, planner, []workforce.Fact{may}, false)
		ok(t, err)
		_, err = h.ImportFacts(ctx, planner, "f.csv", strings.NewReader("工号,类型,代码,开始日期,结束日期,工时\n"+
			"a2,认证,x,2026-01-01,,\nnobody,认证,x,2026-01-01,,\na3,认证,x,soon,,\na1,结转工时,,2026-05-15,2026-05-20,10\na4,结转工时,,2026-05-01,2026-05-31,viele\n"), false)
		f := refused(t, err, "facts.rows")
		var places []string
		for _, x := range f.Fields {
			places = append(places, fmt.Sprintf("%s:%d %s", x.File, x.Row, x.Column))
		}
		assert.Equal(t, []string{"f.csv:3 工号", "f.csv:4 开始日期", "f.csv:5 开始日期", "f.csv:6 工时"}, places)
		all, _, err := h.Facts(ctx, planner, store.FactFilter{}, store.Page{})
		ok(t, err)
		assert.Len(t, all, 1, "only what was on file before")
		_, err = h.PutFacts(ctx, planner, []workforce.Fact{{Agent: "nobody", Kind: workforce.CareerFact, Dates: day(monday)}, {Agent: "a1", Kind: "hobby"}}, false)
		assert.Len(t, refused(t, err, "facts.invalid").Fields, 2, "the domain's and the store's together")
	})
}

// An agreement of six hours a day puts a published shift of eight in the wrong: it is named with its rule,
// tried or done, and stays in the roster.
func TestFactsTellWhatTheyBreak(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18), shift("a2", monday, 9, 18), shift("a1", "2026-06-17", 9, 18))
		agreed := []workforce.Fact{{Agent: "a1", Kind: workforce.AgreementFact, Dates: calendar.Dates{From: date(tuesday)}, Agreement: &workrules.Agreement{DayHours: 6}}}
		tried, err := h.PutFacts(ctx, planner, agreed, true)
		ok(t, err)
		assert.True(t, tried.Dry)
		require.Len(t, tried.Broken, 1, "Monday's shift is before the agreement")
		b := tried.Broken[0]
		assert.Equal(t, "agreement.day", b.Rule)
		assert.Equal(t, ids.Agent("a1"), b.Agent)
		require.Len(t, b.Shifts, 1)
		assert.True(t, b.Shifts[0].Start.Equal(at("2026-06-17", 9)))
		none, _, err := h.Facts(ctx, planner, store.FactFilter{}, store.Page{})
		ok(t, err)
		assert.Empty(t, none, "only tried")
		done, err := h.PutFacts(ctx, planner, agreed, false)
		ok(t, err)
		assert.Equal(t, tried.Broken, done.Broken)
		assert.Equal(t, 1, done.Added)
		again, err := h.PutFacts(ctx, planner, agreed, false)
		ok(t, err)
		assert.Empty(t, again.Broken, "known by now")
		assert.Len(t, h.shifts(t), 3)
	})
}

// A fact that has held for long is told only of shifts from today on: those that are over nobody can change.
func TestFactsLeaveOutWhatIsOver(t *testing.T) {
	h := sqlite(t)
	h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18), shift("a1", tuesday, 9, 18), shift("a1", "2026-06-17", 9, 18))
	h.clock = at(tuesday, 8)
	agreed := []workforce.Fact{{Agent: "a1", Kind: workforce.AgreementFact, Dates: calendar.Dates{From: date("2026-01-01")}, Agreement: &workrules.Agreement{DayHours: 6}}}
	tried, err := h.PutFacts(t.Context(), planner, agreed, true)
	ok(t, err)
	require.Len(t, tried.Broken, 2, "Tuesday and Wednesday; Monday is over")
	for i, day := range []string{tuesday, "2026-06-17"} {
		require.Len(t, tried.Broken[i].Shifts, 1)
		assert.True(t, tried.Broken[i].Shifts[0].Start.Equal(at(day, 9)))
	}
}

// A certificate that a queue asks for from now on puts the published shifts of whoever has none in the wrong;
// those that are over are left alone.
func TestTermsTellWhatTheyBreak(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "w0", "2026-06-08", 7, shift("a1", "2026-06-08", 9, 18))
	h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18), shift("a2", monday, 9, 18))
	_, err := h.PutFacts(ctx, planner, []workforce.Fact{{Agent: "a2", Kind: workforce.CertificateFact, Code: "c", Dates: calendar.Dates{From: date("2026-01-01")}}}, false)
	ok(t, err)
	put, err := h.PutQueueTerms(ctx, planner, []workrules.QueueTerms{{Queue: pre, Certificate: "c"}}, 0)
	ok(t, err)
	require.NotEmpty(t, put.Broken)
	for _, b := range put.Broken {
		assert.Equal(t, ids.Agent("a1"), b.Agent)
		assert.Equal(t, "certificate.merchant", b.Rule)
		assert.True(t, b.Shifts[0].Start.Equal(at(monday, 9)))
	}
	read, err := h.QueueTerms(ctx, planner)
	ok(t, err)
	assert.Empty(t, read.Broken)
}

func TestFairnessOpens(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18), shift("a1", "2026-06-19", 15, 24), shift("a1", "2026-06-20", 9, 18), shift("a2", tuesday, 9, 18))
	in := requesting.FairnessInput{Dates: calendar.Dates{From: date(monday), Until: date("2026-06-22")}}
	all, err := h.Fairness(ctx, supervisor, in)
	ok(t, err)
	require.Len(t, all.Agents, len(agents))
	assert.Equal(t, map[leave.Burden]int{leave.Night: 1, leave.Holiday: 1, leave.Weekend: 1}, all.Agents[0].Counts)
	assert.Empty(t, all.Rows)
	mine, err := h.Fairness(ctx, as("a1"), in)
	ok(t, err)
	require.Len(t, mine.Agents, 1, "an agent sees its own")
	assert.Len(t, mine.Rows, 3)
	in.Agents = []ids.Agent{"a2"}
	_, err = h.Fairness(ctx, as("a1"), in)
	fails(t, err, "store.not_found")
	_, err = h.Fairness(ctx, supervisor, requesting.FairnessInput{})
	fails(t, err, "fairness.input")
}

// Who left before the days is not in the ledger, unless shifts of it are.
func TestFairnessLeavesFormerPeopleOut(t *testing.T) {
	h := sqlite(t)
	left := func(id ids.Agent) {
		ok(t, h.db.Change(t.Context(), planner, h.clock, func(tx *store.Tx) error {
			a, err := tx.In(access.Scope{Everything: true}).Agent(t.Context(), id)
			if err == nil {
				a.Value.Employed.Until = date(monday)
				a.Value.Skills = nil
				_, err = tx.PutAgent(a.Value, store.AnyVersion)
			}
			return err
		}))
	}
	h.publish(t, "w1", monday, 7, shift("a5", monday, 9, 18))
	left("a5")
	left("a6")
	f, err := h.Fairness(t.Context(), supervisor, requesting.FairnessInput{Dates: calendar.Dates{From: date(monday), Until: date("2026-06-22")}})
	ok(t, err)
	var listed []ids.Agent
	for _, a := range f.Agents {
		listed = append(listed, a.Agent)
	}
	assert.Contains(t, listed, ids.Agent("a5"), "it has a shift")
	assert.NotContains(t, listed, ids.Agent("a6"))
	assert.Len(t, listed, len(agents)-1)
}

// Hours that have begun are offered to nobody.
func TestOnlyHoursToComeAreOffered(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.publish(t, "w1", monday, 7, shift("a1", monday, 8, 17))
		h.plan(t, monday, 2, 80)
		in := requesting.OfferInput{Kind: leave.Overtime, Queue: pre, Block: calendar.Range{Start: h.clock.Add(-time.Hour), End: h.clock.Add(time.Hour)}, Heads: 1, Dry: true}
		_, err := h.OfferHours(t.Context(), supervisor, in)
		fails(t, err, "offer.input")
	})
}

// Whoever was reported absent is offered nothing then, nor takes a shift: a1 is ill on Monday.
func TestWhoIsReportedAbsentIsOfferedNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		h.publish(t, "w1", monday, 7, shift("a2", monday, 8, 12))
		h.plan(t, monday, 2, 80)
		ok(t, h.db.Change(t.Context(), planner, h.clock, func(tx *store.Tx) error {
			_, err := tx.PutFacts([]workforce.Fact{{Agent: "a1", Kind: workforce.AbsenceFact, Range: calendar.Range{Start: at(monday, 0), End: at(monday, 24)}, Note: "病假"}})
			return err
		}))
		given, err := h.GiveShift(t.Context(), supervisor, requesting.GiveInput{Agent: "a2", Start: at(monday, 8), Everybody: true})
		ok(t, err)
		_, err = h.Act(t.Context(), as("a1"), given.Value.ID, requesting.ActInput{Action: leave.Take})
		fails(t, err, "request.unlawful")
		in := requesting.OfferInput{Kind: leave.Overtime, Queue: pre, Block: calendar.Range{Start: at(monday, 17), End: at(monday, 18)}, Heads: 1, Dry: true}
		dry, err := h.OfferHours(t.Context(), supervisor, in)
		ok(t, err)
		for _, c := range dry.Candidates {
			assert.Equal(t, c.Agent != "a1" && c.Agent != "a2", c.Legal, "%s: a2 would come twice that day", c.Agent)
			if c.Agent == "a1" {
				assert.Equal(t, "fit.available", c.Rule)
			}
		}
	})
}

// By which rule somebody may not work a shift can tell of a pregnancy: the other bidders read only that rules forbid it.
func TestOthersDoNotReadWhichRuleForbids(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18))
	r, err := h.OpenBidding(ctx, supervisor, requesting.BiddingInput{
		Method: leave.ByScore, Scores: map[ids.Agent]float64{"a1": 9, "a2": 1}, ClosesAt: at("2026-06-14", 18),
		Shifts: []requesting.OpenShift{{Start: at(monday, 9), End: at(monday, 18), Queue: pre, Meal: 60}},
	})
	ok(t, err)
	for _, a := range []ids.Agent{"a1", "a2"} {
		_, err = h.Act(ctx, as(a), r.Value.ID, requesting.ActInput{Action: leave.PutBid, Wishes: []int{0}})
		ok(t, err)
	}
	_, err = h.Act(ctx, supervisor, r.Value.ID, requesting.ActInput{Action: leave.Draw, Early: true, Reason: "全员已投"})
	ok(t, err)
	reason := func(who access.Principal) string {
		view, err := h.Request(ctx, who, r.Value.ID)
		ok(t, err)
		first := view.Value.Round.Results[0]
		assert.Equal(t, ids.Agent("a1"), first.Agent)
		assert.False(t, first.Won)
		return first.Reason
	}
	rule := reason(supervisor)
	assert.NotContains(t, []string{"rules", "taken"}, rule)
	assert.Equal(t, rule, reason(as("a1")))
	assert.Equal(t, "rules", reason(as("a2")))
}
