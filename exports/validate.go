package exports

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// Validate checks that the report can be written and read without doubt: names are there, every
// row has the columns of Totals in their order, figures are finite and agree with their own
// numerator and denominator. It reports every bad field as report.invalid.
func (r SLAReport) Validate() error {
	c := check{}
	c.need("contract.id", string(r.Contract.ID))
	c.need("merchant.name", r.Merchant.Name)
	if r.Month.Month < time.January || r.Month.Month > time.December || r.Month.Year < 2000 || r.Month.Year > 2200 {
		c.report("month", r.Month.String(), "must be a month between 2000 and 2200")
	}
	if r.TimeZone == "" {
		c.report("time_zone", "", "is missing")
	} else if _, err := time.LoadLocation(r.TimeZone); err != nil {
		c.report("time_zone", r.TimeZone, "is not an IANA time zone")
	}
	if r.GeneratedAt.IsZero() {
		c.report("generated_at", "", "is missing")
	}
	units := map[kpi.Metric]kpi.Unit{}
	for _, d := range r.Definitions {
		units[d.Metric] = d.Unit
	}
	c.units = units
	c.lines(r.Lines)
	columns := c.columns(r.Totals)
	c.daily(r.Daily, r.Month, columns)
	c.agents(r.Agents, columns)
	c.heat("heat", r.Heat)
	c.heat("volume", r.Volume)
	return fault.Bad("report.invalid", "SLA report", c.bad)
}

// check gathers the bad fields of one report.
type check struct {
	bad   []fault.Field
	units map[kpi.Metric]kpi.Unit
}

func (c *check) report(path, value, problem string) {
	c.bad = append(c.bad, fault.Field{Path: path, Value: value, Problem: problem})
}

func (c *check) need(path, value string) {
	if value == "" {
		c.report(path, "", "is missing")
	}
}

func (c *check) lines(lines []TermLine) {
	for i, l := range lines {
		path := fmt.Sprintf("lines[%d]", i)
		c.need(path+".term.metric", l.Term.Metric)
		if l.Term.Direction != contracts.AtLeast && l.Term.Direction != contracts.AtMost {
			c.report(path+".term.direction", string(l.Term.Direction), "must be at_least or at_most")
		}
		if !finite(l.Term.Target) {
			c.report(path+".term.target", fmt.Sprint(l.Term.Target), "must be a finite number")
		}
		if !slices.Contains([]Verdict{Pass, Fail, NotJudged}, l.Verdict) {
			c.report(path+".verdict", string(l.Verdict), "must be pass, fail or not_judged")
		}
		if l.Verdict != NotJudged && l.Reading.Value == nil {
			c.report(path+".verdict", string(l.Verdict), "cannot be given without a value")
		}
		if l.Reading.Metric != "" && string(l.Reading.Metric) != l.Term.Metric {
			c.report(path+".reading.metric", string(l.Reading.Metric), "is not the metric of the term")
		}
		c.reading(path+".reading", l.Reading)
	}
}

// columns checks Totals and returns the metrics that every row must repeat.
func (c *check) columns(totals []kpi.Reading) []kpi.Metric {
	var out []kpi.Metric
	for i, t := range totals {
		path := fmt.Sprintf("totals[%d]", i)
		if slices.Contains(out, t.Metric) {
			c.report(path+".metric", string(t.Metric), "is there twice")
		}
		if _, ok := c.units[t.Metric]; !ok {
			c.report(path+".metric", string(t.Metric), "has no definition in the report")
		}
		c.reading(path, t)
		out = append(out, t.Metric)
	}
	return out
}

func (c *check) row(path string, readings []kpi.Reading, columns []kpi.Metric) {
	if len(readings) != len(columns) {
		c.report(path+".readings", fmt.Sprint(len(readings)), fmt.Sprintf("must be %d, as in totals", len(columns)))
		return
	}
	for i, r := range readings {
		at := fmt.Sprintf("%s.readings[%d]", path, i)
		if r.Metric != columns[i] {
			c.report(at+".metric", string(r.Metric), "must be "+string(columns[i])+", as in totals")
		}
		c.reading(at, r)
	}
}

func (c *check) daily(days []DayLine, month calendar.Month, columns []kpi.Metric) {
	for i, d := range days {
		path := fmt.Sprintf("daily[%d]", i)
		if d.Date.MonthOf() != month {
			c.report(path+".date", d.Date.String(), "is outside "+month.String())
		}
		if i > 0 && !days[i-1].Date.Before(d.Date) {
			c.report(path+".date", d.Date.String(), "is not after the day before it")
		}
		c.row(path, d.Readings, columns)
	}
}

func (c *check) agents(agents []AgentLine, columns []kpi.Metric) {
	seen := map[ids.Agent]bool{}
	for i, a := range agents {
		path := fmt.Sprintf("agents[%d]", i)
		c.need(path+".agent", string(a.Agent))
		if seen[a.Agent] {
			c.report(path+".agent", string(a.Agent), "is there twice")
		}
		seen[a.Agent] = true
		c.row(path, a.Readings, columns)
	}
}

func (c *check) reading(path string, r kpi.Reading) {
	if !finite(r.Numerator) || !finite(r.Denominator) || r.Denominator < 0 {
		c.report(path, fmt.Sprintf("%g/%g", r.Numerator, r.Denominator), "numerator and denominator must be finite, the denominator 0 or more")
		return
	}
	if r.Value == nil {
		return
	}
	if !finite(*r.Value) {
		c.report(path+".value", fmt.Sprint(*r.Value), "must be a finite number or nothing")
		return
	}
	want := r.Numerator
	if unit := c.units[r.Metric]; unit != kpi.Count && unit != "" {
		if r.Denominator == 0 {
			c.report(path+".value", fmt.Sprint(*r.Value), "must be nothing when the denominator is 0")
			return
		}
		want /= r.Denominator
	} else if unit == "" {
		return // no definition: nothing to compare with, and Totals already report it
	}
	if math.Abs(*r.Value-want) > tolerance*math.Max(1, math.Abs(want)) {
		c.report(path+".value", fmt.Sprint(*r.Value), fmt.Sprintf("is not numerator over denominator, which is %g", want))
	}
}

func (c *check) heat(path string, h HeatMap) {
	for w := range h.Cells {
		for s, v := range h.Cells[w] {
			if v == nil {
				continue
			}
			if h.Metric == "" {
				c.report(path+".metric", "", "is missing")
				return
			}
			if !finite(*v) {
				c.report(fmt.Sprintf("%s.cells[%d][%d]", path, w, s), fmt.Sprint(*v), "must be a finite number or nothing")
			}
		}
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
