package roster_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// house draws a customer-service house as the benchmarks roster it: 20 merchants, the larger ones
// with a queue for after-sales of their own, four weeks around Double 11 in slots of 15 minutes,
// and n agents of every regime with skills for 2 to 4 shops. load is the share of the contract hours
// that the demand of ordinary days takes; the promotion comes on top of it.
type house struct {
	rng   *rand.Rand
	p     roster.Problem
	shops []shop
}

type shop struct {
	queue  ids.Queue
	share  float64
	value  float64 // yuan per missing head-hour
	open   int     // hours
	close  int
	peaks  [3]float64 // morning, afternoon, evening
	growth float64    // of the promotion
	after  bool
}

const houseDays = 28

func makeHouse(n int, load float64, seed uint64) roster.Problem {
	h := &house{rng: rand.New(rand.NewPCG(seed, 20))}
	start := time.Date(2026, 11, 2, 0, 0, 0, 0, zone)
	h.p = roster.Problem{
		Range: calendar.Range{Start: start, End: start.AddDate(0, 0, houseDays)}, Location: zone,
		Rules: workrules.DefaultParams(), Weights: roster.DefaultWeights(),
	}
	h.p.Rules.SpecialDates = []calendar.Dates{{From: calendar.MakeDate(2026, 11, 9), Until: calendar.MakeDate(2026, 11, 14)}}
	h.templates()
	h.merchants()
	contract := 0.0
	for i := range n {
		a, week := h.agent(i)
		h.p.Agents = append(h.p.Agents, a)
		contract += week
	}
	h.demand(load * contract / 7)
	return h.p
}

func (h *house) templates() {
	pause := func(kind scheduling.ActivityKind, length, earliest, latest float64) roster.Pause {
		d := func(hours float64) time.Duration { return time.Duration(hours * float64(time.Hour)) }
		return roster.Pause{Kind: kind, Length: d(length), Earliest: d(earliest), Latest: d(latest)}
	}
	breaks := []roster.Pause{pause(scheduling.Break, 0.25, 1.5, 2.5), pause(scheduling.Meal, 1, 3, 5), pause(scheduling.Break, 0.25, 6, 7.5)}
	add := func(prefix string, from, until, step, length float64, pauses ...roster.Pause) {
		d := func(hours float64) time.Duration { return time.Duration(hours * float64(time.Hour)) }
		h.p.Templates = append(h.p.Templates, roster.StartWindow{
			Prefix: prefix, From: d(from), Until: d(until), Step: d(step), Lengths: []time.Duration{d(length)}, Pauses: pauses,
		}.Expand()...)
	}
	add("D", 7.5, 15, 0.5, 9, breaks...) // eight hours of work
	add("E", 8, 14, 1, 10, breaks...)    // with an hour of overtime, or comprehensive hours
	add("C", 8, 12, 2, 12, breaks...)    // eleven hours, comprehensive
	add("P", 9, 20, 1, 4)                // part-time
	add("K", 9, 18, 1, 6)                // six whole slots, cloud
	add("N", 23.5, 23.5, 1, 8.5, pause(scheduling.Meal, 0.5, 3, 4.5))
}

// merchants have shares like 1/(rank+2) and one of three kinds of day.
func (h *house) merchants() {
	kinds := [][3]float64{{1.0, 0.8, 1.3}, {0.8, 0.7, 1.8}, {1.2, 1.0, 0.7}}
	for i := range 20 {
		s := shop{
			queue: ids.Queue(fmt.Sprintf("m%02d/pre", i+1)), share: 1 / float64(i+2), value: 60 + float64(h.rng.IntN(9))*10,
			open: 8, close: 24, peaks: kinds[h.rng.IntN(3)], growth: 1.2 + h.rng.Float64(),
		}
		switch {
		case i < 3:
			s.open = 0
		case i > 12:
			s.open, s.close = 9, 22
		}
		if i < 8 {
			after := s
			after.queue, after.after, after.value = ids.Queue(fmt.Sprintf("m%02d/after", i+1)), true, s.value*0.7
			after.share, after.open, after.close, after.growth = s.share*0.5, 9, 22, 0.6
			h.shops = append(h.shops, after)
			s.share *= 0.5
		} else {
			s.queue = ids.Queue(fmt.Sprintf("m%02d/all", i+1))
		}
		h.shops = append(h.shops, s)
	}
	terms := []workrules.QueueTerms{}
	for i, s := range h.shops {
		q := workrules.QueueTerms{Queue: s.queue}
		if i%3 == 0 {
			q.Certificate = "exam-" + string(s.queue)
		}
		if !s.after && i%2 == 0 {
			q.Packs = []workrules.Pack{{Code: "d11-" + string(s.queue), Dates: calendar.Dates{From: calendar.MakeDate(2026, 11, 9), Until: calendar.MakeDate(2026, 11, 13)}}}
		}
		terms = append(terms, q)
	}
	h.p.Rules.Queues = terms
}

// agent draws one person and the hours of a contract week.
func (h *house) agent(i int) (roster.Agent, float64) {
	rng := h.rng
	a := roster.Agent{Person: workrules.Person{ID: ids.Agent(fmt.Sprintf("A%04d", i+1))}}
	p := &a.Person
	week := 40.0
	switch x := rng.IntN(100); {
	case x < 14:
		p.Regime, p.Period = workrules.Comprehensive, workrules.ByMonth
		p.OvertimeAgreed = rng.IntN(2) == 0
	case x < 26:
		p.Regime, a.Wage, week = workrules.PartTime, 24, 24
	case x < 30:
		p.Engagement, a.Wage = workrules.Intern, 18
	case x < 35:
		p.Engagement, a.Wage = workrules.Agency, 30
		p.Assigned = calendar.Dates{From: calendar.MakeDate(2026, 8, 1)}
	case x < 39:
		p.Engagement, a.Wage, week = workrules.Cloud, 26, 36
	default:
		p.OvertimeAgreed = rng.IntN(5) < 2
	}
	if a.Wage == 0 { // a salary pays the normal hours; premiums are reckoned from 30 yuan
		a.Wage, a.Salaried, a.MinWork = 30, true, 144*time.Hour
	}
	h.circumstances(&a)
	h.skills(p)
	h.past(&a)
	return a, week
}

// circumstances are what sets one agent apart: protection, leave, wishes, agreements, training.
func (h *house) circumstances(a *roster.Agent) {
	rng, p := h.rng, &a.Person
	day := func() calendar.Date { return calendar.MakeDate(2026, 11, 2+rng.IntN(houseDays)) }
	switch x := rng.IntN(100); {
	case x < 2:
		p.Conditions = []workrules.Condition{{Kind: workrules.PregnantLate, Dates: calendar.Dates{From: day()}}}
	case x < 5:
		p.Conditions = []workrules.Condition{{Kind: workrules.Nursing, Dates: calendar.Dates{From: calendar.MakeDate(2026, 6, 1)}}}
	case x < 6:
		p.Born = calendar.MakeDate(2009, 3, 1)
	case x < 9:
		p.Agreements = []workrules.Agreement{{Dates: calendar.Dates{From: calendar.MakeDate(2026, 1, 1)}, NoNights: true, DaysOff: []string{"sunday"}}}
	}
	if rng.IntN(100) < 8 {
		from := day()
		p.Unavailable = append(p.Unavailable, calendar.Range{Start: from.In(zone), End: from.Add(1 + rng.IntN(4)).In(zone)})
	}
	if p.Regime == workrules.PartTime && rng.IntN(2) == 0 { // students have lectures on two weekdays
		first := 2 + rng.IntN(4)
		for w := range houseDays / 7 {
			for _, d := range []int{first, first + 1} {
				at := calendar.MakeDate(2026, 11, d+7*w).In(zone)
				p.Unavailable = append(p.Unavailable, calendar.Range{Start: at.Add(8 * time.Hour), End: at.Add(17 * time.Hour)})
			}
		}
	}
	if rng.IntN(10) == 0 {
		at := day().In(zone)
		p.Sessions = []workrules.Session{{Kind: workrules.TrainingSession, Range: calendar.Range{Start: at.Add(10 * time.Hour), End: at.Add(12 * time.Hour)}}}
	}
	for range 2 {
		a.Preferences = append(a.Preferences, roster.Preference{Date: day(), Weight: -30})
	}
	a.Ledger = roster.Ledger{Nights: rng.IntN(3), Weekends: rng.IntN(6)}
}

// skills gives 2 to 4 shops, larger ones more often, with nearly all certificates and packs.
func (h *house) skills(p *workrules.Person) {
	sum := 0.0
	for _, s := range h.shops {
		sum += s.share
	}
	for len(p.Skills) < 2+h.rng.IntN(3) {
		x, i := h.rng.Float64()*sum, 0
		for ; x > h.shops[i].share && i < len(h.shops)-1; i++ {
			x -= h.shops[i].share
		}
		q := h.shops[i].queue
		if p.Can(q, calendar.MakeDate(2026, 11, 2)) {
			continue
		}
		p.Skills = append(p.Skills, workrules.Skill{Queue: q})
		if h.rng.IntN(20) > 0 {
			p.Certificates = append(p.Certificates, workrules.Certificate{Code: "exam-" + string(q)})
		}
		if h.rng.IntN(20) > 0 {
			p.Acknowledged = append(p.Acknowledged, workrules.Acknowledgement{Pack: "d11-" + string(q), On: calendar.MakeDate(2026, 11, 5)})
		}
	}
}

// past is the week before: five shifts in six days.
func (h *house) past(a *roster.Agent) {
	off := 1 + h.rng.IntN(5)
	length := 9 * time.Hour
	if a.Person.Regime == workrules.PartTime {
		length = 4 * time.Hour
	}
	for d := 1; d <= 6; d++ {
		if d == off {
			continue
		}
		at := h.p.Range.Start.AddDate(0, 0, -d).Add(time.Duration(9+h.rng.IntN(4)) * time.Hour)
		s := scheduling.Shift{Agent: a.Person.ID, Start: at, End: at.Add(length)}
		if length > 6*time.Hour {
			s.Activities = []scheduling.Activity{{Kind: scheduling.Meal, Start: at.Add(4 * time.Hour), End: at.Add(5 * time.Hour)}}
		}
		a.History = append(a.History, s)
	}
}

// demand spreads a number of head-hours a day over shops and slots.
func (h *house) demand(hours float64) {
	shares := 0.0
	for _, s := range h.shops {
		shares += s.share
	}
	for _, s := range h.shops {
		r := scheduling.Requirement{Queue: s.queue, Slot: 15 * time.Minute}
		sum := 0.0
		for k := range 96 {
			sum += s.shape(float64(k)/4) / 4
		}
		heads := hours * s.share / shares / sum
		for d := range houseDays {
			date := calendar.MakeDate(2026, 11, 2+d)
			level := heads * s.day(date) * (0.95 + 0.1*h.rng.Float64())
			for k := range 96 {
				paid := level * s.shape(float64(k)/4)
				if paid < 0.3 {
					continue
				}
				n := scheduling.Need{Start: date.In(zone).Add(time.Duration(k) * 15 * time.Minute), Paid: paid, Value: s.value / 4}
				n.Heads = int(math.Ceil(paid * 0.7))
				r.Needs = append(r.Needs, n)
			}
		}
		h.p.Demand = append(h.p.Demand, r)
	}
}

// shape is the relative demand of a clock hour.
func (s *shop) shape(hour float64) float64 {
	if hour < float64(s.open) || hour >= float64(s.close) {
		return 0
	}
	if hour < 7 {
		return 0.05 // the night watch of the shops that never close
	}
	bump := func(at, width float64) float64 { return math.Exp(-(hour - at) * (hour - at) / (2 * width * width)) }
	return 0.15 + s.peaks[0]*bump(10.5, 1.8) + s.peaks[1]*bump(15.5, 2) + s.peaks[2]*bump(20.5, 1.7)
}

// day is the relative demand of a date: weekends for presales, Double 11, and its returns.
func (s *shop) day(d calendar.Date) float64 {
	f := 1.0
	if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
		f = 1.1
		if s.after {
			f = 0.8
		}
	}
	switch {
	case s.after && d.Day >= 13 && d.Day <= 19:
		f *= 1 + s.growth
	case !s.after && (d.Day == 10 || d.Day == 11):
		f *= 1 + s.growth
	case !s.after && (d.Day == 9 || d.Day == 12):
		f *= 1 + s.growth/3
	}
	return f
}
