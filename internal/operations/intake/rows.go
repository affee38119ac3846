package intake

import (
	"bytes"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// shape is how one kind of event is read from a table row and from a canonical line. zone is that
// of the file, o.Zone that of the business.
type shape[T any] struct {
	kind  Kind
	table func(bound []*column, o Options) func(r *record) (T, []fault.Field)
	lines func(zone *time.Location, o Options) func(line []byte) (T, []fault.Field)
}

// plainLines is for decoders that need nothing but the line.
func plainLines[T any](decode func([]byte) (T, []fault.Field)) func(*time.Location, Options) func([]byte) (T, []fault.Field) {
	return func(*time.Location, Options) func([]byte) (T, []fault.Field) { return decode }
}

func shapeOf[T Event]() shape[T] {
	var found any
	switch any(*new(T)).(type) {
	case chatlog.Conversation:
		found = shape[chatlog.Conversation]{Conversations, conversationTable, conversationLines}
	case chatlog.AgentState:
		found = shape[chatlog.AgentState]{States, stateTable, plainLines(chatlog.DecodeAgentState)}
	case chatlog.Contacts:
		found = shape[chatlog.Contacts]{History, contactsTable, func(zone *time.Location, _ Options) func([]byte) (chatlog.Contacts, []fault.Field) {
			return func(line []byte) (chatlog.Contacts, []fault.Field) { return chatlog.DecodeContacts(line, zone) }
		}}
	case chatlog.Event:
		found = shape[chatlog.Event]{Events, eventTable, eventLines}
	case chatlog.OrderEvent:
		found = shape[chatlog.OrderEvent]{Orders, orderTable, func(_ *time.Location, o Options) func([]byte) (chatlog.OrderEvent, []fault.Field) {
			return o.decoder(o.lineHash()).Order
		}}
	case chatlog.Ticket:
		found = shape[chatlog.Ticket]{Tickets, ticketTable, func(_ *time.Location, o Options) func([]byte) (chatlog.Ticket, []fault.Field) {
			return o.decoder(o.lineHash()).Ticket
		}}
	case chatlog.Assignment:
		found = shape[chatlog.Assignment]{Accounts, accountTable, plainLines(chatlog.DecodeAssignment)}
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
		row.BotAnsweredAt = utc(row.BotAnsweredAt)
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
	line   func([]byte) (T, []fault.Field)
	latest time.Time
	refers func(ids.Merchant, ids.Shop, ids.Queue) []fault.Field
}

// check asks the caller whether the merchant, shop and queue of an event are known, and looks for
// what lies in the future and what the warehouse could not hold. Events, orders and tickets have been looked at for that by their decoder.
func (w *rows[T]) check(event *T) []fault.Field {
	var bad []fault.Field
	refers := w.refers
	if refers == nil {
		refers = func(ids.Merchant, ids.Shop, ids.Queue) []fault.Field { return nil }
	}
	switch e := any(event).(type) {
	case *chatlog.Conversation:
		bad = refers(e.Merchant, e.Shop, e.Queue)
		if !w.latest.IsZero() {
			bad = append(bad, e.Ahead(w.latest)...)
		}
	case *chatlog.AgentState:
		if !w.latest.IsZero() {
			bad = e.Ahead(w.latest)
		}
	case *chatlog.Contacts:
		bad = refers(e.Merchant, "", e.Queue)
	case *chatlog.Event:
		bad = refers(e.Merchant, e.Shop, e.Queue)
	case *chatlog.OrderEvent:
		bad = refers(e.Merchant, e.Shop, e.Queue)
	case *chatlog.Ticket:
		bad = refers(e.Merchant, e.Shop, e.Queue)
	}
	if _, ours := any(event).(*chatlog.Assignment); !ours && len(bad) == 0 {
		if problem := warehouse.Problem(event); problem != "" { // it would refuse the whole batch
			bad = []fault.Field{{Problem: problem}}
		}
	}
	return bad
}

func (s *scan[T]) open() (*rows[T], error) {
	table, err := Open(s.src, s.mapping, s.options.Limits)
	if err != nil {
		return nil, err
	}
	out := &rows[T]{table: table, latest: s.options.Latest, refers: s.options.Refers}
	if table.Format == NDJSON {
		if len(s.mapping.Columns) > 0 || len(s.mapping.Constants) > 0 {
			return nil, refuse(fault.Invalid, "intake.kind", fault.Field{
				File:    s.src.Name,
				Problem: "is NDJSON, which is read in its canonical form: import it without columns and constants",
			})
		}
		out.line = s.shape.lines(s.zone, s.options)
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
		bad = w.check(&event)
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
		if w.lines.long {
			bad = []fault.Field{{Problem: "the record " + w.lines.longProblem()}}
		} else if event, bad = w.line(line); len(bad) == 0 {
			bad = w.check(&event)
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
