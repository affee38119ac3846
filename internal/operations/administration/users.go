package administration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

const (
	sessionPrefix = "cbs_"
	tokenPrefix   = "cbt_"

	// remoteFactor lets one address (a whole site behind one gateway) fail more often than one login
	// from there.
	remoteFactor = 10
	// loginFactor lets one login fail more often over all addresses than from one: a stranger who
	// knows a login must not lock its owner out with a handful of wrong passwords.
	loginFactor = 20
)

// Login is what a person types.
type Login struct {
	Login    string
	Password string
	Remote   string // address of the client, for throttling
}

// LoggedIn is a new session.
type LoggedIn struct {
	Secret    string // goes to the client once and is stored as a digest only
	ExpiresAt time.Time
	User      store.User
}

// Login opens a session. The answer to a wrong password and to an unknown login is the same and
// takes as long. Too many failures of one login from one address, of one login over all addresses or
// of one address over all logins: RateLimited with RetryAfter. An attempt counts as a failure from
// before its password is looked at, so that guesses at once are counted like guesses in a row.
func (a *Administration) Login(ctx context.Context, in Login) (LoggedIn, error) {
	now := a.gate.Now()
	user, err := a.verify(ctx, in, now)
	if err != nil {
		return LoggedIn{}, err
	}
	secret, err := newSecret(sessionPrefix)
	if err != nil {
		return LoggedIn{}, err
	}
	expires := now.Add(a.policy.SessionLifetime)
	err = a.gate.Store.Change(ctx, principalOf(user), now, func(tx *store.Tx) error {
		return tx.AddSession(store.Session{ID: ids.New[ids.Session](now), SecretHash: store.SecretHash(secret), User: user.ID, ExpiresAt: expires})
	})
	user.PasswordHash = ""
	return LoggedIn{Secret: secret, ExpiresAt: expires, User: user}, err
}

// verify returns whose login and password these are.
func (a *Administration) verify(ctx context.Context, in Login, now time.Time) (store.User, error) {
	db, since, limits := a.gate.Store, now.Add(-a.policy.LoginWindow), a.loginLimits()
	failed, err := db.LoginFailures(ctx, in.Login, in.Remote, since) // who is barred does not queue
	if err != nil {
		return store.User{}, err
	}
	if err := a.barred(failed, now); err != nil {
		return store.User{}, err
	}
	leave, err := enterHashing(ctx)
	if err != nil {
		return store.User{}, err
	}
	defer leave()
	attempt, failed, err := db.BeginLogin(ctx, in.Login, in.Remote, now, since, limits)
	if err != nil {
		return store.User{}, err
	}
	if attempt == "" {
		return store.User{}, a.barred(failed, now)
	}
	user, err := db.UserByLogin(ctx, in.Login)
	hash := user.PasswordHash
	switch {
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return store.User{}, err
	case err != nil:
		hash = decoyHash
	}
	if good := checkPassword(hash, in.Password) && err == nil && !user.Disabled; !good {
		return store.User{}, fault.New(fault.Unauthenticated, "access.wrong_login", "the login or the password is wrong")
	}
	return user, db.LoginSucceeded(ctx, attempt)
}

func (a *Administration) loginLimits() store.LoginLimits {
	n := a.policy.LoginAttempts
	return store.LoginLimits{Here: n, Login: loginFactor * n, Remote: remoteFactor * n}
}

// barred is the answer to an attempt after these failures, nil when it may go on.
func (a *Administration) barred(failed store.LoginFailures, now time.Time) error {
	last, barred := a.loginLimits().Bars(failed)
	if !barred {
		return nil
	}
	wait := max(time.Second, last.Add(a.policy.LoginWindow).Sub(now))
	e := fault.New(fault.RateLimited, "access.too_many_logins", "too many failed logins; try again in %s", wait.Round(time.Second))
	e.RetryAfter = wait
	return e
}

// Logout ends the session a secret belongs to.
func (a *Administration) Logout(ctx context.Context, secret string) error {
	user, session, err := a.gate.Store.SessionUser(ctx, store.SecretHash(secret), a.gate.Now())
	if err != nil {
		return err
	}
	return a.gate.Store.Change(ctx, principalOf(user), a.gate.Now(), func(tx *store.Tx) error { return tx.EndSession(session.ID) })
}

// Authenticate returns who a bearer secret stands for: a person's session or a machine's token.
func (a *Administration) Authenticate(ctx context.Context, secret string) (access.Principal, error) {
	now := a.gate.Now()
	if strings.HasPrefix(secret, tokenPrefix) {
		return a.gate.Store.TokenPrincipal(ctx, store.SecretHash(secret), now)
	}
	user, session, err := a.gate.Store.SessionUser(ctx, store.SecretHash(secret), now)
	if err != nil {
		return access.Principal{}, err
	}
	return principalOf(user), a.gate.Store.TouchSession(ctx, session, now)
}

func principalOf(u store.User) access.Principal {
	return access.Principal{User: u.ID, Name: u.Name, Role: u.Role, Merchant: u.Merchant, Agent: u.Agent}
}

// UserInput is a user as an administrator enters one.
type UserInput struct {
	ID       ids.User // empty: a new user
	Login    string
	Name     string
	Role     access.Role
	Merchant ids.Merchant // clients only
	Agent    ids.Agent    // agents only
	Password string       // empty keeps the old one
	Disabled bool
}

// Validate reports every bad field except the password, which hashing checks.
func (u UserInput) Validate() error {
	var bad []fault.Field
	if problem := ids.Check(u.Login); problem != "" {
		bad = append(bad, fault.Field{Path: "login", Value: u.Login, Problem: problem})
	}
	if strings.TrimSpace(u.Name) == "" {
		bad = append(bad, fault.Field{Path: "name", Problem: "is empty"})
	}
	if !slices.Contains(access.Roles, u.Role) {
		bad = append(bad, fault.Field{Path: "role", Value: string(u.Role), Problem: fmt.Sprintf("must be one of %s", fault.Names(access.Roles))})
	}
	if (u.Role == access.Client) != (u.Merchant != "") {
		bad = append(bad, fault.Field{Path: "merchant", Value: string(u.Merchant), Problem: "belongs to the role client and to no other"})
	}
	if (u.Role == access.AgentRole) != (u.Agent != "") {
		bad = append(bad, fault.Field{Path: "agent", Value: string(u.Agent), Problem: "belongs to the role agent and to no other"})
	}
	if u.ID == "" && u.Password == "" {
		bad = append(bad, fault.Field{Path: "password", Problem: "is needed for a new user"})
	}
	return fault.Bad("user.invalid", "user", bad)
}

// PutUser adds or replaces a user. A user who is not there yet needs a password, also under an ID of
// the caller's choice, and the last administrator who can log in stays one: user.last_administrator.
func (a *Administration) PutUser(ctx context.Context, who access.Principal, in UserInput) (store.User, error) {
	if _, err := access.Decide(who, access.ManageUsers); err != nil {
		return store.User{}, err
	}
	if err := in.Validate(); err != nil {
		return store.User{}, err
	}
	if err := inherits(who, access.PermissionsOf(in.Role)); err != nil {
		return store.User{}, err // a token cannot make somebody who may do more than itself
	}
	now := a.gate.Now()
	user := store.User{
		ID: in.ID, Login: in.Login, Name: in.Name, Role: in.Role, Merchant: in.Merchant, Agent: in.Agent, Disabled: in.Disabled,
	}
	expect := store.AnyVersion
	if user.ID == "" {
		user.ID, expect = ids.New[ids.User](now), store.NewOnly
	}
	if in.Password != "" {
		leave, err := enterHashing(ctx)
		if err != nil {
			return store.User{}, err
		}
		user.PasswordHash, err = hashPassword(in.Password)
		leave()
		if err != nil {
			return store.User{}, err
		}
	}
	err := a.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		if err := keepsHouse(ctx, tx.In(access.Scope{Everything: true}), user); err != nil {
			return err
		}
		meta, err := tx.PutUser(user, expect)
		user.Meta = meta
		return err
	})
	user.PasswordHash = ""
	return user, err
}

// keepsHouse refuses a user nobody could log in as, and to take away the last administrator.
func keepsHouse(ctx context.Context, view *store.View, next store.User) error {
	old, err := view.User(ctx, next.ID)
	switch {
	case err == nil:
	case fault.KindOf(err) != fault.NotFound:
		return err
	case next.PasswordHash == "":
		return fault.Bad("user.invalid", "user", []fault.Field{{Path: "password", Problem: "is needed for a new user"}})
	default:
		return nil
	}
	manages := func(u store.User) bool { return u.Role == access.Administrator && !u.Disabled }
	if !manages(old) || manages(next) {
		return nil
	}
	all, err := store.All(func(p store.Page) ([]store.User, string, error) { return view.Users(ctx, p) })
	if err != nil {
		return err
	}
	if slices.ContainsFunc(all, func(u store.User) bool { return u.ID != old.ID && manages(u) }) {
		return nil
	}
	return fault.New(fault.Conflict, "user.last_administrator", "%s is the last administrator; make another one first", old.Login)
}

// Users lists users by login.
func (a *Administration) Users(ctx context.Context, who access.Principal, p store.Page) ([]store.User, string, error) {
	view, _, err := a.gate.Read(who, access.ManageUsers)
	if err != nil {
		return nil, "", err
	}
	return view.Users(ctx, p)
}

// TokenInput is a machine token as an administrator asks for one.
type TokenInput struct {
	Name    string
	User    ids.User            // whose role and scope it carries; empty: the caller
	Grants  []access.Permission // what of the role it may use
	Expires time.Time           // zero = never
}

// IssueToken makes a scoped token. The secret is returned once. A token that issues one cannot give
// more than it has: neither a permission nor the name of a user whose role may do what it may not.
func (a *Administration) IssueToken(ctx context.Context, who access.Principal, in TokenInput) (secret string, token store.Token, err error) {
	if _, err := access.Decide(who, access.ManageUsers); err != nil {
		return "", token, err
	}
	now := a.gate.Now()
	if err := in.validate(now); err != nil {
		return "", token, err
	}
	if in.User == "" {
		in.User = who.User
	}
	if err := inherits(who, in.Grants); err != nil {
		return "", token, err
	}
	if secret, err = newSecret(tokenPrefix); err != nil {
		return "", token, err
	}
	token = store.Token{
		ID: ids.New[ids.Token](now), SecretHash: store.SecretHash(secret), Name: in.Name, User: in.User,
		Grants: in.Grants, CreatedAt: now, ExpiresAt: in.Expires,
	}
	err = a.gate.Store.Change(ctx, who, now, func(tx *store.Tx) error {
		if err := namesNoStronger(ctx, tx.In(access.Scope{Everything: true}), who, in.User); err != nil {
			return err
		}
		return tx.AddToken(token)
	})
	if err != nil {
		return "", store.Token{}, err
	}
	return secret, token, nil
}

// inherits refuses a token that hands on what it does not have.
func inherits(who access.Principal, grants []access.Permission) error {
	if who.Token == "" {
		return nil
	}
	var bad []fault.Field
	for i, g := range grants {
		if !who.Can(g) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("grants[%d]", i), Value: string(g), Problem: "is more than the token that asks may do itself"})
		}
	}
	if bad == nil {
		return nil
	}
	e := fault.New(fault.Forbidden, "access.forbidden", "a token cannot give more than it has")
	e.Fields = bad
	return e
}

// namesNoStronger lets a token speak for its own user, and for others only when their role may do
// nothing that the token may not.
func namesNoStronger(ctx context.Context, view *store.View, who access.Principal, user ids.User) error {
	if who.Token == "" || user == who.User {
		return nil
	}
	named, err := view.User(ctx, user)
	if err != nil {
		return err
	}
	role := principalOf(named)
	for _, p := range access.Permissions {
		if role.Can(p) && !who.Can(p) {
			return fault.New(fault.Forbidden, "access.forbidden", "this token may not name a user of the role %s", named.Role)
		}
	}
	return nil
}

func (in TokenInput) validate(now time.Time) error {
	var bad []fault.Field
	if strings.TrimSpace(in.Name) == "" {
		bad = append(bad, fault.Field{Path: "name", Problem: "is empty"})
	}
	if len(in.Grants) == 0 {
		bad = append(bad, fault.Field{Path: "grants", Problem: "must name at least one permission"})
	}
	for i, g := range in.Grants {
		if !slices.Contains(access.Permissions, g) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("grants[%d]", i), Value: string(g), Problem: fmt.Sprintf("must be one of %s", fault.Names(access.Permissions))})
		}
	}
	if !in.Expires.IsZero() && !in.Expires.After(now) {
		bad = append(bad, fault.Field{Path: "expires", Problem: "must lie in the future"})
	}
	return fault.Bad("token.invalid", "token", bad)
}

// Tokens lists tokens, newest first.
func (a *Administration) Tokens(ctx context.Context, who access.Principal, p store.Page) ([]store.Token, string, error) {
	view, _, err := a.gate.Read(who, access.ManageUsers)
	if err != nil {
		return nil, "", err
	}
	return view.Tokens(ctx, "", p)
}

// RevokeToken ends a token.
func (a *Administration) RevokeToken(ctx context.Context, who access.Principal, id ids.Token) error {
	if _, err := access.Decide(who, access.ManageUsers); err != nil {
		return err
	}
	return a.gate.Store.Change(ctx, who, a.gate.Now(), func(tx *store.Tx) error { return tx.RevokeToken(id) })
}

// How long plumbing is kept.
const (
	keepAttempts = 30 * 24 * time.Hour
	keepRuns     = 400 * 24 * time.Hour
	keepSettled  = 90 * 24 * time.Hour
)

// Housekeep removes expired sessions, old login attempts, idempotency keys, job runs, and quarantined
// lines that were settled long ago; those that wait stay.
func (a *Administration) Housekeep(ctx context.Context, who access.Principal, _ time.Time) (rows int64, err error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return 0, err
	}
	p, err := a.gate.Store.Prune(ctx, a.gate.Now(), store.Kept{Attempts: keepAttempts, Runs: keepRuns, Settled: keepSettled})
	return p.Sessions + p.LoginAttempts + p.Keys + p.JobRuns + p.Quarantined, err
}
