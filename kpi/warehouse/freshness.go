package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// Freshness says how current the figures of a scope are.
type Freshness struct {
	NewestStart time.Time `json:"newest_start,omitzero"` // of the latest conversation in the roll-ups' days
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
(SELECT toInt64(max(newest.2)) FROM generations WHERE kind = 'conversations' AND %[1]s),
(SELECT toInt64(max(toUnixTimestamp64Milli(started))) FROM conversations WHERE %[2]s),
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

// Simulated reports whether any conversation of the selection was made up. What a correction moved
// out of the range still counts as made up: better a mark too many than made-up figures without one.
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

// simulatedSQL counts up to the first simulated conversation of the selection.
func simulatedSQL(scope Scope, f Filter, zone *time.Location) string {
	format := func(t time.Time) string { return t.In(zone).Format(time.DateOnly) }
	where := append(conditions{
		fmt.Sprintf("day BETWEEN '%s' AND '%s'", format(f.Range.Start), format(f.Range.End.Add(-1))),
		fmt.Sprintf("started >= fromUnixTimestamp64Milli(%d, 'UTC') AND started < fromUnixTimestamp64Milli(%d, 'UTC')",
			f.Range.Start.UnixMilli(), f.Range.End.UnixMilli()),
	}, scope.merchants(f.Merchants)...)
	where = append(where, scope.agents(f.Agents)...)
	if len(f.Shops) > 0 {
		where = append(where, in("shop", f.Shops))
	}
	if len(f.Queues) > 0 {
		where = append(where, in("queue", f.Queues))
	}
	return fmt.Sprintf("SELECT count() FROM (SELECT 1 FROM conversations FINAL WHERE %s AND simulated LIMIT 1)", where)
}

// Counts is how many things are stored, each once.
type Counts struct {
	Conversations uint64 `json:"conversations"`
	Rounds        uint64 `json:"rounds"`
	States        uint64 `json:"states"`
	Contacts      uint64 `json:"contacts"`
}

// Counts reads raw rows, so it is for imports, doctor and tests, not for screens. Agent states
// count only where they may be seen: in a scope of everything or of the agent.
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
	if err == nil && r.scope.Agent == "" {
		err = conn.QueryRow(ctx, fmt.Sprintf("SELECT count() FROM contacts FINAL WHERE %s", merchants)).Scan(&c.Contacts)
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
