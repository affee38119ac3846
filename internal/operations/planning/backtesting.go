package planning

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// BacktestInput asks what would have been forecast for a queue from past origins.
type BacktestInput struct {
	Queue      ids.Queue
	Slot       time.Duration // 0 = 15 minutes, or the grain of the history where that is coarser
	Horizon    time.Duration
	Step       time.Duration
	From       time.Time // first origin
	To         time.Time // no forecast reaches beyond; zero = the end of the history
	TrainUntil time.Time // the model is chosen on data before it; zero = chosen anew
	Levels     []float64 // nil = 0.1 0.5 0.9
}

// Bounds of one back-test that is kept.
const (
	maxOrigins  = 1500
	maxReplayed = 2_000_000 // slots of all origins
)

// Validate reports every bad field.
func (in BacktestInput) Validate() error {
	var bad []fault.Field
	if in.Queue == "" {
		bad = append(bad, fault.Field{Path: "queue", Problem: "is needed"})
	}
	if in.Horizon <= 0 || in.Horizon > forecast.MaxHorizon {
		bad = append(bad, fault.Field{Path: "horizon", Value: in.Horizon.String(), Problem: "must be more than nothing and at most 64 weeks"})
	}
	if in.Step < time.Minute {
		bad = append(bad, fault.Field{Path: "step", Value: in.Step.String(), Problem: "must be a minute or more"})
	}
	if in.From.IsZero() {
		bad = append(bad, fault.Field{Path: "from", Problem: "is needed: the first origin"})
	}
	if !in.To.IsZero() && !in.From.Add(in.Horizon).Before(in.To.Add(1)) {
		bad = append(bad, fault.Field{Path: "to", Value: in.To.Format(time.RFC3339), Problem: "lies before the end of the first forecast"})
	}
	return fault.Bad("forecast.backtest", "back-test", bad)
}

// Backtest forecasts a queue from past origins, scores what would have been said beside the seasonal
// naive and the mean of four weeks, and keeps the result. Errors: forecast.backtest, forecast.protocol,
// those of forecast.Run, forecast.no_history, warehouse.down.
func (p *Planning) Backtest(ctx context.Context, who access.Principal, in BacktestInput) (store.Backtest, error) {
	view, scope, err := p.gate.Read(who, access.WritePlans)
	if err != nil {
		return store.Backtest{}, err
	}
	if err := in.Validate(); err != nil {
		return store.Backtest{}, err
	}
	q, err := view.Queue(ctx, in.Queue)
	if err != nil {
		return store.Backtest{}, err
	}
	series, _, err := p.history(ctx, scope, q, in.Slot, time.Time{})
	if err != nil {
		return store.Backtest{}, err
	}
	if err := in.fits(series); err != nil {
		return store.Backtest{}, err
	}
	events, err := p.eventsOf(ctx, view, q.ID)
	if err != nil {
		return store.Backtest{}, err
	}
	options, err := p.options(q, series, events, ForecastInput{Origin: in.From, Horizon: in.Horizon, Levels: in.Levels})
	if err != nil {
		return store.Backtest{}, err
	}
	if options.Exclude, err = p.excluded(ctx, q.ID); err != nil {
		return store.Backtest{}, err
	}
	hash, err := forecastHash(series, options)
	if err != nil {
		return store.Backtest{}, err
	}
	protocol := forecast.Protocol{Horizon: in.Horizon, Step: in.Step, From: in.From, To: in.To, TrainUntil: in.TrainUntil}
	replayed, err := forecast.Replay(ctx, series, options, protocol)
	if err != nil {
		return store.Backtest{}, err
	}
	test, err := backtestOf(q, series, options, protocol, replayed)
	if err != nil {
		return store.Backtest{}, err
	}
	now := p.gate.Now()
	test.ID, test.InputHash = ids.New[ids.Backtest](now), hash
	var kept store.Backtest
	err = p.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		kept, err = tx.AddBacktest(test)
		return err
	})
	return kept, err
}

// fits refuses a back-test that would take for ever.
func (in BacktestInput) fits(s forecast.Series) error {
	end := s.End()
	if !in.To.IsZero() && in.To.Before(end) {
		end = in.To
	}
	origins := int64(end.Sub(in.From.Add(in.Horizon))/in.Step) + 1
	if slots := origins * int64(in.Horizon/s.Slot); origins > maxOrigins || slots > maxReplayed {
		return fault.Bad("forecast.backtest", "back-test", []fault.Field{{
			Path: "step", Value: in.Step.String(),
			Problem: fmt.Sprintf("makes %d origins and %d slots; at most %d and %d are kept: take longer steps, a shorter horizon or coarser slots", origins, slots, maxOrigins, maxReplayed),
		}})
	}
	return nil
}

// backtestOf scores what was replayed.
func backtestOf(q store.Queue, series forecast.Series, o forecast.Options, protocol forecast.Protocol, replayed []forecast.Replayed) (store.Backtest, error) {
	if len(replayed) == 0 {
		return store.Backtest{}, fault.New(fault.Invalid, "forecast.nothing_open", "no open slot of queue %s lies in any horizon", q.ID)
	}
	versions := make([]forecast.Version, len(replayed))
	origins := make([]store.BacktestOrigin, len(replayed))
	for i, r := range replayed {
		versions[i] = forecast.Version{Origin: r.Origin, Curve: scheduling.Curve{Queue: q.ID, Slot: series.Slot, Levels: o.Levels, Points: r.Points}, Days: r.Days}
		origins[i] = store.BacktestOrigin{Origin: r.Origin, Points: r.Points}
	}
	benchmark := forecast.NewBenchmark(o.Levels)
	benchmark.Add(series, o.Missing, versions)
	figures, err := json.Marshal(benchmark.Scores())
	if err != nil {
		return store.Backtest{}, fault.Wrap(err, fault.Internal, "forecast.figures", "the back-test of %s cannot be stored", q.ID)
	}
	text, err := json.Marshal(struct {
		Horizon    string    `json:"horizon"`
		Step       string    `json:"step"`
		From       time.Time `json:"from"`
		To         time.Time `json:"to,omitzero"`
		TrainUntil time.Time `json:"train_until,omitzero"`
		Slot       string    `json:"slot"`
		Levels     []float64 `json:"levels"`
	}{protocol.Horizon.String(), protocol.Step.String(), protocol.From.UTC(), protocol.To.UTC(), protocol.TrainUntil.UTC(), series.Slot.String(), o.Levels})
	if err != nil {
		return store.Backtest{}, fault.Wrap(err, fault.Internal, "forecast.figures", "the back-test of %s cannot be stored", q.ID)
	}
	last := replayed[len(replayed)-1]
	return store.Backtest{
		Queue: q.ID, Merchant: q.Merchant, Model: forecast.ModelVersion, Protocol: text, Figures: figures, Origins: origins,
		Range: calendar.Range{Start: replayed[0].Origin, End: last.Origin.Add(protocol.Horizon)},
	}, nil
}

// Backtests lists back-tests in scope, newest first, without their forecasts.
func (p *Planning) Backtests(ctx context.Context, who access.Principal, f store.ForecastFilter, page store.Page) ([]store.Backtest, string, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, "", err
	}
	return view.Backtests(ctx, f, page)
}

// KeptBacktest returns one back-test with its forecasts.
func (p *Planning) KeptBacktest(ctx context.Context, who access.Principal, id ids.Backtest) (store.Backtest, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return store.Backtest{}, err
	}
	return view.Backtest(ctx, id)
}
