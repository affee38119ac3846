package httpapi

import (
	"bytes"
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
)

func (s *Server) addQuarantine() {
	const tag = "Measuring"
	huma.Register(s.api, operation(http.MethodGet, "/v1/quarantine", "list-quarantine", tag, "Lines that were refused, newest first"), s.quarantine)
	huma.Register(s.api, operation(http.MethodPost, "/v1/quarantine/retry", "retry-quarantine", tag, "Take in refused lines whose cause is fixed",
		describe("Those of ids, or every waiting line when none is given. A line that is refused again stays, with its new reason."), long), s.retryQuarantine)
	huma.Register(s.api, operation(http.MethodPost, "/v1/quarantine/{id}/drop", "drop-quarantine", tag, "Give up a refused line for a reason",
		status(http.StatusNoContent)), s.dropQuarantine)
}

type quarantineInput struct {
	Paging
	State    string `query:"state" enum:"waiting,landed,dropped"`
	Batch    string `query:"batch" maxLength:"64" doc:"what it came in"`
	Merchant string `query:"merchant" maxLength:"64"`
}

// quarantinedLine adds what is kept of the line, as text.
type quarantinedLine struct {
	operations.Quarantined
	Text string `json:"text" doc:"what is kept of the line; bytes that are no text are replaced"`
	Cut  bool   `json:"cut" doc:"only a part is kept: it cannot be tried again, send it again"`
}

func (s *Server) quarantine(ctx context.Context, in *quarantineInput) (*list[quarantinedLine], error) {
	items, next, err := s.deps.Ops.Measuring.Quarantine(ctx, whoOf(ctx), operations.QuarantineFilter{
		State: operations.QuarantineState(in.State), Batch: ids.Batch(in.Batch), Merchant: ids.Merchant(in.Merchant),
	}, in.page())
	lines := make([]quarantinedLine, len(items))
	for i, q := range items {
		lines[i] = quarantinedLine{Quarantined: q, Text: string(bytes.ToValidUTF8(q.Text, []byte("\uFFFD"))), Cut: q.State == operations.QuarantineWaiting && q.Cut()}
	}
	return paged(ctx, lines, next, err)
}

type retryInput struct {
	Body struct {
		IDs      []string `json:"ids,omitempty" maxItems:"1000" doc:"these lines; none means every waiting one"`
		Merchant string   `json:"merchant,omitempty" maxLength:"64" doc:"without ids: only lines that name this merchant"`
		Batch    string   `json:"batch,omitempty" maxLength:"64" doc:"without ids: only lines that came in this batch"`
	}
}

func (s *Server) retryQuarantine(ctx context.Context, in *retryInput) (*one[measuring.Retried], error) {
	filter := operations.QuarantineFilter{Merchant: ids.Merchant(in.Body.Merchant), Batch: ids.Batch(in.Body.Batch)}
	done, err := s.deps.Ops.Measuring.RetryQuarantined(ctx, whoOf(ctx), in.Body.IDs, filter)
	if err != nil {
		return nil, err
	}
	return &one[measuring.Retried]{Body: done}, nil
}

type dropInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"1000" doc:"why the line is given up; kept in the audit trail"`
	}
}

func (s *Server) dropQuarantine(ctx context.Context, in *dropInput) (*struct{}, error) {
	return nil, s.deps.Ops.Measuring.DropQuarantined(ctx, whoOf(ctx), in.ID, in.Body.Reason)
}
