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
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/jobs"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
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
	if _, err := os.Stat(storeFile(c)); errors.Is(err, os.ErrNotExist) && c.Store.DSN == "" {
		if cmd.Annotations[begins] == "" {
			dir, err := filepath.Abs(c.DataDir)
			if err != nil {
				dir = c.DataDir
			}
			return nil, fault.New(fault.NotFound, "cli.no_store", "there is no store in %s: name the data directory with --data, or data_dir in the file of --config, "+
				"or begin one here with 'chaoban contracts apply', 'chaoban demo load' or 'chaoban serve'", dir)
		}
		if !s.json {
			fmt.Fprintf(cmd.ErrOrStderr(), "chaoban: new, empty store in %s\n", c.DataDir) // perhaps the directory is not the one that was meant
		}
	}
	return compose(ctx, c, cmd.ErrOrStderr(), what)
}

// begins annotates commands that may make a new store. The others refuse: what they answer of an empty one, such
// as that nothing was offered, is wrong in a directory that was not meant.
const begins = "begins"

// beginning marks a command that may make a new store.
func beginning(cmd *cobra.Command) *cobra.Command {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[begins] = "true"
	return cmd
}

func storeFile(c configs.Config) string { return filepath.Join(c.DataDir, "chaoban.db") }

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
		c.Store.DSN = "sqlite:" + storeFile(c)
	}
	if a.store, err = store.Open(ctx, c.Store); err != nil {
		return nil, err
	}
	if a.engine, err = openEngine(ctx, c, a.log, what); err != nil {
		return nil, err
	}
	definitions, err := configs.MetricsWith(c.MetricsDir)
	if err != nil {
		return nil, err
	}
	if a.wh, err = warehouse.Open(ctx, c.Warehouse.Client(c.TimeZone), a.engine.endpoint, definitions); err != nil {
		return nil, err
	}
	deps, err := a.dependencies(c, definitions, node(c, what))
	if err != nil {
		return nil, err
	}
	a.ops = operations.New(c.Operations, deps)
	if err = a.ops.Start(ctx); err != nil {
		return nil, err
	}
	a.jobs = jobs.New(c.Jobs, a.ops, c.Zone(), a.log)
	return a, nil
}

func (a *app) dependencies(c configs.Config, definitions kpi.Definitions, name string) (operations.Deps, error) {
	promotions, err := shippedPromotions()
	if err != nil {
		return operations.Deps{}, err
	}
	closing, err := configs.Closing()
	if err != nil {
		return operations.Deps{}, err
	}
	return operations.Deps{
		Store: a.store, Warehouse: a.wh, Zone: c.Zone(), Holidays: configs.Holidays(), Promotions: promotions,
		Definitions: definitions, Closing: closing, Rules: workrules.DefaultParams(), Log: a.log, Now: time.Now,
		Node: name,
	}, nil
}

// node names this process among those that share the stores. A service keeps its name over a
// restart, so that it finds the job runs and the leases that it held when it died.
func node(c configs.Config, what need) string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	if dir, err := filepath.Abs(c.DataDir); err == nil && what == wantEngine {
		return host + ":" + dir
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

// shippedPromotions turns the calendar pack into events of the forecaster.
func shippedPromotions() ([]planning.Promotion, error) {
	pack, err := configs.Promotions()
	if err != nil {
		return nil, err
	}
	var out []planning.Promotion
	for _, p := range pack {
		out = append(out, planning.Promotion{
			Platform: contracts.Platform(p.Platform), Event: p.Event(), Unsure: p.Unsure, Quality: p.Quality, Source: p.Source,
		})
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
