package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Account is one dated assignment of a platform's sub-account (子账号) to a person. Its ID follows
// from platform, shop, account, agent and From; Until is what may change about it.
type Account struct {
	ID string `json:"id"`
	chatlog.Assignment
	Meta
}

type accountRow struct {
	bun.BaseModel `bun:"table:accounts,alias:t"`
	ID            string `bun:",pk"`
	Platform      string
	Shop          string
	Account       string
	Agent         string
	FromAt        int64
	UntilAt       int64
	stamp
}

func (r accountRow) value() Account {
	return Account{ID: r.ID, Meta: r.meta(), Assignment: chatlog.Assignment{
		Platform: r.Platform, Shop: ids.Shop(r.Shop), Account: r.Account, Agent: ids.Agent(r.Agent),
		From: instant(r.FromAt), Until: instant(r.UntilAt),
	}}
}

// AccountID names an assignment: 32 hexadecimal digits of a digest of its key.
func AccountID(a chatlog.Assignment) string {
	key, err := json.Marshal([]any{clean(a.Platform), clean(string(a.Shop)), clean(a.Account), clean(string(a.Agent)), micros(a.From)})
	if err != nil {
		panic(err) // strings and an integer always marshal
	}
	return digest(string(key))[:32]
}

// AccountFilter narrows a list of assignments; empty fields do not.
type AccountFilter struct {
	Platform string
	Shop     ids.Shop
	Account  string
	Agent    ids.Agent
	At       time.Time // in force at this instant
}

// Accounts lists assignments by shop, account and beginning. An agent sees its own.
func (v *View) Accounts(ctx context.Context, f AccountFilter, p Page) ([]Account, string, error) {
	var rows []accountRow
	q := whereText(v.ofAgents(&rows, "agent"), "platform", f.Platform)
	q = whereText(q, "shop", string(f.Shop))
	q = whereText(q, "account", f.Account)
	q = whereText(q, "agent", string(f.Agent))
	if at := micros(f.At); at != 0 {
		q = q.Where("from_at <= ? AND (until_at = 0 OR until_at > ?)", at, at)
	}
	next, err := listPage(ctx, q, p, order{"accounts", []string{"shop", "account", "from_at", "id"}, false}, &rows,
		func(r accountRow) []any { return []any{r.Shop, r.Account, r.FromAt, r.ID} })
	return mapped(rows, accountRow.value), next, err
}

// PutAccounts adds assignments or moves their ends; assignments that are not named stay. The same
// content again changes nothing. ErrReference lists every unknown shop and agent at once; an
// assignment named twice is the fault "store.invalid".
func (tx *Tx) PutAccounts(assignments []chatlog.Assignment) (PutResult, error) {
	var result PutResult
	if err := tx.checkAssigned(assignments); err != nil {
		return result, err
	}
	for _, a := range assignments {
		row := accountRow{
			ID: AccountID(a), Platform: clean(a.Platform), Shop: string(a.Shop), Account: clean(a.Account), Agent: string(a.Agent),
			FromAt: micros(a.From), UntilAt: micros(a.Until),
		}
		var old accountRow
		had, err := tx.load(&old, row.ID)
		if err != nil {
			return PutResult{}, err
		}
		next, changed, err := admit("account", row.ID, had, old.stamp, old.UntilAt == row.UntilAt, AnyVersion, tx.now)
		switch {
		case err != nil:
			return PutResult{}, err
		case !changed:
			result.Unchanged++
			continue
		case had:
			result.Changed++
		default:
			result.Added++
		}
		row.stamp = next
		if err := tx.write(&row, had); err != nil {
			return PutResult{}, err
		}
		if err := tx.note("account.put", "account", row.ID, "", row.value()); err != nil {
			return PutResult{}, err
		}
	}
	return result, nil
}

// DeleteAccount removes an assignment that was wrong. ErrNotFound when there is none of that id.
func (tx *Tx) DeleteAccount(id string) error {
	var old accountRow
	had, err := tx.load(&old, clean(id))
	if err != nil {
		return err
	}
	if !had {
		return missing("account assignment", id)
	}
	if err := tx.remove(&old, "account", old.ID); err != nil {
		return err
	}
	return tx.note("account.delete", "account", old.ID, "", old.value())
}

// checkAssigned names every shop and agent that does not exist, and every assignment that is there
// twice.
func (tx *Tx) checkAssigned(assignments []chatlog.Assignment) error {
	var shops, agents []string
	if err := tx.q.NewSelect().Model((*shopRow)(nil)).Column("id").Scan(tx.ctx, &shops); err != nil {
		return translate(err)
	}
	if err := tx.q.NewSelect().Model((*agentRow)(nil)).Column("id").Scan(tx.ctx, &agents); err != nil {
		return translate(err)
	}
	self := func(s string) string { return s }
	knownShops, knownAgents := keyed(shops, self), keyed(agents, self)
	var bad, twice []fault.Field
	seen := make(map[string]bool, len(assignments))
	for i, a := range assignments {
		if !has(knownShops, string(a.Shop)) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("accounts[%d].shop", i), Value: string(a.Shop), Problem: "is no shop we know"})
		}
		if !has(knownAgents, string(a.Agent)) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("accounts[%d].agent", i), Value: string(a.Agent), Problem: "is no agent we know"})
		}
		if id := AccountID(a); seen[id] {
			twice = append(twice, fault.Field{Path: fmt.Sprintf("accounts[%d]", i), Value: a.Account, Problem: "is there twice: same platform, shop, account, agent and from"})
		} else {
			seen[id] = true
		}
	}
	if err := fault.Bad(ErrReference.Code, "accounts", bad); err != nil {
		return err
	}
	return fault.Bad("store.invalid", "accounts", twice)
}
