package rostering_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// A week was published, repaired, edited twice (once by way of a copy) and seen by one. Another one made from scratch
// would take all of that away: it says so and is refused until it is meant. The absence holds on.
func TestAFreshRosterDoesNotSilentlyReplaceAChangedOne(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	_, err := s.Rostering.RepairRoster(ctx, supervisor, rostering.RepairInput{Roster: "week", Expect: store.AnyVersion, Publish: true, Absences: absentOn(tuesday, "1001")})
	ok(t, err)
	_, err = s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1001", 2, 9, 10)}, Reason: "晚一小时", Publish: true})
	ok(t, err)
	copied, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1001", 3, 9, 10)}, Reason: "晚一小时"})
	ok(t, err)
	publish := func(in rostering.PublishInput) (rostering.Published, error) {
		s.Clock = s.Clock.Add(time.Minute)
		in.Expect = store.AnyVersion
		return s.Rostering.PublishRoster(ctx, planner, in)
	}
	done, err := publish(rostering.PublishInput{Roster: copied.Roster.ID})
	ok(t, err) // a copy loses nothing
	require.Len(t, done.Replaced, 1)
	assert.Equal(t, ids.Roster("week"), done.Replaced[0].Roster)
	assert.Empty(t, done.Replaced[0].Lost)
	_, err = s.Rostering.Acknowledge(ctx, agentLumi, rostering.AcknowledgeInput{Roster: copied.Roster.ID})
	ok(t, err)

	fresh, err := s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{From: monday, Days: 7, Iterations: 50, Threads: 1})
	ok(t, err)
	for _, x := range fresh.Roster.Shifts {
		assert.False(t, x.Agent == "1001" && calendar.DateOf(x.Start, shanghai) == tuesday, "absent")
	}
	_, err = publish(rostering.PublishInput{Roster: fresh.Roster.ID})
	e := refused(t, err, "roster.replaces")
	told := map[string]string{}
	for _, f := range e.Fields {
		assert.Equal(t, string(copied.Roster.ID), f.Path)
		told[f.Value] = f.Problem
	}
	require.Len(t, told, 3)
	assert.Contains(t, told["repair"], "repairs after absences (the absences stay on file): 1")
	assert.Contains(t, told["edit"], "edits by hand: 2")
	assert.Contains(t, told["acknowledgement"], "agents who have seen it: 1")
	still, err := s.Rostering.Roster(ctx, planner, copied.Roster.ID)
	ok(t, err)
	assert.Equal(t, store.Published, still.State)
	_, err = publish(rostering.PublishInput{Roster: fresh.Roster.ID, Replace: true})
	assert.Equal(t, "reason", refused(t, err, "roster.publish").Fields[0].Path)
	done, err = publish(rostering.PublishInput{Roster: fresh.Roster.ID, Replace: true, Reason: "大促提前，全部重排"})
	ok(t, err)
	require.Len(t, done.Replaced, 1)
	assert.Len(t, done.Replaced[0].Lost, 3)

	// Nothing was done to the new one, so the next takes its place without a word.
	again, err := s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{From: monday, Days: 7, Iterations: 50, Threads: 1})
	ok(t, err)
	_, err = publish(rostering.PublishInput{Roster: again.Roster.ID})
	ok(t, err)
}

// Two drafts are made of a published week, one by a repair and one by an edit, and then the week is replaced: a draft
// of the old one would silently take the place of the new one, so it is refused. One made of the new week is published.
func TestADraftOfAReplacedRosterIsStale(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	repaired, err := s.Rostering.RepairRoster(ctx, supervisor, rostering.RepairInput{Roster: "week", Expect: store.AnyVersion, Absences: absentOn(tuesday, "1001")})
	ok(t, err)
	edited, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1001", 2, 9, 10)}, Reason: "晚一小时"})
	ok(t, err)
	fresh, err := s.Rostering.MakeRoster(ctx, planner, rostering.RosterInput{From: monday, Days: 7, Iterations: 50, Threads: 1})
	ok(t, err)
	publish := func(id ids.Roster) error {
		s.Clock = s.Clock.Add(time.Minute)
		_, err := s.Rostering.PublishRoster(ctx, planner, rostering.PublishInput{Roster: id, Expect: store.AnyVersion, Replace: true, Reason: "重排"})
		return err
	}
	ok(t, publish(fresh.Roster.ID))
	for _, id := range []ids.Roster{repaired.Applied.Roster.ID, edited.Roster.ID} {
		assert.Contains(t, refused(t, publish(id), "roster.stale_draft").Message, fresh.Roster.Title)
	}
	now, err := s.Rostering.Roster(ctx, planner, fresh.Roster.ID)
	ok(t, err)
	assert.Equal(t, store.Published, now.State, "the new week stands")
	again, err := s.Rostering.RepairRoster(ctx, supervisor, rostering.RepairInput{Roster: fresh.Roster.ID, Expect: store.AnyVersion, Absences: absentOn(tuesday, "1002")})
	ok(t, err)
	ok(t, publish(again.Applied.Roster.ID))
}
