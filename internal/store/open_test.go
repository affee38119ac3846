package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/internal/store/storetest"
)

// killVariable makes this test binary the child of the kill test: it holds the DSN.
const killVariable = "CHAOBAN_STORE_KILL_DSN"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(killVariable); dsn != "" {
		writeUntilKilled(dsn)
		return
	}
	os.Exit(m.Run())
}

// writeUntilKilled commits merchants and prints the number of each after its commit.
func writeUntilKilled(dsn string) {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Config{DSN: dsn})
	if err != nil {
		panic(err)
	}
	list, err := store.All(func(p store.Page) ([]merchantStored, string, error) {
		return db.In(access.Scope{Everything: true}).Merchants(ctx, p)
	})
	if err != nil {
		panic(err)
	}
	for i := len(list); ; i++ {
		err := db.Change(ctx, access.System("child"), now, func(tx *store.Tx) error {
			_, err := tx.PutMerchant(contracts.Merchant{ID: ids.Merchant(fmt.Sprintf("m%06d", i))}, store.NewOnly)
			return err
		})
		if err != nil {
			panic(err)
		}
		fmt.Println(i)
	}
}

// TestKill kills a writing process again and again: what it acknowledged is there, the chain
// holds, and the next process goes on.
func TestKill(t *testing.T) {
	for name, dsn := range map[string]func(testing.TB) string{"sqlite": storetest.SQLiteDSN, "postgres": storetest.PostgreSQLDSN} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn := dsn(t)
			acknowledged := -1
			for round := range 5 {
				c := exec.Command(os.Args[0])
				c.Env = append(os.Environ(), killVariable+"="+dsn)
				c.Stderr = os.Stderr
				out, err := c.StdoutPipe()
				require.NoError(t, err)
				require.NoError(t, c.Start())
				lines := bufio.NewScanner(out)
				for wanted := acknowledged + 10 + 7*round; acknowledged < wanted && lines.Scan(); {
					acknowledged, err = strconv.Atoi(lines.Text())
					require.NoError(t, err)
				}
				require.NoError(t, c.Process.Kill())
				for lines.Scan() { // acknowledgements that were under way
					if n, err := strconv.Atoi(lines.Text()); err == nil {
						acknowledged = n
					}
				}
				_ = c.Wait() // it was killed
				checkAcknowledged(t, dsn, acknowledged)
			}
		})
	}
}

func checkAcknowledged(t *testing.T, dsn string, acknowledged int) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{DSN: dsn})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	list, err := store.All(func(p store.Page) ([]merchantStored, string, error) {
		return db.In(everything).Merchants(t.Context(), p)
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, acknowledged, 0)
	require.GreaterOrEqual(t, len(list), acknowledged+1)
	require.LessOrEqual(t, len(list), acknowledged+2, "at most one was committed and not acknowledged")
	for i, m := range list {
		require.Equal(t, fmt.Sprintf("m%06d", i), merchantOf(m))
	}
	proof, err := db.VerifyAudit(t.Context())
	require.NoError(t, err)
	require.Equal(t, int64(len(list)), proof.Rows, "one audit row for each change")
}

// reopenable returns the DSN of a database that a test was given.
func reopenable(t *testing.T, db *store.DB) string {
	t.Helper()
	return db.DSN()
}

func testNewerSchema(t *testing.T, db *store.DB) {
	ctx := t.Context()
	version, err := db.SchemaVersion(ctx)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, version, int64(1))
	again, err := store.Open(ctx, store.Config{DSN: reopenable(t, db)})
	require.NoError(t, err, "the same schema opens again")
	_, err = again.In(everything).Merchant(ctx, "a")
	require.NoError(t, err)
	require.NoError(t, again.Close())
	_, err = db.Raw().ExecContext(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, TRUE)", version+1)
	require.NoError(t, err)
	_, err = store.Open(ctx, store.Config{DSN: reopenable(t, db)})
	codeIs(t, err, store.ErrNewerSchema)
	assert.Contains(t, err.Error(), fmt.Sprintf("schema %d, this chaoban knows %d", version+1, version))
}

// testTwoAtTheDoor opens an empty database from many sides at once.
func testTwoAtTheDoor(t *testing.T, db *store.DB) {
	dsn := storetest.SQLiteDSN(t)
	if db.Dialect() == store.PostgreSQL {
		dsn = storetest.PostgreSQLDSN(t)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			db, err := store.Open(t.Context(), store.Config{DSN: dsn})
			if !assert.NoError(t, err, fault.InternalText(err)) {
				return
			}
			defer func() { assert.NoError(t, db.Close()) }()
			for j := range 5 { // and write from many handles
				assert.NoError(t, db.Change(t.Context(), system, now, func(tx *store.Tx) error {
					_, err := tx.PutMerchant(contracts.Merchant{ID: ids.Merchant(fmt.Sprint(i, j))}, store.NewOnly)
					return err
				}))
			}
		})
	}
	wg.Wait()
	last, err := store.Open(t.Context(), store.Config{DSN: dsn})
	require.NoError(t, err)
	proof, err := last.VerifyAudit(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(20), proof.Rows)
	require.NoError(t, last.Close())
}

func TestConfig(t *testing.T) {
	for _, good := range []string{"", "sqlite:x.db", "sqlite:/a/b c?#%/x.db", "postgres://u:p@h:5433/db?sslmode=require", "postgresql:///db?host=/run"} {
		assert.NoError(t, store.Config{DSN: good}.Validate(), good)
	}
	for _, bad := range []string{"sqlite::memory:", "mysql://x/y", "x.db", "postgres://host", "postgres://u:p@h/", "postgres://[/x"} {
		err := store.Config{DSN: bad}.Validate()
		assert.Equal(t, "store.config", fault.CodeOf(err), bad)
	}
	err := store.Config{DSN: "x", BusyTimeout: -1, Readers: -1}.Validate()
	assert.Len(t, fault.Of(err).Fields, 3, "all at once")
	secret := store.Config{DSN: "postgres://u:hush@h/db?password=hush&x=1"}
	assert.NotContains(t, secret.Masked(), "hush")
	assert.Equal(t, "sqlite:data/chaoban.db", store.Config{}.Masked())
	require.NoError(t, store.DefaultConfig().Validate())
}

func TestSQLiteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd 中 ?#%25&x=1", "chaoban.db")
	db := storetest.Open(t, "sqlite:"+path)
	seed(t, db)
	for _, p := range []string{path, path + "-wal"} {
		info, err := os.Stat(p)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), p)
	}
	_, err := db.In(everything).Merchant(t.Context(), "a")
	require.NoError(t, err)
	var mode string
	require.NoError(t, db.Raw().QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode))
	assert.Equal(t, "wal", mode)
	var level int
	require.NoError(t, db.Raw().QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&level))
	assert.Equal(t, 2, level, "FULL")

	garbage := filepath.Join(t.TempDir(), "garbage.db")
	require.NoError(t, os.WriteFile(garbage, []byte(strings.Repeat("this is no database ", 100)), 0o600))
	_, err = store.Open(t.Context(), store.Config{DSN: "sqlite:" + garbage})
	assert.Equal(t, "store.config", fault.CodeOf(err), fault.InternalText(err))
	_, err = store.Open(t.Context(), store.Config{DSN: "sqlite:/dev/null/x.db"})
	assert.Equal(t, "store.config", fault.CodeOf(err))
}

// TestBusy holds the write lock from elsewhere for longer than anybody waits.
func TestBusy(t *testing.T) {
	dsn := storetest.SQLiteDSN(t)
	holder := storetest.Open(t, dsn)
	db, err := store.Open(t.Context(), store.Config{DSN: dsn, BusyTimeout: 5 * time.Millisecond})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	put := func() error {
		return db.Change(t.Context(), system, now, func(tx *store.Tx) error {
			_, err := tx.PutMerchant(merchant("x"), store.AnyVersion)
			return err
		})
	}
	require.NoError(t, holder.Change(t.Context(), system, now, func(*store.Tx) error {
		err := put()
		codeIs(t, err, store.ErrBusy)
		assert.Equal(t, time.Second, fault.Of(err).RetryAfter)
		_, _, err = db.In(everything).Merchants(t.Context(), store.Page{})
		return err // readers are not held up
	}))
	require.NoError(t, put())
}

func TestDown(t *testing.T) {
	_, err := store.Open(t.Context(), store.Config{DSN: "postgres://u:hush@127.0.0.1:1/db?connect_timeout=2"})
	codeIs(t, err, store.ErrDown)
	assert.NotContains(t, err.Error(), "hush")
}
