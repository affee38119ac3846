package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/roster/revise"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// shanghai is UTC+8 all year; instants of the fixture come in it and must come back in UTC.
var shanghai = time.FixedZone("CST", 8*3600)

// now has nanoseconds, so that the cut to microseconds shows.
var now = time.Date(2026, 11, 1, 9, 30, 0, 123456789, shanghai)

// nowStored is now as it comes back: UTC, microseconds.
var nowStored = time.Date(2026, 11, 1, 1, 30, 0, 123456000, time.UTC)

var (
	everything = access.Scope{Everything: true}
	system     = access.System("test")
)

func date(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// hour is an instant of 2 November 2026 in business time.
func hour(h int) time.Time { return time.Date(2026, 11, 2, h, 0, 0, 0, shanghai) }

// merchant makes a merchant with one shop, whose ids all carry its own.
func merchant(id string) contracts.Merchant {
	return contracts.Merchant{
		ID: ids.Merchant(id), Name: "商家 " + id, Category: "apparel",
		Shops: []contracts.Shop{{
			ID: ids.Shop(id + "-tmall"), Name: "旗舰店", Platform: contracts.Tmall,
			Queues: []contracts.Queue{
				{ID: ids.Queue(id + "/pre"), Skill: "pre", Channel: "chat", Hours: "Mon-Sun 09:00-23:00"},
				{ID: ids.Queue(id + "/after"), Skill: "after", Channel: "call", Hours: "Mon-Fri 09:00-18:00"},
			},
		}},
	}
}

func contract(id, of string) contracts.Contract {
	return contracts.Contract{
		ID: ids.Contract(id), Merchant: ids.Merchant(of), Title: "客服外包 <" + id + ">",
		Versions: []contracts.Version{{
			Number: 1, Dates: calendar.Dates{From: date("2026-01-01"), Until: date("2026-07-01")}, Shops: []ids.Shop{ids.Shop(of + "-tmall")},
			Terms:   []contracts.Term{{ID: "first-30s", Metric: "answered_within", Within: "30s", Direction: contracts.AtLeast, Target: 0.9}},
			Prices:  []contracts.Price{{ID: "seat", Title: "坐席", Base: contracts.PerSeatMonth, Amount: money.Yuan(6500)}},
			TaxRate: 6 * money.Percent,
		}},
	}
}

func agent(id string) workforce.Agent {
	return workforce.Agent{
		ID: ids.Agent(id), Name: "张" + id, Team: "t1", Site: "hefei", Employment: workforce.Standard,
		Employed: calendar.Dates{From: date("2025-03-01")}, Concurrency: 5, Wage: money.Yuan(25),
		Skills: []workforce.Skill{
			{Queue: "a/pre", Dates: calendar.Dates{From: date("2025-03-01"), Until: date("2026-06-01")}, Level: 1},
			{Queue: "b/pre", Dates: calendar.Dates{From: date("2026-06-01")}, Level: 0.8},
		},
		Unavailable: []calendar.Range{{Start: hour(0), End: hour(8)}},
	}
}

func curve(queue string) scheduling.Curve {
	return scheduling.Curve{
		Queue: ids.Queue(queue), Slot: time.Hour, Levels: []float64{0.1, 0.5, 0.9},
		Points: []scheduling.Point{
			{Start: hour(9), Mean: 12.25, Quantiles: []float64{8, 12, 17}, HandleTime: 180 * time.Second},
			{Start: hour(10), Mean: 0.1, Quantiles: []float64{0, 0, 1}},
		},
	}
}

func shift(agent string, from, until int) scheduling.Shift {
	return scheduling.Shift{
		Agent: ids.Agent(agent), Code: "早A", Start: hour(from), End: hour(until),
		Activities: []scheduling.Activity{{Kind: scheduling.Work, Start: hour(from), End: hour(until), Queue: "a/pre"}},
	}
}

// scorecards makes a card of each agent: 9 of 10 answered in time.
func scorecards(agents ...ids.Agent) []store.Scorecard {
	share := 0.9
	cards := make([]store.Scorecard, len(agents))
	for i, a := range agents {
		cards[i] = store.Scorecard{Agent: a, Readings: []kpi.Reading{
			{Metric: "answered_within", Version: "1", Agent: a, Numerator: 9, Denominator: 10, Value: &share},
			{Metric: "satisfaction", Version: "2", Agent: a},
		}}
	}
	return cards
}

// change runs a change that must succeed.
func change(t testing.TB, db *store.DB, fn func(tx *store.Tx) error) {
	t.Helper()
	require.NoError(t, db.Change(t.Context(), system, now, fn))
}

// seed fills a database with two merchants, a and b, that have one row of everything each, two
// agents, a published and a draft roster.
func seed(t testing.TB, db *store.DB) {
	t.Helper()
	change(t, db, func(tx *store.Tx) error {
		steps := []func() error{
			func() error {
				_, err := tx.PutSite(workforce.Site{ID: "hefei", Name: "合肥", City: "Hefei"}, store.NewOnly)
				return err
			},
			func() error {
				_, err := tx.PutTeam(workforce.Team{ID: "t1", Name: "一组", Site: "hefei"}, store.NewOnly)
				return err
			},
			func() error {
				_, err := tx.PutAgents([]workforce.Agent{agent("1001"), agent("1002")})
				return err
			},
			func() error {
				for _, a := range []ids.Agent{"1001", "1002"} {
					if err := tx.KeepPay(workforce.PastPay{Agent: a, Until: calendar.MakeDate(2026, 7, 1), Wage: 2300, Employment: workforce.Standard}); err != nil {
						return err
					}
				}
				return nil
			},
			func() error { return seedMerchant(tx, "a") },
			func() error { return seedMerchant(tx, "b") },
			func() error { return seedUser(tx) },
			func() error { return seedRosters(tx) },
			func() error { return seedIntake(tx) },
			func() error {
				_, err := tx.PutScorecards(date("2026-10-31"), scorecards("1001", "1002"))
				return err
			},
			func() error {
				_, err := tx.PutSetting("demo", json.RawMessage(`{"loaded": true}`), store.AnyVersion)
				return err
			},
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	change(t, db, seedKept)
	change(t, db, seedForecasting)
	change(t, db, seedScenarios)
	change(t, db, seedRequests)
	_, _, err := db.RaiseAlert(t.Context(), "job:rollup", store.AlertJob, "it failed", 2, now)
	require.NoError(t, err)
	require.NoError(t, db.StartJobRun(t.Context(), store.JobRun{ID: "run1", Job: "rollup", ScheduledFor: now, Attempt: 1, Node: "n1", StartedAt: now}))
}

func seedMerchant(tx *store.Tx, id string) error {
	if _, err := tx.PutMerchant(merchant(id), store.NewOnly); err != nil {
		return err
	}
	if _, err := tx.PutContract(contract("c-"+id, id), store.NewOnly); err != nil {
		return err
	}
	queue := ids.Queue(id + "/pre")
	span := calendar.Range{Start: hour(9), End: hour(11)}
	err := tx.AddForecast(store.Forecast{
		ID: ids.Forecast("f-" + id), Queue: queue, Range: span, InputHash: "abc", Model: "seasonal/1", Seed: 1<<63 + 5,
		Curve: curve(string(queue)), Figures: json.RawMessage(`{"wape":0.12}`),
	})
	if err != nil {
		return err
	}
	err = tx.AddPlan(store.Plan{
		ID: ids.Plan("p-" + id), Queue: queue, Forecast: ids.Forecast("f-" + id), Range: span, Target: json.RawMessage(`{"within":"30s"}`),
		Requirement: scheduling.Requirement{Queue: queue, Slot: time.Hour, Needs: []scheduling.Need{{Start: hour(9), Heads: 3, Paid: 3.4, Reason: "P50"}}},
	})
	if err != nil {
		return err
	}
	_, err = tx.AddReport(store.Report{
		ID: ids.Report("r-" + id), Contract: ids.Contract("c-" + id), Month: calendar.Month{Year: 2026, Month: 10},
		Model: json.RawMessage(`{"month": "2026-10", "contract": {"title": "<客服> & Co", "id": "c-` + id + `"}, "share": 0.10}`),
	})
	if err != nil {
		return err
	}
	return tx.AddImport(store.Import{Batch: ids.Batch("i-" + id), Kind: "contacts", Key: "sum-" + id, File: "h.csv", Merchant: ids.Merchant(id), Rows: 96})
}

// assignment says that an agent used the shop's first account from an hour of the fixture's day on.
func assignment(agent ids.Agent, from, until int) chatlog.Assignment {
	a := chatlog.Assignment{Platform: "tmall", Shop: "a-tmall", Account: "鹿米旗舰店:小鹿", Agent: agent, From: hour(from)}
	if until > 0 {
		a.Until = hour(until)
	}
	return a
}

// quarantined is a line about a merchant.
func quarantined(id string, about ids.Merchant) store.Quarantined {
	text := []byte("{\"merchant\":\"" + string(about) + "\"\xff\x00")
	return store.Quarantined{ID: id, Batch: "b1", Source: "http", Line: 7, Merchant: about, Reason: "is not UTF-8 text", Text: text, Bytes: int64(len(text))}
}

// seedIntake leaves an assignment of each agent, a quarantined line about each merchant and one about
// nobody.
func seedIntake(tx *store.Tx) error {
	if _, err := tx.PutAccounts([]chatlog.Assignment{assignment("1001", 9, 12), assignment("1002", 12, 0)}); err != nil {
		return err
	}
	_, err := tx.AddQuarantined([]store.Quarantined{quarantined("qa", "a"), quarantined("qb", "b")})
	return err
}

func seedUser(tx *store.Tx) error {
	_, err := tx.PutUser(store.User{ID: "u1", Login: "Planner", Name: "王计划", Role: access.Planner, PasswordHash: "$argon2id$x"}, store.NewOnly)
	if err != nil {
		return err
	}
	if err := tx.AddSession(store.Session{ID: "s1", SecretHash: store.SecretHash("cookie"), User: "u1", ExpiresAt: now.Add(time.Hour)}); err != nil {
		return err
	}
	return tx.AddToken(store.Token{
		ID: "k1", SecretHash: store.SecretHash("token"), Name: "erp", User: "u1", Grants: []access.Permission{access.Ingest}, ExpiresAt: now.Add(time.Hour),
	})
}

func seedRosters(tx *store.Tx) error {
	span := calendar.Range{Start: hour(0), End: hour(24)}
	_, err := tx.AddRoster(store.Roster{
		ID: "published", Title: "第45周", Range: span, Plans: []ids.Plan{"p-a"}, Seed: 7,
		Shifts: []scheduling.Shift{shift("1002", 9, 17), shift("1001", 9, 17)},
	})
	if err != nil {
		return err
	}
	if _, err := tx.SetRosterState("published", store.Published, store.AnyVersion); err != nil {
		return err
	}
	_, err = tx.AddRoster(store.Roster{
		ID: "draft", Title: "第45周 改", Range: span, Shifts: []scheduling.Shift{shift("1001", 12, 20), shift("1002", 18, 22)},
	})
	if err != nil {
		return err
	}
	return seedRosterLife(tx)
}

// seedRosterLife changes the published roster once, and lets both agents see it and read it in a calendar.
func seedRosterLife(tx *store.Tx) error {
	_, _, err := tx.ReviseShifts("published", revision("换班次名", recoded("1002")), store.AnyVersion)
	if err != nil {
		return err
	}
	for _, agent := range []ids.Agent{"1001", "1002"} {
		if _, err := tx.Acknowledge("published", 0, agent, ""); err != nil {
			return err
		}
		feed := store.CalendarFeed{ID: ids.Feed("feed-" + agent), Agent: agent, SecretHash: store.SecretHash("calendar of " + string(agent))}
		if _, err := tx.AddCalendarFeed(feed); err != nil {
			return err
		}
	}
	return nil
}

func revision(reason string, changes ...revise.Change) store.Revision {
	return store.Revision{Why: "edit", Reason: reason, Changes: changes}
}

// recoded gives an agent's early shift of the fixture another name.
func recoded(agent string) revise.Change {
	before, after := shift(agent, 9, 17), shift(agent, 9, 17)
	after.Code = "早B"
	return revise.Change{Before: &before, After: &after}
}
