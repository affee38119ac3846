package capacity

import (
	"math"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/money"
)

// model is a skill as the search sees it: what staff gives anyway, and columns of what can be ordered.
type model struct {
	in      Input
	skill   Skill
	demand  []demand
	staff   []float64 // effective hours of today's staff, by week
	heads   []float64 // of them at work
	trainee []float64 // of them in training
	blamed  []float64 // hours of staff, each times the complaints per contact at its tenure
	wages   []item    // of today's staff
	columns []column
	// overtime: most paid hours per head, by week; months that the week touches are runs.
	overtime []int
	months   []months
	fastest  float64 // the highest speed of a ramp
	// cloud hours that can still be ordered, and the supply up to which one of them is worth its cost.
	cloudMost  []int
	cloudWorth []float64
}

// months are the first and last month that a week touches.
type months struct{ first, last calendar.Month }

// column is a class or temporary cohort that can be ordered: none, or min to max heads.
type column struct {
	kind                  Kind
	name                  string
	order, training, work calendar.Date
	until                 calendar.Date
	first, trains         int // first week of work and of training (may be before the plan)
	min, max              int
	hours                 []float64 // effective, per head, by week
	heads                 []float64 // at work, per head, by week
	trainee               []float64 // in training, per head, by week
	blamed                []float64 // hours times complaints per contact, per head, by week
	items                 []item
	perHead, fixed        float64 // sums of the items
}

// item is a cost in a week, in yuan.
type item struct {
	week           int
	kind           costKind
	perHead, fixed float64
}

type costKind int

const (
	wages costKind = iota
	hiring
	training
	temps
	severance
	overtime
	cloud
	shortage
	costKinds
)

func yuan(f money.Fen) float64 { return float64(f) / 100 }

func newModel(in Input, s Skill) *model {
	n := len(s.Weeks)
	m := &model{
		in: in, skill: s, demand: make([]demand, n), staff: make([]float64, n), heads: make([]float64, n),
		trainee: make([]float64, n), blamed: make([]float64, n), overtime: make([]int, n), months: make([]months, n),
		cloudMost: make([]int, n), cloudWorth: make([]float64, n),
	}
	for t, w := range s.Weeks {
		m.demand[t] = w.demand()
		m.months[t] = months{m.week(t).MonthOf(), m.week(t + 1).Add(-1).MonthOf()}
		if o := s.Overtime; o != nil {
			day := o.HoursPerDay
			if w.SpecialOvertime {
				day = o.SpecialHoursPerDay
			}
			m.overtime[t] = min(o.HoursPerMonth, int(day*float64(o.DaysPerWeek)))
		}
		m.addCloud(t)
	}
	m.fastest = 1
	for _, step := range s.Ramp {
		m.fastest = max(m.fastest, step.Speed)
	}
	m.addStaff()
	if s.Classes != nil {
		for t := range s.Weeks {
			m.columns = append(m.columns, m.class(t))
		}
	}
	for _, offer := range s.Temps {
		m.columns = append(m.columns, m.temps(offer))
	}
	return m
}

// week is the first day of a week; -1 is the week before the plan.
func (m *model) week(t int) calendar.Date { return m.in.Start.Add(7 * t) }

// leaving is the share of people of a tenure who leave within a week.
func (s Skill) leaving(tenure int) float64 {
	share := 0.0
	for i, h := range s.Attrition {
		if i == 0 || h.FromWeek <= tenure {
			share = h.Weekly
		}
	}
	return share
}

// hoursPerHead is what one staff member of a tenure gives in a week.
func (m *model) hoursPerHead(t, tenure int) float64 {
	return m.skill.HoursPerWeek * (1 - m.skill.Weeks[t].Shrinkage) * m.skill.Ramp.At(tenure).Speed
}

func (m *model) addStaff() {
	trainee := yuan(m.skill.Wage)
	if m.skill.Classes != nil {
		trainee = yuan(m.skill.Classes.TraineeWage)
	}
	for _, c := range m.skill.Staff {
		heads, tenure := c.Heads, c.TenureWeeks
		for t := range m.skill.Weeks {
			if tenure < 0 {
				m.trainee[t] += heads
				m.wages = append(m.wages, item{t, training, heads * m.skill.HoursPerWeek * trainee, 0})
			} else {
				m.heads[t] += heads
				m.staff[t] += heads * m.hoursPerHead(t, tenure)
				m.blamed[t] += heads * m.hoursPerHead(t, tenure) * m.skill.Ramp.At(tenure).Complaints
				m.wages = append(m.wages, item{t, wages, heads * m.skill.HoursPerWeek * yuan(m.skill.Wage), 0})
			}
			heads *= 1 - m.skill.leaving(tenure)
			tenure++
		}
	}
}

func (m *model) column(kind Kind, name string, first, trainingWeeks, lead, weeks int) column {
	n := len(m.skill.Weeks)
	return column{
		kind: kind, name: name, first: first, trains: first - trainingWeeks,
		order: m.week(first - trainingWeeks - lead), training: m.week(first - trainingWeeks), work: m.week(first), until: m.week(min(n, first+weeks)),
		hours: make([]float64, n), heads: make([]float64, n), trainee: make([]float64, n), blamed: make([]float64, n),
	}
}

// class is the column of a class that begins work in a week.
func (m *model) class(first int) column {
	k := m.skill.Classes
	c := m.column(ClassKind, "", first, k.TrainingWeeks, k.LeadWeeks, len(m.skill.Weeks))
	c.min, c.max = k.MinSize, k.MaxSize
	c.cost(hiring, c.trains, yuan(k.CostPerHire), 0)
	c.cost(training, c.trains, yuan(k.TrainingCost), yuan(k.CostPerClass))
	heads := 1.0
	for t := c.trains; t < len(m.skill.Weeks); t++ {
		if t < first {
			c.cost(training, t, heads*m.skill.HoursPerWeek*yuan(k.TraineeWage), 0)
			if t >= 0 {
				c.trainee[t] = heads
			}
		} else {
			c.heads[t] = heads
			c.hours[t] = heads * m.hoursPerHead(t, t-first)
			c.blamed[t] = c.hours[t] * m.skill.Ramp.At(t-first).Complaints
			c.cost(wages, t, heads*m.skill.HoursPerWeek*yuan(m.skill.Wage), 0)
		}
		heads *= 1 - m.skill.leaving(t-first)
	}
	return c
}

// temps is the column of an offer.
func (m *model) temps(o Temp) column {
	first := o.WorksFrom.Sub(m.in.Start) / 7
	c := m.column(TempKind, o.Name, first, o.TrainingWeeks, o.LeadWeeks, o.Weeks)
	c.min, c.max = o.MinHeads, o.MaxHeads
	c.cost(hiring, c.trains, yuan(o.CostPerHead), 0)
	heads := 1.0
	last := min(len(m.skill.Weeks), first+o.Weeks)
	for t := c.trains; t < last; t++ {
		pay := heads * o.HoursPerWeek * yuan(o.Wage)
		if t < first {
			c.cost(training, t, pay, 0)
			if t >= 0 {
				c.trainee[t] = heads
			}
		} else {
			c.heads[t] = heads
			c.hours[t] = heads * o.HoursPerWeek * (1 - m.skill.Weeks[t].Shrinkage) * o.Speed
			c.blamed[t] = c.hours[t] * m.skill.Ramp.At(t-first).Complaints
			c.cost(temps, t, pay, 0)
		}
		heads *= 1 - o.Attrition
	}
	if first+o.Weeks <= len(m.skill.Weeks) {
		c.cost(severance, last-1, heads*yuan(o.Severance), 0)
	}
	return c
}

// cost books an item; what falls before the plan is paid in its first week.
func (c *column) cost(kind costKind, week int, perHead, fixed float64) {
	c.items = append(c.items, item{max(0, week), kind, perHead, fixed})
	c.perHead += perHead
	c.fixed += fixed
}

// lost reports that the order date has passed.
func (m *model) lost(c column) bool { return c.order.Before(m.in.AsOf) }

// allowed reports whether a column may have n heads with the others as they are.
func (m *model) allowed(n []int, j, heads int) bool {
	c := m.columns[j]
	if heads == 0 {
		return true
	}
	if heads < c.min || heads > c.max || m.lost(c) {
		return false
	}
	if c.kind != ClassKind || m.skill.Classes.MaxInTraining == 0 {
		return true
	}
	for t := c.trains; t < c.first; t++ {
		total := float64(heads)
		if t >= 0 {
			total += m.trainee[t]
		}
		for i, o := range m.columns {
			if i != j && o.kind == ClassKind && o.trains <= t && t < o.first {
				total += float64(n[i])
			}
		}
		if total > float64(m.skill.Classes.MaxInTraining)+certain {
			return false
		}
	}
	return true
}

// addCloud finds the cloud hours of a week: none when their order date has passed, and none are worth having
// when an hour costs as much as the shortage it avoids.
func (m *model) addCloud(t int) {
	c := m.skill.Cloud
	if c == nil || m.week(t-c.LeadWeeks).Before(m.in.AsOf) {
		return
	}
	m.cloudMost[t] = c.MaxHours
	switch ratio := yuan(c.CostPerHour) / (c.Speed * yuan(m.skill.Weeks[t].Shortage)); {
	case c.CostPerHour == 0:
		m.cloudWorth[t] = math.Inf(1)
	case ratio < 1:
		m.cloudWorth[t] = m.demand[t].worth(ratio)
	}
}

// overtimeCost is the pay of one overtime hour in yuan.
func (m *model) overtimeCost() float64 {
	return yuan(m.skill.Wage) * float64(m.skill.Overtime.PayPercent) / 100
}
