package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Tx is one change in progress. It is valid inside the function given to Change and not safe for
// concurrent use. It carries the context of Change: a change lives exactly as long as that call.
type Tx struct {
	db     *DB
	ctx    context.Context // a Tx never outlives the Change call that made it
	q      bun.Tx
	actor  access.Principal
	now    time.Time
	head   auditHead
	events []AuditEntry // appended to the chain just before the commit
	loose  bool         // something was written since the last audit row
}

// Change runs fn in one transaction on behalf of the actor and appends its audit rows in the same
// transaction. When it returns nil the change is durable; when it returns an error nothing
// happened. An error of fn is passed through.
//
// Changes run one after the other (on PostgreSQL too: the head of the audit chain is locked
// first), so fn sees everything committed before and needs no locks of its own. fn must be quick
// and may run again after another writer was in the way, so it must have no effect outside tx;
// ErrBusy when that does not help. fn must return the error of a method of tx: a change that goes
// on after a half-done write is refused with the fault "store.unfinished".
func (db *DB) Change(ctx context.Context, actor access.Principal, now time.Time, fn func(tx *Tx) error) error {
	if actor.User == "" {
		return fault.New(fault.Unauthenticated, "store.no_actor", "a change needs somebody who makes it")
	}
	if now.IsZero() {
		return fault.New(fault.Internal, "store.no_time", "a change needs its time")
	}
	return db.retry(ctx, func() error {
		return db.write.RunInTx(ctx, nil, func(ctx context.Context, q bun.Tx) error {
			tx := &Tx{db: db, ctx: ctx, q: q, actor: actor, now: now.UTC().Truncate(time.Microsecond)}
			if err := tx.lockHead(); err != nil {
				return err
			}
			if err := fn(tx); err != nil {
				return err
			}
			if tx.loose {
				return fault.New(fault.Internal, "store.unfinished", "a write failed and the change went on")
			}
			return tx.appendAudit()
		})
	})
}

// In reads inside the change: it sees what the change wrote so far.
func (tx *Tx) In(scope access.Scope) *View {
	return &View{db: tx.db, q: tx.q, scope: scope, frozen: true}
}

// Now is the instant of the change.
func (tx *Tx) Now() time.Time { return tx.now }

// Actor is who makes the change.
func (tx *Tx) Actor() access.Principal { return tx.actor }

// lockHead reads the head of the audit chain and keeps other changes out until the commit.
func (tx *Tx) lockHead() error {
	q := tx.q.NewSelect().Model(&tx.head).Where("id = 1")
	if tx.db.dialect == PostgreSQL {
		q = q.For("UPDATE")
	}
	return translate(q.Scan(tx.ctx))
}

// insert adds one row or a slice of rows.
func (tx *Tx) insert(rows any) error {
	tx.loose = true
	_, err := tx.q.NewInsert().Model(rows).Exec(tx.ctx)
	return translate(err)
}

// insertMany adds rows in statements of a bounded size.
func insertMany[R any](tx *Tx, rows []R) error {
	const chunk = 500
	for len(rows) > 0 {
		part := rows[:min(chunk, len(rows))]
		if err := tx.insert(&part); err != nil {
			return err
		}
		rows = rows[len(part):]
	}
	return nil
}

// write inserts a row or replaces the one with the same primary key.
func (tx *Tx) write(row any, exists bool) error {
	if !exists {
		return tx.insert(row)
	}
	tx.loose = true
	_, err := tx.q.NewUpdate().Model(row).WherePK().Exec(tx.ctx)
	return translate(err)
}

// clear deletes the rows of a table where a column has a value, and returns how many there were.
func (tx *Tx) clear(model any, column, value string) (int, error) {
	result, err := tx.q.NewDelete().Model(model).Where("? = ?", bun.Ident(column), clean(value)).Exec(tx.ctx)
	if err != nil {
		tx.loose = true
		return 0, translate(err)
	}
	n, err := result.RowsAffected()
	tx.loose = tx.loose || n > 0
	return int(n), translate(err)
}

// note appends an audit row to the change. detail becomes its JSON; it never holds a secret.
func (tx *Tx) note(action, kind, entity string, merchant ids.Merchant, detail any) error {
	text, err := json.Marshal(detail)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "store.audit", "an audit row cannot be written")
	}
	tx.loose = false
	tx.events = append(tx.events, AuditEntry{
		At: tx.now, Actor: tx.actor.User, ActorName: clean(tx.actor.Name), Role: tx.actor.Role, Token: tx.actor.Token,
		Action: action, Kind: kind, Entity: entity, Merchant: merchant, Detail: text,
	})
	return nil
}

// Note appends an audit row for something that this database does not keep itself, such as an
// export or a look at personal data. action is a verb with its family ("report.download"); detail
// must hold no secret.
func (tx *Tx) Note(action, kind, entity string, merchant ids.Merchant, detail any) error {
	return tx.note(action, kind, entity, merchant, detail)
}
