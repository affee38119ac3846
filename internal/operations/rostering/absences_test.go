package rostering_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

var tuesday = monday.Add(1)

// absentOn is whole days of people.
func absentOn(day calendar.Date, agents ...ids.Agent) (out []revise.Absence) {
	for _, a := range agents {
		out = append(out, revise.Absence{Agent: a, Range: calendar.Day(day, shanghai)})
	}
	return out
}

// cameIn are the agents whom the steps of a repair bring in on a day.
func cameIn(made rostering.RepairMade, day calendar.Date) (out []ids.Agent) {
	for _, m := range made.Moves {
		for _, c := range m.Changes {
			if c.After != nil && calendar.DateOf(c.After.Start, shanghai) == day {
				out = append(out, c.Agent())
			}
		}
	}
	return out
}

// 1001 is reported absent on Tuesday and 1002 and 1003 come instead. When they fall out as well nobody is left:
// whoever was reported absent an hour ago is not called in, nor put there by hand, nor given a day made anew.
func TestWhoIsAbsentStaysSo(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	repair := func(publish bool, agents ...ids.Agent) rostering.RepairMade {
		t.Helper()
		s.Clock = s.Clock.Add(time.Minute)
		made, err := s.Rostering.RepairRoster(ctx, supervisor, rostering.RepairInput{Roster: "week", Expect: store.AnyVersion, Publish: publish, Dry: !publish, Absences: absentOn(tuesday, agents...)})
		ok(t, err)
		return made
	}
	first := repair(true, "1001")
	assert.ElementsMatch(t, []ids.Agent{"1002", "1003"}, cameIn(first, tuesday))
	second := repair(false, "1002", "1003")
	assert.Empty(t, cameIn(second, tuesday), "1001 is absent")

	x := served("1001", tuesday, 9)
	v, err := s.Rostering.JudgeEdit(ctx, supervisor, "week", []revise.Edit{{Kind: revise.Add, Shift: &x}})
	ok(t, err)
	assert.False(t, v.Allowed)
	require.NotEmpty(t, v.Broken)
	assert.Equal(t, "fit.available", v.Broken[0].Rule)

	anew, err := s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{Of: "week", From: tuesday, Days: 1, Iterations: 50, Threads: 1})
	ok(t, err)
	fresh, err := s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{From: monday, Days: 7, Iterations: 50, Threads: 1})
	ok(t, err)
	for _, made := range []rostering.RosterMade{anew, fresh} {
		for _, x := range made.Roster.Shifts {
			assert.False(t, x.Agent == "1001" && calendar.DateOf(x.Start, shanghai) == tuesday, "1001 is absent on Tuesday")
		}
	}

	// Taken off file again, by the supervisor whose repair put it there, 1001 is there again.
	facts, _, err := s.Requesting.Facts(ctx, supervisor, store.FactFilter{Kind: workforce.AbsenceFact}, store.Page{})
	ok(t, err)
	require.Len(t, facts, 1)
	assert.Equal(t, ids.Agent("1001"), facts[0].Value.Agent)
	ok(t, s.Requesting.DeleteFact(ctx, supervisor, facts[0].Value.ID))
	assert.Contains(t, cameIn(repair(false, "1002", "1003"), tuesday), ids.Agent("1001"))
}

// Who is taken off a day by hand has a reason for it; the day off is known to the draft in which it was done, and to
// everybody once that is published.
func TestWhoIsTakenOffADayStaysOff(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	off := rostering.EditInput{Reason: "本人有事", Edits: []revise.Edit{{Kind: revise.Remove, Agent: "1002", Start: monday.In(shanghai).Add(14 * time.Hour)}}}
	done, err := s.edit(t, off)
	ok(t, err)
	require.Len(t, done.Absent, 1)
	assert.True(t, done.Absent[0].Range.Start.Equal(monday.In(shanghai)) && done.Absent[0].Range.End.Equal(monday.Add(1).In(shanghai)))
	draft := done.Roster.ID
	ask := func(id ids.Roster) []ids.Agent {
		t.Helper()
		made, err := s.Rostering.RepairRoster(ctx, supervisor, rostering.RepairInput{Roster: id, Expect: store.AnyVersion, Dry: true, Absences: absentOn(monday, "1001")})
		ok(t, err)
		return cameIn(made, monday)
	}
	assert.NotContains(t, ask(draft), ids.Agent("1002"))
	facts := func() int {
		t.Helper()
		all, _, err := s.DB.In(access.Scope{Everything: true}).Facts(ctx, store.FactFilter{Kind: workforce.AbsenceFact}, store.Page{})
		ok(t, err)
		return len(all)
	}
	assert.Zero(t, facts(), "a draft binds nobody")
	s.Clock = s.Clock.Add(time.Minute)
	_, err = s.Rostering.PublishRoster(ctx, planner, rostering.PublishInput{Roster: draft, Expect: store.AnyVersion})
	ok(t, err)
	assert.Equal(t, 1, facts())
	assert.NotContains(t, ask(draft), ids.Agent("1002"))
}

// A night shift that ends on Wednesday keeps its end free too; a shift of the next morning is cut out of the day off.
func TestADayOffSparesOtherShifts(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	at := func(day, hour int) time.Time {
		return monday.Add(day).In(shanghai).Add(time.Duration(hour) * time.Hour)
	}
	night := served("1003", tuesday, 22) // until 07:00
	_, err := s.edit(t, rostering.EditInput{Reason: "夜班", Overrule: true, Publish: true, Edits: []revise.Edit{{Kind: revise.Add, Shift: &night}}})
	ok(t, err)
	done, err := s.edit(t, rostering.EditInput{Reason: "本人有事", Overrule: true, Publish: true, Edits: []revise.Edit{{Kind: revise.Remove, Agent: "1003", Start: at(1, 22)}}})
	ok(t, err)
	require.Len(t, done.Absent, 1)
	assert.True(t, done.Absent[0].Range.Start.Equal(at(1, 0)) && done.Absent[0].Range.End.Equal(at(2, 7)))
	// Exchanged, moved or given to somebody else nobody is off.
	done, err = s.edit(t, rostering.EditInput{Reason: "换人", Overrule: true, Publish: true, Edits: []revise.Edit{{Kind: revise.Assign, Agent: "1002", Start: at(0, 14), To: "1003"}}})
	ok(t, err)
	assert.Empty(t, done.Absent)
}

// Who has no shift and is reported absent all the same is kept in mind.
func TestAbsenceWithoutAShiftIsKept(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	in := rostering.RepairInput{Roster: "week", Expect: store.AnyVersion, Publish: true, Absences: absentOn(tuesday, "1003")}
	made, err := s.Rostering.RepairRoster(t.Context(), supervisor, in)
	ok(t, err)
	assert.Nil(t, made.Applied)
	assert.Equal(t, in.Absences, made.Noted)
	in.Absences = absentOn(tuesday, "1001")
	made, err = s.Rostering.RepairRoster(t.Context(), supervisor, in)
	ok(t, err)
	assert.NotContains(t, cameIn(made, tuesday), ids.Agent("1003"))
}
