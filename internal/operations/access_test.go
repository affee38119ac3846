package operations_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/administration"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/operations/rostering"
	"github.com/chaoban/chaoban/internal/operations/settling"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling"
)

// roleLetters are the roles in the order of the tables below.
var roleLetters = map[rune]access.Principal{
	'A': admin, 'P': planner, 'S': supervisor, 'Q': quality, 'G': agentLumi, 'C': clientLumi,
}

// owner is whose a returned row is.
type owner struct {
	merchant ids.Merchant
	agent    ids.Agent
}

// useCase is one exported method: who may call it, and whose rows come back.
type useCase struct {
	roles string // letters of roleLetters; "any" = whoever is logged in; "" = takes no access.Principal
	both  string // "merchants" or "agents": rows of both come back to an administrator
	call  func(context.Context, *world, access.Principal) ([]owner, error)
}

// world is a stack in which two merchants have one of everything each.
type world struct {
	*stack
	reports map[ids.Merchant]ids.Report
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := stackOn(t, enginetest.Start(t), append(operationstest.Definitions(t), operationstest.HumanRounds))
	ctx := t.Context()
	s.ApplyContracts(t, operationstest.MerchantsYAML)
	s.AddPeople(t, 1001, 2, "lumi-tmall/pre")
	s.AddPeople(t, 2001, 1, "orca-jd/pre")
	s.Ingest(t, warehouse.Batch{Conversations: operationstest.Of(monthOfChats(), func(c chatlog.Conversation) bool {
		day := calendar.DateOf(c.StartedAt, shanghai)
		return day == may.First() || day == date("2026-05-20") // two days do: the jobs that look at every day are called by every role
	})})
	_, err := s.Settling.DailyScorecards(ctx, admin, at("2026-05-21", "02:00:00"))
	ok(t, err)
	w := &world{stack: s, reports: map[ids.Merchant]ids.Report{}}
	for _, m := range []ids.Merchant{"lumi", "orca"} {
		r, err := s.Settling.KeepReport(ctx, admin, ids.Contract(m+"-2026"), may)
		ok(t, err)
		w.reports[m] = r.ID
		ok(t, s.DB.Change(ctx, admin, s.Clock, func(tx *store.Tx) error { return plant(tx, m) }))
		ok(t, s.DB.Change(ctx, admin, s.Clock, func(tx *store.Tx) error { return plantForecasting(tx, m) }))
	}
	ok(t, s.DB.Change(ctx, admin, s.Clock, plantKept))
	ok(t, s.DB.Change(ctx, admin, s.Clock, plantExclusions))
	ok(t, s.DB.Change(ctx, admin, s.Clock, plantRequests))
	ok(t, s.DB.Change(ctx, admin, s.Clock, func(tx *store.Tx) error {
		_, err := tx.AddRoster(store.Roster{ID: "r", Range: calendar.Day(today, shanghai), Shifts: []scheduling.Shift{operationstest.ShiftOf("1001", today, 9), operationstest.ShiftOf("2001", today, 9)}})
		if err == nil {
			_, err = tx.SetRosterState("r", store.Published, store.AnyVersion)
		}
		for _, a := range []ids.Agent{"1001", "2001"} {
			if err == nil {
				_, err = tx.AddCalendarFeed(store.CalendarFeed{ID: ids.Feed(a), Agent: a, SecretHash: string(a)})
			}
		}
		return err
	}))
	return w
}

// plant gives a merchant a forecast, a plan and an import.
func plant(tx *store.Tx, m ids.Merchant) error {
	queue := map[ids.Merchant]ids.Queue{"lumi": "lumi-tmall/pre", "orca": "orca-jd/pre"}[m]
	day := calendar.Day(today, shanghai)
	err := tx.AddForecast(store.Forecast{ID: ids.Forecast("f-" + m), Queue: queue, Range: day, Curve: scheduling.Curve{
		Queue: queue, Slot: time.Hour, Points: []scheduling.Point{{Start: day.Start, Mean: 1}},
	}})
	if err != nil {
		return err
	}
	err = tx.AddPlan(store.Plan{ID: ids.Plan("p-" + m), Queue: queue, Range: day, Requirement: scheduling.Requirement{Queue: queue, Slot: time.Hour}})
	if err != nil {
		return err
	}
	return tx.AddImport(store.Import{Batch: ids.Batch("i-" + m), Kind: "contacts", Key: string(m), Merchant: m})
}

func owned[T any](rows []T, of func(T) owner) (out []owner) {
	for _, r := range rows {
		out = append(out, of(r))
	}
	return out
}

// each asks for one thing by the id of either owner and leaves out what is not there for the asker.
func each[K ~string, T any](get func(K) (T, error), of func(T) owner, keys ...K) (out []owner, err error) {
	for _, k := range keys {
		v, err := get(k)
		if err != nil && fault.KindOf(err) == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, of(v))
	}
	return out, nil
}

func list[T any](rows []T, _ string, err error, of func(T) owner) ([]owner, error) {
	return owned(rows, of), err
}

func mayQuery(by ...kpi.Dimension) kpi.Query {
	return kpi.Query{Metrics: []kpi.Metric{"offered"}, By: by, Grain: kpi.Whole, Range: may.Range(shanghai)}
}

func nobody[T any](T) owner { return owner{} }

// only keeps the error of a call that returns nothing of anybody.
func only[T any](_ T, err error) ([]owner, error) { return nil, err }

// merchantsOf names all merchants, or a client's own: to it the other does not exist.
func merchantsOf(p access.Principal) []ids.Merchant {
	if p.Role == access.Client {
		return []ids.Merchant{p.Merchant}
	}
	return lumiAndOrca
}

var lumiAndOrca = []ids.Merchant{"lumi", "orca"}

// everyMethod lists the exported methods of the use cases.
func everyMethod() (names []string) {
	for _, t := range []reflect.Type{
		reflect.TypeFor[*operations.Operations](), reflect.TypeFor[*planning.Planning](), reflect.TypeFor[*pricing.Pricing](), reflect.TypeFor[*rostering.Rostering](), reflect.TypeFor[*measuring.Measuring](),
		reflect.TypeFor[*settling.Settling](), reflect.TypeFor[*administration.Administration](), reflect.TypeFor[*requesting.Requesting](),
	} {
		for m := range t.Methods() {
			names = append(names, t.Elem().Name()+"."+m.Name)
		}
	}
	return names
}

// takesPrincipal reports whether a method asks who calls.
func takesPrincipal(name string) bool {
	group, method, _ := strings.Cut(name, ".")
	for _, t := range []reflect.Type{
		reflect.TypeFor[*operations.Operations](), reflect.TypeFor[*planning.Planning](), reflect.TypeFor[*pricing.Pricing](), reflect.TypeFor[*rostering.Rostering](), reflect.TypeFor[*measuring.Measuring](),
		reflect.TypeFor[*settling.Settling](), reflect.TypeFor[*administration.Administration](), reflect.TypeFor[*requesting.Requesting](),
	} {
		if m, found := t.MethodByName(method); found && t.Elem().Name() == group {
			for i := range m.Type.NumIn() {
				if m.Type.In(i) == reflect.TypeFor[access.Principal]() {
					return true
				}
			}
		}
	}
	return false
}

func TestEveryMethodHasARow(t *testing.T) {
	cases := useCases()
	for _, name := range everyMethod() {
		c, found := cases[name]
		if assert.True(t, found, "%s has no row: say which roles may call it and whose rows come back", name) {
			assert.Equal(t, takesPrincipal(name), c.call != nil, "%s asks who calls exactly when its row names roles", name)
		}
	}
	for name := range cases {
		base, _, _ := strings.Cut(name, "/")
		assert.Contains(t, everyMethod(), base, "a row without a method")
	}
}

// TestPermissions walks every method x role, and each also without a login and with a token that
// carries no permission.
func TestPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range useCases() {
		if c.call == nil {
			continue
		}
		for letter, who := range roleLetters {
			_, err := c.call(t.Context(), w, who)
			if c.roles == "any" || strings.ContainsRune(c.roles, letter) {
				assert.False(t, err != nil && strings.HasPrefix(fault.CodeOf(err), "access."), "%s is for the role %s: %v", name, who.Role, err)
				continue
			}
			if assert.Error(t, err, "%s is not for the role %s", name, who.Role) {
				assert.Equal(t, "access.forbidden", fault.CodeOf(err), "%s by the role %s", name, who.Role)
			}
		}
		_, err := c.call(t.Context(), w, access.Principal{Role: access.Administrator})
		if assert.Error(t, err, "%s without a login", name) {
			assert.Equal(t, "access.unauthenticated", fault.CodeOf(err), name)
		}
		if c.roles == "any" {
			continue
		}
		_, err = c.call(t.Context(), w, access.Principal{User: "u", Role: access.Administrator, Token: "k"})
		if assert.Error(t, err, "%s with a token that may do nothing", name) {
			assert.Equal(t, "access.forbidden", fault.CodeOf(err), name)
		}
	}
}

// TestTwoMerchants calls every method as two clients and two agents: each sees its own rows, all
// of them, and nothing else.
func TestTwoMerchants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	proved := 0
	for name, c := range useCases() {
		if c.call == nil {
			continue
		}
		everybody, err := c.call(t.Context(), w, admin)
		if c.both != "" {
			require.NoError(t, err, name)
		}
		for _, who := range []access.Principal{clientLumi, clientOrca} {
			if got, served := rowsOf(t, w, c, name, who, 'C'); served && c.both == "merchants" {
				proved++
				assert.ElementsMatch(t, keep(everybody, func(o owner) bool { return o.merchant == who.Merchant }), got, "%s as the client %s", name, who.Merchant)
				assert.NotEmpty(t, got, "%s as the client %s", name, who.Merchant)
				assert.Less(t, len(got), len(everybody), "%s has rows of both merchants", name)
			}
		}
		for _, who := range []access.Principal{agentLumi, agentOrca} {
			got, served := rowsOf(t, w, c, name, who, 'G')
			if !served || c.both == "" {
				continue
			}
			proved++
			assert.NotEmpty(t, got, "%s as the agent %s", name, who.Agent)
			for _, o := range got {
				assert.Equal(t, who.Agent, o.agent, "%s as the agent %s", name, who.Agent)
			}
			if c.both == "agents" {
				assert.ElementsMatch(t, keep(everybody, func(o owner) bool { return o.agent == who.Agent }), got, "%s as the agent %s", name, who.Agent)
			}
		}
	}
	assert.GreaterOrEqual(t, proved, 2*(11+6), "eleven methods for clients and six for agents return rows")
}

// rowsOf calls a method as a narrowed role; false when the role is refused.
func rowsOf(t *testing.T, w *world, c useCase, name string, who access.Principal, letter rune) ([]owner, bool) {
	t.Helper()
	got, err := c.call(t.Context(), w, who)
	if c.roles != "any" && !strings.ContainsRune(c.roles, letter) {
		require.Error(t, err, name)
		assert.Empty(t, got, name)
		return nil, false
	}
	require.NoError(t, err, name)
	return got, true
}

func keep(rows []owner, which func(owner) bool) (out []owner) {
	for _, r := range rows {
		if which(r) {
			out = append(out, r)
		}
	}
	return out
}

// What a client can write into a question does not widen it, and an agent's own rows never name
// the merchants' totals.
func TestAQuestionDoesNotWidenTheScope(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	whole, err := w.Measuring.Figures(t.Context(), clientLumi, mayQuery())
	ok(t, err)
	byMerchant, err := w.Measuring.Figures(t.Context(), admin, mayQuery(kpi.ByMerchant))
	ok(t, err)
	require.Len(t, byMerchant, 2)
	assert.Equal(t, ids.Merchant("lumi"), byMerchant[0].Merchant)
	assert.InDelta(t, byMerchant[0].Numerator, whole[0].Numerator, 0)

	other := mayQuery()
	other.Merchants, other.Shops = []ids.Merchant{"orca"}, []ids.Shop{"orca-jd"}
	_, err = w.Measuring.Figures(t.Context(), clientLumi, other)
	_ = refused(t, err, "store.not_found")
	fresh, err := w.Measuring.Freshness(t.Context(), access.Principal{User: "u", Role: access.Client, Merchant: "new"})
	ok(t, err)
	assert.True(t, fresh.NewestStart.IsZero(), "a merchant without events learns nothing of the others'")

	_, err = w.Measuring.Figures(t.Context(), access.Principal{User: "u", Role: access.Client}, mayQuery())
	_ = refused(t, err, "access.no_merchant")
	_, err = w.Measuring.Figures(t.Context(), access.Principal{User: "u", Role: access.AgentRole}, mayQuery())
	_ = refused(t, err, "access.no_agent")
	text, err := json.Marshal(whole)
	ok(t, err)
	assert.NotContains(t, string(text), "orca")
}
