package warehouse

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// aroundDays is how far from the day of its start a conversation's events are looked for: as long as
// chatlog lets a conversation last.
const aroundDays = int32(chatlog.MaxSpan / (24 * time.Hour))

// eventKind is the number of a kind in the table events: its place in chatlog.Kinds, from 1; 0 is no kind.
func eventKind(kind chatlog.EventKind) uint8 {
	switch kind { // a switch, since this runs for each of a hundred million messages
	case chatlog.BuyerMessage:
		return 2
	case chatlog.AgentMessage:
		return 6
	case chatlog.BotMessage:
		return 4
	}
	return uint8(slices.Index(chatlog.Kinds, kind) + 1)
}

func (w *Warehouse) writeEvents(ctx context.Context, conn clickhouse.Conn, all []chatlog.Event, version uint64) error {
	return insert(ctx, conn, `INSERT INTO events (merchant, day, conversation, id, version, at, kind, shop, queue, agent, account,
		buyer, closing, score, invited, simulated)`, len(all),
		func(to *appender, from, until int) {
			rows := all[from:until]
			column(to, rows, func(e *chatlog.Event) string { return string(e.Merchant) })
			column(to, rows, func(e *chatlog.Event) time.Time { return dateOf(w.day(e.At)) })
			column(to, rows, func(e *chatlog.Event) string { return e.Conversation })
			column(to, rows, func(e *chatlog.Event) uint64 { return e.Key() })
			to.next(versions(version, from, until))
			column(to, rows, func(e *chatlog.Event) int64 { return e.At.UnixMilli() })
			column(to, rows, func(e *chatlog.Event) uint8 { return eventKind(e.Kind) })
			column(to, rows, func(e *chatlog.Event) string { return string(e.Shop) })
			column(to, rows, func(e *chatlog.Event) string { return string(e.Queue) })
			column(to, rows, func(e *chatlog.Event) string { return string(e.Agent) })
			column(to, rows, func(e *chatlog.Event) string { return e.Account })
			column(to, rows, func(e *chatlog.Event) string { return e.Buyer })
			column(to, rows, func(e *chatlog.Event) bool { return e.Closing })
			column(to, rows, func(e *chatlog.Event) uint8 { return uint8(e.Score) })
			column(to, rows, func(e *chatlog.Event) bool { return e.Invited })
			column(to, rows, func(e *chatlog.Event) bool { return e.Simulated })
		})
}

// writeTexts writes the texts of the events that have one, with the versions of their events.
func (w *Warehouse) writeTexts(ctx context.Context, conn clickhouse.Conn, all []chatlog.Event, version uint64) error {
	var with []int // rows of all
	for i := range all {
		if all[i].Text != "" {
			with = append(with, i)
		}
	}
	return insert(ctx, conn, "INSERT INTO texts (merchant, day, conversation, id, version, text)", len(with),
		func(to *appender, from, until int) {
			rows := with[from:until]
			column(to, rows, func(i *int) string { return string(all[*i].Merchant) })
			column(to, rows, func(i *int) time.Time { return dateOf(w.day(all[*i].At)) })
			column(to, rows, func(i *int) string { return all[*i].Conversation })
			column(to, rows, func(i *int) uint64 { return all[*i].Key() })
			column(to, rows, func(i *int) uint64 { return version<<rowBits | uint64(*i) })
			column(to, rows, func(i *int) string { return all[*i].Text })
		})
}

// key names a conversation.
type key struct{ merchant, id string }

// keyList is the right side of (merchant, conversation) IN.
func keyList(keys []position) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("(%s, %s)", quote(k.Merchant), quote(k.ID))
	}
	return strings.Join(parts, ", ")
}

// eventsSQL reads the current version of every event of some conversations, whose owner days are from
// first to last.
func eventsSQL(keys []position, first, last int32) string {
	return fmt.Sprintf(`SELECT toString(merchant), conversation, id, e.1, e.2, toString(e.3), toString(e.4), toString(e.5), toString(e.6), e.7,
e.8, e.9, e.10, e.11 FROM (
SELECT merchant, conversation, id, argMax((toUnixTimestamp64Milli(at), kind, shop, queue, agent, account, buyer, closing, score,
invited, simulated), version) AS e
FROM events WHERE day BETWEEN %s AND %s AND (merchant, conversation) IN (%s) GROUP BY merchant, conversation, id
) ORDER BY merchant, conversation, e.1, e.2, id`, dateLiteral(first-aroundDays), dateLiteral(last+aroundDays), keyList(keys))
}

// dateLiteral is a day as SQL; days outside of what a column can hold become its limits.
func dateLiteral(day int32) string {
	return quote(dateOf(min(max(day, 0), maxDay)).Format(time.DateOnly))
}

const maxDay = math.MaxUint16 // the last day that a column can hold

func readEvents(ctx context.Context, conn clickhouse.Conn, keys []position, first, last int32) (map[key][]chatlog.Event, error) {
	rows, err := conn.Query(forReading(ctx), eventsSQL(keys, first, last))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	events := make(map[key][]chatlog.Event, len(keys))
	for rows.Next() {
		var e chatlog.Event
		var merchant, shop, queue, agent string
		var id uint64
		var at int64
		var kind, score uint8
		if err := rows.Scan(&merchant, &e.Conversation, &id, &at, &kind, &shop, &queue, &agent, &e.Account, &e.Buyer,
			&e.Closing, &score, &e.Invited, &e.Simulated); err != nil {
			return nil, err
		}
		e.Merchant, e.Shop, e.Queue, e.Agent = ids.Merchant(merchant), ids.Shop(shop), ids.Queue(queue), ids.Agent(agent)
		e.ID, e.At, e.Score = chatlog.KeyID(id), time.UnixMilli(at).UTC(), int(score)
		if int(kind) >= 1 && int(kind) <= len(chatlog.Kinds) {
			e.Kind = chatlog.Kinds[kind-1]
		}
		k := key{merchant, e.Conversation}
		events[k] = append(events[k], e)
	}
	return events, rows.Err()
}
