package warehouse

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
)

// SetShops tells which platform each shop is on. Definitions that name platforms count only shops
// known to be on one of them. What was rolled up under another list of platforms is computed again
// by the next Refresh; until then such days are asked from raw events.
func (w *Warehouse) SetShops(platforms map[ids.Shop]string) {
	w.rules.Store(newRuleset(w.definitions, w.zone, platforms))
}

// ruleset is the definitions with a rule and what platforms the shops are on: all that decides what a
// roll-up contains besides raw rows. It does not change.
type ruleset struct {
	definitions []kpi.Definition // with a rule, rolled up, by key
	zone        *time.Location
	platforms   map[ids.Shop]string
	packs       sync.Map // of "day shops" to the pack, since the same few are asked for again and again
}

func newRuleset(all kpi.Definitions, zone *time.Location, platforms map[ids.Shop]string) *ruleset {
	r := &ruleset{zone: zone, platforms: maps.Clone(platforms)}
	for _, d := range all {
		if rolledUp(d) {
			r.definitions = append(r.definitions, d)
		}
	}
	slices.SortFunc(r.definitions, func(a, b kpi.Definition) int { return cmp.Compare(a.Key(), b.Key()) })
	return r
}

// relevant are the definitions that a conversation which started from one day to another may count for.
func (r *ruleset) relevant(first, last int32) []kpi.Definition {
	around := calendar.Dates{From: civil(first - reach), Until: civil(last + reach + 1)}
	var found []kpi.Definition
	for _, d := range r.definitions {
		if d.Effective.Overlaps(around) {
			found = append(found, d)
		}
	}
	return found
}

// covered are the shops that a definition counts; all is true when it counts every shop.
func (r *ruleset) covered(d kpi.Definition) (shops []ids.Shop, all bool) {
	if len(d.Platforms) == 0 {
		return nil, true
	}
	for shop, platform := range r.platforms {
		if d.Covers(platform) {
			shops = append(shops, shop)
		}
	}
	slices.Sort(shops)
	return shops, false
}

// onShops is the condition on the column shop of what a definition counts.
func (r *ruleset) onShops(d kpi.Definition) conditions {
	shops, all := r.covered(d)
	if all {
		return nil
	}
	return conditions{in("shop", shops)}
}

// admitted is the condition on the columns shop and channel of the conversations that a definition counts.
func (r *ruleset) admitted(d kpi.Definition) conditions {
	c := r.onShops(d)
	if len(d.Channels) > 0 {
		c = append(c, in("channel", slices.Sorted(slices.Values(d.Channels))))
	}
	return c
}

// pack is a hash of what the roll-up of a day depends on besides raw rows, given the shops of its
// conversations. Where no definition has to do with it that is the layout, by which the neutral sums are made.
func (r *ruleset) pack(day int32, shops []string) uint64 {
	key := fmt.Sprint(day, " ", strings.Join(shops, "\x00"))
	if known, ok := r.packs.Load(key); ok {
		return known.(uint64)
	}
	value := r.packOf(day, shops)
	r.packs.Store(key, value)
	return value
}

// layout is part of every pack, so that days rolled up before a table was added, or before anything was
// counted otherwise than now, are computed again. 3: what nobody asked for is not offered; a mean leaves out
// rounds without a known end; channels.
const layout = 3

func (r *ruleset) packOf(day int32, shops []string) uint64 {
	around := calendar.Dates{From: civil(day - reach), Until: civil(day + reach + 1)}
	hash := fnv.New64a()
	_, _ = fmt.Fprint(hash, layout) // a hash takes everything
	for _, d := range r.relevant(day, day) {
		var counted []string
		for _, shop := range slices.Sorted(slices.Values(shops)) {
			if platform, known := r.platforms[ids.Shop(shop)]; len(d.Platforms) == 0 || known && d.Covers(platform) {
				counted = append(counted, shop)
			}
		}
		if len(counted) == 0 {
			continue
		}
		var exempt []calendar.Dates
		for _, e := range d.Exempt {
			if e.Overlaps(around) {
				exempt = append(exempt, clipped(e.Dates, around))
			}
		}
		_ = json.NewEncoder(hash).Encode([]any{d.Key(), counts(d), clipped(d.Effective, around), exempt, counted})
	}
	return hash.Sum64()>>1 | 1
}

// clipped is the part of some dates that matters around a day, so that a version that ends next
// year does not change what was computed today.
func clipped(dates, to calendar.Dates) calendar.Dates {
	if dates.From.Before(to.From) {
		dates.From = to.From
	}
	if dates.Until.IsZero() || dates.Until.After(to.Until) {
		dates.Until = to.Until
	}
	return dates
}

func civil(day int32) calendar.Date { return calendar.MakeDate(1970, 1, 1+int(day)) }

// counting is what decides the figures of a version: everything but names, dates and periods that are not assessed.
type counting struct {
	Unit        kpi.Unit  `json:"unit"`
	Platforms   []string  `json:"platforms,omitempty"`
	Channels    []string  `json:"channels,omitempty"`
	Base        string    `json:"base"`
	Rule        *kpi.Rule `json:"rule,omitempty"`
	Numerator   string    `json:"numerator,omitempty"`
	Denominator string    `json:"denominator,omitempty"`
}

func counts(d kpi.Definition) counting {
	c := counting{
		Unit: d.Unit, Platforms: slices.Sorted(slices.Values(d.Platforms)), Channels: slices.Sorted(slices.Values(d.Channels)),
		Base: d.Base, Numerator: d.Numerator, Denominator: d.Denominator,
	}
	if d.Rule != nil {
		full := d.Rule.WithDefaults()
		c.Rule = &full
	}
	return c
}

// known is what the table definitions keeps of a version.
type known struct {
	counting
	Form   int              `json:"form"` // which fields the content says; see definitionForm
	From   calendar.Date    `json:"from"`
	Exempt []calendar.Dates `json:"exempt,omitempty"`
}

// definitionForm is the present form. 1 says channels; a row of form 0 was written before there were any and
// says nothing of them.
const definitionForm = 1

func knownOf(d kpi.Definition) known {
	k := known{counting: counts(d), Form: definitionForm, From: d.Effective.From}
	for _, e := range d.Exempt {
		k.Exempt = append(k.Exempt, e.Dates)
	}
	return k
}

// checkDefinitions refuses another content under a version that figures were computed under, and
// remembers the definitions when figures are about to be. What may be added to a known version is an end, and
// exempt periods that begin after the version was last written down. Errors: kpi.definition.changed.
func (w *Warehouse) checkDefinitions(ctx context.Context, conn clickhouse.Conn, remember bool) error {
	stored, err := storedDefinitions(ctx, conn)
	if err != nil {
		return err
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO definitions (metric, hash, content)")
	if err != nil {
		return err
	}
	defer func() { _ = batch.Abort() }() // does nothing after Send
	for _, d := range w.definitions {
		now := knownOf(d)
		content, err := json.Marshal(now)
		if err != nil {
			return err
		}
		before, ok := stored[d.Key()]
		if ok && string(content) == before.content {
			continue
		}
		if ok && !before.allows(now, w.zone) {
			return fault.New(fault.Conflict, "kpi.definition.changed",
				"figures were computed under %s with another rule; give the changed definition a version of its own", d.Key())
		}
		hash := fnv.New64a()
		_, _ = hash.Write(content) // a hash takes everything
		if err := batch.Append(d.Key(), hash.Sum64(), string(content)); err != nil {
			return err
		}
	}
	if !remember || batch.Rows() == 0 {
		return nil
	}
	return batch.Send()
}

// written is a row of the table definitions.
type written struct {
	content string
	at      time.Time
}

// allows reports whether a version may now read so.
func (w written) allows(now known, zone *time.Location) bool {
	var before known
	if err := json.Unmarshal([]byte(w.content), &before); err != nil {
		return false
	}
	if before.Form < 1 {
		before.Channels = now.Channels
	}
	old, err1 := json.Marshal([]any{before.counting, before.From})
	current, err2 := json.Marshal([]any{now.counting, now.From})
	if err1 != nil || err2 != nil || string(old) != string(current) {
		return false
	}
	for _, e := range before.Exempt {
		if !slices.Contains(now.Exempt, e) {
			return false
		}
	}
	for _, e := range now.Exempt {
		if !slices.Contains(before.Exempt, e) && !e.From.After(calendar.DateOf(w.at, zone)) {
			return false
		}
	}
	return true
}

func storedDefinitions(ctx context.Context, conn clickhouse.Conn) (map[string]written, error) {
	rows, err := conn.Query(ctx, "SELECT metric, argMax(content, at), max(at) FROM definitions GROUP BY metric")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	stored := map[string]written{}
	for rows.Next() {
		var metric string
		var row written
		if err := rows.Scan(&metric, &row.content, &row.at); err != nil {
			return nil, err
		}
		stored[metric] = row
	}
	return stored, rows.Err()
}
