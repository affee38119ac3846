package warehouse

import (
	"context"
	"hash/fnv"
	"maps"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Batch is what one acknowledged import brings. The same ID must always mean the same content
// (derive it from the content); a repeated ID is acknowledged without being written again.
type Batch struct {
	ID            ids.Batch
	Conversations []chatlog.Conversation
	States        []chatlog.AgentState
	Contacts      []chatlog.Contacts
	Events        []chatlog.Event // a Text that is not empty is kept: the caller blanks what the contract does not allow
	EventBlocks   []*EventBlock   // more events, after Events; not changed until Ingest has returned
	Orders        []chatlog.OrderEvent
	Tickets       []chatlog.Ticket
	Figures       []chatlog.DailyFigure

	// Begun is called once the batch has its turn, unless Ingest fails before: a batch that is brought
	// from then on wins over it. So several can be written at once and still be in order. nil = nothing.
	Begun func()
}

// Receipt acknowledges a batch: it is durable and will be in the roll-ups after the next Refresh.
type Receipt struct {
	Batch         ids.Batch `json:"batch"`
	Version       uint64    `json:"version"` // order of batches: the later batch wins for the same key
	Conversations int       `json:"conversations"`
	Rounds        int       `json:"rounds"`
	States        int       `json:"states"`
	Contacts      int       `json:"contacts"`
	Events        int       `json:"events"`
	Orders        int       `json:"orders"`
	Tickets       int       `json:"tickets"`
	Figures       int       `json:"figures"`
	Duplicate     bool      `json:"duplicate"` // the batch was acknowledged before; nothing was written
}

// rowBits is how many low bits of a row's version number the row inside its batch: the order of
// rows decides when a batch names the same key twice, the order of batches otherwise.
const rowBits = 24

// A batch's version number is its turn in the high bits and a hash of its ID in the low ones. A
// process takes the turn after the newest it sees, so a batch that begins after another has begun is
// always higher; two processes that look in the same instant take the same turn, and the hash tells
// their batches apart. Versions from before there was a hash are small numbers: turn 0, or few.
const (
	hashBits = 16
	turnBits = 64 - rowBits - hashBits
)

// nextVersion is the version of a batch that begins when newest is the highest so far.
// Errors: warehouse.batch_turns after 16 million batches.
func nextVersion(newest uint64, batch string) (uint64, error) {
	turn := newest>>hashBits + 1
	if turn>>turnBits != 0 {
		return 0, fault.New(fault.TooLarge, "warehouse.batch_turns", "the warehouse has taken all the batches it can number")
	}
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(batch)) // a hash takes everything
	sum := hash.Sum32()
	return turn<<hashBits | uint64(uint16(sum>>16^sum)), nil
}

// Ingest writes a batch and returns when it is durable and marked for the roll-ups. Until it has
// returned nil nothing is promised; calling it again with the same batch is always safe and
// completes what an interrupted call began. Rows with the same key as stored ones replace them:
// (merchant, conversation id), (agent, start of state), (merchant, queue, slot), (merchant,
// conversation, event id), (merchant, shop, buyer, order, step), (merchant, ticket id), (merchant,
// platform, shop, date, account, item). The rows must have passed their Validate.
// Errors: warehouse.batch, warehouse.batch_size, warehouse.batch_turns, warehouse.disk_full,
// warehouse.down and the like.
func (w *Warehouse) Ingest(ctx context.Context, b Batch) (Receipt, error) {
	if err := b.check(); err != nil {
		return Receipt{}, err
	}
	conn, err := w.connection(ctx)
	if err != nil {
		return Receipt{}, err
	}
	receipt, err := w.ingest(ctx, conn, b)
	return receipt, w.classify(ctx, err)
}

func (w *Warehouse) ingest(ctx context.Context, conn clickhouse.Conn, b Batch) (Receipt, error) {
	entry, done, err := w.begin(ctx, conn, b)
	if err == nil && b.Begun != nil {
		b.Begun()
	}
	receipt := Receipt{Batch: b.ID, Version: entry.version, Duplicate: done}
	if err != nil || done {
		return receipt, err
	}
	for _, write := range w.writes(conn, b, entry.version) {
		if err := write(ctx); err != nil {
			return receipt, err
		}
	}
	for i := range b.Conversations {
		receipt.Rounds += len(b.Conversations[i].Rounds)
	}
	receipt.Conversations, receipt.States, receipt.Contacts = len(b.Conversations), len(b.States), len(b.Contacts)
	receipt.Events, _ = b.eventCount()
	receipt.Orders, receipt.Tickets, receipt.Figures = len(b.Orders), len(b.Tickets), len(b.Figures)
	// One block of an unpartitioned table is one part: the marks and the acknowledgement appear
	// together or not at all.
	entry.rank++
	return receipt, entry.write(ctx, conn)
}

// writes are the inserts of a batch's rows, one per table. Their order does not matter: nothing is
// promised before the last, and until then the days are pending.
func (w *Warehouse) writes(conn clickhouse.Conn, b Batch, version uint64) []func(context.Context) error {
	return []func(context.Context) error{
		func(ctx context.Context) error { return w.writeConversations(ctx, conn, b.Conversations, version) },
		func(ctx context.Context) error { return w.writeEvents(ctx, conn, &b, version) },
		func(ctx context.Context) error { return w.writeTexts(ctx, conn, &b, version) },
		func(ctx context.Context) error { return w.writeStates(ctx, conn, b.States, version) },
		func(ctx context.Context) error { return writeContacts(ctx, conn, b.Contacts, version) },
		func(ctx context.Context) error { return w.writeOrders(ctx, conn, b.Orders, version) },
		func(ctx context.Context) error { return w.writeTickets(ctx, conn, b.Tickets, version) },
		func(ctx context.Context) error { return writeFigures(ctx, conn, b.Figures, version) },
	}
}

// touched is a unit of recomputation; merchant is "" for agent states.
type touched struct {
	kind     string
	merchant string
	day      int32 // days since 1970-01-01, of the business day
}

const (
	kindBatch         = "batch"
	kindConversations = "conversations"
	kindStates        = "states"
)

// entry is a batch in the journal.
type entry struct {
	batch   string
	rank    uint64 // 2*attempt, +1 when complete
	version uint64
	touched map[touched]struct{}
}

// begin writes the batch's marks before its rows. A batch that was begun before keeps its
// version, so a late retry of it does not overtake a correction that came in between.
func (w *Warehouse) begin(ctx context.Context, conn clickhouse.Conn, b Batch) (e entry, done bool, err error) {
	w.beginning.Lock() // the batches of one process each take a turn of their own
	defer w.beginning.Unlock()
	e = entry{batch: string(b.ID), touched: w.touches(b)}
	var rank, version, newest uint64
	err = conn.QueryRow(ctx, `SELECT maxIf(rank, batch = ?), argMaxIf(version, rank, batch = ?), max(version)
		FROM marks WHERE kind = 'batch'`, e.batch, e.batch).Scan(&rank, &version, &newest)
	if err != nil {
		return e, false, err
	}
	e.version = version
	if rank%2 == 1 {
		return e, true, nil
	}
	if rank == 0 {
		if e.version, err = nextVersion(newest, e.batch); err != nil {
			return e, false, err
		}
	}
	e.rank = rank + 2
	return e, false, e.write(ctx, conn)
}

func (w *Warehouse) touches(b Batch) map[touched]struct{} {
	days := make(map[touched]struct{})
	for i := range b.Conversations {
		c := &b.Conversations[i]
		days[touched{kindConversations, string(c.Merchant), w.day(c.StartedAt)}] = struct{}{}
	}
	for i := range b.States {
		days[touched{kindStates, "", w.day(b.States[i].Start)}] = struct{}{}
	}
	var last touched // neighbours mostly share their day
	var when dayClock
	touch := func(merchant string, at int64) {
		if t := (touched{kindConversations, merchant, when.of(w, at)}); t != last {
			days[t], last = struct{}{}, t
		}
	}
	for i := range b.Events {
		touch(string(b.Events[i].Merchant), b.Events[i].At.UnixMilli())
	}
	for _, block := range b.EventBlocks {
		for i, at := range block.at {
			touch(block.merchant.at(i), at)
		}
	}
	return days
}

// write records the batch and its marks in one block.
func (e entry) write(ctx context.Context, conn clickhouse.Conn) error {
	e.touched = maps.Clone(e.touched)
	e.touched[touched{kind: kindBatch}] = struct{}{}
	return e.writeMarks(ctx, conn)
}

func (e entry) writeMarks(ctx context.Context, conn clickhouse.Conn) error {
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO marks (kind, merchant, day, batch, rank, version)")
	if err != nil {
		return err
	}
	defer func() { _ = batch.Abort() }() // does nothing after Send
	for t := range e.touched {
		if err := batch.Append(t.kind, t.merchant, dateOf(t.day), e.batch, e.rank, e.version); err != nil {
			return err
		}
	}
	return batch.Send()
}

// day is the business day of an instant as days since 1970-01-01.
func (w *Warehouse) day(t time.Time) int32 { return dayIn(t, w.zone) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func dateOf(day int32) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }

const (
	unknown = math.MaxUint32 // milliseconds that are not known, or never came
	maxRows = 1 << rowBits   // rows of one kind in one batch
)
