package roster

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Idle is somebody who is employed in the range and works no shift of it, and why not.
type Idle struct {
	Agent ids.Agent      `json:"agent"`
	Code  string         `json:"code"` // no_demand, no_template, max_work, site_full, not_needed, or the rule that stands in the way most often
	Says  workrules.Text `json:"says"` // with an example where a rule is the reason
}

var idleTexts = map[string]workrules.Text{
	"no_demand":   {ZH: "所会的队列在这些天没有需求", EN: "none of its queues needs anybody in these days"},
	"no_template": {ZH: "没有可用班次", EN: "no shift template is for it"},
	"max_work":    {ZH: "已达约定最长工时", EN: "its agreed maximum hours are reached"},
	"site_full":   {ZH: "职场座位已满", EN: "its site has no seat left"},
	"not_needed":  {ZH: "可以排班，但再加一班的代价高于收益", EN: "may work, but one more shift costs more than it brings"},
}

// idle names who works no shift, in the order of the problem.
func (s *state) idle() (out []Idle) {
	m := s.m
	for a := range m.agents {
		agent, am := &m.p.Agents[a], &m.agents[a]
		if slices.Contains(am.locked, true) || slices.ContainsFunc(s.place[a], func(p placement) bool { return p.occ >= 0 }) {
			continue
		}
		if !slices.ContainsFunc(m.days, func(d calendar.Date) bool { return employedOn(&agent.Person, d) }) {
			continue
		}
		code, example := s.whyIdle(a)
		i := Idle{Agent: agent.Person.ID, Code: code, Says: reasonText(code, idleTexts, m.p.Rules)}
		if _, own := idleTexts[code]; !own {
			i.Says.EN = one(i.Says.EN)
		}
		if example != (workrules.Text{}) {
			i.Says.ZH += fmt.Sprintf("（如：%s）", example.ZH)
			i.Says.EN += fmt.Sprintf(" (such as: %s)", example.EN)
		}
		out = append(out, i)
	}
	return out
}

// one is what is said of several people, said of one.
func one(en string) string {
	for _, verb := range [][2]string{{"are ", "is "}, {"have ", "has "}, {"lack ", "lacks "}, {"work ", "works "}, {"already have ", "already has "}, {"already work ", "already works "}} {
		if rest, ok := strings.CutPrefix(en, verb[0]); ok {
			return verb[1] + rest
		}
	}
	return en
}

func employedOn(p *workrules.Person, d calendar.Date) bool {
	return p.Employed == (calendar.Dates{}) || p.Employed.Contains(d)
}

// whyIdle is the reason of one agent: first what it could serve at all, then what every shift breaks by
// itself (leave, an agreement), then what the rest of its work leaves no room for.
func (s *state) whyIdle(a int) (code string, example workrules.Text) {
	m := s.m
	agent, am := &m.p.Agents[a], &m.agents[a]
	wanted := m.needed()
	skilled := func(d int) int {
		return slices.IndexFunc(m.queues, func(q ids.Queue) bool {
			return wanted[q] && employedOn(&agent.Person, m.days[d]) && agent.Person.Can(q, m.days[d])
		})
	}
	able, served := -1, false
	for d := range m.days {
		if q := skilled(d); q >= 0 && able < 0 && len(m.occ[d]) > 0 {
			able = d
		}
		served = served || len(am.skills[d]) > 0
	}
	switch {
	case able < 0:
		return "no_demand", workrules.Text{}
	case !served:
		return s.unserved(a, able, m.queues[skilled(able)])
	}
	counts, first := map[string]int{}, map[string][2]int{}
	tell := func(code string, d, i int) {
		if counts[code]++; counts[code] == 1 {
			first[code] = [2]int{d, i}
		}
	}
	for d := range m.days {
		if !employedOn(&agent.Person, m.days[d]) || len(am.skills[d]) == 0 {
			continue
		}
		for i := range m.occ[d] {
			if !agent.MayWork(m.p.Templates[m.occ[d][i].template].Code) {
				continue
			}
			code := s.blocked(a, d, i)
			if code == "" {
				return "not_needed", workrules.Text{}
			}
			tell(code, d, i)
		}
	}
	if len(counts) == 0 {
		return "no_template", workrules.Text{}
	}
	code = slices.MaxFunc(slices.Sorted(maps.Keys(counts)), func(x, y string) int { return cmp.Compare(counts[x], counts[y]) })
	return code, s.exampleOf(a, first[code][0], first[code][1], code, "")
}

// needed are the queues that need somebody in the range.
func (m *model) needed() map[ids.Queue]bool {
	out := map[ids.Queue]bool{}
	for i := range m.target[:m.inside*len(m.queues)] {
		if m.target[i] > 0 {
			out[m.queues[i%len(m.queues)]] = true
		}
	}
	return out
}

// blocked is what forbids a shift to an agent without others: "" when nothing does.
func (s *state) blocked(a, d, i int) string {
	m := s.m
	o := &m.occ[d][i]
	switch rule := s.judges[a].Broken(s.dutiesOf(a, d, int16(i))); {
	case rule != nil:
		return rule.Code
	case !s.room(a, o):
		return "site_full"
	case s.overMost(a, o):
		return "max_work"
	}
	return ""
}

// unserved is the rule of somebody who has a skill but may serve nothing: an exam, a pack, too many shops.
func (s *state) unserved(a, d int, q ids.Queue) (string, workrules.Text) {
	for _, v := range s.explained(a, d, 0, q) {
		if v.Hard && slices.Contains([]string{"certificate.merchant", "certificate.pack", "shops.at_once"}, v.Rule) {
			return v.Rule, v.Sentence
		}
	}
	return "no_demand", workrules.Text{}
}

// exampleOf is the sentence of a rule about one shift.
func (s *state) exampleOf(a, d, i int, code string, q ids.Queue) workrules.Text {
	for _, v := range s.explained(a, d, i, q) {
		if v.Rule == code {
			return v.Sentence
		}
	}
	return workrules.Text{}
}

// explained is what the rules have against one shift of an agent beside what is fixed, on a queue.
func (s *state) explained(a, d, i int, q ids.Queue) []workrules.Violation {
	m := s.m
	agent, o := &m.p.Agents[a], &m.occ[d][i]
	shift := scheduling.Shift{Agent: agent.Person.ID, Code: m.p.Templates[o.template].Code, Start: m.at(o.start), End: m.at(o.start + o.len)}
	at := shift.Start
	work := func(until time.Time) {
		if at.Before(until) {
			shift.Activities = append(shift.Activities, scheduling.Activity{Kind: scheduling.Work, Queue: q, Start: at, End: until})
		}
	}
	for _, p := range o.pauses {
		work(m.at(o.start + p.early))
		at = m.at(o.start + p.early + p.len)
		shift.Activities = append(shift.Activities, scheduling.Activity{Kind: p.kind, Start: m.at(o.start + p.early), End: at})
	}
	work(shift.End)
	all := slices.Concat(agent.History, []scheduling.Shift{shift}, agent.Later)
	slices.SortStableFunc(all, func(x, y scheduling.Shift) int { return x.Start.Compare(y.Start) })
	return s.judges[a].Explain(all)
}
