package clickhouseserver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Restart timing. A child that lived stableAfter is taken for healthy and the back-off begins anew.
const (
	firstBackOff = 100 * time.Millisecond
	stableAfter  = time.Minute
	pingEvery    = 10 * time.Second
	missedPings  = 6 // a child that hangs this long is replaced
)

// Endpoint is where the engine is now. DSN changes with every restart.
type Endpoint struct {
	Up     bool   // it answered and has not ended since
	DSN    string // clickhouse://user:password@127.0.0.1:port/default; a secret
	HTTP   string // http://127.0.0.1:port; the user and password of the DSN apply
	PID    int    // of the child
	Starts int    // how often a child became ready; 0 = never yet
	Err    error  // why it is down
}

// Server keeps one engine running on one directory.
type Server struct {
	config Config

	mu       sync.Mutex
	endpoint Endpoint
	changed  chan struct{}
}

// New makes an inert Server; Run starts it.
func New(c Config) *Server { return &Server{config: c, changed: make(chan struct{})} }

// Endpoint reports the present state without blocking.
func (s *Server) Endpoint() Endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endpoint
}

// Changed returns a channel that is closed at the next change of Endpoint. Take the channel
// before reading Endpoint, so that no change is missed.
func (s *Server) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// WaitUp blocks until the engine is up or ctx ends; then it says why the engine is down.
func (s *Server) WaitUp(ctx context.Context) (Endpoint, error) {
	for {
		changed := s.Changed()
		endpoint := s.Endpoint()
		if endpoint.Up {
			return endpoint, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if endpoint.Err == nil {
				return endpoint, fmt.Errorf("the engine is not up: %w", context.Cause(ctx))
			}
			return endpoint, fmt.Errorf("the engine is not up: %w (last failure: %w)", context.Cause(ctx), endpoint.Err)
		}
	}
}

func (s *Server) publish(update func(*Endpoint)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	update(&s.endpoint)
	close(s.changed)
	s.changed = make(chan struct{})
}

// Run keeps the engine running until ctx ends, then stops it (within 8 s) and returns nil.
// It returns an error at once when the configuration is bad, the library is missing
// (ErrNoLibrary) or the directory belongs to another process (ErrLocked). Call it once.
func (s *Server) Run(ctx context.Context) error {
	config, err := s.config.complete()
	if err == nil {
		var unlock func()
		if unlock, err = lock(config.Dir); err == nil {
			defer unlock()
			defer func() { _ = os.Remove(filepath.Join(config.Dir, announcement)) }() // usually gone already
			s.keepRunning(ctx, config)
		}
	}
	s.publish(func(e *Endpoint) { *e = Endpoint{Starts: e.Starts, Err: err} })
	return err
}

func (s *Server) keepRunning(ctx context.Context, config Config) {
	backOff := min(firstBackOff, config.BackOff)
	for ctx.Err() == nil {
		started := time.Now()
		err := s.runOnce(ctx, config)
		if ctx.Err() != nil {
			return
		}
		if time.Since(started) > stableAfter {
			backOff = min(firstBackOff, config.BackOff)
		}
		config.Log("engine ended, restarting", "error", err, "pause", backOff)
		select {
		case <-ctx.Done():
		case <-time.After(backOff):
		}
		backOff = min(2*backOff, config.BackOff)
	}
}

// runOnce runs one child from start to end. It returns why the child ended.
func (s *Server) runOnce(ctx context.Context, config Config) (err error) {
	defer func() {
		_ = os.Remove(filepath.Join(config.Dir, announcement)) // nobody shall attach to a dead engine
		s.publish(func(e *Endpoint) { *e = Endpoint{Starts: e.Starts, Err: err} })
	}()
	started := time.Now()
	p, err := startProcess(config)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.ready(ctx); err != nil {
		return fmt.Errorf("%w; see %s", err, filepath.Join(config.Dir, "engine.out"))
	}
	if err := announce(config.Dir, p); err != nil {
		return err
	}
	s.publish(func(e *Endpoint) {
		starts := e.Starts + 1
		*e = p.address.endpoint()
		e.PID, e.Starts = p.command.Process.Pid, starts
	})
	config.Log("engine ready", "pid", p.command.Process.Pid, "after", time.Since(started).Round(time.Millisecond))
	return p.watch(ctx)
}

// watch returns when the child is gone, hangs, or ctx ends.
func (p *process) watch(ctx context.Context) error {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for missed := 0; missed < missedPings; {
		select {
		case <-ctx.Done():
			return nil
		case <-p.exited:
			return fmt.Errorf("the engine ended: %w", p.failure)
		case <-ticker.C:
			if err := p.address.query(ctx, "SELECT 1", pingDeadline); err != nil {
				missed++
			} else {
				missed = 0
			}
		}
	}
	return fmt.Errorf("the engine did not answer %d pings", missedPings)
}

func (a address) endpoint() Endpoint {
	return Endpoint{
		Up:   true,
		DSN:  fmt.Sprintf("clickhouse://%s:%s@127.0.0.1:%d/default", user, a.password, a.native),
		HTTP: fmt.Sprintf("http://127.0.0.1:%d", a.http),
	}
}
