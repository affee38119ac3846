package revising

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// The codes of what is broken beside the rules of work.
const (
	seatsRule = "site.seats"  // hard: more people at a site than it has seats
	blockRule = "queue.block" // soft: a queue is left sooner than the roster's least block
)

// judgePlaces asks whether everybody has a seat, and who would change queue too soon. Only what the
// changes make worse is told.
func (d *Desk) judgePlaces(ctx context.Context, view *store.View, v *Verdict, head store.Roster, least time.Duration, sites []roster.Site, around []stretch) error {
	broken, err := d.seatless(ctx, view, head, sites, around, v.Changes)
	if err != nil {
		return err
	}
	v.Allowed = v.Allowed && len(broken) == 0
	v.Broken = append(append(v.Broken, broken...), chopped(v.Changes, least, d.policy.Zone)...)
	return nil
}

// chopped are the changes that leave more blocks too short than there were.
func chopped(changes []revise.Change, least time.Duration, zone *time.Location) (out []Broken) {
	for _, c := range changes {
		if c.After == nil {
			continue
		}
		short, before := roster.ShortBlocks(*c.After, least), 0
		if c.Before != nil {
			before = len(roster.ShortBlocks(*c.Before, least))
		}
		// Somebody else's shift that is taken over as it is chops nothing more than it did.
		for _, o := range changes {
			if o.Before != nil && o.Before.Start.Equal(c.After.Start) && o.Before.End.Equal(c.After.End) {
				before = max(before, len(roster.ShortBlocks(*o.Before, least)))
			}
		}
		if len(short) <= before {
			continue
		}
		b := short[0]
		out = append(out, Broken{Violation: workrules.Violation{
			Rule: blockRule, Agent: c.After.Agent, Range: b.Range, Amount: (least - b.Range.Duration()).Hours(),
			Sentence: workrules.Text{
				ZH: fmt.Sprintf("%s 起在 %s 只做 %s，至少应连续 %s", b.Range.Start.In(zone).Format(clockLayout), b.Queue, hours(b.Range.Duration()), hours(least)),
				EN: fmt.Sprintf("from %s only %s on %s, the least is %s", b.Range.Start.In(zone).Format(clockLayout), hours(b.Range.Duration()), b.Queue, hours(least)),
			},
			Fix: workrules.Text{ZH: "延长该队列时段，或整段只做一个队列", EN: "stay longer on the queue, or one queue for the whole stretch"},
		}})
	}
	return out
}

const clockLayout = "2006-01-02 15:04"

func hours(d time.Duration) string { return fmt.Sprintf("%.4g h", d.Hours()) }

// Seatless are the changes of a roster that need more seats than their sites have: one for each stretch
// that gets worse, under the agent who comes into it.
func (d *Desk) Seatless(ctx context.Context, view *store.View, head store.Roster, changes []revise.Change) ([]Broken, error) {
	sites, err := d.Sites(ctx, view)
	if err != nil || len(sites) == 0 {
		return nil, err
	}
	around, err := stretches(ctx, view, head, changes, true)
	if err != nil {
		return nil, err
	}
	return d.seatless(ctx, view, head, sites, around, changes)
}

func (d *Desk) seatless(ctx context.Context, view *store.View, head store.Roster, sites []roster.Site, around []stretch, changes []revise.Change) (out []Broken, err error) {
	if len(sites) == 0 {
		return nil, nil
	}
	at := map[ids.Agent]ids.Site{}
	people, err := peopleOf(ctx, view, revise.Agents(changes))
	if err != nil {
		return nil, err
	}
	for _, a := range people {
		at[a.ID] = seatOf(a)
	}
	for _, site := range sites {
		here := slices.DeleteFunc(slices.Clone(changes), func(c revise.Change) bool { return at[c.Agent()] != site.ID })
		if len(here) == 0 {
			continue
		}
		seated, err := view.SeatedAt(ctx, site.ID)
		if err != nil {
			return nil, err
		}
		for _, stretch := range around {
			in := slices.DeleteFunc(slices.Clone(here), func(c revise.Change) bool { return !stretch.meets(c) })
			if len(in) == 0 {
				continue
			}
			before := slices.DeleteFunc(slices.Clone(stretch.shifts), func(s scheduling.Shift) bool {
				_, is := slices.BinarySearch(seated, s.Agent)
				return !is
			})
			beyond, err := d.seatedBeyond(ctx, view, head, site.ID, stretch.span)
			if err != nil {
				return nil, err
			}
			out = append(out, fuller(site, append(before, beyond...), in, d.policy.Zone)...)
		}
	}
	return out, nil
}

// seatOf is where somebody needs a seat: cloud agents work at home.
func seatOf(a workforce.Agent) ids.Site {
	if a.Employment == workforce.Cloud {
		return ""
	}
	return a.Site
}

// seatedBeyond are the published shifts at a site in a span that start before or after the days of a roster.
func (d *Desk) seatedBeyond(ctx context.Context, view *store.View, head store.Roster, site ids.Site, span calendar.Range) ([]scheduling.Shift, error) {
	if !span.Start.Before(head.Range.Start.Add(longestSlot)) && !span.End.After(head.Range.End) {
		return nil, nil
	}
	all, err := shiftsOf(ctx, view, store.ShiftFilter{State: store.Published, Site: site, Seated: true, Bare: true, Range: span})
	return slices.DeleteFunc(all, func(s scheduling.Shift) bool { return head.Range.Contains(s.Start) }), err
}

// fuller are the stretches in which changes seat more people than there are seats and than there were.
func fuller(site roster.Site, before []scheduling.Shift, changes []revise.Change, zone *time.Location) (out []Broken) {
	after := slices.Clone(before)
	for _, c := range changes {
		if c.Before != nil {
			after = slices.DeleteFunc(after, func(s scheduling.Shift) bool { return s.Agent == c.Before.Agent && s.Start.Equal(c.Before.Start) })
		}
		if c.After != nil {
			after = append(after, *c.After)
		}
	}
	here := func(ids.Agent) ids.Site { return site.ID }
	sites := []roster.Site{site}
	was := roster.OverSeated(sites, here, before, zone)
	for _, o := range roster.OverSeated(sites, here, after, zone) {
		known := slices.ContainsFunc(was, func(w roster.Overfull) bool {
			return !o.Range.Start.Before(w.Range.Start) && !o.Range.End.After(w.Range.End) && o.Seated <= w.Seated
		})
		i := slices.IndexFunc(changes, func(c revise.Change) bool { return c.After != nil && c.After.Range().Overlaps(o.Range) })
		if known || i < 0 {
			continue
		}
		out = append(out, Broken{Violation: workrules.Violation{
			Rule: seatsRule, Agent: changes[i].After.Agent, Range: o.Range, Hard: true, Amount: float64(o.Seated - o.Seats),
			Sentence: workrules.Text{
				ZH: fmt.Sprintf("职场 %s 在 %s 至 %s 有 %d 人，只有 %d 个座位", o.Site, o.Range.Start.Format(clockLayout), o.Range.End.Format("15:04"), o.Seated, o.Seats),
				EN: fmt.Sprintf("site %s has %d people on %d seats from %s to %s", o.Site, o.Seated, o.Seats, o.Range.Start.Format(clockLayout), o.Range.End.Format("15:04")),
			},
			Fix: workrules.Text{ZH: "换时间、换其他职场或居家的人，或增加座位", EN: "another time, somebody of another site or at home, or one more seat"},
		}})
	}
	return out
}
