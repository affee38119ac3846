package warehouse

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
)

// Scope is what a caller may see. The zero Scope sees nothing.
type Scope struct {
	Everything bool           // all merchants
	Merchants  []ids.Merchant // these merchants
	Agent      ids.Agent      // only this agent's own rows, of any merchant unless Merchants is given
}

// Reader answers questions inside one scope. It is cheap to make and safe for concurrent use.
type Reader struct {
	w     *Warehouse
	scope Scope
}

// In is the only way to read.
func (w *Warehouse) In(scope Scope) Reader { return Reader{w, scope} }

// empty reports a scope that sees nothing.
func (s Scope) empty() bool { return !s.Everything && len(s.Merchants) == 0 && s.Agent == "" }

// merchants is the condition on the merchant column: the scope and the caller's filter.
func (s Scope) merchants(filter []ids.Merchant) conditions {
	var c conditions
	if !s.Everything && s.Agent == "" || len(s.Merchants) > 0 {
		c = append(c, in("merchant", s.Merchants))
	}
	if len(filter) > 0 {
		c = append(c, in("merchant", filter))
	}
	return c
}

// agents is the condition on the agent column: the scope and the caller's filter.
func (s Scope) agents(filter []ids.Agent) conditions {
	var c conditions
	if s.Agent != "" {
		c = append(c, in("agent", []ids.Agent{s.Agent}))
	}
	if len(filter) > 0 {
		c = append(c, in("agent", filter))
	}
	return c
}

// conditions are joined by AND; none is true.
type conditions []string

func (c conditions) String() string {
	if len(c) == 0 {
		return "1"
	}
	return strings.Join(c, " AND ")
}

// in is the condition that a column has one of the values; no value is never true.
func in[T ~string](column string, values []T) string {
	if len(values) == 0 {
		return "0"
	}
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = quote(string(v))
	}
	return fmt.Sprintf("%s IN (%s)", column, strings.Join(parts, ", "))
}

// maxValues bounds the values of one filter, so that no caller makes a statement of any size.
const maxValues = 10_000

func checkFilter(lengths ...int) error {
	for _, n := range lengths {
		if n > maxValues {
			return fault.New(fault.TooLarge, "warehouse.filter", "a filter names at most %d values", maxValues)
		}
	}
	return nil
}

// forReading makes a statement with long lists of values acceptable.
func forReading(ctx context.Context, external ...clickhouse.QueryOption) context.Context {
	options := append(external, clickhouse.WithSettings(clickhouse.Settings{
		"max_query_size": 4 << 20, "do_not_merge_across_partitions_select_final": 1,
	}))
	return clickhouse.Context(ctx, options...)
}
