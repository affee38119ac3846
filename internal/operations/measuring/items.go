package measuring

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/tally"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// ItemQuery asks for what is behind a figure.
type ItemQuery struct {
	Metric    kpi.Metric
	Version   string         // "" = the version in force on each item's day
	Range     calendar.Range // by the instant that dates the item; at most 31 days
	Merchants []ids.Merchant
	Shops     []ids.Shop
	Queues    []ids.Queue
	Agents    []ids.Agent // by who the item belongs to
}

// Item is one thing that a version of a metric looked at: what it adds, or why it is left out.
type Item struct {
	Metric  kpi.Metric `json:"metric"`
	Version string     `json:"version"`
	Buyer   string     `json:"buyer,omitempty"` // of the base buyer-day: the beginning of the buyer's keyed hash, without a known buyer the conversation
	tally.Item
}

// buyerDigits is how much of a buyer's hash tells the buyers of one shop and day apart for the eye.
const buyerDigits = 10

// buyerOf is how a line names whose day it belongs to.
func buyerOf(d kpi.Definition, item tally.Item) string {
	if d.Base != kpi.BaseBuyerDay {
		return ""
	}
	if item.Buyer == "" {
		return item.Conversation
	}
	return item.Buyer[:min(len(item.Buyer), buyerDigits)]
}

const (
	maxItemDays = 31
	itemPage    = 500 // conversations that are read at a time
	// itemReach is how long before the range a conversation may start that has rounds in it.
	itemReach = chatlog.MaxSpan
)

// Items lists what is behind a figure, one line for each thing counted or left out with the reason: the
// numerators and denominators of the lines add up to the figure (of the base buyer-day: the
// rounds of each buyer's day, which fails with its first miss or as the definition says). Lines come
// conversation by conversation; those of conversations that started before the range come last. A
// page may hold more lines than its limit, since a conversation is not torn, and holds fewer only when it is the
// last. To ask for those of agents needs the permission for figures by agent; without
// it no agent is named; an agent gets its own.
// Errors: kpi.items.query, kpi.items.sums for a metric without a rule, kpi.version.unknown.
func (m *Measuring) Items(ctx context.Context, who access.Principal, q ItemQuery, p store.Page) ([]Item, string, error) {
	perm := access.ReadKPI
	if len(q.Agents) > 0 || who.Role == access.AgentRole {
		perm = access.ReadAgentKPI
	}
	figures, err := m.gate.Figures(who, perm)
	if err != nil {
		return nil, "", err
	}
	if err := m.named(ctx, who, perm, kpi.Query{Merchants: q.Merchants, Shops: q.Shops, Queues: q.Queues, Agents: q.Agents}); err != nil {
		return nil, "", err
	}
	l, err := m.lister(ctx, who, q, figures)
	if err != nil {
		return nil, "", err
	}
	limit := cmp.Or(p.Limit, store.DefaultLimit)
	if l.segments[0].Definition.Base == kpi.BaseInquiry || l.segments[0].Definition.Base == kpi.BaseTicket {
		return l.listed(ctx, p.Cursor, limit)
	}
	return l.conversations(ctx, p.Cursor, limit)
}

// lister makes the lines of one question.
type lister struct {
	ItemQuery
	zone      *time.Location
	who       access.Principal
	figures   warehouse.Reader
	segments  []kpi.Segment // at least one
	platforms map[ids.Shop]string
}

func (m *Measuring) lister(ctx context.Context, who access.Principal, q ItemQuery, figures warehouse.Reader) (*lister, error) {
	if !q.Range.Valid() || q.Range.Duration() > maxItemDays*24*time.Hour {
		return nil, fault.Bad("kpi.items.query", "items", []fault.Field{{Path: "range", Problem: fmt.Sprintf("must end after it starts and span at most %d days", maxItemDays)}})
	}
	l := &lister{ItemQuery: q, zone: m.gate.Zone, who: who, figures: figures}
	if q.Version != "" {
		d, err := m.gate.Version(q.Metric, q.Version)
		if err != nil {
			return nil, err
		}
		l.segments = []kpi.Segment{{Definition: d, Range: q.Range}}
	} else {
		found, err := m.gate.Definitions.Lookup(kpi.Query{Metrics: []kpi.Metric{q.Metric}, Range: q.Range}, m.gate.Zone)
		if err != nil {
			return nil, err
		}
		l.segments = found[0]
	}
	for _, s := range l.segments {
		if s.Definition.Rule == nil {
			return nil, fault.New(fault.Invalid, "kpi.items.sums", "%s adds up sums %s", q.Metric, sumsOf(s.Definition.Base))
		}
	}
	if l.segments[0].Definition.Base == kpi.BaseInquiry && who.Role == access.AgentRole {
		return nil, fault.New(fault.Forbidden, "kpi.items.orders", "what buyers ordered is not listed for an agent")
	}
	var err error
	l.platforms, err = m.gate.Platforms(ctx)
	return l, err
}

// sumsOf says what the sums of a metric without a rule are of, and where to look.
func sumsOf(base string) string {
	if base == kpi.BaseStateTime {
		return "of the time that agents spent in their states, which are not listed; no conversation is behind it"
	}
	return "of conversations; list the conversations instead"
}

// filter selects what may hold items; agents are told apart by the item, not by who answered first.
func (l *lister) filter(r calendar.Range) warehouse.Filter {
	return warehouse.Filter{Range: r, Merchants: l.Merchants, Shops: l.Shops}
}

// narrowed selects the conversations that may hold items: of shops that some version counts, with rows of one of
// the agents asked for, and of those that started before the range the ones that go on in it. none is true when
// no shop counts.
func (l *lister) narrowed(r calendar.Range) (f warehouse.Filter, none bool) {
	f = l.filter(r)
	f.Queues = l.Queues
	if !slices.Contains(l.Agents, "") { // a robot's rounds name nobody
		f.Naming = l.Agents
	}
	if l.who.Role == access.AgentRole {
		f.Naming = []ids.Agent{l.who.Agent}
	}
	if r.Start.Before(l.Range.Start) {
		f.Beyond = l.Range.Start
	}
	if slices.ContainsFunc(l.segments, func(s kpi.Segment) bool { return len(s.Definition.Platforms) == 0 }) {
		return f, false
	}
	f.Shops = nil
	for shop := range l.platforms {
		wanted := len(l.Shops) == 0 || slices.Contains(l.Shops, shop)
		if wanted && slices.ContainsFunc(l.segments, func(s kpi.Segment) bool { return l.covers(s.Definition, shop) }) {
			f.Shops = append(f.Shops, shop)
		}
	}
	slices.Sort(f.Shops)
	return f, len(f.Shops) == 0
}

// conversations lists the items of the conversations of some pages. The cursor says in which part it
// stands: those that start in the range, then those that started before it.
func (l *lister) conversations(ctx context.Context, cursor string, limit int) ([]Item, string, error) {
	within, before := l.Range, calendar.Range{Start: l.Range.Start.Add(-itemReach), End: l.Range.Start}
	part, inner, _ := strings.Cut(cursor, ".")
	span := within
	switch part {
	case "", "w":
		part = "w"
	case "b":
		span = before
	default:
		return nil, "", fault.New(fault.Invalid, "kpi.cursor", "the cursor is not one that was given out")
	}
	var items []Item
	for size := limit; ; size = min(itemPage, size*4) { // the few that a short page needs, and more when they hold little
		filter, none := l.narrowed(span)
		if none {
			return nil, "", nil
		}
		timelines, next, err := l.figures.Timelines(ctx, filter, inner, min(itemPage, size))
		if err != nil {
			return nil, "", err
		}
		items = append(items, l.of(timelines)...)
		inner = next
		if next == "" && part == "w" && !l.bySession() {
			part, span = "b", before
		} else if next == "" {
			return items, "", nil
		}
		if len(items) >= limit {
			return items, part + "." + inner, nil
		}
	}
}

// bySession reports that every item is dated by the start of its conversation.
func (l *lister) bySession() bool {
	return !slices.ContainsFunc(l.segments, func(s kpi.Segment) bool { return s.Definition.Rule.WithDefaults().Cut != "session" })
}

func (l *lister) of(timelines []chatlog.Timeline) []Item {
	return l.each(func(d kpi.Definition) []tally.Item {
		counted := slices.DeleteFunc(slices.Clone(timelines), func(t chatlog.Timeline) bool { return !l.covers(d, t.Shop) })
		return tally.Items(d, l.zone, counted)
	})
}

// covers reports whether a definition counts a shop; shops that nobody knows only count for
// definitions without platforms.
func (l *lister) covers(d kpi.Definition, shop ids.Shop) bool { return d.Covers(l.platforms[shop]) }

// each makes the lines of every version for its days and keeps those that were asked for.
func (l *lister) each(make func(kpi.Definition) []tally.Item) []Item {
	var out []Item
	for _, s := range l.segments {
		for _, item := range make(s.Definition) {
			if !s.Range.Contains(item.At) || !l.asked(item) {
				continue
			}
			if agentHidden(l.who, item.Agent) {
				item.Agent = ""
			}
			out = append(out, Item{s.Definition.Metric, s.Definition.Version, buyerOf(s.Definition, item), item})
		}
	}
	if len(l.segments) > 1 { // one conversation's items stay together
		slices.SortStableFunc(out, func(a, b Item) int { return a.At.Compare(b.At) })
	}
	return out
}

func (l *lister) asked(item tally.Item) bool {
	if l.who.Role == access.AgentRole && item.Agent != l.who.Agent {
		return false
	}
	return (len(l.Queues) == 0 || slices.Contains(l.Queues, item.Queue)) && (len(l.Agents) == 0 || slices.Contains(l.Agents, item.Agent))
}

// listed lists inquiries or tickets, which are few; the cursor is how many lines came before.
func (l *lister) listed(ctx context.Context, cursor string, limit int) ([]Item, string, error) {
	from := 0
	if cursor != "" {
		n, err := strconv.Atoi(cursor)
		if err != nil || n < 0 {
			return nil, "", fault.New(fault.Invalid, "kpi.cursor", "the cursor is not one that was given out")
		}
		from = n
	}
	items, err := l.ordersOrTickets(ctx)
	if err != nil || from >= len(items) {
		return nil, "", err
	}
	if to := from + limit; to < len(items) {
		return items[from:to], strconv.Itoa(to), nil
	}
	return items[from:], "", nil
}

func (l *lister) ordersOrTickets(ctx context.Context) ([]Item, error) {
	if l.segments[0].Definition.Base == kpi.BaseTicket {
		tickets, err := l.figures.Tickets(ctx, l.filter(l.Range))
		return l.each(func(d kpi.Definition) []tally.Item {
			return tally.Tickets(d, l.zone, slices.DeleteFunc(slices.Clone(tickets), func(t chatlog.Ticket) bool { return !l.covers(d, t.Shop) }))
		}), err
	}
	span := l.Range
	for _, s := range l.segments { // what a buyer orders until the last inquiry is closed counts; so does the day's first inquiry
		span.End = calendar.Later(span.End, calendar.DateOf(l.Range.End.Add(-1), l.zone).Add(s.Definition.Rule.CloseDays+1).In(l.zone))
	}
	span.Start = calendar.DateOf(span.Start, l.zone).In(l.zone)
	orders, err := l.figures.OrderEvents(ctx, l.filter(span))
	return l.each(func(d kpi.Definition) []tally.Item {
		return tally.Inquiries(d, l.zone, slices.DeleteFunc(slices.Clone(orders), func(o chatlog.OrderEvent) bool { return !l.covers(d, o.Shop) }))
	}), err
}
