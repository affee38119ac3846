package operationstest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chaoban/chaoban/contracts"
	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// Shanghai is the business time zone of the stacks that are given none.
var Shanghai = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return zone
}()

// Today is the business day on which a stack of New stands unless its clock is moved: a Wednesday.
var Today = Date("2026-06-10")

// May is the month of MonthOfChats.
var May = calendar.Month{Year: 2026, Month: time.May}

// The people of the tests, one per role and, where a role is narrowed, per merchant or agent.
var (
	Admin      = access.Principal{User: "u-admin", Name: "管理员", Role: access.Administrator}
	Planner    = access.Principal{User: "u-planner", Name: "排班师", Role: access.Planner}
	Supervisor = access.Principal{User: "u-supervisor", Name: "主管", Role: access.Supervisor}
	Quality    = access.Principal{User: "u-quality", Name: "质检", Role: access.Quality}
	AgentLumi  = access.Principal{User: "u-1001", Name: "客服", Role: access.AgentRole, Agent: "1001"}
	AgentOrca  = access.Principal{User: "u-2001", Name: "客服", Role: access.AgentRole, Agent: "2001"}
	ClientLumi = access.Principal{User: "u-lumi", Name: "鹿米", Role: access.Client, Merchant: "lumi"}
	ClientOrca = access.Principal{User: "u-orca", Name: "虎鲸", Role: access.Client, Merchant: "orca"}
)

// Machine is a planner's token that was not granted figures by agent.
var Machine = access.Principal{User: "u-planner", Role: access.Planner, Token: "k", Grants: []access.Permission{access.ReadReports, access.ReadKPI, access.RunJobs}}

// MerchantsYAML is two merchants with a contract each: lumi sells on Tmall with two chat queues,
// orca on JD with one. May 2026 is past, and June is running.
const MerchantsYAML = `
merchants:
  - id: lumi
    name: 鹿米家居
    shops:
      - id: lumi-tmall
        name: 鹿米天猫旗舰店
        platform: tmall
        queues:
          - {id: lumi-tmall/pre, skill: pre, channel: chat, hours: "Mon-Sun 09:00-18:00"}
          - {id: lumi-tmall/after, skill: after, channel: chat, hours: "Mon-Sun 09:00-18:00"}
  - id: orca
    name: 虎鲸数码
    shops:
      - id: orca-jd
        name: 虎鲸京东自营
        platform: jd
        queues:
          - {id: orca-jd/pre, skill: pre, channel: chat, hours: "Mon-Sun 09:00-18:00"}
contracts:
  - id: lumi-2026
    merchant: lumi
    title: 鹿米客服外包
    versions:
      - number: 1
        from: 2026-01-01
        until: 2027-01-01
        shops: [lumi-tmall]
        terms:
          - {id: first-30s, metric: answered_within, within: 30s, direction: at_least, target: 0.6, min_sample: 10, ladder: [{miss: 0.01, deduct: 5%}]}
          - {id: first-mean, metric: first_response, direction: at_most, target: 20}
          - {id: pre-60s, metric: answered_within, within: 60s, skill: pre, window: "09:00-12:00", direction: at_least, target: 0.99}
        prices: [{id: seat, title: 坐席, base: seat_month, amount: 6500}]
        seats: [{shop: lumi-tmall, skill: pre, window: "09:00-18:00", count: 10}]
        tax_rate: 6%
  - id: orca-2026
    merchant: orca
    title: 虎鲸客服外包
    versions:
      - number: 1
        from: 2026-01-01
        shops: [orca-jd]
        terms:
          - {id: first-30s, metric: answered_within, within: 30s, direction: at_least, target: 0.9}
        prices: [{id: contact, title: 按接待量, base: contact, amount: 2.5}]
        tax_rate: 6%
`

// Conversation is one chat of a queue. wait < 0 means that nobody answered.
func Conversation(queue, id string, agent ids.Agent, started time.Time, wait time.Duration) chatlog.Conversation {
	shop, _, _ := strings.Cut(queue, "/")
	merchant, _, _ := strings.Cut(shop, "-")
	c := chatlog.Conversation{
		Merchant: ids.Merchant(merchant), Shop: ids.Shop(shop), Queue: ids.Queue(queue), ID: id, Channel: "chat", Agent: agent, StartedAt: started,
		BuyerMessages: 2,
	}
	if wait < 0 {
		c.Abandoned, c.EndedAt = true, started.Add(5*time.Minute)
		c.Rounds = []chatlog.Round{{OpenedAt: started}}
		return c
	}
	c.AnsweredAt, c.EndedAt = started.Add(wait), started.Add(wait+3*time.Minute)
	c.AgentMessages, c.HandleTime = 3, 3*time.Minute
	c.Rounds = []chatlog.Round{{OpenedAt: started, AnsweredAt: c.AnsweredAt, Agent: agent}}
	return c
}

// MonthOfChats is the conversations of May 2026: every day of each queue has 8 to 12, of which
// every fourth waits 50 s, every seventh is lost and the others wait 8 s.
func MonthOfChats() []chatlog.Conversation {
	var out []chatlog.Conversation
	for _, queue := range []string{"lumi-tmall/pre", "lumi-tmall/after", "orca-jd/pre"} {
		agents := []ids.Agent{"1001", "1002"}
		if strings.HasPrefix(queue, "orca") {
			agents = []ids.Agent{"2001", "1002"} // 1002 works for both merchants
		}
		n := 0
		for day := 1; day <= 31; day++ {
			for i := range 8 + (day+len(queue))%5 {
				n++
				wait := 8 * time.Second
				switch {
				case n%7 == 0:
					wait = -1
				case n%4 == 0:
					wait = 50 * time.Second
				}
				started := At(fmt.Sprintf("2026-05-%02d", day), "09:00:00").Add(time.Duration(i) * 47 * time.Minute)
				c := Conversation(queue, fmt.Sprintf("%s-%d", queue, n), agents[n%2], started, wait)
				resolved, rating := n%3 != 0, 1+n%5
				c.Resolved = &resolved
				if wait >= 0 && n%2 == 0 {
					c.Rating = &rating
				}
				out = append(out, c)
			}
		}
	}
	return out
}

// Of keeps the conversations for which every condition holds.
func Of(all []chatlog.Conversation, conditions ...func(chatlog.Conversation) bool) []chatlog.Conversation {
	return slices.DeleteFunc(slices.Clone(all), func(c chatlog.Conversation) bool {
		return slices.ContainsFunc(conditions, func(holds func(chatlog.Conversation) bool) bool { return !holds(c) })
	})
}

// ShiftOf is nine hours with a meal in the middle, from an hour of a day on.
func ShiftOf(agent ids.Agent, on calendar.Date, hour int) scheduling.Shift {
	start := on.In(Shanghai).Add(time.Duration(hour) * time.Hour)
	meal := scheduling.Activity{Kind: scheduling.Meal, Start: start.Add(4 * time.Hour), End: start.Add(5 * time.Hour)}
	return scheduling.Shift{
		Agent: agent, Code: "D", Start: start, End: start.Add(9 * time.Hour),
		Activities: []scheduling.Activity{
			{Kind: scheduling.Work, Start: start, End: meal.Start}, meal, {Kind: scheduling.Work, Start: meal.End, End: start.Add(9 * time.Hour)},
		},
	}
}

// HumanRounds is a metric with a rule that counts the shops of every platform.
var HumanRounds = kpi.Definition{
	Metric: "human_5min", Version: "v1", Effective: calendar.Dates{From: Date("2020-01-01")}, Name: "Rounds answered within 5 min", NameZH: "5分钟轮次应答率",
	Unit: kpi.Share, HigherIsBetter: true, Base: kpi.BaseRound, Rule: &kpi.Rule{Measure: kpi.Within, Limit: 300},
	Text: "Rounds that a person answered within 300 s.", Source: "test", Quality: "GK",
}

// AddPeople makes one site, one team and n agents, numbered from first on, who know the queues.
func (s *Stack) AddPeople(t testing.TB, first, n int, queues ...string) {
	t.Helper()
	ctx, a := t.Context(), s.Administration
	OK(t, a.PutPlaces(ctx, Admin, []workforce.Site{{ID: "hefei", Name: "合肥"}}, []workforce.Team{{ID: "t1", Name: "一组", Site: "hefei"}}))
	var csv strings.Builder
	csv.WriteString("id,name,site,team,hired,concurrency,wage,skills\n")
	for i := range n {
		fmt.Fprintf(&csv, "%d,客服%d,hefei,t1,2000-01-01,4,25,%s\n", first+i, first+i, strings.Join(queues, ";"))
	}
	done, err := s.Measuring.Import(ctx, Admin, measuring.ImportInput{
		Source: FileOf("agents.csv", csv.String()), Mapping: operations.DefaultMapping(operations.ImportAgents),
	})
	OK(t, err)
	require.Equal(t, store.PutResult{Added: n}, *done.Agents)
}

// Agreed is the contract lumi-2026 as it stands on disk.
func (s *Stack) Agreed(t testing.TB) contracts.Contract {
	t.Helper()
	c, err := s.Administration.Contract(t.Context(), Admin, "lumi-2026")
	OK(t, err)
	return c.Value
}

// AddForecast stores a forecast that no history stands behind, for doors without an engine.
func (s *Stack) AddForecast(t testing.TB, f store.Forecast) {
	t.Helper()
	OK(t, s.DB.Change(t.Context(), Admin, s.Deps.Now(), func(tx *store.Tx) error { return tx.AddForecast(f) }))
}

// AddPublished adds a published roster as it is, without asking the rules.
func (s *Stack) AddPublished(t testing.TB, id ids.Roster, span calendar.Range, shifts ...scheduling.Shift) {
	t.Helper()
	OK(t, s.DB.Change(t.Context(), Admin, s.Deps.Now(), func(tx *store.Tx) error {
		_, err := tx.AddRoster(store.Roster{ID: id, Title: string(id), Range: span, Shifts: shifts})
		if err == nil {
			_, err = tx.SetRosterState(id, store.Published, store.AnyVersion)
		}
		return err
	}))
}
