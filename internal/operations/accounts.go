package operations

import (
	"context"
	"fmt"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Accounts lists who uses which of the platforms' sub-accounts from when until when.
func (a *Administration) Accounts(ctx context.Context, who access.Principal, f store.AccountFilter, p store.Page) ([]store.Account, string, error) {
	view, _, err := a.read(who, access.ReadAgents)
	if err != nil {
		return nil, "", err
	}
	return view.Accounts(ctx, f, p)
}

// PutAccounts adds assignments of accounts or moves their ends. What was imported before keeps the
// people it was given; the same file imported again follows the new assignments.
// Errors: assignment.invalid, store.reference.
func (a *Administration) PutAccounts(ctx context.Context, who access.Principal, assignments []chatlog.Assignment) (done store.PutResult, err error) {
	if _, err := access.Decide(who, access.WriteAgents); err != nil {
		return done, err
	}
	if _, err := chatlog.NewAssignments(assignments); err != nil {
		return done, err
	}
	err = a.deps.Store.Change(ctx, who, a.deps.Now(), func(tx *store.Tx) (err error) {
		done, err = a.putAccounts(ctx, tx, assignments)
		return err
	})
	return done, err
}

// DeleteAccount takes back an assignment that was wrong. Errors: store.not_found.
func (a *Administration) DeleteAccount(ctx context.Context, who access.Principal, id string) error {
	if _, err := access.Decide(who, access.WriteAgents); err != nil {
		return err
	}
	return a.deps.Store.Change(ctx, who, a.deps.Now(), func(tx *store.Tx) error { return tx.DeleteAccount(id) })
}

// putAccounts writes assignments whose shop is on the platform they name: an account is looked for
// under its shop's platform, so another one would never be found.
func (b base) putAccounts(ctx context.Context, tx *store.Tx, assignments []chatlog.Assignment) (store.PutResult, error) {
	view := tx.In(access.Scope{Everything: true})
	shops, err := store.All(func(p store.Page) ([]store.Shop, string, error) { return view.Shops(ctx, "", p) })
	if err != nil {
		return store.PutResult{}, err
	}
	platforms := make(map[ids.Shop]string, len(shops))
	for _, s := range shops {
		platforms[s.ID] = string(s.Platform)
	}
	var bad []fault.Field
	for i, a := range assignments {
		if on, known := platforms[a.Shop]; known && on != a.Platform {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("accounts[%d].platform", i), Value: a.Platform, Problem: fmt.Sprintf("the shop %s is on %s", a.Shop, on)})
		}
	}
	if err := fault.Bad("assignment.invalid", "accounts", bad); err != nil {
		return store.PutResult{}, err
	}
	return tx.PutAccounts(assignments)
}
