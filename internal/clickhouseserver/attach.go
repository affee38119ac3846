package clickhouseserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// announcement is the file, readable by the owner only, by which the process that runs the
// engine tells other processes of the same user where it is.
const announcement = "engine.json"

type announced struct {
	Native   int    `json:"native_port"`
	HTTP     int    `json:"http_port"`
	Password string `json:"password"`
	PID      int    `json:"pid"`
	Version  string `json:"version"`
}

// lock takes the directory for this process; the kernel gives it back even after kill -9.
func lock(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("engine directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "engine.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("engine lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s", ErrLocked, dir)
		}
		return nil, fmt.Errorf("engine lock: %w", err)
	}
	return func() { _ = file.Close() }, nil
}

func announce(dir string, p *process) error {
	text, err := json.Marshal(announced{p.address.native, p.address.http, p.address.password, p.command.Process.Pid, Version})
	if err != nil {
		return err
	}
	return writePrivate(filepath.Join(dir, announcement), text)
}

// Attachment is the view of an engine that another process runs.
type Attachment struct {
	dir string

	mu       sync.Mutex
	modified time.Time
	endpoint Endpoint
}

// Attach finds the engine that another process runs on the directory and checks that it answers.
// The error wraps ErrNotRunning when there is none.
func Attach(ctx context.Context, dir string) (*Attachment, error) {
	a := &Attachment{dir: dir}
	found, endpoint, err := readAnnouncement(dir)
	if err != nil {
		return nil, err
	}
	where := address{native: found.Native, http: found.HTTP, password: found.Password}
	if err := where.query(ctx, "SELECT 1", pingDeadline); err != nil {
		return nil, fmt.Errorf("%w: %s names process %d, which does not answer: %w",
			ErrNotRunning, filepath.Join(dir, announcement), found.PID, err)
	}
	a.endpoint = endpoint
	return a, nil
}

// Endpoint follows restarts: the owner rewrites the announcement at each, and removes it while
// the engine is down. It never blocks on the network.
func (a *Attachment) Endpoint() Endpoint {
	a.mu.Lock()
	defer a.mu.Unlock()
	info, err := os.Stat(filepath.Join(a.dir, announcement))
	if err != nil {
		a.modified = time.Time{}
		return Endpoint{Err: fmt.Errorf("%w: %w", ErrNotRunning, err)}
	}
	if info.ModTime().Equal(a.modified) {
		return a.endpoint
	}
	_, endpoint, err := readAnnouncement(a.dir)
	if err != nil {
		return Endpoint{Err: err}
	}
	a.modified, a.endpoint = info.ModTime(), endpoint
	return endpoint
}

func readAnnouncement(dir string) (announced, Endpoint, error) {
	var found announced
	text, err := os.ReadFile(filepath.Join(dir, announcement))
	if err != nil {
		return found, Endpoint{}, fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return found, Endpoint{}, fmt.Errorf("%w: %s: %w", ErrNotRunning, announcement, err)
	}
	endpoint := address{native: found.Native, http: found.HTTP, password: found.Password}.endpoint()
	endpoint.PID, endpoint.Starts = found.PID, 1
	return found, endpoint, nil
}
