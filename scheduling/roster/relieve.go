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
	Saves    float64              `json:"saves"`              // yuan of the stretch; by a temp also of what else it covers
	Pays     bool                 `json:"pays"`               // it saves more than its price
	Range    calendar.Range       `json:"range,omitzero"`     // a temp's: what it works of the hours it is paid for; in a repair what a fix covers of the stretch
	Says     workrules.Text       `json:"says"`
}

const (
	maxRelieved = 20 // stretches that get fixes unless more are asked for, dearest first
	maxFixes    = 3  // per stretch, best first
)

// relieve adds the best fixes to the dearest stretches, to so many of them, and says to how many: those that bring
// most beyond their price. A fix covers the whole stretch on its queue; every other slot of its shift counts at what it
// saves there.
func (s *state) relieve(out []Uncovered, cells []stretch, most int) int {
	defer s.keepQueues()()
	dearest := dearestFirst(out)
	dearest = dearest[:min(most, len(dearest))]
	restore := s.keepQueues() // what the experiments for one stretch leave changes what a head saves in the next
	for _, i := range dearest {
		restore()
		x := cells[i]
		x.saves = s.saves(x)
		fixes := []Fix{s.temp(x)}
		for a := range s.place {
			fixes = append(fixes, s.fixesOf(a, x)...)
		}
		slices.SortStableFunc(fixes, func(a, b Fix) int {
			return cmp.Or(cmp.Compare(b.Saves-b.Price, a.Saves-a.Price), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Kind, b.Kind))
		})
		for k := range fixes {
			fixes[k].Pays = fixes[k].Saves > fixes[k].Price
		}
		out[i].Fixes = fixes[:min(maxFixes, len(fixes))]
	}
	return len(dearest)
}

// saves is what one more head on the stretch is worth.
func (s *state) saves(x stretch) (sum float64) {
	for t := x.from; t < x.until; t++ {
		i := t*len(s.m.queues) + x.queue
		sum += s.m.saving(i, s.cover[i])
	}
	return sum
}

// temp is hired labour on the whole stretch, and on what lies around it as long as it is paid.
func (s *state) temp(x stretch) Fix {
	at := calendar.Range{Start: s.m.at(x.from), End: s.m.at(x.until)}
	return Temp(s.m.p, at, s.m.grid, func(k int) float64 {
		t := x.from + k
		if t < 0 || t >= s.m.inside {
			return math.Inf(-1)
		}
		i := t*len(s.m.queues) + x.queue
		return s.m.saving(i, s.cover[i])
	})
}

// Temp is hired labour for a stretch of whole steps; gain is what one more head saves in a step counted from the start
// of the stretch, minus infinity where nobody can work. Nobody works longer on end than the law lets a shift last
// without overtime or a meal, so a longer stretch takes several temps, one after another. Temps are paid for so many
// hours at least; they work before and after the stretch too as far as that saves anything. A zero Relief is
// DefaultRelief.
func Temp(p *Problem, at calendar.Range, step time.Duration, gain func(k int) float64) Fix {
	r := p.Relief
	if r == (Relief{}) {
		r = DefaultRelief()
	}
	length := at.Duration().Hours()
	n := max(1, math.Ceil(length/p.tempShift().Hours()))
	hours := n * max(r.TempHours, length/n)
	f := Fix{Kind: "temp", Hours: hours, Price: hours * r.Temp}
	f.Range, f.Saves = paidFor(at, step, time.Duration(hours*float64(time.Hour)), gain)
	if n > 1 {
		f.Says = workrules.Text{
			ZH: fmt.Sprintf("请%.0f名临时工先后接班，共%.4g小时，%.2f元", n, hours, f.Price),
			EN: fmt.Sprintf("%.0f temps one after another, %.4g h together, %.2f yuan", n, hours, f.Price),
		}
		return f
	}
	from, until := f.Range.Start.In(p.Location).Format("15:04"), f.Range.End.In(p.Location).Format("15:04")
	f.Says = workrules.Text{
		ZH: fmt.Sprintf("请1名临时工%.4g小时（做 %s-%s），%.2f元", hours, from, until, f.Price),
		EN: fmt.Sprintf("a temp for %.4g h (at work %s-%s), %.2f yuan", hours, from, until, f.Price),
	}
	return f
}

// paidFor is the part around a stretch, as long as it is paid for at most, in which one more head saves most.
func paidFor(at calendar.Range, step, paid time.Duration, gain func(k int) float64) (best calendar.Range, saves float64) {
	n, most := int(at.Duration()/step), int(paid/step)
	for k := range n {
		saves += gain(k)
	}
	room := max(0, most-n)
	early, late := make([]float64, room+1), make([]float64, room+1)
	for k := range room {
		early[k+1], late[k+1] = early[k]+gain(-1-k), late[k]+gain(n+k)
	}
	more, before, after := 0.0, 0, 0
	for e := range early {
		for l := range late[:room-e+1] {
			if sum := early[e] + late[l]; sum > more+1e-9 {
				more, before, after = sum, e, l
			}
		}
	}
	return calendar.Range{Start: at.Start.Add(-time.Duration(before) * step), End: at.End.Add(time.Duration(after) * step)}, saves + more
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

// longer replaces the shift of the day by a longer one that covers the stretch, with the agent's consent to overtime
// only where it takes that.
func (s *state) longer(a, d int, x stretch, willing *workrules.Judge) (Fix, bool) {
	old, before, was, queues := s.option(a, d), s.cost, s.payNow(a), slices.Clone(s.place[a][d].queue)
	work := s.m.occ[d][s.place[a][d].occ].duty.Work
	if o := &s.m.occ[d][s.place[a][d].occ]; o.start <= x.from && x.until <= o.start+o.len {
		return Fix{}, false // at work then, in a pause or on another queue
	}
	s.clear(a, d)
	lost := s.cost - before
	f, ok := s.cover1(a, d, x, s.judges[a], work+1, "shift", was)
	if !ok {
		f, ok = s.cover1(a, d, x, willing, work+1, "overtime", was)
	}
	s.putBack(a, old, queues)
	s.cost = before
	f.Price += lost
	if ok && f.Kind == "shift" {
		f.Says = workrules.Text{
			ZH: fmt.Sprintf("%s 于 %s 改上 %s 班（%s），%.2f元", f.Agent, f.Date, f.Template, PayText(f.Pay).ZH, f.Price),
			EN: fmt.Sprintf("%s works shift %s on %s instead, %s, %.2f yuan", f.Agent, f.Template, f.Date, PayText(f.Pay).EN, f.Price),
		}
		return f, true
	}
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
		must := s.forbidding()
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
		price += x.saves - s.saves(x) // the sum of both is what counts, wherever people stand after an experiment
		if !found || price < best.Price {
			more := now.Minus(was)
			best = Fix{
				Kind: kind, Agent: agent.Person.ID, Date: m.days[d], Template: code, Price: price, Saves: x.saves,
				Hours: float64(more.Extended+more.RestDay+more.Statutory) / 60, Pay: more.Shares(),
			}
			found = true
		}
	}
	best.Price = math.Round(best.Price*1e6) / 1e6 // sheds the rounding of the large number
	return best, found
}

// forbidding is a loss for a slot beside which all gains of a shift and all soft rules of its pauses are small: no pause
// may lie in the stretch.
func (s *state) forbidding() float64 {
	sum := 0.0
	for t := 1; t < len(s.gain); t++ {
		sum += math.Abs(s.gain[t] - s.gain[t-1])
	}
	return 1 + 4*sum + 10*maxPauses*s.m.p.Weights.SoftRule
}

// told adds the sentence.
func (s *state) told(f Fix, ok bool) (Fix, bool) {
	if !ok {
		return f, false
	}
	switch f.Kind {
	case "overtime":
		f.Says = workrules.Text{
			ZH: fmt.Sprintf("%s 征得同意后 %s 加班上 %s 班（%s），%.2f元", f.Agent, f.Date, f.Template, PayText(f.Pay).ZH, f.Price),
			EN: fmt.Sprintf("%s agrees to overtime: shift %s on %s, %s, %.2f yuan", f.Agent, f.Template, f.Date, PayText(f.Pay).EN, f.Price),
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
				s.reseat(a, d, queues[a][d])
			}
		}
	}
}

// reseat puts an agent back on queues; the cover is right already.
func (s *state) reseat(a, d int, queues []int16) {
	p := &s.place[a][d]
	if slices.Equal(p.queue, queues) {
		return
	}
	start := s.m.occ[d][p.occ].start
	for i, q := range queues {
		if q == p.queue[i] {
			continue
		}
		if t := start + i; t < s.m.inside {
			s.pool.stand(s, seat{int32(a), int16(d), int16(i)}, t, q)
		}
		p.queue[i] = q
	}
}

// PayText tells hours by percentage of the wage: "8 h at 200 %, 1 h less at 100 %".
func PayText(shares []workrules.PayShare) (t workrules.Text) {
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
