package workbook

import (
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/ids"
)

// BenchmarkSLA500Agents is a big merchant: 500 agents, 12 metrics, a full month.
func BenchmarkSLA500Agents(b *testing.B) {
	r := november()
	one := r.Agents[0]
	for i := range 500 {
		a := one
		a.Agent = ids.Agent(fmt.Sprintf("B%04d", i))
		r.Agents = append(r.Agents, a)
	}
	for b.Loop() {
		require.NoError(b, SLA(io.Discard, r))
	}
}

// BenchmarkRoster1000Agents is a whole site on one sheet: 1,000 agents, two weeks.
func BenchmarkRoster1000Agents(b *testing.B) {
	m := weekRoster()
	one := m.Rows[0]
	m.Rows = slices.Repeat(m.Rows[:1], 1000)
	for i := range m.Rows {
		m.Rows[i] = one
		m.Rows[i].Agent = ids.Agent(fmt.Sprintf("R%04d", i))
	}
	for b.Loop() {
		require.NoError(b, Roster(io.Discard, m))
	}
}
