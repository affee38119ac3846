package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// Expired counts the rows that are copies of measurements and have outlived them.
type Expired struct {
	Scorecards      int64 `json:"scorecards"`
	MonthCards      int64 `json:"month_cards"`
	Conversions     int64 `json:"conversions"`
	Reconciliations int64 `json:"reconciliations"`
}

// Sum is all of them.
func (e Expired) Sum() int64 { return e.Scorecards + e.MonthCards + e.Conversions + e.Reconciliations }

// Expire deletes what is about days, and months that ended, before a date. Rows of held merchants
// stay; a daily card is about all merchants together, so while anybody is held all of them stay. A
// held merchant "" holds everything. With dry it only counts.
func (db *DB) Expire(ctx context.Context, before calendar.Date, held []ids.Merchant, dry bool) (Expired, error) {
	var e Expired
	for _, m := range held {
		if m == "" {
			return e, nil
		}
	}
	err := db.plain(ctx, func(tx bun.Tx) error {
		steps := []struct {
			count  *int64
			table  string
			column string
			limit  string
			ours   bool // belongs to a merchant
		}{
			{&e.Scorecards, "scorecards", "day", before.String(), false},
			{&e.MonthCards, "month_cards", "month", before.MonthOf().String(), true},
			{&e.Conversions, "conversions", "day", before.String(), true},
			{&e.Reconciliations, "reconciliations", "day", before.String(), true},
		}
		for _, s := range steps {
			if !s.ours && len(held) > 0 {
				continue
			}
			where, args := "? < ?", []any{bun.Ident(s.column), s.limit}
			if s.ours && len(held) > 0 {
				where, args = where+" AND merchant NOT IN (?)", append(args, bun.List(held))
			}
			if dry {
				n, err := tx.NewSelect().Table(s.table).Where(where, args...).Count(ctx)
				if err != nil {
					return err
				}
				*s.count = n
				continue
			}
			result, err := tx.NewDelete().Table(s.table).Where(where, args...).Exec(ctx)
			if err != nil {
				return err
			}
			if *s.count, err = result.RowsAffected(); err != nil {
				return err
			}
		}
		return nil
	})
	return e, err
}
