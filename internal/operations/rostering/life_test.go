package rostering_test

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

var monday = date("2026-06-15")

// served is nine hours from an hour of a day on a queue, with a meal in the middle.
func served(agent ids.Agent, on calendar.Date, hour int) scheduling.Shift {
	s := operationstest.ShiftOf(agent, on, hour)
	meal := s.Start.Add(4 * time.Hour)
	s.Activities = []scheduling.Activity{
		{Kind: scheduling.Work, Queue: "lumi-tmall/pre", Start: s.Start, End: meal},
		{Kind: scheduling.Meal, Start: meal, End: meal.Add(time.Hour)},
		{Kind: scheduling.Work, Queue: "lumi-tmall/pre", Start: meal.Add(time.Hour), End: s.End},
	}
	return s
}

// lifeStack has a published week of three agents with a plan that needs one head from 9 to 18, worth 100
// yuan an hour. 1001 works Monday to Friday, 1002 on Monday; 1003 is free.
func lifeStack(t *testing.T) *stack {
	t.Helper()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 3, "lumi-tmall/pre")
	span := calendar.Range{Start: monday.In(shanghai), End: monday.Add(7).In(shanghai)}
	need := scheduling.Requirement{Queue: "lumi-tmall/pre", Slot: time.Hour}
	for day := range 7 {
		for hour := 9; hour < 18; hour++ {
			need.Needs = append(need.Needs, scheduling.Need{Start: monday.Add(day).In(shanghai).Add(time.Duration(hour) * time.Hour), Heads: 1, Value: 100})
		}
	}
	shifts := []scheduling.Shift{served("1002", monday, 14)}
	for day := range 5 {
		shifts = append(shifts, served("1001", monday.Add(day), 9))
	}
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		if err := tx.AddPlan(store.Plan{ID: "plan", Queue: "lumi-tmall/pre", Range: span, Requirement: need}); err != nil {
			return err
		}
		_, err := tx.AddRoster(store.Roster{ID: "week", Title: "一周", Range: span, Plans: []ids.Plan{"plan"}, Shifts: shifts})
		return err
	}))
	_, err := s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "week", Expect: operations.AnyVersion})
	ok(t, err)
	return s
}

func (s *stack) edit(t *testing.T, in rostering.EditInput) (revising.Applied, error) {
	t.Helper()
	s.Clock = s.Clock.Add(time.Minute)
	if in.Roster == "" {
		in.Roster = "week"
	}
	return s.Rostering.EditRoster(t.Context(), supervisor, in)
}

func move(agent ids.Agent, day, from, to int) revise.Edit {
	at := func(hour int) time.Time { return monday.Add(day).In(shanghai).Add(time.Duration(hour) * time.Hour) }
	return revise.Edit{Kind: revise.Move, Agent: agent, Start: at(from), NewStart: at(to)}
}

// Moving 1001 from 9 to 11 leaves 9 to 11 short, 200 yuan; nobody eats at 13 then but at 15, when 1002
// is there, which was missing before and saves 100; 18 to 20 nobody needs: two hours at 1 yuan, and 14 to
// 15 and so on stay.
func TestAnEditIsJudgedBeforeItIsMade(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	v, err := s.Rostering.JudgeEdit(t.Context(), supervisor, "week", []revise.Edit{move("1001", 0, 9, 11)})
	ok(t, err)
	assert.True(t, v.Allowed)
	require.Len(t, v.Changes, 1)
	require.NotNil(t, v.Cost)
	assert.InDelta(t, 200-100, v.Cost.Short, 1e-6)
	assert.InDelta(t, 0, v.Cost.Wages, 1e-6)
	r, err := s.Rostering.Roster(t.Context(), planner, "week")
	ok(t, err)
	assert.Equal(t, 1, r.Revision, "nothing changed")

	// Tuesday from 05:00 after Monday until 23:00: six hours of rest for 1002.
	early := served("1002", monday.Add(1), 5)
	v, err = s.Rostering.JudgeEdit(t.Context(), supervisor, "week", []revise.Edit{{Kind: revise.Add, Shift: &early}})
	ok(t, err)
	assert.False(t, v.Allowed)
	require.Len(t, v.Broken, 1)
	assert.Equal(t, "rest.between_block", v.Broken[0].Rule)
	require.NotEmpty(t, v.Broken[0].Remedies, "what would make it legal")
	assert.Equal(t, 2*time.Hour, v.Broken[0].Remedies[0].By, "two hours later is eight hours of rest")
	_, err = s.edit(t, rostering.EditInput{Edits: []revise.Edit{{Kind: revise.Add, Shift: &early}}, Reason: "赶工", Overrule: true, Publish: true})
	e := refused(t, err, "roster.unlawful")
	require.Len(t, e.Fields, 1)
	assert.Equal(t, "rest.between_block", e.Fields[0].Value)
	assert.Contains(t, e.Fields[0].Problem, "可行")

	strange := served("1002", monday.Add(1), 9)
	strange.Activities = slices.Clone(strange.Activities)
	strange.Activities[0].Queue = "nope"
	_, err = s.Rostering.JudgeEdit(t.Context(), supervisor, "week", []revise.Edit{{Kind: revise.Add, Shift: &strange}})
	e = refused(t, err, "roster.edit")
	assert.Equal(t, "edits[0].shift.activities[0].queue", e.Fields[0].Path)
	assert.Contains(t, e.Fields[0].Problem, "is no queue we know")

	_, err = s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1001", 0, 9, 10)}, Publish: true})
	assert.Equal(t, "reason", refused(t, err, "roster.edit").Fields[0].Path)
	_, err = s.edit(t, rostering.EditInput{Edits: []revise.Edit{{Kind: revise.Assign, Agent: "1001", Start: monday.In(shanghai).Add(9 * time.Hour), To: "9999"}}, Reason: "x"})
	_ = refused(t, err, "roster.edit")
}

// Slots of a whole day, as of mail, are priced by the part of them that changes: eight of 24 hours at 2,400
// yuan a head and day; the wages of the shift are a part of the salary.
func TestLongSlotsArePricedByTheHour(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	span := calendar.Range{Start: monday.Add(7).In(shanghai), End: monday.Add(14).In(shanghai)}
	need := scheduling.Requirement{Queue: "lumi-tmall/pre", Slot: 24 * time.Hour}
	for day := range 7 {
		need.Needs = append(need.Needs, scheduling.Need{Start: span.Start.AddDate(0, 0, day), Heads: 1, Value: 2400})
	}
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		if err := tx.AddPlan(store.Plan{ID: "mail", Queue: "lumi-tmall/pre", Range: span, Requirement: need}); err != nil {
			return err
		}
		_, err := tx.AddRoster(store.Roster{ID: "mail", Range: span, Plans: []ids.Plan{"mail"}, Shifts: []scheduling.Shift{served("1001", monday.Add(8), 9)}})
		return err
	}))
	v, err := s.Rostering.JudgeEdit(t.Context(), supervisor, "mail", []revise.Edit{{Kind: revise.Remove, Agent: "1001", Start: monday.Add(8).In(shanghai).Add(9 * time.Hour)}})
	ok(t, err)
	require.NotNil(t, v.Cost)
	assert.InDelta(t, 800, v.Cost.Short, 1e-6)
	assert.Zero(t, v.Cost.Wages, "a salary pays the normal hours with and without the shift")
	assert.Equal(t, []workrules.PayShare{{Percent: workrules.PayNormal, Minutes: -480}}, v.Cost.Pay)
}

// Ten hours of rest is a warning by house rule: overruled with a reason, and the trail keeps both.
func TestSoftRulesAreOverruledForAReason(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	soon := served("1002", monday.Add(1), 9)
	in := rostering.EditInput{Edits: []revise.Edit{{Kind: revise.Add, Shift: &soon}}, Reason: "双11 预热", Publish: true}
	_, err := s.edit(t, in)
	e := refused(t, err, "roster.soft_rules")
	assert.Equal(t, "rest.between_warn", e.Fields[0].Value)
	in.Overrule = true
	done, err := s.edit(t, in)
	ok(t, err)
	assert.Equal(t, 2, done.Roster.Revision)
	trail, _, err := s.Rostering.Revisions(t.Context(), planner, "week", operations.Page{})
	ok(t, err)
	require.Len(t, trail, 1)
	assert.Equal(t, "双11 预热", trail[0].Reason)
	assert.Equal(t, supervisor.Name, trail[0].AuthorName)
	assert.Contains(t, string(trail[0].Figures), "rest.between_warn:1002")
}

// The rules look over the border of the roster at what is published beside it.
func TestEditsLookBothWays(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	s.addDraft(t, "next", monday.Add(7), 7, served("1003", monday.Add(7), 5))
	_, err := s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "next", Expect: operations.AnyVersion})
	ok(t, err)
	sunday := served("1003", monday.Add(6), 14) // until 23:00
	v, err := s.Rostering.JudgeEdit(t.Context(), supervisor, "week", []revise.Edit{{Kind: revise.Add, Shift: &sunday}})
	ok(t, err)
	require.NotEmpty(t, v.Broken)
	assert.Equal(t, "rest.between_block", v.Broken[0].Rule)
	before := served("1002", monday.Add(-1), 9)
	_, err = s.Rostering.JudgeEdit(t.Context(), supervisor, "week", []revise.Edit{{Kind: revise.Add, Shift: &before}})
	require.Error(t, err, "a roster holds its own days only")
}

func TestRevisionsOfAPublishedRoster(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	first, err := s.Rostering.Roster(ctx, planner, "week")
	ok(t, err)
	at := monday.In(shanghai)
	swap := revise.Edit{Kind: revise.Swap, Agent: "1001", Start: at.Add(9 * time.Hour), To: "1002", ToStart: at.Add(14 * time.Hour)}
	done, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{swap}, Reason: "双方同意", Publish: true, Overrule: true, Expect: first.Version})
	ok(t, err)
	assert.Equal(t, ids.Roster("week"), done.Roster.ID, "the published roster itself")
	mine, _, err := s.Rostering.Shifts(ctx, agentLumi, operations.ShiftFilter{Range: calendar.Day(monday, shanghai)}, operations.Page{})
	ok(t, err)
	require.Len(t, mine, 1)
	assert.Equal(t, at.Add(14*time.Hour).UTC(), mine[0].Start, "at once")
	_, err = s.edit(t, rostering.EditInput{Edits: []revise.Edit{swap}, Reason: "again", Publish: true, Expect: first.Version})
	_ = refused(t, err, "store.conflict")
	old, err := s.Rostering.RosterAt(ctx, planner, "week", 1)
	ok(t, err)
	assert.Equal(t, first.Shifts, old.Shifts, "what was published stays readable")

	d, err := s.Rostering.DiffRosters(ctx, planner, rostering.Ref{Roster: "week", Revision: 1}, rostering.Ref{Roster: "week"})
	ok(t, err)
	assert.Len(t, d.Moved, 2, "each of both moved")
	assert.Equal(t, 2, d.To.Revision)
	assert.True(t, d.Priced)
	assert.InDelta(t, d.Before.Missing, d.After.Missing, 1e-9, "together they work the same hours")
	assert.InDelta(t, d.Before.Hours, d.After.Hours, 1e-9)

	// Without Publish a draft is made, which takes the place of the published one later, unless that lives on.
	draft, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1001", 1, 9, 10)}, Reason: "晚一小时"})
	ok(t, err)
	assert.NotEqual(t, ids.Roster("week"), draft.Roster.ID)
	assert.Equal(t, ids.Roster("week"), draft.Roster.Parent)
	assert.Equal(t, store.Draft, draft.Roster.State)
	again, err := s.edit(t, rostering.EditInput{Roster: draft.Roster.ID, Edits: []revise.Edit{move("1001", 2, 9, 10)}, Reason: "晚一小时"})
	ok(t, err)
	assert.Equal(t, draft.Roster.ID, again.Roster.ID, "a draft changes in place")
	_, err = s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1001", 3, 9, 10)}, Reason: "今天就改", Publish: true})
	ok(t, err)
	_, err = s.Rostering.PublishRoster(ctx, planner, rostering.PublishInput{Roster: draft.Roster.ID, Expect: operations.AnyVersion})
	assert.Contains(t, refused(t, err, "roster.stale_draft").Message, "changes: 1")
	fresh, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1001", 4, 9, 10)}, Reason: "重来"})
	ok(t, err)
	_, err = s.Rostering.PublishRoster(ctx, planner, rostering.PublishInput{Roster: fresh.Roster.ID, Expect: operations.AnyVersion})
	ok(t, err)
	gone, err := s.Rostering.Roster(ctx, planner, "week")
	ok(t, err)
	assert.Equal(t, store.Archived, gone.State)
	_, err = s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1001", 0, 14, 13)}, Reason: "x", Publish: true})
	_ = refused(t, err, "store.conflict")
}

func TestWhoHasSeenWhat(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	seen := func(id ids.Roster) map[ids.Agent]rostering.Seen {
		t.Helper()
		all, err := s.Rostering.Acknowledgements(ctx, planner, id, false)
		ok(t, err)
		out := map[ids.Agent]rostering.Seen{}
		for _, a := range all {
			out[a.Agent] = a.Seen
		}
		return out
	}
	assert.Equal(t, map[ids.Agent]rostering.Seen{"1001": rostering.SeenNothing, "1002": rostering.SeenNothing}, seen("week"))
	_, err := s.Rostering.Acknowledge(ctx, agentLumi, rostering.AcknowledgeInput{Roster: "week"})
	ok(t, err)
	_, err = s.Rostering.Acknowledge(ctx, agentLumi, rostering.AcknowledgeInput{Roster: "week", Agent: "1002"})
	_ = refused(t, err, "access.forbidden")
	_, err = s.Rostering.Acknowledge(ctx, supervisor, rostering.AcknowledgeInput{Roster: "week", Agent: "1003"})
	_ = refused(t, err, "store.not_found")
	_, err = s.Rostering.Acknowledge(ctx, supervisor, rostering.AcknowledgeInput{Roster: "week"})
	_ = refused(t, err, "acknowledgement.agent")
	_, err = s.Rostering.Acknowledge(ctx, supervisor, rostering.AcknowledgeInput{Roster: "week", Agent: "1002", Note: "纸质签收"})
	ok(t, err)
	assert.Equal(t, map[ids.Agent]rostering.Seen{"1001": rostering.SeenNow, "1002": rostering.SeenNow}, seen("week"))
	pending, err := s.Rostering.Acknowledgements(ctx, planner, "week", true)
	ok(t, err)
	assert.Empty(t, pending)

	_, err = s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1001", 1, 9, 10)}, Reason: "x", Publish: true})
	ok(t, err)
	assert.Equal(t, map[ids.Agent]rostering.Seen{"1001": rostering.SeenBefore, "1002": rostering.SeenNow}, seen("week"), "only whom it concerns is asked again")
	pending, err = s.Rostering.Acknowledgements(ctx, planner, "week", true)
	ok(t, err)
	require.Len(t, pending, 1)
	assert.Equal(t, "客服1001", pending[0].Name)

	copied, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{{Kind: revise.Assign, Agent: "1001", Start: monday.Add(2).In(shanghai).Add(9 * time.Hour), To: "1003"}}, Reason: "x"})
	ok(t, err)
	_, err = s.Rostering.Acknowledge(ctx, agentLumi, rostering.AcknowledgeInput{Roster: copied.Roster.ID})
	_ = refused(t, err, "store.not_found") // an agent does not even hear of a draft
	_, err = s.Rostering.PublishRoster(ctx, planner, rostering.PublishInput{Roster: copied.Roster.ID, Expect: operations.AnyVersion})
	ok(t, err)
	assert.Equal(t, map[ids.Agent]rostering.Seen{"1001": rostering.SeenNothing, "1002": rostering.SeenNow, "1003": rostering.SeenNothing}, seen(copied.Roster.ID),
		"what 1002 saw holds for the copy")
}

// 1001 falls ill on Tuesday: eight hours at 100 yuan. 1002 and 1003 have a salary and hours of it left, so
// that one is called in for the day and the other for its pauses.
func TestRepairingAPublishedRoster(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	ill := rostering.RepairInput{Roster: "week", Absences: []revise.Absence{{Agent: "1001", Range: calendar.Day(monday.Add(1), shanghai)}}, Dry: true}
	proposed, err := s.Rostering.RepairRoster(ctx, supervisor, ill)
	ok(t, err)
	assert.Nil(t, proposed.Applied)
	require.Len(t, proposed.Moves, 2)
	for _, m := range proposed.Moves {
		assert.Equal(t, revise.CallIn, m.Kind)
		assert.LessOrEqual(t, m.Costs, 30.0, "a change, a short rest at most, and no wages: the salary is paid anyway")
	}
	assert.InDelta(t, 8, proposed.Without.Missing-proposed.Planned.Missing, 1e-9)
	r, err := s.Rostering.Roster(ctx, planner, "week")
	ok(t, err)
	assert.Equal(t, 1, r.Revision)

	ill.Dry, ill.Publish = false, true
	done, err := s.Rostering.RepairRoster(ctx, supervisor, ill)
	ok(t, err)
	require.NotNil(t, done.Applied)
	assert.Equal(t, "repair", done.Applied.Revision.Why)
	for _, c := range done.Applied.Verdict.Broken {
		assert.False(t, c.Hard)
	}
	shifts, _, err := s.Rostering.Shifts(ctx, planner, operations.ShiftFilter{State: store.Published, Range: calendar.Day(monday.Add(1), shanghai)}, operations.Page{})
	ok(t, err)
	require.Len(t, shifts, 2)
	for _, s := range shifts {
		assert.NotEqual(t, ids.Agent("1001"), s.Agent)
	}
	d, err := s.Rostering.DiffRosters(ctx, planner, rostering.Ref{Roster: "week", Revision: 1}, rostering.Ref{Roster: "week"})
	ok(t, err)
	assert.Equal(t, d.Before, done.Planned, "what the repair tells is what the difference of the revisions tells")
	assert.Equal(t, d.After, done.After)
	assert.True(t, d.Range.Start.Equal(done.Range.Start) && d.Range.End.Equal(done.Range.End))
	ill.Expect = 1
	_, err = s.Rostering.RepairRoster(ctx, supervisor, ill)
	_ = refused(t, err, "store.conflict")
	_, err = s.Rostering.RepairRoster(ctx, supervisor, rostering.RepairInput{Roster: "week", Absences: []revise.Absence{{}}})
	assert.Len(t, refused(t, err, "repair.input").Fields, 2)
	s.addDraft(t, "bare", monday.Add(14), 7, served("1001", monday.Add(14), 9))
	_, err = s.Rostering.RepairRoster(ctx, supervisor, rostering.RepairInput{Roster: "bare", Absences: []revise.Absence{{Agent: "1001", Range: calendar.Day(monday.Add(14), shanghai)}}})
	_ = refused(t, err, "roster.no_plan")
}

func TestCalendarsFollowWhatIsPublished(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	feed, err := s.Rostering.AddCalendarFeed(ctx, agentLumi, "")
	ok(t, err)
	assert.Equal(t, ids.Agent("1001"), feed.Agent)
	read := func() string {
		t.Helper()
		text, err := s.Rostering.FeedCalendar(ctx, feed.Secret)
		ok(t, err)
		own, err := s.Rostering.Calendar(ctx, agentLumi, "")
		ok(t, err)
		assert.Equal(t, string(own), string(text))
		return string(text)
	}
	before := read()
	assert.Equal(t, 5, strings.Count(before, "STATUS:CONFIRMED"), "five shifts of one's own and no others")
	assert.Equal(t, 5, strings.Count(before, "SEQUENCE:0\r\n"))
	assert.Contains(t, before, "DTSTART:20260615T010000Z")
	_, err = s.edit(t, rostering.EditInput{Edits: []revise.Edit{
		move("1001", 0, 9, 10), {Kind: revise.Remove, Agent: "1001", Start: monday.Add(1).In(shanghai).Add(9 * time.Hour)},
	}, Reason: "x", Publish: true})
	ok(t, err)
	after := read()
	assert.Equal(t, 4, strings.Count(after, "STATUS:CONFIRMED"))
	assert.Equal(t, 1, strings.Count(after, "STATUS:CANCELLED"))
	assert.Equal(t, 2, strings.Count(after, "SEQUENCE:1\r\n"))
	assert.Equal(t, after, read(), "the same until something changes")

	_, err = s.Rostering.AddCalendarFeed(ctx, agentLumi, "1002")
	_ = refused(t, err, "access.forbidden")
	_, err = s.Rostering.Calendar(ctx, agentLumi, "1002")
	_ = refused(t, err, "access.forbidden")
	_, err = s.Rostering.Calendar(ctx, planner, "nobody")
	_ = refused(t, err, "store.not_found")
	other := agentLumi
	other.User, other.Agent = "u-1002", "1002"
	_ = refused(t, s.Rostering.RevokeCalendarFeed(ctx, other, feed.ID), "store.not_found")
	ok(t, s.Rostering.RevokeCalendarFeed(ctx, agentLumi, feed.ID))
	_, err = s.Rostering.FeedCalendar(ctx, feed.Secret)
	_ = refused(t, err, "store.not_found")
}

// One day is made anew: the others stay as they are, and bind from both sides.
func TestOneDayIsMadeAnew(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	made, err := s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{Of: "week", From: monday.Add(5), Days: 1, Iterations: 50, Threads: 1})
	ok(t, err)
	assert.Equal(t, ids.Roster("week"), made.Roster.Parent, "a draft of the published one")
	d, err := s.Rostering.DiffRosters(ctx, planner, rostering.Ref{Roster: "week"}, rostering.Ref{Roster: made.Roster.ID})
	ok(t, err)
	assert.Empty(t, d.Removed)
	assert.Empty(t, d.Moved)
	require.Len(t, d.Added, 2, "one head is needed on Saturday; two whose salary is paid anyway cover each other's pauses")
	for _, s := range d.Added {
		assert.Equal(t, monday.Add(5), calendar.DateOf(s.Start, shanghai))
		assert.NotEqual(t, ids.Agent("1001"), s.Agent, "1001 has worked forty hours")
	}
	assert.Zero(t, made.Solution.Salaries, "a salary pays the official workdays, whoever works on Saturday")
	_, err = s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{Of: "week", From: monday.Add(6), Days: 2, Iterations: 50, Threads: 1})
	_ = refused(t, err, "roster.input")
}

// A roster between two published weeks fits both.
func TestRostersFitWhatIsPublishedAround(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	s.addDraft(t, "next", monday.Add(8), 6, served("1001", monday.Add(8), 4), served("1002", monday.Add(8), 4), served("1003", monday.Add(8), 4))
	_, err := s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "next", Expect: operations.AnyVersion})
	ok(t, err)
	day := monday.Add(7)
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		need := scheduling.Requirement{Queue: "lumi-tmall/pre", Slot: time.Hour}
		for hour := 15; hour < 23; hour++ {
			need.Needs = append(need.Needs, scheduling.Need{Start: day.In(shanghai).Add(time.Duration(hour) * time.Hour), Heads: 3, Value: 100})
		}
		return tx.AddPlan(store.Plan{ID: "monday", Queue: "lumi-tmall/pre", Range: calendar.Day(day, shanghai), Requirement: need})
	}))
	made, err := s.Rostering.MakeRoster(t.Context(), planner, rostering.RosterInput{From: day, Days: 1, Iterations: 50, Threads: 1, Plans: []ids.Plan{"monday"}})
	ok(t, err)
	require.NotEmpty(t, made.Roster.Shifts)
	for _, x := range made.Roster.Shifts {
		assert.False(t, x.End.After(day.In(shanghai).Add(20*time.Hour)), "eight hours of rest before 04:00: %s", x.End.In(shanghai))
	}
	_, err = s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: made.Roster.ID, Expect: operations.AnyVersion})
	ok(t, err)
}

func TestCSVHoldsEveryShift(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	body, err := s.Rostering.RosterCSV(t.Context(), supervisor, "week", rostering.English)
	ok(t, err)
	text, found := strings.CutPrefix(string(body), "\uFEFF")
	assert.True(t, found, "Excel reads Chinese by this mark")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	ok(t, err)
	require.Len(t, rows, 1+6)
	assert.Equal(t, []string{
		"1001", "客服1001", "t1", "2026-06-15", "2026-06-15 09:00", "2026-06-15 18:00", rows[1][6], "8.00",
		"09:00-13:00 lumi-tmall/pre; 13:00-14:00 meal; 14:00-18:00 lumi-tmall/pre",
	}, rows[1])
	body, err = s.Rostering.RosterCSV(t.Context(), supervisor, "week", rostering.Chinese)
	ok(t, err)
	rows, err = csv.NewReader(strings.NewReader(strings.TrimPrefix(string(body), "\uFEFF"))).ReadAll()
	ok(t, err)
	assert.Equal(t, []string{"工号", "姓名", "班组", "日期", "开始", "结束", "班次", "工时", "安排"}, rows[0])
	assert.Equal(t, "09:00-13:00 lumi-tmall/pre；13:00-14:00 用餐；14:00-18:00 lumi-tmall/pre", rows[1][8])
	_, err = s.Rostering.RosterCSV(t.Context(), supervisor, "week", "fr")
	_ = refused(t, err, "roster.language")
}

func TestParseRef(t *testing.T) {
	for text, want := range map[string]rostering.Ref{"r": {Roster: "r"}, "r@3": {Roster: "r", Revision: 3}} {
		got, err := rostering.ParseRef(text)
		ok(t, err)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{"r@", "r@0", "r@x", "r@-1"} {
		_, err := rostering.ParseRef(text)
		assert.Equal(t, "roster.ref", fault.CodeOf(err), text)
	}
}
