package forecast

import (
	"math"
	"slices"
	"time"

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

// draftEvent is a coming occurrence and its phases as spans of days.
type draftEvent struct {
	family     string
	start, end time.Time
	first      int // day number since 1970
	length     int
	phases     []occurrencePhase
	loc        *time.Location
}

// draftEvents lists the coming occurrences, long holidays among them.
func (e *engine) draftEvents() []draftEvent {
	var out []draftEvent
	for _, o := range e.coming() {
		out = append(out, draftEvent{
			family: o.family, start: o.start, end: o.end, first: e.g.firstDay + o.first,
			length: o.length, phases: o.phases, loc: e.g.loc,
		})
	}
	return out
}

// eventForecasts totals each coming event and its phases over the days that are forecast.
func (d *draft) eventForecasts() []EventForecast {
	out := []EventForecast{}
	for _, e := range d.events {
		total, days := d.totalOf(e.first, e.first+e.length)
		if len(days) == 0 {
			continue
		}
		f := EventForecast{
			Family: e.family, Start: e.start, End: e.end, Total: total,
			From: days[0].slots[0].Start, Until: unixDate(days[len(days)-1].unix + 1).In(e.loc),
		}
		for _, p := range e.phases {
			if sum, part := d.totalOf(e.first+p.first, e.first+p.first+p.length); len(part) > 0 {
				f.Phases = append(f.Phases, PhaseForecast{Kind: p.kind, Until: unixDate(part[len(part)-1].unix + 1).In(e.loc), Total: sum})
			}
		}
		out = append(out, f)
	}
	return out
}

// totalOf is the distribution of the total over the days [from, to).
func (d *draft) totalOf(from, to int) (scheduling.Point, []*draftDay) {
	var days []*draftDay
	for i := range d.days {
		if day := &d.days[i]; day.unix >= from && day.unix < to {
			days = append(days, day)
		}
	}
	if len(days) == 0 {
		return scheduling.Point{}, nil
	}
	var sum errorSum
	for _, day := range days {
		sum.add(&d.spread, day.total(), day.lead, day.extra)
	}
	variance := sum.variance(d.carry)
	point := scheduling.Point{Start: days[0].slots[0].Start, Mean: sum.mean}
	if d.totalScores == nil || sum.mean < negligible {
		added := eventShare*sum.event*sum.event + (1-eventShare)*sum.eventSquares
		point.Quantiles = d.spread.withEvent(sum.mean, variance-added, added/max(sum.mean*sum.mean, negligible), d.totalBent)
		return point, days
	}
	for _, z := range d.totalScores {
		point.Quantiles = append(point.Quantiles, max(0, sum.mean+z*math.Sqrt(variance)))
	}
	return point, days
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
// errors over the assumed standard deviation, both sorted.
func totalErrors(origins [][]dayError, s *spread, carry float64) (pit, scores []float64) {
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
				pit = append(pit, s.transform(sum.mean, sum.variance(carry), actual))
				scores = append(scores, (actual-sum.mean)/math.Sqrt(sum.variance(carry)))
			}
		}
	}
	slices.Sort(pit)
	slices.Sort(scores)
	return pit, scores
}

// leastWitnesses is how many past totals make a pool.
const leastWitnesses = 50

// bendTotals maps the wanted levels of a total to levels of the assumed distribution by the
// series' own past totals, as far as there are any.
func bendTotals(levels, own []float64) []float64 {
	out := slices.Clone(levels)
	for i, q := range levels {
		if n := float64(len(own)) / float64(len(totalWindows)); len(own) > 0 {
			q = (n*quantileOf(own, q) + recalibration*q) / (n + recalibration)
		}
		out[i] = min(max(q, 1e-4), 1-1e-4)
		if i > 0 {
			out[i] = max(out[i], out[i-1])
		}
	}
	return out
}

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
