package measuring

import (
	"bytes"
	"context"
	"strings"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/stream"
	"github.com/chaoban/chaoban/internal/store"
)

// Retried says what became of quarantined lines that were tried again.
type Retried struct {
	Landed  int64          `json:"landed"`             // taken in now
	Refused int64          `json:"refused"`            // refused again, perhaps for another reason
	Cut     int64          `json:"cut,omitempty"`      // not tried: only a part of the line was kept; send it again
	Reasons []RetryProblem `json:"problems,omitempty"` // of the first refused lines
}

// RetryProblem says why a line is refused again. File and row are those that it came in by.
type RetryProblem struct {
	ID string `json:"id"` // of the quarantined line
	fault.Field
}

// Quarantine lists lines that were refused, newest first. Errors: store.not_found for a merchant that neither
// a line names nor anybody has entered.
func (m *Measuring) Quarantine(ctx context.Context, who access.Principal, f store.QuarantineFilter, p store.Page) ([]store.Quarantined, string, error) {
	view, scope, err := m.gate.Read(who, access.Quarantine)
	if err != nil {
		return nil, "", err
	}
	lines, next, err := view.Quarantine(ctx, f, p)
	if err == nil && len(lines) == 0 { // a line may be here just because nobody knows the merchant that it names
		err = m.gate.Named(ctx, scope, gate.Names{Merchants: gate.One(f.Merchant)})
	}
	return lines, next, err
}

// RetryQuarantined takes in waiting lines whose cause is fixed: those of the ids, or every waiting
// one that the filter leaves when no id is given. A line that is refused again stays, with its new
// reason. Errors: store.not_found, also of a filter's merchant that nobody knows; store.conflict for a named line
// that is not waiting.
func (m *Measuring) RetryQuarantined(ctx context.Context, who access.Principal, ids []string, f store.QuarantineFilter) (Retried, error) {
	var done Retried
	scope, err := access.Decide(who, access.Quarantine)
	if err != nil {
		return done, err
	}
	rules, err := m.admit(ctx, who, scope)
	if err != nil {
		return done, err
	}
	view := m.gate.Store.In(scope)
	if len(ids) > 0 {
		var lines []store.Quarantined
		for _, id := range ids {
			line, err := view.Quarantined(ctx, id)
			if err != nil {
				return done, err
			}
			if line.State != store.Waiting {
				return done, fault.New(fault.Conflict, store.ErrConflict.Code, "the quarantined line %s is %s already", id, line.State)
			}
			lines = append(lines, line)
		}
		return done, m.retry(ctx, who, rules, lines, &done)
	}
	f.State = store.Waiting
	if _, _, err := m.Quarantine(ctx, who, f, store.Page{Limit: 1}); err != nil {
		return done, err
	}
	page := store.Page{Limit: store.MaxLimit}
	for {
		lines, next, err := view.Quarantine(ctx, f, page)
		if err == nil {
			err = m.retry(ctx, who, rules, lines, &done)
		}
		if err != nil || next == "" {
			return done, err
		}
		page.Cursor = next
	}
}

// retry brings lines in as a stream of their own.
func (m *Measuring) retry(ctx context.Context, who access.Principal, rules *admission, lines []store.Quarantined, done *Retried) error {
	var whole []store.Quarantined
	var text bytes.Buffer
	for _, line := range lines {
		if line.Cut() {
			done.Cut++
			continue
		}
		whole = append(whole, line)
		text.Write(line.Text)
		text.WriteByte('\n')
	}
	if len(whole) == 0 {
		return nil
	}
	in := m.streaming(who, "quarantine", rules)
	o := rules.streamOptions(ctx)
	o.AnyText = true
	at := int64(0) // lines dealt with
	_, err := stream.Read(ctx, &text, o, func(b *stream.Batch) error {
		defer b.Release()
		if b.Len() > 0 {
			if err := in.ingest(ctx, b, nil); err != nil {
				return err
			}
		}
		refused := map[int64]string{}
		for _, r := range b.Refused {
			refused[r.Line] = reasonOf(r.Fields)
			if len(done.Reasons) < maxStreamProblems {
				f, line := r.Fields[0], whole[r.Line-1]
				f.File, f.Row, f.Value = line.Source, int(line.Line), fault.Shorten(f.Value)
				done.Reasons = append(done.Reasons, RetryProblem{line.ID, f})
			}
		}
		from := at
		at = b.Lines
		done.Refused += int64(len(refused))
		done.Landed += b.Lines - from - int64(len(refused))
		return m.gate.Store.Change(ctx, who, m.gate.Now(), func(tx *store.Tx) error {
			return settleLines(tx, whole[from:b.Lines], from, refused)
		})
	})
	if err == nil {
		err = rules.failure()
	}
	return err
}

// settleLines notes what became of tried lines, the first of which has the number from+1.
func settleLines(tx *store.Tx, lines []store.Quarantined, from int64, refused map[int64]string) error {
	for i, line := range lines {
		var err error
		if reason, again := refused[from+int64(i)+1]; again {
			err = tx.RenewQuarantined(line.ID, reason)
		} else {
			err = tx.SettleQuarantined(line.ID, store.Landed, "")
		}
		if err != nil && fault.CodeOf(err) != store.ErrConflict.Code { // somebody else tried or dropped it at the same time
			return err
		}
	}
	return nil
}

// DropQuarantined gives up a waiting line for a reason, which is kept while the line itself is not.
// Errors: quarantine.reason, store.not_found, store.conflict.
func (m *Measuring) DropQuarantined(ctx context.Context, who access.Principal, id, reason string) error {
	if _, err := access.Decide(who, access.Quarantine); err != nil {
		return err
	}
	if reason = strings.TrimSpace(reason); reason == "" || len(reason) > 1000 {
		return fault.Bad("quarantine.reason", "", []fault.Field{{Path: "reason", Problem: "must have 1 to 1000 bytes: say why the line is given up"}})
	}
	return m.gate.Store.Change(ctx, who, m.gate.Now(), func(tx *store.Tx) error { return tx.SettleQuarantined(id, store.Dropped, reason) })
}
