package warehouse

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Filter selects single conversations, and rows that belong to them; empty lists select all in scope.
type Filter struct {
	Range     calendar.Range // by StartedAt; of lists of conversations at most 92 days
	Merchants []ids.Merchant
	Shops     []ids.Shop
	Queues    []ids.Queue
	Agents    []ids.Agent // by who answered first

	// Lists of conversations can be narrowed further. Both look at rows, those of replaced versions too, and so
	// leave in some conversations that need not be there.
	Naming []ids.Agent // only those that name one of these anywhere: by header, round, message or transfer
	Beyond time.Time   // only those with rows before this instant and at or after it, as far as business days tell; zero = all
}

// narrowed reports that the filter looks at rows.
func (f Filter) narrowed() bool { return len(f.Naming) > 0 || !f.Beyond.IsZero() }

const (
	maxListDays = 92
	maxPage     = 1000
)

// position is where a conversation stands in a list; as a cursor, the next page starts after it.
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

// listing is a question for the places of conversations in a list.
type listing struct {
	scope       Scope
	filter      Filter
	after       *position
	first, last int32 // owner days that are looked at
	limit       int
}

// narrowSQL selects the hashes of the conversations that Filter.Naming and Filter.Beyond leave, which start on the
// days.
func (l listing) narrowSQL(zone *time.Location) string {
	f := l.filter
	keys, around := l.scope.merchants(f.Merchants), between(l.first-reach, l.last+reach)
	naming := fmt.Sprintf(`SELECT cityHash64(merchant, id) AS h FROM conversations WHERE %[1]s AND %[2]s AND (%[3]s OR arrayExists(a -> %[4]s, round_agent))
UNION DISTINCT SELECT cityHash64(merchant, conversation) AS h FROM events WHERE %[1]s AND %[2]s AND %[3]s`, keys, around, in("agent", f.Naming), in("a", f.Naming))
	if f.Beyond.IsZero() {
		return naming
	}
	ms := "(toUnixTimestamp64Milli(started) + toInt64(arrayMax(round_open_ms)))"
	beyond := fmt.Sprintf(`SELECT h FROM (
SELECT cityHash64(merchant, id) AS h, arrayJoin([day, if(empty(round_open_ms), day, %[3]s)]) AS d FROM conversations WHERE %[1]s AND %[2]s
UNION ALL SELECT cityHash64(merchant, conversation) AS h, day AS d FROM events WHERE %[1]s AND %[2]s
) GROUP BY h HAVING min(d) <= %[4]s AND max(d) >= %[5]s`,
		keys, around, assembly{zone: zone}.date(ms), dateLiteral(dayIn(f.Beyond.Add(-time.Millisecond), zone)), dateLiteral(dayIn(f.Beyond, zone)))
	if len(f.Naming) == 0 {
		return beyond
	}
	return fmt.Sprintf("SELECT h FROM (%s) WHERE h IN (SELECT h FROM (%s))", beyond, naming)
}

// among is the condition on a hash that the conversation is one of those that narrowSQL found, which are sent along.
func (l listing) among(hash string) string {
	if !l.filter.narrowed() {
		return "1"
	}
	return hash + " IN (SELECT h FROM narrow)"
}

// sql renders the places of the conversations that start on the days, in order of start, merchant and
// id. Where a conversation belongs is settled as chatlog.Assemble does: the header of the highest
// version, whatever its day, else the events; the agent of the header, else of the events.
//
// A conversation that starts on a day has a row on it: its header, or the event that it starts with.
// Conversations without a header, or whose header names no agent, are few: only their events are read.
func (l listing) sql() string {
	f := l.filter
	keys := l.scope.merchants(f.Merchants)
	days := between(l.first, l.last)
	around := between(l.first-reach, l.last+reach)
	where := append(conditions{fmt.Sprintf("started >= %d AND started < %d", f.Range.Start.UnixMilli(), f.Range.End.UnixMilli())},
		l.scope.agents(f.Agents)...)
	if len(f.Shops) > 0 {
		where = append(where, in("shop", f.Shops))
	}
	if len(f.Queues) > 0 {
		where = append(where, in("queue", f.Queues))
	}
	if l.after != nil {
		where = append(where, fmt.Sprintf("(started, merchant, id) > (%d, %s, %s)", l.after.Started, quote(l.after.Merchant), quote(l.after.ID)))
	}
	return fmt.Sprintf(`WITH
events_of_days AS (SELECT DISTINCT cityHash64(merchant, conversation) AS h FROM events WHERE %[1]s AND %[2]s AND %[6]s),
headers AS (
  SELECT merchant AS m, id AS c, argMax((toUnixTimestamp64Milli(started), shop, queue, agent), version) AS x
  FROM conversations WHERE %[1]s AND cityHash64(merchant, id) IN (
    SELECT cityHash64(merchant, id) FROM conversations WHERE %[1]s AND %[2]s AND %[7]s UNION ALL SELECT h FROM events_of_days)
  GROUP BY m, c),
current AS (
  SELECT merchant AS m, conversation AS c, id AS e, argMax((toUnixTimestamp64Milli(at), kind, shop, queue, agent), version) AS x
  FROM events WHERE %[1]s AND %[3]s
  AND cityHash64(merchant, conversation) IN (SELECT h FROM events_of_days UNION ALL SELECT cityHash64(m, c) FROM headers WHERE x.4 = '')
  AND cityHash64(merchant, conversation) NOT IN (SELECT cityHash64(m, c) FROM headers WHERE x.4 != '')
  GROUP BY m, c, e)
SELECT started, toString(merchant) AS merchant, id FROM (
  SELECT m AS merchant, c AS id,
    if(max(headed) = 1, anyIf(s, headed = 1), any(s)) AS started,
    if(max(headed) = 1, anyIf(p, headed = 1), any(p)) AS shop,
    if(max(headed) = 1, anyIf(q, headed = 1), any(q)) AS queue,
    coalesce(nullIf(anyIf(a, headed = 1), ''), anyIf(a, headed = 0)) AS agent
  FROM (
    SELECT m, c, 1 AS headed, x.1 AS s, toString(x.2) AS p, toString(x.3) AS q, toString(x.4) AS a FROM headers
    UNION ALL
    SELECT m, c, 0 AS headed,
      multiIf(countIf(x.2 = 1) > 0, minIf(x.1, x.2 = 1), countIf(x.2 = 2) > 0, minIf(x.1, x.2 = 2), min(x.1)) AS s,
      toString(argMin(x.3, (x.1, x.2, e))) AS p, toString(argMin(x.4, (x.1, x.2, e))) AS q,
      coalesce(nullIf(toString(argMinIf(x.5, (x.1, x.2, e), x.2 = 6 AND x.5 != '')), ''),
        toString(argMinIf(x.5, (x.1, x.2, e), x.2 = 5 AND x.5 != ''))) AS a
    FROM current GROUP BY m, c
  ) GROUP BY m, c
) WHERE %[4]s ORDER BY started, merchant, id LIMIT %[5]d`, keys, days, around, where, l.limit,
		l.among("cityHash64(merchant, conversation)"), l.among("cityHash64(merchant, id)"))
}

// chunkMost bounds the owner days that one step of a list looks at.
const chunkMost = 16

// places finds the first limit conversations of a filter, a few days at a time: mostly the first days
// fill the page.
func (r Reader) places(ctx context.Context, conn clickhouse.Conn, f Filter, after *position, limit int) ([]position, error) {
	day, last := r.w.day(f.Range.Start), r.w.day(f.Range.End.Add(-1))
	if after != nil {
		day = max(day, r.w.day(time.UnixMilli(after.Started)))
	}
	var found []position
	var narrow []clickhouse.QueryOption
	width := int32(1)
	if f.narrowed() {
		table, err := narrowTable(ctx, conn, listing{scope: r.scope, filter: f, first: day, last: last}.narrowSQL(r.w.zone))
		if err != nil || table.Block().Rows() == 0 {
			return nil, err
		}
		narrow, width = append(narrow, clickhouse.WithExternalTable(table)), chunkMost
	}
	for ; day <= last && len(found) < limit; width = min(width*4, chunkMost) {
		l := listing{scope: r.scope, filter: f, after: after, first: day, last: min(day+width-1, last), limit: limit - len(found)}
		// Each step must find what starts on its days only, or the next would find it again.
		l.filter.Range = overlap(f.Range, calendar.Range{Start: r.w.midnight(l.first), End: r.w.midnight(l.last + 1)})
		rows, err := conn.Query(forReading(ctx, narrow...), l.sql())
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var p position
			if err := rows.Scan(&p.Started, &p.Merchant, &p.ID); err != nil {
				return nil, err
			}
			found = append(found, p)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		day = l.last + 1
	}
	return found, nil
}

// narrowTable is the set of hashes that a statement selects, to be sent along with another.
func narrowTable(ctx context.Context, conn clickhouse.Conn, sql string) (*ext.Table, error) {
	table, err := ext.NewTable("narrow", ext.Column("h", "UInt64"))
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(forReading(ctx), sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var hash uint64
		if err := rows.Scan(&hash); err != nil {
			return nil, err
		}
		if err := table.Append(hash); err != nil {
			return nil, err
		}
	}
	return table, rows.Err()
}

// midnight is when a business day starts.
func (w *Warehouse) midnight(day int32) time.Time {
	return calendar.MakeDate(1970, 1, 1+int(day)).In(w.zone)
}

func overlap(a, b calendar.Range) calendar.Range {
	if b.Start.After(a.Start) {
		a.Start = b.Start
	}
	if b.End.Before(a.End) {
		a.End = b.End
	}
	return a
}

// Timelines lists single conversations with all that happened in them, oldest first, at most limit (1
// to 1000) of them; a conversation belongs to the instant of its start. next is the cursor of the
// following page, "" at the end. Of an event's id only the key is known (chatlog.KeyID), and texts are
// left out. Errors: kpi.list.invalid, kpi.cursor, warehouse.down and the like.
func (r Reader) Timelines(ctx context.Context, f Filter, cursor string, limit int) (page []chatlog.Timeline, next string, err error) {
	parts, next, err := r.page(ctx, f, cursor, limit)
	for _, p := range parts {
		page = append(page, chatlog.Assemble(p.header, p.events))
	}
	return page, next, err
}

// Conversations lists single conversations, those that are known from their events alone included,
// oldest first, at most limit (1 to 1000) of them. next is the cursor of the following page, "" at
// the end. Errors: kpi.list.invalid, kpi.cursor, warehouse.down and the like.
func (r Reader) Conversations(ctx context.Context, f Filter, cursor string, limit int) (page []chatlog.Conversation, next string, err error) {
	parts, next, err := r.page(ctx, f, cursor, limit)
	for _, p := range parts {
		timeline := chatlog.Assemble(p.header, p.events)
		c := timeline.Conversation
		switch {
		case p.header != nil && len(p.header.Rounds) > 0 && !hasMessages(p.events):
			c.Rounds = p.header.Rounds
		case timeline.Detailed:
			c.Rounds = roundsOf(timeline)
		}
		page = append(page, c)
	}
	return page, next, err
}

// hasMessages reports whether events say more than ratings and ends; then they win over a header's rounds.
func hasMessages(events []chatlog.Event) bool {
	return slices.ContainsFunc(events, func(e chatlog.Event) bool { return e.Kind != chatlog.RatingGiven && e.Kind != chatlog.Ended })
}

// roundsOf forms rounds of messages as the neutral metrics count them: closing messages open none,
// people close them. The agent of an unanswered round is who held the conversation.
func roundsOf(t chatlog.Timeline) []chatlog.Round {
	var rounds []chatlog.Round
	holder, open := t.Agent, false
	for _, e := range t.Events {
		switch e.Kind {
		case chatlog.BuyerMessage:
			if !open && !e.Closing {
				rounds, open = append(rounds, chatlog.Round{OpenedAt: e.At, Agent: holder}), true
			}
		case chatlog.AgentMessage:
			if open {
				last := &rounds[len(rounds)-1]
				last.AnsweredAt, last.Agent, open = e.At, e.Agent, false
			}
			holder = e.Agent
		case chatlog.Transfer:
			holder = e.Agent
		}
	}
	return rounds
}

// parts are what is stored of one conversation.
type parts struct {
	header *chatlog.Conversation
	events []chatlog.Event
}

// page reads the header and the events of the conversations of one page.
func (r Reader) page(ctx context.Context, f Filter, cursor string, limit int) (page []parts, next string, err error) {
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
	var after *position
	if cursor != "" {
		p, err := parsePosition(cursor)
		if err != nil {
			return nil, "", err
		}
		after = &p
	}
	conn, err := r.selected(ctx, f)
	if err != nil || conn == nil {
		return nil, "", err
	}
	places, err := r.places(ctx, conn, f, after, limit+1)
	if err != nil || len(places) == 0 {
		return nil, "", r.w.classify(ctx, err)
	}
	if len(places) > limit {
		places = places[:limit]
		next = places[limit-1].String()
	}
	page, err = r.w.fetch(ctx, conn, places)
	return page, next, r.w.classify(ctx, err)
}

// fetch reads headers and events of some conversations, which are in order of their start.
func (w *Warehouse) fetch(ctx context.Context, conn clickhouse.Conn, places []position) ([]parts, error) {
	first, last := w.day(time.UnixMilli(places[0].Started)), w.day(time.UnixMilli(places[len(places)-1].Started))
	headers, err := readHeaders(ctx, conn, headersSQL(places, first, last))
	if err != nil {
		return nil, err
	}
	events, err := readEvents(ctx, conn, places, first, last)
	if err != nil {
		return nil, err
	}
	page := make([]parts, 0, len(places))
	for _, p := range places {
		k := key{p.Merchant, p.ID}
		x := parts{headers[k], events[k]}
		if x.header != nil || len(x.events) > 0 { // else retention took it in this moment
			page = append(page, x)
		}
	}
	return page, nil
}

// headersSQL reads the current headers of some conversations, whose owner days are from first to last.
func headersSQL(keys []position, first, last int32) string {
	return fmt.Sprintf(`SELECT toString(merchant), id, toString(shop), toString(queue), toString(channel), toString(agent), buyer,
toUnixTimestamp64Milli(started), first_response_ms, bot_response_ms, length_ms, abandoned, resolved, rating, agent_messages,
buyer_messages, handle_ms, round_open_ms, round_response_ms, round_agent, simulated
FROM conversations WHERE %s AND (merchant, id) IN (%s) ORDER BY version DESC LIMIT 1 BY merchant, id`,
		between(first, last), keyList(keys))
}

func readHeaders(ctx context.Context, conn clickhouse.Conn, sql string) (map[key]*chatlog.Conversation, error) {
	rows, err := conn.Query(forReading(ctx), sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	headers := map[key]*chatlog.Conversation{}
	for rows.Next() {
		var s stored
		if err := rows.Scan(&s.merchant, &s.id, &s.shop, &s.queue, &s.channel, &s.agent, &s.buyer,
			&s.started, &s.response, &s.bot, &s.length, &s.abandoned, &s.resolved, &s.rating, &s.agentMessages, &s.buyerMessages,
			&s.handle, &s.opened, &s.responses, &s.agents, &s.simulated); err != nil {
			return nil, err
		}
		c := s.conversation()
		headers[key{s.merchant, s.id}] = &c
	}
	return headers, rows.Err()
}

// stored is a row of the table conversations as the client scans it.
type stored struct {
	merchant, id, shop, queue, channel, agent, buyer       string
	started, bot                                           int64
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
	if s.bot != unknown {
		c.BotAnsweredAt = start.Add(time.Duration(s.bot) * time.Millisecond)
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
