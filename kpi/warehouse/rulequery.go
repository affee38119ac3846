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
		ctx := forReading(ctx, clickhouse.WithExternalTable(table))
		if err := stored.add(ctx, conn, stored.keptSQL(), totals); err != nil {
			return err
		}
	}
	var parts []question
	for _, pieces := range q.sameShops(raw) {
		narrow, found, err := q.narrowed(ctx, conn, pieces)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		more, err := narrow.parts(ctx, conn)
		if err != nil {
			return err
		}
		parts = append(parts, more...)
	}
	return askRaw(ctx, conn, parts, totals)
}

// sameShops groups pieces whose definitions count the same shops and channels: they are computed in one statement.
func (q question) sameShops(pieces []piece) [][]piece {
	var groups [][]piece
	index := map[string]int{}
	for _, p := range pieces {
		key := q.rules.admitted(p.figure.definition).String()
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

func (q question) definitions() []kpi.Definition {
	all := make([]kpi.Definition, len(q.pieces))
	for i, p := range q.pieces {
		all[i] = p.figure.definition
	}
	return all
}

// measured is the condition on what the tables call the definitions of the pieces.
func (q question) measured() string {
	keys := make([]string, len(q.pieces))
	for i, d := range q.definitions() {
		keys[i] = d.Key()
	}
	return in("metric", keys)
}

// betweenDates is the condition that a column of business dates lies in the range.
func (q question) betweenDates(column string) string {
	return fmt.Sprintf("%s BETWEEN '%s' AND '%s'", column, calendar.DateOf(q.query.Range.Start, q.zone), calendar.DateOf(q.query.Range.End.Add(-1), q.zone))
}

const ofCurrent = "generation IN (SELECT generation FROM current)"

// keptSQL asks the roll-ups.
func (q question) keptSQL() string {
	if q.source == fromMetricSlots {
		return q.sumSQL("metric_slots", q.conditions(ofCurrent, q.inRange()), q.step(), noneOpen)
	}
	if split, ok := q.split(); ok {
		return q.sumSQL(q.totalsSQL(split), nil, q.dateStep(), noneOpen)
	}
	return q.sumSQL(q.buyersSQL("buyer_days", q.conditions(ofCurrent, q.betweenDates("date"))), nil, q.dateStep(), noneOpen)
}

// ruleSQL asks a SELECT of what metric_slots or buyer_days would have.
func (q question) ruleSQL(from string) string {
	switch q.source {
	case fromBuyerDays:
		return q.sumSQL(q.buyersSQL(from, q.conditions(q.betweenDates("date"))), nil, q.dateStep(), noneOpen)
	case fromOrders:
		return q.sumSQL(from, q.conditions(q.inRange()), q.step(), "max(open)")
	}
	return q.sumSQL(from, q.conditions(q.inRange()), q.step(), noneOpen)
}

// conditions on rows of metrics: the metric, the scope and the filters, then more.
func (q question) conditions(more ...string) conditions {
	c := append(conditions{q.measured()}, q.where()...)
	return append(c, more...)
}

const noneOpen = "toUInt8(0)"

// sumSQL adds up rows of metrics: of a table or a SELECT. Columns: metric, the place and step, numerator,
// denominator, and whether it can still rise.
func (q question) sumSQL(from string, where conditions, step, open string) string {
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

// add asks and adds the answer to the totals.
func (q question) add(ctx context.Context, conn clickhouse.Conn, sql string, totals []total) error {
	found, err := q.answers(ctx, conn, sql)
	if err != nil {
		return err
	}
	q.addTo(totals, found)
	return nil
}

// answer is what one of a question's pieces has at one place.
type answer struct {
	piece int
	at    spot
	sums  sums2
}

func (q question) answers(ctx context.Context, conn clickhouse.Conn, sql string) ([]answer, error) {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var key string
	var at spot
	var numerator, denominator float64
	var open uint8
	cells := append(append([]any{&key}, at.cells()...), &numerator, &denominator, &open)
	var found []answer
	for rows.Next() {
		if err := rows.Scan(cells...); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(q.pieces, func(p piece) bool { return p.figure.definition.Key() == key })
		found = append(found, answer{i, at, sums2{numerator / storedUnit(q.pieces[i].figure.definition), denominator, open != 0}})
	}
	return found, rows.Err()
}

func (q question) addTo(totals []total, found []answer) {
	for _, a := range found {
		totals[q.pieces[a.piece].metric].add(a.at, a.sums)
	}
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
