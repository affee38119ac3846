package measuring

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/chatlog/platformfile"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// PlatformKind is the kind under which files of daily figures are listed among the imports.
const PlatformKind = "platform"

// PlatformInput is a file of daily figures that a platform exported.
type PlatformInput struct {
	Source   intake.Source
	Path     string // of the file as the user gave it: its name or folder may say the date of files without a date column
	Sheet    string // of a workbook; empty = the first visible one
	Shop     ids.Shop
	Merchant ids.Merchant  // empty = the shop's
	Date     calendar.Date // for files without a date column
	Percent  []string      // how percentages are written where the file does not tell: "fraction", "number", "HEADER=number"
	Again    bool          // import a file that was imported before once more, so that its figures win over what came since
}

// PlatformSummary says what a file of daily figures held.
type PlatformSummary = platformfile.Summary

// PlatformImported says what an import of daily figures did.
type PlatformImported struct {
	Import   store.Import    `json:"import"`
	Already  bool            `json:"already"`            // the same file was imported before; nothing changed
	Replaced int             `json:"replaced,omitempty"` // with Already: how many of its figures have other values now, from a later file
	Summary  PlatformSummary `json:"summary"`
}

// ImportPlatform reads a file of daily figures, all or nothing. What kind of file it is, its headers
// say. A figure is keyed by platform, shop, date, account and item: a later file that holds the same
// day, such as one of the last 30 days, replaces it; the very same file for the same shop again
// changes nothing, even after a later one, unless Again.
//
// Errors: those of intake.ReadPlatform; platform.shop when nobody knows the shop, or it sells on
// another platform than the file is from.
func (m *Measuring) ImportPlatform(ctx context.Context, who access.Principal, in PlatformInput) (PlatformImported, error) {
	scope, err := access.Decide(who, access.Ingest)
	if err != nil {
		return PlatformImported{}, err
	}
	scales, err := platformfile.ParseScales(in.Percent)
	if err != nil {
		return PlatformImported{}, err
	}
	shop, err := m.platformShop(ctx, scope, in)
	if err != nil {
		return PlatformImported{}, err
	}
	now := m.gate.Now()
	options := platformfile.Options{
		Date: in.Date, FileDate: platformfile.DateInName(in.Path), Percent: scales, Today: calendar.DateOf(now, m.gate.Zone),
	}
	sha, err := in.Source.Digest(ctx)
	if err != nil {
		return PlatformImported{}, err
	}
	sheet, err := intake.OtherSheet(in.Source, in.Sheet)
	if err != nil {
		return PlatformImported{}, err
	}
	old, key, err := m.importedBefore(ctx, PlatformKind, platformKey(sha, shop.ID, sheet, options))
	if err != nil {
		return PlatformImported{}, err
	}
	figures, summary, err := intake.ReadPlatform(in.Source, in.Sheet, options)
	if err != nil {
		return PlatformImported{Summary: summary}, err
	}
	if err := sellsThere(shop, summary); err != nil {
		return PlatformImported{Summary: summary}, err
	}
	for i := range figures {
		figures[i].Merchant, figures[i].Shop = shop.Merchant, shop.ID
	}
	if old != nil && !in.Again {
		replaced, err := m.replacedSince(ctx, scope, figures)
		return PlatformImported{Import: *old, Already: true, Replaced: replaced, Summary: summary}, err
	}
	done := PlatformImported{Summary: summary, Import: store.Import{
		Batch: ids.New[ids.Batch](now), Kind: PlatformKind, Key: key, SHA256: sha, File: in.Source.Name, Merchant: shop.Merchant,
		Rows: int64(len(figures)), At: now, Author: who.User,
	}}
	return done, m.keepFigures(ctx, who, &done, figures)
}

// replacedSince counts the figures of a file whose stored values are other ones.
func (m *Measuring) replacedSince(ctx context.Context, scope access.Scope, figures []chatlog.DailyFigure) (n int, err error) {
	type key struct {
		platform, date, account, item string
	}
	values := map[key]float64{}
	var days calendar.Dates
	for _, f := range figures {
		date, err := calendar.ParseDate(f.Date)
		if err != nil {
			return 0, err
		}
		if days.From.IsZero() || date.Before(days.From) {
			days.From = date
		}
		if !date.Before(days.Until) {
			days.Until = date.Add(1)
		}
		values[key{f.Platform, f.Date, f.Account, f.Item}] = f.Value // the last row counts
	}
	if len(figures) == 0 {
		return 0, nil
	}
	stored, err := m.gate.Measured(scope).PlatformFigures(ctx, warehouse.FigureFilter{Dates: days, Shops: []ids.Shop{figures[0].Shop}})
	for _, f := range stored {
		if was, ours := values[key{f.Platform, f.Date, f.Account, f.Item}]; ours && was != f.Value {
			n++
		}
	}
	return n, err
}

// platformShop is the shop that the figures are of.
func (m *Measuring) platformShop(ctx context.Context, scope access.Scope, in PlatformInput) (store.Shop, error) {
	view := m.gate.Store.In(scope)
	shops, err := store.All(func(p store.Page) ([]store.Shop, string, error) { return view.Shops(ctx, in.Merchant, p) })
	if err != nil {
		return store.Shop{}, err
	}
	i := slices.IndexFunc(shops, func(s store.Shop) bool { return s.ID == in.Shop })
	if i < 0 {
		problem := "is no shop we know; add it to the merchant's contract file first"
		if in.Merchant != "" {
			problem = fmt.Sprintf("is no shop of the merchant %s that we know", in.Merchant)
		}
		return store.Shop{}, fault.Bad("platform.shop", "import", []fault.Field{{Path: "shop", Value: string(in.Shop), Problem: problem}})
	}
	return shops[i], nil
}

// sellsThere refuses figures of another platform than the shop's. Taobao and Tmall export the same
// files, and of a shop on a platform we do not name everything may be.
func sellsThere(shop store.Shop, s PlatformSummary) error {
	platform := shop.Platform
	if platform == contracts.Taobao {
		platform = contracts.Tmall
	}
	if string(platform) == s.Platform || platform == contracts.Other || platform == "" {
		return nil
	}
	return fault.Bad("platform.shop", "import", []fault.Field{{
		Path: "shop", Value: string(shop.ID), Problem: fmt.Sprintf("sells on %s, but the file is %s of %s", shop.Platform, s.Title, s.Platform),
	}})
}

// platformKey names the import: the same content read the same way for the same shop. Today is not
// part of it: what the platform could still change when the file was made, it could.
func platformKey(sha string, shop ids.Shop, sheet string, o platformfile.Options) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s|%q|%q|%s|%s", sha, shop, sheet, o.Date, o.FileDate)
	for _, header := range slices.Sorted(maps.Keys(o.Percent)) {
		fmt.Fprintf(h, "|%q=%s", header, o.Percent[header])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// keepFigures writes figures and acknowledges the import. One that is cut off leaves all its figures
// or none, and goes on when the same file comes again.
func (m *Measuring) keepFigures(ctx context.Context, who access.Principal, done *PlatformImported, figures []chatlog.DailyFigure) error {
	content, err := json.Marshal(figures)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "platform.batch", "the figures cannot be named")
	}
	sum := sha256.Sum256(append([]byte(done.Import.Key), content...))
	begun := func(tx *store.Tx) (err error) { done.Import.Batch, err = tx.BeginImport(done.Import); return err }
	if err := m.gate.Store.Change(ctx, who, done.Import.At, begun); err != nil {
		return m.platformSettled(ctx, done, err)
	}
	if _, err := m.gate.Warehouse.Ingest(ctx, warehouse.Batch{ID: ids.Batch(hex.EncodeToString(sum[:24])), Figures: figures}); err != nil {
		return err
	}
	err = m.gate.Store.Change(ctx, who, done.Import.At, func(tx *store.Tx) error { return tx.AddImport(done.Import) })
	return m.platformSettled(ctx, done, err)
}

// platformSettled answers a conflict: the same file came twice at once and the other one was first.
func (m *Measuring) platformSettled(ctx context.Context, done *PlatformImported, err error) error {
	if err == nil || fault.CodeOf(err) != store.ErrConflict.Code {
		return err
	}
	old, missing := m.gate.Everything().ImportByKey(ctx, PlatformKind, done.Import.Key)
	if missing != nil {
		return err
	}
	done.Import, done.Already = old, true
	return nil
}

// PlatformFigureQuery asks for what platforms say.
type PlatformFigureQuery struct {
	Dates     calendar.Dates // business dates, at most 92
	Merchants []ids.Merchant
	Shops     []ids.Shop
	ByAccount bool // figures of sub-accounts instead of whole shops
}

// PlatformFigure is a figure with the person behind its sub-account on that day.
type PlatformFigure struct {
	chatlog.DailyFigure
	Agent ids.Agent `json:"agent,omitempty"`
	Doubt string    `json:"doubt,omitempty"` // why a sub-account's figure is nobody's
}

// maxPlatformDays is how many days one question may cover: a quarter.
const maxPlatformDays = 92

// PlatformFigures lists what platforms say, by date and key. Figures by account are figures of people
// and need the permission for those. An account that several people used on a day is nobody's.
// Errors: kpi.list.invalid, and those of the warehouse.
func (m *Measuring) PlatformFigures(ctx context.Context, who access.Principal, q PlatformFigureQuery) ([]PlatformFigure, error) {
	perm := access.ReadKPI
	if q.ByAccount {
		perm = access.ReadAgentKPI
	}
	reader, err := m.gate.Figures(who, perm)
	if err != nil {
		return nil, err
	}
	if err := m.named(ctx, who, perm, kpi.Query{Merchants: q.Merchants, Shops: q.Shops}); err != nil {
		return nil, err
	}
	if n := q.Dates.Until.Sub(q.Dates.From); q.Dates.From.IsZero() || q.Dates.Until.IsZero() || n < 1 || n > maxPlatformDays {
		return nil, fault.Bad("kpi.list.invalid", "list", []fault.Field{{Path: "dates", Problem: fmt.Sprintf("must be from 1 to %d days", maxPlatformDays)}})
	}
	filter := warehouse.FigureFilter{Dates: q.Dates, Merchants: q.Merchants, Shops: q.Shops}
	if !q.ByAccount {
		filter.Accounts = []string{""}
	}
	figures, err := reader.PlatformFigures(ctx, filter)
	if err != nil {
		return nil, err
	}
	var book []chatlog.Assignment
	if q.ByAccount {
		if book, err = m.assignmentsOf(ctx); err != nil {
			return nil, err
		}
	}
	out := make([]PlatformFigure, 0, len(figures))
	for _, f := range figures {
		if q.ByAccount == (f.Account == "") {
			continue
		}
		one := PlatformFigure{DailyFigure: f}
		if date, err := calendar.ParseDate(f.Date); q.ByAccount && err == nil {
			one.Agent, one.Doubt = platformfile.Person(book, f, calendar.Day(date, m.gate.Zone))
		}
		out = append(out, one)
	}
	return out, nil
}

// assignmentsOf are all assignments of accounts: the figures they are for have been scoped already.
func (m *Measuring) assignmentsOf(ctx context.Context) ([]chatlog.Assignment, error) {
	view := m.gate.Everything()
	rows, err := store.All(func(p store.Page) ([]store.Account, string, error) {
		return view.Accounts(ctx, store.AccountFilter{}, p)
	})
	if err != nil {
		return nil, err
	}
	out := make([]chatlog.Assignment, len(rows))
	for i, r := range rows {
		out[i] = r.Assignment
	}
	return out, nil
}
