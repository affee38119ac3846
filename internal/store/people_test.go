package store_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

func testUsers(t *testing.T, db *store.DB) {
	ctx := t.Context()
	u, err := db.UserByLogin(ctx, " PLANNER ")
	require.NoError(t, err)
	assert.Equal(t, "$argon2id$x", u.PasswordHash)
	assert.Equal(t, "planner", u.Login)
	assert.Equal(t, access.Principal{User: "u1", Name: "王计划", Role: access.Planner}, u.Principal())
	public, err := db.In(everything).User(ctx, "u1")
	require.NoError(t, err)
	assert.Empty(t, public.PasswordHash, "only authentication sees it")

	put := func(u store.User, expect int) (meta store.Meta, err error) {
		err = db.Change(ctx, system, now.Add(time.Minute), func(tx *store.Tx) error {
			meta, err = tx.PutUser(u, expect)
			return err
		})
		return meta, err
	}
	same := store.User{ID: "u1", Login: "planner", Name: "王计划", Role: access.Planner}
	meta, err := put(same, 1)
	require.NoError(t, err)
	assert.Equal(t, 1, meta.Version, "no password given: nothing changes")
	same.Name = "王"
	_, err = put(same, 1)
	require.NoError(t, err)
	_, _, err = db.SessionUser(ctx, store.SecretHash("cookie"), now)
	require.NoError(t, err, "a new name ends no session")
	same.PasswordHash = "$argon2id$y"
	_, err = put(same, 2)
	require.NoError(t, err)
	_, _, err = db.SessionUser(ctx, store.SecretHash("cookie"), now)
	assert.Equal(t, fault.Unauthenticated, fault.KindOf(err), "a new password ends the sessions")
	u, err = db.UserByLogin(ctx, "planner")
	require.NoError(t, err)
	assert.Equal(t, nowStored, u.CreatedAt)
	assert.Equal(t, nowStored.Add(time.Minute), u.UpdatedAt)

	_, err = put(store.User{ID: "u2", Login: "Planner", Role: access.Client, Merchant: "a"}, store.NewOnly)
	codeIs(t, err, store.ErrConflict)
	_, err = put(store.User{ID: "u2", Login: "client", Role: access.Client, Merchant: "nobody"}, store.NewOnly)
	codeIs(t, err, store.ErrReference)
	_, err = put(store.User{ID: "u2", Login: "agent", Role: access.AgentRole, Agent: "1001"}, store.NewOnly)
	require.NoError(t, err)
	rows, _, err := db.In(everything).Audit(ctx, store.AuditFilter{Kind: "user"}, store.Page{})
	require.NoError(t, err)
	for _, r := range rows {
		assert.NotContains(t, string(r.Detail), "argon2id")
	}
}

func testSessions(t *testing.T, db *store.DB) {
	ctx, hash := t.Context(), store.SecretHash("cookie")
	u, s, err := db.SessionUser(ctx, hash, now)
	require.NoError(t, err)
	assert.Equal(t, ids.User("u1"), u.ID)
	assert.Equal(t, nowStored, s.SeenAt)
	assert.Empty(t, u.PasswordHash)
	_, _, err = db.SessionUser(ctx, hash, now.Add(time.Hour))
	assert.Equal(t, "store.no_session", fault.CodeOf(err), "it ends at its hour")
	assert.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	_, _, err = db.SessionUser(ctx, "cookie", now)
	assert.Equal(t, "store.no_session", fault.CodeOf(err))

	require.NoError(t, db.TouchSession(ctx, s, now.Add(30*time.Second)))
	_, s, err = db.SessionUser(ctx, hash, now)
	require.NoError(t, err)
	assert.Equal(t, nowStored, s.SeenAt, "within a minute nothing is written")
	require.NoError(t, db.TouchSession(ctx, s, now.Add(2*time.Minute)))
	_, s, err = db.SessionUser(ctx, hash, now)
	require.NoError(t, err)
	assert.Equal(t, nowStored.Add(2*time.Minute), s.SeenAt)

	list, _, err := db.In(everything).Sessions(ctx, "u1", store.Page{})
	require.NoError(t, err)
	assert.Len(t, list, 1)
	change(t, db, func(tx *store.Tx) error { return tx.EndSession("s1") })
	change(t, db, func(tx *store.Tx) error { return tx.EndSession("s1") })
	_, _, err = db.SessionUser(ctx, hash, now)
	assert.Equal(t, "store.no_session", fault.CodeOf(err))

	add := func(id, secret string) {
		change(t, db, func(tx *store.Tx) error {
			return tx.AddSession(store.Session{ID: ids.Session(id), SecretHash: store.SecretHash(secret), User: "u1", ExpiresAt: now.Add(time.Hour)})
		})
	}
	add("s2", "two")
	add("s3", "three")
	disable(t, db, "u1")
	_, _, err = db.SessionUser(ctx, store.SecretHash("two"), now)
	assert.Equal(t, "store.no_session", fault.CodeOf(err))
	list, _, err = db.In(everything).Sessions(ctx, "", store.Page{})
	require.NoError(t, err)
	assert.Empty(t, list)
	add("s4", "four")
	_, _, err = db.SessionUser(ctx, store.SecretHash("four"), now)
	assert.Equal(t, "store.no_session", fault.CodeOf(err), "a disabled user has no session whatever the table says")
}

func disable(t *testing.T, db *store.DB, id ids.User) {
	t.Helper()
	u, err := db.In(everything).User(t.Context(), id)
	require.NoError(t, err)
	u.Disabled = true
	change(t, db, func(tx *store.Tx) error {
		_, err := tx.PutUser(u, u.Version)
		return err
	})
}

func testTokens(t *testing.T, db *store.DB) {
	ctx, hash := t.Context(), store.SecretHash("token")
	p, err := db.TokenPrincipal(ctx, hash, now)
	require.NoError(t, err)
	assert.Equal(t, access.Principal{
		User: "u1", Name: "王计划", Role: access.Planner, Token: "k1", Grants: []access.Permission{access.Ingest},
	}, p)
	assert.True(t, p.Can(access.Ingest))
	assert.False(t, p.Can(access.ReadContracts), "the role may, the token may not")
	_, err = db.TokenPrincipal(ctx, hash, now.Add(time.Hour))
	assert.Equal(t, "store.no_token", fault.CodeOf(err))

	change(t, db, func(tx *store.Tx) error {
		return tx.AddToken(store.Token{ID: "k2", SecretHash: store.SecretHash("eternal"), User: "u1"})
	})
	p, err = db.TokenPrincipal(ctx, store.SecretHash("eternal"), now.AddDate(50, 0, 0))
	require.NoError(t, err, "no expiry")
	for _, permission := range access.Permissions {
		assert.False(t, p.Can(permission), "a token without grants may do nothing")
	}
	change(t, db, func(tx *store.Tx) error { return tx.RevokeToken("k2") })
	change(t, db, func(tx *store.Tx) error { return tx.RevokeToken("k2") })
	_, err = db.TokenPrincipal(ctx, store.SecretHash("eternal"), now)
	assert.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	codeIs(t, db.Change(ctx, system, now, func(tx *store.Tx) error { return tx.RevokeToken("k9") }), store.ErrNotFound)
	disable(t, db, "u1")
	_, err = db.TokenPrincipal(ctx, hash, now)
	assert.Equal(t, "store.no_token", fault.CodeOf(err))
	list, _, err := db.In(everything).Tokens(ctx, "u1", store.Page{})
	require.NoError(t, err)
	assert.Len(t, list, 2)
}

func testLoginAttempts(t *testing.T, db *store.DB) {
	ctx := t.Context()
	at := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	failed := func(n, minute int) store.Failures {
		return store.Failures{Count: n, Last: nowStored.Add(time.Duration(minute) * time.Minute)}
	}
	for _, a := range []struct {
		login, remote string
		minute        int
		ok            bool
	}{
		{"planner", "10.0.0.1", 0, false},
		{"Planner", "10.0.0.1", 1, false},
		{"planner", "10.0.0.1", 2, true},
		{"planner", "10.0.0.2", 3, false},
		{"other", "10.0.0.2", 4, false},
	} {
		id, _, err := db.BeginLogin(ctx, a.login, a.remote, at(a.minute), at(0), store.LoginLimits{})
		require.NoError(t, err)
		require.NotEmpty(t, id)
		if a.ok {
			require.NoError(t, db.LoginSucceeded(ctx, id))
		}
	}
	f, err := db.LoginFailures(ctx, "planner", "10.0.0.2", at(0))
	require.NoError(t, err)
	assert.Equal(t, store.LoginFailures{Here: failed(1, 3), Login: failed(3, 3), Remote: failed(2, 4)}, f, "a success elsewhere wipes nothing here")
	f, err = db.LoginFailures(ctx, "PLANNER", "10.0.0.1", at(1))
	require.NoError(t, err)
	assert.Equal(t, store.LoginFailures{Login: failed(2, 3), Remote: failed(1, 1)}, f, "the success wipes what came before it from there")
	f, err = db.LoginFailures(ctx, "nobody", "::1", at(0))
	require.NoError(t, err)
	assert.Zero(t, f)

	id, f, err := db.BeginLogin(ctx, "planner", "10.0.0.2", at(5), at(0), store.LoginLimits{Here: 2, Login: 3, Remote: 3})
	require.NoError(t, err)
	assert.Empty(t, id, "three failures of the login are its limit")
	last, barred := store.LoginLimits{Here: 2, Login: 3, Remote: 3}.Bars(f)
	assert.True(t, barred)
	assert.Equal(t, nowStored.Add(3*time.Minute), last)
	again, err := db.LoginFailures(ctx, "planner", "10.0.0.2", at(0))
	require.NoError(t, err)
	assert.Equal(t, f, again, "what is barred is not recorded")
}

// testParallelGuesses: of many attempts at once no more are admitted than the limit allows.
func testParallelGuesses(t *testing.T, db *store.DB) {
	var admitted atomic.Int64
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			id, _, err := db.BeginLogin(t.Context(), "planner", "10.0.0.1", now, now.Add(-time.Minute), store.LoginLimits{Here: 5})
			if assert.NoError(t, err) && id != "" {
				admitted.Add(1)
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(5), admitted.Load())
}
