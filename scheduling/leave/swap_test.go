package leave_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

func TestJudgeSwap(t *testing.T) {
	late, early := shift("a", "2026-11-16", 15, 23), shift("b", "2026-11-17", 8, 16)
	a, b := caseOf("a", late), caseOf("b", early)
	ofA, ofB := leave.JudgeSwap(leave.SwapAsk{Given: late, Taken: &early}, a, b)
	assert.True(t, ofA.Legal)
	assert.True(t, ofB.Legal)

	// b gets the late shift and keeps the early one of the next day: 9 h of rest are short of the 11
	// that are flagged; from midnight on it is 8 h, then less, which is forbidden.
	_, ofB = leave.JudgeSwap(leave.SwapAsk{Given: late}, a, b)
	assert.True(t, ofB.Legal)
	assert.Contains(t, rules(ofB), "rest.between_warn")
	night := shift("a", "2026-11-16", 17, 25)
	_, ofB = leave.JudgeSwap(leave.SwapAsk{Given: night}, caseOf("a", night), b)
	assert.False(t, ofB.Legal)
	hard := slices.IndexFunc(ofB.Breaks, func(v workrules.Violation) bool { return v.Hard })
	require.GreaterOrEqual(t, hard, 0)
	assert.Equal(t, "rest.between_block", ofB.Breaks[hard].Rule)
	require.NotEmpty(t, ofB.Remedy, "it says what would make it legal")
	assert.LessOrEqual(t, ofB.Remedy[0].By, time.Hour, "an hour more of rest does")

	// Without the skill for the queue.
	c := caseOf("c")
	c.Person.Skills = nil
	_, ofC := leave.JudgeSwap(leave.SwapAsk{Given: late}, a, c)
	assert.False(t, ofC.Legal)
	assert.Contains(t, rules(ofC), "fit.skill")

	_, ofB = leave.JudgeSwap(leave.SwapAsk{Given: shift("a", "2026-11-20", 9, 17)}, a, b)
	assert.NotEmpty(t, ofB.Refused, "a does not have that shift")
}

func rules(v leave.Verdict) (codes []string) {
	for _, b := range v.Breaks {
		codes = append(codes, b.Rule)
	}
	return codes
}

// Swaps and shifts given away in any order: every shift has one owner, nobody is in two places, and
// no hour appears or is lost.
func TestSwapsConserveShifts(t *testing.T) {
	agents := []ids.Agent{"a", "b", "c", "d"}
	rapid.Check(t, func(t *rapid.T) {
		var roster []scheduling.Shift
		for i := range rapid.IntRange(1, 12).Draw(t, "shifts") {
			from := rapid.IntRange(0, 20).Draw(t, "from")
			s := shift(agents[i%len(agents)], date("2026-11-02").Add(i/len(agents)).String(), from, from+rapid.IntRange(1, 8).Draw(t, "hours"))
			if next, ok := leave.Apply(roster, leave.Effect{Add: []scheduling.Shift{s}}); ok {
				roster = next
			}
		}
		before := work(roster)
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			given := rapid.SampledFrom(roster).Draw(t, "given")
			ask := leave.SwapAsk{Given: given}
			to := rapid.SampledFrom(agents).Draw(t, "to")
			if to == given.Agent {
				continue
			}
			if i := slices.IndexFunc(roster, func(s scheduling.Shift) bool { return s.Agent == to }); i >= 0 && rapid.Bool().Draw(t, "swap") {
				taken := roster[i]
				ask.Taken = &taken
			}
			if rapid.Bool().Draw(t, "rosters") {
				ask.Roster, ask.From = "r1", "r2"
			}
			effects := leave.SwapEffects(ask, given.Agent, to)
			for _, e := range effects {
				require.Zero(t, e.WorkTime())
			}
			next, ok := leave.Apply(roster, effects...)
			if !ok {
				require.Equal(t, roster, next, "nothing is half done")
				continue
			}
			require.Len(t, next, len(roster))
			roster = next
			require.NoError(t, scheduling.Roster{Shifts: roster}.Validate(), "nobody is in two places")
		}
		require.Equal(t, before, work(roster))
	})
}

func work(shifts []scheduling.Shift) (sum time.Duration) {
	for _, s := range shifts {
		sum += s.WorkTime()
	}
	return sum
}

func TestApplyRefuses(t *testing.T) {
	s := shift("a", "2026-11-16", 9, 17)
	changed := s
	changed.Code = "X"
	_, ok := leave.Apply([]scheduling.Shift{changed}, leave.Effect{Drop: []scheduling.Shift{s}})
	assert.False(t, ok, "the shift is not as it was")
	_, ok = leave.Apply([]scheduling.Shift{s}, leave.Effect{Add: []scheduling.Shift{shift("a", "2026-11-16", 16, 20)}})
	assert.False(t, ok, "in two places")
}

func TestDigestSeesWhatMatters(t *testing.T) {
	given, other := shift("a", "2026-11-16", 9, 17), shift("b", "2026-11-18", 9, 17)
	ask := leave.SwapAsk{Given: given}
	r := ask.Around(2)
	base := leave.Digest([]scheduling.Shift{given, other}, r, "a", "b")
	assert.Equal(t, base, leave.Digest([]scheduling.Shift{other, given, shift("c", "2026-11-16", 9, 17), shift("a", "2026-11-25", 9, 17)}, r, "a", "b"), "order, others and far days do not matter")
	moved := shift("b", "2026-11-18", 10, 18)
	assert.NotEqual(t, base, leave.Digest([]scheduling.Shift{given, moved}, r, "a", "b"))
	paused := shift("a", "2026-11-16", 9, 17)
	paused.Activities[0].Kind = scheduling.Training
	assert.NotEqual(t, base, leave.Digest([]scheduling.Shift{paused, other}, r, "a", "b"))
	both := leave.SwapAsk{Given: given, Taken: &other}
	assert.Equal(t, at("2026-11-20 17:00"), both.Around(2).End)
}
