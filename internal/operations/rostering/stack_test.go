package rostering_test

import (
	"os"
	"testing"

	"github.com/chaoban/chaoban/internal/clickhouseserver/enginetest"
	"github.com/chaoban/chaoban/internal/operations/operationstest"
	"github.com/chaoban/chaoban/kpi"
)

func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }

// stack is the shared harness, to which the tests of this package add questions of their own.
type stack struct{ *operationstest.Stack }

// newStoreStack has no engine; what needs measurements answers warehouse.down.
func newStoreStack(t *testing.T) *stack {
	t.Helper()
	return stackOn(t, "", operationstest.Definitions(t))
}

func stackOn(t *testing.T, dsn string, definitions kpi.Definitions) *stack {
	t.Helper()
	return &stack{operationstest.New(t, dsn, definitions)}
}

// The harness in short.
var (
	admin      = operationstest.Admin
	planner    = operationstest.Planner
	supervisor = operationstest.Supervisor
	agentLumi  = operationstest.AgentLumi
	shanghai   = operationstest.Shanghai
	date       = operationstest.Date
	ok         = operationstest.OK
	refused    = operationstest.Refused
)
