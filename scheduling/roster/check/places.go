package check

import (
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// blocks walks the activities of every shift made by the optimiser: work between two pauses is one
// queue when it is shorter than the least block, else no queue is shorter than that; every change of
// queue inside the shift costs its price.
func blocks(r *Report, p roster.Problem, shifts []scheduling.Shift) {
	for _, s := range shifts {
		if locked(p, s) {
			continue
		}
		last := ids.Queue("")
		var queues []ids.Queue // of the stretch
		var lengths []time.Duration
		end := time.Time{}
		closed := func() {
			whole := time.Duration(0)
			for _, l := range lengths {
				whole += l
			}
			for i, l := range lengths {
				if l < p.MinBlock && len(lengths) > 1 {
					r.broken("%s %s: %s on %s, at least %s or a whole stretch of %s", s.Agent, clock(p, s.Start), hours(l), queues[i], hours(p.MinBlock), hours(whole))
				}
			}
			queues, lengths = nil, nil
		}
		for _, a := range s.Activities {
			if a.Kind != scheduling.Work || a.Queue == "" || !a.Start.Equal(end) {
				closed()
			}
			end = a.End
			if a.Kind != scheduling.Work || a.Queue == "" {
				continue
			}
			if last != "" && last != a.Queue {
				r.add("switches", p.Weights.Switch)
			}
			last = a.Queue
			if n := len(queues); n > 0 && queues[n-1] == a.Queue {
				lengths[n-1] += a.End.Sub(a.Start)
			} else {
				queues, lengths = append(queues, a.Queue), append(lengths, a.End.Sub(a.Start))
			}
		}
		closed()
	}
}

// overfull is a stretch of a site with more people than seats: the most of the ones, the fewest of the others.
type overfull struct {
	from, until   time.Time
	seated, seats int
}

// seats counts the people at each site whenever somebody comes or goes or the seats change, pauses included, with
// what is worked before and after the range. A stretch in which nobody of the roster sits is not held against it.
func seats(r *Report, p roster.Problem, shifts []scheduling.Shift) {
	for _, site := range p.Sites {
		own, all := sitting(p, site, shifts)
		times := seatTimes(p, all)
		full := overfull{}
		for i, t := range times {
			n, most := seatedAt(all, t), seatsAt(site, t.In(p.Location))
			switch over := n > most && i+1 < len(times); {
			case over && full.until.Equal(t):
				full.until, full.seated, full.seats = times[i+1], max(full.seated, n), min(full.seats, most)
			case over:
				full = overfull{t, times[i+1], n, most}
			case full.until.Equal(t):
				r.full(p, site, full, own)
			}
		}
	}
}

// sitting are the shifts of a roster at a site, and those together with what is worked around the range.
func sitting(p roster.Problem, site roster.Site, shifts []scheduling.Shift) (own, all []scheduling.Shift) {
	here := map[ids.Agent]bool{}
	for _, a := range p.Agents {
		if a.Site == site.ID {
			here[a.Person.ID] = true
			all = append(append(all, a.History...), a.Later...)
		}
	}
	all = slices.DeleteFunc(all, func(s scheduling.Shift) bool { return !s.End.After(p.Range.Start) })
	for _, s := range shifts {
		if here[s.Agent] {
			own, all = append(own, s), append(all, s)
		}
	}
	return own, all
}

// seatTimes are the instants of the range, and of the day after it, at which the people or the seats of a site may
// change.
func seatTimes(p roster.Problem, shifts []scheduling.Shift) (out []time.Time) {
	end := p.Range.End.Add(24 * time.Hour)
	for t := p.Range.Start; !t.After(end); t = t.Add(step) {
		out = append(out, t)
	}
	for _, s := range shifts {
		for _, t := range []time.Time{s.Start, s.End} {
			if t.After(p.Range.Start) && t.Before(end) {
				out = append(out, t)
			}
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// full tells of a stretch with too few seats, once, if anybody of the roster sits in it. Who came last breaks the rule.
func (r *Report) full(p roster.Problem, site roster.Site, x overfull, own []scheduling.Shift) {
	last := scheduling.Shift{}
	for _, s := range own {
		if s.Start.Before(x.until) && s.End.After(x.from) && (last.Agent == "" || s.Start.After(last.Start) || s.Start.Equal(last.Start) && s.Agent > last.Agent) {
			last = s
		}
	}
	if last.Agent == "" {
		return
	}
	r.broken("%s %s to %s: %d people on %d seats", site.ID, clock(p, x.from), clock(p, x.until), x.seated, x.seats)
	r.seatless = append(r.seatless, workrules.Violation{
		Rule: roster.SeatsRule, Agent: last.Agent, Hard: true, Range: calendar.Range{Start: x.from, End: x.until}, Amount: float64(x.seated - x.seats),
	})
}

// seatedAt counts the people at an instant.
func seatedAt(shifts []scheduling.Shift, t time.Time) (n int) {
	for _, s := range shifts {
		if !s.Start.After(t) && s.End.After(t) {
			n++
		}
	}
	return n
}

func seatsAt(site roster.Site, local time.Time) int {
	day := time.Date(1, 1, 1, local.Hour(), local.Minute(), 0, 0, time.UTC).Sub(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))
	fewest := -1
	for _, w := range site.Windows {
		until := w.Until
		if until <= w.From {
			until += 24 * time.Hour
		}
		for _, clock := range []time.Duration{day, day + 24*time.Hour} {
			if w.From <= clock && clock < until && (fewest < 0 || w.Seats < fewest) {
				fewest = w.Seats
			}
		}
	}
	if fewest < 0 {
		return site.Seats
	}
	return fewest
}
