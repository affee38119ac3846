package operations

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
)

// SLAWorkbook renders a report; the same model gives the same bytes.
func (s *Settling) SLAWorkbook(report exports.SLAReport) ([]byte, error) {
	var out bytes.Buffer
	if err := workbook.SLA(&out, report); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// KeepReport computes and stores the report of one contract and month; what was handed out can
// then be shown again although late events have changed the figures since.
func (s *Settling) KeepReport(ctx context.Context, who access.Principal, id ids.Contract, month calendar.Month) (store.Report, error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return store.Report{}, err
	}
	model, err := s.SLAReport(ctx, who, id, month)
	if err != nil {
		return store.Report{}, err
	}
	text, err := json.Marshal(model)
	if err != nil {
		return store.Report{}, fault.Wrap(err, fault.Internal, "report.model", "the report of %s cannot be stored", id)
	}
	now := s.deps.Now()
	kept := store.Report{
		ID: ids.New[ids.Report](now), Contract: id, Merchant: model.Merchant.ID, Month: month, CreatedAt: now, Author: who.User, Model: text,
	}
	err = s.deps.Store.Change(ctx, who, now, func(tx *store.Tx) (err error) {
		kept.SHA256, err = tx.AddReport(kept)
		return err
	})
	return kept, err
}

// Reports lists stored reports in scope, newest first.
func (s *Settling) Reports(ctx context.Context, who access.Principal, f store.ReportFilter, p store.Page) ([]store.Report, string, error) {
	view, _, err := s.read(who, access.ReadReports)
	if err != nil {
		return nil, "", err
	}
	return view.Reports(ctx, f, p)
}

// Report returns one stored report with its model.
func (s *Settling) Report(ctx context.Context, who access.Principal, id ids.Report) (store.Report, error) {
	view, _, err := s.read(who, access.ReadReports)
	if err != nil {
		return store.Report{}, err
	}
	return view.Report(ctx, id)
}

// ReportModel reads the model of a stored report, as it was when the report was made. It takes what
// Report returned, so the permission has been checked.
func (s *Settling) ReportModel(report store.Report) (exports.SLAReport, error) {
	var model exports.SLAReport
	if err := json.Unmarshal(report.Model, &model); err != nil {
		return model, fault.Wrap(err, fault.Internal, "report.model", "the report %q cannot be read", report.ID)
	}
	return model, nil
}

// MonthlyReports stores the report of every contract in force in the month before due. One
// contract's failure does not keep the others from their reports.
func (s *Settling) MonthlyReports(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	view, _, err := s.read(who, access.RunJobs)
	if err != nil {
		return 0, err
	}
	month := calendar.DateOf(due, s.deps.Zone).MonthOf().First().Add(-1).MonthOf()
	all, err := store.All(func(p store.Page) ([]store.Stored[contracts.Contract], string, error) {
		return view.Contracts(ctx, store.ContractFilter{}, p)
	})
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, c := range all {
		_, err := s.KeepReport(ctx, who, c.Value.ID, month)
		switch {
		case err == nil:
			rows++
		case fault.CodeOf(err) == "report.no_version":
		default:
			failed = append(failed, err)
		}
	}
	return rows, errors.Join(failed...)
}
