package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/httpapi"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/demo"
)

// graceful is how long requests and jobs in flight may go on after SIGTERM. Stopping the engine
// takes seven seconds at the worst, and all of it has to be over within ten.
const graceful = 2500 * time.Millisecond

func newServeCommand(s *settings) *cobra.Command {
	var withDemo bool
	var listen string
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the service: HTTP API, scheduled jobs, embedded engine", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := s.load()
			if err != nil {
				return err
			}
			if listen != "" {
				c.HTTP.Listen = listen
			}
			if withDemo && !loopback(c.HTTP.Listen) {
				return fault.New(fault.Invalid, "demo.listen", "the demo has published passwords: it is served on a loopback address only, not on %s", c.HTTP.Listen)
			}
			ln, err := net.Listen("tcp", c.HTTP.Listen)
			if err != nil {
				return fault.Wrap(err, fault.Unavailable, "http.listen", "cannot listen on %s: %s", c.HTTP.Listen, reason(err))
			}
			out := cmd.OutOrStdout()
			unlock, err := lockService(c.DataDir)
			if err != nil {
				return errors.Join(err, ln.Close())
			}
			defer unlock()
			fmt.Fprintln(out, "Chaoban 潮班: starting stores and engine …")
			a, err := compose(cmd.Context(), c, cmd.ErrOrStderr(), wantEngine)
			if err != nil {
				return errors.Join(err, ln.Close())
			}
			return errors.Join(serve(cmd.Context(), a, ln, out, withDemo), a.Close())
		},
	}
	cmd.Flags().BoolVar(&withDemo, "demo", false, "load the demo at the first start")
	cmd.Flags().StringVar(&listen, "listen", "", "address, replaces http.listen")
	return cmd
}

// serve runs until the context ends, then stops in reverse order within ten seconds.
func serve(ctx context.Context, a *app, ln net.Listener, out io.Writer, withDemo bool) error {
	if n, err := a.ops.AbandonRuns(ctx); err != nil {
		return errors.Join(err, ln.Close())
	} else if n > 0 {
		a.log.WarnContext(ctx, "job runs were cut off by the last stop", "runs", n)
	}
	if withDemo {
		if err := loadDemo(ctx, a, out); err != nil {
			return errors.Join(err, ln.Close())
		}
	}
	if a.config.Jobs.Enabled {
		if err := a.jobs.Start(ctx); err != nil {
			return errors.Join(err, ln.Close())
		}
	}
	server := httpapi.New(a.config.HTTP, httpapi.Deps{Ops: a.ops, Jobs: a.jobs, JobTable: a.jobTable, Health: a.health, Version: Version, Log: a.log})
	failed := server.Start(ln)
	welcome(out, ln.Addr().String(), withDemo)
	var err error
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "stopping …")
	case err = <-failed:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceful)
	defer cancel()
	return errors.Join(err, server.Stop(stop), a.jobs.Stop(stop))
}

// loopback reports whether a listen address is reachable from this machine only.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// lockService keeps a second service off the data directory: it would take the running one's job
// runs for those of a dead process. The kernel gives the lock back even after kill -9.
func lockService(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "config.data_dir", "the data directory %s cannot be made", dir)
	}
	f, err := os.OpenFile(filepath.Join(dir, "service.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "config.data_dir", "the data directory %s cannot be written", dir)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		return nil, fault.Wrap(err, fault.Conflict, "service.running", "another Chaoban service runs on the data directory %s", dir)
	}
	return func() { _ = f.Close() }, nil
}

func loadDemo(ctx context.Context, a *app, out io.Writer) error {
	merchants, _, err := a.ops.Administration.Merchants(ctx, a.who, operations.Page{Limit: 1})
	if err != nil || len(merchants) > 0 {
		loaded, known := a.ops.DemoLoaded(ctx)
		if err != nil || !known || loaded {
			return err
		}
	}
	started := time.Now()
	fmt.Fprintln(out, "loading the demo (once, simulated data):")
	if err := demo.Load(ctx, a.ops, func(step string) { fmt.Fprintf(out, "  %s\n", step) }); err != nil {
		return err
	}
	fmt.Fprintf(out, "demo loaded in %s\n", time.Since(started).Round(time.Second))
	return nil
}

func welcome(out io.Writer, address string, withDemo bool) {
	fmt.Fprintf(out, "\nChaoban is ready on http://%s  (API documentation: http://%s/docs)\n", address, address)
	if !withDemo {
		return
	}
	fmt.Fprintf(out, "demo logins (password %s):", demo.Password)
	for _, l := range demo.Logins {
		fmt.Fprintf(out, " %s", l.Login)
	}
	fmt.Fprint(out, "\ntry next, in another terminal:\n"+
		"  bin/chaoban forecast make --origin 2026-11-01 --horizon 14d\n"+
		"  bin/chaoban kpi query --metric answered_within --within 30s --by merchant --month 2026-11\n"+
		"  bin/chaoban report sla --contract lumi-2026 --month 2026-11 --out lumi.xlsx\n"+
		"everything shown is simulated; stop with Ctrl-C\n")
}

func newDemoCommand(s *settings) *cobra.Command {
	load := &cobra.Command{
		Use: "load", Short: "Load the simulated demo into empty stores", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.with(cmd, needEngine, func(a *app) error { return loadDemo(cmd.Context(), a, cmd.ErrOrStderr()) })
		},
	}
	return family("demo", "The simulated demo", beginning(load))
}
