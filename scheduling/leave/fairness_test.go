package leave_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

func TestFairness(t *testing.T) {
	span := calendar.Range{Start: at("2026-11-01 00:00"), End: at("2026-12-01 00:00")}
	holidays := calendar.NewHolidays("test", []calendar.Holiday{{Date: date("2026-11-18"), Kind: calendar.Statutory}})
	rules := leave.FairRules{
		Frame: workrules.NewFrame(span, holidays, zone, workrules.DefaultParams()), Zone: zone, Holidays: holidays,
		Promotions: []calendar.Dates{dates("2026-11-10", "2026-11-12")}, EarlyUntil: 8 * 60, LateFrom: 24 * 60,
	}
	shifts := []scheduling.Shift{
		shift("a", "2026-11-11", 9, 17),  // promotion
		shift("a", "2026-11-14", 15, 23), // Saturday, until 23:00: in the night of 22 to 6
		shift("a", "2026-11-18", 7, 15),  // holiday, starts before 8
		shift("b", "2026-11-16", 9, 17),  // nothing
		shift("b", "2026-11-12", 17, 25), // the promotion is over; ends after midnight, in the night
		shift("x", "2026-11-15", 9, 17),  // nobody asked about
		shift("a", "2026-11-20", 14, 22), // ends when the night begins
	}
	rows := leave.FairRows(shifts, rules)
	var got [][]leave.Burden
	for _, r := range rows[:4] {
		got = append(got, r.Burdens)
	}
	assert.Equal(t, [][]leave.Burden{{leave.Promotion}, {leave.Night, leave.Weekend}, {leave.Holiday, leave.Unpopular}, nil}, got)
	f := leave.FairnessOf([]ids.Agent{"c", "b", "a", "a"}, shifts, span, rules)
	assert.Equal(t, []leave.FairSum{
		{Agent: "a", Shifts: 4, Hours: 32, Counts: map[leave.Burden]int{leave.Promotion: 1, leave.Night: 1, leave.Weekend: 1, leave.Holiday: 1, leave.Unpopular: 1}},
		{Agent: "b", Shifts: 2, Hours: 16, Counts: map[leave.Burden]int{leave.Night: 1, leave.Unpopular: 1}},
		{Agent: "c", Counts: map[leave.Burden]int{}},
	}, f.Agents)
	// Nights: 1 of 4 and 1 of 2 shifts: (0.75)^2 / (2 * (0.0625 + 0.25)) = 0.9. Weekends: one has all: 1/2.
	assert.InDelta(t, 0.9, f.Even[leave.Night], 1e-9)
	assert.InDelta(t, 0.5, f.Even[leave.Weekend], 1e-9)
	assert.InDelta(t, 1, leave.FairnessOf([]ids.Agent{"c"}, nil, span, rules).Even[leave.Night], 1e-9)
}
