package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/chaoban/chaoban"

// root is the top of the repository, seen from this package.
const root = "../.."

// file is one Go file of the repository.
type file struct {
	path    string // slash-separated, from the root: "kpi/warehouse/query.go"
	imports []string
	syntax  *ast.File
	lines   int
}

func (f file) dir() string         { return path.Dir(f.path) }
func (f file) test() bool          { return strings.HasSuffix(f.path, "_test.go") }
func (f file) generated() bool     { return ast.IsGenerated(f.syntax) }
func (f file) under(d string) bool { return within(f.dir(), d) }

// within reports whether dir is top or lies below it.
func within(dir, top string) bool { return dir == top || strings.HasPrefix(dir, top+"/") }

// tree calls visit for every file of the repository that is part of it, not left there by a tool.
func tree(t *testing.T, visit func(path string)) {
	t.Helper()
	leftByTools := map[string]bool{".git": true, "bin": true, "data": true, "node_modules": true}
	err := filepath.WalkDir(root, func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		leftByRapid := strings.HasSuffix(filepath.ToSlash(p), "testdata/rapid")
		if entry.IsDir() && p != root && (leftByTools[entry.Name()] || leftByRapid) {
			return filepath.SkipDir
		}
		if entry.Type().IsRegular() {
			rel, err := filepath.Rel(root, p)
			if err != nil {
				return err
			}
			visit(filepath.ToSlash(rel))
		}
		return nil
	})
	require.NoError(t, err)
}

// goFiles parses every Go file; nothing is type-checked, so a broken package is still judged.
func goFiles(t *testing.T) []file {
	t.Helper()
	var files []file
	positions := token.NewFileSet()
	tree(t, func(p string) {
		if !strings.HasSuffix(p, ".go") || strings.Contains(p, "/testdata/") {
			return
		}
		text, err := os.ReadFile(filepath.Join(root, p))
		require.NoError(t, err)
		syntax, err := parser.ParseFile(positions, p, text, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		f := file{path: p, syntax: syntax, lines: strings.Count(string(text), "\n")}
		for _, spec := range syntax.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			f.imports = append(f.imports, name)
		}
		files = append(files, f)
	})
	require.NotEmpty(t, files)
	return files
}

// own returns the directory of an imported package of this module.
func own(imported string) (dir string, ok bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// standard reports a package of the standard library: its first element has no dot.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}
