package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// QuarantineState is what has become of a line.
type QuarantineState string

// The states of a quarantined line. A waiting one is landed or dropped; a landed one that is refused
// once more waits again.
const (
	Waiting QuarantineState = "waiting"
	Landed  QuarantineState = "landed"
	Dropped QuarantineState = "dropped"
)

// MaxQuarantined is the most bytes that are kept of one quarantined line.
const MaxQuarantined = 64 << 10

// Quarantined is a line that could not be taken in while the rest of its batch was.
type Quarantined struct {
	ID       string       `json:"id"`    // follows from the line's content
	Batch    ids.Batch    `json:"batch"` // what it came in
	Source   string       `json:"source"`
	Line     int64        `json:"line"`               // 1-based, in its source
	Merchant ids.Merchant `json:"merchant,omitempty"` // when the line says it
	Reason   string       `json:"reason"`
	Text     []byte       `json:"-"`     // at most MaxQuarantined bytes, perhaps no UTF-8
	Bytes    int64        `json:"bytes"` // of the line as it came; above len(Text) when it was cut

	At        time.Time       `json:"at"` // when it came last
	State     QuarantineState `json:"state"`
	SettledAt time.Time       `json:"settled_at,omitzero"`
	SettledBy ids.User        `json:"settled_by,omitempty"`
	Note      string          `json:"note,omitempty"` // why it was dropped
}

// Cut reports whether only the beginning of the line was kept.
func (q Quarantined) Cut() bool { return q.Bytes > int64(len(q.Text)) }

type quarantineRow struct {
	bun.BaseModel `bun:"table:quarantine,alias:t"`
	ID            string `bun:",pk"`
	Batch         string
	Source        string
	Line          int64
	Merchant      string
	Reason        string
	Body          []byte
	Bytes         int64
	At            int64
	State         string
	SettledAt     int64
	SettledBy     string
	Note          string
}

func (r quarantineRow) value() Quarantined {
	return Quarantined{
		ID: r.ID, Batch: ids.Batch(r.Batch), Source: r.Source, Line: r.Line, Merchant: ids.Merchant(r.Merchant), Reason: r.Reason,
		Text: r.Body, Bytes: r.Bytes, At: instant(r.At), State: QuarantineState(r.State), SettledAt: instant(r.SettledAt),
		SettledBy: ids.User(r.SettledBy), Note: r.Note,
	}
}

// QuarantineFilter narrows a list of quarantined lines; empty fields do not.
type QuarantineFilter struct {
	State    QuarantineState
	Batch    ids.Batch
	Merchant ids.Merchant
}

// Quarantine lists quarantined lines, newest first. A scope of merchants sees only lines that name
// its merchants.
func (v *View) Quarantine(ctx context.Context, f QuarantineFilter, p Page) ([]Quarantined, string, error) {
	var rows []quarantineRow
	q := whereText(v.ofMerchants(&rows, "merchant"), "state", string(f.State))
	q = whereText(q, "batch", string(f.Batch))
	q = whereText(q, "merchant", string(f.Merchant))
	next, err := listPage(ctx, q, p, order{"quarantine", []string{"at", "id"}, true}, &rows,
		func(r quarantineRow) []any { return []any{r.At, r.ID} })
	return mapped(rows, quarantineRow.value), next, err
}

// Quarantined reads one quarantined line.
func (v *View) Quarantined(ctx context.Context, id string) (Quarantined, error) {
	var row quarantineRow
	if err := v.ofMerchants(&row, "merchant").Where("id = ?", clean(id)).Scan(ctx); err != nil {
		return Quarantined{}, found(err, "quarantined line", id)
	}
	return row.value(), nil
}

// AddQuarantined keeps lines that could not be taken in, and returns how many are new. A line that
// is there already stays as it is, dropped or waiting; one that had landed waits again. At is that
// of the change, State is not looked at.
func (tx *Tx) AddQuarantined(lines []Quarantined) (added int, err error) {
	const chunk = 200 // bodies are up to 64 KiB each
	for len(lines) > 0 {
		part := lines[:min(chunk, len(lines))]
		n, err := tx.addQuarantined(part)
		if err != nil {
			return 0, err
		}
		added, lines = added+n, lines[len(part):]
	}
	return added, nil
}

func (tx *Tx) addQuarantined(lines []Quarantined) (int, error) {
	wanted := make([]string, len(lines))
	for i, l := range lines {
		wanted[i] = l.ID
	}
	var there []quarantineRow
	err := tx.q.NewSelect().Model(&there).Column("id", "state").Where("id IN (?)", bun.List(wanted)).Scan(tx.ctx)
	if err != nil {
		return 0, translate(err)
	}
	known := keyed(there, func(r quarantineRow) string { return r.ID })
	var fresh []quarantineRow
	reopened := 0
	for _, l := range lines {
		row := quarantineRow{
			ID: l.ID, Batch: string(l.Batch), Source: clean(l.Source), Line: l.Line, Merchant: clean(string(l.Merchant)), Reason: clean(l.Reason),
			Body: append([]byte{}, l.Text...), Bytes: l.Bytes, At: micros(tx.now), State: string(Waiting),
		}
		if len(row.Body) > MaxQuarantined || row.ID == "" {
			return 0, fault.Bad("store.invalid", "quarantine", []fault.Field{{Path: "text", Problem: "must have at most 64 KiB, and the line an id"}})
		}
		old, had := known[row.ID]
		switch {
		case !had:
			fresh = append(fresh, row)
		case old.State == string(Landed):
			if err := tx.write(&row, true); err != nil {
				return 0, err
			}
			reopened++
		}
		known[row.ID] = row
	}
	if err := insertMany(tx, fresh); err != nil {
		return 0, err
	}
	if len(fresh)+reopened == 0 {
		return 0, nil
	}
	return len(fresh), tx.note("quarantine.add", "quarantine", string(lines[0].Batch), "", struct {
		Added    int `json:"added"`
		Reopened int `json:"reopened,omitempty"`
	}{len(fresh), reopened})
}

// SettleQuarantined says what became of a waiting line. ErrNotFound when there is none of that id,
// ErrConflict when it does not wait.
func (tx *Tx) SettleQuarantined(id string, state QuarantineState, note string) error {
	var row quarantineRow
	had, err := tx.load(&row, clean(id))
	switch {
	case err != nil:
		return err
	case !had:
		return missing("quarantined line", id)
	case row.State != string(Waiting):
		return fault.New(fault.Conflict, ErrConflict.Code, "the quarantined line %s is %s already", id, row.State)
	}
	row.State, row.SettledAt, row.SettledBy, row.Note = string(state), micros(tx.now), string(tx.actor.User), clean(note)
	row.Body = append([]byte{}, row.Body...)
	if state != Waiting {
		row.Body = []byte{} // settled lines are only counted; what they said is elsewhere or nowhere
	}
	if err := tx.write(&row, true); err != nil {
		return err
	}
	return tx.note("quarantine."+string(state), "quarantine", row.ID, ids.Merchant(row.Merchant), struct {
		Batch string `json:"batch"`
		Line  int64  `json:"line"`
		Note  string `json:"note,omitempty"`
	}{row.Batch, row.Line, row.Note})
}

// RenewQuarantined notes a new reason for a line that was tried again and refused again. It changes
// nothing when the reason is the same.
func (tx *Tx) RenewQuarantined(id, reason string) error {
	var row quarantineRow
	had, err := tx.load(&row, clean(id))
	if err != nil || !had || row.Reason == clean(reason) {
		return err
	}
	row.Reason, row.Body = clean(reason), append([]byte{}, row.Body...)
	if err := tx.write(&row, true); err != nil {
		return err
	}
	return tx.note("quarantine.renew", "quarantine", row.ID, ids.Merchant(row.Merchant), struct {
		Reason string `json:"reason"`
	}{row.Reason})
}
