package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fence says in which directories (with all below them) a third-party module may be imported. A
// module that is missing here may be imported nowhere: a new one is entered here and, with the
// reason for it, in ARCHITECTURE.md.
var fence = []struct {
	module string // import path prefix
	only   []string
}{
	// The four doors and drivers.
	{"github.com/gofiber/fiber/v2", []string{"internal/httpapi"}},
	{"github.com/valyala/fasthttp", []string{"internal/httpapi"}}, // Fiber's engine
	{"github.com/danielgtaylor/huma/v2", []string{"internal/httpapi"}},
	{"github.com/klauspost/compress", []string{"internal/httpapi"}},
	{"github.com/go-co-op/gocron/v2", []string{"internal/jobs"}},
	{"github.com/robfig/cron/v3", []string{"internal/jobs"}}, // gocron's parser of schedules
	{"github.com/ClickHouse/clickhouse-go/v2", []string{"kpi/warehouse"}},
	{"github.com/xuri/excelize/v2", []string{"exports/workbook"}},
	{"github.com/richardlehane/mscfb", []string{"exports/workbook"}}, // the container of .xls files
	{"github.com/ebitengine/purego", []string{"internal/clickhouseserver"}},

	// The operational database.
	{"github.com/uptrace/bun", []string{"internal/store"}},
	{"github.com/jackc/pgx/v5", []string{"internal/store"}},
	{"modernc.org/sqlite", []string{"internal/store"}},
	{"github.com/pressly/goose/v3", []string{"internal/store", "kpi/warehouse"}},

	// Mathematics: the only third-party code that scheduling/ and contracts/ may use.
	{"gonum.org/v1/gonum", []string{"scheduling", "contracts"}},

	// The command line and its files.
	{"github.com/spf13/cobra", []string{"internal/cli"}},
	{"github.com/schollz/progressbar/v3", []string{"internal/cli"}},
	{"golang.org/x/term", []string{"internal/cli"}},
	{"go.yaml.in/yaml/v3", []string{"configs", "internal/cli", "internal/httpapi", "internal/operations"}},
	{"golang.org/x/text", []string{"internal/cli", "internal/operations"}}, // GBK of imported files

	// Service.
	{"golang.org/x/crypto", []string{"internal/access", "internal/operations"}}, // argon2id
	{"github.com/prometheus/client_golang", []string{"internal/httpapi", "internal/operations", "internal/cli"}},
}

// testOnly modules may be imported by test files and harnesses anywhere, and by nothing else.
var testOnly = []string{"github.com/stretchr/testify", "pgregory.net/rapid"}

// contains reports whether an import path is a package of a module.
func contains(module, imported string) bool { return within(imported, module) }

// fenced is the verdict on a third-party import, or "" when it may stand.
func fenced(from, imported string, test bool) string {
	for _, m := range testOnly {
		if contains(m, imported) {
			if test || slices.Contains(harnesses, from) {
				return ""
			}
			return "is for tests only"
		}
	}
	known := false
	for _, rule := range fence {
		if !contains(rule.module, imported) {
			continue
		}
		known = true
		if slices.ContainsFunc(rule.only, func(top string) bool { return within(from, top) }) {
			return ""
		}
	}
	if !known {
		return "is not in the fence; enter it there and in ARCHITECTURE.md with the reason"
	}
	return "is fenced off from here"
}

func TestThirdPartyFence(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, imported := range f.imports {
			if _, ours := own(imported); ours || standard(imported) {
				continue
			}
			if verdict := fenced(f.dir(), imported, f.test()); verdict != "" {
				t.Errorf("%s: %s %s", f.path, imported, verdict)
			}
		}
	}
}

// A module that the fence knows has its reason in ARCHITECTURE.md.
func TestEveryModuleHasItsReason(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	require.NoError(t, err)
	version := regexp.MustCompile(`/v\d+$`)
	for _, rule := range fence {
		name := version.ReplaceAllString(rule.module, "")
		for _, host := range []string{"github.com/", "golang.org/", "gonum.org/v1/"} {
			name = strings.TrimPrefix(name, host)
		}
		assert.Contains(t, string(text), name)
	}
}

func TestFenceSaysWhatItShould(t *testing.T) {
	for _, c := range []struct {
		from, imported string
		test, ok       bool
	}{
		{"internal/httpapi", "github.com/gofiber/fiber/v2/middleware/compress", false, true},
		{"internal/operations", "github.com/gofiber/fiber/v2", true, false}, // tests are no way around
		{"internal/jobs", "github.com/go-co-op/gocron/v2", false, true},
		{"internal/cli", "github.com/go-co-op/gocron/v2", false, false},
		{"kpi/warehouse", "github.com/ClickHouse/clickhouse-go/v2/lib/column", false, true},
		{"kpi/chatlog", "github.com/ClickHouse/clickhouse-go/v2", false, false},
		{"kpi/chatlog", "golang.org/x/text/encoding", false, false},
		{"exports", "github.com/xuri/excelize/v2", false, false},
		{"internal/store", "github.com/uptrace/bun/dialect/pgdialect", false, true},
		{"kpi/warehouse", "github.com/pressly/goose/v3", false, true},
		{"internal/operations", "github.com/pressly/goose/v3", false, false},
		{"scheduling/staffing", "gonum.org/v1/gonum/mathext", false, true},
		{"scheduling/forecast", "go.yaml.in/yaml/v3", false, false},
		{"kpi/warehouse", "gonum.org/v1/gonum/stat", false, false},
		{"scheduling", "pgregory.net/rapid", true, true},
		{"scheduling", "pgregory.net/rapid", false, false},
		{"internal/store/storetest", "github.com/stretchr/testify/require", false, true},
		{"internal/cli", "example.com/unheard/of", false, false},
	} {
		assert.Equal(t, c.ok, fenced(c.from, c.imported, c.test) == "", "%s -> %s (test %v)", c.from, c.imported, c.test)
	}
	assert.False(t, contains("gonum.org/v1/gonum", "gonum.org/v1/gonumerics"))
	assert.True(t, standard("math/rand/v2") && !standard(strings.TrimSuffix(module, "/chaoban")))
}
