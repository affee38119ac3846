package gate

import (
	"context"
	"fmt"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// Agents reads all agents in the scope of a view.
func Agents(ctx context.Context, view *store.View) ([]workforce.Agent, error) {
	found, err := store.All(func(page store.Page) ([]store.Stored[workforce.Agent], string, error) {
		return view.Agents(ctx, store.AgentFilter{}, page)
	})
	if err != nil {
		return nil, err
	}
	people := make([]workforce.Agent, len(found))
	for i, a := range found {
		people[i] = a.Value
	}
	return people, nil
}

// PutAccounts writes assignments whose shop is on the platform they name: an account is looked for
// under its shop's platform, so another one would never be found.
func PutAccounts(ctx context.Context, tx *store.Tx, assignments []chatlog.Assignment) (store.PutResult, error) {
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
