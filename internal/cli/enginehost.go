package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/chaoban/chaoban/configs"
	"github.com/chaoban/chaoban/internal/clickhouseserver"
	"github.com/chaoban/chaoban/internal/fault"
)

const (
	// engineWait is how long a process waits for its engine before it gives up or goes on without.
	engineWait = 30 * time.Second
	// takeOver is how often a process that uses another one's engine tries to have its own.
	takeOver = 500 * time.Millisecond
)

// engine is where the measurements live: an external server, the embedded engine that this process
// runs, or the one that another process of this data directory runs. When that other process ends,
// its engine ends too, and this process starts one: so a service outlives the command it borrowed
// the engine from.
type engine struct {
	dsn    string
	dir    string
	cancel context.CancelFunc
	done   chan error // what the last own engine ended with

	mu       sync.Mutex
	own      *clickhouseserver.Server
	borrowed *clickhouseserver.Attachment
}

// openEngine starts or finds the engine. With needStore nothing is started: figures are then
// unavailable and nothing else suffers.
func openEngine(ctx context.Context, c configs.Config, log *slog.Logger, what need) (*engine, error) {
	e := &engine{dsn: c.Warehouse.DSN, dir: filepath.Join(c.DataDir, "clickhouse"), done: make(chan error, 1)}
	if e.dsn != "" || what == needStore {
		return e, nil
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.cancel = cancel
	config := clickhouseserver.Config{
		Dir: e.dir, Library: c.Engine.Library, MemoryBytes: c.Engine.Memory << 20,
		Log: func(message string, attributes ...any) { log.Debug("engine: "+message, attributes...) }, //nolint:sloglint // the messages are constants of clickhouseserver
	}
	go func() { e.done <- e.keep(run, config) }()
	if err := e.await(ctx); err != nil {
		if what == needEngine {
			return e, err
		}
		log.WarnContext(ctx, "going on without figures until the engine is up", "error", fault.InternalText(err))
	}
	return e, nil
}

// keep runs an engine of our own, or borrows while another process has the directory. Trying to
// start tells whether the other process is still there, also after its kill -9.
func (e *engine) keep(ctx context.Context, config clickhouseserver.Config) error {
	for {
		own := clickhouseserver.New(config)
		e.mu.Lock()
		e.own = own
		e.mu.Unlock()
		err := own.Run(ctx)
		if !errors.Is(err, clickhouseserver.ErrLocked) || ctx.Err() != nil {
			return err
		}
		if _, up := e.endpoint(); !up {
			if borrowed, err := clickhouseserver.Attach(ctx, e.dir); err == nil {
				e.mu.Lock()
				e.borrowed = borrowed
				e.mu.Unlock()
			}
		}
		pause(ctx, takeOver)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// await waits until the engine answers, has given up, or engineWait is over.
func (e *engine) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, engineWait)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, up := e.endpoint(); up {
			return nil
		}
		select {
		case err := <-e.done:
			e.done <- err
			return engineFault(err)
		case <-ctx.Done():
			return engineFault(e.why(ctx))
		case <-tick.C:
		}
	}
}

// why the engine is not up.
func (e *engine) why(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.own != nil {
		if err := e.own.Endpoint().Err; err != nil {
			return err
		}
	}
	return fmt.Errorf("it is not up: %w", context.Cause(ctx))
}

func engineFault(err error) error {
	if err == nil {
		err = errors.New("it ended at once")
	}
	return fault.Wrap(err, fault.Unavailable, "engine.start", "the embedded ClickHouse does not start: %s", err)
}

// endpoint is the DSN to use now and whether the engine is up.
func (e *engine) endpoint() (dsn string, up bool) {
	if e.dsn != "" {
		return e.dsn, true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.own != nil {
		if at := e.own.Endpoint(); at.Up {
			return at.DSN, true
		}
	}
	if e.borrowed != nil {
		at := e.borrowed.Endpoint()
		return at.DSN, at.Up
	}
	return "", false
}

// Close stops an engine that this process started.
func (e *engine) Close() error {
	if e.cancel == nil {
		return nil
	}
	e.cancel()
	select {
	case err := <-e.done:
		if errors.Is(err, context.Canceled) || errors.Is(err, clickhouseserver.ErrLocked) {
			return nil
		}
		return err
	case <-time.After(9 * time.Second):
		return fault.New(fault.Timeout, "engine.stop", "the engine did not stop in time")
	}
}
