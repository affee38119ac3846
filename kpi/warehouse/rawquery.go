package warehouse

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

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
