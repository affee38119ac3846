// Package clickhouseserver runs a private ClickHouse as a child process: it starts it, watches it,
// restarts it with back-off and stops it. The engine is a shared library (libchdb) that a second
// copy of our own executable loads; nothing is installed on the machine.
//
// It owns the engine's directory (configuration, password, data, log) while it runs, behind an
// exclusive lock. It does not own what is stored there (kpi/warehouse) nor how the library
// reaches the cache (`make engine`). It uses the standard library and the dlopen library only,
// so its errors are plain errors.
//
// Why a child process: a failed login on the engine's native port ends its process. Why loopback,
// a random port and a random password per start: nobody else on the machine shall talk to it.
// Times: deadlines and back-offs are wall-clock durations; nothing here stores an instant.
package clickhouseserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Version of the engine package that this build is tested with.
const Version = "26.7.3-stable.1"

// LibraryVariable is the environment variable that overrides where the library is.
const LibraryVariable = "CHAOBAN_ENGINE"

// ErrNoLibrary means that the engine library is not on this machine.
var ErrNoLibrary = errors.New("the ClickHouse engine library is missing")

// ErrLocked means that another process runs the engine on the same directory; use Attach.
var ErrLocked = errors.New("another process runs the engine on this directory")

// ErrNotRunning means that no process runs the engine on the directory.
var ErrNotRunning = errors.New("no engine runs on this directory")

// LibraryPath finds the engine library: $CHAOBAN_ENGINE when set, otherwise the user cache
// directory's chaoban/engine/<Version>. The error wraps ErrNoLibrary and says what to do.
func LibraryPath() (string, error) {
	if path := os.Getenv(LibraryVariable); path != "" {
		if err := regularFile(path); err != nil {
			return "", fmt.Errorf("%w: %s names %s: %w", ErrNoLibrary, LibraryVariable, path, err)
		}
		return path, nil
	}
	name, err := packageName(runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: no user cache directory: %w", ErrNoLibrary, err)
	}
	path := filepath.Join(cache, "chaoban", "engine", Version, "node_modules", "@chdb", name, "libchdb.so")
	if err := regularFile(path); err != nil {
		return "", fmt.Errorf("%w at %s; run `make engine` once, or set %s to a libchdb.so of version %s",
			ErrNoLibrary, path, LibraryVariable, Version)
	}
	return path, nil
}

func regularFile(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("is not a regular file")
	}
	return nil
}

// packageName is the engine package for a platform; musl systems are not supported by it.
func packageName(goos, goarch string) (string, error) {
	switch goos + "/" + goarch {
	case "linux/amd64":
		return "lib-linux-x64-gnu", nil
	case "linux/arm64":
		return "lib-linux-arm64-gnu", nil
	case "darwin/amd64":
		return "lib-darwin-x64", nil
	case "darwin/arm64":
		return "lib-darwin-arm64", nil
	}
	return "", fmt.Errorf("%w: there is no engine package for %s/%s; use an external ClickHouse by DSN",
		ErrNoLibrary, goos, goarch)
}
