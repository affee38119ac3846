// Package exports owns report models: which figures, in which order, for whom. A model holds
// finished figures with where they came from; its files are made in exports/workbook.
//
// It computes nothing that a reader could dispute: readings come from kpi, targets from contracts.
package exports

import (
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// Verdict of one SLA term.
type Verdict string

// The verdicts.
const (
	Pass      Verdict = "pass"
	Fail      Verdict = "fail"
	NotJudged Verdict = "not_judged" // too few samples, or the no-KPI period
)

// SLAReport is the monthly report of one contract: the same figures as the API and the query.
type SLAReport struct {
	Contract    contracts.Contract `json:"contract"`
	Version     contracts.Version  `json:"version"`
	Merchant    contracts.Merchant `json:"merchant"`
	Month       calendar.Month     `json:"month"`
	TimeZone    string             `json:"time_zone"`
	GeneratedAt time.Time          `json:"generated_at"`
	DataThrough time.Time          `json:"data_through"` // newest conversation start known, at most the end of the month
	Simulated   bool               `json:"simulated"`
	Provisional bool               `json:"provisional"`      // the month was not over when the report was made
	Within      time.Duration      `json:"within,omitempty"` // limit of answered_within in Totals, Daily, Heat and Agents; a line has its term's
	Lines       []TermLine         `json:"lines"`
	Totals      []kpi.Reading      `json:"totals"` // whole month, every metric
	Daily       []DayLine          `json:"daily"`
	Heat        HeatMap            `json:"heat"`
	Volume      HeatMap            `json:"volume,omitzero"` // optional second map, beside Heat: how many contacts
	Agents      []AgentLine        `json:"agents"`
	Definitions []kpi.Definition   `json:"definitions"`
	Provenance  []Provenance       `json:"provenance"`
}

// TermLine is one SLA term with its target, the figure and the verdict.
type TermLine struct {
	Term    contracts.Term `json:"term"`
	Reading kpi.Reading    `json:"reading"`
	Verdict Verdict        `json:"verdict"`
	Reason  string         `json:"reason"` // one sentence: why this verdict
}

// DayLine is one business day; Readings in the order of Totals.
type DayLine struct {
	Date     calendar.Date `json:"date"`
	Readings []kpi.Reading `json:"readings"`
}

// HeatMap is one metric by weekday and quarter hour of the day in the business time zone.
type HeatMap struct {
	Metric kpi.Metric      `json:"metric"`
	Cells  [7][96]*float64 `json:"cells"` // Monday first; nil = no data
}

// AgentLine is one agent's month; Readings in the order of Totals.
type AgentLine struct {
	Agent    ids.Agent     `json:"agent"`
	Name     string        `json:"name"`
	Team     string        `json:"team,omitempty"`
	Readings []kpi.Reading `json:"readings"`
}

// Provenance says where a figure came from: a query, a batch, a definition version, a count.
type Provenance struct {
	What string `json:"what"`
	Text string `json:"text"`
}
