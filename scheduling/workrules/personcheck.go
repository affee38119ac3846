package workrules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// personCheck collects the bad fields of one person.
type personCheck struct {
	path string
	bad  []fault.Field
}

func (c *personCheck) add(field string, value any, problem string) {
	if at, ok := value.(time.Time); ok {
		value = at.Format(time.RFC3339)
	}
	c.bad = append(c.bad, fault.Field{Path: c.path + "." + field, Value: fmt.Sprint(value), Problem: problem})
}

func (c *personCheck) dates(field string, d calendar.Dates) {
	if !d.Until.IsZero() && !d.From.Before(d.Until) {
		c.add(field, d.Until, "must end after it begins")
	}
}

// span reports instants that are missing or not in order.
func (c *personCheck) span(field string, r calendar.Range) {
	if r.Start.IsZero() {
		c.add(field+".start", "", "is missing")
	}
	if r.End.IsZero() {
		c.add(field+".end", "", "is missing")
	}
	if !r.Start.IsZero() && !r.End.IsZero() && !r.Valid() {
		c.add(field+".end", r.End, "must be after the start")
	}
}

// Validate reports every bad field; path prefixes the field names ("agents[3]").
func (p *Person) Validate(path string) []fault.Field {
	c := &personCheck{path: path}
	if problem := ids.Check(string(p.ID)); problem != "" {
		c.add("id", p.ID, problem)
	}
	if !slices.Contains([]Regime{"", Standard, Comprehensive, PartTime}, p.Regime) {
		c.add("regime", p.Regime, "must be standard, comprehensive or part_time")
	}
	if p.Period != "" && !p.Period.known() {
		c.add("period", p.Period, "must be week, month, quarter or year")
	} else if p.Period != "" && p.Regime != Comprehensive {
		c.add("period", p.Period, "belongs to the comprehensive regime only")
	}
	if !slices.Contains([]Engagement{"", Employee, Agency, Intern, Cloud}, p.Engagement) {
		c.add("engagement", p.Engagement, "must be employee, agency, intern or cloud")
	}
	if p.Regime == Comprehensive && p.Engagement == Intern {
		c.add("regime", p.Regime, "is not possible for interns (职业学校学生实习管理规定 §17)")
	}
	c.dates("employed", p.Employed)
	c.dates("assigned", p.Assigned)
	if p.Shops < 0 {
		c.add("shops", p.Shops, "must be 0 (house limit) or more")
	}
	p.validateLists(c)
	p.validateTimes(c)
	return c.bad
}

func (p *Person) validateLists(c *personCheck) {
	for i, x := range p.Conditions {
		if x.Kind != PregnantLate && x.Kind != Nursing && x.Kind != Minor {
			c.add(fmt.Sprintf("conditions[%d].kind", i), x.Kind, "must be pregnant_7_months, nursing or minor")
		}
		c.dates(fmt.Sprintf("conditions[%d].dates", i), x.Dates)
		if x.Children < 0 || x.Children > 8 {
			c.add(fmt.Sprintf("conditions[%d].children", i), x.Children, "must be 0 (one child) to 8")
		}
	}
	for i, s := range p.Skills {
		if problem := ids.Check(string(s.Queue)); problem != "" {
			c.add(fmt.Sprintf("skills[%d].queue", i), s.Queue, problem)
		}
	}
	for i, x := range p.Certificates {
		if x.Code == "" {
			c.add(fmt.Sprintf("certificates[%d].code", i), "", "is empty")
		}
		c.dates(fmt.Sprintf("certificates[%d].dates", i), x.Dates)
	}
	for i, x := range p.Acknowledged {
		if x.Pack == "" || x.On.IsZero() {
			c.add(fmt.Sprintf("acknowledged[%d]", i), x.Pack, "needs a pack and the date on which it was read")
		}
	}
}

func (p *Person) validateTimes(c *personCheck) {
	for i, r := range p.Unavailable {
		c.span(fmt.Sprintf("unavailable[%d]", i), r)
	}
	for i, s := range p.Sessions {
		if s.Kind != TrainingSession && s.Kind != MeetingSession && s.Kind != PrenatalCheck {
			c.add(fmt.Sprintf("sessions[%d].kind", i), s.Kind, "must be training, meeting or prenatal_check")
		}
		c.span(fmt.Sprintf("sessions[%d].range", i), s.Range)
	}
	for i, x := range p.Carried {
		at := fmt.Sprintf("carried[%d]", i)
		if x.Dates.From.IsZero() || x.Dates.Until.IsZero() || !x.Dates.From.Before(x.Dates.Until) {
			c.add(at+".dates", x.Dates.From, "must have a first date and a later date after the last")
		}
		if !(x.Hours >= 0) || !(x.HolidayHours >= 0) || x.Hours+x.HolidayHours > 366*24 {
			c.add(at+".hours", x.Hours, "must be 0 or more and fit a year")
		}
		for k := range i {
			if p.Carried[k].Dates.Overlaps(x.Dates) {
				c.add(at+".dates", x.Dates.From, fmt.Sprintf("overlap carried[%d]", k))
			}
		}
	}
	for i, a := range p.Agreements {
		a.validate(fmt.Sprintf("agreements[%d]", i), c)
	}
}

func (a Agreement) validate(at string, c *personCheck) {
	c.dates(at+".dates", a.Dates)
	for _, f := range []struct {
		name        string
		value, most float64
	}{{"day_hours", a.DayHours, 24}, {"week_hours", a.WeekHours, 168}, {"not_before", a.NotBefore, 24}, {"not_after", a.NotAfter, 48}} {
		if !(f.value >= 0 && f.value <= f.most) {
			c.add(at+"."+f.name, f.value, fmt.Sprintf("must be 0 (nothing agreed) to %g", f.most))
		}
	}
	if a.NotAfter > 0 && a.NotAfter <= a.NotBefore {
		c.add(at+".not_after", a.NotAfter, "must be after not_before")
	}
	for k, d := range a.DaysOff {
		if _, ok := weekdays[strings.ToLower(d)]; !ok {
			c.add(fmt.Sprintf("%s.days_off[%d]", at, k), d, "must be a day such as sunday")
		}
	}
}
