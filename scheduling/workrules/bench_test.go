package workrules

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// weeks gives five 8 h days in the weeks that start on the given September days.
func weeks(starts ...int) (out []scheduling.Shift) {
	for _, s := range starts {
		out = append(out, days(9, 8, s, s+1, s+2, s+3, s+4)...)
	}
	return out
}

// edited is one agent with six weeks of history and four planned weeks, every shift with its
// activities, in the month around the National Day holiday, under every kind of personal rule.
func edited(b *testing.B) (Case, Change) {
	p := DefaultParams()
	p.Queues = []QueueTerms{{Queue: "q1", Shops: 2, Certificate: "m1", Packs: []Pack{{Code: "D11"}}}}
	c := Case{
		Person: Person{
			ID: "a", OvertimeAgreed: true, Skills: []Skill{{Queue: "q1"}, {Queue: "q2"}}, Born: calendar.MakeDate(2000, 1, 1),
			Conditions:   []Condition{{Kind: PregnantLate, Dates: calendar.Dates{From: calendar.MakeDate(2027, 1, 1)}}},
			Certificates: []Certificate{{Code: "m1"}}, Acknowledged: []Acknowledgement{{"D11", calendar.MakeDate(2026, 1, 1)}},
			Agreements:  []Agreement{{Dates: from(1), NotBefore: 6, NotAfter: 26}},
			Unavailable: []calendar.Range{shift(40, 0, 24).Range()}, Sessions: session(24, 18, 1),
		},
		Range:    calendar.Range{Start: shift(21, 0, 1).Start, End: shift(49, 0, 1).Start},
		Holidays: testDays, Location: shanghai, Params: p,
	}
	for _, s := range weeks(-21, -14, -7, 0, 7, 14, 21, 28, 35, 42) {
		s.End = s.End.Add(time.Hour)
		c.Shifts = append(c.Shifts, doing(s,
			activity(scheduling.Work, s, 0, 2, "q1"), activity(scheduling.Break, s, 2, 0.25, ""), activity(scheduling.Work, s, 2.25, 1.75, "q2"),
			activity(scheduling.Meal, s, 4, 1, ""), activity(scheduling.Work, s, 5, 2, "q1"), activity(scheduling.Break, s, 7, 0.25, ""), activity(scheduling.Work, s, 7.25, 1.75, "q1"),
		)...)
	}
	require.Len(b, c.Shifts, 50)
	old := shift(23, 9, 9)
	now := doing(shift(23, 7, 11), activity(scheduling.Work, shift(23, 7, 11), 0, 11, "q1"))
	return c, Change{Drop: []scheduling.Shift{old}, Add: now}
}

// BenchmarkEditedShift is what a planner waits for after dragging one shift: the bar is 1 ms.
func BenchmarkEditedShift(b *testing.B) {
	c, change := edited(b)
	out, err := c.Try(change)
	require.NoError(b, err)
	require.False(b, out.Allowed())
	for b.Loop() {
		_, _ = c.Try(change)
	}
	ms := b.Elapsed().Seconds() * 1000 / float64(b.N)
	b.ReportMetric(ms, "ms/check")
	b.Logf("one edited shift, six weeks of history: %.3f ms (bar 1 ms)", ms)
}

// BenchmarkRemedies is the advice for every violation of that edit: with the check, 50 ms at most.
func BenchmarkRemedies(b *testing.B) {
	c, change := edited(b)
	out, err := c.Try(change)
	require.NoError(b, err)
	for b.Loop() {
		for _, v := range out.New {
			out.After.Remedies(v)
		}
	}
	ms := b.Elapsed().Seconds() * 1000 / float64(b.N)
	b.ReportMetric(ms, "ms/edit")
	b.Logf("remedies of %d violations: %.1f ms (bar 50 ms)", len(out.New), ms)
}

// BenchmarkBroken is the question an optimiser asks some million times a second.
func BenchmarkBroken(b *testing.B) {
	frame := NewFrame(testRange, testDays, shanghai, DefaultParams())
	judge := NewJudge(frame, Person{ID: "a"})
	var duties []Duty
	for _, s := range weeks(-7, 0, 7, 14, 21) {
		if d, ok := frame.Duty(s); ok {
			duties = append(duties, d)
		}
	}
	for b.Loop() {
		judge.Broken(duties)
	}
}
