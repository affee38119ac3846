package workrules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Validate reports every threshold that is laxer than the law allows (see LegalOf) or that makes no sense, once.
//
// Errors: workrules.params.
func (p Params) Validate() error {
	var c paramCheck
	p.validateLaw(&c)
	p.validateHours(&c)
	p.validateComprehensive(&c)
	p.validateRest(&c)
	p.validatePeople(&c)
	p.validateQueues(&c)
	return fault.Bad("workrules.params", "work rules", c.bad)
}

type paramCheck struct{ bad []fault.Field }

func (c *paramCheck) add(field string, value any, problem string, args ...any) {
	path := "rules." + field
	if slices.ContainsFunc(c.bad, func(b fault.Field) bool { return b.Path == path }) {
		return
	}
	if d, ok := value.(time.Duration); ok {
		value = calendar.SlotName(d)
	}
	c.bad = append(c.bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: fmt.Sprintf(problem, args...)})
}

// length reports lengths of time that are nothing, or are not whole minutes.
func (c *paramCheck) length(lengths map[string]time.Duration) {
	for _, field := range slices.Sorted(maps.Keys(lengths)) {
		if d := lengths[field]; d <= 0 || d%time.Minute != 0 {
			c.add(field, d, "must be above 0 and whole minutes")
		}
	}
}

func (p Params) validateHours(c *paramCheck) {
	if _, ok := weekdays[strings.ToLower(p.WeekStart)]; !ok {
		c.add("week_start", p.WeekStart, "must be a day such as monday")
	}
	c.length(map[string]time.Duration{
		"normal_day": p.NormalDay, "normal_week": p.NormalWeek, "overtime_month": p.OvertimeMonth, "overtime_week": p.OvertimeWeek,
		"part_time_day": p.PartTimeDay, "part_time_week": p.PartTimeWeek,
	})
	if p.OvertimeWeek > 36*time.Hour {
		c.add("overtime_week", p.OvertimeWeek, "must be at most 36h, the overtime of a whole month (劳动法 §41)")
	}
	if p.OvertimeDay < 0 {
		c.add("overtime_day", p.OvertimeDay, "must be 0s to 1h (劳动法 §41)")
	}
	if p.OvertimeSpecial < p.OvertimeDay && p.OvertimeDay <= time.Hour { // of more, the day is what is wrong
		c.add("overtime_special", p.OvertimeSpecial, "must be between overtime_day and 3h (劳动法 §41)")
	}
	for i, d := range p.SpecialDates {
		if d.From.IsZero() || !d.From.Before(d.Until) {
			c.add(fmt.Sprintf("special_dates[%d]", i), d.From, "must begin on a date and end after it (劳动法 §41: an exception ends)")
		}
	}
	if p.RestDays != RestDaysPlaced && p.RestDays != RestDaysCalendar {
		c.add("rest_days", p.RestDays, "must be placed or calendar")
	}
}

func (p Params) validateComprehensive(c *paramCheck) {
	if !p.ComprehensivePeriod.known() {
		c.add("comprehensive_period", p.ComprehensivePeriod, "must be week, month, quarter or year")
	}
	c.length(map[string]time.Duration{
		"comprehensive_day": p.ComprehensiveDay, "comprehensive_week": p.ComprehensiveWeek, "comprehensive_month": p.ComprehensiveMonth,
		"comprehensive_quarter": p.ComprehensiveQuarter, "comprehensive_year": p.ComprehensiveYear,
	})
}

func (p Params) validateRest(c *paramCheck) {
	if p.RestBlock < 0 || p.RestBlock > 24*time.Hour {
		c.add("rest_block", p.RestBlock, "must be 0 to 24h")
	}
	switch usual := DefaultParams(); {
	case p.RestWarn > 48*time.Hour, p.RestWarn < p.RestBlock && (p.RestWarn != usual.RestWarn || p.RestBlock == usual.RestBlock):
		c.add("rest_warn", p.RestWarn, "must be at least rest_block, %s, and at most 48h", calendar.SlotName(p.RestBlock))
	case p.RestWarn < p.RestBlock: // nobody set the other one
		c.add("rest_block", p.RestBlock, "must be at most rest_warn, which is %s unless it is set: set it too", calendar.SlotName(p.RestWarn))
	}
	if p.ConsecutiveDays < 1 {
		c.add("consecutive_days", p.ConsecutiveDays, "must be 1 to 12")
	}
	if p.NightFrom < 12*time.Hour {
		c.add("night_from", p.NightFrom, "must be 12h to 22h after midnight")
	}
	if p.NightUntil > 12*time.Hour {
		c.add("night_until", p.NightUntil, "must be 6h to 12h after midnight")
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
	if p.PregnantRest > 8*time.Hour {
		c.add("pregnant_rest", p.PregnantRest, "must be 15m to 8h")
	}
	if p.NursingHour > 4*time.Hour {
		c.add("nursing_hour", p.NursingHour, "must be 1h to 4h")
	}
	if p.AgencyMonths < 1 {
		c.add("agency_months", p.AgencyMonths, "must be 1 to 6")
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
