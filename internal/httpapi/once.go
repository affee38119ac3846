package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/operations"
)

const onceHeader = "Idempotency-Key"

// repeatable marks a POST that a client may send again under the same key and gets the first
// answer to. The secret-bearing ones are not: their answers are kept nowhere.
func repeatable(op *huma.Operation) {
	op.Metadata[onceKey] = true
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: onceHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString, MinLength: new(8), MaxLength: new(128)},
		Description: "The same key and request within 24 h get the first answer and change nothing.",
	})
}

// replayed is a context whose body was read to know what the request asks for.
type replayed struct {
	inner
	body []byte
}

// Unwrap lets the adapter find its own context.
func (c replayed) Unwrap() huma.Context { return c.inner }

// BodyReader gives the body again.
func (c replayed) BodyReader() io.Reader { return bytes.NewReader(c.body) }

// once answers a repeated request under an idempotency key from memory. Only a success is
// remembered; after a failure the same key may try again.
func (s *Server) once(ctx huma.Context, next func(huma.Context)) {
	key := ctx.Header(onceHeader)
	if key == "" || ctx.Operation().Metadata[onceKey] != true {
		next(ctx)
		return
	}
	if len(key) < 8 || len(key) > 128 {
		s.refuse(ctx, misshapen(fault.Field{Path: "header." + onceHeader, Value: fault.Shorten(key), Problem: "must have 8 to 128 characters"}))
		return
	}
	body, err := s.wholeBody(ctx)
	if err != nil {
		s.refuse(ctx, err)
		return
	}
	x := exchangeOf(ctx.Context())
	sum := sha256.Sum256(slices.Concat([]byte(x.method+" "+x.target+"\n"), body))
	// The claim on the key outlives the deadline that this context carries, not more.
	reply, done, err := s.deps.Ops.Once(ctx.Context(), x.who, key, hex.EncodeToString(sum[:]))
	switch {
	case err != nil:
		s.refuse(ctx, err)
	case reply != nil:
		ctx.SetStatus(reply.Status)
		ctx.SetHeader("Content-Type", reply.ContentType)
		ctx.SetHeader("Idempotent-Replayed", "true")
		_, _ = ctx.BodyWriter().Write(reply.Body) // into the response buffer, which takes everything
	default:
		next(replayed{inner: ctx, body: body})
		s.remember(ctx, done)
	}
}

// remember keeps the answer, also when the request's own time is over by now.
func (s *Server) remember(ctx huma.Context, done func(context.Context, *operations.Reply) error) {
	response := humafiber.Unwrap(ctx).Response()
	var answer *operations.Reply
	if status := response.StatusCode(); status >= 200 && status < 300 {
		answer = &operations.Reply{Status: status, ContentType: string(response.Header.ContentType()), Body: bytes.Clone(response.Body())}
	}
	if err := done(context.WithoutCancel(ctx.Context()), answer); err != nil {
		s.deps.Log.ErrorContext(ctx.Context(), "the answer under an idempotency key was not kept", "request", exchangeOf(ctx.Context()).id, "error", fault.InternalText(err))
	}
}

// wholeBody reads a body into memory, within the limit of its operation.
func (s *Server) wholeBody(ctx huma.Context) ([]byte, error) {
	reader := ctx.BodyReader()
	if reader == nil {
		return nil, nil
	}
	limit := s.cfg.BodyLimit
	if own := ctx.Operation().MaxBodyBytes; own > 0 {
		limit = min(limit, own)
	}
	body, err := io.ReadAll(io.LimitReader(reader, limit+1))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "request.body", "the request body ended early")
	}
	if int64(len(body)) > limit {
		return nil, fault.New(fault.TooLarge, "request.too_large", "the request body is longer than %d bytes", limit)
	}
	return body, nil
}
