package leave_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/leave"
)

var everybody = []leave.Actor{leave.Asker, leave.Other, leave.Boss, leave.System}

// Every state of a life can be reached from its start and can come to an end, and every row of the
// table names states, actions and actors that exist, once.
func TestTablesOfSteps(t *testing.T) {
	used := map[leave.Action]bool{}
	for _, kind := range leave.Kinds {
		life, ok := leave.LifeOf(kind)
		require.True(t, ok, kind)
		reached := map[leave.State]bool{life.Start: true}
		for range life.Steps {
			for _, s := range life.Steps {
				if reached[s.From] {
					reached[s.To] = true
				}
			}
		}
		ends := map[leave.State]bool{}
		for s := range reached {
			ends[s] = final(kind, s)
		}
		for range life.Steps {
			for _, s := range life.Steps {
				ends[s.From] = ends[s.From] || ends[s.To]
			}
		}
		seen := map[[2]string]bool{}
		for _, s := range life.Steps {
			assert.True(t, reached[s.From], "%s: %s is never reached", kind, s.From)
			assert.Contains(t, leave.States, s.To)
			assert.Contains(t, leave.Actions, s.Do)
			assert.NotEmpty(t, s.By)
			key := [2]string{string(s.From), string(s.Do)}
			assert.False(t, seen[key], "%s: %v has two rows", kind, key)
			seen[key], used[s.Do] = true, true
		}
		for s := range reached {
			assert.True(t, ends[s], "%s: %s never ends", kind, s)
		}
	}
	for _, a := range leave.Actions {
		assert.True(t, used[a], "no step is a %s", a)
	}
	_, ok := leave.LifeOf("holiday")
	assert.False(t, ok)
}

// No sequence of calls reaches a state that is not in the table, and what is over stays so.
func TestNoSequenceLeavesTheTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(leave.Kinds).Draw(t, "kind")
		life, _ := leave.LifeOf(kind)
		state := life.Start
		for _, do := range rapid.SliceOfN(rapid.SampledFrom(leave.Actions), 1, 40).Draw(t, "actions") {
			actor := rapid.SampledFrom(everybody).Draw(t, "actor")
			next, err := leave.Next(kind, state, do, actor)
			require.Contains(t, leave.States, next)
			if err != nil {
				require.Equal(t, state, next, "a refused step changes nothing")
				require.Contains(t, []string{"request.state", "request.part"}, errCode(err))
				continue
			}
			require.False(t, final(kind, state))
			state = next
		}
	})
}

func TestSteps(t *testing.T) {
	for _, c := range []struct {
		kind leave.Kind
		from leave.State
		do   leave.Action
		as   leave.Actor
		want leave.State
		code string
	}{
		{leave.Absence, leave.Waiting, leave.Approve, leave.Boss, leave.Approved, ""},
		{leave.Absence, leave.Waiting, leave.Approve, leave.Asker, leave.Waiting, "request.part"},
		{leave.Absence, leave.Approved, leave.Approve, leave.Boss, leave.Approved, "request.state"},
		{leave.Absence, leave.Approved, leave.Withdraw, leave.Asker, leave.Approved, "request.state"},
		{leave.Absence, leave.Approved, leave.Cancel, leave.Asker, leave.Cancelled, ""},
		{leave.Swap, leave.Waiting, leave.Accept, leave.Asker, leave.Waiting, "request.part"},
		{leave.Swap, leave.Waiting, leave.Approve, leave.Boss, leave.Waiting, "request.state"},
		{leave.Swap, leave.Agreed, leave.Approve, leave.System, leave.Done, ""},
		{leave.GiveAway, leave.Agreed, leave.Decline, leave.Other, leave.Open, ""},
		{leave.Overtime, leave.Filled, leave.Accept, leave.Other, leave.Filled, "request.state"},
		{leave.TimeOff, leave.Open, leave.Withdraw, leave.Boss, leave.Withdrawn, ""},
		{leave.Bidding, leave.Drawn, leave.PutBid, leave.Other, leave.Drawn, "request.state"},
	} {
		got, err := leave.Next(c.kind, c.from, c.do, c.as)
		assert.Equal(t, c.want, got, "%+v", c)
		if c.code == "" {
			assert.NoError(t, err, "%+v", c)
		} else {
			codeIs(t, err, c.code)
		}
	}
}

// final reports that nothing can happen to a request of the kind in the state any more.
func final(k leave.Kind, s leave.State) bool {
	life, _ := leave.LifeOf(k)
	return !slices.ContainsFunc(life.Steps, func(t leave.Transition) bool { return t.From == s })
}
