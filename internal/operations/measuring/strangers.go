package measuring

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// AgentRows is how many accepted rows name an agent.
type AgentRows struct {
	Agent ids.Agent `json:"agent"`
	Rows  int64     `json:"rows"`
}

// maxStrangers is how many unknown agents an answer names.
const maxStrangers = 100

// namedAgents counts the rows that name agents, on their way in. Rows of agents that nobody has entered are
// taken, since people are often entered after their first shift; the answer names them, because a staff
// number may be misspelt as well.
type namedAgents map[ids.Agent]int64

func (n namedAgents) count(b warehouse.Batch) {
	for i := range b.Events {
		n[b.Events[i].Agent]++
	}
	for _, block := range b.EventBlocks {
		block.AgentRows(func(agent ids.Agent, rows int) { n[agent] += int64(rows) })
	}
	for i := range b.Conversations {
		c := &b.Conversations[i]
		n[c.Agent]++
		last := c.Agent
		for _, r := range c.Rounds {
			if r.Agent != last && r.Agent != c.Agent {
				n[r.Agent]++
			}
			last = r.Agent
		}
	}
	for i := range b.States {
		n[b.States[i].Agent]++
	}
	for i := range b.Orders {
		n[b.Orders[i].Agent]++
	}
	for i := range b.Tickets {
		n[b.Tickets[i].Agent]++
	}
}

// strangers are the counted agents that nobody has entered, most rows first.
func (m *Measuring) strangers(ctx context.Context, n namedAgents) ([]AgentRows, error) {
	delete(n, "")
	if len(n) == 0 {
		return nil, nil
	}
	unknown, err := m.gate.UnknownAgents(ctx, slices.Sorted(maps.Keys(n)))
	if err != nil || len(unknown) == 0 {
		return nil, err
	}
	out := make([]AgentRows, len(unknown))
	for i, id := range unknown {
		out[i] = AgentRows{id, n[id]}
	}
	slices.SortStableFunc(out, func(a, b AgentRows) int { return cmp.Compare(b.Rows, a.Rows) })
	return out[:min(len(out), maxStrangers)], nil
}
