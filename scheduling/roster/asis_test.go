package roster_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// shortOf lists stretches without their reasons.
func shortOf(list []roster.Uncovered) (out []string) {
	for _, u := range list {
		out = append(out, fmt.Sprintf("%s %s %s %d of %d", u.Queue, u.Range.Start, u.Range.End, u.Missing, u.Target))
	}
	return out
}

// What Explain says of the roster that Solve made is what Solve said of it: the same stretches, each with reasons
// whose counts add up to the agents.
func TestExplainOfARosterAsItWasMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := randomProblem(t)
		if p.Locked = nil; rapid.Bool().Draw(t, "stays") {
			p.MinBlock, p.Weights.Switch = 3600e9, 2
		}
		made, err := roster.Solve(t.Context(), p, roster.Options{Seed: 1, Iterations: 60, Threads: 1})
		require.NoError(t, err)
		said, err := roster.Explain(p, made.Roster.Shifts, roster.Question{})
		require.NoError(t, err)
		now := said.Uncovered
		assert.Equal(t, shortOf(made.Uncovered), shortOf(now))
		assert.Equal(t, made.FixesFor, said.FixesFor)
		assert.Equal(t, made.Idle, said.Idle)
		for i := range now {
			sum := 0
			for _, r := range now[i].Reasons {
				sum += r.Count
			}
			assert.Equal(t, len(p.Agents), sum)
			assert.InDelta(t, made.Uncovered[i].Worth, now[i].Worth, 1e-6)
			if p.MinBlock > 0 {
				assert.Equal(t, made.Uncovered[i].Reasons, now[i].Reasons)
			}
		}
	})
}

// A shift that was made longer by hand fits no template. It covers what it covers, and what stays short is
// explained around it: one head from 9 to 17 is missing where it was taken away, and nothing where it stays.
func TestExplainOfAnEditedRoster(t *testing.T) {
	p := small(2)
	need(&p, "q", 1, 9, 12, 0, 1)
	made := solve(t, p, 50)
	require.Empty(t, made.Uncovered)
	shifts := slices.Clone(made.Roster.Shifts)
	first := &shifts[0]
	first.End = first.End.Add(15 * 60e9)
	first.Activities = slices.Clone(first.Activities)
	last := &first.Activities[len(first.Activities)-1]
	last.End = first.End
	said, err := roster.Explain(p, shifts, roster.Question{})
	require.NoError(t, err)
	assert.Empty(t, said.Uncovered)

	said, err = roster.Explain(p, shifts[1:], roster.Question{})
	require.NoError(t, err)
	now := said.Uncovered
	require.NotEmpty(t, now)
	assert.Len(t, now, said.FixesFor)
	day := now[0].Range
	one, err := roster.Explain(p, shifts[1:], roster.Question{Queue: "q", At: day.Start})
	require.NoError(t, err)
	assert.Equal(t, now[:1], one.Uncovered)
	none, err := roster.Explain(p, shifts[1:], roster.Question{Queue: "other"})
	require.NoError(t, err)
	assert.Empty(t, none.Uncovered)
}

// Who has left since still covers what it works, and helps nobody else.
func TestExplainKnowsShiftsOfStrangers(t *testing.T) {
	p := small(1)
	need(&p, "q", 1, 9, 12, 0)
	made := solve(t, p, 50)
	gone := p
	gone.Agents = nil
	said, err := roster.Explain(gone, made.Roster.Shifts, roster.Question{})
	require.NoError(t, err)
	assert.Empty(t, said.Uncovered)
	said, err = roster.Explain(gone, []scheduling.Shift{}, roster.Question{})
	require.NoError(t, err)
	require.Len(t, said.Uncovered, 1)
	assert.Empty(t, said.Uncovered[0].Reasons)
}
