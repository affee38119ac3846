package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// AlertState is how an alert about our own work stands.
type AlertState string

// The states of an alert: it goes quiet -> firing -> resolved, and from resolved back to firing.
const (
	Quiet    AlertState = "quiet"  // something failed, not often enough to be told
	Firing   AlertState = "firing" // somebody should look
	Resolved AlertState = "resolved"
)

// The kinds of alerts.
const (
	AlertJob     = "job"     // a job that fails again and again
	AlertFinding = "finding" // a job that did its work and found something wrong
)

// Alert is one thing that went wrong with the house's own work, under one name for ever. Alerts
// leave no audit rows: like job runs they are a log by themselves.
type Alert struct {
	Name       string     `json:"name"` // "job:retention", "rollup-verification"
	Kind       string     `json:"kind"`
	State      AlertState `json:"state"`
	Failures   int        `json:"failures"` // in a row; 0 when resolved
	Text       string     `json:"text"`     // what failed last, for people
	Since      time.Time  `json:"since"`    // of the first failure in the row
	FiredAt    time.Time  `json:"fired_at,omitzero"`
	ResolvedAt time.Time  `json:"resolved_at,omitzero"`
	UpdatedAt  time.Time  `json:"updated_at"`
}

type alertRow struct {
	bun.BaseModel `bun:"table:alerts,alias:t"`
	ID            string `bun:",pk"`
	Kind          string
	State         string
	Failures      int
	Text          string
	Since         int64
	FiredAt       int64
	ResolvedAt    int64
	UpdatedAt     int64
}

func (r alertRow) value() Alert {
	return Alert{
		Name: r.ID, Kind: r.Kind, State: AlertState(r.State), Failures: r.Failures, Text: r.Text, Since: instant(r.Since),
		FiredAt: instant(r.FiredAt), ResolvedAt: instant(r.ResolvedAt), UpdatedAt: instant(r.UpdatedAt),
	}
}

// RaiseAlert records one more failure under a name. From the threshold-th in a row on the alert is
// firing; fired is true for the failure that made it so.
func (db *DB) RaiseAlert(ctx context.Context, name, kind, text string, threshold int, at time.Time) (a Alert, fired bool, err error) {
	err = db.onAlert(ctx, name, func(row *alertRow, _ bool) bool {
		fired = false
		if row.Failures == 0 {
			row.Since, row.ResolvedAt = micros(at), 0
			if row.State != string(Firing) {
				row.State, row.FiredAt = string(Quiet), 0
			}
		}
		row.Kind, row.Failures, row.Text, row.UpdatedAt = clean(kind), row.Failures+1, clean(text), micros(at)
		if row.Failures >= threshold && row.State != string(Firing) {
			row.State, row.FiredAt, fired = string(Firing), micros(at), true
		}
		a = row.value()
		return true
	})
	return a, fired, err
}

// SettleAlert records a success under a name: a firing alert is resolved, failures below the
// threshold are forgotten. resolved is true when the alert was firing.
func (db *DB) SettleAlert(ctx context.Context, name string, at time.Time) (a Alert, resolved bool, err error) {
	err = db.onAlert(ctx, name, func(row *alertRow, had bool) bool {
		resolved = row.State == string(Firing)
		if !had || row.Failures == 0 {
			a = row.value()
			return false
		}
		row.Failures, row.UpdatedAt = 0, micros(at)
		if resolved {
			row.State, row.ResolvedAt = string(Resolved), micros(at)
		}
		a = row.value()
		return true
	})
	return a, resolved, err
}

// onAlert changes one alert in a transaction; change says whether there is something to write.
func (db *DB) onAlert(ctx context.Context, name string, change func(row *alertRow, had bool) bool) error {
	return db.plain(ctx, func(tx bun.Tx) error {
		row := alertRow{ID: clean(name), State: string(Quiet)}
		err := tx.NewSelect().Model(&row).WherePK().Scan(ctx)
		had := err == nil
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		switch {
		case !change(&row, had):
			return nil
		case had:
			_, err = tx.NewUpdate().Model(&row).WherePK().Exec(ctx)
		default:
			_, err = tx.NewInsert().Model(&row).Exec(ctx)
		}
		return err
	})
}

// Alerts lists alerts by name, of one state when one is given.
func (v *View) Alerts(ctx context.Context, state AlertState, p Page) ([]Alert, string, error) {
	var rows []alertRow
	q := whereText(v.general(&rows), "state", string(state))
	next, err := listPage(ctx, q, p, order{"alerts", []string{"id"}, false}, &rows, func(r alertRow) []any { return []any{r.ID} })
	return mapped(rows, alertRow.value), next, err
}

// Alert reads one alert; ErrNotFound when nothing ever failed under the name.
func (v *View) Alert(ctx context.Context, name string) (Alert, error) {
	var row alertRow
	if err := v.general(&row).Where("id = ?", clean(name)).Scan(ctx); err != nil {
		return Alert{}, found(err, "alert", name)
	}
	return row.value(), nil
}
