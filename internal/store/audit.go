package store

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// AuditEntry is one link of the audit chain: who did what to which thing when.
type AuditEntry struct {
	Seq       int64           `json:"seq"` // 1, 2, 3 ... without gaps
	At        time.Time       `json:"at"`
	Actor     ids.User        `json:"actor"`
	ActorName string          `json:"actor_name"`
	Role      access.Role     `json:"role"`
	Token     ids.Token       `json:"token,omitempty"` // set when a machine acted
	Action    string          `json:"action"`          // "contract.put"
	Kind      string          `json:"kind"`            // "contract"
	Entity    string          `json:"entity"`          // its id
	Merchant  ids.Merchant    `json:"merchant,omitempty"`
	Detail    json.RawMessage `json:"detail"`
	Prev      string          `json:"prev"` // hash of the link before, empty for the first
	Hash      string          `json:"hash"` // SHA-256 in hex over the canonical form
}

type auditHead struct {
	bun.BaseModel `bun:"table:audit_head"`
	ID            int64 `bun:",pk"`
	Seq           int64
	Hash          string
}

type auditRow struct {
	bun.BaseModel `bun:"table:audit,alias:audit"`
	Seq           int64 `bun:",pk"`
	At            int64
	Actor         string
	ActorName     string
	Role          string
	Token         string
	Action        string
	Kind          string
	Entity        string
	Merchant      string
	Detail        string
	Prev          string
	Hash          string
}

// canonical is what the hash of a row covers: a JSON array of every column but the hash, in the
// order of the table, with the detail as the text that is stored. A JSON array of strings and
// integers has one form only and no two rows share it.
func (r auditRow) canonical() string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode([]any{
		r.Seq, r.At, r.Actor, r.ActorName, r.Role, r.Token, r.Action, r.Kind, r.Entity, r.Merchant, r.Detail, r.Prev,
	})
	if err != nil {
		panic(err) // strings and integers always marshal
	}
	return out.String()
}

func (r auditRow) entry() AuditEntry {
	return AuditEntry{
		Seq: r.Seq, At: instant(r.At), Actor: ids.User(r.Actor), ActorName: r.ActorName, Role: access.Role(r.Role),
		Token: ids.Token(r.Token), Action: r.Action, Kind: r.Kind, Entity: r.Entity, Merchant: ids.Merchant(r.Merchant),
		Detail: json.RawMessage(r.Detail), Prev: r.Prev, Hash: r.Hash,
	}
}

// appendAudit links the events of the change to the chain and moves its head.
func (tx *Tx) appendAudit() error {
	if len(tx.events) == 0 {
		return nil
	}
	rows := make([]auditRow, len(tx.events))
	for i, e := range tx.events {
		r := auditRow{
			Seq: tx.head.Seq + 1, At: micros(e.At), Actor: string(e.Actor), ActorName: e.ActorName, Role: string(e.Role),
			Token: string(e.Token), Action: e.Action, Kind: e.Kind, Entity: e.Entity, Merchant: string(e.Merchant),
			Detail: string(e.Detail), Prev: tx.head.Hash,
		}
		r.Hash = digest(r.canonical())
		rows[i], tx.head.Seq, tx.head.Hash = r, r.Seq, r.Hash
	}
	if err := insertMany(tx, rows); err != nil {
		return err
	}
	return tx.write(&tx.head, true)
}

// AuditProof is what VerifyAudit found.
type AuditProof struct {
	Rows int64  `json:"rows"`
	Head string `json:"head"` // hash of the last row; kept elsewhere it proves that nothing was cut off later
}

// VerifyAudit walks the whole chain in order. ErrAuditBroken names the first broken row: a changed
// one, a missing one, or the place where the end was cut off.
func (db *DB) VerifyAudit(ctx context.Context) (AuditProof, error) {
	var proof AuditProof
	err := db.snapshot(ctx, func(q bun.IDB) error {
		proof = AuditProof{}
		var head auditHead
		if err := q.NewSelect().Model(&head).Where("id = 1").Scan(ctx); err != nil {
			return broken(1, "the head of the chain is gone")
		}
		for {
			var rows []auditRow
			if err := q.NewSelect().Model(&rows).Where("seq > ?", proof.Rows).OrderExpr("seq").Limit(1000).Scan(ctx); err != nil {
				return err
			}
			for _, r := range rows {
				if err := checkLink(r, proof); err != nil {
					return err
				}
				proof = AuditProof{Rows: r.Seq, Head: r.Hash}
			}
			if len(rows) == 0 {
				break
			}
		}
		if head.Seq != proof.Rows || head.Hash != proof.Head {
			return broken(proof.Rows+1, "the chain ends at %d but its head says %d", proof.Rows, head.Seq)
		}
		return nil
	})
	return proof, translate(err)
}

// checkLink compares a row with what the chain before it demands.
func checkLink(r auditRow, before AuditProof) error {
	switch {
	case r.Seq != before.Rows+1:
		return broken(before.Rows+1, "the row is missing")
	case r.Prev != before.Head:
		return broken(r.Seq, "the row does not follow the one before it")
	case r.Hash != digest(r.canonical()):
		return broken(r.Seq, "the row was changed")
	}
	return nil
}

func broken(seq int64, format string, args ...any) error {
	e := fault.New(ErrAuditBroken.Kind, ErrAuditBroken.Code, "audit row %d", seq)
	e.Message += ": " + fault.New(fault.Internal, "", format, args...).Message
	return e
}

// AuditFilter narrows a list of audit rows; empty fields do not.
type AuditFilter struct {
	Actor  ids.User
	Kind   string
	Entity string
	Range  calendar.Range // of At; the zero Range is all time
}

// Audit lists audit rows, newest first.
func (v *View) Audit(ctx context.Context, f AuditFilter, p Page) ([]AuditEntry, string, error) {
	var rows []auditRow
	q := v.general(&rows)
	q = whereText(q, "actor", string(f.Actor))
	q = whereText(q, "kind", f.Kind)
	q = whereText(q, "entity", f.Entity)
	q = whereWithin(q, "at", f.Range)
	next, err := listPage(ctx, q, p, order{"audit", []string{"seq"}, true}, &rows, func(r auditRow) []any { return []any{r.Seq} })
	return mapped(rows, auditRow.entry), next, err
}

// whereText narrows to one value of a column, unless it is empty.
func whereText(q *bun.SelectQuery, column, value string) *bun.SelectQuery {
	if value == "" {
		return q
	}
	return q.Where("? = ?", bun.Ident(column), clean(value))
}

// whereWithin narrows to rows whose instant lies in the range.
func whereWithin(q *bun.SelectQuery, column string, r calendar.Range) *bun.SelectQuery {
	if !r.Start.IsZero() {
		q = q.Where("? >= ?", bun.Ident(column), micros(r.Start))
	}
	if !r.End.IsZero() {
		q = q.Where("? < ?", bun.Ident(column), micros(r.End))
	}
	return q
}

// whereOverlaps narrows to rows whose [start_at, end_at) shares an instant with the range.
func whereOverlaps(q *bun.SelectQuery, r calendar.Range) *bun.SelectQuery {
	if !r.Start.IsZero() {
		q = q.Where("end_at > ?", micros(r.Start))
	}
	if !r.End.IsZero() {
		q = q.Where("start_at < ?", micros(r.End))
	}
	return q
}

// mapped applies f to every row; the result is never nil, so that JSON shows an empty list.
func mapped[R, T any](rows []R, f func(R) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = f(r)
	}
	return out
}

// mappedOr is mapped for an f that can fail.
func mappedOr[R, T any](rows []R, f func(R) (T, error)) ([]T, error) {
	out := make([]T, len(rows))
	for i, r := range rows {
		v, err := f(r)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}
