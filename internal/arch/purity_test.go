package arch

import (
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pure are the directories whose code takes the instant, the random source and the reader as a
// value. kpi/warehouse talks to a server and is left out.
var pure = []string{"scheduling", "contracts", "kpi", "exports"}

// bannedCalls are package functions that read a clock, a terminal or a global random source.
var bannedCalls = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker"},
	"fmt":  {"Print", "Printf", "Println"},
	"math/rand": {
		"Int", "Intn", "Int31", "Int31n", "Int63", "Int63n", "Uint32", "Uint64", "Float32", "Float64",
		"ExpFloat64", "NormFloat64", "Perm", "Read", "Seed", "Shuffle",
	},
	"math/rand/v2": {
		"Int", "IntN", "Int32", "Int32N", "Int64", "Int64N", "Uint32", "Uint32N", "Uint64", "Uint64N", "UintN",
		"Float32", "Float64", "ExpFloat64", "NormFloat64", "N", "Perm", "Shuffle",
	},
}

// bannedImports would give an engine a file, a socket or a log.
var bannedImports = []string{"os", "os/exec", "net", "net/http", "database/sql", "log", "log/slog", "crypto/rand"}

func isPure(f file) bool {
	return !f.test() && !f.under("kpi/warehouse") && slices.ContainsFunc(pure, f.under)
}

func TestDomainCodeHasNoClockTerminalOrGlobalRandom(t *testing.T) {
	for _, f := range goFiles(t) {
		if !isPure(f) {
			continue
		}
		names := localNames(f)
		ast.Inspect(f.syntax, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			ident, ok := selector.X.(*ast.Ident)
			if !ok {
				return true
			}
			imported := names[ident.Name]
			if slices.Contains(bannedCalls[imported], selector.Sel.Name) {
				t.Errorf("%s: %s.%s is not for domain code; take the value as a parameter (a time limit as a context)", f.path, imported, selector.Sel.Name)
			}
			return true
		})
	}
}

func TestDomainCodeDoesNoInputOutput(t *testing.T) {
	for _, f := range goFiles(t) {
		if !isPure(f) {
			continue
		}
		for _, imported := range f.imports {
			if slices.Contains(bannedImports, imported) {
				t.Errorf("%s: imports %s; an engine takes values or an io.Reader", f.path, imported)
			}
		}
	}
}

// localNames maps the name a package has in the file to its import path.
func localNames(f file) map[string]string {
	names := map[string]string{}
	for _, spec := range f.syntax.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(imported)
		if strings.HasPrefix(name, "v") && len(name) <= 3 {
			name = path.Base(path.Dir(imported)) // math/rand/v2
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
	}
	return names
}

// Files above this length are split along what they mean.
const longestFile = 500

func TestFilesStayReadable(t *testing.T) {
	for _, f := range goFiles(t) {
		if !f.test() && !f.generated() && f.lines > longestFile {
			t.Errorf("%s: %d lines, at most %d: split it along what it means", f.path, f.lines, longestFile)
		}
	}
}
