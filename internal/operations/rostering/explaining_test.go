package rostering_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// Three are wanted from 9 to 18, 27 head-hours, and three work. A shift that is taken away by hand is short
// in the explanation of the new revision; that of the first one stays as it was.
func TestExplainIsOfTheRevision(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	span := calendar.Day(monday.Add(7), shanghai)
	need := scheduling.Requirement{Queue: "lumi-tmall/pre", Slot: time.Hour}
	for hour := 9; hour < 18; hour++ {
		need.Needs = append(need.Needs, scheduling.Need{Start: span.Start.Add(time.Duration(hour) * time.Hour), Heads: 3, Value: 100})
	}
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		return tx.AddPlan(store.Plan{ID: "wide", Queue: "lumi-tmall/pre", Range: span, Requirement: need})
	}))
	made, err := s.Rostering.MakeRoster(t.Context(), planner, rostering.RosterInput{From: monday.Add(7), Days: 1, Iterations: 100, Threads: 1})
	ok(t, err)
	id := made.Roster.ID
	first, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: id}, roster.Question{})
	ok(t, err)
	assert.False(t, first.Changed)
	assert.InDelta(t, 27, first.Needed, 1e-9)
	assert.InDelta(t, made.Solution.Missing, first.Missing, 1e-9)

	gone := made.Roster.Shifts[0]
	work := 0.0
	for _, a := range gone.Activities {
		if a.Kind == scheduling.Work {
			work += a.End.Sub(a.Start).Hours()
		}
	}
	_, err = s.Rostering.EditRoster(t.Context(), planner, rostering.EditInput{
		Roster: id, Edits: []revise.Edit{{Kind: revise.Remove, Agent: gone.Agent, Start: gone.Start}}, Reason: "x", Overrule: true, Expect: store.AnyVersion,
	})
	ok(t, err)
	now, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: id}, roster.Question{})
	ok(t, err)
	assert.True(t, now.Changed)
	assert.Equal(t, 2, now.Revision)
	require.NotNil(t, now.Totals)
	assert.InDelta(t, first.Missing+work, now.Missing, 1e-9)
	// Cost, parts and hours are of the second revision, and told apart from those that the roster was made with. What
	// the unchanged roster was made with is what the same arithmetic says of its shifts.
	require.NotNil(t, now.Made)
	assert.InDelta(t, made.Solution.Cost, now.Made.Cost, 1e-9)
	assert.InDelta(t, made.Solution.Missing, now.Made.Missing, 1e-9)
	assert.InDelta(t, now.Parts.Total(), now.Cost, 1e-9)
	assert.GreaterOrEqual(t, now.Parts.Short, first.Parts.Short+100*work-1e-6, "a missing head-hour is worth 100 yuan at least")
	assert.InDelta(t, now.Totals.Short, now.Parts.Short, 1e-6)
	assert.InDelta(t, now.Totals.Wages, now.Parts.Wages+now.Parts.Premiums, 1e-6)
	for name, x := range map[string]rostering.RosterExplained{"made": first, "changed": now} {
		raw, err := json.Marshal(x)
		ok(t, err)
		var keys map[string]any
		ok(t, json.Unmarshal(raw, &keys))
		for _, key := range []string{"bound", "gap", "savable"} {
			if name == "changed" {
				assert.NotContains(t, keys, key, "nobody knows one for the roster as it is")
			} else {
				assert.Contains(t, keys, key)
			}
		}
	}
	assert.Equal(t, made.Solution.Bound, *first.Bound)
	assert.Equal(t, made.Solution.Bound, now.Made.Bound)
	back := gone
	_, err = s.Rostering.EditRoster(t.Context(), planner, rostering.EditInput{
		Roster: id, Edits: []revise.Edit{{Kind: revise.Add, Shift: &back}}, Reason: "x", Overrule: true, Expect: store.AnyVersion,
	})
	_ = refused(t, err, "roster.unlawful") // taken off that day
	sum := 0.0
	for _, u := range now.Uncovered {
		sum += float64(u.Missing) * u.Range.Duration().Hours()
	}
	assert.InDelta(t, now.Missing, sum, 1e-9)
	for _, u := range now.Uncovered {
		people := 0
		for _, x := range u.Reasons {
			people += x.Count
		}
		assert.Equal(t, 3, people, "each stretch says of all three why they do not help: %s", u.Says.EN)
	}
	assert.Equal(t, min(20, len(now.Uncovered)), now.FixesFor)
	one, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: id}, roster.Question{Queue: "lumi-tmall/pre", At: now.Uncovered[0].Range.Start})
	ok(t, err)
	assert.Equal(t, now.Uncovered[:1], one.Uncovered)
	_, err = s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: id}, roster.Question{Queue: "lumi-tmall/pre", At: span.Start})
	_ = refused(t, err, "roster.no_stretch")
	_, err = s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: id}, roster.Question{Queue: "lumi-tmal/pre"})
	assert.Contains(t, refused(t, err, "queue.unknown").Fields[0].Problem, "close to it are lumi-tmall/pre", "one letter is missing")

	again, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: id, Revision: 1}, roster.Question{})
	ok(t, err)
	assert.Equal(t, first.Missing, again.Missing)
}

// 1002 has one shift of 8 h in a week of which the contract wants 32 (Friday is 端午). An hour less is an hour more that
// is owed and not worked, at 2 yuan; the whole shift taken off by hand is an absence, and a day of absence is not owed.
// Each time the price of the edit is what the cost of the roster changes by when it is made.
func TestThePriceOfAnEditIsWhatTheCostChangesBy(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	cost := func() float64 {
		t.Helper()
		x, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: "week"}, roster.Question{})
		ok(t, err)
		require.True(t, x.Changed)
		return x.Cost
	}
	_, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1002", 0, 14, 10)}, Reason: "提前", Publish: true})
	ok(t, err)
	at := monday.In(shanghai).Add(10 * time.Hour)
	for _, c := range []struct {
		edit revise.Edit
		owed float64
	}{
		{revise.Edit{Kind: revise.Resize, Agent: "1002", Start: at, NewStart: at, NewEnd: at.Add(8 * time.Hour)}, 2},
		{revise.Edit{Kind: revise.Remove, Agent: "1002", Start: at}, -2},
	} {
		before := cost()
		edits := []revise.Edit{c.edit}
		v, err := s.Rostering.JudgeEdit(t.Context(), supervisor, "week", edits)
		ok(t, err)
		assert.InDelta(t, c.owed, v.Cost.MinWork, 1e-6)
		_, err = s.edit(t, rostering.EditInput{Edits: edits, Reason: "早退", Publish: true})
		ok(t, err)
		assert.InDelta(t, v.Cost.Total, cost()-before, 1e-6, "%+v", v.Cost)
	}

	// A draft knows its absence by itself: 1001 is taken off Monday in a copy.
	nine := monday.In(shanghai).Add(9 * time.Hour)
	done, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{{Kind: revise.Remove, Agent: "1001", Start: nine}}, Reason: "事假"})
	ok(t, err)
	x, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: done.Roster.ID}, roster.Question{})
	ok(t, err)
	y, err := s.Rostering.ExplainRoster(t.Context(), planner, rostering.Ref{Roster: "week"}, roster.Question{})
	ok(t, err)
	assert.InDelta(t, y.Parts.MinWork, x.Parts.MinWork, 1e-6, "a day that is not owed costs nothing not to work")
}
