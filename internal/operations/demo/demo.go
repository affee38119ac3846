// Package demo owns the invented outsourcer that a newcomer meets: three sites, six merchants on
// four platforms, 120 agents, 25 months of contact history and one month of conversations, made by
// a seeded simulation; and one former client, whose last month a dispute still needs. Everything in
// it is marked as simulated.
//
// It enters through the same use cases as a customer's data. Its dates are fixed (history from
// 2024-10-01, conversations of November 2026, of the former client December 2021), whatever the clock
// says, so that what the documentation shows is what everybody sees.
package demo

import (
	"bytes"
	"context"
	_ "embed"
	"time"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/administration"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/operations/planning"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

//go:embed contracts.yaml
var contractFile []byte

const (
	seed = 20261111

	// Password of every demo login. The demo is for one's own machine.
	Password = "chaoban-demo"
)

var (
	historyFrom = calendar.Date{Year: 2024, Month: time.October, Day: 1}
	month       = calendar.Month{Year: 2026, Month: time.November} // of the conversations; history ends where it begins
)

// bases are contacts of an ordinary day in October 2024, pre-sale and after-sale, and how strongly
// promotions move the shop.
var bases = map[ids.Shop]struct{ pre, after, strength float64 }{
	"lumi-tmall":   {540, 260, 1.0},
	"muxi-tmall":   {670, 300, 1.2},
	"muxi-douyin":  {490, 230, 0.9},
	"yuanqi-pdd":   {580, 340, 0.7},
	"tuoye-jd":     {390, 190, 1.0},
	"tuoye-douyin": {280, 140, 0.9},
	"xiaolu-pdd":   {490, 270, 0.8},
	"xingchi-jd":   {440, 240, 1.1},
}

// Login is a demo user to show to people.
type Login struct {
	Login string
	Role  access.Role
}

// Logins of the demo, all with Password.
var Logins = []Login{
	{"admin", access.Administrator},
	{"planner", access.Planner},
	{"supervisor", access.Supervisor},
	{"quality", access.Quality},
	{"agent", access.AgentRole},
	{"client", access.Client},
}

// accountsOf is the sub-account of each agent of a shop.
type accountsOf map[ids.Agent]string

// world is everything the simulation is made from. It depends on nothing but the seed and the zone.
type world struct {
	merchants []contracts.Merchant
	shops     []contracts.Shop
	planned   []planning.Promotion
	demands   []demand
	teams     []workforce.Team
	agents    []workforce.Agent
	zone      *time.Location
	from      calendar.Date                             // first day of the history
	month     calendar.Month                            // of the conversations; the history ends where it begins
	texts     map[ids.Merchant]bool                     // whose contract lets the texts of messages be kept
	account   map[ids.Shop][2]accountsOf                // of each agent, in the first half of the month and in the second
	days      int                                       // of the month that are simulated
	duty      func(agent, days int) []simulate.Interval // what an agent, by its place in agents, worked in the first days of the month
}

// Load fills empty stores with the demo. It may be run again after a crash: what is there already
// stays as it is. progress gets one line per step.
func Load(ctx context.Context, ops *operations.Operations, progress func(string)) error {
	w, err := newWorld(ops.Zone())
	if err != nil {
		return err
	}
	return w.load(ctx, ops, progress)
}

func (w *world) load(ctx context.Context, ops *operations.Operations, progress func(string)) error {
	who := access.System("demo")
	if err := ops.MarkDemo(ctx, who, false); err != nil {
		return err
	}
	progress("merchants, contracts, sites, teams, agents, logins")
	if err := w.loadBooks(ctx, ops, who); err != nil {
		return err
	}
	if err := w.loadHistory(ctx, ops, who, progress); err != nil {
		return err
	}
	progress("simulating " + w.month.String() + ": conversations, rounds, agent states")
	if err := w.loadMonth(ctx, ops, who, progress); err != nil {
		return err
	}
	progress("a former client: conversations of " + formerMonth.String() + ", under a legal hold")
	if err := loadFormer(ctx, ops, who); err != nil {
		return err
	}
	progress("rolling up")
	if _, err := ops.Measuring.CheckRollups(ctx, who, ops.Now()); err != nil {
		return err
	}
	progress("daily figures of the platforms")
	if err := w.loadPlatformFigures(ctx, ops, who); err != nil {
		return err
	}
	return ops.MarkDemo(ctx, who, true)
}

func newWorld(zone *time.Location) (*world, error) {
	merchants, agreed, err := intake.Contracts("contracts.yaml", bytes.NewReader(contractFile))
	if err != nil {
		return nil, err
	}
	w := &world{merchants: merchants, planned: promotions(zone), zone: zone, from: historyFrom, month: month, days: month.Days(), duty: duty}
	for _, m := range merchants {
		for _, s := range m.Shops {
			w.shops = append(w.shops, s)
			base, ok := bases[s.ID]
			if !ok {
				return nil, fault.New(fault.Internal, "demo.shop", "the demo has no demand for shop %s", s.ID)
			}
			for _, q := range s.Queues {
				d := demand{queue: q.ID, kind: scheduling.SkillKind(q.Skill), base: base.pre, strength: base.strength, zone: zone, seed: seed, waves: waves(w.planned)}
				if d.kind == scheduling.AfterSale {
					d.base = base.after
				}
				if d.open, err = openSlots(q.Hours); err != nil {
					return nil, err
				}
				w.demands = append(w.demands, d)
			}
		}
	}
	w.teams, w.agents = people(seed, w.demands, w.shops)
	w.settle(agreed)
	return w, nil
}

// settle notes whose texts may be kept and who uses which account.
func (w *world) settle(agreed []contracts.Contract) {
	w.texts, w.account = map[ids.Merchant]bool{}, map[ids.Shop][2]accountsOf{}
	for _, c := range agreed {
		if v, ok := c.VersionAt(w.month.First()); ok {
			w.texts[c.Merchant] = v.Texts
		}
	}
	for _, s := range w.shops {
		w.account[s.ID] = [2]accountsOf{{}, {}}
	}
	for _, a := range w.accounts() {
		if !a.From.Equal(w.swapped()) {
			w.account[a.Shop][0][a.Agent] = a.Account
		}
		if a.Until.IsZero() {
			w.account[a.Shop][1][a.Agent] = a.Account
		}
	}
}

// promotions are the big sales as the demo's planner has entered them, the same on every platform.
func promotions(zone *time.Location) []planning.Promotion {
	event := func(family string, year int, openings ...[3]int) planning.Promotion {
		e := forecast.Event{Family: family}
		for _, o := range openings {
			e.Openings = append(e.Openings, time.Date(year, time.Month(o[0]), o[1], o[2], 0, 0, 0, zone))
		}
		last := len(e.Openings) - 1
		e.Start, e.End = e.Openings[0], calendar.DateOf(e.Openings[last], zone).Add(2).In(zone)
		for i, o := range e.Openings[1:] {
			kind := "spot"
			if i == 0 {
				kind = "presale"
			}
			e.Phases = append(e.Phases, forecast.Phase{Kind: kind, Start: e.Openings[i], End: o})
		}
		e.Phases = append(e.Phases, forecast.Phase{Kind: "spot", Start: e.Openings[last], End: e.End})
		return planning.Promotion{Platform: "all", Event: e}
	}
	return []planning.Promotion{
		event("double11", 2024, [3]int{10, 14, 20}, [3]int{10, 21, 20}, [3]int{10, 31, 20}, [3]int{11, 10, 20}),
		event("618", 2025, [3]int{5, 13, 20}, [3]int{5, 16, 20}, [3]int{5, 30, 20}, [3]int{6, 17, 20}),
		event("double11", 2025, [3]int{10, 15, 20}, [3]int{10, 20, 20}, [3]int{10, 31, 20}, [3]int{11, 10, 20}),
		event("618", 2026, [3]int{5, 15, 20}, [3]int{5, 18, 20}, [3]int{5, 31, 20}, [3]int{6, 17, 20}),
		event("double11", 2026, [3]int{10, 15, 20}, [3]int{10, 20, 20}, [3]int{10, 31, 20}, [3]int{11, 10, 20}),
	}
}

// waves turns the openings of every promotion into demand, each lasting to the next one. The first
// opening only starts the presale; the last one is the peak.
func waves(promotions []planning.Promotion) []wave {
	heights := []float64{1.5, 2.6, 2.4, 4}
	var out []wave
	for _, p := range promotions {
		for i, o := range p.Openings {
			w := wave{opening: o, end: p.End, height: heights[i]}
			if i+1 < len(p.Openings) {
				w.end = p.Openings[i+1]
			}
			out = append(out, w)
		}
	}
	return out
}

// openSlots are the quarter hours in which a queue of the demo is open; its hours are the same on
// every day of the week.
func openSlots(hours string) (open [96]bool, err error) {
	h, err := forecast.ParseHours(hours)
	if err != nil {
		return open, err
	}
	for i := range open {
		open[i] = h.Open(time.Monday, i*15)
	}
	return open, nil
}

// loadBooks writes what the operational store holds.
func (w *world) loadBooks(ctx context.Context, ops *operations.Operations, who access.Principal) error {
	if _, err := ops.Planning.PutPromotions(ctx, who, w.planned); err != nil {
		return err
	}
	a := ops.Administration
	if _, err := a.ApplyContracts(ctx, who, "contracts.yaml", bytes.NewReader(contractFile)); err != nil {
		return err
	}
	if err := a.PutPlaces(ctx, who, sites, w.teams); err != nil {
		return err
	}
	if _, err := a.PutAgents(ctx, who, w.agents); err != nil {
		return err
	}
	if _, err := a.PutAccounts(ctx, who, w.accounts()); err != nil {
		return err
	}
	users, _, err := a.Users(ctx, who, operations.Page{Limit: 500})
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, u := range users {
		there[u.Login] = true
	}
	for _, l := range Logins {
		if there[l.Login] {
			continue
		}
		in := administration.UserInput{Login: l.Login, Name: "演示 " + l.Login, Role: l.Role, Password: Password}
		if l.Role == access.Client {
			in.Merchant = w.merchants[0].ID
		}
		if l.Role == access.AgentRole {
			in.Agent = w.agents[0].ID
		}
		if _, err := a.PutUser(ctx, who, in); err != nil {
			return err
		}
	}
	return nil
}

// handleTime is the mean open time of a conversation in the history, as platforms export it.
const handleTime = 260 * time.Second

// loadHistory writes quarter-hour contact counts, one batch per queue.
func (w *world) loadHistory(ctx context.Context, ops *operations.Operations, who access.Principal, progress func(string)) error {
	for _, d := range w.demands {
		progress("history of " + string(d.queue))
		var rows []chatlog.Contacts
		for date := w.from; date.Before(w.month.First()); date = date.Add(1) {
			rows = append(rows, w.history(d, date)...)
		}
		batch := warehouse.Batch{ID: ids.Batch("demo-history-" + string(d.queue)), Contacts: rows}
		if err := ops.Measuring.Ingest(ctx, who, batch); err != nil {
			return err
		}
	}
	return nil
}

// history is one day of a queue, a row for every open quarter hour.
func (w *world) history(d demand, date calendar.Date) []chatlog.Contacts {
	var rows []chatlog.Contacts
	merchant := w.merchantOf(d.queue)
	for i, n := range d.draw(date) {
		if d.open[i] {
			rows = append(rows, chatlog.Contacts{
				Merchant: merchant, Queue: d.queue, Start: date.In(w.zone).Add(time.Duration(i) * calendar.Slot),
				Slot: calendar.Slot, Offered: float64(n), HandleTime: handleTime, Simulated: true,
			})
		}
	}
	return rows
}

func (w *world) merchantOf(q ids.Queue) ids.Merchant {
	for _, m := range w.merchants {
		for _, s := range m.Shops {
			for _, x := range s.Queues {
				if x.ID == q {
					return m.ID
				}
			}
		}
	}
	return ""
}

func (w *world) shopOf(q ids.Queue) ids.Shop {
	for _, s := range w.shops {
		for _, x := range s.Queues {
			if x.ID == q {
				return s.ID
			}
		}
	}
	return ""
}
