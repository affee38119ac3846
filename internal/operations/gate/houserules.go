package gate

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// houseRulesKey is the setting with the parameters of the rules that the house chose.
const houseRulesKey = "house_rules"

// RuleChange is one version of the parameters of the rules: what was set, by whom, why, and what holds since.
type RuleChange struct {
	Version int               `json:"version"`
	At      time.Time         `json:"at"`
	Author  string            `json:"author"`
	Reason  string            `json:"reason"`
	Set     map[string]string `json:"set,omitempty"`   // by name, as workrules.Params.With takes them
	Reset   []string          `json:"reset,omitempty"` // back to their defaults
	Values  map[string]string `json:"values"`          // all that differ from the defaults from then on
	// PayFrom is the first day that is paid by what this version changed (Set and Reset); every other parameter pays as it
	// did on each day. Missing in versions of before it was kept: the day on which they were made.
	PayFrom calendar.Date `json:"pay_from,omitzero"`
}

// PaidFrom is the first day that is paid by what a version changed.
func (c RuleChange) PaidFrom(zone *time.Location) calendar.Date {
	if c.PayFrom.IsZero() {
		return calendar.DateOf(c.At, zone)
	}
	return c.PayFrom
}

// RuleChanges are the versions of the parameters, oldest first; none when the house never chose.
func RuleChanges(ctx context.Context, view *store.View) ([]RuleChange, error) {
	setting, err := view.Setting(ctx, houseRulesKey)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			err = nil
		}
		return nil, err
	}
	var out []RuleChange
	if err := json.Unmarshal(setting.Value, &out); err != nil {
		return nil, fault.Wrap(err, fault.Internal, "house_rules.stored", "the stored rules of the house cannot be read")
	}
	return out, nil
}

// PutRuleChanges replaces them. expect as in store.PutSetting.
func PutRuleChanges(tx *store.Tx, changes []RuleChange, expect int) error {
	text, err := json.Marshal(changes)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "house_rules.stored", "the rules of the house cannot be stored")
	}
	_, err = tx.PutSetting(houseRulesKey, text, expect)
	return err
}

// layOver lays what a version changed over values of before; last are the values of the version before it.
func (c RuleChange) layOver(values, last map[string]string) {
	names := slices.Concat(c.Reset, slices.Collect(maps.Keys(c.Set)))
	for _, all := range []map[string]string{last, c.Values} {
		for name := range all {
			if last[name] != c.Values[name] {
				names = append(names, name) // values that the law came to refuse go with the next version
			}
		}
	}
	for _, name := range names {
		if value, set := c.Values[name]; set {
			values[name] = value
		} else {
			delete(values, name)
		}
	}
}

// paidOn are the parameters that differ from the defaults in the pay of a day: each as the last version left it that
// changed it and holds for the day.
func paidOn(changes []RuleChange, day calendar.Date, zone *time.Location) map[string]string {
	values, last := map[string]string{}, map[string]string{}
	for _, c := range changes {
		if !c.PaidFrom(zone).After(day) {
			c.layOver(values, last)
		}
		last = c.Values
	}
	return values
}

// PastRules are the rules by which earlier days are paid, oldest first. A version that holds for earlier days moves only
// what it changed: the other parameters stay on each day what they were. base as in HouseRules.
func PastRules(ctx context.Context, view *store.View, base workrules.Params, zone *time.Location) ([]roster.PastRules, error) {
	changes, err := RuleChanges(ctx, view)
	if err != nil || len(changes) == 0 {
		return nil, err
	}
	var starts []calendar.Date
	for _, c := range changes {
		starts = append(starts, c.PaidFrom(zone))
	}
	slices.SortFunc(starts, calendar.Date.Sub)
	starts = slices.Compact(starts)
	out := []roster.PastRules{{Until: starts[0], Rules: base}}
	for i, until := range starts[1:] {
		rules, bad := base.With(LawfulRules(paidOn(changes, starts[i], zone)))
		if err := fault.Bad("house_rules.stored", "the stored rules of the house", bad); err != nil {
			return nil, err
		}
		out = append(out, roster.PastRules{Until: until, Rules: rules})
	}
	return out, nil
}

// HouseRules are the rules with the parameters that the house chose and what it asks for each queue.
func HouseRules(ctx context.Context, view *store.View, base workrules.Params) (workrules.Params, error) {
	terms, version, err := QueueTerms(ctx, view)
	if err != nil {
		return base, err
	}
	if version > 0 {
		base.Queues = terms
	}
	changes, err := RuleChanges(ctx, view)
	if err != nil || len(changes) == 0 {
		return base, err
	}
	set, bad := base.With(LawfulRules(changes[len(changes)-1].Values))
	return set, fault.Bad("house_rules.stored", "the stored rules of the house", bad)
}

// LawfulRules are stored values without those that the rules refuse by now: the law may have become stricter, or be
// known better, since the house chose, and then the default holds instead.
func LawfulRules(values map[string]string) map[string]string {
	out := maps.Clone(values)
	_, bad := workrules.DefaultParams().With(values)
	for _, f := range bad {
		name, _, _ := strings.Cut(strings.TrimPrefix(f.Path, "rules."), "[")
		delete(out, name)
	}
	return out
}
