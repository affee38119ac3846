package workrules

import (
	"slices"

	"github.com/chaoban/chaoban/scheduling"
)

// Rule is one rule of the pack.
type Rule struct {
	Code    string // stable, dotted
	Says    Text   // one sentence a planner can read; thresholds are the defaults
	Article string // what it rests on; 内部规定 = house rule
	Hard    bool   // by default; see HardUnder
	Unit    string // of Violation.Amount: hours, days, shifts, years
	duties  bool   // reads duties only, so an optimiser can ask it
	judge   func(j *Judge, duties []Duty, shifts []scheduling.Shift, out *findings)
}

// HardUnder says whether the rule forbids under these parameters.
func (r *Rule) HardUnder(p Params) bool {
	return r.Hard || r.Code == "meal.required" && p.HardMeals
}

// Rules returns the pack in a fixed order.
func Rules() []Rule { return slices.Clone(registry) }

var registry = []Rule{
	{
		Code: "shift.overlap", Hard: true, Unit: "hours", duties: true, judge: shiftOverlap, Article: "内部规定",
		Says: Text{"同一时间只能上一个班", "One shift at a time"},
	},
	{
		Code: "fit.employed", Hard: true, Unit: "shifts", duties: true, judge: employedDates, Article: "劳动合同法 §7",
		Says: Text{"只在合同期内排班", "Shifts only while the contract runs"},
	},
	{
		Code: "fit.available", Hard: true, Unit: "hours", duties: true, judge: available, Article: "劳动法 §45; 内部规定",
		Says: Text{"请假与不可用时段不排班", "No work during leave or declared unavailability"},
	},
	{
		Code: "minors.age", Hard: true, Unit: "shifts", duties: true, judge: minimumAge, Article: "劳动法 §15",
		Says: Text{"不得使用未满16周岁的人员", "Nobody under 16 works"},
	},
	{
		Code: "protected.night", Hard: true, Unit: "shifts", duties: true, judge: protectedNight,
		Article: "劳动法 §61 §63; 女职工劳动保护特别规定 §6 §9; 未成年工为内部规定",
		Says:    Text{"怀孕7个月以上、哺乳期及未成年员工不上夜班", "No night work from the 7th month of pregnancy, while nursing, or for minors"},
	},
	{
		Code: "protected.overtime", Hard: true, Unit: "hours", duties: true, judge: protectedOvertime,
		Article: "劳动法 §61 §63; 女职工劳动保护特别规定 §6 §9; 未成年工为内部规定",
		Says:    Text{"怀孕7个月以上、哺乳期及未成年员工不加班", "No overtime from the 7th month of pregnancy, while nursing, or for minors"},
	},
	{
		Code: "rest.between_block", Hard: true, Unit: "hours", duties: true, judge: restBlock, Article: "内部规定",
		Says: Text{"两班之间至少休息8小时", "At least 8 h between two shifts"},
	},
	{
		Code: "hours.daily", Hard: true, Unit: "hours", duties: true, judge: dailyHours, Article: "劳动法 §36; 国务院规定(1995) §3; 劳动合同法 §31",
		Says: Text{"未同意加班者每日工作不超过8小时", "At most 8 h a day without agreed overtime"},
	},
	{
		Code: "hours.weekly", Hard: true, Unit: "hours", duties: true, judge: weeklyHours, Article: "国务院规定(1995) §3; 劳动合同法 §31",
		Says: Text{"未同意加班者每周工作不超过40小时", "At most 40 h a week without agreed overtime"},
	},
	{
		Code: "hours.overtime_daily", Hard: true, Unit: "hours", duties: true, judge: overtimeDaily, Article: "劳动法 §41",
		Says: Text{"每日加班一般不超过1小时，特殊情况不超过3小时", "Overtime at most 1 h a day, 3 h on agreed special dates"},
	},
	{
		Code: "hours.overtime_monthly", Hard: true, Unit: "hours", duties: true, judge: overtimeMonthly, Article: "劳动法 §41",
		Says: Text{"每月加班不超过36小时", "Overtime at most 36 h a month"},
	},
	{
		Code: "hours.part_time_daily", Hard: true, Unit: "hours", duties: true, judge: partTimeDaily, Article: "劳动合同法 §68",
		Says: Text{"非全日制每日不超过4小时", "Part-time at most 4 h a day"},
	},
	{
		Code: "hours.part_time_weekly", Hard: true, Unit: "hours", duties: true, judge: partTimeWeekly, Article: "劳动合同法 §68",
		Says: Text{"非全日制每周不超过24小时", "Part-time at most 24 h a week"},
	},
	{
		Code: "rest.weekly_day", Hard: true, Unit: "days", duties: true, judge: weeklyRestDay, Article: "劳动法 §38",
		Says: Text{"每周至少休息一日", "At least one day without work in each week"},
	},
	{
		Code: "days.consecutive", Hard: true, Unit: "days", duties: true, judge: consecutiveDays, Article: "内部规定",
		Says: Text{"连续上班不超过6天", "At most 6 working days in a row"},
	},
	{
		Code: "rest.between_warn", Unit: "hours", judge: restWarn, Article: "内部规定",
		Says: Text{"两班之间休息少于11小时需提醒", "Less than 11 h between two shifts is flagged"},
	},
	{
		Code: "fit.skill", Hard: true, Unit: "hours", judge: skillRequired, Article: "内部规定",
		Says: Text{"只能服务已具备技能的队列", "Only queues the agent is trained for"},
	},
	{
		Code: "meal.required", Unit: "hours", judge: mealRequired, Article: "内部规定",
		Says: Text{"超过6小时的班次至少有30分钟用餐", "Shifts over 6 h hold a meal of at least 30 minutes"},
	},
}

var quickRules = func() (out []*Rule) {
	for i := range registry {
		if registry[i].duties && registry[i].Hard {
			out = append(out, &registry[i])
		}
	}
	return out
}()
