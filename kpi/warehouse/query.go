package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/tally"
)

// Query answers with one reading per metric, group and step that has data; with grain Whole and
// no group there is always one reading per metric. Readings are ordered by metric as asked, then
// by merchant, shop, queue, agent and step.
//
// Without a pinned version each part of the range is computed under the version in force there; a
// reading that has parts under several names them all, "v1+v2". A pinned version may be asked for
// any period. Outside the dates it is in force on, and on days that no Refresh has computed under the
// present definitions and platforms of shops yet, figures of definitions with a rule are computed from raw events:
// the same figures, only slower.
//
// Metrics of state time (occupancy) know no merchant, shop or queue, since an agent's time is
// shared: asking for them by those, or in a scope of some merchants, is an error. Metrics of buyer-days
// are asked by day, month or whole, for whole days.
// Errors: kpi.query.invalid, kpi.query.grain, kpi.query.state_time, kpi.metric.*, kpi.definition.*,
// warehouse.down and the like.
func (r Reader) Query(ctx context.Context, q kpi.Query) ([]kpi.Reading, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	if err := checkFilter(len(q.Merchants), len(q.Shops), len(q.Queues), len(q.Agents)); err != nil {
		return nil, err
	}
	metrics, err := r.w.definitions.Lookup(q, r.w.zone)
	if err != nil {
		return nil, err
	}
	questions, err := r.questions(q, metrics)
	if err != nil || r.scope.empty() {
		return nil, err
	}
	conn, err := r.w.connection(ctx)
	if err != nil {
		return nil, err
	}
	totals := make([]total, len(metrics))
	for i, segments := range metrics {
		totals[i] = total{query: q, segments: segments, zone: r.w.zone, sums: map[spot]sums2{}}
	}
	for _, part := range questions {
		if err := part.ask(ctx, conn, totals); err != nil {
			return nil, r.w.classify(ctx, err)
		}
	}
	var readings []kpi.Reading
	for _, t := range totals {
		readings = append(readings, t.readings()...)
	}
	return readings, nil
}

// source is where figures come from.
type source int

const (
	fromSlots source = iota
	fromStateSlots
	fromMetricSlots
	fromBuyerDays
	fromOrders
	fromTickets
)

// piece is one version of a metric, over a part of the query's range.
type piece struct {
	metric int // which of the query's
	figure figure
}

// sourceOf a figure. Errors: kpi.definition.base.
func (f figure) source() (source, error) {
	d := f.definition
	switch {
	case d.Rule == nil && f.numerator.time:
		return fromStateSlots, nil
	case d.Rule == nil:
		return fromSlots, nil
	case d.Base == kpi.BaseRound, d.Base == kpi.BaseSession:
		return fromMetricSlots, nil
	case d.Base == kpi.BaseBuyerDay:
		return fromBuyerDays, nil
	case d.Base == kpi.BaseInquiry:
		return fromOrders, nil
	case d.Base == kpi.BaseTicket:
		return fromTickets, nil
	}
	return 0, fault.New(fault.Invalid, "kpi.definition.base", "metric %q has a rule on the base %q, which the warehouse cannot count", d.Metric, d.Base)
}

// questions sorts the pieces by where they come from and what part of the range they are about:
// each question is one statement. They come in the order of the metrics.
func (r Reader) questions(q kpi.Query, metrics [][]kpi.Segment) ([]question, error) {
	type key struct {
		source source
		span   calendar.Range
	}
	var questions []question
	index := map[key]int{}
	for i, segments := range metrics {
		for _, s := range segments {
			piece := piece{metric: i, figure: figure{definition: s.Definition}}
			var err error
			if s.Definition.Rule == nil {
				piece.figure, err = figureOf(q, s.Definition)
			}
			part := q
			part.Range = s.Range
			if err == nil {
				err = tally.Answerable(s.Definition, part, r.w.zone)
			}
			if err != nil {
				return nil, err
			}
			from, err := piece.figure.source()
			if err != nil {
				return nil, err
			}
			k := key{from, s.Range}
			at, ok := index[k]
			if !ok {
				at = len(questions)
				index[k] = at
				questions = append(questions, question{query: part, scope: r.scope, zone: r.w.zone, rules: r.w.rules.Load(), source: from, turns: r.w.turns})
			}
			questions[at].pieces = append(questions[at].pieces, piece)
		}
	}
	for _, question := range questions {
		if err := question.check(); err != nil {
			return nil, err
		}
	}
	return questions, nil
}

// question is a part of a query that one source answers, ready to be rendered.
type question struct {
	query  kpi.Query // its Range is the part's
	scope  Scope
	zone   *time.Location
	rules  *ruleset
	source source
	pieces []piece
	turns  chan struct{} // Warehouse.turns
}

// check refuses questions that state time cannot answer.
func (q question) check() error {
	if q.source != fromStateSlots {
		return nil
	}
	split := grouped(q.query.By, kpi.ByMerchant) || grouped(q.query.By, kpi.ByShop) || grouped(q.query.By, kpi.ByQueue)
	filtered := len(q.query.Merchants)+len(q.query.Shops)+len(q.query.Queues) > 0
	narrow := !q.scope.Everything && q.scope.Agent == ""
	if split || filtered || narrow {
		return fault.New(fault.Invalid, "kpi.query.state_time",
			"%s measures agents' time, which merchants, shops and queues share; ask for it by agent only", q.pieces[0].figure.definition.Metric)
	}
	return nil
}

// ask adds the answer to the totals of the pieces' metrics.
func (q question) ask(ctx context.Context, conn clickhouse.Conn, totals []total) error {
	switch q.source {
	case fromSlots, fromStateSlots:
		return q.askSums(ctx, conn, totals)
	case fromOrders, fromTickets:
		return q.askDeferred(ctx, conn, totals)
	}
	return q.askRules(ctx, conn, totals)
}

// firstStateDay is how many days before the range an interval may start that reaches into it.
const firstStateDay = 50

// days are the first and the last business day of roll-ups that have rows for the question. What dates an
// item may lie on another day than the start of its conversation, whose roll-up it is in.
func (q question) days() (first, last int32) {
	first, last = dayIn(q.query.Range.Start, q.zone), dayIn(q.query.Range.End.Add(-1), q.zone)
	switch q.source {
	case fromStateSlots:
		first -= firstStateDay
	case fromMetricSlots, fromBuyerDays:
		first, last = first-reach, last+reach
	}
	return first, last
}

// dayIn is the business day of an instant as days since 1970-01-01.
func dayIn(t time.Time, zone *time.Location) int32 {
	_, offset := t.In(zone).Zone()
	return int32(floorDiv(t.Unix()+int64(offset), 86400))
}

// dimensions in the order that Query scans them.
var dimensions = []kpi.Dimension{kpi.ByMerchant, kpi.ByShop, kpi.ByQueue, kpi.ByAgent}

func grouped(by []kpi.Dimension, d kpi.Dimension) bool { return slices.Contains(by, d) }

// groups renders the columns of the place (” when not grouped by), the grain step as seconds since
// 1970 or slot of the day, and what to group by.
func (q question) groups(step string) (columns, group []string) {
	for _, d := range dimensions {
		if grouped(q.query.By, d) {
			columns = append(columns, "toString("+string(d)+")")
			group = append(group, string(d))
		} else {
			columns = append(columns, "''")
		}
	}
	columns = append(columns, "toInt64("+step+") AS step")
	if q.query.Grain != kpi.Whole {
		group = append(group, "step")
	}
	return columns, group
}

// toSQL renders a question over slots or state_slots. Columns: the place and step, then numerator
// and denominator sums of every figure.
func (q question) toSQL() string {
	table := "slots"
	if q.source == fromStateSlots {
		table = "state_slots"
	}
	columns, group := q.groups(q.step())
	for _, p := range q.pieces {
		columns = append(columns, "toFloat64(sum("+p.figure.numerator.column+"))")
		if p.figure.denominator.column == "" {
			columns = append(columns, "toFloat64(1)")
		} else {
			columns = append(columns, "toFloat64(sum("+p.figure.denominator.column+"))")
		}
	}
	first, last := q.days()
	where := append(conditions{between(first, last)}, q.inRange())
	where = append(where, "generation IN (SELECT generation FROM current)")
	where = append(where, q.where()...)
	sql := "SELECT " + strings.Join(columns, ", ") + "\nFROM " + table + "\nWHERE " + where.String()
	if len(group) > 0 {
		sql += "\nGROUP BY " + strings.Join(group, ", ")
	}
	return sql
}

func (q question) inRange() string {
	return fmt.Sprintf("slot >= toDateTime(%d, 'UTC') AND slot < toDateTime(%d, 'UTC')", q.query.Range.Start.Unix(), q.query.Range.End.Unix())
}

// where is the scope and the filters; scope and filter of merchants first, the key of every table.
func (q question) where() conditions {
	var c conditions
	if q.source != fromStateSlots {
		c = append(c, q.scope.merchants(q.query.Merchants)...)
		if len(q.query.Shops) > 0 {
			c = append(c, in("shop", q.query.Shops))
		}
		if len(q.query.Queues) > 0 {
			c = append(c, in("queue", q.query.Queues))
		}
	}
	c = append(c, q.scope.agents(q.query.Agents)...)
	if window, _ := kpi.ParseWindow(q.query.Window); window != (kpi.Window{}) { // validated before
		c = append(c, inWindow(window, "slot", q.zone))
	}
	return c
}

// step is the expression of the grain; calendar grains follow the business time zone.
func (q question) step() string {
	zone := quote(q.zone.String())
	switch q.query.Grain {
	case kpi.Slot:
		return "toUnixTimestamp(slot)"
	case kpi.Hour:
		return "toUnixTimestamp(toStartOfHour(slot, " + zone + "))"
	case kpi.Day:
		return "toUnixTimestamp(toStartOfDay(slot, " + zone + "))"
	case kpi.Month:
		return "toUnixTimestamp(toDateTime(toStartOfMonth(slot, " + zone + "), " + zone + "))"
	case kpi.SlotOfDay:
		return fmt.Sprintf("toHour(slot, %[1]s) * 4 + intDiv(toMinute(slot, %[1]s), 15)", zone)
	}
	return "0"
}

func (q question) askSums(ctx context.Context, conn clickhouse.Conn, totals []total) error {
	now, err := q.current(ctx, conn)
	if err != nil {
		return err
	}
	table, err := now.table()
	if err != nil {
		return err
	}
	rows, err := conn.Query(forReading(ctx, clickhouse.WithExternalTable(table)), q.toSQL())
	if err != nil {
		return err
	}
	defer rows.Close()
	sums := make([]float64, 2*len(q.pieces))
	var at spot
	cells := at.cells()
	for i := range sums {
		cells = append(cells, &sums[i])
	}
	for rows.Next() {
		if err := rows.Scan(cells...); err != nil {
			return err
		}
		for i, p := range q.pieces {
			denominator := sums[2*i+1]
			if p.figure.denominator.column != "" {
				denominator /= p.figure.denominator.unit
			}
			totals[p.metric].add(at, sums2{sums[2*i] / p.figure.numerator.unit, denominator, false})
		}
	}
	return rows.Err()
}
