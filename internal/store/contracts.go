package store

import (
	"context"
	"encoding/json"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

type contractRow struct {
	bun.BaseModel `bun:"table:contracts,alias:t"`
	ID            string `bun:",pk"`
	Merchant      string
	Title         string
	Doc           string
	stamp
}

func (r contractRow) stored() (Stored[contracts.Contract], error) {
	c, err := decode[contracts.Contract](r.Doc)
	return Stored[contracts.Contract]{Value: c, Meta: r.meta()}, err
}

type versionRow struct {
	bun.BaseModel `bun:"table:contract_versions,alias:t"`
	Contract      string `bun:",pk"`
	Number        int    `bun:",pk"`
	FromDate      string
	UntilDate     string
}

type contractShopRow struct {
	bun.BaseModel `bun:"table:contract_shops,alias:t"`
	Contract      string `bun:",pk"`
	Number        int    `bun:",pk"`
	Shop          string `bun:",pk"`
}

// ContractFilter narrows a list of contracts; empty fields do not.
type ContractFilter struct {
	Merchant ids.Merchant
	Shop     ids.Shop      // some version covers the shop
	On       calendar.Date // some version is in force on the date (the same one that covers the shop)
}

// Contracts lists contracts by id, each with all its versions.
func (v *View) Contracts(ctx context.Context, f ContractFilter, p Page) ([]Stored[contracts.Contract], string, error) {
	var rows []contractRow
	q := whereText(v.ofMerchants(&rows, "merchant"), "merchant", string(f.Merchant))
	if !f.On.IsZero() || f.Shop != "" {
		versions := v.q.NewSelect().Model((*versionRow)(nil)).ModelTableExpr("contract_versions AS cv").
			ColumnExpr("1").Where("cv.contract = t.id")
		if !f.On.IsZero() {
			versions = versions.Where("cv.from_date <= ? AND cv.until_date > ?", f.On.String(), f.On.String())
		}
		if f.Shop != "" {
			versions = versions.Where(`EXISTS (SELECT 1 FROM contract_shops AS cs
				WHERE cs.contract = cv.contract AND cs.number = cv.number AND cs.shop = ?)`, clean(string(f.Shop)))
		}
		q = q.Where("EXISTS (?)", versions)
	}
	next, err := listPage(ctx, q, p, order{"contracts", []string{"id"}, false}, &rows,
		func(r contractRow) []any { return []any{r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, contractRow.stored)
	return list, next, err
}

// Contract reads one contract with all its versions.
func (v *View) Contract(ctx context.Context, id ids.Contract) (Stored[contracts.Contract], error) {
	var row contractRow
	if err := v.ofMerchants(&row, "merchant").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Stored[contracts.Contract]{}, found(err, "contract", string(id))
	}
	return row.stored()
}

// PutContract adds or replaces a contract with all its versions. expect is AnyVersion, NewOnly or
// the version the caller read; the same content again changes nothing. The fault "contract.overlap"
// when two versions are in force on one date, ErrReference when the merchant or a shop is unknown,
// ErrConflict when the contract would move to another merchant.
//
// Whether an effective version may still be edited is decided by the caller, who knows the date.
func (tx *Tx) PutContract(c contracts.Contract, expect int) (Meta, error) {
	var old contractRow
	had, err := tx.load(&old, string(c.ID))
	if err != nil {
		return Meta{}, err
	}
	if had && old.Merchant != string(c.Merchant) {
		return Meta{}, fault.New(fault.Conflict, ErrConflict.Code, "the contract %q belongs to the merchant %q", c.ID, old.Merchant)
	}
	doc, err := encode(c)
	if err != nil {
		return Meta{}, err
	}
	next, changed, err := admit("contract", string(c.ID), had, old.stamp, old.Doc == doc, expect, tx.now)
	if err != nil || !changed {
		return next.meta(), err
	}
	row := contractRow{ID: string(c.ID), Merchant: string(c.Merchant), Title: clean(c.Title), Doc: doc, stamp: next}
	if err := tx.write(&row, had); err != nil {
		return Meta{}, err
	}
	if err := tx.projectVersions(c); err != nil {
		return Meta{}, err
	}
	return next.meta(), tx.note("contract.put", "contract", string(c.ID), c.Merchant, document(next, doc))
}

// AddContractVersion appends a version to a contract that exists, so that two people who add one
// at the same time do not undo each other. Its Number becomes the next free one when it is 0.
// Faults as in PutContract; "contract.overlap" when a version is in force on a date of the new one.
func (tx *Tx) AddContractVersion(id ids.Contract, version contracts.Version) (contracts.Contract, Meta, error) {
	var row contractRow
	had, err := tx.load(&row, string(id))
	if err != nil {
		return contracts.Contract{}, Meta{}, err
	}
	if !had {
		return contracts.Contract{}, Meta{}, missing("contract", string(id))
	}
	c, err := decode[contracts.Contract](row.Doc)
	if err != nil {
		return contracts.Contract{}, Meta{}, err
	}
	if version.Number == 0 {
		for _, v := range c.Versions {
			version.Number = max(version.Number, v.Number)
		}
		version.Number++
	}
	at := len(c.Versions) // ascending by From
	for at > 0 && version.From.Before(c.Versions[at-1].From) {
		at--
	}
	c.Versions = append(c.Versions[:at:at], append([]contracts.Version{version}, c.Versions[at:]...)...)
	meta, err := tx.PutContract(c, row.Version)
	return c, meta, err
}

// projectVersions makes the rows of versions those of the contract's document and checks that no
// two are in force on one date.
func (tx *Tx) projectVersions(c contracts.Contract) error {
	for _, model := range []any{(*contractShopRow)(nil), (*versionRow)(nil)} {
		if _, err := tx.clear(model, "contract", string(c.ID)); err != nil {
			return err
		}
	}
	var versions []versionRow
	var shops []contractShopRow
	for _, v := range c.Versions {
		versions = append(versions, versionRow{
			Contract: string(c.ID), Number: v.Number, FromDate: v.From.String(), UntilDate: untilText(v.Until),
		})
		seen := map[ids.Shop]bool{}
		for _, s := range v.Shops {
			if !seen[s] {
				shops = append(shops, contractShopRow{Contract: string(c.ID), Number: v.Number, Shop: string(s)})
			}
			seen[s] = true
		}
	}
	if err := insertMany(tx, versions); err != nil {
		return err
	}
	if err := tx.refuseOverlap(c.ID); err != nil {
		return err
	}
	return insertMany(tx, shops)
}

// refuseOverlap asks the database itself, so that no path around a domain check exists.
func (tx *Tx) refuseOverlap(id ids.Contract) error {
	var pairs []struct {
		A           int
		B           int
		EarlierFrom string
		LaterFrom   string
	}
	err := tx.q.NewRaw(`SELECT a.number AS a, b.number AS b, a.from_date AS earlier_from, b.from_date AS later_from
		FROM contract_versions AS a JOIN contract_versions AS b ON a.contract = b.contract AND a.number < b.number
		WHERE a.contract = ? AND a.from_date < b.until_date AND b.from_date < a.until_date
		ORDER BY a.number, b.number`, id).Scan(tx.ctx, &pairs)
	if err != nil {
		return translate(err)
	}
	if len(pairs) == 0 {
		return nil
	}
	p := pairs[0]
	return fault.New(fault.Conflict, "contract.overlap",
		"versions %d (from %s) and %d (from %s) of the contract %q are in force on the same date", p.A, p.EarlierFrom, p.B, p.LaterFrom, id)
}

// document is the audit detail of a value that is evidence: its version and its whole content.
func document(s stamp, doc string) any {
	return struct {
		Version int             `json:"version"`
		Doc     json.RawMessage `json:"doc"`
	}{s.Version, json.RawMessage(doc)}
}
