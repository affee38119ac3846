package roster

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// finest is the smallest grid that shifts, pauses and slots may need.
const finest = 5 * time.Minute

// maxGridSlots bounds memory: 13 weeks of 5-minute slots.
const maxGridSlots = 13 * 7 * 24 * 12

func hourText(d time.Duration) string {
	return strconv.FormatFloat(d.Hours(), 'f', -1, 64) + "h"
}

type complaints []fault.Field

func (c *complaints) add(path string, value any, format string, args ...any) {
	*c = append(*c, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: fmt.Sprintf(format, args...)})
}

// Validate reports every bad field at once. Locked shifts that break a hard rule are bad fields:
// no roster could keep them and the law.
func (p Problem) Validate() error {
	var bad complaints
	if p.Location == nil {
		bad.add("location", "", "is missing")
	}
	if !p.Range.Valid() {
		bad.add("range", p.Range.Start.Format(time.RFC3339), "must end after it begins")
	} else if p.Range.Duration() > maxGridSlots*finest {
		bad.add("range", p.Range.Duration(), "must be at most 13 weeks")
	} else if p.Range.Start.Truncate(finest) != p.Range.Start {
		bad.add("range.start", p.Range.Start.Format(time.RFC3339), "must be a multiple of 5 minutes")
	}
	if err := p.Rules.Validate(); err != nil {
		bad = append(bad, fault.Of(err).Fields...)
	}
	p.validateTemplates(&bad)
	p.validateAgents(&bad)
	p.validateDemand(&bad)
	p.validateWeights(&bad)
	p.validateSites(&bad)
	if len(bad) == 0 {
		p.validateLocked(&bad)
	}
	return fault.Bad("roster.problem", "roster problem", bad)
}

func onGrid(d time.Duration) bool { return d%finest == 0 }

func (p Problem) validateTemplates(bad *complaints) {
	seen := map[string]bool{}
	if len(p.Templates) == 0 {
		bad.add("templates", "", "give at least one shift template")
	}
	for i, t := range p.Templates {
		at := fmt.Sprintf("templates[%d]", i)
		switch {
		case t.Code == "":
			bad.add(at+".code", "", "is empty")
		case seen[t.Code]:
			bad.add(at+".code", t.Code, "is used twice")
		}
		seen[t.Code] = true
		if t.Start < 0 || t.Start >= 24*time.Hour || !onGrid(t.Start) {
			bad.add(at+".start", t.Start, "must be from 0 to under 24 h in steps of 5 minutes")
		}
		if t.Length <= 0 || t.Length > 16*time.Hour || !onGrid(t.Length) {
			bad.add(at+".length", t.Length, "must be above 0 and at most 16 h in steps of 5 minutes")
		}
		if len(t.Pauses) > maxPauses {
			bad.add(at+".pauses", len(t.Pauses), "at most %d pauses in a shift", maxPauses)
		}
		after, work := time.Duration(0), t.Length
		for k, q := range t.Pauses {
			if q.Kind.Unpaid() {
				work -= q.Length
			}
			where := fmt.Sprintf("%s.pauses[%d]", at, k)
			if q.Kind != scheduling.Break && !q.Kind.Unpaid() {
				bad.add(where+".kind", q.Kind, "must be meal, break or gap")
			}
			if q.Length <= 0 || !onGrid(q.Length) || !onGrid(q.Earliest) || !onGrid(q.Latest) {
				bad.add(where+".length", q.Length, "length, earliest and latest must be in steps of 5 minutes and the length above 0")
			}
			if q.Earliest < after || q.Latest < q.Earliest || q.Latest+q.Length > t.Length {
				bad.add(where, q.Latest, "must lie inside the shift, earliest before latest, after the pause before it")
			}
			after = q.Latest + q.Length
		}
		if most := max(p.Rules.NormalDay+p.Rules.OvertimeSpecial, p.Rules.ComprehensiveDay); work > most {
			bad.add(at+".length", t.Length, "is %s of work; nobody may work more than %s a day (劳动法 §41, docs/rules.md)", hourText(work), hourText(most))
		}
	}
}

func (p Problem) validateAgents(bad *complaints) {
	seen := map[ids.Agent]bool{}
	for i, a := range p.Agents {
		at := fmt.Sprintf("agents[%d]", i)
		*bad = append(*bad, a.Person.Validate(at)...)
		if seen[a.Person.ID] {
			bad.add(at+".id", a.Person.ID, "is used twice")
		}
		seen[a.Person.ID] = true
		if !(a.Wage >= 0) || math.IsInf(a.Wage, 0) {
			bad.add(at+".wage", a.Wage, "must be 0 or more")
		}
		if a.MinWork < 0 || a.MaxWork < 0 || a.MaxWork > 0 && a.MinWork > a.MaxWork {
			bad.add(at+".min_work", a.MinWork, "must be 0 or more and at most max_work")
		}
		for k, code := range a.Templates {
			if !slices.ContainsFunc(p.Templates, func(t Template) bool { return t.Code == code }) {
				bad.add(fmt.Sprintf("%s.templates[%d]", at, k), code, "is not a template of this problem")
			}
		}
		for k, w := range a.Preferences {
			if w.Template != "" && !slices.ContainsFunc(p.Templates, func(t Template) bool { return t.Code == w.Template }) {
				bad.add(fmt.Sprintf("%s.preferences[%d].template", at, k), w.Template, "is not a template of this problem")
			}
			if math.IsNaN(w.Weight) || math.IsInf(w.Weight, 0) {
				bad.add(fmt.Sprintf("%s.preferences[%d].weight", at, k), w.Weight, "must be a number")
			}
		}
	}
}

func (p Problem) validateDemand(bad *complaints) {
	seen := map[ids.Queue]bool{}
	for i, r := range p.Demand {
		at := fmt.Sprintf("demand[%d]", i)
		if problem := ids.Check(string(r.Queue)); problem != "" {
			bad.add(at+".queue", r.Queue, "%s", problem)
		}
		if seen[r.Queue] {
			bad.add(at+".queue", r.Queue, "is given twice")
		}
		seen[r.Queue] = true
		if r.Slot < finest || r.Slot > 24*time.Hour || !onGrid(r.Slot) {
			bad.add(at+".slot", r.Slot, "must be 5 minutes to 24 h in steps of 5 minutes")
			continue
		}
		for k, n := range r.Needs {
			where := fmt.Sprintf("%s.needs[%d]", at, k)
			if k > 0 && n.Start.Before(r.Needs[k-1].Start.Add(r.Slot)) {
				bad.add(where+".start", n.Start.Format(time.RFC3339), "must be at least one slot after the need before it")
			}
			if n.Start.Truncate(finest) != n.Start {
				bad.add(where+".start", n.Start.Format(time.RFC3339), "must be a multiple of 5 minutes")
			}
			if n.Heads < 0 || n.Heads > 30000 || !(n.Paid >= 0 && n.Paid <= 30000) || !(n.Value >= 0) || math.IsInf(n.Value, 0) {
				bad.add(where, n.Heads, "heads and paid must be 0 to 30000 and value 0 or more")
			}
			*bad = append(*bad, n.WorthFields(where)...)
		}
	}
}

func (p Problem) validateWeights(bad *complaints) {
	for name, v := range map[string]float64{"hour": p.Relief.Hour, "temp": p.Relief.Temp, "temp_hours": p.Relief.TempHours, "seat": p.Relief.Seat} {
		if !(v >= 0) || math.IsInf(v, 0) {
			bad.add("relief."+name, v, "must be 0 or more")
		}
	}
	*bad = append(*bad, p.Weights.problems()...)
}

// validateLocked runs last: it needs a sound calendar and sound persons.
func (p Problem) validateLocked(bad *complaints) {
	frame := workrules.NewFrame(p.Range, p.Holidays, p.Location, p.Rules)
	own := map[ids.Agent][]scheduling.Shift{}
	known := map[ids.Agent]bool{}
	for _, a := range p.Agents {
		known[a.Person.ID] = true
	}
	for i, s := range p.Locked {
		at := fmt.Sprintf("locked[%d]", i)
		if !known[s.Agent] {
			bad.add(at+".agent", s.Agent, "is not an agent of this problem")
		}
		if !p.Range.Contains(s.Start) {
			bad.add(at+".start", s.Start.Format(time.RFC3339), "must lie in the range; earlier shifts are history")
		}
		if (scheduling.Roster{Shifts: []scheduling.Shift{s}}).Validate() != nil {
			bad.add(at, s.Start.Format(time.RFC3339), "must have a positive length of at most 24 h with its activities inside and in order")
		}
		own[s.Agent] = append(own[s.Agent], s)
	}
	if !p.LeastViolating {
		p.validateLockedSeats(bad)
	}
	for i, a := range p.Agents {
		for k, s := range a.History {
			if s.Agent != a.Person.ID || !s.Start.Before(p.Range.Start) {
				bad.add(fmt.Sprintf("agents[%d].history[%d]", i, k), s.Start.Format(time.RFC3339), "must be a shift of this agent before the range")
			}
		}
		for k, s := range a.Later {
			if s.Agent != a.Person.ID || s.Start.Before(p.Range.End) {
				bad.add(fmt.Sprintf("agents[%d].later[%d]", i, k), s.Start.Format(time.RFC3339), "must be a shift of this agent after the range")
			}
		}
		if len(own[a.Person.ID])+len(a.Person.Sessions) == 0 {
			continue
		}
		shifts := slices.Concat(a.History, own[a.Person.ID], a.Later)
		slices.SortStableFunc(shifts, func(x, y scheduling.Shift) int { return x.Start.Compare(y.Start) })
		for _, v := range workrules.NewJudge(frame, a.Person).Explain(shifts) {
			if v.Hard && (!p.LeastViolating || v.Rule == "shift.overlap") { // nobody is in two places, asked or not
				bad.add(heldField(i, own[a.Person.ID]), a.Person.ID, "breaks %s before any shift is added: %s (%s)", v.Rule, v.Sentence.EN, v.Sentence.ZH)
			}
		}
		if work := workIn(own[a.Person.ID], p.Range); a.MaxWork > 0 && work > a.MaxWork {
			bad.add("locked", a.Person.ID, "locked shifts of %s exceed max_work %s", work, a.MaxWork)
		}
	}
}

// heldField names what holds an agent to something illegal: locked shifts, else the sessions.
func heldField(agent int, locked []scheduling.Shift) string {
	if len(locked) > 0 {
		return "locked"
	}
	return fmt.Sprintf("agents[%d].sessions", agent)
}

func workIn(shifts []scheduling.Shift, r calendar.Range) (sum time.Duration) {
	for _, s := range shifts {
		if r.Contains(s.Start) {
			sum += s.WorkTime()
		}
	}
	return sum
}
