// Package stream owns the machine door's text: NDJSON of canonical rows of several kinds, read in
// constant memory, decoded in parallel and handed out in batches in the order of the text.
//
// It does not own what a row means (kpi/chatlog), who may be named in it (the caller's hooks), where
// batches and refused lines go (the caller's handle function), or decompression.
//
// It knows no time of its own: the latest instant a row may carry comes with the caller's decoder.
//
// Batches are cut by the text alone: the same text gives the same batches, however slowly or in
// whatever pieces it arrives, so that a repeated text is recognised batch by batch.
package stream

import (
	"context"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"runtime"
	"sync"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

const (
	// MaxLine is the most bytes of a line that is read, newline included; a longer one is refused and
	// skipped.
	MaxLine = 1 << 20
	// MaxKept is the most bytes that are kept of a refused line.
	MaxKept = 64 << 10
	// DefaultRows is the most rows of one batch unless Options say otherwise. Each batch costs the
	// warehouse several waits for the disk and a part to be merged later; but several batches are in
	// memory at once, and one of events takes 130 bytes a row.
	DefaultRows = 100_000

	// A batch also ends when it has refused this much, so that a text of nothing but refused lines
	// takes no memory either.
	maxRefused      = 10_000
	maxRefusedBytes = 8 << 20

	// spareEvents is how many blocks of events are kept for their next use: those of a batch or two.
	spareEvents = 64
)

// Rows of one batch, by kind, each in the order of the text.
type Rows struct {
	Events        []*warehouse.EventBlock
	Conversations []chatlog.Conversation
	States        []chatlog.AgentState
	Orders        []chatlog.OrderEvent
	Tickets       []chatlog.Ticket
}

// Len is how many rows there are of all kinds.
func (r *Rows) Len() int {
	return r.EventCount() + len(r.Conversations) + len(r.States) + len(r.Orders) + len(r.Tickets)
}

// EventCount is how many events there are.
func (r *Rows) EventCount() (n int) {
	for _, b := range r.Events {
		n += b.Len()
	}
	return n
}

// add takes over the rows of o; its events are no longer o's.
func (r *Rows) add(o *Rows) {
	if o.EventCount() > 0 {
		r.Events, o.Events = append(r.Events, o.Events...), nil
	}
	r.Conversations = append(r.Conversations, o.Conversations...)
	r.States = append(r.States, o.States...)
	r.Orders = append(r.Orders, o.Orders...)
	r.Tickets = append(r.Tickets, o.Tickets...)
}

// reset forgets the rows and keeps their memory; cleared, so that no text of theirs stays reachable.
func (r *Rows) reset() {
	for _, b := range r.Events {
		b.Reset()
	}
	clear(r.Conversations)
	clear(r.States)
	clear(r.Orders)
	clear(r.Tickets)
	r.Conversations, r.States = r.Conversations[:0], r.States[:0]
	r.Orders, r.Tickets = r.Orders[:0], r.Tickets[:0]
}

// Refused is a line that is not taken in.
type Refused struct {
	Line     int64  // 1-based
	Text     []byte // its first MaxKept bytes
	Bytes    int64  // its length without the newline
	Digest   string // SHA-256 of the whole line, hex
	Merchant string // when the line says it
	Fields   []fault.Field
}

// Batch is what handle gets and keeps until it calls Release, also after it has returned.
type Batch struct {
	Rows
	// Content names the batch: a digest of its text, of which lines were taken and of what the
	// decoder added to them (agents of accounts, marks, whether texts are kept). Equal content means
	// equal rows.
	Content string
	Lines   int64 // up to the end of this batch, of the whole text
	Refused []Refused

	whole *batch
}

// Release gives the memory of the batch back: neither its rows nor its slices may be used any more.
func (b *Batch) Release() { b.whole.release() }

// Options of Read. All functions are called by several goroutines at once, except Decoder.
type Options struct {
	// Decoder makes the decoder of one worker.
	Decoder func() *chatlog.Decoder

	// What each kind of row must also pass; it may change the row. nil = nothing.
	Event        func(*chatlog.Event) []fault.Field
	Conversation func(*chatlog.Conversation) []fault.Field
	State        func(*chatlog.AgentState) []fault.Field
	Order        func(*chatlog.OrderEvent) []fault.Field
	Ticket       func(*chatlog.Ticket) []fault.Field

	AnyText bool // take a text of nothing but refused lines too, instead of ErrNotNDJSON
	Rows    int  // most rows of a batch; 0 = DefaultRows
	Workers int  // decoding goroutines; 0 = one per processor
}

// ErrNotNDJSON means that no line of the beginning of the text is a JSON object: the whole is
// something else.
var ErrNotNDJSON = fault.New(fault.Invalid, "stream.not_ndjson", "the body is not NDJSON: one JSON object per line")

// Read reads a text to its end and calls handle for each batch, one after the other and in order,
// while it decodes what follows. handle may go on with a batch after it has returned, see Release, and
// waits itself for what it began. It returns how many lines there were.
// Errors: ErrNotNDJSON before anything was handed out; what reading r and handle return, unchanged;
// the batches before are handed out then.
func Read(ctx context.Context, r io.Reader, o Options, handle func(*Batch) error) (lines int64, err error) {
	if o.Rows <= 0 {
		o.Rows = DefaultRows
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	p := &pipeline{
		options: o, ordered: make(chan *block, o.Workers+1), work: make(chan *block, o.Workers+1), full: make(chan *batch),
		texts: make(spares[[]byte], o.Workers+4), rows: make(spares[*Rows], o.Workers+4), batches: make(spares[*batch], 8),
		events: make(spares[*warehouse.EventBlock], spareEvents),
	}
	var running sync.WaitGroup
	defer running.Wait() // the reader is the caller's again only when nobody uses it any more
	defer cancel(nil)
	running.Go(func() { p.cut(ctx, r) })
	for range o.Workers {
		running.Go(p.decode)
	}
	handled := make(chan error, 1)
	running.Go(func() { handled <- p.hand(ctx, cancel, handle) })
	lines, err = p.gather(ctx, cancel)
	close(p.full)
	if failed := <-handled; failed != nil {
		return lines, failed
	}
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return lines, err
}

// pipeline is one reading: cut -> decode (several) -> gather -> hand.
type pipeline struct {
	options Options
	work    chan *block // for whoever decodes next
	ordered chan *block // the same blocks, in the order of the text
	full    chan *batch
	failed  error // of reading; set before ordered is closed

	texts   spares[[]byte]
	rows    spares[*Rows]
	batches spares[*batch]
	events  spares[*warehouse.EventBlock]

	spans chatlog.Spans // of the conversations so far; used by gather
	again *worker       // of gather, for the few blocks that are decoded once more
}

// block is a piece of the text that ends where a line ends.
type block struct {
	text    []byte
	first   bool
	tooLong *Refused // the block is one line that is too long, and text is empty
	lines   int64
	opened  bool // the first block: it has a line that begins like an object
	rows    *Rows
	refused []Refused
	digest  [32]byte
	ready   chan struct{}
}

type batch struct {
	Batch
	sum  hash.Hash
	home *pipeline
	kept int // bytes of refused lines
}

// decode works on blocks until there are no more.
func (p *pipeline) decode() {
	w := newWorker(p.options)
	for b := range p.work {
		w.block(b)
		close(b.ready)
	}
}

// gather puts the blocks together to batches, in order.
func (p *pipeline) gather(ctx context.Context, cancel context.CancelCauseFunc) (lines int64, err error) {
	current := p.newBatch()
	flush := func() {
		current.Content, current.Lines = hex.EncodeToString(current.sum.Sum(nil)), lines
		select {
		case p.full <- current:
		case <-ctx.Done():
		}
		current = p.newBatch()
	}
	for b := range p.ordered { // to the end also after a failure, so that cut is never stuck
		<-b.ready
		if b.first && !b.opened && !p.options.AnyText && err == nil {
			err = ErrNotNDJSON
			cancel(err)
		}
		if err != nil || ctx.Err() != nil {
			p.release(b)
			continue
		}
		if stray := p.strays(b); len(stray) > 0 {
			p.refuse(b, stray)
		}
		if current.Len() > 0 && current.Len()+b.rows.Len() > p.options.Rows {
			flush()
		}
		for i := range b.refused {
			b.refused[i].Line += lines
			current.kept += len(b.refused[i].Text)
		}
		lines += b.lines
		current.add(b.rows)
		current.Refused = append(current.Refused, b.refused...)
		current.sum.Write(b.digest[:])
		p.release(b)
		if len(current.Refused) >= maxRefused || current.kept >= maxRefusedBytes {
			flush()
		}
	}
	if err == nil && (current.Len() > 0 || len(current.Refused) > 0) {
		flush()
	}
	if err == nil {
		err = p.failed
	}
	return lines, err
}

// strays are the events of a block that lie too far from the others of their conversation, by their
// place among its events. Only the order of the text tells, so that the workers cannot.
func (p *pipeline) strays(b *block) (stray map[int][]fault.Field) {
	for _, events := range b.rows.Events {
		for i := range events.Len() {
			if bad := p.spans.CheckAt(events.Place(i)); len(bad) > 0 {
				if stray == nil {
					stray = map[int][]fault.Field{}
				}
				stray[i] = bad
			}
		}
	}
	return stray
}

// refuse decodes a block once more, without some of its events.
func (p *pipeline) refuse(b *block, stray map[int][]fault.Field) {
	if p.again == nil {
		p.again = newWorker(p.options)
	}
	b.rows.reset()
	b.lines, b.refused = 0, nil
	p.again.stray = stray
	p.again.block(b)
}

// hand gives the batches to the caller and stops everything when it fails.
func (p *pipeline) hand(ctx context.Context, cancel context.CancelCauseFunc, handle func(*Batch) error) (err error) {
	for b := range p.full {
		if err == nil && ctx.Err() == nil {
			if err = handle(&b.Batch); err != nil {
				cancel(err)
			}
			continue
		}
		b.release()
	}
	return err
}

// stopped is the failure of a reader that was stopped from outside.
func stopped(ctx context.Context) error {
	err := context.Cause(ctx)
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	return fault.Of(err)
}
