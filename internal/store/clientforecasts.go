package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// ClientForecast is one version of what a client said to expect in a queue. It has means only.
type ClientForecast struct {
	ID         ids.ClientForecast `json:"id"`
	Queue      ids.Queue          `json:"queue"`
	Merchant   ids.Merchant       `json:"merchant"`  // of the queue; filled in when empty
	Version    int                `json:"version"`   // 1, 2, 3 ... of the queue
	StatedAt   time.Time          `json:"stated_at"` // when the client said it
	Range      calendar.Range     `json:"range"`     // of the slots it covers
	At         time.Time          `json:"at"`        // when it was imported
	Author     ids.User           `json:"author"`
	AuthorName string             `json:"author_name"`
	Source     string             `json:"source,omitempty"` // name of the file
	Note       string             `json:"note,omitempty"`
	Points     int                `json:"points"`
	Contacts   float64            `json:"contacts"` // sum
	SHA256     string             `json:"sha256"`   // of the curve's document
	Curve      scheduling.Curve   `json:"curve,omitzero"`
}

type clientForecastRow struct {
	bun.BaseModel `bun:"table:client_forecasts,alias:t"`
	ID            string `bun:",pk"`
	Queue         string
	Merchant      string
	Version       int
	StatedAt      int64
	StartAt       int64
	EndAt         int64
	At            int64
	Author        string
	AuthorName    string
	Source        string
	Note          string
	Points        int
	Contacts      float64
	SHA256        string `bun:"sha256"`
	Body          []byte
}

func (r clientForecastRow) value() (ClientForecast, error) {
	f := ClientForecast{
		ID: ids.ClientForecast(r.ID), Queue: ids.Queue(r.Queue), Merchant: ids.Merchant(r.Merchant), Version: r.Version, StatedAt: instant(r.StatedAt),
		Range: calendar.Range{Start: instant(r.StartAt), End: instant(r.EndAt)}, At: instant(r.At), Author: ids.User(r.Author), AuthorName: r.AuthorName,
		Source: r.Source, Note: r.Note, Points: r.Points, Contacts: r.Contacts, SHA256: r.SHA256,
	}
	var err error
	if r.Body != nil {
		f.Curve, err = unpack[scheduling.Curve](r.Body)
	}
	return f, err
}

// ClientForecasts lists clients' forecasts, newest first, without their curves.
func (v *View) ClientForecasts(ctx context.Context, f ForecastFilter, p Page) ([]ClientForecast, string, error) {
	var rows []clientForecastRow
	q := whereText(v.ofMerchants(&rows, "merchant").ExcludeColumn("body"), "merchant", string(f.Merchant))
	q = whereOverlaps(whereText(q, "queue", string(f.Queue)), f.Range)
	next, err := listPage(ctx, q, p, order{"client_forecasts", []string{"at", "id"}, true}, &rows,
		func(r clientForecastRow) []any { return []any{r.At, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, clientForecastRow.value)
	return list, next, err
}

// ClientForecast reads one client's forecast with its curve.
func (v *View) ClientForecast(ctx context.Context, id ids.ClientForecast) (ClientForecast, error) {
	var row clientForecastRow
	if err := v.ofMerchants(&row, "merchant").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return ClientForecast{}, found(err, "client forecast", string(id))
	}
	return row.value()
}

// AddClientForecast adds the next version of a queue and returns it; At, Author, Version, Range,
// Points, Contacts and SHA256 are filled in. It is never changed. ErrReference when the queue is
// unknown, ErrConflict when it belongs to another merchant; "curve.invalid".
func (tx *Tx) AddClientForecast(f ClientForecast) (ClientForecast, error) {
	merchant, err := tx.merchantOf(f.Queue, f.Merchant)
	if err != nil {
		return ClientForecast{}, err
	}
	if err := f.Curve.Validate(); err != nil {
		return ClientForecast{}, err
	}
	body, sum, err := packDocument(f.Curve)
	if err != nil {
		return ClientForecast{}, err
	}
	before, err := tx.q.NewSelect().Model((*clientForecastRow)(nil)).Where("queue = ?", string(f.Queue)).Count(tx.ctx)
	if err != nil {
		return ClientForecast{}, translate(err)
	}
	row := clientForecastRow{
		ID: clean(string(f.ID)), Queue: string(f.Queue), Merchant: string(merchant), Version: int(before) + 1, StatedAt: micros(f.StatedAt),
		At: micros(tx.now), Author: string(tx.actor.User), AuthorName: clean(tx.actor.Name), Source: clean(f.Source), Note: clean(f.Note),
		Points: len(f.Curve.Points), Contacts: contactsOf(f.Curve), SHA256: sum, Body: body,
	}
	if n := len(f.Curve.Points); n > 0 {
		row.StartAt, row.EndAt = micros(f.Curve.Points[0].Start), micros(f.Curve.Points[n-1].Start.Add(f.Curve.Slot))
	}
	if err := tx.insertNamed(&row, "client forecast", row.ID); err != nil {
		return ClientForecast{}, err
	}
	added, err := row.value()
	if err != nil {
		return ClientForecast{}, err
	}
	detail := added
	detail.Curve = scheduling.Curve{}
	return added, tx.note("client_forecast.add", "client_forecast", row.ID, merchant, detail)
}
