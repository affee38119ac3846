package httpapi

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
)

// Metadata keys of operations.
const (
	longKey = "long"       // gets longFactor times the deadline
	onceKey = "idempotent" // honours Idempotency-Key
)

// operation describes one route; everybody but login must be signed in.
func operation(method, path, id, tag, summary string, options ...func(*huma.Operation)) huma.Operation {
	op := huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary, Tags: []string{tag}, Security: signedIn,
		Metadata: map[string]any{},
	}
	for _, option := range options {
		option(&op)
	}
	return op
}

func status(code int) func(*huma.Operation) {
	return func(op *huma.Operation) { op.DefaultStatus = code }
}

// describe adds a longer text.
func describe(text string) func(*huma.Operation) {
	return func(op *huma.Operation) { op.Description = text }
}

// long marks an operation that may take minutes.
func long(op *huma.Operation) { op.Metadata[longKey] = true }

// addAPI registers every operation under /v1.
func (s *Server) addAPI() {
	config := huma.DefaultConfig("Chaoban (潮班)", s.deps.Version)
	config.Info.Description = "Contracts, demand forecasts, rosters, KPI and SLA reports of a customer-service outsourcer. " +
		"Errors are application/problem+json (RFC 9457) with a stable code and all bad fields at once. " +
		"Lists take cursor and limit and answer next and a Link header. GET answers carry an ETag."
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		schemeBearer: {Type: "http", Scheme: "bearer", Description: "The token of a session or of a machine."},
		schemeCookie: {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "Set by login; a change also needs the header Origin or " + intentHeader + "."},
	}
	config.DocsPath, config.SchemasPath = "", ""
	config.CreateHooks = nil // no $schema member in answers
	config.RejectUnknownQueryParameters = true
	config.Formats = map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat}
	s.api = humafiber.New(s.app, config)
	s.api.UseMiddleware(decodePath, s.deadline, s.authenticate, s.once)
	s.addSession()
	s.addContracts()
	s.addWorkforce()
	s.addPlanning()
	s.addForecasting()
	s.addDemand()
	s.addStaffing()
	s.addRosters()
	s.addRequests()
	s.addLeave()
	s.addMeasuring()
	s.addPlatformFiles()
	s.addImports()
	s.addEvents()
	s.addQuarantine()
	s.addAccounts()
	s.addReports()
	s.addJobs()
	s.addAdministration()
	describeCurves(s.api.OpenAPI().Components.Schemas.Map())
}

// inner is huma's context under a name that leaves room for its method Context.
type inner = huma.Context

// pathContext gives path parameters percent-decoded: ids may hold "/" and Chinese characters.
type pathContext struct{ inner }

// Unwrap lets the adapter find its own context.
func (c pathContext) Unwrap() huma.Context { return c.inner }

// Param returns a decoded path parameter.
func (c pathContext) Param(name string) string {
	raw := c.inner.Param(name)
	if decoded, err := url.PathUnescape(raw); err == nil {
		return decoded
	}
	return raw
}

func decodePath(ctx huma.Context, next func(huma.Context)) { next(pathContext{ctx}) }

// schemaName names a type in the OpenAPI document: those of domain packages by package and type,
// so that contracts.Queue and store.Queue do not meet. The groups of use cases are one package there:
// how they are divided is nobody's business outside.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return huma.DefaultSchemaNamer(t, hint)
	}
	full := strings.ReplaceAll(t.PkgPath()+"."+t.Name(), "[]", "[list.List,")
	var name strings.Builder
	for part := range strings.FieldsFuncSeq(full, func(r rune) bool { return r == '[' || r == ']' || r == '*' || r == ',' }) {
		part = part[strings.LastIndex(part, "/")+1:]
		pkg, base, qualified := strings.Cut(part, ".")
		if !qualified {
			base = pkg
		}
		switch pkg {
		case "httpapi", "store", "list", base:
		case "administration", "gate", "measuring", "planning", "pricing", "requesting", "rostering", "settling":
			name.WriteString("Operations")
		default:
			name.WriteString(title(pkg))
		}
		name.WriteString(title(base))
	}
	return name.String()
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// one is the answer with one thing.
type one[T any] struct {
	Body T
}

// entity is the answer with one versioned thing.
type entity[T any] struct {
	ETag string `header:"ETag" doc:"for If-Match"`
	Body T
}

// list is the answer with a page of things.
type list[T any] struct {
	Link string `header:"Link" doc:"the next page, when there is one"`
	Body page[T]
}

type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"cursor of the next page; missing on the last one"`
}

// Paging is embedded in the input of every list. Like every embedded input it is exported only
// because huma does not see others.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"2048" doc:"next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func (p Paging) page() operations.Page { return operations.Page{Cursor: p.Cursor, Limit: p.Limit} }

// paged makes the answer of a list operation.
func paged[T any](ctx context.Context, items []T, next string, err error) (*list[T], error) {
	if err != nil {
		return nil, err
	}
	if items == nil {
		items = []T{}
	}
	out := &list[T]{Body: page[T]{Items: items, Next: next}}
	if next != "" {
		out.Link = nextLink(exchangeOf(ctx).target, next)
	}
	return out, nil
}

// nextLink is the same request with another cursor (RFC 8288).
func nextLink(target, cursor string) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("cursor", cursor)
	u.RawQuery = q.Encode()
	return fmt.Sprintf("<%s>; rel=%q", u.RequestURI(), "next")
}

// Precondition is embedded in the input of changes to versioned things.
type Precondition struct {
	IfMatch     string `header:"If-Match" doc:"the ETag that was read; a newer version is not overwritten (412)"`
	IfNoneMatch string `header:"If-None-Match" doc:"* to make a new one only"`
}

// expect is the version that a change builds on. An entity tag of ours begins with the version.
func (p Precondition) expect() (int, error) {
	if p.IfNoneMatch != "" {
		if p.IfNoneMatch != "*" {
			return 0, misshapen(fault.Field{Path: "header.If-None-Match", Value: p.IfNoneMatch, Problem: "must be *"})
		}
		return operations.NewOnly, nil
	}
	if p.IfMatch == "" || p.IfMatch == "*" {
		return operations.AnyVersion, nil
	}
	version, _, _ := strings.Cut(readTag(p.IfMatch), "-")
	n, err := strconv.Atoi(version)
	if err != nil || n < 1 {
		return 0, misshapen(fault.Field{Path: "header.If-Match", Value: p.IfMatch, Problem: "is no ETag of this server"})
	}
	return n, nil
}

// failed turns the conflict of a version into 412 when the caller set a condition (RFC 9110 13.1).
func (p Precondition) failed(err error) error {
	if err == nil || p.IfMatch == "" && p.IfNoneMatch == "" || fault.CodeOf(err) != "store.conflict" {
		return err
	}
	return &refusal{problem: *newProblem(http.StatusPreconditionFailed, "store.conflict", fault.Of(err).Message)}
}

// Span is embedded in inputs that narrow to a range of instants.
type Span struct {
	From time.Time `query:"from" doc:"first instant, RFC 3339"`
	To   time.Time `query:"to" doc:"first instant that no longer counts, RFC 3339"`
}

// Range is empty when neither end is given. Errors: request.invalid.
func (p Span) toRange() (calendar.Range, error) {
	r := calendar.Range{Start: p.From, End: p.To}
	if p.From.IsZero() && p.To.IsZero() || r.Valid() && !p.From.IsZero() {
		return r, nil
	}
	return r, misshapen(fault.Field{Path: "query.to", Problem: "from and to come together, from before to"})
}

// period is a length of time as text: "15m", "30s", "336h", "14d". It is a struct because huma would
// read a number of nanoseconds into any kind of integer.
type period struct{ d time.Duration }

// Schema says the form, so that a wrong one is refused under the name of its field.
func (period) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Pattern: `^(\d+(\.\d+)?(ms|s|m|h|d|w))+$`, PatternDescription: "a length of time like 30s, 15m, 336h or 14d"}
}

// UnmarshalText reads what calendar.ParseLength reads. A length beyond all reason is kept as the
// longest one, which the use case refuses by the name of its field.
func (p *period) UnmarshalText(text []byte) (err error) {
	if p.d, err = calendar.ParseLength(string(text)); err == nil {
		return nil
	}
	if periodForm.Match(text) {
		p.d = math.MaxInt64
		return nil
	}
	return fault.New(fault.Invalid, "request.duration", "must be a length of time like 30s, 15m, 336h or 14d")
}

var periodForm = regexp.MustCompile(period{}.Schema(nil).Pattern)

// MarshalText writes the same form.
func (p period) MarshalText() ([]byte, error) { return calendar.Length(p.d).MarshalText() }

// describeCurves says how curves are written: their Go types have no unit (scheduling.Curve).
func describeCurves(schemas map[string]*huma.Schema) {
	schemas["SchedulingCurve"].Properties["slot"] = &huma.Schema{Type: huma.TypeString, Description: "length of a slot: 15m, 1h, 24h"}
	schemas["SchedulingPoint"].Properties["handle_time_s"] = &huma.Schema{Type: huma.TypeNumber, Format: "double", Description: "mean seconds per contact; absent when not known"}
}

// typed turns texts into ids.
func typed[T ~string](texts []string) []T {
	out := make([]T, len(texts))
	for i, t := range texts {
		out[i] = T(t)
	}
	return out
}
