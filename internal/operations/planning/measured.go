package planning

import (
	"context"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// What came to a queue is known from two places: contact histories that somebody imported, and the
// conversations that we measure ourselves. Of a day that an imported history speaks about, only
// that counts; other days are what was measured.

// measured counts the offered contacts of a queue from its conversations, in slots, with their mean
// handle time. It is empty for slots under 15 minutes, which are not rolled up.
func (p *Planning) measured(ctx context.Context, scope access.Scope, q store.Queue, span calendar.Range, slot time.Duration) ([]chatlog.Contacts, error) {
	if now := p.gate.Now(); span.End.After(now) {
		span.End = now
	}
	span.Start, span.End = calendar.FloorSlot(span.Start, calendar.Slot, p.gate.Zone), calendar.FloorSlot(span.End, calendar.Slot, p.gate.Zone)
	if !span.Valid() || slot%calendar.Slot != 0 {
		return nil, nil
	}
	readings, err := p.gate.Measured(scope).Query(ctx, kpi.Query{
		Metrics: []kpi.Metric{"offered", "handle_time"}, By: []kpi.Dimension{kpi.ByQueue}, Grain: kpi.Slot, Range: span, Queues: []ids.Queue{q.ID},
	})
	if err != nil {
		return nil, err
	}
	type sums struct{ offered, seconds, handled float64 }
	by := map[time.Time]*sums{}
	for _, r := range readings {
		at := calendar.FloorSlot(r.Start, slot, p.gate.Zone).UTC()
		s := by[at]
		if s == nil {
			s = &sums{}
			by[at] = s
		}
		if r.Metric == "offered" {
			s.offered += r.Numerator
		} else {
			s.seconds, s.handled = s.seconds+r.Numerator, s.handled+r.Denominator
		}
	}
	var rows []chatlog.Contacts
	for at, s := range by {
		if at.Add(slot).After(p.gate.Now()) {
			continue // not over
		}
		row := chatlog.Contacts{Merchant: q.Merchant, Queue: q.ID, Start: at, Slot: slot, Offered: s.offered}
		if s.handled > 0 {
			row.HandleTime = time.Duration(s.seconds / s.handled * float64(time.Second))
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b chatlog.Contacts) int { return a.Start.Compare(b.Start) })
	return rows, nil
}

// cameRows are the contacts of a queue in a span that reached people, from both places: a forecast is of those,
// so only they can be compared with it. Of a day on which nothing was measured nobody knows what the bot took of
// an imported history of all arrivals; its rows are left out.
func (p *Planning) cameRows(ctx context.Context, scope access.Scope, q store.Queue, span calendar.Range, slot time.Duration) ([]chatlog.Contacts, error) {
	rows, err := p.gate.Measured(scope).Series(ctx, q.ID, span, slot)
	if err != nil {
		return nil, err
	}
	told := map[calendar.Date]bool{}
	for _, r := range rows {
		told[calendar.DateOf(r.Start, p.gate.Zone)] = true
	}
	all, err := p.measured(ctx, scope, q, span, slot)
	if err != nil {
		return nil, err
	}
	if len(rows)+len(all) == 0 {
		return nil, nil
	}
	b, err := p.bot(ctx, scope, q, span)
	if err != nil {
		return nil, err
	}
	if len(rows) > 0 {
		counts, err := p.historyCounts(ctx, scope, q, slot)
		if err != nil {
			return nil, err
		}
		if counts == forecast.CountsArrivals {
			measured, err := p.measuredDays(ctx, scope, q, span, slot, all)
			if err != nil {
				return nil, err
			}
			rows = slices.DeleteFunc(b.off(rows, slot), func(r chatlog.Contacts) bool { return !measured[calendar.DateOf(r.Start, p.gate.Zone)] })
		}
	}
	for _, r := range b.off(all, slot) {
		if !told[calendar.DateOf(r.Start, p.gate.Zone)] {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(a, b chatlog.Contacts) int { return a.Start.Compare(b.Start) })
	return rows, nil
}

// measuredDays are those of a span on which a conversation was measured; rows are the measured ones, of slots
// that are rolled up.
func (p *Planning) measuredDays(ctx context.Context, scope access.Scope, q store.Queue, span calendar.Range, slot time.Duration, rows []chatlog.Contacts) (map[calendar.Date]bool, error) {
	if slot%calendar.Slot != 0 {
		var err error
		if rows, err = p.measured(ctx, scope, q, span, calendar.Slot); err != nil {
			return nil, err
		}
	}
	days := map[calendar.Date]bool{}
	for _, r := range rows {
		days[calendar.DateOf(r.Start, p.gate.Zone)] = true
	}
	return days, nil
}

// historyCounts is what the imported history of a queue counts: what its newest forecast was made with, or
// else what the days that both know say.
func (p *Planning) historyCounts(ctx context.Context, scope access.Scope, q store.Queue, slot time.Duration) (forecast.Counted, error) {
	newest, _, err := p.gate.Everything().Forecasts(ctx, store.ForecastFilter{Queue: q.ID}, store.Page{Limit: 1})
	if err != nil {
		return "", err
	}
	if len(newest) > 0 {
		if said := WorkOf(newest[0]).Bot; said != nil && said.HistoryCounts != "" {
			return said.HistoryCounts, nil
		}
	}
	reach := calendar.Range{Start: p.gate.Now().Add(-botReach), End: p.gate.Now()}
	b, err := p.bot(ctx, scope, q, reach)
	if err != nil || len(b.history.Records) == 0 {
		return "", err
	}
	known, err := p.gate.Measured(scope).Series(ctx, q.ID, reach, slot)
	if err != nil {
		return "", err
	}
	return p.counts(slot, known, b)
}

// continued is a contact history with what was measured after its last day, up to an instant. A
// gap inside the history stays one: it is told as a doubt, not filled from elsewhere. A queue without any history
// is known from what was measured alone.
func (p *Planning) continued(ctx context.Context, scope access.Scope, q store.Queue, slot time.Duration, span calendar.Range) (time.Duration, []chatlog.Contacts, error) {
	grain, rows, err := p.contacts(ctx, scope, q.ID, slot, span)
	none := err != nil && fault.CodeOf(err) == "forecast.no_history"
	if err != nil && !none {
		return 0, nil, err
	}
	if none {
		if grain = slot; grain == 0 {
			grain = defaultSlot
		}
	} else {
		span.Start = calendar.DateOf(rows[len(rows)-1].Start, p.gate.Zone).Add(1).In(p.gate.Zone)
	}
	after, measuredErr := p.measured(ctx, scope, q, span, grain)
	if measuredErr != nil {
		return 0, nil, measuredErr
	}
	if none && len(after) == 0 {
		return 0, nil, err
	}
	if !none {
		if after, err = p.ofPeople(ctx, scope, q, grain, calendar.Range{Start: span.End.Add(-botReach), End: span.End}, rows, after); err != nil {
			return 0, nil, err
		}
	}
	return grain, append(rows, after...), nil
}

// ofPeople takes off measured rows what a bot ended alone: what comes to a queue is what reaches people, and
// so is what an imported history counts unless the days that both know say that it counts all arrivals. Then, and
// where there is no bot, the rows stay as they are; forecasts take the bot off a whole history themselves.
func (p *Planning) ofPeople(ctx context.Context, scope access.Scope, q store.Queue, slot time.Duration, span calendar.Range, imported, rows []chatlog.Contacts) ([]chatlog.Contacts, error) {
	if len(rows) == 0 {
		return rows, nil
	}
	b, err := p.bot(ctx, scope, q, span)
	if err != nil || len(b.history.Records) == 0 {
		return rows, err
	}
	counts, err := p.counts(slot, imported, b)
	if err != nil || counts == forecast.CountsArrivals {
		return rows, err
	}
	return b.off(rows, slot), nil
}

// bot is what is known of a queue's bot, in slots of calendar.Slot.
type bot struct {
	zone    *time.Location
	history forecast.DeflectionHistory
}

// bot reads what a bot ended alone in a span, as far as it is over.
func (p *Planning) bot(ctx context.Context, scope access.Scope, q store.Queue, span calendar.Range) (bot, error) {
	b := bot{p.gate.Zone, forecast.DeflectionHistory{Slot: calendar.Slot, Location: p.gate.Zone}}
	if now := p.gate.Now(); span.End.After(now) {
		span.End = now
	}
	if !span.Valid() {
		return b, nil
	}
	slots, err := p.gate.Measured(scope).Bots(ctx, q.ID, span)
	for _, s := range slots {
		b.history.Records = append(b.history.Records, forecast.DeflectionRecord{Start: s.Start, Arrivals: s.Arrivals, Deflected: s.BotOnly})
	}
	return b, err
}

// counts is what the days that both know say about an imported history.
func (p *Planning) counts(slot time.Duration, imported []chatlog.Contacts, b bot) (forecast.Counted, error) {
	if len(imported) == 0 {
		return "", nil
	}
	builder, err := forecast.NewBuilder(slot, p.gate.Zone)
	if err != nil {
		return "", err
	}
	for _, r := range imported {
		if err := builder.Add(r.Start, r.Offered); err != nil {
			return "", err
		}
	}
	return forecast.WhatCounts(builder.Series(""), b.history), nil
}

// off takes what the bot ended alone off rows of all arrivals. Slots finer than those in which the bot is
// known lose the share of theirs.
func (b bot) off(rows []chatlog.Contacts, slot time.Duration) []chatlog.Contacts {
	alone, arrivals := map[time.Time]float64{}, map[time.Time]float64{}
	known := max(slot, calendar.Slot)
	for _, r := range b.history.Records {
		at := calendar.FloorSlot(r.Start, known, b.zone).UTC()
		alone[at] += r.Deflected
		arrivals[at] += r.Arrivals
	}
	rows = slices.Clone(rows)
	for i, r := range rows {
		at := calendar.FloorSlot(r.Start, known, b.zone).UTC()
		took := alone[at]
		if slot < known && arrivals[at] > 0 {
			took *= r.Offered / arrivals[at]
		}
		rows[i].Offered = max(0, r.Offered-took)
	}
	return rows
}
