package gate

import (
	"context"
	"slices"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

// Names are what the filters of a question name.
type Names struct {
	Merchants []ids.Merchant
	Shops     []ids.Shop
	Queues    []ids.Queue
	Agents    []ids.Agent
}

// One is a list of a filter's only value, or nothing when it is empty.
func One[T ~string](value T) []T {
	if value == "" {
		return nil
	}
	return []T{value}
}

// Named refuses a filter that names what does not exist: an empty answer to a misspelt name would read as
// "nothing happened". What is outside a scope of merchants does not exist either. An agent works for several
// merchants, so of those it is only asked whether they are there; figures of other agents are forbidden.
// Errors: store.not_found, access.forbidden.
func (g Gate) Named(ctx context.Context, scope access.Scope, n Names) error {
	view := g.Store.In(scope)
	if scope.Agent != "" {
		if slices.ContainsFunc(n.Agents, func(id ids.Agent) bool { return id != scope.Agent }) {
			return fault.New(fault.Forbidden, "access.forbidden", "an agent sees its own figures only")
		}
		view = g.Everything()
	}
	for _, id := range n.Merchants {
		if _, err := view.Merchant(ctx, id); err != nil {
			return err
		}
	}
	if err := knownShops(ctx, view, n.Shops); err != nil {
		return err
	}
	for _, id := range n.Queues {
		if _, err := view.Queue(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func knownShops(ctx context.Context, view *store.View, wanted []ids.Shop) error {
	if len(wanted) == 0 {
		return nil
	}
	shops, err := store.All(func(p store.Page) ([]store.Shop, string, error) { return view.Shops(ctx, "", p) })
	if err != nil {
		return err
	}
	known := map[ids.Shop]bool{}
	for _, s := range shops {
		known[s.ID] = true
	}
	for _, id := range wanted {
		if !known[id] {
			return fault.New(fault.NotFound, store.ErrNotFound.Code, "there is no shop %q", fault.Shorten(string(id)))
		}
	}
	return nil
}

// NobodyNamed refuses a filter of agents whose answer is empty when it names somebody nobody has entered.
// Errors: store.not_found.
func (g Gate) NobodyNamed(ctx context.Context, scope access.Scope, wanted []ids.Agent) error {
	if len(wanted) == 0 || scope.Agent != "" {
		return nil
	}
	unknown, err := g.UnknownAgents(ctx, wanted)
	if err == nil && len(unknown) > 0 {
		return fault.New(fault.NotFound, store.ErrNotFound.Code, "there is no agent %q", fault.Shorten(string(unknown[0])))
	}
	return err
}

// UnknownAgents are those of a list that nobody has entered.
func (g Gate) UnknownAgents(ctx context.Context, list []ids.Agent) ([]ids.Agent, error) {
	people, err := Agents(ctx, g.Everything())
	if err != nil {
		return nil, err
	}
	known := map[ids.Agent]bool{}
	for _, a := range people {
		known[a.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(id ids.Agent) bool { return known[id] }), nil
}
