package store

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// The document of a merchant is the truth; shops and queues are its projection, for references and
// so that no two merchants share an id.
type merchantRow struct {
	bun.BaseModel `bun:"table:merchants,alias:t"`
	ID            string `bun:",pk"`
	Name          string
	Doc           string
	stamp
}

func (r merchantRow) stored() (Stored[contracts.Merchant], error) {
	m, err := decode[contracts.Merchant](r.Doc)
	return Stored[contracts.Merchant]{Value: m, Meta: r.meta()}, err
}

type shopRow struct {
	bun.BaseModel `bun:"table:shops,alias:t"`
	ID            string `bun:",pk"`
	Merchant      string
	Platform      string
	Doc           string
}

type queueRow struct {
	bun.BaseModel `bun:"table:queues,alias:t"`
	ID            string `bun:",pk"`
	Merchant      string
	Shop          string
	Channel       string
	Doc           string
}

// Shop is a shop with the merchant it belongs to.
type Shop struct {
	Merchant ids.Merchant `json:"merchant"`
	contracts.Shop
}

// Queue is a queue with the shop and the merchant it belongs to.
type Queue struct {
	Merchant ids.Merchant `json:"merchant"`
	Shop     ids.Shop     `json:"shop"`
	contracts.Queue
}

func (r queueRow) value() (Queue, error) {
	q, err := decode[contracts.Queue](r.Doc)
	return Queue{Merchant: ids.Merchant(r.Merchant), Shop: ids.Shop(r.Shop), Queue: q}, err
}

// Merchants lists merchants by id.
func (v *View) Merchants(ctx context.Context, p Page) ([]Stored[contracts.Merchant], string, error) {
	var rows []merchantRow
	next, err := listPage(ctx, v.ofMerchants(&rows, "id"), p, order{"merchants", []string{"id"}, false}, &rows,
		func(r merchantRow) []any { return []any{r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, merchantRow.stored)
	return list, next, err
}

// Merchant reads one merchant.
func (v *View) Merchant(ctx context.Context, id ids.Merchant) (Stored[contracts.Merchant], error) {
	var row merchantRow
	if err := v.ofMerchants(&row, "id").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Stored[contracts.Merchant]{}, found(err, "merchant", string(id))
	}
	return row.stored()
}

// Shops lists shops by id; an empty merchant means every merchant of the scope.
func (v *View) Shops(ctx context.Context, merchant ids.Merchant, p Page) ([]Shop, string, error) {
	var rows []shopRow
	q := whereText(v.ofMerchants(&rows, "merchant"), "merchant", string(merchant))
	next, err := listPage(ctx, q, p, order{"shops", []string{"id"}, false}, &rows,
		func(r shopRow) []any { return []any{r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, func(r shopRow) (Shop, error) {
		s, err := decode[contracts.Shop](r.Doc)
		return Shop{Merchant: ids.Merchant(r.Merchant), Shop: s}, err
	})
	return list, next, err
}

// QueueFilter narrows a list of queues; empty fields do not.
type QueueFilter struct {
	Merchant ids.Merchant
	Shop     ids.Shop
	Channel  string // "chat" or "call"
}

// Queues lists queues by id.
func (v *View) Queues(ctx context.Context, f QueueFilter, p Page) ([]Queue, string, error) {
	var rows []queueRow
	q := whereText(v.ofMerchants(&rows, "merchant"), "merchant", string(f.Merchant))
	q = whereText(q, "shop", string(f.Shop))
	q = whereText(q, "channel", f.Channel)
	next, err := listPage(ctx, q, p, order{"queues", []string{"id"}, false}, &rows,
		func(r queueRow) []any { return []any{r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, queueRow.value)
	return list, next, err
}

// Queue reads one queue.
func (v *View) Queue(ctx context.Context, id ids.Queue) (Queue, error) {
	var row queueRow
	if err := v.ofMerchants(&row, "merchant").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Queue{}, found(err, "queue", string(id))
	}
	return row.value()
}

// PutMerchant adds or replaces a merchant with its shops and queues. expect is AnyVersion, NewOnly
// or the version the caller read. The same content again changes nothing. A shop or queue that is
// left out is removed: ErrInUse when a contract, forecast or plan refers to it. ErrConflict when
// another merchant has a shop or queue of that id.
func (tx *Tx) PutMerchant(m contracts.Merchant, expect int) (Meta, error) {
	var old merchantRow
	had, err := tx.load(&old, string(m.ID))
	if err != nil {
		return Meta{}, err
	}
	doc, err := encode(m)
	if err != nil {
		return Meta{}, err
	}
	next, changed, err := admit("merchant", string(m.ID), had, old.stamp, old.Doc == doc, expect, tx.now)
	if err != nil || !changed {
		return next.meta(), err
	}
	if err := tx.write(&merchantRow{ID: string(m.ID), Name: clean(m.Name), Doc: doc, stamp: next}, had); err != nil {
		return Meta{}, err
	}
	if err := tx.projectShops(m); err != nil {
		return Meta{}, err
	}
	return next.meta(), tx.note("merchant.put", "merchant", string(m.ID), m.ID, document(next, doc))
}

// projectShops makes the rows of shops and queues those of the merchant's document.
func (tx *Tx) projectShops(m contracts.Merchant) error {
	shops, queues, err := shopRows(m)
	if err != nil {
		return err
	}
	var haveShops []shopRow
	var haveQueues []queueRow
	if err := tx.q.NewSelect().Model(&haveShops).Where("merchant = ?", m.ID).Scan(tx.ctx); err != nil {
		return translate(err)
	}
	if err := tx.q.NewSelect().Model(&haveQueues).Where("merchant = ?", m.ID).Scan(tx.ctx); err != nil {
		return translate(err)
	}
	oldShops, oldQueues := keyed(haveShops, shopID), keyed(haveQueues, queueID)
	for _, s := range shops {
		if err := tx.write(&s, has(oldShops, s.ID)); err != nil {
			return taken(err, "shop", s.ID)
		}
	}
	for _, q := range queues {
		if err := tx.write(&q, has(oldQueues, q.ID)); err != nil {
			return taken(err, "queue", q.ID)
		}
	}
	newShops, newQueues := keyed(shops, shopID), keyed(queues, queueID)
	for _, q := range haveQueues { // queues first: they refer to shops
		if !has(newQueues, q.ID) {
			if err := tx.remove(&q, "queue", q.ID); err != nil {
				return err
			}
		}
	}
	for _, s := range haveShops {
		if !has(newShops, s.ID) {
			if err := tx.remove(&s, "shop", s.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func shopRows(m contracts.Merchant) (shops []shopRow, queues []queueRow, err error) {
	for _, s := range m.Shops {
		doc, err := encode(s)
		if err != nil {
			return nil, nil, err
		}
		shops = append(shops, shopRow{ID: string(s.ID), Merchant: string(m.ID), Platform: string(s.Platform), Doc: doc})
		for _, q := range s.Queues {
			doc, err := encode(q)
			if err != nil {
				return nil, nil, err
			}
			queues = append(queues, queueRow{ID: string(q.ID), Merchant: string(m.ID), Shop: string(s.ID), Channel: q.Channel, Doc: doc})
		}
	}
	return shops, queues, nil
}

func shopID(r shopRow) string   { return r.ID }
func queueID(r queueRow) string { return r.ID }

func keyed[R any](rows []R, id func(R) string) map[string]R {
	m := make(map[string]R, len(rows))
	for _, r := range rows {
		m[id(r)] = r
	}
	return m
}

func has[R any](m map[string]R, id string) bool {
	_, ok := m[id]
	return ok
}

// taken says whose id it is when an insert hits one.
func taken(err error, kind, id string) error {
	if !errors.Is(err, ErrConflict) {
		return err
	}
	return fault.Wrap(err, fault.Conflict, ErrConflict.Code, "the %s %q is named twice or belongs to another merchant", kind, id)
}

// remove deletes a row by its primary key; ErrInUse when something refers to it.
func (tx *Tx) remove(row any, kind, id string) error {
	tx.loose = true
	_, err := tx.q.NewDelete().Model(row).WherePK().Exec(tx.ctx)
	err = translate(err)
	if errors.Is(err, ErrReference) {
		return fault.Wrap(err, ErrInUse.Kind, ErrInUse.Code, "the %s %q is still referred to", kind, id)
	}
	return err
}

// load reads the row with an id; false when it is not there.
func (tx *Tx) load(row any, id string) (bool, error) {
	err := translate(tx.q.NewSelect().Model(row).Where("id = ?", id).Scan(tx.ctx))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
