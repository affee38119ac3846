package leave_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// Two heads, of which the first saves 90 yuan an hour and the second 10, are four people: the first of them to go costs 5, the last 45,
// and who works half of the hour stands for half of that.
func TestWhoGoesFirstCostsLeast(t *testing.T) {
	need := needs("2026-11-16", 9, 10, 2, 0)
	need.Needs[0].Paid = 4
	need.Needs[0] = need.Needs[0].Priced([]scheduling.Step{{Heads: 1, Value: 90}, {Heads: 2, Value: 10}})
	all := []scheduling.Shift{shift("a", "2026-11-16", 9, 10), shift("b", "2026-11-16", 9, 10), shift("c", "2026-11-16", 9, 10), shift("d", "2026-11-16", 9, 10)}
	for there, want := range map[int]float64{4: 5, 3: 5, 2: 45, 1: 45} {
		c := leave.NewCoverage([]scheduling.Requirement{need}, all[:there], 100)
		assert.InDelta(t, want, c.LostYuan(leave.Effect{Drop: all[:1]}, zone), 1e-9, "of %d", there)
	}
	c := leave.NewCoverage([]scheduling.Requirement{need}, all, 100)
	assert.InDelta(t, 100, c.LostYuan(leave.Effect{Drop: all}, zone), 1e-9)
	half := shift("e", "2026-11-16", 9, 10)
	half.End = half.Start.Add(half.End.Sub(half.Start) / 2)
	half.Activities[0].End = half.End
	c = leave.NewCoverage([]scheduling.Requirement{need}, all[:2], 100)
	assert.InDelta(t, -2.5, c.LostYuan(leave.Effect{Add: []scheduling.Shift{half}}, zone), 1e-9, "half of the third")
}

// Overtime for two where the first head saves 90 yuan an hour and the second 10: with nobody there the two of them bring 50 each.
func TestAnOfferToSeveralIsWorthTheirMean(t *testing.T) {
	need := needs("2026-11-18", 18, 19, 2, 0)
	need.Needs[0] = need.Needs[0].Priced([]scheduling.Step{{Heads: 1, Value: 90}, {Heads: 2, Value: 10}})
	for heads, want := range map[int]float64{1: 90, 2: 50, 4: 25} {
		o := leave.Offer{Queue: queue, Block: hours("2026-11-18", 18, 19), Heads: heads}
		got := leave.RankOvertime(o, []leave.Offered{{Case: caseOf("a"), Wage: 20}}, leave.NewCoverage([]scheduling.Requirement{need}, nil, 100))
		assert.InDelta(t, want, got[0].ValueYuan, 1e-9, "%d heads", heads)
	}
}
