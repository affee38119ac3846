package clickhouseserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/clickhouseserver"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
)

// ownerVariable makes a re-executed test binary run an engine, as the parent that a test kills.
const ownerVariable = "CHAOBAN_TEST_ENGINE_OWNER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerVariable); dir != "" {
		config := enginetest.Config(dir)
		config.Environment = append(config.Environment, ownerVariable+"=")
		fmt.Fprintln(os.Stderr, clickhouseserver.New(config).Run(context.Background()))
		os.Exit(1)
	}
	os.Exit(enginetest.Main(m))
}

// start runs an engine on dir and returns it with a function that stops it and says how long that took.
func start(t *testing.T, dir string) (*clickhouseserver.Server, func() time.Duration) {
	t.Helper()
	enginetest.Need(t)
	server := clickhouseserver.New(enginetest.Config(dir))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	stopped := false
	stop := func() time.Duration {
		if stopped {
			return 0
		}
		stopped = true
		began := time.Now()
		cancel()
		require.NoError(t, <-done)
		return time.Since(began)
	}
	t.Cleanup(func() { stop() })
	up(t, server, 1)
	return server, stop
}

// up waits until the engine has become ready for the nth time.
func up(t *testing.T, server *clickhouseserver.Server, starts int) clickhouseserver.Endpoint {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		changed := server.Changed()
		endpoint, err := server.WaitUp(ctx)
		require.NoError(t, err)
		if endpoint.Starts >= starts {
			return endpoint
		}
		select {
		case <-changed:
		case <-ctx.Done():
			require.FailNow(t, "the engine did not start again", "%+v", endpoint)
		}
	}
}

func alive(pid int) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return syscall.Kill(pid, 0) == nil && !errors.Is(err, os.ErrNotExist)
	}
	return !strings.Contains(string(status), ") Z ")
}

func TestKilledEngineComesBackWithItsData(t *testing.T) {
	server, stop := start(t, t.TempDir())
	first := server.Endpoint()
	enginetest.Exec(t, first, "CREATE TABLE t (a UInt32) ENGINE = MergeTree ORDER BY a")
	enginetest.Exec(t, first, "INSERT INTO t SELECT number FROM numbers(1000)")

	require.NoError(t, syscall.Kill(first.PID, syscall.SIGKILL))
	second := up(t, server, 2)
	assert.NotEqual(t, first.DSN, second.DSN, "the password is new at every start")
	assert.Equal(t, "1000", enginetest.Exec(t, second, "SELECT count() FROM t"))

	assert.Less(t, stop(), 8*time.Second)
	assert.False(t, alive(second.PID))
	assert.False(t, server.Endpoint().Up)
}

func TestStopIsQuickWhileAnInsertRuns(t *testing.T) {
	server, stop := start(t, t.TempDir())
	endpoint := server.Endpoint()
	enginetest.Exec(t, endpoint, "CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		_, _ = enginetest.Query(endpoint, "INSERT INTO t SELECT rand64() FROM numbers(4000000000)")
	}()
	time.Sleep(200 * time.Millisecond)
	assert.Less(t, stop(), 8*time.Second)
	assert.False(t, alive(endpoint.PID))
	<-finished
}

func TestOrphanEndsByItself(t *testing.T) {
	enginetest.Need(t)
	dir := t.TempDir()
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), ownerVariable+"="+dir)
	require.NoError(t, owner.Start())
	defer func() { _ = owner.Process.Kill() }()

	var attached *clickhouseserver.Attachment
	require.Eventually(t, func() (ok bool) {
		var err error
		attached, err = clickhouseserver.Attach(t.Context(), dir)
		return err == nil
	}, 30*time.Second, 50*time.Millisecond)
	child := attached.Endpoint().PID
	require.True(t, alive(child))
	enginetest.Exec(t, attached.Endpoint(), "SELECT 1")

	require.NoError(t, owner.Process.Kill())
	_ = owner.Wait()
	require.Eventually(t, func() bool { return !alive(child) }, 5*time.Second, 20*time.Millisecond)
	_, err := clickhouseserver.Attach(t.Context(), dir)
	assert.ErrorIs(t, err, clickhouseserver.ErrNotRunning, "the dead owner's announcement must not be believed")
	start(t, dir) // the lock went with its owner
}

func TestSecondProcessAttachesAndFollowsRestarts(t *testing.T) {
	dir := t.TempDir()
	_, err := clickhouseserver.Attach(t.Context(), dir)
	require.ErrorIs(t, err, clickhouseserver.ErrNotRunning)

	server, stop := start(t, dir)
	assert.ErrorIs(t, clickhouseserver.New(enginetest.Config(dir)).Run(t.Context()), clickhouseserver.ErrLocked)
	attached, err := clickhouseserver.Attach(t.Context(), dir)
	require.NoError(t, err)
	assert.Equal(t, server.Endpoint().DSN, attached.Endpoint().DSN)

	require.NoError(t, syscall.Kill(server.Endpoint().PID, syscall.SIGKILL))
	now := up(t, server, 2)
	assert.Equal(t, now.DSN, attached.Endpoint().DSN)
	assert.Equal(t, "1", enginetest.Exec(t, attached.Endpoint(), "SELECT 1"))
	stop()
	assert.False(t, attached.Endpoint().Up)
}

func TestOnlyOurUserCanDoAnything(t *testing.T) {
	dir := t.TempDir()
	server, _ := start(t, dir)
	endpoint := server.Endpoint()
	enginetest.Exec(t, endpoint, "CREATE TABLE secret (a UInt32) ENGINE = MergeTree ORDER BY a")

	post := func(user, password, statement string) int {
		request, err := http.NewRequest(http.MethodPost, endpoint.HTTP, strings.NewReader(statement))
		require.NoError(t, err)
		if user != "" {
			request.SetBasicAuth(user, password)
		}
		request.Close = true
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response.StatusCode
	}
	for _, statement := range []string{
		"SELECT * FROM default.secret", "SELECT count() FROM numbers(10)", "SYSTEM STOP LISTEN HTTP",
		"SELECT * FROM system.processes", "CREATE TABLE x (a UInt8) ENGINE = Memory", "SELECT * FROM file('/etc/passwd')",
	} {
		assert.NotEqual(t, http.StatusOK, post("", "", statement), "anonymous: %s", statement)
		assert.Equal(t, http.StatusForbidden, post("chaoban", "wrong", statement), "wrong password: %s", statement)
	}
	assert.True(t, server.Endpoint().Up)
	for _, name := range []string{"config.xml", "users.xml", "engine.json", "engine.out", "engine.lock"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	password := strings.SplitN(strings.SplitN(endpoint.DSN, "chaoban:", 2)[1], "@", 2)[0]
	for _, name := range []string{"config.xml", "users.xml"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.NotContains(t, string(text), password)
	}
}

func TestConfigReportsEverything(t *testing.T) {
	err := clickhouseserver.Config{MemoryBytes: 1}.Validate()
	assert.ErrorContains(t, err, "dir is empty")
	assert.ErrorContains(t, err, "256 MiB")
	assert.NoError(t, clickhouseserver.Config{Dir: "x"}.Validate())
}

func TestMissingLibrarySaysWhatToDo(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv(clickhouseserver.LibraryVariable, "")
	_, err := clickhouseserver.LibraryPath()
	require.ErrorIs(t, err, clickhouseserver.ErrNoLibrary)
	assert.ErrorContains(t, err, "make engine")
	t.Setenv(clickhouseserver.LibraryVariable, "/nowhere/libchdb.so")
	_, err = clickhouseserver.LibraryPath()
	require.ErrorIs(t, err, clickhouseserver.ErrNoLibrary)
	server := clickhouseserver.New(clickhouseserver.Config{Dir: t.TempDir()})
	assert.ErrorIs(t, server.Run(t.Context()), clickhouseserver.ErrNoLibrary)
	assert.ErrorIs(t, server.Endpoint().Err, clickhouseserver.ErrNoLibrary)
}

func TestBrokenLibraryIsReportedAndRetried(t *testing.T) {
	library := filepath.Join(t.TempDir(), "libchdb.so")
	require.NoError(t, os.WriteFile(library, []byte("not a library"), 0o600))
	config := enginetest.Config(t.TempDir())
	config.Library = library
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var failures []string
	config.Log = func(message string, attributes ...any) {
		failures = append(failures, fmt.Sprint(message, attributes))
		if len(failures) == 2 {
			cancel() // before a third start empties engine.out
		}
	}
	server := clickhouseserver.New(config)
	require.NoError(t, server.Run(ctx))
	assert.Len(t, failures, 2)
	output, err := os.ReadFile(filepath.Join(config.Dir, "engine.out"))
	require.NoError(t, err)
	assert.Contains(t, string(output), "load "+library)
}
