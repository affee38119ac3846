// Package operationstest gives the tests of the doors (httpapi, jobs) the use cases on real
// stores: a fresh SQLite file and, when asked, a fresh database of the real engine.
//
// It owns no data: a test adds what it needs through the use cases themselves.
package operationstest

import (
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/store/storetest"
	"github.com/chaoban/chaoban/kpi"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling/workrules"
)

// Stack is the use cases of one process.
type Stack struct {
	*operations.Operations
	DSN string // of the engine's database, for what tests ask beside the use cases
	up  atomic.Bool
}

// SetEngine says whether the engine is up; a stack without an engine stays down.
func (s *Stack) SetEngine(up bool) { s.up.Store(up) }

// Open makes a stack on an empty SQLite file. With engine it also has an empty ClickHouse database
// and the test binary must call enginetest.Main; without, figures answer warehouse.down.
func Open(t testing.TB, engine bool, config operations.Config) *Stack {
	t.Helper()
	s, dsn := &Stack{}, ""
	if engine {
		dsn = enginetest.Start(t)
		s.DSN = dsn
	}
	s.up.Store(engine)
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	definitions := metrics(t)
	wh, err := warehouse.Open(t.Context(), warehouse.DefaultConfig(), func() (string, bool) { return dsn, engine && s.up.Load() }, definitions)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, wh.Close()) })
	s.Operations = operations.New(config, operations.Deps{
		Store: storetest.SQLite(t), Warehouse: wh, Zone: zone, Definitions: definitions, Rules: workrules.DefaultParams(),
		Node: "test", Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	return s
}

// metrics are the definitions that ship with the binary, read from the source tree.
func metrics(t testing.TB) kpi.Definitions {
	t.Helper()
	_, here, _, ok := runtime.Caller(0)
	require.True(t, ok)
	var all kpi.Definitions
	for _, name := range []string{"neutral", "tmall", "jd", "pdd", "douyin", "kuaishou"} {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(here), "..", "..", "..", "configs", "metrics", name+".yaml"))
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
