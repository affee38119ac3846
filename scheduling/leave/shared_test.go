package leave_test

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

var zone = time.FixedZone("UTC+8", 8*3600)

const queue = ids.Queue("lumi/pre")

func date(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func dates(from, until string) calendar.Dates {
	return calendar.Dates{From: date(from), Until: date(until)}
}

// at is a time of a day, "2026-11-09 08:30".
func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		panic(err)
	}
	return t
}

func hours(day string, from, to int) calendar.Range {
	d := date(day).In(zone)
	return calendar.Range{Start: d.Add(time.Duration(from) * time.Hour), End: d.Add(time.Duration(to) * time.Hour)}
}

// shift is work on the queue without a pause.
func shift(agent ids.Agent, day string, from, to int) scheduling.Shift {
	r := hours(day, from, to)
	return scheduling.Shift{
		Agent: agent, Code: "D", Start: r.Start, End: r.End,
		Activities: []scheduling.Activity{{Kind: scheduling.Work, Start: r.Start, End: r.End, Queue: queue}},
	}
}

// caseOf is a person with the skill for the queue, judged in November 2026.
func caseOf(agent ids.Agent, shifts ...scheduling.Shift) workrules.Case {
	return workrules.Case{
		Person: workrules.Person{ID: agent, Skills: []workrules.Skill{{Queue: queue}}}, Shifts: shifts,
		Range:    calendar.Range{Start: at("2026-11-01 00:00"), End: at("2026-12-01 00:00")},
		Holidays: calendar.NewHolidays("test", nil), Location: zone, Params: workrules.DefaultParams(),
	}
}

// needs asks for heads in each hour of a day at a value.
func needs(day string, from, to, heads int, value float64) scheduling.Requirement {
	r := scheduling.Requirement{Queue: queue, Slot: time.Hour}
	for h := from; h < to; h++ {
		r.Needs = append(r.Needs, scheduling.Need{Start: hours(day, h, h+1).Start, Heads: heads, Value: value})
	}
	return r
}

func codeIs(t require.TestingT, err error, code string) {
	require.Error(t, err)
	require.Equal(t, code, fault.CodeOf(err))
}
