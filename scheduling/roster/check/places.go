package check

import (
	"time"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster"
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

// seats counts the people at each site every five minutes, pauses included, with what is worked before and
// after the range. What nobody decided here is not held against the roster.
func seats(r *Report, p roster.Problem, shifts []scheduling.Shift) {
	for _, site := range p.Sites {
		here := map[ids.Agent]bool{}
		var fixed, made []scheduling.Shift
		for _, a := range p.Agents {
			if a.Site == site.ID {
				here[a.Person.ID] = true
				fixed = append(append(fixed, a.History...), a.Later...)
			}
		}
		for _, s := range shifts {
			if here[s.Agent] && locked(p, s) {
				fixed = append(fixed, s)
			} else if here[s.Agent] {
				made = append(made, s)
			}
		}
		for t := p.Range.Start; t.Before(p.Range.End.Add(24 * time.Hour)); t = t.Add(step) {
			mine := seatedAt(made, t)
			if most := seatsAt(site, t.In(p.Location)); mine > 0 && mine+seatedAt(fixed, t) > most {
				r.broken("%s %s: %d people on %d seats", site.ID, clock(p, t), mine+seatedAt(fixed, t), most)
			}
		}
	}
}

func seatedAt(shifts []scheduling.Shift, t time.Time) (n int) {
	for _, s := range shifts {
		if s.Start.Before(t.Add(step)) && s.End.After(t) {
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
