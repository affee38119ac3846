package people_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/scheduling/staffing/people"
)

// By hand: 3 heads / 0.96 = 3.125 present, / 0.95 = 3.2895 rostered, / 0.97 = 3.3912 on the payroll; nobody is rounded up.
func TestSharedPeopleStayFractions(t *testing.T) {
	in := plain(3)
	in.Shared, in.Absence.Share = true, 0.05
	in.Causes = []people.Cause{{Name: "training", Stage: people.InShift, Share: 0.04}, {Name: "leave", Stage: people.OutOfShift, Share: 0.03}}
	out, err := people.Plan(in)
	require.NoError(t, err)
	s := out.Slots[0]
	assert.InDelta(t, 3/0.96/0.95/0.97, s.Payroll, 0.0005)
	assert.Equal(t, int64(125), line(t, s, "training").MilliHeads)
	assert.Equal(t, int64(164), line(t, s, "absence").MilliHeads, "3.2895 - 3.125, in whole thousandths of the totals")
	assert.Equal(t, int64(102), line(t, s, "leave").MilliHeads)
	assert.Equal(t, []int{4, 4}, []int{s.Present, s.Rostered}, "the people in whole numbers, for who asks for them")

	in.Absence.Level = 0.9
	_, err = people.Plan(in)
	require.ErrorContains(t, err, "absence.level")
}

// Shared people are never more than whole ones, and lines add up.
func TestSharedIsNeverMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := plain(rapid.IntRange(0, 60).Draw(t, "heads"))
		in.Absence.Share = rapid.Float64Range(0, 0.3).Draw(t, "absence")
		in.Adherence = rapid.Float64Range(0.7, 1).Draw(t, "adherence")
		in.Causes = []people.Cause{{Name: "leave", Stage: people.OutOfShift, Share: rapid.Float64Range(0, 0.3).Draw(t, "leave")}}
		whole, err := people.Plan(in)
		require.NoError(t, err)
		in.Shared = true
		shared, err := people.Plan(in)
		require.NoError(t, err)
		require.LessOrEqual(t, shared.Slots[0].Payroll, whole.Slots[0].Payroll+1e-9)
		require.InDelta(t, shared.Slots[0].Payroll*1000, float64(sum(shared.Slots[0].Lines)), 1e-6)
	})
}
