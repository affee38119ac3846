package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
)

func (s *Server) addRetention() {
	const tag = "Retention"
	huma.Register(s.api, operation(http.MethodGet, "/v1/retention", "preview-retention", tag, "What the next run of retention would delete; deletes nothing", long), s.previewRetention)
	huma.Register(s.api, operation(http.MethodGet, "/v1/retention/holds", "list-holds", tag, "Whose measurements must not be deleted"), s.holds)
	huma.Register(s.api, operation(http.MethodPost, "/v1/retention/holds", "hold-retention", tag, "Keep the measurements of a merchant, or of all, from being deleted",
		describe("A merchant may be held for several cases; each is released by its own, and nothing goes while any is open."),
		status(http.StatusNoContent)), s.hold)
	huma.Register(s.api, operation(http.MethodPost, "/v1/retention/releases", "release-retention", tag, "End the hold of one case", status(http.StatusNoContent)), s.release)
	huma.Register(s.api, operation(http.MethodGet, "/v1/retention/deletions", "list-deletions", tag, "What was deleted, newest first"), s.deletions)
}

func (s *Server) previewRetention(ctx context.Context, _ *struct{}) (*one[measuring.Retained], error) {
	r, err := s.deps.Ops.Measuring.PreviewRetention(ctx, whoOf(ctx))
	if err != nil {
		return nil, err
	}
	return &one[measuring.Retained]{Body: r}, nil
}

func (s *Server) holds(ctx context.Context, _ *struct{}) (*one[page[operations.Hold]], error) {
	all, err := s.deps.Ops.Measuring.Holds(ctx, whoOf(ctx))
	if err != nil {
		return nil, err
	}
	if all == nil {
		all = []operations.Hold{}
	}
	return &one[page[operations.Hold]]{Body: page[operations.Hold]{Items: all}}, nil
}

type holdInput struct {
	Body struct {
		Merchant string `json:"merchant,omitempty" maxLength:"64" doc:"empty: everybody's"`
		Case     string `json:"case,omitempty" maxLength:"200" doc:"what the hold is released by. Without it: of a hold its reason, of a release the only hold there is"`
		Reason   string `json:"reason" maxLength:"500"`
	}
}

func (in *holdInput) input() measuring.HoldInput {
	return measuring.HoldInput{Merchant: ids.Merchant(in.Body.Merchant), Case: in.Body.Case, Reason: in.Body.Reason}
}

func (s *Server) hold(ctx context.Context, in *holdInput) (*struct{}, error) {
	_, err := s.deps.Ops.Measuring.HoldRetention(ctx, whoOf(ctx), in.input())
	return nil, err
}

func (s *Server) release(ctx context.Context, in *holdInput) (*struct{}, error) {
	_, err := s.deps.Ops.Measuring.ReleaseRetention(ctx, whoOf(ctx), in.input())
	return nil, err
}

func (s *Server) deletions(ctx context.Context, _ *struct{}) (*one[page[operations.Deletion]], error) {
	all, err := s.deps.Ops.Measuring.Deletions(ctx, whoOf(ctx))
	if err != nil {
		return nil, err
	}
	if all == nil {
		all = []operations.Deletion{}
	}
	return &one[page[operations.Deletion]]{Body: page[operations.Deletion]{Items: all}}, nil
}
