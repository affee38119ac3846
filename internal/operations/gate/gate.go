// Package gate is what every use case stands on: the stores behind one permission check, and the
// few readings and rules of the stores that more than one group of use cases needs.
//
// It owns no use case. The groups (administration, measuring, planning, pricing, rostering, settling) hold a Gate in an
// unexported field, so that a door that holds the use cases cannot reach the stores around their
// permission checks. They never import each other: what two of them need is here.
//
// Now is the clock of the use cases; domain functions take the instant.
package gate

import (
	"log/slog"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
)

// Gate is the stores and what they are read with. Warehouse may be down at any time.
type Gate struct {
	Store       *store.DB
	Warehouse   *warehouse.Warehouse
	Zone        *time.Location // business time zone
	Definitions kpi.Definitions
	Log         *slog.Logger
	Now         func() time.Time
}

// Read gives the scoped view of the operational store after the permission check. Errors: those of
// access.Decide.
func (g Gate) Read(who access.Principal, perm access.Permission) (*store.View, access.Scope, error) {
	scope, err := access.Decide(who, perm)
	if err != nil {
		return nil, access.Scope{}, err
	}
	return g.Store.In(scope), scope, nil
}

// Figures gives the scoped view of the warehouse after the permission check. Errors: those of
// access.Decide.
func (g Gate) Figures(who access.Principal, perm access.Permission) (warehouse.Reader, error) {
	scope, err := access.Decide(who, perm)
	if err != nil {
		return warehouse.Reader{}, err
	}
	return g.Measured(scope), nil
}

// Measured is the warehouse in a scope that was decided before.
func (g Gate) Measured(s access.Scope) warehouse.Reader {
	return g.Warehouse.In(warehouse.Scope{Everything: s.Everything, Merchants: s.Merchants, Agent: s.Agent})
}

// Everything is the store without a scope, for what is nobody's in particular.
func (g Gate) Everything() *store.View { return g.Store.In(access.Scope{Everything: true}) }
