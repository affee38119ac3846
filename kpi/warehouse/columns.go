package warehouse

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/chaoban/chaoban/kpi/chatlog"
)

// blockRows is how many rows are turned into columns and sent at a time. The engine gathers
// blocks into parts of up to a million rows, so memory stays flat on both sides and parts few.
const blockRows = 32768

// forInsert lets one import span any number of months; the default of 100 partitions per block
// is a guard against a bad partition key, which a month is not. Columns of few values travel as plain
// texts: the engine finds what is equal in them in a fraction of the time that the client takes.
func forInsert(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"max_partitions_per_insert_block": 0, "async_insert": 0, "low_cardinality_allow_in_native_format": 0,
	}))
}

// insert streams rows in blocks: fill appends rows [from, until) column by column.
func insert(ctx context.Context, conn clickhouse.Conn, statement string, rows int, fill func(to *appender, from, until int)) error {
	if rows == 0 {
		return nil
	}
	return insertBlocks(ctx, conn, statement, rows, func(write func(rows int, fill func(to *appender)) error) error {
		for from := 0; from < rows; from += blockRows {
			until := min(from+blockRows, rows)
			if err := write(until-from, func(to *appender) { fill(to, from, until) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// insertBlocks streams rows that come in pieces: all calls write for each, which fills columns. It sends
// what has come together as soon as a block is full.
func insertBlocks(ctx context.Context, conn clickhouse.Conn, statement string, rows int,
	all func(write func(rows int, fill func(to *appender)) error) error,
) error {
	if rows == 0 {
		return nil
	}
	batch, err := conn.PrepareBatch(forInsert(ctx), statement)
	if err != nil {
		return err
	}
	defer func() { _ = batch.Abort() }() // does nothing after Send
	pending := 0
	err = all(func(rows int, fill func(to *appender)) error {
		if pending > 0 && pending+rows > blockRows {
			if err := batch.Flush(); err != nil {
				return err
			}
			pending = 0
		}
		pending += rows
		to := &appender{batch: batch}
		fill(to)
		return to.err
	})
	if err != nil {
		return err
	}
	return batch.Send()
}

// appender hands over the columns of one block in table order and keeps the first error.
type appender struct {
	batch  driver.Batch
	column int
	err    error
}

// next appends a whole column.
func (a *appender) next(values any) {
	if a.err == nil {
		a.err = a.batch.Column(a.column).Append(values)
	}
	a.column++
}

// column turns rows into one column of the table and appends it.
func column[R, V any](to *appender, rows []R, value func(row *R) V) {
	values := make([]V, len(rows))
	for i := range rows {
		values[i] = value(&rows[i])
	}
	to.next(values)
}

// lists appends a column of arrays; row by row is the client's quick way for arrays.
func lists[R, V any](to *appender, rows []R, fill func(row *R, into []V) []V) {
	var scratch []V
	for i := range rows {
		if to.err != nil {
			break
		}
		scratch = fill(&rows[i], scratch[:0])
		to.err = to.batch.Column(to.column).AppendRow(scratch)
	}
	to.column++
}

// versions numbers the rows [from, until) of a batch.
func versions(batch uint64, from, until int) []uint64 {
	values := make([]uint64, until-from)
	for i := range values {
		values[i] = batch<<rowBits | uint64(from+i)
	}
	return values
}

func (w *Warehouse) writeConversations(ctx context.Context, conn clickhouse.Conn, all []chatlog.Conversation, version uint64) error {
	return insert(ctx, conn, `INSERT INTO conversations (merchant, day, id, version, shop, queue, channel, agent, buyer,
		started, first_response_ms, bot_response_ms, length_ms, abandoned, resolved, rating, agent_messages, buyer_messages, handle_ms,
		round_open_ms, round_response_ms, round_agent, simulated)`, len(all),
		func(to *appender, from, until int) {
			rows := all[from:until]
			w.conversationKeys(to, rows, versions(version, from, until))
			conversationFacts(to, rows)
			conversationRounds(to, rows)
			column(to, rows, func(c *chatlog.Conversation) bool { return c.Simulated })
		})
}

func (w *Warehouse) conversationKeys(to *appender, rows []chatlog.Conversation, versions []uint64) {
	column(to, rows, func(c *chatlog.Conversation) string { return string(c.Merchant) })
	column(to, rows, func(c *chatlog.Conversation) time.Time { return dateOf(w.day(c.StartedAt)) })
	column(to, rows, func(c *chatlog.Conversation) string { return c.ID })
	to.next(versions)
	column(to, rows, func(c *chatlog.Conversation) string { return string(c.Shop) })
	column(to, rows, func(c *chatlog.Conversation) string { return string(c.Queue) })
	column(to, rows, func(c *chatlog.Conversation) string { return c.Channel })
	column(to, rows, func(c *chatlog.Conversation) string { return string(c.Agent) })
	column(to, rows, func(c *chatlog.Conversation) string { return c.Buyer })
}

func conversationFacts(to *appender, rows []chatlog.Conversation) {
	column(to, rows, func(c *chatlog.Conversation) int64 { return c.StartedAt.UnixMilli() })
	column(to, rows, func(c *chatlog.Conversation) uint32 { return since(c.StartedAt, c.AnsweredAt) })
	column(to, rows, func(c *chatlog.Conversation) int64 {
		if c.BotAnsweredAt.IsZero() {
			return unknown
		}
		return c.BotAnsweredAt.UnixMilli() - c.StartedAt.UnixMilli()
	})
	column(to, rows, func(c *chatlog.Conversation) uint32 { return since(c.StartedAt, c.EndedAt) })
	column(to, rows, func(c *chatlog.Conversation) bool { return c.Abandoned })
	column(to, rows, func(c *chatlog.Conversation) int8 {
		switch {
		case c.Resolved == nil:
			return -1
		case *c.Resolved:
			return 1
		}
		return 0
	})
	column(to, rows, func(c *chatlog.Conversation) uint8 {
		if c.Rating == nil {
			return 0
		}
		return uint8(*c.Rating)
	})
	column(to, rows, func(c *chatlog.Conversation) uint32 { return uint32(c.AgentMessages) })
	column(to, rows, func(c *chatlog.Conversation) uint32 { return uint32(c.BuyerMessages) })
	column(to, rows, func(c *chatlog.Conversation) uint32 { return uint32(c.HandleTime.Milliseconds()) })
}

func conversationRounds(to *appender, rows []chatlog.Conversation) {
	lists(to, rows, func(c *chatlog.Conversation, into []uint32) []uint32 {
		for i := range c.Rounds {
			into = append(into, since(c.StartedAt, c.Rounds[i].OpenedAt))
		}
		return into
	})
	lists(to, rows, func(c *chatlog.Conversation, into []uint32) []uint32 {
		for i := range c.Rounds {
			into = append(into, since(c.Rounds[i].OpenedAt, c.Rounds[i].AnsweredAt))
		}
		return into
	})
	lists(to, rows, func(c *chatlog.Conversation, into []string) []string {
		foreign := false
		for i := range c.Rounds {
			agent := c.Rounds[i].Agent
			if agent == "" {
				agent = c.Agent
			}
			foreign = foreign || agent != c.Agent
			into = append(into, string(agent))
		}
		if !foreign {
			return into[:0]
		}
		return into
	})
}

// since is the whole milliseconds from one instant to another, or unknown when the other is not set.
func since(from, to time.Time) uint32 {
	if to.IsZero() {
		return unknown
	}
	return uint32(to.Sub(from).Milliseconds())
}

func (w *Warehouse) writeStates(ctx context.Context, conn clickhouse.Conn, all []chatlog.AgentState, version uint64) error {
	return insert(ctx, conn, "INSERT INTO agent_states (agent, day, start, version, state, length_ms, simulated)", len(all),
		func(to *appender, from, until int) {
			rows := all[from:until]
			column(to, rows, func(s *chatlog.AgentState) string { return string(s.Agent) })
			column(to, rows, func(s *chatlog.AgentState) time.Time { return dateOf(w.day(s.Start)) })
			column(to, rows, func(s *chatlog.AgentState) int64 { return s.Start.UnixMilli() })
			to.next(versions(version, from, until))
			column(to, rows, func(s *chatlog.AgentState) string { return string(s.State) })
			column(to, rows, func(s *chatlog.AgentState) uint32 { return since(s.Start, s.End) })
			column(to, rows, func(s *chatlog.AgentState) bool { return s.Simulated })
		})
}

func writeContacts(ctx context.Context, conn clickhouse.Conn, all []chatlog.Contacts, version uint64) error {
	return insert(ctx, conn, "INSERT INTO contacts (merchant, queue, start, slot_s, version, offered, handle_ms, simulated)", len(all),
		func(to *appender, from, until int) {
			rows := all[from:until]
			column(to, rows, func(c *chatlog.Contacts) string { return string(c.Merchant) })
			column(to, rows, func(c *chatlog.Contacts) string { return string(c.Queue) })
			column(to, rows, func(c *chatlog.Contacts) time.Time { return c.Start })
			column(to, rows, func(c *chatlog.Contacts) uint32 { return uint32(c.Slot / time.Second) })
			to.next(versions(version, from, until))
			column(to, rows, func(c *chatlog.Contacts) float64 { return c.Offered })
			column(to, rows, func(c *chatlog.Contacts) uint32 { return uint32(c.HandleTime.Milliseconds()) })
			column(to, rows, func(c *chatlog.Contacts) bool { return c.Simulated })
		})
}
