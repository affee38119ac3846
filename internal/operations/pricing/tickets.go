package pricing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing"
)

// TicketDemand is the after-sales tickets that are expected.
type TicketDemand struct {
	Days   []TicketDay
	Doubts []string
}

// TicketDay is the tickets that open on one day, at the level that is asked for.
type TicketDay struct {
	Date  calendar.Date
	Count float64
}

// TicketOptions is how after-sales tickets are planned beside live contacts. Zero fields take the defaults.
type TicketOptions struct {
	Off        bool          `json:"off,omitempty"`         // no tickets in the plan
	HandleTime time.Duration `json:"aht,omitempty"`         // work in a ticket; 0 = 6 min
	Due        time.Duration `json:"due,omitempty"`         // from opened to due; 0 = as measured, else 24 h
	UsableIdle float64       `json:"usable_idle,omitempty"` // share of live agents' idle time that tickets can use; 0 = 0.5
}

// Beliefs about tickets, where nothing is asked for or measured.
const (
	defaultTicketWork = 6 * time.Minute
	defaultTicketDue  = 24 * time.Hour
	defaultUsableIdle = 0.5
	ticketDays        = 28 // that are looked back at
	leastTickets      = 30 // that tell how long after being opened one is due
	longestTicketDue  = 30 * 24 * time.Hour
)

func (t *TicketOptions) problems() (bad []fault.Field) {
	if t == nil {
		return nil
	}
	if t.HandleTime < 0 || t.HandleTime > 24*time.Hour {
		bad = append(bad, fault.Field{Path: "tickets.aht", Value: t.HandleTime.String(), Problem: "must be above 0, at most 24h"})
	}
	if t.Due < 0 || t.Due > longestTicketDue {
		bad = append(bad, fault.Field{Path: "tickets.due", Value: t.Due.String(), Problem: "must be above 0, at most 720h"})
	}
	if !(t.UsableIdle >= 0 && t.UsableIdle <= 1) {
		bad = append(bad, fault.Field{Path: "tickets.usable_idle", Value: fmt.Sprint(t.UsableIdle), Problem: "must be a share from 0 to 1"})
	}
	return bad
}

// Deferred is the after-sales tickets in a plan: work with deadlines that idle time and extra heads do.
type Deferred struct {
	Tickets    float64                    `json:"tickets"` // expected to open, and those that are open
	Open       int                        `json:"open"`    // of them, open when the plan begins
	HandleTime time.Duration              `json:"aht"`
	WorkSource string                     `json:"aht_source"`
	Due        time.Duration              `json:"due"` // after being opened
	DueSource  string                     `json:"due_source"`
	UsableIdle float64                    `json:"usable_idle"`
	WorkHours  float64                    `json:"work_hours"`
	IdleShare  float64                    `json:"idle_share"` // of the work, done by live agents in their idle time
	ExtraHours float64                    `json:"extra_hours"`
	PeakExtra  int                        `json:"peak_extra"`
	Slots      []staffing.DeferredReached `json:"slots,omitempty"` // one per need
	Doubts     []string                   `json:"doubts,omitempty"`
}

// awaited is what is known of the tickets of one queue before it is planned.
type awaited struct {
	Deferred
	demand TicketDemand
	open   []time.Time // due instants of the open ones
}

// awaited reads the tickets of a queue: how many are expected, open, and how soon they are due. nil where none are planned.
func (p *Pricing) awaited(ctx context.Context, by asker, h past, q store.Queue, dates calendar.Dates, o Options) (*awaited, error) {
	t := TicketOptions{}
	if o.Tickets != nil {
		t = *o.Tickets
	}
	if t.Off || p.policy.Tickets == nil || o.Method != Each || q.Skill == string(scheduling.PreSale) {
		return nil, nil
	}
	out := &awaited{Deferred: Deferred{HandleTime: t.HandleTime, WorkSource: "asked for", Due: t.Due, DueSource: "asked for", UsableIdle: t.UsableIdle}}
	if out.HandleTime == 0 {
		out.HandleTime, out.WorkSource = scaled(defaultTicketWork, o.HandleFactor), assumed
	}
	if out.UsableIdle == 0 {
		out.UsableIdle = defaultUsableIdle
	}
	var err error
	if out.demand, err = p.policy.Tickets(ctx, by.who, q.ID, dates, o.Level); err != nil {
		if kind := fault.KindOf(err); kind == fault.NotFound || kind == fault.Invalid || kind == fault.Forbidden {
			out.Doubts = append(out.Doubts, "no tickets are expected: "+fault.Of(err).Message)
			return out, nil
		}
		doubt, err := unmeasured(err)
		out.Doubts = append(out.Doubts, doubt)
		return out, err
	}
	out.Doubts = out.demand.Doubts
	known, err := h.reader.Tickets(ctx, warehouse.Filter{Range: h.last(ticketDays), Queues: []ids.Queue{q.ID}})
	if err != nil {
		doubt, err := unmeasured(err)
		out.Doubts = append(out.Doubts, doubt)
		return out, err
	}
	out.dueAfter(known)
	out.stillOpen(known, h.until)
	return out, nil
}

// dueAfter is the median time from opened to due, unless it was asked for.
func (a *awaited) dueAfter(known []chatlog.Ticket) {
	if a.Due > 0 {
		return
	}
	var spans []time.Duration
	for _, t := range known {
		if t.DueAt.After(t.OpenedAt) {
			spans = append(spans, t.DueAt.Sub(t.OpenedAt))
		}
	}
	a.Due, a.DueSource = defaultTicketDue, assumed
	if len(spans) >= leastTickets {
		slices.Sort(spans)
		a.Due, a.DueSource = min(spans[len(spans)/2], longestTicketDue), fmt.Sprintf("measured: median of %d tickets", len(spans))
	}
}

// stillOpen keeps the tickets that are open and not overdue at an instant.
func (a *awaited) stillOpen(known []chatlog.Ticket, at time.Time) {
	late := 0
	for _, t := range known {
		if !t.ClosedAt.IsZero() && !t.ClosedAt.After(at) {
			continue
		}
		due := t.DueAt
		if due.IsZero() {
			due = t.OpenedAt.Add(a.Due)
		}
		if due.After(at) {
			a.open = append(a.open, due)
		} else {
			late++
		}
	}
	if a.Open = len(a.open); late > 0 {
		a.Doubts = append(a.Doubts, fmt.Sprintf("%d open tickets were overdue already and are not in the plan", late))
	}
}

// batches puts the tickets into the slots of a requirement: a day's as its live contacts come, the open ones into the first.
func (a *awaited) batches(out staffing.Output, o Options, zone *time.Location) (list []staffing.TicketBatch) {
	needs, slot := out.Requirement.Needs, out.Requirement.Slot
	batch := func(i int, due time.Time, count float64) {
		last := i
		for last+1 < len(needs) && !needs[last+1].Start.Add(slot).After(due) {
			last++
		}
		list = append(list, staffing.TicketBatch{Arrive: i, Deadline: last, Count: count, HandleTime: a.HandleTime.Seconds()})
		a.Tickets += count
	}
	for _, due := range a.open {
		batch(0, due, 1)
	}
	contacts, slots := map[calendar.Date]float64{}, map[calendar.Date]float64{}
	for _, r := range out.Reached {
		day := calendar.DateOf(r.Start, zone)
		contacts[day] += r.Contacts
		slots[day]++
	}
	for _, d := range a.demand.Days {
		for i, r := range out.Reached {
			if calendar.DateOf(r.Start, zone) != d.Date {
				continue
			}
			part := 1 / slots[d.Date]
			if contacts[d.Date] > 0 {
				part = r.Contacts / contacts[d.Date]
			}
			if count := d.Count * o.VolumeFactor * part; count > 0 {
				batch(i, r.Start.Add(a.Due), count)
			}
		}
	}
	return list
}

// onto plans the tickets beside the live contacts and adds their heads to the requirement. Where seats do not suffice it says so
// and adds none.
func (a *awaited) onto(out *staffing.Output, o Options, zone *time.Location) (*Deferred, error) {
	if a == nil || len(out.Requirement.Needs) == 0 {
		return nil, nil
	}
	in := staffing.DeferredInput{Slot: out.Requirement.Slot, Slots: staffing.DeferredSlots(*out, 0), UsableIdle: a.UsableIdle, LevelPeak: true}
	for i := range in.Slots {
		in.Slots[i].Start = in.Slots[i].Start.In(zone)
		in.Slots[i].MaxExtra = staffing.MaxAgents
		if o.MaxHeads > 0 {
			in.Slots[i].MaxExtra = max(0, o.MaxHeads-out.Requirement.Needs[i].Heads)
		}
	}
	in.Tickets = a.batches(*out, o, zone)
	plan, err := staffing.PlanDeferred(in)
	if err != nil {
		if fault.CodeOf(err) != "staffing.unreachable" {
			return nil, err
		}
		a.Doubts = append(a.Doubts, "under the ceiling not every ticket is done in time: "+fault.Of(err).Fields[0].Problem)
		return &a.Deferred, nil
	}
	a.WorkHours, a.IdleShare, a.ExtraHours, a.PeakExtra, a.Slots = plan.WorkHours, plan.IdleShare, plan.ExtraHours, plan.PeakExtra, plan.Slots
	out.Requirement = plan.Onto(out.Requirement)
	return &a.Deferred, nil
}
