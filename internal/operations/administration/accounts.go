package administration

import (
	"context"
	"fmt"
	"slices"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Accounts lists who uses which of the platforms' sub-accounts from when until when.
// Errors: store.not_found for a shop or an agent that nobody knows, assignment.invalid for such a platform.
func (a *Administration) Accounts(ctx context.Context, who access.Principal, f store.AccountFilter, p store.Page) ([]store.Account, string, error) {
	view, scope, err := a.gate.Read(who, access.ReadAgents)
	if err != nil {
		return nil, "", err
	}
	if f.Platform != "" && !slices.Contains(contracts.Platforms, contracts.Platform(f.Platform)) {
		problem := fmt.Sprintf("must be one of %s", fault.Names(contracts.Platforms))
		return nil, "", fault.Bad("assignment.invalid", "accounts", []fault.Field{{Path: "platform", Value: fault.Shorten(f.Platform), Problem: problem}})
	}
	if err := a.gate.Named(ctx, scope, gate.Names{Shops: gate.One(f.Shop), Agents: gate.One(f.Agent)}); err != nil {
		return nil, "", err
	}
	list, next, err := view.Accounts(ctx, f, p)
	if err == nil && len(list) == 0 {
		err = a.gate.NobodyNamed(ctx, scope, gate.One(f.Agent))
	}
	return list, next, err
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
	err = a.gate.Store.Change(ctx, who, a.gate.Now(), func(tx *store.Tx) (err error) {
		done, err = gate.PutAccounts(ctx, tx, assignments)
		return err
	})
	return done, err
}

// DeleteAccount takes back an assignment that was wrong. Errors: store.not_found.
func (a *Administration) DeleteAccount(ctx context.Context, who access.Principal, id string) error {
	if _, err := access.Decide(who, access.WriteAgents); err != nil {
		return err
	}
	return a.gate.Store.Change(ctx, who, a.gate.Now(), func(tx *store.Tx) error { return tx.DeleteAccount(id) })
}
