package operations_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

func TestApplyContractsTwiceChangesNothing(t *testing.T) {
	s := newStoreStack(t)
	first := s.applyContracts(t, merchantsYAML)
	assert.Equal(t, operations.Applied{Merchants: store.PutResult{Added: 2}, Contracts: store.PutResult{Added: 2}}, first)
	before, err := s.Administration.VerifyAudit(t.Context(), admin)
	ok(t, err)
	for range 2 {
		s.now = s.now.Add(time.Second)
		again := s.applyContracts(t, merchantsYAML)
		assert.Equal(t, operations.Applied{Merchants: store.PutResult{Unchanged: 2}, Contracts: store.PutResult{Unchanged: 2}}, again)
	}
	after, err := s.Administration.VerifyAudit(t.Context(), admin)
	ok(t, err)
	assert.Equal(t, before, after, "and leaves no trace in the audit chain")

	s.now = s.now.Add(time.Second)
	renamed := s.applyContracts(t, strings.Replace(merchantsYAML, "鹿米家居", "鹿米家居新", 1))
	assert.Equal(t, operations.Applied{Merchants: store.PutResult{Changed: 1, Unchanged: 1}, Contracts: store.PutResult{Unchanged: 2}}, renamed)
}

func TestApplyContractsIsOneTransaction(t *testing.T) {
	s := newStoreStack(t)
	bad := strings.Replace(merchantsYAML, "merchant: orca\n", "merchant: nowhere\n", 1)
	_, err := s.Administration.ApplyContracts(t.Context(), admin, "bad.yaml", strings.NewReader(bad))
	require.Error(t, err)
	list, _, err := s.Administration.Merchants(t.Context(), admin, operations.Page{})
	ok(t, err)
	assert.Empty(t, list, "the merchants of the same file were not kept")
}

// agreed is the contract lumi-2026 as it stands on disk.
func (s *stack) agreed(t *testing.T) contracts.Contract {
	t.Helper()
	c, err := s.Administration.Contract(t.Context(), admin, "lumi-2026")
	ok(t, err)
	return c.Value
}

// A version that is in force stays as it was signed; only its end may move, and never into the
// past. Versions that begin later are still free.
func TestVersionInForceStays(t *testing.T) {
	s := newStoreStack(t)
	s.applyContracts(t, merchantsYAML)
	for name, change := range map[string]func(*contracts.Contract){
		"target":     func(c *contracts.Contract) { c.Versions[0].Terms[0].Target = 0.5 },
		"price":      func(c *contracts.Contract) { c.Versions[0].Prices[0].Amount = money.Yuan(7000) },
		"start":      func(c *contracts.Contract) { c.Versions[0].From = today.Add(1) },
		"removed":    func(c *contracts.Contract) { c.Versions[0].Number = 2 },
		"past end":   func(c *contracts.Contract) { c.Versions[0].Until = today.Add(-1) },
		"no KPI":     func(c *contracts.Contract) { c.Versions[0].NoKPIUntil = today.Add(30) },
		"end & term": func(c *contracts.Contract) { c.Versions[0].Until = today.Add(30); c.Versions[0].Terms[1].Target = 30 },
	} {
		c := s.agreed(t)
		change(&c)
		_, err := s.Administration.PutContract(t.Context(), planner, c, operations.AnyVersion)
		assert.Equal(t, fault.Conflict, refused(t, err, "contract.effective").Kind, name)
	}
	assert.Equal(t, 0.6, s.agreed(t).Versions[0].Terms[0].Target)

	text := strings.Replace(merchantsYAML, "target: 0.6", "target: 0.5", 1)
	_, err := s.Administration.ApplyContracts(t.Context(), admin, "merchants.yaml", strings.NewReader(text))
	_ = refused(t, err, "contract.effective")
}

func TestEndOfVersionMovesAndTheNextIsFree(t *testing.T) {
	s := newStoreStack(t)
	s.applyContracts(t, merchantsYAML)
	c := s.agreed(t)
	next := c.Versions[0]
	c.Versions[0].Until = today // today is the first day on which it is no longer in force
	next.Number, next.From = 2, today.Add(1)
	c.Versions = append(c.Versions, next)
	meta, err := s.Administration.PutContract(t.Context(), planner, c, operations.AnyVersion)
	ok(t, err)
	assert.Equal(t, 2, meta.Version)

	c = s.agreed(t)
	c.Versions[1].Terms[0].Target = 0.95
	_, err = s.Administration.PutContract(t.Context(), planner, c, 1)
	_ = refused(t, err, store.ErrConflict.Code)
	_, err = s.Administration.PutContract(t.Context(), planner, c, meta.Version)
	ok(t, err)
	s.now = s.now.AddDate(0, 0, 2)
	c.Versions[1].Terms[0].Target = 0.9
	_, err = s.Administration.PutContract(t.Context(), planner, c, operations.AnyVersion)
	_ = refused(t, err, "contract.effective")

	c = s.agreed(t)
	c.Versions[0].Until = today.Add(1) // an end that has passed is history too
	_, err = s.Administration.PutContract(t.Context(), planner, c, operations.AnyVersion)
	_ = refused(t, err, "contract.effective")
}

func TestContractsAreValidatedBeforeTheyAreStored(t *testing.T) {
	s := newStoreStack(t)
	s.applyContracts(t, merchantsYAML)
	c := s.agreed(t)
	second := c.Versions[0]
	second.Number = 2
	c.Versions = append(c.Versions, second)
	_, err := s.Administration.PutContract(t.Context(), admin, c, operations.AnyVersion)
	_ = refused(t, err, "contract.overlap")
	_, err = s.Administration.PutMerchant(t.Context(), admin, contracts.Merchant{}, operations.AnyVersion)
	assert.Equal(t, fault.Invalid, fault.KindOf(err))
	_, err = s.Administration.PutAgents(t.Context(), admin, []workforce.Agent{{}})
	assert.Equal(t, fault.Invalid, fault.KindOf(err))
	err = s.Administration.PutPlaces(t.Context(), admin, []workforce.Site{{}}, nil)
	assert.Equal(t, fault.Invalid, fault.KindOf(err))
}

// addPeople makes one site, one team and n agents from 1001 on who know the queues.
func (s *stack) addPeople(t *testing.T, first, n int, queues ...string) {
	t.Helper()
	ctx, a := t.Context(), s.Administration
	ok(t, a.PutPlaces(ctx, admin, []workforce.Site{{ID: "hefei", Name: "合肥"}}, []workforce.Team{{ID: "t1", Name: "一组", Site: "hefei"}}))
	var csv strings.Builder
	csv.WriteString("id,name,site,team,hired,concurrency,wage,skills\n")
	for i := range n {
		fmt.Fprintf(&csv, "%d,客服%d,hefei,t1,2000-01-01,4,25,%s\n", first+i, first+i, strings.Join(queues, ";"))
	}
	done, err := s.Measuring.Import(ctx, admin, operations.ImportInput{
		Source: fileOf("agents.csv", csv.String()), Mapping: operations.DefaultMapping(operations.ImportAgents),
	})
	ok(t, err)
	require.Equal(t, store.PutResult{Added: n}, *done.Agents)
}
