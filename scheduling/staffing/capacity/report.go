package capacity

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/money"
)

func fen(yuan float64) money.Fen { return money.Fen(math.Round(yuan * 100)) }

// add sums two costs kind by kind.
func (c *Cost) add(o Cost) {
	c.Wages += o.Wages
	c.Hiring += o.Hiring
	c.Training += o.Training
	c.Temps += o.Temps
	c.Severance += o.Severance
	c.Overtime += o.Overtime
	c.Cloud += o.Cloud
	c.Shortage += o.Shortage
	c.Total += o.Total
	c.Idle += o.Idle
}

// costOf rounds each kind of a week once; the total is the sum of what is shown.
func costOf(by [costKinds]float64) Cost {
	c := Cost{
		Wages: fen(by[wages]), Hiring: fen(by[hiring]), Training: fen(by[training]), Temps: fen(by[temps]),
		Severance: fen(by[severance]), Overtime: fen(by[overtime]), Cloud: fen(by[cloud]), Shortage: fen(by[shortage]),
	}
	c.Total = c.Wages + c.Hiring + c.Training + c.Temps + c.Severance + c.Overtime + c.Cloud + c.Shortage
	return c
}

// report tells an order week by week and decision by decision.
func (m *model) report(o order) SkillPlan {
	s := m.supply(o.heads)
	r := newRecourse(m)
	flexible := r.best(s)
	choices := r.choices()
	p := SkillPlan{Name: m.skill.Name}
	for t, c := range choices {
		p.Weeks = append(p.Weeks, m.weekPlan(t, o, s, c))
	}
	m.spread(&p, o, choices)
	base := 0.0
	for _, i := range m.wages {
		base += i.perHead
	}
	p.LowerBound = min(p.Cost.Total, fen(base+m.bound(o.cost, s)))
	if p.Cost.Total > 0 {
		p.Gap = float64(p.Cost.Total-p.LowerBound) / float64(p.Cost.Total)
	}
	p.Decisions = append(m.orders(o, s, flexible, r), m.flexible(p.Weeks)...)
	slices.SortStableFunc(p.Decisions, func(a, b Decision) int {
		return cmp.Or(a.OrderBy.Sub(b.OrderBy), a.WorksFrom.Sub(b.WorksFrom), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	p.Irretrievable = m.irretrievable(p.Weeks)
	return p
}

func (m *model) weekPlan(t int, o order, s supply, c choice) WeekPlan {
	week, d := m.skill.Weeks[t], m.demand[t]
	w := WeekPlan{
		Start: m.week(t), RequiredP50: week.RequiredP50, RequiredP90: max(week.RequiredP50, week.RequiredP90),
		OnHand: s.heads[t], InTraining: m.trainee[t], StaffHours: s.staff[t], TempHours: s.temps[t],
		OvertimePerHead: c.perHead, CloudPaid: c.cloud,
	}
	blamed := m.blamed[t]
	for j, heads := range o.heads {
		blamed += float64(heads) * m.columns[j].blamed[t]
		w.InTraining += float64(heads) * m.columns[j].trainee[t]
		if m.columns[j].kind == TempKind {
			w.Temps += float64(heads) * m.columns[j].heads[t]
		}
	}
	if c.perHead > 0 {
		w.OvertimeHours = float64(c.perHead) * m.skill.Overtime.AgreedShare * s.staff[t] / m.skill.HoursPerWeek
	}
	if c.cloud > 0 {
		w.CloudHours = float64(c.cloud) * m.skill.Cloud.Speed
	}
	full := m.skill.HoursPerWeek * (1 - week.Shrinkage)
	w.EffectiveHours = w.StaffHours + w.TempHours + w.OvertimeHours + w.CloudHours
	w.Complaints = 1
	if own := w.StaffHours + w.TempHours; own > 0 {
		w.Complaints = blamed / own
	}
	w.RequiredHeads, w.EffectiveHeads = w.RequiredP50/full, w.EffectiveHours/full
	w.GapHours = w.EffectiveHours - w.RequiredP50
	w.ShortHours, w.ShortageRisk = d.short(w.EffectiveHours), d.above(w.EffectiveHours)
	return w
}

// spread books every cost in its week and sums the weeks.
func (m *model) spread(p *SkillPlan, o order, choices []choice) {
	by := make([][costKinds]float64, len(p.Weeks))
	for _, i := range m.wages {
		by[i.week][i.kind] += i.perHead
	}
	for j, heads := range o.heads {
		if heads == 0 {
			continue
		}
		for _, i := range m.columns[j].items {
			by[i.week][i.kind] += i.fixed + float64(heads)*i.perHead
		}
	}
	for t := range p.Weeks {
		w := &p.Weeks[t]
		if c := choices[t]; c.perHead > 0 {
			by[t][overtime] = float64(c.perHead) * m.skill.Overtime.AgreedShare * w.OnHand * m.overtimeCost()
		}
		if w.CloudPaid > 0 {
			by[t][cloud] = float64(w.CloudPaid) * yuan(m.skill.Cloud.CostPerHour)
		}
		by[t][shortage] = w.ShortHours * yuan(m.skill.Weeks[t].Shortage)
		w.Cost = costOf(by[t])
		if own := w.StaffHours + w.TempHours; own > w.RequiredP50 {
			w.Cost.Idle = fen((own - w.RequiredP50) / own * (by[t][wages] + by[t][temps]))
		}
		p.Cost.add(w.Cost)
	}
}

// orders are the classes and temporary cohorts, each valued by leaving it out.
func (m *model) orders(o order, s supply, flexible float64, r *recourse) []Decision {
	var out []Decision
	for j, heads := range o.heads {
		if heads == 0 {
			continue
		}
		c := m.columns[j]
		own := c.fixed + float64(heads)*c.perHead
		without := slices.Clone(o.heads)
		without[j] = 0
		saves := r.best(m.supply(without)) - flexible - own
		peak, hours := m.mostNeeded(s, c, heads)
		d := Decision{
			Kind: c.kind, Name: c.name, Heads: heads, OrderBy: c.order, SlackDays: c.order.Sub(m.in.AsOf), WorksFrom: c.work,
			Until: c.until, Cost: fen(own), Saves: fen(saves),
			Reason: fmt.Sprintf("%d at work from %s; without them the week of %s has %.0f of its %.0f hours from staff and temporary people, and the plan costs %s more",
				heads, c.work, m.week(peak), hours, m.demand[peak].median, fen(saves)),
		}
		if c.trains < c.first {
			d.TrainingFrom = c.training
		}
		out = append(out, d)
	}
	return out
}

// mostNeeded is the week in which a column's people are missed most, and the hours that the others give.
func (m *model) mostNeeded(s supply, c column, heads int) (week int, hours float64) {
	worst := math.Inf(-1)
	for t := max(0, c.first); t < len(m.demand); t++ {
		mine := float64(heads) * c.hours[t]
		others := s.staff[t] + s.temps[t] - mine
		if missed := min(mine, m.demand[t].median-others); mine > 0 && missed > worst {
			worst, week, hours = missed, t, others
		}
	}
	return week, hours
}

// flexible are the overtime and cloud hours of each week.
func (m *model) flexible(weeks []WeekPlan) []Decision {
	var out []Decision
	for t, w := range weeks {
		own := w.StaffHours + w.TempHours
		if w.OvertimePerHead > 0 {
			out = append(out, Decision{
				Kind: OvertimeKind, Hours: float64(w.OvertimePerHead) * m.skill.Overtime.AgreedShare * w.OnHand,
				OrderBy: w.Start, SlackDays: w.Start.Sub(m.in.AsOf), WorksFrom: w.Start, Until: m.week(t + 1), Cost: w.Cost.Overtime,
				Saves: m.savedBy(t, w, w.OvertimeHours, w.Cost.Overtime),
				Reason: fmt.Sprintf("%d h each for those who agreed, of at most %d this week and %d a month; staff and temporary people give %.0f of %.0f hours",
					w.OvertimePerHead, m.overtime[t], m.skill.Overtime.HoursPerMonth, own, w.RequiredP50),
			})
		}
		if w.CloudPaid > 0 {
			by := m.week(t - m.skill.Cloud.LeadWeeks)
			out = append(out, Decision{
				Kind: CloudKind, Hours: float64(w.CloudPaid), OrderBy: by, SlackDays: by.Sub(m.in.AsOf), WorksFrom: w.Start, Until: m.week(t + 1),
				Cost: w.Cost.Cloud, Saves: m.savedBy(t, w, w.CloudHours, w.Cost.Cloud),
				Reason: fmt.Sprintf("%d one-hour slots of at most %d; staff, temporary people and overtime give %.0f of %.0f hours",
					w.CloudPaid, m.skill.Cloud.MaxHours, own+w.OvertimeHours, w.RequiredP50),
			})
		}
	}
	return out
}

// savedBy is the shortage that hours of a week avoid, less what they cost.
func (m *model) savedBy(t int, w WeekPlan, hours float64, cost money.Fen) money.Fen {
	more := m.demand[t].short(w.EffectiveHours-hours) - w.ShortHours
	return fen(more*yuan(m.skill.Weeks[t].Shortage)) - cost
}

// irretrievable lists, for every week that staff leaves short, the means that can no longer be ordered for it.
func (m *model) irretrievable(weeks []WeekPlan) []Lost {
	var out []Lost
	for t, w := range weeks {
		gap := w.RequiredP50 - w.StaffHours
		if gap <= certain {
			continue
		}
		lost := Lost{
			Week: w.Start, Gap: gap, FromTemps: w.TempHours, FromOvertime: w.OvertimeHours, FromCloud: w.CloudHours,
			Open: max(0, -w.GapHours),
		}
		add := func(kind Kind, name string, by calendar.Date, what string) {
			l := lost
			l.Kind, l.Name, l.OrderBy = kind, name, by
			l.Reason = fmt.Sprintf("%s had to be ordered by %s; staff misses %.0f h of what P50 asks for in that week: temporary people give %.0f, overtime %.0f, cloud agents %.0f, which also guards against more than P50; %.0f stay open",
				what, by, gap, l.FromTemps, l.FromOvertime, l.FromCloud, l.Open)
			out = append(out, l)
		}
		for _, c := range m.columns {
			switch {
			case !m.lost(c):
			case c.kind == ClassKind && c.first == t:
				add(ClassKind, "", c.order, "a class for the week of "+w.Start.String())
			case c.kind == TempKind && c.hours[t] > 0:
				add(TempKind, c.name, c.order, fmt.Sprintf("the cohort %q for the week of %s", c.name, w.Start))
			}
		}
		if c := m.skill.Cloud; c != nil && c.MaxHours > 0 && m.cloudMost[t] == 0 {
			add(CloudKind, "", m.week(t-c.LeadWeeks), "cloud agents for the week of "+w.Start.String())
		}
	}
	return out
}
