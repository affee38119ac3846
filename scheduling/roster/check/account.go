package check

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// book is what the account of a file is held against: the shifts by agent, and the cells by queue and time.
type book struct {
	p      roster.Problem
	all    []scheduling.Shift
	own    map[ids.Agent][]scheduling.Shift // by start
	cells  []cell                           // by queue and time
	soon   map[int64][]cell                 // by time
	needed map[ids.Queue]bool
}

func newBook(p roster.Problem, shifts []scheduling.Shift, cells []cell) *book {
	b := &book{p: p, all: shifts, own: map[ids.Agent][]scheduling.Shift{}, cells: cells, soon: map[int64][]cell{}, needed: map[ids.Queue]bool{}}
	if p.Relief == (roster.Relief{}) {
		b.p.Relief = roster.DefaultRelief()
	}
	for _, s := range shifts {
		b.own[s.Agent] = append(b.own[s.Agent], s)
	}
	for _, list := range b.own {
		slices.SortStableFunc(list, func(x, y scheduling.Shift) int { return x.Start.Compare(y.Start) })
	}
	slices.SortFunc(b.cells, compareCells)
	for _, c := range b.cells {
		b.soon[c.at] = append(b.soon[c.at], c)
		b.needed[c.queue] = b.needed[c.queue] || c.target > 0
	}
	return b
}

// at is a queue at an instant; nobody is needed and nobody there where the problem says nothing.
func (b *book) at(q ids.Queue, t time.Time) cell {
	c := cell{queue: q, at: t.Unix()}
	if k, ok := slices.BinarySearchFunc(b.cells, c, compareCells); ok {
		return b.cells[k]
	}
	return c
}

// stretches walks what the file calls short through the counted heads, recounts what is lost and why nobody
// helps, and asks that nothing short is left out and nothing told twice.
func (r *Report) stretches(b *book, told *[]roster.Uncovered) {
	if told == nil {
		return
	}
	sum := 0.0
	seen := map[ids.Queue]map[int64]bool{}
	for i, u := range *told {
		path := fmt.Sprintf("uncovered[%d]", i)
		sum += float64(u.Missing) * u.Range.Duration().Hours()
		if u.Range.Duration() > 62*24*time.Hour || u.Range.Duration() <= 0 {
			r.differs(path+".range", spanned(u.Range), "no stretch of time")
			continue
		}
		if seen[u.Queue] == nil {
			seen[u.Queue] = map[int64]bool{}
		}
		right, worth := true, 0.0
		for t := u.Range.Start; t.Before(u.Range.End); t = t.Add(step) {
			c := b.at(u.Queue, t)
			worth += c.short(b.p, c.have)
			missing := max(0, c.target-c.have)
			if right && (missing != u.Missing || c.target != u.Target) {
				right = false
				r.differs(path, fmt.Sprintf("%d of %d missing on %s", u.Missing, u.Target, u.Queue),
					fmt.Sprintf("%d of %d at %s", missing, c.target, t.Format(time.RFC3339)))
			}
			if right && seen[u.Queue][t.Unix()] {
				right = false
				r.differs(path+".range", spanned(u.Range), "told before")
			}
			seen[u.Queue][t.Unix()] = true
		}
		if right {
			r.number(path+".worth", &u.Worth, worth, tolerance)
			r.reasons(b, path+".reasons", u)
			for k, f := range u.Fixes {
				r.fix(b, fmt.Sprintf("%s.fixes[%d]", path, k), u, f)
			}
		}
	}
	if math.Abs(sum-r.Missing) > tolerance {
		r.differs("uncovered", fmt.Sprintf("%.6g head-hours in all", sum), fmt.Sprintf("%.6g", r.Missing))
	}
}

// What an agent does while a stretch is short, as far as skills and shifts alone tell it. Who has the skill and is
// kept from the queue by its exam, its pack or its shops counts by that rule. Why the rest stays at home is the
// optimiser's word: only how many they are is counted.
const (
	unskilled = "no_skill"
	serving   = "serving"
	pausing   = "pause"
	elsewhere = "working, block"
	atHome    = "other reasons"
)

var kinds = slices.Concat([]string{unskilled}, serviceRules, []string{serving, pausing, elsewhere, atHome})

// serviceRules ask more of who serves a queue than the skill.
var serviceRules = []string{"certificate.merchant", "certificate.pack", "shops.at_once"}

// kindOf is the kind of a reason of the file; false for what is neither a reason nor a rule.
func kindOf(code string) (string, bool) {
	switch code {
	case unskilled, serving, pausing, "certificate.merchant", "certificate.pack", "shops.at_once":
		return code, true
	case "working", "block":
		return elsewhere, true
	case "locked", "other_shift", "no_template", "max_work", "site_full", "not_worth":
		return atHome, true
	}
	return atHome, isRule(code)
}

func isRule(code string) bool {
	return slices.ContainsFunc(workrules.Rules(), func(r workrules.Rule) bool { return r.Code == code })
}

// reasons counts the agents by what they do. The people on a queue may change while a stretch lasts, and the file
// tells of one moment of it: some moment must be as it says.
func (r *Report) reasons(b *book, path string, u roster.Uncovered) {
	if u.Reasons == nil {
		return
	}
	told, seen := map[string]int{}, map[string]bool{}
	for k, reason := range u.Reasons {
		at := fmt.Sprintf("%s[%d]", path, k)
		kind, known := kindOf(reason.Code)
		switch {
		case !known:
			r.differs(at+".code", fmt.Sprintf("%q", reason.Code), "no reason and no rule")
		case seen[reason.Code]:
			r.differs(at+".code", reason.Code, "told before")
		case reason.Count < 1:
			r.differs(at+".count", fmt.Sprint(reason.Count), "nobody")
		}
		seen[reason.Code] = true
		told[kind] += reason.Count
	}
	middle := u.Range.Start.Add(u.Range.Duration() / 2).Truncate(step)
	is := b.doing(u.Queue, middle)
	for t := u.Range.Start; t.Before(u.Range.End); t = t.Add(step) {
		if maps.Equal(told, nonzero(b.doing(u.Queue, t))) {
			return
		}
	}
	for _, kind := range kinds {
		if told[kind] != is[kind] {
			r.differs(path, fmt.Sprintf("%d by %s", told[kind], kind), fmt.Sprint(is[kind]))
		}
	}
}

func nonzero(counts map[string]int) map[string]int {
	out := maps.Clone(counts)
	maps.DeleteFunc(out, func(_ string, n int) bool { return n == 0 })
	return out
}

// doing counts all agents of the problem by what they do at an instant, seen from a queue.
func (b *book) doing(q ids.Queue, t time.Time) map[string]int {
	out := map[string]int{}
	for i := range b.p.Agents {
		out[b.does(&b.p.Agents[i].Person, q, t)]++
	}
	return out
}

func (b *book) does(who *workrules.Person, q ids.Queue, t time.Time) string {
	if rule := b.keptFrom(who, q, calendar.DateOf(t, b.p.Location)); rule != "" {
		return rule
	}
	for _, s := range b.own[who.ID] {
		if !s.Range().Contains(t) || locked(b.p, s) {
			continue
		}
		for _, a := range s.Activities {
			switch {
			case t.Before(a.Start) || !t.Before(a.End):
			case a.Kind != scheduling.Work:
				return pausing
			case a.Queue == q:
				return serving
			default:
				return elsewhere
			}
		}
	}
	return atHome
}

// mayServe asks for the skill, the exam, the packs and the shops at once.
func (b *book) mayServe(who *workrules.Person, q ids.Queue, date calendar.Date) bool {
	return b.keptFrom(who, q, date) == ""
}

// keptFrom is why somebody may not serve a queue, the missing skill before all other rules; empty for who may.
func (b *book) keptFrom(who *workrules.Person, q ids.Queue, date calendar.Date) string {
	if !skilled(who, q, date) {
		return unskilled
	}
	var r Report
	service(&r, b.p, who, q, date)
	for _, rule := range serviceRules {
		if slices.Contains(r.marks, mark{rule, who.ID}) {
			return rule
		}
	}
	return ""
}

// idle names who works no shift though employed, and holds against the reason what skills and demand tell of it.
func (r *Report) idle(b *book, told *[]roster.Idle) {
	if told == nil {
		return
	}
	says := map[ids.Agent]roster.Idle{}
	for i, x := range *told {
		path := fmt.Sprintf("idle[%d]", i)
		if _, twice := says[x.Agent]; twice {
			r.differs(path+".agent", string(x.Agent), "told before")
		}
		says[x.Agent] = x
		if !slices.Contains([]string{"no_demand", "no_template", "max_work", "site_full", "not_needed"}, x.Code) && !isRule(x.Code) {
			r.differs(path+".code", fmt.Sprintf("%q", x.Code), "no reason and no rule")
		}
		if !slices.ContainsFunc(b.p.Agents, func(a roster.Agent) bool { return a.Person.ID == x.Agent }) {
			r.differs(path+".agent", string(x.Agent), "no agent of the problem")
		}
	}
	for i := range b.p.Agents {
		who := &b.p.Agents[i].Person
		x, named := says[who.ID]
		switch is := len(b.own[who.ID]) == 0 && b.employed(who); {
		case named && !is:
			r.differs("idle", string(who.ID)+" works no shift", fmt.Sprintf("%d shifts", len(b.own[who.ID])))
		case is && !named:
			r.differs("idle", string(who.ID)+" is not named", "no shift")
		case is && x.Code != "no_demand" && !b.wanted(who, skilled):
			r.differs("idle", string(who.ID)+" "+x.Code, "no_demand")
		case is && x.Code == "no_demand" && b.wanted(who, b.mayServe):
			r.differs("idle", string(who.ID)+" no_demand", "a queue of its skills needs somebody")
		}
	}
}

func (b *book) employed(who *workrules.Person) bool {
	for d := range b.p.Range.Dates(b.p.Location) {
		if employedOn(who, d) {
			return true
		}
	}
	return false
}

func employedOn(who *workrules.Person, d calendar.Date) bool {
	return who.Employed == (calendar.Dates{}) || who.Employed.Contains(d)
}

// wanted reports whether some queue that an agent may serve needs somebody in days on which shifts begin.
func (b *book) wanted(who *workrules.Person, may func(*workrules.Person, ids.Queue, calendar.Date) bool) bool {
	for date := range b.p.Range.Dates(b.p.Location) {
		if !employedOn(who, date) || !b.shiftsOn(date) {
			continue
		}
		for q, needed := range b.needed {
			if needed && may(who, q, date) {
				return true
			}
		}
	}
	return false
}

func (b *book) shiftsOn(date calendar.Date) bool {
	return slices.ContainsFunc(b.p.Templates, func(t roster.Template) bool {
		return len(t.Weekdays) == 0 || slices.Contains(t.Weekdays, date.Weekday())
	})
}

func skilled(who *workrules.Person, q ids.Queue, date calendar.Date) bool {
	return slices.ContainsFunc(who.Skills, func(s workrules.Skill) bool {
		return s.Queue == q && (s.Dates == calendar.Dates{} || s.Dates.Contains(date))
	})
}
