package intake

import (
	"bytes"
	"time"
	"unicode/utf8"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// shape is how one kind of event is read from a table row and from a canonical line.
type shape[T any] struct {
	kind  Kind
	table func(bound []*column, o Options) func(r *record) (T, []fault.Field)
	line  func(line []byte, zone *time.Location) (T, []fault.Field)
}

func shapeOf[T Event]() shape[T] {
	var found any
	switch any(*new(T)).(type) {
	case chatlog.Conversation:
		found = shape[chatlog.Conversation]{Conversations, conversationTable, func(line []byte, _ *time.Location) (chatlog.Conversation, []fault.Field) {
			return chatlog.DecodeConversation(line)
		}}
	case chatlog.AgentState:
		found = shape[chatlog.AgentState]{States, stateTable, func(line []byte, _ *time.Location) (chatlog.AgentState, []fault.Field) {
			return chatlog.DecodeAgentState(line)
		}}
	case chatlog.Contacts:
		found = shape[chatlog.Contacts]{History, contactsTable, chatlog.DecodeContacts}
	}
	return found.(shape[T])
}

func conversationTable(bound []*column, o Options) func(*record) (chatlog.Conversation, []fault.Field) {
	fill := filler(conversationFields, bound)
	return func(r *record) (chatlog.Conversation, []fault.Field) {
		var row callRow
		if bad := fill(&row, r); bad != nil {
			return chatlog.Conversation{}, bad
		}
		row.StartedAt, row.AnsweredAt, row.EndedAt = utc(row.StartedAt), utc(row.AnsweredAt), utc(row.EndedAt)
		switch {
		case row.Buyer == "":
		case o.HashBuyer == nil:
			row.Buyer = ""
		default:
			row.Buyer = o.HashBuyer(row.Merchant, row.Buyer)
		}
		return row.Conversation()
	}
}

func stateTable(bound []*column, _ Options) func(*record) (chatlog.AgentState, []fault.Field) {
	fill := filler(stateFields, bound)
	return func(r *record) (chatlog.AgentState, []fault.Field) {
		var row stateRow
		if bad := fill(&row, r); bad != nil {
			return chatlog.AgentState{}, bad
		}
		row.Start, row.End = utc(row.Start), utc(row.End)
		return row.AgentState()
	}
}

// contactsTable also refuses a slot that a queue has twice in a row: two figures for one slot
// would overwrite each other. Files out of order are not searched for that, because it would
// take memory by the row.
func contactsTable(bound []*column, _ Options) func(*record) (chatlog.Contacts, []fault.Field) {
	fill := filler(contactsFields, bound)
	type key struct{ merchant, queue string }
	last := map[key]time.Time{}
	return func(r *record) (chatlog.Contacts, []fault.Field) {
		var row contactsRow
		if bad := fill(&row, r); bad != nil {
			return chatlog.Contacts{}, bad
		}
		c, bad := row.Contacts()
		k := key{row.Merchant, row.Queue}
		if before, ok := last[k]; ok && len(bad) == 0 && before.Equal(c.Start) {
			bad = []fault.Field{{Path: "start", Value: row.Start.Format(time.DateTime), Problem: "is the slot of the row before it again"}}
		}
		if len(bad) == 0 && (len(last) < 100_000 || !last[k].IsZero()) {
			last[k] = c.Start
		}
		return c, bad
	}
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// filler reads every bound cell of a record into a row.
func filler[R any](fields []field[R], bound []*column) func(row *R, r *record) []fault.Field {
	setters := make([]func(*R, *column, string) string, len(bound))
	for i, c := range bound {
		for _, f := range fields {
			if f.name == c.field {
				setters[i] = f.set
			}
		}
	}
	return func(row *R, r *record) (bad []fault.Field) {
		for i, c := range bound {
			text := c.read(r)
			if text == "" {
				continue
			}
			if problem := setters[i](row, c, text); problem != "" {
				bad = append(bad, fault.Field{Path: c.field, Value: text, Problem: problem})
			}
		}
		return bad
	}
}

// rows walks the events of one reading of a file.
type rows[T Event] struct {
	table  *Table
	lines  *lines // of NDJSON
	bound  []*column
	decode func(*record) (T, []fault.Field)
	line   func([]byte, *time.Location) (T, []fault.Field)
	zone   *time.Location
	refers func(ids.Merchant, ids.Shop, ids.Queue) []fault.Field
}

// check asks the caller whether the merchant, shop and queue of an event are known.
func (w *rows[T]) check(event T) []fault.Field {
	if w.refers == nil {
		return nil
	}
	switch e := any(event).(type) {
	case chatlog.Conversation:
		return w.refers(e.Merchant, e.Shop, e.Queue)
	case chatlog.Contacts:
		return w.refers(e.Merchant, "", e.Queue)
	default:
		return nil
	}
}

func (s *scan[T]) open() (*rows[T], error) {
	table, err := Open(s.src, s.mapping, s.options.Limits)
	if err != nil {
		return nil, err
	}
	out := &rows[T]{table: table, zone: s.zone, line: s.shape.line, refers: s.options.Refers}
	if table.Format == NDJSON {
		if len(s.mapping.Columns) > 0 || len(s.mapping.Constants) > 0 {
			return nil, refuse(fault.Invalid, "intake.kind", fault.Field{
				File:    s.src.Name,
				Problem: "is NDJSON, which is read in its canonical form: import it without columns and constants",
			})
		}
		out.lines = &lines{r: table.text.r, file: s.src.Name, limit: s.options.Limits.Line}
		return out, nil
	}
	out.bound, _ = bind(s.mapping, table.Header)
	for _, c := range out.bound {
		c.zone = s.zone
		c.epoch = table.book != nil && table.book.Date1904()
	}
	out.decode = s.shape.table(out.bound, s.options)
	return out, nil
}

func (w *rows[T]) format() Format  { return w.table.Format }
func (w *rows[T]) position() int64 { return w.table.position() }

// close drops temporary copies; reading is over, so a failure to remove them changes nothing.
func (w *rows[T]) close() { _ = w.table.Close() }

// next returns the next event, or what is wrong with its row.
func (w *rows[T]) next() (event T, r record, bad []fault.Field, err error) {
	if w.lines != nil {
		return w.nextLine()
	}
	r, err = w.table.nextChecked()
	if err != nil {
		return event, r, nil, w.table.named(err)
	}
	if r.problem != "" {
		return event, r, []fault.Field{w.table.complaint(r)}, nil
	}
	event, bad = w.decode(&r)
	if len(bad) == 0 {
		bad = w.check(event)
	}
	for i := range bad {
		w.place(&bad[i], &r)
	}
	return event, r, bad, nil
}

// place turns a canonical field name into the place in the file.
func (w *rows[T]) place(f *fault.Field, r *record) {
	f.File, f.Row = w.table.source.Name, r.number
	if c := columnOf(w.bound, f.Path); c != nil {
		if f.Column = c.header; len(c.at) > 0 {
			f.Path, f.Value = "", c.read(r)
		}
	}
	f.Value = fault.Shorten(f.Value)
}

func (w *rows[T]) nextLine() (event T, r record, bad []fault.Field, err error) {
	for {
		line, err := w.lines.next()
		if err != nil {
			return event, r, nil, w.table.named(err)
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		r.number = w.lines.number
		w.table.seen = r.number
		if !utf8.Valid(line) {
			bad = []fault.Field{{Problem: "is not UTF-8 text"}}
		} else {
			if event, bad = w.line(line, w.zone); len(bad) == 0 {
				bad = w.check(event)
			}
		}
		if len(bad) > 0 {
			r.cells = []string{string(bytes.ToValidUTF8(line, []byte("�")))}
		}
		for i := range bad {
			bad[i].File, bad[i].Row = w.table.source.Name, r.number
		}
		return event, r, bad, nil
	}
}
