package forecast

import (
	"context"
	"errors"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// Protocol is a rolling-origin test: from From on, every Step, forecast Horizon ahead from the
// data up to that origin, as long as origin + Horizon lies in the data and not after To.
type Protocol struct {
	Horizon time.Duration
	Step    time.Duration
	From    time.Time
	To      time.Time // zero = the end of the data

	// TrainUntil freezes the choices of the model (noise ratios, profile shape, weights, spread)
	// at what the data up to it say. Zero: they are made again every four weeks. The state (level,
	// effects, profile) is always that of the origin.
	TrainUntil time.Time
}

// Replayed is what was forecast from one origin; no points when nothing is open in the horizon.
type Replayed struct {
	Origin time.Time          `json:"origin"`
	Points []scheduling.Point `json:"points"`
	Days   []scheduling.Point `json:"days"` // whole days of the horizon
}

const (
	refreshChoices = 28 * 24 * time.Hour
	maxReplays     = 50_000
)

// Replay runs the protocol; Benchmark scores what it gives. Options.Origin and Options.Horizon are
// not used. Nothing after an origin is looked at for its forecast. Origins run on all processors;
// the result does not depend on how many there are. Errors: those of Run, "forecast.protocol" with
// every bad field at once, and "forecast.canceled".
func Replay(ctx context.Context, s Series, o Options, p Protocol) ([]Replayed, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	origins, err := p.origins(s)
	if err != nil {
		return nil, err
	}
	if o.Levels == nil {
		o.Levels = DefaultLevels()
	}
	o.Horizon, o.Origin = p.Horizon, p.From
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r := replayer{series: s, opt: o, protocol: p, origins: origins}
	if err := r.choose(ctx); err != nil {
		return nil, err
	}
	return r.run(ctx)
}

// origins lists the origins and reports what is wrong with the protocol.
func (p Protocol) origins(s Series) ([]time.Time, error) {
	var bad []fault.Field
	report := func(path, value, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: value, Problem: problem})
	}
	if p.Horizon <= 0 || p.Horizon > MaxHorizon {
		report("horizon", p.Horizon.String(), "must be more than nothing and at most 64 weeks")
	}
	if p.Step <= 0 {
		report("step", p.Step.String(), "must be more than nothing")
	}
	end := s.End()
	if !p.To.IsZero() && p.To.Before(end) {
		end = p.To
	}
	switch {
	case p.From.IsZero():
		report("from", "", "is required")
	case !p.From.After(s.First.In(s.zone())):
		report("from", stamp(p.From), "must be after the first day of the data")
	case p.From.Add(p.Horizon).After(end):
		report("from", stamp(p.From), "leaves no room for one horizon before "+stamp(end))
	}
	if p.TrainUntil.After(p.From) {
		report("train_until", stamp(p.TrainUntil), "must not be after from: the choices would know the test")
	}
	if len(bad) == 0 && end.Sub(p.From)/p.Step > maxReplays {
		report("step", p.Step.String(), "gives more than 50,000 origins")
	}
	if err := fault.Bad("forecast.protocol", "protocol of the replay", bad); err != nil {
		return nil, err
	}
	var origins []time.Time
	for at := p.From; !at.Add(p.Horizon).After(end); at = at.Add(p.Step) {
		origins = append(origins, at)
	}
	return origins, nil
}

// choices are the parts of a learnt engine that need a search over the past.
type choices struct {
	anniversaries []anniversary
	hyper         hyper
	shape         profileShape
	season        *seasonShape
	weights       [candidates]float64
	spread        spread
	carry         float64
	totalPIT      []witness
}

func (e *engine) choices() choices {
	return choices{e.anniversaries, e.hyper, e.shape, e.season, e.weights, e.spread, e.carry, e.totalPIT}
}

// adopt fits the state of this origin under choices made before it.
func (e *engine) adopt(c choices) {
	e.prepare()
	if e.anniversaries = c.anniversaries; len(e.anniversaries) > 0 {
		e.design()
	}
	e.hyper, e.fit = c.hyper, e.filter(c.hyper)
	e.bias = e.smearing()
	e.shape, e.season = c.shape, c.season
	e.snapshotProfiles(map[int]bool{e.g.originDay: true})
	e.weights, e.spread, e.carry, e.totalPIT = c.weights, c.spread, c.carry, c.totalPIT
}

type replayer struct {
	series   Series
	opt      Options
	protocol Protocol
	origins  []time.Time
	choiceOf []int // per origin: which choices
	choices  []choices
}

// choose makes the choices at TrainUntil, or at every origin four weeks after the one before.
func (r *replayer) choose(ctx context.Context) error {
	at := []time.Time{r.origins[0]}
	if !r.protocol.TrainUntil.IsZero() {
		at[0] = r.protocol.TrainUntil
	}
	for _, origin := range r.origins {
		if r.protocol.TrainUntil.IsZero() && origin.Sub(at[len(at)-1]) >= refreshChoices {
			at = append(at, origin)
		}
		r.choiceOf = append(r.choiceOf, len(at)-1)
	}
	r.choices = make([]choices, len(at))
	return inParallel(ctx, len(at), func(i int) error {
		e, err := r.engine(at[i])
		if err != nil {
			return err
		}
		e.learn()
		e.backtest()
		r.choices[i] = e.choices()
		return nil
	})
}

func (r *replayer) engine(origin time.Time) (*engine, error) {
	o := r.opt
	o.Origin = origin
	g, err := newGrid(r.series, o)
	if err != nil {
		return nil, err
	}
	return newEngine(g, o), nil
}

func (r *replayer) run(ctx context.Context) ([]Replayed, error) {
	out := make([]Replayed, len(r.origins))
	err := inParallel(ctx, len(r.origins), func(i int) error {
		e, err := r.engine(r.origins[i])
		if err != nil {
			return err
		}
		e.adopt(r.choices[r.choiceOf[i]])
		out[i].Origin = r.origins[i]
		d, err := e.draft(r.series)
		if nothingOpen(err) {
			return nil
		}
		if err != nil {
			return err
		}
		result, err := d.finish()
		out[i].Points, out[i].Days = result.Curve.Points, result.Days
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func nothingOpen(err error) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Code == "forecast.nothing_open"
}

// inParallel calls do(0..n-1) on all processors and returns the error of the lowest index.
func inParallel(ctx context.Context, n int, do func(i int) error) error {
	errs := make([]error, n)
	if err := each(ctx, n, func(i int) { errs[i] = do(i) }); err != nil {
		return err
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
