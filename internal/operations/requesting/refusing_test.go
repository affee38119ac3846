package requesting_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// 98 days of maternity leave with the document are the law's (女职工劳动保护特别规定 §7): a supervisor cannot refuse
// them, with or without a reason, unless the document does not prove them; one day more is the house's to decide.
func TestLeaveOfTheLawCannotBeRefused(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	ask := func(kind leave.LeaveKind, from string, days int, proof string) leave.Request {
		got, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: kind, Proof: proof, Dates: calendar.Dates{From: date(from), Until: date(from).Add(days)}})
		ok(t, err)
		assert.Equal(t, leave.Waiting, got.Request.Value.State)
		return got.Request.Value
	}
	refuse := func(r leave.Request, reason string, unproven bool) error {
		_, err := h.Act(ctx, supervisor, r.ID, requesting.ActInput{Action: leave.Refuse, Reason: reason, Unproven: unproven})
		return err
	}
	birth := ask(leave.Maternity, "2026-07-01", 98, "出生证 0042")
	fails(t, refuse(birth, "", false), "leave.owed")
	f := refused(t, refuse(birth, "人手不足", false), "leave.owed")
	assert.Contains(t, f.Message, "女职工劳动保护特别规定 §7")
	_, err := h.Act(ctx, supervisor, birth.ID, requesting.ActInput{Action: leave.Withdraw, Reason: "太忙"})
	fails(t, err, "leave.owed")
	fails(t, refuse(birth, " ", true), "leave.reason")
	ok(t, refuse(birth, "出生证为他人", true))
	view, err := h.Request(ctx, supervisor, birth.ID)
	ok(t, err)
	assert.Equal(t, "出生证为他人 [材料不能证明 / the document does not prove it: 出生证 0042]", view.Steps[1].Reason)

	longer := ask(leave.Maternity, "2026-07-01", 99, "出生证")
	fails(t, refuse(longer, "", false), "leave.reason")
	ok(t, refuse(longer, "超过98天的部分另行申请", false))
	without := ask(leave.Sick, "2026-07-01", 1, "")
	fails(t, refuse(without, "", false), "leave.reason")
	ok(t, refuse(without, "缺病假单", false))
	again := ask(leave.Maternity, "2026-07-01", 98, "出生证")
	h.act(t, supervisor, again.ID, leave.Approve)
	_, err = h.Act(ctx, supervisor, again.ID, requesting.ActInput{Action: leave.Cancel})
	fails(t, err, "leave.reason")
}

// Annual leave is arranged by the house, which says why it puts it off (职工带薪年休假条例 §5); personal leave is the
// house's own. A supervisor who withdraws leave of the law for the agent says why too, the agent itself need not.
func TestWhatTheHouseArrangesNeedsAReason(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	_, err := h.GrantAnnualLeave(ctx, supervisor, 2026, nil)
	ok(t, err)
	h.policy(t, func(p *leave.Policy) {
		p.Closures = []leave.Closure{{Name: "盘点", Dates: calendar.Dates{From: date("2026-07-06"), Until: date("2026-07-11")}}}
	})
	ask := func(kind leave.LeaveKind) leave.Request {
		got, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: kind, Dates: day("2026-07-06")})
		ok(t, err)
		return got.Request.Value
	}
	annual := ask(leave.Annual)
	for _, do := range []leave.Action{leave.Refuse, leave.Withdraw} {
		_, err = h.Act(ctx, supervisor, annual.ID, requesting.ActInput{Action: do})
		fails(t, err, "leave.reason")
	}
	assert.Equal(t, 2400-480, h.balance(t, "a1", leave.Annual), "it still waits")
	_, err = h.Act(ctx, supervisor, annual.ID, requesting.ActInput{Action: leave.Refuse, Reason: "盘点，改到下周"})
	ok(t, err)
	assert.Equal(t, 2400, h.balance(t, "a1", leave.Annual))
	h.act(t, as("a1"), ask(leave.Annual).ID, leave.Withdraw)
	h.act(t, supervisor, ask(leave.Personal).ID, leave.Refuse)
}
