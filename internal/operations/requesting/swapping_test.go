package requesting_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

func swapOf(a ids.Agent, day string, hour int, b ids.Agent, otherDay string, otherHour int) requesting.SwapInput {
	return requesting.SwapInput{Agent: a, Start: at(day, hour), Other: b, OtherStart: at(otherDay, otherHour)}
}

// Both consent, the supervisor approves, and the shifts change owners over two rosters.
func TestSwap(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18), shift("a2", tuesday, 9, 18))
		h.publish(t, "w2", "2026-06-22", 7, shift("a2", "2026-06-22", 9, 18))
		in := swapOf("", monday, 9, "a2", "2026-06-22", 9)
		got, err := h.ProposeSwap(ctx, as("a1"), in)
		ok(t, err)
		id := got.Request.Value.ID
		assert.Equal(t, leave.Waiting, got.Request.Value.State)
		_, err = h.Act(ctx, as("a1"), id, requesting.ActInput{Action: leave.Accept})
		fails(t, err, "request.part")
		_, err = h.Act(ctx, as("a3"), id, requesting.ActInput{Action: leave.Accept})
		fails(t, err, "store.not_found")
		_, err = h.Act(ctx, supervisor, id, requesting.ActInput{Action: leave.Approve})
		fails(t, err, "request.state")
		assert.Equal(t, leave.Agreed, h.act(t, as("a2"), id, leave.Accept).Value.State)
		assert.Contains(t, h.shifts(t), "a1 06-15 09-18", "nothing moves before the approval")
		done := h.act(t, supervisor, id, leave.Approve)
		assert.Equal(t, leave.Done, done.Value.State)
		assert.Equal(t, []string{"a2 06-15 09-18", "a2 06-16 09-18", "a1 06-22 09-18"}, h.shifts(t))
		proof, err := h.db.VerifyAudit(ctx)
		ok(t, err)
		assert.Positive(t, proof.Rows)
		rows, _, err := h.db.In(access.Scope{Everything: true}).Audit(ctx, store.AuditFilter{Kind: "roster"}, store.Page{})
		ok(t, err)
		assert.Equal(t, "roster.revise", rows[0].Action)
		assert.Equal(t, supervisor.User, rows[0].Actor)

		_, err = h.ProposeSwap(ctx, as("a1"), in)
		fails(t, err, "request.no_shift")
		_, err = h.ProposeSwap(ctx, as("a1"), requesting.SwapInput{Other: "a1"})
		fails(t, err, "swap.input")
	})
}

// Without the house's approval the consent is enough; a swap that breaks a rule is not asked, and says
// what would break and what would make it legal. What breaks on the other's side is not told.
func TestSwapRules(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.policy(t, func(p *leave.Policy) { p.SwapApproval = false })
	h.publish(t, "w1", monday, 7, shift("a1", monday, 17, 25), shift("a2", tuesday, 8, 16), shift("a2", "2026-06-18", 9, 18), shift("a3", "2026-06-17", 9, 18))
	in := swapOf("a1", monday, 17, "a2", "2026-06-18", 9)
	in.Dry = true
	dry, err := h.ProposeSwap(ctx, supervisor, in)
	ok(t, err)
	assert.False(t, dry.Other.Legal, "a2 would end at 01:00 and begin at 08:00")
	assert.NotEmpty(t, dry.Other.Remedy)
	in.Dry = false
	_, err = h.ProposeSwap(ctx, supervisor, in)
	e := refused(t, err, "request.unlawful")
	assert.Equal(t, "rest.between_block", e.Fields[0].Value)
	assert.Contains(t, e.Error(), "would do:")
	_, err = h.ProposeSwap(ctx, as("a1"), in)
	e = refused(t, err, "request.unlawful")
	require.Len(t, e.Fields, 1)
	assert.NotContains(t, e.Error(), "rest")
	_, err = h.ProposeSwap(ctx, as("a1"), swapOf("a3", "2026-06-17", 9, "a2", tuesday, 8))
	fails(t, err, "access.forbidden")

	got, err := h.ProposeSwap(ctx, as("a3"), swapOf("a3", "2026-06-17", 9, "a2", tuesday, 8))
	ok(t, err)
	assert.Equal(t, leave.Done, h.act(t, as("a2"), got.Request.Value.ID, leave.Accept).Value.State)
	assert.Contains(t, h.shifts(t), "a3 06-16 08-16")
	late := swapOf("a3", tuesday, 8, "a2", "2026-06-18", 9) // begins on Tuesday at 08:00
	late.ExpiresAt = at(tuesday, 9)
	_, err = h.ProposeSwap(ctx, as("a3"), late)
	fails(t, err, "request.expiry")
}

// A change of either's shifts around the swap makes it stale; one elsewhere does not. What ran out is
// expired, by the next step or by the job.
func TestStaleAndExpired(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18), shift("a2", tuesday, 9, 18), shift("a2", "2026-06-18", 9, 18), shift("a3", "2026-06-18", 12, 21))
	move := func(drop, add scheduling.Shift) {
		ok(t, h.db.Change(ctx, planner, h.clock, func(tx *store.Tx) error {
			_, _, err := tx.ReviseShifts("w1", store.Revision{Why: "edit", Reason: "x", Changes: []revise.Change{{Before: &drop, After: &add}}}, store.AnyVersion)
			return err
		}))
	}
	ask := func() ids.Request {
		got, err := h.ProposeSwap(ctx, as("a1"), swapOf("", monday, 9, "a2", tuesday, 9))
		ok(t, err)
		return got.Request.Value.ID
	}
	one := ask()
	move(shift("a3", "2026-06-18", 12, 21), shift("a3", "2026-06-18", 13, 22))
	h.act(t, as("a2"), one, leave.Accept)
	move(shift("a2", "2026-06-18", 9, 18), shift("a2", "2026-06-18", 10, 19))
	_, err := h.Act(ctx, supervisor, one, requesting.ActInput{Action: leave.Approve})
	fails(t, err, "request.stale")
	view, err := h.Request(ctx, supervisor, one)
	ok(t, err)
	assert.Equal(t, leave.Stale, view.Value.State, "and it stays so")
	assert.Equal(t, leave.GoStale, view.Steps[len(view.Steps)-1].Action)

	two, three := ask(), ask()
	h.clock = at(monday, 9)
	_, err = h.Act(ctx, as("a2"), two, requesting.ActInput{Action: leave.Accept})
	fails(t, err, "request.expired")
	view, err = h.Request(ctx, supervisor, two)
	ok(t, err)
	assert.Equal(t, leave.Expired, view.Value.State)
	n, err := h.ExpireRequests(ctx, planner, h.clock)
	ok(t, err)
	assert.EqualValues(t, 1, n)
	view, err = h.Request(ctx, supervisor, three)
	ok(t, err)
	assert.Equal(t, leave.Expired, view.Value.State)
}

// A shift given away is seen by the team; two who take it at once: exactly one has it.
func TestTwoTakersAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.policy(t, func(p *leave.Policy) { p.SwapApproval = false })
		h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18))
		r, err := h.GiveShift(ctx, as("a1"), requesting.GiveInput{Start: at(monday, 9), Reason: "看病"})
		ok(t, err)
		id := r.Value.ID
		seen, _, err := h.Requests(ctx, as("a2"), store.RequestFilter{}, store.Page{})
		ok(t, err)
		require.Len(t, seen, 1)
		_, err = h.Request(ctx, as("b1"), id)
		fails(t, err, "store.not_found") // another team
		_, err = h.Act(ctx, as("a2"), id, requesting.ActInput{Action: leave.Claim})
		fails(t, err, "give.first")

		takers := []ids.Agent{"a2", "a3", "a4", "a5", "a6"}
		var won atomic.Int64
		var wg sync.WaitGroup
		codes := make([]string, len(takers))
		for i, a := range takers {
			wg.Go(func() {
				if _, err := h.Act(ctx, as(a), id, requesting.ActInput{Action: leave.Take}); err != nil {
					codes[i] = fault.CodeOf(err)
				} else {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		assert.EqualValues(t, 1, won.Load())
		for _, code := range codes {
			if code != "" {
				assert.Contains(t, []string{"request.state", "store.not_found"}, code, "too late")
			}
		}
		left := h.shifts(t)
		require.Len(t, left, 1)
		view, err := h.Request(ctx, supervisor, id)
		ok(t, err)
		assert.Equal(t, leave.Done, view.Value.State)
		assert.Equal(t, string(view.Value.Other)+" 06-15 09-18", left[0])
	})
}

// With pick, agents come forward and the supervisor chooses; who took a shift can give it back before
// the approval.
func TestGiveWithPick(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "w1", monday, 7, shift("a1", monday, 9, 18), shift("a4", monday, 9, 18), shift("a1", tuesday, 9, 18))
	r, err := h.GiveShift(ctx, as("a1"), requesting.GiveInput{Start: at(monday, 9), Pick: true, Everybody: true})
	ok(t, err)
	id := r.Value.ID
	h.act(t, as("a2"), id, leave.Claim)
	h.act(t, as("b1"), id, leave.Claim)
	h.act(t, as("a3"), id, leave.Claim)
	h.act(t, as("a3"), id, leave.Unclaim)
	_, err = h.Act(ctx, as("a2"), id, requesting.ActInput{Action: leave.Claim})
	fails(t, err, "give.claimed")
	_, err = h.Act(ctx, as("a2"), id, requesting.ActInput{Action: leave.Take})
	fails(t, err, "give.pick")
	_, err = h.Act(ctx, as("a4"), id, requesting.ActInput{Action: leave.Claim})
	fails(t, err, "request.unlawful") // works then
	_, err = h.Act(ctx, as("a1"), id, requesting.ActInput{Action: leave.Claim})
	fails(t, err, "request.part")
	mine, err := h.Request(ctx, as("a2"), id)
	ok(t, err)
	assert.Len(t, mine.Value.Parties, 1, "not the others")
	_, err = h.Act(ctx, supervisor, id, requesting.ActInput{Action: leave.Pick, Agent: "a3"})
	fails(t, err, "give.not_claimed")
	done, err := h.Act(ctx, supervisor, id, requesting.ActInput{Action: leave.Pick, Agent: "b1", Reason: "轮到二组"})
	ok(t, err)
	assert.Equal(t, leave.Done, done.Value.State)
	assert.Equal(t, []string{"a4 06-15 09-18", "b1 06-15 09-18", "a1 06-16 09-18"}, h.shifts(t))

	r, err = h.GiveShift(ctx, as("a1"), requesting.GiveInput{Start: at(tuesday, 9)})
	ok(t, err)
	assert.Equal(t, leave.Agreed, h.act(t, as("a2"), r.Value.ID, leave.Take).Value.State)
	back := h.act(t, as("a2"), r.Value.ID, leave.Decline)
	assert.Equal(t, leave.Open, back.Value.State)
	assert.Empty(t, back.Value.Other)
	h.act(t, as("a3"), r.Value.ID, leave.Take)
	h.act(t, supervisor, r.Value.ID, leave.Approve)
	assert.Contains(t, h.shifts(t), "a3 06-16 09-18")
}

// A shift is given away once at a time: while it is open, and while its taker waits for the supervisor. Withdrawn, it
// can be given away again; another shift can be all the while.
func TestAShiftIsGivenAwayOnce(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "r", monday, 14, shift("a1", monday, 9, 18), shift("a1", tuesday, 9, 18))
	give := func(day string) (store.Request, error) {
		return h.GiveShift(ctx, as("a1"), requesting.GiveInput{Start: at(day, 9), Everybody: true})
	}
	first, err := give(monday)
	ok(t, err)
	_, err = give(monday)
	assert.Contains(t, refused(t, err, "give.twice").Message, string(first.Value.ID))
	h.act(t, as("a2"), first.Value.ID, leave.Take)
	_, err = give(monday)
	fails(t, err, "give.twice")
	_, err = give(tuesday)
	ok(t, err)
	h.act(t, as("a1"), first.Value.ID, leave.Withdraw)
	_, err = give(monday)
	ok(t, err)
}

// Whatever a crowd does in whatever order: the trail never leaves the table of steps, no balance is
// below zero, no shift has two owners or gets lost but by leave, and the audit chain holds.
func TestAnySequenceOfCalls(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	var shifts []scheduling.Shift
	for d := range 10 {
		for i, a := range agents[:4] {
			if (d+i)%3 != 0 {
				shifts = append(shifts, shift(a, date(monday).Add(d).String(), 9, 18))
			}
		}
	}
	h.publish(t, "w1", monday, 14, shifts...)
	_, err := h.GrantAnnualLeave(ctx, supervisor, 2026, agents[:4])
	ok(t, err)
	everything := access.Scope{Everything: true}
	random := rand.New(rand.NewPCG(6, 8))
	pick := func(list []ids.Agent) ids.Agent { return list[random.IntN(len(list))] }
	var open []ids.Request
	for range 250 {
		h.clock = h.clock.Add(time.Duration(random.IntN(20)) * time.Minute)
		me := pick(agents[:4])
		current, err := gate.PublishedShifts(ctx, h.db.In(everything), calendar.Range{Start: at(monday, 0), End: at("2026-07-01", 0)})
		ok(t, err)
		var own []scheduling.Shift
		for _, s := range current {
			if s.Agent == me {
				own = append(own, s)
			}
		}
		start := at(monday, 9)
		if len(own) > 0 {
			start = own[random.IntN(len(own))].Start
		}
		switch random.IntN(6) {
		case 0:
			kind := []leave.LeaveKind{leave.Annual, leave.Personal}[random.IntN(2)]
			if got, err := h.AskLeave(ctx, as(me), requesting.LeaveInput{Kind: kind, Dates: day(date(monday).Add(random.IntN(10)).String())}); err == nil {
				open = append(open, got.Request.Value.ID)
			}
		case 1:
			other := current[random.IntN(len(current))]
			if got, err := h.ProposeSwap(ctx, as(me), requesting.SwapInput{Start: start, Other: other.Agent, OtherStart: other.Start}); err == nil {
				open = append(open, got.Request.Value.ID)
			}
		case 2:
			if r, err := h.GiveShift(ctx, as(me), requesting.GiveInput{Start: start, Pick: random.IntN(2) == 0}); err == nil {
				open = append(open, r.Value.ID)
			}
		default:
			if len(open) > 0 {
				who := as(me)
				in := requesting.ActInput{Action: leave.Actions[random.IntN(len(leave.Actions))]}
				if random.IntN(2) == 0 {
					who = supervisor
					in.Agent = []ids.Agent{"", me}[random.IntN(2)]
				}
				_, _ = h.Act(ctx, who, open[random.IntN(len(open))], in) // most make no sense here: they are refused
			}
		}
	}
	checkHouse(t, h, shifts, open)
}

func checkHouse(t *testing.T, h *house, before []scheduling.Shift, requests []ids.Request) {
	t.Helper()
	ctx := t.Context()
	everything := h.db.In(access.Scope{Everything: true})
	after, err := gate.PublishedShifts(ctx, everything, calendar.Range{Start: at(monday, 0), End: at("2026-07-01", 0)})
	ok(t, err)
	require.NoError(t, scheduling.Roster{Shifts: after}.Validate(), "nobody is in two places")
	times := map[string]int{}
	count := func(list []scheduling.Shift, by int) {
		for _, s := range list {
			times[fmt.Sprint(s.Start.Unix(), s.End.Unix())] += by
		}
	}
	count(before, 1)
	count(after, -1)
	states := map[leave.State]int{}
	for _, id := range requests {
		r, err := everything.Request(ctx, id)
		ok(t, err)
		states[r.Value.State]++
		if r.Value.Kind == leave.Absence {
			for _, e := range r.Value.Effects { // what leave took, and still has
				count(e.Drop, -1)
				count(e.Add, 1)
			}
		}
		steps, err := everything.RequestSteps(ctx, id)
		ok(t, err)
		state := steps[0].To
		for i, s := range steps[1:] {
			require.Equal(t, state, s.From)
			next, err := leave.Next(r.Value.Kind, s.From, s.Action, leave.Asker, leave.Other, leave.Boss, leave.System)
			require.NoError(t, err)
			require.Equal(t, next, s.To)
			require.Equal(t, i+2, s.Seq)
			state = s.To
		}
		require.Equal(t, r.Value.State, state)
	}
	for key, n := range times {
		assert.Zero(t, n, "shifts at %s", key)
	}
	assert.Greater(t, len(states), 4, "the sequence gets somewhere: %v", states)
	balances, err := h.LeaveBalances(ctx, supervisor, "", date(monday))
	ok(t, err)
	for _, b := range balances {
		for _, l := range b.Lots {
			assert.GreaterOrEqual(t, l.Left, 0)
		}
	}
	_, err = h.db.VerifyAudit(ctx)
	ok(t, err)
}
