package warehouse

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Filter selects single conversations; empty lists select all in scope.
type Filter struct {
	Range     calendar.Range // by StartedAt; at most 92 days
	Merchants []ids.Merchant
	Shops     []ids.Shop
	Queues    []ids.Queue
	Agents    []ids.Agent // by who answered first
}

const (
	maxListDays = 92
	maxPage     = 1000
)

// position is where a page ends; the next page starts after it.
type position struct {
	Started  int64  `json:"s"` // ms since 1970
	Merchant string `json:"m"`
	ID       string `json:"i"`
}

func (p position) String() string {
	text, _ := json.Marshal(p) // two strings and a number cannot fail
	return base64.RawURLEncoding.EncodeToString(text)
}

func parsePosition(cursor string) (p position, err error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return p, fault.Wrap(err, fault.Invalid, "kpi.cursor", "the cursor is not one that was given out")
	}
	return p, nil
}

// listSQL renders one page of conversations in order of start, merchant and id.
func listSQL(scope Scope, f Filter, after *position, limit int, zone *time.Location) string {
	format := func(t time.Time) string { return t.In(zone).Format(time.DateOnly) }
	first, last := format(f.Range.Start), format(f.Range.End.Add(-1))
	keys := scope.merchants(f.Merchants)
	where := append(conditions{
		fmt.Sprintf("day BETWEEN '%s' AND '%s'", first, last),
		fmt.Sprintf("started >= fromUnixTimestamp64Milli(%d, 'UTC') AND started < fromUnixTimestamp64Milli(%d, 'UTC')",
			f.Range.Start.UnixMilli(), f.Range.End.UnixMilli()),
	}, keys...)
	where = append(where, scope.agents(f.Agents)...)
	if len(f.Shops) > 0 {
		where = append(where, in("shop", f.Shops))
	}
	if len(f.Queues) > 0 {
		where = append(where, in("queue", f.Queues))
	}
	// What a correction moved to another day is left out, as in the roll-ups (see candidatesSQL).
	hashes := fmt.Sprintf("SELECT cityHash64(merchant, id) FROM conversations WHERE day BETWEEN '%s' AND '%s' AND %s", first, last, keys)
	where = append(where, fmt.Sprintf(`(merchant, id, day) NOT IN (
SELECT merchant, id, arrayJoin(arrayFilter(d -> d != current, days)) FROM (
SELECT merchant, id, argMax(day, version) AS current, groupUniqArray(day) AS days FROM conversations WHERE %[1]s AND cityHash64(merchant, id) IN (
SELECT cityHash64(merchant, id) AS h FROM conversations WHERE %[1]s AND cityHash64(merchant, id) IN (%[2]s) GROUP BY h HAVING min(day) != max(day)
) GROUP BY merchant, id))`, keys, hashes))
	if after != nil {
		where = append(where, fmt.Sprintf("(toUnixTimestamp64Milli(started), merchant, id) > (%d, %s, %s)",
			after.Started, quote(after.Merchant), quote(after.ID)))
	}
	return fmt.Sprintf(`SELECT toString(merchant), id, toString(shop), toString(queue), toString(channel), toString(agent), buyer,
toUnixTimestamp64Milli(started), first_response_ms, length_ms, abandoned, resolved, rating, agent_messages, buyer_messages,
handle_ms, round_open_ms, round_response_ms, round_agent, simulated
FROM conversations FINAL WHERE %s ORDER BY started, merchant, id LIMIT %d`, where, limit)
}

// Conversations lists single conversations, oldest first, at most limit (1 to 1000) of them. next
// is the cursor of the following page, "" at the end. Errors: kpi.list.invalid, kpi.cursor,
// warehouse.down and the like.
func (r Reader) Conversations(ctx context.Context, f Filter, cursor string, limit int) (page []chatlog.Conversation, next string, err error) {
	var bad []fault.Field
	if !f.Range.Valid() || f.Range.Duration() > maxListDays*24*time.Hour {
		bad = append(bad, fault.Field{Path: "range", Problem: fmt.Sprintf("must end after it starts and span at most %d days", maxListDays)})
	}
	if limit < 1 || limit > maxPage {
		bad = append(bad, fault.Field{Path: "limit", Value: fmt.Sprint(limit), Problem: fmt.Sprintf("must be from 1 to %d", maxPage)})
	}
	if err := fault.Bad("kpi.list.invalid", "list", bad); err != nil {
		return nil, "", err
	}
	if err := checkFilter(len(f.Merchants), len(f.Shops), len(f.Queues), len(f.Agents)); err != nil {
		return nil, "", err
	}
	var after *position
	if cursor != "" {
		p, err := parsePosition(cursor)
		if err != nil {
			return nil, "", err
		}
		after = &p
	}
	if r.scope.empty() {
		return nil, "", nil
	}
	conn, err := r.w.connection(ctx)
	if err != nil {
		return nil, "", err
	}
	page, err = list(ctx, conn, listSQL(r.scope, f, after, limit+1, r.w.zone))
	if err != nil {
		return nil, "", r.w.classify(ctx, err)
	}
	if len(page) > limit {
		page = page[:limit]
		last := page[limit-1]
		next = position{last.StartedAt.UnixMilli(), string(last.Merchant), last.ID}.String()
	}
	return page, next, nil
}

func list(ctx context.Context, conn clickhouse.Conn, sql string) ([]chatlog.Conversation, error) {
	rows, err := conn.Query(forReading(ctx), sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var page []chatlog.Conversation
	for rows.Next() {
		var s stored
		if err := rows.Scan(&s.merchant, &s.id, &s.shop, &s.queue, &s.channel, &s.agent, &s.buyer,
			&s.started, &s.response, &s.length, &s.abandoned, &s.resolved, &s.rating, &s.agentMessages, &s.buyerMessages,
			&s.handle, &s.opened, &s.responses, &s.agents, &s.simulated); err != nil {
			return nil, err
		}
		page = append(page, s.conversation())
	}
	return page, rows.Err()
}

// stored is a row of the table conversations as the client scans it.
type stored struct {
	merchant, id, shop, queue, channel, agent, buyer       string
	started                                                int64
	response, length, agentMessages, buyerMessages, handle uint32
	abandoned, simulated                                   bool
	resolved                                               int8
	rating                                                 uint8
	opened, responses                                      []uint32
	agents                                                 []string
}

func (s *stored) conversation() chatlog.Conversation {
	start := time.UnixMilli(s.started).UTC()
	c := chatlog.Conversation{
		Merchant: ids.Merchant(s.merchant), Shop: ids.Shop(s.shop), Queue: ids.Queue(s.queue), ID: strings.Clone(s.id),
		Channel: s.channel, Agent: ids.Agent(s.agent), Buyer: s.buyer,
		StartedAt: start, AnsweredAt: later(start, s.response), EndedAt: later(start, s.length),
		Abandoned: s.abandoned, AgentMessages: int(s.agentMessages), BuyerMessages: int(s.buyerMessages),
		HandleTime: time.Duration(s.handle) * time.Millisecond, Simulated: s.simulated,
	}
	if s.resolved >= 0 {
		resolved := s.resolved == 1
		c.Resolved = &resolved
	}
	if s.rating > 0 {
		rating := int(s.rating)
		c.Rating = &rating
	}
	for i := range s.opened {
		round := chatlog.Round{OpenedAt: later(start, s.opened[i]), Agent: c.Agent}
		round.AnsweredAt = later(round.OpenedAt, s.responses[i])
		if len(s.agents) > 0 {
			round.Agent = ids.Agent(s.agents[i])
		}
		c.Rounds = append(c.Rounds, round)
	}
	return c
}

// later is the inverse of since.
func later(from time.Time, ms uint32) time.Time {
	if ms == unknown {
		return time.Time{}
	}
	return from.Add(time.Duration(ms) * time.Millisecond)
}
