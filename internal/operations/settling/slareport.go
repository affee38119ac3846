package settling

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// reportWithin is the limit of answered_within on sheets that show the whole contract when no
// term of the contract names one.
const reportWithin = 30 * time.Second

// rollupsSource names the line of a report's sources that says when its figures were computed.
const rollupsSource = "汇总 roll-ups"

// SLAReport computes the monthly report of one contract from the warehouse: the same query layer
// as the API, so screen, API and workbook cannot disagree. A month with two versions is two parts:
// each counts the shops of its version on the days it is in force, its terms are judged on those,
// and totals, days and agents add the parts up. Days on which no version is in force count nothing
// and stay empty. Who may not see figures by agent gets the agents numbered, not named.
func (s *Settling) SLAReport(ctx context.Context, who access.Principal, id ids.Contract, month calendar.Month) (exports.SLAReport, error) {
	report, err := s.wholeReport(ctx, who, id, month)
	if err != nil {
		return exports.SLAReport{}, err
	}
	return asSeenBy(who, report), nil
}

// wholeReport is the report with the agents' names, for keeping.
func (s *Settling) wholeReport(ctx context.Context, who access.Principal, id ids.Contract, month calendar.Month) (exports.SLAReport, error) {
	view, scope, err := s.gate.Read(who, access.ReadReports)
	if err != nil {
		return exports.SLAReport{}, err
	}
	contract, err := view.Contract(ctx, id)
	if err != nil {
		return exports.SLAReport{}, err
	}
	merchant, err := view.Merchant(ctx, contract.Value.Merchant)
	if err != nil {
		return exports.SLAReport{}, err
	}
	b := reportBuilder{
		Settling: s, figures: s.gate.Measured(access.Scope{Merchants: []ids.Merchant{merchant.Value.ID}}),
		contract: contract.Value, merchant: merchant.Value, month: month, whole: month.Range(s.gate.Zone),
	}
	if !scope.Allows(merchant.Value.ID) {
		return exports.SLAReport{}, fault.New(fault.NotFound, "store.not_found", "there is no contract %q", id)
	}
	return b.build(ctx)
}

// reportBuilder gathers the parts of one report.
type reportBuilder struct {
	*Settling
	figures  warehouse.Reader
	contract contracts.Contract
	merchant contracts.Merchant
	month    calendar.Month
	whole    calendar.Range
	versions []contracts.Version // in force on some day of the month, ascending
	report   exports.SLAReport
}

func (b *reportBuilder) build(ctx context.Context) (exports.SLAReport, error) {
	b.versions = b.inForce()
	if len(b.versions) == 0 {
		return exports.SLAReport{}, fault.New(fault.NotFound, "report.no_version", "no version of contract %s is in force in %s", b.contract.ID, b.month)
	}
	last := b.versions[len(b.versions)-1]
	b.report = exports.SLAReport{
		Contract: b.contract, Version: last, Merchant: b.merchant, Month: b.month, TimeZone: b.gate.Zone.String(),
		GeneratedAt: b.gate.Now().UTC().Truncate(time.Second), Within: firstLimit(last),
	}
	b.report.Provisional = b.report.GeneratedAt.Before(b.whole.End)
	steps := []func(context.Context) error{b.freshness, b.simulated, b.totals, b.daily, b.heat, b.agents}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return exports.SLAReport{}, err
		}
	}
	for _, v := range b.versions {
		if err := b.judge(ctx, v); err != nil {
			return exports.SLAReport{}, err
		}
	}
	b.sources()
	return b.report, b.report.Validate()
}

// inForce are the versions in force on some day of the month, ascending.
func (b *reportBuilder) inForce() []contracts.Version {
	month := calendar.Dates{From: b.month.First(), Until: b.month.Next().First()}
	var in []contracts.Version
	for _, v := range b.contract.Versions {
		if v.Overlaps(month) {
			in = append(in, v)
		}
	}
	slices.SortFunc(in, func(a, b contracts.Version) int { return a.From.Sub(b.From) })
	return in
}

// part is the range of the month in which the version is in force.
func (b *reportBuilder) part(v contracts.Version) calendar.Range {
	r := b.whole
	if from := v.From.In(b.gate.Zone); from.After(r.Start) {
		r.Start = from
	}
	if !v.Until.IsZero() && v.Until.In(b.gate.Zone).Before(r.End) {
		r.End = v.Until.In(b.gate.Zone)
	}
	return r
}

// firstLimit is the first limit that a term of the version names.
func firstLimit(v contracts.Version) time.Duration {
	for _, t := range v.Terms {
		if t.Within != "" {
			if d, err := time.ParseDuration(t.Within); err == nil {
				return d
			}
		}
	}
	return reportWithin
}

// query is the question about the contract, without the range and the shops that ask adds.
func (b *reportBuilder) query(grain kpi.Grain) kpi.Query {
	return kpi.Query{
		Metrics: b.metrics(), Within: b.report.Within, Grain: grain, Merchants: []ids.Merchant{b.merchant.ID},
	}
}

// metrics are what the sheets about the whole contract show: the neutral sums and whatever a term of
// the month measures, as far as it is defined on every day of the contract's part of the month.
func (b *reportBuilder) metrics() []kpi.Metric {
	promised := map[kpi.Metric]bool{}
	for _, v := range b.versions {
		for _, t := range v.Terms {
			promised[kpi.Metric(t.Metric)] = true
		}
	}
	return slices.DeleteFunc(metricsOf(ofContacts(b.gate.Definitions)), func(m kpi.Metric) bool {
		ruled := slices.ContainsFunc(b.gate.Definitions, func(d kpi.Definition) bool { return d.Metric == m && d.Rule != nil })
		if ruled && !promised[m] {
			return true
		}
		return slices.ContainsFunc(b.versions, func(v contracts.Version) bool { return !b.gate.InForceOver(m, b.part(v)) })
	})
}

// place is what a reading of a report is about.
type place struct {
	metric kpi.Metric
	agent  ids.Agent
	start  time.Time
}

// ask puts a question to each version, for its part of the month and its shops, and merges the
// readings of one place.
func (b *reportBuilder) ask(ctx context.Context, q kpi.Query) ([]kpi.Reading, error) {
	var places []place
	parts := map[place][]kpi.Reading{}
	for _, v := range b.versions {
		q.Range, q.Shops = b.part(v), v.Shops
		readings, err := b.figures.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range readings {
			at := place{r.Metric, r.Agent, r.Start}
			if len(parts[at]) == 0 {
				places = append(places, at)
			}
			parts[at] = append(parts[at], r)
		}
	}
	out := make([]kpi.Reading, len(places))
	for i, at := range places {
		merged, err := b.merged(parts[at])
		if err != nil {
			return nil, err
		}
		merged.Agent, merged.Start = at.agent, at.start
		out[i] = merged
	}
	return out, nil
}

// merged adds up the readings of one metric. Where its definition changes inside the month, each part
// was counted under the version in force, and the sum names all of them: "v1+v2".
func (b *reportBuilder) merged(parts []kpi.Reading) (kpi.Reading, error) {
	first, _, _ := strings.Cut(parts[0].Version, gate.VersionJoin)
	d, err := b.gate.Definitions.Version(parts[0].Metric, first)
	if err != nil {
		return kpi.Reading{}, err
	}
	sum := kpi.Merged(d.Unit, parts)
	sum.Version = gate.JoinVersions(parts)
	for _, p := range parts {
		sum.Provisional = sum.Provisional || p.Provisional
	}
	sum.TooFew = d.Unit != kpi.Count && d.Unit != kpi.Yuan && sum.Denominator > 0 && sum.Denominator < float64(d.MinSample)
	return sum, nil
}

func (b *reportBuilder) freshness(ctx context.Context) error {
	fresh, err := b.figures.Freshness(ctx)
	if err != nil {
		return err
	}
	if b.report.DataThrough = fresh.NewestStart; fresh.NewestStart.After(b.whole.End) {
		b.report.DataThrough = b.whole.End
	}
	b.report.Provenance = append(b.report.Provenance, exports.Provenance{
		What: rollupsSource, Text: fmt.Sprintf("computed %s; %d days wait for a later event to be counted", fresh.Computed.UTC().Format(time.RFC3339), fresh.PendingDays),
	})
	return nil
}

// simulated marks the report when any conversation it counts was made up.
func (b *reportBuilder) simulated(ctx context.Context) error {
	for _, v := range b.versions {
		some, err := b.figures.Simulated(ctx, warehouse.Filter{Range: b.part(v), Shops: v.Shops})
		if err != nil {
			return err
		}
		b.report.Simulated = b.report.Simulated || some
	}
	return nil
}

func (b *reportBuilder) totals(ctx context.Context) (err error) {
	b.report.Totals, err = b.ask(ctx, b.query(kpi.Whole))
	return err
}

func (b *reportBuilder) daily(ctx context.Context) error {
	readings, err := b.ask(ctx, b.query(kpi.Day))
	if err != nil {
		return err
	}
	byDay := map[calendar.Date][]kpi.Reading{}
	for _, r := range readings {
		d := calendar.DateOf(r.Start, b.gate.Zone)
		byDay[d] = append(byDay[d], r)
	}
	for d := range b.whole.Dates(b.gate.Zone) {
		b.report.Daily = append(b.report.Daily, exports.DayLine{Date: d, Readings: b.inOrder(byDay[d])})
	}
	return nil
}

// inOrder lines readings up with the totals; what was not measured has no value.
func (b *reportBuilder) inOrder(readings []kpi.Reading) []kpi.Reading {
	out := make([]kpi.Reading, len(b.report.Totals))
	for i, t := range b.report.Totals {
		out[i] = kpi.Reading{Metric: t.Metric, Version: t.Version}
		for _, r := range readings {
			if r.Metric == t.Metric {
				out[i] = r
			}
		}
	}
	return out
}

// heat fills the two maps from the month's slots: shares are merged, never averaged.
func (b *reportBuilder) heat(ctx context.Context) error {
	q := b.query(kpi.Slot)
	q.Metrics = []kpi.Metric{"answered_within", "offered"}
	readings, err := b.ask(ctx, q)
	if err != nil {
		return err
	}
	var parts [2][7][96][]kpi.Reading
	for _, r := range readings {
		at := r.Start.In(b.gate.Zone)
		m := slices.Index(q.Metrics, r.Metric)
		day, slot := (int(at.Weekday())+6)%7, at.Hour()*4+at.Minute()/15
		parts[m][day][slot] = append(parts[m][day][slot], r)
	}
	b.report.Heat.Metric, b.report.Volume.Metric = q.Metrics[0], q.Metrics[1]
	for day := range 7 {
		for slot := range 96 {
			b.report.Heat.Cells[day][slot] = kpi.Merged(kpi.Share, parts[0][day][slot]).Value
			b.report.Volume.Cells[day][slot] = kpi.Merged(kpi.Count, parts[1][day][slot]).Value
		}
	}
	return nil
}

func (b *reportBuilder) agents(ctx context.Context) error {
	q := b.query(kpi.Whole)
	q.By = []kpi.Dimension{kpi.ByAgent}
	readings, err := b.ask(ctx, q)
	if err != nil {
		return err
	}
	everyone := b.gate.Everything() // names only, of agents who served this contract
	people, err := gate.Agents(ctx, everyone)
	if err != nil {
		return err
	}
	names := map[ids.Agent]workforce.Agent{}
	for _, p := range people {
		names[p.ID] = p
	}
	byAgent := map[ids.Agent][]kpi.Reading{}
	for _, r := range readings {
		if r.Agent != "" {
			byAgent[r.Agent] = append(byAgent[r.Agent], r)
		}
	}
	for agent, rs := range byAgent {
		name := cmp.Or(names[agent].Name, string(agent))
		b.report.Agents = append(b.report.Agents, exports.AgentLine{Agent: agent, Name: name, Team: string(names[agent].Team), Readings: b.inOrder(rs)})
	}
	slices.SortFunc(b.report.Agents, func(x, y exports.AgentLine) int { return cmp.Compare(x.Agent, y.Agent) })
	return nil
}

// judge adds one line per term of a version, measured in the part of the month in which it is in
// force and judged.
func (b *reportBuilder) judge(ctx context.Context, v contracts.Version) error {
	part := b.part(v)
	noKPI := false
	if !v.NoKPIUntil.IsZero() {
		judged := v.NoKPIUntil.In(b.gate.Zone) // the days before it never count, in no month
		noKPI = !judged.Before(part.End)
		if !noKPI && judged.After(part.Start) {
			part.Start = judged
		}
	}
	for _, term := range v.Terms {
		q, err := termQuery(term, v, b.merchant, part)
		if err != nil {
			return err
		}
		reading := kpi.Reading{Metric: kpi.Metric(term.Metric)}
		readings, err := b.figures.Query(ctx, q)
		if err != nil {
			return err
		}
		if len(readings) == 1 {
			reading = readings[0]
		}
		verdict, reason := exports.Judge(term, reading, noKPI)
		if part != b.whole {
			reason += fmt.Sprintf(" (合同版本 version %d, %s – %s)", v.Number, calendar.DateOf(part.Start, b.gate.Zone), calendar.DateOf(part.End.Add(-time.Second), b.gate.Zone))
		}
		b.report.Lines = append(b.report.Lines, exports.TermLine{Term: term, Reading: reading, Verdict: verdict, Reason: reason})
	}
	return nil
}

// termQuery is the question one contract term asks: a term is a parameter of the query, never
// baked into stored measurements.
func termQuery(t contracts.Term, v contracts.Version, m contracts.Merchant, r calendar.Range) (kpi.Query, error) {
	q := kpi.Query{
		Metrics: []kpi.Metric{kpi.Metric(t.Metric)}, Version: t.Version, Grain: kpi.Whole, Range: r,
		Merchants: []ids.Merchant{m.ID}, Shops: v.Shops, Window: t.Window,
	}
	if t.Within != "" {
		within, err := time.ParseDuration(t.Within)
		if err != nil {
			return q, fault.New(fault.Invalid, "contract.within", "term %s: %q is not a duration such as 30s", t.ID, t.Within)
		}
		q.Within = within
	}
	if t.Skill == "" {
		return q, nil
	}
	for _, shop := range m.Shops {
		for _, queue := range shop.Queues {
			if queue.Skill == t.Skill && slices.Contains(v.Shops, shop.ID) {
				q.Queues = append(q.Queues, queue.ID)
			}
		}
	}
	return q, nil
}

// sources says where every figure comes from.
func (b *reportBuilder) sources() {
	add := func(what, format string, args ...any) {
		b.report.Provenance = append(b.report.Provenance, exports.Provenance{What: what, Text: fmt.Sprintf(format, args...)})
	}
	for _, v := range b.versions {
		part := b.part(v)
		add("合同版本 contract version", "%s version %d, in force from %s; counted here: %s to %s (half-open), shops %v", b.contract.ID, v.Number, v.From,
			part.Start.Format(time.RFC3339), part.End.Format(time.RFC3339), v.Shops)
	}
	add("时间范围 range", "%s to %s (half-open), %s", b.whole.Start.Format(time.RFC3339), b.whole.End.Format(time.RFC3339), b.gate.Zone)
	if b.report.Provisional {
		add("暂定 provisional", "made on %s, before the month was over: verdicts may still change", b.report.GeneratedAt.In(b.gate.Zone).Format(time.DateOnly))
	}
	add("口径 definitions", "kpi metric definitions as listed on the definitions sheet; figures are sums of 15-minute states")
	add("复算 recompute", "chaoban report sla --contract %s --month %s --out FILE.xlsx", b.contract.ID, b.month)
	shown := slices.Clone(b.report.Totals)
	for _, l := range b.report.Lines {
		shown = append(shown, l.Reading)
	}
	b.report.Definitions = b.gate.DefinitionsOf(shown)
}

// ofContacts leaves out metrics of agents' time, which merchants share: no contract can claim it.
func ofContacts(all kpi.Definitions) kpi.Definitions {
	return slices.DeleteFunc(slices.Clone(all), func(d kpi.Definition) bool { return d.Base == kpi.BaseStateTime })
}

// metricsOf lists every defined metric once, in the order of the pack.
func metricsOf(all kpi.Definitions) []kpi.Metric {
	var out []kpi.Metric
	for _, d := range all {
		if !slices.Contains(out, d.Metric) {
			out = append(out, d.Metric)
		}
	}
	return out
}
