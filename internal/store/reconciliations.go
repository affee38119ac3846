package store

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// Reconciliation is how the platform's figures of one shop and business day compared with ours when
// they were compared last.
type Reconciliation struct {
	Merchant  ids.Merchant  `json:"merchant"`
	Shop      ids.Shop      `json:"shop"`
	Platform  string        `json:"platform"`
	Date      calendar.Date `json:"date"`
	Closed    bool          `json:"closed"`    // the platform cannot change it any more
	Compared  int           `json:"compared"`  // items that both sides have on one base
	Equal     int           `json:"equal"`     // within the rounding of the platform's format
	Different int           `json:"different"` // Equal + Different = Compared
	Beyond    int           `json:"beyond"`    // different by more than the configured tolerance
	Missing   int           `json:"missing"`   // only one side has it, or the bases differ
	Worst     float64       `json:"worst"`     // largest relative difference
	WorstItem string        `json:"worst_item,omitempty"`
	At        time.Time     `json:"at"`
}

type reconciliationRow struct {
	bun.BaseModel `bun:"table:reconciliations,alias:t"`
	Merchant      string `bun:",pk"`
	Shop          string `bun:",pk"`
	Platform      string `bun:",pk"`
	Day           string `bun:",pk"`
	Closed        bool
	Compared      int
	Equal         int
	Different     int
	Beyond        int
	Missing       int
	Worst         float64
	WorstItem     string
	At            int64
}

func (r reconciliationRow) value() (Reconciliation, error) {
	date, err := calendar.ParseDate(r.Day)
	return Reconciliation{
		Merchant: ids.Merchant(r.Merchant), Shop: ids.Shop(r.Shop), Platform: r.Platform, Date: date, Closed: r.Closed, Compared: r.Compared,
		Equal: r.Equal, Different: r.Different, Beyond: r.Beyond, Missing: r.Missing, Worst: r.Worst, WorstItem: r.WorstItem, At: instant(r.At),
	}, err
}

// ReconciliationFilter narrows a list of comparisons; empty fields do not.
type ReconciliationFilter struct {
	Merchant ids.Merchant
	Shop     ids.Shop
	Dates    calendar.Dates // a zero From or Until is open
}

// Reconciliations lists comparisons, newest day first.
func (v *View) Reconciliations(ctx context.Context, f ReconciliationFilter, p Page) ([]Reconciliation, string, error) {
	var rows []reconciliationRow
	q := whereText(whereText(v.ofMerchants(&rows, "merchant"), "merchant", string(f.Merchant)), "shop", string(f.Shop))
	next, err := listPage(ctx, whereDays(q, f.Dates), p, order{"reconciliations", []string{"day", "merchant", "shop", "platform"}, true}, &rows,
		func(r reconciliationRow) []any { return []any{r.Day, r.Merchant, r.Shop, r.Platform} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, reconciliationRow.value)
	return list, next, err
}

// PutReconciliations replaces the comparisons of the days they name; At is that of the change. The
// rest stays. A comparison that came out as before changes nothing.
func (tx *Tx) PutReconciliations(all []Reconciliation) (PutResult, error) {
	var result PutResult
	for _, c := range all {
		row := reconciliationRow{
			Merchant: clean(string(c.Merchant)), Shop: clean(string(c.Shop)), Platform: clean(c.Platform), Day: c.Date.String(), Closed: c.Closed,
			Compared: c.Compared, Equal: c.Equal, Different: c.Different, Beyond: c.Beyond, Missing: c.Missing, Worst: c.Worst,
			WorstItem: clean(c.WorstItem), At: micros(tx.now),
		}
		var old []reconciliationRow
		if err := tx.q.NewSelect().Model(&old).Where("merchant = ? AND shop = ? AND platform = ? AND day = ?", row.Merchant, row.Shop, row.Platform, row.Day).Scan(tx.ctx); err != nil {
			return result, translate(err)
		}
		if len(old) == 1 {
			old[0].At = row.At
			if old[0] == row {
				result.Unchanged++
				continue
			}
			result.Changed++
		} else {
			result.Added++
		}
		if err := tx.write(&row, len(old) == 1); err != nil {
			return result, err
		}
	}
	if result.Added+result.Changed == 0 {
		return result, nil
	}
	return result, tx.note("reconciliations.put", "reconciliations", fmt.Sprint(len(all)), "", result)
}
