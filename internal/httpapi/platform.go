package httpapi

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/measuring"
)

// addPlatformFiles comes before the imports of other kinds, whose path would match this one.
func (s *Server) addPlatformFiles() {
	huma.Register(s.api, operation(http.MethodPost, "/v1/imports/platform", "import-platform-file", "Measuring", "Import daily figures that a platform exported",
		describe("A file of 生意参谋, 京东客服管家, 拼多多商家后台, 飞鸽 or 快手小店 (xlsx, xls, CSV), as the whole body or as the part file of a form. "+
			"What kind of file it is, its headers say. All or nothing; the same file twice changes nothing; a later file replaces the days it holds."),
		long), s.importPlatformFile)
	op := s.api.OpenAPI().Paths["/v1/imports/platform"].Post
	describeUpload(op)
	delete(op.RequestBody.Content["multipart/form-data"].Schema.Properties, "mapping")
	huma.Register(s.api, operation(http.MethodGet, "/v1/platform-figures", "list-platform-figures", "Measuring", "What platforms say about days",
		describe("The latest import of each figure, by date, shop, account and item. With by_account those of sub-accounts, each with the person who "+
			"used it on that day; one that several people used is nobody's.")), s.platformFigures)
}

type platformFiguresInput struct {
	From      calendar.Date `query:"from" required:"true" doc:"first day"`
	Until     calendar.Date `query:"until" required:"true" doc:"first day that no longer counts, at most 92 days after from"`
	Merchants []string      `query:"merchants" maxItems:"200"`
	Shops     []string      `query:"shops" maxItems:"200"`
	ByAccount bool          `query:"by_account"`
}

func (s *Server) platformFigures(ctx context.Context, in *platformFiguresInput) (*list[measuring.PlatformFigure], error) {
	figures, err := s.deps.Ops.Measuring.PlatformFigures(ctx, whoOf(ctx), measuring.PlatformFigureQuery{
		Dates: calendar.Dates{From: in.From, Until: in.Until}, Merchants: typed[ids.Merchant](in.Merchants), Shops: typed[ids.Shop](in.Shops), ByAccount: in.ByAccount,
	})
	return paged(ctx, figures, "", err)
}

// platformInput has no Body, like importInput.
type platformInput struct {
	Shop     string   `query:"shop" required:"true" minLength:"1" maxLength:"64" doc:"the shop that the figures are of"`
	Merchant string   `query:"merchant" maxLength:"64" doc:"the merchant of the shop; the shop tells it too"`
	Name     string   `query:"name" maxLength:"255" doc:"name of the file when the body is the file: for messages, and for the date of a file without a date column"`
	Date     string   `query:"date" maxLength:"10" doc:"business date of a file without a date column, 2026-04-17"`
	Sheet    string   `query:"sheet" maxLength:"64" doc:"sheet of a workbook; the first visible one without it"`
	Percent  []string `query:"percent,explode" doc:"how percentages are written where the file does not tell: fraction (0.95), number (95), or HEADER=fraction"`
	Again    bool     `query:"again" doc:"import a file that was imported before once more, so that its figures win over what came since"`
	Type     string   `header:"Content-Type"`
	Encoding string   `header:"Content-Encoding" enum:"identity,gzip"`

	body io.Reader
}

// Resolve is called by huma before the handler.
func (in *platformInput) Resolve(ctx huma.Context) []error {
	inner := &importInput{}
	errs := inner.Resolve(ctx)
	in.body = inner.body
	return errs
}

func (s *Server) importPlatformFile(ctx context.Context, in *platformInput) (*one[measuring.PlatformImported], error) {
	// Who may not import does not fill the disk; the use case decides again.
	if _, err := access.Decide(whoOf(ctx), access.Ingest); err != nil {
		return nil, err
	}
	var date calendar.Date
	if in.Date != "" {
		var err error
		if date, err = calendar.ParseDate(in.Date); err != nil {
			return nil, misshapen(fault.Field{Path: "query.date", Value: in.Date, Problem: "must be a date like 2026-04-17"})
		}
	}
	up := upload{limit: s.cfg.BodyLimit}
	defer up.Close()
	if err := up.receive(&importInput{Name: in.Name, Type: in.Type, Encoding: in.Encoding, body: in.body}); err != nil {
		return nil, err
	}
	done, err := s.deps.Ops.Measuring.ImportPlatform(ctx, whoOf(ctx), measuring.PlatformInput{
		Source: up.source, Path: up.source.Name, Sheet: in.Sheet, Shop: ids.Shop(in.Shop), Merchant: ids.Merchant(in.Merchant), Date: date, Percent: in.Percent, Again: in.Again,
	})
	if err != nil {
		return nil, err
	}
	s.metrics.imported(measuring.PlatformKind, done.Import.Rows, 0, done.Already)
	return &one[measuring.PlatformImported]{Body: done}, nil
}
