package httpapi

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"github.com/chaoban/chaoban/internal/fault"
)

// problem is the body of every error (RFC 9457), with our members code and errors.
type problem struct {
	Type     string        `json:"type" doc:"urn:chaoban:problem: and the code"`
	Title    string        `json:"title" doc:"the HTTP status in words"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail,omitempty" doc:"what happened, for people"`
	Code     string        `json:"code" doc:"stable, dotted: contract.overlap"`
	Instance string        `json:"instance,omitempty" doc:"the request id; the log has more under it"`
	Errors   []fault.Field `json:"errors,omitempty" doc:"every bad field, or cell of a file, at once"`

	retryAfter time.Duration
}

// Error makes a problem an error for huma.
func (p *problem) Error() string { return p.Detail }

// GetStatus tells huma the status.
func (p *problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// statusOf is the one place where a kind of fault becomes an HTTP status.
func statusOf(k fault.Kind) int {
	switch k {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Unavailable, fault.Canceled: // canceled: the process is stopping
		return http.StatusServiceUnavailable
	case fault.Timeout:
		return http.StatusGatewayTimeout
	default:
		return http.StatusInternalServerError
	}
}

// defaultRetry is told with a 503 or 429 whose fault names no time.
const defaultRetry = 5 * time.Second

// problemOf turns any error into what a client may see. Only a fault of our own with another kind
// than Internal shows its message.
func problemOf(err error) *problem {
	if r, ok := errors.AsType[*refusal](err); ok {
		p := r.problem
		return &p
	}
	if e, ok := errors.AsType[*fiber.Error](err); ok {
		return shapeProblem(e.Code, nil)
	}
	e := fault.Of(err)
	p := newProblem(statusOf(e.Kind), e.Code, e.Message)
	if e.Kind == fault.Internal {
		p.Detail = "something went wrong on our side; give the request id to your operator"
		return p
	}
	p.Errors = make([]fault.Field, len(e.Fields))
	for i, f := range e.Fields {
		f.Value = fault.Shorten(f.Value)
		p.Errors[i] = f
	}
	if p.Detail == "" && len(e.Fields) > 0 {
		p.Detail = e.Fields[0].String()
	}
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		p.retryAfter = e.RetryAfter
		if p.retryAfter <= 0 {
			p.retryAfter = defaultRetry
		}
	}
	return p
}

func newProblem(status int, code, detail string) *problem {
	return &problem{Type: "urn:chaoban:problem:" + code, Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

// shapeCodes are the codes of what is wrong with a request before any use case sees it.
var shapeCodes = map[int]struct{ code, detail string }{
	http.StatusBadRequest:                  {"request.invalid", "the request is not of the described shape"},
	http.StatusNotFound:                    {"request.no_route", "there is nothing at this address; /docs lists what there is"},
	http.StatusMethodNotAllowed:            {"request.method", "this address does not know this method; /docs lists what there is"},
	http.StatusNotAcceptable:               {"request.accept", "the answer comes as application/json only"},
	http.StatusRequestTimeout:              {"request.timeout", "the request took too long to arrive"},
	http.StatusRequestEntityTooLarge:       {"request.too_large", "the request body is larger than this server takes"},
	http.StatusUnsupportedMediaType:        {"request.media_type", "a body of this content type is not read here"},
	http.StatusRequestHeaderFieldsTooLarge: {"request.headers", "the request headers are larger than this server takes"},
}

// shapeProblem is a problem with the request itself.
func shapeProblem(status int, fields []fault.Field) *problem {
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest // shape is 400, meaning is 422
	}
	known, ok := shapeCodes[status]
	if !ok {
		return newProblem(http.StatusInternalServerError, "internal", "something went wrong on our side; give the request id to your operator")
	}
	p := newProblem(status, known.code, known.detail)
	if p.Errors = fields; status == http.StatusBadRequest && len(fields) > 0 {
		p.Detail += ": " + fields[0].String()
	}
	return p
}

// refusal is a problem on its way from a handler or a middleware. It hides that a problem is what
// huma would write as it is, without the request id and the headers.
type refusal struct{ problem problem }

// Error implements error.
func (r *refusal) Error() string { return r.problem.Detail }

// misshapen refuses a request for its shape: 400 request.invalid with the bad fields.
func misshapen(fields ...fault.Field) error {
	return &refusal{problem: *shapeProblem(http.StatusBadRequest, fields)}
}

// huma makes its own errors through these two variables, also to describe them in OpenAPI.
func init() {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return humaProblem(status, msg, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		p := humaProblem(status, msg, errs)
		x := exchangeOf(ctx.Context())
		p.Instance = x.id
		if p.Status >= http.StatusInternalServerError && len(errs) > 0 {
			x.failure = fault.InternalText(errors.Join(errs...))
		}
		for name, value := range p.headers() {
			ctx.SetHeader(name, value)
		}
		return p
	}
}

// humaProblem converts what huma found: an error that a handler returned, or faults of shape.
func humaProblem(status int, msg string, errs []error) *problem {
	if len(errs) == 1 && status >= http.StatusInternalServerError {
		return problemOf(errs[0])
	}
	var fields []fault.Field
	for _, err := range errs {
		switch e := err.(type) { //nolint:errorlint // huma puts these in as they are
		case nil:
		case *huma.ErrorDetail:
			fields = append(fields, fieldOf(e))
		default:
			fields = append(fields, fault.Field{Problem: plain(err.Error())})
		}
	}
	if status == http.StatusBadRequest && len(fields) == 0 {
		fields = append(fields, fault.Field{Problem: plain(msg)})
	}
	return shapeProblem(status, fields)
}

// missing is how huma says that a member is not there; it names the parent as the place.
var missing = regexp.MustCompile(`^expected required property (\S+) to be present$`)

// fieldOf keeps only scalar values, because a composite one may hold a password.
func fieldOf(e *huma.ErrorDetail) fault.Field {
	f := fault.Field{Path: strings.TrimPrefix(e.Location, "body."), Problem: plain(e.Message)}
	if m := missing.FindStringSubmatch(e.Message); m != nil {
		return fault.Field{Path: strings.TrimPrefix(e.Location+"."+m[1], "body."), Problem: "is needed"}
	}
	if notATime.MatchString(e.Message) {
		f.Problem = "must be an instant with its zone, like 2026-11-01T00:00:00+08:00"
	}
	lower := strings.ToLower(f.Path)
	if strings.Contains(lower, "password") || strings.Contains(lower, "secret") || strings.Contains(lower, "authorization") {
		return f
	}
	switch v := e.Value.(type) {
	case string:
		f.Value = fault.Shorten(v)
	case bool, int, int64, uint64, float64:
		f.Value = fmt.Sprint(v)
	}
	return f
}

// notATime is how the parser says that a parameter is no instant.
var notATime = regexp.MustCompile(`invalid date/time`)

// oneOf is how the parser lists what is allowed.
var oneOf = regexp.MustCompile(`^expected value to be one of "(.*)"$`)

// plain cuts what a parser says to one short line.
func plain(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	if strings.HasPrefix(line, "invalid character") || strings.HasPrefix(line, "unexpected end of JSON") || strings.HasPrefix(line, "unexpected EOF") {
		return "is no JSON: a comma, a quote or a bracket is wrong or missing"
	}
	if m := oneOf.FindStringSubmatch(line); m != nil {
		return "must be one of " + m[1] // never cut: it is what would be right
	}
	return fault.Shorten(line)
}

// headers that belong to the problem beside its body.
func (p *problem) headers() map[string]string {
	h := map[string]string{"Cache-Control": "no-store"}
	if p.retryAfter > 0 {
		h["Retry-After"] = strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds())))
	}
	if p.Status == http.StatusRequestEntityTooLarge {
		h["Connection"] = "close" // the rest of the body is not worth reading
	}
	if p.Status == http.StatusUnauthorized {
		h["WWW-Authenticate"] = `Bearer realm="chaoban"`
	}
	return h
}

// writeProblem answers a request that never reached huma, or that a middleware refused.
func (s *Server) writeProblem(c *fiber.Ctx, err error) error {
	p := *problemOf(err)
	x := exchangeOf(c.UserContext())
	p.Instance = x.id
	if p.Status >= http.StatusInternalServerError {
		x.failure = fault.InternalText(err)
	}
	c.Response().ResetBody()
	for name, value := range p.headers() {
		c.Set(name, value)
	}
	if err := c.Status(p.Status).JSON(p); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, problemType)
	return nil
}

// writeFiberError is for errors that happen before any middleware, such as a broken header.
func (s *Server) writeFiberError(c *fiber.Ctx, err error) error {
	if exchangeOf(c.UserContext()).id == "" {
		x := s.begin(c)
		c.SetUserContext(withExchange(s.base, x))
		c.Set(fiber.HeaderXRequestID, x.id)
		secure(c)
	}
	return s.writeProblem(c, err)
}
