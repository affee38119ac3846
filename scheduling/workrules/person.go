package workrules

import (
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// Regime is the working-time system an agent is employed under.
type Regime string

// The regimes. An empty Regime is Standard.
const (
	Standard      Regime = "standard"      // 标准工时制
	Comprehensive Regime = "comprehensive" // 综合计算工时制, needs the approval of the labour authority (劳动法 §39)
	PartTime      Regime = "part_time"     // 非全日制
)

// Period is what comprehensive hours are summed over.
type Period string

// The periods of comprehensive hours (劳部发[1994]503 §5).
const (
	ByWeek    Period = "week"
	ByMonth   Period = "month"
	ByQuarter Period = "quarter"
	ByYear    Period = "year"
)

func (p Period) known() bool {
	return p == ByWeek || p == ByMonth || p == ByQuarter || p == ByYear
}

// Engagement is the bond between an agent and the house. It adds rules to those of the regime.
type Engagement string

// The engagements. An empty Engagement is Employee.
const (
	Employee Engagement = "employee"
	Agency   Engagement = "agency" // 劳务派遣
	Intern   Engagement = "intern" // 职业学校实习生
	Cloud    Engagement = "cloud"  // 云客服, books slots
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
	Kind     ConditionKind  `json:"kind" yaml:"kind"`
	Dates    calendar.Dates `json:"dates" yaml:"dates"`
	Children int            `json:"children,omitempty" yaml:"children,omitempty"` // nursed; 0 = 1
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

// Certificate is a passed exam with the dates on which it is valid.
type Certificate struct {
	Code  string         `json:"code" yaml:"code"`
	Dates calendar.Dates `json:"dates,omitzero" yaml:"dates,omitempty"` // zero: always
}

// Acknowledgement says that an agent has read a promotion pack on a date.
type Acknowledgement struct {
	Pack string        `json:"pack" yaml:"pack"`
	On   calendar.Date `json:"on" yaml:"on"`
}

// SessionKind is paid time outside the shifts.
type SessionKind string

// The kinds of session.
const (
	TrainingSession SessionKind = "training"
	MeetingSession  SessionKind = "meeting"
	PrenatalCheck   SessionKind = "prenatal_check" // working time by 女职工劳动保护特别规定 §6
)

// Session is working time that no shift holds. It counts in every sum of hours, rest and days.
// Training inside a shift is an activity of the shift, not a Session.
type Session struct {
	Kind  SessionKind    `json:"kind" yaml:"kind"`
	Range calendar.Range `json:"range" yaml:"range"`
}

// Carried is work on dates whose shifts are not given, e.g. the months of a year before the
// history. Shifts on those dates are left out of the sum of a comprehensive period, so nothing
// counts twice. The dates must lie in one period.
type Carried struct {
	Dates        calendar.Dates `json:"dates" yaml:"dates"`
	Hours        float64        `json:"hours" yaml:"hours"`                                     // working time without statutory holidays
	HolidayHours float64        `json:"holiday_hours,omitempty" yaml:"holiday_hours,omitempty"` // on statutory holidays
}

// Agreement is what one agent agreed in person on some dates. It can only be stricter than the
// law and the house. Zero values agree nothing.
type Agreement struct {
	Dates     calendar.Dates `json:"dates" yaml:"dates"`
	DayHours  float64        `json:"day_hours,omitempty" yaml:"day_hours,omitempty"`   // most working time a day
	WeekHours float64        `json:"week_hours,omitempty" yaml:"week_hours,omitempty"` // most working time a week
	NotBefore float64        `json:"not_before,omitempty" yaml:"not_before,omitempty"` // earliest start, clock hours, 8.5 = 08:30
	NotAfter  float64        `json:"not_after,omitempty" yaml:"not_after,omitempty"`   // latest end, clock hours of the day the shift starts
	NoNights  bool           `json:"no_nights,omitempty" yaml:"no_nights,omitempty"`
	DaysOff   []string       `json:"days_off,omitempty" yaml:"days_off,omitempty"` // "sunday" …
}

// Person is an agent as the rules see one.
type Person struct {
	ID             ids.Agent         `json:"id" yaml:"id"`
	Regime         Regime            `json:"regime,omitempty" yaml:"regime,omitempty"`
	Period         Period            `json:"period,omitempty" yaml:"period,omitempty"` // of comprehensive hours; empty: Params.ComprehensivePeriod
	Engagement     Engagement        `json:"engagement,omitempty" yaml:"engagement,omitempty"`
	Assigned       calendar.Dates    `json:"assigned,omitzero" yaml:"assigned,omitempty"` // an agency worker's post here; zero: not known
	Born           calendar.Date     `json:"born,omitzero" yaml:"born,omitempty"`         // zero: an adult
	Employed       calendar.Dates    `json:"employed,omitzero" yaml:"employed,omitempty"` // zero: always
	OvertimeAgreed bool              `json:"overtime_agreed,omitempty" yaml:"overtime_agreed,omitempty"`
	Conditions     []Condition       `json:"conditions,omitempty" yaml:"conditions,omitempty"`
	Skills         []Skill           `json:"skills,omitempty" yaml:"skills,omitempty"`
	Certificates   []Certificate     `json:"certificates,omitempty" yaml:"certificates,omitempty"`
	Acknowledged   []Acknowledgement `json:"acknowledged,omitempty" yaml:"acknowledged,omitempty"`
	Shops          int               `json:"shops,omitempty" yaml:"shops,omitempty"`             // most shops at once; 0: Params.ShopsAtOnce
	Unavailable    []calendar.Range  `json:"unavailable,omitempty" yaml:"unavailable,omitempty"` // leave and declared times off
	Sessions       []Session         `json:"sessions,omitempty" yaml:"sessions,omitempty"`
	Carried        []Carried         `json:"carried,omitempty" yaml:"carried,omitempty"`
	Agreements     []Agreement       `json:"agreements,omitempty" yaml:"agreements,omitempty"`
}

// Can reports whether the agent has the skill for a queue on a date. Whether the agent may serve
// it also depends on certificates, packs and shops: see Judge.MayServe.
func (p *Person) Can(q ids.Queue, d calendar.Date) bool {
	for _, s := range p.Skills {
		if s.Queue == q && s.On(d) {
			return true
		}
	}
	return false
}

// ProtectedOn returns the first protected condition on a date, or "".
func (p *Person) ProtectedOn(d calendar.Date) ConditionKind {
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

// birthday is the date on which an age is reached; 29 February becomes 1 March in common years.
func (p *Person) birthday(years int) calendar.Date {
	return calendar.MakeDate(p.Born.Year+years, p.Born.Month, p.Born.Day)
}
