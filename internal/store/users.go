package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// User is a person who logs in.
type User struct {
	ID           ids.User     `json:"id"`
	Login        string       `json:"login"` // unique whatever the case; kept in lower case
	Name         string       `json:"name"`
	Role         access.Role  `json:"role"`
	Merchant     ids.Merchant `json:"merchant,omitempty"` // of a client
	Agent        ids.Agent    `json:"agent,omitempty"`    // of an agent
	PasswordHash string       `json:"-"`                  // argon2id in its text form; filled for authentication only
	Disabled     bool         `json:"disabled"`
	CreatedAt    time.Time    `json:"created_at"`
	Meta
}

// Principal is the user as one who asks.
func (u User) Principal() access.Principal {
	return access.Principal{User: u.ID, Name: u.Name, Role: u.Role, Merchant: u.Merchant, Agent: u.Agent}
}

type userRow struct {
	bun.BaseModel `bun:"table:users,alias:t"`
	ID            string `bun:",pk"`
	Login         string
	Name          string
	Role          string
	Merchant      string `bun:",nullzero"`
	Agent         string `bun:",nullzero"`
	PasswordHash  string
	Disabled      bool
	CreatedAt     int64
	stamp
}

// public is the user without the password hash.
func (r userRow) public() User {
	return User{
		ID: ids.User(r.ID), Login: r.Login, Name: r.Name, Role: access.Role(r.Role), Merchant: ids.Merchant(r.Merchant),
		Agent: ids.Agent(r.Agent), Disabled: r.Disabled, CreatedAt: instant(r.CreatedAt), Meta: r.meta(),
	}
}

// same reports equal content, whatever the stamps.
func (r userRow) same(o userRow) bool {
	r.stamp, o.stamp, r.CreatedAt, o.CreatedAt = stamp{}, stamp{}, 0, 0
	return r == o
}

// loginText is the form in which logins are compared.
func loginText(login string) string { return strings.ToLower(strings.TrimSpace(clean(login))) }

// Users lists users by login, without password hashes.
func (v *View) Users(ctx context.Context, p Page) ([]User, string, error) {
	var rows []userRow
	next, err := listPage(ctx, v.general(&rows), p, order{"users", []string{"login"}, false}, &rows,
		func(r userRow) []any { return []any{r.Login} })
	if err != nil {
		return nil, "", err
	}
	return mapped(rows, userRow.public), next, nil
}

// User reads one user, without the password hash.
func (v *View) User(ctx context.Context, id ids.User) (User, error) {
	var row userRow
	if err := v.general(&row).Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return User{}, found(err, "user", string(id))
	}
	return row.public(), nil
}

// UserByLogin reads a user with the password hash, for authentication. Disabled users are
// returned; the caller refuses them.
func (db *DB) UserByLogin(ctx context.Context, login string) (User, error) {
	var row userRow
	if err := db.read.NewSelect().Model(&row).Where("login = ?", loginText(login)).Scan(ctx); err != nil {
		return User{}, found(err, "user", login)
	}
	u := row.public()
	u.PasswordHash = row.PasswordHash
	return u, nil
}

// PutUser adds or replaces a user; expect as in PutMerchant. An empty PasswordHash keeps the one
// that is stored. CreatedAt is set by the first write. A new password hash, another role or
// Disabled ends the user's sessions. ErrConflict when somebody else has the login, ErrReference
// when the merchant or the agent is unknown.
func (tx *Tx) PutUser(u User, expect int) (Meta, error) {
	var old userRow
	had, err := tx.load(&old, string(u.ID))
	if err != nil {
		return Meta{}, err
	}
	row := userRow{
		ID: string(u.ID), Login: loginText(u.Login), Name: clean(u.Name), Role: string(u.Role), Merchant: string(u.Merchant),
		Agent: string(u.Agent), PasswordHash: u.PasswordHash, Disabled: u.Disabled, CreatedAt: micros(tx.now),
	}
	if had {
		row.CreatedAt = old.CreatedAt
		if row.PasswordHash == "" {
			row.PasswordHash = old.PasswordHash
		}
	}
	next, changed, err := admit("user", row.ID, had, old.stamp, had && row.same(old), expect, tx.now)
	if err != nil || !changed {
		return next.meta(), err
	}
	row.stamp = next
	if err := tx.write(&row, had); err != nil {
		if errors.Is(err, ErrConflict) {
			return Meta{}, fault.Wrap(err, fault.Conflict, ErrConflict.Code, "the login %q is taken", fault.Shorten(row.Login))
		}
		return Meta{}, err
	}
	newPassword := had && row.PasswordHash != old.PasswordHash
	if had && (newPassword || row.Role != old.Role || row.Merchant != old.Merchant || row.Agent != old.Agent || row.Disabled) {
		if _, err := tx.EndSessions(u.ID); err != nil {
			return Meta{}, err
		}
	}
	return next.meta(), tx.note("user.put", "user", row.ID, u.Merchant, struct {
		Version     int         `json:"version"`
		Login       string      `json:"login"`
		Role        access.Role `json:"role"`
		Agent       ids.Agent   `json:"agent,omitempty"`
		Disabled    bool        `json:"disabled"`
		NewPassword bool        `json:"new_password,omitempty"`
	}{next.Version, row.Login, u.Role, u.Agent, u.Disabled, newPassword})
}
