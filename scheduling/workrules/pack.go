package workrules

// The sentences name a setting in braces, such as {rest_block}, where its value stands; a number names what it counts
// in English, such as {night_run night shift}. RulesUnder fills them in.

var shiftRules = []Rule{
	{
		Code: "shift.overlap", Hard: true, Unit: "hours", duties: true, judge: shiftOverlap,
		Article: "内部规定",
		Says:    Text{"同一时间只能上一个班", "One shift at a time"},
	},
	{
		Code: "fit.employed", Hard: true, Unit: "shifts", duties: true, judge: employedDates,
		Article: "劳动合同法 §7",
		Says:    Text{"只在合同期内排班", "Shifts only while the contract runs"},
	},
	{
		Code: "fit.available", Hard: true, Unit: "hours", duties: true, judge: available,
		concerns: func(j *Judge) bool { return len(j.away) > 0 },
		Article:  "劳动法 §45; 内部规定",
		Says:     Text{"请假与不可用时段不排班", "No work during leave or declared unavailability"},
	},
	{
		Code: "training.work_time", Hard: true, Unit: "hours", duties: true, judge: sessionOverlap,
		concerns: func(j *Judge) bool { return len(j.sessions) > 0 },
		Article:  "劳动法 §3 §68; 女职工劳动保护特别规定 §6",
		Says:     Text{"班外培训、会议和产前检查计入工时，期间不排班", "Training, meetings and prenatal checks outside shifts are working time, and no shift runs meanwhile"},
	},
}

var protectedRules = []Rule{
	{
		Code: "minors.age", Hard: true, Unit: "shifts", duties: true, judge: minimumAge,
		concerns: isShielded,
		Article:  "劳动法 §15",
		Says:     Text{"不得使用未满16周岁的人员", "Nobody under 16 works"},
	},
	{
		Code: "protected.night", Hard: true, Unit: "shifts", duties: true, judge: protectedNight,
		concerns: isShielded,
		Article:  "劳动法 §61 §63; 女职工劳动保护特别规定 §6 §9; 未成年工为内部规定",
		Says:     Text{"怀孕7个月以上、哺乳期及未成年员工不上夜班", "No night work from the 7th month of pregnancy, while nursing, or for minors"},
		Params:   []string{"night_from", "night_until"},
	},
	{
		Code: "protected.overtime", Hard: true, Unit: "hours", duties: true, judge: protectedOvertime,
		concerns: isShielded,
		Article:  "劳动法 §61 §63; 女职工劳动保护特别规定 §6 §9; 未成年工为内部规定",
		Says:     Text{"怀孕7个月以上、哺乳期及未成年员工不加班", "No overtime from the 7th month of pregnancy, while nursing, or for minors"},
		Params:   []string{"normal_day", "normal_week", "rest_days"},
	},
	{
		Code: "protected.rest", hardWith: "hard_care", Unit: "hours", duties: true, judge: pregnantRest,
		concerns: func(j *Judge) bool { return len(j.person.Conditions) > 0 },
		Article:  "女职工劳动保护特别规定 §6",
		Says:     Text{"怀孕7个月以上的班次内安排至少{pregnant_rest}工间休息", "At least {pregnant_rest} of paid rest in a shift from the 7th month of pregnancy"},
		Params:   []string{"pregnant_rest", "hard_care"},
	},
	{
		Code: "protected.nursing_hour", hardWith: "hard_care", Unit: "hours", duties: true, judge: nursingHour,
		concerns: func(j *Judge) bool { return len(j.person.Conditions) > 0 },
		Article:  "劳动法 §63; 女职工劳动保护特别规定 §9",
		Says:     Text{"哺乳期每日工作时间内有{nursing_hour}哺乳时间，多胞胎每多一个增加{nursing_hour}", "{nursing_hour} of nursing time a day inside working time, as much again for each further child"},
		Params:   []string{"nursing_hour", "normal_day", "hard_care"},
	},
}

var hourRules = []Rule{
	{
		Code: "hours.daily", Hard: true, Unit: "hours", duties: true, judge: dailyHours,
		concerns: notAgreed,
		Article:  "劳动法 §36; 国务院规定(1995) §3; 劳动合同法 §31",
		Says:     Text{"未同意加班者每日工作不超过{normal_day}", "At most {normal_day} a day without agreed overtime"},
		Params:   []string{"normal_day"},
	},
	{
		Code: "hours.weekly", Hard: true, Unit: "hours", duties: true, judge: weeklyHours,
		concerns: notAgreed,
		Article:  "国务院规定(1995) §3; 劳动法 §44; 劳动合同法 §31",
		Says:     Text{"未同意加班者每周工作不超过{normal_week}，休息日不上班（调休上班日增加{normal_day}，周一至周五的法定节假日和调休放假日减少{normal_day}）", "At most {normal_week} a week and no work on rest days without agreed overtime; a make-up workday adds {normal_day}, a statutory holiday or bridge day on Monday to Friday takes {normal_day}"},
		Params:   []string{"normal_week", "normal_day", "week_start", "rest_days"},
	},
	{
		Code: "hours.overtime_daily", Hard: true, Unit: "hours", duties: true, judge: overtimeDaily,
		concerns: isStandard,
		Article:  "劳动法 §41",
		Says:     Text{"每日加班一般不超过{overtime_day}，特殊情况不超过{overtime_special}", "Overtime at most {overtime_day} a day, {overtime_special} on agreed special dates"},
		Params:   []string{"overtime_day", "overtime_special", "special_dates"},
	},
	{
		Code: "hours.overtime_weekly", Hard: true, Unit: "hours", duties: true, judge: overtimeWeekly,
		concerns: isStandard,
		Article:  "内部规定",
		Says:     Text{"每周加班不超过{overtime_week}", "Overtime at most {overtime_week} a week"},
		Params:   []string{"overtime_week", "week_start", "rest_days"},
	},
	{
		Code: "hours.overtime_monthly", Hard: true, Unit: "hours", duties: true, judge: overtimeMonthly,
		concerns: isStandard,
		Article:  "劳动法 §41",
		Says:     Text{"每月加班不超过{overtime_month}", "Overtime at most {overtime_month} a month"},
		Params:   []string{"overtime_month", "holiday_is_overtime", "rest_days"},
	},
	{
		Code: "hours.comprehensive_daily", Hard: true, Unit: "hours", duties: true, judge: comprehensiveDaily,
		concerns: isComprehensive,
		Article:  "内部规定，参照劳部发[1997]271 §6",
		Says:     Text{"综合计算工时制每日工作不超过{comprehensive_day}", "At most {comprehensive_day} a day under comprehensive hours"},
		Params:   []string{"comprehensive_day"},
	},
	{
		Code: "hours.comprehensive_period", Hard: true, Unit: "hours", duties: true, judge: comprehensivePeriod,
		concerns: func(j *Judge) bool { return isComprehensive(j) && !j.person.OvertimeAgreed },
		Article:  "劳动法 §39; 劳部发[1994]503 §5; 人社部发〔2025〕2号",
		Says:     Text{"未同意加班者在综合周期（周、月、季、年）内不超过法定标准工时", "Comprehensive hours keep the normal hours of their week, month, quarter or year without agreed overtime"},
		Params:   []string{"comprehensive_period", "comprehensive_week", "comprehensive_month", "comprehensive_quarter", "comprehensive_year"},
	},
	{
		Code: "hours.comprehensive_overtime", Hard: true, Unit: "hours", duties: true, judge: comprehensiveOvertime,
		concerns: isComprehensive,
		Article:  "劳动法 §41; 劳部发[1997]271 §5",
		Says:     Text{"综合周期内加班平均每月不超过{overtime_month}", "Overtime of a comprehensive period at most {overtime_month} a month on average"},
		Params:   []string{"overtime_month", "holiday_is_overtime", "comprehensive_period"},
	},
	{
		Code: "hours.part_time_daily", Hard: true, Unit: "hours", duties: true, judge: partTimeDaily,
		concerns: isPartTime,
		Article:  "劳动合同法 §68",
		Says:     Text{"非全日制每日不超过{part_time_day}", "Part-time at most {part_time_day} a day"},
		Params:   []string{"part_time_day"},
	},
	{
		Code: "hours.part_time_weekly", Hard: true, Unit: "hours", duties: true, judge: partTimeWeekly,
		concerns: isPartTime,
		Article:  "劳动合同法 §68",
		Says:     Text{"非全日制每周不超过{part_time_week}", "Part-time at most {part_time_week} a week"},
		Params:   []string{"part_time_week", "week_start"},
	},
}

var restRules = []Rule{
	{
		Code: "rest.between_block", Hard: true, Unit: "hours", duties: true, judge: restBlock,
		Article: "内部规定",
		Says:    Text{"两班之间至少休息{rest_block}", "At least {rest_block} between two shifts"},
		Params:  []string{"rest_block"},
	},
	{
		Code: "rest.weekly_day", Hard: true, Unit: "days", duties: true, judge: weeklyRestDay,
		Article: "劳动法 §38",
		Says:    Text{"每周至少休息一日", "At least one day without work in each week"},
		Params:  []string{"week_start"},
	},
	{
		Code: "days.consecutive", Hard: true, Unit: "days", duties: true, judge: consecutiveDays,
		Article: "内部规定",
		Says:    Text{"连续上班不超过{consecutive_days}天", "At most {consecutive_days working day} in a row"},
		Params:  []string{"consecutive_days"},
	},
	{
		Code: "rest.between_warn", Unit: "hours", duties: true, judge: restWarn,
		Article: "内部规定",
		Says:    Text{"两班之间休息少于{rest_warn}需提醒", "Less than {rest_warn} between two shifts is flagged"},
		Params:  []string{"rest_warn", "rest_block"},
	},
	{
		Code: "night.run", Unit: "shifts", duties: true, judge: nightRun,
		Article: "内部规定",
		Says:    Text{"连续夜班不超过{night_run}个", "At most {night_run night shift} in a row"},
		Params:  []string{"night_run", "night_from", "night_until"},
	},
	{
		Code: "holidays.agreed", Unit: "hours", duties: true, judge: holidayAgreed,
		concerns: func(j *Judge) bool { return !j.person.OvertimeAgreed },
		Article:  "劳动法 §40 §44; 劳动合同法 §31",
		Says:     Text{"法定节假日上班须征得同意", "Work on a statutory holiday needs agreement"},
	},
}

var engagementRules = []Rule{
	{
		Code: "interns.night", Hard: true, Unit: "shifts", duties: true, judge: internNight,
		concerns: isIntern,
		Article:  "职业学校学生实习管理规定(2021) §17",
		Says:     Text{"实习生不上夜班", "No night work for interns"},
		Params:   []string{"night_from", "night_until"},
	},
	{
		Code: "interns.overtime", Hard: true, Unit: "hours", duties: true, judge: internOvertime,
		concerns: isIntern,
		Article:  "职业学校学生实习管理规定(2021) §17",
		Says:     Text{"实习生不加班", "No overtime for interns"},
		Params:   []string{"normal_day", "normal_week", "rest_days"},
	},
	{
		Code: "interns.holiday", Hard: true, Unit: "hours", duties: true, judge: internHoliday,
		concerns: isIntern,
		Article:  "职业学校学生实习管理规定(2021) §17",
		Says:     Text{"实习生法定节假日不实习", "No internship on statutory holidays"},
	},
	{
		Code: "interns.rest_days", Hard: true, Unit: "days", duties: true, judge: internRestDays,
		concerns: isIntern,
		Article:  "职业学校学生实习管理规定(2021) §17",
		Says:     Text{"实习生休息日不实习，每周实习天数不超过当周工作日", "Interns work at most as many days of a week as it has workdays"},
		Params:   []string{"week_start"},
	},
	{
		Code: "agency.term", Hard: true, Unit: "shifts", duties: true, judge: agencyTerm,
		concerns: func(j *Judge) bool { return j.person.Engagement == Agency && !j.person.Assigned.From.IsZero() },
		Article:  "劳动合同法 §66",
		Says:     Text{"派遣员工只在派遣期内排班，临时性岗位不超过{agency_months}个月", "Agency workers only within their post, at most {agency_months month}"},
		Params:   []string{"agency_months"},
	},
	{
		Code: "cloud.slots", Hard: true, Unit: "hours", duties: true, judge: cloudSlots,
		concerns: isCloud,
		Article:  "内部规定",
		Says:     Text{"云客服按整{cloud_slot}时段排班", "Cloud agents work whole slots of {cloud_slot}"},
		Params:   []string{"cloud_slot"},
	},
	{
		Code: "cloud.day", Hard: true, Unit: "hours", duties: true, judge: cloudDay,
		concerns: isCloud,
		Article:  "内部规定",
		Says:     Text{"云客服每日不超过{cloud_slots}个时段", "Cloud agents at most {cloud_slots slot} a day"},
		Params:   []string{"cloud_slot", "cloud_slots"},
	},
	{
		Code: "cloud.pauses", Unit: "hours", judge: cloudPauses,
		concerns: isCloud,
		Article:  "内部规定",
		Says:     Text{"云客服开班{cloud_no_break_first}内、下班前{cloud_no_break_last}内不休息", "Cloud agents take no break in the first {cloud_no_break_first} or the last {cloud_no_break_last}"},
		Params:   []string{"cloud_no_break_first", "cloud_no_break_last"},
	},
}

var agreementRules = []Rule{
	{
		Code: "agreement.day", Hard: true, Unit: "hours", duties: true, judge: agreedDay,
		concerns: hasAgreement,
		Article:  "劳动合同法 §3 §17; 个人约定",
		Says:     Text{"个人约定的每日工时", "The working time a day agreed in person"},
	},
	{
		Code: "agreement.week", Hard: true, Unit: "hours", duties: true, judge: agreedWeek,
		concerns: hasAgreement,
		Article:  "劳动合同法 §3 §17; 个人约定",
		Says:     Text{"个人约定的每周工时", "The working time a week agreed in person"},
		Params:   []string{"week_start"},
	},
	{
		Code: "agreement.clock", Hard: true, Unit: "hours", duties: true, judge: agreedClock,
		concerns: hasAgreement,
		Article:  "劳动合同法 §3 §17; 个人约定",
		Says:     Text{"个人约定的最早上班和最晚下班时间", "The earliest start and latest end agreed in person"},
	},
	{
		Code: "agreement.nights", Hard: true, Unit: "shifts", duties: true, judge: agreedNights,
		concerns: hasAgreement,
		Article:  "劳动合同法 §3 §17; 个人约定",
		Says:     Text{"个人约定不上夜班", "No night work where agreed in person"},
		Params:   []string{"night_from", "night_until"},
	},
	{
		Code: "agreement.days_off", Hard: true, Unit: "shifts", duties: true, judge: agreedDaysOff,
		concerns: hasAgreement,
		Article:  "劳动合同法 §3 §17; 个人约定",
		Says:     Text{"个人约定的固定休息日", "The fixed days off agreed in person"},
	},
}

var serviceRules = []Rule{
	{
		Code: "fit.skill", Hard: true, Unit: "hours", judge: skillRequired,
		Article: "内部规定",
		Says:    Text{"只能服务已具备技能的队列", "Only queues the agent is trained for"},
	},
	{
		Code: "certificate.merchant", Hard: true, Unit: "hours", judge: certificateRequired,
		Article: "内部规定",
		Says:    Text{"服务商家前须通过其认证", "The certificate of a merchant before serving it"},
		Params:  []string{"queues"},
	},
	{
		Code: "certificate.pack", Hard: true, Unit: "hours", judge: packRequired,
		Article: "内部规定",
		Says:    Text{"服务商家前须确认其大促资料包", "The promotion pack of a merchant is acknowledged before serving it"},
		Params:  []string{"queues"},
	},
	{
		Code: "shops.at_once", Hard: true, Unit: "shops", judge: shopsAtOnce,
		Article: "内部规定",
		Says:    Text{"同时接待的店铺数不超过上限", "No more shops at once than the ceiling"},
		Params:  []string{"shops_at_once", "queues"},
	},
	{
		Code: "meal.required", hardWith: "hard_meals", Unit: "hours", duties: true, judge: mealRequired,
		Article: "内部规定",
		Says:    Text{"超过{meal_after}的班次至少有{meal_length}用餐", "Shifts over {meal_after} hold a meal of at least {meal_length}"},
		Params:  []string{"meal_after", "meal_length", "hard_meals"},
	},
	{
		Code: "breaks.stretch", Unit: "hours", judge: workStretch,
		Article: "内部规定",
		Says:    Text{"连续工作不超过{work_stretch}", "At most {work_stretch} of work without a pause"},
		Params:  []string{"work_stretch"},
	},
}
