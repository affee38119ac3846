package warehouse

import (
	"context"
	"fmt"
	"slices"

	"github.com/chaoban/chaoban/kpi/chatlog"
)

// lossStep is how many conversations one statement asks about.
const lossStep = 1000

// LosingRounds are the conversations without rounds of which rounds are stored in the header: to ingest
// them takes those rounds away, and with them what means of all rounds count. It looks at the days around their
// starts. Errors: warehouse.down and the like.
func (w *Warehouse) LosingRounds(ctx context.Context, list []chatlog.Conversation) (lost []chatlog.Conversation, err error) {
	list = slices.DeleteFunc(slices.Clone(list), func(c chatlog.Conversation) bool { return len(c.Rounds) > 0 })
	conn, err := w.connection(ctx)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(list, lossStep) {
		first, last := w.day(some[0].StartedAt), w.day(some[0].StartedAt)
		places := make([]position, len(some))
		for i, c := range some {
			day := w.day(c.StartedAt)
			first, last = min(first, day), max(last, day)
			places[i] = position{Merchant: string(c.Merchant), ID: c.ID}
		}
		stored := map[key]bool{}
		rows, err := conn.Query(ctx, fmt.Sprintf(`SELECT merchant, id FROM (
SELECT toString(merchant) AS merchant, id, argMax(notEmpty(round_open_ms), version) AS rounds FROM conversations WHERE %s AND (merchant, id) IN (%s) GROUP BY merchant, id
) WHERE rounds`, between(first-reach, last+reach), keyList(places)))
		if err != nil {
			return nil, w.classify(ctx, err)
		}
		for rows.Next() {
			var k key
			if err = rows.Scan(&k.merchant, &k.id); err != nil {
				break
			}
			stored[k] = true
		}
		if closed := rows.Close(); err == nil {
			err = closed
		}
		if err == nil {
			err = rows.Err()
		}
		if err != nil {
			return nil, w.classify(ctx, err)
		}
		for _, c := range some {
			if stored[key{string(c.Merchant), c.ID}] {
				lost = append(lost, c)
			}
		}
	}
	return lost, nil
}
