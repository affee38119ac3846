package contracts

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
)

// Limits that keep a typing mistake from becoming a contract.
const (
	maxName   = 200 // bytes of a name or title
	maxSeats  = 100_000
	maxTarget = 1e9
)

// Platforms in the order they are listed to people.
var Platforms = []Platform{Tmall, Taobao, JD, PDD, Douyin, Kuaishou, Other}

// PriceBases in the order they are listed to people.
var PriceBases = []PriceBase{PerSeatMonth, PerContact, PerHour, PerDay, OfSales, FlatMonth}

// report collects bad fields below a path.
type report struct {
	fields *[]fault.Field
	path   string
}

func newReport() report { return report{fields: new([]fault.Field)} }

func (r report) at(format string, args ...any) report {
	name := fmt.Sprintf(format, args...)
	if r.path != "" && name[0] != '[' {
		name = "." + name
	}
	return report{r.fields, r.path + name}
}

func (r report) bad(value any, format string, args ...any) {
	text := ""
	if value != nil {
		text = fault.Shorten(fmt.Sprint(value))
	}
	*r.fields = append(*r.fields, fault.Field{Path: r.path, Value: text, Problem: fmt.Sprintf(format, args...)})
}

func (r report) id(s string) {
	if problem := ids.Check(s); problem != "" {
		r.bad(s, "%s", problem)
	}
}

func (r report) name(s string) {
	if s == "" || len(s) > maxName {
		r.bad(s, "must have 1 to %d bytes", maxName)
	}
}

func (r report) unique(seen map[string]bool, s string) {
	if s != "" && seen[s] {
		r.bad(s, "is used twice")
	}
	seen[s] = true
}

func (r report) skill(s string, optional bool) {
	if s != "pre" && s != "after" && (s != "" || !optional) {
		r.bad(s, "must be pre or after")
	}
}

func (r report) window(s string, optional bool) {
	if optional && s == "" {
		return
	}
	if _, err := ParseWindow(s); err != nil {
		r.bad(s, "must be a daily window like 09:00-24:00")
	}
}

// dates checks an effective period; both ends must be real days.
func (r report) dates(p calendar.Dates) {
	if p.From.IsZero() {
		r.at("from").bad(nil, "is missing: the first day the version is in force")
	}
	if !p.Until.IsZero() && !p.From.Before(p.Until) {
		r.at("until").bad(p.Until, "must be after from (%s): it is the first day no longer in force", p.From)
	}
}

// Validate reports every bad field with its path. Ids are unique within the merchant.
// Errors: merchant.invalid.
func (m Merchant) Validate() error {
	r := newReport()
	r.at("id").id(string(m.ID))
	r.at("name").name(m.Name)
	if len(m.Shops) == 0 {
		r.at("shops").bad(nil, "is empty: a merchant has at least one shop")
	}
	shops, queues := map[string]bool{}, map[string]bool{}
	for i, s := range m.Shops {
		at := r.at("shops[%d]", i)
		at.at("id").id(string(s.ID))
		at.at("id").unique(shops, string(s.ID))
		s.check(at, queues)
	}
	return fault.Bad("merchant.invalid", fmt.Sprintf("merchant %s", m.ID), *r.fields)
}

func (s Shop) check(r report, queues map[string]bool) {
	r.at("name").name(s.Name)
	if !slices.Contains(Platforms, s.Platform) {
		r.at("platform").bad(s.Platform, "must be one of %s", fault.Names(Platforms))
	}
	for i, q := range s.Queues {
		at := r.at("queues[%d]", i)
		at.at("id").id(string(q.ID))
		at.at("id").unique(queues, string(q.ID))
		at.at("skill").skill(q.Skill, false)
		if q.Channel != "chat" && q.Channel != "call" {
			at.at("channel").bad(q.Channel, "must be chat or call")
		}
		if problem := hoursProblem(q.Hours); problem != "" {
			at.at("hours").bad(q.Hours, "%s", problem)
		}
	}
}

// Validate reports every bad field with its path. Errors: contract.overlap when two versions
// are in force on the same day (naming both and the days); contract.invalid otherwise.
func (c Contract) Validate() error {
	r := newReport()
	r.at("id").id(string(c.ID))
	r.at("merchant").id(string(c.Merchant))
	r.at("title").name(c.Title)
	if len(c.Versions) == 0 {
		r.at("versions").bad(nil, "is empty: a contract has at least one version")
	}
	for i, v := range c.Versions {
		at := r.at("versions[%d]", i)
		v.check(at)
		if i > 0 && v.Number <= c.Versions[i-1].Number {
			at.at("number").bad(v.Number, "must be above %d, the number of the version before it", c.Versions[i-1].Number)
		}
	}
	code := "contract.invalid"
	if c.overlaps(r) {
		code = "contract.overlap"
	}
	return fault.Bad(code, fmt.Sprintf("contract %s", c.ID), *r.fields)
}

// overlaps compares every pair, so that three versions in one heap are all named.
func (c Contract) overlaps(r report) (found bool) {
	for i, v := range c.Versions {
		for _, o := range c.Versions[:i] {
			if v.From.IsZero() || o.From.IsZero() || !v.Overlaps(o.Dates) {
				continue
			}
			found = true
			r.at("versions[%d].from", i).bad(v.From, "version %d (%s) overlaps version %d (%s): end version %d on %s or start version %d later",
				v.Number, period(v.Dates), o.Number, period(o.Dates), o.Number, v.From, v.Number)
		}
		if i > 0 && v.From.Before(c.Versions[i-1].From) {
			r.at("versions[%d].from", i).bad(v.From, "versions must be in ascending order of from")
		}
	}
	return found
}

func period(p calendar.Dates) string {
	if p.Until.IsZero() {
		return fmt.Sprintf("from %s, open-ended", p.From)
	}
	return fmt.Sprintf("%s to before %s", p.From, p.Until)
}

// VersionAt returns the version in force on a date.
func (c Contract) VersionAt(d calendar.Date) (Version, bool) {
	for _, v := range c.Versions {
		if v.Contains(d) {
			return v, true
		}
	}
	return Version{}, false
}

// Validate reports every bad field with its path. Errors: contract.version.
func (v Version) Validate() error {
	r := newReport()
	v.check(r)
	return fault.Bad("contract.version", fmt.Sprintf("contract version %d", v.Number), *r.fields)
}

func (v Version) check(r report) {
	if v.Number < 1 {
		r.at("number").bad(v.Number, "must be 1 or more")
	}
	r.dates(v.Dates)
	if !v.NoKPIUntil.IsZero() && v.NoKPIUntil.Before(v.From) {
		r.at("no_kpi_until").bad(v.NoKPIUntil, "must not be before from (%s)", v.From)
	}
	if v.TaxRate < 0 || v.TaxRate >= money.Whole {
		r.at("tax_rate").bad(v.TaxRate, "must be from 0%% to below 100%%")
	}
	if len(v.Shops) == 0 {
		r.at("shops").bad(nil, "is empty: say which shops the version covers")
	}
	shops := map[string]bool{}
	for i, s := range v.Shops {
		r.at("shops[%d]", i).id(string(s))
		r.at("shops[%d]", i).unique(shops, string(s))
	}
	for i, s := range v.Seats {
		s.check(r.at("seats[%d]", i), v.Shops)
	}
	terms, prices := map[string]bool{}, map[string]bool{}
	for i, t := range v.Terms {
		at := r.at("terms[%d]", i)
		at.at("id").unique(terms, t.ID)
		t.check(at)
	}
	for i, p := range v.Prices {
		at := r.at("prices[%d]", i)
		at.at("id").unique(prices, p.ID)
		p.check(at)
	}
}

func (s Seat) check(r report, shops []ids.Shop) {
	if !slices.Contains(shops, s.Shop) {
		r.at("shop").bad(s.Shop, "is not a shop of this version")
	}
	r.at("skill").skill(s.Skill, false)
	r.at("window").window(s.Window, false)
	if s.Count < 1 || s.Count > maxSeats {
		r.at("count").bad(s.Count, "must be from 1 to %d", maxSeats)
	}
}

// Validate reports every bad field with its path. Errors: contract.term.
func (t Term) Validate() error {
	r := newReport()
	t.check(r)
	return fault.Bad("contract.term", fmt.Sprintf("SLA term %s", t.ID), *r.fields)
}

func (t Term) check(r report) {
	r.at("id").id(t.ID)
	r.at("metric").id(t.Metric)
	if t.Version != "" {
		r.at("version").id(t.Version)
	}
	if t.Within != "" {
		if d, err := time.ParseDuration(t.Within); err != nil || d <= 0 || d > 24*time.Hour {
			r.at("within").bad(t.Within, "must be a duration up to 24h, like 30s")
		}
	}
	r.at("skill").skill(t.Skill, true)
	r.at("window").window(t.Window, true)
	if t.Direction != AtLeast && t.Direction != AtMost {
		r.at("direction").bad(t.Direction, "must be at_least or at_most")
	}
	if !within(t.Target, 0, maxTarget) {
		r.at("target").bad(t.Target, "must be 0 or more: shares from 0 to 1, times in seconds, ratings from 1 to 5")
	}
	if t.MinSample < 0 {
		r.at("min_sample").bad(t.MinSample, "must be 0 or more")
	}
	if !within(t.Weight, 0, maxTarget) {
		r.at("weight").bad(t.Weight, "must be 0 or more")
	}
	for i, s := range t.Ladder {
		at := r.at("ladder[%d]", i)
		if !within(s.Miss, 0, maxTarget) {
			at.at("miss").bad(s.Miss, "must be 0 or more")
		}
		if i > 0 && !(s.Miss > t.Ladder[i-1].Miss) {
			at.at("miss").bad(s.Miss, "must be above %v: a ladder ascends", t.Ladder[i-1].Miss)
		}
		if s.Deduct < -money.Whole || s.Deduct > money.Whole {
			at.at("deduct").bad(s.Deduct, "must be from -100%% (bonus) to 100%% (deduction)")
		}
	}
}

// Validate reports every bad field with its path. Errors: contract.price.
func (p Price) Validate() error {
	r := newReport()
	p.check(r)
	return fault.Bad("contract.price", fmt.Sprintf("price %s", p.ID), *r.fields)
}

func (p Price) check(r report) {
	r.at("id").id(p.ID)
	r.at("title").name(p.Title)
	r.at("skill").skill(p.Skill, true)
	if !slices.Contains(PriceBases, p.Base) {
		r.at("base").bad(p.Base, "must be one of %s", fault.Names(PriceBases))
	}
	if p.Amount < 0 {
		r.at("amount").bad(p.Amount, "must be 0 or more")
	}
	if p.Minimum < 0 {
		r.at("minimum").bad(p.Minimum, "must be 0 or more")
	}
	p.checkPricing(r)
}

// checkPricing asks for exactly one way to price: a rate of sales, an amount, or tiers.
func (p Price) checkPricing(r report) {
	switch {
	case p.Base == OfSales:
		if p.Rate <= 0 || p.Rate > money.Whole {
			r.at("rate").bad(p.Rate, "must be above 0%% and at most 100%% for base sales")
		}
		if p.Amount != 0 || len(p.Tiers) > 0 {
			r.at("amount").bad(p.Amount, "base sales is priced by rate only")
		}
	case p.Rate != 0:
		r.at("rate").bad(p.Rate, "only base sales has a rate")
	case len(p.Tiers) > 0 && p.Amount != 0:
		r.at("amount").bad(p.Amount, "give amount or tiers, not both")
	case len(p.Tiers) == 0 && p.Amount == 0:
		r.at("amount").bad(nil, "is missing: give amount or tiers")
	}
	for i, t := range p.Tiers {
		at := r.at("tiers[%d]", i)
		switch {
		case i == 0 && t.Above != 0:
			at.at("above").bad(t.Above, "must be 0 in the first tier: it starts at the first unit")
		case i > 0 && t.Above <= p.Tiers[i-1].Above:
			at.at("above").bad(t.Above, "must be above %d: tiers ascend", p.Tiers[i-1].Above)
		}
		if t.Amount < 0 {
			at.at("amount").bad(t.Amount, "must be 0 or more")
		}
	}
}

// within is false for NaN.
func within(x, low, high float64) bool { return !math.IsNaN(x) && x >= low && x <= high }
