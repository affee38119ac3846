package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"os"
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
	"github.com/chaoban/chaoban/kpi/casefile"
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
		return len(d.Platforms) > 0 && !(known && d.Covers(platform)) ||
			len(scope.Merchants) > 0 && !slices.Contains(scope.Merchants, i.Merchant) ||
			scope.Agent != "" && i.Agent != scope.Agent
	})
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
	w := openNew(t)
	rapid.Check(t, func(t *rapid.T) {
		clear(t, w)
		truth := &measured{definitions: drawDefinitions(t), platforms: rapid.SampledFrom([]map[ids.Shop]string{
			{"s1": "tmall", "s2": "jd"}, {"s1": "tmall"}, {"s1": "pdd", "s2": "pdd"},
		}).Draw(t, "platforms")}
		use(t, w, truth.definitions, truth.platforms)
		for _, b := range batches(t) {
			ingest(t, w, b)
			truth.ingest(b)
			if rapid.IntRange(0, 2).Draw(t, "refresh between") == 0 {
				refresh(t, w)
			}
		}
		refresh(t, w)
		var again []func() // questions to be asked without roll-ups
		for range 4 {
			q, scope := drawRuleQuestion(t, truth.definitions)
			want := truth.query(t, scope, q)
			sameRules(t, want, ask(t, w, scope, q), "rolled up")
			if rapid.IntRange(0, 2).Draw(t, "raw too") == 0 {
				again = append(again, func() { sameRules(t, want, ask(t, w, scope, q), "raw") })
			}
		}
		verification, err := w.Verify(context.Background(), Sample{Days: 2, Seed: 1})
		require.NoError(t, explain(err))
		require.Empty(t, verification.Differences)
		forgetPacks(t, w)
		for _, ask := range again {
			ask()
		}
	})
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

// Every case that a supervisor can review, under the rules that the files state. All cases of a zone
// are in one warehouse, each with merchants and shops of its own.
func TestCasesInSQL(t *testing.T) {
	suite, err := casefile.Load(os.DirFS("../testdata/cases"))
	require.NoError(t, err)
	type group struct {
		zone string
		any  bool // a case without a platform is about the rule, whoever has it
	}
	cases := map[group][]casefile.Case{}
	for _, c := range suite.Cases {
		g := group{c.Zone.String(), c.Platform == ""}
		cases[g] = append(cases[g], c)
	}
	for g, list := range cases {
		config := DefaultConfig()
		config.TimeZone = g.zone
		w, err := Open(t.Context(), config, Fixed(enginetest.Start(t)), nil)
		require.NoError(t, explain(err))
		t.Cleanup(func() { _ = w.Close() })
		definitions := slices.Clone(suite.Rules)
		for i := range definitions {
			if g.any {
				definitions[i].Platforms = nil
			}
		}
		all, platforms := Batch{ID: "cases"}, map[ids.Shop]string{}
		for n, c := range list {
			for shop, platform := range c.Shops() {
				platforms[ids.Shop(fmt.Sprint(n, "/", shop))] = platform
			}
			addCase(&all, c, fmt.Sprint(n, "/"))
		}
		use(t, w, definitions, platforms)
		ingest(t, w, all)
		refresh(t, w)
		for n, c := range list {
			t.Run(c.String(), func(t *testing.T) {
				t.Parallel()
				answerCase(t, w, c, fmt.Sprint(n, "/"))
			})
		}
	}
}

// addCase adds what happened in a case, with names of its own.
func addCase(b *Batch, c casefile.Case, own string) {
	place := func(merchant *ids.Merchant, shop *ids.Shop) {
		*merchant, *shop = ids.Merchant(own)+*merchant, ids.Shop(own)+*shop
	}
	for _, x := range c.Conversations {
		place(&x.Merchant, &x.Shop)
		b.Conversations = append(b.Conversations, x)
	}
	for _, x := range c.Events {
		place(&x.Merchant, &x.Shop)
		b.Events = append(b.Events, x)
	}
	for _, x := range c.Orders {
		place(&x.Merchant, &x.Shop)
		b.Orders = append(b.Orders, x)
	}
	for _, x := range c.Tickets {
		place(&x.Merchant, &x.Shop)
		b.Tickets = append(b.Tickets, x)
	}
}

func answerCase(t *testing.T, w *Warehouse, c casefile.Case, own string) {
	var mine Scope
	for _, x := range c.Timelines {
		mine.Merchants = append(mine.Merchants, ids.Merchant(own)+x.Merchant)
	}
	for _, x := range c.Orders {
		mine.Merchants = append(mine.Merchants, ids.Merchant(own)+x.Merchant)
	}
	for _, x := range c.Tickets {
		mine.Merchants = append(mine.Merchants, ids.Merchant(own)+x.Merchant)
	}
	slices.Sort(mine.Merchants)
	mine.Merchants = slices.Compact(mine.Merchants)
	for _, e := range c.Expects {
		q := e.Query
		q.Version = e.Version
		readings := ask(t, w, mine, q)
		for i, r := range readings {
			readings[i].Merchant = ids.Merchant(strings.TrimPrefix(string(r.Merchant), own))
			readings[i].Shop = ids.Shop(strings.TrimPrefix(string(r.Shop), own))
		}
		assert.Empty(t, e.Check(e.Pick(readings)))
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
