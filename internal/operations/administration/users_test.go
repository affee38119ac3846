package administration_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/administration"
	"github.com/chaoban/chaoban/internal/store"
)

const goodPassword = "correct horse battery"

func (s *stack) addUser(t *testing.T, in administration.UserInput) store.User {
	t.Helper()
	if in.Password == "" {
		in.Password = goodPassword
	}
	u, err := s.Administration.PutUser(t.Context(), admin, in)
	ok(t, err)
	return u
}

func TestLoginAndSession(t *testing.T) {
	s := newStoreStack(t)
	ctx, a := t.Context(), s.Administration
	u := s.addUser(t, administration.UserInput{Login: "wang", Name: "王计划", Role: access.Planner})
	assert.Empty(t, u.PasswordHash, "a hash never leaves")

	in, err := a.Login(ctx, administration.Login{Login: "wang", Password: goodPassword, Remote: "10.0.0.1"})
	ok(t, err)
	assert.Empty(t, in.User.PasswordHash)
	assert.Equal(t, s.Clock.Add(12*time.Hour), in.ExpiresAt)
	who, err := a.Authenticate(ctx, in.Secret)
	ok(t, err)
	assert.Equal(t, access.Principal{User: u.ID, Name: "王计划", Role: access.Planner}, who)

	_, err = a.Authenticate(ctx, in.Secret+"x")
	assert.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	_, err = a.Authenticate(ctx, "")
	assert.Equal(t, fault.Unauthenticated, fault.KindOf(err))

	s.Clock = s.Clock.Add(12*time.Hour + time.Second)
	_, err = a.Authenticate(ctx, in.Secret)
	assert.Equal(t, fault.Unauthenticated, fault.KindOf(err), "a session ends by itself")

	in, err = a.Login(ctx, administration.Login{Login: "wang", Password: goodPassword})
	ok(t, err)
	ok(t, a.Logout(ctx, in.Secret))
	_, err = a.Authenticate(ctx, in.Secret)
	assert.Equal(t, fault.Unauthenticated, fault.KindOf(err), "a logout ends it at once")
}

func TestWrongLoginsTellNothing(t *testing.T) {
	s := newStoreStack(t)
	s.addUser(t, administration.UserInput{Login: "wang", Name: "王", Role: access.Planner})
	off := s.addUser(t, administration.UserInput{Login: "off", Name: "离职", Role: access.Planner})
	s.addUser(t, administration.UserInput{ID: off.ID, Login: "off", Name: "离职", Role: access.Planner, Disabled: true})
	var answers []string
	for _, in := range []administration.Login{
		{Login: "wang", Password: "wrong"},
		{Login: "nobody", Password: goodPassword},
		{Login: "off", Password: goodPassword},
		{Login: "wang"},
		{Login: "wang", Password: strings.Repeat("x", 100_000)},
	} {
		_, err := s.Administration.Login(t.Context(), in)
		answers = append(answers, refused(t, err, "access.wrong_login").Error())
	}
	for _, text := range answers {
		assert.Equal(t, answers[0], text)
	}
}

func TestDisablingEndsSessions(t *testing.T) {
	s := newStoreStack(t)
	ctx, a := t.Context(), s.Administration
	u := s.addUser(t, administration.UserInput{Login: "wang", Name: "王", Role: access.Planner})
	in, err := a.Login(ctx, administration.Login{Login: "wang", Password: goodPassword})
	ok(t, err)
	_, err = a.PutUser(ctx, admin, administration.UserInput{ID: u.ID, Login: "wang", Name: "王", Role: access.Planner, Disabled: true})
	ok(t, err)
	_, err = a.Authenticate(ctx, in.Secret)
	assert.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	_, err = a.PutUser(ctx, admin, administration.UserInput{ID: u.ID, Login: "wang", Name: "王", Role: access.Quality})
	ok(t, err)
	again, err := a.Login(ctx, administration.Login{Login: "wang", Password: goodPassword})
	ok(t, err)
	assert.Equal(t, access.Quality, again.User.Role, "an empty password kept the old one")
}

// Five failures of one login from one address close it there for the window; the right password does
// not help then. From elsewhere its owner still gets in, until twenty times as many failures from
// everywhere close the login as a whole. One address is closed after ten times as many as one login
// there, whatever logins it tried.
func TestLoginThrottle(t *testing.T) {
	s := newStoreStack(t)
	ctx, a := t.Context(), s.Administration
	s.addUser(t, administration.UserInput{Login: "wang", Name: "王", Role: access.Planner})
	for range 5 {
		_, err := a.Login(ctx, administration.Login{Login: "wang", Password: "wrong", Remote: "10.0.0.1"})
		_ = refused(t, err, "access.wrong_login")
		s.Clock = s.Clock.Add(time.Minute)
	}
	_, err := a.Login(ctx, administration.Login{Login: "wang", Password: goodPassword, Remote: "10.0.0.9"})
	ok(t, err)
	_, err = a.Login(ctx, administration.Login{Login: "wang", Password: goodPassword, Remote: "10.0.0.1"})
	closed := refused(t, err, "access.too_many_logins")
	assert.Equal(t, fault.RateLimited, closed.Kind)
	assert.Equal(t, 14*time.Minute, closed.RetryAfter, "fifteen minutes after the last failure, one of which has passed")
	s.Clock = s.Clock.Add(closed.RetryAfter + time.Second)
	_, err = a.Login(ctx, administration.Login{Login: "wang", Password: goodPassword, Remote: "10.0.0.1"})
	ok(t, err)
	s.failLogins(t, "wang", 100, func(i int) string { return fmt.Sprintf("10.1.%d.1", i/4) })
	_, err = a.Login(ctx, administration.Login{Login: "wang", Password: goodPassword, Remote: "10.0.0.9"})
	_ = refused(t, err, "access.too_many_logins")
}

// failLogins records failures without checking passwords, each of which costs 20 ms on purpose.
func (s *stack) failLogins(t *testing.T, login string, n int, remote func(i int) string) {
	t.Helper()
	for i := range n {
		_, _, err := s.DB.BeginLogin(t.Context(), login, remote(i), s.Clock, s.Clock, store.LoginLimits{})
		ok(t, err)
	}
}

// Of many guesses at once no more passwords are looked at than of guesses in a row.
func TestParallelGuessesAreThrottled(t *testing.T) {
	s := newStoreStack(t)
	s.addUser(t, administration.UserInput{Login: "wang", Name: "王", Role: access.Planner})
	var tried, closed atomic.Int64
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			_, err := s.Administration.Login(t.Context(), administration.Login{Login: "wang", Password: "wrong", Remote: "10.0.0.1"})
			switch fault.CodeOf(err) {
			case "access.wrong_login":
				tried.Add(1)
			case "access.too_many_logins":
				closed.Add(1)
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(5), tried.Load())
	assert.Equal(t, int64(55), closed.Load())
}

func TestThrottleOfOneAddress(t *testing.T) {
	s := newStoreStack(t)
	ctx := t.Context()
	s.failLogins(t, "somebody", 50, func(int) string { return "10.9.9.9" })
	s.addUser(t, administration.UserInput{Login: "wang", Name: "王", Role: access.Planner})
	_, err := s.Administration.Login(ctx, administration.Login{Login: "wang", Password: goodPassword, Remote: "10.9.9.9"})
	_ = refused(t, err, "access.too_many_logins")
	_, err = s.Administration.Login(ctx, administration.Login{Login: "wang", Password: goodPassword, Remote: "10.9.9.8"})
	ok(t, err)
}

func TestTokens(t *testing.T) {
	s := newStoreStack(t)
	ctx, a := t.Context(), s.Administration
	boss := s.addUser(t, administration.UserInput{Login: "boss", Name: "管", Role: access.Administrator})
	secret, token, err := a.IssueToken(ctx, admin, administration.TokenInput{
		Name: "erp", User: boss.ID, Grants: []access.Permission{access.Ingest}, Expires: s.Clock.Add(time.Hour),
	})
	ok(t, err)
	who, err := a.Authenticate(ctx, secret)
	ok(t, err)
	assert.Equal(t, token.ID, who.Token)
	_, _, err = a.Merchants(ctx, who, operations.Page{})
	_ = refused(t, err, "access.forbidden")
	_, _, err = a.IssueToken(ctx, who, administration.TokenInput{Name: "more", Grants: []access.Permission{access.ManageUsers}})
	_ = refused(t, err, "access.forbidden")

	list, _, err := a.Tokens(ctx, admin, operations.Page{})
	ok(t, err)
	require.Len(t, list, 1)
	assert.NotContains(t, list[0].SecretHash, secret)

	s.Clock = s.Clock.Add(time.Hour)
	_, err = a.Authenticate(ctx, secret)
	assert.Equal(t, fault.Unauthenticated, fault.KindOf(err), "expired")

	secret, token, err = a.IssueToken(ctx, admin, administration.TokenInput{Name: "two", User: boss.ID, Grants: []access.Permission{access.ReadKPI}})
	ok(t, err)
	ok(t, a.RevokeToken(ctx, admin, token.ID))
	_, err = a.Authenticate(ctx, secret)
	assert.Equal(t, fault.Unauthenticated, fault.KindOf(err), "revoked")

	_, _, err = a.IssueToken(ctx, admin, administration.TokenInput{Name: " ", Grants: []access.Permission{"everything"}, Expires: s.Clock})
	assert.Len(t, refused(t, err, "token.invalid").Fields, 3)
}

// A token hands on no more than it has, neither by a grant nor by the name of somebody else.
func TestTokenCannotIssueMoreThanItHas(t *testing.T) {
	s := newStoreStack(t)
	ctx, a := t.Context(), s.Administration
	boss := s.addUser(t, administration.UserInput{Login: "boss", Name: "管", Role: access.Administrator})
	other := s.addUser(t, administration.UserInput{Login: "other", Name: "另", Role: access.Administrator})
	check := s.addUser(t, administration.UserInput{Login: "check", Name: "质", Role: access.Quality})
	holder := func(grants ...access.Permission) access.Principal {
		secret, _, err := a.IssueToken(ctx, admin, administration.TokenInput{Name: "machine", User: boss.ID, Grants: grants})
		ok(t, err)
		who, err := a.Authenticate(ctx, secret)
		ok(t, err)
		return who
	}
	small := holder(access.ManageUsers)
	secret, _, err := a.IssueToken(ctx, small, administration.TokenInput{Name: "more", Grants: access.Permissions})
	e := refused(t, err, "access.forbidden")
	assert.Len(t, e.Fields, len(access.Permissions)-1, "every grant but its own")
	assert.Empty(t, secret)
	_, _, err = a.IssueToken(ctx, small, administration.TokenInput{Name: "same", Grants: []access.Permission{access.ManageUsers}})
	ok(t, err)
	for _, user := range []ids.User{other.ID, check.ID} {
		_, _, err = a.IssueToken(ctx, small, administration.TokenInput{Name: "else", User: user, Grants: []access.Permission{access.ManageUsers}})
		_ = refused(t, err, "access.forbidden")
	}
	broad := holder(access.ManageUsers, access.ReadContracts, access.ReadAgents, access.ReadKPI, access.ReadAgentKPI, access.ReadReports)
	_, _, err = a.IssueToken(ctx, broad, administration.TokenInput{Name: "figures", User: check.ID, Grants: []access.Permission{access.ReadKPI}})
	ok(t, err)
}

func TestUserNeedsAPasswordToBegin(t *testing.T) {
	s := newStoreStack(t)
	_, err := s.Administration.PutUser(t.Context(), admin, administration.UserInput{ID: "chosen", Login: "wang", Name: "王", Role: access.Planner})
	assert.Equal(t, "password", refused(t, err, "user.invalid").Fields[0].Path)
	u := s.addUser(t, administration.UserInput{ID: "chosen", Login: "wang", Name: "王", Role: access.Planner})
	assert.Equal(t, ids.User("chosen"), u.ID)
}

func TestLastAdministratorStays(t *testing.T) {
	s := newStoreStack(t)
	boss := s.addUser(t, administration.UserInput{Login: "boss", Name: "管", Role: access.Administrator})
	s.addUser(t, administration.UserInput{Login: "gone", Name: "离", Role: access.Administrator, Disabled: true})
	put := func(in administration.UserInput) error {
		in.ID, in.Login, in.Name = boss.ID, "boss", "管"
		_, err := s.Administration.PutUser(t.Context(), admin, in)
		return err
	}
	_ = refused(t, put(administration.UserInput{Role: access.Administrator, Disabled: true}), "user.last_administrator")
	_ = refused(t, put(administration.UserInput{Role: access.Planner}), "user.last_administrator")
	ok(t, put(administration.UserInput{Role: access.Administrator, Password: goodPassword + "!"}))
	s.addUser(t, administration.UserInput{Login: "next", Name: "继", Role: access.Administrator})
	ok(t, put(administration.UserInput{Role: access.Planner}))
}

func TestUserInputReportsEveryField(t *testing.T) {
	s := newStoreStack(t)
	for _, c := range []struct {
		in    administration.UserInput
		paths []string
	}{
		{administration.UserInput{}, []string{"login", "name", "role", "password"}},
		{administration.UserInput{Login: "a", Name: "a", Role: access.Client, Password: goodPassword}, []string{"merchant"}},
		{administration.UserInput{Login: "a", Name: "a", Role: access.AgentRole, Password: goodPassword}, []string{"agent"}},
		{administration.UserInput{Login: "a", Name: "a", Role: access.Planner, Merchant: "lumi", Agent: "1", Password: goodPassword}, []string{"merchant", "agent"}},
		{administration.UserInput{Login: "a", Name: "a", Role: access.Planner, Password: "short"}, []string{"password"}},
	} {
		_, err := s.Administration.PutUser(t.Context(), admin, c.in)
		var paths []string
		for _, f := range refused(t, err, "user.invalid").Fields {
			paths = append(paths, f.Path)
		}
		assert.Equal(t, c.paths, paths)
	}
	_, err := s.Administration.PutUser(t.Context(), admin, administration.UserInput{
		Login: "ghost", Name: "a", Role: access.Client, Merchant: "nowhere", Password: goodPassword,
	})
	_ = refused(t, err, store.ErrReference.Code)
}

// No secret reaches the audit chain.
func TestAuditHoldsNoSecret(t *testing.T) {
	s := newStoreStack(t)
	ctx, a := t.Context(), s.Administration
	u := s.addUser(t, administration.UserInput{Login: "wang", Name: "王", Role: access.Planner})
	in, err := a.Login(ctx, administration.Login{Login: "wang", Password: goodPassword})
	ok(t, err)
	secret, _, err := a.IssueToken(ctx, admin, administration.TokenInput{Name: "erp", User: u.ID, Grants: []access.Permission{access.ReadKPI}})
	ok(t, err)
	rows, _, err := a.Audit(ctx, admin, operations.AuditFilter{}, operations.Page{})
	ok(t, err)
	require.NotEmpty(t, rows)
	hashes := []string{store.SecretHash(in.Secret), store.SecretHash(secret), "argon2id", goodPassword, in.Secret, secret}
	for _, r := range rows {
		for _, h := range hashes {
			assert.NotContains(t, string(r.Detail), h, r.Action)
		}
	}
	_, err = a.VerifyAudit(ctx, admin)
	ok(t, err)
}

func TestHousekeep(t *testing.T) {
	s := newStoreStack(t)
	ctx := t.Context()
	u := s.addUser(t, administration.UserInput{Login: "wang", Name: "王", Role: access.Planner})
	_, err := s.Administration.Login(ctx, administration.Login{Login: "wang", Password: goodPassword})
	ok(t, err)
	s.Clock = s.Clock.AddDate(0, 0, 31)
	rows, err := s.Administration.Housekeep(ctx, admin, s.Clock)
	ok(t, err)
	assert.Equal(t, int64(2), rows, "one session and one attempt")
	assert.NotEqual(t, ids.User(""), u.ID)
}
