package revising

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// salaried says whose normal hours are paid by a monthly salary: employees of standard and comprehensive hours
// (工资支付暂行规定 §7). Part-timers, cloud and agency agents and interns are paid by the hour.
func salaried(e workforce.Employment) bool {
	return e == workforce.Standard || e == workforce.Comprehensive
}

// enoughOfADay is how much of a workday has to be free of leave for its normal hours to be owed.
const enoughOfADay = 9 * time.Hour

// contractHours are the hours that a roster should fill for a salary in a span: the normal ones of its official workdays
// in employment, less days of leave, shorter where the person agreed on shorter days. Statutory holidays are no workdays.
// What the salary pays is Desk.SalaryOf.
func (d *Desk) contractHours(p *workrules.Person, span calendar.Range, normalDay time.Duration) (sum time.Duration) {
	for date := range span.Dates(d.policy.Zone) {
		if !d.policy.Holidays.Kind(date).Working() || p.Employed != (calendar.Dates{}) && !p.Employed.Contains(date) {
			continue
		}
		day := calendar.Day(date, d.policy.Zone)
		free := day.Duration()
		for _, away := range p.Unavailable {
			free -= day.Overlap(away)
		}
		if free < enoughOfADay {
			continue
		}
		sum += normalOn(p, date, normalDay)
	}
	return sum
}
