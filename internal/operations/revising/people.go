package revising

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// LookBack is how much of the past the rules need: a month of overtime and the rest before.
const LookBack = 42 * 24 * time.Hour

// LookAhead is how much of the published future a roster must fit: a week of runs and rests.
const LookAhead = 7 * 24 * time.Hour

// People are those who are employed in a span as the rules and the optimiser see them, with what is
// published before and after it; only these agents, or all when none is named. An unknown agent is
// left out.
func (d *Desk) People(ctx context.Context, view *store.View, span calendar.Range, only []ids.Agent) ([]roster.Agent, error) {
	people, err := peopleOf(ctx, view, only)
	if err != nil {
		return nil, err
	}
	around, err := d.Published(ctx, view, calendar.Range{Start: span.Start.Add(-LookBack), End: span.End.Add(LookAhead)}, only)
	if err != nil {
		return nil, err
	}
	out, err := agents(people, around, span, d.policy.Zone)
	if err != nil {
		return nil, err
	}
	paid, err := d.Paid(ctx, view, span, nil)
	if err != nil {
		return nil, err
	}
	standing, err := gate.ReadStanding(ctx, view, calendar.Range{Start: span.Start.Add(-LookBack), End: span.End.Add(LookAhead)}, only)
	if err != nil {
		return nil, err
	}
	if err := d.payOf(ctx, view, span, out, standing, only); err != nil {
		return nil, err
	}
	for i := range out {
		standing.Fill(&out[i].Person)
		if out[i].Salaried {
			out[i].MinWork = d.contractHours(&out[i].Person, span, paid.Rules.NormalDay)
		}
		for date, time := range out[i].Unpaid { // a salary pays no more than the normal hours of a day
			out[i].Unpaid[date] = min(time, normalOn(&out[i].Person, date, paid.RulesOn(date).NormalDay))
		}
		if yuan, has := d.SalaryOf(paid, &out[i], span); has {
			out[i].Salary = new(yuan)
		}
	}
	return out, nil
}

// Rules are the rules as the house set them, with what it demands of those who serve each queue.
func (d *Desk) Rules(ctx context.Context, view *store.View) (workrules.Params, error) {
	return gate.HouseRules(ctx, view, d.policy.Rules)
}

// burdenDays is how far back the fairness of a new roster looks, ledgerDays the length of time in which
// it counts what somebody had more than others.
const burdenDays, ledgerDays = 90, 28

// Burdens fills the optimiser's fairness ledger of people from what was published before an instant:
// the nights and weekends that they had more than whoever had least, per day of employment and for four
// weeks, so that a newcomer does not make up for the months before it came.
func (d *Desk) Burdens(ctx context.Context, view *store.View, people []roster.Agent, before time.Time) error {
	span := calendar.Range{Start: before.Add(-burdenDays * 24 * time.Hour), End: before}
	rules, err := d.Rules(ctx, view)
	if err != nil {
		return err
	}
	past, err := gate.Burdens(ctx, view, span, gate.FairRulesOf(span, d.policy.Zone, d.policy.Holidays, rules))
	if err != nil {
		return err
	}
	first, next := calendar.DateOf(span.Start, d.policy.Zone), calendar.DateOf(span.End, d.policy.Zone)
	more := func(b leave.Burden) func(i int) int {
		rates, least := make([]float64, len(people)), math.Inf(1)
		for i, a := range people {
			days := burdenDays
			if from := a.Person.Employed.From; from.After(first) {
				days = next.Sub(from)
			}
			if days < ledgerDays {
				continue
			}
			rates[i] = float64(past[a.Person.ID].Counts[b]) / float64(days)
			least = min(least, rates[i])
		}
		return func(i int) int { return int(math.Round(max(0, rates[i]-least) * ledgerDays)) }
	}
	nights, weekends := more(leave.Night), more(leave.Weekend)
	for i := range people {
		people[i].Ledger = roster.Ledger{Nights: nights(i), Weekends: weekends(i)}
	}
	return nil
}

// AddBurdens adds the nights and weekends of shifts in a span to the fairness ledger of people.
func (d *Desk) AddBurdens(people []roster.Agent, shifts []scheduling.Shift, span calendar.Range, rules workrules.Params) {
	at := map[ids.Agent]*roster.Ledger{}
	for i := range people {
		at[people[i].Person.ID] = &people[i].Ledger
	}
	for _, row := range leave.FairRows(shifts, gate.FairRulesOf(span, d.policy.Zone, d.policy.Holidays, rules)) {
		ledger := at[row.Agent]
		if ledger == nil {
			continue
		}
		if slices.Contains(row.Burdens, leave.Night) {
			ledger.Nights++
		}
		if slices.Contains(row.Burdens, leave.Weekend) {
			ledger.Weekends++
		}
	}
}

func peopleOf(ctx context.Context, view *store.View, only []ids.Agent) ([]workforce.Agent, error) {
	if len(only) == 0 {
		return gate.Agents(ctx, view)
	}
	var people []workforce.Agent
	for _, id := range only {
		a, err := view.Agent(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		people = append(people, a.Value)
	}
	return people, nil
}

// Published are the binding shifts that share an instant with a range; only of these agents, or of all.
func (d *Desk) Published(ctx context.Context, view *store.View, r calendar.Range, only []ids.Agent) ([]scheduling.Shift, error) {
	return shiftsOf(ctx, view, store.ShiftFilter{State: store.Published, Agents: only, Range: r})
}

func shiftsOf(ctx context.Context, view *store.View, f store.ShiftFilter) ([]scheduling.Shift, error) {
	found, err := store.All(func(page store.Page) ([]store.Shift, string, error) { return view.Shifts(ctx, f, page) })
	if err != nil {
		return nil, err
	}
	out := make([]scheduling.Shift, len(found))
	for i, s := range found {
		out[i] = s.Shift
	}
	return out, nil
}

// HouseTemplates are the shifts a planner gets without declaring any: eight hours of work with a
// one-hour meal, starting every half hour from 08:00 to 15:00, with two paid breaks. They cover
// the two-shift practice of shop customer service (early 08-17, late 15-24).
func HouseTemplates() []roster.Template {
	return houseDay("D", 15*time.Hour, 15*time.Minute)
}

// nursingTemplates are the same day with both breaks half an hour long: the hour of nursing time
// (女职工劳动保护特别规定 §9). The last one ends when the night begins, which those who nurse do not work.
func nursingTemplates() []roster.Template {
	return houseDay("N", 13*time.Hour, workrules.NursingPause)
}

// breaksApart is the least work between two pauses: a break right after the meal only makes a longer meal, and leaves
// the hours after it without one.
const breaksApart = time.Hour

// houseDay starts every half hour from 08:00 until a last one, with two breaks of a length.
func houseDay(prefix string, until, rest time.Duration) []roster.Template {
	return roster.StartWindow{
		Prefix: prefix, From: 8 * time.Hour, Until: until, Step: 30 * time.Minute, Lengths: []time.Duration{9 * time.Hour},
		Pauses: []roster.Pause{
			{Kind: scheduling.Break, Length: rest, Earliest: 90 * time.Minute, Latest: 150 * time.Minute},
			{Kind: scheduling.Meal, Length: time.Hour, Earliest: 3 * time.Hour, Latest: 5 * time.Hour, Apart: breaksApart},
			{Kind: scheduling.Break, Length: rest, Earliest: 6 * time.Hour, Latest: 7*time.Hour + 30*time.Minute, Apart: breaksApart},
		},
	}.Expand()
}

// Templates are the shifts of the house for these people. Only who nurses at some time gets those with
// nursing time; the rules tell on which days of it the ordinary ones do not do.
func Templates(people []roster.Agent) []roster.Template {
	ordinary := HouseTemplates()
	if !slices.ContainsFunc(people, nurses) {
		return ordinary
	}
	var codes []string
	for _, t := range ordinary {
		codes = append(codes, t.Code)
	}
	for i := range people {
		if !nurses(people[i]) {
			people[i].Templates = codes
		}
	}
	return slices.Concat(ordinary, nursingTemplates())
}

func nurses(a roster.Agent) bool {
	return slices.ContainsFunc(a.Person.Conditions, func(c workrules.Condition) bool { return c.Kind == workrules.Nursing })
}

// agents turns people into what the optimiser and the rules need. Cloud agents are held to standard
// hours only: they need templates of whole slots before their own rules can bind. The term of an agency
// post binds once its dates are on file.
func agents(people []workforce.Agent, around []scheduling.Shift, span calendar.Range, zone *time.Location) ([]roster.Agent, error) {
	past, next := map[ids.Agent][]scheduling.Shift{}, map[ids.Agent][]scheduling.Shift{}
	for _, s := range around {
		switch {
		case s.Start.Before(span.Start):
			past[s.Agent] = append(past[s.Agent], s)
		case !s.Start.Before(span.End):
			next[s.Agent] = append(next[s.Agent], s)
		}
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
		person := personOf(a)
		person.Unavailable = closed
		for _, s := range a.Skills {
			person.Skills = append(person.Skills, workrules.Skill{Queue: s.Queue, Dates: s.Dates})
		}
		out = append(out, roster.Agent{Person: person, Site: seatOf(a), Wage: float64(a.Wage) / 100, Salaried: salaried(a.Employment), History: past[a.ID], Later: next[a.ID]})
	}
	return out, nil
}

// personOf is an agent's bond and conditions as the rules know them, without skills and absences.
func personOf(a workforce.Agent) workrules.Person {
	person := workrules.Person{
		ID: a.ID, Regime: workrules.Standard, Employed: a.Employed, OvertimeAgreed: a.OvertimeAgreed,
	}
	switch a.Employment {
	case workforce.PartTime:
		person.Regime = workrules.PartTime
	case workforce.Comprehensive:
		person.Regime = workrules.Comprehensive
	case workforce.Intern:
		person.Engagement = workrules.Intern
	case workforce.Agency:
		person.Engagement = workrules.Agency
	}
	for _, c := range a.Conditions {
		person.Conditions = append(person.Conditions, workrules.Condition{Kind: conditionKind(c.Condition), Dates: c.Dates})
	}
	return person
}

// OvertimeBar says why an agent's consent to overtime has no effect from a date on, and on which dates; ok is false
// when it has.
func OvertimeBar(a workforce.Agent, on calendar.Date) (says workrules.Text, dates calendar.Dates, ok bool) {
	person := personOf(a)
	return person.OvertimeBar(on)
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
