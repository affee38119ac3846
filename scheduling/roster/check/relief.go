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
)

// relief counts the stretches that have fixes: the dearest.
func (r *Report) relief(c Claims) {
	if c.Uncovered == nil {
		return
	}
	with, least, most := 0, math.Inf(1), 0.0 // what the stretches with fixes lose at least, those without at most
	for _, u := range *c.Uncovered {
		if len(u.Fixes) == 0 {
			most = max(most, u.Worth)
			continue
		}
		with++
		least = min(least, u.Worth)
	}
	if c.FixesFor != nil && *c.FixesFor != with {
		r.differs("fixes_for", fmt.Sprint(*c.FixesFor), fmt.Sprint(with))
	}
	if c.FixesFor != nil && with > 0 && most > least+tolerance {
		r.differs("fixes_for", fmt.Sprintf("the %d dearest", with), "a stretch without fixes loses "+plain(most)+", one with them "+plain(least))
	}
}

// fix recounts one fix. Whether it pays is asked last, of price and saving that hold: one lie is one complaint.
func (r *Report) fix(b *book, path string, u roster.Uncovered, f roster.Fix) {
	known := len(r.False)
	r.fixFigures(b, path, u, f)
	if len(r.False) == known {
		r.summed(path, f)
	}
	if pays := f.Saves > f.Price; len(r.False) == known && f.Pays != pays && math.Abs(f.Saves-f.Price) > tolerance {
		r.differs(path+".pays", fmt.Sprint(f.Pays), fmt.Sprintf("%t: it saves %s for %s", pays, plain(f.Saves), plain(f.Price)))
	}
}

// summed holds price and saving against the parts that a file tells.
func (r *Report) summed(path string, f roster.Fix) {
	if p := f.Parts; p != (roster.FixParts{}) {
		r.number(path+".saves", &f.Saves, p.Stretch+p.Elsewhere, tolerance)
		r.number(path+".price", &f.Price, p.Pay+p.Seat+p.Disturbance+p.SoftRules+p.Other, tolerance)
	}
}

func (r *Report) fixFigures(b *book, path string, u roster.Uncovered, f roster.Fix) {
	if f.Kind == "temp" {
		r.temp(b, path, u, f)
		return
	}
	if !slices.Contains([]string{"shift", "seat", "overtime", "swap"}, f.Kind) {
		r.differs(path+".kind", fmt.Sprintf("%q", f.Kind), "shift, overtime, swap, seat or temp")
		return
	}
	if f.Range != (calendar.Range{}) && (!f.Range.Valid() || !inside(f.Range, u.Range)) {
		r.differs(path+".range", spanned(f.Range), "a part of the stretch "+spanned(u.Range))
		return
	}
	a := slices.IndexFunc(b.p.Agents, func(a roster.Agent) bool { return a.Person.ID == f.Agent })
	if a < 0 {
		r.differs(path+".agent", string(f.Agent), "no agent of the problem")
		return
	}
	t := slices.IndexFunc(b.p.Templates, func(t roster.Template) bool { return t.Code == f.Template })
	if t < 0 {
		r.differs(path+".template", f.Template, "no template of the problem")
		return
	}
	r.fixed(b, path, u, f, b.p.Agents[a], b.p.Templates[t])
}

// temp recounts hired labour: nobody works longer on end than until a meal is due, and each is paid for the
// least hours of a temp.
func (r *Report) temp(b *book, path string, u roster.Uncovered, f roster.Fix) {
	longest := b.p.Rules.NormalDay
	if after := b.p.Rules.MealAfter; after > 0 {
		longest = min(longest, after)
	}
	length, people := u.Range.Duration(), 1
	for longest > 0 && time.Duration(people)*longest < length {
		people++
	}
	each := length.Hours() / float64(people)
	hours := float64(people) * max(b.p.Relief.TempHours, each)
	r.number(path+".hours", &f.Hours, hours, tolerance)
	r.number(path+".price", &f.Price, hours*b.p.Relief.Temp, tolerance)
	if f.Parts != (roster.FixParts{}) {
		r.number(path+".paid", &f.Paid, hours*b.p.Relief.Temp, tolerance)
		r.number(path+".parts.pay", &f.Parts.Pay, hours*b.p.Relief.Temp, tolerance)
		r.number(path+".parts.stretch", &f.Parts.Stretch, b.saves(u.Queue, u.Range), tolerance)
	}
	if f.Range != (calendar.Range{}) {
		r.hired(b, path, u, f, hours)
		return
	}
	least := b.saves(u.Queue, u.Range)
	if most := b.bestAround(u, time.Duration(hours*float64(time.Hour))); !(f.Saves >= least-tolerance && f.Saves <= most+tolerance) {
		r.differs(path+".saves", plain(f.Saves), fmt.Sprintf("from %.2f to %.2f", least, most))
	}
}

// hired holds the hours that temps work: all of the stretch, inside the dates, no more than they are paid for; and
// what they save in them.
func (r *Report) hired(b *book, path string, u roster.Uncovered, f roster.Fix, hours float64) {
	switch {
	case !f.Range.Valid():
		r.differs(path+".range", spanned(f.Range), "no stretch of time: it ends before it begins")
	case !inside(f.Range, b.p.Range):
		r.differs(path+".range", spanned(f.Range), "outside the dates "+spanned(b.p.Range))
	case !inside(u.Range, f.Range):
		r.differs(path+".range", spanned(f.Range), "all of the stretch "+spanned(u.Range)+", and hours around it")
	case f.Range.Duration().Hours() > hours+tolerance:
		r.differs(path+".range", spanned(f.Range), "at most the "+plain(hours)+" h that are paid")
	default:
		r.number(path+".saves", &f.Saves, b.saves(u.Queue, f.Range), tolerance)
	}
}

// inside reports whether a stretch of time lies in another.
func inside(part, whole calendar.Range) bool {
	return !part.Start.Before(whole.Start) && !part.End.After(whole.End)
}

// saves is what one more head on a queue saves in a stretch of time.
func (b *book) saves(q ids.Queue, at calendar.Range) (sum float64) {
	for t := at.Start; t.Before(at.End); t = t.Add(step) {
		if c := b.at(q, t); b.p.Range.Contains(t) {
			sum += c.saves(b.p, c.have)
		}
	}
	return sum
}

// bestAround is the most that one more head saves in hours that hold a stretch.
func (b *book) bestAround(u roster.Uncovered, paid time.Duration) float64 {
	room := max(0, int((paid-u.Range.Duration())/step))
	best := func(at time.Time, way time.Duration) []float64 { // within so many steps from there
		sum, out := 0.0, []float64{0}
		for k := range room {
			t := at.Add(time.Duration(k) * way)
			if c := b.at(u.Queue, t); b.p.Range.Contains(t) {
				sum += c.saves(b.p, c.have)
				out = append(out, max(out[k], sum))
			} else {
				out = append(out, out[k])
			}
		}
		return out
	}
	before, after := best(u.Range.Start.Add(-step), -step), best(u.Range.End, step)
	most := 0.0
	for k := range before {
		most = max(most, before[k]+after[room-k])
	}
	return b.saves(u.Queue, u.Range) + most
}

// fixed works a fix: the agent's shifts with it must be legal, and hours, pay and price must be theirs. What it saves
// elsewhere depends on where the optimiser puts pauses and people on other queues, so it is held between the least and
// the most that they can make it; the price is known but for soft rules and percentages that the pauses decide.
func (r *Report) fixed(b *book, path string, u roster.Uncovered, f roster.Fix, a roster.Agent, t roster.Template) {
	s, why := laid(b.p, t, f.Date, u)
	if why == "" && len(a.Templates) > 0 && !slices.Contains(a.Templates, t.Code) {
		why = "no template of this agent"
	}
	if why != "" {
		r.differs(path+".template", t.Code+" on "+f.Date.String(), why)
		return
	}
	s.Agent = a.Person.ID
	was := b.own[a.Person.ID]
	now, gone := []scheduling.Shift{s}, []scheduling.Shift(nil)
	for _, x := range was {
		date := dateOf(b.p, x)
		leaves := f.Kind == "swap" && date == f.Off || (f.Kind == "overtime" || f.Kind == "shift") && date == f.Date
		switch {
		case leaves && !locked(b.p, x):
			gone = append(gone, x)
		case date == f.Date:
			r.differs(path+".date", f.Date.String(), "a day with a shift")
			return
		default:
			now = append(now, x)
		}
	}
	if f.Kind == "swap" && len(gone) == 0 {
		r.differs(path+".off", f.Off.String(), "a day without a shift that could become free")
		return
	}
	slices.SortStableFunc(now, func(x, y scheduling.Shift) int { return x.Start.Compare(y.Start) })
	if f.Kind == "overtime" {
		a.Person.OvertimeAgreed = true
	}
	before, after := Report{softs: map[mark]int{}}, Report{softs: map[mark]int{}}
	agentRules(&before, b.p, &a, was)
	agentRules(&after, b.p, &a, now)
	for _, v := range after.Violations {
		if !slices.Contains(before.Violations, v) {
			r.differs(path, "a legal shift", v)
			return
		}
	}
	agentCost(&before, b.p, &a, was)
	agentCost(&after, b.p, &a, now)
	pay := payShares(b.p, &a, was, now)
	r.pay(path, f, pay, payLoose(b.p, s))
	own := b.partsOf(f, pay, &a, before, after)
	own.Stretch = b.saves(u.Queue, u.Range)
	least, most := b.elsewhere(u, s, gone)
	least, most = least+own.Stretch, most+own.Stretch
	if f.Saves < least-tolerance || f.Saves > most+tolerance || math.IsNaN(f.Saves) {
		r.differs(path+".saves", plain(f.Saves), fmt.Sprintf("from %.2f to %.2f", least, most))
	}
	tired := b.p.Weights.SoftRule * float64(2*len(t.Pauses)+1) // stretches of work that pauses elsewhere make too long or not
	paid := a.Wage * 3 * payLoose(b.p, s) / 60
	r.number(path+".price", &f.Price, own.Pay+own.Seat+own.Disturbance+own.SoftRules+own.Other, tolerance+tired+b.p.Weights.Wage*paid)
	if f.Parts == (roster.FixParts{}) {
		return
	}
	r.number(path+".paid", &f.Paid, b.paid(f, &a, pay), tolerance+paid)
	for _, x := range []struct {
		name     string
		says, is float64
		within   float64
	}{
		{"stretch", f.Parts.Stretch, own.Stretch, 0},
		{"pay", f.Parts.Pay, own.Pay, b.p.Weights.Wage * paid},
		{"seat", f.Parts.Seat, own.Seat, 0},
		{"disturbance", f.Parts.Disturbance, own.Disturbance, 0},
		{"soft_rules", f.Parts.SoftRules, own.SoftRules, tired},
		{"other", f.Parts.Other, own.Other, 0},
	} {
		r.number(path+".parts."+x.name, &x.says, x.is, tolerance+x.within)
	}
}

// partsOf is what a fix costs, from the parts of the agent's shifts without it and with it.
func (b *book) partsOf(f roster.Fix, pay map[int]int, a *roster.Agent, before, after Report) (own roster.FixParts) {
	names := slices.AppendSeq(slices.Collect(maps.Keys(before.Parts)), maps.Keys(after.Parts))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		yuan := after.Parts[name] - before.Parts[name]
		switch name {
		case "wages", "premiums":
			own.Pay += yuan
		case "stability":
			own.Disturbance += yuan
		case "soft_rules":
			own.SoftRules += yuan
		default:
			own.Other += yuan
		}
	}
	if f.Kind == "seat" {
		own.Seat = b.p.Relief.Seat
	}
	if b.p.Weights.Wage*a.Wage == 0 && f.Kind == "overtime" {
		own.Pay += b.p.Relief.Hour * (1.5*float64(pay[150]) + 2*float64(pay[200]) + 3*float64(pay[300])) / 60
	}
	return own
}

// paid is what the agent of a fix gets for it: the hours at their percentages, those at 100 % only without a salary.
func (b *book) paid(f roster.Fix, a *roster.Agent, pay map[int]int) (sum float64) {
	wage, salaried := a.Wage, a.Salaried
	if wage == 0 && f.Kind == "overtime" {
		wage, salaried = b.p.Relief.Hour, true
	}
	for percent, minutes := range pay {
		if percent != 100 || !salaried {
			sum += wage * float64(percent) / 100 * float64(minutes) / 60
		}
	}
	return sum
}

// laid is a template on a date with its pauses outside the stretch and its work on the queue of it.
func laid(p roster.Problem, t roster.Template, date calendar.Date, u roster.Uncovered) (s scheduling.Shift, why string) {
	start := startOf(p, t, date)
	s = scheduling.Shift{Code: t.Code, Start: start, End: start.Add(t.Length)}
	switch {
	case !p.Range.Contains(start) || len(t.Weekdays) > 0 && !slices.Contains(t.Weekdays, date.Weekday()):
		return s, "no shift of that date"
	case s.Start.After(u.Range.Start) || s.End.Before(u.Range.End):
		return s, "does not span the stretch"
	}
	at := start
	work := func(until time.Time) {
		if at.Before(until) {
			s.Activities = append(s.Activities, scheduling.Activity{Kind: scheduling.Work, Queue: u.Queue, Start: at, End: until})
		}
	}
	for _, q := range t.Pauses {
		from := start.Add(q.Earliest)
		for !from.After(start.Add(q.Latest)) && from.Before(u.Range.End) && u.Range.Start.Before(from.Add(q.Length)) {
			from = from.Add(step)
		}
		if from.After(start.Add(q.Latest)) {
			return s, "has a pause in the stretch"
		}
		work(from)
		at = from.Add(q.Length)
		s.Activities = append(s.Activities, scheduling.Activity{Kind: q.Kind, Start: from, End: at})
	}
	work(s.End)
	return s, ""
}

// payLoose is by how many minutes pauses elsewhere can change the percentages: where a shift runs over midnight,
// all that is not paid.
func payLoose(p roster.Problem, s scheduling.Shift) float64 {
	if dateOf(p, s) == calendar.DateOf(s.End.Add(-time.Minute), p.Location) {
		return 0
	}
	return s.End.Sub(s.Start).Minutes() - s.WorkTime().Minutes()
}

// pay holds the minutes by percentage, and the hours beyond the normal ones.
func (r *Report) pay(path string, f roster.Fix, is map[int]int, loose float64) {
	told := map[int]int{}
	for _, s := range f.Pay {
		told[int(s.Percent)] += s.Minutes
	}
	percents := maps.Clone(is)
	maps.Copy(percents, told)
	for _, percent := range slices.Sorted(maps.Keys(percents)) {
		minutes := float64(told[percent])
		r.number(fmt.Sprintf("%s.pay %d %%", path, percent), &minutes, float64(is[percent]), loose)
	}
	r.number(path+".hours", &f.Hours, float64(is[150]+is[200]+is[300])/60, tolerance+loose/60)
}

// payShares are the minutes that one list of shifts has more than another, by percentage.
func payShares(p roster.Problem, a *roster.Agent, was, now []scheduling.Shift) map[int]int {
	out := minutesPaid(p, a, now)
	for percent, n := range minutesPaid(p, a, was) {
		out[percent] -= n
	}
	return nonzeroInts(out)
}

func nonzeroInts(m map[int]int) map[int]int {
	maps.DeleteFunc(m, func(_, n int) bool { return n == 0 })
	return m
}

// elsewhere is the least and the most that a shift gains outside the stretch, whoever changes places for it, less
// what the shifts lose that go for it.
func (b *book) elsewhere(u roster.Uncovered, s scheduling.Shift, gone []scheduling.Shift) (least, most float64) {
	over := b.p.Weights.Over * step.Hours()
	left := map[int64]bool{}
	for _, x := range gone {
		for t := x.Start; t.Before(x.End); t = t.Add(step) {
			if !b.p.Range.Contains(t) {
				continue
			}
			left[t.Unix()] = true
			if top := b.dearest(t, 1); top > 0 {
				least -= top
			}
			most += over
		}
	}
	for t := s.Start; t.Before(s.End); t = t.Add(step) {
		if !b.p.Range.Contains(t) || u.Range.Contains(t) {
			continue
		}
		fewer := 0
		if left[t.Unix()] {
			fewer = 1
		}
		most += max(0, b.dearest(t, fewer))
		least -= over
	}
	return least, most
}

// dearest is the most that one more head saves on any queue at an instant that has so many fewer.
func (b *book) dearest(t time.Time, fewer int) float64 {
	best := math.Inf(-1)
	for _, c := range b.soon[t.Unix()] {
		best = max(best, c.saves(b.p, max(0, c.have-fewer)))
	}
	return best
}
