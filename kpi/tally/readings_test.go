package tally_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/tally"
)

// at is an instant of 2026-11-02, a Monday, on Shanghai's wall clock.
func at(clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", "2026-11-02 "+clock, zone)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// talk is a conversation of one round.
func talk(id, buyer string, shop ids.Shop, opened, answered string, agent ids.Agent) chatlog.Timeline {
	e := chatlog.Event{Merchant: "m", Shop: shop, Queue: "q", Conversation: id, ID: "1", Kind: chatlog.BuyerMessage, At: at(opened), Buyer: buyer}
	reply := e
	reply.ID, reply.Kind, reply.At, reply.Agent, reply.Buyer = "2", chatlog.AgentMessage, at(answered), agent, ""
	return chatlog.Assemble(nil, []chatlog.Event{e, reply})
}

func definition(base string, r kpi.Rule) kpi.Definition {
	return kpi.Definition{Metric: "x", Version: "v1", Unit: kpi.Share, Base: base, Rule: &r}
}

func value(v float64) *float64 { return &v }

var (
	day   = calendar.Day(calendar.Date{Year: 2026, Month: 11, Day: 2}, zone)
	three = []chatlog.Timeline{ // a2 in time at 09:10 and 23:59, a1 late at 09:20
		talk("c1", "b1", "s2", "09:10:00", "09:10:30", "a2"),
		talk("c2", "b1", "s1", "09:20:00", "09:25:00", "a1"),
		talk("c3", "b2", "s1", "23:59:00", "23:59:10", "a2"),
	}
	minute = definition(kpi.BaseRound, kpi.Rule{Measure: kpi.Within, Limit: 60})
)

func TestReadingsAreGroupedAndOrdered(t *testing.T) {
	items := tally.Items(minute, zone, three)
	ask := func(grain kpi.Grain, by ...kpi.Dimension) []kpi.Reading {
		return tally.Readings(minute, kpi.Query{Grain: grain, By: by, Range: day}, zone, items)
	}
	assert.Equal(t, []kpi.Reading{
		{Metric: "x", Version: "v1", Agent: "a1", Denominator: 1, Value: value(0)},
		{Metric: "x", Version: "v1", Agent: "a2", Numerator: 2, Denominator: 2, Value: value(1)},
	}, ask(kpi.Whole, kpi.ByAgent))
	assert.Equal(t, []kpi.Reading{
		{Metric: "x", Version: "v1", Start: at("09:00:00"), Numerator: 1, Denominator: 2, Value: value(0.5)},
		{Metric: "x", Version: "v1", Start: at("23:00:00"), Numerator: 1, Denominator: 1, Value: value(1)},
	}, ask(kpi.Hour))
	assert.Equal(t, []kpi.Reading{
		{Metric: "x", Version: "v1", Shop: "s1", Slot: 37, Denominator: 1, Value: value(0)},
		{Metric: "x", Version: "v1", Shop: "s1", Slot: 95, Numerator: 1, Denominator: 1, Value: value(1)},
		{Metric: "x", Version: "v1", Shop: "s2", Slot: 36, Numerator: 1, Denominator: 1, Value: value(1)},
	}, ask(kpi.SlotOfDay, kpi.ByShop))
	first := calendar.Date{Year: 2026, Month: 11, Day: 1}.In(zone).UTC()
	assert.Equal(t, []kpi.Reading{{Metric: "x", Version: "v1", Start: first, Numerator: 2, Denominator: 3, Value: value(2. / 3)}}, ask(kpi.Month))
}

func TestReadingsRespectFiltersWindowAndRange(t *testing.T) {
	items := tally.Items(minute, zone, three)
	for _, c := range []struct {
		name        string
		query       kpi.Query
		numerator   float64
		denominator float64
	}{
		{"agent", kpi.Query{Agents: []ids.Agent{"a1"}}, 0, 1},
		{"shop", kpi.Query{Shops: []ids.Shop{"s1"}}, 1, 2},
		{"queue", kpi.Query{Queues: []ids.Queue{"other"}}, 0, 0},
		{"merchant", kpi.Query{Merchants: []ids.Merchant{"m"}}, 2, 3},
		{"window", kpi.Query{Window: "09:15-23:45"}, 0, 1},
		{"range", kpi.Query{Range: calendar.Range{Start: at("09:15:00"), End: at("23:45:00")}}, 0, 1},
	} {
		c.query.Grain = kpi.Whole
		if !c.query.Range.Valid() {
			c.query.Range = day
		}
		got := tally.Readings(minute, c.query, zone, items)
		require.Len(t, got, 1, c.name)
		assert.Equal(t, c.numerator, got[0].Numerator, c.name)
		assert.Equal(t, c.denominator, got[0].Denominator, c.name)
		assert.Equal(t, c.denominator == 0, got[0].Value == nil, c.name)
	}
	assert.Empty(t, tally.Readings(minute, kpi.Query{Grain: kpi.Day, Range: day, Agents: []ids.Agent{"nobody"}}, zone, items))
}

func TestACountHasAFigureWithoutItems(t *testing.T) {
	count := definition(kpi.BaseRound, kpi.Rule{Measure: kpi.Items})
	count.Unit, count.MinSample = kpi.Count, 100
	q := kpi.Query{Grain: kpi.Whole, Range: day}
	assert.Equal(t, []kpi.Reading{{Metric: "x", Version: "v1", Denominator: 1, Value: value(0)}}, tally.Readings(count, q, zone, nil))
	assert.Equal(t, []kpi.Reading{{Metric: "x", Version: "v1", Numerator: 3, Denominator: 1, Value: value(3)}},
		tally.Readings(count, q, zone, tally.Items(count, zone, three)), "a count is never too few")
}

// The first round of a buyer's day is the one that opened first, in whichever conversation; of two
// opened in one millisecond the miss decides.
func TestTheFirstRoundOfABuyersDay(t *testing.T) {
	first := definition(kpi.BaseBuyerDay, kpi.Rule{Measure: kpi.Within, Limit: 60, Judge: "first"})
	q := kpi.Query{Grain: kpi.Whole, Range: day}
	ask := func(timelines ...chatlog.Timeline) float64 {
		got := tally.Readings(first, q, zone, tally.Items(first, zone, timelines))
		require.Equal(t, 1., got[0].Denominator)
		return got[0].Numerator
	}
	hit, miss := talk("c1", "b1", "s", "10:00:00", "10:00:30", "a1"), talk("c2", "b1", "s", "11:00:00", "11:30:00", "a1")
	assert.Equal(t, 1., ask(miss, hit))
	together := talk("c3", "b1", "s", "10:00:00", "10:30:00", "a1")
	assert.Equal(t, 0., ask(hit, together))
	assert.Equal(t, 0., ask(together, hit))
}

func TestABuyersDayIsNotCut(t *testing.T) {
	buyers := definition(kpi.BaseBuyerDay, kpi.Rule{Measure: kpi.Within})
	for name, q := range map[string]kpi.Query{
		"slot":   {Grain: kpi.Slot, Range: day},
		"hour":   {Grain: kpi.Hour, Range: day},
		"heat":   {Grain: kpi.SlotOfDay, Range: day},
		"range":  {Grain: kpi.Day, Range: calendar.Range{Start: day.Start, End: day.End.Add(-time.Hour)}},
		"window": {Grain: kpi.Day, Range: day, Window: "09:00-23:00"},
	} {
		err := tally.Answerable(buyers, q, zone)
		require.Error(t, err, name)
		assert.Equal(t, "kpi.query.grain", fault.CodeOf(err), name)
		assert.NoError(t, tally.Answerable(minute, q, zone), name)
	}
	for _, grain := range []kpi.Grain{kpi.Day, kpi.Month, kpi.Whole} {
		assert.NoError(t, tally.Answerable(buyers, kpi.Query{Grain: grain, Range: day}, zone))
	}
}

// Every item says what became of it: a figure can be opened.
func TestItemsSayWhyTheyAreLeftOut(t *testing.T) {
	d := definition(kpi.BaseRound, kpi.Rule{
		Measure: kpi.Mean, ZeroSecond: "exclude", CrossDay: "exclude", Transferred: "exclude", Window: "09:00-24:00", Cap: 20,
	})
	header := chatlog.Conversation{Merchant: "m", Queue: "q", ID: "h", StartedAt: at("10:00:00"), AnsweredAt: at("10:00:05"), Agent: "a1"}
	night := talk("night", "b", "s", "08:59:59", "09:01:00", "a1")
	zero := talk("zero", "b", "s", "10:00:00", "10:00:00", "a1")
	slow := talk("slow", "b", "s", "10:00:00", "10:01:00", "a1")
	late := talk("late", "b", "s", "23:59:00", "23:59:30", "a1")
	late.Events[1].At = late.Events[1].At.Add(time.Minute) // 00:00:30 of the next day
	silent := chatlog.Assemble(nil, slow.Events[1:])
	open := chatlog.Assemble(nil, slow.Events[:1])
	var got []string
	for _, item := range tally.Items(d, zone, []chatlog.Timeline{chatlog.Assemble(&header, nil), night, zero, slow, late, silent, open}) {
		got = append(got, item.Left)
		if item.Left != "" {
			assert.Zero(t, item.Numerator+item.Denominator)
		} else {
			assert.Equal(t, 20., item.Seconds, "the cap")
			assert.Equal(t, at("10:00:00"), item.Start)
			assert.Equal(t, at("10:01:00"), item.Stop)
		}
	}
	assert.Equal(t, []string{
		tally.LeftNotDetailed, tally.LeftWindow, tally.LeftZeroSecond, "", tally.LeftCrossDay, tally.LeftNoRound, tally.LeftUnanswered,
	}, got)
}

func TestAnInquiryTellsWhenItCloses(t *testing.T) {
	d := definition(kpi.BaseInquiry, kpi.Rule{Measure: kpi.Converted, Order: "payment", CloseDays: 3})
	items := tally.Inquiries(d, zone, []chatlog.OrderEvent{{Merchant: "m", Shop: "s", Buyer: "b", Order: "c", Kind: chatlog.Inquiry, At: at("10:00:00")}})
	require.Len(t, items, 1)
	assert.Equal(t, calendar.Date{Year: 2026, Month: 11, Day: 5}, items[0].Closes)
}
