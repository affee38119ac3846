package roster

import (
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// adrift adds what a file says of people and days that the problem does not have. The house's own problems are not
// asked: an earlier roster may name who left since, and wishes stay on file beyond the days of one roster.
func (p Problem) adrift(bad *complaints) {
	known := map[ids.Agent]bool{}
	for i, a := range p.Agents {
		known[a.Person.ID] = true
		if !p.Range.Valid() {
			continue
		}
		first, last := calendar.DateOf(p.Range.Start, p.Location), calendar.DateOf(p.Range.End, p.Location).Add(-1)
		if born := a.Person.Born; !born.IsZero() && !born.Before(first) {
			bad.add(fmt.Sprintf("agents[%d].born", i), born, "must be before the dates of this problem, which begin on %s", first)
		}
		for k, w := range a.Preferences {
			at := fmt.Sprintf("agents[%d].preferences[%d].date", i, k)
			switch {
			case w.Date.IsZero():
				bad.add(at, "", "is missing: the day that the wish is about")
			case w.Date.Before(first) || last.Before(w.Date):
				bad.add(at, w.Date, "lies outside the dates of this problem, %s to %s", first, last)
			}
		}
	}
	p.strangeKinds(bad)
	for i, s := range p.Previous {
		at := fmt.Sprintf("previous[%d]", i)
		if !known[s.Agent] {
			bad.add(at+".agent", s.Agent, "is not an agent of this problem")
		}
		if (scheduling.Roster{Shifts: []scheduling.Shift{s}}).Validate() != nil {
			bad.add(at, s.Start.Format(time.RFC3339), "must have a positive length of at most 24 h with its activities inside and in order")
		}
	}
}

// strangeKinds adds activities of a kind that nobody knows: they would count as working time that covers nothing.
func (p Problem) strangeKinds(bad *complaints) {
	known := []scheduling.ActivityKind{scheduling.Work, scheduling.Meal, scheduling.Break, scheduling.Gap, scheduling.Training, scheduling.Meeting}
	look := func(list string, shifts []scheduling.Shift) {
		for i, s := range shifts {
			for k, a := range s.Activities {
				if !slices.Contains(known, a.Kind) {
					bad.add(fmt.Sprintf("%s[%d].activities[%d].kind", list, i, k), a.Kind, "must be work, meal, break or gap, or training or meeting, which cover no queue")
				}
			}
		}
	}
	look("locked", p.Locked)
	look("previous", p.Previous)
	for i := range p.Agents {
		look(fmt.Sprintf("agents[%d].history", i), p.Agents[i].History)
	}
}
