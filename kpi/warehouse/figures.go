package warehouse

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// FigureFilter selects what platforms say; empty lists select all in scope.
type FigureFilter struct {
	Dates     calendar.Dates // business dates
	Platform  string         // "" = all
	Merchants []ids.Merchant
	Shops     []ids.Shop
	Accounts  []string // sub-accounts; "" is the shop as a whole
	Items     []string // canonical names
}

func writeFigures(ctx context.Context, conn clickhouse.Conn, all []chatlog.DailyFigure, version uint64) error {
	return insert(ctx, conn, `INSERT INTO platform_figures (merchant, platform, shop, day, account, item, version, header, unit, base,
		value, closed)`, len(all),
		func(to *appender, from, until int) {
			rows := all[from:until]
			column(to, rows, func(f *chatlog.DailyFigure) string { return string(f.Merchant) })
			column(to, rows, func(f *chatlog.DailyFigure) string { return f.Platform })
			column(to, rows, func(f *chatlog.DailyFigure) string { return string(f.Shop) })
			column(to, rows, func(f *chatlog.DailyFigure) time.Time {
				date, _ := calendar.ParseDate(f.Date) // checked before
				return date.In(time.UTC)
			})
			column(to, rows, func(f *chatlog.DailyFigure) string { return f.Account })
			column(to, rows, func(f *chatlog.DailyFigure) string { return f.Item })
			to.next(versions(version, from, until))
			column(to, rows, func(f *chatlog.DailyFigure) string { return f.Header })
			column(to, rows, func(f *chatlog.DailyFigure) string { return f.Unit })
			column(to, rows, func(f *chatlog.DailyFigure) string { return f.Base })
			column(to, rows, func(f *chatlog.DailyFigure) float64 { return f.Value })
			column(to, rows, func(f *chatlog.DailyFigure) bool { return f.Closed })
		})
}

func figureProblem(f *chatlog.DailyFigure) string {
	date, err := calendar.ParseDate(f.Date)
	switch {
	case f.Merchant == "" || f.Platform == "" || f.Item == "":
		return "has no merchant, no platform or no item"
	case err != nil:
		return "has a date that is none"
	case math.IsNaN(f.Value) || math.IsInf(f.Value, 0):
		return "has a value that is no number"
	}
	return instantProblem(date.In(time.UTC))
}

func figuresSQL(scope Scope, f FigureFilter) string {
	where := append(conditions{fmt.Sprintf("day >= '%s'", f.Dates.From)}, scope.merchants(f.Merchants)...)
	if !f.Dates.Until.IsZero() {
		where = append(where, fmt.Sprintf("day < '%s'", f.Dates.Until))
	}
	if f.Platform != "" {
		where = append(where, in("platform", []string{f.Platform}))
	}
	if len(f.Shops) > 0 {
		where = append(where, in("shop", f.Shops))
	}
	if len(f.Accounts) > 0 {
		where = append(where, in("account", f.Accounts))
	}
	if len(f.Items) > 0 {
		where = append(where, in("item", f.Items))
	}
	return fmt.Sprintf(`SELECT toString(platform), toString(merchant), toString(shop), toString(day), toString(account), toString(item),
toString(header), toString(unit), toString(base), value, closed FROM platform_figures FINAL
WHERE %s ORDER BY day, merchant, platform, shop, account, item LIMIT %d`, where, maxOrders+1)
}

// PlatformFigures lists what platforms say about business dates, by date and key; the latest import
// of each figure. In an agent's scope there are none: a platform knows accounts, not people.
// Errors: kpi.list.invalid, kpi.list.too_many above two million figures, warehouse.down and the like.
func (r Reader) PlatformFigures(ctx context.Context, f FigureFilter) ([]chatlog.DailyFigure, error) {
	if f.Dates.From.IsZero() || !f.Dates.Until.IsZero() && !f.Dates.From.Before(f.Dates.Until) {
		return nil, fault.Bad("kpi.list.invalid", "list", []fault.Field{{Path: "dates", Problem: "must have a first date before their end"}})
	}
	if err := checkFilter(len(f.Merchants), len(f.Shops), len(f.Accounts), len(f.Items)); err != nil {
		return nil, err
	}
	if r.scope.empty() || r.scope.Agent != "" {
		return nil, nil
	}
	conn, err := r.w.connection(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := conn.Query(forReading(ctx), figuresSQL(r.scope, f))
	if err != nil {
		return nil, r.w.classify(ctx, err)
	}
	defer rows.Close()
	var list []chatlog.DailyFigure
	for rows.Next() {
		var x chatlog.DailyFigure
		var merchant, shop string
		if err := rows.Scan(&x.Platform, &merchant, &shop, &x.Date, &x.Account, &x.Item, &x.Header, &x.Unit, &x.Base, &x.Value, &x.Closed); err != nil {
			return nil, r.w.classify(ctx, err)
		}
		x.Merchant, x.Shop = ids.Merchant(merchant), ids.Shop(shop)
		list = append(list, x)
	}
	return list, r.whole(ctx, rows.Err(), len(list))
}
