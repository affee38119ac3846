package workrules

import (
	"fmt"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Regime is the working-time system an agent is employed under.
type Regime string

// The regimes with rules. An empty Regime is Standard.
const (
	Standard Regime = "standard"  // 标准工时制
	PartTime Regime = "part_time" // 非全日制
)

// ConditionKind is a circumstance that the law protects.
type ConditionKind string

// The protected conditions.
const (
	PregnantLate ConditionKind = "pregnant_7_months" // 怀孕7个月以上
	Nursing      ConditionKind = "nursing"           // 哺乳未满1周岁婴儿
	Minor        ConditionKind = "minor"             // 未成年工 (16-18); derived from Born when that is given
)

// Condition is a protected circumstance on some dates.
type Condition struct {
	Kind  ConditionKind  `json:"kind" yaml:"kind"`
	Dates calendar.Dates `json:"dates" yaml:"dates"`
}

// Skill lets an agent work one queue on some dates; zero Dates means always.
type Skill struct {
	Queue ids.Queue      `json:"queue" yaml:"queue"`
	Dates calendar.Dates `json:"dates,omitzero" yaml:"dates,omitempty"`
}

// On reports whether the skill holds on a date.
func (s Skill) On(d calendar.Date) bool {
	return s.Dates == calendar.Dates{} || s.Dates.Contains(d)
}

// Person is an agent as the rules see one.
type Person struct {
	ID             ids.Agent        `json:"id" yaml:"id"`
	Regime         Regime           `json:"regime,omitempty" yaml:"regime,omitempty"`
	Born           calendar.Date    `json:"born,omitzero" yaml:"born,omitempty"`         // zero: an adult
	Employed       calendar.Dates   `json:"employed,omitzero" yaml:"employed,omitempty"` // zero: always
	OvertimeAgreed bool             `json:"overtime_agreed,omitempty" yaml:"overtime_agreed,omitempty"`
	Conditions     []Condition      `json:"conditions,omitempty" yaml:"conditions,omitempty"`
	Skills         []Skill          `json:"skills,omitempty" yaml:"skills,omitempty"`
	Unavailable    []calendar.Range `json:"unavailable,omitempty" yaml:"unavailable,omitempty"` // leave, training elsewhere, declared times off
}

// Can reports whether the agent may work a queue on a date.
func (p Person) Can(q ids.Queue, d calendar.Date) bool {
	for _, s := range p.Skills {
		if s.Queue == q && s.On(d) {
			return true
		}
	}
	return false
}

// protectedOn returns the first protected condition on a date, or "".
func (p Person) protectedOn(d calendar.Date) ConditionKind {
	for _, c := range p.Conditions {
		if c.Dates.Contains(d) {
			return c.Kind
		}
	}
	if !p.Born.IsZero() && d.Before(p.birthday(18)) {
		return Minor
	}
	return ""
}

func (p Person) birthday(years int) calendar.Date {
	return calendar.MakeDate(p.Born.Year+years, p.Born.Month, p.Born.Day)
}

// Validate reports every bad field; path prefixes the field names ("agents[3]").
func (p Person) Validate(path string) []fault.Field {
	var bad []fault.Field
	add := func(field, value, problem string) {
		bad = append(bad, fault.Field{Path: path + "." + field, Value: value, Problem: problem})
	}
	if problem := ids.Check(string(p.ID)); problem != "" {
		add("id", string(p.ID), problem)
	}
	if p.Regime != "" && p.Regime != Standard && p.Regime != PartTime {
		add("regime", string(p.Regime), "must be standard or part_time")
	}
	if !p.Employed.Until.IsZero() && !p.Employed.From.Before(p.Employed.Until) {
		add("employed", p.Employed.Until.String(), "must end after it begins")
	}
	for i, c := range p.Conditions {
		if c.Kind != PregnantLate && c.Kind != Nursing && c.Kind != Minor {
			add(fmt.Sprintf("conditions[%d].kind", i), string(c.Kind), "must be pregnant_7_months, nursing or minor")
		}
	}
	for i, s := range p.Skills {
		if problem := ids.Check(string(s.Queue)); problem != "" {
			add(fmt.Sprintf("skills[%d].queue", i), string(s.Queue), problem)
		}
	}
	for i, r := range p.Unavailable {
		if !r.Valid() {
			add(fmt.Sprintf("unavailable[%d]", i), r.Start.String(), "must end after it begins")
		}
	}
	return bad
}
