package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/configs"
	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/clickhouseserver"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/jobs"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// app is one composed process: configuration, stores, engine, use cases.
type app struct {
	config configs.Config
	log    *slog.Logger
	store  *store.DB
	wh     *warehouse.Warehouse
	ops    *operations.Operations
	jobs   *jobs.Scheduler
	engine *engine
	who    access.Principal
}

// need says what a command uses; the engine takes a second to start, so commands that can do
// without it do not wait.
type need uint8

const (
	needStore  need = iota
	needEngine      // wait until it is up, or fail
	wantEngine      // start it and go on without it when it does not come up soon
)

// engineWait is how long a service waits for its engine before it goes on without figures.
const engineWait = 30 * time.Second

// load reads the configuration a command runs under.
func (s *settings) load() (configs.Config, error) {
	c, err := configs.Load(s.config, os.Environ())
	if err != nil {
		return c, err
	}
	if s.data != "" {
		c.DataDir = s.data
	}
	return c, c.Validate()
}

// open composes the process. Close it in any case.
func (s *settings) open(ctx context.Context, cmd *cobra.Command, what need) (*app, error) {
	c, err := s.load()
	if err != nil {
		return nil, err
	}
	return compose(ctx, c, cmd.ErrOrStderr(), what)
}

func compose(ctx context.Context, c configs.Config, logTo io.Writer, what need) (_ *app, err error) {
	a := &app{config: c, log: logger(c.Log, logTo), who: operator()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "config.data_dir", "the data directory %s cannot be made", c.DataDir)
	}
	if c.Store.DSN == "" {
		c.Store.DSN = "sqlite:" + filepath.Join(c.DataDir, "chaoban.db")
	}
	if a.store, err = store.Open(ctx, c.Store); err != nil {
		return nil, err
	}
	if a.engine, err = openEngine(ctx, c, a.log, what); err != nil {
		return nil, err
	}
	definitions, err := configs.Metrics()
	if err != nil {
		return nil, err
	}
	if a.wh, err = warehouse.Open(ctx, c.Warehouse.Client(c.TimeZone), a.engine.endpoint, definitions); err != nil {
		return nil, err
	}
	deps, err := a.dependencies(c, definitions)
	if err != nil {
		return nil, err
	}
	a.ops = operations.New(c.Operations, deps)
	a.jobs = jobs.New(c.Jobs, a.ops, c.Zone(), a.log)
	return a, nil
}

func (a *app) dependencies(c configs.Config, definitions kpi.Definitions) (operations.Deps, error) {
	promotions, err := shippedPromotions()
	if err != nil {
		return operations.Deps{}, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return operations.Deps{
		Store: a.store, Warehouse: a.wh, Zone: c.Zone(), Holidays: configs.Holidays(), Promotions: promotions,
		Definitions: definitions, Rules: workrules.DefaultParams(), Log: a.log, Now: time.Now,
		Node: fmt.Sprintf("%s-%d", host, os.Getpid()),
	}, nil
}

// shippedPromotions turns the calendar pack into events of the forecaster.
func shippedPromotions() ([]operations.Promotion, error) {
	pack, err := configs.Promotions()
	if err != nil {
		return nil, err
	}
	var out []operations.Promotion
	for _, p := range pack {
		e := forecast.Event{Family: p.Family, Start: p.Start, End: p.End, Openings: p.Openings}
		at := p.Start
		for _, phase := range p.Phases { // phases of the pack may overlap: the earlier one wins
			start, end := phase.Start, phase.End
			if start.Before(at) {
				start = at
			}
			if end.After(start) {
				e.Phases = append(e.Phases, forecast.Phase{Kind: phase.Kind, Start: start, End: end})
				at = end
			}
		}
		out = append(out, operations.Promotion{Platform: contracts.Platform(p.Platform), Event: e})
	}
	return out, nil
}

// Close stops what compose started, in reverse.
func (a *app) Close() error {
	var errs []error
	if a.wh != nil {
		errs = append(errs, a.wh.Close())
	}
	if a.engine != nil {
		errs = append(errs, a.engine.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	return errors.Join(errs...)
}

// operator is who acts from the command line: whoever may read the data directory is trusted.
func operator() access.Principal {
	name := os.Getenv("USER")
	if name == "" {
		name = "operator"
	}
	return access.System("cli:" + name)
}

func logger(c configs.Log, to io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

// engine is where the measurements live: an external server, the embedded engine that this
// process runs, or the one that another process of this data directory runs.
type engine struct {
	dsn      string
	server   *clickhouseserver.Server
	attached *clickhouseserver.Attachment
	cancel   context.CancelFunc
	done     chan error
}

// openEngine starts or finds the engine. Without needEngine nothing is started: figures are then
// unavailable and nothing else suffers.
func openEngine(ctx context.Context, c configs.Config, log *slog.Logger, what need) (*engine, error) {
	e := &engine{dsn: c.Warehouse.DSN}
	if e.dsn != "" || what == needStore {
		return e, nil
	}
	dir := filepath.Join(c.DataDir, "clickhouse")
	if attached, err := clickhouseserver.Attach(ctx, dir); err == nil {
		e.attached = attached
		return e, nil
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.cancel, e.done = cancel, make(chan error, 1)
	e.server = clickhouseserver.New(clickhouseserver.Config{
		Dir: dir, Library: c.Engine.Library, MemoryBytes: c.Engine.Memory << 20,
		Log: func(message string, attributes ...any) { log.Debug(message, attributes...) },
	})
	go func() { e.done <- e.server.Run(run) }()
	if err := e.await(ctx); err != nil {
		if what == needEngine {
			return e, err
		}
		log.WarnContext(ctx, "going on without figures until the engine is up", "error", fault.InternalText(err))
	}
	return e, nil
}

// await waits until the engine answers, has given up, or engineWait is over.
func (e *engine) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, engineWait)
	defer cancel()
	ready := make(chan error, 1)
	go func() { _, err := e.server.WaitUp(ctx); ready <- err }()
	select {
	case err := <-e.done:
		e.done <- err
		return engineFault(err)
	case err := <-ready:
		if err != nil {
			return engineFault(err)
		}
		return nil
	}
}

func engineFault(err error) error {
	if err == nil {
		err = errors.New("it ended at once")
	}
	return fault.Wrap(err, fault.Unavailable, "engine.start", "the embedded ClickHouse does not start: %s", err)
}

// endpoint is the DSN to use now and whether the engine is up.
func (e *engine) endpoint() (dsn string, up bool) {
	switch {
	case e.dsn != "":
		return e.dsn, true
	case e.server != nil:
		at := e.server.Endpoint()
		return at.DSN, at.Up
	case e.attached != nil:
		at := e.attached.Endpoint()
		return at.DSN, at.Up
	default:
		return "", false
	}
}

// Close stops an engine that this process started.
func (e *engine) Close() error {
	if e.cancel == nil {
		return nil
	}
	e.cancel()
	select {
	case err := <-e.done:
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	case <-time.After(9 * time.Second):
		return fault.New(fault.Timeout, "engine.stop", "the engine did not stop in time")
	}
}
