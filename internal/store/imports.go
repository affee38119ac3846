package store

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Unfinished stands for the rows of an import that has begun and was not acknowledged: it is running,
// or it was cut off and the same file brought again goes on with it.
const Unfinished = -1

// Import is one import of a file. It makes importing idempotent: the same Key of the same Kind is
// acknowledged once.
type Import struct {
	Batch    ids.Batch    `json:"batch"`
	Kind     string       `json:"kind"`               // "agents", "conversations", "contacts", ...
	Key      string       `json:"key"`                // what makes it the same import: digest of content, mapping and target; SHA256 when empty
	SHA256   string       `json:"sha256"`             // of the file, hex
	File     string       `json:"file"`               // name as the user gave it
	Merchant ids.Merchant `json:"merchant,omitempty"` // empty when the file is about no single merchant
	Rows     int64        `json:"rows"`               // imported; Unfinished before it is acknowledged
	Rejected int64        `json:"rejected"`
	At       time.Time    `json:"at"` // of the acknowledgement, or of the beginning while it is unfinished
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

// Imports lists imports, newest first, unfinished ones too. A scope of merchants sees only files about its merchants.
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
	err := v.ofMerchants(&row, "merchant").Where("kind = ? AND import_key = ? AND rows_good <> ?", clean(kind), clean(key), Unfinished).Scan(ctx)
	if err != nil {
		return Import{}, found(err, "import", key)
	}
	return row.value(), nil
}

// BeginImport records an import whose rows are about to become visible part by part; At and Author
// are those of the change, Rows and Rejected are not looked at. It returns the batch of the
// unfinished import of this kind and key, which is an earlier one's when that was cut off.
// ErrConflict when this kind and key were acknowledged before.
func (tx *Tx) BeginImport(i Import) (ids.Batch, error) {
	i.Rows, i.Rejected = Unfinished, 0
	row, old, err := tx.importRow(i)
	if err != nil {
		return "", err
	}
	switch {
	case old == nil:
		if err := tx.insert(&row); err != nil {
			return "", err
		}
		return i.Batch, tx.note("import.begin", "import", row.ID, i.Merchant, row.value())
	case old.RowsGood != Unfinished:
		return "", importedBefore(nil)
	}
	return ids.Batch(old.ID), nil
}

// AddImport acknowledges an import, also one that BeginImport recorded and whose batch it keeps; At
// and Author are those of the change. ErrConflict when this kind and key were acknowledged before:
// the caller answers with that one.
func (tx *Tx) AddImport(i Import) error {
	if i.Rows < 0 || i.Rejected < 0 {
		return fault.Bad("store.invalid", "import", []fault.Field{{Path: "rows", Problem: "and rejected must not be negative"}})
	}
	row, old, err := tx.importRow(i)
	if err != nil {
		return err
	}
	begun := old != nil && old.RowsGood == Unfinished
	if begun {
		row.ID = old.ID
	}
	if err := tx.write(&row, begun); err != nil {
		if errors.Is(err, ErrConflict) {
			return importedBefore(err)
		}
		return err
	}
	return tx.note("import.add", "import", row.ID, i.Merchant, row.value())
}

func importedBefore(cause error) error {
	return fault.Wrap(cause, fault.Conflict, ErrConflict.Code, "this file was imported before")
}

// importRow is the row of an import and the one with its kind and key that is there, or nil.
func (tx *Tx) importRow(i Import) (row importRow, old *importRow, err error) {
	row = importRow{
		ID: string(i.Batch), Kind: clean(i.Kind), ImportKey: clean(i.Key), SHA256: clean(i.SHA256), File: clean(i.File),
		Merchant: string(i.Merchant), RowsGood: i.Rows, RowsRejected: i.Rejected, At: micros(tx.now), Author: string(tx.actor.User),
	}
	if row.ImportKey == "" {
		row.ImportKey = row.SHA256
	}
	if row.ID == "" || row.ImportKey == "" {
		return row, nil, fault.Bad("store.invalid", "import", []fault.Field{{Path: "key", Problem: "and batch must not be empty"}})
	}
	var there importRow
	err = translate(tx.q.NewSelect().Model(&there).Where("kind = ? AND import_key = ?", row.Kind, row.ImportKey).Scan(tx.ctx))
	switch {
	case errors.Is(err, ErrNotFound):
		return row, nil, nil
	case err != nil:
		return row, nil, err
	}
	return row, &there, nil
}
