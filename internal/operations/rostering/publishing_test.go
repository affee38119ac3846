package rostering_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// addDraft stores a draft as a careless hand would have made it.
func (s *stack) addDraft(t *testing.T, id ids.Roster, from calendar.Date, days int, shifts ...scheduling.Shift) {
	t.Helper()
	span := calendar.Range{Start: from.In(shanghai), End: from.Add(days).In(shanghai)}
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		_, err := tx.AddRoster(store.Roster{ID: id, Title: string(id), Range: span, Shifts: shifts})
		return err
	}))
}

func TestUnlawfulRostersAreNotPublished(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 2, "lumi-tmall/pre")
	monday := date("2026-06-15")
	week := func(n int) (shifts []scheduling.Shift) {
		for day := range n {
			shifts = append(shifts, operationstest.ShiftOf("1001", monday.Add(day), 9))
		}
		return shifts
	}
	short := operationstest.ShiftOf("1001", monday, 14) // until 23:00, and again from 05:00: 6 h of rest
	for name, c := range map[string]struct {
		shifts []scheduling.Shift
		rule   string
	}{
		"seven days in a row": {week(7), "days.consecutive"}, // house rule: at most six
		"no rest day":         {week(7), "rest.weekly_day"},  // 劳动法 §38
		"six hours of rest":   {[]scheduling.Shift{short, operationstest.ShiftOf("1001", monday.Add(1), 5)}, "rest.between_block"},
	} {
		id := ids.Roster(name)
		s.addDraft(t, id, monday, 7, c.shifts...)
		_, err := s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: id, Expect: operations.AnyVersion})
		e := refused(t, err, "roster.unlawful")
		assert.True(t, slices.ContainsFunc(e.Fields, func(f fault.Field) bool { return f.Path == "1001" && f.Value == c.rule }), "%s: %v", name, e.Fields)
		r, err := s.Rostering.Roster(t.Context(), planner, id)
		ok(t, err)
		assert.Equal(t, store.Draft, r.State)
	}
	s.addDraft(t, "five days", monday, 7, week(5)...)
	_, err := s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "five days", Expect: operations.AnyVersion})
	ok(t, err)
}

// The past counts: a week that is lawful by itself may not follow another without a rest.
func TestPublishingLooksBack(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 1, "lumi-tmall/pre")
	monday := date("2026-06-15")
	var first, second []scheduling.Shift
	for _, day := range []int{2, 3, 4, 5, 6} { // Wednesday to Sunday
		first = append(first, operationstest.ShiftOf("1001", monday.Add(day), 9))
	}
	for _, day := range []int{7, 8} { // Monday and Tuesday: seven in a row
		second = append(second, operationstest.ShiftOf("1001", monday.Add(day), 9))
	}
	s.addDraft(t, "first", monday, 7, first...)
	_, err := s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "first", Expect: operations.AnyVersion})
	ok(t, err)
	s.addDraft(t, "second", monday.Add(7), 7, second...)
	_, err = s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "second", Expect: operations.AnyVersion})
	_ = refused(t, err, "roster.unlawful")
	s.addDraft(t, "third", monday.Add(7), 7, second[:1]...)
	_, err = s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "third", Expect: operations.AnyVersion})
	ok(t, err)
}

// So does a future that is published already: rosters need not be published in order.
func TestPublishingLooksAhead(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 1, "lumi-tmall/pre")
	monday, sunday := date("2026-06-15"), date("2026-06-14")
	s.addDraft(t, "next", monday, 7, operationstest.ShiftOf("1001", monday, 5))
	_, err := s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "next", Expect: operations.AnyVersion})
	ok(t, err)
	s.addDraft(t, "late", monday.Add(-7), 7, operationstest.ShiftOf("1001", sunday, 14)) // until 23:00, six hours before
	_, err = s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "late", Expect: operations.AnyVersion})
	e := refused(t, err, "roster.unlawful")
	require.Len(t, e.Fields, 1)
	assert.Equal(t, "rest.between_block", e.Fields[0].Value)
	s.addDraft(t, "early", monday.Add(-7), 7, operationstest.ShiftOf("1001", sunday, 9))
	_, err = s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "early", Expect: operations.AnyVersion})
	ok(t, err)
}

// People change between the draft and its publication.
func TestWhoLeftIsNotPublished(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 2, "lumi-tmall/pre")
	monday := date("2026-06-15")
	s.addDraft(t, "d", monday, 7, operationstest.ShiftOf("1001", monday, 9), operationstest.ShiftOf("1002", monday, 9))
	leave := func(id ids.Agent, change func(*workforce.Agent)) {
		one, err := s.Administration.Agent(t.Context(), planner, id)
		ok(t, err)
		change(&one.Value)
		_, err = s.Administration.PutAgents(t.Context(), planner, []workforce.Agent{one.Value})
		ok(t, err)
	}
	leave("1001", func(a *workforce.Agent) {
		a.Employed.Until = monday.Add(-3)
		a.Skills[0].Until = a.Employed.Until
	})
	leave("1002", func(a *workforce.Agent) {
		a.Unavailable = []calendar.Range{calendar.Day(monday, shanghai)}
	})
	_, err := s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "d", Expect: operations.AnyVersion})
	rules := map[string]string{}
	for _, f := range refused(t, err, "roster.unlawful").Fields {
		rules[f.Path] = f.Value
	}
	assert.Equal(t, map[string]string{"1001": "fit.employed", "1002": "fit.available"}, rules)
}

func TestPublishingReplacesTheSameDaysOnly(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 1, "lumi-tmall/pre")
	monday := date("2026-06-15")
	publish := func(id ids.Roster) error {
		_, err := s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: id, Expect: operations.AnyVersion})
		return err
	}
	s.addDraft(t, "week", monday, 7, operationstest.ShiftOf("1001", monday, 9), operationstest.ShiftOf("1001", monday.Add(2), 9))
	ok(t, publish("week"))
	s.addDraft(t, "again", monday, 7, operationstest.ShiftOf("1001", monday, 10))
	ok(t, publish("again"))
	old, err := s.Rostering.Roster(t.Context(), planner, "week")
	ok(t, err)
	assert.Equal(t, store.Archived, old.State)
	shifts, _, err := s.Rostering.Shifts(t.Context(), agentLumi, operations.ShiftFilter{}, operations.Page{})
	ok(t, err)
	require.Len(t, shifts, 1)
	assert.Equal(t, ids.Roster("again"), shifts[0].Roster)

	s.addDraft(t, "two days", monday.Add(2), 2, operationstest.ShiftOf("1001", monday.Add(2), 9))
	_ = refused(t, publish("two days"), "roster.overlap")
	shifts, _, err = s.Rostering.Shifts(t.Context(), agentLumi, operations.ShiftFilter{}, operations.Page{})
	ok(t, err)
	assert.Len(t, shifts, 1, "the shifts of the other days are still there")
}

// Two planners who publish neighbouring days at the same moment see each other: at most one of two
// drafts that leave somebody six hours of rest becomes binding.
func TestPublishingNeighboursAtOnce(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 1, "lumi-tmall/pre")
	for i := range 12 {
		first := date("2026-06-15").Add(28 * i)
		names := []ids.Roster{ids.Roster(fmt.Sprintf("a%d", i)), ids.Roster(fmt.Sprintf("b%d", i))}
		s.addDraft(t, names[0], first, 1, operationstest.ShiftOf("1001", first, 14)) // until 23:00
		s.addDraft(t, names[1], first.Add(1), 1, operationstest.ShiftOf("1001", first.Add(1), 5))
		errs := make([]error, 2)
		var start, done sync.WaitGroup
		start.Add(1)
		for k := range 2 {
			done.Go(func() {
				start.Wait()
				_, errs[k] = s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: names[k], Expect: operations.AnyVersion})
			})
		}
		start.Done()
		done.Wait()
		failed := 0
		for _, err := range errs {
			if err != nil {
				failed++
				assert.Equal(t, "roster.unlawful", fault.CodeOf(err))
			}
		}
		assert.Equal(t, 1, failed, "round %d", i)
	}
}

// A roster that is published and was edited since speaks of itself: there is nothing to publish, with a reason to replace
// or without. Its archived original binds nobody any more and says so before anything else.
func TestWhatIsNoDraftIsNotPublished(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	_, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{move("1001", 2, 9, 10)}, Reason: "晚一小时", Publish: true})
	ok(t, err)
	for _, in := range []rostering.PublishInput{{}, {Replace: true, Reason: "再发布一次"}} {
		in.Roster, in.Expect = "week", store.AnyVersion
		_, err = s.Rostering.PublishRoster(t.Context(), planner, in)
		assert.NotContains(t, refused(t, err, "roster.published").Message, "archived")
	}
	still, err := s.Rostering.Roster(t.Context(), planner, "week")
	ok(t, err)
	assert.Equal(t, store.Published, still.State)

	fresh, err := s.Rostering.MakeRoster(t.Context(), planner, rostering.RosterInput{From: monday, Days: 7, Iterations: 20, Threads: 1})
	ok(t, err)
	_, err = s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: fresh.Roster.ID, Expect: store.AnyVersion, Replace: true, Reason: "全部重排"})
	ok(t, err)
	_, err = s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "week", Expect: store.AnyVersion})
	_ = refused(t, err, "roster.archived")
}
