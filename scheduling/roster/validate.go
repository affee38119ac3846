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

// mostTemplates is how many kinds of shift the optimiser can number.
const mostTemplates = math.MaxInt16

// mostLedger is how many nights or weekends somebody may have worked: more than a working life has.
const mostLedger = 10_000

// hourText is a length of time as files write it: 8h, 8.5h, and 9h5m where decimals would not end.
func hourText(d time.Duration) string {
	if d%(15*time.Minute) == 0 {
		return strconv.FormatFloat(d.Hours(), 'f', -1, 64) + "h"
	}
	return calendar.SlotName(d)
}

type complaints []fault.Field

// add notes a bad field with the value as a file would write it.
func (c *complaints) add(path string, value any, format string, args ...any) {
	switch v := value.(type) {
	case time.Duration:
		value = hourText(v)
	case time.Time:
		value = v.Format(time.RFC3339)
	}
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
	sound := !slices.ContainsFunc(bad, func(f fault.Field) bool { // what locked shifts are judged by
		return slices.ContainsFunc([]string{"location", "range", "rules", "agents", "sites"}, func(root string) bool { return within(f.Path, root) })
	})
	p.validateLocked(&bad, sound)
	return fault.Bad("roster.problem", "roster problem", bad)
}

// lengthNamed is a length of time with the end of its path.
type lengthNamed struct {
	name   string
	length time.Duration
}

func onGrid(d time.Duration) bool { return d%finest == 0 }

func (p Problem) validateTemplates(bad *complaints) {
	seen := map[string]bool{}
	switch n := len(p.Templates); {
	case n == 0:
		bad.add("templates", "", "give at least one shift template")
	case n > mostTemplates:
		bad.add("templates", n, "must be at most %d", mostTemplates)
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
		after, work, soonest := time.Duration(0), t.Length, time.Duration(0)
		for k, q := range t.Pauses {
			if q.Kind.Unpaid() {
				work -= q.Length
			}
			where := fmt.Sprintf("%s.pauses[%d]", at, k)
			if q.Kind != scheduling.Break && !q.Kind.Unpaid() {
				bad.add(where+".kind", q.Kind, "must be meal, break or gap")
			}
			if q.Length <= 0 || !onGrid(q.Length) {
				bad.add(where+".length", q.Length, "must be above 0 and in steps of 5 minutes")
			}
			for _, clock := range []lengthNamed{{".earliest", q.Earliest}, {".latest", q.Latest}} {
				if !onGrid(clock.length) {
					bad.add(where+clock.name, clock.length, "must be in steps of 5 minutes")
				}
			}
			switch {
			case q.Latest < q.Earliest:
				bad.add(where+".latest", q.Latest, "must not be before earliest, %s", hourText(q.Earliest))
			case q.Earliest < after:
				bad.add(where+".earliest", q.Earliest, "must be 0 or more and after the end of the pause before it, %s after the start", hourText(after))
			case t.Length > 0 && q.Latest+q.Length > t.Length:
				bad.add(where+".latest", q.Latest, "must let the pause end inside the shift: at most %s", hourText(t.Length-q.Length))
			}
			after = q.Latest + q.Length
			if q.Apart < 0 || !onGrid(q.Apart) {
				bad.add(where+".apart", q.Apart, "must be 0 or more and in steps of 5 minutes")
			}
			if k > 0 {
				soonest += q.Apart
			}
			soonest = max(soonest, q.Earliest)
			if soonest > q.Latest && q.Latest >= q.Earliest {
				bad.add(where+".apart", q.Apart, "leaves no room: this pause could begin %s after the start at the soonest, and has to by %s", hourText(soonest), hourText(q.Latest))
			}
			soonest += q.Length
		}
		if most := LongestDay(p.Rules); work > most {
			bad.add(at+".length", t.Length, "%s", TooLong(work, most))
		}
	}
}

// LongestDay is the most that anybody may work on one day, by whatever regime and with all overtime (劳动法 §41).
func LongestDay(rules workrules.Params) time.Duration {
	return max(rules.NormalDay+rules.OvertimeSpecial, rules.ComprehensiveDay)
}

// TooLong says so of a shift with more work than most.
func TooLong(work, most time.Duration) string {
	return fmt.Sprintf("is %s of work; nobody may work more than %s a day (劳动法 §41, docs/rules.md)", hourText(work), hourText(most))
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
		if problem := between(a.Wage, 0, mostYuan, " yuan an hour"); problem != "" {
			bad.add(at+".wage", a.Wage, "%s", problem)
		}
		switch most := maxGridSlots * finest; {
		case a.MinWork < 0 || a.MinWork > most:
			bad.add(at+".min_work", a.MinWork, "must be 0 to %s, the hours of 13 weeks", hourText(most))
		case a.MaxWork < 0 || a.MaxWork > most:
			bad.add(at+".max_work", a.MaxWork, "must be 0 (no ceiling) to %s, the hours of 13 weeks", hourText(most))
		case a.MaxWork > 0 && a.MinWork > a.MaxWork:
			bad.add(at+".min_work", a.MinWork, "must be at most max_work, %s", hourText(a.MaxWork))
		}
		if l := a.Ledger; l.Nights < 0 || l.Weekends < 0 || l.Nights > mostLedger || l.Weekends > mostLedger {
			bad.add(at+".ledger", fmt.Sprintf("%d nights, %d weekends", l.Nights, l.Weekends), "must be 0 to %d each", mostLedger)
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
			if problem := between(w.Weight, -mostYuan, mostYuan, " yuan"); problem != "" {
				bad.add(fmt.Sprintf("%s.preferences[%d].weight", at, k), w.Weight, "%s", problem)
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
			bad.add(at+".slot", r.Slot, "must be 5m to 24h in steps of 5 minutes")
		}
		for k, n := range r.Needs {
			where := fmt.Sprintf("%s.needs[%d]", at, k)
			if k > 0 && n.Start.Before(r.Needs[k-1].Start.Add(max(r.Slot, 0))) {
				bad.add(where+".start", n.Start.Format(time.RFC3339), "must be at least one slot after the need before it")
			}
			if n.Start.Truncate(finest) != n.Start {
				bad.add(where+".start", n.Start.Format(time.RFC3339), "must be a multiple of 5 minutes")
			}
			if n.Heads < 0 || n.Heads > 30000 {
				bad.add(where+".heads", n.Heads, "must be 0 to 30000")
			}
			if !(n.Paid >= 0 && n.Paid <= 30000) {
				bad.add(where+".paid", n.Paid, "must be 0 to 30000")
			}
			if problem := between(n.Value, 0, mostYuan, " yuan"); problem != "" {
				bad.add(where+".value", n.Value, "%s", problem)
			}
			*bad = append(*bad, n.WorthFields(where)...)
			if len(n.Worth) > 0 && n.Worth[0].Value > mostYuan { // the others are not above it
				bad.add(where+".worth[0].value", n.Worth[0].Value, "%s", between(n.Worth[0].Value, 0, mostYuan, " yuan"))
			}
		}
	}
}

func (p Problem) validateWeights(bad *complaints) {
	for _, x := range []struct {
		name        string
		value, most float64
		unit        string
	}{
		{"hour", p.Relief.Hour, mostYuan, " yuan"},
		{"temp", p.Relief.Temp, mostYuan, " yuan"},
		{"temp_hours", p.Relief.TempHours, 24, " hours"},
		{"seat", p.Relief.Seat, mostYuan, " yuan"},
	} {
		if problem := between(x.value, 0, x.most, x.unit); problem != "" {
			bad.add("relief."+x.name, x.value, "%s", problem)
		}
	}
	*bad = append(*bad, p.Weights.problems()...)
}

// validateLocked runs last: only with a sound calendar and sound persons can shifts be judged.
func (p Problem) validateLocked(bad *complaints, sound bool) {
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
		if p.Range.Valid() && !p.Range.Contains(s.Start) {
			bad.add(at+".start", s.Start.Format(time.RFC3339), "must lie in the range; earlier shifts are history")
		}
		if (scheduling.Roster{Shifts: []scheduling.Shift{s}}).Validate() != nil {
			bad.add(at, s.Start.Format(time.RFC3339), "must have a positive length of at most 24 h with its activities inside and in order")
		}
		own[s.Agent] = append(own[s.Agent], s)
	}
	if sound && !p.LeastViolating {
		p.validateLockedSeats(bad)
	}
	if p.validateOutside(bad); sound {
		p.judgeLocked(bad, own)
	}
}

// validateOutside checks the shifts before and after the range.
func (p Problem) validateOutside(bad *complaints) {
	for i, a := range p.Agents {
		for k, s := range a.History {
			if s.Agent != a.Person.ID || p.Range.Valid() && !s.Start.Before(p.Range.Start) {
				bad.add(fmt.Sprintf("agents[%d].history[%d]", i, k), s.Start.Format(time.RFC3339), "must be a shift of this agent before the range")
			}
		}
		for k, s := range a.Later {
			if s.Agent != a.Person.ID || p.Range.Valid() && s.Start.Before(p.Range.End) {
				bad.add(fmt.Sprintf("agents[%d].later[%d]", i, k), s.Start.Format(time.RFC3339), "must be a shift of this agent after the range")
			}
		}
	}
}

// judgeLocked says which hard rules are broken before any shift is added.
func (p Problem) judgeLocked(bad *complaints, own map[ids.Agent][]scheduling.Shift) {
	frame := workrules.NewFrame(p.Range, p.Holidays, p.Location, p.Rules)
	for i, a := range p.Agents {
		if len(own[a.Person.ID])+len(a.Person.Sessions) == 0 {
			continue
		}
		shifts := slices.Concat(a.History, own[a.Person.ID], a.Later)
		slices.SortStableFunc(shifts, func(x, y scheduling.Shift) int { return x.Start.Compare(y.Start) })
		for _, v := range workrules.NewJudge(frame, a.Person).Explain(shifts) {
			if v.Hard && (!p.LeastViolating || v.Rule == "shift.overlap") { // nobody is in two places, asked or not
				bad.add(p.heldField(i, v.Range), a.Person.ID, "%s breaks %s %s: %s (%s)", a.Person.ID, v.Rule, heldSays, v.Sentence.EN, v.Sentence.ZH)
			}
		}
		if work := workIn(own[a.Person.ID], p.Range); a.MaxWork > 0 && work > a.MaxWork {
			bad.add(fmt.Sprintf("agents[%d].max_work", i), a.MaxWork, "locked shifts of %s exceed it %s", hourText(work), heldSays)
		}
	}
}

// heldSays marks what is wrong with shifts only in the light of other fields.
const heldSays = "before any shift is added"

// heldField names what holds an agent to something illegal in a stretch of time: the last locked shift of it, else the
// last one before its end, else the sessions.
func (p Problem) heldField(agent int, r calendar.Range) string {
	id, best := p.Agents[agent].Person.ID, -1
	for i, s := range p.Locked {
		if s.Agent == id && s.Start.Before(r.End) && (best < 0 || s.Start.After(p.Locked[best].Start)) {
			best = i
		}
	}
	if best < 0 || len(p.Agents[agent].Person.Sessions) > 0 && !p.Locked[best].Range().Overlaps(r) {
		return fmt.Sprintf("agents[%d].sessions", agent)
	}
	return fmt.Sprintf("locked[%d].start", best)
}

func workIn(shifts []scheduling.Shift, r calendar.Range) (sum time.Duration) {
	for _, s := range shifts {
		if r.Contains(s.Start) {
			sum += s.WorkTime()
		}
	}
	return sum
}
