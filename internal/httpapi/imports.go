package httpapi

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/klauspost/compress/gzip"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
)

// inMemory is the size up to which an upload stays in memory; a longer one goes to a file.
const inMemory = 8 << 20

// maxMapping is the most bytes of a mapping.
const maxMapping = 1 << 20

func (s *Server) addImports() {
	const tag = "Measuring"
	huma.Register(s.api, operation(http.MethodGet, "/v1/imports", "list-imports", tag, "Acknowledged imports, newest first"), s.imports)
	huma.Register(s.api, operation(http.MethodPost, "/v1/imports/{kind}", "import-file", tag, "Import a file",
		describe("CSV, xlsx or NDJSON, as the whole body or as the part file of a form whose part mapping, which comes first, is a mapping file in YAML. "+
			"Content-Encoding: gzip is understood. All or nothing unless partial (agents always); the same file twice changes nothing."),
		long), s.importFile)
	describeUpload(s.api.OpenAPI().Paths["/v1/imports/{kind}"].Post)
}

// describeUpload documents the body after registration, because huma would read and parse a body
// that it knows of, and this one streams.
func describeUpload(op *huma.Operation) {
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/octet-stream": {Schema: binary},
		"multipart/form-data": {Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"mapping": {Type: huma.TypeString, Description: "mapping file (YAML): which column is which field"},
			"file":    binary,
		}}},
	}}
}

type importsInput struct {
	Paging
	Kind     string `query:"kind" enum:"agents,conversations,states,contacts,events,orders,tickets,accounts,platform"`
	Merchant string `query:"merchant" maxLength:"64"`
}

func (s *Server) imports(ctx context.Context, in *importsInput) (*list[operations.Import], error) {
	filter := operations.ImportFilter{Kind: in.Kind, Merchant: ids.Merchant(in.Merchant)}
	items, next, err := s.deps.Ops.Measuring.Imports(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

// importInput has no Body: Resolve only notes where the body is, so that it can stream.
type importInput struct {
	Kind     string `path:"kind" enum:"agents,conversations,states,history,events,orders,tickets,accounts" doc:"what the rows are"`
	Name     string `query:"name" maxLength:"255" doc:"name of the file when the body is the file; for messages"`
	Partial  bool   `query:"partial" doc:"import the good rows although others are bad"`
	NoRounds bool   `query:"no_rounds" doc:"conversations without rounds may take the place of stored ones that have rounds"`

	PayFrom  calendar.Date `query:"pay_from" doc:"of agents: first day that changed wages and employments are paid by, up to 366 days ago; today unless given"`
	Again    bool          `query:"again" doc:"import a file that was imported before once more, so that its rows win over what came since"`
	Type     string        `header:"Content-Type"`
	Encoding string        `header:"Content-Encoding" enum:"identity,gzip"`

	body io.Reader
}

// Resolve is called by huma before the handler.
func (in *importInput) Resolve(ctx huma.Context) []error {
	in.body = ctx.BodyReader()
	// The file may come slower than a JSON body; the request's own deadline still ends it.
	if deadline, ok := ctx.Context().Deadline(); ok {
		_ = ctx.SetReadDeadline(deadline) // a connection without deadlines is bounded by the context
	}
	return nil
}

var importKinds = map[string]operations.ImportKind{
	"agents": operations.ImportAgents, "conversations": operations.ImportConversations,
	"states": operations.ImportStates, "history": operations.ImportHistory,
	"events": operations.ImportEvents, "orders": operations.ImportOrders, "tickets": operations.ImportTickets, "accounts": operations.ImportAccounts,
}

// importAnswer adds the rejected rows of a partial import to what was imported.
type importAnswer struct {
	measuring.Imported
	RejectedRows string `json:"rejected_rows,omitempty" doc:"with partial: the rejected rows with their reasons, as CSV, at most 1 MiB"`
}

func (s *Server) importFile(ctx context.Context, in *importInput) (*one[importAnswer], error) {
	kind := importKinds[in.Kind]
	// Who may not import does not fill the disk; the use case decides again.
	permission := access.Ingest
	if kind == operations.ImportAgents || kind == operations.ImportAccounts {
		permission = access.WriteAgents
	}
	if _, err := access.Decide(whoOf(ctx), permission); err != nil {
		return nil, err
	}
	up := upload{limit: s.cfg.BodyLimit, mapping: operations.DefaultMapping(kind)}
	defer up.Close()
	if err := up.receive(in); err != nil {
		return nil, err
	}
	if up.mapping.Kind != kind {
		return nil, fault.Bad("intake.mapping", "mapping", []fault.Field{{Path: "kind", Value: string(up.mapping.Kind), Problem: "must be " + string(kind) + " at this address"}})
	}
	rejects := &capped{left: 1 << 20}
	order := measuring.ImportInput{Source: up.source, Mapping: up.mapping, Partial: in.Partial, NoRounds: in.NoRounds, Again: in.Again, PayFrom: in.PayFrom}
	if in.Partial {
		order.RejectTo = rejects
	}
	done, err := s.deps.Ops.Measuring.Import(ctx, whoOf(ctx), order)
	if err != nil {
		return nil, err
	}
	s.metrics.imported(in.Kind, done.Import.Rows, done.Import.Rejected, done.Already)
	return &one[importAnswer]{Body: importAnswer{Imported: done, RejectedRows: rejects.String()}}, nil
}

// capped keeps the first bytes written to it.
type capped struct {
	strings.Builder
	left int
}

// Write keeps what fits and takes the rest without an error.
func (c *capped) Write(p []byte) (int, error) {
	n := min(len(p), c.left)
	c.left -= n
	c.Builder.Write(p[:n])
	return len(p), nil
}

// upload is a file on its way in.
type upload struct {
	limit   int64 // bytes as sent
	source  operations.Source
	mapping operations.Mapping
	spool   *os.File
}

// Close removes the spooled file.
func (u *upload) Close() {
	if u.spool != nil {
		_ = u.spool.Close()
		_ = os.Remove(u.spool.Name()) // a temporary directory cleans up after us otherwise
	}
}

func (u *upload) receive(in *importInput) error {
	if in.body == nil {
		return missingFile()
	}
	sent := &limited{r: in.body, left: u.limit, limit: u.limit}
	var body io.Reader = sent
	if in.Encoding == "gzip" {
		unpacked, err := gzip.NewReader(sent)
		if err != nil {
			return sent.fault(err)
		}
		body = &limited{r: unpacked, left: unpackFactor * u.limit, limit: unpackFactor * u.limit}
	}
	kind, parameters, err := mime.ParseMediaType(in.Type)
	if err == nil && kind == "multipart/form-data" {
		return u.form(multipart.NewReader(body, parameters["boundary"]), sent)
	}
	name := in.Name
	if name == "" {
		name = "request body"
	}
	return u.keep(name, body)
}

// form walks the parts as they come: an optional mapping, then the file.
func (u *upload) form(parts *multipart.Reader, sent *limited) error {
	for {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			if u.source.R == nil {
				return missingFile()
			}
			return nil
		case err != nil:
			return sent.fault(err)
		}
		switch part.FormName() {
		case "mapping":
			if u.source.R != nil {
				return fault.Bad("request.form", "form", []fault.Field{{Path: "mapping", Problem: "must come before file"}})
			}
			u.mapping, err = operations.ParseMapping("mapping", &limited{r: part, left: maxMapping, limit: maxMapping})
		case "file":
			name := part.FileName()
			if name == "" {
				name = "file"
			}
			err = u.keep(name, part)
		default:
			err = fault.Bad("request.form", "form", []fault.Field{{Path: part.FormName(), Problem: "is not a part of this form; parts are mapping and file"}})
		}
		if err != nil {
			return err
		}
	}
}

func missingFile() error {
	return fault.Bad("request.form", "upload", []fault.Field{{Path: "file", Problem: "is missing: send the file as the body or as the part file of a form"}})
}

// keep holds a file in memory while it is small and on disk beyond.
func (u *upload) keep(name string, r io.Reader) error {
	if u.source.R != nil {
		return fault.Bad("request.form", "form", []fault.Field{{Path: "file", Problem: "is there twice"}})
	}
	head, err := io.ReadAll(io.LimitReader(r, inMemory))
	if err != nil {
		return readFault(err)
	}
	if len(head) < inMemory {
		u.source = operations.Source{Name: name, R: strings.NewReader(string(head)), Size: int64(len(head))}
		return nil
	}
	if u.spool, err = os.CreateTemp("", "chaoban-upload-*"); err != nil {
		return fault.Wrap(err, fault.Internal, "upload.spool", "the upload cannot be kept")
	}
	if _, err := u.spool.Write(head); err != nil {
		return fault.Wrap(err, fault.Internal, "upload.spool", "the upload cannot be kept")
	}
	rest, err := io.Copy(u.spool, r)
	if err != nil {
		return readFault(err)
	}
	u.source = operations.Source{Name: name, R: u.spool, Size: int64(len(head)) + rest}
	return nil
}

// limited is a reader that fails beyond its limit instead of ending.
type limited struct {
	r     io.Reader
	left  int64
	limit int64
	over  bool
}

// Read implements io.Reader. Errors: request.too_large.
func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		var one [1]byte
		if n, err := l.r.Read(one[:]); n == 0 {
			return 0, err
		}
		l.over = true
		return 0, fault.New(fault.TooLarge, "request.too_large", "the upload is longer than %d bytes", l.limit)
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// fault prefers "too large" over what a decoder made of the cut.
func (l *limited) fault(err error) error {
	if l.over {
		return fault.New(fault.TooLarge, "request.too_large", "the upload is longer than %d bytes", l.limit)
	}
	return readFault(err)
}

func readFault(err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.Wrap(err, fault.Timeout, "request.slow", "the upload did not arrive in time")
	}
	return fault.Wrap(err, fault.Invalid, "request.body", "the upload is broken or ended early")
}
