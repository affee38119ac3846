package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Opening is the chats of a queue that began in each minute after an instant.
type Opening struct {
	Queue  ids.Queue
	At     time.Time
	Counts []float64 // by minute, from At on
}

// maxOpenings and maxOpeningMinutes bound one question.
const (
	maxOpenings       = 200
	maxOpeningMinutes = 240
)

// Openings counts the chats that began in the minutes after some instants, by queue, as the neutral metrics count what
// is offered. A queue without any after an instant has no row for it. Errors: kpi.list.invalid (too many instants or minutes), warehouse.down and the like.
func (r Reader) Openings(ctx context.Context, at []time.Time, minutes int) ([]Opening, error) {
	if len(at) > maxOpenings || minutes < 1 || minutes > maxOpeningMinutes {
		return nil, fault.Bad("kpi.list.invalid", "list", []fault.Field{{
			Path: "at", Value: fmt.Sprint(len(at), " instants, ", minutes, " minutes"), Problem: fmt.Sprintf("must be at most %d instants, and 1 to %d minutes", maxOpenings, maxOpeningMinutes),
		}})
	}
	if r.scope.Agent != "" || r.scope.empty() || len(at) == 0 {
		return nil, nil
	}
	conn, err := r.w.connection(ctx)
	if err != nil {
		return nil, err
	}
	var list []Opening
	at = slices.Clone(at)
	slices.SortFunc(at, func(a, b time.Time) int { return a.Compare(b) })
	at = slices.CompactFunc(at, time.Time.Equal) // one that is named twice counts once
	q := openingQuestion{merchants: r.scope.merchants(nil), at: at, minutes: minutes, zone: r.w.zone}
	err = r.rowsOf(forRollup(ctx), conn, q.toSQL(), func(rows driver.Rows) error {
		var queue string
		var opening, minute int64
		var n uint64
		if err := rows.Scan(&queue, &opening, &minute, &n); err != nil {
			return err
		}
		instant := time.UnixMilli(opening).UTC()
		if last := len(list) - 1; last < 0 || list[last].Queue != ids.Queue(queue) || !list[last].At.Equal(instant) {
			list = append(list, Opening{Queue: ids.Queue(queue), At: instant, Counts: make([]float64, minutes)})
		}
		list[len(list)-1].Counts[minute] += float64(n)
		return nil
	})
	return list, err
}

// openingQuestion asks what came after instants.
type openingQuestion struct {
	merchants conditions
	at        []time.Time
	minutes   int
	zone      *time.Location
}

// toSQL counts by queue, instant and minute. Windows of instants may overlap; then a chat counts for each.
func (q openingQuestion) toSQL() string {
	length := time.Duration(q.minutes) * time.Minute
	var days []int32
	var inWindow, starts []string
	for _, at := range q.at {
		days = append(days, dayIn(at, q.zone), dayIn(at.Add(length-1), q.zone))
		inWindow = append(inWindow, fmt.Sprintf("%%[1]s >= %d AND %%[1]s < %d", at.UnixMilli(), at.Add(length).UnixMilli()))
		starts = append(starts, fmt.Sprintf("toInt64(%d)", at.UnixMilli()))
	}
	slices.Sort(days)
	days = slices.Compact(days)
	windows := func(ms string) string { return "(" + fmt.Sprintf(strings.Join(inWindow, " OR "), ms) + ")" }
	where := append(q.merchants[:len(q.merchants):len(q.merchants)], "day IN ("+dateList(days)+")")
	a := assembly{
		where: where, exact: where.String(), merchants: q.merchants, first: days[0], last: days[len(days)-1], zone: q.zone,
		only: fmt.Sprintf("SELECT merchant, id FROM conversations WHERE %[1]s AND %[2]s UNION ALL SELECT merchant, conversation FROM events WHERE %[1]s AND %[3]s",
			where, windows("toUnixTimestamp64Milli(started)"), windows("toUnixTimestamp64Milli(at)")),
	}
	return fmt.Sprintf(`SELECT toString(queue) AS q, opening, intDiv(started - opening, 60000) AS minute, count() FROM (
SELECT queue, started, arrayJoin(arrayFilter(o -> started >= o AND started < o + %[1]d, [%[2]s])) AS opening FROM (%[3]s) WHERE asked AND channel = 'chat')
GROUP BY q, opening, minute ORDER BY q, opening, minute`, length.Milliseconds(), strings.Join(starts, ", "), a.toSQL())
}
