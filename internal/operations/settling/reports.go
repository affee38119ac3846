package settling

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/exports"
	"github.com/chaoban/chaoban/exports/workbook"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
)

// SLAWorkbook renders a report; the same model gives the same bytes.
func (s *Settling) SLAWorkbook(report exports.SLAReport) ([]byte, error) {
	var out bytes.Buffer
	if err := workbook.SLA(&out, report); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// asSeenBy is the report for one reader. Who may not see figures by agent gets the agents numbered
// by how much they handled, without names, staff numbers and teams: a merchant buys a service, the
// people who give it are the outsourcer's. A number means the same agent within one report only.
func asSeenBy(who access.Principal, report exports.SLAReport) exports.SLAReport {
	if who.Can(access.ReadAgentKPI) {
		return report
	}
	handled := func(a exports.AgentLine) float64 {
		for _, r := range a.Readings {
			if r.Metric == "handled" {
				return r.Numerator
			}
		}
		return 0
	}
	report.Agents = slices.Clone(report.Agents)
	slices.SortStableFunc(report.Agents, func(a, b exports.AgentLine) int { return cmp.Compare(handled(b), handled(a)) })
	for i := range report.Agents {
		name := fmt.Sprintf("客服 %02d", i+1)
		readings := slices.Clone(report.Agents[i].Readings)
		for j := range readings {
			readings[j].Agent = ""
		}
		report.Agents[i] = exports.AgentLine{Agent: ids.Agent(name), Name: name, Readings: readings}
	}
	return report
}

// KeepReport computes and stores the report of one contract and month; what was handed out can
// then be shown again although late events have changed the figures since. Each call stores one.
func (s *Settling) KeepReport(ctx context.Context, who access.Principal, id ids.Contract, month calendar.Month) (store.Report, error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return store.Report{}, err
	}
	model, err := s.wholeReport(ctx, who, id, month)
	if err != nil {
		return store.Report{}, err
	}
	kept, err := s.keep(ctx, who, model)
	if err != nil {
		return store.Report{}, err
	}
	return s.readableBy(who, kept)
}

// keep stores a report with everything in it, whoever had it made.
func (s *Settling) keep(ctx context.Context, who access.Principal, model exports.SLAReport) (store.Report, error) {
	text, err := json.Marshal(model)
	if err != nil {
		return store.Report{}, fault.Wrap(err, fault.Internal, "report.model", "the report of %s cannot be stored", model.Contract.ID)
	}
	now := s.gate.Now()
	kept := store.Report{
		ID: ids.New[ids.Report](now), Contract: model.Contract.ID, Merchant: model.Merchant.ID, Month: model.Month,
		CreatedAt: now, Author: who.User, Model: text,
	}
	err = s.gate.Store.Change(ctx, who, now, func(tx *store.Tx) (err error) {
		kept.SHA256, err = tx.AddReport(kept)
		return err
	})
	return kept, err
}

// readableBy is a stored report as its reader may see it. The digest stays that of what is stored.
func (s *Settling) readableBy(who access.Principal, report store.Report) (store.Report, error) {
	if who.Can(access.ReadAgentKPI) {
		return report, nil
	}
	model, err := s.ReportModel(report)
	if err != nil {
		return store.Report{}, err
	}
	if report.Model, err = json.Marshal(asSeenBy(who, model)); err != nil {
		return store.Report{}, fault.Wrap(err, fault.Internal, "report.model", "the report %q cannot be written", report.ID)
	}
	return report, nil
}

// Reports lists stored reports in scope, newest first.
func (s *Settling) Reports(ctx context.Context, who access.Principal, f store.ReportFilter, p store.Page) ([]store.Report, string, error) {
	view, scope, err := s.gate.Read(who, access.ReadReports)
	if err != nil {
		return nil, "", err
	}
	if err := s.gate.Named(ctx, scope, gate.Names{Merchants: gate.One(f.Merchant)}); err != nil {
		return nil, "", err
	}
	if f.Contract != "" {
		if _, err := view.Contract(ctx, f.Contract); err != nil {
			return nil, "", err
		}
	}
	return view.Reports(ctx, f, p)
}

// Report returns one stored report with its model, in which the agents are numbered and not named
// for who may not see figures by agent. SHA256 is always that of the model with the names.
func (s *Settling) Report(ctx context.Context, who access.Principal, id ids.Report) (store.Report, error) {
	view, _, err := s.gate.Read(who, access.ReadReports)
	if err != nil {
		return store.Report{}, err
	}
	report, err := view.Report(ctx, id)
	if err != nil {
		return store.Report{}, err
	}
	return s.readableBy(who, report)
}

// ReportModel reads the model of a stored report, as it was when the report was made. It takes what
// Report returned, so the permission has been checked and names are left out where they must be.
func (s *Settling) ReportModel(report store.Report) (exports.SLAReport, error) {
	var model exports.SLAReport
	if err := json.Unmarshal(report.Model, &model); err != nil {
		return model, fault.Wrap(err, fault.Internal, "report.model", "the report %q cannot be read", report.ID)
	}
	return model, nil
}

// catchUpMonths is how many months one run of MonthlyReports looks at: the due one and those before
// it that were missed.
const catchUpMonths = 3

// MonthlyReports keeps the report of every contract in force in the month before due, unless the
// newest kept one shows the same figures: the job again stores nothing twice. It also keeps the
// reports of the two months before that were missed, which are those that had contacts and no
// report since the month ended. One contract's failure does not keep the others from their
// reports. rows is how many were stored.
func (s *Settling) MonthlyReports(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	view, _, err := s.gate.Read(who, access.RunJobs)
	if err != nil {
		return 0, err
	}
	all, err := store.All(func(p store.Page) ([]store.Stored[contracts.Contract], string, error) {
		return view.Contracts(ctx, store.ContractFilter{}, p)
	})
	if err != nil {
		return 0, err
	}
	var months []calendar.Month // the due one last
	for m := calendar.DateOf(due, s.gate.Zone).MonthOf(); len(months) < catchUpMonths; {
		m = m.First().Add(-1).MonthOf()
		months = slices.Insert(months, 0, m)
	}
	var failed []error
	for _, c := range all {
		for i, month := range months {
			kept, err := s.keepIfNew(ctx, who, c.Value.ID, month, i < len(months)-1)
			if err != nil {
				failed = append(failed, err)
			} else if kept {
				rows++
			}
		}
	}
	return rows, errors.Join(failed...)
}

// keepIfNew stores the report of a month unless it is there. past is a month before the due one:
// its report is final, and without a contact there is nothing to report.
func (s *Settling) keepIfNew(ctx context.Context, who access.Principal, id ids.Contract, month calendar.Month, past bool) (bool, error) {
	view, _, err := s.gate.Read(who, access.ReadReports)
	if err != nil {
		return false, err
	}
	had, err := view.LatestReport(ctx, id, month)
	found := err == nil
	if !found && fault.KindOf(err) != fault.NotFound {
		return false, err
	}
	if found && past && !had.CreatedAt.Before(month.Range(s.gate.Zone).End) {
		return false, nil
	}
	model, err := s.wholeReport(ctx, who, id, month)
	switch {
	case err != nil && fault.CodeOf(err) == "report.no_version":
		return false, nil
	case err != nil:
		return false, err
	case past && !hasContacts(model):
		return false, nil
	}
	if found {
		old, err := s.ReportModel(had)
		if err != nil {
			return false, err
		}
		if same, err := sameFigures(old, model); same || err != nil {
			return false, err
		}
	}
	_, err = s.keep(ctx, who, model)
	return err == nil, err
}

func hasContacts(report exports.SLAReport) bool {
	return slices.ContainsFunc(report.Totals, func(r kpi.Reading) bool { return r.Metric == "offered" && r.Numerator > 0 })
}

// sameFigures reports whether two reports say the same, whenever they were made and computed.
func sameFigures(a, b exports.SLAReport) (bool, error) {
	var texts [2][]byte
	for i, r := range []exports.SLAReport{a, b} {
		r.GeneratedAt = time.Time{}
		r.Provenance = slices.DeleteFunc(slices.Clone(r.Provenance), func(p exports.Provenance) bool { return p.What == rollupsSource })
		text, err := json.Marshal(r)
		if err != nil {
			return false, fault.Wrap(err, fault.Internal, "report.model", "the report of %s cannot be compared", r.Contract.ID)
		}
		texts[i] = text
	}
	return bytes.Equal(texts[0], texts[1]), nil
}
