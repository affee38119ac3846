package warehouse

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
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

// narrowed is the question about pieces that count the same shops, cut to the merchants that have rows of such
// a shop; found is false when there are none. A conversation's shop is that of one of its rows, and these lie
// at most reach away from the day it started on.
func (q question) narrowed(ctx context.Context, conn clickhouse.Conn, pieces []piece) (narrow question, found bool, err error) {
	q.pieces = pieces
	shops := q.rules.onShops(pieces[0].figure.definition)
	if len(q.query.Shops) > 0 {
		shops = append(shops, in("shop", q.query.Shops))
	}
	if len(shops) == 0 {
		return q, true, nil
	}
	first, last := q.days()
	where := append(conditions{between(first-reach, last+reach)}, q.scope.merchants(q.query.Merchants)...)
	where = append(where, shops...)
	rows, err := conn.Query(forReading(ctx), fmt.Sprintf(`SELECT DISTINCT toString(merchant) AS m FROM (
SELECT merchant FROM conversations WHERE %[1]s UNION ALL SELECT merchant FROM events WHERE %[1]s) ORDER BY m`, where))
	if err != nil {
		return q, false, err
	}
	defer rows.Close()
	q.query.Merchants = nil
	for rows.Next() {
		var merchant string
		if err := rows.Scan(&merchant); err != nil {
			return q, false, err
		}
		q.query.Merchants = append(q.query.Merchants, ids.Merchant(merchant))
	}
	return q, len(q.query.Merchants) > 0, rows.Err()
}

// askRaw asks parts of questions over raw events, several at once, and adds the answers in the order of the
// parts. It ends with the first error.
func askRaw(ctx context.Context, conn clickhouse.Conn, parts []question, totals []total) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan int, len(parts))
	for i := range parts {
		work <- i
	}
	close(work)
	answers := make([][]answer, len(parts))
	var running sync.WaitGroup
	for range refreshers(len(parts)) {
		running.Go(func() {
			for i := range work {
				var err error
				if answers[i], err = parts[i].rawAnswers(ctx, conn); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	running.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	for i, part := range parts {
		part.addTo(totals, answers[i])
	}
	return nil
}

// rawAnswers waits for its turn: parts of all questions together are no more at once than one question's, so that
// several askers do not take each other's memory.
func (q question) rawAnswers(ctx context.Context, conn clickhouse.Conn) ([]answer, error) {
	select {
	case q.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-q.turns }()
	return q.answers(forRollup(ctx), conn, q.ruleSQL(q.rawSQL()))
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

// rawDays bounds the days that one statement over raw events is about; chunkRows bounds the rows. Fewer rows
// than rawRows are not worth a statement of their own: it would be planned longer than it runs.
const (
	rawDays = 366
	rawRows = chunkRows / 8
)

// parts cuts a question at business days, so that each holds a bounded part of the raw events and that there are
// about as many as are asked at once. No buyer's day is cut.
func (q question) parts(ctx context.Context, conn clickhouse.Conn) ([]question, error) {
	weights, err := q.weights(ctx, conn)
	if err != nil {
		return nil, err
	}
	var all uint64
	for _, rows := range weights {
		all += rows
	}
	most := min(chunkRows, max(rawRows, all/uint64(refreshers(math.MaxInt))+1))
	var parts []question
	for start := q.query.Range.Start; start.Before(q.query.Range.End); {
		end := start
		var rows uint64
		for n := 0; n < rawDays && end.Before(q.query.Range.End); n++ {
			if rows += weights[dayIn(end, q.zone)]; n > 0 && rows > most {
				break
			}
			end = calendar.DateOf(end, q.zone).Add(1).In(q.zone)
		}
		if end.After(q.query.Range.End) {
			end = q.query.Range.End
		}
		part := q
		part.query.Range = calendar.Range{Start: start, End: end}
		parts = append(parts, part)
		start = end
	}
	return parts, nil
}

// weights are about how many raw rows the business days of the range have.
func (q question) weights(ctx context.Context, conn clickhouse.Conn) (map[int32]uint64, error) {
	first, last := dayIn(q.query.Range.Start, q.zone), dayIn(q.query.Range.End.Add(-1), q.zone)
	where := append(conditions{between(first, last)}, q.scope.merchants(q.query.Merchants)...)
	rows, err := conn.Query(forReading(ctx), fmt.Sprintf(`SELECT toInt32(day), count() FROM (
SELECT day FROM conversations WHERE %[1]s UNION ALL SELECT day FROM events WHERE %[1]s) GROUP BY day`, where))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	weights := map[int32]uint64{}
	for rows.Next() {
		var day int32
		var n uint64
		if err := rows.Scan(&day, &n); err != nil {
			return nil, err
		}
		weights[day] = n
	}
	return weights, rows.Err()
}

// rawSQL computes what metric_slots or buyer_days would have for the question's pieces, which count the
// same shops and channels.
func (q question) rawSQL() string {
	definitions := q.definitions()
	rules := make([]ruled, len(definitions))
	for i, d := range definitions {
		rules[i] = newRuled(d, q.zone, true)
	}
	first, last := q.days()
	merchants := q.scope.merchants(q.query.Merchants)
	whole := assembly{
		where:     append(merchants[:len(merchants):len(merchants)], between(first, last)),
		exact:     append(merchants[:len(merchants):len(merchants)], fmt.Sprintf("day IN (%s)", dateList(daysFrom(first, last)))).String(),
		merchants: merchants, first: first, last: last, only: q.dated(merchants), zone: q.zone,
	}
	counted := q.rules.admitted(definitions[0])
	if len(q.query.Shops) > 0 {
		counted = append(counted, in("shop", q.query.Shops))
	}
	r := rollup{
		definitions: rules,
		source:      withRounds(whole.toSQL(), formingsOf(definitions)),
		counted:     counted,
	}
	if q.source == fromBuyerDays {
		return r.buyerDays()
	}
	return r.metricSlots()
}

// dated selects the conversations that can have an item in the range: what dates one is the start or an
// opening of a round, which is a row of its day or told by the header of an earlier one.
func (q question) dated(merchants conditions) string {
	start, end := dayIn(q.query.Range.Start, q.zone), dayIn(q.query.Range.End.Add(-1), q.zone)
	return fmt.Sprintf(`SELECT merchant, id FROM conversations WHERE %[1]s AND %[2]s
AND (day >= '%[3]s' OR notEmpty(round_open_ms) AND toUnixTimestamp64Milli(started) + toInt64(arrayMax(round_open_ms)) >= %[4]d)
UNION ALL SELECT merchant, conversation FROM events WHERE %[1]s AND %[5]s`,
		merchants, between(start-reach, end), dateText(start), q.query.Range.Start.UnixMilli(), between(start, end))
}

func daysFrom(first, last int32) []int32 {
	var days []int32
	for day := first; day <= last; day++ {
		days = append(days, day)
	}
	return days
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
