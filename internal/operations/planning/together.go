package planning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// asked is a queue to be forecast, and what came of it.
type asked struct {
	queue   store.Queue
	series  forecast.Series
	known   work
	options forecast.Options
	hash    string // of the queue's own input; of all inputs when queues were forecast together
	result  forecast.Result
	err     error
}

// asked reads the history of every queue. One without a history carries its error.
func (p *Planning) asked(ctx context.Context, scope access.Scope, queues []store.Queue, in ForecastInput, events func(store.Queue) []forecast.Event) ([]asked, error) {
	all := make([]asked, len(queues))
	for i, q := range queues {
		a := &all[i]
		a.queue = q
		if a.series, a.known, a.err = p.history(ctx, scope, q, in.Slot, in.Origin); a.err != nil {
			if fault.KindOf(a.err) == fault.NotFound || fault.KindOf(a.err) == fault.Invalid {
				continue
			}
			return nil, a.err
		}
		if a.err = p.left(a.series, in); a.err != nil {
			continue
		}
		if end := a.series.End(); in.Origin.Sub(end) > forecast.MaxHorizon {
			a.err = fault.Bad("forecast.origin", "forecast", []fault.Field{{Path: "origin", Value: in.Origin.In(p.gate.Zone).Format(minuteLayout), Problem: fmt.Sprintf(
				"lies more than 64 weeks after the end of the history of %s, %s", q.ID, end.In(p.gate.Zone).Format(minuteLayout))}})
			continue
		}
		if a.options, a.err = p.options(q, a.series, events(q), in); a.err != nil {
			return nil, a.err
		}
		exclude, err := p.excluded(ctx, q.ID)
		if err != nil {
			return nil, err
		}
		a.options.Exclude = exclude
		a.series.Category = in.pool.category(q)
		a.series.Path = []string{string(q.Merchant), string(q.Shop)}
	}
	return all, nil
}

// leftAfter is how long a queue that nobody named may have been silent: a former client's is not forecast.
const leftAfter = 366 * 24 * time.Hour

// left is the error of a queue that fell silent long ago and was not asked for by name.
func (p *Planning) left(s forecast.Series, in ForecastInput) error {
	at := in.Origin
	if at.IsZero() {
		at = p.gate.Now()
	}
	if len(in.Queues) > 0 || at.Sub(s.End()) < leftAfter {
		return nil
	}
	return fault.New(fault.NotFound, "forecast.no_history", "queue %s has had no contact since %s", s.Queue, s.End().In(p.gate.Zone).Format(time.DateOnly))
}

// forecastTogether forecasts queues that feel the same events and have the same slot as one batch: they
// teach each other what events do, and their sums by shop and merchant are reconciled.
func forecastTogether(ctx context.Context, all []asked) error {
	var order []string
	batches := map[string][]*asked{}
	for i := range all {
		if a := &all[i]; a.err == nil {
			key, err := json.Marshal([]any{a.series.Slot, a.options.Events, a.options.Prior})
			if err != nil {
				return fault.Wrap(err, fault.Internal, "planning.batch", "queues cannot be put together")
			}
			if batches[string(key)] == nil {
				order = append(order, string(key))
			}
			batches[string(key)] = append(batches[string(key)], a)
		}
	}
	for _, key := range order {
		if err := forecastBatch(ctx, batches[key]); err != nil {
			return err
		}
	}
	return nil
}

// forecastBatch runs queues whose options differ in open hours and exclusions only.
func forecastBatch(ctx context.Context, batch []*asked) error {
	common := batch[0].options
	common.Hours, common.Exclude = forecast.Hours{}, nil
	if common.Origin.IsZero() {
		for _, a := range batch {
			if end := a.series.End(); end.After(common.Origin) {
				common.Origin = end
			}
		}
	}
	series := make([]forecast.Series, len(batch))
	for i, a := range batch {
		a.options.Origin = common.Origin
		var err error
		if a.hash, err = forecastHash(a.series, a.options); err != nil {
			return err
		}
		series[i] = a.series
		series[i].Hours, series[i].Exclude = a.options.Hours, a.options.Exclude
	}
	outcomes, err := forecast.RunAll(ctx, series, common, nil)
	if err != nil {
		return err
	}
	for i, a := range batch {
		a.result, a.err = outcomes[i].Result, outcomes[i].Err
	}
	return hashTogether(batch)
}

// hashTogether makes each hash tell of all inputs, since every queue of a batch has to do with each forecast.
func hashTogether(batch []*asked) error {
	if len(batch) == 1 {
		return nil
	}
	all := make([]string, len(batch))
	for i, a := range batch {
		all[i] = a.hash
	}
	slices.Sort(all)
	for _, a := range batch {
		h := sha256.New()
		if err := gate.AddJSON(h, []any{a.hash, a.series.Path, all}); err != nil {
			return err
		}
		a.hash = hex.EncodeToString(h.Sum(nil))
	}
	return nil
}

// finishForecast adds what a contact costs in work and the bot's share, and makes the version.
func (p *Planning) finishForecast(ctx context.Context, scope access.Scope, a asked, in ForecastInput) (store.Forecast, error) {
	if a.err != nil {
		return store.Forecast{}, a.err
	}
	if err := p.measure(ctx, scope, a.queue.ID, a.result.Origin, in, &a.known); err != nil {
		return store.Forecast{}, err
	}
	done, err := a.known.apply(a.series, a.options, &a.result)
	if err != nil {
		return store.Forecast{}, err
	}
	hash, err := workHash(a.hash, a.known)
	if err != nil {
		return store.Forecast{}, err
	}
	one, err := stored(a.result, a.queue, a.options.Events, hash, p.gate.Now())
	if err != nil {
		return store.Forecast{}, err
	}
	return one, addFigure(&one, "work", done)
}
