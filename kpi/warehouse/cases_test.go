package warehouse

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/casefile"
)

// Every case that a supervisor can review, under the rules that the files state. All cases of a zone
// are in one warehouse, each with merchants and shops of its own.
func TestCasesInSQL(t *testing.T) {
	t.Parallel()
	suite, err := casefile.Load(os.DirFS("../testdata/cases"))
	require.NoError(t, err)
	type group struct {
		zone string
		any  bool // a case without a platform is about the rule, whoever has it
	}
	cases := map[group][]casefile.Case{}
	for _, c := range suite.Cases {
		g := group{c.Zone.String(), c.Platform == ""}
		cases[g] = append(cases[g], c)
	}
	for g, list := range cases {
		config := DefaultConfig()
		config.TimeZone = g.zone
		w, err := Open(t.Context(), config, Fixed(enginetest.Start(t)), nil)
		require.NoError(t, explain(err))
		t.Cleanup(func() { _ = w.Close() })
		definitions := slices.Clone(suite.Rules)
		for i := range definitions {
			if g.any {
				definitions[i].Platforms = nil
			}
		}
		all, platforms := Batch{ID: "cases"}, map[ids.Shop]string{}
		for n, c := range list {
			for shop, platform := range c.Shops() {
				platforms[ids.Shop(fmt.Sprint(n, "/", shop))] = platform
			}
			addCase(&all, c, fmt.Sprint(n, "/"))
		}
		use(t, w, definitions, platforms)
		ingest(t, w, all)
		refresh(t, w)
		for n, c := range list {
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				answerCase(t, w, c, fmt.Sprint(n, "/"))
			})
		}
	}
}

// addCase adds what happened in a case, with names of its own.
func addCase(b *Batch, c casefile.Case, own string) {
	place := func(merchant *ids.Merchant, shop *ids.Shop) {
		*merchant, *shop = ids.Merchant(own)+*merchant, ids.Shop(own)+*shop
	}
	for _, x := range c.Conversations {
		place(&x.Merchant, &x.Shop)
		b.Conversations = append(b.Conversations, x)
	}
	for _, x := range c.Events {
		place(&x.Merchant, &x.Shop)
		b.Events = append(b.Events, x)
	}
	for _, x := range c.Orders {
		place(&x.Merchant, &x.Shop)
		b.Orders = append(b.Orders, x)
	}
	for _, x := range c.Tickets {
		place(&x.Merchant, &x.Shop)
		b.Tickets = append(b.Tickets, x)
	}
}

func answerCase(t *testing.T, w *Warehouse, c casefile.Case, own string) {
	var mine Scope
	for _, x := range c.Timelines {
		mine.Merchants = append(mine.Merchants, ids.Merchant(own)+x.Merchant)
	}
	for _, x := range c.Orders {
		mine.Merchants = append(mine.Merchants, ids.Merchant(own)+x.Merchant)
	}
	for _, x := range c.Tickets {
		mine.Merchants = append(mine.Merchants, ids.Merchant(own)+x.Merchant)
	}
	slices.Sort(mine.Merchants)
	mine.Merchants = slices.Compact(mine.Merchants)
	for _, e := range c.Expects {
		q := e.Query
		q.Version = e.Version
		readings := ask(t, w, mine, q)
		for i, r := range readings {
			readings[i].Merchant = ids.Merchant(strings.TrimPrefix(string(r.Merchant), own))
			readings[i].Shop = ids.Shop(strings.TrimPrefix(string(r.Shop), own))
		}
		assert.Empty(t, e.Check(e.Pick(readings)))
	}
}
