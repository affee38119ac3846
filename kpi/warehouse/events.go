package warehouse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

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

// eventRows gives the events of a batch as blocks, with the number of their first row in the batch.
func (b *Batch) eventRows(yield func(block *EventBlock, from int) bool) {
	var scratch EventBlock
	for from := 0; from < len(b.Events); from += blockRows {
		scratch.Reset()
		for i := range b.Events[from:min(from+blockRows, len(b.Events))] {
			scratch.Append(&b.Events[from+i]) // check has found nothing wrong with it
		}
		if !yield(&scratch, from) {
			return
		}
	}
	from := len(b.Events)
	for _, block := range b.EventBlocks {
		if !yield(block, from) {
			return
		}
		from += block.Len()
	}
}

// eventCount is how many events a batch has, and how many of them have a text.
func (b *Batch) eventCount() (rows, textual int) {
	rows = len(b.Events)
	for i := range b.Events {
		if b.Events[i].Text != "" {
			textual++
		}
	}
	for _, block := range b.EventBlocks {
		rows += block.Len()
		textual += len(block.textual)
	}
	return rows, textual
}

// eventScratch are columns in the making; each append to the client's columns copies them.
type eventScratch struct {
	texts []string
	days  []time.Time
}

func (w *Warehouse) writeEvents(ctx context.Context, conn clickhouse.Conn, b *Batch, version uint64) error {
	rows, _ := b.eventCount()
	var scratch eventScratch
	return insertBlocks(ctx, conn, `INSERT INTO events (merchant, day, conversation, id, version, at, kind, shop, queue, agent, account,
		buyer, closing, score, invited, simulated)`, rows, func(write func(rows int, fill func(to *appender)) error) (err error) {
		for block, from := range b.eventRows {
			if err = write(block.Len(), func(to *appender) { w.eventColumns(to, block, version, from, &scratch) }); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *Warehouse) eventColumns(to *appender, block *EventBlock, version uint64, from int, scratch *eventScratch) {
	text := func(column interface{ appendTo(into []string) []string }) {
		scratch.texts = column.appendTo(scratch.texts[:0])
		to.next(scratch.texts)
	}
	text(&block.merchant)
	to.next(w.days(block.at, scratch))
	text(&block.conversation)
	to.next(block.key)
	to.next(versions(version, from, from+block.Len()))
	to.next(block.at)
	to.next(block.kind)
	for _, column := range []*names{&block.shop, &block.queue, &block.agent, &block.account} {
		text(column)
	}
	text(&block.buyer)
	to.next(block.closing)
	to.next(block.score)
	to.next(block.invited)
	to.next(block.simulated)
}

// days are the business days of instants.
func (w *Warehouse) days(at []int64, scratch *eventScratch) []time.Time {
	scratch.days = scratch.days[:0]
	var days dayClock
	for _, ms := range at {
		scratch.days = append(scratch.days, dateOf(days.of(w, ms)))
	}
	return scratch.days
}

// dayClock remembers the quarter of an hour it was asked for last, within which no clock is changed and
// no day ends: neighbours mostly share it.
type dayClock struct {
	quarter int64
	day     int32
	known   bool
}

func (d *dayClock) of(w *Warehouse, ms int64) int32 {
	if quarter := floorDiv(ms, 15*60*1000); !d.known || quarter != d.quarter {
		d.quarter, d.day, d.known = quarter, w.day(time.UnixMilli(ms)), true
	}
	return d.day
}

// writeTexts writes the texts of the events that have one, with the versions of their events.
func (w *Warehouse) writeTexts(ctx context.Context, conn clickhouse.Conn, b *Batch, version uint64) error {
	_, rows := b.eventCount()
	return insertBlocks(ctx, conn, "INSERT INTO texts (merchant, day, conversation, id, version, text)", rows,
		func(write func(rows int, fill func(to *appender)) error) (err error) {
			for block, from := range b.eventRows {
				if len(block.textual) == 0 {
					continue
				}
				if err = write(len(block.textual), func(to *appender) { w.textColumns(to, block, version, from) }); err != nil {
					return err
				}
			}
			return nil
		})
}

func (w *Warehouse) textColumns(to *appender, block *EventBlock, version uint64, from int) {
	rows := block.textual
	column(to, rows, func(i *int32) string { return block.merchant.at(int(*i)) })
	column(to, rows, func(i *int32) time.Time { return dateOf(w.day(time.UnixMilli(block.at[*i]))) })
	column(to, rows, func(i *int32) string { return string(block.conversation.at(int(*i))) })
	column(to, rows, func(i *int32) uint64 { return block.key[*i] })
	column(to, rows, func(i *int32) uint64 { return version<<rowBits | uint64(from+int(*i)) })
	to.next(block.text.appendTo(nil))
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
FROM events WHERE %s AND (merchant, conversation) IN (%s) GROUP BY merchant, conversation, id
) ORDER BY merchant, conversation, e.1, e.2, id`, between(first-reach, last+reach), keyList(keys))
}

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
