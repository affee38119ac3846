package pricing_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

const after = ids.Queue("lumi-tmall/after")

// measuredHouse is newHouse with an engine.
func measuredHouse(t *testing.T) *house {
	t.Helper()
	h := &house{operationstest.New(t, enginetest.Start(t), operationstest.Definitions(t))}
	h.ApplyContracts(t, operationstest.MerchantsYAML)
	h.AddPeople(t, 1001, 4, string(pre), string(after))
	h.AddPeople(t, 2001, 2, "orca-jd/pre")
	return h
}

// opening adds quarter hours of a day to the store, with a sale that opens at an hour.
func (h *house) opening(t *testing.T, id ids.Forecast, queue ids.Queue, day calendar.Date, hour int, contacts float64) {
	t.Helper()
	h.Clock = h.Clock.Add(time.Minute)
	curve := scheduling.Curve{Queue: queue, Slot: calendar.Slot, Levels: []float64{0.1, 0.5, 0.9}}
	for i := range 36 {
		curve.Points = append(curve.Points, scheduling.Point{
			Start: at(day, 9).Add(time.Duration(i) * calendar.Slot), Mean: contacts, Quantiles: []float64{contacts / 2, contacts, contacts * 1.5}, HandleTime: 150 * time.Second,
		})
	}
	figures := map[string]any{
		"known_events": []forecast.Event{{Family: "double11", Start: at(day, hour), End: at(day.Add(1), 0), Openings: []time.Time{at(day, hour), at(day.Add(3), hour)}}},
		"work":         map[string]any{"handle_time": map[string]any{"source": "contact history", "mean": 150}},
	}
	text, err := json.Marshal(figures)
	require.NoError(t, err)
	h.AddForecast(t, store.Forecast{ID: id, Queue: queue, Range: calendar.Day(day, shanghai), Curve: curve, Model: "by hand", Figures: text})
}

// The quarter hour of an opening needs more heads than one with as many contacts that come evenly, and says why. Without
// figures the crowd is the stated belief.
func TestAnOpeningNeedsMoreHeads(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.opening(t, "f", pre, today, 12, 300)
	plan := h.plans(t, pricing.PlanInput{From: today, Days: 1, Options: pricing.Options{Level: 0.5}})[0]
	opening, usual := headsAt(t, plan, at(today, 12)), headsAt(t, plan, at(today, 11))
	assert.Greater(t, opening, usual)
	e, err := h.Pricing.Explain(t.Context(), planner, pricing.ExplainInput{Queue: pre, At: at(today, 12)})
	ok(t, err)
	require.Len(t, e.Demand.Rushes, 1)
	assert.Equal(t, "double11", e.Demand.Rushes[0].Family)
	assert.Equal(t, "assumed", e.Demand.Rushes[0].Source)
	assert.InDelta(t, 0.5, e.Demand.Rushes[0].Share, 0)
	assert.Equal(t, "rush", e.Rounding.Bound)
	assert.Equal(t, usual, e.Rounding.Needed, "what the same contacts need when they come evenly")
	assert.InDelta(t, 300, e.Reached.Contacts, 1e-9, "a rush takes its share out of the slot's contacts")
	assert.Contains(t, e.Need.Reason, "rush")
	assert.Equal(t, "assumed", e.Handling.Pace.Source)
	assert.Equal(t, []string{"measured figures cannot be had now"}, e.Handling.Pace.Doubts)

	quiet, err := h.Pricing.Explain(t.Context(), planner, pricing.ExplainInput{Queue: pre, At: at(today, 11)})
	ok(t, err)
	assert.Empty(t, quiet.Demand.Rushes)
}

// talk is chats of one agent: with two, the second question comes while the first is being answered.
func talk(b *warehouse.Batch, queue ids.Queue, agent ids.Agent, name string, start time.Time, together bool) {
	say := func(chat string, seconds int, kind chatlog.EventKind) {
		e := chatlog.Event{
			Merchant: "lumi", Shop: "lumi-tmall", Queue: queue, Conversation: name + chat, ID: fmt.Sprint(name, chat, seconds, kind), Kind: kind,
			At: start.Add(time.Duration(seconds) * time.Second).UTC(),
		}
		if kind == chatlog.AgentMessage {
			e.Agent = agent
		}
		b.Events = append(b.Events, e)
	}
	say("a", 0, chatlog.BuyerMessage)
	if together {
		say("b", 5, chatlog.BuyerMessage)
		say("b", 50, chatlog.AgentMessage) // begun at 20 with two open: 30 s of work, 45 s of lag
		say("b", 60, chatlog.Ended)
	}
	say("a", 20, chatlog.AgentMessage) // begun at once with one open: 20 s
	say("a", 60, chatlog.Ended)
}

// Replies that were measured set AHT(c) and the agent's share of a conversation; a queue that has none takes the house's.
func TestPlansLearnThePace(t *testing.T) {
	t.Parallel()
	h := measuredHouse(t)
	var b warehouse.Batch
	b.ID = "b"
	for i := range 300 {
		talk(&b, pre, "1001", fmt.Sprint("c", i), at(today.Add(-3), 9).Add(time.Duration(i)*100*time.Second), i%2 == 0)
	}
	h.Ingest(t, b)
	h.opening(t, "f", pre, today, 20, 40)
	h.opening(t, "g", after, today, 20, 40)
	h.plans(t, pricing.PlanInput{From: today, Days: 1, Options: pricing.Options{Level: 0.5}})
	e, err := h.Pricing.Explain(t.Context(), planner, pricing.ExplainInput{Queue: pre, At: at(today, 12)})
	ok(t, err)
	p := e.Handling.Pace
	require.NotNil(t, p)
	assert.Equal(t, "measured", p.Source)
	assert.Equal(t, 450, p.Replies)
	assert.Equal(t, calendar.Dates{From: today.Add(-3), Until: today.Add(-2)}, p.Days)
	assert.InDelta(t, 20, p.Levels[0].WorkSeconds, 1e-9)
	assert.InDelta(t, 30, p.Levels[1].WorkSeconds, 1e-9)
	assert.InDelta(t, 45, p.Levels[1].LagSeconds, 1e-9)
	assert.Equal(t, 150, p.Levels[1].Replies)
	assert.Equal(t, []string{"measured", "measured", "assumed", "assumed"}, []string{p.Levels[0].Source, p.Levels[1].Source, p.Levels[2].Source, p.Levels[3].Source})
	assert.InDeltaSlice(t, []float64{1, 1.5, 1.55, 1.6}, e.Target.Slow, 1e-9, "what was not seen slows down by the assumed 5 % more")
	assert.InDelta(t, 4*20/150.0, e.Target.Overhead, 1e-4, "four rounds of 20 s in 150 s")
	assert.InDelta(t, 80, e.Handling.Open[0].Work.Seconds(), 0.1)
	assert.InDelta(t, 120, e.Handling.Open[1].Work.Seconds(), 0.1)
	assert.Len(t, p.Doubts, 1)

	other, err := h.Pricing.Explain(t.Context(), planner, pricing.ExplainInput{Queue: after, At: at(today, 12)})
	ok(t, err)
	assert.Equal(t, "house", other.Handling.Pace.Source)
	assert.Zero(t, other.Handling.Pace.Replies)
	assert.InDelta(t, 20, other.Handling.Pace.Levels[0].WorkSeconds, 1e-9)

	// A plan of days before the replies has not seen them.
	h.opening(t, "early", pre, today.Add(-5), 20, 40)
	h.plans(t, pricing.PlanInput{From: today.Add(-5), Days: 1, Options: pricing.Options{Level: 0.5}})
	early, err := h.Pricing.Explain(t.Context(), planner, pricing.ExplainInput{Queue: pre, At: at(today.Add(-5), 12)})
	ok(t, err)
	assert.Equal(t, "assumed", early.Handling.Pace.Source)
	assert.Contains(t, early.Handling.Pace.Doubts[0], "0 measured replies")
}

// Past openings set the crowd: 900 chats within the first three minutes of a past sale leave nothing of the belief.
func TestPlansLearnTheRush(t *testing.T) {
	t.Parallel()
	h := measuredHouse(t)
	sold := at(today.Add(-10), 12)
	_, err := h.Planning.PutPromotions(t.Context(), planner, []planning.Promotion{{Platform: "tmall", Event: forecast.Event{
		Family: "double11", Start: sold, End: sold.Add(24 * time.Hour), Openings: []time.Time{sold},
	}}})
	ok(t, err)
	var b warehouse.Batch
	b.ID = "b"
	for i := range 2400 {
		c := operationstest.Conversation(string(pre), fmt.Sprint("c", i), "1001", sold.Add(time.Duration(i)*180*time.Second/2400), 5*time.Second)
		b.Conversations = append(b.Conversations, c)
	}
	h.Ingest(t, b)
	h.opening(t, "f", pre, today, 12, 60)
	plan := h.plans(t, pricing.PlanInput{From: today, Days: 1, Options: pricing.Options{Level: 0.5}})[0]
	rushes := pricing.FiguresOf(plan).Parts[0].Rushes
	require.Len(t, rushes, 1)
	r := rushes[0]
	assert.Equal(t, "measured", r.Source)
	assert.Equal(t, 1, r.Openings)
	assert.InDelta(t, 2400, r.Contacts, 0)
	assert.InDelta(t, 2400.0/2600, r.Own, 1e-12)
	assert.Greater(t, r.Share, 0.9, "none came later")
	assert.Less(t, r.Decay, 3*time.Minute)
}

// Tickets that orders bring are work with deadlines in the same plan; who leaves them out needs fewer heads.
func TestTicketsAreInThePlan(t *testing.T) {
	t.Parallel()
	h := measuredHouse(t)
	b := warehouse.Batch{ID: "b"}
	n := 0
	for d := today.Add(-60); d.Before(today); d = d.Add(1) {
		for i := range 50 {
			n++
			paid := at(d, 9).Add(time.Duration(i) * 10 * time.Minute).UTC()
			b.Orders = append(b.Orders, chatlog.OrderEvent{Merchant: "lumi", Shop: "lumi-tmall", Buyer: fmt.Sprint("b", n), Order: fmt.Sprint("o", n), Kind: chatlog.Paid, At: paid})
			if opened := paid.AddDate(0, 0, 2); calendar.DateOf(opened, shanghai).Before(today) {
				b.Tickets = append(b.Tickets, chatlog.Ticket{
					Merchant: "lumi", Shop: "lumi-tmall", Queue: after, ID: fmt.Sprint("t", n), Tag: "催发货", OpenedAt: opened, DueAt: opened.Add(2 * time.Hour), ClosedAt: opened.Add(time.Hour),
				})
			}
		}
	}
	h.Ingest(t, b)
	h.opening(t, "f", after, today, 20, 2)
	with := h.plans(t, pricing.PlanInput{From: today, Days: 1, Options: pricing.Options{Level: 0.5, Tickets: &pricing.TicketOptions{HandleTime: 10 * time.Minute}}})[0]
	d := pricing.FiguresOf(with).Deferred
	require.NotNil(t, d)
	assert.InDelta(t, 50, d.Tickets, 5, "one for each order of two days before")
	assert.InDelta(t, d.Tickets/6, d.WorkHours, 0.01)
	assert.Equal(t, 2*time.Hour, d.Due)
	assert.Equal(t, "asked for", d.WorkSource)
	assert.Contains(t, d.DueSource, "measured")
	assert.Positive(t, d.PeakExtra)
	without := h.plans(t, pricing.PlanInput{From: today, Days: 1, Options: pricing.Options{Level: 0.5, Tickets: &pricing.TicketOptions{Off: true}}})[0]
	assert.Nil(t, pricing.FiguresOf(without).Deferred)
	fw, fo := pricing.FiguresOf(with), pricing.FiguresOf(without)
	assert.InDelta(t, d.ExtraHours, fw.Hours-fo.Hours, 1e-9)
	assert.Equal(t, fo.Reached, fw.Reached, "live contacts are served as without tickets")
	for i, x := range d.Slots {
		assert.Equal(t, without.Requirement.Needs[i].Heads+x.Extra, with.Requirement.Needs[i].Heads)
		assert.Equal(t, without.Requirement.Needs[i].Heads, fw.Alone[i])
	}
	i := 0
	for d.Slots[i].Extra == 0 {
		i++
	}
	e, err := h.Pricing.Explain(t.Context(), planner, pricing.ExplainInput{Plan: with.ID, At: d.Slots[i].Start})
	ok(t, err)
	require.NotNil(t, e.Tickets)
	assert.Equal(t, d.Slots[i].Extra, e.Tickets.Heads)
	assert.Contains(t, e.Need.Reason, "after-sales tickets")
	assert.Equal(t, []int{e.Need.Heads - e.Tickets.Heads}, []int{e.Around[len(e.Around)-2].Heads}, "what is around are heads for live contacts")

	capped := h.plans(t, pricing.PlanInput{From: today, Days: 1, Options: pricing.Options{Level: 0.5, MaxHeads: 1, Tickets: &pricing.TicketOptions{HandleTime: time.Hour}}})[0]
	assert.Contains(t, strings.Join(pricing.FiguresOf(capped).Deferred.Doubts, "\n"), "under the ceiling")
	assert.Equal(t, 1, pricing.FiguresOf(capped).Peak)
}
