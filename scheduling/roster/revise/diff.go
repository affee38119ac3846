package revise

import (
	"maps"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// Diff is what two rosters differ in. Shifts without a difference are left out.
type Diff struct {
	Added   []scheduling.Shift `json:"added"`
	Removed []scheduling.Shift `json:"removed"`
	Moved   []Change           `json:"moved"`   // the same agent and day at another time
	Retaken []Change           `json:"retaken"` // the same time with other parts: pauses, queues, code
	Agents  []HoursChange      `json:"agents"`  // whose working time differs
	Before  Totals             `json:"before"`
	After   Totals             `json:"after"`
}

// HoursChange is the working time of one agent in both.
type HoursChange struct {
	Agent  ids.Agent `json:"agent"`
	Before float64   `json:"before_hours"`
	After  float64   `json:"after_hours"`
}

// Totals of one roster. The yuan and the head-hours are there when a requirement is known.
type Totals struct {
	Shifts int     `json:"shifts"`
	Agents int     `json:"agents"`
	Hours  float64 `json:"hours"` // of working time

	Needed  float64 `json:"needed_hours,omitempty"`
	Missing float64 `json:"missing_hours,omitempty"`
	Short   float64 `json:"short_yuan,omitempty"`
	Over    float64 `json:"over_yuan,omitempty"`
	Wages   float64 `json:"wages_yuan,omitempty"` // as the law pays the hours; of salaries only what comes on top
}

// Cost in yuan.
func (t Totals) Cost() float64 { return t.Short + t.Over + t.Wages }

// Compare tells what two rosters differ in, by agent and time.
func Compare(before, after []scheduling.Shift, zone *time.Location) Diff {
	d := Diff{
		Added: []scheduling.Shift{}, Removed: []scheduling.Shift{}, Moved: []Change{}, Retaken: []Change{}, Agents: []HoursChange{},
		Before: TotalsOf(before), After: TotalsOf(after),
	}
	for _, c := range Between(before, after, zone) {
		switch {
		case c.Before == nil:
			d.Added = append(d.Added, *c.After)
		case c.After == nil:
			d.Removed = append(d.Removed, *c.Before)
		case c.Before.Start.Equal(c.After.Start) && c.Before.End.Equal(c.After.End):
			d.Retaken = append(d.Retaken, c)
		default:
			d.Moved = append(d.Moved, c)
		}
	}
	was, becomes := WorkOf(before), WorkOf(after)
	both := maps.Clone(was)
	maps.Copy(both, becomes)
	for _, a := range slices.Sorted(maps.Keys(both)) {
		if was[a] != becomes[a] {
			d.Agents = append(d.Agents, HoursChange{Agent: a, Before: was[a].Hours(), After: becomes[a].Hours()})
		}
	}
	return d
}

// WorkOf is the working time of each agent.
func WorkOf(shifts []scheduling.Shift) map[ids.Agent]time.Duration {
	out := map[ids.Agent]time.Duration{}
	for _, s := range shifts {
		out[s.Agent] += s.WorkTime()
	}
	return out
}

// TotalsOf are those of shifts, not priced yet.
func TotalsOf(shifts []scheduling.Shift) Totals {
	work := WorkOf(shifts)
	sum := time.Duration(0)
	for _, d := range work {
		sum += d
	}
	return Totals{Shifts: len(shifts), Agents: len(work), Hours: sum.Hours()}
}

// Priced adds what a board says that counts the shifts.
func (t Totals) Priced(b *Board) Totals {
	t.Short, t.Over = b.Price()
	t.Needed, t.Missing = b.Hours()
	return t
}

// Demand is what shifts are priced against.
type Demand struct {
	Needs   []scheduling.Requirement
	Weights roster.Weights
	Payroll *Payroll
}

// Board counts shifts against the demand over a span.
func (d Demand) Board(span calendar.Range, shifts []scheduling.Shift) *Board {
	b := NewBoard(span, d.Needs, d.Weights)
	for _, s := range shifts {
		b.Count(s, 1)
	}
	return b
}

// Wages are what shifts cost in wages, at the weight that wages have.
func (d Demand) Wages(shifts []scheduling.Shift) float64 {
	_, yuan := d.Payroll.Of(shifts)
	return d.Weights.Wage * yuan
}
