package tally_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/tally"
	"github.com/chaoban/chaoban/kpi/tally/tallytest"
)

var zone = tallytest.Zone

// whole asks for one figure over everything in a world.
func whole(by ...kpi.Dimension) kpi.Query {
	return kpi.Query{By: by, Grain: kpi.Whole, Range: tallytest.Range}
}

// world is a random definition and what there is to count.
type world struct {
	definition kpi.Definition
	timelines  []chatlog.Timeline
	orders     []chatlog.OrderEvent
	tickets    []chatlog.Ticket
}

func drawWorld(t *rapid.T, bases ...string) world {
	w := world{definition: tallytest.DrawRule(t, rapid.SampledFrom(bases).Draw(t, "base"))}
	require.Empty(t, w.definition.Rule.Problems(w.definition.Base))
	switch w.definition.Base {
	case kpi.BaseInquiry:
		w.orders = tallytest.DrawOrders(t)
	case kpi.BaseTicket:
		w.tickets = tallytest.DrawTickets(t)
	default:
		w.timelines = tallytest.Timelines(tallytest.DrawConversations(t))
	}
	return w
}

func (w world) items() []tally.Item {
	switch w.definition.Base {
	case kpi.BaseInquiry:
		return tally.Inquiries(w.definition, zone, w.orders)
	case kpi.BaseTicket:
		return tally.Tickets(w.definition, zone, w.tickets)
	}
	return tally.Items(w.definition, zone, w.timelines)
}

func (w world) ask(q kpi.Query) []kpi.Reading {
	return tally.Readings(w.definition, q, zone, w.items())
}

var conversational = []string{kpi.BaseRound, kpi.BaseSession, kpi.BaseBuyerDay}

func sameFigure(t require.TestingT, want, got kpi.Reading) {
	require.InDelta(t, want.Numerator, got.Numerator, 1e-9)
	require.InDelta(t, want.Denominator, got.Denominator, 1e-9)
	require.Equal(t, want.Value == nil, got.Value == nil)
}

// A figure over a range is the sum of its parts, wherever business days cut it, and of its grain steps.
func TestPeriodsMergeIntoTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, tallytest.Bases...)
		want := w.ask(whole())[0]
		cut := tallytest.First.Add(rapid.IntRange(0, 3).Draw(t, "cut")).In(zone)
		before, after := whole(), whole()
		before.Range.End, after.Range.Start = cut, cut
		sameFigure(t, want, kpi.Merged(w.definition.Unit, append(w.ask(before), w.ask(after)...)))

		for _, grain := range []kpi.Grain{kpi.Day, kpi.Month, kpi.Slot, kpi.Hour, kpi.SlotOfDay} {
			q := whole()
			q.Grain = grain
			if tally.Answerable(w.definition, q, zone) != nil {
				continue
			}
			parts := w.ask(q)
			if len(parts) > 0 {
				sameFigure(t, want, kpi.Merged(w.definition.Unit, parts))
			} else {
				require.Zero(t, want.Numerator)
			}
		}
	})
}

// Groups of an additive base sum to the whole; a buyer-day may count in several, so not fewer.
func TestGroupsMergeIntoTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, tallytest.Bases...)
		want := w.ask(whole())[0]
		for _, by := range [][]kpi.Dimension{{kpi.ByMerchant}, {kpi.ByMerchant, kpi.ByShop}, {kpi.ByShop}, {kpi.ByAgent}, {kpi.ByQueue, kpi.ByAgent}} {
			groups := w.ask(whole(by...))
			merged := kpi.Merged(w.definition.Unit, groups)
			perShop := !slices.Contains(by, kpi.ByAgent)
			switch {
			case len(groups) == 0:
				require.Zero(t, want.Numerator)
			case w.definition.Base == kpi.BaseBuyerDay && !perShop:
				require.GreaterOrEqual(t, merged.Denominator, want.Denominator)
			default:
				sameFigure(t, want, merged)
			}
		}
	})
}

// The order in which events arrive, and in which conversations are counted, does not matter.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := tallytest.DrawRule(t, rapid.SampledFrom(conversational).Draw(t, "base"))
		headers, events := tallytest.DrawConversations(t)
		seen := map[string]bool{}
		events = slices.DeleteFunc(events, func(e chatlog.Event) bool { // no corrections: those are about order
			k := string(e.Merchant) + e.Conversation + e.ID
			again := seen[k]
			seen[k] = true
			return again
		})
		q := whole(kpi.ByMerchant, kpi.ByShop, kpi.ByQueue, kpi.ByAgent)
		want := tally.Readings(d, q, zone, tally.Items(d, zone, tallytest.Timelines(headers, events)))
		timelines := tallytest.Timelines(headers, rapid.Permutation(events).Draw(t, "arrival"))
		got := tally.Readings(d, q, zone, tally.Items(d, zone, rapid.Permutation(timelines).Draw(t, "conversations")))
		require.Equal(t, want, got)
	})
}

// With closing=ignore a closing message changes nothing, wherever it stands between other events.
func TestIgnoredClosingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, conversational...)
		w.definition.Rule.Closing = "ignore"
		want := w.ask(whole(kpi.ByAgent))
		for i := range w.timelines {
			events := w.timelines[i].Events
			if len(events) == 0 {
				continue
			}
			at := rapid.IntRange(0, len(events)-1).Draw(t, "where")
			closing := events[at]
			closing.Kind, closing.Closing, closing.Agent = chatlog.BuyerMessage, true, ""
			w.timelines[i].Events = slices.Insert(slices.Clone(events), at, closing)
		}
		require.Equal(t, want, w.ask(whole(kpi.ByAgent)))
	})
}

// A longer limit never lowers a share, and one that any reply meets is the share of answered items.
func TestALongerLimitNeverLowersAShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, conversational...)
		w.definition.Rule.Measure, w.definition.Unit = kpi.Within, kpi.Share
		last := kpi.Reading{}
		for i, limit := range []int{1, 30, 60, 180, 3600, 86400, 7 * 86400, 0} {
			w.definition.Rule.Limit = limit
			reading := w.ask(whole())[0]
			require.LessOrEqual(t, reading.Numerator, reading.Denominator)
			if i > 0 {
				require.Equal(t, last.Denominator, reading.Denominator)
				require.GreaterOrEqual(t, reading.Numerator, last.Numerator)
			}
			last = reading
		}
	})
}

// A week later everything is as it was: Shanghai's clocks do not change.
func TestAWeekLaterIsTheSame(t *testing.T) {
	const week = 7 * 24 * time.Hour
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, conversational...)
		w.definition.Exempt = nil
		want := w.ask(whole(kpi.ByAgent))
		for i := range w.timelines {
			c := &w.timelines[i]
			c.StartedAt = c.StartedAt.Add(week)
			if !c.EndedAt.IsZero() {
				c.EndedAt = c.EndedAt.Add(week)
			}
			c.Events = slices.Clone(c.Events)
			for n := range c.Events {
				c.Events[n].At = c.Events[n].At.Add(week)
			}
		}
		q := whole(kpi.ByAgent)
		q.Range = calendar.Range{Start: q.Range.Start.Add(week), End: q.Range.End.Add(week)}
		require.Equal(t, want, w.ask(q))
	})
}

// What the rounds of a conversation are, by another way: between two replies there is at most one,
// and the openings of all are exactly the questions that follow a reply or nothing.
func TestRoundsAreTheQuestionsAfterAReply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, kpi.BaseRound)
		*w.definition.Rule = kpi.Rule{Measure: kpi.Items, Stop: w.definition.Rule.Stop, Closing: w.definition.Rule.Closing}
		w.definition.Exempt, w.definition.Channels = nil, nil
		rule := w.definition.Rule.WithDefaults()
		want := 0
		for _, c := range w.timelines {
			if !c.Detailed {
				continue
			}
			letters := ""
			for _, e := range c.Events {
				switch {
				case e.Kind == chatlog.BuyerMessage && (!e.Closing || rule.Closing == "open"):
					letters += "Q"
				case e.Kind == chatlog.AgentMessage, e.Kind == chatlog.BotMessage && rule.Stop == "any":
					letters += "R"
				}
			}
			for i := range letters {
				if letters[i] == 'Q' && (i == 0 || letters[i-1] == 'R') {
					want++
				}
			}
		}
		require.EqualValues(t, want, w.ask(whole())[0].Numerator)
	})
}

// No yuan counts twice, and refunds only take away.
func TestAmountsNeverExceedWhatWasPaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t, kpi.BaseInquiry)
		*w.definition.Rule = kpi.Rule{Measure: kpi.Amount, Order: "payment", CloseDays: rapid.IntRange(0, 3).Draw(t, "days")}
		w.definition.Exempt, w.definition.Unit = nil, kpi.Yuan
		paid := 0.0
		for _, o := range w.orders {
			if o.Kind == chatlog.Paid {
				paid += float64(o.Amount) / 100
			}
		}
		gross := w.ask(whole())[0]
		w.definition.Rule.Net = true
		net := w.ask(whole())[0]
		require.LessOrEqual(t, gross.Numerator, paid+1e-9)
		require.LessOrEqual(t, net.Numerator, gross.Numerator)
	})
}

// The generators make what the importers accept but for one merchant, whose quote is there to be
// quoted in SQL, and every outcome happens.
func TestGeneratorsAreValidAndReachEveryOutcome(t *testing.T) {
	seen := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		headers, events := tallytest.DrawConversations(t)
		for _, h := range headers {
			h.Merchant = "lumi"
			require.NoError(t, h.Validate())
		}
		for _, e := range events {
			e.Merchant = "lumi"
			require.NoError(t, e.Validate())
		}
		for _, o := range tallytest.DrawOrders(t) {
			o.Merchant = "lumi"
			require.NoError(t, o.Validate())
		}
		for _, ticket := range tallytest.DrawTickets(t) {
			ticket.Merchant = "lumi"
			require.NoError(t, ticket.Validate())
		}
	})
	for seed := range 600 {
		w := rapid.Custom(func(t *rapid.T) world { return drawWorld(t, tallytest.Bases...) }).Example(seed)
		for _, item := range w.items() {
			outcome := item.Left
			if outcome == "" && item.Numerator == 0 {
				outcome = "zero"
			}
			seen[w.definition.Base+" "+outcome] = true
		}
	}
	for _, base := range conversational {
		for _, outcome := range []string{
			"", "zero", tally.LeftWindow, tally.LeftExempt, tally.LeftTransferred, tally.LeftZeroSecond, tally.LeftCrossDay,
			tally.LeftUnanswered, tally.LeftNoRound, tally.LeftNotDetailed, tally.LeftChannel,
		} {
			assert.True(t, seen[base+" "+outcome], "%s %q never happens", base, outcome)
		}
	}
	assert.True(t, seen["ticket "+tally.LeftNoDeadline])
	assert.True(t, seen["inquiry zero"] && seen["inquiry "])
}
