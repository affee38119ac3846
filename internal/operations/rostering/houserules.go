package rostering

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// HouseSetting is a parameter of the rules with where its value comes from.
type HouseSetting struct {
	workrules.Setting
	Version int    `json:"version"` // of HouseRules that set it; 0 = the default
	Source  string `json:"source"`  // the same in words
}

// HouseRules are the parameters of the rules as the house set them, with every version of them.
type HouseRules struct {
	Version  int               `json:"version"` // 0: never changed
	Settings []HouseSetting    `json:"settings"`
	Changes  []gate.RuleChange `json:"changes"`            // oldest first
	Warnings []string          `json:"warnings,omitempty"` // values that are lawful and still a risk
	Broken   []gate.Break      `json:"broken,omitempty"`   // when they were set: the rules that published shifts from today on break by it
	// PayMoved is whose pay of published days that are over is another by it, when they were set for such days.
	PayMoved []gate.PayMove `json:"pay_moved,omitempty"`
}

// HouseRules tells by which parameters rosters, edits, swaps and leave are judged, and where each comes from.
// Errors: access.forbidden.
func (r *Rostering) HouseRules(ctx context.Context, who access.Principal) (HouseRules, error) {
	_, scope, err := r.gate.Read(who, access.ReadPlans)
	if err != nil {
		return HouseRules{}, err
	}
	out := HouseRules{Settings: []HouseSetting{}, Changes: []gate.RuleChange{}}
	err = r.gate.Store.Read(ctx, scope, func(view *store.View) error {
		rules, err := r.desk.Rules(ctx, view)
		if err != nil {
			return err
		}
		changes, err := gate.RuleChanges(ctx, view)
		if err != nil {
			return err
		}
		out.Changes, out.Version = append(out.Changes, changes...), len(changes)
		for _, s := range rules.Settings() {
			out.Settings = append(out.Settings, sourceOf(s, changes))
		}
		out.Warnings = rules.Warnings()
		return nil
	})
	return out, err
}

// sourceOf finds the change that set a parameter last.
func sourceOf(s workrules.Setting, changes []gate.RuleChange) HouseSetting {
	out := HouseSetting{Setting: s, Source: "default: " + strings.Join(s.Articles, "; ")}
	if value, unlawful := unlawfulValue(s.Name, changes); unlawful {
		out.Source = fmt.Sprintf("default, since %s is laxer than the law by now: %s", value, s.Law.Article)
		return out
	}
	for _, c := range slices.Backward(changes) {
		if slices.Contains(c.Reset, s.Name) {
			return out
		}
		if _, set := c.Set[s.Name]; set {
			out.Version = c.Version
			out.Source = fmt.Sprintf("version %d by %s: %s", c.Version, c.Author, c.Reason)
			return out
		}
	}
	return out
}

// unlawfulValue is a value that the house chose and that the law does not allow any more.
func unlawfulValue(name string, changes []gate.RuleChange) (value string, unlawful bool) {
	if len(changes) == 0 {
		return "", false
	}
	stored := changes[len(changes)-1].Values
	value, set := stored[name]
	_, lawful := gate.LawfulRules(stored)[name]
	return value, set && !lawful
}

// HouseRulesInput changes parameters of the rules.
type HouseRulesInput struct {
	Set    map[string]string // by name, as workrules.Params.With takes them
	Reset  []string          // names that go back to their defaults
	Reason string            // kept with the version
	Expect int               // the version that is changed; store.AnyVersion: whatever it is
	// PayFrom is the first day that is paid by what Set and Reset name, up to 366 days ago; zero: today. Days before it
	// keep their pay, and every other parameter pays as it did on each day.
	PayFrom calendar.Date
}

// SetHouseRules makes a new version of the parameters. They hold at once for every roster, edit, swap and leave that
// is judged from then on, and what is named for the pay of days from PayFrom on; the law may be tightened, not relaxed. The answer
// names the published shifts from today on that break rules by it, which stay until somebody edits, swaps or repairs
// them, and whose pay of days that are over it moves.
//
// Errors: house_rules.invalid with every bad value, house_rules.unchanged, store.conflict.
func (r *Rostering) SetHouseRules(ctx context.Context, who access.Principal, in HouseRulesInput) (HouseRules, error) {
	if _, err := access.Decide(who, access.WriteAgents); err != nil {
		return HouseRules{}, err
	}
	now := r.gate.Now()
	today := calendar.DateOf(now, r.gate.Zone)
	if problem := revising.PayFromProblem(in.PayFrom, today); problem != "" {
		return HouseRules{}, fault.Bad("house_rules.invalid", "rules of the house", []fault.Field{{Path: "pay_from", Value: in.PayFrom.String(), Problem: problem}})
	}
	var broken []gate.Break
	var moved []gate.PayMove
	var unasked string
	err := r.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		view := tx.In(access.Scope{Everything: true})
		changes, err := gate.RuleChanges(ctx, view)
		if err != nil {
			return err
		}
		if expected := max(0, in.Expect); in.Expect != store.AnyVersion && expected != len(changes) {
			return fault.New(fault.Conflict, "store.conflict", "the rules of the house are at version %d, not %d; read them again", len(changes), expected)
		}
		next, err := in.next(changes)
		if err != nil {
			return err
		}
		next.At, next.Author, next.PayFrom = now, who.Name, in.PayFrom
		if next.PayFrom.IsZero() {
			next.PayFrom = today
		}
		span, err := r.desk.FromToday(ctx, view, now)
		if err != nil {
			return err
		}
		if _, set := in.Set["special_dates"]; set {
			if unasked, err = withoutConsent(ctx, view, today); err != nil {
				return err
			}
		}
		moved, err = r.desk.PayMoves(ctx, view, next.PayFrom, now, nil, func() error {
			broken, err = r.desk.Breaks(ctx, view, span, nil, func() error {
				return gate.PutRuleChanges(tx, append(changes, next), store.AnyVersion)
			})
			return err
		})
		return err
	})
	if err != nil {
		return HouseRules{}, err
	}
	rules, err := r.HouseRules(ctx, who)
	rules.Broken, rules.PayMoved = broken, moved
	if unasked != "" {
		rules.Warnings = append(rules.Warnings, unasked)
	}
	return rules, err
}

// withoutConsent tells of how many people special dates change nothing, because they did not agree to overtime; ""
// when everybody did.
func withoutConsent(ctx context.Context, view *store.View, today calendar.Date) (string, error) {
	people, err := gate.Agents(ctx, view)
	if err != nil {
		return "", err
	}
	all, agreed := 0, 0
	for _, a := range people {
		if !a.Employed.Contains(today) || a.Employment == workforce.PartTime {
			continue
		}
		if all++; a.OvertimeAgreed {
			agreed++
		}
	}
	if agreed == all {
		return "", nil
	}
	return fmt.Sprintf("special_dates 只对同意加班的人生效：%d人中%d人已同意（agents overtime） / special_dates change nothing for who has not agreed to overtime: "+
		"%[2]d of %[1]d have (agents overtime)", all, agreed), nil
}

// next is the version that the input makes of the last one.
func (in HouseRulesInput) next(changes []gate.RuleChange) (gate.RuleChange, error) {
	next := gate.RuleChange{Version: len(changes) + 1, Reason: strings.TrimSpace(in.Reason), Set: in.Set, Reset: in.Reset, Values: map[string]string{}}
	before := map[string]string{}
	if len(changes) > 0 {
		maps.Copy(before, changes[len(changes)-1].Values)
	}
	maps.Copy(next.Values, gate.LawfulRules(before))
	var bad []fault.Field
	usual := map[string]string{}
	for _, s := range workrules.DefaultParams().Settings() {
		usual[s.Name] = s.Value
	}
	for _, name := range in.Reset {
		if _, known := usual[name]; !known {
			bad = append(bad, fault.Field{Path: "reset", Value: name, Problem: "is no setting"})
		}
		if _, both := in.Set[name]; both {
			bad = append(bad, fault.Field{Path: "reset", Value: name, Problem: "is also set"})
		}
		delete(next.Values, name)
	}
	maps.Copy(next.Values, in.Set)
	params, wrong := workrules.DefaultParams().With(next.Values)
	if bad = append(bad, wrong...); next.Reason == "" {
		bad = append(bad, fault.Field{Path: "reason", Problem: "is needed: it is kept with the version"})
	}
	if len(in.Set)+len(in.Reset) == 0 {
		bad = append(bad, fault.Field{Path: "set", Problem: "names nothing; give values to set, or names to reset"})
	}
	if len(bad) > 0 {
		return next, fault.Bad("house_rules.invalid", "rules of the house", bad)
	}
	next.Values = map[string]string{} // as they are shown, without those that are the default
	for _, s := range params.Settings() {
		if s.Value != usual[s.Name] {
			next.Values[s.Name] = s.Value
		}
	}
	if maps.Equal(next.Values, before) && in.PayFrom.IsZero() {
		return next, fault.New(fault.Conflict, "house_rules.unchanged", "the rules of the house are so already")
	}
	return next, nil
}
