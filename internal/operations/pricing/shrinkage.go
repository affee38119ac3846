package pricing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing/people"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// People is how heads on the queue become paid people, where a caller does not leave it to the house. Empty
// fields take what is known, else the defaults.
type People struct {
	Rule      people.Rule     `json:"rule,omitempty"`      // "" = additive
	Causes    []people.Cause  `json:"causes,omitempty"`    // nil = training and meetings 4 %, leave as entered, else 3.5 %
	Absence   *people.Absence `json:"absence,omitempty"`   // nil = from published shifts to which nobody came, else 5 %
	Adherence *float64        `json:"adherence,omitempty"` // 排班遵从率, share of planned queue time really on the queue; nil = 1
	Ramp      people.Ramp     `json:"ramp,omitempty"`      // speed by weeks on the queue; nil = everybody is trained
	// Presence is the least probability that enough of the rostered come, in whole people; 0 = absence counts with its mean.
	Presence float64 `json:"presence,omitempty"`
}

// Shrinkage is how the heads of a plan became paid heads.
type Shrinkage struct {
	Share     float64         `json:"share"` // of paid time away from the queue, over the whole plan
	Flat      bool            `json:"flat,omitempty"`
	Rule      people.Rule     `json:"rule,omitempty"`
	Causes    []people.Cause  `json:"causes,omitempty"`
	Absence   people.Absence  `json:"absence,omitzero"`
	Adherence float64         `json:"adherence,omitempty"`
	Ramp      people.Ramp     `json:"ramp,omitempty"`
	Team      []people.Cohort `json:"team,omitempty"` // who knows the queue, by weeks on it
	Whole     bool            `json:"whole,omitempty"`
	Sources   []ShrinkSource  `json:"sources,omitempty"`
}

// ShrinkSource says where the share of a cause comes from.
type ShrinkSource struct {
	Cause string `json:"cause"`
	Says  string `json:"says"`
}

// What stands for causes that nobody measured or asked for: beliefs, together 12 %. Breaks are placed in the shifts themselves.
const (
	defaultTraining = 0.02
	defaultMeetings = 0.02
	defaultAbsence  = 0.05
	defaultLeave    = 0.035
)

const (
	causeLeave   = "leave"
	causeAbsence = "absence"
)

// problems are the bad fields of what was asked for.
func (a *People) problems() (bad []fault.Field) {
	if a == nil {
		return nil
	}
	s := Shrinkage{Rule: people.Additive, Adherence: 1, Ramp: a.Ramp, Causes: a.Causes}
	if a.Rule != "" {
		s.Rule = a.Rule
	}
	if a.Absence != nil {
		s.Absence = *a.Absence
	}
	if a.Adherence != nil {
		s.Adherence = *a.Adherence
	}
	in := s.input(nil, time.UTC)
	if a.Presence != 0 {
		in.Absence.Level = a.Presence
	}
	in.Shared = in.Absence.Level == 0
	if err := in.Validate(); err != nil {
		for _, f := range fault.Of(err).Fields {
			f.Path = "people." + f.Path
			if f.Path == "people.absence.level" && a.Presence != 0 {
				f.Path = "people.presence"
			}
			bad = append(bad, f)
		}
	}
	return bad
}

// input is a shrinkage as the engine takes it.
func (s Shrinkage) input(needs []people.Need, zone *time.Location) people.Input {
	return people.Input{
		Needs: needs, Causes: s.Causes, Rule: s.Rule, Absence: s.Absence, Adherence: s.Adherence, Ramp: s.Ramp, Team: s.Team, Location: zone, Shared: !s.Whole,
	}
}

// staff is what is known about absence and leave of everybody.
type staff struct {
	people []workforce.Agent
	days   []absentDay
	doubt  string
	dates  calendar.Dates // planned
	zone   *time.Location
}

// absentDay is who had a published shift on a day, and who of them was never on.
type absentDay struct {
	rostered, absent []ids.Agent
}

const (
	// absenceDays is how far back shifts are compared with what agents did.
	absenceDays = 56
	// leastAbsenceDays and leastAbsenceShifts say when the comparison tells anything.
	leastAbsenceDays   = 14
	leastAbsenceShifts = 100
)

// staff reads published shifts and who was on; days on which nobody was seen at all were not recorded.
func (p *Pricing) staff(ctx context.Context, by asker, h past, pay payroll, dates calendar.Dates) (staff, error) {
	out := staff{people: pay.people, dates: dates, zone: p.gate.Zone}
	span := h.last(absenceDays)
	shifts, err := store.All(func(page store.Page) ([]store.Shift, string, error) {
		return by.view.Shifts(ctx, store.ShiftFilter{State: store.Published, Range: span}, page)
	})
	if err != nil || len(shifts) == 0 {
		return out, err
	}
	readings, err := h.reader.Query(ctx, kpi.Query{Metrics: []kpi.Metric{"occupancy"}, By: []kpi.Dimension{kpi.ByAgent}, Grain: kpi.Day, Range: span})
	if err != nil {
		out.doubt, err = unmeasured(err)
		return out, err
	}
	on := map[calendar.Date]map[ids.Agent]bool{}
	for _, r := range readings {
		if day := calendar.DateOf(r.Start, p.gate.Zone); r.Denominator > 0 {
			if on[day] == nil {
				on[day] = map[ids.Agent]bool{}
			}
			on[day][r.Agent] = true
		}
	}
	out.days = compare(shifts, on, p.gate.Zone)
	return out, nil
}

// compare lays out by day who had a shift, and who of them was not on.
func compare(shifts []store.Shift, on map[calendar.Date]map[ids.Agent]bool, zone *time.Location) (out []absentDay) {
	index := map[calendar.Date]int{}
	slices.SortStableFunc(shifts, func(a, b store.Shift) int { return a.Start.Compare(b.Start) })
	for _, s := range shifts {
		day := calendar.DateOf(s.Start, zone)
		if on[day] == nil {
			continue
		}
		i, known := index[day]
		if !known {
			i = len(out)
			index[day], out = i, append(out, absentDay{})
		}
		if slices.Contains(out[i].rostered, s.Agent) {
			continue
		}
		out[i].rostered = append(out[i].rostered, s.Agent)
		last := calendar.DateOf(s.End.Add(-1), zone) // of a night shift the second day counts too
		if !on[day][s.Agent] && !on[last][s.Agent] {
			out[i].absent = append(out[i].absent, s.Agent)
		}
	}
	return out
}

// shrinkage is how the heads of a queue become paid ones: the flat share where one was asked for, else by cause.
func (s staff) shrinkage(queue ids.Queue, o Options) (Shrinkage, error) {
	if o.Shrinkage > 0 {
		return Shrinkage{Flat: true, Share: o.Shrinkage}, nil
	}
	a := People{}
	if o.People != nil {
		a = *o.People
	}
	out := Shrinkage{Rule: a.Rule, Causes: a.Causes, Adherence: 1, Ramp: a.Ramp, Whole: a.Presence > 0}
	if out.Rule == "" {
		out.Rule = people.Additive
	}
	if a.Adherence != nil {
		out.Adherence = *a.Adherence
	}
	knowing := s.knowing(queue)
	if out.Causes == nil {
		leave, says := s.leave(knowing)
		out.Causes = []people.Cause{
			{Name: "training", Stage: people.InShift, Share: defaultTraining},
			{Name: "meetings", Stage: people.InShift, Share: defaultMeetings},
			{Name: causeLeave, Stage: people.OutOfShift, Share: leave},
		}
		out.Sources = []ShrinkSource{{"training", assumed}, {"meetings", assumed}, {causeLeave, says}}
	}
	switch {
	case a.Absence != nil:
		out.Absence = *a.Absence
	default:
		var says string
		var err error
		if out.Absence, says, err = s.absence(knowing); err != nil {
			return out, err
		}
		out.Sources = append(out.Sources, ShrinkSource{causeAbsence, says})
	}
	if a.Presence > 0 {
		out.Absence.Level = a.Presence
	}
	out.Whole = out.Absence.Level > 0
	if len(out.Ramp) > 0 {
		out.Team = s.team(knowing, queue)
		out.Sources = append(out.Sources, ShrinkSource{"ramp", fmt.Sprintf("%d people by weeks on the queue", len(knowing))})
	}
	// Until the heads are known the share is that of 100 of them at noon of the first day.
	typical := scheduling.Requirement{Needs: []scheduling.Need{{Start: s.dates.From.In(s.zone).Add(12 * time.Hour), Heads: 100}}}
	return out, out.pay(&typical, s.zone)
}

// knowing are the people who know a queue on some planned day.
func (s staff) knowing(queue ids.Queue) (out []workforce.Agent) {
	for _, a := range s.people {
		for day := s.dates.From; day.Before(s.dates.Until); day = day.Add(1) {
			if knows(a, queue, day) {
				out = append(out, a)
				break
			}
		}
	}
	return out
}

// mostAway keeps shares that were read from entered leave or absence within what the engine takes.
const mostAway = 0.5

// leave is the share of the planned days that the people are away by what is entered.
func (s staff) leave(knowing []workforce.Agent) (share float64, says string) {
	away, days := 0.0, 0.0
	for _, a := range knowing {
		for day := s.dates.From; day.Before(s.dates.Until); day = day.Add(1) {
			if !a.Employed.Contains(day) {
				continue
			}
			days++
			noon := day.In(s.zone).Add(12 * time.Hour) // an absence of half a day is of whom it takes from the middle
			if slices.ContainsFunc(a.Unavailable, func(r calendar.Range) bool { return r.Contains(noon) }) {
				away++
			}
		}
	}
	if away == 0 {
		return defaultLeave, assumed
	}
	return min(away/days, mostAway), fmt.Sprintf("entered: %.0f of %.0f person-days", away, days)
}

// absence fits who did not come to published shifts; people.FitAbsence says how.
func (s staff) absence(knowing []workforce.Agent) (people.Absence, string, error) {
	of := map[ids.Agent]bool{}
	for _, a := range knowing {
		of[a.ID] = true
	}
	var days []people.AbsenceDay
	shifts, absent := 0, 0
	for _, d := range s.days {
		one := people.AbsenceDay{}
		for _, a := range d.rostered {
			if of[a] {
				one.Rostered++
			}
		}
		for _, a := range d.absent {
			if of[a] {
				one.Absent++
			}
		}
		if one.Rostered > 0 {
			days = append(days, one)
			shifts, absent = shifts+one.Rostered, absent+one.Absent
		}
	}
	usual := people.Absence{Share: defaultAbsence}
	switch {
	case s.doubt != "":
		return usual, assumed + ": " + s.doubt, nil
	case shifts == 0:
		return usual, assumed + ": no published shifts with recorded agent states", nil
	case len(days) < leastAbsenceDays || shifts < leastAbsenceShifts:
		return usual, fmt.Sprintf("%s: %d shifts on %d days say too little", assumed, shifts, len(days)), nil
	}
	fit, err := people.FitAbsence(days)
	fit.Share = min(fit.Share, mostAway)
	return fit, fmt.Sprintf("measured: %d of %d published shifts on %d days", absent, shifts, len(days)), err
}

// team is the people by whole weeks since they know the queue, on the first planned day.
func (s staff) team(knowing []workforce.Agent, queue ids.Queue) (out []people.Cohort) {
	for _, a := range knowing {
		since := a.Employed.From
		for _, k := range a.Skills {
			if k.Queue == queue && since.Before(k.From) {
				since = k.From
			}
		}
		weeks := max(0, s.dates.From.Sub(since)/7)
		i := slices.IndexFunc(out, func(c people.Cohort) bool { return c.TenureWeeks == weeks })
		if i < 0 {
			i = len(out)
			out = append(out, people.Cohort{Name: fmt.Sprintf("%d weeks", weeks), TenureWeeks: weeks})
		}
		out[i].Heads++
	}
	slices.SortFunc(out, func(a, b people.Cohort) int { return a.TenureWeeks - b.TenureWeeks })
	return out
}

// pay sets the paid heads of a requirement and the share that is away over all of it.
func (s *Shrinkage) pay(r *scheduling.Requirement, zone *time.Location) error {
	if s.Flat {
		for i := range r.Needs {
			r.Needs[i].Paid = float64(r.Needs[i].Heads) / (1 - s.Share)
		}
		return nil
	}
	needs := make([]people.Need, len(r.Needs))
	for i, n := range r.Needs {
		needs[i] = people.Need{Start: n.Start, Heads: n.Heads}
	}
	out, err := people.Plan(s.input(needs, zone))
	if err != nil {
		return err
	}
	heads, paid := 0.0, 0.0
	for i := range r.Needs {
		r.Needs[i].Paid = out.Slots[i].Payroll
		heads, paid = heads+float64(r.Needs[i].Heads), paid+out.Slots[i].Payroll
	}
	if paid > 0 {
		s.Share = 1 - heads/paid
	}
	return nil
}
