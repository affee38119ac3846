package rostering

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
)

// AcknowledgeInput says that an agent has seen a roster.
type AcknowledgeInput struct {
	Roster   ids.Roster
	Revision int       // that was seen; 0: the newest
	Agent    ids.Agent // empty: the agent who is logged in
	Note     string    // how a supervisor knows
}

// Acknowledge notes that an agent has seen a published roster. An agent speaks for itself only; a
// supervisor may note it for an agent, and the trail says who did.
//
// Errors: store.not_found (no such roster; for an agent also one that it has no part in),
// roster.not_published, access.forbidden, acknowledgement.agent.
func (r *Rostering) Acknowledge(ctx context.Context, who access.Principal, in AcknowledgeInput) (store.Acknowledgement, error) {
	scope, err := access.Decide(who, access.AcknowledgeShifts)
	if err != nil {
		return store.Acknowledgement{}, err
	}
	agent, err := ownAgent(scope, in.Agent)
	if err != nil {
		return store.Acknowledgement{}, err
	}
	var made store.Acknowledgement
	err = r.gate.Store.Change(ctx, who, r.gate.Now(), func(tx *store.Tx) error {
		view := tx.In(access.Scope{Everything: true})
		head, err := view.RosterHead(ctx, in.Roster)
		if err != nil {
			return err
		}
		has, err := hasPart(ctx, view, head.ID, agent)
		if err != nil {
			return err
		}
		if !has || scope.Agent != "" && head.State != store.Published {
			return fault.New(fault.NotFound, store.ErrNotFound.Code, "the roster %q has no part of %s", in.Roster, agent)
		}
		if head.State != store.Published {
			return fault.New(fault.Conflict, "roster.not_published", "the roster %q is %s; agents see published ones", in.Roster, head.State)
		}
		made, err = tx.Acknowledge(in.Roster, in.Revision, agent, in.Note)
		return err
	})
	return made, err
}

// hasPart reports that an agent works in a roster, or lost a shift of it to a change.
func hasPart(ctx context.Context, view *store.View, id ids.Roster, agent ids.Agent) (bool, error) {
	own, _, err := view.Shifts(ctx, store.ShiftFilter{Roster: id, Agent: agent}, store.Page{Limit: 1})
	if err != nil || len(own) > 0 {
		return err == nil, err
	}
	revisions, err := store.All(func(p store.Page) ([]store.Revision, string, error) { return view.RosterRevisions(ctx, id, p) })
	return slices.ContainsFunc(revisions, func(v store.Revision) bool { return slices.Contains(revise.Agents(v.Changes), agent) }), err
}

// ownAgent is whom a call is about: an agent may speak for itself only.
func ownAgent(scope access.Scope, agent ids.Agent) (ids.Agent, error) {
	switch {
	case scope.Agent == "" && agent == "":
		return "", fault.Bad("acknowledgement.agent", "acknowledgement", []fault.Field{{Path: "agent", Problem: "is needed: this login belongs to no agent"}})
	case scope.Agent == "":
		return agent, nil
	}
	return scope.Agent, scope.MayName(agent)
}

// lastChange tells for everybody who has or had a part in a roster at which revision it last changed, not
// later than a revision; 0 is the newest.
func (r *Rostering) lastChange(ctx context.Context, view *store.View, id ids.Roster, at int) (map[ids.Agent]int, error) {
	now, err := view.RosterAt(ctx, id, at)
	if err != nil {
		return nil, err
	}
	out := map[ids.Agent]int{}
	revisions, err := store.All(func(p store.Page) ([]store.Revision, string, error) { return view.RosterRevisions(ctx, id, p) })
	if err != nil {
		return nil, err
	}
	for _, s := range now.Shifts {
		out[s.Agent] = 0
	}
	for _, v := range slices.Backward(revisions) {
		for _, a := range revise.Agents(v.Changes) {
			if v.Revision <= now.Revision {
				out[a] = v.Revision
			}
		}
	}
	return out, nil
}

// Seen is how far an agent has seen a roster.
type Seen string

// How far.
const (
	SeenNow     Seen = "seen"    // as it is for this agent
	SeenBefore  Seen = "changed" // before its last change for this agent
	SeenNothing Seen = "unseen"
)

// AgentSeen is one agent of a roster.
type AgentSeen struct {
	Agent    ids.Agent `json:"agent"`
	Name     string    `json:"name"`
	Team     ids.Team  `json:"team"`
	Seen     Seen      `json:"seen"`
	Changed  int       `json:"changed_revision"` // the last one that changed something for this agent; 0: as it was made
	Revision int       `json:"seen_revision,omitempty"`
	At       time.Time `json:"at,omitzero"`
	By       string    `json:"by,omitempty"` // who noted it
}

// Acknowledgements lists who has seen a roster, by agent: everybody who has a part in it or lost one to a
// change. With pending it lists only those who have not seen it as it is, who are to be reminded. What an
// agent saw of a roster holds for a copy that is published in its place until it changes something for
// the agent.
func (r *Rostering) Acknowledgements(ctx context.Context, who access.Principal, id ids.Roster, pending bool) ([]AgentSeen, error) {
	_, scope, err := r.gate.Read(who, access.ReadPlans)
	if err != nil {
		return nil, err
	}
	out := []AgentSeen{}
	err = r.gate.Store.Read(ctx, scope, func(view *store.View) error {
		all, err := r.seen(ctx, view, id, 0, maxCopies)
		if err != nil {
			return err
		}
		people, err := gate.Agents(ctx, view)
		if err != nil {
			return err
		}
		for _, p := range people {
			if a, has := all[p.ID]; has {
				a.Name, a.Team = p.Name, p.Team
				all[p.ID] = a
			}
		}
		for _, agent := range slices.Sorted(maps.Keys(all)) {
			if a := all[agent]; !pending || a.Seen != SeenNow {
				out = append(out, a)
			}
		}
		return nil
	})
	return out, err
}

// maxCopies is how far back a chain of copies is followed.
const maxCopies = 30

// seen tells how far everybody has seen a roster as it was at a revision; 0 is the newest.
func (r *Rostering) seen(ctx context.Context, view *store.View, id ids.Roster, at, copies int) (map[ids.Agent]AgentSeen, error) {
	head, err := view.RosterHead(ctx, id)
	if err != nil {
		return nil, err
	}
	changed, err := r.lastChange(ctx, view, id, at)
	if err != nil {
		return nil, err
	}
	before := map[ids.Agent]AgentSeen{}
	if head.Parent != "" && copies > 0 {
		if before, err = r.seen(ctx, view, head.Parent, head.ParentAt, copies-1); err != nil {
			return nil, err
		}
	}
	given, err := store.All(func(p store.Page) ([]store.Acknowledgement, string, error) { return view.Acknowledgements(ctx, id, p) })
	if err != nil {
		return nil, err
	}
	out := map[ids.Agent]AgentSeen{}
	for agent, revision := range changed {
		a := AgentSeen{Agent: agent, Seen: SeenNothing, Changed: revision}
		if old, had := before[agent]; had && revision <= head.ParentAt {
			a = old
		}
		out[agent] = a
	}
	for _, g := range given { // by revision, so the last one stays
		a, has := out[g.Agent]
		if !has {
			continue
		}
		a.Revision, a.At, a.By = g.Revision, g.At, g.AuthorName
		if a.Seen = SeenBefore; g.Revision >= a.Changed {
			a.Seen = SeenNow
		}
		out[g.Agent] = a
	}
	return out, nil
}
