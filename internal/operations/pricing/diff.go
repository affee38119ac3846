package pricing

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// ScenarioDiff is two scenarios side by side. Every change is B minus A.
type ScenarioDiff struct {
	A        ScenarioName                 `json:"a"`
	B        ScenarioName                 `json:"b"`
	Options  []OptionChange               `json:"options"` // that they differ in
	Total    CostChange                   `json:"total"`
	Risk     RiskChange                   `json:"risk"`
	Queues   []KeyedChange[ids.Queue]     `json:"queues"` // by queue; one that a scenario lacks counts as nothing there
	Days     []KeyedChange[calendar.Date] `json:"days"`
	SameDays bool                         `json:"same_days"`        // both are about the same days, merchant and queues; else no change means anything
	Earned   *EarnedChange                `json:"earned,omitempty"` // none where one of them does not have it
	// NetYuan is what B brings more than A: revenue less wages, deductions and what lost buyers are declared to cost. 0 without Earned.
	NetYuan float64 `json:"net_yuan"`
}

// ScenarioName is what a diff says of a scenario.
type ScenarioName struct {
	ID    ids.Scenario   `json:"id"`
	Name  string         `json:"name"`
	Dates calendar.Dates `json:"dates"`
}

// OptionChange is one option with both values as text.
type OptionChange struct {
	Option string `json:"option"`
	A      string `json:"a"`
	B      string `json:"b"`
}

// CostChange is a cost in A, in B and the difference.
type CostChange struct {
	A      Cost `json:"a"`
	B      Cost `json:"b"`
	Change Cost `json:"change"`
}

// EarnedChange is what stands against the costs in A, in B and the difference.
type EarnedChange struct {
	A      Earned `json:"a"`
	B      Earned `json:"b"`
	Change Earned `json:"change"`
}

// RiskChange is the deductions in A, in B and the difference of each figure.
type RiskChange struct {
	A      Risk `json:"a"`
	B      Risk `json:"b"`
	Change Risk `json:"change"`
}

// KeyedChange is the change of one queue or day.
type KeyedChange[K any] struct {
	Key K `json:"key"`
	CostChange
}

// DiffScenarios compares two scenarios, by id or name. Errors: store.not_found.
func (p *Pricing) DiffScenarios(ctx context.Context, who access.Principal, a, b string) (ScenarioDiff, error) {
	view, _, err := p.gate.Read(who, access.ReadPlans)
	if err != nil {
		return ScenarioDiff{}, err
	}
	x, err := p.scenario(ctx, view, a)
	if err != nil {
		return ScenarioDiff{}, err
	}
	y, err := p.scenario(ctx, view, b)
	if err != nil {
		return ScenarioDiff{}, err
	}
	return diff(x, y), nil
}

func diff(x, y Scenario) ScenarioDiff {
	d := ScenarioDiff{
		A: ScenarioName{x.ID, x.Name, x.Dates}, B: ScenarioName{y.ID, y.Name, y.Dates}, Options: changedOptions(x, y),
		Total: change(x.Price.Total, y.Price.Total), SameDays: x.Dates == y.Dates && x.Asked.Merchant == y.Asked.Merchant && slices.Equal(queuesOf(x.Price), queuesOf(y.Price)),
	}
	if a, b := x.Price.Earned, y.Price.Earned; a != nil && b != nil {
		d.Earned = &EarnedChange{A: *a, B: *b, Change: Earned{
			RevenueYuan: b.RevenueYuan - a.RevenueYuan, LostContacts: b.LostContacts - a.LostContacts, LostYuan: b.LostYuan - a.LostYuan,
		}}
		d.NetYuan = d.Earned.Change.RevenueYuan - d.Earned.Change.LostYuan - d.Total.Change.TotalYuan()
	}
	d.Risk = RiskChange{A: x.Price.Risk, B: y.Price.Risk, Change: Risk{
		MeanYuan: y.Price.Risk.MeanYuan - x.Price.Risk.MeanYuan, P50Yuan: y.Price.Risk.P50Yuan - x.Price.Risk.P50Yuan,
		P90Yuan: y.Price.Risk.P90Yuan - x.Price.Risk.P90Yuan, P95Yuan: y.Price.Risk.P95Yuan - x.Price.Risk.P95Yuan,
	}}
	d.Queues = paired(x.Price.Queues, y.Price.Queues, func(c QueueCost) (ids.Queue, Cost) { return c.Queue, c.Cost }, cmp.Compare[ids.Queue])
	d.Days = paired(x.Price.Days, y.Price.Days, func(c DayCost) (calendar.Date, Cost) { return c.Date, c.Cost }, func(a, b calendar.Date) int { return a.Sub(b) })
	return d
}

func queuesOf(p Price) (out []ids.Queue) {
	for _, q := range p.Queues {
		out = append(out, q.Queue)
	}
	return out
}

func change(a, b Cost) CostChange {
	return CostChange{A: a, B: b, Change: Cost{
		Contacts: b.Contacts - a.Contacts, Peak: b.Peak - a.Peak, HeadHours: b.HeadHours - a.HeadHours, PaidHours: b.PaidHours - a.PaidHours,
		OvertimeHours: b.OvertimeHours - a.OvertimeHours, HolidayHours: b.HolidayHours - a.HolidayHours, WagesYuan: b.WagesYuan - a.WagesYuan,
		PenaltyYuan: b.PenaltyYuan - a.PenaltyYuan, Unmet: b.Unmet - a.Unmet,
		ExpectedContacts: b.ExpectedContacts - a.ExpectedContacts, Missed: b.Missed - a.Missed, ExpectedShare: b.ExpectedShare - a.ExpectedShare,
	}}
}

// paired puts the lines of two scenarios beside each other, in order.
func paired[L any, K comparable](a, b []L, read func(L) (K, Cost), order func(K, K) int) []KeyedChange[K] {
	left, right := map[K]Cost{}, map[K]Cost{}
	var keys []K
	for _, side := range []struct {
		lines []L
		into  map[K]Cost
	}{{a, left}, {b, right}} {
		for _, l := range side.lines {
			k, c := read(l)
			side.into[k] = c
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, order)
	out := []KeyedChange[K]{}
	for _, k := range slices.Compact(keys) {
		out = append(out, KeyedChange[K]{Key: k, CostChange: change(left[k], right[k])})
	}
	return out
}

// shrinkageText is a share that was asked for.
func shrinkageText(share float64) string {
	if share == 0 {
		return "by cause"
	}
	return fmt.Sprint(share)
}

// jsonText is an option of several values; "usual" when it was not given.
func jsonText[T any](v *T) string {
	if v == nil {
		return "usual"
	}
	text, _ := json.Marshal(v) // numbers and texts cannot fail
	return string(text)
}

// Assumed are the options of a scenario that differ from those of one of its days where nothing is asked for, in B.
func (s Scenario) Assumed() []OptionChange {
	plain := s
	plain.Asked = ScenarioAsked{Options: Options{}.withDefaults()}
	return changedOptions(plain, s)
}

// changedOptions are the options that two scenarios differ in.
func changedOptions(x, y Scenario) []OptionChange {
	out := []OptionChange{}
	a, b := x.Asked, y.Asked
	for _, o := range []struct {
		name string
		a, b any
	}{
		{"merchant", a.Merchant, b.Merchant},
		{"forecasts", a.Forecasts, b.Forecasts},
		{"newest", a.Newest, b.Newest},
		{"method", a.Method, b.Method},
		{"level", a.Level, b.Level},
		{"shrinkage", shrinkageText(a.Shrinkage), shrinkageText(b.Shrinkage)},
		{"people", jsonText(a.People), jsonText(b.People)},
		{"tickets", jsonText(a.Tickets), jsonText(b.Tickets)},
		{"min_heads", a.MinHeads, b.MinHeads},
		{"max_heads", a.MaxHeads, b.MaxHeads},
		{"seats", cmp.Or(a.Seats, DedicatedSeats), cmp.Or(b.Seats, DedicatedSeats)},
		{"volume_factor", a.VolumeFactor, b.VolumeFactor},
		{"aht_factor", a.HandleFactor, b.HandleFactor},
		{"target_share", a.TargetShare, b.TargetShare},
		{"basket_yuan", a.BasketYuan, b.BasketYuan},
		{"conversion", a.Conversion, b.Conversion},
		{"reference_s", a.ReferenceS, b.ReferenceS},
		{"elasticity", a.Elasticity, b.Elasticity},
		{"lost_contact_yuan", a.LostContactYuan, b.LostContactYuan},
	} {
		if before, after := fmt.Sprint(o.a), fmt.Sprint(o.b); before != after {
			out = append(out, OptionChange{Option: o.name, A: before, B: after})
		}
	}
	return out
}
