package capacity

import (
	"fmt"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/money"
)

// The statutory ceilings of overtime and part-time work (劳动法 §41, 劳动合同法 §68, 国务院 1995 §3).
const (
	normalWeekHours  = 40
	overtimeDay      = 1
	overtimeSpecial  = 3
	overtimeMonth    = 36
	maxHeads         = 100_000
	maxHoursPerWeek  = 10_000_000
	longestLeadWeeks = 104
)

type report func(path string, value any, problem string)

// Validate reports every bad field of the input at once.
func (in Input) Validate() error {
	var bad []fault.Field
	add := func(path string, value any, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
	}
	if in.AsOf.IsZero() {
		add("as_of", in.AsOf, "must be the date of the plan")
	}
	if in.Start.IsZero() || in.Start.Before(in.AsOf) {
		add("start", in.Start, "must be as_of or later")
	}
	if len(in.Skills) == 0 {
		add("skills", 0, "must hold at least one skill")
	}
	names := map[string]bool{}
	for i, s := range in.Skills {
		path := fmt.Sprintf("skills[%d]", i)
		if s.Name == "" || names[s.Name] {
			add(path+".name", s.Name, "must be given and unique")
		}
		names[s.Name] = true
		in.checkSkill(s, func(field string, value any, problem string) { add(path+"."+field, value, problem) })
	}
	return fault.Bad("capacity.input", "capacity plan", bad)
}

func (in Input) checkSkill(s Skill, add report) {
	share(add, "hours_per_week", s.HoursPerWeek, normalWeekHours)
	price(add, "wage_per_hour", s.Wage)
	for i, c := range s.Staff {
		path := fmt.Sprintf("staff[%d]", i)
		if !(c.Heads >= 0 && c.Heads <= maxHeads) {
			add(path+".heads", c.Heads, fmt.Sprintf("must be 0 to %d", maxHeads))
		}
		if c.TenureWeeks < -longestLeadWeeks || c.TenureWeeks > 5000 {
			add(path+".tenure_weeks", c.TenureWeeks, fmt.Sprintf("must be -%d (begins in so many weeks) to 5000", longestLeadWeeks))
		}
	}
	s.Ramp.Check("ramp", add)
	for i, h := range s.Attrition {
		if i > 0 && s.Attrition[i-1].FromWeek >= h.FromWeek {
			add(fmt.Sprintf("attrition[%d].from_week", i), h.FromWeek, "must be above the step before it")
		}
		if !(h.Weekly >= 0 && h.Weekly <= 1) {
			add(fmt.Sprintf("attrition[%d].weekly_share", i), h.Weekly, "must be a share from 0 to 1")
		}
	}
	if len(s.Weeks) == 0 || len(s.Weeks) > MaxWeeks {
		add("weeks", len(s.Weeks), fmt.Sprintf("must be 1 to %d weeks", MaxWeeks))
	}
	for i, w := range s.Weeks {
		w.check(fmt.Sprintf("weeks[%d].", i), add)
	}
	if s.Classes != nil {
		s.Classes.check(add)
	}
	names := map[string]bool{}
	for i, t := range s.Temps {
		path := fmt.Sprintf("temps[%d].", i)
		if t.Name == "" || names[t.Name] {
			add(path+"name", t.Name, "must be given and unique")
		}
		names[t.Name] = true
		if d := t.WorksFrom.Sub(in.Start); t.WorksFrom.IsZero() || d < 0 || d%7 != 0 || d/7 >= len(s.Weeks) {
			add(path+"works_from", t.WorksFrom, "must be the first day of a week of the plan")
		}
		t.check(path, add)
	}
	if s.Cloud != nil {
		s.Cloud.check(add)
	}
	if s.Overtime != nil {
		s.Overtime.check(add)
	}
}

func (w Week) check(path string, add report) {
	if !(w.RequiredP50 >= 0 && w.RequiredP50 <= maxHoursPerWeek) {
		add(path+"required_p50_hours", w.RequiredP50, fmt.Sprintf("must be 0 to %d", maxHoursPerWeek))
	}
	switch {
	case w.RequiredP90 == 0:
	case !(w.RequiredP90 >= w.RequiredP50 && w.RequiredP90 <= maxHoursPerWeek):
		add(path+"required_p90_hours", w.RequiredP90, "must be 0 (the requirement is certain) or at least the P50")
	case w.RequiredP50 == 0:
		add(path+"required_p50_hours", w.RequiredP50, "must be above 0 when there is a P90")
	case w.RequiredP90 > 10*w.RequiredP50:
		add(path+"required_p90_hours", w.RequiredP90, "is more than ten times the P50: no plan can be made on that")
	}
	if !(w.Shrinkage >= 0 && w.Shrinkage <= 0.95) {
		add(path+"shrinkage", w.Shrinkage, "must be a share from 0 to 0.95")
	}
	price(add, path+"shortage_per_hour", w.Shortage)
}

func (c Classes) check(add report) {
	if c.MinSize < 1 || c.MinSize > maxHeads {
		add("classes.min_size", c.MinSize, "must be 1 or more")
	}
	if c.MaxSize < c.MinSize || c.MaxSize > maxHeads {
		add("classes.max_size", c.MaxSize, "must be at least min_size")
	}
	if c.MaxInTraining < 0 || c.MaxInTraining > 0 && c.MaxInTraining < c.MinSize {
		add("classes.max_in_training", c.MaxInTraining, "must be 0 (no limit) or at least min_size")
	}
	lead(add, "classes.lead_weeks", c.LeadWeeks)
	lead(add, "classes.training_weeks", c.TrainingWeeks)
	price(add, "classes.cost_per_hire", c.CostPerHire)
	price(add, "classes.training_per_hire", c.TrainingCost)
	price(add, "classes.cost_per_class", c.CostPerClass)
	price(add, "classes.trainee_wage_per_hour", c.TraineeWage)
}

func (t Temp) check(path string, add report) {
	if t.Weeks < 1 || t.Weeks > MaxWeeks {
		add(path+"weeks", t.Weeks, fmt.Sprintf("must be 1 to %d", MaxWeeks))
	}
	lead(add, path+"lead_weeks", t.LeadWeeks)
	lead(add, path+"training_weeks", t.TrainingWeeks)
	if t.MinHeads < 1 || t.MinHeads > maxHeads {
		add(path+"min_heads", t.MinHeads, "must be 1 or more")
	}
	if t.MaxHeads < t.MinHeads || t.MaxHeads > maxHeads {
		add(path+"max_heads", t.MaxHeads, "must be at least min_heads")
	}
	share(add, path+"hours_per_week", t.HoursPerWeek, normalWeekHours)
	share(add, path+"speed", t.Speed, 1.5)
	if !(t.Attrition >= 0 && t.Attrition <= 1) {
		add(path+"weekly_attrition", t.Attrition, "must be a share from 0 to 1")
	}
	price(add, path+"wage_per_hour", t.Wage)
	price(add, path+"cost_per_head", t.CostPerHead)
	price(add, path+"severance_per_head", t.Severance)
}

func (c Cloud) check(add report) {
	if c.MaxHours < 0 || c.MaxHours > maxHoursPerWeek {
		add("cloud.max_hours_per_week", c.MaxHours, "must be 0 or more")
	}
	price(add, "cloud.cost_per_hour", c.CostPerHour)
	share(add, "cloud.speed", c.Speed, 1.5)
	lead(add, "cloud.lead_weeks", c.LeadWeeks)
}

func (o Overtime) check(add report) {
	if !(o.HoursPerDay >= 0 && o.HoursPerDay <= overtimeDay) {
		add("overtime.hours_per_day", o.HoursPerDay, "must be 0 to 1 (劳动法 §41); more only as special_hours_per_day")
	}
	if !(o.SpecialHoursPerDay >= o.HoursPerDay && o.SpecialHoursPerDay <= overtimeSpecial) {
		add("overtime.special_hours_per_day", o.SpecialHoursPerDay, "must be hours_per_day to 3 (劳动法 §41)")
	}
	if o.DaysPerWeek < 1 || o.DaysPerWeek > 6 {
		add("overtime.days_per_week", o.DaysPerWeek, "must be 1 to 6: one day of rest (劳动法 §38)")
	}
	if o.HoursPerMonth < 0 || o.HoursPerMonth > overtimeMonth {
		add("overtime.hours_per_month", o.HoursPerMonth, "must be 0 to 36 (劳动法 §41)")
	}
	if !(o.AgreedShare >= 0 && o.AgreedShare <= 1) {
		add("overtime.agreed_share", o.AgreedShare, "must be a share from 0 to 1")
	}
	if o.PayPercent < 150 || o.PayPercent > 500 {
		add("overtime.pay_percent", o.PayPercent, "must be at least 150 (劳动法 §44), at most 500")
	}
}

// price reports an amount that is negative or beyond anything paid by the hour or head.
func price(add report, path string, f money.Fen) {
	if f < 0 || f > money.Yuan(10_000_000) {
		add(path, f, "must be 0 to 10,000,000 yuan")
	}
}

func lead(add report, path string, weeks int) {
	if weeks < 0 || weeks > longestLeadWeeks {
		add(path, weeks, fmt.Sprintf("must be 0 to %d weeks", longestLeadWeeks))
	}
}

// share reports a number that is not above 0 and at most its limit.
func share(add report, path string, x, most float64) {
	if !(x > 0 && x <= most) {
		add(path, x, fmt.Sprintf("must be above 0, at most %v", most))
	}
}
