package demo

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

func worldOf(t *testing.T) *world {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	w, err := newWorld(zone)
	require.NoError(t, err)
	return w
}

// The size that the issue asks for.
func TestTheWorldIsAsLargeAsPromised(t *testing.T) {
	w := worldOf(t)
	assert.Len(t, sites, 3)
	assert.Len(t, w.merchants, 6)
	assert.Len(t, w.agents, 120)
	assert.Equal(t, 30, w.days)
	months := 0
	for m := (calendar.Month{Year: w.from.Year, Month: w.from.Month}); m != w.month; m = m.Next() {
		months++
	}
	assert.Equal(t, 1, w.from.Day)
	assert.GreaterOrEqual(t, months, 24)
	platforms := map[contracts.Platform]bool{}
	for _, s := range w.shops {
		platforms[s.Platform] = true
		assert.Len(t, s.Queues, 2, s.ID)
	}
	assert.Equal(t, map[contracts.Platform]bool{"tmall": true, "jd": true, "pdd": true, "douyin": true}, platforms)
	assert.Len(t, w.demands, 2*len(w.shops))
	for _, s := range sites {
		require.NoError(t, s.Validate())
	}
	for _, team := range w.teams {
		require.NoError(t, team.Validate())
	}
}

func TestTheHistoryHasTwoOfEachBigSale(t *testing.T) {
	w := worldOf(t)
	var events []forecast.Event
	within := map[string]int{}
	for _, p := range w.planned {
		events = append(events, p.Event)
		if !p.Start.Before(w.from.In(w.zone)) && !p.End.After(w.month.First().In(w.zone)) {
			within[p.Family]++
		}
	}
	require.NoError(t, forecast.ValidateEvents(events))
	assert.Equal(t, map[string]int{"618": 2, "double11": 2}, within)

	// A sale shows: the day after the last opening (the 11th and the 18th) is far above the same
	// weekday five weeks before, which lies before the sale's first opening.
	for _, peak := range []calendar.Date{{Year: 2024, Month: 11, Day: 11}, {Year: 2025, Month: 6, Day: 18}, {Year: 2025, Month: 11, Day: 11}, {Year: 2026, Month: 6, Day: 18}} {
		for _, d := range w.demands {
			if d.kind == scheduling.PreSale {
				assert.Greater(t, total(d.draw(peak)), 3*total(d.draw(peak.Add(-42)))/2, "%s %s", d.queue, peak)
			}
		}
	}
}

func total(counts [96]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

func TestEveryAgentIsValidAndHasWork(t *testing.T) {
	w := worldOf(t)
	seen := map[ids.Agent]bool{}
	perQueue := map[ids.Queue]int{}
	for _, a := range w.agents {
		require.NoError(t, a.Validate())
		assert.False(t, seen[a.ID], a.ID)
		seen[a.ID] = true
		assert.GreaterOrEqual(t, len(a.Skills), 2)
		assert.LessOrEqual(t, len(a.Skills), 4)
		on := w.month.First()
		assert.True(t, a.Employed.Contains(on), "%s is employed when the conversations take place", a.ID)
		for _, s := range a.Skills {
			if _, ok := a.SkillAt(s.Queue, on); ok {
				perQueue[s.Queue]++
			}
		}
	}
	for _, d := range w.demands {
		assert.GreaterOrEqual(t, perQueue[d.queue], 5, d.queue)
	}
}

// Whoever follows the documentation sees what it shows.
func TestTheSameSeedMakesTheSameBytes(t *testing.T) {
	text := func() []byte {
		w := worldOf(t)
		w.days = 1
		var month []any
		states, err := w.makeBatches(func(b warehouse.Batch) {
			month = append(month, b.ID, b.Conversations, b.Events, b.Orders, b.Tickets)
		})
		require.NoError(t, err)
		merchants, agreed, err := intake.Contracts("contracts.yaml", bytes.NewReader(contractFile))
		require.NoError(t, err)
		var history []chatlog.Contacts
		for _, d := range w.demands {
			history = append(history, w.history(d, w.from)...)
		}
		b, err := json.Marshal([]any{merchants, agreed, w.planned, w.teams, w.agents, history, month, states})
		require.NoError(t, err)
		return b
	}
	first := text()
	assert.Greater(t, len(first), 100_000)
	assert.True(t, bytes.Equal(first, text()))
}

// A day can be drawn alone: no draw depends on what was drawn before.
func TestADayDoesNotDependOnTheDaysBefore(t *testing.T) {
	w := worldOf(t)
	day := w.from.Add(200)
	alone := worldOf(t).history(w.demands[3], day)
	for date := w.from; date.Before(day); date = date.Add(1) {
		w.history(w.demands[3], date)
	}
	assert.Equal(t, alone, w.history(w.demands[3], day))
}

func TestTheHistoryIsValidAndComplete(t *testing.T) {
	w := worldOf(t)
	for _, d := range w.demands {
		offered, expected, quarters := 0.0, 0.0, 0
		for date := w.from; date.Before(w.month.First()); date = date.Add(1) {
			open, rows := 0, w.history(d, date)
			for i, rate := range d.slots(date) {
				if math.IsNaN(rate) || rate < 0 || d.open[i] != (rate > 0) { // a million slots: assertions are slow
					require.Fail(t, "a rate that cannot be", "%v in slot %d of %s on %s", rate, i, d.queue, date)
				}
				expected += rate
				if d.open[i] {
					open++
				}
			}
			require.Len(t, rows, open)
			for _, r := range rows {
				if err := r.Validate(); err != nil || !r.Simulated || r.Slot != calendar.Slot {
					require.Fail(t, "a row that cannot be", "%+v: %v", r, err)
				}
				offered += r.Offered
			}
			quarters += open
		}
		// Counts are Poisson around their rates, up to the noise of a slot, whose mean is 1.
		assert.InDelta(t, expected, offered, 5*math.Sqrt(2*expected), d.queue)
		assert.GreaterOrEqual(t, quarters, 24*30*14*4, d.queue)
	}
}

func TestEveryConversationIsInOrder(t *testing.T) {
	w := worldOf(t)
	start, end := w.month.First().In(w.zone), w.month.Next().First().In(w.zone)
	seen := map[string]bool{}
	days := map[calendar.Date]int{}
	agents := map[ids.Agent]bool{}
	count, rated, answered := 0, 0, 0
	orders, tickets := map[chatlog.OrderKind]int{}, 0
	states, err := w.simulate(func(x *simulate.Conversation) {
		count++
		c := w.conversation(x, start)
		events := w.events(nil, x, c, start)
		if problem := cmp.Or(conversationProblem(c, start, end), eventsProblem(c, events), roundsProblem(x, events, w, start)); problem != "" {
			require.Fail(t, problem, "%+v\n%+v\n%+v", c, x, events)
		}
		if seen[c.ID] {
			require.Fail(t, "two conversations are "+c.ID)
		}
		seen[c.ID] = true
		days[calendar.DateOf(c.StartedAt, w.zone)]++
		if c.Rating != nil {
			rated++
		}
		if c.Agent != "" {
			answered++
			agents[c.Agent] = true
		}
		for _, o := range w.orders(x, c) {
			if err := o.Validate(); err != nil || !o.Simulated {
				require.Fail(t, "a step of an order that cannot be", "%+v: %v", o, err)
			}
			orders[o.Kind]++
		}
		for _, ticket := range w.tickets(x, c) {
			if err := ticket.Validate(); err != nil || !ticket.Simulated {
				require.Fail(t, "a ticket that cannot be", "%+v: %v", ticket, err)
			}
			tickets++
		}
	})
	require.NoError(t, err)
	assert.Len(t, days, 30, "conversations on every day")
	assert.Len(t, agents, 120, "every agent answers some")
	assert.Greater(t, count, 100_000)
	assert.Greater(t, float64(answered), 0.8*float64(count))
	assert.InDelta(t, 0.28, float64(rated)/float64(answered), 0.05, "the share that is rated")
	assert.InDelta(t, payShare, float64(orders[chatlog.Paid])/float64(orders[chatlog.Inquiry]), 0.01)
	assert.InDelta(t, refundShare, float64(orders[chatlog.Refunded])/float64(orders[chatlog.Paid]), 0.01)
	assert.Equal(t, orders[chatlog.Paid], orders[chatlog.Shipped])
	assert.Greater(t, tickets, 1000)
	checkStates(t, states)
}

// conversationProblem is what the warehouse would not refuse but nobody could have lived through.
func conversationProblem(c chatlog.Conversation, start, end time.Time) string {
	switch {
	case c.Validate() != nil:
		return c.Validate().Error()
	case !c.Simulated:
		return "is not marked as simulated"
	case c.StartedAt.Before(start) || !c.StartedAt.Before(end):
		return "is outside the month"
	case c.EndedAt.Before(c.StartedAt):
		return "ends before it starts"
	case c.Abandoned && !c.AnsweredAt.IsZero():
		return "is answered and abandoned"
	case (c.Agent == "") != c.AnsweredAt.IsZero():
		return "has an answer without an agent"
	case !strings.HasPrefix(c.Buyer, "sim-"):
		return "has a buyer who may be real"
	}
	return ""
}

// eventsProblem is what the header and the messages say differently.
func eventsProblem(c chatlog.Conversation, events []chatlog.Event) string {
	seen := map[string]bool{}
	written := map[chatlog.EventKind]int{}
	first := time.Time{}
	for _, e := range events {
		switch {
		case e.Validate() != nil:
			return e.Validate().Error()
		case !e.Simulated || e.Conversation != c.ID || e.Shop != c.Shop || e.Queue != c.Queue:
			return "has an event of another conversation"
		case seen[e.ID]:
			return "has the event " + e.ID + " twice"
		case e.At.Before(c.StartedAt) || e.At.After(c.EndedAt) && (e.Kind == chatlog.BuyerMessage || e.Kind == chatlog.AgentMessage):
			return "has a message outside its time"
		}
		seen[e.ID] = true
		written[e.Kind]++
		if e.Kind == chatlog.AgentMessage && (first.IsZero() || e.At.Before(first)) {
			first = e.At
		}
	}
	if written[chatlog.BuyerMessage] != c.BuyerMessages || written[chatlog.AgentMessage] != c.AgentMessages || !first.Equal(c.AnsweredAt) {
		return fmt.Sprintf("has other messages than its header says: %v", written)
	}
	return ""
}

// roundsProblem compares the turns that the messages make with those that were simulated.
func roundsProblem(x *simulate.Conversation, events []chatlog.Event, w *world, start time.Time) string {
	slices.SortStableFunc(events, func(a, b chatlog.Event) int { return a.At.Compare(b.At) })
	var rounds []chatlog.Round
	open := false
	for _, e := range events {
		switch {
		case e.Kind == chatlog.BuyerMessage && !e.Closing && !open:
			rounds, open = append(rounds, chatlog.Round{OpenedAt: e.At}), true
		case e.Kind == chatlog.AgentMessage && open:
			last := &rounds[len(rounds)-1]
			last.AnsweredAt, last.Agent, open = e.At, e.Agent, false
		}
	}
	if len(rounds) != len(x.Rounds) {
		return fmt.Sprintf("%d turns became %d", len(x.Rounds), len(rounds))
	}
	for i, r := range x.Rounds {
		want := chatlog.Round{OpenedAt: start.Add(r.Opened)}
		if r.Answered != simulate.Never {
			want.AnsweredAt, want.Agent = start.Add(r.Answered), w.agents[r.Agent].ID
		}
		if rounds[i] != want {
			return fmt.Sprintf("turn %d became %+v", i, rounds[i])
		}
	}
	return ""
}

// checkStates: nobody is in two states at once.
func checkStates(t *testing.T, states []chatlog.AgentState) {
	t.Helper()
	until := map[ids.Agent]time.Time{}
	kinds := map[chatlog.State]time.Duration{}
	for _, s := range states {
		if err := s.Validate(); err != nil || !s.Simulated {
			require.Fail(t, "a state that cannot be", "%+v: %v", s, err)
		}
		if s.Start.Before(until[s.Agent]) {
			require.Fail(t, "in two states", "%+v, busy until %s", s, until[s.Agent])
		}
		until[s.Agent] = s.End
		kinds[s.State] += s.End.Sub(s.Start)
	}
	assert.Len(t, until, 120)
	for _, s := range []chatlog.State{chatlog.Ready, chatlog.Busy, chatlog.OnBreak} {
		assert.Positive(t, kinds[s], s)
	}
	assert.Less(t, kinds[chatlog.OnBreak], kinds[chatlog.Ready]+kinds[chatlog.Busy])
}

func TestContractsAreValid(t *testing.T) {
	merchants, agreed, err := intake.Contracts("contracts.yaml", bytes.NewReader(contractFile))
	require.NoError(t, err)
	w := worldOf(t)
	for _, m := range merchants {
		assert.True(t, slices.ContainsFunc(agreed, func(c contracts.Contract) bool { return c.Merchant == m.ID }), "%s has a contract", m.ID)
		for _, s := range m.Shops {
			for _, q := range s.Queues {
				h, err := forecast.ParseHours(q.Hours)
				require.NoError(t, err)
				open, err := openSlots(q.Hours)
				require.NoError(t, err)
				for day := time.Sunday; day <= time.Saturday; day++ {
					for i := range open {
						require.Equal(t, open[i], h.Open(day, i*15), "%s is open at the same hours every day", q.ID)
					}
				}
			}
		}
	}
	assert.Len(t, agreed, len(w.merchants))
}
