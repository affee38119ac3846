// Package enginetest gives tests a real ClickHouse: one engine per test binary, one fresh
// database per test. A test that needs it skips with a reason where the engine library is
// missing, and fails in CI (CI=true), where it must be there.
//
// It owns the engine's life inside a test binary; it does not own schemas.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chaoban/chaoban/internal/clickhouseserver"
)

// childVariable makes a re-executed test binary act as the engine's child.
const childVariable = "CHAOBAN_TEST_ENGINE_CHILD"

var (
	shared    sync.Mutex
	server    *clickhouseserver.Server
	finish    func() error
	databases atomic.Int64
)

// Main runs the tests of a package that uses Start; call it from TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }
func Main(m *testing.M) int {
	if os.Getenv(childVariable) != "" {
		if err := clickhouseserver.Child(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	}
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if finish != nil {
		if err := finish(); err != nil { // news, but no fault of the tests
			fmt.Fprintln(os.Stderr, "enginetest:", err)
		}
	}
	return code
}

// Config is the configuration with which a test binary can run its own engine in dir; a test that
// kills it often does not wait long for the next start.
func Config(dir string) clickhouseserver.Config {
	return clickhouseserver.Config{
		Dir: dir, Arguments: []string{}, Environment: []string{childVariable + "=1"}, BackOff: 200 * time.Millisecond,
	}
}

// Need skips the test, or fails it in CI, when the engine library is missing.
func Need(t testing.TB) {
	t.Helper()
	_, err := clickhouseserver.LibraryPath()
	if err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI must have the engine: %v", err)
	}
	t.Skipf("needs the engine: %v", err)
}

// Start returns the DSN of a fresh database in the test binary's shared engine. The database is
// dropped when the test ends.
func Start(t testing.TB) (dsn string) {
	t.Helper()
	Need(t)
	endpoint := sharedEndpoint(t)
	name := fmt.Sprintf("test_%d", databases.Add(1))
	Exec(t, endpoint, "CREATE DATABASE "+name)
	t.Cleanup(func() { Exec(t, endpoint, "DROP DATABASE IF EXISTS "+name+" SYNC") })
	return strings.TrimSuffix(endpoint.DSN, "/default") + "/" + name
}

func sharedEndpoint(t testing.TB) clickhouseserver.Endpoint {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if server == nil {
		dir, err := os.MkdirTemp("", "chaoban-engine-") //nolint:usetesting // the engine outlives the test that starts it
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		server = clickhouseserver.New(Config(dir))
		go func() { done <- server.Run(ctx) }()
		finish = func() error {
			cancel()
			return errors.Join(<-done, os.RemoveAll(dir))
		}
	}
	return WaitUp(t, server)
}

// Server is the engine that Own starts, for tests whose unit may not import clickhouseserver.
type Server = clickhouseserver.Server

// Own starts an engine of the test's own, for tests that kill it, with a configuration made from
// Config, and waits until it is up. It is stopped when the test ends.
func Own(t testing.TB, config clickhouseserver.Config) *Server {
	t.Helper()
	Need(t)
	own := clickhouseserver.New(config)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- own.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	WaitUp(t, own)
	return own
}

// WaitUp waits, at most a minute, until an engine is up.
func WaitUp(t testing.TB, s *clickhouseserver.Server) clickhouseserver.Endpoint {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	endpoint, err := s.WaitUp(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return endpoint
}

// Exec runs one statement over HTTP and returns the answer; any failure fails the test.
func Exec(t testing.TB, endpoint clickhouseserver.Endpoint, statement string) string {
	t.Helper()
	answer, err := Query(endpoint, statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return answer
}

// In runs one statement in a database that Start gave, past all code of ours: to look at, or spoil,
// what is stored.
func In(t testing.TB, dsn, statement string) string {
	t.Helper()
	endpoint := sharedEndpoint(t)
	endpoint.HTTP += "/?database=" + dsn[strings.LastIndexByte(dsn, '/')+1:]
	return Exec(t, endpoint, statement)
}

// Query runs one statement over HTTP and returns the answer without the final line break.
func Query(endpoint clickhouseserver.Endpoint, statement string) (string, error) {
	dsn, err := url.Parse(endpoint.DSN)
	if err != nil {
		return "", err
	}
	request, err := http.NewRequest(http.MethodPost, endpoint.HTTP, strings.NewReader(statement))
	if err != nil {
		return "", err
	}
	password, _ := dsn.User.Password()
	request.Header.Set("X-ClickHouse-User", dsn.User.Username())
	request.Header.Set("X-ClickHouse-Key", password)
	request.Close = true // an idle connection would hold up the engine's stop
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK {
		return "", errors.New(strings.TrimSpace(string(body)))
	}
	return strings.TrimSuffix(string(body), "\n"), nil
}
