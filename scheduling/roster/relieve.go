package roster

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Relief prices what the optimiser may not do by itself, in yuan. The zero value is DefaultRelief.
type Relief struct {
	Hour      float64 // of working time that overtime is reckoned from where Agent.Wage is 0
	Temp      float64 // per hour of a temporary worker
	TempHours float64 // the fewest hours a temporary worker is paid for
	Seat      float64 // one more seat of a site for a day
}

// DefaultRelief is 30 yuan an hour, temps at 45 yuan for at least four hours, and 40 yuan a day for a seat
// (a workplace at about 900 yuan a month).
func DefaultRelief() Relief { return Relief{Hour: 30, Temp: 45, TempHours: 4, Seat: 40} }

// Fix is one way to cover a short stretch with one more head.
type Fix struct {
	Kind     string               `json:"kind"`               // "shift", "overtime", "swap" (of a rest day), "seat" (a shift with one more seat) or "temp"
	Agent    ids.Agent            `json:"agent,omitempty"`    // empty for a temp
	Date     calendar.Date        `json:"date,omitzero"`      // on which the shift starts
	Template string               `json:"template,omitempty"` // of that shift
	Off      calendar.Date        `json:"off,omitzero"`       // swap: the day that becomes free
	Hours    float64              `json:"hours"`              // hours beyond the normal ones, or paid hours of the temps
	Pay      []workrules.PayShare `json:"pay,omitempty"`      // the agent's working time that it adds, by percentage of the wage
	Price    float64              `json:"price"`              // yuan: pay and what the roster loses elsewhere, less what it gains elsewhere
	Saves    float64              `json:"saves"`              // yuan of the stretch
	Says     workrules.Text       `json:"says"`
}

const (
	maxRelieved = 20 // stretches that get fixes, dearest first
	maxFixes    = 3  // per stretch, cheapest first
)

// relieve adds the cheapest fixes to the dearest stretches. A fix covers the whole stretch on its
// queue; every other slot of its shift counts at what it saves there.
func (s *state) relieve(out []Uncovered, cells []stretch) {
	defer s.keepQueues()()
	for n, i := range dearestFirst(out) {
		if n == maxRelieved {
			return
		}
		x := cells[i]
		fixes := []Fix{s.temp(x)}
		for a := range s.place {
			fixes = append(fixes, s.fixesOf(a, x)...)
		}
		slices.SortStableFunc(fixes, func(a, b Fix) int {
			return cmp.Or(cmp.Compare(a.Price, b.Price), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Kind, b.Kind))
		})
		out[i].Fixes = fixes[:min(maxFixes, len(fixes))]
	}
}

// saves is what one more head on the stretch is worth.
func (s *state) saves(x stretch) (sum float64) {
	for t := x.from; t < x.until; t++ {
		i := t*len(s.m.queues) + x.queue
		sum += s.m.saving(i, s.cover[i])
	}
	return sum
}

// temp is hired labour on the whole stretch. Nobody works longer on end than the law lets a shift last
// without overtime or a meal, so a longer stretch takes several temps, one after another.
func (s *state) temp(x stretch) Fix {
	r := s.m.p.Relief
	length := float64(x.until-x.from) / s.m.perHour
	n := max(1, math.Ceil(length/s.m.p.tempShift().Hours()))
	hours := n * max(r.TempHours, length/n)
	f := Fix{Kind: "temp", Hours: hours, Price: hours * r.Temp, Saves: s.saves(x)}
	if n > 1 {
		f.Says = workrules.Text{
			ZH: fmt.Sprintf("请%.0f名临时工先后接班，共%.4g小时，%.2f元", n, hours, f.Price),
			EN: fmt.Sprintf("%.0f temps one after another, %.4g h together, %.2f yuan", n, hours, f.Price),
		}
		return f
	}
	f.Says = workrules.Text{
		ZH: fmt.Sprintf("请1名临时工%.4g小时，%.2f元", hours, f.Price),
		EN: fmt.Sprintf("a temp for %.4g h, %.2f yuan", hours, f.Price),
	}
	return f
}

// tempShift is the longest shift of a temp: the normal day, or the work after which a meal is due.
func (p *Problem) tempShift() time.Duration {
	if after := p.Rules.MealAfter; after > 0 {
		return min(p.Rules.NormalDay, after)
	}
	return p.Rules.NormalDay
}

// fixesOf are the ways in which one agent could cover a stretch, the cheapest of each kind.
func (s *state) fixesOf(a int, x stretch) (out []Fix) {
	m := s.m
	var willing *workrules.Judge // as if the agent had agreed to overtime
	for d := range m.days {
		if m.agents[a].locked[d] || !contains(m.agents[a].skills[d], int16(x.queue)) || !m.reaches(d, x) {
			continue
		}
		add := func(f Fix, ok bool) {
			if ok {
				out = append(out, f)
			}
		}
		if willing == nil {
			agreed := m.p.Agents[a].Person
			agreed.OvertimeAgreed = true
			willing = workrules.NewJudge(m.frame, agreed)
		}
		if s.place[a][d].occ >= 0 {
			add(s.longer(a, d, x, willing))
			continue
		}
		before := len(out)
		add(s.more(a, d, x, s.judges[a], "shift"))
		if len(out) > before {
			continue // nothing needs to give way
		}
		add(s.more(a, d, x, s.judges[a], "seat"))
		add(s.more(a, d, x, willing, "overtime"))
		add(s.swap(a, d, x))
	}
	return out
}

// reaches reports whether some template of a day spans the stretch.
func (m *model) reaches(d int, x stretch) bool {
	return slices.ContainsFunc(m.occ[d], func(o occurrence) bool { return o.start <= x.from && x.until <= o.start+o.len })
}

// more gives a free day the shift that covers the stretch at the least price.
func (s *state) more(a, d int, x stretch, judge *workrules.Judge, kind string) (Fix, bool) {
	f, ok := s.cover1(a, d, x, judge, 0, kind, s.payNow(a))
	return s.told(f, ok)
}

// payNow is the pay of an agent's shifts as they are.
func (s *state) payNow(a int) workrules.PayMinutes { return s.judges[a].Pay(s.dutiesOf(a, -1, 0)) }

// longer replaces the shift of the day by a longer one that covers the stretch.
func (s *state) longer(a, d int, x stretch, judge *workrules.Judge) (Fix, bool) {
	old, before, was, queues := s.option(a, d), s.cost, s.payNow(a), slices.Clone(s.place[a][d].queue)
	work := s.m.occ[d][s.place[a][d].occ].duty.Work
	if o := &s.m.occ[d][s.place[a][d].occ]; o.start <= x.from && x.until <= o.start+o.len {
		return Fix{}, false // at work then, in a pause or on another queue
	}
	s.clear(a, d)
	lost := s.cost - before
	f, ok := s.cover1(a, d, x, judge, work+1, "overtime", was)
	s.putBack(a, old, queues)
	s.cost = before
	f.Price += lost
	return s.told(f, ok)
}

// swap moves a rest day: the agent works the day of the stretch and is off on another one of the week.
func (s *state) swap(a, d int, x stretch) (best Fix, found bool) {
	m := s.m
	for _, w := range weekSpans(m) {
		if d < w.from || d >= w.to {
			continue
		}
		for off := w.from; off < w.to; off++ {
			if s.place[a][off].occ < 0 {
				continue
			}
			old, before, was, queues := s.option(a, off), s.cost, s.payNow(a), slices.Clone(s.place[a][off].queue)
			s.clear(a, off)
			lost := s.cost - before
			f, ok := s.cover1(a, d, x, s.judges[a], 0, "swap", was)
			s.putBack(a, old, queues)
			s.cost = before
			f.Off, f.Price = m.days[off], f.Price+lost
			if ok && (!found || f.Price < best.Price) {
				best, found = f, true
			}
		}
	}
	return s.told(best, found)
}

// premiums is what the pay of an agent adds beyond the plain wage in yuan, from the shifts that stand in the
// state to those of a fix. Where no wage is known, the objective counts nothing, and consent is paid by
// Relief.Hour on top of a salary.
func (s *state) premiums(a int, kind string, now, was workrules.PayMinutes) float64 {
	am := &s.m.agents[a]
	switch {
	case am.rate > 0:
		return am.rate*now.Premium(s.m.p.Agents[a].Salaried) - s.paid[a]
	case kind == "overtime":
		return s.m.p.Relief.Hour * now.Minus(was).Premium(true)
	}
	return 0
}

// cover1 finds the legal shift of an empty day that covers the stretch at the least price, with at least some
// minutes of work. A "seat" is a shift for which the site needs one more seat, priced for the day; any other
// one has room. was is the agent's pay before the fix.
func (s *state) cover1(a, d int, x stretch, judge *workrules.Judge, least int32, kind string, was workrules.PayMinutes) (best Fix, found bool) {
	m := s.m
	agent, am := &m.p.Agents[a], &m.agents[a]
	const must = 1e6 // no pause may lie in the stretch
	for i := range m.occ[d] {
		o := &m.occ[d][i]
		code := m.p.Templates[o.template].Code
		if o.start > x.from || x.until > o.start+o.len || o.duty.Work < least || len(agent.Templates) > 0 && !slices.Contains(agent.Templates, code) {
			continue
		}
		duties := s.dutiesOf(a, d, int16(i))
		if s.room(a, o) == (kind == "seat") {
			continue
		}
		if judge.Broken(duties) != nil || agent.MaxWork > 0 && s.work[a]+o.duty.Work > int32(agent.MaxWork/time.Minute) {
			continue
		}
		c := choice{occ: int16(i)}
		c.alone = int16(judge.SoftCount(duties) - judge.SoftCount(s.dutiesOf(a, -1, 0)))
		c.own = am.wage*float64(o.duty.Work)/60 + m.p.Weights.SoftRule*float64(c.alone) +
			am.dayCost(m, d, int16(o.template)) - am.dayCost(m, d, -1)
		s.fillGain(a, d, o.start, o.start+o.len)
		inside := s.gain[x.until-o.start] - s.gain[x.from-o.start]
		for t := range s.gain {
			s.gain[t] += must * float64(max(0, min(t, x.until-o.start)-(x.from-o.start)))
		}
		var at [maxPauses]int16
		lost, tired := s.pauses.place(m, o, s.gain, o.start, am.cloud, &at)
		if lost > must/2 {
			continue
		}
		elsewhere := s.gain[o.len] - must*float64(x.until-x.from) - inside - lost
		now := s.payWith(a, d, i, &at)
		price := s.personal(a, d, &c) + m.p.Weights.SoftRule*float64(tired) + s.premiums(a, kind, now, was) - elsewhere
		if kind == "seat" {
			price += m.p.Relief.Seat
		}
		if !found || price < best.Price {
			more := now.Minus(was)
			best = Fix{
				Kind: kind, Agent: agent.Person.ID, Date: m.days[d], Template: code, Price: price, Saves: s.saves(x),
				Hours: float64(more.Extended+more.RestDay+more.Statutory) / 60, Pay: more.Shares(),
			}
			found = true
		}
	}
	best.Price = math.Round(best.Price*1e6) / 1e6 // sheds the rounding of the large number
	return best, found
}

// told adds the sentence.
func (s *state) told(f Fix, ok bool) (Fix, bool) {
	if !ok {
		return f, false
	}
	switch f.Kind {
	case "overtime":
		f.Says = workrules.Text{
			ZH: fmt.Sprintf("%s 征得同意后 %s 加班上 %s 班（%s），%.2f元", f.Agent, f.Date, f.Template, payText(f.Pay).ZH, f.Price),
			EN: fmt.Sprintf("%s agrees to overtime: shift %s on %s, %s, %.2f yuan", f.Agent, f.Template, f.Date, payText(f.Pay).EN, f.Price),
		}
	case "swap":
		f.Says = workrules.Text{
			ZH: fmt.Sprintf("%s 把休息日从 %s 换到 %s，上 %s 班，%.2f元", f.Agent, f.Date, f.Off, f.Template, f.Price),
			EN: fmt.Sprintf("%s moves the rest day from %s to %s and works %s, %.2f yuan", f.Agent, f.Date, f.Off, f.Template, f.Price),
		}
	case "seat":
		f.Says = workrules.Text{
			ZH: fmt.Sprintf("%s 增加1个座位，%s 于 %s 加上 %s 班，%.2f元", s.siteName(f.Agent), f.Agent, f.Date, f.Template, f.Price),
			EN: fmt.Sprintf("one more seat at %s: %s works shift %s on %s, %.2f yuan", s.siteName(f.Agent), f.Agent, f.Template, f.Date, f.Price),
		}
	default:
		f.Says = workrules.Text{
			ZH: fmt.Sprintf("%s 于 %s 加上 %s 班，%.2f元", f.Agent, f.Date, f.Template, f.Price),
			EN: fmt.Sprintf("%s works shift %s on %s as well, %.2f yuan", f.Agent, f.Template, f.Date, f.Price),
		}
	}
	return f, true
}

// keepQueues remembers who serves what. An experiment that is undone may leave people on other queues at
// the same cost, but the stretches were listed for these.
func (s *state) keepQueues() (restore func()) {
	cover := slices.Clone(s.cover)
	queues := make([][][]int16, len(s.place))
	for a := range s.place {
		for d := range s.place[a] {
			queues[a] = append(queues[a], slices.Clone(s.place[a][d].queue))
		}
	}
	return func() {
		copy(s.cover, cover)
		for a := range s.place {
			for d := range s.place[a] {
				copy(s.place[a][d].queue, queues[a][d])
			}
		}
	}
}

// payText tells hours by percentage of the wage: "8 h at 200 %, 1 h less at 100 %".
func payText(shares []workrules.PayShare) (t workrules.Text) {
	for i, p := range shares {
		sepZH, sepEN, lessZH, lessEN := "、", ", ", "", ""
		if i == 0 {
			sepZH, sepEN = "", ""
		}
		h := float64(p.Minutes) / 60
		if h < 0 {
			h, lessZH, lessEN = -h, "少", " less"
		}
		t.ZH += fmt.Sprintf("%s%s%.4g小时按%d%%", sepZH, lessZH, h, p.Percent)
		t.EN += fmt.Sprintf("%s%.4g h%s at %d %%", sepEN, h, lessEN, p.Percent)
	}
	return t
}
