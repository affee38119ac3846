package planning

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// priorKey is the setting that holds what all queues together taught about sales events.
const priorKey = "event-prior"

// taught is what queues taught about sales events, by the platform whose events they felt.
type taught struct {
	LearnedAt time.Time                                  `json:"learned_at"`
	Platforms map[contracts.Platform]forecast.EventPrior `json:"platforms"`
}

// pool is what a queue borrows from others: the uplift of past events, first from queues of its
// category and then from all of its platform. A new merchant starts from there.
type pool struct {
	priors     map[contracts.Platform]forecast.EventPrior
	platforms  map[ids.Shop]contracts.Platform
	categories map[ids.Merchant]string
}

// prior is what was known of the events of a queue's platform at an origin; nil = nothing. An
// occurrence that was not over then is left out: it would tell the forecast what is to come. What earlier
// ones did is known as it is known now, a little better than it could be then.
func (l *pool) prior(q store.Queue, origin time.Time) *forecast.EventPrior {
	if l == nil {
		return nil
	}
	known, ok := l.priors[l.platforms[q.Shop]]
	if !ok {
		return nil
	}
	known.Curves = slices.DeleteFunc(slices.Clone(known.Curves), func(c forecast.EventCurve) bool {
		return !origin.IsZero() && !c.First.Add(len(c.Days)).In(origin.Location()).Before(origin)
	})
	if len(known.Curves) == 0 {
		return nil
	}
	return &known
}

// category is which queues are alike: what the merchant sells, and whether buyers ask before or
// after the sale. Empty when the merchant says nothing of what it sells.
func (l *pool) category(q store.Queue) string {
	if l == nil || l.categories[q.Merchant] == "" {
		return ""
	}
	return l.categories[q.Merchant] + "/" + q.Skill
}

// pool reads what was learnt; what another model learnt is not used.
func (p *Planning) pool(ctx context.Context, platforms map[ids.Shop]contracts.Platform) (*pool, error) {
	view := p.gate.Everything()
	l := &pool{platforms: platforms, categories: map[ids.Merchant]string{}}
	merchants, err := store.All(func(page store.Page) ([]store.Stored[contracts.Merchant], string, error) {
		return view.Merchants(ctx, page)
	})
	if err != nil {
		return nil, err
	}
	for _, m := range merchants {
		l.categories[m.Value.ID] = m.Value.Category
	}
	setting, err := view.Setting(ctx, priorKey)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return l, nil
		}
		return nil, err
	}
	var known taught
	if err := json.Unmarshal(setting.Value, &known); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "forecast.prior", "what was learnt about events cannot be read")
	}
	l.priors = map[contracts.Platform]forecast.EventPrior{}
	for on, prior := range known.Platforms {
		if prior.Version == forecast.ModelVersion && prior.Validate() == nil {
			l.priors[on] = prior
		}
	}
	return l, nil
}

// learnEvents lets all queues teach each other what past sales events did, and keeps it for the
// forecasts of any of them. A queue that cannot be read teaches nothing.
func (p *Planning) learnEvents(ctx context.Context, who access.Principal) error {
	queues, platforms, err := p.queues(ctx, p.gate.Everything(), ForecastInput{})
	if err != nil {
		return err
	}
	l, err := p.pool(ctx, platforms)
	if err != nil {
		return err
	}
	series := map[contracts.Platform][]forecast.Series{}
	for _, q := range queues {
		s, _, err := p.history(ctx, access.Scope{Everything: true}, q, 0, time.Time{})
		if err != nil {
			if tolerable(err) == nil {
				continue
			}
			return err
		}
		s.Category = l.category(q)
		series[platforms[q.Shop]] = append(series[platforms[q.Shop]], s)
	}
	entered, err := p.entered(ctx, p.gate.Everything())
	if err != nil {
		return err
	}
	now := p.gate.Now()
	known := taught{LearnedAt: now, Platforms: map[contracts.Platform]forecast.EventPrior{}}
	for on, all := range series {
		prior, err := forecast.LearnEvents(ctx, all, forecast.Options{
			Horizon: 24 * time.Hour, Missing: forecast.MissingZero, Events: eventsFor(entered, p.policy.Promotions, on), Holidays: p.policy.Holidays,
		})
		if err != nil {
			return err
		}
		known.Platforms[on] = prior
	}
	text, err := json.Marshal(known)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "forecast.prior", "what was learnt about events cannot be stored")
	}
	return p.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		_, err := tx.PutSetting(priorKey, text, store.AnyVersion)
		return err
	})
}
