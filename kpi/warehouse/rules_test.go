package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/tally"
	"github.com/chaoban/chaoban/kpi/tally/tallytest"
)

// measured is what was imported, and what the slow reference makes of it.
type measured struct {
	headers     []chatlog.Conversation
	events      []chatlog.Event
	orders      []chatlog.OrderEvent
	tickets     []chatlog.Ticket
	definitions kpi.Definitions
	platforms   map[ids.Shop]string
}

func (o *measured) ingest(b Batch) {
	o.headers = append(o.headers, b.Conversations...)
	o.events = append(o.events, b.Events...)
	o.orders = append(o.orders, b.Orders...)
	o.tickets = append(o.tickets, b.Tickets...)
}

// items are those of a definition that a scope sees.
func (o *measured) items(d kpi.Definition, scope Scope) []tally.Item {
	var all []tally.Item
	switch d.Base {
	case kpi.BaseInquiry:
		all = tally.Inquiries(d, shanghai, o.orders)
	case kpi.BaseTicket:
		all = tally.Tickets(d, shanghai, o.tickets)
	default:
		all = tally.Items(d, shanghai, tallytest.Timelines(o.headers, o.events))
	}
	return slices.DeleteFunc(all, func(i tally.Item) bool {
		platform, known := o.platforms[i.Shop]
		return len(d.Platforms) > 0 && (!known || !d.Covers(platform)) ||
			len(scope.Merchants) > 0 && !slices.Contains(scope.Merchants, i.Merchant) ||
			scope.Agent != "" && i.Agent != scope.Agent
	})
}

// neutral is the reference of the neutral sums, over conversations put together: with messages the
// rounds are those that they form.
func (o *measured) neutral() *reference {
	truth := newReference()
	headers := map[string]chatlog.Conversation{}
	for _, h := range o.headers {
		headers[string(h.Merchant)+"\x00"+h.ID] = h
	}
	messages := map[string]bool{}
	for _, x := range tallytest.Timelines(nil, o.events) {
		messages[string(x.Merchant)+"\x00"+x.ID] = x.Detailed
	}
	rounds := kpi.Definition{Base: kpi.BaseRound, Rule: &kpi.Rule{Measure: kpi.Within}}
	for _, x := range tallytest.Timelines(o.headers, o.events) {
		key := string(x.Merchant) + "\x00" + x.ID
		c := x.Conversation
		c.Rounds = named(headers[key])
		if messages[key] {
			c.Rounds = nil
			for _, i := range tally.Items(rounds, shanghai, []chatlog.Timeline{x}) {
				if i.Left != tally.LeftNoRound {
					c.Rounds = append(c.Rounds, chatlog.Round{OpenedAt: i.Opened, AnsweredAt: i.Stop, Agent: i.Agent})
				}
			}
		}
		truth.conversations[key], truth.unasked[key] = c, !x.Asked()
	}
	return truth
}

// query answers like Reader.Query for metrics with rules, as the sum of the segments.
func (o *measured) query(t require.TestingT, scope Scope, q kpi.Query) []kpi.Reading {
	metrics, err := o.definitions.Lookup(q, shanghai)
	require.NoError(t, err)
	var all []kpi.Reading
	for _, segments := range metrics {
		var parts [][]kpi.Reading
		for _, s := range segments {
			part := q
			part.Range = s.Range
			parts = append(parts, tally.Readings(s.Definition, part, shanghai, o.items(s.Definition, scope)))
		}
		if len(parts) == 1 {
			all = append(all, parts[0]...)
			continue
		}
		all = append(all, mergeParts(q, segments, parts)...)
	}
	return all
}

func mergeParts(q kpi.Query, segments []kpi.Segment, parts [][]kpi.Reading) []kpi.Reading {
	groups := map[kpi.Reading][]kpi.Reading{}
	var keys []kpi.Reading
	least := 0
	for i, part := range parts {
		least = max(least, segments[i].Definition.MinSample)
		for _, r := range part {
			key := kpi.Reading{Metric: r.Metric, Merchant: r.Merchant, Shop: r.Shop, Queue: r.Queue, Agent: r.Agent, Start: r.Start, Slot: r.Slot}
			if _, ok := groups[key]; !ok {
				keys = append(keys, key)
			}
			groups[key] = append(groups[key], r)
		}
	}
	slices.SortFunc(keys, func(a, b kpi.Reading) int {
		return cmp.Or(strings.Compare(string(a.Merchant), string(b.Merchant)), strings.Compare(string(a.Shop), string(b.Shop)),
			strings.Compare(string(a.Queue), string(b.Queue)), strings.Compare(string(a.Agent), string(b.Agent)),
			a.Start.Compare(b.Start), cmp.Compare(a.Slot, b.Slot))
	})
	var all []kpi.Reading
	for _, key := range keys {
		merged := kpi.Merged(segments[0].Definition.Unit, groups[key])
		key.Numerator, key.Denominator, key.Value = merged.Numerator, merged.Denominator, merged.Value
		key.Version = groups[key0(key)][0].Version
		if whole := q.Grain == kpi.Whole || q.Grain == kpi.SlotOfDay || q.Grain == kpi.Month; whole {
			var versions []string
			for _, s := range segments {
				if q.Grain != kpi.Month || calendar.DateOf(key.Start, shanghai).MonthOf().Range(shanghai).Overlap(s.Range) > 0 {
					versions = append(versions, s.Definition.Version)
				}
			}
			key.Version = strings.Join(versions, "+")
		}
		key.TooFew = !isCount(segments[0].Definition) && 0 < key.Denominator && key.Denominator < float64(leastOf(segments, key.Version))
		all = append(all, key)
	}
	return all
}

// key0 is a reading without its figures.
func key0(r kpi.Reading) kpi.Reading {
	r.Numerator, r.Denominator, r.Value, r.Version, r.TooFew = 0, 0, nil, "", false
	return r
}

// leastOf is the greatest minimum sample of some versions.
func leastOf(segments []kpi.Segment, versions string) int {
	least := 0
	for _, s := range segments {
		if slices.Contains(strings.Split(versions, "+"), s.Definition.Version) {
			least = max(least, s.Definition.MinSample)
		}
	}
	return least
}

// drawDefinitions draws some metrics of every base; of some the version changes on a day of the measured.
func drawDefinitions(t *rapid.T) kpi.Definitions {
	platforms := rapid.SampledFrom([][]string{nil, nil, {"tmall"}, {"tmall", "jd"}, {"pdd"}})
	always := calendar.Dates{From: calendar.MakeDate(2000, 1, 1)}
	var all kpi.Definitions
	for n := range rapid.IntRange(4, 7).Draw(t, "metrics") {
		base := rapid.SampledFrom(tallytest.Bases).Draw(t, "base")
		if n < 3 {
			base = tallytest.Bases[n]
		}
		d := tallytest.DrawRule(t, base)
		d.Metric = kpi.Metric(fmt.Sprintf("test.m%d", n))
		d.Platforms = platforms.Draw(t, "platforms")
		d.Effective = always
		if rapid.Bool().Draw(t, "changes") {
			later := tallytest.DrawRule(t, base)
			later.Rule.Measure = d.Rule.Measure
			if later.Rule.Measure == kpi.Mean {
				later.Rule.Judge = d.Rule.Judge
			}
			later.Metric, later.Version, later.Unit, later.Platforms = d.Metric, "v2", d.Unit, platforms.Draw(t, "platforms")
			change := tallytest.First.Add(rapid.IntRange(-1, 3).Draw(t, "change"))
			d.Effective.Until, later.Effective = change, calendar.Dates{From: change}
			all = append(all, later)
		}
		all = append(all, d)
	}
	for _, d := range all {
		require.Empty(t, d.Rule.Problems(d.Base), "%+v", *d.Rule)
	}
	return all
}

// use gives a warehouse other definitions, as another release would.
func use(t require.TestingT, w *Warehouse, definitions kpi.Definitions, platforms map[ids.Shop]string) {
	require.NoError(t, w.conn.Exec(context.Background(), "TRUNCATE TABLE definitions"))
	w.definitions = definitions
	w.SetShops(platforms)
}

// drawRuleQuestion draws a question that all the metrics can answer.
func drawRuleQuestion(t *rapid.T, definitions kpi.Definitions) (kpi.Query, Scope) {
	q := kpi.Query{
		By: rapid.SampledFrom([][]kpi.Dimension{
			nil, {kpi.ByAgent}, {kpi.ByShop}, {kpi.ByMerchant, kpi.ByQueue}, {kpi.ByMerchant, kpi.ByShop, kpi.ByQueue, kpi.ByAgent},
		}).Draw(t, "by"),
		Grain: rapid.SampledFrom([]kpi.Grain{kpi.Whole, kpi.Whole, kpi.Slot, kpi.Hour, kpi.Day, kpi.Month, kpi.SlotOfDay}).Draw(t, "grain"),
		Range: tallytest.Range,
	}
	if rapid.Bool().Draw(t, "part") {
		from := tallytest.First.Add(rapid.IntRange(-1, 1).Draw(t, "from"))
		q.Range = calendar.Range{Start: from.In(shanghai), End: from.Add(rapid.IntRange(1, 4).Draw(t, "days")).In(shanghai)}
	}
	daily := q.Grain == kpi.Whole || q.Grain == kpi.Day || q.Grain == kpi.Month
	if rapid.IntRange(0, 3).Draw(t, "off border") == 0 {
		q.Range.Start, q.Range.End = q.Range.Start.Add(9*time.Hour), q.Range.End.Add(-calendar.Slot)
		daily = false
	}
	if rapid.IntRange(0, 3).Draw(t, "windowed") == 0 {
		q.Window = rapid.SampledFrom([]string{"09:00-23:00", "22:00-06:00"}).Draw(t, "window")
		daily = false
	}
	q.Version = rapid.SampledFrom([]string{"", "", "v1"}).Draw(t, "version")
	for _, d := range definitions {
		if !slices.Contains(q.Metrics, d.Metric) && (daily || d.Base != kpi.BaseBuyerDay) {
			q.Metrics = append(q.Metrics, d.Metric)
		}
	}
	q.Metrics = rapid.Permutation(q.Metrics).Draw(t, "order of metrics")
	if rapid.IntRange(0, 2).Draw(t, "filtered") == 0 {
		q.Merchants = []ids.Merchant{"lumi"}
		q.Agents = rapid.SampledFrom([][]ids.Agent{nil, {"a1"}, {"a2", ""}}).Draw(t, "agents")
		q.Shops = rapid.SampledFrom([][]ids.Shop{nil, {"s1"}}).Draw(t, "shops")
		q.Queues = rapid.SampledFrom([][]ids.Queue{nil, {"pre"}}).Draw(t, "queues")
	}
	scope := rapid.SampledFrom([]Scope{
		everything, everything, {Merchants: []ids.Merchant{"o'hara"}}, {Agent: "a2"}, {Agent: "a1", Merchants: []ids.Merchant{"lumi"}},
	}).Draw(t, "scope")
	return q, scope
}

// batches cuts what was imported into batches, in order, with some rows imported again later.
func batches(t *rapid.T) []Batch {
	headers, events := tallytest.DrawConversations(t)
	all := []Batch{{ID: "first"}, {ID: "second"}, {ID: "third"}}
	cutH, cutE := rapid.IntRange(0, len(headers)).Draw(t, "cut headers"), rapid.IntRange(0, len(events)).Draw(t, "cut events")
	if rapid.Bool().Draw(t, "shuffled") { // any order of import is some history
		events = rapid.Permutation(events).Draw(t, "order of import")
	}
	all[0].Conversations, all[1].Conversations = headers[:cutH], headers[cutH:]
	all[0].Events, all[1].Events = events[:cutE], events[cutE:]
	all[0].Orders, all[1].Tickets = tallytest.DrawOrders(t), tallytest.DrawTickets(t)
	if len(headers) > 0 && rapid.Bool().Draw(t, "moved") {
		moved := rapid.SampledFrom(headers).Draw(t, "moves")
		by := rapid.SampledFrom([]time.Duration{-26 * time.Hour, 2 * time.Hour}).Draw(t, "by")
		moved.StartedAt, moved.Rounds = moved.StartedAt.Add(by), nil
		moved.EndedAt, moved.AnsweredAt, moved.BotAnsweredAt = time.Time{}, time.Time{}, time.Time{}
		all[2].Conversations = append(all[2].Conversations, moved)
	}
	return all
}

// Random conversations, orders and tickets under random definitions: whatever is asked, the roll-ups
// and the raw path both answer what kpi/tally counts.
func TestRulesAgreeWithTheReference(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		clear(t, w)
		truth := &measured{definitions: drawDefinitions(t), platforms: rapid.SampledFrom([]map[ids.Shop]string{
			{"s1": "tmall", "s2": "jd"}, {"s1": "tmall"}, {"s1": "pdd", "s2": "pdd"},
		}).Draw(t, "platforms")}
		use(t, w, append(slices.Clone(truth.definitions), neutral...), truth.platforms)
		for _, b := range batches(t) {
			ingest(t, w, b)
			truth.ingest(b)
			if rapid.IntRange(0, 2).Draw(t, "refresh between") == 0 {
				refresh(t, w)
			}
		}
		refresh(t, w)
		var again []func() // questions to be asked without roll-ups
		for range 3 {
			q, scope := drawRuleQuestion(t, truth.definitions)
			want := truth.query(t, scope, q)
			sameRules(t, want, ask(t, w, scope, q), "rolled up")
			if rapid.IntRange(0, 2).Draw(t, "raw too") == 0 && len(q.Metrics) > 0 {
				few := q
				few.Metrics = q.Metrics[:min(2, len(q.Metrics))] // raw questions take long to plan
				again = append(again, func() { sameRules(t, truth.query(t, scope, few), ask(t, w, scope, few), "raw") })
			}
		}
		q, scope := drawQuestion(t) // the neutral sums see the same conversations
		same(t, truth.neutral().query(scope, q, shanghai), ask(t, w, scope, q), "neutral")
		mergesIntoTheWhole(t, w, truth.definitions)
		verification, err := w.Verify(context.Background(), Sample{Days: 1, Seed: 1})
		require.NoError(t, explain(err))
		require.Empty(t, verification.Differences)
		forgetPacks(t, w)
		for _, ask := range again {
			ask()
		}
	})
}

// mergesIntoTheWhole asks for two periods that meet between business days, and for both together.
func mergesIntoTheWhole(t *rapid.T, w *Warehouse, definitions kpi.Definitions) {
	q := kpi.Query{Grain: kpi.Whole, Range: tallytest.Range}
	units := map[kpi.Metric]kpi.Unit{}
	for _, d := range definitions {
		if units[d.Metric] == "" {
			q.Metrics = append(q.Metrics, d.Metric)
		}
		units[d.Metric] = d.Unit
	}
	whole := ask(t, w, everything, q)
	before, after := q, q
	before.Range.End = tallytest.First.Add(rapid.IntRange(0, 3).Draw(t, "cut")).In(shanghai)
	after.Range.Start = before.Range.End
	first, second := ask(t, w, everything, before), ask(t, w, everything, after)
	for i, r := range whole {
		merged := kpi.Merged(units[r.Metric], []kpi.Reading{first[i], second[i]})
		require.InDelta(t, r.Numerator, merged.Numerator, 1e-6, r.Metric)
		require.InDelta(t, r.Denominator, merged.Denominator, 1e-6, r.Metric)
	}
}

// forgetPacks leaves the roll-ups as another release would find them: under a pack it does not know.
func forgetPacks(t require.TestingT, w *Warehouse) {
	require.NoError(t, w.conn.Exec(context.Background(), `INSERT INTO rollups SELECT kind, merchant, day, (top.1, top.2 + 1, top.3, 1, top.5) FROM (
SELECT kind, merchant, day, max(newest) AS top FROM rollups GROUP BY kind, merchant, day)`))
}

// sameRules compares readings; whether a conversion can still rise depends on the engine's date.
func sameRules(t require.TestingT, want, got []kpi.Reading, label string) {
	for i := range got {
		got[i].Provisional = false
	}
	require.Equal(t, len(want), len(got), "%s\nwant %v\ngot  %v", label, want, got)
	for i := range want {
		w, g := want[i], got[i]
		require.InDelta(t, w.Numerator, g.Numerator, 1e-6, "%s\nwant %+v\ngot  %+v", label, w, g)
		require.InDelta(t, w.Denominator, g.Denominator, 1e-6, "%s\nwant %+v\ngot  %+v", label, w, g)
		require.Equal(t, w.Value == nil, g.Value == nil, "%s\nwant %+v\ngot  %+v", label, w, g)
		w.Value, g.Value, w.Numerator, g.Numerator, w.Denominator, g.Denominator = nil, nil, 0, 0, 0, 0
		require.Equal(t, w, g, label)
	}
}

func TestDefinitionsNeverChangeOnceUsed(t *testing.T) {
	dsn := enginetest.Start(t)
	d := kpi.Definition{
		Metric: "test.rate", Version: "v1", Unit: kpi.Share, Base: kpi.BaseRound, Effective: calendar.Dates{From: calendar.MakeDate(2020, 1, 1)},
		Rule: &kpi.Rule{Measure: kpi.Within, Limit: 180}, Platforms: []string{"tmall", "jd"},
	}
	open := func(d kpi.Definition) (*Warehouse, error) {
		w, err := Open(t.Context(), DefaultConfig(), Fixed(dsn), kpi.Definitions{d})
		if err == nil {
			t.Cleanup(func() { _ = w.Close() })
		}
		return w, err
	}
	changed := d
	changed.Rule = &kpi.Rule{Measure: kpi.Within, Limit: 60}
	_, err := open(changed)
	require.NoError(t, explain(err))
	w, err := open(d)
	require.NoError(t, explain(err), "what was never used may change")
	ingest(t, w, Batch{ID: "b", Conversations: []chatlog.Conversation{conversation("m", "1", base)}})
	refresh(t, w)

	_, err = open(changed)
	assert.Equal(t, "kpi.definition.changed", fault.CodeOf(err))
	for name, change := range map[string]func(d *kpi.Definition){
		"a default written out":  func(d *kpi.Definition) { d.Rule = &kpi.Rule{Measure: kpi.Within, Limit: 180, Stop: "human"} },
		"platforms in any order": func(d *kpi.Definition) { d.Platforms = []string{"jd", "tmall"} },
		"an end":                 func(d *kpi.Definition) { d.Effective.Until = calendar.MakeDate(2030, 1, 1) },
		"words":                  func(d *kpi.Definition) { d.Text = "better told" },
		"an exempt period to come": func(d *kpi.Definition) {
			d.Exempt = []kpi.Exemption{{Dates: calendar.Dates{From: calendar.MakeDate(2090, 1, 1), Until: calendar.MakeDate(2090, 2, 1)}}}
		},
	} {
		other := d
		change(&other)
		_, err = open(other)
		assert.NoError(t, explain(err), name)
	}
	for name, change := range map[string]func(d *kpi.Definition){
		"a channel":   func(d *kpi.Definition) { d.Channels = []string{"chat"} },
		"a platform":  func(d *kpi.Definition) { d.Platforms = []string{"jd"} },
		"a beginning": func(d *kpi.Definition) { d.Effective.From = calendar.MakeDate(2021, 1, 1) },
		"an exempt period past": func(d *kpi.Definition) {
			d.Exempt = []kpi.Exemption{{Dates: calendar.Dates{From: calendar.MakeDate(2020, 2, 1), Until: calendar.MakeDate(2020, 3, 1)}}}
		},
	} {
		other := d
		change(&other)
		_, err = open(other)
		assert.Equal(t, "kpi.definition.changed", fault.CodeOf(err), name)
	}
}

// One platform id that comes again after more than a month is another conversation, however days are
// recomputed together; a message a month away from a header is not its own.
func TestAnIdUsedAgainIsAnotherConversation(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	d := kpi.Definition{
		Metric: "test.rounds", Version: "v1", Unit: kpi.Count, Base: kpi.BaseRound, Effective: calendar.Dates{From: calendar.MakeDate(2020, 1, 1)},
		Rule: &kpi.Rule{Measure: kpi.Items},
	}
	use(t, w, kpi.Definitions{d}, nil)
	start := time.Date(2026, 9, 1, 10, 0, 0, 0, shanghai)
	message := func(conversation, id string, at time.Time) chatlog.Event {
		return chatlog.Event{Merchant: "m", Shop: "s", Queue: "q", Conversation: conversation, ID: id, Kind: chatlog.BuyerMessage, At: at}
	}
	perDay := func() map[string]float64 {
		counted := map[string]float64{}
		q := kpi.Query{Metrics: []kpi.Metric{"test.rounds"}, Grain: kpi.Day, Range: calendar.Range{Start: start.AddDate(0, -1, 0).Truncate(calendar.Slot), End: month.End}}
		for _, r := range ask(t, w, everything, q) {
			counted[r.Start.In(shanghai).Format(time.DateOnly)] = r.Numerator
		}
		return counted
	}
	ingest(t, w, Batch{ID: "b1", Events: []chatlog.Event{message("c", "1", start), message("c", "2", start.AddDate(0, 0, 40))}})
	refresh(t, w) // both days in one chunk
	assert.Equal(t, map[string]float64{"2026-09-01": 1, "2026-10-11": 1}, perDay())
	ingest(t, w, Batch{ID: "b2", Events: []chatlog.Event{message("c", "3", start.AddDate(0, 0, 40).Add(time.Minute))}})
	refresh(t, w) // one of the days
	assert.Equal(t, map[string]float64{"2026-09-01": 1, "2026-10-11": 1}, perDay())

	ingest(t, w, Batch{
		ID: "b3", Conversations: []chatlog.Conversation{{Merchant: "m", Shop: "s", Queue: "q", ID: "h", Channel: chatlog.Chat, StartedAt: start}},
		Events: []chatlog.Event{message("h", "1", start.Add(time.Minute)), message("h", "2", start.AddDate(0, 0, 40))},
	})
	refresh(t, w)
	assert.Equal(t, map[string]float64{"2026-09-01": 2, "2026-10-11": 1}, perDay())
	found, err := w.Verify(t.Context(), Sample{Days: 100})
	require.NoError(t, explain(err))
	assert.Empty(t, found.Differences)
}

// A conversion can rise until its last day is over; a figure of several versions names them all.
func TestProvisionalAndVersions(t *testing.T) {
	t.Parallel()
	w := openNew(t)
	change := calendar.MakeDate(2026, 10, 15)
	rule := func(version string, limit int, effective calendar.Dates) kpi.Definition {
		return kpi.Definition{
			Metric: "test.rate", Version: version, Unit: kpi.Share, Base: kpi.BaseRound, Effective: effective, MinSample: 3,
			Rule: &kpi.Rule{Measure: kpi.Within, Limit: limit},
		}
	}
	use(t, w, kpi.Definitions{
		rule("v1", 5, calendar.Dates{From: calendar.MakeDate(2020, 1, 1), Until: change}), rule("v2", 60, calendar.Dates{From: change}),
		{
			Metric: "test.conversion", Version: "v1", Unit: kpi.Share, Base: kpi.BaseInquiry, Effective: calendar.Dates{From: calendar.MakeDate(2020, 1, 1)},
			Rule: &kpi.Rule{Measure: kpi.Converted, Order: "payment", CloseDays: 3},
		},
	}, nil)
	var now time.Time
	require.NoError(t, w.conn.QueryRow(t.Context(), "SELECT now()").Scan(&now))
	today := calendar.DateOf(now, shanghai)
	inquiry := func(order string, date calendar.Date) chatlog.OrderEvent {
		return chatlog.OrderEvent{Merchant: "m", Shop: "s", Buyer: "b", Order: order, Kind: chatlog.Inquiry, At: date.In(shanghai).Add(time.Hour)}
	}
	c1, c2 := conversation("m", "1", change.Add(-1).In(shanghai)), conversation("m", "2", change.In(shanghai)) // answered after 10 s
	c1.Rounds = []chatlog.Round{{OpenedAt: c1.StartedAt, AnsweredAt: c1.AnsweredAt}}
	c2.Rounds = []chatlog.Round{{OpenedAt: c2.StartedAt, AnsweredAt: c2.AnsweredAt}}
	ingest(t, w, Batch{
		ID: "b", Conversations: []chatlog.Conversation{c1, c2},
		Orders: []chatlog.OrderEvent{inquiry("i1", today.Add(-4)), inquiry("i2", today.Add(-3))},
	})
	refresh(t, w)
	day := func(d calendar.Date) kpi.Reading {
		return ask(t, w, everything, kpi.Query{Metrics: []kpi.Metric{"test.conversion"}, Grain: kpi.Whole, Range: calendar.Day(d, shanghai)})[0]
	}
	assert.False(t, day(today.Add(-4)).Provisional, "its third day after was yesterday")
	assert.True(t, day(today.Add(-3)).Provisional, "a payment of today still counts")
	assert.Equal(t, 1.0, day(today.Add(-3)).Denominator)

	q := kpi.Query{Metrics: []kpi.Metric{"test.rate"}, Grain: kpi.Whole, Range: calendar.Month{Year: 2026, Month: 10}.Range(shanghai)}
	for version, want := range map[string][2]float64{"": {1, 2}, "v1": {0, 2}, "v2": {2, 2}} {
		q.Version = version
		r := ask(t, w, everything, q)[0]
		assert.Equal(t, want, [2]float64{r.Numerator, r.Denominator}, version)
		assert.True(t, r.TooFew)
		assert.Equal(t, cmp.Or(version, "v1+v2"), r.Version)
	}
	q.Version, q.Grain = "", kpi.Day
	byDay := ask(t, w, everything, q)
	require.Len(t, byDay, 2)
	assert.Equal(t, "v1", byDay[0].Version)
	assert.Equal(t, "v2", byDay[1].Version)
}
