package simulate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

type faults []fault.Field

func (f *faults) add(value any, problem, path string, args ...any) {
	*f = append(*f, fault.Field{Path: fmt.Sprintf(path, args...), Value: fmt.Sprint(value), Problem: problem})
}

func (f *faults) share(v float64, path string, args ...any) {
	if !(v >= 0 && v <= 1) {
		f.add(v, "must be a share from 0 to 1", path, args...)
	}
}

func (f *faults) amount(v, least float64, path string, args ...any) {
	if v != 0 && !(v >= least) || math.IsInf(v, 0) {
		f.add(v, fmt.Sprintf("must be a number, %g or more", least), path, args...)
	}
}

func (f *faults) span(s Span, path string, args ...any) {
	if s.Mean < 0 || s.Shape > Constant || !(s.CV >= 0) || math.IsInf(s.CV, 0) {
		f.add(s, "must have a mean and a CV of 0 or more", path, args...)
	}
}

// Validate reports every bad field.
func (c Config) Validate() error {
	var bad faults
	if c.Horizon <= 0 {
		bad.add(c.Horizon, "must be longer than 0", "horizon")
	}
	if len(c.Queues) == 0 {
		bad.add(0, "must hold at least one queue", "queues")
	}
	for i, q := range c.Queues {
		q.check(&bad, i, len(c.Queues))
		if len(q.Rates) > 0 && c.Slot <= 0 {
			bad.add(c.Slot, "must be longer than 0 when a queue has rates", "slot")
		}
	}
	for i, a := range c.Agents {
		a.check(&bad, i, len(c.Queues))
	}
	return fault.Bad("simulate.invalid", "simulation", bad)
}

func (q Queue) check(bad *faults, i, queues int) {
	for j, r := range q.Rates {
		bad.amount(r, 0, "queues[%d].rates[%d]", i, j)
	}
	for j, s := range q.Spikes {
		if !(s.Contacts >= 0) || math.IsInf(s.Contacts, 0) || s.At < 0 || s.Decay <= 0 {
			bad.add(s, "must have 0 or more contacts, a start of 0 or later and a positive decay", "queues[%d].spikes[%d]", i, j)
		}
	}
	if !slices.IsSorted(q.Instants) || len(q.Instants) > 0 && q.Instants[0] < 0 {
		bad.add(len(q.Instants), "must be ascending and not negative", "queues[%d].instants", i)
	}
	bad.amount(q.Rounds, 1, "queues[%d].rounds", i)
	bad.amount(q.BuyerMessages, 1, "queues[%d].buyer_messages", i)
	bad.amount(q.AgentMessages, 1, "queues[%d].agent_messages", i)
	bad.amount(q.WaitAnnoyance, 0, "queues[%d].wait_annoyance", i)
	bad.span(q.Work, "queues[%d].work", i)
	bad.span(q.Think, "queues[%d].think", i)
	bad.span(q.Linger, "queues[%d].linger", i)
	bad.span(q.Patience, "queues[%d].patience", i)
	bad.span(q.LongPauseTime, "queues[%d].long_pause_time", i)
	bad.share(q.Silent, "queues[%d].silent", i)
	bad.share(q.Transfer, "queues[%d].transfer", i)
	bad.share(q.Rated, "queues[%d].rated", i)
	bad.share(q.Satisfied, "queues[%d].satisfied", i)
	bad.share(q.Resolved, "queues[%d].resolved", i)
	bad.share(q.LongPause, "queues[%d].long_pause", i)
	if q.Transfer > 0 && (q.TransferTo < 0 || q.TransferTo >= queues || q.TransferTo == i) {
		bad.add(q.TransferTo, "must be the index of another queue", "queues[%d].transfer_to", i)
	}
}

func (a Agent) check(bad *faults, i, queues int) {
	for _, q := range a.Queues {
		if q < 0 || q >= queues {
			bad.add(q, "must be the index of a queue", "agents[%d].queues", i)
		}
	}
	if a.Limit < 0 {
		bad.add(a.Limit, "must be 0 or more", "agents[%d].limit", i)
	}
	bad.amount(a.Speed, 0, "agents[%d].speed", i)
	bad.amount(a.Slowdown, 0, "agents[%d].slowdown", i)
	for _, q := range a.Overflow {
		if q < 0 || q >= queues || slices.Contains(a.Queues, q) {
			bad.add(q, "must be the index of a queue that is not in queues", "agents[%d].overflow", i)
		}
	}
	last := time.Duration(0)
	for _, d := range a.Duty {
		if d.Start < last || d.End <= d.Start {
			bad.add(d, "must be ascending, disjoint and of positive length", "agents[%d].duty", i)
			break
		}
		last = d.End
	}
}
