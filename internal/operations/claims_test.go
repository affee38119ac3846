package operations_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store/storetest"
)

// Where services share the store, the one that works on a request renews its key: another one whose clock is past the
// first lease still hears that it is being worked on. It takes a third of a lease in real time.
func TestAWorkingServiceKeepsItsKey(t *testing.T) {
	t.Parallel()
	s := newStoreStack(t)
	deps := s.Deps
	deps.Store = storetest.PostgreSQL(t)
	began := s.Clock.Add(-time.Hour)
	start := time.Now()
	deps.Now = func() time.Time { return began.Add(time.Since(start)) }
	one := operations.New(operations.DefaultConfig(), deps)
	lease := deps.Store.ClaimLease()
	require.Positive(t, lease)
	deps.Now = func() time.Time { return began.Add(time.Since(start)).Add(lease - lease/6) }
	two := operations.New(operations.DefaultConfig(), deps)

	_, done, err := one.Once(t.Context(), planner, "repair-0001", "h")
	ok(t, err)
	time.Sleep(lease/3 + time.Second) // one renewal; without it the key would be free a sixth of a lease after the claim
	_, _, err = two.Once(t.Context(), planner, "repair-0001", "h")
	_ = refused(t, err, "store.conflict")
	ok(t, done(t.Context(), nil))
	_, done, err = two.Once(t.Context(), planner, "repair-0001", "h")
	ok(t, err)
	ok(t, done(t.Context(), nil))
}
