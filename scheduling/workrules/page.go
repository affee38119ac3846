package workrules

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// pageHead is the part of docs/rules.md that people wrote.
const pageHead = `# Work rules

Made from the registry in scheduling/workrules by its test (` + "`go test ./scheduling/workrules -run Page -update`" + `); a test keeps it current.

Every rule judges the optimiser, a manual edit, a swap and a leave request alike. A hard rule
forbids, a soft one warns. 内部规定 is a house rule. Every limit is a setting; the column "law" below says
which of them are statutory: those may be tightened, and a value on the lax side is refused. Whatever is broken names its place and amount, and comes with the changes
that would make it legal; each of those was judged again before it is shown.

Days are civil days in the business time zone, and a shift counts on the day it starts. Only the
night, statutory holidays, the weekly rest day, rest days of the calendar and the pay split look at both sides of midnight.

## Rules

| rule | says | article | kind | amount in | settings |
| --- | --- | --- | --- | --- | --- |
`

const pageParams = `
*hard with* means: soft, and hard when that setting is true.

## Settings

` + "`chaoban roster rules`" + ` shows what holds in a house and who set it; ` + "`--set NAME=VALUE --reason …`" + ` sets all but
queues, which ` + "`chaoban facts terms`" + ` sets. The rest between two shifts, meals, breaks, runs of nights, the overtime of a week and what
cloud agents book rest on no national statute: there the house is free, and ` + "`roster rules`" + ` only warns of a ` + "`rest_block`" + ` below 8 h. What is no setting nobody can set: the pay of
150, 200 and 300 %, the age of 16, the weekly rest day, that overtime is agreed to, and whom the law bars from it. A stored value
that the law does not allow gives way to its default.

| setting | default | law | meaning |
| --- | --- | --- | --- |
`

const pagePay = `
## Overtime (劳动法 §41; 劳动合同法 §31)

Of standard hours these are overtime, each hour once: what exceeds the normal day, what lies on a rest day, what of the rest exceeds
the normal week, and work of statutory holidays. They are the hours that are paid 150, 200 and 300 %. All of them count in the 36 hours of
a month. Those of days and weeks and rest days need the consent (hours.daily, hours.weekly), are not worked by whom the law bars, and
count in the house's ceiling of a week; holidays ask for it by a warning (holidays.agreed). The three hours of a day are those beyond
the normal day alone: a rest day of eight hours is not a day prolonged by eight.

Which days are rest days rest_days says, for rules and pay alike. "placed": the worked days of a week beyond its official workdays, in
order of time, however long they are. The law itself would let a house spread 40 hours over six days (国务院规定(1995) §7, 劳动法 §38: one
rest day a week): it is this house reading that makes the sixth day a rest day, so whoever has not agreed to overtime works at most as
many days of a week as it has workdays, and who has agreed is paid 200 % for the day. "calendar": Saturdays, Sundays and bridge days;
nobody works on them without consent, and each of their hours counts in the month. A house whose people rest on other days of the week
should not choose it. Part-time and comprehensive hours have no rest days in this sense, interns work none.

The rules count a shift on the day it starts: the hours of a night from an eve into a statutory holiday are paid 300 % and count in the
month, but towards day and week they are the eve's. Where an unpaid meal lies about such a midnight, or that of a rest day of the calendar,
rules take it off the other minutes of the shift, since a plan may still move it; pay goes by the minute.

## Pay (劳动法 §44)

| hours | standard | comprehensive | part-time |
| --- | --- | --- | --- |
| normal | 100 % | 100 % | 100 % |
| beyond the normal day or week; beyond the normal hours of the period | 150 % | 150 % | 100 % |
| rest day, without 补休 | 200 % | 100 % | 100 % |
| statutory holiday | 300 % | 300 % | 300 % |

A make-up workday (调休上班) is an ordinary day; a bridge day (调休放假) is a rest day, never 300 %.
A shift over midnight is split there when split_at_midnight is true: 22:00-06:00 into 1 October is two
normal hours and six at 300 %, 16:00-24:00 on the eve is none. What a shift of a statutory holiday works after the
holidays is work of the day that it lies on: with a second shift of that day it fills the normal day, it uses up the normal week, and
the day is a worked day, within the week that the shift starts in: where a week ends that night, its hours do not fill the next day. A week has 40 normal hours less eight for each statutory holiday or bridge day on Monday to
Friday and eight more for a make-up workday: a holiday is a paid day off, its hours are not made up on other days. With rest_days "placed" the house
places its rest days (国务院规定(1995) §7): worked days of a calendar week beyond its official workdays
are rest-day work: the last of them in order of time, however long they are. So two hours added on a free Monday to
five days of eight make Sunday's eight hours rest-day work, and the price of an offer or an edit shows fewer hours at
100 % and more at 200 %. The law does not say which of six worked days the rest day was; the order of time needs no
other record, gives the same sum for two halves of a week as for the whole, and is not chosen by what is cheapest: the day with the
fewest hours would pay less than 劳动法 §44(2) whenever the added day is the longer one. Whoever wants the added hours themselves
paid 200 % adds them on the last free day of the week, or moves the rest day. With "calendar" Saturdays, Sundays and bridge days are, whoever works them.

A salary pays the hours at 100 %; overtime, rest days and holidays are paid in full on top of it (工资支付暂行规定 §13). Employees of
standard and comprehensive hours have one; part-timers, agency and cloud agents and interns are paid by the hour.
The command roster pay lists a roster's hours by percentage, agent and date.
`

// meanings says in a line what each setting is for, by its key; a test holds that none is missing.
var meanings = map[string]string{
	"week_start": "first day of a rule week", "normal_day": "normal working time a day", "normal_week": "normal working time a week",
	"overtime_day": "overtime a day", "overtime_special": "overtime a day on special dates", "special_dates": "dates with agreed special reasons (劳动法 §41)",
	"overtime_week": "overtime a week", "overtime_month": "overtime a month", "holiday_is_overtime": "statutory-holiday work counts towards the month",
	"rest_block": "rest between shifts, less is forbidden", "rest_warn": "rest between shifts, less is flagged", "consecutive_days": "working days in a row",
	"part_time_day": "part-time work a day", "part_time_week": "part-time work a week",
	"night_from": "the night begins, after midnight", "night_until": "the night ends, after midnight",
	"meal_after": "longer shifts hold a meal", "meal_length": "length of that meal", "hard_meals": "a missing meal forbids",
	"split_at_midnight": "holiday pay by the minute; false: by the day a shift starts", "rest_days": "which days are rest days: overtime, paid 200 %",
	"comprehensive_period": "the approved period where a person names none", "comprehensive_day": "work a day under comprehensive hours",
	"comprehensive_week": "normal hours of a week", "comprehensive_month": "normal hours of a month: 248 days x 8 h / 12",
	"comprehensive_quarter": "normal hours of a quarter: 62 days x 8 h", "comprehensive_year": "normal hours of a year: 248 days x 8 h",
	"night_run": "night shifts in a row", "work_stretch": "work without a pause", "pregnant_rest": "paid rest in a shift from the 7th month",
	"nursing_hour": "nursing time a day and child", "hard_care": "missing rest or nursing time forbids", "agency_months": "months on a temporary agency post",
	"cloud_slot": "what cloud agents book", "cloud_slots": "slots a day", "cloud_no_break_first": "no break at the start of a cloud shift",
	"cloud_no_break_last": "no break at the end of a cloud shift", "shops_at_once": "shops one person answers at once; 0 = no limit",
	"queues": "per queue: shops, certificate, promotion packs",
}

// Page is docs/rules.md: every rule with its sentence, article and settings, and every setting with
// its default.
func Page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	for _, r := range Rules() {
		kind := "soft"
		if r.HardUnder(DefaultParams()) {
			kind = "hard"
		}
		if r.hardWith != "" && LegalOf(r.hardWith).Side != FixedSide {
			kind = "hard with " + r.hardWith
		}
		fmt.Fprintf(&b, "| %s | %s<br>%s | %s | %s | %s | %s |\n", r.Code, r.Says.ZH, r.Says.EN, r.Article, kind, r.Unit, strings.Join(r.Params, ", "))
	}
	b.WriteString(pageParams)
	params := reflect.ValueOf(DefaultParams())
	for i := range params.NumField() {
		name := paramName(params.Type().Field(i))
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, defaultText(params.Field(i)), lawText(LegalOf(name)), meanings[name])
	}
	b.WriteString(pagePay)
	return b.String()
}

// lawText is where a setting stands in law, and why.
func lawText(l Legal) string { return l.String() + ": " + l.Says }

func paramName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

func defaultText(v reflect.Value) string {
	if d, ok := v.Interface().(time.Duration); ok {
		return clockText(d)
	}
	if v.Kind() == reflect.Slice {
		return "none"
	}
	return fmt.Sprint(v.Interface())
}
