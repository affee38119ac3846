package administration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// Applied counts what a file of contracts did.
type Applied struct {
	Merchants store.PutResult `json:"merchants"`
	Contracts store.PutResult `json:"contracts"`
}

// ApplyContracts reads merchants and contracts from YAML and writes them in one transaction. The
// same file twice changes nothing. A version that is already in force may not change its terms:
// ErrEffective; add a new version instead.
func (a *Administration) ApplyContracts(ctx context.Context, who access.Principal, name string, r io.Reader) (Applied, error) {
	if _, err := access.Decide(who, access.WriteContracts); err != nil {
		return Applied{}, err
	}
	merchants, agreed, err := intake.Contracts(name, r)
	if err != nil {
		return Applied{}, err
	}
	for _, c := range agreed {
		if err := a.measurable(c); err != nil {
			return Applied{}, err
		}
	}
	return a.apply(ctx, who, merchants, agreed)
}

func (a *Administration) apply(ctx context.Context, who access.Principal, merchants []contracts.Merchant, agreed []contracts.Contract) (Applied, error) {
	var done Applied
	err := a.gate.Store.Change(ctx, who, a.gate.Now(), func(tx *store.Tx) error {
		done = Applied{}
		for _, m := range merchants {
			meta, err := tx.PutMerchant(m, store.AnyVersion)
			if err != nil {
				return err
			}
			count(&done.Merchants, meta, tx.Now())
		}
		for _, c := range agreed {
			if err := a.keepsEffective(ctx, tx, c); err != nil {
				return err
			}
			meta, err := tx.PutContract(c, store.AnyVersion)
			if err != nil {
				return err
			}
			count(&done.Contracts, meta, tx.Now())
		}
		return nil
	})
	if err != nil {
		return done, err
	}
	return done, a.gate.TellShops(ctx)
}

// count files a write under added, changed or unchanged by what its Meta says.
func count(r *store.PutResult, m store.Meta, now time.Time) {
	switch {
	case !m.UpdatedAt.Equal(now):
		r.Unchanged++
	case m.Version == 1:
		r.Added++
	default:
		r.Changed++
	}
}

// keepsEffective refuses a change of a version that has been in force: what was agreed for past
// days stays as it was signed. Only its end may move, to today or later.
func (a *Administration) keepsEffective(ctx context.Context, tx *store.Tx, next contracts.Contract) error {
	old, err := tx.In(access.Scope{Everything: true}).Contract(ctx, next.ID)
	if err != nil {
		if fault.KindOf(err) == fault.NotFound {
			return nil
		}
		return err
	}
	today := calendar.DateOf(a.gate.Now(), a.gate.Zone)
	for _, was := range old.Value.Versions {
		if was.From.After(today) {
			continue
		}
		if !kept(was, next.Versions, today) {
			return fault.New(fault.Conflict, "contract.effective",
				"version %d of contract %s is in force since %s and cannot be changed: end it and add a new version", was.Number, next.ID, was.From)
		}
	}
	return nil
}

func kept(was contracts.Version, versions []contracts.Version, today calendar.Date) bool {
	for _, v := range versions {
		if v.Number != was.Number {
			continue
		}
		endMoved := v.Until != was.Until
		legalEnd := (was.Until.IsZero() || was.Until.After(today)) && (v.Until.IsZero() || !v.Until.Before(today))
		v.Until = was.Until
		return sameDocument(v, was) && (!endMoved || legalEnd)
	}
	return false
}

// measurable refuses terms that no figure could ever be held against: an unknown metric or version, a
// target that lies outside what its unit can reach, a metric that is not defined when the term begins.
func (a *Administration) measurable(c contracts.Contract) error {
	var bad []fault.Field
	for i, v := range c.Versions {
		for j, t := range v.Terms {
			for _, f := range a.termFaults(t, v) {
				f.Path = fmt.Sprintf("%s.versions[%d].terms[%d].%s", c.ID, i, j, f.Path)
				bad = append(bad, f)
			}
		}
	}
	return fault.Bad("contract.term", "contract", bad)
}

func (a *Administration) termFaults(t contracts.Term, v contracts.Version) []fault.Field {
	metric := kpi.Metric(t.Metric)
	known := a.gate.VersionsOf(metric)
	if len(known) == 0 {
		return []fault.Field{{Path: "metric", Value: t.Metric, Problem: "is no metric; `chaoban kpi metrics` lists them"}}
	}
	var d kpi.Definition
	var err error
	if t.Version != "" {
		if d, err = a.gate.Definitions.Version(metric, t.Version); err != nil {
			return []fault.Field{{Path: "version", Value: t.Version, Problem: fmt.Sprintf("is no version of %s, which has %s", t.Metric, strings.Join(known, ", "))}}
		}
	} else if d, err = a.gate.Definitions.On(metric, v.From); err != nil {
		return []fault.Field{{Path: "metric", Value: t.Metric, Problem: fmt.Sprintf("has no definition in force on %s; name one of %s as version", v.From, strings.Join(known, ", "))}}
	}
	var bad []fault.Field
	add := func(path, value, problem string) {
		bad = append(bad, fault.Field{Path: path, Value: value, Problem: problem})
	}
	switch {
	case d.Unit == kpi.Share && t.Target > 1:
		add("target", fmt.Sprint(t.Target), "is a share: it must lie between 0 and 1 (0.9 is 90 %)")
	case d.Unit == kpi.Rating && (t.Target < 1 || t.Target > 5):
		add("target", fmt.Sprint(t.Target), "is a rating: it must lie between 1 and 5")
	}
	if d.Base == kpi.BaseBuyerDay && t.Window != "" {
		add("window", t.Window, fmt.Sprintf("cannot cut %s, which counts a buyer once a day; it has a window of its own", t.Metric))
	}
	return bad
}

// PutMerchant adds or replaces a merchant; expect is store.AnyVersion, store.NewOnly or the
// version the caller read.
func (a *Administration) PutMerchant(ctx context.Context, who access.Principal, m contracts.Merchant, expect int) (meta store.Meta, err error) {
	if _, err := access.Decide(who, access.WriteContracts); err != nil {
		return meta, err
	}
	if err := m.Validate(); err != nil {
		return meta, err
	}
	err = a.gate.Store.Change(ctx, who, a.gate.Now(), func(tx *store.Tx) (err error) {
		meta, err = tx.PutMerchant(m, expect)
		return err
	})
	if err != nil {
		return meta, err
	}
	return meta, a.gate.TellShops(ctx)
}

// PutContract adds or replaces a contract under the rule of ApplyContracts.
func (a *Administration) PutContract(ctx context.Context, who access.Principal, c contracts.Contract, expect int) (meta store.Meta, err error) {
	if _, err := access.Decide(who, access.WriteContracts); err != nil {
		return meta, err
	}
	if err := errors.Join(c.Validate(), a.measurable(c)); err != nil {
		return meta, err
	}
	err = a.gate.Store.Change(ctx, who, a.gate.Now(), func(tx *store.Tx) (err error) {
		if err := a.keepsEffective(ctx, tx, c); err != nil {
			return err
		}
		meta, err = tx.PutContract(c, expect)
		return err
	})
	return meta, err
}

// Merchants lists merchants in scope by id.
func (a *Administration) Merchants(ctx context.Context, who access.Principal, p store.Page) ([]store.Stored[contracts.Merchant], string, error) {
	view, _, err := a.gate.Read(who, access.ReadContracts)
	if err != nil {
		return nil, "", err
	}
	return view.Merchants(ctx, p)
}

// Merchant returns one merchant.
func (a *Administration) Merchant(ctx context.Context, who access.Principal, id ids.Merchant) (store.Stored[contracts.Merchant], error) {
	view, _, err := a.gate.Read(who, access.ReadContracts)
	if err != nil {
		return store.Stored[contracts.Merchant]{}, err
	}
	return view.Merchant(ctx, id)
}

// Queues lists queues in scope.
func (a *Administration) Queues(ctx context.Context, who access.Principal, f store.QueueFilter, p store.Page) ([]store.Queue, string, error) {
	view, _, err := a.gate.Read(who, access.ReadContracts)
	if err != nil {
		return nil, "", err
	}
	return view.Queues(ctx, f, p)
}

// Contracts lists contracts in scope by id.
func (a *Administration) Contracts(ctx context.Context, who access.Principal, f store.ContractFilter, p store.Page) ([]store.Stored[contracts.Contract], string, error) {
	view, _, err := a.gate.Read(who, access.ReadContracts)
	if err != nil {
		return nil, "", err
	}
	return view.Contracts(ctx, f, p)
}

// Contract returns one contract with all its versions.
func (a *Administration) Contract(ctx context.Context, who access.Principal, id ids.Contract) (store.Stored[contracts.Contract], error) {
	view, _, err := a.gate.Read(who, access.ReadContracts)
	if err != nil {
		return store.Stored[contracts.Contract]{}, err
	}
	return view.Contract(ctx, id)
}

// PutPlaces adds or replaces sites and teams. Errors: site.invalid and team.invalid with every bad field of
// the first bad one, site.twice and team.twice when one is named twice.
func (a *Administration) PutPlaces(ctx context.Context, who access.Principal, sites []workforce.Site, teams []workforce.Team) error {
	if _, err := access.Decide(who, access.WriteAgents); err != nil {
		return err
	}
	for i, s := range sites {
		if err := s.Validate(); err != nil {
			return err
		}
		if slices.ContainsFunc(sites[:i], func(o workforce.Site) bool { return o.ID == s.ID }) {
			return fault.Bad("site.twice", "sites", []fault.Field{{Path: fmt.Sprintf("sites[%d].id", i), Value: string(s.ID), Problem: "is given twice"}})
		}
	}
	for i, t := range teams {
		if err := t.Validate(); err != nil {
			return err
		}
		if slices.ContainsFunc(teams[:i], func(o workforce.Team) bool { return o.ID == t.ID }) {
			return fault.Bad("team.twice", "teams", []fault.Field{{Path: fmt.Sprintf("teams[%d].id", i), Value: string(t.ID), Problem: "is given twice"}})
		}
	}
	return a.gate.Store.Change(ctx, who, a.gate.Now(), func(tx *store.Tx) error {
		for _, s := range sites {
			if _, err := tx.PutSite(s, store.AnyVersion); err != nil {
				return err
			}
		}
		for _, t := range teams {
			if _, err := tx.PutTeam(t, store.AnyVersion); err != nil {
				return err
			}
		}
		return nil
	})
}

// AgentsPut is what became of agents.
type AgentsPut = gate.AgentsPut

// PutAgents adds or replaces agents; agents that are not named stay. Wages that change hold from today on.
func (a *Administration) PutAgents(ctx context.Context, who access.Principal, agents []workforce.Agent) (AgentsPut, error) {
	return a.PutAgentsFrom(ctx, who, agents, calendar.Date{})
}

// PutAgentsFrom is PutAgents with the day from which changed wages and employments are paid by, as gate.PutAgents has it.
func (a *Administration) PutAgentsFrom(ctx context.Context, who access.Principal, agents []workforce.Agent, payFrom calendar.Date) (done AgentsPut, err error) {
	if _, err := access.Decide(who, access.WriteAgents); err != nil {
		return done, err
	}
	for _, agent := range agents {
		if err := agent.Validate(); err != nil {
			return done, err
		}
	}
	err = a.gate.Store.Change(ctx, who, a.gate.Now(), func(tx *store.Tx) (err error) {
		done, err = a.policy.PutAgents(ctx, tx, agents, payFrom)
		return err
	})
	return done, err
}

// Agents lists agents in scope by id. Who may not see their terms (access.Principal.SeesTerms) is shown neither wages nor protected
// states nor absences.
func (a *Administration) Agents(ctx context.Context, who access.Principal, f store.AgentFilter, p store.Page) ([]store.Stored[workforce.Agent], string, error) {
	view, _, err := a.gate.Read(who, access.ReadAgents)
	if err != nil {
		return nil, "", err
	}
	list, next, err := view.Agents(ctx, f, p)
	for i := range list {
		list[i].Value = shownAgent(list[i].Value, who)
	}
	return list, next, err
}

// Agent returns one agent, as Agents shows it.
func (a *Administration) Agent(ctx context.Context, who access.Principal, id ids.Agent) (store.Stored[workforce.Agent], error) {
	view, _, err := a.gate.Read(who, access.ReadAgents)
	if err != nil {
		return store.Stored[workforce.Agent]{}, err
	}
	one, err := view.Agent(ctx, id)
	one.Value = shownAgent(one.Value, who)
	return one, err
}

// shownAgent is what a reader sees of an agent.
func shownAgent(x workforce.Agent, who access.Principal) workforce.Agent {
	if !who.SeesTerms() {
		x.Wage, x.Conditions, x.Unavailable = 0, nil, nil
	}
	return x
}

// Sites lists sites.
func (a *Administration) Sites(ctx context.Context, who access.Principal, p store.Page) ([]store.Stored[workforce.Site], string, error) {
	view, _, err := a.gate.Read(who, access.ReadAgents)
	if err != nil {
		return nil, "", err
	}
	return view.Sites(ctx, p)
}

// Teams lists teams, of one site when it is named.
func (a *Administration) Teams(ctx context.Context, who access.Principal, site ids.Site, p store.Page) ([]store.Stored[workforce.Team], string, error) {
	view, _, err := a.gate.Read(who, access.ReadAgents)
	if err != nil {
		return nil, "", err
	}
	return view.Teams(ctx, site, p)
}

// Audit lists audit rows, newest first.
func (a *Administration) Audit(ctx context.Context, who access.Principal, f store.AuditFilter, p store.Page) ([]store.AuditEntry, string, error) {
	view, _, err := a.gate.Read(who, access.ReadAudit)
	if err != nil {
		return nil, "", err
	}
	return view.Audit(ctx, f, p)
}

// VerifyAudit walks the whole hash chain and names the first broken row.
func (a *Administration) VerifyAudit(ctx context.Context, who access.Principal) (store.AuditProof, error) {
	if _, err := access.Decide(who, access.ReadAudit); err != nil {
		return store.AuditProof{}, err
	}
	return a.gate.Store.VerifyAudit(ctx)
}

// sameDocument compares two values by what would be stored of them.
func sameDocument(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
