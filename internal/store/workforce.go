package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

type siteRow struct {
	bun.BaseModel `bun:"table:sites,alias:t"`
	ID            string `bun:",pk"`
	Doc           string
	stamp
}

func (r siteRow) stored() (Stored[workforce.Site], error) {
	s, err := decode[workforce.Site](r.Doc)
	return Stored[workforce.Site]{Value: s, Meta: r.meta()}, err
}

type teamRow struct {
	bun.BaseModel `bun:"table:teams,alias:t"`
	ID            string `bun:",pk"`
	Site          string `bun:",nullzero"`
	Doc           string
	stamp
}

func (r teamRow) stored() (Stored[workforce.Team], error) {
	t, err := decode[workforce.Team](r.Doc)
	return Stored[workforce.Team]{Value: t, Meta: r.meta()}, err
}

type agentRow struct {
	bun.BaseModel `bun:"table:agents,alias:t"`
	ID            string `bun:",pk"`
	Name          string
	Team          string `bun:",nullzero"`
	Site          string `bun:",nullzero"`
	Employment    string
	EmployedFrom  string
	EmployedUntil string
	Doc           string
	stamp
}

func (r agentRow) stored() (Stored[workforce.Agent], error) {
	a, err := decode[workforce.Agent](r.Doc)
	return Stored[workforce.Agent]{Value: a, Meta: r.meta()}, err
}

type skillRow struct {
	bun.BaseModel `bun:"table:agent_skills,alias:t"`
	Agent         string
	Queue         string
	FromDate      string
	UntilDate     string
}

// Sites lists sites by id.
func (v *View) Sites(ctx context.Context, p Page) ([]Stored[workforce.Site], string, error) {
	var rows []siteRow
	next, err := listPage(ctx, v.general(&rows), p, order{"sites", []string{"id"}, false}, &rows,
		func(r siteRow) []any { return []any{r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, siteRow.stored)
	return list, next, err
}

// Site reads one site.
func (v *View) Site(ctx context.Context, id ids.Site) (Stored[workforce.Site], error) {
	var row siteRow
	if err := v.general(&row).Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Stored[workforce.Site]{}, found(err, "site", string(id))
	}
	return row.stored()
}

// Teams lists teams by id; an empty site means every site.
func (v *View) Teams(ctx context.Context, site ids.Site, p Page) ([]Stored[workforce.Team], string, error) {
	var rows []teamRow
	q := whereText(v.general(&rows), "site", string(site))
	next, err := listPage(ctx, q, p, order{"teams", []string{"id"}, false}, &rows,
		func(r teamRow) []any { return []any{r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, teamRow.stored)
	return list, next, err
}

// Team reads one team.
func (v *View) Team(ctx context.Context, id ids.Team) (Stored[workforce.Team], error) {
	var row teamRow
	if err := v.general(&row).Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Stored[workforce.Team]{}, found(err, "team", string(id))
	}
	return row.stored()
}

// AgentFilter narrows a list of agents; empty fields do not.
type AgentFilter struct {
	Site  ids.Site
	Team  ids.Team
	Queue ids.Queue     // holds a skill for the queue, on the date when On is set
	On    calendar.Date // employed on the date
}

// Agents lists agents by id, with all their skills and conditions whatever the date.
func (v *View) Agents(ctx context.Context, f AgentFilter, p Page) ([]Stored[workforce.Agent], string, error) {
	var rows []agentRow
	q := whereText(v.ofAgents(&rows, "id"), "site", string(f.Site))
	q = whereText(q, "team", string(f.Team))
	if !f.On.IsZero() {
		q = q.Where("employed_from <= ? AND employed_until > ?", f.On.String(), f.On.String())
	}
	if f.Queue != "" {
		skills := v.q.NewSelect().Model((*skillRow)(nil)).ModelTableExpr("agent_skills AS s").
			ColumnExpr("1").Where("s.agent = t.id AND s.queue = ?", clean(string(f.Queue)))
		if !f.On.IsZero() {
			skills = skills.Where("s.from_date <= ? AND s.until_date > ?", f.On.String(), f.On.String())
		}
		q = q.Where("EXISTS (?)", skills)
	}
	next, err := listPage(ctx, q, p, order{"agents", []string{"id"}, false}, &rows,
		func(r agentRow) []any { return []any{r.ID} })
	if err != nil {
		return nil, "", err
	}
	list, err := mappedOr(rows, agentRow.stored)
	return list, next, err
}

// Agent reads one agent.
func (v *View) Agent(ctx context.Context, id ids.Agent) (Stored[workforce.Agent], error) {
	var row agentRow
	if err := v.ofAgents(&row, "id").Where("id = ?", clean(string(id))).Scan(ctx); err != nil {
		return Stored[workforce.Agent]{}, found(err, "agent", string(id))
	}
	return row.stored()
}

// SeatedAt lists who needs a seat at a site, by id: those who work for it, but not cloud agents, who are at home.
func (v *View) SeatedAt(ctx context.Context, site ids.Site) ([]ids.Agent, error) {
	var rows []agentRow
	err := v.ofAgents(&rows, "id").Column("id").Where("site = ? AND employment <> ?", clean(string(site)), string(workforce.Cloud)).OrderExpr("id").Scan(ctx)
	if err != nil {
		return nil, translate(err)
	}
	out := make([]ids.Agent, len(rows))
	for i, r := range rows {
		out[i] = ids.Agent(r.ID)
	}
	return out, nil
}

// PutSite adds or replaces a site; expect as in PutMerchant.
func (tx *Tx) PutSite(s workforce.Site, expect int) (Meta, error) {
	var old siteRow
	had, err := tx.load(&old, string(s.ID))
	if err != nil {
		return Meta{}, err
	}
	doc, err := encode(s)
	if err != nil {
		return Meta{}, err
	}
	next, changed, err := admit("site", string(s.ID), had, old.stamp, old.Doc == doc, expect, tx.now)
	if err != nil || !changed {
		return next.meta(), err
	}
	if err := tx.write(&siteRow{ID: string(s.ID), Doc: doc, stamp: next}, had); err != nil {
		return Meta{}, err
	}
	return next.meta(), tx.note("site.put", "site", string(s.ID), "", document(next, doc))
}

// PutTeam adds or replaces a team; expect as in PutMerchant. ErrReference when its site is unknown.
func (tx *Tx) PutTeam(t workforce.Team, expect int) (Meta, error) {
	var old teamRow
	had, err := tx.load(&old, string(t.ID))
	if err != nil {
		return Meta{}, err
	}
	doc, err := encode(t)
	if err != nil {
		return Meta{}, err
	}
	next, changed, err := admit("team", string(t.ID), had, old.stamp, old.Doc == doc, expect, tx.now)
	if err != nil || !changed {
		return next.meta(), err
	}
	if err := tx.write(&teamRow{ID: string(t.ID), Site: string(t.Site), Doc: doc, stamp: next}, had); err != nil {
		return Meta{}, err
	}
	return next.meta(), tx.note("team.put", "team", string(t.ID), "", document(next, doc))
}

// PutResult counts what a bulk write did.
type PutResult struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
}

// PutAgent adds or replaces one agent; expect as in PutMerchant. Faults as in PutAgents.
func (tx *Tx) PutAgent(a workforce.Agent, expect int) (Meta, error) {
	olds, err := tx.agentsNow([]workforce.Agent{a})
	if err != nil {
		return Meta{}, err
	}
	if err := tx.checkPlaces([]workforce.Agent{a}); err != nil {
		return Meta{}, err
	}
	next, _, err := tx.putAgent(a, olds, expect)
	return next.meta(), err
}

// PutAgents adds or replaces agents with their skills; agents that are not named stay. The same
// content again changes nothing. ErrReference lists every unknown team and site at once; an agent
// named twice is the fault "store.invalid".
func (tx *Tx) PutAgents(agents []workforce.Agent) (PutResult, error) {
	var result PutResult
	olds, err := tx.agentsNow(agents)
	if err != nil {
		return result, err
	}
	if err := tx.checkPlaces(agents); err != nil {
		return result, err
	}
	for _, a := range agents {
		next, changed, err := tx.putAgent(a, olds, AnyVersion)
		switch {
		case err != nil:
			return PutResult{}, err
		case !changed:
			result.Unchanged++
		case next.Version == 1:
			result.Added++
		default:
			result.Changed++
		}
	}
	return result, nil
}

func (tx *Tx) putAgent(a workforce.Agent, olds map[string]agentRow, expect int) (stamp, bool, error) {
	old, had := olds[string(a.ID)]
	doc, err := encode(a)
	if err != nil {
		return stamp{}, false, err
	}
	next, changed, err := admit("agent", string(a.ID), had, old.stamp, old.Doc == doc, expect, tx.now)
	if err != nil || !changed {
		return next, false, err
	}
	row := agentRow{
		ID: string(a.ID), Name: clean(a.Name), Team: string(a.Team), Site: string(a.Site), Employment: string(a.Employment),
		EmployedFrom: a.Employed.From.String(), EmployedUntil: untilText(a.Employed.Until), Doc: doc, stamp: next,
	}
	if err := tx.write(&row, had); err != nil {
		return stamp{}, false, err
	}
	if had {
		if _, err := tx.clear((*skillRow)(nil), "agent", string(a.ID)); err != nil {
			return stamp{}, false, err
		}
	}
	skills := make([]skillRow, len(a.Skills))
	for i, s := range a.Skills {
		skills[i] = skillRow{Agent: string(a.ID), Queue: string(s.Queue), FromDate: s.From.String(), UntilDate: untilText(s.Until)}
	}
	if err := insertMany(tx, skills); err != nil {
		return stamp{}, false, err
	}
	// The audit chain is never erased, so it names what changed about a person and not the values.
	detail := struct {
		Version int      `json:"version"`
		SHA256  string   `json:"sha256"`
		Fields  []string `json:"fields,omitempty"`
	}{next.Version, digest(doc), nil}
	if had {
		detail.Fields = changedFields(old.Doc, doc)
	}
	return next, true, tx.note("agent.put", "agent", string(a.ID), "", detail)
}

// agentsNow reads what is stored of the agents, and refuses one that is named twice.
func (tx *Tx) agentsNow(agents []workforce.Agent) (map[string]agentRow, error) {
	var bad []fault.Field
	seen := map[ids.Agent]bool{}
	wanted := make([]ids.Agent, len(agents))
	for i, a := range agents {
		if seen[a.ID] {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("agents[%d].id", i), Value: string(a.ID), Problem: "is named twice"})
		}
		seen[a.ID], wanted[i] = true, a.ID
	}
	if err := fault.Bad("store.invalid", "agents", bad); err != nil {
		return nil, err
	}
	olds := make(map[string]agentRow, len(agents))
	const chunk = 500
	for len(wanted) > 0 {
		part := wanted[:min(chunk, len(wanted))]
		var rows []agentRow
		if err := tx.q.NewSelect().Model(&rows).Where("id IN (?)", bun.List(part)).Scan(tx.ctx); err != nil {
			return nil, translate(err)
		}
		for _, r := range rows {
			olds[r.ID] = r
		}
		wanted = wanted[len(part):]
	}
	return olds, nil
}

// checkPlaces names every team and site that does not exist.
func (tx *Tx) checkPlaces(agents []workforce.Agent) error {
	var teams, sites []string
	if err := tx.q.NewSelect().Model((*teamRow)(nil)).Column("id").Scan(tx.ctx, &teams); err != nil {
		return translate(err)
	}
	if err := tx.q.NewSelect().Model((*siteRow)(nil)).Column("id").Scan(tx.ctx, &sites); err != nil {
		return translate(err)
	}
	self := func(s string) string { return s }
	knownTeams, knownSites := keyed(teams, self), keyed(sites, self)
	var bad []fault.Field
	for i, a := range agents {
		if a.Team != "" && !has(knownTeams, string(a.Team)) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("agents[%d].team", i), Value: string(a.Team), Problem: "is no team we know"})
		}
		if a.Site != "" && !has(knownSites, string(a.Site)) {
			bad = append(bad, fault.Field{Path: fmt.Sprintf("agents[%d].site", i), Value: string(a.Site), Problem: "is no site we know"})
		}
	}
	return fault.Bad(ErrReference.Code, "agents", bad)
}
