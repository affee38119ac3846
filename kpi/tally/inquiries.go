package tally

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
)

// Inquiries lists what a definition on the base inquiry makes of inquiries and orders: one item for
// each buyer of a shop and business day with an inquiry (询单), ordered by merchant, shop, buyer and
// date. It is dated by the first inquiry of the day, and belongs to the queue and agent of the last
// one (of two in one millisecond that of the greater Order).
//
// It is open until the end of Item.Closes, CloseDays business days after the inquiry's own. A
// conversion is any step of the rule's kind by the same buyer in the same shop, not before the first
// inquiry of the day and not after Closes: one payment can convert several inquiry days. Of an amount each
// step belongs to the buyer's latest inquiry day that began at or before it, so no yuan counts
// twice, and counts when that is still open; Net takes off refunds by the same two conditions.
func Inquiries(d kpi.Definition, zone *time.Location, orders []chatlog.OrderEvent) []Item {
	j := newJudge(d, zone)
	var items []Item
	for _, steps := range byBuyer(orders) {
		days := j.inquiryDays(steps)
		for i, day := range days {
			day.Denominator = 1
			for _, step := range steps {
				at := milli(step.At)
				if at.Before(day.Opened) || calendar.DateOf(at, zone).After(day.Closes) {
					continue
				}
				overtaken := i+1 < len(days) && !at.Before(days[i+1].Opened)
				day = j.attribute(day, step, at, overtaken)
			}
			if j.rule.Measure == kpi.Items {
				day.Numerator = 1
			}
			items = append(items, j.date(day, day.Opened))
		}
	}
	return items
}

// attribute adds a step that happened while an inquiry day was open; overtaken says that a later
// inquiry day of the buyer has begun before it.
func (j judge) attribute(day Item, step chatlog.OrderEvent, at time.Time, overtaken bool) Item {
	counts := string(step.Kind) == j.rule.Order
	switch {
	case j.rule.Measure == kpi.Converted && counts:
		day.Numerator = 1
	case j.rule.Measure == kpi.Amount && counts && !overtaken:
		day.Numerator += yuan(step)
	case j.rule.Measure == kpi.Amount && j.rule.Net && step.Kind == chatlog.Refunded && !overtaken:
		day.Numerator -= yuan(step)
		return day
	default:
		return day
	}
	if day.Stop.IsZero() {
		day.Stop = at
	}
	return day
}

func yuan(step chatlog.OrderEvent) float64 { return float64(step.Amount) / 100 }

// byBuyer sorts order events by merchant, shop, buyer and instant, and cuts them by buyer.
func byBuyer(orders []chatlog.OrderEvent) [][]chatlog.OrderEvent {
	type key struct {
		merchant ids.Merchant
		shop     ids.Shop
		buyer    string
	}
	keyOf := func(e chatlog.OrderEvent) key { return key{e.Merchant, e.Shop, e.Buyer} }
	sorted := slices.Clone(orders)
	slices.SortStableFunc(sorted, func(a, b chatlog.OrderEvent) int {
		return cmp.Or(strings.Compare(string(a.Merchant), string(b.Merchant)), strings.Compare(string(a.Shop), string(b.Shop)),
			strings.Compare(a.Buyer, b.Buyer), milli(a.At).Compare(milli(b.At)), strings.Compare(a.Order, b.Order))
	})
	return slices.Collect(chunks(sorted, keyOf))
}

// inquiryDays are the inquiry days of one buyer, whose steps are in order of time.
func (j judge) inquiryDays(steps []chatlog.OrderEvent) []Item {
	var days []Item
	for _, e := range steps {
		if e.Kind != chatlog.Inquiry {
			continue
		}
		at := milli(e.At)
		date := calendar.DateOf(at, j.zone)
		if len(days) == 0 || days[len(days)-1].Date != date {
			days = append(days, Item{
				Merchant: e.Merchant, Shop: e.Shop, Buyer: e.Buyer, Opened: at, Start: at,
				Date: date, Closes: date.Add(j.rule.CloseDays),
			})
		}
		last := &days[len(days)-1]
		last.Queue, last.Agent, last.Conversation = e.Queue, e.Agent, e.Order
	}
	return days
}
