package stream

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"unicode/utf8"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// The values of the key "type" of a line; a line without it is an event.
const (
	typeEvent        = "event"
	typeConversation = "conversation"
	typeState        = "state"
	typeOrder        = "order"
	typeTicket       = "ticket"
)

// What became of a line, as it goes into the digest of its batch.
const (
	markRefused byte = iota
	markTaken
	markClosing = 1 << 4
	markText    = 1 << 5
)

// worker decodes blocks, one at a time.
type worker struct {
	options Options
	decoder *chatlog.Decoder
	marks   []byte // of the lines of the current block
	events  int    // of the current block, so far
	event   chatlog.Event

	stray map[int][]fault.Field // events to be refused all the same, by their number in the block
}

func newWorker(o Options) *worker {
	decoder := &chatlog.Decoder{}
	if o.Decoder != nil {
		decoder = o.Decoder()
	}
	return &worker{options: o, decoder: decoder}
}

func (w *worker) block(b *block) {
	if b.tooLong != nil {
		b.lines, b.refused = 1, []Refused{*b.tooLong}
		b.digest = sha256.Sum256([]byte(b.tooLong.Digest))
		return
	}
	text := sha256.Sum256(b.text)
	w.marks, w.events = w.marks[:0], 0
	rest := b.text
	if b.first {
		rest = bytes.TrimPrefix(rest, byteOrderMark)
	}
	for len(rest) > 0 {
		line := rest
		if end := bytes.IndexByte(rest, '\n'); end >= 0 {
			line, rest = rest[:end], rest[end+1:]
		} else {
			rest = nil
		}
		b.lines++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		b.opened = b.opened || line[0] == '{'
		if merchant, bad := w.line(line, b.rows); len(bad) > 0 {
			w.marks = append(w.marks, markRefused)
			b.refused = append(b.refused, refuse(b.lines, line, merchant, bad))
		}
	}
	b.digest = sha256.Sum256(append(w.marks, text[:]...))
}

// refuse keeps a line of which block b.lines is the number within its block.
func refuse(number int64, line []byte, merchant ids.Merchant, bad []fault.Field) Refused {
	sum := sha256.Sum256(line)
	r := Refused{
		Line: number, Text: bytes.Clone(line[:min(len(line), MaxKept)]), Bytes: int64(len(line)),
		Digest: hex.EncodeToString(sum[:]), Fields: bad,
	}
	if merchant == "" {
		merchant = merchantOf(line)
	}
	if ids.Check(string(merchant)) == "" {
		r.Merchant = string(merchant)
	}
	return r
}

// merchantOf looks for the merchant in a line that could not be decoded.
func merchantOf(line []byte) ids.Merchant {
	var named struct {
		Merchant ids.Merchant `json:"merchant"`
	}
	if json.Unmarshal(line, &named) != nil {
		return ""
	}
	return named.Merchant
}

// line decodes one line into rows, or says what is wrong with it.
func (w *worker) line(line []byte, rows *Rows) (ids.Merchant, []fault.Field) {
	if !utf8.Valid(line) {
		return "", []fault.Field{{Problem: "is not UTF-8 text"}}
	}
	kind, row, bad := typeOf(line)
	if bad != nil {
		return "", bad
	}
	merchant, bad := w.row(kind, row, rows)
	if n := len(line) - len(row); n > 0 && &line[n] == &row[0] { // the type was in front: a refused line is kept as it came
		line[n] = ','
	}
	return merchant, bad
}

// row decodes a line of a type, which is taken out.
func (w *worker) row(kind string, line []byte, rows *Rows) (ids.Merchant, []fault.Field) {
	switch kind {
	case typeEvent:
		return w.takeEvent(line, rows)
	case typeConversation:
		c, bad := chatlog.DecodeConversation(line)
		if len(bad) == 0 && w.decoder.HashBuyer != nil && c.Buyer != "" {
			c.Buyer = w.decoder.HashBuyer(string(c.Merchant), c.Buyer)
		}
		return c.Merchant, take(w, &rows.Conversations, c, bad, w.options.Conversation)
	case typeState:
		s, bad := chatlog.DecodeAgentState(line)
		return "", take(w, &rows.States, s, bad, w.options.State)
	case typeOrder:
		o, bad := w.decoder.Order(line)
		return o.Merchant, take(w, &rows.Orders, o, bad, w.options.Order)
	case typeTicket:
		t, bad := w.decoder.Ticket(line)
		return t.Merchant, take(w, &rows.Tickets, t, bad, w.options.Ticket)
	default:
		return "", []fault.Field{{Path: "type", Value: fault.Shorten(kind), Problem: "must be event, conversation, state, order or ticket"}}
	}
}

// takeEvent is take for the many; what the decoder added goes into the digest.
func (w *worker) takeEvent(line []byte, rows *Rows) (ids.Merchant, []fault.Field) {
	e := &w.event
	bad := w.decoder.EventInto(line, e)
	if len(bad) == 0 && w.options.Event != nil {
		bad = w.options.Event(e)
	}
	if len(bad) == 0 {
		bad = w.stray[w.events]
		w.events++
	}
	if len(bad) == 0 {
		bad = unfit(rows.Events[0].Append(e))
	}
	if len(bad) > 0 {
		return e.Merchant, bad
	}
	mark := markTaken
	if e.Closing {
		mark |= markClosing
	}
	if e.Text != "" {
		mark |= markText
	}
	w.marks = append(w.marks, mark)
	if e.Account != "" {
		w.marks = append(append(w.marks, e.Agent...), 0)
	}
	return e.Merchant, nil
}

func take[T any](w *worker, rows *[]T, row T, bad []fault.Field, check func(*T) []fault.Field) []fault.Field {
	if len(bad) == 0 && check != nil {
		bad = check(&row)
	}
	if len(bad) == 0 {
		bad = unfit(warehouse.Problem(&row))
	}
	if len(bad) > 0 {
		return bad
	}
	w.marks = append(w.marks, markTaken)
	*rows = append(*rows, row)
	return nil
}

// unfit words what the warehouse cannot hold of a row that is good in itself: it would refuse the whole
// batch.
func unfit(problem string) []fault.Field {
	if problem == "" {
		return nil
	}
	return []fault.Field{{Problem: problem}}
}

var typeKey = []byte(`"type"`)

// typeOf finds the type of a line and takes it out, because the decoders know no such key. The type in
// front, where programs write it, costs nothing: row is the end of the line then, and its comma has
// become the brace.
func typeOf(line []byte) (kind string, row []byte, bad []fault.Field) {
	if !bytes.Contains(line, typeKey) {
		return typeEvent, line, nil
	}
	if rest, ok := bytes.CutPrefix(line, []byte(`{"type":"`)); ok {
		if end := bytes.IndexByte(rest, '"'); end >= 0 && end < 32 && end+1 < len(rest) && rest[end+1] == ',' && !bytes.Contains(rest[end+1:], typeKey) {
			row = rest[end+1:]
			row[0] = '{'
			return string(rest[:end]), row, nil
		}
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil || members["type"] == nil {
		return typeEvent, line, nil // the decoder words the complaint
	}
	if err := json.Unmarshal(members["type"], &kind); err != nil {
		return "", nil, []fault.Field{{Path: "type", Problem: "must be a text"}}
	}
	delete(members, "type")
	row, err := json.Marshal(members)
	if err != nil {
		return "", nil, []fault.Field{{Problem: "is not one JSON object"}}
	}
	return kind, row, nil
}
