package leave

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
)

// AnnualDays is the statutory days of annual leave after that many full years of work with all
// employers together: 5 from the first year, 10 from the tenth, 15 from the twentieth
// (职工带薪年休假条例 §3). Before a full year there is none (§2).
func AnnualDays(years int) int {
	switch {
	case years >= 20:
		return 15
	case years >= 10:
		return 10
	case years >= 1:
		return 5
	}
	return 0
}

// AnnualGrant is the days of annual leave that an agent has for one calendar year. career is when
// the agent began to work anywhere; the zero date means when this employment began.
//
// Who is not entitled or not employed for the whole year has the share of the year's calendar days,
// divided by 365, and parts of a day do not count (企业职工带薪年休假实施办法 §5 for the year of
// joining, §12 for the year of leaving). The years of work are those completed by the last day of the
// employment in that year: the reading that favours the employee. The exceptions of 条例 §4 (long sick
// or personal leave) are entered by hand as an adjustment.
func AnnualGrant(year int, career calendar.Date, employed calendar.Dates) int {
	if career.IsZero() {
		career = employed.From
	}
	from, until := calendar.MakeDate(year, time.January, 1), calendar.MakeDate(year+1, time.January, 1)
	whole := true
	if entitled := calendar.MakeDate(career.Year+1, career.Month, career.Day); entitled.After(from) {
		from, whole = entitled, false
	}
	if employed.From.After(from) {
		from, whole = employed.From, false
	}
	if !employed.Until.IsZero() && employed.Until.Before(until) {
		until, whole = employed.Until, false
	}
	days := until.Sub(from)
	if days <= 0 {
		return 0
	}
	full := AnnualDays(fullYears(career, until))
	if whole {
		return full
	}
	return min(full, days*full/365)
}

// fullYears is the years completed from one date to another.
func fullYears(from, to calendar.Date) int {
	years := to.Year - from.Year
	if to.Before(calendar.MakeDate(to.Year, from.Month, from.Day)) {
		years--
	}
	return max(0, years)
}
