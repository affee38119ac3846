package administration_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/administration"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// A term must be measurable: its version must exist, or one must be in force when it begins.
func TestTermsOfPlatformMetrics(t *testing.T) {
	s := stackOn(t, "", operationstest.Definitions(t, "jd", "pdd"))
	apply := func(old, new string) error {
		text := strings.Replace(operationstest.MerchantsYAML, old, new, 1)
		require.NotEqual(t, operationstest.MerchantsYAML, text)
		_, err := s.Administration.ApplyContracts(t.Context(), admin, "m.yaml", strings.NewReader(text))
		return err
	}
	const term = "metric: answered_within, within: 30s, direction: at_least, target: 0.9}"
	for _, c := range []struct{ term, says string }{
		{"metric: jd.first_30s, version: v2099, direction: at_least, target: 0.9}", "v2021-11, v2021-12"},
		{"metric: pdd.reply_5min, direction: at_least, target: 0.9}", "has no definition in force on 2026-01-01; name one of v2019"},
		{"metric: pdd.human_3min, window: \"09:00-21:00\", direction: at_least, target: 0.9}", "it has a window of its own"},
		{"metric: jd.first_30s, direction: at_least, target: 90}", "is a share"},
	} {
		err := apply(term, c.term)
		f := refused(t, err, "contract.term")
		require.Len(t, f.Fields, 1, c.term)
		assert.Contains(t, f.Fields[0].Problem, c.says)
	}
	ok(t, apply(term, "metric: jd.first_30s, version: v2021-11, direction: at_least, target: 0.9}"))
}

func TestApplyContractsTwiceChangesNothing(t *testing.T) {
	s := newStoreStack(t)
	first := s.ApplyContracts(t, operationstest.MerchantsYAML)
	assert.Equal(t, administration.Applied{Merchants: store.PutResult{Added: 2}, Contracts: store.PutResult{Added: 2}}, first)
	before, err := s.Administration.VerifyAudit(t.Context(), admin)
	ok(t, err)
	for range 2 {
		s.Clock = s.Clock.Add(time.Second)
		again := s.ApplyContracts(t, operationstest.MerchantsYAML)
		assert.Equal(t, administration.Applied{Merchants: store.PutResult{Unchanged: 2}, Contracts: store.PutResult{Unchanged: 2}}, again)
	}
	after, err := s.Administration.VerifyAudit(t.Context(), admin)
	ok(t, err)
	assert.Equal(t, before, after, "and leaves no trace in the audit chain")

	s.Clock = s.Clock.Add(time.Second)
	renamed := s.ApplyContracts(t, strings.Replace(operationstest.MerchantsYAML, "鹿米家居", "鹿米家居新", 1))
	assert.Equal(t, administration.Applied{Merchants: store.PutResult{Changed: 1, Unchanged: 1}, Contracts: store.PutResult{Unchanged: 2}}, renamed)
}

func TestApplyContractsIsOneTransaction(t *testing.T) {
	s := newStoreStack(t)
	bad := strings.Replace(operationstest.MerchantsYAML, "merchant: orca\n", "merchant: nowhere\n", 1)
	_, err := s.Administration.ApplyContracts(t.Context(), admin, "bad.yaml", strings.NewReader(bad))
	require.Error(t, err)
	list, _, err := s.Administration.Merchants(t.Context(), admin, operations.Page{})
	ok(t, err)
	assert.Empty(t, list, "the merchants of the same file were not kept")
}

// A version that is in force stays as it was signed; only its end may move, and never into the
// past. Versions that begin later are still free.
func TestVersionInForceStays(t *testing.T) {
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	for name, change := range map[string]func(*contracts.Contract){
		"target":     func(c *contracts.Contract) { c.Versions[0].Terms[0].Target = 0.5 },
		"price":      func(c *contracts.Contract) { c.Versions[0].Prices[0].Amount = money.Yuan(7000) },
		"start":      func(c *contracts.Contract) { c.Versions[0].From = today.Add(1) },
		"removed":    func(c *contracts.Contract) { c.Versions[0].Number = 2 },
		"past end":   func(c *contracts.Contract) { c.Versions[0].Until = today.Add(-1) },
		"no KPI":     func(c *contracts.Contract) { c.Versions[0].NoKPIUntil = today.Add(30) },
		"end & term": func(c *contracts.Contract) { c.Versions[0].Until = today.Add(30); c.Versions[0].Terms[1].Target = 30 },
	} {
		c := s.Agreed(t)
		change(&c)
		_, err := s.Administration.PutContract(t.Context(), planner, c, operations.AnyVersion)
		assert.Equal(t, fault.Conflict, refused(t, err, "contract.effective").Kind, name)
	}
	assert.Equal(t, 0.6, s.Agreed(t).Versions[0].Terms[0].Target)

	text := strings.Replace(operationstest.MerchantsYAML, "target: 0.6", "target: 0.5", 1)
	_, err := s.Administration.ApplyContracts(t.Context(), admin, "merchants.yaml", strings.NewReader(text))
	_ = refused(t, err, "contract.effective")
}

func TestEndOfVersionMovesAndTheNextIsFree(t *testing.T) {
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	c := s.Agreed(t)
	next := c.Versions[0]
	c.Versions[0].Until = today // today is the first day on which it is no longer in force
	next.Number, next.From = 2, today.Add(1)
	c.Versions = append(c.Versions, next)
	meta, err := s.Administration.PutContract(t.Context(), planner, c, operations.AnyVersion)
	ok(t, err)
	assert.Equal(t, 2, meta.Version)

	c = s.Agreed(t)
	c.Versions[1].Terms[0].Target = 0.95
	_, err = s.Administration.PutContract(t.Context(), planner, c, 1)
	_ = refused(t, err, store.ErrConflict.Code)
	_, err = s.Administration.PutContract(t.Context(), planner, c, meta.Version)
	ok(t, err)
	s.Clock = s.Clock.AddDate(0, 0, 2)
	c.Versions[1].Terms[0].Target = 0.9
	_, err = s.Administration.PutContract(t.Context(), planner, c, operations.AnyVersion)
	_ = refused(t, err, "contract.effective")

	c = s.Agreed(t)
	c.Versions[0].Until = today.Add(1) // an end that has passed is history too
	_, err = s.Administration.PutContract(t.Context(), planner, c, operations.AnyVersion)
	_ = refused(t, err, "contract.effective")
}

func TestContractsAreValidatedBeforeTheyAreStored(t *testing.T) {
	s := newStoreStack(t)
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	c := s.Agreed(t)
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
