package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
)

func (s *Server) addReconciliation() {
	const tag = "Measuring"
	text := describe("What the platform's files say beside what we counted from raw events under the definition in force. Verdicts: equal (within the rounding " +
		"of the platform's format), different, only_platform, only_ours, other_base (shown, not compared), unpaired.")
	huma.Register(s.api, operation(http.MethodGet, "/v1/kpi/reconciliation", "get-reconciliation", tag, "Platform figures beside our own, by day and item", text, long), s.reconciliation)
	huma.Register(s.api, operation(http.MethodGet, "/v1/kpi/reconciliation/workbook", "get-reconciliation-workbook", tag, "The same as xlsx", workbook, long), s.reconciliationWorkbook)
	huma.Register(s.api, operation(http.MethodGet, "/v1/kpi/reconciliations", "list-reconciliations", tag, "How the days compared when the daily job compared them last, newest first"), s.reconciliations)
}

type reconciliationInput struct {
	Merchant string        `query:"merchant" maxLength:"64"`
	Shops    []string      `query:"shops" maxItems:"200"`
	From     calendar.Date `query:"from" required:"true" doc:"first day"`
	Until    calendar.Date `query:"until" required:"true" doc:"first day that no longer counts, at most 92 days after from"`
}

func (s *Server) reconciled(ctx context.Context, in *reconciliationInput) (exports.Reconciliation, error) {
	return s.deps.Ops.Measuring.Reconcile(ctx, whoOf(ctx), measuring.ReconcileInput{
		Merchant: ids.Merchant(in.Merchant), Shops: typed[ids.Shop](in.Shops), Dates: calendar.Dates{From: in.From, Until: in.Until},
	})
}

func (s *Server) reconciliation(ctx context.Context, in *reconciliationInput) (*one[exports.Reconciliation], error) {
	r, err := s.reconciled(ctx, in)
	if err != nil {
		return nil, err
	}
	return &one[exports.Reconciliation]{Body: r}, nil
}

func (s *Server) reconciliationWorkbook(ctx context.Context, in *reconciliationInput) (*file, error) {
	r, err := s.reconciled(ctx, in)
	if err != nil {
		return nil, err
	}
	body, err := s.deps.Ops.Measuring.ReconciliationWorkbook(r)
	return attachment("reconciliation-"+in.From.String()+".xlsx", body, err)
}

type reconciliationsInput struct {
	Paging
	Merchant string        `query:"merchant" maxLength:"64"`
	Shop     string        `query:"shop" maxLength:"64"`
	From     calendar.Date `query:"from" doc:"first day"`
	Until    calendar.Date `query:"until" doc:"first day that no longer counts"`
}

func (s *Server) reconciliations(ctx context.Context, in *reconciliationsInput) (*list[operations.Reconciliation], error) {
	items, next, err := s.deps.Ops.Measuring.Reconciliations(ctx, whoOf(ctx), operations.ReconciliationFilter{
		Merchant: ids.Merchant(in.Merchant), Shop: ids.Shop(in.Shop), Dates: calendar.Dates{From: in.From, Until: in.Until},
	}, in.page())
	return paged(ctx, items, next, err)
}
