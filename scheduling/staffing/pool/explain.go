package pool

import (
	"fmt"
	"strings"

	"github.com/chaoban/chaoban/internal/ids"
)

// plan writes down what the two sides came to.
func (p Problem) plan(o Options, pool, parts *side) Plan {
	m := pool.model
	out := Plan{
		Slot: m.slot, Options: o, Pool: pool.total(), Parts: parts.total(),
		Verified: pool.verified && parts.verified,
	}
	out.Saved = out.Parts.Hours - out.Pool.Hours
	if out.Parts.Hours > 0 {
		out.Share = out.Saved / out.Parts.Hours
	}
	for t := range m.slots {
		if s, open := p.slot(pool, parts, t); open {
			out.Slots = append(out.Slots, s)
		}
	}
	for q := range p.Queues {
		out.Queues = append(out.Queues, QueueOutcome{
			Queue: p.Queues[q].Curve.Queue, Goal: p.Queues[q].Target.Share,
			Pool: pool.service(q, o), Parts: parts.service(q, o),
		})
	}
	for g := range p.Groups {
		out.Groups = append(out.Groups, p.group(pool, g))
	}
	return out
}

func (s *side) total() Total {
	return Total{Hours: s.model.hours(s.heads), Cost: s.model.cost(s.heads), Verified: s.verified, Steps: s.steps}
}

// slot is one slot of the plan; false when nobody comes and nobody is on duty.
func (p Problem) slot(pool, parts *side, t int) (SlotPlan, bool) {
	m := pool.model
	out := SlotPlan{Start: m.at(t)}
	open := 0
	for q := range m.queues {
		out.Contacts += m.queues[q].contacts[t]
		if n := parts.model.present(parts.heads, q, t); n > 0 {
			out.Parts += n
			out.Alone = append(out.Alone, QueueHead{p.Queues[q].Curve.Queue, n})
		}
		if m.queues[q].contacts[t] > 0 {
			open++
		}
	}
	for g := range p.Groups {
		line := GroupHead{Group: p.Groups[g].ID}
		for k, c := range m.crews {
			if c.group != g || pool.heads[k][t] == 0 {
				continue
			}
			line.Heads += pool.heads[k][t]
			if c.fixed != nil {
				line.Dedicated = append(line.Dedicated, DedicatedFor{p.Queues[c.queues[0]].Curve.Queue, pool.heads[k][t]})
			}
		}
		if line.Heads > 0 {
			out.Heads = append(out.Heads, line)
			out.Pool += line.Heads
		}
	}
	out.Reason = p.reason(pool, out, t, open)
	return out, open > 0 || out.Pool > 0 || out.Parts > 0
}

// reason tells in one line how the heads of a slot came about.
func (p Problem) reason(pool *side, s SlotPlan, t, open int) string {
	m := pool.model
	var b strings.Builder
	fmt.Fprintf(&b, "%d heads for %.1f contacts of %d queues, %d if each had its own", s.Pool, s.Contacts, open, s.Parts)
	tight, margin := -1, 0.0
	var promised, stuck []ids.Queue
	for q := range m.queues {
		name := p.Queues[q].Curve.Queue
		if n := m.floor[q][t]; n > 0 && m.present(pool.heads, q, t) <= n {
			promised = append(promised, name)
		}
		if pool.stuck[q][t] {
			stuck = append(stuck, name)
		}
		if pool.seen.n == 0 || pool.seen.cells[q][t].arrived == 0 {
			continue
		}
		if over := pool.seen.cells[q][t].share() - p.Queues[q].Target.Share; tight < 0 || over < margin {
			tight, margin = q, over
		}
	}
	if tight >= 0 {
		target := p.Queues[tight].Target
		fmt.Fprintf(&b, "; tightest %s with %.1f%% within %s (goal %g%%)", p.Queues[tight].Curve.Queue,
			100*pool.seen.cells[tight][t].share(), target.Within, 100*target.Share)
	} else if open > 0 {
		b.WriteString("; not verified")
	}
	if len(promised) > 0 {
		fmt.Fprintf(&b, "; promised seats hold the heads of %s", list(promised))
	}
	if len(stuck) > 0 {
		fmt.Fprintf(&b, "; no available head helps %s any more, goal missed", list(stuck))
	}
	return b.String()
}

// list names the first three.
func list(queues []ids.Queue) string {
	const most = 3
	text := make([]string, 0, most)
	for _, q := range queues[:min(most, len(queues))] {
		text = append(text, string(q))
	}
	if more := len(queues) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(text, ", "), more)
	}
	return strings.Join(text, ", ")
}

// service is what a queue reached in the last verdict.
func (s *side) service(q int, o Options) Service {
	r := s.seen
	if r.n == 0 {
		return Service{}
	}
	all, target := r.queues[q], s.model.queues[q].target
	half := certain * all.deviation(r.n)
	out := Service{
		Contacts: float64(all.arrived) / float64(r.n), Share: all.share(), Abandon: all.abandon(),
		Low: max(0, all.share()-half), High: min(1, all.share()+half), Worst: 1,
	}
	first := true
	for t, c := range r.cells[q] {
		if c.arrived == 0 {
			continue
		}
		slack := max(o.Tolerance, noise*c.deviation(r.n))
		if target.Share-c.share() > slack {
			out.ShortOf++
		}
		if target.AbandonCap > 0 && c.abandon()-target.AbandonCap > slack {
			out.AbandonIn++
		}
		if first || c.share() < out.Worst {
			out.Worst, out.WorstAt, first = c.share(), s.model.at(t), false
		}
	}
	return out
}

func (p Problem) group(pool *side, g int) GroupOutcome {
	m := pool.model
	out := GroupOutcome{Group: p.Groups[g].ID}
	busy := 0.0
	for k, c := range m.crews {
		if c.group != g {
			continue
		}
		for t, n := range pool.heads[k] {
			out.Hours += float64(n) * m.slot.Hours()
			if pool.seen.n > 0 {
				busy += pool.seen.busy[k][t] / 3600 / float64(pool.seen.n)
			}
		}
	}
	if out.Hours > 0 {
		out.Occupancy = busy / out.Hours
	}
	return out
}
