package workforce_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

var shanghai = time.FixedZone("UTC+8", 8*3600)

const factFile = "\ufeff工号,类型,代码,开始日期,结束日期,开始时间,结束时间,每日工时,最早上班,不上夜班,固定休息日,工时\n" +
	"a1,认证,lumi-2026,2026-01-01,2026-12-31,,,,,,,\n" +
	"a1,资料包确认,d11,2026-11-01,,,,,,,,\n" +
	"a1,个人约定,,2026-09-01,,,,6,08:30,是,sunday；monday,\n" +
	"a1,班外工时,training,,,2026-11-16 14:00,2026-11-16 16:00,,,,,\n" +
	"a1,结转工时,,2026-01-01,2026-06-30,,,,,,,960\n" +
	"a1,派遣期,,2026-07-01,2026-12-31,,,,,,,\n" +
	"a1,参加工作,,2015-07-01,,,,,,,,\n" +
	"a2,认证,lumi-2026,2026-01-01,,,,,,,,\n"

// What a file says of a person is what the rules read: dates are first and last days, clocks hours.
func TestFactsFromCSVFillAPerson(t *testing.T) {
	file, err := workforce.FactsFromCSV("f.csv", strings.NewReader(factFile), shanghai)
	require.NoError(t, err)
	require.NoError(t, file.Err())
	facts := file.Facts
	require.Len(t, facts, 8)
	require.NoError(t, workforce.ValidateFacts(facts))
	p := workrules.Person{ID: "a1"}
	workforce.Fill(&p, facts)
	until := func(y int, m time.Month, d int) calendar.Date { return calendar.MakeDate(y, m, d) }
	agreed := workrules.Agreement{Dates: from(2026, 9, 1), DayHours: 6, NotBefore: 8.5, NoNights: true, DaysOff: []string{"sunday", "monday"}}
	assert.Equal(t, workrules.Person{
		ID:           "a1",
		Certificates: []workrules.Certificate{{Code: "lumi-2026", Dates: calendar.Dates{From: until(2026, 1, 1), Until: until(2027, 1, 1)}}},
		Acknowledged: []workrules.Acknowledgement{{Pack: "d11", On: until(2026, 11, 1)}},
		Agreements:   []workrules.Agreement{agreed},
		Sessions: []workrules.Session{{Kind: workrules.TrainingSession, Range: calendar.Range{
			Start: time.Date(2026, 11, 16, 14, 0, 0, 0, shanghai), End: time.Date(2026, 11, 16, 16, 0, 0, 0, shanghai),
		}}},
		Carried:  []workrules.Carried{{Dates: calendar.Dates{From: until(2026, 1, 1), Until: until(2026, 7, 1)}, Hours: 960}},
		Assigned: calendar.Dates{From: until(2026, 7, 1), Until: until(2027, 1, 1)},
	}, p)
	assert.Empty(t, p.Validate("p"))
}

func TestFactsFromCSVComplaints(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no header", "", "has no header row"},
		{"missing column", "agent,code\n", `f.csv:1: column "kind": is missing`},
		{"column twice", "agent,kind,工号\n", `column "工号": is given twice`},
		{"open quote", "agent,kind,from\na1,career,2015-01-01\na1,\"career,2015\n", `f.csv:3: is no CSV`},
		{"cell too many", "agent,kind,from\na1,career,2015-01-01,x\n", `f.csv:2: stands beyond the last column (got "x")`},
		{"unknown column", "agent,colour\n", `column "colour": is no column of facts`},
		{"no code", "agent,kind,from\na1,certificate,2026-01-01\n", `f.csv:2: column "code": is empty`},
		{"date", "agent,kind,from\na1,career,soon\n", `f.csv:2: column "from": is not a date`},
		{"clock", "agent,kind,from,not_before\na1,agreement,2026-01-01,8h\n", `column "not_before": is not a time of the day`},
		{"hours", "agent,kind,from,day_hours\na1,agreement,2026-01-01,30\n", `column "day_hours": must be 0`},
		{"session", "agent,kind,code,start,end\na1,session,party,2026-01-01 10:00,2026-01-01 09:00\n", `column "code": must be training`},
		{"ends first", "agent,kind,from,to\na1,post,2026-01-02,2025-12-31\n", `column "to": must not end before it begins (got "2025-12-31")`},
		{"no start", "agent,kind,end\na1,absence,2026-11-09 14:00\n", `column "start": is missing`},
		{"no end", "agent,kind,code,start\na1,session,training,2026-11-09 14:00\n", `column "end": is missing`},
		{"backwards", "agent,kind,start,end\na1,absence,2026-11-09 14:00,2026-11-09 13:00\n", `column "end": must be after the start, within 62 days; what is longer is leave (got "2026-11-09 13:00")`},
		{"kind", "agent,kind\na1,hobby\n", `column "kind": must be certificate`},
		{"second row", "agent,kind,from\na1,career,2015-01-01\n,career,2015-01-01\n", `f.csv:3: column "agent": is empty`},
	} {
		file, err := workforce.FactsFromCSV("f.csv", strings.NewReader(c.text), shanghai)
		if err == nil {
			err = file.Err()
		}
		require.ErrorContains(t, err, c.want, c.name)
		assert.Equal(t, fault.Invalid, fault.KindOf(err), c.name)
	}
}

// Three rows with one fault each and a fourth with three: all six are told at once, each under its header.
func TestEveryFaultOfAFileIsTold(t *testing.T) {
	file, err := workforce.FactsFromCSV("f.csv", strings.NewReader("工号,类型,代码,开始日期,结束日期,每日工时\n"+
		"a1,认证,,2026-01-01,,\n"+
		"a1,个人约定,,2026-09-01,,很多\n"+
		"a1,参加工作,,soon,,\n"+
		",认证,,2026-09-32,,\n"), shanghai)
	require.NoError(t, err)
	var places []string
	for _, f := range fault.Of(file.Err()).Fields {
		places = append(places, fmt.Sprint(f.Row, " ", f.Column))
	}
	assert.ElementsMatch(t, []string{"2 代码", "3 每日工时", "4 开始日期", "5 开始日期", "5 工号", "5 代码"}, places)
}

// An agreement that ends before it begins is one fault, told with what stands in the cell: the last day, not the one
// after it.
func TestAnEndIsToldOnceAsWritten(t *testing.T) {
	file, err := workforce.FactsFromCSV("f.csv", strings.NewReader("agent,kind,from,to,day_hours\na1,agreement,2026-02-01,2026-01-01,6\n"), shanghai)
	require.NoError(t, err)
	assert.Equal(t, []fault.Field{{File: "f.csv", Row: 2, Column: "to", Value: "2026-01-01", Problem: "must not end before it begins"}}, fault.Of(file.Err()).Fields)
}

// A bad column and a bad cell are told together; what rows lack in the column that is misspelt is not.
func TestColumnsAndCellsAreToldTogether(t *testing.T) {
	file, err := workforce.FactsFromCSV("f.csv", strings.NewReader("agent,kind,code,form,hours\na1,certificate,,2026-01-01,\na1,carried,,2026-01-01,many\n"), shanghai)
	require.NoError(t, err)
	var places []string
	for _, f := range fault.Of(file.Err()).Fields {
		places = append(places, fmt.Sprint(f.Row, " ", f.Column))
	}
	assert.ElementsMatch(t, []string{"1 form", "2 code", "3 hours"}, places)
	assert.Equal(t, "facts.header", fault.CodeOf(file.Err()))
}

// Carried hours of one person do not overlap; the same fact twice is no overlap.
func TestCarriedHoursDoNotOverlap(t *testing.T) {
	carried := func(a string, d calendar.Dates) workforce.Fact {
		return workforce.Fact{Agent: "a1", Kind: workforce.CarriedFact, Code: a, Dates: d, Hours: 1}
	}
	first := calendar.Dates{From: calendar.MakeDate(2026, 1, 1), Until: calendar.MakeDate(2026, 4, 1)}
	later := calendar.Dates{From: calendar.MakeDate(2026, 3, 31), Until: calendar.MakeDate(2026, 7, 1)}
	err := workforce.ValidateFacts([]workforce.Fact{carried("", first), carried("", later)})
	require.ErrorContains(t, err, "overlap facts[0]")
	require.NoError(t, workforce.ValidateFacts([]workforce.Fact{carried("", first), carried("", first)}))
}
