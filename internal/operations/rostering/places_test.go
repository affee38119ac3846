package rostering_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

func (s *stack) seats(t *testing.T, n int, windows ...workforce.SeatWindow) {
	t.Helper()
	ok(t, s.Administration.PutPlaces(t.Context(), admin, []workforce.Site{{ID: "hefei", Name: "合肥", Seats: n, Windows: windows}}, nil))
}

func rulesOf(v revising.Verdict) (out []string) {
	for _, b := range v.Broken {
		out = append(out, b.Rule)
	}
	return out
}

// All three sit in Hefei. On Monday 1001 is there from 9 to 18 and 1002 from 14 to 23, so one seat is too
// few from 14 to 18 already; that is not held against an edit that does not make it worse.
func TestEditsNeedSeats(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	s.seats(t, 1)
	judge := func(e revise.Edit) revising.Verdict {
		t.Helper()
		v, err := s.Rostering.JudgeEdit(t.Context(), supervisor, "week", []revise.Edit{e})
		ok(t, err)
		return v
	}
	assert.Empty(t, rulesOf(judge(move("1001", 0, 9, 8))), "together from 14 to 17 only")
	v := judge(move("1001", 0, 9, 10))
	assert.Equal(t, []string{"site.seats"}, rulesOf(v), "from 18 to 19 there are two now")
	assert.False(t, v.Allowed)

	tuesday := served("1003", monday.Add(1), 9)
	add := revise.Edit{Kind: revise.Add, Shift: &tuesday}
	v = judge(add)
	require.Equal(t, []string{"site.seats"}, rulesOf(v))
	assert.True(t, v.Broken[0].Hard)
	assert.InDelta(t, 1, v.Broken[0].Amount, 1e-9)
	assert.Equal(t, monday.Add(1).In(shanghai).Add(9*time.Hour), v.Broken[0].Range.Start)
	_, err := s.edit(t, rostering.EditInput{Edits: []revise.Edit{add}, Reason: "x", Overrule: true, Publish: true})
	assert.Equal(t, "site.seats", refused(t, err, "roster.unlawful").Fields[0].Value)
	assign := revise.Edit{Kind: revise.Assign, Agent: "1001", Start: monday.Add(1).In(shanghai).Add(9 * time.Hour), To: "1003"}
	assert.Empty(t, rulesOf(judge(assign)), "one goes, one comes")

	s.seats(t, 2, workforce.SeatWindow{From: "17:00", Until: "08:00", Seats: 1})
	v = judge(add)
	require.Len(t, v.Broken, 1)
	assert.Equal(t, monday.Add(1).In(shanghai).Add(17*time.Hour), v.Broken[0].Range.Start, "the evening has one seat")
	a, err := s.Administration.Agent(t.Context(), admin, "1003")
	ok(t, err)
	a.Value.Employment = workforce.Cloud
	_, err = s.Administration.PutAgents(t.Context(), admin, []workforce.Agent{a.Value})
	ok(t, err)
	assert.Empty(t, rulesOf(judge(add)), "cloud agents work at home")
}

func TestPublishingNeedsSeats(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	s.addDraft(t, "next", monday.Add(7), 7, served("1001", monday.Add(7), 9), served("1002", monday.Add(7), 14), served("1003", monday.Add(8), 9))
	s.seats(t, 1)
	_, err := s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "next", Expect: operations.AnyVersion})
	e := refused(t, err, "roster.unlawful")
	require.Len(t, e.Fields, 1)
	assert.Equal(t, "site.seats", e.Fields[0].Value)
	assert.Contains(t, e.Fields[0].Problem, "2 people on 1 seats at 2026-06-22 14:00")
	s.seats(t, 2)
	_, err = s.Rostering.PublishRoster(t.Context(), planner, rostering.PublishInput{Roster: "next", Expect: operations.AnyVersion})
	ok(t, err)
}

// Three are wanted all day and could come, but there are two seats.
func TestRostersKeepSeatsAndTerms(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	s.seats(t, 2)
	span := calendar.Day(monday.Add(7), shanghai)
	need := scheduling.Requirement{Queue: "lumi-tmall/pre", Slot: time.Hour}
	for hour := 9; hour < 18; hour++ {
		need.Needs = append(need.Needs, scheduling.Need{Start: span.Start.Add(time.Duration(hour) * time.Hour), Heads: 3, Value: 100})
	}
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		return tx.AddPlan(store.Plan{ID: "wide", Queue: "lumi-tmall/pre", Range: span, Requirement: need})
	}))
	in := rostering.RosterInput{From: monday.Add(7), Days: 1, Iterations: 100, Threads: 1}
	made, err := s.Rostering.MakeRoster(t.Context(), planner, in)
	ok(t, err)
	assert.Len(t, made.Roster.Shifts, 2)
	codes := map[string]bool{}
	for _, u := range made.Solution.Uncovered {
		for _, r := range u.Reasons {
			codes[r.Code] = true
		}
	}
	assert.True(t, codes["site_full"], "%v", codes)
	terms, err := revising.TermsOf(made.Roster)
	ok(t, err)
	assert.Equal(t, revising.HouseTerms(), terms)
	assert.Equal(t, calendar.Length(time.Hour), terms.MinBlock)

	none := time.Duration(0)
	in.Weights, in.MinBlock = map[string]float64{"over": 3, "switch": 0}, &none
	made, err = s.Rostering.MakeRoster(t.Context(), planner, in)
	ok(t, err)
	stored, err := s.Rostering.Roster(t.Context(), planner, made.Roster.ID)
	ok(t, err)
	terms, err = revising.TermsOf(stored)
	ok(t, err)
	want := roster.DefaultWeights()
	want.Over = 3
	assert.Equal(t, revising.Terms{Weights: want}, terms)

	odd := 7 * time.Minute
	in.Weights, in.MinBlock = map[string]float64{"shorts": 1, "over": -1}, &odd
	_, err = s.Rostering.MakeRoster(t.Context(), planner, in)
	paths := []string{}
	for _, f := range refused(t, err, "roster.input").Fields {
		paths = append(paths, f.Path)
	}
	assert.Equal(t, []string{"weights.shorts", "weights.over", "min_block"}, paths)
}

// A roster whose terms say 50 yuan for a head too many and 7 for a change of queue is edited at these prices.
// Moved from 9 to 11, 1001 is one too many from 18 to 20 beside 1002, who is so already, and no longer from
// 14 to 15, when it eats. Then half an hour of after-sales is put into its Tuesday.
func TestEditsArePricedAsTheRosterWas(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	week, err := s.Rostering.Roster(t.Context(), planner, "week")
	ok(t, err)
	terms := revising.Terms{Weights: roster.DefaultWeights(), MinBlock: calendar.Length(2 * time.Hour)}
	terms.Weights.Over, terms.Weights.Switch = 50, 7
	figures, err := json.Marshal(map[string]any{"terms": terms})
	ok(t, err)
	ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
		_, err := tx.AddRoster(store.Roster{ID: "dear", Range: week.Range, Plans: week.Plans, Figures: figures, Shifts: week.Shifts})
		return err
	}))
	cost := func(id ids.Roster, e revise.Edit) revising.Verdict {
		t.Helper()
		v, err := s.Rostering.JudgeEdit(t.Context(), supervisor, id, []revise.Edit{e})
		ok(t, err)
		require.NotNil(t, v.Cost)
		return v
	}
	cheap, dear := cost("week", move("1001", 0, 9, 11)).Cost, cost("dear", move("1001", 0, 9, 11)).Cost
	require.NotZero(t, cheap.Over)
	assert.InDelta(t, 50*cheap.Over, dear.Over, 1e-6)
	assert.InDelta(t, cheap.Short, dear.Short, 1e-6)

	split := served("1001", monday.Add(1), 9)
	at := split.Start
	part := func(q ids.Queue, from, until float64) scheduling.Activity {
		h := func(x float64) time.Time { return at.Add(time.Duration(x * float64(time.Hour))) }
		return scheduling.Activity{Kind: scheduling.Work, Queue: q, Start: h(from), End: h(until)}
	}
	split.Activities = append([]scheduling.Activity{part("lumi-tmall/pre", 0, 2), part("lumi-tmall/after", 2, 2.5), part("lumi-tmall/pre", 2.5, 4)}, split.Activities[1:]...)
	put := revise.Edit{Kind: revise.Put, Agent: "1001", Start: at, Shift: &split}
	v := cost("dear", put)
	assert.Contains(t, rulesOf(v), "queue.block")
	assert.InDelta(t, 2*7, v.Cost.Switches, 1e-9)
	assert.InDelta(t, 20, v.Cost.SoftRules, 1e-9, "one block that is too short, at the price of a soft rule")
	assert.InDelta(t, v.Cost.Short+v.Cost.Over+v.Cost.Wages+14+20, v.Cost.Total, 1e-9)
	v = cost("week", put)
	assert.NotContains(t, rulesOf(v), "queue.block", "that roster was made without blocks")
	assert.Zero(t, v.Cost.Switches)
}

// One of three works Saturday in a draft. When Sunday is made anew, that weekend counts although nothing is
// published: a second one would cost 60 yuan of fairness, the first of another agent 20.
func TestADayMadeAnewKnowsTheOtherDays(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	week, err := s.Rostering.Roster(t.Context(), planner, "week")
	ok(t, err)
	for _, tired := range []ids.Agent{"1001", "1002", "1003"} {
		id := ids.Roster("draft-" + tired)
		ok(t, s.DB.Change(t.Context(), admin, s.Clock, func(tx *store.Tx) error {
			_, err := tx.AddRoster(store.Roster{ID: id, Range: week.Range, Plans: week.Plans, Shifts: []scheduling.Shift{served(tired, monday.Add(5), 9)}})
			return err
		}))
		made, err := s.Rostering.MakeRoster(t.Context(), planner, rostering.RosterInput{From: monday.Add(6), Days: 1, Of: id, Seed: 1, Iterations: 200, Threads: 1, Weights: map[string]float64{"fairness": 20}})
		ok(t, err)
		require.Greater(t, len(made.Roster.Shifts), 1, "one covers the meal of another")
		for _, x := range made.Roster.Shifts {
			if calendar.DateOf(x.Start, shanghai) == monday.Add(6) {
				assert.NotEqual(t, tired, x.Agent)
			}
		}
	}
}

// An absence that a repair fills can be entered as leave in the same change: eight hours of sick leave.
func TestRepairsRecordLeave(t *testing.T) {
	t.Parallel()
	s := lifeStack(t)
	ctx := t.Context()
	tuesday := calendar.Day(monday.Add(1), shanghai)
	in := rostering.RepairInput{Roster: "week", Absences: []revise.Absence{{Agent: "1001", Range: tuesday}}, RecordLeave: leave.Sick}
	_, err := s.Rostering.RepairRoster(ctx, supervisor, in)
	assert.Equal(t, "record_leave", refused(t, err, "repair.input").Fields[0].Path, "a draft binds nobody")
	in.Publish, in.RecordLeave = true, leave.Annual
	_, err = s.Rostering.RepairRoster(ctx, supervisor, in)
	assert.Equal(t, "1001.leave.balance", refused(t, err, "leave.rejected").Fields[0].Path, "nothing was granted")
	untouched, err := s.Rostering.Roster(ctx, planner, "week")
	ok(t, err)
	assert.Equal(t, 1, untouched.Revision, "all or nothing")

	in.RecordLeave = leave.Sick
	done, err := s.Rostering.RepairRoster(ctx, supervisor, in)
	ok(t, err)
	require.Len(t, done.Leave, 1)
	kept, err := s.DB.In(everything).Request(ctx, done.Leave[0])
	ok(t, err)
	assert.Equal(t, leave.Approved, kept.Value.State)
	assert.Equal(t, ids.Agent("1001"), kept.Value.Agent)
	assert.Equal(t, leave.Sick, kept.Value.Leave.Kind)
	assert.Equal(t, []leave.Charge{{Date: monday.Add(1), Minutes: 480}}, kept.Value.Leave.Charge)
	require.Len(t, kept.Value.Effects, 1)
	assert.Len(t, kept.Value.Effects[0].Drop, 1)
	assert.Contains(t, string(done.Applied.Revision.Figures), string(done.Leave[0]))

	// Who is on leave is not rostered, and the same absence is not entered twice.
	_, err = s.Rostering.RepairRoster(ctx, supervisor, in)
	fields := refused(t, err, "leave.rejected").Fields
	assert.Equal(t, "1001.leave.overlap", fields[0].Path)
}

var everything = access.Scope{Everything: true}
