package gate

import (
	"context"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

// TellShops says on which platform each shop is, since a platform's metrics count its shops only. It
// runs at the start, after each change of a merchant here, and with each check of the roll-ups for
// changes that another node made.
func (g Gate) TellShops(ctx context.Context) error {
	platforms, err := g.Platforms(ctx)
	if err != nil {
		return err
	}
	g.Warehouse.SetShops(platforms)
	return nil
}

// Platforms tells the platform of every shop of every merchant.
func (g Gate) Platforms(ctx context.Context) (map[ids.Shop]string, error) {
	everything := g.Everything()
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
