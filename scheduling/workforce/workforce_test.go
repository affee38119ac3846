package workforce_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

func from(y int, m time.Month, d int) calendar.Dates {
	return calendar.Dates{From: calendar.MakeDate(y, m, d)}
}

func agent() workforce.Agent {
	return workforce.Agent{
		ID: "a1", Name: "张三", Team: "t", Site: "s", Employment: workforce.Standard, Employed: from(2024, 3, 1),
		Concurrency: 3, Wage: money.Yuan(28), Skills: []workforce.Skill{{Queue: "m/pre", Dates: from(2024, 3, 1), Level: 1}},
	}
}

func paths(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return []string{}
	}
	e, ok := errors.AsType[*fault.Error](err)
	require.True(t, ok)
	out := []string{}
	for _, f := range e.Fields {
		out = append(out, f.Path)
	}
	return out
}

func TestAgentValidate(t *testing.T) {
	cases := []struct {
		name   string
		change func(a *workforce.Agent)
		want   []string
	}{
		{"good", func(*workforce.Agent) {}, []string{}},
		{"empty", func(a *workforce.Agent) { *a = workforce.Agent{} }, []string{"id", "name", "team", "site", "employment", "employed.from", "concurrency"}},
		{"employment", func(a *workforce.Agent) { a.Employment = "robot" }, []string{"employment"}},
		{"left before hired", func(a *workforce.Agent) { a.Employed.Until = calendar.MakeDate(2024, 3, 1) }, []string{"employed.until"}},
		{"16 chats", func(a *workforce.Agent) { a.Concurrency = 16 }, []string{"concurrency"}},
		{"monthly wage", func(a *workforce.Agent) { a.Wage = money.Yuan(6000) }, []string{"wage"}},
		{"hours", func(a *workforce.Agent) { a.Availability = "whenever" }, []string{"availability"}},
		{"level", func(a *workforce.Agent) { a.Skills[0].Level = 1.6 }, []string{"skills[0].level"}},
		{"level 0", func(a *workforce.Agent) { a.Skills[0].Level = 0 }, []string{"skills[0].level"}},
		{"skill twice", func(a *workforce.Agent) { a.Skills = append(a.Skills, a.Skills[0]) }, []string{"skills[1]"}},
		{"skill again later", func(a *workforce.Agent) {
			a.Skills[0].Until = calendar.MakeDate(2025, 1, 1)
			a.Skills = append(a.Skills, workforce.Skill{Queue: "m/pre", Dates: from(2025, 1, 1), Level: 1.2})
		}, []string{}},
		{"condition", func(a *workforce.Agent) {
			a.Conditions = []workforce.Conditional{{Condition: "tired", Dates: from(2026, 1, 1)}}
		}, []string{"conditions[0].condition"}},
		{"leave backwards", func(a *workforce.Agent) { a.Unavailable = []calendar.Range{{}} }, []string{"unavailable[0].end"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := agent()
			c.change(&a)
			require.Equal(t, c.want, paths(t, a.Validate()))
		})
	}
}

func TestSiteAndTeam(t *testing.T) {
	require.NoError(t, workforce.Site{ID: "hz", Name: "杭州", City: "杭州"}.Validate())
	require.Equal(t, []string{"id", "name"}, paths(t, workforce.Site{}.Validate()))
	night := workforce.SeatWindow{From: "22:00", Until: "08:00", Seats: 0}
	require.NoError(t, workforce.Site{ID: "hz", Name: "杭州", Seats: 120, Windows: []workforce.SeatWindow{night}}.Validate())
	from, until, ok := night.Hours()
	require.True(t, ok)
	require.Equal(t, []time.Duration{22 * time.Hour, 8 * time.Hour}, []time.Duration{from, until})
	require.Equal(t, []string{"seats"}, paths(t, workforce.Site{ID: "hz", Name: "x", Seats: -1}.Validate()))
	require.Equal(t, []string{"seats"}, paths(t, workforce.Site{ID: "hz", Name: "x", Windows: []workforce.SeatWindow{night}}.Validate()))
	require.Equal(t, []string{"windows[0]", "windows[1]", "windows[2]", "windows[2].seats"}, paths(t, workforce.Site{
		ID: "hz", Name: "x", Seats: 3,
		Windows: []workforce.SeatWindow{{From: "8", Until: "09:00"}, {From: "08:00", Until: "08:00"}, {From: "08:01", Until: "25:00", Seats: -2}},
	}.Validate()))
	require.NoError(t, workforce.Team{ID: "hz-1", Name: "一组", Site: "hz"}.Validate())
	require.Equal(t, []string{"id", "name", "site"}, paths(t, workforce.Team{}.Validate()))
}

func TestSkillAt(t *testing.T) {
	a := agent()
	a.Employed.Until = calendar.MakeDate(2026, 6, 1)
	level, ok := a.SkillAt("m/pre", calendar.MakeDate(2026, 5, 31))
	require.True(t, ok)
	require.Equal(t, 1.0, level)
	_, ok = a.SkillAt("m/pre", calendar.MakeDate(2026, 6, 1))
	require.False(t, ok, "no longer employed")
	_, ok = a.SkillAt("m/after", calendar.MakeDate(2026, 5, 1))
	require.False(t, ok, "never trained")
}

func record(row int, values map[string]string) workforce.Record {
	all := map[string]string{"id": "a1", "name": "张三", "site": "s", "team": "t", "hired": "2024-03-01"}
	for k, v := range values {
		all[k] = v
	}
	return workforce.Record{Row: row, Values: all, Columns: map[string]string{"id": "工号", "skills": "技能"}}
}

func TestAgentsFromRecordsSkills(t *testing.T) {
	want := []workforce.Skill{
		{Queue: "m:x/pre", Dates: from(2024, 3, 1), Level: 1},
		{Queue: "m/after", Dates: from(2024, 3, 1), Level: 0.8},
	}
	one, err := workforce.AgentsFromRecords("a.csv", []workforce.Record{record(2, map[string]string{"skills": "m:x/pre； m/after：80%"})})
	require.NoError(t, err)
	require.Equal(t, want, one[0].Skills)
	many, err := workforce.AgentsFromRecords("a.csv", []workforce.Record{
		record(2, map[string]string{"queue": "m:x/pre"}), record(3, map[string]string{"queue": "m/after", "level": "0.8"}),
	})
	require.NoError(t, err)
	require.Equal(t, one, many, "both layouts mean the same")
}

func TestAgentsFromRecordsConditions(t *testing.T) {
	got, err := workforce.AgentsFromRecords("a.csv", []workforce.Record{record(2, map[string]string{"conditions": "哺乳期@2026-01-01~2026-12-31;minor"})})
	require.NoError(t, err)
	require.Equal(t, []workforce.Conditional{
		{Condition: workforce.Nursing, Dates: calendar.Dates{From: calendar.MakeDate(2026, 1, 1), Until: calendar.MakeDate(2027, 1, 1)}},
		{Condition: workforce.Minor, Dates: from(2024, 3, 1)},
	}, got[0].Conditions)
}

func TestAgentsFromRecordsComplaints(t *testing.T) {
	cases := []struct {
		name    string
		records []workforce.Record
		want    string
	}{
		{"same agent again", []workforce.Record{record(2, nil), record(3, nil)}, `a.csv:3: column "工号": is the agent of row 2 again`},
		{
			"rows disagree",
			[]workforce.Record{record(2, map[string]string{"queue": "q"}), record(3, map[string]string{"queue": "r", "name": "李四"})},
			`a.csv:3: column "name": differs from row 2 of the same agent (张三) (got "李四")`,
		},
		{"same skill again", []workforce.Record{record(2, map[string]string{"queue": "q"}), record(3, map[string]string{"queue": "q"})}, `a.csv:3: column "queue": is given twice`},
		{"level", []workforce.Record{record(2, map[string]string{"skills": "m/pre:3"})}, `a.csv:2: column "技能": must be above 0 and at most 1.5`},
		{"no hired", []workforce.Record{record(2, map[string]string{"hired": ""})}, `a.csv:2: column "hired": is missing`},
		{"left first", []workforce.Record{record(2, map[string]string{"left": "2024-02-01"})}, `a.csv:2: column "left": must be after from`},
		{"left and until", []workforce.Record{record(2, map[string]string{"left": "2025-02-01", "until": "2025-02-02"})}, `column "left": is given together with until`},
		{"chats", []workforce.Record{record(2, map[string]string{"concurrency": "2.5"})}, `column "concurrency": must be a whole number`},
		{"condition", []workforce.Record{record(2, map[string]string{"conditions": "nursing@2026"})}, `column "conditions": must look like`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := workforce.AgentsFromRecords("a.csv", c.records)
			require.ErrorContains(t, err, c.want)
			require.Empty(t, got)
			require.Equal(t, "agents.rows", fault.CodeOf(err))
		})
	}
}
