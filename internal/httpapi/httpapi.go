// Package httpapi owns the HTTP door: routes, bodies, OpenAPI 3.1, authentication, and the mapping
// of faults to RFC 9457 problem JSON. It is the only importer of Fiber and huma.
//
// It does not own permissions (operations decides them for every door), data (every route is one
// call into operations) or the console (web). It checks the shape of a request, strictly: an
// unknown field or query parameter is an error; what a value means is checked behind operations.
//
// Times: instants travel as RFC 3339 with an offset and are answered in UTC; dates (2026-11-11)
// and months (2026-11) are civil ones in the business time zone; durations in requests are texts
// like "15m" or "30s".
package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
)

// Config sets the HTTP door.
type Config struct {
	Listen    string        `yaml:"listen"`     // host:port; port 0 takes a free one
	Deadline  time.Duration `yaml:"deadline"`   // of one request; long operations get 20 times as much
	BodyLimit int64         `yaml:"body_limit"` // bytes of one request body as it is sent
	// TrustedProxies are networks (CIDR) or addresses whose X-Forwarded-For and X-Forwarded-Proto are
	// believed; none by default.
	TrustedProxies []string `yaml:"trusted_proxies"`
}

// DefaultConfig serves the local machine only.
func DefaultConfig() Config {
	return Config{Listen: "127.0.0.1:8080", Deadline: 30 * time.Second, BodyLimit: 64 << 20, TrustedProxies: []string{}}
}

// Validate reports every bad field. Errors: http.config.
func (c Config) Validate() error {
	var bad []fault.Field
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		bad = append(bad, fault.Field{Path: "listen", Value: c.Listen, Problem: "must be host:port, for example 127.0.0.1:8080"})
	}
	if c.Deadline < 10*time.Millisecond || c.Deadline > time.Hour {
		bad = append(bad, fault.Field{Path: "deadline", Value: c.Deadline.String(), Problem: "must be from 10ms to 1h"})
	}
	if c.BodyLimit < 1<<10 || c.BodyLimit > 1<<40 {
		bad = append(bad, fault.Field{Path: "body_limit", Problem: "must be from 1 KiB to 1 TiB, in bytes"})
	}
	for i, p := range c.TrustedProxies {
		if _, err := prefix(p); err != nil {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("trusted_proxies[%d]", i), Value: p, Problem: "must be a network like 10.0.0.0/8 or an address"})
		}
	}
	return fault.Bad("http.config", "http", bad)
}

const (
	// longFactor stretches the deadline of imports, rosters, forecasts, jobs, and questions over raw events.
	longFactor = 20
	// unpackFactor is how many times the body limit a gzip upload may unpack to.
	unpackFactor = 16
	// memoryBody is the part of a body that is read before the handler runs; longer ones stream.
	memoryBody = 64 << 10
)

// Check is the health of one thing the service stands on.
type Check struct {
	Name     string `json:"name" doc:"store, warehouse, ..."`
	OK       bool   `json:"ok"`
	Critical bool   `json:"critical" doc:"without it the service is not ready; otherwise it is degraded"`
	Detail   string `json:"detail,omitempty" doc:"one line for people, without secrets"`
}

// Job is one row of the job table as the API shows it.
type Job struct {
	Name     string
	Schedule string // cron, five fields, business time zone
	Timeout  time.Duration
}

// Jobs is the job table, as far as this door needs it.
type Jobs interface {
	// Spec is a manual run of a job; NotFound for a name that is not in the table.
	Spec(name string) (operations.JobSpec, error)
}

// Deps are what the door stands on.
type Deps struct {
	Ops      *operations.Operations
	Jobs     Jobs                              // nil: the job routes know no job
	JobTable func() []Job                      // nil: an empty table
	Health   func(ctx context.Context) []Check // nil: nothing to check
	Version  string
	Log      *slog.Logger
}

// Server is the HTTP door of one process.
type Server struct {
	cfg     Config
	deps    Deps
	app     *fiber.App
	api     huma.API
	metrics *metrics
	unused  unused
	base    context.Context // parent of every request's context; ends when the grace of Stop is over
	end     context.CancelFunc
}

// New builds the routes; nothing listens before Start.
func New(cfg Config, deps Deps) *Server {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg, deps: deps}
	s.base, s.end = context.WithCancel(context.Background())
	s.metrics = newMetrics(s.checks)
	if deps.Ops != nil {
		s.metrics.watchJobs(deps.Ops, deps.JobTable)
	}
	s.app = fiber.New(fiber.Config{
		AppName:                      "chaoban",
		DisableStartupMessage:        true,
		Immutable:                    true, // values of a request outlive its handler in contexts and logs
		StreamRequestBody:            true, // an upload goes to disk as it comes
		DisablePreParseMultipartForm: true,
		BodyLimit:                    memoryBody,
		EnableTrustedProxyCheck:      true, // without it anybody's X-Forwarded-Proto is believed
		TrustedProxies:               cfg.TrustedProxies,
		ReadTimeout:                  longFactor * cfg.Deadline, // a large file over a slow line; headers and body together
		WriteTimeout:                 2 * cfg.Deadline,          // begins when the answer is ready: drops a client that never reads
		IdleTimeout:                  2 * time.Minute,
		ErrorHandler:                 s.writeFiberError,
	})
	s.app.Use(s.around)
	s.addPlumbing()
	s.addAPI()
	s.addPages()
	return s
}

// Routes lists every address that is served, as "GET /v1/merchants/{merchant}", sorted. HEAD works
// wherever GET does.
func (s *Server) Routes() []string {
	var routes []string
	for _, r := range s.app.GetRoutes(true) {
		if r.Method != fiber.MethodHead {
			routes = append(routes, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
		}
	}
	slices.Sort(routes)
	return routes
}

// parameter is Fiber's way to write a path parameter.
var parameter = regexp.MustCompile(`:(\w+)`)

// Start serves on a listener in the background until Stop. The channel gives the one reason why
// serving ended; nil after Stop.
func (s *Server) Start(ln net.Listener) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.app.Listener(watched{Listener: ln, unused: &s.unused}) }()
	return done
}

// Stop takes no new request and waits for those in flight, at most until ctx ends; what still
// runs then has its context canceled.
func (s *Server) Stop(ctx context.Context) error {
	defer s.unused.watch()()
	err := s.app.ShutdownWithContext(ctx)
	s.end()
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(err, fault.Timeout, "http.stop", "requests were still running at the end")
	}
	return err
}

func (s *Server) checks(ctx context.Context) []Check {
	if s.deps.Health == nil {
		return nil
	}
	return s.deps.Health(ctx)
}
