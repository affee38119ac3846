package warehouse

import (
	"context"
	"fmt"
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
}

// Receipt acknowledges a batch: it is durable and will be in the roll-ups after the next Refresh.
type Receipt struct {
	Batch         ids.Batch `json:"batch"`
	Version       uint64    `json:"version"` // order of batches: the later batch wins for the same key
	Conversations int       `json:"conversations"`
	Rounds        int       `json:"rounds"`
	States        int       `json:"states"`
	Contacts      int       `json:"contacts"`
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
// (merchant, conversation id), (agent, start of state), (merchant, queue, slot).
// The rows must have passed their Validate.
// Errors: warehouse.batch, warehouse.batch_size, warehouse.batch_turns, warehouse.down and the like.
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
	receipt := Receipt{Batch: b.ID, Version: entry.version, Duplicate: done}
	if err != nil || done {
		return receipt, err
	}
	if receipt.Rounds, err = w.writeConversations(ctx, conn, b.Conversations, entry.version); err != nil {
		return receipt, err
	}
	if err := w.writeStates(ctx, conn, b.States, entry.version); err != nil {
		return receipt, err
	}
	if err := writeContacts(ctx, conn, b.Contacts, entry.version); err != nil {
		return receipt, err
	}
	receipt.Conversations, receipt.States, receipt.Contacts = len(b.Conversations), len(b.States), len(b.Contacts)
	// One block of an unpartitioned table is one part: the marks and the acknowledgement appear
	// together or not at all.
	entry.rank++
	return receipt, entry.write(ctx, conn)
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
func (w *Warehouse) day(t time.Time) int32 {
	_, offset := t.In(w.zone).Zone()
	return int32(floorDiv(t.Unix()+int64(offset), 86400))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func dateOf(day int32) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }

const (
	unknown   = math.MaxUint32        // milliseconds that are not known, or never came
	maxFields = 100                   // bad rows listed in one error
	maxRows   = 1 << rowBits          // rows of one kind in one batch
	firstUnix = 0                     // 1970, the first instant a day column can hold
	lastUnix  = int64(math.MaxUint32) // 2106, the last instant a slot column can hold
	longest   = unknown*time.Millisecond - 1
)

// check refuses what the tables cannot hold; the domain's own rules are chatlog's Validate.
func (b Batch) check() error {
	if b.ID == "" {
		return fault.New(fault.Invalid, "warehouse.batch", "the batch has no id")
	}
	if max(len(b.Conversations), len(b.States), len(b.Contacts)) > maxRows {
		return fault.New(fault.TooLarge, "warehouse.batch_size", "a batch holds at most %d rows of a kind; split it", maxRows)
	}
	var bad []fault.Field
	note := func(kind string, row int, problem string) {
		if problem != "" && len(bad) < maxFields {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("%s[%d]", kind, row), Problem: problem})
		}
	}
	for i := range b.Conversations {
		note("conversations", i, conversationProblem(&b.Conversations[i]))
	}
	for i, s := range b.States {
		problem := instantProblem(s.Start)
		switch length := s.End.Sub(s.Start); {
		case s.Agent == "" || s.State == "":
			problem = "has no agent or no state"
		case length < 0 || length > longest:
			problem = "ends before it starts or lasts more than 49 days"
		}
		note("states", i, problem)
	}
	for i, c := range b.Contacts {
		problem := instantProblem(c.Start)
		switch {
		case c.Merchant == "" || c.Queue == "":
			problem = "has no merchant or no queue"
		case c.Slot < time.Second || c.Slot > longest || c.HandleTime < 0 || c.HandleTime > longest || !(c.Offered >= 0):
			problem = "has a slot, handling time or count out of range"
		}
		note("contacts", i, problem)
	}
	return fault.Bad("warehouse.batch", "batch", bad)
}

func conversationProblem(c *chatlog.Conversation) string {
	fits := func(d time.Duration) bool { return d >= 0 && d <= longest }
	switch {
	case c.Merchant == "" || c.ID == "":
		return "has no merchant or no id"
	case !c.AnsweredAt.IsZero() && !fits(c.AnsweredAt.Sub(c.StartedAt)),
		!c.EndedAt.IsZero() && !fits(c.EndedAt.Sub(c.StartedAt)), !fits(c.HandleTime):
		return "has a duration that is negative or longer than 49 days"
	case uint(c.AgentMessages) > math.MaxUint32 || uint(c.BuyerMessages) > math.MaxUint32:
		return "has a message count out of range"
	case c.Rating != nil && (*c.Rating < 1 || *c.Rating > 5):
		return "has a rating outside 1 to 5"
	}
	for _, r := range c.Rounds {
		if !fits(r.OpenedAt.Sub(c.StartedAt)) || !r.AnsweredAt.IsZero() && !fits(r.AnsweredAt.Sub(r.OpenedAt)) {
			return "has a round out of order"
		}
	}
	return instantProblem(c.StartedAt)
}

func instantProblem(t time.Time) string {
	if seconds := t.Unix(); seconds < firstUnix || seconds > lastUnix-49*86400 {
		return "has an instant outside 1970 to 2105"
	}
	return ""
}
