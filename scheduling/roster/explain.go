package roster

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

var reasonTexts = map[string]workrules.Text{
	"no_skill":    {ZH: "没有该队列技能", EN: "lack the skill"},
	"working":     {ZH: "当时在其他队列上班", EN: "work another queue then"},
	"serving":     {ZH: "已在该队列上班", EN: "already work this queue then"},
	"pause":       {ZH: "当时在用餐或休息", EN: "are on a meal or break"},
	"locked":      {ZH: "当天班次已锁定", EN: "have a locked shift that day"},
	"other_shift": {ZH: "当天已排其他时间的班", EN: "already have a shift at another time that day"},
	"no_template": {ZH: "没有可用班次覆盖该时段", EN: "have no shift template over it"},
	"max_work":    {ZH: "已达约定最长工时", EN: "have reached their agreed maximum hours"},
	"site_full":   {ZH: "职场该时段座位已满", EN: "have no seat: their site is full then"},
	"block":       {ZH: "换队列会短于最短时段或不抵换队列的代价", EN: "work another queue and would leave it for too short a time, or at too high a price of the change"},
	"not_worth":   {ZH: "可排但代价高于收益", EN: "could, at a higher cost than the gap"},
}

// stretch is a short stretch as slots of one queue.
type stretch struct {
	queue, from, until int
	saves              float64 // by one more head, as listed; known to relieve only
}

// short lists the stretches below target in order of queue and time, with their cells.
func (s *state) short() (out []Uncovered, cells []stretch) {
	m := s.m
	width := len(m.queues)
	for q := range width {
		for t := 0; t < m.inside; {
			i := t*width + q
			short := m.target[i] - s.cover[i]
			k := t + 1
			if short <= 0 {
				t = k
				continue
			}
			for k < m.inside && m.target[k*width+q] == m.target[i] && s.cover[k*width+q] == s.cover[i] {
				k++
			}
			worth := 0.0
			for x := t; x < k; x++ {
				lost, _ := m.slotCost(x*width+q, s.cover[i])
				worth += lost
			}
			out = append(out, Uncovered{
				Queue: m.queues[q], Range: calendar.Range{Start: m.at(t), End: m.at(k)},
				Target: int(m.target[i]), Missing: int(short), Worth: worth,
			})
			cells = append(cells, stretch{queue: q, from: t, until: k})
			t = k
		}
	}
	return out, cells
}

// byStart orders stretches by start, then queue.
func byStart(x, y Uncovered) int {
	return cmp.Or(x.Range.Start.Compare(y.Range.Start), cmp.Compare(x.Queue, y.Queue))
}

// dearestFirst orders the stretches by what they lose.
func dearestFirst(list []Uncovered) []int {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(list[y].Worth, list[x].Worth) })
	return order
}

// explain works out the reasons of stretches and sums every one up in a sentence.
func (s *state) explain(out []Uncovered, cells []stretch) {
	y := asking{state: s, judged: make([][]verdicts, len(s.m.agents))}
	for i, x := range cells {
		out[i].Reasons = y.reasons((x.from+x.until-1)/2, x.queue)
		out[i].Says = summary(out[i])
	}
}

// asking asks agents why they do not help. The shifts stand still meanwhile, so what the rules say of a further
// shift of an agent is asked once for all stretches.
type asking struct {
	*state
	judged [][]verdicts // per agent and day
	days   []int        // on which a shift may start that reaches the slot asked about
}

// verdicts are what the rules say of the shifts that an agent could work on a day, as far as they were asked.
type verdicts struct {
	known []bool
	rules []*workrules.Rule // nil: none is broken
}

// broken is the first hard rule that a further shift would break, nil for none.
func (y *asking) broken(a, d, occ int) *workrules.Rule {
	if y.judged[a] == nil {
		y.judged[a] = make([]verdicts, len(y.m.days))
	}
	v := &y.judged[a][d]
	if v.known == nil {
		v.known, v.rules = make([]bool, len(y.m.occ[d])), make([]*workrules.Rule, len(y.m.occ[d]))
	}
	if !v.known[occ] {
		v.known[occ], v.rules[occ] = true, y.judges[a].Broken(y.dutiesOf(a, d, int16(occ)))
	}
	return v.rules[occ]
}

// reasons asks every agent why it does not help in one slot.
func (y *asking) reasons(slot, queue int) []Reason {
	y.days = y.days[:0]
	for d := range y.m.days {
		if y.near(d, slot) {
			y.days = append(y.days, d)
		}
	}
	counts := map[string]int{}
	for a := range y.m.agents {
		counts[y.reason(a, slot, queue)]++
	}
	return Reasons(counts, reasonTexts, y.m.p.Rules)
}

// Reasons are counts by code, the most frequent first, in words: those of says, or what the rule of that code asks
// under the parameters.
func Reasons(counts map[string]int, says map[string]workrules.Text, rules workrules.Params) []Reason {
	var out []Reason
	for code, n := range counts {
		r := Reason{Code: code, Count: n, Says: reasonText(code, says, rules)}
		if n == 1 {
			r.Says.EN = one(r.Says.EN)
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(x, y Reason) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Code, y.Code))
	})
	return out
}

func reasonText(code string, says map[string]workrules.Text, rules workrules.Params) workrules.Text {
	if t, ok := says[code]; ok {
		return t
	}
	if r, ok := workrules.RuleUnder(code, rules); ok {
		return workrules.Text{ZH: "受规则限制：" + r.Says.ZH, EN: "are held back by the rule: " + r.Says.EN}
	}
	return workrules.Text{ZH: code, EN: code}
}

func summary(u Uncovered) workrules.Text {
	t := workrules.Text{
		ZH: fmt.Sprintf("缺%d人（需%d人）", u.Missing, u.Target),
		EN: fmt.Sprintf("%d of %d heads missing", u.Missing, u.Target),
	}
	for i, r := range u.Reasons {
		sepZH, sepEN := "；", ", "
		if i == 0 {
			sepZH, sepEN = "：", ": "
		}
		t.ZH += fmt.Sprintf("%s%d人%s", sepZH, r.Count, r.Says.ZH)
		t.EN += fmt.Sprintf("%s%d %s", sepEN, r.Count, r.Says.EN)
	}
	if len(u.Fixes) > 0 {
		best := fixText(u.Fixes[0])
		t.ZH += "。" + best.ZH
		t.EN += ". " + best.EN
	}
	return t
}

// fixText names the best of the fixes of a stretch, or says that not even that one pays.
func fixText(f Fix) workrules.Text {
	if f.Pays {
		return workrules.Text{ZH: "最好的补救：" + f.Says.ZH, EN: "Best fix: " + f.Says.EN}
	}
	return workrules.Text{ZH: "没有划算的补救，最好的是：" + f.Says.ZH, EN: "No fix pays; the best: " + f.Says.EN}
}

// reason is the cause for one agent. A rule counts as the cause only when every shift over the
// slot is blocked; the rule of the shift that comes closest is named: of those that the agent could work at
// other times the last one tried, and only without any the rule of one that it may never work.
func (y *asking) reason(a, slot, queue int) string {
	m := y.m
	am := &m.agents[a]
	cause, ranked := "no_template", 0
	rank := func(code string, n int) {
		if n > ranked {
			cause, ranked = code, n
		}
	}
	if day := m.dayOf(slot); !contains(am.skills[day], int16(queue)) {
		return barredFrom(y.judges[a], m.queues[queue], m.days[day])
	}
	for _, d := range y.days {
		if p := &y.place[a][d]; p.occ >= 0 {
			o := &m.occ[d][p.occ]
			if slot >= o.start && slot < o.start+o.len {
				switch q := p.queue[slot-o.start]; {
				case q < 0:
					rank("pause", 90)
				case int(q) == queue:
					rank("serving", 90)
				case y.wouldHelp(int(q), slot, queue):
					rank("block", 90)
				default:
					rank("working", 90)
				}
				continue
			}
		}
		code, n := y.dayReason(a, d, slot)
		rank(code, n)
	}
	return cause
}

// barredFrom is the reason of somebody who may not serve a queue: no skill, or the rule that asks for more than that.
func barredFrom(j *workrules.Judge, q ids.Queue, d calendar.Date) string {
	if rule := j.Barred(q, d); rule != "fit.skill" {
		return rule
	}
	return "no_skill"
}

// dayOf is the day whose civil date holds the slot.
func (m *model) dayOf(slot int) int {
	d := calendar.DateOf(m.at(slot), m.p.Location).Sub(m.days[0])
	return min(d, len(m.days)-1)
}

// near reports whether a shift starting on a day could reach a slot.
func (s *state) near(day, slot int) bool {
	for i := range s.m.occ[day] {
		if o := &s.m.occ[day][i]; slot >= o.start && slot < o.start+o.len {
			return true
		}
	}
	return false
}

// dayReason says why an agent starts no shift over the slot on a day, with a rank: the higher, the
// closer the agent came to helping.
func (y *asking) dayReason(a, d, slot int) (string, int) {
	m := y.m
	am := &m.agents[a]
	if am.locked[d] {
		return "locked", 20
	}
	if y.place[a][d].occ >= 0 {
		return "other_shift", 30
	}
	code, ranked := "no_template", 1
	for i := range m.occ[d] {
		o := &m.occ[d][i]
		if slot < o.start || slot >= o.start+o.len {
			continue
		}
		if !m.p.Agents[a].MayWork(m.p.Templates[o.template].Code) {
			continue
		}
		rule := y.broken(a, d, i)
		switch {
		case rule == nil && !y.room(a, o):
			if ranked < 55 {
				code, ranked = "site_full", 55
			}
		case rule == nil && y.overMost(a, o):
			code, ranked = "max_work", 50
		case rule == nil:
			return "not_worth", 60
		default:
			closeness := 40
			if !slices.ContainsFunc(am.choices[d], func(c choice) bool { return int(c.occ) == i }) {
				closeness = 35 // never a shift for this agent, whatever else it works: not what stands in the way
			}
			if ranked <= closeness {
				code, ranked = rule.Code, closeness
			}
		}
	}
	return code, ranked
}
