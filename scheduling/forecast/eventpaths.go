package forecast

import (
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/scheduling"
)

// The total of a whole event. Its error is not the sum of independent day errors: a level that
// is off is off on every day, and one occurrence is larger or smaller than the last as a whole.
//
//	Var(sum) = sum_d phi M_d + sum_de rho_de s_d M_d s_e M_e + sum_de c_de v_d M_d v_e M_e
//
// with s_d the relative error of a day by its lead, rho = 1 for d = e and else the correlation of
// two days of one forecast as the back-test saw it, v_d the relative error of the event's uplift
// and c = eventShare between different days.
const (
	eventShare  = 0.7 // of the variance of an uplift that all days of an event share (belief)
	priorCarry  = 0.4 // correlation of two days' errors before any back-test (belief)
	carryTrials = 5.0 // origins worth as much as that belief
)

// draftEvent is a coming occurrence and its phases, as they were given.
type draftEvent struct {
	family string
	span   calendar.Range
	phases []Phase
	loc    *time.Location
}

// draftEvents lists the coming occurrences, long holidays among them.
func (e *engine) draftEvents() []draftEvent {
	var out []draftEvent
	for _, o := range e.coming() {
		out = append(out, draftEvent{family: o.family, span: calendar.Range{Start: o.start, End: o.end}, phases: o.spans, loc: e.g.loc})
	}
	return out
}

// eventForecasts totals each coming event and its phases over what of them is forecast.
func (d *draft) eventForecasts() []EventForecast {
	out := []EventForecast{}
	daily := d.spread.perDay == 1
	for _, e := range d.events {
		span, total, ok := d.totalOf(e.span, e.loc)
		if !ok {
			continue
		}
		f := EventForecast{Family: e.family, Start: e.span.Start, End: e.span.End, From: span.Start, Until: span.End, WholeDays: daily, Total: total}
		for _, p := range e.phases {
			if part, sum, ok := d.totalOf(calendar.Range{Start: p.Start, End: p.End}, e.loc); ok {
				f.Phases = append(f.Phases, PhaseForecast{Kind: p.Kind, From: part.Start, Until: part.End, Total: sum})
			}
		}
		out = append(out, f)
	}
	return out
}

// noonDays are the local days that a span counts for where figures are of days: those whose noon
// lies in it, so that a sale from 20:00 and one from midnight both begin with the next date and
// phases that meet share no day. A span without a noon counts for the day that its middle lies in.
func noonDays(span calendar.Range, loc *time.Location) calendar.Range {
	first := unixDay(calendar.DateOf(span.Start.Add(12*time.Hour-1), loc))
	end := unixDay(calendar.DateOf(span.End.Add(12*time.Hour-1), loc))
	if first >= end {
		first = unixDay(calendar.DateOf(span.Start.Add(span.End.Sub(span.Start)/2), loc))
		end = first + 1
	}
	return calendar.Range{Start: unixDate(first).In(loc), End: unixDate(end).In(loc)}
}

// totalOf is the distribution of the total over the slots that start in a span, and the part of
// the span that is forecast; of daily figures its whole days. It fails where nothing of it is.
func (d *draft) totalOf(span calendar.Range, loc *time.Location) (calendar.Range, scheduling.Point, bool) {
	if d.spread.perDay == 1 {
		span = noonDays(span, loc)
	}
	var sum errorSum
	var point scheduling.Point
	for i := range d.days {
		day := &d.days[i]
		part, share := d.partOf(day, span)
		if part < 0 {
			continue
		}
		if point.Start.IsZero() {
			point.Start = share.first
		}
		sum.add(&d.spread, part, day.lead, day.extra)
		sum.count += share.variance
	}
	if point.Start.IsZero() {
		return span, point, false
	}
	span = d.forecastPart(span, point.Start)
	variance := sum.variance(d.carry)
	point.Mean = sum.mean
	if d.totalScores == nil || sum.mean < negligible {
		added := eventShare*sum.event*sum.event + (1-eventShare)*sum.eventSquares
		point.Quantiles = d.spread.withEvent(sum.mean, variance-added, added/max(sum.mean*sum.mean, negligible), d.totalBent)
		return span, point, true
	}
	for _, z := range d.totalScores {
		point.Quantiles = append(point.Quantiles, max(0, sum.mean+z*math.Sqrt(variance)))
	}
	return span, point, true
}

// forecastPart cuts a span to what the forecast covers of it.
func (d *draft) forecastPart(span calendar.Range, first time.Time) calendar.Range {
	origin, end := d.result.Origin, d.result.Origin.Add(time.Duration(d.result.Horizon))
	if span.Start.Before(origin) {
		if span.Start = origin; d.spread.perDay == 1 {
			span.Start = first
		}
	}
	if span.End.After(end) {
		if span.End = end; d.spread.perDay == 1 {
			span.End = d.days[len(d.days)-1].start.AddDate(0, 0, 1)
		}
	}
	return span
}

// partShare is what is known of a part of a day beside its mean.
type partShare struct {
	first    time.Time // its first slot
	variance float64   // that the part's share of the day adds: the errors of slots cancel over the whole day only
}

// partOf is the mean of the slots of a day that start in a span; negative = none does.
func (d *draft) partOf(day *draftDay, span calendar.Range) (float64, partShare) {
	var share partShare
	mean, all, n := 0.0, day.total(), 0
	for i, p := range day.slots {
		if !span.Contains(p.Start) {
			continue
		}
		if n++; n == 1 {
			share.first = p.Start
		}
		m := p.Mean * day.factor
		mean += m
		share.variance += d.spread.shareVariance(m, day.nth[i])
	}
	switch {
	case n == 0:
		return -1, share
	case n == len(day.slots):
		share.variance = 0
		return all, share
	}
	share.variance *= 1 - mean/max(all, negligible)
	return mean, share
}

// errorSum adds up days and what is needed of the variance of their sum.
type errorSum struct {
	mean, count         float64
	level, levelSquares float64
	event, eventSquares float64
}

func (e *errorSum) add(s *spread, mean float64, lead int, extra float64) {
	e.mean += mean
	e.count += s.phiDay() * mean
	l := math.Sqrt(s.sigma2[leadBin(lead)]) * mean
	e.level += l
	e.levelSquares += l * l
	v := math.Sqrt(extra) * mean
	e.event += v
	e.eventSquares += v * v
}

func (e *errorSum) variance(carry float64) float64 {
	return e.count + carry*e.level*e.level + (1-carry)*e.levelSquares +
		eventShare*e.event*e.event + (1-eventShare)*e.eventSquares
}

// totalWindows are the lengths in days of the totals that the back-test checks.
var totalWindows = [...]int{7, 14, 28, 56}

// totalErrors are back-tested totals over the windows: their probability transforms and their
// errors over the assumed standard deviation, sorted.
func totalErrors(origins [][]dayError, s *spread, carry float64) (pit []witness, scores []float64) {
	for _, days := range origins {
		for _, length := range totalWindows {
			if length > len(days) && (length != totalWindows[0] || len(days) < 3) {
				break
			}
			var sum errorSum
			var actual float64
			for _, d := range days[:min(length, len(days))] {
				sum.add(s, d.mean, d.lead, 0)
				actual += d.actual
			}
			if sum.mean > negligible {
				pit = append(pit, s.around(sum.mean, sum.variance(carry), actual))
				scores = append(scores, (actual-sum.mean)/math.Sqrt(sum.variance(carry)))
			}
		}
	}
	slices.Sort(scores)
	return pit, scores
}

// leastWitnesses is how many past totals make a pool.
const leastWitnesses = 50

// quantileOf interpolates a quantile of sorted values.
func quantileOf(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// carried is the mean correlation of the errors of two days of one forecast: over the pairs of
// days of each tested origin the product of their standardised errors, shrunk to a belief.
func carried(origins [][]dayError, s *spread) float64 {
	sum, trials := carryTrials*priorCarry, carryTrials
	for _, days := range origins {
		var z, squares, n float64
		for _, d := range days {
			if d.mean > negligible {
				e := clip((d.actual-d.mean)/math.Sqrt(s.dayVariance(d.mean, d.lead)), clipAt)
				z += e
				squares += e * e
				n++
			}
		}
		if n > 1 {
			sum += min(max((z*z-squares)/(n*(n-1)), -0.2), 1)
			trials++
		}
	}
	return min(max(sum/trials, 0), 0.95)
}

// byOrigin are the day errors of each tested origin.
func byOrigin(points []point) [][]dayError {
	var out [][]dayError
	for i := 0; i < len(points); {
		j := i
		for j < len(points) && points[j].origin == points[i].origin {
			j++
		}
		out = append(out, dayErrors(points[i:j]))
		i = j
	}
	return out
}
