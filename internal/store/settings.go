package store

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"
)

// Setting is one value that the system remembers about itself, by key.
type Setting struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
	Meta
}

type settingRow struct {
	bun.BaseModel `bun:"table:settings,alias:t"`
	ID            string `bun:",pk"`
	Doc           string
	stamp
}

func (r settingRow) value() Setting {
	return Setting{Key: r.ID, Value: json.RawMessage(r.Doc), Meta: r.meta()}
}

// Settings lists settings by key.
func (v *View) Settings(ctx context.Context, p Page) ([]Setting, string, error) {
	var rows []settingRow
	next, err := listPage(ctx, v.general(&rows), p, order{"settings", []string{"id"}, false}, &rows,
		func(r settingRow) []any { return []any{r.ID} })
	return mapped(rows, settingRow.value), next, err
}

// Setting reads one setting; ErrNotFound when it was never put.
func (v *View) Setting(ctx context.Context, key string) (Setting, error) {
	var row settingRow
	if err := v.general(&row).Where("id = ?", clean(key)).Scan(ctx); err != nil {
		return Setting{}, found(err, "setting", key)
	}
	return row.value(), nil
}

// PutSetting writes a setting; expect as in PutMerchant. The audit row holds the digest of the
// value only, for a value may be a secret.
func (tx *Tx) PutSetting(key string, value json.RawMessage, expect int) (Meta, error) {
	doc, err := rawOrNull(value, "the setting")
	if err != nil {
		return Meta{}, err
	}
	var old settingRow
	had, err := tx.load(&old, clean(key))
	if err != nil {
		return Meta{}, err
	}
	next, changed, err := admit("setting", clean(key), had, old.stamp, old.Doc == doc, expect, tx.now)
	if err != nil || !changed {
		return next.meta(), err
	}
	if err := tx.write(&settingRow{ID: clean(key), Doc: doc, stamp: next}, had); err != nil {
		return Meta{}, err
	}
	return next.meta(), tx.note("setting.put", "setting", clean(key), "", struct {
		Version int    `json:"version"`
		SHA256  string `json:"sha256"`
	}{next.Version, digest(doc)})
}
