package httpapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/klauspost/compress/gzip"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations/measuring"
)

// streamPath is the one address whose body has no limit: it is taken in as it comes.
const streamPath = "/v1/events"

func (s *Server) addEvents() {
	op := operation(http.MethodPost, streamPath, "post-events", "Measuring", "Take in a stream of events",
		describe("NDJSON, one canonical object per line; Content-Encoding: gzip is understood. A line's member type says what it is: "+
			"event (the default), conversation, state, order or ticket. Bodies of any length are read as they come. A line that is no good is put into the quarantine with "+
			"the reason and counted in the answer; all others are durable when the answer comes. The same content again changes nothing, so a request whose answer was lost is sent again."),
		long)
	huma.Register(s.api, op, s.postEvents)
	s.api.OpenAPI().Paths[streamPath].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}}
}

// eventsInput has no Body, like importInput.
type eventsInput struct {
	Source   string `query:"source" maxLength:"255" doc:"names where the lines come from, for the quarantine"`
	Encoding string `header:"Content-Encoding" enum:"identity,gzip"`

	body io.Reader
}

// Resolve is called by huma before the handler.
func (in *eventsInput) Resolve(ctx huma.Context) []error {
	in.body = ctx.BodyReader()
	if deadline, ok := ctx.Context().Deadline(); ok {
		_ = ctx.SetReadDeadline(deadline) // a connection without deadlines is bounded by the context
	}
	return nil
}

func (s *Server) postEvents(ctx context.Context, in *eventsInput) (*one[measuring.Streamed], error) {
	if _, err := access.Decide(whoOf(ctx), access.Ingest); err != nil { // before any byte is unpacked
		return nil, err
	}
	if in.body == nil {
		return nil, badBody(measuring.ErrNotNDJSON, "the body is empty: send NDJSON, one JSON object per line")
	}
	body := io.Reader(&bodyReader{r: in.body})
	if in.Encoding == "gzip" {
		unpacked, err := gzip.NewReader(bufio.NewReaderSize(body, 256<<10))
		if err != nil {
			return nil, streamFault(err)
		}
		body = &bodyReader{r: unpacked}
	}
	source := in.Source
	if source == "" {
		source = "http"
	}
	done, err := s.deps.Ops.Measuring.Stream(ctx, whoOf(ctx), source, body)
	s.metrics.imported("events", done.Rows, done.Refused, done.Rows > 0 && done.Duplicates == done.Rows)
	switch {
	case err != nil:
		return nil, streamFault(err)
	case done.Lines == 0:
		return nil, badBody(measuring.ErrNotNDJSON, "the body is empty: send NDJSON, one JSON object per line")
	}
	return &one[measuring.Streamed]{Body: done}, nil
}

// bodyError is a failure of the body itself, as opposed to one of what is behind it.
type bodyError struct{ err error }

// Error implements error.
func (b *bodyError) Error() string { return b.err.Error() }

// Unwrap gives the cause.
func (b *bodyError) Unwrap() error { return b.err }

// bodyReader marks what goes wrong while a body is read.
type bodyReader struct{ r io.Reader }

// Read implements io.Reader.
func (b *bodyReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == nil || err == io.EOF { // a wrapped EOF is the end of something else
		return n, err
	}
	if _, marked := errors.AsType[*bodyError](err); marked {
		return n, err
	}
	return n, &bodyError{err}
}

// streamFault words what ended a stream: a body that is no NDJSON or no gzip is misshapen, whatever
// else is what operations says. Batches before the failure are durable and will be recognised.
func streamFault(err error) error {
	if errors.Is(err, measuring.ErrNotNDJSON) {
		return badBody(measuring.ErrNotNDJSON, measuring.ErrNotNDJSON.Message)
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) {
		return badBody(fault.Of(readFault(err)), "the body is not gzip, or was damaged on its way; send it again")
	}
	if broken, ok := errors.AsType[*bodyError](err); ok {
		if f := fault.Of(readFault(broken.err)); f.Kind != fault.Invalid {
			return f
		}
		return badBody(fault.Of(readFault(broken.err)), "the body ended early or was damaged on its way; send it again, what has arrived is recognised")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return badBody(fault.Of(readFault(err)), "the body ended early; send it again, what has arrived is recognised")
	}
	return err
}

// badBody is a 400 under the code of a fault. The rest of the body is not worth reading.
func badBody(f *fault.Error, detail string) error {
	return &refusal{problem: *newProblem(http.StatusBadRequest, f.Code, detail)}
}
