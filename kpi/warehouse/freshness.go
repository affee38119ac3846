package warehouse

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Freshness says how current the figures of a scope are.
type Freshness struct {
	NewestStart time.Time `json:"newest_start,omitzero"` // of the latest conversation, or message of a buyer in the last days
	Computed    time.Time `json:"computed,omitzero"`     // when a roll-up in scope was last computed
	PendingDays int       `json:"pending_days"`          // days that an import touched and no roll-up has seen yet
}

// Freshness of the scope's conversations. For an agent's scope the days of all merchants count.
func (r Reader) Freshness(ctx context.Context) (Freshness, error) {
	var f Freshness
	if r.scope.empty() {
		return f, nil
	}
	conn, err := r.w.connection(ctx)
	if err != nil {
		return f, err
	}
	where := r.scope.merchants(nil)
	var computed, newest int64
	var waiting uint64
	err = conn.QueryRow(forReading(ctx), fmt.Sprintf(`SELECT
(SELECT toInt64(max(newest.2)) FROM rollups WHERE kind = 'conversations' AND %[1]s),
(SELECT toInt64(max(at)) FROM (
  SELECT max(toUnixTimestamp64Milli(started)) AS at FROM conversations WHERE %[2]s
  UNION ALL
  SELECT max(toUnixTimestamp64Milli(at)) AS at FROM events WHERE kind <= 2 AND %[2]s AND day IN (
    SELECT DISTINCT day FROM marks WHERE kind = 'conversations' AND %[1]s ORDER BY day DESC LIMIT 7))),
(SELECT count() FROM (%[3]s) WHERE kind_name = 'conversations' AND %[1]s)`,
		where, append(where, r.scope.agents(nil)...), fmt.Sprintf(pendingSQL, openFor.Milliseconds()))).Scan(&computed, &newest, &waiting)
	if err != nil {
		return f, r.w.classify(ctx, err)
	}
	f.PendingDays = int(waiting)
	if computed > 0 {
		f.Computed = time.UnixMilli(computed).UTC()
	}
	if newest > 0 {
		f.NewestStart = time.UnixMilli(newest).UTC()
	}
	return f, nil
}

// Simulated reports whether any conversation, message, order or ticket of the selection was made up.
// What a correction moved out of the range still counts as made up: better a mark too many than made-up
// figures without one. For the same reason a filter by agents is only asked of conversations.
// Errors: kpi.list.invalid, warehouse.down and the like.
func (r Reader) Simulated(ctx context.Context, f Filter) (bool, error) {
	if !f.Range.Valid() {
		return false, fault.Bad("kpi.list.invalid", "list", []fault.Field{{Path: "range", Problem: "must end after it starts"}})
	}
	if err := checkFilter(len(f.Merchants), len(f.Shops), len(f.Queues), len(f.Agents)); err != nil || r.scope.empty() {
		return false, err
	}
	conn, err := r.w.connection(ctx)
	if err != nil {
		return false, err
	}
	var found uint64
	err = conn.QueryRow(forReading(ctx), simulatedSQL(r.scope, f, r.w.zone)).Scan(&found)
	return found > 0, r.w.classify(ctx, err)
}

// simulatedSQL counts what is made up among the selection: at least one row of each table that has any.
func simulatedSQL(scope Scope, f Filter, zone *time.Location) string {
	format := func(t time.Time) string { return t.In(zone).Format(time.DateOnly) }
	where := append(conditions{fmt.Sprintf("day BETWEEN '%s' AND '%s'", format(f.Range.Start), format(f.Range.End.Add(-1)))}, scope.merchants(f.Merchants)...)
	if len(f.Shops) > 0 {
		where = append(where, in("shop", f.Shops))
	}
	within := func(column string) string {
		return fmt.Sprintf("%[1]s >= fromUnixTimestamp64Milli(%[2]d, 'UTC') AND %[1]s < fromUnixTimestamp64Milli(%[3]d, 'UTC')",
			column, f.Range.Start.UnixMilli(), f.Range.End.UnixMilli())
	}
	queued := slices.Clone(where)
	if len(f.Queues) > 0 {
		queued = append(queued, in("queue", f.Queues))
	}
	own := append(slices.Clone(queued), scope.agents(f.Agents)...)
	where, queued = append(where, scope.agents(nil)...), append(slices.Clone(queued), scope.agents(nil)...)
	return fmt.Sprintf(`SELECT count() FROM (
SELECT * FROM (SELECT 1 FROM conversations FINAL WHERE %s AND %s AND simulated LIMIT 1)
UNION ALL SELECT * FROM (SELECT 1 FROM events WHERE %s AND %s AND simulated LIMIT 1)
UNION ALL SELECT * FROM (SELECT 1 FROM orders WHERE %s AND %s AND simulated LIMIT 1)
UNION ALL SELECT * FROM (SELECT 1 FROM tickets WHERE %s AND %s AND simulated LIMIT 1))`,
		own, within("started"), queued, within("at"), where, within("at"), queued, within("opened"))
}

// Counts is how many things are stored, each once.
type Counts struct {
	Conversations uint64 `json:"conversations"` // headers; what only events tell of is among Events
	Rounds        uint64 `json:"rounds"`        // of headers
	States        uint64 `json:"states"`
	Contacts      uint64 `json:"contacts"`
	Events        uint64 `json:"events"`
	Orders        uint64 `json:"orders"`
	Tickets       uint64 `json:"tickets"`
	Figures       uint64 `json:"figures"`
}

// eventsOnce has a row for each event. Distinct, since a correction may have moved one to another day; on
// a hash, since the names of a hundred million would not fit into memory.
const eventsOnce = "(SELECT merchant, sipHash64(conversation, id) AS h FROM events GROUP BY merchant, h)"

// Counts reads raw rows, so it is for imports, doctor and tests, not for screens. Agent states
// count only where they may be seen: in a scope of everything or of the agent; in an agent's scope
// nothing but conversations and states counts.
func (r Reader) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	if r.scope.empty() {
		return c, nil
	}
	conn, err := r.w.connection(ctx)
	if err != nil {
		return c, err
	}
	merchants := r.scope.merchants(nil)
	agents := r.scope.agents(nil)
	// The newest row of a conversation decides whether it is the scope's: group first, filter after.
	err = conn.QueryRow(ctx, fmt.Sprintf(`SELECT count(), sum(tupleElement(newest, 1)) FROM (
SELECT argMax((length(round_open_ms), agent), version) AS newest FROM conversations WHERE %s GROUP BY merchant, id
) WHERE %s`, merchants, replaceAgent(agents))).Scan(&c.Conversations, &c.Rounds)
	if err == nil && (r.scope.Everything || r.scope.Agent != "") {
		err = conn.QueryRow(ctx, fmt.Sprintf("SELECT count() FROM agent_states FINAL WHERE %s", agents)).Scan(&c.States)
	}
	if r.scope.Agent == "" {
		for _, x := range []struct {
			from string
			into *uint64
		}{
			{"contacts FINAL", &c.Contacts},
			{"orders FINAL", &c.Orders},
			{"tickets FINAL", &c.Tickets},
			{"platform_figures FINAL", &c.Figures},
			{eventsOnce, &c.Events},
		} {
			if err == nil {
				err = conn.QueryRow(forReading(ctx), fmt.Sprintf("SELECT count() FROM %s WHERE %s", x.from, merchants)).Scan(x.into)
			}
		}
	}
	return c, r.w.classify(ctx, err)
}

// replaceAgent puts the condition on the agent of the newest row.
func replaceAgent(agents conditions) conditions {
	out := make(conditions, len(agents))
	for i, a := range agents {
		out[i] = "tupleElement(newest, 2)" + a[len("agent"):]
	}
	return out
}
