package forecast

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Base is what layers lie on: the figures of one immutable forecast.
type Base struct {
	Curve    scheduling.Curve
	Days     []scheduling.Point // whole-day totals
	Location *time.Location     // whose local days count; nil = UTC
}

// Adjusted is a forecast with its layers on it.
type Adjusted struct {
	Curve scheduling.Curve   `json:"curve"`
	Days  []scheduling.Point `json:"days"`
	Steps []Step             `json:"steps"` // one per layer, in order

	base Base
}

// Step is what one layer did.
type Step struct {
	Layer  ids.Layer `json:"layer"`
	Slots  int       `json:"slots"`  // slots it covers
	Before float64   `json:"before"` // contacts of these slots before it, with the layers under it
	After  float64   `json:"after"`
	Note   string    `json:"note,omitempty"` // what a planner should know; empty when all went as asked
}

// Adjust puts layers on a forecast, in their order. The base is not changed.
//
// The mean: percent multiplies every slot; absolute and set change the total of the target (or of
// each of its days or slots) and split it by the curve as it stands under them, evenly where that
// curve is zero. A total never goes below zero; the step says so when more was to be taken off.
//
// The quantiles follow the mean and keep their ratio to it. A slot of few contacts has the wide
// or empty quantiles of single events; raised by an absolute or set amount it takes over the
// ratios of the whole curve, by the share that it lacks to fewContacts. Quantiles so stay
// ascending and never negative. Days follow the sum of their slots in the same way.
//
// A layer on figures of days touches whole days, as totals of events do (EventForecast).
//
// Without layers in force the result holds the very figures of the base. Errors: that of
// Layer.Validate, "forecast.layer" when the sum grows beyond all reason.
func Adjust(b Base, layers []Layer) (Adjusted, error) {
	if b.Location == nil {
		b.Location = time.UTC
	}
	a := Adjusted{Curve: b.Curve, Days: slices.Clone(b.Days), Steps: make([]Step, 0, len(layers)), base: b}
	a.Curve.Points = copyPoints(b.Curve.Points)
	ratios := spreadRatios(b.Curve.Points, len(b.Curve.Levels))
	for _, l := range layers {
		if err := l.Validate(); err != nil {
			return Adjusted{}, err
		}
		if l.Withdrawn != nil {
			a.Steps = append(a.Steps, Step{Layer: l.ID, Note: "withdrawn"})
			continue
		}
		step := a.apply(l.onto(b.Curve.Slot, b.Location), ratios)
		if !(step.After <= maxContacts*1000) {
			return Adjusted{}, fault.New(fault.Invalid, "forecast.layer", "the adjustment makes %.3g contacts", step.After)
		}
		a.Steps = append(a.Steps, step)
	}
	a.followDays()
	return a, nil
}

// fewContacts is the mean below which a slot's quantiles tell of single contacts and not of the
// error of the forecast: at 5 a Poisson count still spreads by 45 %.
const fewContacts = 5

func copyPoints(points []scheduling.Point) []scheduling.Point {
	out := slices.Clone(points)
	for i := range out {
		out[i].Quantiles = slices.Clone(out[i].Quantiles)
	}
	return out
}

// apply puts one layer on.
func (a *Adjusted) apply(l Layer, ratios []float64) Step {
	step := Step{Layer: l.ID}
	points := a.Curve.Points
	for from := 0; from < len(points); {
		group := a.group(l, from)
		if len(group) == 0 {
			break
		}
		step.Slots += len(group)
		var sum float64
		for _, i := range group {
			sum += points[i].Mean
		}
		wanted := sum
		switch l.Kind {
		case LayerPercent:
			wanted = sum * (1 + l.Amount/100)
		case LayerAbsolute:
			wanted = sum + l.Amount
		case LayerSet:
			wanted = l.Amount
		}
		if wanted < 0 {
			step.Note = "more was to be taken off than there is: the rest is zero"
			wanted = 0
		}
		for _, i := range group {
			mean := wanted / float64(len(group))
			switch {
			case l.Kind == LayerPercent:
				mean = points[i].Mean * (1 + l.Amount/100)
			case sum >= negligibleContacts:
				mean = points[i].Mean * (wanted / sum)
			}
			points[i] = respread(points[i], mean, ratios, a.Curve.Levels, l.Kind == LayerPercent)
		}
		step.Before, step.After = step.Before+sum, step.After+wanted
		from = group[len(group)-1] + 1
	}
	if step.Slots == 0 {
		step.Note = "no open slot of the forecast lies in the target"
	}
	return step
}

// negligibleContacts is the total below which a curve has no shape to split by.
const negligibleContacts = 1e-6

// group is the next slots, from an index on, that share one amount.
func (a *Adjusted) group(l Layer, from int) (group []int) {
	var day calendar.Date
	for i := from; i < len(a.Curve.Points); i++ {
		start := a.Curve.Points[i].Start
		if !l.covers(start) {
			continue
		}
		switch l.Per {
		case PerSlot:
			return []int{i}
		case PerDay:
			on := calendar.DateOf(start, a.base.Location)
			if len(group) > 0 && on != day {
				return group
			}
			day = on
		}
		group = append(group, i)
	}
	return group
}

// respread moves a point to another mean; scale forces plain multiplication.
func respread(p scheduling.Point, mean float64, ratios, levels []float64, scale bool) scheduling.Point {
	old := p.Mean
	if mean == old {
		return p
	}
	p.Mean = mean
	p.Quantiles = slices.Clone(p.Quantiles)
	own := 1.0 // how much the point's own ratios count
	if mean > old && !scale {
		own = min(1, old/fewContacts)
	}
	for i, q := range p.Quantiles {
		kept := 0.0
		if old > negligibleContacts/1000 {
			kept = q * (mean / old)
		}
		if own < 1 && ratios != nil {
			kept = own*kept + (1-own)*ratios[i]*mean
		}
		p.Quantiles[i] = kept
	}
	if own < 1 && ratios == nil {
		p.Quantiles = countSpread(mean, levels)
	}
	return p
}

// spreadRatios are the quantiles of all points together over their mean: the ratios of a busy
// slot, since busy slots weigh most. nil when nobody is expected at all.
func spreadRatios(points []scheduling.Point, levels int) []float64 {
	ratios := make([]float64, levels)
	var sum float64
	for _, p := range points {
		sum += p.Mean
		for i, q := range p.Quantiles {
			ratios[i] += q
		}
	}
	if sum < negligibleContacts {
		return nil
	}
	for i := range ratios {
		ratios[i] /= sum
	}
	return ratios
}

// countSpread is the spread of pure chance around a mean that nothing else is known of: the gamma
// distribution with the variance of a Poisson count.
func countSpread(mean float64, levels []float64) []float64 {
	out := make([]float64, len(levels))
	if mean <= 0 {
		return out
	}
	for i, level := range levels {
		if mean < 100 {
			out[i] = distuv.Gamma{Alpha: mean, Beta: 1}.Quantile(level)
		} else {
			out[i] = mean + math.Sqrt(mean)*distuv.UnitNormal.Quantile(level)
		}
		if !(out[i] >= 0) {
			out[i] = 0
		}
		if i > 0 {
			out[i] = max(out[i], out[i-1])
		}
	}
	return out
}

// followDays moves each day total by as much as its slots moved.
func (a *Adjusted) followDays() {
	before, after := a.daySums(a.base.Curve.Points), a.daySums(a.Curve.Points)
	ratios := spreadRatios(a.base.Days, len(a.Curve.Levels))
	for i, d := range a.Days {
		day := calendar.DateOf(d.Start, a.base.Location)
		a.Days[i] = follow(d, before[day], after[day], ratios, a.Curve.Levels)
	}
}

func (a *Adjusted) daySums(points []scheduling.Point) map[calendar.Date]float64 {
	sums := map[calendar.Date]float64{}
	for _, p := range points {
		sums[calendar.DateOf(p.Start, a.base.Location)] += p.Mean
	}
	return sums
}

// follow moves a total by as much as the sum of its parts moved.
func follow(total scheduling.Point, before, after float64, ratios, levels []float64) scheduling.Point {
	if after == before {
		total.Quantiles = slices.Clone(total.Quantiles)
		return total
	}
	mean := after
	if math.Abs(total.Mean-before) > 1e-9*before { // a total that was made another way keeps its own difference
		mean = max(0, total.Mean+(after-before))
	}
	return respread(total, mean, ratios, levels, false)
}

// Total moves a total over a span of the base, such as that of an event or a phase with its own
// quantiles, by as much as the slots in the span moved.
func (a Adjusted) Total(span calendar.Range, total scheduling.Point) scheduling.Point {
	inside := func(points []scheduling.Point) (sum float64) {
		for _, p := range points {
			if span.Contains(p.Start) {
				sum += p.Mean
			}
		}
		return sum
	}
	return follow(total, inside(a.base.Curve.Points), inside(a.Curve.Points), spreadRatios(a.base.Days, len(a.Curve.Levels)), a.Curve.Levels)
}

// Events moves the totals of events and of their phases by as much as their slots moved.
func (a Adjusted) Events(events []EventForecast) []EventForecast {
	out := make([]EventForecast, len(events))
	for i, e := range events {
		e.Total = a.Total(calendar.Range{Start: e.From, End: e.Until}, e.Total)
		e.Phases = slices.Clone(e.Phases)
		for j, p := range e.Phases {
			from := p.From
			if from.IsZero() { // stored before phases said so
				from = p.Total.Start
			}
			e.Phases[j].Total = a.Total(calendar.Range{Start: from, End: p.Until}, p.Total)
		}
		out[i] = e
	}
	return out
}
