package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// batchRows is how many conversations go into one acknowledged batch, batchEvents about how many
// messages they have.
const (
	batchRows   = 20_000
	batchEvents = 13 * batchRows
)

// loadMonth simulates every conversation of the month with its messages, what came of it, and what
// the agents did meanwhile. One batch is written while the next is made.
func (w *world) loadMonth(ctx context.Context, ops *operations.Operations, who access.Principal, progress func(string)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	batches, written := make(chan warehouse.Batch), make(chan struct{})
	go func() {
		defer close(written)
		for b := range batches {
			if err := ops.Measuring.Ingest(ctx, who, b); err != nil {
				stop(err)
				return
			}
			progress(fmt.Sprintf("conversations through %s", b.Conversations[len(b.Conversations)-1].StartedAt.In(w.zone).Format(time.DateOnly)))
		}
	}()
	states, err := w.makeBatches(func(b warehouse.Batch) {
		select {
		case batches <- b:
		case <-ctx.Done(): // the simulation has no brake; it ends within seconds
		}
	})
	close(batches)
	<-written
	if err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	return ops.Measuring.Ingest(ctx, who, warehouse.Batch{ID: ids.Batch("demo-states-" + w.month.String()), States: states})
}

// makeBatches simulates the month and hands it over in batches, always the same ones.
func (w *world) makeBatches(send func(warehouse.Batch)) ([]chatlog.AgentState, error) {
	var rows warehouse.Batch
	sent := 0
	flush := func() {
		if len(rows.Conversations) == 0 {
			return
		}
		sent++
		rows.ID = ids.Batch(fmt.Sprintf("demo-%s-%03d", w.month, sent))
		send(rows)
		rows = warehouse.Batch{Events: make([]chatlog.Event, 0, batchEvents)} // growing it would cost more than filling it
	}
	start := w.month.First().In(w.zone)
	states, err := w.simulate(func(c *simulate.Conversation) {
		head := w.conversation(c, start)
		rows.Conversations = append(rows.Conversations, head)
		rows.Events = w.events(rows.Events, c, head, start)
		rows.Orders = append(rows.Orders, w.orders(c, head)...)
		rows.Tickets = append(rows.Tickets, w.tickets(c, head)...)
		if len(rows.Conversations) >= batchRows {
			flush()
		}
	})
	flush()
	return states, err
}

// simulate hands over every conversation of the month as it ends, and returns what the agents did.
func (w *world) simulate(emit func(*simulate.Conversation)) ([]chatlog.AgentState, error) {
	start := w.month.First().In(w.zone)
	config := w.simulation()
	busy := make([][]calendar.Range, len(w.agents))
	_, err := simulate.Run(config, func(c *simulate.Conversation) {
		emit(c)
		for _, r := range c.Rounds {
			if r.Agent >= 0 && r.Answered != simulate.Never {
				busy[r.Agent] = append(busy[r.Agent], calendar.Range{Start: start.Add(r.Started), End: start.Add(r.Answered)})
			}
		}
	})
	return states(w.agents, config, busy, start), err
}

// simulation is the month as the simulator sees it.
func (w *world) simulation() simulate.Config {
	c := simulate.Config{Seed: seed, Horizon: time.Duration(w.days) * 24 * time.Hour, Slot: calendar.Slot}
	index := map[ids.Queue]int{}
	for i, d := range w.demands {
		index[d.queue] = i
		q := simulate.Queue{
			Rounds: 4, Work: simulate.Span{Mean: 11 * time.Second, Shape: simulate.Lognormal, CV: 0.7},
			Think: simulate.Span{Mean: 38 * time.Second, Shape: simulate.Lognormal, CV: 1}, Linger: simulate.Span{Mean: 30 * time.Second, Shape: simulate.Exponential},
			LongPause: 0.06, LongPauseTime: simulate.Span{Mean: 4 * time.Minute, Shape: simulate.Exponential},
			Silent: 0.06, SilentTimeout: 2 * time.Minute, Patience: simulate.Span{Mean: 6 * time.Minute, Shape: simulate.Exponential},
			BuyerMessages: 1.4, AgentMessages: 1.3, Rated: 0.28, Satisfied: 0.95, WaitAnnoyance: 0.8, Resolved: 0.86,
		}
		if d.kind == scheduling.AfterSale {
			q.Rounds, q.Work.Mean, q.Satisfied, q.Resolved = 5, 13*time.Second, 0.9, 0.78
		}
		for day := range w.days {
			slots := d.slots(w.month.First().Add(day))
			q.Rates = append(q.Rates, slots[:]...)
		}
		c.Queues = append(c.Queues, q)
	}
	for i, a := range w.agents {
		server := simulate.Agent{Limit: a.Concurrency, Duty: w.duty(i, w.days), Speed: 0.85 + 0.05*float64(i%7), Slowdown: 0.05}
		for _, s := range a.Skills {
			server.Queues = append(server.Queues, index[s.Queue])
		}
		c.Agents = append(c.Agents, server)
	}
	return c
}

// duty is what agent i really worked: rotating shifts with an hour's meal, two days off a week,
// all hands from the evening of the 10th through the 11th.
func duty(i, days int) []simulate.Interval {
	starts := [...]time.Duration{8 * time.Hour, 15 * time.Hour, 14 * time.Hour, 11 * time.Hour}
	var out []simulate.Interval
	for day := range days {
		allHands := day == 9 || day == 10
		if off := (day + i) % 7; off >= 5 && !allHands {
			continue
		}
		from := time.Duration(day)*24*time.Hour + starts[(i/2+day/7)%len(starts)]
		meal := from + 4*time.Hour + time.Duration(i%4)*30*time.Minute
		out = append(out, simulate.Interval{Start: from, End: meal}, simulate.Interval{Start: meal + time.Hour, End: from + 9*time.Hour})
	}
	return out
}

func (w *world) conversation(c *simulate.Conversation, start time.Time) chatlog.Conversation {
	queue := w.demands[c.Queue].queue
	out := chatlog.Conversation{
		Merchant: w.merchantOf(queue), Shop: w.shopOf(queue), Queue: queue, Channel: "chat",
		ID: fmt.Sprintf("sim-%d-%d", c.Queue, c.Number), Buyer: buyer(c),
		StartedAt: start.Add(c.Arrived), EndedAt: start.Add(c.Ended), Simulated: true,
		Abandoned:     c.Outcome == simulate.Abandoned || c.Outcome == simulate.Unserved,
		BuyerMessages: c.BuyerMessages, AgentMessages: c.AgentMessages,
	}
	if first := c.FirstResponse(); first != simulate.Never {
		out.AnsweredAt, out.Agent = out.StartedAt.Add(first), w.agents[c.FirstAgent].ID
		// As platforms export it and the history has it: how long the agent had it open, buyer's pauses included.
		out.HandleTime = out.EndedAt.Sub(out.AnsweredAt)
		resolved := c.Resolved // c is only valid during the callback
		out.Resolved = &resolved
	}
	if c.Rating > 0 {
		rating := c.Rating
		out.Rating = &rating
	}
	return out
}

// states turns duty and handled conversations into what a status monitor would have recorded.
func states(agents []workforce.Agent, c simulate.Config, busy [][]calendar.Range, start time.Time) []chatlog.AgentState {
	var out []chatlog.AgentState
	add := func(agent ids.Agent, state chatlog.State, from, to time.Time) {
		if from.Before(to) {
			out = append(out, chatlog.AgentState{Agent: agent, State: state, Start: from, End: to, Simulated: true})
		}
	}
	for i, a := range agents {
		work, first := merge(busy[i]), 0
		for n, d := range c.Agents[i].Duty {
			from, to := start.Add(d.Start), start.Add(d.End)
			at := from
			for first < len(work) && !work[first].End.After(from) {
				first++
			}
			for _, b := range work[first:] {
				if !b.Start.Before(to) {
					break
				}
				add(a.ID, chatlog.Ready, at, b.Start)
				add(a.ID, chatlog.Busy, calendar.Later(at, b.Start), b.End)
				at = calendar.Later(at, b.End)
			}
			add(a.ID, chatlog.Ready, at, to)
			if n%2 == 0 {
				add(a.ID, chatlog.OnBreak, calendar.Later(at, to), start.Add(c.Agents[i].Duty[n+1].Start))
			}
		}
	}
	return out
}

// merge joins overlapping and nearly touching ranges, so that a minute of chatting is one state.
func merge(ranges []calendar.Range) []calendar.Range {
	const gap = 20 * time.Second
	slices.SortFunc(ranges, func(a, b calendar.Range) int {
		return cmp.Or(a.Start.Compare(b.Start), a.End.Compare(b.End))
	})
	var out []calendar.Range
	for _, r := range ranges {
		if n := len(out); n > 0 && !r.Start.After(out[n-1].End.Add(gap)) {
			out[n-1].End = calendar.Later(out[n-1].End, r.End)
			continue
		}
		out = append(out, r)
	}
	return out
}
