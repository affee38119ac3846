package store

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
)

// Lock is what was agreed with a client for some days: a forecast with its adjustments, as figures
// that no later version, adjustment or release of ours can change. For a day the newest lock counts.
type Lock struct {
	ID         ids.Lock           `json:"id"`
	Queue      ids.Queue          `json:"queue"`
	Merchant   ids.Merchant       `json:"merchant"`
	Forecast   ids.Forecast       `json:"forecast"`
	Layers     []ids.Layer        `json:"layers"` // in force when it was locked, in their order
	Dates      calendar.Dates     `json:"dates"`  // local days; Until is given
	AgreedOn   calendar.Date      `json:"agreed_on"`
	AgreedWith string             `json:"agreed_with,omitempty"` // of the client
	At         time.Time          `json:"at"`
	Author     ids.User           `json:"author"`
	AuthorName string             `json:"author_name"`
	Note       string             `json:"note,omitempty"`
	Supersedes []ids.Lock         `json:"supersedes"` // earlier locks of some of the days, newest first
	Reason     string             `json:"reason,omitempty"`
	Contacts   float64            `json:"contacts"`       // sum of the means
	SHA256     string             `json:"sha256"`         // of the figures' document
	Curve      scheduling.Curve   `json:"curve,omitzero"` // empty in lists
	Days       []scheduling.Point `json:"days,omitempty"` // whole-day totals; empty in lists
}

// lockBody is the part of a lock that is kept as a document.
type lockBody struct {
	Curve scheduling.Curve   `json:"curve"`
	Days  []scheduling.Point `json:"days"`
}

type lockRow struct {
	bun.BaseModel `bun:"table:forecast_locks,alias:t"`
	ID            string `bun:",pk"`
	Queue         string
	Merchant      string
	Forecast      string
	Layers        string
	FromDay       string
	UntilDay      string
	AgreedOn      string
	AgreedWith    string
	At            int64
	Author        string
	AuthorName    string
	Note          string
	Supersedes    string
	Reason        string
	Contacts      float64
	SHA256        string `bun:"sha256"`
	Body          []byte
}

func (r lockRow) value() (Lock, error) {
	l := Lock{
		ID: ids.Lock(r.ID), Queue: ids.Queue(r.Queue), Merchant: ids.Merchant(r.Merchant), Forecast: ids.Forecast(r.Forecast),
		AgreedWith: r.AgreedWith, At: instant(r.At), Author: ids.User(r.Author), AuthorName: r.AuthorName, Note: r.Note, Reason: r.Reason,
		Contacts: r.Contacts, SHA256: r.SHA256,
	}
	var err error
	if l.Layers, err = decode[[]ids.Layer](r.Layers); err != nil {
		return l, err
	}
	if l.Supersedes, err = decode[[]ids.Lock](r.Supersedes); err != nil {
		return l, err
	}
	if l.Dates.From, err = calendar.ParseDate(r.FromDay); err != nil {
		return l, err
	}
	if l.Dates.Until, err = calendar.ParseDate(r.UntilDay); err != nil {
		return l, err
	}
	if l.AgreedOn, err = calendar.ParseDate(r.AgreedOn); err != nil {
		return l, err
	}
	if r.Body != nil {
		var body lockBody
		body, err = unpack[lockBody](r.Body)
		l.Curve, l.Days = body.Curve, body.Days
	}
	return l, err
}

// LockFilter narrows a list of locks; empty fields do not.
type LockFilter struct {
	Merchant ids.Merchant
	Queue    ids.Queue
	Dates    calendar.Dates // shares a day with them; a zero From or Until is open
}

// Locks lists locks, newest first, without their figures.
func (v *View) Locks(ctx context.Context, f LockFilter, p Page) ([]Lock, string, error) {
	var rows []lockRow
	q := whereText(v.ofMerchants(&rows, "merchant").ExcludeColumn("body"), "merchant", string(f.Merchant))
	q = whereShares(whereText(q, "queue", string(f.Queue)), f.Dates)
	next, err := listPage(ctx, q, p, order{"forecast_locks", []string{"at", "id"}, true}, &rows,
		func(r lockRow) []any { return []any{r.At, r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, lockRow.value)
	return list, next, err
}

// whereShares narrows to rows whose days share one with a period.
func whereShares(q *bun.SelectQuery, d calendar.Dates) *bun.SelectQuery {
	if !d.From.IsZero() {
		q = q.Where("until_day > ?", d.From.String())
	}
	if !d.Until.IsZero() {
		q = q.Where("from_day < ?", d.Until.String())
	}
	return q
}

// Lock reads one lock with its figures.
func (v *View) Lock(ctx context.Context, id ids.Lock) (Lock, error) {
	var row lockRow
	if err := v.ofMerchants(&row, "merchant").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Lock{}, found(err, "lock", string(id))
	}
	return row.value()
}

// AddLock keeps what was agreed and returns it; At, Author, Supersedes, Contacts and SHA256 are
// filled in. A lock is never changed. Earlier locks of some of its days are superseded, for which a
// reason is required ("store.invalid"). ErrReference when the queue or the forecast is unknown.
func (tx *Tx) AddLock(l Lock) (Lock, error) {
	merchant, err := tx.merchantOf(l.Queue, l.Merchant)
	if err != nil {
		return Lock{}, err
	}
	if err := l.Curve.Validate(); err != nil {
		return Lock{}, err
	}
	l.Reason = clean(strings.TrimSpace(l.Reason))
	if err := tx.supersede(&l); err != nil {
		return Lock{}, err
	}
	body, sum, err := packDocument(lockBody{l.Curve, l.Days})
	if err != nil {
		return Lock{}, err
	}
	row := lockRow{
		ID: clean(string(l.ID)), Queue: string(l.Queue), Merchant: string(merchant), Forecast: clean(string(l.Forecast)),
		FromDay: l.Dates.From.String(), UntilDay: l.Dates.Until.String(), AgreedOn: l.AgreedOn.String(), AgreedWith: clean(l.AgreedWith),
		At: micros(tx.now), Author: string(tx.actor.User), AuthorName: clean(tx.actor.Name), Note: clean(l.Note), Reason: l.Reason,
		Contacts: contactsOf(l.Curve), SHA256: sum, Body: body,
	}
	if row.Layers, err = encode(append([]ids.Layer{}, l.Layers...)); err != nil {
		return Lock{}, err
	}
	if row.Supersedes, err = encode(append([]ids.Lock{}, l.Supersedes...)); err != nil {
		return Lock{}, err
	}
	if err := tx.insertNamed(&row, "lock", row.ID); err != nil {
		return Lock{}, err
	}
	kept, err := row.value()
	if err != nil {
		return Lock{}, err
	}
	detail := kept
	detail.Curve, detail.Days = scheduling.Curve{}, nil
	return kept, tx.note("forecast.lock", "forecast_lock", row.ID, merchant, detail)
}

// supersede finds the locks in the way and checks what must be said about it.
func (tx *Tx) supersede(l *Lock) error {
	var bad []fault.Field
	if l.Dates.From.IsZero() || l.Dates.Until.IsZero() || !l.Dates.From.Before(l.Dates.Until) {
		bad = append(bad, fault.Field{Path: "dates", Problem: "must have a first day and a later day before which they end"})
	}
	if l.AgreedOn.IsZero() {
		bad = append(bad, fault.Field{Path: "agreed_on", Problem: "is required"})
	}
	if err := fault.Bad("store.invalid", "lock", bad); err != nil {
		return err
	}
	var earlier []lockRow
	err := whereShares(tx.q.NewSelect().Model(&earlier).ExcludeColumn("body").Where("queue = ?", string(l.Queue)), l.Dates).
		OrderExpr("at DESC, id DESC").Scan(tx.ctx)
	if err != nil {
		return translate(err)
	}
	l.Supersedes = nil
	for _, e := range earlier {
		l.Supersedes = append(l.Supersedes, ids.Lock(e.ID))
	}
	if len(earlier) > 0 && l.Reason == "" {
		return fault.Bad("store.invalid", "lock", []fault.Field{{
			Path: "reason", Value: earlier[0].ID, Problem: "is empty, but these days are locked already: say why they are locked anew",
		}})
	}
	return nil
}

func contactsOf(c scheduling.Curve) (sum float64) {
	for _, p := range c.Points {
		sum += p.Mean
	}
	return sum
}
