package leave_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
)

func openShift(day string, from, to int) scheduling.Shift { return shift("", day, from, to) }

func round(method leave.Method, seed string, shifts ...scheduling.Shift) leave.Round {
	return leave.Round{Method: method, Seed: seed, Shifts: shifts}
}

func bidder(a ids.Agent, since string, score float64, wishes ...int) leave.Bidder {
	return leave.Bidder{Agent: a, Since: date(since), Score: score, Wishes: wishes, Case: caseOf(a)}
}

func winners(r leave.Round) map[int]ids.Agent {
	out := map[int]ids.Agent{}
	for _, a := range r.Results {
		if a.Won {
			out[a.Shift] = a.Agent
		}
	}
	return out
}

func TestDrawBySeniorityAndScore(t *testing.T) {
	shifts := []scheduling.Shift{openShift("2026-11-16", 9, 17), openShift("2026-11-17", 9, 17), openShift("2026-11-16", 12, 20)}
	people := []leave.Bidder{bidder("young", "2025-01-01", 9, 0, 1), bidder("old", "2015-01-01", 5, 0, 1, 2)}
	r := leave.DrawRound(round(leave.BySeniority, "", shifts...), people)
	// old takes 0, young takes 1; in the second turn old finds 1 taken, and with 2
	// it would work 16 h on the day of 0.
	assert.Equal(t, map[int]ids.Agent{0: "old", 1: "young"}, winners(r))
	assert.Equal(t, []leave.Place{{Agent: "old", Key: "2015-01-01"}, {Agent: "young", Key: "2025-01-01"}}, r.Order)
	reasons := map[string]string{}
	for _, a := range r.Results {
		reasons[fmt.Sprintf("%s/%d", a.Agent, a.Shift)] = a.Reason
	}
	assert.Equal(t, map[string]string{"old/0": "won", "young/0": "taken", "young/1": "won", "old/1": "taken", "old/2": "hours.daily"}, reasons)

	r = leave.DrawRound(round(leave.ByScore, "", shifts...), people)
	assert.Equal(t, map[int]ids.Agent{0: "young", 1: "old", 2: "old"}, winners(r), "2 is on the day of 0, which old did not get")
	one := round(leave.ByScore, "", shifts...)
	one.Most = 1
	people[0].Wishes = []int{0, 1, 7}
	r = leave.DrawRound(one, people)
	assert.Equal(t, map[int]ids.Agent{0: "young", 1: "old"}, winners(r))
}

// The lottery is the sorted list of hashes that anybody can compute.
func TestLottery(t *testing.T) {
	assert.Equal(t, fmt.Sprintf("%x", sha256.Sum256([]byte("2026-11:1001"))), leave.LotteryKey("2026-11", "1001"))
	shifts := []scheduling.Shift{openShift("2026-11-16", 9, 17)}
	people := []leave.Bidder{bidder("1001", "2020-01-01", 0, 0), bidder("1002", "2020-01-01", 0, 0), bidder("1003", "2020-01-01", 0, 0)}
	r := leave.DrawRound(round(leave.Lottery, "s", shifts...), people)
	require.Len(t, r.Order, 3)
	for i := 1; i < 3; i++ {
		assert.Less(t, r.Order[i-1].Key, r.Order[i].Key)
	}
	assert.Equal(t, r.Order[0].Agent, winners(r)[0])
	people[0], people[2] = people[2], people[0]
	assert.Equal(t, r, leave.DrawRound(round(leave.Lottery, "s", shifts...), people), "the order of the bids does not matter")

	first := map[ids.Agent]int{}
	for i := range 3000 {
		first[leave.DrawRound(round(leave.Lottery, fmt.Sprint("seed", i), shifts...), people).Order[0].Agent]++
	}
	for a, n := range first { // 1000 expected, standard deviation 25.8
		assert.InDelta(t, 1000, n, 130, a)
	}
}

// Whoever bids for what: a shift has at most one owner, who asked for it and may work it, every bid has
// an answer, and no open legal wish of anybody is left.
func TestDrawProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var shifts []scheduling.Shift
		for i := range rapid.IntRange(1, 6).Draw(t, "shifts") {
			from := rapid.IntRange(6, 15).Draw(t, "from")
			shifts = append(shifts, openShift(date("2026-11-16").Add(i/2).String(), from, from+8))
		}
		r := round(rapid.SampledFrom([]leave.Method{leave.BySeniority, leave.ByScore}).Draw(t, "method"), "", shifts...)
		r.Most = rapid.IntRange(0, 2).Draw(t, "most")
		var people []leave.Bidder
		bids := 0
		for i := range rapid.IntRange(1, 4).Draw(t, "people") {
			wishes := rapid.SliceOfNDistinct(rapid.IntRange(0, len(shifts)-1), 0, len(shifts), func(i int) int { return i }).Draw(t, "wishes")
			bids += len(wishes)
			people = append(people, bidder(ids.Agent(fmt.Sprint("p", i)), "2020-01-01", float64(i), wishes...))
		}
		got := leave.DrawRound(r, people)
		require.Len(t, got.Results, bids, "each bid is answered once")
		owner := map[int]ids.Agent{}
		count := map[ids.Agent]int{}
		for _, a := range got.Results {
			require.NotEmpty(t, a.Says.ZH)
			if a.Won {
				require.Empty(t, owner[a.Shift])
				owner[a.Shift] = a.Agent
				count[a.Agent]++
			}
		}
		_, ok := leave.Apply(nil, leave.RoundEffect(got))
		require.True(t, ok, "nobody is in two places")
		for _, a := range got.Results {
			if !a.Won && a.Reason == "taken" {
				require.NotEmpty(t, owner[a.Shift])
			}
			if r.Most > 0 {
				require.LessOrEqual(t, count[a.Agent], r.Most)
			}
		}
	})
}

func TestRoundValidate(t *testing.T) {
	require.NoError(t, round(leave.Lottery, "s", openShift("2026-11-16", 9, 17)).Validate())
	err := leave.Round{Method: "beauty", Seed: "x", Most: -1, Shifts: []scheduling.Shift{shift("a", "2026-11-16", 9, 9)}}.Validate()
	codeIs(t, err, "bidding.round")
	assert.Len(t, fault.Of(err).Fields, 5)
	assert.Error(t, round(leave.Lottery, "", openShift("2026-11-16", 9, 17)).Validate())
}

// A shift for two heads: who wishes for one of them gets either.
func TestDrawOfAShiftForTwo(t *testing.T) {
	shifts := []scheduling.Shift{openShift("2026-11-16", 9, 17), openShift("2026-11-16", 9, 17)}
	r := leave.DrawRound(round(leave.BySeniority, "", shifts...), []leave.Bidder{bidder("a", "2015-01-01", 0, 0), bidder("b", "2016-01-01", 0, 0), bidder("c", "2017-01-01", 0, 0)})
	assert.Equal(t, map[int]ids.Agent{0: "a", 1: "b"}, winners(r))
	assert.Equal(t, "taken", r.Results[2].Reason)
}
