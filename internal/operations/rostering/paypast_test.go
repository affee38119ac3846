package rostering_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// sixDays is a stack on Wednesday after a published week in which 1001, 25 yuan and a salary, worked eight hours from
// Monday to Saturday: the salary pays 5 x 8 x 25 = 1,000 yuan, Saturday 8 x 25 x 2 = 400 on top.
func sixDays(t *testing.T) *stack {
	t.Helper()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 1, "lumi-tmall/pre")
	var shifts []scheduling.Shift
	for day := range 6 {
		shifts = append(shifts, served("1001", monday.Add(day), 9))
	}
	s.AddPublished(t, "six", calendar.Range{Start: monday.In(shanghai), End: monday.Add(7).In(shanghai)}, shifts...)
	s.Clock = monday.Add(9).In(shanghai).Add(10 * time.Hour)
	return s
}

// paid is what 1001 is paid in a roster.
func (s *stack) paid(t *testing.T, id ids.Roster) rostering.AgentPay {
	t.Helper()
	p, err := s.Rostering.PayRoster(t.Context(), planner, rostering.Ref{Roster: id}, "1001")
	ok(t, err)
	require.Len(t, p.Agents, 1)
	return p.Agents[0]
}

func (s *stack) raise(t *testing.T, wage int64, from calendar.Date) gate.AgentsPut {
	t.Helper()
	s.Clock = s.Clock.Add(time.Minute)
	a, err := s.Administration.Agent(t.Context(), admin, "1001")
	ok(t, err)
	a.Value.Wage = money.Fen(wage)
	done, err := s.Administration.PutAgentsFrom(t.Context(), admin, []workforce.Agent{a.Value}, from)
	ok(t, err)
	return done
}

// A rule or a wage that changes today moves no pay of days that are over, unless it is said to hold for them: then
// whose pay it moves is told. Counted by hand.
func TestPayOfPastDaysStays(t *testing.T) {
	t.Parallel()
	s := sixDays(t)
	set := func(in rostering.HouseRulesInput) rostering.HouseRules {
		s.Clock = s.Clock.Add(time.Minute)
		rules, err := s.Rostering.SetHouseRules(t.Context(), planner, in)
		ok(t, err)
		return rules
	}
	short := map[string]string{"normal_week": "36h"}
	assert.InDelta(t, 400, s.paid(t, "six").Yuan, 1e-9)
	assert.Empty(t, set(rostering.HouseRulesInput{Set: short, Reason: "x"}).PayMoved)
	assert.Empty(t, s.raise(t, 3000, calendar.Date{}).PayMoved)
	a := s.paid(t, "six")
	assert.InDelta(t, 400, a.Yuan, 1e-9, "neither the rule nor the wage of today")
	assert.InDelta(t, 1000, a.Salary, 1e-9)
	assert.InDelta(t, 25, a.Wage, 1e-9)

	// The shorter week held already: four hours of Friday are 150 %, 4 x 25 x 1.5 = 150. Until Wednesday of the next week
	// the salary is of seven workdays, 1,400.
	moved := set(rostering.HouseRulesInput{Set: short, Reason: "x", PayFrom: monday}).PayMoved
	assert.Equal(t, []gate.PayMove{{Agent: "1001", Before: 1800, After: 1950}}, moved)
	assert.InDelta(t, 550, s.paid(t, "six").Yuan, 1e-9)
	// The raise held from Thursday: 4 x 30 x 1.5 + 8 x 30 x 2 = 660 and 3 x 200 + 2 x 240 = 1080. From
	// Thursday on it is 4 x 200 + 150 + 400 before, 4 x 240 + 660 after.
	moved = s.raise(t, 3000, monday.Add(3)).PayMoved
	assert.Equal(t, []gate.PayMove{{Agent: "1001", Before: 1350, After: 1620}}, moved)
	a = s.paid(t, "six")
	assert.InDelta(t, 660, a.Yuan, 1e-9)
	assert.InDelta(t, 1080, a.Salary, 1e-9)
	assert.Equal(t, []float64{25, 30}, []float64{a.Days[2].Wage, a.Days[3].Wage})

	// Part-time from Monday after the week on: the week keeps its salary, that of Monday and Tuesday, 2 x 8 x 30, is gone
	// since they have no shift; and it comes back with the salary.
	was, err := s.Administration.Agent(t.Context(), admin, "1001")
	ok(t, err)
	employ := func(as workforce.Employment) []gate.PayMove {
		s.Clock = s.Clock.Add(time.Minute)
		was.Value.Employment = as
		done, err := s.Administration.PutAgentsFrom(t.Context(), admin, []workforce.Agent{was.Value}, monday.Add(7))
		ok(t, err)
		return done.PayMoved
	}
	full := was.Value.Employment
	assert.Equal(t, []gate.PayMove{{Agent: "1001", Before: 480}}, employ(workforce.PartTime))
	assert.Equal(t, []gate.PayMove{{Agent: "1001", After: 480}}, employ(full))
	_ = employ(workforce.PartTime)
	a = s.paid(t, "six")
	assert.True(t, a.Salaried)
	assert.InDelta(t, 660, a.Yuan, 1e-9)

	for _, from := range []calendar.Date{monday.Add(10), monday.Add(-400)} {
		_, err := s.Rostering.SetHouseRules(t.Context(), planner, rostering.HouseRulesInput{Set: map[string]string{"normal_week": "35h"}, Reason: "x", PayFrom: from})
		assert.Equal(t, "pay_from", refused(t, err, "house_rules.invalid").Fields[0].Path)
		_, err = s.Administration.PutAgentsFrom(t.Context(), admin, []workforce.Agent{was.Value}, from)
		_ = refused(t, err, "agent.pay_from")
	}
}

// What holds for earlier days is what was named, and nothing else: rest days of the calendar hold from today on, and a
// limit of nights that is said to hold since Monday does not bring them along. Counted by hand: five days of eight hours,
// Saturday and Sunday among them, are all in the salary while the house places its rest days.
func TestPayFromMovesOnlyWhatIsNamed(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 1, "lumi-tmall/pre")
	var shifts []scheduling.Shift
	for _, day := range []int{0, 1, 2, 5, 6} {
		shifts = append(shifts, served("1001", monday.Add(day), 9))
	}
	s.AddPublished(t, "weekend", calendar.Range{Start: monday.In(shanghai), End: monday.Add(7).In(shanghai)}, shifts...)
	s.Clock = monday.Add(9).In(shanghai).Add(10 * time.Hour)
	sunday := monday.Add(6)
	for _, step := range []struct {
		in    rostering.HouseRulesInput
		yuan  float64
		moved bool
	}{
		{rostering.HouseRulesInput{Set: map[string]string{"rest_days": "calendar"}}, 0, false},
		{rostering.HouseRulesInput{Set: map[string]string{"night_run": "4"}, PayFrom: monday}, 0, false},
		// The rest days did hold on Sunday: 8 x 25 x 2. The nights keep that, whether they hold from before or from now on.
		{rostering.HouseRulesInput{Set: map[string]string{"rest_days": "calendar"}, PayFrom: sunday}, 400, true},
		{rostering.HouseRulesInput{Reset: []string{"night_run"}, PayFrom: monday}, 400, false},
		{rostering.HouseRulesInput{Set: map[string]string{"night_run": "3"}}, 400, false},
		// 24 hours until Wednesday, so two of Saturday's are beyond 30: 2 x 25 x 1.5 more.
		{rostering.HouseRulesInput{Set: map[string]string{"normal_week": "30h"}, PayFrom: monday}, 475, true},
		// Nor does the calendar hold on Sunday after all, then ten hours are beyond 30: 10 x 25 x 1.5.
		{rostering.HouseRulesInput{Reset: []string{"rest_days"}, PayFrom: monday}, 375, true},
	} {
		s.Clock = s.Clock.Add(time.Minute)
		step.in.Reason = "x"
		rules, err := s.Rostering.SetHouseRules(t.Context(), planner, step.in)
		ok(t, err)
		assert.InDelta(t, step.yuan, s.paid(t, "weekend").Yuan, 1e-9, "version %d", rules.Version)
		assert.Equal(t, step.moved, len(rules.PayMoved) > 0, "version %d", rules.Version)
	}
}

// Saturday is booked as time off: no 200 % for it any more, in pay as in the price of an edit, and of a salary nothing on
// top. The hours of Friday's overtime, at 150 %, are not given back. When the shift goes, the next booking takes the
// time off back; what was taken already is told.
func TestTimeOffReplacesTheRestDayPay(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	s.Clock = monday.Add(9).In(shanghai).Add(10 * time.Hour)
	saturday, friday := served("1001", monday.Add(5), 9), monday.Add(4).In(shanghai).Add(9*time.Hour)
	record := func(edits ...revise.Edit) {
		_, err := s.edit(t, rostering.EditInput{Edits: edits, Reason: "补录", Past: true, Overrule: true, Publish: true})
		ok(t, err)
	}
	record(revise.Edit{Kind: revise.Add, Shift: &saturday}, revise.Edit{Kind: revise.Resize, Agent: "1001", Start: friday, NewEnd: friday.Add(10 * time.Hour)})
	assert.InDelta(t, 437.5, s.paid(t, "week").Yuan, 1e-9, "8 x 25 x 2 and 1 x 25 x 1.5")
	off := revise.Edit{Kind: revise.Remove, Agent: "1001", Start: saturday.Start}
	price := func() float64 {
		v, err := s.Rostering.JudgeEdit(ctx, supervisor, "week", []revise.Edit{off})
		ok(t, err)
		return v.Cost.Wages
	}
	assert.InDelta(t, -400, price(), 1e-9)
	earn := func() requesting.LieuEarned {
		s.Clock = s.Clock.Add(time.Minute)
		done, err := s.Requesting.EarnLieu(ctx, supervisor, calendar.Dates{From: monday, Until: monday.Add(7)}, nil)
		ok(t, err)
		return done
	}
	booked := earn()
	require.Len(t, booked.Rows, 1)
	assert.Equal(t, 480, booked.Rows[0].Minutes)
	assert.Empty(t, earn().Rows)
	a := s.paid(t, "week")
	assert.InDelta(t, 37.5, a.Yuan, 1e-9)
	assert.Equal(t, rostering.PayDay{Date: monday.Add(5), Wage: 25, PayHours: rostering.PayHours{Lieu: 8}}, a.Days[5])
	assert.InDelta(t, 0, price(), 1e-9)

	// Three hours are taken as time off, then Saturday turns out not to have been worked.
	_, err := s.Requesting.AskLeave(ctx, supervisor, requesting.LeaveInput{
		Agent: "1001", Kind: leave.Compensatory, Range: calendar.Range{Start: monday.Add(14).In(shanghai).Add(9 * time.Hour), End: monday.Add(14).In(shanghai).Add(12 * time.Hour)},
	})
	ok(t, err)
	record(off)
	p, err := s.Rostering.PayRoster(ctx, planner, rostering.Ref{Roster: "week"}, "1001")
	ok(t, err)
	assert.InDelta(t, 37.5, p.Total.Yuan, 1e-9)
	assert.Zero(t, p.Total.Lieu)
	require.Len(t, p.Notes, 1)
	assert.Contains(t, p.Notes[0], "1001 2026-06-20")
	assert.Contains(t, p.Notes[0], "leave earn takes 5 h back")
	assert.Contains(t, p.Notes[0], "3 h are taken as leave already")
	balance := func() int {
		all, err := s.Requesting.LeaveBalances(ctx, supervisor, "1001", monday.Add(9))
		ok(t, err)
		for _, b := range all {
			if b.Kind == leave.Compensatory {
				return b.Available
			}
		}
		return -1
	}
	taken := 480 - balance()
	assert.Positive(t, taken)
	back := earn()
	require.Len(t, back.Rows, 1)
	assert.Equal(t, taken-480, back.Rows[0].Minutes)
	require.Len(t, back.Notes, 1)
	assert.Zero(t, balance())
	p, err = s.Rostering.PayRoster(ctx, planner, rostering.Ref{Roster: "week"}, "1001")
	ok(t, err)
	require.Len(t, p.Notes, 1)
	assert.NotContains(t, p.Notes[0], "leave earn", "there is nothing left that it could take back")
	assert.Contains(t, p.Notes[0], "3 h are taken as leave already")

	// Worked after all: the whole day is booked again, as far as it is not taken already.
	record(revise.Edit{Kind: revise.Add, Shift: &saturday})
	assert.Equal(t, 480-taken, earn().Rows[0].Minutes)
	assert.InDelta(t, 37.5, s.paid(t, "week").Yuan, 1e-9)
}

// Without a salary the hours are paid like ordinary ones, so that a day worked for a day off is paid once.
func TestTimeOffOfWhoIsPaidByTheHour(t *testing.T) {
	t.Parallel()
	s := sixDays(t)
	a, err := s.Administration.Agent(t.Context(), admin, "1001")
	ok(t, err)
	a.Value.Employment = workforce.Agency
	_, err = s.Administration.PutAgentsFrom(t.Context(), admin, []workforce.Agent{a.Value}, monday.Add(-10))
	ok(t, err)
	assert.InDelta(t, 5*200+400, s.paid(t, "six").Yuan, 1e-9)
	_, err = s.Requesting.EarnLieu(t.Context(), supervisor, calendar.Dates{From: monday, Until: monday.Add(7)}, nil)
	ok(t, err)
	assert.InDelta(t, 6*200, s.paid(t, "six").Yuan, 1e-9)
	s.Clock = s.Clock.Add(time.Minute)
	_, err = s.Requesting.AdjustLeave(t.Context(), supervisor, requesting.AdjustInput{Agent: "1001", Kind: leave.Compensatory, Minutes: -480, Lot: "2026-06-20", On: monday.Add(9), Note: "未休，折算工资"})
	ok(t, err)
	assert.InDelta(t, 5*200+400, s.paid(t, "six").Yuan, 1e-9, "paid out by hand: the 200 % are due again")
}

// Saturday was given back by hand before it was booked: it is time off once, and not paid 200 % beside it. When it turns
// out not to have been worked, nobody promises that a booking mends what was done by hand.
func TestTimeOffByHandIsNotBookedAgain(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	s.Clock = monday.Add(9).In(shanghai).Add(10 * time.Hour)
	_, err := s.Requesting.AdjustLeave(ctx, supervisor, requesting.AdjustInput{Agent: "1001", Kind: leave.Compensatory, Minutes: 480, Lot: "2026-06-20", On: monday.Add(9), Note: "周六加班"})
	ok(t, err)
	saturday := served("1001", monday.Add(5), 9)
	record := func(e revise.Edit) {
		_, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{e}, Reason: "补录", Past: true, Overrule: true, Publish: true})
		ok(t, err)
	}
	pay := func() rostering.RosterPay {
		done, err := s.Requesting.EarnLieu(ctx, supervisor, calendar.Dates{From: monday, Until: monday.Add(7)}, nil)
		ok(t, err)
		assert.Empty(t, done.Rows)
		p, err := s.Rostering.PayRoster(ctx, planner, rostering.Ref{Roster: "week"}, "1001")
		ok(t, err)
		return p
	}
	record(revise.Edit{Kind: revise.Add, Shift: &saturday})
	p := pay()
	assert.InDelta(t, 8, p.Total.Lieu, 1e-9)
	assert.InDelta(t, 0, p.Total.Yuan, 1e-9)
	assert.Empty(t, p.Notes)
	record(revise.Edit{Kind: revise.Remove, Agent: "1001", Start: saturday.Start})
	p = pay()
	require.Len(t, p.Notes, 1)
	assert.NotContains(t, p.Notes[0], "leave earn")
	assert.Contains(t, p.Notes[0], "8 h were booked by hand")
}

// The salary of a week with a statutory Friday is 5 x 8 x 25 = 1,000 yuan. Annual leave and a shift that is taken away
// leave it; a day of personal leave takes 200 yuan and two hours of unpaid time off 50, and both are told.
func TestWhatCutsASalary(t *testing.T) {
	t.Parallel()
	s := festive(t)
	ctx := t.Context()
	var shifts []scheduling.Shift
	for day := range 4 {
		shifts = append(shifts, served("1001", monday.Add(day), 9))
	}
	s.AddPublished(t, "week", calendar.Range{Start: monday.In(shanghai), End: monday.Add(7).In(shanghai)}, shifts...)
	assert.InDelta(t, 1000, s.paid(t, "week").Salary, 1e-9)

	_, err := s.Requesting.GrantAnnualLeave(ctx, supervisor, 2026, nil)
	ok(t, err)
	s.leaveDay(t, leave.Annual, monday)
	assert.InDelta(t, 1000, s.paid(t, "week").Salary, 1e-9)
	_, err = s.edit(t, rostering.EditInput{Edits: []revise.Edit{{Kind: revise.Remove, Agent: "1001", Start: shifts[1].Start}}, Reason: "人手够", Publish: true})
	ok(t, err)
	a := s.paid(t, "week")
	assert.InDelta(t, 1000, a.Salary, 1e-9)
	assert.Zero(t, a.Yuan)

	s.leaveDay(t, leave.Personal, monday.Add(2))
	offer, err := s.Requesting.OfferHours(ctx, supervisor, requesting.OfferInput{
		Kind: leave.TimeOff, Queue: "lumi-tmall/pre", Block: calendar.Range{Start: shifts[3].End.Add(-2 * time.Hour), End: shifts[3].End}, Heads: 1, To: []ids.Agent{"1001"},
	})
	ok(t, err)
	me := access.Principal{User: "u-1001", Name: "1001", Role: access.AgentRole, Agent: "1001"}
	_, err = s.Requesting.Act(ctx, me, offer.Request.Value.ID, requesting.ActInput{Action: leave.Accept})
	ok(t, err)
	a = s.paid(t, "week")
	assert.InDelta(t, 750, a.Salary, 1e-9)
	assert.InDelta(t, -250, a.Yuan, 1e-9)
	assert.InDelta(t, 10, a.Unpaid, 1e-9)
	assert.Equal(t, rostering.PayDay{Date: monday.Add(3), Wage: 25, PayHours: rostering.PayHours{Normal: 6, Unpaid: 2, Yuan: -50}}, a.Days[len(a.Days)-1])
}

// leaveDay grants 1001 a day of leave.
func (s *stack) leaveDay(t *testing.T, kind leave.LeaveKind, day calendar.Date) {
	t.Helper()
	s.Clock = s.Clock.Add(time.Minute)
	got, err := s.Requesting.AskLeave(t.Context(), supervisor, requesting.LeaveInput{Agent: "1001", Kind: kind, Dates: calendar.Dates{From: day, Until: day.Add(1)}})
	ok(t, err)
	if got.Request.Value.State != leave.Approved {
		_, err = s.Requesting.Act(t.Context(), supervisor, got.Request.Value.ID, requesting.ActInput{Action: leave.Approve})
		ok(t, err)
	}
}

// The explanation of a roster counts Saturday's 200 % among the premiums until it is given back as time off.
func TestExplainKnowsTimeOffInLieu(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	made, err := s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{From: monday, Days: 7, Iterations: 50, Threads: 1})
	ok(t, err)
	_, err = s.Rostering.PublishRoster(ctx, planner, rostering.PublishInput{Roster: made.Roster.ID, Expect: operations.AnyVersion, Replace: true, Reason: "x"})
	ok(t, err)
	s.Clock = monday.Add(9).In(shanghai).Add(10 * time.Hour)
	var edits []revise.Edit
	for _, x := range made.Solution.Roster.Shifts {
		edits = append(edits, revise.Edit{Kind: revise.Remove, Agent: x.Agent, Start: x.Start})
	}
	for day := range 6 {
		shift := served("1003", monday.Add(day), 9)
		edits = append(edits, revise.Edit{Kind: revise.Add, Shift: &shift})
	}
	_, err = s.edit(t, rostering.EditInput{Roster: made.Roster.ID, Edits: edits, Reason: "补录", Past: true, Overrule: true, Publish: true})
	ok(t, err)
	premiums := func() float64 {
		x, err := s.Rostering.ExplainRoster(ctx, planner, rostering.Ref{Roster: made.Roster.ID}, roster.Question{})
		ok(t, err)
		assert.InDelta(t, 3000, x.Salaries, 1e-9, "three salaries of 5 x 8 x 25")
		return x.Parts.Premiums
	}
	assert.InDelta(t, 400, premiums(), 1e-9)
	_, err = s.Requesting.EarnLieu(ctx, supervisor, calendar.Dates{From: monday, Until: monday.Add(7)}, nil)
	ok(t, err)
	assert.InDelta(t, 0, premiums(), 1e-9)
}
