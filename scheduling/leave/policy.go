package leave

import (
	"fmt"
	"slices"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Policy is how the house handles leave, swaps and offers. All of it is set by the house.
type Policy struct {
	Kinds        []KindRule `json:"kinds" yaml:"kinds"`
	Regions      []Region   `json:"regions,omitempty" yaml:"regions"` // what provinces grant beyond the national rule
	Quotas       []Quota    `json:"quotas" yaml:"quotas"`
	Closures     []Closure  `json:"closures" yaml:"closures"`
	DayMinutes   int        `json:"day_minutes" yaml:"day_minutes"`     // what one day of leave counts, 480; within DayMinutesBounds
	AutoYuan     float64    `json:"auto_yuan" yaml:"auto_yuan"`         // leave that costs more than this in coverage is not granted by itself
	ShortYuan    float64    `json:"short_yuan" yaml:"short_yuan"`       // a missing head-hour, where the plan says no value
	CarryMonths  int        `json:"carry_months" yaml:"carry_months"`   // annual leave stays good that long into the next year, 12 (条例 §5: one further year)
	LieuMonths   int        `json:"lieu_months" yaml:"lieu_months"`     // time off in lieu stays good that long, 6
	SwapApproval bool       `json:"swap_approval" yaml:"swap_approval"` // a supervisor approves each swap and shift given away
	SwapDays     int        `json:"swap_days" yaml:"swap_days"`         // days around the shifts in which a change makes a swap stale, 7
	OfferTo      int        `json:"offer_to" yaml:"offer_to"`           // most agents asked at once per head of an offer, 5
	FairDays     int        `json:"fair_days" yaml:"fair_days"`         // how far back fairness looks, 90
	EarlyUntil   int        `json:"early_until" yaml:"early_until"`     // minutes after midnight: a shift that starts before it is an unpopular one; 0 = none
	LateFrom     int        `json:"late_from" yaml:"late_from"`         // a shift that ends after it is an unpopular one; 0 = none, 1440 = midnight
}

// Quota is the most agents that may be away on one day.
type Quota struct {
	Name  string         `json:"name" yaml:"name"`
	Site  ids.Site       `json:"site,omitempty" yaml:"site,omitempty"` // empty: every site
	Team  ids.Team       `json:"team,omitempty" yaml:"team,omitempty"` // empty: every team
	Dates calendar.Dates `json:"dates,omitzero" yaml:"dates,omitempty"`
	Heads int            `json:"heads" yaml:"heads"`
}

// Closure is days on which leave is not granted by itself: named days, or the phases of a promotion.
type Closure struct {
	Name      string         `json:"name" yaml:"name"`
	Site      ids.Site       `json:"site,omitempty" yaml:"site,omitempty"`
	Team      ids.Team       `json:"team,omitempty" yaml:"team,omitempty"`
	Dates     calendar.Dates `json:"dates,omitzero" yaml:"dates,omitempty"`
	Promotion string         `json:"promotion,omitempty" yaml:"promotion,omitempty"` // family of promotions, instead of dates
	Phases    []string       `json:"phases,omitempty" yaml:"phases,omitempty"`       // of it; empty: from its first to its last day
}

// DefaultPolicy has no quotas and no closed days, and lets a supervisor approve swaps.
func DefaultPolicy() Policy {
	return Policy{
		Kinds: DefaultKinds(), Regions: []Region{}, Quotas: []Quota{}, Closures: []Closure{}, DayMinutes: 480, AutoYuan: 0, ShortYuan: 100, CarryMonths: 12, LieuMonths: 6,
		SwapApproval: true, SwapDays: 7, OfferTo: 5, FairDays: 90, EarlyUntil: 8 * 60, LateFrom: 24 * 60,
	}
}

// policyCheck collects the bad fields of a policy.
type policyCheck struct{ bad []fault.Field }

func (c *policyCheck) report(path string, value any, problem string) {
	c.bad = append(c.bad, fault.Field{Path: path, Value: fmt.Sprint(value), Problem: problem})
}

func (c *policyCheck) dates(at string, d calendar.Dates) {
	if !d.Until.IsZero() && !d.From.Before(d.Until) {
		c.report(at+"dates", d.Until, "must end after they begin")
	}
}

// Validate reports every bad field. Errors: leave.policy.
func (p Policy) Validate() error {
	c := &policyCheck{}
	p.numbers(c)
	p.kinds(c)
	p.regions(c)
	for i, q := range p.Quotas {
		at := fmt.Sprintf("quotas[%d].", i)
		if q.Name == "" {
			c.report(at+"name", "", "is empty")
		}
		if q.Heads < 0 || q.Heads > 100000 {
			c.report(at+"heads", q.Heads, "must be 0 or more")
		}
		c.dates(at, q.Dates)
	}
	for i, x := range p.Closures {
		at := fmt.Sprintf("closures[%d].", i)
		if x.Name == "" {
			c.report(at+"name", "", "is empty")
		}
		if dated := x.Dates != (calendar.Dates{}); dated == (x.Promotion != "") {
			c.report(at+"dates", x.Dates.From, "needs either dates or a promotion")
		}
		c.dates(at, x.Dates)
		if len(x.Phases) > 0 && x.Promotion == "" {
			c.report(at+"phases", x.Phases, "belong to a promotion")
		}
	}
	return fault.Bad("leave.policy", "leave policy", c.bad)
}

func (p Policy) numbers(c *policyCheck) {
	if least, most := DayMinutesBounds(); p.DayMinutes < least || p.DayMinutes > most {
		c.report("day_minutes", p.DayMinutes, fmt.Sprintf("must be a working day: %d (part-time, 劳动合同法 §68) to %d (comprehensive hours, 参照劳部发[1997]271 §6)", least, most))
	}
	for _, f := range []struct {
		name              string
		value, from, most int
	}{
		{"carry_months", p.CarryMonths, 0, 24},
		{"lieu_months", p.LieuMonths, 1, 60},
		{"swap_days", p.SwapDays, 0, 31},
		{"offer_to", p.OfferTo, 1, 1000},
		{"fair_days", p.FairDays, 1, 400},
		{"early_until", p.EarlyUntil, 0, 1440},
		{"late_from", p.LateFrom, 0, 2880},
	} {
		if f.value < f.from || f.value > f.most {
			c.report(f.name, f.value, fmt.Sprintf("must be %d to %d", f.from, f.most))
		}
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"auto_yuan", p.AutoYuan}, {"short_yuan", p.ShortYuan}} {
		if !(f.value >= 0 && f.value <= 1e9) { // so that NaN is refused too
			c.report(f.name, f.value, "must be 0 or more")
		}
	}
}

func (p Policy) kinds(c *policyCheck) {
	seen := map[LeaveKind]bool{}
	for i, k := range p.Kinds {
		at := fmt.Sprintf("kinds[%d].", i)
		c.kind(at, k.Kind)
		if seen[k.Kind] {
			c.report(at+"kind", k.Kind, "is given twice")
		}
		seen[k.Kind] = true
		c.days(at, k.Kind, k.MostDays)
		c.law(at, k)
		if k.Notice < 0 || k.Notice > 365 {
			c.report(at+"notice", k.Notice, "must be 0 to 365 days")
		}
	}
}

// regions are of known kinds, and each site lies in one region for a kind.
func (p Policy) regions(c *policyCheck) {
	seen := map[string]bool{}
	for i, r := range p.Regions {
		at := fmt.Sprintf("regions[%d].", i)
		if r.Name == "" {
			c.report(at+"name", "", "is empty")
		}
		if len(r.Sites) == 0 {
			c.report(at+"sites", "", "are missing: name the sites that lie in it")
		}
		c.kind(at, r.Kind)
		c.days(at, r.Kind, r.MostDays)
		for k, site := range r.Sites {
			if key := string(r.Kind) + " " + string(site); seen[key] {
				c.report(fmt.Sprintf("%ssites[%d]", at, k), site, "lies in two regions for the same kind")
			} else {
				seen[key] = true
			}
		}
	}
}

func (c *policyCheck) kind(at string, k LeaveKind) {
	if !slices.Contains(LeaveKinds, k) {
		c.report(at+"kind", k, fmt.Sprintf("must be one of %s", fault.Names(LeaveKinds)))
	}
}

func (c *policyCheck) days(at string, k LeaveKind, most int) {
	switch {
	case most < 0 || most > 400:
		c.report(at+"most_days", most, "must be 0 (no limit) to 400")
	case most > 0 && most < LawOf(k).LeastDays:
		c.report(at+"most_days", most, fmt.Sprintf("must be %d at least (%s), or 0 for no limit", LawOf(k).LeastDays, LawOf(k).Article))
	}
}

// PromotionDays are the civil dates of one phase of a promotion; Phase "" is all of it.
type PromotionDays struct {
	Family string         `json:"family"`
	Phase  string         `json:"phase,omitempty"`
	Dates  calendar.Dates `json:"dates"`
}

// Resolve replaces the promotions of the closures by their dates: one closure for each stretch. What
// names a promotion that is not known closes nothing.
func (p Policy) Resolve(known []PromotionDays) []Closure {
	var out []Closure
	for _, c := range p.Closures {
		if c.Promotion == "" {
			out = append(out, c)
			continue
		}
		for _, k := range known {
			if k.Family != c.Promotion || (k.Phase == "") != (len(c.Phases) == 0) || k.Phase != "" && !slices.Contains(c.Phases, k.Phase) {
				continue
			}
			day := c
			day.Dates = k.Dates
			out = append(out, day)
		}
	}
	return out
}

// covers reports that a rule of a site and team is about an agent.
func covers(site ids.Site, team ids.Team, ofSite ids.Site, ofTeam ids.Team) bool {
	return (site == "" || site == ofSite) && (team == "" || team == ofTeam)
}

func on(dates calendar.Dates, d calendar.Date) bool {
	return dates == calendar.Dates{} || dates.Contains(d)
}
