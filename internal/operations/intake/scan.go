package intake

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Event is what Scan can hand out.
type Event interface {
	chatlog.Conversation | chatlog.AgentState | chatlog.Contacts |
		chatlog.Event | chatlog.OrderEvent | chatlog.Ticket | chatlog.Assignment
}

// Options of a scan. The zero value is all-or-nothing in UTC.
type Options struct {
	Partial  bool      // hand out the good rows although others are bad
	RejectTo io.Writer // with Partial: the rejected rows as CSV with row and reason; nil drops them

	Zone      *time.Location                      // business time zone, for files whose mapping names none; nil = UTC
	HashBuyer func(merchant, buyer string) string // keyed hash of a buyer's name; nil leaves buyers out of tables
	SHA256    string                              // of the file as it lies on disk, when the caller has digested it already

	// HashLines hashes the buyers of NDJSON too, for senders that do not know the key; 32 hexadecimal
	// digits are taken for the keyed hash that the canonical form asks for, and stay. Without it every
	// buyer of a line stays.
	HashLines bool

	// AgentOf says who used a sub-account (子账号) at an instant, or why that is not clear, which rejects
	// the row. It is asked for rows of events, orders and tickets that name an account and no agent.
	// nil = nobody.
	AgentOf func(shop ids.Shop, account string, at time.Time) (agent ids.Agent, problem string)

	Closes func(text string) bool // marks buyers' messages that only close, see chatlog.ClosingRule; nil = none
	Latest time.Time              // last instant that anything may have happened, now + chatlog.ClockSkew; zero = no limit

	// Refers says what is wrong with the merchant, shop and queue a row names; the fields carry the
	// canonical field as Path. The queue is empty where a step of an order names none. nil checks nothing.
	Refers    func(merchant ids.Merchant, shop ids.Shop, queue ids.Queue) []fault.Field
	Row       func(number int)        // told of each good row, in the order they are handed out; nil = nobody
	BatchRows int                     // rows handed out at once; 0 = 10,000
	Progress  func(done, total int64) // in bytes of work, done ascending to total; nil = none
	Limits    Limits                  // zero = DefaultLimits
	HoldRows  int                     // rows held in memory to spare small files a second reading; 0 = 50,000
}

// Summary of a scan.
type Summary struct {
	File     string `json:"file"`
	Format   Format `json:"format"`
	SHA256   string `json:"sha256"` // of the file as it lies on disk
	Rows     int64  `json:"rows"`   // data rows read
	Good     int64  `json:"good"`
	Rejected int64  `json:"rejected"`

	Problems []fault.Field `json:"problems,omitempty"` // the first MaxProblems of the rejected rows
}

// MaxProblems is how many bad cells an error lists; the count is always complete.
const MaxProblems = 20

const (
	defaultBatch = 10_000
	defaultHold  = 50_000
	progressStep = 4096 // rows between two reports
)

// Scan reads a file of events. It reads the whole file once to check every row, and only then
// hands out batches, in file order; memory does not grow with the file. All-or-nothing is the
// default: one bad row and handle is never called. The batch belongs to handle.
//
// Errors: those of Open; intake.mapping, intake.kind (the mapping is for another kind of row),
// intake.rows (bad rows: the first MaxProblems with file, row, column and value, and how many
// there are), intake.changed (the file changed between the two readings), intake.canceled, and
// whatever handle returns, unchanged. With an error other than from handle, intake.changed or
// intake.canceled nothing was handed out.
func Scan[T Event](ctx context.Context, src Source, m Mapping, handle func(batch []T) error, o Options) (Summary, error) {
	return ScanLooking(ctx, src, m, nil, handle, o)
}

// ScanLooking is Scan for who judges the good rows as a whole before the first one is handed out: the first reading shows
// them to look in batches, in file order. look keeps no batch; what it found, handle says when it is first called.
func ScanLooking[T Event](ctx context.Context, src Source, m Mapping, look func(batch []T), handle func(batch []T) error, o Options) (Summary, error) {
	o = o.withDefaults()
	s := &scan[T]{src: src, mapping: m, options: o, shape: shapeOf[T](), look: look, summary: Summary{File: src.Name}}
	if err := s.prepare(ctx); err != nil {
		return s.summary, err
	}
	held, err := s.check(ctx)
	if err != nil {
		return s.summary, err
	}
	if held != nil {
		err = s.handOutHeld(ctx, held, handle)
	} else {
		err = s.handOut(ctx, handle)
	}
	if err == nil {
		s.report(2 * src.Size)
	}
	return s.summary, err
}

// digest is that of the file, read once more only when the caller has not done it.
func (o Options) digest(ctx context.Context, src Source) (string, error) {
	if o.SHA256 != "" {
		return o.SHA256, nil
	}
	return src.Digest(ctx)
}

func (o Options) withDefaults() Options {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.BatchRows <= 0 {
		o.BatchRows = defaultBatch
	}
	if o.HoldRows <= 0 {
		o.HoldRows = defaultHold
	}
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits()
	}
	return o
}

type scan[T Event] struct {
	src     Source
	mapping Mapping
	options Options
	shape   shape[T]
	look    func([]T) // nil = nobody looks
	seen    []T       // good rows that look has not been shown
	zone    *time.Location
	summary Summary
}

// show collects a good row for look and shows a full batch.
func (s *scan[T]) show(event T) {
	if s.look == nil {
		return
	}
	if s.seen = append(s.seen, event); len(s.seen) == s.options.BatchRows {
		s.showRest()
	}
}

func (s *scan[T]) showRest() {
	if len(s.seen) > 0 {
		s.look(s.seen)
		s.seen = s.seen[:0]
	}
}

func (s *scan[T]) prepare(ctx context.Context) error {
	if err := s.mapping.Validate(); err != nil {
		return err
	}
	if s.mapping.Kind != s.shape.kind {
		return fault.New(fault.Invalid, "intake.kind", "the mapping is for %s, but the import is of %s", s.mapping.Kind, s.shape.kind)
	}
	var err error
	if s.zone, err = s.mapping.location(s.options.Zone); err != nil {
		return err
	}
	s.summary.SHA256, err = s.options.digest(ctx, s.src)
	return err
}

func (s *scan[T]) report(done int64) {
	if s.options.Progress != nil {
		s.options.Progress(min(done, 2*s.src.Size), 2*s.src.Size)
	}
}

// check is the first reading. It returns the events when they are few enough to hold.
func (s *scan[T]) check(ctx context.Context) ([]T, error) {
	rows, err := s.open()
	if err != nil {
		return nil, err
	}
	defer rows.close()
	s.summary.Format = rows.format()
	holding, held := true, []T{}
	for {
		event, r, bad, err := rows.next()
		if ended(err) {
			break
		}
		if err != nil {
			return nil, err
		}
		s.summary.Rows++
		if len(bad) == 0 {
			s.show(event)
			if s.options.Row != nil {
				s.options.Row(r.number)
			}
		} else {
			s.summary.Rejected++
			s.summary.Problems = append(s.summary.Problems, bad[:min(len(bad), MaxProblems-len(s.summary.Problems))]...)
		}
		if holding = holding && len(bad) == 0 && len(held) < s.options.HoldRows; holding {
			held = append(held, event)
		} else {
			held = nil
		}
		if s.summary.Rows%progressStep == 0 {
			if err := ctx.Err(); err != nil {
				return nil, canceled(err)
			}
			s.report(rows.position())
		}
	}
	err = s.verdict()
	if err == nil {
		s.showRest()
	}
	s.seen = nil
	return held, err
}

// verdict decides whether anything may be handed out.
func (s *scan[T]) verdict() error {
	u := &s.summary
	u.Good = u.Rows - u.Rejected
	switch {
	case u.Rows == 0:
		return refuse(fault.Invalid, "intake.empty", fault.Field{File: s.src.Name, Problem: "has a header and no rows"})
	case u.Rejected > 0 && (!s.options.Partial || u.Good == 0):
		message := fmt.Sprintf("%d of %d rows are bad, nothing was imported", u.Rejected, u.Rows)
		if u.Rejected > 1 && len(u.Problems) == MaxProblems {
			message += fmt.Sprintf("; the first %d problems", MaxProblems)
		}
		return fault.Bad("intake.rows", message, u.Problems)
	}
	return nil
}

func (s *scan[T]) handOutHeld(ctx context.Context, held []T, handle func([]T) error) error {
	for len(held) > 0 {
		if err := ctx.Err(); err != nil {
			return canceled(err)
		}
		n := min(len(held), s.options.BatchRows)
		if err := handle(held[:n:n]); err != nil {
			return err
		}
		held = held[n:]
	}
	return nil
}

// handOut is the second reading.
func (s *scan[T]) handOut(ctx context.Context, handle func([]T) error) error {
	rows, err := s.open()
	if err != nil {
		return err
	}
	defer rows.close()
	rejects := newRejects(s.options, rows)
	changed := fault.New(fault.Conflict, "intake.changed", "%s changed while it was read; import it again", s.src.Name)
	var good, rejected int64
	batch := make([]T, 0, s.options.BatchRows)
	flush := func() error {
		if err := ctx.Err(); err != nil {
			return canceled(err)
		}
		if len(batch) == 0 {
			return nil
		}
		err := handle(batch)
		batch = make([]T, 0, s.options.BatchRows)
		s.report(s.src.Size + rows.position())
		return err
	}
	for {
		event, r, bad, err := rows.next()
		if ended(err) {
			break
		}
		if err != nil {
			return err
		}
		if len(bad) > 0 {
			if rejected++; rejected > s.summary.Rejected {
				return changed
			}
			if err := rejects.write(r, bad); err != nil {
				return err
			}
			continue
		}
		if good++; good > s.summary.Good {
			return changed
		}
		if batch = append(batch, event); len(batch) == s.options.BatchRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if good != s.summary.Good || rejected != s.summary.Rejected {
		return changed
	}
	if err := flush(); err != nil {
		return err
	}
	return rejects.flush()
}
