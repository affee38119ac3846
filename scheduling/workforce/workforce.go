// Package workforce owns the people and their places: sites, teams, agents, skills, employment
// terms and availability. All dates are civil dates in the business time zone; employment and
// skills are effective in [From, Until).
//
// It does not own rosters, labour rules or logins.
package workforce

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
)

// Site is one location (职场).
type Site struct {
	ID   ids.Site `json:"id" yaml:"id"`
	Name string   `json:"name" yaml:"name"`
	City string   `json:"city,omitempty" yaml:"city,omitempty"`
	// Seats is how many people can be at work at once; 0 = not limited. Windows are hours of every day with
	// another number, of several the fewest.
	Seats   int          `json:"seats,omitempty" yaml:"seats,omitempty"`
	Windows []SeatWindow `json:"windows,omitempty" yaml:"windows,omitempty"`
}

// SeatWindow is a stretch of the clock, like 22:00 to 08:00, with its own number of seats.
type SeatWindow struct {
	From  string `json:"from" yaml:"from"`   // "22:00", in steps of 5 minutes
	Until string `json:"until" yaml:"until"` // before From: over midnight
	Seats int    `json:"seats" yaml:"seats"` // 0 = closed
}

// Hours of the window as time after midnight; ok is false unless both are times like 22:00 that differ.
func (w SeatWindow) Hours() (from, until time.Duration, ok bool) {
	read := func(s string) time.Duration {
		t, err := time.Parse("15:04", s)
		if err != nil || t.Minute()%5 != 0 {
			return -1
		}
		return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	}
	from, until = read(w.From), read(w.Until)
	return from, until, from >= 0 && until >= 0 && from != until
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

// PastPay is by what an agent was paid before a change of its wage or employment.
type PastPay struct {
	Agent      ids.Agent
	Until      calendar.Date // first day that is paid otherwise
	Wage       money.Fen     // per ordinary hour
	Employment Employment
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
