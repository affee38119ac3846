package store

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

type agentPayRow struct {
	bun.BaseModel `bun:"table:agent_pay,alias:t"`
	Agent         string `bun:",pk"`
	UntilDay      string `bun:",pk"`
	Wage          int64
	Employment    string
}

func (r agentPayRow) value() (workforce.PastPay, error) {
	until, err := calendar.ParseDate(r.UntilDay)
	return workforce.PastPay{Agent: ids.Agent(r.Agent), Until: until, Wage: money.Fen(r.Wage), Employment: workforce.Employment(r.Employment)}, err
}

// PastPay is by what agents were paid before, by agent and oldest first; of all when none is named. Who was always
// paid as now has no row. An agent sees its own.
func (v *View) PastPay(ctx context.Context, agents []ids.Agent) ([]workforce.PastPay, error) {
	var rows []agentPayRow
	q := v.ofAgents(&rows, "agent")
	if len(agents) > 0 {
		q = q.Where("agent IN (?)", bun.List(agents))
	}
	if err := q.OrderExpr("agent, until_day").Scan(ctx); err != nil {
		return nil, translate(err)
	}
	return mappedOr(rows, agentPayRow.value)
}

// KeepPay remembers by what an agent was paid before a date, since from then on it is paid otherwise. held is what the
// agent says before the change; where something is on file for the day before, that is kept instead, and what was on
// file for later days is void.
func (tx *Tx) KeepPay(held workforce.PastPay) error {
	var rows []agentPayRow
	err := tx.q.NewSelect().Model(&rows).Where("agent = ?", clean(string(held.Agent))).OrderExpr("until_day").Scan(tx.ctx)
	if err != nil {
		return translate(err)
	}
	keep := agentPayRow{Agent: clean(string(held.Agent)), UntilDay: held.Until.String(), Wage: int64(held.Wage), Employment: string(held.Employment)}
	later := slices.IndexFunc(rows, func(r agentPayRow) bool { return r.UntilDay >= keep.UntilDay })
	if later >= 0 {
		keep.Wage, keep.Employment = rows[later].Wage, rows[later].Employment
		if rows[later].UntilDay == keep.UntilDay && later == len(rows)-1 {
			return nil
		}
		if _, err := tx.clear((*agentPayRow)(nil), "agent", keep.Agent); err != nil {
			return err
		}
		if err := insertMany(tx, rows[:later]); err != nil {
			return err
		}
	}
	if err := tx.insert(&keep); err != nil {
		return err
	}
	// The audit chain is never erased, so it does not hold the wage.
	return tx.note("agent.pay", "agent", keep.Agent, "", struct {
		Until calendar.Date `json:"until"`
	}{held.Until})
}
