package forecast

import (
	"math"
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
				f.Phases = append(f.Phases, PhaseForecast{Kind: p.kind, Total: sum})
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
	var mean, count, level, levelSquares, event, eventSquares float64
	for _, day := range days {
		m := day.total()
		mean += m
		count += d.spread.phiDay() * m
		s := math.Sqrt(d.spread.sigma2[leadBin(day.lead)]) * m
		level += s
		levelSquares += s * s
		v := math.Sqrt(day.extra) * m
		event += v
		eventSquares += v * v
	}
	variance := count + d.carry*level*level + (1-d.carry)*levelSquares + eventShare*event*event + (1-eventShare)*eventSquares
	return scheduling.Point{Start: days[0].slots[0].Start, Mean: mean, Quantiles: d.spread.invert(mean, variance, d.spread.dayBent)}, days
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
