package workrules

import (
	"fmt"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// Params are the thresholds of the rules: every one is a dated setting of the installation, none
// is a constant in a rule. The statutory defaults may be tightened, not relaxed.
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
	}
}

var weekdays = map[string]time.Weekday{
	"sunday": time.Sunday, "monday": time.Monday, "tuesday": time.Tuesday, "wednesday": time.Wednesday,
	"thursday": time.Thursday, "friday": time.Friday, "saturday": time.Saturday,
}

// WeekStartDay is the first day of a rule week.
func (p Params) WeekStartDay() time.Weekday { return weekdays[strings.ToLower(p.WeekStart)] }

// Validate reports every threshold that is missing or laxer than the statute allows.
func (p Params) Validate() error {
	var bad []fault.Field
	add := func(field string, value any, problem string) {
		bad = append(bad, fault.Field{Path: "rules." + field, Value: fmt.Sprint(value), Problem: problem})
	}
	if _, ok := weekdays[strings.ToLower(p.WeekStart)]; !ok {
		add("week_start", p.WeekStart, "must be a day such as monday")
	}
	legal := DefaultParams()
	for _, c := range []struct {
		name        string
		value, most time.Duration
	}{
		{"normal_day", p.NormalDay, legal.NormalDay},
		{"normal_week", p.NormalWeek, legal.NormalWeek},
		{"overtime_month", p.OvertimeMonth, legal.OvertimeMonth},
		{"part_time_day", p.PartTimeDay, legal.PartTimeDay},
		{"part_time_week", p.PartTimeWeek, legal.PartTimeWeek},
	} {
		if c.value <= 0 || c.value > c.most {
			add(c.name, c.value, fmt.Sprintf("must be above 0 and at most %s, the statutory limit", c.most))
		}
	}
	if p.OvertimeDay < 0 || p.OvertimeDay > legal.OvertimeDay {
		add("overtime_day", p.OvertimeDay, "must be 0 to 1h (劳动法 §41)")
	}
	if p.OvertimeSpecial < p.OvertimeDay || p.OvertimeSpecial > legal.OvertimeSpecial {
		add("overtime_special", p.OvertimeSpecial, "must be between overtime_day and 3h (劳动法 §41)")
	}
	if p.RestBlock < 0 || p.RestBlock > 24*time.Hour {
		add("rest_block", p.RestBlock, "must be 0 to 24h")
	}
	if p.RestWarn < p.RestBlock {
		add("rest_warn", p.RestWarn, "must be at least rest_block")
	}
	if p.ConsecutiveDays < 1 || p.ConsecutiveDays > 12 {
		add("consecutive_days", p.ConsecutiveDays, "must be 1 to 12 (longer runs always lack a weekly rest day)")
	}
	if p.NightFrom < 12*time.Hour || p.NightFrom > 24*time.Hour || p.NightUntil < 0 || p.NightUntil > 12*time.Hour {
		add("night_from", p.NightFrom, "the night must begin at 12h to 24h and end at 0h to 12h after midnight")
	}
	if p.MealAfter < 0 || p.MealLength < 0 {
		add("meal_length", p.MealLength, "must not be negative")
	}
	return fault.Bad("workrules.params", "work rules", bad)
}
