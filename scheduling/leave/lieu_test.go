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

// What was booked by hand for a day counts: eight hours by hand and eight hours worked are eight hours of time off, ten
// worked are two more. What was booked twice before is taken back, but never what was booked by hand.
func TestLieuRowKnowsWhatWasBookedByHand(t *testing.T) {
	day := calendar.MakeDate(2026, 10, 11)
	entry := func(cause leave.Cause, minutes int) leave.Entry {
		return leave.Entry{Agent: "a", Kind: leave.Compensatory, Lot: day.String(), Good: day.Add(3), Minutes: minutes, Cause: cause, On: day.Add(3)}
	}
	byHand, earned := entry(leave.Adjusted, 480), entry(leave.Earned, 480)
	for _, c := range []struct {
		name                  string
		ledger                []leave.Entry
		worked, minutes, owed int
	}{
		{"by hand alone", []leave.Entry{byHand}, 480, 0, 0},
		{"not worked", []leave.Entry{byHand}, 0, 0, 0},
		{"worked longer", []leave.Entry{byHand}, 600, 120, 0},
		{"booked twice", []leave.Entry{byHand, earned}, 480, -480, 0},
		{"booked twice and not worked", []leave.Entry{byHand, earned}, 0, -480, 0},
		{"booked twice and partly taken", []leave.Entry{byHand, earned, entry(leave.Taken, -720)}, 480, -240, 240},
		{"booked twice, corrected by hand", []leave.Entry{byHand, earned, entry(leave.Adjusted, -480)}, 480, 0, 0},
	} {
		row, owed, ok := leave.LieuRow(c.ledger, "a", day, c.worked, 6)
		assert.Equal(t, []any{c.minutes, c.owed, c.minutes != 0}, []any{row.Minutes, owed, ok}, c.name)
		assert.Equal(t, day.Add(3), row.Good, "of the lot")
	}
	assert.Equal(t, map[calendar.Date]int{day: 480}, leave.LieuGiven([]leave.Entry{byHand}, "a"), "no 200 % beside the time off")
	other := entry(leave.Adjusted, 480)
	other.Lot = "adjust-2026-10-11"
	assert.Empty(t, leave.LieuGiven([]leave.Entry{other}, "a"), "of no day of work")
}
