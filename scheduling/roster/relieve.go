package roster

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
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

const (
	maxRelieved = 20 // stretches that get fixes unless more are asked for, dearest first
	maxFixes    = 3  // per stretch, best first
)

// relieve adds the best fixes to the dearest stretches, to so many of them, and says to how many: those that bring
// most beyond their price. A fix covers the whole stretch on its queue; every other slot of its shift counts at what it
// saves there, also for temps.
func (s *state) relieve(out []Uncovered, cells []stretch, most int) int {
	dearest := dearestFirst(out)
	dearest = dearest[:min(most, len(dearest))]
	restore := s.keepQueues() // what the experiments for one stretch leave changes what a head saves in the next
	defer restore()
	for _, i := range dearest {
		restore()
		x := cells[i]
		x.saves = s.saves(x)
		fixes := []Fix{s.temp(x)}
		for a := range s.place {
			fixes = append(fixes, s.fixesOf(a, x)...)
		}
		slices.SortStableFunc(fixes, func(a, b Fix) int {
			return cmp.Or(cmp.Compare(b.Brings(), a.Brings()), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Kind, b.Kind))
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
	f := Fix{Kind: "temp", Hours: hours, Paid: hours * r.Temp, Parts: FixParts{Pay: hours * r.Temp}}
	f.Range, f.Parts.Stretch, f.Parts.Elsewhere = paidFor(at, step, time.Duration(hours*float64(time.Hour)), gain)
	f.sum()
	what := workrules.Text{
		ZH: fmt.Sprintf("请%.0f名临时工先后接班，共%.4g小时", n, hours),
		EN: fmt.Sprintf("%.0f temps one after another, %.4g h together", n, hours),
	}
	if n == 1 {
		from, until := f.Range.Start.In(p.Location).Format("15:04"), f.Range.End.In(p.Location).Format("15:04")
		what = workrules.Text{
			ZH: fmt.Sprintf("请1名临时工%.4g小时（做 %s-%s）", hours, from, until),
			EN: fmt.Sprintf("a temp for %.4g h (at work %s-%s)", hours, from, until),
		}
	}
	f.say(what, workrules.Text{
		ZH: fmt.Sprintf("付%.2f元（%.4g小时，每小时%.2f元）", f.Paid, hours, r.Temp),
		EN: fmt.Sprintf("paid %.2f yuan (%.4g h at %.2f)", f.Paid, hours, r.Temp),
	})
	return f
}

// paidFor is the part around a stretch, as long as it is paid for at most, in which one more head saves most, with what
// that is inside the stretch and outside.
func paidFor(at calendar.Range, step, paid time.Duration, gain func(k int) float64) (best calendar.Range, inside, outside float64) {
	n, most := int(at.Duration()/step), int(paid/step)
	for k := range n {
		inside += gain(k)
	}
	room := max(0, most-n)
	early, late := make([]float64, room+1), make([]float64, room+1)
	for k := range room {
		early[k+1], late[k+1] = early[k]+gain(-1-k), late[k]+gain(n+k)
	}
	before, after := 0, 0
	for e := range early {
		for l := range late[:room-e+1] {
			if sum := early[e] + late[l]; sum > outside+1e-9 {
				outside, before, after = sum, e, l
			}
		}
	}
	return calendar.Range{Start: at.Start.Add(-time.Duration(before) * step), End: at.End.Add(time.Duration(after) * step)}, inside, outside
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

// more gives a free day the shift that covers the stretch and brings most.
func (s *state) more(a, d int, x stretch, judge *workrules.Judge, kind string) (Fix, bool) {
	f, ok := s.cover1(a, d, x, judge, 0, kind, s.payNow(a), FixParts{})
	return s.told(a, f, ok)
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
	lost := s.takenAway(a, d)
	f, ok := s.cover1(a, d, x, s.judges[a], work+1, "shift", was, lost)
	if !ok {
		f, ok = s.cover1(a, d, x, willing, work+1, "overtime", was, lost)
	}
	s.putBack(a, old, queues)
	s.cost = before
	if ok && f.Kind == "shift" {
		f.Tell(workrules.Text{
			ZH: fmt.Sprintf("%s 于 %s 改上 %s 班", f.Agent, f.Date, f.Template),
			EN: fmt.Sprintf("%s works shift %s on %s instead", f.Agent, f.Template, f.Date),
		}, s.m.p.Agents[a], s.m.p.Relief)
		return f, true
	}
	return s.told(a, f, ok)
}

// takenAway clears a day and tells what that changes.
func (s *state) takenAway(a, d int) FixParts {
	m, am, p := s.m, &s.m.agents[a], s.place[a][d]
	c, o := &am.choices[d][p.at], &m.occ[d][p.occ]
	cost, paid, soft, cover := s.cost, s.paid[a], s.soft[a], s.coverage(o)
	s.clear(a, d)
	out := FixParts{
		Elsewhere:   cover - s.coverage(o),
		Pay:         s.paid[a] - paid - am.wage*float64(o.duty.Work)/60,
		SoftRules:   m.p.Weights.SoftRule * float64(s.soft[a]-soft-int32(c.alone)-int32(p.tired)),
		Disturbance: am.unrest(m, d, -1) - am.unrest(m, d, int16(o.template)),
	}
	out.Other = s.cost - cost + out.Elsewhere - out.Pay - out.SoftRules - out.Disturbance
	return out
}

// coverage is what missing and spare heads cost in the slots of a shift.
func (s *state) coverage(o *occurrence) (sum float64) {
	width := len(s.m.queues)
	for i := o.start * width; i < min(o.start+o.len, s.m.inside)*width; i++ {
		short, over := s.m.slotCost(i, s.cover[i])
		sum += short + over
	}
	return sum
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
			f, ok := s.cover1(a, d, x, s.judges[a], 0, "swap", was, s.takenAway(a, off))
			s.putBack(a, old, queues)
			s.cost = before
			f.Off = m.days[off]
			if ok && (!found || f.Brings() > best.Brings()) {
				best, found = f, true
			}
		}
	}
	return s.told(a, best, found)
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

// cover1 finds the legal shift of an empty day that covers the stretch and brings most beyond its price, with at least
// some minutes of work. A "seat" is a shift for which the site needs one more seat, priced for the day; any other
// one has room. was is the agent's pay before the fix, lost what gave way for it.
func (s *state) cover1(a, d int, x stretch, judge *workrules.Judge, least int32, kind string, was workrules.PayMinutes, lost FixParts) (best Fix, found bool) {
	m := s.m
	agent, am := &m.p.Agents[a], &m.agents[a]
	for i := range m.occ[d] {
		o := &m.occ[d][i]
		code := m.p.Templates[o.template].Code
		if o.start > x.from || x.until > o.start+o.len || o.duty.Work < least || !agent.MayWork(code) {
			continue
		}
		duties := s.dutiesOf(a, d, int16(i))
		if s.room(a, o) == (kind == "seat") {
			continue
		}
		if judge.Broken(duties) != nil || s.overMost(a, o) {
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
		idle, tired := s.pauses.place(m, o, s.gain, o.start, am.cloud, &at)
		if idle > must/2 {
			continue
		}
		now := s.payWith(a, d, i, &at)
		own := s.personal(a, d, &c)
		parts := FixParts{
			Stretch: x.saves,
			// What a head saves here may differ where an experiment left people on other queues: the sum is what counts.
			Elsewhere:   s.gain[o.len] - must*float64(x.until-x.from) - inside - idle + s.saves(x) - x.saves,
			Pay:         am.wage*float64(o.duty.Work)/60 + s.premiums(a, kind, now, was),
			SoftRules:   m.p.Weights.SoftRule * float64(int32(c.alone)+int32(tired)),
			Disturbance: am.unrest(m, d, int16(o.template)) - am.unrest(m, d, -1),
		}
		parts.Other = own - am.wage*float64(o.duty.Work)/60 - m.p.Weights.SoftRule*float64(c.alone) - parts.Disturbance
		if kind == "seat" {
			parts.Seat = m.p.Relief.Seat
		}
		more := now.Minus(was)
		f := Fix{
			Kind: kind, Agent: agent.Person.ID, Date: m.days[d], Template: code, Parts: parts.plus(lost),
			Hours: float64(more.Extended+more.RestDay+more.Statutory) / 60, Pay: more.Shares(),
		}
		if f.sum(); !found || f.Brings() > best.Brings() {
			best, found = f, true
		}
	}
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
func (s *state) told(a int, f Fix, ok bool) (Fix, bool) {
	if !ok {
		return f, false
	}
	what := workrules.Text{
		ZH: fmt.Sprintf("%s 于 %s 加上 %s 班", f.Agent, f.Date, f.Template),
		EN: fmt.Sprintf("%s works shift %s on %s as well", f.Agent, f.Template, f.Date),
	}
	switch f.Kind {
	case "overtime":
		what = workrules.Text{
			ZH: fmt.Sprintf("%s 征得同意后 %s 加班上 %s 班", f.Agent, f.Date, f.Template),
			EN: fmt.Sprintf("%s agrees to overtime: shift %s on %s", f.Agent, f.Template, f.Date),
		}
	case "swap":
		what = workrules.Text{
			ZH: fmt.Sprintf("%s 把休息日从 %s 换到 %s，上 %s 班", f.Agent, f.Date, f.Off, f.Template),
			EN: fmt.Sprintf("%s moves the rest day from %s to %s and works %s", f.Agent, f.Date, f.Off, f.Template),
		}
	case "seat":
		what = workrules.Text{
			ZH: fmt.Sprintf("%s 增加1个座位，%s 于 %s 加上 %s 班", s.siteName(f.Agent), f.Agent, f.Date, f.Template),
			EN: fmt.Sprintf("one more seat at %s: %s works shift %s on %s", s.siteName(f.Agent), f.Agent, f.Template, f.Date),
		}
	}
	f.Tell(what, s.m.p.Agents[a], s.m.p.Relief)
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
