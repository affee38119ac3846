package planning

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// Promotion is a sales event on one platform; Platform "all" or "" is every platform, and what
// holds for tmall holds for taobao too.
type Promotion struct {
	Platform contracts.Platform `json:"platform" yaml:"platform"`
	forecast.Event

	// Of the calendar that ships: what is not sure of its dates (a sentence each), the quality of their
	// source (A official, B press, C marketing text, GK general knowledge, INF inferred) and the source.
	Unsure  []string `json:"unsure,omitempty" yaml:"-"`
	Quality string   `json:"quality,omitempty" yaml:"-"`
	Source  string   `json:"source,omitempty" yaml:"-"`
}

// eventsKey is the setting that holds the promotions people entered.
const eventsKey = "promotions"

// appliesTo reports whether shops of a platform feel the promotion.
func (e Promotion) appliesTo(platform contracts.Platform) bool {
	return e.Platform == platform || e.everywhere() || platform == contracts.Taobao && e.Platform == contracts.Tmall
}

func (e Promotion) everywhere() bool { return e.Platform == "" || e.Platform == "all" }

// same reports two promotions of one family at the same time.
func (e Promotion) same(o Promotion) bool {
	return e.Family == o.Family && e.Start.Before(o.End) && o.Start.Before(e.End)
}

// replacedOn reports whether somebody entered a promotion that takes a shipped one's place on a platform.
func replacedOn(platform contracts.Platform, entered []Promotion, shipped Promotion) bool {
	return slices.ContainsFunc(entered, func(e Promotion) bool { return e.appliesTo(platform) && e.same(shipped) })
}

// felt are the promotions that a shop's platform feels: the entered ones, and the shipped ones that
// no entered one replaces there. A shipped one for all platforms stands back where the platform has its
// own of the same family and time.
func felt(entered, shipped []Promotion, platform contracts.Platform) []Promotion {
	var out []Promotion
	for _, e := range entered {
		if e.appliesTo(platform) {
			out = append(out, e)
		}
	}
	for _, s := range shipped {
		own := func(o Promotion) bool { return !o.everywhere() && o.appliesTo(platform) && o.same(s) }
		if s.appliesTo(platform) && !replacedOn(platform, entered, s) && (!s.everywhere() || !slices.ContainsFunc(shipped, own)) {
			out = append(out, s)
		}
	}
	return out
}

// EventsOf reads the sales events that a queue feels, past and planned, as forecasts know them. It is for other groups of
// use cases, which have asked for permission before.
func EventsOf(g gate.Gate, policy Policy) func(ctx context.Context, view *store.View, queue ids.Queue) ([]forecast.Event, error) {
	p := &Planning{gate: g, policy: policy}
	return p.eventsOf
}

// eventsFor are the felt promotions as the forecaster takes them.
func eventsFor(entered, shipped []Promotion, platform contracts.Platform) []forecast.Event {
	var out []forecast.Event
	for _, p := range felt(entered, shipped, platform) {
		out = append(out, p.Event)
	}
	return out
}

// promotions are those that people entered and those that ship with the binary, without the shipped
// ones that are replaced on every platform they are for.
func (p *Planning) promotions(ctx context.Context) ([]Promotion, error) {
	entered, err := p.entered(ctx, p.gate.Everything())
	if err != nil {
		return nil, err
	}
	all := slices.Clone(entered)
	for _, s := range p.policy.Promotions {
		on := slices.DeleteFunc(slices.Clone(contracts.Platforms), func(on contracts.Platform) bool { return !s.appliesTo(on) })
		if len(on) == 0 { // a platform without shops yet
			on = []contracts.Platform{s.Platform}
		}
		if slices.ContainsFunc(on, func(on contracts.Platform) bool { return !replacedOn(on, entered, s) }) {
			all = append(all, s)
		}
	}
	return all, nil
}

func (p *Planning) entered(ctx context.Context, view *store.View) ([]Promotion, error) {
	setting, err := view.Setting(ctx, eventsKey)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return nil, nil
		}
		return nil, err
	}
	var out []Promotion
	if err := json.Unmarshal(setting.Value, &out); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "promotions.stored", "the stored promotions cannot be read")
	}
	return out, nil
}

// Promotions lists every promotion that some forecast would know. A shipped one that is replaced
// on a part of its platforms only is among them.
func (p *Planning) Promotions(ctx context.Context, who access.Principal) ([]Promotion, error) {
	if _, err := access.Decide(who, access.ReadPlans); err != nil {
		return nil, err
	}
	return p.promotions(ctx)
}

// EnteredPromotions lists the promotions that people entered.
func (p *Planning) EnteredPromotions(ctx context.Context, who access.Principal) ([]Promotion, error) {
	if _, err := access.Decide(who, access.ReadPlans); err != nil {
		return nil, err
	}
	return p.entered(ctx, p.gate.Everything())
}

// PromotionsChange is what replacing the entered promotions did. One that was changed is in both lists.
type PromotionsChange struct {
	Removed  []Promotion `json:"removed"`
	Added    []Promotion `json:"added"`
	Warnings []string    `json:"warnings"` // removed ones that are over: what they taught is lost
}

// PutPromotions replaces the promotions that people entered, and says what that removed and added. Each replaces
// the shipped ones of its family at the same time on its platforms. Errors: forecast.events (every bad field): an
// unknown platform, a bad event, or two of one family at the same time that one platform would feel.
func (p *Planning) PutPromotions(ctx context.Context, who access.Principal, promotions []Promotion) (PromotionsChange, error) {
	if _, err := access.Decide(who, access.WritePlans); err != nil {
		return PromotionsChange{}, err
	}
	if err := fault.Bad("forecast.events", "promotions", promotionProblems(promotions)); err != nil {
		return PromotionsChange{}, err
	}
	promotions = slices.Clone(promotions)
	for i := range promotions { // whoever enters a date is its source
		promotions[i].Unsure, promotions[i].Quality, promotions[i].Source = nil, "", ""
	}
	text, err := json.Marshal(promotions)
	if err != nil {
		return PromotionsChange{}, fault.Wrap(err, fault.Internal, "promotions.stored", "the promotions cannot be stored")
	}
	var done PromotionsChange
	err = p.gate.Store.Change(ctx, who, p.gate.Now(), func(tx *store.Tx) error {
		old, err := p.entered(ctx, tx.In(access.Scope{Everything: true}))
		if err != nil {
			return err
		}
		done = PromotionsChange{Removed: missingFrom(promotions, old), Added: missingFrom(old, promotions)}
		done.Warnings = p.forgotten(done.Removed, slices.Concat(promotions, p.policy.Promotions))
		_, err = tx.PutSetting(eventsKey, text, store.AnyVersion)
		return err
	})
	return done, err
}

// missingFrom are the promotions that a list does not hold just like that.
func missingFrom(list, promotions []Promotion) []Promotion {
	key := func(e Promotion) string {
		e.Start, e.End = e.Start.UTC(), e.End.UTC()
		text, _ := json.Marshal(e) // it was stored as JSON, or will be
		return string(text)
	}
	known := map[string]bool{}
	for _, e := range list {
		known[key(e)] = true
	}
	return slices.DeleteFunc(append([]Promotion{}, promotions...), func(e Promotion) bool { return known[key(e)] })
}

// forgotten warns of removed promotions that began already and that nothing replaces.
func (p *Planning) forgotten(removed, left []Promotion) []string {
	out := []string{}
	for _, e := range removed {
		replaced := slices.ContainsFunc(left, func(o Promotion) bool {
			_, both := bothOn(e, o)
			return both && e.same(o)
		})
		if e.Start.Before(p.gate.Now()) && !replaced {
			out = append(out, fmt.Sprintf("%s of %s to %s is past and was removed: forecasts no longer learn from it what a %s does",
				e.Family, e.Start.In(p.gate.Zone).Format(minuteLayout), e.End.In(p.gate.Zone).Format(minuteLayout), e.Family))
		}
	}
	return out
}

func promotionProblems(promotions []Promotion) (bad []fault.Field) {
	for i, e := range promotions {
		path := fmt.Sprintf("events[%d]", i)
		if !e.everywhere() && !slices.Contains(contracts.Platforms, e.Platform) {
			bad = append(bad, fault.Field{Path: path + ".platform", Value: string(e.Platform), Problem: fmt.Sprintf("must be all or one of %v", contracts.Platforms)})
		}
		if err := forecast.ValidateEvents([]forecast.Event{e.Event}); err != nil {
			for _, f := range fault.Of(err).Fields {
				f.Path = path + strings.TrimPrefix(f.Path, "events[0]")
				bad = append(bad, f)
			}
		}
		for j, other := range promotions[:i] {
			if on, both := bothOn(e, other); both && e.same(other) {
				bad = append(bad, fault.Field{Path: path, Value: e.Family, Problem: fmt.Sprintf(
					"overlaps events[%d] of the same family, which starts %s; shops on %s would feel both", j, other.Start.Format(time.RFC3339), on)})
			}
		}
	}
	return bad
}

// bothOn is a platform that feels both promotions.
func bothOn(a, b Promotion) (contracts.Platform, bool) {
	for _, on := range contracts.Platforms {
		if a.appliesTo(on) && b.appliesTo(on) {
			return on, true
		}
	}
	return "", false
}
