// Package operationstest gives tests the use cases on real stores: a fresh SQLite file and, when
// asked, a fresh database of the real engine. The tests of the use cases and of the doors (httpapi,
// jobs) share it.
//
// It owns two made-up merchants with their people and a month of chats (world.go), and how tests
// read files (files.go, sheets.go); a test adds what it needs through the use cases themselves.
package operationstest

import (
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/administration"
	"github.com/chaoban/chaoban/internal/store"
	"github.com/chaoban/chaoban/internal/store/storetest"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Stack is the use cases of one process.
type Stack struct {
	*operations.Operations
	DSN       string // of the engine's database, for what tests ask beside the use cases; empty without engine
	DB        *store.DB
	Warehouse *warehouse.Warehouse
	Deps      operations.Deps // what Operations stands on, for a second process on the same stores
	Clock     time.Time       // what Now says: it stands still until a test moves it. A stack of Open has the machine's clock
	up        atomic.Bool
}

// SetEngine says whether the engine is up; a stack without an engine stays down.
func (s *Stack) SetEngine(up bool) { s.up.Store(up) }

// Open makes a stack for a door on an empty SQLite file, with every definition that ships and the
// machine's clock. With engine it also has an empty ClickHouse database and the test binary must
// call enginetest.Main; without, figures answer warehouse.down.
func Open(t testing.TB, engine bool, config operations.Config) *Stack {
	t.Helper()
	dsn := ""
	if engine {
		dsn = enginetest.Start(t)
	}
	s := open(t, dsn, Shanghai, Definitions(t, "tmall", "jd", "pdd", "douyin", "kuaishou"))
	s.Deps.Node, s.Deps.Now = "test", time.Now
	s.Operations = operations.New(config, s.Deps)
	return s
}

// New makes a stack on empty stores of its own: a SQLite file, and the database of the engine that
// enginetest.Start gave, or no engine where dsn is empty. It stands on Today, 10:00.
func New(t testing.TB, dsn string, definitions kpi.Definitions) *Stack {
	t.Helper()
	return In(t, dsn, definitions, Shanghai)
}

// In is New with another business time zone than Shanghai.
func In(t testing.TB, dsn string, definitions kpi.Definitions, zone *time.Location) *Stack {
	t.Helper()
	s := open(t, dsn, zone, definitions)
	s.Operations = operations.New(operations.DefaultConfig(), s.Deps)
	return s
}

func open(t testing.TB, dsn string, zone *time.Location, definitions kpi.Definitions) *Stack {
	t.Helper()
	s := &Stack{DSN: dsn, DB: storetest.SQLite(t), Clock: Today.In(Shanghai).Add(10 * time.Hour)}
	s.up.Store(dsn != "")
	config := warehouse.DefaultConfig()
	config.TimeZone = zone.String()
	wh, err := warehouse.Open(t.Context(), config, func() (string, bool) { return dsn, dsn != "" && s.up.Load() }, definitions)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, wh.Close()) })
	s.Warehouse = wh
	s.Deps = operations.Deps{
		Store: s.DB, Warehouse: wh, Zone: zone, Definitions: definitions, Rules: workrules.DefaultParams(),
		Node: "n1", Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return s.Clock },
	}
	return s
}

// Definitions are metric definitions that ship with the binary, read from the source tree: the
// neutral ones and those of the platforms that are named.
func Definitions(t testing.TB, platforms ...string) kpi.Definitions {
	t.Helper()
	var all kpi.Definitions
	for _, name := range append([]string{"neutral"}, platforms...) {
		text, err := os.ReadFile(source(t, "configs", "metrics", name+".yaml"))
		require.NoError(t, err)
		var pack struct {
			Metrics kpi.Definitions `yaml:"metrics"`
		}
		require.NoError(t, yaml.Unmarshal(text, &pack))
		require.NotEmpty(t, pack.Metrics, name)
		all = append(all, pack.Metrics...)
	}
	return all
}

// ApplyContracts brings in merchants and contracts.
func (s *Stack) ApplyContracts(t testing.TB, text string) administration.Applied {
	t.Helper()
	done, err := s.Administration.ApplyContracts(t.Context(), Admin, "merchants.yaml", strings.NewReader(text))
	OK(t, err)
	return done
}

// Ingest writes events and brings the roll-ups up to date.
func (s *Stack) Ingest(t testing.TB, batch warehouse.Batch) {
	t.Helper()
	if batch.ID == "" {
		batch.ID = ids.New[ids.Batch](s.Clock)
	}
	OK(t, s.Measuring.Ingest(t.Context(), Admin, batch))
	_, err := s.Measuring.CheckRollups(t.Context(), Admin, s.Clock)
	OK(t, err)
}

// Date is a business day; it panics on what is none.
func Date(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// At is an instant of a business day in Shanghai: At("2026-05-01", "09:30:00").
func At(day, clock string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, day+" "+clock, Shanghai)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// Refused asserts the stable code of a failure and returns the fault.
func Refused(t testing.TB, err error, code string) *fault.Error {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, fault.CodeOf(err), fault.InternalText(err))
	return fault.Of(err)
}

// OK fails with the text that only the log would see.
func OK(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		require.NoError(t, err, fault.InternalText(err))
	}
}
