package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/kpi"
)

// generations are the current roll-ups of the days of a question.
type generations struct {
	numbers []uint64
	stale   bool // one of them was computed under other definitions or platforms of shops
}

// table is the set of generations, sent along with the question.
func (g generations) table() (*ext.Table, error) {
	table, err := ext.NewTable("current", ext.Column("generation", "UInt64"))
	if err != nil {
		return nil, err
	}
	for _, number := range g.numbers {
		if err := table.Append(number); err != nil {
			return nil, err
		}
	}
	return table, nil
}

// generationsSQL is the statement that finds the current roll-ups of the days in question. It runs
// first: rows of a published generation are there, while a sub-query in the question itself
// could name a generation published after the question fixed which parts it reads.
func (q question) generationsSQL() string {
	kind, merchants := kindConversations, q.scope.merchants(q.query.Merchants)
	if q.source == fromStateSlots {
		kind, merchants = kindStates, nil
	}
	first, last := q.days()
	return fmt.Sprintf("SELECT toInt32(day), max(newest).3, max(newest).4, max(newest).5 FROM rollups WHERE kind = '%s' AND %s AND %s GROUP BY merchant, day",
		kind, between(first, last), merchants)
}

func (q question) current(ctx context.Context, conn clickhouse.Conn) (generations, error) {
	var g generations
	rows, err := conn.Query(forReading(ctx), q.generationsSQL())
	if err != nil {
		return g, err
	}
	defer rows.Close()
	for rows.Next() {
		var day int32
		var number, pack uint64
		var shops []string
		if err := rows.Scan(&day, &number, &pack, &shops); err != nil {
			return g, err
		}
		g.numbers = append(g.numbers, number)
		g.stale = g.stale || pack != q.rules.pack(day, shops)
	}
	return g, rows.Err()
}

// askRules answers about definitions with a rule from their roll-ups, or from raw events what they
// do not have.
func (q question) askRules(ctx context.Context, conn clickhouse.Conn, totals []total) error {
	now, err := q.current(ctx, conn)
	if err != nil {
		return err
	}
	var kept, raw []piece
	for _, p := range q.pieces {
		if now.stale || !inForce(p.figure.definition, q.query.Range, q.zone) {
			raw = append(raw, p)
		} else {
			kept = append(kept, p)
		}
	}
	if len(kept) > 0 {
		table, err := now.table()
		if err != nil {
			return err
		}
		stored := q
		stored.pieces = kept
		name := map[source]string{fromMetricSlots: "metric_slots", fromBuyerDays: "buyer_days"}[q.source]
		ctx := forReading(ctx, clickhouse.WithExternalTable(table))
		if err := stored.add(ctx, conn, stored.ruleSQL(name, "generation IN (SELECT generation FROM current)"), totals); err != nil {
			return err
		}
	}
	for _, pieces := range q.sameShops(raw) {
		for _, part := range q.parts(pieces) {
			if err := part.add(forRollup(ctx), conn, part.ruleSQL(part.rawSQL(), ""), totals); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameShops groups pieces whose definitions count the same shops: they are computed in one statement.
func (q question) sameShops(pieces []piece) [][]piece {
	var groups [][]piece
	index := map[string]int{}
	for _, p := range pieces {
		key := q.rules.onShops(p.figure.definition).String()
		at, ok := index[key]
		if !ok {
			at = len(groups)
			index[key] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], p)
	}
	return groups
}

// inForce reports whether a definition is in force over a whole range.
func inForce(d kpi.Definition, r calendar.Range, zone *time.Location) bool {
	return d.Effective.Contains(calendar.DateOf(r.Start, zone)) && d.Effective.Contains(calendar.DateOf(r.End.Add(-1), zone))
}

// rawDays bounds what one statement over raw events holds.
const rawDays = 31

// parts cuts a question about some pieces at business days, so that each holds a bounded part of the
// raw events. No buyer's day is cut.
func (q question) parts(pieces []piece) []question {
	var parts []question
	for start := q.query.Range.Start; start.Before(q.query.Range.End); {
		end := calendar.DateOf(start, q.zone).Add(rawDays).In(q.zone)
		if end.After(q.query.Range.End) {
			end = q.query.Range.End
		}
		part := q
		part.query.Range = calendar.Range{Start: start, End: end}
		part.pieces = pieces
		parts = append(parts, part)
		start = end
	}
	return parts
}

// rawSQL computes what metric_slots or buyer_days would have for the question's pieces, which count the
// same shops.
func (q question) rawSQL() string {
	definitions := make([]kpi.Definition, len(q.pieces))
	rules := make([]ruled, len(q.pieces))
	for i, p := range q.pieces {
		definitions[i] = p.figure.definition
		rules[i] = newRuled(p.figure.definition, q.zone, true)
	}
	first, last := q.days()
	merchants := q.scope.merchants(q.query.Merchants)
	whole := assembly{
		where:     append(merchants[:len(merchants):len(merchants)], between(first, last)),
		exact:     append(merchants[:len(merchants):len(merchants)], fmt.Sprintf("day IN (%s)", dateList(daysFrom(first, last)))).String(),
		merchants: merchants, first: first, last: last, zone: q.zone,
	}
	shops := q.rules.onShops(definitions[0])
	if len(q.query.Shops) > 0 {
		shops = append(shops, in("shop", q.query.Shops))
	}
	r := rollup{
		definitions: rules,
		source:      withRounds(whole.toSQL(), formingsOf(definitions)),
		shops:       shops,
	}
	if q.source == fromBuyerDays {
		return r.buyerDays()
	}
	return r.metricSlots()
}

func daysFrom(first, last int32) []int32 {
	var days []int32
	for day := first; day <= last; day++ {
		days = append(days, day)
	}
	return days
}

// keys are the definitions of the pieces, as the tables name them.
func (q question) keys(of func(kpi.Definition) bool) []string {
	keys := []string{}
	for _, p := range q.pieces {
		if of(p.figure.definition) {
			keys = append(keys, p.figure.definition.Key())
		}
	}
	return keys
}

func anyDefinition(kpi.Definition) bool { return true }

// ruleSQL renders a question over rows of metrics: a table or a SELECT. Columns: metric, the place
// and step, numerator, denominator, and whether it can still rise.
func (q question) ruleSQL(from, generation string) string {
	where := append(conditions{in("metric", q.keys(anyDefinition))}, q.where()...)
	if generation != "" {
		where = append(where, generation)
	}
	open := "toUInt8(0)"
	if q.source == fromOrders {
		open = "max(open)"
	}
	if q.source == fromBuyerDays {
		where = append(where, fmt.Sprintf("date BETWEEN '%s' AND '%s'",
			calendar.DateOf(q.query.Range.Start, q.zone), calendar.DateOf(q.query.Range.End.Add(-1), q.zone)))
		from = q.buyersSQL(from, where)
		where = nil
	} else {
		where = append(where, q.inRange())
	}
	step := q.step()
	if q.source == fromBuyerDays {
		step = q.dateStep()
	}
	metric := quote(q.pieces[0].figure.definition.Key())
	columns, group := q.groups(step)
	if len(q.pieces) > 1 {
		metric, group = "toString(metric)", append([]string{"metric"}, group...)
	}
	sql := fmt.Sprintf("SELECT %s, %s, toFloat64(sum(numerator)), toFloat64(sum(denominator)), %s\nFROM %s\nWHERE %s",
		metric, strings.Join(columns, ", "), open, parenthesised(from), where)
	if len(group) == 0 {
		return sql + "\nHAVING count() > 0"
	}
	return sql + "\nGROUP BY " + strings.Join(group, ", ")
}

// buyersSQL is one row per buyer, shop, date and group. The column buyer stands for merchant, shop and
// date as well, so that the usual question groups by one number.
func (q question) buyersSQL(from string, where conditions) string {
	var group, columns []string
	key := func(name string, isKey bool) {
		if isKey {
			group, columns = append(group, name), append(columns, name)
		} else {
			columns = append(columns, fmt.Sprintf("any(%[1]s) AS %[1]s", name))
		}
	}
	if len(q.pieces) > 1 {
		key("metric", true)
	}
	key("buyer", true)
	for _, d := range dimensions {
		if grouped(q.query.By, d) {
			key(string(d), d == kpi.ByQueue || d == kpi.ByAgent)
		}
	}
	if q.query.Grain != kpi.Whole {
		key("date", false)
	}
	every := q.keys(func(d kpi.Definition) bool { return d.Rule.WithDefaults().Judge == "every" })
	ok := fmt.Sprintf("if(%s, sum(misses) = 0, min(first) %% 2 = 1)", in("metric", every))
	switch len(every) {
	case 0:
		ok = "min(first) % 2 = 1"
	case len(q.pieces):
		ok = "sum(misses) = 0"
	}
	return fmt.Sprintf("SELECT %s, %s AS numerator, 1 AS denominator\nFROM (SELECT * FROM %s WHERE %s)\nGROUP BY %s",
		strings.Join(columns, ", "), ok, parenthesised(from), where, strings.Join(group, ", "))
}

// dateStep is the expression of the grain of a business date.
func (q question) dateStep() string {
	zone := quote(q.zone.String())
	switch q.query.Grain {
	case kpi.Day:
		return "toUnixTimestamp(toDateTime(date, " + zone + "))"
	case kpi.Month:
		return "toUnixTimestamp(toDateTime(toStartOfMonth(date), " + zone + "))"
	}
	return "0"
}

// add asks and adds the answer to the totals.
func (q question) add(ctx context.Context, conn clickhouse.Conn, sql string, totals []total) error {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	var key string
	var at spot
	var numerator, denominator float64
	var open uint8
	cells := append(append([]any{&key}, at.cells()...), &numerator, &denominator, &open)
	for rows.Next() {
		if err := rows.Scan(cells...); err != nil {
			return err
		}
		i := slices.IndexFunc(q.pieces, func(p piece) bool { return p.figure.definition.Key() == key })
		p := q.pieces[i]
		totals[p.metric].add(at, sums2{numerator / storedUnit(p.figure.definition), denominator, open != 0})
	}
	return rows.Err()
}

// storedUnit divides a stored numerator: a mean is kept in ms, an amount in fen.
func storedUnit(d kpi.Definition) float64 {
	switch d.Rule.Measure {
	case kpi.Mean:
		return 1000
	case kpi.Amount:
		return 100
	}
	return 1
}
