package workforce

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Limits of plausible master data.
const (
	MaxConcurrency = 15  // chats at once; domain facts section 3.4 give 5 to 15
	MaxLevel       = 1.5 // productivity relative to a trained agent
	MaxSkills      = 200 // per agent
	MaxSeats       = 30000
	maxName        = 100 // bytes
)

var maxWage = money.Yuan(2000) // per hour; above it somebody entered a monthly wage

// Employments in the order they are listed to people.
var Employments = []Employment{Standard, Comprehensive, PartTime, Agency, Intern, Cloud}

// Conditions in the order they are listed to people.
var Conditions = []Condition{Pregnant7, Nursing, Minor}

type problems []fault.Field

func (p *problems) add(path, value, format string, args ...any) {
	*p = append(*p, fault.Field{Path: path, Value: fault.Shorten(value), Problem: fmt.Sprintf(format, args...)})
}

func (p *problems) id(path, s string) {
	if problem := ids.Check(s); problem != "" {
		p.add(path, s, "%s", problem)
	}
}

func (p *problems) name(path, s string) {
	if strings.TrimSpace(s) == "" || len(s) > maxName {
		p.add(path, s, "must have 1 to %d bytes", maxName)
	}
}

func (p *problems) dates(path string, d calendar.Dates) {
	if d.From.IsZero() {
		p.add(path+".from", "", "is missing")
	}
	if !d.Until.IsZero() && !d.From.Before(d.Until) {
		p.add(path+".until", d.Until.String(), "must be after from (%s)", d.From)
	}
}

// Validate reports every bad field. Errors: site.invalid.
func (s Site) Validate() error {
	var p problems
	p.id("id", string(s.ID))
	p.name("name", s.Name)
	if len(s.City) > maxName {
		p.add("city", s.City, "must have at most %d bytes", maxName)
	}
	if s.Seats < 0 || s.Seats > MaxSeats {
		p.add("seats", fmt.Sprint(s.Seats), "must be 0 (not limited) to %d", MaxSeats)
	}
	if s.Seats == 0 && len(s.Windows) > 0 {
		p.add("seats", "0", "is needed beside windows: how many seats there are at other hours")
	}
	for i, w := range s.Windows {
		if _, _, ok := w.Hours(); !ok {
			p.add(fmt.Sprintf("windows[%d]", i), w.From+"-"+w.Until, "from and until must differ and look like 22:00, in steps of 5 minutes")
		}
		if w.Seats < 0 || w.Seats > MaxSeats {
			p.add(fmt.Sprintf("windows[%d].seats", i), fmt.Sprint(w.Seats), "must be 0 (closed) to %d", MaxSeats)
		}
	}
	return fault.Bad("site.invalid", "site "+string(s.ID), p)
}

// Validate reports every bad field. Errors: team.invalid.
func (t Team) Validate() error {
	var p problems
	p.id("id", string(t.ID))
	p.name("name", t.Name)
	p.id("site", string(t.Site))
	return fault.Bad("team.invalid", "team "+string(t.ID), p)
}

// Validate reports every bad field. Two skills of one queue must not be in force on the same
// day. Errors: agent.invalid.
func (a Agent) Validate() error {
	return fault.Bad("agent.invalid", "agent "+string(a.ID), a.problems())
}

func (a Agent) problems() problems {
	var p problems
	p.id("id", string(a.ID))
	p.name("name", a.Name)
	p.id("team", string(a.Team))
	p.id("site", string(a.Site))
	if !slices.Contains(Employments, a.Employment) {
		p.add("employment", string(a.Employment), "must be one of %s", fault.Names(Employments))
	}
	p.dates("employed", a.Employed)
	if a.Concurrency < 1 || a.Concurrency > MaxConcurrency {
		p.add("concurrency", fmt.Sprint(a.Concurrency), "must be from 1 to %d chats at once", MaxConcurrency)
	}
	if a.Wage < 0 || a.Wage > maxWage {
		p.add("wage", a.Wage.String(), "must be from 0 to %s yuan per hour", maxWage)
	}
	if a.Availability != "" {
		if _, err := forecast.ParseHours(a.Availability); err != nil {
			p.add("availability", a.Availability, "must look like Mon-Sun 08:00-24:00")
		}
	}
	a.checkSkills(&p)
	for i, c := range a.Conditions {
		if !slices.Contains(Conditions, c.Condition) {
			p.add(fmt.Sprintf("conditions[%d].condition", i), string(c.Condition), "must be one of %s", fault.Names(Conditions))
		}
		p.dates(fmt.Sprintf("conditions[%d]", i), c.Dates)
	}
	for i, r := range a.Unavailable {
		if !r.Valid() {
			p.add(fmt.Sprintf("unavailable[%d].end", i), "", "must be after start")
		}
	}
	return p
}

func (a Agent) checkSkills(p *problems) {
	if len(a.Skills) > MaxSkills {
		p.add("skills", fmt.Sprint(len(a.Skills)), "has more than %d skills", MaxSkills)
		return
	}
	for i, s := range a.Skills {
		at := fmt.Sprintf("skills[%d]", i)
		p.id(at+".queue", string(s.Queue))
		if !(s.Level > 0 && s.Level <= MaxLevel) {
			p.add(at+".level", fmt.Sprint(s.Level), "must be above 0 and at most %v, 1 is a trained agent", MaxLevel)
		}
		p.dates(at, s.Dates)
		for _, o := range a.Skills[:i] {
			if o.Queue == s.Queue && o.Overlaps(s.Dates) {
				p.add(at, string(s.Queue), "is given twice for the same days")
			}
		}
	}
}

// SkillAt returns the level of a queue on a date; false when the agent is not employed or may
// not work the queue then.
func (a Agent) SkillAt(q ids.Queue, d calendar.Date) (float64, bool) {
	if !a.Employed.Contains(d) {
		return 0, false
	}
	for _, s := range a.Skills {
		if s.Queue == q && s.Contains(d) {
			return s.Level, true
		}
	}
	return 0, false
}
