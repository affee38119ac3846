package casefile

import (
	"slices"
	"strings"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
)

// units of measures, when a rule does not say.
var units = map[kpi.Measure]kpi.Unit{
	kpi.Within: kpi.Share, kpi.Converted: kpi.Share, kpi.Mean: kpi.Seconds, kpi.Items: kpi.Count, kpi.Amount: kpi.Yuan,
}

// texts are the options of a rule that choose by a word.
func texts(r *kpi.Rule) map[string]*string {
	return map[string]*string{
		"judge": &r.Judge, "start": &r.Start, "stop": &r.Stop, "window": &r.Window, "cut": &r.Cut, "closing": &r.Closing,
		"zero_second": &r.ZeroSecond, "cross_day": &r.CrossDay, "transferred": &r.Transferred, "unanswered": &r.Unanswered,
		"order": &r.Order, "hours": &r.Hours,
	}
}

var ruleOptions = []string{
	"base", "unit", "min_sample", "platforms", "channels", "effective", "exempt", "measure", "limit_s", "cap_s", "close_days", "net",
	"judge", "start", "stop", "window", "cut", "closing", "zero_second", "cross_day", "transferred", "unanswered", "order", "hours",
}

// rule reads "metric@version base=round measure=within limit_s=180 ...". Blanks in hours are
// written as underscores: hours=Mon-Fri_09:00-17:00.
func (p *parser) rule(rest string) {
	words := strings.Fields(rest)
	if len(words) == 0 {
		p.problem("", "a rule needs a name like metric@version")
		return
	}
	metric, version, ok := strings.Cut(words[0], "@")
	if !ok || metric == "" || version == "" {
		p.problem(words[0], "must be a name like metric@version")
		return
	}
	o := p.options(words[1:], ruleOptions...)
	r := kpi.Rule{Measure: kpi.Measure(o["measure"]), Net: o["net"] == "true"}
	for name, field := range texts(&r) {
		*field = o[name]
	}
	r.Hours = strings.ReplaceAll(r.Hours, "_", " ")
	d := kpi.Definition{
		Metric: kpi.Metric(metric), Version: version, Base: o["base"], Rule: &r, Unit: units[r.Measure],
		Effective: calendar.Dates{From: epochDate}, Name: metric, Text: rest, Source: p.file,
	}
	numbers := []struct {
		name  string
		field *int
	}{{"limit_s", &r.Limit}, {"cap_s", &r.Cap}, {"close_days", &r.CloseDays}, {"min_sample", &d.MinSample}}
	for _, n := range numbers {
		if value, said := o[n.name]; said {
			*n.field = p.number(value)
		}
	}
	if unit, said := o["unit"]; said {
		d.Unit = kpi.Unit(unit)
	}
	if platforms, said := o["platforms"]; said {
		d.Platforms = strings.Split(platforms, ",")
	}
	if channels, said := o["channels"]; said {
		d.Channels = strings.Split(channels, ",")
	}
	if period, said := o["effective"]; said {
		d.Effective = p.period(period)
	}
	if period, said := o["exempt"]; said {
		d.Exempt = []kpi.Exemption{{Dates: p.period(period), Reason: "exempt", Source: p.file}}
	}
	p.addRule(d)
}

func (p *parser) addRule(d kpi.Definition) {
	for _, f := range append(d.Rule.Problems(d.Base), d.ChannelProblems()...) {
		p.bad = append(p.bad, fault.Field{File: p.file, Row: p.line, Path: f.Path, Value: f.Value, Problem: f.Problem})
	}
	if slices.ContainsFunc(p.rules, func(o kpi.Definition) bool { return o.Key() == d.Key() }) {
		p.problem(d.Key(), "is a rule of this file already")
	}
	p.rules = append(p.rules, d)
}

// period reads "2021-12-01..2022-01-01"; either side may be left out.
func (p *parser) period(s string) calendar.Dates {
	from, until, ok := strings.Cut(s, "..")
	if !ok {
		p.problem(s, "must be a period like 2021-12-01..2022-01-01")
		return calendar.Dates{From: epochDate}
	}
	dates := calendar.Dates{From: epochDate}
	if from != "" {
		dates.From = p.date(from)
	}
	if until != "" {
		dates.Until = p.date(until)
		if !dates.From.Before(dates.Until) {
			p.problem(s, "must end after it starts")
		}
	}
	return dates
}
