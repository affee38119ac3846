package workrules

import (
	"fmt"
	"reflect"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
)

// LegalSide says what the law leaves of a parameter to the house.
type LegalSide string

// The legal sides. A statutory limit may be tightened and never relaxed.
const (
	HouseSide LegalSide = "house"    // 内部规定: no statute names it, the house sets it
	AtMost    LegalSide = "at_most"  // a ceiling of the law: the house may set less
	AtLeast   LegalSide = "at_least" // a floor of the law: the house may set more
	FixedSide LegalSide = "fixed"    // the law leaves nothing
	Choice    LegalSide = "choice"   // the law leaves the reading to the employer; each reading is lawful
)

// Legal is where a parameter stands in law.
type Legal struct {
	Side    LegalSide `json:"side"`
	Limit   string    `json:"limit,omitempty"`   // of at_most, at_least and fixed: the laxest lawful value
	Article string    `json:"article,omitempty"` // on which the side rests; empty for the house
	Says    string    `json:"says"`              // in a line: what the law says, or why there is none
}

// mostSpecialDays is how many days of a civil year may be special dates. 劳动法 §41 names no number, only
// that three hours are for special reasons and one hour is the rule. A quarter of the year holds the
// promotions of a year; what is special on more days than that is the rule.
const mostSpecialDays = 90

// leastRest is the least that 一定的休息时间 can mean (女职工劳动保护特别规定 §6 names no length): the
// shortest pause that a roster plans.
const leastRest = calendar.Slot

// stance is a Legal with its limit as a value of the parameter's type; for dates, the most days of a year.
type stance struct {
	side    LegalSide
	limit   any
	article string
	says    string
}

const (
	normalHours = "劳动法 §36; 国务院规定(1995) §3"
	officialDay = "劳动法 §39; 劳部发[1994]503 §5; 人社部发〔2025〕2号"
	nightHours  = "女职工劳动保护特别规定 §6 §9; 劳动法 §61 §63"
	nightSays   = "the night that the pregnant and the nursing do not work is 22:00-06:00; the house may widen it, not narrow it"
)

// stances says of every parameter what is law and what is house. A test holds that none is missing and
// that every limit binds.
var stances = map[string]stance{
	"week_start":  {Choice, nil, "劳动法 §38", "the law asks for a rest day in each week and names no first day of it"},
	"normal_day":  {AtMost, 8 * time.Hour, normalHours, "beyond it every hour is overtime"},
	"normal_week": {AtMost, 40 * time.Hour, normalHours, "beyond it every hour is overtime"},

	"overtime_day":        {AtMost, time.Hour, "劳动法 §41", "overtime is one hour a day as a rule"},
	"overtime_special":    {AtMost, 3 * time.Hour, "劳动法 §41", "overtime is three hours a day at most, for special reasons"},
	"special_dates":       {AtMost, mostSpecialDays, "劳动法 §41", "three hours are the exception and one hour the rule, so special dates are at most 90 days of a year (the number is ours, the law names none)"},
	"overtime_week":       {HouseSide, nil, "", "the law has a ceiling for the day and the month, none for the week"},
	"overtime_month":      {AtMost, 36 * time.Hour, "劳动法 §41", "overtime is 36 hours a month at most"},
	"holiday_is_overtime": {FixedSide, true, "劳动法 §41; 劳部发[1997]271", "the 36 hours hold the overtime of workdays, rest days and statutory holidays together"},

	"rest_block":       {HouseSide, nil, "", "no national statute names the rest between two shifts"},
	"rest_warn":        {HouseSide, nil, "", "no national statute names the rest between two shifts"},
	"consecutive_days": {AtMost, 12, "劳动法 §38", "a longer run always lacks the rest day of a week"},
	"part_time_day":    {AtMost, 4 * time.Hour, "劳动合同法 §68", "part-time is four hours a day at most"},
	"part_time_week":   {AtMost, 24 * time.Hour, "劳动合同法 §68", "part-time is 24 hours a week at most"},
	"night_from":       {AtMost, 22 * time.Hour, nightHours, nightSays},
	"night_until":      {AtLeast, 6 * time.Hour, nightHours, nightSays},
	"night_run":        {HouseSide, nil, "", "no statute counts nights in a row"},

	"meal_after":   {HouseSide, nil, "", "no national statute names meals"},
	"meal_length":  {HouseSide, nil, "", "no national statute names meals"},
	"hard_meals":   {HouseSide, nil, "", "no national statute names meals"},
	"work_stretch": {HouseSide, nil, "", "no national statute names breaks"},

	"split_at_midnight": {Choice, nil, "劳动法 §44", "no statute says how a shift over midnight is split into days"},
	"rest_days":         {Choice, nil, "国务院规定(1995) §7", "an enterprise places the weekly rest days itself"},

	"comprehensive_period":  {Choice, nil, officialDay, "the one that the labour authority approved"},
	"comprehensive_day":     {AtMost, 11 * time.Hour, "参照劳部发[1997]271 §6", "eleven hours are the ceiling for heavy work, held for everybody"},
	"comprehensive_week":    {AtMost, 40 * time.Hour, officialDay, "the period keeps the normal hours on average"},
	"comprehensive_month":   {AtMost, 165*time.Hour + 20*time.Minute, officialDay, "the period keeps the normal hours on average, of 248 workdays a year"},
	"comprehensive_quarter": {AtMost, 496 * time.Hour, officialDay, "the period keeps the normal hours on average, of 248 workdays a year"},
	"comprehensive_year":    {AtMost, 1984 * time.Hour, officialDay, "the period keeps the normal hours on average, of 248 workdays a year"},

	"pregnant_rest": {AtLeast, leastRest, "女职工劳动保护特别规定 §6", "from the seventh month there is some rest inside working time; the law names no length, a quarter of an hour is the shortest pause of a roster"},
	"nursing_hour":  {AtLeast, time.Hour, "女职工劳动保护特别规定 §9; 劳动法 §63", "one hour a day inside working time"},
	"hard_care":     {FixedSide, true, "女职工劳动保护特别规定 §6 §9", "rest in pregnancy and nursing time are due, not recommended"},
	"agency_months": {AtMost, 6, "劳动合同法 §66", "a temporary post of agency workers lasts six months at most"},

	"cloud_slot":           {HouseSide, nil, "", "a term of the platform"},
	"cloud_slots":          {HouseSide, nil, "", "a term of the platform"},
	"cloud_no_break_first": {HouseSide, nil, "", "a term of the platform"},
	"cloud_no_break_last":  {HouseSide, nil, "", "a term of the platform"},
	"shops_at_once":        {HouseSide, nil, "", "a matter of quality"},
	"queues":               {HouseSide, nil, "", "what merchants ask for"},
}

// LegalOf is where a parameter stands in law, by its name; the zero value for a name that is none.
func LegalOf(name string) Legal {
	s := stances[name]
	out := Legal{Side: s.side, Article: s.article, Says: s.says}
	switch limit := s.limit.(type) {
	case nil:
	case int:
		if out.Limit = fmt.Sprint(limit); name == "special_dates" {
			out.Limit += " days of a year"
		}
	default:
		out.Limit = settingText(reflect.ValueOf(limit))
	}
	return out
}

// Bound is the side in a few words: "at most 8h", "内部规定".
func (l Legal) Bound() string {
	switch l.Side {
	case AtMost:
		return "at most " + l.Limit
	case AtLeast:
		return "at least " + l.Limit
	case FixedSide:
		return "always " + l.Limit
	case Choice:
		return "free choice"
	}
	return "内部规定"
}

// String is the side with its article: "at most 8h (劳动法 §36)".
func (l Legal) String() string {
	if l.Article == "" {
		return l.Bound()
	}
	return fmt.Sprintf("%s (%s)", l.Bound(), l.Article)
}

// relaxed reports a value on the lax side of the law.
func (s stance) relaxed(v reflect.Value) bool {
	switch s.side {
	case AtMost:
		return measure(v) > measure(reflect.ValueOf(s.limit))
	case AtLeast:
		return measure(v) < measure(reflect.ValueOf(s.limit))
	case FixedSide:
		return v.Interface() != s.limit
	}
	return false
}

// measure puts values of one parameter in order; dates by the most of them in one civil year.
func measure(v reflect.Value) int64 {
	if dates, ok := v.Interface().([]calendar.Dates); ok {
		return int64(daysOfAYear(dates))
	}
	return v.Int()
}

// daysOfAYear is the most days of a civil year that lie in some dates.
func daysOfAYear(dates []calendar.Dates) (most int) {
	seen, years := map[calendar.Date]bool{}, map[int]int{}
	for _, span := range dates {
		// A year that is full tells all there is to tell, so a span of centuries costs no more than two years.
		for d := span.From; d.Before(span.Until) && d.Sub(span.From) < 2*366; d = d.Add(1) {
			if !seen[d] {
				seen[d] = true
				years[d.Year]++
				most = max(most, years[d.Year])
			}
		}
	}
	return most
}

// validateLaw reports every parameter that is laxer than the law.
func (p Params) validateLaw(c *paramCheck) {
	now := reflect.ValueOf(p)
	for i := range now.NumField() {
		name := paramName(now.Type().Field(i))
		s := stances[name]
		if !s.relaxed(now.Field(i)) {
			continue
		}
		law, bound := LegalOf(name), "at most "
		switch s.side {
		case AtLeast:
			bound = "at least "
		case FixedSide:
			bound = ""
		}
		c.add(name, settingText(now.Field(i)), "must be %s%s by %s: %s", bound, law.Limit, law.Article, law.Says)
	}
}
