package planning

import (
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// houseTemplates are the shifts a planner gets without declaring any: eight hours of work with a
// one-hour meal, starting every half hour from 08:00 to 15:00, with two paid breaks. They cover
// the two-shift practice of shop customer service (early 08-17, late 15-24).
func houseTemplates() []roster.Template {
	return roster.StartWindow{
		Prefix: "D", From: 8 * time.Hour, Until: 15 * time.Hour, Step: 30 * time.Minute, Lengths: []time.Duration{9 * time.Hour},
		Pauses: []roster.Pause{
			{Kind: scheduling.Break, Length: 15 * time.Minute, Earliest: 90 * time.Minute, Latest: 150 * time.Minute},
			{Kind: scheduling.Meal, Length: time.Hour, Earliest: 3 * time.Hour, Latest: 5 * time.Hour},
			{Kind: scheduling.Break, Length: 15 * time.Minute, Earliest: 6 * time.Hour, Latest: 7*time.Hour + 30*time.Minute},
		},
	}.Expand()
}

// rosterAgents turns people into what the optimiser and the rules need. Agency and cloud agents are
// held to standard hours only: the date of an agency post is not on file, and cloud agents need
// templates of whole slots before their own rules can bind.
func rosterAgents(people []workforce.Agent, history []scheduling.Shift, span calendar.Range, zone *time.Location) ([]roster.Agent, error) {
	past := map[string][]scheduling.Shift{}
	for _, s := range history {
		past[string(s.Agent)] = append(past[string(s.Agent)], s)
	}
	out := make([]roster.Agent, 0, len(people))
	for _, a := range people {
		if !employedIn(a, span, zone) {
			continue
		}
		closed, err := unavailable(a, span, zone)
		if err != nil {
			return nil, err
		}
		person := workrules.Person{
			ID: a.ID, Regime: workrules.Standard, Employed: a.Employed, OvertimeAgreed: a.OvertimeAgreed, Unavailable: closed,
		}
		switch a.Employment {
		case workforce.PartTime:
			person.Regime = workrules.PartTime
		case workforce.Comprehensive:
			person.Regime = workrules.Comprehensive
		case workforce.Intern:
			person.Engagement = workrules.Intern
		}
		for _, c := range a.Conditions {
			person.Conditions = append(person.Conditions, workrules.Condition{Kind: conditionKind(c.Condition), Dates: c.Dates})
		}
		for _, s := range a.Skills {
			person.Skills = append(person.Skills, workrules.Skill{Queue: s.Queue, Dates: s.Dates})
		}
		out = append(out, roster.Agent{Person: person, Wage: float64(a.Wage) / 100, History: past[string(a.ID)]})
	}
	return out, nil
}

func conditionKind(c workforce.Condition) workrules.ConditionKind {
	switch c {
	case workforce.Pregnant7:
		return workrules.PregnantLate
	case workforce.Nursing:
		return workrules.Nursing
	default:
		return workrules.Minor
	}
}

func employedIn(a workforce.Agent, span calendar.Range, zone *time.Location) bool {
	for d := range span.Dates(zone) {
		if a.Employed.Contains(d) {
			return true
		}
	}
	return false
}

// unavailable joins declared absences with the complement of the weekly availability.
func unavailable(a workforce.Agent, span calendar.Range, zone *time.Location) ([]calendar.Range, error) {
	closed := slices.Clone(a.Unavailable)
	if a.Availability == "" {
		return closed, nil
	}
	hours, err := forecast.ParseHours(a.Availability)
	if err != nil {
		return nil, err
	}
	reach := calendar.Range{Start: span.Start, End: span.End.Add(24 * time.Hour)} // the last shift may end a day later
	for slot := range reach.Slots(calendar.Slot) {
		local := slot.Start.In(zone)
		if hours.Open(local.Weekday(), local.Hour()*60+local.Minute()) {
			continue
		}
		if n := len(closed); n > 0 && closed[n-1].End.Equal(slot.Start) {
			closed[n-1].End = slot.End
		} else {
			closed = append(closed, slot)
		}
	}
	return closed, nil
}
