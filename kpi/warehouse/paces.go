package warehouse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// What staffing asks: how long replies take by how many conversations their agent has open, and how contacts
// come in the minutes after an instant. Both are totals of a queue; in an agent's scope they are empty.

// Pace is the replies of a queue's chats that their agents began with so many conversations open.
type Pace struct {
	Queue   ids.Queue
	Open    int // this one included, 1 to MostOpen; the last level has those with more too
	Replies int
	// Work runs from turning to the question, which is when it came or when the agent sent the reply before,
	// to any of the agent's buyers, whichever is later, until the first line of the reply. Lag runs from the question. The mean of
	// each, and the sum of squared distances to it.
	WorkSeconds, WorkSquares float64
	LagSeconds, LagSquares   float64
}

// MostOpen is the highest level of Pace.
const MostOpen = 15

// Longer than longestWork nobody writes, and a reply later than longestLag answers for another shift: such replies say
// nothing about pace.
const (
	longestWork = 10 * time.Minute
	longestLag  = time.Hour
)

// paceRows bounds the rows that Paces looks at: some 30,000 conversations with their messages.
const paceRows = chunkRows

// Paces measures the chats of the newest days of a filter's range, as many days as make some 30,000
// conversations, and tells which days. How many an agent has open is counted within the scope: from the first question
// that the agent answered in a conversation until it ended, or until the agent's last reply before somebody else took over. Errors:
// kpi.list.invalid, warehouse.down and the like.
func (r Reader) Paces(ctx context.Context, f Filter) (list []Pace, looked calendar.Dates, err error) {
	conn, err := r.readable(ctx, f)
	if err != nil || conn == nil {
		return nil, looked, err
	}
	q := paceQuestion{
		merchants: r.scope.merchants(f.Merchants), queues: f.Queues, zone: r.w.zone,
		first: dayIn(f.Range.Start, r.w.zone), last: dayIn(f.Range.End.Add(-1), r.w.zone),
	}
	if q.days, err = q.newest(func(read func(day int32, rows uint64)) error {
		return r.rowsOf(forReading(ctx), conn, q.weights(), func(rows driver.Rows) error {
			var day int32
			var n uint64
			err := rows.Scan(&day, &n)
			read(day, n)
			return err
		})
	}); err != nil || len(q.days) == 0 {
		return nil, looked, err
	}
	looked = calendar.Dates{From: calendar.DateOf(r.w.midnight(q.days[0]), r.w.zone), Until: calendar.DateOf(r.w.midnight(q.days[len(q.days)-1]+1), r.w.zone)}
	err = r.rowsOf(forRollup(ctx), conn, q.toSQL(), func(rows driver.Rows) error {
		var p Pace
		var queue string
		var open uint8
		var n uint64
		if err := rows.Scan(&queue, &open, &n, &p.WorkSeconds, &p.WorkSquares, &p.LagSeconds, &p.LagSquares); err != nil {
			return err
		}
		p.Queue, p.Open, p.Replies = ids.Queue(queue), int(open), int(n)
		list = append(list, p)
		return nil
	})
	return list, looked, err
}

// paceQuestion asks how long replies take.
type paceQuestion struct {
	merchants   conditions
	queues      []ids.Queue // empty = all
	first, last int32       // business days that may be looked at
	days        []int32     // that are, ascending
	zone        *time.Location
}

// weights selects the days of the range with any rows, newest first, and how many rows each has.
func (q paceQuestion) weights() string {
	where := append(q.merchants[:len(q.merchants):len(q.merchants)], between(q.first, q.last))
	return fmt.Sprintf(`SELECT toInt32(day) AS d, count() FROM (
SELECT day FROM conversations WHERE %[1]s UNION ALL SELECT day FROM events WHERE %[1]s) GROUP BY d ORDER BY d DESC`, where)
}

// newest are the newest days that hold paceRows rows together, at least one, ascending.
func (q paceQuestion) newest(weigh func(read func(day int32, rows uint64)) error) (days []int32, err error) {
	sum := uint64(0)
	err = weigh(func(day int32, rows uint64) {
		if len(days) == 0 || sum+rows <= paceRows {
			days = append(days, day)
		}
		sum += rows
	})
	slices.Sort(days)
	return days, err
}

// toSQL adds the replies up. A question is asked of all conversations of the scope, also of other queues, since
// their agents serve them too. Rows are (agent, instant, turn, change of what is open, question): at turn 1 a conversation
// opens, at 2 a reply is sent, at 3 a conversation is over; at one instant things happen in this order.
func (q paceQuestion) toSQL() string {
	first, last := q.days[0], q.days[len(q.days)-1]
	a := assembly{
		where: append(q.merchants[:len(q.merchants):len(q.merchants)], "day IN ("+dateList(q.days)+")"), merchants: q.merchants, first: first, last: last, zone: q.zone,
		exact: append(q.merchants[:len(q.merchants):len(q.merchants)], "day IN ("+dateList(q.days)+")").String(),
	}
	// said are the answered rounds of a conversation: (question, reply, agent).
	said := fmt.Sprintf(`SELECT toString(queue) AS queue, finished, arrayMap(r -> (r.1, r.3, toString(r.4)), arrayFilter(r -> r.3 >= 0 AND r.4 != '', %s)) AS said
FROM (%s) WHERE detailed AND channel = 'chat' AND notEmpty(said)`, humanRounds.name(), withRounds(a.toSQL(), []forming{humanRounds}))
	spans := fmt.Sprintf(`SELECT queue, arrayJoin(arrayConcat(
arrayMap(w -> (w, arrayMin(r -> r.1, arrayFilter(r -> r.3 = w, said)), toUInt8(1), toInt64(1), toInt64(0)), arrayDistinct(said.3)),
arrayMap(w -> (w, if(w = said[-1].3, greatest(finished, said[-1].2), arrayMax(r -> r.2, arrayFilter(r -> r.3 = w, said))), toUInt8(3), toInt64(-1), toInt64(0)), arrayDistinct(said.3)),
arrayMap(r -> (r.3, r.2, toUInt8(2), toInt64(0), r.1), said))) AS x FROM (%s)`, said)
	return fmt.Sprintf(`SELECT queue, toUInt8(least(open, %d)) AS level, count(), avg(work) / 1000, varPopStable(work) * count() / 1e6, avg(lag) / 1000, varPopStable(lag) * count() / 1e6
FROM (%s) WHERE %s GROUP BY queue, level ORDER BY queue, level`, MostOpen, layered("("+spans+")",
		"x.1 AS who, x.2 AS at, x.3 AS turn, x.5 AS asked",
		"max(if(turn = 2, at, 0)) OVER (PARTITION BY who ORDER BY at, turn, asked ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before",
		"if(turn = 2, greatest(asked, before), at) AS moment, at - greatest(asked, before) AS work, at - asked AS lag",
		"sum(x.4) OVER (PARTITION BY who ORDER BY moment, turn, at, asked ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS open"), q.kept())
}

// kept are the replies that are counted.
func (q paceQuestion) kept() conditions {
	where := conditions{"turn = 2", fmt.Sprintf("work <= %d", longestWork.Milliseconds()), fmt.Sprintf("lag <= %d", longestLag.Milliseconds()), "open > 0"}
	if len(q.queues) > 0 {
		where = append(where, in("queue", q.queues))
	}
	return where
}
