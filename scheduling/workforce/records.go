package workforce

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
)

// Record is one row of an agent file: the text of each canonical field that has data. Dates are
// already 2006-01-02.
//
// Fields: id 工号, name 姓名, site 职场, team 班组, employment 用工形式, hired 入职日期 (first day),
// left 离职日期 (last day employed) or until (first day no longer employed), concurrency 并发数,
// wage 时薪 in yuan, availability 可用时段, conditions 保护情形, and the skills either as
// skills 技能 "queue:level;queue:level" or as one row per agent and skill in queue and level.
type Record struct {
	Row     int
	Values  map[string]string
	Columns map[string]string // canonical field -> header in the file; the field's name when absent
}

const (
	defaultConcurrency = 1 // the only number of chats that is safe to assume
	defaultLevel       = 1.0
)

var employmentNames = map[string]Employment{
	"标准工时": Standard, "标准工时制": Standard, "标准": Standard, "全职": Standard, "正式": Standard,
	"综合工时": Comprehensive, "综合计算工时制": Comprehensive, "综合": Comprehensive,
	"非全日制": PartTime, "兼职": PartTime, "小时工": PartTime,
	"派遣": Agency, "劳务派遣": Agency, "实习": Intern, "实习生": Intern, "云客服": Cloud,
}

var conditionNames = map[string]Condition{
	"孕七月": Pregnant7, "怀孕七个月以上": Pregnant7, "哺乳期": Nursing, "未成年工": Minor,
}

// AgentsFromRecords turns rows into agents, in the order of their first rows. Rows with the
// same id are one agent with several skills; they must agree in everything else. Every bad cell
// of every row is reported. An agent without hired date is refused, because rules of work need
// it; skills start with employment unless skill_from says otherwise.
//
// Errors: agents.rows, with file, row, column and value.
func AgentsFromRecords(file string, records []Record) ([]Agent, error) {
	var agents []Agent
	first := map[ids.Agent]int{} // index in agents
	rowOf := map[ids.Agent]Record{}
	var bad []fault.Field
	for _, r := range records {
		p := rowParser{file: file, record: r}
		a := p.agent()
		i, again := first[a.ID]
		switch {
		case len(p.bad) > 0:
			bad = append(bad, p.bad...)
		case again:
			bad = append(bad, p.merge(&agents[i], a, rowOf[a.ID])...)
		default:
			first[a.ID], rowOf[a.ID] = len(agents), r
			agents = append(agents, a)
		}
	}
	if err := fault.Bad("agents.rows", "agents", bad); err != nil {
		return nil, err
	}
	return agents, nil
}

type rowParser struct {
	file   string
	record Record
	bad    []fault.Field
}

func (p *rowParser) complain(field, problem string) {
	column := field
	if header, ok := p.record.Columns[field]; ok {
		column = header
	}
	p.bad = append(p.bad, fault.Field{
		File: p.file, Row: p.record.Row, Column: column,
		Value: fault.Shorten(p.record.Values[field]), Problem: problem,
	})
}

func (p *rowParser) agent() Agent {
	v := p.record.Values
	a := Agent{
		ID: ids.Agent(v["id"]), Name: v["name"], Site: ids.Site(v["site"]), Team: ids.Team(v["team"]),
		Employment: p.employment(), Concurrency: defaultConcurrency, Availability: v["availability"],
	}
	a.Employed = calendar.Dates{From: p.date("hired"), Until: p.date("until")}
	if last := p.date("left"); !last.IsZero() {
		if v["until"] != "" {
			p.complain("left", "is given together with until: left is the last day, until the day after it")
		}
		a.Employed.Until = last.Add(1)
	}
	if s := v["concurrency"]; s != "" {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || n != math.Trunc(n) || n < 1 || n > MaxConcurrency {
			p.complain("concurrency", fmt.Sprintf("must be a whole number from 1 to %d", MaxConcurrency))
		} else {
			a.Concurrency = int(n)
		}
	}
	if s := v["wage"]; s != "" {
		wage, err := money.Parse(s)
		if err != nil {
			p.complain("wage", "is not an amount in yuan with at most two decimals")
		}
		a.Wage = wage
	}
	a.Conditions = p.conditions(a.Employed)
	a.Skills = p.skills(a.Employed)
	if len(p.bad) == 0 {
		p.meaning(a)
	}
	return a
}

// meaning reports what the parsed agent gets wrong, under the names of the file's columns.
func (p *rowParser) meaning(a Agent) {
	for _, f := range a.problems() {
		field, _, _ := strings.Cut(f.Path, "[")
		switch field {
		case "employed.from":
			field = "hired"
		case "employed.until":
			if field = "until"; p.record.Values["left"] != "" {
				field = "left"
			}
		case "skills":
			if p.record.Values["skills"] == "" {
				field = "queue"
			}
		}
		p.complain(field, f.Problem)
	}
}

func (p *rowParser) employment() Employment {
	s := p.record.Values["employment"]
	if e, ok := employmentNames[s]; ok {
		return e
	}
	if s == "" {
		return Standard
	}
	return Employment(strings.ToLower(s))
}

func (p *rowParser) date(field string) calendar.Date {
	s := p.record.Values[field]
	if s == "" {
		return calendar.Date{}
	}
	d, err := calendar.ParseDate(s)
	if err != nil {
		p.complain(field, "is not a date like 2026-04-17")
	}
	return d
}

// skills reads "queue:level;queue" and the queue and level columns. A queue id may itself hold
// a colon, so the level is what follows the last one and looks like a number.
func (p *rowParser) skills(employed calendar.Dates) []Skill {
	dates := employed
	if from := p.date("skill_from"); !from.IsZero() {
		dates.From = from
	}
	if until := p.date("skill_until"); !until.IsZero() {
		dates.Until = until
	}
	var out []Skill
	text := strings.NewReplacer("；", ";", "：", ":", "\n", ";").Replace(p.record.Values["skills"])
	for part := range strings.SplitSeq(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		queue, level := part, defaultLevel
		if i := strings.LastIndexByte(part, ':'); i >= 0 {
			if f, ok := parseLevel(part[i+1:]); ok {
				queue, level = strings.TrimSpace(part[:i]), f
			}
		}
		out = append(out, Skill{Queue: ids.Queue(queue), Dates: dates, Level: level})
	}
	if queue := p.record.Values["queue"]; queue != "" {
		level := defaultLevel
		if s := p.record.Values["level"]; s != "" {
			f, ok := parseLevel(s)
			if !ok {
				p.complain("level", "is not a number like 0.8 or 80%")
			}
			level = f
		}
		out = append(out, Skill{Queue: ids.Queue(queue), Dates: dates, Level: level})
	}
	return out
}

func parseLevel(s string) (float64, bool) {
	body, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	f, err := strconv.ParseFloat(body, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, false
	}
	if percent {
		f /= 100
	}
	return f, true
}

// conditions reads "nursing@2026-01-01~2026-12-31;minor": the days are first and last, and
// default to the employment.
func (p *rowParser) conditions(employed calendar.Dates) []Conditional {
	var out []Conditional
	for part := range strings.SplitSeq(strings.ReplaceAll(p.record.Values["conditions"], "；", ";"), ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, period, dated := strings.Cut(part, "@")
		c := Conditional{Condition: Condition(name), Dates: employed}
		if known, ok := conditionNames[name]; ok {
			c.Condition = known
		}
		if dated {
			from, to, _ := strings.Cut(period, "~")
			first, errFirst := calendar.ParseDate(from)
			last, errLast := calendar.ParseDate(to)
			if errFirst != nil || errLast != nil {
				p.complain("conditions", "must look like nursing@2026-01-01~2026-12-31")
				continue
			}
			c.Dates = calendar.Dates{From: first, Until: last.Add(1)}
		}
		out = append(out, c)
	}
	return out
}

// merge adds the skills of a further row of an agent and refuses other differences.
func (p *rowParser) merge(into *Agent, a Agent, before Record) []fault.Field {
	for _, field := range []string{"name", "site", "team", "employment", "hired", "left", "until", "concurrency", "wage", "availability", "conditions"} {
		if p.record.Values[field] != before.Values[field] {
			p.complain(field, fmt.Sprintf("differs from row %d of the same agent (%s)", before.Row, fault.Shorten(before.Values[field])))
		}
	}
	if len(a.Skills) == 0 {
		p.complain("id", fmt.Sprintf("is the agent of row %d again, without a further skill", before.Row))
	}
	if len(p.bad) > 0 {
		return p.bad
	}
	merged := *into
	merged.Skills = append(append([]Skill(nil), into.Skills...), a.Skills...)
	if p.meaning(merged); len(p.bad) == 0 {
		*into = merged
	}
	return p.bad
}
