package gate

import (
	"context"
	"fmt"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling"
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
// under its shop's platform, so another one would never be found. Errors: assignment.invalid with every bad
// field, whose Path begins with accounts[i].
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
	people, err := Agents(ctx, view)
	if err != nil {
		return store.PutResult{}, err
	}
	known := make(map[ids.Agent]bool, len(people))
	for _, p := range people {
		known[p.ID] = true
	}
	var bad []fault.Field
	for i, a := range assignments {
		complain := func(name, value, problem string) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("accounts[%d].%s", i, name), Value: value, Problem: problem})
		}
		on, there := platforms[a.Shop]
		switch {
		case !there:
			complain("shop", string(a.Shop), "is no shop we know; add it to the merchant's contract file first")
		case on != a.Platform:
			complain("platform", a.Platform, fmt.Sprintf("the shop %s is on %s", a.Shop, on))
		}
		if !known[a.Agent] {
			complain("agent", string(a.Agent), "is nobody we know; enter the agent first")
		}
	}
	if err := fault.Bad("assignment.invalid", "accounts", bad); err != nil {
		return store.PutResult{}, err
	}
	return tx.PutAccounts(assignments)
}

// Doubled says of which of the accounts two people are the users at one time. That is no error, because it only
// matters when something happens then; such rows are refused.
func Doubled(ctx context.Context, view *store.View, assignments []chatlog.Assignment) (notes []string, err error) {
	seen := map[string]bool{}
	for _, a := range assignments {
		if seen[string(a.Shop)+" "+a.Account] {
			continue
		}
		seen[string(a.Shop)+" "+a.Account] = true
		all, err := store.All(func(p store.Page) ([]store.Account, string, error) {
			return view.Accounts(ctx, store.AccountFilter{Platform: a.Platform, Shop: a.Shop, Account: a.Account}, p)
		})
		if err != nil {
			return nil, err
		}
		for i := 1; i < len(all); i++ { // sorted by beginning
			before, next := all[i-1], all[i]
			if before.Agent != next.Agent && (before.Until.IsZero() || next.From.Before(before.Until)) {
				notes = append(notes, fmt.Sprintf("%s of %s is used by %s and %s at once from %s on: what happens then will be refused until one of them ends",
					a.Account, a.Shop, before.Agent, next.Agent, next.From.UTC().Format(time.RFC3339)))
			}
		}
	}
	return notes, nil
}

// PublishedShifts are the binding shifts that start in a range, by start.
func PublishedShifts(ctx context.Context, view *store.View, r calendar.Range) ([]scheduling.Shift, error) {
	found, err := store.All(func(p store.Page) ([]store.Shift, string, error) {
		return view.Shifts(ctx, store.ShiftFilter{State: store.Published, Range: r}, p)
	})
	if err != nil {
		return nil, err
	}
	out := make([]scheduling.Shift, 0, len(found))
	for _, s := range found {
		if r.Contains(s.Start) {
			out = append(out, s.Shift)
		}
	}
	return out, nil
}
