// Package forecast turns the contact history of a queue into a demand curve with quantiles.
//
// It owns: the history series, open hours, events as the forecaster sees them, the model, its
// rolling-origin back-test and the picture of a forecast. It does not own: files and their
// formats, stored versions and adjustments of a forecast, staffing, or the holiday table (the
// caller passes one).
//
// Times. The origin is an instant: history is every slot that has ended by the origin, and the
// forecast covers each open slot that starts at or after it, up to origin + horizon. A slot is
// half-open and named by its start. Days, slots of the day, open hours and events are read on
// the local clock of the series' Location; where clocks change, the repeated hour is summed
// into one wall-clock slot and the skipped hour does not exist. Nothing here reads the clock or
// draws random numbers: the same input gives the same bytes.
package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling"
)

// ModelVersion names the mathematics of this package; it changes whenever the same input would
// give another forecast, so that stored forecasts can be told apart.
const ModelVersion = "structural-day-4"

// Missing says what a slot inside the open hours that has no record means.
type Missing uint8

// The meanings of a slot without a record.
const (
	MissingClosed Missing = iota // nobody could contact us, or nothing was recorded: no information
	MissingZero                  // open and nobody came: a zero
)

// ParseMissing reads "closed" or "zero".
func ParseMissing(s string) (Missing, error) {
	switch s {
	case "closed", "":
		return MissingClosed, nil
	case "zero":
		return MissingZero, nil
	}
	return 0, fault.New(fault.Invalid, "forecast.missing", "missing must be closed or zero, not %q", fault.Shorten(s))
}

// String is the name ParseMissing reads.
func (m Missing) String() string {
	if m == MissingZero {
		return "zero"
	}
	return "closed"
}

// Options says what to forecast and what is known about the calendar.
type Options struct {
	Origin   time.Time         // zero = the end of the series
	Horizon  time.Duration     // (0, 64 weeks]
	Hours    Hours             // zero = learned per weekday from the series
	Missing  Missing           // what a slot without a record means
	Events   []Event           // past occurrences teach, those after the origin are forecast
	Holidays calendar.Holidays // zero = no holidays are known
	Complete time.Time         // data are known to be complete up to here; a series that has been silent for four weeks then is asleep; zero = unknown
	Prior    *EventPrior       // what other series taught about events; nil = nothing. RunAll learns one when it is nil
	Levels   []float64         // quantile levels, ascending, in (0,1); nil = 0.1 0.5 0.9
	Exclude  []Exclusion       // stretches of history that must not teach
}

// MaxHorizon is the longest horizon: 64 weeks.
const MaxHorizon = 64 * 7 * 24 * time.Hour

// DefaultLevels are P10, P50 and P90.
func DefaultLevels() []float64 { return []float64{0.1, 0.5, 0.9} }

// Validate reports every bad option at once, as *fault.Error "forecast.options".
func (o Options) Validate() error {
	var bad []fault.Field
	if o.Horizon <= 0 || o.Horizon > MaxHorizon {
		bad = append(bad, fault.Field{Path: "horizon", Value: o.Horizon.String(), Problem: "must be more than nothing and at most 64 weeks"})
	}
	for i, q := range o.Levels {
		if math.IsNaN(q) || q <= 0 || q >= 1 {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("levels[%d]", i), Value: fmt.Sprint(q), Problem: "must lie between 0 and 1"})
		} else if i > 0 && q <= o.Levels[i-1] {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("levels[%d]", i), Value: fmt.Sprint(q), Problem: "must be greater than the level before it"})
		}
	}
	bad = append(bad, eventProblems(o.Events)...)
	bad = append(bad, exclusionProblems(o.Exclude)...)
	if o.Prior != nil {
		for _, f := range o.Prior.problems() {
			f.Path = "prior." + f.Path
			bad = append(bad, f)
		}
	}
	return fault.Bad("forecast.options", "forecast options", bad)
}

// Result is a forecast and what a planner needs to believe it or not.
type Result struct {
	Curve    scheduling.Curve   `json:"curve"`
	Days     []scheduling.Point `json:"days"`   // whole-day totals with their own quantiles (not sums of slot quantiles)
	Events   []EventForecast    `json:"events"` // totals of coming events with their own quantiles
	Origin   time.Time          `json:"origin"`
	Horizon  calendar.Length    `json:"horizon"`
	Hours    string             `json:"hours"` // the open hours used, given or learned
	Model    Model              `json:"model"`
	Backtest Backtest           `json:"backtest"`
	Doubts   []string           `json:"doubts"`             // plain sentences; empty when there is nothing to warn of
	Findings []Finding          `json:"findings,omitempty"` // what looks wrong with the history, by time; see Inspect
	Excluded []Excluded         `json:"excluded,omitempty"` // what Options.Exclude took out
}

// Model describes how the numbers were made.
type Model struct {
	Version    string             `json:"version"` // ModelVersion
	Summary    string             `json:"summary"` // one sentence for a planner
	Weights    map[string]float64 `json:"weights"` // candidate -> weight in the combination
	Persist    float64            `json:"persist"` // daily persistence of a level deviation, 0..1
	LevelNoise float64            `json:"level_noise"`
	MeanNoise  float64            `json:"mean_noise"`
	Dispersion float64            `json:"dispersion"` // slot variance over mean at a known day total; 1 = Poisson
	Effects    []Effect           `json:"effects"`    // learned day effects, strongest first
	Events     []EventUplift      `json:"events"`     // what each planned occurrence was given
}

// Effect is one learned multiplicative day effect.
type Effect struct {
	Name    string  `json:"name"`
	Percent float64 `json:"percent"` // +12.5 = 12.5 % more than an ordinary day
}

// EventUplift says what a planned occurrence was given and from how many past ones.
type EventUplift struct {
	Family     string    `json:"family"`
	Start      time.Time `json:"start"`
	Past       int       `json:"past"`                 // past occurrences that taught it
	Own        int       `json:"own"`                  // of those, lived through by this series
	Peak       float64   `json:"peak"`                 // highest day factor over the base level; 1 = no uplift
	Source     string    `json:"source"`               // family, family and pool, pool, other families, belief, nothing
	Scale      float64   `json:"scale,omitempty"`      // planned size over the past one
	Elasticity float64   `json:"elasticity,omitempty"` // exponent the scale was given
	Learned    bool      `json:"learned,omitempty"`    // the elasticity was learned from past occurrences, not assumed
}

// EventForecast is the total of a coming event, and of each of its phases, with quantiles of the
// total itself: errors of its days are correlated, so quantiles of days do not add up to these.
//
// Slots belong to an event or a phase when they start in it: sales from 20:00 are counted from
// 20:00. A forecast by the day has no hours: there the days count whose noon lies in the event
// (a span without a noon: the day of its middle), each as a whole, and WholeDays says so.
type EventForecast struct {
	Family    string           `json:"family"`
	Start     time.Time        `json:"start"` // of the event, as it was given
	End       time.Time        `json:"end"`
	From      time.Time        `json:"from"`                 // what is counted: the event
	Until     time.Time        `json:"until"`                // as far as it lies between origin and horizon; exclusive
	WholeDays bool             `json:"whole_days,omitempty"` // From and Until are whole days, because the forecast is by the day
	Total     scheduling.Point `json:"total"`                // contacts in [From, Until)
	Phases    []PhaseForecast  `json:"phases,omitempty"`
}

// PhaseForecast is the total of one phase of an event.
type PhaseForecast struct {
	Kind  string           `json:"kind"`
	From  time.Time        `json:"from"`  // what is counted,
	Until time.Time        `json:"until"` // exclusive
	Total scheduling.Point `json:"total"`
}

// Run forecasts one series. Errors are *fault.Error: "forecast.options" and "forecast.series"
// (every bad field at once), "forecast.no_history" when not a single slot has ended by the
// origin, "forecast.nothing_open" when no open slot lies in the horizon. A thin history is not
// an error: it gives a wide forecast and says so in Doubts.
func Run(s Series, o Options) (Result, error) {
	e, err := prepare(s, o)
	if err != nil {
		return Result{}, err
	}
	e.backtest()
	d, err := e.draft(s)
	if err != nil {
		return Result{}, err
	}
	d.examine(e, s)
	return d.finish()
}

// own are the options with what is different for this series of a batch.
func (s Series) own(o Options) Options {
	if !s.Hours.IsZero() {
		o.Hours = s.Hours
	}
	o.Exclude = slices.Concat(o.Exclude, s.Exclude)
	return o
}

// prepare learns everything of one series that needs no forecasts of the past.
func prepare(s Series, o Options) (*engine, error) {
	if o.Levels == nil {
		o.Levels = DefaultLevels()
	}
	o = s.own(o)
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if o.Origin.IsZero() {
		o.Origin = s.End()
	}
	g, err := newGrid(s, o)
	if err != nil {
		return nil, err
	}
	e := newEngine(g, o)
	e.learn()
	return e, nil
}

func stamp(t time.Time) string { return t.Format("2006-01-02 15:04") }
