package requesting_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/internal/operations/requesting"
	"github.com/chaoban/chaoban/internal/operations/revising"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/internal/store/storetest"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/leave"
	"github.com/chaoban/chaoban/scheduling/workforce"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// The harness in short.
var (
	planner    = operationstest.Planner
	supervisor = operationstest.Supervisor
	shanghai   = operationstest.Shanghai
	ok         = operationstest.OK
	refused    = operationstest.Refused
	date       = operationstest.Date
)

const (
	pre     = ids.Queue("lumi/pre")
	monday  = "2026-06-15" // of the published fortnight
	tuesday = "2026-06-16"
)

// house is six agents of team t1 and one of t2 with a published fortnight from Monday 15 June 2026.
// Today is Wednesday the 10th, 10:00.
type house struct {
	*requesting.Requesting
	db    *store.DB
	clock time.Time
}

var agents = []ids.Agent{"a1", "a2", "a3", "a4", "a5", "a6", "b1"}

func newHouse(t *testing.T, db *store.DB) *house {
	t.Helper()
	h := &house{db: db, clock: operationstest.Today.In(shanghai).Add(10 * time.Hour)}
	holidays := calendar.NewHolidays("test", []calendar.Holiday{{Date: date("2026-06-19"), Kind: calendar.Statutory}})
	h.Requesting = requesting.New(
		gate.Gate{Store: db, Zone: shanghai, Now: func() time.Time { return h.clock }},
		revising.New(revising.Policy{Zone: shanghai, Holidays: holidays, Rules: workrules.DefaultParams()}),
		requesting.Policy{Holidays: holidays, Promotions: func(context.Context) ([]leave.PromotionDays, error) {
			return []leave.PromotionDays{{Family: "618", Dates: day("2026-06-18")}, {Family: "618", Phase: "wave", Dates: day("2026-06-18")}}, nil
		}},
	)
	ok(t, db.Change(t.Context(), planner, h.clock, func(tx *store.Tx) error {
		_, err := tx.PutMerchant(contracts.Merchant{ID: "lumi", Name: "鹿米", Shops: []contracts.Shop{{
			ID: "lumi-tmall", Name: "x", Platform: contracts.Tmall, Queues: []contracts.Queue{{ID: pre, Skill: "pre", Channel: "chat", Hours: "Mon-Sun 09:00-18:00"}},
		}}}, store.AnyVersion)
		if err != nil {
			return err
		}
		if _, err := tx.PutSite(workforce.Site{ID: "hz", Name: "杭州"}, store.AnyVersion); err != nil {
			return err
		}
		for _, team := range []ids.Team{"t1", "t2"} {
			if _, err := tx.PutTeam(workforce.Team{ID: team, Name: "x", Site: "hz"}, store.AnyVersion); err != nil {
				return err
			}
		}
		from := calendar.Dates{From: date("2024-01-01")}
		for _, id := range agents {
			a := workforce.Agent{
				ID: id, Name: string(id), Team: "t1", Site: "hz", Employment: workforce.Standard, Employed: from, Concurrency: 3, Wage: 3000,
				Skills: []workforce.Skill{{Queue: pre, Dates: from, Level: 1}},
			}
			if id[0] == 'b' {
				a.Team = "t2"
			}
			if _, err := tx.PutAgent(a, store.AnyVersion); err != nil {
				return err
			}
		}
		return nil
	}))
	return h
}

func sqlite(t *testing.T) *house { return newHouse(t, storetest.SQLite(t)) }

// onBoth runs a test on both engines.
func onBoth(t *testing.T, test func(t *testing.T, h *house)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqlite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, newHouse(t, storetest.PostgreSQL(t))) })
}

func at(day string, hour int) time.Time {
	return date(day).In(shanghai).Add(time.Duration(hour) * time.Hour).UTC()
}

// shift is work on the queue with an hour's meal after four hours, when it is longer than six.
func shift(agent ids.Agent, day string, from, to int) scheduling.Shift {
	s := scheduling.Shift{Agent: agent, Code: "D", Start: at(day, from), End: at(day, to)}
	work := func(a, b int) {
		s.Activities = append(s.Activities, scheduling.Activity{Kind: scheduling.Work, Start: at(day, a), End: at(day, b), Queue: pre})
	}
	if to-from <= 6 {
		work(from, to)
		return s
	}
	work(from, from+4)
	s.Activities = append(s.Activities, scheduling.Activity{Kind: scheduling.Meal, Start: at(day, from+4), End: at(day, from+5)})
	work(from+5, to)
	return s
}

// publish makes a fortnight of shifts binding.
func (h *house) publish(t *testing.T, id ids.Roster, from string, days int, shifts ...scheduling.Shift) {
	t.Helper()
	ok(t, h.db.Change(t.Context(), planner, h.clock, func(tx *store.Tx) error {
		_, err := tx.AddRoster(store.Roster{ID: id, Title: string(id), Range: calendar.Range{Start: at(from, 0), End: date(from).Add(days).In(shanghai)}, Shifts: shifts})
		if err == nil {
			_, err = tx.SetRosterState(id, store.Published, store.AnyVersion)
		}
		return err
	}))
}

// plan asks for heads at a value in each hour from 9 to 18 of a day.
func (h *house) plan(t *testing.T, day string, heads int, value float64) {
	t.Helper()
	r := scheduling.Requirement{Queue: pre, Slot: time.Hour}
	for hour := 9; hour < 18; hour++ {
		r.Needs = append(r.Needs, scheduling.Need{Start: at(day, hour), Heads: heads, Value: value})
	}
	ok(t, h.db.Change(t.Context(), planner, h.clock, func(tx *store.Tx) error {
		return tx.AddPlan(store.Plan{ID: ids.Plan("p-" + day), Queue: pre, Range: calendar.Day(date(day), shanghai), Requirement: r})
	}))
}

func (h *house) policy(t *testing.T, change func(*leave.Policy)) {
	t.Helper()
	p, err := h.LeavePolicy(t.Context(), planner)
	ok(t, err)
	change(&p.Policy)
	_, err = h.PutLeavePolicy(t.Context(), planner, p.Policy, store.AnyVersion)
	ok(t, err)
}

func as(id ids.Agent) access.Principal {
	return access.Principal{User: ids.User("u-" + id), Name: string(id), Role: access.AgentRole, Agent: id}
}

// shifts are the published shifts, as "agent day from-to".
func (h *house) shifts(t *testing.T) (out []string) {
	t.Helper()
	all, err := gate.PublishedShifts(t.Context(), h.db.In(access.Scope{Everything: true}), calendar.Range{Start: at("2026-01-01", 0), End: at("2027-01-01", 0)})
	ok(t, err)
	for _, s := range all {
		out = append(out, string(s.Agent)+" "+s.Start.In(shanghai).Format("01-02 15")+"-"+s.End.In(shanghai).Format("15"))
	}
	return out
}

func (h *house) act(t *testing.T, who access.Principal, id ids.Request, do leave.Action) store.Request {
	t.Helper()
	r, err := h.Act(t.Context(), who, id, requesting.ActInput{Action: do})
	ok(t, err)
	return r
}

func (h *house) balance(t *testing.T, a ids.Agent, kind leave.LeaveKind) int {
	t.Helper()
	all, err := h.LeaveBalances(t.Context(), supervisor, a, date(monday))
	ok(t, err)
	for _, b := range all {
		if b.Kind == kind {
			return b.Available
		}
	}
	require.Fail(t, "no balance", kind)
	return 0
}

// fails asserts the stable code of a failure.
func fails(t *testing.T, err error, code string) {
	t.Helper()
	_ = refused(t, err, code)
}
