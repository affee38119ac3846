package tally

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/kpi"
)

// Answerable refuses what the base of a definition cannot tell: the day of a buyer is never cut, so
// figures of that base have the grain day, month or whole, ranges of whole business days and no
// daily window but the rule's own. Errors: kpi.query.grain.
func Answerable(d kpi.Definition, q kpi.Query, zone *time.Location) error {
	if d.Base != kpi.BaseBuyerDay {
		return nil
	}
	onBorder := func(t time.Time) bool { return t.Equal(calendar.DateOf(t, zone).In(zone)) }
	whole := slices.Contains([]kpi.Grain{kpi.Whole, kpi.Day, kpi.Month}, q.Grain)
	if whole && q.Window == "" && onBorder(q.Range.Start) && onBorder(q.Range.End) {
		return nil
	}
	return fault.New(fault.Invalid, "kpi.query.grain",
		"%s counts a buyer once per business day: ask by day, month or whole, for whole days, without a window", d.Metric)
}

// Readings merges items into the readings of a query, in the order and with the fields of the
// warehouse's: by merchant, shop, queue, agent and grain step, nothing for a group without items,
// always one for a whole without groups. The query's range, window, grain, groups and filters count; its metrics,
// version and limit do not. It must be Answerable; nothing is said about scope and Provisional.
//
// On the base buyer-day a buyer counts once per shop, business date and group, for each of several
// agents too: judge=every in time when every round was, judge=first when the round that opened first
// was (of two opened in the same millisecond, one that was not decides). A buyer without a name is
// its conversation.
func Readings(d kpi.Definition, q kpi.Query, zone *time.Location, items []Item) []kpi.Reading {
	window, _ := kpi.ParseWindow(q.Window) // a valid query has a valid window
	var counted []Item
	for _, item := range items {
		local := item.At.In(zone)
		if item.Left == "" && q.Range.Contains(item.At) && window.Contains(local.Hour()*60+local.Minute()) && asked(q, item) {
			counted = append(counted, item)
		}
	}
	if d.Base == kpi.BaseBuyerDay {
		counted = buyerDays(d, q, counted)
	}
	stable(counted, func(a, b Item) int { return compare(keyOf(q, zone, a), keyOf(q, zone, b)) })
	var readings []kpi.Reading
	for group := range chunks(counted, func(i Item) kpi.Reading { return keyOf(q, zone, i) }) {
		readings = append(readings, reading(d, keyOf(q, zone, group[0]), group))
	}
	if len(readings) == 0 && q.Grain == kpi.Whole && len(q.By) == 0 {
		readings = append(readings, reading(d, kpi.Reading{}, nil))
	}
	return readings
}

// asked reports whether an item passes the query's filters.
func asked(q kpi.Query, item Item) bool {
	return (len(q.Merchants) == 0 || slices.Contains(q.Merchants, item.Merchant)) &&
		(len(q.Shops) == 0 || slices.Contains(q.Shops, item.Shop)) &&
		(len(q.Queues) == 0 || slices.Contains(q.Queues, item.Queue)) &&
		(len(q.Agents) == 0 || slices.Contains(q.Agents, item.Agent))
}

// keyOf is the reading that an item belongs to, without its figures.
func keyOf(q kpi.Query, zone *time.Location, item Item) kpi.Reading {
	var key kpi.Reading
	for _, by := range q.By {
		switch by {
		case kpi.ByMerchant:
			key.Merchant = item.Merchant
		case kpi.ByShop:
			key.Shop = item.Shop
		case kpi.ByQueue:
			key.Queue = item.Queue
		case kpi.ByAgent:
			key.Agent = item.Agent
		}
	}
	local := item.At.In(zone)
	switch q.Grain {
	case kpi.Slot:
		key.Start = item.At.Truncate(calendar.Slot).UTC()
	case kpi.Hour:
		key.Start = calendar.FloorSlot(item.At, time.Hour, zone).UTC()
	case kpi.Day:
		key.Start = item.Date.In(zone).UTC()
	case kpi.Month:
		key.Start = item.Date.MonthOf().First().In(zone).UTC()
	case kpi.SlotOfDay:
		key.Slot = local.Hour()*4 + local.Minute()/15
	}
	return key
}

func compare(a, b kpi.Reading) int {
	return cmp.Or(
		strings.Compare(string(a.Merchant), string(b.Merchant)), strings.Compare(string(a.Shop), string(b.Shop)),
		strings.Compare(string(a.Queue), string(b.Queue)), strings.Compare(string(a.Agent), string(b.Agent)),
		a.Start.Compare(b.Start), cmp.Compare(a.Slot, b.Slot))
}

// reading adds up items. Numerators are added in whole thousandths (milliseconds, tenths of a fen),
// so that the order does not matter.
func reading(d kpi.Definition, r kpi.Reading, items []Item) kpi.Reading {
	r.Metric, r.Version = d.Metric, d.Version
	var thousandths int64
	for _, item := range items {
		thousandths += int64(math.Round(item.Numerator * 1000))
		r.Denominator += item.Denominator
	}
	r.Numerator = float64(thousandths) / 1000
	if d.Rule.Measure == kpi.Items || d.Rule.Measure == kpi.Amount {
		r.Denominator = 1
	} else {
		r.TooFew = 0 < r.Denominator && r.Denominator < float64(d.MinSample)
	}
	if r.Denominator > 0 {
		value := r.Numerator / r.Denominator
		r.Value = &value
	}
	return r
}

// buyerDays makes one item of all rounds that a buyer opened in a shop on one business date, within
// what the query groups by.
func buyerDays(d kpi.Definition, q kpi.Query, rounds []Item) []Item {
	type day struct {
		place kpi.Reading // the groups asked for, and always merchant and shop
		buyer string
		date  calendar.Date
	}
	whole := kpi.Query{By: append([]kpi.Dimension{kpi.ByMerchant, kpi.ByShop}, q.By...), Grain: kpi.Whole}
	keyOf := func(i Item) day {
		return day{keyOf(whole, time.UTC, i), cmp.Or(i.Buyer, i.Conversation), i.Date}
	}
	sorted := slices.Clone(rounds)
	stable(sorted, func(a, b Item) int {
		x, y := keyOf(a), keyOf(b)
		return cmp.Or(compare(x.place, y.place), strings.Compare(x.buyer, y.buyer), cmp.Compare(x.date.Sub(y.date), 0),
			a.Opened.Compare(b.Opened), cmp.Compare(a.Numerator, b.Numerator)) // a miss before a hit
	})
	var days []Item
	for rounds := range chunks(sorted, keyOf) {
		one := rounds[0]
		if d.Rule.WithDefaults().Judge == "every" && slices.ContainsFunc(rounds, func(r Item) bool { return r.Numerator == 0 }) {
			one.Numerator = 0
		}
		days = append(days, one)
	}
	return days
}

func stable(items []Item, compare func(a, b Item) int) { slices.SortStableFunc(items, compare) }

// chunks cuts a sorted list into runs of equal key.
func chunks[T any, K comparable](sorted []T, keyOf func(T) K) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for from := 0; from < len(sorted); {
			to := from + 1
			for to < len(sorted) && keyOf(sorted[to]) == keyOf(sorted[from]) {
				to++
			}
			if !yield(sorted[from:to]) {
				return
			}
			from = to
		}
	}
}
