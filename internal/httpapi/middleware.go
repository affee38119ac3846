package httpapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/rostering"
)

// exchange is what is known about one request and its answer while it is worked on.
type exchange struct {
	id      string
	method  string
	path    string // without the query, which may carry what a log must not
	target  string // path and query, for Link headers only
	remote  string
	origin  string // scheme and host under which the client reached us
	started time.Time
	route   string // path pattern of the operation, "" when none matched
	secret  string // session or token that authenticated; never logged
	who     access.Principal
	failure string // internal text of a 5xx, for the log

	unbounded context.Context // of the operation, before its deadline was set
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// exchangeOf never returns nil.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// begin copies what later stages need: Fiber's own strings die with the handler.
func (s *Server) begin(c *fiber.Ctx) *exchange {
	return &exchange{
		id: requestID(c.Get(fiber.HeaderXRequestID)), method: strings.Clone(c.Method()), path: loggedPath(c.Path()),
		target: strings.Clone(c.OriginalURL()), remote: s.remote(c), origin: strings.Clone(c.Protocol() + "://" + string(c.Request().Host())),
		started: time.Now(),
	}
}

// loggedPath leaves out the secret of a calendar's address.
func loggedPath(path string) string {
	if strings.HasPrefix(strings.ToLower(path), rostering.FeedPath) {
		return rostering.FeedPath + "..."
	}
	return strings.Clone(path)
}

// requestID keeps a sane id of the caller, so that traces join, and makes one otherwise.
func requestID(given string) string {
	sane := len(given) >= 8 && len(given) <= 64
	for _, r := range given {
		sane = sane && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
	}
	if sane {
		return strings.Clone(given)
	}
	return rand.Text()
}

// around is the outermost middleware: it names the request, keeps a panic inside, answers errors,
// finishes the answer (entity tag, compression) and writes the access log and the metrics.
func (s *Server) around(c *fiber.Ctx) error {
	x := s.begin(c)
	c.SetUserContext(withExchange(s.base, x))
	c.Set(fiber.HeaderXRequestID, x.id)
	secure(c)
	head := x.method == fiber.MethodHead
	if head {
		c.Method(fiber.MethodGet) // every GET answers HEAD, with the body left out
	}
	err := s.guarded(c)
	if err != nil {
		err = s.writeProblem(c, err)
	}
	if err == nil {
		finish(c)
	}
	dropUnread(c)
	c.Response().SkipBody = c.Response().SkipBody || head
	s.account(c, x)
	return err
}

// guarded runs the rest of the chain and turns a panic into an error.
func (s *Server) guarded(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault.Wrap(fmt.Errorf("panic: %v\n%s", r, debug.Stack()), fault.Internal, "internal", "something went wrong on our side")
		}
	}()
	if n := c.Request().Header.ContentLength(); n > 0 && int64(n) > s.cfg.BodyLimit && c.Path() != streamPath {
		return fault.New(fault.TooLarge, "request.too_large", "the request body has %d bytes, the limit is %d", n, s.cfg.BodyLimit)
	}
	return c.Next()
}

// account writes one line per request and counts it. Neither query nor headers are logged.
func (s *Server) account(c *fiber.Ctx, x *exchange) {
	status, took := c.Response().StatusCode(), time.Since(x.started)
	s.metrics.observe(x.method, x.route, status, took)
	level := slog.LevelInfo
	attributes := []slog.Attr{
		slog.String("request", x.id), slog.String("method", x.method), slog.String("path", x.path), slog.Int("status", status),
		slog.Duration("took", took), slog.String("remote", x.remote),
	}
	if x.who.User != "" {
		attributes = append(attributes, slog.String("user", string(x.who.User)), slog.String("role", string(x.who.Role)))
	}
	switch {
	case x.failure != "":
		level = slog.LevelError
		if status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout {
			level = slog.LevelWarn
		}
		attributes = append(attributes, slog.String("error", x.failure))
	case x.route == "/healthz" || x.route == "/readyz" || x.route == "/metrics":
		level = slog.LevelDebug
	}
	s.deps.Log.LogAttrs(c.UserContext(), level, "http request", attributes...)
}

// policy lets a page load nothing but our own files.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func secure(c *fiber.Ctx) {
	c.Set("Content-Security-Policy", policy)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderPermissionsPolicy, "camera=(), geolocation=(), microphone=()")
	if c.Protocol() == "https" {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
}

// longer gives an operation the deadline of a long one, for requests of which only some take long.
func (s *Server) longer(ctx context.Context) (context.Context, context.CancelFunc) {
	long, cancel := context.WithTimeout(context.WithoutCancel(ctx), longFactor*s.cfg.Deadline)
	outer := exchangeOf(ctx).unbounded
	if outer == nil {
		outer = ctx
	}
	stop := context.AfterFunc(outer, cancel)
	return long, func() { stop(); cancel() }
}

// deadline bounds the context of an operation; a client that goes away does not end it by itself.
func (s *Server) deadline(ctx huma.Context, next func(huma.Context)) {
	op := ctx.Operation()
	x := exchangeOf(ctx.Context())
	x.route, x.unbounded = op.Path, ctx.Context()
	limit := s.cfg.Deadline
	if op.Metadata[longKey] == true {
		limit *= longFactor
	}
	bounded, cancel := context.WithTimeout(ctx.Context(), limit)
	defer cancel()
	next(huma.WithContext(ctx, bounded))
}
