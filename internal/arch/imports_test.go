package arch

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The words of the table. "x/..." is x and everything below it, "x" is that package alone.
var (
	leaves = []string{"internal/ids", "internal/calendar", "internal/money", "internal/fault"}
	trees  = []string{"scheduling/...", "contracts/...", "kpi/..."}
	// types are the trees without the package that talks to a server.
	types = []string{"scheduling/...", "contracts/...", "kpi", "kpi/chatlog", "kpi/reconcile", "kpi/quality", "kpi/alerts"}
	all   = []string{"..."}
	// operations are the use cases as the doors know them: intake and stream are behind them.
	operations = []string{
		"internal/operations", "internal/operations/administration", "internal/operations/measuring",
		"internal/operations/planning", "internal/operations/pricing", "internal/operations/requesting", "internal/operations/revising",
		"internal/operations/rostering", "internal/operations/settling",
	}
)

// harnesses start the servers and draw the random worlds that tests use; only test files may import them.
var harnesses = []string{"internal/clickhouseserver/enginetest", "internal/operations/operationstest", "internal/store/storetest", "kpi/tally/tallytest", "kpi/warehouse/warehousetest"}

// units is the import table of ARCHITECTURE.md: a unit is a directory with all below it, unless a
// longer entry names that part. A unit may always import itself.
var units = []struct {
	unit string
	may  [][]string
}{
	{"internal/fault", nil},
	{"internal/ids", nil},
	// The one error type is itself a leaf, so that a leaf can refuse an input.
	{"internal/calendar", [][]string{{"internal/fault"}}},
	{"internal/money", [][]string{{"internal/fault"}}},

	{"scheduling", [][]string{leaves}},
	{"contracts", [][]string{leaves}},
	{"kpi", [][]string{leaves}},

	{"exports", [][]string{leaves, types}},
	{"internal/access", [][]string{leaves}},
	{"internal/store", [][]string{leaves, types, {"internal/access"}}},
	{"internal/clickhouseserver", nil},
	{"web", nil},
	{"internal/notify", [][]string{leaves, {"kpi", "kpi/alerts"}}},
	{"internal/operations", [][]string{
		leaves, trees,
		{"exports/...", "internal/access", "internal/store", "internal/notify", "internal/operations/..."},
	}},
	// The groups of use cases stand on the gate and never import each other: what two of them need
	// is in the gate.
	{"internal/operations/gate", [][]string{leaves, trees, {"internal/access", "internal/store"}}},
	{"internal/operations/administration", [][]string{leaves, trees, {"internal/access", "internal/store", "internal/operations/gate", "internal/operations/intake"}}},
	{"internal/operations/measuring", [][]string{leaves, trees, {
		"exports/...", "internal/access", "internal/store", "internal/operations/gate", "internal/operations/intake", "internal/operations/stream",
	}}},
	{"internal/operations/planning", [][]string{leaves, trees, {"exports/...", "internal/access", "internal/store", "internal/operations/gate", "internal/operations/intake"}}},
	{"internal/operations/pricing", [][]string{leaves, trees, {"exports/...", "internal/access", "internal/store", "internal/operations/gate"}}},
	{"internal/operations/requesting", [][]string{leaves, trees, {"internal/access", "internal/store", "internal/operations/gate", "internal/operations/intake", "internal/operations/revising"}}},
	// What a change of a roster is judged and made with; groups that change rosters stand on it too.
	{"internal/operations/revising", [][]string{leaves, trees, {"internal/access", "internal/store", "internal/operations/gate"}}},
	{"internal/operations/rostering", [][]string{leaves, trees, {"exports/...", "internal/access", "internal/store", "internal/operations/gate", "internal/operations/revising"}}},
	{"internal/operations/settling", [][]string{leaves, trees, {"exports/...", "internal/access", "internal/store", "internal/operations/gate"}}},
	{"internal/httpapi", [][]string{leaves, types, {"exports", "internal/access", "web"}, operations}},
	{"internal/jobs", [][]string{leaves, {"internal/operations"}}},
	// The components that own a Config, and the types of the data packs.
	{"configs", [][]string{leaves, trees, {
		"internal/clickhouseserver", "internal/store", "internal/notify",
		"internal/operations", "internal/httpapi", "internal/jobs",
	}}},
	{"internal/cli", [][]string{all}},
	{"cmd", [][]string{{"internal/cli"}}},
	{"internal/arch", nil},
}

// unitOf returns the index of the longest unit that a directory lies in, or -1.
func unitOf(dir string) int {
	best := -1
	for i, u := range units {
		if within(dir, u.unit) && (best < 0 || len(u.unit) > len(units[best].unit)) {
			best = i
		}
	}
	return best
}

// matches reports whether a directory fits a pattern of the table.
func matches(dir, pattern string) bool {
	if pattern == "..." {
		return true
	}
	if top, deep := strings.CutSuffix(pattern, "/..."); deep {
		return within(dir, top)
	}
	return dir == pattern
}

// mayImport is the verdict of the table for one import of one of our packages.
func mayImport(from, to string, test bool) bool {
	if test && slices.Contains(harnesses, to) {
		return true
	}
	if slices.Contains(harnesses, to) {
		return slices.Contains(harnesses, from)
	}
	if test && within(from, "internal/operations") && within(to, "internal/operations") {
		return true // what the tests of one group need comes in through the others
	}
	unit := unitOf(from)
	if unit < 0 {
		return false
	}
	if unitOf(to) == unit {
		return true
	}
	for _, group := range units[unit].may {
		for _, pattern := range group {
			if matches(to, pattern) {
				return to == "internal/cli" == (units[unit].unit == "cmd") // the root is nobody's library
			}
		}
	}
	return false
}

func TestImportTable(t *testing.T) {
	for _, f := range goFiles(t) {
		if unitOf(f.dir()) < 0 {
			t.Errorf("%s: its directory is in no unit of the import table", f.path)
			continue
		}
		for _, imported := range f.imports {
			if to, ok := own(imported); ok && !mayImport(f.dir(), to, f.test()) {
				t.Errorf("%s: %s may not import %s", f.path, f.dir(), to)
			}
		}
	}
}

// The table itself is checked on the sentences it was written from.
func TestImportTableSaysWhatItShould(t *testing.T) {
	for _, c := range []struct {
		from, to string
		test, ok bool
	}{
		{"scheduling/roster", "scheduling/workrules", false, true},
		{"scheduling/roster", "internal/calendar", false, true},
		{"scheduling/forecast", "kpi", false, false}, // the trees never import each other
		{"contracts/settlement", "kpi", false, false},
		{"kpi/quality", "contracts", false, false},
		{"kpi", "internal/store", false, false},
		{"kpi/warehouse", "internal/clickhouseserver", false, false},
		{"kpi/warehouse", "internal/clickhouseserver/enginetest", true, true},
		{"kpi/warehouse", "internal/clickhouseserver/enginetest", false, false},
		{"exports/workbook", "exports", false, true},
		{"exports", "kpi", false, true},
		{"exports", "kpi/warehouse", false, false},
		{"internal/store", "kpi/warehouse", false, false},
		{"internal/store", "contracts", false, true},
		{"internal/store", "internal/operations", false, false},
		{"internal/operations/intake", "exports/workbook", false, true},
		{"internal/operations", "kpi/warehouse", false, true},
		{"internal/operations", "internal/operations/planning", false, true},
		{"internal/operations/demo", "internal/operations/planning", false, true},
		{"internal/operations/planning", "internal/operations/gate", false, true},
		{"internal/operations/planning", "internal/operations/measuring", false, false}, // the groups never import each other
		{"internal/operations/planning", "internal/operations/measuring", true, true},   // their tests do
		{"internal/operations/measuring", "internal/operations/stream", false, true},
		{"internal/operations/gate", "internal/operations/settling", false, false},
		{"internal/operations/settling", "internal/operations", false, false},
		{"internal/httpapi", "internal/operations/planning", false, true},
		{"internal/httpapi", "internal/operations/gate", false, false}, // the stores are behind it
		{"internal/jobs", "internal/operations/planning", false, false},
		{"internal/operations", "internal/httpapi", false, false},
		{"internal/httpapi", "internal/store", false, false},
		{"internal/httpapi", "kpi/warehouse", false, false},
		{"internal/httpapi", "internal/operations", false, true},
		{"internal/jobs", "internal/operations", false, true},
		{"internal/jobs", "internal/store", false, false},
		{"internal/fault", "internal/ids", false, false},
		{"internal/money", "internal/fault", false, true},
		{"internal/cli", "internal/store", false, true},
		{"internal/cli", "internal/store/storetest", false, false},
		{"cmd/chaoban", "internal/cli", false, true},
		{"cmd/chaoban", "internal/operations", false, false},
		{"web", "internal/fault", false, false},
		{"tools", "internal/fault", false, false}, // no unit
	} {
		assert.Equal(t, c.ok, mayImport(c.from, c.to, c.test), "%s -> %s (test %v)", c.from, c.to, c.test)
	}
}
