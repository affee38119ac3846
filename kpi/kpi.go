// Package kpi owns what was measured and how it is asked for: metric definitions, Query and
// Reading. A figure is always a numerator over a denominator; figures are merged by adding
// both, never by averaging.
//
// It does not own storage (kpi/warehouse), event decoding (kpi/chatlog) or targets (contracts).
package kpi

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// Metric is the id of a metric definition, e.g. "first_response".
type Metric string

// Unit of a metric's value.
type Unit string

// The units.
const (
	Count   Unit = "count"
	Share   Unit = "share"   // numerator/denominator in [0,1]
	Seconds Unit = "seconds" // mean
	Rating  Unit = "rating"  // mean on 1..5
	Ratio   Unit = "ratio"
	Yuan    Unit = "yuan" // a sum of money
)

// Definition is one version of one metric: data, not code.
type Definition struct {
	Metric         Metric         `json:"metric" yaml:"metric"`
	Version        string         `json:"version" yaml:"version"`
	Effective      calendar.Dates `json:"effective" yaml:"effective"`
	Name           string         `json:"name" yaml:"name"` // English
	NameZH         string         `json:"name_zh" yaml:"name_zh"`
	Unit           Unit           `json:"unit" yaml:"unit"`
	HigherIsBetter bool           `json:"higher_is_better" yaml:"higher_is_better"`
	Platforms      []string       `json:"platforms,omitempty" yaml:"platforms,omitempty"` // whose shops it counts; empty = all
	Channels       []string       `json:"channels,omitempty" yaml:"channels,omitempty"`   // of which conversations it counts: chat, call; empty = all
	Base           string         `json:"base" yaml:"base"`                               // counting base: round, session, buyer-day, inquiry, ticket, rating, message, state-time
	Rule           *Rule          `json:"rule,omitempty" yaml:"rule,omitempty"`           // how it counts events; nil = the two sums below
	Numerator      string         `json:"numerator,omitempty" yaml:"numerator,omitempty"` // name of an aggregate state, see warehouse
	Denominator    string         `json:"denominator,omitempty" yaml:"denominator,omitempty"`
	MinSample      int            `json:"min_sample,omitempty" yaml:"min_sample,omitempty"` // below this denominator it is not judged
	Exempt         []Exemption    `json:"exempt,omitempty" yaml:"exempt,omitempty"`         // periods that are not assessed
	Text           string         `json:"text" yaml:"text"`                                 // the definition in one sentence
	Source         string         `json:"source" yaml:"source"`
	Quality        string         `json:"quality" yaml:"quality"` // A, B or C as in domain.md
}

// BaseStateTime is the counting base of metrics over agents' time, which belongs to no merchant.
const BaseStateTime = "state-time"

// Dimension is what a query groups by.
type Dimension string

// The dimensions.
const (
	ByMerchant Dimension = "merchant"
	ByShop     Dimension = "shop"
	ByQueue    Dimension = "queue"
	ByAgent    Dimension = "agent"
)

// Grain is the time step of a query.
type Grain string

// The grains; calendar grains follow the business time zone.
const (
	Whole     Grain = "whole" // one reading for the range
	Slot      Grain = "slot"  // 15 minutes
	Hour      Grain = "hour"
	Day       Grain = "day"
	Month     Grain = "month"
	SlotOfDay Grain = "slot_of_day" // 96 slots over all days: heat maps
)

// Query asks for readings. The warehouse adds the caller's scope.
type Query struct {
	Metrics   []Metric       `json:"metrics"`
	Version   string         `json:"version,omitempty"` // pins the definition for any period; "" = in force on each date
	Within    time.Duration  `json:"within,omitempty"`  // for answered_within; 10, 15, 20, 30, 45, 60, 180 or 300 s
	By        []Dimension    `json:"by,omitempty"`
	Grain     Grain          `json:"grain"`
	Range     calendar.Range `json:"range"`
	Merchants []ids.Merchant `json:"merchants,omitempty"` // filters; empty = all in scope
	Shops     []ids.Shop     `json:"shops,omitempty"`
	Queues    []ids.Queue    `json:"queues,omitempty"`
	Agents    []ids.Agent    `json:"agents,omitempty"`
	Window    string         `json:"window,omitempty"` // daily window "09:00-23:00", by session start
}

// Reading is one figure with where it belongs.
type Reading struct {
	Metric      Metric       `json:"metric"`
	Version     string       `json:"version"`
	Merchant    ids.Merchant `json:"merchant,omitempty"`
	Shop        ids.Shop     `json:"shop,omitempty"`
	Queue       ids.Queue    `json:"queue,omitempty"`
	Agent       ids.Agent    `json:"agent,omitempty"`
	Start       time.Time    `json:"start,omitzero"` // of the grain step; zero for Whole
	Slot        int          `json:"slot,omitempty"` // 0..95 for SlotOfDay
	Numerator   float64      `json:"numerator"`
	Denominator float64      `json:"denominator"`           // 0 = no data; 1 for a count
	Value       *float64     `json:"value"`                 // nil when there is no data, never 0 for it
	TooFew      bool         `json:"too_few,omitempty"`     // fewer items than the definition's minimum sample: shown, not judged
	Provisional bool         `json:"provisional,omitempty"` // some of its days are not closed yet (conversion): the figure can still rise
}

// Merged is the figure of several parts together, e.g. of all agents: numerators and
// denominators are added, values are never averaged. A count or a sum of money adds its numerators. A part without
// a value still adds its numerator (messages by agents in a slot without one by a buyer belong to
// the day's ratio); when no denominator is known the result has no value.
//
// Metric and version are those of the first part; the place (agent, queue, time) is left out.
func Merged(unit Unit, parts []Reading) Reading {
	var sum Reading
	if len(parts) > 0 {
		sum.Metric, sum.Version = parts[0].Metric, parts[0].Version
	}
	counts := unit == Count || unit == Yuan
	known := false
	for _, p := range parts {
		if counts && p.Value == nil {
			continue
		}
		known = true
		sum.Numerator += p.Numerator
		sum.Denominator += p.Denominator
	}
	value := sum.Numerator
	if counts {
		sum.Denominator = min(sum.Denominator, 1)
	} else {
		known = sum.Denominator > 0
		value /= sum.Denominator
	}
	if known {
		sum.Value = &value
	}
	return sum
}
