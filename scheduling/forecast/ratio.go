package forecast

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// RatioHistory is the history of a positive figure per contact: handling time in seconds, rounds
// per contact (轮次), messages per contact.
type RatioHistory struct {
	Slot     time.Duration // of the records; must divide 24 h
	Location *time.Location
	Records  []FigureRecord // any order; several records of one slot are joined by their contacts
}

// RatioOptions says what is known besides the history.
type RatioOptions struct {
	Origin   time.Time         // slots that end later teach nothing; zero = all do
	Events   []Event           // past occurrences teach, coming ones receive
	Holidays calendar.Holidays // zero = weekends only
	Prior    *FigureModel      // what other queues taught; nil = nothing
	Floor    float64           // the figure cannot be lower: 1 for rounds, 0 for a time
}

// RatioForecast is a figure per contact for the points of a curve.
type RatioForecast struct {
	Slot   time.Duration `json:"slot"`
	Levels []float64     `json:"levels"`
	Points []RatioPoint  `json:"points"` // one per point of the curve, same starts
	Model  FigureModel   `json:"model"`
	Doubts []string      `json:"doubts"`
}

// RatioPoint is the mean of the figure over the contacts of one slot, in the figure's unit.
// Quantiles are those of the slot's mean: what a slot with that many contacts may average, given
// that it has any.
type RatioPoint struct {
	Start     time.Time `json:"start"`
	Mean      float64   `json:"mean"`
	Quantiles []float64 `json:"quantiles"` // one per level, ascending, never negative
}

// maxFigure bounds a figure: eleven days in seconds.
const maxFigure = 1e6

// ForecastRatio forecasts a positive figure per contact for the points and levels of a demand
// curve, whose means say how many contacts each slot averages over. Errors: "forecast.ratio" (every
// bad field), "curve.invalid", "forecast.events", "forecast.no_history" when there is neither a
// record nor a prior.
func ForecastRatio(h RatioHistory, c scheduling.Curve, o RatioOptions) (RatioForecast, error) {
	if err := o.check(h, c); err != nil {
		return RatioForecast{}, err
	}
	f := newFigures(figures{link: logLink, slot: h.Slot, loc: zoneOf(h.Location), holidays: o.Holidays, events: o.Events, prior: o.Prior}, h.Records, o.Origin)
	if len(f.rows) == 0 && o.Prior == nil {
		return RatioForecast{}, fault.New(fault.Invalid, "forecast.no_history", "no contact with the figure lies before the origin and no prior is given")
	}
	f.anchor(c)
	f.fit()
	out := RatioForecast{Slot: c.Slot, Levels: c.Levels, Model: f.model(), Points: make([]RatioPoint, len(c.Points))}
	for i, p := range c.Points {
		eta, variance := f.expected(p.Start, c.Slot)
		out.Points[i] = ratioPoint(p.Start, min(f.link.from(eta), maxFigure), variance+f.perContact*meanInverse(p.Mean), c.Levels, o.Floor)
	}
	out.Doubts = f.allDoubts(c)
	return out, nil
}

func (o RatioOptions) check(h RatioHistory, c scheduling.Curve) error {
	bad := figureProblems(h.Slot, h.Records, maxFigure)
	if !(o.Floor >= 0 && o.Floor <= maxFigure) {
		bad = append(bad, fault.Field{Path: "floor", Value: fmt.Sprint(o.Floor), Problem: "must be a number of 0 or more"})
	}
	if o.Prior != nil {
		bad = append(bad, o.Prior.problems(maxFigure)...)
	}
	if err := fault.Bad("forecast.ratio", "figure per contact", bad); err != nil {
		return err
	}
	if err := ValidateEvents(o.Events); err != nil {
		return err
	}
	return c.Validate()
}

// problems of a model that is given as a prior.
func (m FigureModel) problems(high float64) []fault.Field {
	var bad []fault.Field
	check := func(path string, x, low, high float64) {
		if !(x >= low && x <= high) {
			bad = append(bad, fault.Field{Path: "prior." + path, Value: fmt.Sprint(x), Problem: fmt.Sprintf("must lie between %g and %g", low, high)})
		}
	}
	check("level", m.Level, 0, high)
	check("level_doubt", m.LevelDoubt, 0, 10)
	check("per_contact", m.PerContact, 0, wildestVariance)
	check("per_slot", m.PerSlot, 0, wildestVariance)
	for i, e := range m.Effects {
		check(fmt.Sprintf("effects[%d].shift", i), e.Shift, -3*wildestShift, 3*wildestShift) // centring comes after the bound
	}
	return bad
}

func zoneOf(loc *time.Location) *time.Location {
	if loc == nil {
		return time.UTC
	}
	return loc
}

// anchor puts day 0 before the first point when no record does.
func (f *figures) anchor(c scheduling.Curve) {
	if len(f.rows) == 0 && len(c.Points) > 0 {
		f.firstDay, _ = wallSlot(c.Points[0].Start, f.slot, f.loc)
	}
}

// ratioPoint is log-normal with the given mean and relative variance: positive, skewed to the long
// side as means of few handling times are, and near normal for many.
func ratioPoint(start time.Time, mean, variance float64, levels []float64, floor float64) RatioPoint {
	s2 := math.Log1p(variance)
	p := RatioPoint{Start: start, Mean: max(mean, floor), Quantiles: make([]float64, len(levels))}
	for i, q := range levels {
		p.Quantiles[i] = max(floor, mean*math.Exp(distuv.UnitNormal.Quantile(q)*math.Sqrt(s2)-s2/2))
		if i > 0 {
			p.Quantiles[i] = max(p.Quantiles[i], p.Quantiles[i-1])
		}
	}
	return p
}

// meanInverse is E[1/N | N >= 1] of a Poisson count N with mean m: the sampling variance of a mean
// over a number of contacts that is itself uncertain. In (0, 1].
func meanInverse(m float64) float64 {
	switch {
	case !(m > 1e-6):
		return 1
	case m > 60: // E[1/N] = 1/m + 1/m^2 + 2/m^3 + ...
		return 1/m + 1/(m*m) + 2/(m*m*m)
	}
	p, sum := math.Exp(-m), 0.0
	for k := 1; k < 250; k++ {
		p *= m / float64(k)
		sum += p / float64(k)
	}
	return min(1, sum/-math.Expm1(-m))
}

// allDoubts says in plain sentences why the figures may be wrong.
func (f *figures) allDoubts(c scheduling.Curve) []string {
	doubts := []string{}
	m := f.model()
	switch {
	case m.Days == 0:
		doubts = append(doubts, "no record of the figure: everything comes from the prior that was given")
	case m.Days < 14 || m.Contacts < 200:
		rest := "the plain mean of them"
		if f.prior != nil {
			rest = "the prior that was given"
		}
		doubts = append(doubts, fmt.Sprintf("only %.0f contacts on %s carry the figure; the rest is %s", m.Contacts, inDays(m.Days), rest))
	}
	if f.all {
		doubts = append(doubts, "fewer than seven ordinary days: event days teach the ordinary level too")
	}
	told := map[string]bool{}
	for _, p := range c.Points {
		if e := f.eventAt(p.Start); e >= 0 && !f.taughtEvent(e, p.Start) {
			name := f.events[e].Family + " " + kindAt(f.events[e], p.Start)
			if !told[name] {
				told[name] = true
				doubts = append(doubts, fmt.Sprintf("no past contacts of %s: its effect comes from like phases of other events or is none", name))
			}
		}
	}
	if n := len(c.Points); n > 0 && len(f.rows) > 0 {
		day, _ := wallSlot(c.Points[n-1].Start, f.slot, f.loc)
		if lead := day - f.firstDay - f.level.lastDay; lead > 84 {
			doubts = append(doubts, fmt.Sprintf("the last point lies %d days after the last record", lead))
		}
	}
	return doubts
}

// WithHandleTime returns the curve with the mean handling time of every point taken from a forecast
// in seconds. Error: "forecast.ratio" when the two do not have the same points.
func WithHandleTime(c scheduling.Curve, seconds RatioForecast) (scheduling.Curve, error) {
	if len(c.Points) != len(seconds.Points) {
		return c, fault.New(fault.Invalid, "forecast.ratio", "the curve has %d points, the handling times have %d", len(c.Points), len(seconds.Points))
	}
	points := make([]scheduling.Point, len(c.Points))
	for i, p := range c.Points {
		if !p.Start.Equal(seconds.Points[i].Start) {
			return c, fault.New(fault.Invalid, "forecast.ratio", "point %d of the curve starts %s, of the handling times %s", i, stamp(p.Start), stamp(seconds.Points[i].Start))
		}
		p.HandleTime = time.Duration(seconds.Points[i].Mean * float64(time.Second)).Round(time.Millisecond)
		points[i] = p
	}
	c.Points = points
	return c, nil
}
