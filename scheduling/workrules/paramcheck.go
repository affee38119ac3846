package workrules

import (
	"fmt"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Validate reports every threshold that is missing or laxer than the statute allows.
//
// Errors: workrules.params.
func (p Params) Validate() error {
	var c paramCheck
	p.validateHours(&c)
	p.validateComprehensive(&c)
	p.validateRest(&c)
	p.validatePeople(&c)
	p.validateQueues(&c)
	return fault.Bad("workrules.params", "work rules", c.bad)
}

type paramCheck struct{ bad []fault.Field }

func (c *paramCheck) add(field string, value any, problem string, args ...any) {
	c.bad = append(c.bad, fault.Field{Path: "rules." + field, Value: fmt.Sprint(value), Problem: fmt.Sprintf(problem, args...)})
}

// within reports a length that is not above 0 or is above what the law or a day allows.
func (c *paramCheck) within(field string, value, most time.Duration) {
	if value <= 0 || value > most || value%time.Minute != 0 {
		c.add(field, value, "must be above 0, at most %s (the statutory limit) and whole minutes", most)
	}
}

func (p Params) validateHours(c *paramCheck) {
	if _, ok := weekdays[strings.ToLower(p.WeekStart)]; !ok {
		c.add("week_start", p.WeekStart, "must be a day such as monday")
	}
	legal := DefaultParams()
	c.within("normal_day", p.NormalDay, legal.NormalDay)
	c.within("normal_week", p.NormalWeek, legal.NormalWeek)
	c.within("overtime_month", p.OvertimeMonth, legal.OvertimeMonth)
	c.within("part_time_day", p.PartTimeDay, legal.PartTimeDay)
	c.within("part_time_week", p.PartTimeWeek, legal.PartTimeWeek)
	c.within("overtime_week", p.OvertimeWeek, legal.OvertimeMonth)
	if p.OvertimeDay < 0 || p.OvertimeDay > legal.OvertimeDay {
		c.add("overtime_day", p.OvertimeDay, "must be 0 to 1h (劳动法 §41)")
	}
	if p.OvertimeSpecial < p.OvertimeDay || p.OvertimeSpecial > legal.OvertimeSpecial {
		c.add("overtime_special", p.OvertimeSpecial, "must be between overtime_day and 3h (劳动法 §41)")
	}
	for i, d := range p.SpecialDates {
		if d.From.IsZero() || !d.Until.IsZero() && !d.From.Before(d.Until) {
			c.add(fmt.Sprintf("special_dates[%d]", i), d.From, "must begin on a date and end after it")
		}
	}
	if p.RestDays != RestDaysPlaced && p.RestDays != RestDaysCalendar {
		c.add("rest_days", p.RestDays, "must be placed or calendar")
	}
}

func (p Params) validateComprehensive(c *paramCheck) {
	legal := DefaultParams()
	if !p.ComprehensivePeriod.known() {
		c.add("comprehensive_period", p.ComprehensivePeriod, "must be week, month, quarter or year")
	}
	c.within("comprehensive_day", p.ComprehensiveDay, legal.ComprehensiveDay)
	c.within("comprehensive_week", p.ComprehensiveWeek, legal.ComprehensiveWeek)
	// Years before 2025 had 250 workdays (人社部发〔2025〕2号 changed it to 248).
	c.within("comprehensive_month", p.ComprehensiveMonth, 250*8*time.Hour/12)
	c.within("comprehensive_quarter", p.ComprehensiveQuarter, 250*8*time.Hour/4)
	c.within("comprehensive_year", p.ComprehensiveYear, 250*8*time.Hour)
}

func (p Params) validateRest(c *paramCheck) {
	if p.RestBlock < 0 || p.RestBlock > 24*time.Hour {
		c.add("rest_block", p.RestBlock, "must be 0 to 24h")
	}
	if p.RestWarn < p.RestBlock || p.RestWarn > 48*time.Hour {
		c.add("rest_warn", p.RestWarn, "must be at least rest_block and at most 48h")
	}
	if p.ConsecutiveDays < 1 || p.ConsecutiveDays > 12 {
		c.add("consecutive_days", p.ConsecutiveDays, "must be 1 to 12 (longer runs always lack a weekly rest day)")
	}
	if p.NightFrom < 12*time.Hour || p.NightFrom > 24*time.Hour || p.NightUntil < 0 || p.NightUntil > 12*time.Hour {
		c.add("night_from", p.NightFrom, "the night must begin at 12h to 24h and end at 0h to 12h after midnight")
	}
	if p.NightRun < 1 || p.NightRun > 12 {
		c.add("night_run", p.NightRun, "must be 1 to 12")
	}
	if p.MealAfter < 0 || p.MealLength < 0 {
		c.add("meal_length", p.MealLength, "must not be negative")
	}
	if p.WorkStretch < 30*time.Minute || p.WorkStretch > 24*time.Hour {
		c.add("work_stretch", p.WorkStretch, "must be 30m to 24h")
	}
}

func (p Params) validatePeople(c *paramCheck) {
	if p.PregnantRest < 0 || p.PregnantRest > 8*time.Hour {
		c.add("pregnant_rest", p.PregnantRest, "must be 0 to 8h")
	}
	if p.NursingHour < time.Hour || p.NursingHour > 4*time.Hour {
		c.add("nursing_hour", p.NursingHour, "must be 1h to 4h (女职工劳动保护特别规定 §9)")
	}
	if p.AgencyMonths < 1 || p.AgencyMonths > 6 {
		c.add("agency_months", p.AgencyMonths, "must be 1 to 6 (劳动合同法 §66)")
	}
	if p.CloudSlot < 15*time.Minute || p.CloudSlot > 24*time.Hour || p.CloudSlot%time.Minute != 0 {
		c.add("cloud_slot", p.CloudSlot, "must be 15m to 24h in whole minutes")
	}
	if p.CloudSlots < 1 || time.Duration(p.CloudSlots)*p.CloudSlot > 24*time.Hour {
		c.add("cloud_slots", p.CloudSlots, "must be at least 1 and fit a day")
	}
	if p.CloudNoBreakFirst < 0 || p.CloudNoBreakLast < 0 {
		c.add("cloud_no_break_first", p.CloudNoBreakFirst, "and cloud_no_break_last must not be negative")
	}
	if p.ShopsAtOnce < 0 {
		c.add("shops_at_once", p.ShopsAtOnce, "must be 0 (no limit) or more")
	}
}

func (p Params) validateQueues(c *paramCheck) {
	seen := map[ids.Queue]bool{}
	for i, q := range p.Queues {
		at := fmt.Sprintf("queues[%d]", i)
		if problem := ids.Check(string(q.Queue)); problem != "" {
			c.add(at+".queue", q.Queue, "%s", problem)
		} else if seen[q.Queue] {
			c.add(at+".queue", q.Queue, "is named twice")
		}
		seen[q.Queue] = true
		if q.Shops < 0 {
			c.add(at+".shops", q.Shops, "must be 0 (one shop) or more")
		}
		for k, pack := range q.Packs {
			if pack.Code == "" {
				c.add(fmt.Sprintf("%s.packs[%d].code", at, k), "", "is empty")
			}
			if !pack.Dates.Until.IsZero() && !pack.Dates.From.Before(pack.Dates.Until) {
				c.add(fmt.Sprintf("%s.packs[%d].dates", at, k), pack.Dates.Until, "must end after they begin")
			}
		}
	}
}
