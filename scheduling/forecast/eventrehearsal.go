package forecast

import (
	"math"
	"slices"
)

// Totals of events fall wider than totals of ordinary weeks: queues open and close for a
// promotion. So a tree also forecasts each past event from an origin that lay to it as the
// present origin lies to the coming one, and takes the quantiles of event totals from how those
// past totals fell, pooled over siblings of about the same size.

// pastRun is the forecast of a past event from the past.
type pastRun struct {
	means  []float64 // per day of the span; nil = none
	extras []float64
}

// pastSpan is what of a past event is forecast, and from when.
type pastSpan struct {
	origin   int // last day of history, by number
	from, to int // days [from, to)
}

// pastSpans are the past events that a coming one makes worth forecasting again.
func (e *engine) pastSpans() []pastSpan {
	var out []pastSpan
	coming := slices.IndexFunc(e.occ, func(o occurrence) bool {
		return !o.builtIn && o.first < e.g.days && o.first+o.length > e.g.originDay
	})
	if coming < 0 {
		return nil
	}
	stage := e.g.originDay - e.occ[coming].first
	for _, o := range e.occ {
		if o.builtIn || o.first+o.length > e.g.lastDay() {
			continue
		}
		origin := o.first + min(max(stage, -maxTestDays/2), o.length/2) - 1
		if origin >= 28 {
			out = append(out, pastSpan{
				origin: e.g.firstDay + origin, from: e.g.firstDay + max(origin+1, o.first),
				to: e.g.firstDay + min(o.first+o.length, origin+1+e.g.days-e.g.originDay),
			})
		}
	}
	return slices.DeleteFunc(out, func(s pastSpan) bool { return s.from >= s.to })
}

// rerun forecasts the spans with what was known at their origins.
func (n *node) rerun(st stage) {
	e := n.engine
	n.runs = make([]pastRun, len(st.events))
	means := make([]float64, e.g.perDay)
	for i, s := range st.events {
		at := s.origin - e.g.firstDay
		if at < 13 || at > e.g.lastDay() {
			continue
		}
		v, quiet := e.at(at), e.silent(at)
		run := pastRun{make([]float64, s.to-s.from), make([]float64, s.to-s.from)}
		for k := range run.means {
			d := s.from + k - e.g.firstDay
			if !e.g.willOpen(d) || quiet {
				continue
			}
			v.slotMeans(d, means)
			for _, m := range means {
				run.means[k] += m
			}
			run.extras[k] = v.eventVariance(d)
		}
		n.runs[i] = run
	}
}

// mixRuns mixes w of the own reruns with the rest of the other's times a share.
func (n *node) mixRuns(w float64, other func(i, k int) float64) {
	for i, run := range n.runs {
		for k := range run.means {
			run.means[k] = w*run.means[k] + (1-w)*other(i, k)
		}
	}
}

// eventScores are the errors of the totals of past events over their assumed standard deviation. What all siblings had in
// common, an event larger or smaller than foreseen, is one error and not one per sibling: it is
// taken out here (scale, per event) and stays in the variance that an event adds.
func (n *node) eventScores(st stage, scale []float64) []float64 {
	var out []float64
	d := n.draft
	for i, s := range st.events {
		run := n.runs[i]
		if run.means == nil || n.spanAsleep(s) {
			continue
		}
		var sum errorSum
		var actual float64
		for k, m := range run.means {
			sum.add(&d.spread, m*scale[i], s.from+k-s.origin, 0)
			actual += n.on(s.from + k)
		}
		if sum.mean > negligible {
			out = append(out, (actual-sum.mean)/math.Sqrt(sum.variance(d.carry)))
		}
	}
	return out
}

// commonErrors are actual over forecast of the sum of all children, per past event, and how many
// past events there are.
func (n *node) commonErrors(st stage) (scale []float64, events int) {
	scale = make([]float64, len(st.events))
	for i, s := range st.events {
		var forecast, actual float64
		for _, k := range n.kids {
			if i >= len(k.runs) || k.runs[i].means == nil {
				continue
			}
			for day, m := range k.runs[i].means {
				forecast += m
				actual += k.on(s.from + day)
			}
		}
		scale[i] = 1
		if forecast > negligible && actual > negligible {
			scale[i] = actual / forecast
			events++
		}
	}
	return scale, events
}

// spanAsleep reports a forecast of next to nothing that nothing came of: it tells nothing.
func (n *node) spanAsleep(s pastSpan) bool {
	var volume float64
	for d := s.from; d < s.to; d++ {
		volume += n.on(d)
	}
	for d := s.origin; d > s.origin-28; d-- {
		volume += n.on(d)
	}
	return volume == 0
}

// poolTotals lets siblings of about the same size say how totals really fall: those of past
// events, each worth as much as all ordinary weeks, because events are few and alike.
func (n *node) poolTotals(st stage) {
	var weeks, events [sizeClasses][]float64
	scale, past := n.commonErrors(st)
	for _, k := range n.kids {
		if k.draft == nil || k.runs == nil {
			continue
		}
		c := k.sizeClass()
		weeks[c] = append(weeks[c], k.draft.pastScores...)
		events[c] = append(events[c], k.eventScores(st, scale)...)
	}
	for c := range weeks {
		slices.Sort(weeks[c])
		slices.Sort(events[c])
	}
	for _, k := range n.kids {
		if k.draft == nil {
			continue
		}
		c := k.sizeClass()
		if len(weeks[c])+len(events[c]) < leastWitnesses {
			continue
		}
		k.draft.totalScores = nil
		for _, q := range k.draft.spread.levels {
			k.draft.totalScores = append(k.draft.totalScores, pooledScore(weeks[c], events[c], past, q))
		}
	}
}

// pooledScore is the quantile of the errors of totals, each past event worth all the weeks.
func pooledScore(weeks, events []float64, past int, q float64) float64 {
	switch {
	case len(events) < leastWitnesses:
		return quantileOf(slices.Sorted(slices.Values(slices.Concat(weeks, events))), q)
	case len(weeks) < leastWitnesses:
		return quantileOf(events, q)
	}
	return (float64(past)*quantileOf(events, q) + quantileOf(weeks, q)) / float64(past+1)
}

const sizeClasses = 4

// sizeClass sorts series by contacts a day: below 10, 100, 1000, and above.
func (n *node) sizeClass() int {
	var sum float64
	for i := range n.draft.days {
		sum += n.draft.days[i].total()
	}
	mean := sum / float64(len(n.draft.days))
	return int(min(math.Floor(math.Log10(max(mean, 1))), sizeClasses-1))
}
