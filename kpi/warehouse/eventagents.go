package warehouse

import "github.com/chaoban/chaoban/internal/ids"

// AgentRows tells how many events of the block name each agent; "" is nobody.
func (b *EventBlock) AgentRows(tell func(agent ids.Agent, rows int)) {
	rows := make([]int, len(b.agent.list))
	for _, code := range b.agent.codes {
		rows[code]++
	}
	for code, n := range rows {
		if n > 0 {
			tell(ids.Agent(b.agent.list[code]), n)
		}
	}
}
