package httpapi

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
)

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// workbook describes an answer that is an Excel file.
func workbook(op *huma.Operation) {
	op.Responses = map[string]*huma.Response{"200": {
		Description: "An Excel workbook",
		Content:     map[string]*huma.MediaType{workbookType: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}}
}

// file is an answer to save.
type file struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

// attachment names the file in RFC 5987 form, because ids may be Chinese.
func attachment(name string, body []byte, err error) (*file, error) {
	if err != nil {
		return nil, err
	}
	return &file{ContentType: workbookType, Disposition: "attachment; filename*=UTF-8''" + url.PathEscape(name), Body: body}, nil
}

func (s *Server) addReports() {
	s.addKeeping()
	const tag = "Reports"
	unnamed := describe("Who may not see figures by agent, as a client may not, gets the agents numbered, without names, staff numbers and teams.")
	huma.Register(s.api, operation(http.MethodGet, "/v1/contracts/{contract}/reports/{month}/workbook", "get-sla-workbook", tag, "The SLA report of a month as xlsx", workbook, unnamed), s.slaWorkbook)
	huma.Register(s.api, operation(http.MethodGet, "/v1/contracts/{contract}/reports/{month}", "get-sla-report", tag, "The SLA report of a contract and month, from the figures as they are now", unnamed), s.slaReport)
	huma.Register(s.api, operation(http.MethodPost, "/v1/contracts/{contract}/reports/{month}", "keep-sla-report", tag, "Compute the SLA report and store it as it is",
		status(http.StatusCreated), long, repeatable), s.keepReport)
	huma.Register(s.api, operation(http.MethodGet, "/v1/reports", "list-reports", tag, "Stored reports, newest first"), s.reports)
	huma.Register(s.api, operation(http.MethodGet, "/v1/reports/{report}/workbook", "get-report-workbook", tag, "One stored report as xlsx", workbook, unnamed), s.reportWorkbook)
	huma.Register(s.api, operation(http.MethodGet, "/v1/reports/{report}", "get-report", tag, "One stored report", unnamed), s.report)
}

type slaPath struct {
	ContractPath
	Month calendar.Month `path:"month" doc:"2026-11"`
}

func (s *Server) slaReport(ctx context.Context, in *slaPath) (*one[exports.SLAReport], error) {
	r, err := s.deps.Ops.Settling.SLAReport(ctx, whoOf(ctx), ids.Contract(in.Contract), in.Month)
	if err != nil {
		return nil, err
	}
	return &one[exports.SLAReport]{Body: r}, nil
}

func (s *Server) slaWorkbook(ctx context.Context, in *slaPath) (*file, error) {
	r, err := s.deps.Ops.Settling.SLAReport(ctx, whoOf(ctx), ids.Contract(in.Contract), in.Month)
	if err != nil {
		return nil, err
	}
	body, err := s.deps.Ops.Settling.SLAWorkbook(r)
	return attachment("sla-"+in.Contract+"-"+in.Month.String()+".xlsx", body, err)
}

func (s *Server) keepReport(ctx context.Context, in *slaPath) (*one[operations.Report], error) {
	r, err := s.deps.Ops.Settling.KeepReport(ctx, whoOf(ctx), ids.Contract(in.Contract), in.Month)
	if err != nil {
		return nil, err
	}
	return &one[operations.Report]{Body: r}, nil
}

type reportsInput struct {
	Paging
	Merchant string         `query:"merchant" maxLength:"64"`
	Contract string         `query:"contract" maxLength:"64"`
	Month    calendar.Month `query:"month" doc:"2026-11"`
}

func (s *Server) reports(ctx context.Context, in *reportsInput) (*list[operations.Report], error) {
	filter := operations.ReportFilter{Merchant: ids.Merchant(in.Merchant), Contract: ids.Contract(in.Contract), Month: in.Month}
	items, next, err := s.deps.Ops.Settling.Reports(ctx, whoOf(ctx), filter, in.page())
	return paged(ctx, items, next, err)
}

type reportPath struct {
	Report string `path:"report" maxLength:"64"`
}

func (s *Server) report(ctx context.Context, in *reportPath) (*one[operations.Report], error) {
	r, err := s.deps.Ops.Settling.Report(ctx, whoOf(ctx), ids.Report(in.Report))
	if err != nil {
		return nil, err
	}
	return &one[operations.Report]{Body: r}, nil
}

func (s *Server) reportWorkbook(ctx context.Context, in *reportPath) (*file, error) {
	r, err := s.deps.Ops.Settling.Report(ctx, whoOf(ctx), ids.Report(in.Report))
	if err != nil {
		return nil, err
	}
	model, err := s.deps.Ops.Settling.ReportModel(r)
	if err != nil {
		return nil, err
	}
	body, err := s.deps.Ops.Settling.SLAWorkbook(model)
	return attachment("sla-"+string(r.Contract)+"-"+r.Month.String()+".xlsx", body, err)
}
