package revise_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

var (
	zone   = time.FixedZone("CST", 8*3600)
	monday = time.Date(2026, 11, 9, 0, 0, 0, 0, zone)
)

// at is an instant of a day of the week of 9 November, in clock hours.
func at(day int, hour float64) time.Time {
	return monday.AddDate(0, 0, day).Add(time.Duration(hour * float64(time.Hour)))
}

func part(kind scheduling.ActivityKind, queue ids.Queue, day int, from, until float64) scheduling.Activity {
	return scheduling.Activity{Kind: kind, Queue: queue, Start: at(day, from), End: at(day, until)}
}

// duty is 09:00-18:00 with a meal at 12:00, on one queue.
func duty(agent ids.Agent, day int) scheduling.Shift {
	return scheduling.Shift{Agent: agent, Code: "D", Start: at(day, 9), End: at(day, 18), Activities: []scheduling.Activity{
		part(scheduling.Work, "q", day, 9, 12), part(scheduling.Meal, "", day, 12, 13), part(scheduling.Work, "q", day, 13, 18),
	}}
}

func TestEdits(t *testing.T) {
	a, b := duty("a", 0), duty("b", 1)
	name := func(e revise.Edit) revise.Edit { e.Agent, e.Start = "a", a.Start; return e }
	added := scheduling.Shift{Agent: "c", Start: at(2, 9), End: at(2, 12)}
	for what, c := range map[string]struct {
		edit revise.Edit
		want []scheduling.Shift
	}{
		"add":    {revise.Edit{Kind: revise.Add, Shift: &added}, []scheduling.Shift{a, b, added}},
		"remove": {name(revise.Edit{Kind: revise.Remove}), []scheduling.Shift{b}},
		"move": {name(revise.Edit{Kind: revise.Move, NewStart: at(0, 10)}), []scheduling.Shift{{
			Agent: "a", Start: at(0, 10), End: at(0, 19), Activities: []scheduling.Activity{
				part(scheduling.Work, "q", 0, 10, 13), part(scheduling.Meal, "", 0, 13, 14), part(scheduling.Work, "q", 0, 14, 19),
			},
		}, b}},
		"cut": {name(revise.Edit{Kind: revise.Resize, NewStart: at(0, 12.5), NewEnd: at(0, 17)}), []scheduling.Shift{{
			Agent: "a", Start: at(0, 12.5), End: at(0, 17), Activities: []scheduling.Activity{
				part(scheduling.Meal, "", 0, 12.5, 13), part(scheduling.Work, "q", 0, 13, 17),
			},
		}, b}},
		"grow": {name(revise.Edit{Kind: revise.Resize, NewStart: at(0, 8), NewEnd: at(0, 19)}), []scheduling.Shift{{
			Agent: "a", Start: at(0, 8), End: at(0, 19), Activities: []scheduling.Activity{
				part(scheduling.Work, "q", 0, 8, 12), part(scheduling.Meal, "", 0, 12, 13), part(scheduling.Work, "q", 0, 13, 19),
			},
		}, b}},
		"a later meal": {name(revise.Edit{Kind: revise.MovePause, Pause: at(0, 12), NewStart: at(0, 14)}), []scheduling.Shift{{
			Agent: "a", Code: "D", Start: at(0, 9), End: at(0, 18), Activities: []scheduling.Activity{
				part(scheduling.Work, "q", 0, 9, 14), part(scheduling.Meal, "", 0, 14, 15), part(scheduling.Work, "q", 0, 15, 18),
			},
		}, b}},
		"a meal a little later": {name(revise.Edit{Kind: revise.MovePause, Pause: at(0, 12), NewStart: at(0, 12.25)}), []scheduling.Shift{{
			Agent: "a", Code: "D", Start: at(0, 9), End: at(0, 18), Activities: []scheduling.Activity{
				part(scheduling.Work, "q", 0, 9, 12.25), part(scheduling.Meal, "", 0, 12.25, 13.25), part(scheduling.Work, "q", 0, 13.25, 18),
			},
		}, b}},
	} {
		got, err := revise.Apply([]scheduling.Shift{a, b}, []revise.Edit{c.edit})
		require.NoError(t, err, what)
		require.Len(t, got, len(c.want), what)
		for i := range c.want {
			assert.True(t, revise.Same(c.want[i], got[i]), "%s: %+v", what, got[i])
		}
		assert.Equal(t, duty("a", 0), a, "the original stays")
	}
}

func TestBadEditsSayEverything(t *testing.T) {
	a, b := duty("a", 0), duty("b", 0)
	_, err := revise.Apply([]scheduling.Shift{a, b}, []revise.Edit{
		{Kind: "paint", Agent: "a", Start: a.Start},
		{Kind: revise.Remove, Agent: "a", Start: at(0, 10)},
		{Kind: revise.Move, Agent: "a", Start: a.Start},
		{Kind: revise.Move, Agent: "a", Start: a.Start, NewStart: at(0, 9).Add(time.Second)},
		{Kind: revise.Resize, Agent: "a", Start: a.Start},
		{Kind: revise.Resize, Agent: "a", Start: a.Start, NewEnd: at(0, 8)},
		{Kind: revise.MovePause, Agent: "a", Start: a.Start, Pause: at(0, 15), NewStart: at(0, 16)},
		{Kind: revise.MovePause, Agent: "a", Start: a.Start, Pause: at(0, 12), NewStart: at(0, 17.5)},
		{Kind: revise.Swap, Agent: "a", Start: a.Start, To: "a"},
		{Kind: revise.Swap, Agent: "a", Start: a.Start, To: "b", ToStart: at(3, 9)},
		{Kind: revise.Add},
		{Kind: revise.Put, Agent: "a", Start: a.Start},
	})
	require.Error(t, err)
	assert.Equal(t, "roster.edit", fault.CodeOf(err))
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path)
	}
	assert.Equal(t, []string{
		"edits[0].kind", "edits[1].start", "edits[2].new_start", "edits[3].new_start", "edits[4].new_start", "edits[5].new_end", "edits[6].pause",
		"edits[7].new_start", "edits[8].to", "edits[9].to_start", "edits[10].shift", "edits[11].shift",
	}, paths)
	_, err = revise.Apply([]scheduling.Shift{a, b}, nil)
	require.Error(t, err)
	_, err = revise.Apply([]scheduling.Shift{a, b}, []revise.Edit{{Kind: revise.Assign, Agent: "a", Start: a.Start, To: "b"}})
	assert.Equal(t, "roster.edit", fault.CodeOf(err), "nobody is in two places")
}

func randomShifts(t *rapid.T) []scheduling.Shift {
	var out []scheduling.Shift
	for _, a := range []ids.Agent{"a", "b", "c"} {
		for day := range 7 {
			if rapid.Bool().Draw(t, "works") {
				s := duty(a, day)
				if rapid.Bool().Draw(t, "code") {
					s.Code = "E"
				}
				out = append(out, s)
			}
		}
	}
	return out
}

// A swap keeps every hour: the shifts stay the same, and the sum of hours too.
func TestSwapsConserveShifts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shifts := randomShifts(t)
		if len(shifts) < 2 {
			return
		}
		x, y := rapid.SampledFrom(shifts).Draw(t, "x"), rapid.SampledFrom(shifts).Draw(t, "y")
		got, err := revise.Apply(shifts, []revise.Edit{{Kind: revise.Swap, Agent: x.Agent, Start: x.Start, To: y.Agent, ToStart: y.Start}})
		if err != nil {
			return // the same agent, or somebody would be in two places
		}
		strip := func(all []scheduling.Shift) (out []time.Time) {
			for _, s := range all {
				out = append(out, s.Start)
			}
			slices.SortFunc(out, time.Time.Compare)
			return out
		}
		assert.Equal(t, strip(shifts), strip(got))
		assert.Equal(t, len(revise.Between(shifts, got, zone)) > 0, x.Start != y.Start || x.Code != y.Code)
	})
}

// What lies between two rosters, made on the first, is the second; and made backwards, the first.
func TestBetweenLeadsFromOneToTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := randomShifts(t), randomShifts(t)
		changes := revise.Between(a, b, zone)
		at := slices.Clone(a)
		for _, c := range changes {
			if c.Before != nil {
				at = slices.DeleteFunc(at, func(s scheduling.Shift) bool { return revise.Same(s, *c.Before) })
			}
			if c.After != nil {
				at = append(at, *c.After)
			}
		}
		r := scheduling.Roster{Shifts: at}
		r.Sort()
		require.Equal(t, len(b), len(r.Shifts))
		for i := range b {
			require.True(t, revise.Same(b[i], r.Shifts[i]))
		}
		d := revise.Compare(a, b, zone)
		assert.Equal(t, len(changes), len(d.Added)+len(d.Removed)+len(d.Moved)+len(d.Retaken))
		assert.InDelta(t, d.After.Hours-d.Before.Hours, sum(d.Agents), 1e-9, "hours by agent add up")
		assert.Empty(t, revise.Between(a, a, zone))
	})
}

func sum(agents []revise.HoursChange) (out float64) {
	for _, a := range agents {
		out += a.After - a.Before
	}
	return out
}

func TestDiffSaysWhatHappened(t *testing.T) {
	stays, goes, comes := duty("a", 0), duty("b", 0), duty("b", 2)
	moves, later := duty("c", 0), duty("c", 0)
	later.Start, later.End, later.Activities = at(0, 12), at(0, 21), nil
	other, recoded := duty("d", 0), duty("d", 0)
	recoded.Code = "E"
	d := revise.Compare([]scheduling.Shift{stays, goes, moves, other}, []scheduling.Shift{stays, comes, later, recoded}, zone)
	assert.Equal(t, []scheduling.Shift{comes}, d.Added)
	assert.Equal(t, []scheduling.Shift{goes}, d.Removed)
	require.Len(t, d.Moved, 1)
	assert.Equal(t, later, *d.Moved[0].After)
	require.Len(t, d.Retaken, 1)
	assert.Equal(t, []revise.HoursChange{{Agent: "c", Before: 8, After: 9}}, d.Agents, "without activities there is no meal")
	assert.InDelta(t, 32, d.Before.Hours, 1e-9)
	assert.Equal(t, calendar.DateOf(d.Removed[0].Start, zone), calendar.MakeDate(2026, time.November, 9))
}

// After publishing a gap costs what the optimiser said: of four people for two heads at 90 and 10 yuan an hour, the fourth costs 5.
func TestABoardPricesAlongTheCurve(t *testing.T) {
	need := scheduling.Need{Start: at(0, 9), Heads: 2, Paid: 4}.Priced([]scheduling.Step{{Heads: 1, Value: 90}, {Heads: 2, Value: 10}})
	b := revise.NewBoard(calendar.Range{Start: at(0, 0), End: at(1, 0)}, []scheduling.Requirement{{Queue: "q", Slot: time.Hour, Needs: []scheduling.Need{need}}}, roster.DefaultWeights())
	for _, want := range []float64{100, 55, 10, 5, 0} {
		short, _ := b.Price()
		assert.InDelta(t, want, short, 1e-9)
		b.Count(duty("a", 0), 1)
	}
}

// An edit that names no shift says which part is missing, not that nobody's shift begins in the year 1.
func TestAnEditThatNamesNoShift(t *testing.T) {
	_, err := revise.Apply([]scheduling.Shift{duty("a", 0)}, []revise.Edit{{Kind: revise.Put}, {Kind: revise.Remove, Agent: "a"}})
	var paths []string
	for _, f := range fault.Of(err).Fields {
		paths = append(paths, f.Path+" "+f.Problem)
	}
	assert.Equal(t, []string{"edits[0].agent is needed: whose shift", "edits[0].start is needed: when the shift begins", "edits[1].start is needed: when the shift begins"}, paths)
}
