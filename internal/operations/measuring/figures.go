package measuring

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// Figures answers a KPI query in the caller's scope. Figures by agent need their own permission;
// an agent gets its own.
func (m *Measuring) Figures(ctx context.Context, who access.Principal, q kpi.Query) ([]kpi.Reading, error) {
	perm := access.ReadKPI
	if slices.Contains(q.By, kpi.ByAgent) || len(q.Agents) > 0 || who.Role == access.AgentRole {
		perm = access.ReadAgentKPI
	}
	figures, err := m.gate.Figures(who, perm)
	if err != nil {
		return nil, err
	}
	if err := m.named(ctx, who, perm, q); err != nil {
		return nil, err
	}
	for _, metric := range q.Metrics {
		if q.Version == "" {
			break
		}
		if _, err := m.gate.Version(metric, q.Version); err != nil {
			return nil, err
		}
	}
	readings, err := figures.Query(ctx, q)
	if err == nil && !slices.ContainsFunc(readings, func(r kpi.Reading) bool { return r.Numerator != 0 || r.Value != nil && r.Denominator > 1 }) {
		err = m.nobody(ctx, who, perm, q.Agents)
	}
	return readings, err
}

// nobody refuses agents whose answer was empty when nobody has entered them.
func (m *Measuring) nobody(ctx context.Context, who access.Principal, perm access.Permission, agents []ids.Agent) error {
	scope, err := access.Decide(who, perm)
	if err != nil {
		return err
	}
	return m.gate.NobodyNamed(ctx, scope, agents)
}

// named refuses a filter that names what does not exist, see gate.Named.
func (m *Measuring) named(ctx context.Context, who access.Principal, perm access.Permission, q kpi.Query) error {
	scope, err := access.Decide(who, perm)
	if err != nil {
		return err
	}
	return m.gate.Named(ctx, scope, gate.Names{Merchants: q.Merchants, Shops: q.Shops, Queues: q.Queues, Agents: q.Agents})
}

// Conversations lists the conversations behind a figure, oldest first: every number opens into
// where it came from. To ask for those of agents needs the permission for figures by agent; without
// it no agent is named either, and an agent is not told which colleagues took part.
func (m *Measuring) Conversations(ctx context.Context, who access.Principal, f warehouse.Filter, p store.Page) ([]chatlog.Conversation, string, error) {
	perm := access.ReadKPI
	if len(f.Agents) > 0 || who.Role == access.AgentRole {
		perm = access.ReadAgentKPI
	}
	figures, err := m.gate.Figures(who, perm)
	if err != nil {
		return nil, "", err
	}
	if err := m.named(ctx, who, perm, kpi.Query{Merchants: f.Merchants, Shops: f.Shops, Queues: f.Queues, Agents: f.Agents}); err != nil {
		return nil, "", err
	}
	list, next, err := figures.Conversations(ctx, f, p.Cursor, cmp.Or(p.Limit, store.DefaultLimit))
	if err == nil && len(list) == 0 && p.Cursor == "" {
		err = m.nobody(ctx, who, perm, f.Agents)
	}
	if err != nil {
		return nil, "", err
	}
	for i := range list {
		hideAgents(who, &list[i])
	}
	return list, next, nil
}

// agentHidden reports that the principal may not know of an agent.
func agentHidden(who access.Principal, agent ids.Agent) bool {
	return !who.Can(access.ReadAgentKPI) || who.Role == access.AgentRole && agent != who.Agent
}

// hideAgents leaves out the agents that the principal may not know of.
func hideAgents(who access.Principal, c *chatlog.Conversation) {
	if agentHidden(who, c.Agent) {
		c.Agent = ""
	}
	for i := range c.Rounds {
		if agentHidden(who, c.Rounds[i].Agent) {
			c.Rounds[i].Agent = ""
		}
	}
}

// Freshness says how new the figures are.
func (m *Measuring) Freshness(ctx context.Context, who access.Principal) (warehouse.Freshness, error) {
	figures, err := m.gate.Figures(who, access.ReadKPI)
	if err != nil {
		return warehouse.Freshness{}, err
	}
	return figures.Freshness(ctx)
}

// CheckRollups brings roll-ups up to date with late events and verifies a sample against the raw
// events, repairing what differs. rows is the number of days recomputed.
func (m *Measuring) CheckRollups(ctx context.Context, who access.Principal, due time.Time) (rows int64, err error) {
	if _, err := access.Decide(who, access.RunJobs); err != nil {
		return 0, err
	}
	if err := m.gate.TellShops(ctx); err != nil {
		return 0, err
	}
	days, err := m.gate.Warehouse.Refresh(ctx)
	if err != nil {
		return 0, err
	}
	check, err := m.gate.Warehouse.Verify(ctx, warehouse.Sample{Days: verifySample, Seed: uint64(due.Unix())})
	if err != nil || len(check.Differences) == 0 {
		return int64(days), err
	}
	for _, d := range check.Differences {
		m.gate.Log.WarnContext(ctx, "roll-up differs from raw events and is computed again", "kind", d.Kind, "merchant", d.Merchant, "day", d.Day, "rows", d.Rows)
	}
	repaired, err := m.gate.Warehouse.Refresh(ctx)
	return int64(days + repaired), err
}

// verifySample is how many merchant-days one check compares with the raw events.
const verifySample = 5

// Ingest takes one batch of canonical events. It returns when they are durable; the same batch
// again changes nothing. Roll-ups follow with CheckRollups.
func (m *Measuring) Ingest(ctx context.Context, who access.Principal, batch warehouse.Batch) error {
	if _, err := access.Decide(who, access.Ingest); err != nil {
		return err
	}
	_, err := m.gate.Warehouse.Ingest(ctx, batch)
	return err
}
