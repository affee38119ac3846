package store_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// A wage of 20 rises to 22 on 10 March, to 25 on 1 May and, the same day, to 26: who worked on 9 March is paid 20, on 30
// April 22. When the 26 turn out to hold from 1 April, the 22 end there; from 10 March, the 22 never were.
func testPastPay(t *testing.T, db *store.DB) {
	ctx := t.Context()
	march, april, may := calendar.MakeDate(2027, 3, 10), calendar.MakeDate(2027, 4, 1), calendar.MakeDate(2027, 5, 1)
	type row struct {
		until calendar.Date
		wage  money.Fen
	}
	rows := func() (out []row) {
		all, err := db.In(everything).PastPay(ctx, []ids.Agent{"1003"})
		require.NoError(t, err)
		for _, p := range all {
			assert.Equal(t, workforce.Standard, p.Employment)
			out = append(out, row{p.Until, p.Wage})
		}
		return out
	}
	keep := func(until calendar.Date, held money.Fen) {
		change(t, db, func(tx *store.Tx) error {
			return tx.KeepPay(workforce.PastPay{Agent: "1003", Until: until, Wage: held, Employment: workforce.Standard})
		})
	}
	change(t, db, func(tx *store.Tx) error {
		_, err := tx.PutAgent(agent("1003"), store.NewOnly)
		return err
	})
	assert.Empty(t, rows())
	keep(march, 2000)
	keep(may, 2200)
	keep(may, 2500)
	assert.Equal(t, []row{{march, 2000}, {may, 2200}}, rows())
	keep(april, 2600)
	assert.Equal(t, []row{{march, 2000}, {april, 2200}}, rows())
	keep(march, 2600)
	assert.Equal(t, []row{{march, 2000}}, rows())
	err := db.Change(ctx, system, now, func(tx *store.Tx) error { return tx.KeepPay(workforce.PastPay{Agent: "nobody", Until: may}) })
	codeIs(t, err, store.ErrReference)
}
