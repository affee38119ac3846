package pool

import (
	"context"
	"fmt"

	"github.com/chaoban/chaoban/internal/fault"
)

// Part of what a trial shows is the luck of its buyers: where their replies happen to take long, no number of
// agents answers in time. A trial with an agent for every contact measures that luck, since the buyers are the
// same (a control variate with common random numbers), and the
// search corrects the goals by it, slot by slot.

// goals are the shares that the cells of the search's trials must show, per queue and slot: the target, scaled by
// what an agent for every contact reaches in the cell over what that reaches over the horizon. A target
// above the latter is staffing.unreachable.
func (m *model) goals(ctx context.Context, o Options) ([][]float64, error) {
	best, heads := m.everyContactItsAgent()
	r, err := best.trial(ctx, heads, o.Seed<<20, o.Replications)
	if err != nil {
		return nil, err
	}
	var bad faults
	out := make([][]float64, len(m.queues))
	for q, s := range m.queues {
		all := r.queues[q]
		if top := all.share(); s.target.Share > top+noise*all.deviation(r.n) {
			bad.add(s.target.Share, fmt.Sprintf("cannot be reached: with an agent for every contact %.1f %% are answered within %s", 100*top, s.target.Within), "queues[%d].target.share", q)
		}
		out[q] = make([]float64, m.slots)
		for t, c := range r.cells[q] {
			out[q][t] = s.target.Share
			if top := all.share(); top > 0 {
				out[q][t] = min(1, s.target.Share/top) * c.share()
			}
		}
	}
	return out, fault.Bad("staffing.unreachable", "pool", bad)
}

// everyContactItsAgent has for each queue agents who hold one conversation, more than ever are open at once.
func (m *model) everyContactItsAgent() (*model, staffed) {
	b := &model{slot: m.slot, origin: m.origin, slots: m.slots, queues: m.queues, floor: m.floor}
	var h staffed
	for q, s := range m.queues {
		open := 0.0
		for _, n := range s.contacts {
			open = max(open, n*s.target.HandleTime.Seconds()/m.slot.Seconds())
		}
		heads := make([]int, m.slots)
		for t := range heads {
			heads[t] = int(2*open) + 8
		}
		b.crews = append(b.crews, crew{queues: []int{q}, limit: 1, cost: 1, stock: q})
		h = append(h, heads)
	}
	return b, h
}
