package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Report is one immutable SLA report of a contract and month. Files are rendered from the model
// when asked for, so a report is kept once and small.
type Report struct {
	ID        ids.Report      `json:"id"`
	Contract  ids.Contract    `json:"contract"`
	Merchant  ids.Merchant    `json:"merchant"` // of the contract; filled in when empty
	Month     calendar.Month  `json:"month"`
	CreatedAt time.Time       `json:"created_at"`
	Author    ids.User        `json:"author"`
	SHA256    string          `json:"sha256"`          // of the model's canonical text; it says when it was made, so equal figures differ in it
	Model     json.RawMessage `json:"model,omitempty"` // the report model's JSON in canonical text; empty in lists
}

type reportRow struct {
	bun.BaseModel `bun:"table:reports,alias:t"`
	ID            string `bun:",pk"`
	Contract      string
	Merchant      string
	Month         string
	CreatedAt     int64
	Author        string
	SHA256        string `bun:"sha256"`
	Body          []byte
}

func (r reportRow) value() (Report, error) {
	v := Report{
		ID: ids.Report(r.ID), Contract: ids.Contract(r.Contract), Merchant: ids.Merchant(r.Merchant),
		CreatedAt: instant(r.CreatedAt), Author: ids.User(r.Author), SHA256: r.SHA256,
	}
	var err error
	if v.Month, err = calendar.ParseMonth(r.Month); err != nil {
		return v, err
	}
	if r.Body != nil {
		v.Model, err = unpack[json.RawMessage](r.Body)
	}
	return v, err
}

// ReportFilter narrows a list of reports; empty fields do not.
type ReportFilter struct {
	Merchant ids.Merchant
	Contract ids.Contract
	Month    calendar.Month
}

func (f ReportFilter) on(q *bun.SelectQuery) *bun.SelectQuery {
	q = whereText(whereText(q, "merchant", string(f.Merchant)), "contract", string(f.Contract))
	if f.Month != (calendar.Month{}) {
		q = whereText(q, "month", f.Month.String())
	}
	return q
}

// Reports lists reports, newest first, without their models.
func (v *View) Reports(ctx context.Context, f ReportFilter, p Page) ([]Report, string, error) {
	var rows []reportRow
	q := f.on(v.ofMerchants(&rows, "merchant").ExcludeColumn("body"))
	next, err := listPage(ctx, q, p, order{"reports", []string{"created_at", "id"}, true}, &rows,
		func(r reportRow) []any { return []any{r.CreatedAt, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, reportRow.value)
	return list, next, err
}

// Report reads one report with its model.
func (v *View) Report(ctx context.Context, id ids.Report) (Report, error) {
	var row reportRow
	if err := v.ofMerchants(&row, "merchant").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Report{}, found(err, "report", string(id))
	}
	return row.value()
}

// LatestReport reads the newest report of a contract and month with its model.
func (v *View) LatestReport(ctx context.Context, contract ids.Contract, month calendar.Month) (Report, error) {
	var row reportRow
	err := ReportFilter{Contract: contract, Month: month}.on(v.ofMerchants(&row, "merchant")).
		OrderExpr("created_at DESC, id DESC").Limit(1).Scan(ctx)
	if err != nil {
		return Report{}, found(err, "report of the contract", string(contract))
	}
	return row.value()
}

// AddReport adds a report and returns the digest of its model; CreatedAt and Author are those of
// the change. A report is never changed: a correction is a new report. The caller writes instants
// of the model in one zone, for the store does not know which texts are instants. ErrReference when
// the contract is unknown, ErrConflict when it belongs to another merchant, "store.document" when
// the model is not JSON.
func (tx *Tx) AddReport(r Report) (sha256 string, err error) {
	var contract contractRow
	had, err := tx.load(&contract, clean(string(r.Contract)))
	switch {
	case err != nil:
		return "", err
	case !had:
		return "", fault.New(ErrReference.Kind, ErrReference.Code, "there is no contract %q", r.Contract)
	case r.Merchant != "" && string(r.Merchant) != contract.Merchant:
		return "", fault.New(fault.Conflict, ErrConflict.Code, "the contract %q belongs to the merchant %q", r.Contract, contract.Merchant)
	}
	doc, err := canonical(r.Model, "the report's model")
	if err != nil {
		return "", err
	}
	body, err := pack(doc)
	if err != nil {
		return "", translate(err)
	}
	sum := digest(doc)
	row := reportRow{
		ID: string(r.ID), Contract: string(r.Contract), Merchant: contract.Merchant, Month: r.Month.String(),
		CreatedAt: micros(tx.now), Author: string(tx.actor.User), SHA256: sum, Body: body,
	}
	if err := tx.insertNamed(&row, "report", row.ID); err != nil {
		return "", err
	}
	return sum, tx.note("report.add", "report", row.ID, ids.Merchant(contract.Merchant), struct {
		Contract ids.Contract   `json:"contract"`
		Month    calendar.Month `json:"month"`
		SHA256   string         `json:"sha256"`
	}{r.Contract, r.Month, sum})
}
