package requesting_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

func day(d string) calendar.Dates { return calendar.Dates{From: date(d), Until: date(d).Add(1)} }

// Five days of 480 minutes are granted; a day of leave is granted by itself and takes its shift and its
// 480 minutes; cancelled, both come back.
func TestAnnualLeave(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		h.publish(t, "r", monday, 14, shift("a1", monday, 9, 18), shift("a1", tuesday, 9, 18), shift("a2", monday, 9, 18))
		booked, err := h.GrantAnnualLeave(ctx, supervisor, 2026, nil)
		ok(t, err)
		assert.Len(t, booked, len(agents), "two full years of work: five days each")
		assert.Equal(t, 2400, h.balance(t, "a1", leave.Annual))
		again, err := h.GrantAnnualLeave(ctx, supervisor, 2026, nil)
		ok(t, err)
		assert.Empty(t, again, "a year is booked once")

		dry, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Annual, Dates: day(monday), Dry: true})
		ok(t, err)
		assert.Equal(t, leave.Grant, dry.Decision.Outcome)
		assert.Nil(t, dry.Request)
		assert.Equal(t, 2400, h.balance(t, "a1", leave.Annual))

		got, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Annual, Dates: day(monday), Reason: "家里有事"})
		ok(t, err)
		assert.Equal(t, leave.Approved, got.Request.Value.State)
		assert.Equal(t, []leave.Charge{{Date: date(monday), Minutes: 480}}, got.Charge, "nine hours with a meal of one")
		assert.Equal(t, 1920, h.balance(t, "a1", leave.Annual))
		assert.Equal(t, []string{"a2 06-15 09-18", "a1 06-16 09-18"}, h.shifts(t))

		_, err = h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Personal, Dates: day(monday)})
		fails(t, err, "leave.rejected")
		_, err = h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Agent: "a2", Kind: leave.Annual, Dates: day(monday)})
		fails(t, err, "access.forbidden")
		_, err = h.AskLeave(ctx, as("a1"), requesting.LeaveInput{})
		assert.Len(t, refused(t, err, "leave.input").Fields, 2)
		_, err = h.Act(ctx, as("a2"), got.Request.Value.ID, requesting.ActInput{Action: leave.Cancel})
		fails(t, err, "store.not_found")

		done := h.act(t, as("a1"), got.Request.Value.ID, leave.Cancel)
		assert.Equal(t, leave.Cancelled, done.Value.State)
		assert.Equal(t, 2400, h.balance(t, "a1", leave.Annual))
		assert.Equal(t, []string{"a1 06-15 09-18", "a2 06-15 09-18", "a1 06-16 09-18"}, h.shifts(t))
		_, err = h.Act(ctx, as("a1"), got.Request.Value.ID, requesting.ActInput{Action: leave.Cancel})
		fails(t, err, "request.state")

		view, err := h.Request(ctx, supervisor, got.Request.Value.ID)
		ok(t, err)
		var trail []string
		for _, s := range view.Steps {
			trail = append(trail, string(s.Action)+": "+string(s.From)+" > "+string(s.To)+" by "+s.AuthorName)
		}
		assert.Equal(t, []string{"ask:  > waiting by a1", "approve: waiting > approved by a1", "cancel: approved > cancelled by a1"}, trail)
		rows, _, err := h.LeaveEntries(ctx, as("a1"), store.LeaveFilter{}, store.Page{})
		ok(t, err)
		sum := 0
		for _, e := range rows {
			sum += e.Minutes
			assert.Equal(t, ids.Agent("a1"), e.Agent)
		}
		assert.Equal(t, []int{3, 2400}, []int{len(rows), sum})
	})
}

// A full team waits for the supervisor, who sees what the day loses; refused leave gives its minutes back.
func TestLeaveNeedsASupervisor(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "r", monday, 14, shift("a1", monday, 9, 18), shift("a2", monday, 9, 18), shift("a3", monday, 9, 18))
	h.plan(t, monday, 3, 20)
	_, err := h.GrantAnnualLeave(ctx, supervisor, 2026, nil)
	ok(t, err)
	h.policy(t, func(p *leave.Policy) { p.AutoYuan = 500 })
	first, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Annual, Dates: day(monday)})
	ok(t, err)
	require.Equal(t, leave.Approved, first.Request.Value.State)
	assert.Nil(t, first.Decision.LostYuan, "an agent is not told what it is worth")
	kept, err := h.Request(ctx, supervisor, first.Request.Value.ID)
	ok(t, err)
	assert.InDelta(t, 8*20, *kept.Value.Leave.Decision.LostYuan, 1e-9, "eight hours of work of nine")

	h.policy(t, func(p *leave.Policy) { p.Quotas = []leave.Quota{{Name: "每日一人", Team: "t1", Heads: 1}} })
	second, err := h.AskLeave(ctx, as("a2"), requesting.LeaveInput{Kind: leave.Annual, Dates: day(monday)})
	ok(t, err)
	assert.Equal(t, leave.Waiting, second.Request.Value.State)
	assert.Equal(t, 1920, h.balance(t, "a2", leave.Annual), "held while it waits")
	_, err = h.Act(ctx, as("a2"), second.Request.Value.ID, requesting.ActInput{Action: leave.Approve})
	fails(t, err, "access.forbidden")
	done, err := h.Act(ctx, supervisor, second.Request.Value.ID, requesting.ActInput{Action: leave.Refuse, Reason: "双人在岗"})
	ok(t, err)
	assert.Equal(t, leave.Refused, done.Value.State)
	assert.Equal(t, 2400, h.balance(t, "a2", leave.Annual))

	third, err := h.AskLeave(ctx, supervisor, requesting.LeaveInput{Agent: "a3", Kind: leave.Sick, Dates: day(monday), Proof: "0042"})
	ok(t, err)
	assert.Equal(t, leave.Waiting, third.Request.Value.State)
	h.act(t, supervisor, third.Request.Value.ID, leave.Approve)
	assert.Equal(t, []string{"a2 06-15 09-18"}, h.shifts(t), "the law grants it although the quota is full")
	third2, err := h.Act(ctx, supervisor, third.Request.Value.ID, requesting.ActInput{Action: leave.Cancel, Expect: 1})
	fails(t, err, "store.conflict")
	assert.Zero(t, third2)
}

// The shift that leave took away cannot come back when somebody works it by then.
func TestCancelledLeaveKeepsTheRoster(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "r", monday, 14, shift("a1", monday, 9, 18))
	got, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Personal, Dates: day(monday)})
	ok(t, err)
	require.Equal(t, leave.Approved, got.Request.Value.State)
	ok(t, h.db.Change(ctx, planner, h.clock, func(tx *store.Tx) error {
		_, err := tx.SetRosterState("r", store.Archived, store.AnyVersion)
		return err
	}))
	done := h.act(t, supervisor, got.Request.Value.ID, leave.Cancel)
	assert.Equal(t, leave.Cancelled, done.Value.State)
	assert.NotEmpty(t, done.Value.Effects, "what did not come back")
	view, err := h.Request(ctx, supervisor, got.Request.Value.ID)
	ok(t, err)
	assert.Contains(t, view.Steps[2].Reason, "did not come back")
}

// Half a day takes half of the shift; days of a promotion's wave wait for the supervisor; after the
// leave began only a supervisor cancels.
func TestPartOfADay(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "r", monday, 14, shift("a1", monday, 9, 18), shift("a1", tuesday, 9, 18))
	in := requesting.LeaveInput{Kind: leave.Personal, Range: calendar.Range{Start: at(monday, 14), End: at(monday, 18)}}
	got, err := h.AskLeave(ctx, as("a1"), in)
	ok(t, err)
	assert.Equal(t, []leave.Charge{{Date: date(monday), Minutes: 240}}, got.Charge)
	assert.Equal(t, []string{"a1 06-15 09-14", "a1 06-16 09-18"}, h.shifts(t))
	h.policy(t, func(p *leave.Policy) {
		p.Closures = []leave.Closure{{Name: "618", Dates: calendar.Dates{From: date(tuesday), Until: date("2026-06-20")}}}
	})
	closed, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Personal, Dates: day(tuesday)})
	ok(t, err)
	assert.Equal(t, leave.Waiting, closed.Request.Value.State)
	h.clock = at(monday, 15)
	_, err = h.Act(ctx, as("a1"), got.Request.Value.ID, requesting.ActInput{Action: leave.Cancel})
	fails(t, err, "leave.begun")
	h.act(t, supervisor, got.Request.Value.ID, leave.Cancel)
	assert.Equal(t, []string{"a1 06-15 09-18", "a1 06-16 09-18"}, h.shifts(t))
}

// A sixth day in a week is rest-day work: taken as time off, once; statutory holidays are not.
func TestTimeOffInLieu(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	h.publish(t, "r", monday, 14, shift("a1", monday, 9, 18), shift("a1", tuesday, 9, 18), shift("a1", "2026-06-17", 9, 18), shift("a1", "2026-06-18", 9, 18),
		shift("a1", "2026-06-19", 9, 18), // a statutory holiday: 300 %
		shift("a1", "2026-06-20", 9, 18), shift("a2", "2026-06-20", 9, 18))
	_, err := h.EarnLieu(ctx, supervisor, calendar.Dates{From: date(monday), Until: date("2026-06-22")}, nil)
	fails(t, err, "leave.earn")
	h.clock = at("2026-06-22", 10)
	// Four official working days are left in the week, and five were worked beside the holiday.
	got, err := h.EarnLieu(ctx, supervisor, calendar.Dates{From: date(monday), Until: date("2026-06-22")}, nil)
	ok(t, err)
	require.Len(t, got.Rows, 1)
	assert.Equal(t, ids.Agent("a1"), got.Rows[0].Agent)
	assert.Equal(t, []any{480, "2026-06-20", "2026-12-21"}, []any{got.Rows[0].Minutes, got.Rows[0].On.String(), got.Rows[0].Until.String()})
	again, err := h.EarnLieu(ctx, supervisor, calendar.Dates{From: date(monday), Until: date("2026-06-22")}, nil)
	ok(t, err)
	assert.Empty(t, again.Rows)
	leaveDay, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Compensatory, Dates: day("2026-07-06")})
	ok(t, err)
	assert.Equal(t, leave.Approved, leaveDay.Request.Value.State)
	_, err = h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Compensatory, Dates: day("2026-07-07")})
	fails(t, err, "leave.rejected")
}

func TestAdjustLeave(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	add := requesting.AdjustInput{Agent: "a1", Kind: leave.Annual, Minutes: 960, On: date(monday), Note: "上家单位结转"}
	row, err := h.AdjustLeave(ctx, supervisor, add)
	ok(t, err)
	assert.Equal(t, 960, h.balance(t, "a1", leave.Annual))
	_, err = h.AdjustLeave(ctx, supervisor, requesting.AdjustInput{Agent: "a1", Kind: leave.Annual, Minutes: -961, Lot: row.Lot, On: date(monday), Note: "x"})
	fails(t, err, "leave.adjust")
	_, err = h.AdjustLeave(ctx, supervisor, requesting.AdjustInput{Agent: "a1", Kind: leave.Annual, Minutes: -960, Lot: row.Lot, On: date(monday), Note: "x"})
	ok(t, err)
	assert.Zero(t, h.balance(t, "a1", leave.Annual))
	_, err = h.AdjustLeave(ctx, supervisor, requesting.AdjustInput{Agent: "a1", Kind: leave.Sick})
	assert.Len(t, refused(t, err, "leave.adjust").Fields, 4)
	_, err = h.AdjustLeave(ctx, as("a1"), add)
	fails(t, err, "access.forbidden")
}

// Seniority comes from the day on which somebody began to work anywhere.
func TestCareerDecidesAnnualLeave(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	_, err := h.PutFacts(ctx, planner, []workforce.Fact{{Agent: "a1", Kind: workforce.CareerFact, Dates: calendar.Dates{From: date("2005-07-01")}}}, false)
	ok(t, err)
	_, err = h.GrantAnnualLeave(ctx, supervisor, 2026, []ids.Agent{"a1", "a2"})
	ok(t, err)
	assert.Equal(t, 15*480, h.balance(t, "a1", leave.Annual), "21 years by the end of 2026")
	assert.Equal(t, 5*480, h.balance(t, "a2", leave.Annual))
	assert.Zero(t, h.balance(t, "a3", leave.Annual))
}

// A policy without kinds takes nobody's annual leave: it can be asked for and what waits can be approved. The kinds that
// it does leave out are named, and come back when they are named again.
func TestAPolicyWithoutKindsKeepsAnnualLeave(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	_, err := h.GrantAnnualLeave(ctx, supervisor, 2026, nil)
	ok(t, err)
	_, err = h.AdjustLeave(ctx, supervisor, requesting.AdjustInput{Agent: "a1", Kind: leave.Compensatory, Minutes: 480, Lot: "2026-06-13", On: date(monday), Note: "休息日加班"})
	ok(t, err)
	h.policy(t, func(p *leave.Policy) {
		p.Closures = []leave.Closure{{Name: "盘点", Dates: calendar.Dates{From: date("2026-07-06"), Until: date("2026-07-11")}}}
	})
	waits, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Annual, Dates: day("2026-07-06")})
	ok(t, err)
	require.Equal(t, leave.Waiting, waits.Request.Value.State, "the day is closed")

	p := leave.DefaultPolicy()
	p.Kinds = []leave.KindRule{}
	put, err := h.PutLeavePolicy(ctx, planner, p, store.AnyVersion)
	ok(t, err)
	assert.Equal(t, []leave.LeaveKind{leave.Personal}, put.LeftOut)
	assert.Equal(t, 480, h.balance(t, "a1", leave.Compensatory), "time off that stands in place of pay stays")
	lieu, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Compensatory, Dates: day("2026-07-13")})
	ok(t, err)
	assert.Equal(t, leave.Approved, lieu.Request.Value.State)
	read, err := h.LeavePolicy(ctx, as("a1"))
	ok(t, err)
	assert.Equal(t, put.LeftOut, read.LeftOut)
	assert.Equal(t, put.Policy.Kinds, read.Policy.Kinds)
	h.act(t, supervisor, waits.Request.Value.ID, leave.Approve)
	assert.Equal(t, 2400-480, h.balance(t, "a1", leave.Annual))
	got, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Annual, Dates: day("2026-07-07")})
	ok(t, err)
	assert.Equal(t, leave.Approved, got.Request.Value.State)
	_, err = h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: leave.Personal, Dates: day("2026-07-08")})
	fails(t, err, "leave.rejected")

	p.Kinds = leave.DefaultKinds()
	put, err = h.PutLeavePolicy(ctx, planner, p, store.AnyVersion)
	ok(t, err)
	assert.Empty(t, put.LeftOut)
}

func TestPolicyIsThePlanners(t *testing.T) {
	h := sqlite(t)
	_, err := h.PutLeavePolicy(t.Context(), supervisor, leave.DefaultPolicy(), store.AnyVersion)
	fails(t, err, "access.forbidden")
	bad := leave.DefaultPolicy()
	bad.DayMinutes = 0
	_, err = h.PutLeavePolicy(t.Context(), planner, bad, store.AnyVersion)
	fails(t, err, "leave.policy")
	p, err := h.LeavePolicy(t.Context(), as("a1"))
	ok(t, err)
	assert.Zero(t, p.Version)
}

// A quota, a closed day or a promotion of a place that nobody knows would never bite: each is named with
// what is known.
func TestPolicyNamesKnownPlaces(t *testing.T) {
	h := sqlite(t)
	p := leave.DefaultPolicy()
	p.Quotas = []leave.Quota{{Name: "一组", Team: "t1", Heads: 2}, {Name: "没有的组", Team: "nope", Heads: 2}}
	p.DayMinutes = 0 // another fault, told in the same round
	p.Closures = []leave.Closure{{Name: "盘点", Site: "mars", Dates: day(monday)}, {Name: "大促", Promotion: "doubel11"}, {Name: "波段", Promotion: "618", Phases: []string{"wave", "waev"}}}
	_, err := h.PutLeavePolicy(t.Context(), planner, p, store.AnyVersion)
	f := refused(t, err, "leave.policy")
	paths := map[string]string{}
	for _, x := range f.Fields {
		paths[x.Path] = x.Problem
	}
	assert.Contains(t, paths, "day_minutes")
	delete(paths, "day_minutes")
	p.DayMinutes = leave.DefaultPolicy().DayMinutes
	assert.Equal(t, map[string]string{
		"quotas[1].team": "is no team we know; known: t1, t2", "closures[0].site": "is no site we know; known: hz",
		"closures[1].promotion": "is no promotion we know; known: 618", "closures[2].phases[1]": "is no phase of 618; known: wave",
	}, paths)
	p.Quotas, p.Closures = p.Quotas[:1], []leave.Closure{{Name: "波段", Promotion: "618", Phases: []string{"wave"}}}
	_, err = h.PutLeavePolicy(t.Context(), planner, p, store.AnyVersion)
	ok(t, err)
}

// Time that is taken away is taken from a lot; without one the lots are named.
func TestAdjustNamesTheLots(t *testing.T) {
	h := sqlite(t)
	in := requesting.AdjustInput{Agent: "a1", Kind: leave.Annual, Minutes: 960, Lot: "2026", On: date(monday), Note: "结转"}
	_, err := h.AdjustLeave(t.Context(), supervisor, in)
	ok(t, err)
	in.Minutes, in.Lot = -480, ""
	_, err = h.AdjustLeave(t.Context(), supervisor, in)
	f := refused(t, err, "leave.adjust").Fields
	require.Len(t, f, 1)
	assert.Equal(t, "must be the lot that the time is taken from; there are: 2026 (16 h)", f[0].Problem)
}

// Days of child care leave that were granted earlier in the year count, those of another kind do not.
func TestChildCareDaysOfTheYearAddUp(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	ask := func(kind leave.LeaveKind, from string, days int, dry bool) leave.Decision {
		got, err := h.AskLeave(ctx, as("a1"), requesting.LeaveInput{Kind: kind, Proof: "出生证", Dates: calendar.Dates{From: date(from), Until: date(from).Add(days)}, Dry: dry})
		ok(t, err)
		if !dry {
			h.act(t, supervisor, got.Request.Value.ID, leave.Approve)
		}
		return got.Decision
	}
	ask(leave.ChildCare, "2026-07-06", 5, false)
	ask(leave.Sick, "2026-07-13", 5, false)
	within := ask(leave.ChildCare, "2026-07-20", 5, true).Findings
	require.Len(t, within, 1)
	assert.Contains(t, within[0].Says.ZH, "依法应予批准")
	over := ask(leave.ChildCare, "2026-07-20", 8, true).Findings // with the weekend six working days
	require.Len(t, over, 1)
	assert.Contains(t, over[0].Says.ZH, "已休5天，再休6天")
}
