package rostering_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// On Tuesday at 15:00 what 1001 worked on Monday changes only as a correction, whose reason stays in the
// trail; the rest of the running shift changes as ever.
func TestWhatHasPassedIsCorrected(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	at := func(day, hour int) time.Time {
		return monday.Add(day).In(shanghai).Add(time.Duration(hour) * time.Hour)
	}
	s.Clock = at(1, 15)
	stayed := []revise.Edit{{Kind: revise.Resize, Agent: "1001", Start: at(0, 9), NewEnd: at(0, 19)}}
	v, err := s.Rostering.JudgeEdit(t.Context(), supervisor, "week", stayed)
	ok(t, err)
	require.Len(t, v.Past, 1, "a dry run tells it")
	assert.Equal(t, ids.Agent("1001"), v.Past[0].Agent())
	in := rostering.EditInput{Edits: stayed, Reason: "周一晚多留一小时", Overrule: true, Publish: true}
	_, err = s.edit(t, in)
	_ = refused(t, err, "roster.unlawful") // nine hours without agreement to overtime: first of all that
	left := rostering.EditInput{Edits: []revise.Edit{{Kind: revise.Resize, Agent: "1001", Start: at(0, 9), NewEnd: at(0, 17)}}, Reason: "周一早退一小时", Overrule: true, Publish: true}
	_, err = s.edit(t, left)
	f := refused(t, err, "roster.past")
	require.Len(t, f.Fields, 1)
	assert.Equal(t, "2026-06-15 09:00", f.Fields[0].Value)
	left.Past = true
	done, err := s.edit(t, left)
	ok(t, err)
	assert.Contains(t, done.Revision.Reason, "周一早退一小时 [更正")

	// What was worked is on file although it was not lawful, once somebody answers for it.
	in.Past, in.Overrule = true, false
	_, err = s.edit(t, in)
	_ = refused(t, err, "roster.soft_rules")
	in.Overrule = true
	done, err = s.edit(t, in)
	ok(t, err)
	assert.False(t, done.Verdict.Allowed)
	assert.Contains(t, string(done.Revision.Figures), "hours.daily:1001")

	// It is paid, and explained as on record: an hour at 150 % beyond the day.
	pay, err := s.Rostering.PayRoster(t.Context(), planner, rostering.Ref{Roster: "week"}, "1001")
	ok(t, err)
	assert.InDelta(t, 1, pay.Agents[0].Days[0].Extended, 1e-9)
	assert.InDelta(t, 1.5*pay.Agents[0].Wage, pay.Agents[0].Days[0].Yuan, 1e-9)
	require.NotEmpty(t, pay.Recorded)
	assert.Equal(t, "hours.daily", pay.Recorded[0].Rule)
	x, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: "week"}, roster.Question{})
	ok(t, err)
	require.NotEmpty(t, x.Recorded)
	assert.Equal(t, "hours.daily", x.Recorded[0].Rule)
	for _, b := range x.Soft {
		assert.False(t, b.Hard)
	}
	// A draft of a later change is published all the same: what was worked does not stand in its way.
	draft, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1001", 3, 9, 10)}, Reason: "晚一小时"})
	ok(t, err)
	again, err := s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: draft.Roster.ID, Expect: store.AnyVersion})
	ok(t, err)

	running := rostering.EditInput{Roster: again.ID, Edits: []revise.Edit{{Kind: revise.Resize, Agent: "1001", Start: at(1, 9), NewEnd: at(1, 19)}}, Reason: "今天临时调整", Overrule: true, Publish: true, Past: true}
	_, err = s.edit(t, running)
	_ = refused(t, err, "roster.unlawful") // that hour is still to come
	running.Edits[0].NewEnd, running.Past = at(1, 17), false
	done, err = s.edit(t, running)
	ok(t, err)
	assert.Equal(t, "今天临时调整", done.Revision.Reason)
	assert.Empty(t, done.Verdict.Past)
}

// An absence that is over is entered with a reason or not at all; one that began at noon is repaired from
// now on.
func TestRepairLooksForward(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	s.Clock = monday.Add(1).In(shanghai).Add(15 * time.Hour)
	in := rostering.RepairInput{Roster: "week", Expect: store.AnyVersion, Publish: true, Absences: []revise.Absence{{Agent: "1001", Range: calendar.Day(monday, shanghai)}}}
	_, err := s.Rostering.RepairRoster(t.Context(), supervisor, in)
	f := refused(t, err, "repair.input")
	assert.Equal(t, "absent[0].to", f.Fields[0].Path)
	in.Past = true
	_, err = s.Rostering.RepairRoster(t.Context(), supervisor, in)
	assert.Equal(t, "reason", refused(t, err, "repair.input").Fields[0].Path)
	in.Reason = "周一病假，补录"
	done, err := s.Rostering.RepairRoster(t.Context(), supervisor, in)
	ok(t, err)
	assert.Contains(t, done.Applied.Revision.Reason, "周一病假，补录 [更正")

	noon := calendar.Range{Start: s.Clock.Add(-3 * time.Hour), End: s.Clock.Add(9 * time.Hour)}
	home := rostering.RepairInput{Roster: "week", Expect: store.AnyVersion, Dry: true, Absences: []revise.Absence{{Agent: "1001", Range: noon}}}
	proposed, err := s.Rostering.RepairRoster(t.Context(), supervisor, home)
	ok(t, err)
	for _, m := range proposed.Moves {
		for _, c := range m.Changes {
			assert.False(t, c.After.Start.Before(s.Clock), "nobody can come before now")
		}
	}
}

// A day that has begun is not made anew by the way.
func TestADayThatHasBegunIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	s.Clock = monday.Add(1).In(shanghai).Add(15 * time.Hour)
	in := rostering.RosterInput{Of: "week", From: monday.Add(1), Days: 1, Iterations: 50, Threads: 1}
	_, err := s.Rostering.MakeRoster(t.Context(), planner, in)
	_ = refused(t, err, "roster.past")
	in.Past = true
	made, err := s.Rostering.MakeRoster(t.Context(), planner, in)
	ok(t, err)
	assert.Empty(t, made.Solution.Idle, "who is off on a day is no news")
	in.From, in.Past = monday.Add(2), false
	_, err = s.Rostering.MakeRoster(t.Context(), planner, in)
	ok(t, err)
}

// 1003 agreed to six hours a day, so no shift of eight is for it: the new roster says so, and explain again.
func TestWhoGetsNoShiftIsNamed(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	fact := workforce.Fact{Agent: "1003", Kind: workforce.AgreementFact, Dates: calendar.Dates{From: monday}, Agreement: &workrules.Agreement{DayHours: 6}}
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		_, err := tx.PutFacts([]workforce.Fact{fact})
		return err
	}))
	made, err := s.Rostering.MakeRoster(t.Context(), planner, rostering.RosterInput{From: monday, Days: 7, Iterations: 50, Threads: 1})
	ok(t, err)
	require.Len(t, made.Solution.Idle, 1)
	assert.Equal(t, ids.Agent("1003"), made.Solution.Idle[0].Agent)
	assert.Equal(t, "agreement.day", made.Solution.Idle[0].Code)
	x, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: made.Roster.ID}, roster.Question{})
	ok(t, err)
	assert.Equal(t, made.Solution.Idle, x.Idle)
}

// The workbook lists who could work in its days; 1003 left before them.
func TestTheWorkbookLeavesFormerPeopleOut(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	text := func() string {
		t.Helper()
		raw, err := s.Rostering.RosterWorkbook(t.Context(), planner, "week")
		ok(t, err)
		files, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
		ok(t, err)
		var all strings.Builder
		for _, f := range files.File {
			r, err := f.Open()
			ok(t, err)
			_, err = io.Copy(&all, r)
			ok(t, err)
		}
		return all.String()
	}
	assert.Contains(t, text(), "客服1003", "free, but here")
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		a, err := tx.In(access.Scope{Everything: true}).Agent(t.Context(), "1003")
		if err == nil {
			a.Value.Employed.Until, a.Value.Skills = monday, nil
			_, err = tx.PutAgent(a.Value, store.AnyVersion)
		}
		return err
	}))
	assert.Contains(t, text(), "客服1002")
	assert.NotContains(t, text(), "客服1003")
}

// What is wrong with a repair is told in one round: an absence that ends before it begins, somebody nobody knows, a
// kind of leave that there is not, and leave without publishing.
func TestRepairTellsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	day := calendar.Day(monday.Add(1), shanghai)
	_, err := s.Rostering.RepairRoster(t.Context(), supervisor, rostering.RepairInput{
		Roster: "week", Expect: store.AnyVersion, RecordLeave: "foo",
		Absences: []revise.Absence{{Agent: "ZZ", Range: day}, {Agent: "1001", Range: calendar.Range{Start: day.End, End: day.Start}}},
	})
	var paths []string
	for _, f := range refused(t, err, "repair.input").Fields {
		paths = append(paths, f.Path)
	}
	assert.ElementsMatch(t, []string{"absent[0].agent", "absent[1].to", "record_leave", "record_leave"}, paths)
}
