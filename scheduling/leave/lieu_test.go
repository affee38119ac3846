package leave_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/leave"
)

// A rest day of eight hours is booked once; of nine, the ninth is booked later; when only five were worked, three are
// taken back, as far as they are left; what was paid out by hand is not taken back again.
func TestLieuRow(t *testing.T) {
	day := calendar.MakeDate(2026, 10, 10)
	var ledger []leave.Entry
	book := func(worked int) (minutes, owed int) {
		row, owed, ok := leave.LieuRow(ledger, "a", day, worked, 6)
		if !ok {
			return 0, owed
		}
		for _, e := range ledger {
			assert.NotEqual(t, e.Source, row.Source)
		}
		ledger = append(ledger, row)
		return row.Minutes, owed
	}
	entry := func(cause leave.Cause, minutes int) {
		ledger = append(ledger, leave.Entry{Agent: "a", Kind: leave.Compensatory, Lot: day.String(), Minutes: minutes, Cause: cause, On: day})
	}
	is := func(worked, minutes, owed, given int) {
		t.Helper()
		gotMinutes, gotOwed := book(worked)
		assert.Equal(t, []int{minutes, owed}, []int{gotMinutes, gotOwed})
		assert.Equal(t, given, leave.LieuGiven(ledger, "a")[day])
	}
	is(0, 0, 0, 0)
	is(480, 480, 0, 480)
	is(480, 0, 0, 480)
	is(540, 60, 0, 540)
	entry(leave.Taken, -420)
	is(300, -120, 120, 420)
	entry(leave.Returned, 420)
	is(300, -120, 0, 300)
	entry(leave.Adjusted, -300)
	assert.Empty(t, leave.LieuGiven(ledger, "a"), "paid out")
	is(300, 0, 0, 0)
	is(0, 0, 0, 0)
	assert.Equal(t, "2027-04-11", ledger[0].Until.String())
}
