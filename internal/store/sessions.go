package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// SecretHash is the form in which session and token secrets are stored and looked up: SHA-256 in
// hex. A secret must hold at least 128 random bits; passwords are hashed elsewhere and slowly.
func SecretHash(secret string) string { return digest(secret) }

// Session is one login of a person.
type Session struct {
	ID         ids.Session `json:"id"`
	SecretHash string      `json:"-"` // SecretHash of the cookie; filled on the way in only
	User       ids.User    `json:"user"`
	CreatedAt  time.Time   `json:"created_at"`
	ExpiresAt  time.Time   `json:"expires_at"`
	SeenAt     time.Time   `json:"seen_at"` // exact to a minute
}

type sessionRow struct {
	bun.BaseModel `bun:"table:sessions,alias:t"`
	ID            string `bun:",pk"`
	TokenHash     string
	UserID        string
	CreatedAt     int64
	ExpiresAt     int64
	SeenAt        int64
}

func (r sessionRow) value() Session {
	return Session{
		ID: ids.Session(r.ID), User: ids.User(r.UserID), CreatedAt: instant(r.CreatedAt),
		ExpiresAt: instant(r.ExpiresAt), SeenAt: instant(r.SeenAt),
	}
}

// Sessions lists sessions, newest first, expired ones too until they are pruned; an empty user
// means everybody.
func (v *View) Sessions(ctx context.Context, user ids.User, p Page) ([]Session, string, error) {
	var rows []sessionRow
	q := whereText(v.general(&rows), "user_id", string(user))
	next, err := listPage(ctx, q, p, order{"sessions", []string{"created_at", "id"}, true}, &rows,
		func(r sessionRow) []any { return []any{r.CreatedAt, r.ID} })
	return mapped(rows, sessionRow.value), next, err
}

// AddSession opens a session. CreatedAt and SeenAt become the instant of the change.
func (tx *Tx) AddSession(s Session) error {
	row := sessionRow{
		ID: string(s.ID), TokenHash: s.SecretHash, UserID: string(s.User),
		CreatedAt: micros(tx.now), ExpiresAt: micros(s.ExpiresAt), SeenAt: micros(tx.now),
	}
	if err := tx.insert(&row); err != nil {
		return err
	}
	return tx.note("session.add", "session", row.ID, "", struct {
		User ids.User `json:"user"`
	}{s.User})
}

// EndSession closes a session; one that is closed already is no error.
func (tx *Tx) EndSession(id ids.Session) error {
	n, err := tx.clear((*sessionRow)(nil), "id", string(id))
	if err != nil || n == 0 {
		return err
	}
	return tx.note("session.end", "session", string(id), "", struct{}{})
}

// EndSessions closes every session of a user and returns how many there were.
func (tx *Tx) EndSessions(user ids.User) (int, error) {
	n, err := tx.clear((*sessionRow)(nil), "user_id", string(user))
	if err != nil || n == 0 {
		return 0, err
	}
	return n, tx.note("session.end_all", "user", string(user), "", struct {
		Sessions int `json:"sessions"`
	}{n})
}

// SessionUser returns who a session secret belongs to. The fault "store.no_session" (kind
// Unauthenticated) when there is no such session, it has expired or the user is disabled.
func (db *DB) SessionUser(ctx context.Context, secretHash string, now time.Time) (User, Session, error) {
	var session sessionRow
	err := db.read.NewSelect().Model(&session).
		Where("token_hash = ? AND expires_at > ?", clean(secretHash), micros(now)).Scan(ctx)
	if err != nil {
		return User{}, Session{}, unknownSecret(err, "store.no_session", "log in again")
	}
	user, err := db.activeUser(ctx, session.UserID)
	if err != nil {
		return User{}, Session{}, unknownSecret(err, "store.no_session", "log in again")
	}
	return user, session.value(), nil
}

// TouchSession records that the session was used. It writes at most once a minute, so it may be
// called with every request.
func (db *DB) TouchSession(ctx context.Context, s Session, now time.Time) error {
	if now.Sub(s.SeenAt) < time.Minute {
		return nil
	}
	return db.plain(ctx, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Model((*sessionRow)(nil)).Set("seen_at = ?", micros(now)).
			Where("id = ? AND seen_at < ?", s.ID, micros(now)).Exec(ctx)
		return err
	})
}

// Token is the credential of a machine. It acts as its user with a part of the user's permissions.
type Token struct {
	ID         ids.Token           `json:"id"`
	SecretHash string              `json:"-"` // filled on the way in only
	Name       string              `json:"name"`
	User       ids.User            `json:"user"`
	Grants     []access.Permission `json:"grants"`
	CreatedAt  time.Time           `json:"created_at"`
	ExpiresAt  time.Time           `json:"expires_at,omitzero"` // zero = never
	RevokedAt  time.Time           `json:"revoked_at,omitzero"` // zero = in force
}

type tokenRow struct {
	bun.BaseModel `bun:"table:tokens,alias:t"`
	ID            string `bun:",pk"`
	TokenHash     string
	Name          string
	UserID        string
	Grants        string
	CreatedAt     int64
	ExpiresAt     int64
	RevokedAt     int64
}

func (r tokenRow) value() (Token, error) {
	grants, err := decode[[]access.Permission](r.Grants)
	return Token{
		ID: ids.Token(r.ID), Name: r.Name, User: ids.User(r.UserID), Grants: grants, CreatedAt: instant(r.CreatedAt),
		ExpiresAt: instant(r.ExpiresAt), RevokedAt: instant(r.RevokedAt),
	}, err
}

// Tokens lists tokens, newest first, revoked ones too; an empty user means everybody.
func (v *View) Tokens(ctx context.Context, user ids.User, p Page) ([]Token, string, error) {
	var rows []tokenRow
	q := whereText(v.general(&rows), "user_id", string(user))
	next, err := listPage(ctx, q, p, order{"tokens", []string{"created_at", "id"}, true}, &rows,
		func(r tokenRow) []any { return []any{r.CreatedAt, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, tokenRow.value)
	return list, next, err
}

// AddToken adds a token. CreatedAt becomes the instant of the change.
func (tx *Tx) AddToken(t Token) error {
	if t.Grants == nil {
		t.Grants = []access.Permission{} // none, and not all of the role
	}
	grants, err := json.Marshal(t.Grants)
	if err != nil {
		return translate(err)
	}
	row := tokenRow{
		ID: string(t.ID), TokenHash: t.SecretHash, Name: clean(t.Name), UserID: string(t.User), Grants: string(grants),
		CreatedAt: micros(tx.now), ExpiresAt: micros(t.ExpiresAt),
	}
	if err := tx.insert(&row); err != nil {
		return err
	}
	return tx.note("token.add", "token", row.ID, "", struct {
		User   ids.User            `json:"user"`
		Name   string              `json:"name"`
		Grants []access.Permission `json:"grants"`
	}{t.User, t.Name, t.Grants})
}

// RevokeToken ends a token; one that is revoked already stays as it is.
func (tx *Tx) RevokeToken(id ids.Token) error {
	var row tokenRow
	had, err := tx.load(&row, clean(string(id)))
	if err != nil {
		return err
	}
	if !had {
		return missing("token", string(id))
	}
	if row.RevokedAt != 0 {
		return nil
	}
	row.RevokedAt = micros(tx.now)
	if err := tx.write(&row, true); err != nil {
		return err
	}
	return tx.note("token.revoke", "token", string(id), "", struct{}{})
}

// TokenPrincipal returns who a token secret stands for. The fault "store.no_token" (kind
// Unauthenticated) when there is no such token, it has expired or was revoked, or its user is
// disabled.
func (db *DB) TokenPrincipal(ctx context.Context, secretHash string, now time.Time) (access.Principal, error) {
	const problem = "this token is not in force"
	var row tokenRow
	err := db.read.NewSelect().Model(&row).Where("token_hash = ? AND revoked_at = 0", clean(secretHash)).
		Where("expires_at = 0 OR expires_at > ?", micros(now)).Scan(ctx)
	if err != nil {
		return access.Principal{}, unknownSecret(err, "store.no_token", problem)
	}
	token, err := row.value()
	if err != nil {
		return access.Principal{}, err
	}
	user, err := db.activeUser(ctx, row.UserID)
	if err != nil {
		return access.Principal{}, unknownSecret(err, "store.no_token", problem)
	}
	p := user.Principal()
	p.Token, p.Grants = token.ID, token.Grants
	return p, nil
}

// activeUser reads a user who may act.
func (db *DB) activeUser(ctx context.Context, id string) (User, error) {
	var row userRow
	err := db.read.NewSelect().Model(&row).Where("id = ? AND NOT disabled", id).Scan(ctx)
	return row.public(), translate(err)
}

// unknownSecret turns "no row" into an Unauthenticated fault.
func unknownSecret(err error, code, message string) error {
	err = translate(err)
	if errors.Is(err, ErrNotFound) {
		return fault.Wrap(err, fault.Unauthenticated, code, "%s", message)
	}
	return err
}
