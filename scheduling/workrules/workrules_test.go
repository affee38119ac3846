package workrules

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

var shanghai = time.FixedZone("CST", 8*3600)

// The fortnight of the tables is Monday 2026-09-21 to Monday 2026-10-05; 10/1 to 10/3 are
// statutory, 10/4 and 10/5 to 10/7 bridge days, 9/20 and 10/10 make-up workdays.
var (
	testRange = calendar.Range{Start: time.Date(2026, 9, 21, 0, 0, 0, 0, shanghai), End: time.Date(2026, 10, 5, 0, 0, 0, 0, shanghai)}
	testDays  = func() calendar.Holidays {
		var days []calendar.Holiday
		for d := 1; d <= 7; d++ {
			kind := calendar.Statutory
			if d > 3 {
				kind = calendar.Bridge
			}
			days = append(days, calendar.Holiday{Date: calendar.MakeDate(2026, 10, d), Kind: kind, Name: "国庆节"})
		}
		for _, d := range []calendar.Date{calendar.MakeDate(2026, 9, 20), calendar.MakeDate(2026, 10, 10)} {
			days = append(days, calendar.Holiday{Date: d, Kind: calendar.Makeup, Name: "国庆节"})
		}
		return calendar.NewHolidays("test", days)
	}()
)

// shift is written day-of-September, start hour, hours; day 31 is 1 October. Half hours are fine.
func shift(day int, start, length float64) scheduling.Shift {
	at := time.Date(2026, 9, day, 0, 0, 0, 0, shanghai).Add(time.Duration(start * float64(time.Hour)))
	return scheduling.Shift{Agent: "a", Start: at, End: at.Add(time.Duration(length * float64(time.Hour)))}
}

// days gives the same shift on several days.
func days(start, length float64, list ...int) (out []scheduling.Shift) {
	for _, d := range list {
		out = append(out, shift(d, start, length))
	}
	return out
}

func doing(s scheduling.Shift, acts ...scheduling.Activity) []scheduling.Shift {
	s.Activities = acts
	return []scheduling.Shift{s}
}

func activity(kind scheduling.ActivityKind, s scheduling.Shift, from, length float64, queue string) scheduling.Activity {
	at := s.Start.Add(time.Duration(from * float64(time.Hour)))
	a := scheduling.Activity{Kind: kind, Start: at, End: at.Add(time.Duration(length * float64(time.Hour)))}
	if queue != "" {
		a.Queue = "q1"
		if queue != "q1" {
			a.Queue = "q2"
		}
	}
	return a
}

// hit is a violation and its place: the amount, then day and hour of its beginning and end, as in
// shift.
type hit struct {
	amount    float64
	day, hour float64
	untilDay  float64
	untilHour float64
}

type ruleCase struct {
	name   string
	person Person
	params func(*Params)
	span   calendar.Range // judged; empty = testRange
	shifts []scheduling.Shift
	want   []hit // every violation of this rule, in order of time; empty = legal
}

var agreed = Person{OvertimeAgreed: true}

// tables holds the table of every rule. Every amount and place is counted by hand from the hours
// written in the row.
var tables = merge(shiftTables, protectedTables, hourTables, comprehensiveTables, restTables, engagementTables, agreementTables, serviceTables)

func merge(all ...map[string][]ruleCase) map[string][]ruleCase {
	out := map[string][]ruleCase{}
	for _, m := range all {
		for code, cases := range m {
			out[code] = append(out[code], cases...)
		}
	}
	return out
}

// sixDayWeeks: the weeks of 31 August (day 0), 7, 14 and 21 September with six days of 8 h: the
// sixth day is 8 h beyond the week, except in the week of the 14th, which has a make-up Sunday:
// 24 h in September. The five normal days of the last week and three days after it have 9 h: 8 h
// more, 32 h in all.
func sixDayWeeks() (out []scheduling.Shift) {
	for _, s := range []int{0, 7, 14, 21} {
		out = append(out, days(9, 8, s, s+1, s+2, s+3, s+4, s+5)...)
	}
	for i := range out[18:23] {
		out[18+i].End = out[18+i].End.Add(time.Hour)
	}
	return append(out, days(9, 9, 28, 29, 30)...)
}

// shortSixDayWeeks are four weeks of 40 hours on six days, the last ones on 5, 12, 19 and 26 September; the third week has
// a make-up Sunday and so six workdays.
func shortSixDayWeeks() (out []scheduling.Shift) {
	for _, s := range []int{0, 7, 14, 21} {
		out = append(append(out, days(9, 6, s, s+1, s+2, s+3)...), days(9, 8, s+4, s+5)...)
	}
	return out
}

func (c ruleCase) check(t *testing.T) Case {
	params := DefaultParams()
	if c.params != nil {
		c.params(&params)
	}
	require.NoError(t, params.Validate())
	c.person.ID = "a"
	require.Empty(t, c.person.Validate("person"))
	if c.span.Start.IsZero() {
		c.span = testRange
	}
	return Case{Person: c.person, Shifts: c.shifts, Range: c.span, Holidays: testDays, Location: shanghai, Params: params}
}

func TestEveryRule(t *testing.T) {
	for code, cases := range tables {
		for _, c := range cases {
			t.Run(code+"/"+c.name, func(t *testing.T) {
				got := []hit{}
				for _, v := range Check(c.check(t)) {
					if v.Rule != code {
						continue
					}
					assert.NotEmpty(t, v.Sentence.ZH)
					assert.NotEmpty(t, v.Sentence.EN)
					assert.NotEmpty(t, v.Fix.ZH)
					assert.NotContains(t, v.Sentence.EN+v.Fix.EN+v.Sentence.ZH+v.Fix.ZH, "%!")
					day, hour := place(v.Range.Start)
					untilDay, untilHour := place(v.Range.End)
					got = append(got, hit{math.Round(v.Amount*1e6) / 1e6, day, hour, untilDay, untilHour})
				}
				if len(c.want) == 0 {
					assert.Empty(t, got)
				} else {
					assert.Equal(t, c.want, got)
				}
			})
		}
	}
}

// place is the inverse of shift: the day counted from 0 September and the hour.
func place(at time.Time) (day, hour float64) {
	t := at.In(shanghai)
	midnight := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, shanghai)
	return midnight.Sub(time.Date(2026, 8, 31, 0, 0, 0, 0, shanghai)).Hours() / 24, t.Sub(midnight).Hours()
}

func TestEveryRuleHasTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		assert.False(t, seen[r.Code], "code %s is used twice", r.Code)
		seen[r.Code] = true
		broken, legal := 0, 0
		for _, c := range tables[r.Code] {
			if len(c.want) > 0 {
				broken++
			} else {
				legal++
			}
		}
		assert.Positive(t, broken, "rule %s needs a case that breaks it", r.Code)
		assert.Positive(t, legal, "rule %s needs a legal case", r.Code)
		assert.NotEmpty(t, r.Says.ZH)
		assert.NotEmpty(t, r.Says.EN)
		assert.NotEmpty(t, r.Article)
		assert.NotEmpty(t, r.Unit)
	}
	for code := range tables {
		assert.True(t, seen[code], "table %s has no rule", code)
	}
}
