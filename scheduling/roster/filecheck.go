package roster

import (
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
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
	p.hollowTerms(bad)
	p.doubled(bad)
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

// hollowTerms adds what a file says of people and queues that could have no effect: the house keeps terms of queues
// beyond the dates of one roster, knows the posts of its people elsewhere, and who has a salary.
func (p Problem) hollowTerms(bad *complaints) {
	served := map[ids.Queue]bool{}
	for _, r := range p.Demand {
		served[r.Queue] = true
	}
	for i := range p.Agents {
		a, at := &p.Agents[i], fmt.Sprintf("agents[%d]", i)
		for _, s := range a.Person.Skills {
			served[s.Queue] = true
		}
		if a.Person.Engagement == workrules.Agency && a.Person.Assigned.From.IsZero() {
			bad.add(at+".assigned", "", "is missing: the dates of an agency worker's post, from which its months are counted (劳动合同法 §66)")
		}
		if how := paidByTheHour(a.Person); a.Salaried && how != "" {
			bad.add(at+".salaried", a.Salaried, "%s is paid by the hour, so no salary pays the normal hours (docs/rules.md)", how)
		}
	}
	for i, q := range p.Rules.Queues {
		if !served[q.Queue] && ids.Check(string(q.Queue)) == "" {
			bad.add(fmt.Sprintf("rules.queues[%d].queue", i), q.Queue, "is not a queue of the demand or of anybody's skills")
		}
	}
}

// paidByTheHour is the term of somebody without a salary; "" for employees of standard and comprehensive hours.
func paidByTheHour(p workrules.Person) string {
	switch {
	case p.Regime == workrules.PartTime:
		return string(p.Regime)
	case slices.Contains([]workrules.Engagement{workrules.Agency, workrules.Intern, workrules.Cloud}, p.Engagement):
		return string(p.Engagement)
	}
	return ""
}

// doubled adds what a file says twice of an agent, and would count twice.
func (p Problem) doubled(bad *complaints) {
	for i := range p.Agents {
		a, at := &p.Agents[i], fmt.Sprintf("agents[%d]", i)
		skills := map[workrules.Skill]int{}
		for k, s := range a.Person.Skills {
			if first, twice := skills[s]; twice {
				bad.add(fmt.Sprintf("%s.skills[%d].queue", at, k), s.Queue, "is also skills[%d]", first)
			} else {
				skills[s] = k
			}
		}
		type wish struct {
			date     calendar.Date
			template string
		}
		wishes := map[wish]int{}
		for k, w := range a.Preferences {
			if first, twice := wishes[wish{w.Date, w.Template}]; twice {
				bad.add(fmt.Sprintf("%s.preferences[%d].date", at, k), w.Date, "has the same template in preferences[%d]: a wish counts once", first)
			} else {
				wishes[wish{w.Date, w.Template}] = k
			}
		}
		overlapping(at+".history", a.History, bad)
	}
}

// overlapping adds every shift of a list, all of one agent, that begins before one that began earlier is over.
func overlapping(list string, shifts []scheduling.Shift, bad *complaints) {
	order := make([]int, len(shifts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, k int) int { return shifts[i].Start.Compare(shifts[k].Start) })
	last := -1 // the one that ends last
	for _, i := range order {
		if last >= 0 && shifts[i].Start.Before(shifts[last].End) {
			bad.add(fmt.Sprintf("%s[%d].start", list, i), shifts[i].Start, "lies in the shift of history[%d], which ends at %s", last, shifts[last].End.Format(time.RFC3339))
		}
		if last < 0 || shifts[i].End.After(shifts[last].End) {
			last = i
		}
	}
}
