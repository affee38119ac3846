package forecast

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
)

// EventPrior is what many series taught about events: per past occurrence, the log uplift of each
// day and how much series differ. It is plain data: learnt once from all merchants, stored, and
// carried by Options for the forecast of a single queue.
type EventPrior struct {
	Version string       `json:"version"` // ModelVersion it was learnt with
	Curves  []EventCurve `json:"curves"`  // ordered by category, family and first day
}

// EventCurve is the pooled uplift of one past occurrence among the series of one category.
type EventCurve struct {
	Category string        `json:"category,omitempty"` // "" = all series
	Event    Event         `json:"event"`
	Holiday  bool          `json:"holiday,omitempty"` // a long holiday of the holiday table
	First    calendar.Date `json:"first"`             // day of Days[0]: two days before the event
	Days     []CurveDay    `json:"days"`
	Spread   float64       `json:"spread"` // sd between series of the deviation all days share, in logs
	Series   int           `json:"series"` // series that taught it

	// Hours are, per opening of the event, the contacts of each hour from two hours before it to
	// a day after it, in units of an ordinary day's contacts; null where nobody saw it.
	Hours [][]float64 `json:"hours,omitempty"`
}

// CurveDay is one day of a pooled curve.
type CurveDay struct {
	Log    float64 `json:"log"`    // mean log uplift over the base
	Spread float64 `json:"spread"` // sd between series, beside the shared deviation
	Series int     `json:"series"` // 0 = nobody lived through it; Log is then 0 and unused
}

// Validate reports every bad curve at once, as "forecast.prior".
func (p EventPrior) Validate() error { return fault.Bad("forecast.prior", "event prior", p.problems()) }

func (p EventPrior) problems() []fault.Field {
	var bad []fault.Field
	for i, c := range p.Curves {
		path := fmt.Sprintf("curves[%d]", i)
		if c.First.IsZero() || len(c.Days) == 0 || len(c.Days) > maxEventDays+leadDays+tailDays+1 {
			bad = append(bad, fault.Field{Path: path + ".days", Problem: "must start on a date and span at most an event and its shoulders"})
		}
		for _, f := range eventProblems([]Event{c.Event}) {
			f.Path = path + f.Path[len("events[0]"):]
			bad = append(bad, f)
		}
		ok := finite(c.Spread) && c.Spread >= 0
		for _, h := range slices.Concat(c.Hours...) {
			ok = ok && finite(h) && h >= 0
		}
		for _, h := range c.Hours {
			ok = ok && (h == nil || len(h) == pooledHours)
		}
		for _, d := range c.Days {
			ok = ok && finite(d.Log) && math.Abs(d.Log) < maxLog && finite(d.Spread) && d.Spread >= 0
		}
		if !ok {
			bad = append(bad, fault.Field{Path: path, Value: c.Event.Family, Problem: "figures must be finite, spreads and hours 0 or more, and an opening has 26 hours"})
		}
	}
	return bad
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// teachers joins the occurrences of this series with the prior: a curve of an occurrence that the
// series knows becomes its pool, any other one a teacher of its own.
func (g *grid) teachers(occ []occurrence, prior *EventPrior) []teacher {
	out := make([]teacher, len(occ))
	for i, o := range occ {
		out[i].occurrence = o
	}
	if prior == nil {
		return out
	}
	for _, c := range prior.Curves {
		if c.Category != "" && c.Category != g.category {
			continue
		}
		p := g.occurrence(c.Event)
		p.builtIn = c.Holiday
		pool := g.poolCurve(c)
		i := slices.IndexFunc(out, func(t teacher) bool {
			return t.family == p.family && t.first < p.first+p.length && p.first < t.first+t.length
		})
		if i < 0 {
			out = append(out, teacher{occurrence: p})
			i = len(out) - 1
		}
		if out[i].pool == nil || c.Category != "" {
			out[i].pool = pool
		}
	}
	return out
}

func (g *grid) poolCurve(c EventCurve) *poolCurve {
	p := &poolCurve{first: unixDay(c.First) - g.firstDay, hours: c.Hours, omega: c.Spread * c.Spread, mean: make([]float64, len(c.Days)), tau2: make([]float64, len(c.Days))}
	for k, d := range c.Days {
		p.mean[k], p.tau2[k] = d.Log, d.Spread*d.Spread
		if d.Series == 0 {
			p.mean[k] = math.NaN()
		}
	}
	return p
}

// testimony is what one series tells the pool of one occurrence.
type testimony struct {
	uplift []float64 // per day; NaN = did not live through it
	noise  float64   // variance of each
	base   float64   // variance of the error they share

	hours    [][]float64 // per opening, contacts by the hour
	ordinary []float64   // per opening, contacts of an ordinary day
}

// witness collects what a learnt engine knows of occurrence i, or false when it is too little.
func (e *engine) witness(v *view, o occurrence) (testimony, bool) {
	t := testimony{noise: e.noise, base: v.baseVariance(o.length), uplift: make([]float64, leadDays+o.length+tailDays)}
	t.hours, t.ordinary = v.openingHours(o)
	lived := 0
	for k := range t.uplift {
		d := o.first - leadDays + k
		l := v.ownLesson(o, d)
		t.uplift[k] = math.NaN()
		if l.own {
			t.uplift[k] = l.uplift
			lived += int(indicator(o.inside(d)))
		}
	}
	// A base of at least two weeks before or after is needed to say what an ordinary day is.
	return t, lived > 0 && 2*lived >= min(o.length, e.g.originDay-o.first) && (o.first >= 14 || e.g.originDay-o.first-o.length >= 28)
}

// LearnEvents learns the pooled uplift of every past event and long holiday from many series.
// Series that cannot be forecast teach nothing. Errors: "forecast.options", "forecast.canceled".
func LearnEvents(ctx context.Context, series []Series, o Options) (EventPrior, error) {
	o.Prior = nil
	o = withOrigin(series, o)
	if err := o.Validate(); err != nil {
		return EventPrior{}, err
	}
	heard := make([][]heardOccurrence, len(series))
	err := each(ctx, len(series), func(i int) {
		if e, err := prepare(series[i], o); err == nil {
			heard[i] = e.testify()
		}
	})
	if err != nil {
		return EventPrior{}, err
	}
	return poolEvents(series, heard), nil
}

// heardOccurrence is the testimony of one series about one occurrence.
type heardOccurrence struct {
	event   Event
	holiday bool
	first   int // unix day of uplift[0]
	said    testimony
}

// testify tells all that this series knows of past occurrences.
func (e *engine) testify() []heardOccurrence {
	if e.allZero() {
		return nil
	}
	var out []heardOccurrence
	v := e.at(e.g.originDay)
	for i, o := range e.occ {
		if o.first > e.g.lastDay() {
			continue
		}
		said, ok := e.witness(v, o)
		if !ok {
			continue
		}
		h := heardOccurrence{holiday: o.builtIn, first: e.g.firstDay + o.first - leadDays, said: said}
		if h.event = (Event{Family: o.family, Start: o.start, End: o.end}); i < len(e.opt.Events) {
			h.event = e.opt.Events[i]
		}
		out = append(out, h)
	}
	return out
}

// categories a series belongs to: all, and its own.
func categories(own string) []string {
	if own == "" {
		return []string{""}
	}
	return []string{"", own}
}

type poolKey struct {
	category, family string
	first            int
}

// leastPool is how many series make a pool.
const leastPool = 3

// poolEvents makes the curves out of testimonies. Keys and testimonies are sorted by what they
// say, so that neither the order of series nor the number of processors matters.
func poolEvents(series []Series, heard [][]heardOccurrence) EventPrior {
	groups := map[poolKey][]testimony{}
	shape := map[poolKey]heardOccurrence{}
	for i, all := range heard {
		for _, h := range all {
			for _, category := range categories(series[i].Category) {
				key := poolKey{category, h.event.Family, h.first}
				groups[key] = append(groups[key], h.said)
				shape[key] = h
			}
		}
	}
	keys := make([]poolKey, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b poolKey) int {
		return cmp.Or(cmp.Compare(a.category, b.category), cmp.Compare(a.family, b.family), cmp.Compare(a.first, b.first))
	})
	prior := EventPrior{Version: ModelVersion, Curves: []EventCurve{}}
	whole := map[poolKey]EventCurve{}
	for _, k := range keys {
		said := groups[k]
		if len(said) < leastPool {
			continue
		}
		parent, nested := whole[poolKey{"", k.family, k.first}]
		c := poolCurveOf(said, parent, nested && k.category != "")
		c.Category, c.Event, c.Holiday, c.First = k.category, shape[k].event, shape[k].holiday, unixDate(k.first)
		if k.category == "" {
			whole[k] = c
		}
		prior.Curves = append(prior.Curves, c)
	}
	return prior
}
