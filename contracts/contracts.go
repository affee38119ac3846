// Package contracts owns what the outsourcer promised a merchant and what the merchant pays:
// merchants, shops, queues, contract versions, SLA terms and price lines.
//
// It does not own measured facts (kpi) or statements (contracts/settlement). Dates are civil
// dates in the business time zone; a version is effective in [From, Until) and versions of one
// contract never overlap. A version once effective is never edited: a change is a new version.
package contracts

import (
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
)

// Platform is where a shop sells.
type Platform string

// The platforms.
const (
	Tmall    Platform = "tmall"
	Taobao   Platform = "taobao"
	JD       Platform = "jd"
	PDD      Platform = "pdd"
	Douyin   Platform = "douyin"
	Kuaishou Platform = "kuaishou"
	Other    Platform = "other"
)

// Merchant is a client of the outsourcer.
type Merchant struct {
	ID       ids.Merchant `json:"id" yaml:"id"`
	Name     string       `json:"name" yaml:"name"`
	Category string       `json:"category,omitempty" yaml:"category,omitempty"` // 类目, lets a new merchant borrow a forecast
	Shops    []Shop       `json:"shops" yaml:"shops"`
}

// Shop is one shop on one platform.
type Shop struct {
	ID       ids.Shop `json:"id" yaml:"id"`
	Name     string   `json:"name" yaml:"name"`
	Platform Platform `json:"platform" yaml:"platform"`
	Queues   []Queue  `json:"queues" yaml:"queues"`
}

// Queue is one stream of contacts of a shop: its own demand, its own skill.
type Queue struct {
	ID      ids.Queue `json:"id" yaml:"id"`
	Skill   string    `json:"skill" yaml:"skill"`     // "pre" 售前 or "after" 售后
	Channel string    `json:"channel" yaml:"channel"` // "chat" or "call"
	Hours   string    `json:"hours" yaml:"hours"`     // open hours: "Mon-Sun 09:00-23:00"
}

// Contract is an agreement with one merchant about some of its shops.
type Contract struct {
	ID       ids.Contract `json:"id" yaml:"id"`
	Merchant ids.Merchant `json:"merchant" yaml:"merchant"`
	Title    string       `json:"title" yaml:"title"`
	Versions []Version    `json:"versions" yaml:"versions"` // ascending by From, no overlap
}

// Version is the terms in force in an effective-dated period.
type Version struct {
	Number         int `json:"number" yaml:"number"` // 1, 2, 3 ... ascending with From
	calendar.Dates `yaml:",inline"`
	Signed         calendar.Date `json:"signed,omitzero" yaml:"signed,omitempty"`
	Shops          []ids.Shop    `json:"shops" yaml:"shops"`
	Seats          []Seat        `json:"seats,omitempty" yaml:"seats,omitempty"`
	Terms          []Term        `json:"terms" yaml:"terms"`
	Prices         []Price       `json:"prices" yaml:"prices"`
	TaxRate        money.Rate    `json:"tax_rate" yaml:"tax_rate"`                            // 6% for services
	NoKPIUntil     calendar.Date `json:"no_kpi_until,omitzero" yaml:"no_kpi_until,omitempty"` // 磨合期
	Texts          bool          `json:"texts,omitempty" yaml:"texts,omitempty"`              // the texts of messages may be kept; without it only their times are
}

// Seat is a number of seats promised for a skill and a daily window.
type Seat struct {
	Shop      ids.Shop `json:"shop" yaml:"shop"`
	Skill     string   `json:"skill" yaml:"skill"`
	Window    string   `json:"window" yaml:"window"` // "09:00-24:00"
	Count     int      `json:"count" yaml:"count"`
	Dedicated bool     `json:"dedicated" yaml:"dedicated"`
}

// Direction says which side of the target is good.
type Direction string

// The directions.
const (
	AtLeast Direction = "at_least"
	AtMost  Direction = "at_most"
)

// Term is one SLA line: a metric of kpi, its target and what missing it costs.
type Term struct {
	ID        string    `json:"id" yaml:"id"`                               // unique in the version, "first-30s"
	Metric    string    `json:"metric" yaml:"metric"`                       // metric id of kpi, "answered_within"
	Version   string    `json:"version,omitempty" yaml:"version,omitempty"` // pins one version of the metric's definition; empty = the one in force on each day
	Within    string    `json:"within,omitempty" yaml:"within,omitempty"`   // parameter of the metric: "30s"
	Skill     string    `json:"skill,omitempty" yaml:"skill,omitempty"`     // only queues of this skill; empty = all
	Window    string    `json:"window,omitempty" yaml:"window,omitempty"`   // daily window "09:00-23:00"; empty = all day
	Direction Direction `json:"direction" yaml:"direction"`
	Target    float64   `json:"target" yaml:"target"`                             // shares in [0,1], times in seconds, ratings 1-5
	MinSample int       `json:"min_sample,omitempty" yaml:"min_sample,omitempty"` // below it the term is not judged
	Weight    float64   `json:"weight,omitempty" yaml:"weight,omitempty"`
	Ladder    []Step    `json:"ladder,omitempty" yaml:"ladder,omitempty"` // ascending by miss
}

// Step of a deduction ladder: from this shortfall on, this share of the month's fee is deducted.
type Step struct {
	Miss   float64    `json:"miss" yaml:"miss"`     // shortfall in the unit of the metric, > 0 or 0 for "any miss"
	Deduct money.Rate `json:"deduct" yaml:"deduct"` // of the base fee; negative is a bonus
}

// PriceBase says what a price line multiplies.
type PriceBase string

// The bases of domain.md section 4.1.
const (
	PerSeatMonth PriceBase = "seat_month"
	PerContact   PriceBase = "contact"
	PerHour      PriceBase = "hour"
	PerDay       PriceBase = "day"
	OfSales      PriceBase = "sales" // commission: Rate of attributed net sales
	FlatMonth    PriceBase = "month"
)

// Price is one price line.
type Price struct {
	ID      string     `json:"id" yaml:"id"`
	Title   string     `json:"title" yaml:"title"`
	Base    PriceBase  `json:"base" yaml:"base"`
	Amount  money.Fen  `json:"amount,omitempty" yaml:"amount,omitempty"` // yuan per unit of the base
	Rate    money.Rate `json:"rate,omitempty" yaml:"rate,omitempty"`     // for OfSales
	Tiers   []Tier     `json:"tiers,omitempty" yaml:"tiers,omitempty"`   // replace Amount, ascending
	Minimum money.Fen  `json:"minimum,omitempty" yaml:"minimum,omitempty"`
	Skill   string     `json:"skill,omitempty" yaml:"skill,omitempty"`
}

// Tier is a band of a tiered price: units above Above cost Amount each.
type Tier struct {
	Above  int64     `json:"above" yaml:"above"`
	Amount money.Fen `json:"amount" yaml:"amount"`
}
