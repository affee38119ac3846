package measuring

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/stream"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// What one stream may put into the quarantine; what is refused beyond it is only counted.
const (
	maxQuarantinedLines = 10_000
	maxQuarantinedBytes = 64 << 20
)

// maxStreamProblems is how many refused lines an answer explains.
const maxStreamProblems = 20

// ErrNotNDJSON means that a stream as a whole is something else.
var ErrNotNDJSON = stream.ErrNotNDJSON

// Streamed says what became of a stream. Every line that is not empty is one of: a row, or refused.
type Streamed struct {
	Lines   int64 `json:"lines"`   // empty ones too
	Rows    int64 `json:"rows"`    // taken in and durable
	Batches int64 `json:"batches"` // acknowledged by the warehouse

	Events        int64 `json:"events"`
	Conversations int64 `json:"conversations"`
	States        int64 `json:"states"`
	Orders        int64 `json:"orders"`
	Tickets       int64 `json:"tickets"`

	Duplicates  int64         `json:"duplicates"`         // rows of batches that were acknowledged before; nothing was written for them
	Refused     int64         `json:"refused"`            // lines that were not taken in
	Quarantined int64         `json:"quarantined"`        // of these, new in the quarantine; the others were there already
	NotKept     int64         `json:"not_kept,omitempty"` // of these, too many to be kept; send them again once the cause is fixed
	Problems    []fault.Field `json:"problems,omitempty"` // the first refused lines

	Unknown []AgentRows `json:"unknown_agents,omitempty"` // agents of rows that were taken in whom nobody has entered
}

// Stream takes in NDJSON of canonical rows of several types, batch by batch as they come: the door
// for machines. A line is refused alone and goes to the quarantine; everything else is durable when
// Stream returns without an error, and up to the failure when it returns one. The same text again is
// recognised batch by batch and changes nothing, unless an account has been assigned anew or a text
// may be kept now. Roll-ups follow with the next refresh. source names where the text comes from.
// Errors: ErrNotNDJSON, what reading r and the stores say; the Streamed beside an error counts what
// is durable.
func (m *Measuring) Stream(ctx context.Context, who access.Principal, source string, r io.Reader) (Streamed, error) {
	scope, err := access.Decide(who, access.Ingest)
	if err != nil {
		return Streamed{}, err
	}
	rules, err := m.admit(ctx, who, scope)
	if err != nil {
		return Streamed{}, err
	}
	in := m.streaming(who, source, rules)
	lines, err := stream.Read(ctx, r, rules.streamOptions(ctx), func(b *stream.Batch) error { return in.take(ctx, b) })
	if failed := in.wait(); err == nil {
		err = failed
	}
	in.done.Lines = lines
	unknown, missing := m.strangers(ctx, in.agents)
	if in.done.Unknown = unknown; err == nil {
		err = missing
	}
	return in.done, err
}

// streamOptions are the rules as the hooks of a stream.
func (a *admission) streamOptions(ctx context.Context) stream.Options {
	return stream.Options{
		Decoder: func() *chatlog.Decoder {
			return &chatlog.Decoder{Zone: a.gate.Zone, HashBuyer: a.lineHasher(ctx), AgentOf: a.agentOf, Closes: a.closes, Latest: a.latest}
		},
		Event: func(e *chatlog.Event) []fault.Field {
			bad := a.refers(e.Merchant, e.Shop, e.Queue)
			if bad == nil {
				a.settle(e)
			}
			return bad
		},
		Conversation: func(c *chatlog.Conversation) []fault.Field {
			return append(a.refers(c.Merchant, c.Shop, c.Queue), c.Ahead(a.latest)...)
		},
		State:  func(s *chatlog.AgentState) []fault.Field { return s.Ahead(a.latest) },
		Order:  func(o *chatlog.OrderEvent) []fault.Field { return a.refers(o.Merchant, o.Shop, o.Queue) },
		Ticket: func(t *chatlog.Ticket) []fault.Field { return a.refers(t.Merchant, t.Shop, t.Queue) },
	}
}

// streaming is one stream on its way in.
type streaming struct {
	*Measuring
	who    access.Principal
	source string
	rules  *admission
	kept   int // bytes in the quarantine

	writing chan struct{} // one entry per batch that is being written
	running sync.WaitGroup
	mu      sync.Mutex // guards those below
	agents  namedAgents
	done    Streamed
	failed  error
}

// maxWriting is how many batches of a stream are written at once: while one waits for the disk the
// engine works on the other. More of them only take memory.
const maxWriting = 2

func (m *Measuring) streaming(who access.Principal, source string, rules *admission) *streaming {
	return &streaming{Measuring: m, agents: namedAgents{}, who: who, source: source, rules: rules, writing: make(chan struct{}, maxWriting)}
}

// wait waits for the batches that are being written and returns the first failure.
func (s *streaming) wait() error {
	s.running.Wait()
	return s.failure()
}

func (s *streaming) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// streamBatch names the batch of a content. 48 of the 64 digits are 192 bits.
func streamBatch(content string) ids.Batch { return ids.Batch("s-" + content[:48]) }

// take keeps the refused lines of a batch and begins to write its rows. It returns when the batch has
// its turn, so that the next one wins over it, however long this one takes.
func (s *streaming) take(ctx context.Context, b *stream.Batch) error {
	err := s.rules.failure()
	if err == nil {
		err = s.failure()
	}
	if err == nil {
		err = s.quarantine(ctx, b)
	}
	if err != nil || b.Len() == 0 {
		b.Release()
		return err
	}
	s.writing <- struct{}{}
	begun := make(chan struct{})
	s.running.Go(func() {
		once := sync.OnceFunc(func() { close(begun) })
		defer once()
		err := s.ingest(ctx, b, once)
		b.Release()
		<-s.writing
		if err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.failed = cmp.Or(s.failed, err)
		}
	})
	<-begun
	return s.failure()
}

// ingest writes the rows of a batch and returns when they are durable.
func (s *streaming) ingest(ctx context.Context, b *stream.Batch, begun func()) error {
	batch := warehouse.Batch{
		ID: streamBatch(b.Content), EventBlocks: b.Events, Conversations: b.Conversations, States: b.States, Orders: b.Orders, Tickets: b.Tickets, Begun: begun,
	}
	receipt, err := s.gate.Warehouse.Ingest(ctx, batch)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agents.count(batch)
	d := &s.done
	d.Batches++
	d.Rows += int64(b.Len())
	d.Events += int64(b.EventCount())
	d.Conversations += int64(len(b.Conversations))
	d.States += int64(len(b.States))
	d.Orders += int64(len(b.Orders))
	d.Tickets += int64(len(b.Tickets))
	if receipt.Duplicate {
		d.Duplicates += int64(b.Len())
	}
	return nil
}

// quarantine keeps the refused lines of a batch.
func (s *streaming) quarantine(ctx context.Context, b *stream.Batch) error {
	s.mu.Lock()
	lines := s.refuse(ctx, b)
	s.mu.Unlock()
	if len(lines) == 0 {
		return nil
	}
	added := 0
	err := s.gate.Store.Change(ctx, s.who, s.gate.Now(), func(tx *store.Tx) (err error) {
		added, err = tx.AddQuarantined(lines)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.done.Quarantined += int64(added)
	}
	return err
}

// refuse counts the refused lines of a batch and returns those that are kept.
func (s *streaming) refuse(ctx context.Context, b *stream.Batch) (lines []store.Quarantined) {
	for _, r := range b.Refused {
		for _, f := range r.Fields {
			if len(s.done.Problems) < maxStreamProblems {
				f.File, f.Row, f.Value = s.source, int(r.Line), fault.Shorten(f.Value)
				s.done.Problems = append(s.done.Problems, f)
			}
		}
		if s.done.Refused++; s.done.Refused > maxQuarantinedLines || s.kept > maxQuarantinedBytes {
			s.done.NotKept++
			continue
		}
		line := s.rules.quarantined(ctx, &r)
		line.Batch, line.Source = streamBatch(b.Content), s.source
		s.kept += len(line.Text)
		lines = append(lines, line)
	}
	return lines
}

// quarantined is a refused line as it is kept. What may not be stored of it is taken out: the text of
// a message unless the contract allows it, the buyer unless it is or can be made a keyed hash. A line
// that lost something it would need is marked as cut, so that it is not tried again in this form.
func (a *admission) quarantined(ctx context.Context, r *stream.Refused) store.Quarantined {
	q := store.Quarantined{ID: r.Digest[:32], Line: r.Line, Merchant: ids.Merchant(r.Merchant), Reason: reasonOf(r.Fields), Text: r.Text, Bytes: r.Bytes}
	var members map[string]json.RawMessage
	if r.Bytes > int64(len(r.Text)) || json.Unmarshal(r.Text, &members) != nil {
		return q // not one whole object: nobody can tell what is in it
	}
	changed, lost := false, false
	if members["text"] != nil && !a.keepsTextOf(members) {
		delete(members, "text")
		changed = true
	}
	var buyer string
	if json.Unmarshal(members["buyer"], &buyer) == nil && buyer != "" && !hashed(buyer) {
		if hash := a.lineHasher(ctx)(r.Merchant, buyer); hash != "" {
			members["buyer"] = json.RawMessage(`"` + hash + `"`)
		} else {
			delete(members, "buyer")
			lost = true
		}
		changed = true
	}
	if !changed {
		return q
	}
	text, err := json.Marshal(members)
	if err != nil || len(text) > stream.MaxKept {
		text, lost = nil, true
	}
	q.Text, q.Bytes = text, int64(len(text))
	if lost {
		q.Bytes = max(r.Bytes, int64(len(text))+1)
	}
	return q
}

// keepsTextOf is keepsText of a line that is only known as JSON.
func (a *admission) keepsTextOf(members map[string]json.RawMessage) bool {
	whole, err := json.Marshal(members)
	if err != nil {
		return false
	}
	var e struct {
		Merchant ids.Merchant `json:"merchant"`
		Shop     ids.Shop     `json:"shop"`
		Queue    ids.Queue    `json:"queue"`
		At       time.Time    `json:"at"`
	}
	if json.Unmarshal(whole, &e) != nil || e.At.IsZero() {
		return false
	}
	if e.Shop == "" {
		e.Shop = a.queues[e.Queue].Shop
	}
	return a.keepsText(e.Merchant, e.Shop, e.At)
}

func reasonOf(fields []fault.Field) string {
	texts := make([]string, 0, len(fields))
	for _, f := range fields[:min(len(fields), maxStreamProblems)] {
		f.Value = fault.Shorten(f.Value)
		texts = append(texts, f.String())
	}
	return strings.Join(texts, "; ")
}
