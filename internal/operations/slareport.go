package operations

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// reportWithin is the limit of answered_within on sheets that show the whole contract when no
// term of the contract names one.
const reportWithin = 30 * time.Second

// SLAReport computes the monthly report of one contract from the warehouse: the same query layer
// as the API, so screen, API and workbook cannot disagree. Terms are judged by the version in
// force; a month with two versions is judged in two parts.
func (s *Settling) SLAReport(ctx context.Context, who access.Principal, id ids.Contract, month calendar.Month) (exports.SLAReport, error) {
	view, scope, err := s.read(who, access.ReadReports)
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
		Settling: s, figures: s.deps.Warehouse.In(warehouseScope(access.Scope{Merchants: []ids.Merchant{merchant.Value.ID}})),
		contract: contract.Value, merchant: merchant.Value, month: month, whole: month.Range(s.deps.Zone),
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
	report   exports.SLAReport
}

func (b *reportBuilder) build(ctx context.Context) (exports.SLAReport, error) {
	versions := b.versions()
	if len(versions) == 0 {
		return exports.SLAReport{}, fault.New(fault.NotFound, "report.no_version", "no version of contract %s is in force in %s", b.contract.ID, b.month)
	}
	last := versions[len(versions)-1]
	b.report = exports.SLAReport{
		Contract: b.contract, Version: last, Merchant: b.merchant, Month: b.month, TimeZone: b.deps.Zone.String(),
		GeneratedAt: b.deps.Now().UTC().Truncate(time.Second), Within: widestLimit(last),
	}
	steps := []func(context.Context) error{b.freshness, b.totals, b.daily, b.heat, b.agents}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return exports.SLAReport{}, err
		}
	}
	for _, v := range versions {
		if err := b.judge(ctx, v); err != nil {
			return exports.SLAReport{}, err
		}
	}
	b.sources(versions)
	return b.report, b.report.Validate()
}

// versions in force on some day of the month, ascending.
func (b *reportBuilder) versions() []contracts.Version {
	month := calendar.Dates{From: b.month.First(), Until: b.month.Next().First()}
	var in []contracts.Version
	for _, v := range b.contract.Versions {
		if v.Dates.Overlaps(month) {
			in = append(in, v)
		}
	}
	slices.SortFunc(in, func(a, b contracts.Version) int { return a.From.Sub(b.From) })
	return in
}

// part is the range of the month in which the version is in force.
func (b *reportBuilder) part(v contracts.Version) calendar.Range {
	r := b.whole
	if from := v.From.In(b.deps.Zone); from.After(r.Start) {
		r.Start = from
	}
	if !v.Until.IsZero() && v.Until.In(b.deps.Zone).Before(r.End) {
		r.End = v.Until.In(b.deps.Zone)
	}
	return r
}

func widestLimit(v contracts.Version) time.Duration {
	for _, t := range v.Terms {
		if t.Within != "" {
			if d, err := time.ParseDuration(t.Within); err == nil {
				return d
			}
		}
	}
	return reportWithin
}

// query is the question for a range of the contract's shops, before it is narrowed.
func (b *reportBuilder) query(r calendar.Range, grain kpi.Grain) kpi.Query {
	return kpi.Query{
		Metrics: metricsOf(ofContacts(b.deps.Definitions)), Within: b.report.Within, Grain: grain, Range: r,
		Merchants: []ids.Merchant{b.merchant.ID}, Shops: b.report.Version.Shops,
	}
}

func (b *reportBuilder) freshness(ctx context.Context) error {
	fresh, err := b.figures.Freshness(ctx)
	if err != nil {
		return err
	}
	first, _, err := b.figures.Conversations(ctx, warehouse.Filter{Range: b.whole, Shops: b.report.Version.Shops}, "", 1)
	if err != nil {
		return err
	}
	b.report.Simulated = len(first) > 0 && first[0].Simulated
	if b.report.DataThrough = fresh.NewestStart; fresh.NewestStart.After(b.whole.End) {
		b.report.DataThrough = b.whole.End
	}
	b.report.Provenance = append(b.report.Provenance, exports.Provenance{
		What: "汇总 roll-ups", Text: fmt.Sprintf("computed %s; %d days wait for a later event to be counted", fresh.Computed.UTC().Format(time.RFC3339), fresh.PendingDays),
	})
	return nil
}

func (b *reportBuilder) totals(ctx context.Context) (err error) {
	b.report.Totals, err = b.figures.Query(ctx, b.query(b.whole, kpi.Whole))
	return err
}

func (b *reportBuilder) daily(ctx context.Context) error {
	readings, err := b.figures.Query(ctx, b.query(b.whole, kpi.Day))
	if err != nil {
		return err
	}
	byDay := map[calendar.Date][]kpi.Reading{}
	for _, r := range readings {
		d := calendar.DateOf(r.Start, b.deps.Zone)
		byDay[d] = append(byDay[d], r)
	}
	for d := range b.whole.Dates(b.deps.Zone) {
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
	q := b.query(b.whole, kpi.Slot)
	q.Metrics = []kpi.Metric{"answered_within", "offered"}
	readings, err := b.figures.Query(ctx, q)
	if err != nil {
		return err
	}
	var parts [2][7][96][]kpi.Reading
	for _, r := range readings {
		at := r.Start.In(b.deps.Zone)
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
	q := b.query(b.whole, kpi.Whole)
	q.By = []kpi.Dimension{kpi.ByAgent}
	readings, err := b.figures.Query(ctx, q)
	if err != nil {
		return err
	}
	everyone := b.deps.Store.In(access.Scope{Everything: true}) // names only, of agents who served this contract
	people, err := store.All(func(p store.Page) ([]store.Stored[workforce.Agent], string, error) {
		return everyone.Agents(ctx, store.AgentFilter{}, p)
	})
	if err != nil {
		return err
	}
	names := map[ids.Agent]workforce.Agent{}
	for _, p := range people {
		names[p.Value.ID] = p.Value
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
		judged := v.NoKPIUntil.In(b.deps.Zone) // the days before it never count, in no month
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
			reason += fmt.Sprintf(" (合同版本 version %d, %s – %s)", v.Number, calendar.DateOf(part.Start, b.deps.Zone), calendar.DateOf(part.End.Add(-time.Second), b.deps.Zone))
		}
		b.report.Lines = append(b.report.Lines, exports.TermLine{Term: term, Reading: reading, Verdict: verdict, Reason: reason})
	}
	return nil
}

// termQuery is the question one contract term asks: a term is a parameter of the query, never
// baked into stored measurements.
func termQuery(t contracts.Term, v contracts.Version, m contracts.Merchant, r calendar.Range) (kpi.Query, error) {
	q := kpi.Query{
		Metrics: []kpi.Metric{kpi.Metric(t.Metric)}, Grain: kpi.Whole, Range: r,
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
func (b *reportBuilder) sources(versions []contracts.Version) {
	add := func(what, format string, args ...any) {
		b.report.Provenance = append(b.report.Provenance, exports.Provenance{What: what, Text: fmt.Sprintf(format, args...)})
	}
	for _, v := range versions {
		add("合同版本 contract version", "%s version %d, in force from %s", b.contract.ID, v.Number, v.From)
	}
	add("时间范围 range", "%s to %s (half-open), %s", b.whole.Start.Format(time.RFC3339), b.whole.End.Format(time.RFC3339), b.deps.Zone)
	add("口径 definitions", "kpi metric definitions as listed on the definitions sheet; figures are sums of 15-minute states")
	add("复算 recompute", "chaoban report sla --contract %s --month %s --out FILE.xlsx", b.contract.ID, b.month)
	seen := map[string]bool{}
	for _, t := range b.report.Totals {
		if d, err := b.deps.Definitions.Version(t.Metric, t.Version); err == nil && !seen[string(d.Metric)] {
			seen[string(d.Metric)] = true
			b.report.Definitions = append(b.report.Definitions, d)
		}
	}
}

// ofContacts leaves out metrics of agents' time, which merchants share: no contract can claim it.
func ofContacts(all kpi.Definitions) kpi.Definitions {
	return slices.DeleteFunc(slices.Clone(all), func(d kpi.Definition) bool { return d.Base == "state-time" })
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

// merchantMetrics are the metrics that can be said of a merchant: agents' time is shared by
// merchants and belongs to none of them.
func merchantMetrics(all kpi.Definitions) []kpi.Metric {
	return metricsOf(slices.DeleteFunc(slices.Clone(all), func(d kpi.Definition) bool { return d.Base == kpi.BaseStateTime }))
}
