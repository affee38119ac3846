package forecast

import (
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// draft is a forecast whose means may still be moved, so that series of a batch add up, before
// quantiles are put around them. It keeps no more of the engine than that needs.
type draft struct {
	result Result // all but the numbers
	days   []draftDay
	events []draftEvent
	spread spread
	carry  float64 // correlation of the errors of two days of one forecast

	pastScores  []float64 // sorted errors of past totals over their standard deviation
	totalScores []float64 // per level, such an error as the pool of siblings shows it; nil = no pool
	totalBent   []float64 // the wanted levels, bent for totals
}

// draftDay is one open day of the horizon.
type draftDay struct {
	unix   int // day number since 1970
	start  time.Time
	slots  []scheduling.Point
	nth    []int // of the day, for each of them
	lead   int
	extra  float64 // relative variance an event adds
	whole  bool    // all its open slots lie in the forecast
	factor float64 // of the means, by reconciliation
	apart  float64 // variance of the children that were added on top
}

func (d *draftDay) total() float64 {
	var sum float64
	for _, p := range d.slots {
		sum += p.Mean
	}
	return sum * d.factor
}

// draft writes the means out of a learnt and tested engine.
func (e *engine) draft(s Series) (*draft, error) {
	out := &draft{spread: e.spread, carry: e.carry}
	out.totalBent = bendLevels(e.opt.Levels, e.totalPIT, float64(len(e.totalPIT))/float64(len(totalWindows)))
	out.result = Result{
		Origin: e.opt.Origin, Horizon: calendar.Length(e.opt.Horizon), Hours: e.g.hours.String(),
		Curve: scheduling.Curve{Queue: s.Queue, Slot: s.Slot, Levels: e.opt.Levels},
	}
	last := e.opt.Origin.Add(e.opt.Horizon)
	at := e.at(e.g.originDay)
	means := make([]float64, e.g.perDay)
	asleep := e.asleep()
	for d := e.g.originDay; d < e.g.days; d++ {
		if !e.g.willOpen(d) {
			continue
		}
		if at.slotMeans(d, means); asleep {
			clear(means)
		}
		day := draftDay{
			unix: e.g.firstDay + d, start: e.g.date(d).In(e.g.loc), lead: e.g.lead(d),
			extra: at.eventVariance(d), whole: true, factor: 1,
		}
		for k := range e.g.perDay {
			start, real := e.g.instant(d, k)
			if !e.g.openSlot(d, k) || !real {
				continue
			}
			if start.Before(e.opt.Origin) || !start.Before(last) {
				day.whole = false
				continue
			}
			day.slots, day.nth = append(day.slots, scheduling.Point{Start: start, Mean: means[k]}), append(day.nth, k)
		}
		if len(day.slots) > 0 {
			out.days = append(out.days, day)
		}
	}
	if len(out.days) == 0 {
		return nil, fault.New(fault.Invalid, "forecast.nothing_open",
			"no open slot starts between %s and %s (open hours: %s)", stamp(e.opt.Origin), stamp(last), out.result.Hours)
	}
	out.events = e.draftEvents()
	out.result.Model, out.result.Backtest, out.result.Doubts = e.describe(), e.score, e.allDoubts()
	return out, nil
}

// examine adds what does not look like contacts in the history, and what was excluded from it.
func (d *draft) examine(e *engine, s Series) {
	found, doubts := listed(inspect(e.g, s))
	d.result.Doubts = append(d.result.Doubts, doubts...)
	d.result.Findings, d.result.Excluded = found, slices.Clone(e.g.excluded)
}

// finish puts quantiles around the means.
func (d *draft) finish() (Result, error) {
	r := d.result
	r.Curve.Levels = append([]float64(nil), r.Curve.Levels...)
	for i := range d.days {
		day := &d.days[i]
		for j, p := range day.slots {
			p.Mean *= day.factor
			p.Quantiles = d.spread.withEvent(p.Mean, d.spread.slotVariance(p.Mean, day.lead, day.nth[j]), day.extra, d.spread.slotBent)
			r.Curve.Points = append(r.Curve.Points, p)
		}
		if day.whole {
			p := scheduling.Point{Start: day.start, Mean: day.total()}
			p.Quantiles = d.spread.withEvent(p.Mean, d.spread.dayVariance(p.Mean, day.lead), day.extra, d.spread.dayBent)
			r.Days = append(r.Days, p)
		}
	}
	r.Events = d.eventForecasts()
	if err := r.Curve.Validate(); err != nil {
		return Result{}, fault.Wrap(err, fault.Internal, "forecast.curve", "the forecast broke its own invariants")
	}
	return r, nil
}

// withEvent are quantiles with the variance an event adds. Levels were bent by ordinary days;
// they count for the part of the variance that ordinary days have.
func (s *spread) withEvent(mean, variance, extra float64, bent []float64) []float64 {
	added := extra * mean * mean
	if added <= 0 {
		return s.invert(mean, variance, bent)
	}
	levels := make([]float64, len(bent))
	for i, b := range bent {
		levels[i] = b + added/(variance+added)*(s.levels[i]-b)
	}
	return s.invert(mean, variance+added, levels)
}
