package roster

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// maxExplained limits how many stretches get their reasons worked out, dearest first.
const maxExplained = 400

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
type stretch struct{ queue, from, until int }

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
			cells = append(cells, stretch{q, t, k})
			t = k
		}
	}
	return out, cells
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

// explain works out the reasons of the dearest stretches and sums every one up in a sentence.
func (s *state) explain(out []Uncovered, cells []stretch) {
	for n, i := range dearestFirst(out) {
		if x := cells[i]; n < maxExplained {
			out[i].Reasons = s.reasons((x.from+x.until-1)/2, x.queue)
		}
		out[i].Says = summary(out[i])
	}
}

// reasons asks every agent why it does not help in one slot.
func (s *state) reasons(slot, queue int) []Reason {
	counts := map[string]int{}
	for a := range s.m.agents {
		counts[s.reason(a, slot, queue)]++
	}
	return Reasons(counts, reasonTexts)
}

// Reasons are counts by code, the most frequent first, in words: those of says, or what the rule of that code asks.
func Reasons(counts map[string]int, says map[string]workrules.Text) []Reason {
	var out []Reason
	for code, n := range counts {
		out = append(out, Reason{Code: code, Count: n, Says: reasonText(code, says)})
	}
	slices.SortFunc(out, func(x, y Reason) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Code, y.Code))
	})
	return out
}

func reasonText(code string, says map[string]workrules.Text) workrules.Text {
	if t, ok := says[code]; ok {
		return t
	}
	for _, r := range workrules.Rules() {
		if r.Code == code {
			return workrules.Text{ZH: "受规则限制：" + r.Says.ZH, EN: "are held back by the rule: " + r.Says.EN}
		}
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
		t.ZH += "。最省的补救：" + u.Fixes[0].Says.ZH
		t.EN += ". Cheapest fix: " + u.Fixes[0].Says.EN
	}
	return t
}

// reason is the cause for one agent. A rule counts as the cause only when every shift over the
// slot is blocked; the rule of the shift that comes closest (the last one tried) is named.
func (s *state) reason(a, slot, queue int) string {
	m := s.m
	am := &m.agents[a]
	cause, ranked := "no_template", 0
	rank := func(code string, n int) {
		if n > ranked {
			cause, ranked = code, n
		}
	}
	if !contains(am.skills[m.dayOf(slot)], int16(queue)) {
		return "no_skill"
	}
	for d := range m.days {
		if !s.near(d, slot) {
			continue
		}
		if p := &s.place[a][d]; p.occ >= 0 {
			o := &m.occ[d][p.occ]
			if slot >= o.start && slot < o.start+o.len {
				switch q := p.queue[slot-o.start]; {
				case q < 0:
					rank("pause", 90)
				case int(q) == queue:
					rank("serving", 90)
				case s.wouldHelp(int(q), slot, queue):
					rank("block", 90)
				default:
					rank("working", 90)
				}
				continue
			}
		}
		code, n := s.dayReason(a, d, slot)
		rank(code, n)
	}
	return cause
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
func (s *state) dayReason(a, d, slot int) (string, int) {
	m := s.m
	am := &m.agents[a]
	if am.locked[d] {
		return "locked", 20
	}
	if s.place[a][d].occ >= 0 {
		return "other_shift", 30
	}
	code, ranked := "no_template", 1
	for i := range m.occ[d] {
		o := &m.occ[d][i]
		if slot < o.start || slot >= o.start+o.len {
			continue
		}
		if agent := &m.p.Agents[a]; len(agent.Templates) > 0 && !slices.Contains(agent.Templates, m.p.Templates[o.template].Code) {
			continue
		}
		rule := s.judges[a].Broken(s.dutiesOf(a, d, int16(i)))
		switch {
		case rule == nil && !s.room(a, o):
			if ranked < 55 {
				code, ranked = "site_full", 55
			}
		case rule == nil && m.p.Agents[a].MaxWork > 0 && s.work[a]+o.duty.Work > int32(m.p.Agents[a].MaxWork/time.Minute):
			code, ranked = "max_work", 50
		case rule == nil:
			return "not_worth", 60
		case ranked <= 40:
			code, ranked = rule.Code, 40
		}
	}
	return code, ranked
}
