package pricing

import (
	"context"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// What an hour is paid beyond the ordinary rate (劳动法 §44): 150 % for overtime, 300 % on a statutory
// holiday. Which hours fall on somebody's rest day (200 %) is known only with a roster.
const (
	overtimeRate = 1.5
	holidayRate  = 3.0
)

// Ordinary hours of a week: 40 (国务院关于职工工作时间的规定 §3), 24 in part-time work (劳动合同法 §68).
const (
	fullWeek = 40.0
	partWeek = 24.0
)

// payroll is the people of a plan's days.
type payroll struct {
	people   []workforce.Agent
	holidays calendar.Holidays
}

func (p *Pricing) payroll(ctx context.Context, view *store.View) (payroll, error) {
	people, err := gate.Agents(ctx, view)
	return payroll{people: people, holidays: p.policy.Holidays}, err
}

func knows(a workforce.Agent, queue ids.Queue, day calendar.Date) bool {
	return a.Employed.Contains(day) && slices.ContainsFunc(a.Skills, func(s workforce.Skill) bool { return s.Queue == queue && s.Contains(day) })
}

// mean is the ordinary hour in yuan of those who know one of the queues on one of the days, else of all who are
// employed then, else 0.
func (p payroll) mean(queues []ids.Queue, dates calendar.Dates) float64 {
	for _, counts := range []func(workforce.Agent, calendar.Date) bool{
		func(a workforce.Agent, day calendar.Date) bool {
			return slices.ContainsFunc(queues, func(q ids.Queue) bool { return knows(a, q, day) })
		},
		func(a workforce.Agent, day calendar.Date) bool { return a.Employed.Contains(day) },
	} {
		sum, n := 0.0, 0
		for day := dates.From; day.Before(dates.Until); day = day.Add(1) {
			for _, a := range p.people {
				if counts(a, day) {
					sum += float64(a.Wage) / 100
					n++
				}
			}
		}
		if n > 0 {
			return sum / float64(n)
		}
	}
	return 0
}

// rate is the multiple at which a planned hour of a day is paid, without overtime.
func (p payroll) rate(day calendar.Date) float64 {
	if p.holidays.Kind(day) == calendar.Statutory {
		return holidayRate
	}
	return 1
}

// statutory is how many of some days are statutory holidays.
func (p payroll) statutory(dates calendar.Dates) (days float64) {
	for day := dates.From; day.Before(dates.Until); day = day.Add(1) {
		if p.rate(day) > 1 {
			days++
		}
	}
	return days
}

// regular is the ordinary hours of a day of everybody who knows one of the queues: those of the weeks, on the days
// that are no statutory holiday.
func (p payroll) regular(queues []ids.Queue, dates calendar.Dates) float64 {
	days := float64(dates.Until.Sub(dates.From)) - p.statutory(dates)
	if days <= 0 {
		return 0
	}
	return p.capacity(queues, dates) / days
}

// capacity is the ordinary hours in some days of everybody who knows one of the queues.
func (p payroll) capacity(queues []ids.Queue, dates calendar.Dates) (hours float64) {
	for _, a := range p.people {
		week := fullWeek
		if a.Employment == workforce.PartTime || a.Employment == workforce.Cloud {
			week = partWeek
		}
		for day := dates.From; day.Before(dates.Until); day = day.Add(1) {
			if slices.ContainsFunc(queues, func(q ids.Queue) bool { return knows(a, q, day) }) {
				hours += week / 7
			}
		}
	}
	return hours
}
