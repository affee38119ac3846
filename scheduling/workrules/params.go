package workrules

import (
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// RestDayReading says which days are the weekly rest days that are paid 200 %.
type RestDayReading string

// The readings of a rest day.
const (
	// RestDaysPlaced: the employer places them (国务院规定(1995) §7), so worked days beyond the
	// official workdays of the calendar week are rest-day work, whatever their names.
	RestDaysPlaced RestDayReading = "placed"
	// RestDaysCalendar: Saturdays, Sundays and bridge days are rest days, make-up days are not.
	RestDaysCalendar RestDayReading = "calendar"
)

// QueueTerms is what an agent needs before serving one queue.
type QueueTerms struct {
	Queue       ids.Queue `json:"queue" yaml:"queue"`
	Shops       int       `json:"shops,omitempty" yaml:"shops,omitempty"`             // shops answered at the same time in it; 0 = 1
	Certificate string    `json:"certificate,omitempty" yaml:"certificate,omitempty"` // the merchant's exam; empty = none
	Packs       []Pack    `json:"packs,omitempty" yaml:"packs,omitempty"`             // promotion packs to acknowledge first
}

// Pack is a merchant's promotion rules and scripts with the dates on which they apply.
type Pack struct {
	Code  string         `json:"code" yaml:"code"`
	Dates calendar.Dates `json:"dates" yaml:"dates"`
}

// Params are the thresholds of the rules: every one is a dated setting of the installation, none
// is a constant in a rule. LegalOf says of each what is law, which may be tightened and not relaxed, and what
// the house sets.
type Params struct {
	WeekStart         string           `json:"week_start" yaml:"week_start"`                   // "monday" … "sunday"
	NormalDay         time.Duration    `json:"normal_day" yaml:"normal_day"`                   // 8 h
	NormalWeek        time.Duration    `json:"normal_week" yaml:"normal_week"`                 // 40 h
	OvertimeDay       time.Duration    `json:"overtime_day" yaml:"overtime_day"`               // 1 h beyond NormalDay
	OvertimeSpecial   time.Duration    `json:"overtime_special" yaml:"overtime_special"`       // 3 h, on SpecialDates only
	SpecialDates      []calendar.Dates `json:"special_dates,omitempty" yaml:"special_dates"`   // agreed "special reasons" of 劳动法 §41
	OvertimeMonth     time.Duration    `json:"overtime_month" yaml:"overtime_month"`           // 36 h
	HolidayIsOvertime bool             `json:"holiday_is_overtime" yaml:"holiday_is_overtime"` // statutory-holiday work counts towards OvertimeMonth
	RestBlock         time.Duration    `json:"rest_block" yaml:"rest_block"`                   // house: 8 h, less is forbidden
	RestWarn          time.Duration    `json:"rest_warn" yaml:"rest_warn"`                     // house: 11 h, less is a soft violation
	ConsecutiveDays   int              `json:"consecutive_days" yaml:"consecutive_days"`       // house: 6
	PartTimeDay       time.Duration    `json:"part_time_day" yaml:"part_time_day"`             // 4 h
	PartTimeWeek      time.Duration    `json:"part_time_week" yaml:"part_time_week"`           // 24 h
	NightFrom         time.Duration    `json:"night_from" yaml:"night_from"`                   // 22 h after midnight
	NightUntil        time.Duration    `json:"night_until" yaml:"night_until"`                 // 6 h after midnight
	MealAfter         time.Duration    `json:"meal_after" yaml:"meal_after"`                   // house: a shift longer than 6 h …
	MealLength        time.Duration    `json:"meal_length" yaml:"meal_length"`                 // … holds a meal of at least 30 min
	SplitAtMidnight   bool             `json:"split_at_midnight" yaml:"split_at_midnight"`     // holiday pay by the minute; false: by the day a shift starts
	HardMeals         bool             `json:"hard_meals" yaml:"hard_meals"`                   // treat meal.required as hard

	OvertimeWeek         time.Duration  `json:"overtime_week" yaml:"overtime_week"`                 // house: 18 h, six special days of 3 h
	ComprehensivePeriod  Period         `json:"comprehensive_period" yaml:"comprehensive_period"`   // the approved period when a person names none
	ComprehensiveDay     time.Duration  `json:"comprehensive_day" yaml:"comprehensive_day"`         // 11 h
	ComprehensiveWeek    time.Duration  `json:"comprehensive_week" yaml:"comprehensive_week"`       // 40 h
	ComprehensiveMonth   time.Duration  `json:"comprehensive_month" yaml:"comprehensive_month"`     // 165 h 20 min = 248 days x 8 h / 12
	ComprehensiveQuarter time.Duration  `json:"comprehensive_quarter" yaml:"comprehensive_quarter"` // 496 h = 62 days x 8 h
	ComprehensiveYear    time.Duration  `json:"comprehensive_year" yaml:"comprehensive_year"`       // 1,984 h = 248 days x 8 h
	RestDays             RestDayReading `json:"rest_days" yaml:"rest_days"`                         // "placed" or "calendar": which days are rest days
	NightRun             int            `json:"night_run" yaml:"night_run"`                         // house: 5 night shifts in a row
	WorkStretch          time.Duration  `json:"work_stretch" yaml:"work_stretch"`                   // house: 4 h of work without a pause
	PregnantRest         time.Duration  `json:"pregnant_rest" yaml:"pregnant_rest"`                 // house: 30 min of paid rest in a shift; the law names no length
	NursingHour          time.Duration  `json:"nursing_hour" yaml:"nursing_hour"`                   // 1 h a day and child, inside working time
	HardCare             bool           `json:"hard_care" yaml:"hard_care"`                         // treat protected.rest and protected.nursing_hour as hard
	AgencyMonths         int            `json:"agency_months" yaml:"agency_months"`                 // 6 months on a temporary post
	CloudSlot            time.Duration  `json:"cloud_slot" yaml:"cloud_slot"`                       // 1 h, what cloud agents book
	CloudSlots           int            `json:"cloud_slots" yaml:"cloud_slots"`                     // 6 slots a day
	CloudNoBreakFirst    time.Duration  `json:"cloud_no_break_first" yaml:"cloud_no_break_first"`   // 30 min
	CloudNoBreakLast     time.Duration  `json:"cloud_no_break_last" yaml:"cloud_no_break_last"`     // 10 min
	ShopsAtOnce          int            `json:"shops_at_once" yaml:"shops_at_once"`                 // most shops in one queue; 0 = no limit
	Queues               []QueueTerms   `json:"queues,omitempty" yaml:"queues,omitempty"`           // what agents need before serving
}

// DefaultParams are the statutory limits and the house defaults of the domain notes.
func DefaultParams() Params {
	return Params{
		WeekStart: "monday", NormalDay: 8 * time.Hour, NormalWeek: 40 * time.Hour,
		OvertimeDay: time.Hour, OvertimeSpecial: 3 * time.Hour, OvertimeMonth: 36 * time.Hour,
		HolidayIsOvertime: true,
		RestBlock:         8 * time.Hour, RestWarn: 11 * time.Hour, ConsecutiveDays: 6,
		PartTimeDay: 4 * time.Hour, PartTimeWeek: 24 * time.Hour,
		NightFrom: 22 * time.Hour, NightUntil: 6 * time.Hour,
		MealAfter: 6 * time.Hour, MealLength: 30 * time.Minute, SplitAtMidnight: true,
		OvertimeWeek: 18 * time.Hour, ComprehensivePeriod: ByMonth, ComprehensiveDay: 11 * time.Hour,
		ComprehensiveWeek: 40 * time.Hour, ComprehensiveMonth: 165*time.Hour + 20*time.Minute,
		ComprehensiveQuarter: 496 * time.Hour, ComprehensiveYear: 1984 * time.Hour,
		RestDays: RestDaysPlaced, NightRun: 5, WorkStretch: 4 * time.Hour,
		PregnantRest: 30 * time.Minute, NursingHour: time.Hour, HardCare: true, AgencyMonths: 6,
		CloudSlot: time.Hour, CloudSlots: 6, CloudNoBreakFirst: 30 * time.Minute, CloudNoBreakLast: 10 * time.Minute,
	}
}

var weekdays = map[string]time.Weekday{
	"sunday": time.Sunday, "monday": time.Monday, "tuesday": time.Tuesday, "wednesday": time.Wednesday,
	"thursday": time.Thursday, "friday": time.Friday, "saturday": time.Saturday,
}

// WeekStartDay is the first day of a rule week.
func (p Params) WeekStartDay() time.Weekday { return weekdays[strings.ToLower(p.WeekStart)] }
