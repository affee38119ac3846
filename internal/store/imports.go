package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Import is one acknowledged import of a file. It makes importing idempotent: the same Key of the
// same Kind is acknowledged once.
type Import struct {
	Batch    ids.Batch    `json:"batch"`
	Kind     string       `json:"kind"`               // "agents", "conversations", "contacts", ...
	Key      string       `json:"key"`                // what makes it the same import: digest of content, mapping and target; SHA256 when empty
	SHA256   string       `json:"sha256"`             // of the file, hex
	File     string       `json:"file"`               // name as the user gave it
	Merchant ids.Merchant `json:"merchant,omitempty"` // empty when the file is about no single merchant
	Rows     int64        `json:"rows"`               // imported
	Rejected int64        `json:"rejected"`
	At       time.Time    `json:"at"`
	Author   ids.User     `json:"author"`
}

type importRow struct {
	bun.BaseModel `bun:"table:imports,alias:t"`
	ID            string `bun:",pk"`
	Kind          string
	ImportKey     string
	SHA256        string `bun:"sha256"`
	File          string
	Merchant      string
	RowsGood      int64
	RowsRejected  int64
	At            int64
	Author        string
}

func (r importRow) value() Import {
	return Import{
		Batch: ids.Batch(r.ID), Kind: r.Kind, Key: r.ImportKey, SHA256: r.SHA256, File: r.File, Merchant: ids.Merchant(r.Merchant),
		Rows: r.RowsGood, Rejected: r.RowsRejected, At: instant(r.At), Author: ids.User(r.Author),
	}
}

// ImportFilter narrows a list of imports; empty fields do not.
type ImportFilter struct {
	Kind     string
	Merchant ids.Merchant
}

// Imports lists imports, newest first. A scope of merchants sees only files about its merchants.
func (v *View) Imports(ctx context.Context, f ImportFilter, p Page) ([]Import, string, error) {
	var rows []importRow
	q := whereText(v.ofMerchants(&rows, "merchant"), "kind", f.Kind)
	q = whereText(q, "merchant", string(f.Merchant))
	next, err := listPage(ctx, q, p, order{"imports", []string{"at", "id"}, true}, &rows,
		func(r importRow) []any { return []any{r.At, r.ID} })
	return mapped(rows, importRow.value), next, err
}

// ImportByKey finds the acknowledged import of a kind; ErrNotFound when there is none.
func (v *View) ImportByKey(ctx context.Context, kind, key string) (Import, error) {
	var row importRow
	err := v.ofMerchants(&row, "merchant").Where("kind = ? AND import_key = ?", clean(kind), clean(key)).Scan(ctx)
	if err != nil {
		return Import{}, found(err, "import", key)
	}
	return row.value(), nil
}

// AddImport acknowledges an import; At and Author are those of the change. ErrConflict when this
// kind and key were acknowledged before: the caller answers with that one.
func (tx *Tx) AddImport(i Import) error {
	row := importRow{
		ID: string(i.Batch), Kind: clean(i.Kind), ImportKey: clean(i.Key), SHA256: clean(i.SHA256), File: clean(i.File),
		Merchant: string(i.Merchant), RowsGood: i.Rows, RowsRejected: i.Rejected, At: micros(tx.now), Author: string(tx.actor.User),
	}
	if row.ImportKey == "" {
		row.ImportKey = row.SHA256
	}
	if row.ID == "" || row.ImportKey == "" {
		return fault.Bad("store.invalid", "import", []fault.Field{{Path: "key", Problem: "and batch must not be empty"}})
	}
	if err := tx.insert(&row); err != nil {
		if errors.Is(err, ErrConflict) {
			return fault.Wrap(err, fault.Conflict, ErrConflict.Code, "this file was imported before")
		}
		return err
	}
	return tx.note("import.add", "import", row.ID, i.Merchant, row.value())
}
