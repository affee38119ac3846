package operations_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/internal/store/storetest"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/chatlog"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

var shanghai = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return zone
}()

// The people of the tests, one per role and, where a role is narrowed, per merchant or agent.
var (
	admin      = access.Principal{User: "u-admin", Name: "管理员", Role: access.Administrator}
	planner    = access.Principal{User: "u-planner", Name: "排班师", Role: access.Planner}
	supervisor = access.Principal{User: "u-supervisor", Name: "主管", Role: access.Supervisor}
	quality    = access.Principal{User: "u-quality", Name: "质检", Role: access.Quality}
	agentLumi  = access.Principal{User: "u-1001", Name: "客服", Role: access.AgentRole, Agent: "1001"}
	agentOrca  = access.Principal{User: "u-2001", Name: "客服", Role: access.AgentRole, Agent: "2001"}
	clientLumi = access.Principal{User: "u-lumi", Name: "鹿米", Role: access.Client, Merchant: "lumi"}
	clientOrca = access.Principal{User: "u-orca", Name: "虎鲸", Role: access.Client, Merchant: "orca"}
)

// stack is the use cases on a fresh SQLite file and, unless it was made without, a fresh database
// of the real engine. Its clock stands still until a test moves it.
type stack struct {
	*operations.Operations
	db     *store.DB
	wh     *warehouse.Warehouse
	deps   operations.Deps
	now    time.Time
	engine atomic.Bool // whether the engine is said to be up
}

// today is the business day on which the tests stand unless they move the clock: a Wednesday.
var today = date("2026-06-10")

func newStack(t *testing.T) *stack {
	t.Helper()
	return stackOn(t, enginetest.Start(t), packDefinitions(t))
}

// newStoreStack has no engine; what needs measurements answers warehouse.down.
func newStoreStack(t *testing.T) *stack {
	t.Helper()
	return stackOn(t, "", packDefinitions(t))
}

// stackIn has another business time zone than Shanghai.
func stackIn(t *testing.T, zone *time.Location) *stack {
	t.Helper()
	return stackWith(t, enginetest.Start(t), packDefinitions(t), zone)
}

func stackOn(t *testing.T, dsn string, definitions kpi.Definitions) *stack {
	t.Helper()
	return stackWith(t, dsn, definitions, shanghai)
}

func stackWith(t *testing.T, dsn string, definitions kpi.Definitions, zone *time.Location) *stack {
	t.Helper()
	config := warehouse.DefaultConfig()
	config.TimeZone = zone.String()
	s := &stack{db: storetest.SQLite(t), now: today.In(shanghai).Add(10 * time.Hour)}
	s.engine.Store(dsn != "")
	wh, err := warehouse.Open(t.Context(), config, func() (string, bool) { return dsn, s.engine.Load() }, definitions)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, wh.Close()) })
	s.wh = wh
	s.deps = operations.Deps{
		Store: s.db, Warehouse: wh, Zone: zone, Definitions: definitions, Rules: workrules.DefaultParams(),
		Node: "n1", Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return s.now },
	}
	s.Operations = operations.New(operations.DefaultConfig(), s.deps)
	return s
}

// packDefinitions are the metric definitions that ship with the binary.
func packDefinitions(t *testing.T) kpi.Definitions {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "configs", "metrics", "neutral.yaml"))
	require.NoError(t, err)
	var pack struct {
		Metrics kpi.Definitions `yaml:"metrics"`
	}
	require.NoError(t, yaml.Unmarshal(text, &pack))
	require.NotEmpty(t, pack.Metrics)
	return pack.Metrics
}

func date(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// at is an instant of a business day: at("2026-05-01", "09:30:00").
func at(day, clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", day+" "+clock, shanghai)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// refused asserts the stable code of a failure and returns the fault.
func refused(t *testing.T, err error, code string) *fault.Error {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, fault.CodeOf(err), fault.InternalText(err))
	return fault.Of(err)
}

// ok fails with the text that only the log would see.
func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		require.NoError(t, err, fault.InternalText(err))
	}
}

// merchantsYAML is two merchants with a contract each: lumi sells on Tmall with two chat queues,
// orca on JD with one. May 2026 is past, and June is running.
const merchantsYAML = `
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

func (s *stack) applyContracts(t *testing.T, text string) operations.Applied {
	t.Helper()
	done, err := s.Administration.ApplyContracts(t.Context(), admin, "merchants.yaml", strings.NewReader(text))
	ok(t, err)
	return done
}

// conversation is one chat of a queue. wait < 0 means that nobody answered.
func conversation(queue, id string, agent ids.Agent, started time.Time, wait time.Duration) chatlog.Conversation {
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

// monthOfChats is the conversations of May 2026: every day of each queue has 8 to 12, of which
// every fourth waits 50 s, every seventh is lost and the others wait 8 s.
func monthOfChats() []chatlog.Conversation {
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
				started := at(fmt.Sprintf("2026-05-%02d", day), "09:00:00").Add(time.Duration(i) * 47 * time.Minute)
				c := conversation(queue, fmt.Sprintf("%s-%d", queue, n), agents[n%2], started, wait)
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

// ingest writes events and brings the roll-ups up to date.
func (s *stack) ingest(t *testing.T, batch warehouse.Batch) {
	t.Helper()
	if batch.ID == "" {
		batch.ID = ids.New[ids.Batch](s.now)
	}
	ok(t, s.Measuring.Ingest(t.Context(), admin, batch))
	_, err := s.Measuring.CheckRollups(t.Context(), admin, s.now)
	ok(t, err)
}

// may is the month of monthOfChats.
var may = calendar.Month{Year: 2026, Month: time.May}

type (
	idMerchant = ids.Merchant
	principal  = access.Principal
	storeTx    = store.Tx
	fieldOf    = fault.Field
)
