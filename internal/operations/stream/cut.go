package stream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// spares keeps things for their next use, at most as many as it was made for: within one reading the
// memory of blocks and batches goes round, and a long text allocates little more than the texts of its
// rows. (A sync.Pool would lose them at each collection, which come often.)
type spares[T any] chan T

func (s spares[T]) take(fresh func() T) T {
	select {
	case v := <-s:
		return v
	default:
		return fresh()
	}
}

func (s spares[T]) keep(v T) {
	select {
	case s <- v:
	default:
	}
}

func (p *pipeline) newBatch() *batch {
	b := p.batches.take(func() *batch { return &batch{sum: sha256.New()} })
	b.whole, b.home = b, p
	return b
}

func (b *batch) release() {
	b.reset()
	for i, events := range b.Events {
		b.home.events.keep(events)
		b.Events[i] = nil
	}
	b.Events = b.Events[:0]
	clear(b.Refused)
	b.Refused, b.Content, b.Lines, b.kept = b.Refused[:0], "", 0, 0
	b.sum.Reset()
	b.home.batches.keep(b)
}

// release gives the memory of a block back; its refused lines stay the caller's.
func (p *pipeline) release(b *block) {
	if b.rows != nil {
		b.rows.reset()
		p.rows.keep(b.rows)
	}
	p.texts.keep(b.text[:cap(b.text)])
	b.rows, b.text = nil, nil
}

// cut reads the text and cuts it into blocks of whole lines, each at most MaxLine bytes and, but for
// the last, as long as that allows: where a block ends depends on the text alone.
func (p *pipeline) cut(ctx context.Context, r io.Reader) {
	defer close(p.ordered)
	defer close(p.work)
	var rest []byte // the begin of a line whose end is not read yet
	first := true
	for {
		if ctx.Err() != nil {
			p.failed = stopped(ctx)
			return
		}
		buffer := p.texts.take(func() []byte { return make([]byte, MaxLine) })
		n := copy(buffer, rest)
		m, ended, err := fill(r, buffer[n:])
		text := buffer[:n+m]
		if err != nil {
			p.failed = err
			return
		}
		end := bytes.LastIndexByte(text, '\n') + 1
		if ended {
			end = len(text)
		}
		b := &block{text: text[:end], first: first, ready: make(chan struct{})}
		if end == 0 && !ended {
			if b.tooLong, rest, err = skip(r, text); err != nil {
				p.failed = err
				return
			}
			b.opened = opens(text)
		} else {
			rest = append(rest[:0], text[end:]...)
		}
		first = false
		if end > 0 || b.tooLong != nil {
			b.rows = p.rows.take(func() *Rows { return &Rows{} })
			if len(b.rows.Events) == 0 {
				b.rows.Events = []*warehouse.EventBlock{p.events.take(func() *warehouse.EventBlock { return &warehouse.EventBlock{} })}
			}
			p.ordered <- b
			p.work <- b
		}
		if ended {
			return
		}
	}
}

// fill reads until a buffer is full or the text has ended. Unlike io.ReadFull it does not take a
// compressed text that breaks off, which readers call io.ErrUnexpectedEOF, for one that has ended.
func fill(r io.Reader, buffer []byte) (n int, ended bool, err error) {
	for n < len(buffer) && err == nil {
		var m int
		m, err = r.Read(buffer[n:])
		n += m
	}
	if err == io.EOF {
		return n, true, nil
	}
	return n, false, err
}

// skip reads to the end of a line that is too long, of which head was read, and returns what came
// after it.
func skip(r io.Reader, head []byte) (*Refused, []byte, error) {
	sum := sha256.New()
	line := &Refused{Line: 1, Text: bytes.Clone(head[:MaxKept]), Bytes: int64(len(head))}
	sum.Write(head)
	buffer := make([]byte, 64<<10)
	var rest []byte
	for {
		n, err := r.Read(buffer)
		part := buffer[:n]
		end := bytes.IndexByte(part, '\n')
		if end >= 0 {
			part, rest = part[:end], bytes.Clone(part[end+1:])
		}
		sum.Write(part)
		line.Bytes += int64(len(part))
		if end < 0 && err != nil && err != io.EOF {
			return nil, nil, err
		}
		if end >= 0 || err != nil {
			break
		}
	}
	line.Digest = hex.EncodeToString(sum.Sum(nil))
	line.Fields = []fault.Field{{Problem: fmt.Sprintf("the line has %d bytes; at most %d are read", line.Bytes, MaxLine-1)}}
	return line, rest, nil
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// opens reports whether a text begins like an object.
func opens(text []byte) bool {
	text = bytes.TrimLeft(bytes.TrimPrefix(text, byteOrderMark), " \t\r\n")
	return len(text) > 0 && text[0] == '{'
}
