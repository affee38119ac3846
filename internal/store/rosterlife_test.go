package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

func changeOf(before, after *scheduling.Shift) revise.Change {
	return revise.Change{Before: before, After: after}
}

// utc is a shift as it comes back.
func utc(s scheduling.Shift) scheduling.Shift {
	s.Start, s.End = s.Start.UTC(), s.End.UTC()
	for i := range s.Activities {
		s.Activities[i].Start, s.Activities[i].End = s.Activities[i].Start.UTC(), s.Activities[i].End.UTC()
	}
	return s
}

// testRevisions changes a roster some times and reads every revision again as it was.
func testRevisions(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	at := now
	change := func(id ids.Roster, expect int, r store.Revision) (store.Revision, error) {
		at = at.Add(time.Minute)
		var made store.Revision
		err := db.Change(ctx, system, at, func(tx *store.Tx) error {
			var err error
			made, _, err = tx.ReviseShifts(id, r, expect)
			return err
		})
		return made, err
	}
	a, b, c := shift("1001", 12, 20), shift("1001", 10, 18), shift("1002", 18, 22)
	given := c
	given.Agent = "1001"
	given.Start, given.End = hour(22), hour(24)
	given.Activities = nil
	for i, r := range []store.Revision{
		revision("提前", changeOf(&a, &b)),
		revision("给别人", changeOf(&c, &given)), // to another agent
		revision("取消", changeOf(&b, nil)),
	} {
		made, err := change("draft", i+1, r)
		require.NoError(t, err)
		assert.Equal(t, i+2, made.Revision)
		assert.Equal(t, store.Draft, made.State)
	}
	for number, want := range map[int][]scheduling.Shift{1: {a, c}, 2: {b, c}, 3: {b, given}, 4: {given}, 0: {given}} {
		got, err := view.RosterAt(ctx, "draft", number)
		require.NoError(t, err)
		require.Len(t, got.Shifts, len(want), "revision %d", number)
		for i := range want {
			assert.Equal(t, utc(want[i]), got.Shifts[i], "revision %d", number)
		}
	}
	_, err := view.RosterAt(ctx, "draft", 5)
	codeIs(t, err, store.ErrNotFound)
	trail, _, err := view.RosterRevisions(ctx, "draft", store.Page{})
	require.NoError(t, err)
	require.Len(t, trail, 3)
	assert.Equal(t, "取消", trail[0].Reason, "newest first")
	assert.Equal(t, system.Name, trail[0].AuthorName)
	require.Len(t, trail[1].Changes, 2, "what goes to another agent is a change of both")
	assert.Equal(t, ids.Agent("1002"), trail[1].Changes[0].Before.Agent)
	assert.Nil(t, trail[1].Changes[0].After)
	first, next, err := view.RosterRevisions(ctx, "draft", store.Page{Limit: 2})
	require.NoError(t, err)
	require.Len(t, first, 2)
	rest, _, err := view.RosterRevisions(ctx, "draft", store.Page{Limit: 2, Cursor: next})
	require.NoError(t, err)
	assert.Equal(t, trail, append(first, rest...))

	for name, bad := range map[string]struct {
		id     ids.Roster
		expect int
		r      store.Revision
		code   string
	}{
		"no reason":            {"draft", 0, revision(" ", changeOf(&given, nil)), "store.invalid"},
		"no change":            {"draft", 0, revision("x"), "store.invalid"},
		"another version":      {"draft", 3, revision("x", changeOf(&given, nil)), store.ErrConflict.Code},
		"a shift that is gone": {"draft", 0, revision("x", changeOf(&a, nil)), store.ErrConflict.Code},
		"nobody's":             {"draft", 0, revision("x", changeOf(nil, &scheduling.Shift{Agent: "9", Start: hour(1), End: hour(2)})), store.ErrReference.Code},
		"in two places":        {"draft", 0, revision("x", changeOf(nil, &scheduling.Shift{Agent: "1001", Start: hour(23), End: hour(25)})), "roster.invalid"},
		"no such roster":       {"none", 0, revision("x", changeOf(&a, nil)), store.ErrNotFound.Code},
	} {
		_, err := change(bad.id, bad.expect, bad.r)
		assert.Equal(t, bad.code, fault.CodeOf(err), name)
	}
}

// testRevisionsAtOnce lets two people take the same shift of the same version at the same moment: exactly
// one gets it, and the roster has one revision more.
func testRevisionsAtOnce(t *testing.T, db *store.DB) {
	ctx := t.Context()
	was := shift("1001", 12, 20)
	errs := make([]error, 4)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range errs {
		done.Go(func() {
			start.Wait()
			becomes := shift("1001", 13+i, 21)
			becomes.Activities = nil
			errs[i] = db.Change(ctx, system, now, func(tx *store.Tx) error {
				_, _, err := tx.ReviseShifts("draft", revision("抢班", changeOf(&was, &becomes)), store.AnyVersion)
				return err
			})
		})
	}
	start.Done()
	done.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		codeIs(t, err, store.ErrConflict)
	}
	assert.Equal(t, 1, won)
	head, err := db.In(everything).RosterHead(ctx, "draft")
	require.NoError(t, err)
	assert.Equal(t, 2, head.Revision)
	assert.Equal(t, 2, head.Version)
}

// testCopies makes a draft of a published roster; what happens to either leaves the other alone.
func testCopies(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	change(t, db, func(tx *store.Tx) error {
		copied, err := tx.CopyRoster("published", "copy", "", store.AnyVersion)
		assert.Equal(t, ids.Roster("published"), copied.Parent)
		assert.Equal(t, 2, copied.ParentAt)
		return err
	})
	was, err := view.Roster(ctx, "published")
	require.NoError(t, err)
	got, err := view.Roster(ctx, "copy")
	require.NoError(t, err)
	assert.Equal(t, was.Shifts, got.Shifts)
	assert.Equal(t, store.Draft, got.State)
	assert.Zero(t, got.PublishedAt)
	assert.Equal(t, was.Revision, got.Revision, "revisions count on over a copy")
	gone := was.Shifts[0]
	change(t, db, func(tx *store.Tx) error {
		_, _, err := tx.ReviseShifts("copy", revision("x", changeOf(&gone, nil)), store.AnyVersion)
		return err
	})
	still, err := view.Roster(ctx, "published")
	require.NoError(t, err)
	assert.Equal(t, was, still)
	_, err = view.RosterAt(ctx, "copy", 1)
	codeIs(t, err, store.ErrNotFound)
	before, err := view.RosterAt(ctx, "copy", 2)
	require.NoError(t, err)
	assert.Equal(t, was.Shifts, before.Shifts)
}

// testPublications tells an agent's calendar what it could read and when.
func testPublications(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	later := func(minutes int, fn func(tx *store.Tx) error) {
		require.NoError(t, db.Change(ctx, system, now.Add(time.Duration(minutes)*time.Minute), fn))
	}
	early, late := shift("1001", 9, 17), shift("1001", 10, 18)
	later(1, func(tx *store.Tx) error {
		_, _, err := tx.ReviseShifts("published", revision("晚一小时", changeOf(&early, &late)), store.AnyVersion)
		return err
	})
	later(2, func(tx *store.Tx) error {
		if _, err := tx.SetRosterState("published", store.Archived, store.AnyVersion); err != nil {
			return err
		}
		_, err := tx.SetRosterState("draft", store.Published, store.AnyVersion)
		return err
	})
	told, err := view.Publications(ctx, "1001", calendar.Range{Start: hour(0), End: hour(24)})
	require.NoError(t, err)
	require.Len(t, told, 4)
	for i, want := range []struct {
		minutes int
		roster  ids.Roster
		ended   bool
		start   int
	}{{0, "published", false, 9}, {1, "published", false, 10}, {2, "published", true, 0}, {2, "draft", false, 12}} {
		assert.Equal(t, nowStored.Add(time.Duration(want.minutes)*time.Minute), told[i].At)
		assert.Equal(t, want.roster, told[i].Roster)
		assert.Equal(t, want.ended, told[i].Ended)
		if !want.ended {
			require.Len(t, told[i].Shifts, 1)
			assert.Equal(t, hour(want.start).UTC(), told[i].Shifts[0].Start)
		}
	}
	none, err := view.Publications(ctx, "1001", calendar.Range{Start: hour(48), End: hour(72)})
	require.NoError(t, err)
	assert.Empty(t, none)
}

func testFeeds(t *testing.T, db *store.DB) {
	ctx := t.Context()
	agent, err := db.FeedAgent(ctx, store.SecretHash("calendar of 1001"))
	require.NoError(t, err)
	assert.Equal(t, ids.Agent("1001"), agent)
	_, err = db.FeedAgent(ctx, store.SecretHash("something else"))
	codeIs(t, err, store.ErrNotFound)
	change(t, db, func(tx *store.Tx) error { return tx.RevokeCalendarFeed("feed-1001") })
	change(t, db, func(tx *store.Tx) error { return tx.RevokeCalendarFeed("feed-1001") })
	_, err = db.FeedAgent(ctx, store.SecretHash("calendar of 1001"))
	codeIs(t, err, store.ErrNotFound)
	codeIs(t, db.Change(ctx, system, now, func(tx *store.Tx) error { return tx.RevokeCalendarFeed("none") }), store.ErrNotFound)
	codeIs(t, db.Change(ctx, system, now, func(tx *store.Tx) error {
		_, err := tx.AddCalendarFeed(store.CalendarFeed{ID: "x", Agent: "nobody", SecretHash: "y"})
		return err
	}), store.ErrReference)
	feed, err := db.In(everything).CalendarFeed(ctx, "feed-1001")
	require.NoError(t, err)
	assert.Equal(t, nowStored, feed.RevokedAt)

	for _, c := range []struct {
		revision int
		code     string
	}{{1, ""}, {1, ""}, {3, store.ErrNotFound.Code}, {-1, store.ErrNotFound.Code}} {
		err := db.Change(ctx, system, now, func(tx *store.Tx) error {
			_, err := tx.Acknowledge("published", c.revision, "1001", "纸质签收")
			return err
		})
		if c.code == "" {
			require.NoError(t, err)
			continue
		}
		assert.Equal(t, c.code, fault.CodeOf(err))
	}
	rows, _, err := db.In(everything).Acknowledgements(ctx, "published", store.Page{})
	require.NoError(t, err)
	assert.Len(t, rows, 3, "once is enough")
}

// testRosterLife walks a roster's life at random beside a model of it: whatever is called in whatever order,
// every revision reads as it was, nobody is in two published shifts at once, and what is archived rests.
func testRosterLife(t *testing.T, db *store.DB) {
	ctx, view := t.Context(), db.In(everything)
	rng := rand.New(rand.NewPCG(7, 7))
	type life struct {
		state store.RosterState
		first int
		past  [][]scheduling.Shift // from the first revision on
	}
	model := map[ids.Roster]*life{}
	var known []ids.Roster
	sorted := func(shifts []scheduling.Shift) []scheduling.Shift {
		r := scheduling.Roster{Shifts: slices.Clone(shifts)}
		r.Sort()
		return r.Shifts
	}
	some := func(agent string, day int) scheduling.Shift {
		s := shift(agent, 24*(100+day)+rng.IntN(10), 24*(100+day)+12+rng.IntN(10))
		return utc(s)
	}
	do := func(fn func(tx *store.Tx) error) error { return db.Change(ctx, system, now, fn) }
	for step := range 120 {
		id := ids.Roster(fmt.Sprintf("life-%03d", step))
		var of *life
		if len(known) > 0 {
			id = known[rng.IntN(len(known))]
			of = model[id]
		}
		switch op := rng.IntN(6); {
		case of == nil || op == 0:
			id = ids.Roster(fmt.Sprintf("life-%03d", step))
			shifts := sorted([]scheduling.Shift{some("1001", 0), some("1002", 1)})
			require.NoError(t, do(func(tx *store.Tx) error {
				_, err := tx.AddRoster(store.Roster{ID: id, Range: calendar.Range{Start: hour(2400), End: hour(2480)}, Shifts: shifts})
				return err
			}))
			model[id], known = &life{store.Draft, 1, [][]scheduling.Shift{shifts}}, append(known, id)
		case op <= 2:
			now := of.past[len(of.past)-1]
			added := some([]string{"1001", "1002"}[rng.IntN(2)], rng.IntN(4))
			change := revise.Change{After: &added}
			next := slices.Clone(now)
			if len(now) > 0 && rng.IntN(2) == 0 {
				i := rng.IntN(len(now))
				change.Before, next = &now[i], slices.Delete(next, i, i+1)
			}
			next = sorted(append(next, added))
			err := do(func(tx *store.Tx) error {
				_, _, err := tx.ReviseShifts(id, revision("x", change), store.AnyVersion)
				return err
			})
			if err == nil {
				require.NotEqual(t, store.Archived, of.state)
				of.past = append(of.past, next)
			} else {
				code := fault.CodeOf(err)
				require.Contains(t, []string{"roster.invalid", "roster.double_booked", store.ErrConflict.Code}, code)
				require.Equal(t, of.state == store.Archived, code == store.ErrConflict.Code, "%v", err)
			}
		case op == 3:
			to := ids.Roster(fmt.Sprintf("life-%03d", step))
			require.NoError(t, do(func(tx *store.Tx) error { _, err := tx.CopyRoster(id, to, "", store.AnyVersion); return err }))
			model[to] = &life{store.Draft, of.first + len(of.past) - 1, [][]scheduling.Shift{of.past[len(of.past)-1]}}
			known = append(known, to)
		default:
			state := []store.RosterState{store.Published, store.Archived}[op-4]
			err := do(func(tx *store.Tx) error { _, err := tx.SetRosterState(id, state, store.AnyVersion); return err })
			if err == nil {
				of.state = state
			} else {
				require.Contains(t, []string{"roster.double_booked", store.ErrConflict.Code}, fault.CodeOf(err))
			}
		}
		id = known[rng.IntN(len(known))]
		of = model[id]
		k := rng.IntN(len(of.past))
		got, err := view.RosterAt(ctx, id, of.first+k)
		require.NoError(t, err)
		require.Equal(t, of.state, got.State)
		require.Len(t, got.Shifts, len(of.past[k]), "step %d", step)
		for i := range got.Shifts {
			require.True(t, revise.Same(of.past[k][i], got.Shifts[i]), "step %d: %s@%d", step, id, of.first+k)
		}
		all, err := store.All(func(p store.Page) ([]store.Shift, string, error) {
			return view.Shifts(ctx, store.ShiftFilter{State: store.Published}, p)
		})
		require.NoError(t, err)
		var published scheduling.Roster
		for _, s := range all {
			published.Shifts = append(published.Shifts, s.Shift)
		}
		require.NoError(t, published.Validate(), "nobody is in two published shifts at once")
	}
}
