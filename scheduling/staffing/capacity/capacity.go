// Package capacity plans people by week, up to 64 weeks ahead: which training classes and temporary
// cohorts to order, how much overtime and how many cloud-agent hours to use, at least cost, and until
// which date each decision can still be taken.
//
// It owns the weekly model (attrition by tenure, ramp, lead and training times, legal ceilings of
// overtime), the search, a lower bound on what any plan costs, and the explanation of each decision.
//
// It does not own the requirement (staffing turns demand into hours), the roster of a week, or labour
// law as such (workrules). Skills are planned each by itself: staff, rooms and limits that several
// skills share must be divided by the caller.
//
// Times: all dates are civil dates. Weeks are blocks of seven days from Input.Start. AsOf is the day on
// which the plan is made: a decision whose order date lies before it is lost. Tenure is in whole weeks
// since the first week of work and negative in training. Heads are expected values and may be fractions;
// what is ordered is whole.
package capacity

import (
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/scheduling/staffing/people"
)

// MaxWeeks is the longest plan.
const MaxWeeks = 64

// Input is everything that Make looks at. Amounts are yuan as text, "25.00".
type Input struct {
	AsOf   calendar.Date `json:"as_of" yaml:"as_of"` // the first day on which anything can be ordered
	Start  calendar.Date `json:"start" yaml:"start"` // first day of the first week, as_of or later
	Skills []Skill       `json:"skills" yaml:"skills"`
}

// Skill is one kind of work with its own staff and its own ways to get more.
type Skill struct {
	Name         string          `json:"name" yaml:"name"`
	HoursPerWeek float64         `json:"hours_per_week" yaml:"hours_per_week"` // paid, per head, (0, 40]
	Wage         money.Fen       `json:"wage_per_hour" yaml:"wage_per_hour"`   // paid to staff, whether busy or idle
	Staff        []people.Cohort `json:"staff" yaml:"staff"`                   // at Start; negative tenure = begins work in so many weeks
	Ramp         people.Ramp     `json:"ramp" yaml:"ramp"`                     // of staff and new classes
	Attrition    []Hazard        `json:"attrition" yaml:"attrition"`           // ascending; empty = nobody leaves
	Weeks        []Week          `json:"weeks" yaml:"weeks"`                   // from Start without a gap
	Classes      *Classes        `json:"classes,omitempty" yaml:"classes,omitempty"`
	Temps        []Temp          `json:"temps,omitempty" yaml:"temps,omitempty"`
	Cloud        *Cloud          `json:"cloud,omitempty" yaml:"cloud,omitempty"`
	Overtime     *Overtime       `json:"overtime,omitempty" yaml:"overtime,omitempty"`
}

// Week is what one week asks for.
type Week struct {
	// RequiredP50 is the median of the hours that trained agents must be on the queue. With RequiredP90 the
	// requirement is lognormal through both and shortage is priced as its expectation; without, it is certain.
	RequiredP50 float64 `json:"required_p50_hours" yaml:"required_p50_hours"`
	RequiredP90 float64 `json:"required_p90_hours,omitempty" yaml:"required_p90_hours,omitempty"`
	// Shrinkage is the share of paid hours not on the queue, [0, 0.95], in and out of shift.
	Shrinkage float64 `json:"shrinkage" yaml:"shrinkage"`
	// Shortage is what one missing hour on the queue costs by contract.
	Shortage money.Fen `json:"shortage_per_hour" yaml:"shortage_per_hour"`
	// SpecialOvertime: the "special reasons" of 劳动法 §41 have been agreed for this week.
	SpecialOvertime bool `json:"special_overtime,omitempty" yaml:"special_overtime,omitempty"`
}

// Hazard is the share of people of a tenure who leave within a week.
type Hazard struct {
	FromWeek int     `json:"from_week" yaml:"from_week"` // tenure; negative = in training. The first also holds before it
	Weekly   float64 `json:"weekly_share" yaml:"weekly_share"`
}

// Classes are training classes of new staff (新人班). At most one begins work in each week.
type Classes struct {
	MinSize       int       `json:"min_size" yaml:"min_size"`
	MaxSize       int       `json:"max_size" yaml:"max_size"`
	MaxInTraining int       `json:"max_in_training" yaml:"max_in_training"` // trainees at once, as hired; 0 = no limit
	LeadWeeks     int       `json:"lead_weeks" yaml:"lead_weeks"`           // from the order to the first day of training
	TrainingWeeks int       `json:"training_weeks" yaml:"training_weeks"`
	CostPerHire   money.Fen `json:"cost_per_hire" yaml:"cost_per_hire"`         // recruiting
	TrainingCost  money.Fen `json:"training_per_hire" yaml:"training_per_hire"` // besides wages
	CostPerClass  money.Fen `json:"cost_per_class" yaml:"cost_per_class"`       // trainer, room
	TraineeWage   money.Fen `json:"trainee_wage_per_hour" yaml:"trainee_wage_per_hour"`
}

// Temp is an offer of temporary people for a promotion: none, or MinHeads to MaxHeads of them.
type Temp struct {
	Name          string        `json:"name" yaml:"name"`
	WorksFrom     calendar.Date `json:"works_from" yaml:"works_from"` // first day of a week of the plan
	Weeks         int           `json:"weeks" yaml:"weeks"`
	LeadWeeks     int           `json:"lead_weeks" yaml:"lead_weeks"`
	TrainingWeeks int           `json:"training_weeks" yaml:"training_weeks"`
	MinHeads      int           `json:"min_heads" yaml:"min_heads"`
	MaxHeads      int           `json:"max_heads" yaml:"max_heads"`
	HoursPerWeek  float64       `json:"hours_per_week" yaml:"hours_per_week"` // part-time 非全日制: at most 24 (劳动合同法 §68)
	Speed         float64       `json:"speed" yaml:"speed"`                   // relative to a trained agent, (0, 1.5]
	Attrition     float64       `json:"weekly_attrition" yaml:"weekly_attrition"`
	Wage          money.Fen     `json:"wage_per_hour" yaml:"wage_per_hour"` // also in training
	CostPerHead   money.Fen     `json:"cost_per_head" yaml:"cost_per_head"` // agency, training
	Severance     money.Fen     `json:"severance_per_head" yaml:"severance_per_head"`
}

// Cloud are cloud agents (云客服) who take single hours.
type Cloud struct {
	MaxHours    int       `json:"max_hours_per_week" yaml:"max_hours_per_week"`
	CostPerHour money.Fen `json:"cost_per_hour" yaml:"cost_per_hour"`
	Speed       float64   `json:"speed" yaml:"speed"` // hours of a trained agent that one hour replaces, (0, 1.5]
	LeadWeeks   int       `json:"lead_weeks" yaml:"lead_weeks"`
}

// Overtime of trained and new staff, within 劳动法 §41. A month's ceiling counts all overtime of every week
// that touches the month, so the plan is legal on whichever days of the week it is worked.
type Overtime struct {
	HoursPerDay        float64 `json:"hours_per_day" yaml:"hours_per_day"`                 // [0, 1]
	SpecialHoursPerDay float64 `json:"special_hours_per_day" yaml:"special_hours_per_day"` // hours_per_day to 3, in weeks with special_overtime
	DaysPerWeek        int     `json:"days_per_week" yaml:"days_per_week"`                 // worked days with overtime, 1 to 6
	HoursPerMonth      int     `json:"hours_per_month" yaml:"hours_per_month"`             // [0, 36]
	AgreedShare        float64 `json:"agreed_share" yaml:"agreed_share"`                   // of staff who agreed to it (劳动合同法 §31)
	PayPercent         int     `json:"pay_percent" yaml:"pay_percent"`                     // 150 extended, 200 rest day, 300 statutory holiday (§44)
}

// Plan is the answer.
type Plan struct {
	AsOf   calendar.Date `json:"as_of"`
	Skills []SkillPlan   `json:"skills"`
	Cost   Cost          `json:"cost"` // the sum over skills
}

// SkillPlan is the plan of one skill.
type SkillPlan struct {
	Name          string     `json:"name"`
	Weeks         []WeekPlan `json:"weeks"`
	Decisions     []Decision `json:"decisions"`     // by order date
	Irretrievable []Lost     `json:"irretrievable"` // by week
	Cost          Cost       `json:"cost"`          // the sum over weeks
	LowerBound    money.Fen  `json:"lower_bound"`   // no plan of this model costs less
	Gap           float64    `json:"gap"`           // (cost - lower bound) / cost: 0 = proved to be the best
}

// WeekPlan is one week of the plan. All hours are hours of a trained agent on the queue.
type WeekPlan struct {
	Start           calendar.Date `json:"start"`
	RequiredP50     float64       `json:"required_p50_hours"`
	RequiredP90     float64       `json:"required_p90_hours"`
	RequiredHeads   float64       `json:"required_heads"`    // trained full-time heads for the P50, shrinkage included
	OnHand          float64       `json:"on_hand_heads"`     // staff at work
	InTraining      float64       `json:"in_training_heads"` // staff and temporary people
	Temps           float64       `json:"temp_heads"`
	EffectiveHeads  float64       `json:"effective_heads"` // effective hours in trained full-time heads
	StaffHours      float64       `json:"staff_hours"`
	TempHours       float64       `json:"temp_hours"`
	OvertimeHours   float64       `json:"overtime_hours"`
	CloudHours      float64       `json:"cloud_hours"`
	EffectiveHours  float64       `json:"effective_hours"`   // the sum of the four
	GapHours        float64       `json:"gap_hours"`         // effective - required P50; negative = short
	ShortHours      float64       `json:"short_hours"`       // expected
	ShortageRisk    float64       `json:"shortage_risk"`     // probability that the requirement is larger than the effective hours
	Complaints      float64       `json:"complaint_factor"`  // complaints per contact of staff and temporary people, 1 = all trained
	OvertimePerHead int           `json:"overtime_per_head"` // paid hours of each who agreed
	CloudPaid       int           `json:"cloud_paid_hours"`
	Cost            Cost          `json:"cost"`
}

// Cost by kind. Total is the exact sum of the kinds above it; Idle is a part of Wages and Temps.
type Cost struct {
	Wages     money.Fen `json:"wages"`
	Hiring    money.Fen `json:"hiring"`
	Training  money.Fen `json:"training"` // fees, trainers, wages of trainees; before the plan's start: in its first week
	Temps     money.Fen `json:"temps"`
	Severance money.Fen `json:"severance"`
	Overtime  money.Fen `json:"overtime"`
	Cloud     money.Fen `json:"cloud"`
	Shortage  money.Fen `json:"shortage"` // expected, by contract
	Total     money.Fen `json:"total"`
	Idle      money.Fen `json:"idle"` // wages of hours beyond the P50 requirement
}

// Kind of a decision.
type Kind string

// The kinds of decision.
const (
	ClassKind    Kind = "class"
	TempKind     Kind = "temps"
	CloudKind    Kind = "cloud"
	OvertimeKind Kind = "overtime"
)

// Decision is one thing to order or agree.
type Decision struct {
	Kind         Kind          `json:"kind"`
	Name         string        `json:"name,omitempty"` // of the offer
	Heads        int           `json:"heads,omitempty"`
	Hours        float64       `json:"hours,omitempty"` // paid: cloud hours, overtime hours of all
	OrderBy      calendar.Date `json:"order_by"`        // the latest date: works_from - training - lead
	SlackDays    int           `json:"slack_days"`      // from as_of to order_by
	TrainingFrom calendar.Date `json:"training_from,omitzero"`
	WorksFrom    calendar.Date `json:"works_from"`
	Until        calendar.Date `json:"until"` // first day after; of a class: the end of the plan
	Cost         money.Fen     `json:"cost"`  // within the plan
	// Without it and with overtime and cloud hours chosen anew, the plan costs Saves more.
	Saves  money.Fen `json:"saves"`
	Reason string    `json:"reason"`
}

// Lost is a means whose order date has passed, for a week that needed it.
type Lost struct {
	Kind    Kind          `json:"kind"`
	Name    string        `json:"name,omitempty"`
	Week    calendar.Date `json:"week"`
	OrderBy calendar.Date `json:"order_by"`  // when it had to be ordered
	Gap     float64       `json:"gap_hours"` // that staff leaves open at the P50
	// Who covers the gap, in effective hours; Open is what nobody does.
	FromTemps    float64 `json:"from_temps_hours"`
	FromOvertime float64 `json:"from_overtime_hours"`
	FromCloud    float64 `json:"from_cloud_hours"`
	Open         float64 `json:"open_hours"`
	Reason       string  `json:"reason"`
}

// Make plans every skill. Error: capacity.input with every bad field.
func Make(in Input) (Plan, error) {
	if err := in.Validate(); err != nil {
		return Plan{}, err
	}
	p := Plan{AsOf: in.AsOf}
	for _, s := range in.Skills {
		m := newModel(in, s)
		best := m.search()
		sp := m.report(best)
		p.Cost.add(sp.Cost)
		p.Skills = append(p.Skills, sp)
	}
	return p, nil
}
