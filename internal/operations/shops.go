package operations

import (
	"context"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

// Start tells the warehouse what it needs of the stores before the first question. Call it once the
// stores are open. It does not need the engine.
func (o *Operations) Start(ctx context.Context) error { return o.Measuring.tellShops(ctx) }

// tellShops says on which platform each shop is, since a platform's metrics count its shops only. It
// runs at the start, after each change of a merchant here, and with each check of the roll-ups for
// changes that another node made.
func (b base) tellShops(ctx context.Context) error {
	platforms, err := b.platforms(ctx)
	if err != nil {
		return err
	}
	b.deps.Warehouse.SetShops(platforms)
	return nil
}

// platforms tells the platform of every shop of every merchant.
func (b base) platforms(ctx context.Context) (map[ids.Shop]string, error) {
	everything := b.deps.Store.In(access.Scope{Everything: true})
	merchants, err := store.All(func(p store.Page) ([]store.Stored[contracts.Merchant], string, error) {
		return everything.Merchants(ctx, p)
	})
	if err != nil {
		return nil, err
	}
	out := map[ids.Shop]string{}
	for _, m := range merchants {
		for _, s := range m.Value.Shops {
			out[s.ID] = string(s.Platform)
		}
	}
	return out, nil
}
