package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/store"
)

// printFed says what plans were fed with beside demand and contracts: paces, openings, tickets and causes of
// absence, and which of it was measured.
func printFed(w io.Writer, made []store.Plan, zone *time.Location) {
	var openings, tickets, none, doubts []string
	paces := newTallied()
	var shrinks []pricing.Shrinkage
	heads, paid := 0.0, 0.0
	for _, p := range made {
		f := pricing.FiguresOf(p)
		for i, part := range f.Parts {
			if part.Pace != nil && i == 0 {
				paces.add(paceText(part.Pace.Source))
				doubts = append(doubts, part.Pace.Doubts...)
			}
			for _, r := range part.Rushes {
				openings = append(openings, fmt.Sprintf("opening %s (%s): %s", r.At.In(zone).Format("01-02 15:04"), r.Family, rushText(r)))
			}
		}
		for _, n := range p.Requirement.Needs {
			heads += float64(n.Heads) * p.Requirement.Slot.Hours()
			paid += n.Paid * p.Requirement.Slot.Hours()
		}
		if s := f.Shrinkage; s != nil {
			shrinks = append(shrinks, *s)
		}
		if d := f.Deferred; d != nil {
			if d.Tickets == 0 && len(d.Doubts) > 0 {
				none = append(none, "tickets: "+d.Doubts[0])
				continue
			}
			tickets = append(tickets, fmt.Sprintf("tickets %s: %.0f, %.1f h of work, %.0f%% of it in idle time, %.1f extra head-hours, at most %s; due after %s (%s)",
				p.Queue, d.Tickets, d.WorkHours, 100*d.IdleShare, d.ExtraHours, counted(d.PeakExtra, "head", "heads"), lengthText(d.Due), d.DueSource))
		}
	}
	if text := paces.text(", "); text != "" {
		fmt.Fprintln(w, "pace of replies by queue: "+text)
	}
	slices.Sort(doubts)
	for _, d := range slices.Compact(doubts) {
		fmt.Fprintln(w, "  "+d)
	}
	for _, line := range byQueues(openings) {
		fmt.Fprintln(w, line)
	}
	for _, line := range slices.Concat(tickets, byQueues(none)) {
		fmt.Fprintln(w, line)
	}
	if paid > 0 {
		fmt.Fprintf(w, "%.0f paid hours, %.1f%% of them away from the queue: %s\n", paid, 100*(1-heads/paid), shrinksText(shrinks))
	}
}

// rushText says how the contacts of an opening's slot come.
func rushText(r pricing.Rush) string {
	from := r.Source
	switch {
	case r.Openings > 0:
		from = fmt.Sprintf("%s: %.0f contacts after %d openings, %.0f%% of the weight", paceText(r.Source), r.Contacts, r.Openings, 100*r.Own)
	case r.Source == "assumed":
		from = "assumed: no opening was measured"
	}
	return fmt.Sprintf("%.0f%% of the slot's contacts in a rush that fades with %s (%s)", 100*r.Share, lengthText(r.Decay), from)
}

// paceText is a source of figures in words.
func paceText(source string) string {
	if source == "shrunk" {
		return "measured on few and drawn towards all queues"
	}
	return source
}

// tallied counts equal texts and keeps their order.
type tallied struct {
	names []string
	count map[string]int
}

func newTallied() tallied { return tallied{count: map[string]int{}} }

func (t *tallied) add(name string) {
	if t.count[name]++; t.count[name] == 1 {
		t.names = append(t.names, name)
	}
}

func (t *tallied) text(join string) string {
	parts := make([]string, len(t.names))
	for i, n := range t.names {
		if parts[i] = n; len(t.names) > 1 {
			parts[i] = fmt.Sprintf("%s in %d", n, t.count[n])
		}
	}
	return strings.Join(parts, join)
}

// byQueues tells equal lines once, with how many queues they are about.
func byQueues(lines []string) (out []string) {
	all := newTallied()
	for _, l := range lines {
		all.add(l)
	}
	for _, n := range all.names {
		queues := "1 queue"
		if all.count[n] > 1 {
			queues = fmt.Sprintf("%d queues", all.count[n])
		}
		out = append(out, n+", "+queues)
	}
	return out
}

// printPace opens AHT(c): what was measured of it.
func printPace(line func(name, format string, args ...any), h pricing.ExplainedHandling) {
	for _, o := range h.Open {
		seen := paceText(o.Source)
		if o.Replies > 0 {
			seen = fmt.Sprintf("%s, %d replies", seen, o.Replies)
		}
		lag := ""
		if o.Lag > 0 {
			lag = fmt.Sprintf(", a question is answered after %s", o.Lag.Round(100*time.Millisecond))
		}
		line("", "with %d open: %s of own work, %s if nobody waits for the agent%s (%s)", o.Open, o.Work.Round(100*time.Millisecond), lengthText(o.HandleTime.Round(time.Second)), lag, seen)
	}
	p := h.Pace
	if p == nil {
		return
	}
	switch {
	case len(p.Levels) == 0:
		line("pace", "assumed: %s", strings.Join(p.Doubts, "; "))
	case p.Replies == 0:
		line("pace", "of the house: %d replies of all queues, %s to %s, none of this one", p.House, p.Days.From, p.Days.Until.Add(-1))
	default:
		line("pace", "%s: %d replies, %s to %s, beside %d of all queues", paceText(p.Source), p.Replies, p.Days.From, p.Days.Until.Add(-1), p.House)
	}
	if len(p.Levels) > 0 {
		for _, d := range p.Doubts {
			line("", "%s", d)
		}
	}
}

// printShrinkage opens the way from heads to paid heads into its causes.
func printShrinkage(line func(name, format string, args ...any), e pricing.Explanation) {
	s := e.Shrinkage
	line("shrinkage", "%.3g%%: %d heads on the queue are %.1f paid", 100*s.Share, e.Need.Heads, s.Paid)
	says := map[string]string{}
	for _, x := range s.Sources {
		says[x.Cause] = "; " + x.Says
	}
	for _, l := range s.Lines {
		if l.Cause != "required" {
			line("", "%+.2f %s: %s%s", float64(l.MilliHeads)/1000, l.Cause, l.Text, says[l.Cause])
		}
	}
	if s.Mix != nil {
		line("", "complaints per contact: %.2f times those of a trained team", s.Mix.Complaints)
	}
}

// printTickets says what after-sales tickets add to the slot.
func printTickets(line func(name, format string, args ...any), e pricing.Explanation, clock func(time.Time) string) {
	t := e.Tickets
	if t == nil {
		return
	}
	p := t.Plan
	if p.Tickets == 0 {
		line("tickets", "none: %s", strings.Join(p.Doubts, "; "))
		return
	}
	why := "idle time is enough here"
	if t.Heads > 0 {
		why = fmt.Sprintf("%d of the heads are for tickets due by %s", t.Heads, clock(t.Until))
	}
	line("tickets", "%.2f h of work in the slot, %.2f in idle time; %.1f h wait after it; %s", t.Slot.FromIdle+t.Slot.FromExtra, t.Slot.FromIdle, t.Slot.Backlog, why)
	line("", "%.0f tickets in the plan, %s each (%s), due after %s (%s), %.0f%% of idle time can be used", p.Tickets, lengthText(p.HandleTime), p.WorkSource, lengthText(p.Due), p.DueSource, 100*p.UsableIdle)
}
