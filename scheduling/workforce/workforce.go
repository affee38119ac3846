// Package workforce owns the people and their places: sites, teams, agents, skills, employment
// terms and availability. All dates are civil dates in the business time zone; employment and
// skills are effective in [From, Until).
//
// It does not own rosters, labour rules or logins.
package workforce

import (
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
)

// Site is one location (职场).
type Site struct {
	ID   ids.Site `json:"id" yaml:"id"`
	Name string   `json:"name" yaml:"name"`
	City string   `json:"city,omitempty" yaml:"city,omitempty"`
}

// Team is a group of agents at one site (班组).
type Team struct {
	ID   ids.Team `json:"id" yaml:"id"`
	Name string   `json:"name" yaml:"name"`
	Site ids.Site `json:"site" yaml:"site"`
}

// Employment is the kind of working-hours regime and contract.
type Employment string

// The kinds of employment.
const (
	Standard      Employment = "standard"      // 标准工时制
	Comprehensive Employment = "comprehensive" // 综合计算工时制
	PartTime      Employment = "part_time"     // 非全日制
	Agency        Employment = "agency"        // 派遣
	Intern        Employment = "intern"        // 实习生
	Cloud         Employment = "cloud"         // 云客服
)

// Condition is a protected state that work rules must know.
type Condition string

// The conditions.
const (
	Pregnant7 Condition = "pregnant_7m" // 怀孕七个月以上
	Nursing   Condition = "nursing"     // 哺乳期
	Minor     Condition = "minor"       // 未成年工
)

// Agent is one person.
type Agent struct {
	ID          ids.Agent      `json:"id"`
	Name        string         `json:"name"`
	Team        ids.Team       `json:"team"`
	Site        ids.Site       `json:"site"`
	Employment  Employment     `json:"employment"`
	Employed    calendar.Dates `json:"employed"`
	Concurrency int            `json:"concurrency"` // most chats at once, 1..15
	Wage        money.Fen      `json:"wage"`        // per ordinary hour
	Skills      []Skill        `json:"skills"`
	// OvertimeAgreed: the agent has agreed to overtime (劳动合同法 §31: nobody may be made to work it).
	OvertimeAgreed bool             `json:"overtime_agreed,omitempty"`
	Conditions     []Conditional    `json:"conditions,omitempty"`
	Availability   string           `json:"availability,omitempty"` // weekly hours "Mon-Sun 08:00-24:00"; empty = any time
	Unavailable    []calendar.Range `json:"unavailable,omitempty"`  // leave and fixed absences
}

// Skill is the right to work one queue.
type Skill struct {
	Queue ids.Queue `json:"queue"`
	calendar.Dates
	Level float64 `json:"level"` // productivity relative to a trained agent, in (0, 1.5], 1 = trained
}

// Conditional is a condition with its period.
type Conditional struct {
	Condition Condition `json:"condition"`
	calendar.Dates
}
